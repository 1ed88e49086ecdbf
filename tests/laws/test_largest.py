"""The rows with the largest errors are those of all rows, in any parts and on any number of threads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

import squarely as sq
from squarely.evaluate.largest import MOST_LARGEST, Large


def expected(y: np.ndarray, p: np.ndarray, w: np.ndarray | None = None) -> list[tuple[int, float]]:
    """Sort all rows by w (p - y)^2, the first of equal ones first; count them from 1."""
    size = (p - y) * (p - y) * (1.0 if w is None else w)
    size = np.where(np.isfinite(y) & np.isfinite(p), size, -1.0)
    order = np.argsort(-size, kind="stable")[:MOST_LARGEST]
    return [(int(at) + 1, float(size[at])) for at in order if size[at] > 0]


def found(rows: tuple[Large, ...]) -> list[tuple[int, float]]:
    return [(row.row, row.size) for row in rows]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind", ["normal", "ties", "missing", "few"])
def test_the_largest_errors_are_those_of_all_rows(kind: str, weighted: bool) -> None:
    rng = np.random.default_rng(5)
    n = 12 if kind == "few" else 150_000
    y = rng.normal(size=n)
    p = np.round(y + rng.normal(size=n)) + y if kind == "ties" else y + rng.standard_t(3, n)
    if kind == "missing":
        y[::7], p[3::11], p[5] = np.nan, np.nan, np.inf
    w = rng.integers(0, 3, n).astype(float) if weighted else None
    evaluation = sq.evaluate(y, p, weight=w, nan_policy="omit")
    assert found(evaluation.largest["y_pred"]) == expected(y, p, w)


@pytest.mark.parametrize("size", [1000, 70_000])
def test_parts_leave_no_trace(size: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(6)
    y = rng.normal(size=200_000)
    p = np.round(y + rng.normal(size=200_000), 1)
    parquet.write_table(pa.table({"y": y, "p": p, "q": p + 1}), tmp_path / "t.parquet", row_group_size=size)
    evaluation = sq.evaluate(tmp_path / "t.parquet", target="y", prediction=["p", "q"])
    assert found(evaluation.largest["p"]) == expected(y, p)
    assert found(evaluation.largest["q"]) == expected(y, p + 1)
    assert {row.where for row in evaluation.largest["p"]} == {str(tmp_path / "t.parquet")}


@pytest.mark.parametrize("kind", [np.float32, np.float16, np.int64, np.uint64, np.int8, bool])
def test_any_type_of_numbers_will_do(kind: type) -> None:
    rng = np.random.default_rng(8)
    y, p = (rng.integers(0, 2 if kind is bool else 100, 5000).astype(kind) for _ in range(2))
    assert found(sq.evaluate(y, p).largest["y_pred"]) == expected(y.astype(float), p.astype(float))


def test_errors_beyond_doubles_do_no_harm() -> None:
    y, p = np.array([1e200, 0.0, 1.0, np.inf]), np.array([-1e200, 0.0, 3.0, 1.0])
    rows = sq.evaluate(y, p, nan_policy="omit").largest["y_pred"]
    assert [row.row for row in rows] == [1, 3]
    assert rows[0].size == np.inf


def test_a_wild_row_that_no_sample_holds_is_told() -> None:
    rng = np.random.default_rng(7)
    p = 20 + 3 * rng.normal(size=100_000)
    y = p + rng.normal(size=100_000)
    drawn = sq.evaluate(y, p).sample
    assert drawn is not None
    wild = int(np.setdiff1d(np.arange(100_000), drawn.ordinals)[30_000])  # which rows are drawn does not depend on what they hold
    y[wild] = 5000.0
    evaluation = sq.evaluate(y, p)
    finding = sq.diagnose(evaluation)["SQ021"]
    assert finding.severity == "serious"
    assert f"row {wild + 1:,}: 5000 predicted as" in finding.evidence
    assert f"row {wild + 1:,}: 5000 predicted as" in evaluation.to_markdown()


@pytest.mark.parametrize("ci", [None, "none"])
def test_the_share_of_the_largest_rows_is_exact_where_all_are_at_hand(ci: str | None) -> None:
    rng = np.random.default_rng(9)
    p = rng.normal(size=6000)
    y = p + rng.standard_t(3, 6000)
    y[41] = 300.0
    squares = np.sort((p - y) ** 2)[::-1]
    evaluation = sq.evaluate(y, p, ci=ci)
    told = sq.diagnose(evaluation).statistics["y_pred"]
    assert told["SQ020"]["top_percent"] == pytest.approx(squares[:60].sum() / squares.sum(), rel=1e-12)
    assert told["SQ020"]["top_1"] == pytest.approx(squares[0] / squares.sum(), rel=1e-12)
    assert told["SQ021"] == pytest.approx(sq.diagnose(y, p).statistics["y_pred"]["SQ021"], rel=1e-9)
    assert "row 42: 300 predicted as" in str(sq.diagnose(evaluation).to_dict())
