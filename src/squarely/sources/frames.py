"""Data frames, eager and lazy, through narwhals; only the wanted columns are collected."""

from collections.abc import Iterator
from typing import Any

import narwhals as nw
import pyarrow as pa

from squarely.sources import refusals
from squarely.sources.arrays import mapping_source
from squarely.sources.arrow import open_arrow
from squarely.sources.batch import Part, Wanted

__all__ = ["FrameSource", "open_frame"]

_CATEGORIES = (nw.String, nw.Categorical, nw.Enum)


class FrameSource:
    """A data frame that narwhals understands."""

    def __init__(self, frame: "nw.DataFrame[Any] | nw.LazyFrame[Any]", name: str) -> None:
        self.name = name
        self._frame = frame
        schema = frame.collect_schema()
        self.columns: tuple[str, ...] = tuple(map(str, schema.names()))
        self.categories: tuple[str, ...] = tuple(str(name) for name, kind in schema.items() if isinstance(kind, _CATEGORIES))

    @property
    def rereadable(self) -> bool:
        """Whether the parts may be asked for again."""
        return True

    def parts(self, wanted: Wanted) -> Iterator[Part]:
        """Yield slices of the collected columns."""
        refusals.check_names(self.name, self.columns, wanted)
        names = dict(zip(self.columns, self._frame.collect_schema().names(), strict=True))
        chosen = self._frame.select([nw.col(names[name]) for name in wanted.names])
        frame = chosen.collect() if isinstance(chosen, nw.LazyFrame) else chosen
        try:
            table = frame.to_arrow().rename_columns(list(wanted.names))
        except (pa.ArrowException, OverflowError, TypeError):
            # A sparse column of pandas, or one of Python objects of several types; read as such, it is taken or refused value by value.
            objects = {name: frame[names[name]].to_numpy() for name in wanted.names}
            return mapping_source(objects, self.name).parts(wanted)
        return open_arrow(table, self.name).parts(wanted)


def open_frame(data: Any) -> FrameSource | None:
    """Open a data frame, or return None if narwhals does not know it."""
    title = f"the {type(data).__name__}"
    try:
        return FrameSource(nw.from_native(data), title)
    except (TypeError, ValueError):
        # narwhals does not open frames with two columns of one name; say so, if that is what is wrong.
        names = getattr(data, "columns", None)
        if names is None or callable(names):
            return None
        listed = [str(name) for name in names]
        for name in dict.fromkeys(listed):
            refusals.check_distinct(title, name, listed)
        return None
