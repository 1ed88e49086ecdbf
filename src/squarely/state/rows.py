"""The best constant prediction under the pinball loss, found exactly."""

from typing import Any

import numpy as np

from squarely import validate
from squarely.state.pairs import PairState
from squarely.state.sums import Sums

__all__ = ["best_constant"]


def best_constant(y_true: Any, y_pred: Any, sample_weight: Any, alpha: float) -> PairState:
    """Return the state of (y, c, w) for the constant c with the least pinball loss at level ``alpha``.

    c is a weighted quantile of the target, and one of its values. The rows are those that a state of (y, p, w) keeps.
    """
    y, p, w, _ = validate.pair_columns(y_true, y_pred, sample_weight)
    kept = np.isfinite(y) & np.isfinite(p) if w is None else np.isfinite(y) & np.isfinite(p) & (w > 0)
    y, w = y[kept], None if w is None else w[kept]
    if not len(y):
        return PairState()
    corners = np.unique(y)
    low, high = 0, len(corners) - 1
    while low < high:  # the loss is convex: it falls up to the best corner, and not after it
        middle = (low + high) // 2
        if _is_better(_constant(y, corners[middle + 1], w).sums, _constant(y, corners[middle], w).sums, alpha):
            low = middle + 1
        else:
            high = middle
    return _constant(y, corners[low], w)


def _constant(y: Any, c: Any, w: Any) -> PairState:
    return PairState.of(y, np.broadcast_to(c, y.shape), w)


def _is_better(a: Sums, b: Sums, alpha: float) -> bool:
    """Compare two pinball losses over the same targets and weights, exactly."""
    top, bottom = float(alpha).as_integer_ratio()
    low = min(a.linear_scale, b.linear_scale)
    loss_a, loss_b = ((top * s.below + (bottom - top) * s.above) << (s.linear_scale - low) for s in (a, b))
    return loss_a < loss_b
