"""What a pointwise loss is: one class with its formulas, from which the face of every framework is derived."""

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from numbers import Real
from types import MappingProxyType
from typing import Any, ClassVar

from squarely.errors import DataError
from squarely.losses.kernels.residual import DIFFERENCE, Residual
from squarely.losses.options import OPTIONS
from squarely.parameter import Parameter

__all__ = ["KERNELS", "Bound", "Kernel", "checked", "kernel", "refuse_places"]

Array = Any  # of NumPy, torch or JAX; xp is the namespace that it belongs to
Formula = Callable[..., Array]  # (xp, u, **settings)


class Kernel:
    r"""A pointwise loss rho of a residual u, which is ``pred - target`` unless said otherwise.

    Subclasses are declarations and have no objects. Their formulas take a namespace of arrays (``numpy``, ``torch``, ``jax.numpy``), the
    residual and the settings, and are finite where their true value is.

    Attributes
    ----------
    name : the name of its function in every framework
    title, tex, reference : for readers
    elicits : what a constant prediction of least loss is: "mean", "median", "quantile" ...
    half : whether rho is u^2 / 2 near 0; else see ``tex``
    convex : whether rho is convex in the residual
    constant_curvature : whether kappa is one number
    differentiable : whether psi is continuous
    efficient : the constants under which estimates keep 95 % of their precision at errors with a standard normal law, where there are such
    settings : name to ``Parameter``
    has_derivatives : whether psi, kappa and omega are declared; where not, frameworks derive rho as it is written
    residual : what u is made of
    rho, psi, kappa : the loss, its derivative by u, and the second one, which may be negative
    omega : psi / u, the weight of iteratively reweighted least squares, which is never negative
    """

    name: ClassVar[str]
    title: ClassVar[str]
    tex: ClassVar[str]
    reference: ClassVar[str]
    elicits: ClassVar[str]
    half: ClassVar[bool] = False
    convex: ClassVar[bool] = True
    constant_curvature: ClassVar[bool] = False
    has_derivatives: ClassVar[bool] = True
    differentiable: ClassVar[bool] = True
    efficient: ClassVar[Mapping[str, float]] = MappingProxyType({})
    settings: ClassVar[Mapping[str, Parameter]] = MappingProxyType({})
    residual: ClassVar[Residual] = DIFFERENCE
    rho: ClassVar[Formula]
    psi: ClassVar[Formula]
    kappa: ClassVar[Formula]
    omega: ClassVar[Formula]

    @classmethod
    def bound(cls, settings: Mapping[str, float]) -> "Bound":
        """Return the kernel with those of all settings that its residual does not take."""
        return Bound(cls, {name: value for name, value in settings.items() if name not in cls.residual.takes})


@dataclass(frozen=True, eq=False)
class Bound:
    """A kernel with its settings: a function of the residual alone, with its derivatives."""

    kernel: type[Kernel]
    settings: Mapping[str, float]

    def rho(self, xp: Any, u: Array) -> Array:
        """Return the loss."""
        return self.kernel.rho(xp, u, **self.settings)

    def psi(self, xp: Any, u: Array) -> Array:
        """Return its derivative."""
        return self.kernel.psi(xp, u, **self.settings)

    def kappa(self, xp: Any, u: Array) -> Array:
        """Return its second derivative."""
        return self.kernel.kappa(xp, u, **self.settings)

    def omega(self, xp: Any, u: Array) -> Array:
        """Return psi / u."""
        return self.kernel.omega(xp, u, **self.settings)


KERNELS: dict[str, type[Kernel]] = {}


def kernel(name: str) -> Callable[[type[Kernel]], type[Kernel]]:
    """Return a decorator that enters a declaration into the registry."""

    def enter(declared: type[Kernel]) -> type[Kernel]:
        if name in KERNELS:
            raise ValueError(f"there is a loss {name!r} already")
        declared.name = name
        declared.settings = MappingProxyType(dict(declared.settings))
        KERNELS[name] = declared
        return declared

    return enter


def refuse_places(name: str, declared: Any, given: tuple[Any, ...]) -> None:
    """Refuse what a class is given without a name: libraries do not agree on the order of settings and options."""
    if not given:
        return
    settings = iter(declared.settings)
    places = ["reduction" if isinstance(each, str) else next(settings, None) for each in given]
    said = f"{name} takes settings and options by name, and was given {', '.join(map(_shown, given))} without one"
    if not all(isinstance(each, str | Real) for each in given):
        raise DataError(f"{said}. Cure: {name}()(...), if these are data.")
    if None in places or len(set(places)) < len(places):
        raise DataError(f"{said}; its settings are {', '.join(declared.settings) or 'none'}.")
    raise DataError(f"{said}. Cure: {name}({', '.join(f'{place}={each!r}' for place, each in zip(places, given, strict=True))}).")


def _shown(given: Any) -> str:
    return repr(given) if isinstance(given, str | Real) else f"a {type(given).__name__}"


def checked(declared: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return all settings of a loss, those that were not given at their defaults; refuse what it does not take."""
    unknown = sorted(set(given) - set(declared.settings))
    if unknown:
        near = difflib.get_close_matches(unknown[0], [*declared.settings, *OPTIONS], 1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise DataError(f"{declared.name} has no setting {unknown[0]!r}; it takes {', '.join(declared.settings) or 'none'}.{hint}")
    for name, value in given.items():
        declared.settings[name].check(declared.name, name, value)
    found = {name: given.get(name, setting.default) for name, setting in declared.settings.items()}
    # A float of Python leaves float32 what it is; a scalar of NumPy would widen it.
    return {name: float(value) if isinstance(value, Real) else value for name, value in found.items()}
