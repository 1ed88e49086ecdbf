"""A loss as a function of torch: what torch itself computes right is left to it."""

from typing import Any, NamedTuple

from squarely.losses.calls import Call
from squarely.losses.forms import Form
from squarely.losses.kernels import KERNELS, Kernel
from squarely.losses.terms import LossTerms
from squarely.losses.torch.library import TORCH, torch
from squarely.losses.torch.one_pass import Asked, has_engine, in_one_pass, terms_in_one_pass

__all__ = ["TorchCall"]

Tensor = torch.Tensor


class _Native(NamedTuple):
    """A loss as torch.nn.functional calls it, without its broadcasting, and up to how many bytes of a prediction a processor does it faster.

    Its value and its gradient are two passes over memory, but they are done before one pass of ours has been set up. On a GPU they
    would be two launches, and one of ours does both.
    """

    function: Any
    most: int


_NATIVE: dict[Any, _Native] = {
    KERNELS["mse_loss"]: _Native(torch._C._nn.mse_loss, 1 << 21),
    KERNELS["l1_loss"]: _Native(torch._C._nn.l1_loss, 1 << 18),
    KERNELS["huber_loss"]: _Native(torch._C._nn.huber_loss, 1 << 22),
    KERNELS["smooth_l1_loss"]: _Native(torch._C._nn.smooth_l1_loss, 1 << 22),
}
_DENSE = torch.strided
_FLOATS = (torch.float32, torch.float64)
_REDUCTIONS = {"none": 0, "mean": 1, "sum": 2}


class TorchCall(Call):
    """A loss as a function of tensors."""

    def __init__(self, declared: type[Kernel] | type[Form]) -> None:
        super().__init__(declared, TORCH)
        self._native = _NATIVE.get(declared)

    def __call__(self, pred: Tensor, target: Tensor, **given: Any) -> Tensor:
        """Return the mean over what counts, or what ``reduction`` says."""
        if self._native is not None and self._is_plain(self._native.most, pred, target, given):
            reduction = _REDUCTIONS[given.pop("reduction", "mean")]
            value: Tensor = self._native.function(pred, target, reduction, *self._read(given)[2].values())
            return value
        value = self._passed(in_one_pass, super().__call__, pred, target, given)
        return super().__call__(pred, target, **given) if value is None else value

    def terms(self, pred: Tensor, target: Tensor, **given: Any) -> LossTerms:
        """Return numerator and denominator of the mean, to be added over micro-batches and ranks."""
        found = self._passed(terms_in_one_pass, lambda **arrays: super(TorchCall, self).terms(**arrays).num, pred, target, given)
        return super().terms(pred, target, **given) if found is None else found

    def _passed(self, way: Any, composed: Any, pred: Any, target: Any, given: dict[str, Any]) -> Any:
        """Return what one pass finds; None of what is not for it."""
        if not TORCH.is_array(pred) or not TORCH.is_array(target) or not has_engine(self._form, pred):
            return None
        options, _, settings = self._read(given)
        return way(Asked(self._form, settings, options, pred, target, given, composed))

    def _is_plain(self, most: int, pred: Tensor, target: Tensor, given: dict[str, Any]) -> bool:
        """Say whether nothing is asked in which torch differs: its kernels know no masks, round half types, and give nan of no elements."""
        return (
            isinstance(pred, Tensor)
            and isinstance(target, Tensor)
            and pred.layout is target.layout is _DENSE
            and not (pred.is_nested or target.is_nested)
            and pred.dtype is target.dtype
            and pred.dtype in _FLOATS
            and pred.shape == target.shape
            and (torch.compiler.is_compiling() or (pred.is_cpu and pred.nbytes <= most))
            and pred.numel() > 0
            and all(
                name in self.declared.settings or (name == "reduction" and isinstance(value, str) and value in _REDUCTIONS)
                for name, value in given.items()
            )
        )

    def value_and_grad(self, pred: Tensor, target: Tensor, *, grad_scale: float = 1.0, **given: Any) -> tuple[Tensor, Tensor]:
        """Return the loss and its gradient by ``pred``, for ``pred.backward(gradient)``.

        The gradient is multiplied by ``grad_scale`` before it is rounded to the type of ``pred``, so that a half type keeps small ones;
        the value is not.
        """
        with torch.enable_grad():
            leaf = pred.detach().requires_grad_()
            value = self(leaf, target, **given)
            (gradient,) = torch.autograd.grad(value, leaf, torch.full_like(value, grad_scale))
        return value.detach(), gradient
