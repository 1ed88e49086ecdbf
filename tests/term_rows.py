"""Rows that try the recipes: healthy ones, good fits, wide ranges, both sides of every branch, extremes, and rows outside the domains."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from term_oracle import LARGEST, NORMAL, TINY, Case

Doubles = npt.NDArray[np.float64]


def around(values: Doubles, steps: int = 3) -> Doubles:
    """Every value with its neighbours."""
    out = [values]
    up, down = values, values
    with np.errstate(over="ignore"):
        for _ in range(steps):
            up, down = np.nextafter(up, np.inf), np.nextafter(down, -np.inf)
            out += [up, down]
    return np.concatenate(out)


def wide(rng: np.random.Generator, count: int, signed: bool) -> Doubles:
    values = 10.0 ** rng.uniform(-300, 300, count)
    return values * rng.choice([-1.0, 1.0], count) if signed else values


def pairs(case: Case, rng: np.random.Generator, count: int) -> Iterator[tuple[Doubles, Doubles]]:
    """Blocks of (y, p): healthy, good fits, wide ranges, edges, extremes."""
    signed = case.domain == "any"
    y = rng.normal(size=count) if signed else rng.lognormal(size=count)
    scale = np.exp(rng.normal(size=count))
    noise = rng.normal(size=count)
    yield y * scale, y * scale + noise if signed else y * scale * np.exp(0.3 * noise)
    for fit in (1e-1, 1e-3, 1e-6, 1e-9, 1e-12):
        part = rng.normal(size=count // 4) if signed else rng.lognormal(size=count // 4)
        yield part, part * (1 + fit * rng.normal(size=count // 4))
    far, near = wide(rng, count // 2, signed), wide(rng, count // 2, signed)
    yield far, near
    yield far, far * 10.0 ** rng.uniform(-1, 1, count // 2)
    yield far, far * (1 + 1e-6 * rng.normal(size=count // 2))
    yield near * 1e-300 if signed else near, near * 1e-300 * 1.1 if signed else near * 1.1
    close = 2.0 ** rng.uniform(-301, 301, count) * (rng.choice([-1.0, 1.0], count) if signed else 1.0)
    yield close * 2.0 ** rng.uniform(-1.01, 1.01, count), close  # where numbers are close, and a little beyond
    few = far[: count // 8]
    for ratio in (2**0.5, 0.5**0.5, 1.0, 2.0, 0.5, 2.0**30, 2.0**-100):  # the edges of the logarithm
        with np.errstate(over="ignore"):
            yield around(few * ratio, 1), np.concatenate([few] * 3)
    if case.domain == "log":
        for ratio in (2**0.5, 0.5**0.5, 1.0):
            small = np.concatenate([rng.uniform(-1, 1, count // 4), 10 ** rng.uniform(-20, 3, count // 4)])
            yield small * 2.0 ** rng.uniform(-1, 1, len(small)), small
            yield around((1 + small) * ratio - 1, 1), np.concatenate([small] * 3)
        near_minus_one = -1 + 2.0 ** rng.uniform(-53, 0, count // 2)
        yield near_minus_one, rng.permutation(near_minus_one)
        yield near_minus_one, around(near_minus_one)[-len(near_minus_one) :]
    edges = np.array(case.edges)
    if signed and len(edges):
        near_edges = around(np.concatenate([edges, -edges]), 4).clip(-LARGEST, LARGEST)
        yield near_edges, np.zeros(len(near_edges))
        yield np.zeros(len(near_edges)), near_edges
        with np.errstate(over="ignore"):
            spread = np.concatenate([edges[0] * 10.0 ** rng.uniform(-3, 3, count), edges[0] * rng.uniform(0.5, 2, count)]).clip(-LARGEST, LARGEST)
        yield spread, np.zeros(len(spread))
        yield spread * rng.uniform(0, 1, len(spread)), -spread * rng.uniform(0, 1, len(spread))
    extreme = np.array([0.0, TINY, 3 * TINY, NORMAL, 1.5 * NORMAL, 1e-160, 1e-5, 0.5, 1.0, 1.5, 1e5, 1e160, LARGEST / 3, LARGEST])
    extreme = np.concatenate([extreme, -extreme])
    yield from ((a.ravel(), b.ravel()) for a, b in [np.meshgrid(extreme, extreme)])


def rows(case: Case, rng: np.random.Generator, count: int) -> tuple[Doubles, Doubles, Doubles | None, Doubles | None]:
    """All rows of a case: y, p, x0, x1; y and p are finite, some columns are not."""
    blocks = list(pairs(case, rng, count))
    y, p = (np.concatenate([block[i] for block in blocks]) for i in (0, 1))
    keep = np.isfinite(y) & np.isfinite(p)
    y, p = y[keep], p[keep]
    if case.columns == "scale":
        return np.tile(y, 5), np.tile(p, 5), scales(rng, y, p), None
    if case.columns == "interval":
        lower, upper = intervals(rng, y, p)
        return np.tile(y, 3), np.tile(p, 3), lower, upper
    return y, p, None, None


def scales(rng: np.random.Generator, y: Doubles, p: Doubles) -> Doubles:
    """Scales near, far and very far from the residuals, around the edges of the recipes, and ones that cannot be scales."""
    with np.errstate(over="ignore", under="ignore"):
        size = np.minimum(np.abs(y - p), LARGEST)
        ratios = [10.0 ** rng.uniform(-9, 9, len(y)), 10.0 ** rng.uniform(-300, 300, len(y)), rng.choice(around(np.array([1.4, 9.5, 0.5])), len(y))]
        found = [np.minimum(size / ratio, LARGEST) for ratio in ratios]
    return np.concatenate(
        [*found, np.exp(rng.normal(size=len(y))), rng.choice([0.0, -0.0, -1.0, math.nan, math.inf, -math.inf, TINY, LARGEST], len(y))]
    )


def intervals(rng: np.random.Generator, y: Doubles, p: Doubles) -> tuple[Doubles, Doubles]:
    """Intervals far from y, close to it, and ones that cannot be intervals."""
    near = np.clip(y, -1e308, 1e308)
    far = np.sort(np.stack([rng.permutation(p), p / 2]), axis=0)
    close = np.sort(np.stack([near * rng.uniform(0.99, 1.01, len(y)), near * rng.choice([0.99, 1.0, 1.01], len(y))]), axis=0)
    none = rng.choice([math.nan, math.inf, -math.inf, 0.0, 1.0], (2, len(y)))
    return np.concatenate([far[0], close[0], none[0]]), np.concatenate([far[1], close[1], none[1]])
