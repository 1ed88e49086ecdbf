"""Rows in memory that lack a value are left out of a fit: which these are, and the data without them."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from squarely.errors import DataError
from squarely.linear.model import one_for_all
from squarely.linear.opening import columns_in_use
from squarely.sources import keys_of
from squarely.state.gram import row_weights
from squarely.validate import column, nothing_left, unlabelled, whole_rows

__all__ = ["Whole", "without_missing"]


class Whole(NamedTuple):
    """Features, targets and weights of rows that lack nothing; ``rows`` says which of those given they are, None for all."""

    X: Any
    y: Any
    weight: Any
    rows: npt.NDArray[np.intp] | None
    omitted: int


def without_missing(X: Any, y: Any, weight: Any, features: Any, categories: Sequence[str] | None) -> Whole:  # noqa: N803
    """Return the rows of features, targets and weights that lack nothing; a wrong weight is still refused.

    Of a frame those columns are looked at that features are made of; without ``categories`` types say which of them are such.
    """
    known, targets = _of_features(X, features, categories), whole_rows(y, "y")
    if len(known) != len(targets):
        raise DataError(f"X has {len(known)} rows and y {len(targets)}; expected one target per row. Nothing is repeated to fit.")
    known = known & targets
    weight = one_for_all(weight, len(known))
    if weight is not None:
        values, missing = column(weight, "sample_weight")
        given = ~np.isnan(values.astype(np.float64)) if missing is None else ~missing
        weight = row_weights(np.where(given, values, 0), len(known))
        known = known & given
    rows = np.flatnonzero(known)
    if len(rows) == len(known):
        return Whole(X, y, weight, None, 0)
    if not len(rows):
        raise nothing_left(len(known), len(known), "X, y and the weights")
    return Whole(_taken(X, rows), _taken(y, rows), None if weight is None else weight[rows], rows, len(known) - len(rows))


def _of_features(data: Any, features: Any, categories: Sequence[str] | None) -> npt.NDArray[np.bool_]:
    used = columns_in_use(data, features, categories)
    if used is None:
        return whole_rows(data, "X")
    numbers, levels = used
    found = [whole_rows(values, f"X, column {name!r}") for name, values in numbers.items()]
    for name, values in levels.items():
        keys = keys_of(values, "X", name)
        found.append(~unlabelled(keys.codes, keys.labels))
    return np.asarray(np.logical_and.reduce(found), np.bool_)


def _taken(data: Any, rows: npt.NDArray[np.intp]) -> Any:
    """Return some rows of what a fit takes, of the same kind."""
    if hasattr(data, "iloc"):  # pandas
        return data.iloc[rows]
    if hasattr(data, "tocsr"):
        return data.tocsr()[rows]
    if isinstance(data, list | tuple):
        return [data[row] for row in rows]
    return data.take(rows) if hasattr(data, "to_pylist") else data[rows]  # Arrow, and all others
