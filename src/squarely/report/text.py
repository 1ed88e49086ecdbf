"""The report for a terminal, in the width there is: a table that does not fit becomes a list.

A pipe gets plain, whole lines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from squarely.metric import Metric
from squarely.report.report import Cell, MetricRow, Report, one_line, whole

__all__ = ["Draft", "console", "metrics", "printed", "render", "say", "table"]

_GAP = 1
_NAME = 32
_ANY_WIDTH = 1_000_000

Row = Sequence[Text]


@dataclass(frozen=True)
class Draft:
    """A table: columns in ``left`` begin at one edge. As a list, the last ``aside`` stand beside the name of a row, ``intervals`` beside values."""

    header: Sequence[str]
    rows: Sequence[Row]
    left: Sequence[int]
    intervals: Sequence[int] = ()
    aside: int = 0


def console() -> Console:
    """Return standard output as a rich console that leaves every word as it is."""
    return Console(markup=False, highlight=False, emoji=False)


def printed(draw: Callable[[Console], None]) -> str:
    """Return what would be printed on standard output, so that it can be written there in one piece."""
    screen = console()
    with screen.capture() as captured:
        draw(screen)
    return captured.get()


def metrics(known: Iterable[Metric], console: Console) -> None:
    """Print a line for every metric: its names, its unit, what is better, and what it is."""
    header = ["metric", "alias", "unit", "better", "what it is"]
    rows: list[Row] = []
    for metric in known:
        row = MetricRow(metric.name, metric.name, metric.title, metric.unit, metric.direction, metric.best, ())
        words = [", ".join(metric.aliases), row.unit_words, row.better, metric.summary]
        rows.append([Text(metric.name, style="cyan"), *map(Text, words)])
    table(console, [Draft(header, rows, left=range(len(header)))])


def render(report: Report, console: Console) -> None:
    """Print the report on a rich console.

    Parameters
    ----------
    report : Report
        What to print.
    console : rich.console.Console
        Where; its width and whether it is a terminal are respected.
    """
    say(console, Text(report.verdict, style="bold"))
    if report.told_apart:
        say(console, Text(one_line(report.told_apart, 1000)))
    several = len(report.models) > 1
    console.print()
    table(console, [_metric_table(report, aside) for aside in (2, 1, 0)])
    if several and any(cell.best for row in report.metrics for cell in row.cells):
        say(console, Text("* the best model", style="dim"))
    _list(console, "Undefined", dict.fromkeys(_reasons(report)))
    if report.by:
        _groups(console, report)
    _findings(console, report)
    _list(console, "Notes", [note.text for note in report.notes])


def _findings(console: Console, report: Report) -> None:
    """Print a line for each thing that was found, with the models and what to do; `diagnose` tells the rest."""
    styles = {"serious": "bold red", "warning": "bold yellow"}
    told = [each for each in report.findings if each.severity != "info"]
    if told:
        console.print()
        say(console, Text("Findings", style="bold"))
    for each in told:
        about = each.about if len(report.models) > 1 else one_line(each.title, 200)
        words = f"  {about}: {one_line(each.fix, 1000)}  "
        severity = (one_line(each.severity, 20), styles.get(each.severity, "bold"))
        say(console, Text.assemble(severity, words, (one_line(each.id, 20), "dim")), indent=2)
    _list(console, "Loss to train with", [one_line(report.advice, 2000)] if report.advice else [])


def _metric_table(report: Report, aside: int) -> Draft:
    """Return the table of metrics with so many words beside the numbers."""
    sure = [report.interval_name] if report.interval_name else []
    header = ["metric"]
    for model in report.models:
        header += [one_line(model, _NAME), *sure]
    rows: list[Row] = []
    for row in report.metrics:
        words = (Text(each, style="dim") for each in (row.unit_words, row.better)[:aside])
        rows.append([Text(one_line(row.label, _NAME), style="cyan"), *_values(row.cells, sure), *words])
    intervals = range(2, len(header), 2) if sure else ()
    left = [0, *intervals, *range(len(header), len(header) + aside)]
    return Draft([*header, *("unit", "better")[:aside]], rows, left, intervals, aside)


def _groups(console: Console, report: Report) -> None:
    most = len(report.headlines) if len(report.models) < 3 else 1
    drafts = [_group_table(report, report.headlines[:count]) for count in range(most, 0, -1)]
    console.print()
    sure = f", with {report.interval_name}s" if report.interval_name else ""
    say(console, Text(f"Groups. {report.group_order}{sure}", style="bold"))
    table(console, drafts)
    if report.hidden_groups_words:
        say(console, Text(report.hidden_groups_words, style="dim"))


def _group_table(report: Report, shown: Sequence[int]) -> Draft:
    several, sure = len(report.models) > 1, ["interval"] if report.interval_name else []
    header = [*(one_line(name, _NAME) for name in report.by), "rows"]
    intervals: list[int] = []
    for model in report.models:
        for label in (one_line(report.metrics[at].label, _NAME) for at in shown):
            header += [f"{label} {one_line(model, 20)}" if several else label, *sure]
            intervals += [len(header) - 1] if sure else []
    rows: list[Row] = []
    for group in report.shown_groups:
        keys = [Text(one_line(key, _NAME), style="cyan") for key in group.key]
        cells = [group.cells[at][which] for which in range(len(report.models)) for at in shown]
        rows.append([*keys, Text(whole(group.rows)), *_values(cells, sure)])
    return Draft(header, rows, [*range(len(report.by)), *intervals], intervals)


def _values(cells: Sequence[Cell], sure: Sequence[str]) -> list[Text]:
    """Return values, each with its interval where there are intervals."""
    return [words for cell in cells for words in (_value(cell), *(Text(cell.between) for _ in sure))]


def _value(cell: Cell) -> Text:
    if cell.reason:
        return Text(cell.shown, style="yellow")
    return Text(f"{cell.shown} *", style="bold green") if cell.best else Text(cell.shown)


def _reasons(report: Report) -> Iterable[str]:
    for row in report.metrics:
        for model, cell in zip(report.models, row.cells, strict=True):
            if cell.reason:
                yield f"{one_line(row.label)} of {one_line(model)}: {one_line(cell.reason, 300)}"


def table(console: Console, drafts: Sequence[Draft]) -> None:
    """Print the first of several drafts that fits, and the first one as a list where none does.

    A pipe has no width: lines stay whole there, so that grep and awk find what belongs together.
    """
    for draft in drafts:
        drawn = _drawn(console, draft)
        needed = drawn.__rich_measure__(console, console.options.update(max_width=_ANY_WIDTH)).maximum
        if not console.is_terminal or needed <= console.width:
            drawn.width = needed
            console.print(drawn, crop=False)
            return
    _stack(console, drafts[0])


def _drawn(console: Console, draft: Draft) -> Table:
    drawn = Table(box=box.SIMPLE_HEAD if console.is_terminal else None, show_edge=False, pad_edge=False, padding=(0, _GAP, 0, 0))
    for at, head in enumerate(draft.header):
        drawn.add_column(Text(head), justify="left" if at in draft.left else "right", no_wrap=True)
    for row in _line_up(draft):
        drawn.add_row(*row)
    return drawn


def _line_up(draft: Draft) -> list[list[Text]]:
    """Give values without a star the room of one where a column has a star, so that digits stay below each other."""
    starred = [any(row[at].plain.endswith(" *") for row in draft.rows) for at in range(len(draft.header))]
    return [
        [Text(f"{cell.plain}  ", style=cell.style) if starred[at] and not cell.plain.endswith(" *") else cell for at, cell in enumerate(row)]
        for row in draft.rows
    ]


def _stack(console: Console, draft: Draft) -> None:
    """Print each row as a block of lines, for a narrow terminal."""
    header, aside = draft.header, draft.aside
    for row in draft.rows:
        words = ", ".join(cell.plain for cell in row[len(row) - aside :])
        name = row[0] if aside else Text.assemble((f"{header[0]} ", "dim"), row[0])
        say(console, Text.assemble(name, (f"  {words}" if words else "", "dim")))
        lines: list[Text] = []
        for at in range(1, len(header) - aside):
            if at in draft.intervals:
                lines[-1].append(Text.assemble((f"  {header[at]} ", "dim"), row[at]))
            elif row[at].plain:
                lines.append(Text.assemble((f"{header[at]} ", "dim"), row[at]))
        for line in lines:
            say(console, line, indent=2)


def _list(console: Console, title: str, lines: Iterable[str]) -> None:
    known = list(lines)
    if known:
        console.print()
        say(console, Text(title, style="bold"))
        for line in known:
            say(console, Text(line), indent=2)


def say(console: Console, words: Text, indent: int = 0) -> None:
    """Print words: wrapped for a terminal, whole lines for a pipe."""
    if console.is_terminal:
        console.print(Padding(words, (0, 0, 0, indent), expand=False), overflow="fold")
    else:
        console.print(Text(" " * indent) + words, soft_wrap=True)
