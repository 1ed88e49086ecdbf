"""Columns of categories: levels by their text, rows by the place of their level, or of the levels that they have together."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from squarely.errors import DataError
from squarely.validate.numbers import Missing, Place

__all__ = ["Category", "Coded", "Crossed", "Level", "coded", "crossed", "in_order", "unlabelled"]

_NUMBER = re.compile(r"-?\d+(\.\d+)?")
Level = tuple[str, ...]  # one of each column of a category


class Category(NamedTuple):
    """A feature that is a column for each level, or for each combination of levels of several columns of labels that some row has.

    It is 1, or the number ``times``, in the rows of the level and 0 in all others.
    """

    columns: tuple[str, ...]
    references: tuple[str | None, ...]  # of each column the level that others are compared with; the first where none is named
    times: str | None = None

    @property
    def name(self) -> str:
        """Its name, such as colour, colour:x or colour:size."""
        return ":".join((*self.columns, *self._number))

    def of_level(self, level: Level) -> str:
        """Return the name of the column of a level, such as colour[red], colour[red]:x or colour[red]:size[2]."""
        return ":".join((*(f"{column}[{each}]" for column, each in zip(self.columns, level, strict=True)), *self._number))

    def among(self, columns: Sequence[str]) -> "Category":
        """Return the category of some of its columns."""
        known = dict(zip(self.columns, self.references, strict=True))
        return Category(tuple(columns), tuple(known[column] for column in columns), self.times)

    @property
    def _number(self) -> tuple[str, ...]:
        return () if self.times is None else (self.times,)


class Coded(NamedTuple):
    """The levels of rows: ``levels[codes[i]]`` is that of row i."""

    codes: npt.NDArray[np.intp]
    levels: tuple[str, ...]

    def rows(self, chosen: Any) -> "Coded":
        """Return some of the rows."""
        return Coded(self.codes[chosen], self.levels)


class Crossed(NamedTuple):
    """The levels that rows have of several columns together: ``levels[codes[i]]`` are those of row i, and each is that of some row."""

    codes: npt.NDArray[np.intp]
    levels: tuple[Level, ...]


def crossed(given: Mapping[str, Coded], columns: Sequence[str]) -> Crossed:
    """Return the levels of columns that rows have together.

    Examples
    --------
    >>> given = {"a": Coded(np.array([0, 1, 0]), ("u", "v")), "b": Coded(np.array([1, 0, 1]), ("s", "t", "w"))}
    >>> crossed(given, ["a", "b"]).levels
    (('u', 't'), ('v', 's'))
    """
    found = Crossed(np.zeros(len(given[columns[0]].codes), np.intp), ((),))
    for column in columns:
        codes, labels = given[column]
        there, codes = _used(found.codes * len(labels) + codes, len(found.levels) * len(labels))
        found = Crossed(codes, tuple((*found.levels[at // len(labels)], labels[at % len(labels)]) for at in there.tolist()))
    return found


def _used(codes: npt.NDArray[np.intp], count: int) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Return which of ``count`` codes there are, and the place of each among these."""
    if count > len(codes):
        return np.unique(codes, return_inverse=True)
    there = np.bincount(codes, minlength=count) > 0
    return np.flatnonzero(there), (np.cumsum(there) - 1)[codes]


def coded(codes: npt.NDArray[Any], labels: Sequence[Any], place: Place, omitted: Missing = None) -> Coded:
    """Return labels as levels; a missing one is refused where a row has it, unless that is left out."""
    missing = unlabelled(codes, labels)
    if (rows := np.flatnonzero(missing if omitted is None else missing & ~omitted)).size:
        raise DataError(
            f"{place.row(int(rows[0]))}: the category is missing, and {rows.size - 1:,} more. "
            "Expected a level in every row: drop these rows, or write a level such as 'unknown'."
        )
    return Coded(codes.astype(np.intp, copy=False), tuple(map(_level, labels)))


def unlabelled(codes: npt.NDArray[Any], labels: Sequence[Any]) -> npt.NDArray[np.bool_]:
    """Say of each row whether its label is missing."""
    absent = np.array([label is None for label in labels], np.bool_)
    return absent[codes] if absent.any() else np.zeros(len(codes), np.bool_)


def in_order(levels: Iterable[Level]) -> tuple[Level, ...]:
    """Return levels each once: those written as numbers by size, then the others by their letters; of several columns the first goes fastest.

    Examples
    --------
    >>> in_order([("b",), ("10",), ("2",), ("a",), ("b",)])
    (('2',), ('10',), ('a',), ('b',))
    >>> in_order([("b", "1"), ("a", "2"), ("a", "1")])
    (('a', '1'), ('b', '1'), ('a', '2'))
    """
    return tuple(sorted(set(levels), key=lambda level: [_size(each) for each in reversed(level)]))


def _size(level: str) -> tuple[int, float, str]:
    return (0, float(level), level) if _NUMBER.fullmatch(level) else (1, 0.0, level)


def _level(label: Any) -> str:
    return str(label + 0.0 if isinstance(label, float) else label)  # -0.0 is 0.0
