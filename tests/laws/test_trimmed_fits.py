"""Least trimmed squares: the best of all subsets where these can be counted, and lines that half of the rows cannot move."""

from __future__ import annotations

import warnings
from itertools import combinations, islice
from pathlib import Path

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.integrate import quad
from scipy.stats import norm
from sklearn.utils.estimator_checks import check_estimator

from squarely.errors import DataError
from squarely.linear import LeastTrimmedSquares, LinearRegression
from squarely.linear.concentration import nearest_rows

ROBUSTBASE = [11, 12, 14, 16, 17, 18, 20, 25, 26, 30, 31, 32, 33, 34, 35, 36, 37, 39, 40, 41, 42, 44, 45, 46, 48, 50, 55, 56, 58, 59, 60, 61, 63, 64]
ROBUSTBASE += [66, 67, 69, 71, 72, 74]


def test_scikit_learn_takes_it_for_one_of_its_own() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some data of the checks have fewer rows than features
        results = check_estimator(LeastTrimmedSquares(n_starts=20), on_fail=None)
    assert [(each["check_name"], str(each["exception"])) for each in results if each["status"] == "failed"] == []
    assert len(results) > 40


@pytest.mark.parity("LeastTrimmedSquares", peer="every subset of the rows: no package in Python has it")
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


def test_stackloss_has_the_best_of_its_203490_subsets() -> None:
    """They are the rows that robustbase reports as the best subsample, in its tests/tlts.Rout.save."""
    data = sm.datasets.stackloss.load_pandas()
    x, y = data.exog.to_numpy(), data.endog.to_numpy()
    ours = LeastTrimmedSquares().fit(x, y)
    assert np.flatnonzero(ours.support_).tolist() == [row - 1 for row in (5, 6, 7, 8, 9, 10, 11, 12, 15, 16, 17, 18, 19)]
    design, least, subsets = np.column_stack([np.ones(21), x]), np.inf, combinations(range(21), 13)
    while some := list(islice(subsets, 20000)):
        rows, targets = design[some], y[some][:, :, None]
        lines = np.linalg.solve(rows.swapaxes(1, 2) @ rows, rows.swapaxes(1, 2) @ targets)
        least = min(least, float(((targets - rows @ lines) ** 2).sum(axis=(1, 2)).min()))
    assert ((y - ours.predict(x))[ours.support_] ** 2).sum() == pytest.approx(least, rel=1e-9)


def test_the_rows_of_hawkins_bradu_and_kass_that_robustbase_fits() -> None:
    """Its ten bad leverage points draw ordinary least squares, and leave four good ones looking bad."""
    y, *x = np.loadtxt(Path(__file__).parent.parent / "hawkins_bradu_kass.csv", delimiter=",", skiprows=1).T
    ours = LeastTrimmedSquares().fit(np.column_stack(x), y)
    assert (np.flatnonzero(ours.support_) + 1).tolist() == ROBUSTBASE


@pytest.mark.parametrize(("rows", "starts"), [(400, 200), (1300, 200), (5000, 50)])
def test_the_search_ends_where_steps_lead_nowhere(rows: int, starts: int) -> None:
    """In one part, in four, and in five that are not all rows; the fit to the rows found has the same rows nearest to it."""
    rng = np.random.default_rng(rows)
    centred = np.column_stack([np.ones(rows), np.exp(2 * rng.normal(size=(rows, 3))).round(3)])
    y = centred @ [1.0, 2.0, -1.0, 0.5] + rng.standard_cauchy(rows)
    size = rows // 2 + 3
    found = nearest_rows(np.add(centred, [0, 1e9, 1e9, 1e9]), y, size, starts, 100)
    errors = np.abs(y - centred @ np.linalg.lstsq(centred[found], y[found], rcond=None)[0])
    assert len(set(found.tolist())) == size
    assert np.sort(errors[found]).tolist() == pytest.approx(np.sort(errors)[:size].tolist(), rel=1e-6)


def test_rows_as_far_off_as_a_million_and_constant_columns_are_no_trouble() -> None:
    rng = np.random.default_rng(4)
    x = np.column_stack([rng.normal(size=(300, 2)), rng.random(300) < 0.05, np.full(300, 7.0)])
    y = x @ [1.0, -2.0, 3.0, 0.0] + 0.01 * rng.normal(size=300)
    x[:100, 0], y[:100] = 1e6 + rng.normal(size=100), -1e9
    with pytest.warns(UserWarning, match="'x3' is constant"):
        model = LeastTrimmedSquares().fit(x, y)
    assert not model.support_[:100].any()
    np.testing.assert_allclose(model.coef_, [1, -2, 3, 0], atol=0.02)


def test_a_feature_of_zeros_alone_has_no_coefficient() -> None:
    with pytest.warns(UserWarning, match="'x0' is 0 in every row"):
        model = LeastTrimmedSquares(fit_intercept=False).fit(np.zeros((9, 1)), np.arange(9.0))
    assert np.flatnonzero(model.support_).tolist() == [0, 1, 2, 3, 4]


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
    with pytest.raises(DataError, match="expected a share of rows that decide"):
        LeastTrimmedSquares(coverage=coverage).fit([[1.0], [2.0], [3.0]], [1.0, 2.0, 4.0])
