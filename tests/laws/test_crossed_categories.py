"""Categories that are multiplied: columns of the combinations that rows have, coded as statsmodels and formulaic code them."""

from __future__ import annotations

import pickle
import warnings
from fractions import Fraction
from itertools import combinations, product
from pathlib import Path
from typing import Any

import formulaic
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import statsmodels.formula.api as smf

from squarely.errors import DataError, DependentColumnsWarning, StateError
from squarely.linear import (
    GramState,
    HuberRegression,
    LinearRegression,
    QuantileRegression,
    Ridge,
    RidgeCV,
    category,
    gram,
    interaction,
)
from squarely.linear.coding import Coding
from squarely.linear.contrasts import contrasts

RNG = np.random.default_rng(29)
N = 300
FRAME = pd.DataFrame(
    {
        "a": RNG.choice(["p", "q", "r"], N),
        "b": RNG.choice(["u", "v"], N),
        "c": RNG.choice([10, 2, 7], N),
        "x": RNG.normal(1, 2, N),
        "w": RNG.integers(1, 9, N) / 4,
    }
)
FRAME["y"] = FRAME.x * (FRAME.a == "q") + (FRAME.b == "v") * (FRAME.a == "r") + FRAME.c / 9 + RNG.normal(size=N)
AB, AC = interaction(category("a"), category("b")), interaction(category("c"), "a")


def exact(state: GramState) -> list[list[Fraction]]:
    moments = state.moments
    return [[Fraction(value) * Fraction(2) ** moments.exponent for value in row] for row in moments.numerators.tolist()]


# --- states ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("weight", [None, "w"])
def test_moments_are_those_of_columns_of_pairs(weight: str | None) -> None:
    frame = FRAME[~((FRAME.a == "p") & (FRAME.b == "v"))]
    pairs = [("p", "u"), ("q", "u"), ("r", "u"), ("q", "v"), ("r", "v")]
    there = {pair: [Fraction(int(each == pair)) for each in zip(frame.a, frame.b, strict=True)] for pair in pairs}
    x, y = ([Fraction(value) for value in frame[name].tolist()] for name in "xy")
    columns = {"1": [Fraction(1)] * len(frame), "x": x}
    columns |= {f"a[{a}]": [Fraction(int(each == a)) for each in frame.a] for a in "pqr"}
    columns |= {f"a[{a}]:b[{b}]": there[a, b] for a, b in pairs}
    columns |= {f"a[{a}]:b[{b}]:x": [one * other for one, other in zip(there[a, b], x, strict=True)] for a, b in pairs}
    columns |= {"y": y}
    weights = [Fraction(value) for value in frame.w.tolist()] if weight else columns["1"]
    state = gram(frame, target="y", features=["x", "a", AB, interaction("a", "b", "x")], weight=weight)
    assert state.features == tuple(columns)[1:-1]
    sums = [[sum(w * s * t for w, s, t in zip(weights, one, other, strict=True)) for other in columns.values()] for one in columns.values()]
    assert exact(state) == sums


def test_no_order_and_no_part_changes_a_bit(tmp_path: Path) -> None:
    terms = ["a", AB, AC, interaction("a", "b", category("c"), "x")]
    whole = gram(FRAME, target="y", features=terms, weight="w")
    for seed in range(3):
        mixed = FRAME.sample(frac=1.0, random_state=seed)
        states = [gram(mixed.iloc[part], target="y", features=terms, weight="w") for part in np.split(np.arange(N), [4, 11, 90])]
        assert states[0].features != whole.features  # a part has not all combinations
        assert sum(states, GramState()).to_bytes() == whole.to_bytes()
        assert whole - states[0] == sum(states[1:], GramState())
    read = GramState.from_bytes(whole.to_bytes())
    assert read == whole == pickle.loads(pickle.dumps(whole))
    assert read.schema == whole.schema
    pq.write_table(pa.Table.from_pandas(FRAME), tmp_path / "rows.parquet", row_group_size=13)
    assert gram(tmp_path / "rows.parquet", target="y", features=terms, weight="w").to_bytes() == whole.to_bytes()
    with pytest.raises(StateError, match="number 1 of the features is the category 'b' where the category 'a:b' was expected"):
        whole + gram(FRAME, target="y", features=["a", "b", AC, terms[3]], weight="w")


def test_a_pair_goes_with_its_rows_and_with_their_weight() -> None:
    pair = (FRAME.a == "q") & (FRAME.b == "v")
    rest = gram(FRAME[~pair], target="y", features=["a", "b", AB])
    assert "a[q]:b[v]" not in rest.features
    assert gram(FRAME, target="y", features=["a", "b", AB]) - gram(FRAME[pair], target="y", features=["a", "b", AB]) == rest
    assert gram(FRAME.assign(w=(~pair).astype(float)), target="y", features=["a", "b", AB], weight="w") == rest


# --- coding ---------------------------------------------------------------------------------------------------------

FORMULAS = [
    "y ~ a*b",
    "y ~ a:b",
    "y ~ 0 + a:b",
    "y ~ a + a:b",
    "y ~ b + a:b",
    "y ~ 0 + a + a:b",
    "y ~ a:b + b:a:C(c)",
    "y ~ C(c):b",
    "y ~ b:C(c)",
    "y ~ a:b:x",
    "y ~ x + a:b:x",
    "y ~ a:x + a:b:x",
    "y ~ a*b*C(c)",
    "y ~ a:b:C(c)",
    "y ~ 0 + a:b:C(c)",
    "y ~ a + b:C(c)",
    "y ~ (a + b + C(c))**2",
    "y ~ a/b",
    "y ~ C(a, Treatment('r'))*C(c, Treatment(7))",
]


def plain(name: str) -> str:
    """Return our name of a column of patsy or formulaic."""
    for column, told in (("a", "C(a, Treatment('r'))"), ("c", "C(c, Treatment(7))"), ("c", "C(c)")):
        name = name.replace(told, column)
    return name.replace("[T.", "[").replace("Intercept", "intercept")


@pytest.mark.parametrize("weight", [None, "w"])
@pytest.mark.parametrize("formula", FORMULAS)
def test_fits_are_those_of_statsmodels_column_by_column(formula: str, weight: str | None) -> None:
    model = LinearRegression.from_formula(formula, FRAME, weight)
    theirs = smf.wls(formula, FRAME, weights=np.ones(N) if weight is None else FRAME[weight]).fit()
    ours = model.inference_
    assert list(ours.names) == [plain(name) for name in theirs.params.index]
    np.testing.assert_allclose(ours.estimates[:, 0], theirs.params, rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(ours.standard_errors[:, 0], theirs.bse, rtol=1e-9)
    np.testing.assert_allclose(model.predict(FRAME[list(model.feature_names_in_)]), theirs.fittedvalues, rtol=1e-9)
    matrix = formulaic.model_matrix(formula.split("~")[1], FRAME)
    assert list(ours.names) == [plain(name) for name in matrix.columns]


def test_numbers_between_categories_take_the_order_of_formulaic() -> None:
    model = LinearRegression.from_formula("y ~ a*b*x", FRAME)
    theirs = smf.ols("y ~ a*b*x", FRAME).fit()
    order = [model.inference_.names.index(plain(name)) for name in theirs.params.index]
    np.testing.assert_allclose(model.inference_.estimates[order, 0], theirs.params, rtol=1e-9)
    np.testing.assert_allclose(model.inference_.standard_errors[order, 0], theirs.bse, rtol=1e-9)
    assert list(model.inference_.names) == [plain(name) for name in formulaic.model_matrix("a*b*x", FRAME).columns]


def test_columns_are_a_basis_of_all_indicators() -> None:
    levels = {"a": 2, "b": 3, "c": 2}
    cells = list(product(*(range(count) for count in levels.values())))
    frame = pd.DataFrame(cells, columns=list(levels)).astype(str).assign(y=0.0)
    terms = [subset for size in (1, 2, 3) for subset in combinations(levels, size)]
    for chosen, intercept in product([each for size in (1, 2, 3) for each in combinations(terms, size)], (True, False)):
        features = [category(of[0]) if len(of) == 1 else interaction(*map(category, of)) for of in chosen]
        schema = gram(frame, target="y", features=features).schema
        coding = Coding(schema, intercept)
        full = [np.ones(len(cells))] if intercept else []
        full += [np.all([frame[c] == v for c, v in zip(of, level, strict=True)], axis=0) for of in chosen for level in schema.levels[of]]
        ours = [np.ones(len(cells))] if intercept else []
        for name in coding.names:
            ours.append(np.all([frame[each[0]] == each[2:-1] for each in name.split(":")], axis=0))
        rank = np.linalg.matrix_rank(np.array(full, float))
        assert len(ours) == rank == np.linalg.matrix_rank(np.array([*ours, *full], float)), (chosen, intercept)
        assert np.linalg.matrix_rank(np.array(ours, float)) == rank


def test_what_is_spanned_already_adds_nothing() -> None:
    spanned = {frozenset[str]()}
    assert contrasts(["a", "b"], spanned) == [{"b": False}, {"a": False, "b": True}]
    assert contrasts(["b", "a"], spanned) == []
    model = LinearRegression(features=[AB, "a", "b"]).fit(FRAME, "y")
    assert model.rank_ == len(model.coef_) == 5
    assert model.equations_.features[0] == "a[q]:b[v]"


# --- fits -----------------------------------------------------------------------------------------------------------


def test_parts_with_other_pairs_are_one_fit() -> None:
    columns = ["a", "b", "x"]
    features = ["x", "a", "b", AB]
    whole = LinearRegression(features=features).fit(FRAME[columns], FRAME["y"])
    order = np.lexsort((FRAME["b"], FRAME["a"]))
    parts = [(FRAME[columns].iloc[part], FRAME["y"].iloc[part]) for part in np.array_split(order, 4)]
    grown = LinearRegression(features=features)
    one, *others = [gram(frame.assign(y=y), target="y", features=features) for frame, y in parts]
    with warnings.catch_warnings(action="ignore", category=DependentColumnsWarning):  # of the first parts
        for rows in parts:
            grown.partial_fit(*rows)
    for model in (grown, LinearRegression.from_state(sum(others, one)), LinearRegression.from_formula("y ~ x + a*b", FRAME)):
        assert (model.coef_.tobytes(), model.intercept_) == (whole.coef_.tobytes(), whole.intercept_)
    assert whole.predict(FRAME[columns]).tobytes() == grown.predict(FRAME[columns]).tobytes()


@pytest.mark.parametrize("estimator", [HuberRegression, QuantileRegression, lambda **given: Ridge(alpha=2.0, **given), RidgeCV])
def test_other_estimators_take_pairs(estimator: Any, tmp_path: Path) -> None:
    features = ["x", AB, interaction("a", category("c"), "x")]
    names = LinearRegression(features=features).fit(FRAME, "y").equations_.features
    dense = np.ones((N, len(names)))
    for at, name in enumerate(names):
        for piece in name.split(":"):
            dense[:, at] *= FRAME["x"] if piece == "x" else FRAME[piece[0]].astype(str) == piece[2:-1]
    pq.write_table(pa.Table.from_pandas(FRAME), tmp_path / "rows.parquet", row_group_size=50)
    same = estimator().fit(dense, FRAME["y"])
    columns = FRAME[["a", "b", "c", "x"]]
    for ours in (estimator(features=features).fit(columns, FRAME["y"]), estimator(features=features).fit(tmp_path / "rows.parquet", "y")):
        np.testing.assert_allclose(ours.coef_, same.coef_, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(ours.predict(FRAME[ours.feature_names_in_.tolist()]), same.predict(dense), rtol=1e-9)


def test_what_takes_the_rows_again_knows_pairs() -> None:
    theirs = smf.ols("y ~ x + a:b", FRAME).fit()
    model = LinearRegression.from_formula("y ~ x + a:b", FRAME)
    robust = model.robust(FRAME, "y", kind="HC3")
    np.testing.assert_allclose(np.sort(robust.standard_errors[:, 0]), np.sort(theirs.get_robustcov_results("HC3").bse), rtol=1e-9)
    found = model.prediction(FRAME[["x", "a", "b"]].iloc[:9])
    np.testing.assert_allclose(found.standard_errors, theirs.get_prediction(FRAME.iloc[:9]).summary_frame()["mean_se"], rtol=1e-9)


def test_the_summary_says_what_is_compared_with_what() -> None:
    told = str(LinearRegression.from_formula("y ~ a*C(c, Treatment(7))", FRAME).summary())
    assert "Coefficients of a are differences from a[p]." in told
    assert "Coefficients of c are differences from c[7]." in told


def test_a_pair_that_no_row_has_is_left_out_and_fits_the_same() -> None:
    beside = FRAME[~((FRAME.a == "r") & (FRAME.b == "v"))]
    model = LinearRegression.from_formula("y ~ a*b", beside)
    assert model.equations_.features == ("a[q]", "a[r]", "b[v]", "a[q]:b[v]")
    cells = beside.groupby(["a", "b"])["y"].transform("mean")  # a column for each cell fits the means
    np.testing.assert_allclose(model.predict(beside[["a", "b"]]), cells, rtol=1e-9)
    reference = FRAME[~((FRAME.a == "p") & (FRAME.b == "v"))]
    with pytest.warns(DependentColumnsWarning, match=r"'a\[r\]:b\[v\]' is a combination"):
        model = LinearRegression.from_formula("y ~ a*b", reference)
    np.testing.assert_allclose(model.predict(reference[["a", "b"]]), reference.groupby(["a", "b"])["y"].transform("mean"), rtol=1e-9)


# --- what is refused ------------------------------------------------------------------------------------------------


def test_a_pair_of_no_row_of_the_fit_is_refused(tmp_path: Path) -> None:
    fitted = FRAME[~((FRAME.a == "r") & (FRAME.b == "v"))]
    new = pd.DataFrame({"a": ["p", "r", "q", "r"], "b": ["v", "u", "v", "v"]})
    told = r"X, column 'a', row 3 counted from 0: no row of the fit has 'r' of 'a' with 'v' of 'b'.* \(1 here\).* or without 'a:b'"
    for estimator in (LinearRegression, HuberRegression):
        model = estimator(features=["a", "b", AB]).fit(fitted, "y")
        with pytest.raises(DataError, match=told):
            model.predict(new)
        with pytest.raises(DataError, match=r"row 1 counted from 0: the level 'w' was in no row of the fit, whose levels are 'u', 'v'"):
            model.predict(new.assign(b=["v", "w", "v", "v"]))
        np.testing.assert_allclose(model.predict(new[:3]), model.predict(new[2::-1])[::-1], rtol=1e-12)
    FRAME.to_csv(tmp_path / "all.csv", index=False)
    with pytest.raises(DataError, match=r"all.csv: column 'a', row \d+: no row of the fit has 'r' of 'a' with 'v' of 'b'"):
        LinearRegression(features=["a", "b", AB]).fit(fitted, "y").robust(tmp_path / "all.csv", "y")


def test_other_slips_are_refused() -> None:
    many = {"a": np.arange(9000) // 90, "b": np.arange(9000) % 90, "y": np.zeros(9000)}
    with pytest.raises(DataError, match="the category 'a:b' has more than 4,096 levels, such as '99:89'"):
        gram(many, target="y", features=[AB])
    with pytest.raises(DataError, match="reference 'zz' of the category 'a' is in no row; its levels are 'p', 'q', 'r'"):
        LinearRegression(features=[interaction(category("a", reference="zz"), "b")]).fit(FRAME, "y")
    with pytest.raises(DataError, match="the feature 'a:b' is asked for twice"):
        gram(FRAME, target="y", features=[AB, interaction("a", "b")])
    twice = {"a": ["1", "2", "1"], "b": ["u", "v", "u"], "y": [1.0, 2.0, 3.0]}
    other = {**twice, "a": ["1.0", "2.0", "1.0"]}
    with pytest.raises(DataError, match=r"the category 'a' has the levels '1' and '1\.0', one number written in two ways"):
        gram(twice, target="y", features=[AB]) + gram(other, target="y", features=[AB])


def test_missing_and_odd_levels_in_pairs() -> None:
    odd = {"a": ["x,y", "[z]", "x,y", "[z]"], "b": ["ü:日", "ü:日", "", ""], "y": [1.0, 2.0, 4.0, 9.0]}
    model = LinearRegression(features=["a", "b", AB]).fit(odd, "y")
    assert model.equations_.features == ("a[x,y]", "b[ü:日]", "a[x,y]:b[ü:日]")
    np.testing.assert_allclose(model.predict(pd.DataFrame(odd)[["a", "b"]]), odd["y"], rtol=1e-12)
    holes = {**odd, "b": ["u", None, "v", "v"]}
    with pytest.raises(DataError, match="column 'b', row 2: the category is missing"):
        gram(holes, target="y", features=[AB])
    rest = {name: [each[0], *each[2:]] for name, each in holes.items()}
    assert gram(holes, target="y", features=["a", AB], nan_policy="omit") == gram(rest, target="y", features=["a", AB])
