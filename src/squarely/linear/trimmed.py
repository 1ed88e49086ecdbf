"""LeastTrimmedSquares: least squares of the rows that fit best, however wild the others are."""

import math
from collections.abc import Iterator
from numbers import Real
from statistics import NormalDist
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from squarely.errors import DataError, NoInferenceError
from squarely.linear.doubled import Doubles
from squarely.linear.passes import PassesEstimator, Settled
from squarely.linear.rows import Rows

__all__ = ["LeastTrimmedSquares"]

Indices = npt.NDArray[np.intp]
_SEARCHED = 1500  # rows that starts are tried on; the best of them go on with all rows
_BEST = 10
_FIRST_STEPS = 2


class LeastTrimmedSquares(PassesEstimator):
    r"""Least squares of the h rows whose squared errors are least: up to half of the rows may be anything, anywhere.

    .. math:: \min_{b, c} \sum_{i=1}^{h} e^2_{(i)}, \qquad e^2_{(1)} \le \dots \le e^2_{(n)}

    FAST-LTS: lines through a few rows drawn at random are improved by C-steps (fit the h rows nearest to the line, again), the best go on
    until their rows stay the same, and the last fit is an exact state. The draws are the same each time. The optimum has many local ones, and
    is found with great probability, not surely. Where no features are far off, ``HuberRegression`` keeps more of the precision.

    Parameters
    ----------
    coverage : float, optional
        Share of the rows that are fitted, above 0.5 and at most 1. Without it h is (n + k + 1) // 2 for k coefficients, the most robust.
    n_starts : int, default 500
    features, fit_intercept
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
        C-steps that end with exact states, and how often the rows were read: starts are tried on a copy.

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

    tol = 0.0  # its steps end when rows stay the same

    def __init__(
        self, *, coverage: float | None = None, n_starts: int = 500, features: Any = None, fit_intercept: bool = True, max_iter: int = 100
    ) -> None:
        self.coverage = coverage
        self.n_starts = n_starts
        self.features = features
        self.fit_intercept = fit_intercept
        self.max_iter = max_iter

    def fit(self, X: Any, y: Any = None) -> Self:  # type: ignore[override]  # noqa: N803  # rows count or they do not
        """Fit to rows in memory; the arguments are those of ``LinearRegression.fit``, without weights."""
        return super().fit(X, y)

    @property
    def inference_(self) -> Any:
        """None: which rows are fitted depends on their errors, and an error says so."""
        raise NoInferenceError(
            "LeastTrimmedSquares has no standard errors: those of its rows alone would be too small, for they were chosen because their errors are. "
            "TukeyRegression has them, where features are not far off."
        )

    def _settle_target(self, rows: Rows, target: Doubles) -> Settled:
        count = len(target)
        matrix = np.hstack([np.ones((count, int(rows.intercept))), rows.matrix(slice(0, count))])
        rows.passes += 1
        matrix = matrix / np.maximum(np.abs(matrix).max(axis=0), np.finfo(np.float64).tiny)
        least = min((count + matrix.shape[1] + 1) // 2, count)
        size = least if self.coverage is None else max(least, math.ceil(_checked(self.coverage) * count))
        chosen = _search(matrix, target, size, self.n_starts, self.max_iter)
        step, settled = 0, False
        while not settled and step < self.max_iter:
            step += 1
            weight = np.zeros(count)
            weight[chosen] = 1
            line = rows.fitted(target, weight)
            errors = target - rows.predicted(line.coefficients, line.intercept)
            before, chosen = chosen, _nearest(errors, size)
            settled = float((errors[before] ** 2).sum()) <= float((errors[chosen] ** 2).sum()) * (1 + 1e-12)
        return Settled(line, step, settled, {"support_": weight == 1, "scale_": line.spread * _consistency(size / count)})


def _search(matrix: Doubles, target: Doubles, size: int, starts: int, most: int) -> Indices:
    """Return the rows of the best line that starts came to."""
    rng = np.random.default_rng(0)
    count, width = matrix.shape
    some = np.sort(rng.permutation(count)[:_SEARCHED])
    share = -(-size * len(some) // count)
    tried: list[tuple[float, int, Doubles]] = []
    for _ in range(starts if size < count else 1):
        drawn = some[rng.permutation(len(some))[:width]]
        line = _solved(matrix, target, drawn)
        squares, line = list(_steps(matrix[some], target[some], line, share, _FIRST_STEPS))[-1]
        tried.append((squares, len(tried), line))
    ended = [list(_steps(matrix, target, line, size, most))[-1] for _, _, line in sorted(tried, key=lambda each: each[:2])[:_BEST]]
    best = min(ended, key=lambda each: each[0])[1]
    return _nearest(target - matrix @ best, size)


def _steps(matrix: Doubles, target: Doubles, line: Doubles, size: int, most: int) -> Iterator[tuple[float, Doubles]]:
    """Yield the sum of trimmed squares, and the line, after each C-step; the sum never grows."""
    before = math.inf
    for _ in range(most):
        chosen = _nearest(target - matrix @ line, size)
        line = _solved(matrix, target, chosen)
        squares = float(((target - matrix @ line)[chosen] ** 2).sum())
        yield squares, line
        if squares >= before * (1 - 1e-12):
            return
        before = squares


def _solved(matrix: Doubles, target: Doubles, rows: Indices) -> Doubles:
    return np.asarray(np.linalg.lstsq(matrix[rows], target[rows], rcond=None)[0], np.float64)


def _nearest(errors: Doubles, size: int) -> Indices:
    return np.argsort(np.abs(errors), kind="stable")[:size]


def _consistency(share: float) -> float:
    """Return the standard deviation of a normal law over that of its middle ``share``."""
    if share >= 1:
        return 1.0
    law = NormalDist()
    end = law.inv_cdf((1 + share) / 2)
    return 1 / math.sqrt(1 - 2 * end * law.pdf(end) / share)


def _checked(coverage: Any) -> float:
    if isinstance(coverage, Real) and 0.5 < float(coverage) <= 1:
        return float(coverage)
    raise DataError(f"coverage={coverage!r} is no share of rows that decide; expected a number above 0.5 and at most 1, or None.")
