"""Losses whose gradient goes back to 0: an error that is large enough hardly counts. None is convex, so start near a solution."""

import math
from typing import Any

from squarely.losses.kernels.careful import power, root
from squarely.losses.kernels.kernel import Array, Kernel, kernel
from squarely.parameter import Parameter

__all__ = ["Barron", "Cauchy", "GemanMcClure", "StudentT", "Tukey", "Welsch", "Winsorized"]

_SIZE = "The size of an error, in the unit of the target, {}."
_LESS = "past which it counts for less and less"
# Shapes of Barron's family from which on a limit is it to the last digit.
_CAUCHY, _WELSCH = 1e-20, -1e18


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
        z = u / c
        near = 0.5 * xp.log1p(xp.clip(xp.abs(z), None, 1.0) ** 2)
        return c * c * xp.where(xp.abs(z) < 1, near, xp.log(root(xp, z)))

    @staticmethod
    def psi(xp: Any, u: Array, c: float) -> Array:
        h = root(xp, u / c)
        return u / h / h

    @staticmethod
    def kappa(xp: Any, u: Array, c: float) -> Array:
        z = u / c
        h = root(xp, z)
        return (1 / h - z / h) * (1 / h + z / h) / h / h

    @staticmethod
    def omega(xp: Any, u: Array, c: float) -> Array:
        h = root(xp, u / c)
        return 1 / h / h


@kernel("geman_mcclure_loss")
class GemanMcClure(_Redescending):
    """A bounded loss, c^2 / 2 at most, whose gradient falls like 1 / u^3."""

    title = "Geman-McClure loss"
    tex = r"\frac12 \frac{u^2}{1 + (u/c)^2}"
    reference = "Geman, S. and McClure, D. E. (1985), Proc. Statistical Computing Section, ASA, pp. 12-18."
    settings = {"c": _size(1.0)}

    @staticmethod
    def rho(xp: Any, u: Array, c: float) -> Array:
        z = u / c
        most = xp.clip(xp.abs(z), 1.0, None)
        square = (z / most) ** 2  # no square of a large z
        return 0.5 * c * c * (square / ((1 / most) ** 2 + square))

    @staticmethod
    def psi(xp: Any, u: Array, c: float) -> Array:
        h = root(xp, u / c)
        return u / h / h / h / h

    @staticmethod
    def kappa(xp: Any, u: Array, c: float) -> Array:
        z = u / c
        h = root(xp, z)
        return (1 / h - math.sqrt(3) * (z / h)) * (1 / h + math.sqrt(3) * (z / h)) / h / h / h / h

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
        return -0.5 * c * c * xp.expm1(-((u / c) ** 2))

    @staticmethod
    def psi(xp: Any, u: Array, c: float) -> Array:
        return u * Welsch.omega(xp, u, c)

    @staticmethod
    def kappa(xp: Any, u: Array, c: float) -> Array:
        z = xp.clip(u / c, -100.0, 100.0)  # beyond, it is 0 in every type
        return (1 - math.sqrt(2) * z) * (1 + math.sqrt(2) * z) * xp.exp(-z * z)

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
        s = xp.clip(u / c, -1.0, 1.0) ** 2
        return c * c / 6 * s * (3 - 3 * s + s * s)

    @staticmethod
    def psi(xp: Any, u: Array, c: float) -> Array:
        return c * xp.clip(u / c, -1.0, 1.0) * Tukey.omega(xp, u, c)

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
        c = math.sqrt(df) * scale
        return (df + 1) / (c * c) * Cauchy.rho(xp, u, c)

    @staticmethod
    def psi(xp: Any, u: Array, df: float, scale: float) -> Array:
        c = math.sqrt(df) * scale
        return (df + 1) / (c * c) * Cauchy.psi(xp, u, c)

    @staticmethod
    def kappa(xp: Any, u: Array, df: float, scale: float) -> Array:
        c = math.sqrt(df) * scale
        return (df + 1) / (c * c) * Cauchy.kappa(xp, u, c)

    @staticmethod
    def omega(xp: Any, u: Array, df: float, scale: float) -> Array:
        c = math.sqrt(df) * scale
        return (df + 1) / (c * c) * Cauchy.omega(xp, u, c)


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
        if abs(alpha) < _CAUCHY:
            return Cauchy.rho(xp, z, math.sqrt(2))
        if alpha < _WELSCH:
            return Welsch.rho(xp, z, math.sqrt(2))
        b = abs(alpha - 2)
        v = z / math.sqrt(b)
        if abs(alpha) < 0.1:  # a power that is nearly 1 says little
            least = Cauchy.rho(xp, v, 1.0)  # rho / b as alpha goes to 0
            x = alpha * least
            there = xp.where(x == 0, xp.ones_like(x), x)
            return b * least * xp.where(x == 0, xp.ones_like(x), xp.expm1(x) / there)
        near = xp.expm1(0.5 * alpha * xp.log1p(xp.clip(xp.abs(v), None, 1.0) ** 2))
        half = root(xp, v) ** (0.5 * alpha)  # twice, for a small b times its square may be finite where the square is not
        return xp.where(xp.abs(v) < 1, b / alpha * near, b / alpha * half * half - b / alpha)

    @staticmethod
    def psi(xp: Any, u: Array, alpha: float, c: float) -> Array:
        z = u / c
        if alpha < _WELSCH:
            return z * Welsch.omega(xp, z, math.sqrt(2)) / c
        if alpha == 2:
            return z / c
        v = z / math.sqrt(abs(alpha - 2))
        h = root(xp, v)
        return z / h * power(xp, v, h, alpha - 1) / c

    @staticmethod
    def kappa(xp: Any, u: Array, alpha: float, c: float) -> Array:
        z = u / c
        if alpha < _WELSCH:
            return Welsch.kappa(xp, z, math.sqrt(2)) / (c * c)
        if alpha == 2:
            return xp.full_like(u, 1 / (c * c))
        v = z / math.sqrt(abs(alpha - 2))
        h = root(xp, v)
        return ((1 / h) ** 2 + (alpha - 1) * (v / h) ** 2) * power(xp, v, h, alpha - 2) / (c * c)

    @staticmethod
    def omega(xp: Any, u: Array, alpha: float, c: float) -> Array:
        z = u / c
        if alpha < _WELSCH:
            return Welsch.omega(xp, z, math.sqrt(2)) / (c * c)
        if alpha == 2:
            return xp.full_like(u, 1 / (c * c))
        v = z / math.sqrt(abs(alpha - 2))
        return power(xp, v, root(xp, v), alpha - 2) / (c * c)
