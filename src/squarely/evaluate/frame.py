"""Columns become a frame of the library that the data came in."""

from typing import Any

__all__ = ["as_frame", "library_of"]


def as_frame(columns: dict[str, list[Any]], library: str) -> Any:
    """Return columns as a table of pyarrow, or a frame of pandas or polars."""
    if library == "pyarrow":
        import pyarrow as pa

        return pa.table(columns)
    import narwhals as nw

    return nw.from_dict(columns, backend=library).to_native()


def library_of(data: Any) -> str:
    """Return the library of a frame that a table of answers comes back in: "pandas", "polars", else "pyarrow"."""
    library = type(data).__module__.partition(".")[0]
    return library if library in ("pandas", "polars") else "pyarrow"
