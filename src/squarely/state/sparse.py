"""Moments of sparse features: products of digits over the numbers that are there, and no block of zeros."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from squarely.state.digits import ROWS, Digits, Doubles, exact_product
from squarely.state.dyadic import Dyadic, Integers
from squarely.state.places import PlaceSums
from squarely.state.products import Parts, Products
from squarely.validate import exact_parts

__all__ = ["SparseProducts"]

Planes = list[tuple[Doubles, int]]  # digits of the numbers that are there, with their places


class _Cut:
    """The numbers of sparse rows as digits on one grid, that of the first: planes of as many numbers, and their places."""

    def __init__(self) -> None:
        self._digits = Digits(1)

    def planes(self, parts: Sequence[tuple[Doubles, int]]) -> Planes:
        """Return the planes of parts with exponents, each with its place."""
        found: dict[tuple[int, int, int], Doubles] = {}
        for number, (values, exponent) in enumerate(parts):
            for start in range(0, len(values), ROWS):
                here = slice(start, min(start + ROWS, len(values)))
                self._digits.clear(here.stop - start)
                self._digits.add(0, values[here], exponent)
                seen: dict[int, int] = {}  # numbers of very different sizes are cut in several bands, which may share a place
                for plane, place in zip(self._digits.planes, self._digits.places.tolist(), strict=True):
                    seen[place] = seen.get(place, 0) + 1
                    found.setdefault((number, place, seen[place]), np.zeros(len(values)))[here] = plane[: here.stop - start]
        return [(plane, place) for (_, place, _), plane in found.items()]

    @property
    def offset(self) -> int:
        """The offset of the grid."""
        return max(int(self._digits.offsets[0]), 0)


class SparseProducts:
    """``sum w z z'`` of z = (1, features, targets), with features as compressed rows; the same integers as those of dense columns."""

    def __init__(self, features: int, targets: int, *, weighted: bool) -> None:
        self._plain = _Cut()
        self._left = _Cut() if weighted else self._plain
        self._dense = Products(1 + targets)
        self._dense_left = self._dense.plain
        self._squares, self._beside = PlaceSums(features, features), PlaceSums(features, 1 + targets)
        self.rows = 0

    def add(self, features: Any, targets: Sequence[Parts], weight: Doubles | None) -> None:
        """Add at most 2^13 rows of finite numbers and weights above 0."""
        rows = features.shape[0]
        self._dense_left, right = self._dense.cut([(np.ones(rows),), *targets], weight)
        self._dense.deposit(self._dense_left, right)
        parts = exact_parts(features.data)
        plain = self._plain.planes([(part, 0) for part in parts])
        weighted = plain if weight is None else self._left.planes(exact_product(parts, np.repeat(weight, np.diff(features.indptr))))
        if plain:
            self._add_squares(features, weighted, plain)
            self._add_beside(features, plain, self._dense_left)
        self.rows += rows

    def _add_squares(self, features: Any, left: Planes, right: Planes) -> None:
        ends = [[place for _, place in planes] for planes in (left, right)]
        self._squares.make_room(sum(map(min, ends)), sum(map(max, ends)), len(left) * len(right), self._offset)
        matrices = [(_with(features, plane), place) for plane, place in right]
        for plane, place in left:
            turned = _with(features, plane).T.tocsr()
            for matrix, other in matrices:
                found = (turned @ matrix).tocoo()
                self._squares.sums[found.row, found.col, place + other - self._squares.lowest] += found.data.astype(np.int64)

    def _add_beside(self, features: Any, plain: Planes, dense: Digits) -> None:
        """Add the products with the constant and the targets, which are taken with their weights."""
        ends = [place for _, place in plain]
        lowest, highest = min(ends) + int(dense.places.min()), max(ends) + int(dense.places.max())
        self._beside.make_room(lowest, highest, len(plain) * dense.deepest, self._offsets_beside)
        for plane, place in plain:
            sums = (_with(features, plane).T @ dense.planes[:, : dense.rows].T).astype(np.int64)
            for at, (column, other) in enumerate(zip(dense.columns.tolist(), dense.places.tolist(), strict=True)):
                self._beside.sums[:, column, place + other - self._beside.lowest] += sums[:, at]

    def _offset(self) -> Integers:
        return np.array(self._left.offset + self._plain.offset, object)

    def _offsets_beside(self) -> Integers:
        found: Integers = (np.maximum(self._dense_left.offsets, 0) + self._plain.offset).astype(object)
        return found

    def total(self) -> Dyadic:
        """Return the moments so far."""
        dense, squares, beside = self._dense.total(), self._squares.total(self._offset), self._beside.total(self._offsets_beside)
        low = min(dense.exponent, squares.exponent, beside.exponent)
        size = len(squares.numerators)
        x, others = np.arange(1, 1 + size), [0, *range(1 + size, size + len(dense.numerators))]
        found = np.zeros((size + len(dense.numerators),) * 2, object)
        found[np.ix_(others, others)] = dense.units(low)
        found[np.ix_(x, x)] = squares.units(low)
        found[np.ix_(x, others)] = beside.units(low)
        found[np.ix_(others, x)] = beside.units(low).T
        return Dyadic(found, low)


def _with(rows: Any, values: Doubles) -> Any:
    """Return sparse rows with other numbers at the same places."""
    found = rows.copy()
    found.data = values
    return found
