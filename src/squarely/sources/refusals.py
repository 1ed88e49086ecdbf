"""The sentences with which sources refuse data: what was given, where, what was expected, the cure."""

from collections.abc import Iterable, Sequence

from squarely.errors import DataError
from squarely.sources.batch import Wanted

__all__ = [
    "already_read",
    "check_distinct",
    "check_names",
    "cut_short",
    "different_lengths",
    "empty_file",
    "float_key_missing",
    "folder_as_number",
    "json_array",
    "long_integers",
    "missing_file",
    "mixed_keys",
    "name_taken",
    "no_matching_files",
    "no_rows",
    "not_a_file",
    "not_a_key",
    "not_numbers",
    "not_permitted",
    "not_utf8",
    "numbers_as_text",
    "other_separator",
    "ragged_row",
    "shown",
    "text_in_numbers",
    "unknown_format",
    "unreadable",
    "unsupported_object",
]

_LONGEST = 60
_LONGEST_PLACE = 400
_LISTED = 12
_MARKS = {",": "commas", "\t": "tabs", ";": "semicolons", "|": "bars"}


def shown(value: object) -> str:
    """Return `value` quoted on one line and cut to a length that a sentence can carry.

    Examples
    --------
    >>> shown("a\\nb")
    "'a\\\\nb'"
    """
    text = repr(value if len(str(value)) <= _LONGEST else str(value)[:_LONGEST])
    return text if len(str(value)) <= _LONGEST else f"{text} (cut, {len(str(value)):,} characters)"


def _at(where: str) -> str:
    """Return a path, or what a library said, of a length that a sentence can carry; what cannot be seen is escaped."""
    text = where if where.isprintable() else repr(where)[1:-1]
    return text if len(text) <= _LONGEST_PLACE else f"{text[:_LONGEST_PLACE]}... (cut, {len(text):,} characters)"


def _listed(names: Sequence[str]) -> str:
    """Return the names as one list, at most a dozen of them."""
    text = ", ".join(shown(name) for name in names[:_LISTED])
    return text if len(names) <= _LISTED else f"{text} and {len(names) - _LISTED} more"


def _nearest(name: str, names: Iterable[str]) -> str | None:
    """Return the name closest to `name`, upper and lower case alike, if any is close."""
    import difflib

    # Very long names would make the comparison quadratic; the beginning decides.
    folded = {other[:200].casefold(): other for other in reversed(list(names))}
    close = difflib.get_close_matches(name[:200].casefold(), folded, n=1, cutoff=0.5)
    return folded[close[0]] if close else None


def missing_file(path: str) -> DataError:
    """No file at `path`; names the nearest files of the same directory."""
    if not path:
        return DataError("the path is empty. Expected a file, a folder or a pattern such as 'data/*.parquet'.")
    import difflib
    from pathlib import Path

    folder = Path(path).parent
    if not folder.is_dir():
        return DataError(f"{_at(path)}: no such file, and no folder {shown(str(folder))}. Check the path.")
    try:
        names = sorted(entry.name for entry in folder.iterdir() if not entry.name.startswith("."))
    except OSError:
        return not_permitted(path)
    close = difflib.get_close_matches(Path(path).name, names, n=3, cutoff=0.5)
    if close:
        return DataError(f"{_at(path)}: no such file. Did you mean {' or '.join(shown(name) for name in close)}?")
    where = "this folder" if str(folder) == "." else f"the folder {shown(str(folder))}"
    if not names:
        return DataError(f"{_at(path)}: no such file; {where} is empty. Check the path.")
    return DataError(f"{_at(path)}: no such file; {where} holds {_listed(names)}. Check the path.")


def not_a_file(path: str) -> DataError:
    """An address, standard input, a pipe or a device: it cannot be opened twice, or its name does not say what it is."""
    what = "this is an address" if "://" in path else "standard input is not read" if path == "-" else "this is a pipe or a device"
    return DataError(f"{_at(path)}: {what}. Save the data as a file first, and give the name of the file.")


def no_matching_files(path: str, suffixes: Sequence[str], *, pattern: bool) -> DataError:
    """A folder or a pattern under which there is no data file."""
    what = "no file matches this pattern" if pattern else "the folder holds no data file"
    return DataError(f"{_at(path)}: {what}. Expected at least one file ending in {', '.join(suffixes)}.")


def unknown_format(path: str, suffixes: Sequence[str]) -> DataError:
    """A file whose name does not say what it is."""
    from pathlib import Path

    ending = Path(path).suffix
    what = f"the ending {shown(ending)} is not a known format" if ending else "the file name has no ending"
    return DataError(f"{_at(path)}: {what}. Expected one of {', '.join(suffixes)}; rename or convert the file.")


def empty_file(path: str) -> DataError:
    """A file of zero bytes."""
    return DataError(f"{_at(path)}: the file is empty (0 bytes). Expected a table with a header and at least one row.")


def no_rows(where: str) -> DataError:
    """A table with columns and no rows."""
    return DataError(f"{_at(where)}: the table has column names but no rows. Expected at least one row of data.")


def not_permitted(path: str) -> DataError:
    """A file or a folder that this user may not read."""
    return DataError(f"{_at(path)}: cannot be read (Permission denied). Ask its owner, or copy it to where it can be read.")


def unreadable(path: str, kind: str, detail: str) -> DataError:
    """A file that is damaged or is not what its name says."""
    reason = _at(detail.strip().splitlines()[0].rstrip(".")) if detail.strip() else "no reason given"
    return DataError(
        f"{_at(path)}: cannot be read as {kind}; the file is damaged, cut short or of another format ({reason}). Write or copy the file again."
    )


def cut_short(path: str, kind: str, ending: str) -> DataError:
    """A file whose last bytes are missing."""
    return DataError(
        f"{_at(path)}: cannot be read as {kind}; the end of the file ({ending}) is missing, as after an interrupted copy. "
        "Write or copy the file again."
    )


def not_utf8(path: str) -> DataError:
    """A text file in another encoding."""
    return DataError(f"{_at(path)}: the file is not encoded as UTF-8. Save it as UTF-8, for instance with iconv.")


def other_separator(path: str, header: str, found: str, expected: str) -> DataError:
    """A CSV file whose columns are parted by another character."""
    return DataError(
        f"{_at(path)}: the header {shown(header)} has {_MARKS[found]} between its columns where {_MARKS[expected]} were expected. "
        f"Write the table with {_MARKS[expected]}{', or end the name of the file in .tsv' if found == chr(9) else ''}."
    )


def ragged_row(path: str, row: int, expected: int, found: int) -> DataError:
    """A CSV row with more or fewer cells than the header."""
    return DataError(
        f"{_at(path)}: row {row:,} has {found:,} cells where the header has {expected:,}. "
        "Correct that row; a cell that holds the separator must be quoted."
    )


def json_array(path: str) -> DataError:
    """A JSON file that is one array."""
    return DataError(f"{_at(path)}: the file is one JSON array. Expected JSON lines, one object per line; convert it with: jq -c '.[]' {shown(path)}")


def text_in_numbers(where: str, column: str, row: int, value: object) -> DataError:
    """Text in a column that must hold numbers; `row` counts data rows from 1."""
    return DataError(
        f"{_at(where)}: column {shown(column)}, row {row:,} holds {shown(value)} where a number was expected. "
        "Correct that cell, leave it empty if the value is missing, or choose another column."
    )


def numbers_as_text(where: str, column: str, value: object) -> DataError:
    """A text column in which every value would parse as a number."""
    return DataError(
        f"{_at(where)}: column {shown(column)} holds numbers stored as text (row 1 is {shown(value)}). Cast the column to a number type first."
    )


def not_numbers(where: str, column: str, kind: str) -> DataError:
    """A target, prediction or weight column of a type that has no arithmetic."""
    return DataError(
        f"{_at(where)}: column {shown(column)} has the type {kind[:_LONGEST]} where numbers were expected. "
        "Cast the column to a number type, or choose another column."
    )


def long_integers(where: str, column: str, rows: int) -> DataError:
    """A column of integers beyond 2^53 that goes on with other numbers."""
    return DataError(
        f"{where}: column {shown(column)} has integers beyond 2^53 in its first {rows:,} rows and other numbers after them, which would round them. "
        "Write the file as Parquet, or every value with a decimal point."
    )


def not_a_key(where: str, column: str, kind: str) -> DataError:
    """A group column of a type that cannot name a group."""
    return DataError(
        f"{_at(where)}: column {shown(column)} has the type {kind[:_LONGEST]}, which cannot name a group. "
        "Group by text, integers, booleans or dates; cast the column first."
    )


def mixed_keys(where: str, column: str, detail: str) -> DataError:
    """A group column that changes its type half way."""
    return DataError(f"{_at(where)}: the group column {shown(column)} changes its type ({_at(detail)}). Write every value as text.")


def float_key_missing(where: str, column: str, row: int) -> DataError:
    """A group column of floats with a missing value."""
    return DataError(
        f"{_at(where)}: the group column {shown(column)} holds floating-point numbers and is NaN or missing in row {row:,}. "
        "Cast the column to integers or text, or drop the rows without a group."
    )


def folder_as_number(where: str, column: str) -> DataError:
    """A folder name such as year=2024 asked for as target, prediction or weight."""
    return DataError(
        f"{_at(where)}: {shown(column)} is part of the folder names, not a column of the files. "
        "It can be used to group by, not as target, prediction or weight."
    )


def different_lengths(where: str, first: tuple[str, int], other: tuple[str, int]) -> DataError:
    """Two arrays with different numbers of rows."""
    return DataError(
        f"{_at(where)}: {shown(first[0])} has {first[1]:,} rows and {shown(other[0])} has {other[1]:,}. "
        "Every array must have one value per row, in the same order."
    )


def name_taken(where: str, name: str) -> DataError:
    """Two arrays under one name."""
    return DataError(f"{_at(where)}: the name {shown(name)} is used twice. Give each model and each group column its own name.")


def already_read(where: str) -> DataError:
    """A stream asked for a second time."""
    return DataError(f"{_at(where)}: the stream has already been read and cannot be read again. Open it anew.")


def unsupported_object(data: object) -> DataError:
    """Something that is no table."""
    kind = f"{type(data).__module__}.{type(data).__qualname__}".removeprefix("builtins.")
    return DataError(
        f"cannot read data from an object of type {kind}. Expected a path, folder or pattern of files, a data frame "
        "(polars, pandas, ...), an Arrow table or stream, or a mapping from column name to array."
    )


def check_distinct(where: str, name: str, columns: Sequence[str]) -> None:
    """Refuse a column name that occurs more than once."""
    count = columns.count(name)
    if count > 1:
        raise DataError(
            f"{_at(where)}: the column name {shown(name)} occurs {count} times, so it is unclear which one is meant. "
            "Rename the columns so that each name occurs once."
        )


def check_names(where: str, columns: Sequence[str], wanted: Wanted) -> None:
    """Refuse a wanted column that is absent or there twice."""
    for name in wanted.names:
        if name not in columns:
            near = _nearest(name, columns)
            hint = f" Did you mean {shown(near)}?" if near is not None else ""
            raise DataError(f"{_at(where)}: there is no column {shown(name)}.{hint} The columns are {_listed(columns)}.")
        check_distinct(where, name, columns)
