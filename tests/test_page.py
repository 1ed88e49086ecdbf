"""What the sections of a page show is what other libraries compute, and what a reader can check by hand."""

from __future__ import annotations

import json as stdlib_json
import math
import re
from dataclasses import replace
from html import unescape
from typing import Any

import numpy as np
import pytest
from scipy.stats import probplot, t
from sklearn.isotonic import IsotonicRegression

import squarely as sq
from commanding import EXAMPLES
from squarely.compare import at_hand
from squarely.report import html, json, markdown
from squarely.report.build import build
from squarely.report.finding import Finding
from squarely.report.panel import Panel
from squarely.report.plots import panel
from squarely.report.report import Report
from squarely.report.sections import sections
from test_report import NASTY, FakeEvaluation, Page, Sample, fake, houses, terminal

PATIENTS = {"target": "actual", "prediction": ["linear", "ridge", "boosting"]}


def patients(**options: Any) -> sq.Evaluation:
    return sq.evaluate(str(EXAMPLES / "diabetes.csv"), **{**PATIENTS, "by": ["sex", "age_band"], **options})


def drawn(y: Any, p: Any, weight: Any = None, rows: Any = None, confidence: float | None = 0.95) -> Panel:
    y, p = np.asarray(y, np.float64), np.asarray(p, np.float64)
    found = panel(Sample(np.arange(len(y)) if rows is None else rows, y, {"m": p}, weight, len(y)), "m", confidence)
    assert found is not None
    return found


def noisy(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = rng.normal(100, 20, n)
    return y, (0.6 * y + 35 + rng.normal(0, 12, n)).round(0), rng.integers(1, 5, n).astype(np.float64)


# --- calibration --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("scale", [1.0, 1e-290, 1e290])
def test_the_curve_is_isotonic_regression(weighted: bool, scale: float) -> None:
    y, p, w = noisy(300)
    weight = w if weighted else None
    known = IsotonicRegression().fit(p, y, sample_weight=weight)
    x, curve = np.array(drawn(y * scale, p * scale, weight).calibration.curve).T / scale
    assert (np.diff(curve) >= 0).all()
    across = np.linspace(p.min(), p.max(), 501)
    assert np.interp(across, x, curve) == pytest.approx(known.predict(across), rel=1e-9)


def test_the_bins_have_the_intervals_of_the_mean_error() -> None:
    y, p, _ = noisy(400)
    pillars = drawn(y, p, confidence=0.9).calibration.pillars
    assert len(pillars) == 10
    assert sum(each.rows for each in pillars) == 400
    first = p <= np.quantile(p, 0.1)
    error = (y - p)[first]
    assert (pillars[0].rows, pillars[0].predicted, pillars[0].actual) == pytest.approx((first.sum(), p[first].mean(), y[first].mean()))
    half = t.ppf(0.95, first.sum() - 1) * error.std(ddof=1) / math.sqrt(first.sum())
    assert (pillars[0].low, pillars[0].high) == pytest.approx((y[first].mean() - half, y[first].mean() + half))


def test_bins_of_equal_and_few_predictions() -> None:
    assert len(drawn(np.arange(100.0), np.full(100, 3.0)).calibration.pillars) == 1
    assert drawn([1.0, 2.0], [1.0, 3.0]).calibration.pillars == ()
    assert "too few rows" not in html.render(build(houses()))


@pytest.mark.parametrize(("low", "high", "words"), [(0.7, 0.9, "too extreme. "), (1.1, 1.3, "too timid. "), (0.9, 1.2, "no sign")])
def test_what_follows_from_the_slope(low: float, high: float, words: str) -> None:
    report = build(fake(models=1))
    slope, intercept = report.lines[0]
    lines = ((replace(slope, interval=slope.interval._replace(low=low, high=high)), intercept),)
    assert words in sections(replace(report, lines=lines))[0].blocks[0].words[-1] + " "


# --- residuals ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [2, 5, 240])
def test_quantiles_are_those_of_scipy(n: int) -> None:
    y, p, _ = noisy(n)
    normal, ordered = probplot(p - y, fit=False)
    points = np.array(drawn(y, p).quantiles.points)
    assert points[:, 0] == pytest.approx(normal, abs=1e-12)
    assert points[:, 1] == pytest.approx(ordered)
    assert (p - y)[points[:, 2].astype(int) - 1] == pytest.approx(ordered), "each point knows its row"


def test_of_many_quantiles_the_ends_are_all_drawn() -> None:
    y, p, w = noisy(5000)
    normal, ordered = probplot(p - y, fit=False)
    points = np.array(drawn(y, p).quantiles.points)
    assert len(points) < 300
    for ends in (slice(0, 40), slice(-40, None)):
        assert points[ends, 0] == pytest.approx(normal[ends], abs=1e-12)
        assert points[ends, 1] == pytest.approx(ordered[ends])
    line = np.array(drawn(y, p).quantiles.line)
    assert np.diff(line[:, 1]) / np.diff(line[:, 0]) == pytest.approx([(p - y).std()])
    assert np.diff(np.array(drawn(y, p, w).quantiles.points)[:, 0]).min() > 0


# --- concentration and order --------------------------------------------------------------------------------------


def test_the_largest_errors_are_counted_from_row_1() -> None:
    y = np.zeros(40)
    p = np.where(np.arange(40) == 6, -3.0, np.where(np.arange(40) == 30, 2.0, 1.0))
    worst = drawn(y, p).worst
    total = 9 + 4 + 38
    assert len(worst) == 10
    assert [(each.number, each.residual) for each in worst[:3]] == [(7, -3.0), (31, 2.0), (1, 1.0)]
    assert [each.share for each in worst[:2]] == pytest.approx([9 / total, 4 / total])
    assert drawn([1.0, 2.0], [1.0, 2.0]).worst == ()
    weight = np.where(np.arange(40) == 6, 2.0, 1.0)
    assert drawn(y, p, weight).worst[0].share == pytest.approx(18 / (total + 9))


def test_the_page_says_of_which_rows_the_largest_errors_are() -> None:
    rng = np.random.default_rng(3)
    y = rng.normal(size=40_000)
    p = y + rng.normal(size=40_000)
    sure, quick = (unescape(sq.evaluate(y, p, ci=ci).to_html()) for ci in (None, "none"))
    largest = int(np.argmax(np.abs(p - y))) + 1
    assert f'data-value="{largest}"' in sure
    assert "The largest errors, and their shares of the squared error<" in sure
    assert "among the" not in sure
    assert f'data-value="{largest}"' not in quick, "the largest is not among the rows drawn"
    count = re.search(r"Drawn from a sample of (.+?) of (.+?) rows", quick)
    assert count
    assert f"The largest errors among the {count[1]} rows drawn of {count[2]}, and their shares of the squared error of those drawn. " in quick
    assert "among the" not in unescape(sq.evaluate(y[:99], p[:99], ci="none").to_html()), "all rows are drawn"


def test_blocks_follow_the_rows() -> None:
    y = np.zeros(1000)
    p = np.repeat([1.0, -3.0], 500)
    blocks = drawn(y, p, rows=np.arange(0, 10_000, 10)).blocks
    assert len(blocks) == 20
    assert (blocks[0].first, blocks[0].last, blocks[-1].last) == (1, 491, 9991)
    assert [value for each in (blocks[0], blocks[-1]) for value in (each.rmse, each.bias)] == pytest.approx([1.0, 1.0, 3.0, -3.0])
    several_files = drawn(y, p, rows=np.tile(np.arange(500), 2)).blocks
    assert (several_files[0].first, several_files[-1].last) == (1, 1000)
    assert drawn(y[:9], p[:9]).blocks == ()


def test_whether_rows_lie_in_order_is_said() -> None:
    y, p, _ = noisy(200)
    asked, not_asked = (html.render(build(sq.evaluate(y, p, order=order))) for order in (True, None))
    assert "only if rows lie in an order" in not_asked
    assert "only if rows lie in an order" not in asked
    assert "from the first row to the last?" in asked


# --- models -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("metric", ["mse", "r2"])
def test_what_is_at_hand_is_what_compare_says(metric: str) -> None:
    evaluation = patients(by=None)
    found = at_hand(evaluation, metric)
    known = sq.compare(str(EXAMPLES / "diabetes.csv"), metric=metric, **PATIENTS)
    assert found is not None
    assert [replace(pair, dominates=None) for pair in found] == [replace(pair, dominates=None) for pair in known]
    assert (found.verdict, found.method) == (known.verdict, known.method)


def test_nothing_is_compared_that_cannot_be() -> None:
    y, p, _ = noisy(60)
    silent = np.where(np.arange(60) < 5, np.nan, p)
    assert at_hand(sq.evaluate(y, p)) is None
    assert at_hand(sq.evaluate(y, {"a": p, "b": p + 1}, ci="none")) is None
    assert at_hand(sq.evaluate(y, {"a": p, "b": silent}, nan_policy="omit")) is None
    assert at_hand(sq.evaluate(y, {"a": p, "b": silent}, nan_policy="propagate")) is None
    page = html.render(build(sq.evaluate(y, {"a": p, "b": silent}, nan_policy="omit")))
    assert 'id="comparison"' not in page


def test_the_verdict_says_whether_models_can_be_told_apart() -> None:
    y, p, _ = noisy(300)
    rng = np.random.default_rng(1)
    models = {"good": p, "same": p + rng.normal(0, 0.1, 300), "bad": p + rng.normal(0, 30, 300)}
    report = build(sq.evaluate(y, models))
    assert re.fullmatch(r"On MSE (good|same) beats bad \(p < 0\.001\), and cannot be told apart from (good|same) \(p = [\d.]+\)\.", report.told_apart)
    for written in (terminal(report, 300), markdown.render(report), html.render(report)):
        assert report.told_apart in unescape(written)
    document = stdlib_json.loads(json.render(report))["comparison"]
    assert [(pair["a"], pair["b"], pair["better"]) for pair in document["pairs"]][1][1:] == ("bad", report.pairs.rows[0].pair.a)  # type: ignore[union-attr]
    assert build(houses()).told_apart == ""
    many = {f"m{at}": y + rng.normal(0, 5 + at, 300) for at in range(12)}
    assert len(build(sq.evaluate(y, many, metrics="mse")).pairs.rows) == 11  # type: ignore[union-attr]


def test_the_worst_group_is_named() -> None:
    assert "The largest MSE is that of sex sex_1, age_band 35-49 (83 rows): there the RMSE of linear is 61.4, and over all rows 55.2." in html.render(
        build(patients())
    )


# --- findings -----------------------------------------------------------------------------------------------------


def found(words: str = "a <b> & `c` ") -> Report:
    findings = tuple(
        Finding(f"SQ00{at}", f"title {at} {words}", severity, model, words, words, words, words, f"x = 1\n{words}\n", words)
        for at, (severity, model) in enumerate([("serious", "ridge"), ("warning", ""), ("info", "mean"), ("info", "")])
    )
    return replace(build(fake()), findings=findings, not_testable=(("SQ009 drift", f"no time {words}"),), advice=f"absolute error {words}")


def test_findings_are_told_in_every_format() -> None:
    report = found()
    told = {"html": Page(html.render(report)).words, "markdown": [markdown.render(report)]}
    short = terminal(report, 200)
    shown = [each for each in range(4) if report.findings[each].severity != "info"]
    at = [short.index(f"title {each}") for each in shown]
    assert at == sorted(at)
    assert all(word in short for word in ("serious", "warning", "absolute error", "SQ000"))
    for form, words in told.items():
        text = "".join(words)
        at = [text.index(f"title {each}") for each in range(4)]
        assert at == sorted(at), form
        for said in ("serious", "warning", "SQ009 drift", "absolute error", "What to do", "x = 1", "SQ003"):
            assert said in text, (form, said)
    document = stdlib_json.loads(json.render(report))
    assert [each["id"] for each in document["findings"]] == ["SQ000", "SQ001", "SQ002", "SQ003"]
    assert document["findings"][0]["severity"] == "serious"
    assert document["not_testable"] == [{"what": "SQ009 drift", "reason": "no time a <b> & `c` "}]
    assert document["advice"].startswith("absolute error")


def test_the_first_three_findings_stand_below_the_verdict() -> None:
    page = html.render(found())
    header = page[: page.index("</header>")]
    assert re.findall(r'href="(#finding-\d)"', header) == ["#finding-1", "#finding-2", "#finding-3"]
    assert page.count('<article class="finding') == 4
    assert '<li><a href="#findings">' in header
    assert page.index('id="findings"') < page.index('id="metrics"')
    assert '<pre tabindex="0"><code>x = 1\na &lt;b&gt; &amp; `c` ' in page


def test_nothing_is_shown_of_findings_that_there_are_not() -> None:
    report = build(fake())
    written = [html.render(report).split("</style>")[1], markdown.render(report), terminal(report, 100)]
    assert not any(re.search("finding|not looked for|loss to train", each, flags=re.IGNORECASE) for each in written)
    only = replace(report, advice="Train with squared error.")
    assert all("squared error." in each for each in (html.render(only), markdown.render(only), terminal(only, 100)))


def test_names_in_findings_are_only_names() -> None:
    hostile, plain = found(NASTY + "\n```\n</code></pre></script>"), found()
    assert Page(html.render(hostile)).tags == Page(html.render(plain)).tags
    assert html.render(hostile).count("</script") == 1
    written = markdown.render(hostile)
    outside = re.sub(r"(?ms)^(`{3,})\n.*?^\1$", "", written)
    assert "<script" not in outside
    assert outside.count("\n#") == re.sub(r"(?ms)^(`{3,})\n.*?^\1$", "", markdown.render(plain)).count("\n#")
    assert "\x1b" not in written + html.render(hostile) + terminal(hostile, 80)


# --- the page -----------------------------------------------------------------------------------------------------


def test_sections_are_in_order_and_have_anchors_and_a_lead() -> None:
    page = html.render(build(patients()))
    named = ["metrics", "comparison", "groups", "calibration", "residuals", "concentration", "order", "notes"]
    assert re.findall(r'<section id="(\w+)"', page) == named
    assert re.findall(r'<li><a href="#(\w+)">', page) == [*named, "provenance"]
    assert page.count('<p class="lead">') == len(named) + 1


def test_the_page_is_small() -> None:
    assert len(html.render(build(patients())).encode()) < 400_000
    rng = np.random.default_rng(0)
    y = rng.normal(size=20_000)
    models = {f"model {at}": y + rng.normal(size=20_000) for at in range(8)}
    many = sq.evaluate(y, models, by=np.arange(20_000) % 100)
    assert len(html.render(build(many)).encode()) < 2_000_000


def test_no_words_lie_over_the_dots_of_a_fit() -> None:
    """A row far off the line may be in any corner, so what the line is stands below the drawing."""
    page = html.render(build(sq.evaluate([9.0, 1, 2, 3], [0.0, 1, 2, 9])))
    drawing, caption = page.split('-fit-t"')[1].split("</svg>")[:2]
    assert drawing.count('data-at="') == 1
    assert 'class="key"' not in drawing
    assert "On the dashed line a prediction is right; above it, it is too small." in caption


def test_hover_has_the_numbers_of_the_rows() -> None:
    page = Page(html.render(build(houses())))
    items = [value for _, name, value in page.attributes if name == "data-at" and value]
    words = [value for _, name, value in page.attributes if name == "data-say" and value]
    assert words[0] == "row {0}: predicted {1}, actual {2}"
    assert [item.split(",")[2:] for item in items[0].split(";")] == [
        ["1", "240", "250"], ["2", "310", "300"], ["3", "200", "180"], ["4", "400", "420"], ["5", "360", "350"]
    ]  # fmt: skip
    for each, item in zip(words, items, strict=True):
        most = max(int(at) for at in re.findall(r"\{(\d)\}", each))
        assert all(len(one.split(",")) >= most + 3 for one in item.split(";"))


def test_a_model_without_rows_to_draw_leaves_the_others() -> None:
    y = np.arange(50.0)
    sample = Sample(np.arange(50), y, {"silent": np.full(50, np.nan), "heard": y + 1}, None, 50)
    report = build(FakeEvaluation(y, {"silent": y + 2, "heard": y + 1}, sample=sample))
    page = Page(html.render(report))
    blocks = [value for tag, name, value in page.attributes if tag == "div" and name == "data-model"]
    assert set(blocks) == {"1"}
