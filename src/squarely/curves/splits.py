"""Which rows train and which validate, for each fold, and how many of those that train are taken."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from squarely.decompose.learner import whole_number
from squarely.errors import DataError
from squarely.linear.splits import Places, are_splits, pairs_of

__all__ = ["Split", "sizes_of", "splits_of", "wider_for"]


@dataclass(frozen=True, eq=False)
class Split:
    """The rows that train, in the order in which they are added, and those that validate."""

    train: Places
    test: Places


def splits_of(folds: Any, seed: int | None, X: Any, y: Any, rows: int) -> tuple[Split, ...]:  # noqa: N803  # scikit-learn's name
    """Return the splits of a number of folds, of a splitter, or of pairs of places; a seed puts rows in one order for all of them."""
    order = np.arange(rows) if seed is None else np.random.default_rng(whole_number(seed, "seed", 0)).permutation(rows)
    if isinstance(folds, int | np.integer) and not isinstance(folds, bool):
        found = tuple(_in_turn(order, int(folds)))
    elif are_splits(folds):
        rank = np.empty(rows, np.intp)
        rank[order] = np.arange(rows)
        found = tuple(_given(at, *pair, rank, seed is not None) for at, pair in enumerate(pairs_of("folds", folds, X, y)))
    else:
        raise DataError(f"folds is {repr(folds)[:60]}; expected a number, a splitter such as KFold(5), or pairs of the places of rows.")
    if not found:
        raise DataError("folds gives no split; expected one or more.")
    return found


def _in_turn(order: Places, folds: int) -> Iterator[Split]:
    """Deal rows in an order to folds, as scikit-learn's KFold does."""
    if not 2 <= folds <= len(order):
        raise DataError(f"folds is {folds}; expected a number from 2 to that of the rows, {len(order):,}.")
    for test in np.array_split(np.arange(len(order)), folds):
        yield Split(np.delete(order, test), order[test])


def _given(at: int, train: Places, test: Places, rank: Places, ordered: bool) -> Split:
    both = np.concatenate([train, test])
    if not len(train) or not len(test) or both.min() < 0 or both.max() >= len(rank):
        raise DataError(
            f"split {at} has {len(train):,} rows to train and {len(test):,} to validate; expected places of 0 to {len(rank) - 1:,} in both."
        )
    if np.bincount(both).max() > 1:
        raise DataError(
            f"split {at} holds row {int(np.bincount(both).argmax()):,} twice; expected no row both to train and to validate, nor two times."
        )
    return Split(train[np.argsort(rank[train], kind="stable")] if ordered else train, test)


def wider_for(splits: Sequence[Split]) -> float:
    r"""Return what intervals over J folds are widened by: 1 where no row validates twice.

    .. math:: \sqrt{1 + J \, n_{\mathrm{validate}} / n_{\mathrm{train}}}

    Folds that share rows go together, so more of them do not tell ever more. Nadeau, C. and Bengio, Y. (2003), Inference for the generalization
    error, Machine Learning 52, 239-281.
    """
    validating = np.concatenate([split.test for split in splits])
    if np.bincount(validating).max() == 1:
        return 1.0
    return math.sqrt(1 + len(splits) * len(validating) / sum(len(split.train) for split in splits))


def sizes_of(sizes: Any, splits: tuple[Split, ...]) -> tuple[int, ...]:
    """Return rising numbers of rows to train with: as they are given, or shares of all, as scikit-learn counts them."""
    most = min(len(split.train) for split in splits)
    try:
        given = np.asarray(np.geomspace(0.1, 1.0, 8) if sizes is None else sizes)
    except ValueError:  # rows of unequal length
        given = np.empty(0)
    if given.ndim != 1 or not given.size or given.dtype.kind not in "iuf":
        raise DataError(f"sizes is {repr(sizes)[:60]}; expected numbers of rows, such as [50, 100, 200], or shares of all, such as [0.1, 0.5, 1.0].")
    if given.dtype.kind == "f":
        if not ((given > 0) & (given <= 1)).all():
            raise DataError(f"sizes is {repr(sizes)[:60]}; expected shares above 0 and up to 1, or whole numbers of rows.")
        given = np.maximum((given * most).astype(int), 2 if sizes is None else 1)
    if given.min() < 1 or given.max() > most:
        raise DataError(f"sizes is {repr(sizes)[:60]}; expected numbers from 1 to {most:,}, the rows that every split has to train with.")
    return tuple(np.unique(given).tolist())
