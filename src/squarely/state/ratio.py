"""Ratio: an exact quotient of two integers, rounded once at the end."""

import math

__all__ = ["Ratio"]

_ROOT_BITS = 256  # a root keeps so many bits: far beyond the 53 of a double and what the formulas around it cancel

_BEYOND = 1 << 8192  # no root and no quotient of doubles brings it back into their range


class Ratio:
    """A quotient of integers that is never reduced, because reducing costs more than it saves.

    A denominator of 0 stands for an undefined value; arithmetic carries it along. Arrays of doubles may take the place of the integers,
    for many answers at once that need not be exact; their undefined values are nan or infinite.

    Parameters
    ----------
    numerator, denominator : int
    """

    __slots__ = ("denominator", "numerator")

    def __init__(self, numerator: int, denominator: int = 1) -> None:
        self.numerator = numerator
        self.denominator = denominator

    @classmethod
    def scaled(cls, numerator: int, exponent: int, denominator: int = 1) -> "Ratio":
        """Return numerator 2^exponent / denominator."""
        return cls(numerator << exponent, denominator) if exponent >= 0 else cls(numerator, denominator << -exponent)

    @classmethod
    def of(cls, value: float) -> "Ratio":
        """Return a double as the quotient that it is; undefined for nan, and beyond every double for an infinity."""
        try:
            numerator, denominator = value.as_integer_ratio()
        except ValueError:  # nan
            return cls(0, 0)
        except OverflowError:
            return cls(_BEYOND if value > 0 else -_BEYOND)
        return cls(numerator, denominator)

    @classmethod
    def middle(cls, low: float, high: float) -> "Ratio":
        """Return the mean of two doubles, which may be beyond the largest double on the way."""
        total = low + high
        if total - low == high and total - high == low:  # nothing was lost: the usual case of neighbours
            top, bottom = total.as_integer_ratio()
            return cls(top, 2 * bottom)
        return cls.of(low) if low == high else (cls.of(low) + cls.of(high)) / 2

    def __add__(self, other: "Ratio | int") -> "Ratio":
        if isinstance(other, int):
            return Ratio(self.numerator + other * self.denominator, self.denominator)
        return Ratio(
            self.numerator * other.denominator + other.numerator * self.denominator,
            self.denominator * other.denominator,
        )

    def __neg__(self) -> "Ratio":
        return Ratio(-self.numerator, self.denominator)

    def __abs__(self) -> "Ratio":
        return Ratio(abs(self.numerator), abs(self.denominator))

    def __sub__(self, other: "Ratio | int") -> "Ratio":
        if isinstance(other, int):
            return Ratio(self.numerator - other * self.denominator, self.denominator)
        return Ratio(
            self.numerator * other.denominator - other.numerator * self.denominator,
            self.denominator * other.denominator,
        )

    def __rsub__(self, other: int) -> "Ratio":
        return Ratio(other * self.denominator - self.numerator, self.denominator)

    def __mul__(self, other: "Ratio | int") -> "Ratio":
        if isinstance(other, int):
            return Ratio(self.numerator * other, self.denominator)
        return Ratio(self.numerator * other.numerator, self.denominator * other.denominator)

    __radd__ = __add__
    __rmul__ = __mul__

    def __truediv__(self, other: "Ratio | int") -> "Ratio":
        if isinstance(other, int):
            return Ratio(self.numerator, self.denominator * other)
        if (other.denominator == 0) is True:
            return Ratio(0, 0)
        return Ratio(self.numerator * other.denominator, self.denominator * other.numerator)

    def if_positive(self) -> "Ratio":
        """Return itself where it is above 0, and else an undefined value."""
        if isinstance(self.numerator, int):
            return self if (self.numerator > 0) == (self.denominator > 0) and self.numerator else Ratio(0, 0)
        return Ratio(self.numerator, self.denominator * (self.numerator / self.denominator > 0))

    def root(self) -> "Ratio":
        """Return the square root, exact where it is rational, and else right to more than 250 bits.

        Undefined below 0, where only sums of differences of states can lead.
        """
        numerator, denominator = self.numerator, self.denominator
        if not isinstance(numerator, int):
            return Ratio((numerator / denominator) ** 0.5)
        if denominator == 0 or numerator == 0:
            return self
        if denominator < 0:
            numerator, denominator = -numerator, -denominator
        if numerator < 0:
            return Ratio(0, 0)
        product = numerator * denominator
        zeros = (product & -product).bit_length() - 1
        if zeros % 2 == 0 and (product >> zeros) % 8 == 1:  # as in every square, and few other numbers
            whole = math.isqrt(product)
            if whole * whole == product:
                return Ratio(whole, denominator)
        shift = 2 * _ROOT_BITS + denominator.bit_length() - numerator.bit_length()
        shift += shift & 1
        radicand = (numerator << shift) // denominator if shift >= 0 else numerator // (denominator << -shift)
        half = shift // 2
        return Ratio(math.isqrt(radicand), 1 << half) if half >= 0 else Ratio(math.isqrt(radicand) << -half, 1)

    def rounded(self, exponent: int = 0) -> float:
        """Return the double nearest to the quotient times 2^exponent, ties to even; nan where the denominator is 0.

        A value beyond the largest double becomes infinite.
        """
        numerator, denominator = self.numerator, self.denominator
        if denominator == 0:
            return math.nan
        if exponent > 0:
            numerator <<= exponent
        elif exponent:
            denominator <<= -exponent
        try:
            return numerator / denominator  # Python rounds the quotient of integers correctly
        except OverflowError:
            return math.inf if (numerator > 0) == (denominator > 0) else -math.inf
