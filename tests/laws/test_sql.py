"""The SQL of a metric, run by DuckDB, has the answer of the metric up to the rounding of plain sums."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import oracle
from asking import call
from squarely import METRICS
from squarely.errors import DataError

duckdb = pytest.importorskip("duckdb")

_SECOND_PASS = "needs the mean or a quantile of the target before it reads the rows"
_RANKS = "needs a weighted quantile, which no standard function is"
_COLUMNS = "has as many columns as levels, and one expression cannot say how many"
WITHOUT = {
    "ratio_of_performance_to_interquartile_distance": _RANKS,
    "index_of_agreement": _SECOND_PASS,
    "median_absolute_scaled_error": _RANKS,
    "relative_absolute_error": _SECOND_PASS,
    "skill_score": _SECOND_PASS + ", or an order of the rows",
    "d2_tweedie_score": _SECOND_PASS,
    "median_absolute_error": _RANKS,
    "quantile_absolute_error": _RANKS,
    "trimmed_mean_squared_error": _RANKS,
    "winsorized_mean_squared_error": _RANKS,
    "d2_pinball_score": _SECOND_PASS,
    "d2_absolute_error_score": _SECOND_PASS,
    "mean_quantile_loss": _COLUMNS,
    "crps_quantiles": _COLUMNS,
    "crps_gaussian": "needs the error function, which is not standard",
}
QUESTIONS = [(name, settings) for name, settings in oracle.questions() if name not in WITHOUT]
TOLERANCE = 1e-9  # variances as differences of raw moments lose some digits of the sixteen


def rows(n: int = 500) -> tuple[Any, Any, Any]:
    """Positive targets within a factor of about ten, predictions off by some 30 %, and weights, one of them 0."""
    rng = np.random.default_rng(17)
    y = rng.lognormal(0, 0.7, n)
    w = rng.uniform(0.5, 2, n)
    w[3] = 0
    return y, y * rng.lognormal(0.05, 0.3, n), w


def run(name: str, y: Any, p: Any, w: Any, settings: dict[str, Any]) -> float:
    """What DuckDB answers for a metric on a table."""
    columns = oracle.columns(name, y, p)
    table = pa.table({"actual": y, "model": p, "weight": np.ones(len(y)) if w is None else w, **columns})
    weighted = {} if w is None else {"w": "weight"}
    query = METRICS[name].sql("actual", "model", **weighted, **{column: column for column in columns}, **settings)
    connection = duckdb.connect()
    connection.register("predictions", table)
    (answer,) = connection.execute(f"SELECT {query} FROM predictions").fetchone()
    return float(answer)


@pytest.mark.parametrize(("name", "settings"), QUESTIONS)
@pytest.mark.parametrize("weighted", [False, True])
def test_a_query_answers_as_the_metric(name: str, settings: dict[str, Any], weighted: bool) -> None:
    y, p, w = rows()
    weight = w if weighted else None
    assert run(name, y, p, weight, settings) == pytest.approx(call(name, y, p, weight, **settings), rel=TOLERANCE)


@pytest.mark.parametrize(("name", "settings"), QUESTIONS)
def test_whole_numbers_are_not_divided_as_such(name: str, settings: dict[str, Any]) -> None:
    rng = np.random.default_rng(18)
    y, p, w = rng.integers(1, 9, 60), rng.integers(1, 9, 60), rng.integers(1, 4, 60)
    assert run(name, y, p, w, settings) == pytest.approx(call(name, y, p, w, **settings), rel=TOLERANCE)


@pytest.mark.parametrize("name", METRICS)
def test_a_metric_has_a_query_or_a_reason(name: str) -> None:
    assert bool(METRICS[name].query) == (name not in WITHOUT)
    if name in WITHOUT:
        settings = {
            column: ["a"] if setting.expected.startswith("the names") else "a"
            for column, setting in METRICS[name].settings.items()
            if column in METRICS[name].columns
        }
        with pytest.raises(DataError, match=f"{name} has no formula in SQL"):
            METRICS[name].sql(**settings)


@pytest.mark.parametrize("name", [name for name in METRICS if name not in WITHOUT])
def test_only_standard_functions_are_asked_for(name: str) -> None:
    standard = {"SUM", "MAX", "MIN", "ABS", "SQRT", "LN", "EXP", "POWER", "GREATEST", "LEAST", "COALESCE", "NULLIF", "CAST", "ROUND", "PI"}
    assert set(re.findall(r"\b([A-Z]+)\(", METRICS[name].query)) <= standard
