"""QuantileRegression: least asymmetric absolute errors."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from squarely.linear.asymptotic import AsymptoticEstimator
from squarely.linear.doubled import Doubles
from squarely.linear.interior import Pinball, least_pinball
from squarely.linear.parameters import Rule, level, refused
from squarely.linear.passes import Settled
from squarely.linear.rows import Line, Rows
from squarely.linear.sparsity import quantile_inference
from squarely.state import GramState

__all__ = ["QuantileRegression"]

_CANDIDATES = 8  # times as many rows as the line goes through are looked at
_APART = 1e-9  # a row counts as a combination of others below this distance, of rows of a size of 1


def _kind(name: str, given: Any) -> str:
    """Return how covariances are estimated."""
    if isinstance(given, str) and given in ("robust", "iid"):
        return str(given)
    raise refused(name, given, "'robust' or 'iid'")


class QuantileRegression(AsymptoticEstimator):
    r"""A line below which a share ``quantile`` of the rows lies, at any features.

    .. math:: \min_{b, c} \sum_i w_i \max\left(\tau e_i, (\tau - 1) e_i\right), \qquad e_i = y_i - c - x_i^\top b

    At 0.5 it has the least absolute errors. A best line goes through as many rows as it has coefficients: an interior point method comes near
    by weighted fits, and the line through the rows it has come to is solved exactly, and taken where its loss is no larger. Where several
    lines have the least loss, any of them may be found. Rows whose features are far from all others still rule it.

    Parameters
    ----------
    quantile : float, default 0.5
        Above 0 and below 1.
    vcov : "robust" or "iid"
        Covariances of the coefficients: "iid" for errors of one law at all features, "robust" as statsmodels and Greene have it.
    features, fit_intercept, nan_policy
        Those of ``LinearRegression``.
    max_iter, tol : int, float
        Iterations end when the loss is at most ``tol`` of itself above the least, by its duality gap; a warning says where it is not.

    Attributes
    ----------
    coef_, intercept_, rank_
    loss_ : float
        The sum that is minimised.
    inference_ : AsymptoticInference
        Standard errors, t, p and intervals, one for each target. The density of errors at the line is that of Epanechnikov's kernel with the
        bandwidth of Hall and Sheather; nan where there are too few rows for it. A row on the line counts on the side to which it pulls the line.
    n_iter_, n_passes_ : int
        Iterations, and how often the rows were read: at most four times in each. A source is read twice, into memory, and the others are there.

    References
    ----------
    Koenker, R. and Bassett, G. (1978), Econometrica 46(1), doi:10.2307/1913643. Portnoy, S. and Koenker, R. (1997), Statistical Science 12(4),
    doi:10.1214/ss/1030037960. Hall, P. and Sheather, S. J. (1988), J. Royal Statistical Society B 50(3), doi:10.1111/j.2517-6161.1988.tb01735.x.
    Greene, W. H. (2008), Econometric Analysis, 6th ed., 14.3.2 (covariances).

    Examples
    --------
    >>> model = QuantileRegression().fit([[1], [2], [3], [4], [5]], [1.0, 2.0, 3.0, 4.0, 50.0])
    >>> model.coef_.tolist(), model.intercept_, model.loss_
    ([1.0], 0.0, 22.5)
    """

    _rules: ClassVar[Mapping[str, Rule]] = {**AsymptoticEstimator._rules, "quantile": level, "vcov": _kind}
    _in_memory = True  # iterations are many, and the rows nearest to a line are looked up

    def __init__(
        self,
        *,
        quantile: float = 0.5,
        vcov: str = "robust",
        features: Any = None,
        fit_intercept: bool = True,
        nan_policy: str = "raise",
        max_iter: int = 100,
        tol: float = 1e-12,
    ) -> None:
        self.quantile = quantile
        self.vcov = vcov
        self.features = features
        self.fit_intercept = fit_intercept
        self.nan_policy = nan_policy
        self.max_iter = max_iter
        self.tol = tol

    def _settle_target(self, rows: Rows, target: Doubles) -> Settled:
        loss = Pinball(float(self.quantile), np.ones_like(target) if rows.weight is None else rows.weight)
        there, given = loss.weight > 0, rows
        if not there.all():
            rows, target, loss = rows.kept(np.flatnonzero(there)), target[there], replace(loss, weight=loss.weight[there])
        least = least_pinball(rows, target, loss, self.tol, self.max_iter)
        best, (through, corners) = loss.of(least.errors), _through(rows, target, least.errors, least.line.equations.factor.rank)
        its = target - rows.predicted(through.coefficients, through.intercept)
        its[corners] = 0
        if loss.of(its) <= best * (1 + self.tol):
            best, least = loss.of(its), replace(least, line=replace(through, equations=least.line.equations), errors=its)
        inference = quantile_inference(given, rows, target, least, loss, self.vcov)
        given.passes += rows.passes if rows is not given else 0
        return Settled(least.line, least.iterations, least.converged, {"loss_": best, "inference_": inference})


def _through(rows: Rows, target: Doubles, errors: Doubles, rank: int) -> tuple[Line, list[int]]:
    """Return the line through the rows nearest to it, as many as decide one, and which rows these are."""
    wanted = rank + rows.intercept
    state = GramState(rows.names, ("y",))
    near = np.argsort(np.abs(errors), kind="stable")[: _CANDIDATES * max(wanted, 1)]
    matrix = np.vstack([rows.matrix(slice(at, at + 1)) for at in near])
    if rows.intercept:
        matrix = np.hstack([np.ones((len(near), 1)), matrix - matrix.mean(axis=0)])
    rest = matrix / np.maximum(np.abs(matrix).max(axis=0), np.finfo(np.float64).tiny)
    corners = []
    for place, at in enumerate(near.tolist()):
        length = float(np.linalg.norm(rest[place]))
        if length > _APART and state.n < wanted:
            direction = rest[place] / length
            rest = rest - np.outer(rest @ direction, direction)
            state.add_columns([*rows.at(slice(at, at + 1)), (target[at : at + 1],)], None)
            corners.append(at)
    rows.passes += 1
    return Line.of(state, intercept=rows.intercept), corners
