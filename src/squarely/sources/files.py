"""Paths, folders and patterns become files, and files become one source."""

import glob
import os
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePath
from typing import Protocol
from urllib.parse import unquote

from squarely.sources import refusals
from squarely.sources.arrow_keys import key_of_text
from squarely.sources.batch import Key, Part, Wanted
from squarely.sources.columnar import ArrowFile, ParquetFile
from squarely.sources.delimited import CsvFile, JsonFile

__all__ = ["SUFFIXES", "FileSource", "open_path"]


class DataFile(Protocol):
    """One file: its columns, whether it has rows, and its parts."""

    columns: tuple[str, ...]
    categories: tuple[str, ...]
    has_rows: bool

    def parts(self, wanted: Wanted, folders: Mapping[str, Key]) -> Iterator[Part]:
        """Yield the independent parts of the file."""


_FORMATS: dict[str, type[CsvFile] | type[JsonFile] | type[ParquetFile] | type[ArrowFile]] = {
    ".parquet": ParquetFile, ".pq": ParquetFile,
    ".csv": CsvFile, ".tsv": CsvFile, ".csv.gz": CsvFile, ".tsv.gz": CsvFile,
    ".jsonl": JsonFile, ".ndjson": JsonFile, ".json": JsonFile, ".jsonl.gz": JsonFile, ".ndjson.gz": JsonFile,
    ".arrow": ArrowFile, ".feather": ArrowFile, ".ipc": ArrowFile, ".arrows": ArrowFile,
}  # fmt: skip
SUFFIXES: tuple[str, ...] = tuple(_FORMATS)
_NO_VALUE = "__HIVE_DEFAULT_PARTITION__"


def _suffix(path: str) -> str | None:
    """Return the known ending of a file name, if it has one."""
    return next((suffix for suffix in SUFFIXES if path.lower().endswith(suffix)), None)


def _open_file(path: str) -> DataFile:
    suffix = _suffix(path)
    if suffix is None:
        raise refusals.unknown_format(path, SUFFIXES)
    if not os.access(path, os.R_OK):
        raise refusals.not_permitted(path)
    try:
        if os.path.getsize(path) == 0:
            raise refusals.empty_file(path)
        return _FORMATS[suffix](path)
    except OSError as error:
        raise refusals.unreadable(path, "a file", error.strerror or str(error)) from error


def _folder_keys(path: str) -> dict[str, Key]:
    """Return what folder names such as year=2024 say."""
    pairs = (part.partition("=") for part in PurePath(path).parent.parts)
    return {unquote(name): None if value == _NO_VALUE else key_of_text(unquote(value)) for name, mark, value in pairs if mark and name}


def _walk(folder: str) -> list[str]:
    """Return the data files under a folder; names that begin with a dot or an underscore are not data."""
    found = []
    for base, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith((".", "_"))]
        found += [os.path.join(base, name) for name in files if not name.startswith((".", "_")) and _suffix(name)]
    return sorted(found)


def _find(path: str) -> list[str]:
    """Return the files that a path, folder or pattern means."""
    if os.path.isfile(path):
        return [path]
    if os.path.isdir(path):
        if not os.access(path, os.R_OK | os.X_OK):
            raise refusals.not_permitted(path)
        files = _walk(path)
        if not files:
            raise refusals.no_matching_files(path, SUFFIXES, pattern=False)
        return files
    if "://" in path or path == "-" or os.path.exists(path):
        raise refusals.not_a_file(path)
    if not glob.has_magic(path):
        raise refusals.missing_file(path)
    files = []
    for hit in sorted(glob.glob(path, recursive=True)):
        files += _walk(hit) if os.path.isdir(hit) else [hit] if _suffix(hit) else []
    if not files:
        raise refusals.no_matching_files(path, SUFFIXES, pattern=True)
    return sorted(dict.fromkeys(files))


class FileSource:
    """One or several files with the same wanted columns."""

    def __init__(self, name: str, paths: list[str]) -> None:
        self.name = name
        self.paths = tuple(paths)
        self._first = _open_file(paths[0])
        folders = _folder_keys(paths[0])
        named = tuple(key for key in folders if key not in self._first.columns)
        self.columns: tuple[str, ...] = (*self._first.columns, *named)
        self.categories: tuple[str, ...] = (*self._first.categories, *named)

    @property
    def rereadable(self) -> bool:
        """Whether the parts may be asked for again."""
        return all(map(os.path.isfile, self.paths))

    def parts(self, wanted: Wanted) -> Iterator[Part]:
        """Yield the parts of every file, in the order of their names."""
        has_rows = False
        for index, path in enumerate(self.paths):
            file = self._first if index == 0 else _open_file(path)
            folders = {name: key for name, key in _folder_keys(path).items() if name not in file.columns}
            refusals.check_names(path, (*file.columns, *folders), wanted)
            for name in wanted.numeric:
                if name in folders:
                    raise refusals.folder_as_number(path, name)
            if file.has_rows:
                has_rows = True
                yield from file.parts(wanted, folders)
        if not has_rows:
            raise refusals.no_rows(self.name)


def open_path(path: str | os.PathLike[str]) -> FileSource:
    """Open a file, a folder (with the folders inside it) or a pattern such as ``data/*.parquet``.

    Examples
    --------
    >>> open_path("predictions.parquet")  # doctest: +SKIP
    """
    text = os.fspath(path)
    if text.startswith("~"):
        text = str(Path(text).expanduser())
    return FileSource(text, _find(text))
