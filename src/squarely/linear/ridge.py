"""Ridge regression, for one penalty or chosen among many from one pass."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from squarely.errors import DataError
from squarely.linear.doubled import Doubles
from squarely.linear.equations import NormalEquations
from squarely.linear.estimator import GramEstimator
from squarely.linear.folds import CrossValidated
from squarely.linear.parameters import Rule, penalties, penalties_above_zero
from squarely.linear.support import beside
from squarely.state import Dyadic

__all__ = ["Ridge", "RidgeCV"]


class Ridge(GramEstimator):
    r"""Least squares with a penalty on the squares of the coefficients; the intercept has none.

    .. math:: \min_{b, c} \sum_i w_i (y_i - c - x_i^\top b)^2 + \alpha |b|^2

    The penalty is added to exact moments, so the coefficients are right to the last digit, as those of ``LinearRegression``, and the same bits
    for any order of rows or parts. They depend on the units of the features: give these one scale where none is natural.

    Parameters
    ----------
    alpha : float or array of shape (t,), default 1.0
        At least 0; one for all targets, or one for each.
    features, fit_intercept, nan_policy
        Those of ``LinearRegression``.

    Attributes
    ----------
    coef_ : array of shape (p,), or (t, p) where y has two dimensions
    intercept_ : float or array of shape (t,)
    rank_ : int
        How many features are independent, of centred columns each on its own scale. A penalty tells all of them apart.
    state_ : GramState

    References
    ----------
    Hoerl, A. E., Kennard, R. W. (1970), Ridge regression: biased estimation for nonorthogonal problems, Technometrics 12.

    Examples
    --------
    >>> X, y = [[1.0], [2.0], [3.0], [4.0]], [3.1, 4.9, 7.2, 8.8]
    >>> Ridge(alpha=5.0).fit(X, y).coef_.round(3).tolist()
    [0.97]
    """

    _rules: ClassVar[Mapping[str, Rule]] = {**GramEstimator._rules, "alpha": penalties}
    _of_any_size = True

    def __init__(self, alpha: Any = 1.0, *, features: Any = None, fit_intercept: bool = True, nan_policy: str = "raise") -> None:
        self.alpha = alpha
        self.features = features
        self.fit_intercept = fit_intercept
        self.nan_policy = nan_policy

    def _solve(self, equations: NormalEquations) -> Dyadic:
        alphas = penalties("alpha", self.alpha)
        targets = len(equations.targets)
        if len(alphas) not in (1, targets):
            raise DataError(f"alpha has {len(alphas)} numbers and y {targets} targets; expected one for all, or one for each.")
        self.rank_ = equations.factor.rank
        solved = {alpha: self._penalised(equations, alpha) for alpha in set(alphas.tolist())}
        columns = [solved[alpha].block(range(len(equations.features)), [at]) for at, alpha in enumerate(np.broadcast_to(alphas, targets).tolist())]
        return beside(columns)

    def _penalised(self, equations: NormalEquations, alpha: float) -> Dyadic:
        penalised = equations.penalised(alpha)
        self._warn_of_dependence(penalised)
        return penalised.coefficients


class RidgeCV(CrossValidated):
    r"""Ridge regression whose penalty is chosen among many by cross-validation, exactly, in one pass over the data.

    With ``cv=None`` it has the least generalised cross-validation, a function of the moments alone:

    .. math:: \mathrm{GCV}(\alpha) = \frac{\sum w e^2 / \sum w}{(1 - d / n)^2}, \qquad d = \operatorname{tr} C (C + \alpha I)^{-1} + 1

    (without the 1 where there is no intercept). With folds it has the least mean over folds of the mean squared error on rows that were left
    out: a fold is a state, training is the total less the fold, and the error is a quadratic form. Both are those of all refits. Where there
    are several targets, their mean decides.

    scikit-learn's ``cv=None`` leaves out one row at a time, which no moments can know; ``cv`` there scores by R2, here by the squared error.

    Parameters
    ----------
    alphas : sequence of float, default (0.1, 1.0, 10.0)
        Above 0.
    features, fit_intercept, nan_policy
        Those of ``LinearRegression``.
    cv : None, int or splits, default None
        None for GCV; a number of folds of rows in turn, as scikit-learn's KFold has them; or its splits, if each row is in one test set.
        Where y names columns, rows go round the folds from a start that a hash chooses in each round, the same however the data are read.

    Attributes
    ----------
    alpha_ : float
        The penalty with the least error.
    coef_, intercept_, rank_, state_
        As ``Ridge`` has them for this penalty.
    coef_path_ : array of shape (alphas, p), or (alphas, t, p)
        Coefficients for each of ``alphas``.
    gcv_ : array of shape (alphas,)
        Without folds.
    mse_path_ : array of shape (alphas, folds)
        With folds.
    folds_ : tuple of GramState

    References
    ----------
    Golub, G. H., Heath, M., Wahba, G. (1979), Generalized cross-validation as a method for choosing a good ridge parameter, Technometrics 21.

    Examples
    --------
    >>> X, y = [[1.0], [2.0], [3.0], [4.0], [5.0]], [3.1, 4.9, 7.2, 8.8, 11.1]
    >>> RidgeCV(alphas=(0.1, 1.0, 10.0), cv=5).fit(X, y).alpha_
    0.1
    """

    _rules: ClassVar[Mapping[str, Rule]] = {**CrossValidated._rules, "alphas": penalties_above_zero}

    def __init__(
        self,
        alphas: Sequence[float] = (0.1, 1.0, 10.0),
        *,
        features: Any = None,
        fit_intercept: bool = True,
        nan_policy: str = "raise",
        cv: Any = None,
    ) -> None:
        self.alphas = alphas
        self.features = features
        self.fit_intercept = fit_intercept
        self.nan_policy = nan_policy
        self.cv = cv

    def _solve(self, equations: NormalEquations) -> Dyadic:
        alphas = penalties_above_zero("alphas", self.alphas)
        path, freedom = _path(equations, alphas)
        self.coef_path_ = path[:, :, 0] if self._flat else path.transpose(0, 2, 1)
        if self.cv is None:
            errors = self.gcv_ = _generalised(equations, path, freedom)
        else:
            self.mse_path_ = self._fold_errors(lambda training: _path(training, alphas)[0])
            errors = self.mse_path_.mean(axis=1)
        self.alpha_ = float(alphas[np.argmin(errors)])
        self.rank_ = equations.factor.rank
        return equations.penalised(self.alpha_).coefficients


def _path(equations: NormalEquations, alphas: Doubles) -> tuple[Doubles, Doubles]:
    """Return coefficients, alphas x p x t, and their degrees of freedom, by QR of R above sqrt(alpha) I: no product is formed."""
    root, right = equations.root
    size = len(root)
    rows = np.empty((len(alphas), 2 * size, size))
    rows[:, :size] = root
    rows[:, size:] = np.sqrt(alphas)[:, None, None] * np.eye(size)
    q, r = np.linalg.qr(rows)
    upper = q[:, :size]
    return np.linalg.solve(r, upper.transpose(0, 2, 1) @ right), np.square(upper).sum(axis=(1, 2))


def _generalised(equations: NormalEquations, path: Doubles, freedom: Doubles) -> Doubles:
    """Return generalised cross-validation of each penalty; infinite where no degree of freedom is left."""
    root, right = equations.root
    weight = equations.weight.nearest()[0, 0]
    least = equations.residual_squares(equations.coefficients)  # what no coefficients explain
    squares = (np.square(right - root @ path).sum(axis=1) + least).mean(axis=1) / weight
    left = 1 - (freedom + equations.intercept) / equations.rows
    return np.where(left > 0, squares / np.where(left > 0, left, 1.0) ** 2, np.inf)
