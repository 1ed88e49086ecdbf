"""The M3 competition: published scores of real forecasts, reproduced to the digit they were printed with.

The data lie beside the repository and are not part of it; where they are absent these tests are skipped.
The scores are those that R. J. Hyndman recalculated from the forecasts of the R package Mcomp: means over series of means over horizons.
"""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np
import pytest

import squarely
from squarely import Evaluation
from squarely.errors import DataError

M3 = Path(__file__).resolve().parent.parent.parent / "shared" / "data" / "m3"
FORECASTS, PUBLISHED = M3 / "m3_predictions_long.parquet", M3 / "published_scores.csv"
pytestmark = pytest.mark.skipif(not FORECASTS.exists(), reason="needs the M3 forecasts in ../shared/data/m3")
METRICS = {"hyndman_sMAPE": ("smape", 100), "hyndman_MAPE": ("mape", 100), "hyndman_MASE": ("mase(scale='scale')", 1)}


@pytest.fixture(scope="module")
def evaluation() -> Evaluation:
    asked = [name for name, _ in METRICS.values()]
    return squarely.evaluate(FORECASTS, target="y", prediction="yhat", by=["method", "series"], metrics=asked, nan_policy="omit")


def test_all_published_scores(evaluation: Evaluation) -> None:
    macro = evaluation.aggregate(macro="series")
    with PUBLISHED.open(newline="") as file:
        published = {row.pop(""): row for row in csv.DictReader(file)}
    wrong = {}
    for method, scores in published.items():
        for column, (metric, factor) in METRICS.items():
            got = factor * macro[metric][method].value
            if f"{got:.2f}" != f"{float(scores[column]):.2f}":
                wrong[method, column] = (got, scores[column])
    assert len(published) * len(METRICS) == 21
    assert wrong == {}


def test_missing_forecasts_have_to_be_asked_for(evaluation: Evaluation) -> None:
    with pytest.raises(DataError, match="10,524 of 888,336 rows have a missing prediction"):
        squarely.evaluate(FORECASTS, target="y", prediction="yhat", by=["method", "series"], metrics="smape")
    macro = evaluation.aggregate(macro="series")["smape"]
    missing = {method: answer for method, answer in macro.items() if answer.coverage < 1}
    assert set(missing) == {"AAM1", "AAM2"}
    for answer in missing.values():
        assert (answer.n, answer.of) == (37_014 - 5_262, 3_003)
        assert answer.groups < answer.of
        assert math.isfinite(answer.value)


def test_pooled_and_macro_differ(evaluation: Evaluation) -> None:
    """Long series weigh more where rows are pooled; both are told side by side."""
    theta = evaluation.aggregate(macro="series")["smape"]["THETA"]
    rows = squarely.evaluate(FORECASTS, target="y", prediction="yhat", by="method", metrics="smape", nan_policy="omit")["smape"].by["THETA"]
    assert theta.pooled == rows.value
    assert theta.pooled != theta.value


@pytest.fixture(scope="module")
def comparison() -> squarely.Comparison:
    return squarely.compare(FORECASTS, target="y", prediction="yhat", model="method", macro="series", metric="smape", nan_policy="omit")


def test_the_methods_are_ranked_and_told_apart(comparison: squarely.Comparison, evaluation: Evaluation) -> None:
    """Over the series that every method forecasts, with 276 pairs tested together."""
    assert len(comparison.values) == 24
    assert len(comparison) == 276
    assert comparison.ranking[0] == "THETA"
    assert set(comparison.absent) == {"AAM1", "AAM2"}
    by = evaluation["smape"].by
    whole = {series for (method, series), answer in by.items() if method == "AAM1" and answer.n}
    assert comparison.method == f"paired t test over {len(whole):,} groups of series"
    theta = [answer.value for (method, series), answer in by.items() if method == "THETA" and series in whole]
    assert comparison.values["THETA"] == pytest.approx(sum(theta) / len(theta), rel=1e-12)
    assert 0 < len(comparison.told_apart) < 23
    assert comparison.verdict.startswith("THETA beats ")


def test_intervals_agree_with_a_plain_bootstrap_over_series(comparison: squarely.Comparison, evaluation: Evaluation) -> None:
    by = evaluation["smape"].by
    whole = sorted(series for (method, series), answer in by.items() if method == "AAM1" and answer.n)
    values = {method: np.array([by[method, series].value for series in whole]) for method in comparison.values}
    rng = np.random.default_rng(0)
    counts = rng.multinomial(len(whole), np.full(len(whole), 1 / len(whole)), 10_000) / len(whole)
    for method in set(values) - {"THETA"}:
        pair = comparison["THETA", method]
        ends = np.quantile(counts @ (values[pair.a] - values[pair.b]), (0.025, 0.975))
        assert np.abs(np.array(pair.ci) - ends).max() < (pair.ci[1] - pair.ci[0]) / 10
