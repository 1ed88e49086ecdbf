"""Errors that hang together: rows are turned into ones whose errors do not, or their moments into those of such rows."""

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np

from squarely.errors import DataError
from squarely.linear.doubled import Doubles
from squarely.linear.equations import NormalEquations
from squarely.linear.inference import Inference
from squarely.linear.rows import Line, Rows
from squarely.linear.swept import joined
from squarely.linear.terms import Parts
from squarely.state import Dyadic, GramState
from squarely.validate import blocks

__all__ = ["INTERCEPT", "LaggedMoments", "form", "inference_of", "line_of", "root_of_covariance", "whitened"]

INTERCEPT = "intercept"


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
    state = GramState((INTERCEPT,) * rows.intercept + rows.names, ("y",))
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
    lowest: float = -1.0  # below any rho

    @classmethod
    def of(cls, rows: Rows, target: Doubles) -> "LaggedMoments":
        """Read the rows once; one whose neighbour before was left out makes no pair."""
        features = rows.names
        pairs = GramState((*features, *(f"{name} before" for name in features)), ("y", "y before"))
        plain = GramState(features, ("y",))
        last: list[Parts] | None = None  # of the rows that were read
        for part, columns in rows.parts():
            now = [*columns, (target[part],)]
            plain.add_columns(now, None)
            both = now if last is None else [joined([*pair]) for pair in zip(last, now, strict=True)]
            later = np.flatnonzero(rows.neighbours(part)) + 1
            *x, y = _taken(both, later)
            *x_before, y_before = _taken(both, later - 1)
            pairs.add_columns([*x, *x_before, y, y_before], None)
            last = _taken(both, slice(-1, None))
        if not pairs.n:
            raise DataError(
                f'covariance="ar1" needs pairs of rows, one after the other; there is n_samples = {len(target)}, and none follows another. '
                "Give more rows, in the order of time."
            )
        return cls(features, rows.intercept, pairs.moments, plain.moments)

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
        names = (INTERCEPT,) * self.intercept + self.features
        return NormalEquations(names, ("y",), int(self.pairs.nearest()[0, 0]), False, weight, sums, moved, 1)

    def rho(self, line: Line) -> float:
        """Return the lag-1 autocorrelation of errors about their mean, by the equation of Yule and Walker with sums over n and n - 1 terms."""
        p = len(self.features)
        error = np.array([-line.intercept, *-line.coefficients, 1.0])
        now, before, mean = (np.zeros(2 * p + 3) for _ in range(3))
        now[[0, *range(1, p + 1), 2 * p + 1]] = before[[0, *range(p + 1, 2 * p + 1), 2 * p + 2]] = error
        one = np.eye(1, p + 2)[0]
        rows, length = form(self.plain, one, one), form(self.pairs, np.eye(1, 2 * p + 3)[0], np.eye(1, 2 * p + 3)[0])
        centre = form(self.plain, one, error) / rows
        mean[0] = 1
        apart = form(self.pairs, now, before) - centre * form(self.pairs, mean, now + before) + length * centre * centre
        spread = form(self.plain, error, error) / rows - centre * centre
        if not spread:
            return 0.0
        return float(apart / length / spread)


def _taken(columns: list[Parts], rows: Any) -> list[Parts]:
    return [tuple(piece[rows] for piece in column) for column in columns]


def form(moments: Dyadic, left: Doubles, right: Doubles) -> Fraction:
    """Return ``left' M right``."""
    a, b = Dyadic.of(left[None, :]), Dyadic.of(right[:, None])
    found = a @ moments @ b
    return Fraction(int(found.numerators[0, 0])) * Fraction(2) ** found.exponent
