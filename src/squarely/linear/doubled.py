"""Doubled: arrays of unevaluated sums of two doubles, about 32 digits, with the arithmetic that a factorisation takes."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from squarely.state import Dyadic

__all__ = ["Doubled", "Doubles"]

Doubles = npt.NDArray[np.float64]
_SPLIT = 2.0**27 + 1


@dataclass(frozen=True, eq=False)
class Doubled:
    """The value ``high + low``, where low is at most half a unit in the last place of high.

    Sums and products are those of Hida, Li and Bailey (2001), Algorithms for quad-double precision floating point arithmetic: right to
    about 2^-104 of the result.
    """

    high: Doubles
    low: Doubles

    @classmethod
    def zeros(cls, *shape: int) -> "Doubled":
        """Return zeros."""
        return cls(np.zeros(shape), np.zeros(shape))

    @classmethod
    def identity(cls, size: int) -> "Doubled":
        """Return the identity matrix."""
        return cls(np.eye(size), np.zeros((size, size)))

    @classmethod
    def of(cls, exact: Dyadic, shifts: Any = 0, divisor: int = 1) -> "Doubled":
        """Return ``exact * 2^shifts / divisor``, rounded to 106 bits."""
        exponents = np.broadcast_to(np.asarray(shifts) + exact.exponent, exact.numerators.shape)
        pairs = [_two(n, e, divisor) for n, e in zip(exact.numerators.ravel().tolist(), exponents.ravel().tolist(), strict=True)]
        both = np.array(pairs, np.float64).reshape(*exact.numerators.shape, 2)
        return cls(*_fast_sum(both[..., 0], both[..., 1]))

    def exact(self, shifts: Any = 0) -> Dyadic:
        """Return the value times powers of two as integers, which may be far beyond doubles."""
        return Dyadic.of(self.high, shifts) + Dyadic.of(self.low, shifts)

    def copy(self) -> "Doubled":
        """Return the value in memory of its own."""
        return Doubled(self.high.copy(), self.low.copy())

    def __getitem__(self, key: Any) -> "Doubled":
        return Doubled(self.high[key], self.low[key])

    def __setitem__(self, key: Any, value: "Doubled") -> None:
        self.high[key], self.low[key] = value.high, value.low

    @property
    def T(self) -> "Doubled":  # noqa: N802  # NumPy's name
        """The transposed matrix."""
        return Doubled(self.high.T, self.low.T)

    def __neg__(self) -> "Doubled":
        return Doubled(-self.high, -self.low)

    def __add__(self, other: "Doubled") -> "Doubled":
        high, error = two_sum(self.high, other.high)
        low, rest = two_sum(self.low, other.low)
        high, error = _fast_sum(high, error + low)
        return Doubled(*_fast_sum(high, error + rest))

    def __sub__(self, other: "Doubled") -> "Doubled":
        return self + -other

    def __mul__(self, other: "Doubled") -> "Doubled":
        high, error = two_product(self.high, other.high)
        return Doubled(*_fast_sum(high, error + (self.high * other.low + self.low * other.high)))

    def __truediv__(self, other: "Doubled") -> "Doubled":
        first = self.high / other.high
        rest = self - other * Doubled(first, np.zeros_like(first))
        second = rest.high / other.high
        third = (rest - other * Doubled(second, np.zeros_like(second))).high / other.high
        high, low = _fast_sum(first, second)
        return Doubled(*_fast_sum(high, low + third))

    def scaled(self, exponents: Any) -> "Doubled":
        """Return the value times powers of two."""
        return Doubled(np.ldexp(self.high, exponents), np.ldexp(self.low, exponents))

    def sqrt(self) -> "Doubled":
        """Return square roots, by one step of Newton's method."""
        root = np.sqrt(self.high)
        square = Doubled(*two_product(root, root))
        correction = np.divide((self - square).high, 2 * root, out=np.zeros_like(root), where=root > 0)
        return Doubled(*_fast_sum(root, correction))


def two_sum(a: Doubles, b: Doubles) -> tuple[Doubles, Doubles]:
    """Return a + b and its rounding error (Knuth)."""
    total = a + b
    other = total - a
    return total, (a - (total - other)) + (b - other)


def two_product(a: Doubles, b: Doubles) -> tuple[Doubles, Doubles]:
    """Return a b and its rounding error (Dekker), for numbers of less than 2^996."""
    product = a * b
    a_high, b_high = _high(a), _high(b)
    a_low, b_low = a - a_high, b - b_high
    return product, ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low


def _high(a: Doubles) -> Doubles:
    shifted = a * _SPLIT
    return shifted - (shifted - a)


def _fast_sum(a: Doubles, b: Doubles) -> tuple[Doubles, Doubles]:
    total = a + b
    return total, b - (total - a)


def _two(numerator: int, exponent: int, divisor: int) -> tuple[float, float]:
    """Return the first 53 bits of ``numerator / divisor * 2^exponent``, and the next 53 or more."""
    finer = max(0, 120 + divisor.bit_length() - numerator.bit_length()) if divisor > 1 else 0
    whole = (numerator << finer) // divisor
    shift = max(whole.bit_length() - 53, 0)
    rest = whole - ((whole >> shift) << shift)
    tail = max(shift - 53, 0)
    exponent -= finer
    return math.ldexp(whole >> shift, exponent + shift), math.ldexp(rest >> tail, exponent + tail)
