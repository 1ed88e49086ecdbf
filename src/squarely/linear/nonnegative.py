"""Least squares whose coefficients are at least 0."""

from typing import Any

import numpy as np
import numpy.typing as npt

from squarely.linear import scikit_learn
from squarely.linear.doubled import Doubles
from squarely.linear.equations import NormalEquations
from squarely.linear.estimator import GramEstimator
from squarely.linear.support import SLACK, beside, gradient_of, of_target, placed
from squarely.state import Dyadic

__all__ = ["NonNegativeLeastSquares"]


class NonNegativeLeastSquares(GramEstimator):
    r"""Least squares whose coefficients are at least 0; the intercept may be anything.

    .. math:: \min_{b \ge 0, c} \sum_i w_i (y_i - c - x_i^\top b)^2

    SciPy's active sets find which coefficients are above 0, from p rows that have the moments of all rows; given these, the coefficients solve
    least squares, which are solved exactly. It is scikit-learn's ``LinearRegression(positive=True)``. Needs scikit-learn.

    Parameters
    ----------
    features, fit_intercept, nan_policy
        Those of ``LinearRegression``.

    Attributes
    ----------
    coef_ : array of shape (p,), or (t, p) where y has two dimensions
    intercept_ : float or array of shape (t,)
    rank_ : int
        How many features are independent, of centred columns each on its own scale. With fewer than p, other coefficients may do as well.
    state_ : GramState

    References
    ----------
    Lawson, C. L., Hanson, R. J. (1974), Solving least squares problems, chapter 23.

    Examples
    --------
    >>> X, y = [[1.0, 0.0], [2.0, 1.0], [3.0, 1.0], [4.0, 0.0]], [3.1, 4.7, 7.0, 8.8]
    >>> NonNegativeLeastSquares().fit(X, y).coef_.round(3).tolist()
    [1.94, 0.0]
    """

    _no_inference = "a coefficient at its bound follows no normal law, and which are there the rows decide"

    def __init__(self, *, features: Any = None, fit_intercept: bool = True, nan_policy: str = "raise") -> None:
        self.features = features
        self.fit_intercept = fit_intercept
        self.nan_policy = nan_policy

    def _solve(self, equations: NormalEquations) -> Dyadic:
        self.rank_ = equations.factor.rank
        return beside([self._of_target(equations, target) for target in range(len(equations.targets))])

    def _of_target(self, equations: NormalEquations, target: int) -> Dyadic:
        """Return one column of coefficients: exact where those of the active set are all above 0, and SciPy's where not."""
        guess = _guess(equations, target)
        support = np.flatnonzero(guess)
        exact = of_target(equations, support.tolist(), target).coefficients
        found = placed(exact, support, len(guess)) if (exact.numerators >= 0).all() else Dyadic.of(guess[:, None])
        self._warn_of_dependence(of_target(equations, [*support.tolist(), *_free(equations, found, support, target)], target))
        return found


def _free(equations: NormalEquations, found: Dyadic, support: npt.NDArray[np.intp], target: int) -> list[int]:
    """Return the features at 0 that might be above it at no cost: with those above 0 they tell whether the solution is the only one."""
    whole = of_target(equations, range(len(equations.features)), target)
    squares = Dyadic(np.diag(whole.cross.numerators), whole.cross.exponent).over(whole.divisor)
    at_no_cost = np.abs(gradient_of(whole, found)) <= SLACK * np.sqrt(squares[:-1] * squares[-1])
    at_no_cost[support] = False
    return np.flatnonzero(at_no_cost).tolist()


def _guess(equations: NormalEquations, target: int) -> Doubles:
    """Return coefficients of columns of length 1, in which no unit of measurement decides, in the units of the columns."""
    root, right = equations.root
    if not len(root):  # SciPy's active sets free memory twice where there is none
        return np.zeros(0)
    lengths = np.sqrt(np.square(root).sum(axis=0))
    lengths[lengths == 0] = 1.0
    found: Doubles = scikit_learn.nonnegative(root / lengths, right[:, target]) / lengths
    return found
