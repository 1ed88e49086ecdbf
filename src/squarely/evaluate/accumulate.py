"""Batches become states: one accumulator per thread, merged at the end. Merging is exact, so threads leave no trace."""

import math
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from squarely import _core, validate
from squarely.errors import DataError
from squarely.evaluate.sample import Sampler
from squarely.sources import Batch, Column, Key, Keys, Part, Source, Wanted
from squarely.state import PairState, StateTable
from squarely.state.table import GroupKey

__all__ = ["Accumulated", "accumulate"]

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
    columns: int  # that make groups
    weight: str | None
    index: dict[GroupKey, int] = field(default_factory=dict)
    rows: int = 0
    sampler: Sampler = field(default_factory=Sampler)
    first_refused: dict[tuple[int, int], _Place] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.groups = [_core.Groups() for _ in range(self.models)]
        self.kinds: list[set[type]] = [set() for _ in range(self.columns)]  # of the values of each group column
        self._refused = [(0, 0, 0, 0)] * self.models
        self._labels: tuple[tuple[Key, ...], ...] = ()
        self._places: npt.NDArray[np.int32] = np.empty(0, np.int32)

    def see(self, part: int, batch: Batch) -> None:
        """Add the rows of a batch."""
        count = len(batch.target.values)
        if not count:
            return
        self.rows += count
        self.sampler.see(part, batch)
        weight = _weights(batch, self.weight)
        labels = self._labels_of(batch.keys, count)
        for model, prediction in enumerate(batch.predictions):
            self._add(model, batch, prediction, weight, labels)
            refused = self.groups[model].refused()
            if refused != self._refused[model]:
                for reason in range(4):
                    if refused[reason] and not self._refused[model][reason]:  # a thread reads its parts in order
                        rows = validate.refused_rows(reason, _as_floats(batch.target), _as_floats(prediction), weight)
                        self.first_refused[model, reason] = (part, batch.where, batch.start + int(rows[0]) + 1)
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
            return dense.astype(np.int32), self._places_of(used.astype(np.int64), labels)
        if not self._continues(labels) or len(self._places) < math.prod(sizes):
            self._places = self._known_places(labels)
        self._labels = labels
        if self._places.min() < 0:
            new = np.flatnonzero((np.bincount(codes, minlength=len(self._places)) > 0) & (self._places < 0))
            self._places[new] = self._places_of(new, labels)
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

    def _places_of(self, codes: npt.NDArray[np.int64], labels: tuple[tuple[Key, ...], ...]) -> Integers:
        """Return the groups of combined codes, and make those that are new."""
        columns: list[list[Key]] = []
        for column in reversed(labels):
            codes, at = np.divmod(codes, len(column))
            columns.insert(0, [column[i] for i in at.tolist()])
        for kinds, values in zip(self.kinds, columns, strict=True):
            kinds.update(map(type, values))
        group_keys = list(zip(*columns, strict=True))
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
    run = _Run(enumerate(source.parts(wanted)), progress)
    workers = [_Accumulator(len(wanted.predictions), len(wanted.by), wanted.weight) for _ in range(validate.threads())]
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
    written = [_written(name, set().union(*(worker.kinds[at] for worker in workers))) for at, name in enumerate(wanted.by)]
    first = workers[0]
    for worker in workers:
        table.rows += worker.rows
        for key, at in worker.index.items():
            plain = tuple(write(value) for write, value in zip(written, key, strict=True))
            states = [PairState._wrap(groups.state(at)) for groups in worker.groups]
            table.groups[plain] = [a + b for a, b in zip(table.groups[plain], states, strict=True)] if plain in table.groups else states
        if worker is not first:
            first.sampler.absorb(worker.sampler)
            for reason, place in worker.first_refused.items():
                known = first.first_refused.get(reason, place)
                first.first_refused[reason] = min(known, place, key=lambda each: (each[0], each[2]))
    return Accumulated(table, first.sampler, first.first_refused)


def _written(name: str, kinds: set[type]) -> Callable[[Key], Key]:
    """Return how the values of a group column are written: equal values in one way, whichever was read first."""
    if bool in kinds and kinds & {int, float}:
        raise DataError(f"the group column {name[:60]!r} mixes numbers with True and False, and 1 and True are equal. Write them as text.")
    if float not in kinds:
        return lambda value: value
    if int in kinds:
        return lambda value: int(value) if isinstance(value, float) and value.is_integer() else value
    return lambda value: value + 0.0 if isinstance(value, float) else value  # -0.0 is 0.0
