"""Losses for NumPy: functions such as ``huber_loss``, and of pointwise ones a class such as ``HuberLoss`` with its settings and derivatives.

>>> import numpy as np
>>> from squarely.losses.numpy import HuberLoss, huber_loss
>>> pred, target = np.array([1.0, 2.0, 9.0]), np.array([1.5, 2.0, 3.0])
>>> float(huber_loss(pred, target, delta=1.0))
1.875
>>> loss = HuberLoss(delta=1.0)
>>> loss.gradient(pred, target)
array([-0.5,  0. ,  1. ])
>>> loss.fit_intercept_only([0.0, 1.0, 100.0])
1.0
"""

from typing import Any

from squarely.losses.forms import FORMS
from squarely.losses.kernels import KERNELS, Kernel
from squarely.losses.numpy.calls import NumpyCall
from squarely.losses.numpy.loss import HESSIANS, Loss, loss_class

_functions = {**{name: NumpyCall(kernel) for name, kernel in KERNELS.items()}, **{name: NumpyCall(form) for name, form in FORMS.items()}}
_classes = {made.__name__: made for made in map(loss_class, KERNELS.values())}
globals().update(_functions, **_classes)

__all__ = ["HESSIANS", "Loss", "loss", "loss_class", *_functions, *_classes]


def loss(kernel: type[Kernel]) -> NumpyCall:
    """Return a loss of your own, made by ``squarely.losses.pointwise``, as a function; ``loss_class`` returns its class."""
    return NumpyCall(kernel)


def __getattr__(name: str) -> Any:
    """Say that there is no such loss. All there are stand in the table of kernels, so type checkers see them through this."""
    raise AttributeError(f"squarely.losses.numpy has no {name!r}; it has {', '.join(sorted(_functions))}, and a class of each that is pointwise")
