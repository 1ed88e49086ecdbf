"""Slices for a reader: one self-contained HTML page."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from squarely.compare.words import p_words
from squarely.intervals import Interval
from squarely.report import html
from squarely.report.build import provenance
from squarely.report.drawing import Drawing, short
from squarely.report.forest import axis_of, bar
from squarely.report.report import NO_INTERVAL, SHOWN_GROUPS, Cell, one_line, percent, whole
from squarely.slices import Slice, Slices
from squarely.svg import Figure

__all__ = ["as_html"]

_MOST_DRAWN = 500


@dataclass(frozen=True, slots=True)
class _Row:
    """A slice as a table shows it."""

    slice: Slice
    value: Cell
    rest: Cell
    shrunken: Cell
    bar: Markup
    p: str
    follows: str


def as_html(found: Slices, command: str | None = None) -> str:
    """Return slices as an HTML page; the same slices give the same bytes."""
    drawing = _concentration(found) if found.ranked else None
    return html.written(
        "slices.html",
        found=found,
        rows=_rows(found),
        whole_cell=_cell(found, found.value),
        interval_name=f"{percent(found.confidence)} interval".replace(" %", "\N{NO-BREAK SPACE}%"),
        hidden=max(0, len(found) - SHOWN_GROUPS),
        drawing=drawing,
        svg=Markup(drawing.svg) if drawing else "",
        notes=_notes(found),
        provenance=provenance(found.evaluation, command),
    )


def _cell(found: Slices, value: float, interval: Interval = NO_INTERVAL) -> Cell:
    return Cell(value, percent=found.question.metric.percent, interval=interval)


def _rows(found: Slices) -> list[_Row]:
    shown = found.ranked[:SHOWN_GROUPS]
    values = [_cell(found, each.value, Interval(each.se, *each.ci, each.doubt)) for each in shown]
    axis = axis_of([*values, _cell(found, found.value)])
    return [
        _Row(
            slice=each,
            value=cell,
            rest=_cell(found, each.rest),
            shrunken=_cell(found, each.shrunken),
            bar=bar(each.value, each.ci, axis, found.value),
            p=p_words(each.p_adjusted),
            follows="worse" if each.worse else each.doubt or "not proved to be worse",
        )
        for each, cell in zip(shown, values, strict=True)
    ]


def _concentration(found: Slices) -> Drawing:
    """Draw which share of the squared error each slice has, against its share of the rows."""
    points = [(each.row_share, each.error_share) for each in found.ranked[:_MOST_DRAWN] if each.error_share == each.error_share]
    top = max((max(point) for point in points), default=0.0) * 1.08 or 1.0
    figure = Figure(
        "shares",
        title="Share of the squared error of each slice against its share of the rows",
        description="Above the line rows of a slice have more than their share of the squared error.",
        x=(0.0, top),
        y=(0.0, top),
        x_label="share of the rows",
        y_label="share of squared error",
        percent="xy",
    )
    figure.points(points)
    figure.line(((0.0, 0.0), (top, top)), "guide")
    figure.legend([("guide", "as much as all rows")], corner="lower right")
    figure.hover(
        "slice {0}: {1} % of the rows, {2} % of the squared error",
        [(x, y, str(rank), short(100 * x), short(100 * y)) for rank, (x, y) in enumerate(points, 1)],
    )
    drawn = f" The first {_MOST_DRAWN} slices are drawn." if len(found) > _MOST_DRAWN else ""
    caption = f"Slices far above the line are where a better model would save most; the number of a slice is its place in the table.{drawn}"
    return Drawing("Where the squared error is", figure.render(), caption)


def _notes(found: Slices) -> list[str]:
    metric, target = found.question.metric, one_line(found.evaluation.provenance.target, 40)
    unit = {"y": f"in units of {target}", "y^2": f"in squared units of {target}", "1": "without a unit"}.get(metric.unit, "in a unit of its own")
    spoken, unit = one_line(found.question.spoken, 80), "in per cent" if metric.percent else unit
    return [
        f"{spoken} is {unit}; {metric.direction} is better. On all rows it is {_cell(found, found.value).shown}: "
        "the upright line beside each interval.",
        f"Each slice is set against all other rows. p is the chance of being so much worse where it is not, and a slice is worse where p is below "
        f"{1 - found.confidence:.4g}. Intervals and p hold for all slices together (Bonferroni, Holm).",
        "Slices are sorted by the shrunken value: that of the slice, drawn towards that of all rows by as much as it is unsure.",
        f"A slice needs {whole(found.least)} rows to be judged. Slices of different columns share rows, so shares do not add up over columns.",
        "A slice says where errors are large, not why.",
    ]
