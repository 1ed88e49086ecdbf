"""NumPy, as the composition of losses sees it."""

from typing import Any

import numpy as np
import numpy.typing as npt

from squarely.errors import DataError
from squarely.losses.kernels import Bound, BoundResidual
from squarely.losses.library import NOT_A_COVARIANCE

__all__ = ["NUMPY", "Array", "Numpy"]

Array = npt.NDArray[Any]


class Numpy:
    """The library of NumPy."""

    xp: Any = np
    array = "an array. Cure: numpy.asarray of it"

    def is_array(self, given: Any) -> bool:
        """Say whether it is an array of NumPy."""
        return isinstance(given, np.ndarray | np.generic)

    def is_real(self, array: Array) -> bool:
        """Say whether an array holds real numbers, or True and False."""
        return array.dtype.kind in "fiub" or np.can_cast(array.dtype, np.float32)  # as half types of other libraries

    def float_of(self, *arrays: Array) -> np.dtype[Any]:
        """Return the widest float type, at least float32."""
        return np.result_type(np.float32, *(each.dtype for each in arrays if self.is_floating(each)))

    def cast(self, array: Array, dtype: Any) -> Array:
        """Return the array in a type."""
        return array.astype(dtype, copy=False)

    def is_boolean(self, array: Array) -> bool:
        """Say whether an array holds True and False."""
        return array.dtype == np.bool_

    def is_floating(self, array: Array) -> bool:
        """Say whether an array holds floating-point numbers."""
        return np.issubdtype(array.dtype, np.floating)

    def residual(self, compared: BoundResidual, pred: Array, target: Array) -> Array:
        """Return a residual that is no difference."""
        return np.asarray(compared.of(np, pred, target))

    def rho(self, kernel: Bound, u: Array) -> Array:
        """Return the loss."""
        return np.asarray(kernel.rho(np, u))

    def stop(self, array: Array) -> Array:
        """Return the array: NumPy has no gradients."""
        return array

    def refuse(self, bad: Array, message: str) -> None:
        """Raise where an array is True anywhere, and say where first."""
        if bad.any():
            place = tuple(int(i) for i in np.argwhere(bad)[0])
            where = f" at row {place[0]}" if len(place) == 1 else f" at {place}" if place else ""
            raise DataError(f"{message} It is so{where} first.")

    def constant(self, numbers: npt.ArrayLike, like: Array) -> Array:
        """Return numbers as an array of the type of another."""
        return np.asarray(numbers, like.dtype)

    def whiten(self, covariance: Array, u: Array) -> Array:
        """Solve with the Cholesky factor of each covariance."""
        return _solve(self.factor(covariance), u)

    def unwhiten(self, covariance: Array, slope: Array) -> Array:
        """Solve with the transposed factor: it carries a gradient back through ``whiten``."""
        return _solve(np.swapaxes(self.factor(covariance), -1, -2), slope)

    def factor(self, covariance: Array) -> Array:
        """Return the lower Cholesky factor of each covariance."""
        try:
            factor = np.linalg.cholesky(covariance)
        except np.linalg.LinAlgError:
            raise DataError(NOT_A_COVARIANCE) from None
        self.refuse(np.isnan(factor), NOT_A_COVARIANCE)
        return factor


def _solve(matrix: Array, rows: Array) -> Array:
    """Return x with M x = row for each row, of one matrix for all or one for each."""
    if matrix.ndim > 2:
        return np.linalg.solve(matrix, rows[..., None])[..., 0]
    return np.linalg.solve(matrix, rows.reshape(-1, rows.shape[-1]).T).T.reshape(rows.shape)


NUMPY = Numpy()
