"""Value and gradients of a loss in one pass over memory, behind the same functions as the composition of torch's operations.

An engine computes all at once for the tensors of one kind of device. A loss has a gradient by its **leaves**: the prediction, and arrays that stand
beside it, as a variance. What an engine does not take, and whatever asks for more than gradients by leaves, goes by composition: transforms
and compilers, forward mode, gradients by targets and weights, and gradients of gradients.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from squarely.losses.compose import Counted, amounts, count, denominator
from squarely.losses.forms import Form
from squarely.losses.options import Options
from squarely.losses.terms import LossTerms
from squarely.losses.torch import cpu, cuda
from squarely.losses.torch.library import HALVES, TORCH, torch, unpack_dual

__all__ = ["ENGINES", "Asked", "Engine", "has_engine", "in_one_pass", "terms_in_one_pass"]

Tensor = torch.Tensor
_PLAIN = (Tensor, torch.nn.Parameter)
Composed = Callable[..., Tensor]  # (pred, target, **given), by torch's operations


class Engine(NamedTuple):
    """What finds value and gradients on one kind of device: of which forms, how, and what multiplies a gradient by a number that is there.

    Gradients of the types ``late`` are made when their factor is known, and not before: theirs would be too small without it, and on a
    device nobody can ask whether it is 1.
    """

    takes: Callable[[Form, torch.device], bool]
    one_pass: Callable[..., tuple[Tensor | None, ...] | None]
    multiplied: Callable[[Tensor, Tensor], Tensor]
    late: tuple[torch.dtype, ...]


ENGINES = {
    "cpu": Engine(cpu.takes, cpu.one_pass, Tensor.mul_, ()),
    "cuda": Engine(cuda.takes, cuda.one_pass, cuda.multiplied, (torch.float16,)),
}


class Asked:
    """A loss as it was asked for.

    Parameters
    ----------
    form, settings, options : which loss
    pred, target, given : of what: the arrays, and all that was given beside them, by name
    composed : the same by composition, a function of the last three

    Attributes
    ----------
    leaves : what there is a gradient by
    tensors : all arrays, by name
    """

    def __init__(
        self, form: Form, settings: Mapping[str, Any], options: Options, pred: Tensor, target: Tensor, given: Mapping[str, Any], composed: Composed
    ) -> None:
        self.form, self.settings, self.options = form, settings, options
        self.pred, self.target, self.given = pred, target, given
        self.composed = composed
        self.leaves: dict[str, Any] = {"pred": pred} | {name: given[name] for name in form.arrays if given.get(name) is not None}
        self.tensors: dict[str, Any] = {"pred": pred, "target": target} | {name: each for name, each in given.items() if hasattr(each, "shape")}
        self._elements: tuple[Tensor, Tensor] | None = None
        self._counted: Counted | None = None

    def elements(self) -> tuple[Tensor, Tensor]:
        """Return prediction and target with one element for each loss."""
        if self._elements is None:
            self._elements = self.form.elements(TORCH, self.pred, self.target, self.options)
        return self._elements

    def counted(self) -> Counted:
        """Return mask and weight as they were given."""
        if self._counted is None:
            self._counted = amounts(TORCH, *self.elements(), self.options)
        return self._counted

    def dtype(self) -> torch.dtype:
        """Return the type of the value."""
        return TORCH.float_of(self.target, *self.leaves.values())


class _Found:
    """A value that is known with its gradients, and how to find those again: by the same pass, or by composition."""

    def __init__(self, value: Tensor, gradients: Sequence[Tensor] | None, passed: Callable[..., Any], asked: Asked, composed: Composed) -> None:
        self.value: Tensor | None = value
        self.gradients = gradients  # None of those that are made late
        self.passed = passed
        self.composed = composed
        self.leaves = [name for name, each in asked.leaves.items() if each.requires_grad]
        self.names = list(asked.tensors)
        self.given = {name: each for name, each in asked.given.items() if name not in self.names}

    def composed_slopes(self, tensors: Mapping[str, Tensor], grad: Tensor) -> Sequence[Tensor]:
        """Return gradients that have gradients."""
        leaves = {name: tensors[name].view_as(tensors[name]) for name in self.leaves}  # one may be made of another, and counts for itself
        value = self.composed(**{**self.given, **tensors, **leaves})
        return torch.autograd.grad(value, list(leaves.values()), grad, create_graph=True)

    def slopes(self, tensors: Mapping[str, Tensor], grad: Tensor) -> Sequence[Tensor]:
        """Return the gradients times that of the value; those that are known are handed over."""
        gradients, self.gradients = self.gradients, None  # whoever gets them may write to them
        again = partial(self._again, tensors)
        if torch._C._functorch.is_batchedtensor(grad) or torch._C._functorch.is_legacy_batchedtensor(grad):  # many at once
            return [each * _column(grad, each.ndim) for each in again()]
        known: Callable[[], Sequence[Tensor]] = again if gradients is None else partial(list, gradients)
        if not grad.ndim and grad.device.type == "cpu" and grad.item() == 1:  # as at the end of most programs
            return known()
        dtypes = {tensors[name].dtype for name in self.leaves}
        if torch.float16 in dtypes or (dtypes.intersection(HALVES) and grad.device.type == "cpu"):  # elsewhere nobody knows yet whether it is 1
            return again(scale=grad)  # rounded once, after every factor: one alone may be too small for the type
        if grad.ndim:
            return [each.mul_(_column(grad, each.ndim)) for each in known()]
        return [ENGINES[grad.device.type].multiplied(each, grad) for each in known()]

    def _again(self, tensors: Mapping[str, Tensor], **scale: Any) -> Sequence[Tensor]:
        """Return the gradients, which somebody has taken already, or wants with another factor."""
        return _there(self.passed({name: each.detach() for name, each in tensors.items()}, **scale)[1:])


def _there(gradients: Sequence[Tensor | None]) -> list[Tensor]:
    return [each for each in gradients if each is not None]


def _column(grad: Tensor, axes: int) -> Tensor:
    """Return the gradient of the value, or of that of each sample, so that it multiplies rows."""
    return grad.reshape(grad.shape + (1,) * (axes - 1)) if grad.ndim else grad


class _OnePass(torch.autograd.Function):
    """A value whose gradients are known, and handed over to whoever asks first; their own gradients are those of the composition."""

    @staticmethod
    def forward(ctx: Any, found: _Found, *tensors: Tensor) -> Tensor:
        ctx.found = found
        ctx.save_for_backward(*tensors)
        value, found.value = found.value, None  # which would keep itself alive
        return value  # type: ignore[return-value]

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        found, tensors = ctx.found, dict(zip(ctx.found.names, ctx.saved_tensors, strict=True))
        way = found.composed_slopes if torch.is_grad_enabled() else found.slopes
        slopes = dict(zip(found.leaves, way(tensors, grads[0]), strict=True))
        return None, *(slopes.get(name) for name in found.names)


def has_engine(form: Form, pred: Tensor) -> bool:
    """Say whether there is an engine for a form on the device of a tensor; compilers make one of their own."""
    device = pred.device
    return not torch.compiler.is_compiling() and device.type in ENGINES and ENGINES[device.type].takes(form, device)


def in_one_pass(asked: Asked) -> Any:
    """Return the loss as it was asked for, or None where it has to be composed."""
    options = asked.options
    if options.reduction == "none" or not _is_for_engines(asked):
        return None
    if options.reduction == "per_sample":
        if not asked.pred.ndim or any(each.dtype in HALVES for each in asked.leaves.values()):
            return None
        den, means = _denominator(asked, asked.dtype(), samples=True), asked.composed
        num = _sums(asked, lambda **arrays: means(**arrays) * (den + (den == 0)), samples=True)
        return None if num is None else LossTerms(num, den).mean()
    if options.reduction == "sum":
        return _sums(asked, asked.composed)
    amount = _denominator(asked, torch.float64)  # so that a gradient is rounded once
    if isinstance(amount, float):
        return _sums(asked, asked.composed, den=amount or 1.0)
    if _is_a_count(options):
        amount = amount + (amount == 0)
    elif amount.device.type == "cpu" and not amount:  # where a look costs nothing; elsewhere losses are divided by 0, as they need not be 0
        return None
    return _sums(asked, asked.composed, den=amount.double())


def terms_in_one_pass(asked: Asked) -> Any:
    """Return numerator and denominator of the mean, or None where they have to be composed."""
    num = _sums(asked, asked.composed) if _is_for_engines(asked) else None
    if num is None:
        return None
    den = _denominator(asked, num.dtype)
    return LossTerms(num, torch.full_like(num.detach(), den) if isinstance(den, float) else den)


def _is_for_engines(asked: Asked) -> bool:
    """Say whether the arrays are for an engine, and nobody watches but the tape."""
    leaves, tensors, device, shape = asked.leaves, asked.tensors, asked.pred.device, asked.pred.shape
    for name, each in tensors.items():
        if type(each) not in _PLAIN or each.device != device or not TORCH.is_array(each) or each.is_neg() or each.is_complex():
            return False  # memory that holds other numbers
        if (each.requires_grad and name not in leaves) or (each.shape != shape and (name == "target" or name in leaves)):
            return False
    return (
        leaves.keys() <= tensors.keys()
        and asked.options.covariance is None
        and asked.options.nan_target != "raise"
        and not torch._C._are_functorch_transforms_active()
        and not torch._C._len_torch_dispatch_stack()
        and torch._C._get_tracing_state() is None
        and (torch.autograd.forward_ad._current_level < 0 or all(unpack_dual(each).tangent is None for each in tensors.values()))  # type: ignore[no-untyped-call]
    )


def _sums(asked: Asked, composed: Composed, *, den: Any = 1.0, samples: bool = False) -> Tensor | None:
    """Return the sum of weight times loss, or those of samples, with gradients; None where the engine does not take them.

    Parameters
    ----------
    composed : the same by composition
    den : what all are divided by, a number or a float64 on the device
    """
    counted = asked.counted()
    asks = [each.requires_grad and torch.is_grad_enabled() for each in asked.leaves.values()]
    given = {"omit": asked.options.nan_target == "omit", "samples": samples, "den": den}
    kind = ENGINES[asked.pred.device.type]
    is_late = any(asks) and any(each.dtype in kind.late for each in asked.leaves.values())
    engine = partial(kind.one_pass, asked.form, asked.settings, **given)
    names, weight, mask = list(asked.leaves), counted.weight, counted.mask  # and not what was asked, which has arrays that backward lets go

    def passed(tensors: Mapping[str, Tensor], scale: Any = 1.0, asks: Sequence[bool] = asks) -> Any:
        return engine({name: tensors[name] for name in names}, tensors["target"], weight, mask, scale=scale, asks=asks)

    with torch.no_grad():
        done = passed(asked.tensors, asks=[False for _ in asks] if is_late else asks)
        if done is None:
            return None
    if not any(asks):
        return done[0]  # type: ignore[no-any-return]
    found = _Found(done[0], None if is_late else _there(done[1:]), passed, asked, composed)
    return _OnePass.apply(found, *asked.tensors.values())  # type: ignore[no-any-return, no-untyped-call]


def _denominator(asked: Asked, dtype: torch.dtype, *, samples: bool = False) -> Any:
    """Return what the mean is divided by, or those of samples, in a type: a float where it is known without a look."""
    options, elements = asked.options, asked.elements()
    kind = options.denom
    if not samples and _is_a_count(options) and options.mask is None and options.nan_target == "propagate":
        return float(elements[0].numel())
    with torch.no_grad():
        counted = asked.counted()
        if (
            options.nan_target == "omit"
            or (counted.mask is not None and counted.weight is not None)
            or (counted.weight is not None and kind == "valid")
        ):
            counted = count(TORCH, *elements, options)
        like = torch.empty(asked.pred.shape[:1] if samples else (), dtype=dtype, device=asked.pred.device)
        return denominator(TORCH, like, counted, options, counted.shape[1:] if samples else counted.shape)


def _is_a_count(options: Options) -> bool:
    """Say whether a mean is divided by the number of its elements, so that there are none where that is 0."""
    return options.denom in (None, "valid") and options.weight is None and options.sample_weight is None and options.output_weight is None
