"""What penalties may be: finite numbers of at least 0, and in which order a path takes them."""

from typing import Any

import numpy as np

from squarely.errors import DataError
from squarely.linear.doubled import Doubles

__all__ = ["penalties", "share"]


def penalties(name: str, given: Any, *, above_zero: bool = False) -> Doubles:
    """Return penalties as an array of one dimension."""
    found = np.atleast_1d(np.asarray(given, np.float64))
    if found.ndim != 1 or not found.size or not np.isfinite(found).all() or (found < 0).any() or (above_zero and (found == 0).any()):
        least = "above 0" if above_zero else "of at least 0"
        raise DataError(f"{name} is {given!r}; expected finite numbers {least}. For no penalty at all there is LinearRegression.")
    return found


def share(name: str, given: Any) -> float:
    """Return a number of 0 to 1."""
    found = float(given)
    if not 0 <= found <= 1:
        raise DataError(f"{name} is {given!r}; expected a number of 0, a ridge penalty alone, to 1, a lasso penalty alone.")
    return found
