"""The gate: the one place that judges numbers, shapes, weights and missing values, by the table below.

| case | what happens |
|---|---|
| lengths or shapes differ | refused, both named; only (n,) and (n, 1) are the same column; nothing is broadcast |
| NaN or infinity | refused with count and first row; ``omit_targets`` drops rows without a target, ``omit`` all such, ``propagate`` answers nan |
| None, NA, masked | missing, like NaN |
| empty, or no weight above 0 | refused |
| weight negative or not finite | refused with its row |
| text | refused with its row |
"""

import os
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from squarely.errors import DataError

__all__ = [
    "POLICIES",
    "Place",
    "accepts",
    "bad_weight",
    "check_policy",
    "judge",
    "nothing_left",
    "numbers",
    "one_column",
    "pair_columns",
    "pair_outputs",
    "refused_rows",
    "threads",
]

Array = npt.NDArray[Any]
Missing = npt.NDArray[np.bool_] | None
POLICIES = ("raise", "omit_targets", "omit", "propagate")
_READY = frozenset(map(np.dtype, "dfebhilqBHILQ?"))  # what the core reads as it is, in the order of bytes of this machine
_REFUSED = ("a missing target", "a missing prediction", "an infinite target", "an infinite prediction")


def threads() -> int:
    """Return how many threads sums may use: SQUARELY_THREADS, or the processors of this process."""
    asked = os.environ.get("SQUARELY_THREADS")
    if asked is None:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if not asked.isdigit() or int(asked) < 1:
        raise DataError(f"SQUARELY_THREADS is {asked!r}; expected a whole number of at least 1.")
    return int(asked)


def check_policy(policy: str) -> None:
    """Refuse a nan_policy that does not exist."""
    if policy not in POLICIES:
        raise DataError(f"nan_policy is {str(policy)[:60]!r}; expected one of {', '.join(map(repr, POLICIES))}.")


class Place(NamedTuple):
    """What an array is called in a message, and how one of its rows is."""

    name: str
    row: Callable[[int], str]


def _argument(name: str) -> Place:
    return Place(name, lambda row: f"{name} at index {row:,}")


def numbers(data: Any, place: Place) -> tuple[Array, Missing]:
    """Return the numbers of an array-like, and where they are missing (None: nowhere known); refuse what is no number."""
    mask = None
    if isinstance(data, np.ma.MaskedArray):
        mask, data = np.ma.getmaskarray(data), data.data
    try:
        array: Array = np.asarray(data)
    except (TypeError, ValueError) as error:
        raise DataError(f"{place.name} is no array of numbers: {error}. Give a sequence of numbers of one length per row.") from error
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
    found = np.array(values)
    if found.dtype.kind not in "biu" and all(isinstance(value, int | float | Decimal) for value in values):
        found = np.array(values, np.float64)
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


def _shape(data: Any, name: str) -> tuple[int, ...]:
    try:
        return np.shape(data)
    except ValueError as error:
        raise DataError(
            f"{name} is no array of numbers: its rows have different lengths. Give one number, or one list of equal length, per row."
        ) from error


def one_column(array: Array, mask: Missing, name: str) -> tuple[Array, Missing]:
    """Return a column as a vector; refuse anything that is not one column."""
    if array.ndim == 2 and array.shape[1] == 1:
        return array[:, 0], None if mask is None else mask[:, 0]
    if array.ndim != 1:
        raise DataError(f"{name} has shape {array.shape}; expected (n,) or (n, 1). Give each output or model as an array of its own.")
    return array, mask


def _column(data: Any, name: str) -> tuple[Array, Missing]:
    return one_column(*numbers(data, _argument(name)), name)


def pair_columns(y_true: Any, y_pred: Any, weight: Any) -> tuple[Array, Array, Array | None, Sequence[int]]:
    """Return targets, predictions and weights ready for the core, and how many rows were left out as missing, by reason."""
    if type(y_true) is type(y_pred) is np.ndarray and weight is None:  # the short way for the usual call
        if y_true.ndim == 1 and y_true.shape == y_pred.shape and y_true.dtype in _READY and y_pred.dtype in _READY:
            return y_true, y_pred, None, ()
    y, no_y = _column(y_true, "y_true")
    p, no_p = _column(y_pred, "y_pred")
    if len(y) != len(p):
        raise DataError(f"y_true has {len(y)} rows and y_pred {len(p)}; expected one prediction per target. Nothing is repeated to fit.")
    w = None if weight is None else _weights(weight, len(y))
    if no_y is None and no_p is None:
        return y, p, w, ()
    return _without_missing(y, p, w, no_y, no_p)


def _weights(weight: Any, rows: int) -> Array:
    w, missing = _column(weight, "sample_weight")
    if missing is not None:
        raise DataError(f"sample_weight is missing at index {int(np.flatnonzero(missing)[0])}. Give every row a weight; 0 leaves it out.")
    if len(w) != rows:
        raise DataError(f"sample_weight has {len(w)} rows and y_true {rows}; expected one weight per row.")
    return w


def _without_missing(y: Array, p: Array, w: Array | None, no_y: Missing, no_p: Missing) -> tuple[Array, Array, Array | None, Sequence[int]]:
    none = np.zeros(len(y), np.bool_)
    no_y, no_p = none if no_y is None else no_y, none if no_p is None else no_p
    counts = none | True if w is None else w != 0
    keep = ~(no_y | no_p)
    left_out = (int((no_y & counts).sum()), int((no_p & ~no_y & counts).sum()))
    return y[keep], p[keep], None if w is None else w[keep], left_out


def pair_outputs(y_true: Any, y_pred: Any) -> list[tuple[Any, Any]] | None:
    """Return the pairs of columns of 2-D arrays; None where both are one column."""
    if getattr(y_true, "ndim", 0) == 1 == getattr(y_pred, "ndim", 0):  # the short way for the usual call
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


def nothing_left(rows: int, refused: int, where: str = "the data") -> DataError:
    """Return the error for ``rows`` of which none can be judged, ``refused`` of them for a missing or infinite value."""
    if rows == 0:
        return DataError(f"{where} has no rows. Expected at least one row of a target and a prediction.")
    if refused:
        return DataError(
            f"{where}: no row is left; {refused:,} of {rows:,} {'has' if refused == 1 else 'have'} a missing or infinite value. Mend the data."
        )
    weights = "the only weight is 0" if rows == 1 else f"all {rows:,} weights are 0"
    return DataError(f"{where}: {weights}; expected at least one above 0.")


def accepts(policy: str, refused: Sequence[int], rows: int, y_true: Any, y_pred: Any, weight: Any) -> bool:
    """Judge arrays of which ``rows`` could be added and ``refused`` not: raise, or say whether there is an answer but nan."""
    check_policy(policy)
    if any(refused) and judge(policy, refused, rows + sum(refused), lambda reason: _first_index(reason, y_true, y_pred, weight)):
        return False
    if rows == 0:
        raise nothing_left(len(y_true), sum(refused))
    return True


def judge(policy: str, refused: Sequence[int], rows: int, first: Callable[[int], str], where: str = "") -> bool:
    """Apply the nan_policy to counts of refused rows: raise, or say whether the answer is nan.

    Parameters
    ----------
    policy : str
    refused : rows with a missing target, a missing prediction, an infinite target, an infinite prediction
    rows : int
        Rows that were given.
    first : callable
        Says where the first row refused for a reason is; asked only where there is an error to write.
    where : str
        What the rows are of, for the message.
    """
    if not any(refused) or policy == "omit":
        return False
    if policy == "propagate":
        return True
    for reason in range(1 if policy == "omit_targets" else 0, 4):
        if refused[reason]:
            raise DataError(_refusal(reason, refused[reason], rows, first(reason), where))
    return False


def _first_index(reason: int, y_true: Any, y_pred: Any, weight: Any) -> str:
    y, p = (
        np.where(False if missing is None else missing, np.nan, values).ravel()
        for values, missing in (_column(y_true, "y_true"), _column(y_pred, "y_pred"))
    )
    return f"at index {refused_rows(reason, y, p, weight)[0]:,}"


def refused_rows(reason: int, y: Array, p: Array, weight: Any) -> npt.NDArray[np.int64]:
    """Return the rows that the sums count under a reason; missing values are NaN in y and p."""
    chosen = (np.isnan(y), np.isnan(p) & ~np.isnan(y), np.isinf(y) & ~np.isnan(p), np.isinf(p) & np.isfinite(y))[reason]
    return np.flatnonzero(chosen if weight is None else chosen & (np.asarray(weight).ravel() != 0))


def _refusal(reason: int, count: int, rows: int, first: str, where: str) -> str:
    place = f"{where}: " if where else ""
    have = "row has" if rows == 1 else "rows has" if count == 1 else "rows have"
    cure = {
        0: 'Pass nan_policy="omit_targets" (--nan-policy) to leave rows without a target out; the coverage is then part of the result.',
        1: 'Mend the model; only nan_policy="omit" (--nan-policy) leaves such rows out, and a model that fails on hard rows then looks better.',
    }.get(reason, 'Mend the data; only nan_policy="omit" (--nan-policy) leaves such rows out.')
    return f"{place}{count:,} of {rows:,} {have} {_REFUSED[reason]}, the first {first}. {cure}"
