"""A reduced loss with its gradient by the prediction: weights, masks, missing targets, covariances and denominators included."""

from typing import Any

import numpy as np

from squarely.losses.compose import Counted, count, marginal, per_sample, reduced, residual, same_shape, total
from squarely.losses.forms import Pointwise
from squarely.losses.kernels import Kernel
from squarely.losses.numpy.given import array_of, refuse_outside, with_arrays
from squarely.losses.numpy.library import NUMPY, Array
from squarely.losses.numpy.one_pass import one_pass
from squarely.losses.options import Options

__all__ = ["value_and_grad"]


def value_and_grad(kernel: type[Kernel], settings: dict[str, float], pred: Any, target: Any, given: dict[str, Any]) -> tuple[Array, Array]:
    r"""Return the reduced loss and the gradient of the sum of what it returns.

    .. math:: \nabla = \frac{w}{D} \, u' \, L^{-T} \rho'(L^{-1} u), \quad L L^T = \text{covariance}
    """
    pred, target = array_of("pred", pred), array_of("target", target)
    options = Options(**with_arrays(given))
    same_shape(pred, target)
    passed = one_pass(Pointwise(kernel), settings, pred, target, options, {}, gradient=True)
    if passed is not None and passed[1] is not None:
        return passed[0], passed[1]
    counted = count(NUMPY, pred, target, options)
    refuse_outside(kernel, pred, target, counted)
    bound, taken = kernel.bound(settings), {name: settings[name] for name in kernel.residual.takes}
    with np.errstate(all="ignore"):
        u = residual(NUMPY, kernel, settings, pred, target, counted)
        whitening = None if options.covariance is None else marginal(NUMPY, options.covariance, counted, u.dtype)
        white = u if whitening is None else NUMPY.whiten(whitening, u)
        values = counted.select(np, bound.rho(np, white))
        slope = bound.psi(np, white) * _share(values, counted, options)
        if whitening is not None:
            slope = NUMPY.unwhiten(whitening, slope)
        unit = kernel.residual.slope(np, *(NUMPY.cast(counted.select(np, each, 1.0), u.dtype) for each in (pred, target)), **taken)
        gradient = counted.select(np, slope * unit)
        value = reduced(NUMPY, values, counted, options)
    return np.asarray(value)[()], NUMPY.cast(gradient, pred.dtype)


def _share(values: Array, counted: Counted, options: Options) -> Array:
    """Return what each element counts of the reduced loss: its weight over the denominator."""
    weight = np.ones_like(values) if counted.weight is None else np.broadcast_to(counted.weight, values.shape)
    if options.reduction in ("none", "sum"):
        return weight
    terms = total(NUMPY, values, counted, options) if options.reduction == "mean" else per_sample(NUMPY, values, counted, options)
    den = terms.den + ((terms.den == 0) & (terms.num == 0))
    return weight / np.reshape(den, np.shape(den) + (1,) * (values.ndim - np.ndim(den)))
