"""A diagnosis has the same numbers whatever parts, files and threads its rows come in, and neighbours are found across every seam."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet as pq
from scipy import stats

import squarely as sq
from squarely.diagnose.watch import Watcher, watcher_for
from squarely.sources import Batch, Column, Wanted

Array = Any
FEW = 1501  # all of them are at hand
MANY = 20_011  # more than a sample holds


def rows(n: int, missing: float = 0.0) -> dict[str, Array]:
    rng = np.random.default_rng(n)
    p = rng.gamma(3.0, 20.0, n)
    e = rng.standard_t(4, n) * (1 + p / 40)
    for t in range(1, n):
        e[t] += 0.3 * e[t - 1]
    y = p - e
    if missing:
        y[rng.random(n) < missing] = np.nan
        p[rng.random(n) < missing] = np.nan
    return {
        "y": y,
        "p": p,
        "w": rng.integers(1, 5, n) / 4,
        "s": rng.uniform(1, 5, n) * (1 + np.nan_to_num(p) / 40),
        "town": np.array(["north", "south", "east"])[rng.integers(0, 3, n)],
        "who": rng.integers(0, 200, n),
        "time": np.arange(n),
    }


WAYS: dict[str, dict[str, str]] = {
    "plain": {"sigma": "s"},
    "groups": {"by": "town"},
    "clusters": {"cluster": "who", "by": "town"},
    "weights": {"weight": "w", "cluster": "who", "sigma": "s"},
    "order": {"order": "time", "by": "town"},
    "series": {"order": "time"},
}


def measured(data: Any, way: str) -> dict[str, dict[str, float]]:
    return dict(sq.diagnose(data, target="y", prediction="p", **WAYS[way]).statistics["p"])  # type: ignore[arg-type]


def forms(table: pa.Table, way: str, folder: Path) -> dict[str, Any]:
    n = len(table)
    pq.write_table(table, folder / "whole.parquet")
    pq.write_table(table, folder / "groups.parquet", row_group_size=math.ceil(n / 100))
    pq.write_table(table, folder / "short.parquet", row_group_size=7 if n <= FEW else 700)
    names = ["whole", "groups", "short"]
    found: dict[str, Any] = {"table": table, "arrays": {name: table[name].to_numpy() for name in table.column_names}}
    if "order" not in WAYS[way]:  # which file comes first is not known
        size = math.ceil(n / 100)
        (folder / "parts").mkdir()
        for at in range(100):
            pq.write_table(table.slice(at * size, size), folder / "parts" / f"part{at:03}.parquet")
        found["folder"] = folder / "parts"
    return found | {name: folder / f"{name}.parquet" for name in names}


@pytest.mark.parametrize(("way", "missing"), [("plain", 0.0), *((way, 0.05) for way in WAYS)])
def test_parts_leave_no_trace_where_all_rows_are_at_hand(way: str, missing: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = pa.table(rows(FEW, missing))
    whole = measured(table, way)
    assert {"SQ001", "SQ002", "SQ004", "SQ007", "SQ017", "SQ018", "SQ019", "SQ020", "SQ021"} <= whole.keys()
    for name, data in forms(table, way, tmp_path).items():
        for threads in ("1", "2"):
            monkeypatch.setenv("SQUARELY_THREADS", threads)
            assert repr(measured(data, way)) == repr(whole), (name, threads)


SAMPLED = {"SQ019", "SQ032", "SQ040", "SQ041"}
OF_SAMPLE = {"tenths_ratio", "log_skewness"}  # numbers that are told of rows that are drawn, beside those of all rows


@pytest.mark.parametrize("way", ["plain", "clusters", "order", "weights"])
def test_parts_leave_no_trace_in_many_rows(way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rows that are drawn depend on the name of the file and on their place in it: what is seen of all rows does not."""
    table = pa.table(rows(MANY, 0.01))
    diagnosis = sq.diagnose(table, target="y", prediction="p", **WAYS[way])  # type: ignore[arg-type]
    assert {finding.id for finding in diagnosis if not finding.source.startswith("all rows")} <= SAMPLED
    whole = {identity: numbers for identity, numbers in diagnosis.statistics["p"].items() if identity not in SAMPLED}
    drawn = []
    assert {"SQ004", "SQ009", "SQ025"} <= whole.keys()
    for size, threads in ((MANY, "1"), (201, "1"), (201, "2")):
        monkeypatch.setenv("SQUARELY_THREADS", threads)
        pq.write_table(table, tmp_path / "data.parquet", row_group_size=size)
        found = measured(tmp_path / "data.parquet", way)
        drawn.append(repr(found))
        for identity, numbers in whole.items():
            told = {name: value for name, value in found[identity].items() if name not in OF_SAMPLE}
            assert repr(told) == repr({name: value for name, value in numbers.items() if name not in OF_SAMPLE}), (identity, size, threads)
    assert len(set(drawn)) == 1


def pairs(values: Array, group: Array, lag: int) -> tuple[Array, Array]:
    """Return later and earlier values of the rows that are so many rows of their group apart."""
    series = [values[group == each] for each in np.unique(group)]
    return np.concatenate([each[lag:] for each in series]), np.concatenate([each[:-lag] for each in series])


@pytest.mark.parametrize("way", ["order", "series"])
@pytest.mark.parametrize("missing", [0.0, 0.3])
@pytest.mark.parametrize("size", [1, 3, 7, 10, 11, 64, 500])
def test_neighbours_are_found_across_seams(size: int, missing: float, way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows that are missing are left out, and the rows on both sides of them become neighbours; each group is a series of its own."""
    data = rows(311, missing)
    pq.write_table(pa.table(data), tmp_path / "data.parquet", row_group_size=size)
    kept = np.isfinite(data["y"]) & np.isfinite(data["p"])
    y, e = data["y"][kept], (data["p"] - data["y"])[kept]
    town = data["town"][kept] if way == "order" else np.zeros(len(e))
    n = len(e)
    for threads in ("1", "2"):
        monkeypatch.setenv("SQUARELY_THREADS", threads)
        found, q = measured(tmp_path / "data.parquet", way), 0.0
        for lag in range(1, 11):
            later, before = pairs(e - e.mean(), town, lag)
            r = float(np.mean(later * before) / e.var()) * (n - lag) / n  # of one series: sum over sum, as in any textbook
            assert found["SQ012"][f"r{lag}"] == pytest.approx(r, rel=1e-10, abs=1e-13)
            q += (n + 2) * n / (n - lag) ** 2 * len(later) * r * r
        assert found["SQ012"]["q"] == pytest.approx(q, rel=1e-10)
        assert found["SQ012"]["p_value"] == pytest.approx(stats.chi2.sf(q, 10), rel=1e-9)
        later, before = pairs(e, town, 1)
        weight = n / (n - 1) * len(later)
        assert found["SQ011"]["p_value"] == pytest.approx(2 * stats.norm.sf(abs(found["SQ012"]["r1"]) * weight**0.5), rel=1e-9)
        assert found["SQ011"]["durbin_watson"] == pytest.approx(float(((later - before) ** 2).mean() / (e @ e) * (n - 1)), rel=1e-12)
        later, before = pairs(y, town, 1)
        rule = min(float(((later - before) ** 2).mean()), float(y.var()))
        assert found["SQ038"]["ratio"] == pytest.approx(float((e @ e) / len(e) / rule), rel=1e-12)


@pytest.mark.parametrize("cuts", [(0, 1, 2, 3), (0, 4, 9, 40), (0, 30, 33, 60), (0, 12, 12, 40), (0, 0, 5, 13)])
def test_what_follows_may_be_added_first(cuts: tuple[int, ...]) -> None:
    data, wanted = rows(cuts[-1]), Wanted("y", ("p",), way="order")

    def watcher(first: int, last: int) -> Watcher:
        found = watcher_for(wanted)
        if last > first:
            p = Column(data["p"][first:last])
            found.see(Batch(Column(data["y"][first:last]), (p,), None, (), first, "the rows"), p, wanted)
        return found

    whole, left, right = watcher(0, cuts[-1]), watcher(0, cuts[1]), watcher(cuts[1], cuts[2])
    left.follow(watcher(cuts[1], cuts[2]))
    left.follow(watcher(cuts[2], cuts[3]))
    right.follow(watcher(cuts[2], cuts[3]))
    first = watcher(0, cuts[1])
    first.follow(right)
    for found in (left, first):
        assert _bytes(found) == _bytes(whole)
        mine, theirs = found.neighbours, whole.neighbours
        assert (mine.head.tolist(), mine.tail.tolist()) == (theirs.head.tolist(), theirs.tail.tolist())


def _bytes(watcher: Watcher) -> list[bytes]:
    """The states of the errors and of neighbours."""
    return [state.to_bytes() for state in (*watcher.neighbours.lags, watcher.neighbours.last, watcher.shape)]


@pytest.mark.parametrize("stacked", [False, True])
def test_series_that_share_a_table_are_not_one_series(stacked: bool) -> None:
    """Errors of shops that all follow those of the day before, and shops whose levels differ in nothing but targets."""
    rng = np.random.default_rng(9)
    days, shops = 60, 40
    e = np.zeros((days, shops))
    for day in range(1, days):
        e[day] = 0.6 * e[day - 1] + rng.normal(size=shops)
    y = 100.0 * np.arange(shops) + np.cumsum(rng.normal(size=(days, shops)), axis=0)  # of one shop the last value is a good rule
    shop = np.broadcast_to(np.arange(shops), (days, shops))
    y, e, shop = (each.T.ravel() if stacked else each.ravel() for each in (y, e, shop))
    alone = sq.diagnose(y, y + e, order=True)
    together = sq.diagnose(y, y + e, order=True, by={"shop": shop})
    assert together.statistics["y_pred"]["SQ012"]["r1"] == pytest.approx(0.6, abs=0.06)
    assert together["SQ038"].measure == "MSE over that of the best simple rule"
    if not stacked:
        assert abs(alone.statistics["y_pred"]["SQ012"]["r1"]) < 0.06, "the row before is that of another shop"
        assert "SQ038" not in alone
    assert together.statistics["y_pred"]["SQ038"]["ratio"] == pytest.approx(e.var() / 1.0, rel=0.1)


def test_series_of_few_rows_say_nothing() -> None:
    rng = np.random.default_rng(9)
    y = rng.normal(size=400)
    p = y + rng.normal(size=400)
    found = sq.diagnose(y, p, order=True, by={"shop": np.arange(400) // 2})
    assert "SQ012" in found.not_testable, "no row is two rows of its shop away from another"
    assert "SQ011" not in found.not_testable
    found = sq.diagnose(y, p, order=True, by={"shop": np.arange(400)})
    assert found.not_testable["SQ011"] == "the groups have too few rows that follow each other"


def test_an_evaluation_does_not_know_whom_its_rows_follow() -> None:
    rng = np.random.default_rng(9)
    y = rng.normal(size=400)
    shop = np.arange(400) % 4
    found = sq.diagnose(sq.evaluate(y, y + rng.normal(size=400), order=True, by={"shop": shop}))
    assert "ask diagnose() with the data" in found.not_testable["SQ011"]
    assert "the last value" not in found.passed["y_pred"]["SQ038"]


@pytest.mark.parametrize("n", [20, 21, 29])
def test_a_series_little_longer_than_its_lags(n: int, tmp_path: Path) -> None:
    data = rows(n)
    e = data["p"] - data["y"]
    off = e - e.mean()
    for size in (1, 2, 9, n):
        pq.write_table(pa.table(data), tmp_path / "data.parquet", row_group_size=size)
        found = measured(tmp_path / "data.parquet", "series")["SQ012"]
        assert [found[f"r{lag}"] for lag in range(1, 11)] == pytest.approx(
            [float(off[lag:] @ off[:-lag] / (off @ off)) for lag in range(1, 11)], rel=1e-10
        )


def test_equal_rows_are_told_by_their_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    n = 6000  # of which all are equally far off, and 1,000 are kept
    table = pa.table({"y": np.zeros(n), "p": np.where(np.arange(n) % 2, 1.0, -1.0) * np.where(np.arange(n) % 500 == 499, 30.0, 1.0)})
    told = set()
    for size, threads in ((n, "1"), (61, "2"), (7, "1"), (7, "2")):
        monkeypatch.setenv("SQUARELY_THREADS", threads)
        pq.write_table(table, tmp_path / "data.parquet", row_group_size=size)
        told.add(str(sq.diagnose(tmp_path / "data.parquet", target="y", prediction="p")))
    assert len(told) == 1
    assert "row 500: " in told.pop()
