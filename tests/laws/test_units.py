"""What a metric declares about its unit, its shift and its best value holds."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import oracle
from asking import answer, full
from squarely import METRICS, PairState

QUESTIONS = pytest.mark.parametrize(("name", "parameters"), oracle.questions())
DEGREE = {"y^2": 2, "y": 1, "1": 0}
LENGTHS = ("delta", "beta", "c", "scale", "sigma", "period")  # settings and columns in the unit of y
PLACES = ("low", "high", "lower", "upper", "quantiles")  # those that are values of y
SIMPLE = pytest.mark.parametrize(("name", "parameters"), [each for each in oracle.questions() if METRICS[each[0]].unit in DEGREE])


def dyadic(seed: int = 0) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Positive data on a coarse grid, so that scaling and shifting below are exact."""
    rng = np.random.default_rng(seed)
    y = rng.integers(1, 4000, 200) / 64
    return y, np.maximum(y + rng.integers(-200, 300, 200) / 64, 1 / 64)


def moved(settings: dict[str, Any], factor: float, shift: float) -> dict[str, Any]:
    """Settings and columns for targets that are scaled and shifted."""
    named = {"scale": lambda v: v * factor, "place": lambda v: v * factor + shift}
    return {k: named["scale"](v) if k in LENGTHS else named["place"](v) if k in PLACES else v for k, v in settings.items()}


def test_every_metric_has_an_oracle() -> None:
    assert set(METRICS) == set(oracle.METRICS)


@SIMPLE
@pytest.mark.parametrize("exponent", [1, -30, 100])
def test_scale_has_the_declared_degree(name: str, parameters: dict[str, Any], exponent: int) -> None:
    y, p = dyadic()
    factor = 2.0**exponent
    settings = {**{key: setting.default for key, setting in METRICS[name].settings.items() if key in LENGTHS}, **full(name, y, p, parameters)}
    before = answer(name, y, p, **settings).value
    after = answer(name, factor * y, factor * p, **moved(settings, factor, 0.0)).value
    assert after == before * factor ** DEGREE[METRICS[name].unit]


@QUESTIONS
def test_shift_changes_what_is_declared_to_change(name: str, parameters: dict[str, Any]) -> None:
    y, p = dyadic()
    metric = METRICS[name]
    settings = full(name, y, p, parameters)
    before = answer(name, y, p, **settings).value
    after = answer(name, y + 2.0**20, p + 2.0**20, **moved(settings, 1.0, 2.0**20)).value
    shifts = parameters.get("normalizer") in ("energy", "mean_product", "mean")  # settings that are unlike the default in this
    stays = parameters.get("variant") == "2021" or parameters.get("power") == 0
    assert (after == before) == ((metric.shift_invariant and not shifts) or stays)


@QUESTIONS
def test_perfect_predictions_have_the_best_value(name: str, parameters: dict[str, Any]) -> None:
    y, _ = dyadic()
    metric = METRICS[name]
    perfect = answer(name, y, y, **parameters)
    if metric.best is None or set(metric.columns) & {"lower", "upper", "quantiles", "sigma"} or parameters.get("baseline", "mean") != "mean":
        return  # a perfect number is no perfect distribution, and a rule may be perfect too
    assert perfect == (metric.best, None)


@QUESTIONS
def test_nothing_beats_the_best_value(name: str, parameters: dict[str, Any]) -> None:
    metric = METRICS[name]
    for seed in range(20):
        value = answer(name, *dyadic(seed), **parameters).value
        assert math.isfinite(value)
        if metric.best is not None:
            assert {"lower": value >= metric.best, "higher": value <= metric.best, "target": True}[metric.direction]


@pytest.mark.parametrize("offset", [0.0, 1e3, 1e8, -1e15])
def test_r2_is_never_above_one(offset: float) -> None:
    rng = np.random.default_rng(1)
    for scale in (1e-12, 1e-6, 1.0):
        y = offset + rng.normal(size=100)
        state = PairState.of(y, y + scale * rng.normal(size=100))
        assert METRICS["r2_score"].of(state).value <= 1.0
        assert -1.0 <= METRICS["pearson_correlation"].of(state).value <= 1.0
