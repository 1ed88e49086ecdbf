"""Links: the scale on which answers scatter evenly."""

import math
from enum import Enum
from typing import Any

import numpy as np

from squarely.metric import Metric

__all__ = ["Link"]


class Link(Enum):
    """A rising or falling function that takes away the edge of a metric.

    LOG is for errors, which are positive; ROOM, the log of 1 less, is for scores, which are below 1; PLAIN is for all others.
    """

    LOG = "log"
    ROOM = "room"
    PLAIN = "plain"

    @classmethod
    def of(cls, metric: Metric) -> "Link":
        """Return the link of a metric."""
        if metric.best == math.inf or (metric.best == 0 and metric.direction == "lower"):
            return cls.LOG
        return cls.ROOM if metric.best == 1 and metric.direction == "higher" else cls.PLAIN

    def __call__(self, x: Any) -> Any:
        """Return g(x)."""
        return np.log(x) if self is Link.LOG else np.log(1 - x) if self is Link.ROOM else x

    def back(self, g: Any) -> Any:
        """Return the x of a g(x)."""
        return np.exp(g) if self is Link.LOG else 1 - np.exp(g) if self is Link.ROOM else g

    def slope(self, x: Any) -> Any:
        """Return the size of dg / dx, by which a standard error of x becomes one of g(x)."""
        return 1 / np.abs(x) if self is Link.LOG else 1 / np.abs(1 - x) if self is Link.ROOM else 1.0
