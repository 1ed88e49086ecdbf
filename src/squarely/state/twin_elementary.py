"""Double-doubles, logarithm and exponential of the NumPy twin: operation by operation what ``cpp/elementary.hpp`` does."""

from typing import NamedTuple, overload

import numpy as np
import numpy.typing as npt

__all__ = [
    "INVERSE_LOG2", "LOG2", "LOG2_HIGH", "LOG2_LOW", "Doubles", "Exponential", "Logarithm", "Mask", "Split", "Two", "absolute", "add", "choose",
    "clamp", "constant", "divide", "exactly", "exponential", "logarithm", "logarithm_series", "multiply", "nearest_integer", "negative",
    "polynomial", "power_of_two", "product_error", "quick_two_sum", "scale", "split", "times", "two_product", "two_sum", "wide_polynomial",
]  # fmt: skip

Doubles = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
_Number = Doubles | float

_BIAS = 2.0**52 + 1023
LOG2_HIGH, LOG2_LOW = float.fromhex("0x1.62e42fefa38p-1"), float.fromhex("0x1.ef35793c7673p-45")
_ROOT, INVERSE_LOG2 = float.fromhex("0x1.6a09e667f3bcdp0"), float.fromhex("0x1.71547652b82fep0")
_LOG_SERIES = (
    0.6666666666666666, 0.39999999999999525, 0.285714285716001, 0.2222222219823677, 0.18181819897962714, 0.1538454396486055,
    0.13335178631449257, 0.11734279061303197, 0.10845178394880015, 0.07492143795550767, 0.1563057780092285,
)  # fmt: skip
_EXP_SERIES = tuple(1.0 / n for n in (6, 24, 120, 720, 5040, 40320, 362880, 3628800, 39916800, 479001600, 6227020800, 87178291200))


class Two(NamedTuple):
    """The unevaluated sum hi + lo."""

    hi: Doubles
    lo: Doubles


LOG2 = (float.fromhex("0x1.62e42fefa39efp-1"), float.fromhex("0x1.abc9e3b39803fp-56"))


def constant(x: float) -> Doubles:
    """Return a double that broadcasts over rows."""
    return np.array([x], np.float64)


@overload
def negative(a: Two) -> Two:
    """Take double-doubles."""


@overload
def negative(a: Doubles) -> Doubles:
    """Take doubles."""


def negative(a: Two | Doubles) -> Two | Doubles:
    """Return 0 - a."""
    return Two(0.0 - a.hi, 0.0 - a.lo) if isinstance(a, Two) else 0.0 - a


@overload
def choose(mask: Mask, yes: Two, no: Two) -> Two:
    """Take double-doubles."""


@overload
def choose(mask: Mask, yes: _Number, no: _Number) -> Doubles:
    """Take doubles."""


def choose(mask: Mask, yes: Two | _Number, no: Two | _Number) -> Two | Doubles:
    """Return `yes` where the mask holds."""
    if isinstance(yes, Two) and isinstance(no, Two):
        return Two(np.where(mask, yes.hi, no.hi), np.where(mask, yes.lo, no.lo))
    return np.where(mask, yes, no)


@overload
def clamp(a: Two, low: float, high: float) -> Two:
    """Take double-doubles."""


@overload
def clamp(a: Doubles, low: float, high: float) -> Doubles:
    """Take doubles."""


def clamp(a: Two | Doubles, low: float, high: float) -> Two | Doubles:
    """Return a between two bounds; NaN becomes the lower one."""
    if isinstance(a, Two):
        hi = clamp(a.hi, low, high)
        return Two(hi, choose(np.abs(a.hi - hi) > 0.0, 0.0, a.lo))
    a = np.where(a > low, a, low)
    return np.where(a > high, high, a)


def two_sum(a: _Number, b: _Number) -> Two:
    """Return a + b without error."""
    a, b = np.asarray(a), np.asarray(b)
    total = a + b
    part = total - a
    return Two(total, (a - (total - part)) + (b - part))


def quick_two_sum(a: Doubles, b: Doubles) -> Two:
    """Return a + b, where |a| >= |b| or a is 0."""
    total = a + b
    return Two(total, b - (total - a))


def _head(a: Doubles) -> Doubles:
    scaled = a * 134217729.0
    return scaled - (scaled - a)


def product_error(a: Doubles, b: Doubles, product: Doubles) -> Doubles:
    """Return a * b - product, by Dekker's splitting."""
    a_head, b_head = _head(a), _head(b)
    a_tail, b_tail = a - a_head, b - b_head
    return (((a_head * b_head - product) + a_head * b_tail) + a_tail * b_head) + a_tail * b_tail


def two_product(a: Doubles, b: _Number) -> Two:
    """Return a * b without error, or with none at all where it is tiny."""
    b = np.asarray(b)
    product = a * b
    return Two(product, choose(np.abs(product) > 2.0**-900, product_error(a, b, product), 0.0))


def add(a: Two, b: Two | _Number) -> Two:
    """Return a + b."""
    if isinstance(b, Two):
        total = two_sum(a.hi, b.hi)
        return quick_two_sum(total.hi, total.lo + (a.lo + b.lo))
    total = two_sum(a.hi, b)
    return quick_two_sum(total.hi, total.lo + a.lo)


def multiply(a: Two, b: Two | Doubles) -> Two:
    """Return a * b."""
    if isinstance(b, Two):
        product = two_product(a.hi, b.hi)
        return quick_two_sum(product.hi, product.lo + (a.hi * b.lo + a.lo * b.hi))
    product = two_product(a.hi, b)
    return quick_two_sum(product.hi, product.lo + a.lo * b)


def times(a: Two, b: _Number) -> Two:
    """Return a * b, where b is a power of two or its negative, or 0."""
    return Two(a.hi * b, a.lo * b)


def divide(a: Two, b: Two) -> Two:
    """Return a / b: a rough quotient, and its exact remainder."""
    inverse = 1.0 / b.hi
    quotient = a.hi * inverse
    back = two_product(quotient, b.hi)
    remainder = ((a.hi - back.hi) - back.lo) + (a.lo - quotient * b.lo)
    return quick_two_sum(quotient, remainder * inverse)


def exactly(a: Doubles) -> Two:
    """Return a double as a double-double."""
    return Two(a, np.zeros_like(a))


def absolute(a: Two) -> Two:
    """Return |a|."""
    return choose(a.hi < 0.0, negative(a), a)


def polynomial(x: Doubles, coefficients: tuple[float, ...]) -> Doubles:
    """Return coefficients[0] + coefficients[1] x + ..."""
    square = x * x
    evens, odds = coefficients[::2], coefficients[1::2]
    even, odd = np.full_like(x, evens[-1]), np.full_like(x, odds[-1])
    for coefficient in evens[-2::-1]:
        even = even * square + coefficient
    for coefficient in odds[-2::-1]:
        odd = odd * square + coefficient
    return even + odd * x


def wide_polynomial(x: Doubles, coefficients: tuple[float, ...]) -> Doubles:
    """Return the same in four chains."""
    square = x * x
    fourth = square * square
    chain = []
    for first in range(4):
        every_fourth = coefficients[first::4]
        total = np.full_like(x, every_fourth[-1])
        for coefficient in every_fourth[-2::-1]:
            total = total * fourth + coefficient
        chain.append(total)
    return (chain[0] + chain[1] * x) + (chain[2] + chain[3] * x) * square


def nearest_integer(a: Doubles) -> Doubles:
    """Round, ties to even."""
    return (a + 1.5 * 2.0**52) - 1.5 * 2.0**52


def power_of_two(k: Doubles) -> Doubles:
    """Return 2^k for integers -1022 <= k <= 1023."""
    return ((k + _BIAS).view(np.uint64) << np.uint64(52)).view(np.float64)


def scale(a: Doubles, exponent: Doubles) -> Doubles:
    """Return a * 2^exponent, rounded once."""
    exponent = clamp(exponent, -2044.0, 2046.0)
    half = nearest_integer(exponent * 0.5)
    return (a * power_of_two(half)) * power_of_two(exponent - half)


class Split(NamedTuple):
    """x = mantissa * 2^exponent, mantissa in [1, 2)."""

    mantissa: Doubles
    exponent: Doubles
    lift: Doubles
    power: Doubles

    def apply(self, a: Doubles) -> Doubles:
        """Return a * 2^-exponent."""
        return (a * self.lift) * self.power


def split(x: Doubles) -> Split:
    """Split positive numbers."""
    tiny, huge = x < 2.0**-960, x > 2.0**960
    lift = choose(tiny, 2.0**128, choose(huge, 2.0**-128, 1.0))
    lifted = choose(tiny, -128.0, choose(huge, 128.0, 0.0))
    bits = (x * lift).view(np.uint64)
    exponent = ((bits >> np.uint64(52)) | np.float64(2.0**52).view(np.uint64)).view(np.float64) - _BIAS
    mantissa = ((bits & np.uint64((1 << 52) - 1)) | np.float64(1.0).view(np.uint64)).view(np.float64)
    return Split(mantissa, exponent + lifted, lift, power_of_two(negative(exponent)))


class Logarithm(NamedTuple):
    """k log 2 + 2 s + s R(s^2)."""

    k: Doubles
    s: Two
    series: Doubles

    def value(self) -> Two:
        """Return the sum."""
        head = quick_two_sum(self.k * LOG2_HIGH, self.s.hi + self.s.hi)
        return quick_two_sum(head.hi, head.lo + ((self.s.lo + self.s.lo) + (self.s.hi * self.series + self.k * LOG2_LOW)))


def logarithm_series(square: Doubles) -> Doubles:
    """Return R for squares up to 1/9."""
    return square * polynomial(square, _LOG_SERIES)


def logarithm(n: Two, d: Two, difference: Two) -> Logarithm:
    """Return log(n / d) of positive numbers, whose difference decides where they are near."""
    a, b = split(n.hi), split(d.hi)
    above, below = a.mantissa > b.mantissa * _ROOT, b.mantissa > a.mantissa * _ROOT
    shift = choose(above, 0.5, choose(below, 2.0, 1.0))
    k = (a.exponent - b.exponent) + choose(above, 1.0, choose(below, -1.0, 0.0))
    over, under = Two(a.mantissa * shift, a.apply(n.lo) * shift), Two(b.mantissa, b.apply(d.lo))
    apart, close = two_sum(over.hi - under.hi, over.lo - under.lo), Two(b.apply(difference.hi), b.apply(difference.lo))
    total = two_sum(over.hi, under.hi)
    s = divide(choose(np.abs(k) > 0.0, apart, close), Two(total.hi, total.lo + (over.lo + under.lo)))
    return Logarithm(k, s, logarithm_series(s.hi * s.hi))


class Exponential(NamedTuple):
    """2^k (1 + r + rest)."""

    k: Doubles
    r: Two
    rest: Two

    def less_one(self) -> Two:
        """Return r + rest."""
        return add(self.r, self.rest)

    def fraction(self) -> Two:
        """Return 1 + r + rest."""
        return add(self.less_one(), 1.0)

    def minus_one(self) -> Two:
        """Return the exponential less 1, where k <= 1000."""
        power = power_of_two(clamp(self.k, -1000.0, 1000.0))
        return add(two_sum(power, -1.0), times(self.less_one(), power))


def exponential(x: Two) -> Exponential:
    """Return exp(x)."""
    k = nearest_integer(x.hi * INVERSE_LOG2)
    multiple = two_product(k, LOG2_HIGH)
    r = two_sum(x.hi - multiple.hi, x.lo - (multiple.lo + k * LOG2_LOW))
    square = two_product(r.hi, r.hi)
    rest = quick_two_sum(square.hi * 0.5, (square.hi * r.hi) * polynomial(r.hi, _EXP_SERIES))
    return Exponential(k, r, Two(rest.hi, rest.lo + (square.lo * 0.5 + r.hi * r.lo)))
