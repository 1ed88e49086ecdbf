"""The NumPy twin of ``cpp/terms_tweedie.hpp``: the Tweedie deviances of powers other than 0, 1 and 2."""

import math

import numpy as np

from .twin_elementary import (
    INVERSE_LOG2,
    LOG2_HIGH,
    LOG2_LOW,
    Doubles,
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
    multiply,
    nearest_integer,
    negative,
    polynomial,
    power_of_two,
    product_error,
    quick_two_sum,
    scale,
    split,
    times,
    two_sum,
    wide_polynomial,
)
from .twin_rows import Row, are_close, close_quotient, only_where, residual

__all__ = ["tweedie_deviance"]

_LEAST_MIDDLE, _MOST_MIDDLE, _REACH_OF_MIDDLE = -1.0, 2.5, 2.0 / 3
_ALL, _KEPT = 42, 23
_ROOT, _ROOT_REST = float.fromhex("0x1.6a09e667f3bcdp0"), float.fromhex("0x1.3b3efbf5e2229p-54")
_LOG_SERIES = (
    0.666666666666667, 0.39999999999899505, 0.28571428625975487, 0.2222221113479508, 0.18182889125261723, 0.15331721600556042,
    0.14616449685043406,
)  # fmt: skip
_EXP_SERIES = (
    0.5000000000000001, 0.16666666666666669, 0.04166666666662068, 0.008333333333329796, 0.0013888888918918907, 0.00019841269864364933,
    2.4801518672268355e-05, 2.7557266442353424e-06, 2.7621324269313687e-07, 2.5101335854788522e-08,
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


def _middle_series(power: float) -> tuple[float, ...]:
    series, b = [], 1.0
    for j in range(_ALL):
        if j:
            b = b * ((1 - j - power) * (0.5 / j))
        series.append(b * (-2.0 * (0.5 / (j + 2))) if j % 2 else b * (2.0 * (0.5 / (j + 1))))
    for j in range(_ALL - 1, _KEPT - 1, -1):
        part = 1.0
        for k in range(1, j // 2 + 1):
            i = j - 2 * k + 2
            part = -part * (_REACH_OF_MIDDLE * _REACH_OF_MIDDLE * i * (i - 1) / (4.0 * k * (j - k)))
            series[i - 2] = series[i - 2] - series[j] * part
    return tuple(series[1:_KEPT])


def tweedie_deviance(row: Row, power: float) -> Doubles:
    """Return the unit deviance of a power other than 0, 1 and 2."""
    careful = _careful(row, power)
    if power == 1.5:
        quick, serves = _three_halves(row)
    elif power == 3.0:
        quick, serves = _third(row), are_close(row.y, row.p)
    elif _LEAST_MIDDLE <= power <= _MOST_MIDDLE:
        quick, serves = _quick(row, power)
    else:
        return careful
    return choose(serves, quick, careful)


def _three_halves(row: Row) -> tuple[Doubles, Mask]:
    twice, root_y, root_p = row.p + row.p, np.sqrt(row.y), np.sqrt(row.p)
    r, t = residual(row).value, two_sum(row.y, row.p)
    larger, smaller = root_p * t.hi, twice * root_y
    larger_rest = product_error(root_p, t.hi, larger) + root_p * t.lo
    total = quick_two_sum(larger, smaller)
    divisor_rest, inverse = total.lo + (larger_rest + product_error(twice, root_y, smaller)), 1.0 / total.hi
    square = r.hi * r.hi
    square_rest = product_error(r.hi, r.hi, square) + (r.hi + r.hi) * r.lo
    quarter = close_quotient(square, Two(total.hi, divisor_rest), inverse)
    least, most = np.minimum(choose(np.abs(row.y) > 0.0, row.y, row.p), row.p), np.maximum(row.y, row.p)
    return (quarter.hi + (quarter.lo + square_rest * inverse)) * 4.0, (least > 2.0**-300) & (most < 2.0**300)


def _third(row: Row) -> Doubles:
    product, square = row.y * row.p, row.r * row.r
    cube = product * row.p
    cube_rest = product_error(product, row.p, cube) + product_error(row.y, row.p, product) * row.p
    inverse = 1.0 / cube
    quotient = close_quotient(square, Two(cube, cube_rest), inverse)
    return quotient.hi + (quotient.lo + product_error(row.r, row.r, square) * inverse)


def _middle_logarithm(t: Doubles, more: Doubles, rest: Doubles) -> Two:
    apart = split(t)
    k, less, total = apart.exponent + more, apart.mantissa - _ROOT, apart.mantissa + _ROOT
    inverse = 1.0 / total
    u = less * inverse
    product = u * total
    u_rest = ((less - product) - product_error(u, total, product)) * inverse
    square = u * u
    series = u * (square * wide_polynomial(square, _LOG_SERIES))
    head = quick_two_sum(k * LOG2_HIGH, u + u)
    return Two(head.hi, head.lo + ((u_rest + (u_rest + _ROOT_REST)) + rest + (series + k * LOG2_LOW)))


def _quick(row: Row, power: float) -> tuple[Doubles, Mask]:
    some, a = np.abs(row.y) > 0.0, two_sum(constant(2.0), -power)
    t = quick_two_sum(row.p + row.p, row.r)
    inverse = 1.0 / t.hi
    z = close_quotient(row.r + row.r, t, inverse)
    square = z.hi * z.hi
    square_rest = product_error(z.hi, z.hi, square) + (z.hi + z.hi) * z.lo
    total = quick_two_sum(square, (square + square_rest) * (z.hi * wide_polynomial(z.hi, _middle_series(power))))
    h = choose(some, Two(total.hi, total.lo + square_rest), times(divide(exactly(constant(1.0)), a), 2.0))

    log = _middle_logarithm(t.hi, choose(some, -0.5, 0.5), t.lo * inverse)
    x = a.hi * log.hi
    x_rest = product_error(a.hi, log.hi, x) + (a.hi * log.lo + a.lo * log.hi)
    k = nearest_integer(x * INVERSE_LOG2)
    e = (x - k * LOG2_HIGH) + (x_rest - k * LOG2_LOW)
    less_one = e + (e * e) * wide_polynomial(e, _EXP_SERIES)
    value = h.hi + ((h.hi + h.lo) * less_one + h.lo)

    size = choose(some, np.abs(z.hi), 0.0 if power < 2 else 1.0)
    return value * power_of_two(k), (size < _REACH_OF_MIDDLE) & (t.hi > 2.0**-299) & (t.hi < 2.0**299)


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
