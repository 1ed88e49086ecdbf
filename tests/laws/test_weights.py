"""A weight counts copies; a weight of 0 is no row at all."""

from __future__ import annotations

import numpy as np
import pytest

import nasty
import oracle
from asking import answer
from squarely import PairState

UNORDERED = [question for question in oracle.questions() if question[1].get("baseline") not in ("last_value", "seasonal_naive")]
QUESTIONS = pytest.mark.parametrize(("name", "parameters"), UNORDERED)
# these take the sum of weights for the number of rows: a larger unit of weight is more rows
COUNTING = ("adjusted_r2_score", "ratio_of_performance_to_deviation")
SCALABLE = pytest.mark.parametrize(("name", "parameters"), [question for question in UNORDERED if question[0] not in COUNTING])


@QUESTIONS
@pytest.mark.parametrize("kind", ["normal", "large_offset", "cauchy", "lognormal_12"])
def test_weight_k_is_k_copies(name: str, parameters: dict[str, object], kind: str) -> None:
    y, p = map(np.abs, nasty.pair(kind))
    k = nasty.weight("integers_with_zeros")
    assert k is not None
    times = k.astype(int)
    weighted = answer(name, y, p, k, **parameters)
    assert weighted.reason is None
    assert weighted == answer(name, np.repeat(y, times), np.repeat(p, times), **parameters)


@pytest.mark.parametrize("kind", nasty.KINDS)
def test_weight_one_is_no_weight(kind: str) -> None:
    y, p = nasty.pair(kind)
    assert PairState.of(y, p, sample_weight=np.ones(len(y))).to_bytes() == PairState.of(y, p).to_bytes()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1.7e308, 5e-324])
@pytest.mark.parametrize("side", ["target", "prediction", "both"])
def test_weight_zero_is_absent(bad: float, side: str) -> None:
    y, p = nasty.pair("normal")
    w = np.full(len(y), 0.75)
    absent = np.zeros(len(y), dtype=bool)
    absent[[0, 5, 127, 128, 299]] = True
    w[absent] = 0.0
    if side != "prediction":
        y[absent] = bad
    if side != "target":
        p[absent] = bad
    present = PairState.of(y[~absent], p[~absent], sample_weight=w[~absent])
    assert PairState.of(y, p, sample_weight=w).to_bytes() == present.to_bytes()
    w[absent] = -0.0
    assert PairState.of(y, p, sample_weight=w).to_bytes() == present.to_bytes()


@SCALABLE
def test_weights_times_a_constant_change_nothing(name: str, parameters: dict[str, object]) -> None:
    y, p = nasty.pair("normal")
    w = nasty.weight("uniform")
    assert w is not None
    plain = answer(name, y, p, w, **parameters)
    assert answer(name, y, p, w * 2.0**40, **parameters) == plain
