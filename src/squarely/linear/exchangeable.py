"""Errors of a group that all correlate alike: moments of rows and of sums of groups, which answer for every correlation."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from squarely.errors import DataError
from squarely.linear.doubled import Doubled, Doubles
from squarely.linear.equations import NormalEquations
from squarely.linear.rows import Line, Rows
from squarely.linear.terms import Parts
from squarely.linear.whitening import INTERCEPT, form
from squarely.state import Dyadic, GramState

__all__ = ["GroupedMoments", "sums_of_groups"]

_BEYOND = 1024  # the exponent of the least power of two that is no double


@dataclass(frozen=True, eq=False)
class GroupedMoments:
    r"""What least squares are made of where the covariance is :math:`(1 - \rho) I + \rho J` for each group, at any rho, exactly.

    The inverse takes :math:`\rho / (1 - \rho + n \rho)` times the square of the sum of a group of n rows from the squares of these (Fuller and
    Battese 1974), so that groups of one size add up whatever rho is. Of each group its sums are kept, and in which order its rows come is all one.
    """

    features: tuple[str, ...]
    intercept: bool
    groups: Doubles  # how many have each size
    sizes: Doubles
    plain: Dyadic  # of the rows (1, x, y)
    summed: list[Dyadic]  # of the sums of (1, x, y) over the groups of each size
    rank: int  # of the features, with the intercept

    @classmethod
    def of(cls, rows: Rows, target: Doubles, codes: npt.NDArray[np.intp]) -> "GroupedMoments":
        """Read the rows once."""
        members = np.bincount(codes)
        sums = [Doubled.zeros(len(members)) for _ in (*rows.names, "y")]
        plain = GramState(rows.names, ("y",))
        for part, columns in rows.parts():
            both = [*columns, (target[part],)]
            plain.add_columns(both, None)
            with np.errstate(invalid="ignore"):  # of sums beyond the range of doubles, which are refused
                sums = [whole + sums_of_groups(column, codes[part], len(members)) for whole, column in zip(sums, both, strict=True)]
        if not all(np.isfinite(each.high).all() for each in sums):
            raise DataError("the sum of a feature or target over a group is beyond the range of doubles. Give it in another unit.")
        sizes, groups = np.unique(members, return_counts=True)
        summed = [_moments(rows.names, [each[members == size] for each in sums], size) for size in sizes.tolist()]
        rank = rows.equations.factor.rank + rows.intercept
        return cls(rows.names, rows.intercept, groups.astype(np.float64), sizes.astype(np.float64), plain.moments, summed, rank)

    @property
    def lowest(self) -> float:
        """The rho above which the covariance of the largest group is positive definite."""
        largest = float(self.sizes.max())
        return -1 / (largest - 1) if largest > 1 else -np.inf

    def equations(self, rho: float) -> NormalEquations:
        """Return those of the rows whose errors no longer correlate."""
        moved = self.plain
        for share, each in zip((rho / (1 - rho + self.sizes * rho)).tolist(), self.summed, strict=True):
            exact = Dyadic.of(np.array([[share]]))
            moved = moved - Dyadic(each.numerators * exact.numerators, each.exponent + exact.exponent)
        kept = range(0 if self.intercept else 1, len(moved.numerators))
        weight = self.plain.block([0])
        names = (INTERCEPT,) * self.intercept + self.features
        return NormalEquations(names, ("y",), int(weight.nearest()[0, 0]), False, weight, self.plain.block([0], kept), moved.block(kept), 1)

    def rho(self, line: Line) -> float:
        """Return the moment estimate of Liang and Zeger (1986): the mean product of two errors of a group over the mean square, less the rank."""
        error = np.array([-line.intercept, *-line.coefficients, 1.0])
        squares = form(self.plain, error, error)
        products = (sum((form(each, error, error) for each in self.summed), Fraction(0)) - squares) / 2
        pairs = int(self.groups @ (self.sizes * (self.sizes - 1))) // 2
        count = int(self.groups @ self.sizes)
        if not squares or min(pairs, count) <= self.rank:
            return 0.0
        return float(products / (pairs - self.rank) / (squares / (count - self.rank)))


def _moments(names: tuple[str, ...], sums: list[Doubled], size: int) -> Dyadic:
    """Return the moments of sums of groups of one size, that of the constant among them."""
    state = GramState(names, ("y",))
    state.add_columns([(each.high, each.low) for each in sums], None)
    found = state.moments.numerators.copy()
    found[0, :] *= size
    found[:, 0] *= size
    return Dyadic(found, state.moments.exponent)


def sums_of_groups(column: Parts, codes: npt.NDArray[np.intp], groups: int) -> Doubled:
    """Return the sum of a column over each group, right to 106 bits."""
    found = Doubled.zeros(groups)
    for piece in column:
        for slice_of in _slices(piece):
            found = found + Doubled(np.bincount(codes, slice_of, groups).astype(np.float64), np.zeros(groups))
    return found


def _slices(values: Doubles) -> Iterator[Doubles]:
    """Yield parts of numbers that add up to them; those of each are multiples of one unit, so few that their sums have no rounding error."""
    while (largest := float(np.abs(values).max(initial=0.0))) > 0:
        exponent = math.frexp(largest)[1] + len(values).bit_length()
        part = values + 2.0**exponent - 2.0**exponent if exponent < _BEYOND else values
        yield part
        values = values - part
