"""The numbers as CSV, for spreadsheets and shells: one line for each metric and model, and with groups for each group."""

from __future__ import annotations

import csv
import io
import math

from squarely.report.report import Cell, Report
from squarely.state.table import Key

__all__ = ["render"]

_VALUES = ("model", "metric", "value", "n", "coverage", "reason")


def render(report: Report) -> str:
    """Return the report as CSV with a header; numbers have every digit, and nan stands where there is none."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow((*report.by, *_VALUES))
    if report.by:
        for group in report.groups:
            _write(writer, report, group.key, group.cells)
    else:
        _write(writer, report, (), tuple(row.cells for row in report.metrics))
    # A lone surrogate, which a file name can hold, cannot be encoded.
    return out.getvalue().encode("utf-8", "replace").decode("utf-8")


def _write(writer: csv._writer, report: Report, key: tuple[Key, ...], cells: tuple[tuple[Cell, ...], ...]) -> None:  # type: ignore[name-defined]
    for row, of_models in zip(report.metrics, cells, strict=True):
        for model, cell in zip(report.models, of_models, strict=True):
            coverage = "" if math.isnan(cell.coverage) else repr(cell.coverage)
            writer.writerow((*key, model, row.label, repr(cell.value), cell.n, coverage, cell.reason or ""))
