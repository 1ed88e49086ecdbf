"""The interval of an effect is as wide as the effect varies between samples that are drawn again."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import stats

import squarely as sq

Array = Any
Case = dict[str, Any]
N, DRAWS = 2000, 50
Z = 1.96


def plain(rng: np.random.Generator, error: Array) -> Case:
    p = 20 + rng.normal(size=len(error))
    return {"y": p + error, "p": p}


def heavy(rng: np.random.Generator) -> Case:
    return plain(rng, rng.choice([-1, 1], 4 * N) * rng.pareto(2.0, 4 * N))  # from 0 on: in the tail the index is 2


def laplace(rng: np.random.Generator) -> Case:
    return plain(rng, rng.laplace(size=N))


def contaminated(rng: np.random.Generator) -> Case:
    return plain(rng, rng.normal(size=2 * N) * np.where(rng.random(2 * N) < 0.1, 4.0, 1.0))


def squared(rng: np.random.Generator) -> Case:
    return plain(rng, np.exp(0.9 * rng.normal(size=N)) * rng.choice([-1, 1], N))


def outlying(rng: np.random.Generator) -> Case:
    return plain(rng, rng.normal(size=N) + np.where(rng.random(N) < 0.005, 15.0, 0.0))


def orders(rng: np.random.Generator) -> Case:
    y = np.exp(rng.normal(0, 2.5, N))
    y[0] = 1e5  # the largest is what it is
    return {"y": y, "p": y * np.exp(0.1 * rng.normal(size=N))}


def outputs(rng: np.random.Generator) -> Case:
    y = rng.normal(size=(N, 3))
    return {"y": y, "p": y + rng.standard_t(9, (N, 3)) * [1.0, 1.5, 8.0]}


def weights(rng: np.random.Generator) -> Case:
    return plain(rng, rng.normal(size=N)) | {"weight": rng.exponential(size=N) ** 2.2}


def copies(rng: np.random.Generator) -> Case:
    case = plain(rng, rng.normal(size=N))
    for at in np.flatnonzero(rng.random(N) < 0.2):
        case["y"][at], case["p"][at] = case["y"][at - at % 2 - 1], case["p"][at - at % 2 - 1]
    return case


VARIES: list[tuple[str, Callable[[np.random.Generator], Case], str]] = [
    ("SQ018", heavy, "log"),
    ("SQ019", laplace, ""),
    ("SQ019", contaminated, ""),
    ("SQ020", squared, ""),
    ("SQ021", outlying, ""),
    ("SQ025", orders, "log"),
    ("SQ027", outputs, ""),
    ("SQ040", contaminated, ""),
    ("SQ041", weights, ""),
    ("SQ041", copies, ""),
]


@pytest.mark.parametrize(("identity", "drawn", "scale"), VARIES, ids=[f"{identity}-{drawn.__name__}" for identity, drawn, _ in VARIES])
def test_an_interval_is_as_wide_as_the_effect_varies(identity: str, drawn: Callable[[np.random.Generator], Case], scale: str) -> None:
    effects, errors = [], []
    for seed in range(DRAWS):
        case = drawn(np.random.default_rng([seed, 7]))
        finding = sq.diagnose(case.pop("y"), case.pop("p"), **case)[identity]
        assert finding.low <= finding.effect <= finding.high
        ends = np.array([finding.low, finding.effect, finding.high])
        low, effect, high = np.log(ends) if scale else ends
        effects.append(effect)
        errors.append((high - low) / 2 / Z)
    ratio = float(np.mean(errors) / np.std(effects, ddof=1))
    assert 0.7 < ratio < 1.45, ratio  # the standard deviation of 50 effects is known to 10 %


def test_sq018_is_the_interval_of_hill() -> None:
    case = heavy(np.random.default_rng(1))
    finding = sq.diagnose(case["y"], case["p"])["SQ018"]
    k = 4 * N // 64
    assert math.log(finding.high / finding.low) == pytest.approx(2 * stats.norm.ppf(0.975) / math.sqrt(k), rel=1e-4)


def test_sq025_is_the_interval_of_a_median_by_order_statistics() -> None:
    case = orders(np.random.default_rng(1))
    finding, y = sq.diagnose(case["y"], case["p"])["SQ025"], np.sort(case["y"])
    low, high = (y[int(stats.binom.ppf(q, N, 0.5))] for q in (0.025, 0.975))
    assert finding.low == pytest.approx(y[-1] / high, rel=0.02)
    assert finding.high == pytest.approx(y[-1] / low, rel=0.02)


def test_where_an_interval_has_no_meaning_there_is_none() -> None:
    rng = np.random.default_rng(2)
    case = laplace(rng)
    finding = sq.diagnose(case["y"], case["p"], functional="median")["SQ040"]
    assert finding.effect == 0.5
    assert math.isnan(finding.low)
    assert math.isnan(finding.high)
    assert finding.amount == "0.5"
