"""What every estimator of this room does alike: rows become a state, and a state becomes coefficients."""

from typing import Any, Self

import numpy as np

from squarely.errors import DataError
from squarely.linear.equations import NormalEquations
from squarely.linear.model import LinearModel, one_for_all
from squarely.linear.reading import Asked
from squarely.state import Dyadic, GramState
from squarely.validate import dimensions

__all__ = ["GramEstimator"]


class GramEstimator(LinearModel):
    """An estimator whose coefficients are a function of a GramState; a subclass says which, in ``_solve``."""

    def _solve(self, equations: NormalEquations) -> Dyadic:
        """Return the coefficients, p x t."""
        raise NotImplementedError

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:  # noqa: N803  # scikit-learn's name
        """Fit to rows, and to nothing that was fitted before.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n, p), or a data frame
            Or anything that ``sq.evaluate`` reads, such as a path, where y names columns of it: it is read in constant memory.
        y : array-like of shape (n,) or (n, t), or names of columns
        sample_weight : array-like of shape (n,), or the name of a column; optional
            Finite and not negative; 0 leaves the row out.

        Returns
        -------
        the estimator
        """
        if y is None:
            raise DataError(f"{type(self).__name__} requires y to be passed, but the target y is None. Give one target for each row: fit(X, y).")
        if _is_names(y):
            return self._settle(self._read(X, y, sample_weight, first=True))
        rows = self._design(X, first=True)
        self._flat = dimensions(y) == 1
        return self._settle(GramState().add_design(rows, y, one_for_all(sample_weight, rows.rows)))

    def partial_fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:  # noqa: N803
        """Fit to these rows and to all before: the coefficients are those of one fit to all of them, bit for bit."""
        if not hasattr(self, "state_"):
            return self.fit(X, y, sample_weight)
        if _is_names(y):
            return self._settle(self.state_ + self._read(X, y, sample_weight, first=False))
        rows = self._design(X, first=False)
        return self._settle(self.state_.add_design(rows, y, one_for_all(sample_weight, rows.rows)))

    def _read(self, data: Any, target: Any, weight: Any, *, first: bool) -> GramState:
        asked = Asked.of(data, target, self.features, weight)
        if first:
            self._flat = isinstance(target, str)
            self.n_features_in_, self.feature_names_in_ = len(asked.columns), np.array(asked.columns, object)
        return asked.state()

    @classmethod
    def from_state(cls, state: GramState, **parameters: Any) -> Self:
        """Return the estimator fitted to the rows of a state; it is what ``fit`` to these rows gives."""
        estimator = cls(**parameters)
        estimator._flat = len(state.targets) == 1
        estimator.n_features_in_ = len(state.features)
        return estimator._settle(state)

    def merge(self, other: "GramEstimator") -> Self:
        """Return the estimator fitted to the rows of both."""
        merged = self.from_state(self._fitted().state_ + other._fitted().state_, **self.get_params())
        merged._flat = self._flat
        merged.n_features_in_ = self.n_features_in_
        if hasattr(self, "feature_names_in_"):
            merged.feature_names_in_ = self.feature_names_in_
        return merged

    def _settle(self, state: GramState) -> Self:
        self.state_ = state
        self.equations_ = NormalEquations.of(state, intercept=bool(self.fit_intercept))
        self.exact_coef_ = self._solve(self.equations_)
        coefficients, intercepts = self.exact_coef_.nearest().T, self.equations_.intercepts_of(self.exact_coef_)
        self.coef_ = coefficients[0] if self._flat else coefficients
        self.intercept_: Any = (float(intercepts[0]) if self._flat else intercepts) if self.fit_intercept else 0.0
        return self


def _is_names(y: Any) -> bool:
    return isinstance(y, str) or (isinstance(y, list | tuple) and bool(y) and all(isinstance(name, str) for name in y))
