"""The NumPy twin of ``cpp/terms_columns.hpp``: the scores of a Gaussian."""

import numpy as np

from .twin_elementary import (
    Doubles,
    Two,
    absolute,
    add,
    choose,
    clamp,
    constant,
    exactly,
    exponential,
    logarithm,
    polynomial,
    power_of_two,
    split,
    times,
    two_sum,
)
from .twin_rows import Row, half_square, residual, squared_ratio, with_scale

__all__ = ["crps_gaussian", "gaussian_nll"]


def _hex(values: str) -> tuple[float, ...]:
    return tuple(map(float.fromhex, values.split()))


_CRPS_NEAR = _hex("""
    0x1.9884533d43651p-2 -0x1.1058377e2cee0p-5 0x1.b3c058c9e17cdp-9 -0x1.37403f6ba1100p-12 0x1.8355a441abfd3p-16 -0x1.a68bf901d2e5bp-20
    0x1.989ddd1b15166p-24 -0x1.62226a4aabe03p-28 0x1.15c0a3ae044b7p-32 -0x1.8d9fe7a031439p-37 0x1.05a3f464f9a0dp-41 -0x1.3e84d07aed1cdp-46
    0x1.68a94a9637cebp-51 -0x1.7da6f42d2edd7p-56 0x1.7b0523ed50163p-61 -0x1.62913220111d0p-66 0x1.397c440bec732p-71
""")
_CRPS_FAR = _hex("""
    0x1.b6038a80903c9p-5 -0x1.6e4b24565f96fp-3 0x1.0023df973a2b3p-2 -0x1.98516ad41ae9dp-3 0x1.940ac87c70ad2p-4 -0x1.8750f90bbafdfp-6
    -0x1.aed95f850d312p-9 0x1.dc54a198fa170p-9 -0x1.09734952e0f78p-15 -0x1.1d0ce5a5d1a0fp-11 0x1.1ef09bfe1cd03p-17 0x1.8bd63c57c57dap-14
    0x1.e8a0bb0526921p-18 -0x1.2004c4656a27ap-16 -0x1.2c8270ac7bfabp-18 0x1.6795bc6c73236p-19 0x1.a9cfb311f4a3dp-20 -0x1.f18a0e17cfb9ap-23
    -0x1.6facbb42bf9e7p-22
""")
_HALF_LOG_2PI = _hex("0x1.d67f1c864beb5p-1 -0x1.65b5a1b7ff5dfp-55")
_CRPS_ZERO, _INVERSE_ROOT_PI = _hex("0x1.de9b78e466b8ep-3 0x1.20dd750429b6dp-1")


def gaussian_nll(row: Row) -> Doubles:
    """Return log(2 pi sigma^2)/2 + (r/sigma)^2/2."""
    r = residual(row)
    ratio = squared_ratio(r, split(row.x0))
    log = logarithm(exactly(row.x0), exactly(constant(1.0)), two_sum(row.x0, -1.0)).value()
    norm = add(log, Two(constant(_HALF_LOG_2PI[0]), constant(_HALF_LOG_2PI[1])))
    both = add(norm, times(ratio.v, 0.5))
    large = half_square((r.value.hi / row.x0) * r.unit)
    return with_scale(row.x0, choose(ratio.small, norm.hi, choose(ratio.large, large, both.hi)))


def crps_gaussian(row: Row) -> Doubles:
    """Return the continuous ranked probability score of a Gaussian."""
    r, sigma = residual(row), row.x0
    ratio = squared_ratio(r, split(sigma))
    square = choose(ratio.small, 0.0, choose(ratio.large, 100.0, ratio.v.hi))
    near = sigma * (square * polynomial(square, _CRPS_NEAR) + _CRPS_ZERO)
    bounded = clamp(np.sqrt(square), 0.0, 9.5)
    exp = exponential(exactly(-0.5 * (bounded * bounded)))
    density = exp.fraction().hi * power_of_two(exp.k)
    tail = density * polynomial((bounded - 3.5) / (bounded + 3.5), _CRPS_FAR)
    size, share = absolute(r.value), sigma * choose(r.unit > 1.0, 0.5, 1.0)
    far = (size.hi - (share * (_INVERSE_ROOT_PI - tail) - size.lo)) * r.unit
    return with_scale(sigma, choose(bounded > 1.4, far, near))
