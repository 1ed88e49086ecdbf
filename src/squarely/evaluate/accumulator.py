"""What one thread makes of its batches: the states of cells, and what is found on the way."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from squarely import _core, validate
from squarely.errors import DataError
from squarely.evaluate.cells import Cells, Integers, Labels
from squarely.evaluate.few import Few
from squarely.evaluate.labels import GroupIndex
from squarely.evaluate.largest import Largest
from squarely.evaluate.layout import RowBuckets, hashes_of
from squarely.evaluate.order import Order
from squarely.evaluate.sample import Sampler
from squarely.sources import Batch, Column, Keys, Wanted

__all__ = ["Accumulator", "Place"]

Place = tuple[int, str, int]  # part, file, row counted from 1: where a row was refused first


class _Feed(NamedTuple):
    """Where the rows of a batch go: the cells, the labels of their groups, their buckets, and which rows do where not all."""

    cells: Cells
    labels: Labels
    buckets: RowBuckets | None
    only: npt.NDArray[np.bool_] | None = None

    def chosen(self, kept: npt.NDArray[np.bool_] | None) -> slice | npt.NDArray[np.bool_]:
        """Return which rows go here, of those that are kept."""
        if self.only is None:
            return slice(None) if kept is None else kept
        return self.only if kept is None else self.only & kept

    def of(self, rows: slice | npt.NDArray[np.bool_]) -> tuple[Integers | None, Integers | None, RowBuckets | None]:
        """Return for some of the rows their labels, the place of each label, and their buckets, as the core takes them."""
        codes, places = (None, None) if self.labels is None else (np.ascontiguousarray(self.labels[0][rows]), self.cells.places_of(self.labels[1]))
        return codes, places, None if self.buckets is None else np.ascontiguousarray(self.buckets[rows])


@dataclass
class Accumulator:
    """The states of one thread.

    The rows of models in ``late``, whose one number is not known before all rows were read, wait until ``predict`` tells it.
    """

    wanted: Wanted
    late: frozenset[str] = frozenset()
    rows: int = 0
    sampler: Sampler = field(default_factory=Sampler)
    first_refused: dict[tuple[int, int], Place] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._at_once = tuple(model for model, name in enumerate(self.wanted.predictions) if name not in self.late)
        self.waiting: list[tuple[int, Batch]] = []  # part and rows, in the order of reading
        self.cells = Cells(self.wanted)
        self.few = Few(self.wanted)
        self.groups = GroupIndex(len(self.wanted.by), self._grow)
        self.order = Order(self.wanted.along) if self.wanted.way == "order" else None
        self.largest = [Largest() for _ in self.wanted.predictions]
        self._refused = [(0, 0, 0, 0)] * len(self.wanted.predictions)

    def _grow(self, groups: int) -> None:
        self.few.grow(groups, self.cells)
        self.cells.grow(groups)

    def see(self, part: int, batch: Batch) -> None:
        """Add the rows of a batch, and keep what models that are not known yet take of them."""
        count = len(batch.target.values)
        if not count:
            return
        self.rows += count
        self.sampler.see(part, batch)
        _judge_weights(batch, self.wanted.weight)
        labels = self.groups.labels_of(batch.keys[: len(self.wanted.by)], count)
        self.cells.see(batch.start + count - 1)
        if self.order is not None:
            self.order.see(part, batch)
        hashes = self._hashes(batch)
        self.few.see(part, batch, labels, hashes)
        self._add_models(self._at_once, part, batch, labels, hashes)
        self.few.look()
        if self.late:
            self.waiting.append((part, self._kept(batch)))

    def predict(self, constants: Mapping[str, float]) -> None:
        """Add the rows that wait, for the models whose number is known now; they are let go on the way."""
        places = {self.wanted.predictions.index(name): value for name, value in constants.items()}
        self.sampler.predict(places)
        self.waiting.reverse()
        while self.waiting:
            part, batch = self.waiting.pop()
            predictions = list(batch.predictions)
            for model, value in places.items():
                predictions[model] = replace(predictions[model], values=np.broadcast_to(value, len(batch.target.values)))
            batch = replace(batch, predictions=tuple(predictions))
            labels = self.groups.labels_of(batch.keys[: len(self.wanted.by)], len(batch.target.values))
            self._add_models(places, part, batch, labels, self._hashes(batch))

    def _kept(self, batch: Batch) -> Batch:
        """Return a batch without what is not needed again; its numbers are copied, for a view would hold all columns that share its memory."""
        nothing = Column(np.empty(0))
        predictions = tuple(nothing if model in self._at_once else column for model, column in enumerate(batch.predictions))
        keys = batch.keys if self.wanted.way == "cluster" else batch.keys[: len(self.wanted.by)]
        return replace(
            batch,
            target=_copied(batch.target),
            predictions=predictions,
            weight=None if batch.weight is None else _copied(batch.weight),
            keys=tuple(Keys(key.codes.copy(), key.labels) for key in keys),
            more=tuple(map(_copied, batch.more)),
        )

    def _hashes(self, batch: Batch) -> npt.NDArray[np.int64] | None:
        return _hashes(batch, self.wanted.along) if self.wanted.way == "cluster" else None

    def _feeds(self, batch: Batch, labels: Labels, hashes: npt.NDArray[np.int64] | None) -> Iterator[_Feed]:
        """Yield where the rows of a batch go."""
        count, apart, few = len(batch.target.values), self.cells.apart, self.few.cells
        yield _Feed(self.cells, labels, self.cells.buckets_of(batch.start, count, hashes))
        if apart is not None:
            yield _Feed(apart, None, apart.buckets_of(batch.start, count, hashes))
        if (large := self.few.others(labels)) is not None and few is not None:
            yield _Feed(few, large[0], few.buckets_of(batch.start, count, hashes), large[1])

    def _add_models(self, models: Iterable[int], part: int, batch: Batch, labels: Labels, hashes: npt.NDArray[np.int64] | None) -> None:
        weight = None if batch.weight is None else batch.weight.values
        more = tuple(column.values if column.valid is None else np.where(column.valid, column.values, np.nan) for column in batch.more)
        feeds = list(self._feeds(batch, labels, hashes))
        for model in models:
            prediction = batch.predictions[model]
            self._add(model, batch, prediction, weight, labels, feeds, more)
            if self.wanted.way != "none":  # who leaves out intervals wants speed
                self.largest[model].see(part, batch, prediction)
            refused = self.cells.refused(model)
            if refused != self._refused[model]:
                for reason in range(4):
                    if refused[reason] and not self._refused[model][reason]:  # a thread reads its parts in order
                        rows = validate.refused_rows(reason, _as_floats(batch.target), _as_floats(prediction), weight)
                        self.first_refused[model, reason] = (part, batch.where, batch.start + int(rows[0]) + 1)
                self._refused[model] = refused

    def _add(
        self,
        model: int,
        batch: Batch,
        prediction: Column,
        weight: npt.NDArray[np.generic] | None,
        labels: Labels,
        feeds: list[_Feed],
        more: tuple[Any, ...],
    ) -> None:
        y, p, kept = batch.target, prediction, None
        if y.valid is not None or p.valid is not None:
            no_y, no_p = _absent(y), _absent(p)
            counts = True if weight is None else weight != 0
            for reason, gone in enumerate((no_y & counts, no_p & ~no_y & counts)):
                which, count = np.unique(labels[1][labels[0][gone]] if labels else np.zeros(gone.sum(), np.int32), return_counts=True)
                for group, times in zip(which.tolist(), count.tolist(), strict=True):
                    self.cells.add_refused(model, group, reason, times)
            kept = ~(no_y | no_p)
        for feed in feeds:
            rows = feed.chosen(kept)
            of_weight, of_more = None if weight is None else weight[rows], tuple(values[rows] for values in more)
            bad = feed.cells.models[model].update(y.values[rows], p.values[rows], of_weight, *feed.of(rows), of_more)
            assert bad == -1, "weights and labels are judged before anything is added"


def _hashes(batch: Batch, name: str | None) -> npt.NDArray[np.int64]:
    """Return the hash of the cluster of each row."""
    labels, codes = batch.keys[-1].labels, batch.keys[-1].codes
    if None in labels and (codes == labels.index(None)).any():
        row = batch.start + int(np.flatnonzero(codes == labels.index(None))[0]) + 1
        raise DataError(
            f"{batch.where}: the cluster in row {row:,} of column {name!r} is missing. Give each row one, its own where it has no fellows."
        )
    return hashes_of(labels)[codes]


def _absent(column: Column) -> npt.NDArray[np.bool_]:
    """Say where a column is null or NaN."""
    nan: npt.NDArray[np.bool_] = np.isnan(column.values)
    return nan if column.valid is None else nan | ~column.valid


def _as_floats(column: Column) -> npt.NDArray[np.float64]:
    return np.where(_absent(column), np.nan, column.values)


def _copied(column: Column) -> Column:
    return Column(column.values.copy(), None if column.valid is None else column.valid.copy())


def _judge_weights(batch: Batch, name: str | None) -> None:
    if batch.weight is None or name is None:
        return
    values, valid = batch.weight.values, batch.weight.valid
    if valid is not None and not valid.all():
        row = int(np.flatnonzero(~valid)[0])
        raise DataError(
            f"{batch.where}: the weight in row {batch.start + row + 1:,} of column {name[:60]!r} is missing. Give each row one; 0 leaves it out."
        )
    bad = _core.first_bad_weight(values)
    if bad >= 0:
        raise validate.bad_weight(values[bad], f"{batch.where}: the weight in row {batch.start + bad + 1:,} of column {name[:60]!r}")
