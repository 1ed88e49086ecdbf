"""Coding: which columns categories have in a fit, and rows as these columns."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from squarely.errors import DataError
from squarely.linear.contrasts import Contrast, contrasts
from squarely.linear.terms import Parts
from squarely.state import Dyadic, Schema
from squarely.validate import Category, Coded, Crossed, Design, Level, Place, crossed, in_order

__all__ = ["Coding"]

_LISTED = 12
Counted = npt.NDArray[np.bool_] | None  # whether a row has a weight; None where each has


class _Group(NamedTuple):
    """What a category has in a fit: a column for each of these levels, of some of its columns or all."""

    category: Category  # of those columns
    levels: tuple[Level, ...]
    among: tuple[int, ...]  # which of all columns those are
    references: Mapping[str, str]  # of those columns that do not keep all levels

    def numbers(self, levels: Sequence[Level]) -> npt.NDArray[np.intp]:
        """Return for levels of all columns the number of the one that is 1 there; -1 where none is."""
        known = {level: number for number, level in enumerate(self.levels)}
        return np.array([known.get(tuple(level[at] for at in self.among), -1) for level in levels], np.intp)


@dataclass(frozen=True)
class Coding:
    """The columns of a fit: a category has one for each level but its reference, whose rows the others are compared with.

    The columns of all levels add up to the constant, or to the number that they multiply. Where that is no feature, and no category before has
    all its levels, there is no reference. Of categories that are multiplied ``contrasts`` says the same.
    """

    schema: Schema
    intercept: bool

    @classmethod
    def of_rows(cls, rows: Design, counted: Counted, *, intercept: bool) -> "Coding":
        """Return the coding of rows in memory, whose levels are known; a row without a weight has none."""
        coded = {column: each if counted is None else each.rows(counted) for column, each in rows.coded.items()}
        schema = Schema(rows.names or ())
        return cls(schema.joined({of: crossed(coded, of).levels for of in schema.groupings}), intercept)

    @cached_property
    def _groups(self) -> dict[Category, list[_Group]]:
        """The columns of each category."""
        spanned: dict[str | None, set[frozenset[str]]] = {None: {frozenset()}} if self.intercept else {}
        spanned |= {name: {frozenset()} for name in self.schema.features if not isinstance(name, Category)}
        categories = sorted((each for each in self.schema.features if isinstance(each, Category)), key=lambda each: len(each.columns))
        return {each: [self._group(each, of) for of in contrasts(each.columns, spanned.setdefault(each.times, set()))] for each in categories}

    def _group(self, category: Category, contrast: Contrast) -> _Group:
        chosen = category.among(tuple(contrast))
        among = tuple(category.columns.index(column) for column in chosen.columns)
        asked = zip(chosen.columns, chosen.references, strict=True)
        known = self.schema.levels.get(category.columns, ())
        references = {column: self._reference(column, reference) for column, reference in asked if known and not contrast[column]}
        found = in_order(tuple(level[at] for at in among) for level in known)
        levels = tuple(level for level in found if all(references.get(column) != each for column, each in zip(chosen.columns, level, strict=True)))
        return _Group(chosen, levels, among, references)

    def _reference(self, column: str, asked: str | None) -> str:
        levels = self.schema.levels_of(column)
        if asked is not None and asked not in levels:
            raise DataError(f"the reference {asked!r} of the category {column!r} is in no row; its levels are {_listed(levels)}. Name one of these.")
        return levels[0] if asked is None else asked

    @property
    def references(self) -> dict[str, str]:
        """The level of each column of labels that the others are compared with, where one is."""
        return {column: level for groups in self._groups.values() for each in groups for column, level in each.references.items()}

    @cached_property
    def _made(self) -> list[tuple[str, list[int]]]:
        """The name of each feature of the fit, and the columns of the moments that it is the sum of."""
        found: list[tuple[str, list[int]]] = []
        start = 1  # behind the constant
        for each in self.schema.features:
            if not isinstance(each, Category):
                found.append((each, [start]))
                start += 1
                continue
            levels = self.schema.levels.get(each.columns, ())
            for group in self._groups[each]:
                numbers = group.numbers(levels)
                found += [(group.category.of_level(level), (start + np.flatnonzero(numbers == at)).tolist()) for at, level in enumerate(group.levels)]
            start += len(levels)
        return found

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the features of the fit."""
        return tuple(name for name, _ in self._made)

    def moments(self, moments: Dyadic) -> Dyadic:
        """Return the moments of the constant, the features of the fit and the targets."""
        size = self.schema.size
        return moments.merged([[0], *(places for _, places in self._made), *([at] for at in range(size - len(self.schema.targets), size))])

    def dense(self, rows: Design, counted: Counted = None) -> Design:
        """Return rows as the columns of the fit; a level that it has not seen is refused, unless the row has no weight."""
        if not self.schema.groupings:
            return rows

        def read(part: slice) -> list[Parts]:
            coded = {column: each.rows(part) for column, each in rows.coded.items()}
            return self.columns(rows.read(part), coded, lambda column: _place(column, part.start), None if counted is None else counted[part])

        return Design(self.names, len(self.names), rows.rows, read)

    def columns(self, numbers: Sequence[Parts], coded: Mapping[str, Coded], place: Callable[[str], Place], counted: Counted = None) -> list[Parts]:
        """Return the columns of the fit, of numbers and levels; ``place`` says in a message where the rows of a column are."""
        self._refuse_unknown(coded, place, counted)
        given = {of: crossed(coded, of) for of in self.schema.groupings}
        coming, found = iter(numbers), []
        for each in self.schema.features:
            if not isinstance(each, Category):
                found.append(next(coming))
                continue
            codes, levels = given[each.columns]
            factor = (np.ones(len(codes)),) if each.times is None else next(coming)
            for group in self._groups[each]:
                there = group.numbers(levels)[codes]
                found += [tuple(np.where(there == at, part, 0.0) for part in factor) for at in range(len(group.levels))]
        return found

    def _refuse_unknown(self, coded: Mapping[str, Coded], place: Callable[[str], Place], counted: Counted) -> None:
        """Refuse levels that no row of the fit has, each by itself before several together."""
        for column in self.schema.categories:
            known = self.schema.levels_of(column)
            level, row, count = _first_unknown(crossed(coded, [column]), {(each,) for each in known}, counted)
            if count:
                raise DataError(
                    f"{place(column).row(row)}: the level {level[0]!r} was in no row of the fit, whose levels are {_listed(known)}. "
                    f"Leave such rows out ({count:,} here), or fit to rows that have it."
                )
        for columns in self.schema.groupings:
            level, row, count = _first_unknown(crossed(coded, columns), set(self.schema.levels.get(columns, ())), counted)
            if count:
                together = " with ".join(f"{each[:60]!r} of {column[:60]!r}" for each, column in zip(level, columns, strict=True))
                raise DataError(
                    f"{place(columns[0]).row(row)}: no row of the fit has {together}, so it knows no effect of them together. "
                    f"Leave such rows out ({count:,} here), or fit to rows that have them, or without {':'.join(columns)[:60]!r}."
                )


def _first_unknown(given: Crossed, known: set[Level], counted: Counted) -> tuple[Level, int, int]:
    """Return the first level that is not known, its row, and how many rows have such a level."""
    unknown = np.array([level not in known for level in given.levels], np.bool_)[given.codes]
    rows = np.flatnonzero(unknown if counted is None else unknown & counted)
    return (given.levels[given.codes[rows[0]]], int(rows[0]), rows.size) if rows.size else ((), 0, 0)


def _place(column: str, start: int) -> Place:
    name = f"X, column {column[:60]!r}"
    return Place(name, lambda row: f"{name}, row {start + row:,} counted from 0")


def _listed(levels: Sequence[str]) -> str:
    told = ", ".join(repr(level[:60]) for level in levels[:_LISTED])
    return told if len(levels) <= _LISTED else f"{told} and {len(levels) - _LISTED:,} more"
