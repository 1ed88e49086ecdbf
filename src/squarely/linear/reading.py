"""Files, frames and streams become Gram states, batch by batch, so that their length takes no memory."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from squarely.errors import DataError
from squarely.linear.doubled import Doubles
from squarely.linear.terms import Parts, Term, columns_of, made, names_of, terms_of
from squarely.sources import Batch, Column, Source, Wanted, open_source
from squarely.state import GramState
from squarely.state.table import GroupKey
from squarely.validate import bad_weight, exact_parts

__all__ = ["Asked", "gram", "grams"]


@dataclass(frozen=True)
class Asked:
    """What is read of a source: terms of its columns, targets, a weight, and columns that say which state a row goes to."""

    source: Source
    terms: tuple[Term, ...]
    targets: tuple[str, ...]
    weight: str | None
    by: tuple[str, ...] = ()

    @classmethod
    def of(cls, data: Any, target: Any, features: Any, weight: str | None, by: Any = ()) -> "Asked":
        """Open data; without features every other column is one."""
        source = open_source(data)
        targets, keys = _names(target), _names(by)
        return cls(source, terms_of(features, [name for name in source.columns if name not in (*targets, weight, *keys)]), targets, weight, keys)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that features are made of."""
        return columns_of(self.terms)

    def state(self) -> GramState:
        """Return the state of all rows."""
        state = GramState(names_of(self.terms), self.targets)
        for columns, weights, _ in self.batches():
            state.add_columns(columns, weights)
        return state

    def batches(self) -> Iterator[tuple[list[Parts], Doubles | None, Batch]]:
        """Yield features and targets of the rows of each batch, and their weights; the next batch is read meanwhile."""
        columns = self.columns
        wanted = Wanted(self.targets[0], (*self.targets[1:], *columns), self.weight, self.by)
        for batch in _ahead(batch for part in self.source.parts(wanted) for batch in part()):
            numbers = [_finite(column, name, batch) for column, name in zip((batch.target, *batch.predictions), self.targets + columns, strict=True)]
            count = len(self.targets)
            features = made(self.terms, dict(zip(columns, numbers[count:], strict=True)))
            yield [*features, *numbers[:count]], None if batch.weight is None else _weights(batch.weight, self.weight, batch), batch


def gram(data: Any, *, target: Any, features: Any = None, weight: str | None = None) -> GramState:
    """Return the state of a file, a folder or pattern of files, a frame, an Arrow stream or a mapping of arrays, in constant memory.

    Parameters
    ----------
    data : what ``sq.evaluate`` takes
    target : str or sequence of str
    features : sequence of str and terms, optional
        Such as ``["a", poly("b", 3), interaction("a", "b")]``; every other column where none are named.
    weight : str, optional

    Examples
    --------
    >>> gram({"x": [1.0, 2.0], "y": [3.0, 5.0]}, target="y").n
    2
    """
    return Asked.of(data, target, features, weight).state()


def grams(data: Any, *, target: Any, by: Any, features: Any = None, weight: str | None = None) -> dict[GroupKey, GramState]:
    """Return the state of each group of rows from one pass; a fit without a group is one to the sum of the other states.

    Parameters
    ----------
    data, target, features, weight
        Those of ``gram``.
    by : str or sequence of str
        Columns whose values say which group a row is of, such as a region, a month or a fold.

    Returns
    -------
    dict
        By key, a tuple of the values of the columns.

    Examples
    --------
    >>> folds = grams({"x": [1.0, 2.0, 4.0], "y": [3.0, 5.0, 9.0], "fold": [0, 0, 1]}, target="y", by="fold")
    >>> {key: state.n for key, state in folds.items()}
    {(0,): 2, (1,): 1}
    >>> sum(folds.values()).n
    3
    """
    asked = Asked.of(data, target, features, weight, by)
    states: dict[GroupKey, GramState] = {}
    for columns, weights, batch in asked.batches():
        for key, rows in _groups(batch):
            state = states.setdefault(key, GramState(names_of(asked.terms), asked.targets))
            state.add_columns([tuple(part[rows] for part in parts) for parts in columns], None if weights is None else weights[rows])
    return states


def _groups(batch: Batch) -> Iterator[tuple[GroupKey, npt.NDArray[np.intp]]]:
    """Yield the rows of each group of a batch."""
    codes = np.stack([keys.codes for keys in batch.keys])
    combinations, groups = np.unique(codes, axis=1, return_inverse=True)
    order = np.argsort(groups.ravel(), kind="stable")
    ends = np.cumsum(np.bincount(groups.ravel(), minlength=combinations.shape[1]))
    for labels, rows in zip(combinations.T.tolist(), np.split(order, ends[:-1]), strict=True):
        yield tuple(keys.labels[label] for keys, label in zip(batch.keys, labels, strict=True)), rows


def _ahead(batches: Iterator[Batch]) -> Iterator[Batch]:
    """Yield batches while the next one is read by another thread."""
    with ThreadPoolExecutor(1) as reader:
        coming = reader.submit(next, batches, None)
        while (batch := coming.result()) is not None:
            coming = reader.submit(next, batches, None)
            yield batch


def _names(names: Any) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else tuple(names)


def _finite(column: Column, name: str, batch: Batch) -> Parts:
    parts = exact_parts(column.values)
    bad = ~np.isfinite(parts[0]) if column.valid is None else ~column.valid | ~np.isfinite(parts[0])
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        what = "infinite" if (column.valid is None or column.valid[row]) and np.isinf(parts[0][row]) else "missing"
        raise DataError(
            f"{batch.where}: column {name[:60]!r}, row {batch.start + row + 1:,} is {what}. "
            "Expected finite numbers: drop these rows or fill them in first."
        )
    return parts


def _weights(column: Column, name: str | None, batch: Batch) -> Doubles:
    values = column.doubles()
    bad = ~(np.isfinite(values) & (values >= 0))
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        raise bad_weight(values[row], f"{batch.where}: column {name!r}, row {batch.start + row + 1:,}")
    return values
