"""Losses that the compiled core has too: their numbers, and one pass over rows of them that lie in one piece."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from squarely import _core
from squarely.losses.forms import Form, Pointwise
from squarely.losses.forms.several import BetaNLL, FaithfulNLL, GaussianNLL
from squarely.losses.kernels import KERNELS, Bound, Kernel

__all__ = ["ALL", "CURVATURES", "OWN", "InCore", "Spread", "Team", "form_in_core", "has", "in_core", "spread"]

_NAMES = (  # in the order of cpp/losses.hpp
    *("mse_loss", "half_mse_loss", "l1_loss", "huber_loss", "smooth_l1_loss", "pseudo_huber_loss", "log_cosh_loss", "fair_loss", "cauchy_loss"),
    *("geman_mcclure_loss", "welsch_loss", "tukey_loss", "winsorized_loss", "student_t_loss", "pinball_loss", "smooth_pinball_loss"),
    *("expectile_loss", "linex_loss", "msle_loss"),
)
_NUMBERS: dict[type[Kernel], int] = {KERNELS[name]: number for number, name in enumerate(_NAMES)}
_SHORT = {
    KERNELS[name]
    for name in ("mse_loss", "half_mse_loss", "l1_loss", "huber_loss", "smooth_l1_loss", "winsorized_loss", "pinball_loss", "expectile_loss")
}
_LIKELIHOODS: tuple[type[Form], ...] = (GaussianNLL, BetaNLL, FaithfulNLL)
_OF_VARIANCE = {form: len(_NAMES) + 2 * place for place, form in enumerate(_LIKELIHOODS)}  # one more is the number for its logarithm
CURVATURES = {"exact": 0, "gauss_newton": 1, "irls": 2}


class Spread(NamedTuple):
    """Numbers at an address that stand for more rows than there are of them: row i has number (i // repeat) % size."""

    address: int
    size: int
    repeat: int


class Team(NamedTuple):
    """Addresses of functions of an OpenMP: that which runs a function on its threads, and that which numbers them."""

    run: int
    which: int


OWN = Team(0, 0)  # none: threads of the core
ALL = Spread(0, 1, 1)  # no numbers: every row counts, and all count alike


def spread(shape: tuple[int, ...], given: tuple[int, ...], address: int) -> Spread | None:
    """Return how numbers of a shape stand for the rows of another; None where they would repeat in the middle."""
    first, last = 0, len(given)
    while last and given[last - 1] == 1:
        last -= 1
    while first < last and given[first] == 1:
        first += 1
    if given[first:last] != shape[first:last]:
        return None
    size, repeat = 1, 1
    for axis in shape[first:last]:
        size *= axis
    for axis in shape[last:]:
        repeat *= axis
    return Spread(address, size, repeat)


class InCore(NamedTuple):
    """A loss with its settings, as the core knows it."""

    number: int
    constants: tuple[float, float]
    worth_a_thread: int  # elements that take longer than a waiting thread to begin

    def add(
        self,
        is_double: bool,
        rows: tuple[int, int, int],
        counted: tuple[Spread, Spread],
        *,
        omit: bool,
        scale: float = 1.0,
        den: float = 1.0,
        gradient: int,
        threads: int,
        team: Team = OWN,
        samples: int = 1,
        totals: int = 0,
        spread: int = 0,
        gradient_of_spread: int = 0,
        odd: bool = False,
    ) -> float:
        """Return the sum of weight times loss, and write the gradients times ``scale`` by ``den`` to their addresses, where those are not 0.

        ``rows`` are their number and the addresses of prediction and target, and ``spread`` that of the variance or its logarithm, of a
        likelihood; ``counted`` are weight and mask. The sums of so many samples, of equal length, are written as doubles to ``totals``. Floats that
        are to be rounded again are ``odd``: of squares, absolutes, Huber's and pinballs, so that they are rounded once.
        """
        loss, outs, lent = (self.number, self.constants), (gradient, gradient_of_spread), (threads, *team)
        return _core.add_losses(*loss, is_double, *rows, spread, *counted, omit, scale, den, *outs, odd, samples, totals, lent)


def has(form: Form) -> bool:
    """Say whether the core has a form."""
    return form.kernel in _NUMBERS if isinstance(form, Pointwise) else type(form) in _OF_VARIANCE


def form_in_core(form: Form, settings: Mapping[str, Any], spreads: Sequence[str]) -> InCore | None:
    """Return a form of the core with its settings, or None; the settings have to be numbers, and of a likelihood one spread given, by its name."""
    if isinstance(form, Pointwise):
        return in_core(form.kernel.bound(settings))
    if len(spreads) != 1:
        return None
    return InCore(_OF_VARIANCE[type(form)] + (spreads[0] == "log_var"), (settings.get("beta", 0.0), 0.0), 1 << 13)


def in_core(kernel: Bound) -> InCore | None:
    """Return a kernel of the core, if it has it and all settings are numbers."""
    declared, settings = kernel.kernel, tuple(kernel.settings.values())
    if declared not in _NUMBERS or not all(isinstance(each, float) for each in settings):
        return None
    if declared is KERNELS["smooth_l1_loss"] and settings == (1.0,):
        declared = KERNELS["huber_loss"]  # the same bits, without a division by 1
    constants = (*settings, 0.0, 0.0)
    return InCore(_NUMBERS[declared], (constants[0], constants[1]), 1 << 15 if declared in _SHORT else 1 << 13)
