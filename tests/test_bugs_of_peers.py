"""What other libraries of metrics got wrong, one test for each: the data that showed it, and the value that is true.

Each title says what went wrong elsewhere. Expected values are integers that can be checked by hand, or come from exact arithmetic.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import oracle
import squarely as sq
from squarely import PairState
from squarely.errors import DataError

Array = np.ndarray
NAN = math.nan


def ways(name: str, y: Any, p: Any, w: Any = None) -> list[float]:
    """The answer of a function, a state, an evaluation of arrays, and an evaluation of a table."""
    table = {"y": y, "p": p, **({} if w is None else {"w": w})}
    return [
        getattr(sq, name)(y, p, sample_weight=w),
        PairState.of(y, p, w).metric(name),
        sq.evaluate(y, p, weight=w, metrics=name)[name].value,
        sq.evaluate(table, target="y", prediction="p", weight=None if w is None else "w", metrics=name)[name].value,
    ]


# --- integers -----------------------------------------------------------------------------------------------------

UINT8 = np.array([0, 100, 5], dtype=np.uint8), np.array([200, 30, 250], dtype=np.uint8)


@pytest.mark.parametrize(
    ("name", "exact"),
    [
        ("mse", Fraction(34975)),
        ("rmse", None),
        ("mae", Fraction(515, 3)),
        ("max_error", Fraction(245)),
        ("bias", Fraction(125)),
        ("r2", None),
        ("explained_variance", None),
    ],
)
def test_unsigned_integers_wrap(name: str, exact: Fraction | None) -> None:
    exact = oracle.value(sq.METRICS[getattr(sq, name).__name__].name, *UINT8) if exact is None else exact
    for got in ways(name, *UINT8):
        assert oracle.ulps(got, exact) <= 1


def test_the_root_of_wrapped_squares() -> None:
    assert sq.rmse(*UINT8) == pytest.approx(187.016, abs=5e-4)
    assert sq.mae(*UINT8) == pytest.approx(171.667, abs=5e-4)
    assert sq.r2(*UINT8) <= 1


@pytest.mark.parametrize("make", [pd.Series, pl.Series, pa.array, np.asarray], ids=["pandas", "polars", "Arrow", "NumPy"])
def test_columns_of_frames_wrap(make: Callable[[Array], Any]) -> None:
    assert ways("mse", make(UINT8[0]), make(UINT8[1])) == [34975.0] * 4
    assert ways("bias", make(UINT8[0]), make(UINT8[1])) == [125.0] * 4


@pytest.mark.parametrize(
    ("dtype", "y", "p", "name", "expected"),
    [
        ("uint8", [10, 20, 30], [20, 10, 35], "max_error", 10.0),
        ("uint8", [0, 200], [200, 0], "mse", 40_000.0),
        ("int8", [100], [-100], "mse", 40_000.0),
        ("int8", [100], [-100], "max_error", 200.0),
        ("int8", [-128], [127], "max_error", 255.0),
        ("int32", [100_000], [0], "mse", 1e10),
        ("int32", [-(2**31)], [2**31 - 1], "max_error", 2.0**32 - 1),
        ("int64", [2**53 + 1, 0], [2**53, 0], "mse", 0.5),
        ("int64", [2**53 + 1, 0], [2**53, 0], "max_error", 1.0),
        ("uint64", [2**64 - 1], [2**64 - 2], "mae", 1.0),
        ("bool", [True, False], [False, True], "bias", 0.0),
        ("bool", [True, False], [False, True], "mse", 1.0),
    ],
)
def test_integers_are_numbers(dtype: str, y: list[int], p: list[int], name: str, expected: float) -> None:
    assert ways(name, np.array(y, dtype), np.array(p, dtype)) == [expected] * 4


# --- sums of float32 ----------------------------------------------------------------------------------------------


def r2_of_float32(y: Array, p: Array, center: int, unit: int) -> list[Fraction]:
    """R squared of each output, exactly: the values are whole numbers of 2**-unit around a whole center."""
    scores = []
    for a, b in zip(y.T.astype(float), p.T.astype(float), strict=True):
        integers = [((values - center) * 2.0**unit).astype(np.int64) for values in (a, b)]
        assert all(np.array_equal(whole * 2.0**-unit + center, values) for whole, values in zip(integers, (a, b), strict=True))
        target, error = integers[0], integers[0] - integers[1]
        total, squares, errors = int(target.sum()), int((target**2).sum()), int((error**2).sum())
        scores.append(1 - Fraction(errors * len(a), squares * len(a) - total**2))
    return scores


def test_a_sum_stops_at_2_to_24() -> None:
    rows = 20_000_000
    y, p = (np.broadcast_to(np.float32(value), (rows, 2)) for value in (0, 1))
    assert list(sq.mse(y, p, multioutput="raw_values")) == [1.0, 1.0]
    assert sq.mae(y, p) == 1.0
    assert sq.mse(y, p, multioutput="pooled") == 1.0


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_a_running_state_stops_at_2_to_24(dtype: str) -> None:
    batch = PairState.of(np.zeros(1 << 16, dtype), np.ones(1 << 16, dtype))
    state = sum((batch for _ in range(256)), PairState())
    assert state.n == 2**24
    state.update(np.zeros(100_000, dtype), np.ones(100_000, dtype))
    assert state.metric("mse") == 1.0
    assert state.weight_sum == 2**24 + 100_000


def test_bfloat16_sums_stop_early() -> None:
    torch = pytest.importorskip("torch")
    y, p = torch.zeros(100_000, dtype=torch.bfloat16), torch.ones(100_000, dtype=torch.bfloat16)
    assert sq.mse(y, p) == 1.0


def test_states_keep_what_float64_holds() -> None:
    assert PairState.of([0.1], [0.0]).metric("mse") == 0.1 * 0.1  # not 0.009999999776
    assert sq.mse(np.array([300], np.float16), np.array([0], np.float16)) == 90_000.0  # not inf


def good(y: Array, mean: int, rng: np.random.Generator) -> Array:
    """A model that misses by half of the standard deviation."""
    return y + 0.5 * rng.normal(size=y.shape)


def bad(y: Array, mean: int, rng: np.random.Generator) -> Array:
    """A model that knows nothing, and varies three times as much as the target."""
    return mean + 3 * rng.normal(size=y.shape)


def constant(y: Array, mean: int, rng: np.random.Generator) -> Array:
    """The mean for every row."""
    return np.full(y.shape, mean)


@pytest.mark.parametrize(
    ("mean", "unit", "rows", "model", "about"),
    [(10_000, 10, 100_000, good, 0.75), (10_000, 10, 100_000, bad, -9.0), (10_000, 10, 1_000_000, constant, 0.0), (1_000, 14, 1_000_000, good, 0.75)],
)
@pytest.mark.parametrize("order", ["C", "F"])
def test_float32_outputs_side_by_side(mean: int, unit: int, rows: int, model: Any, about: float, order: Any) -> None:
    rng = np.random.default_rng(0)
    y = (mean + rng.normal(size=(rows, 2))).astype(np.float32)
    p = model(y, mean, rng).astype(np.float32)
    exact = r2_of_float32(y, p, mean, unit)
    got = sq.r2_score(np.asarray(y, order=order), np.asarray(p, order=order), multioutput="raw_values")
    assert all(oracle.ulps(value, score) <= 1 for value, score in zip(got.tolist(), exact, strict=True))
    assert got == pytest.approx([about] * 2, abs=0.2)


# --- cancellation -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("dtype", "offset"), [("float32", 1e3), ("float32", 1e4), ("float32", 1e5), ("float64", 1e9)])
def test_variances_cancel_far_from_zero(dtype: str, offset: float) -> None:
    rng = np.random.default_rng(0)
    y = (offset + rng.normal(size=10_000)).astype(dtype)
    p = (y + 0.5 * rng.normal(size=10_000)).astype(dtype)
    for name in (
        "r2_score",
        "explained_variance_score",
        "normalized_mean_squared_error",
        "normalized_root_mean_squared_error",
        "pearson_correlation",
    ):
        exact = oracle.value(name, y, p)
        assert exact is not None
        for got in (getattr(sq, name)(y, p), PairState.of(y, p).metric(name)):
            assert oracle.ulps(got, exact) <= 1, name
    assert 0.7 < sq.r2(y, p) < 0.8
    assert 0.45 < sq.nrmse(y, p) < 0.55


def test_taking_an_outlier_back_leaves_nothing() -> None:
    state = PairState.of(np.zeros(1000), np.ones(1000))
    before = state.to_bytes()
    there_and_back = state + PairState.of([0.0], [1e12]) - PairState.of([0.0], [1e12])
    assert there_and_back.metric("mse") == 1.0
    assert there_and_back == state
    assert state.to_bytes() == before


def test_a_window_forgets_an_outlier() -> None:
    y, p = np.zeros(3000), np.full(3000, 0.1)
    p[500] = 1e8
    window = PairState.of(y[:1000], p[:1000])
    for start in range(0, 2000, 100):
        leaving, entering = slice(start, start + 100), slice(start + 1000, start + 1100)
        window = window + PairState.of(y[entering], p[entering]) - PairState.of(y[leaving], p[leaving])
    assert window.metric("mse") == 0.1 * 0.1  # the nearest double of the square of the double 0.1
    assert window.n == 1000


def test_r2_comes_back_after_an_outlier() -> None:
    rng = np.random.default_rng(0)
    y = rng.normal(size=1000)
    p = y + 0.12 * rng.normal(size=1000)
    outlier = PairState.of([1e9], [-1e9])
    assert (PairState.of(y, p) + outlier - outlier).metric("r2") == sq.r2(y, p) == pytest.approx(0.985, abs=5e-3)


# --- merging ------------------------------------------------------------------------------------------------------


def test_the_first_of_a_list_is_counted_twice() -> None:
    parts = [PairState.of(np.zeros(50), np.full(50, error)) for error in (1.0, 3.0)]
    assert [part.metric("mse") for part in parts] == [1.0, 9.0]
    for merged in (parts[0] + parts[1], sum(parts), sum(reversed(parts)), sum(tuple(parts))):
        assert merged.metric("mse") == 5.0
        assert merged.n == 100


def test_leaving_one_bucket_out_is_all_the_others() -> None:
    rng = np.random.default_rng(0)
    y = rng.normal(size=2000)
    p = y + 1.5 * rng.normal(size=2000)
    buckets = [PairState.of(y[at::20], p[at::20]) for at in range(20)]
    whole = sum(buckets)
    assert whole == PairState.of(y, p)
    assert whole.weight_sum == 2000.0
    for at, bucket in enumerate(buckets):
        others = np.arange(2000) % 20 != at
        assert whole - bucket == PairState.of(y[others], p[others])
        assert (whole - bucket).metric("mse") == sq.mse(y[others], p[others])


@pytest.mark.parametrize("name", [metric.name for metric in sq.METRICS.values() if metric.answers_on_sums])
def test_every_metric_can_be_merged(name: str) -> None:
    rng = np.random.default_rng(0)
    y = 2 + rng.uniform(size=300)
    p = y * rng.uniform(0.5, 1.5, size=300)
    merged = sum(PairState.of(y[at : at + 7], p[at : at + 7], metrics=name) for at in range(0, 300, 7))
    bucket = 2.0**-7 if merged.plan.histogram else 0.0  # states know quantiles to a bucket, arrays exactly; squares to twice that
    assert merged.metric(name) == pytest.approx(getattr(sq, name)(y, p), rel=bucket, abs=0.0)


# --- scale, constants, thresholds -----------------------------------------------------------------------------------


def test_small_targets_are_taken_for_constant() -> None:
    rng = np.random.default_rng(0)
    y, p = 1e-4 * rng.normal(size=(2, 1000))
    exact = oracle.value("r2_score", y, p)
    assert exact is not None
    for got in ways("r2", y, p):
        assert oracle.ulps(got, exact) <= 1
        assert -1.2 < got < -0.9


@pytest.mark.parametrize("n", [3, 10, 11, 1000])
def test_a_constant_target_has_a_rounded_variance(n: int) -> None:
    y, p = np.full(n, 0.1), np.full(n, 0.11)
    assert sq.r2(y, p) == 0.0
    assert sq.r2(y, y) == 1.0
    assert sq.r2(y, p, force_finite=False) == -math.inf
    for name in ("r2", "nse", "explained_variance", "nmse"):
        answer = sq.evaluate(y, p, metrics=name)[name]
        assert math.isnan(answer.value)
        assert "constant" in answer.reason


@pytest.mark.parametrize("exponent", [-664, -200, 0, 200, 664])  # 2**664 is about 1e200
def test_squares_leave_the_range_of_floats(exponent: int) -> None:
    y, p = (np.array(values) * 2.0**exponent for values in ([1.0, 2.0, 3.0], [3.0, 2.0, 1.0]))
    assert ways("r2", y, p) == [-3.0] * 4
    assert ways("nmse", y, p) == [4.0] * 4
    assert ways("pearson_r", y, p) == [-1.0] * 4


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_roots_of_squares_that_no_float_holds(scale: float) -> None:
    assert ways("rmse", [scale], [0.0]) == [scale] * 4
    y, p = np.array([1.0, 2.0, 3.0]) * scale, np.array([3.0, 2.0, 1.0]) * scale
    assert oracle.ulps(sq.r2(y, p), oracle.value("r2_score", y, p)) <= 1
    assert sq.r2(y, p) == pytest.approx(-3.0, rel=1e-14)


def test_a_normalizer_below_zero() -> None:
    assert ways("nrmse", [-2.0, -3.0], [-3.0, -2.0]) == [2.0] * 4
    assert sq.nrmse([-2.0, -3.0], [-3.0, -2.0], normalizer="mean") == 0.4


# --- shapes, order, masks -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["mse", "mae", "rmse", "max_error", "bias"])
def test_a_column_is_broadcast_against_a_row(name: str) -> None:
    y = np.array([1.0, 2.0, 3.0])
    assert getattr(sq, name)(y, y[:, None]) == getattr(sq, name)(y[:, None], y) == 0.0
    assert PairState.of(y, y[:, None]).metric(name) == 0.0


@pytest.mark.parametrize(("y", "p"), [((4,), (1,)), ((3, 2), (3, 1)), ((3, 1), (3, 2)), ((4,), ()), ((2, 3), (3, 2)), ((3,), (1, 3))])
def test_shapes_are_stretched_to_fit(y: tuple[int, ...], p: tuple[int, ...]) -> None:
    with pytest.raises(DataError, match=r"y_true|y_pred"):
        sq.mse(np.ones(y), np.zeros(p))


def test_a_tensor_must_be_contiguous() -> None:
    torch = pytest.importorskip("torch")
    y, p = torch.arange(12.0).reshape(3, 4).T, torch.zeros(4, 3)
    assert sq.mse(y, p) == sq.mse(y.numpy().copy(), p.numpy()) == sum(k * k for k in range(12)) / 12


def test_rows_are_told_apart_by_their_place_not_by_a_label() -> None:
    y, p = pd.Series([1.0, 2.0, 3.0], index=[0, 1, 2]), pd.Series([3.0, 2.0, 1.0], index=[2, 1, 0])
    assert ways("mse", y, p)[:3] == [8 / 3] * 3  # nothing is joined, and no row is dropped
    shifted = pd.Series([1.0, 2.0, 3.0], index=[1, 2, 3])
    assert sq.mse(y, shifted) == 0.0


def test_a_mask_is_ignored() -> None:
    y = np.ma.masked_array([1.0, 2.0, 3.0], mask=[False, False, True])
    p = np.array([1.0, 2.0, 100.0])  # with the masked row the MSE is 3136.33
    with pytest.raises(DataError, match="1 of 3 rows has a missing target, the first at index 2"):
        sq.mse(y, p)
    assert sq.mse(y, p, nan_policy="omit_targets") == 0.0
    answer = sq.evaluate(y, p, nan_policy="omit_targets")["mse"]
    assert (answer.value, answer.n, answer.coverage) == (0.0, 2, 2 / 3)


def test_targets_come_first() -> None:
    assert ways("r2", [1.0, 2.0, 3.0], [1.0, 2.0, 4.0]) == [0.5] * 4
    assert sq.r2(y_pred=[1.0, 2.0, 4.0], y_true=[1.0, 2.0, 3.0]) == 0.5
    assert sq.r2([1.0, 2.0, 4.0], [1.0, 2.0, 3.0]) == 11 / 14


# --- no rows, NaN, weights ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name, metric in sq.METRICS.items() if metric.settings.keys().isdisjoint(oracle.COLUMNS.get(name, ()))])
def test_no_rows_are_a_perfect_score(name: str) -> None:
    with pytest.raises(DataError, match="has no rows"):
        getattr(sq, name)([], [])
    assert math.isnan(PairState().metric(name))


def test_a_model_that_fails_on_hard_rows_looks_good() -> None:
    y, honest, crashed = [1.0, 2.0, 3.0, 100.0], [1.5, 2.5, 2.5, 90.0], [1.5, 2.5, 2.5, NAN]
    assert ways("mse", y, honest) == [25.1875] * 4
    for policy in ("raise", "omit_targets"):
        with pytest.raises(DataError, match="missing prediction"):
            sq.mse(y, crashed, nan_policy=policy)
        with pytest.raises(DataError, match="missing prediction"):
            sq.evaluate(y, crashed, nan_policy=policy)
    assert math.isnan(sq.mse(y, crashed, nan_policy="propagate"))
    answer = sq.evaluate(y, crashed, nan_policy="omit")["mse"]
    assert (answer.value, answer.n, answer.coverage) == (0.25, 3, 0.75)  # who asks for it is told


@pytest.mark.parametrize("missing", [None, NAN, pd.NA])
def test_nothing_is_taken_for_zero(missing: Any) -> None:
    with pytest.raises(DataError, match="missing target"):
        sq.mse([1.0, missing], [1.0, 2.0])


def test_weights_are_dropped_beside_nan() -> None:
    assert ways("bias", [0.0, 0.0], [1.0, 3.0], [1.0, 3.0]) == [2.5] * 4
    for policy in ("omit", "omit_targets"):
        assert sq.mean_error([0.0, 0.0, NAN], [1.0, 3.0, 1.0], sample_weight=[1.0, 3.0, 5.0], nan_policy=policy) == 2.5


def test_a_negative_weight_is_taken() -> None:
    with pytest.raises(DataError, match="sample_weight at index 0 is -1"):
        sq.mse([0.0, 0.0], [1.0, 2.0], sample_weight=[-1.0, 2.0])  # elsewhere 7.0, above every squared error


@pytest.mark.parametrize(("weights", "words"), [([0.0, 0.0], "all 2 weights are 0; expected at least one above 0"), ([1.0, -1.0], "index 1 is -1")])
def test_weights_of_sum_zero_end_in_a_division(weights: list[float], words: str) -> None:
    with pytest.raises(DataError, match=words):
        sq.mse([0.0, 0.0], [1.0, 2.0], sample_weight=weights)


def test_a_weighted_mean_is_divided_by_the_number_of_rows() -> None:
    assert ways("bias", [0.0, 0.0], [2.0, 2.0], [2.0, 2.0]) == [2.0] * 4


@pytest.mark.parametrize("name", ["mse", "mae", "r2", "ccc"])
def test_rows_in_another_order_have_another_answer(name: str) -> None:
    rng = np.random.default_rng(0)
    y = rng.normal(size=1000) * 10.0 ** rng.integers(-6, 6, 1000)
    p = y + rng.normal(size=1000)
    expected = getattr(sq, name)(y, p)
    for _ in range(20):
        order = rng.permutation(1000)
        assert getattr(sq, name)(y[order], p[order]) == expected


# --- errors as a share, and smooth losses ---------------------------------------------------------------------------

LOG_COSH = "log_cosh"


def test_shares_of_negative_targets() -> None:
    y, p = [-10.0, -20.0], [-11.0, -18.0]
    assert sq.mape(y, p) == 0.1  # elsewhere 4.5e15: the largest of a negative target and a small number is the small number
    assert sq.mape(np.negative(y), np.negative(p)) == 0.1
    assert sq.evaluate(y, p, metrics="mape")["mape"].value == 0.1


def test_shares_of_a_target_of_zero_are_skipped() -> None:
    y, p = [0.0, 1.0], [1.0, 1.0]
    answer = sq.evaluate(y, p, metrics="mape")["mape"]
    assert math.isnan(answer.value)  # elsewhere 2.25e15, 427350, 1e9, 1.0 or 0: six answers
    assert "0" in answer.reason
    assert sq.mape(y, p) == 2.0**52 / 2  # the function keeps scikit-learn's divisor


def test_shares_of_small_targets_are_divided_by_something_else() -> None:
    assert sq.mape([1e-20, 2e-20], [2e-20, 4e-20]) == 1.0  # elsewhere the divisor is never below 2**-52
    assert sq.evaluate([1e-300], [2e-300], metrics="mape")["mape"].value == 1.0


def test_weighted_shares_divide_by_the_weights() -> None:
    assert sq.mape([10.0, -10.0], [11.0, -13.0], sample_weight=[3.0, 1.0]) == pytest.approx(0.15, rel=1e-15)


@pytest.mark.parametrize(("name", "function"), [("mape", "mean_absolute_percentage_error"), ("msle", "mean_squared_log_error")])
def test_shares_and_logarithms_of_unsigned_integers(name: str, function: str) -> None:
    y, p = np.array([1, 100, 5], np.uint8), np.array([200, 30, 250], np.uint8)
    assert getattr(sq, name)(y, p) == getattr(sq, name)(y.astype(float), p.astype(float))
    exact = oracle.value(function, y, p)
    assert exact is not None
    assert oracle.ulps(getattr(sq, name)(y, p), exact) <= 4


def test_the_median_error_of_unsigned_integers() -> None:
    assert sq.median_absolute_error(*UINT8) == 200.0  # of 200, 70 and 245


@pytest.mark.parametrize("name", ["mape", "msle"])
def test_terms_of_a_list_of_parts_are_counted_once(name: str) -> None:
    rng = np.random.default_rng(0)
    y = rng.uniform(1.0, 2.0, 2000)
    p = y * rng.uniform(0.5, 1.5, 2000)
    whole = sq.evaluate(y, p, metrics=name)
    parts = [sq.evaluate(y[at::20], p[at::20], metrics=name) for at in range(20)]
    merged = sum((part.table for part in parts[1:]), parts[0].table)
    assert merged.digest() == whole.table.digest()
    assert whole[name].value == getattr(sq, name)(y, p)


@pytest.mark.parametrize("error", [1e-9, 1.0, 30.0, 1000.0, 1e300])
def test_the_logarithm_of_cosh_overflows(error: float) -> None:
    function = getattr(sq, LOG_COSH)
    got = function([0.0], [error])
    assert math.isfinite(got)
    assert got == function([0.0], [-error])
    if error == 1000.0:
        assert got == pytest.approx(999.3068528194400547, rel=1e-15)  # 1000 - log 2; elsewhere inf
    if error == 1e-9:
        assert got == pytest.approx(5e-19, rel=1e-15)  # the square over 2; elsewhere 0


def test_logarithms_keep_small_errors() -> None:
    y, p = np.full(10, 1e6), np.full(10, 1e6 + 1e-3)
    relative = (p[0] - 1e6) / (1 + 1e6)
    assert sq.msle(y, p) == pytest.approx(math.log1p(relative) ** 2, rel=1e-12)
