"""Tests of the difference of two models on the same rows."""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from squarely.intervals.student import quantile, tails

__all__ = ["Test", "diebold_mariano", "paired"]

Floats = npt.NDArray[np.float64]


class Test(NamedTuple):
    """Standard error of a difference, its t statistic, the degrees of freedom, and the interval and p-value that follow."""

    se: float
    statistic: float
    freedom: int
    low: float
    high: float
    p_value: float


def _test(difference: float, se: float, freedom: int, confidence: float) -> Test:
    if freedom < 1 or math.isnan(se):
        return Test(math.nan, math.nan, freedom, math.nan, math.nan, math.nan)
    if se == 0:  # both models always err alike, or one is worse by the same everywhere
        return Test(0.0, math.copysign(math.inf, difference) if difference else 0.0, freedom, difference, difference, 0.0 if difference else 1.0)
    t = quantile(confidence, freedom)
    return Test(se, difference / se, freedom, difference - t * se, difference + t * se, tails(difference / se, freedom))


def paired(a: Floats, b: Floats, difference: float, confidence: float) -> Test:
    """Return Student's t test of paired values, whose mean is about the difference of the answers.

    The values are pseudo-values of buckets, or answers of groups. Where each row is a bucket and the metric a mean, it is the paired t
    test of the losses of the rows.
    """
    count = len(a)
    se = float(np.std(a - b, ddof=1)) / math.sqrt(count) if count > 1 else math.nan
    return _test(difference, se, count - 1, confidence)


def diebold_mariano(a: Floats, b: Floats, horizon: int, confidence: float) -> Test:
    """Return the test of Diebold and Mariano for losses in order of time, as Harvey, Leybourne and Newbold correct it.

    Forecasts ``horizon`` steps ahead err together up to so many rows apart, so the variance of the mean counts autocovariances up to
    there. Where these sum to less than nothing, they are weighted as Newey and West do (Bartlett), which cannot happen twice.

    References
    ----------
    Diebold, F. X. and Mariano, R. S. (1995), J. Business and Economic Statistics 13(3), doi:10.1080/07350015.1995.10524599.
    Harvey, D., Leybourne, S. and Newbold, P. (1997), Int. J. Forecasting 13(2), doi:10.1016/S0169-2070(96)00719-4.
    """
    n, differences = len(a), a - b
    mean = float(differences.mean())
    off = differences - mean
    covariances = [float(off[lag:] @ off[: n - lag]) / n for lag in range(min(horizon, n))]
    variance = covariances[0] + 2 * sum(covariances[1:])
    if variance <= 0:
        variance = covariances[0] + 2 * sum((1 - lag / horizon) * each for lag, each in enumerate(covariances[1:], 1))
    correction = (n + 1 - 2 * horizon + horizon * (horizon - 1) / n) / n
    se = math.sqrt(max(variance, 0.0) / n / correction) if correction > 0 else math.nan
    return _test(mean, se, n - 1, confidence)
