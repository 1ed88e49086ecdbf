"""Targets, predictions and weights become columns that the core can read."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from squarely import _core
from squarely.errors import DataError
from squarely.validate.numbers import Array, Missing, Place, numbers, one_column

__all__ = ["bad_weight", "column", "frame_columns", "more_columns", "pair_columns"]

_READY = frozenset(map(np.dtype, "dfebhilqBHILQ?"))  # what the core reads as it is, in the order of bytes of this machine


def _argument(name: str) -> Place:
    return Place(name, lambda row: f"{name} at index {row:,}")


def column(data: Any, name: str) -> tuple[Array, Missing]:
    """Return an argument as one column of numbers, and where they are missing."""
    columns = frame_columns(data)
    if columns is not None and len(columns) == 1:
        data = columns[0]
    return one_column(*numbers(data, _argument(name)), name)


def frame_columns(data: Any) -> list[Any] | None:
    """Return the columns of a data frame or an Arrow table, each with a type of its own; None for anything else."""
    if isinstance(data, np.ndarray) or not hasattr(data, "columns") or getattr(data, "ndim", 2) != 2:
        return None
    if hasattr(data, "iloc"):  # pandas
        return [data.iloc[:, at] for at in range(data.shape[1])]
    if hasattr(data, "get_columns"):  # polars
        return list(data.get_columns())
    return list(data.columns) if hasattr(data, "schema") else None  # Arrow


def pair_columns(y_true: Any, y_pred: Any, weight: Any) -> tuple[Array, Array, Array | None, Sequence[int]]:
    """Return targets, predictions and weights ready for the core, and how many rows were left out as missing, by reason."""
    if type(y_true) is type(y_pred) is np.ndarray and weight is None:  # the short way for the usual call
        if y_true.ndim == 1 == y_pred.ndim and len(y_true) == len(y_pred) and y_true.dtype in _READY and y_pred.dtype in _READY:
            return y_true, y_pred, None, ()
    y, no_y = column(y_true, "y_true")
    p, no_p = column(y_pred, "y_pred")
    if len(y) != len(p):
        raise DataError(f"y_true has {len(y)} rows and y_pred {len(p)}; expected one prediction per target. Nothing is repeated to fit.")
    w = None if weight is None else _weights(weight, len(y))
    if no_y is None and no_p is None:
        return y, p, w, ()
    return _without_missing(y, p, w, no_y, no_p)


def _weights(weight: Any, rows: int) -> Array:
    w, missing = column(weight, "sample_weight")
    if missing is not None:
        raise DataError(f"sample_weight is missing at index {int(np.flatnonzero(missing)[0])}. Give every row a weight; 0 leaves it out.")
    if len(w) != rows:
        raise DataError(f"sample_weight has {len(w)} rows and y_true {rows}; expected one weight per row.")
    return w


def _without_missing(y: Array, p: Array, w: Array | None, no_y: Missing, no_p: Missing) -> tuple[Array, Array, Array | None, Sequence[int]]:
    bad = -1 if w is None else _core.first_bad_weight(w)
    if bad >= 0 and w is not None:
        raise bad_weight(w[bad], f"sample_weight at index {bad:,}")
    none = np.zeros(len(y), np.bool_)
    no_y, no_p = none if no_y is None else no_y, none if no_p is None else no_p
    counts = none | True if w is None else w != 0
    keep = ~(no_y | no_p)
    left_out = (int((no_y & counts).sum()), int((no_p & ~no_y & counts).sum()))
    return y[keep], p[keep], None if w is None else w[keep], left_out


def more_columns(columns: Mapping[str, Any], wanted: Sequence[str], y_true: Any, y_pred: Any) -> tuple[Array, ...]:
    """Return the columns that terms read, as long as those rows that have a target and a prediction; a missing value becomes NaN.

    A single number stands for a column of it.
    """
    for name in columns:
        if name not in wanted:
            raise DataError(f"there is no use for the column {name[:60]!r}; expected {', '.join(map(repr, wanted)) or 'none'}.")
    found = []
    y, no_y = column(y_true, "y_true")
    no_p = column(y_pred, "y_pred")[1]
    for name in wanted:
        if columns.get(name) is None:
            raise DataError(f"the column {name[:60]!r} is missing. Give it as {name[:60]}=, one number for each row or one for all.")
        values, missing = _one_for_all(columns[name], name, y.shape) if np.ndim(columns[name]) == 0 else column(columns[name], name)
        if len(values) != len(y):
            raise DataError(f"{name} has {len(values)} rows and y_true {len(y)}; expected one number for each row.")
        if missing is not None:
            values = np.where(missing, np.nan, values)
        if no_y is not None or (no_p is not None and len(no_p) == len(y)):
            values = values[~((False if no_y is None else no_y) | (False if no_p is None else no_p))]
        found.append(values)
    return tuple(found)


def _one_for_all(value: Any, name: str, shape: tuple[int, ...]) -> tuple[Array, Missing]:
    values, missing = column([value], name)
    return np.broadcast_to(values[0], shape), None if missing is None else np.broadcast_to(missing, shape)


def bad_weight(weight: Any, what: str) -> DataError:
    """Return the error for a weight that cannot be one."""
    return DataError(f"{what} is {weight}; expected a finite weight of at least 0. Mend it, or set it to 0 to leave the row out.")
