"""How intervals are made: what is tied together by algebra has tied intervals, and blocks of time are long enough, whoever reads them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import squarely as sq
from squarely.evaluate.layout import layout_of


def pairs(rows: int, seed: int = 0) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    rng = np.random.default_rng(seed)
    y = 2 * rng.gamma(3, size=rows)
    return y, y + 0.7 * rng.standard_t(5, rows)


def autoregressive(rows: int, memory: float) -> NDArray[np.float64]:
    errors = np.random.default_rng(5).standard_normal(rows)
    for row in range(1, rows):
        errors[row] += memory * errors[row - 1]
    return errors


@pytest.mark.parametrize("keywords", [{}, {"order": True}, {"cluster": np.arange(3000) % 61}])
def test_an_error_over_a_spread_has_the_interval_of_its_score(keywords: dict[str, Any]) -> None:
    evaluation = sq.evaluate(*pairs(3000), metrics=["r2", "nmse", "nrmse"], exact=False, **keywords)
    low, high = evaluation["r2"].ci
    assert evaluation["nmse"].ci == pytest.approx((1 - high, 1 - low), rel=1e-9)
    assert evaluation["nrmse"].ci == pytest.approx((math.sqrt(1 - high), math.sqrt(1 - low)), rel=1e-9)


def test_a_root_has_the_root_of_the_interval() -> None:
    evaluation = sq.evaluate(*pairs(3000), metrics=["mse", "rmse"])
    assert evaluation["rmse"].ci == pytest.approx(tuple(math.sqrt(end) for end in evaluation["mse"].ci), rel=1e-9)


@pytest.mark.parametrize("unit", [2.0**-400, 2.0**300])
def test_units_leave_no_trace(unit: float) -> None:
    y, p = pairs(500)
    plain, scaled = (sq.evaluate(each * y, each * p, metrics=["bias", "mae", "rmse", "r2"]) for each in (1.0, unit))
    for metric, degree in (("bias", 1), ("mae", 1), ("rmse", 1), ("r2", 0)):
        assert scaled[metric].ci == pytest.approx([unit**degree * end for end in plain[metric].ci], rel=1e-12, abs=0)
        assert scaled[metric].se == pytest.approx(unit**degree * plain[metric].se, rel=1e-12, abs=0)


def test_where_one_row_decides_the_spread_is_hardly_known() -> None:
    """Of 100 rows one is off: the kurtosis is near 98, so t has 4 degrees of freedom and not 99."""
    y = np.zeros(100)
    errors = np.where(np.arange(100) == 50, 1000.0, np.arange(100) % 5 - 2.0)
    answer = sq.evaluate(y, errors, metrics=["bias"])["bias"]
    assert answer.se == pytest.approx(errors.std(ddof=1) / 10)
    low, high = answer.ci
    assert (high - low) / 2 == pytest.approx(2.776445 * answer.se, rel=1e-6)  # the t of 95 % with 4 degrees, from tables
    assert (low + high) / 2 == pytest.approx(errors.mean())


@pytest.mark.parametrize("rows", [1, 20, 100, 1_000, 2_000, 5_000, 100_000, 10**9])
def test_blocks_are_about_as_many_as_they_are_long(rows: int) -> None:
    layout = layout_of("order", rows - 1, 1)
    blocks = (rows - 1 >> layout.shift) + 1
    assert blocks <= layout.count <= 64
    assert blocks >= min(rows, 9)
    if rows >= 512:
        assert blocks >= min(math.sqrt(rows) / 2, 33)
        assert blocks <= 2 * math.sqrt(rows)


def test_blocks_do_not_depend_on_when_they_were_folded() -> None:
    rng = np.random.default_rng(3)
    for _ in range(200):
        ends = np.sort(rng.integers(0, 1 << rng.integers(1, 20), 5))
        groups = np.sort(rng.integers(1, 1025, 5))
        layouts = [layout_of("order", int(end), int(count)) for end, count in zip(ends, groups, strict=True)]
        for at, layout in enumerate(layouts):
            rows = ends[at] + 1
            blocks = layout.of_rows(max(0, int(rows) - 3000), int(rows))
            for later in layouts[at + 1 :]:
                assert np.array_equal(layout.folded(later)[blocks], later.of_rows(max(0, int(rows) - 3000), int(rows)))


def test_threads_leave_no_trace_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    y, p = pairs(300_000)
    found = []
    for threads in ("1", "3"):
        monkeypatch.setenv("SQUARELY_THREADS", threads)
        evaluation = sq.evaluate(y, p, metrics=["mse", "mae"], order=True)
        found.append([evaluation[metric].ci for metric in evaluation])
    assert found[0] == found[1]


def test_blocks_that_go_together_raise_a_doubt() -> None:
    y = np.zeros(2_000)
    for memory, doubtful in ((0.0, False), (0.5, False), (0.998, True)):
        evaluation = sq.evaluate(y, autoregressive(2_000, memory), metrics=["bias", "medae"], order=True, exact=False)
        assert ("still go together" in (evaluation["bias"].doubt or "")) == doubtful
    assert "still go together" not in (sq.evaluate(y, autoregressive(2_000, 0.998), metrics=["bias"])["bias"].doubt or "")
