"""From a sample of rows to the data of the figures of one model."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from squarely.report.calibration import calibration
from squarely.report.concentration import shares, thin, worst_rows
from squarely.report.panel import Floats, Panel, Rows, Scatter, rows_of
from squarely.report.quantiles import quantiles
from squarely.report.succession import blocks
from squarely.svg import axis_range

if TYPE_CHECKING:
    from squarely.evaluate import Sample

__all__ = ["panel"]

MOST_POINTS = 600
BINS = 40


def panel(sample: Sample, model: str, confidence: float | None = None) -> Panel | None:
    """Return the figures' data of one model, or None where no row can be drawn."""
    rows = rows_of(sample, model)
    if rows is None:
        return None
    actual, predicted, residual = rows.actual, rows.predicted, rows.residual
    edges, heights, outside = _histogram(residual, rows.weight)
    curve = shares(rows)
    both = axis_range([actual.min(), actual.max(), predicted.min(), predicted.max()])
    across = axis_range([predicted.min(), predicted.max()])
    return Panel(
        model=model,
        drawn=int(actual.size),
        seen=int(sample.rows),
        weighted=sample.weight is not None,
        in_line=rows.in_line,
        fit=_scatter(rows, actual, both, both),
        residuals=_scatter(rows, residual, across, axis_range([residual.min(), residual.max()], include=0.0)),
        edges=edges,
        heights=heights,
        outside=outside,
        shares=thin(curve),
        worst_tenth=None if not curve.size else float(np.interp(0.1, curve[:, 0], curve[:, 1])),
        calibration=calibration(rows, confidence),
        quantiles=quantiles(rows),
        worst=worst_rows(rows),
        worst_of_sample=sample.rows > len(sample.target),
        blocks=blocks(rows),
    )


def _scatter(rows: Rows, y: Floats, x_range: tuple[float, float], y_range: tuple[float, float]) -> Scatter:
    x, x_range, y_range = rows.predicted, _plain(x_range), _plain(y_range)
    if x.size <= MOST_POINTS:
        return Scatter(x_range, y_range, points=tuple(zip(x.tolist(), y.tolist(), strict=True)), numbers=tuple(rows.number.tolist()))
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
    inside = (residual >= low) & (residual <= high)
    heights, _ = np.histogram(residual[inside], bins=edges, weights=weight[inside])
    return tuple(edges.tolist()), tuple((heights / weight.sum()).tolist()), int(residual.size - inside.sum())


def _plain(ends: tuple[float, float]) -> tuple[float, float]:
    return float(ends[0]), float(ends[1])
