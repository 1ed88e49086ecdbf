"""What the mission's texts claim of metrics, each claim by its number; one that is wrong as written is held to its right form.

Numbers are those of the list of claims. Left out are those of images, of frameworks' losses, and of intervals.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest
import sklearn.metrics

import squarely as sq
from squarely import METRICS
from squarely.errors import DataError

HOUSES = [250, 300, 180, 420, 350], [240, 310, 200, 400, 360]  # actual and predicted, in thousands of dollars
SMALL = [3, -0.5, 2, 7], [2.5, 0.0, 2, 8]  # the example of scikit-learn's and PyTorch's pages
RNG = np.random.default_rng(283)

VALUES: list[tuple[int, Callable[[], Any], Any, float]] = [
    (1, lambda: sq.mse(*SMALL), 0.375, 0),
    (15, lambda: sq.mean_squared_error(*HOUSES), 220.0, 0),
    (15, lambda: list(sq.mean_squared_error(*HOUSES, reduction="none")), [100, 100, 400, 400, 100], 0),
    (15, lambda: sum(sq.mean_squared_error(*HOUSES, reduction="none")), 1100, 0),
    (15, lambda: sq.mean_absolute_error(*HOUSES), 14.0, 0),
    (15, lambda: sq.r2_score(*HOUSES), 0.967456, 5e-7),
    (15, lambda: 100 * sq.mean_absolute_percentage_error(*HOUSES), 5.2127, 1e-5),
    (16, lambda: sq.rmse(*HOUSES), 14.832396974191326, 0),
    (16, lambda: round(sq.rmse(*HOUSES), 2), 14.83, 0),
    (23, lambda: list(sq.mean_squared_error([0, 0], [10, 1], reduction="none")), [100, 1], 0),
    (60, lambda: list(sq.mean_squared_error([0, 0], [100, 1], reduction="none")), [10_000, 1], 0),
    (60, lambda: share_of_largest(100, 100), 0.990197, 1e-6),
    (60, lambda: share_of_gradient(100, 100), 0.5025, 1e-4),
    (72, lambda: sq.mean_absolute_percentage_error([1, 20, 300], [0, 0, 0]), 1.0, 0),
    (72, lambda: sq.mean_absolute_percentage_error([1], [1001]), 1000.0, 0),
    (73, lambda: sq.smape([0], [5]), 2.0, 0),
    (73, lambda: sq.smape([100], [50]), 2 / 3, 1e-15),
    (73, lambda: sq.smape([100], [150]), 0.4, 1e-15),
    (73, lambda: sq.smape([0], [0]), 0.0, 0),
    (74, lambda: sq.mean_squared_log_error([100], [50]), 0.466892, 1e-6),
    (74, lambda: sq.mean_squared_log_error([100], [150]), 0.161732, 2e-6),
    (75, lambda: sq.r2_score(*SMALL), 0.948608, 5e-7),
    (117, lambda: sq.mean_squared_error(*SMALL, sample_weight=[1, 1, 1, 3]), 0.583333, 1e-6),
    (119, lambda: list(sq.mean_squared_error([[0.5, 1], [-1, 1]], [[0, 2], [-1, 1.5]], multioutput="raw_values")), [0.125, 0.625], 0),
    (119, lambda: sq.mean_squared_error([[0.5, 1], [-1, 1]], [[0, 2], [-1, 1.5]]), 0.375, 0),
    (119, lambda: sq.rmse([[0.5, 1], [-1, 1]], [[0, 2], [-1, 1.5]]), 0.572061, 1e-6),
    (119, lambda: sq.rmse([[0.5, 1], [-1, 1]], [[0, 2], [-1, 1.5]], multioutput="pooled"), 0.612372, 1e-6),
    (121, lambda: sq.mean_squared_error(*SMALL), sklearn.metrics.mean_squared_error(*SMALL), 0),
    (124, lambda: sq.mean_squared_error(*(np.array(each, np.float32) for each in SMALL)), 0.375, 0),
    (126, lambda: sq.mean_squared_error(*(np.reshape(each, (2, 2)) for each in SMALL)), 0.375, 0),
    (129, lambda: list(sq.mean_squared_error(*SMALL, reduction="none") / 2), [0.125, 0.125, 0, 0.5], 0),
    (142, lambda: list(sq.mean_squared_error([0, 0], [2, 10], reduction="none")), [4, 100], 0),
    (145, lambda: (sq.mean_error([5, -5], [0, 0]), sq.mean_squared_error([5, -5], [0, 0])), (0.0, 25.0), 0),
    (161, lambda: list(sq.mean_squared_error([0, 0, 0], [1, 2, 10], reduction="none")), [1, 4, 100], 0),
    (250, lambda: sq.r2_score([-1.0, 1.0], [3.0, 3.0]), -9.0, 0),
]


def share_of_largest(k: float, n: int) -> float:
    """The share of one error k among n - 1 errors of 1 in the sum of squares."""
    losses = sq.mean_squared_error(np.zeros(n), np.append(np.ones(n - 1), k), reduction="none")
    return float(losses[-1] / losses.sum())


def share_of_gradient(k: float, n: int) -> float:
    slopes = np.abs(METRICS["mean_squared_error"].gradient(np.zeros(n), np.append(np.ones(n - 1), k)))
    return float(slopes[-1] / slopes.sum())


def pairs(n: int = 200) -> tuple[Any, Any]:
    y = RNG.normal(3, 2, n)
    return y, y + RNG.normal(0, 1, n)


def minimiser(metric: Callable[..., float], y: Any, low: float, high: float) -> float:
    """The constant with the least loss, by golden section."""
    golden = (math.sqrt(5) - 1) / 2
    while high - low > 1e-7:
        a, b = high - golden * (high - low), low + golden * (high - low)
        low, high = (low, b) if metric(y, np.full(len(y), a)) < metric(y, np.full(len(y), b)) else (a, high)
    return (low + high) / 2


@pytest.mark.parametrize(("claim", "got", "expected", "rel"), VALUES, ids=[f"claim {claim}, {at}" for at, (claim, *_) in enumerate(VALUES)])
def test_the_number_that_a_text_states(claim: int, got: Callable[[], Any], expected: Any, rel: float) -> None:
    assert got() == pytest.approx(expected, rel=rel, abs=0), claim


def test_claim_1_msd_is_mse() -> None:
    assert sq.METRICS["mean_squared_error"].function is sq.mse is sq.mean_squared_error
    assert "msd" in METRICS["mean_squared_error"].aliases
    assert sq.evaluate(*SMALL, metrics=["msd"])["msd"].value == 0.375


@pytest.mark.parametrize("k", [1, 2, 10, 31.5, 1e3])
@pytest.mark.parametrize("n", [2, 10, 1000])
def test_claims_2_and_258_large_errors_weigh_more(k: float, n: int) -> None:
    assert share_of_largest(k, n) == pytest.approx(k * k / (k * k + n - 1), rel=1e-12)


@pytest.mark.parametrize("exponent", [0, -20, -149, -1000])
def test_claims_3_and_17_zero_is_perfect_and_nothing_else(exponent: int) -> None:
    """Squares of float32 vanish below 2.65e-23; here only the answer is a double, so the root is never 0 by accident."""
    y, _ = pairs()
    p = y.copy()
    assert sq.mse(y, p) == sq.rmse(y, p) == 0.0
    y[7], p[7] = 0.0, 2.0**exponent
    assert sq.rmse(y, p) > 0
    assert sq.mse(y, p) > 0 or exponent < -500
    if exponent >= -149:
        assert sq.mse(np.float32([0, 1]), np.float32([2.0**exponent, 1])) == 2.0 ** (2 * exponent - 1)


def test_claim_9_the_mean_of_squares_in_rational_numbers() -> None:
    for _ in range(200):
        y, p = RNG.integers(-(2**20), 2**20, (2, RNG.integers(1, 30)))
        exact = Fraction(sum((int(a) - int(b)) ** 2 for a, b in zip(y, p, strict=True)), len(y))
        assert sq.mse(y, p) == float(exact)


def test_claim_10_the_loop_and_the_array() -> None:
    for _ in range(50):
        y, p = pairs(37)
        loop = math.fsum((a - b) ** 2 for a, b in zip(y.tolist(), p.tolist(), strict=True)) / 37
        assert abs(sq.mse(y, p) - loop) <= 4 * math.ulp(loop)


def test_claim_11_residuals_are_actual_minus_predicted() -> None:
    residuals = np.subtract(*HOUSES)
    assert residuals.tolist() == [10, -10, -20, 20, -10]
    assert METRICS["mean_squared_error"].gradient(*HOUSES).tolist() == (-2 * residuals / 5).tolist()
    assert sq.mean_error(*HOUSES) == -residuals.mean()  # a bias is of the predictions


def test_claims_12_and_160_residual_square_average_in_this_order() -> None:
    """The expanded form in float32 answers 8.0 or 0.0 where the truth is 9.5e-5."""
    y = np.float32([10_000, 10_001, 10_002])
    p = np.nextafter(y, np.float32(0)) + np.float32(0.0107)
    truth = np.mean((y.astype(float) - p) ** 2)
    expanded = np.mean(y * y) - 2 * np.mean(y * p) + np.mean(p * p)
    assert sq.mse(y, p) == pytest.approx(truth, rel=1e-15)
    assert expanded != pytest.approx(truth, rel=0.5)
    assert np.mean(sq.mean_squared_error(y, p, reduction="none")) == pytest.approx(sq.mse(y, p), rel=1e-15)


@pytest.mark.parametrize("k", [1e-3, 0.5, 7.0, 1e6])
def test_claims_22_69_and_153_units(k: float) -> None:
    y, p = pairs()
    assert sq.mse(k * y, k * p) == pytest.approx(k * k * sq.mse(y, p), rel=1e-12)
    assert sq.mae(k * y, k * p) == pytest.approx(k * sq.mae(y, p), rel=1e-12)
    assert sq.rmse(k * y, k * p) == pytest.approx(k * sq.rmse(y, p), rel=1e-12)
    assert [METRICS[name].unit for name in ("mean_squared_error", "mean_absolute_error", "root_mean_squared_error")] == ["y^2", "y", "y"]


def test_claims_68_69_and_70_slopes_at_a_perfect_prediction() -> None:
    """A text says that RMSE has a derivative at 0. It has none: along any direction it falls and rises like the length of the step."""
    y, _ = pairs(9)
    for name in ("mean_squared_error", "mean_absolute_error", "root_mean_squared_error"):
        assert METRICS[name].gradient(y, y).tolist() == [0.0] * 9
    y, step = np.zeros(9), RNG.normal(size=9)
    for h in (1e-3, -1e-3, 1e-9, -1e-9):
        assert sq.rmse(y, h * step) / abs(h) == pytest.approx(np.linalg.norm(step) / 3, rel=1e-12)


def test_claim_72_mape_has_no_value_at_a_target_of_zero() -> None:
    answer = sq.evaluate([0.0, 1.0], [1.0, 1.0], metrics=["mape"])["mape"]
    assert math.isnan(answer.value)
    assert answer.reason


BEST = {"mean_absolute_percentage_error": math.exp(-1), "mean_absolute_error": 1.0, "mean_squared_error": math.exp(0.5)}


@pytest.mark.parametrize(("name", "best"), BEST.items())
def test_claim_72_what_is_best_under_a_metric(name: str, best: float) -> None:
    """Of lognormal targets: the median is 1 and the mean 1.65, and MAPE wants 0.368."""
    ranks = (np.arange(20_000) + 0.5) / 20_000
    y = np.exp([normal_quantile(rank) for rank in ranks])
    assert minimiser(METRICS[name], y, 0.05, 4.0) == pytest.approx(best, rel=5e-3)


def normal_quantile(rank: float) -> float:
    return NormalDist().inv_cdf(rank)


def test_claim_74_msle() -> None:
    y = RNG.lognormal(size=500)
    assert minimiser(sq.mean_squared_log_error, y, 0.01, 10.0) == pytest.approx(math.expm1(np.mean(np.log1p(y))), rel=1e-5)
    assert sq.mean_squared_log_error([100], [50]) / sq.mean_squared_log_error([100], [150]) == pytest.approx(2.9, abs=0.05)
    for bad in (-1.0, -2.0):
        with pytest.raises(DataError, match="above -1"):
            sq.mean_squared_log_error([bad, 1.0], [1.0, 1.0])


def test_claims_77_79_242_and_243_nmse_and_r2() -> None:
    for n in (2, 5, 100):
        y, p = pairs(n)
        assert sq.nmse(y, p) == pytest.approx(sq.mse(y, p) / np.var(y), rel=1e-12)
        assert sq.nmse(y, p) == pytest.approx(np.sum((y - p) ** 2) / np.sum((y - y.mean()) ** 2), rel=1e-12)
        assert sq.nmse(y, p) * n / (n - 1) != pytest.approx(sq.mse(y, p) / np.var(y), rel=1e-12)  # a variance of n - 1 is another
        assert sq.r2(y, p) == pytest.approx(1 - sq.nmse(y, p), rel=1e-12, abs=1e-15)
        assert sq.r2(y, p) == pytest.approx(1 - sq.mse(y, p) / np.var(y, ddof=0), rel=1e-12, abs=1e-15)


def test_claim_78_nmse_has_no_unit_and_the_mean_has_one() -> None:
    y = np.array([1.0, 2.0, 4.0, 5.0])
    assert sq.nmse(y, np.full(4, 3.0)) == 1.0
    y, p = pairs()
    assert sq.nmse(3 * y + 10, 3 * p + 10) == pytest.approx(sq.nmse(y, p), rel=1e-12)


@pytest.mark.parametrize("outputs", [None, 3])
@pytest.mark.parametrize("weighted", [False, True])
def test_claim_122_parity_with_scikit_learn(outputs: int | None, weighted: bool) -> None:
    for seed in range(20):
        rng = np.random.default_rng(seed)
        shape = (30,) if outputs is None else (30, outputs)
        y = rng.normal(size=shape)
        p = y + rng.normal(size=shape)
        w = rng.random(30) if weighted else None
        for mode in ("uniform_average", "raw_values", rng.random(3) if outputs else "uniform_average"):
            for name in ("mean_squared_error", "root_mean_squared_error", "mean_absolute_error", "r2_score"):
                theirs = getattr(sklearn.metrics, name)(y, p, sample_weight=w, multioutput=mode)
                assert getattr(sq, name)(y, p, sample_weight=w, multioutput=mode) == pytest.approx(theirs, rel=1e-12), name


def test_claim_123_there_is_no_squared() -> None:
    for function in (sq.mse, sq.rmse):
        with pytest.raises(DataError, match="no setting 'squared'"):
            function(*SMALL, squared=False)


def test_claim_130_a_column_beside_a_vector_is_not_a_table() -> None:
    """The one-liner of NumPy answers 16.15625. A column is the same as a vector here, and everything else is refused."""
    y, p = np.array(SMALL[0]), np.array(SMALL[1])
    assert np.mean((y[:, None] - p) ** 2) != 0.375
    assert sq.mse(y[:, None], p) == sq.mse(y, p[:, None]) == 0.375
    with pytest.raises(DataError, match="number of output"):
        sq.mse(np.stack([y, y], axis=1), p)


@pytest.mark.parametrize("z", [1.0, -1e3, 1e9])
def test_claim_146_one_value_moves_a_mean_by_an_nth(z: float) -> None:
    y, n = np.zeros(10), 10
    p = np.zeros(10)
    p[3] = z
    assert sq.mean_error(y, p) == z / n
    assert sq.mse(y, p) == z * z / n


def test_claim_206_mse_is_no_distance_and_rmse_is_one() -> None:
    a, b, c = [0.0], [1.0], [2.0]
    assert sq.mse(a, c) == 4.0 > sq.mse(a, b) + sq.mse(b, c)
    for _ in range(200):
        x, y, z = RNG.standard_cauchy((3, 8))
        assert sq.rmse(x, z) <= (sq.rmse(x, y) + sq.rmse(y, z)) * (1 + 1e-15)


def test_claim_244_the_least_mse_is_the_largest_r2() -> None:
    y, _ = pairs()
    models = [y + RNG.normal(0, size, len(y)) for size in RNG.uniform(0.1, 3, 40)]
    assert np.argmin([sq.mse(y, p) for p in models]) == np.argmax([sq.r2(y, p) for p in models])


def test_claim_250_worse_than_the_mean() -> None:
    for n in (2, 10, 1000):
        y = np.tile([-1.0, 1.0], n // 2) * 2 + 5
        assert sq.r2_score(y, np.full(n, y.mean() + 3 * y.std())) == -9.0


def test_claim_256_squared_distance() -> None:
    y, p = pairs()
    assert sq.mse(y, p) * len(y) == pytest.approx(np.linalg.norm(y - p) ** 2, rel=1e-12)


@pytest.mark.parametrize("shapes", [((4,), (3,)), ((4, 2), (4, 1)), ((4,), (1,)), ((4, 2), (2, 4))])
def test_claim_267_shapes_agree(shapes: Any) -> None:
    with pytest.raises(DataError):
        sq.mse(*map(np.ones, shapes))
