"""What NumPy takes from the core: losses and derivatives of each element, and the sum of all with its gradient, in one pass over memory."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from squarely import _core
from squarely.losses.core import ALL, CURVATURES, InCore, Spread, spread
from squarely.losses.numpy.library import Array
from squarely.losses.room import room_for
from squarely.state.threads import threads

__all__ = ["sums", "takes", "write"]

_FLOATS = (np.float32, np.float64)


def _threads_for(kernel: InCore, elements: int) -> int:
    """Return how many threads so many elements are worth."""
    most = elements // kernel.worth_a_thread
    return min(threads(), most) if most > 1 else 1


def write(kernel: InCore, pred: Array, target: Any, weight: Any, *outs: tuple[bool, Any], curvature: str = "exact") -> list[Any] | None:
    """Return the arrays of loss, gradient and curvature that are wanted; None where the core does not take such arrays, or some share memory."""
    arrays = [None if not is_wanted else np.empty_like(pred) if out is None else out for is_wanted, out in outs]
    loss, gradient, hessian = arrays
    count = _threads_for(kernel, pred.size)
    is_done = _core.losses(kernel.number, kernel.constants, pred, target, weight, loss, gradient, hessian, CURVATURES[curvature], count)
    return arrays if is_done else None


def takes(rows: Sequence[Array], weight: Array | None, mask: Array | None) -> bool:
    """Say whether the core takes such arrays: floats of one type in one piece, and what stands for several rows in theirs.

    ``rows`` are prediction, target and, of a likelihood, its spread.
    """
    pred = rows[0]
    if pred.dtype not in _FLOATS or any(each.dtype != pred.dtype for each in rows) or not pred.size:
        return False
    counted = [each for each in (weight, mask) if each is not None]
    is_spread = all(spread(pred.shape, each.shape, 0) is not None for each in counted)
    return is_spread and all(each.flags.c_contiguous for each in (*rows, *counted))


def sums(
    core: InCore, rows: Sequence[Array], weight: Array | None, mask: Array | None, *, omit: bool, den: float, gradient: bool
) -> tuple[Array, Array | None]:
    """Return the sum of weight times loss as a double, and the gradient divided by ``den``, of arrays that the core takes."""
    pred = rows[0]
    weight = None if weight is None else weight.astype(pred.dtype, copy=False)
    out = room_for(pred.shape, pred.dtype) if gradient else None
    total = core.add(
        pred.dtype == np.float64,
        (pred.size, pred.ctypes.data, rows[1].ctypes.data),
        (_spread(pred, weight), _spread(pred, mask)),
        omit=omit,
        den=den,
        gradient=0 if out is None else out.ctypes.data,
        threads=_threads_for(core, pred.size),
        spread=rows[2].ctypes.data if len(rows) > 2 else 0,
    )
    return np.asarray(total), out


def _spread(pred: Array, given: Array | None) -> Spread:
    return ALL if given is None else spread(pred.shape, given.shape, given.ctypes.data) or ALL
