"""Fits from files, frames and mappings, by group, and of terms: what arrays give, bit for bit."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import squarely as sq
from squarely.errors import DataError
from squarely.linear import GramState, HuberRegression, LinearRegression, gram, grams, interaction, poly

RNG = np.random.default_rng(7)
N = 3000
COLUMNS = {
    "a": RNG.normal(size=N),
    "b": RNG.integers(-9, 9, N),
    "y": RNG.normal(size=N),
    "w": RNG.random(N),
    "region": RNG.choice(["north", "south", "west"], N),
    "fold": RNG.integers(0, 4, N),
}
ARRAYS = np.column_stack([COLUMNS["a"], COLUMNS["b"]])


@pytest.fixture
def files(tmp_path: Path) -> Path:
    frame = pd.DataFrame(COLUMNS)
    pq.write_table(pa.table(frame.iloc[:1700]), tmp_path / "1.parquet", row_group_size=500)
    pq.write_table(pa.table(frame.iloc[1700:]), tmp_path / "2.parquet", row_group_size=500)
    frame.to_csv(tmp_path / "rows.csv", index=False)
    return tmp_path


@pytest.mark.parametrize("weight", [None, "w"])
def test_every_source_gives_the_state_of_its_arrays(files: Path, weight: str | None) -> None:
    expected = GramState(("a", "b"), ("y",)).update(ARRAYS, COLUMNS["y"], None if weight is None else COLUMNS[weight])
    frame = pd.DataFrame(COLUMNS)
    for data in (files / "*.parquet", files / "rows.csv", frame, pl.DataFrame(COLUMNS), pa.table(frame), COLUMNS, pa.table(frame).to_reader(700)):
        assert gram(data, target="y", features=["a", "b"], weight=weight) == expected


def test_a_fit_names_columns_of_a_file(files: Path) -> None:
    model = LinearRegression(features=["a", "b"]).fit(files / "*.parquet", "y", "w")
    arrays = LinearRegression().fit(ARRAYS, COLUMNS["y"], COLUMNS["w"])
    assert model.coef_.tobytes() == arrays.coef_.tobytes()
    assert model.feature_names_in_.tolist() == ["a", "b"]
    frame = pd.DataFrame(COLUMNS)[["a", "b"]]
    assert model.predict(frame).tobytes() == arrays.predict(ARRAYS).tobytes()
    parts = LinearRegression(features=["a", "b"]).fit(files / "1.parquet", "y", "w").partial_fit(files / "2.parquet", "y", "w")
    assert parts.coef_.tobytes() == model.coef_.tobytes()
    two = LinearRegression(features=["a"]).fit(files / "rows.csv", ["y", "b"])
    assert two.coef_.shape == (2, 1)


def test_without_names_every_other_column_is_a_feature() -> None:
    data = {name: COLUMNS[name] for name in ("a", "y", "b", "w")}
    assert gram(data, target="y", weight="w").features == ("a", "b")
    assert LinearRegression().fit(data, "y", "w").feature_names_in_.tolist() == ["a", "b"]


@pytest.mark.parametrize("features", [None, ["a", "b", "region"], [poly("a", 2), "region", "b"]], ids=str)
@pytest.mark.parametrize("kind", [pd.DataFrame, pl.DataFrame, pa.table])
def test_columns_of_new_rows_are_found_by_the_names_of_the_source(features: list[Any] | None, kind: Callable[[object], Any]) -> None:
    """Whatever stands beside them, in whatever order, as their own frame has a target and an index of rows."""
    frame = pd.DataFrame(COLUMNS)[["a", "b", "region", "y"]]
    new = frame.iloc[:40].assign(id=[f"n{at}" for at in range(40)], gap=np.nan)
    indicators = np.column_stack([frame["region"] == "south", frame["region"] == "west"])
    squares = [COLUMNS["a"] ** 2] if features and features[0] != "a" else []
    x = np.column_stack([COLUMNS["a"], COLUMNS["b"], *squares, indicators, np.ones(N)])
    expected = x[:40] @ np.linalg.lstsq(x, COLUMNS["y"], rcond=None)[0]
    model, wide = LinearRegression(features=features, nan_policy="omit").fit(kind(frame), "y"), kind(new[["gap", "region", "y", "b", "id", "a"]])
    states = LinearRegression.from_state(model.state_, features=features)
    for each in (model, states, model.merge(model), model.refitted(), HuberRegression(features=features, delta=1e9).fit(kind(frame), "y")):
        np.testing.assert_allclose(each.predict(wide), expected, rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(model.prediction(wide).mean, expected, rtol=1e-11, atol=1e-13)
    both = LinearRegression(features=features, nan_policy="omit").fit(kind(frame.iloc[40:]), "y").partial_fit(wide, COLUMNS["y"][:40])
    assert (both.state_, both.n_omitted_) == (model.state_, 0)
    with pytest.raises(DataError, match="X has no column 'b'"):
        model.predict(kind(new[["a", "region"]]))


def test_columns_of_a_frame_without_a_source_are_those_of_the_fit_in_their_order() -> None:
    """As scikit-learn has it; and a fit by name may be followed by one without."""
    frame = pd.DataFrame(COLUMNS)[["a", "b", "y"]]
    model = LinearRegression().fit(frame, "y").fit(frame[["a", "b"]], COLUMNS["y"])
    for new in (frame[["b", "a"]], frame):
        with pytest.raises(DataError, match="The feature names should match those that were passed during fit"):
            model.predict(new)


def test_predicting_for_a_path_says_what_to_give(files: Path) -> None:
    model = LinearRegression(features=["a", "b"]).fit(files / "1.parquet", "y")
    with pytest.raises(DataError, match=r"X is '.*'; expected rows in memory\. Give a frame"):
        model.predict(files / "2.parquet")


@pytest.mark.parametrize("by", ["region", ["region", "fold"]])
def test_states_of_groups_are_those_of_their_rows(files: Path, by: str | list[str]) -> None:
    found = grams(files / "*.parquet", target="y", features=["a", "b"], weight="w", by=by)
    groups = pd.DataFrame(COLUMNS).groupby(by).indices
    assert set(found) == {key if isinstance(key, tuple) else (key,) for key in groups}
    for label, rows in groups.items():
        key = label if isinstance(label, tuple) else (label,)
        assert found[key] == GramState(("a", "b"), ("y",)).update(ARRAYS[rows], COLUMNS["y"][rows], COLUMNS["w"][rows])
    assert sum(found.values(), GramState()) == gram(files / "*.parquet", target="y", features=["a", "b"], weight="w")


def test_folds_of_one_pass_are_cross_validation() -> None:
    folds = grams(COLUMNS, target="y", features=["a", "b"], by="fold")
    whole = sum(folds.values(), GramState())
    for (fold,), state in folds.items():
        rows = COLUMNS["fold"] != fold
        without = LinearRegression.from_state(whole - state)
        assert without.coef_.tobytes() == LinearRegression().fit(ARRAYS[rows], COLUMNS["y"][rows]).coef_.tobytes()


def test_powers_and_products_have_32_digits() -> None:
    a, b = COLUMNS["a"][:50], COLUMNS["a"][50:100]
    state = gram({"a": a, "b": b, "y": a}, target="y", features=[poly("a", 5), interaction("a", "b"), interaction("a", "b", "b")])
    assert state.features == ("a", "a^2", "a^3", "a^4", "a^5", "a:b", "a:b:b")
    exact = state.moments
    sums = [Fraction(value) * Fraction(2) ** exact.exponent for value in exact.numerators[0].tolist()]
    rows = [(Fraction(u), Fraction(v)) for u, v in zip(a.tolist(), b.tolist(), strict=True)]
    for found, feature in zip(sums[1:], [*(lambda u, v, k=k: u**k for k in range(1, 6)), lambda u, v: u * v, lambda u, v: u * v * v], strict=False):
        true = [feature(u, v) for u, v in rows]
        assert abs(found - sum(true)) <= sum(map(abs, true)) / 2**98


def test_terms_of_frames_and_arrays_are_one() -> None:
    terms = [poly("a", 3), interaction("a", "b")]
    source = LinearRegression(features=terms).fit(COLUMNS, "y")
    frame = pd.DataFrame(COLUMNS)[["a", "b"]]
    of_frame = LinearRegression(features=terms).fit(frame, COLUMNS["y"])
    assert of_frame.coef_.tobytes() == source.coef_.tobytes()
    assert of_frame.state_.features == ("a", "a^2", "a^3", "a:b")
    a, b = COLUMNS["a"], COLUMNS["b"]
    np.testing.assert_allclose(of_frame.predict(frame), np.column_stack([a, a**2, a**3, a * b]) @ of_frame.coef_ + of_frame.intercept_, rtol=1e-11)


def test_what_is_refused_is_named(tmp_path: Path) -> None:
    path = tmp_path / "holes.parquet"
    pq.write_table(pa.table({"x": [1.0, 2.0, None], "y": [1.0, np.inf, 2.0], "w": [1.0, -1.0, 1.0], "z": [1.0, 2.0, 3.0]}), path)
    with pytest.raises(DataError, match=r"holes.parquet: column 'x', row 3 is missing"):
        gram(path, target="w", features="x")
    with pytest.raises(DataError, match=r"holes.parquet: column 'y', row 2 is infinite"):
        gram(path, target="y", features="w")
    with pytest.raises(DataError, match=r"holes.parquet: column 'w', row 2 is -1.0"):
        gram(path, target="z", features=["w"], weight="w")
    with pytest.raises(DataError, match="the feature 'x' is asked for twice"):
        gram({"x": [1.0], "y": [1.0]}, target="y", features=["x", poly("x", 2)])
    with pytest.raises(DataError, match=r"the degree of poly\('x', 0\)"):
        poly("x", 0)
    with pytest.raises(DataError, match="fewer than two columns"):
        interaction("x")
    with pytest.raises(DataError, match=r"interaction\(\) multiplies columns, and \"Powers\(column='x', degree=2\)\" is none"):
        interaction(poly("x", 2), "z")  # type: ignore[arg-type]
    with pytest.raises(DataError, match=r"X is a dict of columns; expected a frame or an array"):
        LinearRegression().fit({"x": [1.0, 2.0], "y": [1.0, 3.0]}, "y").predict({"x": [1.0]})
    with pytest.raises(DataError, match=r"features has '0', which is no name and no term"):
        LinearRegression(features=[0, 1]).fit([[1.0, 2.0], [2.0, 3.0]], [1.0, 2.0])
    with pytest.raises(DataError, match=r"X has 2 columns 'x', and it is unclear which is meant"):
        LinearRegression(features=["x"]).fit(pd.DataFrame([[1.0, 2.0], [2.0, 5.0]], columns=["x", "x"]), [1.0, 2.0])
    assert poly("x", np.int64(2)) == poly("x", 2)  # type: ignore[arg-type]
    with pytest.raises(DataError, match=r"the feature 'x\^3' is beyond the largest double"):
        gram({"x": [1e150], "y": [1.0]}, target="y", features=poly("x", 3))
    with pytest.raises(DataError, match="X has no column 'z'; it has 'x0'"):
        LinearRegression(features=["z"]).fit([[1.0], [2.0]], [1.0, 2.0])


def test_it_is_a_public_room() -> None:
    assert sq.linear.LinearRegression is LinearRegression
