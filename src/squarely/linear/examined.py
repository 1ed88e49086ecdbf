"""What a fit can be asked beside its coefficients: robust errors, intervals of new rows, likelihood, influence, summary."""

from functools import cached_property
from typing import Any

import numpy as np

from squarely.errors import DataError
from squarely.evaluate import library_of
from squarely.linear.again import Again, Coordinates
from squarely.linear.assumptions import FitDiagnosis, diagnosis_of
from squarely.linear.doubled import Doubled
from squarely.linear.estimator import GramEstimator
from squarely.linear.inference import Inference
from squarely.linear.influence import Influence, influence_of
from squarely.linear.likelihood import Likelihood
from squarely.linear.plots import Plot, plot_of
from squarely.linear.prediction import Prediction
from squarely.linear.robust import RobustInference, robust_inference
from squarely.linear.summary import Summary
from squarely.validate import blocks

__all__ = ["Examined"]


class Examined(GramEstimator):
    """An unpenalised fit, of which more is known than its coefficients.

    What moments do not know takes the rows of the fit once more, in constant memory: arrays, frames, or what ``fit`` reads by names of
    columns. Rows that are not those of the fit are refused.
    """

    @cached_property
    def inference_(self) -> Inference:
        """Standard errors, t, p and intervals; they rest on independent errors of equal variance."""
        self._fitted()
        return Inference.of(self.equations_, self.exact_coef_)

    def robust(
        self,
        X: Any,  # noqa: N803  # scikit-learn's name
        y: Any,
        sample_weight: Any = None,
        *,
        kind: str = "HC3",
        groups: Any = None,
        lags: int | None = None,
    ) -> RobustInference:
        r"""Return the inference that does not rest on errors of equal variance, or not on independent ones.

        .. math:: (Z^\top Z)^{-1} \Big(\sum_i z_i z_i^\top \frac{e_i^2}{(1 - h_i)^2}\Big) (Z^\top Z)^{-1} \quad (\text{HC3})

        Parameters
        ----------
        X, y, sample_weight
            The rows of the fit.
        kind : "HC0", "HC1", "HC2", "HC3", "cluster" or "HAC"
            Against unequal variances; against dependence within groups too; against that of neighbours in time too (Newey and West).
        groups : array-like of shape (n,), or the name of a column
            The cluster of each row; with G of them t has G - 1 degrees of freedom.
        lags : int, optional
            How far neighbours depend on each other; without, 4 (n / 100)^(2/9). A row of weight 0 keeps its place in time.

        Returns
        -------
        RobustInference
            With the names of ``inference_``. Its p-values and intervals are those of t, statsmodels' with ``use_t=True``.

        References
        ----------
        MacKinnon, J. G. and White, H. (1985), J. Econometrics 29(3), doi:10.1016/0304-4076(85)90158-7. Newey, W. K. and West, K. D. (1987),
        Econometrica 55(3), doi:10.2307/1913610.

        Examples
        --------
        >>> from squarely.linear import LinearRegression
        >>> x, y = [[1.0], [2.0], [3.0], [4.0], [5.0]], [1.0, 2.1, 2.8, 4.4, 4.1]
        >>> LinearRegression().fit(x, y).robust(x, y, kind="HC1").standard_errors.round(4).tolist()
        [[0.3255], [0.1584]]
        """
        self._fitted()
        return robust_inference(Again(self, X, y, sample_weight, groups, in_sums=True), kind, lags)

    def prediction(self, X: Any) -> Prediction:  # noqa: N803
        """Return predictions of new rows with intervals, of the mean and of single rows.

        Examples
        --------
        >>> from squarely.linear import LinearRegression
        >>> model = LinearRegression().fit([[1.0], [2.0], [3.0], [4.0]], [3.1, 4.9, 7.2, 8.8])
        >>> model.prediction([[5.0]]).prediction_intervals(0.9).round(2).tolist()
        [[9.92, 11.78]]
        """
        mean = self.predict(X)
        coordinates, rows = Coordinates(self.equations_, self.exact_coef_), self._dense(X, first=False)
        errors = np.empty(rows.rows)
        for part in blocks(rows.rows, rows.columns):
            columns = rows.read(part)
            q = coordinates.orthonormal(coordinates.centred(columns) if columns else Doubled.zeros(0, part.stop - part.start))
            errors[part] = np.sqrt((q * q).sum(axis=0))
        std = self.inference_.residual_std
        each = errors * std[0] if self._flat else errors[:, None] * std
        return Prediction(mean, each, float(std[0]) if self._flat else std, self.inference_.freedom, library_of(X))

    def likelihood(self, sample_weight: Any = None) -> Likelihood:
        """Return the likelihood of the fit with normal errors, which least squares make largest; a weighted fit takes its weights again.

        Examples
        --------
        >>> from squarely.linear import LinearRegression
        >>> found = LinearRegression().fit([[1.0], [2.0], [3.0], [4.0]], [3.1, 4.9, 7.2, 8.8]).likelihood()
        >>> found.log_likelihood.round(3).tolist(), found.aic.round(3).tolist()
        ([2.099], [-0.198])
        >>> bool(found.at([1.9], found.variance)[0] < found.log_likelihood[0])
        True
        """
        self._fitted()
        return Likelihood.of(self.equations_, self.exact_coef_, sample_weight)

    def influence(
        self,
        X: Any,  # noqa: N803
        y: Any,
        sample_weight: Any = None,
        *,
        top: int | None = None,
        by: str = "cooks_distances",
    ) -> Influence:
        """Return what each row does to the fit: leverages, residuals, Cook's distances, DFFITS, DFBETAS, errors without the row.

        Parameters
        ----------
        X, y, sample_weight
            The rows of the fit.
        top : int, optional
            Only so many rows, those where ``by`` is largest; the others take no memory.
        by : str
            A name of a measure.

        Examples
        --------
        >>> from squarely.linear import LinearRegression
        >>> x, y = [[1.0], [2.0], [3.0], [4.0], [10.0]], [1.0, 2.1, 2.8, 4.4, 4.1]
        >>> found = LinearRegression().fit(x, y).influence(x, y)
        >>> found.leverages.round(2).tolist(), found.largest(1).rows.tolist()
        ([0.38, 0.28, 0.22, 0.2, 0.92], [4])
        """
        self._fitted()
        return influence_of(Again(self, X, y, sample_weight), top, by, library_of(X))

    def summary(self, *, confidence: float = 0.95, inference: Inference | None = None, sample_weight: Any = None) -> Summary:
        """Return the table that users of statsmodels know, from the moments alone; print it.

        ``inference=model.robust(X, y)`` shows robust standard errors. A weighted fit has its likelihood where ``sample_weight`` is given.

        Examples
        --------
        >>> from squarely.linear import LinearRegression
        >>> print(LinearRegression().fit([[1.0], [2.0], [3.0], [4.0]], [3.1, 4.9, 7.2, 8.8]).summary())  # doctest: +ELLIPSIS
        Least squares of y
        ...
        """
        self._fitted()
        own = self.inference_
        if inference is not None and (inference.names != own.names or not np.array_equal(inference.estimates, own.estimates, equal_nan=True)):
            raise DataError(f"inference is that of another fit, on {', '.join(inference.names)[:60]}. Give one of this model, as model.robust(X, y).")
        return Summary.of(self.equations_, self.exact_coef_, inference or own, confidence, sample_weight, self.n_omitted_)

    def diagnose(
        self,
        X: Any,  # noqa: N803
        y: Any,
        sample_weight: Any = None,
        *,
        order: bool = False,
        groups: Any = None,
        instruments: Any = None,
        endogenous: Any = None,
    ) -> FitDiagnosis:
        r"""Say what is wrong with the fit, how much it matters, and what mends it; and which assumptions of least squares hold.

        .. math:: \text{finding} \iff \text{effect} > \text{threshold} \;\text{and}\; p_\text{Holm} < 0.05

        The checks of ``sq.diagnose`` judge the errors, which are held in memory; those of docs/checks.md that need features join them, as one
        battery with one correction. Effects decide, p-values guard against few rows.

        Parameters
        ----------
        X, y, sample_weight
            The rows of the fit.
        order : bool
            Whether the rows lie in order of time.
        groups : array-like of shape (n,), or the name of a column
            Rows whose errors may go together, or differ in variance.
        instruments : array-like of shape (n, q), optional
            What drives features and not the errors; without, exogeneity is not testable.
        endogenous : sequence of str, optional
            The features that may go with the errors; all of them where none are named.

        Returns
        -------
        FitDiagnosis
            Print it; ``assumptions`` is the table of Gauss and Markov, and ``to_html("page.html")`` writes all of it with pictures.

        Raises
        ------
        DataError
            Where the rows are not those of the fit, or there are too few of them.

        Examples
        --------
        >>> import numpy as np
        >>> from squarely.linear import LinearRegression
        >>> x = np.linspace(0, 4, 200)[:, None]
        >>> y = x[:, 0] ** 2 + 0.1 * np.cos(97 * x[:, 0])
        >>> found = LinearRegression().fit(x, y).diagnose(x, y)
        >>> found["SQ006"].fix
        'add the square of x0, or a logarithm or a spline of it'
        >>> found.assumptions[0].verdict, found.assumptions[2].verdict
        ('violated', 'not testable')
        """
        self._fitted()
        return diagnosis_of(Again(self, X, y, sample_weight, groups), order, instruments, endogenous)

    def plot(
        self,
        X: Any,  # noqa: N803
        y: Any,
        sample_weight: Any = None,
        *,
        kind: str = "influence",
        feature: str | None = None,
    ) -> Plot:
        """Return a plot of each row, as SVG.

        Parameters
        ----------
        X, y, sample_weight
            The rows of the fit.
        kind : "influence", "partial" or "component"
            Studentised residuals over leverages; what a feature adds to the others (partial regression); or its component of the prediction
            plus the residual, which shows a curve.
        feature : str
            The feature of the last two.

        Examples
        --------
        >>> from squarely.linear import LinearRegression
        >>> x, y = [[1.0], [2.0], [3.0], [4.0], [10.0]], [1.0, 2.1, 2.8, 4.4, 4.1]
        >>> LinearRegression().fit(x, y).plot(x, y, kind="component", feature="x0").title
        'Component plus residual'
        """
        self._fitted()
        return plot_of(Again(self, X, y, sample_weight), kind, feature)
