"""PassesEstimator: fits that read the rows several times and say how often, one target after the other."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from squarely.errors import DataError, NotConvergedWarning
from squarely.linear.doubled import Doubles
from squarely.linear.model import LinearModel
from squarely.linear.rows import Line, Rows
from squarely.validate import dimensions

__all__ = ["PassesEstimator", "Settled", "negligible_change", "reweighted"]

_ROUNDING = 8 * float(np.finfo(np.float64).eps)  # of a prediction, and of what is made of it


@dataclass(frozen=True, eq=False)
class Settled:
    """What the fit of one target came to; ``known`` holds what else its estimator tells, by the name of the attribute."""

    line: Line
    iterations: int
    converged: bool
    known: dict[str, Any]


class PassesEstimator(LinearModel):
    """An estimator that reads rows more than once; a subclass says how, in ``_settle_target``."""

    max_iter: int
    tol: float
    n_passes_: int
    _targets: tuple[str, ...]

    def _settle_target(self, rows: Rows, target: Doubles) -> Settled:
        """Return the fit of one target."""
        raise NotImplementedError

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:  # noqa: N803  # scikit-learn's name
        """Fit to rows in memory, which are read ``n_passes_`` times.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n, p), or a data frame
        y : array-like of shape (n,) or (n, t)
            Each target is fitted by itself.
        sample_weight : array-like of shape (n,), optional
            Finite and not negative; a weight of 2 is a row given twice, 0 leaves the row out.

        Returns
        -------
        the estimator
        """
        if y is None:
            raise DataError(f"{type(self).__name__} requires y to be passed, but the target y is None. Give one target for each row: fit(X, y).")
        rows = Rows.of(self._dense(X, first=True), y, sample_weight, intercept=bool(self.fit_intercept))
        self._flat = dimensions(y) == 1
        return self._conclude(rows, [self._settle_target(rows, target) for target in np.ascontiguousarray(rows.targets.T)])

    def _conclude(self, rows: Rows, fits: list[Settled]) -> Self:
        for fit in fits:
            self._warn_of_dependence(fit.line.equations)
        if not all(fit.converged for fit in fits):
            warnings.warn(
                f"{type(self).__name__} did not settle in {self.max_iter} iterations: its coefficients still change by more than "
                f"tol = {self.tol} of the spread of the errors. Raise max_iter, or look for rows that pull to and fro.",
                NotConvergedWarning,
                stacklevel=3,
            )
        told: dict[str, list[Any]] = {
            "coef_": [fit.line.coefficients for fit in fits],
            "intercept_": [fit.line.intercept for fit in fits],
            "rank_": [fit.line.equations.factor.rank for fit in fits],
            "n_iter_": [fit.iterations for fit in fits],
            **{name: [fit.known[name] for fit in fits] for name in fits[0].known},
        }
        for name, values in told.items():
            setattr(self, name, values[0] if self._flat else np.array(values))
        if not self.fit_intercept:
            self.intercept_ = 0.0
        self.n_passes_, self._targets = rows.passes, rows.state.targets
        return self


def negligible_change(target: Doubles) -> float:
    """Return the change of predictions that rounding alone may bring about."""
    return _ROUNDING * float(np.median(np.abs(target)))


def reweighted(rows: Rows, target: Doubles, weigh: Callable[[Doubles], Doubles | None], tol: float, most: int) -> tuple[Line, int, bool]:
    """Return iteratively reweighted least squares, which begin at the ordinary ones: the line, iterations, and whether it settled.

    ``weigh`` makes weights of errors (prediction less target), or says with None that the line is final. An iteration reads the rows twice,
    for the errors and for the state, and the line has settled when its predictions change by at most ``tol`` of the spread of the errors.
    """
    line = rows.ordinary(target)
    negligible = negligible_change(target)
    for iteration in range(1, most + 1):
        weights = weigh(rows.predicted(line.coefficients, line.intercept) - target)
        if weights is None:
            return line, iteration, True
        before, line = line, rows.fitted(target, rows.weighted(weights))
        if line.change(before) <= tol * line.spread + negligible:
            return line, iteration, True
    return line, most, False
