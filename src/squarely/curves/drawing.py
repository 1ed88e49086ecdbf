"""Figures of curves: training and validation along sizes or values."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from squarely.evaluate import Drawn
from squarely.plain import one_line
from squarely.svg import Figure, axis_range

if TYPE_CHECKING:
    from squarely.curves.curve import Curve

__all__ = ["draw"]

_WIDE = 30.0  # times the smallest: from here on an axis is logarithmic
_LOWEST = -1.0  # R2 that is drawn
_TITLES = {"mse": "Mean squared error", "r2": "R2"}


def draw(curve: Curve, metric: str) -> Drawn:
    """Draw a metric of both sides."""
    x, label = _axis(curve)
    training, validation = (_inside(getattr(side, metric), metric) for side in (curve.training, curve.validation))
    low, high = (_inside(ends, metric) for ends in curve.validation.interval(metric))
    order = np.argsort(x, kind="stable")
    known = [at for at in order.tolist() if math.isfinite(low[at] + high[at])]
    lines = {
        role: [(x[at], side[at]) for at in order.tolist() if math.isfinite(side[at])] for role, side in (("guide", training), ("curve", validation))
    }
    middle = float(np.nanmax(validation)) if lines["curve"] else 0.0
    reach = [y for side in lines.values() for _, y in side] + [y for at in known for y in (low[at], min(high[at], 3 * abs(middle)))]
    figure = Figure(
        f"curve-{metric}",
        title=f"{_TITLES[metric]} of training and validation along {one_line(curve.along)}",
        description=f"{len(curve.values)} values, {curve.folds} folds.",
        x=axis_range(x),
        y=axis_range([y for y in reach if math.isfinite(y)], above=0.14),  # where the legend is
        x_label=label,
        y_label=metric.upper(),
    )
    top = figure.y.high
    if len(known) > 1:
        figure.band([(x[at], max(low[at], figure.y.low), min(high[at], top)) for at in known])
    if lines["curve"]:
        figure.line(lines["curve"])
        figure.spots(lines["curve"])
    if lines["guide"]:
        figure.line(lines["guide"], "guide")
    figure.legend([("guide", "training"), ("curve", "validation")], side_by_side=True)
    names = [curve.name_of(value) for value in curve.values]
    told = [
        (x[at], validation[at], names[at], f"{validation[at]:.4g}", f"{training[at]:.4g}") for at in order.tolist() if math.isfinite(validation[at])
    ]
    figure.hover(f"{one_line(curve.along, 30)} {{0}}: validation {{1}}, training {{2}}", told, along="x")
    is_cut = metric == "r2" and any((side.r2 < _LOWEST).any() for side in (curve.training, curve.validation))
    cut = f" Below {_LOWEST:g} nothing is drawn." if is_cut else ""
    shade = "The shade is the interval of validation." if len(known) > 1 else "There is no interval."
    return Drawn(_TITLES[metric], figure.render(), f"{shade}{cut}")


def _inside(values: Any, metric: str) -> Any:
    return np.maximum(values, _LOWEST) if metric == "r2" else values


def _axis(curve: Curve) -> tuple[list[float], str]:
    """Return where values are drawn: as they are, by their logarithm where they span much, or in turn where they are no numbers."""
    name = one_line(curve.along)
    if not all(isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) for value in curve.values):
        return [float(at) for at in range(1, len(curve.values) + 1)], f"{name}: number of the row in the table"
    if min(curve.values) > 0 and max(curve.values) >= _WIDE * min(curve.values):
        return [math.log10(value) for value in curve.values], f"{name}, as powers of ten"
    return [float(value) for value in curve.values], name
