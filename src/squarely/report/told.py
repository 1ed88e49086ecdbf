"""A verdict with its table, figures and notes: one self-contained HTML page."""

from __future__ import annotations

from squarely.evaluate import Told
from squarely.report import html

__all__ = ["as_html"]


def as_html(told: Told) -> str:
    """Return what is told as an HTML page; the same answer gives the same bytes."""
    return html.written("told.html", told=told)
