"""Arrays of several outputs become pairs of columns, or one column; and how outputs are weighted."""

from typing import Any

import numpy as np
import numpy.typing as npt

from squarely.errors import DataError
from squarely.validate.columns import frame_columns, pair_columns
from squarely.validate.numbers import UNREADABLE, Place, as_array, no_array, numbers

__all__ = ["as_one_column", "output_columns", "output_weights", "pair_outputs"]


def _shape(data: Any, name: str) -> tuple[int, ...]:
    if not hasattr(data, "shape") and (hasattr(data, "__arrow_c_array__") or hasattr(data, "chunks")):
        return (len(data),)  # an Arrow array, chunked or not: NumPy would convert it to answer
    try:
        return np.shape(data)
    except ValueError as error:
        raise DataError(
            f"{name} is no array of numbers: its rows have different lengths. Give one number, or one list of equal length, per row."
        ) from error
    except UNREADABLE as error:
        raise no_array(name, error) from error


def pair_outputs(y_true: Any, y_pred: Any) -> list[tuple[Any, Any]] | None:
    """Return the pairs of columns of 2-D arrays; None where both are one column."""
    y_shape, p_shape = _shape(y_true, "y_true"), _shape(y_pred, "y_pred")
    if len(y_shape) < 2 and len(p_shape) < 2:
        return None
    wide = tuple(1 if len(shape) == 1 else shape[1] for shape in (y_shape, p_shape) if len(shape) in (1, 2))
    if len(wide) < 2:
        raise DataError(f"y_true has shape {y_shape} and y_pred {p_shape}; expected (n,) or (n, n_outputs).")
    if 0 in wide:
        raise DataError(f"y_true has shape {y_shape} and y_pred {p_shape}; expected at least one output.")
    if wide == (1, 1):
        return None
    if wide[0] != wide[1]:
        raise DataError(
            f"y_true and y_pred have different number of output ({wide[0]}!={wide[1]}): shapes {y_shape} and {p_shape}. Nothing is repeated to fit."
        )
    return list(zip(output_columns(y_true, "y_true"), output_columns(y_pred, "y_pred"), strict=True))


def output_columns(data: Any, name: str) -> list[Any]:
    """Return the columns of an array of shape (n, k)."""
    if len(_shape(data, name)) != 2:
        raise DataError(f"{name} has shape {_shape(data, name)}; expected (n, k), one column for each.")
    columns = frame_columns(data)
    if columns is not None:
        return columns
    array = data if isinstance(data, np.ma.MaskedArray) else as_array(data, Place(name, lambda row: f"{name} at index {row:,}"))
    return [array[:, output] for output in range(array.shape[1])]


def as_one_column(pairs: list[tuple[Any, Any]], weight: Any) -> tuple[Any, Any, Any]:
    """Return targets, predictions and weights of all outputs, one after the other; rows with a missing value may be left out."""
    if len(pairs) == 1:
        return (*pairs[0], weight)
    parts = [pair_columns(y_true, y_pred, weight)[:3] for y_true, y_pred in pairs]
    y, p, w = ([part[which] for part in parts] for which in range(3))
    return _joined(y), _joined(p), None if weight is None else _joined(w)


def _joined(columns: list[Any]) -> npt.NDArray[Any]:
    alike = len({column.dtype for column in columns}) == 1  # NumPy would round long integers beside floats
    return np.concatenate(columns, dtype=None if alike else object)


def output_weights(multioutput: Any, outputs: int) -> npt.NDArray[Any]:
    """Return the weights of outputs, the largest of size 1, or refuse them."""
    weights, missing = numbers(multioutput, Place("multioutput", lambda output: f"multioutput at index {output}"))
    if outputs == 1:
        raise DataError("multioutput holds weights, but there is one output; weights are for several.")
    if weights.shape != (outputs,):
        raise DataError(f"multioutput has shape {weights.shape}; expected one number for each of the {outputs} outputs.")
    largest = np.abs(weights, dtype=np.float64).max() if missing is None and np.isfinite(weights).all() else 0.0
    scaled: npt.NDArray[Any] = weights / largest if largest else weights
    if not largest or scaled.sum() == 0:
        raise DataError("multioutput must hold finite weights whose sum is not 0.")
    return scaled
