"""CSV and JSON lines: types are inferred from the first block and widened when a later one needs it."""

import gzip
import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import islice
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pc_csv
import pyarrow.json as pc_json

from squarely.errors import DataError
from squarely.sources import refusals
from squarely.sources.arrow import BatchReader, check_types, first_text
from squarely.sources.arrow_keys import categories_of, is_text
from squarely.sources.batch import Batch, Key, Part, Wanted

__all__ = ["CsvFile", "JsonFile"]

BLOCK_BYTES = 8 << 20
_RAGGED = re.compile(r"Row #(\d+): Expected (\d+) columns, got (\d+)")
_FAILURES = (pa.ArrowException, OSError, UnicodeDecodeError)
_WIDER = {pa.null(): pa.int64(), pa.int64(): pa.float64(), pa.bool_(): pa.float64()}
_JSON_TYPES = {bool: pa.bool_(), int: pa.int64(), float: pa.float64(), str: pa.string()}
Types = dict[str, pa.DataType]


def _widened(types: Types, names: list[str]) -> Types | None:
    """Return the types with the named columns one step wider, or None if none of them can be."""
    wider = {name: _WIDER[types[name]] for name in names if types[name] in _WIDER}
    return {**types, **wider} if wider else None


def _long_integers(rows: pa.RecordBatch) -> set[str]:
    """Return the columns with an integer that float64 may not hold."""
    ends = {name: pc.min_max(rows.column(name)).as_py() for name in rows.schema.names if rows.schema.field(name).type == pa.int64()}
    return {name for name, end in ends.items() if end["max"] is not None and max(-end["min"], end["max"]) > 2**53}


def _stream(where: str, open_as: Callable[[Types], Any], types: Types, widen: Callable[[Types, Exception], Types]) -> Iterator[pa.RecordBatch]:
    """Yield record batches; where a block does not fit the types, read on with wider ones.

    The rows already given are skipped: an integer read as int64 and the same integer read as float64 add up alike, up to 2^53;
    beyond, a column must not change.
    """
    done = 0
    long: set[str] = set()
    while True:
        skip = done
        try:
            for rows in open_as(types):
                kept = rows.slice(min(skip, rows.num_rows))
                skip -= rows.num_rows - kept.num_rows
                done += kept.num_rows
                long |= _long_integers(kept)
                yield kept
            return
        except _FAILURES as error:
            wider = widen(types, error)
            for name in long:
                if wider[name] != types[name]:
                    raise refusals.long_integers(where, name, done) from error
            types = wider


class CsvFile:
    """One CSV or TSV file, plain or gzipped; one part.

    Group columns are read as written: "12" is the integer 12, "012" is text, an empty cell is a missing key.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._separator = "\t" if ".tsv" in path.lower()[-7:] else ","
        try:
            self._check_separator()
            with self._open() as reader:
                self._schema = reader.schema
                self.columns: tuple[str, ...] = tuple(self._schema.names)
                self.categories: tuple[str, ...] = categories_of(self._schema)
                self.has_rows: bool = any(rows.num_rows for rows in reader)
        except _FAILURES as error:
            raise self._unreadable(error) from error

    def _check_separator(self) -> None:
        """Refuse a header that another separator parts: as one column it would be a riddle."""
        with pa.input_stream(self.path) as file:
            header = file.read(1 << 16).decode("utf-8", "replace").partition("\n")[0].strip()
        if "\0" in header:  # UTF-16, as spreadsheets write it
            raise refusals.not_utf8(self.path)
        goes_on = header.count('"') % 2 == 1  # a name holds a line break
        found = None if self._separator in header or goes_on else next((mark for mark in ";\t|," if mark in header), None)
        if found:
            raise refusals.other_separator(self.path, header, found, self._separator)

    def _open(self, types: Types | None = None, *, null_text: bool = False) -> pc_csv.CSVStreamingReader:
        return pc_csv.open_csv(
            self.path,
            pc_csv.ReadOptions(use_threads=False, block_size=BLOCK_BYTES),
            pc_csv.ParseOptions(delimiter=self._separator, newlines_in_values=True),
            pc_csv.ConvertOptions(column_types=types or {}, include_columns=list(types or {}), strings_can_be_null=null_text),
        )

    def _unreadable(self, error: Exception) -> DataError:
        # A row handler in Python would say this too, but a thread of pyarrow that outlives the interpreter would then abort.
        ragged = _RAGGED.search(str(error))
        if ragged:
            row, expected, found = (int(number) for number in ragged.groups())
            # The reader counts the header as row 1.
            return refusals.ragged_row(self.path, row - 1, expected, found)
        if isinstance(error, UnicodeDecodeError) or "invalid UTF8" in str(error):
            return refusals.not_utf8(self.path)
        return refusals.unreadable(self.path, "CSV", str(error))

    def parts(self, wanted: Wanted, folders: Mapping[str, Key]) -> Iterator[Part]:
        """Yield the file as one part."""
        yield partial(self._read, wanted, folders)

    def _read(self, wanted: Wanted, folders: Mapping[str, Key]) -> Iterator[Batch]:
        types: Types = {name: self._schema.field(name).type for name in wanted.numeric}
        for name, kind in types.items():
            if kind not in _WIDER and kind != pa.float64():
                self._refuse_text(name)
        text = pa.dictionary(pa.int32(), pa.string())
        types.update({name: text for name in wanted.keys if name in self.columns and name not in types})
        rows = _stream(self.path, self._open, types, self._widen)
        return BatchReader(wanted, self.path, 0, folders, keys_are_text=True).read(rows)

    def _widen(self, types: Types, error: Exception) -> Types:
        column = re.match(r"In CSV column #(\d+)", str(error))
        names = [self.columns[int(column[1])]] if column else list(types)
        wider = None if _RAGGED.search(str(error)) else _widened(types, names)
        if wider is None:
            for name in names:
                if types[name] == pa.float64():
                    self._refuse_text(name)
            raise self._unreadable(error) from error
        return wider

    def _refuse_text(self, name: str) -> None:
        try:
            with self._open({name: pa.string()}, null_text=True) as reader:
                found = first_text(rows.column(0) for rows in reader)
        except _FAILURES as error:
            raise self._unreadable(error) from error
        if found is not None:
            raise refusals.text_in_numbers(self.path, name, *found)


class JsonFile:
    """One file of JSON lines, plain or gzipped; one part. The first block of 8 MB says which columns there are."""

    def __init__(self, path: str) -> None:
        self.path = path
        try:
            with pa.input_stream(path) as file:
                if file.read(64).lstrip().startswith(b"["):
                    raise refusals.json_array(path)
            self._schema: pa.Schema = self._inferred()
        except _FAILURES as error:
            raise self._unreadable(error) from error
        self.columns: tuple[str, ...] = tuple(self._schema.names)
        self.categories: tuple[str, ...] = categories_of(self._schema)
        self.has_rows: bool = True

    def _inferred(self) -> pa.Schema:
        try:
            return self._open().schema
        except pa.ArrowInvalid as error:
            if "changed from" not in str(error):
                raise
        # A column changes its type; whether that matters depends on the columns that will be wanted.
        types: Types = {}
        for row in islice(self._rows(), 1000):
            for name, value in row.items():
                if types.get(name, pa.null()) == pa.null():
                    types[name] = _JSON_TYPES.get(type(value), pa.null())
        return pa.schema(list(types.items()))

    def _rows(self) -> Iterator[dict[str, Any]]:
        """Yield the objects of the file one by one, slowly; a line that is no object is an empty one."""
        with (gzip.open if self.path.lower().endswith(".gz") else open)(self.path, "rb") as file:
            for line in file:
                if line.strip():
                    try:
                        row = json.loads(line)
                    except ValueError:
                        row = {}
                    yield row if isinstance(row, dict) else {}

    def _open(self, types: Types | None = None) -> Any:
        schema = None if types is None else pa.schema(list(types.items()))
        return pc_json.open_json(
            self.path,
            pc_json.ReadOptions(use_threads=False, block_size=BLOCK_BYTES),
            pc_json.ParseOptions(schema, unexpected_field_behavior="infer" if types is None else "ignore"),
        )

    def _unreadable(self, error: Exception) -> DataError:
        if "Empty JSON" in str(error):
            return refusals.no_rows(self.path)
        return refusals.unreadable(self.path, "JSON lines", str(error))

    def parts(self, wanted: Wanted, folders: Mapping[str, Key]) -> Iterator[Part]:
        """Yield the file as one part."""
        yield partial(self._read, wanted, folders)

    def _read(self, wanted: Wanted, folders: Mapping[str, Key]) -> Iterator[Batch]:
        types: Types = {name: self._schema.field(name).type for name in wanted.names if name in self.columns}
        for name in wanted.numeric:
            if types[name] not in _WIDER and types[name] != pa.float64():
                self._refuse_text(name)
                check_types(self._schema, wanted, self.path, lambda _: ())
        for name in wanted.keys:
            kind = types.get(name)
            if kind is not None and name not in wanted.numeric and (is_text(kind) or str(kind).startswith(("null", "time"))):
                types[name] = pa.string()
        rows = _stream(self.path, self._open, types, partial(self._widen, wanted))
        return BatchReader(wanted, self.path, 0, folders).read(rows)

    def _widen(self, wanted: Wanted, types: Types, error: Exception) -> Types:
        wider = _widened(types, list(wanted.numeric))
        if wider is not None:
            return wider
        for name in wanted.numeric:
            self._refuse_text(name)
        for name in wanted.keys:
            if f"Column(/{name})" in str(error):
                raise refusals.mixed_keys(self.path, name, str(error)) from error
        raise self._unreadable(error) from error

    def _refuse_text(self, name: str) -> None:
        for number, row in enumerate(self._rows(), start=1):
            value = row.get(name)
            if isinstance(value, bool) or not isinstance(value, int | float | None):
                raise refusals.text_in_numbers(self.path, name, number, value)
