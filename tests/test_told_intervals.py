"""Intervals are told wherever an answer is told, in words that a reader can use; where there are none, nothing is said of them."""

from __future__ import annotations

import csv
import io
import json as stdlib_json
import math
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.cells import cell_len

import squarely as sq
from commanding import EXAMPLES, called
from squarely.errors import DataError
from squarely.evaluate import Answer, Evaluation
from squarely.intervals import Interval
from squarely.report import csv as report_csv
from squarely.report import html, json, markdown
from squarely.report.build import build
from squarely.report.finding import diagnosed
from squarely.report.report import Cell
from test_report import terminal
from test_strange_names import CONTROL, NAMES, nothing_runs, shape, written

PATIENTS = EXAMPLES / "diabetes.csv"
ASKED = ("rmse", "mape", "bias", "r2", "max_error", "medae")
LINE = ("evaluate", "diabetes.csv", "-t", "actual", "-p", "linear,ridge", "-m", ",".join(ASKED))


def patients(**options: Any) -> Evaluation:
    return sq.evaluate(str(PATIENTS), target="actual", **{"prediction": ["linear", "ridge"], "by": "sex", "metrics": ASKED, **options})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copy(PATIENTS, tmp_path)
    return tmp_path


def answers(evaluation: Evaluation) -> dict[tuple[Any, str, str], Answer]:
    """Every answer by group (None for all rows), label and model."""
    asked = [(group, label, model) for group in (None, *evaluation.groups) for label in ASKED for model in evaluation.models]
    return {(group, label, model): evaluation.answer(label, model, group) for group, label, model in asked}


def same(told: float | None, known: float) -> bool:
    return math.isnan(known) if told is None or math.isnan(told) else told == known


def ends(words: str) -> tuple[float, float] | None:
    """Read an interval back; a percentage becomes a share."""
    words = words.replace("\N{MINUS SIGN}", "-").replace("\N{NO-BREAK SPACE}", " ")
    if words == "-":
        return None
    low, _, high = words.removesuffix(" %").partition(" to ")
    times = 0.01 if words.endswith("%") else 1.0
    return times * float(low), times * float(high)


def near(told: tuple[float, float] | None, answer: Answer) -> bool:
    """Say whether an interval that was rounded to two digits of its width is that of the answer: half a digit is a twentieth at most."""
    low, high = answer.ci
    if told is None:
        return math.isnan(low)
    return all(abs(end - known) <= (high - low) / 20 * (1 + 1e-9) for end, known in zip(told, (low, high), strict=True))


# --- every renderer -----------------------------------------------------------------------------------------------


def test_some_answers_have_an_interval_and_some_have_none() -> None:
    known = answers(patients())
    assert {label for (_, label, _), answer in known.items() if math.isnan(answer.ci[0])} == {"max_error"}
    assert all(answer.ci[0] <= answer.value <= answer.ci[1] for (_, label, _), answer in known.items() if label != "max_error")


def test_json_carries_every_interval() -> None:
    evaluation = patients()
    document = stdlib_json.loads(json.render(build(evaluation, diagnosis=diagnosed(evaluation))))
    assert (document["confidence"], document["way"]) == (0.95, "rows")
    told = {(None, row["label"], each["model"]): each for row in document["metrics"] for each in row["values"]}
    for row in document["groups"]["rows"]:
        told |= {(tuple(row["key"]), of["label"], each["model"]): each for of in row["metrics"] for each in of["values"]}
    known = answers(evaluation)
    assert told.keys() == known.keys()
    for key, answer in known.items():
        assert (told[key]["doubt"], told[key]["ci"]) == (answer.doubt, None if math.isnan(answer.ci[0]) else list(answer.ci))
        assert same(told[key]["se"], answer.se)
    assert evaluation.to_dict() == document


@pytest.mark.parametrize("by", ["sex", None])
def test_csv_and_frame_carry_every_interval(by: str | None) -> None:
    evaluation = patients(by=by)
    rows = list(csv.DictReader(io.StringIO(report_csv.render(build(evaluation)))))
    frame = evaluation.to_frame().to_pylist()
    known = {key: answer for key, answer in answers(evaluation).items() if (key[0] is None) == (by is None)}
    for told in (rows, frame):
        assert len(told) == len(known)
        for row in told:
            answer = known[(row["sex"],) if by else None, row["metric"], row["model"]]
            assert same(float(row["se"]), answer.se)
            assert all(same(float(row[name]), end) for name, end in zip(("ci_low", "ci_high"), answer.ci, strict=True))


def test_csv_names_group_columns_as_a_frame_does() -> None:
    rows = {"y": [1.0, 2.0], "p": [1.0, 2.5], "model": ["a", "b"], "ci_low": [1, 1]}
    evaluation = sq.evaluate(rows, target="y", prediction="p", by=["model", "ci_low"], metrics="mse")
    header, *_ = csv.reader(io.StringIO(report_csv.render(build(evaluation))))
    assert header[:2] == ["by_model", "by_ci_low"]
    assert sorted(header) == sorted(evaluation.to_frame().column_names)


def test_markdown_carries_every_interval() -> None:
    evaluation = patients()
    tables = markdown.render(build(evaluation)).split("\n\n")
    cells = [[cell.strip("* ") for cell in line.split(" | ")] for line in tables[3].splitlines()]
    assert cells[0][3:] == ["linear", "95 % interval", "ridge", "95 % interval |"]
    for row, label in zip(cells[2:], ASKED, strict=True):
        for model, words in (("linear", row[4]), ("ridge", row[6].removesuffix(" |"))):
            assert near(ends(words), evaluation[label, model]), (label, model)
    assert tables[8] == "Largest MSE of any model first; in brackets the 95 % interval."
    header, _, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in tables[9].splitlines())
    for group in rows:
        for head, words in zip(header[2:], group[2:], strict=True):
            label, model = head.split(", ")
            interval = re.fullmatch(r"\S+ \((.*)\)", words)
            assert interval
            assert near(ends(interval[1]), evaluation[label, model].by[group[0].replace("\\", "")])


class Cells(HTMLParser):
    """The words and exact numbers of every element that holds an interval."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, list[float]]] = []
        self._inside = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in ("td", "small") and given.get("class") == "ci":
            self._inside = tag
            self.found.append(("", []))
        elif self._inside and tag == "data":
            self.found[-1][1].append(float(given["value"] or ""))

    def handle_endtag(self, tag: str) -> None:
        self._inside = "" if tag == self._inside else self._inside

    def handle_data(self, data: str) -> None:
        if self._inside:
            words, numbers = self.found[-1]
            self.found[-1] = words + data, numbers


def test_page_carries_every_interval() -> None:
    evaluation = patients()
    report = build(evaluation)
    found = Cells(html.render(report)).found
    shown = [ASKED[at] for at in report.headlines]
    keys = [(None, label, model) for label in ASKED for model in evaluation.models]
    keys += [(group.key, label, model) for group in report.groups for model in evaluation.models for label in shown]
    assert len(found) == len(keys)
    known = answers(evaluation)
    for key, (words, numbers) in zip(keys, found, strict=True):
        assert near(ends(words), known[key]), key
        assert numbers == ([] if words == "-" else list(known[key].ci))


@pytest.mark.parametrize("width", [30, 40, 60, 80, 120])
def test_terminal_shows_every_interval_at_any_width(width: int) -> None:
    report = build(patients())
    lines = terminal(report, width).splitlines()
    assert max(map(cell_len, lines)) <= width
    words = " ".join(" ".join(lines).split())
    for row in report.metrics:
        for cell in row.cells:
            assert cell.between in words, row.label
    for group in report.groups:
        for cell in group.cells[report.headlines[0]]:
            assert cell.between in words
    assert words.count("95 % interval") > len(report.metrics) or "linear 95 % interval ridge 95 % interval" in words


def test_a_narrow_terminal_drops_words_before_it_becomes_a_list() -> None:
    report = build(patients(prediction=["linear"]))
    heads = {width: terminal(report, width).split("\n\n")[1].splitlines()[0].split() for width in (80, 46, 38, 30)}
    assert heads[80] == ["metric", "linear", "95", "%", "interval", "unit", "better"]
    assert heads[46] == ["metric", "linear", "95", "%", "interval", "unit"]
    assert heads[38] == ["metric", "linear", "95", "%", "interval"]
    assert heads[30] == ["rmse", "y,", "lower", "is", "better"]


# --- without intervals --------------------------------------------------------------------------------------------


def test_nobody_is_told_of_intervals_that_were_not_asked_for() -> None:
    evaluation = patients(ci="none")
    report = build(evaluation)
    texts = [terminal(report, 80), terminal(report, 80, piped=True), markdown.render(report), html.render(report), report_csv.render(report)]
    style = html.render(report).split("<style>")[1].split("</style>")[0]
    for text in texts:
        assert not re.search(r"interval|\bse\b|ci_|confidence|class=.ci", text.replace(style, ""))
    document = stdlib_json.loads(json.render(report))
    assert (document["confidence"], document["way"]) == (None, None)
    values = [each for row in document["metrics"] for each in row["values"]]
    assert all(each[name] is None for each in values for name in ("se", "ci", "doubt"))
    assert evaluation.to_frame().column_names == ["sex", "model", "metric", "value", "reason", "n", "coverage"]


def test_saved_sums_have_no_interval_and_say_so_once(folder: Path) -> None:
    assert called(*LINE, "-s", "all.sqs", folder=folder).code == 0
    for form in ("table", "markdown", "csv"):
        out = called("show", "all.sqs", "-m", "rmse,mae", "-f", form, folder=folder).out
        assert out.count("interval") == (form != "csv"), form
        assert "ci_low" not in out
        assert (form == "csv") or "no plots and no intervals: a state keeps sums" in out


# --- words --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("low", "high", "percent", "words"),
    [
        (44.84, 49.23, False, "44.8 to 49.2"),
        (-0.04, 5.0, False, "-0.04 to 5.0"),  # a small end is not 0
        (-5.1087, 5.223, False, "-5 to 5"),
        (2717.39, 3487.3, False, "2720 to 3490"),
        (0.96534, 0.96847, False, "0.9653 to 0.9685"),
        (0.0008182, 3.4511, False, "0.0008 to 3.5"),
        (0.3614, 0.4579, True, "36.1 to 45.8 %"),
        (0.0, 0.0, False, "0 to 0"),
        (0.0, 0.25, False, "0 to 0.25"),
        (1.5e9, 1.75e9, False, "1.50e+09 to 1.75e+09"),
        (2.1e-9, 2.5e-9, False, "2.10e-09 to 2.50e-09"),
        (2.0, math.inf, False, "2 to inf"),
        (1e9, 1e9 + 1e-3, False, "1.0000000000000e+09 to 1.0000000000010e+09"),
        (math.nan, math.nan, False, "-"),
    ],
)
def test_an_interval_is_rounded_to_two_digits_of_its_width(low: float, high: float, percent: bool, words: str) -> None:
    assert Cell(1.0, percent=percent, interval=Interval(1.0, low, high)).between == words


def test_verdict_says_how_sure_it_is() -> None:
    evaluation = patients(by=None)
    verdict = build(evaluation).verdict.replace("\N{NO-BREAK SPACE}", " ")
    found = re.fullmatch(r"linear has the smallest RMSE \(55\.2 in units of actual, 95 % interval (.*)\) of 2 models and explains 49 % .*\.", verdict)
    assert found
    assert near(ends(found[1]), evaluation["rmse", "linear"])
    share = build(patients(by=None, metrics="mape", prediction="linear", confidence=0.9)).verdict.replace("\N{NO-BREAK SPACE}", " ")
    assert re.fullmatch(r"linear has a Mean absolute percentage error of 40 % \(90 % interval \S+ to \S+ %\)\.", share)


def test_a_doubtful_interval_is_called_doubtful() -> None:
    report = build(patients(cluster="age_band"))
    doubt = "here are 4 clusters: with fewer than 20 an interval is rough."
    assert report.verdict.endswith(f" T{doubt}")
    assert [note.text for note in report.notes if note.kind == "intervals"] == [
        "The 95 % intervals are for new clusters (age_band): rows of one cluster may depend on each other.",
        "No interval of max_error: it is the largest of the errors, and more rows may bring a larger one.",
        f"All intervals: t{doubt}",
    ]


def test_a_reason_is_told_once_and_names_what_it_holds_for() -> None:
    sizes = {"a": 60, "b": 5, "c": 6, "d": 7, "e": 8}
    y = np.random.default_rng(5).normal(size=sum(sizes.values()))
    p, g = y + np.random.default_rng(6).normal(size=len(y)), [name for name, size in sizes.items() for _ in range(size)]
    rows = {"y": y, "p": p, "g": g, "c": list(range(len(y)))}
    evaluation = sq.evaluate(rows, target="y", prediction="p", by="g", cluster="c", metrics=["rmse", "max_error", "nrmse(normalizer='range')"])
    texts = [note.text for note in build(evaluation).notes if note.kind == "intervals"]
    assert len(texts) == len(set(texts)) == 1 + 2 + 3 + 1
    assert texts[1:3] == [
        "No interval of max_error: it is the largest of the errors, and more rows may bring a larger one.",
        "No interval of nrmse(normalizer='range'): it takes the range of the target, and more rows may bring a wider one.",
    ]
    assert all(re.fullmatch(r"Intervals of 1 group: there are \d clusters: .* rough\.", text) for text in texts[3:6])
    assert texts[6] == "Intervals of other groups are missing or doubtful for 1 more reason."


# --- the command line ---------------------------------------------------------------------------------------------


def test_options_say_what_intervals_are_for(folder: Path) -> None:
    def told(*options: str) -> tuple[Any, Any, list[float] | None]:
        document = stdlib_json.loads(called(*LINE, "-f", "json", *options, folder=folder).out)
        assert {f"--{name}": document["provenance"][name] for name in ("cluster", "order")} == {
            name: options[1] if name in options else None for name in ("--cluster", "--order")
        }
        return document["confidence"], document["way"], document["metrics"][0]["values"][0]["ci"]

    order = sorted(PATIENTS.read_text(encoding="utf-8").splitlines(keepends=True)[1:], key=lambda line: line.split(",")[5])
    header = PATIENTS.read_text(encoding="utf-8").partition("\n")[0]
    for options, keywords in (
        ((), {}),
        (("--confidence", "0.8"), {"confidence": 0.8}),
        (("--cluster", "age_band"), {"cluster": "age_band"}),
    ):
        known = patients(**keywords)
        assert known.uncertainty is not None
        assert told(*options) == (known.uncertainty.confidence, known.uncertainty.way, list(known["rmse", "linear"].ci))
    assert told("--ci", "none") == (None, None, None)
    (folder / "diabetes.csv").write_text(f"{header}\n{''.join(order)}", encoding="utf-8")
    assert told("--order", "age_band")[:2] == (0.95, "order")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--confidence", "95"), "confidence is 95.0; expected a number between 0 and 1, such as 0.95."),
        (("--confidence", "nan"), "confidence is nan; expected a number between 0 and 1, such as 0.95."),
        (("--ci", "maybe"), "ci is 'maybe'; expected 'none', or nothing for intervals."),
        (("--cluster", "patient"), "diabetes.csv: there is no column 'patient'. The columns are 'actual', 'linear',"),
        (("--order", "time"), "diabetes.csv: there is no column 'time'. The columns are 'actual', 'linear',"),
        (("--order", "age_band"), "row 2 comes before its neighbour in column 'age_band'"),
        (("--cluster", "sex", "--order", "age_band"), "cluster and order were both given. Clusters that are long stretches of time serve for both"),
    ],
)
def test_options_that_make_no_sense(folder: Path, options: tuple[str, ...], words: str) -> None:
    done = called(*LINE, *options, "-r", "page.html", folder=folder)
    assert (done.code, done.out) == (2, "")
    assert words in done.sentence
    assert not (folder / "page.html").exists()


def test_a_confidence_that_is_no_number(folder: Path) -> None:
    done = called(*LINE, "--confidence", "high", folder=folder)
    assert (done.code, done.out) == (2, "")
    assert "--confidence" in done.err
    with pytest.raises(DataError, match="confidence is high"):
        patients(confidence="high")


@pytest.mark.parametrize("kind", NAMES)
def test_strange_names_of_clusters(tmp_path: Path, kind: str) -> None:
    name = NAMES[kind]
    written(tmp_path, name)
    line = ["evaluate", "t.parquet", "-t", f"y{name}", "-p", f"p{name}", "-m", "mse,max_error", "--cluster", f"g{name}"]
    outputs = [called(*line, "-f", form, "-r", "page.html", folder=tmp_path) for form in ("table", "markdown")]
    for done in outputs:
        assert done.code == 0
        assert not CONTROL.search(done.out)
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert nothing_runs(page)
    assert not CONTROL.search(page)
    written(tmp_path, "plain")
    plain = ["evaluate", "t.parquet", "-t", "yplain", "-p", "pplain", "-m", "mse,max_error", "--cluster", "gplain", "-f", "markdown"]
    assert shape(outputs[1].out) == shape(called(*plain, folder=tmp_path).out)
    done = called(*line[:-1], f"z{name}", folder=tmp_path)
    assert done.code == 2
    assert "there is no column" in done.sentence
    assert not CONTROL.search(done.err)
