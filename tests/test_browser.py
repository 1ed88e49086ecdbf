"""The page in a real browser: silent, alone, and never wider than the screen."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import squarely as sq
from squarely.evaluate import Evaluation
from squarely.report import html
from squarely.report.build import build
from test_page import found, patients
from test_report import NASTY, fake, hostile, houses

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")


def report(make: Callable[[], Evaluation]) -> str:
    return html.render(build(make(), command="squarely evaluate predictions.csv"))


def comparison() -> str:
    rng = np.random.default_rng(0)
    y = rng.normal(size=300)
    models = {"new": y + rng.normal(size=300), "a name " * 20: y + 1.1 * rng.normal(size=300), "unbroken" * 20: y + 1.5 * rng.normal(size=300)}
    return sq.compare(y, models, metric="rmse", baseline="mean").to_html()


def worst_slices(name: str = "region", labels: Sequence[str] = ("north", "south", "east")) -> str:
    rng = np.random.default_rng(0)
    p = rng.normal(size=600)
    where = rng.integers(0, 3, 600)
    y = p + rng.normal(size=600) * (1 + (where == 1))
    columns = {name: np.array(labels)[where], "size": rng.normal(size=600), "id": np.arange(600).astype(str), "rare": np.arange(600) > 590}
    return sq.slices(y, p, columns=columns, cross=2).to_html()


def fit(name: str = "rooms") -> str:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 3))
    frame = pd.DataFrame(x, columns=[name, f"{name} too", "unbroken" * 20])
    y = pd.Series(1e6 + x @ [1.0, 2.0, 3.0] + 0.5 * x[:, 0] ** 2 + rng.normal(size=300) * (1 + x[:, 1] ** 2), name=name)
    return sq.linear.LinearRegression().fit(frame, y).diagnose(frame, y, order=True).to_html()


def curve(values: Sequence[float] = (0.1, 1.0, 10.0, 100.0), name: str = "alpha") -> str:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 20))
    found = sq.validation_curve(sq.linear.Ridge(), x, x[:, 0] + rng.normal(size=60), parameter="alpha", values=values)
    return replace(found, along=name).to_html()


def fits() -> str:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 3))
    return sq.bias_variance(sq.linear.Ridge(), x, x[:, 0] + rng.normal(size=60), repeats=40).to_html()


PAGES: dict[str, Callable[[], str]] = {
    "points": lambda: report(lambda: fake(442, 3, groups=7)),
    "density": lambda: report(lambda: fake(9_000, 1, groups=60)),
    "houses": lambda: report(houses),
    "hostile": lambda: report(hostile),
    "comparison": comparison,
    "slices": worst_slices,
    "curve": curve,
    "hostile curve": lambda: curve((1e-300, 1e300), NASTY),
    "fits": fits,
    "hostile slices": lambda: worst_slices(NASTY, (NASTY, "unbroken" * 20, "a name " * 20)),
    "fit": fit,
    "hostile fit": lambda: fit(NASTY),
    "findings": lambda: html.render(found()),
    "hostile findings": lambda: html.render(found(NASTY)),
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    for name, make in PAGES.items():
        (folder / f"{name}.html").write_text(make(), encoding="utf-8")
    return {name: folder / f"{name}.html" for name in PAGES}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("name", list(PAGES))
def test_page_is_silent_alone_and_fits(browser: Any, written: dict[str, Path], name: str, width: int, scheme: str) -> None:
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page = context.new_page()
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(written[name].as_uri())
    page.wait_for_load_state("networkidle")
    assert said == []
    assert asked == [written[name].as_uri()]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(int(part) for part in paper[4:-1].split(",")) > 384) == (scheme == "light")
    context.close()


def test_keyboard_reaches_the_tables(browser: Any, written: dict[str, Path]) -> None:
    page = browser.new_page(viewport={"width": 360, "height": 800})
    page.goto(written["points"].as_uri())
    reached: list[str] = []
    while "BODY" not in reached:
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.getAttribute('class') || document.activeElement.tagName"))
    page.close()
    assert reached[0] == "skip"
    assert reached.count("scroll") == 6, "metrics, pairs, groups, and the largest errors of three models"
    assert reached.count("figure") == 3 * 7
    assert {"sort", "INPUT", "SELECT"} <= set(reached)


def test_contrast_of_words_is_readable(browser: Any, written: dict[str, Path]) -> None:
    """Every ink on its paper reaches the ratio 4.5 of WCAG 2.2, criterion 1.4.3, in light and in dark."""
    for scheme in ("light", "dark"):
        page = browser.new_page(color_scheme=scheme)
        page.goto(written["points"].as_uri())
        look = "name => getComputedStyle(document.documentElement).getPropertyValue(name).trim()"
        pairs = [
            ("--ink", "--paper"),
            ("--soft", "--paper"),
            ("--soft", "--card"),
            ("--best", "--best-paper"),
            ("--warn", "--paper"),
            ("--warn", "--card"),
            ("--bad", "--paper"),
            ("--bad", "--card"),
            ("--mark", "--paper"),
            ("--mark", "--card"),
        ]
        ratios = {pair: contrast(page.evaluate(look, pair[0]), page.evaluate(look, pair[1])) for pair in pairs}
        page.close()
        assert {pair: ratio for pair, ratio in ratios.items() if ratio < 4.5} == {}


# --- what the script adds -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def of_patients(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("patients") / "page.html"
    path.write_text(html.render(build(patients())), encoding="utf-8")
    return path


@pytest.fixture
def page(browser: Any, of_patients: Path) -> Iterator[Any]:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(of_patients.as_uri())
    yield page
    assert said == []
    page.close()


def column(page: Any, table: str, at: int) -> list[str]:
    """The exact numbers of a column, where there are such, else its words; only of rows that are seen."""
    return page.eval_on_selector_all(
        f"{table} tbody tr",
        f"rows => rows.filter(row => row.offsetParent).map(row => row.cells[{at}]).map(c => (c.querySelector('data') || {{}}).value || c.innerText)",
    )


def test_tables_sort_up_down_and_back(page: Any) -> None:
    given = column(page, "table.groups", 3)
    values = [float(each) for each in given]
    assert values != sorted(values)
    button = page.locator("table.groups thead tr:nth-child(2) th .sort").first
    for wanted, state in ((sorted(values), "ascending"), (sorted(values, reverse=True), "descending"), (values, None)):
        button.click()
        assert [float(each) for each in column(page, "table.groups", 3)] == wanted
        assert page.locator("table.groups thead tr:nth-child(2) th").first.get_attribute("aria-sort") == state
    page.locator("table.groups thead th .sort").nth(1).click()
    assert column(page, "table.groups", 1) == sorted(column(page, "table.groups", 1))
    page.locator("table.groups thead th .sort").nth(2).focus()
    page.keyboard.press("Enter")
    assert [int(each) for each in column(page, "table.groups", 2)] == [22, 30, 30, 48, 53, 82, 83, 94]


def test_models_are_switched_off_and_on_everywhere(page: Any) -> None:
    seen = "all => all.filter(each => each.getClientRects().length).length"
    whole = page.eval_on_selector_all("svg.figure", seen)
    assert whole == 21
    page.get_by_role("checkbox", name="ridge").uncheck()
    assert page.eval_on_selector_all("svg.figure", seen) == 14
    assert "ridge" not in page.inner_text("#metrics table") + page.inner_text("#groups") + page.inner_text("#calibration")
    assert page.inner_text("#comparison tbody").count("linear") == 1, "one pair is left"
    page.get_by_role("checkbox", name="boosting").uncheck()
    page.get_by_role("checkbox", name="linear").click()
    assert page.get_by_role("checkbox", name="linear").is_checked(), "the last one stays"
    page.get_by_role("checkbox", name="ridge").check()
    page.get_by_role("checkbox", name="boosting").check()
    assert page.eval_on_selector_all("svg.figure", seen) == whole


def test_groups_are_picked(page: Any) -> None:
    page.get_by_label("age_band").select_option("35-49")
    assert column(page, "table.groups", 0) == ["sex_1", "sex_2"]
    assert page.inner_text("#groups-shown") == "2 of 8 shown"
    page.get_by_label("sex").select_option("sex_2")
    page.locator("table.groups thead th .sort").nth(2).click()
    assert column(page, "table.groups", 0) == ["sex_2"]
    page.get_by_label("age_band").select_option("all")
    page.get_by_label("sex").select_option("all")
    assert len(column(page, "table.groups", 0)) == 8


def test_rare_metrics_wait_for_a_button_and_are_on_paper(page: Any) -> None:
    assert len(column(page, "table.metrics", 1)) == 9
    page.emulate_media(media="print")
    assert len(column(page, "table.metrics", 1)) == 26
    assert not page.locator(".controls").first.is_visible()
    page.emulate_media(media="screen")
    page.get_by_role("button", name="Show all 26 metrics").click()
    assert len(column(page, "table.metrics", 1)) == 26


def test_marks_tell_their_numbers(page: Any) -> None:
    tip, figure = page.locator(".tip"), page.locator("#calibration svg.figure").first
    assert not tip.is_visible()
    first = figure.locator(".hot").get_attribute("data-at").split(";")[0].split(",")
    figure.scroll_into_view_if_needed()
    box = figure.bounding_box()
    scale = box["width"] / 360
    page.mouse.move(box["x"] + float(first[0]) * scale, box["y"] + float(first[1]) * scale)
    assert tip.inner_text().startswith("row ")
    assert first[3] in tip.inner_text()
    assert first[4] in tip.inner_text()
    page.mouse.move(box["x"] + 2, box["y"] + 2)
    assert not tip.is_visible()
    bars = page.locator("#residuals svg.figure").nth(1)
    bars.focus()
    page.keyboard.press("ArrowRight")
    assert "% of the rows" in tip.inner_text()
    before = tip.inner_text()
    page.keyboard.press("End")
    assert tip.inner_text() != before
    page.keyboard.press("Escape")
    assert not tip.is_visible()


def test_a_finger_reads_one_figure_after_the_other(browser: Any, of_patients: Path) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 800}, has_touch=True)
    page = context.new_page()
    page.goto(of_patients.as_uri())
    told = []
    for at in (1, 2):
        figure = page.locator("#calibration svg.figure").nth(at)
        figure.scroll_into_view_if_needed()
        box = figure.bounding_box()
        page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        assert page.locator(".tip").is_visible(), "a lifted finger leaves the numbers to be read"
        told.append(page.locator(".tip").inner_text())
        assert page.locator(".ring").count() == 1
    assert "mean actual" in told[0]
    assert told[1].startswith("row ")
    context.close()


def test_without_script_the_page_has_all(browser: Any, of_patients: Path) -> None:
    context = browser.new_context(java_script_enabled=False, viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(of_patients.as_uri())
    assert page.locator("table.metrics tbody tr:visible").count() == 26
    assert page.locator("table.groups tbody tr:visible").count() == 8
    assert page.locator("svg.figure:visible").count() == 21
    assert page.locator(".controls:visible").count() == 0
    context.close()


def test_no_other_script_runs(browser: Any, of_patients: Path, tmp_path: Path) -> None:
    forged = of_patients.read_text(encoding="utf-8").replace("</main>", "<script>document.title = 'forged'</script></main>")
    (tmp_path / "forged.html").write_text(forged, encoding="utf-8")
    page = browser.new_page()
    page.goto((tmp_path / "forged.html").as_uri())
    assert "forged" not in page.title()
    assert page.locator(".sort").count() > 0, "its own does"
    page.close()


def test_a_notebook_shows_the_page_in_a_frame(browser: Any, tmp_path: Path) -> None:
    (tmp_path / "notebook.html").write_text(f"<!doctype html><p>cell</p>{patients()._repr_html_()}", encoding="utf-8")
    page = browser.new_page(viewport={"width": 1000, "height": 800})
    page.goto((tmp_path / "notebook.html").as_uri())
    frame = page.frame_locator("iframe")
    assert "smallest RMSE" in frame.locator("h1").inner_text()
    frame.locator("nav a", has_text="Groups").click()
    assert frame.locator("#groups h2").is_visible()
    assert page.locator("p").inner_text() == "cell"
    page.close()


def contrast(ink: str, paper: str) -> float:
    """The contrast ratio of two colours written #rrggbb (WCAG 2.2, relative luminance)."""

    def luminance(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    bright, dim = sorted((luminance(ink), luminance(paper)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)
