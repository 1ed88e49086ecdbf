"""What is left of the sums without one bucket: a formula of the catalogue gives the answers on it, all at once."""

from functools import cached_property

import numpy as np
import numpy.typing as npt

from squarely.state import Moments, NoAnswerError, Ratio, Term

__all__ = ["Left"]

Floats = npt.NDArray[np.float64]  # of shape (groups, buckets + 1)
_W, _D, _E, _DD, _DE, _EE, _ABSOLUTE_ERROR, _ABSOLUTE_Y, _TERMS = range(9)
_NOISE = 1e-12


class Left:
    """The sums of ``squarely.state.Sums`` as arrays, group by row: without bucket b in column b, and of all buckets in the last column.

    With d = y - center and e = p - y nothing cancels. The unit is that of the moments, 2^scale.
    """

    def __init__(self, moments: Moments) -> None:
        self._values = moments.values
        self.present: npt.NDArray[np.bool_] = moments.values[:, :, _W] > 0
        whole = moments.values.sum(axis=1, keepdims=True)
        left: Floats = np.concatenate([np.where(self.present[:, :, None], _without(moments.values), whole), whole], axis=1)
        self._sums: list[Floats] = list(np.moveaxis(left, 2, 0))
        self._places, self._center = moments.plan.places, moments.center
        self.scale = moments.unit
        self.w = self._sums[_W]

    @cached_property
    def filled(self) -> list[int]:
        """Buckets of each group that hold a row."""
        filled: list[int] = self.present.sum(axis=1).tolist()
        return filled

    def alone(self, group: int) -> tuple[Floats, Floats, Floats]:
        """Return weight, error and squared error of each bucket of a group that holds a row: the differences from all would cancel."""
        values = self._values[group, self.present[group]]
        return values[:, _W], values[:, _E], values[:, _EE]

    @property
    def error(self) -> Floats:
        """Sum w (p - y)."""
        return self._sums[_E]

    @property
    def squared_error(self) -> Floats:
        """Sum w (y - p)^2."""
        return self._sums[_EE]

    @property
    def absolute_error(self) -> Floats:
        """Sum w |y - p|."""
        return self._sums[_ABSOLUTE_ERROR]

    @property
    def absolute_y(self) -> Floats:
        """Sum w |y|."""
        return self._sums[_ABSOLUTE_Y]

    @property
    def below(self) -> Floats:
        """Sum w max(y - p, 0)."""
        return (self.absolute_error - self.error) / 2

    @property
    def above(self) -> Floats:
        """Sum w max(p - y, 0)."""
        return (self.absolute_error + self.error) / 2

    @cached_property
    def y(self) -> Floats:
        """Sum w y."""
        return self._sums[_D] + self._center * self.w

    @property
    def p(self) -> Floats:
        """Sum w p."""
        return self.y + self.error

    @cached_property
    def yy(self) -> Floats:
        """Sum w y^2."""
        return self._sums[_DD] + self._center * (2 * self._sums[_D] + self._center * self.w)

    @property
    def pp(self) -> Floats:
        """Sum w p^2."""
        return self.yy + 2 * (self._sums[_DE] + self._center * self.error) + self.squared_error

    @cached_property
    def variance_y(self) -> Floats:
        """W^2 times the variance of y."""
        size = self.w * self._sums[_DD]
        return _above_noise(size - self._sums[_D] ** 2, size)

    @cached_property
    def _covariance(self) -> Floats:
        return self.variance_y + self.w * self._sums[_DE] - self._sums[_D] * self.error

    @cached_property
    def covariance(self) -> Floats:
        """W^2 times the covariance of y and p: 0 where one of them is constant, and nan where both are, as in a single row."""
        vary = (self.variance_y > 0).astype(int) + (self.variance_p > 0)
        return np.select([vary == 2, vary == 1], [self._covariance, 0.0], np.nan)

    @cached_property
    def variance_p(self) -> Floats:
        """W^2 times the variance of p."""
        twice = 2 * self._covariance
        return _above_noise(twice - self.variance_y + self.variance_error, np.abs(twice) + self.variance_y + self.variance_error)

    @cached_property
    def variance_error(self) -> Floats:
        """W^2 times the variance of the residual."""
        return self.w * self.squared_error - self.error**2

    @property
    def observations(self) -> Ratio:
        """Sum w."""
        return Ratio(self.w)  # type: ignore[arg-type]  # a ratio of arrays, as all of them here

    @property
    def max_error(self) -> Ratio:
        """No bucket says how the largest of all errors varies."""
        raise NoAnswerError("it is the largest of the errors, and more rows may bring a larger one")

    @property
    def range_y(self) -> Ratio:
        """No bucket says how the range of y varies."""
        raise NoAnswerError("it takes the range of the target, and more rows may bring a wider one")

    def mean_of(self, term: Term) -> Ratio:
        """Return sum w t / sum w of a term."""
        return Ratio(self._sums[_TERMS + self._places[term]], self.w)  # type: ignore[arg-type]

    def same_targets(self, other: "Left") -> bool:
        """Say whether the targets and weights are the same: the answer on all rows was refused otherwise."""
        return bool(self.w.shape == other.w.shape)

    def absolute(self, ratio: Ratio, degree: int) -> Ratio:
        """Return a quotient of sums in the unit of the data."""
        return Ratio(np.ldexp(ratio.numerator, degree * self.scale), ratio.denominator)  # type: ignore[arg-type]


def _above_noise(variance: Floats, size: Floats) -> Floats:
    """Return 0 for what is no more than rounding leaves of terms of a size: a constant has no variance."""
    return np.where(variance > _NOISE * size, variance, 0.0)


def _without(values: Floats) -> Floats:
    """Return the sums over all buckets but one: what lies before it and after it, for the difference from all of them may cancel."""
    out = np.zeros_like(values)
    np.cumsum(values[:, :-1], axis=1, out=out[:, 1:])
    out[:, :-1] += np.cumsum(values[:, :0:-1], axis=1)[:, ::-1]
    return out
