"""The delete-one-bucket jackknife: from the answers without each bucket to a standard error and an interval."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from squarely.intervals.link import Link
from squarely.intervals.student import quantile
from squarely.metric import Metric

__all__ = ["Spread", "jackknife"]

Floats = npt.NDArray[np.float64]


class Spread(NamedTuple):
    """Standard error and ends of the interval of each group; nan where there is none."""

    se: Floats
    low: Floats
    high: Floats


def jackknife(metric: Metric, values: Floats, left: Floats, present: npt.NDArray[np.bool_], confidence: float) -> Spread:
    r"""Return the spread of answers, from what they are without each bucket.

    .. math:: \psi_b = G g(\theta) - (G - 1) g(\theta_{(b)}), \quad s = \mathrm{sd}(\psi) / \sqrt G

    The link g takes away the edge of the metric: log for errors, which are positive, and log(1 - s) for scores, which are below 1. The
    interval is g(theta) -+ t s, with Hall's cubic against skewness where the link is log.

    Parameters
    ----------
    metric : Metric
    values : array of shape (groups,), the answers on all rows
    left : array of shape (groups, buckets), the answers without a bucket
    present : array of the same shape, whether a bucket holds any row
    confidence : float

    References
    ----------
    Efron, B. (1982), The Jackknife, the Bootstrap and Other Resampling Plans, SIAM. Hall, P. (1992), J. Royal Statistical Society B 54(1).
    """
    count = present.sum(axis=1)
    size = np.where(values == 0, 1.0, np.abs(values))  # squares of large values have no room
    se = size * _deviation(left / size[:, None], present, count)[0] * (count - 1)
    link = Link.of(metric)
    at, away = link(values), link(left)
    pseudo = count[:, None] * at[:, None] - (count - 1)[:, None] * away
    s, skew = _deviation(pseudo, present, count)
    t = np.array([quantile(confidence, n - 1) if n > 1 else np.nan for n in count.tolist()])
    k = skew / np.sqrt(count) if link is Link.LOG else np.zeros(len(count))
    low, high = link.back(at - s * _hall(t, k)), link.back(at - s * _hall(-t, k))
    if link is Link.ROOM:
        low, high = high, low
    return Spread(se, low, high)


def _deviation(x: Floats, present: npt.NDArray[np.bool_], count: npt.NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Return the standard error of the mean of what is present in each row, and the skewness."""
    x = np.where(present, x, 0.0)
    d = np.where(present, x - (x.sum(axis=1) / count)[:, None], 0.0)
    second, third = (d * d).sum(axis=1) / count, (d * d * d).sum(axis=1) / count
    return np.sqrt(second / (count - 1)), third / np.where(second > 0, second, np.inf) ** 1.5


def _hall(q: Floats, k: Floats) -> Floats:
    """Hall's monotone cubic, inverted: the quantile of a studentized mean of skewness k."""
    small = np.abs(k) < 1e-8
    safe = np.where(small, 1.0, k)
    return np.where(small, q, (np.cbrt(1 + safe * (q - safe / 6)) - 1) * 3 / safe)
