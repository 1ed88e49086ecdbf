"""Arrays of several outputs become long ones, with the output of each row as its group."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from squarely import validate
from squarely.errors import DataError
from squarely.plain import one_line

__all__ = ["outputs_of"]


def outputs_of(data: Any, y_pred: Any, by: Any, weight: Any, sigma: Any, cluster: Any, order: Any) -> tuple[Any, ...]:
    """Return arrays of several outputs, and what goes with them, as long ones, with the output of each row as its group."""
    y = _array(data, "y_true")
    if y.ndim != 2 or y.shape[1] == 1:
        return data, y_pred, by, weight, sigma, cluster  # lists are looked at too
    for name, given in (("by", by), ("order", order)):
        if given is not None:
            raise DataError(f"{name} goes with arrays of one dimension: those of two are told apart by output. Leave it out.")
    several = y_pred if isinstance(y_pred, Mapping) else {"y_pred": y_pred}
    long = {str(name): _long(each, y.shape, str(name)) for name, each in several.items()}
    weight, cluster = (None if each is None else np.repeat(each, y.shape[1]) for each in (weight, cluster))
    by = {"output": np.tile(np.arange(y.shape[1]), len(y))}
    return y.ravel(), long, by, weight, None if sigma is None else _long(sigma, y.shape, "sigma"), cluster


def _array(values: Any, name: str) -> Any:
    return values if np.ma.isMaskedArray(values) else validate.as_array(values, validate.Place(name, str))


def _long(values: Any, shape: tuple[int, ...], name: str) -> Any:
    array = _array(values, name)
    if array.shape != shape:
        raise DataError(f"y_true has shape {shape}, and {one_line(name, 60)} has {array.shape}. Expected the same shape.")
    return array.ravel()
