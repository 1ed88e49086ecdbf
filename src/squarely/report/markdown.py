"""The report as Markdown, for issues, pull requests and notebooks.

Names from data cannot add markup, links, HTML or table cells.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from squarely.plain import escape
from squarely.report.report import Cell, Report, whole

if TYPE_CHECKING:
    from squarely.report.pairs import Pairs

__all__ = ["escape", "render", "table"]


def render(report: Report) -> str:
    """Return the report as GitHub-flavoured Markdown."""
    parts = [f"# {escape(report.title, 120)}", f"**{escape(report.verdict, 500)}**"]
    if report.told_apart:
        parts.append(escape(report.told_apart, 1000))
    parts.append(_metrics(report))
    parts += _findings(report)
    if report.pairs:
        parts += ["## Model comparison", _pairs(report.pairs, report.interval_name)]
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


def _findings(report: Report) -> Iterable[str]:
    """Yield what was found: each finding with a heading of its own."""
    if not report.has_findings:
        return
    yield "## Findings"
    for each in report.findings:
        yield f"### {escape(each.severity, 20)}: {escape(each.about, 300)} ({escape(each.id, 20)})"
        if each.parts:
            yield "\n".join(f"- {word}: {escape(said, 2000)}" for word, said in each.parts)
        if each.code_lines:
            yield _code(each.code_lines)
        if each.source:
            yield escape(each.source, 400)
    if report.advice:
        yield f"Loss to train with: {escape(report.advice, 2000)}"
    if report.not_testable:
        yield "Not looked for:"
        yield "\n".join(f"- {escape(what, 200)}: {escape(reason, 400)}" for what, reason in report.not_testable)


def _code(lines: Sequence[str]) -> str:
    """Write code in a fence that no line of it can close."""
    fence = "`" * max(3, 1 + max((len(run) for line in lines for run in re.findall("`+", line)), default=0))
    return "\n".join([fence, *lines, fence])


def _pairs(pairs: Pairs, interval_name: str) -> str:
    rows = [(f"{escape(row.pair.a)} - {escape(row.pair.b)}", row.difference, row.between, row.p, escape(row.follows, 120)) for row in pairs.rows]
    told = table(("pair", f"difference in {escape(pairs.metric, 40)}", interval_name, "p", "what follows"), rows, "lrrrl")
    return f"{told}\n\n{escape(pairs.method[:1].upper() + pairs.method[1:], 200)}{'; p for all pairs together (Holm)' * (pairs.total > 1)}."


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
