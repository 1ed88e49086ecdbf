"""Lasso and elastic net from a state: coordinate descent on its root, then the exact solution on the support that was found."""

from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

import numpy as np

from squarely.errors import NotConvergedWarning, warn_caller
from squarely.linear import scikit_learn
from squarely.linear.doubled import Doubles
from squarely.linear.equations import NormalEquations
from squarely.linear.estimator import GramEstimator
from squarely.linear.factor import Factor
from squarely.linear.parameters import Rule, penalty, share
from squarely.linear.support import SLACK, beside, of_target, on_support
from squarely.state import Dyadic

__all__ = ["ElasticNet", "Lasso", "coefficients_at", "path_of", "warn_of_unsettled"]

_DEPENDENT = 1e-12  # of its length: how near a column may come to those before it


class ElasticNet(GramEstimator):
    r"""Least squares with a penalty on the sizes of the coefficients and one on their squares; the intercept has none.

    .. math:: \min_{b, c} \frac{1}{2 \sum w} \sum_i w_i (y_i - c - x_i^\top b)^2 + \alpha \rho |b|_1 + \frac{\alpha (1 - \rho)}{2} |b|_2^2

    scikit-learn's coordinate descent finds which coefficients are not 0, from p + t rows that have the moments of all rows; given these, the
    coefficients solve a linear system, which is solved exactly. They depend on the units of the features: give these one scale where none is
    natural. Needs scikit-learn.

    Parameters
    ----------
    alpha : float, default 1.0
    l1_ratio : float, default 0.5
        The share rho of the first penalty, of 0 to 1.
    features, fit_intercept, nan_policy
        Those of ``LinearRegression``.
    tol : float, default 1e-10
        Where coordinate descent ends: its duality gap over the squares of the target.
    max_iter : int, default 100,000
        The most sweeps; each takes p^2 operations, however many rows there were.

    Attributes
    ----------
    coef_ : array of shape (p,), or (t, p) where y has two dimensions
    intercept_ : float or array of shape (t,)
    n_iter_ : int
        The most sweeps a target took.
    rank_ : int
        How many features are independent, of centred columns each on its own scale.
    state_ : GramState

    References
    ----------
    Zou, H., Hastie, T. (2005), Regularization and variable selection via the elastic net, Journal of the Royal Statistical Society B 67.

    Examples
    --------
    >>> X, y = [[1.0, 0.0], [2.0, 1.0], [3.0, 1.0], [4.0, 0.0]], [3.1, 4.9, 7.2, 8.8]
    >>> ElasticNet(alpha=0.5).fit(X, y).coef_.round(3).tolist()
    [1.45, 0.0]
    """

    _rules: ClassVar[Mapping[str, Rule]] = {**GramEstimator._rules, "alpha": penalty, "l1_ratio": share}

    def __init__(
        self,
        alpha: float = 1.0,
        *,
        l1_ratio: float = 0.5,
        features: Any = None,
        fit_intercept: bool = True,
        nan_policy: str = "raise",
        tol: float = 1e-10,
        max_iter: int = 100_000,
    ) -> None:
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.features = features
        self.fit_intercept = fit_intercept
        self.nan_policy = nan_policy
        self.tol = tol
        self.max_iter = max_iter

    def _solve(self, equations: NormalEquations) -> Dyadic:
        self.rank_ = equations.factor.rank
        found = coefficients_at(equations, float(self.alpha), float(self.l1_ratio), self.tol, self.max_iter)
        warn_of_unsettled(found.unsettled, self.max_iter)
        for each in found.reached:
            self._warn_of_dependence(each)
        self.n_iter_ = found.sweeps
        return found.coefficients


class Lasso(ElasticNet):
    r"""Least squares with a penalty on the sizes of the coefficients, of which it sets many to 0; the intercept has none.

    .. math:: \min_{b, c} \frac{1}{2 \sum w} \sum_i w_i (y_i - c - x_i^\top b)^2 + \alpha |b|_1

    It is ``ElasticNet`` with ``l1_ratio=1``, with the same attributes. Needs scikit-learn.

    Parameters
    ----------
    alpha : float, default 1.0
    features, fit_intercept, nan_policy
        Those of ``LinearRegression``.
    tol : float, default 1e-10
    max_iter : int, default 100,000

    References
    ----------
    Tibshirani, R. (1996), Regression shrinkage and selection via the lasso, Journal of the Royal Statistical Society B 58.

    Examples
    --------
    >>> X, y = [[1.0, 0.0], [2.0, 1.0], [3.0, 1.0], [4.0, 0.0]], [3.1, 4.9, 7.2, 8.8]
    >>> Lasso(alpha=0.5).fit(X, y).coef_.round(3).tolist()
    [1.54, 0.0]
    """

    def __init__(
        self,
        alpha: float = 1.0,
        *,
        features: Any = None,
        fit_intercept: bool = True,
        nan_policy: str = "raise",
        tol: float = 1e-10,
        max_iter: int = 100_000,
    ) -> None:
        self.alpha = alpha
        self.features = features
        self.fit_intercept = fit_intercept
        self.nan_policy = nan_policy
        self.tol = tol
        self.max_iter = max_iter

    @property
    def l1_ratio(self) -> float:  # type: ignore[override]
        """The whole penalty is on sizes."""
        return 1.0


class Path(NamedTuple):
    """Coefficients for falling alphas, alphas x p x t, the most sweeps, and the alphas whose coefficients had not settled when sweeps ended."""

    coefficients: Doubles
    sweeps: int
    unsettled: set[float]


class Found(NamedTuple):
    """Coefficients for one alpha, p x t, the most sweeps, and the alpha if they had not settled when these ended."""

    coefficients: Dyadic
    sweeps: int
    unsettled: set[float]
    reached: list[NormalEquations]  # of each target and the features that may be other than 0: if one depends on others, these are not the only ones


def path_of(equations: NormalEquations, alphas: Doubles, l1_ratio: float, tol: float, max_iter: int) -> Path:
    """Return coefficients for falling alphas: coordinate descent on rows of the same moments."""
    size = len(equations.features)
    if not size:
        return Path(np.zeros((len(alphas), 0, len(equations.targets))), 0, set())
    root = Factor.of(equations.cross, equations.divisor).root
    rows = root * np.sqrt(len(root) / equations.weight.nearest()[0, 0])  # as many rows as the mean of squares is taken over
    paths, most, unsettled = [], 0, set[float]()
    for target in rows[:, size:].T:
        path, sweeps = scikit_learn.elastic_net(rows[:, :size], target, alphas, l1_ratio, tol, max_iter)
        penalties = len(rows) * alphas[:, None] * np.array([1 - l1_ratio, l1_ratio])
        settled = [_settled(rows[:, :size], target, guess, *each) for guess, each in zip(path.T, penalties.tolist(), strict=True)]
        unsettled |= {
            alpha for alpha, count, each in zip(alphas.tolist(), sweeps.tolist(), settled, strict=True) if each is None and count == max_iter
        }
        paths.append([guess if each is None else each for guess, each in zip(path.T, settled, strict=True)])
        most = max(most, int(sweeps.max()))
    return Path(np.moveaxis(np.array(paths), 0, 2), most, unsettled)


def _settled(rows: Doubles, target: Doubles, guess: Doubles, ridge: float, lasso: float) -> Doubles | None:
    """Return the solution in doubles on the support of a guess, to the end of coordinate descent; None where that is no solution."""
    support = np.flatnonzero(guess)
    chosen, signs = rows[:, support], np.sign(guess[support])
    q, r = np.linalg.qr(np.vstack([chosen, np.sqrt(ridge) * np.eye(len(support))]))
    if (np.abs(np.diag(r)) <= _DEPENDENT * np.sqrt(np.square(chosen).sum(axis=0))).any():
        return None
    inner = np.linalg.solve(r, q[: len(rows)].T @ target - np.linalg.solve(r.T, lasso * signs))
    gradient = np.delete(rows.T @ (target - chosen @ inner), support)
    found = np.zeros_like(guess)
    found[support] = inner
    return found if (np.sign(inner) == signs).all() and (np.abs(gradient) <= lasso * (1 + SLACK)).all() else None


def coefficients_at(equations: NormalEquations, alpha: float, l1_ratio: float, tol: float, max_iter: int) -> Found:
    """Return the coefficients for one alpha, exact on their support."""
    weight = float(equations.weight.nearest()[0, 0])
    ridge, lasso = weight * alpha * (1 - l1_ratio), weight * alpha * l1_ratio
    if lasso == 0 or not equations.features:
        penalised = equations.penalised(ridge)
        return Found(penalised.coefficients, 1, set(), [penalised])
    path = path_of(equations, np.array([alpha]), l1_ratio, tol, max_iter)
    columns, reached, unsettled = [], [], set[float]()
    for target, guess in enumerate(path.coefficients[0].T):
        exact = on_support(of_target(equations, range(len(guess)), target), guess, ridge, lasso)
        if exact is None:
            columns.append(Dyadic.of(guess[:, None]))
            unsettled |= path.unsettled
            continue
        columns.append(exact[0])
        reached.append(of_target(equations, exact[1], target).penalised(ridge))
    return Found(beside(columns), path.sweeps, unsettled, reached)


def warn_of_unsettled(alphas: set[float], max_iter: int) -> None:
    """Say for which penalties coordinate descent ended before its coefficients had settled."""
    if alphas:
        where = f"alpha = {min(alphas):.3g}" if len(alphas) == 1 else f"{len(alphas):,} alphas from {min(alphas):.3g} to {max(alphas):.3g}"
        warn_caller(
            f"coordinate descent did not settle in {max_iter:,} sweeps at {where}: coefficients there are not those of the least loss yet. "
            "Raise max_iter, or take larger penalties.",
            NotConvergedWarning,
        )
