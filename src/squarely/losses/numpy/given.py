"""What is given to losses of NumPy: lists where there may be arrays, and numbers outside the domain."""

from typing import Any

import numpy as np

from squarely.errors import DataError
from squarely.losses.compose import Counted
from squarely.losses.kernels import Kernel
from squarely.losses.numpy.library import NUMPY, Array

__all__ = ["array_of", "refuse_outside", "with_arrays"]

_ARRAYS = ("weight", "sample_weight", "output_weight", "mask", "covariance")


def array_of(name: str, given: Any) -> Array:
    """Return an array of real numbers, or refuse what is none: masked values, whose numbers mean nothing, and texts and dates."""
    if type(given) is np.ndarray and NUMPY.is_real(given):
        return given
    if np.ma.is_masked(given):
        cure = f"{name}.filled(numpy.nan) with nan_target='omit', or {name}.data with mask=~{name}.mask"
        raise DataError(f"{name} is a masked array, and what it hides would count. Cure: {cure}.")
    try:
        array = np.asarray(given)
    except (ValueError, TypeError, RuntimeError) as error:
        raise DataError(f"{name} is a {type(given).__name__} that makes no array: {error}") from error
    if not NUMPY.is_real(array):
        raise DataError(
            f"{name} is of type {array.dtype}; expected real numbers. Cure: numpy.asarray({name}, dtype=float), if that is what it means."
        )
    return array


def with_arrays(given: dict[str, Any], *more: str) -> dict[str, Any]:
    """Return what a call says, with arrays where there may be lists."""
    return {name: array_of(name, each) if name in (*_ARRAYS, *more) and each is not None else each for name, each in given.items()}


def refuse_outside(kernel: type[Kernel], pred: Array, target: Array, counted: Counted) -> None:
    """Raise where a number that counts is outside the domain of the residual."""
    if not kernel.residual.domain:
        return
    with np.errstate(all="ignore"):
        outside = np.isnan(kernel.residual.of(np, counted.select(np, pred), counted.select(np, target)))
    outside &= np.isfinite(pred) & np.isfinite(target)
    NUMPY.refuse(outside, f"{kernel.name} is defined for {kernel.residual.domain}; transform the target, or take mse_loss.")
