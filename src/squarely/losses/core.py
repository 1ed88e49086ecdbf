"""Kernels that the compiled core has too: their numbers, and one pass over rows of them that lie in one piece."""

from typing import NamedTuple

from squarely import _core
from squarely.losses.kernels import KERNELS, Bound, Kernel

__all__ = ["ALL", "CURVATURES", "OWN", "InCore", "Spread", "Team", "has", "in_core", "spread"]

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
    """A kernel with its settings, as the core knows it."""

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
        scale: float,
        gradient: int,
        threads: int,
        team: Team = OWN,
        samples: int = 1,
        totals: int = 0,
    ) -> float:
        """Return the sum of weight times loss, and write the gradients times ``scale`` to an address, if that is not 0.

        ``rows`` are their number and the addresses of prediction and target; ``counted`` are weight and mask. The sums of so many samples, of
        equal length, are written as doubles to ``totals``.
        """
        return _core.add_losses(self.number, self.constants, is_double, *rows, *counted, omit, scale, gradient, samples, totals, (threads, *team))


def has(kernel: type[Kernel]) -> bool:
    """Say whether the core has a kernel."""
    return kernel in _NUMBERS


def in_core(kernel: Bound) -> InCore | None:
    """Return a kernel of the core, if it has it and all settings are numbers."""
    declared, settings = kernel.kernel, tuple(kernel.settings.values())
    if declared not in _NUMBERS or not all(isinstance(each, float) for each in settings):
        return None
    if declared is KERNELS["smooth_l1_loss"] and settings == (1.0,):
        declared = KERNELS["huber_loss"]  # the same bits, without a division by 1
    constants = (*settings, 0.0, 0.0)
    return InCore(_NUMBERS[declared], (constants[0], constants[1]), 1 << 15 if declared in _SHORT else 1 << 13)
