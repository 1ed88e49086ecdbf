"""Losses that cost more on one side. With u = prediction - target, an error above 0 is a prediction that is too high."""

from typing import Any

from squarely.losses.kernels.careful import LEAST, expm1_excess
from squarely.losses.kernels.convex import SmoothL1
from squarely.losses.kernels.kernel import Array, Kernel, kernel
from squarely.parameter import Parameter

__all__ = ["Expectile", "Linex", "Pinball", "SmoothPinball"]

_LEVEL = Parameter(0.5, "The level that is predicted: at 0.9 a prediction that is too low costs nine times one that is too high.", (0, 1))


def _share(xp: Any, u: Array, alpha: float) -> Array:
    """Return what an error on its side costs: 1 - alpha above the target, alpha below it, nothing at it."""
    return xp.where(u > 0, xp.full_like(u, 1 - alpha), xp.where(u < 0, xp.full_like(u, alpha), 0 * u))


def _sides(xp: Any, u: Array) -> tuple[Array, Array]:
    """Return errors above the target, and those below it, each 0 on the other side."""
    return xp.clip(u, 0.0, None), xp.clip(u, None, 0.0)


@kernel("pinball_loss")
class Pinball(Kernel):
    """The loss of a quantile: half of the absolute error at 0.5. It has no curvature; boosting and Newton steps need a smoothed one."""

    title = "Pinball loss"
    tex = r"\max\left((1 - \alpha) u, -\alpha u\right)"
    reference = "Koenker, R. and Bassett, G. (1978), Econometrica 46(1), doi:10.2307/1913643."
    elicits = "quantile"
    differentiable = False
    settings = {"alpha": _LEVEL}

    @staticmethod
    def rho(xp: Any, u: Array, alpha: float) -> Array:
        above, below = _sides(xp, u)
        return (1 - alpha) * above - alpha * below

    @staticmethod
    def psi(xp: Any, u: Array, alpha: float) -> Array:
        return _share(xp, u, alpha) * xp.sign(u)

    @staticmethod
    def kappa(xp: Any, u: Array, alpha: float) -> Array:
        return xp.zeros_like(u)

    @staticmethod
    def omega(xp: Any, u: Array, alpha: float) -> Array:
        return _share(xp, u, alpha) / xp.abs(u)


@kernel("smooth_pinball_loss")
class SmoothPinball(Kernel):
    """Pinball loss whose corner is rounded by a parabola up to ``delta``, so that it has a curvature there."""

    title = "Huberised pinball loss"
    tex = r"\left|\alpha - 1[u > 0]\right| \, \mathrm{Huber}_\delta(u) / \delta"
    reference = "Dabney, W. et al. (2017), Distributional reinforcement learning with quantile regression, arXiv:1710.10044."
    elicits = "quantile, nearly"
    settings = {
        "alpha": _LEVEL,
        "delta": Parameter(1.0, "The size of an error, in the unit of the target, up to which its loss is a square.", (0, 1e308), above=True),
    }

    @staticmethod
    def rho(xp: Any, u: Array, alpha: float, delta: float) -> Array:
        return _share(xp, u, alpha) * SmoothL1.rho(xp, u, delta)

    @staticmethod
    def psi(xp: Any, u: Array, alpha: float, delta: float) -> Array:
        return _share(xp, u, alpha) * SmoothL1.psi(xp, u, delta)

    @staticmethod
    def kappa(xp: Any, u: Array, alpha: float, delta: float) -> Array:
        return _share(xp, u, alpha) * SmoothL1.kappa(xp, u, delta)

    @staticmethod
    def omega(xp: Any, u: Array, alpha: float, delta: float) -> Array:
        return _share(xp, u, alpha) / xp.clip(xp.abs(u), delta, None)


@kernel("expectile_loss")
class Expectile(Kernel):
    """Squared error that costs ``alpha`` below the target and 1 - ``alpha`` above it: half of the square at 0.5, where it is the mean."""

    title = "Expectile loss"
    tex = r"\left|\alpha - 1[u > 0]\right| u^2"
    reference = "Newey, W. K. and Powell, J. L. (1987), Econometrica 55(4), doi:10.2307/1911031."
    elicits = "expectile"
    settings = {"alpha": _LEVEL}

    @staticmethod
    def rho(xp: Any, u: Array, alpha: float) -> Array:
        above, below = _sides(xp, u)
        return (1 - alpha) * above * above + alpha * below * below

    @staticmethod
    def psi(xp: Any, u: Array, alpha: float) -> Array:
        above, below = _sides(xp, u)
        return 2 * ((1 - alpha) * above + alpha * below)

    @staticmethod
    def kappa(xp: Any, u: Array, alpha: float) -> Array:
        return 2 * xp.where(u > 0, xp.full_like(u, 1 - alpha), xp.full_like(u, alpha))

    omega = kappa


@kernel("linex_loss")
class Linex(Kernel):
    """A loss that grows exponentially on one side and in a straight line on the other."""

    title = "LINEX loss"
    tex = r"e^{a u} - a u - 1"
    reference = "Zellner, A. (1986), J. American Statistical Association 81(394), doi:10.1080/01621459.1986.10478289."
    elicits = "-log(mean(exp(-a y))) / a"
    settings = {"a": Parameter(1.0, "Per unit of the target; above 0, predictions that are too high cost more.", (-1e308, 1e308))}

    @staticmethod
    def rho(xp: Any, u: Array, a: float) -> Array:
        return expm1_excess(xp, a * u)

    @staticmethod
    def psi(xp: Any, u: Array, a: float) -> Array:
        return _linex_slope(xp, u, a, 1.0)

    @staticmethod
    def kappa(xp: Any, u: Array, a: float) -> Array:
        return (a * xp.exp(0.5 * a * u)) ** 2

    @staticmethod
    def omega(xp: Any, u: Array, a: float) -> Array:
        x = a * u
        is_near = xp.abs(x) < 1
        near = xp.where(is_near & (xp.abs(x) > LEAST), x, xp.full_like(x, LEAST))
        return xp.where(is_near, a * (a * (xp.expm1(near) / near)), _linex_slope(xp, u, a, xp.where(is_near, xp.ones_like(u), u)))


def _linex_slope(xp: Any, u: Array, a: float, over: Any) -> Array:
    """Return a (exp(a u) - 1) / over, which may be finite where exp(a u) is not."""
    x = a * u
    half = xp.exp(0.5 * xp.clip(x, 1.0, None))
    return xp.where(x < 1, a * (xp.expm1(xp.clip(x, None, 1.0)) / over), a * half * ((half - 1 / half) / over))
