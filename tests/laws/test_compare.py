"""Comparisons are the paired tests of the textbooks, on the rows that every model predicts."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray
from pyarrow import parquet
from scipy import stats

import squarely as sq
from squarely.compare.murphy import murphy
from squarely.compare.paired import diebold_mariano
from squarely.errors import DataError
from squarely.evaluate.layout import layout_of
from squarely.intervals.holm import holm

Array = NDArray[np.float64]
NAN = math.nan


def three(n: int, seed: int = 0) -> tuple[Array, dict[str, Array]]:
    rng = np.random.default_rng([seed, 7])
    y = rng.gamma(3, 2, n) + 1
    return y, {"a": y + rng.normal(size=n), "b": y + 1.2 * rng.normal(size=n), "c": 0.9 * y + rng.normal(size=n)}


@pytest.mark.parametrize(("metric", "loss"), [("mse", np.square), ("mae", np.abs), ("mean_pinball_loss(alpha=0.5)", lambda e: np.abs(e) / 2)])
def test_up_to_2048_rows_the_test_of_a_mean_loss_is_the_paired_t_test(metric: str, loss: Any) -> None:
    y, models = three(300)
    comparison = sq.compare(y, models, metric=metric, confidence=0.9)
    for pair in comparison:
        expected = stats.ttest_rel(loss(y - models[pair.a]), loss(y - models[pair.b]))
        assert pair.p_value == pytest.approx(expected.pvalue, rel=1e-8)
        assert pair.statistic == pytest.approx(expected.statistic, rel=1e-8)
        assert pair.ci == pytest.approx(tuple(expected.confidence_interval(0.9)), rel=1e-8)
        differences = loss(y - models[pair.a]) - loss(y - models[pair.b])
        assert pair.effect == pytest.approx(differences.mean() / differences.std(ddof=1), rel=1e-8)
    assert comparison.method == "paired t test over 300 rows"


@pytest.mark.parametrize("metric", ["rmse", "mape", "pearson_r", "trimmed_mse"])
def test_other_metrics_have_the_jackknife_of_their_difference(metric: str) -> None:
    y, models = three(60)
    pair = sq.compare(y, models, metric=metric)["a", "b"]
    left = [sq.evaluate(np.delete(y, i), {m: np.delete(models[m], i) for m in "ab"}, metrics=[metric], ci="none") for i in range(60)]
    difference = np.array([each[metric, "a"].value - each[metric, "b"].value for each in left])
    loose = 0.1 if metric == "trimmed_mse" else 1e-7  # the sizes of errors are known to 0.4 %
    assert pair.se == pytest.approx(math.sqrt(59 * difference.var()), rel=loose)
    assert pair.p_value == pytest.approx(2 * stats.t.sf(abs(pair.difference) / pair.se, 59), rel=1e-9)


@pytest.mark.parametrize(("metric", "log_error"), [("r2", lambda r2: np.log(1 - r2)), ("nmse", np.log)])
def test_scores_are_tested_on_the_log_of_the_error(metric: str, log_error: Callable[[Any], Any]) -> None:
    y, models = three(60)
    pair = sq.compare(y, models, metric=metric)["a", "b"]
    left = {m: np.array([sq.mse(np.delete(y, i), np.delete(models[m], i)) / np.delete(y, i).var() for i in range(60)]) for m in "ab"}
    of_logs = np.log(left["a"]) - np.log(left["b"])
    whole = sq.evaluate(y, models, metrics=[metric], ci="none")
    difference = log_error(whole[metric, "a"].value) - log_error(whole[metric, "b"].value)
    t = difference / math.sqrt(59 * of_logs.var())
    assert pair.p_value == pytest.approx(2 * stats.t.sf(abs(t), 59), rel=1e-7)
    assert pair.se == pytest.approx(math.sqrt(59 * (left["a"] - left["b"]).var()), rel=1e-7)


@pytest.mark.parametrize("seed", range(20))
def test_an_interval_of_scores_holds_0_where_the_test_finds_nothing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    y = 5 * rng.gamma(2, size=50)
    models = {"a": y + rng.normal(size=50), "b": y + rng.normal(size=50) * (1 + seed / 30)}
    at = sq.compare(y, models, metric="r2")["a", "b"].p_value
    for confidence in (1 - at * 0.999, 1 - at * 1.001):
        low, high = sq.compare(y, models, metric="r2", confidence=confidence)["a", "b"].ci
        assert (low < 0 < high) == (at > 1 - confidence)


@pytest.mark.parametrize("metric", ["r2", "nmse", "rpd"])
def test_the_order_of_models_turns_the_interval(metric: str) -> None:
    rng = np.random.default_rng(3)
    y = 5 * rng.gamma(2, size=80)
    models = {"a": y + rng.normal(size=80), "b": y + rng.normal(size=80) * 1.5}
    pair = sq.compare(y, models, metric=metric)["a", "b"]
    turned = next(iter(sq.compare(y, {m: models[m] for m in "ba"}, metric=metric)))
    assert (turned.a, turned.b) == ("b", "a")
    assert (turned.difference, *turned.ci) == pytest.approx((-pair.difference, -pair.ci[1], -pair.ci[0]), rel=1e-9)


def test_ends_of_intervals_have_no_models_to_compare() -> None:
    y, models = three(60)
    table = {"y": y, **models, "low": y - 1, "high": y + 1}
    with pytest.raises(DataError, match="the same for every model"):
        sq.compare(table, target="y", prediction=["a", "b"], metric="interval_score(lower='low', upper='high')")


def test_of_more_rows_buckets_are_the_pairs() -> None:
    y, models = three(6000)
    bucket = layout_of("rows", 5999, 1).of_rows(0, 6000)
    comparison = sq.compare(y, models)
    squares = {m: (y - p) ** 2 for m, p in models.items()}
    for pair in comparison:
        d = squares[pair.a] - squares[pair.b]
        left = np.array([d[bucket != b].mean() for b in range(128)])
        assert pair.se == pytest.approx(math.sqrt(127 * left.var()), rel=1e-8)
    assert comparison.method == "paired t test over 128 buckets of rows"
    shop = np.arange(6000) // 100
    clustered = sq.compare(y, models, cluster=shop)
    assert clustered.method == "paired t test over 60 clusters"
    assert sq.compare(y, models, order=True).method.endswith("blocks of time")


def test_p_values_for_all_pairs_are_those_of_holm() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, NAN, 0.4])[:1] + holm([0.5, NAN, 0.4])[2:] == pytest.approx([0.8, 0.8])
    y, models = three(200)
    comparison = sq.compare(y, models)
    assert [pair.p_adjusted for pair in comparison] == holm([pair.p_value for pair in comparison])
    assert comparison.told_apart == tuple(m for m in comparison.ranking[1:] if comparison[comparison.ranking[0], m].p_adjusted < 0.05)


def textbook_diebold_mariano(a: Array, b: Array, h: int) -> tuple[float, float]:
    """As in the paper of Harvey, Leybourne and Newbold, with sums in place of vectors."""
    d, n = a - b, len(a)
    mean = d.mean()
    gamma = [sum((d[t] - mean) * (d[t - k] - mean) for t in range(k, n)) / n for k in range(h)]
    statistic = mean / math.sqrt((gamma[0] + 2 * sum(gamma[1:])) / n)
    statistic *= math.sqrt((n + 1 - 2 * h + h * (h - 1) / n) / n)
    return statistic, 2 * stats.t.sf(abs(statistic), n - 1)


@pytest.mark.parametrize("h", [1, 2, 5])
@pytest.mark.parametrize("metric", ["mse", "mae"])
def test_the_test_of_diebold_and_mariano(h: int, metric: str) -> None:
    rng = np.random.default_rng(h)
    y = np.cumsum(rng.normal(size=150)) + 60
    models = {m: y + np.convolve(rng.normal(size=150 + h), np.ones(h), "valid")[:150] * scale for m, scale in (("a", 1.0), ("b", 1.3))}
    loss = np.square if metric == "mse" else np.abs
    pair = sq.compare(y, models, metric=metric, h=h)["a", "b"]
    statistic, p = textbook_diebold_mariano(loss(y - models["a"]), loss(y - models["b"]), h)
    assert pair.statistic == pytest.approx(statistic, rel=1e-9)
    assert pair.p_value == pytest.approx(p, rel=1e-9)
    assert pair.ci[0] < pair.difference < pair.ci[1]


def test_autocovariances_that_sum_to_less_than_nothing_are_weighted() -> None:
    a, b = np.tile([1.0, 2.0], 20), np.full(40, 1.4)
    test = diebold_mariano(a, b, 2, 0.95)  # 1 - 2 (39/40) < 0
    variance = 0.25 * (1 - 39 / 40)
    assert test.se == pytest.approx(math.sqrt(variance / 40 / ((40 + 1 - 4 + 2 / 40) / 40)), rel=1e-9)


@pytest.mark.parametrize("weighted", [False, True])
def test_a_murphy_diagram_is_that_of_its_definition_and_holds_the_squared_error(weighted: bool) -> None:
    y, models = three(40)
    y, models = np.round(y, 1), {m: np.round(p, 1) for m, p in models.items()}  # with ties
    w = np.random.default_rng(1).integers(0, 3, 40).astype(float) if weighted else np.ones(40)
    diagram = murphy(y, models, w if weighted else None)
    at, edges = diagram.thresholds[1::2], diagram.thresholds[::2]
    for m, p in models.items():
        inside = (np.minimum(y, p)[:, None] <= at) & (at < np.maximum(y, p)[:, None])
        expected = (w[:, None] * np.abs(y[:, None] - at) * inside).sum(axis=0) / w.sum()
        assert diagram.scores[m][1::2] == pytest.approx(expected, abs=1e-12)
        pieces = (diagram.scores[m][1:-1:2] + diagram.scores[m][2::2]) / 2 * np.diff(edges)  # linear between two edges
        assert 2 * pieces.sum() == pytest.approx(float((w * (y - p) ** 2).sum() / w.sum()), rel=1e-12)


def test_a_model_that_is_nearer_everywhere_dominates() -> None:
    y, models = three(200)
    nearer = y + 0.5 * (models["a"] - y)
    pair = sq.compare(y, {"a": models["a"], "nearer": nearer})["a", "nearer"]
    assert pair.dominates == pair.better == "nearer"
    assert sq.compare(y, {"a": models["a"], "same": models["a"]})["a", "same"].dominates is None
    low, high = np.full(200, y.min()), np.full(200, y.max())
    assert sq.compare(y, {"low": low, "high": high})["low", "high"].dominates is None


def test_a_model_that_is_silent_on_hard_rows_does_not_look_better() -> None:
    y, models = three(400)
    hard = np.arange(400) % 10 == 0
    models["a"][hard] += 30
    models["b"][hard] = models["a"][hard]
    silent = {"a": models["a"], "b": np.where(hard, NAN, models["b"])}
    comparison = sq.compare(y, silent, nan_policy="omit")
    assert comparison.values == {m: sq.mse(y[~hard], models[m][~hard]) for m in "ab"}
    assert comparison.ranking == ("a", "b")
    assert comparison.n == 360
    assert comparison.absent == {"b": 40}
    there, others = sq.mse(y[hard], models["a"][hard]), sq.mse(y[~hard], models["a"][~hard])
    assert f"b in 40 rows. On the rows left out the MSE of a is {there:.3g}, on the others {others:.3g}." in comparison.verdict
    with pytest.raises(DataError, match="missing"):
        sq.compare(y, silent)


def test_groups_that_count_alike_are_the_pairs() -> None:
    rng = np.random.default_rng(0)
    series = np.repeat(np.arange(30), rng.integers(3, 12, 30))
    y, models = three(len(series))
    frame = {"y": y, **models, "series": series}
    comparison = sq.compare(frame, target="y", prediction=list(models), metric="rmse", macro="series")
    of_series = {m: np.array([sq.rmse(y[series == s], p[series == s]) for s in range(30)]) for m, p in models.items()}
    for pair in comparison:
        expected = stats.ttest_rel(of_series[pair.a], of_series[pair.b])
        assert (pair.difference, pair.p_value) == pytest.approx((of_series[pair.a].mean() - of_series[pair.b].mean(), expected.pvalue), rel=1e-9)
    assert comparison.values == pytest.approx({m: each.mean() for m, each in of_series.items()})
    assert comparison.method == "paired t test over 30 groups of series"


@pytest.mark.parametrize("source", ["arrays", "table", "parquet"])
def test_baselines_predict_what_their_names_say(source: str, tmp_path: Path) -> None:
    y, models = three(200)
    names = ["mean", "median", "last_value", "seasonal_naive"]
    settings: dict[str, Any] = {"metric": "mae", "baseline": names, "seasonality": 7, "order": True}
    if source == "arrays":
        comparison = sq.compare(y, {"a": models["a"]}, **settings)
    else:
        data: Any = pa.table({"y": y, "a": models["a"]})
        if source == "parquet":
            parquet.write_table(data, tmp_path / "data.parquet", row_group_size=61)
            data = tmp_path / "data.parquet"
        comparison = sq.compare(data, target="y", prediction="a", **settings)
    expected = {"a": models["a"], "mean": np.full(200, y.mean()), "median": np.full(200, np.median(y))}
    expected |= {"last_value": np.roll(y, 1), "seasonal_naive": np.roll(y, 7)}
    assert comparison.values == pytest.approx({m: float(np.abs(y - p)[7:].mean()) for m, p in expected.items()}, rel=1e-12)
    assert comparison.absent == {"last_value": 1, "seasonal_naive": 7}
    assert set(comparison.ranking) == set(expected)


@pytest.mark.parametrize(("h", "season"), [(1, 7), (3, 7), (9, 7), (4, 2)])
def test_baselines_of_forecasts_know_no_more_than_the_forecasts(h: int, season: int) -> None:
    y, models = three(120)
    comparison = sq.compare(y, {"a": models["a"]}, metric="mae", h=h, baseline=["last_value", "seasonal_naive"], seasonality=season)
    back = {"last_value": h, "seasonal_naive": season * math.ceil(h / season)}
    first = max(back.values())
    for name, step in back.items():
        assert comparison.values[name] == pytest.approx(float(np.abs(y - np.roll(y, step))[first:].mean()), rel=1e-12)
    assert comparison.absent == back
    assert comparison.n == 120 - first


def test_threads_and_parts_leave_no_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    y, models = three(9000)
    table = pa.table({"y": y, **models})
    found = set()
    for size, threads in itertools.product((700, 9000), ("1", "3")):
        monkeypatch.setenv("SQUARELY_THREADS", threads)
        parquet.write_table(table, tmp_path / "data.parquet", row_group_size=size)
        comparison = sq.compare(tmp_path / "data.parquet", target="y", prediction=list(models), metric="rmse", baseline="mean")
        found.add(json.dumps(comparison.to_dict()))
    assert len(found) == 1


def test_the_verdict_says_who_is_better_by_how_much_and_how_sure_that_is() -> None:
    y, models = three(500)
    comparison = sq.compare(y, models, metric="rmse")
    pair = comparison["a", "b"]
    assert comparison.ranking[0] == "a"
    assert f"b on RMSE by {-pair.difference:.3f} (95 % interval {-pair.ci[1]:.2f} to {-pair.ci[0]:.2f}, p < 0.001)" in comparison.verdict
    alike = sq.compare(y, {"a": models["a"], "again": models["a"] + 1e-3})
    assert "again and a cannot be told apart on MSE: the difference is -0.0001" in alike.verdict
    assert json.loads(json.dumps(comparison.to_dict()))["verdict"] == comparison.verdict == str(comparison) == repr(comparison)


def test_two_models_may_be_named_in_either_order() -> None:
    y, models = three(60)
    comparison = sq.compare(y, models, metric="mae")
    pair, turned = comparison["a", "b"], comparison["b", "a"]
    assert (turned.difference, turned.ci, turned.effect) == (-pair.difference, (-pair.ci[1], -pair.ci[0]), -pair.effect)
    assert (turned.p_value, turned.better) == (pair.p_value, pair.better)
    assert turned.turned == pair
    with pytest.raises(DataError, match="no two models 'a' and 'z'"):
        comparison["a", "z"]


def test_percentages_are_told_as_such() -> None:
    y, models = three(200)
    comparison = sq.compare(y, models, metric="mape")
    pair = comparison["a", "b"]
    assert f"b on mape by {-100 * pair.difference:.2f} percentage points (95 % interval {-100 * pair.ci[1]:.1f} to " in comparison.verdict
    assert f"{100 * comparison.values['a']:.6g} %" in comparison.to_markdown()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"metric": "bias"}, "both sides"),
        ({"metric": "medae"}, "no smooth function"),
        ({"metric": "max_error"}, "largest"),
        ({"metric": "d2_pinball_score"}, "reads the rows twice"),
        ({"metric": "rmse", "h": 2}, "none"),
        ({"h": 0}, "at least 1"),
        ({"h": 1, "weight": np.ones(50)}, "weights"),
        ({"baseline": "mode"}, "no baseline 'mode'"),
        ({"baseline": "last_value"}, "order="),
        ({"baseline": "seasonal_naive", "order": True, "seasonality": 0}, "seasonality is 0"),
        ({"nan_policy": "propagate"}, "nothing to compare"),
        ({"confidence": 2}, "between 0 and 1"),
    ],
)
def test_what_cannot_be_compared_is_refused(settings: dict[str, Any], words: str) -> None:
    y, models = three(50)
    with pytest.raises(DataError, match=words):
        sq.compare(y, models, **settings)


def test_one_model_alone_is_no_comparison() -> None:
    y, models = three(50)
    with pytest.raises(DataError, match="one model"):
        sq.compare(y, {"a": models["a"]})
    with pytest.raises(DataError, match="called 'mean'"):
        sq.compare(y, {"mean": models["a"]}, baseline="mean")


@pytest.mark.parametrize("h", [None, 2])
@pytest.mark.parametrize("exponent", [-1000, -500, 500, 1000])
def test_the_unit_changes_nothing_where_squares_would_leave_the_range_of_doubles(exponent: int, h: int | None) -> None:
    y, models = three(60)
    plain = sq.compare(y, models, metric="mae", h=h)["a", "b"]
    scaled = sq.compare(np.ldexp(y, exponent), {m: np.ldexp(p, exponent) for m, p in models.items()}, metric="mae", h=h)["a", "b"]
    assert (scaled.p_value, scaled.better) == (pytest.approx(plain.p_value, rel=1e-9), plain.better)
    assert np.ldexp(scaled.se, -exponent) == pytest.approx(plain.se, rel=1e-9)


@pytest.mark.filterwarnings("error")
def test_where_differences_have_no_spread_models_cannot_be_compared() -> None:
    y, models = three(60)
    for few, scale, metric in ((2, 1, "r2"), (2, 1, "ccc"), (60, 1e200, "mse")):
        comparison = sq.compare(y[:few] * scale, {m: models[m][:few] * scale for m in "ab"}, metric=metric)
        assert math.isnan(comparison["a", "b"].p_value)
        assert "cannot be compared" in comparison.verdict
        json.dumps(comparison.to_dict(), allow_nan=False)


@pytest.mark.parametrize("h", [30, 31, 45, 90])
def test_forecasts_as_many_steps_ahead_as_there_are_rows_have_no_test(h: int) -> None:
    y, models = three(30)
    assert math.isnan(sq.compare(y, models, h=h)["a", "b"].p_value)  # the correction is positive again beyond


def test_absent_rows_are_counted_once_and_only_where_they_count() -> None:
    y, models = three(60)
    models["a"][[5, 9, 20]] = NAN
    for more in ({}, {"h": 2}):
        assert sq.compare(y, models, nan_policy="omit", **more).absent == {"a": 3}
    weight = np.ones(60)
    weight[5] = 0
    assert sq.compare(y, models, nan_policy="omit", weight=weight).absent == {"a": 2}


def test_rows_left_out_are_told_by_the_best_model_also_where_higher_is_better() -> None:
    y, models = three(60)
    models["a"][[5, 9, 20]] = NAN
    models["poor"] = np.full(60, y.mean()) + np.arange(60) % 3
    assert "the r2 of b is" in sq.compare(y, models, nan_policy="omit", metric="r2").left_out


def test_a_stream_is_compared_though_rows_are_left_out_and_refused_at_once_with_h() -> None:
    y, models = three(60)
    models["a"][[5, 9, 20]] = NAN
    table = pa.table({"y": y, **models})
    stream = pa.RecordBatchReader.from_batches(table.schema, table.to_batches())
    found = sq.compare(stream, target="y", prediction=["a", "b"], nan_policy="omit")
    assert (found.absent, found.left_out) == ({"a": 3}, "")
    with pytest.raises(DataError, match="a stream is read once"):
        sq.compare(pa.RecordBatchReader.from_batches(table.schema, table.to_batches()), target="y", prediction=["b", "c"], h=2)


def test_a_sample_of_the_rows_proves_no_dominance() -> None:
    rng = np.random.default_rng(0)
    y = rng.normal(size=40_000)
    off = rng.normal(0, 0.1, 40_000)
    models = {"a": y + off, "b": y + off + np.sign(off) * 0.3}
    few = sq.compare(y[:5_000], {m: p[:5_000] for m, p in models.items()}, metric="mae")["a", "b"]
    assert few.dominates == "a"
    models["a"][20_003], models["b"][20_003] = y[20_003] + 3000, y[20_003]  # a row that a sample may miss
    pair = sq.compare(y, models, metric="mae")["a", "b"]
    assert (pair.better, pair.dominates) == ("a", None)
    assert sq.evaluate(y, models, metrics=["mse"])["mse", "a"].value > sq.evaluate(y, models, metrics=["mse"])["mse", "b"].value
