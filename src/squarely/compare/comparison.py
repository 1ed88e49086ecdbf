"""Comparison: which model is better, by how much, and how sure that is."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from squarely.compare.murphy import Murphy
from squarely.compare.words import Told, p_words
from squarely.errors import DataError
from squarely.evaluate import Evaluation, as_frame, framed, page_of, rendered
from squarely.metric import Question
from squarely.plain import one_line

__all__ = ["Comparison", "Pair"]


@dataclass(frozen=True)
class Pair:
    """Two models on the same rows.

    ``difference`` is the metric of a less that of b, with standard error ``se`` and interval ``ci``. ``p_value`` is that of no
    difference, and ``p_adjusted`` holds for all pairs together (Holm). ``effect`` is the difference in standard deviations of the
    differences between rows. ``better`` names the better model where the difference is proved, and ``dominates`` the model that is at
    least as good under every loss that the mean is best for, or None; also where the diagram is of a sample of the rows.
    """

    a: str
    b: str
    difference: float
    se: float
    ci: tuple[float, float]
    statistic: float
    p_value: float
    p_adjusted: float
    effect: float
    better: str | None
    dominates: str | None

    @property
    def turned(self) -> "Pair":
        """The same pair, b first."""
        ends = (-self.ci[1], -self.ci[0])
        return replace(self, a=self.b, b=self.a, difference=-self.difference, ci=ends, statistic=-self.statistic, effect=-self.effect)


@dataclass(frozen=True)
class Comparison:
    """What ``compare`` found; print it.

    Parameters
    ----------
    evaluation : Evaluation
        The same rows under every model.
    question : Question
    values : mapping from model to its metric
    pairs : tuple of Pair
        Every two models, in the order in which they were given.
    murphy : Murphy
    method : str
        How the difference was tested.
    confidence : float
    n : int
        Rows, of which each counts for every model.
    absent : mapping from model to the number of rows that are left out for all, because it has no prediction there
    left_out : str
        How hard those rows are.
    frame : str
        What ``to_frame`` returns: "pyarrow", "polars" or "pandas".
    passes : int
        How often the data were read: once, and again for ``h``, and to see how hard the rows are that are left out.

    Examples
    --------
    >>> import squarely as sq
    >>> y = [250, 300, 180, 420, 350, 270]
    >>> comparison = sq.compare(y, {"new": [240, 310, 190, 410, 355, 265], "old": [230, 330, 150, 440, 320, 300]}, metric="mae")
    >>> comparison.ranking, comparison["new", "old"].better
    (('new', 'old'), 'new')
    """

    evaluation: Evaluation
    question: Question
    values: Mapping[str, float]
    pairs: tuple[Pair, ...]
    murphy: Murphy | None
    method: str
    confidence: float
    n: int
    absent: Mapping[str, int]
    left_out: str
    frame: str = "pyarrow"
    passes: int = 1

    @property
    def metric(self) -> str:
        """The metric, as it was asked for."""
        return self.question.label

    @property
    def ranking(self) -> tuple[str, ...]:
        """The models, the best first."""
        return tuple(sorted(self.values, key=self.values.__getitem__, reverse=self.question.metric.direction == "higher"))

    def __getitem__(self, models: tuple[str, str]) -> Pair:
        """Return the pair of two models: its difference is the metric of the first less that of the second."""
        first, second = models
        for pair in self.pairs:
            if (pair.a, pair.b) == (first, second):
                return pair
            if (pair.a, pair.b) == (second, first):
                return pair.turned
        raise DataError(f"there are no two models {str(first)[:60]!r} and {str(second)[:60]!r}; the models are {', '.join(map(repr, self.values))}.")

    def __iter__(self) -> Iterator[Pair]:
        return iter(self.pairs)

    def __len__(self) -> int:
        return len(self.pairs)

    @property
    def told_apart(self) -> tuple[str, ...]:
        """The models of which the best one is proved to be better."""
        best, *others = self.ranking
        return tuple(other for other in others if self[best, other].better == best)

    @property
    def verdict(self) -> str:
        """What follows, in words."""
        return " ".join((self.headline, *self.caveats))

    @property
    def headline(self) -> str:
        """What the best model beats, and what it cannot be told apart from."""
        best, *others = self.ranking
        worse = self.told_apart
        unknown = [other for other in others if math.isnan(self[best, other].p_value)]
        level = [other for other in others if other not in (*worse, *unknown)]
        sentences = [self._beats(best, worse)] if worse else []
        sentences += [self._alike(best, level)] if level else []
        if unknown:
            sentences.append(f"{best} and {' and '.join(unknown)} cannot be compared: there are too few rows, or no interval.")
        return " ".join(sentences)

    @property
    def caveats(self) -> tuple[str, ...]:
        """What a reader of the headline must know: what the p-values hold for, and which rows are left out."""
        said = []
        if len(self.pairs) > 1:
            said.append(f"p-values are for all {len(self.pairs):,} pairs together (Holm).")
        if self.absent:
            absent = ", ".join(f"{model} in {count:,} {'row' if count == 1 else 'rows'}" for model, count in self.absent.items())
            said.append(f"Left out for all models, because a prediction is missing: {absent}. {self.left_out}".strip())
        return tuple(said)

    def __str__(self) -> str:
        return one_line(self.verdict, 4000)  # names come from data

    __repr__ = __str__

    def _beats(self, best: str, worse: tuple[str, ...]) -> str:
        said: list[str] = []
        for other in worse[:3]:
            pair = self[other, best] if self.question.metric.direction == "lower" else self[best, other]  # above 0
            told = Told.of(self.question, pair.difference, pair.ci)
            on = "" if said else f" on {self.question.spoken}"
            said.append(f"{other}{on} by {told.difference}{self._points} ({self._sure(told, pair)})")
            if pair.dominates == best and len(worse) == 1:
                said[-1] += ", and is at least as good under every loss that the mean is best for"
        rest = f", and {len(worse) - 3} more" if len(worse) > 3 else ""
        return f"{best} beats {', '.join(said)}{rest}."

    def _alike(self, best: str, level: list[str]) -> str:
        if len(level) > 3:
            return f"{best} cannot be told apart on {self.question.spoken} from {len(level)} others: {', '.join(level)}."
        told = {other: Told.of(self.question, self[best, other].difference, self[best, other].ci) for other in level}
        sure = {other: self._sure(each, self[best, other]) for other, each in told.items()}
        if len(level) == 1:
            (other,) = level
            said = f"the difference is {told[other].difference}{self._points} ({sure[other]})"
            return f"{best} and {other} cannot be told apart on {self.question.spoken}: {said}."
        each = [f"{other} (difference {told[other].difference}{self._points}, {sure[other]})" for other in level]
        return f"{best} cannot be told apart on {self.question.spoken} from {', '.join(each[:-1])} or {each[-1]}."

    def _sure(self, told: Told, pair: Pair) -> str:
        p = p_words(pair.p_adjusted)
        return f"{100 * self.confidence:.10g} % interval {told.between}, p {p if p.startswith('<') else f'= {p}'}"

    @property
    def _points(self) -> str:
        return " percentage points" if self.question.metric.percent else ""

    @property
    def columns(self) -> dict[str, list[Any]]:
        """The pairs, a row for each, as columns by name: what a frame and CSV hold."""
        numbers = ("statistic", "p_value", "p_adjusted", "effect", "better", "dominates")
        return {
            "a": [pair.a for pair in self.pairs],
            "b": [pair.b for pair in self.pairs],
            "metric": [self.metric for _ in self.pairs],
            "difference": [pair.difference for pair in self.pairs],
            "se": [pair.se for pair in self.pairs],
            "ci_low": [pair.ci[0] for pair in self.pairs],
            "ci_high": [pair.ci[1] for pair in self.pairs],
            **{name: [getattr(pair, name) for pair in self.pairs] for name in numbers},
        }

    def to_frame(self) -> Any:
        """Return one row for each pair: a frame of the library that the data came in, else a pyarrow table.

        Columns: a, b, metric, difference, se, ci_low, ci_high, statistic, p_value, p_adjusted, effect, better, dominates.
        """
        return as_frame(self.columns, self.frame)

    def to_markdown(self) -> str:
        """Return the comparison as Markdown."""
        return str(rendered("comparison_markdown", self))

    def to_html(self, path: Any = None) -> str:
        """Return the comparison as one self-contained HTML page, and write it to ``path`` where one is given."""
        return page_of("comparison_html", self, path)

    def _repr_html_(self) -> str:
        return framed(self.to_html(), "comparison of models")

    def to_dict(self) -> dict[str, Any]:
        """Return everything as a dictionary that JSON can hold."""
        numbers = ("difference", "se", "statistic", "p_value", "p_adjusted", "effect")
        return {
            "schema": 1,
            "metric": self.metric,
            "method": self.method,
            "confidence": self.confidence,
            "rows": self.n,
            "passes": self.passes,
            "ranking": list(self.ranking),
            "values": {model: _finite(value) for model, value in self.values.items()},
            "pairs": [
                {"a": pair.a, "b": pair.b, **{name: _finite(getattr(pair, name)) for name in numbers}}
                | {"ci": [_finite(end) for end in pair.ci], "better": pair.better, "dominates": pair.dominates}
                for pair in self.pairs
            ],
            "absent": dict(self.absent),
            "verdict": self.verdict,
        }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
