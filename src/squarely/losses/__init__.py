"""Training losses: one table of kernels, one composition with weights and masks, and a face for each framework.

``squarely.losses.torch``, ``.jax``, ``.keras``, ``.numpy`` and ``.boosting`` are loaded when they are asked for.
"""

import importlib
from typing import Any

from squarely.losses.kernels import KERNELS, Kernel, pointwise
from squarely.losses.options import Options
from squarely.losses.terms import LossTerms

__all__ = ["KERNELS", "Kernel", "LossTerms", "Options", "pointwise"]

_FACES = ("boosting", "jax", "keras", "numpy", "torch")


def __getattr__(name: str) -> Any:
    if name in _FACES:
        return importlib.import_module(f"squarely.losses.{name}")
    raise AttributeError(f"module 'squarely.losses' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, *_FACES])
