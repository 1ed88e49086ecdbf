"""States add and subtract as numbers do; order, partition and threads leave no trace."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import reduce
from operator import add

import numpy as np
import pytest

import nasty
from squarely import PairState

WEIGHTED = pytest.mark.parametrize("weights", ["none", "lognormal"])
KINDS = pytest.mark.parametrize("kind", nasty.KINDS)


def state_of(kind: str, weights: str = "none", n: int = 300, seed: int = 0) -> PairState:
    """The state of one nasty data set."""
    y, p = nasty.pair(kind, n, seed)
    return PairState.of(y, p, sample_weight=nasty.weight(weights, n, seed))


def pieces(kind: str, weights: str, count: int, n: int = 1000) -> list[PairState]:
    """States of `count` random, runs of rows."""
    y, p = nasty.pair(kind, n)
    w = nasty.weight(weights, n)
    cuts = np.sort(np.random.default_rng(count).integers(0, n + 1, count - 1))
    rows = np.split(np.arange(n), cuts)
    return [PairState.of(y[r], p[r], sample_weight=None if w is None else w[r]) for r in rows if len(r)]


@KINDS
@WEIGHTED
def test_order_does_not_matter(kind: str, weights: str) -> None:
    y, p = nasty.pair(kind)
    w = nasty.weight(weights)
    expected = PairState.of(y, p, sample_weight=w).to_bytes()
    for seed in range(5):
        order = np.random.default_rng(seed).permutation(len(y))
        shuffled = PairState.of(y[order], p[order], sample_weight=None if w is None else w[order])
        assert shuffled.to_bytes() == expected


@KINDS
@WEIGHTED
@pytest.mark.parametrize("count", [2, 7, 1000])
def test_merging_parts_is_the_whole(kind: str, weights: str, count: int) -> None:
    whole = state_of(kind, weights, 1000).to_bytes()
    parts = pieces(kind, weights, count)
    assert sum(parts, PairState()).to_bytes() == whole
    np.random.default_rng(0).shuffle(parts)
    while len(parts) > 1:  # a balanced tree, the other extreme of a merge order
        parts = [reduce(add, parts[i : i + 2]) for i in range(0, len(parts), 2)]
    assert parts[0].to_bytes() == whole


@KINDS
def test_updates_are_the_whole(kind: str) -> None:
    y, p = nasty.pair(kind)
    state = PairState()
    for start, stop in ((0, 1), (1, 130), (130, 130), (130, 300)):
        state.update(y[start:stop], p[start:stop])
    assert state.to_bytes() == PairState.of(y, p).to_bytes()


@KINDS
@WEIGHTED
def test_group_laws(kind: str, weights: str) -> None:
    a, b, c = (state_of(kind, weights, seed=seed) for seed in (1, 2, 3))
    identity = PairState()
    assert ((a + b) + c).to_bytes() == (a + (b + c)).to_bytes()
    assert (a + b).to_bytes() == (b + a).to_bytes()
    assert (a + identity).to_bytes() == a.to_bytes() == (identity + a).to_bytes()
    assert a - a == identity
    assert (a + b) - b == a
    assert a - b == identity - (b - a)
    assert a != b


def test_addition_leaves_its_operands_alone() -> None:
    a, b = state_of("normal", seed=1), state_of("cauchy", seed=2)
    before = a.to_bytes(), b.to_bytes()
    total = a + b
    assert total.n == a.n + b.n
    total -= b
    assert (a.to_bytes(), b.to_bytes()) == before


def test_digest_follows_equality() -> None:
    a, b = state_of("lognormal_12", seed=1), state_of("huge_outlier", seed=2)
    assert ((a + b) - b).digest() == a.digest() != b.digest()


def test_extremes_merge_but_cannot_be_taken_back() -> None:
    y, p = nasty.pair("normal")
    first, second = PairState.of(y[:150], p[:150]), PairState.of(y[150:], p[150:])
    assert (first + second).metric("max_error") == np.abs(y - p).max()
    taken_back = (first + second) - second
    value = taken_back.metric("max_error")
    assert np.isnan(value)


@pytest.mark.parametrize("kind", ["normal", "cauchy", "huge_and_tiny"])
def test_threads_leave_no_trace(kind: str) -> None:
    n = 200_000 if kind != "huge_and_tiny" else 20_000
    y, p = nasty.pair(kind, n)
    expected = PairState.of(y, p).to_bytes()
    runs = [slice(start, start + 1777) for start in range(0, n, 1777)]
    with ThreadPoolExecutor(4) as pool:
        parts = list(pool.map(lambda rows: PairState.of(y[rows], p[rows]), runs))
    assert sum(parts, PairState()).to_bytes() == expected
