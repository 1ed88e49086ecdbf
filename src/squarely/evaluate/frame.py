"""Columns become a frame of the library that the data came in."""

from typing import Any

__all__ = ["as_frame", "library_of"]


def as_frame(columns: dict[str, list[Any]], library: str) -> Any:
    """Return columns as a table of pyarrow, or a frame of pandas or polars, where a lone surrogate is written as an escape."""
    columns = {_encoded(name): [_encoded(each) for each in column] for name, column in columns.items()}
    if library == "pyarrow":
        import pyarrow as pa

        return pa.table(columns)
    import narwhals as nw

    return nw.from_dict(columns, backend=library).to_native()


def _encoded(value: Any) -> Any:
    """Return a text as it can be encoded, which Arrow asks for, and anything else as it is."""
    return value.encode("utf-8", "backslashreplace").decode("utf-8") if isinstance(value, str) else value


def library_of(data: Any) -> str:
    """Return the library of a frame that a table of answers comes back in: "pandas", "polars", else "pyarrow"."""
    library = type(data).__module__.partition(".")[0]
    return library if library in ("pandas", "polars") else "pyarrow"
