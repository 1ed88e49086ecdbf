"""A diagnosis is told in every form of the command line, and has a page of its own rows."""

from __future__ import annotations

import csv
import io
import json
import re
from html import unescape
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest

import squarely as sq
from commanding import called
from squarely.errors import DataError

ASKED = ("diagnose", "series.csv", "-t", "y", "-p", "p")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A series whose errors follow each other, whose predicted deviations are half of the true ones, in groups of unequal variance."""
    rng = np.random.default_rng(4)
    n = 2000
    errors = np.zeros(n)
    for at in range(1, n):
        errors[at] = 0.8 * errors[at - 1] + 0.6 * rng.normal()
    town = np.arange(n) % 2
    y = rng.normal(10, 3, n)
    table = pa.table(
        {
            "y": y,
            "p": y + errors * (1 + 4 * town),
            "sd": (1 + 4 * town) / 2,
            "day": np.arange(n),
            "town": np.array(["<b>a</b>", "b"])[town],
        }
    )
    pyarrow.csv.write_csv(table, tmp_path / "series.csv")
    pyarrow.csv.write_csv(table.slice(0, 300), tmp_path / "history.csv")
    return tmp_path


def found_on(page: str) -> set[str]:
    """Return the checks whose findings stand on a page."""
    return set(re.findall(r"<small>(SQ\d{3})</small></h3>", page))


def test_the_page_has_what_only_a_look_at_all_rows_can_find(folder: Path) -> None:
    more = ("--order", "day", "--by", "town", "--sigma", "sd", "--training", "history.csv")
    done = called(*ASKED, *more, "--report", "page.html", folder=folder)
    assert (done.code, done.err) == (0, "wrote page.html\n")
    page = (folder / "page.html").read_text(encoding="utf-8")
    diagnosis = sq.diagnose(folder / "series.csv", target="y", prediction="p", order="day", by="town", sigma="sd", training=folder / "history.csv")
    assert found_on(page) == {finding.id for finding in diagnosis.findings}
    assert {"SQ010", "SQ012", "SQ028"} <= found_on(page), "groups, order and predicted deviations were planted"
    assert found_on(page) - found_on(sq.evaluate(folder / "series.csv", target="y", prediction="p").to_html())
    words = unescape(page)
    for finding in diagnosis.findings:
        assert finding.evidence in words
        assert finding.fix in words
    assert f"squarely {' '.join(ASKED)} {' '.join(more)} --report page.html" in words
    assert "<b>a</b>" not in page
    assert "&lt;b&gt;a&lt;/b&gt;" in page


def test_the_page_from_python_is_that_of_the_command_without_its_line(folder: Path, tmp_path: Path) -> None:
    called(*ASKED, "-r", "page.html", folder=folder)
    diagnosis = sq.diagnose(folder / "series.csv", target="y", prediction="p")
    page = diagnosis.to_html(tmp_path / "other.html")
    assert page == (tmp_path / "other.html").read_text(encoding="utf-8")
    assert found_on(page) == found_on((folder / "page.html").read_text(encoding="utf-8"))
    assert diagnosis._repr_html_().startswith('<iframe srcdoc="&lt;!doctype html&gt;')
    with pytest.raises(DataError, match="this is a folder"):
        diagnosis.to_html(tmp_path)


@pytest.mark.parametrize("form", ["table", "json", "markdown", "csv"])
def test_every_form_tells_every_finding(folder: Path, form: str) -> None:
    done = called(*ASKED, "--order", "day", "--format", form, "--report", "page.html", folder=folder)
    assert (done.code, done.err) == (0, "wrote page.html\n")
    ids = [finding.id for finding in sq.diagnose(folder / "series.csv", target="y", prediction="p", order="day").findings]
    assert ids
    if form == "json":
        assert [each["id"] for each in json.loads(done.out)["findings"]] == ids
    elif form == "csv":
        assert [row["id"] for row in csv.DictReader(io.StringIO(done.out))] == ids
    else:
        assert re.findall(r"^(?:### )?(SQ\d{3}) ", done.out, re.MULTILINE) == ids


@pytest.mark.parametrize(
    ("report", "words"),
    [
        ("series.csv", "--report series.csv: this file holds what is read"),
        ("history.csv", "--report history.csv: this file holds what is read"),
        ("nowhere/page.html", "there is no folder 'nowhere'"),
        (".", "this is a folder"),
    ],
)
def test_a_page_replaces_nothing_that_is_read(folder: Path, report: str, words: str) -> None:
    before = {path: path.read_bytes() for path in folder.iterdir()}
    done = called(*ASKED, "--training", "history.csv", "--report", report, folder=folder)
    assert done.code == 2
    assert words in done.sentence
    assert done.out == ""
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize("name", ["diagnose", "compare"])
def test_a_pattern_protects_each_of_its_files(folder: Path, name: str) -> None:
    before = (folder / "series.csv").read_bytes()
    done = called(name, "*.csv", "-t", "y", "-p", "p,sd", "--report", "series.csv", folder=folder)
    assert done.code == 2
    assert "this file holds what is read" in done.sentence
    assert (folder / "series.csv").read_bytes() == before
