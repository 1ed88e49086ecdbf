"""The same rows for every model: a row counts where each has a prediction, and baselines predict beside them."""

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from squarely.errors import DataError
from squarely.evaluate import rows_of
from squarely.sources import Batch, Column, Part, Source, Wanted
from squarely.state import PairState, Ratio, Rows

__all__ = ["BASELINES", "Together", "predictions_of"]

Floats = npt.NDArray[np.float64]
BASELINES = ("mean", "median", "last_value", "seasonal_naive")


@dataclass
class Together:
    """A source with further models; with ``common`` a row that lacks one prediction lacks all of them.

    ``absent`` has the number of rows in which each model has no prediction, once they were read.
    """

    source: Source
    baselines: Mapping[str, Floats]
    common: bool
    absent: dict[str, int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def name(self) -> str:
        """What a report calls the data."""
        return self.source.name

    @property
    def rereadable(self) -> bool:
        """Whether the parts may be asked for again."""
        return self.source.rereadable

    @property
    def columns(self) -> tuple[str, ...]:
        """Column names, with those of the baselines."""
        return (*self.source.columns, *self.baselines)

    def parts(self, wanted: Wanted) -> Iterator[Part]:
        """Yield the parts of the source, with what is added to their batches."""
        own = tuple(name for name in wanted.predictions if name not in self.baselines)
        for read in self.source.parts(replace(wanted, predictions=own)):
            yield partial(self._read, read, wanted.predictions, own)

    def _read(self, read: Part, models: tuple[str, ...], own: tuple[str, ...]) -> Iterator[Batch]:
        for batch in read():
            rows = len(batch.target.values)
            predictions = dict(zip(own, batch.predictions, strict=True))
            predictions |= {name: Column(values[batch.start : batch.start + rows]) for name, values in self.baselines.items()}
            columns = [predictions[name] for name in models]
            if self.common:
                columns = self._common(models, columns, batch.weight)
            yield replace(batch, predictions=tuple(columns))

    def _common(self, models: tuple[str, ...], columns: list[Column], weight: Column | None) -> list[Column]:
        there = [np.isfinite(column.values) if column.valid is None else np.isfinite(column.values) & column.valid for column in columns]
        if all(each.all() for each in there):
            return columns
        counts = True if weight is None else weight.doubles() != 0  # weight 0 is the same as absent
        absent = {model: int((~each & counts).sum()) for model, each in zip(models, there, strict=True)}
        with self._lock:
            for model, count in absent.items():
                self.absent[model] = self.absent.get(model, 0) + count
        together = np.logical_and.reduce(there)
        return [Column(column.values, together) for column in columns]


def predictions_of(baselines: tuple[str, ...], seasonality: Any, ahead: int, source: Source, wanted: Wanted) -> dict[str, Floats]:
    """Return what simple rules predict for every row, from the targets alone: a pass over them before the rows are judged.

    Those that take an earlier row take the latest one that is known ``ahead`` steps before.
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
    if not baselines:
        return {}
    if not source.rereadable:
        raise DataError(f"{source.name}: a baseline reads the targets first, and a stream is read once. Give a table or a file.")
    y, _, w = rows_of(source, replace(wanted, predictions=()))
    known = np.isfinite(y) if w is None else np.isfinite(y) & (w > 0)
    kept = Rows(y[known], y[known], None if w is None else w[known])
    rules: dict[str, Callable[[], Floats]] = {
        "mean": lambda: np.broadcast_to(_mean(kept), y.shape),
        "median": lambda: np.broadcast_to(kept.target_quantile(0.5).rounded(), y.shape),
        "last_value": lambda: _before(y, ahead),
        "seasonal_naive": lambda: _before(y, seasonality * -(-ahead // seasonality)),
    }
    return {name: rules[name]() for name in baselines}


def _mean(rows: Rows) -> float:
    sums = PairState.of(rows.y_true, rows.y_pred, rows.sample_weight).sums
    return sums.absolute(Ratio(sums.y, sums.w), 1).rounded()


def _before(y: npt.NDArray[Any], step: int) -> Floats:
    """Return the target of ``step`` rows before; there is none for the first rows."""
    return np.concatenate([np.full(min(step, len(y)), np.nan), y[: max(len(y) - step, 0)].astype(np.float64)])
