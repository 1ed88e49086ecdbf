"""Squared error, its root, and what is left of it without the bias."""

from squarely.catalogue import sql
from squarely.catalogue.slopes import mean_of, of_mean, of_root
from squarely.metric import metric
from squarely.state import Ratio, Sums, Term

__all__ = ["mean_squared_error", "residual_variance", "root_mean_squared_error"]


@metric(
    aliases=("mse", "msd"),
    title="Mean squared error",
    family="squared",
    unit="y^2",
    direction="lower",
    best=0.0,
    tex=r"\frac{\sum w (y - \hat y)^2}{\sum w}",
    undefined="",
    reference="Gauss, C. F. (1823), Theoria combinationis observationum erroribus minimis obnoxiae.",
    functional="mean",
    pointwise=lambda: Term("squared_error"),
    query=sql.SQUARED_ERROR,
    derivative=of_mean(lambda xp, y, p: 2 * (p - y)),
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
    functional="mean",
    query=sql.root(sql.SQUARED_ERROR),
    derivative=of_root(lambda xp, y, p: (p - y) ** 2, lambda xp, y, p: 2 * (p - y)),
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
    functional="mean up to a constant",
    query=sql.VARIANCE_ERROR,
    derivative=lambda xp, y, p, w: 2 * w * (p - y - mean_of(xp, w, p - y)) / xp.sum(w),
)
def residual_variance(s: Sums) -> Ratio:
    """Mean squared error that is left once the mean error is taken out: MSE less bias squared.

    The divisor is the sum of weights, not less one. A biased model may have a small residual variance: read it with ``mean_error``.

    >>> import squarely as sq
    >>> sq.residual_variance([250, 300, 180, 420, 350], [240, 310, 200, 400, 360])
    216.0
    """
    return Ratio(s.variance_error, s.w * s.w)
