"""Curve: training and validation errors along sizes or values, as arrays, tables, figures and a page."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from squarely.curves.drawing import draw
from squarely.curves.seen import Side
from squarely.decompose.learner import Floats
from squarely.evaluate import Told, as_frame, framed
from squarely.plain import number, one_line
from squarely.plain import rounded as to_width
from squarely.svg_file import standing_alone

__all__ = ["Curve"]

METRICS = ("mse", "rmse", "r2")


@dataclass(frozen=True, eq=False)
class Curve:
    """Errors of training and of validation along ``values``: numbers of rows, or values of a parameter.

    ``training`` and ``validation`` have ``mse``, ``rmse``, ``r2`` (over the rows of all folds), ``fold_mse``, ``fold_r2`` and ``interval(metric)``.
    """

    along: str
    values: tuple[Any, ...]
    training: Side
    validation: Side
    frame: str

    @property
    def gap(self) -> Floats:
        """Validation less training, in mean squared error: about twice the variance of least squares."""
        return self.validation.mse - self.training.mse

    @property
    def folds(self) -> int:
        """How many splits there were."""
        return len(self.validation.seen[0])

    @property
    def verdict(self) -> str:
        """What the curve says, in words."""
        return f"{self._finding} {self._advice}".rstrip()

    @property
    def _finding(self) -> str:
        raise NotImplementedError

    @property
    def _advice(self) -> str:
        raise NotImplementedError

    def _columns(self) -> dict[str, Floats]:
        found = {}
        for side in ("training", "validation"):
            of = getattr(self, side)
            for metric in METRICS:
                found[f"{side}_{metric}"] = getattr(of, metric)
                found[f"{side}_{metric}_low"], found[f"{side}_{metric}_high"] = of.interval(metric)
        return found

    def to_frame(self) -> Any:
        """Return a row for each value, as a frame of the library that the features came in, else a pyarrow table.

        Columns: the name of what the curve is along, and training_mse, training_mse_low, training_mse_high, and so for validation, rmse and r2.
        """
        shown = list(self.values) if all(isinstance(value, int | float | str) for value in self.values) else list(map(str, self.values))
        return as_frame({self.along: shown} | {name: column.tolist() for name, column in self._columns().items()}, self.frame)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as a dictionary that JSON can hold."""
        values = [
            value if isinstance(value, str) or (isinstance(value, int | float) and math.isfinite(value)) else str(value) for value in self.values
        ]
        folds = {
            f"{side}_fold_{metric}": getattr(getattr(self, side), f"fold_{metric}") for side in ("training", "validation") for metric in ("mse", "r2")
        }
        return {
            "schema": 1,
            "kind": type(self).__name__,
            "along": self.along,
            "values": values,
            "folds": self.folds,
            "confidence": self.validation.confidence,
            "verdict": self.verdict,
            **{name: _plain(column) for name, column in (self._columns() | folds).items()},
        }

    def to_svg(self, metric: str = "mse") -> str:
        """Return the figure of "mse" or "r2"."""
        return standing_alone(draw(self, metric).svg)

    def to_markdown(self) -> str:
        """Return verdict and table as Markdown."""
        return self._told().markdown()

    def to_html(self, path: Any = None) -> str:
        """Return a page that needs nothing beside it, and write it to ``path`` where one is given."""
        return self._told().html(path)

    def _repr_html_(self) -> str:
        return framed(self.to_html(), "curve")

    def __str__(self) -> str:
        return self._told().text()

    __repr__ = __str__

    def _told(self) -> Told:
        head = (one_line(self.along, 30), "training MSE", "validation MSE", "interval", "RMSE", "training R2", "validation R2", "R2 interval")
        held = sorted({fold.n for fold in self.validation.seen[0]})
        rows = f"{held[0]:,}" if len(held) == 1 else f"{held[0]:,} to {held[-1]:,}"
        folds = f"{self.folds} fold{'' if self.folds == 1 else 's'}"
        about = f"{folds}, each with {rows} rows to validate"
        shared = f"; {self.validation.wider:.2g} times as wide, for rows validate in several" if self.validation.wider > 1 else ""
        notes = (
            "MSE and R2 are those of the rows of all folds together; RMSE is the root of the validation MSE.",
            f"Intervals ({100 * self.validation.confidence:g} %) are those of the jackknife over {folds}: with few they are wide{shared}.",
        )
        drawings = (draw(self, "mse"), draw(self, "r2"))
        return Told(self._title, about, self._finding, self._advice, head, self._rows(), (0,), notes, drawings)

    _title = "Curve"

    def _rows(self) -> tuple[tuple[str, ...], ...]:
        mse, r2 = ([_ends(*ends) for ends in zip(*self.validation.interval(metric), strict=True)] for metric in ("mse", "r2"))
        sides = (self.training.mse, self.validation.mse, mse, self.validation.rmse, self.training.r2, self.validation.r2, r2)
        return tuple(
            (self.name_of(value), *(cell if isinstance(cell, str) else f"{cell:.4g}" for cell in row))
            for value, row in zip(self.values, zip(*sides, strict=True), strict=True)
        )

    @staticmethod
    def name_of(value: Any) -> str:
        """Return a value as a reader sees it."""
        if isinstance(value, int) and not isinstance(value, bool):
            return f"{value:,}"
        return number(value) if isinstance(value, float) else one_line(str(value), 40)

    def interval_words(self, at: int) -> str:
        """Return the validation MSE at a place, with its interval."""
        low, high = (float(ends[at]) for ends in self.validation.interval("mse"))
        value = f"{self.validation.mse[at]:.4g}"
        return f"{value} ({_ends(low, high)})" if math.isfinite(low + high) else value


def _ends(low: float, high: float) -> str:
    width = high - low
    return f"{to_width(low, width)} to {to_width(high, width)}" if math.isfinite(width) else "-"


def _plain(column: Floats) -> list[Any]:
    """Return numbers as JSON holds them."""
    return [_plain(each) if np.ndim(each) else (float(each) if math.isfinite(each) else None) for each in column]
