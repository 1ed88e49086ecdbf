"""Pieces of formulas that overflow or cancel as they are usually written."""

from typing import Any

__all__ = ["expm1_excess", "log1p_excess", "power", "root"]

Array = Any
_LOG_TERMS = tuple(2.0 / (2 * k + 3) for k in range(13))
_EXP_TERMS = tuple(1.0 / f for f in (2, 6, 24, 120, 720, 5040, 40320, 362880, 3628800, 39916800, 479001600, 6227020800, 87178291200))


def root(xp: Any, z: Array) -> Array:
    """Return sqrt(1 + z^2) without the square of a large z."""
    most = xp.clip(xp.abs(z), 1.0, None)
    return most * xp.sqrt((1 / most) ** 2 + (z / most) ** 2)


def power(xp: Any, z: Array, h: Array, p: float) -> Array:
    """Return h^p of h = root(z), where a large p would make much of the rounding of 1 + z^2 for small z."""
    if abs(p) < 16:
        return h**p
    near = xp.exp(0.5 * p * xp.log1p(xp.clip(xp.abs(z), None, 1.0) ** 2))
    return xp.where(xp.abs(z) < 1, near, h**p)


def log1p_excess(xp: Any, a: Array) -> Array:
    """Return a - log(1 + a) for a >= 0, which is a^2 / 2 for small a: by the series of atanh, w = a / (2 + a)."""
    w = xp.clip(a, None, 0.5) / (2 + xp.clip(a, None, 0.5))
    series = xp.zeros_like(w)
    for term in reversed(_LOG_TERMS):
        series = series * w * w + term
    return xp.where(a < 0.5, a * w - w * w * w * series, a - xp.log1p(a))


def expm1_excess(xp: Any, x: Array) -> Array:
    """Return exp(x) - 1 - x, which is x^2 / 2 for small x: there by its series."""
    near = xp.clip(x, -0.5, 0.5)
    series = xp.zeros_like(near)
    for term in reversed(_EXP_TERMS):
        series = series * near + term
    return xp.where(xp.abs(x) < 0.5, near * near * series, xp.expm1(x) - x)
