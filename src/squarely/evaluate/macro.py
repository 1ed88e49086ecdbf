"""Macro averages: every group counts alike, whatever its rows; the pooled answer over all of its rows stands beside."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from squarely.intervals import FEW_BUCKETS, NOT_ASKED, Interval
from squarely.intervals.student import quantile
from squarely.metric import Question, Value
from squarely.state import PairState, StateTable
from squarely.state.table import GroupKey

__all__ = ["Aggregate", "MacroAnswer", "aggregate"]

Ask = Callable[[Question, Sequence[PairState], int], Value]


@dataclass(frozen=True)
class MacroAnswer:
    """The mean of a metric over groups.

    ``value`` is nan where a group has no value, and ``reason`` says why; groups of which the nan_policy left no row do not count:
    ``groups`` of ``of`` do. ``pooled`` is the answer over all rows at once, ``n`` are its rows, and ``coverage`` is their share.

    ``se`` and ``ci`` take the groups for a sample of all that there might be, such as further series: they come from the spread s of the
    values of k groups, s / sqrt(k) and Student's t with k - 1 degrees of freedom. ``doubt`` says why there is none, or why it is rough.
    """

    value: float
    reason: str | None
    pooled: float
    groups: int
    of: int
    n: int
    coverage: float
    interval: Interval = NOT_ASKED

    @property
    def se(self) -> float:
        """The standard error of the mean over groups."""
        return self.interval.se

    @property
    def ci(self) -> tuple[float, float]:
        """The confidence interval of the mean over groups."""
        return self.interval.low, self.interval.high

    @property
    def doubt(self) -> str | None:
        """Why there is no interval, or why it is rough."""
        return self.interval.note

    def __float__(self) -> float:
        return self.value


class Aggregate(Mapping[str, Any]):
    """Macro averages by metric: an answer, or a mapping from group to answer where group columns are left; with several models, by model first.

    Parameters
    ----------
    answers : mapping from label to mapping from model to mapping from group to MacroAnswer
    by : tuple of str
        The group columns that are left.
    to_table : callable
        Turns columns into a frame.
    """

    def __init__(self, answers: Mapping[str, dict[str, dict[GroupKey, MacroAnswer]]], by: tuple[str, ...], to_table: Callable[[Any], Any]) -> None:
        self._answers, self.by, self._to_table = answers, by, to_table

    def __getitem__(self, label: str) -> Any:
        models = {model: self._of_groups(groups) for model, groups in self._answers[label].items()}
        return next(iter(models.values())) if len(models) == 1 else models

    def _of_groups(self, groups: dict[GroupKey, MacroAnswer]) -> Any:
        if not self.by:
            return groups[()]
        return {key[0] if len(key) == 1 else key: answer for key, answer in groups.items()}

    def __iter__(self) -> Iterator[str]:
        return iter(self._answers)

    def __len__(self) -> int:
        return len(self._answers)

    def to_frame(self) -> Any:
        """Return one row for each group that is left, model and metric; se, ci_low and ci_high are nan without intervals."""
        fixed = ("model", "metric", "value", "se", "ci_low", "ci_high", "reason", "pooled", "groups", "of", "n", "coverage")
        columns: dict[str, list[Any]] = {f"by_{name}" if name in fixed else name: [] for name in self.by} | {name: [] for name in fixed}
        for label, models in self._answers.items():
            for model, groups in models.items():
                for key, each in groups.items():
                    row = (*key, model, label, each.value, each.se, *each.ci, each.reason, each.pooled, each.groups, each.of, each.n, each.coverage)
                    for column, value in zip(columns.values(), row, strict=True):
                        column.append(value)
        return self._to_table(columns)


def aggregate(
    table: StateTable,
    whole_states: Sequence[PairState],
    questions: Sequence[Question],
    macro: Sequence[str],
    ask: Ask,
    confidence: float | None,
) -> Any:
    """Return the answers for ``Aggregate``: the mean over the groups that agree in every group column but those of ``macro``.

    ``whole_states`` are those of all rows, which may know quantiles that no sum of states does; ``ask`` answers a question for one of the
    states of all models. Without a ``confidence`` there are no intervals.
    """
    kept = [at for at, name in enumerate(table.by) if name not in macro]
    whole: dict[GroupKey, list[GroupKey]] = {}
    for key in table.sorted_groups():
        whole.setdefault(tuple(key[at] for at in kept), []).append(key)
    answers: dict[str, dict[str, dict[GroupKey, MacroAnswer]]] = {}
    for group, keys in whole.items():
        parts = [table.groups[key] for key in keys]
        totals = [sum(of_model, PairState()) for of_model in zip(*parts, strict=True)] if kept else whole_states
        for model, name in enumerate(table.models):
            counted = [states for states in parts if states[model].n or not any(states[model].refused)]
            for question in questions:
                values = [ask(question, states, model) for states in counted]
                answer = _answer(values, len(keys), totals[model], ask(question, totals, model).value, confidence)
                answers.setdefault(question.label, {}).setdefault(name, {})[group] = answer
    return answers


def _mean(values: Sequence[float]) -> float:
    """Return the mean, whose sum may be beyond every double."""
    if any(map(math.isinf, values)):
        return sum(value for value in values if math.isinf(value))
    try:
        return math.fsum(values) / len(values)
    except OverflowError:
        return math.fsum(value / len(values) for value in values)


def _interval(values: Sequence[float], mean: float, confidence: float | None) -> Interval:
    """Return the interval of a mean from the spread of its values: mean +- t s / sqrt(k), with k - 1 degrees of freedom."""
    if confidence is None:
        return NOT_ASKED
    count, note = len(values), None
    if math.isnan(mean):
        note = "there is no value"
    elif count < 2:
        note = "there is one group, and its mean varies between groups"
    else:
        away = [value - mean for value in values]
        largest = max(map(abs, away))
        relative = math.fsum((each / largest) ** 2 for each in away) if largest else 0.0  # squares may be beyond doubles
        se = largest * math.sqrt(relative / (count - 1) / count)
        reach = quantile(confidence, count - 1) * se
        if math.isfinite(reach):
            rough = f"there are {count} groups: with fewer than {FEW_BUCKETS} an interval is rough" if count < FEW_BUCKETS else None
            return Interval(se, mean - reach, mean + reach, rough)
        note = "the values of groups are beyond the range of doubles"
    return Interval(math.nan, math.nan, math.nan, note)


def _answer(values: Sequence[Value], groups: int, total: PairState, pooled: float, confidence: float | None) -> MacroAnswer:
    without = [each.reason for each in values if math.isnan(each.value)]
    reason = f"{len(without):,} of {len(values):,} groups have no value; the first: {without[0]}" if without else None
    if not values:
        reason = "no group has rows"
    mean = math.nan if reason else _mean([each.value for each in values])
    if math.isnan(mean) and not reason:
        reason = "its values are infinite on both sides"
    rows = total.n + sum(total.refused)
    interval = _interval([each.value for each in values], mean, confidence)
    return MacroAnswer(mean, reason, pooled, len(values), groups, total.n, total.n / rows if rows else math.nan, interval)
