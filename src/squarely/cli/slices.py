"""The command that says where a model does worst."""

import json
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from squarely.cli.chosen import as_csv
from squarely.cli.commands import app
from squarely.cli.output import say
from squarely.cli.telling import Format, check_report, command_line, leave
from squarely.evaluate import guess_predictions, guess_target
from squarely.slices import Slices, slices
from squarely.sources.refusals import shown

__all__ = ["slices_command"]

_EXAMPLES = """
[bold]Examples[/]

  squarely slices predictions.csv --target actual --prediction ridge
  squarely slices predictions.parquet -t actual -p ridge --column region --column age --cross 2 --format json
  squarely slices predictions.csv --report worst.html
"""


@app.command(name="slices", epilog=_EXAMPLES)
def slices_command(
    file: Annotated[str, typer.Argument(help="CSV, Parquet, JSON lines or Arrow: a file, a folder, or a quoted pattern.", show_default=False)],
    target: Annotated[str | None, typer.Option("--target", "-t", help="Column of what was observed.", show_default="guessed, and said")] = None,
    prediction: Annotated[str | None, typer.Option("--prediction", "-p", help="Column of the predictions.", show_default="guessed, and said")] = None,
    column: Annotated[list[str] | None, typer.Option("--column", "-c", help="A column to slice by.", show_default="every one that can be")] = None,
    metric: Annotated[str, typer.Option("--metric", "-m", help="A metric by name or alias.")] = "mse",
    bins: Annotated[int, typer.Option("--bins", help="Bins of a column of numbers.")] = 5,
    cross: Annotated[int, typer.Option("--cross", help="2 crosses every two columns too.")] = 1,
    least: Annotated[int, typer.Option("--least", help="Rows that a slice needs to be judged.")] = 30,
    weight: Annotated[str | None, typer.Option("--weight", "-w", help="Column of weights: weight k counts as k rows.")] = None,
    confidence: Annotated[float, typer.Option("--confidence", help="Of the intervals and tests, for all slices together.")] = 0.95,
    cluster: Annotated[str | None, typer.Option("--cluster", help="Column of what dependent rows have in common, as a patient.")] = None,
    order: Annotated[str | None, typer.Option("--order", help="Column of times, where errors go together in time; rows are sorted by it.")] = None,
    nan_policy: Annotated[
        str, typer.Option("--nan-policy", help="What missing values do: [bold]raise[/], [bold]omit_targets[/] or [bold]omit[/].")
    ] = "raise",
    format: Annotated[Format, typer.Option("--format", "-f", help="What standard output gets.")] = Format.table,
    report: Annotated[Path | None, typer.Option("--report", "-r", help="Write the slices as one HTML page.", readable=False)] = None,
) -> None:
    """Say where a model does worst: by values and bins of columns, each against all other rows."""
    check_report(report, file)
    if target is None or prediction is None:
        from squarely.sources.files import open_path  # slow to load

        columns = open_path(file).columns
        if target is None:
            target = guess_target(columns, file)
            say(f"target: {shown(target)}, by its name; --target chooses another")
        if prediction is None:
            prediction = next(name for name in guess_predictions(columns, file) if name != target)
            say(f"prediction: {shown(prediction)}, by its name; --prediction chooses another")
    found = slices(
        file,
        target=target,
        prediction=prediction,
        columns=column,
        metric=metric,
        bins=bins,
        cross=cross,
        least=least,
        weight=weight,
        confidence=confidence,
        cluster=cluster,
        order=order,
        nan_policy=nan_policy,
    )
    tell = {
        Format.table: lambda: f"{found}\n",
        Format.json: lambda: json.dumps(found.to_dict(), indent=2) + "\n",
        Format.markdown: found.to_markdown,
        Format.csv: lambda: as_csv(found.to_frame()),
    }
    leave(tell[format], report, partial(_page, found))


def _page(found: Slices) -> str:
    from squarely.report import slices as told  # slow to load, and only a page needs it

    return told.as_html(found, command_line())
