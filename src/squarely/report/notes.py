"""Sentences that a reader needs to judge the numbers: what was left out, how sure answers are, what is only nearly known."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from squarely.report.panel import Panel
from squarely.report.report import Cell, GroupRow, MetricRow, Note, one_line, percent, whole
from squarely.state import RELATIVE_BOUND

if TYPE_CHECKING:
    from squarely.evaluate import Evaluation

__all__ = ["notes"]

_ABSENT = {
    "missing_target": "a missing target",
    "missing_prediction": "a missing prediction",
    "infinite_target": "an infinite target",
    "infinite_prediction": "an infinite prediction",
}
_WAYS = {
    "rows": "take rows as independent of each other. Where they are not, cluster (--cluster) names what they share, and order (--order) their time",
    "cluster": "are for new clusters{}: rows of one cluster may depend on each other",
    "order": "allow for errors that go together in time{}",
}
_TOLD_REASONS = 3  # about groups


def notes(
    evaluation: Evaluation, metrics: Sequence[MetricRow], groups: Sequence[GroupRow], headlines: Sequence[int], panels: Sequence[Panel]
) -> tuple[Note, ...]:
    """Return what a reader must know; ``groups`` and ``headlines`` are the groups and metrics that readers see."""
    found = _coverage(evaluation)
    if evaluation.provenance.weight is not None:
        weight = one_line(evaluation.provenance.weight)
        found.append(Note("weight", f"Every number is weighted by {weight}; rows of weight 0 count as absent."))
    about = [one_line(question.label) for question in evaluation.questions if evaluation.is_approximate(question)]
    if about:
        found.append(
            Note("approximate", f"{', '.join(about)}: from errors counted in buckets, whose sizes are known to {100 * RELATIVE_BOUND:.1g} %.")
        )
    found += _intervals(evaluation, metrics, groups, headlines)
    found += _disagreement(metrics)
    if evaluation.sample is None:
        found.append(Note("plots", "There are no plots and no intervals: a state keeps sums, not rows or buckets of rows."))
    elif len(panels) < len(evaluation.models):
        found.append(Note("plots", "A model without plots has no row that can be drawn."))
    return tuple(found)


def _coverage(evaluation: Evaluation) -> list[Note]:
    found = []
    for model in evaluation.models:
        state = evaluation.states[model]
        absent = {words: int(getattr(state, counter)) for counter, words in _ABSENT.items()}
        parts = [f"{whole(count)} with {words}" for words, count in absent.items() if count]
        if parts:
            rows = evaluation.provenance.rows
            share = f"{whole(state.n)} of {whole(rows)} rows ({100 * state.n / rows:.4g} %)" if rows else "no rows"
            found.append(Note("coverage", f"{one_line(model)} was judged on {share}; left out: {', '.join(parts)}."))
    return found or [Note("coverage", f"Every row was used: {whole(evaluation.provenance.rows)} rows, none left out.")]


def _intervals(evaluation: Evaluation, metrics: Sequence[MetricRow], groups: Sequence[GroupRow], headlines: Sequence[int]) -> list[Note]:
    """Return what intervals take for granted, why there are none, and why they are doubtful, each reason once."""
    known = evaluation.uncertainty
    if known is None:
        return []
    along = "" if known.along is None else f" ({one_line(known.along)})"
    found = [Note("intervals", f"The {percent(known.confidence)} intervals {_WAYS[known.way].format(along)}.")]
    missing, doubtful = _reasons(evaluation.models, metrics, missing=True), _reasons(evaluation.models, metrics, missing=False)
    found += [Note("intervals", f"No interval of {', '.join(labels)}: {reason}.") for reason, labels in missing.items()]
    for reason, labels in doubtful.items():
        every = len(labels) == sum(any(_has_interval(cell) for cell in row.cells) for row in metrics)
        found.append(Note("intervals", f"{'All intervals' if every else ', '.join(labels)}: {reason}."))
    told = {*missing, *doubtful}
    where: dict[str, int] = {}
    for group in groups:
        cells = (cell for at in headlines for cell in group.cells[at])
        for reason in {*_doubts(cells)} - told:
            where[reason] = where.get(reason, 0) + 1
    for reason, count in list(where.items())[:_TOLD_REASONS]:
        found.append(Note("intervals", f"Intervals of {whole(count)} {'group' if count == 1 else 'groups'}: {reason}."))
    more = len(where) - _TOLD_REASONS
    if more > 0:
        words = "1 more reason" if more == 1 else f"{more} more reasons"
        found.append(Note("intervals", f"Intervals of other groups are missing or doubtful for {words}."))
    return found


def _reasons(models: Sequence[str], metrics: Sequence[MetricRow], missing: bool) -> dict[str, list[str]]:
    """Return reasons, and the metrics that they hold for; the models too, where they hold for some only."""
    found: dict[str, list[str]] = {}
    for row in metrics:
        of_row: dict[str, list[str]] = {}
        for model, cell in zip(models, row.cells, strict=True):
            if _has_interval(cell) != missing:
                for reason in _doubts([cell]):
                    of_row.setdefault(reason, []).append(one_line(model))
        for reason, names in of_row.items():
            label = one_line(row.label)
            found.setdefault(reason, []).append(label if len(names) == len(models) else f"{label} of {', '.join(names)}")
    return found


def _doubts(cells: Iterable[Cell]) -> Iterable[str]:
    """Yield what is said of intervals; that there is none of a value that does not exist goes without saying."""
    return (one_line(cell.interval.note, 300) for cell in cells if cell.interval.note and not math.isnan(cell.value))


def _has_interval(cell: Cell) -> bool:
    return not math.isnan(cell.interval.low)


def _disagreement(metrics: Sequence[MetricRow]) -> list[Note]:
    """Return a note where the best model depends on what a prediction is meant to be: metrics reward different numbers."""
    best: dict[str, MetricRow] = {}
    for row in metrics:
        if row.functional in ("mean", "median") and sum(cell.best for cell in row.cells) == 1:
            best.setdefault(row.functional, row)
    if len(best) < 2 or [cell.best for cell in best["mean"].cells] == [cell.best for cell in best["median"].cells]:
        return []
    mean, median = (one_line(best[functional].label) for functional in ("mean", "median"))
    return [
        Note("functional", f"{mean} and {median} choose different models: {mean} is least for the mean of what may happen, {median} for its median.")
    ]
