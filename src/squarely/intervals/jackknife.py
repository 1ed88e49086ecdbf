"""The delete-one-bucket jackknife: from the answers without each bucket to a standard error and an interval."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from squarely.intervals.link import Link
from squarely.intervals.student import quantile
from squarely.metric import Metric

__all__ = ["Spread", "jackknife", "lag_of"]

Floats = npt.NDArray[np.float64]

_MOST_BENT = 0.7  # of the skewness of a mean times t: near 1 the cubic is steep, and an end goes far away for nothing


class Spread(NamedTuple):
    """Standard error and ends of the interval of each group, and how neighbouring buckets correlate; nan where there is none."""

    se: Floats
    low: Floats
    high: Floats
    lag: Floats


def jackknife(metric: Metric, values: Floats, left: Floats, present: npt.NDArray[np.bool_], confidence: float, wider: float = 1.0) -> Spread:
    r"""Return the spread of answers, from what they are without each bucket.

    .. math:: \psi_b = G g(\theta) - (G - 1) g(\theta_{(b)}), \quad s = \mathrm{sd}(\psi) / \sqrt G

    The link g takes away the edge of the metric: log for errors, which are positive, and log(1 - s) for scores, which are below 1. The
    interval is g(theta) -+ t s, with Hall's cubic against skewness where the link is log, except for errors over a spread: a divisor that
    varies too evens the skewness out, and with the cubic their intervals are too narrow. So the ends for nmse are 1 less those for r2.

    The cubic takes a skewness of 0.7 / t at most: with more its end leaves all data behind where rows are few, and intervals held the truth
    no more often in simulations.

    The degrees of freedom of t are 4 G / (q + 1), and G - 1 at most, where q is the kurtosis of the pseudo-values: where few buckets
    decide, s is hardly known. Were s independent of the mean, they would be 2 G / (q - 1), as Satterthwaite has it; but where there is
    skewness the two go together. The harmonic mean of that and G came nearest to the confidence in simulations: with errors of t5, the
    interval of the mean squared error of 200 rows holds the truth in 94.8 % of draws.

    Parameters
    ----------
    metric : Metric
    values : array of shape (groups,), the answers on all rows
    left : array of shape (groups, buckets), the answers without a bucket
    present : array of the same shape, whether a bucket holds any row
    confidence : float
    wider : float
        What standard errors are multiplied by, where buckets share rows.

    References
    ----------
    Efron, B. (1982), The Jackknife, the Bootstrap and Other Resampling Plans, SIAM. Hall, P. (1992), J. Royal Statistical Society B 54(1).
    """
    count = present.sum(axis=1)
    se = _shape(left, present, count)[0] * (count - 1) * wider
    link = Link.of(metric)
    at, away = link(values), link(left)
    pseudo = count[:, None] * at[:, None] - (count - 1)[:, None] * away
    s, skew, kurtosis = _shape(pseudo, present, count)
    s = s * wider
    freedom = np.minimum(count - 1, 4 * count / (kurtosis + 1))
    t = np.array([quantile(confidence, int(each)) if each >= 1 else np.nan for each in freedom.tolist()])
    k = (
        np.clip(skew / np.sqrt(count), -_MOST_BENT / t, _MOST_BENT / t)
        if link is Link.LOG and metric.family != "normalized"
        else np.zeros(len(count))
    )
    low, high = link.back(at - s * _hall(t, k)), link.back(at - s * _hall(-t, k))
    if link is Link.ROOM:
        low, high = high, low
    return Spread(se, low, high, lag_of(pseudo, present))


def lag_of(x: Floats, present: npt.NDArray[np.bool_]) -> Floats:
    """Return the correlation of what is present in each row with its neighbour, where both are."""
    d, _ = _deviations(x, present)
    correlation: Floats = (d[:, 1:] * d[:, :-1]).sum(axis=1) / (d * d).sum(axis=1)
    return correlation


def _deviations(x: Floats, present: npt.NDArray[np.bool_]) -> tuple[Floats, npt.NDArray[np.int32]]:
    """Return how far what is present is from the mean of its row, and 0 for what is not, in units of 2^exponent: powers stay in range."""
    mean = np.where(present, x, 0.0).sum(axis=1) / present.sum(axis=1)
    d = np.where(present, x - mean[:, None], 0.0)
    exponent: npt.NDArray[np.int32] = np.frexp(np.abs(d).max(axis=1))[1]
    return np.ldexp(d, -exponent[:, None]), exponent


def _shape(x: Floats, present: npt.NDArray[np.bool_], count: npt.NDArray[np.int64]) -> tuple[Floats, Floats, Floats]:
    """Return the standard error of the mean of what is present in each row, the skewness and the kurtosis."""
    d, exponent = _deviations(x, present)
    square = d * d
    second, third, fourth = (each.sum(axis=1) / count for each in (square, square * d, square * square))
    safe = np.where(second > 0, second, np.inf)
    return np.ldexp(np.sqrt(second / (count - 1)), exponent), third / safe**1.5, fourth / safe**2


def _hall(q: Floats, k: Floats) -> Floats:
    """Hall's monotone cubic, inverted: the quantile of a studentized mean of skewness k."""
    small = np.abs(k) < 1e-8
    safe = np.where(small, 1.0, k)
    return np.where(small, q, (np.cbrt(1 + safe * (q - safe / 6)) - 1) * 3 / safe)
