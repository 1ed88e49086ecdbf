"""Metrics as scikit-learn scorers: cross-validation, grid searches, cloning, pickling, routing, and what is refused."""

from __future__ import annotations

import copy
import pickle
import sys
from typing import Any

import numpy as np
import pytest
import sklearn
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.metrics import get_scorer, get_scorer_names
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score, cross_validate

import squarely as sq
from squarely.errors import DataError, MissingExtraError, SquarelyError, UnknownMetricError

SHARED = [
    "neg_mean_squared_error",
    "neg_root_mean_squared_error",
    "neg_mean_absolute_error",
    "neg_max_error",
    "neg_mean_absolute_percentage_error",
    "neg_median_absolute_error",
    "neg_mean_squared_log_error",
    "neg_root_mean_squared_log_error",
    "neg_mean_poisson_deviance",
    "neg_mean_gamma_deviance",
    "r2",
    "explained_variance",
    "d2_absolute_error_score",
]
FOLDS = KFold(4)


def data(outputs: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features, targets and weights."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=(80, 3))
    y = x @ rng.normal(size=(3, outputs)) + rng.normal(size=(80, outputs))
    return x, y[:, 0] if outputs == 1 else y, rng.uniform(0.5, 2.0, 80)


@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize("name", SHARED)
def test_scikit_learns_names_give_scikit_learns_scores(name: str, outputs: int) -> None:
    x, y, _ = data(outputs)
    y = y + 10  # everything is positive, as logarithms demand
    assert name in get_scorer_names()
    if outputs == 1 or name not in ("neg_max_error", "neg_mean_poisson_deviance", "neg_mean_gamma_deviance"):
        expected = cross_val_score(Ridge(), x, y, cv=FOLDS, scoring=name)
        assert cross_val_score(Ridge(), x, y, cv=FOLDS, scoring=sq.scorer(name)) == pytest.approx(expected, rel=1e-13)


def test_every_name_of_both_libraries_is_a_scorer() -> None:
    known = {name for metric in sq.METRICS.values() for name in (metric.name, *metric.aliases)}
    both = {name for name in get_scorer_names() if name.removeprefix("neg_") in known}
    assert both == set(SHARED)


OF_PREDICTIONS = [m for m in sq.METRICS.values() if not any(m.settings[name].default is None for name in m.columns)]


@pytest.mark.parametrize("name", [m.name for m in OF_PREDICTIONS if m.direction != "target"])
def test_more_is_better_whatever_the_metric(name: str) -> None:
    x, y, _ = data()
    y = y + 1000  # everything is positive, as some metrics demand
    good, bad = Ridge().fit(x, y), Ridge(alpha=1e4).fit(x, y)
    scorer = sq.scorer(name)
    assert scorer(good, x, y) > scorer(bad, x, y)
    sign = 1 if sq.METRICS[name].direction == "higher" else -1
    assert scorer(good, x, y) == sign * getattr(sq, name)(y, good.predict(x))


@pytest.mark.parametrize(
    ("asked", "keywords"),
    [
        ("pinball", {"alpha": 0.9}),
        ("mean_pinball_loss(alpha=0.9)", {}),
        ("neg_mean_pinball_loss(alpha=0.9)", {}),
        (" neg_pinball ", {"alpha": 0.9}),
        ("pinball(alpha=0.5)", {"alpha": 0.9}),
        (sq.pinball, {"alpha": 0.9}),
        (sq.METRICS["mean_pinball_loss"], {"alpha": 0.9}),
    ],
)
def test_a_setting_may_be_written_in_several_ways(asked: Any, keywords: dict[str, Any]) -> None:
    x, y, _ = data()
    model = Ridge().fit(x, y)
    assert sq.scorer(asked, **keywords)(model, x, y) == -sq.mean_pinball_loss(y, model.predict(x), alpha=0.9)


def test_outputs_may_be_pooled() -> None:
    x, y, _ = data(3)
    model = Ridge().fit(x, y)
    assert sq.scorer("rmse", multioutput="pooled")(model, x, y) == -sq.rmse(y.ravel(), model.predict(x).ravel())
    weighted = sq.scorer("rmse", multioutput=[1, 0, 1])(model, x, y)
    assert weighted == -np.mean(sq.rmse(y, model.predict(x), multioutput="raw_values")[[0, 2]])


def test_many_metrics_at_once() -> None:
    x, y, _ = data()
    scoring = {name: sq.scorer(name) for name in ("rmse", "mae", "r2", "ccc")}
    found = cross_validate(Ridge(), x, y, cv=FOLDS, scoring=scoring, return_train_score=True)
    for name, scorer in scoring.items():
        assert list(found[f"test_{name}"]) == list(cross_val_score(Ridge(), x, y, cv=FOLDS, scoring=scorer))
        assert np.isfinite(found[f"train_{name}"]).all()


@pytest.mark.parametrize("refit", ["rmse", "r2"])
def test_a_grid_search_finds_the_same_model(refit: str) -> None:
    x, y, _ = data()
    grid = {"alpha": [0.01, 1.0, 100.0, 10_000.0]}
    ours, theirs = (
        GridSearchCV(Ridge(), grid, cv=FOLDS, scoring=scoring, refit=refit).fit(x, y)
        for scoring in ({"rmse": sq.scorer("rmse"), "r2": sq.scorer("r2")}, {"rmse": "neg_root_mean_squared_error", "r2": "r2"})
    )
    assert ours.best_params_ == theirs.best_params_
    assert ours.best_score_ == pytest.approx(theirs.best_score_, rel=1e-13)
    assert ours.score(x, y) == pytest.approx(theirs.score(x, y), rel=1e-13)
    single = GridSearchCV(Ridge(), grid, cv=FOLDS, scoring=sq.scorer(refit)).fit(x, y)
    assert single.best_params_ == theirs.best_params_


def test_searches_run_in_other_processes() -> None:
    x, y, _ = data()
    scorer = sq.scorer("pinball", alpha=0.9)
    serial, parallel = (cross_val_score(Ridge(), x, y, cv=FOLDS, scoring=scorer, n_jobs=jobs) for jobs in (1, 2))
    assert list(serial) == list(parallel)


def test_scorers_are_copied_pickled_and_cloned() -> None:
    x, y, _ = data()
    model, scorer = Ridge().fit(x, y), sq.scorer("pinball", alpha=0.9)
    search = clone(GridSearchCV(Ridge(), {"alpha": [1.0]}, scoring={"q90": scorer}, refit="q90"))
    for twin in (copy.deepcopy(scorer), pickle.loads(pickle.dumps(scorer)), clone(scorer, safe=False), search.scoring["q90"]):
        assert repr(twin) == repr(scorer)
        assert twin(model, x, y) == scorer(model, x, y)


def test_the_repr_says_what_it_is() -> None:
    assert repr(sq.scorer("rmse")) == "make_scorer(root_mean_squared_error, greater_is_better=False, response_method='predict')"
    assert repr(sq.scorer("pinball", alpha=0.9)).endswith("alpha=0.9)")
    assert type(sq.scorer("r2")) is type(get_scorer("r2"))


def test_weights_are_routed_on_request() -> None:
    x, y, w = data()
    with sklearn.config_context(enable_metadata_routing=True):
        weighted = sq.scorer("rmse").set_score_request(sample_weight=True)
        plain = sq.scorer("rmse").set_score_request(sample_weight=False)
        model = Ridge().set_fit_request(sample_weight=False)
        found = cross_validate(model, x, y, cv=FOLDS, scoring={"weighted": weighted, "plain": plain}, params={"sample_weight": w})
        renamed = sq.scorer("rmse").set_score_request(sample_weight="importance")
        again = cross_val_score(model, x, y, cv=FOLDS, scoring=renamed, params={"importance": w})
        search = GridSearchCV(model, {"alpha": [1.0]}, cv=FOLDS, scoring=weighted).fit(x, y, sample_weight=w)
    expected = [[], []]
    for train, test in FOLDS.split(x):
        predicted = Ridge().fit(x[train], y[train]).predict(x[test])
        expected[0].append(-sq.rmse(y[test], predicted, sample_weight=w[test]))
        expected[1].append(-sq.rmse(y[test], predicted))
    assert [list(found["test_weighted"]), list(found["test_plain"])] == expected
    assert list(again) == expected[0]
    assert search.best_score_ == np.mean(expected[0])


def test_weights_may_be_given_without_routing() -> None:
    x, y, w = data()
    model = Ridge().fit(x, y)
    assert sq.scorer("rmse")(model, x, y, sample_weight=w) == -sq.rmse(y, model.predict(x), sample_weight=w)


@pytest.mark.parametrize(
    ("asked", "keywords", "words"),
    [
        ("bias", {}, "mean_error has no direction to optimise: it is best at 0"),
        ("neg_bias", {}, "no direction to optimise"),
        (sq.calibration_slope, {}, "best at 1, and can be missed on both sides"),
        ("neg_r2", {}, "r2_score is a score, where higher is better already. Write 'r2'"),
        ("neg_explained_variance", {}, "higher is better already"),
        ("rmse", {"alpha": 0.5}, "no setting 'alpha'"),
        ("pinball", {"alpha": 2}, "alpha is 2; expected a number between 0 and 1"),
        ("rmse", {"sample_weight": [1.0]}, "set_score_request"),
        ("rmse", {"multioutput": "raw_values"}, "one number for all outputs"),
        ("rmse", {"multioutput": "variance_weighted"}, "multioutput is 'variance_weighted'"),
        ("rmse", {"nan_policy": "drop"}, "nan_policy is 'drop'"),
        ("r2", {"force_finite": "yes"}, "force_finite is 'yes'; expected True or False"),
        ("rmse", {"force_finite": True}, "no setting 'force_finite'"),
    ],
)
def test_refused_when_it_is_made(asked: Any, keywords: dict[str, Any], words: str) -> None:
    with pytest.raises(DataError, match=words):
        sq.scorer(asked, **keywords)


@pytest.mark.parametrize("asked", ["neg_rsme", "rsme", "neg_neg_rmse", "accuracy", "", 3, lambda y, p: 0.0])
def test_a_name_nobody_knows(asked: Any) -> None:
    with pytest.raises(UnknownMetricError, match="metric"):
        sq.scorer(asked)


def test_constant_targets_may_be_infinitely_bad() -> None:
    model = Ridge().fit([[0.0], [1.0]], [0.0, 1.0])
    assert sq.scorer("r2", force_finite=False)(model, [[0.0], [1.0]], [3.0, 3.0]) == -np.inf
    assert sq.scorer("r2")(model, [[0.0], [1.0]], [3.0, 3.0]) == 0.0


def test_without_scikit_learn_the_cure_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.metrics", None)
    with pytest.raises(MissingExtraError, match=r'pip install "squarely\[sklearn\]"') as caught:
        sq.scorer("rmse")
    assert isinstance(caught.value, ImportError)
    assert isinstance(caught.value, SquarelyError)
