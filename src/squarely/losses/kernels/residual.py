"""What a loss is a function of: a difference, or one of logarithms, or one in units of the target."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

__all__ = ["DIFFERENCE", "LOGARITHMIC", "RELATIVE", "Residual"]

Array = Any
Formula = Callable[..., Array]  # (xp, pred, target, **settings)


@dataclass(frozen=True)
class Residual:
    """A residual u with its first and second derivative by the prediction.

    ``takes`` are the settings of the kernel that it takes as well; ``domain`` says which numbers it is defined for, in words.
    """

    of: Formula
    slope: Formula
    bend: Formula
    takes: tuple[str, ...] = ()
    domain: str = ""


DIFFERENCE = Residual(
    lambda xp, pred, target: pred - target,
    lambda xp, pred, target: xp.ones_like(pred),
    lambda xp, pred, target: xp.zeros_like(pred),
)

LOGARITHMIC = Residual(  # one logarithm: a difference of two loses the digits of a good fit
    lambda xp, pred, target: xp.log1p((pred - target) / (1 + target)),
    lambda xp, pred, target: 1 / (1 + pred),
    lambda xp, pred, target: -1 / (1 + pred) ** 2,
    domain="predictions and targets above -1",
)


def _unit(xp: Any, target: Array, eps: float) -> Array:
    return xp.hypot(target, xp.full_like(target, eps))


RELATIVE = Residual(
    lambda xp, pred, target, eps: (pred - target) / _unit(xp, target, eps),
    lambda xp, pred, target, eps: 1 / _unit(xp, target, eps),
    lambda xp, pred, target, eps: xp.zeros_like(pred),
    takes=("eps",),
)
