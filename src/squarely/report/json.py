"""The report as JSON, for programs: a versioned schema, every group, full precision.

A value that JSON cannot write (nan or an infinity) is ``null`` with its ``reason`` beside it. ``ci`` is ``[low, high]``, or ``null`` with its
``doubt``; ``confidence`` and ``way``, the manner of the intervals, are ``null`` where there are none, and so is ``comparison`` where no two
models were compared.
"""

from __future__ import annotations

import json
import math
from typing import Any

from squarely.report.report import Cell, Report

__all__ = ["SCHEMA", "VERSION", "document", "render"]

SCHEMA = "squarely.report"
VERSION = 2


def document(report: Report) -> dict[str, Any]:
    """Return the report as plain dicts, lists, strings, numbers and None."""
    return {
        "schema": SCHEMA,
        "version": VERSION,
        "confidence": report.confidence,
        "way": report.way,
        "verdict": report.verdict,
        "findings": [finding.to_dict() for finding in report.findings],
        "not_testable": [{"what": what, "reason": reason} for what, reason in report.not_testable],
        "advice": report.advice,
        "provenance": report.source,
        "models": list(report.models),
        "metrics": [
            {
                "label": row.label,
                "name": row.name,
                "title": row.title,
                "unit": row.unit,
                "direction": row.direction,
                "functional": row.functional or None,
                "best_value": None if row.ideal is None or math.isinf(row.ideal) else row.ideal,
                "values": _values(report.models, row.cells),
            }
            for row in report.metrics
        ],
        "comparison": None if report.pairs is None else report.pairs.to_dict(),
        "groups": {
            "by": list(report.by),
            "total": report.group_total,
            "rows": [
                {
                    "key": list(group.key),
                    "n": group.rows,
                    "metrics": [
                        {"label": row.label, "values": _values(report.models, cells)} for row, cells in zip(report.metrics, group.cells, strict=True)
                    ],
                }
                for group in report.groups
            ],
        },
        "notes": [{"kind": note.kind, "text": note.text} for note in report.notes],
    }


def render(report: Report) -> str:
    """Return the report as JSON text that ends with a newline."""
    text = json.dumps(document(report), indent=2, ensure_ascii=False, allow_nan=False)
    # A lone surrogate cannot be encoded; written as \udc80 it is valid JSON and reads back as it was.
    return text.encode("utf-8", "backslashreplace").decode("utf-8") + "\n"


def _values(models: tuple[str, ...], cells: tuple[Cell, ...]) -> list[dict[str, Any]]:
    return [_value(model, cell) for model, cell in zip(models, cells, strict=True)]


def _value(model: str, cell: Cell) -> dict[str, Any]:
    known, (se, low, high, doubt) = math.isfinite(cell.value), cell.interval
    return {
        "model": model,
        "value": cell.value if known else None,
        "reason": None if known else cell.reason,
        "se": _finite(se),
        "ci": None if math.isnan(low) else [_finite(low), _finite(high)],
        "doubt": doubt,
        "n": cell.n,
        "coverage": _finite(cell.coverage),
        "best": cell.best,
    }


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) else None
