"""M-estimates: fixed points of reweighted least squares, beside statsmodels, and in the manners of scikit-learn."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
import statsmodels.api as sm
from sklearn.utils.estimator_checks import check_estimator
from statsmodels.robust import norms

from squarely.errors import DataError, NotConvergedWarning
from squarely.linear import HuberRegression, StudentTRegression, TukeyRegression

RNG = np.random.default_rng(3)
X = RNG.normal(size=(120, 3)) * [1, 50, 0.01] + [0, 400, 2]
Y = X @ [2.0, 0.03, 40] + 5 + RNG.standard_t(2, size=120)
Y[:9] += 40
ROBUST: list[tuple[Any, Any]] = [
    (HuberRegression, norms.HuberT(1.345)),
    (TukeyRegression, norms.TukeyBiweight(4.685)),
    (StudentTRegression, norms.StudentT(c=1.0, df=4.0)),
]


@pytest.mark.parametrize("kind", [kind for kind, _ in ROBUST])
def test_scikit_learn_takes_it_for_one_of_its_own(kind: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some data of the checks have fewer rows than features
        results = check_estimator(kind(), on_fail=None)
    assert [(each["check_name"], str(each["exception"])) for each in results if each["status"] == "failed"] == []
    assert len(results) > 45


@pytest.mark.parity("HuberRegression", "TukeyRegression", "StudentTRegression", peer="statsmodels RLM")
@pytest.mark.parametrize(("kind", "norm"), ROBUST)
@pytest.mark.parametrize("scale", ["mad", 0.7])
@pytest.mark.parametrize("intercept", [True, False])
def test_statsmodels_says_the_same(kind: Any, norm: Any, scale: Any, intercept: bool) -> None:
    ours = kind(scale=scale, fit_intercept=intercept).fit(X, Y)
    options = {} if scale == "mad" else {"start_scale": scale, "update_scale": False}
    theirs = sm.RLM(Y, sm.add_constant(X) if intercept else X, M=norm).fit(maxiter=2000, tol=1e-14, conv="coefs", **options)
    mine = [ours.intercept_, *ours.coef_] if intercept else ours.coef_
    np.testing.assert_allclose(mine, theirs.params, rtol=1e-9)
    assert ours.scale_ == pytest.approx(theirs.scale, rel=1e-9)
    np.testing.assert_allclose(ours.weights_ / ours.weights_.max(), theirs.weights / theirs.weights.max(), rtol=0, atol=1e-9)
    assert ours.n_passes_ == 1 + 2 * ours.n_iter_


@pytest.mark.parametrize("kind", [kind for kind, _ in ROBUST])
def test_a_weight_of_two_is_a_row_given_twice(kind: Any) -> None:
    times = np.random.default_rng(1).integers(0, 4, len(Y))
    weighted, repeated = kind().fit(X, Y, times), kind().fit(np.repeat(X, times, axis=0), np.repeat(Y, times))
    np.testing.assert_allclose(weighted.coef_, repeated.coef_, rtol=1e-9)
    assert weighted.scale_ == pytest.approx(repeated.scale_, rel=1e-10)


@pytest.mark.parametrize("kind", [kind for kind, _ in ROBUST])
def test_units_change_no_bit_where_they_are_powers_of_two(kind: Any) -> None:
    plain, scaled = kind().fit(X, Y), kind().fit(X * [2.0**40, 2.0**-30, 2.0], Y * 2.0**20)
    assert (scaled.coef_ * [2.0**20, 2.0**-50, 2.0**-19]).tobytes() == plain.coef_.tobytes()
    assert (scaled.intercept_ * 2.0**-20, scaled.n_iter_) == (plain.intercept_, plain.n_iter_)


def test_targets_are_fitted_one_by_one() -> None:
    both = HuberRegression().fit(X, np.column_stack([Y, -3 * Y[::-1]]))
    alone = HuberRegression().fit(X, -3 * Y[::-1])
    assert both.coef_[1].tobytes() == alone.coef_.tobytes()
    assert both.intercept_[1] == alone.intercept_
    assert both.predict(X).shape == (120, 2)


def test_more_than_half_of_the_rows_on_a_line_is_the_line() -> None:
    x = np.arange(11.0)[:, None]
    model = TukeyRegression(scale=0.5).fit(x, np.where(x[:, 0] == 7, 9.0, 2 * x[:, 0]))
    np.testing.assert_allclose([*model.coef_, model.intercept_], [2, 0], atol=1e-12)
    flat = HuberRegression().fit(x, np.zeros(11))
    assert (flat.coef_.tolist(), flat.scale_, flat.n_iter_) == ([0], 0, 1)


def test_iterations_that_end_too_soon_are_told() -> None:
    with pytest.warns(NotConvergedWarning, match="HuberRegression did not settle in 2 iterations"):
        HuberRegression(max_iter=2).fit(X, Y)


@pytest.mark.parametrize("scale", ["std", 0, -1.0, np.inf, True])
def test_a_scale_that_is_none_is_refused(scale: Any) -> None:
    with pytest.raises(DataError, match="expected the size of an ordinary error, a finite number above 0, or 'mad'"):
        HuberRegression(scale=scale).fit(X, Y)
    with pytest.raises(DataError, match="huber_loss"):
        HuberRegression(delta=-1.0).fit(X, Y)
    with pytest.raises(DataError, match="so small that every error is too large"):
        TukeyRegression(scale=1e-9).fit(X, Y)
