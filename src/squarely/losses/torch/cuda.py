"""The pass of the kernel in Triton over tensors of a GPU."""

from functools import lru_cache
from typing import Any

from squarely.errors import MissingExtraError
from squarely.losses.kernels import Bound
from squarely.losses.torch.library import torch

__all__ = ["multiplied", "one_pass"]

Tensor = torch.Tensor


@lru_cache
def _fused() -> Any:
    """Return the room of the kernel, or None where there is no Triton."""
    try:
        from squarely.losses import fused
    except MissingExtraError:
        return None
    return fused


def one_pass(kernel: Bound, pred: Tensor, target: Tensor, weight: Tensor | None, mask: Tensor | None, **asked: Any) -> Any:
    """Return sums of weight times loss and, if asked for, the gradient by ``pred``; None of what is not for the kernel."""
    fused = _fused()
    return None if fused is None else fused.pointwise(kernel, pred, target, weight, mask, **asked)


def multiplied(gradient: Tensor, by: Tensor) -> Tensor:
    """Return a gradient times a number that is on the device; where that is 1, nothing is read or written."""
    return _fused().multiplied(gradient, by)  # type: ignore[no-any-return]
