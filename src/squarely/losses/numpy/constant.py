"""The constant prediction of least loss, in closed form where there is one."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from squarely.errors import DataError
from squarely.losses.kernels import Bound, Kernel
from squarely.losses.numpy.given import array_of
from squarely.losses.numpy.library import NUMPY, Array

__all__ = ["best_constant"]

_STEPS = 500
_SAME = 1 + 1e-13  # a minimum is flat: within half of the digits of it the totals are the same but for rounding, and the slope tells more


def best_constant(kernel: type[Kernel], settings: dict[str, float], target: Any, sample_weight: Any) -> float:
    """Return the c that minimises the weighted sum of the losses of c and each target."""
    y, w = _rows(kernel, target, sample_weight)
    with np.errstate(all="ignore"):
        closed = _CLOSED.get(kernel.name)
        return closed(y, w, **settings) if closed is not None else _search(kernel.bound(settings), y, w)


def _rows(kernel: type[Kernel], target: Any, sample_weight: Any) -> tuple[Array, Array]:
    """Return targets and weights as doubles, without rows that have no weight; refuse what has no best constant."""
    y = array_of("target", target).astype(np.float64)
    if y.ndim != 1:
        raise DataError(f"target has shape {y.shape}; expected one axis. Cure: target.ravel(), or one call for each output.")
    w = np.ones_like(y) if sample_weight is None else array_of("sample_weight", sample_weight).astype(np.float64)
    if w.shape != y.shape:
        raise DataError(f"sample_weight has shape {w.shape} and target {y.shape}; expected one weight for each target.")
    NUMPY.refuse(~(w >= 0) | np.isinf(w), "a sample_weight is negative or not finite; a constant needs weights of at least 0.")
    NUMPY.refuse((w > 0) & ~np.isfinite(y), "a target is not finite; leave such rows out, or give them the weight 0.")
    if kernel.residual.domain:
        NUMPY.refuse((w > 0) & (y <= -1), f"{kernel.name} is defined for {kernel.residual.domain}; transform the target.")
    y, w = y[w > 0], w[w > 0]
    if not y.size:
        raise DataError("no target has a weight above 0; there is no best constant of nothing.")
    return y, w


def _mean(y: Array, w: Array) -> float:
    return float(np.average(y, weights=w))


def _relative(y: Array, w: Array, eps: float) -> float:
    """Return the mean by weights w / (y^2 + eps^2); of a target of 0 without ``eps`` any other prediction costs infinitely much."""
    unit = np.hypot(y, eps)
    return 0.0 if (unit == 0).any() else _mean(y, w * (unit.min() / unit) ** 2)


def _quantile(y: Array, w: Array, alpha: float = 0.5) -> float:
    """Return the middle of all c with sum(w[y < c]) <= alpha sum(w) <= sum(w[y <= c])."""
    order = np.argsort(y, kind="stable")
    y, reached = y[order], np.cumsum(w[order])
    wanted = alpha * reached[-1]
    low = int(np.searchsorted(reached, wanted, side="left"))
    high = int(np.searchsorted(reached, wanted, side="right"))
    last = len(y) - 1
    return float(0.5 * y[min(low, last)] + 0.5 * y[min(high, last)])


def _linex(y: Array, w: Array, a: float) -> float:
    """Return -log(mean(exp(-a y))) / a about its largest term; as a goes to 0, the mean."""
    if a == 0:
        return _mean(y, w)
    least = float(y.min() if a > 0 else y.max())
    return least - math.log1p(_mean(np.expm1(-a * (y - least)), w)) / a


_CLOSED: dict[str, Callable[..., float]] = {
    "mse_loss": _mean,
    "half_mse_loss": _mean,
    "l1_loss": _quantile,
    "pinball_loss": _quantile,
    "linex_loss": _linex,
    "msle_loss": lambda y, w: math.expm1(_mean(np.log1p(y), w)),
    "relative_squared_loss": _relative,
}


def _search(loss: Bound, y: Array, w: Array) -> float:
    """Return the minimum that is found from the median: by Newton's steps where they flatten the slope, else by reweighted means."""
    c = _quantile(y, w)
    slope = _slope(loss, y, w, c)
    for _ in range(_STEPS):
        if slope == 0:
            break
        bend = float(np.sum(w * loss.kappa(np, c - y)))
        newton = c - slope / bend if bend > 0 else math.nan
        if abs(_slope(loss, y, w, newton)) < abs(slope) and _total(loss, y, w, newton) <= _total(loss, y, w, c) * _SAME:
            further = newton
        else:
            further = _downhill(loss, y, w, c, c - slope / float(np.sum(w * loss.omega(np, c - y))))
        if further == c:
            break
        c, slope = further, _slope(loss, y, w, further)
    return c


def _downhill(loss: Bound, y: Array, w: Array, c: float, aim: float) -> float:
    """Return the first of c + (aim - c) / 2^k that costs less than c, or c where none does."""
    here, step = _total(loss, y, w, c), aim - c
    while c + step != c:
        if _total(loss, y, w, c + step) < here:
            return c + step
        step *= 0.5
    return c


def _slope(loss: Bound, y: Array, w: Array, c: float) -> float:
    return float(np.sum(w * loss.psi(np, c - y)))


def _total(loss: Bound, y: Array, w: Array, c: float) -> float:
    return float(np.sum(w * loss.rho(np, c - y)))
