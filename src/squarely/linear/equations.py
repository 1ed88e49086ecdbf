"""NormalEquations: what a state says about least squares, centred exactly, and their solution without loss of digits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from squarely.errors import DataError
from squarely.linear.coding import Coding
from squarely.linear.doubled import Doubled, Doubles
from squarely.linear.factor import Factor
from squarely.state import Dyadic, GramState

__all__ = ["NormalEquations"]

_NOTHING = 2.0**-80  # of a coefficient: a step that changes no digit of a double, nor of two
_STEPS = 4  # of refinement: each gains the digits that the factor has
_SEEN = 2.0**-53  # of the largest coefficient of a target: below it a 0 may be one
_LEAST, _MOST = 1e-303, 1e303  # sums of squares whose parts are doubles too


@dataclass(frozen=True, eq=False)
class NormalEquations:
    """``C b = c`` of features and targets, exactly: ``cross / divisor`` is C bordered by c and the squares of the targets.

    With an intercept, C holds centred moments, ``sum w x x' - (sum w x)(sum w x)' / sum w``: in integers, where this does not cancel.
    """

    features: tuple[str, ...]
    targets: tuple[str, ...]
    rows: int
    intercept: bool
    weight: Dyadic  # sum of weights, 1 x 1
    sums: Dyadic  # sum w z, 1 x (p + t)
    cross: Dyadic
    divisor: int
    references: Mapping[str, str] = field(default_factory=dict)  # of columns of labels: the levels that others are compared with

    @classmethod
    def of(cls, state: GramState, *, intercept: bool = True) -> "NormalEquations":
        """Return the equations of a state."""
        if not state.n:
            raise DataError("there is nothing to fit: no rows were given, or the weight of each is zero. Give rows of a weight above 0.")
        if state.n < 0:
            raise _no_rows(f"it counts {state.n:,} rows")
        coding = Coding(state.schema, intercept)
        moments = coding.moments(state.moments)
        z = range(1, len(moments.numerators))
        weight, sums, squares = moments.block([0]), moments.block([0], z), moments.block(z)
        if weight.numerators[0, 0] <= 0:
            raise _no_rows(f"its weights add up to {weight.nearest()[0, 0]:.6g}")
        divisor = 1
        if intercept:
            divisor = weight.numerators[0, 0]
            squares = Dyadic(squares.numerators * divisor - sums.numerators.T * sums.numerators, squares.exponent)
        for name, square in zip((*coding.names, *state.targets), np.diag(squares.numerators).tolist(), strict=True):
            if square < 0:
                raise _no_rows(f"the squares of {name[:60]!r} add up to less than 0")
        return cls(coding.names, state.targets, state.n, intercept, weight, sums, squares, divisor, coding.references)

    def refuse_extremes(self, columns: Sequence[str]) -> None:
        """Refuse columns whose squares, with weights or over them, are beyond doubles: what is made of these would be wrong in silence."""
        diagonal = np.diag(self.cross.numerators)
        sums = Dyadic(diagonal, self.cross.exponent).over(self.divisor)
        means = Dyadic(diagonal, self.cross.exponent - self.weight.exponent).over(self.divisor * self.weight.numerators[0, 0])
        for name, square, *sizes in zip((*self.features, *self.targets), diagonal.tolist(), sums.tolist(), means.tolist(), strict=True):
            if square and name in columns and not (min(sizes) >= _LEAST and max(sizes) <= _MOST):
                raise DataError(
                    f"the values of {name[:60]!r} vary so {'much' if max(sizes) > _MOST else 'little'} that their squares are beyond the range of "
                    "doubles. Give the column in another unit, and weights of about 1."
                )

    def penalised(self, penalty: Doubles | float) -> "NormalEquations":
        """Return ``(C + diag(penalty)) b = c``, as ridge regression has it, exactly."""
        size = len(self.features)
        diagonal = np.zeros(len(self.cross.numerators))
        diagonal[:size] = penalty
        more = Dyadic.of(np.diag(diagonal))
        return replace(self, cross=self.cross + Dyadic(more.numerators * self.divisor, more.exponent))

    @cached_property
    def factor(self) -> Factor:
        """The factor of C, with the rank that was found."""
        size = range(len(self.features))
        return Factor.of(self.cross.block(size), self.divisor)

    @cached_property
    def coefficients(self) -> Dyadic:
        """The solution b, p x t, refined with exact residuals; 0 for a feature that depends on those before it."""
        count = len(self.features)
        x, y = range(count), range(count, count + len(self.targets))
        matrix, wanted = self.cross.block(x), self.cross.block(x, y)
        kept = self.factor.kept[:, None]
        found, about, before, unit = Dyadic.zeros(count, len(y)), np.zeros((count, len(y))), np.inf, None
        for _ in range(_STEPS):
            residual = wanted - matrix @ found
            step, exponents = self.factor.solve(Dyadic(residual.numerators * kept.astype(object), residual.exponent), self.divisor)
            unit = exponents if unit is None else unit
            sized = np.ldexp(step.high, exponents - unit)
            size = float(np.abs(sized).max(initial=0.0))
            if size == 0 or size >= before:  # nothing is left, or only what the factor cannot see
                break
            found, about, before = found + step.exact(exponents), about + sized, size
            if (np.abs(sized) <= _NOTHING * np.abs(about)).all():
                break
        self._refuse_lost(found.nearest(), about)
        return found

    def _refuse_lost(self, nearest: Doubles, about: Doubles) -> None:
        """Refuse coefficients that are no doubles; ``about`` has them in units in which the largest of a target is about 1."""
        lost = ~np.isfinite(nearest) | ((nearest == 0) & (np.abs(about) > _SEEN))
        if lost.any():
            feature, target = (int(at[0]) for at in np.nonzero(lost))
            large, small = ("large", "small") if nearest[feature, target] else ("small", "large")
            raise DataError(
                f"the coefficient of {self.features[feature][:60]!r} is too {large} for a double, so {small} are its values beside those of "
                f"{self.targets[target][:60]!r}. Give one of them in another unit."
            )

    @property
    def intercepts(self) -> Doubles:
        """The intercept of each target: mean of y less means of x times b, rounded once; 0 without one."""
        return self.intercepts_of(self.coefficients)

    def intercepts_of(self, coefficients: Dyadic) -> Doubles:
        """Return the intercepts that go with coefficients."""
        if not self.intercept:
            return np.zeros(len(self.targets))
        count = len(self.features)
        x, y = range(count), range(count, count + len(self.targets))
        rest = self.sums.block([0], y) - self.sums.block([0], x) @ coefficients
        return Dyadic(rest.numerators[0], rest.exponent - self.weight.exponent).over(self.weight.numerators[0, 0])

    @property
    def means(self) -> Doubles:
        """The weighted means of features and targets."""
        return Dyadic(self.sums.numerators[0], self.sums.exponent - self.weight.exponent).over(self.weight.numerators[0, 0])

    def residual_squares(self, coefficients: Dyadic) -> Doubles:
        """Return the weighted sum of squared residuals of each target, for any coefficients: ``v' C v`` with v = (-b, 1), in integers."""
        targets = len(self.targets)
        identity = Dyadic(np.eye(targets, dtype=np.int64).astype(object))
        low = min(coefficients.exponent, 0)
        v = Dyadic(np.vstack([-coefficients.units(low), identity.units(low)]), low)
        found = self._diagonal(Dyadic(v.numerators * (self.cross @ v).numerators, 2 * low + self.cross.exponent))
        if (found < 0).any():
            raise _no_rows(f"the squared residuals of {self.targets[int(np.argmin(found))][:60]!r} add up to less than 0")
        return found

    def explained_squares(self, coefficients: Dyadic) -> Doubles:
        """Return what any coefficients take off the sum of squares of each target, ``b' (2 c - C b)``, in integers: it does not cancel."""
        count = len(self.features)
        x, y = range(count), range(count, count + len(self.targets))
        right = self.cross.block(x, y)
        beside = right + right - self.cross.block(x) @ coefficients
        return self._diagonal(Dyadic(coefficients.numerators * beside.numerators, coefficients.exponent + beside.exponent))

    def _diagonal(self, products: Dyadic) -> Doubles:
        return Dyadic(products.numerators.sum(axis=0), products.exponent).over(self.divisor)

    @property
    def total_squares(self) -> Doubles:
        """The weighted sum of squares of each target: about its mean with an intercept, about 0 without one."""
        return Dyadic(np.diag(self.cross.numerators)[len(self.features) :], self.cross.exponent).over(self.divisor)

    @property
    def right(self) -> Doubled:
        """The right side c, p x t."""
        count = len(self.features)
        return Doubled.of(self.cross.block(range(count), range(count, count + len(self.targets))), 0, self.divisor)

    @property
    def root(self) -> tuple[Doubles, Doubles]:
        """The upper triangular R with R'R = C, and z with R'z = c: least squares of z on R are those of the data, as are all penalised ones."""
        return self.factor.root, self.factor.forward(self.right)

    @cached_property
    def inverse_root(self) -> Doubles:
        """M with M'M the covariances of intercept and coefficients over the variance of residuals; nan for a feature that depends on others.

        The intercept comes first, where there is one: with the means m its variance is ``1 / sum w + m' C^-1 m``, its covariances ``-C^-1 m``.
        """
        root = self.factor.inverse_root()
        root[:, ~self.factor.kept] = np.nan
        if not self.intercept:
            return root
        divisor = self.weight.numerators[0, 0]
        minus_means = Dyadic(-self.sums.numerators[:, : len(self.features)].T, self.sums.exponent - self.weight.exponent)
        mean = np.sqrt(Dyadic(np.ones((1, 1), object), -self.weight.exponent).over(divisor))
        above = np.hstack([mean, np.zeros((1, len(self.features)))])
        return np.vstack([above, np.hstack([self.factor.forward(Doubled.of(minus_means, 0, divisor)), root])])


def _no_rows(why: str) -> DataError:
    return DataError(f"the state is that of no rows: {why}. More was subtracted than there was; subtract states of rows that are in it.")
