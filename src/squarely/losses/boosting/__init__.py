"""Losses as objectives of boosted trees. XGBoost, LightGBM and CatBoost call them, so none of them is imported here.

>>> from squarely.losses.boosting import as_xgboost
>>> from squarely.losses.numpy import HuberLoss
>>> objective = as_xgboost(HuberLoss(delta=1.0))
>>> objective
XGBoostObjective(HuberLoss(delta=1), hessian='irls')
>>> objective.init_score([1.0, 2.0, 9.0])
2.0
"""

from typing import Any

from squarely.losses.boosting.catboost import CatBoostObjective, as_catboost
from squarely.losses.boosting.lightgbm import LightGBMObjective, as_lightgbm
from squarely.losses.boosting.objective import Objective
from squarely.losses.boosting.xgboost import XGBoostObjective, as_xgboost
from squarely.losses.numpy import Loss

__all__ = [
    "CatBoostObjective",
    "LightGBMObjective",
    "Objective",
    "XGBoostObjective",
    "as_catboost",
    "as_lightgbm",
    "as_sklearn",
    "as_xgboost",
]


def as_sklearn(loss: Loss, hessian: str | None = None) -> Any:
    """Return a loss that ``HistGradientBoostingRegressor(loss=...)`` takes. Targets that are nan are refused by that class itself.

    Parameters
    ----------
    loss, hessian
        As ``Objective`` says.

    Returns
    -------
    object of a subclass of ``sklearn._loss.loss.BaseLoss``
        That class is private to scikit-learn, which may change it. ``GradientBoostingRegressor`` takes names only.

    Raises
    ------
    MissingExtraError
        scikit-learn is not installed.
    """
    from squarely.losses.boosting.scikit_learn import SklearnLoss

    return SklearnLoss(loss, hessian)
