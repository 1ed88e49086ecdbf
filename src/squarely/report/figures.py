"""The four figures of one model, drawn from a Panel."""

from __future__ import annotations

from dataclasses import dataclass

from squarely.report.report import Panel, Scatter, one_line, whole
from squarely.svg import Figure, axis_range

__all__ = ["Drawing", "draw"]


@dataclass(frozen=True, slots=True)
class Drawing:
    """One figure: its heading, its SVG and the sentence below it."""

    heading: str
    svg: str
    caption: str


def draw(panel: Panel, ident: str) -> tuple[Drawing, ...]:
    """Return the figures of a model; ``ident`` makes their element ids unique on a page."""
    drawn = [_fit(panel, ident), _residuals(panel, ident), _spread(panel, ident)]
    if panel.shares:
        drawn.append(_shares(panel, ident))
    return tuple(drawn)


def _fit(panel: Panel, ident: str) -> Drawing:
    low, high = panel.fit.x
    figure = Figure(
        f"{ident}-fit",
        title=f"Actual values against predictions of {one_line(panel.model)}",
        description=f"{_rows(panel)} On the diagonal a prediction is right; above it, it is too small.",
        x=panel.fit.x,
        y=panel.fit.y,
        x_label="predicted",
        y_label="actual",
    )
    _pairs(figure, panel.fit)
    figure.line(((low, low), (high, high)), "guide")
    figure.legend([("guide", "actual = predicted")])
    return Drawing("Actual against predicted", figure.render(), f"Above the line a prediction is too small. {_rows(panel)}")


def _residuals(panel: Panel, ident: str) -> Drawing:
    figure = Figure(
        f"{ident}-residuals",
        title=f"Errors of {one_line(panel.model)} against its predictions",
        description=f"{_rows(panel)} Above zero a prediction is too large.",
        x=panel.residuals.x,
        y=panel.residuals.y,
        x_label="predicted",
        y_label="predicted \N{MINUS SIGN} actual",
    )
    _pairs(figure, panel.residuals)
    figure.line(((panel.residuals.x[0], 0.0), (panel.residuals.x[1], 0.0)), "guide")
    caption = f"Above zero a prediction is too large. A funnel or a bend is a pattern the model missed. {_rows(panel)}"
    return Drawing("Error against predicted", figure.render(), caption)


def _spread(panel: Panel, ident: str) -> Drawing:
    figure = Figure(
        f"{ident}-spread",
        title=f"Distribution of the errors of {one_line(panel.model)}",
        description=f"{_rows(panel)} Right of zero a prediction is too large.",
        x=axis_range(panel.edges, include=0.0, margin=0.02),
        y=(0.0, max(panel.heights) * 1.08 or 1.0),
        x_label="predicted \N{MINUS SIGN} actual",
        y_label=f"share of {_unit(panel)}",
        percent="y",
    )
    figure.bars(panel.edges, panel.heights)
    figure.line(((0.0, figure.y.low), (0.0, figure.y.high)), "guide")
    far = "1 row lies" if panel.outside == 1 else f"{whole(panel.outside)} rows lie"
    outside = f" {far} outside the axis." if panel.outside else ""
    return Drawing(
        "Distribution of the errors",
        figure.render(),
        f"Right of zero a prediction is too large.{outside} {_rows(panel)}",
    )


def _shares(panel: Panel, ident: str) -> Drawing:
    figure = Figure(
        f"{ident}-shares",
        title=f"Share of the squared error of {one_line(panel.model)} by rank",
        description=f"{_rows(panel)} Rows are sorted by squared error, largest first.",
        x=(0.0, 1.0),
        y=(0.0, 1.0),
        x_label=f"share of {_unit(panel)}, largest error first",
        y_label="share of squared error",
        percent="xy",
    )
    figure.line(panel.shares)
    figure.line(((0.0, 0.0), (1.0, 1.0)), "guide")
    figure.legend([("guide", "all errors equal")], corner="lower right")
    carried = f"{100 * (panel.worst_tenth or 0.0):.0f}\N{NO-BREAK SPACE}%"
    caption = f"The worst tenth of the {_unit(panel)} carries {carried} of the squared error. {_rows(panel)}"
    return Drawing("Who carries the squared error", figure.render(), caption)


def _pairs(figure: Figure, scatter: Scatter) -> None:
    if scatter.bins:
        figure.cells(scatter.cells, scatter.x, scatter.y, scatter.bins)
    else:
        figure.points(scatter.points)


def _unit(panel: Panel) -> str:
    return "weight" if panel.weighted else "rows"


def _rows(panel: Panel) -> str:
    if panel.drawn < panel.seen:
        return f"Drawn from a sample of {whole(panel.drawn)} of {whole(panel.seen)} rows."
    return f"All {whole(panel.drawn)} rows."
