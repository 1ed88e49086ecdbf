"""A loss of the user's own, from its formula: every framework takes it as it takes ours."""

import inspect
import math
from collections.abc import Callable, Mapping
from typing import Any

from squarely.errors import DataError
from squarely.losses.kernels.kernel import Array, Formula, Kernel
from squarely.losses.options import OPTIONS
from squarely.parameter import Parameter

__all__ = ["pointwise"]


def pointwise(
    *, psi: Formula | None = None, kappa: Formula | None = None, elicits: str = "as its formula says", convex: bool = False
) -> Callable[[Formula], type[Kernel]]:
    r"""Make a loss of a formula ``rho(xp, u, *, settings with defaults)``, for all frameworks.

    ``xp`` is the namespace of the arrays: ``numpy``, ``torch`` or ``jax.numpy``; ``u`` is pred - target.

    Parameters
    ----------
    psi, kappa : functions like rho
        The first and the second derivative by u. torch and JAX find them by themselves where they are not given; NumPy and boosting need
        them. They are believed, not checked.
    elicits : str
    convex : bool

    Raises
    ------
    DataError
        Where one of the derivatives is given without the other, or a setting has no number as default, or the name of an option.

    Examples
    --------
    >>> import numpy as np
    >>> from squarely.losses import pointwise
    >>> @pointwise(psi=lambda xp, u, high: 2 * u * xp.where(u > 0, high, 1.0), kappa=lambda xp, u, high: 2 * xp.where(u > 0, high, 1.0))
    ... def late_is_worse(xp, u, high=3.0):
    ...     return u * u * xp.where(u > 0, high, 1.0)
    >>> late_is_worse.rho(np, np.array([-1.0, 1.0]), high=3.0)
    array([1., 3.])
    """
    if (psi is None) != (kappa is None):
        raise DataError(f"{'psi' if psi is None else 'kappa'} is missing: give both derivatives, or neither.")

    def declare(rho: Formula) -> type[Kernel]:
        attributes: dict[str, Any] = {
            "__doc__": rho.__doc__ or f"The loss {rho.__name__}.",
            "name": rho.__name__,
            "title": rho.__name__.replace("_", " "),
            "tex": r"\rho(u)",
            "reference": "Declared by its user.",
            "elicits": elicits,
            "convex": convex,
            "settings": _settings(rho),
            "has_derivatives": psi is not None,
            "rho": staticmethod(rho),
        }
        if psi is not None and kappa is not None:
            attributes |= {"psi": staticmethod(psi), "kappa": staticmethod(kappa), "omega": staticmethod(_omega(psi, kappa))}
        return type(rho.__name__, (Kernel,), attributes)

    return declare


def _settings(rho: Formula) -> Mapping[str, Parameter]:
    """Return the settings of a formula: its arguments after the second, which have defaults."""
    found = {}
    for name, argument in list(inspect.signature(rho).parameters.items())[2:]:
        if name in OPTIONS:
            raise DataError(f"{rho.__name__}: the setting {name!r} is the name of an option of every loss; give it another.")
        if isinstance(argument.default, bool) or not isinstance(argument.default, int | float):
            raise DataError(f"{rho.__name__}: the setting {name!r} has no number as default; write {name}=1.0 or the like.")
        found[name] = Parameter(float(argument.default), f"A setting of {rho.__name__}.", (-math.inf, math.inf))
    return found


def _omega(psi: Formula, kappa: Formula) -> Formula:
    """Return psi / u, which is kappa at 0."""

    def omega(xp: Any, u: Array, **settings: float) -> Array:
        there = xp.where(u == 0, xp.ones_like(u), u)
        return xp.where(u == 0, kappa(xp, u, **settings), psi(xp, there, **settings) / there)

    return omega
