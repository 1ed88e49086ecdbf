"""Losses as objectives of LightGBM."""

from typing import Any

import numpy as np

from squarely.losses.boosting.objective import Derivatives, Objective
from squarely.losses.numpy import Loss

__all__ = ["LightGBMObjective", "as_lightgbm"]


class LightGBMObjective(Objective):
    """What the parameter ``objective`` of ``lightgbm.train`` and of ``LGBMRegressor`` takes."""

    def __call__(self, first: Any, second: Any, weight: Any = None) -> Derivatives:
        """Return gradient and Hessian; train gives (predictions, dataset), a regressor (targets, predictions, weights)."""
        if not hasattr(second, "get_label"):
            return self.derivatives(second, first, weight)
        return self.derivatives(np.asarray(first), second.get_label(), second.get_weight())


def as_lightgbm(loss: Loss, hessian: str | None = None, *, target: Any = None) -> LightGBMObjective:
    """Return a loss as an objective of LightGBM, which applies no weights to objectives from outside: this one does.

    Parameters
    ----------
    loss, hessian, target
        As ``Objective`` says. LightGBM takes a label that is nan for 0: give ``target`` here where some are missing.

    Returns
    -------
    LightGBMObjective
        Its ``init_score`` fills the ``init_score`` of a Dataset, and has to be added to predictions: LightGBM boosts from 0 for objectives
        from outside, and does not keep the start.
    """
    return LightGBMObjective(loss, hessian, target)
