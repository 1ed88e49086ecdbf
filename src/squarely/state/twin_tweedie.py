"""The NumPy twin of ``cpp/terms_tweedie.hpp``: the Tweedie deviances of powers other than 0, 1 and 2."""

import math

import numpy as np

from .twin_elementary import (
    Doubles,
    Logarithm,
    Mask,
    Two,
    add,
    choose,
    clamp,
    constant,
    divide,
    exactly,
    exponential,
    logarithm,
    logarithm_series,
    multiply,
    negative,
    polynomial,
    power_of_two,
    product_error,
    quick_two_sum,
    scale,
    split,
    times,
    two_sum,
)
from .twin_rows import Row, are_close, close_logarithm, close_quotient, only_where, residual

__all__ = ["tweedie_deviance"]

_ROOT = float.fromhex("0x1.6a09e667f3bcdp0")
_ROOT_SERIES = (
    0.125, 0.0625000000000115, 0.039062499996590276, 0.02734375039094795, 0.020507789799721007, 0.016114035479984922,
    0.013076871165783297, 0.011097080695344786, 0.007905667048995497, 0.013291360081042624,
)  # fmt: skip


def _lowered(less_one: Two, k: Doubles, floor: Doubles) -> Two:
    power, base = power_of_two(clamp(k, -1000.0, 0.0)), power_of_two(clamp(floor, -1000.0, 0.0))
    return add(two_sum(power, negative(base)), times(less_one, power))


def _tweedie_series(base: float) -> tuple[float, ...]:
    series, total, following, factorial = [], 1.0, 1.0, 2.0
    for k in range(18):
        series.append(total / factorial)
        following = following * base
        total, factorial = total + following, factorial * (k + 3)
    return tuple(series)


def tweedie_deviance(row: Row, power: float) -> Doubles:
    """Return the unit deviance of a power other than 0, 1 and 2."""
    special = {1.5: _three_halves, 3.0: _third}
    some = np.abs(row.y) > 0.0
    close = are_close(choose(some, row.y, row.p) if power != 3.0 else row.y, row.p)
    quick, reaches = (special[power](row), close) if power in special else _quick(row, power, close)
    return choose(reaches, quick, _careful(row, power))


def _three_halves(row: Row) -> Doubles:
    t = quick_two_sum(row.p + row.p, row.r)
    root = np.sqrt(row.p)
    square = root * root
    error = (row.p - square) - product_error(root, root, square)
    inverse = 1.0 / (t.hi * root)
    of_root = t.hi * inverse
    s = close_quotient(row.r, t, root * inverse)
    share = close_quotient(constant(1.0), Two(root, error * (0.5 * of_root)), of_root)
    x = s.hi * s.hi
    g = quick_two_sum(constant(0.5), x * polynomial(x, _ROOT_SERIES))
    first, second = row.r * s.hi, share.hi * g.hi
    first_rest = product_error(row.r, s.hi, first) + row.r * s.lo
    second_rest = product_error(share.hi, g.hi, second) + (share.hi * g.lo + share.lo * g.hi)
    quarter = first * second + (first * second_rest + first_rest * second)
    return choose(np.abs(row.y) > 0.0, quarter, root) * 4.0


def _third(row: Row) -> Doubles:
    product, square = row.y * row.p, row.r * row.r
    cube = product * row.p
    cube_rest = product_error(product, row.p, cube) + product_error(row.y, row.p, product) * row.p
    inverse = 1.0 / cube
    quotient = close_quotient(square, Two(cube, cube_rest), inverse)
    return quotient.hi + (quotient.lo + product_error(row.r, row.r, square) * inverse)


def _quick(row: Row, power: float, close: Mask) -> tuple[Doubles, Mask]:
    some, base = np.abs(row.y) > 0.0, 2.0 - power
    a = two_sum(constant(2.0), -power)
    t = quick_two_sum(row.p + row.p, row.r)
    log = close_logarithm(close_quotient(row.r, t, 1.0 / t.hi))
    square = log.hi * log.hi
    square_rest = product_error(log.hi, log.hi, square) + (log.hi + log.hi) * log.lo
    series = polynomial(log.hi, _tweedie_series(base))
    h = square * series
    rest = product_error(square, series, h) + square_rest * series

    apart = split(row.p)
    above = apart.mantissa > _ROOT
    k = apart.exponent + choose(above, 1.0, 0.0)
    less_one = choose(above, apart.mantissa * 0.5, apart.mantissa) - 1.0
    total = quick_two_sum(constant(2.0), less_one)
    s = close_quotient(less_one, total, 1.0 / total.hi)
    scaled = exponential(multiply(Logarithm(k, s, logarithm_series(s.hi * s.hi)).value(), a))
    fraction, bracket = scaled.fraction(), choose(some, Two(h, rest), divide(exactly(constant(1.0)), a))
    value = bracket.hi * fraction.hi + (bracket.hi * fraction.lo + bracket.lo * fraction.hi)
    return scale(value, scaled.k + 1.0), close & ~(some & (np.abs(log.hi) > _reach(base))) & (row.y > _lowest(power))


def _lowest(power: float) -> float:
    return -math.inf if power < 0 else -(2.0**-1074) if power < 2 else 0.0


def _reach(base: float) -> float:
    return 0.7 / max(abs(base), 1.0)


def _careful(row: Row, power: float) -> Doubles:
    near_one, base = power < 1.5, 2.0 - power
    a, d, unit = two_sum(constant(2.0), -power), two_sum(constant(1.0), -power), exactly(constant(1.0))
    inverse_a, inverse_d = divide(unit, a), divide(unit, d)
    inner, inverse_inner, inverse_outer = (d, inverse_d, inverse_a) if near_one else (a, inverse_a, inverse_d)
    leads = 1.0 if near_one else 0.0

    below, some = row.y < 0.0, np.abs(row.y) > 0.0
    y = choose(some, np.abs(row.y), row.p)
    difference = choose(below, two_sum(y, negative(row.p)), residual(row).value)
    log = logarithm(exactly(y), exactly(row.p), choose(some, difference, exactly(np.zeros_like(y)))).value()
    near = multiply(multiply(log, log), polynomial(log.hi, _tweedie_series(base)))

    ratio, inside = exponential(log), exponential(multiply(log, inner))
    lead = leads * ratio.k
    top = lead + inside.k
    k = choose(below, 0.0, choose(lead > top, lead, top))
    k = choose(ratio.k > k, ratio.k, k)
    k = choose(k < 0.0, 0.0, k)
    less_one = ratio.less_one()
    factor = add(times(less_one, leads), 1.0)
    first = multiply(multiply(_lowered(inside.less_one(), top - k, lead - k), factor), inverse_inner)
    far = multiply(add(first, negative(_lowered(less_one, ratio.k - k, negative(k)))), inverse_outer)

    falling = times(ratio.fraction(), power_of_two(clamp(ratio.k - k, -1000.0, 0.0)))
    last = times(inverse_a, power_of_two(clamp(negative(k), -1000.0, 0.0)))
    other = add(multiply(falling, inverse_d), last)

    reaches = choose(below, np.inf, np.abs(log.hi)) <= _reach(base)
    k = choose(reaches, 0.0, k)
    h = choose(some, choose(reaches, near, choose(below, other, far)), inverse_a)
    log_p = logarithm(exactly(row.p), unit, two_sum(row.p, -1.0)).value()
    scaled = exponential(multiply(log_p, a))
    value = scale(multiply(h, scaled.fraction()).hi, (scaled.k + k) + 1.0)
    return only_where(row.p > 0.0, only_where(row.y > _lowest(power), value))
