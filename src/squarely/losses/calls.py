"""A loss as a function: the same call for every framework, made from a kernel and the library of the framework."""

import inspect
from collections.abc import Iterable, Mapping
from typing import Any

from squarely.losses.compose import Counted, judge
from squarely.losses.forms import Form, Pointwise
from squarely.losses.kernels import Kernel, checked
from squarely.losses.library import Library
from squarely.losses.options import OPTIONS, Options
from squarely.losses.terms import LossTerms
from squarely.parameter import Parameter

__all__ = ["Call", "documented", "signature_of"]

Array = Any


class Call:
    """A loss as a function ``(pred, target, *, settings, arrays and options)`` of one framework.

    It returns an array: the mean over what counts, or what ``reduction`` says. ``terms`` returns numerator and denominator of the mean.
    """

    def __init__(self, declared: type[Kernel] | type[Form], library: Library) -> None:
        self.declared = declared
        self.library = library
        self._form = Pointwise(declared) if issubclass(declared, Kernel) else declared()
        self.__name__ = self.__qualname__ = declared.name
        self.__doc__ = documented(declared, self._form.arrays)
        self.__signature__ = signature_of(declared.settings, self._form.arrays)
        self._unasked = Options(), dict[str, Any](), checked(declared, {})

    def __repr__(self) -> str:
        return f"<loss {self.__name__}>"

    def __call__(self, pred: Array, target: Array, **given: Any) -> Array:
        """Return the mean over what counts, or what ``reduction`` says."""
        values, counted, options = self._values(pred, target, given)
        return self._form.reduced(self.library, values, counted, options)

    def terms(self, pred: Array, target: Array, **given: Any) -> LossTerms:
        """Return numerator and denominator of the mean, to be added over micro-batches and ranks."""
        values, counted, options = self._values(pred, target, given)
        return self._form.terms(self.library, values, counted, options)

    def _values(self, pred: Array, target: Array, given: dict[str, Any]) -> tuple[Array, Counted, Options]:
        options, arrays, settings = self._read(given)
        judge(self.library, pred=pred, target=target, **{name: each for name, each in arrays.items() if each is not None})
        values, counted = self._form.values(self.library, pred, target, options, settings, arrays)
        return values, counted, options

    def _read(self, given: dict[str, Any]) -> tuple[Options, dict[str, Array], dict[str, Any]]:
        """Take options, arrays and settings of a call apart."""
        if not given:
            return self._unasked
        options = Options(**{name: given[name] for name in OPTIONS if name in given})
        arrays = {name: given[name] for name in self._form.arrays if name in given}
        settings = {name: value for name, value in given.items() if name not in OPTIONS and name not in arrays}
        return options, arrays, checked(self.declared, settings)


def signature_of(settings: Mapping[str, Parameter], arrays: Iterable[str] = ()) -> inspect.Signature:
    """Return the signature of a loss with these settings."""
    where, only = inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY
    given = [inspect.Parameter(name, where) for name in ("pred", "target")]
    given += [inspect.Parameter(name, only, default=setting.default) for name, setting in settings.items()]
    given += [inspect.Parameter(name, only, default=None) for name in arrays]
    given += [inspect.Parameter(name, only, default=p.default) for name, p in inspect.signature(Options).parameters.items()]
    return inspect.Signature(given)


def documented(kernel: type[Kernel] | type[Form], arrays: Mapping[str, str]) -> str:
    """Return the documentation of a loss, made of its declaration."""
    meaning = "" if r"\hat y" in kernel.tex else r", \quad u = \text{pred} - \text{target}"
    settings = [f"{name} : {each.expected}, default {each.default}\n    {each.text}" for name, each in kernel.settings.items()]
    settings += [f"{name} : array\n    {text}" for name, text in arrays.items()]
    return "\n".join(
        [
            inspect.cleandoc(kernel.__doc__ or ""),
            "",
            f".. math:: {kernel.tex}{meaning}",
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


def _convention(kernel: type[Kernel] | type[Form]) -> str:
    """Return what distinguishes this form of the loss from others of its name."""
    said = ["Half of the square near 0."] if kernel.half else []
    said.append(f"Elicits: {kernel.elicits}.")
    if kernel.efficient:
        constants = ", ".join(f"{name} = {value:g}" for name, value in kernel.efficient.items())
        said.append(f"With {constants}, in units of the scale of the errors, it keeps 95 % of the precision of a mean at normal errors.")
    return " ".join(said)
