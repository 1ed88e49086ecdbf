"""Intervals of quantiles of |y - p|: how sure the share of errors below a quantile is, read back as sizes."""

import math

import numpy as np
import numpy.typing as npt

from squarely.intervals.jackknife import lag_of
from squarely.intervals.student import quantile
from squarely.state import Sizes

__all__ = ["of_quantile"]


def of_quantile(total: Sizes, reached: npt.NDArray[np.float64], level: float, confidence: float) -> tuple[float, float, float, float]:
    """Return standard error and interval of a quantile of sizes, to the width of a bucket of sizes, and how neighbouring buckets correlate.

    The jackknife over buckets of rows says how the share of errors up to the quantile varies; the sizes at the shares that are t
    standard errors off are the ends (Woodruff, R. S. (1952), J. Amer. Statistical Assoc. 47(260), doi:10.1080/01621459.1952.10483443).

    Parameters
    ----------
    total : Sizes
    reached : array of shape (buckets, 2), the weight up to the quantile and all weight, of each bucket of rows
    level, confidence : float
    """
    below, whole = reached[reached[:, 1] > 0].T
    count = len(whole)
    if count < 2:
        return (math.nan,) * 4
    left = (below.sum() - below) / (whole.sum() - whole)
    t, se = quantile(confidence, count - 1), math.sqrt((count - 1) * left.var())
    low, _ = total.edges(max(level - t * se, 0.0))
    _, high = total.edges(min(level + t * se, 1.0))
    return (high - low) / (2 * t), low, high, float(lag_of(left[None], np.ones((1, count), bool))[0])
