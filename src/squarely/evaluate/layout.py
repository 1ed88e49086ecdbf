"""Which rows share a bucket: a pure function of where a row lies, or of its cluster, so that an interval has no seed.

The states of all rows of a bucket add up to one state. Buckets are folded together as rows and groups become many, and since states add
exactly, it does not matter when: the buckets at the end depend on the data alone, not on threads or batches.
"""

import math
import zlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["MOST_GROUPS", "NO_BUCKETS", "Layout", "RowBuckets", "hashes_of", "layout_of", "mixed"]

Integers = npt.NDArray[np.int64]
RowBuckets = npt.NDArray[np.uint16]

MOST_GROUPS = 1024  # of which each has buckets, whatever its rows
_MOST_CELLS = 2048  # buckets of all groups together, while each group has more than the least; twice as many of single rows
_ROWS, _CLUSTERS, _BLOCKS, _LEAST = 128, 2048, 64, 16  # buckets of a group, at most and at least
_ALONE = 2048  # rows of which each is a bucket of its own
_ROUND = 7  # rows go round the 128 buckets, from a start that a hash chooses each time, so that no period of the data falls in step


@dataclass(frozen=True, slots=True)
class Layout:
    """Buckets of each group.

    Parameters
    ----------
    way : "none", "rows", "cluster" or "order"
    count : int
        Buckets of a group, a power of 2.
    shift : int
        With "order" a bucket is a block of 2^shift neighbours.
    alone : bool
        Whether each row is a bucket.
    """

    way: str
    count: int
    shift: int = 0
    alone: bool = False

    def of_rows(self, start: int, stop: int) -> RowBuckets:
        """Return the bucket of each row from one ordinal to another."""
        if self.way == "order" or self.alone:
            return (np.arange(start, stop, dtype=np.int64) >> np.int64(self.shift)).astype(np.uint16)
        first, last = start >> _ROUND, ((stop - 1) >> _ROUND) + 1
        starts = _start(np.arange(first, last, dtype=np.uint64)).astype(np.uint16)
        rounds = np.add(starts[:, None], np.arange(1 << _ROUND, dtype=np.uint16), dtype=np.uint16)
        buckets: RowBuckets = np.bitwise_and(rounds, np.uint16(self.count - 1), out=rounds).ravel()
        return buckets[start - (first << _ROUND) : stop - (first << _ROUND)]

    def of_hashes(self, hashes: Integers) -> RowBuckets:
        """Return the bucket of each row from the hash of its cluster."""
        buckets: Integers = np.bitwise_and(hashes, self.count - 1)
        return buckets.astype(np.uint16)

    def folded(self, into: "Layout") -> RowBuckets:
        """Return the bucket of another layout for each bucket of this one."""
        buckets: Integers = np.arange(self.count, dtype=np.int64)
        if self.way == "order":
            buckets = np.minimum(buckets >> np.int64(into.shift - self.shift), into.count - 1)
            return buckets.astype(np.uint16)
        return into.of_rows(0, self.count) if self.alone else into.of_hashes(buckets)


NO_BUCKETS = Layout("none", 1)


def layout_of(way: str, last: int, groups: int, fewest: bool = False) -> Layout:
    """Return the layout for rows up to an ordinal, in so many groups; in several files, up to the largest ordinal of one.

    With ``fewest`` it has as many buckets as a group of many has.
    """
    if way == "none" or (groups > MOST_GROUPS and not fewest):
        return Layout(way, 1, last.bit_length() if way == "order" else 0)
    most = _LEAST if fewest else max(_LEAST, 1 << ((_MOST_CELLS // max(groups, 1)).bit_length() - 1))
    if way == "order":
        # About as many blocks as a block has rows: blocks must be long beside the memory of the errors, or neighbours go together and
        # the interval is too narrow. More than 64 would hardly narrow it.
        count = min(max(_LEAST, 1 << (last.bit_length() // 2)), _BLOCKS, most)
        return Layout(way, count, max(0, (last // count).bit_length()))
    if way == "cluster":
        return Layout(way, min(_CLUSTERS, most))
    needed = max(_LEAST, 1 << last.bit_length())
    if needed <= min(_ALONE, 2 * most):
        return Layout(way, needed, alone=True)
    return Layout(way, min(_ROWS, most))


def _start(rounds: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    return mixed(rounds) >> np.uint64(64 - _ROUND)


def mixed(rounds: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Return a number that looks random for the number of each round; its upper bits look so most."""
    found = rounds * np.uint64(0x9E3779B97F4A7C15)
    found ^= found >> np.uint64(32)
    found *= np.uint64(0xD6E8FEB86659FD93)
    return found


def hashes_of(labels: tuple[object, ...]) -> Integers:
    """Return a hash of each label; equal numbers of two types have one, and integers that are no doubles have their own."""
    return np.array([zlib.crc32(_written(label).encode("utf-8", "surrogatepass")) for label in labels], np.int64)


def _written(label: object) -> str:
    if isinstance(label, int) and abs(label) > 1 << 53:
        return hex(label)
    if isinstance(label, int | float):
        number = label + 0.0
        return hex(int(number)) if abs(number) > 1 << 53 and not math.isinf(number) else repr(number)
    return repr(label)
