"""James and Stein: the coefficients of least squares drawn towards 0, and what that is expected to gain."""

from typing import Any

import numpy as np

from squarely.linear.doubled import Doubles
from squarely.linear.equations import NormalEquations
from squarely.linear.estimator import GramEstimator
from squarely.state import Dyadic

__all__ = ["JamesStein"]


class JamesStein(GramEstimator):
    r"""The coefficients of least squares times a factor below 1, which predicts better whatever the truth is.

    .. math:: b_{JS} = \left(1 - \frac{r - 2}{\nu + 2} \cdot \frac{\mathrm{RSS}}{b^\top C b}\right)_+ b

    with r independent features, C their moments (centred with an intercept) and :math:`\nu = n - r - 1` degrees of freedom (one more without
    an intercept). Where errors are independent and normal of one variance, and r is 3 or more, the expected loss
    :math:`(b - \beta)^\top C (b - \beta)` is less than that of least squares for every beta; by little where coefficients are large beside their
    errors. With fewer features or no degree of freedom it is least squares. Do not use it where one coefficient matters by itself.

    Parameters
    ----------
    features, fit_intercept, nan_policy
        Those of ``LinearRegression``.

    Attributes
    ----------
    coef_ : array of shape (p,), or (t, p) where y has two dimensions
    intercept_ : float or array of shape (t,)
    shrinkage_ : float or array of shape (t,)
        The factor, of 0 to 1.
    expected_gain_ : float or array of shape (t,)
        By how much the loss is expected to fall, as a share of that of least squares, r sigma^2. It is Stein's estimate: its mean is right where
        sigma is known, and one of it may be above 1.
    rank_ : int
    state_ : GramState

    References
    ----------
    James, W., Stein, C. (1961), Estimation with quadratic loss, Proceedings of the Fourth Berkeley Symposium 1. Stein, C. M. (1981), Estimation
    of the mean of a multivariate normal distribution, Annals of Statistics 9, for the gain.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(50, 8))
    >>> model = JamesStein().fit(X, 0.5 * X[:, 0] + rng.normal(size=50))
    >>> 0 < model.shrinkage_ < 1, model.expected_gain_ > 0.1
    (True, True)
    """

    def __init__(self, *, features: Any = None, fit_intercept: bool = True, nan_policy: str = "raise") -> None:
        self.features = features
        self.fit_intercept = fit_intercept
        self.nan_policy = nan_policy

    def _solve(self, equations: NormalEquations) -> Dyadic:
        self._warn_of_dependence(equations)
        self.rank_ = equations.factor.rank
        residual = equations.residual_squares(equations.coefficients)
        explained = np.square(equations.root[1]).sum(axis=0)  # b' C b, without the difference of two sums
        factor, gain = _factor(self.rank_, equations.rows - self.rank_ - equations.intercept, residual, explained)
        self.shrinkage_ = float(factor[0]) if self._flat else factor
        self.expected_gain_ = float(gain[0]) if self._flat else gain
        exact, shrunk = equations.coefficients, Dyadic.of(factor)
        return Dyadic(exact.numerators * shrunk.numerators, exact.exponent + shrunk.exponent)


def _factor(rank: int, freedom: int, residual: Doubles, explained: Doubles) -> tuple[Doubles, Doubles]:
    r"""Return the factor and the expected gain.

    With :math:`F = b^\top C b / s^2` and :math:`a = (r - 2) \nu / (\nu + 2)` the factor is :math:`1 - a / F`, and Stein's estimate of the loss falls
    by :math:`a (2 (r - 2) - a) s^2 / F`; where the factor is 0, by :math:`(2 r - F) s^2`.
    """
    if rank < 3 or freedom < 1:
        return np.ones_like(residual), np.zeros_like(residual)
    a = (rank - 2) * freedom / (freedom + 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = explained / (residual / freedom)
        factor = np.where(explained > 0, np.maximum(1 - a / ratio, 0.0), 0.0)
        gain = np.where(ratio > a, a * (2 * (rank - 2) - a) / ratio, 2 * rank - ratio) / rank
    return factor, gain
