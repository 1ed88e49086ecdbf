"""Formulas: what statsmodels fits to the same formula, from frames and from files; what cannot be made batch by batch is refused."""

from __future__ import annotations

import pickle
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import statsmodels.formula.api as smf

from squarely.errors import DataError, MissingExtraError
from squarely.linear import HuberRegression, LinearRegression, Ridge, category, gram, interaction, poly
from squarely.linear.computed import Computed

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
    "y ~ Q('two words') + C(`size`)": "y ~ Q('two words') + C(size)",
    "y ~ np.exp(x) + np.sqrt(w)*colour": None,
    "y ~ I(x + a) + I(x / w) + {x - 2*b**3}": "y ~ I(x + a) + I(x / w) + I(x - 2*b**3)",
    "y ~ I(w**0.5) + I(w**-1) + I(-a)": None,
    "y ~ np.log1p(w)*b + np.maximum(a, 2)": None,
    "y ~ log(w) + I(exp(x) * np.pi)": "y ~ np.log(w) + I(np.exp(x) * np.pi)",
    "y ~ np.abs(`two words`):C(size)": "y ~ np.abs(Q('two words')):C(size)",
    "y ~ I(np.log(w) / (1 + np.exp(-x)))": None,
    "y ~ colour*C(size) + np.sin(x):a": None,
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


def test_sums_and_products_have_32_digits() -> None:
    x = 1 + np.arange(40) * 2.0**-52
    expected = {"I(x - 1)": [Fraction(at, 2**52) for at in range(40)], "I(3 * (x - 1) * x)": []}
    expected["I(3 * (x - 1) * x)"] = [3 * each * (1 + each) for each in expected["I(x - 1)"]]
    for expression, values in expected.items():
        (parts,) = Computed(expression).features([(x,)])
        assert [sum(map(Fraction, pieces)) for pieces in zip(*(part.tolist() for part in parts), strict=True)] == values
    (parts,) = Computed("I(1 / x + 2**60 + 1)").features([(x,)])
    found = [sum(map(Fraction, pieces)) - 2**60 - 1 for pieces in zip(*(part.tolist() for part in parts), strict=True)]
    np.testing.assert_allclose([float(each) for each in found], 1 / x, rtol=1e-12)  # of which a double would keep nothing


def test_functions_are_those_of_numpy_and_whole_numbers_are_whole() -> None:
    data = {"k": np.array([2**60, 2**60 + 1, 2**60 + 3, 2**60 + 9]), "y": np.array([1.0, 2.0, 4.0, 10.0])}
    model = LinearRegression.from_formula("y ~ {k - 1152921504606846976}", data)
    np.testing.assert_allclose((model.intercept_, model.coef_[0]), (1.0, 1.0), rtol=1e-12)
    data = {"k": np.array([-1.0, 1.0, -2.0, 3.0]), "y": np.array([1.0, 5.0, 1.0, 5.0])}
    model = LinearRegression.from_formula("y ~ I(4 / (1 + np.exp(-900*k)))", data)  # of which np.exp is infinite in two rows
    np.testing.assert_allclose((model.intercept_, model.coef_[0]), (1.0, 1.0), rtol=1e-12)


def test_computed_terms_survive_copies_and_predict_new_rows() -> None:
    model = LinearRegression.from_formula("y ~ np.exp(x):colour + I(a / w)", FRAME)
    other = pickle.loads(pickle.dumps(model))
    new = FRAME[list(model.feature_names_in_)].iloc[:9]
    assert model.feature_names_in_.tolist() == ["a", "w", "colour", "x"]
    assert other.predict(new).tobytes() == model.predict(new).tobytes()
    assert LinearRegression(**model.get_params()).fit(FRAME, "y").coef_.tobytes() == model.coef_.tobytes()
    assert LinearRegression.from_state(model.state_, **model.get_params()).coef_.tobytes() == model.coef_.tobytes()


def test_rows_that_are_left_out_need_no_value() -> None:
    holes = FRAME.assign(w=np.where(FRAME.index % 7 == 3, np.nan, FRAME.w), a=np.where(FRAME.index == 5, np.inf, FRAME.a))
    whole = FRAME[(FRAME.index % 7 != 3) & (FRAME.index != 5)]
    formula = "y ~ np.log(w) + I(1 / a):colour + poly(x, 2)"
    found = LinearRegression.from_formula(formula, holes, nan_policy="omit")
    assert found.state_ == LinearRegression.from_formula(formula, whole).state_
    assert found.n_omitted_ == N - len(whole)


def test_a_value_that_is_no_number_is_refused_with_what_it_is_made_of(tmp_path: Path) -> None:
    frame = FRAME.assign(w=np.where(FRAME.index == 8, 0.0, FRAME.w), b=np.where(FRAME.index > 290, -3.5, 2.0))
    with pytest.raises(DataError, match=r"the feature 'np.log\(w\)' is -inf where w is 0.0, and in 1 rows here it is no finite number"):
        LinearRegression.from_formula("y ~ np.log(w)", frame)
    with pytest.raises(DataError, match=r"the feature 'I\(a / w\)' is inf where a is [-0-9.e]+ and w is 0.0"):
        LinearRegression.from_formula("y ~ I(a / w)", frame.assign(a=FRAME["a"].abs()))
    frame.to_csv(tmp_path / "rows.csv", index=False)
    with pytest.raises(DataError, match=r"'np.sqrt\(b\)' is nan where b is -3.5, and in 9 rows"):
        LinearRegression.from_formula("y ~ x:np.sqrt(b)", tmp_path / "rows.csv")
    model = LinearRegression.from_formula("y ~ np.log(w)", FRAME)
    with pytest.raises(DataError, match=r"is -inf where w is 0.0"):
        model.predict(frame[["w"]])


def test_files_stream(tmp_path: Path) -> None:
    table = pa.Table.from_pandas(FRAME)
    for at in range(3):
        pq.write_table(table.slice(100 * at, 100), tmp_path / f"{at}.parquet")
    formula = "y ~ x + colour:a + poly(b, 2) + np.exp(x):C(size):colour"
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
        ("y ~ np.cumsum(x)", r"'np.cumsum\(x\)' of the formula is no term that can be made batch by batch"),
        ("y ~ np.mean(x) + a", r"'np.mean\(x\)' of the formula is no term"),
        ("y ~ I(x - np.mean(x))", r"'np.mean\(x\)' in 'I\(x - np.mean\(x\)\)' of the formula is no term"),
        ("y ~ x.mean()", r"'x.mean\(\)' of the formula is no term"),
        ("y ~ np.add.reduce(x)", r"'np.add.reduce\(x\)' of the formula is no term"),
        ("y ~ np.matmul(x, x)", r"'np.matmul\(x, x\)' of the formula is no term"),
        ("y ~ np.log(x, a, b)", r"'np.log\(x, a, b\)' of the formula is no term"),
        ("y ~ np.log(x, out=a)", r"'np.log\(x, out=a\)' of the formula is no term"),
        ("y ~ np.gcd(x, 2)", r"'np.gcd\(x, 2\)' of the formula is no term"),
        ("y ~ np.divmod(x, 2)", r"'np.divmod\(x, 2\)' of the formula is no term"),
        ("y ~ I(x > 1)", r"'x > 1' in 'I\(x > 1\)' of the formula is no term"),
        ("y ~ I('x')", r"of the formula is no term"),
        ("y ~ I(2 * 3)", r"'I\(2 \* 3\)' of the formula has no column"),
        ("y ~ I(x + " + "9" * 400 + ")", r"of the formula is no term"),
        ("y ~ I(" + "+".join(["x"] * 200) + ")", r"of the formula goes on and on: it has [0-9,]+ parts"),
        ("y ~ I(" + "+".join(["x"] * 5000) + ")", r"is no formula of one model|goes on and on"),
        ("y ~ np.log(colour)", "column 'colour', row 1 holds '.*' where a number was expected"),
        ("y ~ np.log(nothing)", "there is no column 'nothing'"),
        ("y ~ y + x", "the target 'y' is among the features too, and would explain itself"),
        ("y ~ x + y:colour", "the target 'y' is among the features too"),
        ("y ~ np.exp(y)", "the target 'y' is among the features too"),
        ("y ~ C(y)", "the target 'y' is among the features too"),
        ("y + x ~ x*a", "the target 'x' is among the features too"),
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


@pytest.mark.parametrize("estimator", [LinearRegression, HuberRegression])
def test_names_and_arrays_are_not_mixed(estimator: type) -> None:
    rows, y = FRAME[["x", "a"]], FRAME["y"]
    for weight in (FRAME["w"], FRAME["w"].to_numpy(), 2.0, ["w"]):
        with pytest.raises(DataError, match=r"the weight is a \w+, and the target the name of a column; .* as fit\(data, 'y', 'w'\)"):
            estimator().fit(FRAME, "y", weight)
    with pytest.raises(DataError, match=r"sample_weight='w' names a column, and y is no name\. Name both"):
        estimator().fit(rows, y, "w")
    for data in ("y ~ x", Path("rows.csv")):
        with pytest.raises(DataError, match=r"X is '.*', and y is no name of a column\. .* from_formula\('y ~ x', data\)"):
            estimator().fit(data, FRAME)
    with pytest.raises(DataError, match=r"'y ~ x' is no column but a formula\. Write from_formula\('y ~ x', data\)"):
        estimator().fit(FRAME, "y ~ x")
    with pytest.raises(DataError, match="the target 'y' is among the features too"):
        estimator(features=["x", poly("y", 2)]).fit(FRAME, "y")


def test_other_slips_of_a_first_formula() -> None:
    with pytest.raises(DataError, match=r"the formula is a DataFrame; expected text\. Write from_formula\('y ~ x', data\)"):
        LinearRegression.from_formula(FRAME, "y ~ x")  # type: ignore[arg-type]
    with pytest.raises(DataError, match="the weight is a Series, and the target the name of a column"):
        LinearRegression.from_formula("y ~ x", FRAME, FRAME["w"])  # type: ignore[arg-type]
    with pytest.raises(DataError, match="target is a Series; expected the name of a column, or several"):
        gram(FRAME, target=FRAME["y"])
    with pytest.raises(DataError, match="the target 'y' is among the features too"):
        gram(FRAME, target="y", features=["y", "x"])
