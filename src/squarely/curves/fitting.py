"""Fits of each step on each split: by fitting again, or, where a Gram state decides, by adding and subtracting states of one pass."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from squarely.curves.seen import Seen
from squarely.curves.splits import Split
from squarely.decompose.learner import cloned, predicted, taken
from squarely.linear import GramEstimator, GramState
from squarely.linear.folds import CrossValidated
from squarely.linear.splits import Places

__all__ = ["Step", "seen_of"]

Pair = tuple[Seen, Seen]  # of the rows that train, and of those that validate
_TEST = 0  # what a row does in a split: it validates, ...
_COST = 1_500  # rows: reading so many more costs as much as one more state


class Step(NamedTuple):
    """One fit for each split: of an estimator, to so many of the rows that train; to all where there is no size."""

    estimator: Any
    size: int | None = None


def seen_of(steps: Sequence[Step], splits: Sequence[Split], X: Any, y: Any) -> list[list[Pair]]:  # noqa: N803  # scikit-learn's name
    """Return what is seen of each step on each split."""
    if all(_of_states(step.estimator) and step.estimator.features == steps[0].estimator.features for step in steps):
        return _from_states(steps, splits, X, y)
    return [[_refitted(step, split, X, y) for split in splits] for step in steps]


def _refitted(step: Step, split: Split, X: Any, y: Any) -> Pair:  # noqa: N803
    train = split.train[: step.size]
    x_train = taken(X, train)
    fitted, held = predicted(step.estimator, (x_train, y[train]), x_train, taken(X, split.test))
    return Seen.of(y[train], fitted), Seen.of(y[split.test], held)


# --- from states --------------------------------------------------------------------------------------------------


def _of_states(estimator: Any) -> bool:
    """Say whether a state decides what an estimator predicts; one that makes folds of its rows needs the rows."""
    if not isinstance(estimator, GramEstimator) or isinstance(estimator, CrossValidated):
        return False
    return all(getattr(type(estimator), name) is getattr(GramEstimator, name) for name in ("fit", "predict"))


def _from_states(steps: Sequence[Step], splits: Sequence[Split], X: Any, y: Any) -> list[list[Pair]]:  # noqa: N803
    """Fit sums of states: rows that do the same in every split make one, so each row is read once; or once a split, where that makes fewer states."""
    sizes = sorted({len(split.train) if step.size is None else step.size for step in steps for split in splits})
    runs, labels = _runs(splits, sizes, len(y))
    if len(splits) > 1 and len(y) + _COST * len(labels) > len(splits) * (len(y) + _COST * (len(sizes) + 1)):
        columns = [_from_states(steps, [split], X, y) for split in splits]
        return [[column[at][0] for column in columns] for at in range(len(steps))]
    states = _states(steps[0].estimator, X, y, runs, len(labels))
    found: list[list[Pair]] = [[] for _ in steps]
    for split, does in zip(splits, labels.T.tolist(), strict=True):
        held = sum((state for state, what in zip(states, does, strict=True) if what == _TEST), GramState())
        training = _prefixes(states, does, len(sizes))
        models: dict[int, GramEstimator] = {}
        for at, step in enumerate(steps):
            state = training[sizes.index(len(split.train) if step.size is None else step.size)]
            parameters = cloned(step.estimator).get_params()
            before = models.get(id(state))
            model = type(step.estimator).from_state(state, **parameters) if before is None else before.refitted(**parameters)
            models[id(state)] = model
            found[at].append((Seen.of_line(state, model.coef_, model.intercept_), Seen.of_line(held, model.coef_, model.intercept_)))
    return found


def _runs(splits: Sequence[Split], sizes: Sequence[int], rows: int) -> tuple[Places, npt.NDArray[np.int64]]:
    """Return the run of each row, and what the rows of each run do in each split: validate, train from a size on (1, 2, ...), or nothing."""
    runs = np.zeros(rows, np.intp)
    labels = np.zeros((1, 0), np.int64)
    for split in splits:
        does = np.full(rows, len(sizes) + 1, np.int64)
        does[split.test] = _TEST
        does[split.train] = 1 + np.searchsorted(sizes, np.arange(len(split.train)), side="right")
        kinds, runs = np.unique(runs * (len(sizes) + 2) + does, return_inverse=True)
        before, now = np.divmod(kinds, len(sizes) + 2)
        labels = np.column_stack([labels[before], now])
    return runs, labels


def _states(estimator: Any, X: Any, y: Any, runs: Places, count: int) -> list[GramState]:  # noqa: N803
    """Return the state of the rows of each run."""
    order = np.argsort(runs, kind="stable")
    ends = np.cumsum(np.bincount(runs, minlength=count))
    parts = np.split(order, ends[:-1])
    return [cloned(estimator).state_of(taken(X, part), y[part]) for part in parts]


def _prefixes(states: Sequence[GramState], does: Sequence[int], sizes: int) -> list[GramState]:
    """Return the states of the rows that train up to each size."""

    def rising() -> Iterator[GramState]:
        total = GramState()
        for size in range(1, sizes + 1):
            total = sum((state for state, what in zip(states, does, strict=True) if what == size), total)
            yield total

    return list(rising())
