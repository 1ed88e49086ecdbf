"""`multioutput="pooled"`: the outputs of an array are one column, bit for bit, for every metric."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import oracle
import squarely as sq
from squarely.errors import DataError, UndefinedMetricWarning

OF_OUTPUTS = [
    (name, parameters)
    for name, parameters in oracle.questions()
    if name not in oracle.COLUMNS and parameters.get("baseline", "mean") == "mean"  # the others take one output, or rows in order
]
QUESTIONS = pytest.mark.parametrize(("name", "parameters"), OF_OUTPUTS)
NAN = math.nan


def table(outputs: int = 3, n: int = 40) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Targets, predictions and weights, one of them 0."""
    rng = np.random.default_rng(17)
    y = 3 + np.abs(rng.normal(size=(n, outputs))) * 10.0 ** np.arange(outputs)
    w = rng.uniform(0.5, 2.0, n)
    w[4] = 0.0
    return y, y * rng.uniform(0.5, 1.5, size=(n, outputs)), w


@QUESTIONS
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("order", ["C", "F"])
def test_outputs_are_one_column(name: str, parameters: dict[str, Any], weighted: bool, order: Any) -> None:
    y, p, w = table()
    weights = w if weighted else None
    got = getattr(sq, name)(np.asarray(y, order=order), p, sample_weight=weights, multioutput="pooled", **parameters)
    repeated = np.repeat(w, 3) if weighted else None
    assert type(got) is float
    assert got == getattr(sq, name)(y.ravel(), p.ravel(), sample_weight=repeated, **parameters)


@QUESTIONS
def test_one_output_is_itself(name: str, parameters: dict[str, Any]) -> None:
    y, p, w = table(1)
    function = getattr(sq, name)
    assert function(y, p, sample_weight=w, multioutput="pooled", **parameters) == function(y[:, 0], p[:, 0], sample_weight=w, **parameters)


def test_the_root_is_taken_of_the_pooled_mean() -> None:
    y, p = np.zeros((2, 2)), np.array([[3.0, 4.0], [3.0, 4.0]])
    assert sq.rmse(y, p) == 3.5
    assert sq.rmse(y, p, multioutput="pooled") == math.sqrt(12.5)


@pytest.mark.parametrize(
    "make", [pd.DataFrame, lambda a: pl.DataFrame(dict(zip("abc", a.T, strict=True))), lambda a: pa.table(list(a.T), list("abc"))]
)
@pytest.mark.parametrize("name", ["rmse", "max_error", "d2_pinball_score"])
def test_frames_have_outputs_too(name: str, make: Any) -> None:
    y, p, w = table()
    assert getattr(sq, name)(make(y), make(p), sample_weight=w, multioutput="pooled") == getattr(sq, name)(
        y, p, sample_weight=w, multioutput="pooled"
    )


@pytest.mark.parametrize("name", ["mse", "d2_absolute_error_score"])
def test_missing_values_are_judged_one_by_one(name: str) -> None:
    y, p, w = table()
    function = getattr(sq, name)
    y[3, 1] = NAN
    with pytest.raises(DataError, match="1 of 117 rows has a missing target, the first at index 3 of output 1"):
        function(y, p, sample_weight=w, multioutput="pooled")
    assert math.isnan(function(y, p, multioutput="pooled", nan_policy="propagate"))
    present = ~np.isnan(y.ravel())
    kept = function(y.ravel()[present], p.ravel()[present], sample_weight=np.repeat(w, 3)[present])
    assert function(y, p, sample_weight=w, multioutput="pooled", nan_policy="omit_targets") == kept
    masked = np.ma.masked_invalid(y)
    assert function(masked, p, sample_weight=w, multioutput="pooled", nan_policy="omit_targets") == kept
    y[:, 1] = NAN  # a whole output
    assert function(y, p, multioutput="pooled", nan_policy="omit") == function(y[:, [0, 2]], p[:, [0, 2]], multioutput="pooled")


def test_long_integers_beside_floats_do_not_round() -> None:
    y = pd.DataFrame({"a": np.array([2**53 + 1, 0]), "b": [0.5, 0.5]})
    p = pd.DataFrame({"a": np.array([2**53, 0]), "b": [0.5, 0.5]})
    assert sq.mse(y, p, multioutput="pooled") == 0.25
    assert list(sq.mse(y, p, multioutput="raw_values")) == [0.5, 0.0]
    assert list(sq.mse([[2**53 + 1, 0.5], [0, 0.5]], [[2**53, 0.5], [0, 0.5]], multioutput="raw_values")) == [0.5, 0.0]
    with pytest.raises(DataError, match="no float64 holds"):  # the best constant would have to be found among both
        sq.d2_absolute_error_score(y, p, multioutput="pooled")


def test_nothing_to_pool() -> None:
    with pytest.raises(DataError, match="has no rows"):
        sq.mse(np.empty((0, 2)), np.empty((0, 2)), multioutput="pooled")
    with pytest.raises(DataError, match="all 4 weights are 0"):
        sq.mse(np.ones((2, 2)), np.ones((2, 2)), sample_weight=[0, 0], multioutput="pooled")
    with pytest.warns(UndefinedMetricWarning, match="pearson_correlation is nan"):
        assert math.isnan(sq.pearson_correlation(np.ones((2, 2)), np.ones((2, 2)), multioutput="pooled"))
