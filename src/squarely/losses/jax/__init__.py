"""Losses for JAX.

``mse_loss(pred, target)`` and its siblings are pure functions with right derivatives of every order. ``optax`` has those that optax has, under its
names and with its conventions. Options that are words (``reduction=``, ``denom=``, ``nan_target=``) and settings are static: bind them with
``functools.partial`` before ``jax.jit``, or name them in its ``static_argnames``. ``nan_target="raise"`` is a check while tracing: wrap the function
in ``jax.experimental.checkify.checkify``.
"""

from squarely.losses.jax import optax
from squarely.losses.jax.functional import (
    adaptive_loss,
    barron_loss,
    beta_nll_loss,
    cauchy_loss,
    expectile_loss,
    fair_loss,
    faithful_nll_loss,
    gaussian_nll_loss,
    geman_mcclure_loss,
    half_mse_loss,
    huber_loss,
    l1_loss,
    linex_loss,
    log_cosh_loss,
    loss,
    mse_loss,
    msle_loss,
    nmse_loss,
    pinball_loss,
    pseudo_huber_loss,
    quantile_loss,
    relative_l2_loss,
    relative_squared_loss,
    rmse_loss,
    smooth_l1_loss,
    smooth_pinball_loss,
    student_t_loss,
    trimmed_loss,
    tukey_loss,
    welsch_loss,
    winsorized_loss,
)
from squarely.losses.jax.library import global_denominator
from squarely.losses.terms import LossTerms

__all__ = [
    "LossTerms",
    "adaptive_loss",
    "barron_loss",
    "beta_nll_loss",
    "cauchy_loss",
    "expectile_loss",
    "fair_loss",
    "faithful_nll_loss",
    "gaussian_nll_loss",
    "geman_mcclure_loss",
    "global_denominator",
    "half_mse_loss",
    "huber_loss",
    "l1_loss",
    "linex_loss",
    "log_cosh_loss",
    "loss",
    "mse_loss",
    "msle_loss",
    "nmse_loss",
    "optax",
    "pinball_loss",
    "pseudo_huber_loss",
    "quantile_loss",
    "relative_l2_loss",
    "relative_squared_loss",
    "rmse_loss",
    "smooth_l1_loss",
    "smooth_pinball_loss",
    "student_t_loss",
    "trimmed_loss",
    "tukey_loss",
    "welsch_loss",
    "winsorized_loss",
]
