"""Targets, predictions and weights become columns that the core can read."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from squarely import _core
from squarely.errors import DataError
from squarely.validate.numbers import Array, Missing, Place, numbers, one_column

__all__ = ["bad_weight", "column", "pair_columns", "pair_outputs"]

_READY = frozenset(map(np.dtype, "dfebhilqBHILQ?"))  # what the core reads as it is, in the order of bytes of this machine


def _argument(name: str) -> Place:
    return Place(name, lambda row: f"{name} at index {row:,}")


def column(data: Any, name: str) -> tuple[Array, Missing]:
    """Return an argument as one column of numbers, and where they are missing."""
    return one_column(*numbers(data, _argument(name)), name)


def pair_columns(y_true: Any, y_pred: Any, weight: Any) -> tuple[Array, Array, Array | None, Sequence[int]]:
    """Return targets, predictions and weights ready for the core, and how many rows were left out as missing, by reason."""
    if type(y_true) is type(y_pred) is np.ndarray and weight is None:  # the short way for the usual call
        if y_true.ndim == 1 and y_true.shape == y_pred.shape and y_true.dtype in _READY and y_pred.dtype in _READY:
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


def _shape(data: Any, name: str) -> tuple[int, ...]:
    try:
        return np.shape(data)
    except ValueError as error:
        raise DataError(
            f"{name} is no array of numbers: its rows have different lengths. Give one number, or one list of equal length, per row."
        ) from error


def pair_outputs(y_true: Any, y_pred: Any) -> list[tuple[Any, Any]] | None:
    """Return the pairs of columns of 2-D arrays; None where both are one column."""
    try:
        plain = y_true.ndim == 1 == y_pred.ndim  # the short way for the usual call
    except AttributeError:
        plain = False
    if plain:
        return None
    y_shape, p_shape = _shape(y_true, "y_true"), _shape(y_pred, "y_pred")
    if len(y_shape) < 2 and len(p_shape) < 2:
        return None
    wide = tuple(1 if len(shape) == 1 else shape[1] for shape in (y_shape, p_shape) if len(shape) in (1, 2))
    if len(wide) < 2:
        raise DataError(f"y_true has shape {y_shape} and y_pred {p_shape}; expected (n,) or (n, n_outputs).")
    if wide == (1, 1):
        return None
    if wide[0] != wide[1]:
        raise DataError(
            f"y_true and y_pred have different number of output ({wide[0]}!={wide[1]}): shapes {y_shape} and {p_shape}. Nothing is repeated to fit."
        )
    y, p = (data if isinstance(data, np.ma.MaskedArray) else np.asarray(data) for data in (y_true, y_pred))
    return [(y[:, k], p[:, k]) for k in range(wide[0])]


def bad_weight(weight: Any, what: str) -> DataError:
    """Return the error for a weight that cannot be one."""
    return DataError(f"{what} is {weight}; expected a finite weight of at least 0. Mend it, or set it to 0 to leave the row out.")
