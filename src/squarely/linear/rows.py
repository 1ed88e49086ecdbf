"""Rows that are read again and again: each sweep over them makes a Gram state or predictions, and is counted."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from squarely.linear.coding import Coding
from squarely.linear.doubled import Doubles
from squarely.linear.equations import NormalEquations
from squarely.linear.model import one_for_all
from squarely.linear.reading import Asked
from squarely.linear.swept import Swept
from squarely.linear.terms import Parts
from squarely.sources import Keys
from squarely.state import Dyadic, GramState
from squarely.validate import Design, blocks, column, design

__all__ = ["Line", "Rows"]


@dataclass(frozen=True, eq=False)
class Line:
    """Coefficients of one target, and the equations that they solve."""

    equations: NormalEquations
    coefficients: Doubles
    intercept: float

    @classmethod
    def of(cls, state: GramState, *, intercept: bool) -> "Line":
        """Return the least squares of a state with one target."""
        equations = NormalEquations.of(state, intercept=intercept)
        exact = equations.coefficients
        return cls(equations, exact.nearest()[:, 0], float(equations.intercepts_of(exact)[0]))

    def change(self, other: "Line") -> float:
        """Return the root of the mean square difference of the predictions of two lines, on the rows and weights of this one."""
        step, shift = self.coefficients - other.coefficients, self.intercept - other.intercept
        root, _ = self.equations.root
        if not self.equations.intercept:  # it may be the first feature
            step = np.append(shift, step)[-len(root) :]
        apart = float(np.linalg.norm(root @ step)) / math.sqrt(self.equations.weight.nearest()[0, 0])
        between = shift + float(self.equations.means[: len(step)] @ step) if self.equations.intercept else 0.0
        return math.hypot(apart, between)

    def toward(self, other: "Line", share: float) -> "Line":
        """Return the line a share of the way to another, whose equations it has."""
        if share == 1:
            return other
        coefficients = self.coefficients + share * (other.coefficients - self.coefficients)
        return Line(other.equations, coefficients, self.intercept + share * (other.intercept - self.intercept))

    @property
    def spread(self) -> float:
        """The root of the mean square of its residuals."""
        squares = self.equations.residual_squares(self.equations.coefficients)[0]
        return float(np.sqrt(squares / self.equations.weight.nearest()[0, 0]))


@dataclass(eq=False)
class Rows:
    """Targets of shape (n, t) and weights in memory, and features there or in a source; ``passes`` says how often these were read."""

    features: Design | Swept
    names: tuple[str, ...]
    targets: Doubles
    weight: Doubles | None
    state: GramState  # of the rows as they are given
    intercept: bool
    passes: int = 1
    omitted: int = 0
    places: npt.NDArray[np.intp] | None = None  # which of the rows that were given these are, where others were left out
    groups: Keys | None = None  # of each row

    @classmethod
    def of(cls, features: Design, y: Any, sample_weight: Any, *, intercept: bool) -> "Rows":
        """Read rows for the first time, and refuse what is missing or infinite."""
        sample_weight = one_for_all(sample_weight, features.rows)
        state = GramState().add_design(features, y, sample_weight)
        targets = np.column_stack([sum(parts) for parts in design(y, "y").read(slice(0, features.rows))])
        weight = None if sample_weight is None else column(sample_weight, "sample_weight")[0].astype(np.float64)
        return cls(features, state.features, targets, weight, state, intercept)

    @classmethod
    def of_source(cls, asked: Asked, *, intercept: bool, in_memory: bool) -> tuple["Rows", Coding]:
        """Read the rows of a source for the first time; return them, and how categories are coded."""
        swept, state = Swept.first(asked, intercept=intercept)
        features = swept.in_memory() if in_memory else swept
        known = swept.omitted, swept.places, swept.groups
        return cls(features, swept.coding.names, swept.targets, swept.weight, state, intercept, 1 + in_memory, *known), swept.coding

    @cached_property
    def equations(self) -> NormalEquations:
        """The equations of the rows as they are given."""
        return NormalEquations.of(self.state, intercept=self.intercept)

    @property
    def count(self) -> float:
        """The sum of the weights: how many rows there are, where a weight of 2 is a row given twice."""
        return float(self.equations.weight.nearest()[0, 0])

    def parts(self) -> Iterator[tuple[slice, list[Parts]]]:
        """Read the features once more, some rows at a time."""
        self.passes += 1
        if isinstance(self.features, Swept):
            return self.features.parts()
        return ((part, self.at(part)) for part in blocks(self.features.rows))

    def neighbours(self, part: slice) -> npt.NDArray[np.bool_]:
        """Say of each row, from the one before this part on, whether it comes right before the next in what was given."""
        count = len(range(max(part.start - 1, 0), part.stop)) - 1
        return np.ones(count, np.bool_) if self.places is None else np.diff(self.places[max(part.start - 1, 0) : part.stop]) == 1

    def at(self, part: slice) -> list[Parts]:
        """Return the features of some rows, which are in memory."""
        assert isinstance(self.features, Design), "an estimator that looks rows up has them in memory"
        return self.features.read(part)

    def matrix(self, part: slice) -> Doubles:
        """Return some rows of the features, which are in memory."""
        return _matrix(self.at(part), part)

    def fitted(self, target: Doubles, weight: Doubles | None, *, intercept: bool | None = None) -> Line:
        """Return the least squares of a target with these weights, which take the place of those given; an intercept may be asked for."""
        state = GramState(self.names, ("y",))
        for part, columns in self.parts():
            state.add_columns([*columns, (target[part],)], None if weight is None else weight[part])
        return Line.of(state, intercept=self.intercept if intercept is None else intercept)

    def moments(self, weight: Doubles) -> Dyadic:
        """Return ``sum of weight z z'`` with z = (1, features), exactly."""
        state = GramState(self.names, ("1",))  # a category of one level leaves no feature, and a state counts the rows of a column
        for part, columns in self.parts():
            state.add_columns([*columns, (np.ones(part.stop - part.start),)], weight[part])
        return state.moments.block(range(1 + len(self.names)))

    def ordinary(self, target: Doubles) -> Line:
        """Return the least squares of a target with the weights given; where it is the only one they are known from the first reading."""
        return Line.of(self.state, intercept=self.intercept) if self.targets.shape[1] == 1 else self.fitted(target, self.weight)

    def predicted(self, coefficients: Doubles, intercept: float) -> Doubles:
        """Return predictions, each a sum in the order of the features: a product of matrices rounds a row by its place among others."""
        found = np.full(self.features.rows, float(intercept))
        for part, columns in self.parts():
            for pieces, coefficient in zip(columns, coefficients, strict=True):
                found[part] += sum(pieces[1:], pieces[0]) * coefficient
        return found

    def kept(self, at: npt.NDArray[np.intp]) -> "Rows":
        """Return some of the rows, without weights."""
        matrix = np.empty((len(at), len(self.names)))
        for part, columns in self.parts():
            inside = slice(*np.searchsorted(at, (part.start, part.stop)))
            matrix[inside] = _matrix(columns, part)[at[inside] - part.start]
        return Rows.of(design(matrix, "X")._replace(names=self.names), self.targets[at], None, intercept=self.intercept)

    def weighted(self, weight: Doubles) -> Doubles:
        """Return weights times those given."""
        return weight if self.weight is None else weight * self.weight

    def size(self, values: Doubles) -> float:
        """Return the root of the mean square of what each row has."""
        return math.sqrt(np.average(values**2, weights=self.weight))


def _matrix(columns: list[Parts], part: slice) -> Doubles:
    return np.array([sum(pieces) for pieces in columns]).reshape(len(columns), part.stop - part.start).T
