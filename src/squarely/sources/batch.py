"""What every source yields: columns, keys and batches, as plain NumPy arrays."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from squarely.state import NOTHING, Plan
from squarely.state.table import Key

__all__ = ["Batch", "Column", "Key", "Keys", "Part", "Source", "Table", "Wanted"]


@dataclass(frozen=True, slots=True)
class Column:
    """One numeric column of a batch.

    Parameters
    ----------
    values : 1-D array of numbers or booleans, in the unit of the data; often a view of memory it does not own.
    valid : boolean array of the same length, False where the value is missing; None when no value is missing.
    """

    values: npt.NDArray[Any]
    valid: npt.NDArray[np.bool_] | None = None

    def doubles(self) -> npt.NDArray[np.float64]:
        """Return the nearest doubles, NaN where a value is missing."""
        values = self.values.astype(np.float64)
        return values if self.valid is None else np.where(self.valid, values, np.nan)


@dataclass(frozen=True, slots=True)
class Keys:
    """One group column of a batch: a label per row, written as codes.

    ``labels[codes[i]]`` is the label of row ``i``. Labels may hold values that no row uses, and a value may occur twice.
    Batches with equal labels share one tuple object where the source knows it, so a reader may cache by identity.
    """

    codes: npt.NDArray[np.int32]
    labels: tuple[Key, ...]


@dataclass(frozen=True, slots=True)
class Batch:
    """Consecutive rows of the data, only the wanted columns; ``more`` has those of the plan.

    ``keys`` are those of the group columns, and last that of ``along`` where one is wanted.
    """

    target: Column
    predictions: tuple[Column, ...]
    weight: Column | None
    keys: tuple[Keys, ...]
    start: int
    where: str
    more: tuple[Column, ...] = ()


@dataclass(frozen=True, slots=True)
class Wanted:
    """The columns a question needs.

    ``way`` says which rows share a bucket, for intervals: "none", "rows", "cluster" or "order"; ``along`` is the column of the clusters
    or of the order. ``bucket_sizes`` says whether each bucket counts the sizes of its errors, or a group those of all its rows.
    """

    target: str
    predictions: tuple[str, ...]
    weight: str | None = None
    by: tuple[str, ...] = ()
    plan: Plan = NOTHING
    way: str = "none"
    along: str | None = None
    bucket_sizes: bool = True

    @property
    def binomial(self) -> bool:
        """Whether rows are independent and count alike, so that how many errors are below a size is a binomial number."""
        return self.way == "rows" and self.weight is None

    @property
    def numeric(self) -> tuple[str, ...]:
        """Names of the columns that must hold numbers, each once."""
        weight = () if self.weight is None else (self.weight,)
        return tuple(dict.fromkeys((self.target, *self.predictions, *weight, *self.plan.columns)))

    @property
    def keys(self) -> tuple[str, ...]:
        """Names of the columns that are read as keys."""
        return self.by if self.along is None else (*self.by, self.along)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all wanted columns, each once."""
        return tuple(dict.fromkeys((*self.numeric, *self.keys)))


Part = Callable[[], Iterator[Batch]]


class Source(Protocol):
    """Something that yields batches; its parts are independent and may run in parallel threads."""

    @property
    def name(self) -> str:
        """What a report calls the data."""

    @property
    def rereadable(self) -> bool:
        """Whether the parts may be asked for again."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Column names, known without reading the data."""

    def parts(self, wanted: Wanted) -> Iterator[Part]:
        """Yield independent parts; each call of a part reads its batches in order."""


class Table(Source, Protocol):
    """A source that was opened, and knows the types of its columns."""

    @property
    def categories(self) -> tuple[str, ...]:
        """Columns whose type says that they hold no numbers to calculate with: text, categories, names of folders."""
