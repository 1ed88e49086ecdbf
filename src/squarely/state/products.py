"""Sums of products of columns as integers: blocks of rows are cut into digits, multiplied, and added up exactly."""

from collections.abc import Iterator, Sequence

import numpy as np

from squarely import _core
from squarely.state.digits import ROWS, Digits, Doubles, exact_product
from squarely.state.dyadic import Dyadic, Integers
from squarely.state.places import PlaceSums
from squarely.state.threads import threads

__all__ = ["Parts", "Products", "blocks_of"]

_WORTH_A_THREAD = 1 << 21  # products
Parts = tuple[Doubles, ...]  # a column whose values are the exact sums of these


class Products:
    """``sum of weight * z_i * z_j`` over rows, for each pair of columns, as integers times a power of two.

    Digits of equal weight meet in one 64-bit integer for each pair of columns.
    """

    def __init__(self, columns: int) -> None:
        self._count = columns
        self._weighted, self.plain = Digits(columns), Digits(columns)
        self._left = self.plain  # of the sums that are not in the total yet
        self._sums = PlaceSums(columns, columns)

    def cut(self, columns: Sequence[Parts], weight: Doubles | None) -> tuple[Digits, Digits]:
        """Return the digits of weight times columns, and of columns, of one block; a column is one array, or several that add up to it."""
        right = self.plain
        right.clear(len(columns[0][0]))
        for at, parts in enumerate(columns):
            for part in parts:
                right.add(at, part)
        if weight is None:
            return right, right
        left = self._weighted
        left.clear(len(weight))
        for at, parts in enumerate(columns):
            for part, exponent in exact_product(parts, weight):
                left.add(at, part, exponent)
        return left, right

    def deposit(self, left: Digits, right: Digits) -> None:
        """Add the products of the digits of a block."""
        sums = np.empty((len(left.planes), len(right.planes)), np.int64)
        worth = right.rows * sums.size // _WORTH_A_THREAD
        _core.multiply_digits(left.planes, right.planes, right.rows, sums, min(threads(), worth) if worth > 1 else 1)
        places = left.places[:, None] + right.places
        if not places.size:
            return
        if left is not self._left:
            self.total()
            self._left = left
        self._sums.make_room(int(places.min()), int(places.max()), left.deepest, self._offsets)
        found = self._sums.sums
        at = (left.columns[:, None] * self._count + right.columns) * found.shape[2] + (places - self._sums.lowest)
        np.add.at(found.reshape(-1), at.reshape(-1), sums.reshape(-1))

    def _offsets(self) -> Integers:
        found: Integers = (np.maximum(self._left.offsets[:, None], 0) + np.maximum(self.plain.offsets, 0)).astype(object)
        return found

    def total(self) -> Dyadic:
        """Return the sums so far."""
        return self._sums.total(self._offsets)


def blocks_of(rows: int) -> Iterator[slice]:
    """Yield the blocks that digits are cut of."""
    return (slice(start, min(start + ROWS, rows)) for start in range(0, rows, ROWS))
