"""What a kernel computes of each element: the loss and its derivatives, traced from the one declaration there is."""

from collections.abc import Callable, Mapping
from typing import Any
from weakref import WeakKeyDictionary

from squarely.losses.forms.several import Normal
from squarely.losses.fused.slope import slope
from squarely.losses.fused.source import compiled, written
from squarely.losses.fused.trace import TRACED, Expression, Symbol, UntraceableError, given, symbol
from squarely.losses.kernels import Bound, BoundResidual

__all__ = ["of_kernel", "of_likelihood", "source_of_kernel", "source_of_likelihood"]

_TAKES = ("pred", "target", "spread")
_MOST = 16  # programs of a loss: settings are part of one, and what changes at every step is not worth a compiler
_PROGRAMS: WeakKeyDictionary[Any, dict[tuple[Any, ...], Any]] = WeakKeyDictionary()


class _Library:
    """What a likelihood asks of a library of arrays."""

    xp = TRACED

    @staticmethod
    def stop(x: Expression) -> Expression:
        return symbol("stop", x)


def of_kernel(kernel: Bound) -> Any:
    """Return the function (pred, target, spread) -> (rho, slope by pred, 0) of a pointwise loss, or None where it has no program."""
    return _program(kernel.kernel, tuple(kernel.settings.items()), lambda: source_of_kernel(kernel))


def _program(declared: Any, settings: tuple[Any, ...], write: Callable[[], str]) -> Any:
    """Return the program of a loss with its settings; None where it cannot be traced, or has had many others."""
    if not all(isinstance(value, float) for _, value in settings):
        return None
    programs = _PROGRAMS.setdefault(declared, {})
    if settings not in programs and len(programs) < _MOST:
        try:
            programs[settings] = compiled(write(), "terms")
        except (UntraceableError, AttributeError, TypeError):  # what a formula of the user's own may run into that meets a symbol
            programs[settings] = None
    return programs.get(settings)


def source_of_kernel(kernel: Bound) -> str:
    """Return the source of the function of a pointwise loss."""
    declared, pred, target = kernel.kernel, given("pred"), given("target")
    if missing := set(declared.residual.takes) - set(kernel.settings):
        raise UntraceableError(f"the residual takes {', '.join(missing)}")
    compared = BoundResidual(declared.residual, {name: kernel.settings[name] for name in declared.residual.takes})
    bound = declared.bound(kernel.settings)
    u = compared.of(TRACED, pred, target)
    rho = bound.rho(TRACED, u)
    psi = bound.psi(TRACED, u) if declared.has_derivatives else slope(rho, u)
    return written("terms", _TAKES, (rho, _product(psi, compared.slope(TRACED, pred, target)), 0.0))


def _product(a: Expression, b: Expression) -> Expression:
    return b if not isinstance(a, Symbol) and a == 1 else a * b


def of_likelihood(form: type[Normal], is_log: bool, settings: Mapping[str, float]) -> Any:
    """Return the function (pred, target, spread) -> (loss, slope by pred, slope by spread) of a likelihood."""
    return _program(form, (("is_log", float(is_log)), *settings.items()), lambda: source_of_likelihood(form, is_log, settings))


def source_of_likelihood(form: type[Normal], is_log: bool, settings: Mapping[str, float]) -> str:
    """Return the source of the function of a likelihood."""
    pred, target, spread = map(given, _TAKES)
    value = form.of(_Library, pred - target, spread, is_log, settings)  # type: ignore[arg-type]
    return written("terms", _TAKES, (value, slope(value, pred), slope(value, spread)))
