"""JAX, as the composition of losses sees it. No other module imports jax."""

from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from squarely.errors import DataError, MissingExtraError
from squarely.losses.kernels import Bound, BoundResidual
from squarely.losses.library import NOT_A_COVARIANCE
from squarely.losses.terms import LossTerms

try:
    import jax
    import jax.numpy as jnp
    from jax.experimental import checkify
except ImportError as error:
    raise MissingExtraError("squarely.losses.jax needs jax; install it with: pip install 'squarely[jax]'") from error

__all__ = ["JAX", "Jax", "global_denominator"]

Array = Any
_FITS_A_CACHE = 1 << 18  # elements

# Terms can be returned by jit, grad with has_aux, and scan, and summed over devices.
jax.tree_util.register_dataclass(LossTerms, data_fields=["num", "den"], meta_fields=[])


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def _slope(kernel: Bound, u: Array) -> Array:
    """psi of a kernel, whose derivative is kappa."""
    return kernel.psi(jnp, u)


@_slope.defjvp
def _bend(kernel: Bound, primals: tuple[Array], tangents: tuple[Array]) -> tuple[Array, Array]:
    (u,), (du,) = primals, tangents
    return _slope(kernel, u), kernel.kappa(jnp, u) * du


def _once_more(array: Array) -> Array:
    """Return the same numbers, with an axis in front, as an array of which the compiler does not know that they are.

    On processors XLA sums in a loop that takes in the formula before it, down to the arrays it reads, but nothing of which something else is
    made too: be it a constant, that is written to memory first. So a gradient starts anew, and its axis keeps its constants apart.
    Elsewhere XLA makes value and gradient in one loop, and is left to it; and an array that is there already was not compiled with the value.
    """
    if jax.default_backend() != "cpu" or not isinstance(array, jax.core.Tracer):
        return array
    return jax.lax.optimization_barrier(jax.lax.expand_dims(array, (0,)))  # type: ignore[no-untyped-call]


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def _loss(kernel: Bound, u: Array) -> Array:
    """rho of a kernel, whose derivative is psi."""
    return kernel.rho(jnp, u)


@_loss.defjvp
def _rise(kernel: Bound, primals: tuple[Array], tangents: tuple[Array]) -> tuple[Array, Array]:
    (u,), (du,) = primals, tangents
    again = _once_more(u) if kernel.settings else u  # which is at hand; without settings there are no constants to keep apart
    return _loss(kernel, u), _slope(kernel, again).reshape(u.shape) * du


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def _loss_of_difference(kernel: Bound, pred: Array, target: Array) -> Array:
    """rho of pred - target, whose derivative is computed from these and shares nothing with the value."""
    return _loss(kernel, pred - target)


@_loss_of_difference.defjvp
def _rise_of_difference(kernel: Bound, primals: tuple[Array, Array], tangents: tuple[Array, Array]) -> tuple[Array, Array]:
    (pred, target), (dpred, dtarget) = primals, tangents
    slope = _slope(kernel, _once_more(pred) - _once_more(target))
    return _loss_of_difference(kernel, pred, target), slope.reshape(pred.shape) * (dpred - dtarget)


class Jax:
    """The library of JAX."""

    xp: Any = jnp
    array = "an array of JAX or NumPy. Cure: jax.numpy.asarray of it"

    def is_array(self, given: Any) -> bool:
        """Say whether it is an array of JAX, a tracer, or an array of NumPy."""
        return isinstance(given, jax.Array | np.ndarray | np.generic)

    def is_real(self, array: Array) -> bool:
        """Say whether an array holds real numbers, or True and False."""
        return any(jnp.issubdtype(array.dtype, kind) for kind in (jnp.floating, jnp.integer, jnp.bool_))

    def float_of(self, *arrays: Array) -> Any:
        """Return float64 where there is one and JAX has it enabled, else float32."""
        wide = any(jax.dtypes.canonicalize_dtype(each.dtype) == jnp.float64 for each in arrays)
        return jnp.dtype(jnp.float64 if wide else jnp.float32)

    def cast(self, array: Array, dtype: Any) -> Array:
        """Return the array in a type."""
        return jnp.asarray(array, dtype)

    def is_boolean(self, array: Array) -> bool:
        """Say whether an array holds True and False."""
        return bool(array.dtype == jnp.bool_)

    def is_floating(self, array: Array) -> bool:
        """Say whether an array holds floating-point numbers."""
        return bool(jnp.issubdtype(array.dtype, jnp.floating))

    def residual(self, compared: BoundResidual, pred: Array, target: Array) -> Array:
        """Return a residual that is no difference."""
        return compared.of(jnp, pred, target)

    def rho(self, kernel: Bound, u: Array) -> Array:
        """Return the loss, whose derivatives are psi and kappa, in reverse and in forward mode."""
        return _loss(kernel, u) if kernel.kernel.has_derivatives else kernel.rho(jnp, u)

    def rho_of_difference(self, kernel: Bound, pred: Array, target: Array) -> Array:
        """Return the loss of pred - target, whose gradient is computed from them again unless the difference is at hand.

        It is where one had to be cast, which takes an array, and where there is little but memory to wait for: it becomes the gradient in place.
        """
        dtype = self.float_of(pred, target)
        is_at_hand = pred.dtype != dtype or target.dtype != dtype or (not kernel.settings and pred.size > _FITS_A_CACHE)
        pred, target = self.cast(pred, dtype), self.cast(target, dtype)
        if is_at_hand or not kernel.kernel.has_derivatives:
            return self.rho(kernel, pred - target)
        return _loss_of_difference(kernel, pred, target)

    def stop(self, array: Array) -> Array:
        """Return the array as a constant."""
        return jax.lax.stop_gradient(array)

    def refuse(self, bad: Array, message: str) -> None:
        """Raise where an array is True anywhere; while tracing it is a check for ``checkify``, which has to be around."""
        if isinstance(bad, jax.core.Tracer):
            checkify.check(~bad.any(), message)
        elif bool(bad.any()):
            raise DataError(message)

    def constant(self, numbers: npt.ArrayLike, like: Array) -> Array:
        """Return numbers as an array of the type of another."""
        return jnp.asarray(numbers, like.dtype)

    def whiten(self, covariance: Array, u: Array) -> Array:
        """Solve with the Cholesky factor of each covariance; while tracing, one that is not positive definite makes nan."""
        factor = jnp.linalg.cholesky(covariance)
        if not isinstance(factor, jax.core.Tracer):  # a check would keep every jit without checkify from compiling
            self.refuse(jnp.isnan(factor), NOT_A_COVARIANCE)
        if covariance.ndim > 2:
            return jax.lax.linalg.triangular_solve(factor, u[..., None], left_side=True, lower=True)[..., 0]
        rows = u.reshape(-1, u.shape[-1])
        return jax.lax.linalg.triangular_solve(factor, rows.T, left_side=True, lower=True).T.reshape(u.shape)


def global_denominator(den: Array, axis_name: Any) -> Array:
    """Return the sum of a denominator over the devices of a mapped axis, for ``LossTerms.mean``.

    Inside ``pmap``, ``shard_map`` or a ``vmap`` with a name, ``terms.mean(global_denominator(terms.den, axis_name))`` is the share of a device
    in the mean over all of them: the sum of the shares, and of their gradients (``jax.lax.psum``), is the mean, however uneven the devices are.
    A mean over devices (``jax.lax.pmean``) of the shares is too small by their number.

    Parameters
    ----------
    den : array, as in ``LossTerms``
    axis_name : name, or names, of the mapped axes

    Examples
    --------
    >>> import jax, jax.numpy as jnp
    >>> from squarely.losses.jax import global_denominator, mse_loss
    >>> def share(pred, target, mask):
    ...     terms = mse_loss.terms(pred, target, mask=mask)
    ...     return terms.mean(global_denominator(terms.den, "devices"))
    >>> pred, mask = jnp.array([[3.0, 7.0], [1.0, 1.0]]), jnp.array([[True, False], [True, True]])
    >>> float(jax.vmap(share, axis_name="devices")(pred, jnp.zeros((2, 2)), mask).sum())  # (9 + 1 + 1) / 3
    3.6666667461395264
    """
    return jax.lax.psum(jax.lax.stop_gradient(den), axis_name)  # type: ignore[no-untyped-call]


JAX = Jax()
