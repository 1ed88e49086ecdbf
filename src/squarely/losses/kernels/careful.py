"""Pieces of formulas that overflow or cancel as they are usually written."""

import math
from typing import Any

__all__ = ["LEAST", "bounded", "expm1_excess", "is_usual", "legs", "log1p_excess", "log_of_root", "power", "ratio", "root", "root_of_root"]

Array = Any
LEAST = 1e-17  # what is less changes no digit of a number beside 1, and the square of this is still a number of every type
_LOG_TERMS = tuple(2.0 / (2 * k + 3) for k in range(13))
_EXP_TERMS = tuple(1.0 / f for f in (2, 6, 24, 120, 720, 5040, 40320, 362880, 3628800, 39916800, 479001600, 6227020800, 87178291200))


def root(xp: Any, z: Array) -> Array:
    """Return sqrt(1 + z^2) without the square of a large z."""
    most = xp.clip(xp.abs(z), 1.0, None)
    return most * xp.sqrt((1 / most) ** 2 + (z / most) ** 2)


def bounded(xp: Any, u: Array, c: float) -> Array:
    """Return |u|, but c at most."""
    return xp.clip(xp.abs(u), None, c)


def is_usual(c: float) -> bool:
    """Say whether u / c is a number, and its square as much of one as u^2, for all errors of 1e-30 to 1e30: then they need no care."""
    return isinstance(c, float) and 1e-8 <= c <= 2


def ratio(xp: Any, u: Array, c: float) -> Array:
    """Return |u| / c, without what is nothing, or all, beside 1 and its logarithm: a number of every type, whatever the scale."""
    return xp.clip(xp.abs(u) / c + LEAST, None, 1 / LEAST**2)


def legs(xp: Any, u: Array, c: float) -> tuple[Array, Array]:
    """Return c and |u| over the larger of both, of which one is 1: (1 + (u/c)^2) is a^2 + b^2 over a^2, of numbers that every type has."""
    size = xp.abs(u)
    return c / xp.clip(size, c, None), xp.clip(size / c, None, 1.0)


def root_of_root(xp: Any, u: Array, c: float) -> Array:
    """Return (1 + (u/c)^2)^(1/4), which is a number where u/c is none."""
    a, b = legs(xp, u, c)
    return _root_beyond(xp, u, c) * xp.sqrt(xp.sqrt(1 + (a * b) ** 2))


def log_of_root(xp: Any, u: Array, c: float) -> tuple[Array, Array]:
    """Return log(1 + (u/c)^2) / 2, and the leg b of u whose square it goes to 0 with."""
    a, b = legs(xp, u, c)
    b = b + LEAST
    return 0.5 * xp.log1p((a * b) ** 2) + 2 * xp.log(_root_beyond(xp, u, c)), b


def _root_beyond(xp: Any, u: Array, c: float) -> Array:
    """Return (|u|/c)^(1/2), but 1 at least."""
    return xp.clip(xp.sqrt(xp.abs(u)) / math.sqrt(c), 1.0, None)


def power(xp: Any, b: Array, root: Array, p: float) -> Array:
    """Return root^p of root = (1 + (u/c)^2)^(1/4), where a large p would make much of its rounding for small b = |u|/c."""
    if abs(p) < 8:
        return root**p
    near = xp.exp(0.25 * p * xp.log1p(xp.clip(b, None, 1.0) ** 2))
    return xp.where(b < 1, near, root**p)


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
    return xp.where(xp.abs(x) < 0.5, near * near * series, xp.expm1(x) - xp.clip(x, None, 100.0))  # beside which more is nothing
