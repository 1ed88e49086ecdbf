"""LinearRegression: ordinary and weighted least squares."""

from typing import Any

from squarely.linear.doubled import Doubles
from squarely.linear.equations import NormalEquations
from squarely.linear.examined import Examined
from squarely.state import Dyadic

__all__ = ["LinearRegression"]


class LinearRegression(Examined):
    r"""Least squares, right to the last digit that the data allow.

    .. math:: \min_{b, c} \sum_i w_i (y_i - c - x_i^\top b)^2

    The moments of the rows are kept exactly, centred exactly and solved with 32 digits and exact residuals, so the coefficients are those of
    the numbers given, rounded once: the same bits for any order of rows, chunks or threads, and for estimators merged of parts.

    A feature that depends on those before it is never dropped in silence: it is named in a warning, its coefficient is 0 and its standard
    error nan. Do not use it with more than some thousand features: its state is the square of that.

    Parameters
    ----------
    features : sequence of str and terms, optional
        Such as ``["a", poly("b", 3), interaction("a", "b"), category("c")]``; every column where none are named. Columns of text are
        categories.
    fit_intercept : bool, default True
    nan_policy : "raise" or "omit"
        What a missing or infinite value in X, y or the weights does: an error says where it is, or its row is left out and counted. A level
        of a category may be missing too. Of a frame or source only those columns count that are read.

    Attributes
    ----------
    coef_ : array of shape (p,), or (t, p) where y has two dimensions
    intercept_ : float or array of shape (t,)
    rank_ : int
        How many features are independent, of centred columns each on its own scale.
    state_ : GramState
        What was seen; ``from_state`` makes an estimator of it, or of the sum or difference of several.
    n_omitted_ : int
        Rows that were left out; what takes the rows again takes them without these.
    inference_ : Inference
        Standard errors, t, p and intervals with the intercept first; R2 and the standard deviation of residuals.

    References
    ----------
    NIST Statistical Reference Datasets, Linear Least Squares Regression, https://www.itl.nist.gov/div898/strd/lls/lls.shtml.

    Examples
    --------
    >>> model = LinearRegression().fit([[1.0], [2.0], [3.0], [4.0]], [3.1, 4.9, 7.2, 8.8])
    >>> model.coef_.tolist(), round(model.intercept_, 10)
    ([1.9400000000000002], 1.15)
    >>> model.inference_.names, model.inference_.p_values[:, 0].round(4).tolist()
    (('intercept', 'x0'), [0.0435, 0.0022])
    >>> north, south = LinearRegression().fit([[1.0], [2.0]], [3.1, 4.9]), LinearRegression().fit([[3.0], [4.0]], [7.2, 8.8])
    >>> north.merge(south).coef_ == model.coef_
    array([ True])
    """

    _of_any_size = True

    def __init__(self, *, features: Any = None, fit_intercept: bool = True, nan_policy: str = "raise") -> None:
        self.features = features
        self.fit_intercept = fit_intercept
        self.nan_policy = nan_policy

    def _solve(self, equations: NormalEquations) -> Dyadic:
        self._warn_of_dependence(equations)
        self.rank_ = equations.factor.rank
        self.__dict__.pop("inference_", None)
        return equations.coefficients

    @property
    def standard_errors_(self) -> Doubles:
        """Standard errors of the coefficients, in their shape."""
        return self._of_features(self.inference_.standard_errors)

    @property
    def t_values_(self) -> Doubles:
        """Coefficients over their standard errors."""
        return self._of_features(self.inference_.t_values)

    @property
    def p_values_(self) -> Doubles:
        """Probability of so large a t where the coefficient is 0."""
        return self._of_features(self.inference_.p_values)

    @property
    def r2_(self) -> Doubles | float:
        """R2 on the rows of the fit."""
        return self._of_target(self.inference_.r2)

    @property
    def residual_std_(self) -> Doubles | float:
        """Standard deviation of the residuals: over the degrees of freedom that are left."""
        return self._of_target(self.inference_.residual_std)

    def confidence_intervals(self, confidence: float = 0.95) -> Doubles:
        """Return the ends of the intervals of the coefficients, along the last axis; student's t."""
        return self._of_features(self.inference_.intervals(confidence))

    def _of_features(self, values: Doubles) -> Doubles:
        features = values[int(self.equations_.intercept) :].swapaxes(0, 1)
        return features[0] if self._flat else features

    def _of_target(self, values: Doubles) -> Doubles | float:
        return float(values[0]) if self._flat else values
