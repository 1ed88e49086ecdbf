"""The NumPy twin of the compiled core: the same state from int64 limbs alone. Slow, short, and the oracle of the tests.

A double is a mantissa of four 18-bit limbs times a power of two. Limbs multiply like digits; products of limbs stay below
2^40, so that 2^20 of them add up in an int64. Rows with the same exponent are added together; Python integers do the rest.
"""

import struct
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["canonical_bytes"]

_BITS, _LIMBS, _ROWS = 18, 4, 1 << 16
Integers = npt.NDArray[np.int64]


def _take_apart(values: npt.NDArray[Any]) -> tuple[Integers, Integers]:
    """Return signed limbs (n, 4), low first, and exponents (n,): value = sum limb_i 2^(18 i) * 2^exponent."""
    if values.dtype.kind in "biu":
        exponents = np.zeros(len(values), np.int64)
        negative = values < 0
        magnitude = np.where(negative, np.negative(values.astype(np.int64)), 0).astype(np.uint64) + np.where(negative, 0, values).astype(np.uint64)
    else:
        fraction, exponent = np.frexp(values.astype(np.float64))
        negative = fraction < 0
        magnitude = np.ldexp(np.abs(fraction), 53).astype(np.uint64)
        exponents = exponent.astype(np.int64) - 53
    limbs = np.stack([(magnitude >> np.uint64(_BITS * i)) & np.uint64((1 << _BITS) - 1) for i in range(_LIMBS)], axis=1).astype(np.int64)
    return np.where(negative[:, None], -limbs, limbs), exponents


def _multiply(a: Integers, b: Integers) -> Integers:
    """Multiply rows of limbs, and carry so that every limb but the last is below 2^18 in size again."""
    product = np.zeros((len(a), a.shape[1] + b.shape[1]), np.int64)
    for i in range(a.shape[1]):
        product[:, i : i + b.shape[1]] += a[:, i : i + 1] * b
    for i in range(product.shape[1] - 1):
        carry = product[:, i] >> _BITS
        product[:, i] -= carry << _BITS
        product[:, i + 1] += carry
    return product


class _Total:
    """An exact sum: an integer and its power of two."""

    def __init__(self) -> None:
        self.integer, self.exponent = 0, 0

    def add(self, limbs: Integers, exponents: Integers) -> None:
        levels, which = np.unique(exponents, return_inverse=True)
        columns = np.zeros((len(levels), limbs.shape[1]), np.int64)
        np.add.at(columns, which, limbs)
        for level, column in zip(levels.tolist(), columns.tolist(), strict=True):
            self._add(sum(digit << (_BITS * i) for i, digit in enumerate(column)), level)

    def _add(self, integer: int, exponent: int) -> None:
        if exponent < self.exponent:
            self.integer, self.exponent = self.integer << (self.exponent - exponent), exponent
        self.integer += integer << (exponent - self.exponent)

    def canonical(self) -> bytes:
        """Return i16 lowest limb, u16 count, and 64-bit limbs of two's complement, as few as hold the value."""
        if not self.integer:
            return struct.pack("<hH", 0, 0)
        base, shift = divmod(self.exponent, 64)
        integer = self.integer << shift
        low = ((integer & -integer).bit_length() - 1) // 64
        integer >>= 64 * low
        count = (integer if integer >= 0 else ~integer).bit_length() // 64 + 1
        return struct.pack("<hH", base + low, count) + integer.to_bytes(8 * count, "little", signed=True)


def canonical_bytes(y_true: Any, y_pred: Any, sample_weight: Any = None) -> bytes:
    """Return what ``PairState.of(...).canonical_bytes()`` returns, from NumPy and Python integers alone.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n,)
    sample_weight : array-like of shape (n,), optional
    """
    y, p = np.asarray(y_true), np.asarray(y_pred)
    w = np.ones(len(y)) if sample_weight is None else np.asarray(sample_weight)
    keep = w != 0
    y, p, w = y[keep], p[keep], w[keep]
    refused = _refused(y, p)
    finite = np.isfinite(y) & np.isfinite(p)
    y, p, w = y[finite], p[finite], w[finite]
    totals = [_Total() for _ in range(8)]
    for start in range(0, len(y), _ROWS):
        rows = slice(start, start + _ROWS)
        _add_block(totals, y[rows], p[rows], w[rows])
    return struct.pack("<5q", len(y), *refused) + b"".join(total.canonical() for total in totals)


def _refused(y: npt.NDArray[Any], p: npt.NDArray[Any]) -> tuple[int, int, int, int]:
    """Count rows that cannot be added: missing target, missing prediction, infinite target, infinite prediction."""
    no_y, no_p = np.isnan(y), np.isnan(p) & ~np.isnan(y)
    inf_y = np.isinf(y) & ~no_p
    inf_p = np.isinf(p) & ~no_y & ~np.isinf(y)
    return int(no_y.sum()), int(no_p.sum()), int(inf_y.sum()), int(inf_p.sum())


def _add_block(totals: list[_Total], y: npt.NDArray[Any], p: npt.NDArray[Any], w: npt.NDArray[Any]) -> None:
    (my, ey), (mp, ep), (mw, ew) = _take_apart(y), _take_apart(p), _take_apart(w)
    sign = np.where(my.sum(axis=1) < 0, -1, 1)[:, None]
    y_is_larger = _is_larger(y, p)
    larger, e_larger = np.where(y_is_larger[:, None], my, mp), np.where(y_is_larger, ey, ep)
    totals[0].add(mw, ew)
    linear = ((my, ey), (mp, ep), (larger, e_larger), (sign * my, ey))
    for total, (limbs, exponents) in zip(totals[1:5], linear, strict=True):
        total.add(_multiply(limbs, mw), exponents + ew)
    for total, (a, ea, b, eb) in zip(totals[5:], ((my, ey, my, ey), (my, ey, mp, ep), (mp, ep, mp, ep)), strict=True):
        total.add(_multiply(_multiply(a, b), mw), ea + eb + ew)


def _is_larger(y: npt.NDArray[Any], p: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Compare as real numbers: 64-bit integers and doubles would be rounded by NumPy's comparison."""
    if y.dtype.kind == p.dtype.kind and y.dtype.kind != "O":
        return y > p
    return np.fromiter((a > b for a, b in zip(y.tolist(), p.tolist(), strict=True)), np.bool_, len(y))
