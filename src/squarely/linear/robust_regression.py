"""Regression that outliers cannot rule: M-estimates by iteratively reweighted least squares, with the weights of the table of losses."""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from squarely.errors import DataError
from squarely.linear.asymptotic import AsymptoticEstimator, AsymptoticInference, freedom_of, of_common_shape
from squarely.linear.doubled import Doubles
from squarely.linear.parameters import Rule, number, refused
from squarely.linear.passes import Settled, reweighted
from squarely.linear.rows import Line, Rows
from squarely.losses.kernels import KERNELS, checked

__all__ = ["HuberRegression", "StudentTRegression", "TukeyRegression", "median_size"]

_QUARTILE = 0.6744897501960817  # of the standard normal law


def median_size(errors: Doubles, weight: Doubles | None) -> float:
    """Return the median of absolute errors, where a weight of 2 is a row given twice; the mean of both where two are in the middle."""
    sizes = np.abs(errors)
    if weight is None:
        return float(np.median(sizes))
    there = np.flatnonzero(weight)
    order = there[np.argsort(sizes[there], kind="stable")]
    below = np.cumsum(weight[order])
    at = int(np.searchsorted(below, below[-1] / 2))
    beside = at + 1 if below[at] == below[-1] / 2 else at
    return float(sizes[order[at]] + sizes[order[beside]]) / 2


def _scale(name: str, given: Any) -> Any:
    """Return the size of an ordinary error, or 'mad'."""
    if (isinstance(given, str) and given == "mad") or 0 < number(given) < np.inf:
        return given
    raise refused(name, given, "the size of an ordinary error, a finite number above 0, or 'mad' to estimate it")


class _MRegression(AsymptoticEstimator):
    """An M-estimate with the omega weights of a kernel whose settings are in units of the scale."""

    _rules: ClassVar[Mapping[str, Rule]] = {**AsymptoticEstimator._rules, "scale": _scale}
    scale: Any
    _kernel: ClassVar[str]

    def _settings(self) -> Mapping[str, float]:
        """Return the settings of the kernel."""
        raise NotImplementedError

    def _settle_target(self, rows: Rows, target: Doubles) -> Settled:
        declared = KERNELS[self._kernel]
        settings = checked(declared, self._settings())
        given = None if self.scale == "mad" else float(self.scale)
        known: dict[str, Any] = {}
        sizes = np.zeros_like(target)

        def weigh(errors: Doubles) -> Doubles | None:
            known["scale_"] = scale = given or median_size(errors, rows.weight) / _QUARTILE
            if not scale:  # half of the rows or more lie on the line
                known["weights_"] = (errors == 0).astype(np.float64)
                return None
            nonlocal sizes
            with np.errstate(over="ignore"):
                sizes = np.clip(errors / scale, -1e150, 1e150)  # beyond, squares overflow and weights are 0 in every type
            known["weights_"] = weights = np.asarray(declared.omega(np, sizes, **settings), np.float64)
            if not rows.weighted(weights).any():
                raise DataError(f"scale={scale!r} is so small that every error is too large to count. Give a larger one, or 'mad' to estimate it.")
            return weights

        line, iterations, converged = reweighted(rows, target, weigh, self.tol, self.max_iter)
        psi, slope = (np.asarray(function(np, sizes, **settings), np.float64) for function in (declared.psi, declared.kappa))
        known["inference_"] = _inference(rows, line, psi, slope, known["scale_"])
        return Settled(line, iterations, converged, known)


def _inference(rows: Rows, line: Line, psi: Doubles, slope: Doubles, scale: float) -> AsymptoticInference:
    r"""Return H1 of Huber (1981), of rows of one law: :math:`K^2 s^2 \frac{\sum \psi^2 / (n - k)}{(\sum \psi' / n)^2} (X^\top X)^{-1}`.

    :math:`K = 1 + k \operatorname{var}(\psi') / (n \operatorname{mean}(\psi')^2)` mends it to the next order; nan where the scale is 0.
    """
    n, freedom = rows.count, freedom_of(rows)
    mean = np.average(slope, weights=rows.weight)
    factor = np.nan
    if scale and mean and freedom > 0:
        correction = 1 + (n - freedom) / n * np.average((slope - mean) ** 2, weights=rows.weight) / mean**2
        factor = correction**2 * np.sum(rows.weighted(psi**2)) / freedom * scale**2 / mean**2
    return AsymptoticInference.of(rows, line, of_common_shape(rows.equations, factor), "H1")


class HuberRegression(_MRegression):
    r"""Least squares of small errors, least absolute errors of large ones: Huber's M-estimate.

    .. math:: \min_{b, c} \sum_i w_i\, \rho_\delta\!\left(\frac{y_i - c - x_i^\top b}{s}\right)

    Errors beyond ``delta`` scales pull with a bounded force. Rows whose features are far from all others still rule the line:
    use ``LeastTrimmedSquares`` where that may be. Each iteration reads the rows twice.

    Parameters
    ----------
    delta : float, default 1.345
        In units of the scale; this one keeps 95 % of the precision at normal errors.
    scale : "mad" or float
        "mad" is the median absolute error over 0.6745, taken again in each iteration.
    features, fit_intercept, nan_policy
        Those of ``LinearRegression``.
    max_iter, tol : int, float
        Iterations end when predictions change by at most ``tol`` of the spread of the errors (root mean square); a warning says where they do not.

    Attributes
    ----------
    coef_, intercept_, rank_
    scale_ : float
    weights_ : array of shape (n,)
        What each row counted in the end, before its sample weight: 1 where its error is small.
    inference_ : AsymptoticInference
        Standard errors, z, p and intervals, which rest on independent errors of one law; one for each target.
    n_iter_, n_passes_ : int
        Iterations, and how often the rows were read, for all targets together.

    References
    ----------
    Huber, P. J. (1964), Annals of Mathematical Statistics 35(1), doi:10.1214/aoms/1177703732. Huber, P. J. (1981), Robust Statistics, 7.6,
    doi:10.1002/0471725250 (covariances). Holland, P. W. and Welsch, R. E. (1977), Communications in Statistics A 6(9),
    doi:10.1080/03610927708827533.

    Examples
    --------
    >>> model = HuberRegression().fit([[each] for each in range(8)], [0.1, 0.9, 2.1, 2.9, 4.1, 4.9, 6.1, 30.0])
    >>> model.coef_.round(3).tolist(), model.weights_.round(2).tolist()
    ([1.033], [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.01])
    """

    _kernel = "huber_loss"

    def __init__(
        self,
        *,
        delta: float = 1.345,
        scale: Any = "mad",
        features: Any = None,
        fit_intercept: bool = True,
        nan_policy: str = "raise",
        max_iter: int = 200,
        tol: float = 1e-12,
    ) -> None:
        self.delta = delta
        self.scale = scale
        self.features = features
        self.fit_intercept = fit_intercept
        self.nan_policy = nan_policy
        self.max_iter = max_iter
        self.tol = tol

    def _settings(self) -> Mapping[str, float]:
        return {"delta": self.delta}


class TukeyRegression(_MRegression):
    r"""Least squares that leave out what is far: Tukey's biweight M-estimate.

    .. math:: \omega(u) = \left(1 - (u / c)^2\right)^2 \text{ for } |u| < c, \text{ else } 0, \qquad u = (y - \hat y) / s

    It has several local solutions and begins at ordinary least squares, so that outliers which those follow may be followed here too.
    Parameters, attributes and iterations are those of ``HuberRegression``, with ``c`` in the place of ``delta``.

    Parameters
    ----------
    c : float, default 4.685
        In units of the scale; this one keeps 95 % of the precision at normal errors.
    scale, features, fit_intercept, nan_policy, max_iter, tol
        Those of ``HuberRegression``.

    References
    ----------
    Beaton, A. E. and Tukey, J. W. (1974), Technometrics 16(2), doi:10.1080/00401706.1974.10489171.

    Examples
    --------
    >>> model = TukeyRegression().fit([[each] for each in range(8)], [0.1, 0.9, 2.1, 2.9, 4.1, 4.9, 6.1, 30.0])
    >>> model.coef_.round(3).tolist(), model.weights_.round(2).tolist()
    ([1.0], [0.97, 0.95, 0.97, 0.95, 0.97, 0.95, 0.97, 0.0])
    """

    _kernel = "tukey_loss"

    def __init__(
        self,
        *,
        c: float = 4.685,
        scale: Any = "mad",
        features: Any = None,
        fit_intercept: bool = True,
        nan_policy: str = "raise",
        max_iter: int = 500,
        tol: float = 1e-12,
    ) -> None:
        self.c = c
        self.scale = scale
        self.features = features
        self.fit_intercept = fit_intercept
        self.nan_policy = nan_policy
        self.max_iter = max_iter
        self.tol = tol

    def _settings(self) -> Mapping[str, float]:
        return {"c": self.c}


class StudentTRegression(_MRegression):
    r"""The likelihood of errors with Student's law of ``df`` degrees of freedom, at a scale that is given or the median absolute error.

    .. math:: \min_{b, c} \sum_i w_i \frac{\nu + 1}{2} \log\left(1 + \frac{(y_i - c - x_i^\top b)^2}{\nu s^2}\right)

    It is not convex and begins at ordinary least squares. With scale="mad" it is no maximum of the likelihood in the scale.
    Parameters, attributes and iterations are those of ``HuberRegression``, with ``df`` in the place of ``delta``.

    Parameters
    ----------
    df : float, default 4
        Degrees of freedom: the fewer, the heavier the tails.
    scale, features, fit_intercept, nan_policy, max_iter, tol
        Those of ``HuberRegression``; the scale is that of the law, not its standard deviation.

    References
    ----------
    Lange, K. L., Little, R. J. A. and Taylor, J. M. G. (1989), J. American Statistical Association 84(408),
    doi:10.1080/01621459.1989.10478852.

    Examples
    --------
    >>> model = StudentTRegression().fit([[each] for each in range(8)], [0.1, 0.9, 2.1, 2.9, 4.1, 4.9, 6.1, 30.0])
    >>> model.coef_.round(3).tolist()
    [1.001]
    """

    _kernel = "student_t_loss"

    def __init__(
        self,
        *,
        df: float = 4.0,
        scale: Any = "mad",
        features: Any = None,
        fit_intercept: bool = True,
        nan_policy: str = "raise",
        max_iter: int = 500,
        tol: float = 1e-12,
    ) -> None:
        self.df = df
        self.scale = scale
        self.features = features
        self.fit_intercept = fit_intercept
        self.nan_policy = nan_policy
        self.max_iter = max_iter
        self.tol = tol

    def _settings(self) -> Mapping[str, float]:
        return {"df": self.df}
