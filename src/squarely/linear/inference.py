"""How sure coefficients are: standard errors, t, p and intervals of ordinary least squares."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from squarely.errors import DataError
from squarely.intervals import student
from squarely.linear.doubled import Doubles
from squarely.linear.equations import NormalEquations
from squarely.state import Dyadic

__all__ = ["Certainty", "Inference", "half_width"]


class Certainty:
    """What follows from estimates, their standard errors and the degrees of freedom of t."""

    estimates: Doubles
    standard_errors: Any
    freedom: float

    @property
    def t_values(self) -> Doubles:
        """Estimates over their standard errors."""
        with np.errstate(all="ignore"):
            values: Doubles = self.estimates / self.standard_errors
        return values

    @property
    def p_values(self) -> Doubles:
        """Probability of so large a t, on either side, where the coefficient is 0."""
        return _each(lambda t: student.tails(t, self.freedom), self.t_values)

    def intervals(self, confidence: float = 0.95) -> Doubles:
        """Return lower and upper ends, along the last axis."""
        half = half_width(confidence, self.freedom) * self.standard_errors
        return np.stack([self.estimates - half, self.estimates + half], axis=-1)


def half_width(confidence: float, freedom: float) -> float:
    """Return half the width of an interval in standard errors; nan where no degree of freedom is left."""
    if not 0 < confidence < 1:
        raise DataError(f"confidence is {confidence!r}; expected a number between 0 and 1, such as 0.95.")
    return student.quantile(confidence, freedom) if freedom > 0 else np.nan


@dataclass(frozen=True, eq=False)
class Inference(Certainty):
    r"""Estimates and what is known of them where errors are independent, of equal variance and normal.

    .. math:: s^2 = \\frac{\\sum w e^2}{n - r}, \\qquad \\operatorname{se}(b_j) = s\\sqrt{(Z^\\top W Z)^{-1}_{jj}}

    Rows of arrays are ``names``: the intercept, where there is one, and the features; columns are targets. With weights the variance of
    row i is sigma^2 / w_i.
    """

    names: tuple[str, ...]
    estimates: Doubles
    inverse_root: Doubles  # M with M'M the covariances over s^2
    residual_squares: Doubles
    total_squares: Doubles
    rows: int
    freedom: int  # degrees of freedom of the residuals

    @classmethod
    def of(cls, equations: NormalEquations, coefficients: Dyadic) -> "Inference":
        """Return the inference on the coefficients that solve equations."""
        equations.refuse_extremes(equations.targets)
        estimates = coefficients.nearest()
        names = equations.features
        if equations.intercept:
            names, estimates = ("intercept", *names), np.vstack([equations.intercepts_of(coefficients), estimates])
        return cls(
            names,
            estimates,
            equations.inverse_root,
            equations.residual_squares(coefficients),
            equations.total_squares,
            equations.rows,
            equations.rows - equations.factor.rank - equations.intercept,
        )

    @property
    def residual_std(self) -> Doubles:
        """Standard deviation of the residuals; nan where no degree of freedom is left."""
        found: Doubles = np.sqrt(self.residual_squares / self.freedom) if self.freedom > 0 else np.full_like(self.residual_squares, np.nan)
        return found

    @cached_property
    def standard_errors(self) -> Doubles:
        """Standard errors of the estimates; nan for a feature that depends on others."""
        largest = np.abs(self.inverse_root).max(axis=0, initial=0.0)  # squares of what is measured in 1e-160 are no doubles
        errors: Doubles = np.sqrt(((self.inverse_root / largest) ** 2).sum(axis=0)) * largest
        return errors[:, None] * self.residual_std

    @property
    def covariances(self) -> Doubles:
        """Covariances of the estimates, of shape (targets, estimates, estimates)."""
        shape: Doubles = self.inverse_root.T @ self.inverse_root
        return shape * self.residual_std[:, None, None] ** 2

    @property
    def r2(self) -> Doubles:
        """Share of the squares of each target that is explained; nan for a constant target."""
        with np.errstate(all="ignore"):
            share: Doubles = np.where(self.total_squares > 0, 1 - self.residual_squares / self.total_squares, np.nan)
        return share


def _each(function: Callable[[float], float], values: Doubles) -> Doubles:
    return np.array([function(value) for value in values.ravel().tolist()]).reshape(values.shape)
