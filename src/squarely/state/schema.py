"""Schema: what the rows and columns of a matrix of moments are, where categories have a column for each level."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from squarely.errors import DataError
from squarely.state.dyadic import Dyadic
from squarely.validate import Category, in_order

__all__ = ["Feature", "Schema"]

Feature = str | Category


@dataclass(frozen=True)
class Schema:
    """Features and targets in their order; ``levels`` has the levels of each category, by its column."""

    features: tuple[Feature, ...] = ()
    targets: tuple[str, ...] = ()
    levels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def categories(self) -> tuple[str, ...]:
        """The columns of categories, each once."""
        return tuple(dict.fromkeys(each.column for each in self.features if isinstance(each, Category)))

    def columns(self) -> Iterator[tuple[Feature | None, str | None]]:
        """Yield what each column of the moments is, with its level: the constant, features, targets."""
        of = (None, *self.features, *self.targets)
        return ((of[number], level) for number, level in self._places())

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns of features."""
        found = list(self.columns())[1 : self.size - len(self.targets)]
        return tuple(of.of_level(level or "") if isinstance(of, Category) else str(of) for of, level in found)

    @property
    def size(self) -> int:
        """How many columns the moments have."""
        one = 1 + len(self.targets)
        return one + sum(len(self.levels.get(each.column, ())) if isinstance(each, Category) else 1 for each in self.features)

    def joined(self, other: Mapping[str, tuple[str, ...]]) -> "Schema":
        """Return the schema with the levels of both, in their order."""
        levels = {column: _in_order(column, (*self.levels.get(column, ()), *other.get(column, ()))) for column in self.categories}
        return replace(self, levels=levels)

    def spread(self, moments: Dyadic, of: "Schema") -> Dyadic:
        """Return the moments of another schema as those of this one: levels it has not are columns of 0."""
        if of.levels == self.levels:
            return moments
        places = {(at, level): place for place, (at, level) in enumerate(self._places())}
        there = [places[key] for key in of._places()]
        found = np.zeros((self.size, self.size), object)
        found[np.ix_(there, there)] = moments.numerators
        return Dyadic(found, moments.exponent)

    def _places(self) -> Iterator[tuple[int, str | None]]:
        """Yield for each column the number of what it is of, and its level."""
        for number, each in enumerate((None, *self.features, *self.targets)):
            if isinstance(each, Category):
                yield from ((number, level) for level in self.levels.get(each.column, ()))
            else:
                yield number, None

    def without_empty(self, moments: Dyadic) -> tuple["Schema", Dyadic]:
        """Return schema and moments without the levels that no row has: their moments are 0."""
        if not self.categories:
            return self, moments
        there = [any(row) for row in moments.numerators.tolist()]
        columns = list(self.columns())
        used = {(of.column, level) for (of, level), some in zip(columns, there, strict=True) if some and isinstance(of, Category)}
        levels = {column: tuple(level for level in known if (column, level) in used) for column, known in self.levels.items()}
        if levels == self.levels:
            return self, moments
        kept = [at for at, (of, level) in enumerate(columns) if not isinstance(of, Category) or (of.column, level) in used]
        return replace(self, levels=levels), moments.block(kept)


def _in_order(column: str, levels: tuple[str, ...]) -> tuple[str, ...]:
    """Return levels in their order; a whole number with a point and one without are one level, which would be two in silence."""
    found = in_order(levels)
    known = set(found)
    twin = next((level for level in found if f"{level}.0" in known), None)
    if twin is not None:
        raise DataError(
            f"the category {column[:60]!r} has the levels {twin[:60]!r} and '{twin[:60]}.0', one number written in two ways, as where some parts of "
            "the data hold whole numbers and others floating-point ones. Write them alike; where two levels are meant, as text such as 'v1.0'."
        )
    return found
