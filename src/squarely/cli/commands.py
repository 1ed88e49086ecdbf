"""The commands."""

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from squarely import _core
from squarely.cli.chosen import chosen
from squarely.cli.gate import Gate, Verdict, gate_of
from squarely.cli.output import Progress, let_go, prepare_streams, read_table, say, write_out
from squarely.cli.pipeline import check_gates, summary_file
from squarely.cli.telling import Format, Outputs
from squarely.errors import DataError, SquarelyError, StateError
from squarely.evaluate import evaluate, evaluation_of, questions_of
from squarely.metric import METRICS, find
from squarely.report.writing import check_files, write_files

__all__ = ["Format", "app", "main"]

app = typer.Typer(
    name="squarely",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)

_Format = Annotated[Format, typer.Option("--format", "-f", help="What standard output gets.")]
_Metrics = Annotated[
    list[str] | None,
    typer.Option(
        "--metrics",
        "-m",
        help="Metrics by name or alias, with commas; [bold]all[/] for every one. See [bold]squarely metrics[/].",
        show_default="the usual ones",
    ),
]
_Report = Annotated[Path | None, typer.Option("--report", "-r", help="Write the report as one HTML page, plots included.", readable=False)]
_Prediction = Annotated[
    list[str] | None, typer.Option("--prediction", "-p", help="Columns of predictions, one for each model.", show_default="guessed, and said")
]
_NanPolicy = Annotated[
    str, typer.Option("--nan-policy", help="What missing values do: [bold]raise[/], [bold]omit_targets[/], [bold]omit[/] or [bold]propagate[/].")
]
_Exact = Annotated[
    bool | None,
    typer.Option("--exact/--one-pass", help="Read large data a second time, for exact medians and quantiles.", show_default="up to a million rows"),
]
_Confidence = Annotated[float, typer.Option("--confidence", help="Probability with which intervals are to hold the value of the population.")]
_Interval = Annotated[str | None, typer.Option("--ci", help="[bold]none[/] leaves out standard errors and intervals.", show_default="intervals")]
_Cluster = Annotated[str | None, typer.Option("--cluster", help="Column of what rows that depend on each other share, as a patient: for intervals.")]
_Order = Annotated[str | None, typer.Option("--order", help="Column of times that rows are sorted by, where errors go together in time.")]
_SaveState = Annotated[Path | None, typer.Option("--save-state", "-s", help="Write the exact sums, to show or merge later.", readable=False)]
_FailIf = Annotated[
    list[str] | None, typer.Option("--fail-if", help="Exit with 1 where this holds for a model, such as 'rmse > 60' or 'rmse.high > 60'.")
]
_Junit = Annotated[Path | None, typer.Option("--junit", help="Write what the gates say as JUnit XML.", readable=False)]
_StepSummary = Annotated[bool, typer.Option("--step-summary", help="Add the report and the gates to the page of a job of GitHub Actions.")]
_State = Annotated[Path, typer.Argument(help="A file from --save-state.", show_default=False, readable=False)]  # typer would tell it in a box

_EVALUATE = """
[bold]Examples[/]

  squarely evaluate predictions.csv
  squarely evaluate predictions.parquet --target actual --prediction ridge,boosting --by region
  squarely evaluate predictions.csv --cluster patient --confidence 0.9
  squarely evaluate 'days/*.parquet' --weight w --metrics rmse,r2 --format json
  squarely evaluate predictions.csv --report report.html --save-state monday.sqs
  squarely evaluate predictions.csv --fail-if 'rmse > 60'
  squarely evaluate predictions.csv --fail-if 'rmse.high > 60' --junit gates.xml --step-summary

Exit codes: 0 fine, 1 a --fail-if gate failed, 2 bad use or bad data.
"""


def _tell_version(asked: bool) -> None:
    if asked:
        write_out(lambda: f"squarely {_core.version}\n")
        raise typer.Exit


@app.callback()
def _squarely(
    version: Annotated[bool, typer.Option("--version", help="Say which squarely this is, and exit.", callback=_tell_version, is_eager=True)] = False,
) -> None:
    """Squared error and its family: exact, in one pass, at any size."""


@app.command(name="evaluate", epilog=_EVALUATE, context_settings={"allow_extra_args": True})
def evaluate_command(
    context: typer.Context,
    file: Annotated[str, typer.Argument(help="CSV, Parquet, JSON lines or Arrow: a file, a folder, or a quoted pattern.", show_default=False)],
    target: Annotated[str | None, typer.Option("--target", "-t", help="Column of what was observed.", show_default="guessed, and said")] = None,
    prediction: _Prediction = None,
    by: Annotated[list[str] | None, typer.Option("--by", "-b", help="Columns whose values make groups.")] = None,
    weight: Annotated[str | None, typer.Option("--weight", "-w", help="Column of weights: weight k counts as k rows.")] = None,
    metrics: _Metrics = None,
    nan_policy: _NanPolicy = "raise",
    exact: _Exact = None,
    confidence: _Confidence = 0.95,
    ci: _Interval = None,
    cluster: _Cluster = None,
    order: _Order = None,
    format: _Format = Format.table,  # the option is called --format
    report: _Report = None,
    save_state: _SaveState = None,
    fail_if: _FailIf = None,
    junit_file: _Junit = None,
    step_summary: _StepSummary = False,
) -> None:
    """Say how good predictions are: every metric, model and group in one pass."""
    from squarely.sources.files import open_path  # slow to load, and not needed to show saved sums

    if context.args:  # a shell turns a pattern without quotes into files
        given = 1 + len(context.args)
        raise DataError(f"{given:,} files were given where one was expected. Name a folder, or put a pattern between quotes: 'days/*.parquet'.")
    gates = [gate_of(text) for text in fail_if or ()]
    check_gates(gates, ci, junit_file)
    outputs = Outputs(format, report, save_state, junit_file, summary_file() if step_summary else None)
    asked = _asked(_listed(metrics), gates)  # a wrong name is told before the data are read
    source = open_path(file)
    outputs.check(keep=source.paths)
    columns = source.columns
    target, predictions = chosen(file, target, _columns(prediction, columns), columns)
    progress = Progress()
    try:
        evaluation = evaluate(
            file,
            target=target,
            prediction=predictions,
            by=_columns(by, columns),
            weight=weight,
            metrics=asked,
            nan_policy=nan_policy,
            exact=exact,
            ci=ci,
            confidence=confidence,
            cluster=cluster,
            order=order,
            progress=progress,
        )
    finally:
        progress.end()
    verdicts = [verdict for gate in gates for verdict in gate.judge(evaluation)]
    outputs.tell(evaluation, verdicts)
    _judge(verdicts)


@app.command(epilog="[bold]Example[/]\n\n  squarely show monday.sqs --metrics all --format csv")
def show(state: _State, metrics: _Metrics = None, format: _Format = Format.table, report: _Report = None) -> None:
    """Answer from saved sums: any metric, also one that was not asked for then."""
    outputs = Outputs(format, report)
    outputs.check(keep=[state])
    table = read_table(state)
    evaluation = evaluation_of(table, str(state), questions_of(_listed(metrics), table.plan))
    outputs.tell(evaluation)


@app.command(epilog="[bold]Example[/]\n\n  squarely merge monday.sqs tuesday.sqs -o week.sqs")
def merge(
    states: Annotated[list[Path], typer.Argument(help="Files from --save-state, of the same columns.", show_default=False, readable=False)],
    output: Annotated[Path, typer.Option("--output", "-o", help="The file of the sum.", show_default=False, readable=False)],
) -> None:
    """Add saved sums: exactly what one pass over all their rows would have saved."""
    check_files({"--output": output})  # a running total may be one of the states: it is replaced once all are read
    total = read_table(states[0])
    for path in states[1:]:
        table = read_table(path)
        try:
            total = total + table
        except StateError as error:
            raise DataError(f"{path}: {error}") from error
    write_files({output: total.to_bytes()})
    groups = f", {_counted(len(total.groups), 'group')}" if total.by else ""
    say(f"{output}: {_counted(total.rows, 'row')} of {_counted(len(states), 'state')}{groups}")


@app.command(epilog="[bold]Examples[/]\n\n  squarely metrics\n  squarely metrics nrmse")
def metrics(name: Annotated[str | None, typer.Argument(help="Explain this one.", show_default=False)] = None) -> None:
    """List every metric, or explain one."""
    if name is not None:
        found = find(name).metric
        names = ", ".join((found.name, *found.aliases))
        words = (found.function.__doc__ or "").replace(".. math:: ", "    ")  # the mark is for programs that set formulas
        write_out(lambda: f"{names}\n\n{words}\n")
        return
    from squarely.report import text

    write_out(lambda: text.printed(partial(text.metrics, METRICS.values())))


def _columns(values: Sequence[str] | None, known: Sequence[str]) -> list[str]:
    """Return names of columns: commas part them, unless a column has the comma in its name."""
    return [name for value in values or () for name in ([value] if value in known else [part.strip() for part in value.split(",")])]


def _listed(values: Sequence[str] | None) -> list[str] | None:
    """Return metrics that commas part, "all" spelt out; a comma between brackets parts settings."""
    if not values:
        return None
    names, depth = [""], 0
    for character in ",".join(values):
        depth += (character == "(") - (character == ")")
        if character == "," and depth == 0:
            names.append("")
        else:
            names[-1] += character
    found = [name.strip() for name in names if name.strip()]
    every = [question.label for question in questions_of("all")] if "all" in found else []
    return [label for name in found for label in (every if name == "all" else [name])]


def _asked(metrics: Sequence[str] | None, gates: Sequence[Gate]) -> list[str]:
    """Return what the data are asked: the metrics, and those of gates, which a reader of a failed gate looks for in the report."""
    labels = [question.label for question in questions_of(metrics)]
    labels += [question.label for gate in gates for question in gate.questions]
    return [question.label for question in questions_of(labels)]


def _judge(verdicts: Sequence[Verdict]) -> None:
    failures = [verdict.failure for verdict in verdicts if verdict.failure is not None]
    for sentence in failures:
        say(f"failed: {sentence}")
    if failures:
        raise typer.Exit(1)


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def main() -> None:
    """Run the command line; errors of ours become one sentence and exit code 2."""
    prepare_streams()
    try:
        try:
            app()
        finally:
            sys.stdout.flush()  # the help is written by typer
    except SquarelyError as error:
        say(f"error: {error}")
        sys.exit(2)
    except BrokenPipeError:
        let_go(sys.stdout)
    except OSError as error:
        let_go(sys.stdout)
        where = f"{error.filename}: " if error.filename else ""
        say(f"error: {where}{error.strerror or error}.")
        sys.exit(2)
