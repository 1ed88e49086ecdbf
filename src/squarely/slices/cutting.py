"""A source whose group columns are slices, made as its batches are read."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

from squarely.slices.cuts import Numbers, Values
from squarely.sources import Batch, Part, Source, Wanted

__all__ = ["Cutting"]


@dataclass(frozen=True)
class Cutting:
    """A source of which the columns of some cuts are group columns; the label of a row is the place of its slice."""

    source: Source
    cuts: tuple[Numbers | Values, ...]

    @property
    def name(self) -> str:
        """What a report calls the data."""
        return self.source.name

    @property
    def rereadable(self) -> bool:
        """Whether the parts may be asked for again."""
        return self.source.rereadable

    @property
    def columns(self) -> tuple[str, ...]:
        """Column names."""
        return self.source.columns

    def parts(self, wanted: Wanted) -> Iterator[Part]:
        """Yield the parts of the source, with slices in place of values."""
        numbers = tuple(cut.column for cut in self.cuts if isinstance(cut, Numbers))
        values = tuple(cut.column for cut in self.cuts if isinstance(cut, Values))
        for read in self.source.parts(replace(wanted, predictions=(*wanted.predictions, *numbers), by=values)):
            yield partial(self._read, read, len(wanted.predictions), len(values))

    def _read(self, read: Part, models: int, values: int) -> Iterator[Batch]:
        for batch in read():
            numbers, keys = iter(batch.predictions[models:]), iter(batch.keys[:values])
            cut = [each.keys(next(numbers)) if isinstance(each, Numbers) else each.keys(next(keys)) for each in self.cuts]
            yield replace(batch, predictions=batch.predictions[:models], keys=(*cut, *batch.keys[values:]))
