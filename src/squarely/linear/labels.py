"""Labels of groups: which rows go together; a row without a label is refused, for it is in no group."""

from typing import Any

import numpy as np
import numpy.typing as npt

from squarely.errors import DataError
from squarely.sources import Keys, keys_of
from squarely.validate import Place

__all__ = ["labels_of_rows", "read_labels"]

Labels = npt.NDArray[Any]


def labels_of_rows(groups: Any, rows: int) -> Labels:
    """Return ``groups`` as one label for each row: values of one kind as they are, others as they are written in Python."""
    keys = keys_of(groups, "groups", "groups")
    if keys.codes.shape != (rows,):
        raise DataError(f"groups has shape {keys.codes.shape}; expected one label for each of {rows:,} rows.")
    _refuse_missing(keys, Place("groups", lambda row: f"groups at index {row:,}"))
    return np.array(keys.labels)[keys.codes] if len(set(map(type, keys.labels))) == 1 else _written(keys)


def read_labels(keys: Keys, place: Place) -> Labels:
    """Return the labels of a batch of a source; they are those of other batches, whatever else is in these."""
    _refuse_missing(keys, place)
    return _written(keys)


def _written(keys: Keys) -> Labels:
    return np.array([repr(label) for label in keys.labels])[keys.codes]


def _refuse_missing(keys: Keys, place: Place) -> None:
    missing = np.array([label is None for label in keys.labels], np.bool_)
    rows = np.flatnonzero(missing[keys.codes])
    if rows.size:
        raise DataError(
            f"{place.row(int(rows[0]))}: the group is missing, and {rows.size - 1:,} more. "
            "Expected a label in every row: drop these rows, or give each a group of its own."
        )
