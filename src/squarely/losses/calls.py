"""A loss as a function: the same call for every framework, made from a kernel and the library of the framework."""

import inspect
from typing import Any

from squarely.losses.compose import Counted, count, pointwise, reduced, same_shape, total
from squarely.losses.kernels import Kernel
from squarely.losses.library import Library
from squarely.losses.options import Options
from squarely.losses.terms import LossTerms

__all__ = ["Call", "documented", "signature_of"]

Array = Any
_OPTIONS = tuple(name for name in inspect.signature(Options).parameters)


class Call:
    """A pointwise loss as a function ``(pred, target, *, settings and options)``.

    It returns an array: the mean over what counts, or what ``reduction`` says. ``terms`` returns numerator and denominator of the mean.
    """

    def __init__(self, kernel: type[Kernel], library: Library) -> None:
        self.kernel = kernel
        self.library = library
        self.__name__ = self.__qualname__ = kernel.name
        self.__doc__ = documented(kernel)
        self.__signature__ = signature_of(kernel.settings)

    def __repr__(self) -> str:
        return f"<loss {self.__name__}>"

    def __call__(self, pred: Array, target: Array, **given: Any) -> Array:
        """Return the mean over what counts, or what ``reduction`` says."""
        values, counted, options = self._values(pred, target, given)
        return reduced(self.library, values, counted, options)

    def terms(self, pred: Array, target: Array, **given: Any) -> LossTerms:
        """Return numerator and denominator of the mean, to be added over micro-batches and ranks."""
        values, counted, options = self._values(pred, target, given)
        return total(self.library, values, counted, options)

    def _values(self, pred: Array, target: Array, given: dict[str, Any]) -> tuple[Array, Counted, Options]:
        options = Options(**{name: given.pop(name) for name in _OPTIONS if name in given})
        settings = self.kernel.checked(given)
        same_shape(pred, target)
        counted = count(self.library, pred, target, options)
        return pointwise(self.library, self.kernel, settings, pred, target, counted, options), counted, options


def signature_of(settings: Any) -> inspect.Signature:
    """Return the signature of a loss with these settings."""
    where, only = inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY
    given = [inspect.Parameter(name, where) for name in ("pred", "target")]
    given += [inspect.Parameter(name, only, default=setting.default) for name, setting in settings.items()]
    given += [inspect.Parameter(name, only, default=p.default) for name, p in inspect.signature(Options).parameters.items()]
    return inspect.Signature(given)


def documented(kernel: type[Kernel]) -> str:
    """Return the documentation of a loss, made of its declaration."""
    settings = [f"{name} : {each.expected}, default {each.default:g}\n    {each.text}" for name, each in kernel.settings.items()]
    return "\n".join(
        [
            inspect.getdoc(kernel) or "",
            "",
            f".. math:: {kernel.tex}, \\quad u = \\text{{pred}} - \\text{{target}}",
            "",
            _convention(kernel),
            "",
            *("Parameters", "----------", "pred, target : arrays of one shape; nothing is broadcast", *settings),
            "weight, sample_weight, output_weight, mask, nan_target, covariance, reduction, denom",
            "    As ``squarely.losses.Options`` says.",
            "",
            *("Raises", "------", "DataError", "    Where shapes or types do not fit, and of unknown options.", ""),
            *("References", "----------", kernel.reference),
        ]
    )


def _convention(kernel: type[Kernel]) -> str:
    """Return what distinguishes this form of the loss from others of its name."""
    said = ["Half of the square near 0."] if kernel.half else []
    said.append(f"Elicits: {kernel.elicits}.")
    if kernel.efficient:
        constants = ", ".join(f"{name} = {value:g}" for name, value in kernel.efficient.items())
        said.append(f"With {constants}, in units of the scale of the errors, it keeps 95 % of the precision of a mean at normal errors.")
    return " ".join(said)
