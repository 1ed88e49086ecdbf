"""Anything array-like becomes numbers, exactly, or is refused."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from squarely.errors import DataError

__all__ = ["Array", "Missing", "Place", "numbers", "one_column"]

Array = npt.NDArray[Any]
Missing = npt.NDArray[np.bool_] | None


class Place(NamedTuple):
    """What an array is called in a message, and how one of its rows is."""

    name: str
    row: Callable[[int], str]


def numbers(data: Any, place: Place) -> tuple[Array, Missing]:
    """Return the numbers of an array-like, and where they are missing (None: nowhere known); refuse what is no number."""
    mask = None
    if isinstance(data, np.ma.MaskedArray):
        mask, data = np.ma.getmaskarray(data), data.data
    try:
        array: Array = np.asarray(data)
    except (TypeError, ValueError) as error:
        raise DataError(f"{place.name} is no array of numbers: {error}. Give a sequence of numbers of one length per row.") from error
    if array.dtype.kind == "f" and _may_hold_integers(data) and bool((np.abs(array) >= 2.0**53).any()):
        array = _as_objects(data, array)  # NumPy rounds long integers where a float or a missing value is among them
    if array.dtype.kind == "O":
        array, absent = _from_objects(array, mask, place)
        mask = absent if mask is None else mask | absent
    if array.dtype.kind in "US":
        _refuse_text(array.ravel().tolist(), place)
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
    if not isinstance(data, list | tuple) or array.ndim != 1:
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
    return DataError(f"{place.row(row)} holds {str(value)[:60]!r} where a number was expected. Correct it, or mark it as missing.")


def _from_objects(array: Array, mask: Missing, place: Place) -> tuple[Array, npt.NDArray[np.bool_]]:
    """Return objects as numbers; None and NA are missing."""
    flat = array.ravel().tolist()
    absent = np.fromiter((value is None or type(value).__name__ in ("NAType", "NaTType") for value in flat), np.bool_, len(flat))
    if mask is not None:
        absent |= mask.ravel()
    values = [0 if gone else value for value, gone in zip(flat, absent, strict=True)]
    for row, value in enumerate(values):
        if not isinstance(value, int | float | np.number | np.bool_ | Decimal):
            raise _no_number(place, row, value)
        if isinstance(value, Decimal) and value.is_finite() and value == value.to_integral_value():
            values[row] = int(value)
        elif isinstance(value, np.generic):
            values[row] = value.item()
    found = np.array(values)
    if found.dtype.kind not in "biu":
        found = np.array(values, np.float64)  # the nearest double of a decimal fraction
        for row, value in enumerate(values):
            if isinstance(value, int) and int(found[row]) != value:
                raise _too_long(place, row)
    return found.reshape(array.shape), absent.reshape(array.shape)


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
