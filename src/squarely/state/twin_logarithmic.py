"""The NumPy twin of ``cpp/terms_logarithmic.hpp``: squared logarithmic error and the Tweedie deviances."""

import math

import numpy as np

from .twin_elementary import (
    Doubles,
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
    near_logarithm,
    negative,
    polynomial,
    power_of_two,
    scale,
    split,
    times,
    two_sum,
)
from .twin_rows import Row, only_where, residual

__all__ = ["gamma_deviance", "poisson_deviance", "squared_log", "tweedie_deviance"]


def squared_log(row: Row) -> Doubles:
    """Return log((1 + y) / (1 + p))^2."""
    log = logarithm(two_sum(1.0, row.y), two_sum(1.0, row.p), residual(row).value).value()
    value = log.hi * log.hi + (log.hi + log.hi) * log.lo
    return only_where(row.y > -1.0, only_where(row.p > -1.0, value))


def poisson_deviance(row: Row) -> Doubles:
    """Return 2 (y log(y/p) - y + p)."""
    some = row.y > 0.0
    y = choose(some, row.y, row.p)
    difference = residual(row).value
    log = logarithm(exactly(y), exactly(row.p), difference)
    close = near_logarithm(y, row.p, difference)
    s, series = choose(close.near, close.s, log.s), choose(close.near, close.series, log.series)
    lever = difference.hi + (y * series + difference.lo)
    near = s.hi * lever + s.lo * lever
    top = split(choose(y > row.p, y, row.p))
    a, b = top.apply(y), top.apply(row.p)
    a, b = choose(a > 2.0**-200, a, 0.0), choose(b > 2.0**-200, b, 0.0)
    bracket = add(multiply(log.value(), a), two_sum(b, negative(a)))
    far = scale(bracket.hi, top.exponent + 1.0)
    is_far = (np.abs(log.k) > 0.0) & ~close.near
    value = choose(some, choose(is_far, far, near + near), row.p + row.p)
    return only_where(row.p > 0.0, choose(row.y < 0.0, np.nan, value))


def gamma_deviance(row: Row) -> Doubles:
    """Return 2 (log(p/y) + y/p - 1)."""
    difference = residual(row).value
    log = logarithm(exactly(row.y), exactly(row.p), difference)
    close = near_logarithm(row.y, row.p, difference)
    s, series = choose(close.near, close.s, log.s), choose(close.near, close.series, log.series)
    twice = s.hi + s.hi
    lever = twice + ((s.lo + s.lo) + ((twice * s.hi) / (1.0 - s.hi) - series))
    near = s.hi * lever + s.lo * lever
    y, p = split(row.y), split(row.p)
    ratio, k = divide(exactly(y.mantissa), exactly(p.mantissa)), y.exponent - p.exponent
    bracket = add(add(times(ratio, power_of_two(clamp(k, -200.0, 200.0))), -1.0), negative(log.value()))
    far = choose(k > 100.0, scale(ratio.hi, k + 1.0), bracket.hi + bracket.hi)
    value = choose((np.abs(log.k) > 0.0) & ~close.near, far, near + near)
    return only_where(row.y > 0.0, only_where(row.p > 0.0, value))


def _lowered(less_one: Two, k: Doubles, floor: Doubles) -> Two:
    power, base = power_of_two(clamp(k, -1000.0, 0.0)), power_of_two(clamp(floor, -1000.0, 0.0))
    return add(two_sum(power, negative(base)), times(less_one, power))


def _tweedie_series(base: float) -> tuple[float, ...]:
    series, total, following, factorial = [], 1.0, 1.0, 2.0
    for k in range(15):
        series.append(total / factorial)
        following = following * base
        total, factorial = total + following, factorial * (k + 3)
    return tuple(series)


def tweedie_deviance(row: Row, power: float) -> Doubles:
    """Return the unit deviance of a power other than 0, 1 and 2."""
    near_one, base = power < 1.5, 2.0 - power
    a, d, unit = two_sum(constant(2.0), -power), two_sum(constant(1.0), -power), exactly(constant(1.0))
    inverse_a, inverse_d = divide(unit, a), divide(unit, d)
    inner, inverse_inner, inverse_outer = (d, inverse_d, inverse_a) if near_one else (a, inverse_a, inverse_d)
    leads, lowest = 1.0 if near_one else 0.0, -math.inf if power < 0 else -(2.0**-1074) if power < 2 else 0.0

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

    reaches = choose(below, np.inf, np.abs(log.hi)) <= 0.35 / max(abs(base), 1.0)
    k = choose(reaches, 0.0, k)
    h = choose(some, choose(reaches, near, choose(below, other, far)), inverse_a)
    log_p = logarithm(exactly(row.p), unit, two_sum(row.p, -1.0)).value()
    scaled = exponential(multiply(log_p, a))
    value = scale(multiply(h, scaled.fraction()).hi, (scaled.k + k) + 1.0)
    return only_where(row.p > 0.0, only_where(row.y > lowest, value))
