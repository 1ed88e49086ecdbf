"""Tests of the difference of two models on the same rows."""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from squarely.intervals.student import quantile, tails

__all__ = ["Test", "diebold_mariano", "paired", "paired_ratios"]

Floats = npt.NDArray[np.float64]


class Test(NamedTuple):
    """Standard error of a difference, the t statistic of no difference, its degrees of freedom, and the interval and p-value that follow."""

    se: float
    statistic: float
    freedom: int
    low: float
    high: float
    p_value: float

    @property
    def turned(self) -> "Test":
        """The test of the difference with the other sign."""
        return self._replace(statistic=-self.statistic, low=-self.high, high=-self.low)


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
    count, (differences, exponent) = len(a), _differences(a, b)
    se = float(np.std(differences, ddof=1)) / math.sqrt(count) if count > 1 else math.nan
    return _test(difference, _times(se, exponent), count - 1, confidence)


def paired_ratios(plain: Test, logs: tuple[Floats, Floats], errors: tuple[float, float], confidence: float) -> Test:
    r"""Return the test of two errors over one divisor, such as 1 - R2, from the pseudo-values of their logarithms.

    .. math:: t = \frac{r_a - r_b}{s(A)}, \quad A = \frac{r_a - r_b}{\log r_a - \log r_b} (\ell_a - \ell_b)

    Where nothing differs the divisor does not matter, and from A it is gone. The plain test holds how the divisor varies times the
    difference that chance made, which widens it: of equal models with 200 rows it tells 4 % apart in place of 5 %. The plain interval
    is right for differences that are there, so it stays; only where it disagrees with the test about 0 its end near 0 is r_a - r_b
    less t s(A).

    Parameters
    ----------
    plain : Test
        What holds where an error is 0 and has no logarithm.
    logs : pair of arrays, the pseudo-values of the logarithms
    errors : pair of floats, r_a and r_b
    confidence : float
    """
    (a, b), freedom = errors, plain.freedom
    if not (min(errors) > 0 and max(errors) < math.inf and plain.se > 0 and a != b):
        return plain
    if a < b:
        return paired_ratios(plain.turned, (logs[1], logs[0]), (b, a), confidence).turned
    se = (a - b) / math.log(a / b) * float(np.std(logs[0] - logs[1], ddof=1)) / math.sqrt(len(logs[0]))
    if not se > 0:
        return plain
    statistic, near = (a - b) / se, a - b - quantile(confidence, freedom) * se
    low = plain.low if (plain.low > 0) == (near > 0) else near
    return Test(plain.se, statistic, freedom, low, plain.high, tails(statistic, freedom))


def _differences(a: Floats, b: Floats) -> tuple[Floats, int]:
    """Return what the values differ by, in units of 2^exponent, so that squares stay in range; nan where one is infinite."""
    with np.errstate(all="ignore"):
        differences = a - b
        exponent = int(np.frexp(np.abs(differences).max())[1])
        return (np.ldexp(differences, -exponent) if np.isfinite(differences).all() else np.full(len(a), np.nan)), exponent


def _times(x: float, exponent: int) -> float:
    """Return x times 2^exponent; infinite where it is too large."""
    with np.errstate(over="ignore"):
        return float(np.ldexp(x, exponent))


def diebold_mariano(a: Floats, b: Floats, horizon: int, confidence: float) -> Test:
    """Return the test of Diebold and Mariano for losses in order of time, as Harvey, Leybourne and Newbold correct it.

    Forecasts ``horizon`` steps ahead err together up to so many rows apart, so the variance of the mean counts autocovariances up to
    there. Where these sum to less than nothing, they are weighted as Newey and West do (Bartlett), which cannot happen twice. With as many
    steps as rows, or more, there is no test.

    References
    ----------
    Diebold, F. X. and Mariano, R. S. (1995), J. Business and Economic Statistics 13(3), doi:10.1080/07350015.1995.10524599.
    Harvey, D., Leybourne, S. and Newbold, P. (1997), Int. J. Forecasting 13(2), doi:10.1016/S0169-2070(96)00719-4.
    """
    n, (differences, exponent) = len(a), _differences(a, b)
    mean = float(differences.mean())
    off = differences - mean
    covariances = [float(off[lag:] @ off[: n - lag]) / n for lag in range(min(horizon, n))]
    variance = covariances[0] + 2 * sum(covariances[1:])
    if variance <= 0:
        variance = covariances[0] + 2 * sum((1 - lag / horizon) * each for lag, each in enumerate(covariances[1:], 1))
    correction = (n + 1 - 2 * horizon + horizon * (horizon - 1) / n) / n
    se = math.sqrt(max(variance, 0.0) / n / correction) if horizon < n and not math.isnan(variance) else math.nan
    return _test(_times(mean, exponent), _times(se, exponent), n - 1, confidence)
