"""torch, as the composition of losses sees it. No other module imports torch."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy.typing as npt

from squarely.errors import DataError, MissingExtraError
from squarely.losses.kernels import Bound, BoundResidual
from squarely.losses.library import NOT_A_COVARIANCE

try:
    import torch
    from torch.autograd.forward_ad import unpack_dual
except ImportError as error:
    raise MissingExtraError("squarely.losses.torch needs torch; install it with: pip install 'squarely[torch]'") from error

__all__ = ["HALVES", "TORCH", "Torch", "torch", "unpack_dual"]

Tensor = torch.Tensor
HALVES = (torch.bfloat16, torch.float16)


_BLOCK = 1 << 16  # elements whose intermediate results stay in the cache of a processor


def _by_blocks(formula: Callable[..., Tensor], *arrays: Tensor) -> Tensor:
    """Return a formula of each element; on a processor block by block, for fresh memory costs more than the work."""
    first = arrays[0]
    plain = first.device.type == "cpu" and first.numel() > _BLOCK and not torch._C._are_functorch_transforms_active()
    if not plain or torch.compiler.is_compiling() or torch.is_grad_enabled() or not all(each.is_contiguous() for each in arrays):
        return formula(*arrays)
    out = torch.empty_like(first)
    flat, whole = [each.view(-1) for each in arrays], out.view(-1)
    for start in range(0, first.numel(), _BLOCK):
        whole[start : start + _BLOCK] = formula(*(each[start : start + _BLOCK] for each in flat))
    return out


class _Slope(torch.autograd.Function):
    """psi of a kernel, whose derivative is kappa."""

    generate_vmap_rule = True

    @staticmethod
    def forward(u: Tensor, kernel: Bound) -> Tensor:
        return _by_blocks(partial(kernel.psi, torch), u)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        u, ctx.kernel = inputs
        ctx.save_for_backward(u)
        ctx.save_for_forward(u)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        (u,) = ctx.saved_tensors
        return grads[0] * ctx.kernel.kappa(torch, u), None


class _Loss(torch.autograd.Function):
    """rho of a kernel, whose derivative is psi."""

    generate_vmap_rule = True

    @staticmethod
    def forward(u: Tensor, kernel: Bound) -> Tensor:
        return _by_blocks(partial(kernel.rho, torch), u)

    setup_context = _Slope.setup_context

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        (u,) = ctx.saved_tensors
        return grads[0] * slope(u, ctx.kernel), None


class _ForwardSlope(_Slope):
    """The same with a derivative in forward mode, which compilers do not take."""

    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> Tensor:
        (u,) = ctx.saved_tensors
        return tangents[0] * ctx.kernel.kappa(torch, u)  # type: ignore[no-any-return]


class _ForwardLoss(_Loss):
    """The same with a derivative in forward mode, which compilers do not take."""

    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> Tensor:
        (u,) = ctx.saved_tensors
        return tangents[0] * slope(u, ctx.kernel)  # type: ignore[no-any-return]


def slope(u: Tensor, kernel: Bound) -> Tensor:
    """Return psi of a kernel; no gradient is asked of its gradient in ordinary training, and then it is only a formula."""
    if not torch.is_grad_enabled() and not torch.compiler.is_compiling():
        return _by_blocks(partial(kernel.psi, torch), u)
    function = _Slope if torch.compiler.is_compiling() else _ForwardSlope
    return function.apply(u, kernel)  # type: ignore[no-any-return, no-untyped-call]


class _Residual(torch.autograd.Function):
    """A residual of prediction and target, with a derivative by the prediction alone."""

    @staticmethod
    def forward(pred: Tensor, target: Tensor, compared: BoundResidual) -> Tensor:
        return _by_blocks(partial(compared.of, torch), pred, target)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        pred, target, ctx.compared = inputs
        ctx.save_for_backward(pred, target)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        return grads[0] * _by_blocks(partial(ctx.compared.slope, torch), *ctx.saved_tensors), None, None


class Torch:
    """The library of torch."""

    xp: Any = torch
    array = "a dense tensor. Cure: torch.as_tensor of it, or .to_dense()"

    def is_array(self, given: Any) -> bool:
        """Say whether it is a dense tensor."""
        return isinstance(given, Tensor) and given.layout is torch.strided and not given.is_nested

    def is_real(self, array: Tensor) -> bool:
        """Say whether a tensor holds real numbers, or True and False."""
        return not (array.is_complex() or array.is_quantized)

    def float_of(self, *arrays: Tensor) -> torch.dtype:
        """Return the widest float type, at least float32."""
        found = torch.float32
        for each in arrays:
            if each.dtype is not found and each.dtype.is_floating_point and each.dtype.itemsize > 2:  # those of a byte have no other in common
                found = torch.promote_types(found, each.dtype)
        return found

    def cast(self, array: Tensor, dtype: torch.dtype) -> Tensor:
        """Return the tensor in a type."""
        return array if array.dtype == dtype else array.to(dtype)

    def is_boolean(self, array: Tensor) -> bool:
        """Say whether a tensor holds True and False."""
        return array.dtype == torch.bool

    def is_floating(self, array: Tensor) -> bool:
        """Say whether a tensor holds floating-point numbers."""
        return array.dtype.is_floating_point

    def residual(self, compared: BoundResidual, pred: Tensor, target: Tensor) -> Tensor:
        """Return the residual; where more than a gradient by the prediction may be asked for, torch derives it as it is written."""
        transformed = torch.compiler.is_compiling() or torch._C._are_functorch_transforms_active()
        if transformed or target.requires_grad or any(unpack_dual(each).tangent is not None for each in (pred, target)):  # type: ignore[no-untyped-call]
            return compared.of(torch, pred, target)  # type: ignore[no-any-return]
        return _Residual.apply(pred, target, compared)  # type: ignore[no-any-return, no-untyped-call]

    def rho(self, kernel: Bound, u: Tensor) -> Tensor:
        """Return the loss, whose derivatives are psi and kappa, in reverse and in forward mode."""
        if not kernel.kernel.has_derivatives:
            return kernel.rho(torch, u)  # type: ignore[no-any-return]
        function = _Loss if torch.compiler.is_compiling() else _ForwardLoss
        return function.apply(u, kernel)  # type: ignore[no-any-return, no-untyped-call]

    def stop(self, array: Tensor) -> Tensor:
        """Return the tensor without its history."""
        return array.detach()

    def refuse(self, bad: Tensor, message: str) -> None:
        """Raise where a tensor is True anywhere; while compiling, when the compiled program runs."""
        if torch.compiler.is_compiling():
            torch._assert_async(~bad.any(), message)
        elif bool(bad.any()):
            raise DataError(message)

    def constant(self, numbers: npt.ArrayLike, like: Tensor) -> Tensor:
        """Return numbers as a tensor of the type and place of another."""
        return torch.as_tensor(numbers, dtype=like.dtype, device=like.device)

    def whiten(self, covariance: Tensor, u: Tensor) -> Tensor:
        """Solve with the Cholesky factor of each covariance."""
        factor, info = torch.linalg.cholesky_ex(covariance)
        bad = (info > 0) | covariance.isnan().any(-1).any(-1)
        if covariance.device.type == "cpu" and not torch._C._are_functorch_transforms_active():
            self.refuse(bad, NOT_A_COVARIANCE)
        factor = torch.where(bad[..., None, None], torch.nan, factor)  # where asking would wait for the device, the loss is nan
        columns = u[..., None] if covariance.ndim > 2 else u.reshape(-1, u.shape[-1]).T
        solved: Tensor = torch.linalg.solve_triangular(factor, columns, upper=False)
        return solved[..., 0] if covariance.ndim > 2 else solved.T.reshape(u.shape)


TORCH = Torch()
