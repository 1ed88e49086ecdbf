"""Moments of the errors, from the exact sums of pairs that were made of them."""

import math
from fractions import Fraction
from typing import NamedTuple

from squarely.state import PairState, Ratio, Sums

__all__ = ["Moments", "moments_of", "rounded", "total_of"]


class Moments(NamedTuple):
    """Weight, mean and central moments of errors, rounded once."""

    weight: float
    mean: float
    second: float
    third: float
    fourth: float

    @property
    def skewness(self) -> float:
        """The third standardised moment."""
        return self.third / self.second**1.5 if self.second > 0 else math.nan

    @property
    def kurtosis(self) -> float:
        """The fourth standardised moment, 3 for a normal law."""
        return self.fourth / self.second**2 if self.second > 0 else math.nan


def total_of(sums: Sums, integer: int, degree: int) -> Fraction:
    """Return a sum of w times something of a degree, exactly."""
    total = sums.total(integer, degree)
    return Fraction(total.numerator, total.denominator)


def moments_of(state: PairState) -> Moments:
    """Return the moments of e from the exact sums of pairs (e^2, e)."""
    s = state.sums
    if not s.n or not s.w:
        return Moments(0.0, *(math.nan,) * 4)
    w = total_of(s, s.w, 0)
    m1, m2, m3, m4 = (total_of(s, integer, degree) / w for integer, degree in ((s.p, 1), (s.pp, 2), (s.yp, 2), (s.yy, 2)))
    second = m2 - m1**2
    third = m3 - 3 * m1 * m2 + 2 * m1**3
    fourth = m4 - 4 * m1 * m3 + 6 * m1**2 * m2 - 3 * m1**4
    return Moments(*(rounded(each) for each in (w, m1, second, third, fourth)))


def rounded(value: Fraction) -> float:
    """Return the nearest double."""
    return Ratio(value.numerator, value.denominator).rounded()
