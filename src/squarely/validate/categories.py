"""Columns of categories: levels by their text, rows by the place of their level."""

import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from squarely.errors import DataError
from squarely.validate.numbers import Missing, Place

__all__ = ["Category", "Coded", "coded", "in_order", "unlabelled"]

_NUMBER = re.compile(r"-?\d+(\.\d+)?")


class Category(NamedTuple):
    """A feature that is a column for each level: 1, or the number ``times``, in its rows and 0 in all others."""

    column: str
    reference: str | None = None  # the level that others are compared with; the first where none is named
    times: str | None = None

    @property
    def name(self) -> str:
        """Its name, such as colour or colour:x."""
        return self.column if self.times is None else f"{self.column}:{self.times}"

    def of_level(self, level: str) -> str:
        """Return the name of the column of a level, such as colour[red] or colour[red]:x."""
        return f"{self.column}[{level}]" if self.times is None else f"{self.column}[{level}]:{self.times}"


class Coded(NamedTuple):
    """The levels of rows: ``levels[codes[i]]`` is that of row i."""

    codes: npt.NDArray[np.intp]
    levels: tuple[str, ...]

    def rows(self, chosen: Any) -> "Coded":
        """Return some of the rows."""
        return Coded(self.codes[chosen], self.levels)


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


def in_order(levels: Iterable[str]) -> tuple[str, ...]:
    """Return levels each once: those written as numbers by size, then the others by their letters.

    Examples
    --------
    >>> in_order(["b", "10", "2", "a", "b"])
    ('2', '10', 'a', 'b')
    """
    return tuple(sorted(set(levels), key=lambda level: (0, float(level), level) if _NUMBER.fullmatch(level) else (1, 0.0, level)))


def _level(label: Any) -> str:
    return str(label + 0.0 if isinstance(label, float) else label)  # -0.0 is 0.0
