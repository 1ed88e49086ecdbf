"""Barron's family as a likelihood whose shape and scale are learned."""

import math
from typing import Any

import numpy as np

from squarely.errors import DataError
from squarely.losses.compose import count, same_shape
from squarely.losses.forms.form import Array, Form, Values, form, only
from squarely.losses.kernels.careful import root
from squarely.losses.kernels.redescending import Barron
from squarely.losses.library import Library
from squarely.losses.options import Options

__all__ = ["Adaptive"]

_STEP = 0.1
_NODES = np.arange(0.0, 19.2, _STEP)  # beyond 1e8 scales lies less than 1e-8 of every law; float32 holds the square of that
# Numbers of Python: an exported program of torch would keep an array of NumPy as a tensor without numbers.
_PLACES = tuple(np.sinh(_NODES).tolist())
_WIDTHS = tuple((2 * _STEP * np.cosh(_NODES) * np.where(_NODES == 0, 0.5, 1.0)).tolist())


def _rho(xp: Any, z: Array, alpha: Array) -> Array:
    """Return the general loss of z = u / scale for 0 < alpha < 2, differentiable by both."""
    b = 2 - alpha
    v = xp.abs(z) / xp.sqrt(b)
    near = xp.log1p(xp.clip(v, None, 1.0) ** 2)
    return b / alpha * xp.expm1(0.5 * alpha * xp.where(v < 1, near, 2 * xp.log(root(xp, v))))


@form
class Adaptive(Form):
    r"""The negative log-likelihood of Barron's family, of which shape and scale may be learned: both cost what they should.

    The normaliser :math:`Z(\alpha) = \int e^{-\rho(x, \alpha)} dx` is the trapezoidal rule in :math:`x = \sinh t`, right to 1e-8.
    """

    name = "adaptive_loss"
    title = "Adaptive robust loss"
    tex = r"\rho(u, \alpha, c) + \log c + \log Z(\alpha)"
    reference = Barron.reference
    elicits = "M-estimate of location"
    arrays = {
        "alpha": "the shape, above 0 and below 2 (others give nan); one, or one for each output along the last axis",
        "scale": "the scale, above 0; one, or one for each output along the last axis",
    }

    def values(self, library: Library, pred: Array, target: Array, options: Options, settings: Any, arrays: Any) -> Values:
        only(options, self.name, covariance=(None,))
        if arrays.get("alpha") is None or arrays.get("scale") is None:
            raise DataError(f"{self.name} takes alpha= and scale=, arrays of no axis or of the last axis of pred.")
        same_shape(pred, target)
        xp, counted = library.xp, count(library, pred, target, options)
        dtype = library.float_of(pred, target)
        alpha, scale = library.cast(arrays["alpha"], dtype), library.cast(arrays["scale"], dtype)
        for name, each in (("alpha", alpha), ("scale", scale)):
            if tuple(each.shape) not in ((), tuple(pred.shape[-1:])):
                raise DataError(f"{name} has shape {tuple(each.shape)} and pred {tuple(pred.shape)}; expected () or {tuple(pred.shape[-1:])}.")
        alpha = xp.where((alpha > 0) & (alpha < 2), alpha, xp.full_like(alpha, math.nan))  # beyond, the law has no normaliser
        u = library.cast(counted.select(xp, pred), dtype) - library.cast(counted.select(xp, target), dtype)
        heights = xp.exp(-_rho(xp, library.constant(_PLACES, u), alpha[..., None]))
        normaliser = (heights * library.constant(_WIDTHS, u)).sum(-1)
        return counted.select(xp, _rho(xp, u / scale, alpha) + xp.log(scale) + xp.log(normaliser)), counted
