"""A setting of a metric: what it means, and the values it takes."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from squarely.errors import DataError

__all__ = ["Parameter"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A setting; ``allowed`` holds the choices of a text, or the least and the largest of a number.

    A default that is an int asks for whole numbers.
    """

    default: Any
    text: str
    allowed: tuple[Any, ...]

    @property
    def expected(self) -> str:
        """The values it takes, in words."""
        if isinstance(self.default, str):
            return "one of " + ", ".join(map(repr, self.allowed))
        low, high = self.allowed
        kind = "a whole number" if isinstance(self.default, int) else "a number"
        return f"{kind} of at least {low}" if high == math.inf else f"{kind} between {low} and {high}"

    def check(self, metric: str, name: str, value: Any) -> None:
        """Refuse a value that the metric cannot use."""
        if not self._fits(value):
            raise DataError(f"{metric}: {name} is {value!r}; expected {self.expected}.")

    def _fits(self, value: Any) -> bool:
        if isinstance(self.default, str):
            return isinstance(value, str) and value in self.allowed
        kinds = (int, np.integer) if isinstance(self.default, int) else (int, float, np.integer, np.floating)
        low, high = self.allowed
        return isinstance(value, kinds) and not isinstance(value, bool) and bool(low <= value <= high)
