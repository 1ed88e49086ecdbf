"""Which models can be told apart: the tests of every two of them, in words."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Any

from squarely.compare import Comparison, Pair
from squarely.compare.words import Told, p_words
from squarely.report.report import one_line
from squarely.svg import axis_range

__all__ = ["MOST_PAIRS", "PairRow", "Pairs", "follows", "pairs_in_order", "pairs_of"]

MOST_PAIRS = 45  # of ten models; of more, only those with the best one are told
_TOLD_MODELS = 3


@dataclass(frozen=True, slots=True)
class PairRow:
    """Two models, the better-ranked one first: numbers for programs, and words for readers."""

    pair: Pair
    difference: str
    between: str
    p: str
    follows: str


@dataclass(frozen=True, slots=True)
class Pairs:
    """Differences in a metric between every two models.

    ``sentence`` says which the best model is proved to beat, ``method`` how; ``axis`` holds all intervals.
    """

    metric: str
    sentence: str
    method: str
    confidence: float
    total: int
    rows: tuple[PairRow, ...]
    axis: tuple[float, float]

    def to_dict(self) -> dict[str, Any]:
        """Return the pairs as JSON holds them."""
        numbers = ("difference", "se", "p_value", "p_adjusted")
        return {
            "metric": self.metric,
            "sentence": self.sentence,
            "method": self.method,
            "pairs": [
                {"a": row.pair.a, "b": row.pair.b, **{name: _finite(getattr(row.pair, name)) for name in numbers}}
                | {"ci": [_finite(end) for end in row.pair.ci], "better": row.pair.better}
                for row in self.rows
            ],
        }


def pairs_in_order(comparison: Comparison) -> list[Pair]:
    """Return the pairs, the better-ranked model first, pairs with the best one on top."""
    ranking = comparison.ranking
    pairs = list(itertools.combinations(ranking, 2))
    if len(pairs) > MOST_PAIRS:
        pairs = [(ranking[0], other) for other in ranking[1:]]
    return [comparison[pair] for pair in pairs]


def follows(pair: Pair) -> str:
    """Say what follows from a test."""
    if pair.better:
        return f"{pair.better} is better"
    return "cannot be compared" if math.isnan(pair.p_value) else "cannot be told apart"


def pairs_of(comparison: Comparison) -> Pairs:
    """Return what a report tells of a comparison."""
    found = pairs_in_order(comparison)
    ends = [end for pair in found for end in (*pair.ci, pair.difference) if math.isfinite(end)]
    rows = []
    for pair in found:
        told = Told.of(comparison.question, pair.difference, pair.ci)
        rows.append(PairRow(pair, told.difference, told.between, p_words(pair.p_adjusted), follows(pair)))
    return Pairs(
        metric=comparison.question.spoken,
        sentence=_sentence(comparison),
        method=comparison.method,
        confidence=comparison.confidence,
        total=len(comparison.pairs),
        rows=tuple(rows),
        axis=axis_range(ends, include=0.0),
    )


def _sentence(comparison: Comparison) -> str:
    """Say what the best model beats and what it cannot be told apart from: the first thing to know before one is chosen."""
    best, *others = comparison.ranking
    of_best = {other: comparison[best, other] for other in others}
    worse = [other for other, pair in of_best.items() if pair.better == best]
    level = [other for other, pair in of_best.items() if not pair.better and not math.isnan(pair.p_value)]
    unknown = len(others) - len(worse) - len(level)
    name, metric = one_line(best, 40), comparison.question.spoken
    said = []
    if worse:
        said.append(f"beats {_names(worse, of_best)}")
    if level:
        said.append(f"cannot be told apart from {_names(level, of_best, ' or ')}")
    if unknown:
        said.append("cannot be compared with " + ("the other" if unknown == len(others) == 1 else f"{unknown} of the others"))
    return f"On {metric} {name} {', and '.join(said)}."


def _names(models: list[str], pairs: dict[str, Pair], last: str = " and ") -> str:
    told = [f"{one_line(model, 40)} (p {_equals(p_words(pairs[model].p_adjusted))})" for model in models[:_TOLD_MODELS]]
    more = len(models) - len(told)
    if more:
        return f"{', '.join(told)}{last}{more} more"
    return last.join([", ".join(told[:-1]), told[-1]] if len(told) > 1 else told)


def _equals(p: str) -> str:
    return p if p.startswith("<") else f"= {p}"


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
