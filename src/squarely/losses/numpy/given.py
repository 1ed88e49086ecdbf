"""What is given to losses of NumPy: lists where there may be arrays, and numbers outside the domain."""

from typing import Any

import numpy as np

from squarely.losses.compose import Counted
from squarely.losses.kernels import Kernel
from squarely.losses.numpy.library import NUMPY, Array

__all__ = ["refuse_outside", "with_arrays"]

_ARRAYS = ("weight", "sample_weight", "output_weight", "mask", "covariance")


def with_arrays(given: dict[str, Any], *more: str) -> dict[str, Any]:
    """Return what a call says, with arrays where there may be lists."""
    return {name: np.asarray(each) if name in (*_ARRAYS, *more) and each is not None else each for name, each in given.items()}


def refuse_outside(kernel: type[Kernel], pred: Array, target: Array, counted: Counted) -> None:
    """Raise where a number that counts is outside the domain of the residual."""
    if not kernel.residual.domain:
        return
    with np.errstate(all="ignore"):
        outside = np.isnan(kernel.residual.of(np, counted.select(np, pred), counted.select(np, target)))
    outside &= np.isfinite(pred) & np.isfinite(target)
    NUMPY.refuse(outside, f"{kernel.name} is defined for {kernel.residual.domain}; transform the target, or take mse_loss.")
