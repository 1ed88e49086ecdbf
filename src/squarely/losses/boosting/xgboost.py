"""Losses as objectives of XGBoost."""

from typing import Any

from squarely.losses.boosting.objective import Derivatives, Objective
from squarely.losses.numpy import Loss

__all__ = ["XGBoostObjective", "as_xgboost"]


class XGBoostObjective(Objective):
    """What ``xgboost.train(obj=...)`` and ``XGBRegressor(objective=...)`` call."""

    def __call__(self, first: Any, second: Any, sample_weight: Any = None) -> Derivatives:
        """Return gradient and Hessian; train gives (predictions, matrix), a regressor (targets, predictions)."""
        if not hasattr(second, "get_label"):
            return self.derivatives(second, first, sample_weight)
        weight = second.get_weight()
        return self.derivatives(first, second.get_label(), weight if weight.size else None)


def as_xgboost(loss: Loss, hessian: str | None = None, *, target: Any = None) -> XGBoostObjective:
    """Return a loss as an objective of XGBoost, which applies no weights to objectives from outside: this one does.

    Parameters
    ----------
    loss, hessian, target
        As ``Objective`` says. XGBoost refuses labels that are nan: give it 0 for them and ``target`` here.

    Returns
    -------
    XGBoostObjective
        Its ``init_score`` is for the parameter ``base_score``; without it XGBoost starts from 0.5 where the objective is from outside.
    """
    return XGBoostObjective(loss, hessian, target)
