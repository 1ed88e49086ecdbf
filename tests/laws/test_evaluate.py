"""An evaluation of any partition of the data is the evaluation of the whole, and each group is that group alone."""

from __future__ import annotations

import math
import pickle
from pathlib import Path
from typing import Any

import narwhals as nw
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import oracle
import squarely as sq
from squarely import METRICS, PairState, _core
from squarely.errors import DataError, UnknownGroupError, UnknownMetricError
from squarely.evaluate import as_frame
from squarely.evaluate.sample import MOST_ROWS

ASKED = [name for name, metric in METRICS.items() if metric.answers_on_sums]


def rows(n: int = 5000, seed: int = 0) -> dict[str, Any]:
    """Columns of two models, weights, and two group columns, one of them with missing values."""
    rng = np.random.default_rng(seed)
    y = 10 + rng.normal(size=n)
    town = np.array(["a", "b", "c", None], object)[rng.integers(0, 4, n)]
    return {
        "y": y,
        "p": y + 0.3 * rng.normal(size=n),
        "q": y + 0.5 * rng.standard_cauchy(n),
        "w": rng.integers(0, 3, n).astype(float),
        "town": town.tolist(),
        "year": rng.integers(2020, 2023, n),
    }


def evaluate(data: Any, **more: Any) -> sq.Evaluation:
    """All metrics of both models."""
    return sq.evaluate(data, **{"target": "y", "prediction": ["p", "q"], "by": ["town", "year"], "weight": "w", "metrics": ASKED, **more})


def table(data: dict[str, Any]) -> pa.Table:
    """The columns as an Arrow table."""
    return pa.table(data)


@pytest.mark.parametrize("threads", ["1", "2", "5"])
@pytest.mark.parametrize("group_rows", [100, 777, 100_000])
def test_row_groups_and_threads_leave_no_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, threads: str, group_rows: int) -> None:
    data = table(rows())
    whole = evaluate(data)
    pq.write_table(data, tmp_path / "data.parquet", row_group_size=group_rows)
    monkeypatch.setenv("SQUARELY_THREADS", threads)
    parts = evaluate(tmp_path / "data.parquet")
    assert parts.provenance.digest == whole.provenance.digest
    assert parts.table.groups.keys() == whole.table.groups.keys()
    assert [parts[name, "q"].value for name in ASKED] == [whole[name, "q"].value for name in ASKED]


def test_files_of_a_folder_are_the_whole(tmp_path: Path) -> None:
    data = table(rows())
    for at in range(7):
        pq.write_table(data.slice(at * 800, 800), tmp_path / f"part{at}.parquet")
    assert evaluate(tmp_path).provenance.digest == evaluate(data).provenance.digest


def test_every_way_in_gives_the_same_state(tmp_path: Path) -> None:
    data = rows()
    arrow = table(data)
    frame = pl.DataFrame(data)
    frame.write_csv(tmp_path / "data.csv")
    frame.write_ndjson(tmp_path / "data.jsonl")
    frame.write_ipc(tmp_path / "data.arrow")
    pandas = frame.to_pandas()
    digests = {
        name: evaluate(source).provenance.digest
        for name, source in {
            "mapping": data,
            "arrow": arrow,
            "stream": arrow.to_reader(max_chunksize=333),
            "polars": frame,
            "lazy": frame.lazy(),
            "pandas": pandas,
            "csv": tmp_path / "data.csv",
            "jsonl": tmp_path / "data.jsonl",
            "arrow file": tmp_path / "data.arrow",
        }.items()
    }
    assert set(digests.values()) == {digests["mapping"]}, digests


def test_a_group_is_the_group_alone() -> None:
    data = rows()
    evaluation = evaluate(data)
    arrays = {name: np.array(values, object if name == "town" else None) for name, values in data.items()}
    assert len(evaluation.groups) == 12
    for group in evaluation.groups:
        of_group = np.array([(town, year) == group for town, year in zip(arrays["town"], arrays["year"].tolist(), strict=True)])
        y, p, q, w = (arrays[name][of_group] for name in "ypqw")
        assert evaluation.table.groups[group] == [PairState.of(y, p, w, metrics=ASKED), PairState.of(y, q, w, metrics=ASKED)]
        for name in ("mean_squared_error", "r2_score", "max_error"):
            exact = oracle.value(name, y, p, w)
            assert exact is not None
            assert oracle.ulps(evaluation[name, "p"].by[group].value, exact) <= 1
        assert evaluation["mse", "p"].by[group].n == int((w > 0).sum())


def test_groups_add_up_to_the_whole() -> None:
    data = rows()
    evaluation = evaluate(data)
    alone = evaluate(data, by=None)
    assert evaluation.states == alone.states
    assert alone.groups == ()
    assert alone["mse", "p"].by == {}


def test_arrays_and_tables_agree() -> None:
    data = rows()
    arrays = sq.evaluate(
        data["y"], {"p": data["p"], "q": data["q"]}, weight=data["w"], by={"town": data["town"], "year": data["year"]}, metrics=ASKED
    )
    assert arrays.states == evaluate(data).states
    assert arrays["rmse", "p"].by["a", 2020] == evaluate(data)["rmse", "p"].by["a", 2020]
    one = sq.evaluate(data["y"], data["p"])
    assert one["mse"].value == sq.mse(data["y"], data["p"])
    assert one.state == PairState.of(data["y"], data["p"], metrics=one)


@pytest.mark.parametrize("places", [[], [3], [0, 1, 4999], list(range(0, 5000, 7))])
@pytest.mark.parametrize("kind", ["null", "nan"])
def test_omitted_rows_are_counted_and_leave_no_other_trace(places: list[int], kind: str) -> None:
    data = rows()
    absent = np.zeros(5000, bool)
    absent[places] = True
    y, p = data["y"].copy(), data["p"].copy()
    y[absent], p[absent] = np.nan, np.nan
    p[10] = np.nan
    mask = None if kind == "nan" else np.isnan
    columns = {name: pa.array(values, mask=None if mask is None else mask(values)) for name, values in {"y": y, "p": p}.items()}
    evaluation = sq.evaluate(pa.table(columns), target="y", prediction="p", nan_policy="omit")
    kept = ~np.isnan(y) & ~np.isnan(p)
    state = PairState.of(data["y"][kept], data["p"][kept], metrics=ASKED)
    assert evaluation["mse"].value == state.metric("mse")
    assert (evaluation.state.missing_target, evaluation.state.missing_prediction) == (int(absent.sum()), int((~absent)[10]))
    assert evaluation["mse"].coverage == kept.sum() / 5000


def test_policies() -> None:
    data = {"y": [1.0, None, 3.0, 4.0], "p": [1.0, 2.0, float("nan"), 6.0], "g": ["a", "a", "b", "b"]}
    with pytest.raises(DataError, match=r"missing target, the first in row 2 of column 'y'"):
        sq.evaluate(data, target="y", prediction="p")
    with pytest.raises(DataError, match=r"missing prediction, the first in row 3 of column 'p'"):
        sq.evaluate(data, target="y", prediction="p", nan_policy="omit_targets")
    omitted = sq.evaluate(data, target="y", prediction="p", by="g", nan_policy="omit")
    assert (omitted["mse"].value, omitted["mse"].n, omitted["mse"].coverage) == (2.0, 2, 0.5)
    assert (omitted["mse"].by["a"].value, omitted["mse"].by["b"].value) == (0.0, 4.0)
    nan = sq.evaluate(data, target="y", prediction="p", nan_policy="propagate")["mse"]
    assert math.isnan(nan.value)
    assert nan.reason is not None
    with pytest.raises(DataError, match="nan_policy is 'drop'"):
        sq.evaluate(data, target="y", prediction="p", nan_policy="drop")


def test_the_first_bad_row_is_named_whatever_the_threads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = rows()
    data["p"][[4321, 1234]] = np.nan
    pq.write_table(table(data), tmp_path / "data.parquet", row_group_size=50)
    for threads in ("1", "4"):
        monkeypatch.setenv("SQUARELY_THREADS", threads)
        with pytest.raises(DataError, match=r"data.parquet: 2 of 5,000 rows have a missing prediction, the first in row 1,235 of column 'p'"):
            evaluate(tmp_path / "data.parquet", weight=None)


def test_weights_are_judged_before_anything_is_said() -> None:
    for bad in (-1.0, math.nan, math.inf):
        with pytest.raises(DataError, match=r"the weight in row 2 of column 'w' is (-1.0|nan|inf)"):
            sq.evaluate({"y": [1.0, 2.0], "p": [1.0, 2.0], "w": [1.0, bad]}, target="y", prediction="p", weight="w")
    with pytest.raises(DataError, match="all 2 weights are 0"):
        sq.evaluate({"y": [1.0, 2.0], "p": [1.0, 2.0], "w": [0.0, 0.0]}, target="y", prediction="p", weight="w")


@pytest.mark.parametrize("library", ["pyarrow", "pandas", "polars"])
def test_texts_that_no_file_holds_are_escaped_in_a_frame_and_others_are_as_they_were(library: str) -> None:
    texts, numbers = ["a\ud800", "é", "a\ud800", "n"], [1.5, None, 2.5, 3.5]
    frame = as_frame({"a\ud800": list(texts), "numbers": list(numbers)}, library)
    escaped = nw.from_native(frame)
    assert escaped.columns == ["a\\ud800", "numbers"]
    assert escaped["a\\ud800"].to_list() == ["a\\ud800", "é", "a\\ud800", "n"]
    assert escaped["numbers"].drop_nulls().to_list() == [1.5, 2.5, 3.5]


def test_a_sample_has_one_row_of_each_stratum_and_those_of_coarser_samples() -> None:
    def rows_of(start: int, stop: int, level: int) -> list[int]:
        rows = np.empty(((stop - 1) >> level) - (start >> level) + 1, np.int64)
        return rows[: _core.sampled(start, stop, level, 77, rows)].tolist()

    finer = list(range(1 << 14))
    for level in range(12):
        rows = rows_of(0, 1 << 14, level)
        assert [row >> level for row in rows] == list(range((1 << 14) >> level))
        assert set(rows) <= set(finer)
        assert rows_of(0, 5001, level) + rows_of(5001, 5002, level) + rows_of(5002, 1 << 14, level) == rows
        finer = rows
    halves = np.array(rows_of(0, 1 << 14, 1)) & 1
    assert abs(halves.sum() - 4096) < 5 * math.sqrt(8192 / 4), "five standard deviations"
    with pytest.raises(ValueError, match="length"):
        _core.sampled(0, 100, 3, 77, np.empty(12, np.int64))
    with pytest.raises(ValueError, match="level of at most 62"):
        _core.sampled(0, 100, 63, 77, np.empty(1, np.int64))


def test_the_rows_of_a_sample_are_those_of_its_hash() -> None:
    """In integers without an end, so that pages of the past keep their points."""
    for salt in (0, 1, 2**32 - 1):
        for level in (1, 7):
            rows = np.empty(40, np.int64)
            assert _core.sampled(0, 40 << level, level, salt, rows) == 40
            for stratum, row in enumerate(rows.tolist()):
                place = stratum
                for height in range(level, 0, -1):
                    x = (place + (salt << 32) + height) * 0x9E3779B97F4A7C15 % 2**64
                    place = 2 * place + ((x ^ x >> 32) * 0xD6E8FEB86659FD93 % 2**64 >> 63)
                assert row == place


def test_the_sample_is_the_same_in_any_partition(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(4)
    y = rng.normal(size=150_000)
    data = pa.table({"y": y, "p": y + 1})
    path = tmp_path / "data.parquet"
    seen = set()
    for threads, group_rows in (("1", 150_000), ("3", 1000), ("2", 40_001)):
        monkeypatch.setenv("SQUARELY_THREADS", threads)
        pq.write_table(data, path, row_group_size=group_rows)
        sample = sq.evaluate(path, target="y", prediction="p").sample
        assert sample is not None
        assert MOST_ROWS / 3 < len(sample.ordinals) <= MOST_ROWS
        assert (sample.target == y[sample.ordinals]).all()
        assert (np.diff(sample.ordinals) > 0).all()
        seen.add(sample.ordinals.tobytes())
    assert len(seen) == 1


def test_a_small_sample_is_everything() -> None:
    data = rows(300)
    sample = evaluate(data).sample
    assert sample is not None
    assert sample.weight is not None
    assert (sample.ordinals == np.arange(300)).all()
    assert (sample.predictions["q"] == data["q"]).all()
    assert (sample.weight == data["w"]).all()


def test_a_hundred_thousand_groups() -> None:
    n = 300_000
    rng = np.random.default_rng(2)
    y, p, group = rng.normal(size=n), rng.normal(size=n), rng.permutation(n) % 100_000
    evaluation = sq.evaluate({"y": y, "p": p, "g": group}, target="y", prediction="p", by="g", metrics="mse")
    assert len(evaluation.groups) == 100_000
    assert evaluation.state == PairState.of(y, p, metrics=evaluation)
    for key in (0, 77, 99_999):
        assert evaluation["mse"].by[key].value == sq.mse(y[group == key], p[group == key])


def test_equal_values_of_different_types_are_no_group() -> None:
    with pytest.raises(DataError, match="1 and True"):
        sq.evaluate({"y": [1.0, 2.0], "p": [1.0, 2.0], "g": [1, True]}, target="y", prediction="p", by="g")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([-0.0, 0.0]), ["0.0"]),
        (np.array([0.0, -0.0]), ["0.0"]),
        ([1, 1.0], ["1"]),
        ([1.0, 1], ["1"]),
        ([2.5, 1], ["1", "2.5"]),
        (np.array([1.0, 2.0]), ["1.0", "2.0"]),
    ],
)
def test_equal_numbers_are_one_group_and_written_in_one_way(values: Any, expected: list[str]) -> None:
    evaluation = sq.evaluate({"y": [1.0, 2.0], "p": [1.0, 2.0], "g": values}, target="y", prediction="p", by="g")
    assert [repr(key) for (key,) in evaluation.groups] == expected


def test_questions() -> None:
    evaluation = evaluate(rows())
    assert evaluation["rmse", "p"] == evaluation["root_mean_squared_error", "p"]
    assert evaluation[sq.rmse.__name__, "p"].value == evaluation["rmse", "p"].value
    assert evaluation["mean_pinball_loss(alpha=0.5)", "p"].value == evaluation["mae", "p"].value / 2
    with pytest.raises(DataError, match="2 models"):
        evaluation["rmse"]
    with pytest.raises(DataError, match="no model 'z'"):
        evaluation["rmse", "z"]
    with pytest.raises(UnknownMetricError, match="Did you mean 'rmse'"):
        evaluation["rmsee", "p"]
    with pytest.raises(UnknownGroupError, match="no group"):
        evaluation["rmse", "p"].by["nowhere", 2020]
    assert [question.label for question in evaluate(rows(), metrics=["rmse", sq.mae, "rmse"]).questions] == ["rmse", "mean_absolute_error"]


@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow"])
def test_a_frame_comes_back_in_the_library_it_came_in(library: str) -> None:
    data = {"polars": pl.DataFrame(rows()), "pandas": pl.DataFrame(rows()).to_pandas(), "pyarrow": table(rows())}[library]
    evaluation = evaluate(data, metrics=["mse", "r2"])
    frame = evaluation.to_frame()
    assert type(frame).__module__.startswith(library)
    assert len(frame) == 12 * 2 * 2
    columns = frame.column_names if library == "pyarrow" else list(frame.columns)
    assert columns == ["town", "year", "model", "metric", "value", "se", "ci_low", "ci_high", "reason", "n", "coverage"]


def test_many_wide_key_columns_do_not_overflow() -> None:
    n = 20_000
    rng = np.random.default_rng(3)
    y = rng.normal(size=n)
    keys = {f"k{at}": rng.permutation(n) for at in range(6)}  # the product of their sizes is 2^85
    evaluation = sq.evaluate({"y": y, "p": y + 1, **keys}, target="y", prediction="p", by=list(keys), metrics="mse")
    assert set(evaluation.groups) == set(zip(*(column.tolist() for column in keys.values()), strict=True))
    assert evaluation.state == PairState.of(y, y + 1, metrics=evaluation)


def test_rows_of_weight_zero_leave_no_group() -> None:
    rows = {"y": [1.0, 2.0, 3.0], "p": [1.0, 2.0, 4.0], "w": [1.0, 1.0, 0.0], "g": ["a", "a", "b"]}
    without = {name: values[:2] for name, values in rows.items()}
    with_zero, absent = (sq.evaluate(each, target="y", prediction="p", weight="w", by="g") for each in (rows, without))
    assert with_zero.groups == absent.groups == (("a",),)
    assert with_zero.provenance.digest == absent.provenance.digest


def test_mixed_keys_are_text_and_tables_merge_alike() -> None:
    columns = {"target": "y", "prediction": "p", "by": "g"}
    mixed = sq.evaluate({"y": [1.0, 2.0], "p": [1.0, 2.0], "g": [1, "1A"]}, **columns)
    numbers = sq.evaluate({"y": [1.0], "p": [2.0], "g": [1]}, **columns)
    truths = sq.evaluate({"y": [1.0], "p": [2.0], "g": [True]}, **columns)
    assert mixed.groups == (("1",), ("1A",))
    assert (mixed.table + numbers.table).groups.keys() == (numbers.table + mixed.table).groups.keys() == {("1",), ("1A",)}
    assert len(mixed.to_frame()) == 2 * len(mixed)
    with pytest.raises(DataError, match="True and False"):
        numbers.table + truths.table


def test_groups_called_as_columns_of_ours_get_a_mark() -> None:
    rows = {"y": [1.0], "p": [1.0], "model": ["a"], "se": [1]}
    evaluation = sq.evaluate(rows, target="y", prediction="p", by=["model", "se"], metrics="mse")
    fixed = ["model", "metric", "value", "se", "ci_low", "ci_high", "reason", "n", "coverage"]
    assert evaluation.to_frame().column_names == ["by_model", "by_se", *fixed]
    without = sq.evaluate(rows, target="y", prediction="p", by=["model", "se"], metrics="mse", ci="none")
    assert without.to_frame().column_names == ["by_model", "by_se", *fixed[:3], *fixed[6:]]


def test_answers_by_group_are_a_mapping() -> None:
    answer = evaluate(rows())["mse", "p"]
    assert ("a", 2020) in answer.by
    assert ("z", 2020) not in answer.by
    assert answer.by.get(("z", 1)) is None
    assert list(evaluate(rows(), metrics=["rmse", "mae"])) == ["rmse", "mae"]
    assert "rmse" in evaluate(rows(), metrics="rmse")


def test_an_evaluation_travels() -> None:
    evaluation = evaluate(rows())
    again = pickle.loads(pickle.dumps(evaluation))
    assert again["r2", "q"] == evaluation["r2", "q"]
    assert again.provenance == evaluation.provenance


def test_propagate_answers_nan_also_where_nothing_is_left() -> None:
    assert math.isnan(sq.evaluate([math.nan], [1.0], nan_policy="propagate")["mse"].value)


def test_an_error_beyond_every_double_is_infinite() -> None:
    evaluation = sq.evaluate([1.7e308], [-1.7e308])
    assert evaluation["max_error"].value == math.inf == sq.max_error([1.7e308], [-1.7e308])
    assert evaluation["mae"].value == math.inf
