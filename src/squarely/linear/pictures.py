"""Pictures of a fit for the page of its diagnosis, from a sample of its rows."""

from dataclasses import dataclass

import numpy as np

from squarely.diagnose.exhibit import Picture
from squarely.linear.again import Block, Coordinates
from squarely.linear.doubled import Doubles
from squarely.linear.influence import Influence
from squarely.linear.plots import Sketch, component, drawn_influence, figure_of, influence_figure, partial
from squarely.plain import number, one_line
from squarely.svg import Figure, axis_range

__all__ = ["Drawn", "of_component", "of_influence", "of_partial", "of_scale"]

_GROUPS, _LEAST = 12, 5  # neighbours whose mean is drawn, and how many they are at least
_LONG = 40


@dataclass(frozen=True, eq=False)
class Drawn:
    """The rows that are drawn: what a fit makes of them, their influence, and how many there are in all."""

    rows: Block
    influence: Influence
    total: int

    @property
    def words(self) -> str:
        """How many rows are drawn."""
        few = len(self.rows.root_weight)
        return f"All {self.total:,} rows are drawn." if few == self.total else f"Drawn are {few:,} of {self.total:,} rows, in equal steps."


def of_component(fit: Coordinates, at: int, drawn: Drawn) -> Picture:
    """Return how a feature acts: along a line, or along a curve."""
    sketch = component(fit, at)
    figure, x, y = _dots(sketch, drawn)
    means = _means(x, y)
    if not means:
        caption = "The dashed line is the fit."
    else:
        figure.line(means)
        caption = "The dashed line is the fit, the other one the means of neighbours. Where they part, the feature acts along a curve."
    return Picture(f"{sketch.title}: {_name(fit, at)}", figure.render(), caption)


def of_partial(fit: Coordinates, at: int, drawn: Drawn) -> Picture:
    """Return what a feature adds to the others."""
    sketch = partial(fit, at)
    figure, _, _ = _dots(sketch, drawn)
    slope = number(float(f"{sketch.slope:.4g}")).replace("-", "\N{MINUS SIGN}")
    caption = f"The slope of the dashed line is the coefficient, {slope}. A dot far out at either side pulls it."
    return Picture(f"{sketch.title}: {_name(fit, at)}", figure.render(), caption)


def _name(fit: Coordinates, at: int) -> str:
    return one_line(fit.equations.features[at], _LONG)


def of_influence(drawn: Drawn, top: Influence) -> Picture:
    """Return the influence of each row; the rows that decide most are among them."""
    shown = drawn_influence(drawn.influence, top)
    figure = influence_figure(shown, drawn.total)
    told = zip(shown.leverages.tolist(), shown.studentized_residuals.tolist(), shown.rows.tolist(), shown.cooks_distances.tolist(), strict=True)
    figure.hover("row {0}: Cook's distance {1}", [(x, y, row + 1, f"{distance:.3g}") for x, y, row, distance in told])
    caption = "The area of a circle is Cook's distance. Rows far to the right are unlike the others, and rows far up or down are off the line."
    return Picture("Influence of each row", figure.render(), caption)


def of_scale(drawn: Drawn) -> tuple[Picture, ...]:
    """Return the sizes of standardised residuals over predictions, none where a perfect fit has none."""
    fitted = drawn.rows.targets[0] - drawn.rows.residuals[0]
    size = np.sqrt(np.abs(drawn.influence.standardized_residuals))
    seen = np.isfinite(size)
    if not seen.any():
        return ()
    x, y = fitted[seen], size[seen]
    figure = Figure(
        "fit-scale",
        title="Scale and location",
        description="Roots of the sizes of standardised residuals over predictions.",
        x=axis_range(x.tolist()),
        y=axis_range(y.tolist(), include=0.0),
        x_label="predicted",
        y_label="\u221a |standardised residual|",
    )
    figure.points(zip(x.tolist(), y.tolist(), strict=True))
    means = _means(x, y)
    if means:
        figure.line(means)
    caption = "The line is the mean of neighbours. Where it rises or falls, errors do not have one variance."
    return (Picture("Scale and location", figure.render(), caption),)


def _dots(sketch: Sketch, drawn: Drawn) -> tuple[Figure, Doubles, Doubles]:
    x, y = sketch.pair(drawn.rows)
    seen = np.isfinite(x) & np.isfinite(y)
    return figure_of(sketch, x[seen], y[seen], drawn.total), x[seen], y[seen]


def _means(x: Doubles, y: Doubles) -> list[tuple[float, float]]:
    """Return the means of groups of neighbours along x, equal ones in one group; none where there are too few rows, or x has two values."""
    groups = min(_GROUPS, len(x) // _LEAST)
    if groups < 3:
        return []
    ends = np.unique(np.quantile(x, np.linspace(0, 1, groups + 1)[1:-1]))
    group = np.searchsorted(ends, x)
    means = [(float(x[group == at].mean()), float(y[group == at].mean())) for at in np.unique(group)]
    return means if len(means) > 2 else []
