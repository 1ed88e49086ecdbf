"""Asking a metric on arrays by way of states, as an evaluation does: an undefined answer is nan with a reason."""

from __future__ import annotations

from typing import Any

from squarely import METRICS, PairState
from squarely.metric import Known, Value
from squarely.state import Rows


def answer(name: str, y: Any, p: Any, w: Any = None, **parameters: Any) -> Value:
    """The answer of one metric; one that reads rows again gets them."""
    metric = METRICS[name]
    state = PairState.planned(metric.plan(parameters)).update(y, p, w)
    rows = Rows(y, p, w) if any(need.reads_rows for need in metric.needs_of(parameters)) else None
    return Value(*metric.answer(Known(state.sums, rows), parameters))
