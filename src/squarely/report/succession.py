"""Errors from the first row to the last: whether a model grows worse, or drifts."""

from __future__ import annotations

import math

import numpy as np

from squarely.report.drawing import Drawing, rows_words, short
from squarely.report.panel import Block, Panel, Rows
from squarely.report.report import one_line
from squarely.svg import Figure, axis_range

__all__ = ["blocks", "draw"]

_MOST_BLOCKS, _LEAST_ROWS = 20, 5


def blocks(rows: Rows) -> tuple[Block, ...]:
    """Return RMSE and mean error of up to twenty blocks of neighbouring rows of about the same size; none where there are too few rows.

    Rows of several files have no order, and are counted by their place in the sample.
    """
    n = len(rows.number)
    count = min(_MOST_BLOCKS, n // _LEAST_ROWS)
    if count < 2:
        return ()
    number = rows.number if rows.in_line else np.arange(1, n + 1)
    residual = rows.residual
    unit = float(np.abs(residual).max()) or 1.0
    residual = residual / unit
    found = []
    for at in np.array_split(np.arange(n), count):
        weight, error = rows.weight[at], residual[at]
        total = float(weight.sum())
        rmse, bias = math.sqrt(float((weight * error**2).sum()) / total), float((weight * error).sum()) / total
        found.append(Block(int(number[at[0]]), int(number[at[-1]]), len(at), rmse * unit, bias * unit))
    return tuple(found)


def draw(panel: Panel, ident: str) -> Drawing:
    """Draw RMSE and mean error of a model by block."""
    known = panel.blocks
    middles = [(each.first + each.last) / 2 for each in known]
    values = [value for each in known for value in (each.rmse, each.bias)]
    low, high = axis_range(values, include=0.0)
    where = "row" if panel.in_line else "place in the sample"
    figure = Figure(
        f"{ident}-order",
        title=f"RMSE and mean error of {one_line(panel.model)} by block of rows",
        description=f"{rows_words(panel)} A line that rises or leaves its level is a model that changes over the rows.",
        x=axis_range([known[0].first, known[-1].last], margin=0.02),
        y=(low, high + 0.2 * (high - low)),  # room for the words
        x_label=where,
        y_label="in the unit of the target",
        height=220.0,
    )
    figure.line([(figure.x.low, 0.0), (figure.x.high, 0.0)], "zero")
    figure.line([(x, each.rmse) for x, each in zip(middles, known, strict=True)])
    figure.line([(x, each.bias) for x, each in zip(middles, known, strict=True)], "guide")
    figure.legend([("curve", "RMSE"), ("guide", "mean error")], side_by_side=True)
    figure.hover(
        "rows {0} to {1} ({2}): RMSE {3}, mean error {4}",
        [(x, each.rmse, each.first, each.last, each.rows, short(each.rmse), short(each.bias)) for x, each in zip(middles, known, strict=True)],
        along="x",
    )
    least, most = min(known, key=lambda each: each.rmse), max(known, key=lambda each: each.rmse)
    caption = (
        f"{len(known)} blocks of {known[-1].rows} rows or so: RMSE from {short(float(f'{least.rmse:.3g}'))} to {short(float(f'{most.rmse:.3g}'))}."
    )
    return Drawing("RMSE and mean error by block", figure.render(), caption)
