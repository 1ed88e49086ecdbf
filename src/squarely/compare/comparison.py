"""Comparison: which model is better, by how much, and how sure that is."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from squarely.compare.murphy import Murphy
from squarely.evaluate import Evaluation
from squarely.metric import Question

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

    @property
    def metric(self) -> str:
        """The metric, as it was asked for."""
        return self.question.label

    @property
    def ranking(self) -> tuple[str, ...]:
        """The models, the best first."""
        return tuple(sorted(self.values, key=self.values.__getitem__, reverse=self.question.metric.direction == "higher"))

    def __getitem__(self, models: tuple[str, str]) -> Pair:
        """Return the pair of two models, in the order in which they were given."""
        return next(pair for pair in self.pairs if (pair.a, pair.b) == models)

    def __iter__(self) -> Iterator[Pair]:
        return iter(self.pairs)

    def __len__(self) -> int:
        return len(self.pairs)

    def _between(self, first: str, second: str) -> Pair:
        return next(pair for pair in self.pairs if {pair.a, pair.b} == {first, second})

    @property
    def told_apart(self) -> tuple[str, ...]:
        """The models of which the best one is proved to be better."""
        best, *others = self.ranking
        return tuple(other for other in others if self._between(best, other).better == best)

    @property
    def verdict(self) -> str:
        """What follows, in words."""
        best, *others = self.ranking
        worse = self.told_apart
        level = [other for other in others if other not in worse]
        sentences = [self._beats(best, worse)] if worse else []
        if level and len(level) <= 3:
            sentences += [self._alike(best, other) for other in level]
        elif level:
            sentences.append(f"{best} and {len(level)} others cannot be told apart: {', '.join(level)}.")
        if len(self.pairs) > 1:
            sentences.append(f"p-values are for all {len(self.pairs):,} pairs together (Holm).")
        if self.absent:
            said = ", ".join(f"{model} in {count:,} {'row' if count == 1 else 'rows'}" for model, count in self.absent.items())
            sentences.append(f"Left out for all models, because a prediction is missing: {said}. {self.left_out}".strip())
        return " ".join(sentences)

    def __str__(self) -> str:
        return self.verdict

    def _beats(self, best: str, worse: tuple[str, ...]) -> str:
        said = []
        for other in worse[:3]:
            pair = self._between(best, other)
            size, low, high = sorted(map(abs, (pair.difference, *pair.ci)))[1], *sorted(map(abs, pair.ci))
            said.append(f"{other} on {self.metric} by {size:.3g} ({self._percent} CI {low:.3g} to {high:.3g}, p {_p(pair.p_adjusted)})")
            if pair.dominates == best and len(worse) == 1:
                said[-1] += ", and is at least as good under every loss that the mean is best for"
        rest = f", and {len(worse) - 3} more" if len(worse) > 3 else ""
        return f"{best} beats {', '.join(said)}{rest}."

    def _alike(self, best: str, other: str) -> str:
        pair = self._between(best, other)
        if math.isnan(pair.p_value):
            return f"{best} and {other} cannot be compared: there are too few rows, or no interval."
        sign = 1 if pair.a == best else -1
        low, high = sorted((sign * pair.ci[0], sign * pair.ci[1]))
        return (
            f"{best} and {other} cannot be told apart on {self.metric}: the difference is {sign * pair.difference:.3g} "
            f"({self._percent} CI {low:.3g} to {high:.3g}, p {_p(pair.p_adjusted)})."
        )

    @property
    def _percent(self) -> str:
        return f"{100 * self.confidence:.4g} %"

    def to_dict(self) -> dict[str, Any]:
        """Return everything as a dictionary that JSON can hold."""
        numbers = ("difference", "se", "statistic", "p_value", "p_adjusted", "effect")
        return {
            "schema": 1,
            "metric": self.metric,
            "method": self.method,
            "confidence": self.confidence,
            "rows": self.n,
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


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"= {value:.2g}"
