"""The features of a source, read anew from its beginning in each sweep, so that no row of them stays in memory."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from squarely.errors import DataError
from squarely.linear.coding import Coding
from squarely.linear.doubled import Doubles
from squarely.linear.labels import Collected
from squarely.linear.reading import Asked
from squarely.linear.terms import Parts
from squarely.sources import Keys
from squarely.state import GramState
from squarely.validate import Design, nothing_left

__all__ = ["Swept", "joined"]


@dataclass(frozen=True, eq=False)
class Swept:
    """Features as the columns of a fit, batch by batch; what is known of each row beside them was kept when it was first read."""

    asked: Asked
    coding: Coding
    targets: Doubles  # n x t
    weight: Doubles | None
    groups: Keys | None  # where a column of them is named
    places: npt.NDArray[np.intp] | None  # ordinals of the rows, where others were left out
    omitted: int

    @classmethod
    def first(cls, asked: Asked, *, intercept: bool) -> tuple["Swept", GramState]:
        """Read the rows for the first time: return them, and their state."""
        state, targets, weight, ordinals, groups = asked.empty(), [], [], [], Collected()
        for rows in asked.complete():
            state.add_columns(rows.columns, rows.weights, rows.levels)
            for name, keys in zip(asked.by, rows.keys, strict=True):
                groups.take(keys, rows.place(name))
            targets.append(_targets(rows.columns, asked))
            weight.append(rows.weights)
            ordinals.append(rows.ordinals if asked.nan_policy == "omit" else rows.ordinals[:0])
        omitted = asked.omitted
        if omitted and not state.n:
            raise nothing_left(omitted, omitted, asked.source.name)
        given = None if asked.weight is None else np.concatenate([each for each in weight if each is not None])
        coding, places = Coding(state.schema, intercept), np.concatenate(ordinals) if omitted else None
        return cls(asked, coding, np.concatenate(targets), given, groups.keys if asked.by else None, places, omitted), state

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.targets)

    def parts(self) -> Iterator[tuple[slice, list[Parts]]]:
        """Yield rows and their features, in their order; rows that are no longer those of the first reading are refused."""
        start, count = 0, len(self.asked.targets)
        for rows in self.asked.complete():
            targets = _targets(rows.columns, self.asked)
            part = slice(start, start + len(targets))
            if not np.array_equal(targets, self.targets[part]):
                raise self._changed()
            if len(targets):
                counted = None if self.weight is None else self.weight[part] != 0
                yield part, self.coding.columns(rows.columns[:-count], rows.levels, rows.place, counted)
            start = part.stop
        if start != self.rows:
            raise self._changed()

    def in_memory(self) -> Design:
        """Read the rows once more, and keep their features."""
        parts = [columns for _, columns in self.parts()]
        held = [joined([columns[at] for columns in parts]) for at in range(len(self.coding.names))]
        return Design(self.coding.names, len(held), self.rows, lambda rows: [tuple(piece[rows] for piece in of) for of in held])

    def _changed(self) -> DataError:
        return DataError(f"{self.asked.source.name}: its rows are not those of the first reading. Fit to data that nobody changes meanwhile.")


def _targets(columns: list[Parts], asked: Asked) -> Doubles:
    return np.column_stack([sum(parts) for parts in columns[-len(asked.targets) :]])


def joined(pieces: list[Parts]) -> Parts:
    """Return a column of its pieces, of two parts where one of them has two."""
    high = np.concatenate([piece[0] for piece in pieces])
    if all(len(piece) == 1 for piece in pieces):
        return (high,)
    return high, np.concatenate([piece[1] if len(piece) > 1 else np.zeros_like(piece[0]) for piece in pieces])
