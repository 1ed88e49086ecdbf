"""HeteroscedasticRegression: a mean and a variance, both functions of the features."""

from typing import Any

import numpy as np

from squarely.linear.asymptotic import AsymptoticEstimator, AsymptoticInference, of_common_shape
from squarely.linear.doubled import Doubles
from squarely.linear.passes import Settled, negligible_change
from squarely.linear.rows import Line, Rows
from squarely.validate import blocks

__all__ = ["HeteroscedasticRegression"]

_LESS_THAN_ITS_MEAN = 1.2703628454614782  # the mean of -log of a squared standard normal number
_BEYOND = 0.5  # of the slope at the start of a step: that which it may have at its end, the other way
_SHORTEST = 2.0**-30


class HeteroscedasticRegression(AsymptoticEstimator):
    r"""The most likely mean and variance of normal errors, where the logarithm of the variance is linear in the features.

    .. math:: y_i \sim N\!\left(c + x_i^\top b,\; e^{d + x_i^\top g}\right)

    The mean is a fit weighted by the inverse variances; the variance is a step of Fisher scoring on squared errors over what is expected of
    them, halved while the likelihood falls. The two alternate until neither moves. Use it where the spread changes with the features; it
    trusts small errors, so a single row far off moves the variance much.

    Parameters
    ----------
    features, fit_intercept, nan_policy
        Those of ``LinearRegression``; the intercept is that of the mean, the variance always has one.
    max_iter, tol : int, float
        Iterations end when predictions change by at most ``tol`` of the spread of the errors, and logarithms of variances by ``tol``.

    Attributes
    ----------
    coef_, intercept_, rank_
        Of the mean.
    variance_coef_, variance_intercept_
        Of the logarithm of the variance.
    log_likelihood_ : float
    inference_ : AsymptoticInference
        Standard errors, z, p and intervals of the mean, one for each target: the inverse of its information at the variances found,
        :math:`\sum w_i x_i x_i^\top / \sigma_i^2`; mean and variance share none.
    n_iter_, n_passes_ : int
        Iterations, and how often the rows were read.

    References
    ----------
    Harvey, A. C. (1976), Estimating regression models with multiplicative heteroscedasticity, Econometrica 44(3), doi:10.2307/1913974.

    Examples
    --------
    >>> model = HeteroscedasticRegression().fit([[0], [0], [1], [1]], [0.0, 2.0, 1.0, 5.0])
    >>> model.predict_std([[0], [1]]).round(10).tolist()
    [1.0, 2.0]
    """

    variance_coef_: Doubles
    variance_intercept_: Any

    def __init__(
        self, *, features: Any = None, fit_intercept: bool = True, nan_policy: str = "raise", max_iter: int = 500, tol: float = 1e-12
    ) -> None:
        self.features = features
        self.fit_intercept = fit_intercept
        self.nan_policy = nan_policy
        self.max_iter = max_iter
        self.tol = tol

    def _settle_target(self, rows: Rows, target: Doubles) -> Settled:
        mean = rows.ordinary(target)
        errors = target - rows.predicted(mean.coefficients, mean.intercept)
        negligible = negligible_change(target)
        if rows.size(errors) <= 100 * negligible:  # on the line there is no variance
            return Settled(mean, 1, True, _told(rows, mean, np.nan, np.zeros(len(rows.names)), -np.inf, np.inf))
        slope, level = self._start(rows, errors)
        logs = rows.predicted(slope, level)
        for iteration in range(1, self.max_iter + 1):
            least = float(logs.min())
            before, mean = mean, rows.fitted(target, rows.weighted(np.exp(least - logs)))
            errors = target - rows.predicted(mean.coefficients, mean.intercept)
            step = rows.fitted(errors**2 * np.exp(-logs) - 1, rows.weight, intercept=True)
            turn = rows.predicted(step.coefficients, step.intercept)
            share = _share(rows, errors, logs, turn)
            slope, level, logs = slope + share * step.coefficients, level + share * step.intercept, logs + share * turn
            turned = share * rows.size(turn)
            if turned <= self.tol and mean.change(before) <= self.tol * mean.spread + negligible:
                return Settled(mean, iteration, True, _told(rows, mean, least, slope, level, _likelihood(rows, errors, logs)))
        return Settled(mean, self.max_iter, False, _told(rows, mean, least, slope, level, _likelihood(rows, errors, logs)))

    @staticmethod
    def _start(rows: Rows, errors: Doubles) -> tuple[Doubles, float]:
        """Return the least squares of logarithms of squared errors, whose noise has a known mean."""
        least = 1e-4 * rows.size(errors)  # an error of nothing has no logarithm
        line = rows.fitted(2 * np.log(np.maximum(np.abs(errors), least)) + _LESS_THAN_ITS_MEAN, rows.weight, intercept=True)
        return line.coefficients, line.intercept

    def predict_std(self, X: Any) -> Doubles:  # noqa: N803  # scikit-learn's name
        """Return the standard deviation of errors at each row, of shape (n,) or (n, t) as the targets were."""
        self._fitted()
        rows = self._dense(X, first=False)
        coefficients = np.atleast_2d(self.variance_coef_).T
        found = np.empty((rows.rows, coefficients.shape[1]))
        found[:] = np.exp(np.asarray(self.variance_intercept_) / 2)
        for part in blocks(rows.rows) if rows.columns else ():
            found[part] = np.exp((np.stack([sum(pieces) for pieces in rows.read(part)]).T @ coefficients + self.variance_intercept_) / 2)
        return found[:, 0] if self._flat else found


def _share(rows: Rows, errors: Doubles, logs: Doubles, turn: Doubles) -> float:
    """Return the first of 1, 1/2, 1/4 ... of a step that ends about where the likelihood is largest along it, or before.

    The slope tells, for the likelihood itself has half as many digits of where it is largest.
    """

    def slope(share: float) -> float:
        with np.errstate(over="ignore"):
            return float(np.sum(rows.weighted((errors**2 * np.exp(-logs - share * turn) - 1) * turn)))

    least, share = -_BEYOND * slope(0.0), 1.0
    while share > _SHORTEST and slope(share) < least:
        share /= 2
    return share


def _likelihood(rows: Rows, errors: Doubles, logs: Doubles) -> float:
    """Return the logarithm of the likelihood of errors with these logarithms of variances."""
    with np.errstate(over="ignore"):
        terms = np.log(2 * np.pi) + logs + errors**2 * np.exp(-logs)
    return -float(np.sum(rows.weighted(terms))) / 2


def _told(rows: Rows, mean: Line, least: float, slope: Doubles, level: float, likelihood: float) -> dict[str, Any]:
    """Return what is known beside the mean, whose weights were the smallest variance, of the logarithm ``least``, over that of each row."""
    covariances = of_common_shape(mean.equations, np.exp(least))
    inference = AsymptoticInference.of(rows, mean, covariances, "information")
    return {"variance_coef_": slope, "variance_intercept_": level, "log_likelihood_": likelihood, "inference_": inference}
