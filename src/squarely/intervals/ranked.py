"""Intervals of quantiles of |y - p|: how sure the share of errors below a quantile is, read back as sizes."""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from squarely.intervals.jackknife import lag_of
from squarely.intervals.student import quantile
from squarely.state import Sizes

__all__ = ["Share", "of_buckets", "of_quantile", "of_rows"]

_MOST = 500  # degrees of freedom: more narrow an interval by a quarter of a percent at most, and take a quantile of t for each group


class Share(NamedTuple):
    """How the share of errors up to a quantile varies: its standard error, the degrees of freedom, and how neighbouring buckets correlate."""

    se: float
    freedom: int
    lag: float


def of_rows(rows: int, level: float) -> Share:
    r"""Return how a share varies over independent rows that count alike: their number is binomial.

    .. math:: s = \sqrt{q (1 - q) / (n - 1)}
    """
    if rows < 2:
        return Share(math.nan, 0, math.nan)
    return Share(math.sqrt(level * (1 - level) / (rows - 1)), min(rows - 1, _MOST), math.nan)


def of_buckets(reached: npt.NDArray[np.float64]) -> Share:
    """Return how a share varies over buckets of rows, by the jackknife.

    Parameters
    ----------
    reached : array of shape (buckets, 2), the weight up to the quantile and all weight, of each bucket of rows
    """
    below, whole = reached[reached[:, 1] > 0].T
    count = len(whole)
    if count < 2:
        return Share(math.nan, 0, math.nan)
    left = (below.sum() - below) / (whole.sum() - whole)
    return Share(math.sqrt((count - 1) * left.var()), count - 1, float(lag_of(left[None], np.ones((1, count), bool))[0]))


def of_quantile(total: Sizes, share: Share, level: float, confidence: float) -> tuple[float, float, float]:
    """Return standard error and interval of a quantile of sizes, to the width of a bucket of sizes.

    The sizes at the shares that are t standard errors off are the ends.

    Parameters
    ----------
    total : Sizes
    share : Share
    level, confidence : float

    References
    ----------
    Woodruff, R. S. (1952), J. Amer. Statistical Assoc. 47(260), doi:10.1080/01621459.1952.10483443.
    """
    if math.isnan(share.se):
        return (math.nan,) * 3
    t = quantile(confidence, share.freedom)
    low, _ = total.edges(max(level - t * share.se, 0.0))
    _, high = total.edges(min(level + t * share.se, 1.0))
    return (high - low) / (2 * t), low, high
