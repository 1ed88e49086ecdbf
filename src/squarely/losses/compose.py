"""The one path of a loss: residual, whitening, kernel, weights and masks, reduction. Nothing in it belongs to one framework."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from squarely.errors import DataError
from squarely.losses.kernels import BoundResidual, Kernel
from squarely.losses.kernels.residual import DIFFERENCE
from squarely.losses.library import Library
from squarely.losses.options import Options
from squarely.losses.terms import LossTerms

__all__ = [
    "Counted",
    "amounts",
    "count",
    "denominator",
    "judge",
    "left_aligned",
    "marginal",
    "per_sample",
    "pointwise",
    "reduced",
    "residual",
    "same_shape",
    "total",
]

Array = Any
_COUNTING = ("weight", "sample_weight", "output_weight", "mask")
_ROUNDING = 0.01  # of a covariance in a half type


@dataclass(frozen=True)
class Counted:
    """What counts of a batch, and how much.

    Parameters
    ----------
    shape : shape of the prediction
    mask : array that broadcasts to the shape, or None where all counts
    weight : array that broadcasts to the shape, or None where all counts alike; 0 where the mask is False
    """

    shape: tuple[int, ...]
    mask: Array = None
    weight: Array = None

    def select(self, xp: Any, array: Array, instead: float = 0.0) -> Array:
        """Return the array with another number where it does not count, so that what stands there can do no harm."""
        return array if self.mask is None else xp.where(self.mask, array, instead)


def judge(library: Library, **given: Array) -> None:
    """Refuse what is no array of a library, or holds other than real numbers."""
    for name, each in given.items():
        if not library.is_array(each):
            raise DataError(f"{name} is a {type(each).__name__}; expected {library.array}.")
        if not library.is_real(each):
            raise DataError(f"{name} is of type {each.dtype}; a loss is a function of real numbers.")


def same_shape(pred: Array, target: Array, name: str = "target") -> tuple[int, ...]:
    """Return the shape of both, or refuse: nothing is broadcast."""
    mine, theirs = tuple(pred.shape), tuple(target.shape)
    if mine != theirs:
        raise DataError(f"pred has shape {mine} and {name} {theirs}; a loss broadcasts nothing. Cure: {_cure(mine, theirs, name)}.")
    return mine


def _cure(mine: tuple[int, ...], theirs: tuple[int, ...], name: str) -> str:
    """Return how two shapes become one."""
    if mine == (*theirs, 1):
        return f"{name}[..., None] has the shape of pred"
    if theirs == (*mine, 1):
        return f"{name}[..., 0] has the shape of pred"
    if math.prod(mine) == math.prod(theirs):
        return f"{name}.reshape({mine}), if its elements are in the same order"
    return "give each prediction its own target"


def left_aligned(shape: tuple[int, ...], array: Array, name: str) -> Array:
    """Return an array whose axes are the first of a shape, ready to broadcast."""
    given = tuple(array.shape)
    if given != shape[: len(given)] or not given:
        raise DataError(f"{name} has shape {given} and pred {shape}; expected the first axes of pred, as {shape[:1]}.")
    return array.reshape(given + (1,) * (len(shape) - len(given)))


def _right(shape: tuple[int, ...], array: Array, name: str) -> Array:
    """Return an array whose axes are the last of a shape."""
    given = tuple(array.shape)
    if not given or len(given) > len(shape) or given != shape[len(shape) - len(given) :]:
        raise DataError(f"{name} has shape {given} and pred {shape}; expected the last axes of pred, as {shape[-1:]}.")
    return array.reshape((1,) * (len(shape) - len(given)) + given)


def amounts(library: Library, pred: Array, target: Array, options: Options) -> Counted:
    """Return mask and weight as they were given: the product of all weights, and neither looks at the other or at the target."""
    shape = tuple(pred.shape)
    if not library.is_floating(pred):
        raise DataError(f"pred is of type {pred.dtype}; a loss needs floating-point predictions, for they have a gradient.")
    judge(library, **{name: getattr(options, name) for name in _COUNTING if getattr(options, name) is not None})
    weights = [
        None if options.weight is None else _exact(shape, options.weight),
        None if options.sample_weight is None else left_aligned(shape, options.sample_weight, "sample_weight"),
        None if options.output_weight is None else _right(shape, options.output_weight, "output_weight"),
    ]
    dtype = library.float_of(pred, target)
    weight = None
    for each in weights:
        if each is not None:
            weight = library.cast(each, dtype) if weight is None else weight * library.cast(each, dtype)
    if options.mask is None:
        return Counted(shape, None, weight)
    if not library.is_boolean(options.mask):
        raise DataError(f"mask is of type {options.mask.dtype}; expected True where a target counts. Cure: mask = mask != 0.")
    return Counted(shape, left_aligned(shape, options.mask, "mask"), weight)


def count(library: Library, pred: Array, target: Array, options: Options) -> Counted:
    """Return what counts. A weight of 0 is the same as False in the mask, and neither prediction nor target is looked at there."""
    xp = library.xp
    given = amounts(library, pred, target, options)
    mask, weight = given.mask, given.weight
    if options.nan_target != "propagate" and library.is_floating(target):
        missing = xp.isnan(target)
        missing = missing if mask is None else missing & mask
        if options.nan_target == "raise":
            library.refuse(missing, "a target is nan; mask it, or give nan_target='omit'.")
        else:
            mask = ~missing if mask is None else mask & ~missing
    if weight is not None and mask is None:
        mask = weight != 0
    elif weight is not None:
        mask = mask & (weight != 0)
        weight = xp.where(mask, weight, 0.0)
    return Counted(given.shape, mask, weight)


def _exact(shape: tuple[int, ...], weight: Array) -> Array:
    if tuple(weight.shape) != shape:
        cure = "sample_weight= takes the first axes, output_weight= the last"
        raise DataError(f"weight has shape {tuple(weight.shape)} and pred {shape}; expected one weight for each element. Cure: {cure}.")
    return weight


def pointwise(
    library: Library, kernel: type[Kernel], settings: dict[str, float], pred: Array, target: Array, counted: Counted, options: Options
) -> Array:
    """Return the loss of each element, 0 where it does not count, before weights."""
    bound, plain = kernel.bound(settings), counted.mask is None and options.covariance is None
    if plain and kernel.residual is DIFFERENCE and hasattr(library, "rho_of_difference"):
        return library.rho_of_difference(bound, pred, target)
    u = residual(library, kernel, settings, pred, target, counted)
    if options.covariance is not None:
        u = library.whiten(marginal(library, options.covariance, counted, u.dtype), u)
    return counted.select(library.xp, library.rho(bound, u))  # a loss of one's own may cost something at 0


def residual(library: Library, kernel: type[Kernel], settings: dict[str, float], pred: Array, target: Array, counted: Counted) -> Array:
    """Return what the kernel is a function of: 0 where it does not count."""
    xp = library.xp
    dtype = library.float_of(pred, target)
    pred, target = library.cast(pred, dtype), library.cast(target, dtype)
    if kernel.residual is DIFFERENCE:
        return counted.select(xp, pred - target)  # nothing multiplies the gradient of a difference, so this is as good as before it
    given = {name: settings[name] for name in kernel.residual.takes}
    there = (counted.select(xp, each, 1.0) for each in (pred, target))  # relative to 1, a residual of 0 is 0
    return library.residual(BoundResidual(kernel.residual, given), *there)


def marginal(library: Library, covariance: Array, counted: Counted, dtype: Any) -> Array:
    """Return the covariance of what counts: where an output is missing, its row and column are those of 1."""
    xp, outputs = library.xp, counted.shape[-1:]
    judge(library, covariance=covariance)
    given = tuple(covariance.shape)
    if not outputs or given[-2:] != outputs * 2 or given[:-2] not in ((), counted.shape[:-1]):
        wanted = f"{outputs * 2}, or one such matrix for each sample" if outputs else "predictions with an axis of outputs"
        raise DataError(f"covariance has shape {given} and pred {counted.shape}; expected {wanted}.")
    covariance = _symmetric(xp, library.cast(covariance, dtype))
    if counted.mask is None or counted.mask.shape[-1] != outputs[0] or outputs[0] == 1:
        return covariance
    there = xp.where(counted.mask, xp.ones_like(covariance[..., 0, :]), xp.zeros_like(covariance[..., 0, :]))
    both = there[..., :, None] * there[..., None, :]
    return covariance * both + library.constant(np.eye(outputs[0]), covariance) * (1 - both)


def _symmetric(xp: Any, covariance: Array) -> Array:
    """Return the matrices, and nan for one whose halves differ by more than rounding: a factor of Cholesky's, of which only one half is read."""
    size = xp.sqrt(xp.abs(xp.diagonal(covariance, 0, -2, -1)))
    apart = xp.abs(covariance - xp.swapaxes(covariance, -1, -2))
    return xp.where(apart <= _ROUNDING * size[..., :, None] * size[..., None, :], covariance, xp.full_like(covariance, math.nan))


def total(library: Library, values: Array, counted: Counted, options: Options) -> LossTerms:
    """Return the sum of what counts and what a mean of it is divided by."""
    num = _weighted(values, counted).sum()
    return LossTerms(num, denominator(library, num, counted, options, counted.shape))


def reduced(library: Library, values: Array, counted: Counted, options: Options) -> Array:
    """Return the losses of a batch as they were asked for."""
    if options.reduction == "none":
        return _weighted(values, counted)
    if options.reduction == "sum":
        return _weighted(values, counted).sum()
    if options.reduction == "mean":
        return total(library, values, counted, options).mean()
    return per_sample(library, values, counted, options).mean()


def per_sample(library: Library, values: Array, counted: Counted, options: Options) -> LossTerms:
    """Return the same as ``total`` for each sample of the batch."""
    if not counted.shape:
        raise DataError("reduction='per_sample' needs an axis of samples, and pred is one number.")
    each = _weighted(values, counted).reshape(counted.shape[0], math.prod(counted.shape[1:])).sum(-1)
    return LossTerms(each, denominator(library, each, counted, options, counted.shape[1:]))


def _weighted(values: Array, counted: Counted) -> Array:
    return values if counted.weight is None else values * counted.weight


def denominator(library: Library, num: Array, counted: Counted, options: Options, shape: tuple[int, ...]) -> Array:
    """Return what the means over axes of a shape are divided by: those of the batch, or of each of its samples.

    It has the type and place of ``num``. Weights and mask have to know of each other and of missing targets, as ``count`` returns them,
    unless there is one of them alone.
    """
    kind = options.denom if options.denom is not None else "weight" if counted.weight is not None else "valid"
    amount = counted.weight if kind == "weight" else counted.mask if kind == "valid" else None
    if not isinstance(kind, str):
        return kind if hasattr(kind, "shape") else library.xp.full_like(library.stop(num), float(kind))
    if kind == "weight" and amount is None:
        raise DataError("denom is 'weight' and there is none; give weight=, sample_weight= or output_weight=, or denom='valid'.")
    whole = shape == counted.shape
    if amount is None:
        size = (counted.shape[0] if whole else 1) if kind == "batch" and counted.shape else math.prod(shape)
        return library.xp.full_like(library.stop(num), float(size))
    if amount.shape == counted.shape and whole:
        return amount.sum(dtype=num.dtype)
    given = tuple(amount.shape)
    each = amount.reshape((1, math.prod(given)) if whole else (given[0], math.prod(given[1:])))
    sums = each.sum(-1, dtype=num.dtype) * (math.prod(shape) / each.shape[1] if each.shape[1] else 0.0)  # an axis of length 1 stands for all
    return sums.reshape(()) if whole else sums
