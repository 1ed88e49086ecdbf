"""A difference between two models in words: the same ones in a sentence and in a table."""

import math
from dataclasses import dataclass

from squarely.metric import Question
from squarely.plain import number, rounded

__all__ = ["Told", "p_words", "valued"]


@dataclass(frozen=True)
class Told:
    """A difference and the ends of its interval for a reader; those of a percentage are in percentage points.

    The ends have two digits of the width of the interval, and the difference one more.
    """

    difference: str
    low: str
    high: str

    @classmethod
    def of(cls, question: Question, difference: float, ends: tuple[float, float]) -> "Told":
        """Write a difference and its interval."""
        times = 100 if question.metric.percent else 1
        value, low, high = times * difference, times * ends[0], times * ends[1]
        if math.isnan(low):
            return cls(number(value), "-", "-")
        return cls(rounded(value, (high - low) / 10), rounded(low, high - low), rounded(high, high - low))

    @property
    def between(self) -> str:
        """The interval; "-" where there is none."""
        return "-" if self.low == "-" else f"{self.low} to {self.high}"


def valued(question: Question, value: float) -> str:
    """Write a value of the metric."""
    return f"{number(100 * value)} %" if question.metric.percent else number(value)


def p_words(value: float) -> str:
    """Write a p-value."""
    return "-" if math.isnan(value) else "< 0.001" if value < 0.001 else f"{value:.2g}"
