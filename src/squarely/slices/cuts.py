"""How a column is cut into slices: one for each value, or bins of numbers between quantiles."""

import itertools
from collections import Counter
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from squarely.errors import DataError
from squarely.sources import Column, Key, Keys, Source, Wanted
from squarely.state.table import written_alike

__all__ = ["MOST_VALUES", "Cut", "Numbers", "Values", "cut_of"]

FEW_NUMBERS = 12  # distinct numbers up to which each is a slice
MOST_VALUES = 1000  # slices of one column, for beyond there is no room for the sums of several buckets of each

Integers = npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Cut:
    """The slices of a column. ``labels`` names them by place; ``rare`` values share the place after the last."""

    column: str
    labels: tuple[str, ...]
    rare: int = 0

    @cached_property
    def places(self) -> tuple[Key, ...]:
        """The place of every slice, as a label of rows."""
        return tuple(range(len(self.labels) + 1))


@dataclass(frozen=True, eq=False, kw_only=True)
class Numbers(Cut):
    """Slices of numbers: slice k holds those from edge k - 1, which it includes, to edge k, which it does not; missing ones come last."""

    edges: npt.NDArray[Any]

    def keys(self, column: Column) -> Keys:
        """Return the slice of each row."""
        codes = np.searchsorted(self.edges, column.values, side="right")
        return Keys(np.where(_there(column), codes, len(self.edges) + 1).astype(np.int32), self.places)


@dataclass(frozen=True, eq=False, kw_only=True)
class Values(Cut):
    """A slice for each text or other value; ``kinds`` are the types of all values, which say how they are written."""

    found: dict[Key, int]
    kinds: frozenset[type]

    def keys(self, keys: Keys) -> Keys:
        """Return the slice of each row."""
        write = written_alike(self.column, set(self.kinds))
        places = np.array([self.found.get(write(label), len(self.labels)) for label in keys.labels], np.int32)
        return Keys(places[keys.codes], self.places)


def cut_of(source: Source, wanted: Wanted, column: str, bins: int, least: int) -> Numbers | Values | str:
    """Read a column and cut it, or say why it makes no slices; rows of weight 0 leave no trace.

    Raises
    ------
    DataError
        It holds too many values, or what is neither a number nor a value.
    """
    try:
        cut: Numbers | Values = _of_numbers(source, wanted, column, bins)
    except DataError:  # text: the error of reading it as values is the one to tell
        cut = _of_values(source, wanted, column, least)
    if not cut.labels:
        return f"none of its {cut.rare:,} values has {least:,} rows"
    return cut if len(cut.labels) + cut.rare > 1 else "it has one value"


def _there(column: Column) -> npt.NDArray[np.bool_]:
    there: npt.NDArray[np.bool_] = column.values == column.values
    return there if column.valid is None else there & column.valid


def _of_numbers(source: Source, wanted: Wanted, column: str, bins: int) -> Numbers:
    alone = Wanted(column, (), wanted.weight)
    kept, weights, missing, flags = [], [], False, True
    for read in source.parts(alone):
        for batch in read():
            there = _there(batch.target)
            w = np.ones(len(there)) if batch.weight is None else batch.weight.doubles()
            missing = missing or bool((~there & (w > 0)).any())
            flags = flags and batch.target.values.dtype.kind == "b"
            kept.append(batch.target.values[there & (w > 0)])
            weights.append(w[there & (w > 0)])
    values, inverse = np.unique(np.concatenate(kept), return_inverse=True)
    more = ("missing",) if missing else ()
    if flags:
        return Numbers(column, (*(str(bool(value)) for value in values), *more), edges=values[1:])
    if len(values) <= FEW_NUMBERS:
        return Numbers(column, (*map(_written, values), *more), edges=values[1:])
    edges = _edges(values, np.bincount(inverse, np.concatenate(weights)).astype(np.float64), bins)
    written = [_written(edge) for edge in edges]
    labels = [
        f"below {written[0]}",
        *(f"{low} to below {high}" for low, high in itertools.pairwise(written)),
        f"{written[-1]} or more",
    ]
    return Numbers(column, (*labels, *more), edges=edges)


def _edges(values: npt.NDArray[Any], weights: npt.NDArray[np.float64], bins: int) -> npt.NDArray[Any]:
    """Return edges between distinct values, so that no value is in two bins, each as near its quantile as the values allow."""
    reached = np.cumsum(weights)
    wanted = reached[-1] * np.arange(1, bins) / bins
    last = np.unique(np.abs(reached[:-1, None] - wanted).argmin(axis=0))  # value before each edge
    if values.dtype.kind in "iu":
        edges: npt.NDArray[Any] = values[last + 1]
        return edges
    return np.array([_short(low, high) for low, high in zip(values[last].tolist(), values[last + 1].tolist(), strict=True)])


def _short(low: float, high: float) -> float:
    """Return a number of few digits above one value and not above the next."""
    for digits in range(1, 17):
        for near in (high, low + (high - low) / 2):
            value = float(f"{near:.{digits}g}")
            if low < value <= high:
                return value
    return high


def _written(value: Any) -> str:
    """Return a number as people write it, with every digit that it has."""
    number = value.item() + 0 if isinstance(value, np.generic) else value
    if isinstance(number, int):
        return str(number)
    short = f"{number:.15g}"
    return short if float(short) == number else repr(number)


def _of_values(source: Source, wanted: Wanted, column: str, least: int) -> Values:
    counts: Counter[tuple[type, Key]] = Counter()
    for read in source.parts(replace(wanted, by=(column,), way="none", along=None)):
        for batch in read():
            keys = batch.keys[0]
            rows = keys.codes if batch.weight is None else keys.codes[batch.weight.doubles() > 0]
            for label, count in zip(keys.labels, np.bincount(rows, minlength=len(keys.labels)).tolist(), strict=True):
                if count:
                    counts[type(label), label] += count
    kinds = frozenset(kind for kind, _ in counts)
    write = written_alike(column, set(kinds))
    rows_of: Counter[Key] = Counter()
    for (_, label), count in counts.items():
        rows_of[write(label)] += count
    many = sorted((label for label, count in rows_of.items() if count >= least), key=_order)
    if len(many) > MOST_VALUES:
        raise DataError(f"the column {column[:60]!r} has {len(many):,} values of at least {least:,} rows, and at most {MOST_VALUES:,} can be sliced.")
    places = {label: place for place, label in enumerate(many)}
    return Values(column, tuple(map(_label, many)), len(rows_of) - len(many), found=places, kinds=kinds)


def _order(label: Key) -> tuple[int, float, str]:
    """Sort numbers before text, and the missing value last."""
    return (2, 0, "") if label is None else (1, 0, label) if isinstance(label, str) else (0, label, "")


def _label(label: Key) -> str:
    """Return a value as it is named: text between quotes, so that 'missing' and '5' are no missing value and no number."""
    return "missing" if label is None else repr(label)
