"""Rows and those before them: pairs of neighbours of one group, the same in any partition."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from squarely.state import PairState

__all__ = ["LAGS", "Neighbours"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
LAGS = 10


@dataclass
class Neighbours:
    """States of pairs of a row and one before it, of the same group.

    Parameters
    ----------
    lags : list of PairState of (e_t, e_(t-k)), k from 1
    last : PairState of (y_t, y_(t-1))
        The error of the last value.
    """

    lags: list[PairState] = field(default_factory=lambda: [PairState() for _ in range(LAGS)])
    last: PairState = field(default_factory=PairState)
    head: Floats = field(default_factory=lambda: np.empty((0, 3)))  # e, y and number of the group of its first rows, group by group
    tail: Floats = field(default_factory=lambda: np.empty((0, 3)))

    def see(self, values: Floats) -> None:
        """Add the pairs of neighbours in rows (e, y, number of the group) that follow those of before."""
        whole, new = _by_group(self.tail, values)
        self._pair(whole, new, np.ones_like(new))
        self.head = _first(_by_group(self.head, _first(whole[new]))[0])
        self.tail = _last(whole)

    def _pair(self, whole: Floats, later: Bools, earlier: Bools) -> None:
        """Add the pairs of rows of one group, a later one and an earlier one."""
        begin = int(np.argmax(later))
        for lag, state in enumerate(self.lags, 1):
            first = max(begin, lag)
            after, before = whole[first:], whole[first - lag : max(0, len(whole) - lag)]
            pairs = later[first:] & earlier[first - lag : max(0, len(whole) - lag)] & (after[:, 2] == before[:, 2])
            rows = slice(None) if pairs.all() else pairs
            state.update(after[rows, 0], before[rows, 0])
            if lag == 1:
                self.last.update(after[rows, 1], before[rows, 1])

    def follow(self, other: "Neighbours", places: npt.NDArray[np.int32] | None) -> None:
        """Add what comes after; ``places`` are the numbers here of its groups."""
        self.last = self.last + other.last
        self.lags = [mine + theirs for mine, theirs in zip(self.lags, other.lags, strict=True)]
        if len(other.head):
            self._join(*(ends if places is None else _renumbered(ends, places) for ends in (other.head, other.tail)))

    def _join(self, head: Floats, tail: Floats) -> None:
        """Add the pairs that lie on both sides of the seam to rows with these ends."""
        whole, new = _by_group(self.tail, head)
        self._pair(whole, new, ~new)
        self.head = _first(_by_group(self.head, head)[0])
        self.tail = _last(_by_group(self.tail, tail)[0])


def _by_group(before: Floats, after: Floats) -> tuple[Floats, Bools]:
    """Return rows with those that follow, each group in its order, and which are those that follow."""
    whole = np.concatenate([before, after])
    if (whole[1:, 2] >= whole[:-1, 2]).all():  # as where there are no groups
        return whole, np.arange(len(whole)) >= len(before)
    order = np.argsort(whole[:, 2], kind="stable")
    return whole[order], order >= len(before)


def _first(rows: Floats) -> Floats:
    """Return the first rows of each group."""
    found: Floats = rows[np.concatenate([np.ones(min(LAGS, len(rows)), np.bool_), rows[LAGS:, 2] != rows[:-LAGS, 2]])]
    return found


def _last(rows: Floats) -> Floats:
    """Return the last rows of each group."""
    found: Floats = rows[np.concatenate([rows[LAGS:, 2] != rows[:-LAGS, 2], np.ones(min(LAGS, len(rows)), np.bool_)])]
    return found


def _renumbered(rows: Floats, places: npt.NDArray[np.int32]) -> Floats:
    """Return rows with the numbers that groups have elsewhere."""
    return np.column_stack([rows[:, :2], places[rows[:, 2].astype(np.intp)]])
