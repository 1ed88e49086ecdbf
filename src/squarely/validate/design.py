"""A matrix of features, a frame of them or a target of several columns: named columns of doubles, block by block."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from squarely.errors import DataError
from squarely.validate.categories import Category, Coded
from squarely.validate.columns import column, frame_columns
from squarely.validate.numbers import Array, Missing, Place, numbers

__all__ = ["Design", "blocks", "design", "dimensions", "exact_parts", "names_of", "whole_rows"]

Parts = tuple[npt.NDArray[np.float64], ...]  # a column is the exact sum of these
_FEWEST, _MOST = 1 << 13, 1 << 16  # rows of a block
_NUMBERS = 1 << 18  # of a block: so small a piece of memory is at hand again, where a large one comes page by page from the system each time
_WHOLE = 1 << 53  # every integer up to this size is a double
_NONE: Mapping[str, Coded] = MappingProxyType({})


class Design(NamedTuple):
    """Named columns, and how rows of them are read; categories among them are read of ``coded``, unless they multiply a number."""

    names: tuple[str | Category, ...] | None
    columns: int
    rows: int
    read: Callable[[slice], list[Parts]]
    coded: Mapping[str, Coded] = _NONE
    sparse: Callable[[slice], Any] | None = None  # reads rows as compressed ones, where that is what they are


def design(data: Any, name: str) -> Design:
    """Open ``X`` or a target: an array of one or two dimensions, a data frame, a series, or a sparse matrix of scipy."""
    if hasattr(data, "tocsr"):
        return _of_sparse(data.tocsr(), None, name)
    columns = frame_columns(data)
    if columns is not None:
        names = names_of(data)
        if (compressed := _compressed(data)) is not None:
            return _of_sparse(compressed, names, name)
        return _of_columns([column(values, f"{name}, column {title!r}") for values, title in zip(columns, names, strict=True)], names, name)
    array, missing = _rows_of_numbers(data, name)
    titles = getattr(data, "name", None)
    if array.ndim == 1:
        array, missing = array[:, None], None if missing is None else missing[:, None]
    return Design(
        (titles,) if isinstance(titles, str) else None,
        array.shape[1],
        len(array),
        lambda rows: _matrix(array[rows], None if missing is None else missing[rows], name, rows.start, None),
    )


def whole_rows(data: Any, name: str) -> npt.NDArray[np.bool_]:
    """Say of each row of ``X``, a target or weights whether all its values are there and none is infinite."""
    if hasattr(data, "tocsr"):
        data = data.tocsr()
        whole = np.ones(data.shape[0], np.bool_)
        whole[np.repeat(np.arange(data.shape[0]), np.diff(data.indptr))[~np.isfinite(data.data)]] = False
        return whole
    columns = frame_columns(data)
    if columns is None:
        there = _there(*_rows_of_numbers(data, name))
        return there if there.ndim == 1 else np.asarray(there.all(axis=1), np.bool_)
    each = [_there(*column(values, f"{name}, column {title!r}")) for values, title in zip(columns, names_of(data), strict=True)]
    return np.asarray(np.logical_and.reduce(each), np.bool_)


def _there(values: Array, missing: Missing) -> npt.NDArray[np.bool_]:
    finite = np.isfinite(values.astype(np.float64))
    return finite if missing is None else finite & ~missing


def _rows_of_numbers(data: Any, name: str) -> tuple[Array, Missing]:
    array, missing = numbers(data, Place(name, lambda row: f"{name} at index {row:,}"))
    if array.ndim not in (1, 2):
        raise DataError(f"{name} has shape {array.shape}; expected rows and columns, as (n, p). Reshape your data.")
    return array, missing


def _compressed(frame: Any) -> Any:
    """Return the compressed rows of a pandas frame whose columns are all sparse about 0; None of any other."""
    columns = getattr(frame, "sparse", None)  # pandas has it where all columns are
    if columns is None or frame.shape[1] == 0 or any(kind.fill_value != 0 for kind in frame.dtypes):
        return None
    return columns.to_coo().tocsr()


def _of_sparse(data: Any, names: tuple[str, ...] | None, name: str) -> Design:
    if data.dtype.kind not in "biuf":
        raise DataError(f"{name} has the type {data.dtype} where numbers were expected. Convert it first.")

    def compressed(rows: slice) -> Any:
        found = data[rows]  # a copy
        found.sum_duplicates()
        if not np.isfinite(found.data).all():
            _matrix(found.toarray(), None, name, rows.start, None)  # says where
        return found

    def read(rows: slice) -> list[Parts]:
        return _matrix(data[rows].toarray(), None, name, rows.start, None)

    return Design(names, data.shape[1], data.shape[0], read, sparse=compressed)


def blocks(rows: int, columns: int = 1) -> Iterator[slice]:
    """Yield slices of rows, fewer at a time where there are many columns."""
    step = min(_MOST, _FEWEST * max(1, _NUMBERS // (_FEWEST * max(columns, 1))))
    return (slice(start, min(start + step, rows)) for start in range(0, rows, step))


def dimensions(data: Any) -> int:
    """Return how many dimensions an array-like has."""
    found = getattr(data, "ndim", None)
    return found if isinstance(found, int) else np.asarray(data).ndim


def names_of(data: Any) -> tuple[str, ...]:
    """Return the names of the columns of a frame."""
    names = data.column_names if hasattr(data, "column_names") else data.columns
    return tuple(str(name) for name in names)


def _of_columns(columns: Sequence[tuple[Array, Missing]], names: tuple[str, ...], name: str) -> Design:
    def read(rows: slice) -> list[Parts]:
        return [
            _matrix(values[rows, None], None if missing is None else missing[rows, None], name, rows.start, title)[0]
            for (values, missing), title in zip(columns, names, strict=True)
        ]

    return Design(names, len(columns), len(columns[0][0]) if columns else 0, read)


def _matrix(array: Array, missing: Missing, name: str, first: int, title: str | None) -> list[Parts]:
    parts = exact_parts(array.T)
    for part in parts:
        if missing is not None or not np.isfinite(part).all():
            raise _not_finite(~np.isfinite(part.T) if missing is None else missing, parts[0].T, name, first, title)
    return [tuple(part[at] for part in parts) for at in range(array.shape[1])]


def exact_parts(values: Array) -> Parts:
    """Return numbers as doubles that add up to them: one, or two for integers beyond 2^53."""
    if values.dtype.kind in "iu" and values.dtype.itemsize == 8 and values.size:
        if int(values.max()) > _WHOLE or int(values.min()) < -_WHOLE:
            low = values & values.dtype.type(0xFFFFFFFF)
            return np.ascontiguousarray(values - low, np.float64), np.ascontiguousarray(low, np.float64)
    return (np.ascontiguousarray(values, np.float64),)


def _not_finite(bad: npt.NDArray[np.bool_], values: Array, name: str, first: int, title: str | None) -> DataError:
    row, at = (int(place) for place in np.argwhere(bad)[0])
    where = f"column {title!r}" if title is not None else f"column {at}"
    what = "infinity" if np.isinf(values[row, at]) else "NaN"
    return DataError(
        f"Input {name} contains {what}: {where}, row {first + row:,} counted from 0, and {int(bad.sum()) - 1:,} more. "
        "Expected finite numbers: drop these rows or fill them in first."
    )
