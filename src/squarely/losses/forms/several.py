"""Losses of predictions that are more than one number: quantiles, and a mean with its variance."""

import math
from typing import Any

from squarely.errors import DataError
from squarely.losses.compose import count, pointwise, same_shape
from squarely.losses.forms.form import Array, Form, Values, form, only
from squarely.losses.kernels.asymmetric import Pinball, SmoothPinball
from squarely.losses.library import Library
from squarely.losses.options import Options
from squarely.parameter import LevelsParameter, Parameter

__all__ = ["BetaNLL", "FaithfulNLL", "GaussianNLL", "Normal", "Quantiles"]


@form
class Quantiles(Form):
    """Mean pinball loss over several levels, one for each number along the last axis of the prediction."""

    name = "quantile_loss"
    title = "Pinball loss of several quantiles"
    tex = r"\frac1K \sum_k \max\left((1 - \alpha_k) u_k, -\alpha_k u_k\right) + \lambda \sum_k \max(0, \hat q_k - \hat q_{k+1})"
    reference = Pinball.reference
    elicits = "quantiles"
    settings = {
        "levels": LevelsParameter((0.1, 0.5, 0.9), "The levels, rising.", ()),
        "crossing": Parameter(0.0, "What a unit costs by which a quantile lies above the next one.", (0, math.inf)),
        "delta": Parameter(0.0, "Up to which error the corner is rounded; 0 leaves it sharp.", (0, 1e308)),
    }

    def values(self, library: Library, pred: Array, target: Array, options: Options, settings: Any, arrays: Any) -> Values:
        only(options, self.name, covariance=(None,))
        levels, shape = tuple(settings["levels"]), tuple(pred.shape)
        if list(levels) != sorted(levels):
            raise DataError(f"levels are {levels}; expected them to rise.")
        if shape != (*target.shape, len(levels)):
            raise DataError(
                f"pred has shape {shape} and target {tuple(target.shape)}; expected {(*target.shape, len(levels))}: a number for each level."
            )
        counted = count(library, pred[..., 0], target, options)
        smooth = {"delta": settings["delta"]} if settings["delta"] else {}
        kernel = SmoothPinball if smooth else Pinball
        each = [pointwise(library, kernel, {"alpha": a, **smooth}, pred[..., k], target, counted, options) for k, a in enumerate(levels)]
        values = sum(each[1:], each[0]) / len(levels)
        if settings["crossing"] and len(levels) > 1:
            quantiles = library.cast(pred, values.dtype)
            fall = library.xp.clip(quantiles[..., :-1] - quantiles[..., 1:], 0.0, None).sum(-1)
            values = values + settings["crossing"] * counted.select(library.xp, fall)
        return values, counted


_VARIANCE = {"var": "the predicted variance, above 0", "log_var": "its logarithm, which may be any number; give one of the two"}


class Normal(Form):
    """A likelihood of normal errors with a predicted variance."""

    elicits = "mean and variance"
    arrays = _VARIANCE

    def elements(self, library: Library, pred: Array, target: Array, options: Options) -> tuple[Array, Array]:
        """Return prediction and target."""
        only(options, self.name, covariance=(None,))
        return super().elements(library, pred, target, options)

    def values(self, library: Library, pred: Array, target: Array, options: Options, settings: Any, arrays: Any) -> Values:
        given = [name for name in _VARIANCE if arrays.get(name) is not None]
        if len(given) != 1:
            raise DataError(f"{self.name} takes var= or log_var=; got {' and '.join(given) or 'neither'}.")
        xp, spread = library.xp, arrays[given[0]]
        counted = count(library, *self.elements(library, pred, target, options), options)
        same_shape(pred, spread, given[0])
        dtype = library.float_of(pred, target, spread)
        pred, target = (library.cast(counted.select(xp, each), dtype) for each in (pred, target))
        spread = library.cast(counted.select(xp, spread, 1.0), dtype)
        return counted.select(xp, self.of(library, pred - target, spread, given == ["log_var"], settings)), counted

    @staticmethod
    def of(library: Library, u: Array, spread: Array, is_log: bool, settings: Any) -> Array:
        """Return the loss of each error, given the variance or its logarithm."""
        raise NotImplementedError


def _square(xp: Any, u: Array, spread: Array, is_log: bool) -> Array:
    """Return u^2 over the variance: it and its derivatives are finite where they should be, though u^2, or one over the variance, may not be."""
    if not is_log:
        part = xp.sqrt(xp.sqrt(spread))
        scaled = u / part / part
        return scaled * scaled
    part = xp.exp(-0.25 * spread)
    scaled = u * part * part
    return scaled * scaled


def _nll(xp: Any, u: Array, spread: Array, is_log: bool) -> Array:
    return 0.5 * ((spread if is_log else xp.log(spread)) + _square(xp, u, spread, is_log))


@form
class GaussianNLL(Normal):
    """Negative log-likelihood of normal errors, less log(2 pi) / 2. The gradient by the mean is u / var, so rows said to be noisy learn slowly.

    A variance that is not above 0 gives nan or infinity: nothing is clamped, and nothing waits for the device.
    """

    name = "gaussian_nll_loss"
    title = "Gaussian negative log-likelihood"
    tex = r"\tfrac12 \left(\log v + u^2 / v\right)"
    reference = "Nix, D. A. and Weigend, A. S. (1994), Estimating the mean and variance of the target, doi:10.1109/ICNN.1994.374138."

    @staticmethod
    def of(library: Library, u: Array, spread: Array, is_log: bool, settings: Any) -> Array:
        return _nll(library.xp, u, spread, is_log)


@form
class BetaNLL(Normal):
    """Gaussian likelihood weighted by a power of the variance, taken as a constant: at 1 the mean learns as from squared error.

    Its value cannot be compared across ``beta``; only its gradient is meant.
    """

    name = "beta_nll_loss"
    title = "Gaussian likelihood weighted by the variance"
    tex = r"\lfloor v \rfloor^{\beta} \, \tfrac12 \left(\log v + u^2 / v\right)"
    reference = "Seitzer, M. et al. (2022), On the pitfalls of heteroscedastic uncertainty estimation, arXiv:2203.09168."
    settings = {"beta": Parameter(0.5, "The power: 0 is the likelihood, 1 gives the mean the gradient of squared error.", (0, 1))}

    @staticmethod
    def of(library: Library, u: Array, spread: Array, is_log: bool, settings: Any) -> Array:
        xp, constant, beta = library.xp, library.stop(spread), settings["beta"]
        if is_log:  # the square takes in the weight before either may be too large
            return 0.5 * (xp.exp(beta * constant) * spread + _square(xp, u, spread - beta * constant, is_log))
        root, part = constant ** (0.25 * beta), xp.sqrt(xp.sqrt(spread))
        scaled = u / part * root / part * root
        return 0.5 * (root**4 * xp.log(spread) + scaled * scaled)


@form
class FaithfulNLL(Normal):
    """Half of the squared error for the mean, and the likelihood for the variance alone: the mean is that of a model without a variance."""

    name = "faithful_nll_loss"
    title = "Faithful heteroscedastic loss"
    tex = r"\tfrac12 u^2 + \tfrac12 \left(\log v + \lfloor u \rfloor^2 / v\right)"
    reference = "Stirn, A. et al. (2023), Faithful heteroscedastic regression with neural networks, arXiv:2212.09184."

    @staticmethod
    def of(library: Library, u: Array, spread: Array, is_log: bool, settings: Any) -> Array:
        return 0.5 * u * u + _nll(library.xp, library.stop(u), spread, is_log)
