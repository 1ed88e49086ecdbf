"""Whether rows lie in the order of a column, as intervals for autocorrelated errors need."""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from squarely.errors import DataError
from squarely.sources import Batch, Key, Keys

__all__ = ["Order", "comparable", "ranks"]

_Stretch = tuple[int, int, str, Key, Key]  # part, first row, file, first and last value


def comparable(column: str, label: Key) -> Any:
    """Return what sorts the labels of the column of the order; refuse one that is missing."""
    if label is None:
        raise DataError(f"the column {column!r} of order= has a missing value. Give each row its time.")
    return (isinstance(label, str), label)


def ranks(column: str, keys: Keys) -> npt.NDArray[np.intp]:
    """Return the rank of each row of a batch in the column of the order."""
    of_labels = {label: rank for rank, label in enumerate(sorted(set(keys.labels), key=partial(comparable, column)))}
    return np.array([of_labels[label] for label in keys.labels], np.intp)[keys.codes]


@dataclass
class Order:
    """What one thread has seen of the column of the order; None where the rows are in order by assurance."""

    column: str | None
    stretches: list[_Stretch] = field(default_factory=list)

    def see(self, part: int, batch: Batch) -> None:
        """Look at the rows of a batch; refuse them where a row belongs before its neighbour."""
        first: Key = None
        last: Key = None
        if self.column is not None:
            keys = batch.keys[-1]
            falls = np.flatnonzero(np.diff(ranks(self.column, keys)) < 0)
            if len(falls):
                raise self._unordered(batch.where, batch.start + int(falls[0]) + 2)
            first, last = keys.labels[keys.codes[0]], keys.labels[keys.codes[-1]]
        self.stretches.append((part, batch.start, batch.where, first, last))

    def _unordered(self, where: str, row: int) -> DataError:
        return DataError(f"{where}: row {row:,} comes before its neighbour in column {self.column!r}, which order= names. Sort the rows by it first.")

    @classmethod
    def judge(cls, column: str | None, seen: Iterable["Order"]) -> None:
        """Refuse rows that are not in order from one batch to the next, and rows of several files, whose order is not known."""
        whole = cls(column)
        stretches = sorted((stretch for each in seen for stretch in each.stretches), key=lambda each: each[:2])
        files = sorted({stretch[2] for stretch in stretches})
        if len(files) > 1:
            raise DataError(f"order= takes the rows of one table or file, and there are {len(files):,} files, such as {files[1]}. Join them first.")
        for (*_, last), (_, start, where, first, _) in itertools.pairwise(stretches):
            if column is not None and comparable(column, first) < comparable(column, last):
                raise whole._unordered(where, start + 1)
