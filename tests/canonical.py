"""The canonical bytes of a state, written from the exact sums of the oracle: a second hand for the format."""

from __future__ import annotations

import hashlib
import struct
from fractions import Fraction
from typing import Any

import oracle


def digest(y: Any, p: Any, w: Any = None) -> str:
    """SHA-256 of rows, four counters that are 0 here, and the eight sums."""
    rows = len(oracle.Rows.of(y, p, w).y)
    return hashlib.sha256(struct.pack("<5q", rows, 0, 0, 0, 0) + b"".join(map(_limbs, oracle.eight_sums(y, p, w)))).hexdigest()


def _limbs(value: Fraction) -> bytes:
    """The place of the lowest limb, the number of limbs, and limbs of 64 bits in two's complement, as few as hold the value."""
    if value == 0:
        return struct.pack("<hH", 0, 0)
    low = -20
    while (value / Fraction(2) ** (64 * (low + 1))).denominator == 1:
        low += 1
    integer = int(value / Fraction(2) ** (64 * low))
    count = 1
    while not -(2 ** (64 * count - 1)) <= integer < 2 ** (64 * count - 1):
        count += 1
    return struct.pack("<hH", low, count) + integer.to_bytes(8 * count, "little", signed=True)
