"""Each group against the rows of all others: the jackknife of their difference, over the buckets that both share."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from squarely.intervals.left import Left
from squarely.intervals.link import Link
from squarely.intervals.student import tails
from squarely.metric import ErrorQuantile, Question, TrimmedSquare
from squarely.state import Buckets, NoAnswerError, PairState

__all__ = ["Contrast", "contrasts"]

Floats = npt.NDArray[np.float64]


class Contrast(NamedTuple):
    """The answer on the rows of all other groups, and the p-value of no difference, on both sides; nan where there is none."""

    rest: float
    p_value: float


def contrasts(buckets: Buckets, totals: Sequence[PairState], model: int, question: Question) -> list[Contrast]:
    r"""Test each group against the rows of all others.

    .. math:: t = \frac{g(\theta) - g(\theta')}{s}, \quad s^2 = \frac{G - 1}{G} \sum_b (\delta_{(b)} - \bar\delta)^2

    Here :math:`\delta_{(b)}` is the difference on the scale of the link g without bucket b, in both parts: rows that err together stay
    together. The degrees of freedom are those of the part with fewer buckets, less 1.

    Parameters
    ----------
    buckets : Buckets
    totals : sequence of PairState, the states of the groups in the order of their numbers
    model : int
    question : Question

    References
    ----------
    Efron, B. (1982), The Jackknife, the Bootstrap and Other Resampling Plans, SIAM.
    """
    whole = sum(totals, PairState())
    rests = [question.ask((whole - total).sums).value for total in totals]
    if buckets.count == 1 or any(isinstance(need, ErrorQuantile | TrimmedSquare) for need in question.needs):
        return [Contrast(rest, math.nan) for rest in rests]
    moments = buckets.moments(model, [whole.sums] * len(totals))  # all about one centre, so that they subtract
    every = np.sort(moments.values, axis=0).sum(axis=0)  # sorted, for threads number the groups as they come
    groups, others = Left(moments), Left(replace(moments, values=every - moments.values))
    filled = groups.present.sum(axis=0)
    fewer = np.minimum(groups.present.sum(axis=1), (groups.present < filled).sum(axis=1))
    with np.errstate(all="ignore"):
        try:
            answers = [_answers(question, left) for left in (groups, others)]
        except NoAnswerError:
            return [Contrast(rest, math.nan) for rest in rests]
        away, at = [each[:, :-1] for each in answers], [each[:, -1:] for each in answers]
        link = Link.of(question.metric)
        t = _statistic(link(at[0]) - link(at[1]), (link(away[0]) - link(away[1]))[:, filled > 0])
        size = np.maximum(np.abs(at[0]), np.abs(at[1]))
        plain = _statistic((at[0] - at[1]) / size, ((away[0] - away[1]) / size)[:, filled > 0])  # where an error is 0 and has no log
        t = np.where(np.isfinite(t), t, plain)
    return [
        Contrast(rest, math.nan if count < 2 else 0.0 if math.isinf(each) else tails(each, count - 1))
        for rest, each, count in zip(rests, t.tolist(), fewer.tolist(), strict=True)
    ]


def _answers(question: Question, left: Left) -> Floats:
    return question.metric.approximately(left, lambda _: left, question.parameters)


def _statistic(difference: Floats, away: Floats) -> Floats:
    count = away.shape[1]
    se = np.sqrt((count - 1) / count * ((away - away.mean(axis=1, keepdims=True)) ** 2).sum(axis=1))
    difference = difference[:, 0]
    t: Floats = np.where(se > 0, difference / se, np.where(difference == 0, 0.0, np.copysign(np.inf, difference)))
    return np.where(np.isnan(se) | np.isnan(difference), np.nan, t)
