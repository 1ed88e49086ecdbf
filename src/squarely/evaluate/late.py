"""Models that predict one number, known once all rows were read: their sums of squares follow from those of the targets."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from squarely.evaluate.accumulate import Accumulated
from squarely.evaluate.sample import Sample
from squarely.metric import Question
from squarely.state import NoAnswerError, PairState

__all__ = ["mend", "takes_squares_alone"]


def takes_squares_alone(question: Question) -> bool:
    """Say whether a formula takes no sums but those that follow for one prediction of all rows: all of the eight but sum w max(y, p)."""
    if question.plan or question.needs:
        return False
    sums = PairState.of([1, 2, 4], [2, 2, 3]).sums
    del sums.larger  # who takes it is found out
    try:
        question.metric.formula(sums, **question.parameters)
    except (AttributeError, NoAnswerError):
        return False
    return True


def mend(done: Accumulated, sample: Sample | None, constants: Mapping[str, float]) -> Sample | None:
    """Give models their prediction, in every state and bucket; return the sample with it."""
    for name, value in constants.items():
        at = done.table.models.index(name)
        for states in done.table.groups.values():
            states[at]._core.predict(value)
        if done.buckets is not None:
            done.buckets.models[at].predict(value)
    if sample is None:
        return None
    columns = {name: np.full_like(sample.target, value) for name, value in constants.items()}
    return replace(sample, predictions={**sample.predictions, **columns})
