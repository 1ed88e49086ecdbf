"""What a training loss costs beside the loss of the same name in each framework: value and gradient, on the processor."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from timing import CORES, Options, Sheet, block, in_turn

import squarely.losses.torch as losses

SIZES = tuple(1 << power for power in (10, 16, 20, 24))
TURNS = 7


def at_most(size: int) -> float | None:
    """Return the target of the ratio for so many elements."""
    return 1.5 if size == 1 << 10 else 1.0 if size >= 1 << 16 else None


def step_of(loss: Callable[..., Any], leaf: torch.Tensor, *others: torch.Tensor) -> None:
    """Take value and gradient, as training does."""
    leaf.grad = None
    loss(leaf, *others).backward()


def in_torch(options: Options, sheet: Sheet) -> None:
    functional = torch.nn.functional
    names = ("mse_loss", "l1_loss", "huber_loss", "smooth_l1_loss")
    pairs: list[tuple[str, Callable[..., Any], Callable[..., Any]]] = [(name, getattr(losses, name), getattr(functional, name)) for name in names]
    pairs.append(("gaussian_nll_loss", lambda p, y, v: losses.gaussian_nll_loss(p, y, var=v), functional.gaussian_nll_loss))
    torch.set_num_threads(CORES)
    sheet.title(f"18. Value and gradient of losses, float32, {CORES} threads, against torch {torch.__version__.partition('+')[0]}", "microseconds")
    for size in SIZES:
        draw = torch.Generator().manual_seed(0)
        leaf, target = torch.randn(size, generator=draw, requires_grad=True), torch.randn(size, generator=draw)
        spread = torch.rand(size, generator=draw) + 0.5
        for name, ours, theirs in pairs:
            others = (target, spread) if name == "gaussian_nll_loss" else (target,)
            measured = [block(partial(step_of, loss, leaf, *others)) for loss in (ours, theirs)]
            sheet.line(f"{name}, 2^{size.bit_length() - 1} elements", *in_turn(measured[0], measured[1], TURNS), ratio_at_most=at_most(size))
        weight = torch.rand(size, generator=draw) + 0.5
        measured = [
            block(partial(step_of, lambda p, y, w: losses.mse_loss(p, y, weight=w), leaf, target, weight)),
            block(partial(step_of, lambda p, y, w: (w * (p - y) ** 2).sum() / w.sum(), leaf, target, weight)),
        ]
        sheet.line(f"mse_loss with weights, 2^{size.bit_length() - 1} elements, by hand", *in_turn(measured[0], measured[1], TURNS))


SECTIONS = {18: in_torch}
