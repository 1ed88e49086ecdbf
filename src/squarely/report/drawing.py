"""A figure with the words around it."""

from __future__ import annotations

from dataclasses import dataclass

from squarely.report.panel import Panel
from squarely.report.report import whole

__all__ = ["Drawing", "rows_words", "short", "unit_words"]


@dataclass(frozen=True, slots=True)
class Drawing:
    """One figure: its heading, its SVG and the sentence below it."""

    heading: str
    svg: str
    caption: str


def rows_words(panel: Panel) -> str:
    """Say how many rows are drawn."""
    if panel.drawn < panel.seen:
        return f"Drawn from a sample of {whole(panel.drawn)} of {whole(panel.seen)} rows."
    return f"All {whole(panel.drawn)} rows."


def unit_words(panel: Panel) -> str:
    """Say what shares are counted in."""
    return "weight" if panel.weighted else "rows"


def short(value: float) -> str:
    """Write a number for a read-out, in five digits."""
    return f"{value + 0.0:.5g}".replace("-", "\N{MINUS SIGN}")
