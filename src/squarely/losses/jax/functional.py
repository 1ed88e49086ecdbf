"""Pointwise losses for JAX: pure functions, which jit, grad, vmap, jvp and shard_map take as they take any other."""

from squarely.losses.calls import Call
from squarely.losses.jax.library import JAX
from squarely.losses.kernels import KERNELS

__all__ = [
    "barron_loss",
    "cauchy_loss",
    "expectile_loss",
    "fair_loss",
    "geman_mcclure_loss",
    "half_mse_loss",
    "huber_loss",
    "l1_loss",
    "linex_loss",
    "log_cosh_loss",
    "mse_loss",
    "msle_loss",
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

mse_loss = Call(KERNELS["mse_loss"], JAX)
half_mse_loss = Call(KERNELS["half_mse_loss"], JAX)
msle_loss = Call(KERNELS["msle_loss"], JAX)
relative_squared_loss = Call(KERNELS["relative_squared_loss"], JAX)
l1_loss = Call(KERNELS["l1_loss"], JAX)
huber_loss = Call(KERNELS["huber_loss"], JAX)
smooth_l1_loss = Call(KERNELS["smooth_l1_loss"], JAX)
pseudo_huber_loss = Call(KERNELS["pseudo_huber_loss"], JAX)
log_cosh_loss = Call(KERNELS["log_cosh_loss"], JAX)
fair_loss = Call(KERNELS["fair_loss"], JAX)
cauchy_loss = Call(KERNELS["cauchy_loss"], JAX)
geman_mcclure_loss = Call(KERNELS["geman_mcclure_loss"], JAX)
welsch_loss = Call(KERNELS["welsch_loss"], JAX)
tukey_loss = Call(KERNELS["tukey_loss"], JAX)
winsorized_loss = Call(KERNELS["winsorized_loss"], JAX)
student_t_loss = Call(KERNELS["student_t_loss"], JAX)
barron_loss = Call(KERNELS["barron_loss"], JAX)
pinball_loss = Call(KERNELS["pinball_loss"], JAX)
smooth_pinball_loss = Call(KERNELS["smooth_pinball_loss"], JAX)
expectile_loss = Call(KERNELS["expectile_loss"], JAX)
linex_loss = Call(KERNELS["linex_loss"], JAX)
