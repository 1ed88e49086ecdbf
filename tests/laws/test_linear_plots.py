"""Plots of a fit: their dots are those of statsmodels' regressions, and their words cannot add markup."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from squarely.errors import DataError
from squarely.linear import LinearRegression

RNG = np.random.default_rng(8)
X = RNG.normal(size=(80, 3)) * [1, 30, 0.1] + [0, 500, 2]
Y = X @ [1.0, 0.1, 5.0] + RNG.normal(size=80)


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("at", [0, 2])
def test_dots_of_one_feature_are_those_of_statsmodels(intercept: bool, at: int) -> None:
    model = LinearRegression(fit_intercept=intercept).fit(X, Y)
    design = sm.add_constant(X) if intercept else X
    others = np.delete(design, at + intercept, axis=1)
    partial = model.plot(X, Y, kind="partial", feature=f"x{at}")
    np.testing.assert_allclose(partial.x, sm.OLS(X[:, at], others).fit().resid, rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(partial.y, sm.OLS(Y, others).fit().resid, rtol=1e-9, atol=1e-11)
    peer = sm.OLS(Y, design).fit()
    component = model.plot(X, Y, kind="component", feature=f"x{at}")
    np.testing.assert_allclose(component.x, X[:, at], rtol=1e-12)
    np.testing.assert_allclose(component.y, X[:, at] * peer.params[at + intercept] + peer.resid, rtol=1e-9, atol=1e-11)
    assert partial.svg.count('class="guide"') == component.svg.count('class="guide"') == 1


def test_dots_of_influence_are_those_of_statsmodels(tmp_path: Path) -> None:
    found, peer = LinearRegression().fit(X, Y).plot(X, Y), sm.OLS(Y, sm.add_constant(X)).fit().get_influence()
    np.testing.assert_allclose(found.x, peer.hat_matrix_diag, rtol=1e-9)
    np.testing.assert_allclose(found.y, peer.resid_studentized_external, rtol=1e-9)
    assert found.to_svg(tmp_path / "plot.svg") == (tmp_path / "plot.svg").read_text(encoding="utf-8")
    root = ElementTree.fromstring(found.svg)
    radii = [float(each.get("r", "")) for each in root.iter("{http://www.w3.org/2000/svg}circle")]
    assert len(radii) == 80
    largest = peer.cooks_distance[0].max() ** 0.5
    assert max(radii) == pytest.approx(max(1.5, 14 * largest), abs=0.06)


def test_a_plot_can_stand_beside_others() -> None:
    """In a notebook styles and anchors are those of the whole page."""
    model = LinearRegression().fit(X, Y)
    made = [model.plot(X, Y), *(model.plot(X, Y, kind=kind, feature=f"x{at}") for kind in ("partial", "component") for at in range(3))]
    idents = [ident for plot in made for ident in re.findall(r' id="([^"]+)"', plot.svg)]
    assert len(set(idents)) == len(idents) == 14
    for plot in made:
        rules = re.search("<style>(.*)</style>", plot.svg)[1].replace("@media(prefers-color-scheme:dark){", "")  # type: ignore[index]
        assert all(rule.split()[0] == ".squarely" for rule in re.findall(r"[^{}]+(?={)", rules))
        assert "80 rows" in repr(plot)
        assert len(repr(plot)) < 120


def test_a_large_mean_does_not_flatten_a_component() -> None:
    year = np.linspace(2000, 2010, 80)[:, None]
    svg = LinearRegression().fit(year, Y + year[:, 0]).plot(year, Y + year[:, 0], kind="component", feature="x0").svg
    heights = [float(each) for each in re.findall(r"M[\d.]+ ([\d.]+)h0", svg)]
    assert max(heights) - min(heights) > 200, "of 294"


def test_many_rows_are_drawn_in_steps() -> None:
    x = np.random.default_rng(0).normal(size=(9_000, 1))
    found = LinearRegression().fit(x, x[:, 0] ** 2).plot(x, x[:, 0] ** 2, kind="component", feature="x0")
    assert (len(found.x), "3,000 of 9,000 rows" in found.svg) == (9_000, True)
    y = x[:, 0] + np.random.default_rng(1).normal(size=9_000)
    y[4_000] += 100
    model = LinearRegression().fit(x, y)
    many, top = model.plot(x, y), model.influence(x, y, top=10)
    assert top.rows[0] == 4_000
    assert many.svg.count("<circle") == 3_000 + sum(row % 3 != 0 for row in top.rows)
    assert f'r="{14 * min(1.0, top.cooks_distances[0]) ** 0.5:.1f}"' in many.svg.replace('.0"', '"')


def test_a_name_cannot_forge_a_plot() -> None:
    frame = pd.DataFrame(X, columns=["</text><script>", "b", "c"])
    svg = LinearRegression().fit(frame, Y).plot(frame, Y, kind="partial", feature="</text><script>").svg
    assert "<script" not in svg
    assert ElementTree.fromstring(svg).tag.endswith("svg")


@pytest.mark.parametrize(
    ("kwargs", "said"),
    [
        ({"kind": "scatter"}, "kind is 'scatter'; expected 'influence'"),
        ({"kind": "partial"}, "feature is 'None'; kind='partial' takes feature=, one of 'x0'"),
        ({"kind": "partial", "feature": "z"}, "feature is 'z'"),
        ({"feature": "x0"}, "kind='influence' takes no feature="),
    ],
)
def test_what_is_refused_is_named(kwargs: dict, said: str) -> None:
    with pytest.raises(DataError, match=said):
        LinearRegression().fit(X, Y).plot(X, Y, **kwargs)
