"""Losses as objectives of boosting libraries: their own L2 is reproduced to the last bit, and what they leave out is done."""

from __future__ import annotations

import pickle
import warnings
from collections.abc import Iterator
from typing import Any

import catboost
import lightgbm
import numpy as np
import pytest
import xgboost
from sklearn.base import clone
from sklearn.datasets import load_diabetes
from sklearn.ensemble import HistGradientBoostingRegressor

import squarely.losses.numpy as losses
from squarely.errors import DataError
from squarely.losses.boosting import Objective, as_catboost, as_lightgbm, as_sklearn, as_xgboost
from squarely.losses.boosting.catboost import CatBoostObjective
from squarely.losses.kernels import KERNELS
from squarely.losses.numpy import HalfMSELoss, HuberLoss, L1Loss, Loss, MSELoss, MSLELoss, PinballLoss, TukeyLoss, loss_class

X, Y = load_diabetes(return_X_y=True)
WEIGHT = np.random.default_rng(0).uniform(0.5, 2, len(Y))
MISSING = np.where(np.arange(len(Y)) % 5 == 0, np.nan, Y)
both = pytest.mark.parametrize("weight", [None, WEIGHT], ids=["alike", "weighted"])
XGB = {"max_depth": 4, "eta": 0.3, "nthread": 1}
LGB = {"num_threads": 1, "verbose": -1, "num_leaves": 15, "boost_from_average": False}
CAT = {
    "iterations": 30,
    "depth": 4,
    "learning_rate": 0.1,
    "bootstrap_type": "No",
    "random_strength": 0,
    "thread_count": 1,
    "verbose": False,
    "boost_from_average": False,
    "boosting_type": "Plain",
    "score_function": "L2",
    "leaf_estimation_method": "Newton",
    "leaf_estimation_iterations": 1,
    "leaf_estimation_backtracking": "No",
    "allow_writing_files": False,
}


@pytest.fixture
def _without_numba() -> Iterator[None]:
    """CatBoost says that numba would make it faster."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Failed to import numba", UserWarning)
        yield


# --- the same trees -------------------------------------------------------------------------------------------------


@both
def test_xgboost_grows_its_own_trees(weight: Any) -> None:
    objective = as_xgboost(HalfMSELoss())
    data = xgboost.DMatrix(X, label=Y, weight=weight)
    settings = {**XGB, "base_score": objective.init_score(Y, weight)}
    theirs = xgboost.train({**settings, "objective": "reg:squarederror"}, data, 30)
    ours = xgboost.train(settings, data, 30, obj=objective)
    assert ours.get_dump(with_stats=True) == theirs.get_dump(with_stats=True)
    assert np.array_equal(ours.predict(data), theirs.predict(data))
    model = xgboost.XGBRegressor(objective=objective, n_estimators=30, max_depth=4, learning_rate=0.3, n_jobs=1, base_score=settings["base_score"])
    assert np.array_equal(model.fit(X, Y, sample_weight=weight).predict(X), theirs.predict(data))


def test_a_target_of_1_is_a_number_like_others() -> None:
    """XGBoost's own squared error multiplies the weight of labels of 1 by scale_pos_weight, which is for classes."""
    target = np.where(Y > 180, 1.0, X[:, 0])
    data = xgboost.DMatrix(X, target)

    def predicted(objective: Any, factor: float) -> Any:
        settings = {**XGB, "base_score": 0.0, "scale_pos_weight": factor}
        return xgboost.train(settings, data, 5, obj=objective).predict(data)

    own = [predicted(None, factor) for factor in (1.0, 7.0)]
    ours = [predicted(as_xgboost(HalfMSELoss()), factor) for factor in (1.0, 7.0)]
    assert not np.array_equal(*own)
    assert np.array_equal(*ours)


@both
def test_lightgbm_grows_its_own_trees(weight: Any) -> None:
    objective = as_lightgbm(HalfMSELoss())
    start = np.full(len(Y), objective.init_score(Y, weight))

    def grown(asked: Any) -> Any:
        return lightgbm.train({**LGB, "objective": asked}, lightgbm.Dataset(X, Y, weight=weight, init_score=start), 30)

    theirs, ours = grown("l2"), grown(objective)
    assert ours.dump_model()["tree_info"] == theirs.dump_model()["tree_info"]
    assert np.array_equal(ours.predict(X), theirs.predict(X))
    model = lightgbm.LGBMRegressor(objective=objective, n_estimators=30, num_leaves=15, n_jobs=1, verbose=-1)
    assert np.array_equal(model.fit(X, Y, sample_weight=weight, init_score=start).booster_.predict(X), theirs.predict(X))


@both
@pytest.mark.usefixtures("_without_numba")
def test_catboost_grows_its_own_trees(weight: Any) -> None:
    objective = as_catboost(HalfMSELoss())
    pool = catboost.Pool(X, Y, weight=weight, baseline=np.full(len(Y), objective.init_score(Y, weight)))
    theirs = catboost.CatBoostRegressor(loss_function="RMSE", **CAT).fit(pool)
    ours = catboost.CatBoostRegressor(loss_function=objective, eval_metric="RMSE", **CAT).fit(pool)
    assert theirs.tree_count_ == 30
    assert np.array_equal(ours.get_leaf_values(), theirs.get_leaf_values())
    assert np.array_equal(ours.predict(X), theirs.predict(X))


@both
@pytest.mark.parametrize(
    ("loss", "name"),
    [
        (HalfMSELoss(), {"loss": "squared_error"}),
        (L1Loss(), {"loss": "absolute_error"}),
        (PinballLoss(alpha=0.8), {"loss": "quantile", "quantile": 0.8}),
    ],
    ids=["squared_error", "absolute_error", "quantile"],
)
def test_scikit_learn_grows_its_own_trees(loss: Loss, name: dict[str, Any], weight: Any) -> None:
    """Quantiles of weighted rows, and those between two, are another definition there."""
    theirs = HistGradientBoostingRegressor(max_iter=20, **name).fit(X, Y, sample_weight=weight)
    ours = HistGradientBoostingRegressor(max_iter=20, loss=as_sklearn(loss)).fit(X, Y, sample_weight=weight)
    if loss.differentiable or (weight is None and name["loss"] == "absolute_error"):
        assert np.array_equal(ours.predict(X), theirs.predict(X))
    else:
        cost = [loss(model.predict(X), Y, sample_weight=weight) for model in (ours, theirs)]
        assert cost[0] == pytest.approx(cost[1], rel=0.02)


def test_scikit_learn_stops_early_copies_and_sends() -> None:
    settings = {"early_stopping": True, "random_state": 0}
    ours = clone(HistGradientBoostingRegressor(loss=as_sklearn(HalfMSELoss()), **settings)).fit(X, Y, sample_weight=WEIGHT)
    theirs = HistGradientBoostingRegressor(**settings).fit(X, Y, sample_weight=WEIGHT)
    assert ours.n_iter_ == theirs.n_iter_
    assert np.array_equal(pickle.loads(pickle.dumps(ours)).predict(X), theirs.predict(X))


# --- what a library sees --------------------------------------------------------------------------------------------


class _Labels:
    """A data set of a library, as an objective sees it."""

    def __init__(self, label: Any, weight: Any) -> None:
        self.get_label, self.get_weight = lambda: label, lambda: weight


def test_catboost_climbs_minus_the_loss() -> None:
    made = as_catboost(HalfMSELoss()).calc_ders_range([3.0, 1.0], [1.0, 1.5], [1.0, 2.0])
    assert made == [(-2.0, -1.0), (1.0, -2.0)]
    assert as_catboost(HalfMSELoss()).calc_ders_range([3.0], [1.0], None) == [(-2.0, -1.0)]


def test_both_orders_of_arguments() -> None:
    pred, target, weight = np.array([3.0, 1.0]), np.array([1.0, 1.5]), np.array([1.0, 2.0])
    for objective, none in ((as_xgboost(HalfMSELoss()), np.empty(0)), (as_lightgbm(HalfMSELoss()), None)):
        for gradient, hessian in (objective(pred, _Labels(target, weight)), objective(target, pred, weight)):
            assert (gradient.tolist(), hessian.tolist(), gradient.dtype) == ([2.0, -1.0], [1.0, 2.0], np.float32)
        for gradient, hessian in (objective(pred, _Labels(target, none)), objective(target, pred)):
            assert (gradient.tolist(), hessian.tolist()) == ([2.0, -0.5], [1.0, 1.0])


@pytest.mark.parametrize("kind", ["exact", "gauss_newton", "one", "irls", None])
def test_kinds_of_hessian(kind: str | None) -> None:
    """Of the biweight at u = 0, 2, 5 with c = 4: 1, (1 - s) (1 - 5 s) < 0, 0; weights (1 - s)^2."""
    _, hessian = as_xgboost(TukeyLoss(c=4.0), kind).derivatives(np.array([0.0, 2.0, 5.0]), np.zeros(3))
    least = 1e-16
    expected = {"exact": [1, least, least], "gauss_newton": [1, least, least], "one": [1, 1, 1], "irls": [1, 0.5625, least]}[kind or "irls"]
    assert np.allclose(hessian, expected, rtol=1e-6, atol=0)


def test_a_missing_target_counts_nothing() -> None:
    objective = as_lightgbm(MSLELoss(), target=[1.0, np.nan, 2.0, 3.0])
    gradient, hessian = objective(np.array([2.0, -5.0, 2.0, 1.0]), _Labels(np.zeros(4), np.array([1.0, 1.0, 1.0, 0.0])))
    assert gradient[1] == hessian[1] == gradient[3] == hessian[3] == 0
    assert gradient[0] > 0
    assert hessian[2] > 0
    assert objective.init_score([1.0, np.nan, 1.0], [1.0, 5.0, 2.0]) == pytest.approx(1.0)


def test_xgboost_learns_with_missing_targets() -> None:
    """As with weights of 0. Exact splits: sketches of columns would see weights."""
    objective = as_xgboost(HalfMSELoss(), target=MISSING)
    settings = {**XGB, "tree_method": "exact", "base_score": objective.init_score(MISSING)}
    data = xgboost.DMatrix(X, label=np.nan_to_num(MISSING))
    theirs = xgboost.DMatrix(X, label=Y, weight=1.0 * ~np.isnan(MISSING))
    expected = xgboost.train({**settings, "objective": "reg:squarederror"}, theirs, 20).predict(data)
    assert np.array_equal(xgboost.train(settings, data, 20, obj=objective).predict(data), expected)


def test_lightgbm_learns_with_missing_targets() -> None:
    """As with weights of 0; by itself it would learn that they are 0."""
    objective = as_lightgbm(HalfMSELoss(), target=MISSING)
    start = np.full(len(Y), objective.init_score(MISSING))
    expected = lightgbm.train({**LGB, "objective": "l2"}, lightgbm.Dataset(X, Y, weight=1.0 * ~np.isnan(MISSING), init_score=start), 20)
    ours = lightgbm.train({**LGB, "objective": objective}, lightgbm.Dataset(X, MISSING, init_score=start), 20)
    assert np.array_equal(ours.predict(X), expected.predict(X))


@pytest.mark.usefixtures("_without_numba")
def test_catboost_takes_weights_of_0_for_missing_targets() -> None:
    """It refuses targets that are nan, whatever the objective: any other number will do, also one that would be an overflow."""
    objective, weight = as_catboost(HalfMSELoss()), 1.0 * ~np.isnan(MISSING)
    start = np.full(len(Y), objective.init_score(MISSING))
    expected = catboost.CatBoostRegressor(loss_function="RMSE", **CAT).fit(catboost.Pool(X, Y, weight=weight, baseline=start))
    data = catboost.Pool(X, np.where(weight > 0, Y, 1e30), weight=weight, baseline=start)
    ours = catboost.CatBoostRegressor(loss_function=objective, eval_metric="MAE", **CAT).fit(data)
    assert np.array_equal(ours.predict(X), expected.predict(X))


@pytest.mark.parametrize("name", [name for name in losses.__all__ if name.endswith("Loss") and name != "Loss"])
def test_every_loss_trains(name: str) -> None:
    loss: Loss = getattr(losses, name)()
    target = np.log(Y)
    objective = as_xgboost(loss)
    data = xgboost.DMatrix(X, label=target)
    start = objective.init_score(target)
    pred = xgboost.train({**XGB, "base_score": start, "eta": 0.1}, data, 10, obj=objective).predict(data)
    assert loss(pred.astype(float), target) < loss(np.full(len(Y), start), target)


def test_scikit_learn_sees_its_own_flags() -> None:
    assert as_sklearn(L1Loss()).differentiable is False
    assert as_sklearn(HuberLoss()).approx_hessian is True
    assert as_sklearn(MSELoss()).approx_hessian is False
    loss = as_sklearn(MSLELoss())
    assert loss.in_y_true_range(np.array([-0.5]))
    assert not loss.in_y_true_range(np.array([-1.0]))
    pred, target = np.array([[1.0], [3.0]]), np.array([1.0, 1.0])
    both = as_sklearn(HalfMSELoss()).loss_gradient(target, pred, sample_weight=np.array([1.0, 2.0]))
    assert [each.tolist() for each in both] == [[0.0, 4.0], [0.0, 4.0]]


def test_an_objective_can_be_sent() -> None:
    objective = as_catboost(HuberLoss(delta=2.0), "one")
    again = pickle.loads(pickle.dumps(objective))
    assert isinstance(again, CatBoostObjective)
    assert repr(again) == repr(objective) == "CatBoostObjective(HuberLoss(delta=2), hessian='one')"


@pytest.mark.parametrize("infinite", [np.inf, -np.inf])
@pytest.mark.parametrize("name", sorted(KERNELS))
def test_an_infinite_target_is_refused_where_it_counts(name: str, infinite: float) -> None:
    """A bounded gradient of it is a number like others, and would be believed; a target that is nan is missing."""
    loss, target = loss_class(KERNELS[name])(), np.array([0.5, np.nan, infinite, 0.25])
    for objective in (as_xgboost(loss, target=target), as_lightgbm(loss, target=target), as_catboost(loss)):
        with pytest.raises(DataError, match=f"the target of row 2 is {infinite}; expected a number, or nan where it is missing"):
            objective.derivatives(np.zeros(4), target)
        with pytest.raises(DataError, match="a target is not finite"):
            objective.init_score(target)
        gradient, hessian = objective.derivatives(np.zeros(4), target, np.array([1.0, 1.0, 0.0, 1.0]))
        assert gradient[1:3].tolist() == hessian[1:3].tolist() == [0.0, 0.0]
        assert (gradient[[0, 3]] < 0).all()


# --- errors ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda: as_xgboost("huber"), "expected a loss for NumPy"),
        (lambda: as_lightgbm(HuberLoss(), "newton"), "expected one of 'exact', 'gauss_newton', 'one', 'irls'"),
        (lambda: as_sklearn(L1Loss(), "irls"), "no curvature"),
        (lambda: as_catboost(PinballLoss(), "exact"), "no curvature"),
        (lambda: Objective(HuberLoss(), target=[1.0]).derivatives(np.zeros(2), np.zeros(2)), "1 values and the library 2 rows"),
        (lambda: Objective(HuberLoss()).derivatives(np.zeros(2), np.zeros(3)), "broadcasts nothing"),
        (lambda: Objective(MSELoss()).derivatives(np.array([0.0, np.nan]), np.zeros(2)), "no finite derivatives at row 1"),
        (lambda: Objective(MSELoss()).derivatives(np.array([0.0, 1e39]), np.zeros(2)), "no finite derivatives at row 1"),
    ],
)
def test_errors_say_what_and_where(made: Any, said: str) -> None:
    with pytest.raises(DataError, match=said):
        made()
