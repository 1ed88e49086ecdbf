"""Series and arrays that export Arrow: columns, keys and categories."""

from typing import Any

import pyarrow as pa

from squarely.sources.arrow import check_types, column
from squarely.sources.arrow_keys import KeyReader, is_category
from squarely.sources.batch import Column, Keys, Wanted

__all__ = ["series_column", "series_is_category", "series_keys"]


def _series(data: Any) -> pa.Array | None:
    """Return an Arrow array or a series that exports one, or None where it cannot."""
    try:
        array = data if isinstance(data, pa.Array | pa.ChunkedArray) else pa.chunked_array(data)
    except (pa.ArrowException, TypeError):
        return None
    if not isinstance(array, pa.ChunkedArray):
        return array
    return array.chunk(0) if array.num_chunks == 1 else array.combine_chunks()  # which copies even a single chunk


def series_column(data: Any, where: str, name: str) -> Column | None:
    """Return a series as a numeric column, integers and missing values exact; None where Arrow has no type for it."""
    array = _series(data)
    if array is None:
        return None
    check_types(pa.schema([(name, array.type)]), Wanted(name, ()), where, lambda _: (array,))
    return column(array, where, name)


def series_keys(data: Any, where: str, name: str) -> Keys | None:
    """Return a series as a group column; None where Arrow has no type for it."""
    array = _series(data)
    return None if array is None else KeyReader(where, name).read(array, 0)


def series_is_category(data: Any) -> bool:
    """Say whether a series that exports Arrow holds text or categories."""
    array = _series(data)
    return array is not None and is_category(array.type)
