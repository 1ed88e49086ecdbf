"""Gradients are those of the textbook definitions, by central differences in exact arithmetic."""

from __future__ import annotations

import math
from typing import Any

import mpmath
import numpy as np
import pytest
from numpy.typing import NDArray

import oracle
from squarely import METRICS
from squarely.errors import DataError

_RANKS = "the ranks of the errors decide which rows count"
_BASELINE = "its baseline is a quantile of the target, for which array libraries have no function with weights"
_ENDS = "it judges several columns, and not one prediction"
WITHOUT = {
    "ratio_of_performance_to_interquartile_distance": _BASELINE,
    "skill_score": "its baseline may be a rule over the order of rows; with the mean it is r2_score",
    "median_absolute_scaled_error": _RANKS,
    "median_absolute_error": _RANKS,
    "quantile_absolute_error": _RANKS,
    "trimmed_mean_squared_error": _RANKS,
    "winsorized_mean_squared_error": _RANKS,
    "d2_pinball_score": _BASELINE,
    "d2_absolute_error_score": _BASELINE,
    "mean_quantile_loss": _ENDS,
    "crps_quantiles": _ENDS,
    "interval_coverage": _ENDS,
    "mean_interval_width": _ENDS,
    "interval_score": _ENDS,
    "crps_gaussian": "it needs the error function, which array libraries keep elsewhere",
}
QUESTIONS = [(name, settings) for name, settings in oracle.questions() if name not in WITHOUT]
LOSSES = [(name, settings) for name, settings in QUESTIONS if METRICS[name].direction != "target" and METRICS[name].best is not None]
STEP = 2.0**-24  # its square is the error of a central difference: 4e-15; a residual is rounded to 2^-53, a step of it to 2^-29
TOLERANCE = 1e-7  # of the largest slope


def rows(n: int = 9) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Positive targets and predictions, errors of both signs and of sizes on both sides of every bend."""
    rng = np.random.default_rng(23)
    y = rng.lognormal(0.3, 0.8, n)
    return y, y * rng.lognormal(0.1, 0.7, n), rng.uniform(0.5, 2, n)


def slopes(name: str, y: Any, p: Any, w: Any, settings: dict[str, Any]) -> NDArray[np.float64]:
    """Central differences of the exact value."""
    found = []
    for row in range(len(y)):
        ends = []
        for step in (STEP, -STEP):
            moved = p.copy()
            moved[row] += step
            exact = oracle.value(name, y, moved, w, **settings)
            assert exact is not None
            ends.append((oracle.real(exact), moved[row]))
        with mpmath.workprec(oracle.BITS):
            found.append(float((ends[0][0] - ends[1][0]) / (mpmath.mpf(ends[0][1]) - mpmath.mpf(ends[1][1]))))
    return np.array(found)


@pytest.mark.parametrize(("name", "settings"), QUESTIONS)
@pytest.mark.parametrize("weighted", [False, True])
def test_gradients_are_slopes(name: str, settings: dict[str, Any], weighted: bool) -> None:
    y, p, w = rows()
    settings = {**oracle.columns(name, y, p), **settings}
    weight = w if weighted else None
    expected = slopes(name, y, p, weight, settings)
    got = METRICS[name].gradient(y, p, weight, **settings)
    assert got.shape == y.shape
    assert np.abs(got - expected).max() <= TOLERANCE * np.abs(expected).max()
    assert np.abs(expected).max() > 0


@pytest.mark.parametrize(("name", "settings"), LOSSES)
def test_a_perfect_prediction_has_no_slope(name: str, settings: dict[str, Any]) -> None:
    y, _, w = rows()
    got = METRICS[name].gradient(y, y, w, **{**oracle.columns(name, y, y), **settings})
    assert np.abs(got).max() <= 1e-14


@pytest.mark.parametrize(("name", "settings"), QUESTIONS)
def test_a_row_without_weight_has_no_slope(name: str, settings: dict[str, Any]) -> None:
    y, p, w = rows()
    w[4] = 0
    settings = {**oracle.columns(name, y, p), **settings}
    got = METRICS[name].gradient(y, p, w, **settings)
    rest = {key: np.delete(value, 4) if isinstance(value, np.ndarray) else value for key, value in settings.items()}
    assert got[4] == 0
    assert np.allclose(np.delete(got, 4), METRICS[name].gradient(np.delete(y, 4), np.delete(p, 4), np.delete(w, 4), **rest), rtol=1e-13, atol=0)


@pytest.mark.parametrize("name", METRICS)
def test_a_metric_has_a_gradient_or_a_reason(name: str) -> None:
    metric = METRICS[name]
    assert (metric.derivative is None) == (name in WITHOUT)
    if name in WITHOUT and "quantiles" not in metric.columns:
        y, p, _ = rows()
        with pytest.raises(DataError, match=f"{name} has no gradient"):
            metric.gradient(y, p, **oracle.columns(name, y, p))


def test_gradients_at_kinks_are_what_is_promised() -> None:
    assert METRICS["root_mean_squared_error"].gradient([1.0, 2.0], [1.0, 2.0]).tolist() == [0.0, 0.0]
    assert METRICS["mean_absolute_error"].gradient([1.0, 2.0], [1.0, 3.0]).tolist() == [0.0, 0.5]
    assert METRICS["max_error"].gradient([0.0, 0.0, 0.0], [1.0, -3.0, 2.0]).tolist() == [0.0, -1.0, 0.0]
    assert METRICS["max_error"].gradient([0.0, 0.0], [3.0, -3.0]).tolist() == [0.0, 0.0]
    assert METRICS["mean_absolute_percentage_error"].gradient([0.0, 2.0], [0.0, 1.0]).tolist() == [0.0, -0.25]


def test_the_houses_have_the_slopes_of_the_textbook() -> None:
    y, p = [250, 300, 180, 420, 350], [240, 310, 200, 400, 360]
    assert METRICS["mean_squared_error"].gradient(y, p).tolist() == [-4.0, 4.0, 8.0, -8.0, 4.0]  # 2 (p - y) / n
    assert METRICS["root_mean_squared_error"].gradient(y, p) == pytest.approx(np.array([-1, 1, 2, -2, 1]) * 2 / math.sqrt(220), rel=1e-15)
