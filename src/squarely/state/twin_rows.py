"""What the recipes of the NumPy twin share: rows, residuals, the edges of the domain, and the circle."""

from typing import NamedTuple

import numpy as np

from .twin_elementary import (
    Doubles,
    Mask,
    Split,
    Two,
    absolute,
    choose,
    clamp,
    constant,
    divide,
    exactly,
    logarithm_series,
    multiply,
    nearest_integer,
    negative,
    power_of_two,
    product_error,
    quick_two_sum,
    scale,
    split,
    two_sum,
)

__all__ = [
    "LARGEST", "Ratio", "Residual", "Row", "are_close", "close_logarithm", "close_quotient", "half_square", "only_where", "residual",
    "squared_ratio", "with_interval", "with_scale", "wrapped",
]  # fmt: skip

LARGEST = float(np.finfo(np.float64).max)


class Row(NamedTuple):
    """Rows of one call."""

    y: Doubles
    p: Doubles
    r: Doubles
    x0: Doubles
    x1: Doubles


class Residual(NamedTuple):
    """r as a double-double, times a unit that is 2 where y - p overflows."""

    value: Two
    unit: Doubles


def residual(row: Row) -> Residual:
    """Return the residual; its low part is 0 where r is not the rounded difference of the doubles."""
    big = np.abs(row.r) > LARGEST
    difference = two_sum(choose(big, row.y * 0.5, row.y), negative(choose(big, row.p * 0.5, row.p)))
    r = choose(big, difference.hi, row.r)
    return Residual(Two(r, choose(np.abs(difference.hi - r) > 0.0, 0.0, difference.lo)), choose(big, 2.0, 1.0))


def half_square(a: Doubles) -> Doubles:
    """Return a^2 / 2."""
    return (a * 0.5) * a


def only_where(inside: Mask, value: Doubles) -> Doubles:
    """Return the term inside its domain, NaN outside."""
    return choose(inside, value, np.nan)


def with_scale(sigma: Doubles, value: Doubles) -> Doubles:
    """Return the term where the scale is positive and finite."""
    return only_where(sigma > 0.0, only_where(sigma < np.inf, value))


def with_interval(row: Row, value: Doubles) -> Doubles:
    """Return the term where the bounds are finite and in order."""
    value = only_where(np.abs(row.x0) < np.inf, only_where(np.abs(row.x1) < np.inf, value))
    return choose(row.x0 > row.x1, np.nan, value)


def are_close(n: Doubles, d: Doubles) -> Mask:
    """Say where two numbers are within a factor of 2 of each other and far from the ends of the range."""
    low, high = n * 0.5, n + n
    return (d > choose(low > 2.0**-300, low, 2.0**-300)) & (d < choose(high < 2.0**300, high, 2.0**300))


def close_quotient(a: Doubles, b: Two, inverse: Doubles) -> Two:
    """Return a / b, where 1 / b is roughly `inverse`."""
    quotient = a * inverse
    product = quotient * b.hi
    rest = ((a - product) - product_error(quotient, b.hi, product)) - quotient * b.lo
    return Two(quotient, rest * inverse)


def close_logarithm(s: Two) -> Two:
    """Return log(n / d), where s = (n - d) / (n + d)."""
    return quick_two_sum(s.hi + s.hi, (s.lo + s.lo) + s.hi * logarithm_series(s.hi * s.hi))


class Ratio(NamedTuple):
    """v = (r/c)^2 where |r/c| lies in [2^-200, 2^200], and 1 elsewhere."""

    small: Mask
    large: Mask
    v: Two


def squared_ratio(r: Residual, c: Split) -> Ratio:
    """Return (r/c)^2."""
    size = absolute(r.value)
    over = Two(c.apply(size.hi) * r.unit, c.apply(size.lo) * r.unit)
    small, large = over.hi < 2.0**-200, over.hi > 2.0**200
    one = exactly(constant(1.0))
    ratio = divide(choose(small, one, choose(large, one, over)), exactly(c.mantissa))
    return Ratio(small, large, multiply(ratio, ratio))


def wrapped(row: Row, period: Doubles) -> Doubles:
    """Return the remainder of the residual by the period, its low part included."""
    r, unit = residual(row)
    half, whole, rest = period * 0.5, _remainder(r.hi, unit, period), r.lo * unit
    if (np.abs(rest) > half).any():
        rest = _remainder(rest, np.ones_like(rest), period)
    over, under = (whole - half) + rest > 0.0, (whole + half) + rest < 0.0
    return choose(over, whole - period, choose(under, whole + period, whole)) + rest


def _remainder(r: Doubles, unit: Doubles, period: Doubles) -> Doubles:
    """Return the remainder of r times a unit by the period, between -period/2 and period/2."""
    size = np.abs(r)
    some = size > 0.0
    a, b = split(choose(some, size, period)), split(period)
    distance, x = (a.exponent + (unit - 1.0)) - b.exponent, a.mantissa
    left = clamp(distance, -1.0, 4096.0)
    more = left > -2.0
    while more.any():
        bits = choose(left > 49.0, 49.0, left)
        many = x * power_of_two(bits)
        quotient = nearest_integer(many / b.mantissa)
        product = quotient * b.mantissa
        x = choose(more, (many - product) - product_error(quotient, b.mantissa, product), x)
        left = choose(more, left - bits, 0.0)
        more = left > 0.0
    x = choose(np.abs(x) + np.abs(x) > b.mantissa, choose(x < 0.0, x + b.mantissa, x - b.mantissa), x)
    value = choose(distance < -1.0, size, scale(x, b.exponent))
    return choose(some, choose(r < 0.0, negative(value), value), 0.0)
