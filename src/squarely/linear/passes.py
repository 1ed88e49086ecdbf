"""PassesEstimator: fits that read the rows several times and say how often, one target after the other."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from squarely.errors import DataError, NotConvergedWarning, warn_caller
from squarely.linear.doubled import Doubles
from squarely.linear.labels import keys_of_rows
from squarely.linear.model import LinearModel, is_names
from squarely.linear.reading import Asked
from squarely.linear.rows import Line, Rows
from squarely.linear.whole import without_missing
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
    nan_policy: str = "raise"
    n_passes_: int
    n_omitted_: int
    _targets: tuple[str, ...]
    _in_memory: bool = False  # whether it takes the rows of a source there

    def _settle_target(self, rows: Rows, target: Doubles) -> Settled:
        """Return the fit of one target."""
        raise NotImplementedError

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:  # noqa: N803  # scikit-learn's name
        """Fit to rows, which are read ``n_passes_`` times.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n, p), or a data frame
            Or anything that ``sq.evaluate`` reads more than once, such as a path, where y names columns of it: in each pass it is read from
            its beginning, and some numbers a row are kept, but no features. Quantiles and trimmed squares have these in memory too.
        y : array-like of shape (n,) or (n, t), or names of columns
            Each target is fitted by itself.
        sample_weight : array-like of shape (n,), or the name of a column; optional
            Finite and not negative; a weight of 2 is a row given twice, 0 leaves the row out.

        Returns
        -------
        the estimator
        """
        rows = self._opened(X, y, sample_weight)
        return self._conclude(rows, [self._settle_target(rows, target) for target in np.ascontiguousarray(rows.targets.T)])

    def _opened(self, X: Any, y: Any, weight: Any, groups: Any = None) -> Rows:  # noqa: N803
        """Return rows in memory, or those of a source, without those that lack a value where that is the policy; their squares are doubles."""
        if y is None:
            raise DataError(f"{type(self).__name__} requires y to be passed, but the target y is None. Give one target for each row: fit(X, y).")
        self._check_parameters()
        rows = self._read(X, y, weight, groups) if is_names(y) else self._given(X, y, weight, groups)
        rows.equations.refuse_extremes((*rows.equations.features, *rows.equations.targets))
        return rows

    def _given(self, X: Any, y: Any, weight: Any, groups: Any) -> Rows:  # noqa: N803
        places, omitted = None, 0
        if self.nan_policy == "omit":
            X, y, weight, places, omitted = without_missing(X, y, weight, self.features, None)  # noqa: N806
        rows = Rows.of(self._dense(X, first=True, weight=weight), y, weight, intercept=bool(self.fit_intercept))
        rows.places, rows.omitted = places, omitted
        rows.groups = None if groups is None else keys_of_rows(groups, len(rows.targets) + omitted, places)
        self._flat = dimensions(y) == 1
        return rows

    def _read(self, data: Any, target: Any, weight: Any, groups: Any) -> Rows:
        asked = Asked.of(data, target, self.features, weight, () if groups is None else groups, nan_policy=self.nan_policy)
        if not asked.source.rereadable:
            raise DataError(
                f"{asked.source.name}: {type(self).__name__} reads the rows several times, and a stream is read once. "
                "Give a table, or write it to a file and give its path."
            )
        self._name_inputs(asked.inputs)
        self._flat = isinstance(target, str)
        rows, self._coding = Rows.of_source(asked, intercept=bool(self.fit_intercept), in_memory=self._in_memory)
        return rows

    def _conclude(self, rows: Rows, fits: list[Settled]) -> Self:
        for fit in fits:
            self._warn_of_dependence(fit.line.equations)
        if not all(fit.converged for fit in fits):
            warn_caller(
                f"{type(self).__name__} did not settle in {self.max_iter} iterations: its coefficients still change by more than "
                f"tol = {self.tol} of the spread of the errors. Raise max_iter, or look for rows that pull to and fro.",
                NotConvergedWarning,
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
        self.n_passes_, self.n_omitted_, self._targets = rows.passes, rows.omitted, rows.state.targets
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
