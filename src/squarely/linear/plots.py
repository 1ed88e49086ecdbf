"""Plots of a fit: each row as a dot, as SVG that needs nothing beside it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from squarely.errors import DataError
from squarely.linear.again import Again, Block, Coordinates
from squarely.linear.doubled import Doubles
from squarely.linear.inference import Inference
from squarely.linear.influence import Influence, influence_parts
from squarely.plain import one_line
from squarely.svg import Figure, axis_range
from squarely.svg_file import standing_alone

__all__ = ["Plot", "Sketch", "component", "drawn_influence", "figure_of", "influence_figure", "partial", "plot_of"]

_MOST = 4_000  # dots; more would hide each other
_TOP = 10  # rows that decide most, which are drawn in any case
_LONG = 24  # letters of a name, for which axes have room


@dataclass(frozen=True, eq=False)
class Plot:
    """A plot of a fit: ``x`` and ``y`` of every row, and ``svg``, which shows at most 4,000 of them in equal steps."""

    title: str
    x: Doubles
    y: Doubles
    svg: str
    n_passes: int = 2  # over the rows: the fit, and this

    def to_svg(self, path: Any = None) -> str:
        """Return the figure, and write it to ``path`` where one is given."""
        if path is not None:
            Path(path).write_text(self.svg, encoding="utf-8")
        return self.svg

    def __repr__(self) -> str:
        return f"Plot({self.title!r}, {len(self.x):,} rows); to_svg('plot.svg') writes it to a file"

    def _repr_svg_(self) -> str:
        return self.svg


class Sketch(NamedTuple):
    """What a plot shows: its words, two numbers of each row, and the slope of the line through 0 that belongs to them."""

    title: str
    ident: str
    x_label: str
    y_label: str
    pair: Callable[[Block], tuple[Doubles, Doubles]]
    slope: float
    around_zero: bool = True  # whether 0 is in the middle of what is to be seen


def plot_of(again: Again, kind: str, feature: str | None) -> Plot:
    """Return a plot of a fit of one target."""
    if kind not in ("influence", *_OF_A_FEATURE):
        raise DataError(f"kind is {str(kind)[:60]!r}; expected {', '.join(map(repr, ('influence', *_OF_A_FEATURE)))}.")
    equations = again.model.equations_
    if len(equations.targets) != 1:
        raise DataError(f"the model has {len(equations.targets)} targets, and a plot is that of one fit. Fit each target alone.")
    names = [name for name, keep in zip(equations.features, equations.factor.kept, strict=True) if keep]
    if (kind == "influence") != (feature is None) or (feature is not None and feature not in names):
        expected = "no feature=" if kind == "influence" else f"feature=, one of {', '.join(map(repr, names[:10]))}"
        raise DataError(f"feature is {str(feature)[:60]!r}; kind={kind!r} takes {expected}.")
    if feature is None:
        return _influence(again)
    sketch = _OF_A_FEATURE[kind](again.coordinates, equations.features.index(feature))
    found = [sketch.pair(block) for block in again.blocks()]
    return _plot(sketch, np.concatenate([x for x, _ in found]), np.concatenate([y for _, y in found]))


def _influence(again: Again) -> Plot:
    inference = Inference.of(again.model.equations_, again.model.exact_coef_)
    whole: Influence | None = None
    for _, (part, _) in influence_parts(again, inference):
        whole = part.joined(whole)
    assert whole is not None, "a fit has rows"
    step = max(1, -(-len(whole.rows) // _MOST))
    drawn = drawn_influence(whole.taken(slice(None, None, step)), whole.largest(_TOP))
    title = "Influence of each row"
    return Plot(title, whole.leverages, whole.studentized_residuals, standing_alone(influence_figure(drawn, len(whole.rows), 480.0, 360.0).render()))


def drawn_influence(sample: Influence, top: Influence) -> Influence:
    """Return the rows of a sample with those that decide most, once each; a row without a value cannot be drawn."""
    both = sample.taken(~np.isin(sample.rows, top.rows)).joined(top)
    return both.taken(np.isfinite(both.leverages) & np.isfinite(both.studentized_residuals) & np.isfinite(both.cooks_distances))


def influence_figure(drawn: Influence, rows: int, width: float = 360.0, height: float = 270.0) -> Figure:
    """Return studentised residuals over leverages, as circles that grow with Cook's distance."""
    x, y, cook = drawn.leverages.tolist(), drawn.studentized_residuals.tolist(), drawn.cooks_distances
    figure = Figure(
        "fit-influence",
        title="Influence of each row",
        description=f"Studentised residuals over leverages of {len(x):,} of {rows:,} rows; circles grow with Cook's distance.",
        x=axis_range(x, include=0.0),
        y=axis_range(y, include=0.0),
        x_label="leverage",
        y_label="studentised residual",
        width=width,
        height=height,
    )
    size = cook / max(1.0, float(cook.max(initial=0.0)))  # a full circle is a distance of 1, or the largest
    figure.bubbles(zip(x, y, size.tolist(), strict=True))
    figure.line([(figure.x.low, 0.0), (figure.x.high, 0.0)], "guide")
    return figure


def partial(fit: Coordinates, at: int) -> Sketch:
    r"""Draw residuals of y on the other features over those of x on them: their slope is the coefficient (Frisch, Waugh and Lovell)."""
    back, shift = fit.back, int(fit.equations.intercept)
    own = back[:, at + shift] / float(back[:, at + shift] @ back[:, at + shift])
    slope = _slope(fit, at)

    def pair(block: Block) -> tuple[Doubles, Doubles]:
        x: Doubles = own @ block.q
        return x, block.residuals[0] * block.root_weight + slope * x

    name, target = _short(fit.equations.features[at]), _short(fit.equations.targets[0])
    return Sketch("Partial regression", f"partial-{at}", f"{name}, others taken out", f"{target}, others taken out", pair, slope)


def component(fit: Coordinates, at: int) -> Sketch:
    """Draw the part of the prediction that a feature makes, plus the residual, over the feature: a curve is seen as one."""
    slope, mean = _slope(fit, at), float(fit.equations.means[at]) * fit.equations.intercept

    def pair(block: Block) -> tuple[Doubles, Doubles]:
        x: Doubles = block.features.high[at] + mean
        return x, slope * x + block.residuals[0]

    name = _short(fit.equations.features[at])
    return Sketch("Component plus residual", f"component-{at}", name, f"coefficient \u00d7 {name} + residual", pair, slope, False)


_OF_A_FEATURE: dict[str, Callable[[Coordinates, int], Sketch]] = {"partial": partial, "component": component}


def _slope(fit: Coordinates, at: int) -> float:
    return float(fit.coefficients.nearest()[at, 0])


def _short(name: str) -> str:
    return one_line(name, _LONG)


def figure_of(sketch: Sketch, x: Doubles, y: Doubles, rows: int, width: float = 360.0, height: float = 270.0) -> Figure:
    """Return the figure of a sketch with the numbers of some of the rows, which are finite."""
    figure = Figure(
        f"fit-{sketch.ident}",
        title=sketch.title,
        description=f"{sketch.x_label} and {sketch.y_label} of {len(x):,} of {rows:,} rows",
        x=axis_range(x.tolist()),
        y=axis_range(y.tolist(), include=0.0 if sketch.around_zero else None),
        x_label=sketch.x_label,
        y_label=sketch.y_label,
        width=width,
        height=height,
    )
    figure.points(zip(x.tolist(), y.tolist(), strict=True))
    if len(x):
        ends = (float(x.min()), float(x.max()))
        figure.line([(end, sketch.slope * end) for end in ends], "guide")
    return figure


def _plot(sketch: Sketch, x: Doubles, y: Doubles) -> Plot:
    seen = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    seen = seen[:: max(1, -(-len(seen) // _MOST))]
    return Plot(sketch.title, x, y, standing_alone(figure_of(sketch, x[seen], y[seen], len(x), 480.0, 360.0).render()))
