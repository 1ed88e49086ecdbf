"""Who carries the squared error: its share by rank, and the rows with the largest errors."""

from __future__ import annotations

import numpy as np

from squarely.report.drawing import Drawing, rows_words, short, unit_words
from squarely.report.panel import Floats, Panel, Rows, Worst
from squarely.report.report import one_line, whole
from squarely.svg import Figure

__all__ = ["TOLD_ROWS", "among", "draw", "shares", "thin", "worst_rows"]

_CURVE_POINTS = 120
TOLD_ROWS = 10


def _squares(rows: Rows) -> Floats:
    """Return squared errors, in a unit in which the largest is 1: others leave the range of a double."""
    residual = np.abs(rows.residual)
    largest = float(residual.max())
    squares: Floats = (residual / largest) ** 2 if largest else residual
    return squares


def shares(rows: Rows) -> Floats:
    """Return the Lorenz curve, largest first: (share of rows, share of squared error); empty at zero error."""
    squared = _squares(rows)
    if not squared.any():
        return np.empty((0, 2))
    order = np.argsort(-squared, kind="stable")
    count, errors = np.cumsum(rows.weight[order]), np.cumsum((rows.weight * squared)[order])
    curve = np.column_stack([count / count[-1], errors / errors[-1]])
    return np.vstack([np.zeros((1, 2)), curve])


def thin(curve: Floats) -> tuple[tuple[float, float], ...]:
    """Keep enough points of a curve to draw it, densest at its steep beginning."""
    if len(curve) > _CURVE_POINTS:
        spread = np.linspace(0.0, 1.0, _CURVE_POINTS) ** 2 * (len(curve) - 1)
        curve = curve[np.unique(spread.round().astype(np.int64))]
    return tuple((float(x), float(y)) for x, y in curve)


def worst_rows(rows: Rows) -> tuple[Worst, ...]:
    """Return the rows with the largest errors, and what share of the squared error each has."""
    squared = _squares(rows)
    if not squared.any():
        return ()
    carried = rows.weight * squared
    carried = carried / carried.sum()
    residual = rows.residual
    order = np.argsort(-squared, kind="stable")[:TOLD_ROWS]
    return tuple(
        Worst(int(rows.number[at]), float(rows.actual[at]), float(rows.predicted[at]), float(residual[at]), float(carried[at]))
        for at in order
        if squared[at] > 0
    )


def among(panel: Panel, intervals: bool) -> str:
    """Say of which rows the largest errors are; all are searched on the way to intervals."""
    if not panel.worst_of_sample:
        return ", and their shares of the squared error"
    drawn = f" among the {whole(panel.drawn)} rows drawn of {whole(panel.seen)}, and their shares of the squared error of those drawn"
    return drawn if intervals else f"{drawn}. Others may be larger: an evaluation with intervals finds the largest of all rows"


def draw(panel: Panel, ident: str) -> Drawing:
    """Draw the Lorenz curve of the squared errors of a model."""
    figure = Figure(
        f"{ident}-shares",
        title=f"Share of the squared error of {one_line(panel.model)} by rank",
        description=f"{rows_words(panel)} Rows are sorted by squared error, largest first.",
        x=(0.0, 1.0),
        y=(0.0, 1.0),
        x_label=f"share of {unit_words(panel)}, largest error first",
        y_label="share of squared error",
        percent="xy",
    )
    figure.line(panel.shares)
    figure.line(((0.0, 0.0), (1.0, 1.0)), "guide")
    figure.legend([("guide", "all errors equal")], corner="lower right")
    words = f"the worst {{0}} % of the {unit_words(panel)} carry {{1}} % of the squared error"
    figure.hover(words, [(x, y, short(100 * x), short(100 * y)) for x, y in panel.shares[1:]], along="x")
    carried = f"{100 * (panel.worst_tenth or 0.0):.0f}\N{NO-BREAK SPACE}%"
    caption = f"The worst tenth of the {unit_words(panel)} carries {carried} of the squared error."
    return Drawing("Share of the squared error", figure.render(), caption)
