"""Buckets: the exact sums of every bucket of rows, by group and model, from which intervals are made."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from squarely import _core
from squarely.state.pairs import PairState
from squarely.state.ratio import Ratio
from squarely.state.sums import Sums
from squarely.state.terms import Plan

if TYPE_CHECKING:
    from squarely.state.alone import Alone
    from squarely.state.table import GroupKey

__all__ = ["Buckets", "Moments"]

Floats = npt.NDArray[np.float64]
_MOMENTS = 8  # before those of the terms, as in cpp/moments.hpp


@dataclass(frozen=True, eq=False)
class Moments:
    """Sums of buckets as doubles, in units of 2^unit, about a centre: group by row, bucket by column, sum by layer.

    The sums are those of cpp/moments.hpp. Only groups that were asked for are there.
    """

    values: Floats  # (groups, buckets, sums)
    center: Floats  # (groups, 1), in units of 2^unit
    unit: npt.NDArray[np.int32]  # (groups, 1)
    plan: Plan


class Buckets:
    """States of buckets; the state of bucket b of the group numbered g is the one at ``g * count + b``.

    Parameters
    ----------
    way : "rows", "cluster" or "order"
        What the rows of a bucket have in common.
    count : int
        Buckets of each group; 1 where groups are many, and have theirs in ``alone`` or ``large``.
    groups : mapping from group to its number
    models : list of Groups, one for each model
    plan : Plan
        What the states keep; it is without the sizes of errors where only groups count them.
    binomial : bool
        Whether rows are independent and count alike.
    apart : Buckets, optional
        Those of all groups together, where no group has several.
    alone : tuple of Alone
        The rows of groups that have few.
    large : Buckets, optional
        Those of the other groups, where no group has several here.
    own : bool
        Whether no two clusters share a bucket, for sure.
    """

    def __init__(
        self,
        way: str,
        count: int,
        groups: "dict[GroupKey, int]",
        models: list[_core.Groups],
        plan: Plan,
        binomial: bool,
        apart: "Buckets | None" = None,
        alone: "tuple[Alone, ...]" = (),
        large: "Buckets | None" = None,
        own: bool = False,
    ) -> None:
        self.way, self.count, self.groups, self.models, self.plan, self.binomial = way, count, groups, models, plan, binomial
        self.apart, self.alone, self.large, self.own = apart, alone, large, own

    def units(self, filled: int) -> str:
        """Return what so many buckets that hold rows are, in words."""
        if self.way == "cluster" and not self.own and self.count < 16 * filled:
            return "buckets of clusters"  # so many that some share one
        return {"rows": "buckets of rows", "cluster": "clusters", "order": "blocks of time"}[self.way]

    def __reduce__(self) -> tuple[Any, ...]:
        bodies = [
            [state.to_bytes() if state.n else b"" for group in range(len(self.groups)) for state in self.states(model, group)]
            for model in range(len(self.models))
        ]
        return Buckets._again, (self.way, self.count, self.groups, self.plan, self.binomial, bodies, (self.apart, self.alone, self.large))

    @classmethod
    def _again(
        cls,
        way: str,
        count: int,
        groups: "dict[GroupKey, int]",
        plan: Plan,
        binomial: bool,
        bodies: list[list[bytes]],
        beside: "tuple[Buckets | None, tuple[Alone, ...], Buckets | None]",
    ) -> "Buckets":
        models = [_core.Groups(plan.core) for _ in bodies]
        for model, cells in zip(models, bodies, strict=True):
            model.grow(len(cells))
            for cell, body in enumerate(cells):
                if body:
                    model.merge(cell, PairState.from_bytes(body)._core)
        return cls(way, count, groups, models, plan, binomial, *beside)

    def whole(self) -> "Buckets":
        """Return the same buckets with all groups as one."""
        if self.apart is not None:
            return self.apart
        if len(self.groups) == 1:
            return Buckets(self.way, self.count, {(): 0}, self.models, self.plan, self.binomial)
        models = [_core.Groups(self.plan.core) for _ in self.models]
        places = np.arange(len(self.models[0]), dtype=np.int32) % np.int32(self.count)
        for whole, model in zip(models, self.models, strict=True):
            whole.grow(self.count)
            whole.absorb(model, places, take=False)
        return Buckets(self.way, self.count, {(): 0}, models, self.plan, self.binomial)

    def states(self, model: int, group: int) -> Iterator[PairState]:
        """Yield the state of each bucket of a group."""
        for bucket in range(self.count):
            yield PairState._wrap(self.models[model].state(group * self.count + bucket), self.plan)

    def reached(self, model: int, sizes: Sequence[int]) -> Floats:
        """Return the weight of errors up to a size, one for each group, and the weight of all: (groups, buckets, 2).

        Sizes are buckets of a histogram; of the errors in it one half counts.
        """
        out = np.empty(2 * len(self.models[model]))
        self.models[model].reached(np.repeat(np.array(sizes, np.int32), self.count), out)
        return out.reshape(len(self.groups), self.count, 2)

    def moments(self, model: int, totals: Iterable[Sums]) -> Moments:
        """Return the sums of all buckets of a model as doubles; ``totals`` are those of the groups, in the order of their numbers."""
        center, unit = (np.array(each) for each in zip(*map(_frame, totals), strict=True))
        unit = unit.astype(np.int32)
        out = np.empty(len(self.models[model]) * (_MOMENTS + len(self.plan.terms)))
        self.models[model].moments(np.repeat(center, self.count), np.repeat(unit, self.count), out)
        return Moments(out.reshape(len(self.groups), self.count, -1), np.ldexp(center, -unit)[:, None], unit[:, None], self.plan)


def _frame(total: Sums) -> tuple[float, int]:
    """Return the mean of y as a double, and the exponent of the root mean square of y and p."""
    center = total.absolute(Ratio(total.y, total.w), 1).rounded()
    size = total.absolute(Ratio(total.yy + total.pp, total.w), 2)
    bits = size.numerator.bit_length() - size.denominator.bit_length() if size.numerator else 0
    return (center if np.isfinite(center) else 0.0), max(-1070, min(1020, bits // 2))
