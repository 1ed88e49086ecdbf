"""The CORP decomposition: what recalibration would win, what predictions know of the target, and what there was to know."""

from typing import Any

import numpy as np
import numpy.typing as npt

from squarely import _core
from squarely.decompose.parts import Split
from squarely.decompose.sums import bias_and_variance, mean_square
from squarely.sources import Source, Wanted
from squarely.state import PairState

__all__ = ["corp", "recalibrated", "rows_of"]

Floats = npt.NDArray[np.float64]


def recalibrated(y: Floats, p: Floats, w: Floats) -> Floats:
    """Return the isotonic recalibration of predictions: the function of p that never falls and has the least squared error.

    Equal predictions stay equal.
    """
    order = np.argsort(p, kind="stable")
    ends = np.flatnonzero(np.diff(p[order], append=np.inf))
    starts = np.concatenate([[0], ends[:-1] + 1])
    mass = np.add.reduceat(w[order], starts)
    center = float(np.average(y, weights=w))
    level = np.add.reduceat(((y - center) * w)[order], starts) / mass
    first = np.array(_core.isotonic(level, mass))
    means = np.add.reduceat(level * mass, first) / np.add.reduceat(mass, first)
    fitted = np.empty(len(y))
    lengths = np.diff(np.concatenate([starts[first], [len(y)]]))
    fitted[order] = np.repeat(means + center, lengths)
    return fitted


def corp(state: PairState, y: Any, p: Any, w: Any) -> Split:
    """Return miscalibration, discrimination and uncertainty of the rows that a state has summed."""
    w = np.ones(len(y)) if w is None else w
    kept = np.isfinite(y) & np.isfinite(p) & (w > 0)
    y, p, w = y[kept], p[kept], w[kept]
    total = mean_square(state.sums)
    best = mean_square(PairState.of(y, recalibrated(y, p, w), w).sums)
    uncertainty = bias_and_variance(PairState.of(y, np.zeros(len(y)), w).sums).parts["variance"]
    return Split(total, {"miscalibration": total - best, "discrimination": uncertainty - best, "uncertainty": uncertainty}, state.n)


def rows_of(source: Source, wanted: Wanted) -> tuple[Floats, list[Floats], Floats | None]:
    """Read targets, predictions and weights of every model into memory."""
    batches = [batch for read in source.parts(wanted) for batch in read()]
    y = np.concatenate([batch.target.doubles() for batch in batches])
    predictions = [np.concatenate([batch.predictions[at].doubles() for batch in batches]) for at in range(len(wanted.predictions))]
    if wanted.weight is None:
        return y, predictions, None
    return y, predictions, np.concatenate([batch.weight.doubles() for batch in batches if batch.weight is not None])
