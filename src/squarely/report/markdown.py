"""The report as Markdown, for issues, pull requests and notebooks.

Names from data cannot add markup, links, HTML or table cells.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from squarely.plain import escape
from squarely.report.report import Cell, Report, whole

__all__ = ["escape", "render", "table"]


def render(report: Report) -> str:
    """Return the report as GitHub-flavoured Markdown."""
    parts = [f"# {escape(report.title, 120)}", f"**{escape(report.verdict, 500)}**", _metrics(report)]
    if report.by:
        sure = f"; in brackets the {report.interval_name}" if report.interval_name else ""
        parts += ["## Groups", f"{report.group_order}{sure}.", _groups(report)]
        if report.hidden_groups_words:
            parts.append(report.hidden_groups_words)
    reasons = list(dict.fromkeys(_reasons(report)))
    if reasons:
        parts += ["## Undefined values", "\n".join(f"- {reason}" for reason in reasons)]
    parts += ["## Notes", "\n".join(f"- {escape(note.text, 400)}" for note in report.notes)]
    parts += [
        "## Provenance",
        table(("", ""), [(name, escape(words, 400)) for name, words in report.provenance], "ll"),
    ]
    return "\n\n".join(parts) + "\n"


def _metrics(report: Report) -> str:
    sure = [report.interval_name] if report.interval_name else []
    header = ["metric", "unit", "better"]
    for model in report.models:
        header += [escape(model), *sure]
    rows = [
        (
            f"{escape(row.title)} ({escape(row.label)})",
            row.unit_words,
            row.better,
            *(words for cell in row.cells for words in (_value(cell), *([cell.between] if sure else []))),
        )
        for row in report.metrics
    ]
    return table(header, rows, "lll" + ("rl" if sure else "r") * len(report.models))


def _groups(report: Report) -> str:
    shown = [report.metrics[at] for at in report.headlines]
    several = len(report.models) > 1
    header = [escape(name) for name in report.by] + ["rows"]
    for model in report.models:
        header += [escape(f"{row.label}, {model}" if several else row.label) for row in shown]
    rows = []
    for group in report.shown_groups:
        cells = [_with_interval(group.cells[at][which]) for which in range(len(report.models)) for at in report.headlines]
        rows.append([*(escape(key) for key in group.key), whole(group.rows), *cells])
    return table(header, rows, "l" * len(report.by) + "r" * (len(header) - len(report.by)))


def _value(cell: Cell) -> str:
    return f"**{cell.shown}**" if cell.best else cell.shown


def _with_interval(cell: Cell) -> str:
    return _value(cell) if math.isnan(cell.interval.low) else f"{_value(cell)} ({cell.between})"


def _reasons(report: Report) -> Iterable[str]:
    for row in report.metrics:
        for model, cell in zip(report.models, row.cells, strict=True):
            if cell.reason:
                yield f"{escape(row.label)}, {escape(model)}: {escape(cell.reason, 300)}"


def table(header: Sequence[str], rows: Iterable[Sequence[str]], align: str) -> str:
    """Write a table of cells that are Markdown; ``align`` has l or r for each column."""
    marks = ["---:" if side == "r" else "---" for side in align]
    lines = [header, marks, *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
