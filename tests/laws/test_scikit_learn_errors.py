"""Where scikit-learn refuses, squarely refuses; where it answers, squarely answers: but for a list of differences on purpose.

A case is a call of all functions that both libraries have. What scikit-learn says is asked, not written down; a difference that is
listed and is none fails too.
"""

from __future__ import annotations

import inspect
import math
import warnings
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import sklearn.metrics as peer

import squarely
from squarely.errors import DataError

NAN, INF = math.nan, math.inf
LEVELS = ("mean_pinball_loss", "d2_pinball_score")
SCORES = ("r2_score", "explained_variance_score")
D2 = ("d2_absolute_error_score", "d2_pinball_score")
WITH_KEYWORDS = ("mean_squared_error", "root_mean_squared_error", "mean_absolute_error", *LEVELS, *SCORES, "d2_absolute_error_score")
EVERY = (*WITH_KEYWORDS, "max_error")
ALL_BUT_R2 = tuple(name for name in WITH_KEYWORDS if name != "r2_score")

_RNG = np.random.default_rng(0)
Y = 5 + _RNG.normal(size=6)
P = Y + _RNG.normal(size=6)
W = _RNG.uniform(0.5, 2.0, 6)
YY = 5 + _RNG.normal(size=(6, 2))
PP = YY + _RNG.normal(size=(6, 2))
INDEX = list(range(6))


class Case(NamedTuple):
    """Arguments, made anew for each call, and the functions that take them."""

    make: Callable[[], tuple[Any, ...]]
    keywords: dict[str, Any]
    functions: tuple[str, ...]


def _with(array: Any, value: Any, at: Any = 0, kind: type = object) -> Any:
    """A copy of an array with one other value."""
    changed = np.array(array, kind)
    changed[at] = value
    return changed


CASES: dict[str, Case] = {}


def _add(name: str, make: Callable[[], tuple[Any, ...]], functions: tuple[str, ...] = EVERY, **keywords: Any) -> None:
    CASES[name] = Case(make, keywords, functions)


OUTPUT_MODES: dict[str, Any] = {
    "raw_values": "raw_values", "uniform_average": "uniform_average", "variance_weighted": "variance_weighted", "unknown": "mean",
    "in capitals": "RAW_VALUES", "a NumPy text": np.str_("raw_values"), "None": None, "an integer": 3, "a float": 0.5, "True": True,
    "a mapping": {}, "a set": {1, 2}, "bytes": b"raw_values", "a class": list, "too few weights": [1.0], "too many weights": [1.0, 2.0, 3.0],
    "no weights": [], "integer weights": [1, 2], "bool weights": [True, False], "a tuple of weights": (0.3, 0.7),
    "a series of weights": pd.Series([0.3, 0.7]), "weights as objects": np.array([0.3, 0.7], object), "a negative weight": [2.0, -1.0],
    "zero weights": [0.0, 0.0], "weights of sum zero": [1.0, -1.0], "a NaN weight": [NAN, 1.0], "an infinite weight": [INF, 1.0],
    "a missing weight": [None, 1.0], "text weights": ["a", "b"], "weights in a row": [[0.5, 0.5]], "weights in a column": [[0.5], [0.5]],
    "complex weights": [1j, 1.0],
}  # fmt: skip
for _name, _mode in OUTPUT_MODES.items():
    _add(f"two outputs, multioutput: {_name}", lambda: (YY, PP), WITH_KEYWORDS, multioutput=_mode)
    _add(f"one output, multioutput: {_name}", lambda: (Y, P), WITH_KEYWORDS, multioutput=_mode)
    _add(f"a column, multioutput: {_name}", lambda: (Y[:, None], P), WITH_KEYWORDS, multioutput=_mode)

SHAPES: dict[str, Callable[[], tuple[Any, Any]]] = {
    "(n,) and (m,)": lambda: (Y, P[:5]), "(n,) and (n, 1)": lambda: (Y, P[:, None]), "(n, 1) and (n,)": lambda: (Y[:, None], P),
    "(n, 1) and (n, 1)": lambda: (Y[:, None], P[:, None]), "(n, 2) and (n, 3)": lambda: (YY, np.c_[PP, P]), "(n, 2) and (n,)": lambda: (YY, P),
    "(n,) and (n, 2)": lambda: (Y, PP), "(n, 2) and (m, 2)": lambda: (YY, PP[:5]), "(n, 1) and (n, 2)": lambda: (Y[:, None], PP),
    "(1, n) and (n,)": lambda: (Y[None], P), "(n,) and (1,)": lambda: (Y, P[:1]), "0-d": lambda: (np.array(1.0), np.array(2.0)),
    "numbers": lambda: (1.0, 2.0), "a number and (n,)": lambda: (1.0, P), "3-d": lambda: (np.ones((2, 2, 2)), np.ones((2, 2, 2))),
    "(n, 1, 1)": lambda: (np.ones((6, 1, 1)), Y), "empty": lambda: ([], []), "(0, 2)": lambda: (np.empty((0, 2)), np.empty((0, 2))),
    "(n, 0)": lambda: (np.empty((6, 0)), np.empty((6, 0))), "ragged": lambda: ([[1, 2], [3]], [[1, 2], [3]]), "one row": lambda: ([1.0], [2.0]),
    "one row, two outputs": lambda: ([[1.0, 2.0]], [[2.0, 4.0]]), "no target": lambda: (None, P), "no prediction": lambda: (Y, None),
    "a text": lambda: ("abcdef", P), "bytes": lambda: (b"abcdef", P), "mappings": lambda: ({0: 1.0}, {0: 2.0}),
    "sets": lambda: ({1.0, 2.0}, {1.0, 2.0}), "a generator": lambda: ((value for value in Y), P), "a range": lambda: (range(6), P),
    "a memoryview": lambda: (memoryview(Y), P), "a matrix": lambda: (np.matrix(Y).T, P), "a tuple": lambda: (tuple(Y), P),
    "frames": lambda: (pd.DataFrame(YY), pd.DataFrame(PP)), "a frame and a series": lambda: (pd.DataFrame(Y), pd.Series(P)),
    "series of other indices": lambda: (pd.Series(Y, index=INDEX), pd.Series(P, index=INDEX[::-1])),
    "a sparse column": lambda: (scipy.sparse.csr_array(Y[:, None]), P), "three arrays": lambda: (Y, P, W),
}  # fmt: skip
for _name, _make in SHAPES.items():
    _add(f"shapes: {_name}", _make)

WEIGHTS: dict[str, Any] = {
    "ones": np.ones(6), "too short": W[:5], "too long": np.r_[W, 1.0], "empty": [], "one": [1.0], "two columns": np.c_[W, W],
    "a column": W[:, None], "a row": W[None], "a frame of one column": pd.DataFrame(W), "a number": 2.0, "an integer": 1, "0-d": np.array(2.0),
    "False": False, "a mapping": {0: 1.0}, "a text": "abcdef", "words": list("abcdef"), "numbers as text": ["1"] * 6, "complex": W + 0j,
    "None among them": [None, 1, 1, 1, 1, 1], "NaN": _with(W, NAN, kind=float), "infinite": _with(W, INF, kind=float),
    "negative": _with(W, -1.0, kind=float), "of sum zero": [1.0, -1.0] * 3, "all zero": np.zeros(6), "all negative zero": -np.zeros(6),
    "all zero but one": [1.0, 0, 0, 0, 0, 0], "with a zero": _with(W, 0.0, kind=float), "integers": np.arange(6), "bool": W > 1.0,
    "uint8": np.arange(6, dtype="u1"), "float32": W.astype("f4"), "objects": W.astype(object), "a tuple": tuple(W),
    "a series of another index": pd.Series(W, index=INDEX[::-1]), "masked": np.ma.masked_array(W, mask=[1, 0, 0, 0, 0, 0]),
}  # fmt: skip
for _name, _weights in WEIGHTS.items():
    _add(f"one output, weights: {_name}", lambda: (Y, P), WITH_KEYWORDS, sample_weight=_weights)
    _add(f"two outputs, weights: {_name}", lambda: (YY, PP), WITH_KEYWORDS, sample_weight=_weights)

VALUES: dict[str, Any] = {
    "NaN": NAN, "infinite": INF, "minus infinite": -INF, "None": None, "a word": "x", "a number as text": "1.5", "complex": 1 + 2j,
    "True": True, "2^70": 2**70, "10^400": 10**400, "a Decimal": Decimal("1.5"), "a Fraction": Fraction(3, 2), "NA": pd.NA, "NaT": pd.NaT,
    "a list": [1.0], "a date": np.datetime64("2020-01-01"), "bytes": b"1", "complex of no imaginary part": 1 + 0j,
}  # fmt: skip
for _name, _value in VALUES.items():
    _add(f"a target that is {_name}", lambda value=_value: ([value, *Y[1:].tolist()], P))
    _add(f"a prediction that is {_name}", lambda value=_value: (Y, [value, *P[1:].tolist()]))
    if _name != "a list":
        _add(f"a target among objects that is {_name}", lambda value=_value: (_with(Y, value), P))
        _add(f"one of two targets that is {_name}", lambda value=_value: (_with(YY, value, (1, 1)), PP), WITH_KEYWORDS)

KINDS: dict[str, Callable[[], Any]] = {
    "numbers as text": lambda: np.array(list("123456")), "numbers as text objects": lambda: np.array(list("123456"), object),
    "words": lambda: np.array(list("abcdef")), "bytes": lambda: np.array([b"1"] * 6), "dates": lambda: np.arange(6).astype("M8[D]"),
    "durations": lambda: np.arange(6).astype("m8[D]"), "complex": lambda: Y + 0j, "bool": lambda: Y > 5, "float16": lambda: Y.astype("f2"),
    "longdouble": lambda: Y.astype("g"), "void": lambda: np.zeros(6, "V8"), "records": lambda: np.zeros(6, [("a", "f8")]),
    "masked": lambda: np.ma.masked_array(Y, mask=[1, 0, 0, 0, 0, 0]), "nowhere masked": lambda: np.ma.masked_array(Y),
    "categories": lambda: pd.Categorical([1, 2, 3, 1, 2, 3]), "nullable integers": lambda: pd.Series(INDEX, dtype="Int64"),
    "nullable integers, one missing": lambda: pd.Series([*INDEX[1:], None], dtype="Int64"), "a series of text": lambda: pd.Series(["1"] * 6),
    "a series of dates": lambda: pd.Series(pd.date_range("2020", periods=6)), "an index": lambda: pd.Index(Y),
}  # fmt: skip
for _name, _of in KINDS.items():
    _add(f"targets of {_name}", lambda of=_of: (of(), P))
    _add(f"predictions of {_name}", lambda of=_of: (Y, of()))

ALPHAS: dict[str, Any] = {
    "0.3": 0.3, "0": 0, "1": 1, "-0.1": -0.1, "1.1": 1.1, "NaN": NAN, "infinite": INF, "text": "half", "None": None, "True": True,
    "False": False, "NumPy's True": np.True_, "a float32": np.float32(0.25), "a float64": np.float64(0.3), "an int64": np.int64(1),
    "a list": [0.5], "0-d": np.array(0.5), "an array": np.array([0.5]), "complex": 0.5 + 0j, "a Decimal": Decimal("0.5"),
    "a Fraction": Fraction(1, 2),
}  # fmt: skip
for _name, _alpha in ALPHAS.items():
    _add(f"alpha: {_name}", lambda: (Y, P), LEVELS, alpha=_alpha)
for _name, _finite in {"True": True, "NumPy's False": np.False_, "1": 1, "0": 0, "a float": 1.0, "text": "yes", "None": None}.items():
    _add(f"force_finite: {_name}", lambda: (Y, P), SCORES, force_finite=_finite)
_add("a keyword nobody knows", lambda: (Y, P), EVERY, squared=False)


class Difference(NamedTuple):
    """A difference on purpose, and why."""

    cases: tuple[str, ...]
    functions: tuple[str, ...]
    why: str


def _each(start: str, *names: str) -> tuple[str, ...]:
    return tuple(f"{start}{name}" for name in names)


_ONE, _TWO, _COLUMN = "one output, multioutput: ", "two outputs, multioutput: ", "a column, multioutput: "
_W1, _W2 = "one output, weights: ", "two outputs, weights: "
_OBJECT, _SECOND = "a target among objects that is ", "one of two targets that is "
_TEXT, _DATE = "text is no number", "a date is no number, and which one it would be depends on its unit"


def _both(*values: str) -> tuple[str, ...]:
    return _each("a target that is ", *values) + _each("a prediction that is ", *values)


def _both_of(*kinds: str) -> tuple[str, ...]:
    return _each("targets of ", *kinds) + _each("predictions of ", *kinds)


REFUSED_HERE = [
    Difference(_each(_W1, "negative") + _each(_W2, "negative"), WITH_KEYWORDS, "a negative weight makes means of no rows: MSE may be below 0"),
    Difference(_each(_W1, "masked") + _each(_W2, "masked"), WITH_KEYWORDS, "a mask hides a weight; scikit-learn reads what it hides"),
    Difference(_both_of("masked"), EVERY, "a masked value is missing; scikit-learn reads what the mask hides"),
    Difference(_each(_W1, "numbers as text") + _each(_W2, "numbers as text"), WITH_KEYWORDS, _TEXT),
    Difference(_both("a number as text", "bytes") + _each(_SECOND, "a number as text", "bytes"), WITH_KEYWORDS, _TEXT),
    Difference(_both_of("numbers as text", "bytes"), WITH_KEYWORDS, _TEXT),
    Difference(_each(_OBJECT, "a number as text", "bytes") + _both_of("numbers as text objects", "a series of text"), EVERY, _TEXT),
    Difference(_both("a date") + _each(_SECOND, "a date"), WITH_KEYWORDS, _DATE),
    Difference(_both_of("dates", "durations", "records", "a series of dates"), WITH_KEYWORDS, _DATE),
    Difference(_each(_OBJECT, "a date"), EVERY, _DATE),
    Difference(_each(_TWO, "a NaN weight", "an infinite weight"), ("root_mean_squared_error",), "scikit-learn's answer is nan"),
    Difference(_each(_ONE, "too few weights") + _each(_COLUMN, "too few weights"), ("root_mean_squared_error",), "all its other functions refuse it"),
    Difference(("alpha: True", "alpha: False"), LEVELS, "a truth value is no level"),
]
ANSWERED_HERE = [
    Difference(_each(_TWO, "None") + _each(_ONE, "None") + _each(_COLUMN, "None"), ALL_BUT_R2, "None is the default, as in r2_score"),
    Difference(("shapes: frames", "shapes: one row, two outputs"), ("max_error",), "it takes several outputs"),
    Difference(("shapes: a memoryview", "shapes: a matrix"), EVERY, "they are numbers in a row"),
    Difference(
        (*(f"{w}{kind}" for w in (_W1, _W2) for kind in ("a column", "a frame of one column")),),
        WITH_KEYWORDS,
        "a column is a vector, of weights too",
    ),
    Difference(_both("a Decimal"), ("max_error",), "a Decimal is a number, as in the other functions"),
    Difference(("alpha: a Fraction",), LEVELS, "a Fraction is a number between 0 and 1"),
]
OTHER_ANSWER = [
    Difference(
        _each(_W1, "all zero but one") + _each(_W2, "all zero but one"),
        ("r2_score", *D2),
        "a row of weight 0 is absent: one row is left, of which there is no score",
    ),
]


def _pairs(differences: list[Difference]) -> set[tuple[str, str]]:
    return {(case, name) for each in differences for case in each.cases for name in each.functions}


def outcome(function: Callable[..., Any], case: Case) -> Any:
    """What a call returns, or the error it raises."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return function(*case.make(), **case.keywords)
        except (ValueError, TypeError, ArithmeticError) as error:
            return error


@pytest.mark.parametrize("name", CASES)
def test_the_same_calls_are_refused(name: str) -> None:
    case = CASES[name]
    for function in case.functions:
        theirs, ours = outcome(getattr(peer, function), case), outcome(getattr(squarely, function), case)
        refused = isinstance(ours, Exception)
        if refused and name != "shapes: three arrays":
            assert isinstance(ours, DataError), (function, ours)
        if (name, function) in _pairs(REFUSED_HERE):
            assert refused, (function, theirs, ours)
            assert not isinstance(theirs, Exception), (function, theirs, ours)
        elif (name, function) in _pairs(ANSWERED_HERE):
            assert not refused, (function, theirs, ours)
            assert isinstance(theirs, Exception), (function, theirs, ours)
        else:
            assert refused == isinstance(theirs, Exception), (function, theirs, ours)
            if not refused:
                alike = np.shape(ours) == np.shape(theirs) and np.allclose(ours, theirs, rtol=1e-12, atol=1e-12, equal_nan=True)
                assert alike != ((name, function) in _pairs(OTHER_ANSWER)), (function, theirs, ours)


def test_the_lists_name_cases_that_exist() -> None:
    listed = _pairs(REFUSED_HERE + ANSWERED_HERE + OTHER_ANSWER)
    assert {(case, function) for case, function in listed if case not in CASES or function not in CASES[case].functions} == set()


def test_a_third_array_is_no_argument_of_either() -> None:
    for function in EVERY:
        for library in (peer, squarely):
            with pytest.raises(TypeError, match="positional argument"):
                getattr(library, function)(Y, P, W)


@pytest.mark.parametrize("name", EVERY)
def test_signatures_begin_as_scikit_learns(name: str) -> None:
    ours = list(inspect.signature(getattr(squarely, name)).parameters.values())
    theirs = list(inspect.signature(getattr(peer, name)).parameters.values())
    assert [(each.name, each.kind, each.default) for each in ours[: len(theirs)]] == [(each.name, each.kind, each.default) for each in theirs]
    assert {each.kind for each in ours[len(theirs) :]} == {inspect.Parameter.KEYWORD_ONLY}


@pytest.mark.parametrize("name", EVERY)
def test_arrays_may_be_named(name: str) -> None:
    assert getattr(squarely, name)(y_pred=P, y_true=Y) == getattr(squarely, name)(Y, P)
