"""What must not matter, does not, for any metric of the registry under any of its settings: types, layout, order, parts, units.

The laws of states are in `test_state_is_a_group.py` and `test_kept.py`; here answers are held to them, bit for bit.
"""

from __future__ import annotations

import math
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from numpy.typing import NDArray

import nasty
import oracle
from asking import answer, call, full
from squarely import METRICS, PairState
from squarely.metric import find

Array = NDArray[Any]
ALL = oracle.questions()
ORDERED = ("last_value", "seasonal_naive")  # rules for rows in order of time
UNORDERED = [each for each in ALL if each[1].get("baseline") not in ORDERED]
QUESTIONS = pytest.mark.parametrize(("name", "parameters"), ALL)
WITHOUT_ORDER = pytest.mark.parametrize(("name", "parameters"), UNORDERED)
DEGREE = {"y^2": 2, "y": 1, "1": 0}
LENGTHS = ("delta", "beta", "c", "scale", "sigma", "period", "low", "high", "lower", "upper", "quantiles")  # what has the unit of y

SQUARES = ("mean_smooth_l1_loss", "root_mean_squared_circular_error")  # of the unit of y, from terms of its square
TWO_WAYS = ("d2_tweedie_score",)  # close numbers take a short way within 2^-300 to 2^300: terms beyond may differ in their rounding


def rows(n: int = 90, seed: int = 0) -> tuple[Array, Array, Array]:
    """Targets, predictions and weights that every domain takes, and that int8, float16 and bfloat16 hold."""
    rng = np.random.default_rng([seed, 11])
    y, p, w = (rng.integers(1, 80, n).astype(float) for _ in range(3))
    w[::9] = 0.0
    return y, p, w


def same(a: Any, b: Any) -> bool:
    """Equal in every bit; nan is nan."""
    return bool(np.array_equal(np.asarray(a), np.asarray(b), equal_nan=True))


# --- types --------------------------------------------------------------------------------------------------------

TYPES = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16", "float32", ml_dtypes.bfloat16, "longdouble", object]


@QUESTIONS
@pytest.mark.parametrize("dtype", TYPES, ids=str)
def test_types_of_targets_predictions_weights_and_columns(name: str, parameters: dict[str, Any], dtype: Any) -> None:
    y, p, w = rows()
    settings = full(name, y, p, parameters)
    arrays = {key: np.ceil(np.abs(each)) for key, each in settings.items() if key in METRICS[name].columns and np.ndim(each)}
    columns, typed = {**settings, **arrays}, {**settings, **{key: each.astype(dtype) for key, each in arrays.items()}}
    expected = call(name, y, p, w, **columns)
    assert same(call(name, y.astype(dtype), p.astype(dtype), w.astype(dtype), **typed), expected)
    assert same(call(name, y.astype(dtype), p, w, **columns), expected)


@QUESTIONS
def test_truth_values_are_numbers(name: str, parameters: dict[str, Any]) -> None:
    rng = np.random.default_rng(3)
    y, p = rng.random(50) < 0.5, rng.random(50) < 0.4
    columns = full(name, y, p, parameters)
    assert same(answer(name, y, p, y | p, **columns).value, answer(name, y * 1.0, p * 1.0, (y | p) * 1.0, **columns).value)


@QUESTIONS
@pytest.mark.parametrize("dtype", ["float16", "float32", ml_dtypes.bfloat16], ids=str)
@pytest.mark.parametrize("seed", range(4))
def test_values_a_few_last_places_apart(name: str, parameters: dict[str, Any], dtype: Any, seed: int) -> None:
    """Means and quantiles then lie between two numbers of the type."""
    rng = np.random.default_rng(seed)
    step = 2.0 ** -{"float16": 10, "float32": 23}.get(np.dtype(dtype).name, 7)
    y, p = ((1 + step * rng.integers(0, 9, 37)).astype(dtype) for _ in range(2))
    wide_y, wide_p = y.astype(float), p.astype(float)
    columns = full(name, wide_y, wide_p, parameters)
    assert same(answer(name, y, p, **columns).value, answer(name, wide_y, wide_p, **columns).value)


@QUESTIONS
@pytest.mark.parametrize("dtype", ["int64", "uint64"])
@pytest.mark.parametrize("weighted", [False, True])
def test_long_integers_a_few_units_apart(name: str, parameters: dict[str, Any], dtype: str, weighted: bool) -> None:
    """As doubles they would be one number."""
    if "circular" in name or name in oracle.COLUMNS or "range" in parameters.values():
        return  # angles beyond 2^53 are known to whole turns only, columns are read as doubles, and such a range is unknown
    rng = np.random.default_rng(4)
    y, p = ((2**60 + rng.integers(0, 60, 41)).astype(dtype) for _ in range(2))
    w = rows(41)[2] if weighted else None
    got = answer(name, y, p, w, **parameters)
    assert oracle.misses(name, got.value, y, p, w, **full(name, y, p, parameters)) <= 1, got


# --- layout -------------------------------------------------------------------------------------------------------


def views(a: Array) -> dict[str, Array]:
    """The same numbers, lying in memory in other ways."""
    wide = np.asfortranarray(np.stack([a, a, a], axis=-1))
    return {
        "every third": np.repeat(a, 3, axis=0)[1::3],
        "backwards": a[::-1].copy()[::-1],
        "of rows": np.ascontiguousarray(wide)[..., 1],
        "of columns": wide[..., 1],
        "frozen": np.frombuffer(a.tobytes(), a.dtype).reshape(a.shape),
        "big-endian": a.astype(a.dtype.newbyteorder(">")),
    }


@QUESTIONS
def test_layout_of_arrays_weights_and_columns(name: str, parameters: dict[str, Any]) -> None:
    y, p, w = rows()
    settings = full(name, y, p, parameters)
    columns = {key: each for key, each in settings.items() if np.ndim(each) and key in METRICS[name].columns}
    expected = call(name, y, p, w, **settings)
    others = {key: views(each) for key, each in columns.items()}
    weights, targets = views(w), views(y)
    for how, predictions in views(p).items():
        seen = {**settings, **{key: each[how] for key, each in others.items()}}
        assert same(call(name, targets[how], predictions, weights[how], **seen), expected), how


# --- order and parts ----------------------------------------------------------------------------------------------


@WITHOUT_ORDER
@pytest.mark.parametrize("kind", ["large_offset", "lognormal_3", "huge_and_tiny", "counts"])
def test_order_changes_no_bit(name: str, parameters: dict[str, Any], kind: str) -> None:
    y, p = map(np.abs, nasty.pair(kind))
    w = nasty.weight("lognormal")
    assert w is not None
    settings = full(name, y, p, parameters)
    expected = answer(name, y, p, w, **settings)
    for seed in range(2):
        order = np.random.default_rng(seed).permutation(len(y))
        moved = {key: each[order] if np.ndim(each) and key in METRICS[name].columns else each for key, each in settings.items()}
        assert same(answer(name, y[order], p[order], w[order], **moved).value, expected.value)


def named(name: str, parameters: dict[str, Any], y: Array, p: Array) -> tuple[str, dict[str, Array]]:
    """A metric as a state is asked for it, and the columns that it names."""
    settings: dict[str, Any] = {}
    columns: dict[str, Array] = {}
    for key, each in full(name, y, p, parameters).items():
        if key not in METRICS[name].columns or isinstance(each, str):
            settings[key] = each
        elif np.ndim(each) == 2:
            settings[key] = tuple(f"{key}{at}" for at in range(each.shape[1]))
            columns |= {f"{key}{at}": each[:, at] for at in range(each.shape[1])}
        else:
            settings[key], columns[key] = key, each
    label = ", ".join(f"{key}={value!r}" for key, value in settings.items()).replace("inf", "1e999")
    return f"{name}({label})", columns


def answered_by_states() -> list[tuple[str, dict[str, Any]]]:
    y, p, _ = rows()
    return [each for each in UNORDERED if not any(need.reads_rows for need in find(named(*each, y, p)[0]).needs)]


@pytest.mark.parametrize(("name", "parameters"), answered_by_states())
@pytest.mark.parametrize("kind", ["normal", "huge_and_tiny", "zeros"])
def test_parts_merge_and_are_taken_back(name: str, parameters: dict[str, Any], kind: str) -> None:
    y, p = map(np.abs, nasty.pair(kind))
    w = nasty.weight("integers_with_zeros")
    assert w is not None
    asked, columns = named(name, parameters, y, p)
    read = find(asked).plan.columns

    def state(rows: slice) -> PairState:
        return PairState.of(y[rows], p[rows], w[rows], metrics=asked, **{each: columns[each][rows] for each in read})

    whole, a, b, c = map(state, (slice(None), slice(0, 10), slice(10, 11), slice(11, None)))
    empty = PairState(metrics=asked)
    assert (a + b) + c == a + (b + c) == c + b + a == whole
    assert a + empty == empty + a == PairState() + a == a
    for merged in ((a + b) + c, c + (a + b)):
        assert merged.to_bytes() == whole.to_bytes()
        assert same(merged.metric(asked), whole.metric(asked))
    assert whole - (b + c) == a
    assert (whole - b) - c + b == a + b
    assert whole - whole == empty
    if not {"range"} & set(parameters.values()) and name != "max_error":  # extremes cannot be taken back
        assert same((whole - b - c).metric(asked), a.metric(asked))


# --- units --------------------------------------------------------------------------------------------------------


def scaled(settings: dict[str, Any], factor: float) -> dict[str, Any]:
    """Settings and columns in another unit of y."""
    return {key: value * factor if key in LENGTHS else value for key, value in settings.items()}


@pytest.mark.parametrize(("name", "parameters"), [each for each in ALL if METRICS[each[0]].unit in DEGREE])
@pytest.mark.parametrize("exponent", [-200, 200, -498, 498, -700, 700])
def test_units_near_the_ends_of_the_doubles(name: str, parameters: dict[str, Any], exponent: int) -> None:
    """2^498 is near 1e150: its square is a double still, and that of 2^700 is none; a quotient does not care."""
    y, p, w = rows()
    degree = DEGREE[METRICS[name].unit]
    if abs(exponent) > 500 and (degree == 2 or name in SQUARES):
        return
    settings = {**{key: each.default for key, each in METRICS[name].settings.items() if key in LENGTHS and each.default is not None}}
    settings |= full(name, y, p, parameters)
    before = answer(name, y, p, w, **settings)
    after = answer(name, np.ldexp(y, exponent), np.ldexp(p, exponent), w, **scaled(settings, 2.0**exponent))
    expected = math.ldexp(before.value, exponent * degree)
    if abs(exponent) > 200 and name in TWO_WAYS:
        assert abs(after.value - expected) <= 4 * math.ulp(expected), (before, after)
    else:
        assert same(after.value, expected), (before, after)


@QUESTIONS
@pytest.mark.parametrize("factor", [1e150, 1e-150])
def test_large_and_small_units_are_right(name: str, parameters: dict[str, Any], factor: float) -> None:
    y, p, w = rows(40)
    y, p = (np.floor(each / 2) * 2 + 1 for each in (y, p))  # odd: mpmath's logarithm errs on long numbers near a power of 2
    y, p = y * factor, p * factor
    columns = full(name, y, p, parameters)
    got = answer(name, y, p, w, **columns)
    assert oracle.misses(name, got.value, y, p, w, **columns) <= 1, got
