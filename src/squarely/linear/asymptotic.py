"""How sure the coefficients of fits other than least squares are: covariances that hold as rows become many."""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from squarely.linear.doubled import Doubles
from squarely.linear.equations import NormalEquations
from squarely.linear.inference import Certainty
from squarely.linear.passes import PassesEstimator
from squarely.linear.rows import Line, Rows
from squarely.linear.summary import Summary
from squarely.state import Dyadic

__all__ = ["AsymptoticEstimator", "AsymptoticInference", "freedom_of", "of_common_shape", "sandwich"]


@dataclass(frozen=True, eq=False)
class AsymptoticInference(Certainty):
    """Estimates and their covariances, which hold as rows become many and are no more than near where they are few.

    Rows of arrays are ``names``, the intercept first where there is one; there is one column, for the target. ``freedom`` is that of t, infinite
    where p-values and intervals are those of the normal law; ``kind`` says how the covariances came about. A weight of 2 is a row given twice.
    """

    names: tuple[str, ...]
    estimates: Doubles
    covariances: Doubles  # 1 x estimates x estimates
    rows: float  # the sum of the weights
    freedom: float
    kind: str

    @classmethod
    def of(cls, rows: Rows, line: Line, covariances: Doubles, kind: str, freedom: float = math.inf) -> "AsymptoticInference":
        """Return the inference on a line; nan for a feature that depends on others, and for all where no degree of freedom is left."""
        equations = rows.equations
        names, estimates = equations.features, line.coefficients
        if equations.intercept:
            names, estimates = ("intercept", *names), np.append(line.intercept, estimates)
        dropped = np.flatnonzero(np.isnan(equations.inverse_root).any(axis=0))
        covariances[dropped] = covariances[:, dropped] = np.nan
        if not freedom_of(rows) > 0:
            covariances[:] = np.nan
        return cls(names, estimates[:, None], covariances[None], rows.count, freedom, kind)

    @cached_property
    def standard_errors(self) -> Doubles:
        """Standard errors of the estimates; nan for a feature that depends on others."""
        found: Doubles = np.sqrt(np.diagonal(self.covariances, axis1=1, axis2=2)).T
        return found


def freedom_of(rows: Rows) -> float:
    """Return the degrees of freedom of the residuals of a fit to rows."""
    return rows.count - rows.equations.factor.rank - rows.intercept


def _inverse_root(equations: NormalEquations) -> Doubles:
    """Return M with ``M'M`` the inverse of the moments; a feature that depends on others has 0."""
    return np.nan_to_num(equations.inverse_root, nan=0.0)


def of_common_shape(equations: NormalEquations, factor: float) -> Doubles:
    """Return covariances ``factor (X'WX)^-1``, those of errors of one law, or of variances that are the factor over the weights."""
    root = _inverse_root(equations) * math.sqrt(factor)
    return np.asarray(root.T @ root, np.float64)


def sandwich(equations: NormalEquations, rows: Rows, weight: Doubles) -> Doubles:
    """Return ``B^-1 (sum of weight x x') B^-1``, with B the moments of the equations; the product in the middle is made of integers."""
    root = _inverse_root(equations)
    moments = rows.moments(weight)
    inner = moments.block(range(0 if equations.intercept else 1, len(moments.numerators)))
    exact = Dyadic.of(root)
    middle = exact @ inner @ Dyadic(exact.numerators.T, exact.exponent)
    return np.asarray(root.T @ middle.nearest() @ root, np.float64)


class AsymptoticEstimator(PassesEstimator):
    """An estimator that settles an ``inference_`` with its coefficients."""

    inference_: Any

    def summary(self, *, confidence: float = 0.95) -> Summary:
        """Return coefficients, standard errors and intervals as one table for each target; print it.

        Examples
        --------
        >>> from squarely.linear import HuberRegression
        >>> print(HuberRegression().fit([[1.0], [2.0], [3.0], [4.0]], [3.1, 4.9, 7.2, 8.8]).summary())  # doctest: +ELLIPSIS
        HuberRegression of y
        ...
        """
        self._fitted()
        return Summary.of_passes(
            type(self).__name__, self._targets, np.atleast_1d(np.array(self.inference_, object)).tolist(), confidence, self.n_passes_, self.n_omitted_
        )
