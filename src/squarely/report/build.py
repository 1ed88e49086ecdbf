"""Build a Report from an Evaluation: ask every question once, say what is best, and note what a reader must know."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from squarely.compare import at_hand
from squarely.diagnose import Diagnosis
from squarely.metric import find
from squarely.report.concentration import TOLD_ROWS
from squarely.report.finding import findings_of, not_testable
from squarely.report.notes import notes
from squarely.report.pairs import Pairs, pairs_of
from squarely.report.panel import Panel, Worst
from squarely.report.plots import panel
from squarely.report.report import NO_INTERVAL, SHOWN_GROUPS, Cell, GroupRow, MetricRow, Report, one_line, whole
from squarely.report.verdict import verdict
from squarely.state.table import Key

if TYPE_CHECKING:
    from squarely.evaluate import Evaluation
    from squarely.metric import Question

__all__ = ["build", "provenance"]

_HEADLINES = ("root_mean_squared_error", "mean_absolute_error", "r2_score", "mean_error", "mean_squared_error")
_SLOPE, _INTERCEPT = find("calibration_slope"), find("calibration_intercept")


def build(evaluation: Evaluation, *, command: str | None = None, most_groups: int | None = None, diagnosis: Diagnosis | None = None) -> Report:
    """Return the frozen report of an evaluation.

    Parameters
    ----------
    evaluation : Evaluation
        What ``squarely.evaluate`` returned.
    command : str, optional
        The command line that made it; written under the numbers so that a reader can run it again.
    most_groups : int, optional
        Ask the metrics of the worst so many groups only; a renderer for readers shows 50. By default all.
    diagnosis : Diagnosis, optional
        What was found in the same rows.

    Returns
    -------
    Report
    """
    metrics = tuple(_metric_row(evaluation, question) for question in evaluation.questions)
    groups = _group_rows(evaluation, most_groups) if evaluation.by else ()
    headlines, panels = _headlines(metrics, len(evaluation.models)), _panels(evaluation)
    source, known = evaluation.provenance.source, evaluation.uncertainty
    exhibits = () if diagnosis is None else diagnosis.exhibits
    confidence, way = (None, None) if known is None else (known.confidence, known.way)
    return Report(
        title=f"{one_line(source, 80)}: regression report",
        verdict=verdict(evaluation.models, metrics, evaluation.provenance.target, confidence, _same_rows(evaluation)),
        target=evaluation.provenance.target,
        models=evaluation.models,
        metrics=metrics,
        provenance=provenance(evaluation, command),
        by=evaluation.by,
        groups=groups,
        group_total=len(evaluation.groups) if evaluation.by else 0,
        headlines=headlines,
        notes=notes(evaluation, metrics, groups[:SHOWN_GROUPS], headlines, panels),
        panels=panels,
        source=_source(evaluation, command),
        confidence=confidence,
        way=way,
        pairs=_pairs(evaluation),
        findings=findings_of(diagnosis) if diagnosis is not None else (),
        not_testable=not_testable(diagnosis) if diagnosis is not None else (),
        advice=str(diagnosis.recommended_loss)
        if diagnosis is not None and (diagnosis or exhibits)
        else "",  # of few numbers without findings, squared error is no news
        exhibits=exhibits,
        lines=tuple(_line(evaluation, model) for model in evaluation.models) if panels else (),
    )


def _metric_row(evaluation: Evaluation, question: Question) -> MetricRow:
    metric = question.metric
    cells = [_cell(evaluation, question, model, None) for model in evaluation.models]
    return MetricRow(
        label=question.label,
        name=metric.name,
        title=metric.title,
        unit=metric.unit,
        direction=metric.direction,
        ideal=metric.best,
        cells=_mark_best(cells, metric.direction, metric.best) if _same_rows(evaluation) else tuple(cells),
        functional=metric.functional,
    )


def _cell(evaluation: Evaluation, question: Question, model: str, group: tuple[Key, ...] | None) -> Cell:
    answer = evaluation.answer(question.label, model, group)
    reason = answer.reason
    if not math.isfinite(answer.value) and not reason:
        reason = "infinite" if math.isinf(answer.value) else "undefined for these data"
    interval = NO_INTERVAL if evaluation.uncertainty is None else answer.interval
    return Cell(float(answer.value), reason, int(answer.n), float(answer.coverage), percent=question.metric.percent, interval=interval)


def _same_rows(evaluation: Evaluation) -> bool:
    """Say whether every model predicts every row: only then is one called best, for those that are silent may be so on hard rows."""
    return not any(state.missing_prediction or state.infinite_prediction for state in evaluation.states.values())


def _mark_best(cells: Sequence[Cell], direction: str, ideal: float | None) -> tuple[Cell, ...]:
    """Mark the best of several values, all of them where they tie."""
    known = [cell.value for cell in cells if not math.isnan(cell.value)]
    if len(cells) < 2 or not known or (direction == "target" and ideal is None):
        return tuple(cells)

    def cost(value: float) -> float:
        if direction == "target":
            return abs(value - (ideal or 0.0))
        return -value if direction == "higher" else value

    least = min(cost(value) for value in known)
    return tuple(replace(cell, best=cost(cell.value) == least) for cell in cells)


def _group_rows(evaluation: Evaluation, most: int | None) -> tuple[GroupRow, ...]:
    """Return the groups, largest MSE first; the MSE of a group is that of its worst model."""

    def worst(group: tuple[Key, ...]) -> float:
        values = [evaluation.answer("mse", model, group).value for model in evaluation.models]
        return max((value for value in values if not math.isnan(value)), default=-math.inf)

    ranked = sorted(evaluation.groups, key=worst, reverse=True)  # stable: ties stay in the order of their keys
    rows = []
    for group in ranked[:most]:
        asked = [(question.metric, [_cell(evaluation, question, model, group) for model in evaluation.models]) for question in evaluation.questions]
        cells = tuple(_mark_best(each, metric.direction, metric.best) if _same_rows(evaluation) else tuple(each) for metric, each in asked)
        used = max(evaluation.answer("mse", model, group).n for model in evaluation.models)
        rows.append(GroupRow(group, used, cells))
    return tuple(rows)


def _headlines(metrics: Sequence[MetricRow], models: int) -> tuple[int, ...]:
    room = 4 if models == 1 else 2 if models <= 3 else 1
    names = [row.name for row in metrics]
    known = [names.index(name) for name in _HEADLINES if name in names]
    return tuple((known or list(range(len(metrics))))[:room])


def _panels(evaluation: Evaluation) -> tuple[Panel, ...]:
    if evaluation.sample is None:
        return ()
    confidence = None if evaluation.uncertainty is None else evaluation.uncertainty.confidence
    made = (panel(evaluation.sample, model, confidence) for model in evaluation.models)
    return tuple(_with_largest(each, evaluation) for each in made if each is not None)


def _with_largest(made: Panel, evaluation: Evaluation) -> Panel:
    """Return the data of the figures with the largest errors of all rows, not of the sample alone."""
    rows = evaluation.largest.get(made.model, ())
    if not rows:
        return made
    s = evaluation.states[made.model].sums
    total = s.total(s.squared_error, 2).rounded()
    worst = tuple(Worst(row.row, row.target, row.prediction, row.error, row.size / total) for row in rows[:TOLD_ROWS])
    return replace(made, worst=worst, worst_of_sample=False) if 0 < total < math.inf else made


def _pairs(evaluation: Evaluation) -> Pairs | None:
    found = at_hand(evaluation)
    return None if found is None else pairs_of(found)


def _line(evaluation: Evaluation, model: str) -> tuple[Cell, Cell]:
    """Return slope and intercept of the targets on the predictions of a model, also where they were not asked for."""
    return _cell(evaluation, _SLOPE, model, None), _cell(evaluation, _INTERCEPT, model, None)


def provenance(evaluation: Evaluation, command: str | None) -> tuple[tuple[str, str], ...]:
    """Return where the numbers come from, each part with its name."""
    known = evaluation.provenance
    models = ", ".join(one_line(model) for model in evaluation.models)
    rows = [
        ("Source", str(known.source)),
        ("Rows", whole(known.rows)),
        ("Target", known.target),
        ("Predictions" if len(evaluation.models) > 1 else "Prediction", models),
    ]
    if known.weight is not None:
        rows.append(("Weight", known.weight))
    sure = evaluation.uncertainty
    if sure is not None and sure.along is not None:
        rows.append((sure.way.capitalize(), sure.along))
    if evaluation.by:
        rows.append(("Groups by", ", ".join(one_line(name) for name in evaluation.by)))
    rows += [("Missing values", known.nan_policy), ("Digest of the state", known.digest), ("squarely", known.version)]
    if command:
        rows.append(("Command", command))
    return tuple(rows)


def _source(evaluation: Evaluation, command: str | None) -> dict[str, object]:
    known, sure = evaluation.provenance, evaluation.uncertainty
    return {
        "source": str(known.source),
        "rows": int(known.rows),
        "target": known.target,
        "predictions": list(evaluation.models),
        "weight": known.weight,
        "cluster": sure.along if sure is not None and sure.way == "cluster" else None,
        "order": sure.along if sure is not None and sure.way == "order" else None,
        "by": list(evaluation.by),
        "nan_policy": known.nan_policy,
        "digest": known.digest,
        "squarely": known.version,
        "command": command,
    }
