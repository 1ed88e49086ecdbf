"""Groups in the tens of thousands have intervals: those of their rows where these are few, and of their buckets where they are not."""

from __future__ import annotations

import math
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray
from pyarrow import parquet

import squarely as sq
from squarely.evaluate import Uncertainty, few, source_of
from squarely.evaluate.accumulate import _merged
from squarely.evaluate.accumulator import Accumulator
from squarely.evaluate.layout import hashes_of, layout_of
from squarely.metric import find

Array = NDArray[Any]
METRICS = ["mse", "rmse", "mae", "r2", "bias", "mape", "medae"]


def rows(n: int, seed: int = 0) -> tuple[Array, Array]:
    rng = np.random.default_rng([seed, 7])
    y = rng.gamma(3, 2, n) + 1
    return y, y + rng.standard_normal(n)


def interval(answer: Any) -> tuple[float, ...]:
    return (answer.se, *answer.ci)


@pytest.mark.parametrize("groups", [1, 40, 1024, 1025, 1500])
def test_a_group_of_few_rows_has_the_interval_of_its_rows_alone(groups: int) -> None:
    count = 28 * groups
    y, p = rows(count)
    w = np.random.default_rng(3).integers(0, 4, count).astype(float)
    series = np.random.default_rng(4).permutation(np.repeat(np.arange(groups), 28))
    for weight in (None, w):
        found = sq.evaluate(y, p, by=series, weight=weight, metrics=METRICS)
        for group in {0, groups // 2, groups - 1}:
            mine = series == group
            alone = sq.evaluate(y[mine], p[mine], weight=None if weight is None else weight[mine], metrics=METRICS)
            for metric in METRICS:
                answer = found[metric].by[group]
                assert interval(answer) == pytest.approx(interval(alone[metric]), rel=1e-9), metric
                assert answer.doubt == alone[metric].doubt
                assert answer.ci[0] <= answer.value <= answer.ci[1]


def test_the_mean_of_a_group_has_the_interval_of_students_t() -> None:
    """The bias of rows that count alike is a mean: its jackknife is the standard error of a mean, known since 1908."""
    y, p = rows(30 * 2000)
    found = sq.evaluate(y, p, by=np.arange(60_000) % 2000, metrics=["bias"])["bias"].by[5]
    errors = (p - y)[5::2000]
    assert found.se == pytest.approx(errors.std(ddof=1) / math.sqrt(30), rel=1e-12)


def mixed() -> tuple[Array, Array, Array]:
    """1,400 groups: of 128 rows and fewer, of 129, and one of many."""
    sizes = np.concatenate([[128, 129, 40_000], np.arange(1397) % 50 + 5])
    series = np.random.default_rng(8).permutation(np.repeat(np.arange(1400), sizes))
    return *rows(len(series)), series


def test_large_groups_among_many_have_buckets() -> None:
    y, p, series = mixed()
    found = sq.evaluate(y, p, by=series, metrics=["mse", "r2"])
    bucket = layout_of("rows", len(y) - 1, 1, fewest=True).of_rows(0, len(y))
    for group in (1, 2):
        mine = series == group
        clusters = sq.evaluate(y[mine], p[mine], cluster=bucket[mine].astype(int), metrics=["mse", "r2"])  # leaves out the same rows
        assert len(np.unique(bucket[mine])) == 16
        for metric in ("mse", "r2"):
            assert interval(found[metric].by[group]) == pytest.approx(interval(clusters[metric]), rel=1e-9)
    mine = series == 0
    assert interval(found["mse"].by[0]) == pytest.approx(interval(sq.evaluate(y[mine], p[mine], metrics="mse")["mse"]), rel=1e-9)


@pytest.mark.parametrize("weighted", [False, True])
def test_parts_and_threads_leave_no_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, weighted: bool) -> None:
    monkeypatch.setattr(few, "_SOME", 1000)  # so that groups are found large while rows are read, and while groups are few
    y, p, series = mixed()
    q = np.where(np.arange(len(y)) % 97 == 0, np.nan, p + 1)
    columns = {"y": y, "p": p, "q": q, "w": np.arange(len(y)) % 5 / 2, "series": series}
    told: set[tuple[Any, ...]] = set()
    for threads, group_rows in ((1, len(y)), (1, 700), (3, 5000), (3, 300)):
        monkeypatch.setenv("SQUARELY_THREADS", str(threads))
        path = tmp_path / f"{threads}-{group_rows}.parquet"
        parquet.write_table(pa.table(columns), path, row_group_size=group_rows)
        found = sq.evaluate(
            path, target="y", prediction=["p", "q"], by="series", weight="w" if weighted else None, metrics=["mse", "r2", "medae"], nan_policy="omit"
        )
        told.add(tuple(interval(found[metric, model].by[group]) for metric in found for model in "pq" for group in (0, 1, 2, 20, 700, 1399)))
    assert len(told) == 1
    assert all(math.isfinite(end) for of_answer in told.pop() for end in of_answer)


@pytest.mark.parametrize("sorted_by_group", [False, True])
def test_groups_that_come_late_find_the_buckets_of_the_first(monkeypatch: pytest.MonkeyPatch, sorted_by_group: bool) -> None:
    """A stream of batches: up to 1,024 groups have buckets of their own in the cells, and then no more."""
    monkeypatch.setattr(few, "_SOME", 1000)
    y, p, series = mixed()
    order = np.argsort(series, kind="stable") if sorted_by_group else np.arange(len(y))
    table = pa.table({"y": y[order], "p": p[order], "series": series[order]})
    with monkeypatch.context() as patch:
        patch.setattr(few, "_SOME", 1 << 20)  # all is found at the end
        whole = sq.evaluate(table, target="y", prediction="p", by="series", metrics=["mse"])["mse"]
    reader = pa.RecordBatchReader.from_batches(table.schema, table.to_batches(max_chunksize=1000))
    stream = sq.evaluate(reader, target="y", prediction="p", by="series", metrics=["mse"])["mse"]
    for group in (0, 1, 2, 20, 1399):
        assert interval(stream.by[group]) == interval(whole.by[group])
        assert math.isfinite(stream.by[group].se)


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_threads_that_meet_few_groups_each_are_as_one_that_meets_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, threads: int) -> None:
    monkeypatch.setattr(few, "_SOME", 1000)
    y, p, series = mixed()
    order = np.argsort(series, kind="stable")
    path = tmp_path / "sorted.parquet"
    parquet.write_table(pa.table({"y": y[order], "p": p[order], "series": series[order]}), path, row_group_size=4000)
    source, wanted = source_of(path, None, "y", "p", "series", None)
    wanted = replace(wanted, way="rows")
    accumulators = [Accumulator(wanted) for _ in range(threads)]
    for number, read in enumerate(source.parts(wanted)):
        for batch in read():
            accumulators[number % threads].see(number, batch)
    done = _merged(accumulators, wanted, "raise")
    assert done.buckets is not None
    known = Uncertainty(done.buckets, done.table, 0.95)
    whole = sq.evaluate(path, target="y", prediction="p", by="series", metrics=["mse"])["mse"]
    for group in (0, 1, 2, 20, 1399):
        found = known.of(find("mse"), 0, (group,), whole.by[group].value)
        assert math.isfinite(found.se)
        assert (found.se, found.low, found.high) == interval(whole.by[group])


@pytest.mark.parametrize("way", ["rows", "cluster", "order"])
def test_ten_thousand_large_groups_have_intervals(way: str) -> None:
    y, p = rows(10_000 * 130)
    series = np.arange(len(y)) % 10_000
    shop = np.arange(len(y)) // 10_000 % 13
    told = {"rows": {}, "cluster": {"cluster": shop}, "order": {"order": True}}[way]
    answers = sq.evaluate(y, p, by=series, metrics=["bias"], **told)["bias"].by
    assert all(math.isfinite(answer.se) for answer in answers.values())
    errors = (p - y)[series == 77]
    bucket = {
        "rows": layout_of("rows", len(y) - 1, 1, fewest=True).of_rows(0, len(y))[series == 77],
        "cluster": hashes_of(tuple(shop[series == 77].tolist())) & 15,
        "order": layout_of("order", len(y) - 1, 1, fewest=True).of_rows(0, len(y))[series == 77],
    }[way]
    means = np.array([errors[bucket != each].mean() for each in np.unique(bucket)])
    count = len(means)
    assert answers[77].se == pytest.approx(math.sqrt((count - 1) / count * ((means - means.mean()) ** 2).sum()), rel=1e-9)


@pytest.mark.parametrize("way", ["rows", "cluster", "order"])
def test_it_does_not_matter_whether_rows_are_kept_or_buckets(monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    """The rows of a group are kept until they take more memory than the states of its buckets: that number changes no interval."""
    y, p, series = mixed()
    told = {"rows": {}, "cluster": {"cluster": np.arange(len(y)) // 50}, "order": {"order": True}}[way]
    found = []
    for most in (128, 512, 1 << 20):
        monkeypatch.setattr(few, "MOST_KEPT", most)
        monkeypatch.setattr(few, "_SOME", 1000)
        answers = sq.evaluate(y, p, by=series, metrics=["mse", "r2"], **told)
        found.append([interval(answers[metric].by[group]) for metric in answers for group in (0, 1, 2, 20, 1399)])
    assert found[0] == found[1] == found[2]
    assert all(math.isfinite(end) for of_answer in found[0] for end in of_answer)


def test_rows_that_one_thread_keeps_join_the_buckets_that_another_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One thread meets a group with many rows, the other the rest of it; no group becomes large as they are merged."""
    monkeypatch.setattr(few, "_SOME", 1000)
    series = np.concatenate([np.zeros(700, int), np.arange(2000), np.zeros(30, int)])
    y, p = rows(len(series))
    path = tmp_path / "two.parquet"
    parquet.write_table(pa.table({"y": y, "p": p, "series": series}), path, row_group_size=2700)
    source, wanted = source_of(path, None, "y", "p", "series", None)
    wanted = replace(wanted, way="rows")
    accumulators = [Accumulator(wanted) for _ in range(2)]
    for number, read in enumerate(source.parts(wanted)):
        for batch in read():
            accumulators[number].see(number, batch)
    done = _merged(accumulators, wanted, "raise")
    assert done.buckets is not None
    assert done.buckets.large is not None
    rows_of = sum(state.n for state in done.buckets.large.states(0, done.buckets.large.groups[(0,)]))
    assert rows_of == 731


def test_clusters_and_blocks_of_time_in_many_groups() -> None:
    y, p = rows(60_000)
    town, shop = np.arange(60_000) % 1200, np.arange(60_000) // 1200 % 10
    found = sq.evaluate(y, p, by=town, cluster=shop, metrics=["mse"])["mse"]
    alone = sq.evaluate(y[town == 7], p[town == 7], cluster=shop[town == 7], metrics=["mse"])["mse"]
    assert interval(found.by[7]) == pytest.approx(interval(alone), rel=1e-9)
    assert found.by[7].doubt == alone.doubt == "there are 10 clusters: with fewer than 20 an interval is rough"
    rows_of_towns = sq.evaluate(y, p, by=town, cluster=shop).uncertainty
    assert rows_of_towns is not None
    assert rows_of_towns._buckets.alone[0].buckets(3).count == 10  # not more than there are clusters of a town
    in_time = sq.evaluate(y, p, by=town, order=True, metrics=["mse"])["mse"]
    block = layout_of("order", 59_999, 1, fewest=True).of_rows(0, 60_000)
    alone = sq.evaluate(y[town == 7], p[town == 7], cluster=block[town == 7].astype(int), metrics=["mse"])["mse"]
    assert interval(in_time.by[7]) == pytest.approx(interval(alone), rel=1e-9)


def test_trimmed_means_and_a_frame_and_a_pickle() -> None:
    y, p, series = mixed()
    metrics = ["mse", "trimmed_mse(trim=0.1)"]
    found = sq.evaluate(y, p, by=series, metrics=metrics)
    again = pickle.loads(pickle.dumps(found))
    mine = series == 0
    alone = sq.evaluate(y[mine], p[mine], metrics=metrics)
    for metric in metrics:
        for group in (0, 1, 2, 1399):
            assert interval(again[metric].by[group]) == interval(found[metric].by[group])
        assert interval(found[metric].by[0]) == pytest.approx(interval(alone[metric]), rel=1e-9)
    small = sq.evaluate(y, p, by=series, metrics=["mse"]).to_frame().to_pydict()
    assert len(small["se"]) == 1400
    assert all(map(math.isfinite, small["se"]))
