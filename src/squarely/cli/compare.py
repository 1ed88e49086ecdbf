"""The command that says which model is better."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from squarely.cli.chosen import chosen, listed
from squarely.cli.commands import app
from squarely.cli.telling import Format, check_report, leave
from squarely.compare import compare

__all__ = ["compare_command"]

_EXAMPLES = """
[bold]Examples[/]

  squarely compare predictions.csv -t actual -p ridge,boosting --metric rmse
  squarely compare patients.parquet -t y -p a,b --cluster patient --baseline mean
  squarely compare series.csv -t y -p arima,ets --h 3 --baseline last_value
  squarely compare long.parquet -t y -p yhat --model method --macro series --metric smape --nan-policy omit
"""


@app.command(name="compare", epilog=_EXAMPLES)
def compare_command(
    file: Annotated[str, typer.Argument(help="CSV, Parquet, JSON lines or Arrow: a file, a folder, or a quoted pattern.", show_default=False)],
    target: Annotated[str | None, typer.Option("--target", "-t", help="Column of what was observed.", show_default="guessed, and said")] = None,
    prediction: Annotated[
        list[str] | None, typer.Option("--prediction", "-p", help="Columns of predictions, one for each model.", show_default="guessed, and said")
    ] = None,
    metric: Annotated[str, typer.Option("--metric", "-m", help="What is compared.")] = "mse",
    weight: Annotated[str | None, typer.Option("--weight", "-w", help="Column of weights: weight k counts as k rows.")] = None,
    baseline: Annotated[
        list[str] | None, typer.Option("--baseline", help="Simple rules to compare with: mean, median, last_value, seasonal_naive.")
    ] = None,
    seasonality: Annotated[int, typer.Option("--seasonality", help="Rows of a season, for seasonal_naive.")] = 1,
    confidence: Annotated[float, typer.Option("--confidence", help="Of the intervals.")] = 0.95,
    cluster: Annotated[str | None, typer.Option("--cluster", help="Column of what dependent rows have in common, as a patient.")] = None,
    order: Annotated[str | None, typer.Option("--order", help="Column of times, where errors go together in time; rows are sorted by it.")] = None,
    h: Annotated[int | None, typer.Option("--h", help="Rows are forecasts so many steps ahead: the test of Diebold and Mariano.")] = None,
    macro: Annotated[str | None, typer.Option("--macro", help="Column of groups that count alike, as series.")] = None,
    model: Annotated[str | None, typer.Option("--model", help="Column that names the model, where each has rows of its own; needs --macro.")] = None,
    nan_policy: Annotated[str, typer.Option("--nan-policy", help="What missing values do: raise, omit_targets or omit.")] = "raise",
    format: Annotated[Format, typer.Option("--format", "-f", help="What standard output gets.")] = Format.table,
    report: Annotated[Path | None, typer.Option("--report", "-r", help="Write the comparison as one HTML page.", readable=False)] = None,
) -> None:
    """Say which model is better, by how much, and how sure that is."""
    check_report(report, file)
    target, predictions = chosen(file, target, listed(prediction))
    found = compare(
        file,
        target=target,
        prediction=predictions,
        metric=metric,
        weight=weight,
        baseline=listed(baseline),
        seasonality=seasonality,
        confidence=confidence,
        cluster=cluster,
        order=order,
        h=h,
        macro=macro,
        model=model,
        nan_policy=nan_policy,
    )
    from squarely.report import comparison, text  # not needed where the data are refused

    tell = {
        Format.table: lambda: text.printed(partial(comparison.as_text, found)),
        Format.json: lambda: comparison.as_json(found),
        Format.markdown: lambda: comparison.as_markdown(found),
        Format.csv: lambda: comparison.as_csv(found),
    }
    leave(tell[format], report, partial(comparison.as_html, found))
