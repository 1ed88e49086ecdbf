"""Groups with few rows keep them, for intervals; where groups are many, those with more have the states of buckets.

Whether a group has more is known at the end, so its rows are kept until there are more. In which bucket a row is depends on the data alone,
and it does not matter whether the bucket is a state already or still its rows: which thread met which rows leaves no trace.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from squarely.evaluate.cells import Cells, Integers, Labels
from squarely.evaluate.layout import MOST_GROUPS, Layout, RowBuckets, layout_of
from squarely.sources import Batch, Column, Wanted
from squarely.state import Alone, Buckets, Plan
from squarely.state.alone import MOST_ALONE, MOST_KEPT
from squarely.state.table import GroupKey

__all__ = ["Few"]

_SOME = 1 << 14  # rows that are kept before it is worth a look which groups have become large

_Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class _Stretch:
    """Rows that were neighbours in the data, less those of large groups."""

    part: int
    start: int
    groups: Integers
    offsets: Integers  # from the start
    hashes: npt.NDArray[np.uint32] | None  # of the clusters, where there are such
    columns: tuple[npt.NDArray[Any], ...]  # target, predictions, weight where there is one, those of the plan

    def of(self, chosen: _Mask) -> "_Stretch":
        columns = tuple(column[chosen] for column in self.columns)
        hashes = None if self.hashes is None else self.hashes[chosen]
        return replace(self, groups=self.groups[chosen], offsets=self.offsets[chosen], hashes=hashes, columns=columns)

    def buckets_in(self, layout: Layout) -> RowBuckets:
        """Return the bucket of each row."""
        if self.hashes is not None:
            return layout.of_hashes(self.hashes.astype(np.int64))
        return layout.of_rows(self.start, self.start + int(self.offsets[-1]) + 1)[self.offsets]


class Few:
    """The rows of groups with few, and the buckets of large groups where the cells have none of each group.

    Parameters
    ----------
    wanted : Wanted
    """

    def __init__(self, wanted: Wanted) -> None:
        plan = wanted.plan if wanted.bucket_sizes else Plan(wanted.plan.terms)
        self._wanted = replace(wanted, plan=plan, bucket_sizes=True)
        self._rows_of = np.zeros(0, np.int64)
        self._place = np.zeros(0, np.int64)  # of a group among the large ones; -1 where its rows are kept
        self._large, self._last = 0, 0
        self._kept: list[_Stretch] = []
        self._held, self._settled = 0, 0  # rows, now and after the last look
        self._many = False  # whether buckets of large groups are kept here: the cells have them while groups are few
        self.cells: Cells | None = None  # those buckets

    @property
    def _active(self) -> bool:
        return self._wanted.way != "none" and bool(self._wanted.by)

    @property
    def _most(self) -> int:
        """Rows of a group that are kept: while groups are few, those that do better than the buckets in the cells."""
        if self._many:
            return MOST_KEPT
        return -1 if self._wanted.way == "order" else MOST_ALONE

    def grow(self, groups: int, cells: Cells) -> None:
        """Make room for so many groups, before ``cells`` do: where these will fold their buckets, those of large groups are copied."""
        added = groups - len(self._place)
        if not self._active or added <= 0:
            return
        self._rows_of = np.concatenate([self._rows_of, np.zeros(added, np.int64)])
        self._place = np.concatenate([self._place, np.full(added, -1)])
        if groups > MOST_GROUPS and not self._many:
            self._many = True
            self._make_room()
            self._copy(cells, self._place)
        if self._most < 0:
            self._settle()

    def see(self, part: int, batch: Batch, labels: Labels, hashes: npt.NDArray[np.int64] | None) -> None:
        """Keep the rows of a batch whose groups are small; ``hashes`` are those of their clusters."""
        if not self._active or labels is None:
            return
        self._last = max(self._last, batch.start + len(labels[0]) - 1)
        if self.cells is not None:
            self.cells.see(self._last)
        if self._place[labels[1][labels[1] >= 0]].min() >= 0:
            return
        groups = labels[1][labels[0]]
        small = self._place[groups] < 0
        if batch.weight is not None:
            small &= batch.weight.values != 0  # as if the row was not there
        chosen = np.flatnonzero(small)
        groups = groups[chosen]
        self._rows_of += np.bincount(groups, minlength=len(self._rows_of))
        columns = [batch.target, *batch.predictions, *([] if batch.weight is None else [batch.weight]), *batch.more]
        marks = None if hashes is None else hashes[chosen].astype(np.uint32)
        values = tuple(_values(column)[chosen] for column in columns)
        self._kept.append(_Stretch(part, batch.start, groups, chosen.astype(np.int32), marks, values))
        self._held += len(chosen)

    def others(self, labels: Labels) -> tuple[Labels, _Mask] | None:
        """Return which rows are of large groups, and where these are in ``cells``; None where they have no buckets here."""
        if self.cells is None or labels is None:
            return None
        places: Integers = np.where(labels[1] < 0, -1, self._place[labels[1]]).astype(np.int32)
        large = places[labels[0]] >= 0
        return ((labels[0], places), large) if large.any() else None

    def look(self) -> None:
        """Find the groups that have become large, once there are many more rows than after the last look."""
        if self._held > 2 * self._settled + _SOME:
            self._settle()

    def _settle(self) -> None:
        self._enlarge(np.flatnonzero((self._rows_of > self._most) & (self._place < 0)))
        self._kept = [rest for stretch in self._kept if len((rest := self._without_large(stretch)).groups)]
        self._held = self._settled = sum(len(stretch.groups) for stretch in self._kept)

    def _enlarge(self, groups: npt.NDArray[np.int64]) -> None:
        self._place[groups] = np.arange(self._large, self._large + len(groups))
        self._large += len(groups)
        self._make_room()

    def _make_room(self) -> None:
        if not self._many or not self._large:
            return
        self.cells = self.cells or Cells(self._wanted, fewest=True)
        self.cells.grow(self._large)
        self.cells.see(self._last)

    def _without_large(self, stretch: _Stretch) -> _Stretch:
        """Add the rows of a stretch that are of large groups to their buckets, and return the others."""
        places = self._place[stretch.groups]
        large = places >= 0
        if self.cells is not None and large.any():
            gone = stretch.of(large)
            target, predictions, weight, more = self._parts(gone.columns)
            buckets, codes = gone.buckets_in(self.cells.layout), places[large].astype(np.int32)
            to = self.cells.places_of(np.arange(self._large, dtype=np.int32))
            for model, prediction in zip(self.cells.models, predictions, strict=True):
                model.update(target, prediction, weight, codes, to, buckets, more)
        return stretch.of(~large) if large.any() else stretch

    def _parts(self, columns: tuple[Any, ...]) -> tuple[Any, tuple[Any, ...], Any, tuple[Any, ...]]:
        """Return target, predictions, weight and further columns."""
        models = len(self._wanted.predictions)
        weighted = self._wanted.weight is not None
        more = columns[1 + models + weighted :]
        return columns[0], columns[1 : 1 + models], columns[1 + models] if weighted else None, more

    def _copy(self, cells: Cells, places: npt.NDArray[np.int64]) -> None:
        """Copy the buckets of large groups from cells that have some of each group."""
        groups = len(cells.models[0]) // cells.layout.count
        if self.cells is not None and groups and places[:groups].max() >= 0:
            cells.copy_to(self.cells, places[:groups])

    def absorb(self, other: "Few", cells: Cells, groups: npt.NDArray[np.int64]) -> None:
        """Add what another thread kept, whose cells are ``cells`` and whose group i is group ``groups[i]`` here."""
        if not self._active:
            return
        self._last = max(self._last, other._last)
        np.add.at(self._rows_of, groups, other._rows_of)
        large = other._place >= 0
        new = np.unique(groups[large])
        self._enlarge(new[self._place[new] < 0])
        places = np.where(large, self._place[groups], -1)
        if other._many and other.cells is not None and self.cells is not None and other._large:
            to = np.empty(other._large, np.int64)
            to[other._place[large]] = places[large]
            self.cells.absorb(other.cells, to)
        elif not other._many:
            self._copy(cells, places)
        self._kept += [replace(stretch, groups=groups[stretch.groups].astype(np.int32)) for stretch in other._kept]

    def alone(self, index: dict[GroupKey, int], keys: tuple[GroupKey, ...]) -> tuple[Alone, ...]:
        """Return the rows of groups with few, in the order of ``keys``; ``index`` has the numbers of the groups.

        First those of which each row, or each cluster, is a bucket of its own.
        """
        self._settle()
        kept = [key for key in keys if self._place[index[key]] < 0] if self._active else []
        if not kept:
            return ()
        self._kept.sort(key=lambda each: (each.part, each.start))
        own = {key: self._wanted.way != "order" and self._rows_of[index[key]] <= MOST_ALONE for key in kept}
        found = [self._rows_in(tuple(key for key in kept if own[key] == each), index, each) for each in (True, False) if each in own.values()]
        self._kept = []
        return tuple(found)

    def _rows_in(self, keys: tuple[GroupKey, ...], index: dict[GroupKey, int], own: bool) -> Alone:
        """Return the rows of some groups, in their order."""
        ranks = np.full(len(index), -1)
        ranks[[index[key] for key in keys]] = np.arange(len(keys))
        of_rows = ranks[_joined([stretch.groups for stretch in self._kept], np.int32)]
        order = _sorted(of_rows)
        of_rows = of_rows[order]
        sizes = np.bincount(of_rows, minlength=len(keys))
        ends, count = np.cumsum(sizes), 0
        if own and self._wanted.way == "rows":
            bucket = (np.arange(len(order)) - np.repeat(ends - sizes, sizes)).astype(np.uint16)
        elif own:
            bucket = _ranks(of_rows, _joined([stretch.hashes for stretch in self._kept], np.uint32)[order])
        else:
            layout = layout_of(self._wanted.way, self._last, 1, fewest=True)
            count = layout.count
            bucket = _joined([stretch.buckets_in(layout) for stretch in self._kept], np.uint16)[order]
        width = 1 + len(self._wanted.predictions) + (self._wanted.weight is not None) + len(self._wanted.plan.columns)
        columns = tuple(_joined([stretch.columns[at] for stretch in self._kept], np.float64)[order] for at in range(width))
        return Alone(keys, ends, *self._parts(columns), self._wanted.plan, bucket, self._wanted.way, count)

    def large(self, index: dict[GroupKey, int]) -> Buckets | None:
        """Return the buckets of large groups, after ``alone``; None where the cells have them."""
        if self.cells is None or not self._large:
            return None
        names = {self._place[at]: key for key, at in index.items()}
        return self.cells.buckets(tuple(names[place] for place in range(self._large)))


def _values(column: Column) -> npt.NDArray[Any]:
    return column.values if column.valid is None else np.where(column.valid, column.values, np.nan)


def _joined(stretches: list[Any], kind: Any) -> npt.NDArray[Any]:
    return np.concatenate(stretches) if stretches else np.zeros(0, kind)


def _sorted(ranks: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the order of the rows by rank, less those of a negative rank; 16 bits at a time, for of these numpy sorts by counting."""
    order = np.flatnonzero(ranks >= 0)
    for shift in (0, 16):
        if len(order) and int(ranks.max()) >> shift:
            order = order[np.argsort((ranks[order] >> shift).astype(np.uint16), kind="stable")]
    return order


def _ranks(groups: npt.NDArray[np.int64], hashes: npt.NDArray[np.uint32]) -> RowBuckets:
    """Return for each row which cluster of its group it is of, counted in the order of their hashes."""
    order = np.lexsort((hashes, groups))
    groups, hashes = groups[order], hashes[order]
    first = np.append(True, groups[1:] != groups[:-1])[: len(order)]
    fresh = first | np.append(True, hashes[1:] != hashes[:-1])[: len(order)]
    numbers = np.cumsum(fresh)
    ranks = np.empty(len(order), np.uint16)
    ranks[order] = numbers - np.maximum.accumulate(np.where(first, numbers, 0))
    return ranks
