"""Least trimmed squares: the best of all subsets where these can be counted, and lines that half of the rows cannot move."""

from __future__ import annotations

import warnings
from itertools import combinations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm
from sklearn.utils.estimator_checks import check_estimator

from squarely.errors import DataError
from squarely.linear import LeastTrimmedSquares, LinearRegression


def test_scikit_learn_takes_it_for_one_of_its_own() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some data of the checks have fewer rows than features
        results = check_estimator(LeastTrimmedSquares(n_starts=20), on_fail=None)
    assert [(each["check_name"], str(each["exception"])) for each in results if each["status"] == "failed"] == []
    assert len(results) > 40


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("intercept", [True, False])
def test_no_subset_of_rows_has_a_better_line(seed: int, intercept: bool) -> None:
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(12, 2)), rng.standard_cauchy(12)
    ours = LeastTrimmedSquares(fit_intercept=intercept).fit(x, y)
    design = np.column_stack([np.ones(12), x]) if intercept else x
    size = (12 + design.shape[1] + 1) // 2
    subsets = [list(rows) for rows in combinations(range(12), size)]
    squares, best = min((float(np.linalg.lstsq(design[rows], y[rows], rcond=None)[1][0]), rows) for rows in subsets)
    assert np.flatnonzero(ours.support_).tolist() == best
    expected = np.linalg.lstsq(design[best], y[best], rcond=None)[0]
    np.testing.assert_allclose([ours.intercept_, *ours.coef_] if intercept else ours.coef_, expected, rtol=1e-9)
    share = size / 12
    end = norm.ppf((1 + share) / 2)
    inside = quad(lambda v: v * v * norm.pdf(v), -end, end)[0] / share
    assert ours.scale_ == pytest.approx(np.sqrt(squares / size / inside), rel=1e-9)


@pytest.mark.parametrize("rows", [200, 4000])
def test_two_rows_of_five_anywhere_move_nothing(rows: int) -> None:
    """Far features and far targets: the rows that are fitted are good ones, and the line is that of ordinary least squares on them."""
    rng = np.random.default_rng(2)
    x = rng.normal(size=(rows, 3))
    y = x @ [1.0, -2.0, 3.0] + 4 + 0.1 * rng.normal(size=rows)
    bad = rng.permutation(rows)[: 2 * rows // 5]
    x[bad], y[bad] = 50 + rng.normal(size=(len(bad), 3)), -1000 + rng.normal(size=len(bad))
    model = LeastTrimmedSquares(n_starts=100).fit(x, y)
    assert not model.support_[bad].any()
    np.testing.assert_allclose([model.intercept_, *model.coef_], [4, 1, -2, 3], atol=0.1)
    plain = LinearRegression().fit(x[model.support_], y[model.support_])
    assert model.coef_.tobytes() == plain.coef_.tobytes()
    good, half = norm.ppf((1 + 0.5 / 0.6) / 2), norm.ppf(0.75)  # half of all rows are the middle 5/6 of the good ones
    inside = [1 - 2 * end * norm.pdf(end) / share for end, share in ((good, 0.5 / 0.6), (half, 0.5))]
    assert model.scale_ == pytest.approx(0.1 * np.sqrt(inside[0] / inside[1]), rel=0.1)
    again = LeastTrimmedSquares(n_starts=100).fit(x, y)
    assert again.coef_.tobytes() == model.coef_.tobytes()


def test_all_rows_are_ordinary_least_squares() -> None:
    rng = np.random.default_rng(5)
    x, y = rng.normal(size=(30, 2)), rng.normal(size=30)
    model = LeastTrimmedSquares(coverage=1.0).fit(x, y)
    assert model.coef_.tobytes() == LinearRegression().fit(x, y).coef_.tobytes()
    assert model.support_.all()


@pytest.mark.parametrize("coverage", [0.5, 1.1, "all"])
def test_a_share_that_is_none_is_refused(coverage: float) -> None:
    with pytest.raises(DataError, match="no share of rows that decide"):
        LeastTrimmedSquares(coverage=coverage).fit([[1.0], [2.0], [3.0]], [1.0, 2.0, 4.0])
