"""Value and gradient of a loss in one pass over memory, behind the same functions as the composition of torch's operations.

An engine computes both at once for the tensors of one kind of device. What it does not take, and whatever asks for more than a gradient by the
prediction, goes by composition: transforms and compilers, forward mode, gradients by targets and weights, and gradients of gradients.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

from squarely.losses.compose import amounts, count, denominator, same_shape
from squarely.losses.kernels import Bound, Kernel
from squarely.losses.options import Options
from squarely.losses.terms import LossTerms
from squarely.losses.torch import cpu, cuda
from squarely.losses.torch.library import HALVES, TORCH, torch, unpack_dual

__all__ = ["ENGINES", "in_one_pass", "terms_in_one_pass"]

Tensor = torch.Tensor
Composed = Callable[..., Tensor]  # (pred, target, **given), by torch's operations


class Engine(NamedTuple):
    """What finds value and gradient on one kind of device, and what multiplies a gradient by a number that is there."""

    one_pass: Callable[..., tuple[Tensor, Tensor | None] | None]
    multiplied: Callable[[Tensor, Tensor], Tensor]


ENGINES = {"cpu": Engine(cpu.one_pass, Tensor.mul_), "cuda": Engine(cuda.one_pass, cuda.multiplied)}


class _Found:
    """A value that is known with its gradient, and how to find that again: by the same pass, or by composition."""

    def __init__(self, value: Tensor, gradient: Tensor | None, passed: Callable[..., Any], scale: Any, composed: Composed, given: Any) -> None:
        self.value = value
        self.gradient = gradient
        self.scale = scale
        self.passed = passed
        self.composed = composed
        self.names = [name for name, each in given.items() if isinstance(each, Tensor)]
        self.given = {name: each for name, each in given.items() if name not in self.names}


class _OnePass(torch.autograd.Function):
    """A value whose gradient is known, and handed over to whoever asks first; its own gradient is that of the composition."""

    @staticmethod
    def forward(ctx: Any, pred: Tensor, target: Tensor, found: _Found, *others: Tensor) -> Tensor:
        ctx.found = found
        ctx.save_for_backward(pred, target, *others)
        return found.value

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        pred, target, *others = ctx.saved_tensors
        found, grad, rest = ctx.found, grads[0], (None,) * (2 + len(others))
        if torch.is_grad_enabled():
            value = found.composed(pred, target, **found.given, **dict(zip(found.names, others, strict=True)))
            return torch.autograd.grad(value, pred, grad, create_graph=True)[0], *rest
        gradient, found.gradient = found.gradient, None  # whoever gets it may write to it
        again = partial(found.passed, pred.detach(), target)
        if torch._C._functorch.is_batchedtensor(grad) or torch._C._functorch.is_legacy_batchedtensor(grad):  # many at once
            return again()[1] * _column(grad, pred.ndim), *rest
        if not grad.ndim and grad.device.type == "cpu" and grad.item() == 1:  # as at the end of most programs
            return again()[1] if gradient is None else gradient, *rest
        if pred.dtype is torch.float16 or (pred.dtype in HALVES and grad.device.type == "cpu"):  # elsewhere nobody knows yet whether it is 1
            return again(scale=found.scale * grad)[1], *rest  # rounded once, after every factor: one alone may be too small for the type
        gradient = again()[1] if gradient is None else gradient
        return (gradient.mul_(_column(grad, pred.ndim)) if grad.ndim else ENGINES[pred.device.type].multiplied(gradient, grad)), *rest


def _column(grad: Tensor, axes: int) -> Tensor:
    """Return the gradient of the value, or of that of each sample, so that it multiplies rows."""
    return grad.reshape(grad.shape + (1,) * (axes - 1)) if grad.ndim else grad


def in_one_pass(
    kernel: type[Kernel], settings: dict[str, Any], options: Options, pred: Tensor, target: Tensor, composed: Composed, given: Any
) -> Any:
    """Return the loss as it was asked for, or None where it has to be composed.

    Parameters
    ----------
    composed, given : the same function by composition, and what it was given beside prediction and target
    """
    if (
        options.reduction == "none"
        or (options.reduction == "per_sample" and (not pred.ndim or pred.dtype in HALVES))
        or not _is_for_engines(kernel, settings, options, pred, target, given)
    ):
        return None
    if options.reduction == "per_sample":
        like = torch.empty(pred.shape[:1], dtype=TORCH.float_of(pred, target), device=pred.device)
        den = _denominator(pred, target, options, like)
        sums = lambda *arrays, **more: composed(*arrays, **more) * (den + (den == 0))  # noqa: E731
        num = _sums(kernel.bound(settings), options, pred, target, 1.0, sums, given, samples=True)
        return None if num is None else LossTerms(num, den).mean()
    scale: Any = 1.0
    if options.reduction == "mean":
        den = _denominator(pred, target, options, None)
        scale = 1 / (den or 1.0) if isinstance(den, float) else 1 / (den + (den == 0)).double()
    return _sums(kernel.bound(settings), options, pred, target, scale, composed, given)


def terms_in_one_pass(
    kernel: type[Kernel], settings: dict[str, Any], options: Options, pred: Tensor, target: Tensor, composed: Composed, given: Any
) -> Any:
    """Return numerator and denominator of the mean, or None where they have to be composed."""
    if not _is_for_engines(kernel, settings, options, pred, target, given):
        return None
    num = _sums(kernel.bound(settings), options, pred, target, 1.0, composed, given)
    if num is None:
        return None
    den = _denominator(pred, target, options, None)
    return LossTerms(num, torch.full_like(num.detach(), den) if isinstance(den, float) else den)


def _is_for_engines(kernel: type[Kernel], settings: dict[str, Any], options: Options, pred: Tensor, target: Tensor, given: Mapping[str, Any]) -> bool:
    """Say whether there is an engine for the device, and nobody watches but the tape."""
    tensors = [pred, target, *(each for each in given.values() if hasattr(each, "shape"))]
    return (
        not torch.compiler.is_compiling()
        and all(type(each) in (Tensor, torch.nn.Parameter) for each in tensors)
        and pred.device.type in ENGINES
        and all(each.device == pred.device for each in tensors)
        and not kernel.residual.takes
        and options.covariance is None
        and options.nan_target != "raise"
        and not any(each.requires_grad for each in tensors[1:])
        and not any(each.is_neg() for each in tensors)  # whose memory holds other numbers
        and not torch._C._are_functorch_transforms_active()
        and not torch._C._len_torch_dispatch_stack()
        and torch._C._get_tracing_state() is None
        and (torch.autograd.forward_ad._current_level < 0 or all(unpack_dual(each).tangent is None for each in tensors))  # type: ignore[no-untyped-call]
    )


def _sums(
    kernel: Bound, options: Options, pred: Tensor, target: Tensor, scale: Any, composed: Composed, given: Any, *, samples: bool = False
) -> Tensor | None:
    """Return the sum of weight times loss times a scale, or those of samples, with a gradient; None where the engine does not take them."""
    same_shape(pred, target)
    counted = amounts(TORCH, pred, target, options)
    asks = pred.requires_grad and torch.is_grad_enabled()
    omit = options.nan_target == "omit"
    engine = partial(ENGINES[pred.device.type].one_pass, kernel, weight=counted.weight, mask=counted.mask, omit=omit, scale=scale, samples=samples)
    with torch.no_grad():
        done = engine(pred, target, gradient=asks)
        if done is None:
            return None
        value = done[0] if isinstance(scale, float) and scale == 1 else done[0] * scale
        value = value.to(TORCH.float_of(pred, target))
    if not asks:
        return value
    found = _Found(value, done[1], partial(engine, gradient=True), scale, composed, given)
    return _OnePass.apply(pred, target, found, *(given[name] for name in found.names))  # type: ignore[no-any-return, no-untyped-call]


def _denominator(pred: Tensor, target: Tensor, options: Options, num: Tensor | None) -> Any:
    """Return what the mean is divided by, that of samples where ``num`` has one number for each: a float where it is known without a look."""
    kind = options.denom
    is_plain = options.weight is None and options.sample_weight is None and options.output_weight is None
    if num is None and is_plain and kind in (None, "valid") and options.mask is None and options.nan_target == "propagate":
        return float(pred.numel())
    with torch.no_grad():
        counted = amounts(TORCH, pred, target, options)
        if (
            options.nan_target == "omit"
            or (counted.mask is not None and counted.weight is not None)
            or (counted.weight is not None and kind == "valid")
        ):
            counted = count(TORCH, pred, target, options)
        like = torch.empty((), dtype=TORCH.float_of(pred, target), device=pred.device) if num is None else num.detach()
        return denominator(TORCH, like, counted, options, counted.shape if num is None else counted.shape[1:])
