"""The rows of a fit once more: what moments do not know, such as residuals and leverages, block by block in constant memory."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from squarely.errors import DataError
from squarely.linear.doubled import Doubled, Doubles, two_sum
from squarely.linear.equations import NormalEquations
from squarely.linear.estimator import GramEstimator
from squarely.linear.labels import labels_of_rows, read_labels
from squarely.linear.model import is_names, one_for_all
from squarely.linear.reading import Asked, place_in
from squarely.linear.terms import Parts
from squarely.state import Dyadic
from squarely.state.gram import row_weights
from squarely.validate import blocks, design

__all__ = ["Again", "Block", "Coordinates"]

_SAME = 1e-9  # relative difference of two sums of the same squared residuals


@dataclass(frozen=True, eq=False)
class Coordinates:
    """Rows as the fit sees them: z = (1, x) becomes q = M z with M'M = (Z'WZ)^-1, so that columns of sqrt(w) q are orthonormal.

    Features are centred, and residuals formed, with 32 digits: neither a large mean nor a good fit costs any of them.
    """

    equations: NormalEquations
    coefficients: Dyadic

    @cached_property
    def _means(self) -> Doubled:
        e = self.equations
        count = len(e.features) + len(e.targets)
        if not e.intercept:
            return Doubled.zeros(count, 1)
        return Doubled.of(Dyadic(e.sums.numerators.T, e.sums.exponent - e.weight.exponent), 0, e.weight.numerators[0, 0])

    @cached_property
    def _root(self) -> Doubles:
        return self.equations.factor.inverse_root()

    @cached_property
    def _slopes(self) -> Doubled:
        return Doubled.of(self.coefficients)

    @cached_property
    def back(self) -> Doubles:
        """M: a covariance of sums over q becomes one of estimates by M' S M; 0 for a feature that depends on others."""
        return np.nan_to_num(self.equations.inverse_root, nan=0.0)

    def centred(self, columns: list[Parts]) -> Doubled:
        """Return columns less their means, a row for each column; features come before targets, which may be missing."""
        high = np.stack([parts[0] for parts in columns])
        low = np.stack([parts[1] if len(parts) > 1 else np.zeros_like(parts[0]) for parts in columns])
        return Doubled(*two_sum(high, low)) - self._means[: len(columns)]

    def orthonormal(self, features: Doubled) -> Doubles:
        """Return q of centred features, k x n; a dependent feature has a row of 0."""
        found: Doubles = self._root @ features.high
        if not self.equations.intercept:
            return found
        weight = self.equations.weight.nearest()[0, 0]
        return np.vstack([np.full((1, found.shape[1]), 1 / np.sqrt(weight)), found])

    def residuals(self, rows: Doubled) -> Doubles:
        """Return y less its prediction, t x n, of centred features and targets."""
        count = len(self.equations.features)
        found = rows[count:]
        for at in range(count):
            found = found - self._slopes[at][:, None] * rows[at][None, :]
        return found.high


class Block(NamedTuple):
    """Some rows of a fit."""

    start: int
    features: Doubled  # centred, p x n
    q: Doubles  # sqrt(w) M z, k x n: orthonormal over all rows
    targets: Doubles  # y, t x n
    residuals: Doubles  # y less its prediction, t x n
    root_weight: Doubles  # sqrt(w), n
    labels: npt.NDArray[Any] | None  # of groups

    def taken(self, chosen: Any) -> "Block":
        """Return some of the rows."""
        return Block(
            self.start,
            self.features[:, chosen],
            self.q[:, chosen],
            self.targets[:, chosen],
            self.residuals[:, chosen],
            self.root_weight[chosen],
            None if self.labels is None else self.labels[chosen],
        )

    @property
    def leverages(self) -> Doubles:
        """The diagonal of the hat matrix."""
        found: Doubles = (self.q * self.q).sum(axis=0)
        return found


@dataclass(frozen=True, eq=False)
class Again:
    """The rows that a model was fitted to, opened a second time; other rows are refused at the end of the pass."""

    model: GramEstimator
    data: Any
    target: Any
    sample_weight: Any = None
    groups: Any = None
    in_sums: bool = False  # whether nothing is told of single rows, so that the level of a row of weight 0 need not be known

    @cached_property
    def coordinates(self) -> Coordinates:
        """The coordinates of the fit."""
        return Coordinates(self.model.equations_, self.model.exact_coef_)

    def blocks(self) -> Iterator[Block]:
        """Yield the rows in their order."""
        equations, count = self.model.equations_, len(self.model.equations_.features)
        equations.refuse_extremes(equations.targets)
        start = seen = 0
        squares = np.zeros(len(equations.targets))
        for columns, weight, labels in self._named() if is_names(self.target) else self._arrays():
            with np.errstate(over="ignore", invalid="ignore"):
                centred = self.coordinates.centred(columns)
                residuals = self.coordinates.residuals(centred)
            if not np.isfinite(residuals).all():
                raise DataError(
                    "residuals of the fit cannot be formed: values of a feature, or its coefficient, are near the largest double. "
                    "Give features in other units."
                )
            features = centred[:count]
            rows = centred.high.shape[1]
            root = np.ones(rows) if weight is None else np.sqrt(weight)
            squares += ((residuals * root) ** 2).sum(axis=1)
            seen += int(np.count_nonzero(root))
            targets = np.stack([sum(parts) for parts in columns[count:]])
            yield Block(start, features, self.coordinates.orthonormal(features) * root, targets, residuals, root, labels)
            start += rows
        self._compare(seen, squares)

    def _compare(self, seen: int, squares: Doubles) -> None:
        """Refuse rows that are not those of the fit: their number and their sum of squared residuals are known exactly."""
        equations = self.model.equations_
        expected = equations.residual_squares(self.model.exact_coef_)
        if seen == equations.rows and (np.abs(squares - expected) <= _SAME * expected + 1e-26 * equations.total_squares).all():
            return
        what = f"{seen:,} rows of a weight above 0" if seen != equations.rows else f"rows whose squared residuals add up to {squares[0]:.6g}"
        told = f"{equations.rows:,}" if seen != equations.rows else f"rows where they add up to {expected[0]:.6g}"
        raise DataError(f"{what} were given, and the model was fitted to {told}. Give the rows and weights of the fit, each once.")

    def _named(self) -> Iterator[tuple[list[Parts], Doubles | None, npt.NDArray[Any] | None]]:
        coding = self.model._coding
        features = list(coding.schema.features) if self.model._features_of_fit is None else self.model._features_of_fit
        asked = Asked.of(self.data, self.target, features, self.sample_weight, () if self.groups is None else self.groups, coding.schema.categories)
        if len(asked.by) > 1:
            raise DataError(
                f"groups= names {len(asked.by)} columns, {', '.join(map(repr, asked.by))}; expected one. Make a column of their pairs first."
            )
        count = len(asked.targets)
        for columns, weight, coded, batch, _ in asked.batches():
            labels = [read_labels(keys, place_in(batch, name)) for name, keys in zip(asked.by, batch.keys, strict=False)]
            counted = weight != 0 if self.in_sums and weight is not None else None
            numbers = coding.columns(columns[:-count], coded, partial(place_in, batch), counted)
            yield [*numbers, *columns[-count:]], weight, labels[0] if labels else None

    def _arrays(self) -> Iterator[tuple[list[Parts], Doubles | None, npt.NDArray[Any] | None]]:
        features = self.model._dense(self.data, first=False, weight=self.sample_weight if self.in_sums else None)
        targets = design(self.target, "y")
        if features.rows != targets.rows:
            raise DataError(f"X has {features.rows} rows and y {targets.rows}; expected one target per row.")
        weight = None if self.sample_weight is None else row_weights(one_for_all(self.sample_weight, features.rows), features.rows)
        labels = None if self.groups is None else labels_of_rows(self.groups, features.rows)
        for rows in blocks(features.rows, features.columns):
            yield [*features.read(rows), *targets.read(rows)], None if weight is None else weight[rows], None if labels is None else labels[rows]
