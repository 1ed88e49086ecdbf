"""Macro averages: every group counts alike, whatever its rows; the pooled answer over all of its rows stands beside."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

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
    """

    value: float
    reason: str | None
    pooled: float
    groups: int
    of: int
    n: int
    coverage: float

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
        """Return one row for each group that is left, model and metric."""
        fixed = ("model", "metric", "value", "reason", "pooled", "groups", "of", "n", "coverage")
        columns: dict[str, list[Any]] = {f"by_{name}" if name in fixed else name: [] for name in self.by} | {name: [] for name in fixed}
        for label, models in self._answers.items():
            for model, groups in models.items():
                for key, each in groups.items():
                    row = (*key, model, label, each.value, each.reason, each.pooled, each.groups, each.of, each.n, each.coverage)
                    for column, value in zip(columns.values(), row, strict=True):
                        column.append(value)
        return self._to_table(columns)


def aggregate(table: StateTable, whole_states: Sequence[PairState], questions: Sequence[Question], macro: Sequence[str], ask: Ask) -> Any:
    """Return the answers for ``Aggregate``: the mean over the groups that agree in every group column but those of ``macro``.

    ``whole_states`` are those of all rows, which may know quantiles that no sum of states does; ``ask`` answers a question for one of the
    states of all models.
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
                answer = _answer(values, len(keys), totals[model], ask(question, totals, model).value)
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


def _answer(values: Sequence[Value], groups: int, total: PairState, pooled: float) -> MacroAnswer:
    without = [each.reason for each in values if math.isnan(each.value)]
    reason = f"{len(without):,} of {len(values):,} groups have no value; the first: {without[0]}" if without else None
    if not values:
        reason = "no group has rows"
    mean = math.nan if reason else _mean([each.value for each in values])
    if math.isnan(mean) and not reason:
        reason = "its values are infinite on both sides"
    rows = total.n + sum(total.refused)
    return MacroAnswer(mean, reason, pooled, len(values), groups, total.n, total.n / rows if rows else math.nan)
