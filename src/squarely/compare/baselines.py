"""Simple rules that predict from the targets alone, as the rows are read where that can be."""

import threading
from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from squarely.compare.before import Before
from squarely.errors import DataError
from squarely.evaluate import takes_squares_alone
from squarely.metric import Question
from squarely.sources import Batch, Column, Wanted
from squarely.state import PairState, Ratio, Rows

__all__ = ["BASELINES", "Before", "Constant", "Rule", "rules_of"]

BASELINES = ("mean", "median", "last_value", "seasonal_naive")


class Constant(ABC):
    """One number for every row, known once all are read: until then every prediction is 0, and mended after the pass.

    Parameters
    ----------
    keeps : bool
        Whether the rows must be kept until the number is known: sums of squares do not say all that is asked, or no sums the number.
    """

    def __init__(self, keeps: bool) -> None:
        self.keeps = keeps
        self._value: float | None = None

    def column(self, batch: Batch) -> Column:
        """Return the predictions of a batch."""
        return Column(np.broadcast_to(self._value or 0.0, len(batch.target.values)))

    def found(self, kept: Iterable[Batch] = ()) -> float:
        """Return the number, now that all rows were read; they are ``kept`` where they must be."""
        if self._value is None:
            self._value = self._found(kept)
        return self._value

    @abstractmethod
    def _found(self, kept: Iterable[Batch]) -> float:
        """Return the number; 0 where no row has a target."""


class Mean(Constant):
    """The mean of the targets, from their sum."""

    def __init__(self, keeps: bool) -> None:
        super().__init__(keeps)
        self._sums = PairState()
        self._lock = threading.Lock()

    def column(self, batch: Batch) -> Column:
        """Return the predictions of a batch, and see its targets where the number is not known."""
        if self._value is None:
            y, w = _known(batch)
            of_batch = PairState.of(y, y, w)
            with self._lock:
                self._sums += of_batch
        return super().column(batch)

    def _found(self, kept: Iterable[Batch]) -> float:
        sums = self._sums.sums
        return sums.absolute(Ratio(sums.y, sums.w), 1).rounded() if sums.w else 0.0


class Median(Constant):
    """The median of the targets, for which all are kept: no sums say it."""

    def _found(self, kept: Iterable[Batch]) -> float:
        known = [of_batch for of_batch in map(_known, kept) if len(of_batch[0])]
        if not known:
            return 0.0
        y, weights = np.concatenate([y for y, _ in known]), [w for _, w in known if w is not None]
        w = np.concatenate(weights) if weights else None
        del known, weights  # they may be copies
        return Rows(y, y, w).target_quantile(0.5).rounded()


Rule = Constant | Before


def rules_of(baselines: tuple[str, ...], seasonality: Any, ahead: int, order: Any, wanted: Wanted, question: Question) -> dict[str, Rule]:
    """Return the rules by name.

    Rules that take an earlier row take the latest one that is known ``ahead`` steps before, of the same group where there are groups.
    """
    for name in baselines:
        if name not in BASELINES:
            raise DataError(f"there is no baseline {str(name)[:60]!r}; expected {', '.join(map(repr, BASELINES))}.")
        if name in wanted.predictions:
            raise DataError(f"a model is called {name!r}, like a baseline. Rename one, or leave the baseline out.")
        if name in BASELINES[2:] and not (order is True or isinstance(order, str) if wanted.by else wanted.way == "order"):
            of_each = f" of each {wanted.by[0][:60]!r}" if wanted.by else ""
            raise DataError(f"the baseline {name!r} takes a row before, so the rows{of_each} must lie in order. Say so with order=.")
    if not isinstance(seasonality, int) or isinstance(seasonality, bool) or seasonality < 1:
        raise DataError(f"seasonality is {str(seasonality)[:60]}; expected a whole number of at least 1: the rows of a season.")
    in_time = {"last_value": ahead, "seasonal_naive": seasonality * -(-ahead // seasonality)}
    along = order if isinstance(order, str) else None
    late = {"mean": Mean(keeps=not takes_squares_alone(question)), "median": Median(keeps=True)}
    return {name: late[name] if name in late else Before(in_time[name], bool(wanted.by), along) for name in baselines}


def _known(batch: Batch) -> tuple[npt.NDArray[Any], npt.NDArray[Any] | None]:
    """Return the targets of the rows that count, and their weights."""
    known = np.isfinite(batch.target.values)
    if batch.target.valid is not None:
        known &= batch.target.valid
    weight = None if batch.weight is None else batch.weight.doubles()
    if weight is not None:
        known &= (weight > 0) & np.isfinite(weight)  # what is no weight is refused where the rows are added
    rows = slice(None) if known.all() else known  # no copy where none is needed
    return batch.target.values[rows], None if weight is None else weight[rows]
