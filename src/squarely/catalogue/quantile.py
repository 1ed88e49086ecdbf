"""The loss of quantiles, and its share of the loss of the best constant."""

from collections.abc import Sequence
from typing import Any

from squarely.catalogue import sql
from squarely.catalogue.slopes import of_mean
from squarely.errors import DataError
from squarely.metric import BestConstant, ColumnParameter, LevelsParameter, MeanOf, Parameter, metric
from squarely.state import Ratio, Sums, Term

__all__ = ["crps_quantiles", "d2_absolute_error_score", "d2_pinball_score", "mean_pinball_loss", "mean_quantile_loss"]

_LEVEL = {"alpha": Parameter(0.5, "The level of the quantile that is predicted; 0.5 is the median.", (0, 1))}
_PERFECT_CONSTANT = "the best constant has no error"
_D2 = "Koenker, R. and Machado, J. A. F. (1999), J. Amer. Statistical Assoc. 94(448), doi:10.1080/01621459.1999.10473882."


def _pinball(s: Sums, alpha: float) -> tuple[int, int]:
    """Return the pinball loss as an integer, and what it is divided by."""
    top, bottom = float(alpha).as_integer_ratio()
    return top * s.below + (bottom - top) * s.above, bottom


@metric(
    aliases=("pinball",),
    title="Mean pinball loss",
    family="quantile",
    unit="y",
    direction="lower",
    best=0.0,
    tex=r"\frac{\sum w \left(\alpha \max(y - \hat y, 0) + (1 - \alpha) \max(\hat y - y, 0)\right)}{\sum w}",
    undefined="",
    reference="Koenker, R. and Bassett, G. (1978), Econometrica 46(1), doi:10.2307/1913643.",
    settings=_LEVEL,
    functional="quantile",
    pointwise=lambda alpha: Term("pinball", (alpha,)),
    query=sql.mean("CASE WHEN {y} >= {p} THEN {alpha} * ({y} - {p}) ELSE (1e0 - {alpha}) * ({p} - {y}) END"),
    derivative=of_mean(lambda xp, y, p, alpha: xp.where(y > p, -alpha, xp.where(y < p, 1 - alpha, 0.0))),
)
def mean_pinball_loss(s: Sums, alpha: float = 0.5) -> Ratio:
    """Mean loss that is least where the prediction is the quantile of level ``alpha``.

    At level 0.5 it is half of the mean absolute error. Losses of different levels cannot be compared.

    >>> import squarely as sq
    >>> sq.mean_pinball_loss([250, 300, 180, 420, 350], [240, 310, 200, 400, 360], alpha=0.9)
    6.2
    """
    loss, divisor = _pinball(s, alpha)
    return Ratio(loss, divisor * s.w)


@metric(
    title="D squared of the pinball loss",
    family="quantile",
    unit="1",
    direction="higher",
    best=1.0,
    tex=r"1 - \frac{\mathrm{pinball}_\alpha(y, \hat y)}{\min_c \mathrm{pinball}_\alpha(y, c)}",
    undefined=_PERFECT_CONSTANT,
    reference=_D2,
    settings=_LEVEL,
    minimum_n=2,
    constant="finite",
    functional="quantile",
    needs=lambda alpha: (BestConstant(alpha),),
)
def d2_pinball_score(s: Sums, constant: Sums, alpha: float = 0.5) -> Ratio:
    """Share of the pinball loss of the best constant that the prediction removes.

    It reads the rows twice, for the best constant is a quantile of the target: it has no answer on sums alone.

    >>> import squarely as sq
    >>> sq.d2_pinball_score([1, 2, 3], [1, 3, 3], alpha=0.9)
    0.6666666666666666
    """
    loss, _ = _pinball(s, alpha)
    least, _ = _pinball(constant, alpha)
    # Both sums have the divisor and the weights in common, but not the scale.
    share = Ratio.scaled(loss, s.linear_scale - constant.linear_scale, least)
    return 1 - share


@metric(
    title="D squared of the absolute error",
    family="quantile",
    unit="1",
    direction="higher",
    best=1.0,
    tex=r"1 - \frac{\sum w |y - \hat y|}{\min_c \sum w |y - c|}",
    undefined=_PERFECT_CONSTANT,
    reference=_D2,
    minimum_n=2,
    constant="finite",
    functional="median",
    needs=lambda: (BestConstant(0.5),),
)
def d2_absolute_error_score(s: Sums, constant: Sums) -> Ratio:
    """Share of the absolute error of the median that the prediction removes.

    It reads the rows twice, for the median of the target: it has no answer on sums alone.

    >>> import squarely as sq
    >>> round(sq.d2_absolute_error_score([250, 300, 180, 420, 350], [240, 310, 200, 400, 360]), 6)
    0.794118
    """
    return 1 - Ratio.scaled(s.absolute_error, s.linear_scale - constant.linear_scale, constant.absolute_error)


_LEVELS: dict[str, Any] = {
    "family": "quantile",
    "unit": "y",
    "direction": "lower",
    "best": 0.0,
    "undefined": "",
    "settings": {
        "quantiles": ColumnParameter(text="The predicted quantiles, one column for each level.", several=True),
        "levels": LevelsParameter((0.1, 0.5, 0.9), "The level of each column.", ()),
    },
    "inputs": ("quantiles",),
    "domain": "quantiles that are numbers",
    "needs": lambda quantiles, levels: _losses(quantiles, levels),
}


def _losses(quantiles: Sequence[str], levels: Sequence[float]) -> tuple[MeanOf, ...]:
    if len(quantiles) != len(levels):
        raise DataError(f"there are {len(quantiles)} columns of quantiles and {len(levels)} levels; expected one level for each column.")
    return tuple(MeanOf(Term("quantile", (float(level),), (column,))) for column, level in zip(quantiles, levels, strict=True))


def _mean(losses: Sequence[Ratio]) -> Ratio:
    return sum(losses, Ratio(0)) / len(losses)


@metric(
    **_LEVELS,
    aliases=("mqloss",),
    title="Mean quantile loss",
    tex=r"\frac{1}{K} \sum_k \mathrm{pinball}_{\alpha_k}(y, \hat q_k)",
    reference="Wen, R. et al. (2017), A multi-horizon quantile recurrent forecaster, arXiv:1711.11053.",
    functional="quantiles",
)
def mean_quantile_loss(s: Sums, *losses: Ratio, **settings: Any) -> Ratio:
    """Mean of the pinball losses of several predicted quantiles.

    Levels count alike, however they are spaced. Losses of different levels cannot be compared.

    >>> import squarely as sq
    >>> sq.mean_quantile_loss([3, 4], [[2, 5], [2, 3]], levels=(0.25, 0.75))
    0.5
    """
    return _mean(losses)


@metric(
    **_LEVELS,
    title="CRPS of quantiles",
    tex=r"\frac{2}{K} \sum_k \mathrm{pinball}_{\alpha_k}(y, \hat q_k)",
    reference="Gneiting, T. and Ranjan, R. (2011), J. Business and Economic Statistics 29(3), doi:10.1198/jbes.2010.08110.",
    functional="distribution",
)
def crps_quantiles(s: Sums, *losses: Ratio, **settings: Any) -> Ratio:
    """Continuous ranked probability score of a distribution that is known by quantiles of evenly spaced levels.

    It is twice the mean quantile loss: near the score of the whole distribution for many levels, and not for few.

    >>> import squarely as sq
    >>> sq.crps_quantiles([3, 4], [[2, 5], [2, 3]], levels=(0.25, 0.75))
    1.0
    """
    return 2 * _mean(losses)
