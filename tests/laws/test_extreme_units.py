"""Units: whatever columns are measured in, a fit is that of other units, or refuses what no double holds; and no state of no rows is fitted."""

import numpy as np
import pytest

from squarely import linear
from squarely.errors import DataError, DependentColumnsWarning
from squarely.linear import ElasticNetCV, GramState, Lasso, LassoCV, LinearRegression, NonNegativeLeastSquares, QuantileRegression, Ridge, RidgeCV

RNG = np.random.default_rng(38)
X = RNG.normal(size=(60, 3)) + np.array([5, 0, -2])
Y = X @ [1.0, -2.0, 0.5] + RNG.normal(size=60) * (1 + X[:, 1] ** 2)
GROUPS = np.repeat(np.arange(12), 5)
ROBUST = [{"kind": kind} for kind in ("HC0", "HC1", "HC2", "HC3", "HAC")] + [{"kind": "cluster", "groups": GROUPS}]
OF_SQUARES = [
    getattr(linear, name)
    for name in linear.__all__
    if isinstance(getattr(linear, name), type) and hasattr(getattr(linear, name), "predict") and name not in ("GramEstimator", "Ridge")
]


@pytest.mark.parametrize("power", [-1000, -540, 540, 1000])
@pytest.mark.parametrize("model", [LinearRegression, Ridge])
def test_a_unit_of_the_target_is_one_of_the_coefficients(model: type, power: int) -> None:
    plain, scaled = model().fit(X, Y), model().fit(X, np.ldexp(Y, power))
    assert scaled.coef_.tobytes() == np.ldexp(plain.coef_, power).tobytes()
    assert scaled.intercept_ == np.ldexp(plain.intercept_, power)


def test_targets_of_different_units_do_not_disturb_each_other() -> None:
    both = np.column_stack([np.ldexp(Y, 1000), np.ldexp(Y, -1000)])
    plain = LinearRegression().fit(X, Y).coef_
    assert LinearRegression().fit(X, both).coef_.tobytes() == np.array([np.ldexp(plain, 1000), np.ldexp(plain, -1000)]).tobytes()


@pytest.mark.parametrize("power", [-700, -520, 520, 700])
@pytest.mark.parametrize("kwargs", ROBUST)
def test_units_of_features_change_no_robust_t(kwargs: dict, power: int) -> None:
    scaled = X * [2.0**power, 1, 2.0 ** (-power // 3)]
    mine, plain = LinearRegression().fit(scaled, Y), LinearRegression().fit(X, Y)
    robust, expected = mine.robust(scaled, Y, **kwargs), plain.robust(X, Y, **kwargs)
    np.testing.assert_allclose(robust.t_values, expected.t_values, rtol=1e-12)
    f, expected_f = (dict(model.summary(inference=inference).facts[0])["F-statistic:"] for model, inference in ((mine, robust), (plain, expected)))
    assert f == expected_f


@pytest.mark.parametrize("model", OF_SQUARES, ids=lambda each: each.__name__)
@pytest.mark.parametrize("power", [-560, 560])
def test_a_target_whose_squares_are_no_doubles_is_refused(model: type, power: int) -> None:
    """Their sums would be 0, or infinite, and standard errors, penalties and convergence would follow from that in silence."""
    with pytest.raises(DataError, match=r"the values of 'y' vary so (much|little) that .* Give the column in another unit"):
        _ = model().fit(X, np.ldexp(Y, power)).inference_


@pytest.mark.parametrize("power", [-560, 560])
@pytest.mark.parametrize("covariance", ["ar1", "variances", "exchangeable", np.ones(60), np.eye(60)], ids=str)
def test_errors_that_hang_together_are_told_of_units_before_they_are_looked_at(covariance: object, power: int) -> None:
    groups = GROUPS if isinstance(covariance, str) and covariance != "ar1" else None
    with pytest.raises(DataError, match=r"the values of 'y' vary so (much|little) that"):
        linear.GeneralizedLeastSquares(covariance=covariance).fit(X, np.ldexp(Y, power), groups=groups)


@pytest.mark.parametrize("power", [-560, 560])
@pytest.mark.parametrize("model", [Lasso, RidgeCV, NonNegativeLeastSquares, QuantileRegression], ids=lambda each: each.__name__)
def test_a_feature_whose_squares_are_no_doubles_is_refused_where_they_are_taken(model: type, power: int) -> None:
    with pytest.raises(DataError, match=r"the values of 'x1' vary so (much|little)"):
        model().fit(X * [1, 2.0**power, 1], Y)


def test_weights_count_among_squares() -> None:
    with pytest.raises(DataError, match=r"the values of 'y' vary so little .* and weights of about 1"):
        _ = LinearRegression().fit(X, Y, np.full(60, 2.0**-1040)).inference_


def test_a_constant_target_is_no_extreme() -> None:
    model = LinearRegression().fit(X, np.full(60, 3.0))
    assert (model.coef_.tolist(), model.residual_std_) == ([0, 0, 0], 0)


@pytest.mark.parametrize(("x_power", "y_power", "said"), [(-1060, 0, "too large .* so small"), (1000, -1000, "too small .* so large")])
def test_a_coefficient_that_is_no_double_is_refused(x_power: int, y_power: int, said: str) -> None:
    with pytest.raises(DataError, match=rf"the coefficient of 'x0' is {said} are its values beside those of 'y'"):
        LinearRegression().fit(np.ldexp(X, x_power), np.ldexp(Y, y_power))


def test_a_coefficient_of_0_may_be_one_in_any_unit() -> None:
    """What rounding leaves of it is no double either."""
    x = np.random.default_rng(5).integers(-50, 50, (30, 3)).astype(float)
    assert LinearRegression().fit(np.ldexp(x, 950), 3 * x[:, 0] - x[:, 1] / 4).coef_.tolist() == [np.ldexp(3, -950), np.ldexp(-0.25, -950), 0]


@pytest.mark.parametrize("power", [-300, -60, 60, 300])
@pytest.mark.parametrize("model", [LassoCV, ElasticNetCV])
def test_a_grid_of_penalties_goes_with_the_unit_of_the_target(model: type, power: int) -> None:
    plain, scaled = model(alphas=20).fit(X, Y), model(alphas=20).fit(X, np.ldexp(Y, power))
    if model is LassoCV:  # of the other, the share of squares has no unit of the target
        np.testing.assert_allclose(scaled.coef_, np.ldexp(plain.coef_, power), rtol=1e-9)
    np.testing.assert_allclose(scaled.alphas_, np.ldexp(plain.alphas_, power), rtol=1e-12)


def test_a_target_that_no_feature_explains_has_a_grid() -> None:
    assert LassoCV(alphas=3).fit(X, np.full(60, 2.0)).coef_.tolist() == [0, 0, 0]


def test_no_penalty_drops_no_feature_in_silence() -> None:
    with pytest.warns(DependentColumnsWarning, match="the feature 'x3' is a combination of 'x0'"):
        model = Lasso(alpha=0.0).fit(np.column_stack([X, 2 * X[:, 0]]), Y)
    assert model.rank_ == 3


WHOLE, PART = GramState.of(X, Y), GramState.of(X[:10], Y[:10])
FOREIGN = {
    "all but nothing": (GramState() - WHOLE, "it counts -60 rows"),
    "more than there was": (PART - WHOLE, "it counts -50 rows"),
    "rows of other weights": (WHOLE - GramState.of(X[:10], Y[:10], np.full(10, 9.0)), "its weights add up to -30"),
    "rows of other features": (WHOLE - GramState.of(50 * X[:10], Y[:10]), "the squares of 'x0' add up to less than 0"),
    "rows of other targets": (WHOLE - GramState.of(X[:10], 50 * Y[:10]), "the squares of 'y' add up to less than 0"),
}


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("case", FOREIGN)
def test_a_state_of_no_rows_is_refused(case: str, intercept: bool) -> None:
    state, said = FOREIGN[case]
    with pytest.raises(DataError, match=f"the state is that of no rows: {said}.* subtract states of rows that are in it"):
        LinearRegression.from_state(state, fit_intercept=intercept)


def test_residuals_of_no_rows_are_refused() -> None:
    """Features and target vary still, but more is explained than there is."""
    nought = [[0.0], [0.0]]
    state = GramState.of([[1.0], [-1.0]], [1.0, -1.0]) + GramState.of(nought * 2, [0.0] * 4) - GramState.of(nought, [0.5, -0.5])
    with pytest.raises(DataError, match="the squared residuals of 'y' add up to less than 0"):
        _ = LinearRegression.from_state(state).r2_
