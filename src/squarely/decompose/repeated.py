"""Fits of one learner to many samples: mean and variance of its predictions at each point, exactly."""

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from squarely.decompose.learner import Floats
from squarely.decompose.parts import rounded
from squarely.decompose.sums import added, bias_and_variance, in_unit
from squarely.errors import DataError
from squarely.state import PairState, sums_of_groups

__all__ = ["Fits", "Points"]


@dataclass(frozen=True, eq=False)
class Fits:
    """Predictions of shape (points, fits), nan where a fit is not asked, and targets of shape (points, m)."""

    table: Floats
    targets: npt.NDArray[Any]
    true: bool  # whether the targets are without noise

    @cached_property
    def asked(self) -> npt.NDArray[np.int64]:
        """How many fits predict each point."""
        found: npt.NDArray[np.int64] = (~np.isnan(self.table)).sum(axis=1)
        if (found < 2).any():
            raise DataError(
                f"point {int(np.flatnonzero(found < 2)[0]):,} is out of the bag of {int(found.min())} of {self.table.shape[1]} samples; "
                "expected 2 or more for a variance. Draw more: repeats=."
            )
        return found

    @cached_property
    def means(self) -> tuple[list[Fraction], list[Fraction]]:
        """Mean and variance, whose divisor is the number of fits, of each point."""
        assert self.asked.size  # a point without fits would be skipped, and the next one take its place
        return _moments(self.table)

    @cached_property
    def centers(self) -> tuple[list[Fraction], list[Fraction]]:
        """Mean and variance of the targets of each point."""
        return _moments(self.targets)

    def off_and_variance(self) -> tuple[Fraction, Fraction]:
        """Return the squared distance of mean fits from mean targets, and the variance, both without bias from the number of fits."""
        (mean, spread), (center, _), asked = self.means, self.centers, self.asked.tolist()
        variance = added([v * k / (k - 1) for v, k in zip(spread, asked, strict=True)])
        off = added([(a - b) ** 2 - v / (k - 1) for a, b, v, k in zip(mean, center, spread, asked, strict=True)])
        return off / len(mean), variance / len(mean)

    def without_each(self) -> tuple[Floats, Floats]:
        r"""Return by how much both change without each fit in turn.

        With d the deviation of a fit from the mean m of k and c the target, :math:`m_{(r)} = m - d_r / (k - 1)` and
        :math:`s^2_{(r)} = (\sum d^2 - k d_r^2 / (k - 1)) / (k - 2)`.
        """
        mean, k = np.array([rounded(each) for each in self.means[0]]), self.asked
        distance = mean - np.array([rounded(each) for each in self.centers[0]])
        with np.errstate(all="ignore"):
            squares = np.nansum((self.table - mean[:, None]) ** 2, axis=1)
            changes = [self._change(self.table[:, fit] - mean, distance, squares, k) for fit in range(self.table.shape[1])]
        off, variance = np.array(changes).T
        return off, variance

    @staticmethod
    def _change(d: Floats, distance: Floats, squares: Floats, k: npt.NDArray[np.int64]) -> tuple[float, float]:
        here = ~np.isnan(d)
        left = (squares - k / (k - 1) * d * d) / (k - 2)
        variance = left - squares / (k - 1)
        off = (d / (k - 1) - 2 * distance) * d / (k - 1) - left / (k - 1) + squares / k / (k - 1)
        return float(off[here].sum() / len(d)), float(variance[here].sum() / len(d))

    def spread(self) -> Fraction:
        """Return the variance of all targets about their mean."""
        values = np.ascontiguousarray(self.targets).ravel()
        return bias_and_variance(PairState.of(values, np.zeros(len(values))).sums).parts["variance"]

    def points(self) -> "Points":
        """Return what is known of each point."""
        mean, target = (np.array([rounded(each) for each in of]) for of in (self.means[0], self.centers[0]))
        bias = [rounded(a - b) for a, b in zip(self.means[0], self.centers[0], strict=True)]
        variance = [rounded(v * k / (k - 1)) for v, k in zip(self.means[1], self.asked.tolist(), strict=True)]
        return Points(target, mean, np.array(bias), np.array(variance), self.asked)


@dataclass(frozen=True, eq=False)
class Points:
    """What fits do at each test point: arrays of shape (k,)."""

    target: Floats  # the truth, or the mean of the targets given
    mean: Floats  # of the fits
    bias: Floats  # mean less target, with its sign; it holds the noise of the target where this is not the truth
    variance: Floats  # of the fits, without bias
    fits: npt.NDArray[np.int64]  # how many


def _moments(table: npt.NDArray[Any]) -> tuple[list[Fraction], list[Fraction]]:
    """Return mean and variance of what is there in every row of a table, as fractions."""
    there = np.ones(table.shape, bool) if table.dtype.kind != "f" else ~np.isnan(table)
    places = np.nonzero(there)[0].astype(np.int32)
    values = np.ascontiguousarray(table[there])
    rows = list(sums_of_groups(values, np.zeros(len(values)), None, places))
    return [in_unit(s, s.y, s.w, 1) for s in rows], [bias_and_variance(s).parts["variance"] for s in rows]
