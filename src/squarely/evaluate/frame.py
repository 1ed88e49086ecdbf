"""Columns become a frame of the library that the data came in."""

from typing import Any

__all__ = ["as_frame"]


def as_frame(columns: dict[str, list[Any]], library: str) -> Any:
    """Return columns as a table of pyarrow, or a frame of pandas or polars."""
    if library == "pyarrow":
        import pyarrow as pa

        return pa.table(columns)
    import narwhals as nw

    return nw.from_dict(columns, backend=library).to_native()
