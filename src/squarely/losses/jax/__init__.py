"""Losses for JAX.

``mse_loss(pred, target)`` and its siblings are pure functions with right derivatives of every order. ``optax`` has those that optax has, under its
names and with its conventions. Options that are words (``reduction=``, ``denom=``, ``nan_target=``) and settings are static: bind them with
``functools.partial`` before ``jax.jit``, or name them in its ``static_argnames``. ``nan_target="raise"`` is a check while tracing: wrap the function
in ``jax.experimental.checkify.checkify``.
"""
# ruff: noqa: F403

from squarely.losses.jax import functional, optax
from squarely.losses.jax.functional import *
from squarely.losses.jax.library import global_denominator
from squarely.losses.terms import LossTerms

__all__ = ["LossTerms", "global_denominator", "optax"]
__all__ += functional.__all__
