"""Coding: which columns categories have in a fit, and rows as these columns."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from squarely.errors import DataError
from squarely.linear.terms import Parts
from squarely.state import Feature, Schema
from squarely.validate import Category, Coded, Design, Place

__all__ = ["Coding", "used"]

_LISTED = 12


@dataclass(frozen=True)
class Coding:
    """The columns of a fit: a category has one for each level but its reference, whose rows the others are compared with.

    The columns of all levels add up to the constant, or to the number that they multiply. Where that is no feature, and no category before has
    all its levels, there is no reference.
    """

    schema: Schema
    intercept: bool

    @classmethod
    def of_rows(cls, rows: Design, *, intercept: bool) -> "Coding":
        """Return the coding of rows in memory, whose levels are known."""
        there = {column: tuple(used(each)) for column, each in rows.coded.items()}
        return cls(Schema(rows.names or ()).joined(there), intercept)

    @cached_property
    def references(self) -> dict[Category, str]:
        """The reference of each category that has one."""
        spanned: set[str | None] = {name for name in self.schema.features if not isinstance(name, Category)}
        spanned |= {None} if self.intercept else set()
        found = {}
        for each in self.schema.features:
            if isinstance(each, Category):
                if each.times in spanned:
                    found[each] = self._reference(each)
                spanned.add(each.times)
        return found

    def _reference(self, category: Category) -> str:
        levels = self.schema.levels[category.column]
        if category.reference is not None and category.reference not in levels:
            raise DataError(
                f"the reference {category.reference!r} of the category {category.column!r} is in no row; its levels are {_listed(levels)}. "
                "Name one of these."
            )
        return levels[0] if category.reference is None else category.reference

    def _has(self, of: Feature | None, level: str | None) -> bool:
        return not isinstance(of, Category) or self.references.get(of) != level

    @property
    def places(self) -> list[int]:
        """The columns of the moments that are features of the fit."""
        last = self.schema.size - len(self.schema.targets)
        return [at for at, (of, level) in enumerate(self.schema.columns()) if 0 < at < last and self._has(of, level)]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the features of the fit."""
        names = self.schema.names
        return tuple(names[at - 1] for at in self.places)

    def dense(self, rows: Design) -> Design:
        """Return rows as the columns of the fit; a level that it has not seen is refused."""
        if not self.schema.categories:
            return rows

        def read(part: slice) -> list[Parts]:
            coded = {column: each.rows(part) for column, each in rows.coded.items()}
            return self.columns(rows.read(part), coded, lambda column: _place(column, part.start))

        return Design(self.names, len(self.names), rows.rows, read)

    def columns(self, numbers: Sequence[Parts], coded: Mapping[str, Coded], place: Callable[[str], Place]) -> list[Parts]:
        """Return the columns of the fit, of numbers and levels; ``place`` says in a message where the rows of a column are."""
        for column, given in coded.items():
            self._refuse_unknown(column, given, place)
        coming, found = iter(numbers), []
        for each in self.schema.features:
            if not isinstance(each, Category):
                found.append(next(coming))
                continue
            codes, levels = coded[each.column]
            factor = (np.ones(len(codes)),) if each.times is None else next(coming)
            for level in self.schema.levels[each.column]:
                if self._has(each, level):
                    there = np.isin(codes, [at for at, name in enumerate(levels) if name == level])
                    found.append(tuple(np.where(there, part, 0.0) for part in factor))
        return found

    def _refuse_unknown(self, column: str, given: Coded, place: Callable[[str], Place]) -> None:
        known = self.schema.levels[column]
        unknown = [at for at, level in enumerate(given.levels) if level not in known]
        rows = np.flatnonzero(np.isin(given.codes, unknown))
        if rows.size:
            raise DataError(
                f"{place(column).row(int(rows[0]))}: the level {given.levels[given.codes[rows[0]]]!r} was in no row of the fit, whose levels are "
                f"{_listed(known)}. Leave such rows out ({rows.size:,} here), or fit to rows that have it."
            )


def used(given: Coded) -> list[str]:
    """Return the levels that rows have."""
    return [given.levels[at] for at in np.flatnonzero(np.bincount(given.codes, minlength=len(given.levels)))]


def _place(column: str, start: int) -> Place:
    name = f"X, column {column[:60]!r}"
    return Place(name, lambda row: f"{name}, row {start + row:,} counted from 0")


def _listed(levels: Sequence[str]) -> str:
    told = ", ".join(repr(level[:60]) for level in levels[:_LISTED])
    return told if len(levels) <= _LISTED else f"{told} and {len(levels) - _LISTED:,} more"
