"""What parameters of estimators may be: each rule returns a parameter as it is used, or says what was expected of it."""

import math
from collections.abc import Callable, Mapping
from numbers import Integral, Real
from typing import Any

import numpy as np

from squarely.errors import DataError
from squarely.linear.doubled import Doubles
from squarely.validate import check_fit_policy

__all__ = ["SHARED", "Rule", "count", "level", "number", "penalties", "penalties_above_zero", "penalty", "refused", "share", "shares"]

Rule = Callable[[str, Any], Any]
_LONG = 60  # letters of what was given that a message shows
_NONE_AT_ALL = "For no penalty at all there is LinearRegression."


def _flag(name: str, given: Any) -> bool:
    """Return True or False."""
    if isinstance(given, bool | np.bool_):
        return bool(given)
    raise refused(name, given, "True or False")


def count(name: str, given: Any) -> int:
    """Return a whole number above 0, which compiled loops can count to."""
    if isinstance(given, Integral) and not isinstance(given, bool) and 0 < int(given) < 2**31:
        return int(given)
    raise refused(name, given, "a whole number from 1 to 2^31 - 1")


def _policy(name: str, given: Any) -> str:
    """Return what missing values do."""
    check_fit_policy(given)
    return str(given)


def _tolerance(name: str, given: Any) -> float:
    """Return a finite number of at least 0."""
    if 0 <= number(given) < math.inf:
        return float(given)
    raise refused(name, given, "a finite number of at least 0")


def level(name: str, given: Any) -> float:
    """Return a number above 0 and below 1."""
    if 0 < number(given) < 1:
        return float(given)
    raise refused(name, given, "a number above 0 and below 1, as 0.9")


def _features(name: str, given: Any) -> Any:
    """Return names and terms as they are, or None for every column; whether they are such is said where they meet columns."""
    if given is None or isinstance(given, str | list | tuple) or hasattr(given, "features"):
        return given
    raise refused(name, given, "names of columns and terms, as ['a', poly('b', 2)], or None for every column")


def penalties(name: str, given: Any) -> Doubles:
    """Return penalties as an array of one dimension."""
    found = _numbers(given)
    if not np.isfinite(found).all() or (found < 0).any():
        raise refused(name, given, "finite numbers of at least 0", _NONE_AT_ALL)
    return found


def penalties_above_zero(name: str, given: Any) -> Doubles:
    """Return penalties that are not 0."""
    found = _numbers(given)
    if not np.isfinite(found).all() or (found <= 0).any():
        raise refused(name, given, "finite numbers above 0", _NONE_AT_ALL)
    return found


def penalty(name: str, given: Any) -> float:
    """Return one penalty."""
    if 0 <= number(given) < math.inf:
        return float(given)
    raise refused(name, given, "a finite number of at least 0", _NONE_AT_ALL)


def share(name: str, given: Any) -> float:
    """Return a number of 0 to 1."""
    if 0 <= number(given) <= 1:
        return float(given)
    raise refused(name, given, "a number of 0, a ridge penalty alone, to 1, a lasso penalty alone")


def shares(name: str, given: Any) -> list[float]:
    """Return one number of 0 to 1, or several."""
    found = _numbers(given)
    if ((found >= 0) & (found <= 1)).all():
        return list(map(float, found))
    raise refused(name, given, "numbers of 0, a ridge penalty alone, to 1, a lasso penalty alone")


def number(given: Any) -> float:
    """Return one real number as a double; nan, which no rule allows, for anything else, such as a truth value."""
    try:
        return float(given) if isinstance(given, Real) and not isinstance(given, bool) else math.nan
    except OverflowError:
        return math.nan


def _numbers(given: Any) -> Doubles:
    """Return one number or several as an array of one dimension; one nan for anything else."""
    try:
        found = np.atleast_1d(np.asarray(given, object))
    except ValueError:  # rows of different lengths
        return np.array([math.nan])
    return np.array(list(map(number, found)) if found.ndim == 1 and found.size else [math.nan])


def refused(name: str, given: Any, expected: str, cure: str = "") -> DataError:
    """Return the error for a parameter that is no such thing."""
    return DataError(f"{name} is {repr(given)[:_LONG]}; expected {expected}.{cure and ' '}{cure}")


SHARED: Mapping[str, Rule] = {"features": _features, "fit_intercept": _flag, "nan_policy": _policy, "tol": _tolerance, "max_iter": count}
