"""Intervals of quantiles of |y - p|: how sure the share of errors below a quantile is, read back as sizes."""

import math
from collections.abc import Iterable

import numpy as np

from squarely.intervals.student import quantile
from squarely.state import PairState, Sizes

__all__ = ["of_quantile"]


def of_quantile(total: Sizes, buckets: Iterable[PairState], level: float, confidence: float) -> tuple[float, float, float]:
    """Return standard error and interval of a quantile of the sizes of errors, to the width of a bucket of sizes.

    The jackknife over buckets of rows says how the share of errors up to the quantile varies; the sizes at the shares that are t
    standard errors off are the ends (Woodruff, R. S. (1952), J. Amer. Statistical Assoc. 47(260), doi:10.1080/01621459.1952.10483443).
    """
    size = total.buckets(level)[0]
    below, whole = np.array([bucket.sums.sizes.up_to(size) for bucket in buckets if bucket.n], np.float64).T.reshape(2, -1)
    count = len(whole)
    if count < 2:
        return math.nan, math.nan, math.nan
    left = (below.sum() - below) / (whole.sum() - whole)
    t, se = quantile(confidence, count - 1), math.sqrt((count - 1) * left.var())
    low, high = (total.edges(min(max(level + side * t * se, 0.0), 1.0))[side > 0] for side in (-1, 1))
    return (high - low) / (2 * t), low, high
