"""Bias, variance and noise of a learner: closed forms of linear learners, and the law that parts add up to the mean of all squared errors."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeRegressor

import squarely as sq
from squarely.decompose.learner import cloned

Array = Any

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


def hat_of(degree: int) -> Array:
    q, _ = np.linalg.qr(np.vander(2 * X - 1, degree + 1))
    return q @ q.T


def closed_form(hat: Array, truth: Array, sigma: float) -> tuple[float, float]:
    """Squared bias and variance of predictions H y: what H misses of the truth, and sigma^2 tr(H H') / n."""
    return float(np.mean((truth - hat @ truth) ** 2)), sigma**2 * float(np.square(hat).sum()) / len(hat)


def is_near(found: sq.BiasVariance, bias: float, variance: float) -> bool:
    return all(abs(found[name].value - value) < 5 * found.se[name] for name, value in (("bias", bias), ("variance", variance)))


@pytest.mark.parametrize(("degree", "published"), [(1, 0.315698), (3, 0.107551), (5, 0.108025), (9, 0.12), (15, 0.138)])
def test_repeated_fits_find_the_closed_form(degree: int, published: float) -> None:
    bias, variance = closed_form(hat_of(degree), TRUTH, SIGMA)
    assert variance == pytest.approx(SIGMA**2 * (degree + 1) / len(X), rel=1e-12)
    assert bias + variance + SIGMA**2 == pytest.approx(published, abs=1e-6)
    found = sq.bias_variance(Polynomial(degree), simulated, X_test=X, truth=TRUTH, noise=SIGMA**2, repeats=600)
    assert found["noise"].exact == Fraction(SIGMA**2)
    assert is_near(found, bias, variance)
    assert abs(found.total - published) < 5 * found.se["total"]
    # of n independent directions with variance sigma^2 / n each: sd of their mean square over repeats
    assert found.se["variance"] == pytest.approx(SIGMA**2 / len(X) * np.sqrt(2 * (degree + 1) / 600), rel=0.25)


def test_ridge_and_nearest_neighbours_have_closed_forms() -> None:
    rng = np.random.default_rng(3)
    design, x = rng.normal(size=(40, 6)), np.sort(rng.random(60))[:, None]
    truth = design @ [1.0, -1, 0.5, 0, 0, 2] + design[:, 0] ** 2
    centred = design - design.mean(axis=0)
    ridge = centred @ np.linalg.solve(centred.T @ centred + 20 * np.eye(6), centred.T) + 1 / 40
    found = sq.bias_variance(
        Ridge(alpha=20.0), lambda g: (design, truth + 0.7 * g.normal(size=40)), X_test=design, truth=truth, noise=0.49, repeats=400
    )
    assert is_near(found, *closed_form(ridge, truth, 0.7))
    nearest = np.argsort(np.abs(x - x.T), axis=1)[:, :7]
    hat = np.zeros((60, 60))
    np.put_along_axis(hat, nearest, 1 / 7, axis=1)
    truth = np.cos(6 * x[:, 0])
    found = sq.bias_variance(KNeighborsRegressor(7), lambda g: (x, truth + 0.4 * g.normal(size=60)), X_test=x, truth=truth, noise=0.16, repeats=400)
    bias, variance = closed_form(hat, truth, 0.4)
    assert variance == pytest.approx(0.16 / 7, rel=1e-12)
    assert is_near(found, bias, variance)


def test_few_repeats_make_no_bias_of_variance() -> None:
    """The mean of two fits is off by half the variance: over many runs of two repeats the plain squared bias would be 0.045 too large."""
    runs = [sq.bias_variance(Polynomial(5), simulated, X_test=X, truth=TRUTH, repeats=2, seed=seed) for seed in range(300)]
    bias, variance = closed_form(hat_of(5), TRUTH, SIGMA)
    for name, expected in (("bias", bias), ("variance", variance)):
        values = np.array([run[name].value for run in runs])
        assert abs(values.mean() - expected) < 4 * values.std() / np.sqrt(300)
    assert min(run["bias"].value for run in runs) < 0  # what is right on average is below 0 now and then
    assert np.isnan(runs[0].se["variance"])


class Recorded(Polynomial):
    """Keeps what each fit predicts."""

    seen: list[Array]

    def __init__(self, degree: int, seen: list[Array]) -> None:
        self.degree, self.seen = degree, seen

    def __sklearn_clone__(self) -> Recorded:
        return Recorded(self.degree, self.seen)

    def predict(self, x: Array) -> Array:
        self.seen.append(self.line(x))
        return self.seen[-1]


@pytest.mark.parametrize("targets", [1, 3])
def test_parts_add_up_to_the_mean_of_all_squared_errors_exactly(targets: int) -> None:
    rng = np.random.default_rng(targets)
    y_test = (TRUTH[:, None] + SIGMA * rng.normal(size=(30, targets))).squeeze()
    seen: list[Array] = []
    found = sq.bias_variance(Recorded(2, seen), simulated, X_test=X, y_test=y_test, repeats=7)
    assert len(seen) == 7
    errors = [(Fraction(float(p)) - Fraction(float(y))) ** 2 for fit in seen for p, ys in zip(fit, y_test, strict=True) for y in np.atleast_1d(ys)]
    assert sum((found[name].exact for name in found), Fraction(0)) == sum(errors) / len(errors)
    assert found["variance"].value == pytest.approx(np.var(seen, axis=0, ddof=1).mean(), rel=1e-12)


def test_standard_errors_are_those_of_leaving_out_each_fit() -> None:
    seen: list[Array] = []
    found = sq.bias_variance(Recorded(2, seen), simulated, X_test=X, truth=TRUTH, repeats=9)

    def parts(fits: Array) -> Array:
        variance = fits.var(axis=0, ddof=1).mean()
        return np.array([np.mean((fits.mean(axis=0) - TRUTH) ** 2) - variance / len(fits), variance, np.mean((fits - TRUTH) ** 2)])

    left = np.array([parts(np.delete(seen, at, axis=0)) for at in range(9)])
    expected = np.sqrt(8 / 9 * np.square(left - left.mean(axis=0)).sum(axis=0))
    assert [found.se[name] for name in ("bias", "variance", "total")] == pytest.approx(expected.tolist(), rel=1e-9)


# --- noise is not bias --------------------------------------------------------------------------------------------


def test_noise_is_never_called_bias() -> None:
    """A straight line has no bias here: what mlxtend returns as avg_bias, the squared distance from y_test, is the noise of y_test."""
    rng = np.random.default_rng(5)
    x = np.linspace(0, 1, 2000)
    y_test = 2 * x + SIGMA * rng.normal(size=2000)
    seen: list[Array] = []
    line = Recorded(1, seen)

    def draw(g: np.random.Generator) -> tuple[Array, Array]:
        return x, 2 * x + SIGMA * g.normal(size=2000)

    found = sq.bias_variance(line, draw, X_test=x, y_test=y_test, repeats=40)
    avg_bias = np.mean((np.mean(seen, axis=0) - y_test) ** 2)  # mlxtend.evaluate.bias_variance_decomp, loss="mse"
    assert list(found) == ["bias and noise", "variance"]
    assert found["bias and noise"].value == pytest.approx(avg_bias, rel=1e-3)
    assert avg_bias == pytest.approx(SIGMA**2, rel=0.15)
    with pytest.raises(KeyError, match="bias and noise, variance"):
        found["bias"]
    assert "cannot tell bias from noise" in found.verdict
    told = sq.bias_variance(line, draw, X_test=x, y_test=y_test, noise=SIGMA**2, repeats=40)
    assert told["bias"].exact == found["bias and noise"].exact - Fraction(SIGMA**2)
    assert abs(told["bias"].value) < 5 * SIGMA**2 * np.sqrt(2 / 2000)
    assert (told.total, told["variance"].exact) == (found.total, found["variance"].exact)
    assert np.isnan(found.best_r2)
    assert told.best_r2 == pytest.approx(1 - SIGMA**2 / y_test.var(), rel=1e-12)


def test_replicates_tell_noise_from_bias() -> None:
    """Two targets at each point are enough: half their noise would be taken for bias (0.045) if it were not taken off."""
    points = np.linspace(0, 1, 3000)
    truth = np.sin(2 * np.pi * points)
    replicates = truth[:, None] + SIGMA * np.random.default_rng(1).normal(size=(len(points), 2))
    told = sq.bias_variance(Polynomial(1), simulated, X_test=points, truth=truth, noise=SIGMA**2, repeats=50)
    found = sq.bias_variance(Polynomial(1), simulated, X_test=points, y_test=replicates, repeats=50)
    assert found["noise"].value == pytest.approx(SIGMA**2, rel=5 * np.sqrt(2 / len(points)))
    assert found["bias"].value == pytest.approx(told["bias"].value, abs=5 * SIGMA * np.sqrt(2 * told["bias"].value / len(points)))
    assert found["variance"].exact == told["variance"].exact
    assert told.r2 == pytest.approx(1 - told.total / (truth.var() + SIGMA**2), rel=1e-12)
    assert found.r2 == pytest.approx(1 - found.total / replicates.var(), rel=1e-12)
    assert found.best_r2 == pytest.approx(1 - found["noise"].value / replicates.var(), rel=1e-12)


# --- the bootstrap ------------------------------------------------------------------------------------------------


def rows(n: int = 60) -> tuple[Array, Array]:
    rng = np.random.default_rng(11)
    x = rng.normal(size=(n, 3))
    return x, x @ [1.0, 2.0, 0.0] + rng.normal(size=n)


def test_rows_out_of_bag_are_predicted_by_fits_that_did_not_see_them() -> None:
    x, y = rows()
    found = sq.bias_variance(LinearRegression(), x, y, repeats=80, seed=4)
    rng, table = np.random.default_rng(4), np.full((60, 80), np.nan)
    for at in range(80):
        bag = rng.integers(60, size=60)
        out = ~np.isin(np.arange(60), bag)
        table[out, at] = LinearRegression().fit(x[bag], y[bag]).predict(x[out])
    variance = np.nanvar(table, axis=1, ddof=1)
    k = (~np.isnan(table)).sum(axis=1)
    np.testing.assert_array_equal(found.points.fits, k)
    np.testing.assert_allclose(found.points.mean, np.nanmean(table, axis=1), rtol=1e-12)
    np.testing.assert_allclose(found.points.variance, variance, rtol=1e-10)
    np.testing.assert_allclose(found.points.bias, np.nanmean(table, axis=1) - y, rtol=1e-10, atol=1e-12)
    assert found["variance"].value == pytest.approx(variance.mean(), rel=1e-12)
    assert found["bias and noise"].value == pytest.approx(np.mean((np.nanmean(table, axis=1) - y) ** 2 - variance / k), rel=1e-12)
    assert found.total == pytest.approx(np.nanmean((table - y[:, None]) ** 2, axis=1).mean(), rel=1e-12)

    def without(fit: int) -> Array:
        left = np.delete(table, fit, axis=1)
        s2 = np.nanvar(left, axis=1, ddof=1)
        return np.array([np.mean((np.nanmean(left, axis=1) - y) ** 2 - s2 / (~np.isnan(left)).sum(axis=1)), s2.mean()])

    away = np.array([without(at) for at in range(80)])
    expected = np.sqrt(79 / 80 * np.square(away - away.mean(axis=0)).sum(axis=0))
    assert [found.se["bias and noise"], found.se["variance"]] == pytest.approx(expected.tolist(), rel=1e-9)


def test_the_bootstrap_has_the_variance_of_the_sandwich() -> None:
    """That of least squares over samples of rows is, but for terms of 1 / n^2, White's covariance of the coefficients."""
    x, y = rows(200)
    design = np.column_stack([np.ones(200), x])
    residual = y - design @ np.linalg.lstsq(design, y, rcond=None)[0]
    inverse = np.linalg.inv(design.T @ design)
    covariance = inverse @ (design.T * residual**2) @ design @ inverse
    expected = np.einsum("ij,jk,ik->i", design, covariance, design).mean()
    found = sq.bias_variance(sq.linear.LinearRegression(), x, y, X_test=x, truth=x @ [1.0, 2.0, 0.0], repeats=400)
    assert found["variance"].value == pytest.approx(expected, abs=5 * found.se["variance"], rel=0.05)
    assert (found.points.fits == 400).all()  # rows that are given as test points are predicted by every fit
    other = sq.bias_variance(LinearRegression(), x, y, X_test=x, truth=x @ [1.0, 2.0, 0.0], repeats=400)
    assert [found[name].value for name in found] == pytest.approx([other[name].value for name in other], rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("kind", ["list", "pandas", "polars", "arrow", "sparse"])
def test_rows_of_every_kind_give_the_same_parts(kind: str) -> None:
    x, y = rows()
    names = ["a", "b", "c"]
    given = {
        "list": lambda: (x.tolist(), y.tolist()),
        "pandas": lambda: (pd.DataFrame(x, columns=names, index=range(100, 160)), pd.Series(y, index=range(60))),
        "polars": lambda: (pl.DataFrame(x, schema=names), pl.Series(y)),
        "arrow": lambda: (pa.table(dict(zip(names, x.T, strict=True))), pa.array(y)),
        "sparse": lambda: (scipy.sparse.coo_array(x), y),
    }[kind]()
    model = sq.linear.Ridge(alpha=3.0)
    found, known = (sq.bias_variance(model, *data, repeats=30) for data in (given, (x, y)))
    assert [found[name].exact for name in found] == [known[name].exact for name in known]
    assert type(found.to_frame()).__module__.split(".")[0] == {"pandas": "pandas", "polars": "polars"}.get(kind, "pyarrow")


def test_every_fit_begins_anew() -> None:
    x, y = rows()
    used = make_pipeline(StandardScaler(), Ridge(alpha=2.0)).fit(x, y)
    copy = cloned(used)
    assert copy.get_params()["ridge__alpha"] == 2.0
    assert not hasattr(copy[-1], "coef_")
    assert copy[-1] is not used[-1]
    before = used[-1].coef_.copy()
    sq.bias_variance(used, x, y, repeats=20)
    np.testing.assert_array_equal(used[-1].coef_, before)
    tree = sq.bias_variance(DecisionTreeRegressor(random_state=0), x, y, repeats=60)
    assert tree["variance"].value > 5 * sq.bias_variance(used, x, y, repeats=60)["variance"].value


class Told:
    """A model that predicts what it was told."""

    def fit(self, _: Array, y: Array) -> None:
        self.y = y[0]

    def predict(self, x: Array) -> Array:
        return np.full(len(x), self.y)


@pytest.mark.parametrize("offset", [0.1, 1e8, 1.7e308])
def test_variance_of_fits_survives_a_large_bias(offset: float) -> None:
    told = iter([offset, offset, offset])
    parts = sq.bias_variance(Told(), lambda _: ([0], [next(told)]), X_test=[0.0], truth=[0.0], repeats=3)
    assert parts["variance"].exact == 0
    assert parts["bias"].exact == Fraction(offset) ** 2
    moving = iter([1e8, 1e8 + 0.5])
    parts = sq.bias_variance(Told(), lambda _: ([0], [next(moving)]), X_test=[0.0, 1.0], truth=[0, 2], repeats=2)
    assert parts["variance"].exact == Fraction(1, 8)
    assert "-0" not in str(parts).split()


# --- what a reader sees -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("degree", "noise", "words"),
    [(1, 0.0, "richer model"), (15, 0.0, "Variance outweighs bias"), (3, SIGMA**2, "alike"), (3, 9.0, "Noise is most")],
)
def test_the_verdict_says_what_would_help(degree: int, noise: float, words: str) -> None:
    if words == "alike":  # a learner whose bias is its variance
        bias, variance = closed_form(hat_of(3), TRUTH, SIGMA)
        scale = np.sqrt(variance / bias)
        found = sq.bias_variance(Polynomial(3), lambda g: (X, scale * TRUTH + SIGMA * g.normal(size=30)), X_test=X, truth=scale * TRUTH, repeats=60)
    else:
        found = sq.bias_variance(Polynomial(degree), simulated, X_test=X, truth=TRUTH, noise=noise, repeats=60)
    assert words in found.verdict


def test_every_form_tells_the_same(tmp_path: Any) -> None:
    found = sq.bias_variance(Polynomial(3), simulated, X_test=X, truth=TRUTH, noise=SIGMA**2, repeats=50)
    text = str(found)
    assert text.startswith(found.verdict)
    assert [line.split("  ")[0] for line in text.splitlines()[2:7]] == ["part", "bias", "variance", "noise", "total"]
    assert f"{found['variance'].value:.4f}" in text  # to the digits that its standard error, 0.0014, lets stand
    assert 0.001 < found.se["variance"] < 0.002
    told = json.loads(json.dumps(found.to_dict()))
    assert told["parts"]["variance"] == {"value": found["variance"].value, "share": found["variance"].share, "se": found.se["variance"]}
    assert (told["repeats"], told["points"], told["verdict"]) == (50, 30, found.verdict)
    assert f"| variance | {found['variance'].value:.4f} |" in found.to_markdown()
    page = found.to_html(tmp_path / "page.html")
    assert (tmp_path / "page.html").read_text(encoding="utf-8") == page
    assert all(words in page for words in ("Bias and variance", "<svg", f"{found.total:.4f}"))
    assert ElementTree.fromstring(found.to_svg()).tag.endswith("svg")
    assert found.to_svg().count('class="band"') == 1  # points lie on a line
    assert found.to_frame().column_names == ["target", "mean", "bias", "variance", "fits"]
    plane = sq.bias_variance(LinearRegression(), *rows(), repeats=30)
    assert plane.to_svg().count('class="reach"') == 2  # the whiskers, and their key


def test_points_of_one_target_have_no_r2() -> None:
    found = sq.bias_variance(Polynomial(1), simulated, X_test=X, truth=np.zeros(30), repeats=5)
    assert np.isnan(found.r2)
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False))["r2"] is None


def test_fits_refuse_what_cannot_be_told() -> None:
    x, y = rows()
    for settings, words in [
        ({}, "give one of them"),
        ({"truth": TRUTH, "y_test": np.ones((30, 2))}, "give one of them"),
        ({"y_test": np.ones((30, 2)), "noise": 0.1}, "tell the noise themselves"),
        ({"truth": TRUTH, "noise": -1.0}, "expected a variance"),
        ({"truth": TRUTH, "noise": float("nan")}, "expected a variance"),
        ({"truth": TRUTH[:7]}, "targets at 7 points, and X_test has 30"),
        ({"truth": TRUTH, "repeats": 1}, "at least 2"),
        ({"truth": TRUTH, "repeats": True}, "repeats is True"),
        ({"truth": TRUTH, "repeats": "2"}, "repeats is '2'"),
        ({"truth": TRUTH, "noise": "1"}, "noise is '1'"),
        ({"truth": TRUTH, "noise": True}, "noise is True"),
        ({"truth": TRUTH, "seed": None}, "seed is None"),
        ({"truth": []}, "n >= 1"),
        ({"truth": ["a"]}, "truth"),
        ({"truth": [*TRUTH[:4], np.nan]}, "not finite at row 4"),
        ({"truth": TRUTH, "y": TRUTH}, "no place for y"),
    ]:
        with pytest.raises(sq.errors.DataError, match=words):
            sq.bias_variance(Polynomial(1), simulated, **{"X_test": X, **settings})
    for arguments, words in [
        ((Polynomial(1), simulated), "there is no X_test"),
        ((LinearRegression(), x), "there is no y"),
        ((LinearRegression(), x, y[:5]), "60 rows and y 5"),
        ((LinearRegression, x, y), "the class LinearRegression"),
        ((StandardScaler(), x, y), "without predict"),
    ]:
        with pytest.raises(sq.errors.DataError, match=words):
            sq.bias_variance(*arguments)
    with pytest.raises(sq.errors.DataError, match="out of the bag of 0 of 2 samples"):
        sq.bias_variance(LinearRegression(), x, y, repeats=2)
    with pytest.raises(sq.errors.DataError, match="not finite at row 0"):
        sq.bias_variance(Told(), lambda _: ([0], [np.nan]), X_test=[0.0], truth=[0.0], repeats=2)
    with pytest.raises(sq.errors.DataError, match="expected one for each"):
        sq.bias_variance(Short(), x, y)


class Short(Told):
    """A model that forgets a row."""

    def predict(self, x: Array) -> Array:
        return np.zeros(len(x) - 1)
