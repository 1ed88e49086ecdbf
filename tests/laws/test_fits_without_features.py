"""Fits of an intercept alone: the mean and its kin, with what statsmodels says of a constant."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

from squarely import linear
from squarely.linear import ExpectileRegression, GramEstimator, LinearRegression, QuantileRegression, WeightedLeastSquares

RNG = np.random.default_rng(12)
N = 80
Y = RNG.gamma(2.0, size=N) + 3
W = RNG.integers(1, 5, N).astype(float)
X = RNG.normal(size=(N, 2))
FRAME = pd.DataFrame({"a": X[:, 0], "b": X[:, 1], "y": Y, "w": W})
ESTIMATORS = [
    each for name in linear.__all__ if inspect.isclass(each := getattr(linear, name)) and hasattr(each, "fit") and each is not GramEstimator
]
NOT_THE_MEAN = {"HuberRegression", "TukeyRegression", "StudentTRegression", "LeastTrimmedSquares", "QuantileRegression"}


def theirs(weight: Any = None) -> Any:
    return sm.OLS(Y, np.ones(N)).fit() if weight is None else sm.WLS(Y, np.ones(N), weights=weight).fit()


@pytest.mark.parametrize("kind", ESTIMATORS)
def test_every_estimator_fits_and_predicts_a_constant(kind: Any) -> None:
    named = kind(features=[]).fit(FRAME, "y")
    for model, rows in ((kind(features=[]).fit(X, Y), X), (named, FRAME[["a", "b"]]), (named, FRAME[["w"]]), (named, X)):
        assert model.coef_.shape == (0,)
        assert model.predict(rows).tolist() == [model.intercept_] * N
        if kind.__name__ not in NOT_THE_MEAN:
            assert model.intercept_ == pytest.approx(Y.mean(), rel=1e-14)
    assert named.rank_ == 0
    assert kind(features=[]).fit(X, np.column_stack([Y, 2 * Y])).coef_.shape == (2, 0)


def test_quantiles_and_expectiles_are_those_of_the_target() -> None:
    found = QuantileRegression(features=[], quantile=0.3).fit(X, Y)
    below, beyond = (found.intercept_ - 1e-12 > Y).mean(), (found.intercept_ + 1e-12 < Y).mean()
    assert below <= 0.3
    assert beyond <= 0.7
    assert found.intercept_ in Y
    expectile = ExpectileRegression(features=[], expectile=0.8).fit(X, Y)
    assert expectile.intercept_ == pytest.approx(stats.expectile(Y, 0.8), rel=1e-9)


@pytest.mark.parametrize("weight", [None, W], ids=["alike", "weighted"])
def test_what_is_known_of_a_mean_is_what_statsmodels_says_of_a_constant(weight: Any) -> None:
    expected = theirs(weight)
    kind = LinearRegression if weight is None else WeightedLeastSquares
    models = (
        kind(features=[]).fit(X, Y, weight),
        kind(features=[]).fit(FRAME, "y", None if weight is None else "w"),
        kind.from_formula("y ~ 1", FRAME, None if weight is None else "w"),
    )
    for model, new in zip(models, (X[:3], FRAME[["a"]][:3], FRAME[:3]), strict=True):
        inference = model.inference_
        assert inference.names == ("intercept",)
        assert inference.freedom == expected.df_resid == N - 1
        np.testing.assert_allclose(inference.standard_errors[:, 0], expected.bse, rtol=1e-12)
        np.testing.assert_allclose(inference.p_values[:, 0], expected.pvalues, rtol=1e-9)
        np.testing.assert_allclose(inference.intervals(0.9)[:, 0], expected.conf_int(0.1), rtol=1e-12)
        assert inference.r2[0] == 0
        predicted, frame = model.prediction(new), expected.get_prediction(np.ones(3)).summary_frame(alpha=0.1)
        np.testing.assert_allclose(predicted.confidence_intervals(0.9), frame[["mean_ci_lower", "mean_ci_upper"]], rtol=1e-12)
        np.testing.assert_allclose(predicted.prediction_intervals(0.9), frame[["obs_ci_lower", "obs_ci_upper"]], rtol=1e-12)
        likelihood = model.likelihood(weight)
        assert likelihood.log_likelihood[0] == pytest.approx(expected.llf, rel=1e-12)
        told = dict(model.summary(sample_weight=weight).facts[0])
        assert (told["Df Residuals:"], told["Df Model:"], told["R-squared:"], told["Adj. R-squared:"]) == (f"{N - 1}", "0", "0.0000", "0.0000")
        assert (told["F-statistic:"], told["Prob (F-statistic):"]) == ("nan", "nan")  # as statsmodels has it
        assert told["Log-Likelihood:"] == f"{expected.llf:.6g}"
        assert told["BIC:"] == f"{expected.bic:.6g}"


@pytest.mark.parametrize("kind", ["HC0", "HC1", "HC2", "HC3"])
def test_robust_errors_and_influence_of_a_mean_are_those_of_statsmodels(kind: str) -> None:
    model, expected = LinearRegression(features=[]).fit(X, Y), theirs()
    np.testing.assert_allclose(model.robust(X, Y, kind=kind).standard_errors[:, 0], expected.get_robustcov_results(kind).bse, rtol=1e-12)
    influence, other = model.influence(X, Y), expected.get_influence()
    np.testing.assert_allclose(influence.leverages, other.hat_matrix_diag, rtol=1e-12)
    np.testing.assert_allclose(influence.cooks_distances, other.cooks_distance[0], rtol=1e-9)
    named = LinearRegression(features=[]).fit(FRAME, "y")
    np.testing.assert_array_equal(named.influence(FRAME, "y").leverages, influence.leverages)


def test_a_mean_is_diagnosed() -> None:
    trend = np.arange(N) / 10 + RNG.normal(size=N)
    assert LinearRegression(features=[]).fit(X, trend).diagnose(X, trend, order=True).findings
    calm = RNG.normal(size=N)
    assert not LinearRegression(features=[]).fit(X, calm).diagnose(X, calm, order=True).findings
    assert "intercept" in str(LinearRegression(features=[]).fit(X, calm).summary())
