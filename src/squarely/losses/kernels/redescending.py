"""Losses whose gradient goes back to 0: an error that is large enough hardly counts. None is convex, so start near a solution."""

import math
from typing import Any

from squarely.losses.kernels.careful import LEAST, bounded, legs, log_of_root, power, root_of_root
from squarely.losses.kernels.kernel import Array, Kernel, kernel
from squarely.parameter import Parameter

__all__ = ["Barron", "Cauchy", "GemanMcClure", "StudentT", "Tukey", "Welsch", "Winsorized"]

_SIZE = "The size of an error, in the unit of the target, {}."
_LESS = "past which it counts for less and less"
_WELSCH = -1e18  # the shape of Barron's family from which on a limit is it to the last digit


def _size(default: float, text: str = _LESS) -> Parameter:
    return Parameter(default, _SIZE.format(text), (0, 1e308), above=True)


class _Redescending(Kernel):
    """A loss that is half of the square near 0."""

    elicits = "M-estimate of location"
    half = True
    convex = False


@kernel("cauchy_loss")
class Cauchy(_Redescending):
    """The loss of errors with a Cauchy law: the gradient is largest at ``c`` and falls like 1 / u."""

    title = "Cauchy loss"
    tex = r"\frac{c^2}{2} \log\left(1 + (u/c)^2\right)"
    reference = "Black, M. J. and Rangarajan, A. (1996), Int. J. Computer Vision 19(1), doi:10.1007/BF00131148."
    efficient = {"c": 2.385}
    settings = {"c": _size(2.385)}

    @staticmethod
    def rho(xp: Any, u: Array, c: float) -> Array:
        log, b = log_of_root(xp, u, c)
        size = bounded(xp, u, c)
        return size * (size * (log / (b * b)))

    @staticmethod
    def psi(xp: Any, u: Array, c: float) -> Array:
        a, b = legs(xp, u, c)
        return xp.clip(u, -c, c) * (a / (a * a + b * b))

    @staticmethod
    def kappa(xp: Any, u: Array, c: float) -> Array:
        a, b = legs(xp, u, c)
        share = a / (a * a + b * b)
        return (a - b) * (a + b) * (share * share)

    @staticmethod
    def omega(xp: Any, u: Array, c: float) -> Array:
        a, b = legs(xp, u, c)
        return a * (a / (a * a + b * b))


@kernel("geman_mcclure_loss")
class GemanMcClure(_Redescending):
    """A bounded loss, c^2 / 2 at most, whose gradient falls like 1 / u^3."""

    title = "Geman-McClure loss"
    tex = r"\frac12 \frac{u^2}{1 + (u/c)^2}"
    reference = "Geman, S. and McClure, D. E. (1985), Proc. Statistical Computing Section, ASA, pp. 12-18."
    settings = {"c": _size(1.0)}

    @staticmethod
    def rho(xp: Any, u: Array, c: float) -> Array:
        a, b = legs(xp, u, c)
        size = bounded(xp, u, c)
        return size * (size * (0.5 / (a * a + b * b)))

    @staticmethod
    def psi(xp: Any, u: Array, c: float) -> Array:
        a, b = legs(xp, u, c)
        share = a / (a * a + b * b)
        return xp.clip(u, -c, c) * share * share * a

    @staticmethod
    def kappa(xp: Any, u: Array, c: float) -> Array:
        a, b = legs(xp, u, c)
        square = a * a + b * b
        share = a / square
        return (a - math.sqrt(3) * b) * (a + math.sqrt(3) * b) / square * (share * share) * (a * a)

    @staticmethod
    def omega(xp: Any, u: Array, c: float) -> Array:
        return Cauchy.omega(xp, u, c) ** 2


@kernel("welsch_loss")
class Welsch(_Redescending):
    """A bounded loss, c^2 / 2 at most, whose gradient falls like a normal density (Leclerc's, or the correntropy loss)."""

    title = "Welsch loss"
    tex = r"\frac{c^2}{2} \left(1 - e^{-(u/c)^2}\right)"
    reference = "Dennis, J. E. and Welsch, R. E. (1978), Comm. Statistics B 7(4), doi:10.1080/03610917808812083."
    efficient = {"c": 2.985}
    settings = {"c": _size(2.985)}

    @staticmethod
    def rho(xp: Any, u: Array, c: float) -> Array:
        z = xp.abs(u) / c + LEAST
        size = bounded(xp, u, c)
        return -0.5 * (size * (size * (xp.expm1(-z * z) / xp.clip(z * z, None, 1.0))))

    @staticmethod
    def psi(xp: Any, u: Array, c: float) -> Array:
        square = (u / c) ** 2
        return u * xp.exp(-0.75 * square) * xp.exp(-0.25 * square)  # in two, for their product may have lost the digits that a large u shows

    @staticmethod
    def kappa(xp: Any, u: Array, c: float) -> Array:
        z = xp.clip(u / c, -100.0, 100.0)  # beyond, it is 0 in every type
        half = xp.exp(-0.5 * z * z)
        return ((1 - math.sqrt(2) * z) * half) * ((1 + math.sqrt(2) * z) * half)

    @staticmethod
    def omega(xp: Any, u: Array, c: float) -> Array:
        return xp.exp(-((u / c) ** 2))


@kernel("tukey_loss")
class Tukey(_Redescending):
    """Tukey's biweight: an error beyond ``c`` costs c^2 / 6, whatever its size, and has no gradient."""

    title = "Tukey loss"
    tex = r"\frac{c^2}{6} \left(1 - \left(1 - \min(|u|/c, 1)^2\right)^3\right)"
    reference = "Beaton, A. E. and Tukey, J. W. (1974), Technometrics 16(2), doi:10.1080/00401706.1974.10489171."
    efficient = {"c": 4.685}
    settings = {"c": _size(4.685)}

    @staticmethod
    def rho(xp: Any, u: Array, c: float) -> Array:
        near = xp.clip(u, -c, c)
        s = (near / c) ** 2
        return near * (near * ((3 - 3 * s + s * s) * (1 / 6)))

    @staticmethod
    def psi(xp: Any, u: Array, c: float) -> Array:
        return xp.clip(u, -c, c) * Tukey.omega(xp, u, c)

    @staticmethod
    def kappa(xp: Any, u: Array, c: float) -> Array:
        z = xp.clip(u / c, -1.0, 1.0)
        return (1 - z) * (1 + z) * (1 - math.sqrt(5) * z) * (1 + math.sqrt(5) * z)

    @staticmethod
    def omega(xp: Any, u: Array, c: float) -> Array:
        z = xp.clip(u / c, -1.0, 1.0)
        return ((1 - z) * (1 + z)) ** 2


@kernel("winsorized_loss")
class Winsorized(Kernel):
    """Squared error, but no error costs more than ``k`` squared; beyond it there is no gradient, so nothing brings such a row back."""

    title = "Winsorised squared error"
    tex = r"\min(|u|, k)^2"
    reference = "Hinich, M. J. and Talwar, P. P. (1975), J. American Statistical Association 70(349), doi:10.1080/01621459.1975.10480270."
    elicits = "M-estimate of location"
    convex = False
    differentiable = False
    settings = {"k": _size(1.0, "from which on it costs no more")}

    @staticmethod
    def rho(xp: Any, u: Array, k: float) -> Array:
        return xp.clip(xp.abs(u), None, k) ** 2

    @staticmethod
    def psi(xp: Any, u: Array, k: float) -> Array:
        return xp.where(xp.abs(u) < k, 2 * u, xp.zeros_like(u))

    @staticmethod
    def kappa(xp: Any, u: Array, k: float) -> Array:
        return xp.where(xp.abs(u) < k, xp.full_like(u, 2.0), xp.zeros_like(u))

    omega = kappa


@kernel("student_t_loss")
class StudentT(Kernel):
    """The negative log-likelihood of errors with Student's law of ``df`` degrees and scale ``scale``, less its constant."""

    title = "Student t loss"
    tex = r"\frac{\nu + 1}{2} \log\left(1 + \frac{u^2}{\nu \sigma^2}\right)"
    reference = "Lange, K. L. et al. (1989), J. American Statistical Association 84(408), doi:10.1080/01621459.1989.10478852."
    elicits = "M-estimate of location"
    convex = False
    settings = {
        "df": Parameter(4.0, "Degrees of freedom: the fewer, the heavier the tails.", (0, 1e308), above=True),
        "scale": _size(1.0, "that is ordinary"),
    }

    @staticmethod
    def rho(xp: Any, u: Array, df: float, scale: float) -> Array:
        c, lift = math.sqrt(df) * scale, math.sqrt(df + 1)
        log, b = log_of_root(xp, u, c)
        size = lift * xp.clip(xp.abs(u) / c, None, 1.0)
        return size * (size * (log / (b * b)))

    @staticmethod
    def psi(xp: Any, u: Array, df: float, scale: float) -> Array:
        c = math.sqrt(df) * scale
        a, b = legs(xp, u, c)
        return (df + 1) * xp.clip(u / c, -1.0, 1.0) / (a * a + b * b) / xp.clip(xp.abs(u), c, None)

    @staticmethod
    def kappa(xp: Any, u: Array, df: float, scale: float) -> Array:
        c = math.sqrt(df) * scale
        a, b = legs(xp, u, c)
        most, square = xp.clip(xp.abs(u), c, None), a * a + b * b
        return (df + 1) * (a - b) * (a + b) / (square * square) / most / most

    @staticmethod
    def omega(xp: Any, u: Array, df: float, scale: float) -> Array:
        c = math.sqrt(df) * scale
        a, b = legs(xp, u, c)
        most = xp.clip(xp.abs(u), c, None)
        return (df + 1) / (a * a + b * b) / most / most


@kernel("barron_loss")
class Barron(Kernel):
    """A family with one shape ``alpha``: 2 is half of the square, 1 pseudo-Huber, 0 Cauchy, -2 Geman-McClure, minus infinity Welsch.

    It is in units of ``c`` squared and has no unit. Its ``c`` is that of the general formula: Cauchy's ``c`` is sqrt(2) times it.
    """

    title = "Barron loss"
    tex = r"\frac{|\alpha - 2|}{\alpha} \left(\left(\frac{(u/c)^2}{|\alpha - 2|} + 1\right)^{\alpha/2} - 1\right)"
    reference = "Barron, J. T. (2019), A general and adaptive robust loss function, arXiv:1701.03077."
    elicits = "M-estimate of location"
    convex = False
    settings = {
        "alpha": Parameter(1.0, "The shape: the smaller, the less outliers count.", (-math.inf, 1e308)),
        "c": _size(1.0, "where its loss leaves the parabola"),
    }

    @staticmethod
    def rho(xp: Any, u: Array, alpha: float, c: float) -> Array:
        z = u / c
        if alpha == 2:
            return 0.5 * z * z
        if alpha < _WELSCH:
            return Welsch.rho(xp, z, math.sqrt(2))
        lift = math.sqrt(abs(alpha - 2))
        log, b = log_of_root(xp, u, lift * c)
        size = lift * xp.clip(xp.abs(z) / lift, None, 1.0)
        if abs(alpha) < 0.1:  # a power that is nearly 1 says little
            x = alpha * log
            there = xp.where(x == 0, xp.ones_like(x), x)
            return size * (size * (log / (b * b))) * xp.where(x == 0, xp.ones_like(x), xp.expm1(x) / there)
        near = size * (size * (xp.expm1(alpha * log) / (alpha * (b * b))))
        half = root_of_root(xp, u, lift * c) ** alpha  # twice, for a small lift times its square may be finite where the square is not
        return xp.where(b < 1, near, lift * half * (lift / alpha * half) - lift * lift / alpha)

    @staticmethod
    def psi(xp: Any, u: Array, alpha: float, c: float) -> Array:
        part = _fourth_root(xp, u, alpha, c)
        return u * part * part * part * part

    @staticmethod
    def kappa(xp: Any, u: Array, alpha: float, c: float) -> Array:
        square = _fourth_root(xp, u, alpha, c) ** 2
        if alpha == 2:
            return square * square
        if alpha < _WELSCH:
            z = xp.clip(u / c, -200.0, 200.0)  # beyond, it is 0 in every type
            return ((1 - z) * square) * ((1 + z) * square)
        a, b = legs(xp, u, math.sqrt(abs(alpha - 2)) * c)
        if alpha > 1:
            return (a * a + (alpha - 1) * (b * b)) / (a * a + b * b) * square * square
        lever = math.sqrt(1 - alpha) * b
        return ((a - lever) * square) * ((a + lever) * square) / (a * a + b * b)

    @staticmethod
    def omega(xp: Any, u: Array, alpha: float, c: float) -> Array:
        square = _fourth_root(xp, u, alpha, c) ** 2
        return square * square


def _fourth_root(xp: Any, u: Array, alpha: float, c: float) -> Array:
    """Return that of the weight of Barron's loss: between 1 and what is multiplied by it, every product is a number if the last one is."""
    if alpha == 2:
        return xp.full_like(u, 1 / math.sqrt(c))
    if alpha < _WELSCH:
        return xp.exp(-0.125 * (u / c) ** 2) / math.sqrt(c)
    bend = math.sqrt(abs(alpha - 2)) * c
    return power(xp, xp.abs(u) / bend, root_of_root(xp, u, bend), 0.5 * alpha - 1) / math.sqrt(c)
