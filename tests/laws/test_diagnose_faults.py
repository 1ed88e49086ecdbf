"""Planted faults are named first or second, healthy data raise no alarm, and many rows raise none without a practical effect."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import squarely as sq

Array = NDArray[np.float64]
Case = dict[str, Any]
N = 2000


def plain(rng: np.random.Generator, n: int = N) -> tuple[Array, Array]:
    """Predictions that are right, and normal errors."""
    p = 20 + 3 * rng.normal(size=n)
    return p, p + rng.normal(size=n)


def heteroscedastic(rng: np.random.Generator) -> Case:
    p = rng.uniform(-3, 3, N)
    return {"y": p + np.exp(0.5 * p) * rng.normal(size=N), "p": p}


def noise_of_counts(rng: np.random.Generator) -> Case:
    p = rng.uniform(1, 60, N)
    return {"y": rng.poisson(p).astype(float), "p": p}


def noise_of_prices(rng: np.random.Generator) -> Case:
    p = np.exp(rng.uniform(3, 6, N))
    return {"y": rng.gamma(20, p / 20), "p": p}


def heavy_tail(rng: np.random.Generator) -> Case:
    p, _ = plain(rng)
    return {"y": p + rng.standard_t(2.2, N), "p": p}


def laplace(rng: np.random.Generator) -> Case:
    p, _ = plain(rng)
    return {"y": p + rng.laplace(size=N), "p": p}


def outlier_rows(rng: np.random.Generator) -> Case:
    p, y = plain(rng)
    y[rng.choice(N, 5, replace=False)] *= 10  # a decimal point that slipped
    return {"y": y, "p": p}


def one_house_at_a_billion(rng: np.random.Generator) -> Case:
    p = rng.normal(1e6, 1e5, 1000)
    y = p + 1e5 * rng.normal(size=1000)
    y[17] = 1e9
    return {"y": y, "p": p}


def offset(rng: np.random.Generator) -> Case:
    p, y = plain(rng)
    return {"y": y, "p": p + 0.5}


def too_wide(rng: np.random.Generator) -> Case:
    p, y = plain(rng)
    return {"y": y, "p": 20 + 1.6 * (p - 20)}


def bent(rng: np.random.Generator) -> Case:
    p = rng.uniform(0, 4, N)
    return {"y": np.exp(p) / 5 + 0.3 * rng.normal(size=N), "p": 2.4 * p - 1.5 + 0.2 * rng.normal(size=N)}


def drift(rng: np.random.Generator) -> Case:
    p, _ = plain(rng)
    return {"y": p + rng.normal(size=N) * np.linspace(0.5, 2.5, N), "p": p, "order": True}


def level_drift(rng: np.random.Generator) -> Case:
    p, y = plain(rng)
    return {"y": y + np.linspace(-1.5, 1.5, N), "p": p, "order": True}


def autocorrelated(rng: np.random.Generator) -> Case:
    p, _ = plain(rng)
    e = np.zeros(N)
    for t in range(1, N):
        e[t] = 0.6 * e[t - 1] + rng.normal()
    return {"y": p + e, "p": p, "order": True}


def season(rng: np.random.Generator) -> Case:
    p, y = plain(rng)
    return {"y": y + np.tile([2.0, -1, -1, 2, -1, -1, 0], N)[:N], "p": p, "order": True}


def clusters(rng: np.random.Generator) -> Case:
    p, y = plain(rng)
    shop = np.arange(N) // 20
    return {"y": y + rng.normal(size=N // 20)[shop], "p": p, "cluster": shop}


def groups_of_other_noise(rng: np.random.Generator) -> Case:
    p, _ = plain(rng)
    town = rng.integers(0, 4, N)
    return {"y": p + np.array([0.5, 1, 1, 4])[town] * rng.normal(size=N), "p": p, "by": town}


def scale(rng: np.random.Generator) -> Case:
    p = np.exp(rng.normal(4, 2.5, N))
    return {"y": p * np.exp(0.3 * rng.normal(size=N)), "p": p}


def silent_targets(rng: np.random.Generator) -> Case:
    p, y = plain(rng)
    return {"y": np.where((p > 22) & (rng.uniform(size=N) < 0.8), np.nan, y), "p": p}


def silent_predictions(rng: np.random.Generator) -> Case:
    p, y = plain(rng)
    return {"y": y, "p": np.where(rng.uniform(size=N) < 0.07, np.nan, p)}


def copies(rng: np.random.Generator) -> Case:
    p, y = plain(rng, N // 2)
    rows = rng.integers(0, N // 2, N)
    return {"y": y[rows], "p": p[rows]}


def wrong_functional(rng: np.random.Generator) -> Case:
    mean = rng.uniform(5, 15, N)
    return {"y": mean * rng.lognormal(-0.5, 1.0, N), "p": mean * np.exp(-0.5)}  # the median, where the mean is judged


def worse_than_the_mean(rng: np.random.Generator) -> Case:
    p, y = plain(rng)
    return {"y": y, "p": rng.permutation(p)}


def overfit(rng: np.random.Generator) -> Case:
    p, y = plain(rng)
    fitted, target = plain(rng)
    return {"y": y, "p": p, "training": (target, target + 0.5 * (fitted - target))}


def sigma_too_small(rng: np.random.Generator) -> Case:
    p, _ = plain(rng)
    s = rng.uniform(0.5, 2, N)
    return {"y": p + s * rng.normal(size=N), "p": p, "sigma": s / 1.5}


def sigma_that_knows_nothing(rng: np.random.Generator) -> Case:
    p, _ = plain(rng)
    s = rng.uniform(0.5, 2, N)
    return {"y": p + s * rng.normal(size=N), "p": p, "sigma": rng.permutation(s)}


def outputs_of_other_units(rng: np.random.Generator) -> Case:
    y = rng.normal(size=(N, 3)) * [1, 1, 100] + 300
    return {"y": y, "p": y + 0.3 * rng.normal(size=(N, 3)) * [1, 1, 100]}


FAULTS: list[tuple[Callable[[np.random.Generator], Case], set[str], str]] = [
    (heteroscedastic, {"SQ007"}, "weight"),
    (noise_of_counts, {"SQ009"}, "Poisson"),
    (noise_of_prices, {"SQ009"}, "gamma"),
    (heavy_tail, {"SQ018"}, "Huber"),
    (laplace, {"SQ019"}, "absolute error"),
    (outlier_rows, {"SQ021"}, "decimal point"),
    (one_house_at_a_billion, {"SQ021"}, "wrong unit"),
    (offset, {"SQ001"}, "subtract the mean error"),
    (too_wide, {"SQ002"}, "recalibrate"),
    (bent, {"SQ004"}, "isotonic"),
    (drift, {"SQ035"}, "refit"),
    (level_drift, {"SQ035"}, "refit"),
    (autocorrelated, {"SQ011"}, "lags"),
    (season, {"SQ012", "SQ011"}, "lag"),
    (clusters, {"SQ013"}, "cluster="),
    (groups_of_other_noise, {"SQ010"}, "weight each group"),
    (scale, {"SQ025"}, "RMSLE"),
    (silent_targets, {"SQ032"}, "1 / the probability"),
    (silent_predictions, {"SQ032"}, "fallback"),
    (copies, {"SQ041"}, "remove copies"),
    (wrong_functional, {"SQ001", "SQ002"}, ""),
    (worse_than_the_mean, {"SQ038"}, "simple rule"),
    (overfit, {"SQ033"}, "regularise"),
    (sigma_too_small, {"SQ028"}, "multiply every sigma"),
    (sigma_that_knows_nothing, {"SQ030"}, "beta-NLL"),
    (outputs_of_other_units, {"SQ027"}, "scale each target"),
]


def diagnosed(case: Case) -> sq.Diagnosis:
    settings = dict(case)
    return sq.diagnose(settings.pop("y"), settings.pop("p"), **settings)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("fault", "named", "cure"), FAULTS, ids=[fault.__name__ for fault, _, _ in FAULTS])
def test_a_planted_fault_is_named_first_or_second_with_its_cure(
    fault: Callable[[np.random.Generator], Case], named: set[str], cure: str, seed: int
) -> None:
    diagnosis = diagnosed(fault(np.random.default_rng([seed, 11])))
    told = [finding for finding in diagnosis.findings if finding.severity != "info"][:2]
    found = [finding for finding in told if finding.id in named]
    assert found, [(finding.id, finding.severity, finding.effect, finding.because) for finding in diagnosis.findings]
    assert cure in found[0].fix
    assert found[0].code


def healthy(name: str, rng: np.random.Generator) -> Case:
    p, y = plain(rng)
    cases: dict[str, Callable[[], Case]] = {
        "normal": lambda: {"y": y, "p": p},
        "few rows": lambda: {"y": y[:60], "p": p[:60]},
        "hundred rows": lambda: {"y": y[:100], "p": p[:100]},
        "in order": lambda: {"y": y, "p": p, "order": True},
        "in clusters": lambda: {"y": y, "p": p, "cluster": np.arange(N) // 20},
        "in groups": lambda: {"y": y, "p": p, "by": rng.integers(0, 5, N)},
        "sigma": lambda: (lambda s: {"y": p + s * rng.normal(size=N), "p": p, "sigma": s})(np.full(N, 1.3) + 0 * p),
        "uniform errors": lambda: {"y": p + rng.uniform(-1, 1, N), "p": p},
        "integers": lambda: {"y": np.round(y), "p": np.round(p, 1)},
        "large unit": lambda: {"y": 1e9 * y, "p": 1e9 * p},
        "small unit": lambda: {"y": 1e-9 * y, "p": 1e-9 * p},
        "around zero": lambda: {"y": y - 20, "p": p - 20},
        "two models alike": lambda: {"y": y, "p": {"a": p, "b": p + 1e-3 * rng.normal(size=N)}},
        "training": lambda: {"y": y, "p": p, "training": plain(rng)[::-1]},
        "weights": lambda: {"y": y, "p": p, "weight": rng.integers(1, 3, N).astype(float)},
        "strong signal": lambda: {"y": 100 * (p - 20) + rng.normal(size=N), "p": 100 * (p - 20)},
        "weak signal": lambda: {"y": 20 + 0.3 * (p - 20) + 2 * rng.normal(size=N), "p": 20 + 0.3 * (p - 20)},
    }
    return cases[name]()


HEALTHY = [
    "normal", "few rows", "hundred rows", "in order", "in clusters", "in groups", "sigma", "uniform errors", "integers", "large unit", "small unit",
    "around zero", "two models alike", "training", "weights", "strong signal", "weak signal",
]  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("name", HEALTHY)
def test_healthy_data_raise_no_warning(name: str, seed: int) -> None:
    diagnosis = diagnosed(healthy(name, np.random.default_rng([seed, 5])))
    assert not [finding for finding in diagnosis.findings if finding.severity != "info"], str(diagnosis)
    assert diagnosis.recommended_loss.loss == "squared error" or name == "uniform errors"
    assert "Nothing is wrong" in diagnosis.verdict


def test_many_rows_raise_no_alarm_without_a_practical_effect() -> None:
    rng = np.random.default_rng(1)
    n = 10_000_000
    p = 20 + 3 * rng.normal(size=n)
    y = p + (1 + 0.002 * (p - 20)) * rng.normal(size=n) + 0.01 + 0.003 * (p - 20)  # each tiny, and each proved
    diagnosis = sq.diagnose(y, p, order=True)
    assert not [finding for finding in diagnosis.findings if finding.severity != "info"], str(diagnosis)


def of_clusters(rng: np.random.Generator) -> Case:
    shop = np.arange(1000) // 10
    p = rng.normal(size=1000)
    return {"y": p + np.sqrt(0.3) * rng.normal(size=100)[shop] + np.sqrt(0.7) * rng.normal(size=1000), "p": p, "cluster": shop}


def of_groups(rng: np.random.Generator) -> Case:
    town, p = np.arange(1000) % 2, rng.normal(size=1000)
    return {"y": p + np.array([1.0, 3.0])[town] * rng.normal(size=1000), "p": p, "by": town}


def of_offset(rng: np.random.Generator) -> Case:
    p = rng.normal(size=400)
    return {"y": p + 1 + rng.normal(size=400), "p": p}


def of_lost_rows(rng: np.random.Generator) -> Case:
    p = rng.normal(size=400)
    return {"y": p + rng.normal(size=400), "p": np.where(rng.uniform(size=400) < 0.2, np.nan, p)}


def of_wide_slope(rng: np.random.Generator) -> Case:
    p = rng.normal(size=400)
    return {"y": 0.5 * p + rng.normal(size=400), "p": p}


TRUE_EFFECTS: list[tuple[Callable[[np.random.Generator], Case], str, float]] = [
    (of_clusters, "SQ013", 0.3),
    (of_groups, "SQ010", 9.0),
    (of_offset, "SQ001", 0.5),
    (of_lost_rows, "SQ032", 0.2),
    (of_wide_slope, "SQ002", 0.5),
    (of_wide_slope, "SQ003", 0.25 / 1.25),
]


@pytest.mark.parametrize(("drawn", "identity", "truth"), TRUE_EFFECTS, ids=[identity for _, identity, _ in TRUE_EFFECTS])
def test_the_interval_of_an_effect_holds_the_true_one(drawn: Callable[[np.random.Generator], Case], identity: str, truth: float) -> None:
    held = 0
    for seed in range(100):
        finding = diagnosed(drawn(np.random.default_rng([seed, 3])))[identity]
        assert finding.low <= finding.effect <= finding.high
        held += finding.low <= truth <= finding.high
    assert 88 <= held <= 100  # of 95: five standard errors below
