"""Batches become states: one accumulator per thread, merged at the end. Merging is exact, so threads leave no trace."""

import math
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from squarely import _core, validate
from squarely.errors import DataError
from squarely.evaluate.sample import Sampler
from squarely.sources import Batch, Column, Key, Keys, Part, Source, Wanted
from squarely.state import PairState, StateTable
from squarely.state.table import GroupKey, written_alike
from squarely.state.threads import threads as allowed

__all__ = ["Accumulated", "Accumulator", "Labels", "accumulate"]

_Place = tuple[int, str, int]  # part, file, row counted from 1: where a row was refused first
_DENSE = 1 << 20  # combinations of labels for which a table is worth its memory
Integers = npt.NDArray[np.int32]
Labels = tuple[Integers, Integers] | None  # the label of each row, the group of each label


@dataclass
class Accumulated:
    """What one pass over the data leaves."""

    table: StateTable
    sampler: Sampler
    first_refused: dict[tuple[int, int], _Place]  # by model and reason
    written: Callable[[GroupKey], GroupKey]  # how the table writes a key that was read


@dataclass
class Accumulator:
    """The states of one thread."""

    wanted: Wanted
    index: dict[GroupKey, int] = field(default_factory=dict)
    rows: int = 0
    sampler: Sampler = field(default_factory=Sampler)
    first_refused: dict[tuple[int, int], _Place] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.groups = [_core.Groups(self.wanted.plan.core) for _ in self.wanted.predictions]
        self.kinds: list[set[type]] = [set() for _ in self.wanted.by]  # of the values of each group column
        self._refused = [(0, 0, 0, 0)] * len(self.groups)
        self._labels: tuple[tuple[Key, ...], ...] = ()
        self._places: npt.NDArray[np.int32] = np.empty(0, np.int32)

    def see(self, part: int, batch: Batch) -> None:
        """Add the rows of a batch."""
        count = len(batch.target.values)
        if not count:
            return
        self.rows += count
        self.sampler.see(part, batch)
        weight = _weights(batch, self.wanted.weight)
        more = tuple(column.values if column.valid is None else np.where(column.valid, column.values, np.nan) for column in batch.more)
        labels = self.labels_of(batch.keys, count)
        for model, prediction in enumerate(batch.predictions):
            self._add(model, batch, prediction, weight, labels, more)
            refused = self.groups[model].refused()
            if refused != self._refused[model]:
                for reason in range(4):
                    if refused[reason] and not self._refused[model][reason]:  # a thread reads its parts in order
                        rows = validate.refused_rows(reason, _as_floats(batch.target), _as_floats(prediction), weight)
                        self.first_refused[model, reason] = (part, batch.where, batch.start + int(rows[0]) + 1)
                self._refused[model] = refused

    def _add(
        self, model: int, batch: Batch, prediction: Column, weight: npt.NDArray[np.generic] | None, labels: Labels, more: tuple[Any, ...]
    ) -> None:
        y, p, groups = batch.target, prediction, self.groups[model]
        codes, places = labels or (None, None)
        if y.valid is None and p.valid is None:
            bad = groups.update(y.values, p.values, weight, codes, places, more)
        else:
            no_y, no_p = _absent(y), _absent(p)
            counts = True if weight is None else weight != 0
            for reason, gone in enumerate((no_y & counts, no_p & ~no_y & counts)):
                which, count = np.unique(labels[1][labels[0][gone]] if labels else np.zeros(gone.sum(), np.int32), return_counts=True)
                for group, times in zip(which.tolist(), count.tolist(), strict=True):
                    groups.add_refused(group, reason, times)
            kept = ~(no_y | no_p)
            kept_weight, kept_codes = (None if each is None else each[kept] for each in (weight, codes))
            bad = groups.update(y.values[kept], p.values[kept], kept_weight, kept_codes, places, tuple(values[kept] for values in more))
        assert bad == -1, "weights and labels are judged before anything is added"

    def labels_of(self, keys: tuple[Keys, ...], rows: int) -> Labels:
        """Return the label of each row and the group of each label, and make the groups that are new."""
        if not keys:
            if not self.index:
                self._grow([()])
            return None
        labels = tuple(key.labels for key in keys)
        size = math.prod(map(len, labels))
        if size > max(_DENSE, rows):
            dense, columns = _combinations(keys)
            return dense, self._places_of(columns, labels)
        codes = keys[0].codes
        for key in keys[1:]:
            codes = codes * np.int32(len(key.labels)) + key.codes
        if not self._continues(labels) or len(self._places) < size:
            self._places = self._known_places(labels)
        self._labels = labels
        if self._places.min() < 0:
            new = np.flatnonzero((np.bincount(codes, minlength=size) > 0) & (self._places < 0))
            self._places[new] = self._places_of(list(np.unravel_index(new, tuple(map(len, labels)))), labels)
        return np.ascontiguousarray(codes, np.int32), self._places

    def _continues(self, labels: tuple[tuple[Key, ...], ...]) -> bool:
        """Say whether these are the labels of the last batch; a single column may have more."""
        if len(labels) != len(self._labels) or (len(labels) > 1 and list(map(len, labels)) != list(map(len, self._labels))):
            return False
        return all(map(_is_prefix, self._labels, labels))

    def _known_places(self, labels: tuple[tuple[Key, ...], ...]) -> Integers:
        """Return the groups of labels so far, -1 for those without one; combinations are not looked up, for most are never met."""
        known = len(self._places) if self._continues(labels) else 0
        more: Integers = np.full(math.prod(map(len, labels)) - known, -1, np.int32)
        if len(labels) == 1:
            self.kinds[0].update(map(type, labels[0]))
            more[:] = [self.index.get((label,), -1) for label in labels[0][known:]]
        return np.concatenate([self._places[:known], more])

    def _places_of(self, columns: list[npt.NDArray[np.intp]], labels: tuple[tuple[Key, ...], ...]) -> Integers:
        """Return the groups of combinations of labels, and make those that are new; ``columns`` has places in the labels of each column."""
        values = [[of_column[at] for at in column.tolist()] for column, of_column in zip(columns, labels, strict=True)]
        for kinds, of_column in zip(self.kinds, values, strict=True):
            kinds.update(map(type, of_column))
        group_keys = list(zip(*values, strict=True))
        places = list(map(self.index.get, group_keys))
        if None in places:
            self._grow(group_keys)
            places = list(map(self.index.get, group_keys))
        return np.array(places, np.int32)

    def _grow(self, keys: Iterable[GroupKey]) -> None:
        for key in keys:
            self.index.setdefault(key, len(self.index))
        for groups in self.groups:
            groups.grow(len(self.index))


def _is_prefix(known: tuple[Key, ...], labels: tuple[Key, ...]) -> bool:
    if known is labels:
        return True
    begin = labels[: len(known)]
    return begin == known and list(map(type, begin)) == list(map(type, known))


def _combinations(keys: tuple[Keys, ...]) -> tuple[Integers, list[npt.NDArray[np.intp]]]:
    """Number the combinations of labels that occur; return the number of each row, and the labels of each number by column.

    Column by column, so that no product of label counts need fit an integer.
    """
    codes: npt.NDArray[np.int64] = keys[0].codes.astype(np.int64)
    columns = [np.arange(len(keys[0].labels))]
    for key in keys[1:]:
        used, codes = np.unique(codes * len(key.labels) + key.codes, return_inverse=True)
        first, last = np.divmod(used, len(key.labels))
        columns = [*(column[first] for column in columns), last]
    return codes.astype(np.int32), columns


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
    sampler = Sampler()
    first_refused: dict[tuple[int, int], _Place] = {}
    kinds = [set().union(*(each.kinds[at] for each in accumulators)) for at in range(len(wanted.by))]
    writers = [written_alike(name, of_column) for name, of_column in zip(wanted.by, kinds, strict=True)]

    def written(key: GroupKey) -> GroupKey:
        return tuple(write(value) for write, value in zip(writers, key, strict=True))

    while accumulators:  # each is let go once it is merged
        accumulator = accumulators.pop()
        table.rows += accumulator.rows
        for key, at in accumulator.index.items():
            states = [PairState._wrap(groups.state(at), wanted.plan) for groups in accumulator.groups]
            table.add(written(key), states)
        sampler.absorb(accumulator.sampler)
        for reason, place in accumulator.first_refused.items():
            first_refused[reason] = min(first_refused.get(reason, place), place, key=lambda each: (each[0], each[2]))
    return Accumulated(table, sampler, first_refused, written)
