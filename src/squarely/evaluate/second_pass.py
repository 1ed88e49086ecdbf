"""The second pass: a histogram says which few sizes of errors decide a quantile, and reading the data again finds them."""

import dataclasses
from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

from squarely import _core
from squarely.evaluate.accumulate import Accumulated
from squarely.evaluate.cells import Labels
from squarely.evaluate.labels import GroupIndex
from squarely.sources import Batch, Source, Wanted
from squarely.state import BUCKET_SHIFT, NOTHING, RECIPES, PairState

__all__ = ["find_quantiles"]

Floats = npt.NDArray[np.float64]
_NEVER = 1 << 62  # a bucket that no size falls into


class _Found:
    """The sizes that decide one quantile, in each of several states, and their weights."""

    def __init__(self, level: float) -> None:
        self.level = level
        self.states: list[PairState | None] = []
        self._first_place: dict[int, int] = {}  # of each state, by identity: values of two types may be one group
        self._same: list[int] = []  # of each place: the first place of the same state
        self._first: list[int] = []
        self._last: list[int] = []
        self._kept: list[tuple[npt.NDArray[np.int32], Floats, Floats]] = []

    def add(self, state: PairState | None) -> None:
        """Add a state; None for a group in which nothing counts."""
        first, last = (_NEVER, _NEVER) if state is None or not state.n else state.sums.sizes.buckets(self.level)
        self._same.append(self._first_place.setdefault(id(state), len(self.states)))
        self.states.append(state)
        self._first.append(first)
        self._last.append(last)

    def see(self, places: npt.NDArray[np.int32], sizes: Floats, weights: Floats) -> None:
        """Keep the sizes in the buckets of their state."""
        buckets = sizes.view(np.uint64) >> np.uint64(BUCKET_SHIFT)
        first, last = np.array(self._first, np.uint64)[places], np.array(self._last, np.uint64)[places]
        kept = (buckets >= first) & (buckets <= last)
        self._kept.append((places[kept], sizes[kept], weights[kept]))

    def settle(self) -> None:
        """Write the exact quantile into every state."""
        places, sizes, weights = (np.concatenate(parts) for parts in zip(*self._kept, strict=True))
        places = np.array(self._same, np.int32)[places]
        order = np.lexsort((sizes, places))
        ends = np.searchsorted(places[order], np.arange(len(self.states) + 1))
        for place, state in enumerate(self.states):
            rows = order[ends[place] : ends[place + 1]]
            if state is not None and len(rows):
                quantile = state.sums.sizes.select(self.level, zip(sizes[rows].tolist(), weights[rows].tolist(), strict=True))
                state.quantiles = {**state.quantiles, self.level: quantile}


class _Collector:
    """Reads batches as the first pass did, and keeps a few sizes instead of sums."""

    def __init__(self, wanted: Wanted, done: Accumulated, totals: list[PairState], levels: Iterable[float]) -> None:
        self._groups = GroupIndex(len(wanted.by))
        self._done, self._levels = done, tuple(levels)
        self._of_groups = [[_Found(level) for level in self._levels] for _ in totals]
        self._of_totals = [[_Found(level) for level in self._levels] for _ in totals]
        for model, total in enumerate(totals):
            for found in self._of_totals[model]:
                found.add(total)

    def collect(self, batch: Batch) -> None:
        """Keep what decides a quantile."""
        rows = len(batch.target.values)
        labels = self._groups.labels_of(batch.keys, rows)
        weight = np.ones(rows) if batch.weight is None else batch.weight.doubles()
        sizes = np.empty(rows)
        for model, prediction in enumerate(batch.predictions):
            _core.pointwise(RECIPES["absolute_error"], batch.target.values, prediction.values, [], (), sizes)
            kept = np.isfinite(batch.target.doubles()) & np.isfinite(prediction.doubles()) & (weight != 0)
            for found in self._of_totals[model]:
                found.see(np.zeros(int(kept.sum()), np.int32), sizes[kept], weight[kept])
            if labels is not None:
                self._see_groups(model, labels, kept, sizes[kept], weight[kept])

    def _see_groups(self, model: int, labels: Labels, kept: npt.NDArray[np.bool_], sizes: Floats, weights: Floats) -> None:
        assert labels is not None
        codes, places = labels
        for found in self._of_groups[model]:
            for key in list(self._groups.index)[len(found.states) :]:
                states = self._done.table.groups.get(self._done.written(key))
                found.add(states[model] if states else None)
            found.see(places[codes[kept]], sizes, weights)

    def found(self) -> Iterator[_Found]:
        """Yield everything that was looked for."""
        for of_models in (self._of_totals, self._of_groups):
            yield from (found for of_model in of_models for found in of_model if found.states)


def find_quantiles(source: Source, wanted: Wanted, done: Accumulated, totals: list[PairState], levels: Iterable[float]) -> None:
    """Read a source again and write the exact quantiles of the sizes of errors into the states of a first pass."""
    wanted = dataclasses.replace(wanted, plan=NOTHING, along=None)
    collector = _Collector(wanted, done, totals, levels)
    for read in source.parts(wanted):
        for batch in read():
            collector.collect(batch)
    for found in collector.found():
        found.settle()
