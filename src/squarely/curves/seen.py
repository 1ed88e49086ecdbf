"""What is seen of predictions of some rows: exact sums, from which MSE, RMSE and R2 of any set of folds follow."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from squarely.decompose.learner import Floats
from squarely.intervals.jackknife import jackknife
from squarely.metric import METRICS
from squarely.state import Dyadic, GramState, PairState, Ratio

__all__ = ["Seen", "Side"]


@dataclass(frozen=True)
class Seen:
    """Rows, the sum of their squared errors, and the first two moments of their targets."""

    n: int
    squares: Fraction
    y: Fraction
    yy: Fraction

    @classmethod
    def of(cls, y: Any, predicted: Floats) -> "Seen":
        """Return the sums of targets and predictions."""
        s = PairState.of(y, predicted).sums
        return cls(s.n, *(_fraction(s.total(*each)) for each in ((s.squared_error, 2), (s.y, 1), (s.yy, 2))))

    @classmethod
    def of_line(cls, state: GramState, coefficients: Floats, intercept: float) -> "Seen":
        r"""Return the sums of a linear prediction of the rows of a state: :math:`v^\top G v` with v = (-c, -b, 1), in integers."""
        moments, v = state.moments, Dyadic.of(np.array([-intercept, *(-coefficients), 1.0]))
        squares = v.numerators @ (moments.numerators @ v.numerators)
        y, yy = moments.numerators[-1, 0], moments.numerators[-1, -1]
        at = moments.exponent
        return cls(state.n, *(_fraction(Ratio.scaled(int(k), e)) for k, e in ((squares, at + 2 * v.exponent), (y, at), (yy, at))))

    def __add__(self, other: "Seen") -> "Seen":
        return Seen(self.n + other.n, self.squares + other.squares, self.y + other.y, self.yy + other.yy)

    def __sub__(self, other: "Seen") -> "Seen":
        return Seen(self.n - other.n, self.squares - other.squares, self.y - other.y, self.yy - other.yy)

    @property
    def mse(self) -> float:
        """The mean squared error; nan of no rows."""
        return _nearest(self.squares, self.n)

    @property
    def r2(self) -> float:
        """1 less the squared errors over those of the mean of these targets; nan where all are the same."""
        total = self.yy - self.y * self.y / self.n if self.n else 0
        return _nearest(total - self.squares, total)


def _fraction(ratio: Ratio) -> Fraction:
    return Fraction(ratio.numerator, ratio.denominator)


def _nearest(part: Fraction | int, whole: Fraction | int) -> float:
    if not whole:
        return float("nan")
    share = Fraction(part) / whole
    return Ratio(share.numerator, share.denominator).rounded()


@dataclass(frozen=True, eq=False)
class Side:
    """One curve, of training or of validation: arrays along the values, of all folds together and of each.

    ``mse``, ``rmse``, ``r2`` are those of the rows of all folds together; ``fold_mse`` and ``fold_r2`` have shape (values, folds).
    """

    seen: tuple[tuple[Seen, ...], ...]  # by value, by fold
    confidence: float
    wider: float = 1.0  # what intervals are widened by, where rows validate in several folds

    @cached_property
    def mse(self) -> Floats:
        """The mean squared error over the rows of all folds."""
        return np.array([each.mse for each in self._whole])

    @property
    def rmse(self) -> Floats:
        """Its root."""
        return np.sqrt(self.mse)

    @cached_property
    def r2(self) -> Floats:
        """R2 over the rows of all folds, about the mean of all their targets."""
        return np.array([each.r2 for each in self._whole])

    @cached_property
    def fold_mse(self) -> Floats:
        """The mean squared error of each fold."""
        return np.array([[fold.mse for fold in folds] for folds in self.seen])

    @cached_property
    def fold_r2(self) -> Floats:
        """R2 of each fold, about the mean of its targets."""
        return np.array([[fold.r2 for fold in folds] for folds in self.seen])

    @cached_property
    def without_each(self) -> Floats:
        """The mean squared error without each fold, of shape (values, folds)."""
        return self._left("mse")

    def interval(self, metric: str) -> tuple[Floats, Floats]:
        """Return the ends of the intervals of "mse", "rmse" or "r2" along the values: the jackknife over folds; nan where there is one fold."""
        if metric == "rmse":
            low, high = self.interval("mse")
            return np.sqrt(low), np.sqrt(high)
        left = self._left(metric)
        declared = METRICS["mean_squared_error" if metric == "mse" else "r2_score"]
        with np.errstate(all="ignore"):
            spread = jackknife(declared, getattr(self, metric), left, np.ones(left.shape, bool), self.confidence, self.wider)
        return spread.low, spread.high

    def _left(self, metric: str) -> Floats:
        return np.array([[getattr(whole - fold, metric) for fold in folds] for whole, folds in zip(self._whole, self.seen, strict=True)])

    @cached_property
    def _whole(self) -> Sequence[Seen]:
        return [sum(folds[1:], folds[0]) for folds in self.seen]
