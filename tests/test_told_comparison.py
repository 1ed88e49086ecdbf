"""A comparison is told the same in the terminal, Markdown, JSON and HTML, and by the command line."""

from __future__ import annotations

import csv
import io
import json
import re
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest
from rich.console import Console

import squarely as sq
from commanding import called
from squarely.errors import DataError
from squarely.plain import rounded
from squarely.report import comparison as told


def two(**settings: Any) -> sq.Comparison:
    rng = np.random.default_rng(0)
    y = rng.normal(size=300)
    return sq.compare(y, {"new": y + rng.normal(size=300), "old": y + 1.4 * rng.normal(size=300)}, **settings)


def terminal(comparison: sq.Comparison, width: int, piped: bool = False) -> str:
    out = io.StringIO()
    told.as_text(comparison, Console(file=out, width=width, force_terminal=not piped, color_system=None, legacy_windows=False, highlight=False))
    return out.getvalue()


def test_every_renderer_tells_the_numbers() -> None:
    comparison = two(metric="rmse", baseline="mean")
    for pair in comparison:
        width = pair.ci[1] - pair.ci[0]
        ranked = pair if comparison.ranking.index(pair.a) < comparison.ranking.index(pair.b) else pair.turned
        ends = " to ".join(rounded(end, width) for end in ranked.ci)
        for written in (terminal(comparison, 200), comparison.to_markdown(), unescape(comparison.to_html()).replace("\N{MINUS SIGN}", "-")):
            assert re.search(rf"(?<![\d.-]){re.escape(rounded(ranked.difference, width / 10))}(?![\d.])", written)
            assert ends in written
    for written in (terminal(comparison, 10_000), terminal(comparison, 80, piped=True), told.as_markdown(comparison), told.as_html(comparison)):
        assert comparison.verdict.split(" (")[0] in written
    assert json.loads(told.as_json(comparison)) == comparison.to_dict()


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_a_terminal_keeps_to_its_width(width: int) -> None:
    lines = terminal(two(baseline=["mean", "median"]), width).splitlines()
    assert max(map(len, lines)) <= width
    assert any("new - old" in line for line in lines)


def test_of_many_models_the_pairs_with_the_best_are_told() -> None:
    rng = np.random.default_rng(1)
    y = rng.normal(size=100)
    comparison = sq.compare(y, {f"m{i}": y + (1 + i / 10) * rng.normal(size=100) for i in range(12)})
    written = told.as_markdown(comparison)
    assert written.count(f"| {comparison.ranking[0]} - ") == 11
    assert "Of 66 pairs" in written
    assert len(json.loads(told.as_json(comparison))["pairs"]) == 66


def test_names_from_data_are_only_names() -> None:
    y = np.arange(50.0)
    bad = "<script>alert(1)</script>|`*x*`\x1b[31m\n"
    comparison = sq.compare(y, {bad: y + 1 + np.sin(y), "good": y + np.cos(y) / 2})
    page = told.as_html(comparison)
    assert "<script" not in page
    assert re.search(r"<h1>[^<]*&lt;script&gt;", page)
    assert "<script" not in told.as_markdown(comparison)
    assert all(line.count(" | ") in (0, 2, 5) for line in told.as_markdown(comparison).splitlines())
    assert "\x1b" not in terminal(comparison, 200, piped=True)


def test_the_page_is_the_same_for_the_same_comparison() -> None:
    assert told.as_html(two()) == told.as_html(two())
    assert "<svg" in told.as_html(two())


def test_a_comparison_writes_itself_down(tmp_path: Path) -> None:
    comparison = two(metric="rmse", baseline="mean")
    assert comparison.to_markdown() == told.as_markdown(comparison)
    page = comparison.to_html(tmp_path / "page.html")
    assert page == told.as_html(comparison) == (tmp_path / "page.html").read_text(encoding="utf-8")
    assert comparison.to_html() == page
    shown = comparison._repr_html_()
    assert shown.startswith('<iframe srcdoc="&lt;!doctype html&gt;')
    assert 'title="comparison of models"' in shown
    with pytest.raises(DataError, match="this is a folder"):
        comparison.to_html(tmp_path)


@pytest.mark.parametrize("library", ["pyarrow", "pandas", "polars"])
def test_a_frame_has_a_row_for_each_pair_and_comes_back_in_its_library(library: str) -> None:
    module = pytest.importorskip(library)
    rng = np.random.default_rng(3)
    y = rng.normal(size=50)
    data = {"y": y, "a": y + rng.normal(size=50), "b": y + rng.normal(size=50)}
    frame: Any = pa.table(data) if library == "pyarrow" else module.DataFrame(data)
    comparison = sq.compare(frame, target="y", prediction=["a", "b"], baseline="mean")
    found = comparison.to_frame()
    assert type(found) is type(frame)
    rows = found.to_pylist() if library == "pyarrow" else found.to_dict("records") if library == "pandas" else found.to_dicts()
    assert [(row["a"], row["b"]) for row in rows] == [("a", "b"), ("a", "mean"), ("b", "mean")]
    for row, pair in zip(rows, comparison, strict=True):
        assert (row["difference"], row["ci_low"], row["ci_high"], row["p_value"]) == (pair.difference, *pair.ci, pair.p_value)
        assert (row["better"], row["dominates"], row["metric"]) == (pair.better, pair.dominates, "mse")
    assert told.as_csv(comparison).splitlines()[0].split(",") == list(comparison.columns)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(2)
    y = rng.normal(size=200)
    table = {"y": y, "a": y + rng.normal(size=200), "b": y + 2 * rng.normal(size=200), "day": np.arange(200), "shop": np.arange(200) % 40}
    pyarrow.csv.write_csv(pa.table(table), tmp_path / "data.csv")
    return tmp_path


def test_the_command(folder: Path) -> None:
    done = called("compare", "data.csv", "-t", "y", "-p", "a,b", "--metric", "mae", "--baseline", "mean", "--report", "page.html", folder=folder)
    assert (done.code, done.err) == (0, "wrote page.html\n")
    expected = sq.compare(folder / "data.csv", target="y", prediction=["a", "b"], metric="mae", baseline="mean")
    assert done.out.startswith(expected.verdict)
    assert (folder / "page.html").read_text().startswith("<!doctype html>")
    (row,) = csv.DictReader(io.StringIO(called("compare", "data.csv", "-t", "y", "-p", "a,b", "-f", "csv", folder=folder).out))
    pair = sq.compare(folder / "data.csv", target="y", prediction=["a", "b"])["a", "b"]
    assert [float(row[name]) for name in ("difference", "ci_low", "ci_high", "p_value")] == [pair.difference, *pair.ci, pair.p_value]
    for form, reader in (("json", json.loads), ("markdown", str)):
        assert reader(called("compare", "data.csv", "-t", "y", "-p", "a", "-p", "b", "-f", form, folder=folder).out)
    for more in (["--order", "day"], ["--cluster", "shop"], ["--h", "2"], ["--macro", "shop"], ["--confidence", "0.9"]):
        assert called("compare", "data.csv", "-t", "y", "-p", "a,b", *more, folder=folder).code == 0


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["-p", "a"], "there is one model"),
        (["-p", "a,c"], "no column 'c'"),
        (["-p", "a,b", "--metric", "rsme"], "Did you mean 'rmse'"),
        (["-p", "a,b", "--confidence", "95"], "between 0 and 1"),
        (["-p", "a,b", "--cluster", "town"], "no column 'town'"),
        (["-p", "a,b", "--report", "data.csv"], "this file holds what is read"),
    ],
)
def test_what_is_wrong_is_one_sentence(folder: Path, more: list[str], words: str) -> None:
    before = (folder / "data.csv").read_bytes()
    done = called("compare", "data.csv", "-t", "y", *more, folder=folder)
    assert done.code == 2
    assert words in done.sentence
    assert done.out == ""
    assert (folder / "data.csv").read_bytes() == before
