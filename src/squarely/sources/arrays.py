"""Arrays, lists and mappings of them become batches."""

import datetime
import decimal
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from squarely import validate
from squarely.sources import refusals
from squarely.sources.batch import Batch, Column, Key, Keys, Part, Wanted
from squarely.sources.times import iso

__all__ = ["ArraysSource", "arrays_source", "is_category", "keys_of", "mapping_source"]

_PART_ROWS = 1 << 20
_BATCH_ROWS = 1 << 17


def _missing(value: object) -> bool:
    """Say whether an object stands for no value: None, NaN, NaT or pandas' NA."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(value, float | np.floating | np.datetime64) and bool(np.isnat(value) if isinstance(value, np.datetime64) else np.isnan(value))


def _objects(array: "np.ma.MaskedArray[Any, Any]") -> npt.NDArray[Any]:
    """Return a masked array as Python objects, None where it is masked."""
    objects: npt.NDArray[Any] = array.data.astype(object)
    objects[np.ma.getmaskarray(array)] = None
    return objects


def _column(data: Any, where: str, name: str) -> Column:
    """Return an array, list or series as a numeric column."""
    if hasattr(data, "__arrow_c_stream__") or hasattr(data, "__arrow_c_array__"):
        from squarely.sources.series import series_column

        series = series_column(data, where, name)
        if series is not None:
            return series
    column = f"{where}: column {refusals.shown(name)}"
    values, missing = validate.one_column(*validate.numbers(data, validate.Place(column, lambda row: f"{column}, row {row + 1:,}")), column)
    return Column(values, None if missing is None else ~missing)


def _labels(data: Any, where: str, name: str) -> npt.NDArray[Any]:
    """Return group values as a 1-D array; an array of one column counts as one."""
    column = f"{where}: column {refusals.shown(name)}"
    place = validate.Place(column, lambda row: f"{column}, row {row + 1:,}")
    array: npt.NDArray[Any] = np.ma.asanyarray(data) if np.ma.isMaskedArray(data) else validate.as_array(data, place)
    return validate.one_column(array, None, column)[0]


def _key(value: object, where: str, name: str) -> Key:
    """Return the label that an object stands for."""
    if _missing(value):
        return None
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, datetime.date | datetime.time):
        return iso(value.isoformat())
    if isinstance(value, decimal.Decimal):
        return str(value)
    raise refusals.not_a_key(where, name, type(value).__name__)


def _keys_of_objects(values: list[Any], where: str, name: str) -> Keys:
    places: dict[tuple[type, Key], int] = {}
    labels: list[Key] = []
    codes = np.empty(len(values), np.int32)
    for row, value in enumerate(values):
        label = _key(value, where, name)
        # The type belongs to the key: True and 1 are equal in Python, and different groups.
        code = places.setdefault((type(label), label), len(labels))
        if code == len(labels):
            labels.append(label)
        codes[row] = code
    if None in labels and any(isinstance(label, float) for label in labels):
        raise refusals.float_key_missing(where, name, codes.tolist().index(labels.index(None)) + 1)
    return Keys(codes, tuple(labels))


def keys_of(data: Any, where: str, name: str) -> Keys:
    """Return an array, list or series of group values as codes and labels."""
    if hasattr(data, "__arrow_c_stream__") or hasattr(data, "__arrow_c_array__"):
        from squarely.sources.series import series_keys

        series = series_keys(data, where, name)
        if series is not None:
            return series
    if isinstance(data, list | tuple):
        # NumPy would turn the numbers of a mixed list into text.
        return _keys_of_objects(list(data), where, name)
    array = _labels(data, where, name)
    if isinstance(array, np.ma.MaskedArray):
        return _keys_of_objects(_objects(array).tolist(), where, name)
    if array.dtype.kind == "O":
        return _keys_of_objects(array.tolist(), where, name)
    if array.dtype.kind not in "biufUM":
        raise refusals.not_a_key(where, name, str(array.dtype))
    if array.dtype.kind == "f" and np.isnan(array).any():
        raise refusals.float_key_missing(where, name, int(np.flatnonzero(np.isnan(array))[0]) + 1)
    labels, codes = np.unique(array, return_inverse=True)
    if array.dtype.kind == "M":
        texts = (str(text) for text in np.datetime_as_string(labels))
        return Keys(codes.astype(np.int32), tuple(None if text == "NaT" else iso(text) for text in texts))
    return Keys(codes.astype(np.int32), tuple(labels.tolist()))


def is_category(data: Any) -> bool:
    """Say whether an array, list or series holds text or categories; of objects the first that is there decides."""
    if hasattr(data, "__arrow_c_stream__") or hasattr(data, "__arrow_c_array__"):
        from squarely.sources.series import series_is_category

        return series_is_category(data)
    kind = getattr(getattr(data, "dtype", None), "kind", None)
    if isinstance(data, list | tuple) or kind == "O":
        return isinstance(next((value for value in data if not _missing(value)), None), str)
    return kind == "U"


def _rows(column: Column, rows: slice) -> Column:
    return Column(column.values[rows], None if column.valid is None else column.valid[rows])


@dataclass(frozen=True)
class ArraysSource:
    """Arrays by name, all of one length; its parts are slices of about a million rows."""

    data: Mapping[str, Any]
    name: str
    wanted: Wanted | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the arrays."""
        return tuple(str(name) for name in self.data)

    @property
    def categories(self) -> tuple[str, ...]:
        """Names of the arrays of text and categories."""
        return tuple(str(name) for name, values in self.data.items() if is_category(values))

    @property
    def rereadable(self) -> bool:
        """Whether the parts may be asked for again."""
        return True

    def having(self, name: str, values: Any) -> "ArraysSource":
        """Return the source with one more array."""
        if name in self.data:
            raise refusals.name_taken("the arrays", name)
        return ArraysSource({**self.data, name: values}, self.name, self.wanted)

    def parts(self, wanted: Wanted) -> Iterator[Part]:
        """Yield one part per slice."""
        refusals.check_names(self.name, self.columns, wanted)
        data = {str(name): values for name, values in self.data.items()}
        columns = {name: _column(data[name], self.name, name) for name in wanted.numeric}
        keys = {name: keys_of(data[name], self.name, name) for name in wanted.keys}
        rows = columns[wanted.target].values.size
        lengths = [(name, column.values.size) for name, column in columns.items()]
        for name, length in [*lengths, *((name, key.codes.size) for name, key in keys.items())]:
            if length != rows:
                raise refusals.different_lengths(self.name, (wanted.target, rows), (name, length))
        if rows == 0:
            raise refusals.no_rows(self.name)
        for first in range(0, rows, _PART_ROWS):
            yield partial(self._read, wanted, columns, keys, first, min(first + _PART_ROWS, rows))

    def _read(self, wanted: Wanted, columns: Mapping[str, Column], keys: Mapping[str, Keys], first: int, last: int) -> Iterator[Batch]:
        for start in range(first, last, _BATCH_ROWS):
            rows = slice(start, min(start + _BATCH_ROWS, last))
            yield Batch(
                _rows(columns[wanted.target], rows),
                tuple(_rows(columns[name], rows) for name in wanted.predictions),
                None if wanted.weight is None else _rows(columns[wanted.weight], rows),
                tuple(Keys(keys[name].codes[rows], keys[name].labels) for name in wanted.keys),
                start,
                self.name,
                tuple(_rows(columns[name], rows) for name in wanted.plan.columns),
            )


def mapping_source(data: Mapping[str, Any], name: str = "the mapping") -> ArraysSource:
    """Open a mapping from column name to array, list or series."""
    return ArraysSource(data, name)


def _named(values: Any, default: str) -> dict[str, Any]:
    """Return the arrays by name; a single array gets the default name."""
    return {str(name): array for name, array in values.items()} if isinstance(values, Mapping) else {default: values}


def arrays_source(y_true: Any, y_pred: Any, weight: Any = None, by: Any = None) -> ArraysSource:
    """Open arrays of targets, predictions, weights and groups; `wanted` on the result names them.

    Parameters
    ----------
    y_true : 1-D array of targets.
    y_pred : 1-D array of predictions, or a mapping from model name to such an array.
    weight : 1-D array of weights, or None.
    by : 1-D array of group values, a mapping from group column to such an array, or None.

    Examples
    --------
    >>> source = arrays_source([1.0, 2.0], {"a": [1.0, 3.0]}, by=["x", "y"])
    >>> source.wanted.predictions, source.wanted.by
    (('a',), ('group',))
    """
    predictions = _named(y_pred, "y_pred")
    groups = {} if by is None else _named(by, "group")
    weights = {} if weight is None else {"weight": weight}
    taken: set[str] = set()
    for part in ({"y_true": y_true}, weights, predictions, groups):
        clash = taken.intersection(part)
        if clash:
            raise refusals.name_taken("the arrays", min(clash))
        taken.update(part)
    wanted = Wanted("y_true", tuple(predictions), "weight" if weights else None, tuple(groups))
    return ArraysSource({"y_true": y_true, **weights, **predictions, **groups}, "the arrays", wanted)
