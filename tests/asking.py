"""Asking a metric on arrays: by way of states, as an evaluation does (an undefined answer is nan with a reason), and as a function."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import oracle
from squarely import METRICS, PairState
from squarely.metric import Known, MeanOf, Value
from squarely.state import OutsideDomainError, Rows


def full(name: str, y: Any, p: Any, parameters: dict[str, Any]) -> dict[str, Any]:
    """All settings, with the columns that the metric reads beside y and p."""
    metric = METRICS[name]
    usual = {key: setting.default for key, setting in metric.settings.items() if setting.default is not None and key not in metric.columns}
    return {**usual, **oracle.columns(name, y, p), **parameters}


def answer(name: str, y: Any, p: Any, w: Any = None, **parameters: Any) -> Value:
    """The answer of one metric on a state; one that needs more than means gets the rows too, for its exact answer."""
    metric, settings, columns = METRICS[name], {}, {}
    for key, given in full(name, y, p, parameters).items():
        if key not in metric.columns or isinstance(given, str):
            settings[key] = given
        elif np.ndim(given) == 2:
            columns |= {f"{key} {at}": given[:, at] for at in range(given.shape[1])}
            settings[key] = tuple(f"{key} {at}" for at in range(given.shape[1]))
        else:
            columns[key], settings[key] = given, key
    plan = metric.plan(settings)
    state = PairState.planned(plan).update(y, p, w, **{column: columns[column] for column in plan.columns})
    rows = None if all(isinstance(need, MeanOf) for need in metric.needs_of(settings)) else Rows(y, p, w, columns)
    try:
        return Value(*metric.answer(Known(state.sums, rows), settings))
    except OutsideDomainError as reason:
        return Value(math.nan, str(reason))


def call(name: str, y: Any, p: Any, w: Any = None, **parameters: Any) -> Any:
    """What the function of a metric returns."""
    metric, settings = METRICS[name], full(name, y, p, parameters)
    predictions = [settings.pop(each) for each in metric.inputs] or [p]
    return metric(y, *predictions, sample_weight=w, **settings)
