"""Names and values from data are shown and never obeyed: as markup, as lines of their own, or by a terminal."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from commanding import called, names_in

NAMES = {
    "markup": "<script>alert(1)</script>",
    "an attribute": '" onmouseover="alert(1)',
    "quotes": """it's "so-called" `code`""",
    "Markdown": "a|b [x](javascript:alert(1)) **bold** $m$",
    "lines": "two\nlines\r\nand a\ttab",
    "a terminal": "\x1b[31mred\x1b[2J\x1b]0;title\x07",
    "an old terminal": "\x9b31mred",
    "backwards": "\u202egnp.exe",
    "emoji": "\N{HOUSE BUILDING} \N{FAMILY}",
    "spaces": "  ",
    "rich": "[bold red]x[/]",
    "a template": "{{ 7 * 7 }}{% raw %}",
    "long": "n" * 10_000,
}
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2028\u2029]")


def written(folder: Path, name: str) -> None:
    """Write a table whose target, prediction, weight and group columns, and one group, have strange names."""
    columns = {f"y{name}": [1.0, 3.0], f"p{name}": [2.0, 6.0], f"w{name}": [1.0, 1.0], f"g{name}": [name, "plain"]}
    pq.write_table(pa.table(columns), folder / "t.parquet")


def asked(name: str) -> list[str]:
    return ["evaluate", "t.parquet", "-t", f"y{name}", "-p", f"p{name}", "-w", f"w{name}", "-b", f"g{name}", "-m", "mse,rmse"]


@pytest.mark.parametrize("kind", NAMES)
def test_strange_names_in_every_format(tmp_path: Path, kind: str) -> None:
    name = NAMES[kind]
    written(tmp_path, name)
    outputs = {form: called(*asked(name), "-f", form, folder=tmp_path) for form in ("table", "markdown", "json", "csv")}
    assert {form: done.code for form, done in outputs.items()} == dict.fromkeys(outputs, 0)
    document = json.loads(outputs["json"].out)
    # Errors 1 and 3: (1 + 9) / 2, and the two groups have one each.
    assert document["models"] == [f"p{name}"]
    assert document["metrics"][0]["values"][0]["value"] == 5.0
    assert {row["key"][0]: row["metrics"][0]["values"][0]["value"] for row in document["groups"]["rows"]} == {name: 1.0, "plain": 9.0}
    for form in ("table", "markdown"):
        assert not CONTROL.search(outputs[form].out), form
        assert max(map(len, outputs[form].out.splitlines())) < 2_000
    plain = called(*asked_plainly(tmp_path), "-f", "markdown", folder=tmp_path).out
    assert shape(outputs["markdown"].out) == shape(plain)
    assert "<script" not in outputs["markdown"].out


def asked_plainly(folder: Path) -> list[str]:
    written(folder, "plain one")
    return asked("plain one")


def shape(markdown: str) -> list[tuple[str, int]]:
    """How each line begins, and its cells: a name can add neither."""
    return [(line[:2] if line[:1] in "#|-" else "", len(re.findall(r"(?<!\\)\|", line))) for line in markdown.splitlines()]


def nothing_runs(page: str) -> bool:
    """Say whether the only script is that of the page, and no attribute of an element is one."""
    ours = page.count("<script") == page.count("</script") == 1 and page.endswith("})();\n</script>\n</body>\n</html>")
    return ours and not re.search(r"<[^>]*\sonmouseover=(?![^<]*&#34;)", page[: page.index("<script")])


@pytest.mark.parametrize("kind", NAMES)
def test_strange_names_on_a_page(tmp_path: Path, kind: str) -> None:
    name = NAMES[kind]
    written(tmp_path, name)
    assert called(*asked(name), "-r", "page.html", folder=tmp_path).code == 0
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert not CONTROL.search(page)
    assert nothing_runs(page)
    assert len(page) < 100_000
    if kind in ("markup", "quotes", "a template", "rich"):
        assert html.escape(f"p{name}").replace("&quot;", "&#34;").replace("&#x27;", "&#39;") in page


@pytest.mark.parametrize("kind", NAMES)
@pytest.mark.parametrize("fault", ["column", "text", "gate", "twice", "merge"])
def test_strange_names_in_errors(tmp_path: Path, kind: str, fault: str) -> None:
    name = NAMES[kind]
    written(tmp_path, name)
    line = [*asked(name), "-r", "page.html"]
    code = 2
    if fault == "column":
        line[3] = f"z{name}"
    elif fault == "text":
        line[5] = f"g{name}"
    elif fault == "twice":
        line += ["-p", f"p{name}"]
    elif fault == "gate":
        line, code = [*line[:-2], "--fail-if", "mse > 1"], 1
    else:
        assert called(*asked(name), "-s", "a.sqs", folder=tmp_path).code == 0
        assert called(*asked(name)[:-4], "-s", "b.sqs", folder=tmp_path).code == 0
        line = ["merge", "a.sqs", "b.sqs", "-o", "sum.sqs"]
    before = names_in(tmp_path)
    done = called(*line, folder=tmp_path)
    assert done.code == code
    assert not CONTROL.search(done.err)
    (sentence,) = done.err.splitlines()
    assert sentence.startswith("failed: " if fault == "gate" else "error: ")
    assert len(sentence) <= 4_100
    assert names_in(tmp_path) == before


@pytest.mark.parametrize("kind", ["markup", "quotes", "lines", "a terminal", "emoji", "spaces", "rich"])
def test_strange_names_of_files(tmp_path: Path, kind: str) -> None:
    name = NAMES[kind].replace("/", "_")[:60]
    (tmp_path / f"{name}.csv").write_text("y,pred\n1,2\n", encoding="utf-8")
    done = called("evaluate", f"{name}.csv", "-r", f"{name}.html", "-s", f"{name}.sqs", folder=tmp_path)
    assert (done.code, len(done.err.splitlines())) == (0, 4)
    assert not CONTROL.search(done.err + done.out + (tmp_path / f"{name}.html").read_text(encoding="utf-8"))
    (tmp_path / f"{name}.csv").write_text("y,pred\n1,x\n", encoding="utf-8")
    done = called("evaluate", f"{name}.csv", folder=tmp_path)
    assert done.code == 2
    assert "column 'pred', row 1 holds 'x'" in done.sentence
    assert not CONTROL.search(done.err)


def test_guesses_of_long_and_strange_names(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(f'"y ","pred_\x1b[31m","pred_{"n" * 10_000}"\n1,2,3\n', encoding="utf-8")
    done = called("evaluate", "t.csv", folder=tmp_path)
    assert done.code == 0
    target, prediction = done.err.splitlines()
    assert target == "target: 'y ', by its name; --target chooses another"
    assert prediction.startswith(r"prediction: 'pred_\x1b[31m', 'pred_nnn")
    assert len(prediction) < 300
