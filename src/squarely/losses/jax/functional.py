"""Losses for JAX: pure functions, which jit, grad, vmap, jvp and shard_map take as they take any other."""

from typing import Any

from squarely.losses.calls import Call
from squarely.losses.forms import FORMS
from squarely.losses.jax.library import JAX
from squarely.losses.kernels import KERNELS, Kernel

__all__ = [
    "adaptive_loss",
    "barron_loss",
    "beta_nll_loss",
    "cauchy_loss",
    "expectile_loss",
    "fair_loss",
    "faithful_nll_loss",
    "gaussian_nll_loss",
    "geman_mcclure_loss",
    "half_mse_loss",
    "huber_loss",
    "l1_loss",
    "linex_loss",
    "log_cosh_loss",
    "loss",
    "mse_loss",
    "msle_loss",
    "nmse_loss",
    "patch_mse_loss",
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


class _HalfOfSquares(Call):
    """Half of the squares, halved after they are added: on processors XLA has a faster loop for a sum of squares alone."""

    def __call__(self, pred: Any, target: Any, **given: Any) -> Any:
        """Return the mean over what counts, or what ``reduction`` says."""
        options, _, _ = self._read(given)
        return 0.5 * mse_loss(pred, target, **given) if options.reduction in ("mean", "sum") else super().__call__(pred, target, **given)


mse_loss = Call(KERNELS["mse_loss"], JAX)
half_mse_loss = _HalfOfSquares(KERNELS["half_mse_loss"], JAX)
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
rmse_loss = Call(FORMS["rmse_loss"], JAX)
trimmed_loss = Call(FORMS["trimmed_loss"], JAX)
nmse_loss = Call(FORMS["nmse_loss"], JAX)
relative_l2_loss = Call(FORMS["relative_l2_loss"], JAX)
quantile_loss = Call(FORMS["quantile_loss"], JAX)
gaussian_nll_loss = Call(FORMS["gaussian_nll_loss"], JAX)
beta_nll_loss = Call(FORMS["beta_nll_loss"], JAX)
faithful_nll_loss = Call(FORMS["faithful_nll_loss"], JAX)
adaptive_loss = Call(FORMS["adaptive_loss"], JAX)
patch_mse_loss = Call(FORMS["patch_mse_loss"], JAX)


def loss(kernel: type[Kernel]) -> Call:
    """Return a loss of your own, made by ``squarely.losses.pointwise``, as a function of JAX arrays.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from squarely.losses import pointwise
    >>> from squarely.losses.jax import loss
    >>> @pointwise()
    ... def fourth_power(xp, u):
    ...     return u**4
    >>> print(loss(fourth_power)(jnp.array([2.0, 0.0]), jnp.zeros(2)))
    8.0
    """
    return Call(kernel, JAX)
