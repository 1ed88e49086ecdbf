"""The page of a fit: what it shows is what statsmodels says of the same rows, and names cannot add markup."""

from __future__ import annotations

import re
import warnings
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from statsmodels.stats.outliers_influence import variance_inflation_factor

from squarely.errors import DependentColumnsWarning
from squarely.linear import FitDiagnosis, LinearRegression
from squarely.linear.pictures import _means
from test_report import NASTY

N = 240
SECTIONS = [
    "findings",
    "assumptions",
    "coefficients",
    "features",
    "influence",
    "metrics",
    "calibration",
    "residuals",
    "concentration",
    "order",
    "notes",
]


def rows(n: int = N, names: tuple[str, ...] = ("size", "rooms", "age")) -> tuple[pd.DataFrame, pd.Series]:
    """Return collinear features, one of which acts along a curve, unequal variances, and one row far off."""
    rng = np.random.default_rng(11)
    x = rng.normal(size=(n, 3)) + np.array([0, 0, 40])
    x[:, 1] = x[:, 0] + 0.1 * x[:, 1]
    y = 200 + x @ [3.0, 2.0, 1.0] + (x[:, 2] - 40) ** 2 + rng.normal(size=n) * (1 + np.abs(x[:, 0]))
    y[17] += 25
    return pd.DataFrame(x, columns=list(names)), pd.Series(y, name="price")


X, Y = rows()
PEER = sm.OLS(Y.to_numpy(), sm.add_constant(X.to_numpy())).fit()


def diagnosed(x: pd.DataFrame = X, y: pd.Series = Y, **kwargs: object) -> FitDiagnosis:
    return LinearRegression().fit(x, y).diagnose(x, y, **kwargs)


class Cells(HTMLParser):
    """The cells of all tables of a page, by row; sections by their anchor."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tables: dict[str, list[list[str]]] = {}
        self.sections: list[str] = []
        self.idents: list[str] = []
        self.open = False
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        ident = dict(attributes).get("id")
        if ident:
            self.idents.append(ident)
        if tag == "section":
            self.sections.append(ident or "")
        elif tag == "tr":
            self.tables.setdefault(self.sections[-1], []).append([])
        self.open = tag in ("td", "th") or (self.open and tag in ("bdi", "span"))
        if tag in ("td", "th"):
            self.tables[self.sections[-1]][-1].append("")

    def handle_endtag(self, tag: str) -> None:
        self.open = self.open and tag not in ("td", "th")

    def handle_data(self, data: str) -> None:
        if self.open:
            self.tables[self.sections[-1]][-1][-1] += data


def numbers(cells: list[str]) -> list[float]:
    return [float(cell.replace("\N{MINUS SIGN}", "-").replace(",", "")) for cell in cells]


def test_the_page_has_every_section_once() -> None:
    page = Cells(diagnosed(order=True).to_html())
    assert page.sections == SECTIONS
    assert len(set(page.idents)) == len(page.idents)


def test_the_table_of_assumptions_is_that_of_the_diagnosis() -> None:
    found = diagnosed()
    table = Cells(found.to_html()).tables["assumptions"]
    assert table[0] == ["Assumption", "Verdict", "Severity", "Evidence", "Where it fails", "Remedy"]
    assert table[1:] == [[each.name, each.verdict, each.severity or "-", each.evidence, each.consequence, each.remedy] for each in found.assumptions]
    assert [row[1] for row in table[1:]].count("violated") >= 3
    assert '<span class="severity serious">serious</span>' in found.to_html()


def test_coefficients_are_those_of_statsmodels() -> None:
    cells = Cells(diagnosed().to_html()).tables["coefficients"]
    facts, estimates = {row[0]: row[1] for row in cells if len(row) == 2}, {row[0]: numbers(row[1:]) for row in cells if row[0] in ("intercept", *X)}
    assert float(facts["R-squared"]) == pytest.approx(PEER.rsquared, abs=5e-5)
    assert numbers([facts["AIC"], facts["Log-Likelihood"]]) == pytest.approx([PEER.aic, PEER.llf], rel=1e-5)
    for at, name in enumerate(("intercept", *X)):
        expected = [PEER.params[at], PEER.bse[at], PEER.tvalues[at], PEER.pvalues[at], *PEER.conf_int()[at]]
        assert estimates[name] == pytest.approx(expected, abs=6e-4), name


def test_the_page_says_what_is_to_be_expected_of_new_rows() -> None:
    page = diagnosed().to_html()
    press = PEER.get_influence().ess_press / PEER.ssr
    assert f"rows left out one by one have {press:.4g} times the MSE of the fit; {(N + 4) / (N - 4):.4g} is expected of 4 coefficients" in page
    assert "What shrinking is expected to save on new rows: James-Stein" in page


def test_inflations_are_those_of_statsmodels() -> None:
    page = diagnosed().to_html()
    cells = {row[0]: numbers(row[1:]) for row in Cells(page).tables["features"][1:]}
    design = sm.add_constant(X.to_numpy())
    for at, name in enumerate(X, 1):
        vif = variance_inflation_factor(design, at)
        assert cells[name] == pytest.approx([vif, vif**0.5], rel=5e-3)
    assert re.search(r"0.71 &#39;(size|rooms)&#39; - 0.71 &#39;(size|rooms)&#39; varies least: 0.0\d+ times", page)
    assert "of 16 digits of the coefficients are left" in page
    independent = pd.DataFrame(np.random.default_rng(0).normal(size=(N, 3)), columns=list(X))
    assert "varies least" not in diagnosed(independent).to_html(), "nothing is to be told of features that have nothing in common"


def test_rows_are_those_of_statsmodels() -> None:
    influence = PEER.get_influence()
    cook = influence.cooks_distance[0]
    cells = Cells(diagnosed().to_html()).tables["influence"]
    worst = np.argsort(-cook)[:10]
    assert [int(row[0]) for row in cells[1:]] == (worst + 1).tolist()
    for row, at in zip(cells[1:], worst, strict=True):
        expected = [Y[at], PEER.fittedvalues[at], PEER.resid[at], influence.hat_matrix_diag[at], influence.resid_studentized_external[at], cook[at]]
        assert numbers(row[1:7]) == pytest.approx(expected, rel=5e-3)
        moved = influence.dfbetas[at]
        most = int(np.abs(moved).argmax())
        assert row[8] == f"{('intercept', *X)[most]} by {moved[most]:.2g}"
    assert f"{(cook > 4 / N).sum()} rows have a Cook's distance above 4 / n" in diagnosed().exhibits[-1].lead


def test_pictures_show_each_row_once() -> None:
    exhibits = {each.ident: each for each in diagnosed().exhibits}
    headings = [picture.heading for picture in exhibits["features"].pictures]
    assert headings == [f"{kind}: {name}" for kind in ("Component plus residual", "Partial regression") for name in X]
    for picture in exhibits["features"].pictures:
        assert re.search(r'class="dots" d="([^"]*)"', picture.svg)[1].count("M") == N  # type: ignore[index]
    bubbles, scale = exhibits["influence"].pictures
    assert bubbles.svg.count('class="bubble"') == N
    influence = PEER.get_influence()
    worst = int(influence.cooks_distance[0].argmax())
    radii = [float(each) for each in re.findall(r' r="([\d.]+)"', bubbles.svg)]
    largest = max(1.0, influence.cooks_distance[0].max())
    assert max(radii) == pytest.approx(14 * (influence.cooks_distance[0][worst] / largest) ** 0.5, abs=0.06)
    assert re.search(r'class="dots" d="([^"]*)"', scale.svg)[1].count("M") == N  # type: ignore[index]


def test_means_of_neighbours_bend_where_the_feature_does() -> None:
    x = np.repeat(np.arange(6.0), 40)
    assert _means(x, x**2) == [(at, at**2) for at in range(6)], "equal values are one group"
    assert _means(np.repeat([0.0, 1.0], 50), np.zeros(100)) == []
    assert _means(np.arange(14.0), np.zeros(14)) == [], "too few for three groups"
    at = np.linspace(-1, 1, 1_200)
    assert [y for _, y in _means(at, at**2)] == pytest.approx([(at[part] ** 2).mean() for part in np.array_split(np.arange(1_200), 12)], abs=2e-3)


def test_many_rows_are_drawn_in_steps_with_those_that_decide() -> None:
    x, y = rows(3_500)
    exhibits = {each.ident: each for each in diagnosed(x, y).exhibits}
    assert "Drawn are 875 of 3,500 rows, in equal steps." in exhibits["features"].lead
    svg = exhibits["influence"].pictures[0].svg
    top = LinearRegression().fit(x, y).influence(x, y, top=10)
    told = [item.split(",") for item in re.search(r'data-at="([^"]*)"', svg)[1].split(";")]  # type: ignore[index]
    assert {len(item) for item in told} == {4}, "place, row and Cook's distance"
    assert {int(item[2]) - 1 for item in told} == {*range(0, 3_500, 4), *top.rows.tolist()}
    assert svg.count('class="bubble"') == 875 + sum(row % 4 != 0 for row in top.rows)


def test_of_many_features_those_are_drawn_that_explain_or_bend() -> None:
    rng = np.random.default_rng(0)
    x = pd.DataFrame(rng.normal(size=(400, 12)), columns=[f"f{at}" for at in range(12)])
    y = pd.Series(2 * x["f3"] + x["f5"] + x["f9"] ** 2 + 0.5 * rng.normal(size=400))
    exhibit = {each.ident: each for each in diagnosed(x, y).exhibits}["features"]
    drawn = {picture.heading.partition(": ")[2] for picture in exhibit.pictures}
    assert len(drawn) == 6
    assert {"f3", "f5", "f9"} <= drawn
    assert "Drawn are the 6 features that explain most, or bend most." in exhibit.lead


@pytest.mark.parametrize("case", ["weights", "dependent", "constant", "perfect", "no intercept", "few", "alone", "huge"])
def test_odd_fits_have_a_page(case: str) -> None:
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(60, 3)), rng.normal(size=60)
    y = y + x.sum(axis=1)
    weight = None
    if case == "weights":
        weight = rng.lognormal(size=60) * (np.arange(60) % 5 > 0)
    elif case == "dependent":
        x[:, 2] = x[:, 0] + x[:, 1]
    elif case == "constant":
        x = np.ones((60, 1))
    elif case == "perfect":
        y = x.sum(axis=1)
    elif case == "few":
        x, y = x[:7], y[:7]
    elif case == "alone":
        x[:, 2] = np.arange(60) == 3
    elif case == "huge":
        x = x * 1e150
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DependentColumnsWarning)
        model = LinearRegression(fit_intercept=case != "no intercept").fit(x, y, weight)
        page = Cells(model.diagnose(x, y, weight).to_html())
    assert page.sections[1:5] == SECTIONS[1:5]
    assert page.tables["assumptions"]


def test_a_sound_fit_has_its_page_too() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 3))
    y = x.sum(axis=1) + rng.normal(size=200)
    found = LinearRegression().fit(x, y).diagnose(x, y)
    assert not found.findings
    page = found.to_html()
    assert Cells(page).sections[:5] == SECTIONS[:5]
    assert "Nothing is wrong with these errors as far as the checks can tell." in page


def test_names_are_only_names(tmp_path: Path) -> None:
    x, y = rows(names=(NASTY, "a name " * 20, "</script><script>alert(1)</script>"))
    found = diagnosed(x, y.rename(NASTY))
    page = found.to_html(tmp_path / "page.html")
    assert page == (tmp_path / "page.html").read_text(encoding="utf-8")
    assert page == found.to_html()
    assert page.count("<script>") == 1
    assert NASTY not in page
    assert Cells(page).sections == SECTIONS


def test_no_row_is_kept_that_is_not_shown() -> None:
    x, y = rows(20_000)
    found = diagnosed(x, y).shown
    assert found is not None
    assert max(len(found.drawn.rows.root_weight), len(found.drawn.influence.rows), len(found.top_targets)) <= 1_000
