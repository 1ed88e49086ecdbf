"""Uncertainty: the intervals of an evaluation, over all rows and in every group, made when they are looked at."""

from functools import cached_property

import numpy as np
import numpy.typing as npt

from squarely.intervals import Interval, Intervals, Link
from squarely.intervals.contrast import Contrast, contrasts
from squarely.intervals.left import Left
from squarely.metric import Question
from squarely.state import Buckets, PairState, StateTable, Sums
from squarely.state.table import GroupKey

__all__ = ["Uncertainty"]

_BLOCKS = 4  # of groups with kept rows, whose intervals are held


class Uncertainty:
    """Intervals at one level of confidence.

    Parameters
    ----------
    buckets : Buckets
    table : StateTable
        The states of the same rows.
    confidence : float
    along : str, optional
        The column of the clusters or of the order.
    """

    def __init__(self, buckets: Buckets, table: StateTable, confidence: float, along: str | None = None) -> None:
        self.confidence, self.way, self.along = confidence, buckets.way, along
        self._buckets, self._table = buckets, table
        self._blocks: dict[tuple[int, int], Intervals] = {}

    def __reduce__(self) -> tuple[type["Uncertainty"], tuple[Buckets, StateTable, float, str | None]]:
        return Uncertainty, (self._buckets, self._table, self.confidence, self.along)  # what was made of them is made again

    @cached_property
    def _whole(self) -> Intervals:
        totals = [[self._table.total(at)] for at in range(len(self._table.models))]
        return Intervals(self._buckets.whole(), totals, self._table.models, self.confidence)

    @cached_property
    def _by_group(self) -> Intervals:
        return self._of(self._buckets)

    @cached_property
    def _of_large(self) -> Intervals | None:
        return None if self._buckets.large is None else self._of(self._buckets.large)

    def _of_kept(self, group: GroupKey) -> Intervals | None:
        """Return the intervals of a block of groups whose rows are kept; those of few blocks are held, for groups are told in their order."""
        for which, alone in enumerate(self._buckets.alone):
            if (block := alone.block_of(group)) is None:
                continue
            if (which, block) not in self._blocks:
                if len(self._blocks) == _BLOCKS:
                    del self._blocks[next(iter(self._blocks))]
                self._blocks[which, block] = self._of(alone.buckets(block))
            return self._blocks[which, block]
        return None

    def _of(self, buckets: Buckets) -> Intervals:
        return Intervals(buckets, self._totals_of(buckets), self._table.models, self.confidence)

    def _totals_of(self, buckets: Buckets) -> list[tuple[PairState, ...]]:
        nothing = [PairState.planned(buckets.plan) for _ in self._table.models]  # of a group that left no trace
        return list(zip(*(self._table.groups.get(key, nothing) for key in buckets.groups), strict=True))

    def of(self, question: Question, model: int, group: GroupKey | None, value: float) -> Interval:
        """Return the interval of an answer in a group, or over all rows."""
        intervals, at = self._place(group)
        return intervals.of(question, model, at, value)

    def sums(self, model: int, group: GroupKey | None) -> Sums:
        """Return the sums of a group, or of all rows; what they were asked once they know."""
        intervals, at = self._place(group)
        return intervals.sums[model][at]

    def _place(self, group: GroupKey | None) -> tuple[Intervals, int]:
        if group is None:
            return self._whole, 0
        found = self._of_kept(group) or self._of_large or self._by_group
        return found, found.place_of(group)

    def at(self, confidence: float) -> "Uncertainty":
        """Return the same at another level of confidence."""
        return Uncertainty(self._buckets, self._table, confidence)

    def left(self, model: int) -> Left:
        """Return what is left of the sums of all rows without each bucket."""
        return self._whole.left(self._table.models[model])

    def contrasts(self, question: Question, model: int) -> dict[GroupKey, Contrast]:
        """Return how each group differs from the rows of all others."""
        return dict(zip(self._buckets.groups, contrasts(self._buckets, self._totals_of(self._buckets)[model], model, question), strict=True))

    def units(self, filled: int) -> str:
        """Return what so many buckets that hold rows are, in words."""
        return self._buckets.units(filled)

    def pseudo_values(self, question: Question, model: int, link: Link = Link.PLAIN) -> npt.NDArray[np.float64]:
        """Return the pseudo-values of an answer over all rows, on the scale of a link, one for each bucket: those of two models are pairs."""
        return self._whole.pseudo_values(question, model, 0, link)
