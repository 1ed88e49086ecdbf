"""Batches become states: one accumulator per thread, merged at the end. Merging is exact, so threads leave no trace."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
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
from squarely.sources import Batch, Column, Part, Source, Wanted
from squarely.state import Buckets, PairState, StateTable
from squarely.state.table import GroupKey, written_alike
from squarely.state.threads import threads as allowed

__all__ = ["Accumulated", "Accumulator", "accumulate"]

_Place = tuple[int, str, int]  # part, file, row counted from 1: where a row was refused first


@dataclass
class Accumulated:
    """What one pass over the data leaves."""

    table: StateTable
    sampler: Sampler
    largest: list[Largest]  # of each model
    first_refused: dict[tuple[int, int], _Place]  # by model and reason
    written: Callable[[GroupKey], GroupKey]  # how the table writes a key that was read
    buckets: Buckets | None  # None without intervals


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
    """The states of one thread."""

    wanted: Wanted
    rows: int = 0
    sampler: Sampler = field(default_factory=Sampler)
    first_refused: dict[tuple[int, int], _Place] = field(default_factory=dict)

    def __post_init__(self) -> None:
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
        """Add the rows of a batch."""
        count = len(batch.target.values)
        if not count:
            return
        self.rows += count
        self.sampler.see(part, batch)
        weight = _weights(batch, self.wanted.weight)
        more = tuple(column.values if column.valid is None else np.where(column.valid, column.values, np.nan) for column in batch.more)
        labels = self.groups.labels_of(batch.keys[: len(self.wanted.by)], count)
        self.cells.see(batch.start + count - 1)
        if self.order is not None:
            self.order.see(part, batch)
        hashes = _hashes(batch, self.wanted.along) if self.wanted.way == "cluster" else None
        apart = self.cells.apart
        feeds = [_Feed(self.cells, labels, self.cells.buckets_of(batch.start, count, hashes))]
        if apart is not None:
            feeds.append(_Feed(apart, None, apart.buckets_of(batch.start, count, hashes)))
        self.few.see(part, batch, labels, hashes)
        if (large := self.few.others(labels)) is not None and self.few.cells is not None:
            feeds.append(_Feed(self.few.cells, large[0], self.few.cells.buckets_of(batch.start, count, hashes), large[1]))
        for model, prediction in enumerate(batch.predictions):
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
        self.few.look()

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


def _weights(batch: Batch, name: str | None) -> npt.NDArray[np.generic] | None:
    if batch.weight is None or name is None:
        return None
    values, valid = batch.weight.values, batch.weight.valid
    if valid is not None and not valid.all():
        row = int(np.flatnonzero(~valid)[0])
        raise DataError(
            f"{batch.where}: the weight in row {batch.start + row + 1:,} of column {name[:60]!r} is missing. Give each row one; 0 leaves it out."
        )
    bad = _core.first_bad_weight(values)
    if bad >= 0:
        raise validate.bad_weight(values[bad], f"{batch.where}: the weight in row {batch.start + bad + 1:,} of column {name[:60]!r}")
    return values


def accumulate(source: Source, wanted: Wanted, nan_policy: str, progress: Callable[[int], None] | None = None) -> Accumulated:
    """Read every part of a source once, in threads, into states by group and model.

    Parameters
    ----------
    source : Source
    wanted : Wanted
    nan_policy : str
        Written into the table.
    progress : callable, optional
        Called with the number of rows read since the last call.
    """
    run = _Run(enumerate(source.parts(wanted)), wanted, progress)
    threads = [threading.Thread(target=run.work, daemon=True) for _ in range(allowed() - 1)]
    started = []
    try:
        for thread in threads:
            thread.start()
            started.append(thread)
    except RuntimeError:  # no more threads are to be had: those there are take all parts
        pass
    try:
        run.work()
    except BaseException:  # the user interrupts
        run.stop = True
        raise
    finally:
        for thread in started:
            thread.join()
    if run.errors:
        raise min(run.errors, key=lambda each: each[0])[1]  # of the first part, whichever thread was first
    return _merged(run.accumulators, wanted, nan_policy)


@dataclass
class _Run:
    """The parts that threads take one after the other."""

    parts: Iterator[tuple[int, Part]]
    wanted: Wanted
    progress: Callable[[int], None] | None
    errors: list[tuple[int, BaseException]] = field(default_factory=list)
    stop: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)
    taken: int = -1
    accumulators: list[Accumulator] = field(default_factory=list)

    def work(self) -> None:
        """Take parts until there are none, or one failed."""
        accumulator = None
        while (part := self._next()) is not None:
            number, read = part
            try:
                if accumulator is None:
                    accumulator = Accumulator(self.wanted)
                    self.accumulators.append(accumulator)
                for batch in read():
                    if self.stop:
                        return
                    accumulator.see(number, batch)
                    if self.progress is not None:
                        with self.lock:
                            self.progress(len(batch.target.values))
            except Exception as error:
                self.errors.append((number, error))

    def _next(self) -> tuple[int, Part] | None:
        with self.lock:
            if self.stop or self.errors:  # parts are taken in order: those before a failed one are under way or done
                return None
            try:
                part = next(self.parts, None)
            except Exception as error:  # a later file may be missing a column
                self.errors.append((self.taken + 1, error))
                return None
            if part is not None:
                self.taken = part[0]
            return part


def _merged(accumulators: list[Accumulator], wanted: Wanted, nan_policy: str) -> Accumulated:
    table = StateTable(wanted.target, wanted.predictions, wanted.by, wanted.weight, nan_policy)
    sampler, largest = Sampler(), [Largest() for _ in wanted.predictions]
    first_refused: dict[tuple[int, int], _Place] = {}
    kinds = [set().union(*(each.groups.kinds[at] for each in accumulators)) for at in range(len(wanted.by))]
    writers = [written_alike(name, of_column) for name, of_column in zip(wanted.by, kinds, strict=True)]

    def written(key: GroupKey) -> GroupKey:
        return tuple(write(value) for write, value in zip(writers, key, strict=True))

    index: dict[GroupKey, int] = {}
    places = [np.array([index.setdefault(written(key), len(index)) for key in each.groups.index], np.int64) for each in accumulators]
    cells, few = Cells(wanted), Few(wanted)
    few.grow(len(index), cells)
    cells.grow(len(index))
    cells.see(max((each.cells.last for each in accumulators), default=0))
    if wanted.way == "order":
        Order.judge(wanted.along, [each.order for each in accumulators if each.order])
    while accumulators:  # each is let go once it is merged
        accumulator = accumulators.pop()
        table.rows += accumulator.rows
        few.absorb(accumulator.few, accumulator.cells, places[-1])
        cells.absorb(accumulator.cells, places.pop())
        sampler.absorb(accumulator.sampler)
        for mine, theirs in zip(largest, accumulator.largest, strict=True):
            mine.absorb(theirs)
        for reason, place in accumulator.first_refused.items():
            first_refused[reason] = min(first_refused.get(reason, place), place, key=lambda each: (each[0], each[2]))
    for key, states in zip(index, cells.totals(), strict=True):
        table.add(key, [PairState._wrap(state, wanted.plan) for state in states])
    buckets = None
    if wanted.way != "none":
        alone = few.alone(index, table.sorted_groups())
        buckets = cells.buckets(tuple(index), alone, few.large(index))
    return Accumulated(table, sampler, largest, first_refused, written, buckets)
