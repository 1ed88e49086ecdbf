"""A small sample of the rows, for plots: the same rows in any partition and on any number of threads.

Rows of a file are cut into strata of 2^level neighbours, and one row of each stratum is taken. The row of a stratum is that of
one of its two halves, chosen by a hash: so a coarser sample is part of every finer one, and the level may rise as rows arrive.
"""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from squarely import _core
from squarely.sources import Batch, Column

__all__ = ["MOST_ROWS", "Sample", "Sampler"]

MOST_ROWS = 16_384


@dataclass(frozen=True)
class Sample:
    """Some of the rows: all of them where there are few."""

    ordinals: npt.NDArray[np.int64]
    target: npt.NDArray[np.float64]
    predictions: dict[str, npt.NDArray[np.float64]]
    weight: npt.NDArray[np.float64] | None
    rows: int


def _taken(start: int, stop: int, level: int, salt: int) -> npt.NDArray[np.int64]:
    """Return the rows from start to stop that are in the sample of a level."""
    rows = np.empty(((stop - 1) >> level) - (start >> level) + 1, np.int64)
    return rows[: _core.sampled(start, stop, level, salt, rows)]


def _values(column: Column, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    values: npt.NDArray[np.float64] = column.values[rows].astype(np.float64)
    return values if column.valid is None else np.where(column.valid[rows], values, np.nan)


@dataclass
class Sampler:
    """Collects the sample of some parts; samplers of all parts together give the sample of the whole."""

    level: int = 0
    kept: int = 0
    pieces: list[tuple[int, int, npt.NDArray[np.int64], list[npt.NDArray[np.float64]]]] = field(default_factory=list)  # part, salt, rows, columns

    def see(self, part: int, batch: Batch) -> None:
        """Take the rows of a batch that are in the sample."""
        salt = zlib.crc32(batch.where.encode("utf-8", "surrogatepass"))
        first, stop = batch.start, batch.start + len(batch.target.values)
        while stop >> self.level > MOST_ROWS:  # of the rows before a batch, which another sampler may see, there will be as many
            self.raise_to(self.level + 1)
        rows = _taken(first, stop, self.level, salt)
        if not len(rows):
            return
        columns = [batch.target, *batch.predictions, *(() if batch.weight is None else (batch.weight,))]
        self.pieces.append((part, salt, rows, [_values(column, rows - first) for column in columns]))
        self.kept += len(rows)
        while self.kept > MOST_ROWS:
            self.raise_to(self.level + 1)

    def raise_to(self, level: int) -> None:
        """Keep only the rows of a coarser sample."""
        if level == self.level:
            return
        self.level, pieces = level, self.pieces
        self.pieces, self.kept = [], 0
        for part, salt, rows, columns in pieces:
            coarser = _taken(int(rows[0]), int(rows[-1]) + 1, level, salt)
            if len(coarser):
                places = np.searchsorted(rows, coarser)
                self.pieces.append((part, salt, coarser, [column[places] for column in columns]))
                self.kept += len(coarser)

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
