"""Labels of groups: which rows go together; a row without a label is refused, for it is in no group."""

from typing import Any

import numpy as np
import numpy.typing as npt

from squarely.errors import DataError
from squarely.sources import Keys, keys_of
from squarely.validate import Place

__all__ = ["Collected", "grouped", "keys_of_rows", "labels_of_rows", "read_labels"]

Labels = npt.NDArray[Any]


class Collected:
    """Labels that come batch by batch, each kept once."""

    def __init__(self) -> None:
        self._places: dict[tuple[type, Any], int] = {}  # the type belongs to the key: True and 1 are equal in Python
        self._codes: list[npt.NDArray[np.int32]] = []

    def take(self, keys: Keys, place: Place) -> None:
        """Keep the labels of the rows that come next."""
        _refuse_missing(keys, place)
        codes, rows = np.unique(keys.codes, return_inverse=True)  # labels may hold values that no row has
        labels = [keys.labels[code] for code in codes.tolist()]
        known = [self._places.setdefault((type(label), label), len(self._places)) for label in labels]
        self._codes.append(np.array(known, np.int32)[rows])

    @property
    def keys(self) -> Keys:
        """The labels of all rows."""
        return Keys(np.concatenate(self._codes), tuple(label for _, label in self._places))


def grouped(keys: Keys) -> tuple[list[Any], npt.NDArray[np.intp]]:
    """Return the labels of groups in their order, and which of them each row has."""
    labels, codes = np.unique(_as_given(keys), return_inverse=True)
    return labels.tolist(), codes


def labels_of_rows(groups: Any, rows: int) -> Labels:
    """Return ``groups`` as one label for each row: values of one kind as they are, others as they are written in Python."""
    return _as_given(keys_of_rows(groups, rows))


def keys_of_rows(groups: Any, rows: int, chosen: npt.NDArray[np.intp] | None = None) -> Keys:
    """Return the labels of rows, of some of them where these are chosen, as codes."""
    keys = keys_of(groups, "groups", "groups")
    if keys.codes.shape != (rows,):
        raise DataError(f"groups has shape {keys.codes.shape}; expected one label for each of {rows:,} rows.")
    places = np.arange(rows) if chosen is None else chosen
    codes, found = np.unique(keys.codes[places], return_inverse=True)
    keys = Keys(found.astype(np.int32), tuple(keys.labels[code] for code in codes.tolist()))
    _refuse_missing(keys, Place("groups", lambda row: f"groups at index {places[row]:,}"))
    return keys


def read_labels(keys: Keys, place: Place) -> Labels:
    """Return the labels of a batch of a source; they are those of other batches, whatever else is in these."""
    _refuse_missing(keys, place)
    return _written(keys)


def _as_given(keys: Keys) -> Labels:
    return np.array(keys.labels)[keys.codes] if len(set(map(type, keys.labels))) == 1 else _written(keys)


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
