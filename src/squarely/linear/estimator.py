"""What every estimator of this room does alike: rows become a state, and a state becomes coefficients."""

import warnings
from numbers import Real
from typing import Any, Self

import numpy as np

from squarely.catalogue import r2_score
from squarely.errors import DataError, DependentColumnsWarning
from squarely.linear.doubled import Doubles
from squarely.linear.equations import NormalEquations
from squarely.linear.manners import ScikitManners
from squarely.state import Dyadic, GramState
from squarely.validate import blocks, dimensions

__all__ = ["GramEstimator"]


class GramEstimator(ScikitManners):
    """An estimator whose coefficients are a function of a GramState; a subclass says which, in ``_solve``."""

    fit_intercept: bool

    def _solve(self, equations: NormalEquations) -> Dyadic:
        """Return the coefficients, p x t."""
        raise NotImplementedError

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:  # noqa: N803  # scikit-learn's name
        """Fit to rows, and to nothing that was fitted before.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n, p), or a data frame
        y : array-like of shape (n,) or (n, t)
        sample_weight : array-like of shape (n,), optional
            Finite and not negative; 0 leaves the row out.

        Returns
        -------
        the estimator
        """
        self._start(X, y)
        return self._add(GramState(), X, y, sample_weight)

    def partial_fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:  # noqa: N803
        """Fit to these rows and to all before: the coefficients are those of one fit to all of them, bit for bit."""
        if not hasattr(self, "state_"):
            return self.fit(X, y, sample_weight)
        self._open(X, first=False)
        return self._add(self.state_, X, y, sample_weight)

    def _start(self, X: Any, y: Any) -> None:  # noqa: N803
        if y is None:
            raise DataError(f"{type(self).__name__} requires y to be passed, but the target y is None. Give one target for each row: fit(X, y).")
        self._open(X, first=True)
        self._flat = dimensions(y) == 1

    def _add(self, state: GramState, X: Any, y: Any, sample_weight: Any) -> Self:  # noqa: N803
        if isinstance(sample_weight, Real):  # one weight for all rows, as scikit-learn has it
            sample_weight = np.full(len(y), float(sample_weight))
        return self._settle(self._gather(state, X, y, sample_weight))

    def _gather(self, state: GramState, X: Any, y: Any, sample_weight: Any) -> GramState:  # noqa: N803
        """Return the state with these rows in it."""
        return state.update(X, y, sample_weight)

    @classmethod
    def from_state(cls, state: GramState, **parameters: Any) -> Self:
        """Return the estimator fitted to the rows of a state; it is what ``fit`` to these rows gives."""
        return cls(**parameters)._of_state(state)

    def merge(self, other: "GramEstimator") -> Self:
        """Return the estimator fitted to the rows of both."""
        merged = self._of_both(self._fitted(), other._fitted())
        merged._flat = self._flat
        for name in ("feature_names_in_",):
            if hasattr(self, name):
                setattr(merged, name, getattr(self, name))
        return merged

    def _of_both(self, one: "GramEstimator", other: "GramEstimator") -> Self:
        return self.from_state(one.state_ + other.state_, **self.get_params())

    def _of_state(self, state: GramState) -> Self:
        self._flat = len(state.targets) == 1
        self.n_features_in_ = len(state.features)
        return self._settle(state)

    def _settle(self, state: GramState) -> Self:
        self.state_ = state
        self.equations_ = NormalEquations.of(state, intercept=bool(self.fit_intercept))
        self.exact_coef_ = self._solve(self.equations_)
        coefficients, intercepts = self.exact_coef_.nearest().T, self.equations_.intercepts_of(self.exact_coef_)
        self.coef_ = coefficients[0] if self._flat else coefficients
        self.intercept_: Any = (float(intercepts[0]) if self._flat else intercepts) if self.fit_intercept else 0.0
        return self

    def _fitted(self) -> Self:
        if not hasattr(self, "coef_"):
            raise self._not_fitted()
        return self

    def predict(self, X: Any) -> Doubles:  # noqa: N803
        """Return predictions, of shape (n,) or (n, t) as the targets were."""
        self._fitted()
        rows = self._open(X, first=False)
        coefficients = np.atleast_2d(self.coef_).T
        found = np.empty((rows.rows, coefficients.shape[1]))
        for part in blocks(rows.rows):
            found[part] = np.stack([sum(pieces) for pieces in rows.read(part)]).T @ coefficients + self.intercept_
        return found[:, 0] if self._flat else found

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:  # noqa: N803
        """Return the R2 of the predictions, as scikit-learn's regressors do: the mean over targets."""
        return float(r2_score(y, self.predict(X), sample_weight=sample_weight))

    def _warn_of_dependence(self, equations: NormalEquations) -> None:
        """Say which features have no coefficient of their own; a rank is never lost in silence."""
        factor = equations.factor
        for at in np.flatnonzero(~factor.kept):
            multiples = factor.combination(int(at))
            others = [equations.features[j] for j in np.flatnonzero(multiples)]
            reason = f"a combination of {', '.join(map(repr, others[:6]))}" if others else "constant" if equations.intercept else "0 in every row"
            warnings.warn(
                f"the feature {equations.features[at]!r} is {reason}, so its coefficient cannot be told apart and is set to 0. "
                "Leave it out, or use ridge regression.",
                DependentColumnsWarning,
                stacklevel=4,
            )
