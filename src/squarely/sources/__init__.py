"""Sources: files, frames, streams and arrays become batches of columns.

Nothing here imports pyarrow or a frame library before data of that kind is opened.
"""

import os
from collections.abc import Mapping
from typing import Any

from squarely.sources import refusals
from squarely.sources.arrays import ArraysSource, arrays_source, is_category, keys_of, mapping_source
from squarely.sources.batch import Batch, Column, Key, Keys, Part, Source, Table, Wanted

__all__ = [
    "ArraysSource", "Batch", "Column", "Key", "Keys", "Part", "Source", "Table", "Wanted",
    "arrays_source", "is_category", "keys_of", "open_source",
]  # fmt: skip


def open_source(data: Any) -> Table:
    """Open data of any accepted kind.

    Parameters
    ----------
    data : a path, folder or pattern of files; an Arrow table, batch or stream; a data frame; a mapping from column
        name to array; or arrays that are open.

    Returns
    -------
    Table
        A source whose columns and their types are known; its rows are read when the parts are called.

    Raises
    ------
    DataError
        When there is no such file, the file cannot be read, or the object is no table.

    Examples
    --------
    >>> open_source({"y": [1.0, 2.0], "p": [1.5, 2.0]}).columns
    ('y', 'p')
    """
    if isinstance(data, str | os.PathLike):
        from squarely.sources.files import open_path

        return open_path(data)
    if isinstance(data, ArraysSource):
        return data
    if isinstance(data, Mapping):
        return mapping_source(data)
    # Exporting a pandas frame would convert every column, also those nobody asked for.
    if hasattr(data, "__arrow_c_stream__") and type(data).__module__.partition(".")[0] != "pandas":
        from squarely.sources.arrow import open_arrow

        return open_arrow(data)
    from squarely.sources.frames import open_frame

    source = open_frame(data)
    if source is None:
        raise refusals.unsupported_object(data)
    return source
