"""The report: what is said, what is escaped, and that the same input gives the same bytes.

A small stand-in for an Evaluation answers from formulas written here: a report is judged apart from the sums.
"""

from __future__ import annotations

import base64
import hashlib
import io
import itertools
import json as stdlib_json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest
from rich.cells import cell_len
from rich.console import Console

import squarely
from squarely.intervals import Interval
from squarely.report import html, json, markdown, text
from squarely.report.build import build
from squarely.report.report import SHOWN_GROUPS, one_line
from squarely.svg import Figure, axis_range, tick_labels, ticks

NASTY = "<script>alert('x')</script>\"&|*`\n\x1b[31m\u202e" + "\N{PILE OF POO}" + "[a](b)"


@dataclass(frozen=True)
class Metric:
    name: str
    title: str
    unit: str
    direction: str
    best: float | None
    formula: Callable[[np.ndarray, np.ndarray], float]
    percent: bool = False
    functional: str = ""


@dataclass(frozen=True)
class Question:
    label: str
    metric: Metric


@dataclass(frozen=True)
class Answer:
    value: float
    reason: str | None
    n: int
    interval: Interval
    coverage: float = 1.0


@dataclass(frozen=True)
class Uncertainty:
    confidence: float = 0.95
    way: str = "rows"
    along: str | None = None

    def pseudo_values(self, question: Any, model: int) -> np.ndarray:
        return np.random.default_rng(model).normal(3.0 * model, 1.0, 50)

    def units(self, filled: int) -> str:
        return "buckets of rows"


@dataclass(frozen=True)
class Provenance:
    source: str
    rows: int
    target: str
    predictions: tuple[str, ...]
    weight: str | None = None
    by: tuple[str, ...] = ()
    nan_policy: str = "raise"
    digest: str = "0123abcd"
    version: str = "0.1.0"


@dataclass(frozen=True)
class Sample:
    ordinals: np.ndarray
    target: np.ndarray
    predictions: dict[str, np.ndarray]
    weight: np.ndarray | None
    rows: int


@dataclass(frozen=True)
class State:
    n: int
    missing_target: int = 0
    missing_prediction: int = 0
    infinite_target: int = 0
    infinite_prediction: int = 0


def mse(y: np.ndarray, p: np.ndarray) -> float:
    return float(np.mean((p - y) ** 2))


def r2(y: np.ndarray, p: np.ndarray) -> float:
    return 1 - mse(y, p) / float(np.var(y)) if np.ptp(y) else math.nan


QUESTIONS = (
    Question(
        "rmse",
        Metric("root_mean_squared_error", "Root mean squared error", "y", "lower", 0.0, lambda y, p: mse(y, p) ** 0.5),
    ),
    Question("mse", Metric("mean_squared_error", "Mean squared error", "y^2", "lower", 0.0, mse)),
    Question("r2", Metric("r2_score", "R squared", "1", "higher", 1.0, r2)),
    Question("bias", Metric("mean_error", "Bias", "y", "target", 0.0, lambda y, p: float(np.mean(p - y)))),
)
LINE = (
    Question("calibration_slope", Metric("calibration_slope", "Calibration slope", "1", "target", 1.0, lambda y, p: 0.8)),
    Question("calibration_intercept", Metric("calibration_intercept", "Calibration intercept", "y", "target", 0.0, lambda y, p: -2.0)),
)


@dataclass(frozen=True)
class FakeEvaluation:
    target: np.ndarray
    columns: dict[str, np.ndarray]
    keys: tuple[tuple[Any, ...], ...] = ()
    by: tuple[str, ...] = ()
    questions: tuple[Question, ...] = QUESTIONS
    sample: Sample | None = None
    source: str = "predictions.csv"
    target_name: str = "y"
    uncertainty: Uncertainty | None = Uncertainty()
    largest: dict[str, Any] = field(default_factory=dict)
    states: dict[str, State] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for model in self.models:
            self.states.setdefault(model, State(len(self.target)))

    @property
    def models(self) -> tuple[str, ...]:
        return tuple(self.columns)

    @property
    def groups(self) -> tuple[tuple[Any, ...], ...]:
        return tuple(dict.fromkeys(self.keys))

    @property
    def provenance(self) -> Provenance:
        return Provenance(self.source, len(self.target), self.target_name, self.models, by=self.by)

    def is_approximate(self, question: Question) -> bool:
        return False

    def answer(self, label: str, model: str, group: tuple[Any, ...] | None = None) -> Answer:
        question = next(each for each in (*QUESTIONS, *LINE) if each.label == label)
        keep = np.array([group is None or key == group for key in self.keys or (None,) * len(self.target)])
        value = question.metric.formula(self.target[keep], self.columns[model][keep])
        se = abs(value) / 20  # any number would do: here it is told, not judged
        interval = Interval(se, value - 2 * se, value + 3 * se, "there is no value" if math.isnan(value) else None)
        return Answer(value, "the target is constant" if math.isnan(value) else None, int(keep.sum()), interval)


def fake(rows: int = 300, models: int = 2, *, groups: int = 0, names: tuple[str, ...] = ("ridge", "mean", "trees")) -> FakeEvaluation:
    random = np.random.default_rng(7)
    y = random.normal(150, 77, rows).round(1)
    columns = {name: (y + random.normal(0, 40 + 15 * at, rows)).round(2) for at, name in enumerate(names[:models])}
    keys = tuple((f"group {at % groups}",) for at in range(rows)) if groups else ()
    sample = Sample(np.arange(rows), y, columns, None, rows)
    return FakeEvaluation(y, columns, keys, ("age band",) if groups else (), sample=sample)


def houses() -> FakeEvaluation:
    y, p = np.array([250.0, 300, 180, 420, 350]), np.array([240.0, 310, 200, 400, 360])
    return FakeEvaluation(y, {"price_hat": p}, sample=Sample(np.arange(5), y, {"price_hat": p}, None, 5), target_name="price")


def terminal(report: Any, width: int, *, piped: bool = False) -> str:
    out = io.StringIO()
    console = Console(file=out, width=width, force_terminal=not piped, color_system=None, legacy_windows=False, highlight=False)
    text.render(report, console)
    return out.getvalue()


class Page(HTMLParser):
    """Collect the tags, attributes and words of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str | None]] = []
        self.words: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def test_verdict_of_the_worked_example() -> None:
    # The houses of the classic worked example: MSE 220, RMSE 14.832396974191326, R2 0.967456.
    known = "price_hat has an RMSE of 14.8 in units of price{} and explains 97 % of the variance."
    spoken = build(houses()).verdict.replace("\N{NO-BREAK SPACE}", " ")
    assert spoken == known.format(" (95 % interval 13.3 to 17.1)")
    assert build(replace(houses(), uncertainty=None)).verdict.replace("\N{NO-BREAK SPACE}", " ") == known.format("")


def test_verdict_names_the_best_of_several_and_ties() -> None:
    assert build(fake()).verdict.startswith("ridge has the smallest RMSE (")
    assert "in units of y, 95\N{NO-BREAK SPACE}% interval " in build(fake()).verdict
    y = np.array([1.0, 2.0, 3.0])
    tied = FakeEvaluation(y, {"a": y + 1, "b": y - 1})
    assert build(tied).verdict == "a and b share the smallest RMSE (1 in units of y)."
    worse = FakeEvaluation(y, {"a": y + 10})
    assert "worse than always predicting the mean" in build(worse).verdict


def test_best_is_marked_by_direction() -> None:
    y = np.array([1.0, 2.0, 4.0])
    report = build(FakeEvaluation(y, {"low": y - 2, "near": y + 0.5}))
    assert [[cell.best for cell in row.cells] for row in report.metrics] == [[False, True]] * 4
    assert not any(cell.best for row in build(houses()).metrics for cell in row.cells), "one model has no rival"


def test_undefined_value_carries_its_reason_everywhere() -> None:
    y = np.full(4, 0.1)
    report = build(FakeEvaluation(y, {"a": y + 0.5}))
    for written in (terminal(report, 80), markdown.render(report), json.render(report), html.render(report)):
        assert "the target is constant" in written
    values = {row["label"]: row["values"][0] for row in stdlib_json.loads(json.render(report))["metrics"]}
    assert values["r2"]["value"] is None
    assert values["r2"]["reason"] == "the target is constant"
    assert values["bias"]["value"] == pytest.approx(0.5)
    assert values["bias"]["reason"] is None


def test_groups_are_worst_first_capped_for_readers_and_whole_in_json() -> None:
    evaluation = fake(rows=240, groups=60)
    report = build(evaluation)
    worst = [max(evaluation.answer("mse", model, row.key).value for model in evaluation.models) for row in report.groups]
    assert worst == sorted(worst, reverse=True)
    assert len(report.shown_groups) == SHOWN_GROUPS
    assert report.hidden_groups == 10
    for written in (terminal(report, 200), markdown.render(report), html.render(report)):
        assert "10 other groups are not shown" in written
    rows = stdlib_json.loads(json.render(report))["groups"]["rows"]
    assert len(rows) == 60
    assert sum(row["n"] for row in rows) == 240
    few = build(evaluation, most_groups=SHOWN_GROUPS)
    assert html.render(few) == html.render(report), "asking fewer groups changes no page"


def test_json_has_a_versioned_schema() -> None:
    document = stdlib_json.loads(json.render(build(fake(groups=3), command="squarely evaluate predictions.csv")))
    assert list(document) == [
        "schema", "version", "confidence", "way", "verdict", "findings", "not_testable", "advice", "provenance", "models", "metrics",
        "comparison", "groups", "notes",
    ]  # fmt: skip
    assert (document["schema"], document["version"], document["confidence"], document["way"]) == ("squarely.report", 2, 0.95, "rows")
    assert document["provenance"]["command"] == "squarely evaluate predictions.csv"
    assert list(document["metrics"][0]["values"][0]) == ["model", "value", "reason", "se", "ci", "doubt", "n", "coverage", "best"]
    assert document["metrics"][0]["values"][0]["value"] == fake().answer("rmse", "ridge").value, "full precision"


def test_json_writes_infinity_as_null_and_keeps_odd_names() -> None:
    infinite = Metric("mean_squared_error", "MSE", "y^2", "lower", 0.0, lambda y, p: math.inf)
    report = build(FakeEvaluation(np.arange(3.0), {NASTY + "\udc80": np.arange(3.0)}))
    cell = replace(report.metrics[0].cells[0], value=math.inf, reason="infinite", interval=Interval(math.inf, 2.0, math.inf, "rough"))
    written = json.render(replace(report, metrics=(replace(report.metrics[0], name=infinite.name, cells=(cell,)),)))
    written.encode("utf-8")
    document = stdlib_json.loads(written)
    assert document["metrics"][0]["values"][0] == {
        "model": NASTY + "\udc80", "value": None, "reason": "infinite",
        "se": None, "ci": [2.0, None], "doubt": "rough", "n": 3, "coverage": 1.0, "best": False,
    }  # fmt: skip


def hostile() -> FakeEvaluation:
    names = (NASTY, "x" * 10_000)
    base = fake(40, 2, groups=4, names=names)
    keys = tuple((NASTY,) if at % 2 else ("y" * 10_000,) for at in range(40))
    return replace(base, keys=keys, by=(NASTY,), source=NASTY, target_name=NASTY)


def test_page_escapes_every_name() -> None:
    written = html.render(build(hostile(), command=NASTY))
    page = Page(written)
    plain = Page(html.render(build(fake(40, 2, groups=2), command="x")))
    assert page.tags == plain.tags, "names from data add no element"
    assert not [name for _, name, _ in page.attributes if name.startswith("on") or name in ("src", "srcset")]
    assert all(value is not None and value.startswith("#") for _, name, value in page.attributes if name == "href")
    assert "\x1b" not in written
    assert "\u202e" not in written
    assert "<script>alert('x')</script>" in "".join(page.words), "a reader sees the name as it is"
    titles = [value for _, name, value in page.attributes if name == "title" and value]
    assert max(map(len, titles)) == 1000
    assert "x" * 10_000 not in written


def test_page_has_one_script_and_is_self_contained() -> None:
    written = html.render(build(fake(groups=3)))
    page = Page(written)
    assert not {"link", "img", "iframe", "object", "embed", "form"} & set(page.tags)
    assert page.tags.count("script") == 1
    (script,) = re.findall(r"<script>(.*?)</script>", written, flags=re.DOTALL)
    assert len(script.encode()) < 12_000
    assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|eval|fetch|XMLHttp|https?:(?!//www\.w3\.org/2000/svg)", script)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = [value for _, name, value in page.attributes if name == "content" and value and "default-src" in value]
    assert policy == [f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"], "a browser runs no other script"


def test_page_can_be_read_aloud() -> None:
    page = Page(html.render(build(fake(groups=3))))
    assert {"header", "nav", "main", "footer", "caption"} <= set(page.tags)
    assert page.tags.count("h1") == 1
    identities = [value for _, name, value in page.attributes if name == "id"]
    assert len(identities) == len(set(identities))
    named = [part for _, name, value in page.attributes if name == "aria-labelledby" for part in (value or "").split()]
    assert set(named) <= set(identities)
    spoken = sum(tag == "svg" and name == "role" for tag, name, _ in page.attributes)
    silent = sum(tag == "svg" and name == "aria-hidden" for tag, name, _ in page.attributes)
    assert (spoken, spoken + silent) == (14, page.tags.count("svg")), "7 figures for each model; the other drawings repeat the numbers beside them"
    assert sum(tag == "th" and name == "scope" for tag, name, _ in page.attributes) == page.tags.count("th")


def test_markdown_names_cannot_break_a_table() -> None:
    written = markdown.render(build(hostile()))
    tables = [line for line in written.splitlines() if line.startswith("|")]
    for before, line in itertools.pairwise(tables):
        if line.startswith("| ---"):
            assert before.replace("\\|", "").count("|") == line.count("|")
    groups = written.split("## Groups")[1].split("\n## ")[0]
    bars = {line.replace("\\|", "").count("|") for line in groups.splitlines() if line.startswith("|")}
    assert len(bars) == 1
    assert "<script" not in written
    assert "\x1b" not in written
    assert not re.search(r"(?<!\\)\]\(", written), "no link"
    assert markdown.escape("a|b\nc *d* <b> `e`") == r"a\|b\\nc \*d\* &lt;b&gt; \`e\`"


def test_terminal_shows_no_control_sequence_from_data() -> None:
    for width, piped in ((40, False), (100, False), (80, True)):
        written = terminal(build(hostile()), width, piped=piped)
        assert "\x1b[31m" not in written
        assert "\u202e" not in written
        assert "<script>" in written


@pytest.mark.parametrize("width", [20, 40, 60, 80, 120])
def test_terminal_keeps_to_its_width(width: int) -> None:
    for evaluation in (fake(groups=4), fake(models=3), houses(), hostile()):
        written = terminal(build(evaluation), width)
        assert max(cell_len(line) for line in written.splitlines()) <= width
        assert "\N{HORIZONTAL ELLIPSIS}" not in written or evaluation.source == NASTY, "no number is cut"


def test_narrow_terminal_shows_every_value() -> None:
    report = build(fake(models=3, groups=3))
    words = terminal(report, 40).split()
    for row in report.metrics:
        for cell in row.cells:
            assert f"{cell.value:.6g}" in words


def test_pipe_gets_plain_whole_lines() -> None:
    report = build(fake(models=3, groups=4))
    written = terminal(report, 40, piped=True)
    assert "\x1b" not in written
    assert written.splitlines()[0] == report.verdict
    line = next(line for line in written.splitlines() if line.startswith("rmse"))
    assert [f"{cell.value:.6g}" in line for cell in report.metrics[0].cells] == [True] * 3


def test_same_input_same_bytes() -> None:
    for render in (html.render, json.render, markdown.render):
        assert render(build(fake(900, groups=4))) == render(build(fake(900, groups=4)))


def test_notes_say_what_was_left_out() -> None:
    evaluation = replace(fake(100, 1), states={"ridge": State(97, missing_target=2, infinite_prediction=1)})
    note, _ = build(evaluation).notes
    left_out = "2 with a missing target, 1 with an infinite prediction"
    assert note.text == f"ridge was judged on 97 of 100 rows (97 %); left out: {left_out}."


def test_page_without_rows_says_why_it_has_no_plots() -> None:
    written = html.render(build(replace(fake(), sample=None)))
    assert '<svg class="figure"' not in written
    assert "a state keeps sums, not rows" in written


def test_few_rows_are_points_and_many_are_binned() -> None:
    few, many = build(fake(600, 1)).panels[0], build(fake(601, 1)).panels[0]
    assert len(few.fit.points) == 600
    assert not few.fit.cells
    assert not many.fit.points
    assert sum(count for _, _, count in many.fit.cells) == 601
    assert sum(many.heights) == pytest.approx(1.0)


def test_caption_says_that_a_sample_was_drawn() -> None:
    evaluation = fake(700, 1)
    assert evaluation.sample is not None
    page = html.render(build(replace(evaluation, sample=replace(evaluation.sample, rows=5_000_000))))
    thin = "\N{NARROW NO-BREAK SPACE}"
    assert f"Drawn from a sample of 700 of 5{thin}000{thin}000 rows." in page


def test_share_of_squared_error_by_rank() -> None:
    # Errors 3, 1, 1, 1: squares 9, 1, 1, 1. The worst quarter of the rows carries 9/12.
    y = np.zeros(4)
    p = np.array([1.0, 3.0, 1.0, 1.0])
    panel = build(FakeEvaluation(y, {"a": p}, sample=Sample(np.arange(4), y, {"a": p}, None, 4))).panels[0]
    assert [x for x, _ in panel.shares] == pytest.approx([0, 0.25, 0.5, 0.75, 1])
    assert [share for _, share in panel.shares] == pytest.approx([0, 9 / 12, 10 / 12, 11 / 12, 1])
    weight = np.array([1.0, 0.0, 1.0, 2.0])
    weighted = build(FakeEvaluation(y, {"a": p}, sample=Sample(np.arange(4), y, {"a": p}, weight, 4))).panels[0]
    assert weighted.drawn == 3, "a row of weight 0 is absent"


@pytest.mark.parametrize(
    ("y", "p"),
    [([5.0], [5.0]), ([0.0, 0.0], [0.0, 0.0]), ([1e300, -1e300], [1e300, 1e300]), ([1e-300, 2e-300], [0.0, 0.0]),
     ([1e9, 1e9 + 1e-3], [1e9, 1e9]), ([math.nan, math.inf], [1.0, 2.0]), ([1.7e308, -1.7e308], [-1.7e308, 0.0])],
)  # fmt: skip
def test_extreme_samples_are_drawn_or_left_out(y: list[float], p: list[float]) -> None:
    sample = Sample(np.arange(len(y)), np.array(y), {"a": np.array(p)}, None, len(y))
    page = html.render(build(FakeEvaluation(np.arange(3.0), {"a": np.arange(3.0)}, sample=sample)))
    drawing = "".join(value or "" for tag, name, value in Page(page).attributes if tag == "path" and name == "d")
    assert "nan" not in drawing
    assert "inf" not in drawing


@pytest.mark.parametrize(("low", "high"), [(0, 1), (-3, 17), (0.1, 0.30001), (1e9, 1e9 + 1e-3), (-1e300, 1e300), (0, 4e-300)])
def test_ticks_are_inside_evenly_spaced_and_told_apart(low: float, high: float) -> None:
    at = ticks(low, high)
    assert 3 <= len(at) <= 7
    assert all(low - (high - low) * 1e-6 <= value <= high + (high - low) * 1e-6 for value in at)
    assert np.diff(at) == pytest.approx([at[1] - at[0]] * (len(at) - 1), rel=1e-3)
    assert len(set(tick_labels(at))) == len(at)


def test_tick_labels_are_short() -> None:
    assert tick_labels(ticks(0, 1)) == ("0.0", "0.2", "0.4", "0.6", "0.8", "1.0")
    assert tick_labels(ticks(-200, 300)) == ("\N{MINUS SIGN}200", "\N{MINUS SIGN}100", "0", "100", "200", "300")
    assert tick_labels(ticks(0, 5e7)) == ("0", "1e7", "2e7", "3e7", "4e7", "5e7")


def test_figure_escapes_its_words() -> None:
    figure = Figure("f", title="<b>\x00", description="&", x=(0, 1), y=(0, 1), x_label='"', y_label="<")
    figure.legend([("guide", "<i>")])
    written = figure.render()
    assert "<b>" not in written
    assert "<i>" not in written
    assert "\x00" not in written
    assert "&lt;b&gt;\N{REPLACEMENT CHARACTER}" in written


def test_axis_is_never_empty() -> None:
    for values in ([], [0.0], [5.0, 5.0], [1e9, 1e9 + 1e-7]):
        low, high = axis_range(values)
        assert low < high
        assert all(low <= value <= high for value in values)


def test_one_line_shows_what_cannot_be_seen() -> None:
    assert one_line("a\nb\x1b\u202e") == r"a\nb\x1b\u202e"
    assert one_line("") == "(empty)"
    assert one_line(None) == "(missing)"
    assert one_line("z" * 10_000) == "z" * 59 + "\N{HORIZONTAL ELLIPSIS}"


def test_a_model_that_is_silent_on_hard_rows_is_not_called_best() -> None:
    y = np.arange(40.0)
    hard = y >= 30
    a = y + np.where(hard, 20.0, 1.0) * np.where(y % 2, 1, -1)
    silent = np.where(hard, np.nan, a)
    report = build(squarely.evaluate(y, {"whole": a, "silent": silent}, nan_policy="omit", by=y % 2))
    assert report.verdict.startswith("No model is called best: predictions are missing")
    cells = [cell for row in report.metrics for cell in row.cells] + [cell for group in report.groups for row in group.cells for cell in row]
    assert not any(cell.best for cell in cells)
    same = build(squarely.evaluate(y, {"whole": a, "other": y + 3}, nan_policy="omit"))
    assert any(cell.best for row in same.metrics for cell in row.cells)
