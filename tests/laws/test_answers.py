"""Every answer is near the real number it stands for: one unit in the last place where sums are exact, four where terms are rounded."""

from __future__ import annotations

import math

import numpy as np
import pytest

import nasty
import oracle
import squarely
from asking import answer, call, full
from squarely import METRICS, PairState
from squarely.errors import DataError
from squarely.state import Rows

QUESTIONS = oracle.questions()


@pytest.mark.parametrize("weights", ["none", "lognormal", "integers_with_zeros", "large"])
@pytest.mark.parametrize("kind", nasty.KINDS)
def test_answers_are_the_oracles(kind: str, weights: str) -> None:
    y, p = nasty.pair(kind, 100)
    w = nasty.weight(weights, 100)
    for name, parameters in QUESTIONS:
        got = answer(name, y, p, w, **parameters)
        assert oracle.misses(name, got.value, y, p, w, **full(name, y, p, parameters)) <= 1, (name, parameters, got)
        assert bool(got.reason) == math.isnan(got.value), (name, parameters, got)


@pytest.mark.parametrize("spread_to_mean", [1.0, 1e-3, 1e-6, 1e-9])
@pytest.mark.parametrize("residual", [1.0, 1e-3, 1e-6, 1e-9])
def test_large_means_and_small_residuals_cost_no_digit(spread_to_mean: float, residual: float) -> None:
    rng = np.random.default_rng(9)
    y = 1 + spread_to_mean * rng.normal(size=200)
    p = y + residual * spread_to_mean * rng.normal(size=200)
    for name, parameters in QUESTIONS:
        got = answer(name, y, p, **parameters)
        assert oracle.misses(name, got.value, y, p, **full(name, y, p, parameters)) <= 1, (name, parameters, got)


@pytest.mark.parametrize(("name", "parameters"), QUESTIONS)
@pytest.mark.parametrize("weights", ["none", "uniform"])
def test_functions_and_states_agree(name: str, parameters: dict[str, object], weights: str) -> None:
    y, p = nasty.pair("normal")
    w = nasty.weight(weights)
    by_state = answer(name, y, p, w, **parameters)
    if METRICS[name].domain and math.isnan(by_state.value):
        with pytest.raises(DataError, match=f"{name} takes {METRICS[name].domain}; at index"):
            call(name, y, p, w, **parameters)
    if math.isnan(by_state.value):
        y, p = np.abs(y), np.abs(p)
        by_state = answer(name, y, p, w, **parameters)
    assert by_state.reason is None
    assert call(name, y, p, w, **parameters) == by_state.value
    assert getattr(squarely, name) is METRICS[name].function


def test_the_best_constant_is_found_where_sums_of_weights_round() -> None:
    y, w = [0.0, 1.0, 2.0], [2.0**53, 1.0, 2.0**53]  # in floating point the first weight is half of the sum
    best, one = Rows(y, y, w).best_constant(0.5), PairState.of(y, [1.0, 1.0, 1.0], w).sums
    assert (best.p, best.larger, best.pp) == (one.p, one.larger, one.pp)


def test_uint8_differences_do_not_wrap() -> None:
    y, p = np.array([0, 100, 5], dtype=np.uint8), np.array([200, 30, 250], dtype=np.uint8)
    assert squarely.mean_squared_error(y, p) == 34975
    assert squarely.mean_error(y, p) == 125
    assert squarely.max_error(y, p) == 245


def test_int64_beyond_2_to_53_does_not_round() -> None:
    y, p = np.array([2**53 + 1, 0]), np.array([2**53, 0])
    assert squarely.mean_squared_error(y, p) == 0.5
    assert squarely.max_error(y, p) == 1.0
    assert squarely.max_error(np.array([2**64 - 1], dtype=np.uint64), np.array([0.0])) == float(2**64 - 1)


def test_float32_unit_errors_have_mean_one() -> None:
    y = np.zeros((20_000_000, 2), dtype=np.float32)
    p = np.ones_like(y)
    assert list(squarely.mean_squared_error(y, p, multioutput="raw_values")) == [1.0, 1.0]
    assert squarely.mean_absolute_error(y, p) == 1.0


@pytest.mark.filterwarnings("ignore::squarely.errors.UndefinedMetricWarning")
@pytest.mark.parametrize("n", [3, 10, 1000])
def test_constant_target_is_decided_on_the_data(n: int) -> None:
    y = np.full(n, 0.1)
    assert squarely.r2_score(y, y + 0.01) == 0.0
    assert squarely.r2_score(y, y) == 1.0
    assert squarely.r2_score(y, y + 0.01, force_finite=False) == -math.inf
    assert math.isnan(squarely.r2_score(y, y, force_finite=False))
    answer = squarely.evaluate(y, y + 0.01)["r2"]
    assert math.isnan(answer.value)
    assert "constant" in answer.reason


def test_squares_beyond_float64_do_not_spoil_ratios() -> None:
    y, p = np.array([1.0, 2.0, 3.0]), np.array([3.0, 2.0, 1.0])
    for scale in (1e-200, 1e200):
        assert squarely.r2_score(y * scale, p * scale) == pytest.approx(-3.0, rel=1e-14)  # y * scale is rounded
    assert squarely.root_mean_squared_error(np.array([1e200]), np.array([0.0])) == 1e200
    assert squarely.root_mean_squared_error(np.array([1e-200]), np.array([0.0])) == 1e-200
