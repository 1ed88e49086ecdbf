"""Which columns a command reads, where the user names none, and frames as CSV."""

import csv
import io
from collections.abc import Sequence
from typing import Any

from squarely.cli.output import say
from squarely.evaluate import guess_predictions, guess_target
from squarely.sources.refusals import shown

__all__ = ["as_csv", "chosen", "listed"]


def listed(values: Sequence[str] | None) -> list[str]:
    """Return names that commas part."""
    return [part.strip() for value in values or () for part in value.split(",")]


def chosen(file: str, target: str | None, predictions: list[str], columns: Sequence[str] | None = None) -> tuple[str, list[str]]:
    """Return the columns of the target and of the predictions; those that are not named are guessed, and it is said."""
    if columns is None and (target is None or not predictions):
        from squarely.sources.files import open_path  # slow to load

        columns = open_path(file).columns
    if target is None:
        target = guess_target(columns or (), file)
        say(f"target: {shown(target)}, by its name; --target chooses another")
    if not predictions:
        predictions = [name for name in guess_predictions(columns or (), file) if name != target]
        say(f"prediction: {', '.join(map(shown, predictions))}, by name; --prediction chooses others")
    return target, predictions


def as_csv(frame: Any) -> str:
    """Return an Arrow table as CSV with a header."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(frame.column_names)
    writer.writerows(zip(*(column.to_pylist() for column in frame.columns), strict=True))
    return out.getvalue().encode("utf-8", "replace").decode("utf-8")  # a lone surrogate cannot be encoded
