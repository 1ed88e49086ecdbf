"""Asking a metric on arrays by way of states, as an evaluation does: an undefined answer is nan with a reason."""

from __future__ import annotations

from typing import Any

from squarely import METRICS, PairState
from squarely.metric import Value
from squarely.state import best_constant


def answer(name: str, y: Any, p: Any, w: Any = None, **parameters: Any) -> Value:
    """The answer of one metric; one with a baseline gets the state of its best constant too."""
    metric, state = METRICS[name], PairState.of(y, p, sample_weight=w)
    if not metric.baseline:
        return metric.of(state, **parameters)
    constant = best_constant(y, p, w, parameters.get("alpha", 0.5))
    return Value(*metric.of_sums((state.sums, constant.sums), parameters))
