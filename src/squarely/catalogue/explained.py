"""How much of the variance of the target a prediction explains."""

import math
from typing import Any

from squarely.catalogue import sql
from squarely.catalogue.slopes import mean_of, of_share
from squarely.metric import Parameter, metric
from squarely.state import Ratio, Sums

__all__ = ["adjusted_r2_score", "explained_variance_score", "r2_score"]

_CONSTANT = "the target is constant: its variance is 0"


def _variance(xp: Any, y: Any, w: Any) -> Any:
    return mean_of(xp, w, (y - mean_of(xp, w, y)) ** 2)


_r2_slope = of_share(lambda xp, y, p: 2 * (p - y), _variance)


@metric(
    aliases=("r2", "nash_sutcliffe_efficiency", "nse"),
    title="R squared",
    family="explained",
    unit="1",
    direction="higher",
    best=1.0,
    tex=r"1 - \frac{\sum w (y - \hat y)^2}{\sum w (y - \bar y)^2}",
    undefined=_CONSTANT,
    reference="Nash, J. E. and Sutcliffe, J. V. (1970), J. Hydrology 10(3), doi:10.1016/0022-1694(70)90255-6.",
    minimum_n=2,
    constant="force_finite",
    functional="mean",
    query=f"1 - {sql.SQUARED_ERROR} / {sql.VARIANCE_Y}",
    derivative=_r2_slope,
)
def r2_score(s: Sums) -> Ratio:
    """Share of the squared error of the mean that the prediction removes; negative where the mean does better.

    It compares models on the same rows only: another sample has another variance.

    >>> import squarely as sq
    >>> round(sq.r2_score([250, 300, 180, 420, 350], [240, 310, 200, 400, 360]), 6)
    0.967456
    """
    return Ratio(s.variance_y - s.w * s.squared_error, s.variance_y)


@metric(
    aliases=("adjusted_r2",),
    title="Adjusted R squared",
    family="explained",
    unit="1",
    direction="higher",
    best=1.0,
    tex=r"1 - (1 - R^2) \frac{n - 1}{n - k - 1},\quad n = \sum w",
    undefined="the target is constant, or there are no more than n_features + 1 rows",
    reference="Theil, H. (1961), Economic Forecasts and Policy, North-Holland, p. 213.",
    settings={"n_features": Parameter(1, "Features the model was fitted with, k; the intercept is not one.", (0, math.inf))},
    minimum_n=2,
    functional="mean",
    query=f"1 - {sql.SQUARED_ERROR} / {sql.VARIANCE_Y} * (SUM({{w}}) - 1) / (SUM({{w}}) - {{n_features}} - 1)",
    derivative=lambda xp, y, p, w, n_features: _r2_slope(xp, y, p, w) * (xp.sum(w) - 1) / (xp.sum(w) - n_features - 1),
)
def adjusted_r2_score(s: Sums, n_features: int = 1) -> Ratio:
    """R squared with the price of each fitted feature taken off.

    It is for the rows a linear model was fitted on; on held-out rows R squared needs no adjustment. With weights, n is their sum.

    >>> import squarely as sq
    >>> sq.adjusted_r2_score([250, 300, 180, 420, 350], [240, 310, 200, 400, 360], n_features=1)
    0.9566074950690335
    """
    n = s.observations
    left = n - (int(n_features) + 1)
    return 1 - Ratio(s.w * s.squared_error, s.variance_y) * (n - 1) / left.if_positive()


@metric(
    aliases=("explained_variance",),
    title="Explained variance",
    family="explained",
    unit="1",
    direction="higher",
    best=1.0,
    tex=r"1 - \frac{\mathrm{Var}(y - \hat y)}{\mathrm{Var}(y)}",
    undefined=_CONSTANT,
    reference="scikit-learn user guide, section Explained variance score.",
    constant="force_finite",
    functional="mean up to a constant",
    query=f"1 - {sql.VARIANCE_ERROR} / {sql.VARIANCE_Y}",
    derivative=lambda xp, y, p, w: -2 * w * (p - y - mean_of(xp, w, p - y)) / (xp.sum(w) * _variance(xp, y, w)),
)
def explained_variance_score(s: Sums) -> Ratio:
    """Share of the variance of the target that the prediction explains, whatever its bias.

    A prediction that is wrong by a constant scores 1.0: use ``r2_score`` unless the bias will be taken out.

    >>> import squarely as sq
    >>> sq.explained_variance_score([1, 2, 3], [11, 12, 13])
    1.0
    """
    return Ratio(s.variance_y - s.variance_error, s.variance_y)
