"""What errors over their predicted standard deviations leave of the rows: moments by size, coverage, and bins of the deviations."""

import numpy as np
import numpy.typing as npt

from squarely.diagnose.grid import Cells, Grid
from squarely.diagnose.laws import normal_quantile
from squarely.state import PairState

__all__ = ["LEVELS", "Scaled"]

Floats = npt.NDArray[np.float64]
LEVELS = (0.5, 0.8, 0.95)  # of the intervals whose coverage is told
_ENDS = np.array([normal_quantile(level) for level in LEVELS])
_FINE = 128.0  # steps of |z| from one whole number to the next: a normal law has at most 0.6 % of the rows in one
_FAR = 8.0  # beyond, there is one step: a normal law has one row in 10^15 there
_EDGES = np.append(np.unique(np.append(np.arange(1, _FINE * _FAR + 1) / _FINE, _ENDS)), np.inf)  # where each step ends


class Scaled:
    """States of z = e / sigma, for rows with a sigma above 0; the others are refused.

    ``grid`` has the pairs (z^2, sigma^-2) by bin of sigma.
    """

    def __init__(self) -> None:
        self._steps = Cells(len(_EDGES))  # (z^2, z) by step of |z|
        self.grid = Grid()

    def see(self, e: Floats, sigma: Floats, weight: Floats | None) -> None:
        """Add rows."""
        good = (sigma > 0) & (sigma < np.inf)
        with np.errstate(all="ignore"):
            sigma = sigma if good.all() else np.where(good, sigma, np.nan)
            z, per = e / sigma, 1 / sigma
            size, z2 = np.abs(z), z * z
            step = np.minimum(size * _FINE, _FINE * _FAR)
            step[np.isnan(step)] = 0
            step = step.astype(np.int32)
            for end in _ENDS:
                step += size > end
            self._steps.see(step, z2, z, weight)
            rows = slice(None) if good.all() else good
            self.grid.see(sigma[rows], z2[rows], (per * per)[rows], None if weight is None else weight[rows])

    def follow(self, other: "Scaled") -> None:
        """Add what comes after, which is used up."""
        self._steps.take(other._steps, other._steps.used)
        self.grid.absorb(other.grid)

    def square(self) -> PairState:
        """Return the state of (z^2, z) of all rows."""
        return sum(self._steps.states(self._steps.used), PairState())

    def reached(self) -> tuple[Floats, Floats, Floats]:
        """Return where steps of |z| end, the share of the weight up to there, and that up to the end of each interval of ``LEVELS``."""
        used = self._steps.used
        share = np.zeros(len(_EDGES))
        share[used] = [state.sums.observations.rounded() for state in self._steps.states(used)]
        share = np.cumsum(share) / share.sum()
        return _EDGES, share, share[np.searchsorted(_EDGES, _ENDS)]
