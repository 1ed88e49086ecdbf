"""Plots of a fit: each row as a dot, as SVG that needs nothing beside it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from squarely.errors import DataError
from squarely.linear.again import Again, Block
from squarely.linear.doubled import Doubles
from squarely.linear.inference import Inference
from squarely.linear.influence import influence_parts
from squarely.plain import one_line
from squarely.svg import Figure, axis_range, standing_alone

__all__ = ["Plot", "plot_of"]

_MOST = 4_000  # dots; more would hide each other


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

    def _repr_svg_(self) -> str:
        return self.svg


def plot_of(again: Again, kind: str, feature: str | None) -> Plot:
    """Return a plot of a fit of one target."""
    if kind not in _KINDS:
        raise DataError(f"kind is {str(kind)[:60]!r}; expected {', '.join(map(repr, _KINDS))}.")
    equations = again.model.equations_
    if len(equations.targets) != 1:
        raise DataError(f"the model has {len(equations.targets)} targets, and a plot is that of one fit. Fit each target alone.")
    names = [name for name, keep in zip(equations.features, equations.factor.kept, strict=True) if keep]
    if (kind == "influence") != (feature is None) or (feature is not None and feature not in names):
        expected = "no feature=" if kind == "influence" else f"feature=, one of {', '.join(map(repr, names[:10]))}"
        raise DataError(f"feature is {str(feature)[:60]!r}; kind={kind!r} takes {expected}.")
    return _KINDS[kind](again, -1 if feature is None else equations.features.index(feature))


def _influence(again: Again, _: int) -> Plot:
    parts = [part for _, (part, _) in influence_parts(again, Inference.of(again.model.equations_, again.model.exact_coef_))]
    h, r = (np.concatenate([getattr(part, name) for part in parts]) for name in ("leverages", "studentized_residuals"))
    return _drawn("Influence of each row", "leverage", "studentised residual", h, r, 0.0)


def _partial(again: Again, at: int) -> Plot:
    r"""Draw residuals of y on the other features over those of x on them: their slope is the coefficient (Frisch, Waugh and Lovell)."""
    back, shift = again.coordinates.back, int(again.model.equations_.intercept)
    own = back[:, at + shift] / float(back[:, at + shift] @ back[:, at + shift])
    slope = _slope(again, at)

    def pair(block: Block) -> tuple[Doubles, Doubles]:
        x: Doubles = own @ block.q
        return x, block.residuals[0] * block.root_weight + slope * x

    name = one_line(again.model.equations_.features[at])
    target = one_line(again.model.equations_.targets[0])
    return _drawn("Partial regression", f"{name}, less what other features say of it", f"{target}, less what they say", *_pairs(again, pair), slope)


def _component(again: Again, at: int) -> Plot:
    slope, mean = _slope(again, at), float(again.model.equations_.means[at]) * again.model.equations_.intercept

    def pair(block: Block) -> tuple[Doubles, Doubles]:
        x: Doubles = block.features.high[at] + mean
        return x, slope * x + block.residuals[0]

    name = one_line(again.model.equations_.features[at])
    return _drawn("Component plus residual", name, f"coefficient times {name}, plus residual", *_pairs(again, pair), slope)


_KINDS: dict[str, Callable[[Again, int], Plot]] = {"influence": _influence, "partial": _partial, "component": _component}


def _slope(again: Again, at: int) -> float:
    return float(again.model.exact_coef_.nearest()[at, 0])


def _pairs(again: Again, pair: Callable[[Block], tuple[Doubles, Doubles]]) -> tuple[Doubles, Doubles]:
    found = [pair(block) for block in again.blocks()]
    return np.concatenate([x for x, _ in found]), np.concatenate([y for _, y in found])


def _drawn(title: str, x_label: str, y_label: str, x: Doubles, y: Doubles, slope: float) -> Plot:
    seen = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    seen = seen[:: max(1, -(-len(seen) // _MOST))]
    figure = Figure(
        f"fit-{title.split()[0].lower()}",
        title=title,
        description=f"{x_label} and {y_label} of {len(seen):,} of {len(x):,} rows",
        x=axis_range(x[seen].tolist()),
        y=axis_range(y[seen].tolist(), include=0.0),
        x_label=x_label,
        y_label=y_label,
        width=480.0,
        height=360.0,
    )
    figure.points(zip(x[seen].tolist(), y[seen].tolist(), strict=True))
    if len(seen):
        ends = (float(x[seen].min()), float(x[seen].max()))
        figure.line([(end, slope * end) for end in ends], "guide")
    return Plot(title, x, y, standing_alone(figure.render()))
