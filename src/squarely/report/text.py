"""The report for a terminal, in the width there is: a table that does not fit becomes a list.

A pipe gets plain, whole lines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from squarely.metric import Metric
from squarely.report.report import Cell, MetricRow, Report, one_line, whole

__all__ = ["console", "metrics", "printed", "render"]

_GAP = 1
_NAME = 32
_ANY_WIDTH = 1_000_000

Row = Sequence[Text]


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
    _table(console, "", header, rows, left=range(len(header)))


def render(report: Report, console: Console) -> None:
    """Print the report on a rich console.

    Parameters
    ----------
    report : Report
        What to print.
    console : rich.console.Console
        Where; its width and whether it is a terminal are respected.
    """
    _say(console, Text(report.verdict, style="bold"))
    several = len(report.models) > 1
    header = ["metric", *(one_line(model, _NAME) for model in report.models), "unit", "better"]
    rows: list[Row] = []
    for row in report.metrics:
        values = [_value(cell) for cell in row.cells]
        name = Text(one_line(row.label, _NAME), style="cyan")
        rows.append([name, *values, Text(row.unit_words, style="dim"), Text(row.better, style="dim")])
    console.print()
    _table(console, "", header, rows, left=(0, len(header) - 2, len(header) - 1), aside=2)
    if several and any(cell.best for row in report.metrics for cell in row.cells):
        _say(console, Text("* the best model", style="dim"))
    _list(console, "Undefined", dict.fromkeys(_reasons(report)))
    if report.by:
        _groups(console, report)
    _list(console, "Notes", [note.text for note in report.notes])


def _groups(console: Console, report: Report) -> None:
    several = len(report.models) > 1
    shown = report.headlines if len(report.models) < 3 else report.headlines[:1]
    header = [*(one_line(name, _NAME) for name in report.by), "rows"]
    for model in report.models:
        labels = [one_line(report.metrics[at].label, _NAME) for at in shown]
        header += [f"{label} {one_line(model, 20)}" if several else label for label in labels]
    rows: list[Row] = []
    for group in report.shown_groups:
        keys = [Text(one_line(key, _NAME), style="cyan") for key in group.key]
        values = [_value(group.cells[at][which]) for which in range(len(report.models)) for at in shown]
        rows.append([*keys, Text(whole(group.rows)), *values])
    console.print()
    _table(console, f"Groups. {report.group_order}", header, rows, left=tuple(range(len(report.by))))
    if report.hidden_groups_words:
        _say(console, Text(report.hidden_groups_words, style="dim"))


def _value(cell: Cell) -> Text:
    if cell.reason:
        return Text(cell.shown, style="yellow")
    return Text(f"{cell.shown} *", style="bold green") if cell.best else Text(cell.shown)


def _reasons(report: Report) -> Iterable[str]:
    for row in report.metrics:
        for model, cell in zip(report.models, row.cells, strict=True):
            if cell.reason:
                yield f"{one_line(row.label)} of {one_line(model)}: {one_line(cell.reason, 300)}"


def _table(console: Console, title: str, header: Sequence[str], rows: Sequence[Row], left: Sequence[int], aside: int = 0) -> None:
    if title:
        _say(console, Text(title, style="bold"))
    rows = _line_up(header, rows)
    table = Table(box=box.SIMPLE_HEAD if console.is_terminal else None, show_edge=False, pad_edge=False, padding=(0, _GAP, 0, 0))
    for at, head in enumerate(header):
        table.add_column(Text(head), justify="left" if at in left else "right", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    needed = table.__rich_measure__(console, console.options.update(max_width=_ANY_WIDTH)).maximum
    if console.is_terminal and needed > console.width:
        _stack(console, header, rows, aside)
        return
    # A pipe has no width: lines stay whole there, so that grep and awk find what belongs together.
    table.width = needed
    console.print(table, crop=False)


def _line_up(header: Sequence[str], rows: Sequence[Row]) -> list[list[Text]]:
    """Give values without a star the room of one where a column has a star, so that digits stay below each other."""
    starred = [any(row[at].plain.endswith(" *") for row in rows) for at in range(len(header))]
    return [
        [Text(f"{cell.plain}  ", style=cell.style) if starred[at] and not cell.plain.endswith(" *") else cell for at, cell in enumerate(row)]
        for row in rows
    ]


def _stack(console: Console, header: Sequence[str], rows: Sequence[Row], aside: int) -> None:
    """Print each row as a block of lines, for a narrow terminal; the last ``aside`` columns stand beside its name."""
    for row in rows:
        words = ", ".join(cell.plain for cell in row[len(row) - aside :])
        name = row[0] if aside else Text.assemble((f"{header[0]} ", "dim"), row[0])
        _say(console, Text.assemble(name, (f"  {words}" if words else "", "dim")))
        for head, cell in zip(header[1 : len(header) - aside], row[1 : len(row) - aside], strict=True):
            if cell.plain:
                _say(console, Text.assemble((f"{head} ", "dim"), cell), indent=2)


def _list(console: Console, title: str, lines: Iterable[str]) -> None:
    known = list(lines)
    if known:
        console.print()
        _say(console, Text(title, style="bold"))
        for line in known:
            _say(console, Text(line), indent=2)


def _say(console: Console, words: Text, indent: int = 0) -> None:
    """Print words: wrapped for a terminal, whole lines for a pipe."""
    if console.is_terminal:
        console.print(Padding(words, (0, 0, 0, indent), expand=False), overflow="fold")
    else:
        console.print(Text(" " * indent) + words, soft_wrap=True)
