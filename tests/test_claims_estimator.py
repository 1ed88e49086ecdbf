"""What the mission's texts claim of estimators, each claim by its number; a wrong one is held to its right form.

An estimator that is linear in the targets is known from its answers to unit targets, so its variance and bias are had exactly, not from draws.
Left out are those that belong to experiments: weight decay of networks, controls, autoencoders, alignment in time, Langevin dynamics.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import squarely as sq
from squarely.linear import (
    ElasticNet,
    GeneralizedLeastSquares,
    GramEstimator,
    JamesStein,
    Lasso,
    LinearRegression,
    QuantileRegression,
    Ridge,
)

Array = npt.NDArray[np.float64]
X25 = np.linspace(0, 1, 25)[:, None]


def answers(model: GramEstimator | GeneralizedLeastSquares, x: Array, **given: Any) -> Array:
    """The matrix A of an estimator b = A y, p x n."""
    return np.asarray(model.fit(x, np.eye(len(x)), **given).coef_).T


def slope(x: Array, y: Array) -> float:
    return float(LinearRegression().fit(x.reshape(-1, 1), y).coef_[0])


def orthonormal(rows: int, columns: int, seed: int) -> Array:
    return np.asarray(np.linalg.qr(np.random.default_rng(seed).normal(size=(rows, columns)))[0])


def test_7_46_and_91_least_variance_of_linear_unbiased_estimators() -> None:
    """Variances take no law of the errors, only their variance and that they are uncorrelated."""
    ordinary = answers(LinearRegression(), X25)[0]
    thirds = np.r_[np.full(8, -1 / 8), np.zeros(9), np.full(8, 1 / 8)] / (17 / 24)
    ends = np.r_[-1.0, np.zeros(23), 1.0]
    for rule in (ordinary, thirds, ends):
        assert [rule.sum(), rule @ X25[:, 0]] == pytest.approx([0, 1], abs=1e-14)  # unbiased
    assert [float(rule @ rule) for rule in (ordinary, thirds, ends)] == pytest.approx([0.4431, 0.4983, 2.0], abs=5e-5)


def test_13_the_mean_squared_error_of_an_estimator() -> None:
    draws = np.random.default_rng(13).normal(size=(100_000, 10))
    squares = 10 * draws.var(axis=1)
    for divisor, expected in ((9, 2 / 9), (10, 19 / 100), (11, 2 / 11)):
        losses = sq.mean_squared_error(np.ones(100_000), squares / divisor, reduction="none")
        assert abs(sq.mse(np.ones(100_000), squares / divisor) - expected) < 5 * losses.std() / math.sqrt(100_000)


def test_14_and_212_empirical_risk_approaches_the_population_risk() -> None:
    rng, sizes = np.random.default_rng(14), [100, 400, 1600, 6400]
    risks = [sq.mean_squared_error(rng.normal(size=(n, 800)), np.zeros((n, 800)), multioutput="raw_values") for n in sizes]
    spread = [np.std(each) for each in risks]
    np.testing.assert_allclose(spread, np.sqrt(2 / np.array(sizes)), rtol=0.15)
    assert np.polyfit(np.log(sizes), np.log(spread), 1)[0] == pytest.approx(-0.5, abs=0.08)
    errors = [np.linalg.norm(answers(LinearRegression(), np.linspace(0, 1, n)[:, None])) for n in (25, 100, 400)]
    assert np.polyfit(np.log([25, 100, 400]), np.log(errors), 1)[0] == pytest.approx(-0.5, abs=0.02)


@pytest.mark.parametrize("shrunk", [1.0, 0.7])
def test_26_and_30_the_error_of_an_estimator_is_variance_and_squared_bias(shrunk: float) -> None:
    means = shrunk * np.random.default_rng(26).normal(2, 1, (5000, 8)).mean(axis=1)
    variance, bias = np.var(means), np.mean(means) - 2
    error = sq.mse(np.full(5000, 2.0), means)
    assert error == pytest.approx(variance + bias**2, abs=1e-12)
    if shrunk == 1.0:
        assert error - variance < 1e-12 + 25 / (8 * 5000)  # the squared bias of a mean is its chance alone


def risk(rule: Array, x: Array, beta: Array) -> float:
    """Squared bias and variance of all coefficients, where errors have variance 1."""
    return float(np.sum((rule @ x @ beta - beta) ** 2) + np.sum(rule**2))


@pytest.mark.parametrize("seed", range(3))
def test_31_ridge_can_beat_least_squares(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(40, 3)) @ rng.normal(size=(3, 20)) + 0.1 * rng.normal(size=(40, 20))
    beta = rng.normal(size=20) / 5
    risks = [risk(answers(Ridge(alpha, fit_intercept=False), x), x, beta) for alpha in (0.0, 1e-6, 1e-4, 1e-2, 1.0)]
    assert risks[1] < risks[0]  # its derivative at 0 is negative
    assert min(risks) < risks[0] / 5


@pytest.mark.parametrize(("size", "norm"), [(10, 0.0), (10, 2.0), (10, 5.0), (2, 0.0)])
def test_32_james_and_stein_can_beat_the_most_likely(size: int, norm: float) -> None:
    """Where the variance is estimated on v degrees, the gain of a known one, (p - 2)^2 E 1 / |z|^2, is v / (v + 2) of it; drawn no further than 0
    it is more."""
    rng, rows = np.random.default_rng(32), 60
    x = orthonormal(rows, size, 32)
    beta = np.full(size, norm / math.sqrt(size))
    truth = np.tile(beta, (100, 1))
    squares = []
    for _ in range(4):
        y = (x @ beta)[:, None] + rng.normal(size=(rows, 100))
        squares += [np.sum((JamesStein(fit_intercept=False).fit(x, y).coef_ - truth) ** 2, axis=1)]
    found, error = np.mean(squares), np.std(squares) / 20
    if size == 2:
        assert JamesStein(fit_intercept=False).fit(x, y).shrinkage_.tolist() == [1.0] * 100
        return
    count = np.arange(200)
    poisson = np.exp(-(norm**2) / 2 + count * np.log(max(norm**2 / 2, 1e-300)) - [math.lgamma(k + 1) for k in count])
    known = (size - 2) ** 2 * np.sum(poisson / (size - 2 + 2 * count))
    assert size - known == pytest.approx({0.0: 2.0, 2.0: 4.37598, 5.0: 7.96396}[norm], abs=5e-6)
    assert found < size - known * 50 / 52 + 5 * error
    assert found + 5 * error < size


def test_33_34_and_48_least_squares_are_most_likely_under_normal_errors() -> None:
    rng = np.random.default_rng(33)
    x = rng.normal(size=(80, 2))
    y = 1 + x @ [2.0, -1.0] + rng.normal(size=80)
    model = LinearRegression().fit(x, y)
    likelihood = model.likelihood()
    assert likelihood.variance[0] == pytest.approx(sq.mse(y, model.predict(x)), rel=1e-13)
    best = float(likelihood.log_likelihood[0])
    for step in 1e-3 * np.vstack([np.eye(3), -np.eye(3)]):
        assert likelihood.at(model.coef_ + step[:2], likelihood.variance * (1 + step[2]))[0] < best


@pytest.mark.parametrize(("law", "low", "high"), [("normal", 1.0, 2.2), ("laplace", 0.5, 0.97)])
def test_48_best_among_linear_only(law: str, low: float, high: float) -> None:
    errors = getattr(np.random.default_rng(48), law)(size=(25, 100))
    absolute, ordinary = (np.asarray(model.fit(X25, errors).coef_)[:, 0] for model in (QuantileRegression(), LinearRegression()))
    assert low < np.var(absolute) / np.var(ordinary) < high


def test_38_39_156_163_and_213_mean_and_median() -> None:
    rng = np.random.default_rng(38)
    x = rng.random(20_000)
    y = 1 + 2 * x + (0.5 + x) * (rng.exponential(size=20_000) - 1)
    assert slope(x, y) == pytest.approx(2, abs=0.2)
    model = QuantileRegression().fit(x[:, None], y)
    assert [model.intercept_, model.coef_[0]] == pytest.approx([1 + 0.5 * (math.log(2) - 1), 2 + math.log(2) - 1], abs=0.06)


def test_41_a_line_through_a_parabola_is_its_best_projection() -> None:
    """With x on a grid about 1/2, x^2 is x - 1/4 + (x - 1/2)^2, and the last part is even."""
    model = LinearRegression().fit(X25, X25[:, 0] ** 2)
    assert [model.coef_[0], model.intercept_] == pytest.approx([1, np.var(X25) - 0.25], rel=1e-14)


def test_42_errors_of_another_mean_move_the_intercept_alone() -> None:
    y = np.random.default_rng(42).integers(-8, 8, 25) / 4
    before, after = LinearRegression().fit(X25, y), LinearRegression().fit(X25, y + 1)
    assert after.coef_[0] == before.coef_[0]
    assert after.intercept_ - before.intercept_ == pytest.approx(1, rel=1e-15)


def test_43_unequal_variances() -> None:
    variance = (0.2 + 2 * X25[:, 0]) ** 2
    ordinary, weighted = answers(LinearRegression(), X25)[0], answers(LinearRegression(), X25, sample_weight=1 / variance)[0]
    assert [ordinary**2 @ variance, weighted**2 @ variance] == pytest.approx([0.9254, 0.3836], abs=5e-5)


def test_44_correlated_errors() -> None:
    """Along a walk, errors that hang together make the formula of least squares too small, and their inverse is best."""
    walk = np.cumsum(np.random.default_rng(44).normal(size=40))[:, None]
    covariance = 0.8 ** np.abs(np.subtract.outer(np.arange(40), np.arange(40)))
    ordinary, general = answers(LinearRegression(), walk)[0], answers(GeneralizedLeastSquares(covariance=covariance), walk)[0]
    design = np.c_[np.ones(40), walk]
    assert general @ covariance @ general == pytest.approx(np.linalg.inv(design.T @ np.linalg.solve(covariance, design))[1, 1], rel=1e-9)
    assert ordinary @ ordinary < general @ covariance @ general < ordinary @ covariance @ ordinary / 1.5


def test_45_a_feature_that_goes_with_the_errors() -> None:
    z, error = np.random.default_rng(45).normal(size=(2, 200_000))
    x, y = z + error, 2 * (z + error) + error
    assert slope(x, y) == pytest.approx(2.5, abs=0.01)
    assert slope(z, y) / slope(z, x) == pytest.approx(2, abs=0.02)


def test_52_the_closed_form_is_the_minimum() -> None:
    x = np.random.default_rng(52).normal(size=(50, 6))
    y = np.sin(x[:, 0]) + x[:, 1]
    np.testing.assert_allclose(LinearRegression(fit_intercept=False).fit(x, y).coef_, np.linalg.lstsq(x, y, rcond=None)[0], rtol=1e-10)
    grid = np.arange(21.0)
    powers = grid[:, None] ** np.arange(1, 8)
    model = LinearRegression().fit(powers, 1 + powers.sum(axis=1))  # in integers below 2^53
    assert np.linalg.cond(powers) > 3.6e6
    assert [model.intercept_, *model.coef_] == [1.0] * 8


def test_92_ridge_is_the_mode_under_a_normal_prior() -> None:
    rng = np.random.default_rng(92)
    x, y = rng.normal(size=(30, 4)), rng.normal(size=30)
    sigma, tau = 0.7, 1.9
    mode = np.linalg.solve(x.T @ x / sigma**2 + np.eye(4) / tau**2, x.T @ y / sigma**2)
    np.testing.assert_allclose(Ridge(sigma**2 / tau**2, fit_intercept=False).fit(x, y).coef_, mode, rtol=1e-10)
    q = orthonormal(30, 4, 92)
    np.testing.assert_allclose(Ridge(3.0, fit_intercept=False).fit(q, y).coef_, q.T @ y / 4, rtol=1e-10)


@pytest.mark.parametrize(("sizes", "squares"), [(1.2, 0.0), (1.2, 0.5), (1e-9, 0.5)])
def test_93_and_94_lasso_and_elastic_net_where_features_are_orthonormal(sizes: float, squares: float) -> None:
    x, y = orthonormal(30, 6, 93), np.random.default_rng(94).normal(size=30)
    z = x.T @ y
    expected = np.sign(z) * np.maximum(np.abs(z) - sizes / 2, 0) / (1 + squares)
    alpha = sizes / 60 + squares / 30
    found = ElasticNet(alpha, l1_ratio=sizes / 60 / alpha, fit_intercept=False).fit(x, y).coef_
    np.testing.assert_allclose(found, expected, atol=1e-10)
    assert (found == 0).tolist() == (expected == 0).tolist()
    if not squares:
        np.testing.assert_allclose(Lasso(sizes / 60, fit_intercept=False).fit(x, y).coef_, expected, atol=1e-10)
        assert (expected == 0).any()


def test_162_and_214_the_mean_of_the_posterior_is_the_best_action() -> None:
    theta = np.linspace(0, 60, 60_001)
    gamma = theta * np.exp(-theta)
    normal = np.exp(-((theta - 20) ** 2) / 2 - (theta - 26) ** 2 / 8)  # a prior of precision 1, an observation of 1/4
    for density, mean in ((gamma, 2.0), (normal, (20 + 26 / 4) / (1 + 1 / 4))):
        costs = [sq.mse(theta, np.full(len(theta), mean + step), sample_weight=density) for step in (-1e-4, 0, 1e-4)]
        assert costs[1] < min(costs[0], costs[2])
    actions = [sq.mse(theta, np.full(len(theta), action), sample_weight=gamma) for action in (1.0, 1.678, 2.0)]
    assert actions == sorted(actions, reverse=True)


@pytest.mark.parametrize(("freedom", "power"), [(1.5, -1 / 3), (3.0, -0.5)])
def test_171_and_231_means_under_heavy_tails(freedom: float, power: float) -> None:
    """The variance is infinite where there are 2 degrees or fewer; the mean is right there too, and its spread falls more slowly."""
    rng, sizes = np.random.default_rng(171), [100, 400, 1600]
    means = [rng.standard_t(freedom, size=(n, 3000)).mean(axis=0) for n in sizes]
    spread = [np.subtract(*np.quantile(each, [0.75, 0.25])) for each in means]
    assert np.polyfit(np.log(sizes), np.log(spread), 1)[0] == pytest.approx(power, abs=0.05)
    assert np.median(means[-1]) == pytest.approx(0, abs=5 * spread[-1] / math.sqrt(3000))


def test_188_and_189_rows_that_are_missing() -> None:
    rng = np.random.default_rng(188)
    x, error = rng.normal(size=(2, 60_000))
    y = 1 + 2 * x + error
    for kept in (rng.random(60_000) < 0.5, rng.random(60_000) < 1 / (1 + np.exp(-2 * x))):  # by chance, and by the feature
        assert abs(slope(x[kept], y[kept]) - 2) < 5 / math.sqrt(kept.sum() * np.var(x[kept]))
    by_feature = rng.random(60_000) < 1 / (1 + np.exp(-2 * x))
    assert sq.mse(y[by_feature], np.zeros(by_feature.sum())) > 6.5 > sq.mse(y, np.zeros(60_000))
    below = y < 1
    assert slope(x[below], y[below]) == pytest.approx(1.483, abs=0.03)
    assert y[below].mean() == pytest.approx(1 - math.sqrt(5) * math.sqrt(2 / math.pi), abs=0.03)  # of a normal cut at its mean


def test_192_outputs_of_the_same_features_gain_nothing_from_their_correlation() -> None:
    rng = np.random.default_rng(192)
    x = np.c_[np.ones(15), rng.normal(size=(15, 2))]
    y = rng.normal(size=(15, 2))
    together = GeneralizedLeastSquares(covariance=np.kron([[1.0, 0.8], [0.8, 2.0]], np.eye(15)), fit_intercept=False)
    found = together.fit(np.kron(np.eye(2), x), y.T.ravel()).coef_
    np.testing.assert_allclose(found, LinearRegression(fit_intercept=False).fit(x, y).coef_.ravel(), rtol=1e-10)


def test_209_the_risk_of_the_population_by_quadrature() -> None:
    points, weights = np.polynomial.hermite_e.hermegauss(5)
    x, error = (each.ravel() for each in np.meshgrid(points, points))
    assert sq.mse(1 + 2 * x + error, np.zeros(25), sample_weight=np.outer(weights, weights).ravel()) == pytest.approx(6, rel=1e-14)


def test_211_and_253_the_risk_is_the_mean_of_losses() -> None:
    y, p = np.random.default_rng(253).normal(size=(2, 1000))
    assert np.mean(sq.mean_squared_error(y, p, reduction="none")) == pytest.approx(sq.mse(y, p), rel=1e-15)


@pytest.mark.parametrize("alpha", [1e-6, 1e6])
def test_219_weights_scale_as_targets_do(alpha: float) -> None:
    rng = np.random.default_rng(219)
    x, y = rng.normal(size=(40, 3)), rng.normal(size=40)
    np.testing.assert_allclose(LinearRegression().fit(x, alpha * y).coef_, alpha * LinearRegression().fit(x, y).coef_, rtol=1e-14)
