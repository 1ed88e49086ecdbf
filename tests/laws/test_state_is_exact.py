"""The state's integers are those of exact arithmetic, on every data set, in every SIMD width and in NumPy."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import pytest

import canonical
import nasty
import oracle
import squarely
from squarely import PairState, _core
from squarely.state import twin

KIND_AND_WEIGHT = [(kind, weight) for kind in nasty.KINDS for weight in nasty.WEIGHTS]


@pytest.fixture(params=_core.available())
def width(request: pytest.FixtureRequest) -> Iterator[str]:
    """Each SIMD path that this machine can run, one after the other."""
    before = _core.use(request.param)
    yield request.param
    _core.use(before)


def sums(state: PairState) -> tuple[Fraction, ...]:
    """The eight sums a state holds, as rationals."""
    _, _, a, b, *integers = state._core.integers()
    scales = [b] + [a + b] * 4 + [2 * a + b] * 3
    return tuple(Fraction(integer) * Fraction(2) ** scale for integer, scale in zip(integers, scales, strict=True))


@pytest.mark.parametrize(("kind", "weights"), KIND_AND_WEIGHT)
def test_eight_sums_are_the_rational_sums(kind: str, weights: str, width: str) -> None:
    y, p = nasty.pair(kind)
    w = nasty.weight(weights)
    assert sums(PairState.of(y, p, sample_weight=w)) == oracle.eight_sums(y, p, w), width


def test_window_edges_are_exact(width: str) -> None:
    wrong = [name for name, y, p in nasty.window_edges(210) if sums(PairState.of(y, p)) != oracle.eight_sums(y, p)]
    assert wrong == []


def test_window_edges_are_exact_with_weights(width: str) -> None:
    rng = np.random.default_rng(3)
    wrong = []
    for name, y, p in nasty.window_edges(70, seed=1):
        w = np.ldexp(2.0 - 2.0**-52, rng.choice([0, -15, -16, -17, -51, -80], len(y)))
        if sums(PairState.of(y, p, sample_weight=w)) != oracle.eight_sums(y, p, w):
            wrong.append(name)
    assert wrong == []


@pytest.mark.parametrize(("kind", "weights"), KIND_AND_WEIGHT)
def test_numpy_twin_is_the_core(kind: str, weights: str) -> None:
    y, p = nasty.pair(kind)
    w = nasty.weight(weights)
    assert twin.canonical_bytes(y, p, w) == PairState.of(y, p, sample_weight=w).canonical_bytes()


@pytest.mark.parametrize("kind", nasty.KINDS)
@pytest.mark.parametrize("weights", ["none", "lognormal"])
def test_widths_give_the_bytes_of_the_twin_on_long_columns(kind: str, weights: str) -> None:
    y, p = nasty.pair(kind, n=20_000)  # more than the longest run of every kernel
    w = nasty.weight(weights, n=20_000)
    seen = {twin.canonical_bytes(y, p, w)}
    annotated = set()
    for name in _core.available():
        before = _core.use(name)
        state = PairState.of(y, p, sample_weight=w)
        _core.use(before)
        seen.add(state.canonical_bytes())
        annotated.add(state.to_bytes())
    assert len(seen) == 1
    assert len(annotated) == 1


def test_the_digest_of_fixed_rows_is_this_constant() -> None:
    """Computed once from Python integers by tests/canonical.py; a change means that saved states no longer compare."""
    k = np.arange(1000)
    y, p, w = (k * 7919 % 1000) / 8, (k * 104729 % 997) / 16 - 20, (k % 4) / 2
    assert PairState.of(y, p).digest() == canonical.digest(y, p) == "84f67a13b2fe3a0283cc20dd2fda6d6a97bceaa75231ffe7070a2206ebaccffa"
    assert (
        PairState.of(y, p, sample_weight=w).digest()
        == canonical.digest(y, p, w)
        == "102754b6fdefed2f915eec0d669d8669e362e6f1fb4a7398b96e59e5b7454d1d"
    )


@pytest.mark.parametrize("kind", ["normal", "cauchy", "lognormal_12", "counts"])
def test_one_last_bit_changes_the_digest(kind: str) -> None:
    y, p = nasty.pair(kind)
    digest = PairState.of(y, p).digest()
    for row in range(0, len(y), 7):
        changed = y.copy()
        changed[row] = np.nextafter(changed[row], np.inf)
        assert PairState.of(changed, p).digest() != digest, row


def test_many_equal_maximal_values_do_not_overflow_a_lane(width: str) -> None:
    y = np.full(300_000, 2.0 - 2.0**-52)
    expected = len(y) * Fraction(y[0])
    got = sums(PairState.of(y, -y))
    assert got[1:3] == (expected, -expected)
    assert got[5] == len(y) * Fraction(y[0]) ** 2


def test_subnormals_and_zeros_beside_each_other_are_exact(width: str) -> None:
    y, p = np.array([5e-324, -5e-324, 0.0, -0.0] * 40), np.array([2e-323, 1.0, -0.0, 5e-324] * 40)
    assert sums(PairState.of(y, p)) == oracle.eight_sums(y, p)


def test_non_finite_rows_are_counted_and_stay_out_of_the_sums(width: str) -> None:
    y, p = nasty.pair("normal")
    bad_y, bad_p = y.copy(), p.copy()
    bad_y[3], bad_y[200], bad_p[5], bad_p[250] = np.nan, np.inf, np.nan, -np.inf
    kept = np.isfinite(bad_y) & np.isfinite(bad_p)
    state = squarely.PairState.of(bad_y, bad_p)
    assert sums(state) == oracle.eight_sums(y[kept], p[kept])
    counted = (state.missing_target, state.infinite_target, state.missing_prediction, state.infinite_prediction)
    assert counted == (1, 1, 1, 1)
