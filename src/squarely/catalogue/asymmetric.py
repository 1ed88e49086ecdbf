"""Losses that weigh errors by their sign, or by where the target lies."""

import math
from typing import Any

from squarely.catalogue import sql
from squarely.catalogue.slopes import of_mean
from squarely.metric import Parameter, metric
from squarely.state import Ratio, Sums, Term

__all__ = ["mean_expectile_loss", "mean_linex_loss", "threshold_weighted_squared_error"]

_LOSS: dict[str, Any] = {"family": "asymmetric", "direction": "lower", "best": 0.0, "undefined": ""}
_ENDS = "a prediction and a target both {} it cost nothing."


@metric(
    **_LOSS,
    title="Mean expectile loss",
    unit="y^2",
    tex=r"\frac{1}{\sum w} \sum w \left(\alpha \max(y - \hat y, 0)^2 + (1 - \alpha) \max(\hat y - y, 0)^2\right)",
    reference="Newey, W. K. and Powell, J. L. (1987), Econometrica 55(4), doi:10.2307/1911031.",
    functional="expectile",
    settings={"alpha": Parameter(0.5, "The level of the expectile that is predicted; 0.5 is the mean.", (0, 1))},
    term=lambda alpha: Term("expectile", (alpha,)),
    query=sql.mean("CASE WHEN {y} > {p} THEN {alpha} ELSE 1e0 - {alpha} END * POWER({p} - {y}, 2)"),
    derivative=of_mean(lambda xp, y, p, alpha: 2 * xp.where(y > p, alpha, 1 - alpha) * (p - y)),
)
def mean_expectile_loss(s: Sums, mean: Ratio, alpha: float = 0.5) -> Ratio:
    """Mean of squared errors with weight ``alpha`` where the prediction is too low and 1 - ``alpha`` where it is too high.

    At level 0.5 it is half of the mean squared error. Losses of different levels cannot be compared.

    >>> import squarely as sq
    >>> sq.mean_expectile_loss([1, 5], [3, 1], alpha=0.75)
    6.5
    """
    return mean


@metric(
    **_LOSS,
    aliases=("linex",),
    title="Mean LINEX loss",
    unit="other",
    tex=r"\frac{1}{\sum w} \sum w \left(e^{a (\hat y - y)} - a (\hat y - y) - 1\right)",
    reference="Zellner, A. (1986), J. Amer. Statistical Assoc. 81(394), doi:10.1080/01621459.1986.10478289.",
    functional="-1/a times the log of the mean of exp(-a y)",
    settings={
        "a": Parameter(1.0, "Per unit of y; above 0 predictions that are too high cost more, below 0 those that are too low.", (-1e308, 1e308))
    },
    term=lambda a: Term("linex", (a,)),
    query=sql.mean("EXP({a} * ({p} - {y})) - {a} * ({p} - {y}) - 1"),
    derivative=of_mean(lambda xp, y, p, a: a * (xp.exp(a * (p - y)) - 1)),
)
def mean_linex_loss(s: Sums, mean: Ratio, a: float = 1.0) -> Ratio:
    """Mean of a loss that grows exponentially on one side of the target and linearly on the other.

    One large error on the dear side decides it. ``a`` is in units of 1 over y; at 0 everything costs nothing.

    >>> import squarely as sq
    >>> round(sq.mean_linex_loss([0, 0], [1, -1], a=1.0), 6)
    0.543081
    """
    return mean


@metric(
    **_LOSS,
    aliases=("twse",),
    title="Threshold-weighted squared error",
    unit="y^2",
    tex=r"\frac{1}{\sum w} \sum w\, (c(y) - c(\hat y)) (2 y - c(y) - c(\hat y)),\quad c(x) = \min(\max(x, \mathrm{low}), \mathrm{high})",
    reference="Taggart, R. (2022), Quarterly J. Royal Meteorological Society 148(742), doi:10.1002/qj.4206.",
    functional="mean",
    settings={
        "low": Parameter(-math.inf, "The lower end of the range that counts: " + _ENDS.format("below"), (-math.inf, math.inf)),
        "high": Parameter(math.inf, "The upper end of the range that counts: " + _ENDS.format("above"), (-math.inf, math.inf)),
    },
    term=lambda low, high: Term("threshold_weighted", (low, high)),
    query=sql.mean("({cy} - {cp}) * (2e0 * {y} - {cy} - {cp})")
    .replace("{cy}", "LEAST(GREATEST({y}, CAST('{low}' AS DOUBLE PRECISION)), CAST('{high}' AS DOUBLE PRECISION))")
    .replace("{cp}", "LEAST(GREATEST({p}, CAST('{low}' AS DOUBLE PRECISION)), CAST('{high}' AS DOUBLE PRECISION))"),
    derivative=of_mean(lambda xp, y, p, low, high: xp.where((low < p) & (p < high), 2 * (p - y), 0.0)),
)
def threshold_weighted_squared_error(s: Sums, mean: Ratio, low: float = -math.inf, high: float = math.inf) -> Ratio:
    """Mean of the part of the squared error that lies between two thresholds, such as the range of extremes.

    The prediction that is best for it is the mean, as for the squared error; choosing rows by their target has no such guarantee.

    >>> import squarely as sq
    >>> sq.threshold_weighted_squared_error([0, 4], [3, 1], low=2.0)
    4.5
    """
    return mean
