"""Rows of small groups, of which each is a bucket of its own: they are kept as they came, for a row takes less memory than a state."""

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

__all__ = ["MOST_ALONE", "MOST_LARGE", "Alone"]

MOST_ALONE = 128  # rows of a group of which each is a bucket of its own
MOST_LARGE = 8192  # groups of more rows, where not each group has buckets: those of a group take as much memory as 16 groups
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
        What the states of rows keep.
    """

    groups: tuple["GroupKey", ...]
    ends: npt.NDArray[np.int64]
    target: npt.NDArray[Any]
    predictions: tuple[npt.NDArray[Any], ...]
    weight: npt.NDArray[Any] | None
    more: tuple[npt.NDArray[Any], ...]
    plan: Plan

    @cached_property
    def _places(self) -> dict["GroupKey", int]:
        return {key: at for at, key in enumerate(self.groups)}

    def block_of(self, group: "GroupKey") -> int | None:
        """Return which block of neighbouring groups has the rows of a group; None where they are not kept."""
        at = self._places.get(group)
        return None if at is None else at // _BLOCK

    def buckets(self, block: int) -> Buckets:
        """Return the states of the single rows of a block of groups."""
        ends = self.ends[block * _BLOCK : (block + 1) * _BLOCK]
        first = int(self.ends[block * _BLOCK - 1]) if block else 0
        sizes = np.diff(ends, prepend=first)
        rows, count = slice(first, int(ends[-1])), max(1, int(sizes.max()))
        codes = np.repeat(np.arange(len(sizes), dtype=np.int32), sizes)
        buckets = (np.arange(rows.start, rows.stop) - np.repeat(ends - sizes, sizes)).astype(np.uint16)
        places = np.arange(len(sizes), dtype=np.int32) * np.int32(count)
        weight, more = None if self.weight is None else self.weight[rows], tuple(column[rows] for column in self.more)
        models = [_core.Groups(self.plan.core) for _ in self.predictions]
        for model, prediction in zip(models, self.predictions, strict=True):
            model.grow(len(sizes) * count)
            model.update(self.target[rows], prediction[rows], weight, codes, places, buckets, more)
        keys = self.groups[block * _BLOCK : (block + 1) * _BLOCK]
        return Buckets("rows", count, {key: at for at, key in enumerate(keys)}, models, self.plan, self.weight is None)
