"""Models that predict one number, known once all rows were read: their sums follow from those of the targets, or their rows wait."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from squarely.evaluate.accumulate import Accumulated, Found
from squarely.metric import Question
from squarely.state import NoAnswerError, PairState

__all__ = ["NO_LATE", "Late", "mend", "takes_squares_alone"]


@dataclass(frozen=True)
class Late:
    """Models that predict one number, which a function of each finds once all rows were read; before it they predict 0.

    Parameters
    ----------
    mended : mapping from model to callable
        Models of which sums of squares are asked alone: these follow from the sums of the targets, and no row is kept.
    waiting : mapping from model to callable
        The others, whose functions take the rows, which are kept until they are added with their prediction.
    """

    mended: Mapping[str, Callable[[], float]] = field(default_factory=dict)
    waiting: Mapping[str, Found] = field(default_factory=dict)


NO_LATE = Late()


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


def mend(done: Accumulated, late: Late) -> None:
    """Give models their prediction in every state and bucket, and in the sample."""
    constants = {done.table.models.index(name): found() for name, found in late.mended.items()}
    for at, value in constants.items():
        for states in done.table.groups.values():
            states[at]._core.predict(value)
        if done.buckets is not None:
            done.buckets.models[at].predict(value)
    done.sampler.predict(constants)
