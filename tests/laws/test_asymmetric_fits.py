"""Expectiles and quantiles: the conditions of their optimum, and the answers of the peers."""

from __future__ import annotations

import warnings
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import statsmodels.api as sm
from sklearn.linear_model import QuantileRegressor
from sklearn.utils.estimator_checks import check_estimator
from statsmodels.robust import norms

from squarely.errors import DataError, NotConvergedWarning
from squarely.linear import ExpectileRegression, LinearRegression, QuantileRegression

RNG = np.random.default_rng(21)
X = RNG.normal(size=(150, 3)) * [1, 20, 0.05] + [0, 100, 3]
Y = X @ [1.0, 0.1, 8] - 2 + RNG.gumbel(size=150) * (1 + np.abs(X[:, 0]))
LEVEL: dict[Any, str] = {ExpectileRegression: "expectile", QuantileRegression: "quantile"}
W = RNG.integers(0, 4, 150).astype(float)


@pytest.mark.parametrize("kind", LEVEL)
def test_scikit_learn_takes_it_for_one_of_its_own(kind: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some data of the checks have fewer rows than features
        results = check_estimator(kind(), on_fail=None)
    assert [(each["check_name"], str(each["exception"])) for each in results if each["status"] == "failed"] == []
    assert len(results) > 45


@pytest.mark.parity("ExpectileRegression", peer="statsmodels RLM with MQuantileNorm")
@pytest.mark.parametrize("alpha", [0.01, 0.3, 0.5, 0.9])
@pytest.mark.parametrize("intercept", [True, False])
def test_expectiles_are_those_of_statsmodels(alpha: float, intercept: bool) -> None:
    ours = ExpectileRegression(expectile=alpha, fit_intercept=intercept).fit(X, Y)
    norm = norms.MQuantileNorm(alpha, norms.LeastSquares())
    theirs = sm.RLM(Y, sm.add_constant(X) if intercept else X, M=norm).fit(maxiter=500, tol=1e-14, conv="coefs")
    np.testing.assert_allclose([ours.intercept_, *ours.coef_] if intercept else ours.coef_, theirs.params, rtol=1e-9)
    assert ours.n_passes_ == 2 + 2 * ours.n_iter_  # one for the middle of the sandwich


def test_the_expectile_of_numbers_is_the_root_of_its_equation_in_fractions() -> None:
    """Without features that tell anything: alpha sum of what lies above = (1 - alpha) sum of what lies below."""
    y = np.array([0.0, 1, 2, 4, 8, 16, 32, 64])
    ours = ExpectileRegression(expectile=0.8).fit(np.array([[1.0], [-1.0]] * 4), np.repeat(y[::2], 2)).predict([[0.0]])[0]
    values = [Fraction(v) for v in np.repeat(y[::2], 2).tolist()]
    candidates = []
    for split in range(len(values) + 1):  # the expectile is a weighted mean for each split; one of them splits as it was assumed
        weights = [Fraction(1, 5)] * split + [Fraction(4, 5)] * (len(values) - split)
        mean = sum(w * v for w, v in zip(weights, values, strict=True)) / sum(weights)
        if all((v <= mean) == (at < split) for at, v in enumerate(values)):
            candidates.append(mean)
    assert len(candidates) == 1
    assert ours == pytest.approx(float(candidates[0]), rel=1e-14)


@pytest.mark.parametrize("level", [1e-6, 1e-4, 0.9999])
@pytest.mark.parametrize("seed", range(12))
def test_steps_to_an_expectile_far_out_do_not_go_to_and_fro(seed: int, level: float) -> None:
    """Whole steps do, in a tenth of such data. The loss is convex, so it is least where its slope is 0."""
    rng = np.random.default_rng(seed)
    count, width = rng.integers(6, 60), rng.integers(1, 4)
    x, y = rng.normal(size=(count, width)), rng.standard_t(2, size=count)
    model = ExpectileRegression(expectile=level).fit(x, y)
    errors = y - model.predict(x)
    parts = (np.abs(level - (errors < 0)) * errors)[:, None] * np.column_stack([np.ones(count), x])
    assert (np.abs(parts.sum(axis=0)) <= 1e-9 * np.abs(parts).sum(axis=0)).all()
    assert model.n_iter_ < 40


@pytest.mark.parametrize("level", [1e-4, 0.05, 0.7])
@pytest.mark.parametrize("offset", [0.0, 1e3, 1e6])
def test_rounding_holds_no_last_step_to_an_expectile_back(level: float, offset: float) -> None:
    """Small steps were halved for slopes that were nothing but rounding, and fits went on until they were stopped, with a warning."""
    for seed in range(10):
        rng = np.random.default_rng(seed)
        x = rng.normal(size=(2000, 1))
        y = offset + x[:, 0] + rng.standard_t(3, size=2000) * np.exp(0.3 * x[:, 0])
        assert ExpectileRegression(expectile=level).fit(x, y, rng.uniform(0.2, 3, 2000)).n_iter_ < 20


def test_the_middle_expectile_is_the_mean() -> None:
    assert ExpectileRegression().fit(X, Y, W).coef_.tobytes() == LinearRegression().fit(X, Y, W).coef_.tobytes()


@pytest.mark.parametrize("kind", LEVEL)
def test_a_weight_of_two_is_a_row_given_twice(kind: Any) -> None:
    times = W.astype(int)
    weighted, repeated = kind(**{LEVEL[kind]: 0.7}).fit(X, Y, W), kind(**{LEVEL[kind]: 0.7}).fit(np.repeat(X, times, axis=0), np.repeat(Y, times))
    np.testing.assert_allclose([weighted.intercept_, *weighted.coef_], [repeated.intercept_, *repeated.coef_], rtol=1e-9)


@pytest.mark.parametrize("kind", LEVEL)
@pytest.mark.parametrize("alpha", [0.0, 1.0, -1.0, np.nan])
def test_a_level_that_is_none_is_refused(kind: Any, alpha: float) -> None:
    with pytest.raises(DataError, match=f"{LEVEL[kind]} is {alpha}; expected a number above 0 and below 1"):
        kind(**{LEVEL[kind]: alpha}).fit(X, Y)


@pytest.mark.parity("QuantileRegression", peer="scikit-learn QuantileRegressor")
@pytest.mark.parametrize("level", [0.05, 0.25, 0.5, 0.9])
@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("weight", [None, W], ids=["plain", "weighted"])
def test_quantiles_are_those_of_scikit_learn(level: float, intercept: bool, weight: np.ndarray | None) -> None:
    """Its simplex method ends in a corner too."""
    ours = QuantileRegression(quantile=level, fit_intercept=intercept).fit(X, Y, weight)
    theirs = QuantileRegressor(quantile=level, alpha=0, fit_intercept=intercept, solver="highs").fit(X, Y, weight)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-9)
    assert ours.intercept_ == pytest.approx(theirs.intercept_, rel=1e-9)
    assert ours.n_iter_ < 40


@pytest.mark.parametrize("level", [0.1, 0.5, 0.77])
def test_the_line_goes_through_as_many_rows_as_it_has_coefficients_and_no_step_is_better(level: float) -> None:
    ours = QuantileRegression(quantile=level).fit(X, Y)
    errors = Y - ours.predict(X)
    assert (np.abs(errors) < 1e-12).sum() == 4
    exact = LinearRegression().fit(*(each[np.abs(errors) < 1e-12] for each in (X, Y)))
    assert (ours.coef_.tobytes(), ours.intercept_) == (exact.coef_.tobytes(), exact.intercept_)
    below, above = (errors < -1e-12).sum(), (errors > 1e-12).sum()
    assert below <= level * len(Y) <= below + 4  # Koenker and Bassett, theorem 3.4
    assert above <= (1 - level) * len(Y) <= above + 4
    assert ours.loss_ == pytest.approx(np.maximum(level * errors, (level - 1) * errors).sum(), rel=1e-12)


@pytest.mark.parametrize("most", [1, 2, 3, 4, 5])
def test_a_line_that_may_not_be_the_best_is_told(most: int) -> None:
    """After a few iterations a line through as many rows as it has coefficients is no best one yet, though better than what led to it."""
    x = np.random.default_rng(21).normal(size=(150, 3))
    y = x.sum(axis=1) + np.random.default_rng(2).gumbel(size=150)
    with pytest.warns(NotConvergedWarning, match=f"did not settle in {most} iterations"):
        found = QuantileRegression(quantile=0.3, max_iter=most).fit(x, y)
    assert found.loss_ > QuantileRegression(quantile=0.3).fit(x, y).loss_ * (1 + 1e-6)


@pytest.mark.parametrize("power", [-30, 12])
def test_units_do_not_change_the_rows_it_goes_through(power: int) -> None:
    plain, scaled = QuantileRegression().fit(X, Y), QuantileRegression().fit(X * 2.0**power, Y * 2.0 ** (-power))
    np.testing.assert_allclose(scaled.coef_ * 4.0**power, plain.coef_, rtol=1e-12)


def test_many_lines_of_the_same_loss_are_no_trouble() -> None:
    model = QuantileRegression().fit(np.array([[0.0], [0.0], [1.0], [1.0]]), [0.0, 2.0, 5.0, 9.0])
    assert model.loss_ == pytest.approx(3, rel=1e-11)
    exact = QuantileRegression(quantile=0.3).fit(X, X @ [1.0, 2.0, 3.0] + 1)
    np.testing.assert_allclose([exact.intercept_, *exact.coef_], [1, 1, 2, 3], rtol=1e-9)
