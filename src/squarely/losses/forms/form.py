"""What a loss is to its caller: how its values arise, and how they are reduced. A kernel is the form of most."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar

from squarely.errors import DataError
from squarely.losses.compose import Counted, count, pointwise, reduced, same_shape, total
from squarely.losses.kernels import Kernel
from squarely.losses.library import Library
from squarely.losses.options import Options
from squarely.losses.terms import LossTerms
from squarely.parameter import Parameter

__all__ = ["FORMS", "Form", "Pointwise", "form", "only"]

Array = Any
Values = tuple[Array, Counted]


class Form:
    """A loss that is more than a function of one residual. Subclasses are declarations, with the words of a kernel.

    Attributes
    ----------
    arrays : arrays that it takes beside prediction and target, and what they are
    """

    name: ClassVar[str]
    title: ClassVar[str]
    tex: ClassVar[str]
    reference: ClassVar[str]
    elicits: ClassVar[str]
    half: ClassVar[bool] = False
    efficient: ClassVar[Mapping[str, float]] = MappingProxyType({})
    settings: ClassVar[Mapping[str, Parameter]] = MappingProxyType({})
    arrays: ClassVar[Mapping[str, str]] = MappingProxyType({})

    def elements(self, library: Library, pred: Array, target: Array, options: Options) -> tuple[Array, Array]:
        """Return prediction and target as options see them, with one element for each loss; refuse shapes and options that are not for it."""
        same_shape(pred, target)
        return pred, target

    def values(self, library: Library, pred: Array, target: Array, options: Options, settings: Any, arrays: Any) -> Values:
        """Return the losses before weights, and what counts of them."""
        raise NotImplementedError

    def terms(self, library: Library, values: Array, counted: Counted, options: Options) -> LossTerms:
        """Return numerator and denominator of the mean."""
        return total(library, values, counted, options)

    def reduced(self, library: Library, values: Array, counted: Counted, options: Options) -> Array:
        """Return the losses as they were asked for."""
        return reduced(library, values, counted, options)


FORMS: dict[str, type[Form]] = {}


def form(declared: type[Form]) -> type[Form]:
    """Enter a declaration into the registry."""
    if declared.name in FORMS:
        raise ValueError(f"there is a loss {declared.name!r} already")
    declared.settings, declared.arrays = MappingProxyType(dict(declared.settings)), MappingProxyType(dict(declared.arrays))
    FORMS[declared.name] = declared
    return declared


def only(options: Options, name: str, **allowed: tuple[str | None, ...]) -> None:
    """Refuse options that have no meaning for a loss."""
    for option, values in allowed.items():
        given = getattr(options, option)
        if not (given is None or isinstance(given, str)) or given not in values:
            said = repr(given) if isinstance(given, str) else "another"
            raise DataError(f"{name} takes {option}={' or '.join(map(repr, values))} only; got {said}.")


class Pointwise(Form):
    """The form of a kernel: one residual for each element."""

    def __init__(self, kernel: type[Kernel]) -> None:
        self.kernel = kernel

    def values(self, library: Library, pred: Array, target: Array, options: Options, settings: Any, arrays: Any) -> Values:
        """Return the loss of each element."""
        counted = count(library, *self.elements(library, pred, target, options), options)
        return pointwise(library, self.kernel, settings, pred, target, counted, options), counted
