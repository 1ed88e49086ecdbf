"""Settings of a metric: what they mean, and the values they take."""

import math
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np

from squarely.errors import DataError

__all__ = ["ColumnParameter", "LevelsParameter", "Parameter"]


def _as_float(value: Real) -> float:
    """Return a number as a double; one that is beyond every double fits nowhere."""
    try:
        return float(value)
    except OverflowError:
        return math.nan


def _shown(value: Any) -> str:
    """Return a value as a message can carry it."""
    if isinstance(value, int) and value.bit_length() > 1024:
        return "beyond the largest double"
    if isinstance(value, str):
        return repr(value[:80])
    is_array = hasattr(value, "shape") and not isinstance(value, Real)  # whose text may be that of a number
    return repr(value)[:80] if is_array else str(value)[:80]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A setting; ``allowed`` holds the choices of a text, or the least and the largest of a number.

    A default that is an int asks for whole numbers. With ``above`` the least value is not taken itself; between the two values of
    ``gap`` there is nothing.
    """

    default: Any
    text: str
    allowed: tuple[Any, ...]
    above: bool = False
    gap: tuple[float, float] | None = None

    @property
    def expected(self) -> str:
        """The values it takes, in words."""
        if isinstance(self.default, str):
            return "one of " + ", ".join(map(repr, self.allowed))
        low, high = self.allowed
        kind = "a whole number" if isinstance(self.default, int) else "a number"
        if self.gap is not None:
            return f"{kind}, but none between {self.gap[0]:g} and {self.gap[1]:g}"
        if self.above:
            return f"{kind} above {low}" if high == math.inf else f"{kind} above {low} and at most {high}"
        return kind if low == -math.inf else f"{kind} of at least {low}" if high == math.inf else f"{kind} between {low} and {high}"

    def check(self, metric: str, name: str, value: Any) -> None:
        """Refuse a value that the metric cannot use."""
        if not self._fits(value):
            raise DataError(f"{metric}: {name} is {_shown(value)}; expected {self.expected}.")

    def _fits(self, value: Any) -> bool:
        if isinstance(self.default, str):
            return isinstance(value, str) and value in self.allowed
        if not isinstance(value, Integral if isinstance(self.default, int) else Real) or isinstance(value, bool):
            return False
        low, high = self.allowed
        number = _as_float(value)
        if not low <= number <= high or (self.above and number == low):
            return False
        return self.gap is None or not self.gap[0] < number < self.gap[1]


@dataclass(frozen=True, slots=True)
class ColumnParameter(Parameter):
    """A column that is read beside target and prediction: an array for a function, a name for an evaluation.

    ``allowed`` holds words that stand for no column, such as "mean". With ``several`` it is one column per value of another setting.
    """

    default: Any = None
    text: str = ""
    allowed: tuple[Any, ...] = ()
    several: bool = False

    @property
    def expected(self) -> str:
        """The values it takes, in words."""
        words = "".join(f", or {word!r}" for word in self.allowed)
        return ("the names of columns" if self.several else "the name of a column") + words

    def _fits(self, value: Any) -> bool:
        if self.several:
            return isinstance(value, tuple | list) and bool(value) and all(isinstance(name, str) for name in value)
        return isinstance(value, str)


@dataclass(frozen=True, slots=True)
class LevelsParameter(Parameter):
    """Levels of quantiles, one for each forecast."""

    @property
    def expected(self) -> str:
        """The values it takes, in words."""
        return "levels above 0 and below 1, each once"

    def _fits(self, value: Any) -> bool:
        if not isinstance(value, tuple | list | np.ndarray) or not len(value):
            return False
        return all(isinstance(level, Real) and 0 < _as_float(level) < 1 for level in value) and len(set(value)) == len(value)
