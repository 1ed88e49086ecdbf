"""Squared error, with the half and without, of differences, of logarithms and relative to the target."""

import math
from typing import Any

from squarely.losses.kernels.kernel import Array, Kernel, kernel
from squarely.losses.kernels.residual import LOGARITHMIC, RELATIVE
from squarely.parameter import Parameter

__all__ = ["HalfSquared", "RelativeSquared", "Squared", "SquaredLog"]


class _Square(Kernel):
    """The square of the residual."""

    elicits = "mean"
    constant_curvature = True

    @staticmethod
    def rho(xp: Any, u: Array, **settings: float) -> Array:
        return u * u

    @staticmethod
    def psi(xp: Any, u: Array, **settings: float) -> Array:
        return 2 * u

    @staticmethod
    def kappa(xp: Any, u: Array, **settings: float) -> Array:
        return xp.full_like(u, 2.0)

    omega = kappa


@kernel("mse_loss")
class Squared(_Square):
    """Squared error: of the least, the mean is the best constant. Its gradient grows with the error, so one wild target can rule it.

    There is no half in it: it is the loss of torch, and twice that of optax (``l2_loss``), XGBoost, LightGBM and scikit-learn
    (``HalfSquaredError``).
    """

    title = "Squared error"
    tex = r"u^2"
    reference = "Gauss, C. F. (1809), Theoria motus corporum coelestium, section 179."


@kernel("half_mse_loss")
class HalfSquared(Kernel):
    """Half of the squared error, whose gradient is the error itself.

    It is the loss of optax (``l2_loss``), XGBoost, LightGBM and scikit-learn (``HalfSquaredError``), and half of torch's ``mse_loss``.
    """

    title = "Half of the squared error"
    tex = r"\tfrac12 u^2"
    reference = Squared.reference
    elicits = "mean"
    half = True
    constant_curvature = True

    @staticmethod
    def rho(xp: Any, u: Array) -> Array:
        return 0.5 * u * u

    @staticmethod
    def psi(xp: Any, u: Array) -> Array:
        return 1 * u

    @staticmethod
    def kappa(xp: Any, u: Array) -> Array:
        return xp.ones_like(u)

    omega = kappa


@kernel("msle_loss")
class SquaredLog(_Square):
    """Squared difference of log(1 + prediction) and log(1 + target): errors count by their ratio.

    Not convex in the prediction where that is more than e times too high. Numbers of -1 and below have no loss and give nan, never a number.
    """

    title = "Squared logarithmic error"
    tex = r"\log^2 \frac{1 + \hat y}{1 + y}"
    reference = "Targets and predictions through log(1 + x), as in scikit-learn's mean_squared_log_error."
    elicits = "mean of log(1 + y), transformed back"
    convex = False
    constant_curvature = False
    residual = LOGARITHMIC


@kernel("relative_squared_loss")
class RelativeSquared(_Square):
    """Squared error in units of the target, softened by ``eps`` where that is near 0.

    Of positive targets its best constant lies below the mean: an error at a small target costs more than the same at a large one.
    """

    title = "Relative squared error"
    tex = r"\frac{(\hat y - y)^2}{y^2 + \varepsilon^2}"
    reference = "Li, Z. et al. (2020), Fourier neural operator, arXiv:2010.08895 (relative errors as training losses)."
    elicits = "mean weighted by 1 / (y^2 + eps^2)"
    settings = {"eps": Parameter(1e-8, "Added to the target in quadrature, in its unit.", (0, math.inf))}
    residual = RELATIVE
    constant_curvature = False
