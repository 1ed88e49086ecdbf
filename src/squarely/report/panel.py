"""The data of the figures of one model, ready to be drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from squarely.evaluate import Sample

__all__ = ["Block", "Calibration", "Panel", "Pillar", "Quantiles", "Rows", "Scatter", "Worst", "rows_of"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a sample that count for one model; ``number`` is the place of each in the data, counted from 1.

    Rows of several files are counted in each file: then they are not ``in_line``.
    """

    number: NDArray[np.int64]
    actual: Floats
    predicted: Floats
    weight: Floats
    in_line: bool

    @property
    def residual(self) -> Floats:
        """Predicted less actual."""
        return self.predicted - self.actual


def rows_of(sample: Sample, model: str) -> Rows | None:
    """Return the rows of a model, or None where none can be drawn.

    Rows with a missing or infinite value and rows of weight 0 are left out, as they are in the metrics.
    """
    actual = np.asarray(sample.target, dtype=np.float64)
    predicted = np.asarray(sample.predictions[model], dtype=np.float64)
    weight = np.ones_like(actual) if sample.weight is None else np.asarray(sample.weight, dtype=np.float64)
    number = np.asarray(sample.ordinals, dtype=np.int64) + 1
    keep = np.isfinite(actual) & np.isfinite(predicted) & (weight > 0)
    in_line = bool((np.diff(number) > 0).all())
    number, actual, predicted, weight = number[keep], actual[keep], predicted[keep], weight[keep]
    # A quarter of the largest double: every difference below stays finite.
    if not actual.size or max(np.abs(actual).max(), np.abs(predicted).max()) > 4e307:
        return None
    # A weight that is nothing beside the largest one is still that of a row.
    return Rows(number, actual, predicted, np.maximum(weight / weight.max(), 2.0**-1000), in_line)


@dataclass(frozen=True, slots=True)
class Scatter:
    """Pairs to draw: every pair while they are few, else counts on a square grid of bins."""

    x: tuple[float, float]
    y: tuple[float, float]
    points: tuple[tuple[float, float], ...] = ()
    cells: tuple[tuple[int, int, int], ...] = ()
    bins: int = 0
    numbers: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Pillar:
    """A bin of predictions: its rows, their mean prediction and mean target, and the interval of the latter."""

    rows: int
    predicted: float
    actual: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """The isotonic curve of the target on the predictions, as the corners of a line, and bins of predictions."""

    curve: tuple[tuple[float, float], ...]
    pillars: tuple[Pillar, ...]
    confidence: float | None


@dataclass(frozen=True, slots=True)
class Quantiles:
    """Errors against the quantiles of the standard normal: (normal, error, row number); and the line of a normal with their mean and spread."""

    points: tuple[tuple[float, float, int], ...]
    line: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Worst:
    """One of the largest errors, and its share of the squared error of all rows that are drawn."""

    number: int
    actual: float
    predicted: float
    residual: float
    share: float


@dataclass(frozen=True, slots=True)
class Block:
    """Neighbouring rows: the first and the last one, how many, their RMSE and their mean error."""

    first: int
    last: int
    rows: int
    rmse: float
    bias: float


@dataclass(frozen=True, slots=True)
class Panel:
    """The data of the figures of one model; ``drawn`` of ``seen`` rows are in them."""

    model: str
    drawn: int
    seen: int
    weighted: bool
    in_line: bool
    fit: Scatter
    residuals: Scatter
    edges: tuple[float, ...]
    heights: tuple[float, ...]
    outside: int
    shares: tuple[tuple[float, float], ...]
    worst_tenth: float | None
    calibration: Calibration
    quantiles: Quantiles
    worst: tuple[Worst, ...]
    worst_of_sample: bool
    blocks: tuple[Block, ...]
