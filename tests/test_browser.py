"""The page in a real browser: silent, alone, and never wider than the screen."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import squarely as sq
from squarely.evaluate import Evaluation
from squarely.report import html
from squarely.report.build import build
from test_report import fake, hostile, houses

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


PAGES: dict[str, Callable[[], str]] = {
    "points": lambda: report(lambda: fake(442, 3, groups=7)),
    "density": lambda: report(lambda: fake(9_000, 1, groups=60)),
    "houses": lambda: report(houses),
    "hostile": lambda: report(hostile),
    "comparison": comparison,
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
    reached = []
    for _ in range(12):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.className || document.activeElement.tagName"))
    page.close()
    assert reached[0] == "skip"
    assert reached.count("scroll") == 2


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
        ]
        ratios = {pair: contrast(page.evaluate(look, pair[0]), page.evaluate(look, pair[1])) for pair in pairs}
        page.close()
        assert {pair: ratio for pair, ratio in ratios.items() if ratio < 4.5} == {}


def contrast(ink: str, paper: str) -> float:
    """The contrast ratio of two colours written #rrggbb (WCAG 2.2, relative luminance)."""

    def luminance(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    bright, dim = sorted((luminance(ink), luminance(paper)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)
