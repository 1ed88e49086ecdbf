"""The frozen Report: everything that a renderer needs, and nothing that it could ask again."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from squarely.intervals import Interval
from squarely.plain import number, one_line, rounded
from squarely.state.table import Key

if TYPE_CHECKING:
    from squarely.diagnose.exhibit import Exhibit
    from squarely.report.finding import Finding
    from squarely.report.pairs import Pairs
    from squarely.report.panel import Panel

__all__ = ["NO_INTERVAL", "Cell", "GroupRow", "MetricRow", "Note", "Report", "number", "one_line", "percent", "whole"]

NO_INTERVAL = Interval(math.nan, math.nan, math.nan)

SHOWN_GROUPS = 50


@dataclass(frozen=True, slots=True)
class Cell:
    """One value: ``reason`` says why where it is nan; ``best`` marks the best of several models; a ``percent`` is a share, shown as one.

    The note of its ``interval`` says why there is none, or why it is doubtful.
    """

    value: float
    reason: str | None = None
    n: int = 0
    coverage: float = 1.0
    best: bool = False
    percent: bool = False
    interval: Interval = NO_INTERVAL

    @property
    def shown(self) -> str:
        """The value for a reader, in six digits."""
        return f"{number(100 * self.value)} %" if self.percent and math.isfinite(self.value) else number(self.value)

    @property
    def ends(self) -> tuple[str, str]:
        """The ends of the interval for a reader, to two digits of its width."""
        times = 100 if self.percent else 1
        low, high = times * self.interval.low, times * self.interval.high
        return rounded(low, high - low), rounded(high, high - low) + (" %" if self.percent else "")

    @property
    def between(self) -> str:
        """The interval for a reader; "-" where there is none."""
        return "-" if math.isnan(self.interval.low) else " to ".join(self.ends)


@dataclass(frozen=True, slots=True)
class MetricRow:
    """One question and its value for each model, in the order of ``Report.models``."""

    label: str
    name: str
    title: str
    unit: str
    direction: str
    ideal: float | None
    cells: tuple[Cell, ...]
    functional: str = ""

    @property
    def better(self) -> str:
        """Which way is better, in words."""
        if self.direction in ("lower", "higher"):
            return f"{self.direction} is better"
        return "no direction" if self.ideal is None else f"best at {number(self.ideal)}"

    @property
    def unit_words(self) -> str:
        """The unit for a reader: y, y squared, or none."""
        return {"y^2": "y\N{SUPERSCRIPT TWO}", "1": "no unit", "other": "own unit"}.get(self.unit, self.unit)


@dataclass(frozen=True, slots=True)
class GroupRow:
    """One group: its key, its rows, and ``cells[question][model]``."""

    key: tuple[Key, ...]
    rows: int
    cells: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True, slots=True)
class Note:
    """A sentence that a reader needs to judge the numbers."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Report:
    """A frozen answer for a reader.

    ``groups`` is sorted from the largest to the smallest MSE; ``group_total`` counts the groups there are, also those
    left out. Without intervals ``confidence`` and ``way``, which says what rows share that are not independent, are None.
    ``headlines`` are positions in ``metrics``: what a table of groups shows where there is no room for all. ``pairs`` says which models
    can be told apart, and ``lines`` has slope and intercept of the targets on the predictions of each model. ``not_testable`` are what
    could not be looked for, and why; ``advice`` is the loss to train with, and ``exhibits``
    are sections of what only a fit knows.
    """

    title: str
    verdict: str
    target: str
    models: tuple[str, ...]
    metrics: tuple[MetricRow, ...]
    provenance: tuple[tuple[str, str], ...]
    by: tuple[str, ...] = ()
    groups: tuple[GroupRow, ...] = ()
    group_total: int = 0
    headlines: tuple[int, ...] = ()
    notes: tuple[Note, ...] = ()
    panels: tuple[Panel, ...] = ()
    source: dict[str, object] = field(default_factory=dict)
    confidence: float | None = None
    way: str | None = None
    pairs: Pairs | None = None
    lines: tuple[tuple[Cell, Cell], ...] = ()
    findings: tuple[Finding, ...] = ()
    not_testable: tuple[tuple[str, str], ...] = ()
    advice: str = ""
    exhibits: tuple[Exhibit, ...] = ()

    @property
    def told_apart(self) -> str:
        """Whether the best of several models is proved to be better, in a sentence; empty where that is not known."""
        return "" if self.pairs is None else self.pairs.sentence

    @property
    def has_findings(self) -> bool:
        """Whether there is anything to tell of findings."""
        return bool(self.findings or self.not_testable or self.advice)

    @property
    def interval_name(self) -> str:
        """What a column of intervals is called, empty where there are none."""
        return "" if self.confidence is None else f"{percent(self.confidence)} interval"

    @property
    def shown_groups(self) -> tuple[GroupRow, ...]:
        """The groups for a reader: the worst 50 at most."""
        return self.groups[:SHOWN_GROUPS]

    @property
    def hidden_groups(self) -> int:
        """How many groups a reader's table leaves out."""
        return self.group_total - len(self.shown_groups)

    @property
    def group_order(self) -> str:
        """How the groups are sorted, in words."""
        return "Largest MSE first" if len(self.models) == 1 else "Largest MSE of any model first"

    @property
    def hidden_groups_words(self) -> str:
        """The sentence that says what a reader's table leaves out, empty where it shows all."""
        if not self.hidden_groups:
            return ""
        others = "1 other group is" if self.hidden_groups == 1 else f"{whole(self.hidden_groups)} other groups are"
        return f"The {len(self.shown_groups)} groups with the largest MSE; {others} not shown. JSON carries all."


def percent(share: float) -> str:
    """Write a share of 1 as a percentage: ``95 %``."""
    return f"{100 * share:.10g} %"


def whole(count: int) -> str:
    """Write a count with thin spaces between thousands: ``20 000 000``."""
    return f"{count:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")
