"""Cells: the states of every bucket of every group, one set for each model."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from squarely import _core
from squarely.evaluate.layout import NO_BUCKETS, Layout, RowBuckets, layout_of
from squarely.sources import Wanted
from squarely.state import Alone, Buckets, Plan
from squarely.state.table import GroupKey

__all__ = ["Cells", "Integers", "Labels"]

Integers = npt.NDArray[np.int32]
Labels = tuple[Integers, Integers] | None  # the label of each row, the group of each label


class Cells:
    """States by model; the one of bucket b of group g is at ``g * layout.count + b``. Without intervals each group has one bucket.

    Where groups are too many to have several buckets each, ``apart`` has those of all groups together.
    """

    def __init__(self, wanted: Wanted, fewest: bool = False) -> None:
        self.layout, self.size = NO_BUCKETS, 0
        self._wanted, self._fewest = wanted, fewest
        self.models = self._new_models(self.layout)
        self.last = 0
        self.apart: Cells | None = None

    def grow(self, groups: int) -> None:
        """Make room for so many groups."""
        self.size = groups
        self._settle()

    def see(self, last: int) -> None:
        """Make room for rows up to an ordinal."""
        self.last = max(self.last, last)
        self._settle()

    def _settle(self) -> None:
        """Change to the layout that fits: buckets that fall together are added."""
        layout = layout_of(self._wanted.way, self.last, self.size, self._fewest)
        if layout.count == 1 and self._wanted.way != "none":
            self._put_apart()
        if layout != self.layout:
            models = self._new_models(layout)
            groups = len(self.models[0]) // self.layout.count
            places = self._places_in(layout, np.arange(groups))
            for model, before in zip(models, self.models, strict=True):
                model.grow(groups * layout.count)
                model.absorb(before, places, take=True)
            self.layout, self.models = layout, models
        for model in self.models:
            model.grow(self.size * layout.count)

    def _new_models(self, layout: Layout) -> list[_core.Groups]:
        together = 1 if self._wanted.bucket_sizes else layout.count  # buckets that count the sizes of their errors as one
        return [_core.Groups(self._wanted.plan.core, together) for _ in self._wanted.predictions]

    def _put_apart(self) -> None:
        """Keep buckets of all groups together from now on; those that groups had are the first in them."""
        first = self.apart is None
        apart = self.apart = self.apart or Cells(self._wanted, fewest=True)
        apart.grow(1)
        apart.see(self.last)
        if first and self.layout.count > 1:
            apart.absorb(self, np.zeros(len(self.models[0]) // self.layout.count, np.int64), take=False)

    def _places_in(self, layout: Layout, groups: npt.NDArray[np.int64]) -> Integers:
        """Return where each cell goes in another layout, where its group is one of others."""
        folded = self.layout.folded(layout)
        return np.asarray(groups[:, None] * layout.count + folded, np.int32).ravel()

    def buckets_of(self, start: int, rows: int, hashes: npt.NDArray[np.int64] | None) -> RowBuckets | None:
        """Return the bucket of each row, from its ordinal or from the hash of its cluster; None where groups have one."""
        if self.layout.count == 1:
            return None
        return self.layout.of_rows(start, start + rows) if hashes is None else self.layout.of_hashes(hashes)

    def places_of(self, groups: Integers) -> Integers:
        """Return where the first bucket of each group is; negative for groups that are."""
        return np.asarray(groups * np.int32(self.layout.count), np.int32)

    def refused(self, model: int) -> tuple[int, int, int, int]:
        """Return how many rows of a model were refused, by reason."""
        return self.models[model].refused()

    def add_refused(self, model: int, group: int, reason: int, count: int) -> None:
        """Count rows of a group that were refused."""
        self.models[model].add_refused(group * self.layout.count, reason, count)

    def absorb(self, other: "Cells", groups: npt.NDArray[np.int64], take: bool = True) -> None:
        """Add the cells of another thread, whose group i is group ``groups[i]`` here; the layout must be that of both together.

        With ``take`` the others are no good afterwards.
        """
        if self.apart is not None:
            whole = other.apart or other
            self.apart.absorb(whole, np.zeros(len(whole.models[0]) // whole.layout.count, np.int64), take=whole is not other)
        places = other._places_in(self.layout, groups)
        for mine, theirs in zip(self.models, other.models, strict=True):
            mine.absorb(theirs, places, take)

    def copy_to(self, other: "Cells", groups: npt.NDArray[np.int64]) -> None:
        """Add the cells of group i to those of group ``groups[i]`` of others, whose plan is without sizes unless each bucket counts them.

        Negative: the group is left out.
        """
        places = self._places_in(other.layout, groups)
        for mine, theirs in zip(self.models, other.models, strict=True):
            copy = _core.Groups(self._wanted.plan.core)
            copy.grow(len(theirs))
            copy.absorb(mine, places, take=False)
            if not self._wanted.bucket_sizes:
                copy.forget_sizes()
            theirs.absorb(copy, np.arange(len(theirs), dtype=np.int32), take=True)

    def buckets(self, keys: tuple[GroupKey, ...], alone: tuple[Alone, ...] = (), large: Buckets | None = None) -> Buckets:
        """Return the cells as they are asked for intervals, after ``totals``; ``keys`` are those of the groups.

        ``alone`` and ``large`` are what is known of groups with few rows and with many beside the cells.
        """
        apart, plan = None if self.apart is None else self.apart.buckets(((),)), self._wanted.plan
        if not self._wanted.bucket_sizes:
            plan = Plan(plan.terms)
            for model in self.models:
                model.forget_sizes()
        places = {key: at for at, key in enumerate(keys)}
        return Buckets(self._wanted.way, self.layout.count, places, self.models, plan, self._wanted.binomial, apart, alone, large)

    def totals(self) -> Iterator[list[_core.PairSums]]:
        """Yield the states of each group, all its buckets together."""
        models = self.models
        if self.layout.count > 1:
            models = [_core.Groups(self._wanted.plan.core) for _ in self.models]
            places = np.repeat(np.arange(self.size, dtype=np.int32), self.layout.count)
            for total, cells in zip(models, self.models, strict=True):
                total.grow(self.size)
                total.absorb(cells, places, take=False)
        for group in range(self.size):
            yield [model.state(group) for model in models]
