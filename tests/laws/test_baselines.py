"""Simple rules predict as the rows are read: they are the columns of the same numbers, and take no pass of their own."""

from __future__ import annotations

import math
import tracemalloc
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray
from pyarrow import parquet
from scipy import stats

import squarely as sq
from squarely.errors import DataError

Array = NDArray[Any]
OF_SQUARES = ["mse", "rmse", "r2", "nmse", "nrmse", "explained_variance"]


def rows(n: int = 3000) -> tuple[Array, Array]:
    rng = np.random.default_rng(11)
    y = rng.gamma(3, 2, n).cumsum() % 17 + 1
    return y, y + rng.standard_normal(n)


def stream(columns: dict[str, Array], size: int) -> pa.RecordBatchReader:
    table = pa.table(columns)
    return pa.RecordBatchReader.from_batches(table.schema, table.to_batches(max_chunksize=size))


def told(comparison: Any) -> list[tuple[Any, ...]]:
    pairs = [(p.a, p.b, p.difference, p.se, *p.ci, p.statistic, p.p_value, p.effect, p.better, p.dominates) for p in comparison]
    return [*sorted(comparison.values.items()), *pairs]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("metric", OF_SQUARES)
@pytest.mark.parametrize("rule", ["mean", "median"])
def test_constants_take_no_pass_of_their_own_where_squares_say_all(rule: str, metric: str, weighted: bool) -> None:
    y, p = rows()
    y[[5, 700]] = np.nan
    w = np.arange(3000.0) % 4 if weighted else None
    known = np.isfinite(y)
    repeated = y[known] if w is None else np.repeat(y[known], w[known].astype(int))
    constant = math.fsum(repeated) / len(repeated) if rule == "mean" else np.median(repeated)
    columns = {"y": y, "a": p, **({} if w is None else {"w": w})}
    asked: dict[str, Any] = {"target": "y", "metric": metric, "weight": "w" if weighted else None, "nan_policy": "omit"}
    found = sq.compare(stream(columns, 700), prediction="a", baseline=rule, **asked)
    by_hand = sq.compare({**columns, rule: np.full(3000, constant)}, prediction=["a", rule], **asked)
    for of_mine, of_theirs in zip(told(found), told(by_hand), strict=True):
        for mine, theirs in zip(of_mine, of_theirs, strict=True):
            assert mine == (pytest.approx(theirs, rel=1e-9, abs=1e-12) if isinstance(mine, float) else theirs)
    assert (found.passes, found.caveats) == (1, ())


def test_what_squares_do_not_say_of_the_mean_has_no_value() -> None:
    y, p = rows()
    evaluation = sq.compare(y, {"a": p}, metric="mse", baseline="mean").evaluation
    assert evaluation["mse", "mean"].value == pytest.approx(y.var(), rel=1e-12)
    assert evaluation["max_error", "mean"].value == np.abs(y - math.fsum(y) / len(y)).max()
    absolute = evaluation["mae", "mean"]
    assert math.isnan(absolute.value)
    assert absolute.reason == "its prediction was not known as the rows were read, and sums of squares do not say it"
    assert math.isfinite(evaluation["mae", "a"].value)
    assert list(evaluation.largest) == ["a"]


@pytest.mark.parametrize("size", [1, 7, 64, 3000])
def test_a_stream_knows_the_rows_before(size: int) -> None:
    y, p = rows(3000 if size > 1 else 100)
    names = ["mean", "last_value", "seasonal_naive"]
    found = sq.compare(stream({"y": y, "a": p}, size), target="y", prediction="a", metric="rmse", baseline=names, seasonality=60, order=True)
    before = {"last_value": np.concatenate([[np.nan], y[:-1]]), "seasonal_naive": np.concatenate([np.full(60, np.nan), y[:-60]])}
    columns = {"a": p, "mean": np.full(len(y), math.fsum(y) / len(y)), **before}
    expected = {name: math.sqrt(np.mean((y - column)[60:] ** 2)) for name, column in columns.items()}
    assert found.values == pytest.approx(expected, rel=1e-12)
    assert found.absent == {"last_value": 1, "seasonal_naive": 60}
    assert found.passes == 1


def constant(rule: str, y: Array, w: Array | None = None) -> float:
    """The mean of the targets that are known, rounded once, or their median; a row of weight k is k rows."""
    known = np.isfinite(y)
    repeated = np.sort(y[known] if w is None else np.repeat(y[known], w[known].astype(int)))
    if rule == "mean":
        return float(sum(map(Fraction, repeated.tolist())) / len(repeated))
    return float((repeated[(len(repeated) - 1) // 2] + repeated[len(repeated) // 2]) / 2)


def differing(found: Any, by_hand: Any) -> list[str]:
    """Return where two comparisons have other numbers: in the tests, the bits of the states, the largest errors, the sample or the diagram."""
    mine, theirs = found.evaluation, by_hand.evaluation
    same = {
        "tests": told(found) == told(by_hand),
        "states": mine.provenance.digest == theirs.provenance.digest,
        "largest": [[each[1:] for each in mine.largest[model]] == [each[1:] for each in theirs.largest[model]] for model in theirs.models],
        "sample": [np.array_equal(mine.sample.predictions[model], theirs.sample.predictions[model], equal_nan=True) for model in theirs.models],
        "diagram": [np.array_equal(found.murphy.scores[model], by_hand.murphy.scores[model]) for model in theirs.models],
    }
    return [name for name, alike in same.items() if not np.all(alike)]


ANY = ["mae", "mape", "smape", "msle", "wape", "mean_pinball_loss(alpha=0.9)", "huber(delta=0.5)", "mean_tweedie_deviance(power=1.5)"]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("metric", ANY)
@pytest.mark.parametrize("rule", ["mean", "median"])
def test_a_constant_is_the_column_of_its_number_under_any_metric_of_a_stream(rule: str, metric: str, weighted: bool) -> None:
    y, p = rows()
    p = np.abs(p) + 0.1
    y[[5, 700]], p[[9, 2501]] = np.nan, np.nan
    w = np.arange(3000.0) % 4 if weighted else None
    columns = {"y": y, "a": p, **({} if w is None else {"w": w})}
    asked: dict[str, Any] = {"target": "y", "metric": metric, "weight": "w" if weighted else None, "nan_policy": "omit"}
    by_hand = sq.compare({**columns, rule: np.full(3000, constant(rule, y, w))}, prediction=["a", rule], **asked)
    found = sq.compare(stream(columns, 700), prediction="a", baseline=rule, **asked)
    assert differing(found, by_hand) == []
    assert found.absent == by_hand.absent == {"a": 2}
    assert (found.passes, found.to_dict()["passes"]) == (1, 1)


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("size", [1, 7, 64, 999])
@pytest.mark.parametrize(
    "settings", [{}, {"cluster": "shop"}, {"order": "day"}, {"macro": "shop"}, {"macro": "crowd"}, {"macro": "shop", "metric": "medae"}]
)
def test_a_constant_has_the_buckets_and_groups_of_any_model(
    settings: dict[str, str], size: int, threads: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SQUARELY_THREADS", str(threads))
    n = 3000 if size > 1 else 90
    y, p = rows(n)
    w = np.arange(n) % 3 + 0.5
    columns = {"y": y.astype(np.float32), "a": p, "w": w, "shop": np.arange(n) * 7 % 40, "crowd": np.arange(n) // 2, "day": np.arange(n) // 9}
    numbers = {"mean": float(sum(Fraction(a) * Fraction(b) for a, b in zip(columns["y"].tolist(), w.tolist(), strict=True)) / Fraction(w.sum()))}
    numbers["median"] = constant("median", columns["y"].astype(float), w * 2)
    asked: dict[str, Any] = {"target": "y", "metric": "mae", "weight": "w", **settings}
    by_hand = sq.compare({**columns, **{name: np.full(n, number) for name, number in numbers.items()}}, prediction=["a", *numbers], **asked)
    parquet.write_table(pa.table(columns), tmp_path / "rows.parquet", row_group_size=size)
    for data in (stream(columns, size), tmp_path / "rows.parquet", columns):
        assert differing(sq.compare(data, prediction="a", baseline=["mean", "median"], **asked), by_hand) == []


@pytest.mark.parametrize("metric", ["mse", "mae"])
def test_constants_and_rows_before_are_known_together(metric: str) -> None:
    y, p = rows()
    columns = {"y": y, "a": p}
    number = constant("mean", y)
    before = np.concatenate([[np.nan, np.nan], y[:-2]])
    by_hand = sq.compare({**columns, "median": np.full(3000, constant("median", y)), "mean": np.full(3000, number), "seasonal_naive": before},
                         target="y", prediction=["a", "median", "mean", "seasonal_naive"], metric=metric, order=True, nan_policy="omit")  # fmt: skip
    asked: dict[str, Any] = {"target": "y", "prediction": "a", "metric": metric, "order": True}
    found = sq.compare(stream(columns, 170), baseline=["median", "mean", "seasonal_naive"], seasonality=2, **asked)
    assert found.values == pytest.approx(by_hand.values, rel=1e-12)
    assert found["median", "mean"].p_value == pytest.approx(by_hand["median", "mean"].p_value, rel=1e-9)
    assert (found.absent, found.passes) == (by_hand.absent, 1)


def test_columns_of_the_metric_are_kept_for_a_constant() -> None:
    y, p = rows()
    columns = {"y": y, "a": p, "scale": np.arange(3000) % 5 + 1.0}
    asked: dict[str, Any] = {"target": "y", "metric": "mase(scale='scale')"}
    by_hand = sq.compare({**columns, "mean": np.full(3000, constant("mean", y))}, prediction=["a", "mean"], **asked)
    assert differing(sq.compare(stream(columns, 170), prediction="a", baseline="mean", **asked), by_hand) == []


def test_what_a_constant_refuses_is_named_like_what_a_column_refuses() -> None:
    y, p = rows()
    y[1234] = np.inf
    with pytest.raises(DataError, match="has an infinite target, the first in row 1,235 of column 'y'"):
        sq.compare(stream({"y": y, "a": p}, 100), target="y", prediction="a", metric="mae", baseline="median")
    with pytest.raises(DataError, match="row 1,235"):
        sq.compare(
            stream({"y": p, "a": p, "w": -np.isinf(y).astype(float)}, 100), target="y", prediction="a", metric="mae", baseline="median", weight="w"
        )


def test_squares_keep_no_rows_and_other_metrics_the_targets() -> None:
    y, p = rows(2_000_000)
    peaks = {}
    for metric in ("mse", "mse", "mae"):  # the first imports what is not there yet
        data = stream({"y": y, "a": p}, 50_000)
        tracemalloc.start()
        assert sq.compare(data, target="y", prediction="a", metric=metric, baseline="mean").passes == 1
        peaks[metric] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peaks["mse"] < 6e6 < 8 * 2e6 < peaks["mae"] < 10 * 2e6


def test_threads_and_parts_do_not_change_a_rule(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    y, p = rows()
    seen = []
    for threads, group_rows in ((1, 3000), (3, 100), (2, 999)):
        monkeypatch.setenv("SQUARELY_THREADS", str(threads))
        path = tmp_path / f"{group_rows}.parquet"
        parquet.write_table(pa.table({"y": y, "a": p}), path, row_group_size=group_rows)
        for rules, order in ((["mean", "median"], None), (["mean", "median", "last_value"], True)):
            seen.append(told(sq.compare(path, target="y", prediction="a", baseline=rules, order=order)))
    assert seen[0] == seen[2] == seen[4]
    assert seen[1] == seen[3] == seen[5]


@pytest.mark.parametrize("settings", [{"macro": "series"}, {"h": 2}])
def test_series_that_count_alike_and_forecasts_ahead_know_the_mean(settings: dict[str, Any]) -> None:
    y, p = rows()
    frame = {"y": y, "a": p, "series": np.arange(3000) % 30}
    by_hand = sq.compare({**frame, "mean": np.full(3000, math.fsum(y) / 3000)}, target="y", prediction=["a", "mean"], **settings)
    found = sq.compare(frame, target="y", prediction="a", baseline="mean", **settings)
    assert found.values == pytest.approx(by_hand.values, rel=1e-12)
    assert found["a", "mean"].p_value == pytest.approx(by_hand["a", "mean"].p_value, rel=1e-9)


@pytest.mark.parametrize("mixed", [False, True])
@pytest.mark.parametrize("h", [None, 2])
def test_series_that_count_alike_know_their_own_rows_before(mixed: bool, h: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SQUARELY_THREADS", "3")
    y, p = rows()
    series = np.random.default_rng(5).permutation(np.arange(3000) % 30) if mixed else np.arange(3000) // 100
    names = ["last_value", "seasonal_naive"]
    back = {"last_value": h or 1, "seasonal_naive": 7}
    columns = {"y": y, "a": p, "series": np.array([f"s{each}" for each in series]), "day": np.arange(3000) // 40}
    asked: dict[str, Any] = {"target": "y", "prediction": "a", "metric": "mae", "macro": "series", "seasonality": 7, "h": h}
    found = sq.compare(stream(columns, 170) if h is None else columns, baseline=names, order="day" if mixed else True, **asked)
    values = {name: [] for name in ("a", *names)}
    for each in range(30):
        of_y, of_p = y[series == each], p[series == each]
        predicted = {"a": of_p, **{name: np.roll(of_y, step) for name, step in back.items()}}
        for name, column in predicted.items():
            values[name].append(np.abs(of_y - column)[7:].mean())
    assert found.values == pytest.approx({name: np.mean(of_model) for name, of_model in values.items()}, rel=1e-12)
    assert found.absent == {name: 30 * step for name, step in back.items()}
    t = stats.ttest_rel(values["a"], values["last_value"])
    assert found["a", "last_value"].p_value == pytest.approx(min(1.0, 2 * t.pvalue), rel=0.1) or t.pvalue < 1e-8


def test_the_order_within_series_is_said_and_judged(tmp_path: Path) -> None:
    y, p = rows(60)
    columns = {"y": y, "a": p, "series": np.arange(60) % 3, "day": np.arange(60)}
    columns["day"][44] = 3  # of series 2, which was at 41
    asked: dict[str, Any] = {"target": "y", "prediction": "a", "macro": "series", "baseline": "last_value"}
    with pytest.raises(DataError, match=r"so the rows of each 'series' must lie in order\. Say so with order="):
        sq.compare(columns, **asked)
    with pytest.raises(DataError, match="row 45 comes before an earlier one of '2' in column 'day'"):
        sq.compare(columns, order="day", **asked)
    with pytest.raises(DataError, match="row 45 comes before an earlier one of '2' in column 'day'"):
        sq.compare(stream(columns, 44), order="day", **asked)
    with pytest.raises(DataError, match="has a missing value"):
        sq.compare(columns | {"day": [None] * 60}, order="day", **asked)
    for name in ("one", "two"):
        parquet.write_table(pa.table(columns), tmp_path / f"{name}.parquet")
    with pytest.raises(DataError, match=r"the rows of '0' lie in several files, as .*one\.parquet and .*two\.parquet"):
        sq.compare(tmp_path, order=True, **asked)


def test_a_series_without_a_row_before_is_named() -> None:
    y, p = rows(61)
    columns = {"y": y, "a": p, "series": np.append(np.arange(60) % 3, 9)}
    with pytest.raises(DataError, match="in group '9' of series"):
        sq.compare(columns, target="y", prediction="a", macro="series", baseline="last_value", order=True)
