"""Added: what further columns would explain of the residuals of a fit, from moments that hold both."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from squarely.diagnose.laws import f_tail
from squarely.linear.doubled import Doubles
from squarely.linear.equations import NormalEquations

__all__ = ["Added", "Gain", "projected"]

_SAME = 1e-10  # of its length: what a column has beside those that span it, when it was rounded


class Gain(NamedTuple):
    """What a sum of squared residuals falls by, the degrees of freedom that takes, and F with its probability by chance."""

    share: float
    rank: int
    f: float
    p_value: float


@dataclass(frozen=True, eq=False)
class Added:
    """The root of the moments of columns in a fit and of some that are not: ``R22`` and ``z2`` are what the latter have beside the former."""

    names: tuple[str, ...]
    columns: Doubles  # R22
    target: Doubles  # z2
    residual_squares: float  # of the fit
    freedom: int  # of its residuals

    @classmethod
    def of(cls, equations: NormalEquations, base: int, residual_squares: float, freedom: int) -> "Added":
        """Return what columns after the first ``base`` add to a fit on those."""
        root, right = equations.root
        below = root[base:, base:]
        lengths = np.sqrt((root * root).sum(axis=0))[base:]
        beside = np.sqrt((below * below).sum(axis=0)) > _SAME * lengths
        return cls(equations.features[base:], np.where(beside, below, 0.0), right[base:, 0], residual_squares, freedom)

    def gain(self, names: tuple[str, ...]) -> Gain:
        """Return what some of the columns explain together."""
        chosen = [self.names.index(name) for name in names]
        found, rank = projected(self.columns[:, chosen], self.target)
        squares = float(found @ found)
        left = self.freedom - rank
        if not rank or not left > 0 or not self.residual_squares > 0:
            return Gain(float("nan"), rank, float("nan"), float("nan"))
        f = squares / rank / (max(self.residual_squares - squares, 0.0) / left) if squares < self.residual_squares else float("inf")
        return Gain(squares / self.residual_squares, rank, f, f_tail(f, rank, left))


def projected(columns: Doubles, target: Doubles) -> tuple[Doubles, int]:
    """Return the projection of a target on the span of columns, and its dimension; each column counts on its own scale."""
    lengths = np.sqrt((columns * columns).sum(axis=0))
    scaled = columns[:, lengths > 0] / lengths[lengths > 0]
    if not scaled.size:
        return np.zeros_like(target), 0
    basis, sizes, _ = np.linalg.svd(scaled, full_matrices=False)
    basis = basis[:, sizes > _SAME * sizes[0]]
    found: Doubles = basis @ (basis.T @ target)
    return found, basis.shape[1]
