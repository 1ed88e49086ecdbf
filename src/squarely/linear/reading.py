"""Files, frames and streams become Gram states, batch by batch, so that their length takes no memory."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from squarely.errors import DataError
from squarely.linear.doubled import Doubles
from squarely.linear.terms import Indicators, Parts, Term, columns_of, feature_slots, inputs_of, made, terms_of
from squarely.sources import Batch, Column, Keys, Source, Wanted, open_source
from squarely.state import GramState
from squarely.state.table import GroupKey
from squarely.validate import Coded, Missing, Place, bad_weight, check_fit_policy, coded, exact_parts, unlabelled

__all__ = ["Asked", "gram", "grams", "place_in", "rows_by_code", "rows_of", "states_by"]


@dataclass(eq=False)
class Asked:
    """What is read of a source: terms of its columns, targets, a weight, and columns that say which state a row goes to.

    With the nan_policy "omit" a row that lacks a value keeps its place with a weight of 0, and ``omitted`` says how many there were.
    """

    source: Source
    terms: tuple[Term, ...]
    targets: tuple[str, ...]
    weight: str | None
    by: tuple[str, ...] = ()
    nan_policy: str = "raise"
    omitted: int = 0

    @classmethod
    def of(
        cls,
        data: Any,
        target: Any,
        features: Any,
        weight: str | None,
        by: Any = (),
        categories: Sequence[str] | None = None,
        nan_policy: str = "raise",
    ) -> "Asked":
        """Open data; without features every other column is one, and without ``categories`` the types of columns say which are such."""
        check_fit_policy(nan_policy)
        source = open_source(data)
        targets, keys = _names(target), _names(by)
        if not (weight is None or isinstance(weight, str)):
            raise DataError(
                f"weights are given as {type(weight).__name__}, and y names a column. Name the column of weights, or give X and y as arrays."
            )
        others = [name for name in source.columns if name not in (*targets, weight, *keys)]
        terms = terms_of(features, others, source.categories if categories is None else categories)
        if leaked := sorted({*targets}.intersection(inputs_of(terms))):
            raise DataError(f"the target {leaked[0][:60]!r} is among the features, and would explain itself. Leave it out of the features.")
        return cls(source, terms, targets, weight, keys, nan_policy)

    @property
    def inputs(self) -> tuple[str, ...]:
        """The columns that features are made of."""
        return inputs_of(self.terms)

    @property
    def categories(self) -> tuple[str, ...]:
        """The columns that are read as categories, each once."""
        return tuple(dict.fromkeys(term.feature.column for term in self.terms if isinstance(term, Indicators)))

    def empty(self) -> GramState:
        """Return the state of no row."""
        return GramState(feature_slots(self.terms), self.targets)

    def state(self) -> GramState:
        """Return the state of all rows."""
        state = self.empty()
        for columns, weights, levels, _ in self.batches():
            state.add_columns(columns, weights, levels)
        return state

    def batches(self) -> Iterator[tuple[list[Parts], Doubles | None, dict[str, Coded], Batch]]:
        """Yield features and targets of the rows of each batch, their weights, and levels; the next batch is read meanwhile."""
        columns, categories, count = columns_of(self.terms), self.categories, len(self.targets)
        wanted = Wanted(self.targets[0], (*self.targets[1:], *columns), self.weight, (*self.by, *categories))
        for batch in _ahead(batch for part in self.source.parts(wanted) for batch in part()):
            given, labels = (batch.target, *batch.predictions), batch.keys[len(self.by) :]
            left_out = self._left_out(batch, given, labels)
            numbers = [_finite(column, name, batch, left_out) for column, name in zip(given, self.targets + columns, strict=True)]
            features = made(self.terms, dict(zip(columns, numbers[count:], strict=True)))
            levels = {name: coded(keys.codes, keys.labels, place_in(batch, name), left_out) for name, keys in zip(categories, labels, strict=True)}
            weights = None if batch.weight is None else _weights(batch.weight, self.weight, batch, self.nan_policy)
            if left_out is not None:
                weights = np.where(left_out, 0.0, 1.0 if weights is None else weights)
            yield [*features, *numbers[:count]], weights, levels, batch

    def _left_out(self, batch: Batch, given: Sequence[Column], labels: Sequence[Keys]) -> Missing:
        """Say which rows lack a value and are left out for it, and count them; None where there is none."""
        if self.nan_policy == "raise":
            return None
        found = [*(_absent(column) for column in given), *(unlabelled(keys.codes, keys.labels) for keys in labels)]
        if batch.weight is not None:
            found.append(np.isnan(batch.weight.doubles()))
        rows = np.asarray(np.logical_or.reduce(found), np.bool_)
        self.omitted += int(rows.sum())
        return rows if rows.any() else None


def place_in(batch: Batch, name: str) -> Place:
    """Say in a message where the rows of a column of a batch are."""
    title = f"{batch.where}: column {name[:60]!r}"
    return Place(title, lambda row: f"{title}, row {batch.start + row + 1:,}")


def gram(data: Any, *, target: Any, features: Any = None, weight: str | None = None, nan_policy: str = "raise") -> GramState:
    """Return the state of a file, a folder or pattern of files, a frame, an Arrow stream or a mapping of arrays, in constant memory.

    Parameters
    ----------
    data : what ``sq.evaluate`` takes
    target : str or sequence of str
    features : sequence of str and terms, optional
        Such as ``["a", poly("b", 3), interaction("a", "b"), category("c")]``; every other column where none are named. Columns of text are
        categories.
    weight : str, optional
    nan_policy : "raise" or "omit"
        What a missing or infinite value does: an error says where it is, or its row is left out, and ``n`` of the state is that of the others.

    Examples
    --------
    >>> gram({"x": [1.0, 2.0], "y": [3.0, 5.0]}, target="y").n
    2
    """
    return Asked.of(data, target, features, weight, nan_policy=nan_policy).state()


def grams(
    data: Any, *, target: Any, by: Any, features: Any = None, weight: str | None = None, nan_policy: str = "raise"
) -> dict[GroupKey, GramState]:
    """Return the state of each group of rows from one pass; a fit without a group is one to the sum of the other states.

    Parameters
    ----------
    data, target, features, weight, nan_policy
        Those of ``gram``. A group of which no row is left has a state with an ``n`` of 0.
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
    asked = Asked.of(data, target, features, weight, by, nan_policy=nan_policy)
    return states_by(asked, lambda batch, _: _groups(batch.keys[: len(asked.by)]))


def states_by(asked: Asked, split: Callable[[Batch, int], Iterator[tuple[Any, npt.NDArray[np.intp]]]]) -> dict[Any, GramState]:
    """Return states from one pass; ``split`` says which rows of a batch go to which, given how many rows came before it."""
    states: dict[Any, GramState] = {}
    before = 0
    for columns, weights, levels, batch in asked.batches():
        for key, rows in split(batch, before):
            states.setdefault(key, asked.empty()).add_columns(*rows_of(columns, weights, levels, rows))
        before += len(columns[-1][0])
    return states


def rows_of(
    columns: list[Parts], weights: Doubles | None, levels: dict[str, Coded], rows: Any
) -> tuple[list[Parts], Doubles | None, dict[str, Coded]]:
    """Return some of the rows of a batch."""
    there = {name: each.rows(rows) for name, each in levels.items()}
    return [tuple(part[rows] for part in parts) for parts in columns], None if weights is None else weights[rows], there


def rows_by_code(codes: npt.NDArray[np.integer]) -> Iterator[tuple[int, npt.NDArray[np.intp]]]:
    """Yield the rows of each code, in their order."""
    found, groups = np.unique(codes, return_inverse=True)
    order = np.argsort(groups, kind="stable")
    ends = np.cumsum(np.bincount(groups, minlength=len(found)))
    return zip(found.tolist(), np.split(order, ends[:-1]), strict=True)


def _groups(by: Sequence[Keys]) -> Iterator[tuple[GroupKey, npt.NDArray[np.intp]]]:
    """Yield the rows of each group of a batch."""
    combinations, groups = np.unique(np.stack([keys.codes for keys in by]), axis=1, return_inverse=True)
    for group, rows in rows_by_code(groups.ravel()):
        yield tuple(keys.labels[label] for keys, label in zip(by, combinations[:, group].tolist(), strict=True)), rows


def _ahead(batches: Iterator[Batch]) -> Iterator[Batch]:
    """Yield batches while the next one is read by another thread."""
    with ThreadPoolExecutor(1) as reader:
        coming = reader.submit(next, batches, None)
        while (batch := coming.result()) is not None:
            coming = reader.submit(next, batches, None)
            yield batch


def _names(names: Any) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else tuple(names)


def _absent(column: Column) -> npt.NDArray[np.bool_]:
    """Say which values are missing or infinite."""
    return ~np.isfinite(column.doubles())


def _finite(column: Column, name: str, batch: Batch, left_out: Missing) -> Parts:
    """Return numbers, 0 in the rows that are left out; refuse what is missing or infinite in another."""
    parts = exact_parts(column.values)
    if left_out is not None:
        return tuple(np.where(left_out, 0.0, part) for part in parts)
    bad = ~np.isfinite(parts[0]) if column.valid is None else ~column.valid | ~np.isfinite(parts[0])
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        what = "infinite" if (column.valid is None or column.valid[row]) and np.isinf(parts[0][row]) else "missing"
        raise DataError(
            f"{batch.where}: column {name[:60]!r}, row {batch.start + row + 1:,} is {what}. "
            "Expected finite numbers: drop these rows or fill them in first."
        )
    return parts


def _weights(column: Column, name: str | None, batch: Batch, nan_policy: str) -> Doubles:
    """Return weights; a missing one may leave its row out, and a wrong one is refused where it stands."""
    values = column.doubles()
    bad = ~(np.isfinite(values) & (values >= 0))
    if nan_policy == "omit":
        bad &= ~np.isnan(values)
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        raise bad_weight(values[row], f"{batch.where}: column {name!r}, row {batch.start + row + 1:,}")
    return values
