"""Errors of logarithms, and the deviances of positive targets."""

from typing import Any

from squarely.catalogue import sql
from squarely.catalogue.slopes import mean_of, of_mean, of_root, of_share
from squarely.metric import MeanOf, NullDeviance, Parameter, metric
from squarely.state import Ratio, Sums, Term

__all__ = [
    "d2_tweedie_score",
    "mean_gamma_deviance",
    "mean_poisson_deviance",
    "mean_squared_log_error",
    "mean_tweedie_deviance",
    "root_mean_squared_log_error",
]

_LOSS: dict[str, Any] = {"family": "logarithmic", "direction": "lower", "best": 0.0, "undefined": "", "shift_invariant": False}
_LOG: dict[str, Any] = {
    **_LOSS,
    "domain": "targets and predictions above -1",
    "functional": "exp of the mean of log(1 + y), less 1",
    "reference": "scikit-learn user guide, section Mean squared logarithmic error.",
}
_SQUARED_LOG = sql.mean("POWER(LN((1e0 + {p}) / (1e0 + {y})), 2)")
_MODELS = "McCullagh, P. and Nelder, J. A. (1989), Generalized Linear Models, 2nd edition, Chapman and Hall, section 2.3."
_POWER = Parameter(0.0, "The power of the mean to which the variance is proportional: 0 normal, 1 Poisson, 2 gamma.", (-1e308, 1e308), gap=(0, 1))
_POISSON = "2e0 * (CASE WHEN {y} > 0 THEN {y} * LN(1e0 * {y} / {p}) ELSE 0 END - {y} + {p})"
_GAMMA = "2e0 * (LN(1e0 * {p} / {y}) + 1e0 * {y} / {p} - 1)"
_TWEEDIE = (
    f"CASE CAST('{{power}}' AS DOUBLE PRECISION) WHEN 0 THEN POWER({{p}} - {{y}}, 2) WHEN 1 THEN {_POISSON} WHEN 2 THEN {_GAMMA} ELSE "
    "2e0 * (POWER(GREATEST({y}, 0), 2 - ({power})) / NULLIF((1 - ({power})) * (2 - ({power})), 0) "
    "- {y} * POWER({p}, 1 - ({power})) / NULLIF(1 - ({power}), 0) + POWER({p}, 2 - ({power})) / NULLIF(2 - ({power}), 0)) END"
)


def _log_error(xp: Any, y: Any, p: Any) -> Any:
    return xp.log1p(p) - xp.log1p(y)


def _log_slope(xp: Any, y: Any, p: Any) -> Any:
    return 2 * _log_error(xp, y, p) / (1 + p)


@metric(
    **_LOG,
    aliases=("msle",),
    title="Mean squared logarithmic error",
    unit="other",
    tex=r"\frac{1}{\sum w} \sum w \left(\log \frac{1 + y}{1 + \hat y}\right)^2",
    term=lambda: Term("squared_log"),
    query=_SQUARED_LOG,
    derivative=of_mean(_log_slope),
)
def mean_squared_log_error(s: Sums, mean: Ratio) -> Ratio:
    """Mean of the squared differences between the logarithms of 1 + target and 1 + prediction.

    It counts errors as shares, and predictions that are too low cost more: 50 for 100 costs 0.467, 150 costs 0.162.

    >>> import squarely as sq
    >>> round(sq.mean_squared_log_error([3, 5, 2.5, 7], [2.5, 5, 4, 8]), 6)
    0.03973
    """
    return mean


@metric(
    **_LOG,
    aliases=("rmsle",),
    title="Root mean squared logarithmic error",
    unit="other",
    tex=r"\sqrt{\frac{1}{\sum w} \sum w \left(\log \frac{1 + y}{1 + \hat y}\right)^2}",
    needs=lambda: (MeanOf(Term("squared_log")),),
    query=sql.root(_SQUARED_LOG),
    derivative=of_root(lambda xp, y, p: _log_error(xp, y, p) ** 2, _log_slope),
)
def root_mean_squared_log_error(s: Sums, mean: Ratio) -> Ratio:
    """Root of the mean squared logarithmic error: for large targets about the size of the errors as shares.

    Predictions that are too low cost more than those that are too high by as much.

    >>> import squarely as sq
    >>> round(sq.root_mean_squared_log_error([3, 5, 2.5, 7], [2.5, 5, 4, 8]), 6)
    0.199324
    """
    return mean.root()


@metric(
    **_LOSS,
    title="Mean Poisson deviance",
    unit="y",
    tex=r"\frac{2}{\sum w} \sum w \left(y \log \frac{y}{\hat y} - y + \hat y\right)",
    domain="targets of at least 0 and predictions above 0",
    reference=_MODELS,
    functional="mean",
    term=lambda: Term("tweedie", (1.0,)),
    query=sql.mean(_POISSON),
    derivative=of_mean(lambda xp, y, p: 2 * (1 - y / p)),
)
def mean_poisson_deviance(s: Sums, mean: Ratio) -> Ratio:
    """Mean deviance of counts: twice what the log-likelihood of a Poisson distribution loses.

    An error counts by the square over the prediction, so it is for targets whose variance grows like their mean.

    >>> import squarely as sq
    >>> round(sq.mean_poisson_deviance([2, 0, 1, 4], [0.5, 0.5, 2, 2]), 6)
    1.426015
    """
    return mean


@metric(
    **_LOSS,
    title="Mean gamma deviance",
    unit="1",
    tex=r"\frac{2}{\sum w} \sum w \left(\log \frac{\hat y}{y} + \frac{y}{\hat y} - 1\right)",
    domain="targets and predictions above 0",
    reference=_MODELS,
    functional="mean",
    term=lambda: Term("tweedie", (2.0,)),
    query=sql.mean(_GAMMA),
    derivative=of_mean(lambda xp, y, p: 2 * (1 - y / p) / p),
)
def mean_gamma_deviance(s: Sums, mean: Ratio) -> Ratio:
    """Mean deviance of amounts: twice what the log-likelihood of a gamma distribution loses.

    An error counts as a share of the prediction; a target of 0 has no deviance: use ``mean_tweedie_deviance`` with a power below 2.

    >>> import squarely as sq
    >>> round(sq.mean_gamma_deviance([2, 0.5, 1, 4], [0.5, 0.5, 2, 2]), 6)
    1.056853
    """
    return mean


@metric(
    **_LOSS,
    title="Mean Tweedie deviance",
    unit="other",
    tex=r"\frac{2}{\sum w} \sum w \left(\frac{\max(y, 0)^{2-q}}{(1-q)(2-q)} - \frac{y\,\hat y^{1-q}}{1-q} + \frac{\hat y^{2-q}}{2-q}\right)",
    domain="predictions above 0, and targets of at least 0 from power 1 or above 0 from power 2",
    reference="Dunn, P. K. and Smyth, G. K. (2005), Statistics and Computing 15, doi:10.1007/s11222-005-4070-y.",
    functional="mean",
    settings={"power": _POWER},
    term=lambda power: Term("tweedie", (power,)),
    query=sql.mean(_TWEEDIE),
    derivative=of_mean(lambda xp, y, p, power: 2 * (p - y) / (p**power if power else 1)),
)
def mean_tweedie_deviance(s: Sums, mean: Ratio, power: float = 0.0) -> Ratio:
    """Mean deviance under a variance that is proportional to a power of the mean.

    Power 0 is the mean squared error, 1 the Poisson and 2 the gamma deviance. Deviances of different powers cannot be compared.

    >>> import squarely as sq
    >>> sq.mean_tweedie_deviance([4, 1], [1, 4], power=1.5)
    3.0
    """
    return mean


def _null_deviance(xp: Any, y: Any, w: Any, power: float) -> Any:
    """The deviance of the mean of the target."""
    mean = mean_of(xp, w, y)
    if power == 1:
        return 2 * (mean_of(xp, w, y * xp.log(xp.where(y > 0, y, 1.0))) - mean * xp.log(mean))
    if power == 2:
        return 2 * (xp.log(mean) - mean_of(xp, w, xp.log(y)))
    powers = mean_of(xp, w, xp.where(y > 0, y, 0.0) ** (2 - power)) - mean ** (2 - power)
    return mean_of(xp, w, (y - mean) ** 2) if power == 0 else 2 * powers / ((1 - power) * (2 - power))


@metric(
    title="D squared of the Tweedie deviance",
    family="logarithmic",
    unit="1",
    direction="higher",
    best=1.0,
    tex=r"1 - \frac{D_q(y, \hat y)}{D_q(y, \bar y)}",
    undefined="the target is constant: its mean has no deviance",
    domain="predictions above 0, and targets of at least 0 from power 1 or above 0 from power 2",
    reference="Hastie, T., Tibshirani, R. and Wainwright, M. (2015), Statistical Learning with Sparsity, CRC Press, equation 3.11.",
    functional="mean",
    settings={"power": _POWER},
    needs=lambda power: (MeanOf(Term("tweedie", (power,))), NullDeviance(power)) if power else (),
    shift_invariant=False,
    minimum_n=2,
    constant="finite",
    derivative=of_share(lambda xp, y, p, power: 2 * (p - y) / (p**power if power else 1), _null_deviance),
)
def d2_tweedie_score(s: Sums, *deviances: Ratio, power: float = 0.0) -> Ratio:
    """Share of the deviance of the mean that the prediction removes; with power 0 it is R squared.

    It compares models on the same rows only. With another power it reads the rows twice, for the mean of the target: sums alone do not answer.

    >>> import squarely as sq
    >>> round(sq.d2_tweedie_score([0.5, 1, 2.5, 7], [1, 1, 5, 3.5], power=1), 6)
    0.487915
    """
    mine, of_the_mean = deviances or (Ratio(s.w * s.squared_error), Ratio(s.variance_y))
    return 1 - mine / of_the_mean
