"""Standard errors of fits other than least squares: beside statsmodels, by their formulas, and where there are none."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.stats import norm, scoreatpercentile
from sklearn.linear_model import QuantileRegressor
from statsmodels.regression.quantile_regression import hall_sheather, kernels
from statsmodels.robust import norms

from squarely.errors import DataError, NoInferenceError, NotConvergedWarning
from squarely.linear import (
    ElasticNet,
    ElasticNetCV,
    ExpectileRegression,
    HuberRegression,
    JamesStein,
    Lasso,
    LassoCV,
    LeastTrimmedSquares,
    NonNegativeLeastSquares,
    QuantileRegression,
    Ridge,
    RidgeCV,
    StudentTRegression,
    TukeyRegression,
)

RNG = np.random.default_rng(11)
X = RNG.normal(size=(150, 3)) * [1, 50, 0.01] + [0, 400, 2]
Y = X @ [2.0, 0.03, 40] + 5 + RNG.standard_t(3, size=150) * (1 + np.abs(X[:, 0]))
W = RNG.integers(0, 4, 150)
ROBUST: list[tuple[Any, Any]] = [
    (HuberRegression, norms.HuberT(1.345)),
    (TukeyRegression, norms.TukeyBiweight(4.685)),
    (StudentTRegression, norms.StudentT(c=1.0, df=4.0)),
]
ALL = [*(kind for kind, _ in ROBUST), ExpectileRegression, QuantileRegression]


def design(intercept: bool) -> np.ndarray:
    return sm.add_constant(X) if intercept else X


def assert_same(found: Any, errors: Any, p_values: Any, intervals: Any) -> None:
    """Nine digits; those of p-values as quantiles, for they move by the square of t times as much as t."""
    np.testing.assert_allclose(found.standard_errors[:, 0], errors, rtol=1e-9)
    np.testing.assert_allclose(norm.isf(found.p_values[:, 0] / 2), norm.isf(np.asarray(p_values) / 2), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(found.intervals(0.9)[:, 0] / errors[:, None], intervals / errors[:, None], rtol=1e-9, atol=1e-9)


@pytest.mark.parity("AsymptoticInference", peer="statsmodels RLM")
@pytest.mark.parametrize(("kind", "norm_"), ROBUST)
@pytest.mark.parametrize("intercept", [True, False])
def test_m_estimates_have_the_h1_of_statsmodels(kind: Any, norm_: Any, intercept: bool) -> None:
    ours = kind(fit_intercept=intercept).fit(X, Y)
    theirs = sm.RLM(Y, design(intercept), M=norm_).fit(maxiter=2000, tol=1e-14, conv="coefs", cov="H1")
    assert_same(ours.inference_, theirs.bse, theirs.pvalues, theirs.conf_int(0.1))
    np.testing.assert_allclose(ours.inference_.covariances[0], theirs.bcov_scaled, rtol=1e-9)
    assert (ours.inference_.kind, ours.inference_.rows) == ("H1", 150)


@pytest.mark.parity("ExpectileRegression", peer="statsmodels WLS with HC0")
@pytest.mark.parametrize("level", [0.1, 0.5, 0.8])
@pytest.mark.parametrize("intercept", [True, False])
def test_expectiles_have_the_sandwich_of_their_weights(level: float, intercept: bool) -> None:
    """It is HC0 of least squares with the weights that the expectile has come to."""
    ours = ExpectileRegression(expectile=level, fit_intercept=intercept).fit(X, Y)
    weights = np.where(ours.predict(X) > Y, 1 - level, level)
    theirs = sm.WLS(Y, design(intercept), weights=weights).fit(cov_type="HC0")
    assert ours.inference_.kind == "sandwich"
    assert_same(ours.inference_, theirs.bse, theirs.pvalues, theirs.conf_int(0.1))


def large(rows: int, features: int) -> tuple[np.ndarray, np.ndarray]:
    """Targets of a size at which errors of 1e-6, below which statsmodels smooths the loss, are neither much nor rounding."""
    rng = np.random.default_rng(rows + 2)
    x = rng.normal(size=(rows, features))
    return x, 1e6 * (1 + x.sum(axis=1) + rng.standard_t(4, size=rows) * (1 + np.abs(x[:, 0])))


@pytest.mark.parity("QuantileRegression", peer="statsmodels QuantReg")
@pytest.mark.parametrize(("rows", "features"), [(40, 1), (150, 3), (400, 5)])
@pytest.mark.parametrize("level", [0.05, 0.1, 0.25, 0.5, 0.75, 0.9])
@pytest.mark.parametrize("vcov", ["robust", "iid"])
def test_quantiles_have_the_kernel_covariances_of_statsmodels(rows: int, features: int, level: float, vcov: str) -> None:
    x, y = large(rows, features)
    ours = QuantileRegression(quantile=level, vcov=vcov).fit(x, y)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # no room for a bandwidth: nan
        theirs = sm.QuantReg(y, sm.add_constant(x)).fit(q=level, vcov=vcov, max_iter=9000)
    np.testing.assert_allclose([ours.intercept_, *ours.coef_], theirs.params, rtol=1e-9)
    assert_same(ours.inference_, theirs.bse, theirs.pvalues, theirs.conf_int(0.1))
    assert ours.inference_.freedom == rows - features - 1
    assert rows < 400 or np.isfinite(theirs.bse).all()


@pytest.mark.parametrize("level", [0.1, 0.25, 0.5, 0.8])
@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("vcov", ["robust", "iid"])
def test_quantiles_have_the_formula_of_statsmodels_at_the_exact_line(level: float, intercept: bool, vcov: str) -> None:
    """A row on the line counts on the side to which it pulls: those pulls bring all others into balance."""
    ours = QuantileRegression(quantile=level, vcov=vcov, fit_intercept=intercept).fit(X, Y)
    peer = QuantileRegressor(quantile=level, alpha=0, fit_intercept=intercept, solver="highs").fit(X, Y)
    z, errors = design(intercept), Y - peer.predict(X)
    on = np.argsort(np.abs(errors))[: z.shape[1]]
    errors = Y - z @ np.linalg.solve(z[on], Y[on])
    errors[on] = 0
    share = hall_sheather(150, level)
    width = min(Y.std(), (scoreatpercentile(errors, 75) - scoreatpercentile(errors, 25)) / 1.34)
    width *= norm.ppf(level + share) - norm.ppf(level - share)
    density = kernels["epa"](errors / width).sum() / (150 * width)
    inverse = np.linalg.inv(z.T @ z)
    pulls = np.where(errors > 0, level, level - 1)
    pulls[on] = 0
    pulls[on] = np.linalg.solve(z[on].T, -z.T @ pulls)
    assert ((level - 1 < pulls[on]) & (pulls[on] < level)).all(), "no step is better"
    middle = np.where(pulls > 0, level, 1 - level) ** 2 if vcov == "robust" else np.full(150, level * (1 - level))
    expected = inverse @ (z.T * middle) @ z @ inverse / density**2
    np.testing.assert_allclose(ours.inference_.standard_errors[:, 0], np.sqrt(np.diag(expected)), rtol=1e-9)
    scale = np.sqrt(np.outer(np.diag(expected), np.diag(expected)))
    np.testing.assert_allclose(ours.inference_.covariances[0] / scale, expected / scale, rtol=0, atol=1e-9)


def test_rows_that_are_equal_and_on_the_line_pull_alike() -> None:
    """Of six in a group at 0.4, two lie below, two on the line and two above: these bring the two on it to pull up, together 0.4."""
    x, y = np.repeat([0.0, 1.0], 6)[:, None], np.array([0.0, 1, 5, 5, 7, 8, 1, 2, 6, 6, 8, 9])
    many = np.tile(y, 20), np.tile(x, (20, 1))
    found = QuantileRegression(quantile=0.4).fit(many[1], many[0])
    assert [found.intercept_, *found.coef_] == [5, 1]
    z, errors = sm.add_constant(many[1]), many[0] - found.predict(many[1])
    share = hall_sheather(240, 0.4)
    width = min(many[0].std(), (scoreatpercentile(errors, 75) - scoreatpercentile(errors, 25)) / 1.34)
    width *= norm.ppf(0.4 + share) - norm.ppf(0.4 - share)
    density = kernels["epa"](errors / width).sum() / (240 * width)
    inverse = np.linalg.inv(z.T @ z)
    middle = np.where(errors >= 0, 0.4, 0.6) ** 2
    expected = inverse @ (z.T * middle) @ z @ inverse / density**2
    np.testing.assert_allclose(found.inference_.covariances[0], expected, rtol=1e-9)


@pytest.mark.parametrize("level", [0.1, 0.25, 0.45])
@pytest.mark.parametrize("tied", [False, True], ids=["apart", "tied"])
def test_negative_targets_have_the_same_standard_errors_at_the_other_end(level: float, tied: bool) -> None:
    """Of five in a group at a quarter one lies on the line and does not pull: it is half on either side."""
    x, y = (np.eye(40)[np.repeat(np.arange(40), 5)][:, 1:], np.tile([0.0, 1, 2, 5, 7], 40)) if tied else (X, Y)
    low, high = QuantileRegression(quantile=level).fit(x, y).inference_, QuantileRegression(quantile=1 - level).fit(x, -y).inference_
    assert np.isfinite(low.standard_errors).all()
    np.testing.assert_allclose(high.standard_errors, low.standard_errors, rtol=1e-9)


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("intercept", [True, False])
def test_a_weight_of_two_is_a_row_given_twice(kind: Any, intercept: bool) -> None:
    weighted = kind(fit_intercept=intercept).fit(X, Y, W).inference_
    repeated = kind(fit_intercept=intercept).fit(np.repeat(X, W, axis=0), np.repeat(Y, W)).inference_
    np.testing.assert_allclose(weighted.standard_errors, repeated.standard_errors, rtol=1e-9)
    assert (weighted.rows, weighted.freedom) == (W.sum(), repeated.freedom)


@pytest.mark.parametrize("kind", ALL)
def test_units_of_measurement_change_no_digit_of_t(kind: Any) -> None:
    plain, scaled = kind().fit(X, Y).inference_, kind().fit(X * [2.0**40, 2.0**-30, 2.0], Y * 2.0**20).inference_
    np.testing.assert_allclose(scaled.t_values, plain.t_values, rtol=1e-9)


@pytest.mark.parametrize("kind", ALL)
def test_each_target_has_its_own_and_its_table(kind: Any) -> None:
    both, alone = kind().fit(X, np.column_stack([Y, -3 * Y[::-1]])), kind().fit(X, -3 * Y[::-1])
    np.testing.assert_allclose(both.inference_[1].standard_errors, alone.inference_.standard_errors, rtol=1e-9)
    table = both.summary(confidence=0.8)
    assert table.tables[1] == alone.summary(confidence=0.8).tables[0]
    found = alone.inference_
    numbers = [[float(cell) for cell in row[1:]] for row in table.tables[1]]
    np.testing.assert_allclose(
        numbers, np.column_stack([found.estimates, found.standard_errors, found.t_values, found.p_values, found.intervals(0.8)[:, 0]]), atol=5.1e-4
    )
    assert table.head[3] == ("t" if kind is QuantileRegression else "z")
    assert dict(table.facts[1])["Passes:"] == str(both.n_passes_)
    assert "as rows become many" in table.to_html()
    with pytest.raises(DataError, match="confidence is 2"):
        alone.summary(confidence=2)


@pytest.mark.parametrize("kind", ALL)
def test_too_few_rows_have_no_standard_errors(kind: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotConvergedWarning)
        assert np.isnan(kind().fit(X[:4], Y[:4]).inference_.standard_errors).all()


def test_a_line_through_more_than_half_of_the_rows_has_none() -> None:
    x = np.arange(11.0)[:, None]
    assert np.isnan(HuberRegression().fit(x, np.zeros(11)).inference_.standard_errors).all()
    assert np.isnan(QuantileRegression().fit(x, np.where(x[:, 0] < 9, x[:, 0], 40)).inference_.standard_errors).all()


@pytest.mark.parametrize("kind", ALL)
def test_a_feature_that_depends_on_others_has_none(kind: Any) -> None:
    with pytest.warns(UserWarning, match="cannot be told apart"):
        found = kind().fit(np.column_stack([X, X[:, 0] - X[:, 1]]), Y).inference_
    plain = kind().fit(X, Y).inference_
    assert np.isnan(found.standard_errors[4]).all()
    np.testing.assert_allclose(found.standard_errors[:4], plain.standard_errors, rtol=1e-9)


def test_another_covariance_is_refused() -> None:
    with pytest.raises(DataError, match="vcov is 'HC3'; expected 'robust' or 'iid'"):
        QuantileRegression(vcov="HC3").fit(X, Y)


@pytest.mark.parametrize("kind", [Ridge, RidgeCV, Lasso, LassoCV, ElasticNet, ElasticNetCV, JamesStein, NonNegativeLeastSquares, LeastTrimmedSquares])
def test_what_has_no_standard_errors_says_why(kind: Any) -> None:
    model = kind().fit(X[:60], Y[:60])
    with pytest.raises(NoInferenceError, match=f"{kind.__name__} has no standard errors: .*(drawn towards 0|normal law|too small)"):
        _ = model.inference_
    assert not hasattr(model, "inference_")


def test_intervals_hold_about_as_often_as_they_say() -> None:
    """Nine in ten: of 60 fits fewer than 45 would be a chance of one in 3,000."""
    rng, inside = np.random.default_rng(0), dict.fromkeys((ExpectileRegression, QuantileRegression, HuberRegression), 0)
    for _ in range(60):
        x = rng.normal(size=(200, 1))
        y = 2 * x[:, 0] + rng.normal(size=200)
        for kind in inside:
            low, high = kind().fit(x, y).inference_.intervals(0.9)[1, 0]
            inside[kind] += low < 2 < high
    assert all(45 <= count <= 59 for count in inside.values()), inside
