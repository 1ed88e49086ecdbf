"""Actual values and errors against predictions, and the distribution of the errors."""

from __future__ import annotations

from squarely.report.drawing import Drawing, rows_words, short, unit_words
from squarely.report.panel import Panel, Scatter
from squarely.report.report import one_line, whole
from squarely.svg import Figure, axis_range

__all__ = ["draw_fit", "draw_residuals", "draw_spread"]


def draw_fit(panel: Panel, ident: str) -> Drawing:
    """Draw actual values against predictions."""
    low, high = panel.fit.x
    figure = Figure(
        f"{ident}-fit",
        title=f"Actual values against predictions of {one_line(panel.model)}",
        description=f"{rows_words(panel)} On the diagonal a prediction is right; above it, it is too small.",
        x=panel.fit.x,
        y=panel.fit.y,
        x_label="predicted",
        y_label="actual",
    )
    _pairs(figure, panel.fit, "actual")
    figure.line(((low, low), (high, high)), "guide")
    return Drawing("Actual against predicted", figure.render(), "On the dashed line a prediction is right; above it, it is too small.")


def draw_residuals(panel: Panel, ident: str) -> Drawing:
    """Draw errors against predictions."""
    figure = Figure(
        f"{ident}-residuals",
        title=f"Errors of {one_line(panel.model)} against its predictions",
        description=f"{rows_words(panel)} Above zero a prediction is too large.",
        x=panel.residuals.x,
        y=panel.residuals.y,
        x_label="predicted",
        y_label="predicted \N{MINUS SIGN} actual",
    )
    _pairs(figure, panel.residuals, "error")
    figure.line(((panel.residuals.x[0], 0.0), (panel.residuals.x[1], 0.0)), "guide")
    caption = "Above zero a prediction is too large. A funnel or a bend is a pattern the model missed."
    return Drawing("Error against predicted", figure.render(), caption)


def draw_spread(panel: Panel, ident: str) -> Drawing:
    """Draw the histogram of the errors."""
    figure = Figure(
        f"{ident}-spread",
        title=f"Distribution of the errors of {one_line(panel.model)}",
        description=f"{rows_words(panel)} Right of zero a prediction is too large.",
        x=axis_range(panel.edges, include=0.0, margin=0.02),
        y=(0.0, max(panel.heights) * 1.08 or 1.0),
        x_label="predicted \N{MINUS SIGN} actual",
        y_label=f"share of {unit_words(panel)}",
        percent="y",
    )
    figure.bars(panel.edges, panel.heights)
    figure.line(((0.0, figure.y.low), (0.0, figure.y.high)), "guide")
    bars = zip(panel.edges, panel.edges[1:], panel.heights, strict=False)
    figure.hover(
        f"errors from {{0}} to {{1}}: {{2}} % of the {unit_words(panel)}",
        [(left / 2 + right / 2, height, short(left), short(right), short(100 * height)) for left, right, height in bars],
        along="x",
    )
    far = "1 row lies" if panel.outside == 1 else f"{whole(panel.outside)} rows lie"
    outside = f" {far} outside the axis." if panel.outside else ""
    return Drawing("Distribution of the errors", figure.render(), f"Right of zero a prediction is too large.{outside}")


def _pairs(figure: Figure, scatter: Scatter, up: str) -> None:
    if not scatter.bins:
        figure.points(scatter.points)
        told = zip(scatter.numbers, scatter.points, strict=True)
        figure.hover(f"row {{0}}: predicted {{1}}, {up} {{2}}", [(x, y, row, short(x), short(y)) for row, (x, y) in told])
        return
    figure.cells(scatter.cells, scatter.x, scatter.y, scatter.bins)
    wide, tall = ((ends[1] - ends[0]) / scatter.bins for ends in (scatter.x, scatter.y))
    middles = [(scatter.x[0] + (column + 0.5) * wide, scatter.y[0] + (row + 0.5) * tall, count) for column, row, count in scatter.cells]
    figure.hover(f"{{0}} rows about predicted {{1}}, {up} {{2}}", [(x, y, count, f"{x:.4g}", f"{y:.4g}") for x, y, count in middles])
