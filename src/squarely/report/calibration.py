"""Calibration: whether predictions are right on average, where they are low and where they are high."""

from __future__ import annotations

import math

import numpy as np

from squarely.decompose.recalibrate import stretches
from squarely.intervals.student import quantile
from squarely.report.drawing import Drawing, rows_words, short
from squarely.report.panel import Calibration, Floats, Panel, Pillar, Rows
from squarely.report.report import Cell, one_line, percent
from squarely.svg import Figure, axis_range

__all__ = ["band_words", "calibration", "draw", "line_words"]

_MOST_PILLARS, _LEAST_ROWS, _FEWEST_ROWS = 10, 20, 3
_MOST_CORNERS = 400


def calibration(rows: Rows, confidence: float | None) -> Calibration:
    """Return the isotonic curve and the bins of the rows of a model; without a confidence there are no intervals."""
    # In a unit in which the largest is 1, no sum leaves the range of a double.
    unit = float(max(np.abs(rows.actual).max(), np.abs(rows.predicted).max())) or 1.0
    actual, predicted = rows.actual / unit, rows.predicted / unit
    curve = [(p * unit, y * unit) for p, y in _curve(rows, actual, predicted)]
    ends = float(min(actual.min(), predicted.min())), float(max(actual.max(), predicted.max()))
    pillars = []
    for at in _bins(predicted):
        if len(at) >= _FEWEST_ROWS:
            p, y, half = _mean(actual[at], predicted[at], rows.weight[at], confidence)
            pillars.append(Pillar(len(at), p * unit, y * unit, max(y - half, ends[0]) * unit, min(y + half, ends[1]) * unit))
    return Calibration(tuple(curve), tuple(pillars), confidence)


def _curve(rows: Rows, actual: Floats, predicted: Floats) -> list[tuple[float, float]]:
    """Return the corners of the line that scikit-learn draws too: level on a stretch of predictions, straight between two of them."""
    stretch = stretches(rows.actual, rows.predicted, rows.weight)
    mass = np.bincount(stretch, rows.weight)
    level = np.bincount(stretch, rows.weight * actual) / mass
    low, high = np.full(len(mass), np.inf), np.full(len(mass), -np.inf)
    np.minimum.at(low, stretch, predicted)
    np.maximum.at(high, stretch, predicted)
    corners = [(float(p), float(y)) for left, right, y in zip(low, high, level, strict=True) for p in ((left,) if left == right else (left, right))]
    if len(corners) > _MOST_CORNERS:
        corners = [corners[at] for at in np.linspace(0, len(corners) - 1, _MOST_CORNERS).round().astype(int)]
    return corners


def _bins(predicted: Floats) -> list[np.typing.NDArray[np.intp]]:
    """Return the places of rows in up to ten bins of about as many rows each; equal predictions share a bin."""
    count = min(_MOST_PILLARS, max(1, len(predicted) // _LEAST_ROWS))
    edges = np.unique(np.quantile(predicted, np.arange(1, count) / count)) if count > 1 else np.empty(0)
    place = np.searchsorted(edges, predicted, side="left")
    return [np.flatnonzero(place == each) for each in range(len(edges) + 1) if (place == each).any()]


def _mean(actual: Floats, predicted: Floats, weight: Floats, confidence: float | None) -> tuple[float, float, float]:
    """Return the mean prediction and target of a bin, and half the width of the interval of the latter.

    Its standard deviation is that of the errors: how predictions differ within the bin is no doubt about their mean.
    """
    total, n = float(weight.sum()), len(actual)
    p, y = float((weight * predicted).sum()) / total, float((weight * actual).sum()) / total
    off = weight * (actual - predicted - (y - p))
    se = math.sqrt(float((off * off).sum()) * n / (n - 1)) / total
    return p, y, 0.0 if confidence is None else quantile(confidence, n - 1) * se


def draw(panel: Panel, ident: str) -> Drawing:
    """Draw the reliability diagram of a model."""
    known = panel.calibration
    ends = [end for each in known.pillars for end in (each.low, each.high)]
    both = axis_range([*(value for corner in known.curve for value in corner), *ends])
    figure = Figure(
        f"{ident}-reliability",
        title=f"Reliability of {one_line(panel.model)}",
        description=f"{rows_words(panel)} Where the curve is above the diagonal, predictions are too small there.",
        x=both,
        y=both,
        x_label="predicted",
        y_label="mean actual",
    )
    if known.confidence is not None:
        reach = [(each.predicted, each.low, each.high) for each in known.pillars]
        if len(reach) > 1:
            figure.band(reach)
        figure.whiskers(reach)
    figure.line(known.curve)
    figure.spots([(each.predicted, each.actual) for each in known.pillars])
    figure.line(((both[0], both[0]), (both[1], both[1])), "guide")
    figure.legend([("guide", "right on average"), ("curve", "isotonic curve")])
    sure = "" if known.confidence is None else f", {percent(known.confidence)} interval {{3}} to {{4}}"
    numbers = [(each.rows, *map(short, (each.predicted, each.actual, each.low, each.high))) for each in known.pillars]
    marks = zip(known.pillars, numbers, strict=True)
    figure.hover(f"{{0}} rows, mean prediction {{1}}: mean actual {{2}}{sure}", [(at.predicted, at.actual, *told) for at, told in marks])
    caption = "Above the diagonal predictions are too small, below it too large."
    return Drawing("Reliability", figure.render(), caption)


def band_words(panel: Panel) -> str:
    """Say how the curve and the band of a reliability diagram are made."""
    curve = "The curve is isotonic regression: of all that never fall, the one with the least squared error."
    count = len(panel.calibration.pillars)
    if not count:
        return curve
    bins = "all rows" if count == 1 else "bins of predictions of about as many rows each"
    if panel.calibration.confidence is None:
        return f"{curve} Dots are means of {bins}."
    sure = f"{percent(panel.calibration.confidence)} intervals".replace(" %", "\N{NO-BREAK SPACE}%")
    t_words = "mean\N{NO-BREAK SPACE}\N{PLUS-MINUS SIGN}\N{NO-BREAK SPACE}t\N{NO-BREAK SPACE}s/\N{SQUARE ROOT}n"
    joined = "; the band joins them" if count > 1 else ""
    return f"{curve} Dots are means of {bins}, with {sure} for each alone, {t_words}, where s is the standard deviation of the errors in it{joined}."


def line_words(slope: Cell, intercept: Cell, interval_name: str) -> tuple[str, ...]:
    """Say what the least squares line of actual on predicted is, how sure it is, and what follows from it."""
    if math.isnan(slope.value) or math.isnan(intercept.value):
        return ()
    sign = "+" if intercept.value >= 0 else "\N{MINUS SIGN}"
    line = f"actual \N{ALMOST EQUAL TO} {_three(slope.value)} \N{MULTIPLICATION SIGN} predicted {sign} {_three(abs(intercept.value))}"
    low, high = slope.interval.low, slope.interval.high
    if math.isnan(low):
        return (line,)
    follows = (
        "A slope of 1 is within reach: no sign that predictions are too extreme or too timid."
        if low <= 1 <= high
        else "The slope is below 1: predictions are too extreme. Drawn towards their mean they would have a smaller squared error."
        if high < 1
        else "The slope is above 1: predictions are too timid. Drawn away from their mean they would have a smaller squared error."
    )
    return line, f"{interval_name}s: slope {slope.between}, intercept {intercept.between}.".replace("-", "\N{MINUS SIGN}"), follows


def _three(value: float) -> str:
    return f"{value:.3g}".replace("-", "\N{MINUS SIGN}")
