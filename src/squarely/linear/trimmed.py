"""LeastTrimmedSquares: least squares of the rows that fit best, however wild the others are."""

import math
from collections.abc import Mapping
from statistics import NormalDist
from typing import Any, ClassVar, Self

import numpy as np

from squarely.errors import NoInferenceError
from squarely.linear.concentration import nearest_rows
from squarely.linear.doubled import Doubles
from squarely.linear.parameters import Rule, count, number, refused
from squarely.linear.passes import PassesEstimator, Settled
from squarely.linear.rows import Rows

__all__ = ["LeastTrimmedSquares"]


def _coverage(name: str, given: Any) -> Any:
    """Return a share of rows, or None for the least."""
    if given is None or 0.5 < number(given) <= 1:
        return given
    raise refused(name, given, "a share of rows that decide, above 0.5 and at most 1, or None")


class LeastTrimmedSquares(PassesEstimator):
    r"""Least squares of the h rows whose squared errors are least: up to half of the rows may be anything, anywhere.

    .. math:: \min_{b, c} \sum_{i=1}^{h} e^2_{(i)}, \qquad e^2_{(1)} \le \dots \le e^2_{(n)}

    FAST-LTS: lines through a few rows drawn at random are improved by C-steps (fit the h rows nearest to the line, again), the best go on
    until their rows stay the same, and the last fit is an exact state. Beyond 600 rows they begin in parts of them. The draws are the same
    each time. The optimum has many local ones, and is found with great probability, not surely. Where no features are far off,
    ``HuberRegression`` keeps more of the precision.

    Parameters
    ----------
    coverage : float, optional
        Share of the rows that are fitted, above 0.5 and at most 1. Without it h is (n + k + 1) // 2 for k coefficients, the most robust.
    n_starts : int, default 500
    features, fit_intercept, nan_policy
        Those of ``LinearRegression``.
    max_iter : int
        C-steps of a start, at most; a warning says where they do not end.

    Attributes
    ----------
    coef_, intercept_, rank_
    support_ : array of bool of shape (n,)
        The rows that were fitted.
    scale_ : float
        Standard deviation of the errors of those rows, made consistent for normal errors.
    n_iter_, n_passes_ : int
        C-steps that end with exact states, and how often the rows were read: starts are tried on a copy. A source is read twice, into memory.

    References
    ----------
    Rousseeuw, P. J. and Van Driessen, K. (2006), Computing LTS regression for large data sets, Data Mining and Knowledge Discovery 12,
    doi:10.1007/s10618-005-0024-4. Croux, C. and Haesbroeck, G. (1999), J. Multivariate Analysis 71(2), doi:10.1006/jmva.1999.1839 (consistency).

    Examples
    --------
    >>> x = [[each] for each in range(10)]
    >>> model = LeastTrimmedSquares().fit(x, [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 90.0, 90.0, 90.0, 90.0])
    >>> model.coef_.tolist(), model.support_.sum()
    ([1.0], np.int64(6))
    """

    _rules: ClassVar[Mapping[str, Rule]] = {**PassesEstimator._rules, "coverage": _coverage, "n_starts": count}
    _in_memory = True  # lines go through rows drawn at random
    tol = 0.0  # its steps end when rows stay the same

    def __init__(
        self,
        *,
        coverage: float | None = None,
        n_starts: int = 500,
        features: Any = None,
        fit_intercept: bool = True,
        nan_policy: str = "raise",
        max_iter: int = 100,
    ) -> None:
        self.coverage = coverage
        self.n_starts = n_starts
        self.features = features
        self.fit_intercept = fit_intercept
        self.nan_policy = nan_policy
        self.max_iter = max_iter

    def fit(self, X: Any, y: Any = None) -> Self:  # type: ignore[override]  # noqa: N803  # rows count or they do not
        """Fit to rows in memory, or to those of a source that has room there; the arguments are those of ``HuberRegression.fit``, without weights."""
        return super().fit(X, y)

    @property
    def inference_(self) -> Any:
        """None: which rows are fitted depends on their errors, and an error says so."""
        raise NoInferenceError(
            "LeastTrimmedSquares has no standard errors: those of its rows alone would be too small, for they were chosen because their errors are. "
            "TukeyRegression has them, where features are not far off."
        )

    def _settle_target(self, rows: Rows, target: Doubles) -> Settled:
        there = len(target)
        matrix = np.hstack([np.ones((there, int(rows.intercept))), rows.matrix(slice(0, there))])
        rows.passes += 1
        least = min((there + matrix.shape[1] + 1) // 2, there)
        size = least if self.coverage is None else max(least, math.ceil(float(self.coverage) * there))
        chosen = nearest_rows(matrix, target, size, self.n_starts, self.max_iter) if size < there else np.arange(there)
        step, settled = 0, False
        while not settled and step < self.max_iter:
            step += 1
            weight = np.zeros(there)
            weight[chosen] = 1
            line = rows.fitted(target, weight)
            errors = target - rows.predicted(line.coefficients, line.intercept)
            before, chosen = chosen, np.argpartition(np.abs(errors), size - 1)[:size]
            settled = float((errors[before] ** 2).sum()) <= float((errors[chosen] ** 2).sum()) * (1 + 1e-12)
        return Settled(line, step, settled, {"support_": weight == 1, "scale_": line.spread * _consistency(size / there)})


def _consistency(share: float) -> float:
    """Return the standard deviation of a normal law over that of its middle ``share``."""
    if share >= 1:
        return 1.0
    law = NormalDist()
    end = law.inv_cdf((1 + share) / 2)
    return 1 / math.sqrt(1 - 2 * end * law.pdf(end) / share)
