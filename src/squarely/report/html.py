"""The report as one self-contained HTML page: no script, no request, light and dark, for screen and paper.

The template engine escapes every value; what is passed as markup is made here or in svg.py, from escaped parts.
"""

from __future__ import annotations

import math
from functools import cache
from importlib.resources import files

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from squarely.report.figures import draw
from squarely.report.report import Cell, Report, one_line, whole

__all__ = ["name", "read", "render"]

_SHORT, _FULL = 48, 1000


def render(report: Report) -> str:
    """Return the report as an HTML page; the same report gives the same bytes."""
    drawings = [
        (
            panel,
            [(each, Markup(each.svg)) for each in draw(panel, f"p{index}")],
        )
        for index, panel in enumerate(report.panels)
    ]
    reasons = dict.fromkeys(cell.reason for group in report.shown_groups for at in report.headlines for cell in group.cells[at] if cell.reason)
    interval_name = report.interval_name.replace(" %", "\N{NO-BREAK SPACE}%")
    style = Markup(read("style.css"))
    page = _page().render(report=report, interval_name=interval_name, drawings=drawings, style=style, reasons=list(reasons))
    # A lone surrogate, which a file name can hold, cannot be encoded.
    return page.encode("utf-8", "replace").decode("utf-8")


@cache
def _page() -> Template:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters.update(name=name, value=_value, interval=_interval, whole=whole, line=one_line)
    return environment.from_string(read("page.html"))


def read(name: str) -> str:
    """Return a file of this folder."""
    return files("squarely.report").joinpath(name).read_text(encoding="utf-8")


def name(text: object, most: int = _SHORT) -> Markup:
    """Write a name from data: cut where it is long, with the whole of it (to a sane length) where the pointer rests."""
    short = one_line(text, most)
    if short == str(text):
        return Markup("<bdi>{}</bdi>").format(short)
    return Markup('<bdi title="{}">{}</bdi>').format(one_line(text, _FULL), short)


def _interval(cell: Cell) -> Markup:
    """Write an interval: rounded to read, every digit for a program; or a dash, and why where the pointer rests."""
    low, high, doubt = cell.interval[1:]
    if math.isnan(low):
        return Markup('<span title="{}">-</span>').format(one_line(doubt or "", _FULL))
    before, after = (_number(end, words) for end, words in zip((low, high), cell.ends, strict=True))
    return Markup("{} to\N{NO-BREAK SPACE}{}").format(before, after)  # where it must, the line breaks before "to"


def _number(value: float, words: str) -> Markup:
    """Write a number as a reader wants it, with every digit for a program."""
    words = words.replace("-", "\N{MINUS SIGN}").replace(" ", "\N{NO-BREAK SPACE}")
    return Markup('<data value="{}">{}</data>').format(repr(value), words)


def _value(cell: Cell) -> Markup:
    """Write a value: six digits to read, all of them for a program, and the best one marked in words as well."""
    if cell.reason:
        return Markup('<span class="undefined" title="{}">{}</span>').format(one_line(cell.reason, _FULL), cell.shown)
    shown = _number(cell.value, cell.shown)
    if not cell.best:
        return shown
    return Markup('<strong class="best">{}<span class="unseen"> (best)</span></strong>').format(shown)
