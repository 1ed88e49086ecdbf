"""Losses of a batch as a whole: roots, ratios and ranks of squared errors."""

import math
from dataclasses import replace
from typing import Any

from squarely.errors import DataError
from squarely.losses.compose import Counted, count, pointwise, same_shape
from squarely.losses.forms.form import Array, Form, Values, form, only
from squarely.losses.kernels.quadratic import Squared
from squarely.losses.library import Library
from squarely.losses.options import Options
from squarely.losses.terms import LossTerms
from squarely.parameter import Parameter

__all__ = ["NormalizedSquared", "RelativeL2", "RootMeanSquared", "Trimmed"]


_NEAR = 1e-3  # 0.29 of 100 are 29, though the float next to 0.29 is less than that


def _squares(library: Library, pred: Array, target: Array, options: Options) -> Values:
    same_shape(pred, target)
    counted = count(library, pred, target, options)
    return pointwise(library, Squared, {}, pred, target, counted, options), counted


def _root(xp: Any, square: Array) -> Array:
    """Return the square root, with gradient 0 at 0."""
    there = square > 0
    return xp.where(there, xp.sqrt(xp.where(there, square, xp.ones_like(square))), 0 * square)


@form
class RootMeanSquared(Form):
    """Root of the mean squared error. Its gradient has the same length however small the error is, so steps must shrink by themselves.

    Means of it over batches are not that of all rows; add its ``terms`` (they are of the mean square) and take the root of their mean.
    """

    name = "rmse_loss"
    title = "Root mean squared error"
    tex = r"\sqrt{\overline{u^2}}"
    reference = Squared.reference
    elicits = "mean"

    def values(self, library: Library, pred: Array, target: Array, options: Options, settings: Any, arrays: Any) -> Values:
        only(options, self.name, reduction=("mean", "per_sample"))
        return _squares(library, pred, target, options)

    def reduced(self, library: Library, values: Array, counted: Counted, options: Options) -> Array:
        return _root(library.xp, super().reduced(library, values, counted, options))


@form
class Trimmed(Form):
    """Mean squared error without the largest share ``trim`` of the squared errors of the batch (least trimmed squares).

    Which rows are left out is decided anew in each batch, by size alone and without weights; rows left out have no gradient.
    """

    name = "trimmed_loss"
    title = "Trimmed squared error"
    tex = r"\frac{1}{h} \sum_{i \le h} u^2_{(i)}, \quad h = n - \lfloor \text{trim} \cdot n \rfloor"
    reference = "Rousseeuw, P. J. (1984), J. American Statistical Association 79(388), doi:10.1080/01621459.1984.10477105."
    elicits = "least trimmed squares estimate"
    settings = {"trim": Parameter(0.1, "The share of elements that is left out.", (0, 0.99))}

    def values(self, library: Library, pred: Array, target: Array, options: Options, settings: Any, arrays: Any) -> Values:
        only(options, self.name, reduction=("mean", "sum", "none"), covariance=(None,))
        values, counted = _squares(library, pred, target, options)
        xp = library.xp
        there = xp.ones_like(values) if counted.mask is None else xp.ones_like(values) * library.cast(counted.mask, values.dtype)
        seen = xp.where(xp.isnan(values), xp.full_like(values, -1.0), values)  # what is not known is no outlier, and is not left out
        size = library.stop(xp.where(there > 0, seen, xp.full_like(values, math.inf))).reshape(-1)
        rank = xp.argsort(xp.argsort(size)).reshape(counted.shape)
        n = there.sum()
        kept = (rank < n - xp.floor(settings["trim"] * n + _NEAR)) & (there > 0)
        weight = None if counted.weight is None else xp.where(kept, counted.weight, xp.zeros_like(counted.weight))
        left = Counted(counted.shape, kept, weight)
        return left.select(xp, values), left


@form
class NormalizedSquared(Form):
    """Squared error over the squared deviation of the targets of this batch from their means: 1 is no better than the mean.

    Small batches have small deviations by chance; where batches are small, divide by the deviation of all targets instead.
    """

    name = "nmse_loss"
    title = "Normalised mean squared error"
    tex = r"\frac{\sum w u^2}{\sum w (y - \bar y)^2}"
    reference = "Gershenfeld, N. A. and Weigend, A. S. (1993), The future of time series, in Time series prediction, p. 64."
    elicits = "mean"

    def values(self, library: Library, pred: Array, target: Array, options: Options, settings: Any, arrays: Any) -> Values:
        only(options, self.name, reduction=("mean",), denom=(None,), covariance=(None,))
        if not len(pred.shape):
            raise DataError(f"{self.name} measures deviations from the mean of a batch, and pred is one number; expected samples along an axis.")
        values, counted = _squares(library, pred, target, options)
        xp = library.xp
        y = library.cast(counted.select(xp, target), values.dtype)
        amount = counted.weight if counted.weight is not None else xp.ones_like(y) if counted.mask is None else counted.mask
        w = xp.ones_like(y) * library.cast(amount, values.dtype)
        n = w.sum(0)
        mean = (w * y).sum(0) / (n + (n == 0))
        return xp.stack([(w * values).sum(), (w * (y - mean) ** 2).sum()]), counted

    def terms(self, library: Library, values: Array, counted: Counted, options: Options) -> LossTerms:
        return LossTerms(values[0], library.stop(values[1]))

    def reduced(self, library: Library, values: Array, counted: Counted, options: Options) -> Array:
        return LossTerms(values[0], values[1]).mean()


@form
class RelativeL2(Form):
    """Length of the error of each sample over the length of its target, as operators and fields are trained with."""

    name = "relative_l2_loss"
    title = "Relative L2 error"
    tex = r"\frac{1}{n} \sum_i \frac{\lVert u_i \rVert}{\lVert y_i \rVert + \varepsilon}"
    reference = "Li, Z. et al. (2020), Fourier neural operator, arXiv:2010.08895."
    elicits = "none that is simple"
    settings = {"eps": Parameter(1e-8, "Added to the length of the target, in its unit.", (0, math.inf))}

    def values(self, library: Library, pred: Array, target: Array, options: Options, settings: Any, arrays: Any) -> Values:
        if len(pred.shape) < 2:
            raise DataError(
                f"{self.name} measures samples, and pred has shape {tuple(pred.shape)}; expected samples along the first of several axes."
            )
        xp, samples = library.xp, pred.shape[0]
        values, counted = _squares(library, pred, target, replace(options, sample_weight=None, denom=None))
        y = library.cast(counted.select(xp, target), values.dtype)
        weight = xp.ones_like(y) if counted.weight is None else counted.weight
        error, size = ((each * weight).reshape(samples, -1).sum(-1) for each in (values, y * y))
        there = None if counted.mask is None else (xp.ones_like(y) * library.cast(counted.mask, y.dtype)).reshape(samples, -1).sum(-1) > 0
        of_samples = Options(sample_weight=options.sample_weight, mask=there)
        return _root(xp, error) / (_root(xp, size) + settings["eps"]), count(library, error, error, of_samples)
