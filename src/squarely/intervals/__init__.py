"""How sure an answer is: standard errors and intervals of any metric, from the exact sums of buckets of rows."""

import math
from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from squarely.intervals.jackknife import Spread, jackknife
from squarely.intervals.left import Left
from squarely.intervals.link import Link
from squarely.intervals.ranked import of_buckets, of_quantile, of_rows
from squarely.intervals.tail import doubt, index_of, moments_of
from squarely.metric import ErrorQuantile, Question, TrimmedSquare
from squarely.state import Buckets, NoAnswerError, PairState, Ratio, Sums
from squarely.state.table import GroupKey

__all__ = ["FEW_BUCKETS", "NOT_ASKED", "Interval", "Intervals", "Link"]

Floats = npt.NDArray[np.float64]

FEW_BUCKETS = 20  # of clusters, blocks or rows: below, an interval says little
TOGETHER = 2.33  # standard errors of the correlation of neighbouring blocks: where they do not go together, 1 % of intervals exceed it


class Interval(NamedTuple):
    """Standard error and interval of an answer; nan where there is none, and ``note`` says why, or what makes it doubtful."""

    se: float
    low: float
    high: float
    note: str | None = None


class _Found(NamedTuple):
    """The spread of an answer in every group, and how many moments of the errors it takes."""

    spread: list[tuple[float, float, float, float]]
    moments: int


NOT_ASKED = Interval(math.nan, math.nan, math.nan, "no interval was asked for")


class Intervals:
    """The intervals of one set of groups, for every model.

    Parameters
    ----------
    buckets : Buckets
    totals : sequence of sequence of PairState
        By model, the states of the groups in the order of their numbers.
    models : tuple of str
    confidence : float
    """

    def __init__(self, buckets: Buckets, totals: Sequence[Sequence[PairState]], models: tuple[str, ...], confidence: float) -> None:
        self._buckets, self._totals, self._models, self._confidence = buckets, totals, models, confidence
        self._left: dict[str, Left] = {}
        self._found: dict[tuple[str, int], _Found | str] = {}
        self._tails: dict[tuple[int, int], tuple[float, float]] = {}

    def place_of(self, group: GroupKey) -> int:
        """Return the number of a group."""
        return self._buckets.groups[group]

    def of(self, question: Question, model: int, group: int, value: float) -> Interval:
        """Return the interval of an answer in a group."""
        if math.isnan(value):
            return Interval(math.nan, math.nan, math.nan, "there is no value")
        found = self._found.get((question.label, model)) or self._find(question, model)
        if isinstance(found, str):
            return Interval(math.nan, math.nan, math.nan, found)
        se, low, high, lag = found.spread[group]
        if math.isnan(low + high) or math.isnan(se):
            return Interval(math.nan, math.nan, math.nan, self._no_end(question, model, group, value))
        return Interval(se, low, high, "; ".join(self._doubts(found.moments, model, group, lag)) or None)

    def _find(self, question: Question, model: int) -> _Found | str:
        spread = self._spread(question, model)
        found = spread if isinstance(spread, str) else _Found(list(zip(*(each.tolist() for each in spread), strict=True)), moments_of(question))
        self._found[question.label, model] = found
        return found

    def _no_end(self, question: Question, model: int, group: int, value: float) -> str:
        """Say why there is no interval of a value."""
        if value == question.metric.best:
            return "the value is the best there is, and no row says how it varies"
        if self._totals[model][group].n < 3:
            return "there are too few rows"
        if self.left(self._models[model]).filled[group] < 2:
            return {"rows": "there are too few rows", "cluster": "all rows are of one cluster", "order": "all rows are in one block"}[
                self._buckets.way
            ]
        return "without some of the rows it has no value"

    def _doubts(self, moments: int, model: int, group: int, lag: float) -> list[str]:
        """Return what makes an interval doubtful that takes so many moments of the errors."""
        way, count = self._buckets.way, self.left(self._models[model]).filled[group]
        doubts = []
        if way == "rows":
            count = self._totals[model][group].n
        if count < FEW_BUCKETS:
            units = "rows" if way == "rows" else self._buckets.units(count)
            doubts.append(f"there are {count} {units}: with fewer than {FEW_BUCKETS} an interval is rough")
        if way == "order" and lag * math.sqrt(count) > TOGETHER:
            doubts.append(f"blocks of neighbouring rows still go together (correlation {lag:.2f}): the interval is too narrow")
        if moments and self._totals[model][group].plan.histogram:
            index, bound = self._tail(model, group)
            if bound < moments:
                doubts.append(doubt(index, moments))
        return doubts

    def _tail(self, model: int, group: int) -> tuple[float, float]:
        if (model, group) not in self._tails:
            self._tails[model, group] = index_of(self.sums[model][group].sizes, self._totals[model][group].n)
        return self._tails[model, group]

    @cached_property
    def sums(self) -> list[list[Sums]]:
        """The sums of the groups, by model, which know what was once asked of them."""
        return [[state.sums for state in states] for states in self._totals]

    def left(self, model: str) -> Left:
        """Return what is left of the sums of a model without each bucket."""
        if model not in self._left:
            at = self._models.index(model)
            self._left[model] = Left(self._buckets.moments(at, self.sums[at]))
        return self._left[model]

    def _spread(self, question: Question, model: int) -> Spread | str:
        """Return the spread of an answer in every group, or why there is none."""
        levels = [need.level for need in question.needs if isinstance(need, ErrorQuantile)]
        with np.errstate(all="ignore"):
            if levels:
                return self._of_quantile(question, model, levels[0])
            try:
                answers = self._answers(question, model)
            except NoAnswerError as reason:
                return str(reason)
            present = self.left(self._models[model]).present
            return jackknife(question.metric, answers[:, -1], answers[:, :-1], present, self._confidence)

    def pseudo_values(self, question: Question, model: int, group: int, link: Link) -> Floats:
        """Return G times the answer, less G - 1 times the answer without each of the G buckets that hold a row: their mean is near it.

        They are on the scale of a link.

        Raises
        ------
        NoAnswerError
            The answer is no smooth function of sums, and has no jackknife.
        """
        if any(isinstance(need, ErrorQuantile) for need in question.needs):
            raise NoAnswerError("a quantile is no smooth function of sums")
        with np.errstate(all="ignore"):
            answers = link(self._answers(question, model)[group])
            left = answers[:-1][self.left(self._models[model]).present[group]]
            pseudo: Floats = len(left) * answers[-1] - (len(left) - 1) * left
        return pseudo

    def _answers(self, question: Question, model: int) -> Floats:
        """Return the answers without each bucket, and last those on all of them."""
        if not any(isinstance(need, TrimmedSquare) for need in question.needs):
            left = self.left(self._models[model])
            answers: Floats = np.broadcast_to(question.metric.approximately(left, self.left, question.parameters), left.w.shape)
            return answers
        if not self._buckets.plan.histogram:
            raise NoAnswerError(f"it was not among the metrics that were asked for: name {question.label!r} in metrics=")
        return np.array(
            [
                [*(question.ask((total - state).sums).value for state in self._buckets.states(model, group)), question.ask(total.sums).value]
                for group, total in enumerate(self._totals[model])
            ]
        )

    def _of_quantile(self, question: Question, model: int, level: float) -> Spread:
        totals = self.sums[model]
        sizes = [total.sizes if total.n else None for total in totals]
        if self._buckets.binomial:
            shares = [of_rows(state.n, level) for state in self._totals[model]]
        else:
            reached = self._buckets.reached(model, [0 if size is None else size.buckets(level)[0] for size in sizes])
            shares = [of_buckets(of_group) for of_group in reached]
        found = []
        for total, size, share in zip(totals, sizes, shares, strict=True):
            ends = (math.nan,) * 3 if size is None else of_quantile(size, share, level, self._confidence)
            found.append([*(question.metric.formula(total, Ratio.of(end), **question.parameters).rounded() for end in ends), share.lag])
        return Spread(*np.array(found).T)
