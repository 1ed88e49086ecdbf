"""What a rising curve through the predictions wins, from rows or from bins of rows."""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from squarely.decompose import parts_of_rows, stretches
from squarely.diagnose.evidence import Drawn, Evidence, Spread
from squarely.diagnose.finding import CannotTestError
from squarely.diagnose.grid import Bins
from squarely.intervals.student import tails

__all__ = ["Curve", "curve_of"]

Floats = npt.NDArray[np.float64]
_ALIKE = "predictions are all alike, or perfect"


class Curve(NamedTuple):
    """Parts of the error as shares of it, steps of the curve, what it wins beyond a line with its p-value, and from which rows."""

    miscalibration: float
    discrimination: float
    uncertainty: float
    steps: int
    won: Spread
    p_value: float
    source: str


def curve_of(e: Evidence) -> Curve:
    """Return what a rising curve wins: of bins of the prediction where more rows were watched than are at hand, else of rows."""
    d = e.drawn
    grid, words = e.binned(e.watcher.level, d.p, "prediction")
    if grid is not None:
        bins = grid.bins()
        found, steps = _parts_of_bins(bins)
        won, p = _over_line(bins, e.effective)
        return Curve(*found, steps, won, p, words)
    state, split, steps = parts_of_rows(d.y, d.p, d.w)
    if split.total == 0 or state.sums.variance_p == 0:
        raise CannotTestError(_ALIKE)
    mcb, dsc, unc = (float(split.parts[name] / split.total) for name in ("miscalibration", "discrimination", "uncertainty"))
    won, p = _over_line(_rows_as_bins(d), e.effective * len(d.y) / e.n)
    return Curve(mcb, dsc, unc, steps, won, p, words)


def _rows_as_bins(d: Drawn) -> Bins:
    order, nothing = np.argsort(d.p, kind="stable"), np.zeros(len(d.p))
    return Bins(d.w[order], d.y[order], d.p[order], nothing, nothing, nothing)


def _parts_of_bins(b: Bins) -> tuple[tuple[float, float, float], int]:
    """Return miscalibration, discrimination and uncertainty as shares of the error, with one value of the curve for each bin."""
    step = stretches(b.first, b.second, b.weight)
    total = float(_squares(b).sum())
    if not total > 0 or len(b.weight) < 2:
        raise CannotTestError(_ALIKE)
    best = float((b.first_squares + b.weight * (b.first - _means(step, b)[step]) ** 2).sum())
    unknown = float((b.first_squares + b.weight * (b.first - np.average(b.first, weights=b.weight)) ** 2).sum())
    return (1 - best / total, (unknown - best) / total, unknown / total), int(step.max()) + 1


def _means(step: npt.NDArray[np.int32], b: Bins) -> Floats:
    means: Floats = np.bincount(step, b.weight * b.first) / np.bincount(step, b.weight)
    return means


def _squares(b: Bins) -> Floats:
    """Return the sum w (y - p)^2 of each bin."""
    squares: Floats = b.first_squares - 2 * b.products + b.second_squares + b.weight * (b.first - b.second) ** 2
    return squares


def _over_line(bins: Bins, effective: float) -> tuple[Spread, float]:
    """Return the share of the error that a rising curve removes beyond a line, on rows that neither was fitted to, and its p-value.

    Every other bin fits both for those between, in which the curve is a piece of a line: so sums of squares and products tell its error.
    """
    won, scatter, weight = np.empty(0), np.empty(0), np.empty(0)
    halves = (Bins(*(each[::2] for each in bins)), Bins(*(each[1::2] for each in bins)))
    for fit, judge in (halves, halves[::-1]):
        level = _means(step := stretches(fit.first, fit.second, fit.weight), fit)[step]
        curve, bend = _pieces(fit.second, level, judge.second)
        line, slope = _line(fit, judge.second)
        off_line, off_curve = ((judge.first - each) ** 2 for each in (line, curve))
        inside = 2 * (bend - slope) * judge.products + (slope**2 - bend**2) * judge.second_squares
        won = np.append(won, judge.weight * (off_line - off_curve) + inside)
        scatter = np.append(scatter, 4 * (curve - line) ** 2 * judge.first_squares)  # within a bin, of (y - line)^2 - (y - curve)^2
        weight = np.append(weight, judge.weight)
    whole, total = float(weight.sum()), float(_squares(bins).sum())
    mean = float(won.sum()) / whole
    varies = float((scatter + weight * (won / weight - mean) ** 2).sum()) / whole
    se = math.sqrt(varies / max(effective - 1, 1.0))
    low, share, high = (each * whole / total for each in (mean - 1.96 * se, mean, mean + 1.96 * se))
    t = mean / se if se > 0 else 0.0
    return Spread(max(0.0, share), se, max(0.0, low), max(0.0, high)), tails(t, effective - 1) if t > 0 else 1.0


def _pieces(knots: Floats, level: Floats, at: Floats) -> tuple[Floats, Floats]:
    """Return a curve through knots at places, and its slope there."""
    place = np.searchsorted(knots, at, side="right")
    between = (place > 0) & (place < len(knots))
    left, right = np.maximum(place - 1, 0), np.minimum(place, len(knots) - 1)
    run = knots[right] - knots[left]
    slope = np.where(between & (run > 0), (level[right] - level[left]) / np.where(run > 0, run, 1.0), 0.0)
    return np.interp(at, knots, level), slope


def _line(fit: Bins, at: Floats) -> tuple[Floats, float]:
    """Return the line of least squares through the rows of bins, at places, and its slope."""
    middle, mean = (float(np.average(each, weights=fit.weight)) for each in (fit.second, fit.first))
    x = fit.second - middle
    sxx = float((fit.weight * x * x + fit.second_squares).sum())
    slope = float((fit.weight * x * fit.first + fit.products).sum()) / sxx if sxx > 0 else 0.0
    return mean + slope * (at - middle), slope
