"""The loss of a linear layer whose prediction is never held whole."""

import inspect
from typing import Any

from squarely.errors import DataError
from squarely.losses.compose import judge, same_shape
from squarely.losses.kernels import Bound, Kernel, checked, refuse_places
from squarely.losses.kernels.residual import DIFFERENCE
from squarely.losses.options import Options
from squarely.losses.terms import LossTerms
from squarely.losses.torch import functional
from squarely.losses.torch.call import TorchCall
from squarely.losses.torch.in_parts import Batch, InParts, Job
from squarely.losses.torch.library import TORCH, torch

__all__ = ["LinearCall", "LinearMSELoss", "linear_loss", "linear_mse_loss"]

Tensor = torch.Tensor
linear = torch.nn.functional.linear
_OPTIONS = {"sample_weight": None, "output_weight": None, "mask": None, "nan_target": "propagate", "reduction": "mean", "denom": None}


class LinearCall:
    """A pointwise loss of ``linear(input, weight, bias)`` as a function ``(input, weight, target, bias=None, *, settings and options)``."""

    def __init__(self, loss: TorchCall) -> None:
        declared: Any = loss.declared
        if not (issubclass(declared, Kernel) and declared.residual is DIFFERENCE and declared.has_derivatives):
            cure = f"{declared.name}(torch.nn.functional.linear(input, weight, bias), target)"
            raise DataError(f"{declared.name} is no sum of a function of pred - target whose derivative is declared. Cure: {cure}.")
        self.loss, self.declared = loss, declared
        self.__name__ = self.__qualname__ = f"linear_{declared.name}"
        self.__signature__ = _signature(declared)
        self.__doc__ = _WORDS.format(name=declared.name)

    def __repr__(self) -> str:
        return f"<loss {self.__name__}>"

    def __call__(self, input: Tensor, weight: Tensor, target: Tensor, bias: Tensor | None = None, **given: Any) -> Tensor:
        """Return the mean over what counts, or the sum."""
        options, bound = self.read(given)
        computed_in = _judged(input, weight, target, bias, options)
        if _is_transformed(input, weight, target, bias, *given.values()):
            return self.loss(linear(input, weight, bias), target, **given)
        batch, one = Batch.of_rows(target, options), _one(computed_in, target)
        if options.reduction == "sum":
            return self._summed(input, weight, bias, bound, batch, one, computed_in)
        den = batch.denominator(tuple(target.shape), one)
        mean = self._summed(input, weight, bias, bound, batch, one / (den + (den == 0)), computed_in)
        return mean if batch.counts_alike else mean / ((den != 0) | (mean == 0))  # weights may add up to 0 where losses do not

    def terms(self, input: Tensor, weight: Tensor, target: Tensor, bias: Tensor | None = None, **given: Any) -> LossTerms:
        """Return numerator and denominator of the mean, to be added over micro-batches and ranks."""
        options, bound = self.read(given)
        computed_in = _judged(input, weight, target, bias, options)
        if _is_transformed(input, weight, target, bias, *given.values()):
            return self.loss.terms(linear(input, weight, bias), target, **given)
        batch, one = Batch.of_rows(target, options), _one(computed_in, target)
        num = self._summed(input, weight, bias, bound, batch, one, computed_in)
        return LossTerms(num, batch.denominator(tuple(target.shape), one))

    def read(self, given: dict[str, Any]) -> tuple[Options, Bound]:
        """Return options and settings; refuse what is as large as the prediction."""
        if given.get("reduction", "mean") in ("none", "per_sample") or "covariance" in given:
            what = "a covariance" if "covariance" in given else f"reduction={given['reduction']!r}"
            cure = f"{self.declared.name}(torch.nn.functional.linear(input, weight, bias), target, ...)"
            raise DataError(f"{self.__name__} returns a mean or a sum and takes parts of the prediction; {what} needs it whole. Cure: {cure}.")
        settings = checked(self.declared, {name: value for name, value in given.items() if name not in _OPTIONS})
        return Options(**{name: value for name, value in given.items() if name in _OPTIONS}), self.declared.bound(settings)

    def _summed(
        self, input: Tensor, weight: Tensor, bias: Tensor | None, bound: Bound, batch: Batch, scale: Tensor, computed_in: torch.dtype
    ) -> Tensor:
        wanted = tuple(torch.is_grad_enabled() and each is not None and each.requires_grad for each in (input, weight, bias))
        job = Job(self.loss, bound, batch, scale, computed_in, wanted)
        return InParts.apply(input.reshape(-1, weight.shape[1]), weight, bias, job)  # type: ignore[no-any-return, no-untyped-call]


def _signature(declared: type[Kernel]) -> inspect.Signature:
    """Return the signature of a loss with its settings."""
    where, only = inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY
    given = [inspect.Parameter(name, where) for name in ("input", "weight", "target")]
    given.append(inspect.Parameter("bias", where, default=None))
    named = {**{name: setting.default for name, setting in declared.settings.items()}, **_OPTIONS}
    return inspect.Signature([*given, *(inspect.Parameter(name, only, default=default) for name, default in named.items())])


def _one(computed_in: torch.dtype, target: Tensor) -> Tensor:
    """Return 1 in the type of the loss."""
    wide = TORCH.float_of(target, torch.empty(0, dtype=computed_in))
    return torch.ones((), dtype=wide, device=target.device)


def _is_transformed(*given: Any) -> bool:
    """Say whether more than gradients by input, weight and bias may be asked for: then the loss is taken as it is written."""
    if torch.compiler.is_compiling() or torch._C._are_functorch_transforms_active():
        return True
    _, _, target, _, *options = tensors = [each if isinstance(each, Tensor) else None for each in given]
    if any(each is not None and each.requires_grad for each in (target, *options)):
        return True
    unpack: Any = torch.autograd.forward_ad.unpack_dual
    return any(each is not None and unpack(each).tangent is not None for each in tensors)


def _judged(input: Tensor, weight: Tensor, target: Tensor, bias: Tensor | None, options: Options) -> torch.dtype:
    """Return the type that the layer computes in; refuse shapes and types that do not fit."""
    beside = {"bias": bias, "output_weight": options.output_weight, "sample_weight": options.sample_weight, "mask": options.mask}
    judge(TORCH, input=input, weight=weight, target=target, **{name: each for name, each in beside.items() if each is not None})
    shape = tuple(weight.shape)
    if len(shape) != 2 or not input.ndim or input.shape[-1] != shape[1]:
        cure = "; transpose it" if len(shape) == 2 and input.ndim and input.shape[-1] == shape[0] else ""
        raise DataError(f"input has shape {tuple(input.shape)} and weight {shape}; expected (..., inputs) and (outputs, inputs){cure}.")
    for name, vector in (("bias", bias), ("output_weight", options.output_weight)):
        if vector is not None and tuple(vector.shape) != shape[:1]:
            raise DataError(f"{name} has shape {tuple(vector.shape)}; expected {shape[:1]}, one for each output of weight {shape}.")
    same_shape(weight.new_empty(()).expand(*input.shape[:-1], shape[0]), target)
    kind, types = input.device.type, {each.dtype for each in (input, weight, bias) if each is not None}
    is_cast = torch.is_autocast_enabled(kind) and torch.float64 not in types
    if not input.is_floating_point() or (len(types) > 1 and not is_cast):
        raise DataError(
            f"input is of type {input.dtype}, weight of {weight.dtype} and bias of {getattr(bias, 'dtype', None)}; "
            "expected one floating type. Cure: input.to(weight.dtype), or torch.autocast."
        )
    return torch.get_autocast_dtype(kind) if is_cast else input.dtype


_WORDS = """``{name}(torch.nn.functional.linear(input, weight, bias), target)`` without the whole prediction in memory.

The prediction is made part by part. Each part leaves its share of the value and of the gradients by input, weight and bias, and is forgotten:

.. math:: \\hat Y = X W^T + b, \\quad G = w \\, \\rho'(\\hat Y - Y) / \\mathrm{{den}}, \\quad dX = G W, \\quad dW = G^T X, \\quad db = G^T 1

Gradients are taken with the value, so ``backward`` only scales them. Those of half types are added up in float32. For gradients of gradients,
forward mode, ``torch.func``, ``torch.compile``, and targets or weights with a gradient of their own the whole prediction is made.

Parameters
----------
input : Tensor (..., inputs)
weight : Tensor (outputs, inputs)
    Of the layer, as ``torch.nn.Linear`` keeps it.
target : Tensor (..., outputs)
bias : Tensor (outputs,), optional
sample_weight, output_weight, mask, nan_target, denom
    As ``squarely.losses.Options`` says; ``output_weight`` is one number for each output.
reduction : "mean" or "sum"
**settings
    Those of ``{name}``.

Raises
------
DataError
    Where shapes or types do not fit, and of options that need the whole prediction.

References
----------
Hsu, P.-L. et al. (2024), Liger Kernel: efficient Triton kernels for LLM training, arXiv:2410.10989 (the same for cross-entropy).
"""

linear_mse_loss = LinearCall(functional.mse_loss)


def linear_loss(loss: TorchCall) -> LinearCall:
    """Return another pointwise loss of a linear layer, as ``linear_mse_loss`` is that of ``mse_loss``.

    Examples
    --------
    >>> import torch
    >>> from squarely.losses.torch import huber_loss, linear_loss
    >>> linear_huber_loss = linear_loss(huber_loss)
    >>> linear_huber_loss(torch.ones(2, 3), torch.ones(1, 3), torch.zeros(2, 1), delta=2.0)
    tensor(4.)
    """
    return LinearCall(loss)


class LinearMSELoss(torch.nn.Module):
    """``linear_mse_loss`` with its settings; the layer is given with each batch, so that it stays a part of the model.

    Parameters
    ----------
    reduction, denom, nan_target
        As ``linear_mse_loss`` says.

    Examples
    --------
    >>> import torch
    >>> from squarely.losses.torch import LinearMSELoss
    >>> head, criterion = torch.nn.Linear(3, 2), LinearMSELoss(nan_target="omit")
    >>> criterion(torch.ones(5, 3), head.weight, torch.zeros(5, 2), head.bias).backward()
    >>> head.weight.grad.shape
    torch.Size([2, 3])
    """

    def __init__(self, *given: Any, reduction: str = "mean", denom: Any = None, nan_target: str = "propagate") -> None:
        super().__init__()
        refuse_places(type(self).__name__, linear_mse_loss.declared, given)
        self.options = {"reduction": reduction, "denom": denom, "nan_target": nan_target}
        linear_mse_loss.read(self.options)  # refuses now what no call could use

    def forward(self, input: Tensor, weight: Tensor, target: Tensor, bias: Tensor | None = None, **given: Any) -> Tensor:
        """Return the loss of a batch."""
        return linear_mse_loss(input, weight, target, bias, **self.options, **given)

    def terms(self, input: Tensor, weight: Tensor, target: Tensor, bias: Tensor | None = None, **given: Any) -> LossTerms:
        """Return numerator and denominator, to be added over micro-batches and ranks."""
        return linear_mse_loss.terms(input, weight, target, bias, **self.options, **given)

    def extra_repr(self) -> str:
        """Return the settings, as they stand in the representation of a module."""
        return ", ".join(f"{name}={value!r}" for name, value in self.options.items() if value != _OPTIONS[name])
