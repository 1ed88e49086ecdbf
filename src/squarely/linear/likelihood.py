"""Least squares as maximum likelihood: what normal errors say of a fit, from its moments alone."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from squarely.errors import DataError
from squarely.linear.doubled import Doubles
from squarely.linear.equations import NormalEquations
from squarely.state import Dyadic

__all__ = ["Likelihood"]


@dataclass(frozen=True, eq=False)
class Likelihood:
    r"""The likelihood of targets where errors are independent and normal with variance :math:`\sigma^2 / w_i`.

    .. math:: \ell(b, \sigma^2) = -\tfrac n2 \log(2 \pi \sigma^2) + \tfrac 12 \sum \log w - \frac{1}{2 \sigma^2} \sum w e^2

    For any variance it is largest where the squared error is smallest: least squares are maximum likelihood, and the best variance is the
    mean squared error. AIC and BIC count coefficients and the intercept, not the variance, as statsmodels does.

    References
    ----------
    Akaike, H. (1974), IEEE Trans. Automatic Control 19(6), doi:10.1109/TAC.1974.1100705. Schwarz, G. (1978), Ann. Statist. 6(2),
    doi:10.1214/aos/1176344136.
    """

    equations: NormalEquations
    exact: Dyadic
    log_weights: float = 0.0  # sum of log w

    @classmethod
    def of(cls, equations: NormalEquations, exact: Dyadic, sample_weight: Any = None) -> "Likelihood":
        """Return the likelihood of a fit; with weights it takes these too, for a state does not know their logarithms."""
        total = float(equations.weight.nearest()[0, 0])
        weights = np.ones(1) if sample_weight is None else np.asarray(sample_weight, np.float64)
        if not math.isclose(equations.rows if sample_weight is None else float(weights.sum()), total, rel_tol=1e-9):
            raise DataError(f"the weights of the fit add up to {total:.6g}, and the likelihood takes each. Give these as sample_weight=.")
        return cls(equations, exact, float(np.log(weights[weights > 0]).sum()))

    @property
    def variance(self) -> Doubles:
        """The most likely variance of each target: the mean squared error."""
        return self.equations.residual_squares(self.exact) / self.equations.rows

    @property
    def log_likelihood(self) -> Doubles:
        """The logarithm of the largest likelihood of each target; infinite for a perfect fit."""
        return self.at(self.exact, self.variance)

    def at(self, coefficients: Any, variance: Any) -> Doubles:
        """Return the logarithm of the likelihood of any coefficients, p x t, and variances; intercepts are the best for them."""
        exact = coefficients if isinstance(coefficients, Dyadic) else Dyadic.of(np.asarray(coefficients, np.float64).reshape(self._shape))
        with np.errstate(divide="ignore", invalid="ignore"):
            spread = self.equations.residual_squares(exact) / np.asarray(variance, np.float64)
            found: Doubles = -0.5 * (self.equations.rows * np.log(2 * np.pi * np.asarray(variance)) - self.log_weights + np.nan_to_num(spread))
        return found

    @property
    def _shape(self) -> tuple[int, int]:
        return len(self.equations.features), len(self.equations.targets)

    @property
    def _counted(self) -> int:
        return self.equations.factor.rank + self.equations.intercept

    @property
    def aic(self) -> Doubles:
        """Akaike's criterion, ``2 k - 2 l``: less is better among fits to the same rows."""
        return 2 * self._counted - 2 * self.log_likelihood

    @property
    def bic(self) -> Doubles:
        """Schwarz's criterion, ``k log n - 2 l``."""
        return self._counted * math.log(self.equations.rows) - 2 * self.log_likelihood
