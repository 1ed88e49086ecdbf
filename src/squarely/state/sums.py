"""Sums: what a formula sees of a state. Plain integers, all of one scale, so that formulas need only + - * and one division."""

import math
from typing import TYPE_CHECKING

from squarely.state.ratio import Ratio

if TYPE_CHECKING:
    from squarely._core import PairSums

__all__ = ["Sums"]


class Sums:
    """The eight sums of a state as integers, and what follows from them.

    With units ``2^a`` for y and p and ``2^b`` for weights, a linear sum is an integer number of ``2^(a+b)`` and a quadratic
    one of ``2^(2a+b)``. A formula whose terms agree in their units is therefore right on the integers alone; its value is
    multiplied by ``2^(a degree)`` where it is rounded.
    """

    __slots__ = ("_core", "_weight_scale", "absolute_y", "is_whole", "larger", "n", "p", "pp", "scale", "w", "y", "yp", "yy")

    def __init__(self, core: "PairSums") -> None:
        self._core = core
        self.is_whole, self.n, self.scale, self._weight_scale, self.w, self.y, self.p, self.larger, self.absolute_y, self.yy, self.yp, self.pp = (
            core.integers()
        )

    @property
    def linear_scale(self) -> int:
        """The exponent of the unit of a linear sum."""
        return self.scale + self._weight_scale

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
        return Ratio.scaled(self.w, self._weight_scale)

    @property
    def max_error(self) -> Ratio:
        """Largest |y - p|, in the unit of the integers."""
        return self._extreme(0)

    @property
    def range_y(self) -> Ratio:
        """Largest y less smallest y, in the unit of the integers."""
        return self._extreme(2) - self._extreme(1)

    def _extreme(self, which: int) -> Ratio:
        extremes = self._core.extremes()
        if extremes is None or self.n <= 0:
            return Ratio(0, 0)
        if math.isinf(extremes[which]):  # an error beyond every double is infinite; a target that no double holds has no range
            return Ratio.scaled(1, 1025 - self.scale) if which == 0 else Ratio(0, 0)
        numerator, denominator = extremes[which].as_integer_ratio()
        return Ratio.scaled(numerator, -self.scale, denominator)
