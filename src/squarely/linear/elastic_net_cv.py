"""Lasso and elastic net whose penalty is chosen by cross-validation, from one pass over the data."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from squarely.errors import DataError
from squarely.linear.doubled import Doubles
from squarely.linear.elastic_net import coefficients_at, path_of, warn_of_unsettled
from squarely.linear.equations import NormalEquations
from squarely.linear.folds import CrossValidated, checked_cv
from squarely.linear.parameters import Rule, count, level, penalties, shares
from squarely.state import Dyadic

__all__ = ["ElasticNetCV", "LassoCV"]

_ANY = 1e-15  # a penalty where features explain nothing, as scikit-learn has it


def _grid_of(name: str, given: Any) -> Any:
    """Return how many penalties there are, or which."""
    return count(name, given) if isinstance(given, int | np.integer) else penalties(name, given)


def _folds(name: str, given: Any) -> Any:
    """Return a number of folds, or splits."""
    if given is None:
        raise DataError("cv is None; expected a number of folds, such as 5, or splits.")
    return checked_cv(name, given)


class ElasticNetCV(CrossValidated):
    r"""``ElasticNet`` with the penalty of least cross-validated squared error, out of one pass over the data.

    A fold is a state, training is the total less the fold, and the mean squared error of each of the path on the rows left out is a quadratic
    form of the fold. Grids and folds are those of scikit-learn's ``ElasticNetCV``. Where there are several targets, their mean decides. Do not
    use folds of rows in turn where rows are sorted: shuffle, or give splits. Needs scikit-learn.

    Parameters
    ----------
    l1_ratio : float or sequence of float, default 0.5
        The share of the penalty on sizes; of several the best is chosen.
    eps : float, default 1e-3
        The smallest penalty of a grid over its largest, which is the least that sets all coefficients to 0.
    alphas : int or sequence of float, default 100
        How many penalties a grid has, or the penalties.
    features, fit_intercept, nan_policy
        Those of ``LinearRegression``.
    cv : int or splits, default 5
        A number of folds of rows in turn, as scikit-learn's KFold has them; or its splits, if each row is in one test set.
        Where y names columns, rows go round the folds from a start that a hash chooses in each round, the same however the data are read.
    tol : float, default 1e-10
    max_iter : int, default 100,000

    Attributes
    ----------
    alpha_, l1_ratio_ : float
        The penalty with the least mean of the errors of folds.
    alphas_ : array of shape (alphas,), or (ratios, alphas) where several ratios were given
    mse_path_ : array of shape (alphas, folds), or (ratios, alphas, folds)
    coef_, intercept_, n_iter_, rank_, state_
        As ``ElasticNet`` has them for this penalty.
    folds_ : tuple of GramState

    References
    ----------
    Friedman, J., Hastie, T., Tibshirani, R. (2010), Regularization paths for generalized linear models via coordinate descent, Journal of
    Statistical Software 33.

    Examples
    --------
    >>> X, y = [[1.0, 0.0], [2.0, 1.0], [3.0, 1.0], [4.0, 0.0]], [3.1, 4.9, 7.2, 8.8]
    >>> ElasticNetCV(alphas=[1.0, 0.1], cv=2).fit(X, y).alpha_
    0.1
    """

    _rules: ClassVar[Mapping[str, Rule]] = {**CrossValidated._rules, "l1_ratio": shares, "eps": level, "alphas": _grid_of, "cv": _folds}

    def __init__(
        self,
        *,
        l1_ratio: float | Sequence[float] = 0.5,
        eps: float = 1e-3,
        alphas: int | Sequence[float] = 100,
        features: Any = None,
        fit_intercept: bool = True,
        nan_policy: str = "raise",
        cv: Any = 5,
        tol: float = 1e-10,
        max_iter: int = 100_000,
    ) -> None:
        self.l1_ratio = l1_ratio
        self.eps = eps
        self.alphas = alphas
        self.features = features
        self.fit_intercept = fit_intercept
        self.nan_policy = nan_policy
        self.cv = cv
        self.tol = tol
        self.max_iter = max_iter

    def _solve(self, equations: NormalEquations) -> Dyadic:
        ratios = shares("l1_ratio", self.l1_ratio)
        grids = [self._grid(equations, ratio) for ratio in ratios]
        unsettled = set[float]()
        errors = np.stack([self._errors(grid, ratio, unsettled) for grid, ratio in zip(grids, ratios, strict=True)])
        best, at = np.unravel_index(np.argmin(errors.mean(axis=2)), errors.shape[:2])
        self.alpha_, self.l1_ratio_ = float(grids[best][at]), ratios[best]
        one = np.ndim(self.l1_ratio) == 0
        self.alphas_: Doubles = grids[0] if one else np.stack(grids)
        self.mse_path_: Doubles = errors[0] if one else errors
        self.rank_ = equations.factor.rank
        found = coefficients_at(equations, self.alpha_, self.l1_ratio_, self.tol, self.max_iter)
        warn_of_unsettled(unsettled | found.unsettled, self.max_iter)
        for each in found.reached:
            self._warn_of_dependence(each)
        self.n_iter_ = found.sweeps
        return found.coefficients

    def _errors(self, alphas: Doubles, l1_ratio: float, unsettled: set[float]) -> Doubles:
        """Return the errors of folds, and add the penalties whose coefficients did not settle in one of them."""

        def coefficients(training: NormalEquations) -> Doubles:
            path = path_of(training, alphas, l1_ratio, self.tol, self.max_iter)
            unsettled.update(path.unsettled)
            return path.coefficients

        return self._fold_errors(coefficients)

    def _grid(self, equations: NormalEquations, l1_ratio: float) -> Doubles:
        """Return falling penalties, equal steps of their logarithm from the least that sets all coefficients to 0."""
        if not isinstance(self.alphas, (int, np.integer)):
            return np.sort(penalties("alphas", self.alphas))[::-1]
        if l1_ratio == 0:
            raise DataError("l1_ratio is 0, where no penalty sets all coefficients to 0 and no grid has a start. Give alphas, or use RidgeCV.")
        largest = np.abs(equations.right.high).max(initial=0.0) / (equations.weight.nearest()[0, 0] * l1_ratio)
        if largest == 0:
            return np.full(int(self.alphas), _ANY)
        return np.geomspace(largest, largest * self.eps, int(self.alphas))


class LassoCV(ElasticNetCV):
    r"""``Lasso`` with the penalty of least cross-validated squared error, out of one pass over the data.

    It is ``ElasticNetCV`` with ``l1_ratio=1``, with the same attributes. Grids and folds are those of scikit-learn's ``LassoCV``, and so are the
    errors of folds, to the digits that its coordinate descent has. Needs scikit-learn.

    Parameters
    ----------
    eps : float, default 1e-3
    alphas : int or sequence of float, default 100
    features, fit_intercept, nan_policy
        Those of ``LinearRegression``.
    cv : int or splits, default 5
    tol : float, default 1e-10
    max_iter : int, default 100,000

    References
    ----------
    Friedman, J., Hastie, T., Tibshirani, R. (2010), Regularization paths for generalized linear models via coordinate descent, Journal of
    Statistical Software 33.

    Examples
    --------
    >>> X, y = [[1.0, 0.0], [2.0, 1.0], [3.0, 1.0], [4.0, 0.0]], [3.1, 4.9, 7.2, 8.8]
    >>> model = LassoCV(alphas=20, cv=2).fit(X, y)
    >>> len(model.alphas_), model.mse_path_.shape
    (20, (20, 2))
    """

    def __init__(
        self,
        *,
        eps: float = 1e-3,
        alphas: int | Sequence[float] = 100,
        features: Any = None,
        fit_intercept: bool = True,
        nan_policy: str = "raise",
        cv: Any = 5,
        tol: float = 1e-10,
        max_iter: int = 100_000,
    ) -> None:
        super().__init__(
            l1_ratio=1.0,
            eps=eps,
            alphas=alphas,
            features=features,
            fit_intercept=fit_intercept,
            nan_policy=nan_policy,
            cv=cv,
            tol=tol,
            max_iter=max_iter,
        )
