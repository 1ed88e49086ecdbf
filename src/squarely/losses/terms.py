"""A mean that is not yet divided: numerator and denominator, which add over micro-batches and ranks."""

from dataclasses import dataclass
from typing import Any

__all__ = ["LossTerms"]


@dataclass(frozen=True)
class LossTerms:
    r"""The weighted sum of losses and what it is divided by.

    .. math:: L = \frac{\sum_b \mathrm{num}_b}{\sum_b \mathrm{den}_b}

    Means of means are wrong where batches have different numbers of targets. Sums of terms are not: add the terms of all batches, or divide
    ``num`` of each by the ``den`` of all.

    Parameters
    ----------
    num : scalar array
        The sum of weight times loss over what counts; has a gradient.
    den : scalar array
        What the mean divides by; 0 where nothing counts, and then the mean is 0 and has no gradient. Where something counts that is not 0,
        and weights of both signs add up to 0, it is infinite.
    """

    num: Any
    den: Any

    def __add__(self, other: "LossTerms") -> "LossTerms":
        return LossTerms(self.num + other.num, self.den + other.den)

    def mean(self, den: Any = None) -> Any:
        """Return num over its own denominator, or over that of all batches and ranks."""
        den = self.den if den is None else den
        return self.num / (den + ((den == 0) & (self.num == 0)))
