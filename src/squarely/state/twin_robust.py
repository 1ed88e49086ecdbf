"""The NumPy twin of ``cpp/terms_robust.hpp``: robust losses, log-cosh, linex."""

from typing import NamedTuple

import numpy as np

from .twin_elementary import (
    LOG2,
    Doubles,
    Split,
    Two,
    absolute,
    add,
    choose,
    clamp,
    constant,
    divide,
    exactly,
    exponential,
    logarithm,
    multiply,
    negative,
    polynomial,
    power_of_two,
    scale,
    split,
    times,
    two_product,
    two_sum,
)
from .twin_rows import Ratio, Residual, Row, half_square, residual, squared_ratio

__all__ = ["barron", "cauchy", "geman_mcclure", "linex", "log_cosh", "pseudo_huber", "welsch"]

_SMALL = "0x1.12f9040030676p-14 -0x1.91312c2a411eap-16 0x1.27a186514dcdbp-17 -0x1.b75213e2dc322p-19 0x1.48b523f82ecb2p-20"
_LOG_COSH = (
    *(-1.0 / 6, 2.0 / 45, -17.0 / 1260, 62.0 / 14175, -691.0 / 467775, 21844.0 / 42567525, -929569.0 / 5108103000),
    *map(float.fromhex, _SMALL.split()),
)


class _Tuning(NamedTuple):
    c: Split
    square: Two

    def half_square_times(self, x: Two) -> Doubles:
        return scale(multiply(x, self.square).hi, self.c.exponent + self.c.exponent - 1.0)


def _tuning(c: Doubles) -> _Tuning:
    of = split(c)
    return _Tuning(of, two_product(of.mantissa, of.mantissa))


def _log_one_plus(r: Residual, ratio: Ratio, w: Two, c: Doubles) -> Two:
    over = choose(ratio.large, exactly(np.abs(r.value.hi)), add(w, 1.0))
    log = logarithm(over, exactly(choose(ratio.large, c, 1.0)), w)
    log = log._replace(k=log.k + choose(ratio.large, r.unit - 1.0, 0.0))
    return times(log.value(), choose(ratio.large, 2.0, 1.0))


def _exp_minus_one_times(x: Two, factor: Two) -> Doubles:
    exp = exponential(clamp(x, -1e6, 1e6))
    far = exp.k > 100.0
    power = power_of_two(clamp(choose(far, 0.0, exp.k), -1000.0, 100.0))
    value = add(two_sum(power, choose(far, 0.0, -1.0)), times(exp.less_one(), power))
    return scale(multiply(value, factor).hi, choose(far, exp.k, 0.0))


def pseudo_huber(row: Row, delta: Doubles) -> Doubles:
    """Return r^2 / (sqrt(1 + (r/delta)^2) + 1)."""
    tuning, r = _tuning(delta), residual(row)
    ratio = squared_ratio(r, tuning.c)
    total = add(ratio.v, 1.0)
    root = np.sqrt(total.hi)
    square, under = two_product(root, root), two_sum(root, 1.0)
    under = Two(under.hi, under.lo + ((total.hi - square.hi) + (total.lo - square.lo)) / (root + root))
    far, middle = (delta * np.abs(r.value.hi)) * r.unit, tuning.half_square_times(times(divide(ratio.v, under), 2.0))
    return choose(ratio.small, half_square(row.r), choose(ratio.large, far, middle))


def cauchy(row: Row, c: Doubles) -> Doubles:
    """Return c^2/2 log(1 + (r/c)^2)."""
    tuning, r = _tuning(c), residual(row)
    ratio = squared_ratio(r, tuning.c)
    return choose(ratio.small, half_square(row.r), tuning.half_square_times(_log_one_plus(r, ratio, ratio.v, c)))


def welsch(row: Row, c: Doubles) -> Doubles:
    """Return c^2/2 (1 - exp(-(r/c)^2))."""
    tuning = _tuning(c)
    ratio = squared_ratio(residual(row), tuning.c)
    middle = tuning.half_square_times(negative(exponential(clamp(negative(ratio.v), -1000.0, 0.0)).minus_one()))
    return choose(ratio.small, half_square(row.r), choose(ratio.large, half_square(c), middle))


def geman_mcclure(row: Row, c: Doubles) -> Doubles:
    """Return r^2/2 / (1 + (r/c)^2)."""
    tuning = _tuning(c)
    ratio = squared_ratio(residual(row), tuning.c)
    middle = tuning.half_square_times(divide(ratio.v, add(ratio.v, 1.0)))
    return choose(ratio.small, half_square(row.r), choose(ratio.large, half_square(c), middle))


def barron(row: Row, alpha: Doubles, c: Doubles) -> Doubles:
    """Return the general loss."""
    one, r = exactly(constant(1.0)), residual(row)
    ratio = squared_ratio(r, split(c))
    tail = (r.value.hi / c) * r.unit
    if alpha[0] == 2.0:
        value = choose(ratio.large, half_square(tail), ratio.v.hi * 0.5)
    elif alpha[0] == -np.inf:
        value = choose(ratio.large, 1.0, negative(exponential(clamp(times(ratio.v, -0.5), -1000.0, 0.0)).minus_one().hi))
    else:
        distance = absolute(two_sum(alpha, -2.0))
        log = _log_one_plus(r, ratio, multiply(ratio.v, divide(one, distance)), c)
        log = choose(ratio.large, add(log, negative(logarithm(distance, one, add(distance, -1.0)).value())), log)
        value = log.hi if abs(alpha[0]) < 2.0**-100 else _exp_minus_one_times(multiply(log, alpha * 0.5), divide(distance, exactly(alpha)))
    return choose(ratio.small, half_square(r.value.hi / c), value)


def log_cosh(row: Row) -> Doubles:
    """Return log(cosh(r))."""
    x, size = absolute(residual(row).value), np.abs(row.r)
    square = two_product(x.hi, x.hi)
    head = square.hi * 0.5
    near = head + (head * (square.hi * polynomial(square.hi, _LOG_COSH)) + (square.lo * 0.5 + x.hi * x.lo))
    far, one = size > 2.0**60, exactly(constant(1.0))
    x = choose(far, one, x)
    exp = exponential(clamp(negative(add(x, x)), -800.0, 0.0)).minus_one()
    log = logarithm(add(exp, 2.0), one, add(exp, 1.0)).value()
    middle = add(add(x, Two(constant(-LOG2[0]), constant(-LOG2[1]))), log)
    return choose(size < 0.35, near, choose(far, size, middle.hi))


def linex(row: Row, a: Doubles) -> Doubles:
    """Return exp(x) - x - 1 with x = a (p - y)."""
    of, r = split(np.abs(a)), residual(row)
    over = times(Two(scale(r.value.hi, of.exponent), scale(r.value.lo, of.exponent)), r.unit)
    size = np.abs(over.hi)
    small, large, one = size < 2.0**-200, size > 2.0**60, exactly(constant(1.0))
    x = multiply(choose(small, one, choose(large, one, over)), of.mantissa)
    x = choose(a > 0.0, negative(x), x)
    exp = exponential(clamp(x, -1000.0, 2000.0))
    near, middle = exp.rest.hi + exp.rest.lo, add(exp.minus_one(), negative(x)).hi
    value = choose(exp.k > 100.0, scale(exp.fraction().hi, exp.k), middle)
    value = choose(np.abs(exp.k) > 0.0, value, near)
    plain = (a * r.value.hi) * r.unit
    value = choose(small, half_square(plain), value)
    return choose(large, choose(negative(plain) > 0.0, np.inf, plain), value)
