"""Formulas over blocks of rows: what they make on the way stays in the cache, whatever the length of the arrays."""

import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from squarely.errors import DataError
from squarely.losses.compose import left_aligned, same_shape
from squarely.losses.numpy.given import array_of
from squarely.losses.numpy.library import NUMPY, Array

__all__ = ["Formula", "over_blocks"]

Formula = Callable[[Array, Array, Array], Array]  # of pred, target and residual
_BLOCK = 1 << 13  # elements: a few arrays of so many doubles fit the second cache


def over_blocks(
    residual: Callable[[Array, Array], Array],
    formulas: list[tuple[str, Formula, Array | None]],
    pred: Any,
    target: Any,
    sample_weight: Any = None,
) -> tuple[Array, ...]:
    """Return the value of each formula for each element, times its weight; in the array that was given for it, if one was.

    Parameters
    ----------
    residual : function of pred and target
    formulas : name of the argument, formula, and the array for its values or None
    """
    pred, target = array_of("pred", pred), array_of("target", target)
    shape, dtype = same_shape(pred, target), NUMPY.float_of(pred, target)
    if not NUMPY.is_floating(pred):
        raise DataError(f"pred is of type {pred.dtype}; a loss needs floating-point predictions, for they have a gradient.")
    outs = [_buffer(name, out, shape, dtype) for name, _, out in formulas]
    _apart({name: out for (name, _, _), out in zip(formulas, outs, strict=True)}, pred=pred, target=target, sample_weight=sample_weight)
    weight = None if sample_weight is None else left_aligned(shape, array_of("sample_weight", sample_weight), "sample_weight")
    with np.errstate(all="ignore"):  # a loss beyond every float is infinite
        for p, t, w, *parts in _blocks(pred, target, weight, *outs):
            p, t = NUMPY.cast(p, dtype), NUMPY.cast(t, dtype)
            u = residual(p, t)
            for (_, formula, _), part in zip(formulas, parts, strict=True):
                _write(part, formula(p, t, u), w)
    return tuple(outs)


def _buffer(name: str, out: Array | None, shape: tuple[int, ...], dtype: Any) -> Array:
    """Return an array for values, or refuse the one that was given."""
    if out is None:
        return np.empty(shape, dtype)
    if not isinstance(out, np.ndarray) or out.shape != shape or not NUMPY.is_floating(out) or not out.flags.writeable:
        kind = f"{out.dtype} array of shape {out.shape}" if isinstance(out, np.ndarray) else type(out).__name__
        raise DataError(f"{name} is a {kind}; expected a floating-point array of shape {shape} that can be written to.")
    return out


def _apart(outs: Mapping[str, Array], **read: Any) -> None:
    """Refuse arrays that would be written to while something else is read from them, or written."""
    for (name, out), (other, each) in itertools.product(outs.items(), {**read, **outs}.items()):
        if name != other and isinstance(each, np.ndarray) and np.shares_memory(out, each):
            raise DataError(f"{name} shares memory with {other}, which would change before it is read; expected an array of its own.")


def _blocks(pred: Array, target: Array, weight: Array | None, *outs: Array) -> Iterator[tuple[Any, ...]]:
    """Return views of the same rows of all arrays; an array in one piece is cut anywhere, others by their first axis."""
    is_flat = weight is None or weight.shape == pred.shape
    arrays = [each for each in (pred, target, weight, *outs) if each is not None]
    if not pred.ndim or (is_flat and all(each.flags.c_contiguous for each in arrays)):
        pred, target = pred.reshape(-1), target.reshape(-1)
        weight, outs = None if weight is None else weight.reshape(-1), tuple(each.reshape(-1) for each in outs)
    rows = max(1, _BLOCK * len(pred) // max(1, pred.size))
    for start in range(0, len(pred), rows):
        cut = slice(start, start + rows)
        yield pred[cut], target[cut], None if weight is None else weight[cut], *(each[cut] for each in outs)


def _write(part: Array, values: Array, weight: Array | None) -> None:
    """Write values times weights; where a weight is 0 nothing counts, be it infinite or missing."""
    if weight is None:
        part[...] = values
        return
    np.multiply(values, weight, out=part, casting="same_kind")
    if not np.min(weight, initial=1) > 0:
        part[np.broadcast_to(weight == 0, part.shape)] = 0
