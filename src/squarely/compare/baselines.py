"""Simple rules that predict from the targets alone, as the rows are read where that can be."""

import threading
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from squarely.errors import DataError
from squarely.evaluate import rows_of, takes_squares_alone
from squarely.metric import Question
from squarely.sources import Batch, Column, Source, Wanted
from squarely.state import PairState, Ratio, Rows

__all__ = ["BASELINES", "Before", "Constant", "Mean", "Rule", "rules_of"]

Floats = npt.NDArray[np.float64]
BASELINES = ("mean", "median", "last_value", "seasonal_naive")


@dataclass(frozen=True)
class Constant:
    """One number for every row."""

    value: float

    def column(self, batch: Batch) -> Column:
        """Return the predictions of a batch."""
        return Column(np.broadcast_to(self.value, len(batch.target.values)))


@dataclass
class Mean:
    """The mean of the targets, known once all are read: until then every prediction is 0, and the sums are mended after the pass."""

    value: float | None = None
    _seen: PairState = field(default_factory=PairState)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def column(self, batch: Batch) -> Column:
        """Return the predictions of a batch, and see its targets where the mean is not known."""
        if self.value is None:
            y, w = _known(batch)
            of_batch = PairState.of(y, y, w)
            with self._lock:
                self._seen += of_batch
        return Constant(self.value or 0.0).column(batch)

    def found(self) -> float:
        """Return the mean of the targets that were seen; they are all there are."""
        if self.value is None:
            sums = self._seen.sums
            self.value = sums.absolute(Ratio(sums.y, sums.w), 1).rounded() if sums.w else 0.0
        return self.value


class Before:
    """The target of some rows before, which takes rows in order; the first rows have none.

    Parameters
    ----------
    step : int
    """

    def __init__(self, step: int) -> None:
        self.step = step
        self._last: Floats = np.full(step, np.nan)

    def start(self) -> "Before":
        """Return the rule for one reading of the rows."""
        return Before(self.step)

    def column(self, batch: Batch) -> Column:
        """Return the predictions of a batch, which follows the last one."""
        known: Floats = np.concatenate([self._last, batch.target.doubles()])
        self._last = known[len(known) - self.step :]
        return Column(known[: len(known) - self.step])


Rule = Constant | Mean | Before


def rules_of(
    baselines: tuple[str, ...], seasonality: Any, ahead: int, source: Source, wanted: Wanted, question: Question
) -> tuple[dict[str, Rule], tuple[str, ...]]:
    """Return the rules by name, and those for which the targets had to be read first.

    Rules that take an earlier row take the latest one that is known ``ahead`` steps before.
    """
    for name in baselines:
        if name not in BASELINES:
            raise DataError(f"there is no baseline {str(name)[:60]!r}; expected {', '.join(map(repr, BASELINES))}.")
        if name in wanted.predictions:
            raise DataError(f"a model is called {name!r}, like a baseline. Rename one, or leave the baseline out.")
        if name in BASELINES[2:] and wanted.way != "order":
            raise DataError(f"the baseline {name!r} takes a row before, so the rows must lie in order. Say so with order=.")
    if not isinstance(seasonality, int) or isinstance(seasonality, bool) or seasonality < 1:
        raise DataError(f"seasonality is {str(seasonality)[:60]}; expected a whole number of at least 1: the rows of a season.")
    in_time = {"last_value": ahead, "seasonal_naive": seasonality * -(-ahead // seasonality)}
    first = tuple(name for name in baselines if name == "median" or (name == "mean" and not takes_squares_alone(question)))
    known = _read_first(first, source, wanted, question) if first else {}
    return {name: known[name] if name in first else Mean() if name == "mean" else Before(in_time[name]) for name in baselines}, first


def _read_first(names: tuple[str, ...], source: Source, wanted: Wanted, question: Question) -> dict[str, Constant]:
    """Return the constants that a pass over the targets gives."""
    if not source.rereadable:
        cure = "Give a table or a file, or compare by 'mse' with baseline='mean'"
        raise DataError(f"{source.name}: the baseline {names[0]!r} for {question.label} reads the targets first, and a stream is read once. {cure}.")
    y, _, w = rows_of(source, wanted)
    known = np.isfinite(y) if w is None else np.isfinite(y) & (w > 0)
    kept = Rows(y[known], y[known], None if w is None else w[known])
    sums = PairState.of(kept.y_true, kept.y_pred, kept.sample_weight).sums
    found = {"mean": lambda: sums.absolute(Ratio(sums.y, sums.w), 1).rounded(), "median": lambda: kept.target_quantile(0.5).rounded()}
    return {name: Constant(found[name]()) for name in names}


def _known(batch: Batch) -> tuple[npt.NDArray[Any], npt.NDArray[Any] | None]:
    """Return the targets of the rows that count, and their weights."""
    known = np.isfinite(batch.target.values)
    if batch.target.valid is not None:
        known &= batch.target.valid
    if batch.weight is None:
        return batch.target.values[known], None
    weight = batch.weight.doubles()
    known &= (weight > 0) & np.isfinite(weight)  # what is no weight is refused where the rows are added
    return batch.target.values[known], weight[known]
