"""The regression losses of optax, under its names and with its conventions: predictions first, elementwise, targets of 0 where none are given.

They differ in four things. Shapes must be the same for all of them, not for ``squared_error`` and ``l2_loss`` alone. ``log_cosh`` is right for tiny
errors, where optax returns 0. Losses of half types are computed in float32 and stay there, so that a mean of them is too. ``delta`` is a
number, not an array.
"""

from typing import Any

from squarely.losses.calls import Call
from squarely.losses.jax import functional
from squarely.losses.jax.library import JAX

__all__ = ["huber_loss", "l2_loss", "log_cosh", "squared_error"]

Array = Any


def squared_error(predictions: Array, targets: Array = None) -> Array:
    """Return the squared error of each element, without a half."""
    return _each(functional.mse_loss, predictions, targets)


def l2_loss(predictions: Array, targets: Array = None) -> Array:
    """Return half of the squared error of each element."""
    return _each(functional.half_mse_loss, predictions, targets)


def huber_loss(predictions: Array, targets: Array = None, *, delta: float = 1.0) -> Array:
    """Return half of the squared error of each element up to ``delta``, and a straight line beyond."""
    return _each(functional.huber_loss, predictions, targets, delta=delta)


def log_cosh(predictions: Array, targets: Array = None) -> Array:
    """Return log(cosh(error)) of each element."""
    return _each(functional.log_cosh_loss, predictions, targets)


def _each(loss: Call, predictions: Array, targets: Array, **settings: float) -> Array:
    predictions = JAX.xp.asarray(predictions)
    targets = JAX.xp.zeros_like(predictions) if targets is None else JAX.xp.asarray(targets)
    return loss(predictions, targets, reduction="none", **settings)
