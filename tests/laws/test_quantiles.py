"""Quantiles of many rows are those of sorted rows, whatever the sample says that the search starts from, and on any number of threads."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from squarely import _core

ROWS = 200_003  # more than the sample of the search, and than a part of a thread
SAMPLE = 1 << 15
LEVELS = (Fraction(0), Fraction(1, 10**6), Fraction(1, 10), Fraction(1, 2), Fraction(9, 10), Fraction(999_999, 10**6), Fraction(1))
SHAPES = {
    "lognormal": lambda rng: rng.lognormal(0, 3, ROWS),
    "sorted": lambda rng: np.sort(rng.normal(size=ROWS)),
    "few values": lambda rng: rng.integers(0, 3, ROWS).astype(float),
    "one value": lambda rng: np.full(ROWS, 2.5),
    "mostly zero": lambda rng: np.where(rng.random(ROWS) < 0.9, 0.0, 10 ** rng.uniform(-320, 300, ROWS)),
    "infinite sizes": lambda rng: np.where(rng.random(ROWS) < 0.6, 1.7e308, -1.0) * rng.choice([-1.0, 1.0], ROWS),
    "a period": lambda rng: np.arange(ROWS) % 6.0,
}


def at_level(values: NDArray[Any], level: Fraction) -> tuple[float, float]:
    """Take the values on both sides of a quantile from sorted values."""
    ordered, rank = np.sort(values), level * len(values)
    lower = max(0, min(len(values), -(-rank.numerator // rank.denominator)) - 1)
    upper = lower if rank.denominator > 1 else max(0, min(int(rank), len(values) - 1))
    return float(ordered[lower]), float(ordered[upper])


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("shape", SHAPES)
def test_quantiles_are_those_of_sorted_rows(shape: str, threads: int) -> None:
    rng = np.random.default_rng(0)
    y = SHAPES[shape](rng)
    p = -np.abs(y) / 4
    y[::1001], p[::1003] = np.nan, np.inf
    kept = np.isfinite(y) & np.isfinite(p)
    with np.errstate(over="ignore"):
        sizes = np.abs(y - p)[kept]
    for level in LEVELS:
        ratio = level.as_integer_ratio()
        assert _core.quantile(y, p, None, *ratio, threads=threads) == at_level(sizes, level)
        assert _core.quantile(y, p, None, *ratio, True, threads) == at_level(y[kept], level)


@pytest.mark.parametrize("threads", [1, 3])
def test_a_sample_that_misleads_changes_nothing(threads: int) -> None:
    """The rows that the search looks at first are unlike all others."""
    y, state = np.random.default_rng(1).random(ROWS), 1
    for i in range(SAMPLE):
        state = state * 48271 % (2**31 - 1)
        y[i * (ROWS // SAMPLE) + state % (ROWS // SAMPLE)] += 1000
    for level in LEVELS:
        assert _core.quantile(y, 0 * y, None, *level.as_integer_ratio(), threads=threads) == at_level(y, level)


def test_quantiles_of_integers_that_no_double_holds() -> None:
    y = (2**62 + np.random.default_rng(2).integers(-1000, 1000, ROWS)).astype(np.int64)
    p = np.full(ROWS, 2**62, np.int64)
    sizes = np.abs(y - p).astype(float)
    for level in LEVELS:
        assert _core.quantile(y, p, None, *level.as_integer_ratio(), threads=2) == at_level(sizes, level)
