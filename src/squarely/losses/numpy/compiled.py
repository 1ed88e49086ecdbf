"""Losses of two or three operations, which the core computes in one pass over memory; the bits are those of their declarations."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from squarely import _core

__all__ = ["Compiled", "compiled"]

_NUMBERS = {"mse_loss": 0, "half_mse_loss": 1, "l1_loss": 2, "huber_loss": 3, "pinball_loss": 4}  # as in cpp/losses.hpp


class Compiled:
    """A loss of the core with its constant."""

    def __init__(self, number: int, constant: float) -> None:
        self.number = number
        self.constant = constant

    def write(self, pred: Any, target: Any, weight: Any, *outs: tuple[bool, Any]) -> list[Any] | None:
        """Return the arrays of the loss and the gradient that are wanted; None where the core does not take such arrays."""
        if type(pred) is not np.ndarray:
            return None
        arrays = [None if not is_wanted else np.empty_like(pred) if out is None else out for is_wanted, out in outs]
        return arrays if _core.losses(self.number, self.constant, pred, target, weight, *arrays) else None


def compiled(name: str, settings: Mapping[str, float]) -> Compiled | None:
    """Return the loss of the core of this name, if there is one."""
    return Compiled(_NUMBERS[name], *settings.values() or (0.0,)) if name in _NUMBERS else None
