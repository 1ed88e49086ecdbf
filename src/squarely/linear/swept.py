"""The features of a source, read anew from its beginning in each sweep, so that no row of them stays in memory."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from squarely.errors import DataError
from squarely.linear.coding import Coding
from squarely.linear.doubled import Doubles
from squarely.linear.reading import Asked, place_in
from squarely.linear.terms import Parts
from squarely.state import GramState
from squarely.validate import Design

__all__ = ["Swept"]


@dataclass(frozen=True, eq=False)
class Swept:
    """Features as the columns of a fit, batch by batch; ``targets`` and ``weight`` were kept when the rows were first read."""

    asked: Asked
    coding: Coding
    targets: Doubles  # n x t
    weight: Doubles | None

    @classmethod
    def first(cls, asked: Asked, *, intercept: bool) -> tuple["Swept", GramState]:
        """Read the rows for the first time: return them, and their state."""
        state, targets, weight = asked.empty(), [], []
        for columns, weights, levels, _ in asked.batches():
            state.add_columns(columns, weights, levels)
            targets.append(_targets(columns, asked))
            weight.append(weights)
        given = None if asked.weight is None else np.concatenate([each for each in weight if each is not None])
        return cls(asked, Coding(state.schema, intercept), np.concatenate(targets), given), state

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.targets)

    def parts(self) -> Iterator[tuple[slice, list[Parts]]]:
        """Yield rows and their features, in their order; rows that are no longer those of the first reading are refused."""
        start, count = 0, len(self.asked.targets)
        for columns, _, levels, batch in self.asked.batches():
            targets = _targets(columns, self.asked)
            part = slice(start, start + len(targets))
            if not np.array_equal(targets, self.targets[part]):
                raise self._changed()
            counted = None if self.weight is None else self.weight[part] != 0
            yield part, self.coding.columns(columns[:-count], levels, partial(place_in, batch), counted)
            start = part.stop
        if start != self.rows:
            raise self._changed()

    def in_memory(self) -> Design:
        """Read the rows once more, and keep their features."""
        parts = [columns for _, columns in self.parts()]
        held = [_joined([columns[at] for columns in parts]) for at in range(len(self.coding.names))]
        return Design(self.coding.names, len(held), self.rows, lambda rows: [tuple(piece[rows] for piece in of) for of in held])

    def _changed(self) -> DataError:
        return DataError(f"{self.asked.source.name}: its rows are not those of the first reading. Fit to data that nobody changes meanwhile.")


def _targets(columns: list[Parts], asked: Asked) -> Doubles:
    return np.column_stack([sum(parts) for parts in columns[-len(asked.targets) :]])


def _joined(pieces: list[Parts]) -> Parts:
    """Return a column of its pieces, of two parts where one of them has two."""
    high = np.concatenate([piece[0] for piece in pieces])
    if all(len(piece) == 1 for piece in pieces):
        return (high,)
    return high, np.concatenate([piece[1] if len(piece) > 1 else np.zeros_like(piece[0]) for piece in pieces])
