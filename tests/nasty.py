"""Data that break ordinary sums: every kind that a windowed exact kernel could get wrong, seeded."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Pair = tuple[Floats, Floats]
BLOCK = 128  # rows whose window is decided together
WINDOW_EDGES = (23, 24, 25, 48, 49, 50, 51, 73, 74, 75, 76, 100, 101, 102)


def _normal(rng: np.random.Generator, n: int) -> Pair:
    y = rng.normal(size=n)
    return y, y + 0.5 * rng.normal(size=n)


def _large_offset(rng: np.random.Generator, n: int) -> Pair:
    y = 1e9 + 1e-3 * rng.normal(size=n)
    return y, y + 1e-3 * rng.normal(size=n)


def _float32(rng: np.random.Generator, n: int) -> Pair:
    y = (300 + 20 * rng.normal(size=n)).astype(np.float32)
    return y.astype(float), (y + rng.normal(size=n).astype(np.float32)).astype(float)


def _counts(rng: np.random.Generator, n: int) -> Pair:
    return rng.poisson(1.0, n).astype(float), rng.poisson(1.0, n).astype(float)


def _cauchy(rng: np.random.Generator, n: int) -> Pair:
    y = rng.standard_cauchy(n)
    return y, y + rng.standard_cauchy(n)


def _lognormal(sigma: float) -> Callable[[np.random.Generator, int], Pair]:
    def make(rng: np.random.Generator, n: int) -> Pair:
        return rng.lognormal(0, sigma, n), rng.lognormal(0, sigma, n)

    return make


def _cancelling(rng: np.random.Generator, n: int) -> Pair:
    half = rng.normal(size=(n + 1) // 2) * 1e15
    y = np.concatenate([half, -half])[:n] + rng.normal(size=n)
    return rng.permutation(y), np.negative(rng.permutation(y))


def _huge_and_tiny(rng: np.random.Generator, n: int) -> Pair:
    def draw() -> Floats:
        return rng.choice([-1.0, 1.0], n) * 10 ** rng.uniform(-300, 300, n)

    return draw(), draw()


def _subnormal(rng: np.random.Generator, n: int) -> Pair:
    def draw() -> Floats:
        return rng.integers(-1000, 1000, n) * 5e-324

    return draw(), draw()


def _almost_perfect(rng: np.random.Generator, n: int) -> Pair:
    y = rng.normal(size=n)
    return y, np.nextafter(y, np.where(rng.random(n) < 0.5, -np.inf, np.inf))


def _outlier(value: float) -> Callable[[np.random.Generator, int], Pair]:
    def make(rng: np.random.Generator, n: int) -> Pair:
        y, p = _normal(rng, n)
        y[n // 3], p[2 * n // 3] = value, -value
        return y, p

    return make


def _zeros(rng: np.random.Generator, n: int) -> Pair:
    y, p = _normal(rng, n)
    y[rng.random(n) < 0.5] = 0.0
    p[rng.random(n) < 0.5] = -0.0
    return y, p


KINDS: dict[str, Callable[[np.random.Generator, int], Pair]] = {
    "normal": _normal,
    "large_offset": _large_offset,
    "float32": _float32,
    "counts": _counts,
    "cauchy": _cauchy,
    "lognormal_3": _lognormal(3.0),
    "lognormal_12": _lognormal(12.0),
    "cancelling": _cancelling,
    "huge_and_tiny": _huge_and_tiny,
    "subnormal": _subnormal,
    "almost_perfect": _almost_perfect,
    "huge_outlier": _outlier(1.7e308),
    "tiny_outlier": _outlier(5e-324),
    "zeros": _zeros,
}


def pair(kind: str, n: int = 300, seed: int = 0) -> Pair:
    """Targets and predictions of one kind; the seed and the kind decide every bit."""
    y, p = KINDS[kind](np.random.default_rng([seed, list(KINDS).index(kind)]), n)
    return y, p


WEIGHTS: dict[str, Callable[[np.random.Generator, int], Floats | None]] = {
    "none": lambda rng, n: None,
    "uniform": lambda rng, n: rng.random(n),
    "lognormal": lambda rng, n: rng.lognormal(0, 3, n),
    "integers_with_zeros": lambda rng, n: rng.integers(0, 4, n).astype(float),
    "large": lambda rng, n: 1e9 + rng.random(n),
    "extreme": lambda rng, n: 10 ** rng.uniform(-300, 300, n),
}


def weight(kind: str, n: int = 300, seed: int = 0) -> Floats | None:
    """Weights of one kind, or None."""
    return WEIGHTS[kind](np.random.default_rng([seed, list(WEIGHTS).index(kind), 7]), n)


def window_edges(cases: int, seed: int = 0) -> Iterator[tuple[str, Floats, Floats]]:
    """Blocks whose exponents span just less, just as much and just more than each window holds.

    Mantissas are all ones half of the time (the most bits a slice can be asked to carry), signs and zeros are mixed,
    and sizes straddle the block.
    """
    rng = np.random.default_rng(seed)
    for case in range(cases):
        span = WINDOW_EDGES[case % len(WINDOW_EDGES)]
        top = int(rng.integers(-420, 421)) if case % 3 == 0 else int(rng.integers(-30, 31))
        n = int(rng.choice([1, 7, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK + 5]))
        y, p = (_spanning(rng, n, top, span) for _ in range(2))
        yield f"span {span} below 2^{top}, {n} rows, case {case}", y, p


def _spanning(rng: np.random.Generator, n: int, top: int, span: int) -> Floats:
    ones = 2.0 - 2.0**-52
    mantissa = np.where(rng.random(n) < 0.5, ones, 1 + rng.random(n))
    exponent = rng.choice([top, top - span, top - span // 2], n)
    values = np.ldexp(mantissa, exponent) * rng.choice([-1.0, 1.0], n)
    values[rng.random(n) < 0.1] = 0.0
    return values
