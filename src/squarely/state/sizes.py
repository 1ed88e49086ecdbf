"""Sizes: how much weight has an error of which size, in buckets; quantiles and trimmed means follow to a relative 2^-8.

The bound is that of sizes that are normal doubles; smaller ones, below 2^-1022, are known to 2^-1030.
"""

import bisect
import itertools
import math
import struct
from collections.abc import Iterable
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING

from squarely.state.ratio import Ratio

if TYPE_CHECKING:
    from squarely._core import PairSums

__all__ = ["BUCKET_SHIFT", "RELATIVE_BOUND", "Sizes", "parts_of", "share_of"]

RELATIVE_BOUND = 2.0**-8
_UNIT = 1 << 1074  # every double is a whole number of its inverse
BUCKET_SHIFT = 45  # the bucket of a size is what is left of its 63 bits, as in cpp/histogram.hpp


@lru_cache(256)
def share_of(level: float | Fraction) -> Fraction:
    """Return the share that a level was written for: 0.9 is nine tenths, and not the double near it."""
    return level if isinstance(level, Fraction) else Fraction(repr(float(level))).limit_denominator(1 << 62)


@lru_cache(256)
def parts_of(level: float | Fraction) -> tuple[int, int]:
    """Return numerator and denominator of the share that a level was written for."""
    return share_of(level).as_integer_ratio()


def _edge(bucket: int) -> float:
    """Return the smallest size of a bucket."""
    edge: float = struct.unpack("<d", struct.pack("<Q", bucket << BUCKET_SHIFT))[0]
    return edge


@lru_cache(4096)
def _middle(bucket: int) -> float:
    """Return the size that stands for a bucket: no size in it is further than the relative bound; 0 where sizes are below 2^-1029."""
    low, high = _edge(bucket), _edge(bucket + 1)
    return low + (high - low) / 2 if bucket and math.isfinite(high) else low


class Sizes:
    """The histogram of a state, read for answers.

    Parameters
    ----------
    core : PairSums
    """

    def __init__(self, core: "PairSums") -> None:
        self._unit, self._buckets, self._weights = core.cells()
        self._reached = list(itertools.accumulate(self._weights))

    def quantile(self, level: float) -> Ratio:
        """Return the quantile of |y - p|: the mean of the two middle values where the level falls between two."""
        lower, upper = self.buckets(level)
        return Ratio.middle(_middle(lower), _middle(upper))

    def buckets(self, level: float | Fraction) -> tuple[int, int]:
        """Return the first and the last bucket that a quantile needs."""
        return self._buckets_at(*parts_of(level))

    def _buckets_at(self, top: int, bottom: int) -> tuple[int, int]:
        """Return the buckets of the level top / bottom."""
        share = top * self._reached[-1]
        lower = bisect.bisect_left(self._reached, -(-share // bottom))
        upper = bisect.bisect_right(self._reached, share // bottom)
        lower, upper = (min(each, len(self._buckets) - 1) for each in (lower, upper))
        return self._buckets[lower], self._buckets[upper]

    def edges(self, level: float) -> tuple[float, float]:
        """Return the sizes between which the quantile of a computed level lies, which is the double and no decimal."""
        lower, upper = self._buckets_at(*level.as_integer_ratio())
        return _edge(lower), _edge(upper + 1) if upper else 0.0

    def log_excess(self, share: Fraction) -> float:
        """Return the mean of log(size / least of them) over the largest sizes, those of so large a share of the weight; 0 where one is 0."""
        top, bottom = share.as_integer_ratio()
        whole = top * self._reached[-1]  # weights are counted in parts of the denominator: a rounded rest would take one size more
        left, total, least = whole, 0.0, math.inf
        for bucket, weight in zip(reversed(self._buckets), reversed(self._weights), strict=True):
            taken, least = min(bottom * weight, left), _middle(bucket)
            if not least:
                return 0.0
            total += taken / whole * math.log(least)
            left -= taken
            if not left:
                break
        return total - math.log(least)

    def select(self, level: float, sizes: Iterable[tuple[float, float]]) -> Ratio:
        """Return the exact quantile, from every size in the buckets that it needs, in order, with its weight."""
        first, _ = self.buckets(level)
        place = self._buckets.index(first)
        reached = Fraction(self._reached[place] - self._weights[place]) * Fraction(2) ** self._unit
        share = share_of(level) * self._reached[-1] * Fraction(2) ** self._unit
        lower, size = None, math.nan
        for size, weight in sizes:
            reached += Fraction(weight)
            if lower is None and reached >= share:
                lower = size
            if reached > share:
                break
        return Ratio.middle(size if lower is None else lower, size)

    def trimmed_square(self, trim: float) -> Ratio:
        """Return the mean of the squares that are left when the largest share ``trim`` of the weight is left out."""
        return self._squares(trim) / Ratio(*(1 - share_of(trim)).as_integer_ratio())

    def winsorised_square(self, trim: float) -> Ratio:
        """Return the mean of the squares when the largest share ``trim`` is set back to the quantile below it."""
        limit = Ratio.of(_middle(self.buckets(1 - share_of(trim))[0]))
        return self._squares(trim) + Ratio(*share_of(trim).as_integer_ratio()) * limit * limit

    def _squares(self, trim: float) -> Ratio:
        """Return the sum over the smallest share 1 - trim of the squares, each times its share of the whole weight."""
        top, bottom = (1 - share_of(trim)).as_integer_ratio()
        left, total = top * self._reached[-1], 0
        for bucket, weight in zip(self._buckets, self._weights, strict=True):
            if left <= 0:
                break
            taken, size = min(bottom * weight, left), _middle(bucket)
            if math.isinf(size):
                return Ratio.of(math.inf)
            numerator, denominator = size.as_integer_ratio()
            total += taken * (numerator * (_UNIT // denominator)) ** 2
            left -= taken
        return Ratio(total, bottom * self._reached[-1] * _UNIT * _UNIT)
