"""Errors that hang together: rows are turned into ones whose errors do not, or their moments into those of such rows."""

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from squarely.errors import DataError
from squarely.linear.doubled import Doubles
from squarely.linear.equations import NormalEquations
from squarely.linear.inference import Inference
from squarely.linear.rows import Line, Rows
from squarely.state import Dyadic, GramState
from squarely.validate import blocks

__all__ = ["Exchangeable", "LaggedMoments", "inference_of", "line_of", "root_of_covariance", "whitened"]

_INTERCEPT = "intercept"


def line_of(equations: NormalEquations, *, intercept: bool) -> Line:
    """Return the line of equations in which the intercept, if there is one, is the first feature."""
    found = equations.coefficients.nearest()[:, 0]
    return Line(equations, found[int(intercept) :], float(found[0]) if intercept else 0.0)


def inference_of(equations: NormalEquations, *, intercept: bool) -> Inference:
    """Return the inference on generalised least squares; R2 is that of Buse (1973), against the constant fitted in the same metric."""
    found = Inference.of(equations, equations.coefficients)
    if not intercept:
        return found
    cross, last = equations.cross.numerators, len(equations.features)
    total = cross[last, last] * cross[0, 0] - cross[0, last] ** 2
    return replace(found, total_squares=Dyadic(np.array([total]), equations.cross.exponent).over(cross[0, 0]))


def whitened(rows: Rows, target: Doubles, transform: Any) -> NormalEquations:
    """Return the equations of rows (1, features, target) after a linear transformation of the rows; one reading."""
    rows.passes += 1
    columns = [np.ones((len(target), 1))] if rows.intercept else []
    moved = transform(np.hstack([*columns, rows.matrix(slice(0, len(target))), target[:, None]]))
    state = GramState((_INTERCEPT,) * rows.intercept + rows.names, ("y",))
    for part in blocks(len(target)):
        state.add_columns([(np.ascontiguousarray(each),) for each in moved[part].T], None)
    return NormalEquations.of(state, intercept=False)


def root_of_covariance(covariance: Doubles) -> Doubles:
    """Return the lower triangular L with ``L L'`` the covariance."""
    if not np.allclose(covariance, covariance.T, rtol=1e-10, atol=0):
        raise DataError("covariance is not symmetric. Give the covariance of row i and row j in both places.")
    try:
        return np.asarray(np.linalg.cholesky(covariance), np.float64)
    except np.linalg.LinAlgError:
        raise DataError(
            "covariance is not positive definite: some combination of errors has no variance, or a negative one. Mend it, or add to its diagonal."
        ) from None


@dataclass(frozen=True, eq=False)
class LaggedMoments:
    """Moments of each row beside the row before it: what least squares with AR(1) errors are made of, at any rho, exactly."""

    features: tuple[str, ...]
    intercept: bool
    pairs: Dyadic  # of (1, x_t, x_{t-1}, y_t, y_{t-1}), t = 2 .. n
    plain: Dyadic  # of (1, x_t, y_t), t = 1 .. n

    @classmethod
    def of(cls, rows: Rows, target: Doubles) -> "LaggedMoments":
        """Read the rows once."""
        features = rows.names
        states = GramState((*features, *(f"{name} before" for name in features)), ("y", "y before")), GramState(features, ("y",))
        rows.passes += 1
        for part in blocks(len(target)):
            now = [*rows.at(part), (target[part],)]
            states[1].add_columns(now, None)
            later, earlier = slice(max(part.start, 1), part.stop), slice(max(part.start, 1) - 1, part.stop - 1)
            before = rows.at(earlier)
            states[0].add_columns([*rows.at(later), *before, (target[later],), (target[earlier],)], None)
        return cls(features, rows.intercept, states[0].moments, states[1].moments)

    def equations(self, rho: float) -> NormalEquations:
        """Return those of ``z_t - rho z_{t-1}``, for which the moments of pairs do."""
        p = len(self.features)
        taken = np.zeros((2 * p + 3, p + 2))
        taken[0, 0] = 1 - rho
        for at in range(p):
            taken[1 + at, 1 + at], taken[1 + p + at, 1 + at] = 1, -rho
        taken[2 * p + 1 :, p + 1] = 1, -rho
        exact = Dyadic.of(taken if self.intercept else taken[:, 1:])
        moved = Dyadic(exact.numerators.T, exact.exponent) @ (self.pairs @ exact)
        weight, sums = self.pairs.block([0]), self.pairs.block([0], range(2 * p + 3)) @ exact
        names = (_INTERCEPT,) * self.intercept + self.features
        return NormalEquations(names, ("y",), int(self.pairs.nearest()[0, 0]), False, weight, sums, moved, 1)

    def rho(self, line: Line) -> float:
        """Return the lag-1 autocorrelation of errors about their mean, by the equation of Yule and Walker with sums over n and n - 1 terms."""
        p = len(self.features)
        error = np.array([-line.intercept, *-line.coefficients, 1.0])
        now, before, mean = (np.zeros(2 * p + 3) for _ in range(3))
        now[[0, *range(1, p + 1), 2 * p + 1]] = before[[0, *range(p + 1, 2 * p + 1), 2 * p + 2]] = error
        one = np.eye(1, p + 2)[0]
        rows, length = _form(self.plain, one, one), _form(self.pairs, np.eye(1, 2 * p + 3)[0], np.eye(1, 2 * p + 3)[0])
        centre = _form(self.plain, one, error) / rows
        mean[0] = 1
        apart = _form(self.pairs, now, before) - centre * _form(self.pairs, mean, now + before) + length * centre * centre
        spread = _form(self.plain, error, error) / rows - centre * centre
        if not spread:
            return 0.0
        return float(apart / length / spread)


def _form(moments: Dyadic, left: Doubles, right: Doubles) -> Fraction:
    a, b = Dyadic.of(left[None, :]), Dyadic.of(right[:, None])
    found = a @ moments @ b
    return Fraction(int(found.numerators[0, 0])) * Fraction(2) ** found.exponent


@dataclass(frozen=True, eq=False)
class Exchangeable:
    """Errors of a group all correlate by rho: the covariance is ``(1 - rho) I + rho J`` for each group."""

    codes: npt.NDArray[np.intp]
    sizes: Doubles

    @property
    def lowest(self) -> float:
        """The rho above which the covariance of the largest group is positive definite."""
        largest = float(self.sizes.max())
        return -1 / (largest - 1) if largest > 1 else -np.inf

    def transform(self, rho: float) -> Any:
        """Return the function that takes from each row its share of the mean of its group (Fuller and Battese 1974)."""
        share = 1 - np.sqrt((1 - rho) / (1 - rho + self.sizes * rho))

        def moved(matrix: Doubles) -> Doubles:
            means = np.stack([np.bincount(self.codes, column, len(self.sizes)) for column in matrix.T]).T / self.sizes[:, None]
            return matrix - (share[:, None] * means)[self.codes]

        return moved

    def rho(self, errors: Doubles, rank: int) -> float:
        """Return the moment estimate of Liang and Zeger (1986): the mean product of two errors of a group over the mean square, less ``rank``."""
        within = np.bincount(self.codes, errors, len(self.sizes))
        squares = float(errors @ errors)
        products = (float(within @ within) - squares) / 2
        pairs = float((self.sizes * (self.sizes - 1)).sum()) / 2
        if not squares or pairs <= rank or len(errors) <= rank:
            return 0.0
        return products / (pairs - rank) / (squares / (len(errors) - rank))
