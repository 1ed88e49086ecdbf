"""Squared error, its root, and what it is divided by."""

from squarely.metric import Parameter, metric
from squarely.state import Ratio, Sums

__all__ = [
    "mean_squared_error",
    "normalized_mean_squared_error",
    "normalized_root_mean_squared_error",
    "residual_variance",
    "root_mean_squared_error",
]


@metric(
    aliases=("mse",),
    title="Mean squared error",
    family="squared",
    unit="y^2",
    direction="lower",
    best=0.0,
    tex=r"\frac{\sum w (y - \hat y)^2}{\sum w}",
    undefined="",
    reference="Gauss, C. F. (1823), Theoria combinationis observationum erroribus minimis obnoxiae.",
)
def mean_squared_error(s: Sums) -> Ratio:
    """Mean of the squared differences between target and prediction.

    Large errors weigh most. Where a few outliers should not decide, use ``mean_absolute_error``.

    >>> import squarely as sq
    >>> sq.mean_squared_error([250, 300, 180, 420, 350], [240, 310, 200, 400, 360])
    220.0
    """
    return Ratio(s.squared_error, s.w)


@metric(
    aliases=("rmse",),
    title="Root mean squared error",
    family="squared",
    unit="y",
    direction="lower",
    best=0.0,
    tex=r"\sqrt{\frac{\sum w (y - \hat y)^2}{\sum w}}",
    undefined="",
    reference="Hyndman, R. J. and Koehler, A. B. (2006), Int. J. Forecasting 22(4), doi:10.1016/j.ijforecast.2006.03.001.",
)
def root_mean_squared_error(s: Sums) -> Ratio:
    """Square root of the mean squared error, in the unit of the target.

    Means of RMSE over groups are not the RMSE of the whole: merge states instead.

    >>> import squarely as sq
    >>> sq.root_mean_squared_error([250, 300, 180, 420, 350], [240, 310, 200, 400, 360])
    14.832396974191326
    """
    return Ratio(s.squared_error, s.w).root()


@metric(
    title="Residual variance",
    family="squared",
    unit="y^2",
    direction="lower",
    best=0.0,
    tex=r"\frac{\sum w (e - \bar e)^2}{\sum w},\quad e = \hat y - y",
    undefined="",
    reference="Geman, S., Bienenstock, E. and Doursat, R. (1992), Neural Computation 4(1), doi:10.1162/neco.1992.4.1.1.",
)
def residual_variance(s: Sums) -> Ratio:
    """Mean squared error that is left once the mean error is taken out: MSE less bias squared.

    The divisor is the sum of weights, not less one. A biased model may have a small residual variance: read it with ``mean_error``.

    >>> import squarely as sq
    >>> sq.residual_variance([250, 300, 180, 420, 350], [240, 310, 200, 400, 360])
    216.0
    """
    return Ratio(s.variance_error, s.w * s.w)


@metric(
    aliases=("nmse",),
    title="Normalized mean squared error",
    family="squared",
    unit="1",
    direction="lower",
    best=0.0,
    tex=r"\frac{\mathrm{MSE}}{N},\quad N \in \{\mathrm{Var}(y),\ \overline{y^2},\ \bar y\,\bar{\hat y},\ (\max y - \min y)^2\}",
    undefined="the normalizer is 0, as the variance of a constant target is, or unknown, as a range is after a subtraction",
    reference="Chang, J. C. and Hanna, S. R. (2004), Meteorology and Atmospheric Physics 87, doi:10.1007/s00703-003-0070-7 (mean product).",
    settings={"normalizer": Parameter("variance", "What the MSE is divided by.", ("variance", "energy", "mean_product", "range"))},
)
def normalized_mean_squared_error(s: Sums, normalizer: str = "variance") -> Ratio:
    """Mean squared error divided by a named normalizer.

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
        return Ratio(s.w * s.squared_error, s.y * s.p)
    return Ratio(s.squared_error, s.w) / (s.range_y * s.range_y)


@metric(
    aliases=("nrmse",),
    title="Normalized root mean squared error",
    family="squared",
    unit="1",
    direction="lower",
    best=0.0,
    tex=r"\frac{\mathrm{RMSE}}{N},\quad N \in \{\sigma_y,\ |\bar y|,\ \max y - \min y,\ \sqrt{\overline{y^2}}\}",
    undefined="the normalizer is 0, as the deviation of a constant target is, or unknown, as a range is after a subtraction",
    reference="Otto, S. A. (2019), How to normalize the RMSE, marinedatascience.co/blog/2019/01/07/normalizing-the-rmse.",
    settings={"normalizer": Parameter("std", "What the RMSE is divided by.", ("std", "mean", "range", "energy"))},
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
