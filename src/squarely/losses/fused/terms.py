"""What a kernel computes of each element: the loss and its derivatives, traced from the one declaration there is."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np

from squarely.losses.forms.several import Normal
from squarely.losses.fused.line import constants, line
from squarely.losses.fused.slope import slope
from squarely.losses.fused.source import compiled, written
from squarely.losses.fused.trace import TRACED, Expression, Symbol, UntraceableError, given, symbol
from squarely.losses.kernels import Bound, BoundResidual
from squarely.losses.kernels.residual import DIFFERENCE

__all__ = ["Program", "of_kernel", "of_likelihood"]

_TAKES = ("pred", "target", "spread")
_MOST = 16  # programs of a loss: settings are part of one, and what changes at every step is not worth a compiler
_PROGRAMS: WeakKeyDictionary[Any, dict[tuple[Any, ...], Any]] = WeakKeyDictionary()


class Program(NamedTuple):
    """What a kernel calls for each element, as functions of Triton.

    Parameters
    ----------
    terms : (pred, target, spread) -> (loss, slope by pred, slope by spread)
    line : (u, rest) -> (slope, value) of the derivative by the difference of prediction and target, which is ``u + rest``, where each
        piece of it is a line through 0 or a constant; else None
    narrow : whether the constants of the latter are float32
    """

    terms: Any
    line: Any = None
    narrow: bool = False


class _Library:
    """What a likelihood asks of a library of arrays."""

    xp = TRACED

    @staticmethod
    def stop(x: Expression) -> Expression:
        return symbol("stop", x)


def of_kernel(kernel: Bound) -> Program | None:
    """Return the program of a pointwise loss, or None where it has none."""
    return _program(kernel.kernel, tuple(kernel.settings.items()), lambda: _of_kernel(kernel))


def of_likelihood(form: type[Normal], is_log: bool, settings: Mapping[str, float]) -> Program | None:
    """Return the program of a likelihood, or None where it has none."""
    return _program(form, (("is_log", float(is_log)), *settings.items()), lambda: _of_likelihood(form, is_log, settings))


def _program(declared: Any, settings: tuple[Any, ...], make: Callable[[], Program]) -> Program | None:
    """Return the program of a loss with its settings; None where it cannot be traced, or has had many others."""
    if not all(isinstance(value, float) for _, value in settings):
        return None
    programs = _PROGRAMS.setdefault(declared, {})
    if settings not in programs and len(programs) < _MOST:
        try:
            programs[settings] = make()
        except (UntraceableError, AttributeError, TypeError):  # what a formula of the user's own may run into that meets a symbol
            programs[settings] = None
    return programs.get(settings)


def _of_kernel(kernel: Bound) -> Program:
    declared, pred, target = kernel.kernel, given("pred"), given("target")
    if missing := set(declared.residual.takes) - set(kernel.settings):
        raise UntraceableError(f"the residual takes {', '.join(missing)}")
    compared = BoundResidual(declared.residual, {name: kernel.settings[name] for name in declared.residual.takes})
    bound = declared.bound(kernel.settings)

    def derived(u: Symbol) -> tuple[Expression, Expression]:
        rho = bound.rho(TRACED, u)
        return rho, bound.psi(TRACED, u) if declared.has_derivatives else slope(rho, u)

    rho, psi = derived(compared.of(TRACED, pred, target))
    terms = compiled(written("terms", _TAKES, (rho, _product(psi, compared.slope(TRACED, pred, target)), 0.0)), "terms")
    if declared.residual is not DIFFERENCE:
        return Program(terms)
    u, rest = given("u"), given("rest")
    straight = line(derived(u)[1], u, rest)
    if straight is None:
        return Program(terms)
    return Program(
        terms, compiled(written("line", ("u", "rest"), straight), "line"), all(float(np.float32(each)) == each for each in constants(*straight))
    )


def _product(a: Expression, b: Expression) -> Expression:
    return b if not isinstance(a, Symbol) and a == 1 else a * b


def _of_likelihood(form: type[Normal], is_log: bool, settings: Mapping[str, float]) -> Program:
    pred, target, spread = map(given, _TAKES)
    value = form.of(_Library, pred - target, spread, is_log, settings)  # type: ignore[arg-type]
    return Program(compiled(written("terms", _TAKES, (value, slope(value, pred), slope(value, spread))), "terms"))
