"""Sums: what a formula sees of a state. Plain integers, all of one scale, so that formulas need only + - * and one division."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from squarely.state.ratio import Ratio
from squarely.state.sizes import Sizes
from squarely.state.terms import Plan, Term

if TYPE_CHECKING:
    from squarely._core import PairSums, TermSum

__all__ = ["NoAnswerError", "OutsideDomainError", "Sums"]


class NoAnswerError(Exception):
    """A formula cannot be answered; the text says why."""


class OutsideDomainError(NoAnswerError):
    """Rows lie where the formula has no value."""


class Sums:
    """The eight sums of a state as integers, and what follows from them.

    With units ``2^a`` for y and p and ``2^b`` for weights, a linear sum is an integer number of ``2^(a+b)`` and a quadratic
    one of ``2^(2a+b)``. A formula whose terms agree in their units is therefore right on the integers alone; its value is
    multiplied by ``2^(a degree)`` where it is rounded.
    """

    __slots__ = (
        "_core", "_sizes", "absolute_y", "is_whole", "larger", "n", "p", "plan", "pp", "quantiles", "scale", "w", "weight_scale", "y", "yp", "yy",
    )  # fmt: skip

    def __init__(self, core: "PairSums", plan: Plan, quantiles: Mapping[float, Ratio]) -> None:
        self._core, self.plan, self.quantiles = core, plan, quantiles
        self._sizes: Sizes | None = None
        self.is_whole, self.n, self.scale, self.weight_scale, self.w, self.y, self.p, self.larger, self.absolute_y, self.yy, self.yp, self.pp = (
            core.integers()
        )

    @property
    def refused(self) -> tuple[int, int, int, int]:
        """Rows left out: missing target, missing prediction, infinite target, infinite prediction."""
        return self._core.refused()

    @property
    def linear_scale(self) -> int:
        """The exponent of the unit of a linear sum."""
        return self.scale + self.weight_scale

    @property
    def squared_error(self) -> int:
        """Sum w (y - p)^2."""
        return self.yy - 2 * self.yp + self.pp

    @property
    def error(self) -> int:
        """Sum w (p - y): positive when predictions are too high."""
        return self.p - self.y

    @property
    def absolute_error(self) -> int:
        """Sum w |y - p|."""
        return 2 * self.larger - self.y - self.p

    @property
    def below(self) -> int:
        """Sum w max(y - p, 0): what predictions lack."""
        return self.larger - self.p

    @property
    def above(self) -> int:
        """Sum w max(p - y, 0): what predictions have too much."""
        return self.larger - self.y

    @property
    def variance_y(self) -> int:
        """W^2 times the variance of y; 0 exactly when every y is the same."""
        return self.w * self.yy - self.y * self.y

    @property
    def variance_p(self) -> int:
        """W^2 times the variance of p; 0 exactly when every p is the same."""
        return self.w * self.pp - self.p * self.p

    @property
    def covariance(self) -> int:
        """W^2 times the covariance of y and p."""
        return self.w * self.yp - self.y * self.p

    @property
    def variance_error(self) -> int:
        """W^2 times the variance of the residual."""
        return self.w * self.squared_error - self.error * self.error

    @property
    def observations(self) -> Ratio:
        """Sum w, without a unit: the number of rows where no weights are given."""
        return Ratio.scaled(self.w, self.weight_scale)

    @property
    def max_error(self) -> Ratio:
        """Largest |y - p|, in the unit of the integers."""
        return self._extreme(0)

    @property
    def smallest_y(self) -> Ratio:
        """Smallest y, in the unit of the integers."""
        return self._extreme(1)

    @property
    def largest_y(self) -> Ratio:
        """Largest y, in the unit of the integers."""
        return self._extreme(2)

    @property
    def range_y(self) -> Ratio:
        """Largest y less smallest y, in the unit of the integers."""
        return self.largest_y - self.smallest_y

    def mean_of(self, term: Term) -> Ratio:
        """Return sum w t / sum w of a term, without a unit of its own."""
        place = self.plan.places.get(term)
        if place is None:
            raise NoAnswerError("the sums do not hold its terms; name the metric where the rows are read")
        return self.mean_from(self._core.term(place))

    def mean_from(self, term: "TermSum") -> Ratio:
        """Return the mean of a term as the core sums it over the same rows and weights."""
        (integer, exponent), outside, too_large, too_small = term
        if outside:
            raise OutsideDomainError(f"{outside:,} {'row is' if outside == 1 else 'rows are'} outside its domain")
        if too_large and too_small:
            raise NoAnswerError("its terms exceed the largest double on both sides")
        if too_large or too_small:
            return Ratio.of(math.inf if too_large else -math.inf)
        return Ratio.scaled(integer, exponent - self.weight_scale, self.w)

    @property
    def sizes(self) -> Sizes:
        """The sizes of the errors, counted in buckets."""
        if not self.plan.histogram:
            raise NoAnswerError("the sums do not hold the sizes of errors; name the metric where the rows are read")
        if self._sizes is None:
            self._sizes = Sizes(self._core)
        return self._sizes

    def error_quantile(self, level: float) -> Ratio:
        """Return a quantile of |y - p|: exact where a second pass found it, and else to a relative 2^-8."""
        return self.quantiles[level] if level in self.quantiles else self.sizes.quantile(level)

    def same_targets(self, other: "Sums") -> bool:
        """Say whether the targets and weights have the same sums, as those of the same rows have."""
        mine, theirs = ((s.total(s.w, 0), s.total(s.y, 1), s.total(s.absolute_y, 1), s.total(s.yy, 2)) for s in (self, other))
        return self.n == other.n and all((a - b).numerator == 0 for a, b in zip(mine, theirs, strict=True))

    def total(self, integer: int, degree: int) -> Ratio:
        """Return a sum of w times something of a degree in the unit of the data."""
        return Ratio.scaled(integer, degree * self.scale + self.weight_scale)

    def absolute(self, ratio: Ratio, degree: int) -> Ratio:
        """Return a quotient of sums in the unit of the data rather than in that of the integers."""
        return Ratio.scaled(ratio.numerator, degree * self.scale, ratio.denominator)

    def _extreme(self, which: int) -> Ratio:
        extremes = self._core.extremes()
        if extremes is None or self.n <= 0:
            return Ratio(0, 0)
        if math.isinf(extremes[which]):  # an error beyond every double is infinite; a target that no double holds has no range
            return Ratio.scaled(1, 1025 - self.scale) if which == 0 else Ratio(0, 0)
        numerator, denominator = extremes[which].as_integer_ratio()
        return Ratio.scaled(numerator, -self.scale, denominator)
