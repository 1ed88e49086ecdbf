"""Slices add up to the whole, planted ones are found, and noise is let be."""

from __future__ import annotations

import itertools
import json
import math
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray
from pyarrow import csv, parquet
from scipy import stats

import squarely as sq
from commanding import called
from squarely.errors import DataError
from squarely.evaluate.layout import layout_of
from squarely.intervals.link import Link
from squarely.slices import Slice
from squarely.slices.shrink import shrunken, variance_between

Array = NDArray[Any]
NAN = math.nan


def noise(n: int, seed: int = 0) -> tuple[Array, Array, dict[str, Array]]:
    """Targets about a calibrated prediction, and columns that say nothing."""
    rng = np.random.default_rng([seed, 11])
    p = 3 * rng.normal(size=n)
    columns = {"region": rng.choice(list("abcde"), n), "size": rng.normal(size=n).round(1), "floors": rng.integers(1, 5, n)}
    return p + rng.normal(size=n), p, columns


def planted(n: int = 1000, seed: int = 0) -> tuple[Array, Array, dict[str, Array]]:
    """The same, with errors of twice the size in one region."""
    y, p, columns = noise(n, seed)
    columns["region"] = np.where(np.arange(n) % 12 == 0, "north", columns["region"])
    return np.where(columns["region"] == "north", p + 2 * (y - p), y), p, columns


def rows_where(each: Slice, columns: dict[str, Array]) -> NDArray[np.bool_]:
    """The rows of a slice, read from its words."""
    inside = np.ones(len(next(iter(columns.values()))), np.bool_)
    for name, label in zip(each.columns, each.labels, strict=True):
        values = columns[name]
        if values.dtype.kind in "UO":
            inside &= values == label[1:-1]
        elif label.startswith("below "):
            inside &= values < float(label[6:])
        elif label.endswith(" or more"):
            inside &= values >= float(label[:-8])
        elif " to below " in label:
            low, high = map(float, label.split(" to below "))
            inside &= (values >= low) & (values < high)
        else:
            inside &= values == float(label)
    return inside


@pytest.mark.parametrize("cross", [1, 2])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_slices_of_a_column_add_up_to_all_rows_exactly(cross: int, weighted: bool) -> None:
    y, p, columns = planted(600)
    columns["name"] = np.array([f"r{i}" if i % 7 else "common" for i in range(600)])
    weight = np.random.default_rng(1).integers(0, 4, 600) / 8 if weighted else None
    found = sq.slices(y, p, columns=columns, cross=cross, weight=weight)
    assert {each.columns for each in found if len(each.columns) == 1} == {(name,) for name in (*columns, "y_pred")}
    counts = np.ones(600, np.bool_) if weight is None else weight > 0
    w = counts.astype(float) if weight is None else weight
    whole = sum((Fraction(v) * (Fraction(a) - Fraction(b)) ** 2 for v, a, b in zip(w, y, p, strict=True)), Fraction(0))
    for names in {each.columns for each in found}:
        parts = [each for each in (*found, *found.unjudged) if each.columns == names]
        assert sum(each.n for each in parts) == counts.sum()
        assert sum((each.squared_error for each in parts), Fraction(0)) == whole
        assert sum(each.error_share for each in parts) == pytest.approx(1, rel=1e-14)
        assert sum(each.row_share for each in parts) == pytest.approx(1, rel=1e-14)


@pytest.mark.parametrize("metric", ["mse", "mae", "r2", "rmse"])
def test_each_slice_has_the_answer_of_its_rows_and_of_the_others(metric: str) -> None:
    y, p, columns = planted(500)
    found = sq.slices(y, p, columns=columns, metric=metric, cross=2, least=20)
    columns |= {"y_pred": p}
    ask = getattr(sq, metric)
    assert len(found) > 40
    for each in found:
        inside = rows_where(each, columns)
        assert (each.n, each.coverage) == (inside.sum(), 1.0)
        assert each.value == ask(y[inside], p[inside])
        assert each.rest == ask(y[~inside], p[~inside])
        assert each.row_share == inside.mean()
        assert each.error_share == pytest.approx(np.square(y - p)[inside].sum() / np.square(y - p).sum(), rel=1e-12)
        if len(each.columns) == 1:  # each row is a bucket of its own
            alone = sq.evaluate(y, p, by=inside.astype(int), metrics=metric)[metric].by[1]
            assert each.se == pytest.approx(alone.se, rel=1e-9)


@pytest.mark.parametrize("source", ["arrays", "table", "csv", "parquet"])
@pytest.mark.parametrize("metric", ["mse", "mae", "rmse", "r2", "mean_pinball_loss(alpha=0.5)"])
def test_a_planted_slice_is_found_first_and_named(metric: str, source: str, tmp_path: Path) -> None:
    y, p, columns = planted()
    if metric == "r2":  # alike everywhere, so that slices of little spread have no bad score of their own
        del columns["size"]
    table = pa.table({"y": y, "model": p, **columns})
    if source == "arrays":
        found = sq.slices(y, p, columns=columns, metric=metric)
    else:
        data: Any = table
        if source == "csv":
            data = tmp_path / "data.csv"
            csv.write_csv(table, data)
        elif source == "parquet":
            data = tmp_path / "data.parquet"
            parquet.write_table(table, data, row_group_size=130)
        found = sq.slices(data, target="y", prediction="model", metric=metric, columns=list(columns))
    bad = next(each for each in found if each.labels == ("'north'",))
    assert bad.worse
    if metric != "r2":  # a bin of the prediction has little spread to explain
        assert found.worst == bad
        assert "where region is 'north' (84 rows, 8.4 % of the rows" in found.verdict
    assert bad.n == 84


def test_the_verdict_says_how_much_worse_and_where() -> None:
    y, p, columns = planted()
    found = sq.slices(y, p, columns=columns)
    ratio = found.worst.value / found.worst.rest if found.worst else 0
    assert found.verdict.startswith(f"MSE is {ratio:.3g} times that of the other rows where region is 'north' (84 rows, 8.4 % of the rows, ")
    assert "% of the squared error, p < 0.001)" in found.verdict
    assert str(found).endswith(found.verdict)
    scored = sq.slices(y, p, columns={"region": columns["region"]}, metric="r2")
    bad = scored[0]
    assert scored.verdict.startswith(f"r2 is {bad.value:.3g}, and {bad.rest:.3g} on the other rows, where {bad.where}")
    calm = sq.slices(*noise(200)[:2])
    assert calm.verdict == "No slice is proved to be worse than the other rows on MSE: 5 slices were judged."


@pytest.mark.parametrize("heavy", [False, True])
def test_pure_noise_raises_few_false_alarms(heavy: bool) -> None:
    alarms = 0
    for seed in range(200):
        rng = np.random.default_rng([seed, 5])
        p, e = rng.normal(size=240), rng.standard_t(4, 240) if heavy else rng.normal(size=240)
        found = sq.slices(p + e, p, columns={"a": rng.integers(0, 5, 240), "b": rng.normal(size=240)}, least=20)
        assert len(found) == 15
        alarms += bool(found.proved)
    assert alarms <= 10  # of 200


def test_a_p_value_is_that_of_a_t_test_where_each_row_is_a_bucket() -> None:
    y, p, columns = noise(400)
    for each in sq.slices(y, p, columns={"region": columns["region"]}):
        if each.columns != ("region",):
            continue
        loss, inside = np.square(y - p), columns["region"] == each.labels[0][1:-1]
        parts = [loss[inside], loss[~inside]]
        difference = math.log(parts[0].mean() / parts[1].mean())
        s = math.sqrt(sum(part.var(ddof=1) / len(part) / part.mean() ** 2 for part in parts))  # of logs, by the delta method
        expected = stats.t.sf(difference / s, min(map(len, parts)) - 1)
        assert each.p_value == pytest.approx(expected, rel=0.15, abs=0.01)


def test_buckets_keep_rows_that_err_together_together() -> None:
    y, p, _ = noise(6000)
    shop = np.arange(6000) // 50
    shock = np.random.default_rng(3).normal(size=120)[shop]
    region = np.where(shop % 4 == 0, "a", "b")
    alone, together = (sq.slices(p + 2 * shock + (y - p), p, columns={"region": region}, cluster=cluster) for cluster in (None, shop))
    for name in ("'a'", "'b'"):
        a, b = (next(each for each in found if each.labels == (name,)) for found in (alone, together))
        assert (a.value, a.error_share) == (b.value, b.error_share)
        assert b.se > 2 * a.se
    bucket = layout_of("rows", 5999, 2).of_rows(0, 6000)
    inside, loss = region == "a", np.square(y + 2 * shock - p)
    d = np.array([math.log(loss[inside & (bucket != b)].mean() / loss[~inside & (bucket != b)].mean()) for b in range(bucket.max() + 1)])
    s = math.sqrt((len(d) - 1) * d.var())
    t = math.log(loss[inside].mean() / loss[~inside].mean()) / s
    first = next(each for each in alone if each.labels == ("'a'",))
    assert first.p_value == pytest.approx(stats.t.sf(t, len(d) - 1), rel=1e-7, abs=0)


def test_p_values_and_intervals_are_for_all_slices_together() -> None:
    y, p, columns = planted(800)
    found = sq.slices(y, p, columns=columns, confidence=0.9)
    m = len(found)
    ordered = sorted(found, key=lambda each: each.p_value)
    largest = 0.0
    for rank, each in enumerate(ordered):
        largest = max(largest, min(1.0, (m - rank) * each.p_value))
        assert each.p_adjusted == largest
        assert each.worse == (largest < 0.1)
    alone = sq.evaluate(y, p, by=columns["region"], metrics="mse", confidence=1 - 0.1 / m)["mse"].by
    for each in found:
        if each.columns == ("region",):
            assert each.ci == pytest.approx(alone[each.labels[0][1:-1]].ci, rel=1e-9)


def test_shrunken_values_are_those_of_the_textbook() -> None:
    values, errors, whole = [4.0, 2.0, 1.0, 1.5], [1.2, 0.4, 0.1, 0.5], 1.6
    t = [math.log(value) for value in values]
    s2 = [(error / value) ** 2 for error, value in zip(errors, values, strict=True)]
    w = [1 / each for each in s2]
    center = math.fsum(a * b for a, b in zip(w, t, strict=True)) / math.fsum(w)
    q = math.fsum(a * (b - center) ** 2 for a, b in zip(w, t, strict=True))
    tau2 = (q - 3) / (math.fsum(w) - math.fsum(a * a for a in w) / math.fsum(w))
    assert tau2 > 0
    assert variance_between(np.array(t), np.sqrt(s2)) == pytest.approx(tau2, rel=1e-12)
    expected = [math.exp(math.log(whole) + tau2 / (tau2 + v) * (each - math.log(whole))) for each, v in zip(t, s2, strict=True)]
    assert shrunken(values, errors, whole, Link.LOG) == pytest.approx(expected, rel=1e-12)
    assert shrunken([1.0, 1.1], [0.5, 0.5], 1.05, Link.LOG) == pytest.approx([1.05, 1.05])  # no more apart than chance puts them
    assert shrunken([0.0, 2.0, 3.0], [0.0, 0.1, 0.1], 1.0, Link.LOG)[0] == 0.0
    assert shrunken([0.0, 0.0], [0.0, 0.0], 0.0, Link.LOG) == [0.0, 0.0]
    room = shrunken([0.5, 0.9], [0.05, 0.02], 0.8, Link.ROOM)
    assert room == pytest.approx([1 - each for each in shrunken([0.5, 0.1], [0.05, 0.02], 0.2, Link.LOG)])


def test_slices_are_ranked_by_shrunken_values() -> None:
    y, p, columns = planted(700)
    for metric, sign in (("mse", -1), ("r2", 1)):
        found = sq.slices(y, p, columns=columns, metric=metric, cross=2)
        assert [each.shrunken for each in found] == sorted((each.shrunken for each in found), key=lambda each: sign * each)
        whole = found.value
        assert all(min(whole, each.value) - 1e-12 <= each.shrunken <= max(whole, each.value) + 1e-12 for each in found)


@pytest.mark.parametrize("kind", ["ties", "spread", "integers", "float32", "long", "infinite"])
def test_bins_hold_alike_many_rows_and_part_no_ties(kind: str) -> None:
    rng = np.random.default_rng(2)
    x: Array = {
        "ties": rng.poisson(20, 900).astype(float) / 4,
        "spread": rng.normal(size=900),
        "integers": rng.integers(0, 1000, 900),
        "float32": rng.normal(size=900).astype(np.float32),
        "long": 2**60 + rng.integers(0, 40, 900),
        "infinite": np.where(rng.random(900) < 0.25, np.inf, rng.normal(size=900)),
    }[kind]
    y, p, _ = noise(900)
    found = [each for each in sq.slices(y, p, columns={"x": x}, bins=4) if each.columns == ("x",)]
    assert len(found) == 4
    assert sum(each.n for each in found) == 900
    most = np.unique(x, return_counts=True)[1].max()
    assert all(abs(each.n - 225) <= most for each in found)
    if kind != "long":  # which no double tells apart
        assert [each.n for each in found] == [rows_where(each, {"x": x.astype(float)}).sum() for each in found]


def test_edges_are_quantiles_by_weight() -> None:
    y, p, _ = noise(400)
    x = np.random.default_rng(4).gamma(2, size=400)
    k = np.random.default_rng(5).integers(0, 4, 400)
    repeated = np.repeat(np.arange(400), k)
    weighed = sq.slices(y, p, columns={"x": x}, weight=k)
    copies = sq.slices(y[repeated], p[repeated], columns={"x": x[repeated]})
    assert {each.where: (each.value, each.row_share, each.error_share) for each in weighed} == {
        each.where: (each.value, each.row_share, each.error_share) for each in copies
    }
    absent = sq.slices(y[k > 0], p[k > 0], columns={"x": x[k > 0]}, weight=k[k > 0])
    assert {each.where: (each.n, each.value) for each in weighed} == {each.where: (each.n, each.value) for each in absent}


def test_text_flags_few_numbers_and_missing_values_are_slices_by_value() -> None:
    y, p, _ = noise(600)
    rng = np.random.default_rng(6)
    table = pa.table(
        {
            "y": y,
            "model": p,
            "flag": rng.random(600) < 0.5,
            "stars": pa.array([None if i % 5 == 0 else i % 4 for i in range(600)]),
            "price": pa.array([None if i % 6 == 0 else float(i) for i in range(600)]),
            "town": pa.array([None if i % 3 == 0 else ("missing" if i % 3 == 1 else "5") for i in range(600)]),
            "half": np.array([0.5, -0.0, 0.0, 1e20])[np.arange(600) % 4],
            "constant": np.ones(600),
            "id": [f"row {i}" for i in range(600)],
            "times": pa.array([0, 86400] * 300, pa.timestamp("s")),
            "list": [[i] for i in range(600)],
            "empty": pa.nulls(600, pa.float64()),
        }
    )
    found = sq.slices(table, target="y", prediction="model")
    labels: dict[str, set[str]] = {}
    for each in found:
        labels.setdefault(each.columns[0], set()).add(each.labels[0])
    assert labels["flag"] == {"True", "False"}
    assert labels["stars"] == {"0", "1", "2", "3", "missing"}
    assert labels["price"] == {"below 120", "120 to below 240", "240 to below 360", "360 to below 480", "480 or more", "missing"}
    assert labels["town"] == {"missing", "'missing'", "'5'"}
    assert labels["half"] == {"0", "0.5", "1e+20"}
    assert labels["times"] == {"'1970-01-01T00:00:00'", "'1970-01-02T00:00:00'"}
    assert set(labels) == {"model", "flag", "stars", "price", "town", "half", "times"}
    assert found.left_out["constant"] == found.left_out["empty"] == "it has one value"
    assert found.left_out["id"] == "none of its 600 values has 30 rows"
    assert "list" in found.left_out["list"]
    assert "Not sliced by: constant (it has one value), id (none of its 600 values has 30 rows)" in found.verdict
    with pytest.raises(DataError, match="list"):
        sq.slices(table, target="y", prediction="model", columns="list")


def test_small_slices_are_not_judged_but_counted() -> None:
    y, p, _ = noise(500)
    town = np.array([f"t{i}" if i < 60 else "a" if i % 2 else "b" for i in range(500)])
    y[:60] += 50  # hopeless, and hidden in small slices
    found = sq.slices(y, p, columns={"town": town})
    assert {each.labels for each in found if each.columns == ("town",)} == {("'a'",), ("'b'",)}
    (small,) = found.unjudged
    assert (small.count, small.n, small.columns) == (60, 60, ("town",))
    assert small.error_share > 0.99
    assert "60 slices of fewer than 30 rows are not judged." in found.verdict
    lone = sq.slices(y, p, columns={"town": np.where(np.arange(500) < 5, "few", "many")})
    assert "1 slice of fewer than 30 rows is not judged." in lone.verdict


def test_slices_without_a_value_or_error_are_not_judged() -> None:
    y, p, _ = noise(300)
    side = np.where(np.arange(300) < 100, "flat", "steep")
    y[:100] = 1.0
    found = sq.slices(y, p, columns={"side": side}, metric="r2")
    assert any(each.columns == ("side",) and "without a value" in each.reason for each in found.unjudged)
    exact = sq.slices(np.where(side == "flat", p, y), p, columns={"side": side})
    flat = next(each for each in exact if each.labels == ("'flat'",))
    assert (flat.value, flat.shrunken, flat.worse, flat.error_share) == (0.0, 0.0, False, 0.0)
    steep = next(each for each in exact if each.labels == ("'steep'",))
    assert steep.worse
    perfect = sq.slices(p, p, columns={"side": side})
    assert not perfect.proved
    json.dumps(perfect.to_dict(), allow_nan=False)
    assert "-" in str(perfect)
    largest = sq.slices(y, p, columns={"side": side}, metric="max_error")
    assert not len(largest)
    assert "without a standard error" in largest.verdict
    median = sq.slices(y, p, columns={"side": side}, metric="medae")
    assert len(median) == 7
    assert all(math.isnan(each.p_value) and not each.worse for each in median)


def test_missing_predictions_count_as_the_policy_says() -> None:
    y, p, columns = noise(300)
    p[::10] = NAN
    with pytest.raises(DataError, match="missing"):
        sq.slices(y, p, columns=columns)
    found = sq.slices(y, p, columns={"floors": columns["floors"]}, nan_policy="omit")
    for each in found:
        if each.columns == ("floors",):
            inside = columns["floors"] == int(each.labels[0])
            assert (each.n, each.coverage) == ((inside & ~np.isnan(p)).sum(), 1 - np.isnan(p)[inside].mean())


def test_names_from_data_cannot_forge_a_report() -> None:
    y, p, _ = noise(200)
    names = np.where(np.arange(200) % 2, "| <b>x</b> |\n# head\x1b[31m\u202e", "[a](b)`$")
    found = sq.slices(y, p, columns={"co|l\n\x1b": names}, metric="mae")
    page, text = found.to_markdown(), str(found)
    assert "<b>" not in page
    assert "\x1b" not in page + text
    assert "\u202e" not in page + text
    table = page.split("\n\n")[1].splitlines()
    assert {line.replace("\\|", "").count("|") for line in table} == {9}
    assert {each.labels[0] for each in found if each.columns[0] != "y_pred"} == {repr(str(name)) for name in names}
    json.dumps(found.to_dict(), allow_nan=False)


def test_threads_and_parts_leave_no_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    y, p, columns = planted(9000)
    table = pa.table({"y": y, "model": p, **columns})
    found = set()
    for size, threads in itertools.product((700, 9000), ("1", "3")):
        monkeypatch.setenv("SQUARELY_THREADS", threads)
        parquet.write_table(table, tmp_path / "data.parquet", row_group_size=size)
        found.add(json.dumps(sq.slices(tmp_path / "data.parquet", target="y", prediction="model", cross=2).to_dict()))
    found.add(json.dumps(sq.slices(table, target="y", prediction="model", cross=2).to_dict()))
    assert len(found) == 1


@pytest.mark.parametrize("library", ["pyarrow", "pandas", "polars"])
def test_frames_come_back_in_the_library_they_came_in(library: str) -> None:
    y, p, columns = planted(400)
    data: Any = {"y": y, "model": p, "region": columns["region"]}
    data = pa.table(data) if library == "pyarrow" else pytest.importorskip(library).DataFrame(data)
    found = sq.slices(data, target="y", prediction="model", cross=2)
    frame = found.to_frame()
    assert type(frame).__module__.startswith(library)
    assert len(frame) == len(found)
    assert list(frame["label"] if library != "pyarrow" else frame["label"].to_pylist()) == [" and ".join(each.labels) for each in found]


def test_many_values_are_refused_by_name_and_left_out_by_default() -> None:
    y, p, _ = noise(2500)
    table = {"y": y, "model": p, "shop": [f"s{i % 1200}" for i in range(2500)]}
    with pytest.raises(DataError, match="1,200 values of at least 2 rows"):
        sq.slices(table, target="y", prediction="model", columns="shop", least=2)
    assert "1,200 values" in sq.slices(table, target="y", prediction="model", least=2).left_out["shop"]
    table["half"] = [f"h{i % 600}" for i in range(2500)]
    table["third"] = [f"t{i % 7}" for i in range(2500)]
    crossed = sq.slices(table, target="y", prediction="model", columns=["half", "third"], least=2, cross=2)
    assert "4,200 slices" in crossed.left_out["half and third"]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"metric": "bias"}, "both sides"),
        ({"metric": "d2_pinball_score"}, "reads the rows twice"),
        ({"bins": 1}, "bins is 1; expected a whole number of at least 2"),
        ({"least": 0}, "least is 0"),
        ({"cross": 3}, "cross is 3"),
        ({"confidence": 95}, "between 0 and 1"),
        ({"nan_policy": "propagate"}, "nothing to judge"),
        ({"columns": "region"}, "mapping from name to array"),
        ({"columns": {"region": ["a"]}}, "rows"),
        ({"columns": {"y_true": np.ones(50)}}, "y_true"),
        ({"y_pred": {"a": np.ones(50), "b": np.ones(50)}}, "2 are given"),
    ],
)
def test_what_cannot_be_sliced_is_refused(settings: dict[str, Any], words: str) -> None:
    y, p, _ = noise(50)
    with pytest.raises(DataError, match=words):
        sq.slices(y, **{"y_pred": p, **settings})


def test_what_a_table_cannot_be_sliced_by_is_refused() -> None:
    y, p, columns = noise(50)
    table = pa.table({"y": y, "model": p, **columns})
    for columns_given, words in (
        ("y", "the target 'y'"),
        (["region", "region"], "twice"),
        ({"region": columns["region"]}, "takes names"),
        ("regoin", "Did you mean 'region'"),
        ([3], "holds '3'"),
    ):
        with pytest.raises(DataError, match=words):
            sq.slices(table, target="y", prediction="model", columns=columns_given)
    with pytest.raises(DataError, match="read once"):
        sq.slices(pa.RecordBatchReader.from_batches(table.schema, table.to_batches()), target="y", prediction="model")


@pytest.mark.parametrize("form", ["table", "json", "markdown", "csv"])
def test_the_command_says_what_the_function_says(form: str, tmp_path: Path) -> None:
    y, p, columns = planted()
    csv.write_csv(pa.table({"actual": y, "predicted": p, **columns}), tmp_path / "data.csv")
    found = sq.slices(tmp_path / "data.csv", target="actual", prediction="predicted", columns="region", metric="mae", least=50)
    done = called("slices", "data.csv", "--column", "region", "--metric", "mae", "--least", "50", "--format", form, folder=tmp_path)
    assert done.code == 0
    assert "target: 'actual', by its name" in done.err
    if form == "json":
        assert json.loads(done.out) == found.to_dict()
    elif form == "csv":
        rows = done.out.splitlines()
        assert rows[0].split(",") == found.to_frame().column_names
        assert len(rows) == len(found) + 1
    else:
        assert done.out == (found.to_markdown() if form == "markdown" else f"{found}\n")
    wrong = called("slices", "data.csv", "--bins", "1", folder=tmp_path)
    assert (wrong.code, wrong.sentence) == (2, "bins is 1; expected a whole number of at least 2: the bins of a column of numbers.")
