"""Sums of products of columns as integers: blocks of rows are cut into digits, multiplied, and added up exactly."""

from collections.abc import Sequence

import numpy as np

from squarely import _core
from squarely.state.digits import ROWS, WIDTH, Digits, Doubles, exact_product
from squarely.state.dyadic import Dyadic

__all__ = ["Parts", "Products"]

Parts = tuple[Doubles, ...]  # a column whose values are the exact sums of these

_MOST_ADDED = 1 << 9  # sums of a block are at most 2^53, so as many of them fit into 64 bits with one to spare


class Products:
    """``sum of weight * z_i * z_j`` over rows, for each pair of columns, as integers times a power of two.

    Digits of equal weight meet in one 64-bit integer for each pair of columns; before these could overflow they go over to integers of any length.
    """

    def __init__(self, columns: int) -> None:
        self._count = columns
        self._weighted, self._plain = Digits(columns), Digits(columns)
        self._left = self._plain  # of the sums that are not in the total yet
        self._total = Dyadic.zeros(columns, columns)
        self._sums = np.zeros((columns, columns, 0), np.int64)
        self._lowest = 0  # place of the first of these sums
        self._added = 0  # the most sums of blocks that one of them may hold

    def add(self, columns: Sequence[Parts], weight: Doubles | None) -> None:
        """Add rows; a column is one array, or several that add up to it."""
        rows = len(columns[0][0])
        for start in range(0, rows, ROWS):
            here = slice(start, min(start + ROWS, rows))
            self._add_block([tuple(part[here] for part in parts) for parts in columns], None if weight is None else weight[here])

    def _add_block(self, columns: Sequence[Parts], weight: Doubles | None) -> None:
        right = self._plain
        right.clear(len(columns[0][0]))
        for at, parts in enumerate(columns):
            for part in parts:
                right.add(at, part)
        if weight is None:
            self._deposit(right, right)
            return
        left = self._weighted
        left.clear(len(weight))
        for at, parts in enumerate(columns):
            for part, exponent in exact_product(parts, weight):
                left.add(at, part, exponent)
        self._deposit(left, right)

    def _deposit(self, left: Digits, right: Digits) -> None:
        sums = np.empty((len(left.planes), len(right.planes)), np.int64)
        _core.multiply_digits(left.planes, right.planes, right.rows, sums)
        places = left.places[:, None] + right.places
        if not places.size:
            return
        if left is not self._left:
            self.total()
            self._left = left
        self._make_room(int(places.min()), int(places.max()), left.deepest)
        at = (left.columns[:, None] * self._count + right.columns) * self._sums.shape[2] + (places - self._lowest)
        np.add.at(self._sums.reshape(-1), at.reshape(-1), sums.reshape(-1))

    def _make_room(self, lowest: int, highest: int, more: int) -> None:
        """See to it that sums of these places can take more deposits."""
        there = self._sums.shape[2]
        inside = self._lowest <= lowest and highest < self._lowest + there
        if not inside or self._added + more > _MOST_ADDED:
            self.total()
            if not inside:
                first, last = (min(lowest, self._lowest), max(highest, self._lowest + there - 1)) if there else (lowest, highest)
                self._sums, self._lowest = np.zeros((self._count, self._count, last - first + 1), np.int64), first
        self._added += more

    def total(self) -> Dyadic:
        """Return the sums so far."""
        if self._added:
            offsets = np.maximum(self._left.offsets[:, None], 0) + np.maximum(self._plain.offsets, 0)
            for at in range(self._sums.shape[2]):
                self._total += Dyadic(self._sums[:, :, at].astype(object) << offsets.astype(object), WIDTH * (self._lowest + at))
            self._sums[:] = 0
            self._added = 0
        return self._total
