"""Columns become a frame of the library that the data came in."""

from typing import Any

__all__ = ["as_frame", "library_of"]


def as_frame(columns: dict[str, list[Any]], library: str) -> Any:
    """Return columns as a table of pyarrow, or a frame of pandas or polars, where a lone surrogate is written as an escape."""
    columns = {_encoded(name): _all_encoded(column) for name, column in columns.items()}
    if library == "pyarrow":
        import pyarrow as pa

        return pa.table(columns)
    import narwhals as nw

    return nw.from_dict(columns, backend=library).to_native()


def _all_encoded(column: list[Any]) -> list[Any]:
    """Return a column with its texts as they can be encoded, which Arrow asks for, and anything else as it is."""
    texts = {value: _encoded(value) for value in set(column) if isinstance(value, str)}  # few, beside the rows that they are in
    return [texts.get(value, value) for value in column] if texts else column


def _encoded(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def library_of(data: Any) -> str:
    """Return the library of a frame that a table of answers comes back in: "pandas", "polars", else "pyarrow"."""
    library = type(data).__module__.partition(".")[0]
    return library if library in ("pandas", "polars") else "pyarrow"
