"""Told: an answer as a reader sees it, a verdict above a table, figures and notes, in text, Markdown and HTML."""

from dataclasses import dataclass
from typing import Any, NamedTuple

from squarely.evaluate.rendering import page_of
from squarely.plain import escape, one_line

__all__ = ["Drawn", "Told"]

_MOST = 400  # characters of a cell


class Drawn(NamedTuple):
    """A figure with the words around it."""

    heading: str
    svg: str
    caption: str


@dataclass(frozen=True)
class Told:
    """What there is to tell; columns of ``words`` are set to the left, the others hold numbers."""

    title: str
    about: str  # what it was made of
    verdict: str
    advice: str  # what follows from it
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: tuple[int, ...]
    notes: tuple[str, ...]
    drawings: tuple[Drawn, ...]

    def text(self) -> str:
        """Return it for a terminal, without the figures."""
        table = [tuple(one_line(cell, _MOST) for cell in row) for row in (self.head, *self.rows)]
        widths = [max(len(row[at]) for row in table) for at in range(len(self.head))]
        lines = []
        for row in table:
            cells = [cell.ljust(width) if at in self.words else cell.rjust(width) for at, (cell, width) in enumerate(zip(row, widths, strict=True))]
            lines.append("  ".join(cells).rstrip())
        return "\n".join([f"{self.verdict} {self.advice}".rstrip(), "", *lines, *(["", *self.notes] if self.notes else [])])

    def markdown(self) -> str:
        """Return it as Markdown; names from data cannot add markup."""
        rule = "|".join(" --- " if at in self.words else " ---: " for at in range(len(self.head)))
        rows = [f"| {' | '.join(escape(cell, _MOST) for cell in row)} |" for row in (self.head, *self.rows)]
        notes = [f"* {escape(note, 1000)}" for note in self.notes]
        said = f"**{escape(self.verdict, 2000)}**{' ' + escape(self.advice, 2000) if self.advice else ''}"
        return "\n".join([said, "", rows[0], f"|{rule}|", *rows[1:], *(["", *notes] if notes else [])]) + "\n"

    def html(self, path: Any = None) -> str:
        """Return a page that needs nothing beside it, and write it to ``path`` where one is given."""
        return page_of("told_html", self, path)
