"""The report as one self-contained HTML page: no request, light and dark, for screen and paper.

The template engine escapes every value; what is passed as markup is made here or in svg.py, from escaped parts. The only script that a
browser runs is the one of this folder: the page names its digest, so that none which came with the data would run.
"""

from __future__ import annotations

import base64
import hashlib
import math
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from squarely.report.finding import SEVERITIES
from squarely.report.forest import Forest, bar
from squarely.report.report import Cell, GroupRow, Report, number, one_line, whole
from squarely.report.sections import Section, sections
from squarely.report.verdict import worst_group
from squarely.state.table import Key

__all__ = ["read", "render", "written"]

_SHORT, _FULL = 48, 1000
_FIRST_METRICS = 9  # the others wait behind a button


def render(report: Report) -> str:
    """Return the report as an HTML page; the same report gives the same bytes."""
    reasons = dict.fromkeys(cell.reason for group in report.shown_groups for at in report.headlines for cell in group.cells[at] if cell.reason)
    shown = sections(report)
    return written(
        "page.html",
        report=report,
        first_metrics=_FIRST_METRICS,
        several=len(report.models) > 1,
        interval_name=report.interval_name.replace(" %", "\N{NO-BREAK SPACE}%"),
        contents=_contents(report, shown),
        sections=shown,
        severities=SEVERITIES,
        groups=_groups(report),
        groups_lead=worst_group(report),
        pickers=_pickers(report),
        forest=Forest(report.metrics, report.headlines, report.shown_groups),
        bar=lambda row: bar(row.pair.difference, row.pair.ci, report.pairs.axis, 0.0) if report.pairs else "",
        reasons=list(reasons),
    )


def written(template: str, **values: object) -> str:
    """Return a page of this folder with its values, its style, and its script where the page has a place for it."""
    script = read("script.js").strip()
    page = _template(template).render(
        style=Markup(read("style.css")),
        script=Markup(script),
        digest=base64.b64encode(hashlib.sha256(f"\n{script}\n".encode()).digest()).decode(),
        **values,
    )
    # A lone surrogate, which a file name can hold, cannot be encoded.
    return page.encode("utf-8", "replace").decode("utf-8")


def _contents(report: Report, shown: Sequence[Section]) -> list[tuple[str, str]]:
    """Return anchors and headings of the sections that there are, in their order."""
    first = [("findings", "Findings", report.has_findings), *((each.ident, each.heading, True) for each in report.exhibits)]
    first += [("metrics", "Metrics", True)]
    first += [("comparison", "Model comparison", report.pairs is not None), ("groups", "Groups", bool(report.by))]
    last = [("notes", "Notes"), ("provenance", "Provenance")]
    return [each[:2] for each in first if each[2]] + [(each.ident, each.heading) for each in shown] + last


def _values(report: Report) -> list[list[Key]]:
    """Return the values of each group column that are in the table."""
    columns = [dict.fromkeys(group.key[at] for group in report.shown_groups) for at in range(len(report.by))]
    return [sorted(column, key=lambda value: (value is None, isinstance(value, str), value)) for column in columns]


def _groups(report: Report) -> list[tuple[GroupRow, str]]:
    """Return each group and the places of its values among those of their columns."""
    places = [{value: at for at, value in enumerate(values)} for values in _values(report)]
    return [(group, " ".join(str(at[key]) for at, key in zip(places, group.key, strict=True))) for group in report.shown_groups]


def _pickers(report: Report) -> list[tuple[str, list[Key]]]:
    """Return the columns that have several values, and these; none where there is one group."""
    return list(zip(report.by, _values(report), strict=True)) if len(report.shown_groups) > 1 else []


@cache
def _template(file: str) -> Template:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters.update(
        name=_name, value=_value, interval=_interval, whole=whole, line=one_line, minus=_minus, drawn=Markup, breakable=_breakable
    )
    environment.filters.update(
        number=lambda value: _number(value, number(value)), share=_share, capitalised=lambda words: words[:1].upper() + words[1:]
    )
    return environment.from_string(read(file))


def read(name: str) -> str:
    """Return a file of this folder."""
    return files("squarely.report").joinpath(name).read_text(encoding="utf-8")


def _name(text: object, most: int = _SHORT) -> Markup:
    """Write a name from data: cut where it is long, with the whole of it (to a sane length) where the pointer rests."""
    short = one_line(text, most)
    if short == str(text):
        return Markup("<bdi>{}</bdi>").format(short)
    return Markup('<bdi title="{}">{}</bdi>').format(one_line(text, _FULL), short)


def _minus(words: str) -> str:
    """Write numbers with the sign that is as wide as a plus; a dash that stands for nothing stays."""
    return words.replace("-", "\N{MINUS SIGN}") if len(words) > 1 else words


def _breakable(label: Markup) -> Markup:
    """Let a label break after an underscore, where a column is narrow."""
    head, close, words = str(label).partition(">")  # what is before the first ">" is the tag and its title
    return Markup(head + close + words.replace("_", "_<wbr>"))


def _share(value: float) -> str:
    return f"{100 * value:.2f}\N{NO-BREAK SPACE}%" if value >= 0.0001 else "below 0.01\N{NO-BREAK SPACE}%"


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
