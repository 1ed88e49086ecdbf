"""Dyadic: a matrix of integers times one power of two, so that sums and products of doubles are held exactly."""

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
    def of(cls, values: Any) -> "Dyadic":
        """Return doubles, exactly."""
        mantissas, exponents = np.frexp(np.asarray(values, np.float64))
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

    def rows(self, chosen: Any) -> "Dyadic":
        """Return some of the rows and the same columns."""
        return Dyadic(self.numerators[np.ix_(chosen, chosen)], self.exponent)
