"""Losses that are a parabola near 0 and grow like the error itself far away: the gradient of an outlier is bounded."""

from typing import Any

from squarely.losses.kernels.careful import bounded, is_usual, legs, log1p_excess, ratio
from squarely.losses.kernels.kernel import Array, Kernel, kernel
from squarely.parameter import Parameter

__all__ = ["Absolute", "Fair", "Huber", "LogCosh", "PseudoHuber", "SmoothL1"]

_SIZE = "The size of an error, in the unit of the target, {}."


def _size(default: float, text: str) -> Parameter:
    return Parameter(default, _SIZE.format(text), (0, 1e308), above=True)


@kernel("l1_loss")
class Absolute(Kernel):
    """Absolute error: of the least, the median is the best constant. Its gradient never shrinks, so a fixed step does not settle."""

    title = "Absolute error"
    tex = r"|u|"
    reference = "Laplace, P. S. (1774), Memoire sur la probabilite des causes par les evenemens."
    elicits = "median"
    differentiable = False

    @staticmethod
    def rho(xp: Any, u: Array) -> Array:
        return xp.abs(u)

    @staticmethod
    def psi(xp: Any, u: Array) -> Array:
        return xp.sign(u)

    @staticmethod
    def kappa(xp: Any, u: Array) -> Array:
        return xp.zeros_like(u)

    @staticmethod
    def omega(xp: Any, u: Array) -> Array:
        return 1 / xp.abs(u)


@kernel("huber_loss")
class Huber(Kernel):
    """Half of the square up to ``delta`` and a straight line beyond.

    ``delta`` belongs to the unit of the target. As it grows the loss becomes half of the squared error (not the whole), as it goes to 0,
    ``delta`` times the absolute error.
    """

    title = "Huber loss"
    tex = r"a (|u| - a / 2), \quad a = \min(|u|, \delta)"
    reference = "Huber, P. J. (1964), Annals of Mathematical Statistics 35(1), doi:10.1214/aoms/1177703732."
    elicits = "M-estimate of location"
    half = True
    efficient = {"delta": 1.345}
    settings = {"delta": _size(1.0, "up to which its loss is a square")}

    @staticmethod
    def rho(xp: Any, u: Array, delta: float) -> Array:
        a = xp.clip(xp.abs(u), None, delta)
        return a * (xp.abs(u) - 0.5 * a)  # no square of a large error, which a half type could not hold

    @staticmethod
    def psi(xp: Any, u: Array, delta: float) -> Array:
        return xp.clip(u, -delta, delta)

    @staticmethod
    def kappa(xp: Any, u: Array, delta: float) -> Array:
        return xp.where(xp.abs(u) < delta, xp.ones_like(u), xp.zeros_like(u))

    @staticmethod
    def omega(xp: Any, u: Array, delta: float) -> Array:
        return delta / xp.clip(xp.abs(u), delta, None)


@kernel("smooth_l1_loss")
class SmoothL1(Kernel):
    """Huber loss with bend ``beta``, divided by ``beta``: far away the absolute error, less a constant."""

    title = "Smooth L1 loss"
    tex = r"\frac{1}{\beta} a (|u| - a / 2), \quad a = \min(|u|, \beta)"
    reference = "Girshick, R. (2015), Fast R-CNN, arXiv:1504.08083."
    elicits = "M-estimate of location"
    efficient = {"beta": 1.345}
    settings = {"beta": _size(1.0, "up to which its loss is a square")}

    @staticmethod
    def rho(xp: Any, u: Array, beta: float) -> Array:
        a = xp.clip(xp.abs(u), None, beta)
        return a / beta * (xp.abs(u) - 0.5 * a)

    @staticmethod
    def psi(xp: Any, u: Array, beta: float) -> Array:
        return xp.clip(u / beta, -1.0, 1.0)

    @staticmethod
    def kappa(xp: Any, u: Array, beta: float) -> Array:
        return xp.where(xp.abs(u) < beta, xp.full_like(u, 1 / beta), xp.zeros_like(u))

    @staticmethod
    def omega(xp: Any, u: Array, beta: float) -> Array:
        return 1 / xp.clip(xp.abs(u), beta, None)


@kernel("pseudo_huber_loss")
class PseudoHuber(Kernel):
    """A smooth loss between half of the square and a straight line, known as Charbonnier's too."""

    title = "Pseudo-Huber loss"
    tex = r"\delta^2 \left(\sqrt{1 + (u/\delta)^2} - 1\right)"
    reference = "Charbonnier, P. et al. (1997), IEEE Trans. Image Processing 6(2), doi:10.1109/83.551699."
    elicits = "M-estimate of location"
    half = True
    settings = {"delta": _size(1.0, "where its loss bends")}

    @staticmethod
    def rho(xp: Any, u: Array, delta: float) -> Array:
        a, b = legs(xp, u, delta)
        return bounded(xp, u, delta) * (xp.abs(u) / (a + xp.sqrt(a * a + b * b)))

    @staticmethod
    def psi(xp: Any, u: Array, delta: float) -> Array:
        a, b = legs(xp, u, delta)
        return xp.clip(u, -delta, delta) / xp.sqrt(a * a + b * b)

    @staticmethod
    def kappa(xp: Any, u: Array, delta: float) -> Array:
        return PseudoHuber.omega(xp, u, delta) ** 3

    @staticmethod
    def omega(xp: Any, u: Array, delta: float) -> Array:
        a, b = legs(xp, u, delta)
        return a / xp.sqrt(a * a + b * b)


@kernel("log_cosh_loss")
class LogCosh(Kernel):
    """A smooth loss that is half of the square near 0 and a straight line far away; right to the last digits for tiny errors too."""

    title = "Log-cosh loss"
    tex = r"\delta^2 \log \cosh(u / \delta)"
    reference = "Saleh, R. A. and Saleh, A. K. Md. E. (2022), Statistical properties of the log-cosh loss function, arXiv:2208.04564."
    elicits = "M-estimate of location"
    half = True
    settings = {"delta": _size(1.0, "where its loss bends")}

    @staticmethod
    def rho(xp: Any, u: Array, delta: float) -> Array:
        if is_usual(delta):
            return delta * delta * _log_cosh(xp, xp.abs(u / delta))
        z = ratio(xp, u, delta)
        return bounded(xp, u, delta) * (xp.abs(u) * (_log_cosh(xp, z) / (z * xp.clip(z, None, 1.0))))

    @staticmethod
    def psi(xp: Any, u: Array, delta: float) -> Array:
        if is_usual(delta):
            return delta * xp.tanh(u / delta)
        z = ratio(xp, u, delta)
        return xp.clip(u, -delta, delta) * (xp.tanh(z) / xp.clip(z, None, 1.0))

    @staticmethod
    def kappa(xp: Any, u: Array, delta: float) -> Array:
        q = xp.exp(-2 * xp.abs(u / delta))
        return 4 * q / (1 + q) ** 2

    @staticmethod
    def omega(xp: Any, u: Array, delta: float) -> Array:
        z = ratio(xp, u, delta)
        return delta / xp.clip(xp.abs(u), delta, None) * (xp.tanh(z) / xp.clip(z, None, 1.0))


def _log_cosh(xp: Any, z: Array) -> Array:
    near = xp.clip(z, None, 20.0)  # beyond, it is z - log 2 to the last digit
    t = xp.expm1(near)
    return xp.log1p(t * t / (t + t + 2)) + (z - near)  # cosh z, less 1 a quotient in which nothing cancels


@kernel("fair_loss")
class Fair(Kernel):
    """A loss with three continuous derivatives that bends to a straight line slowly."""

    title = "Fair loss"
    tex = r"c^2 \left(|u| / c - \log(1 + |u| / c)\right)"
    reference = "Fair, R. C. (1974), On the robust estimation of econometric models, Annals of Economic and Social Measurement 3(4)."
    elicits = "M-estimate of location"
    half = True
    efficient = {"c": 1.3998}
    settings = {"c": _size(1.3998, "where its loss bends")}

    @staticmethod
    def rho(xp: Any, u: Array, c: float) -> Array:
        z = ratio(xp, u, c)
        return bounded(xp, u, c) * (xp.abs(u) * (log1p_excess(xp, z) / (z * xp.clip(z, None, 1.0))))

    @staticmethod
    def psi(xp: Any, u: Array, c: float) -> Array:
        size = xp.abs(u)
        return xp.clip(u, -c, c) * (xp.clip(size, c, None) / (c + size))

    @staticmethod
    def kappa(xp: Any, u: Array, c: float) -> Array:
        return Fair.omega(xp, u, c) ** 2

    @staticmethod
    def omega(xp: Any, u: Array, c: float) -> Array:
        return c / (c + xp.abs(u))
