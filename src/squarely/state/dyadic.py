"""Dyadic: a matrix of integers times one power of two, so that sums and products of doubles are held exactly."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Dyadic", "Integers"]

Integers = npt.NDArray[np.object_]  # of Python's integers


@dataclass(frozen=True, eq=False)
class Dyadic:
    """The exact value ``numerators * 2^exponent``."""

    numerators: Integers
    exponent: int = 0

    @classmethod
    def zeros(cls, *shape: int) -> "Dyadic":
        """Return zeros."""
        return cls(np.zeros(shape, object))

    @classmethod
    def of(cls, values: Any, shifts: Any = 0) -> "Dyadic":
        """Return doubles times powers of two, exactly."""
        mantissas, exponents = np.frexp(np.asarray(values, np.float64))
        exponents = exponents + shifts
        integers = np.ldexp(mantissas, 53).astype(np.int64).astype(object)
        lowest = int(exponents.min(initial=0))
        return cls(integers << (exponents - lowest).astype(object), lowest - 53)

    def units(self, exponent: int) -> Integers:
        """Return the value in units of 2^exponent, which has to be no more than its own."""
        return self.numerators << (self.exponent - exponent) if self.exponent > exponent else self.numerators

    def __add__(self, other: "Dyadic") -> "Dyadic":
        low = min(self.exponent, other.exponent)
        return Dyadic(self.units(low) + other.units(low), low)

    def __sub__(self, other: "Dyadic") -> "Dyadic":
        low = min(self.exponent, other.exponent)
        return Dyadic(self.units(low) - other.units(low), low)

    def canonical(self) -> "Dyadic":
        """Return the one form of this value: its integers have no common factor of two."""
        bits = reduce(or_, self.numerators.ravel().tolist(), 0)
        shift = (bits & -bits).bit_length() - 1
        return Dyadic(self.numerators >> shift, self.exponent + shift) if bits else Dyadic(self.numerators)

    def block(self, rows: Any, columns: Any = None) -> "Dyadic":
        """Return chosen rows and columns; the columns are the rows where only those are given."""
        return Dyadic(self.numerators[np.ix_(rows, rows if columns is None else columns)], self.exponent)

    def merged(self, groups: Sequence[Sequence[int]]) -> "Dyadic":
        """Return sums of the rows and columns of each group."""
        flat = [at for group in groups for at in group]
        found = self.block(flat)
        if len(flat) == len(groups):
            return found
        starts = np.cumsum([0, *map(len, groups[:-1])])
        return Dyadic(np.add.reduceat(np.add.reduceat(found.numerators, starts, axis=0), starts, axis=1), found.exponent)

    def __matmul__(self, other: "Dyadic") -> "Dyadic":
        return Dyadic(self.numerators @ other.numerators, self.exponent + other.exponent)

    def __neg__(self) -> "Dyadic":
        return Dyadic(-self.numerators, self.exponent)

    def nearest(self) -> npt.NDArray[np.float64]:
        """Return the nearest doubles."""
        return self.over(1)

    def over(self, divisor: int) -> npt.NDArray[np.float64]:
        """Return the doubles nearest to the value over an integer above 0."""
        up, down = (1 << max(self.exponent, 0)), divisor << max(-self.exponent, 0)
        flat = [_quotient(value * up, down) for value in self.numerators.ravel().tolist()]
        return np.array(flat, np.float64).reshape(self.numerators.shape)


def _quotient(numerator: int, denominator: int) -> float:
    try:
        return numerator / denominator  # Python rounds the quotient of integers correctly
    except OverflowError:
        return math.inf if numerator > 0 else -math.inf
