"""Rows in bins of a number whose range is not known before: the bins widen as it grows, and are the same in any order and partition."""

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from squarely import _core
from squarely.state import NOTHING, PairState, Ratio

__all__ = ["MOST_BINS", "Bins", "Cells", "Grid"]

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]
MOST_BINS = 1024  # a power of two; with more, rows of a bin are few in a batch, and cost twice as much
_MASK = MOST_BINS - 1
_FINEST = -1000  # as a power of two: of narrower bins the inverse width is hardly a double
_PLACES = 62  # bits of the number of a bin
_NARROW = 1 << 31


class Bins(NamedTuple):
    """Pairs by bin, from the lowest: weight, means, and sums of squares and products about the means of each bin."""

    weight: Floats
    first: Floats
    second: Floats
    first_squares: Floats
    products: Floats
    second_squares: Floats


class Cells:
    """States of pairs by the number of a cell; only cells that hold rows have a state."""

    def __init__(self, count: int) -> None:
        self._groups, self._table = _core.Groups(), np.full(count, -1, np.int32)  # from the cell to its state

    @property
    def used(self) -> Places:
        """The cells that hold rows."""
        return np.flatnonzero(self._table >= 0)

    def see(self, cells: npt.NDArray[np.int32], first: Floats, second: Floats, weight: Floats | None) -> None:
        """Add rows, each to its cell."""
        if not len(cells):
            return
        self._open(np.flatnonzero(np.bincount(cells, minlength=len(self._table))))
        bad = self._groups.update(first, second, weight, cells, self._table)
        assert bad == -1, "weights were judged before"

    def take(self, other: "Cells", cells: Places) -> None:
        """Add the states of others, which are used up: those of its cells in use go to these."""
        self._open(np.unique(cells))
        to = np.empty(len(other._groups), np.int32)
        to[other._table[other.used]] = self._table[cells]
        self._groups.absorb(other._groups, to, take=True)

    def _open(self, cells: Places) -> None:
        new = cells[self._table[cells] < 0]
        if len(new):
            self._table[new] = np.arange(len(self._groups), len(self._groups) + len(new))
            self._groups.grow(len(self._groups) + len(new))

    def states(self, cells: Places) -> list[PairState]:
        """Return the states of cells in use."""
        return [PairState._wrap(self._groups.state(int(at)), NOTHING) for at in self._table[cells]]


class Grid:
    """States of pairs by bin of a number x: bin i holds what lies from i to i + 1 times 2^k, rounded towards 0.

    The exponent k is the smallest with which at most so many bins lie between the smallest and the largest x: a function of these alone.
    Bins of a smaller exponent lie whole in those of a larger one, so states merge as the range grows, and no sum is changed by when.
    """

    def __init__(self) -> None:
        self._low, self._high, self.exponent = math.inf, -math.inf, _FINEST
        self._cells = Cells(MOST_BINS)  # by the low bits of the number of a bin, which tell those apart that there are at a time

    @property
    def width(self) -> float:
        """The width of a bin."""
        return math.ldexp(1.0, self.exponent)

    def __len__(self) -> int:
        return len(self._cells.used)

    def see(self, x: Floats, first: Floats, second: Floats, weight: Floats | None) -> None:
        """Add rows, whose x are finite."""
        if not len(x):
            return
        self._reach(float(x.min()), float(x.max()))
        farthest = math.ldexp(max(abs(self._low), abs(self._high)), -self.exponent)
        bins: npt.NDArray[Any] = (x * math.ldexp(1.0, -self.exponent)).astype(np.int32 if farthest < _NARROW else np.int64)  # which rounds towards 0
        self._cells.see((bins & _MASK).astype(np.int32, copy=False), first, second, weight)

    def absorb(self, other: "Grid") -> None:
        """Add the rows of another grid, which is used up."""
        if math.isinf(other._low):
            return
        self._reach(other._low, other._high)
        other._reach(self._low, self._high)
        self._cells.take(other._cells, other._cells.used)

    def _reach(self, low: float, high: float) -> None:
        """Widen the bins as it takes for a range."""
        low, high = min(low, self._low), max(high, self._high)
        exponent = _exponent(low, high)
        if exponent > self.exponent and not math.isinf(self._low):
            narrow, self._cells = self._cells, Cells(MOST_BINS)
            bins, wider = self._bins(narrow.used), 1 << min(exponent - self.exponent, _PLACES)
            merged: Places = np.where(bins < 0, -(-bins // wider), bins // wider)
            self._cells.take(narrow, merged & _MASK)
        self._low, self._high, self.exponent = low, high, exponent

    def _bins(self, cells: Places) -> Places:
        """Return the numbers of bins from their low bits: the lowest bin tells the others."""
        lowest = int(math.ldexp(self._low, -self.exponent))
        bins: Places = lowest + ((cells - (lowest & _MASK)) & _MASK)
        return bins

    def bins(self) -> Bins:
        """Return the moments of the bins that have weight, each number rounded once."""
        cells = self._cells.used
        if len(cells):
            cells = cells[np.argsort(self._bins(cells))]
        rows = [_moments(state) for state in self._cells.states(cells) if state.n]
        return Bins(*np.array(rows).T) if rows else Bins(*np.empty((6, 0)))


def _exponent(low: float, high: float) -> int:
    """Return the smallest exponent with which a range has at most so many bins, and these have numbers of some bits."""
    half = high / 2 - low / 2
    far = max(abs(low), abs(high))
    exponent = max(_FINEST, math.frexp(far)[1] - _PLACES) if far else _FINEST
    exponent = max(exponent, math.frexp(half)[1] - MOST_BINS.bit_length() - 1 if half else exponent)
    while int(math.ldexp(high, -exponent)) - int(math.ldexp(low, -exponent)) >= MOST_BINS:
        exponent += 1
    return exponent


def _moments(state: PairState) -> tuple[float, ...]:
    s = state.sums
    means = [s.absolute(Ratio(each, s.w), 1).rounded() for each in (s.y, s.p)]
    about = [s.total(each, 2) for each in (s.variance_y, s.covariance, s.variance_p)]
    return s.observations.rounded(), *means, *(Ratio(each.numerator, each.denominator * s.w).rounded() for each in about)
