"""The pass of the kernels in Triton over tensors of a GPU."""

import warnings
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from squarely.errors import MissingExtraError
from squarely.losses.forms import Form, Pointwise
from squarely.losses.forms.patches import PatchSquared
from squarely.losses.forms.several import Normal
from squarely.losses.kernels import Bound
from squarely.losses.torch.library import torch

__all__ = ["multiplied", "one_pass", "takes"]

Tensor = torch.Tensor
_LEAST = (8, 0)  # the compute capability from which on there are instructions for bfloat16


@lru_cache
def _fused() -> Any:
    """Return the room of the kernels, or None where there is no Triton."""
    try:
        from squarely.losses import fused
    except MissingExtraError:
        return None
    return fused


@lru_cache
def _works(device: torch.device) -> bool:
    """Say whether kernels can be launched on a device: Triton needs a compiler of C, and a device that is not too old. Where not, say so once."""
    try:
        if device.type == "cuda" and torch.cuda.get_device_capability(device) < _LEAST:
            return False
        _fused().multiplied(torch.ones(1, device=device), torch.ones((), device=device))
    except Exception as error:  # of Triton, of the compiler, of the driver
        warnings.warn(f"Triton does not work for {device}, so losses are composed of torch's operations: {error}", RuntimeWarning, stacklevel=2)
        return False
    return True


def takes(form: Form, device: torch.device) -> bool:
    """Say whether there is a kernel for a form, and it can be launched on a device."""
    return isinstance(form, Pointwise | Normal | PatchSquared) and _fused() is not None and _works(device)


def one_pass(
    form: Form,
    settings: Mapping[str, float],
    leaves: Mapping[str, Tensor],
    *arrays: Tensor | None,
    asks: Sequence[bool],
    scale: Any,
    den: Any,
    **asked: Any,
) -> Any:
    """Return the sum of weight times loss, or that of each sample, and the gradients that are asked for, all times ``scale`` by
    ``den``.

    None of what is not for the kernels. ``arrays`` are target, weight and mask.
    """
    fused, pred = _fused(), leaves["pred"]
    if isinstance(form, PatchSquared):
        return fused.patches(pred, *arrays, **settings, scale=scale / den, gradient=asks[0], **asked)
    asked |= {"scale": scale, "den": den}
    if isinstance(form, Pointwise):
        return fused.pointwise(Bound(form.kernel, settings), pred, *arrays, gradient=asks[0], **asked)
    if len(leaves) != 2:
        return None
    (name,) = leaves.keys() - {"pred"}
    target, *counted = arrays
    given = {"is_log": name == "log_var", "settings": settings, "gradient": asks[0], "gradient_of_spread": asks[1]}
    return fused.likelihood(type(form), pred, target, leaves[name], *counted, **given, **asked)


def multiplied(gradient: Tensor, by: Tensor) -> Tensor:
    """Return a gradient times a number that is on the device; where that is 1, nothing is read or written."""
    return _fused().multiplied(gradient, by)  # type: ignore[no-any-return]
