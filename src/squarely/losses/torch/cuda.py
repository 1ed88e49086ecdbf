"""The pass of the kernels in Triton over tensors of a GPU."""

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


@lru_cache
def _fused() -> Any:
    """Return the room of the kernels, or None where there is no Triton."""
    try:
        from squarely.losses import fused
    except MissingExtraError:
        return None
    return fused


def takes(form: Form) -> bool:
    """Say whether there is a kernel for a form."""
    return isinstance(form, Pointwise | Normal | PatchSquared) and _fused() is not None


def one_pass(
    form: Form, settings: Mapping[str, float], leaves: Mapping[str, Tensor], *arrays: Tensor | None, asks: Sequence[bool], **asked: Any
) -> Any:
    """Return the sum of weight times loss, or that of each sample, and the gradients that are asked for, all times ``scale``.

    None of what is not for the kernels. ``arrays`` are target, weight and mask.
    """
    found = _launched(form, settings, leaves, *arrays, asks=asks, **asked)
    scale = asked["scale"]
    return found if found is None or (isinstance(scale, float) and scale == 1) else (found[0] * scale, *found[1:])


def _launched(
    form: Form, settings: Mapping[str, float], leaves: Mapping[str, Tensor], *arrays: Tensor | None, asks: Sequence[bool], **asked: Any
) -> Any:
    """Return the sums, and the gradients times the scale."""
    fused, pred = _fused(), leaves["pred"]
    if isinstance(form, Pointwise):
        return fused.pointwise(Bound(form.kernel, settings), pred, *arrays, gradient=asks[0], **asked)
    if isinstance(form, PatchSquared):
        return fused.patches(pred, *arrays, **settings, gradient=asks[0], **asked)
    if len(leaves) != 2:
        return None
    (name,) = leaves.keys() - {"pred"}
    target, *counted = arrays
    given = {"is_log": name == "log_var", "settings": settings, "gradient": asks[0], "gradient_of_spread": asks[1]}
    return fused.likelihood(type(form), pred, target, leaves[name], *counted, **given, **asked)


def multiplied(gradient: Tensor, by: Tensor) -> Tensor:
    """Return a gradient times a number that is on the device; where that is 1, nothing is read or written."""
    return _fused().multiplied(gradient, by)  # type: ignore[no-any-return]
