"""The reduced loss of arrays, and its gradient, in one pass over memory."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from squarely.losses.compose import amounts, count, denominator, same_shape
from squarely.losses.core import form_in_core
from squarely.losses.forms import Form, Pointwise
from squarely.losses.numpy.compiled import sums, takes
from squarely.losses.numpy.given import refuse_outside
from squarely.losses.numpy.library import NUMPY, Array
from squarely.losses.options import Options

__all__ = ["one_pass"]


def one_pass(
    form: Form, settings: dict[str, Any], pred: Array, target: Array, options: Options, arrays: Mapping[str, Array], *, gradient: bool
) -> tuple[Array, Array | None] | None:
    """Return the mean or the sum, and the gradient by ``pred`` if it is asked for; None of what has to be composed."""
    spreads = {name: each for name, each in arrays.items() if each is not None}
    core = form_in_core(form, settings, [*spreads])
    if core is None or options.covariance is not None or options.reduction not in ("mean", "sum") or options.nan_target == "raise":
        return None
    for name, each in {"target": target, **spreads}.items():
        same_shape(pred, each, name)
    given = amounts(NUMPY, pred, target, options)
    if not takes([pred, target, *spreads.values()], given.weight, given.mask):
        return None
    omit = options.nan_target == "omit"
    has_domain = isinstance(form, Pointwise) and bool(form.kernel.residual.domain)
    counted = given
    if omit or given.weight is not None or has_domain:
        counted = count(NUMPY, pred, target, options)
    if isinstance(form, Pointwise):
        refuse_outside(form.kernel, pred, target, counted)
    dtype, den = pred.dtype, 1.0
    if options.reduction == "mean":
        den = float(denominator(NUMPY, np.zeros((), dtype), counted, options, given.shape))
    if not den:  # nothing counts, or weights add up to 0 where losses need not
        return None
    total, out = sums(core, [pred, target, *spreads.values()], given.weight, given.mask, omit=omit, den=den, gradient=gradient)
    with np.errstate(over="ignore"):
        return (total / den).astype(dtype)[()], out
