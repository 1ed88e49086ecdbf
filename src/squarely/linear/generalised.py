"""GeneralizedLeastSquares: errors of unequal variance, or that hang together in time or in groups."""

from collections.abc import Callable, Mapping
from types import NoneType
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from squarely.errors import DataError
from squarely.linear.doubled import Doubles
from squarely.linear.exchangeable import GroupedMoments, sums_of_groups
from squarely.linear.inference import Inference
from squarely.linear.labels import grouped
from squarely.linear.model import is_names
from squarely.linear.parameters import Rule, number, refused
from squarely.linear.passes import PassesEstimator, Settled, negligible_change, reweighted
from squarely.linear.rows import Line, Rows
from squarely.linear.summary import Summary
from squarely.linear.whitening import LaggedMoments, inference_of, line_of, root_of_covariance, whitened

__all__ = ["GeneralizedLeastSquares"]

_NAMED = ("ar1", "variances", "exchangeable")
_NO_VARIANCE = 1e-20  # of the largest
_INSIDE = 1e-12  # how far an estimated correlation stays from its bounds, where there is no covariance
_KNOWN = "Standard errors take the covariance of the errors for known."

Settle = Callable[[Rows, Doubles], Settled]


def _covariance(name: str, given: Any) -> Any:
    """Return numbers, a word, or None; whether they are covariances of the rows is said where these are known."""
    if given in (None, *_NAMED) if isinstance(given, str | NoneType) else _are_numbers(given):
        return given
    raise refused(name, given, f"covariances or variances of the errors, or one of {', '.join(map(repr, _NAMED))}")


def _rho(name: str, given: Any) -> Any:
    """Return a correlation, or None; how low it may be the rows say."""
    if given is None or -1 < number(given) < 1:
        return given
    raise refused(name, given, "a correlation of such errors, a number above -1 and below 1, or None to estimate it")


def _are_numbers(given: Any) -> bool:
    try:
        return np.asarray(given).dtype.kind in "iuf"
    except ValueError:  # rows of different lengths
        return False


class GeneralizedLeastSquares(PassesEstimator):
    r"""Least squares in the metric of the errors' covariance.

    .. math:: \min_{b, c}\, e^\top \Omega^{-1} e, \qquad e = y - c - X b

    Use it where errors have a known covariance, follow one another in time, or come in groups. Where only the standard errors are in doubt,
    ordinary least squares with robust ones assume less. Rows with weights are ``LinearRegression`` with ``sample_weight``.

    Parameters
    ----------
    covariance : array of shape (n, n) or (n,), "ar1", "variances", "exchangeable"; optional
        Covariances of the errors, or their variances, up to a factor. "ar1": errors of rows in the order of time, each ``rho`` times the one
        before and something new; the first row only serves the second, and so does one after a row that is left out. "variances": one variance
        for each group, estimated. "exchangeable": any two errors of a group correlate by ``rho``. Without it errors are independent, of one
        variance.
    rho : float, optional
        For "ar1" and "exchangeable"; estimated in turn with the coefficients, from the errors, where it is not given.
    features, fit_intercept, nan_policy
        Those of ``LinearRegression``. Given covariances are those of all rows, with those that are left out; a row without a group is refused.
    max_iter, tol : int, float
        Iterations end when predictions change by at most ``tol`` of the spread of the errors; a warning says where they do not.

    Attributes
    ----------
    coef_, intercept_, rank_
    rho_ : float
        Of "ar1" and "exchangeable".
    variances_ : dict
        Of "variances": the mean square error of each group.
    inference_ : Inference
        Standard errors, t, p and intervals, as if what was estimated of the covariance were known; R2 is Buse's. One for each target.
    n_iter_, n_passes_, n_omitted_ : int
        Iterations, how often the rows were read, and how many were left out. With "ar1" and "exchangeable" they are read twice, and once more
        for each of several targets: moments of pairs of rows, or of sums of groups, answer for every rho.

    References
    ----------
    Aitken, A. C. (1936), Proc. Royal Society of Edinburgh 55, doi:10.1017/S0370164600014346. Cochrane, D. and Orcutt, G. H. (1949), J. American
    Statistical Association 44(245), doi:10.1080/01621459.1949.10483290. Liang, K.-Y. and Zeger, S. L. (1986), Biometrika 73(1),
    doi:10.1093/biomet/73.1.13. Buse, A. (1973), The American Statistician 27(3), doi:10.1080/00031305.1973.10479003.

    Examples
    --------
    >>> model = GeneralizedLeastSquares(covariance="ar1", rho=0.5).fit([[1.0], [2.0], [3.0], [4.0]], [3.1, 4.9, 7.2, 8.8])
    >>> model.coef_.round(10).tolist(), model.n_passes_
    ([1.85], 2)
    """

    inference_: Any
    _rules: ClassVar[Mapping[str, Rule]] = {**PassesEstimator._rules, "covariance": _covariance, "rho": _rho}

    def __init__(
        self,
        *,
        covariance: Any = None,
        rho: float | None = None,
        features: Any = None,
        fit_intercept: bool = True,
        nan_policy: str = "raise",
        max_iter: int = 500,
        tol: float = 1e-12,
    ) -> None:
        self.covariance = covariance
        self.rho = rho
        self.features = features
        self.fit_intercept = fit_intercept
        self.nan_policy = nan_policy
        self.max_iter = max_iter
        self.tol = tol

    def fit(self, X: Any, y: Any = None, groups: Any = None) -> Self:  # noqa: N803  # weights are variances here
        """Fit to rows, which are read ``n_passes_`` times.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n, p), or a data frame
            Or anything that ``sq.evaluate`` reads more than once, such as a path, where y names columns of it. Of its rows the targets are kept,
            and of its groups the sums of their features; only beside covariances of all pairs of rows the features are in memory too.
        y : array-like of shape (n,) or (n, t), or names of columns
        groups : array-like of shape (n,), or the name of a column; optional
            The group of each row, where the covariance is "variances" or "exchangeable". Rows of a group need not stand together.

        Returns
        -------
        the estimator
        """
        self._check(y, groups)
        rows = self._opened(X, y, None, groups)
        settle = self._way(rows)
        return self._conclude(rows, [settle(rows, target) for target in np.ascontiguousarray(rows.targets.T)])

    def summary(self, *, confidence: float = 0.95) -> Summary:
        """Return coefficients, standard errors and intervals as one table for each target; print it.

        Examples
        --------
        >>> model = GeneralizedLeastSquares(covariance="ar1").fit([[1.0], [2.0], [3.0], [4.0], [6.0]], [3.1, 4.9, 7.2, 8.8, 13.5])
        >>> print(model.summary())  # doctest: +ELLIPSIS
        GeneralizedLeastSquares of y
        ...
        """
        self._fitted()
        found = [self.inference_] if self._flat else list(self.inference_)
        return Summary.of_passes(type(self).__name__, self._targets, found, confidence, self.n_passes_, self.n_omitted_, _KNOWN)

    @property
    def _in_memory(self) -> bool:  # type: ignore[override]
        """Covariances of all pairs of rows take more memory than the features of these."""
        covariance = self._given_covariance()
        return covariance is not None and covariance.ndim == 2

    def _check(self, y: Any, groups: Any) -> None:
        """Refuse what does not go together."""
        named = self.covariance if isinstance(self.covariance, str) else None
        needed = named in ("variances", "exchangeable")
        if needed == (groups is None):
            raise DataError(
                f"covariance={named!r} needs groups. Give the group of each row: fit(X, y, groups=...)."
                if needed
                else 'groups were given, and a covariance without groups. Give covariance="variances" or "exchangeable", or leave groups out.'
            )
        if groups is not None and is_names(y) != isinstance(groups, str):
            raise DataError(
                f"groups is a {type(groups).__name__}, and y names columns of a source; expected the name of a column of groups."
                if is_names(y)
                else f"groups is {groups[:60]!r}, the name of a column, and y is no name of one. Give the group of each row, or name y too."
            )
        if self.rho is not None and named not in ("ar1", "exchangeable"):
            raise DataError(
                f'rho={self.rho!r} was given, and covariance={named!r} has none. Give covariance="ar1" or "exchangeable", or leave rho out.'
            )

    def _way(self, rows: Rows) -> Settle:
        """Return the function that fits one target."""
        if rows.groups is None:
            if isinstance(self.covariance, str):
                return lambda rows, target: self._correlated(rows, target, LaggedMoments.of(rows, target))
            return _fixed(rows, self._given_covariance())
        labels, codes = grouped(rows.groups)
        if self.covariance == "variances":
            return lambda rows, target: self._unequal(rows, target, labels, codes)
        return lambda rows, target: self._correlated(rows, target, GroupedMoments.of(rows, target, codes))

    def _given_covariance(self) -> Doubles | None:
        return None if self.covariance is None or isinstance(self.covariance, str) else np.asarray(self.covariance).astype(np.float64)

    def _correlated(self, rows: Rows, target: Doubles, moments: LaggedMoments | GroupedMoments) -> Settled:
        if self.rho is not None:
            rho = _above(moments.lowest, self.rho)
            return _settled(line_of(moments.equations(rho), intercept=rows.intercept), rows, rho_=rho)
        line, negligible = rows.ordinary(target), negligible_change(target)
        for iteration in range(1, self.max_iter + 1):
            rho = min(max(moments.rho(line), moments.lowest + _INSIDE), 1 - _INSIDE)
            before, line = line, line_of(moments.equations(rho), intercept=rows.intercept)
            if iteration > 1 and line.change(before) <= self.tol * line.spread + negligible:
                return _settled(line, rows, iteration, rho_=rho)
        return _settled(line, rows, self.max_iter, converged=False, rho_=rho)

    def _unequal(self, rows: Rows, target: Doubles, labels: list[Any], codes: npt.NDArray[np.intp]) -> Settled:
        sizes = np.bincount(codes)
        variances = np.ones(len(labels))

        def weigh(errors: Doubles) -> Doubles:
            variances[:] = sums_of_groups((errors**2,), codes, len(labels)).high / sizes
            least = int(variances.argmin())
            if variances[least] <= _NO_VARIANCE * variances.max():  # the likelihood has no maximum: it grows as this goes to 0
                raise DataError(f"the group {labels[least]!r} is fitted without error, so it has no variance. Join it with another, or leave it out.")
            weights: Doubles = (variances.min() / variances)[codes]
            return weights

        line, iterations, converged = reweighted(rows, target, weigh, self.tol, self.max_iter)
        weigh(rows.predicted(line.coefficients, line.intercept) - target)  # of the errors in the end
        known = {"variances_": dict(zip(labels, variances.tolist(), strict=True))}
        return _told(line, iterations, converged, **known)


def _fixed(rows: Rows, covariance: Doubles | None) -> Settle:
    """Return the function that fits one target where nothing of the covariance is estimated."""
    if covariance is None:
        return lambda rows, target: _told(rows.ordinary(target))
    count = rows.features.rows + rows.omitted
    if covariance.shape not in ((count,), (count, count)) or not np.isfinite(covariance).all():
        raise DataError(
            f"covariance has shape {covariance.shape}, for {count} rows; expected finite numbers of shape ({count},) or ({count}, {count})."
        )
    if covariance.ndim == 2:
        root = root_of_covariance(covariance if rows.places is None else covariance[np.ix_(rows.places, rows.places)])
        return lambda rows, target: _settled(
            line_of(whitened(rows, target, lambda matrix: np.linalg.solve(root, matrix)), intercept=rows.intercept), rows
        )
    if not (covariance > 0).all():
        at = int(np.flatnonzero(covariance <= 0)[0])
        raise DataError(f"covariance at index {at:,} is {covariance[at]}; expected variances above 0. Give every error a variance.")
    weight = covariance.min() / (covariance if rows.places is None else covariance[rows.places])
    return lambda rows, target: _told(rows.fitted(target, weight))


def _told(line: Line, iterations: int = 1, converged: bool = True, **known: Any) -> Settled:
    """Return what weighted least squares came to."""
    return Settled(line, iterations, converged, {"inference_": Inference.of(line.equations, line.equations.coefficients), **known})


def _settled(line: Line, rows: Rows, iterations: int = 1, *, converged: bool = True, **known: Any) -> Settled:
    """Return what equations whose first feature is the intercept came to."""
    known |= {"inference_": inference_of(line.equations, intercept=rows.intercept), "rank_": line.equations.factor.rank - rows.intercept}
    return Settled(line, iterations, converged, known)


def _above(lowest: float, rho: float) -> float:
    if float(rho) > lowest:
        return float(rho)
    raise DataError(f"rho={rho!r} is no correlation of such errors; expected a number above {lowest:.6g} and below 1.")
