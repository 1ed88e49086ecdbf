"""Penalised and constrained least squares from a state: what scikit-learn's solvers say of the rows, and what theory says of the solution."""

from __future__ import annotations

import warnings
from fractions import Fraction
from functools import cache

import numpy as np
import pandas as pd
import pytest
import sklearn.linear_model as peers
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import mean_squared_error
from sklearn.model_selection import GroupKFold, KFold, ShuffleSplit
from sklearn.utils.estimator_checks import check_estimator

from squarely.errors import DataError, DependentColumnsWarning, NotConvergedWarning
from squarely.linear import (
    ElasticNet,
    ElasticNetCV,
    GramState,
    JamesStein,
    Lasso,
    LassoCV,
    LinearRegression,
    NonNegativeLeastSquares,
    Ridge,
    RidgeCV,
    grams,
)

RNG = np.random.default_rng(3)
X = RNG.normal(size=(203, 8)) @ RNG.normal(size=(8, 8)) + RNG.normal(size=8) * 3
BETA = np.array([2.0, 0, -1, 0, 0.3, 0, 0, -0.02])
Y = X @ BETA + 5 + RNG.normal(size=203)
BOTH = np.column_stack([Y, np.sin(X[:, 0]) + 0.1 * X[:, 3]])
W = RNG.lognormal(size=203)
ALPHAS = np.logspace(-2, 4, 13)
WEIGHTS = pytest.mark.parametrize("weight", [None, W], ids=["plain", "weighted"])
INTERCEPT = pytest.mark.parametrize("intercept", [True, False])
TIGHT = {"tol": 1e-13, "max_iter": 1_000_000}


@pytest.mark.parametrize(
    "estimator",
    [
        Ridge(),
        Ridge(0.0, fit_intercept=False),
        RidgeCV(),
        RidgeCV(cv=3),
        ElasticNet(alpha=0.01),
        Lasso(alpha=0.01),
        ElasticNetCV(cv=3, alphas=10),
        LassoCV(cv=3, alphas=10),
        NonNegativeLeastSquares(),
        JamesStein(),
    ],
    ids=repr,
)
def test_scikit_learn_takes_them_for_its_own(estimator: object) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they have no base of scikit-learn's; some data of the checks have fewer rows than features
        results = check_estimator(estimator, on_fail=None)
    assert [each for each in results if each["status"] == "failed"] == []
    assert len(results) > 50


# --- ridge --------------------------------------------------------------------------------------------------------


@pytest.mark.parity("Ridge", peer="scikit-learn Ridge")
@WEIGHTS
@INTERCEPT
@pytest.mark.parametrize("alpha", [1e-6, 0.3, 40.0, 1e6])
def test_ridge_is_scikit_learns(alpha: float, intercept: bool, weight: np.ndarray | None) -> None:
    ours, theirs = (each(alpha, fit_intercept=intercept).fit(X, Y, weight) for each in (Ridge, peers.Ridge))
    assert ours.coef_ == pytest.approx(theirs.coef_, rel=1e-9, abs=0)
    assert ours.intercept_ == pytest.approx(theirs.intercept_, rel=1e-9)


def test_ridge_of_several_targets_has_an_alpha_for_each() -> None:
    ours, theirs = (each(np.array([0.1, 30.0])).fit(X, BOTH, W) for each in (Ridge, peers.Ridge))
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-9)
    assert ours.predict(X) == pytest.approx(theirs.predict(X), rel=1e-9)


def test_ridge_solves_its_equations_in_exact_arithmetic() -> None:
    """(A'A + alpha I) b = A'y in fractions: the coefficients are the solution, rounded once."""
    rows, y, alpha = [[1, 7], [2, -1], [5, 3]], [1, 4, 2], Fraction(3, 8)
    a, b, d = (sum(r[i] * r[j] for r in rows) for i, j in ((0, 0), (0, 1), (1, 1)))
    p, q = (sum(r[i] * t for r, t in zip(rows, y, strict=True)) for i in (0, 1))
    determinant = (a + alpha) * (d + alpha) - b * b
    exact = [float(((d + alpha) * p - b * q) / determinant), float(((a + alpha) * q - b * p) / determinant)]
    assert Ridge(float(alpha), fit_intercept=False).fit(np.array(rows, float), y).coef_.tolist() == exact


def test_ridge_tells_dependent_features_apart_and_says_their_rank() -> None:
    twice = np.column_stack([X, X[:, 0]])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = Ridge(1.0).fit(twice, Y)
    assert model.rank_ == 8
    assert model.coef_[0] == pytest.approx(model.coef_[8], rel=1e-12)
    with pytest.warns(DependentColumnsWarning, match="x8"):
        Ridge(0.0).fit(twice, Y)


@cache
def refits(kind: str, intercept: bool, weighted: bool, seed: int | None) -> np.ndarray:
    """The errors of folds, from a fit for each of them and each penalty."""
    splits = KFold(5) if seed is None else KFold(5, shuffle=True, random_state=seed)
    w = W if weighted else np.ones(len(Y))
    found = np.empty((len(ALPHAS), 5))
    for at, (train, test) in enumerate(splits.split(X)):
        for row, alpha in enumerate(ALPHAS):
            if kind == "ridge":
                model = peers.Ridge(alpha, fit_intercept=intercept, solver="svd")
            else:
                model = peers.ElasticNet(alpha / 100, l1_ratio=0.7, fit_intercept=intercept, **TIGHT)
            model.fit(X[train], Y[train], w[train])
            found[row, at] = mean_squared_error(Y[test], model.predict(X[test]), sample_weight=w[test])
    return found


@WEIGHTS
@INTERCEPT
@pytest.mark.parametrize("seed", [None, 4])
def test_folds_of_ridge_are_refits(seed: int | None, intercept: bool, weight: np.ndarray | None) -> None:
    expected = refits("ridge", intercept, weight is not None, seed)
    cv = 5 if seed is None else KFold(5, shuffle=True, random_state=seed)
    model = RidgeCV(ALPHAS, fit_intercept=intercept, cv=cv).fit(X, Y, weight)
    np.testing.assert_allclose(model.mse_path_, expected, rtol=1e-10)
    assert model.alpha_ == ALPHAS[np.argmin(expected.mean(axis=1))]
    assert model.coef_.tobytes() == Ridge(model.alpha_, fit_intercept=intercept).fit(X, Y, weight).coef_.tobytes()
    for alpha, row in zip(ALPHAS, model.coef_path_, strict=True):
        np.testing.assert_allclose(row, Ridge(alpha, fit_intercept=intercept).fit(X, Y, weight).coef_, rtol=1e-10)


@pytest.mark.parity("RidgeCV", peer="scikit-learn RidgeCV")
def test_scikit_learns_search_picks_the_same_ridge() -> None:
    ours = RidgeCV(ALPHAS, cv=5).fit(X, BOTH)
    theirs = peers.RidgeCV(ALPHAS, cv=5, scoring="neg_mean_squared_error").fit(X, BOTH)
    assert ours.alpha_ == theirs.alpha_
    assert ours.mse_path_.mean(axis=1).min() == pytest.approx(-theirs.best_score_, rel=1e-10)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-9)
    assert ours.coef_path_.shape == (13, 2, 8)


@INTERCEPT
def test_generalised_cross_validation_is_that_of_the_hat_matrix(intercept: bool) -> None:
    """Its definition by Golub, Heath and Wahba: the residuals and the trace of the matrix that makes predictions of targets."""
    rows = X - X.mean(axis=0) if intercept else X
    expected = []
    for alpha in ALPHAS:
        hat = rows @ np.linalg.solve(rows.T @ rows + alpha * np.eye(8), rows.T) + intercept / len(Y)
        expected.append(len(Y) * np.sum((Y - hat @ Y) ** 2) / np.trace(np.eye(len(Y)) - hat) ** 2)
    model = RidgeCV(ALPHAS, fit_intercept=intercept).fit(X, Y)
    np.testing.assert_allclose(model.gcv_, expected, rtol=1e-10)
    assert model.alpha_ == ALPHAS[np.argmin(expected)]
    assert RidgeCV.from_state(model.state_, alphas=ALPHAS, fit_intercept=intercept).gcv_.tobytes() == model.gcv_.tobytes()


def test_units_do_not_spoil_a_path() -> None:
    """Features of very different size, about large means: the errors of folds are those of refits in exact fractions of the same data."""
    scale = np.array([1e-8, 1, 1e8])
    x = np.round(X[:, :3], 3) * scale + scale * [1e3, 0, 1e4]
    model = RidgeCV([1e-9], cv=2).fit(x, Y)
    half = len(Y) // 2 + 1
    for fold, (train, test) in enumerate([(slice(half, None), slice(half)), (slice(half), slice(half, None))]):
        refit = Ridge(1e-9).fit(x[train], Y[train])
        errors = [
            Fraction(t) - Fraction(refit.intercept_) - sum(Fraction(b) * Fraction(v) for b, v in zip(refit.coef_.tolist(), row, strict=True))
            for t, row in zip(Y[test].tolist(), x[test].tolist(), strict=True)
        ]
        assert model.mse_path_[0, fold] == pytest.approx(float(sum(e * e for e in errors) / len(errors)), rel=1e-10)


# --- lasso and elastic net ----------------------------------------------------------------------------------------


@pytest.mark.parity("ElasticNet", "Lasso", peer="scikit-learn ElasticNet")
@WEIGHTS
@INTERCEPT
@pytest.mark.parametrize("alpha", [1e-4, 0.02, 0.5, 3.0, 1000.0])
@pytest.mark.parametrize("ratio", [1.0, 0.4])
def test_elastic_net_is_scikit_learns(ratio: float, alpha: float, intercept: bool, weight: np.ndarray | None) -> None:
    theirs = peers.ElasticNet(alpha, l1_ratio=ratio, fit_intercept=intercept, **TIGHT).fit(X, Y, weight)
    ours = ElasticNet(alpha, l1_ratio=ratio, fit_intercept=intercept).fit(X, Y, weight)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-9, atol=1e-9)
    assert np.array_equal(ours.coef_ == 0, theirs.coef_ == 0)
    assert ours.intercept_ == pytest.approx(theirs.intercept_, rel=1e-9)
    if ratio == 1:
        assert Lasso(alpha, fit_intercept=intercept).fit(X, Y, weight).coef_.tobytes() == ours.coef_.tobytes()


@pytest.mark.parametrize("tol", [1e-6, 1e-10])
def test_lasso_meets_its_conditions_to_the_last_digit(tol: float) -> None:
    """Where a coefficient is not 0 the mean of x times error is alpha in size and of its sign; elsewhere it is less (Karush, Kuhn, Tucker)."""
    alpha = 0.25
    model = Lasso(alpha, fit_intercept=False, tol=tol).fit(X, Y)
    exact = [Fraction(v) * Fraction(2) ** model.exact_coef_.exponent for v in model.exact_coef_.numerators[:, 0].tolist()]
    rows = [[Fraction(v) for v in row] for row in X.tolist()]
    errors = [Fraction(t) - sum(b * v for b, v in zip(exact, row, strict=True)) for t, row in zip(Y.tolist(), rows, strict=True)]
    gradient = [sum(e * row[at] for e, row in zip(errors, rows, strict=True)) / len(Y) for at in range(8)]
    assert 2 <= sum(b != 0 for b in exact) < 8
    for b, g in zip(exact, gradient, strict=True):
        assert abs(float(g - (alpha if b > 0 else -alpha))) < 1e-25 if b else abs(g) <= alpha


def test_without_a_penalty_on_sizes_it_is_ridge_or_least_squares() -> None:
    assert ElasticNet(0.3, l1_ratio=0.0).fit(X, BOTH).coef_ == pytest.approx(Ridge(0.3 * len(Y)).fit(X, BOTH).coef_, rel=1e-12)
    assert Lasso(0.0).fit(X, Y).coef_.tobytes() == LinearRegression().fit(X, Y).coef_.tobytes()


@pytest.mark.parity("LassoCV", peer="scikit-learn LassoCV")
@WEIGHTS
@INTERCEPT
def test_lasso_by_folds_is_scikit_learns(intercept: bool, weight: np.ndarray | None) -> None:
    theirs = peers.LassoCV(cv=5, alphas=40, fit_intercept=intercept, **TIGHT).fit(X, Y, weight)
    ours = LassoCV(alphas=40, fit_intercept=intercept).fit(X, Y, weight)
    np.testing.assert_allclose(ours.alphas_, theirs.alphas_, rtol=1e-12)
    np.testing.assert_allclose(ours.mse_path_, theirs.mse_path_, rtol=1e-9)
    assert ours.alpha_ == pytest.approx(theirs.alpha_, rel=1e-12)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-9, atol=1e-9)


@pytest.mark.parity("ElasticNetCV", peer="scikit-learn ElasticNetCV")
@WEIGHTS
def test_elastic_net_by_folds_is_scikit_learns(weight: np.ndarray | None) -> None:
    folds, ratios = KFold(4, shuffle=True, random_state=1), [0.2, 0.9]
    theirs = peers.ElasticNetCV(l1_ratio=ratios, cv=folds, alphas=30, **TIGHT).fit(X, Y, weight)
    ours = ElasticNetCV(l1_ratio=ratios, cv=folds, alphas=30).fit(X, Y, weight)
    np.testing.assert_allclose(ours.alphas_, theirs.alphas_, rtol=1e-12)
    np.testing.assert_allclose(ours.mse_path_, theirs.mse_path_, rtol=1e-9)
    assert (ours.alpha_, ours.l1_ratio_) == (pytest.approx(theirs.alpha_, rel=1e-12), theirs.l1_ratio_)


def test_folds_of_elastic_net_are_refits() -> None:
    model = ElasticNetCV(alphas=ALPHAS / 100, l1_ratio=0.7).fit(X, Y)
    assert model.mse_path_[::-1] == pytest.approx(refits("net", True, False, None), rel=1e-9)


# --- folds are states ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("estimator", [RidgeCV(ALPHAS, cv=3), LassoCV(alphas=20, cv=3)], ids=repr)
def test_folds_are_states_that_merge_and_are_given(estimator: RidgeCV | LassoCV) -> None:
    kind, settings = type(estimator), estimator.get_params()
    folds = np.arange(len(Y)) * 3 // len(Y)
    splits = list(GroupKFold(3).split(X, Y, folds))
    one = kind(**{**settings, "cv": splits}).fit(X, Y, W)
    states = [GramState.of(X[test], Y[test], W[test]) for _, test in splits]
    two = kind.from_states(states, **{**settings, "cv": 3})
    assert two.mse_path_.tobytes() == one.mse_path_.tobytes()
    assert (two.alpha_, two.coef_.tobytes()) == (one.alpha_, one.coef_.tobytes())
    first, second = (kind(**settings).fit(X[rows], Y[rows], W[rows]) for rows in (slice(90), slice(90, None)))
    merged, added = first.merge(second), kind(**settings).fit(X[:90], Y[:90], W[:90]).partial_fit(X[90:], Y[90:], W[90:])
    assert merged.mse_path_.tobytes() == added.mse_path_.tobytes()
    assert merged.state_ == one.state_
    assert sum(merged.folds_, GramState()) == one.state_


def test_order_of_rows_within_folds_changes_no_bit() -> None:
    order = np.concatenate([RNG.permutation(np.arange(at, end)) for at, end in ((0, 68), (68, 136), (136, 203))])
    for kind in (RidgeCV(ALPHAS, cv=3), LassoCV(cv=3, alphas=15)):
        one = kind.fit(X, Y).mse_path_.tobytes()
        assert kind.fit(X[order], Y[order]).mse_path_.tobytes() == one


def test_one_alpha_for_several_targets_has_the_least_mean_error() -> None:
    alphas = np.logspace(1, -3, 9)
    both, *alone = (LassoCV(alphas=alphas).fit(X, y, W) for y in (BOTH, BOTH[:, 0], BOTH[:, 1]))
    assert both.mse_path_ == pytest.approx((alone[0].mse_path_ + alone[1].mse_path_) / 2, rel=1e-9)
    assert both.coef_ == pytest.approx(Lasso(both.alpha_).fit(X, BOTH, W).coef_, rel=1e-14)
    grid = LassoCV(alphas=5).fit(X, BOTH).alphas_
    assert not Lasso(grid[0] * 1.0001).fit(X, BOTH).coef_.any()
    assert Lasso(grid[0] * 0.9999).fit(X, BOTH).coef_.any()


def test_more_features_than_rows() -> None:
    x, y = RNG.normal(size=(30, 60)), RNG.normal(size=30)
    ours, theirs = LassoCV(alphas=20).fit(x, y), peers.LassoCV(alphas=20, cv=5, **TIGHT).fit(x, y)
    assert ours.mse_path_ == pytest.approx(theirs.mse_path_, rel=1e-9)
    assert ours.rank_ == 29
    ridge, search = (kind.fit(x, y) for kind in (RidgeCV(ALPHAS, cv=5), peers.RidgeCV(ALPHAS, cv=5, scoring="neg_mean_squared_error")))
    assert ridge.mse_path_.mean(axis=1).min() == pytest.approx(-search.best_score_, rel=1e-10)


@pytest.mark.parametrize("alpha", [1e-14, 1e-10, 1e-3, 0.1])
@pytest.mark.parametrize("sign", [1, -1])
def test_lasso_says_where_other_coefficients_do_as_well(sign: int, alpha: float) -> None:
    x = np.column_stack([X, sign * X[:, 2]])
    with pytest.warns(DependentColumnsWarning, match="the feature 'x8' is a combination of 'x2', so its coefficient cannot be told apart"):
        model = Lasso(alpha).fit(x, Y)
    assert model.coef_[8] == 0
    assert model.coef_[:8] == pytest.approx(Lasso(alpha).fit(X, Y).coef_, rel=1e-12, abs=1e-15)


def test_lasso_by_folds_says_where_other_coefficients_do_as_well() -> None:
    x = np.column_stack([X, X[:, 2]])
    with pytest.warns(DependentColumnsWarning, match="the feature 'x8' is a combination of 'x2'"):
        found = LassoCV(cv=3, alphas=[0.01]).fit(x, Y)
    assert found.coef_ == pytest.approx([*Lasso(0.01).fit(X, Y).coef_, 0], rel=1e-12)


def test_what_a_penalty_tells_apart_is_no_warning() -> None:
    """Of equal columns a penalty on squares makes two of one coefficient; of a sum of others, a constant, and one of no use lasso has one answer."""
    twice = ElasticNet(0.01).fit(np.column_stack([X, X[:, 2]]), Y).coef_
    assert twice[2] == pytest.approx(twice[8], rel=1e-12)
    useless = np.cos(np.arange(203))
    x = np.column_stack([X[:, :3], X[:, 0] + X[:, 1], np.ones(203), useless, useless])
    found = Lasso(0.5).fit(x, Y)
    assert found.rank_ == 4
    assert found.coef_[[4, 5, 6]].tolist() == [0, 0, 0]
    theirs = peers.Lasso(0.5, **TIGHT).fit(x[::-1, ::-1], Y[::-1])  # which begins at the other end
    assert found.coef_ == pytest.approx(theirs.coef_[::-1], abs=1e-7)


def test_a_solution_that_is_known_to_be_one_is_no_warning() -> None:
    """Of tiny penalties scikit-learn warns that its gap stays above rounding; the solution meets the conditions of the least loss all the same."""
    with pytest.warns(ConvergenceWarning, match="Objective did not converge"):
        peers.Lasso(1e-14, tol=1e-10, max_iter=5_000).fit(X, Y)
    found = Lasso(1e-14, max_iter=5_000).fit(X, Y)
    assert found.n_iter_ == 5_000
    assert found.coef_ == pytest.approx(LinearRegression().fit(X, Y).coef_, rel=1e-11)


def test_coordinate_descent_that_did_not_settle_says_so() -> None:
    with pytest.warns(NotConvergedWarning, match=r"did not settle in 3 sweeps at alpha = 0.001: .* Raise max_iter") as told:
        Lasso(0.001, max_iter=3).fit(X, Y)
    assert [each.filename for each in told] == [__file__]
    with pytest.warns(NotConvergedWarning, match=r"did not settle in 3 sweeps at \d+ alphas from [\d.e-]+ to [\d.]+: ") as told:
        LassoCV(alphas=20, cv=3, max_iter=3).fit(X, BOTH)
    assert len(told) == 1


def test_other_penalties_keep_the_folds() -> None:
    known = RidgeCV(cv=4).fit(X, Y)
    assert known.refitted(alphas=[3.0, 4.0]).mse_path_.tolist() == RidgeCV([3.0, 4.0], cv=4).fit(X, Y).mse_path_.tolist()
    assert known.refitted(cv=None).gcv_.tolist() == RidgeCV().fit(X, Y).gcv_.tolist()
    with pytest.raises(DataError, match="cv=5 deals rows to other folds, and the rows are not at hand"):
        known.refitted(cv=5)


def test_a_row_that_is_refused_has_its_number_in_the_whole() -> None:
    x = X.copy()
    x[150, 2] = np.nan
    with pytest.raises(DataError, match="column 2, row 150 counted from 0"):
        RidgeCV(cv=5).fit(x, Y)


# --- constraints and shrinkage ------------------------------------------------------------------------------------


@pytest.mark.parity("NonNegativeLeastSquares", peer="scikit-learn LinearRegression(positive=True)")
@WEIGHTS
@INTERCEPT
def test_nonnegative_least_squares_are_scikit_learns(intercept: bool, weight: np.ndarray | None) -> None:
    units = np.logspace(-6, 6, 8)
    theirs = peers.LinearRegression(positive=True, fit_intercept=intercept).fit(X, BOTH, weight)
    ours = NonNegativeLeastSquares(fit_intercept=intercept).fit(X * units, BOTH, weight)
    np.testing.assert_allclose(ours.coef_ * units, theirs.coef_, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(ours.intercept_, theirs.intercept_, rtol=1e-9)
    support = ours.coef_[0] > 0
    assert 0 < support.sum() < 8
    alone = LinearRegression(fit_intercept=intercept).fit((X * units)[:, support], BOTH[:, 0], weight)
    assert ours.coef_[0][support].tobytes() == alone.coef_.tobytes()


@pytest.mark.parametrize("target", [Y, BOTH], ids=["one", "two"])
def test_nonnegative_least_squares_say_where_other_coefficients_do_as_well(target: np.ndarray) -> None:
    x = np.column_stack([X, 2 * X[:, 5]])
    with pytest.warns(DependentColumnsWarning, match=r"the feature 'x[58]' is a combination of 'x[58]', so its coefficient cannot be told"):
        found = NonNegativeLeastSquares().fit(x, target)
    plain = NonNegativeLeastSquares().fit(X, target)  # which has both, and says nothing
    assert plain.rank_ == found.rank_ == 8
    assert found.predict(x) == pytest.approx(plain.predict(X), rel=1e-10)
    with pytest.warns(DependentColumnsWarning, match="the feature 'x1' is constant"):
        NonNegativeLeastSquares().fit(np.column_stack([X[:, 0], np.ones(203)]), Y)


@pytest.mark.parity("JamesStein", peer="its formula on a fit of statsmodels: no package has it")
@WEIGHTS
def test_james_stein_is_its_formula(weight: np.ndarray | None) -> None:
    import statsmodels.api as sm

    rows, target = X[:60], RNG.normal(size=60) + 0.05 * X[:60, 0]
    w = None if weight is None else weight[:60]
    theirs = sm.WLS(target, sm.add_constant(rows), 1.0 if w is None else w).fit()
    expected = 1 - (8 - 2) / (60 - 9 + 2) * theirs.ssr / theirs.ess
    ours = JamesStein().fit(rows, target, w)
    assert 0 < expected < 1
    assert ours.shrinkage_ == pytest.approx(expected, rel=1e-9)
    np.testing.assert_allclose(ours.coef_, expected * theirs.params[1:], rtol=1e-9)
    assert JamesStein().fit(X[:, :2], Y).shrinkage_ == 1  # two features: least squares cannot be beaten everywhere


@pytest.mark.parametrize("size", [0.0, 0.3, 1.0])
def test_the_expected_gain_of_james_stein_is_the_gain(size: float) -> None:
    """Over draws of the errors the loss falls, as a share of p sigma^2, by the mean of what was expected: to three standard errors, and 2 % for s."""
    rng = np.random.default_rng(8)
    x = rng.normal(size=(80, 6))
    x -= x.mean(axis=0)
    beta = size * np.array([0.5, -0.3, 0.2, 0, 0, 0.1])
    gains, expected = [], []
    for _ in range(20):
        draws = x @ beta[:, None] + rng.normal(size=(80, 40))
        ours, plain = JamesStein(fit_intercept=False).fit(x, draws), LinearRegression(fit_intercept=False).fit(x, draws)
        losses = [np.square(x @ (model.coef_ - beta).T).sum(axis=0) / 6 for model in (plain, ours)]
        gains.append(losses[0] - losses[1])
        expected.append(ours.expected_gain_)
    gain, told = np.ravel(gains), np.ravel(expected)
    error = np.std(gain - told) / np.sqrt(gain.size)
    assert gain.mean() > 0
    assert abs(gain.mean() - told.mean()) < 3 * error + 0.02


# --- what is refused ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("estimator", "words"),
    [
        (Ridge(-1.0), "alpha is -1.0; expected finite numbers of at least 0"),
        (Ridge([1.0, 2.0]), "alpha has 2 numbers and y 1 targets"),
        (RidgeCV([0.0, 1.0]), "expected finite numbers above 0"),
        (RidgeCV(cv=1), "cv=1 is no number of folds"),
        (RidgeCV(cv=300), "n_samples=203"),
        (RidgeCV(cv=ShuffleSplit(3, random_state=0)), "is no fold"),
        (RidgeCV(cv=[(np.arange(101, 204), np.arange(100))]), "split 0 of cv has places of 0 to 203; expected those of 203 rows, from 0 to 202"),
        (RidgeCV(cv=[(np.arange(100, 203) - 203, np.arange(100))]), "split 0 of cv has places of -103 to 99"),
        (RidgeCV(cv=[(np.full(103, 150), np.arange(100))]), "is no fold"),
        (RidgeCV(cv=[(np.arange(100, 203), np.arange(100))]), "leaves 103 rows in no test set"),
        (Lasso(float("nan")), "alpha is nan"),
        (ElasticNet(l1_ratio=1.5), "l1_ratio is 1.5; expected a number of 0"),
        (ElasticNetCV(l1_ratio=0.0), "no grid has a start"),
        (LassoCV(cv=None), "cv is None; expected a number of folds"),
    ],
    ids=repr,
)
def test_what_is_refused_is_named(estimator: Ridge, words: str) -> None:
    with pytest.raises(DataError, match=words):
        estimator.fit(X, Y)


def test_folds_that_do_not_fit_are_refused() -> None:
    state = GramState.of(X, Y)
    with pytest.raises(DataError, match="from_states"):
        LassoCV.from_state(state)
    with pytest.raises(DataError, match="fold 1 has no row, or the weight of each is zero"):
        RidgeCV.from_states([state, GramState()])
    with pytest.raises(DataError, match="2 folds or more"):
        RidgeCV.from_states([state])
    with pytest.raises(DataError, match="there are 3 folds and 4 others"):
        RidgeCV(cv=3).fit(X, Y).merge(RidgeCV(cv=4).fit(X, Y))


def test_folds_of_a_source_are_asked_for_by_a_column() -> None:
    """A source has no rows to split before it is read: the message names the way, and the way gives what arrays give."""
    rng = np.random.default_rng(5)
    x = rng.standard_normal((60, 2))
    frame = pd.DataFrame({"a": x[:, 0], "b": x[:, 1], "y": x @ [1.0, -2.0] + rng.standard_normal(60), "fold": np.repeat(range(5), 12)})
    with pytest.raises(DataError, match=r"from_states of the states that grams"):
        RidgeCV(cv=KFold(5)).fit(frame, "y")
    states = grams(frame, target="y", by="fold", features=["a", "b"])
    found = RidgeCV.from_states(states.values())
    assert found.coef_.tolist() == RidgeCV(cv=5).fit(x, frame["y"]).coef_.tolist()
    assert Ridge(alpha=2.0).fit(frame[["a", "b", "y"]], "y").coef_.tolist() == Ridge(alpha=2.0).fit(x, frame["y"]).coef_.tolist()
