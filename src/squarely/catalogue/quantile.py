"""The loss of quantiles, and its share of the loss of the best constant."""

from squarely.metric import Parameter, metric
from squarely.state import Ratio, Sums

__all__ = ["d2_absolute_error_score", "d2_pinball_score", "mean_pinball_loss"]

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
    baseline=True,
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
    baseline=True,
)
def d2_absolute_error_score(s: Sums, constant: Sums) -> Ratio:
    """Share of the absolute error of the median that the prediction removes.

    It reads the rows twice, for the median of the target: it has no answer on sums alone.

    >>> import squarely as sq
    >>> round(sq.d2_absolute_error_score([250, 300, 180, 420, 350], [240, 310, 200, 400, 360]), 6)
    0.794118
    """
    return 1 - Ratio.scaled(s.absolute_error, s.linear_scale - constant.linear_scale, constant.absolute_error)
