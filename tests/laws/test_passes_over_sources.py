"""Fits that read the rows several times, from files, frames and mappings: what arrays give, and features never in memory where none need be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import squarely.linear.swept
from squarely.errors import DataError
from squarely.linear import (
    ExpectileRegression,
    GeneralizedLeastSquares,
    HeteroscedasticRegression,
    HuberRegression,
    LeastTrimmedSquares,
    QuantileRegression,
    StudentTRegression,
    TukeyRegression,
    category,
    interaction,
    poly,
)

RNG = np.random.default_rng(11)
N = 400
FRAME = pd.DataFrame({"a": RNG.normal(size=N), "b": RNG.integers(-9, 9, N), "c": RNG.choice(["u", "v", "w"], N), "w": RNG.integers(0, 3, N)})
FRAME["y"] = 1 + 2 * FRAME["a"] - 0.3 * FRAME["b"] + (FRAME["c"] == "v") + np.exp(FRAME["a"] / 4) * RNG.standard_t(3, N)
FRAME["z"] = FRAME["y"] ** 2 + RNG.normal(size=N)
SWEPT: list[Any] = [HuberRegression(), TukeyRegression(), StudentTRegression(), ExpectileRegression(expectile=0.8), HeteroscedasticRegression()]
HELD: list[Any] = [QuantileRegression(quantile=0.7), LeastTrimmedSquares()]
BY_GROUP: list[Any] = [GeneralizedLeastSquares(covariance="variances"), GeneralizedLeastSquares(covariance="exchangeable")]


@pytest.fixture
def files(tmp_path: Path) -> Path:
    pq.write_table(pa.Table.from_pandas(FRAME.iloc[:250]), tmp_path / "1.parquet", row_group_size=60)
    pq.write_table(pa.Table.from_pandas(FRAME.iloc[250:]), tmp_path / "2.parquet", row_group_size=60)
    FRAME.to_csv(tmp_path / "rows.csv", index=False)
    return tmp_path


def anew(model: Any, **parameters: Any) -> Any:
    return type(model)(**model.get_params() | parameters)


def same(model: Any, expected: Any) -> None:
    """Compare what two fits came to: coefficients and scales are the same bits, whatever the blocks."""
    for name in ("coef_", "intercept_", "scale_", "variance_coef_", "variance_intercept_"):
        if hasattr(expected, name):
            np.testing.assert_array_equal(getattr(model, name), getattr(expected, name))
    if hasattr(expected, "loss_"):
        np.testing.assert_allclose(model.loss_, expected.loss_, rtol=1e-13)
    np.testing.assert_array_equal(model.rank_, expected.rank_)
    if not isinstance(model, LeastTrimmedSquares | HeteroscedasticRegression):
        assert model.inference_.names == expected.inference_.names
        np.testing.assert_allclose(model.inference_.standard_errors, expected.inference_.standard_errors, rtol=1e-7)
    ours, theirs = (each.predict(FRAME[each.feature_names_in_.tolist()]) for each in (model, expected))
    np.testing.assert_allclose(ours, theirs, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("model", [*SWEPT, *HELD], ids=repr)
@pytest.mark.parametrize("features", [["a", "b", "c"], [poly("a", 2), category("c", reference="w"), interaction(category("c"), "b")]])
def test_every_source_gives_the_fit_of_its_arrays(files: Path, model: Any, features: list[Any]) -> None:
    expected = anew(model, features=features).fit(FRAME[["a", "b", "c"]], FRAME["y"])
    columns = {name: FRAME[name].to_numpy() for name in FRAME}
    sources = [files / "*.parquet", columns]
    if features == ["a", "b", "c"]:
        sources += [files / "rows.csv", FRAME, pl.DataFrame(FRAME), pa.Table.from_pandas(FRAME)]
    for data in sources:
        found = anew(model, features=features).fit(data, "y")
        same(found, expected)
    assert sorted(found.feature_names_in_) == ["a", "b", "c"]


@pytest.mark.parametrize("model", [*SWEPT, HELD[0], *BY_GROUP], ids=repr)
def test_the_order_of_rows_changes_no_bit_of_coefficients(model: Any) -> None:
    """A product of matrices would round the prediction of a row by its place among others."""
    for seed, count, width in ((0, 517, 3), (1, 1001, 7), (2, 1001, 7)):
        rng = np.random.default_rng(seed)
        x = rng.normal(size=(count, width)) * 10.0 ** rng.integers(-3, 4, width)
        y = 3 + x @ (1 / x.std(axis=0)) + rng.standard_t(4, count)
        given = {"groups": rng.integers(0, 30, count)} if model in BY_GROUP else {"sample_weight": rng.uniform(0.2, 3, count)}
        once, order = anew(model).fit(x, y, **given), rng.permutation(count)
        again = anew(model).fit(x[order], y[order], **{name: values[order] for name, values in given.items()})
        assert again.coef_.tobytes() == once.coef_.tobytes()
        assert again.intercept_ == once.intercept_


@pytest.mark.parametrize("model", [*SWEPT, HELD[0]], ids=repr)
def test_weights_are_a_column_and_a_row_of_none_leaves_no_level(model: Any) -> None:
    frame = FRAME.assign(c=np.where(np.arange(N) == 7, "x", FRAME["c"]), w=np.where(np.arange(N) == 7, 0, FRAME["w"]))
    columns, rest = ["a", "c"], frame.drop(index=7)
    expected = anew(model, features=columns).fit(rest[columns], rest["y"], rest["w"])
    assert expected.coef_.shape == (3,)
    for found in (
        anew(model, features=columns).fit(frame[columns], frame["y"], frame["w"]),
        anew(model, features=columns).fit(frame, "y", "w"),
    ):
        same(found, expected)
        with pytest.raises(DataError, match="the level 'x' was in no row of the fit"):
            found.predict(frame[columns])


def test_rows_without_any_weight_are_nothing_to_fit() -> None:
    frame = FRAME.assign(w=0.0)
    for given in ((frame, "y", "w"), (frame[["a", "c"]], frame["y"], frame["w"])):
        with pytest.raises(DataError, match="there is nothing to fit"):
            HuberRegression(features=["a", "c"]).fit(*given)


@pytest.mark.parametrize("model", [*SWEPT, *HELD], ids=repr)
def test_a_category_of_one_level_leaves_the_constant(model: Any) -> None:
    frame = FRAME.assign(c="u")[["c", "y"]]
    constant = pd.DataFrame({"one": np.zeros(N)})
    with pytest.warns(UserWarning, match="'one' is constant"):
        expected = anew(model).fit(constant, FRAME["y"])
    for found in (anew(model, features=["c"]).fit(frame, "y"), anew(model, features=["c"]).fit(frame[["c"]], frame["y"])):
        np.testing.assert_allclose(found.predict(frame[["c"]]), expected.predict(constant), rtol=1e-9)
        if hasattr(model, "predict_std"):
            np.testing.assert_allclose(found.predict_std(frame[["c"]]), expected.predict_std(constant), rtol=1e-9)


@pytest.mark.parametrize("model", [*SWEPT, *HELD], ids=repr)
def test_several_targets_are_named(files: Path, model: Any) -> None:
    expected = anew(model, features=["a", "b"]).fit(FRAME[["a", "b"]], FRAME[["y", "z"]])
    found = anew(model, features=["a", "b"]).fit(files / "rows.csv", ["y", "z"])
    assert found.coef_.shape == (2, 2)
    np.testing.assert_allclose(found.coef_, expected.coef_, rtol=1e-8)
    assert anew(model, features=["a"]).fit(files / "rows.csv", ["y"]).coef_.shape == (1, 1)
    if hasattr(model, "summary"):
        assert found.summary().targets == ("y", "z")


@pytest.mark.parametrize("model", [*SWEPT, *HELD], ids=repr)
def test_passes_are_readings_of_the_source(files: Path, model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    readings = []
    batches = squarely.linear.swept.Asked.batches
    monkeypatch.setattr(squarely.linear.swept.Asked, "batches", lambda asked: readings.append(asked) or batches(asked))
    found = anew(model, features=["a", "b"]).fit(files / "*.parquet", "y")
    arrays = anew(model, features=["a", "b"]).fit(FRAME[["a", "b"]], FRAME["y"])
    if model in HELD:
        assert (len(readings), found.n_passes_) == (2, arrays.n_passes_ + 1)
    else:
        assert len(readings) == found.n_passes_ > 2


@pytest.mark.parametrize("model", [*SWEPT, *HELD], ids=repr)
def test_a_stream_is_refused_with_the_cure(model: Any) -> None:
    stream = pa.Table.from_pandas(FRAME).to_reader(100)
    with pytest.raises(DataError, match=f"{type(model).__name__} reads the rows several times, and a stream is read once. Give a table, or write"):
        anew(model, features=["a"]).fit(stream, "y")


def test_rows_that_change_between_readings_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    batches = squarely.linear.swept.Asked.batches
    for change in (lambda rows: rows[:-1], lambda rows: [*rows, rows[-1]], lambda rows: rows[::-1]):
        readings = []

        def changing(asked: Any, change: Any = change, readings: Any = readings) -> Any:
            readings.append(asked)
            rows = list(batches(asked))
            return iter(rows if len(readings) < 3 else change(rows))

        monkeypatch.setattr(squarely.linear.swept.Asked, "batches", changing)
        monkeypatch.setattr("squarely.sources.arrays._BATCH_ROWS", 100)
        with pytest.raises(DataError, match="its rows are not those of the first reading"):
            HuberRegression(features=["a"]).fit({"a": FRAME["a"], "y": FRAME["y"]}, "y")


def test_what_is_missing_is_refused_where_it_is() -> None:
    data = {"a": [1.0, None, 3.0], "y": [1.0, 2.0, 3.0]}
    with pytest.raises(DataError, match="column 'a', row 2 is missing"):
        HuberRegression().fit(data, "y")
    with pytest.raises(DataError, match="'q'"):
        HuberRegression().fit({"a": [1.0], "y": [1.0]}, "q")
