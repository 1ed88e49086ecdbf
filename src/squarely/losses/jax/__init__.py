"""Losses for JAX.

``mse_loss(pred, target)`` and its siblings are pure functions with right derivatives of every order. ``optax`` has those that optax has, under its
names and with its conventions. Options that are words (``reduction=``, ``denom=``, ``nan_target=``) and settings are static: bind them with
``functools.partial`` before ``jax.jit``, or name them in its ``static_argnames``. ``nan_target="raise"`` is a check while tracing: wrap the function
in ``jax.experimental.checkify.checkify``.
"""

from squarely.losses.jax import optax
from squarely.losses.jax.functional import (
    barron_loss,
    cauchy_loss,
    expectile_loss,
    fair_loss,
    geman_mcclure_loss,
    half_mse_loss,
    huber_loss,
    l1_loss,
    linex_loss,
    log_cosh_loss,
    mse_loss,
    msle_loss,
    pinball_loss,
    pseudo_huber_loss,
    relative_squared_loss,
    smooth_l1_loss,
    smooth_pinball_loss,
    student_t_loss,
    tukey_loss,
    welsch_loss,
    winsorized_loss,
)
from squarely.losses.jax.library import global_denominator
from squarely.losses.terms import LossTerms

__all__ = [
    "LossTerms",
    "barron_loss",
    "cauchy_loss",
    "expectile_loss",
    "fair_loss",
    "geman_mcclure_loss",
    "global_denominator",
    "half_mse_loss",
    "huber_loss",
    "l1_loss",
    "linex_loss",
    "log_cosh_loss",
    "mse_loss",
    "msle_loss",
    "optax",
    "pinball_loss",
    "pseudo_huber_loss",
    "relative_squared_loss",
    "smooth_l1_loss",
    "smooth_pinball_loss",
    "student_t_loss",
    "tukey_loss",
    "welsch_loss",
    "winsorized_loss",
]
