"""The command that says what is wrong with a model, and what mends it."""

import json
import shutil
import sys
import textwrap
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from squarely.cli.chosen import as_csv, chosen, listed
from squarely.cli.commands import app
from squarely.cli.telling import Format, check_report, command_line, leave
from squarely.diagnose import Diagnosis, diagnose

__all__ = ["diagnose_command"]

_EXAMPLES = """
[bold]Examples[/]

  squarely diagnose predictions.csv --target actual --prediction ridge
  squarely diagnose series.parquet -t y -p forecast --order time --training history.parquet
  squarely diagnose houses.parquet -t price -p model --sigma model_sd --cluster street --by town --format json
  squarely diagnose series.parquet -t y -p forecast --order time --report page.html
"""


@app.command(name="diagnose", epilog=_EXAMPLES)
def diagnose_command(
    file: Annotated[str, typer.Argument(help="CSV, Parquet, JSON lines or Arrow: a file, a folder, or a quoted pattern.", show_default=False)],
    target: Annotated[str | None, typer.Option("--target", "-t", help="Column of what was observed.", show_default="guessed, and said")] = None,
    prediction: Annotated[
        list[str] | None, typer.Option("--prediction", "-p", help="Columns of predictions, one for each model.", show_default="guessed, and said")
    ] = None,
    by: Annotated[list[str] | None, typer.Option("--by", "-b", help="Columns whose values make groups.")] = None,
    weight: Annotated[str | None, typer.Option("--weight", "-w", help="Column of weights: weight k counts as k rows.")] = None,
    sigma: Annotated[str | None, typer.Option("--sigma", help="Column of predicted standard deviations.")] = None,
    cluster: Annotated[str | None, typer.Option("--cluster", help="Column of what dependent rows have in common, as a patient.")] = None,
    order: Annotated[str | None, typer.Option("--order", help="Column of times; rows are sorted by it.")] = None,
    training: Annotated[str | None, typer.Option("--training", help="File of the rows that the model was fitted to, with the same columns.")] = None,
    functional: Annotated[
        str, typer.Option("--functional", help="What is wanted of the target: [bold]mean[/], [bold]median[/] or [bold]quantile[/].")
    ] = "mean",
    nan_policy: Annotated[
        str, typer.Option("--nan-policy", help="What missing values do: [bold]omit[/], [bold]omit_targets[/] or [bold]raise[/].")
    ] = "omit",
    format: Annotated[Format, typer.Option("--format", "-f", help="What standard output gets.")] = Format.table,
    report: Annotated[
        Path | None, typer.Option("--report", "-r", help="Write the findings, metrics and plots as one HTML page.", readable=False)
    ] = None,
) -> None:
    """Say what is wrong with a model, how much of its squared error that is, and what mends it."""
    check_report(report, file, training)
    target, predictions = chosen(file, target, listed(prediction))
    found = diagnose(
        file,
        target=target,
        prediction=predictions,
        by=listed(by) or None,
        weight=weight,
        sigma=sigma,
        cluster=cluster,
        order=order,
        training=training,
        functional=functional,
        nan_policy=nan_policy,
    )
    tell = {
        Format.table: lambda: _wrapped(f"{found}\n"),
        Format.json: lambda: json.dumps(found.to_dict(), indent=2) + "\n",
        Format.markdown: found.to_markdown,
        Format.csv: lambda: as_csv(found.to_frame()),
    }
    leave(tell[format], report, partial(_page, found))


def _page(found: Diagnosis) -> str:
    """Return the page of the rows that were diagnosed, with what the checks saw in all of them."""
    from squarely.report import html  # slow to load, and only a page needs it
    from squarely.report.build import build
    from squarely.report.report import SHOWN_GROUPS

    return html.render(build(found.evaluation, command=command_line(), most_groups=SHOWN_GROUPS, diagnosis=found))


def _wrapped(told: str) -> str:
    """Return the words in the width of the terminal; as they are where nobody reads them there."""
    if not sys.stdout.isatty():
        return told
    width = max(shutil.get_terminal_size().columns, 30)
    lines = []
    for line in told.splitlines():
        indent = " " * (len(line) - len(line.lstrip()))
        lines += textwrap.wrap(line, width, subsequent_indent=indent, break_on_hyphens=False) or [""]
    return "\n".join(lines) + "\n"
