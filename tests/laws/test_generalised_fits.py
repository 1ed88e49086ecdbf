"""Generalised least squares: statsmodels' answers, the textbook formula in dense matrices, and what is refused."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
import statsmodels.api as sm
from sklearn.utils.estimator_checks import check_estimator
from statsmodels.genmod.cov_struct import Exchangeable
from statsmodels.tools.sm_exceptions import IterationLimitWarning

from squarely.errors import DataError
from squarely.linear import GeneralizedLeastSquares, LinearRegression, WeightedLeastSquares

RNG = np.random.default_rng(8)
N = 90
X = RNG.normal(size=(N, 3)) * [1, 30, 0.02] + [0, 300, 1]
NOISE = np.zeros(N)
for at in range(1, N):
    NOISE[at] = 0.6 * NOISE[at - 1] + RNG.normal()
Y = X @ [1.5, 0.02, 25] + 4 + NOISE
GROUPS = RNG.integers(0, 12, N)
TOGETHER = X @ [1.5, 0.02, 25] + RNG.normal(size=12)[GROUPS] + RNG.normal(size=N)


def designed(intercept: bool) -> np.ndarray:
    return sm.add_constant(X) if intercept else X


def same(ours: GeneralizedLeastSquares, theirs: Any, intercept: bool) -> None:
    mine = [ours.intercept_, *ours.coef_] if intercept else ours.coef_
    np.testing.assert_allclose(mine, theirs.params, rtol=1e-9)
    inference = ours.inference_
    assert inference.names == (("intercept",) if intercept else ()) + ("x0", "x1", "x2")
    np.testing.assert_allclose(inference.standard_errors[:, 0], theirs.bse, rtol=1e-9)
    np.testing.assert_allclose(inference.p_values[:, 0], theirs.pvalues, rtol=1e-9)
    assert inference.freedom == theirs.df_resid
    assert ours.rank_ == 3


@pytest.mark.parametrize("covariance", [None, "ar1"])
def test_scikit_learn_takes_it_for_one_of_its_own(covariance: str | None) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some data of the checks have fewer rows than features
        results = check_estimator(GeneralizedLeastSquares(covariance=covariance), on_fail=None)
    assert [(each["check_name"], str(each["exception"])) for each in results if each["status"] == "failed"] == []
    assert len(results) > 40


@pytest.mark.parity("GeneralizedLeastSquares", peer="statsmodels GLS")
@pytest.mark.parametrize("intercept", [True, False])
def test_a_given_covariance_is_that_of_statsmodels(intercept: bool) -> None:
    covariance = 0.6 ** np.abs(np.subtract.outer(np.arange(N), np.arange(N))) * np.outer(*[1 + np.arange(N) / N] * 2)
    ours = GeneralizedLeastSquares(covariance=covariance, fit_intercept=intercept).fit(X, Y)
    same(ours, sm.GLS(Y, designed(intercept), sigma=covariance).fit(), intercept)
    assert ours.n_passes_ == 2
    variances = np.diag(covariance)
    same(
        GeneralizedLeastSquares(covariance=variances, fit_intercept=intercept).fit(X, Y),
        sm.GLS(Y, designed(intercept), sigma=variances).fit(),
        intercept,
    )


def test_the_summary_has_the_numbers_of_statsmodels() -> None:
    covariance = 0.5 ** np.abs(np.subtract.outer(np.arange(N), np.arange(N)))
    model = GeneralizedLeastSquares(covariance=covariance).fit(X, np.column_stack([Y, TOGETHER]))
    summary = model.summary(confidence=0.9)
    for table, facts, y in zip(summary.tables, summary.facts, (Y, TOGETHER), strict=True):
        theirs = sm.GLS(y, designed(True), covariance).fit()
        numbers = np.array([[float(cell) for cell in row[1:]] for row in table])
        expected = np.column_stack([theirs.params, theirs.bse, theirs.tvalues, theirs.pvalues, theirs.conf_int(0.1)])
        np.testing.assert_allclose(numbers, expected, rtol=6e-4, atol=5.1e-4)
        assert (dict(facts)["Covariance Type:"], dict(facts)["Df Residuals:"]) == ("nonrobust", "86")
    assert "take the covariance of the errors for known" in str(summary)
    assert "Target y1" in str(summary)
    assert summary.tables[1][3][1] in summary.to_html()


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("rho", [0.0, 0.45, -0.9])
def test_autoregression_with_rho_given_is_that_of_statsmodels(intercept: bool, rho: float) -> None:
    ours = GeneralizedLeastSquares(covariance="ar1", rho=rho, fit_intercept=intercept).fit(X, Y)
    same(ours, sm.GLSAR(Y, designed(intercept), rho=np.array([rho])).fit(), intercept)
    assert ours.n_passes_ == 2


@pytest.mark.parity("GeneralizedLeastSquares", peer="statsmodels GLSAR")
@pytest.mark.parametrize("intercept", [True, False])
def test_autoregression_estimated_is_that_of_statsmodels(intercept: bool) -> None:
    ours = GeneralizedLeastSquares(covariance="ar1", fit_intercept=intercept).fit(X, Y)
    model = sm.GLSAR(Y, designed(intercept), 1)
    theirs = model.iterative_fit(maxiter=300, rtol=1e-14)
    assert ours.rho_ == pytest.approx(model.rho[0], rel=1e-9)
    same(ours, theirs, intercept)
    assert ours.n_iter_ > 3
    assert ours.n_passes_ == 2


def test_moments_of_pairs_lose_no_digit_far_from_zero() -> None:
    """Whitened rows round; moments of pairs do not: a shift of 2^30 changes nothing but the intercept."""
    near = GeneralizedLeastSquares(covariance="ar1").fit(np.round(X * 64) / 64, np.round(Y * 64) / 64)
    far = GeneralizedLeastSquares(covariance="ar1").fit(np.round(X * 64) / 64 + 2.0**30, np.round(Y * 64) / 64 - 2.0**30)
    np.testing.assert_allclose(far.coef_, near.coef_, rtol=1e-6)
    given = [GeneralizedLeastSquares(covariance="ar1", rho=0.5).fit(np.round(X * 64) / 64 + shift, np.round(Y * 64) / 64) for shift in (0, 2.0**30)]
    assert given[0].coef_.tobytes() == given[1].coef_.tobytes()


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("rho", [-0.02, 0.3, 0.95])
def test_exchangeable_errors_are_the_formula_in_dense_matrices(intercept: bool, rho: float) -> None:
    covariance = np.where(np.equal.outer(GROUPS, GROUPS), rho, 0.0)
    np.fill_diagonal(covariance, 1)
    ours = GeneralizedLeastSquares(covariance="exchangeable", rho=rho, fit_intercept=intercept).fit(X, TOGETHER, GROUPS)
    same(ours, sm.GLS(TOGETHER, designed(intercept), sigma=covariance).fit(), intercept)
    assert ours.rho_ == rho


@pytest.mark.parity("GeneralizedLeastSquares", peer="statsmodels GEE")
def test_exchangeable_errors_estimated_are_those_of_generalised_estimating_equations() -> None:
    ours = GeneralizedLeastSquares(covariance="exchangeable").fit(X, TOGETHER, groups=GROUPS)
    structure = Exchangeable()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", IterationLimitWarning)  # its tolerance is of a score, which has the units of features
        theirs = sm.GEE(TOGETHER, sm.add_constant(X), groups=GROUPS, cov_struct=structure).fit(maxiter=200, ctol=1e-14)
    np.testing.assert_allclose([ours.intercept_, *ours.coef_], theirs.params, rtol=1e-9)
    assert ours.rho_ == pytest.approx(structure.dep_params, rel=1e-9)
    assert ours.rho_ > 0.1


@pytest.mark.parity("GeneralizedLeastSquares", peer="statsmodels WLS repeated")
def test_a_variance_for_each_group_is_weighted_least_squares_repeated() -> None:
    y = X @ [1.5, 0.02, 25] + RNG.normal(size=N) * (1 + GROUPS % 3)
    names = np.array(["calm", "rough", "wild"])[GROUPS % 3]
    ours = GeneralizedLeastSquares(covariance="variances").fit(X, y, names)
    variance = np.ones(N)
    for _ in range(300):
        theirs = sm.WLS(y, sm.add_constant(X), 1 / variance).fit()
        variance = np.array([np.mean(theirs.resid[names == name] ** 2) for name in names])
    np.testing.assert_allclose([ours.intercept_, *ours.coef_], theirs.params, rtol=1e-9)
    assert ours.variances_ == pytest.approx(dict(zip(names.tolist(), variance.tolist(), strict=True)), rel=1e-9)


def test_without_a_covariance_it_is_ordinary_least_squares() -> None:
    ours, theirs = GeneralizedLeastSquares().fit(X, Y), LinearRegression().fit(X, Y)
    assert ours.coef_.tobytes() == theirs.coef_.tobytes()
    assert ours.inference_.standard_errors.tobytes() == theirs.inference_.standard_errors.tobytes()
    assert (ours.intercept_, ours.n_passes_) == (theirs.intercept_, 1)


def test_variances_given_are_weights() -> None:
    variances = 1 + np.arange(N) / N
    theirs = WeightedLeastSquares().fit(X, Y, 1 / variances)
    np.testing.assert_allclose(GeneralizedLeastSquares(covariance=variances).fit(X, Y).coef_, theirs.coef_, rtol=1e-13)


def test_r2_is_the_share_of_the_squares_about_the_constant_of_the_same_metric() -> None:
    covariance = 0.5 ** np.abs(np.subtract.outer(np.arange(N), np.arange(N)))
    ours = GeneralizedLeastSquares(covariance=covariance).fit(X, Y)
    constant, full = sm.GLS(Y, np.ones(N), sigma=covariance).fit(), sm.GLS(Y, sm.add_constant(X), sigma=covariance).fit()
    assert ours.inference_.r2[0] == pytest.approx(1 - full.ssr / constant.ssr, rel=1e-9)


def test_a_feature_that_is_called_intercept_is_a_feature() -> None:
    import pandas as pd

    model = GeneralizedLeastSquares(covariance="ar1", rho=0.3, fit_intercept=False).fit(pd.DataFrame(X, columns=["intercept", "b", "c"]), Y)
    plain = GeneralizedLeastSquares(covariance="ar1", rho=0.3, fit_intercept=False).fit(X, Y)
    assert model.coef_.tobytes() == plain.coef_.tobytes()


@pytest.mark.parametrize(
    ("options", "groups", "words"),
    [
        ({"covariance": "ar2"}, None, "covariance is 'ar2'; expected .*'ar1'"),
        ({"covariance": "variances"}, None, "needs groups"),
        ({"covariance": "ar1"}, GROUPS, "a covariance without groups"),
        ({"covariance": "variances"}, GROUPS[1:], "one label for each of"),
        ({"rho": 0.5}, None, "has none"),
        ({"covariance": "ar1", "rho": 1.0}, None, "rho is 1.0; expected a correlation of such errors"),
        ({"covariance": "exchangeable", "rho": -0.9}, GROUPS, "above -0.0"),
        ({"covariance": np.eye(3)}, None, r"shape \(3, 3\), for 90 rows"),
        ({"covariance": -np.eye(N)}, None, "not positive definite"),
        ({"covariance": np.tril(np.ones((N, N)))}, None, "not symmetric"),
        ({"covariance": np.arange(N) - 3.0}, None, "index 0 is -3.0"),
    ],
)
def test_what_is_refused_is_named(options: dict[str, Any], groups: Any, words: str) -> None:
    with pytest.raises(DataError, match=words):
        GeneralizedLeastSquares(**options).fit(X, Y, groups)


def test_a_group_without_errors_has_no_variance() -> None:
    y = np.where(GROUPS > 5, Y, X @ [1.5, 0.02, 25] + 4)
    with pytest.raises(DataError, match="the group 'exact' is fitted without error"):
        GeneralizedLeastSquares(covariance="variances").fit(X, y, np.where(GROUPS > 5, "noisy", "exact"))
