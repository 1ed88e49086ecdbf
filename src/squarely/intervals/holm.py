"""Several tests at once."""

import math
from collections.abc import Sequence

__all__ = ["holm"]


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values that hold for all of them together: Holm, S. (1979), Scandinavian J. Statistics 6(2)."""
    adjusted, largest = [math.nan] * len(p_values), 0.0
    order = sorted((at for at, p in enumerate(p_values) if not math.isnan(p)), key=lambda at: p_values[at])
    for rank, at in enumerate(order):
        largest = max(largest, min(1.0, (len(order) - rank) * p_values[at]))
        adjusted[at] = largest
    return adjusted
