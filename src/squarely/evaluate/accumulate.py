"""Batches become states: one accumulator per thread, merged at the end. Merging is exact, so threads leave no trace."""

import math
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from squarely import _core, validate
from squarely.errors import DataError
from squarely.evaluate.sample import Sampler
from squarely.sources import Batch, Column, Key, Keys, Part, Source, Wanted
from squarely.state import PairState, StateTable

__all__ = ["Accumulated", "accumulate"]

_TypedKey = tuple[tuple[type, Key], ...]  # True and 1 are equal in Python, and different values of a column
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


@dataclass
class _Accumulator:
    """The states of one thread."""

    models: int
    index: dict[_TypedKey, int] = field(default_factory=dict)
    rows: int = 0
    sampler: Sampler = field(default_factory=Sampler)
    first_refused: dict[tuple[int, int], _Place] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.groups = [_core.Groups() for _ in range(self.models)]
        self._refused = [(0, 0, 0, 0)] * self.models
        self._labels: tuple[tuple[Key, ...], ...] = ()
        self._places: npt.NDArray[np.int32] = np.empty(0, np.int32)

    def see(self, part: int, batch: Batch) -> None:
        """Add the rows of a batch."""
        rows = len(batch.target.values)
        if not rows:
            return
        self.rows += rows
        self.sampler.see(part, batch)
        weight = _weights(batch)
        labels = self._labels_of(batch.keys, rows)
        for model, prediction in enumerate(batch.predictions):
            self._add(model, batch, prediction, weight, labels)
            refused = self.groups[model].refused()
            if refused != self._refused[model]:
                for reason in range(4):
                    if refused[reason] != self._refused[model][reason]:
                        self._note(model, reason, part, batch, prediction, weight)
                self._refused[model] = refused

    def _add(self, model: int, batch: Batch, prediction: Column, weight: npt.NDArray[np.generic] | None, labels: Labels) -> None:
        y, p, groups = batch.target, prediction, self.groups[model]
        codes, places = labels or (None, None)
        if y.valid is None and p.valid is None:
            bad = groups.update(y.values, p.values, weight, codes, places)
        else:
            no_y, no_p = _absent(y), _absent(p)
            counts = True if weight is None else weight != 0
            for reason, gone in enumerate((no_y & counts, no_p & ~no_y & counts)):
                which, count = np.unique(labels[1][labels[0][gone]] if labels else np.zeros(gone.sum(), np.int32), return_counts=True)
                for group, times in zip(which.tolist(), count.tolist(), strict=True):
                    groups.add_refused(group, reason, times)
            kept = ~(no_y | no_p)
            bad = groups.update(
                y.values[kept], p.values[kept], None if weight is None else weight[kept], None if codes is None else codes[kept], places
            )
        assert bad == -1, "weights and labels are judged before anything is added"

    def _note(self, model: int, reason: int, part: int, batch: Batch, prediction: Column, weight: npt.NDArray[np.generic] | None) -> None:
        """Remember the first row that was refused for a reason; parts may be read in any order."""
        rows = validate.refused_rows(reason, _as_floats(batch.target), _as_floats(prediction), weight)
        place = (part, batch.where, batch.start + int(rows[0]) + 1)
        known = self.first_refused.get((model, reason))
        if known is None or (place[0], place[2]) < (known[0], known[2]):
            self.first_refused[model, reason] = place

    def _labels_of(self, keys: tuple[Keys, ...], rows: int) -> Labels:
        """Return the label of each row and the group of each label, and make the groups that are new."""
        if not keys:
            if not self.index:
                self._grow([()])
            return None
        labels = tuple(key.labels for key in keys)
        sizes = [len(each) for each in labels]
        codes = keys[0].codes if len(keys) == 1 else _combined(keys)
        if math.prod(sizes) > max(_DENSE, rows):
            used, dense = np.unique(codes, return_inverse=True)
            return dense.astype(np.int32), self._places_of(used.tolist(), labels, sizes)
        if not (len(labels) == len(self._labels) and all(map(_same, labels, self._labels))):
            self._labels, self._places = labels, np.full(math.prod(sizes), -1, np.int32)
        if self._places.min() < 0:
            new = np.flatnonzero((np.bincount(codes, minlength=len(self._places)) > 0) & (self._places < 0))
            self._places[new] = self._places_of(new.tolist(), labels, sizes)
        return np.ascontiguousarray(codes, np.int32), self._places

    def _places_of(self, combined: list[int], labels: tuple[tuple[Key, ...], ...], sizes: list[int]) -> npt.NDArray[np.int32]:
        typed: list[_TypedKey] = []
        for code in combined:
            key: list[tuple[type, Key]] = []
            for column, size in zip(reversed(labels), reversed(sizes), strict=True):
                code, at = divmod(code, size)
                key.append((type(column[at]), column[at]))
            typed.append(tuple(reversed(key)))
        self._grow(typed)
        return np.array([self.index[each] for each in typed], np.int32)

    def _grow(self, keys: list[_TypedKey]) -> None:
        for key in keys:
            self.index.setdefault(key, len(self.index))
        for groups in self.groups:
            groups.grow(len(self.index))


def _same(a: tuple[Key, ...], b: tuple[Key, ...]) -> bool:
    return a is b or (a == b and list(map(type, a)) == list(map(type, b)))


def _combined(keys: tuple[Keys, ...]) -> npt.NDArray[np.int64]:
    combined = keys[0].codes.astype(np.int64)
    for key in keys[1:]:
        combined = combined * len(key.labels) + key.codes
    return combined


def _absent(column: Column) -> npt.NDArray[np.bool_]:
    """Say where a column is null or NaN."""
    nan: npt.NDArray[np.bool_] = np.isnan(column.values)
    return nan if column.valid is None else nan | ~column.valid


def _as_floats(column: Column) -> npt.NDArray[np.float64]:
    return np.where(_absent(column), np.nan, column.values)


def _weights(batch: Batch) -> npt.NDArray[np.generic] | None:
    if batch.weight is None:
        return None
    values, valid = batch.weight.values, batch.weight.valid
    if valid is not None and not valid.all():
        row = int(np.flatnonzero(~valid)[0])
        raise DataError(f"{batch.where}: the weight is missing in row {batch.start + row + 1:,}. Give every row a weight; 0 leaves it out.")
    bad = _core.first_bad_weight(values)
    if bad >= 0:
        raise validate.bad_weight(values[bad], f"in row {batch.start + bad + 1:,}", f"{batch.where}: the weight")
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
    run = _Run(enumerate(source.parts(wanted)), progress)
    workers = [_Accumulator(len(wanted.predictions)) for _ in range(validate.threads())]
    threads = [threading.Thread(target=run.work, args=(worker,), daemon=True) for worker in workers[1:]]
    for thread in threads:
        thread.start()
    try:
        run.work(workers[0])
    except BaseException:  # the user interrupts
        run.stop = True
        raise
    finally:
        for thread in threads:
            thread.join()
    if run.errors:
        raise min(run.errors, key=lambda each: each[0])[1]  # of the first part, whichever thread was first
    return _merged(workers, wanted, nan_policy)


@dataclass
class _Run:
    """The parts that threads take one after the other."""

    parts: Iterator[tuple[int, Part]]
    progress: Callable[[int], None] | None
    errors: list[tuple[int, BaseException]] = field(default_factory=list)
    stop: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)
    taken: int = -1

    def work(self, accumulator: _Accumulator) -> None:
        """Take parts until there are none, or one failed."""
        while (part := self._next()) is not None:
            number, read = part
            try:
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


def _merged(workers: list[_Accumulator], wanted: Wanted, nan_policy: str) -> Accumulated:
    table = StateTable(wanted.target, wanted.predictions, wanted.by, wanted.weight, nan_policy)
    typed: dict[tuple[Key, ...], _TypedKey] = {}
    first = workers[0]
    for worker in workers:
        table.rows += worker.rows
        for key, at in worker.index.items():
            plain = tuple(value for _, value in key)
            if typed.setdefault(plain, key) != key:
                raise DataError(
                    f"the group columns {', '.join(wanted.by)} mix values that are equal but of two types, as 1 and True. Write them as text."
                )
            states = [PairState._wrap(groups.state(at)) for groups in worker.groups]
            table.groups[plain] = [a + b for a, b in zip(table.groups[plain], states, strict=True)] if plain in table.groups else states
        if worker is not first:
            first.sampler.absorb(worker.sampler)
            for reason, place in worker.first_refused.items():
                known = first.first_refused.get(reason, place)
                first.first_refused[reason] = min(known, place, key=lambda each: (each[0], each[2]))
    return Accumulated(table, first.sampler, first.first_refused)
