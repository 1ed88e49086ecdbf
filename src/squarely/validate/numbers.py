"""Anything array-like becomes numbers, exactly, or is refused."""

import math
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from numbers import Real
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from squarely.errors import DataError, NotANumberError
from squarely.validate.tensors import host_array, is_tensor

__all__ = ["UNREADABLE", "Array", "Missing", "Place", "as_array", "no_array", "numbers", "one_column"]

Array = npt.NDArray[Any]
UNREADABLE = (TypeError, ValueError, RuntimeError, BufferError)  # what libraries raise whose objects do not become arrays
_LONGEST = 400  # digits: more than any double has before its point
Missing = npt.NDArray[np.bool_] | None


class Place(NamedTuple):
    """What an array is called in a message, and how one of its rows is."""

    name: str
    row: Callable[[int], str]


def as_array(data: Any, place: Place) -> Array:
    """Return an array-like as an array of whatever it holds, in the same memory where that is possible."""
    try:
        array: Array = host_array(data) if is_tensor(data) else np.asarray(data)
    except UNREADABLE as error:
        raise no_array(place.name, error) from error
    if array.dtype.isbuiltin == 2 and np.can_cast(array.dtype, np.float32):  # bfloat16 and narrower types, which NumPy was taught
        return array.astype(np.float32)
    if array is not data and array.dtype.char == "d" and _may_hold_integers(data) and bool((np.abs(array) >= 2.0**53).any()):
        return _as_objects(data, array)  # NumPy rounds long integers where a float or a missing value is among them
    return array


def no_array(name: str, error: Exception) -> DataError:
    """Return the error for what NumPy, or the library it is of, cannot make an array of."""
    reason = str(error).strip().splitlines() or [type(error).__name__]
    return DataError(f"{name} is no array of numbers: {reason[0].rstrip('.')}. Give a sequence of numbers of one length per row.")


def numbers(data: Any, place: Place) -> tuple[Array, Missing]:
    """Return the numbers of an array-like, and where they are missing (None: nowhere known); refuse what is no number."""
    mask = None
    if isinstance(data, np.ma.MaskedArray):
        mask, data = np.ma.getmaskarray(data), data.data
    array = as_array(data, place)
    if array.dtype.kind == "O":
        array, absent = _from_objects(array, mask, place)
        mask = absent if mask is None else mask | absent
    if array.dtype.kind in "US":
        _refuse_text(array.ravel().tolist(), place)
    if array.dtype.kind == "c":
        raise DataError(f"Complex data not supported: {place.name} has the type {array.dtype} where numbers were expected. Give two columns of it.")
    if array.dtype.kind not in "biuf":
        raise DataError(f"{place.name} has the type {array.dtype} where numbers were expected. Convert it first.")
    if array.dtype.char == "g":
        array = _narrow(array, place)
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    return array, mask if mask is not None and mask.any() else None


def _may_hold_integers(data: Any) -> bool:
    return isinstance(data, list | tuple) or "int" in str(getattr(data, "dtype", getattr(data, "type", ""))).lower()


def _as_objects(data: Any, array: Array) -> Array:
    """Return the values as they were given, where they can be had."""
    for name in ("to_pylist", "to_list", "tolist"):
        if hasattr(data, name):
            data = getattr(data, name)()
            break
    if isinstance(data, list | tuple) and array.ndim > 1:
        nested: Array = np.array(data, object)
        return nested if nested.shape == array.shape else array
    if not isinstance(data, list | tuple):
        return array
    objects = np.empty(len(data), object)
    objects[:] = data
    return objects


def _refuse_text(values: list[Any], place: Place) -> None:
    for row, value in enumerate(values):
        try:
            float(value)
        except ValueError:
            raise _no_number(place, row, value) from None
    first = f" ({str(values[0])[:40]!r})" if values else ""
    raise DataError(f"{place.name} holds numbers stored as text{first}. Convert it to numbers first.")


def _no_number(place: Place, row: int, value: Any) -> DataError:
    words = f"{place.row(row)} holds {str(value)[:60]!r} where a number was expected. Correct it, or mark it as missing."
    if isinstance(value, str):
        return DataError(words)
    return NotANumberError(f"{words} An argument must be free of objects that, unlike a string or a float, stand for no number.")


def _from_objects(array: Array, mask: Missing, place: Place) -> tuple[Array, npt.NDArray[np.bool_]]:
    """Return objects as numbers; None and NA are missing."""
    flat = array.ravel().tolist()
    absent = np.fromiter((value is None or type(value).__name__ in ("NAType", "NaTType") for value in flat), np.bool_, len(flat))
    if mask is not None:
        absent |= mask.ravel()
    values = [0 if gone else value for value, gone in zip(flat, absent, strict=True)]
    for row, value in enumerate(values):
        if not isinstance(value, Real | np.bool_ | Decimal):
            raise _no_number(place, row, value)
        values[row] = _as_number(value)
    found = np.array(values)
    if found.dtype.kind not in "biu":
        found = np.fromiter((_as_double(value, place, row) for row, value in enumerate(values)), np.float64, len(values))
    return found.reshape(array.shape), absent.reshape(array.shape)


def _as_number(value: Any) -> Any:
    """Return a number as Python's own, whole ones as an int."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Decimal):
        if not value.is_finite():
            return math.nan if value.is_nan() else float(value)
        return int(value) if value.adjusted() < _LONGEST and value == value.to_integral_value() else value
    return value.numerator if isinstance(value, Fraction) and value.denominator == 1 else value


def _as_double(value: Any, place: Place, row: int) -> float:
    """Return the nearest double of a fraction; an integer has to be one."""
    try:
        double = float(value)
    except OverflowError:
        double = math.inf
    if (isinstance(value, int) and double != value) or (math.isinf(double) and not isinstance(value, float)):
        raise _too_long(place, row)
    return double


def _too_long(place: Place, row: int) -> DataError:
    return DataError(f"{place.row(row)} holds a number that no float64 holds. Round it yourself with .astype('float64').")


def _narrow(array: Array, place: Place) -> Array:
    """Return extended floats as float64 where that loses nothing."""
    narrow = array.astype(np.float64)
    differs = (narrow != array) & ~np.isnan(array)
    if differs.any():
        raise _too_long(place, int(np.flatnonzero(differs.ravel())[0]))
    return narrow


def one_column(array: Array, mask: Missing, name: str) -> tuple[Array, Missing]:
    """Return a column as a vector; refuse anything that is not one column."""
    if array.ndim == 2 and array.shape[1] == 1:
        return array[:, 0], None if mask is None else mask[:, 0]
    if array.ndim != 1:
        raise DataError(f"{name} has shape {array.shape}; expected (n,) or (n, 1). Give each output or model as an array of its own.")
    return array, mask
