"""The pass of the compiled core over tensors of the processor."""

import ctypes
import os
from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np

from squarely.losses.core import ALL, OWN, Spread, Team, form_in_core, has, spread
from squarely.losses.forms import Form
from squarely.losses.room import room_for
from squarely.losses.torch.library import HALVES, torch

__all__ = ["one_pass", "takes", "team"]

Tensor = torch.Tensor
_PROCESS = os.getpid()  # one that it forks has none of its threads, and a team would wait for them
_WORTH_KEEPING = 1 << 20  # elements of a gradient whose memory is kept for the next


def takes(form: Form, device: torch.device) -> bool:
    """Say whether the core has a form."""
    return has(form)


def one_pass(
    form: Form,
    settings: Mapping[str, float],
    leaves: Mapping[str, Tensor],
    target: Tensor,
    weight: Tensor | None,
    mask: Tensor | None,
    *,
    omit: bool,
    scale: float | Tensor,
    den: float | Tensor,
    samples: bool,
    asks: Sequence[bool],
) -> tuple[Tensor | None, ...] | None:
    """Return the sum of weight times loss, or that of each sample, and the gradients by leaves that are asked for, all times ``scale`` by ``den``.

    None where the core does not take the tensors. Weight and mask broadcast to ``pred``.
    """
    names, arrays = [*leaves][1:], [*leaves.values(), target]
    core, pred = form_in_core(form, settings, names), arrays[0]
    if core is None or not pred.numel():
        return None
    if any(each.dtype is not pred.dtype or not each.is_contiguous() for each in arrays):
        return None
    half = pred.dtype if pred.dtype in HALVES else None
    if half is not None:
        arrays = [each.float() for each in arrays]
        pred = arrays[0]
    if pred.dtype not in (torch.float32, torch.float64):
        return None
    weight = None if weight is None else weight.to(pred.dtype)
    counted = [_spread(pred, each) for each in (weight, mask)]
    outs = [_empty_like(pred) if asked else None for asked in asks]
    totals = torch.empty(pred.shape[0], dtype=torch.float64, device="cpu") if samples else None
    factor, divisor = float(scale), float(den)
    threads = torch.get_num_threads()
    total = core.add(
        pred.dtype is torch.float64,
        (pred.numel(), pred.data_ptr(), arrays[-1].data_ptr()),
        (counted[0][0], counted[1][0]),
        omit=omit,
        scale=factor,
        den=divisor,
        gradient=_place(outs[0]),
        threads=threads if pred.numel() >= 2 * core.worth_a_thread else 1,
        team=team(),
        samples=pred.shape[0] if samples else 1,
        totals=_place(totals),
        spread=arrays[1].data_ptr() if names else 0,
        gradient_of_spread=_place(outs[1]) if names else 0,
        odd=half is not None,
    )
    if totals is None:
        single = pred.dtype is torch.float32
        mean = total * factor / divisor
        value = torch.scalar_tensor(ctypes.c_float(mean).value if single else mean, dtype=pred.dtype, device="cpu")
    else:
        value = (totals.fill_(total) if len(totals) == 1 else totals).mul_(factor / divisor).to(pred.dtype)
    return value, *(out if out is None or half is None else out.to(half) for out in outs)


def _place(out: Tensor | None) -> int:
    return 0 if out is None else out.data_ptr()


def team() -> Team:
    """Return the threads of torch, if they are of an OpenMP: after its operations they look out for more, and others would wait for their cores."""
    return _team() if os.getpid() == _PROCESS else OWN


@lru_cache
def _team() -> Team:
    try:
        torch_itself = ctypes.CDLL(torch._C.__file__)
        return Team(*(ctypes.cast(getattr(torch_itself, name), ctypes.c_void_p).value or 0 for name in ("GOMP_parallel", "omp_get_thread_num")))
    except (OSError, AttributeError):
        return OWN


def _spread(pred: Tensor, given: Tensor | None) -> tuple[Spread, Tensor | None]:
    """Return how numbers stand for the elements of a prediction, and the tensor that owns them, which has to live as long."""
    if given is None:
        return ALL, None
    given = given.contiguous()
    found = spread(tuple(pred.shape), tuple(given.shape), given.data_ptr())
    if found is not None:
        return found, given
    whole = given.expand(pred.shape).contiguous()
    return Spread(whole.data_ptr(), whole.numel(), 1), whole


def _empty_like(pred: Tensor) -> Tensor:
    """Return memory for a gradient."""
    if pred.numel() < _WORTH_KEEPING:
        return torch.empty_like(pred)
    return torch.from_numpy(room_for(tuple(pred.shape), np.float32 if pred.dtype is torch.float32 else np.float64))
