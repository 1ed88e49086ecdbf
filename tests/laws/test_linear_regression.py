"""LinearRegression: the same bits for any order and parts, the same answers in any unit, and those of the peers where they have digits."""

from __future__ import annotations

import warnings
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

from nist_sets import designed
from squarely.errors import DataError, DependentColumnsWarning, NotFittedError
from squarely.linear import GramState, LinearRegression, NormalEquations, poly

RNG = np.random.default_rng(11)
X = RNG.normal(size=(200, 4)) * [1, 100, 0.01, 1] + [0, 1000, 0, -3]
Y = X @ [1.0, 0.01, 30, -2] + 5 + RNG.normal(size=200)
W = RNG.lognormal(size=200)


@pytest.mark.parametrize("intercept", [True, False])
def test_scikit_learn_takes_it_for_one_of_its_own(intercept: bool) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it has no base of scikit-learn's; some data of the checks have fewer rows than features
        results = check_estimator(LinearRegression(fit_intercept=intercept), on_fail=None)
    assert [each for each in results if each["status"] == "failed"] == []
    assert len(results) > 50


@pytest.mark.parity("LinearRegression", "Inference", peer="statsmodels WLS")
@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("weight", [None, W], ids=["plain", "weighted"])
def test_statsmodels_says_the_same(intercept: bool, weight: np.ndarray | None) -> None:
    ours = LinearRegression(fit_intercept=intercept).fit(X, Y, weight)
    theirs = sm.WLS(Y, sm.add_constant(X) if intercept else X, 1.0 if weight is None else weight).fit()
    inference = ours.inference_
    for mine, peer in (
        (inference.estimates, theirs.params),
        (inference.standard_errors, theirs.bse),
        (inference.t_values, theirs.tvalues),
        (inference.intervals(0.9)[:, 0], theirs.conf_int(0.1)),
        (inference.r2, theirs.rsquared),
        (inference.residual_std**2, theirs.mse_resid),
        (inference.residual_squares, theirs.ssr),
    ):
        np.testing.assert_allclose(np.squeeze(mine), peer, rtol=1e-9)
    np.testing.assert_allclose(inference.p_values[:, 0], theirs.pvalues, rtol=1e-9)
    at = int(intercept)
    np.testing.assert_array_equal(ours.standard_errors_, inference.standard_errors[at:, 0])
    np.testing.assert_array_equal(ours.t_values_, inference.t_values[at:, 0])
    np.testing.assert_array_equal(ours.p_values_, inference.p_values[at:, 0])
    np.testing.assert_array_equal(ours.confidence_intervals(0.9), inference.intervals(0.9)[at:, 0])
    assert (ours.r2_, ours.residual_std_) == (inference.r2[0], inference.residual_std[0])


@pytest.mark.parametrize("name", ["Longley", "Wampler3", "Filip"])
@pytest.mark.parametrize("weighted", [False, True])
def test_order_and_parts_change_no_bit(name: str, weighted: bool) -> None:
    x, y, _ = designed(name)
    w = np.random.default_rng(1).random(len(y)) if weighted else None
    whole = LinearRegression().fit(x, y, w)
    for seed in range(4):
        order = np.random.default_rng(seed).permutation(len(y))
        parts = np.array_split(order, seed + 2)
        other = LinearRegression()
        for rows in parts:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # the first parts have too few rows
                other.partial_fit(x[rows], y[rows], None if w is None else w[rows])
        assert other.coef_.tobytes() == whole.coef_.tobytes()
        assert other.intercept_ == whole.intercept_
        assert other.standard_errors_.tobytes() == whole.standard_errors_.tobytes()


@pytest.mark.parametrize("power", [-150, -12, -3, 3, 12, 150])
@pytest.mark.parametrize("intercept", [True, False])
def test_units_change_no_t_p_or_r2(power: int, intercept: bool) -> None:
    """Multiplying by ten rounds, which is a change of the data that this condition passes on at its own size."""
    scale = 10.0 ** np.array([power, -power / 3, 1, power / 2])
    plain, scaled = LinearRegression(fit_intercept=intercept).fit(X, Y), LinearRegression(fit_intercept=intercept).fit(X * scale, Y)
    np.testing.assert_allclose(scaled.t_values_, plain.t_values_, rtol=1e-12)
    np.testing.assert_allclose(scaled.p_values_, plain.p_values_, rtol=1e-11, atol=0.0)
    np.testing.assert_allclose(scaled.p_values_, plain.p_values_, rtol=0.0, atol=1e-12)
    assert abs(scaled.r2_ - plain.r2_) < 1e-12


@pytest.mark.parametrize("power", [-500, -40, -3, 3, 40, 400])
@pytest.mark.parametrize("name", ["Norris", "Longley", "Wampler3", "Filip"])
def test_units_change_no_bit_where_they_are_powers_of_two(name: str, power: int) -> None:
    x, y, _ = designed(name)
    exponents = np.where(np.arange(x.shape[1]) % 2, power, -power // 3)
    plain, scaled = LinearRegression().fit(x, y), LinearRegression().fit(np.ldexp(x, exponents), y)
    assert np.ldexp(scaled.coef_, exponents).tobytes() == plain.coef_.tobytes()
    assert scaled.t_values_.tobytes() == plain.t_values_.tobytes()
    assert (scaled.r2_, scaled.rank_) == (plain.r2_, plain.rank_)


def test_several_targets_are_one_fit_each() -> None:
    targets = np.column_stack([Y, X[:, 0] ** 2, np.ones(200)])
    together = LinearRegression().fit(X, targets, W)
    assert together.coef_.shape == (3, 4)
    for at in range(3):
        alone = LinearRegression().fit(X, targets[:, at], W)
        np.testing.assert_allclose(together.coef_[at], alone.coef_, rtol=1e-15)
        np.testing.assert_allclose(together.predict(X)[:, at], alone.predict(X), rtol=1e-12)
        np.testing.assert_allclose(together.standard_errors_[at], alone.standard_errors_, rtol=1e-12)
    assert together.inference_.r2[2] != together.inference_.r2[2]  # a constant target has no R2


def test_merged_subtracted_and_saved_fits_are_fits() -> None:
    whole, first = LinearRegression().fit(X, Y), LinearRegression().fit(X[:90], Y[:90])
    rest = LinearRegression().fit(X[90:], Y[90:])
    assert first.merge(rest).coef_.tobytes() == whole.coef_.tobytes()
    again = LinearRegression.from_state(GramState.from_bytes((whole.state_ - first.state_).to_bytes()))
    assert again.coef_.tobytes() == rest.coef_.tobytes()
    assert again.intercept_ == rest.intercept_


def test_a_state_is_not_changed_by_what_is_fitted_from_it() -> None:
    state = GramState.of(X[:90], Y[:90])
    before = state.to_bytes()
    model = LinearRegression.from_state(state).partial_fit(X[90:], Y[90:])
    assert state.to_bytes() == before
    assert model.coef_.tobytes() == LinearRegression().fit(X, Y).coef_.tobytes()


def test_an_estimator_of_a_state_knows_its_columns() -> None:
    frame = pd.DataFrame(X, columns=list("abcd"))
    terms = [poly("a", 2), "c"]
    fitted = LinearRegression(features=terms).fit(frame[["a", "c"]], Y)
    again = LinearRegression.from_state(fitted.state_, features=terms)
    assert again.predict(frame[["a", "c"]]).tobytes() == fitted.predict(frame[["a", "c"]]).tobytes()
    with pytest.raises(DataError, match="the state has the features"):
        LinearRegression.from_state(fitted.state_, features=["c"])


def test_a_dependent_feature_is_named_and_never_dropped_in_silence() -> None:
    frame = pd.DataFrame(X, columns=list("abcd")).assign(e=lambda f: 2 * f.a - f.c, f=7.0)
    with pytest.warns(DependentColumnsWarning) as caught:
        model = LinearRegression().fit(frame, Y)
    assert [str(each.message).split(",")[0] for each in caught] == [
        "the feature 'e' is a combination of 'a'",
        "the feature 'f' is constant",
    ]
    assert model.rank_ == 4
    assert model.coef_[4:].tolist() == [0, 0]
    np.testing.assert_array_equal(np.isnan(model.standard_errors_), [False] * 4 + [True] * 2)
    np.testing.assert_allclose(model.equations_.factor.combination(4), [2, 0, -1, 0], atol=1e-12)
    np.testing.assert_allclose(model.coef_[:4], LinearRegression().fit(frame[list("abcd")], Y).coef_, rtol=1e-12)


def test_nearly_dependent_features_keep_their_own_coefficients() -> None:
    """What scikit-learn 1.9 drops: its tol of 1e-6 takes a feature of small spread for a dependent one."""
    rng = np.random.default_rng(0)
    revenue, rate = rng.lognormal(17, 1, 500), rng.normal(3, 1, 500)
    model = LinearRegression().fit(np.column_stack([rate, revenue]), 5 * rate + 1e-8 * revenue)
    np.testing.assert_allclose(model.coef_, [5, 1e-8], rtol=1e-8)
    assert model.rank_ == 2


def test_the_root_stands_for_the_rows() -> None:
    equations = NormalEquations.of(GramState.of(X, Y, W))
    root, right = equations.root
    assert np.array_equal(root, np.triu(root))
    centred = X - np.average(X, axis=0, weights=W)
    np.testing.assert_allclose(root.T @ root, centred.T @ (W[:, None] * centred), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(np.linalg.solve(root, right), equations.coefficients.nearest(), rtol=1e-10)


def test_penalised_equations_are_ridge_regression() -> None:
    from sklearn.linear_model import Ridge

    equations = NormalEquations.of(GramState.of(X, Y, W)).penalised(0.3)
    theirs = Ridge(0.3, solver="svd").fit(X, Y, W)
    np.testing.assert_allclose(equations.coefficients.nearest()[:, 0], theirs.coef_, rtol=1e-9)
    assert equations.intercepts_of(equations.coefficients)[0] == pytest.approx(theirs.intercept_, rel=1e-9)


def test_exact_dependence_to_the_last_digit() -> None:
    """A fit in integers: residuals of a target that is a sum of features are nothing."""
    x = np.random.default_rng(5).integers(-50, 50, (30, 3)).astype(float)
    model = LinearRegression().fit(x, 3 * x[:, 0] - x[:, 1] / 4 + 8)
    assert model.coef_.tolist() == [3, -0.25, 0]
    assert (model.intercept_, model.r2_) == (8, 1)
    assert model.residual_std_ < 1e-60  # the coefficients, before they are rounded, have some 60 digits


def test_residual_squares_are_those_of_the_rows() -> None:
    model = LinearRegression().fit(X[:30], Y[:30], W[:30])
    coefficients = [Fraction(v) * Fraction(2) ** model.exact_coef_.exponent for v in model.exact_coef_.numerators[:, 0].tolist()]
    rows = [[Fraction(v) for v in row] for row in X[:30].tolist()]
    weight, y = [Fraction(v) for v in W[:30].tolist()], [Fraction(v) for v in Y[:30].tolist()]
    errors = [t - sum(b * v for b, v in zip(coefficients, row, strict=True)) for t, row in zip(y, rows, strict=True)]
    mean = sum(w * e for w, e in zip(weight, errors, strict=True)) / sum(weight)
    exact = sum(w * (e - mean) ** 2 for w, e in zip(weight, errors, strict=True))
    assert model.inference_.residual_squares[0] == float(exact)


def test_it_has_its_place_among_estimators() -> None:
    scores = cross_val_score(make_pipeline(StandardScaler(), LinearRegression()), X, Y, cv=5)
    assert scores.min() > 0.5
    assert repr(LinearRegression(fit_intercept=False)) == "LinearRegression(fit_intercept=False)"


def test_what_is_refused_is_named() -> None:
    with pytest.raises(NotFittedError, match="This LinearRegression instance is not fitted yet"):
        LinearRegression().predict(X)
    with pytest.raises(DataError, match="there is nothing to fit"):
        LinearRegression().fit(X, Y, np.zeros(200))
    with pytest.raises(DataError, match="Invalid parameter 'alpha'"):
        LinearRegression().set_params(alpha=1)
    rows = {"x": X[:, 0], "y": Y}
    for features in (["x", "y"], [poly("y", 2)]):
        with pytest.raises(DataError, match=r"the target 'y' is among the features too, and would explain itself. Leave it out"):
            LinearRegression(features=features).fit(rows, "y")
    with pytest.raises(DataError, match=r"the weight is a ndarray, and the target the name of a column; .* Make the weights a column"):
        LinearRegression().fit(rows, "y", W)
    model = LinearRegression().fit(X, Y)
    with pytest.raises(DataError, match=r"state is of type bytes; expected a GramState. GramState.from_bytes\(data\) reads saved ones"):
        LinearRegression.from_state(model.state_.to_bytes())
    with pytest.raises(DataError, match="other is of type GramState; expected a fitted LinearRegression"):
        model.merge(model.state_)
