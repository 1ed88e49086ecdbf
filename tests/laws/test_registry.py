"""Policies hold for any metric of the registry under any of its settings: weights, missing values, constant targets, shapes, bounds."""

from __future__ import annotations

import copy
import math
import pickle
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray
from pyarrow import parquet

import nasty
import oracle
import squarely as sq
from asking import answer, call, full
from squarely import METRICS, PairState, _core
from squarely.errors import DataError, StateError, UndefinedMetricWarning
from squarely.state import codec

Array = NDArray[Any]
ALL = oracle.questions()
ORDERED = ("last_value", "seasonal_naive")  # rules for rows in order of time
UNORDERED = [each for each in ALL if each[1].get("baseline") not in ORDERED]
QUESTIONS = pytest.mark.parametrize(("name", "parameters"), ALL)
WITHOUT_ORDER = pytest.mark.parametrize(("name", "parameters"), UNORDERED)
COUNTING = ("adjusted_r2_score", "ratio_of_performance_to_deviation")  # these take the sum of weights for the number of rows
SIZES = (
    "median_absolute_error",
    "median_absolute_scaled_error",
    "quantile_absolute_error",
    "trimmed_mean_squared_error",
    "winsorized_mean_squared_error",
)
HISTOGRAM = [each for each in ALL if each[0] in SIZES]
NAN = math.nan


def rows(n: int = 60, seed: int = 0) -> tuple[Array, Array, Array]:
    """Targets, predictions and weights that every domain takes."""
    rng = np.random.default_rng([seed, 12])
    y = rng.lognormal(1, 0.5, n)
    return y, y * rng.uniform(0.5, 1.5, n), rng.integers(1, 5, n).astype(float)


def same(a: Any, b: Any) -> bool:
    """Equal in every bit; nan is nan."""
    return bool(np.array_equal(np.asarray(a), np.asarray(b), equal_nan=True))


def arrays_of(name: str, settings: dict[str, Any]) -> dict[str, Array]:
    """The columns among settings."""
    return {key: each for key, each in settings.items() if key in METRICS[name].columns and np.ndim(each)}


# --- weights ------------------------------------------------------------------------------------------------------


@WITHOUT_ORDER
@pytest.mark.parametrize("bad", [NAN, math.inf, -math.inf, 1.7e308, -5.0])
@pytest.mark.parametrize("where", ["y_true", "y_pred", "everything"])
def test_a_row_of_weight_zero_is_absent(name: str, parameters: dict[str, Any], bad: float, where: str) -> None:
    """Whatever stands in it: what no sum takes, and what no domain has."""
    y, p, w = rows()
    settings = full(name, y, p, parameters)
    absent = np.zeros(len(y), bool)
    absent[[0, 7, 31, 59]] = True
    w[absent] = 0.0
    present = {**settings, **{key: each[~absent] for key, each in arrays_of(name, settings).items()}}
    expected = call(name, y[~absent], p[~absent], w[~absent], **present)
    spoiled = {**settings, **{key: each.copy() for key, each in arrays_of(name, settings).items()}}
    for values in (y, p, *arrays_of(name, spoiled).values()) if where == "everything" else (y,) if where == "y_true" else (p,):
        values[absent] = bad
    inputs = [spoiled.pop(each) for each in METRICS[name].inputs] or [p]
    assert same(METRICS[name](y, *inputs, sample_weight=w, **spoiled), expected)


@pytest.mark.parametrize("name", [name for name, metric in METRICS.items() if metric.pointwise])
@pytest.mark.parametrize("bad", [NAN, math.inf, 1.7e308])
def test_the_loss_of_a_row_of_weight_zero_is_zero(name: str, bad: float) -> None:
    y, p, w = rows()
    settings = full(name, y, p, {})
    w[3] = 0.0
    expected = call(name, y, p, w, reduction="none", **settings)
    y[3] = bad
    inputs = [settings.pop(each) for each in METRICS[name].inputs] or [p]
    assert expected[3] == 0.0
    assert same(METRICS[name](y, *inputs, sample_weight=w, reduction="none", **settings), expected)


@pytest.mark.parametrize(("name", "parameters"), [each for each in UNORDERED if each[0] not in COUNTING])
@pytest.mark.parametrize("factor", [3.0, 2.0**-600, 2.0**600])
def test_the_unit_of_weights_is_no_matter(name: str, parameters: dict[str, Any], factor: float) -> None:
    y, p, w = rows()
    assert same(answer(name, y, p, w * factor, **parameters).value, answer(name, y, p, w, **parameters).value)


@pytest.mark.parametrize(("name", "parameters"), HISTOGRAM)
@pytest.mark.parametrize("weights", [name for name in nasty.WEIGHTS if name != "none"])
@pytest.mark.parametrize("kind", ["normal", "huge_outlier", "huge_and_tiny"])
def test_counted_sizes_answer_near_the_rows_for_any_weights(name: str, parameters: dict[str, Any], weights: str, kind: str) -> None:
    """A state knows sizes to a relative 2^-8, so quantiles to that and squares to twice that, whatever the range of weights."""
    y, p = nasty.pair(kind)
    w = nasty.weight(weights)
    assert w is not None
    exact = call(name, y, p, w, **parameters)
    got = PairState.of(y, p, w, metrics=name).metric(name, **parameters)
    assert got == exact or got == pytest.approx(exact, rel=2.1 * 2.0**-8, abs=5e-324)
    assert PairState.of(y, p, w * 0.5, metrics=name).metric(name, **parameters) == pytest.approx(got, rel=1e-12)


@pytest.mark.parametrize("trim", [0.1, 0.5])
def test_an_error_beyond_every_double_can_be_trimmed_away(trim: float) -> None:
    y, p = np.arange(20.0), np.arange(20.0) + 1
    y[0], p[0] = 1.7e308, -1.7e308
    for name in ("trimmed_mse", "winsorized_mse"):
        exact = call(next(each for each in METRICS if name in METRICS[each].aliases), y, p, trim=trim)
        assert exact == 1.0
        assert PairState.of(y, p, metrics=name).metric(name, trim=trim) == pytest.approx(exact, rel=2.1 * 2.0**-8)


# --- missing values -----------------------------------------------------------------------------------------------


@QUESTIONS
@pytest.mark.parametrize("side", ["target", "prediction"])
@pytest.mark.parametrize("bad", [NAN, math.inf])
def test_missing_values_are_forgiven_on_demand_only(name: str, parameters: dict[str, Any], side: str, bad: float) -> None:
    y, p, w = rows()
    settings = full(name, y, p, parameters)
    kept = np.ones(len(y), bool)
    kept[[4, 20]] = False
    rest = {**settings, **{key: each[kept] for key, each in arrays_of(name, settings).items()}}
    if METRICS[name].inputs:
        if side == "prediction":
            return
        p = next(iter(arrays_of(name, settings).values()))
        p = p[:, 0] if p.ndim == 2 else p
    (y if side == "target" else p)[~kept] = bad
    expected = call(name, y[kept], p[kept], w[kept], **rest)
    assert same(call(name, y, p, w, nan_policy="omit", **settings), expected)
    assert math.isnan(call(name, y, p, w, nan_policy="propagate", **settings))
    with pytest.raises(DataError, match="the first at index 4"):
        call(name, y, p, w, **settings)
    if side == "target" and math.isnan(bad):
        assert same(call(name, y, p, w, nan_policy="omit_targets", **settings), expected)
    else:
        with pytest.raises(DataError, match="only nan_policy"):
            call(name, y, p, w, nan_policy="omit_targets", **settings)


@pytest.mark.parametrize("name", [name for name, metric in METRICS.items() if metric.answers_on_sums])
def test_a_model_that_fails_on_hard_rows_has_a_coverage_to_show(name: str) -> None:
    y, p, _ = rows()
    crashed = np.where(np.arange(len(y)) % 4 == 0, NAN, p)
    answer = sq.evaluate(y, crashed, metrics=[name], nan_policy="omit")[name]
    assert (answer.n, answer.coverage) == (45, 0.75)
    for policy in ("raise", "omit_targets"):
        with pytest.raises(DataError, match="15 of 60 rows have a missing prediction"):
            sq.evaluate(y, crashed, metrics=[name], nan_policy=policy)
    spoiled = sq.evaluate(y, crashed, metrics=[name], nan_policy="propagate")[name]
    assert math.isnan(spoiled.value)
    assert spoiled.reason == "15 rows have a missing or infinite value"


def test_a_baseline_that_skips_other_rows_is_no_baseline() -> None:
    """Both have four rows of five, and neither the same: the model that skips the hard one would look good."""
    data = {"y": [1.0, 2, 3, 4, 100], "model": [1.1, 2.2, 3.1, 4.2, NAN], "other": [NAN, 2.5, 3.5, 4.5, 90]}
    skill = "skill_score(baseline='other')"
    got = sq.evaluate(data, target="y", prediction=["model", "other"], nan_policy="omit", metrics=[skill])[skill, "model"]
    assert math.isnan(got.value)
    assert got.reason is not None
    assert "other rows" in got.reason


# --- constant targets ---------------------------------------------------------------------------------------------


@QUESTIONS
@pytest.mark.parametrize("n", [2, 3, 10, 100])
@pytest.mark.parametrize("value", [0.1, 1e9 + 0.1, 3e-300])
def test_constant_targets_are_decided_on_the_data(name: str, parameters: dict[str, Any], n: int, value: float) -> None:
    """n times 0.1 is no multiple of 0.1 in floating point, and one last bit makes the target vary."""
    if name == "d2_tweedie_score" and value < 1e-200:
        return  # the deviance of one last bit there is below every double
    y = np.full(n, value)
    p = value * np.linspace(1.5, 2, n)
    for varies in (False, True):
        y[-1] = math.nextafter(value, 0) if varies else value
        columns = full(name, y, p, parameters)
        got = answer(name, y, p, **columns)
        assert oracle.misses(name, got.value, y, p, **columns) <= 1, (varies, got)
        assert (got.reason is None) == (not math.isnan(got.value))


@pytest.mark.parametrize("name", [name for name, metric in METRICS.items() if metric.constant != "undefined"])
@pytest.mark.parametrize("n", [2, 3, 10, 100])
def test_scores_of_constant_targets_are_scikit_learns(name: str, n: int) -> None:
    y = np.full(n, 0.1)
    assert call(name, y, y) == 1.0
    assert call(name, y, np.linspace(0.2, 0.3, n)) == 0.0


# --- shapes -------------------------------------------------------------------------------------------------------

N = 6
WRONG = {
    "shorter": (N, N - 1),
    "one for all": (N, 1),
    "one target": (1, N),
    "a row": (N, (1, N)),
    "more outputs": ((N, 2), N),
    "one output for two": ((N, 2), (N, 1)),
    "outputs of another number": ((N, 2), (N, 3)),
    "transposed": ((N, 2), (2, N)),
    "numbers": ((), ()),
    "a number for all": (N, ()),
    "three axes": ((N, 2, 2), (N, 2, 2)),
    "no rows": (0, 0),
    "no outputs": ((N, 0), (N, 0)),
}


@pytest.mark.parametrize("name", METRICS)
@pytest.mark.parametrize("case", WRONG)
def test_nothing_is_stretched_to_fit(name: str, case: str) -> None:
    metric = METRICS[name]
    y, p = (np.ones(shape) for shape in WRONG[case])
    columns = arrays_of(name, full(name, np.ones(N), np.ones(N), {}))
    inputs = [columns.pop(each) for each in metric.inputs]
    if inputs:
        if case in ("more outputs", "outputs of another number", "transposed") and inputs[0].ndim == 2:
            return  # of k quantiles, not of predictions
        inputs[0] = p
    with pytest.raises(DataError):
        metric(y, *(inputs or [p]), **columns)


@pytest.mark.parametrize("name", METRICS)
@pytest.mark.parametrize("shape", [N - 1, N + 1, 1, (1, N), (N, 2), ()])
def test_weights_are_one_for_each_row(name: str, shape: Any) -> None:
    y, p, _ = rows(N)
    with pytest.raises(DataError, match="sample_weight"):
        call(name, y, p, np.ones(shape))


@pytest.mark.parametrize(("name", "column"), [(name, column) for name in METRICS for column in oracle.COLUMNS.get(name, {})])
@pytest.mark.parametrize("rows_more", [-1, 1, 1 - N])
def test_columns_have_a_number_for_each_row(name: str, column: str, rows_more: int) -> None:
    y, p, _ = rows(N)
    settings = full(name, y, p, {})
    settings[column] = np.ones((N + rows_more, *settings[column].shape[1:]))
    with pytest.raises(DataError, match="rows"):
        call(name, y, p, **settings)


# --- bounds -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "parameters"), [each for each in ALL if METRICS[each[0]].best is not None])
@pytest.mark.parametrize("kind", nasty.KINDS)
def test_no_data_are_better_than_the_best(name: str, parameters: dict[str, Any], kind: str) -> None:
    """Also where sums cancel and squares leave the range of doubles: R squared is never above 1, a loss never below 0."""
    metric = METRICS[name]
    assert metric.best is not None
    y, p = nasty.pair(kind, 60)
    if {"mean_product", "armstrong"} & set(parameters.values()):
        y, p = np.abs(y), np.abs(p)  # quotients of data above 0
    for weights in ("none", "extreme"):
        w = nasty.weight(weights, 60)
        for targets, predictions in ((y, p), (np.abs(y) + 1e-300, np.abs(p) + 1e-300), (y, y)):
            got = answer(name, targets, predictions, w, **parameters)
            if math.isnan(got.value):
                assert got.reason
            elif metric.direction != "target":
                assert {"lower": got.value >= metric.best, "higher": got.value <= metric.best}[metric.direction], got


# --- states that travel -------------------------------------------------------------------------------------------


def test_an_empty_state_keeps_what_it_will_be_asked() -> None:
    for travel in (lambda s: pickle.loads(pickle.dumps(s)), copy.copy, copy.deepcopy, lambda s: PairState.from_bytes(s.to_bytes())):
        state = travel(PairState(metrics=["mape", "medae"]))
        state.update([1.0, 2.0], [1.0, 3.0])
        assert state.metric("mape") == 0.25
        assert state.n == 2


def test_copies_are_apart() -> None:
    first = PairState.of([1.0], [2.0], metrics="mape")
    for second in (copy.copy(first), copy.deepcopy(first), sum([first])):
        second.update([5.0], [6.0])
        assert (first.n, second.n) == (1, 2)


def test_bodies_that_no_state_has_do_no_harm() -> None:
    """The checksum is right, the body is not: refused with a sentence, or read and then answered."""
    rng = np.random.default_rng(8)
    y, p, w = rows(40)
    asked = ["mape", "huber", "medae", "mase(scale='q')"]
    state = PairState.of(y, p, w, metrics=asked, q=y)
    body = codec.unwrap(codec.PAIRS, state.to_bytes())
    read = 0
    for _ in range(3000):
        spoiled = bytearray(body)
        for at in rng.integers(0, len(body), rng.integers(1, 4)):
            spoiled[at] = rng.choice([0, 1, 127, 128, 255, int(rng.integers(256))])
        try:
            found = PairState.from_bytes(codec.wrap(codec.PAIRS, bytes(spoiled)))
            found.to_bytes(), found - found
            for each in (*asked, "mse", "trimmed_mse", "max_error"):
                found.metric(each)
            read += 1
        except StateError:
            continue
    assert 0 < read < 3000
    assert _core.PairSums.parse(body).rows == 40


# --- exact quantiles ----------------------------------------------------------------------------------------------


def test_exact_quantiles_of_long_integers() -> None:
    y = 2**60 + np.random.default_rng(0).integers(0, 1000, 101)
    p = y + np.random.default_rng(1).permutation(np.arange(1, 102))
    assert sq.evaluate(y, p, metrics=["medae"], exact=True)["medae"].value == 51.0


def test_exact_quantiles_of_groups_whose_keys_are_written_alike() -> None:
    sizes = 1 + np.random.default_rng(5).random(81) * 0.007  # all in one bucket
    by = np.array([1] * 40 + ["1"] * 41, dtype=object)
    answer = sq.evaluate(np.zeros(81), sizes, by=by, metrics=["medae"], exact=True)["medae"]
    assert answer.value == answer.by["1"].value == np.median(sizes)


def test_exact_quantiles_of_files_whose_keys_are_written_alike(tmp_path: Any) -> None:
    sizes = 1 + np.random.default_rng(5).random(81) * 0.007
    for file, rows_of, key in (("a", sizes[:40], 1), ("b", sizes[40:], "1")):
        parquet.write_table(pa.table({"y": np.zeros(len(rows_of)), "p": rows_of, "g": [key] * len(rows_of)}), tmp_path / f"{file}.parquet")
    answer = sq.evaluate(tmp_path, target="y", prediction="p", by="g", metrics=["medae"], exact=True)["medae"]
    assert answer.value == answer.by["1"].value == np.median(sizes)


def test_exact_quantiles_travel_and_are_pooled() -> None:
    rng = np.random.default_rng(2)
    y, p = rng.normal(size=(2, 1000))
    evaluation = sq.evaluate(y, p, by=np.arange(1000) % 3, metrics=["medae"], exact=True)
    expected = np.median(np.abs(y - p))
    assert evaluation["medae"].value == expected
    assert evaluation.aggregate(macro="group")["medae"].pooled == expected
    assert pickle.loads(pickle.dumps(evaluation))["medae"].value == expected
    assert copy.deepcopy(evaluation)["medae"].value == expected


# --- reasons ------------------------------------------------------------------------------------------------------


@QUESTIONS
def test_an_undefined_value_is_told(name: str, parameters: dict[str, Any]) -> None:
    y, p = np.zeros(5), np.zeros(5)
    got = answer(name, y, p, **parameters)
    assert math.isnan(got.value) == bool(got.reason)
    columns = full(name, y, p, parameters)
    if math.isnan(got.value) and METRICS[name].constant == "undefined" and METRICS[name].forgiving_term is None:
        with pytest.raises(DataError, match=r"takes .* at index 0") if METRICS[name].domain else pytest.warns(UndefinedMetricWarning, match=name):
            call(name, y, p, **columns)
