"""The loss of masked autoencoders: squared error in units of each patch of an image."""

import math
from typing import Any

from squarely.errors import DataError
from squarely.losses.compose import count, same_shape
from squarely.losses.forms.form import Array, Form, Values, form, only
from squarely.losses.library import Library
from squarely.losses.options import Options
from squarely.parameter import Parameter

__all__ = ["PatchSquared"]


@form
class PatchSquared(Form):
    """Mean squared error of each patch against its target less the target's mean and over its standard deviation, as in masked autoencoders.

    Pixels lie along the last axis, patches along those before it; the mask has an element for each patch, True where it counts: the patches that the
    model did not see. The deviation is that of n - 1. What the model predicts are normalised patches; to show one, mean and deviation of its target
    are added back.
    """

    name = "patch_mse_loss"
    title = "Squared error of normalised patches"
    tex = r"\frac1D \sum_d \left(\hat y_d - \frac{y_d - \bar y}{\sqrt{s_y^2 + \varepsilon}}\right)^2"
    reference = "He, K. et al. (2022), Masked autoencoders are scalable vision learners, arXiv:2111.06377."
    elicits = "mean of the normalised target"
    settings = {"eps": Parameter(1e-6, "Added to the variance of a patch, in its unit.", (0, math.inf), above=True)}

    def elements(self, library: Library, pred: Array, target: Array, options: Options) -> tuple[Array, Array]:
        """Return a pixel of each patch, and of its target one that is nan where any is."""
        only(options, self.name, weight=(None,), output_weight=(None,), covariance=(None,))
        shape = same_shape(pred, target)
        if len(shape) < 2 or shape[-1] < 2:
            raise DataError(f"{self.name} measures patches of two pixels or more, and pred has shape {shape}; expected (batch, patches, pixels).")
        if options.nan_target == "propagate" or not library.is_floating(target):
            return pred[..., 0], target[..., 0]
        return pred[..., 0], library.xp.where(library.xp.isnan(target), target, 0.0).sum(-1)

    def values(self, library: Library, pred: Array, target: Array, options: Options, settings: Any, arrays: Any) -> Values:
        xp, dtype, pixels = library.xp, library.float_of(pred, target), pred.shape[-1]
        counted = count(library, *self.elements(library, pred, target, options), options)
        pred, target = library.cast(pred, dtype), library.cast(target, dtype)
        there = None if counted.mask is None else counted.mask[..., None]
        pred, target = (each if there is None else xp.where(there, each, 0.0) for each in (pred, target))
        apart = target - (target.sum(-1) / pixels)[..., None]
        deviation = xp.sqrt((apart * apart).sum(-1) / (pixels - 1) + settings["eps"])
        u = pred - library.stop(apart / deviation[..., None])
        return (u * u).sum(-1) / pixels, counted
