"""Losses as functions of arrays of NumPy, which say no to numbers outside their domain."""

from typing import Any

import numpy as np

from squarely.losses.calls import Call
from squarely.losses.compose import Counted
from squarely.losses.core import has
from squarely.losses.forms import Form
from squarely.losses.kernels import Kernel
from squarely.losses.numpy.given import array_of, refuse_outside, with_arrays
from squarely.losses.numpy.library import NUMPY, Array
from squarely.losses.numpy.one_pass import one_pass
from squarely.losses.options import Options

__all__ = ["NumpyCall"]


class NumpyCall(Call):
    """A loss as a function ``(pred, target, *, settings, arrays and options)`` of whatever ``numpy.asarray`` takes."""

    def __init__(self, declared: type[Kernel] | type[Form]) -> None:
        super().__init__(declared, NUMPY)

    def __call__(self, pred: Any, target: Any, **given: Any) -> Array:
        """Return the mean over what counts, or what ``reduction`` says."""
        if has(self._form):
            options, arrays, settings = self._read(with_arrays(given, *self._form.arrays))
            passed = one_pass(self._form, settings, array_of("pred", pred), array_of("target", target), options, arrays, gradient=False)
            if passed is not None:
                return passed[0]
        with np.errstate(all="ignore"):
            return super().__call__(pred, target, **given)  # type: ignore[no-any-return]

    def _values(self, pred: Any, target: Any, given: dict[str, Any]) -> tuple[Array, Counted, Options]:
        pred, target = array_of("pred", pred), array_of("target", target)
        with np.errstate(all="ignore"):  # a loss beyond every float is infinite, as it is for every framework
            values, counted, options = super()._values(pred, target, with_arrays(given, *self._form.arrays))
        if issubclass(self.declared, Kernel):
            refuse_outside(self.declared, pred, target, counted)
        return values, counted, options
