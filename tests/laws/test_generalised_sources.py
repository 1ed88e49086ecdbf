"""Generalised least squares of files and frames, in which rows may lack values: what arrays give, and what matrices say."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import statsmodels.api as sm

from squarely.errors import DataError
from squarely.linear import GeneralizedLeastSquares
from squarely.linear.exchangeable import GroupedMoments
from squarely.linear.rows import Rows
from squarely.validate import design

RNG = np.random.default_rng(21)
N = 240
FRAME = pd.DataFrame(
    {"a": RNG.normal(size=N) + 300, "b": RNG.normal(size=N), "g": RNG.choice(["u", "v", "w", "x", "y"], N), "h": RNG.integers(0, 40, N)}
)
FRAME["y"] = 1 + 0.1 * FRAME["a"] - FRAME["b"] + RNG.normal(size=40)[FRAME["h"]] + RNG.normal(size=N) * (1 + (FRAME["g"] == "v"))
FRAME["z"] = FRAME["y"] ** 2 + RNG.normal(size=N)
FEATURES = ["a", "b"]
NOISE = RNG.normal(size=(N, N))
COVARIANCE = np.eye(N) + NOISE @ NOISE.T / N
WAYS: list[tuple[dict[str, Any], str | None]] = [
    ({}, None),
    ({"covariance": "ar1"}, None),
    ({"covariance": "ar1", "rho": -0.3}, None),
    ({"covariance": "variances"}, "g"),
    ({"covariance": "exchangeable"}, "h"),
    ({"covariance": "exchangeable", "rho": 0.4}, "g"),
    ({"covariance": np.diag(COVARIANCE)}, None),
    ({"covariance": COVARIANCE}, None),
]
IDS = [
    f"{options['covariance'] if isinstance(options.get('covariance'), str) else np.ndim(options.get('covariance'))}-{options.get('rho')}"
    for options, _ in WAYS
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    pq.write_table(pa.Table.from_pandas(FRAME.iloc[:150]), tmp_path / "1.parquet", row_group_size=37)
    pq.write_table(pa.Table.from_pandas(FRAME.iloc[150:]), tmp_path / "2.parquet", row_group_size=37)
    return tmp_path


def same(found: Any, expected: Any, rtol: float = 1e-10) -> None:
    np.testing.assert_allclose(found.coef_, expected.coef_, rtol=rtol)
    np.testing.assert_allclose(found.intercept_, expected.intercept_, rtol=rtol)
    for one, other in zip(np.atleast_1d(np.array(found.inference_, object)), np.atleast_1d(np.array(expected.inference_, object)), strict=True):
        assert (one.names, one.rows, one.freedom) == (other.names, other.rows, other.freedom)
        np.testing.assert_allclose(one.standard_errors, other.standard_errors, rtol=rtol)
    np.testing.assert_allclose(getattr(found, "rho_", 0.0), getattr(expected, "rho_", 0.0), rtol=rtol)
    assert found.n_omitted_ == expected.n_omitted_


@pytest.mark.parametrize(("options", "groups"), WAYS, ids=IDS)
@pytest.mark.parametrize("target", ["y", ["y", "z"]], ids=str)
def test_every_source_gives_the_fit_of_its_arrays(folder: Path, options: dict[str, Any], groups: str | None, target: Any) -> None:
    expected = GeneralizedLeastSquares(**options).fit(FRAME[FEATURES], FRAME[target], None if groups is None else FRAME[groups])
    columns = {name: FRAME[name].to_numpy() for name in FRAME}
    for data in (folder / "*.parquet", FRAME, pa.Table.from_pandas(FRAME), columns):
        found = GeneralizedLeastSquares(features=FEATURES, **options).fit(data, target, groups)
        same(found, expected)
        if groups == "g" and options["covariance"] == "variances" and target == "y":
            assert found.variances_ == pytest.approx(expected.variances_)
            assert list(found.variances_) == ["u", "v", "w", "x", "y"]


@pytest.mark.parametrize("options", [{"covariance": "ar1"}, {"covariance": "exchangeable"}], ids=str)
def test_moments_answer_for_every_rho_in_two_readings(folder: Path, options: dict[str, Any]) -> None:
    groups = "h" if options["covariance"] == "exchangeable" else None
    found = GeneralizedLeastSquares(features=FEATURES, **options).fit(folder, "y", groups)
    assert found.n_iter_ > 2
    assert found.n_passes_ == 2


def rows_of(frame: pd.DataFrame) -> Rows:
    return Rows.of(design(frame[FEATURES], "X"), frame["y"], None, intercept=True)


def test_sums_of_groups_are_exact_to_32_digits() -> None:
    frame = FRAME.assign(a=FRAME["a"] * 2.0 ** RNG.integers(-40, 40, N))
    sizes = frame["h"].value_counts()
    moments = GroupedMoments.of(rows_of(frame), frame["y"].to_numpy(), frame["h"].to_numpy())
    for size, found in zip(moments.sizes.tolist(), moments.summed, strict=True):
        sums = [
            [Fraction(size), *(sum(map(Fraction, rows[name].tolist()), Fraction(0)) for name in (*FEATURES, "y"))]
            for _, rows in frame[frame["h"].isin(sizes.index[sizes == size])].groupby("h")
        ]
        for at, to in product(range(4), repeat=2):
            told = Fraction(int(found.numerators[at, to])) * Fraction(2) ** found.exponent
            products = [each[at] * each[to] for each in sums]
            assert abs(told - sum(products)) <= sum(map(abs, products)) * Fraction(1, 10**28)


def test_a_shift_of_all_numbers_moves_the_intercept_alone() -> None:
    x, y = np.round(FRAME[FEATURES].to_numpy() * 64) / 64, np.round(FRAME["y"].to_numpy() * 64) / 64
    near, far = (GeneralizedLeastSquares(covariance="exchangeable", rho=0.5).fit(x + shift, y, FRAME["h"]) for shift in (0, 2.0**30))
    assert far.coef_.tobytes() == near.coef_.tobytes()


def without(rows: list[int]) -> pd.DataFrame:
    return FRAME.assign(a=np.where(np.isin(np.arange(N), rows), np.nan, FRAME["a"]))


LOST = [0, 40, 41, 149, 150, 200, 239]
KEPT = np.setdiff1d(np.arange(N), LOST)
BETWEEN = [(options, groups) for options, groups in WAYS if options.get("covariance") is None or groups is not None]


@pytest.mark.parametrize(("options", "groups"), BETWEEN, ids=lambda each: str(each))
def test_a_row_that_lacks_a_value_is_as_if_it_had_not_been_given(tmp_path: Path, options: dict[str, Any], groups: str | None) -> None:
    expected = GeneralizedLeastSquares(**options).fit(
        FRAME[FEATURES].iloc[KEPT], FRAME["y"].iloc[KEPT], None if groups is None else FRAME[groups].iloc[KEPT]
    )
    assert expected.n_omitted_ == 0
    expected.n_omitted_ = len(LOST)
    frame = without(LOST)
    frame.to_parquet(tmp_path / "all.parquet", row_group_size=37)
    same(GeneralizedLeastSquares(nan_policy="omit", **options).fit(frame[FEATURES], frame["y"], None if groups is None else frame[groups]), expected)
    same(GeneralizedLeastSquares(nan_policy="omit", features=FEATURES, **options).fit(tmp_path, "y", groups), expected)


@pytest.mark.parametrize("covariance", [np.diag(COVARIANCE), COVARIANCE], ids=["variances", "covariances"])
def test_covariances_are_those_of_the_rows_that_are_left(tmp_path: Path, covariance: Any) -> None:
    left = covariance[KEPT] if covariance.ndim == 1 else covariance[np.ix_(KEPT, KEPT)]
    theirs = sm.GLS(FRAME["y"].to_numpy()[KEPT], sm.add_constant(FRAME[FEATURES].to_numpy()[KEPT]), sigma=left).fit()
    frame = without(LOST)
    frame.to_parquet(tmp_path / "all.parquet", row_group_size=37)
    model = GeneralizedLeastSquares(covariance=covariance, features=FEATURES, nan_policy="omit")
    for found in (model.fit(frame[FEATURES], frame["y"]), model.fit(tmp_path, "y")):
        np.testing.assert_allclose([found.intercept_, *found.coef_], theirs.params, rtol=1e-8)
        np.testing.assert_allclose(found.inference_.standard_errors[:, 0], theirs.bse, rtol=1e-8)
        assert found.n_omitted_ == len(LOST)


@pytest.mark.parametrize("intercept", [True, False])
def test_no_pair_of_neighbours_spans_a_row_that_is_left_out(tmp_path: Path, intercept: bool) -> None:
    """With rho given it is ordinary least squares of z_t - rho z_{t-1} where both are there."""
    rho, later = 0.6, [at for at in KEPT.tolist() if at - 1 in KEPT]
    z = (sm.add_constant(FRAME[FEATURES].to_numpy()) if intercept else FRAME[FEATURES].to_numpy(), FRAME["y"].to_numpy())
    x, y = (each[later] - rho * each[np.array(later) - 1] for each in z)
    theirs = sm.OLS(y, x).fit()
    frame = without(LOST)
    frame.to_parquet(tmp_path / "all.parquet", row_group_size=37)
    model = GeneralizedLeastSquares(covariance="ar1", rho=rho, features=FEATURES, fit_intercept=intercept, nan_policy="omit")
    for found in (model.fit(frame[FEATURES], frame["y"]), model.fit(tmp_path, "y")):
        np.testing.assert_allclose([*([found.intercept_] if intercept else []), *found.coef_], theirs.params, rtol=1e-9)
        np.testing.assert_allclose(found.inference_.standard_errors[:, 0], theirs.bse, rtol=1e-9)
        assert (found.n_omitted_, found.inference_.freedom) == (len(LOST), theirs.df_resid)


def test_an_estimated_rho_is_that_of_pairs_that_are_there() -> None:
    """At the fixed point rho is the autocorrelation of errors about their mean, of products over pairs and squares over rows."""
    frame = without(LOST)
    found = GeneralizedLeastSquares(covariance="ar1", nan_policy="omit").fit(frame[FEATURES], frame["y"])
    errors = FRAME["y"].to_numpy() - found.predict(FRAME[FEATURES])
    centred = errors - errors[KEPT].mean()
    products = [centred[at] * centred[at - 1] for at in KEPT.tolist() if at - 1 in KEPT]
    assert found.rho_ == pytest.approx(np.mean(products) / np.mean(centred[KEPT] ** 2), rel=1e-9)


def test_what_cannot_be_is_refused_by_name(folder: Path) -> None:
    ar1, alike = GeneralizedLeastSquares(covariance="ar1", nan_policy="omit"), GeneralizedLeastSquares(covariance="exchangeable", features=FEATURES)
    with pytest.raises(DataError, match="n_samples = 2, and none follows another"):
        ar1.fit([[1.0], [np.nan], [3.0]], [1.0, 2.0, 3.0])
    with pytest.raises(DataError, match="reads the rows several times, and a stream is read once"):
        ar1.fit(pa.Table.from_pandas(FRAME[["a", "y"]]).to_reader(), "y")
    with pytest.raises(DataError, match="needs groups"):
        alike.fit(folder, "y")
    with pytest.raises(DataError, match="groups is a list, and y names columns of a source; expected the name of a column"):
        alike.fit(folder, "y", FRAME["h"].tolist())
    with pytest.raises(DataError, match="groups is a list, and y names columns of a source; expected the name of a column"):
        alike.fit(folder, "y", ["g", "h"])
    with pytest.raises(DataError, match="groups is 'h', the name of a column, and y is no name of one"):
        alike.fit(FRAME, FRAME["y"], "h")
    with pytest.raises(DataError, match="'q'"):
        alike.fit(folder, "y", "q")
    frame = FRAME.assign(g=np.where(np.arange(N) == 7, None, FRAME["g"]))
    for data, y, groups, where in ((frame, "y", "g", "column 'g', row 8"), (frame[FEATURES], frame["y"], frame["g"], "groups at index 7")):
        with pytest.raises(DataError, match=f"{where}: the group is missing"):
            alike.fit(data, y, groups)
    lost = frame.assign(a=np.where(np.arange(N) == 5, np.nan, frame["a"]))
    omitting = GeneralizedLeastSquares(covariance="exchangeable", features=FEATURES, nan_policy="omit")
    for data, y, groups, where in ((lost, "y", "g", "column 'g', row 8"), (lost[FEATURES], lost["y"], lost["g"], "groups at index 7")):
        with pytest.raises(DataError, match=f"{where}: the group is missing"):
            omitting.fit(data, y, groups)
    without_it = frame.assign(a=np.where(np.arange(N) == 7, np.nan, frame["a"]))
    assert omitting.fit(without_it, "y", "g").n_omitted_ == omitting.fit(without_it[FEATURES], without_it["y"], without_it["g"]).n_omitted_ == 1


def test_sums_beyond_the_range_of_doubles_are_refused() -> None:
    with pytest.raises(DataError, match="the sum of a feature or target over a group is beyond the range of doubles"):
        GeneralizedLeastSquares(covariance="exchangeable").fit([[1.0], [2.0], [3.0]], [1.7e308] * 3, ["u", "u", "v"])  # which do not vary
