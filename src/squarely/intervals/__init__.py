"""How sure an answer is: standard errors and intervals of any metric, from the exact sums of buckets of rows."""

import math
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from squarely.intervals.jackknife import Spread, jackknife
from squarely.intervals.left import Left
from squarely.intervals.ranked import of_quantile
from squarely.intervals.tail import doubt, index_of
from squarely.metric import ErrorQuantile, Question, TrimmedSquare
from squarely.state import Buckets, NoAnswerError, PairState, Ratio, Sums

__all__ = ["FEW_BUCKETS", "NOT_ASKED", "Interval", "Intervals"]

Floats = npt.NDArray[np.float64]

FEW_BUCKETS = 20  # of clusters, blocks or rows: below, an interval says little
TOGETHER = 2.33  # standard errors of the correlation of neighbouring blocks: where they do not go together, 1 % of intervals exceed it


class Interval(NamedTuple):
    """Standard error and interval of an answer; nan where there is none, and ``note`` says why, or what makes it doubtful."""

    se: float
    low: float
    high: float
    note: str | None = None


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
        self._found: dict[tuple[str, int], Spread | str] = {}
        self._tails: dict[tuple[int, int], tuple[float, float]] = {}

    def of(self, question: Question, model: int, group: int, value: float) -> Interval:
        """Return the interval of an answer in a group."""
        if math.isnan(value):
            return Interval(math.nan, math.nan, math.nan, "there is no value")
        if self._buckets.count == 1:
            return Interval(math.nan, math.nan, math.nan, "there are too many groups to keep the sums of several buckets of each")
        spread = self._found.get((question.label, model))
        if spread is None:
            spread = self._found[question.label, model] = self._spread(question, model)
        if isinstance(spread, str):
            return Interval(math.nan, math.nan, math.nan, spread)
        se, low, high, lag = (float(each[group]) for each in spread)
        if math.isnan(low + high) or math.isnan(se):
            return Interval(math.nan, math.nan, math.nan, self._no_end(question, model, group, value))
        return Interval(se, low, high, "; ".join(self._doubts(question, model, group, lag)) or None)

    def _no_end(self, question: Question, model: int, group: int, value: float) -> str:
        """Say why there is no interval of a value."""
        if value == question.metric.best:
            return "the value is the best there is, and no row says how it varies"
        if self._totals[model][group].n < 3:
            return "there are too few rows"
        if self.left(self._models[model]).present[group].sum() < 2:
            return {"rows": "there are too few rows", "cluster": "all rows are of one cluster", "order": "all rows are in one block"}[
                self._buckets.way
            ]
        return "without some of the rows it has no value"

    def _doubts(self, question: Question, model: int, group: int, lag: float) -> Iterator[str]:
        """Yield what makes an interval doubtful."""
        way, count = self._buckets.way, int(self.left(self._models[model]).present[group].sum())
        units = self._buckets.units(count)
        if way == "rows":
            units, count = "rows", self._totals[model][group].n
        if count < FEW_BUCKETS:
            yield f"there are {count} {units}: with fewer than {FEW_BUCKETS} an interval is rough"
        if way == "order" and lag * math.sqrt(count) > TOGETHER:
            yield f"blocks of neighbouring rows still go together (correlation {lag:.2f}): the interval is too narrow"
        if self._buckets.plan.histogram:
            if (model, group) not in self._tails:
                state = self._totals[model][group]
                self._tails[model, group] = index_of(self._sums[model][group].sizes, state.n)
            heavy = doubt(question, *self._tails[model, group])
            if heavy is not None:
                yield heavy

    @cached_property
    def _sums(self) -> list[list[Sums]]:
        return [[state.sums for state in states] for states in self._totals]

    def left(self, model: str) -> Left:
        """Return what is left of the sums of a model without each bucket."""
        if model not in self._left:
            at = self._models.index(model)
            self._left[model] = Left(self._buckets.moments(at, self._sums[at]))
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

    def pseudo_values(self, question: Question, model: int, group: int) -> Floats:
        """Return G times the answer, less G - 1 times the answer without each of the G buckets that hold a row: their mean is near it.

        Raises
        ------
        NoAnswerError
            The answer is no smooth function of sums, and has no jackknife.
        """
        if any(isinstance(need, ErrorQuantile) for need in question.needs):
            raise NoAnswerError("a quantile is no smooth function of sums")
        with np.errstate(all="ignore"):
            answers = self._answers(question, model)[group]
            left = answers[:-1][self.left(self._models[model]).present[group]]
            pseudo: Floats = len(left) * answers[-1] - (len(left) - 1) * left
        return pseudo

    def _answers(self, question: Question, model: int) -> Floats:
        """Return the answers without each bucket, and last those on all of them."""
        if not any(isinstance(need, TrimmedSquare) for need in question.needs):
            left = self.left(self._models[model])
            answers: Floats = np.broadcast_to(question.metric.approximately(left, self.left, question.parameters), left.w.shape)
            return answers
        return np.array(
            [
                [*(question.ask((total - state).sums).value for state in self._buckets.states(model, group)), question.ask(total.sums).value]
                for group, total in enumerate(self._totals[model])
            ]
        )

    def _of_quantile(self, question: Question, model: int, level: float) -> Spread:
        totals = self._sums[model]
        sizes = [total.sizes if total.n else None for total in totals]
        reached = self._buckets.reached(model, [0 if size is None else size.buckets(level)[0] for size in sizes])
        found = []
        for total, size, of_group in zip(totals, sizes, reached, strict=True):
            *ends, lag = (math.nan,) * 4 if size is None else of_quantile(size, of_group, level, self._confidence)
            found.append([*(question.metric.formula(total, Ratio.of(end), **question.parameters).rounded() for end in ends), lag])
        return Spread(*np.array(found).T)
