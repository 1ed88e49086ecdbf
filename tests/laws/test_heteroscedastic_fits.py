"""A mean and a variance of normal errors: the conditions of the most likely ones, and closed forms where there are such."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.optimize import root
from scipy.stats import norm
from sklearn.utils.estimator_checks import check_estimator

from squarely.errors import NotConvergedWarning
from squarely.linear import HeteroscedasticRegression

RNG = np.random.default_rng(4)
X = RNG.normal(size=(300, 2)) * [1, 30] + [0, 200]
Y = X @ [2.0, 0.1] - 3 + RNG.normal(size=300) * np.exp((0.5 + X @ [0.6, 0.01] - 2) / 2)
W = RNG.integers(0, 4, 300).astype(float)


def test_scikit_learn_takes_it_for_one_of_its_own() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some data of the checks have fewer rows than features
        results = check_estimator(HeteroscedasticRegression(), on_fail=None)
    assert [(each["check_name"], str(each["exception"])) for each in results if each["status"] == "failed"] == []
    assert len(results) > 45


@pytest.mark.parity("HeteroscedasticRegression", peer="scipy root of the slopes of the likelihood: no package has it")
@pytest.mark.parametrize("weight", [None, W], ids=["plain", "weighted"])
def test_no_parameters_are_more_likely(weight: np.ndarray | None) -> None:
    """The root of the derivatives of the likelihood, found by MINPACK from the parameters of a constant variance."""
    ours = HeteroscedasticRegression().fit(X, Y, weight)
    counted = np.ones(300) if weight is None else weight
    centre, spread = X.mean(axis=0), X.std(axis=0)
    design = np.column_stack([np.ones(300), (X - centre) / spread])

    def slopes(parameters: np.ndarray) -> np.ndarray:
        mean, logs = np.split(parameters, 2)
        errors, share = Y - design @ mean, counted * np.exp(-(design @ logs))
        return np.concatenate([(share * errors) @ design, (share * errors**2 - counted) @ design])

    plain = sm.WLS(Y, design, counted).fit()
    found = root(slopes, [*plain.params, np.log(plain.scale), 0, 0], options={"xtol": 1e-14})
    expected, logs = np.split(found.x, 2)
    np.testing.assert_allclose([ours.intercept_ + ours.coef_ @ centre, *(ours.coef_ * spread)], expected, rtol=1e-9)
    variance_line = [ours.variance_intercept_ + ours.variance_coef_ @ centre, *(ours.variance_coef_ * spread)]
    np.testing.assert_allclose(variance_line, logs, rtol=1e-9)
    likelihood = counted @ norm.logpdf(Y, design @ expected, np.exp(design @ logs / 2))
    assert ours.log_likelihood_ == pytest.approx(likelihood, rel=1e-9)
    away = np.random.default_rng(0).normal(size=(20, 6)) * 1e-3 + found.x
    others = [counted @ norm.logpdf(Y, design @ each[:3], np.exp(design @ each[3:] / 2)) for each in away]
    assert max(others) < likelihood, "it is a summit, and no saddle"


def test_groups_have_their_own_means_and_variances() -> None:
    """With one feature that says the group, both lines are free: the closed form is mean and variance of each."""
    groups = np.repeat([0.0, 1.0], [7, 12])
    y = np.random.default_rng(0).normal(size=19) * (1 + 4 * groups)
    model = HeteroscedasticRegression().fit(groups[:, None], y)
    expected = np.array([[y[groups == group].mean(), y[groups == group].std()] for group in (0, 1)])
    np.testing.assert_allclose(model.predict([[0.0], [1.0]]), expected[:, 0], rtol=1e-11)
    np.testing.assert_allclose(model.predict_std([[0.0], [1.0]]), expected[:, 1], rtol=1e-11)


def test_without_an_intercept_the_mean_has_none() -> None:
    model = HeteroscedasticRegression(fit_intercept=False).fit(X, Y)
    assert (model.intercept_, model.predict([[0.0, 0.0]]).tolist()) == (0.0, [0.0])
    errors, variance = Y - model.predict(X), model.predict_std(X) ** 2
    np.testing.assert_allclose((errors / variance) @ X / np.abs(X).max(axis=0), 0, atol=1e-8)
    assert abs((errors**2 / variance - 1).sum()) < 1e-8


def test_a_target_on_a_line_has_no_variance() -> None:
    model = HeteroscedasticRegression().fit(X, X @ [1.0, 2.0])
    assert model.predict_std(X[:3]).tolist() == [0, 0, 0]


def test_iterations_that_end_too_soon_are_told() -> None:
    with pytest.warns(NotConvergedWarning, match="did not settle in 2 iterations"):
        HeteroscedasticRegression(max_iter=2).fit(X, Y)


@pytest.mark.parity("HeteroscedasticRegression", peer="statsmodels WLS with a fixed scale")
@pytest.mark.parametrize("weight", [None, W], ids=["plain", "weighted"])
@pytest.mark.parametrize("intercept", [True, False])
def test_standard_errors_are_those_of_statsmodels_at_these_variances(weight: np.ndarray | None, intercept: bool) -> None:
    model = HeteroscedasticRegression(fit_intercept=intercept).fit(X, Y, weight)
    weights = (1 if weight is None else weight) / model.predict_std(X) ** 2
    theirs = sm.WLS(Y, sm.add_constant(X) if intercept else X, weights=weights).fit(cov_type="fixed scale")
    found = model.inference_
    assert found.names == (("intercept",) if intercept else ()) + ("x0", "x1")
    np.testing.assert_allclose(found.estimates[:, 0], theirs.params, rtol=1e-9)
    np.testing.assert_allclose(found.standard_errors[:, 0], theirs.bse, rtol=1e-9)
    np.testing.assert_allclose(found.covariances[0], theirs.cov_params(), rtol=1e-9)
    np.testing.assert_allclose(found.p_values[:, 0], 2 * norm.sf(np.abs(theirs.params / theirs.bse)), rtol=1e-9)
    assert found.rows == (300 if weight is None else W.sum())


def test_a_line_through_every_row_has_no_standard_errors() -> None:
    model = HeteroscedasticRegression().fit(X, X @ [1.0, 2.0] + 3)
    assert np.isnan(model.inference_.standard_errors).all()


def test_the_summary_has_a_table_for_each_target() -> None:
    model = HeteroscedasticRegression().fit(X, np.column_stack([Y, 2 * Y]))
    assert "information" in str(model.summary())
    one, other = model.inference_
    np.testing.assert_allclose(other.standard_errors, 2 * one.standard_errors, rtol=1e-9)
