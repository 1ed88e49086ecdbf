"""The page of slices has the numbers of the slices, is the same for the same slices, and escapes what comes from data."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest

import squarely as sq
from commanding import called
from squarely.errors import DataError

BAD = "<script>alert(1)</script>|`*x*`\x1b[31m\n"


def found(n: int = 900, name: str = "region", label: str = "north", **settings: Any) -> sq.Slices:
    """Slices of which one, the rows with the label, has errors of three times the size."""
    rng = np.random.default_rng(2)
    p = rng.normal(10, 2, n)
    where = rng.choice([label, "south", "east", "west"], n)
    y = p + rng.normal(size=n) * np.where(where == label, 3, 1)
    columns = {name: where, "size": rng.normal(size=n), "rare": np.arange(n) < 9, "id": np.arange(n).astype(str)}
    return sq.slices(y, p, columns=columns, **settings)


def cells(page: str) -> list[list[str]]:
    """Return the words of the rows of the table, numbers in all their digits."""
    body = page.partition("<tbody>")[2].partition("</tbody>")[0]
    rows = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL) for row in re.findall(r"<tr>(.*?)</tr>", body, re.DOTALL)]
    value = re.compile(r'<data value="([^"]*)">.*?</data>')
    return [[unescape(re.sub(r"<[^>]*>", " ", value.sub(r"\1", cell))).strip() for cell in row] for row in rows]


@pytest.mark.parametrize("metric", ["mse", "mape", "r2"])
def test_the_page_has_the_numbers_of_the_slices(metric: str) -> None:
    slices = found(metric=metric)
    page = slices.to_html()
    rows = cells(page)
    assert len(rows) == len(slices)
    for rank, (row, each) in enumerate(zip(rows, slices, strict=True), 1):
        assert (row[0], row[1]) == (each.where, str(rank))
        assert float(row[2]) == each.value
        ends = [float(end) for end in re.split(r"\s+to\s+", row[3])]
        assert ends == pytest.approx(list(each.ci))
        assert float(row[4]) == each.rest
        assert row[6] == ("worse" if each.worse else each.doubt or "not proved to be worse")
        assert row[7].split()[0] == str(each.n)
        assert float(row[8].removesuffix("%")) == pytest.approx(100 * each.error_share, abs=0.006)
        assert float(row[9]) == each.shrunken
    assert slices.worst is not None
    assert [row[0] for row in rows if row[6] == "worse"] == [each.where for each in slices.proved]
    assert page.count('class="hot"') == 1
    told = unescape(page)
    assert slices.headline in told
    assert slices.verdict.startswith(slices.headline.partition(";")[0].rstrip(".")), "the headline is the verdict in few words"
    assert "id: not sliced, none of its 900 values has 30 rows" in re.sub("<[^>]*>", "", told)
    assert "rare: 1 slice of fewer than 30 rows" in re.sub("<[^>]*>", "", told)


def test_of_many_slices_the_worst_are_shown() -> None:
    slices = found(4000, cross=2, bins=9)
    page = slices.to_html()
    assert len(cells(page)) == 50 < len(slices)
    assert f"{len(slices) - 50} better slices are not shown" in page


def test_names_from_data_are_only_names() -> None:
    slices = found(name=BAD, label=BAD)
    page = slices.to_html()
    assert page.count("<script") == page.count("</script>") == 1, "that of the page itself"
    assert "alert(1)</script>" not in page
    assert "\x1b" not in page
    assert "&lt;script&gt;" in page.partition("<h1>")[2].partition("</h1>")[0]


def test_no_slice_is_a_page_too() -> None:
    page = found(25).to_html()
    assert "<h1>No slice is judged.</h1>" in page
    assert "<table" not in page
    assert "Not judged" in page


def test_slices_write_themselves_down(tmp_path: Path) -> None:
    slices = found()
    page = slices.to_html(tmp_path / "page.html")
    assert page == slices.to_html() == found().to_html() == (tmp_path / "page.html").read_text(encoding="utf-8")
    assert slices._repr_html_().startswith('<iframe srcdoc="&lt;!doctype html&gt;')
    with pytest.raises(DataError, match="this is a folder"):
        slices.to_html(tmp_path)


def test_the_command(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    y = rng.normal(size=300)
    table = pa.table({"y": y, "p": y + rng.normal(size=300), "region": rng.choice(["a", "b"], 300)})
    pyarrow.csv.write_csv(table, tmp_path / "data.csv")
    asked = ("slices", "data.csv", "-t", "y", "-p", "p")
    done = called(*asked, "--report", "page.html", folder=tmp_path)
    assert (done.code, done.err) == (0, "wrote page.html\n")
    slices = sq.slices(tmp_path / "data.csv", target="y", prediction="p")
    assert done.out == f"{slices}\n"
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert cells(page) == cells(slices.to_html())
    assert "squarely slices data.csv -t y -p p --report page.html" in page
    before = (tmp_path / "data.csv").read_bytes()
    for report, words in (("data.csv", "this file holds what is read"), ("nowhere/page.html", "there is no folder")):
        refused = called(*asked, "--report", report, folder=tmp_path)
        assert refused.code == 2
        assert words in refused.sentence
    assert (tmp_path / "data.csv").read_bytes() == before
