"""Parquet and Arrow files: only the wanted columns are read, row group by row group."""

import os
from collections.abc import Iterator, Mapping
from functools import partial

import pyarrow as pa
import pyarrow.parquet as pq

from squarely.errors import DataError
from squarely.sources import refusals
from squarely.sources.arrow import BATCH_ROWS, BatchReader, check_types
from squarely.sources.arrow_keys import categories_of, is_text
from squarely.sources.batch import Batch, Key, Part, Wanted

__all__ = ["ArrowFile", "ParquetFile"]

_FEW_COLUMNS = 4  # of more, half as many rows are read at once, so that memory stays small
_FAILURES = (pa.ArrowException, OSError, UnicodeDecodeError)


def _footer_is_missing(path: str) -> bool:
    """Say whether a file begins as Parquet and does not end so."""
    with open(path, "rb") as file:
        beginning = file.read(4)
        file.seek(max(0, os.path.getsize(path) - 4))
        return beginning == b"PAR1" and file.read(4) != b"PAR1"


class ParquetFile:
    """One Parquet file; its parts are its row groups."""

    def __init__(self, path: str) -> None:
        self.path = path
        if _footer_is_missing(path):
            raise refusals.cut_short(path, "Parquet", "its footer")
        try:
            with pq.ParquetFile(path, memory_map=True) as file:
                self._metadata, self._schema = file.metadata, file.schema_arrow
        except _FAILURES as error:
            raise self._unreadable(error) from error
        self.columns: tuple[str, ...] = tuple(self._schema.names)
        self.categories: tuple[str, ...] = categories_of(self._schema)
        self.has_rows: bool = self._metadata.num_rows > 0

    def _unreadable(self, error: Exception) -> DataError:
        return refusals.unreadable(self.path, "Parquet", str(error))

    def parts(self, wanted: Wanted, folders: Mapping[str, Key]) -> Iterator[Part]:
        """Yield one part per row group that has rows."""
        check_types(self._schema, wanted, self.path, lambda name: self._column(name))
        start = 0
        for group in range(self._metadata.num_row_groups):
            rows = self._metadata.row_group(group).num_rows
            if rows:
                yield partial(self._read, wanted, folders, group, start)
            start += rows

    def _column(self, name: str) -> Iterator[pa.Array]:
        return (rows.column(0) for group in range(self._metadata.num_row_groups) for rows in self._rows([name], [], group))

    def _rows(self, names: list[str], dictionaries: list[str], group: int) -> Iterator[pa.RecordBatch]:
        # Each part opens the file for itself: a reader is not safe to share, and the footer need not be read again.
        rows = BATCH_ROWS if len(names) <= _FEW_COLUMNS else BATCH_ROWS // 2
        try:
            with pq.ParquetFile(self.path, metadata=self._metadata, memory_map=True, read_dictionary=dictionaries, pre_buffer=False) as file:
                yield from file.iter_batches(rows, row_groups=[group], columns=names, use_threads=False)
        except _FAILURES as error:
            raise self._unreadable(error) from error

    def _read(self, wanted: Wanted, folders: Mapping[str, Key], group: int, start: int) -> Iterator[Batch]:
        names = [name for name in wanted.names if name in self.columns]
        text = [name for name in wanted.keys if name in names and is_text(self._schema.field(name).type)]
        return BatchReader(wanted, self.path, start, folders).read(self._rows(names, text, group))


class ArrowFile:
    """One Arrow IPC file, of the random access or the streaming format; one part."""

    def __init__(self, path: str) -> None:
        self.path = path
        try:
            with pa.memory_map(path) as file:
                with self._reader(file) as reader:
                    self._schema = reader.schema
                self.columns: tuple[str, ...] = tuple(self._schema.names)
                self.categories: tuple[str, ...] = categories_of(self._schema)
                self.has_rows: bool = any(rows.num_rows for rows in self._batches(()))
        except _FAILURES as error:
            raise refusals.unreadable(path, "Arrow IPC", str(error)) from error

    @staticmethod
    def _reader(file: pa.NativeFile, fields: list[int] | None = None) -> pa.RecordBatchFileReader:
        options = pa.ipc.IpcReadOptions(included_fields=fields or None, use_threads=False)
        random_access = file.read(6) == b"ARROW1"
        file.seek(0)
        return (pa.ipc.open_file if random_access else pa.ipc.open_stream)(file, options=options)

    def _batches(self, names: tuple[str, ...]) -> Iterator[pa.RecordBatch]:
        places = [index for index, name in enumerate(self.columns) if name in names]
        try:
            with pa.memory_map(self.path) as file, self._reader(file, places) as reader:
                if isinstance(reader, pa.RecordBatchFileReader):
                    yield from (reader.get_batch(index) for index in range(reader.num_record_batches))
                else:
                    yield from reader
        except _FAILURES as error:
            raise refusals.unreadable(self.path, "Arrow IPC", str(error)) from error

    def parts(self, wanted: Wanted, folders: Mapping[str, Key]) -> Iterator[Part]:
        """Yield the file as one part."""
        check_types(self._schema, wanted, self.path, lambda name: (rows.column(name) for rows in self._batches((name,))))
        yield partial(self._read, wanted, folders)

    def _read(self, wanted: Wanted, folders: Mapping[str, Key]) -> Iterator[Batch]:
        return BatchReader(wanted, self.path, 0, folders).read(self._batches(wanted.names))
