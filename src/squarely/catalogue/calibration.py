"""Whether predictions are right on average, at every level."""

from typing import Any

from squarely.catalogue import sql
from squarely.catalogue.slopes import moments, of_mean
from squarely.metric import metric
from squarely.state import Ratio, Sums, Term

__all__ = ["calibration_intercept", "calibration_slope", "mean_error"]

_LINE = "Mincer, J. and Zarnowitz, V. (1969), The Evaluation of Economic Forecasts, NBER, nber.org/chapters/c1214."
_CONSTANT = "the prediction is constant: its variance is 0"
_SLOPE = f"({sql.COVARIANCE} / {sql.VARIANCE_P})"


@metric(
    aliases=("bias",),
    title="Mean error",
    family="calibration",
    unit="y",
    direction="target",
    best=0.0,
    tex=r"\frac{\sum w (\hat y - y)}{\sum w}",
    undefined="",
    reference="Murphy, A. H. (1988), Monthly Weather Review 116(12), doi:10.1175/1520-0493(1988)116<2417:SSBOTM>2.0.CO;2.",
    pointwise=lambda: Term("error"),
    query=sql.mean("{p} - {y}"),
    derivative=of_mean(lambda xp, y, p: 1.0),
)
def mean_error(s: Sums) -> Ratio:
    """Mean of prediction minus target: positive where predictions are too high.

    Errors of opposite sign cancel: 0 does not say that predictions are good.

    >>> import squarely as sq
    >>> sq.mean_error([250, 300, 180, 420, 350], [240, 310, 200, 400, 360])
    2.0
    """
    return Ratio(s.error, s.w)


def _slope_gradient(xp: Any, y: Any, p: Any, w: Any) -> Any:
    m = moments(xp, y, p, w)
    return m.share * (m.off_y - 2 * m.covariance / m.variance_p * m.off_p) / m.variance_p


def _intercept_gradient(xp: Any, y: Any, p: Any, w: Any) -> Any:
    m = moments(xp, y, p, w)
    return -m.mean_p * _slope_gradient(xp, y, p, w) - m.covariance / m.variance_p * m.share


@metric(
    title="Calibration slope",
    family="calibration",
    unit="1",
    direction="target",
    best=1.0,
    tex=r"b = \frac{\mathrm{Cov}(y, \hat y)}{\mathrm{Var}(\hat y)}",
    undefined=_CONSTANT,
    reference=_LINE,
    query=_SLOPE,
    derivative=_slope_gradient,
)
def calibration_slope(s: Sums) -> Ratio:
    """Slope of the least squares line of targets on predictions: below 1 predictions are too extreme.

    One line may hide a bend: look at the plot of actual against predicted.

    >>> import squarely as sq
    >>> sq.calibration_slope([1, 2, 3], [2, 4, 6])
    0.5
    """
    return Ratio(s.covariance, s.variance_p)


@metric(
    title="Calibration intercept",
    family="calibration",
    unit="y",
    direction="target",
    best=0.0,
    tex=r"\bar y - b\,\bar{\hat y}",
    undefined=_CONSTANT,
    reference=_LINE,
    shift_invariant=False,
    query=f"{sql.MEAN_Y} - {_SLOPE} * {sql.MEAN_P}",
    derivative=_intercept_gradient,
)
def calibration_intercept(s: Sums) -> Ratio:
    """Intercept of the least squares line of targets on predictions.

    It says nothing without the slope: read both.

    >>> import squarely as sq
    >>> sq.calibration_intercept([1, 2, 3], [2, 3, 4])
    -1.0
    """
    return Ratio(s.y * s.variance_p - s.covariance * s.p, s.w * s.variance_p)
