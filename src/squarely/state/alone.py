"""Rows of groups, kept as they came with the number of their bucket: where a group has few, they take less memory than the states of buckets."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from squarely import _core
from squarely.state.buckets import Buckets
from squarely.state.terms import Plan

if TYPE_CHECKING:
    from squarely.state.table import GroupKey

__all__ = ["MOST_ALONE", "MOST_KEPT", "Alone"]

MOST_ALONE = 128  # rows of a group of which each is a bucket of its own
MOST_KEPT = 512  # rows of a group that are kept where groups are many: more of them take as much memory as the states of 16 buckets
_BLOCK = 64  # groups whose states are made at a time


@dataclass(frozen=True)
class Alone:
    """Rows by group, in the order of the groups and within one in that of the data.

    Parameters
    ----------
    groups : tuple of group
    ends : array of shape (groups,)
        Where the rows of each group end.
    target : array of shape (rows,)
    predictions : tuple of arrays of shape (rows,), one for each model
    weight : array of shape (rows,), optional
    more : tuple of arrays of shape (rows,)
        The columns of the plan.
    plan : Plan
        What the states of buckets keep.
    bucket : array of shape (rows,)
        The bucket of each row, from 0 in every group.
    way : "rows", "cluster" or "order"
        What the rows of a bucket have in common.
    count : int
        Buckets of each group; 0 where each row, or each cluster, has its own.
    """

    groups: tuple["GroupKey", ...]
    ends: npt.NDArray[np.int64]
    target: npt.NDArray[Any]
    predictions: tuple[npt.NDArray[Any], ...]
    weight: npt.NDArray[Any] | None
    more: tuple[npt.NDArray[Any], ...]
    plan: Plan
    bucket: npt.NDArray[np.uint16]
    way: str
    count: int

    @cached_property
    def _places(self) -> dict["GroupKey", int]:
        return {key: at for at, key in enumerate(self.groups)}

    def block_of(self, group: "GroupKey") -> int | None:
        """Return which block of neighbouring groups has the rows of a group; None where they are not kept."""
        at = self._places.get(group)
        return None if at is None else at // _BLOCK

    def buckets(self, block: int) -> Buckets:
        """Return the states of the buckets of a block of groups."""
        ends = self.ends[block * _BLOCK : (block + 1) * _BLOCK]
        first = int(self.ends[block * _BLOCK - 1]) if block else 0
        sizes = np.diff(ends, prepend=first)
        rows = slice(first, int(ends[-1]))
        codes, buckets = np.repeat(np.arange(len(sizes), dtype=np.int32), sizes), self.bucket[rows]
        count = self.count or int(buckets.max(initial=0)) + 1
        places = np.arange(len(sizes), dtype=np.int32) * np.int32(count)
        weight, more = None if self.weight is None else self.weight[rows], tuple(column[rows] for column in self.more)
        models = [_core.Groups(self.plan.core) for _ in self.predictions]
        for model, prediction in zip(models, self.predictions, strict=True):
            model.grow(len(sizes) * count)
            model.update(self.target[rows], prediction[rows], weight, codes, places, buckets, more)
        keys = self.groups[block * _BLOCK : (block + 1) * _BLOCK]
        binomial = self.way == "rows" and self.weight is None
        return Buckets(self.way, count, {key: at for at, key in enumerate(keys)}, models, self.plan, binomial, own=not self.count)
