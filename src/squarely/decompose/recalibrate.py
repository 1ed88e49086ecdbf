"""The CORP decomposition: what recalibration would win, what predictions know of the target, and what there was to know."""

from typing import Any

import numpy as np
import numpy.typing as npt

from squarely import _core
from squarely.decompose.parts import Split
from squarely.decompose.sums import between_and_within, bias_and_variance, mean_square
from squarely.state import PairState, sums_of_groups

__all__ = ["corp", "stretches"]

Floats = npt.NDArray[np.float64]
_EXACT = 1 << 53  # beyond, a double may stand for several integers
_LEAST = 2.0**-1000  # of the largest weight: a row of less moves no mean that a double can tell


def stretches(y: Any, p: Any, w: Floats) -> npt.NDArray[np.int32]:
    """Return for each row the stretch of predictions to which isotonic recalibration gives one value, counted from the lowest.

    That is the function of p that never falls and has the least squared error. Equal predictions share a stretch.
    """
    order = np.argsort(p, kind="stable")
    new = np.concatenate([[True], p[order][1:] != p[order][:-1]])
    starts = np.flatnonzero(new)
    mass, level = np.maximum(w / w.max(), _LEAST)[order], _leveled(y)[order]
    ties = np.add.reduceat(mass, starts)
    first = np.zeros(len(starts), bool)
    first[_core.isotonic(np.add.reduceat(level * mass, starts) / ties, ties)] = True
    found = np.empty(len(y), np.int32)
    found[order] = (np.cumsum(first) - 1)[np.cumsum(new) - 1]
    return found


def _leveled(y: Any) -> Floats:
    """Return targets less their middle, in a unit in which the largest is near 1: means of them neither overflow nor cancel."""
    if y.dtype.kind in "iu" and len(y) and max(abs(int(y.min())), abs(int(y.max()))) > _EXACT:
        y = y.astype(object) - int(y.min())
    values = np.asarray(y, np.float64)
    values = np.ldexp(values, -int(np.frexp(np.abs(values).max())[1]))
    leveled: Floats = values - values.mean()
    return leveled


def corp(state: PairState, y: Any, p: Any, w: Floats | None) -> Split:
    """Return miscalibration, discrimination and uncertainty of rows that a state has summed; NaN and infinities are left out.

    The error of a constant 0 stands for the target: its variance within stretches is the error that recalibration leaves.
    """
    w = np.ones(len(y)) if w is None else w
    kept = np.isfinite(y) & np.isfinite(p) & (w > 0)
    y, p, w = y[kept], p[kept], w[kept]
    nothing = np.zeros(len(y))
    of_zero = PairState.of(y, nothing, w).sums
    best = between_and_within(of_zero, sums_of_groups(y, nothing, w, stretches(y, p, w))).parts["within"]
    total, uncertainty = mean_square(state.sums), bias_and_variance(of_zero).parts["variance"]
    parts = {"miscalibration": total - best, "discrimination": uncertainty - best, "uncertainty": uncertainty}
    return Split(parts, taken_off=("discrimination",))
