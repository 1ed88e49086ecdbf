"""The NumPy twin of ``cpp/terms_logarithmic.hpp``: squared logarithmic error, the Poisson and the gamma deviance."""

import numpy as np

from .twin_elementary import (
    Doubles,
    Two,
    add,
    choose,
    clamp,
    divide,
    exactly,
    logarithm,
    logarithm_series,
    multiply,
    negative,
    power_of_two,
    quick_two_sum,
    scale,
    split,
    times,
    two_sum,
)
from .twin_rows import Row, are_close, close_logarithm, close_quotient, only_where, residual

__all__ = ["gamma_deviance", "poisson_deviance", "squared_log"]


def squared_log(row: Row) -> Doubles:
    """Return log((1 + y) / (1 + p))^2."""
    total, difference = two_sum(row.y, row.p), two_sum(row.y, negative(row.p))
    t = two_sum(total.hi, 2.0)
    t = quick_two_sum(t.hi, t.lo + total.lo)
    inverse = 1.0 / t.hi
    s = close_quotient(row.r, t, inverse)
    lost = choose(np.abs(difference.hi - row.r) > 0.0, 0.0, difference.lo)
    quick = _squared(close_logarithm(Two(s.hi, s.lo + lost * inverse)))
    careful = _squared(logarithm(two_sum(1.0, row.y), two_sum(1.0, row.p), residual(row).value).value())
    careful = only_where(row.y > -1.0, only_where(row.p > -1.0, careful))
    return choose(are_close(1.0 + row.y, 1.0 + row.p), quick, careful)


def _squared(log: Two) -> Doubles:
    return log.hi * log.hi + (log.hi + log.hi) * log.lo


def poisson_deviance(row: Row) -> Doubles:
    """Return 2 (y log(y/p) - y + p)."""
    some = np.abs(row.y) > 0.0
    twice, y = row.p + row.p, choose(some, row.y, row.p)
    t = quick_two_sum(twice, row.r)
    s = close_quotient(row.r, t, 1.0 / t.hi)
    lever = row.r + y * logarithm_series(s.hi * s.hi)
    half = s.hi * lever + s.lo * lever
    return choose(are_close(y, row.p), choose(some, half + half, twice), _careful_poisson(row))


def _careful_poisson(row: Row) -> Doubles:
    some = row.y > 0.0
    y = choose(some, row.y, row.p)
    difference = residual(row).value
    log = logarithm(exactly(y), exactly(row.p), difference)
    lever = difference.hi + (y * log.series + difference.lo)
    near = log.s.hi * lever + log.s.lo * lever
    top = split(choose(y > row.p, y, row.p))
    a, b = top.apply(y), top.apply(row.p)
    a, b = choose(a > 2.0**-200, a, 0.0), choose(b > 2.0**-200, b, 0.0)
    bracket = add(multiply(log.value(), a), two_sum(b, negative(a)))
    far = scale(bracket.hi, top.exponent + 1.0)
    value = choose(some, choose(np.abs(log.k) > 0.0, far, near + near), row.p + row.p)
    return only_where(row.p > 0.0, choose(row.y < 0.0, np.nan, value))


def gamma_deviance(row: Row) -> Doubles:
    """Return 2 (log(p/y) + y/p - 1)."""
    t = quick_two_sum(row.p + row.p, row.r)
    inverse = 1.0 / (t.hi * row.p)
    s, q = close_quotient(row.r, t, row.p * inverse), close_quotient(row.r, exactly(row.p), t.hi * inverse)
    lever = (q.hi - logarithm_series(s.hi * s.hi)) + q.lo
    half = s.hi * lever + s.lo * lever
    return choose(are_close(row.y, row.p), half + half, _careful_gamma(row))


def _careful_gamma(row: Row) -> Doubles:
    log = logarithm(exactly(row.y), exactly(row.p), residual(row).value)
    twice = log.s.hi + log.s.hi
    lever = twice + ((log.s.lo + log.s.lo) + ((twice * log.s.hi) / (1.0 - log.s.hi) - log.series))
    near = log.s.hi * lever + log.s.lo * lever
    y, p = split(row.y), split(row.p)
    ratio, k = divide(exactly(y.mantissa), exactly(p.mantissa)), y.exponent - p.exponent
    bracket = add(add(times(ratio, power_of_two(clamp(k, -200.0, 200.0))), -1.0), negative(log.value()))
    far = choose(k > 100.0, scale(ratio.hi, k + 1.0), bracket.hi + bracket.hi)
    value = choose(np.abs(log.k) > 0.0, far, near + near)
    return only_where(row.y > 0.0, only_where(row.p > 0.0, value))
