"""Learning and validation curves: scikit-learn's scores of the same folds, closed forms of least squares, and what a verdict may say."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse
import scipy.stats
from sklearn import linear_model, model_selection
from sklearn.model_selection import GroupKFold, KFold, ShuffleSplit, TimeSeriesSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeRegressor

import squarely as sq
from squarely.curves import PowerLaw, Seen, Side
from squarely.curves.law import fitted, nearest
from squarely.curves.splits import splits_of, wider_for
from squarely.linear import ElasticNet, JamesStein, Lasso, LinearRegression, NonNegativeLeastSquares, Ridge, RidgeCV, poly
from squarely.state import GramState

Array = Any
RNG = np.random.default_rng(12)
X = RNG.normal(size=(143, 6)) * [1, 10, 0.1, 1, 1, 1] + [0, 3, 0, 0, 5, 0]
Y = X @ [1.0, 0.2, 3.0, 0, 0, -1] + RNG.normal(size=143)
SIZES = [12, 25, 60, 90]
SCORES = {"mse": "neg_mean_squared_error", "r2": "r2"}


def sides(curve: Any, metric: str) -> tuple[Array, Array]:
    return getattr(curve.training, f"fold_{metric}"), getattr(curve.validation, f"fold_{metric}")


def errors_of(scores: Array, metric: str) -> Array:
    return -scores if metric == "mse" else scores


class Plain:
    """A learner that nobody knows to be one of this library: it is fitted again for each step."""

    def __init__(self, model: Any) -> None:
        self.model = model

    def fit(self, x: Array, y: Array) -> None:
        self.model.fit(x, y)

    def predict(self, x: Array) -> Array:
        return self.model.predict(x)


# --- scikit-learn -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "folds",
    [KFold(5), KFold(4, shuffle=True, random_state=1), ShuffleSplit(3, random_state=2), [KFold(3)], GroupKFold(4)],
    ids=lambda each: str(each)[:20],
)
@pytest.mark.parametrize("metric", ["mse", "r2"])
@pytest.mark.parametrize("ours", [True, False])
def test_learning_curves_are_those_of_scikit_learn(folds: Any, metric: str, ours: bool) -> None:
    if isinstance(folds, list):
        folds = list(folds[0].split(X))
    elif isinstance(folds, GroupKFold):
        folds = list(folds.split(X, groups=np.arange(len(X)) % 9))
    peer = linear_model.LinearRegression()
    found = sq.learning_curve(LinearRegression() if ours else peer, X, Y, sizes=SIZES, folds=folds, seed=None)
    sizes, *scores = model_selection.learning_curve(peer, X, Y, train_sizes=SIZES, cv=folds, scoring=SCORES[metric])
    assert found.values == tuple(sizes)
    for mine, theirs in zip(sides(found, metric), scores, strict=True):
        np.testing.assert_allclose(mine, errors_of(theirs, metric), rtol=1e-12, atol=1e-12)


def test_shares_are_counted_as_scikit_learn_counts_them() -> None:
    shares = [0.1, 0.33, 0.5, 0.999, 1.0]
    found = sq.learning_curve(Ridge(), X, Y, sizes=shares, folds=4, seed=None)
    sizes, *scores = model_selection.learning_curve(linear_model.Ridge(), X, Y, train_sizes=shares, cv=KFold(4), scoring="r2")
    assert found.values == tuple(sizes)
    for mine, theirs in zip(sides(found, "r2"), scores, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-12, atol=1e-12)
    assert sq.learning_curve(Ridge(), X, Y).values == tuple(np.unique((np.geomspace(0.1, 1, 8) * 114).astype(int)))  # of 143 rows 29 validate


@pytest.mark.parametrize("metric", ["mse", "r2"])
@pytest.mark.parametrize(
    ("ours", "peer", "parameter", "values"),
    [
        (Ridge(), linear_model.Ridge(), "alpha", [0.1, 3.0, 200.0]),
        (Lasso(), linear_model.Lasso(tol=1e-12, max_iter=100_000), "alpha", [0.01, 0.3]),
        (ElasticNet(alpha=0.2), linear_model.ElasticNet(alpha=0.2, tol=1e-12, max_iter=100_000), "l1_ratio", [0.1, 0.9]),
        (LinearRegression(), linear_model.LinearRegression(), "fit_intercept", [True, False]),
        (DecisionTreeRegressor(random_state=0), DecisionTreeRegressor(random_state=0), "max_depth", [1, 3, None]),
        (make_pipeline(StandardScaler(), Ridge()), make_pipeline(StandardScaler(), linear_model.Ridge()), "ridge__alpha", [1.0, 30.0]),
    ],
    ids=lambda each: type(each).__name__,
)
def test_validation_curves_are_those_of_scikit_learn(metric: str, ours: Any, peer: Any, parameter: str, values: list[Any]) -> None:
    found = sq.validation_curve(ours, X, Y, parameter=parameter, values=values, folds=KFold(5), seed=None)
    scores = model_selection.validation_curve(peer, X, Y, param_name=parameter, param_range=values, cv=KFold(5), scoring=SCORES[metric])
    exact = not isinstance(ours, ElasticNet)  # coordinate descent of the peer ends somewhere near
    for mine, theirs in zip(sides(found, metric), scores, strict=True):
        np.testing.assert_allclose(mine, errors_of(theirs, metric), rtol=1e-12 if exact else 1e-7, atol=1e-12)


# --- states -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("folds", [5, ShuffleSplit(12, random_state=0), TimeSeriesSplit(3)], ids=["folds", "many", "time"])
@pytest.mark.parametrize(
    "model",
    [LinearRegression(), Ridge(alpha=4.0, fit_intercept=False), Lasso(alpha=0.1), ElasticNet(alpha=0.1), NonNegativeLeastSquares(), JamesStein()],
    ids=lambda each: type(each).__name__,
)
def test_sums_of_states_give_what_refits_give(model: Any, folds: Any) -> None:
    sizes = [10, 14, 35]
    quick, slow = (sq.learning_curve(each, X, Y, sizes=sizes, folds=folds) for each in (model, Plain(model)))
    for metric in ("mse", "r2"):
        for mine, theirs in zip(sides(quick, metric), sides(slow, metric), strict=True):
            np.testing.assert_allclose(mine, theirs, rtol=1e-11, atol=1e-13)


def test_other_parameters_on_the_same_rows_are_a_fit() -> None:
    frame = pd.DataFrame(X, columns=list("abcdef"))
    first = Ridge(alpha=2.0).fit(frame, Y)
    for parameters in ({"alpha": 30.0}, {"fit_intercept": False}):
        again, known = first.refitted(**parameters), Ridge(**{"alpha": 2.0, **parameters}).fit(frame, Y)
        assert again.get_params() == known.get_params()
        np.testing.assert_array_equal(again.coef_, known.coef_)
        np.testing.assert_array_equal(again.predict(frame), known.predict(frame))
    assert first.alpha == 2.0


@pytest.mark.parametrize("kind", ["list", "pandas", "polars", "sparse"])
def test_features_of_every_kind(kind: str) -> None:
    names = list("abcdef")
    data = {"list": X.tolist, "pandas": lambda: pd.DataFrame(X, columns=names, index=range(7, 150)), "polars": lambda: pl.DataFrame(X, schema=names)}
    given = scipy.sparse.csr_array(X) if kind == "sparse" else data[kind]()
    found, known = (sq.learning_curve(Ridge(), each, Y, sizes=SIZES) for each in (given, X))
    np.testing.assert_array_equal(found.validation.fold_mse, known.validation.fold_mse)
    assert type(found.to_frame()).__module__.split(".")[0] == {"pandas": "pandas", "polars": "polars"}.get(kind, "pyarrow")
    if kind == "pandas":
        terms = LinearRegression(features=["b", poly("a", 2)])
        quick, slow = (sq.learning_curve(each, given, Y, sizes=SIZES) for each in (terms, Plain(terms)))
        np.testing.assert_allclose(quick.validation.fold_mse, slow.validation.fold_mse, rtol=1e-11)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many rows each state was made of."""
    rows: list[int] = []
    add = GramState.add_design

    def counted(self: GramState, features: Any, y: Any, sample_weight: Any = None) -> GramState:
        rows.append(features.rows)
        return add(self, features, y, sample_weight)

    monkeypatch.setattr(GramState, "add_design", counted)
    return rows


def test_rows_are_read_once(read: list[int]) -> None:
    x, y = np.tile(X, (200, 1)), np.tile(Y, 200)
    sq.learning_curve(Ridge(), x, y, sizes=np.linspace(0.1, 1, 10), folds=5)
    assert sum(read) == len(x)
    read.clear()
    sq.validation_curve(Ridge(), X, Y, parameter="alpha", values=np.geomspace(0.1, 10, 30), folds=5)
    assert sum(read) == len(X)
    assert len(read) <= 10  # folds, and what the larger of them have more
    read.clear()
    sq.learning_curve(Ridge(), X, Y, folds=ShuffleSplit(12, random_state=0))  # rows that do the same in every split are few
    assert sum(read) == 12 * len(X)
    read.clear()
    terms = [["x0"], ["x0", poly("x1", 2)]]
    frame = pd.DataFrame(X, columns=[f"x{at}" for at in range(6)])
    found = sq.validation_curve(LinearRegression(), frame, Y, parameter="features", values=terms, folds=2)  # other features, other states
    assert found.validation.mse[0] > found.validation.mse[1]
    read.clear()
    sq.learning_curve(RidgeCV(cv=3), X, Y, sizes=[30, 60], folds=2)  # it makes folds of its rows: refits
    assert sum(read) == 0


def test_targets_beyond_doubles_and_far_from_0_lose_nothing() -> None:
    """Y / 2^20 in units beyond 2^53, and an offset of 2^40: sums of squares in doubles would have no digit left."""
    near = np.round(Y * 2**20).astype(np.int64)
    x = np.round(X * 2**10) / 2**10
    found, known = (sq.learning_curve(LinearRegression(), x, y, sizes=SIZES) for y in (near + 2**57, near))
    np.testing.assert_allclose(found.validation.fold_mse, known.validation.fold_mse, rtol=1e-3)  # the intercept is a double: 2^57 leaves units of 16
    far = sq.learning_curve(LinearRegression(), x, near / 2**20 + 2.0**24, sizes=SIZES)
    np.testing.assert_allclose(far.validation.fold_mse, known.validation.fold_mse / 2**40, rtol=1e-7)
    np.testing.assert_allclose(far.validation.fold_r2, known.validation.fold_r2, rtol=1e-7)


# --- theory -------------------------------------------------------------------------------------------------------

RUNS, FEATURES, ROWS = 250, 4, 60


@pytest.fixture(scope="module")
def simulated() -> list[Any]:
    """Learning curves of least squares with normal features and noise of variance 1."""
    curves = []
    for run in range(RUNS):
        rng = np.random.default_rng(run)
        x = rng.normal(size=(ROWS, FEATURES))
        curves.append(sq.learning_curve(LinearRegression(), x, x.sum(axis=1) + rng.normal(size=ROWS), sizes=[12, 20, 45], folds=4, seed=run))
    return curves


def test_least_squares_has_its_closed_form(simulated: list[Any]) -> None:
    """With p normal features and an intercept training is (n - p - 1) / n, and validation (n + 1) (n - 2) / (n (n - p - 2))."""
    for at, n in enumerate([12, 20, 45]):
        for side, expected in (("training", (n - FEATURES - 1) / n), ("validation", (n + 1) * (n - 2) / n / (n - FEATURES - 2))):
            values = np.array([getattr(curve, side).mse[at] for curve in simulated])
            assert abs(values.mean() - expected) < 4.5 * values.std() / np.sqrt(RUNS), (side, n)


def test_intervals_hold_the_expected_error(simulated: list[Any]) -> None:
    expected = np.array([(n + 1) * (n - 2) / n / (n - FEATURES - 2) for n in (12, 20, 45)])
    ends = np.array([curve.validation.interval("mse") for curve in simulated])
    held = ((ends[:, 0] <= expected) & (expected <= ends[:, 1])).mean(axis=0)
    assert held[0] > 0.8, held  # 12 rows for 5 coefficients, where fits of some folds are far worse than those of others
    assert (held[1:] > 0.91).all(), held


def test_the_whole_is_that_of_all_rows_that_validate() -> None:
    found = sq.validation_curve(linear_model.Ridge(), X, Y, parameter="alpha", values=[1.0], folds=4, seed=None)
    p = model_selection.cross_val_predict(linear_model.Ridge(), X, Y, cv=KFold(4))
    assert found.validation.mse[0] == sq.mse(Y, p)
    assert found.validation.rmse[0] == pytest.approx(sq.rmse(Y, p), rel=1e-15)
    assert found.validation.r2[0] == sq.r2(Y, p)
    low, high = found.validation.interval("rmse")
    np.testing.assert_allclose((low**2, high**2), found.validation.interval("mse"), rtol=1e-14)
    assert low[0] < found.validation.rmse[0] < high[0]


def test_intervals_are_those_of_blocks_that_are_folds() -> None:
    """The jackknife over folds is the library's over clusters, where each row's fold is its cluster."""
    found = sq.validation_curve(linear_model.Ridge(), X, Y, parameter="alpha", values=[1.0], folds=6, seed=None, confidence=0.9)
    p = model_selection.cross_val_predict(linear_model.Ridge(), X, Y, cv=KFold(6))
    fold = np.repeat(np.arange(6), [len(test) for _, test in KFold(6).split(X)])
    data = {"y": Y, "p": p, "fold": fold}
    peer = sq.evaluate(data, target="y", prediction="p", metrics=["mse", "r2"], cluster="fold", confidence=0.9)
    for metric in ("mse", "r2"):
        assert [float(end[0]) for end in found.validation.interval(metric)] == pytest.approx(list(peer[metric].ci), rel=1e-9)


# --- leakage ------------------------------------------------------------------------------------------------------


def test_rows_that_validate_again_and_again_make_nothing_sure() -> None:
    """Of a learner whose expected error is known, the mean of 40 normal targets: 1 + 1 / 30 with 30 of them."""
    held = []
    for seed in range(300):
        y = np.random.default_rng(seed).normal(size=40)
        splits = splits_of(ShuffleSplit(24, test_size=10, random_state=seed), 0, y[:, None], y, 40)
        seen = tuple(Seen.of(y[split.test], np.full(10, y[split.train].mean())) for split in splits)
        (low,), (high,) = Side((seen,), 0.95, wider_for(splits)).interval("mse")
        held.append(low <= 1 + 1 / 30 <= high)
    assert 0.9 < np.mean(held) < 0.99


def test_intervals_are_wider_by_the_rule_of_nadeau_and_bengio() -> None:
    again = model_selection.RepeatedKFold(n_splits=4, n_repeats=3, random_state=0)
    shared, apart = (tuple(splits_of(folds, 0, X, Y, 143)) for folds in (again, KFold(4)))
    assert wider_for(apart) == 1
    assert wider_for(shared) == pytest.approx((1 + 12 * (143 / 4) / (143 * 3 / 4)) ** 0.5)
    found = sq.validation_curve(Ridge(), X, Y, parameter="alpha", values=np.geomspace(0.01, 1e5, 60), folds=again)
    errors = found.validation.fold_mse
    best = errors[found.values.index(found.best)]
    statistics = [scipy.stats.ttest_rel(each, best).statistic / wider_for(shared) for each in errors]
    reach = scipy.stats.t.ppf(0.975, 11)
    assert found.alike == tuple(v for v, t in zip(found.values, statistics, strict=True) if v != found.best and not t > reach)
    few = sq.validation_curve(Ridge(), X, Y, parameter="alpha", values=[1.0], folds=again).validation
    plain = Side(few.seen, few.confidence)
    (low, high), (narrow, near) = (np.log(np.ravel(side.interval("rmse"))) for side in (few, plain))
    assert (high - low) / (near - narrow) == pytest.approx(wider_for(shared), rel=0.2)  # the cubic against skewness bends a little
    assert "times as wide, for rows validate in several" in str(found)
    law = sq.learning_curve(LinearRegression(), X, Y, folds=again)
    assert law.validation.wider == wider_for(shared)


def test_targets_that_do_not_vary_are_drawn_without_r2() -> None:
    found = sq.learning_curve(LinearRegression(), X, np.ones(143))
    assert np.isnan(found.validation.r2).all()
    assert "Below" not in str(found)


def test_no_row_that_validates_is_seen_before() -> None:
    """A learner that knows rows by heart is right on those it was trained with, and on no other."""
    x = np.arange(40.0)[:, None]
    y = 1 + RNG.normal(size=40) ** 2
    found = sq.learning_curve(Memory(), x, y, sizes=[4, 16, 30], folds=4, seed=3)
    assert found.training.mse.tolist() == [0, 0, 0]
    np.testing.assert_allclose(found.validation.mse, np.mean(y**2), rtol=1e-12)
    with pytest.raises(sq.errors.DataError, match="holds row 3 twice"):
        sq.learning_curve(Memory(), x, y, folds=[([1, 2, 3], [3, 4])])


class Memory:
    """Knows what it has seen, and says 0 otherwise."""

    def fit(self, x: Array, y: Array) -> None:
        self.known = dict(zip(x[:, 0].tolist(), y.tolist(), strict=True))

    def predict(self, x: Array) -> Array:
        return np.array([self.known.get(each, 0.0) for each in x[:, 0].tolist()])


def test_rows_are_added_in_one_order_for_all_splits() -> None:
    pairs = [(np.arange(0, 30), np.arange(30, 40)), (np.arange(10, 40), np.arange(0, 10))]
    one, other = splits_of(pairs, 0, None, None, 40)
    shared = np.arange(10, 30)
    np.testing.assert_array_equal(one.train[np.isin(one.train, shared)], other.train[np.isin(other.train, shared)])
    assert not np.array_equal(one.train, np.sort(one.train))
    assert [sorted(split.train) for split in (one, other)] == [sorted(train) for train, _ in pairs]
    for given, (train, test) in zip(splits_of(pairs, None, None, None, 40), pairs, strict=True):
        np.testing.assert_array_equal(given.train, train)
        np.testing.assert_array_equal(given.test, test)


def test_sorted_rows_are_no_trap() -> None:
    """Rows in order of x: folds of neighbours would be predicted from far away, and the first rows know nothing of the last."""
    x = np.linspace(0, 1, 300)[:, None]
    y = np.sin(6 * x[:, 0]) + 0.1 * RNG.normal(size=300)
    tree = DecisionTreeRegressor(max_depth=5, random_state=0)
    shuffled, in_order = (sq.learning_curve(tree, x, y, sizes=[240], seed=seed).validation.mse[0] for seed in (0, None))
    assert shuffled < 0.03 < in_order
    again = sq.learning_curve(tree, x, y, sizes=[240]).validation.fold_mse
    np.testing.assert_array_equal(again, sq.learning_curve(tree, x, y, sizes=[240], seed=0).validation.fold_mse)


# --- the law ------------------------------------------------------------------------------------------------------

N = np.array([50.0, 100, 200, 400, 800, 1600])


@pytest.mark.parametrize("law", [PowerLaw(0.5, 20.0, 1.0), PowerLaw(0.0, 3.0, 0.5), PowerLaw(2.0, 900.0, 2.0)])
def test_a_law_is_found_again(law: PowerLaw) -> None:
    found = fitted(N, law(N))
    assert found is not None
    np.testing.assert_allclose(found(N), law(N), rtol=2e-3)
    assert found.power == pytest.approx(law.power, rel=0.04)
    assert law.saving(1600) == pytest.approx(1 - (law.floor + law.scale * 3200**-law.power) / (law.floor + law.scale * 1600**-law.power), rel=1e-12)
    assert found.saving(1600) == pytest.approx(law.saving(1600), rel=0.02, abs=1e-4)


def test_no_law_has_an_error_below_0() -> None:
    """What falls faster than any power at hand would have a floor below 0, and what rises a negative scale."""
    for errors in (N**-4, N**0.3, 1 / np.log(N)):
        law = nearest(N, errors)
        assert min(law.floor, law.scale) >= 0


@pytest.mark.parametrize(
    "errors",
    [[1.0, 1, 1, 1, 1, 1], [1.0, 2, 1, 2, 1, 2], [1.0, 2, 3, 4, 5, 6], [5.0, 80, 3, 2, 1.5, 1.2], [1.0, 0, 1, 0, 0, 0], [np.nan, 3, 2, 1, 1, 1]],
)
def test_what_follows_no_law_has_none(errors: list[float]) -> None:
    assert fitted(N, np.array(errors)) is None
    assert fitted(N[:4], PowerLaw(0.5, 20.0, 1.0)(N[:4])) is None


def test_the_saving_of_twice_the_rows_comes_true() -> None:
    """Of least squares with 30 features: by the closed form from 128 to 256 rows."""
    savings = []
    for seed in range(5):
        rng = np.random.default_rng(seed)
        x = rng.normal(size=(160, 30))
        savings.append(sq.learning_curve(LinearRegression(), x, x @ np.ones(30) + rng.normal(size=160), sizes=[48, 64, 80, 96, 112, 128]))
    known = [(n + 1) * (n - 2) / n / (n - 32) for n in (128, 256)]
    expected = 1 - known[1] / known[0]  # 14 %
    found = [curve.saving for curve in savings if curve.law]
    assert len(found) >= 4
    assert np.median([value for value, _, _ in found]) == pytest.approx(expected, rel=0.35)
    assert np.mean([low <= expected <= high for _, low, high in found]) > 0.7


# --- verdicts -----------------------------------------------------------------------------------------------------


def curve_of(training: list[float], validation: list[float], values: list[float] | None = None, kind: Any = sq.LearningCurve) -> Any:
    """A curve of three folds whose errors are all but the same."""

    def side(errors: list[float]) -> Side:
        off = (0.999, 1.0, 1.001)
        return Side(tuple(tuple(Seen(10, Fraction(error * 10 * k), Fraction(0), Fraction(100)) for k in off) for error in errors), 0.95)

    return kind("rows" if kind is sq.LearningCurve else "alpha", tuple(values or N.astype(int).tolist()), side(training), side(validation), "pyarrow")


@pytest.mark.parametrize(
    ("training", "validation", "words"),
    [
        (0.1 + 0 * N, PowerLaw(0.2, 30, 0.8)(N), ["more data are worth it", ": variance, which"]),
        (2.0 - 20 / N, PowerLaw(2.0, 30, 1.0)(N), ["more data are hardly worth it", "have met: what is left is bias or noise"]),
        (1.5 - 20 / N, PowerLaw(1.6, 60, 0.7)(N), ["some variance, and otherwise"]),
        (1.0 + 0 * N, 2.0 + 0 * N, ["did not fall", "50 % of it: variance"]),
        (0 * N, [5.0, 80, 3, 2, 1.5, 1.2], ["fell by 20 %", "no inverse power law"]),
        (0 * N, 0 * N, ["validation MSE is 0"]),
    ],
)
def test_the_verdict_says_what_would_help(training: Array, validation: Array, words: list[str]) -> None:
    verdict = curve_of(list(training), list(validation)).verdict
    assert all(each in verdict for each in words), verdict


def test_a_saving_is_as_unsure_as_its_folds_are_alike() -> None:
    rng = np.random.default_rng(0)
    seen = tuple(tuple(Seen(10, Fraction(10 * (1 + 40 / n) * k), Fraction(0), Fraction(100)) for k in rng.uniform(0.999, 1.001, 3)) for n in N)
    reaches = []
    for wider in (1.0, 2.5):
        side = Side(seen, 0.95, wider)
        value, _, high = sq.LearningCurve("rows", tuple(N.astype(int).tolist()), side, side, "pyarrow").saving
        assert high < 1
        reaches.append(high - value)
    assert reaches[1] == pytest.approx(2.5 * reaches[0], rel=1e-9)


@pytest.mark.parametrize("folds", [2, 3, 5, 8])
def test_the_best_value_and_those_not_told_apart(folds: int) -> None:
    found = sq.validation_curve(Ridge(), X, Y, parameter="alpha", values=np.geomspace(0.01, 1e5, 60), folds=folds)
    errors = found.validation.fold_mse
    assert found.best == found.values[int(np.argmin(found.validation.mse))]
    best = errors[found.values.index(found.best)]
    tests = [scipy.stats.ttest_rel(each, best) for each in errors]
    expected = tuple(v for v, t in zip(found.values, tests, strict=True) if v != found.best and not (t.pvalue < 0.05 and t.statistic > 0))
    assert found.alike == expected
    assert 0 < len(expected) < 59
    assert f"Not told apart from it, on the same {folds} folds" in found.verdict


def test_a_best_value_at_the_end_asks_for_more() -> None:
    for validation, words in [
        ([3.0, 2, 1], "largest of the values: try larger"),
        ([1.0, 2, 3], "smallest of the values: try smaller"),
        ([2.0, 1, 2], ""),
    ]:
        verdict = curve_of([0.5] * 3, validation, [1.0, 2.0, 3.0], sq.ValidationCurve).verdict
        assert ("of the values: try" in verdict) == bool(words)
        assert words in verdict


# --- what a reader sees -------------------------------------------------------------------------------------------


def test_every_form_tells_the_same(tmp_path: Any) -> None:
    found = sq.learning_curve(Ridge(), X, Y, sizes=SIZES)
    assert str(found).startswith(found.verdict)
    assert [line.split()[0] for line in str(found).splitlines()[2:7]] == ["rows", "12", "25", "60", "90"]
    told = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert told["values"] == SIZES
    assert told["validation_mse"] == found.validation.mse.tolist()
    assert told["training_fold_r2"] == found.training.fold_r2.tolist()
    assert "| 60 |" in found.to_markdown()
    page = found.to_html(tmp_path / "page.html")
    assert (tmp_path / "page.html").read_text(encoding="utf-8") == page
    assert page.count("<svg") == 2
    assert f"{found.validation.mse[-1]:.4g}" in page
    for metric in ("mse", "r2"):
        assert ElementTree.fromstring(found.to_svg(metric)).tag.endswith("svg")
    frame = found.to_frame()
    assert frame.column_names[:4] == ["rows", "training_mse", "training_mse_low", "training_mse_high"]
    assert frame["validation_r2_high"].to_pylist() == found.validation.interval("r2")[1].tolist()
    np.testing.assert_array_equal(found.gap, found.validation.mse - found.training.mse)


@pytest.mark.parametrize("values", [["squared_error", "absolute_error"], [None, 3], [1e-4, 1e4], [1]])
def test_values_of_every_kind_are_drawn(values: list[Any]) -> None:
    parameter = "criterion" if isinstance(values[0], str) else "ccp_alpha" if isinstance(values[0], float) else "max_depth"
    found = sq.validation_curve(DecisionTreeRegressor(random_state=0), X, Y, parameter=parameter, values=values)
    assert ElementTree.fromstring(found.to_svg()).tag.endswith("svg")
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False))["along"] == parameter
    assert len(found.to_frame()[parameter]) == len(values)
    assert "None" in str(found) or None not in values


def test_one_split_has_no_interval() -> None:
    found = sq.validation_curve(Ridge(), X, Y, parameter="alpha", values=[1.0, 2.0], folds=[(np.arange(100), np.arange(100, 143))])
    assert np.isnan(found.validation.interval("mse")[0]).all()
    assert found.alike == ()
    assert "(" not in found.verdict
    assert found.to_html().count("There is no interval.") == 2
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False))["validation_mse_low"] == [None, None]


def test_a_name_cannot_forge_a_page() -> None:
    found = curve_of([0.5] * 3, [3.0, 2, 1], ["<script>alert(1)</script>", "b", "c"], sq.ValidationCurve)
    assert "<script>alert" not in found.to_html()
    assert "<script>alert" not in found.to_markdown()
    assert "<script" not in found.to_svg()


def test_curves_refuse_what_cannot_be_had() -> None:
    bad = Y.copy()
    bad[7] = np.nan
    for more, words in [
        ({"y": Y[:9]}, "143 rows and y 9"),
        ({"y": bad}, "not finite at row 7"),
        ({"folds": 1}, "from 2 to"),
        ({"folds": 144}, "from 2 to"),
        ({"folds": True}, "expected a number, a splitter"),
        ({"folds": "five"}, "expected a number, a splitter"),
        ({"folds": []}, "no split"),
        ({"folds": [([0, 1], [])]}, "2 rows to train and 0 to validate"),
        ({"folds": [([0, 1], [143])]}, "places of 0 to 142"),
        ({"folds": [([0.5, 1.9, 2.7], [10.9, 11.2])]}, "split 0 has rows to train of type float64"),
        ({"folds": [(np.arange(143) < 99, np.arange(143) > 98)]}, r"np\.flatnonzero\(mask\)"),
        ({"folds": (np.arange(100), np.arange(100, 143))}, "split 0 is .* expected a pair"),
        ({"folds": [(1, 2)]}, "of type int64 and shape"),
        ({"sizes": [0.0, 0.5]}, "shares above 0"),
        ({"sizes": [[1], [2, 3]]}, "expected numbers of rows"),
        ({"sizes": [1.5]}, "shares above 0"),
        ({"sizes": [0]}, "from 1 to 114"),
        ({"sizes": [115]}, "from 1 to 114"),
        ({"sizes": []}, "expected numbers of rows"),
        ({"sizes": "all"}, "expected numbers of rows"),
        ({"seed": -1}, "seed is -1"),
        ({"confidence": 1.0}, "between 0 and 1"),
        ({"confidence": "0.9"}, "between 0 and 1"),
        ({"X": None}, "X is None"),
        ({"estimator": Ridge}, "the class Ridge"),
    ]:
        with pytest.raises(sq.errors.DataError, match=words):
            sq.learning_curve(**{"estimator": Ridge(), "X": X, "y": Y, **more})
    for more, words in [
        ({"parameter": "beta"}, "'alpha', 'features', 'fit_intercept'"),
        ({"values": []}, "values is empty"),
        ({"values": 3.0}, "values is 3.0; expected several"),
        ({"values": "12"}, "values is '12'; expected several"),
        ({"estimator": Memory()}, "get_params"),
    ]:
        with pytest.raises(sq.errors.DataError, match=words):
            sq.validation_curve(**{"estimator": Ridge(), "X": X, "y": Y, "parameter": "alpha", "values": [1.0], **more})
