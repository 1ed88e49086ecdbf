"""Schema: what the rows and columns of a matrix of moments are, where categories have a column for each level."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from squarely.errors import DataError
from squarely.state.dyadic import Dyadic
from squarely.validate import Category, Level, in_order

__all__ = ["Feature", "Grouping", "Schema"]

Feature = str | Category
Grouping = tuple[str, ...]  # the columns whose levels say of which group a row is


@dataclass(frozen=True)
class Schema:
    """Features and targets in their order; ``levels`` has the levels of each category, by its columns."""

    features: tuple[Feature, ...] = ()
    targets: tuple[str, ...] = ()
    levels: Mapping[Grouping, tuple[Level, ...]] = field(default_factory=dict)

    @property
    def groupings(self) -> tuple[Grouping, ...]:
        """The columns of each category, each once."""
        return tuple(dict.fromkeys(each.columns for each in self.features if isinstance(each, Category)))

    @property
    def categories(self) -> tuple[str, ...]:
        """The columns of categories, each once."""
        return tuple(dict.fromkeys(column for grouping in self.groupings for column in grouping))

    def levels_of(self, column: str) -> tuple[str, ...]:
        """Return the levels of a column, in their order."""
        found = [(level[of.index(column)],) for of, levels in self.levels.items() if column in of for level in levels]
        return tuple(level for (level,) in in_order(found))

    def columns(self) -> Iterator[tuple[Feature | None, Level | None]]:
        """Yield what each column of the moments is, with its level: the constant, features, targets."""
        of = (None, *self.features, *self.targets)
        return ((of[number], level) for number, level in self._places())

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns of features."""
        found = list(self.columns())[1 : self.size - len(self.targets)]
        return tuple(of.of_level(level or ()) if isinstance(of, Category) else str(of) for of, level in found)

    @property
    def size(self) -> int:
        """How many columns the moments have."""
        one = 1 + len(self.targets)
        return one + sum(len(self.levels.get(each.columns, ())) if isinstance(each, Category) else 1 for each in self.features)

    def joined(self, other: Mapping[Grouping, tuple[Level, ...]]) -> "Schema":
        """Return the schema with the levels of both, in their order."""
        found = replace(self, levels={of: in_order((*self.levels.get(of, ()), *other.get(of, ()))) for of in self.groupings})
        for column in self.categories:
            _refuse_twins(column, found.levels_of(column))
        return found

    def spread(self, moments: Dyadic, of: "Schema") -> Dyadic:
        """Return the moments of another schema as those of this one: levels it has not are columns of 0."""
        if of.levels == self.levels:
            return moments
        places = {(at, level): place for place, (at, level) in enumerate(self._places())}
        there = [places[key] for key in of._places()]
        found = np.zeros((self.size, self.size), object)
        found[np.ix_(there, there)] = moments.numerators
        return Dyadic(found, moments.exponent)

    def _places(self) -> Iterator[tuple[int, Level | None]]:
        """Yield for each column the number of what it is of, and its level."""
        for number, each in enumerate((None, *self.features, *self.targets)):
            if isinstance(each, Category):
                yield from ((number, level) for level in self.levels.get(each.columns, ()))
            else:
                yield number, None

    def without_empty(self, moments: Dyadic) -> tuple["Schema", Dyadic]:
        """Return schema and moments without the levels that no row has: their moments are 0."""
        if not self.categories:
            return self, moments
        there = [any(row) for row in moments.numerators.tolist()]
        columns = list(self.columns())
        used = {(of.columns, level) for (of, level), some in zip(columns, there, strict=True) if some and isinstance(of, Category)}
        levels = {columns: tuple(level for level in known if (columns, level) in used) for columns, known in self.levels.items()}
        if levels == self.levels:
            return self, moments
        kept = [at for at, (of, level) in enumerate(columns) if not isinstance(of, Category) or (of.columns, level) in used]
        return replace(self, levels=levels), moments.block(kept)


def _refuse_twins(column: str, levels: tuple[str, ...]) -> None:
    """Refuse a whole number with a point and one without: they are one level, and would be two in silence."""
    known = set(levels)
    twin = next((level for level in levels if f"{level}.0" in known), None)
    if twin is not None:
        raise DataError(
            f"the category {column[:60]!r} has the levels {twin[:60]!r} and '{twin[:60]}.0', one number written in two ways, as where some parts of "
            "the data hold whole numbers and others floating-point ones. Write them alike; where two levels are meant, as text such as 'v1.0'."
        )
