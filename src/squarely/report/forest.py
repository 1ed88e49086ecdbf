"""Intervals of groups and of differences as bars beside their numbers, so that they can be compared at a glance."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from markupsafe import Markup

from squarely.report.report import Cell, GroupRow, MetricRow
from squarely.svg import axis_range, interval_bar

__all__ = ["Forest", "axis_of", "bar"]


def bar(value: float, ends: tuple[float, float], axis: tuple[float, float], reference: float) -> Markup:
    """Return one bar; nothing where there is no interval."""
    if not all(math.isfinite(each) for each in (value, *ends)):
        return Markup("")
    return Markup(interval_bar(value, ends, axis, reference if math.isfinite(reference) else value))


class Forest:
    """The bars of the metrics that a table of groups shows: one axis for each metric, over all groups and models.

    Parameters
    ----------
    metrics : sequence of MetricRow
    shown : positions in ``metrics``
    groups : sequence of GroupRow
    """

    def __init__(self, metrics: Sequence[MetricRow], shown: Sequence[int], groups: Sequence[GroupRow]) -> None:
        self._whole = {at: metrics[at].cells for at in shown}
        self._axes = {at: axis_of(cell for cells in (metrics[at].cells, *(group.cells[at] for group in groups)) for cell in cells) for at in shown}

    def __call__(self, cell: Cell, at: int, model: int) -> Markup:
        """Draw the interval of a group; the upright line is the value over all rows."""
        return bar(cell.value, (cell.interval.low, cell.interval.high), self._axes[at], self._whole[at][model].value)


def axis_of(cells: Iterable[Cell]) -> tuple[float, float]:
    """Return an axis for intervals: all values and most intervals, for that of a tiny group may dwarf the others."""
    known = [cell for cell in cells if math.isfinite(cell.value)]
    values = [cell.value for cell in known]
    ends = [end for cell in known for end in cell.interval[1:3] if math.isfinite(end)]
    if not values:
        return 0.0, 1.0
    low, high = min(values), max(values)
    reach = (high - low) or abs(high) or 1.0
    return axis_range([low, high, *(end for end in ends if low - reach <= end <= high + reach)], margin=0.02)
