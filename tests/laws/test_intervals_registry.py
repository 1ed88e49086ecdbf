"""Every metric of the registry, under any of its settings, has the standard error of its jackknife, over all rows and in a group, or says why not."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import oracle
import squarely as sq
from asking import answer, full
from squarely.metric import ErrorQuantile, TrimmedSquare, find

Array = NDArray[Any]
N = 40
LARGEST = "it is the largest of the errors, and more rows may bring a larger one"
WIDEST = "it takes the range of the target, and more rows may bring a wider one"


def asked(name: str, parameters: dict[str, Any], y: Array, p: Array) -> tuple[str, dict[str, Array], list[str]]:
    """The label of a metric with its settings, the columns it reads, and the models it takes."""
    settings: dict[str, Any] = {}
    columns, models = {"y": y, "p": p, "group": np.arange(len(y)) // N}, ["p"]
    given = full(name, y, p, parameters)
    for key, value in given.items():
        if key not in sq.METRICS[name].columns or isinstance(value, str):
            settings[key] = value
        elif np.ndim(value) == 2:
            names = tuple(f"{key} {at}" for at in range(value.shape[1]))
            columns |= dict(zip(names, value.T, strict=True))
            settings[key] = names
        else:
            columns[key], settings[key] = value, key
            models += [key] * (key == "baseline")
    metric = sq.METRICS[name]
    kept = {key: value for key, value in settings.items() if key in parameters or key in metric.columns or metric.settings[key].default != value}
    written = ", ".join(f"{key}={value!r}" for key, value in kept.items()).replace("inf", "1e999")  # a literal that is infinite
    return f"{name}({written})" if kept else name, columns, models


def left_out(name: str, parameters: dict[str, Any], y: Array, p: Array) -> float:
    """The standard error of the delete-one jackknife, of the metric on arrays."""
    given = full(name, y, p, parameters)
    values = []
    for row in range(len(y)):
        rest = np.arange(len(y)) != row
        columns = {key: value[rest] if np.ndim(value) and not isinstance(value, tuple) else value for key, value in given.items()}
        values.append(answer(name, y[rest], p[rest], **columns).value)
    return math.sqrt((len(y) - 1) * np.var(values))


@pytest.mark.parametrize(("name", "parameters"), oracle.questions())
def test_every_metric_has_a_standard_error_or_says_why_not(name: str, parameters: dict[str, Any]) -> None:
    rng = np.random.default_rng(13)
    y = rng.lognormal(0, 0.5, 3 * N)
    p = y * rng.uniform(0.5, 1.5, 3 * N)
    label, columns, models = asked(name, parameters, y, p)
    evaluation = sq.evaluate(columns, target="y", prediction=models, by="group", metrics=[label], exact=False)
    question = find(label)
    first = slice(N)
    of_rows = {key: value[first] if np.ndim(value) and not isinstance(value, tuple) else value for key, value in full(name, y, p, parameters).items()}
    for found, rows, settings in ((evaluation[label, "p"], slice(None), parameters), (evaluation[label, "p"].by[0], first, of_rows)):
        if any(need.reads_rows for need in question.needs):
            assert math.isnan(found.value)
            assert "which sums do not keep" in str(found.reason)
            continue
        assert math.isfinite(found.value), found.reason
        if name == "max_error" or "range" in parameters.values():  # the only ones that have a value and no interval
            assert found.doubt == (LARGEST if name == "max_error" else WIDEST)
            assert math.isnan(found.se)
            continue
        assert found.ci[0] <= found.value <= found.ci[1]
        if any(isinstance(need, ErrorQuantile) for need in question.needs):
            assert found.se > 0  # that of its rank
            continue
        near = 0.1 if any(isinstance(need, TrimmedSquare) for need in question.needs) else 1e-7  # of sizes known to 0.4 %
        assert found.se == pytest.approx(left_out(name, settings, y[rows], p[rows]), rel=near)
