"""Rows that lack a value: refused with their place, or left out and counted, as if they had not been given."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy.sparse import csr_array

from squarely.errors import DataError
from squarely.linear import (
    ElasticNet,
    ElasticNetCV,
    ExpectileRegression,
    HeteroscedasticRegression,
    HuberRegression,
    JamesStein,
    Lasso,
    LassoCV,
    LeastTrimmedSquares,
    LinearRegression,
    NonNegativeLeastSquares,
    QuantileRegression,
    Ridge,
    RidgeCV,
    StudentTRegression,
    TukeyRegression,
    category,
    gram,
    grams,
    interaction,
    poly,
    windows,
)

RNG = np.random.default_rng(8)
X = RNG.normal(size=(40, 2))
Y = X @ [1.0, -2.0] + RNG.normal(size=40)
W = RNG.integers(1, 4, 40).astype(float)
KEPT = np.setdiff1d(np.arange(40), [3, 5, 17, 30])
X_MISSING, Y_MISSING, W_MISSING = X.copy(), Y.copy(), W.copy()
X_MISSING[3, 1], X_MISSING[17, 0], Y_MISSING[[3, 5]], W_MISSING[30] = np.nan, np.inf, np.nan, np.nan
WHOLE = LinearRegression().fit(X[KEPT], Y[KEPT], W[KEPT])


def frame() -> dict[str, list[float | None]]:
    """The data with None for what is missing."""
    columns = {"a": X_MISSING[:, 0], "b": X_MISSING[:, 1], "y": Y_MISSING, "w": W_MISSING, "g": np.arange(40) % 2}
    return {name: [None if np.isnan(value) else value for value in values.tolist()] for name, values in columns.items()}


FRAMES = [pd.DataFrame, pl.DataFrame, pa.table, lambda data: data]


@pytest.mark.parametrize("kind", [np.array, lambda x: pd.DataFrame(x), lambda x: pl.DataFrame(x), lambda x: x.tolist(), csr_array])
def test_arrays_without_their_incomplete_rows_are_the_same_fit(kind: Any) -> None:
    model = LinearRegression(nan_policy="omit").fit(kind(X_MISSING), Y_MISSING, W_MISSING)
    assert (model.n_omitted_, model.state_.n) == (4, 36)
    assert model.coef_.tobytes() == WHOLE.coef_.tobytes()
    assert model.state_.moments.numerators.tolist() == WHOLE.state_.moments.numerators.tolist()
    assert "4 rows were left out, for a missing or infinite value." in str(model.summary())
    assert "left out" not in str(WHOLE.summary())


@pytest.mark.parametrize("kind", FRAMES)
def test_named_columns_without_their_incomplete_rows_are_the_same_fit(kind: Any) -> None:
    model = LinearRegression(features=["a", "b"], nan_policy="omit").fit(kind(frame()), "y", "w")
    assert (model.n_omitted_, model.coef_.tobytes()) == (4, WHOLE.coef_.tobytes())
    state = gram(kind(frame()), target="y", features=["a", "b"], weight="w", nan_policy="omit")
    assert state == model.state_
    groups = grams(kind(frame()), target="y", features=["a", "b"], weight="w", by="g", nan_policy="omit")
    assert sum(groups.values()) == state
    assert {key: each.n for key, each in groups.items()} == {(0,): int((KEPT % 2 == 0).sum()), (1,): int((KEPT % 2).sum())}


def test_files_count_over_all_of_them(tmp_path: Path) -> None:
    for part in range(3):
        pd.concat([pd.DataFrame(frame())] * 1000).to_parquet(tmp_path / f"{part}.parquet")
    model = LinearRegression(features=["a", "b"], nan_policy="omit").fit(tmp_path, "y", "w")
    assert (model.n_omitted_, model.state_.n) == (12000, 108000)
    np.testing.assert_allclose(model.coef_, WHOLE.coef_, rtol=1e-12)
    assert "12,000 rows were left out" in model.summary().to_html()


def test_columns_that_are_not_read_may_lack_what_they_like() -> None:
    data = frame() | {"c": [None] * 40}
    assert LinearRegression(features=[poly("a", 2)], nan_policy="omit").fit(data, "y").n_omitted_ == 3
    for kind in (pd.DataFrame, pl.DataFrame, pa.table):
        part = kind({name: data[name] for name in ("a", "b", "c")})
        assert LinearRegression(features=[poly("a", 2)], nan_policy="omit").fit(part, Y_MISSING).n_omitted_ == 3
        assert LinearRegression(features=["g"]).fit(kind(data | {"g": list(range(40))}), Y).state_.n == 40


LEVELS = [None if at in (7, 17, 39) else "uvw"[at % 3] for at in range(40)]
KEPT_LEVELS = [at for at in KEPT if LEVELS[at] is not None]
OF_LEVELS = [(["a", "c"], "ac"), (["b", interaction("a", category("c"))], "abc"), ([category("c", reference="v")], "c")]


@pytest.mark.parametrize(("features", "columns"), OF_LEVELS)
@pytest.mark.parametrize("kind", FRAMES)
def test_a_row_that_lacks_its_level_is_left_out_too(kind: Any, features: list[Any], columns: str) -> None:
    whole = pd.DataFrame({"a": X[:, 0], "b": X[:, 1], "c": LEVELS, "y": Y, "w": W})
    data = frame() | {"c": LEVELS}
    read = {"y", "w", *columns}
    kept = [at for at in range(40) if all(data[name][at] is not None and np.isfinite(data[name][at] if name != "c" else 0) for name in read)]
    expected = LinearRegression(features=features).fit(whole.iloc[kept], "y", "w")
    model = LinearRegression(features=features, nan_policy="omit").fit(kind(data), "y", "w")
    assert (model.n_omitted_, model.state_) == (40 - len(kept), expected.state_)
    assert model.equations_.features == expected.equations_.features
    state = sum(grams(kind(data), target="y", features=features, weight="w", by="g", nan_policy="omit").values())
    assert state == expected.state_
    if kind is not FRAMES[-1]:
        x = kind({name: data[name] for name in ("a", "b", "c")})
        given = LinearRegression(features=features, nan_policy="omit").fit(x, Y_MISSING, W_MISSING)
        assert (given.n_omitted_, given.coef_.tobytes()) == (40 - len(kept), expected.coef_.tobytes())
        given.partial_fit(x, Y_MISSING, W_MISSING)
        assert (given.n_omitted_, given.state_) == (2 * (40 - len(kept)), given.state_of(x, Y_MISSING) - given.state_of(x, Y_MISSING) + given.state_)


def test_without_the_policy_a_missing_level_says_where() -> None:
    with pytest.raises(DataError, match="column 'c', row 8: the category is missing, and 2 more"):
        LinearRegression(features=["c"]).fit(frame() | {"c": LEVELS, "y": Y}, "y")


def test_levels_that_only_incomplete_rows_have_are_no_columns() -> None:
    data = {"c": ["u", "v", "u", "z", "v"], "y": [1.0, 2.0, 3.0, None, 4.0]}
    for model in (
        LinearRegression(nan_policy="omit").fit(data, "y"),
        LinearRegression(nan_policy="omit").fit(pd.DataFrame({"c": data["c"]}), np.array(data["y"], float)),
    ):
        assert (model.n_omitted_, model.equations_.features) == (1, ("c[v]",))


def test_formulas_leave_rows_out() -> None:
    model = LinearRegression.from_formula("y ~ a + C(c)", frame() | {"c": LEVELS}, "w", nan_policy="omit")
    assert model.n_omitted_ == len({3, 5, 7, 17, 30, 39})


def test_sparse_matrices_and_frames_lack_what_they_store() -> None:
    dense = np.where(np.abs(X) < 0.7, 0, X)
    missing = dense.copy()
    missing[[4, 9], [0, 1]] = np.nan, -np.inf
    kept = np.setdiff1d(np.arange(40), [4, 9])
    expected = LinearRegression().fit(csr_array(dense[kept]), Y[kept])
    for x in (csr_array(missing), csr_array(missing).tocsc(), pd.DataFrame.sparse.from_spmatrix(csr_array(missing))):
        model = LinearRegression(nan_policy="omit").fit(x, Y)
        assert (model.n_omitted_, model.coef_.tobytes()) == (2, expected.coef_.tobytes())


def test_rows_keep_their_places_in_windows() -> None:
    data = pd.DataFrame(frame())[["a", "b", "y", "w"]]
    whole = pd.DataFrame({"a": X[:, 0], "b": X[:, 1], "y": Y, "w": W})
    for start, state in windows(data, target="y", rows=12, step=4, weight="w", nan_policy="omit"):
        rows = [at for at in KEPT if start <= at < start + 12]
        assert state == gram(whole.iloc[rows], target="y", weight="w")


PENALISED = [
    Ridge(2.0),
    RidgeCV(),
    RidgeCV(cv=3),
    Lasso(0.1),
    ElasticNet(0.1),
    LassoCV(cv=3),
    ElasticNetCV(cv=3),
    NonNegativeLeastSquares(),
    JamesStein(),
]


@pytest.mark.parametrize("model", PENALISED, ids=repr)
def test_every_estimator_of_a_state_has_the_policy(model: Any) -> None:
    expected = model.fit(X[KEPT], Y[KEPT], W[KEPT]).coef_
    omitting = type(model)(**model.get_params() | {"nan_policy": "omit"})
    given = omitting.fit(X_MISSING, Y_MISSING, W_MISSING)
    assert (given.n_omitted_, given.coef_.tobytes()) == (4, expected.tobytes())
    with pytest.raises(DataError, match="Input X contains"):
        model.fit(X_MISSING, Y_MISSING)


REWEIGHTED: list[Any] = [
    HuberRegression(),
    TukeyRegression(),
    StudentTRegression(),
    ExpectileRegression(expectile=0.8),
    HeteroscedasticRegression(),
    QuantileRegression(quantile=0.6),
    LeastTrimmedSquares(),
]


@pytest.mark.parametrize("model", REWEIGHTED, ids=repr)
def test_fits_that_read_the_rows_again_have_the_policy(model: Any, tmp_path: Path) -> None:
    weighted = () if isinstance(model, LeastTrimmedSquares) else (W,)
    x, y = X_MISSING.copy(), Y_MISSING
    if not weighted:
        x[30, 0] = np.nan
    expected = type(model)(**model.get_params()).fit(X[KEPT], Y[KEPT], *(w[KEPT] for w in weighted))
    omitting = {**model.get_params(), "nan_policy": "omit"}
    given = type(model)(**omitting).fit(x, y, *(W_MISSING for _ in weighted))
    names = [name for name in vars(expected) if name in ("coef_", "intercept_", "scale_", "weights_", "support_", "loss_", "log_likelihood_")]
    assert len(names) > 2 or isinstance(model, ExpectileRegression)
    for name in names:
        assert np.array_equal(getattr(given, name), getattr(expected, name)), name
    assert (given.n_omitted_, given.n_passes_, expected.n_omitted_) == (4, expected.n_passes_, 0)
    frame_of = pd.DataFrame(frame()).assign(a=x[:, 0])[["a", "b", "y", *(["w"] if weighted else [])]]
    frame_of.iloc[:25].to_parquet(tmp_path / "1.parquet", row_group_size=4)
    frame_of.iloc[25:].to_parquet(tmp_path / "2.parquet")
    read = type(model)(**omitting).fit(tmp_path, "y", *("w" for _ in weighted))
    assert read.n_omitted_ == 4
    for name in names:
        np.testing.assert_allclose(getattr(read, name), getattr(expected, name), rtol=1e-9, atol=1e-12)
    if hasattr(model, "summary"):
        assert "4 rows were left out, for a missing or infinite value." in str(read.summary())
        assert "left out" not in str(expected.summary())
        assert read.inference_.rows == expected.inference_.rows


@pytest.mark.parametrize("model", REWEIGHTED, ids=repr)
def test_fits_that_read_the_rows_again_refuse_as_others_do(model: Any) -> None:
    with pytest.raises(DataError, match=r"Input X contains .*column 1, row 3"):
        type(model)(**model.get_params()).fit(X_MISSING, Y)
    policy = {**model.get_params(), "nan_policy": "drop"}
    for data, target in ((X, Y), ({"a": [1.0], "y": [2.0]}, "y")):
        with pytest.raises(DataError, match="nan_policy is 'drop'; a fit takes 'raise' or 'omit'"):
            type(model)(**policy).fit(data, target)
    omitting = type(model)(**{**model.get_params(), "nan_policy": "omit"})
    with pytest.raises(DataError, match="no row is left; 3 of 3 have a missing"):
        omitting.fit(np.full((3, 1), np.nan), [1.0, 2.0, 3.0])
    with pytest.raises(DataError, match="no row is left; 2 of 2 have a missing"):
        omitting.fit({"x": [1.0, None], "y": [None, 2.0]}, "y")


def test_levels_of_rows_that_are_left_out_are_no_columns_when_rows_are_read_again() -> None:
    data = pd.DataFrame({"c": ["u", "v", "u", "z", "v", None, "u", "v"], "y": [1.0, 2.0, 3.0, None, 4.0, 9.0, 1.5, 2.5]})
    kept = data.dropna()
    expected = HuberRegression(features=["c"]).fit(kept, "y")
    for model in (HuberRegression(features=["c"], nan_policy="omit"), HuberRegression(nan_policy="omit")):
        found = model.fit(data, "y") if model.features else model.fit(data[["c"]], data["y"])
        assert (found.n_omitted_, found.coef_.tolist()) == (2, expected.coef_.tolist())


def test_parts_add_up() -> None:
    one = LinearRegression(nan_policy="omit").fit(X_MISSING[:10], Y_MISSING[:10], W_MISSING[:10])
    other = LinearRegression(nan_policy="omit").fit(X_MISSING[10:], Y_MISSING[10:], W_MISSING[10:])
    assert (one.n_omitted_, other.n_omitted_, one.merge(other).n_omitted_) == (2, 2, 4)
    one.partial_fit(X_MISSING[10:], Y_MISSING[10:], W_MISSING[10:])
    assert (one.n_omitted_, one.coef_.tobytes()) == (4, WHOLE.coef_.tobytes())
    assert one.fit(X, Y).n_omitted_ == 0
    assert "1 row was left out" in str(LinearRegression(nan_policy="omit").fit(X_MISSING[4:10], Y_MISSING[4:10]).summary())


@pytest.mark.parametrize(
    ("x", "y", "w", "where"),
    [
        (X_MISSING, Y, None, "Input X contains .*column 1, row 3"),
        (X, Y_MISSING, None, "Input y contains NaN: column 0, row 3"),
        (X, Y, W_MISSING, "sample_weight at index 30"),
    ],
)
def test_without_the_policy_their_place_is_said(x: Any, y: Any, w: Any, where: str) -> None:
    with pytest.raises(DataError, match=where):
        LinearRegression().fit(x, y, w)


@pytest.mark.parametrize(("kept", "where"), [("a", "column 'a', row 18 is infinite"), ("b", "column 'b', row 4 is missing")])
def test_without_the_policy_a_file_says_the_row(kept: str, where: str) -> None:
    with pytest.raises(DataError, match=where):
        gram({"x": frame()[kept], "y": Y.tolist()} | {kept: frame()[kept]}, target="y", features=[kept])


def test_a_weight_that_is_wrong_is_refused_where_it_stands() -> None:
    wrong = W_MISSING.copy()
    wrong[33] = -1
    with pytest.raises(DataError, match="sample_weight at index 33 is -1"):
        LinearRegression(nan_policy="omit").fit(X_MISSING, Y_MISSING, wrong)
    data = frame()
    data["w"][33] = -1.0
    with pytest.raises(DataError, match="row 34"):
        LinearRegression(features=["a"], nan_policy="omit").fit(data, "y", "w")


def test_other_policies_and_rows_of_which_none_is_left_are_refused() -> None:
    for policy in ("propagate", "omit_targets", "drop"):
        with pytest.raises(DataError, match=f"nan_policy is '{policy}'; a fit takes 'raise' or 'omit'"):
            LinearRegression(nan_policy=policy).fit(X, Y)
        with pytest.raises(DataError, match="a fit takes"):
            gram({"x": [1.0], "y": [1.0]}, target="y", nan_policy=policy)
    with pytest.raises(DataError, match="no row is left; 3 of 3 have a missing"):
        LinearRegression(nan_policy="omit").fit(np.full((3, 1), np.nan), [1.0, 2.0, 3.0])
    with pytest.raises(DataError, match="no row is left; 2 of 2 have a missing"):
        LinearRegression(nan_policy="omit").fit({"x": [1.0, None], "y": [None, 2.0]}, "y")
    with pytest.raises(DataError, match="X has 40 rows and y 39"):
        LinearRegression(nan_policy="omit").fit(X, Y[1:])
    with pytest.raises(DataError, match="39"):
        LinearRegression(nan_policy="omit").fit(X, Y, W[1:])
