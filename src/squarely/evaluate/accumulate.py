"""Batches become states: one accumulator per thread, merged at the end. Merging is exact, so threads leave no trace."""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType

import numpy as np

from squarely.evaluate.accumulator import Accumulator, Place
from squarely.evaluate.cells import Cells
from squarely.evaluate.few import Few
from squarely.evaluate.largest import Largest
from squarely.evaluate.order import Order
from squarely.evaluate.sample import Sampler
from squarely.sources import Batch, Part, Source, Wanted
from squarely.state import Buckets, PairState, StateTable
from squarely.state.table import GroupKey, written_alike
from squarely.state.threads import threads as allowed

__all__ = ["Accumulated", "Found", "accumulate"]

Found = Callable[[Iterable[Batch]], float]  # what a model predicts, from rows that were kept


@dataclass
class Accumulated:
    """What one pass over the data leaves."""

    table: StateTable
    sampler: Sampler
    largest: list[Largest]  # of each model
    first_refused: dict[tuple[int, int], Place]  # by model and reason
    written: Callable[[GroupKey], GroupKey]  # how the table writes a key that was read
    buckets: Buckets | None  # None without intervals


def accumulate(
    source: Source,
    wanted: Wanted,
    nan_policy: str,
    progress: Callable[[int], None] | None = None,
    waiting: Mapping[str, Found] = MappingProxyType({}),
) -> Accumulated:
    """Read every part of a source once, in threads, into states by group and model.

    Parameters
    ----------
    source : Source
    wanted : Wanted
    nan_policy : str
        Written into the table.
    progress : callable, optional
        Called with the number of rows read since the last call.
    waiting : mapping from model to callable
        Models that predict one number, found from the rows once they were read: these are kept till then.
    """
    run = _Run(enumerate(source.parts(wanted)), wanted, progress, frozenset(waiting))
    _in_threads(run, run.work)
    if waiting:
        rows = [batch for accumulator in run.accumulators for _, batch in accumulator.waiting]
        constants = {name: found(rows) for name, found in waiting.items()}
        del rows  # they are let go as they are added
        todo = list(run.accumulators)
        _in_threads(run, partial(run.predict, todo, constants))
    return _merged(run.accumulators, wanted, nan_policy)


def _in_threads(run: "_Run", work: Callable[[], None]) -> None:
    """Do work in this thread and in as many others as there may be, until it is done in all."""
    threads = [threading.Thread(target=work, daemon=True) for _ in range(allowed() - 1)]
    started = []
    try:
        for thread in threads:
            thread.start()
            started.append(thread)
    except RuntimeError:  # no more threads are to be had: those there are take all parts
        pass
    try:
        work()
    except BaseException:  # the user interrupts
        run.stop = True
        raise
    finally:
        for thread in started:
            thread.join()
    if run.errors:
        raise min(run.errors, key=lambda each: each[0])[1]  # of the first part, whichever thread was first


@dataclass
class _Run:
    """The parts that threads take one after the other."""

    parts: Iterator[tuple[int, Part]]
    wanted: Wanted
    progress: Callable[[int], None] | None
    late: frozenset[str]
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
                    accumulator = Accumulator(self.wanted, self.late)
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

    def predict(self, todo: list[Accumulator], constants: Mapping[str, float]) -> None:
        """Take accumulators until there are none, and add the rows that wait in them."""
        while not self.stop and not self.errors:
            with self.lock:
                if not todo:
                    return
                accumulator = todo.pop()
            try:
                accumulator.predict(constants)
            except Exception as error:
                self.errors.append((0, error))

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
    first_refused: dict[tuple[int, int], Place] = {}
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
