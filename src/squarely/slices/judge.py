"""Every slice is evaluated, shrunken, and tested against all other rows."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from squarely.evaluate import Answer, Evaluation, Uncertainty, evaluate_source
from squarely.intervals.contrast import Contrast
from squarely.intervals.holm import holm
from squarely.intervals.link import Link
from squarely.metric import Question
from squarely.slices.cuts import Numbers, Values
from squarely.slices.cutting import Cutting
from squarely.slices.shrink import shrunken
from squarely.slices.slice import Slice, Unjudged
from squarely.sources import Source, Wanted
from squarely.state import PairState, Ratio, Sums
from squarely.state.table import GroupKey

__all__ = ["judged"]

Cuts = tuple[Numbers | Values, ...]


@dataclass(frozen=True)
class _Found:
    """A slice that can be judged, before it is known how many there are."""

    cuts: Cuts
    key: GroupKey
    state: PairState
    uncertainty: Uncertainty
    answer: Answer
    drawn: float
    contrast: Contrast


def judged(
    source: Source,
    wanted: Wanted,
    crossed: Sequence[Cuts],
    whole: Evaluation,
    question: Question,
    least: int,
    nan_policy: str,
    confidence: float,
) -> tuple[tuple[Slice, ...], tuple[Unjudged, ...]]:
    """Return the slices of every column, or two, the worst first, and those that are not judged."""
    found: list[_Found] = []
    unjudged: list[Unjudged] = []
    shares = _Shares(whole.state.sums)
    for cuts in crossed:
        names = tuple(cut.column for cut in cuts)
        evaluation = evaluate_source(Cutting(source, cuts), replace(wanted, by=names), (question,), nan_policy, confidence)
        found += _of_cuts(evaluation, cuts, question, least, whole[question.label].value, unjudged, shares)
    direction = -1 if question.metric.direction == "lower" else 1
    p_values = [_one_sided(each, direction) for each in found]
    adjusted = holm(p_values)
    level = 1 - (1 - confidence) / max(len(found), 1)
    intervals = {each.cuts: each.uncertainty.at(level) for each in found}
    slices = []
    for each, p, p_adjusted in zip(found, p_values, adjusted, strict=True):
        interval = intervals[each.cuts].of(question, 0, each.key, each.answer.value)
        slices.append(
            Slice(
                tuple(cut.column for cut in each.cuts),
                tuple(cut.labels[_place(place)] for cut, place in zip(each.cuts, each.key, strict=True)),
                each.answer.n,
                each.answer.coverage,
                each.answer.value,
                interval.se,
                (interval.low, interval.high),
                each.drawn,
                each.contrast.rest,
                p,
                p_adjusted,
                p_adjusted < 1 - confidence,
                *shares.of(each.state),
                interval.note,
            )
        )
    slices.sort(key=lambda each: (direction * each.shrunken, _last(each.p_value), direction * each.value))
    return tuple(slices), tuple(unjudged)


def _one_sided(found: _Found, direction: int) -> float:
    """Return the p-value of no worse than the other rows: errors are skewed, and the test of both sides would find good slices by chance."""
    better = direction * (found.answer.value - found.contrast.rest) > 0
    return 1 - found.contrast.p_value / 2 if better else found.contrast.p_value / 2


def _place(key: object) -> int:
    assert isinstance(key, int), "labels are places"
    return key


def _last(p: float) -> float:
    return 2.0 if math.isnan(p) else p


def _of_cuts(
    evaluation: Evaluation, cuts: Cuts, question: Question, least: int, whole: float, unjudged: list[Unjudged], shares: "_Shares"
) -> list[_Found]:
    """Return the slices of one column, or two, that can be judged, and add the others to ``unjudged``."""
    kept: dict[GroupKey, Answer] = {}
    others: dict[str, list[tuple[GroupKey, int]]] = {}
    for key, answer in evaluation[question.label].by.items():
        rare = [cut.rare for cut, place in zip(cuts, key, strict=True) if place == len(cut.labels)]
        if rare or answer.n < least:
            reason = f"of fewer than {least:,} rows"
        elif math.isnan(answer.value):
            reason = f"without a value ({answer.reason})"
        elif math.isnan(answer.se) and answer.value != question.metric.best:  # a slice without error has no spread either
            reason = f"without a standard error ({answer.doubt})"
        else:
            kept[key] = answer
            continue
        others.setdefault(reason, []).append((key, rare[0] if rare and len(cuts) == 1 else 1))
    for reason, keys in others.items():
        state = sum((evaluation.table.groups[key][0] for key, _ in keys), PairState())
        names, count = tuple(cut.column for cut in cuts), sum(times for _, times in keys)
        unjudged.append(Unjudged(names, count, reason, state.n, *shares.of(state)))
    if not kept or evaluation.uncertainty is None:
        return []
    contrasts = evaluation.uncertainty.contrasts(question, 0)
    drawn = shrunken([each.value for each in kept.values()], [each.se for each in kept.values()], whole, Link.of(question.metric))
    return [
        _Found(cuts, key, evaluation.table.groups[key][0], evaluation.uncertainty, answer, value, contrasts[key])
        for (key, answer), value in zip(kept.items(), drawn, strict=True)
    ]


class _Shares:
    """Shares of the rows, by weight, and of the squared error, both exact before they are rounded."""

    def __init__(self, whole: Sums) -> None:
        self._rows, self._error = _rows(whole), _squared_error(whole)

    def of(self, state: PairState) -> tuple[float, float, Fraction]:
        """Return the share of the rows and of the squared error of a state, and its squared error."""
        sums = state.sums
        error = _squared_error(sums)
        return _rounded(_rows(sums), self._rows), _rounded(error, self._error), error


def _rows(sums: Sums) -> Fraction:
    return Fraction(sums.observations.numerator, sums.observations.denominator)


def _squared_error(sums: Sums) -> Fraction:
    total = sums.total(sums.squared_error, 2)
    return Fraction(total.numerator, total.denominator)


def _rounded(part: Fraction, whole: Fraction) -> float:
    if not whole:
        return math.nan
    share = part / whole
    return Ratio(share.numerator, share.denominator).rounded()
