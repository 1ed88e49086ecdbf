"""Columns of doubles as digits: planes of small integers, whose products are added without rounding.

A value is ``sum of digit * 2^exponent`` with digits of at most 2^20 in size, exactly. A product of two digits is an integer of at most 2^40, and
2^13 rows of them add up to at most 2^53: every partial sum, in any order, fused or not, is an integer that a double holds. So products of
matrices of digits are exact at the speed of ordinary ones, on any processor.
"""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from squarely import _core

__all__ = ["ROWS", "WIDTH", "Digits", "Doubles", "exact_product"]

Doubles = npt.NDArray[np.float64]

ROWS = 1 << 13  # of a block
WIDTH = 21  # bits between two digits of a column
_TOP = 18  # a first digit has 2 bits to spare for the rows of later blocks
_BAND = 450  # binary orders that a band spans: a product of two such numbers, and its rounding error, stay normal doubles


class Digits:
    """The digits of one block of columns, and the grid they lie on: a column's exponents differ by multiples of ``WIDTH``."""

    rows: int

    def __init__(self, columns: int) -> None:
        self.offsets = np.full(columns, -1)  # of the grid of each column, set by the first number in it
        self._planes = np.empty((4 * columns + 4, ROWS))
        self._rest = np.empty(ROWS)
        self.clear(0)

    def clear(self, rows: int) -> None:
        """Forget the digits and begin a block of so many rows; the grids stay."""
        self.rows = rows
        self._columns: list[int] = []
        self._places: list[int] = []

    @property
    def planes(self) -> Doubles:
        """The digits, one plane a row; what lies beyond the rows of the block means nothing."""
        return self._planes[: len(self._columns)]

    @property
    def columns(self) -> npt.NDArray[np.intp]:
        """The column each plane is of."""
        return np.array(self._columns, np.intp)

    @property
    def places(self) -> npt.NDArray[np.int64]:
        """The place of each plane on the grid of its column: its exponent is ``WIDTH * place + offset``."""
        return np.array(self._places, np.int64)

    @property
    def deepest(self) -> int:
        """The most planes that a column has."""
        return int(np.bincount(self.columns).max(initial=0))

    def add(self, column: int, values: Doubles, exponent: int = 0) -> None:
        """Cut ``values * 2^exponent`` into planes of a column; values of one column add up."""
        top = _top(values)
        if top is None:
            return
        if self.offsets[column] < 0:
            self.offsets[column] = (top + exponent - _TOP) % WIDTH
        offset = int(self.offsets[column])
        place = -((offset + 20 - top - exponent) // WIDTH)  # the lowest with |values| <= 2^20 units
        down = WIDTH * place + offset - exponent
        if -1000 <= down <= 0:
            self._cut(column, values, place, -down)
            return
        for part, shift in bands(values):  # scaling down could lose the last bits of small values, and 2^1001 times 2^20 is no double
            self.add(column, part, exponent + shift)

    def _cut(self, column: int, values: Doubles, place: int, up: int) -> None:
        rest, scale = self._rest[: self.rows], 2.0**up
        while True:
            if len(self._columns) == len(self._planes):
                self._planes = np.vstack((self._planes, np.empty_like(self._planes)))
            left = _core.cut_digits(values, scale, self._planes[len(self._columns), : self.rows], rest)
            self._columns.append(column)
            self._places.append(place)
            if not left:
                return
            down = min(max(1, -(math.frexp(left)[1] // WIDTH)), 40)  # planes of nothing but zeros are left out
            values, scale, place = rest, 2.0 ** (WIDTH * down), place - down


def _top(values: Doubles) -> int | None:
    """Return the least t with all |values| < 2^t; None where all are 0."""
    size = max(float(values.max(initial=0.0)), -float(values.min(initial=0.0)))
    return math.frexp(size)[1] if size else None


def bands(values: Doubles) -> list[tuple[Doubles, int]]:
    """Return parts of less than 1 and at least 2^-450 in size, each with its exponent, that add up to the values."""
    found: list[tuple[Doubles, int]] = []
    while (top := _top(values)) is not None:
        scaled = values * 2.0**-top if abs(top) < 1000 else np.ldexp(values, -top)
        small = (np.abs(scaled) < 2.0**-_BAND) & (values != 0)
        if not small.any():
            return [*found, (scaled, top)]
        found.append((np.where(small, 0.0, scaled), top))
        values = np.where(small, values, 0.0)
    return found


def exact_product(a: Sequence[Doubles], b: Doubles) -> list[tuple[Doubles, int]]:
    """Return ``(sum of a) * b`` as parts with exponents that add up to it, without rounding."""
    return [piece for part in a for piece in _product(part, b)]


def _product(a: Doubles, b: Doubles) -> list[tuple[Doubles, int]]:
    product, error = np.empty_like(a), np.empty_like(a)
    if _core.multiply_exactly(a, b, product, error):
        return [(product, 0), (error, 0)]
    found = []
    for left, left_exponent in bands(a):
        for right, right_exponent in bands(b):
            product, error = np.empty_like(a), np.empty_like(a)
            _core.multiply_exactly(left, right, product, error)
            found += [(product, left_exponent + right_exponent), (error, left_exponent + right_exponent)]
    return found
