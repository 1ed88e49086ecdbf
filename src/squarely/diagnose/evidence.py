"""Evidence: all that is known of the errors of one model, and from how many rows."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from squarely.diagnose.finding import ALL_ROWS, CannotTestError, Finding, Outcome
from squarely.diagnose.grid import Grid
from squarely.diagnose.moments import Moments, moments_of, rounded, total_of
from squarely.diagnose.watch import Watcher
from squarely.evaluate import Evaluation, Large
from squarely.intervals.left import Left
from squarely.intervals.student import quantile
from squarely.sources import Key
from squarely.state import PairState, Ratio, Sums

__all__ = ["Drawn", "Evidence", "Spread"]

Floats = npt.NDArray[np.float64]
FEW_ROWS = 20
_NO_ROWS = "no rows are at hand, only their sums; ask diagnose() with the data"
_LEAST_EFFECTIVE = 3.0
_FEW_BINS = 50  # for nine tenths of the rows: with fewer, a sample tells more of a curve
_SMALL = 1e-140  # the smallest mean of squares whose square is a double of full precision


class Spread(NamedTuple):
    """Value, standard error, and interval of something that the sums give."""

    value: float
    se: float
    low: float
    high: float


@dataclass(frozen=True)
class Drawn:
    """Rows that are at hand: targets, predictions, weights, predicted standard deviations, and what a reader calls them."""

    y: Floats
    p: Floats
    w: Floats
    sigma: Floats | None
    source: str

    @property
    def error(self) -> Floats:
        """p - y."""
        return self.p - self.y


@dataclass
class Evidence:
    """What checks look at.

    Parameters
    ----------
    evaluation : Evaluation
        With the states, the buckets and the sample.
    model : str
    watcher : Watcher
        What was seen of the rows, or of those drawn.
    watched : str
        Which rows those are.
    sampled : Drawn
    functional : str
        What is wanted of the target: "mean", "median" or "quantile".
    training : Evaluation, optional
        The same model on the rows that it was fitted to.
    """

    evaluation: Evaluation
    model: str
    watcher: Watcher
    watched: str
    sampled: Drawn
    functional: str = "mean"
    training: Evaluation | None = None
    outcomes: dict[str, Outcome] = field(default_factory=dict)  # by check, once it was asked
    found: dict[str, Finding] = field(default_factory=dict)
    laws: Any = None  # of the errors, once they were fitted

    @property
    def drawn(self) -> Drawn:
        """Rows that are at hand."""
        if not len(self.sampled.y):
            raise CannotTestError(_NO_ROWS)
        return self.sampled

    @cached_property
    def at(self) -> int:
        """The place of the model."""
        return self.evaluation.models.index(self.model)

    @cached_property
    def state(self) -> PairState:
        """The state of all rows."""
        return self.evaluation.states[self.model]

    @cached_property
    def sums(self) -> Sums:
        """Its sums."""
        return self.state.sums

    @cached_property
    def n(self) -> int:
        """Rows that count."""
        return self.state.n

    @cached_property
    def rows_per_weight(self) -> float:
        """How many rows a weight of 1 is worth, after Kish; 1 where there are no weights. So a unit of the weights changes nothing."""
        s = self.watcher.mass.sums
        return rounded(total_of(s, s.y, 1) / total_of(s, s.yy, 2)) if s.n else 1.0

    @cached_property
    def effective(self) -> float:
        """The effective number of rows: their number where there are no weights."""
        return self.effective_of(self.sums)

    def ratio(self, numerator: int, denominator: int, degree: int) -> float:
        """Return a quotient of sums in the unit of the target to a degree."""
        return self.sums.absolute(Ratio(numerator, denominator), degree).rounded()

    @staticmethod
    def ratio_of(sums: Sums, numerator: int, denominator: int) -> float:
        """Return a quotient of sums that has no unit."""
        return Ratio(numerator, denominator).rounded() if denominator else math.nan

    def effective_of(self, sums: Sums) -> float:
        """Return the effective number of the rows of a state."""
        return sums.observations.rounded() * self.rows_per_weight

    @cached_property
    def smallest_target(self) -> float:
        """The smallest target; nan where states were taken off."""
        return self.sums.absolute(self.sums.smallest_y, 1).rounded()

    @cached_property
    def largest_target(self) -> float:
        """The largest target; nan where states were taken off."""
        return self.sums.absolute(self.sums.largest_y, 1).rounded()

    @cached_property
    def mse(self) -> float:
        """The mean squared error."""
        return self.ratio(self.sums.squared_error, self.sums.w, 2)

    @cached_property
    def moments(self) -> Moments:
        """The moments of the errors, with the effective number of rows as their weight."""
        if not self.watcher.shape.n:
            raise CannotTestError(_NO_ROWS)
        found = moments_of(self.watcher.shape)
        return found._replace(weight=found.weight * self.rows_per_weight)

    @cached_property
    def moments_of_all(self) -> Moments:
        """The moments of the errors of all rows, as far as their sums tell them; the third and fourth are those of the rows watched."""
        s = self.sums
        mean, second = self.ratio(s.error, s.w, 1), self.ratio(s.variance_error, s.w * s.w, 2)
        return self.moments if self.is_whole else self.moments._replace(weight=self.effective, mean=mean, second=second)

    @cached_property
    def square_of_watched(self) -> float:
        """Sum w e^2 of the rows that were watched."""
        s = self.watcher.shape.sums
        return s.total(s.y, 1).rounded()

    def needs_rows(self, least: int = FEW_ROWS) -> None:
        """Refuse to judge few rows."""
        if self.n < least:
            raise CannotTestError(f"there are {self.n:,} rows, and it takes {least} to say anything")

    def needs_errors(self) -> None:
        """Refuse to judge errors that do not vary."""
        self.needs_rows()
        self.needs_squares()
        if self.sums.variance_error == 0:
            raise CannotTestError("all errors are alike")
        if self.effective < _LEAST_EFFECTIVE:
            raise CannotTestError(f"one or two rows have nearly all of the weight, and it takes {_LEAST_EFFECTIVE:g} to say anything")

    def needs_squares(self) -> None:
        """Refuse errors whose squares and fourth powers are beyond doubles."""
        s, seen = self.sums, self.square_of_watched
        total = s.total(s.squared_error, 2).rounded()
        if any(self.watcher.shape.refused) or (s.squared_error and not (_SMALL < self.mse < 1 / _SMALL and _SMALL**2 < total < math.inf)):
            raise CannotTestError("squares of the errors are beyond the range of doubles; give targets and weights in another unit")
        if self.is_whole and abs(seen - total) > 1e-6 * total:
            raise CannotTestError("targets are integers that no double holds; subtract a constant from targets and predictions")

    def jackknifed(self, formula: Callable[[Left], Any]) -> Spread:
        """Return a function of the sums with the interval that buckets of rows, clusters or blocks of time give it."""
        uncertainty = self.evaluation.uncertainty
        if uncertainty is None:
            return Spread(*(math.nan,) * 4)
        left = uncertainty.left(self.at)
        with np.errstate(all="ignore"):
            found = np.asarray(formula(left), np.float64)[0]
        value, away = float(found[-1]), found[:-1][left.present[0]]
        count = len(away)
        if count < 2 or not np.isfinite(found).all():
            return Spread(value, math.nan, math.nan, math.nan)
        se = math.sqrt((count - 1) / count * float(((away - away.mean()) ** 2).sum()))
        t = quantile(0.95, count - 1)
        return Spread(value, se, value - t * se, value + t * se)

    @property
    def way(self) -> str:
        """How rows depend on each other, as the user said."""
        uncertainty = self.evaluation.uncertainty
        return "none" if uncertainty is None else uncertainty.way

    def largest(self) -> list[tuple[float, Large]]:
        """Return the rows that add most, the largest first, with w e^2."""
        return self.watcher.trim()

    def kurtosis_without(self, rows: list[tuple[float, Large]]) -> float:
        """Return the kurtosis of the errors of all other rows."""
        if not self.is_whole:  # of those that were drawn, the errors nearer to the mean than these
            mean = self.moments.mean
            nearest = min((abs(row.error - mean) for _, row in rows), default=math.inf)
            error, weight = self.drawn.error, self.drawn.w
            near = np.abs(error - mean) < nearest
            return moments_of(PairState.of(error[near] ** 2, error[near], weight[near])).kurtosis
        e = np.array([row.error for _, row in rows])
        w = np.array([row.weight for _, row in rows])
        rest = self.watcher.shape
        if len(rows):
            rest = rest - PairState.of(e * e, e, None if self.evaluation.provenance.weight is None else w)
        return moments_of(rest).kurtosis if rest.n > 3 else math.nan

    def states_by(self, which: str) -> Mapping[tuple[Key, ...], PairState]:
        """Return the states of (e^2, e) by group or by cluster."""
        by_key = self.watcher.clusters if which == "cluster" else self.watcher.groups
        if by_key is None and which == "group" and self.evaluation.by:
            raise CannotTestError("the rows that are at hand do not know their groups; ask diagnose() with the data")
        if by_key is None:
            cure = "cluster=" if which == "cluster" else "by="
            raise CannotTestError(f"rows were not said to belong to {which}s; give {cure}")
        return by_key.states()

    @property
    def is_ordered(self) -> bool:
        """Whether the rows were said to lie in order."""
        return self.way == "order"

    @property
    def is_whole(self) -> bool:
        """Whether all rows were watched."""
        return self.watched == ALL_ROWS

    @property
    def is_beyond_sample(self) -> bool:
        """Whether more rows were watched than are at hand."""
        return self.is_whole and self.drawn.source != ALL_ROWS

    def binned(self, grid: Grid, drawn: Floats, name: str) -> tuple[Grid | None, str]:
        """Return the bins of a number to judge, and which rows they hold; None where the rows at hand are better."""
        if not self.is_beyond_sample:
            return None, self.drawn.source
        low, high = np.quantile(drawn, (0.05, 0.95))
        if high - low < _FEW_BINS * grid.width:
            return None, f"{self.drawn.source}, for in all rows some values of the {name} lie so far out that bins of it would be coarse"
        return grid, f"all rows, in {len(grid):,} bins of the {name}"
