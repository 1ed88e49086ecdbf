"""Losses as objects that HistGradientBoostingRegressor takes. No other module of losses imports scikit-learn."""

from typing import Any

import numpy as np

from squarely.errors import MissingExtraError
from squarely.losses.boosting.objective import Array, Objective
from squarely.losses.numpy import Loss

try:
    from sklearn._loss.link import IdentityLink, Interval
    from sklearn._loss.loss import BaseLoss
except ImportError as error:
    raise MissingExtraError("as_sklearn needs scikit-learn; install it with: pip install 'squarely[sklearn]'") from error

__all__ = ["SklearnLoss"]


class SklearnLoss(BaseLoss):  # type: ignore[misc]
    """A loss with the methods, the order of arguments and the flags of scikit-learn's own; ``n_threads`` changes nothing."""

    def __init__(self, loss: Loss, hessian: str | None = None) -> None:
        super().__init__(closs=None, link=IdentityLink())
        objective = Objective(loss, hessian)
        self.pointwise, self.hessian = loss, objective.hessian
        self.differentiable = loss.differentiable  # where it is not, boosting puts the best constant into each leaf
        self.approx_hessian = objective.hessian != "exact" and not loss.constant_hessian
        self.constant_hessian = False  # to scikit-learn that is a Hessian of 1, which weights would change
        if loss.kernel.residual.domain:
            self.interval_y_true = Interval(-1, np.inf, False, False)

    def loss(self, y_true: Any, raw_prediction: Any, sample_weight: Any = None, loss_out: Any = None, n_threads: int = 1) -> Array:
        """Return the loss of each row."""
        return self.pointwise.loss(_flat(raw_prediction), y_true, sample_weight, loss_out)

    def gradient(self, y_true: Any, raw_prediction: Any, sample_weight: Any = None, gradient_out: Any = None, n_threads: int = 1) -> Array:
        """Return the derivative of each loss."""
        return self.pointwise.gradient(_flat(raw_prediction), y_true, sample_weight, _flat(gradient_out))

    def loss_gradient(
        self, y_true: Any, raw_prediction: Any, sample_weight: Any = None, loss_out: Any = None, gradient_out: Any = None, n_threads: int = 1
    ) -> tuple[Array, Array]:
        """Return loss and derivative of each row."""
        return self.pointwise.loss_gradient(_flat(raw_prediction), y_true, sample_weight, loss_out, _flat(gradient_out))

    def gradient_hessian(
        self, y_true: Any, raw_prediction: Any, sample_weight: Any = None, gradient_out: Any = None, hessian_out: Any = None, n_threads: int = 1
    ) -> tuple[Array, Array]:
        """Return derivative and Hessian of each row."""
        outs = _flat(gradient_out), _flat(hessian_out)
        return self.pointwise.gradient_hessian(_flat(raw_prediction), y_true, sample_weight, *outs, hessian=self.hessian)

    def fit_intercept_only(self, y_true: Any, sample_weight: Any = None) -> Any:
        """Return the constant of least loss."""
        return np.float64(self.pointwise.fit_intercept_only(y_true, sample_weight))


def _flat(array: Any) -> Any:
    """Return a column as a row, as scikit-learn does."""
    return array[:, 0] if array is not None and array.ndim == 2 and array.shape[1] == 1 else array
