"""The numbers as CSV, for spreadsheets and shells: one line for each metric and model, and with groups for each group."""

from __future__ import annotations

import csv
import io
import math

from squarely.report.report import Cell, Report
from squarely.state.table import Key

__all__ = ["render"]

_ANSWER, _INTERVAL, _ROWS = ("model", "metric", "value"), ("se", "ci_low", "ci_high"), ("n", "coverage", "reason")
_FIXED = (*_ANSWER, *_INTERVAL, *_ROWS)


def render(report: Report) -> str:
    """Return the report as CSV with a header; numbers have every digit, and nan stands where there is none.

    Without intervals there are no columns of them.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    keys = (f"by_{name}" if name in _FIXED else name for name in report.by)
    writer.writerow((*keys, *_ANSWER, *(() if report.confidence is None else _INTERVAL), *_ROWS))
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
            interval = () if report.confidence is None else map(repr, cell.interval[:3])
            writer.writerow((*key, model, row.label, repr(cell.value), *interval, cell.n, coverage, cell.reason or ""))
