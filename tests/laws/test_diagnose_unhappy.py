"""Rows of which little can be said, and rows that doubles hardly hold: a diagnosis refuses them in words, or tells numbers, and never warns."""

from __future__ import annotations

import json
import math
import pickle
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import squarely as sq
from squarely.diagnose.checks import CHECKS
from squarely.errors import DataError

Array = Any
SIZES = (1, 2, 5, 20, 120)


def rows(kind: str, n: int) -> tuple[Array, Array]:
    rng = np.random.default_rng(n)
    at, y, e = np.arange(n), rng.normal(50, 10, n), rng.normal(size=n)
    extreme = np.where(at % 2, 1.7e308, -1.7e308)
    kinds: dict[str, Callable[[], tuple[Array, Array]]] = {
        "plain": lambda: (y, y + e),
        "constant targets": lambda: (np.full(n, 3.0), e),
        "constant predictions": lambda: (y, np.full(n, 3.0)),
        "constant": lambda: (np.full(n, 2.0), np.full(n, 3.0)),
        "perfect": lambda: (y, y),
        "zeros": lambda: (np.zeros(n), np.zeros(n)),
        "off by one": lambda: (y, y + 1),
        "one row off": lambda: (y, y + (at == n // 2)),
        "two errors": lambda: (y, y + np.where(at % 2, 1.0, -1.0)),
        "first half perfect": lambda: (y, np.where(at < n // 2, y, y + e)),
        "second half perfect": lambda: (y, np.where(at >= n // 2, y, y + e)),
        "labels": lambda: ((at % 2).astype(float), rng.random(n)),
        "no target": lambda: (np.full(n, np.nan), y),
        "no prediction": lambda: (y, np.full(n, np.nan)),
        "half the targets": lambda: (np.where(at % 2, np.nan, y), y + e),
        "infinite": lambda: (y, np.where(at % 5, y + e, np.inf)),
        "1e200": lambda: (y * 1e200, (y + e) * 1e200),
        "one of 1e200": lambda: (y, y + e + np.where(at == 1, 1e200, 0)),
        "1e100": lambda: (y * 1e100, (y + e) * 1e100),
        "1e60": lambda: (y * 1e60, (y + e) * 1e60),
        "1e-60": lambda: (y * 1e-60, (y + e) * 1e-60),
        "1e-200": lambda: (y * 1e-200, (y + e) * 1e-200),
        "subnormal": lambda: (at * 5e-324, at[::-1] * 5e-324),
        "the largest": lambda: (extreme, np.where(at % 3, 1.7e308, -1.7e308)),
        "the largest, perfect": lambda: (extreme, extreme),
        "every size": lambda: (10 ** rng.uniform(-200, 200, n), 10 ** rng.uniform(-200, 200, n)),
        "neighbours": lambda: (y, np.nextafter(y, np.where(at % 2, 100, -100))),
        "Cauchy": lambda: (y, y + rng.standard_cauchy(n)),
        "2^53": lambda: (2**53 + at, 2**53 + at + at % 3),
        "2^62": lambda: (2**62 + 7 * at, 2**62 + 7 * at + at % 3),
        "offset": lambda: (1e15 + np.round(y), 1e15 + np.round(y + e)),
    }
    return kinds[kind]()


KINDS = re.findall(r'^        "(.+)": lambda', Path(__file__).read_text(encoding="utf-8"), re.MULTILINE)


def settings(n: int, y: Array, p: Array) -> Iterator[dict[str, Any]]:
    rng, at = np.random.default_rng(1), np.arange(n)
    yield {}
    yield {"order": True}
    yield {"cluster": at // 7, "by": {"g": at % 4}}
    yield {"cluster": at}
    yield {"weight": rng.random(n), "by": {"g": at}}
    yield {"weight": (at % 3 == 0).astype(float)}
    yield {"weight": np.zeros(n)}
    yield {"weight": np.full(n, 1 / n)}
    yield {"weight": np.full(n, 1e-300)}
    yield {"weight": 10.0 ** rng.uniform(-300, 300, n), "by": {"g": at % 4}}
    yield {"weight": np.where(at == 0, 1.0, 1e-12), "cluster": at // 5}
    yield {"sigma": np.abs(rng.normal(size=n)) + 0.1, "order": True}
    yield {"sigma": np.where(at % 9, 1.0, 0.0)}
    yield {"sigma": 10.0 ** rng.uniform(-200, 200, n)}
    yield {"sigma": np.full(n, np.nan)}
    yield {"training": (y[::-1], p), "functional": "median", "nan_policy": "omit_targets"}


def judge(diagnosis: sq.Diagnosis) -> None:
    for finding in diagnosis:
        assert not math.isnan(finding.effect), finding.id
        assert finding.effect > (finding.threshold if finding.severity != "info" else CHECKS[finding.id].told if finding.because is None else 0)
    for checks in diagnosis.statistics.values():
        assert not any(math.isnan(numbers["effect"]) for numbers in checks.values())
    told = f"{diagnosis}\n{diagnosis.verdict}\n{diagnosis.to_markdown()}"
    assert [line for line in told.splitlines() if re.search(r"\bnan\b", line)] == []
    assert json.loads(json.dumps(diagnosis.to_dict(), allow_nan=False))["verdict"] == diagnosis.verdict
    assert len(diagnosis.to_frame()) == len(diagnosis)


def told_or_refused(*data: Any, **more: Any) -> bool:
    try:
        diagnosis = sq.diagnose(*data, **more)
    except DataError as refusal:
        return len(str(refusal)) > 20
    judge(diagnosis)
    return True


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("kind", KINDS)
def test_nothing_crashes_warns_or_tells_nan(kind: str, n: int) -> None:
    y, p = rows(kind, n)
    for more in list(settings(n, y, p))[:: 3 if n > 100 else 1]:
        assert told_or_refused(y, p, **more)
    assert told_or_refused(y, {"a": p, "b": p[::-1], "right": y})
    try:
        evaluation = sq.evaluate(y, p, nan_policy="omit")
    except DataError:
        return
    assert told_or_refused(evaluation)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5])
def test_of_few_rows_nothing_is_found(n: int) -> None:
    y, p = rows("plain", n)
    diagnosis = sq.diagnose(y, {"a": p, "b": p + 100}, order=True, training=(y, {"a": y + 0.01, "b": y + 0.01}))
    assert len(diagnosis) == 0
    assert {"SQ001", "SQ011", "SQ033", "SQ038", "SQ039"} <= diagnosis.not_testable.keys()


def test_a_perfect_model_has_no_fault() -> None:
    y, _ = rows("plain", 200)
    diagnosis = sq.diagnose(y, {"a": y, "b": y.copy()}, order=True)
    assert len(diagnosis) == 0
    assert diagnosis.not_testable["SQ001"] == "all errors are alike"


@pytest.mark.parametrize("kind", ["no target", "no prediction"])
def test_nothing_is_left(kind: str) -> None:
    with pytest.raises(DataError, match="no row is left"):
        sq.diagnose(*rows(kind, 30))


def test_one_of_two_models_says_nothing() -> None:
    y, p = rows("plain", 100)
    diagnosis = sq.diagnose(y, {"a": p + 5, "silent": p * np.nan})
    assert set(diagnosis.losses) == set(diagnosis.statistics) == {"a"}
    judge(diagnosis)


def test_integers_beyond_doubles_are_refused_in_words() -> None:
    y = 2**62 + 7 * np.arange(120)
    diagnosis = sq.diagnose(y, y + np.arange(120) % 3)
    assert len(diagnosis) == 0
    assert "subtract a constant" in diagnosis.not_testable["SQ001"]


def test_one_row_beyond_squares_is_not_left_out_in_silence() -> None:
    y, p = rows("one of 1e200", 120)
    reasons = sq.diagnose(y, p, order=True).not_testable
    assert {"SQ001", "SQ007", "SQ010", "SQ011", "SQ017", "SQ019", "SQ020", "SQ021"} <= reasons.keys()
    assert "beyond the range of doubles" in reasons["SQ017"]


def test_a_square_beyond_doubles_is_seen_behind_a_small_weight() -> None:
    y, p = rows("one of 1e200", 120)
    reasons = sq.diagnose(y, p, weight=np.where(np.arange(120) == 1, 1e-300, 1.0)).not_testable
    assert "beyond the range of doubles" in reasons["SQ017"]


def test_targets_keep_their_place_beside_sigma() -> None:
    y, p = rows("plain", 200)
    diagnosis = sq.diagnose(y, {"target": p, "order": p + 5}, sigma=np.ones(200))
    assert diagnosis.statistics["target"]["SQ001"]["mean_error"] == pytest.approx(float((p - y).mean()), rel=1e-12)
    for name in ("sigma", "y_true"):
        with pytest.raises(DataError, match="used twice"):
            sq.diagnose(y, {name: p}, sigma=np.ones(200))


@pytest.mark.parametrize(("gone", "severity"), [(1, "info"), (10, "info"), (11, "warning"), (501, "serious")])
def test_a_missing_row_is_told_and_many_are_a_warning(gone: int, severity: str) -> None:
    """Of 10,000 rows: from 0.1 % on they may change the MSE by 1 %."""
    rng = np.random.default_rng(3)
    p = rng.normal(size=10_000)
    y = p + rng.normal(size=10_000)
    y[:gone] = np.nan
    diagnosis = sq.diagnose(y, p)
    assert diagnosis["SQ032"].severity == severity
    assert ("SQ032" in diagnosis) == (severity != "info")
    assert ("Nothing is wrong" in diagnosis.verdict) == (severity == "info")
    assert f"{gone} of 10,000 rows have no target" in str(diagnosis)
    assert f"{gone} of 10,000 rows have no target" in diagnosis.to_markdown()
    assert f"{gone} of 10,000 rows have no target" in diagnosis.evaluation.to_html()


LONE = "a\ud800"  # a surrogate without its partner, which no file can hold and Python can


@pytest.mark.parametrize("library", ["pyarrow", "pandas", "polars"])
def test_a_lone_surrogate_is_told_as_an_escape(library: str) -> None:
    y, p = rows("plain", 120)
    by = {f"{LONE}g": np.array([LONE, "b"], object)[np.arange(120) % 2]}
    diagnosis, evaluation = sq.diagnose(y, {LONE: p + 3, "z": p + 9}, by=by), sq.evaluate(y, {LONE: p + 3, "z": p + 9}, by=by)
    for found in (diagnosis, evaluation, sq.compare(y, {LONE: p + 3, "z": p[::-1]}, metric="mse"), sq.slices(y, p, columns=by)):
        object.__setattr__(found, "_frame" if found is evaluation else "frame", library)
        told = found.to_frame()
        text = str(told.to_pylist() if library == "pyarrow" else told.to_dict(orient="list") if library == "pandas" else told.to_dicts())
        assert "a\\\\ud800" in text
        (str(found) + repr(found) + found.to_markdown() + json.dumps(found.to_dict())).encode()


HOSTILE = [
    "a'b\"c",
    "[red]x",
    "\x1b[31m",
    "\n",
    "<script>alert(1)</script>",
    "|",
    "```",
    "(",
    ",",
    "",
    "😀",
    "nan",
    "mse",
    "y_pred",
    "{x}",
    "%s",
    "=",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names(name: str) -> None:
    y, p = rows("plain", 120)
    table = {"yy": y, "pp": p + 3, name: np.arange(120) + 1.0}
    for more in ({"prediction": name}, {"sigma": name}, {"by": name}, {"cluster": name}, {"order": name}, {"weight": name}):
        diagnosis = sq.diagnose(table, **{"target": "yy", "prediction": "pp", **more})  # type: ignore[arg-type]
        assert diagnosis.statistics
        told = str(diagnosis) + diagnosis.to_markdown() + diagnosis.verdict
        assert "\x1b" not in told
        json.dumps(diagnosis.to_dict(), allow_nan=False)
        diagnosis.to_frame()
    several = sq.diagnose(y, {name: p + 3, "z": p + 9}, sigma=np.ones(120), by={"g": np.array([name, "b"])[np.arange(120) % 2]})
    assert set(several.statistics) == {name, "z"}
    assert "\x1b" not in str(several)
    assert "<script>" not in several.to_markdown()


def two() -> tuple[Array, Array]:
    rng = np.random.default_rng(0)
    y = rng.normal(size=(200, 3))
    return y, y + rng.normal(size=(200, 3)) * [1.0, 0.1, 5.0]


def test_outputs_are_the_long_table() -> None:
    y, p = two()
    w, sigma, cluster = np.arange(200) + 1.0, np.abs(p) + 1, np.arange(200) // 5
    long = {
        "y_true": y.ravel(),
        "y_pred": p.ravel(),
        "w": np.repeat(w, 3),
        "s": sigma.ravel(),
        "c": np.repeat(cluster, 3),
        "output": np.tile([0, 1, 2], 200),
    }
    expected = sq.diagnose(long, target="y_true", prediction="y_pred", weight="w", sigma="s", cluster="c", by="output").statistics
    found = sq.diagnose(y, p, weight=w, sigma=sigma, cluster=cluster)
    assert repr(found.statistics) == repr(expected)
    judge(found)
    assert repr(sq.diagnose(y.tolist(), p.tolist()).statistics) == repr(sq.diagnose(y, p).statistics)
    assert sq.diagnose(y, p, training=(y, p)).statistics["y_pred"]["SQ033"]["ratio"] == 1.0
    column = sq.diagnose(y[:, :1], p[:, 0])
    assert repr(column.statistics) == repr(sq.diagnose(y[:, 0], p[:, 0]).statistics)


def test_masked_outputs_are_missing() -> None:
    y, p = two()
    found = sq.diagnose(np.ma.masked_array(y, y > 1), p)
    assert found.statistics["y_pred"]["SQ032"]["missing"] == (y > 1).sum()


@pytest.mark.parametrize(
    ("data", "more", "words"),
    [
        (two(), {"order": True}, "order goes with arrays of one dimension"),
        (two(), {"by": np.arange(200)}, "by goes with arrays of one dimension"),
        (two(), {"sigma": np.ones(200)}, "same shape"),
        ((two()[0], two()[1][:, :2]), {}, "same shape"),
        (([[1.0, 2.0], [3.0]], [[1.0, 2.0], [3.0]]), {}, "no array"),
        ((np.ones((2, 2, 2)), np.ones((2, 2, 2))), {}, "has shape"),
        ((np.ones((3, 0)), np.ones((3, 0))), {}, "no rows"),
        (([], []), {}, "no rows"),
        ((1.0, 2.0), {}, "has shape"),
        (([1.0], {}), {}, "names no model"),
        (([1.0, 2.0], [1.0, 3.0]), {"training": 5}, "training is of type int"),
        (([1.0, 2.0], [1.0, 3.0]), {"training": ([1.0], [1.0], [1.0])}, "training is of type tuple"),
        (([1.0, 2.0], [1.0, 3.0]), {"sigma": "s"}, "holds 's'"),
        (([1.0, 2.0], [1.0, 3.0]), {"sigma": [1.0]}, "has 1"),
        (([1.0, 2.0], [1.0, 3.0]), {"weight": [-1.0, 1.0]}, "weight"),
        (([1.0, 2.0], [1.0, 3.0]), {"functional": 3}, "functional"),
        (([1.0, 2.0], [1.0, 3.0]), {"nan_policy": "propagate"}, "propagate"),
    ],
)
def test_refusals(data: tuple[Any, ...], more: dict[str, Any], words: str) -> None:
    with pytest.raises(DataError, match=words):
        sq.diagnose(*data, **more)


def test_evaluations_as_data() -> None:
    y, p = rows("plain", 300)
    rng = np.random.default_rng(3)
    for more in ({}, {"metrics": ["mae"]}, {"ci": "none"}, {"order": True}, {"by": {"output": np.arange(300) % 3}}, {"weight": rng.random(300)}):
        evaluation = sq.evaluate(y, p + 1, **more)
        diagnosis = sq.diagnose(evaluation)
        judge(diagnosis)
        mean = np.average(p + 1 - y, weights=more.get("weight"))  # type: ignore[arg-type]
        assert diagnosis.statistics["y_pred"]["SQ001"]["mean_error"] == pytest.approx(float(mean), rel=1e-9)
        judge(sq.diagnose(y, p, training=evaluation))
        assert str(pickle.loads(pickle.dumps(diagnosis))) == str(diagnosis)
        with pytest.raises(DataError, match="goes with data"):
            sq.diagnose(evaluation, sigma=np.ones(300))
    with pytest.raises(DataError, match="no model 'y_pred'"):
        sq.diagnose(y, p, training=sq.evaluate(y, {"q": p}))


def test_a_row_infinitely_far_off_is_an_outlier() -> None:
    y, _ = rows("plain", 200)
    p = y.copy()
    p[7] += 1
    numbers = sq.diagnose(y, p).statistics["y_pred"]["SQ021"]
    assert numbers["rows"] == 1
    assert numbers["largest_t"] > 1e6
    assert numbers["p_value"] < 1e-300
