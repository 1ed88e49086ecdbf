"""Every metric answers the numbers of golden.toml: hand arithmetic, the documentation of other libraries, and mpmath."""

from __future__ import annotations

import math
import tomllib
from pathlib import Path
from typing import Any

import pytest

import squarely

ROWS: list[dict[str, Any]] = tomllib.loads(Path(__file__).with_name("golden.toml").read_text(encoding="utf-8"))["row"]


def label(row: dict[str, Any]) -> str:
    """A name for the test report."""
    return "-".join([row["metric"], *map(str, row.get("parameters", {}).values())])


@pytest.mark.parametrize("row", ROWS, ids=label)
def test_golden_numbers(row: dict[str, Any]) -> None:
    function, columns = getattr(squarely, row["metric"]), dict(row.get("columns", {}))
    inputs = [columns.pop(name) for name in squarely.METRICS[row["metric"]].inputs] or [row["p"]]
    got = function(row["y"], *inputs, sample_weight=row.get("w"), **columns, **row.get("parameters", {}))
    expected = row["expected"]
    # hand arithmetic takes 0.9 for nine tenths; the float is 2e-17 off: one unit in the last place covers it
    assert got == expected or abs(got - expected) <= row.get("ulps", 1) * math.ulp(expected), row["source"]


def test_every_metric_has_a_golden_row() -> None:
    assert set(squarely.METRICS) <= {row["metric"] for row in ROWS}


def test_every_choice_of_words_has_a_golden_row() -> None:
    asked = {
        (row["metric"], name, value)
        for row in ROWS
        for name, value in ({**squarely.METRICS[row["metric"]].parameters, **row.get("parameters", {})}).items()
        if isinstance(value, str)
    }
    words = {
        (each.name, name, word)
        for each in squarely.METRICS.values()
        for name, setting in each.settings.items()
        if isinstance(setting.default, str)
        for word in setting.allowed
    }
    assert words <= asked


def test_every_row_says_where_its_number_came_from() -> None:
    assert [row["metric"] for row in ROWS if len(row["source"]) < 10] == []


def test_the_houses() -> None:
    y, p = [250, 300, 180, 420, 350], [240, 310, 200, 400, 360]
    assert squarely.mse(y, p) == 220
    assert squarely.rmse(y, p) == 14.832396974191326
    assert squarely.mae(y, p) == 14
    assert squarely.r2(y, p) == pytest.approx(0.967456, abs=5e-7)  # the worked example prints six digits
