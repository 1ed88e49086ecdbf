"""What boosting libraries take of a loss: gradient and Hessian of each row, the sign, the weights and the start being theirs or ours."""

from typing import Any

import numpy as np
import numpy.typing as npt

from squarely.errors import DataError
from squarely.losses.compose import same_shape
from squarely.losses.numpy import HESSIANS, Loss
from squarely.losses.numpy.given import array_of

__all__ = ["Derivatives", "Objective"]

Array = npt.NDArray[Any]
Derivatives = tuple[Array, Array]
_LEAST = 1e-16  # of the Hessian of a row that counts: what is 0 or less is no step of Newton's


class Objective:
    r"""A loss as an objective of trees, whose leaves are steps of Newton's.

    .. math:: \text{leaf} = -\frac{\sum_i w_i g_i}{\sum_i w_i h_i + \lambda}, \quad g_i = \frac{\partial \ell_i}{\partial \hat y_i}

    Parameters
    ----------
    loss : a loss of ``squarely.losses.numpy``; the L2 of boosting libraries is ``HalfMSELoss()``, with g = error and h = 1
    hessian : "exact", "gauss_newton", "one" or "irls"
        None is "irls", the curvature of the parabola that touches the loss and lies above it where the loss is symmetric, so never 0
        or negative where the gradient is not; "one" for absolute error and pinball loss, which have no curvature.
    target : array with nan where a target is missing, in the order of the rows
        Read in place of the labels of the library, which refuses nan or takes it for 0. Such rows have gradient and Hessian 0.
    """

    dtype: Any = np.float32  # what the library keeps them in: rounded to it before weights, as the library does with its own

    def __init__(self, loss: Loss, hessian: str | None = None, target: Any = None) -> None:
        if not isinstance(loss, Loss):
            cure = "give one of squarely.losses.numpy, as HuberLoss(delta=1.0)"
            raise DataError(f"loss is {loss!r}; expected a loss for NumPy. Cure: {cure}.")
        if hessian is not None and hessian not in HESSIANS:
            raise DataError(f"hessian is {hessian!r}; expected one of {', '.join(map(repr, HESSIANS))}.")
        if _has_no_curvature(loss) and hessian not in (None, "one"):
            raise DataError(f"hessian is {hessian!r}, and {loss!r} has no curvature for it; expected 'one', or take a smooth loss.")
        self.loss = loss
        self.hessian = hessian if hessian is not None else "one" if _has_no_curvature(loss) else "irls"
        self.target = None if target is None else array_of("target", target).astype(np.float64)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.loss!r}, hessian={self.hessian!r})"

    def init_score(self, target: Any, sample_weight: Any = None) -> float:
        """Return the constant of least loss, where boosting starts; missing targets do not count."""
        target = array_of("target", target).astype(np.float64)
        weight = np.ones_like(target) if sample_weight is None else array_of("sample_weight", sample_weight)
        if weight.shape != target.shape:
            raise DataError(f"sample_weight has shape {weight.shape} and target {target.shape}; expected one weight for each target.")
        is_known = ~np.isnan(target)
        return self.loss.fit_intercept_only(target[is_known], weight[is_known])

    def derivatives(self, pred: Any, label: Any, weight: Any = None) -> Derivatives:
        """Return the weighted gradient and Hessian of each row; both are 0 where a target is missing or has no weight."""
        pred = np.asarray(pred)
        target = np.asarray(label) if self.target is None else self.target
        if target.size == pred.size:
            target = target.reshape(pred.shape)
        elif self.target is not None:
            raise DataError(f"target has {target.size} values and the library {pred.size} rows; expected one for each, in their order.")
        same_shape(pred, target)
        counts = ~np.isnan(target)
        if weight is not None:
            weight = np.asarray(weight, dtype=self.dtype).reshape(-1, *(1,) * (pred.ndim - 1))
            if not np.isfinite(weight).all() or (weight < 0).any():
                row = int(np.argwhere(~(np.isfinite(weight) & (weight >= 0)))[0][0])
                raise DataError(f"the weight of row {row} is {weight.flat[row]}; expected finite weights of at least 0.")
            counts &= weight != 0
        _refuse_infinite(target, counts)
        safe = np.where(counts, pred, 0), np.where(counts, target, 0).astype(np.result_type(target, pred.dtype))
        with np.errstate(over="ignore"):
            pair = self.loss.gradient_hessian(*safe, hessian=self.hessian)
            gradient, hessian = (each.astype(self.dtype) for each in (pair[0], np.maximum(pair[1], _LEAST)))
        if not np.isfinite(gradient).all() or not np.isfinite(hessian).all():
            row = int(np.argwhere(~(np.isfinite(gradient) & np.isfinite(hessian)))[0][0])
            raise DataError(f"{self.loss!r} has no finite derivatives at row {row}; give smaller steps, or a target in other units.")
        if weight is not None:
            gradient, hessian = gradient * weight, hessian * weight
        return np.where(counts, gradient, self.dtype(0)), np.where(counts, hessian, self.dtype(0))


def _refuse_infinite(target: Array, counts: Array) -> None:
    """Refuse a target that is infinite where it counts: it would pull with a bounded gradient for ever, and no leaf could follow."""
    bad = np.isinf(target) & counts
    if bad.any():
        first = tuple(np.argwhere(bad)[0])
        raise DataError(f"the target of row {first[0]} is {target[first]}; expected a number, or nan where it is missing.")


def _has_no_curvature(loss: Loss) -> bool:
    """Say whether a loss has a corner at the target: its IRLS weight has no bound there."""
    zero = np.zeros(1)
    return not np.isfinite(loss.hessian(zero, zero, hessian="irls")).all()
