"""Losses as objectives of CatBoost."""

from typing import Any

import numpy as np

from squarely.losses.boosting.objective import Objective
from squarely.losses.numpy import Loss

__all__ = ["CatBoostObjective", "as_catboost"]


class CatBoostObjective(Objective):
    """What ``CatBoostRegressor(loss_function=...)`` takes."""

    dtype = np.float64

    def calc_ders_range(self, approxes: Any, targets: Any, weights: Any) -> list[tuple[float, float]]:
        """Return the derivatives of minus the loss, which CatBoost climbs."""
        weight = None if weights is None else np.asarray(weights)
        gradient, hessian = self.derivatives(np.asarray(approxes), np.asarray(targets), weight)
        return list(zip((-gradient).tolist(), (-hessian).tolist(), strict=True))


def as_catboost(loss: Loss, hessian: str | None = None) -> CatBoostObjective:
    """Return a loss as an objective of CatBoost: derivatives of minus the loss, with weights applied.

    Parameters
    ----------
    loss, hessian
        As ``Objective`` says. CatBoost refuses targets that are nan, whatever the objective: give such rows any number and the weight 0.

    Returns
    -------
    CatBoostObjective
        Its ``init_score`` fills the ``baseline`` of a Pool. CatBoost wants an ``eval_metric`` beside an objective from outside.
    """
    return CatBoostObjective(loss, hessian)
