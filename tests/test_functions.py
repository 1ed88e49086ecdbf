"""Metric functions on arrays that are not quite right: what is refused, in which words, and what is forgiven."""

from __future__ import annotations

import math
import pickle
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import squarely as sq
from squarely.errors import DataError, UndefinedMetricWarning, UnknownMetricError

Y, P = [1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 5.0, 8.0]  # squares of the errors: 0, 0, 4, 16
NAN, INF = math.nan, math.inf


@pytest.mark.parametrize(
    ("y", "p", "w", "words"),
    [
        ([1.0, 2.0], [1.0], None, "y_true has 2 rows and y_pred 1"),
        (np.ones((2, 2)), np.ones((2, 3)), None, "2!=3"),
        (np.ones((2, 2, 2)), np.ones((2, 2, 2)), None, r"shape \(2, 2, 2\)"),
        ([], [], None, "has no rows"),
        ([1.0, NAN], [1.0, 2.0], None, "1 of 2 rows has a missing target, the first at index 1"),
        ([1.0, 2.0, 3.0], [NAN, 2.0, NAN], None, "2 of 3 rows have a missing prediction, the first at index 0"),
        ([1.0, INF], [1.0, 2.0], None, "an infinite target, the first at index 1"),
        ([1.0, 2.0], [1.0, -INF], None, "an infinite prediction, the first at index 1"),
        ([1.0, None], [1.0, 2.0], None, "a missing target, the first at index 1"),
        ([1.0, 2.0, 3.0], [1.0, NAN, NAN], [1.0, 0.0, 2.0], "1 of 2 rows has a missing prediction, the first at index 2"),
        ([1.0, 2.0], [1.0, "two"], None, "y_pred at index 1 holds 'two' where a number was expected"),
        ([1.0, 2.0], [1.0, 2j], None, "complex"),
        ([1.0, 2.0], [1.0, 2.0], [1.0, -1.0], "sample_weight at index 1 is -1.0"),
        ([1.0, 2.0], [1.0, 2.0], [NAN, 1.0], "sample_weight at index 0 is nan"),
        ([1.0, 2.0], [1.0, 2.0], [INF, 1.0], "sample_weight at index 0 is inf"),
        ([1.0, 2.0], [1.0, 2.0], [1.0], "sample_weight has 1 rows and y_true 2"),
        ([1.0, 2.0], [1.0, 2.0], [0.0, 0.0], "all 2 weights are 0"),
        ([[1.0, 2.0], [3.0]], [1.0, 2.0], None, "y_true"),
    ],
)
def test_refused(y: Any, p: Any, w: Any, words: str) -> None:
    for function in (sq.mse, sq.r2, sq.d2_pinball_score):
        with pytest.raises(DataError, match=words):
            function(y, p, sample_weight=w)


@pytest.mark.parametrize(("policy", "expected"), [("omit", 20 / 4), ("omit_targets", None), ("propagate", NAN), ("raise", None)])
def test_policies(policy: str, expected: float | None) -> None:
    y, p = [*Y, NAN, 9.0], [*P, 1.0, NAN]
    if expected is None:
        with pytest.raises(DataError):
            sq.mse(y, p, nan_policy=policy)
    else:
        got = sq.mse(y, p, nan_policy=policy)
        assert got == expected or (math.isnan(got) and math.isnan(expected))


def test_missing_targets_alone_are_forgiven_on_demand() -> None:
    assert sq.mse([*Y, NAN], [*P, 1.0], nan_policy="omit_targets") == 5.0
    assert sq.d2_absolute_error_score([*Y, NAN], [*P, 1.0], nan_policy="omit_targets") == sq.d2_absolute_error_score(Y, P)
    with pytest.raises(DataError, match="no row is left; 1 of 1"):
        sq.mse([NAN], [1.0], nan_policy="omit")
    with pytest.raises(DataError, match="nan_policy is 'drop'"):
        sq.mse(Y, P, nan_policy="drop")


@pytest.mark.parametrize(
    "make",
    [
        lambda values: np.ma.masked_array([*values, 7.0], mask=[False] * 4 + [True]),
        lambda values: pd.Series([*values, None]),
        lambda values: pd.array([*values, None], dtype="Float64"),
        lambda values: pl.Series([*values, None]),
        lambda values: [*values, None],
    ],
    ids=["masked", "pandas", "pandas NA", "polars", "None"],
)
def test_every_missing_value_is_understood(make: Any) -> None:
    assert sq.mse(make(Y), [*P, 3.0], nan_policy="omit_targets") == 5.0
    with pytest.raises(DataError, match="a missing target, the first at index 4"):
        sq.mse(make(Y), [*P, 3.0])


@pytest.mark.parametrize(
    "make",
    [
        list,
        tuple,
        np.array,
        pd.Series,
        pl.Series,
        pa.array,
        lambda v: [Decimal(str(x)) for x in v],
        lambda v: np.array(v, np.longdouble),
        pd.DataFrame,
    ],
    ids=["list", "tuple", "array", "pandas", "polars", "pyarrow", "Decimal", "longdouble", "frame"],
)
def test_every_array_is_taken(make: Any) -> None:
    assert sq.mse(make(Y), make(P)) == 5.0
    assert sq.mae(make(Y), P) == 1.5


@pytest.mark.parametrize("kind", [*"dfegbhilqBHILQ?O", ">f8", ">i4"])
def test_numbers_of_every_kind_have_the_same_answers(kind: str) -> None:
    """Three of seven errors are 1, and two of five by weight; the layout and the subclass do not matter."""
    y, p, w = (np.array(each, kind) for each in ([1, 0, 1, 1, 0, 1, 0], [1, 1, 0, 1, 0, 0, 0], [1, 1, 0, 1, 1, 1, 0]))
    wide = np.zeros((7, 2), kind)
    wide[:, 1] = p
    alone = p.copy()
    alone.flags.writeable = False
    for like_p in (p, alone, wide[:, 1], p[::-1].copy()[::-1], p.view(np.recarray), np.ma.array(p), p[:, None]):
        assert sq.mse(y, like_p) == sq.mae(y, like_p) == 3 / 7
        assert sq.mse(y, like_p, sample_weight=w) == sq.mae(like_p, y, sample_weight=w) == 2 / 5
        assert sq.medae(y, like_p) == 0.0


@pytest.mark.parametrize(
    ("y", "p", "w", "words"),
    [
        ([1.0, 2.0], [1.0], None, "y_true has 2 rows and y_pred 1"),
        ([1.0, 2.0], 1.0, None, r"y_true has shape \(2,\) and y_pred \(\)|y_pred"),
        ([], [], None, "has no rows"),
        ([1.0, NAN], [1.0, 2.0], None, "1 of 2 rows has a missing target, the first at index 1"),
        ([1.0, 2.0], [1.0, -INF], None, "an infinite prediction, the first at index 1"),
        ([1.0, 2.0], [1.0, 2j], None, "complex"),
        ([1.0, 2.0], ["2020-01-01", "2020-01-02"], None, "y_pred"),
        ([1.0, 2.0], [1.0, 2.0], [1.0, -1.0], "sample_weight at index 1 is -1.0"),
        ([1.0, 2.0], [1.0, 2.0], [NAN, 1.0], "sample_weight at index 0 is nan"),
        ([1.0, 2.0], [1.0, 2.0], [1.0], "sample_weight has 1 rows and y_true 2"),
        ([1.0, 2.0], [1.0, 2.0], [0.0, 0.0], "all 2 weights are 0"),
        ([1.0, 2.0], [1.0, 2.0], 1.0, "sample_weight"),
    ],
)
def test_arrays_are_refused_in_the_same_words(y: Any, p: Any, w: Any, words: str) -> None:
    for function in (sq.mse, sq.mape, sq.medae):
        with pytest.raises(DataError, match=words):
            function(np.array(y), np.array(p), sample_weight=None if w is None else np.array(w))


def test_masked_and_dated_rows_are_no_plain_numbers() -> None:
    with pytest.raises(DataError, match="a missing target, the first at index 3"):
        sq.mse(np.ma.array(Y, mask=[False, False, False, True]), np.array(P))
    with pytest.raises(DataError, match="y_pred"):
        sq.mse(np.array(Y), np.array(["2020-01-01"] * 4, "datetime64[D]"))


def test_a_longdouble_that_no_double_holds_is_refused() -> None:
    fine = np.array([1.0, 2.0], np.longdouble)
    if np.finfo(np.longdouble).nmant > 52:
        with pytest.raises(DataError, match="index 1"):
            sq.mse(fine + np.array([0, np.longdouble(2) ** -60]), fine)
    assert sq.mse(fine, fine) == 0.0


def test_integers_that_no_column_holds_are_refused_not_rounded() -> None:
    assert sq.mse([2**64, 1], [2**64, 3]) == 2.0
    with pytest.raises(DataError, match="y_true at index 0 holds a number that no float64 holds"):
        sq.mse([2**64 + 1, 1], [2**64, 3])
    with pytest.raises(DataError, match="index 0 holds a number that no float64 holds"):
        sq.mse([2**53 + 1, 0.5], [2**53, 0.5])
    assert sq.mse([Decimal(2**53 + 1), Decimal(0)], [Decimal(2**53), Decimal(0)]) == 0.5
    swapped = np.array([1.0, 2.0], ">f8")
    assert sq.evaluate(swapped, swapped.astype(">f4"))["mse"].value == 0.0


@pytest.mark.parametrize(
    ("keywords", "words"),
    [
        ({"multioutput": "mean"}, "multioutput is 'mean'"),
        ({"multioutput": "variance_weighted"}, "variance_weighted"),
        ({"multioutput": [0.5, 0.5, 0.5]}, "one number for each of the 2 outputs"),
        ({"multioutput": [1.0, -1.0]}, "sum is not 0"),
        ({"alpha": 0.3}, "no setting 'alpha'"),
    ],
)
def test_keywords_are_judged(keywords: dict[str, Any], words: str) -> None:
    y = np.array([Y, P]).T
    with pytest.raises(DataError, match=words):
        sq.mse(y, y, **keywords)


def test_settings_are_judged() -> None:
    for alpha in (-0.1, 1.1, NAN, "half", True):
        with pytest.raises(DataError, match="alpha is"):
            sq.mean_pinball_loss(Y, P, alpha=alpha)
    with pytest.raises(DataError, match="'variance', 'energy', 'mean_product', 'range'"):
        sq.nmse(Y, P, normalizer="std")
    with pytest.raises(DataError, match="a whole number of at least 0"):
        sq.adjusted_r2(Y, P, n_features=1.5)
    with pytest.raises(DataError, match="weights are for several"):
        sq.mse(Y, P, multioutput=np.array([0.5]))


def test_an_undefined_value_is_nan_and_says_so() -> None:
    with pytest.warns(UndefinedMetricWarning, match="pearson_correlation is nan: the target or the prediction is constant"):
        assert math.isnan(sq.pearson_correlation([1.0, 1.0], [1.0, 2.0]))
    with pytest.warns(UndefinedMetricWarning, match="no more than n_features"):
        assert math.isnan(sq.adjusted_r2([1.0, 2.0], [1.0, 2.0], n_features=1))


def test_functions_are_what_they_say() -> None:
    for metric in sq.METRICS.values():
        assert {getattr(sq, name) for name in (metric.name, *metric.aliases)} == {metric.function}
    assert pickle.loads(pickle.dumps(sq.rmse)) is sq.rmse
    assert sq.METRICS["mean_squared_error"](Y, P) == 5.0
    with pytest.raises(UnknownMetricError, match="Did you mean 'rmse'"):
        sq.PairState.of(Y, P).metric("rsme")
    assert sq.PairState.of(Y, P).metric("mean_pinball_loss", alpha=0.5) == 0.75


@pytest.mark.parametrize(
    "make",
    [pa.array, lambda v: pa.chunked_array([v]), pl.Series, lambda v: pd.array(v, dtype="Int64"), lambda v: pd.Series(v, dtype="Int64")],
    ids=["pyarrow", "chunked", "polars", "pandas array", "pandas series"],
)
def test_long_integers_beside_missing_values_do_not_round(make: Any) -> None:
    assert sq.mse(make([2**53 + 1, None, 0]), make([2**53, 1, 0]), nan_policy="omit") == 0.5


@pytest.mark.parametrize("absent", [None, NAN])
def test_a_bad_weight_is_bad_beside_a_missing_value_too(absent: float | None) -> None:
    with pytest.raises(DataError, match="sample_weight at index 0 is -1"):
        sq.mse([absent, 2, 3], [1.0, 2, 3], sample_weight=[-1, 1, 1], nan_policy="omit")
    with pytest.raises(DataError, match="sample_weight at index 2 is -1"):
        sq.mse([absent, 2, 3], [1.0, 2, 3], sample_weight=[1, 1, -1], nan_policy="omit")


def test_the_range_of_integers_that_no_double_holds_is_unknown_not_wrong() -> None:
    y = np.array([2**60, 2**60 + 1])
    assert math.isnan(sq.METRICS["normalized_mean_squared_error"].of(sq.PairState.of(y, y[::-1]), normalizer="range").value)
    assert sq.mse(y, y[::-1]) == 1.0


def test_a_distance_of_zero_is_zero() -> None:
    assert sq.kge([-3, -2, -2, 1], [-3, 2, -3, 2]) == 0.0


def test_states_may_be_summed_and_negated() -> None:
    states = [sq.PairState.of(Y, P), sq.PairState.of(P, Y)]
    assert sum(states) == states[0] + states[1]
    assert -states[0] + states[0] == sq.PairState()


def test_threads_may_share_a_state() -> None:
    y, p = np.arange(100_000.0), np.zeros(100_000)
    shared = sq.PairState()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: shared.update(y, p), range(40)))
    assert shared == sum(sq.PairState.of(y, p) for _ in range(40))


def test_variance_weights_do_not_overflow() -> None:
    y = np.array([[1e-200, 1e170], [2e-200, 2e170], [3e-200, 4e170]])
    p = y * 1.5
    raw = sq.r2_score(y, p, multioutput="raw_values")
    assert sq.r2_score(y, p, multioutput="variance_weighted") == pytest.approx(raw[1], rel=1e-15)


def test_huge_weights_of_outputs_do_not_overflow() -> None:
    y, p = [[1, 2], [3, 4]], [[1, 2], [3, 3]]
    assert sq.mse(y, p, multioutput=[1e308, 1e308]) == 0.25
    assert sq.mse(y, p, multioutput=[1, 3]) == 0.375


def test_an_array_is_no_policy_and_no_reduction() -> None:
    with pytest.raises(DataError, match=r"nan_policy is .* expected one of 'raise'"):
        sq.mse(Y, P, nan_policy=np.array(["raise", "omit"]))
    with pytest.raises(DataError, match="expected 'mean' or 'none'"):
        sq.mse(Y, P, reduction=np.array([1, 2]))


def test_settings_that_are_equal_but_of_different_types_are_told_apart() -> None:
    assert sq.mean_pinball_loss(Y, P, alpha=1.0) == sq.mean_pinball_loss(Y, P, alpha=1) == 0.0
    with pytest.raises(DataError, match="alpha is True"):
        sq.mean_pinball_loss(Y, P, alpha=True)
    assert math.isinf(sq.r2_score([1, 1], [1, 2], force_finite=False))
    with pytest.raises(DataError, match="force_finite is 0;"):
        sq.r2_score([1, 1], [1, 2], force_finite=0)


def test_losses_of_several_outputs_need_no_weights_of_outputs() -> None:
    y, p = [[1, 2], [3, 4]], [[1, 2], [3, 3]]
    assert sq.mse(y, p, reduction="none", multioutput=[1, 2]).tolist() == [[0, 0], [0, 1]]


def test_more_terms_or_columns_than_can_be_kept_are_refused_in_words() -> None:
    with pytest.raises(DataError, match="1,100 terms; at most 1,024"):
        sq.PairState(metrics=[f"huber(delta={delta})" for delta in range(1, 1101)])
    with pytest.raises(DataError, match=r"300 columns .* at most 250"):
        sq.PairState(metrics=[f"mase(scale='{column}')" for column in range(300)])
    for name in ("x" * 1001, "\\udc80"):
        with pytest.raises(DataError, match="its name is too long, or no text"):
            sq.PairState(metrics=f"mase(scale='{name}')")
    assert sq.PairState(metrics="mase(scale='a\xa0name')").plan.columns == ("a\xa0name",)
