"""A small sample of the rows, for plots: the same rows in any partition and on any number of threads.

Rows of a file are cut into strata of 2^level neighbours, and one row of each stratum is taken. The row of a stratum is that of
one of its two halves, chosen by a hash: so a coarser sample is part of every finer one, and the level may rise as rows arrive.
"""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from squarely.sources import Batch, Column

__all__ = ["MOST_ROWS", "Sample", "Sampler"]

MOST_ROWS = 16_384
_BLOCK = 17  # rows of the smallest block, as a power of two; a stratum never spans two
Integers = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class Sample:
    """Some of the rows: all of them where there are few."""

    ordinals: npt.NDArray[np.int64]
    target: npt.NDArray[np.float64]
    predictions: dict[str, npt.NDArray[np.float64]]
    weight: npt.NDArray[np.float64] | None
    rows: int


def _bit(level: int, strata: Integers, salt: int) -> Integers:
    """Return which half of each stratum is taken."""
    x = (strata + np.uint64((salt << 32) + level)) * np.uint64(0x9E3779B97F4A7C15)
    x ^= x >> np.uint64(32)
    x *= np.uint64(0xD6E8FEB86659FD93)
    return x >> np.uint64(63)


def _is_taken(rows: Integers, below: int, level: int, salt: int) -> npt.NDArray[np.bool_]:
    """Say which rows of the sample of the level ``below`` are in the sample of a level."""
    taken = np.ones(rows.shape, np.bool_)
    for height in range(below + 1, level + 1):
        stratum, half = rows >> np.uint64(height), (rows >> np.uint64(height - 1)) & np.uint64(1)
        taken &= half == _bit(height, stratum, salt)
    return taken


def _taken(start: int, stop: int, level: int, salt: int) -> npt.NDArray[np.int64]:
    """Return the rows from start to stop that are in the sample of a level."""
    rows = np.arange(start >> level, ((stop - 1) >> level) + 1, dtype=np.uint64)
    for height in range(level, 0, -1):
        rows = 2 * rows + _bit(height, rows, salt)
    chosen: npt.NDArray[np.int64] = rows.astype(np.int64)
    return chosen[(chosen >= start) & (chosen < stop)]


def _values(column: Column, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    values: npt.NDArray[np.float64] = column.values[rows].astype(np.float64)
    return values if column.valid is None else np.where(column.valid[rows], values, np.nan)


@dataclass
class Sampler:
    """Collects the sample of some parts; samplers of all parts together give the sample of the whole."""

    level: int = 0
    kept: int = 0
    pieces: list[tuple[int, int, npt.NDArray[np.int64], list[npt.NDArray[np.float64]]]] = field(default_factory=list)  # part, salt, rows, columns
    _known: tuple[int, int, int] | None = None
    _block: npt.NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))

    def see(self, part: int, batch: Batch) -> None:
        """Take the rows of a batch that are in the sample."""
        salt = zlib.crc32(batch.where.encode("utf-8", "surrogatepass"))
        first, stop = batch.start, batch.start + len(batch.target.values)
        while (stop - first) >> self.level > MOST_ROWS + 1:  # the first and the last stratum may be cut
            self.raise_to(self.level + 1)
        rows = self._rows(first, stop, salt)
        if not len(rows):
            return
        columns = [batch.target, *batch.predictions, *(() if batch.weight is None else (batch.weight,))]
        self.pieces.append((part, salt, rows, [_values(column, rows - first) for column in columns]))
        self.kept += len(rows)
        while self.kept > MOST_ROWS:
            self.raise_to(self.level + 1)

    def _rows(self, first: int, stop: int, salt: int) -> npt.NDArray[np.int64]:
        """Return the rows of a batch in the sample; those of a whole block are found at once, because single batches cost as much."""
        found = []
        width = max(_BLOCK, self.level + 10)
        for block in range(first >> width, ((stop - 1) >> width) + 1):
            known = (salt, block, self.level)
            if known != self._known:
                self._known, self._block = known, _taken(block << width, (block + 1) << width, self.level, salt)
            low, high = np.searchsorted(self._block, (first, stop))
            found.append(self._block[low:high])
        return found[0] if len(found) == 1 else np.concatenate(found)

    def raise_to(self, level: int) -> None:
        """Keep only the rows of a coarser sample."""
        if level == self.level:
            return
        below, self.level, pieces = self.level, level, self.pieces
        self.pieces, self.kept = [], 0
        for part, salt, rows, columns in pieces:
            taken = _is_taken(rows.astype(np.uint64), below, level, salt)
            if taken.any():
                self.pieces.append((part, salt, rows[taken], [column[taken] for column in columns]))
                self.kept += int(taken.sum())

    def predict(self, constants: Mapping[int, float]) -> None:
        """Give models one number as their prediction of all rows that they predict."""
        for *_, columns in self.pieces:
            for model, value in constants.items():
                columns[1 + model] = np.where(np.isnan(columns[1 + model]), np.nan, value)

    def absorb(self, other: "Sampler") -> None:
        """Add the pieces of another sampler."""
        level = max(self.level, other.level)
        self.raise_to(level)
        other.raise_to(level)
        self.pieces += other.pieces
        self.kept += other.kept

    def sample(self, models: tuple[str, ...], weighted: bool, seen: int) -> Sample | None:
        """Return the sample of everything seen, in the order of the data."""
        while self.kept > MOST_ROWS:
            self.raise_to(self.level + 1)
        if not self.pieces:
            return None
        pieces = sorted(self.pieces, key=lambda piece: (piece[0], piece[2][0]))
        columns = [np.concatenate(column) for column in zip(*(piece[3] for piece in pieces), strict=True)]
        ordinals = np.concatenate([piece[2] for piece in pieces])
        predictions = dict(zip(models, columns[1:], strict=False))
        return Sample(ordinals, columns[0], predictions, columns[-1] if weighted else None, seen)
