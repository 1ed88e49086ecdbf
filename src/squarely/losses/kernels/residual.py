"""What a loss is a function of: a difference, or one of logarithms, or one in units of the target."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["DIFFERENCE", "LOGARITHMIC", "RELATIVE", "BoundResidual", "Residual"]

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


@dataclass(frozen=True, eq=False)
class BoundResidual:
    """A residual with its settings: a function of prediction and target alone."""

    residual: Residual
    settings: Mapping[str, float]

    def of(self, xp: Any, pred: Array, target: Array) -> Array:
        """Return the residual."""
        return self.residual.of(xp, pred, target, **self.settings)

    def slope(self, xp: Any, pred: Array, target: Array) -> Array:
        """Return its derivative by the prediction."""
        return self.residual.slope(xp, pred, target, **self.settings)


DIFFERENCE = Residual(
    lambda xp, pred, target: pred - target,
    lambda xp, pred, target: xp.ones_like(pred),
    lambda xp, pred, target: xp.zeros_like(pred),
)


def _log_ratio(xp: Any, pred: Array, target: Array) -> Array:
    """Return log((1 + pred) / (1 + target)), and nan where either is -1 or less.

    One logarithm, for a difference of two loses the digits of a good fit; and log1p only of what is near 0, for far below 1 + target it is -1.
    """
    inside = (pred > -1) & (target > -1)
    pred, target = xp.where(inside, pred, xp.zeros_like(pred)), xp.where(inside, target, xp.zeros_like(target))
    change = (pred - target) / (1 + target)
    is_near = xp.abs(change) < 0.5
    near = xp.log1p(xp.where(is_near, change, xp.zeros_like(change)))
    far = xp.log(xp.where(is_near, xp.ones_like(change), (1 + pred) / (1 + target)))
    return xp.where(inside, near + far, xp.full_like(change, float("nan")))


LOGARITHMIC = Residual(
    _log_ratio,
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
