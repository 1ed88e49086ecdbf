"""What is read for one question only is as exact as the rest: the sum of the target alone, and one prediction for all rows."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import nasty
from squarely import _core
from squarely.state import Plan, Sums, Term

LENGTHS = (1, 7, 12, 127, 261, 2047, 2049, 5000)
DTYPES = ("float64", "float32", "float16", "int8", "uint16", "int64", "uint64", "bool")
SQUARES = Plan((Term("squared_error"),))
TARGET = Plan((Term("squared_error"),), pairs=False, target=True)


@pytest.fixture(params=_core.available(), autouse=True)
def width(request: pytest.FixtureRequest) -> Iterator[str]:
    """Each SIMD path that this machine can run, one after the other."""
    before = _core.use(request.param)
    yield request.param
    _core.use(before)


def state(plan: Plan, y: Any, p: Any, w: Any = None, threads: int = 1) -> _core.PairSums:
    core = _core.PairSums(plan.core)
    assert core.update(y, p, w, threads) == -1
    return core


def target_of(core: _core.PairSums, plan: Plan) -> tuple[Fraction, Fraction]:
    """Sum w y and sum w."""
    sums = Sums(core, plan, {})
    return Fraction(sums.y) * Fraction(2) ** sums.linear_scale, Fraction(sums.w) * Fraction(2) ** sums.weight_scale


@pytest.mark.parametrize("weights", ["none", "lognormal", "integers_with_zeros"])
@pytest.mark.parametrize("kind", nasty.KINDS)
def test_the_sum_of_the_target_is_rational(kind: str, weights: str) -> None:
    for n in LENGTHS:
        y, p = nasty.pair(kind, n)
        y[::5], p[1::7] = np.resize([np.nan, np.inf, -np.inf], len(y[::5])), np.nan
        w = nasty.weight(weights, n)
        factors = [1] * n if w is None else w.tolist()
        rows = [(Fraction(a), Fraction(f)) for a, b, f in zip(y.tolist(), p.tolist(), factors, strict=True) if np.isfinite(a) and np.isfinite(b)]
        assert target_of(state(TARGET, y, p, w), TARGET) == (sum((a * f for a, f in rows), Fraction(0)), sum((f for _, f in rows), Fraction(0))), n


@pytest.mark.parametrize("threads", [1, 2])
def test_long_integers_are_no_doubles_and_their_sum_is_exact(threads: int) -> None:
    y = np.full(70_000, 2**60 + 1)
    y[:60_000] = np.arange(60_000)
    assert target_of(state(TARGET, y, y, None, threads), TARGET) == (sum(y.tolist()), len(y))


@pytest.mark.parametrize("dtype", DTYPES)
def test_one_prediction_stands_for_a_column_of_it(dtype: str) -> None:
    rng = np.random.default_rng(0)
    for n in LENGTHS:
        y, one = rng.integers(0, 2 if dtype == "bool" else 100, n).astype(dtype), np.asarray(1, dtype)
        if dtype in ("int64", "uint64"):
            y[::3], one = 2**60 + 1, np.asarray(2**60 + 3, dtype)
        for w in (None, rng.random(n)):
            column = state(SQUARES, y, np.full(n, one), w).body()
            assert state(SQUARES, y, one, w).body() == state(SQUARES, y, one[()], w).body() == column, n
            if dtype == "float64":
                assert state(SQUARES, y, float(one), w).body() == column, n


def test_a_single_number_is_no_column_of_targets() -> None:
    with pytest.raises(ValueError, match="one-dimensional"):
        state(SQUARES, np.asarray(1.0), np.ones(3))
    with pytest.raises(ValueError, match="one-dimensional"):
        state(SQUARES, np.ones(3), np.ones((3, 1)))
