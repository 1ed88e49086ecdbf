"""PlaceSums: sums of digits, each at its place, that go over to integers of any length before they could overflow."""

from collections.abc import Callable

import numpy as np

from squarely.state.digits import WIDTH
from squarely.state.dyadic import Dyadic, Integers

__all__ = ["PlaceSums"]

_MOST_ADDED = 1 << 9  # sums of a block are at most 2^53, so as many of them fit into 64 bits with one to spare


class PlaceSums:
    """Cells of any shape; ``sums`` has one axis more, for the places from ``lowest``, in units of ``2^(WIDTH * place + offset)``."""

    def __init__(self, *shape: int) -> None:
        self.sums = np.zeros((*shape, 0), np.int64)
        self.lowest = 0
        self._added = 0  # the most sums of blocks that one of them may hold
        self._total = Dyadic.zeros(*shape)

    def make_room(self, lowest: int, highest: int, more: int, offsets: Callable[[], Integers]) -> None:
        """See to it that sums of these places can take more deposits; ``offsets`` are those of what was deposited."""
        there = self.sums.shape[-1]
        inside = self.lowest <= lowest and highest < self.lowest + there
        if not inside or self._added + more > _MOST_ADDED:
            self.total(offsets)
            if not inside:
                first, last = (min(lowest, self.lowest), max(highest, self.lowest + there - 1)) if there else (lowest, highest)
                self.sums, self.lowest = np.zeros((*self.sums.shape[:-1], last - first + 1), np.int64), first
        self._added += more

    def total(self, offsets: Callable[[], Integers]) -> Dyadic:
        """Return the sums so far."""
        if self._added:
            shift = offsets()
            for at in range(self.sums.shape[-1]):
                self._total += Dyadic(self.sums[..., at].astype(object) << shift, WIDTH * (self.lowest + at))
            self.sums[:] = 0
            self._added = 0
        return self._total

    def grow(self, *shape: int) -> None:
        """Take more cells, behind those there are on each axis."""
        if shape == self.sums.shape[:-1]:
            return
        old = tuple(map(slice, self.sums.shape[:-1]))
        sums, total = np.zeros((*shape, self.sums.shape[-1]), np.int64), np.zeros(shape, object)
        sums[old], total[old] = self.sums, self._total.numerators
        self.sums, self._total = sums, Dyadic(total, self._total.exponent)
