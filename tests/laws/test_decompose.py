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


# --- repeated fits ------------------------------------------------------------------------------------------------

X = np.linspace(0, 1, 30)
TRUTH = np.sin(2 * np.pi * X)
SIGMA = 0.3


class Polynomial:
    """Least squares with powers of x."""

    def __init__(self, degree: int) -> None:
        self.degree = degree

    def fit(self, x: Array, y: Array) -> None:
        self.line = np.polynomial.Polynomial.fit(x, y, self.degree)

    def predict(self, x: Array) -> Array:
        return self.line(x)


def simulated(rng: np.random.Generator) -> tuple[Array, Array]:
    return X, TRUTH + SIGMA * rng.normal(size=len(X))


def closed_form(degree: int) -> tuple[float, float]:
    """Squared bias and variance by the hat matrix: the truth that fits miss, and sigma^2 times the share of parameters."""
    q, _ = np.linalg.qr(np.vander(2 * X - 1, degree + 1))
    missed = TRUTH - q @ (q.T @ TRUTH)
    return float(np.mean(missed**2)), SIGMA**2 * (degree + 1) / len(X)


@pytest.mark.parametrize(("degree", "published"), [(1, 0.315698), (3, 0.107551), (5, 0.108025), (9, 0.12), (15, 0.138)])
def test_repeated_fits_find_the_closed_form(degree: int, published: float) -> None:
    repeats = 600
    bias, variance = closed_form(degree)
    assert bias + variance + SIGMA**2 == pytest.approx(published, abs=1e-6)
    parts = sq.decompose_fits(lambda: Polynomial(degree), simulated, X, truth=TRUTH, noise=SIGMA**2, repeats=repeats)
    assert sum(parts[name].exact for name in parts) == Fraction(parts["noise"].exact) + parts["bias"].exact + parts["variance"].exact
    assert parts["noise"].value == SIGMA**2
    deviation = variance * np.sqrt(2 / (repeats * (degree + 1)))
    assert parts["variance"].value == pytest.approx(variance * (1 - 1 / repeats), abs=5 * deviation)
    assert parts["bias"].value == pytest.approx(bias + variance / repeats, abs=5 * (deviation + 2 * np.sqrt(bias * SIGMA**2 / (repeats * len(X)))))
    assert parts.total == pytest.approx(published, abs=8 * (deviation + np.sqrt(bias * SIGMA**2 / (repeats * len(X)))))


def test_replicates_tell_noise_from_bias() -> None:
    """Two targets at each point are enough: half their noise would be taken for bias (0.045) if it were not taken off."""
    points = np.linspace(0, 1, 3000)
    truth = np.sin(2 * np.pi * points)
    replicates = truth[:, None] + SIGMA * np.random.default_rng(1).normal(size=(len(points), 2))
    told = sq.decompose_fits(lambda: Polynomial(1), simulated, points, truth=truth, noise=SIGMA**2, repeats=50)
    found = sq.decompose_fits(lambda: Polynomial(1), simulated, points, replicates=replicates, repeats=50)
    assert found["noise"].value == pytest.approx(SIGMA**2, rel=5 * np.sqrt(2 / len(points)))
    assert found["bias"].value == pytest.approx(told["bias"].value, abs=5 * SIGMA * np.sqrt(2 * told["bias"].value / len(points)))
    assert found["variance"].exact == told["variance"].exact
    assert sum((found[name].exact for name in found), Fraction(0)) == found.splits["fits"].total


class Told:
    """A model that predicts what it was told."""

    def fit(self, _: Array, y: float) -> None:
        self.y = y

    def predict(self, x: Array) -> Array:
        return np.full(len(x), self.y)


@pytest.mark.parametrize("offset", [0.1, 1e8, 1.7e308])
def test_variance_of_fits_survives_a_large_bias(offset: float) -> None:
    told = [offset, offset, offset]
    still = iter(told)
    parts = sq.decompose_fits(Told, lambda _: (0, next(still)), [0.0], truth=[0.0], repeats=3)
    assert parts["variance"].exact == 0
    assert parts["bias"].exact == Fraction(offset) ** 2
    moving = iter([1e8, 1e8 + 0.5])
    parts = sq.decompose_fits(Told, lambda _: (0, next(moving)), [0.0, 1.0], truth=[0, 2], repeats=2)
    assert parts["variance"].exact == Fraction(1, 16)
    assert "-0" not in str(parts).split()


def test_fits_refuse_what_cannot_be_told() -> None:
    for settings, words in [
        ({}, "cannot tell noise from bias"),
        ({"truth": TRUTH, "replicates": np.ones((30, 2))}, "truth=.*or replicates="),
        ({"replicates": np.ones((30, 1))}, "two or more"),
        ({"replicates": np.ones((30, 2)), "noise": 0.1}, "tell it themselves"),
        ({"truth": TRUTH, "noise": -1.0}, "expected a variance"),
        ({"truth": TRUTH, "noise": float("nan")}, "expected a variance"),
        ({"truth": TRUTH[:7]}, "30 values for 7 points"),
        ({"truth": TRUTH, "repeats": 1}, "at least 2"),
        ({"truth": TRUTH, "repeats": True}, "repeats is True"),
        ({"truth": TRUTH, "repeats": "2"}, "repeats is '2'"),
        ({"truth": TRUTH, "noise": "1"}, "noise is '1'"),
        ({"truth": TRUTH, "noise": True}, "noise is True"),
        ({"truth": TRUTH, "seed": None}, "seed is None"),
        ({"truth": []}, "n >= 1"),
        ({"truth": ["a"]}, "truth"),
        ({"truth": [*TRUTH[:4], np.nan]}, "not finite at point 4"),
    ]:
        with pytest.raises(sq.errors.DataError, match=words):
            sq.decompose_fits(lambda: Polynomial(1), simulated, X, **settings)
