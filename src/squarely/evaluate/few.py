"""Groups with few rows keep them, for intervals; where groups are many, those with more have buckets of their own, up to a number.

Whether a group has more is known at the end, so its rows are kept until there are more. What is kept at last depends on the data alone:
which thread met which rows leaves no trace.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from squarely.evaluate.cells import Cells, Integers, Labels
from squarely.evaluate.layout import MOST_GROUPS
from squarely.sources import Batch, Column, Wanted
from squarely.state import Alone, Buckets, Plan
from squarely.state.alone import MOST_ALONE, MOST_LARGE
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
    columns: tuple[npt.NDArray[Any], ...]  # target, predictions, weight where there is one, those of the plan

    def of(self, chosen: _Mask) -> "_Stretch":
        columns = tuple(column[chosen] for column in self.columns)
        return replace(self, groups=self.groups[chosen], offsets=self.offsets[chosen], columns=columns)


class Few:
    """The rows of groups with few, and the buckets of large groups where the cells have none of each group.

    Parameters
    ----------
    wanted : Wanted
    """

    def __init__(self, wanted: Wanted) -> None:
        plan = wanted.plan if wanted.bucket_sizes else Plan(wanted.plan.terms)
        self._wanted = replace(wanted, plan=plan, bucket_sizes=True)
        self._most = MOST_ALONE if wanted.way == "rows" else -1  # rows of a small group: else all groups are large
        self._rows_of = np.zeros(0, np.int64)
        self._place = np.zeros(0, np.int64)  # of a group among the large ones; -1 where its rows are kept
        self._large, self._last = 0, 0
        self._kept: list[_Stretch] = []
        self._held, self._settled = 0, 0  # rows, now and after the last look
        self._many = False  # whether buckets of large groups are kept here: the cells have them while groups are few
        self.cells: Cells | None = None  # those buckets; None too where large groups are too many

    @property
    def _active(self) -> bool:
        return self._wanted.way != "none" and bool(self._wanted.by)

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

    def see(self, part: int, batch: Batch, labels: Labels) -> None:
        """Keep the rows of a batch whose groups are small."""
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
        self._kept.append(_Stretch(part, batch.start, groups, chosen.astype(np.int32), tuple(_values(column)[chosen] for column in columns)))
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
        grown = np.flatnonzero((self._rows_of > self._most) & (self._place < 0))
        if len(grown):
            self._enlarge(grown)
            self._kept = [self._without_large(stretch) for stretch in self._kept]
        self._held = self._settled = sum(len(stretch.groups) for stretch in self._kept)

    def _enlarge(self, groups: npt.NDArray[np.int64]) -> None:
        self._place[groups] = np.arange(self._large, self._large + len(groups))
        self._large += len(groups)
        self._make_room()

    def _make_room(self) -> None:
        if not self._many:
            return
        if self._large > MOST_LARGE:
            self.cells = None
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
            ordinals = self.cells.buckets_of(stretch.start, int(stretch.offsets[-1]) + 1, None)
            assert ordinals is not None, "large groups have buckets"
            buckets, codes = ordinals[gone.offsets], places[large].astype(np.int32)
            to = self.cells.places_of(np.arange(self._large, dtype=np.int32))
            for model, prediction in zip(self.cells.models, predictions, strict=True):
                model.update(target, prediction, weight, codes, to, buckets, more)
        return stretch.of(~large)

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

    def alone(self, index: dict[GroupKey, int], keys: tuple[GroupKey, ...]) -> Alone | None:
        """Return the rows of small groups, in the order of ``keys``; ``index`` has the numbers of the groups."""
        self._settle()
        small = tuple(key for key in keys if self._place[index[key]] < 0) if self._active else ()
        if not small or not self._kept:
            return None
        ranks = np.full(len(index), -1)
        ranks[[index[key] for key in small]] = np.arange(len(small))
        self._kept.sort(key=lambda each: (each.part, each.start))
        of_rows = ranks[np.concatenate([stretch.groups for stretch in self._kept])]
        order = np.argsort(of_rows, kind="stable")[np.count_nonzero(of_rows < 0) :]
        ends = np.cumsum(np.bincount(of_rows[order], minlength=len(small)))
        columns = tuple(np.concatenate(each)[order] for each in zip(*(stretch.columns for stretch in self._kept), strict=True))
        self._kept = []
        return Alone(small, ends, *self._parts(columns), self._wanted.plan)

    def large(self, index: dict[GroupKey, int]) -> Buckets | None:
        """Return the buckets of large groups, after ``alone``; None where the cells have them, or where they are too many."""
        if self.cells is None or not self._large:
            return None
        names = {self._place[at]: key for key, at in index.items()}
        return self.cells.buckets(tuple(names[place] for place in range(self._large)))


def _values(column: Column) -> npt.NDArray[Any]:
    return column.values if column.valid is None else np.where(column.valid, column.values, np.nan)
