"""The interior point method of quantile regression, whose steps are weighted least squares."""

from dataclasses import dataclass

import numpy as np

from squarely.linear.doubled import Doubles
from squarely.linear.passes import negligible_change
from squarely.linear.rows import Line, Rows

__all__ = ["Least", "Pinball", "least_pinball"]

_SHORT_OF_THE_WALL = 0.99995  # of the way to the nearest bound


@dataclass(frozen=True, eq=False)
class Least:
    """A line of least loss, its errors, and what the method came to.

    ``pulls`` say by how much each row pulls the line up or down: ``level w`` from above, ``(level - 1) w`` from below, and what is between on
    the line, where they bring all into balance: ``X'pulls = 0``.
    """

    line: Line
    errors: Doubles
    pulls: Doubles
    iterations: int
    converged: bool


@dataclass(frozen=True, eq=False)
class Pinball:
    """The loss of errors e, target less prediction: ``sum of w max(level e, (level - 1) e)``."""

    level: float
    weight: Doubles

    def of(self, errors: Doubles) -> float:
        """Return the loss."""
        return float(self.weight @ np.maximum(self.level * errors, (self.level - 1) * errors))


@dataclass(eq=False)
class _Point:
    """Where the method is: ``a`` of the dual problem, its distance s from the weights, and multipliers z and v of the bounds 0 and w.

    The dual problem is ``max y'a`` for ``X'a = (1 - level) X'w`` and ``0 <= a <= w``. Errors are ``v - z`` throughout, so what separates a line
    from the best one is the gap ``z'a + v's``.
    """

    a: Doubles
    s: Doubles
    z: Doubles
    v: Doubles

    @classmethod
    def first(cls, errors: Doubles, loss: Pinball) -> "_Point":
        start = 0.1 * float(np.abs(errors).mean())
        return cls((1 - loss.level) * loss.weight, loss.level * loss.weight, np.maximum(-errors, 0) + start, np.maximum(errors, 0) + start)

    @property
    def gap(self) -> float:
        return float(self.z @ self.a + self.v @ self.s)

    def moved(self, step: "_Point") -> "_Point":
        """Return the point after a step, as long in a and s and as long in z and v as each pair of bounds allows."""
        primal, dual = step.lengths(self)
        return _Point(self.a + primal * step.a, self.s + primal * step.s, self.z + dual * step.z, self.v + dual * step.v)

    def lengths(self, point: "_Point") -> tuple[float, float]:
        """Return which share of this step from a point can be gone, in a and s and in z and v."""
        return min(_room(point.a, self.a), _room(point.s, self.s)), min(_room(point.z, self.z), _room(point.v, self.v))


def _room(value: Doubles, step: Doubles) -> float:
    down = step < 0
    return min(1.0, _SHORT_OF_THE_WALL * float((-value[down] / step[down]).min(initial=np.inf)))


def least_pinball(rows: Rows, target: Doubles, loss: Pinball, tol: float, most: int) -> Least:
    """Return a line whose loss is at most ``tol`` of it above the least, or what ``most`` iterations came to.

    Each iteration makes Mehrotra's two steps, and each of these reads the rows twice: for a state and for predictions. Weights are above 0.
    """
    line = rows.ordinary(target)
    b, c = line.coefficients, line.intercept
    errors = target - rows.predicted(b, c)
    rounding = negligible_change(target) * float(loss.weight.sum())
    if loss.of(errors) <= rounding:  # the line goes through every row
        return Least(line, errors, np.zeros_like(errors), 1, True)
    point = _Point.first(errors, loss)
    iterations, converged = 0, False
    while not converged and iterations < most:
        iterations += 1
        step, along, toward = _step(rows, point, errors, 0.0, None)
        if min(step.lengths(point)) < 1:  # a step to the optimum hits a wall: aim at the middle as far as it failed, and mend its curvature
            ahead = point.moved(step).gap / point.gap
            middle = point.gap * ahead**3 / (2 * len(target))
            step, along, toward = _step(rows, point, errors, middle, step)
        dual = step.lengths(point)[1]
        point = point.moved(step)
        b, c, errors = b + dual * along.coefficients, c + dual * along.intercept, errors - dual * toward
        converged = point.gap <= tol * loss.of(errors) + rounding
    return Least(Line(line.equations, b, c), errors, point.a - (1 - loss.level) * loss.weight, iterations, converged)


def _step(rows: Rows, at: _Point, errors: Doubles, middle: float, before: _Point | None) -> tuple[_Point, Line, Doubles]:
    """Return Newton's step to ``z a = v s = middle``, with the products of the step before taken off; its line; and what that predicts.

    Without a, s, z and v the equations are those of least squares of ``errors + pull`` with weights ``1 / (z / a + v / s)``.
    """
    low, high = (middle, middle) if before is None else (middle - before.a * before.z, middle - before.s * before.v)
    pull = low / at.a - high / at.s
    weight = 1 / (at.z / at.a + at.v / at.s)
    line = rows.fitted(errors + pull, weight)
    toward = rows.predicted(line.coefficients, line.intercept)
    a = weight * (errors + pull - toward)
    return _Point(a, -a, low / at.a - at.z - at.z / at.a * a, high / at.s - at.v + at.v / at.s * a), line, toward
