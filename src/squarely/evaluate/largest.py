"""The rows with the largest errors, found on the way."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from squarely.sources import Batch, Column

__all__ = ["MOST_LARGEST", "Large", "Largest"]

Floats = npt.NDArray[np.float64]
MOST_LARGEST = 20
_BLOCK = 1 << 15  # rows whose squares stay in the second cache


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
        self._squares: Floats = np.empty(_BLOCK)

    def see(self, part: int, batch: Batch, prediction: Column) -> None:
        """Look at the rows of a batch; those of one part come in order."""
        y, p = _doubles(batch.target), _doubles(prediction)
        w = None if batch.weight is None else _doubles(batch.weight)
        with np.errstate(all="ignore"):
            for start in range(0, len(y), _BLOCK):
                rows = slice(start, min(start + _BLOCK, len(y)))
                squares = self._squares[: rows.stop - start]
                np.subtract(p[rows], y[rows], out=squares)
                np.multiply(squares, squares, out=squares)
                if w is not None:
                    np.multiply(squares, w[rows], out=squares)
                if not np.fmax.reduce(squares) > self._least:  # NaN, where a value is missing, is not looked at
                    continue
                squares[~(np.isfinite(y[rows]) & np.isfinite(p[rows]))] = np.nan  # infinite values are no errors
                self._take(part, batch, squares, start, y, p, w)

    def _take(self, part: int, batch: Batch, squares: Floats, start: int, y: Floats, p: Floats, w: Floats | None) -> None:
        found = np.flatnonzero(squares > self._least)
        found = found[np.argsort(-squares[found], kind="stable")][: self._most]
        for at in found.tolist():
            row = start + at
            weight = 1.0 if w is None else float(w[row])
            large = Large(batch.where, batch.start + row + 1, float(y[row]), float(p[row]), weight)
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


def _doubles(column: Column) -> Floats:
    values: Floats = np.asarray(column.values, np.float64)
    return values if column.valid is None else np.where(column.valid, values, np.nan)
