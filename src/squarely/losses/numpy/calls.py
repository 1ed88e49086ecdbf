"""Losses as functions of arrays of NumPy, which say no to numbers outside their domain."""

from typing import Any

import numpy as np

from squarely.losses.calls import Call
from squarely.losses.compose import Counted
from squarely.losses.forms import Form
from squarely.losses.kernels import Kernel
from squarely.losses.numpy.library import NUMPY, Array
from squarely.losses.options import Options

__all__ = ["NumpyCall", "refuse_outside", "with_arrays"]

_ARRAYS = ("weight", "sample_weight", "output_weight", "mask", "covariance")


class NumpyCall(Call):
    """A loss as a function ``(pred, target, *, settings, arrays and options)`` of whatever ``numpy.asarray`` takes."""

    def __init__(self, declared: type[Kernel] | type[Form]) -> None:
        super().__init__(declared, NUMPY)

    def _values(self, pred: Any, target: Any, given: dict[str, Any]) -> tuple[Array, Counted, Options]:
        pred, target = np.asarray(pred), np.asarray(target)
        with np.errstate(all="ignore"):  # a loss beyond every float is infinite, as it is for every framework
            values, counted, options = super()._values(pred, target, with_arrays(given, *self._form.arrays))
        if issubclass(self.declared, Kernel):
            refuse_outside(self.declared, pred, target, counted)
        return values, counted, options


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
