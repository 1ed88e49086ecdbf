"""Formulas: what statsmodels fits to the same formula, from frames and from files; what cannot be made batch by batch is refused."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import statsmodels.formula.api as smf

from squarely.errors import DataError, MissingExtraError
from squarely.linear import LinearRegression, Ridge, category, interaction, poly

RNG = np.random.default_rng(5)
N = 300
FRAME = pd.DataFrame(
    {
        "x": RNG.normal(size=N),
        "a": RNG.normal(2, 1, N),
        "b": RNG.normal(size=N),
        "colour": RNG.choice(["red", "blue", "green"], N),
        "size": RNG.choice([2, 7, 10], N),
        "w": RNG.integers(1, 5, N) / 2,
        "two words": RNG.normal(size=N),
    }
)
FRAME["y"] = FRAME.x**2 - FRAME.a + FRAME.colour.map({"red": 0.0, "blue": 1, "green": 2}) + RNG.normal(size=N)
FRAME["y2"] = RNG.normal(size=N)

# Ours, and the same for statsmodels where patsy writes it otherwise.
FORMULAS = {
    "y ~ x + C(colour) + poly(x, 2) + a:b - x": "y ~ C(colour) + x + I(x**2) + a:b",
    "y ~ x*a + b": None,
    "y ~ (x + a + b)**2 - a:b": None,
    "y ~ 0 + x + C(colour)": None,
    "y ~ -1 + x + a": None,
    "y ~ colour*x + C(size)": None,
    "y ~ colour + C(size):x": None,
    "y ~ x + C(colour, Treatment('red'))": None,
    "y ~ C(size, Treatment(reference=7)) + I(x**2) + I(x*a)": None,
    "y ~ C(colour, contr.treatment(base='red'))": "y ~ C(colour, Treatment('red'))",
    "y ~ {x**3} + a": "y ~ I(x**3) + a",
    "y ~ a / x": None,
    "y ~ poly(x, degree=3, raw=True)": "y ~ x + I(x**2) + I(x**3)",
    "y ~ `two words`:x + I(x**2):colour": "y ~ Q('two words'):x + I(x**2):colour",
}


@pytest.mark.parametrize("weight", [None, "w"])
@pytest.mark.parametrize("formula", FORMULAS)
def test_a_formula_is_what_statsmodels_makes_of_it(formula: str, weight: str | None) -> None:
    model = LinearRegression.from_formula(formula, FRAME, weight)
    theirs = smf.wls(FORMULAS[formula] or formula, FRAME, weights=np.ones(N) if weight is None else FRAME[weight]).fit()
    assert len(model.inference_.names) == len(theirs.params)
    np.testing.assert_allclose(model.predict(FRAME[list(model.feature_names_in_)]), theirs.fittedvalues, rtol=1e-9, atol=1e-9)
    order = [int(np.abs(theirs.params - each).argmin()) for each in model.inference_.estimates[:, 0]]
    assert sorted(order) == list(range(len(order)))
    np.testing.assert_allclose(model.inference_.estimates[:, 0], theirs.params.iloc[order], rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(model.inference_.standard_errors[:, 0], theirs.bse.iloc[order], rtol=1e-9)


def test_terms_are_those_of_squarely() -> None:
    model = LinearRegression.from_formula("y ~ b + C(colour, Treatment('red')) + poly(x, 2) + a:b + C(size):a", FRAME)
    terms = ["b", category("colour", reference="red"), poly("x", 2), interaction("a", "b"), interaction(category("size"), "a")]
    same = LinearRegression(features=terms).fit(FRAME, "y")
    assert model.features == terms
    assert model.state_ == same.state_
    assert model.coef_.tobytes() == same.coef_.tobytes()
    assert model.fit_intercept
    assert not LinearRegression.from_formula("y ~ 0 + a", FRAME).fit_intercept


def test_files_stream(tmp_path: Path) -> None:
    table = pa.Table.from_pandas(FRAME)
    for at in range(3):
        pq.write_table(table.slice(100 * at, 100), tmp_path / f"{at}.parquet")
    formula = "y ~ x + colour:a + poly(b, 2)"
    expected = LinearRegression.from_formula(formula, FRAME)
    for data in (tmp_path / "*.parquet", table.to_reader(17)):
        model = LinearRegression.from_formula(formula, data)
        assert model.coef_.tobytes() == expected.coef_.tobytes()
    parts = [LinearRegression.from_formula(formula, tmp_path / f"{at}.parquet") for at in range(3)]
    assert parts[2].merge(parts[0]).merge(parts[1]).coef_.tobytes() == expected.coef_.tobytes()


def test_several_targets_a_dot_and_other_estimators() -> None:
    two = LinearRegression.from_formula("y + y2 ~ x + a", FRAME)
    assert two.coef_.shape == (2, 2)
    assert two.coef_[1].tobytes() == LinearRegression.from_formula("y2 ~ x + a", FRAME).coef_.tobytes()
    few = FRAME[["y", "x", "colour"]]
    assert LinearRegression.from_formula("y ~ .", few).equations_.features == ("x", "colour[green]", "colour[red]")
    ridge = Ridge.from_formula("y ~ x + a", FRAME, alpha=2.0)
    assert ridge.coef_.tobytes() == Ridge(alpha=2.0, features=["x", "a"]).fit(FRAME, "y").coef_.tobytes()


@pytest.mark.parametrize(
    ("formula", "told"),
    [
        ("y ~ x + bs(a, df=4)", r"'bs\(a, df=4\)' of the formula is made of all rows, and rows are read once\. Make columns"),
        ("y ~ center(x)", r"'center\(x\)' of the formula is made of all rows.* as I\(\(x - 3\) / 2\)"),
        ("y ~ scale(x):a", r"'scale\(x\)' of the formula is made of all rows"),
        ("y ~ C(colour, Sum)", r"'C\(colour, Sum\)' of the formula has contrasts other than of treatments\. Write C\(column\)"),
        ("y ~ C(colour, contr.poly)", r"'C\(colour, contr.poly\)'"),
        ("y ~ C(colour, Treatment('red'), levels=['red', 'blue'])", r"levels=\[.* of the formula has contrasts other"),
        ("y ~ poly(x, 2, raw=False)", r"'poly\(x, 2, raw=False\)' of the formula is made of all rows.* Write poly\(x, degree\)"),
        ("y ~ poly(x, 2):a", r"'poly\(x, 2\)' of the formula cannot be multiplied"),
        ("y ~ __import__('os').system('false')", "__import__"),
        ("y ~ 2:x", "'2' of the formula is no term"),
        ("np.log(y) ~ x", r"target 'np.log\(y\)' of the formula is no column"),
        ("~ x", "has no target"),
        ("x + a", "has no target"),
        ("y ~ x +", r"'y ~ x \+' is no formula of one model: Operator"),
        ("y ~ x | a", "is no formula of one model"),
        ("y ~ nothing", "there is no column 'nothing'"),
        ("y ~ poly(x, 0)", r"degree of poly\('x', 0\)"),
    ],
)
def test_what_is_no_term_is_refused_by_name(formula: str, told: str) -> None:
    with pytest.raises(DataError, match=told):
        LinearRegression.from_formula(formula, FRAME)


def test_without_formulaic_the_cure_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "formulaic", None)
    with pytest.raises(MissingExtraError, match=r"squarely\[formula\]"):
        LinearRegression.from_formula("y ~ x", FRAME)
