"""Slices: where a model does worst, and how sure that is."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from squarely.evaluate import Evaluation, as_frame, framed, page_of
from squarely.intervals.link import Link
from squarely.metric import Question
from squarely.plain import escape, one_line
from squarely.slices.slice import Slice, Unjudged, percent

__all__ = ["Slices"]

_SHOWN = 20
_NUMBERS = ("value", "se", "shrunken", "rest", "p_value", "p_adjusted", "row_share", "error_share", "coverage")


@dataclass(frozen=True)
class Slices:
    """What ``slices`` found, the worst slice first; print it.

    Parameters
    ----------
    evaluation : Evaluation
        All rows.
    question : Question
    ranked : tuple of Slice
        Those that are judged, the worst shrunken value first.
    unjudged : tuple of Unjudged
        The others.
    left_out : mapping from column to the reason why it makes no slices
    least : int
        Rows that a slice needs to be judged.
    confidence : float
    frame : str
        What ``to_frame`` returns: "pyarrow", "polars" or "pandas".

    Examples
    --------
    >>> import squarely as sq
    >>> rows = {"y": [0.0] * 80, "model": [1.0, -1.2] * 30 + [3.1, -2.8] * 10, "town": ["a"] * 60 + ["b"] * 20}
    >>> found = sq.slices(rows, target="y", prediction="model", columns="town", least=20)
    >>> found.worst.where, round(found.worst.value, 3), round(found.worst.error_share, 2)
    ("town is 'b'", 8.725, 0.7)
    """

    evaluation: Evaluation
    question: Question
    ranked: tuple[Slice, ...]
    unjudged: tuple[Unjudged, ...]
    left_out: Mapping[str, str]
    least: int
    confidence: float
    frame: str

    def __iter__(self) -> Iterator[Slice]:
        return iter(self.ranked)

    def __len__(self) -> int:
        return len(self.ranked)

    def __getitem__(self, place: int) -> Slice:
        """Return the slice of a rank, 0 for the worst."""
        return self.ranked[place]

    @property
    def metric(self) -> str:
        """The metric, as it was asked for."""
        return self.question.label

    @property
    def value(self) -> float:
        """The metric of all rows."""
        return self.evaluation[self.metric].value

    @property
    def worst(self) -> Slice | None:
        """The slice with the worst shrunken value; None where none is judged."""
        return self.ranked[0] if self.ranked else None

    @property
    def proved(self) -> tuple[Slice, ...]:
        """The slices that are proved to be worse than the other rows."""
        return tuple(each for each in self.ranked if each.worse)

    @property
    def headline(self) -> str:
        """What follows, in few words."""
        return " ".join(self._sentences(brief=True)) or "No slice is judged."

    @property
    def verdict(self) -> str:
        """What follows, and what was not judged, in words."""
        return " ".join([*self._sentences(), *self._notes]) or "There is nothing to slice by."

    def _sentences(self, brief: bool = False) -> list[str]:
        """Say which slices are worse; briefly without their rows."""
        told: list[Slice] = []
        for each in self.proved:
            mine = set(zip(each.columns, each.labels, strict=True))
            if not any(set(zip(known.columns, known.labels, strict=True)) <= mine for known in told):  # a cross of it says nothing new
                told.append(each)
        sentences = ["; ".join(self._much(each, again=at > 0, brief=brief) for at, each in enumerate(told[:3])) + "."] if told else []
        more = len(self.proved) - min(len(told), 3)
        if more:
            sentences.append(f"{more:,} more {'slice is' if more == 1 else 'slices are'} worse than the other rows.")
        if not told and self.ranked:
            sentences.append(
                f"No slice is proved to be worse than the other rows on {self.question.spoken}: "
                f"{_many(len(self), 'slice was', 'slices were')} judged."
            )
        return sentences

    def _much(self, each: Slice, again: bool, brief: bool) -> str:
        ratio = each.value / each.rest if each.rest else math.inf
        if Link.of(self.question.metric) is Link.LOG and math.isfinite(ratio):
            much = f"{ratio:.3g} times that of the other rows" if not again else f"{ratio:.3g} times"
        else:
            much = f"{each.value:.3g}, and {each.rest:.3g} on the other rows,"
        p = "< 0.001" if each.p_adjusted < 0.001 else f"= {each.p_adjusted:.2g}"
        shares = f"{percent(each.row_share)} of the rows, {percent(each.error_share)} of the squared error"
        where = f"{'' if again else f'{self.question.spoken} is '}{much} where {each.where}"
        return where if brief else f"{where} ({_many(each.n, 'row', 'rows')}, {shares}, p {p})"

    @property
    def _notes(self) -> list[str]:
        """Say what was not judged."""
        notes, counts = [], Counter[str]()
        for each in self.unjudged:
            counts[each.reason] += each.count
        for reason, count in counts.items():
            notes.append(f"{_many(count, 'slice', 'slices')} {reason} {'is' if count == 1 else 'are'} not judged.")
        if self.left_out:
            said = [f"{one_line(column)} ({one_line(reason, 200)})" for column, reason in list(self.left_out.items())[:5]]
            notes.append(f"Not sliced by: {', '.join(said)}{f', and {len(self.left_out) - 5} more' if len(self.left_out) > 5 else ''}.")
        return notes

    def to_dict(self) -> dict[str, Any]:
        """Return everything as a dictionary that JSON can hold."""
        return {
            "schema": 1,
            "metric": self.metric,
            "value": _finite(self.value),
            "rows": self.evaluation.state.n,
            "confidence": self.confidence,
            "least": self.least,
            "slices": [
                {"columns": list(each.columns), "labels": list(each.labels), "where": each.where, "n": each.n}
                | {name: _finite(getattr(each, name)) for name in _NUMBERS}
                | {"ci": [_finite(end) for end in each.ci], "worse": each.worse, "doubt": each.doubt}
                for each in self.ranked
            ],
            "unjudged": [
                {"columns": list(each.columns), "count": each.count, "reason": each.reason, "n": each.n}
                | {"row_share": _finite(each.row_share), "error_share": _finite(each.error_share)}
                for each in self.unjudged
            ],
            "left_out": dict(self.left_out),
            "verdict": self.verdict,
        }

    def to_frame(self) -> Any:
        """Return one row for each slice that is judged: a frame of the library that the data came in, else a pyarrow table.

        Columns: columns and label (joined by " and " where there are two), n, then the numbers of a slice, low and high, and worse.
        """
        columns: dict[str, list[Any]] = {
            "columns": [" and ".join(each.columns) for each in self.ranked],
            "label": [" and ".join(each.labels) for each in self.ranked],
            "n": [each.n for each in self.ranked],
            **{name: [getattr(each, name) for each in self.ranked] for name in _NUMBERS},
            "low": [each.ci[0] for each in self.ranked],
            "high": [each.ci[1] for each in self.ranked],
            "worse": [each.worse for each in self.ranked],
        }
        return as_frame(columns, self.frame)

    def _rows(self) -> list[tuple[str, ...]]:
        level = f"{100 * self.confidence:.4g} % interval, all together"
        rows: list[tuple[str, ...]] = [("where", "rows", self.metric, level, "shrunken", "of rows", "of squared error", "p")]
        for each in self.ranked[:_SHOWN]:
            p = "-" if math.isnan(each.p_adjusted) else "< 0.001" if each.p_adjusted < 0.001 else f"{each.p_adjusted:.2g}"
            interval = "-" if math.isnan(each.ci[0]) else f"{each.ci[0]:.4g} to {each.ci[1]:.4g}"
            numbers = (f"{each.n:,}", f"{each.value:.5g}", interval, f"{each.shrunken:.5g}", percent(each.row_share), percent(each.error_share), p)
            rows.append((each.where, *numbers))
        rows.append(("all rows", f"{self.evaluation.state.n:,}", f"{self.value:.5g}", "", "", "100 %", "100 %", ""))
        return rows

    @property
    def _hidden(self) -> str:
        more = len(self) - _SHOWN
        return f"{_many(more, 'better slice is', 'better slices are')} not shown." if more > 0 else ""

    def to_markdown(self) -> str:
        """Return the verdict and the table as Markdown; names from data cannot add markup."""
        head, *rows = [[escape(cell, 200) if cell else "" for cell in row] for row in self._rows()]
        table = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
        lines = ["| " + " | ".join(row) + " |" for row in table]
        return "\n\n".join(part for part in (f"**{escape(self.verdict, 4000)}**", "\n".join(lines), self._hidden) if part) + "\n"

    def to_html(self, path: Any = None) -> str:
        """Return the slices as one self-contained HTML page, and write it to ``path`` where one is given."""
        return page_of("slices_html", self, path)

    def _repr_html_(self) -> str:
        return framed(self.to_html(), "slices")

    def __str__(self) -> str:
        rows = self._rows()
        widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
        lines = [
            "  ".join([row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]).rstrip()
            for row in rows
        ]
        return "\n".join([*lines, *([self._hidden] if self._hidden else []), "", self.verdict])

    __repr__ = __str__


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _many(count: int, one: str, several: str) -> str:
    return f"{count:,} {one if count == 1 else several}"
