"""Arrow record batches become batches of NumPy views; nothing is copied that need not be.

`Array.to_numpy()` imports pandas on first use (0.3 s), so the buffers are read directly.
"""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from squarely.sources import refusals
from squarely.sources.arrow_keys import KeyReader, categories_of, is_text
from squarely.sources.batch import Batch, Column, Key, Keys, Part, Wanted

__all__ = [
    "BATCH_ROWS",
    "BatchReader",
    "StreamSource",
    "TableSource",
    "check_types",
    "column",
    "first_text",
    "open_arrow",
]

BATCH_ROWS = 1 << 20  # a row group, as most are written: batches cost time each, and a group read in parts costs more
_NUMPY = {
    pa.int8(): np.int8, pa.int16(): np.int16, pa.int32(): np.int32, pa.int64(): np.int64,
    pa.uint8(): np.uint8, pa.uint16(): np.uint16, pa.uint32(): np.uint32, pa.uint64(): np.uint64,
    pa.float16(): np.float16, pa.float32(): np.float32, pa.float64(): np.float64,
}  # fmt: skip


def _bits(buffer: pa.Buffer, offset: int, length: int) -> npt.NDArray[np.bool_]:
    """Unpack `length` bits that begin `offset` bits into the buffer."""
    first, shift = divmod(offset, 8)
    packed = np.frombuffer(buffer, np.uint8, count=(shift + length + 7) // 8, offset=first)
    return np.unpackbits(packed, bitorder="little", count=shift + length)[shift:].view(np.bool_)


def _plain(array: pa.Array) -> pa.Array:
    """Undo the encodings that Arrow puts around numbers."""
    while True:
        if isinstance(array, pa.ExtensionArray):
            array = array.storage
        elif pa.types.is_dictionary(array.type):
            array = array.dictionary_decode()
        elif pa.types.is_run_end_encoded(array.type):
            array = pc.run_end_decode(array)
        elif pa.types.is_decimal(array.type):
            whole = array.type.scale <= 0 and array.type.precision <= 18
            # By way of text, because the direct cast is not always to the nearest double.
            array = array.cast(pa.int64()) if whole else array.cast(pa.string()).cast(pa.float64())
        else:
            return array


def _inner(kind: pa.DataType) -> pa.DataType:
    """Return the type that `_plain` would uncover."""
    while True:
        if isinstance(kind, pa.BaseExtensionType):
            kind = kind.storage_type
        elif pa.types.is_dictionary(kind) or pa.types.is_run_end_encoded(kind):
            kind = kind.value_type
        else:
            return kind


def _is_period(field: pa.Field) -> bool:
    """Say whether integers count months or days, as pandas writes a Period: where pandas is not loaded the metadata alone say so."""
    told = (field.metadata or {}).get(b"ARROW:extension:name", b"").decode(errors="replace")
    return bool(getattr(field.type, "extension_name", told) == "pandas.period")


def column(array: pa.Array, where: str, name: str) -> Column:
    """Return a numeric or boolean Arrow array as NumPy views of its buffers."""
    array = _plain(array)
    length, kind = len(array), array.type
    if pa.types.is_null(kind):
        return Column(np.zeros(length), np.zeros(length, np.bool_))
    if not (pa.types.is_boolean(kind) or kind in _NUMPY):
        raise refusals.not_numbers(where, name, str(kind))
    validity, data = array.buffers()
    valid = _bits(validity, array.offset, length) if array.null_count else None
    if length == 0 or data is None:
        return Column(np.zeros(length), valid)
    if pa.types.is_boolean(kind):
        return Column(_bits(data, array.offset, length), valid)
    dtype = np.dtype(_NUMPY[kind])
    return Column(np.frombuffer(data, dtype, count=length, offset=array.offset * dtype.itemsize), valid)


def _numbers_fit(text: pa.Array) -> bool:
    """Say whether every text of the array parses as a number."""
    try:
        pc.cast(text, pa.float64())
    except pa.ArrowInvalid:
        return False
    return True


def first_text(arrays: Iterable[pa.Array]) -> tuple[int, str] | None:
    """Return the first value that is no number, with its row counted from 1; None when all of them parse."""
    row = 0
    for array in arrays:
        text = pc.utf8_trim_whitespace(_plain(array).cast(pa.large_string()))
        if not _numbers_fit(text):
            fits, fails = 0, len(text)
            while fails - fits > 1:
                middle = (fits + fails) // 2
                fits, fails = (middle, fails) if _numbers_fit(text.slice(0, middle)) else (fits, middle)
            return row + fails, text[fails - 1].as_py()
        row += len(text)
    return None


def check_types(schema: pa.Schema, wanted: Wanted, where: str, rows: Callable[[str], Iterable[pa.Array]]) -> None:
    """Refuse text and other types that are no numbers, by the first offending row; `rows` reads one column."""
    for name in wanted.numeric:
        field = schema.field(schema.get_field_index(name))
        if _is_period(field):
            raise refusals.not_numbers(where, name, "period")
        kind = _inner(field.type)
        if is_text(kind):
            arrays = (array for array in rows(name) if len(array))
            head = list(islice(arrays, 1))
            found = first_text(chain(head, arrays))
            if found is not None:
                raise refusals.text_in_numbers(where, name, *found)
            raise refusals.numbers_as_text(where, name, head[0][0].as_py() if head else "")
        if not (kind in _NUMPY or pa.types.is_boolean(kind) or pa.types.is_decimal(kind) or pa.types.is_null(kind)):
            raise refusals.not_numbers(where, name, str(kind))


class BatchReader:
    """Turns record batches into batches, for one part, in order.

    Parameters
    ----------
    wanted : the columns to take.
    where : what messages call the data.
    start : ordinal of the first row.
    constants : group columns with one value for all rows, such as folder names.
    keys_are_text : whether group values were written as text, as in CSV.
    """

    def __init__(
        self,
        wanted: Wanted,
        where: str,
        start: int = 0,
        constants: Mapping[str, Key] | None = None,
        keys_are_text: bool = False,
    ) -> None:
        self._wanted, self._where, self._row = wanted, where, start
        self._constants = {name: (value,) for name, value in (constants or {}).items()}
        self._keys = {name: KeyReader(where, name, keys_are_text) for name in wanted.keys}

    def read(self, batches: Iterable[pa.RecordBatch]) -> Iterator[Batch]:
        """Yield the batches, none longer than `BATCH_ROWS`."""
        for whole in batches:
            for first in range(0, whole.num_rows, BATCH_ROWS):
                yield self._batch(whole.slice(first, BATCH_ROWS))

    def _batch(self, rows: pa.RecordBatch) -> Batch:
        wanted, start = self._wanted, self._row
        place = {name: index for index, name in enumerate(rows.schema.names)}
        columns = {name: column(rows.column(place[name]), self._where, name) for name in wanted.numeric}
        keys = tuple(self._key(name, rows.num_rows, rows.column(place[name]) if name in place else None) for name in wanted.keys)
        self._row += rows.num_rows
        weight = None if wanted.weight is None else columns[wanted.weight]
        predictions = tuple(columns[name] for name in wanted.predictions)
        more = tuple(columns[name] for name in wanted.plan.columns)
        return Batch(columns[wanted.target], predictions, weight, keys, start, self._where, more)

    def _key(self, name: str, length: int, array: pa.Array | None) -> Keys:
        if array is None:
            return Keys(np.zeros(length, np.int32), self._constants[name])
        return self._keys[name].read(array, self._row)


@dataclass(frozen=True)
class TableSource:
    """A table in memory; its parts are slices of about a million rows."""

    table: pa.Table
    name: str

    @property
    def columns(self) -> tuple[str, ...]:
        """Column names."""
        return tuple(self.table.column_names)

    @property
    def categories(self) -> tuple[str, ...]:
        """Columns of text and categories."""
        return categories_of(self.table.schema)

    @property
    def rereadable(self) -> bool:
        """Whether the parts may be asked for again."""
        return True

    def parts(self, wanted: Wanted) -> Iterator[Part]:
        """Yield one part per slice."""
        refusals.check_names(self.name, self.columns, wanted)
        if self.table.num_rows == 0:
            raise refusals.no_rows(self.name)
        rows = self.table.select(list(wanted.names))
        check_types(rows.schema, wanted, self.name, lambda name: rows.column(name).chunks)
        start = 0
        for batch in rows.to_batches(max_chunksize=BATCH_ROWS):
            yield partial(BatchReader(wanted, self.name, start).read, (batch,))
            start += batch.num_rows


class StreamSource:
    """A stream of record batches, read once, in order."""

    def __init__(self, data: Any, name: str) -> None:
        self.name = name
        self._data = data
        self._reader: pa.RecordBatchReader | None = self._open()
        self.columns: tuple[str, ...] = tuple(self._reader.schema.names)
        self.categories: tuple[str, ...] = categories_of(self._reader.schema)

    def _open(self) -> pa.RecordBatchReader:
        if isinstance(self._data, pa.RecordBatchReader):
            return self._data
        try:
            return pa.RecordBatchReader.from_stream(self._data)
        except (pa.ArrowException, TypeError, ValueError) as error:
            raise refusals.unreadable(self.name, "an Arrow table", str(error)) from error

    @property
    def rereadable(self) -> bool:
        """Whether the parts may be asked for again."""
        return False

    def parts(self, wanted: Wanted) -> Iterator[Part]:
        """Yield the stream as one part."""
        refusals.check_names(self.name, self.columns, wanted)
        yield partial(self._read, wanted)

    def _read(self, wanted: Wanted) -> Iterator[Batch]:
        reader, self._reader = self._reader, None
        if reader is None:
            if isinstance(self._data, pa.RecordBatchReader):
                raise refusals.already_read(self.name)
            reader = self._open()
        check_types(reader.schema, wanted, self.name, lambda name: (batch.column(name) for batch in reader))
        empty = True
        for batch in BatchReader(wanted, self.name).read(reader):
            empty = False
            yield batch
        if empty:
            raise refusals.no_rows(self.name)


def open_arrow(data: Any, name: str | None = None) -> TableSource | StreamSource:
    """Open a pyarrow table, batch or reader, or any object that exports an Arrow stream."""
    title = name or f"the {type(data).__name__}"
    if isinstance(data, pa.RecordBatch):
        data = pa.Table.from_batches([data])
    elif not isinstance(data, pa.Table) and _in_memory(data):
        data = StreamSource(data, title)._open().read_all()
    return TableSource(data, title) if isinstance(data, pa.Table) else StreamSource(data, title)


def _in_memory(data: Any) -> bool:
    """Say whether exporting the whole stream costs no memory: true of polars frames, whose columns are Arrow."""
    polars = sys.modules.get("polars")
    return polars is not None and isinstance(data, polars.DataFrame)
