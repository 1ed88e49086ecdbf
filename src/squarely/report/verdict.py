"""The sentence on top of a report."""

from __future__ import annotations

import math
from collections.abc import Sequence

from squarely.report.report import Cell, MetricRow, Report, one_line, percent, whole

__all__ = ["verdict", "worst_group"]


def verdict(models: tuple[str, ...], metrics: Sequence[MetricRow], target: str, confidence: float | None = None, same_rows: bool = True) -> str:
    """Say which model is best, how good it is, and how sure that is.

    The sentence takes RMSE, else MSE, else the first metric that tells models apart, and R squared where it was asked. None is best where
    the models were not judged on the same rows.
    """
    if len(models) > 1 and not same_rows:
        return (
            "No model is called best: predictions are missing, so each was judged on rows of its own. "
            "squarely compare --nan-policy omit takes the rows that all predict."
        )
    lead = _first(metrics, "root_mean_squared_error") or _first(metrics, "mean_squared_error")
    lead = lead or next((row for row in metrics if _winners(row)), None)
    winners = _winners(lead) if lead else ()
    if lead is None or not winners:
        return "No metric that was asked is defined for these data; the table says why."
    cell = lead.cells[winners[0]]
    value, sure = f"{_short(cell)}{_in_unit(lead, target)}", _sure(cell, confidence)
    name = _spoken(lead)
    names = " and ".join(one_line(models[winner], 40) for winner in winners[:3])
    names += f" and {len(winners) - 3} more" if len(winners) > 3 else ""
    if len(models) == 1:
        said = f"{names} has {_article(name)} {name} of {value}" + (f" ({sure})" if sure else "")
    elif len(winners) == 1:
        said = f"{names} has the {_best_word(lead)} {name} ({value}{', ' if sure else ''}{sure}) of {len(models)} models"
    else:
        return f"{names} share the {_best_word(lead)} {name} ({value})."
    explained = _first(metrics, "r2_score")
    r2 = explained.cells[winners[0]].value if explained and explained is not lead else math.nan
    doubt = cell.interval.note if sure else None
    return f"{said}{_explains(r2)}." + (f" {doubt[:1].upper()}{doubt[1:]}." if doubt else "")


def worst_group(report: Report) -> str:
    """Say in which group the models do worst, and how much worse that is than over all rows."""
    metrics = [at for at in report.headlines if report.metrics[at].direction == "lower"]
    if not report.groups or not metrics:
        return "How good each model is in each group."
    at, group = metrics[0], report.groups[0]
    known = [which for which, cell in enumerate(group.cells[at]) if math.isfinite(cell.value)]
    if not known:
        return "How good each model is in each group."
    row, which = report.metrics[at], max(known, key=lambda each: group.cells[at][each].value)
    where = ", ".join(f"{one_line(name, 40)} {one_line(key, 40)}" for name, key in zip(report.by, group.key, strict=True))
    of = f" of {one_line(report.models[which], 40)}" if len(report.models) > 1 else ""
    rows = "1 row" if group.rows == 1 else f"{whole(group.rows)} rows"
    there, over_all = _short(group.cells[at][which]), _short(row.cells[which])
    return f"The largest MSE is that of {where} ({rows}): there the {_spoken(row)}{of} is {there}, and over all rows {over_all}."


def _first(metrics: Sequence[MetricRow], name: str) -> MetricRow | None:
    return next((row for row in metrics if row.name == name and _winners(row)), None)


def _winners(row: MetricRow) -> tuple[int, ...]:
    if len(row.cells) == 1:
        return (0,) if row.cells[0].value == row.cells[0].value else ()
    return tuple(index for index, cell in enumerate(row.cells) if cell.best)


def _spoken(row: MetricRow) -> str:
    return row.label.upper() if row.label in ("rmse", "mse", "mae") else one_line(row.title, 80)


def _short(cell: Cell) -> str:
    return f"{100 * cell.value:.3g}\N{NO-BREAK SPACE}%" if cell.percent and math.isfinite(cell.value) else f"{cell.value:.3g}"


def _sure(cell: Cell, confidence: float | None) -> str:
    if confidence is None or math.isnan(cell.interval.low):
        return ""
    return f"{percent(confidence)} interval {cell.between}".replace(" %", "\N{NO-BREAK SPACE}%")


def _best_word(row: MetricRow) -> str:
    return {"lower": "smallest", "higher": "largest"}.get(row.direction, "best")


def _article(name: str) -> str:
    return "an" if name.startswith(("RMSE", "MSE", "MAE", "R ")) or name[:1] in "AEIOaeio" else "a"


def _in_unit(row: MetricRow, target: str) -> str:
    where = {"y": " in units of ", "y^2": " in squared units of "}.get(row.unit)
    return f"{where}{one_line(target, 40)}" if where else ""


def _explains(r2: float) -> str:
    if r2 != r2:
        return ""
    if r2 < 0:
        negative = f"{r2:.2g}".replace("-", "\N{MINUS SIGN}")
        return f" but does worse than always predicting the mean (R\N{SUPERSCRIPT TWO} {negative})"
    if r2 == 1:
        return " and explains all of the variance"
    percent = 100 * r2
    words = f"{percent:.0f}" if percent < 99 else f"{percent:.2f}" if percent < 99.99 else "more than 99.99"
    return f" and explains {words}\N{NO-BREAK SPACE}% of the variance"
