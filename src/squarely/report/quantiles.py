"""Whether errors are normal: their quantiles against those of a normal."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np

from squarely.report.drawing import Drawing, rows_words, short
from squarely.report.panel import Floats, Panel, Quantiles, Rows
from squarely.report.report import one_line
from squarely.svg import Figure, axis_range

__all__ = ["draw", "quantiles"]

_MOST_POINTS, _ENDS = 240, 40


def quantiles(rows: Rows) -> Quantiles:
    """Return the errors against normal quantiles, all at the ends and enough between, and the line of a normal like them.

    Probabilities are the medians of order statistics of Filliben (1975), as in ``scipy.stats.probplot``; weighted rows stand at the
    middle of their weight.
    """
    residual, weight = rows.residual, rows.weight
    unit = float(np.abs(residual).max()) or 1.0
    order = np.argsort(residual, kind="stable")
    ordered, weight, n = residual[order] / unit, weight[order], len(order)
    share = _filliben(n) if (weight == weight[0]).all() else np.clip((np.cumsum(weight) - weight / 2) / weight.sum(), 1e-15, 1 - 1e-15)
    drawn = _thin(n)
    normal = [NormalDist().inv_cdf(each) for each in share[drawn].tolist()]
    points = zip(normal, (ordered[drawn] * unit).tolist(), rows.number[order][drawn].tolist(), strict=True)
    mean = float((weight * ordered).sum() / weight.sum())
    spread = math.sqrt(float((weight * (ordered - mean) ** 2).sum() / weight.sum()))
    line = ((z * 1.0, mean + spread * z) for z in _within(normal[0], normal[-1], mean, spread, float(ordered[0]), float(ordered[-1])))
    return Quantiles(tuple(points), tuple((z, y * unit) for z, y in line))


def _filliben(n: int) -> Floats:
    share: Floats = (np.arange(1, n + 1, dtype=np.float64) - 0.3175) / (n + 0.365)
    share[-1] = 0.5 ** (1 / n)
    share[0] = 1 - share[-1]
    return share


def _thin(n: int) -> np.typing.NDArray[np.intp]:
    """Return places to draw: all where they are few, else those at both ends, where tails show, and some between."""
    if n <= _MOST_POINTS:
        return np.arange(n)
    inner = np.linspace(_ENDS, n - 1 - _ENDS, _MOST_POINTS - 2 * _ENDS).round().astype(np.intp)
    return np.concatenate([np.arange(_ENDS), inner, np.arange(n - _ENDS, n)])


def _within(left: float, right: float, mean: float, spread: float, low: float, high: float) -> tuple[float, float]:
    """Return the ends of the line where it is on the figure: a few far errors stretch it beyond the others."""
    if spread == 0:
        return left, right
    return max(left, (low - mean) / spread), min(right, (high - mean) / spread)


def draw(panel: Panel, ident: str) -> Drawing:
    """Draw the normal Q-Q plot of a model."""
    known = panel.quantiles
    figure = Figure(
        f"{ident}-quantiles",
        title=f"Normal Q-Q plot of the errors of {one_line(panel.model)}",
        description=f"{rows_words(panel)} On the line errors are as those of a normal.",
        x=axis_range([z for z, _, _ in known.points]),
        y=axis_range([error for _, error, _ in known.points], include=0.0),
        x_label="quantile of a standard normal",
        y_label="predicted \N{MINUS SIGN} actual",
    )
    figure.points((z, error) for z, error, _ in known.points)
    figure.line(known.line, "guide")
    figure.legend([("guide", "normal, same mean and spread")])
    figure.hover("row {0}: error {1}, normal quantile {2}", [(z, error, row, short(error), short(z)) for z, error, row in known.points])
    caption = (
        "On the line errors are normal. Ends that leave it, down at the left and up at the right, are heavier tails: a few errors decide the MSE."
    )
    return Drawing("Normal Q-Q plot", figure.render(), caption)
