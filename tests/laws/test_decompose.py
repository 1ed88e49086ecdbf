"""Parts add up to the mean squared error as fractions do, and are what their definitions say."""

from __future__ import annotations

import io
from fractions import Fraction
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from model_diagnostics import scoring
from sklearn.isotonic import IsotonicRegression

import squarely as sq

Array = Any
KINDS = ("theil", "bias_variance", "corp", "groups")


def rows(seed: int, n: int = 60) -> dict[str, Array]:
    rng = np.random.default_rng(seed)
    y = rng.normal(size=n) * 10.0 ** rng.integers(-3, 4)
    p = np.round(0.7 * y + rng.normal(size=n), 1)
    return {"y": y, "p": p, "w": rng.integers(1, 5, n).astype(float), "g": np.array(["a", "b", "c"])[rng.integers(0, 3, n)]}


NASTY = [
    rows(0),
    rows(1) | {"p": np.full(60, 3.5)},  # a constant prediction has no slope
    rows(2) | {"y": np.full(60, 1 / 3)},
    {"y": [1e9 + 0.1, 1e9 + 0.3, 1e9], "p": [1e9, 1e9 + 0.2, 1e9 + 0.1], "w": [1.0, 2.0, 0.5], "g": ["a", "a", "b"]},
    {"y": [1e-160, 3e-160], "p": [2e-160, 2e-160], "w": [1.0, 1.0], "g": ["a", "b"]},
    {"y": [5.0], "p": [2.0], "w": [3.0], "g": ["a"]},
    {"y": [2.0, 4.0], "p": [2.0, 4.0], "w": [1.0, 1.0], "g": ["a", "b"]},  # perfect
]


def decompose(data: dict[str, Array], kind: str, **more: Any) -> sq.Decomposition:
    return sq.decompose(data, target="y", prediction="p", weight="w", kind=kind, **({"by": "g"} if kind == "groups" else {}), **more)


def exact_mean(values: list[Fraction], weights: list[Fraction]) -> Fraction:
    return sum((v * w for v, w in zip(values, weights, strict=True)), Fraction(0)) / sum(weights)


def fractions(data: dict[str, Array]) -> tuple[list[Fraction], list[Fraction], list[Fraction]]:
    y, p, w = ([Fraction(float(value)) for value in data[name]] for name in "ypw")
    return y, p, w


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("data", NASTY)
def test_parts_add_up_to_the_error_exactly(data: dict[str, Array], kind: str) -> None:
    y, p, w = fractions(data)
    total = exact_mean([(a - b) ** 2 for a, b in zip(y, p, strict=True)], w)
    parts = decompose(data, kind)
    assert sum(parts[name].sign * parts[name].exact for name in parts) == total
    assert parts.total == sq.mse(data["y"], data["p"], sample_weight=data["w"])


@pytest.mark.parametrize("data", NASTY)
def test_parts_are_their_definitions(data: dict[str, Array]) -> None:
    y, p, w = fractions(data)
    e = [b - a for a, b in zip(y, p, strict=True)]
    bias = exact_mean(e, w)
    off_y, off_p = ([x - exact_mean(of, w) for x in of] for of in (y, p))
    spread, together = exact_mean([x * x for x in off_p], w), exact_mean([a * b for a, b in zip(off_y, off_p, strict=True)], w)
    b = together / spread if spread else Fraction(1)
    theil = decompose(data, "theil")
    assert theil["bias"].exact == bias**2
    assert theil["slope"].exact == spread * (1 - b) ** 2
    assert theil["scatter"].exact == exact_mean([(a - b * c) ** 2 for a, c in zip(off_y, off_p, strict=True)], w)
    assert decompose(data, "bias_variance")["variance"].exact == exact_mean([(x - bias) ** 2 for x in e], w)
    of_group = {g: [i for i, each in enumerate(data["g"]) if each == g] for g in data["g"]}
    means = {g: exact_mean([e[i] for i in at], [w[i] for i in at]) for g, at in of_group.items()}
    groups = decompose(data, "groups")
    assert groups["within"].exact == exact_mean([(x - means[g]) ** 2 for x, g in zip(e, data["g"], strict=True)], w)
    assert groups["between"].exact == exact_mean([(means[g] - bias) ** 2 for g in data["g"]], w)


@pytest.mark.parametrize("data", NASTY[:4])
def test_corp_recalibrates_as_isotonic_regression_does(data: dict[str, Array]) -> None:
    y, p, w = (np.asarray(data[name], float) for name in "ypw")
    best = IsotonicRegression().fit(p, y, sample_weight=w).predict(p)
    corp = decompose(data, "corp")
    mean = np.average(y, weights=w)
    scale = max(corp["uncertainty"].value, corp.total, 1e-9)
    assert corp["miscalibration"].value == pytest.approx(corp.total - np.average((y - best) ** 2, weights=w), abs=1e-9 * scale)
    assert corp["uncertainty"].value == pytest.approx(np.average((y - mean) ** 2, weights=w), abs=1e-9 * scale)
    assert corp["discrimination"].value == pytest.approx(np.average((y - mean) ** 2 - (y - best) ** 2, weights=w), abs=1e-9 * scale)
    assert all(corp[name].value >= -1e-12 * scale for name in corp)


def test_corp_agrees_with_model_diagnostics() -> None:
    data = rows(7, 500)
    theirs = scoring.decompose(data["y"], data["p"], weights=data["w"], scoring_function=scoring.SquaredError()).to_dicts()[0]
    ours = decompose(data, "corp")
    assert ours.total == pytest.approx(theirs["score"], rel=1e-12)
    for name in ours:
        assert ours[name].value == pytest.approx(theirs[name], rel=1e-9), name


@pytest.mark.parametrize(
    ("y", "p", "w", "expected"),
    [
        (
            1_700_000_000_000_000_000 + np.array([10, 200, 300, 50]),
            1_700_000_000_000_000_000 + np.array([20, 100, 350, 60]),
            None,
            (3175, 13550, 13550),
        ),
        ([0.1, 0.2, 0.3, 0.4], [1, 2, 3, 4], [5e-324] * 4, (6.075, 0.0125, 0.0125)),
        ([1, 2, 3], [1, 3, 2], [1e308] * 3, (0.5, 0.5, 2 / 3)),
        ([1, 2, 3], [-1.7e308, 1.7e308, 1e308], None, (np.inf, 0.5, 2 / 3)),
        ([1.7e308, 1.7e308, 1e308], [1, 2, 3], None, (np.inf, 0.0, np.inf)),
        ([1 / 3, 2 / 3, 0.1], [0.5] * 3, None, (0.017777777777777778, 0.0, 0.05407407407407407)),
    ],
)
def test_corp_of_numbers_that_doubles_can_hardly_hold(y: Array, p: Array, w: Array, expected: tuple[float, ...]) -> None:
    corp = sq.decompose(np.asarray(y), np.asarray(p), weight=w, kind="corp")
    assert [corp[name].value for name in corp] == pytest.approx(list(expected), rel=1e-12)
    assert all(corp[name].exact >= 0 for name in corp)


def test_recalibrated_predictions_need_no_recalibration() -> None:
    rng = np.random.default_rng(9)
    for _ in range(50):
        y = np.round(rng.normal(size=12), 2)
        fitted = IsotonicRegression().fit(np.arange(12), y).predict(np.arange(12))
        assert 0 <= sq.decompose(y, fitted, kind="corp")["miscalibration"].value < 1e-30


def test_every_way_to_give_the_data_gives_the_same_parts(tmp_path: Any) -> None:
    data = rows(3)
    table = pa.table({name: pa.array(values) for name, values in data.items()})
    path = tmp_path / "rows.csv"
    import pyarrow.csv

    pyarrow.csv.write_csv(table, path)
    for kind in KINDS:
        known = decompose(data, kind).to_dict()
        assert decompose(table, kind).to_dict() == known
        assert decompose(path, kind).to_dict() == known
        if kind != "groups":
            arrays = sq.decompose(data["y"], data["p"], weight=data["w"], kind=kind)
            assert list(arrays.to_dict()["models"].values()) == list(known["models"].values())
    stream = pa.ipc.open_stream(_stream(table))
    assert decompose(stream, "theil").to_dict() == decompose(data, "theil").to_dict()
    with pytest.raises(sq.errors.DataError, match="a stream is read once"):
        decompose(pa.ipc.open_stream(_stream(table)), "corp")


def _stream(table: pa.Table) -> io.BytesIO:
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    sink.seek(0)
    return sink


@pytest.mark.parametrize("kind", KINDS)
def test_rows_that_the_policy_leaves_out_count_nowhere(kind: str) -> None:
    data = rows(4)
    holes = {name: np.array(values, copy=True) for name, values in data.items()}
    holes["y"][3], holes["p"][5], holes["w"][7] = np.nan, np.inf, 0.0
    left = {name: np.delete(np.asarray(values), [3, 5, 7]) for name, values in data.items()}
    some, whole = decompose(holes, kind, nan_policy="omit"), decompose(left, kind)
    assert [some[name].exact for name in some] == [whole[name].exact for name in whole]
    assert (some.coverage, whole.coverage) == (57 / 59, 1.0)  # a weight of 0 does not count at all
    assert "57 of 59 rows" in str(some)
    with pytest.raises(sq.errors.DataError, match=r"missing|infinite|not finite"):
        decompose(holes, kind)
    with pytest.raises(sq.errors.DataError, match="propagate"):
        decompose(holes, kind, nan_policy="propagate")


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_without_rows_is_named(kind: str) -> None:
    data = {"y": [1.0, 2.0], "a": [np.nan, np.nan], "b": [1.0, 3.0], "g": ["u", "v"]}
    with pytest.raises(sq.errors.DataError, match="model 'a'"):
        sq.decompose(data, target="y", prediction=["b", "a"], kind=kind, nan_policy="omit", **({"by": "g"} if kind == "groups" else {}))


def test_several_models_stand_side_by_side() -> None:
    data = rows(5)
    both = sq.decompose(data | {"q": data["p"] + 1}, target="y", prediction=["p", "q"])
    assert both["bias"]["q"].value != both["bias"]["p"].value == sq.decompose(data, target="y", prediction="p")["bias"].value
    assert set(both.total) == {"p", "q"}
    assert "q" in str(both)


def test_wrong_questions_are_told_apart() -> None:
    y, p = [1.0, 2.0], [2.0, 1.0]
    for settings, words in [
        ({"kind": "magic"}, "'theil', 'bias_variance', 'corp', 'groups'"),
        ({"kind": ["theil"]}, "kind is"),
        ({"kind": "groups"}, "give by="),
        ({"by": ["a", "b"]}, "takes no groups"),
        ({"nan_policy": "drop"}, "nan_policy"),
    ]:
        with pytest.raises(sq.errors.DataError, match=words):
            sq.decompose(y, p, **settings)
    with pytest.raises(KeyError, match="bias, slope, scatter"):
        sq.decompose(y, p)["miscalibration"]
