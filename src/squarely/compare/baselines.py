"""Simple rules that predict from the targets alone, as the rows are read where that can be."""

import threading
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from squarely.compare.before import Before
from squarely.errors import DataError
from squarely.evaluate import takes_squares_alone
from squarely.metric import Question
from squarely.sources import Batch, Column, Source, Wanted
from squarely.state import NOTHING, PairState, Ratio, Rows

__all__ = ["BASELINES", "Before", "Constant", "Late", "Rule", "rules_of"]

BASELINES = ("mean", "median", "last_value", "seasonal_naive")


@dataclass(frozen=True)
class Constant:
    """One number for every row."""

    value: float

    def column(self, batch: Batch) -> Column:
        """Return the predictions of a batch."""
        return Column(np.broadcast_to(self.value, len(batch.target.values)))


class Late(ABC):
    """One number for every row, known once all are read: until then every prediction is 0, and the sums are mended after the pass."""

    def __init__(self) -> None:
        self._value: float | None = None
        self._lock = threading.Lock()

    def column(self, batch: Batch) -> Column:
        """Return the predictions of a batch, and see its targets where the number is not known."""
        if self._value is None:
            of_batch = self._of(*_known(batch))
            with self._lock:
                self._keep(of_batch)
        return Constant(self._value or 0.0).column(batch)

    def found(self) -> float:
        """Return the number; the targets that were seen are all there are."""
        if self._value is None:
            self._value = self._found()
        return self._value

    @abstractmethod
    def _of(self, y: npt.NDArray[Any], w: npt.NDArray[Any] | None) -> Any:
        """Return what is to be kept of the targets and weights of a batch."""

    @abstractmethod
    def _keep(self, of_batch: Any) -> None: ...

    @abstractmethod
    def _found(self) -> float:
        """Return the number; 0 where no row has a target."""


class Mean(Late):
    """The mean of the targets, from their sum."""

    def __init__(self) -> None:
        super().__init__()
        self._seen = PairState()

    def _of(self, y: npt.NDArray[Any], w: npt.NDArray[Any] | None) -> PairState:
        return PairState.of(y, y, w)

    def _keep(self, of_batch: PairState) -> None:
        self._seen += of_batch

    def _found(self) -> float:
        sums = self._seen.sums
        return sums.absolute(Ratio(sums.y, sums.w), 1).rounded() if sums.w else 0.0


class Median(Late):
    """The median of the targets, which are kept: no sums say it."""

    def __init__(self) -> None:
        super().__init__()
        self._seen: list[tuple[npt.NDArray[Any], npt.NDArray[Any] | None]] = []

    def _of(self, y: npt.NDArray[Any], w: npt.NDArray[Any] | None) -> tuple[npt.NDArray[Any], npt.NDArray[Any] | None]:
        return y, w

    def _keep(self, of_batch: tuple[npt.NDArray[Any], npt.NDArray[Any] | None]) -> None:
        self._seen.append(of_batch)

    def _found(self) -> float:
        targets, weights = [y for y, _ in self._seen if len(y)], [w for y, w in self._seen if w is not None and len(y)]
        self._seen = []
        if not targets:
            return 0.0
        y = np.concatenate(targets)
        return Rows(y, y, np.concatenate(weights) if weights else None).target_quantile(0.5).rounded()


Rule = Constant | Late | Before
_LATE = {"mean": Mean, "median": Median}


def rules_of(
    baselines: tuple[str, ...], seasonality: Any, ahead: int, order: Any, source: Source, wanted: Wanted, question: Question
) -> tuple[dict[str, Rule], tuple[str, ...]]:
    """Return the rules by name, and those for which the targets had to be read first.

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
    first = () if takes_squares_alone(question) else tuple(name for name in baselines if name in _LATE)
    known = _read_first(first, source, wanted, question) if first else {}
    return {
        name: known[name]
        if name in first
        else _LATE[name]()
        if name in _LATE
        else Before(in_time[name], bool(wanted.by), order if isinstance(order, str) else None)
        for name in baselines
    }, first


def _read_first(names: tuple[str, ...], source: Source, wanted: Wanted, question: Question) -> dict[str, Constant]:
    """Return the constants that a pass over the targets gives."""
    if not source.rereadable:
        cure = "Give a table or a file, or compare by a metric of squares, such as 'mse'"
        raise DataError(f"{source.name}: the baseline {names[0]!r} for {question.label} reads the targets first, and a stream is read once. {cure}.")
    rules = {name: _LATE[name]() for name in names}
    for read in source.parts(replace(wanted, predictions=(), plan=NOTHING)):
        for batch in read():
            for rule in rules.values():
                rule.column(batch)
    return {name: Constant(rule.found()) for name, rule in rules.items()}


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
