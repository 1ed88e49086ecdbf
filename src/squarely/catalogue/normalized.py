"""Root mean squared error against the size or the spread of the target."""

import math
from typing import Any

from squarely.catalogue import sql
from squarely.catalogue.slopes import mean_of, moments, of_root
from squarely.metric import Parameter, TargetQuantile, metric
from squarely.state import Ratio, Sums

__all__ = [
    "normalized_mean_squared_error",
    "normalized_root_mean_squared_error",
    "ratio_of_performance_to_deviation",
    "ratio_of_performance_to_interquartile_distance",
    "theil_u1",
    "theil_u2",
]

_rmse_slope = of_root(lambda xp, y, p: (p - y) ** 2, lambda xp, y, p: 2 * (p - y))
_ENERGY, _MEAN_Y = sql.mean("POWER({y}, 2)"), f"ABS({sql.MEAN_Y})"
_RANGE = "(MAX(CASE WHEN {w} > 0 THEN {y} END) - MIN(CASE WHEN {w} > 0 THEN {y} END))"


def _size(xp: Any, y: Any, w: Any, normalizer: str) -> Any:
    """Return what a root mean squared error is divided by."""
    present = xp.where(w > 0, y, y[w > 0][0])
    sizes = {
        "std": lambda: xp.sqrt(mean_of(xp, w, (y - mean_of(xp, w, y)) ** 2)),
        "mean": lambda: xp.abs(mean_of(xp, w, y)),
        "range": lambda: xp.max(present) - xp.min(present),
        "energy": lambda: xp.sqrt(mean_of(xp, w, y * y)),
    }
    return sizes[normalizer]()


def _nmse_slope(xp: Any, y: Any, p: Any, w: Any, normalizer: str) -> Any:
    slope, share = 2 * w * (p - y) / xp.sum(w), w / xp.sum(w)
    if normalizer != "mean_product":
        return slope / _size(xp, y, w, "std" if normalizer == "variance" else normalizer) ** 2
    mean_y, mean_p = mean_of(xp, w, y), mean_of(xp, w, p)
    return (slope - share * mean_of(xp, w, (p - y) ** 2) / mean_p) / (mean_y * mean_p)


@metric(
    aliases=("nmse", "relative_squared_error", "rse"),
    title="Normalized mean squared error",
    family="normalized",
    unit="1",
    direction="lower",
    best=0.0,
    tex=r"\frac{\mathrm{MSE}}{N},\quad N \in \{\mathrm{Var}(y),\ \overline{y^2},\ \bar y\,\bar{\hat y},\ (\max y - \min y)^2\}",
    undefined="the normalizer is 0, as the variance of a constant target is, or unknown, as a range is after a subtraction",
    reference="Chang, J. C. and Hanna, S. R. (2004), Meteorology and Atmospheric Physics 87, doi:10.1007/s00703-003-0070-7 (mean product).",
    settings={"normalizer": Parameter("variance", "What the MSE is divided by.", ("variance", "energy", "mean_product", "range"))},
    functional="mean",
    query=f"{sql.SQUARED_ERROR} / CASE '{{normalizer}}' WHEN 'variance' THEN {sql.VARIANCE_Y} WHEN 'energy' THEN {_ENERGY} "
    f"WHEN 'mean_product' THEN {sql.MEAN_Y} * {sql.MEAN_P} ELSE POWER({_RANGE}, 2) END",
    derivative=_nmse_slope,
)
def normalized_mean_squared_error(s: Sums, normalizer: str = "variance") -> Ratio:
    """Mean squared error divided by a named normalizer; with the variance it is 1 less R squared.

    Values under different normalizers cannot be compared: always say which. The mean product is for positive quantities.

    >>> import squarely as sq
    >>> sq.normalized_mean_squared_error([250, 300, 180, 420, 350], [240, 310, 200, 400, 360], normalizer="energy")
    0.0022736668044646548
    """
    if normalizer == "variance":
        return Ratio(s.w * s.squared_error, s.variance_y)
    if normalizer == "energy":
        return Ratio(s.squared_error, s.yy)
    if normalizer == "mean_product":
        return Ratio(s.w * s.squared_error) / Ratio(s.y * s.p).if_positive()
    return Ratio(s.squared_error, s.w) / (s.range_y * s.range_y)


@metric(
    aliases=("nrmse", "rsr", "root_relative_squared_error", "rrse"),
    title="Normalized root mean squared error",
    family="normalized",
    unit="1",
    direction="lower",
    best=0.0,
    tex=r"\frac{\mathrm{RMSE}}{N},\quad N \in \{\sigma_y,\ |\bar y|,\ \max y - \min y,\ \sqrt{\overline{y^2}}\}",
    undefined="the normalizer is 0, as the deviation of a constant target is, or unknown, as a range is after a subtraction",
    reference="Otto, S. A. (2019), How to normalize the RMSE, marinedatascience.co/blog/2019/01/07/normalizing-the-rmse.",
    settings={"normalizer": Parameter("std", "What the RMSE is divided by.", ("std", "mean", "range", "energy"))},
    functional="mean",
    query=f"{sql.root(sql.SQUARED_ERROR)} / CASE '{{normalizer}}' WHEN 'std' THEN {sql.root(sql.VARIANCE_Y)} WHEN 'mean' THEN {_MEAN_Y} "
    f"WHEN 'range' THEN {_RANGE} ELSE {sql.root(_ENERGY)} END",
    derivative=lambda xp, y, p, w, normalizer: _rmse_slope(xp, y, p, w) / _size(xp, y, w, normalizer),
)
def normalized_root_mean_squared_error(s: Sums, normalizer: str = "std") -> Ratio:
    """Root mean squared error divided by a named normalizer.

    Values under different normalizers cannot be compared: always say which. A mean near 0 or a range set by one outlier
    says little.

    >>> import squarely as sq
    >>> sq.normalized_root_mean_squared_error([250, 300, 180, 420, 350], [240, 310, 200, 400, 360], normalizer="range")
    0.061801654059130524
    """
    if normalizer == "std":
        return Ratio(s.w * s.squared_error, s.variance_y).root()
    if normalizer == "energy":
        return Ratio(s.squared_error, s.yy).root()
    rmse = Ratio(s.squared_error, s.w).root()
    return rmse / (Ratio(abs(s.y), s.w) if normalizer == "mean" else s.range_y)


def _u1_slope(xp: Any, y: Any, p: Any, w: Any) -> Any:
    error, size_y, size_p = (xp.sqrt(mean_of(xp, w, square)) for square in ((p - y) ** 2, y * y, p * p))
    size = size_y + size_p
    return _rmse_slope(xp, y, p, w) / size - error / size**2 * w * p / (xp.sum(w) * xp.where(size_p > 0, size_p, 1.0))


@metric(
    title="Theil's U1",
    family="normalized",
    unit="1",
    direction="lower",
    best=0.0,
    tex=r"\frac{\sqrt{\overline{(y - \hat y)^2}}}{\sqrt{\overline{y^2}} + \sqrt{\overline{\hat y^2}}}",
    undefined="every target and every prediction is 0",
    reference="Theil, H. (1961), Economic Forecasts and Policy, 2nd edition, North-Holland, p. 32.",
    shift_invariant=False,
    query=f"{sql.root(sql.SQUARED_ERROR)} / ({sql.root(_ENERGY)} + {sql.root(sql.mean('POWER({p}, 2)'))})",
    derivative=_u1_slope,
)
def theil_u1(s: Sums) -> Ratio:
    """Root mean squared error as a share of the root mean squares of targets and predictions: 0 to 1.

    The divisor grows with the predictions, so it is not least for the best ones: use ``theil_u2`` to compare models.

    >>> import squarely as sq
    >>> sq.theil_u1([3, 4], [6, 8])
    0.3333333333333333
    """
    return Ratio(s.squared_error).root() / (Ratio(s.yy).root() + Ratio(s.pp).root())


@metric(
    title="Theil's U2",
    family="normalized",
    unit="1",
    direction="lower",
    best=0.0,
    tex=r"\sqrt{\frac{\sum w (\hat y - y)^2}{\sum w y^2}}",
    undefined="every target is 0",
    reference="Bliemel, F. (1973), J. Marketing Research 10(4), pp. 444-446.",
    functional="mean",
    shift_invariant=False,
    query=sql.root(f"{sql.SQUARED_ERROR} / {_ENERGY}"),
    derivative=lambda xp, y, p, w: _rmse_slope(xp, y, p, w) / _size(xp, y, w, "energy"),
)
def theil_u2(s: Sums) -> Ratio:
    """Root mean squared error as a share of the root mean square of the targets.

    Meant for predicted changes: there 1 is what "no change" reaches. For levels it says little; use ``skill_score`` with the last value.

    >>> import squarely as sq
    >>> sq.theil_u2([3, 4], [6, 8])
    1.0
    """
    return Ratio(s.squared_error, s.yy).root()


def _rpd_slope(xp: Any, y: Any, p: Any, w: Any) -> Any:
    total, m, error = xp.sum(w), moments(xp, y, p, w), mean_of(xp, w, (p - y) ** 2)
    return -xp.sqrt(m.variance_y * total / (total - 1)) * _rmse_slope(xp, y, p, w) / xp.where(error > 0, error, 1.0)


@metric(
    aliases=("rpd",),
    title="Ratio of performance to deviation",
    family="normalized",
    unit="1",
    direction="higher",
    best=math.inf,
    tex=r"\frac{1}{\mathrm{RMSE}} \sqrt{\frac{\sum w (y - \bar y)^2}{n - 1}},\quad n = \sum w",
    undefined="there is one row, or the target is constant and the predictions are perfect",
    reference="Chang, C.-W. et al. (2001), Soil Science Society of America J. 65(2), doi:10.2136/sssaj2001.652480x.",
    functional="mean",
    query=f"SQRT({sql.VARIANCE_Y} * SUM({{w}}) / (SUM({{w}}) - 1) / {sql.SQUARED_ERROR})",
    derivative=_rpd_slope,
)
def ratio_of_performance_to_deviation(s: Sums) -> Ratio:
    """Standard deviation of the target over the root mean squared error: how often the error goes into the spread.

    It says what R squared says, in other words, and shares its dependence on the sample. With weights, n is their sum.

    >>> import squarely as sq
    >>> sq.ratio_of_performance_to_deviation([1, 2, 3, 4, 5], [2, 3, 4, 5, 6])
    1.5811388300841898
    """
    left = (s.observations - 1).if_positive()
    return _over((Ratio(s.variance_y, s.w) * s.observations / left).root(), Ratio(s.squared_error).root())


def _over(spread: Ratio, error: Ratio) -> Ratio:
    """Divide by an error; infinite where it is 0."""
    if (error.numerator == 0) is True and spread.numerator:
        return Ratio.of(math.inf)
    return spread / error


@metric(
    aliases=("rpiq",),
    title="Ratio of performance to interquartile distance",
    family="normalized",
    unit="1",
    direction="higher",
    best=math.inf,
    tex=r"\frac{Q_3(y) - Q_1(y)}{\mathrm{RMSE}}",
    undefined="both quartiles are the same and the predictions are perfect",
    reference="Bellon-Maurel, V. et al. (2010), Trends in Analytical Chemistry 29(9), doi:10.1016/j.trac.2010.05.006.",
    functional="mean",
    needs=lambda: (TargetQuantile(0.75), TargetQuantile(0.25)),
)
def ratio_of_performance_to_interquartile_distance(s: Sums, upper: Ratio, lower: Ratio) -> Ratio:
    """Distance of the quartiles of the target over the root mean squared error, for targets that are far from normal.

    A quartile between two targets is their mean. It reads the rows twice: it has no answer on sums alone.

    >>> import squarely as sq
    >>> sq.ratio_of_performance_to_interquartile_distance([1, 2, 3, 4, 50], [2, 3, 4, 5, 51])
    2.0
    """
    return _over(upper - lower, s.absolute(Ratio(s.squared_error, s.w).root(), 1))
