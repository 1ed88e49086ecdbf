"""Simple rules predict as the rows are read: they are the columns of the same numbers, and take no pass of their own where none is needed."""

from __future__ import annotations

import math
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
    assert (found.passes, found.first, found.caveats) == (1, (), ())


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


@pytest.mark.parametrize(("metric", "baseline"), [("mae", "mean"), ("mae", "median"), ("mape", "mean")])
def test_where_the_targets_must_be_read_first_it_is_said_and_a_stream_is_refused(metric: str, baseline: str, tmp_path: Path) -> None:
    y, p = rows()
    parquet.write_table(pa.table({"y": y, "a": p}), tmp_path / "rows.parquet", row_group_size=500)
    found = sq.compare(tmp_path / "rows.parquet", target="y", prediction="a", metric=metric, baseline=baseline)
    constant = {"mean": math.fsum(y) / len(y), "median": float(np.median(y))}[baseline]
    by_hand = sq.compare(y, {"a": p, baseline: np.full(3000, constant)}, metric=metric)
    assert found.values == pytest.approx(by_hand.values, rel=1e-12)
    assert (found.passes, found.to_dict()["passes"]) == (2, 2)
    assert f"The targets were read before the rows, for their {baseline}." in found.verdict
    with pytest.raises(DataError, match=f"the baseline '{baseline}' for {metric} reads the targets first, and a stream is read once"):
        sq.compare(stream({"y": y, "a": p}, 500), target="y", prediction="a", metric=metric, baseline=baseline)


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
