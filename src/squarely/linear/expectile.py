"""ExpectileRegression: least squares that count errors on one side more than on the other."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np

from squarely.linear.asymptotic import AsymptoticEstimator, AsymptoticInference, sandwich
from squarely.linear.doubled import Doubles
from squarely.linear.parameters import Rule, level
from squarely.linear.passes import Settled, negligible_change
from squarely.linear.rows import Rows
from squarely.losses.kernels import KERNELS, checked

__all__ = ["ExpectileRegression"]

_FLAT = 1e-6  # of the slope at the start of a step: that at the end of a whole one is 0, but for rounding
_SHORTEST = 2.0**-40


class ExpectileRegression(AsymptoticEstimator):
    r"""Asymmetric least squares: what quantiles are to the median, expectiles are to the mean.

    .. math:: \min_{b, c} \sum_i w_i \left|\tau - 1[y_i < c + x_i^\top b]\right| (y_i - c - x_i^\top b)^2

    At 0.5 it is ordinary least squares. Unlike a quantile it says no share of rows below; use ``QuantileRegression`` for that. The
    problem is convex, and each iteration, a weighted fit, reads the rows twice.

    Parameters
    ----------
    expectile : float, default 0.5
        Above 0 and below 1. At 0.9 an error of a prediction that is too low counts nine times one that is too high.
    features, fit_intercept, nan_policy, max_iter, tol
        Those of ``HuberRegression``.

    Attributes
    ----------
    coef_, intercept_, rank_, n_iter_, n_passes_
        Those of ``HuberRegression``.
    inference_ : AsymptoticInference
        Standard errors, z, p and intervals, for errors that are independent, whatever their variances; one for each target. With
        :math:`\omega_i = |\tau - 1[e_i < 0]|` covariances are :math:`B^{-1} (\sum \omega_i^2 e_i^2 x_i x_i^\top) B^{-1}`,
        :math:`B = \sum \omega_i x_i x_i^\top`.

    References
    ----------
    Newey, W. K. and Powell, J. L. (1987), Econometrica 55(4), doi:10.2307/1911031.

    Examples
    --------
    >>> [ExpectileRegression(expectile=level).fit([[0], [0], [1], [1]], [0, 2, 4, 6]).intercept_ for level in (0.5, 0.75)]
    [1.0, 1.5]
    """

    _rules: ClassVar[Mapping[str, Rule]] = {**AsymptoticEstimator._rules, "expectile": level}

    def __init__(
        self,
        *,
        expectile: float = 0.5,
        features: Any = None,
        fit_intercept: bool = True,
        nan_policy: str = "raise",
        max_iter: int = 200,
        tol: float = 1e-12,
    ) -> None:
        self.expectile = expectile
        self.features = features
        self.fit_intercept = fit_intercept
        self.nan_policy = nan_policy
        self.max_iter = max_iter
        self.tol = tol

    def _settle_target(self, rows: Rows, target: Doubles) -> Settled:
        declared = KERNELS["expectile_loss"]
        settings = checked(declared, {"alpha": float(self.expectile)})

        def weigh(errors: Doubles) -> Doubles:
            return np.asarray(declared.omega(np, errors, **settings), np.float64)

        line, negligible = rows.ordinary(target), negligible_change(target)
        errors = rows.predicted(line.coefficients, line.intercept) - target
        for iterations in range(1, self.max_iter + 1):  # noqa: B007  # the last is told
            weights = weigh(errors)
            scores = weights * errors
            before, line = line, rows.fitted(target, rows.weighted(weights))
            converged = line.change(before) <= self.tol * line.spread + negligible
            if converged:
                break
            # A difference of two predictions would be rounded as they are, and a small step would have no slope but that of rounding.
            turn = rows.predicted(line.coefficients - before.coefficients, line.intercept - before.intercept)
            share = _share(rows, weigh, errors, turn)
            line, errors = before.toward(line, share), errors + share * turn
        covariances = sandwich(line.equations, rows, rows.weighted(scores**2))
        return Settled(line, iterations, converged, {"inference_": AsymptoticInference.of(rows, line, covariances, "sandwich")})


def _share(rows: Rows, weigh: Callable[[Doubles], Doubles], errors: Doubles, turn: Doubles) -> float:
    """Return the first of 1, 1/2, 1/4 ... of a step at whose end the loss does not rise; whole ones may go to and fro."""

    def slope(share: float) -> float:
        moved = errors + share * turn
        return float(np.sum(rows.weighted(weigh(moved) * moved * turn)))

    flat, share = -_FLAT * slope(0.0), 1.0
    while share > _SHORTEST and slope(share) > flat:
        share /= 2
    return share
