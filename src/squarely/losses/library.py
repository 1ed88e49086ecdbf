"""What the composition asks of a library of arrays: a namespace, and the few things that are called differently in each."""

from typing import Any, Protocol

import numpy.typing as npt

from squarely.losses.kernels import Bound, BoundResidual

__all__ = ["NOT_A_COVARIANCE", "Library"]

Array = Any
NOT_A_COVARIANCE = "covariance is not symmetric, or not positive definite; add a small multiple of the identity, or estimate it from more rows."


class Library(Protocol):
    """NumPy, torch or JAX, as the composition sees it.

    A library may have ``rho_of_difference(kernel, pred, target)`` too: the loss of a difference of which all counts, where it has a better way
    to it than ``rho`` of the difference.

    Attributes
    ----------
    xp : the namespace of its functions
    array : what its arrays are, in words
    """

    xp: Any
    array: str

    def is_array(self, given: Any) -> bool:
        """Say whether it is an array of this library."""

    def is_real(self, array: Array) -> bool:
        """Say whether an array holds real numbers, or True and False."""

    def float_of(self, *arrays: Array) -> Any:
        """Return the type to compute in: the widest of the floats, and never a half type."""

    def cast(self, array: Array, dtype: Any) -> Array:
        """Return the array in a type; its gradient is rounded once, to the type it had."""

    def is_boolean(self, array: Array) -> bool:
        """Say whether an array holds True and False."""

    def is_floating(self, array: Array) -> bool:
        """Say whether an array holds floating-point numbers."""

    def residual(self, compared: BoundResidual, pred: Array, target: Array) -> Array:
        """Return a residual that is no difference."""

    def rho(self, kernel: Bound, u: Array) -> Array:
        """Return the loss, whose derivatives are psi and kappa of the kernel."""

    def stop(self, array: Array) -> Array:
        """Return the array as a constant."""

    def refuse(self, bad: Array, message: str) -> None:
        """Raise the message where an array is True anywhere."""

    def constant(self, numbers: npt.ArrayLike, like: Array) -> Array:
        """Return numbers as an array of the type and place of another."""

    def whiten(self, covariance: Array, u: Array) -> Array:
        """Return the solution of C x = u, of the Cholesky factor C of each covariance."""
