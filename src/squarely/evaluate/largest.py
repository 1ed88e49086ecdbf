"""The rows with the largest errors, found on the way."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from squarely import _core
from squarely.sources import Batch, Column

__all__ = ["MOST_LARGEST", "Large", "Largest"]

Array = npt.NDArray[Any]
MOST_LARGEST = 20
_BLOCK = 2048  # rows that the core looks at together


class Large(NamedTuple):
    """A row with a large squared error: where it is, counted from 1, and what it adds."""

    where: str
    row: int
    target: float
    prediction: float
    weight: float

    @property
    def error(self) -> float:
        """The prediction less the target."""
        return self.prediction - self.target

    @property
    def size(self) -> float:
        """The squared error, times the weight; infinite beyond the largest double."""
        return self.weight * (self.error * self.error)


class Largest:
    """Collects the rows of one model that add most to the squared error; of equal ones the first.

    Parameters
    ----------
    most : int
        Rows to keep.
    """

    def __init__(self, most: int = MOST_LARGEST) -> None:
        self._most, self._least = most, 0.0
        self._rows: list[tuple[float, int, Large]] = []  # w (p - y)^2, part, row

    def see(self, part: int, batch: Batch, prediction: Column) -> None:
        """Look at the rows of a batch; those of one part come in order."""
        y, p = _numbers(batch.target), _numbers(prediction)
        w = None if batch.weight is None else _numbers(batch.weight)
        for start in _core.blocks_above(y, p, w, self._least):
            rows = slice(start, start + _BLOCK)
            self._take(part, batch, start, y[rows], p[rows], None if w is None else w[rows])

    def _take(self, part: int, batch: Batch, start: int, y: Array, p: Array, w: Array | None) -> None:
        with np.errstate(all="ignore"):
            errors = np.subtract(p, y, dtype=np.float64)
            squares = errors * errors if w is None else errors * errors * w
        squares[~(np.isfinite(y) & np.isfinite(p))] = np.nan  # infinite values are no errors
        found = np.flatnonzero(squares > self._least)
        found = found[np.argsort(-squares[found], kind="stable")][: self._most]
        for at in found.tolist():
            weight = 1.0 if w is None else float(w[at])
            large = Large(batch.where, batch.start + start + at + 1, float(y[at]), float(p[at]), weight)
            self._rows.append((float(squares[at]), part, large))
        self._cut()

    def _cut(self) -> None:
        self._rows = sorted(self._rows, key=lambda each: (-each[0], each[1], each[2].row))[: self._most]
        if len(self._rows) == self._most:
            self._least = self._rows[-1][0]

    def absorb(self, other: "Largest") -> None:
        """Add what another thread has seen."""
        self._rows += other._rows
        self._cut()

    def rows(self) -> tuple[Large, ...]:
        """Return the rows, the largest first."""
        return tuple(row for _, _, row in self._rows)


def _numbers(column: Column) -> Array:
    """Return the values as they are, or as doubles where some are missing."""
    return column.values if column.valid is None else column.doubles()
