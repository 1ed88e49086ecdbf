"""LinearModel: what every estimator of this room does with coefficients, however it came to them."""

from numbers import Real
from typing import Any, Self

import numpy as np

from squarely.catalogue import r2_score
from squarely.errors import DataError, DependentColumnsWarning, warn_caller
from squarely.linear.coding import Coding
from squarely.linear.doubled import Doubles
from squarely.linear.equations import NormalEquations
from squarely.linear.manners import ScikitManners
from squarely.state.gram import row_weights
from squarely.validate import Design, blocks

__all__ = ["LinearModel", "is_names", "one_for_all"]


class LinearModel(ScikitManners):
    """An estimator with ``coef_`` and ``intercept_``, which predicts and is scored."""

    features: Any = None
    fit_intercept: bool
    coef_: Doubles
    intercept_: Any
    _flat: bool  # whether the target had one dimension

    def _dense(self, X: Any, *, first: bool, weight: Any = None) -> Design:  # noqa: N803
        """Open features as the columns of the fit; the first rows of a weight above 0 have the levels of categories."""
        rows = self._open(X, first=first)
        weight = one_for_all(weight, rows.rows)
        counted = None if weight is None else row_weights(weight, rows.rows) != 0
        if first:
            self._coding = Coding.of_rows(rows, counted, intercept=bool(self.fit_intercept))
        return self._coding.dense(rows, counted)

    def _fitted(self) -> Self:
        if not hasattr(self, "coef_"):
            raise self._not_fitted()
        return self

    def predict(self, X: Any) -> Doubles:  # noqa: N803
        """Return predictions, of shape (n,) or (n, t) as the targets were."""
        self._fitted()
        rows = self._dense(X, first=False)
        coefficients = np.atleast_2d(self.coef_).T
        found = np.empty((rows.rows, coefficients.shape[1]))
        found[:] = self.intercept_
        for part in blocks(rows.rows, rows.columns) if rows.columns else ():
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
            warn_caller(
                f"the feature {equations.features[at]!r} is {reason}, so its coefficient cannot be told apart and is set to 0. "
                "Leave it out, or use ridge regression.",
                DependentColumnsWarning,
            )


def one_for_all(weight: Any, rows: int) -> Any:
    """Return a weight for each row where one number is given, as scikit-learn takes it."""
    if isinstance(weight, str):
        raise DataError(
            f"sample_weight={weight[:60]!r} names a column, and y is no name. Name both, as fit(data, 'y', 'w'), or give arrays for both."
        )
    return np.full(rows, float(weight)) if isinstance(weight, Real) else weight


def is_names(y: Any) -> bool:
    """Say whether targets are given by the names of columns, and rows by a source."""
    return isinstance(y, str) or (isinstance(y, list | tuple) and bool(y) and all(isinstance(name, str) for name in y))
