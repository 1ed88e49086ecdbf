"""Categories: levels are found as rows come, states of other levels add, and fits are those of the columns that statsmodels writes out."""

from __future__ import annotations

import pickle
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import statsmodels.formula.api as smf
from sklearn.linear_model import Ridge as SklearnRidge
from sklearn.linear_model import RidgeCV as SklearnRidgeCV
from sklearn.model_selection import KFold

from squarely.errors import DataError, DependentColumnsWarning, StateError
from squarely.linear import (
    GramState,
    HuberRegression,
    LassoCV,
    LinearRegression,
    QuantileRegression,
    Ridge,
    RidgeCV,
    category,
    gram,
    grams,
    interaction,
)
from squarely.linear.coding import Coding
from squarely.validate import Category, Coded

RNG = np.random.default_rng(11)
N = 400
FRAME = pd.DataFrame(
    {
        "x": RNG.normal(3, 2, N),
        "colour": RNG.choice(["red", "blue", "green", "ultramarine"], N, p=[0.5, 0.3, 0.16, 0.04]),
        "size": RNG.choice([10, 2, 7], N),
        "z": RNG.integers(-5, 5, N),
        "w": RNG.integers(1, 9, N) / 4,
        "day": np.repeat(np.arange(4), N // 4),
    }
)
FRAME["y"] = (
    2 * FRAME.x + FRAME.colour.map({"red": 0.0, "blue": 5, "green": -2, "ultramarine": 1}) * (1 + FRAME.x / 9) + FRAME["size"] + RNG.normal(size=N)
)
TERMS = ["x", category("colour"), category("size"), interaction(category("colour"), "x", "z"), "z"]


def exact(state: GramState) -> list[list[Fraction]]:
    moments = state.moments
    return [[Fraction(value) * Fraction(2) ** moments.exponent for value in row] for row in moments.numerators.tolist()]


def written_out(frame: pd.DataFrame, weight: bool) -> tuple[tuple[str, ...], list[list[Fraction]]]:
    """The moments of TERMS in exact arithmetic, of columns of 0 and 1."""
    x, z = ([Fraction(value) for value in frame[name].tolist()] for name in ("x", "z"))
    products = [Fraction(float(a) * float(b)) + Fraction(0) for a, b in zip(frame["x"], frame["z"], strict=True)]
    products = [a * b for a, b in zip(x, z, strict=True)] if products else products
    named: dict[str, list[Fraction]] = {"1": [Fraction(1)] * len(frame), "x": x}
    for level in sorted(set(frame["colour"])):
        named[f"colour[{level}]"] = [Fraction(int(each == level)) for each in frame["colour"]]
    for level in sorted(set(frame["size"])):
        named[f"size[{level}]"] = [Fraction(int(each == level)) for each in frame["size"]]
    for level in sorted(set(frame["colour"])):
        named[f"colour[{level}]:x:z"] = [product * int(each == level) for product, each in zip(products, frame["colour"], strict=True)]
    named |= {"z": z, "y": [Fraction(value) for value in frame["y"].tolist()]}
    weights = [Fraction(value) for value in frame["w"].tolist()] if weight else [Fraction(1)] * len(frame)
    columns = list(named.values())
    sums = [[sum(w * a * b for w, a, b in zip(weights, left, right, strict=True)) for right in columns] for left in columns]
    return tuple(named)[1:-1], sums  # type: ignore[return-value]


# --- states ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("weight", [None, "w"])
def test_moments_are_those_of_columns_of_0_and_1(weight: str | None) -> None:
    names, sums = written_out(FRAME, weight is not None)
    state = gram(FRAME, target="y", features=TERMS, weight=weight)
    assert state.features == names
    assert exact(state) == sums


@pytest.mark.parametrize("weight", [None, "w"])
def test_no_order_and_no_part_changes_a_bit(weight: str | None) -> None:
    whole = gram(FRAME, target="y", features=TERMS, weight=weight)
    for seed in range(4):
        mixed = FRAME.sample(frac=1.0, random_state=seed)
        ends = [3, 8, *np.sort(np.random.default_rng(seed).integers(9, N, 4))]
        parts = [part for part in np.split(np.arange(N), ends) if len(part)]
        states = [gram(mixed.iloc[part], target="y", features=TERMS, weight=weight) for part in parts]
        assert any(state.features != whole.features for state in states)  # some lack a level
        assert sum(states, GramState()).to_bytes() == whole.to_bytes()
        for state in states:
            rest = whole - state
            assert rest == sum((other for other in states if other is not state), GramState())
            assert rest + state == whole
    assert GramState.from_bytes(whole.to_bytes()) == whole == pickle.loads(pickle.dumps(whole))
    assert GramState.from_bytes(whole.to_bytes()).schema == whole.schema


def test_rows_with_and_without_weights_add() -> None:
    state = GramState(("x", Category(("c",), (None,))), ("y",))
    x, y, w, levels = FRAME["x"].to_numpy(), FRAME["y"].to_numpy(), FRAME["w"].to_numpy(), ("blue", "red")
    codes = RNG.integers(0, 2, N)
    for part, weight in ((slice(0, 150), None), (slice(150, 290), w[150:290]), (slice(290, N), None)):
        state.add_columns([(x[part],), (y[part],)], weight, {"c": Coded(codes[part], levels)})
    weights = np.concatenate([np.ones(150), w[150:290], np.ones(N - 290)])
    assert state == gram({"x": x, "c": np.array(levels)[codes], "y": y, "w": weights}, target="y", weight="w")


def test_a_level_goes_with_its_rows() -> None:
    rare = FRAME["colour"] == "ultramarine"
    rest = gram(FRAME, target="y", features=TERMS) - gram(FRAME[rare], target="y", features=TERMS)
    assert not any("ultramarine" in name for name in rest.features)
    assert rest == gram(FRAME[~rare], target="y", features=TERMS)
    weightless = FRAME.assign(w=np.where(rare, 0.0, FRAME["w"]))
    assert gram(weightless, target="y", features=TERMS, weight="w") == gram(FRAME[~rare], target="y", features=TERMS, weight="w")


def test_many_rows_and_levels_pass_through_blocks() -> None:
    n = 40_000
    rng = np.random.default_rng(3)
    data = {"c": rng.integers(0, 300, n).astype(str), "x": rng.normal(size=n) * 2.0 ** rng.integers(-300, 300, n), "y": rng.normal(size=n)}
    state = gram(data, target="y", features=["x", "c", interaction(category("c"), "x")])
    codes = data["c"].astype(int)
    levels = np.unique(codes)
    assert state.features == ("x", *(f"c[{level}]" for level in levels), *(f"c[{level}]:x" for level in levels))
    for level in (0, 17, 299):
        there = codes == level
        alone = GramState.of(data["x"][there, None], data["y"][there])
        of_level = [state.features.index(f"c[{level}]") + 1, state.features.index(f"c[{level}]:x") + 1, len(state.features) + 1]
        assert (
            state.moments.block([of_level[0]], of_level).canonical().numerators == alone.moments.block([0], [0, 1, 2]).canonical().numerators
        ).all()
        assert exact_of(state, of_level[1], of_level[1]) == exact_of(alone, 1, 1)
        assert exact_of(state, of_level[1], 1) == exact_of(alone, 1, 1)


def exact_of(state: GramState, row: int, column: int) -> Fraction:
    return Fraction(state.moments.numerators[row, column]) * Fraction(2) ** state.moments.exponent


def test_every_source_gives_the_same_bytes(tmp_path: Path) -> None:
    terms = ["x", "colour", category("size"), "z"]
    expected = gram(FRAME, target="y", features=terms, weight="w")
    table = pa.Table.from_pandas(FRAME)
    pq.write_table(table.slice(0, 170), tmp_path / "1.parquet", row_group_size=50)
    pq.write_table(table.slice(170), tmp_path / "2.parquet", row_group_size=90)
    FRAME.to_csv(tmp_path / "rows.csv", index=False)
    FRAME.to_json(tmp_path / "rows.jsonl", orient="records", lines=True, double_precision=15)
    columns = {name: FRAME[name].to_numpy() for name in FRAME}
    kinds = (
        tmp_path / "*.parquet",
        tmp_path / "rows.csv",
        FRAME.astype({"colour": "category"}),
        pl.from_pandas(FRAME).with_columns(pl.col("colour").cast(pl.Categorical)),
        pl.from_pandas(FRAME).lazy(),
        table.to_reader(33),
        columns,
        {**columns, "colour": FRAME["colour"].tolist()},
        {**columns, "colour": FRAME["colour"].to_numpy(object)},
    )
    for data in kinds:
        assert gram(data, target="y", features=terms, weight="w") == expected
    features = FRAME[["x", "colour", "size", "z"]]
    for frame in (features, pl.from_pandas(features), pa.Table.from_pandas(features)):
        assert LinearRegression(features=terms).fit(frame, FRAME["y"], FRAME["w"]).state_ == expected


def test_folders_are_categories(tmp_path: Path) -> None:
    for colour, rows in FRAME.groupby("colour"):
        (tmp_path / f"colour={colour}").mkdir()
        pq.write_table(pa.Table.from_pandas(rows[["x", "y"]], preserve_index=False), tmp_path / f"colour={colour}" / "rows.parquet")
    assert gram(tmp_path, target="y") == gram(FRAME[["x", "y", "colour"]], target="y")


def test_states_of_groups_have_the_levels_of_their_rows() -> None:
    found = grams(FRAME, target="y", features=["x", "colour"], by="day")
    for (day,), state in found.items():
        assert state == gram(FRAME[FRAME["day"] == day], target="y", features=["x", "colour"])
    assert sum(found.values()) == gram(FRAME, target="y", features=["x", "colour"])


def test_states_of_other_terms_do_not_add() -> None:
    state = gram(FRAME, target="y", features=["colour"])
    with pytest.raises(StateError, match="number 0 of the features is 'z' where the category 'colour' was expected"):
        state + gram(FRAME, target="y", features=["z"])
    with pytest.raises(StateError, match="the category 'colour' with the reference 'red' where the category 'colour' was expected"):
        state + gram(FRAME, target="y", features=[category("colour", reference="red")])


# --- fits -----------------------------------------------------------------------------------------------------------

FITS = {
    "one": (["x", "colour"], "y ~ x + C(colour)", True),
    "two, of numbers": (["x", "colour", category("size")], "y ~ x + C(colour) + C(size)", True),
    "a reference": (["x", category("colour", reference="red")], "y ~ x + C(colour, Treatment('red'))", True),
    "slopes beside one": (["x", "colour", interaction(category("colour"), "x")], "y ~ x + C(colour) + C(colour):x", True),
    "slopes alone": (["colour", interaction(category("colour"), "x")], "y ~ C(colour) + C(colour):x", True),
    "two kinds of slopes": (
        ["colour", interaction(category("colour"), "x"), interaction(category("size"), "x")],
        "y ~ C(colour) + C(colour):x + C(size):x",
        True,
    ),
    "no intercept": (["x", "colour", category("size")], "y ~ 0 + x + C(colour) + C(size)", False),
}


@pytest.mark.parametrize("weight", [None, "w"])
@pytest.mark.parametrize("case", FITS)
def test_fits_are_those_of_statsmodels(case: str, weight: str | None) -> None:
    features, formula, intercept = FITS[case]
    model = LinearRegression(features=features, fit_intercept=intercept).fit(FRAME, "y", weight)
    theirs = smf.wls(formula, FRAME, weights=np.ones(N) if weight is None else FRAME[weight]).fit()
    names = {"Intercept": "intercept"} if intercept else {}
    for name in theirs.params.index:  # C(colour, ...)[T.red]:x is colour[red]:x, wherever the number stands
        parts = sorted((part for part in name.split(":")), key=lambda part: not part.startswith("C("))
        plain = ":".join(parts).replace("[T.", "[")
        names.setdefault(name, plain.replace("C(", "", 1).replace(", Treatment('red'))", "").replace(")[", "[") if plain.startswith("C(") else plain)
    ours = model.inference_
    assert set(ours.names) == set(names.values())
    order = [ours.names.index(names[name]) for name in theirs.params.index]
    np.testing.assert_allclose(ours.estimates[order, 0], theirs.params, rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(ours.standard_errors[order, 0], theirs.bse, rtol=1e-9)
    np.testing.assert_allclose(ours.p_values[order, 0], theirs.pvalues, rtol=1e-7, atol=1e-12)
    if intercept:  # statsmodels finds the constant among indicators, and centres the squares of the target
        np.testing.assert_allclose(model.r2_, theirs.rsquared, rtol=1e-9)
    np.testing.assert_allclose(model.predict(FRAME[[*model.feature_names_in_]]), theirs.predict(FRAME), rtol=1e-9)


def test_what_takes_the_rows_again_knows_levels() -> None:
    features = ["x", "colour", interaction(category("size"), "x")]
    theirs = smf.ols("y ~ x + C(colour) + C(size):x", FRAME).fit()
    frame = FRAME[["colour", "x", "size"]]
    for model, rows in (
        (LinearRegression(features=features).fit(frame, FRAME["y"]), (frame, FRAME["y"])),
        (LinearRegression(features=features).fit(FRAME, "y"), (FRAME, "y")),
    ):
        robust = model.robust(*rows, kind="HC3")
        np.testing.assert_allclose(np.sort(robust.standard_errors[:, 0]), np.sort(theirs.get_robustcov_results("HC3").bse), rtol=1e-9)
        influence = model.influence(*rows)
        np.testing.assert_allclose(influence.cooks_distances, theirs.get_influence().cooks_distance[0], rtol=1e-6, atol=1e-12)
        assert model.diagnose(*rows).findings
    new = FRAME.iloc[:20]
    model = LinearRegression(features=features).fit(FRAME, "y")
    found = model.prediction(new[list(model.feature_names_in_)])
    expected = theirs.get_prediction(new).summary_frame()
    np.testing.assert_allclose(found.standard_errors, expected["mean_se"], rtol=1e-9)


@pytest.mark.parametrize("kind", ["HC3", "HAC"])
def test_the_level_of_a_row_without_a_weight_need_not_be_known_to_what_sums(kind: str) -> None:
    """The rows and weights of a fit are those that robust errors ask for; what tells of each row has nothing to tell of such a one."""
    frame = FRAME[["colour", "x", "y"]].assign(w=1.0)
    frame.loc[5, ["colour", "w"]] = ["mauve", 0.0]
    weights = frame["w"].to_numpy()
    x, dummies = frame[["colour", "x"]], pd.get_dummies(frame["colour"], dtype=float).drop(columns=["mauve"]).iloc[:, 1:]
    expected = (
        LinearRegression().fit(dummies.assign(x=frame["x"]), frame["y"], weights).robust(dummies.assign(x=frame["x"]), frame["y"], weights, kind=kind)
    )
    named, given = LinearRegression().fit(frame, "y", "w"), LinearRegression().fit(x, frame["y"], weights)
    for found in (named.robust(frame, "y", "w", kind=kind), given.robust(x, frame["y"], weights, kind=kind)):
        np.testing.assert_allclose(found.standard_errors, expected.standard_errors, rtol=1e-10)
    with pytest.raises(DataError, match=r"row 6: the level 'mauve' was in no row of the fit.* Leave such rows out"):
        named.influence(frame, "y", "w")
    with pytest.raises(DataError, match=r"row 5 counted from 0: the level 'mauve' was in no row of the fit"):
        given.diagnose(x, frame["y"], weights)


@pytest.mark.parametrize("model", [LinearRegression(), HuberRegression(), QuantileRegression(), RidgeCV(cv=2)], ids=repr)
def test_rows_of_no_weight_have_no_levels_and_no_fit(model: LinearRegression | HuberRegression) -> None:
    for rows in ((FRAME.assign(w=0.0)[["colour", "x", "y", "w"]], "y", "w"), (FRAME[["colour", "x"]], FRAME["y"], np.zeros(N))):
        with pytest.raises(DataError, match=r"there is nothing to fit|has no row, or the weight of each is zero"):
            model.fit(*rows)


def test_without_names_text_is_a_category() -> None:
    columns = ["x", "colour", "z"]
    model = LinearRegression().fit(FRAME[columns], FRAME["y"])
    assert model.equations_.features == ("x", "colour[green]", "colour[red]", "colour[ultramarine]", "z")
    assert model.coef_.tobytes() == LinearRegression().fit(FRAME[[*columns, "y"]], "y").coef_.tobytes()
    mixed = FRAME[columns].assign(colour=pd.Categorical(FRAME["colour"], ["red", "blue", "ultramarine", "green", "none"]))
    assert LinearRegression().fit(mixed, FRAME["y"]).coef_.tobytes() == model.coef_.tobytes()
    assert model.feature_names_in_.tolist() == columns
    assert LinearRegression(features=["x"]).fit(FRAME[columns], FRAME["y"]).coef_.shape == (1,)  # text that no term reads


def test_arrays_have_categories_by_number() -> None:
    array = FRAME[["x", "size"]].to_numpy()
    objects = FRAME[["x", "colour"]].to_numpy(object)
    model = LinearRegression(features=["x0", category("x1")]).fit(array, FRAME["y"])
    theirs = smf.ols("y ~ x + C(size)", FRAME).fit()
    np.testing.assert_allclose(model.coef_, theirs.params[["x", "C(size)[T.7]", "C(size)[T.10]"]], rtol=1e-9)
    np.testing.assert_allclose(model.predict(array), theirs.fittedvalues, rtol=1e-9)
    model = LinearRegression(features=["x0", category("x1")]).fit(objects, FRAME["y"])
    np.testing.assert_allclose(model.predict(objects), smf.ols("y ~ x + colour", FRAME).fit().fittedvalues, rtol=1e-9)


def test_parts_with_other_levels_are_one_fit() -> None:
    columns = ["x", "colour"]
    whole = LinearRegression().fit(FRAME[columns], FRAME["y"])
    order = np.argsort(FRAME["colour"].to_numpy())
    halves = [(FRAME[columns].iloc[part], FRAME["y"].iloc[part]) for part in np.array_split(order, 3)]
    grown = LinearRegression()
    for rows in halves:
        grown.partial_fit(*rows)
    merged = LinearRegression().fit(*halves[2]).merge(LinearRegression().fit(*halves[0])).merge(LinearRegression().fit(*halves[1]))
    named = LinearRegression(features=columns).fit(FRAME.iloc[order[:150]], "y").partial_fit(FRAME.iloc[order[150:]], "y")
    for model in (grown, merged, named, LinearRegression.from_state(whole.state_)):
        assert (model.coef_.tobytes(), model.intercept_) == (whole.coef_.tobytes(), whole.intercept_)
        assert model.predict(FRAME[columns]).tobytes() == whole.predict(FRAME[columns]).tobytes()


def test_the_summary_says_what_is_compared_with_what() -> None:
    told = str(LinearRegression(features=["x", category("colour", reference="red"), category("size")]).fit(FRAME, "y").summary())
    assert "Coefficients of colour are differences from colour[red]." in told
    assert "Coefficients of size are differences from size[2]." in told
    assert "colour[blue]" in told
    assert "differences" not in str(LinearRegression(features=["x"]).fit(FRAME, "y").summary())


def test_penalties_and_folds_take_categories() -> None:
    columns = ["x", "colour"]
    names = ("x", "colour[green]", "colour[red]", "colour[ultramarine]")
    dense = np.column_stack([FRAME["x"], *(FRAME["colour"] == level for level in ("green", "red", "ultramarine"))]).astype(float)
    ridge = Ridge(alpha=3.0).fit(FRAME[columns], FRAME["y"])
    assert ridge.equations_.features == names
    np.testing.assert_allclose(ridge.coef_, SklearnRidge(alpha=3.0).fit(dense, FRAME["y"]).coef_, rtol=1e-9)
    order = np.argsort(FRAME["colour"].to_numpy() == "ultramarine", kind="stable")  # the last fold alone has it
    frame, dense, y = FRAME[columns].iloc[order], dense[order], FRAME["y"].to_numpy()[order]
    alphas = [0.1, 1.0, 10.0, 100.0]
    ours = RidgeCV(alphas=alphas, cv=4).fit(frame, y)
    same = RidgeCV(alphas=alphas, cv=4).fit(dense, y)
    theirs = SklearnRidgeCV(alphas=alphas, cv=KFold(4), scoring="neg_mean_squared_error").fit(dense, y)
    assert ours.alpha_ == same.alpha_ == theirs.alpha_
    np.testing.assert_allclose(ours.mse_path_, same.mse_path_, rtol=1e-12)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-9)
    np.testing.assert_allclose(LassoCV(cv=4).fit(frame, y).coef_, LassoCV(cv=4).fit(dense, y).coef_, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("estimator", [HuberRegression, QuantileRegression])
def test_fits_of_several_passes_take_categories(estimator: type) -> None:
    dense = np.column_stack([FRAME["x"], *(FRAME["colour"] == level for level in ("green", "red", "ultramarine"))]).astype(float)
    ours, same = estimator().fit(FRAME[["x", "colour"]], FRAME["y"]), estimator().fit(dense, FRAME["y"])
    assert ours.coef_.tobytes() == same.coef_.tobytes()
    assert ours.predict(FRAME[["x", "colour"]]).tobytes() == same.predict(dense).tobytes()


# --- what is refused -----------------------------------------------------------------------------------------------


def test_a_missing_category_is_refused_with_its_row(tmp_path: Path) -> None:
    data = {"c": ["a", None, "b", None], "x": [1.0, 2.0, 3.0, 4.0], "y": [1.0, 2.0, 3.0, 4.0]}
    pq.write_table(pa.table(data), tmp_path / "holes.parquet")
    with pytest.raises(DataError, match=r"holes.parquet: column 'c', row 2: the category is missing, and 1 more"):
        gram(tmp_path / "holes.parquet", target="y")
    pd.DataFrame(data).to_csv(tmp_path / "holes.csv", index=False)
    with pytest.raises(DataError, match=r"holes.csv: column 'c', row 2: the category is missing"):
        gram(tmp_path / "holes.csv", target="y")
    for frame in (pd.DataFrame(data), pl.DataFrame(data), pa.table(data)):
        with pytest.raises(DataError, match=r"X, column 'c', row 1 counted from 0: the category is missing"):
            LinearRegression(features=["c", "x"]).fit(frame, data["y"])


def test_an_unknown_level_is_refused_with_its_row_and_those_known(tmp_path: Path) -> None:
    model = LinearRegression().fit(FRAME[["x", "colour"]], FRAME["y"])
    new = FRAME[["x", "colour"]].iloc[:5].assign(colour=["red", "red", "pink", "blue", "pink"])
    told = r"X, column 'colour', row 2 counted from 0: the level 'pink' .* 'blue', 'green', 'red', 'ultramarine'\. Leave such rows out \(2 here\)"
    for frame in (new, pl.from_pandas(new), pa.Table.from_pandas(new)):
        with pytest.raises(DataError, match=told):
            model.predict(frame)
    np.testing.assert_array_equal(model.predict(new.iloc[[0, 3]]), model.predict(new.iloc[[3, 0]])[::-1])
    huber = HuberRegression().fit(FRAME[["x", "colour"]], FRAME["y"])
    with pytest.raises(DataError, match=r"row 2 counted from 0: the level 'pink'"):
        huber.predict(new)
    new.assign(y=1.0).to_csv(tmp_path / "new.csv", index=False)
    with pytest.raises(DataError, match=r"new.csv: column 'colour', row 3: the level 'pink'"):
        LinearRegression().fit(FRAME[["x", "colour", "y"]], "y").robust(tmp_path / "new.csv", "y")


def test_other_things_that_are_no_category_are_refused() -> None:
    with pytest.raises(DataError, match=r"reference 'pink' of the category 'colour' is in no row; its levels are 'blue', 'green'"):
        LinearRegression(features=[category("colour", reference="pink")]).fit(FRAME, "y")
    with pytest.raises(DataError, match="the category 'colour' is multiplied with itself"):
        gram(FRAME, target="y", features=[interaction(category("colour"), "x", category("colour", reference="red"))])
    with pytest.raises(DataError, match=r"category\(\['colour', 'size'\]\) is not of the name of a column"):
        category(["colour", "size"])  # type: ignore[arg-type]
    with pytest.raises(DataError, match=r"X has no column 'shape'; it has 'x', 'colour'"):
        LinearRegression(features=["x", category("shape")]).fit(FRAME[["x", "colour"]], FRAME["y"])
    with pytest.raises(DataError, match="the feature 'colour' is asked for twice"):
        gram(FRAME, target="y", features=["colour", category("colour", reference="red")])
    twins = {"c": ["a", "b", "a", "b"], "twin": ["a", "b", "a", "b"], "y": [1.0, 2.0, 3.0, 5.0]}
    with pytest.warns(DependentColumnsWarning, match=r"twin\[b\]"):
        assert LinearRegression().fit(twins, "y").rank_ == 1


def test_a_number_written_in_two_ways_is_not_two_levels(tmp_path: Path) -> None:
    y = [1.0, 2.0, 4.0, 9.0]
    (whole, floating) = ({"k": values, "y": y} for values in ([1, 2, 1, 3], [1.0, 2.0, 1.0, 3.0]))
    pq.write_table(pa.table(whole), tmp_path / "a.parquet")
    pq.write_table(pa.table(floating), tmp_path / "b.parquet")
    told = r"the category 'k' has the levels '1' and '1\.0', one number written in two ways"
    model = LinearRegression(features=[category("k")])
    with pytest.raises(DataError, match=told):
        model.fit(tmp_path, "y")
    with pytest.raises(DataError, match=told):
        gram(whole, target="y", features=[category("k")]) + gram(floating, target="y", features=[category("k")])
    with pytest.raises(DataError, match=told.replace("'k'", "'x0'")):
        HuberRegression(features=[category("x0")]).fit(np.array([[1], [1.0], [2], [2]], object), y)


@pytest.mark.parametrize("kind", [pd.DataFrame, pl.DataFrame, pa.table, dict])
def test_there_is_one_zero(kind: type) -> None:
    data = kind({"k": [0.0, -0.0, 1.0, -0.0], "y": [1.0, 2.0, 5.0, 3.0]})
    model = LinearRegression(features=[category("k")]).fit(data, "y")
    assert model.equations_.features == ("k[1.0]",)
    assert (model.intercept_, model.coef_.tolist()) == (2.0, [3.0])


def test_numbers_beside_text_in_lists_stay_numbers() -> None:
    rows = [[1.5, "a"], [2.0, "b"], [3.0, "a"], [5.0, "b"], [4.0, "b"]]
    model = LinearRegression(features=["x0", category("x1")]).fit(rows, [1.0, 2.0, 3.0, 4.0, 6.0])
    assert model.equations_.features == ("x0", "x1[b]")
    of_frame = LinearRegression().fit(pd.DataFrame(rows, columns=["x0", "x1"]), [1.0, 2.0, 3.0, 4.0, 6.0])
    assert model.coef_.tolist() == of_frame.coef_.tolist()


def test_a_name_of_each_row_is_no_category() -> None:
    with pytest.raises(DataError, match=r"the category 'id' has more than 4,096 levels, such as '\d+'"):
        gram({"id": np.arange(5000).astype(str), "y": np.zeros(5000)}, target="y")


def test_the_order_of_levels_is_that_of_numbers_then_letters() -> None:
    state = gram({"c": ["b", "10", "2", "a", "-1", "2.5"], "y": np.arange(6.0)}, target="y")
    assert state.features == ("c[-1]", "c[2]", "c[2.5]", "c[10]", "c[a]", "c[b]")
    assert Coding(state.schema, True).references == {"c": "-1"}
