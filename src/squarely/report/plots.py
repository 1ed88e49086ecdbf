"""From a sample of rows to the data of four figures."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from squarely.report.report import Panel, Scatter
from squarely.svg import axis_range

if TYPE_CHECKING:
    from squarely.evaluate import Sample

__all__ = ["panel"]

Floats = NDArray[np.float64]

MOST_POINTS = 600
BINS = 40
_CURVE_POINTS = 120


def panel(sample: Sample, model: str) -> Panel | None:
    """Return the figures' data of one model, or None where no row can be drawn.

    Rows with a missing or infinite value and rows of weight 0 are left out, as they are in the metrics.
    """
    actual = np.asarray(sample.target, dtype=np.float64)
    predicted = np.asarray(sample.predictions[model], dtype=np.float64)
    weight = np.ones_like(actual) if sample.weight is None else np.asarray(sample.weight, dtype=np.float64)
    keep = np.isfinite(actual) & np.isfinite(predicted) & (weight > 0)
    actual, predicted, weight = actual[keep], predicted[keep], weight[keep]
    # A quarter of the largest double: every difference below stays finite.
    if not actual.size or max(np.abs(actual).max(), np.abs(predicted).max()) > 4e307:
        return None
    residual = predicted - actual
    edges, heights, outside = _histogram(residual, weight)
    shares = _shares(residual, weight)
    both = axis_range([actual.min(), actual.max(), predicted.min(), predicted.max()])
    across = axis_range([predicted.min(), predicted.max()])
    return Panel(
        model=model,
        drawn=int(actual.size),
        seen=int(sample.rows),
        weighted=sample.weight is not None,
        fit=_scatter(predicted, actual, both, both),
        residuals=_scatter(predicted, residual, across, axis_range([residual.min(), residual.max()], include=0.0)),
        edges=edges,
        heights=heights,
        outside=outside,
        shares=_thin(shares),
        worst_tenth=None if not shares.size else float(np.interp(0.1, shares[:, 0], shares[:, 1])),
    )


def _scatter(x: Floats, y: Floats, x_range: tuple[float, float], y_range: tuple[float, float]) -> Scatter:
    x_range, y_range = _plain(x_range), _plain(y_range)
    if x.size <= MOST_POINTS:
        return Scatter(x_range, y_range, points=tuple(zip(x.tolist(), y.tolist(), strict=True)))
    column, row = _bin(x, x_range), _bin(y, y_range)
    counts = np.bincount(row * BINS + column, minlength=BINS * BINS)
    full = np.flatnonzero(counts)
    cells = tuple((int(at % BINS), int(at // BINS), int(counts[at])) for at in full)
    return Scatter(x_range, y_range, cells=cells, bins=BINS)


def _bin(values: Floats, ends: tuple[float, float]) -> NDArray[np.int64]:
    share = (values - ends[0]) / (ends[1] - ends[0])
    return np.clip((share * BINS).astype(np.int64), 0, BINS - 1)


def _histogram(residual: Floats, weight: Floats) -> tuple[tuple[float, ...], tuple[float, ...], int]:
    """Return bin edges, the share of weight in each, and how many rows lie outside.

    Bins span the central 99.8 % of the residuals where a few far ones would otherwise squeeze the rest into one bar.
    """
    low, high = float(residual.min()), float(residual.max())
    inner_low, inner_high = (float(q) for q in np.quantile(residual, (0.001, 0.999)))
    if inner_high > inner_low and high - low > 3 * (inner_high - inner_low):
        low, high = inner_low, inner_high
    low, high = axis_range([low, high], margin=0.0)
    bins = int(min(60, max(8, math.ceil(2 * residual.size ** (1 / 3)))))
    edges = np.linspace(low, high, bins + 1)
    scaled = weight / weight.max()
    inside = (residual >= low) & (residual <= high)
    heights, _ = np.histogram(residual[inside], bins=edges, weights=scaled[inside])
    return tuple(edges.tolist()), tuple((heights / scaled.sum()).tolist()), int(residual.size - inside.sum())


def _shares(residual: Floats, weight: Floats) -> Floats:
    """Return the Lorenz curve, largest first: (share of rows, share of squared error); empty at zero error."""
    largest = float(np.abs(residual).max())
    if largest == 0:
        return np.empty((0, 2))
    scaled = weight / weight.max()
    # Scaled first: squares of very large or small errors leave the range of a double.
    squared = (residual / largest) ** 2
    order = np.argsort(-squared, kind="stable")
    rows, errors = np.cumsum(scaled[order]), np.cumsum((scaled * squared)[order])
    curve = np.column_stack([rows / rows[-1], errors / errors[-1]])
    return np.vstack([np.zeros((1, 2)), curve])


def _thin(curve: Floats) -> tuple[tuple[float, float], ...]:
    """Keep enough points of a curve to draw it, densest at its steep beginning."""
    if len(curve) > _CURVE_POINTS:
        spread = np.linspace(0.0, 1.0, _CURVE_POINTS) ** 2 * (len(curve) - 1)
        curve = curve[np.unique(spread.round().astype(np.int64))]
    return tuple((float(x), float(y)) for x, y in curve)


def _plain(ends: tuple[float, float]) -> tuple[float, float]:
    return float(ends[0]), float(ends[1])
