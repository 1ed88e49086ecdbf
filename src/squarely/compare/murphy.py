"""Murphy diagrams: which model is better under every loss for which the mean is the best prediction."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Murphy", "murphy"]

Floats = npt.NDArray[np.float64]
_FINE = 1e-12  # of the largest score: what rounding may leave between equal scores


@dataclass(frozen=True)
class Murphy:
    """The mean elementary score of each model at each threshold; a model with no greater one anywhere is at least as good under every loss
    that the mean is best for, the squared error among them."""

    thresholds: Floats
    scores: dict[str, Floats]
    rows: int

    def dominates(self, a: str, b: str) -> bool:
        """Say whether model a is nowhere worse than model b, and somewhere better."""
        difference = self.scores[a] - self.scores[b]
        fine = _FINE * float(max(self.scores[a].max(), self.scores[b].max()))
        return bool(difference.max() <= fine and difference.min() < -fine)


def murphy(y: Floats, predictions: dict[str, Floats], weight: Floats | None = None) -> Murphy:
    r"""Return the Murphy diagram of models on the same rows.

    .. math:: S_\theta(y, \hat y) = |y - \theta| \; 1\{\min(y, \hat y) \le \theta < \max(y, \hat y)\}

    Between two neighbours among all targets and predictions a mean score is linear in the threshold, so it is known everywhere from the
    thresholds themselves and from just below them.

    References
    ----------
    Ehm, W., Gneiting, T., Jordan, A. and Krueger, F. (2016), J. Royal Statistical Society B 78(3), doi:10.1111/rssb.12154.
    """
    w = np.full(len(y), 1 / len(y)) if weight is None else weight / weight.sum()
    edges = np.unique(np.concatenate([y, *predictions.values()]))
    return Murphy(np.repeat(edges, 2), {model: _scores(y, p, w, edges) for model, p in predictions.items()}, len(y))


def _scores(y: Floats, p: Floats, w: Floats, edges: Floats) -> Floats:
    """Return the mean scores just below each edge, and at it: rows enter at the smaller of target and prediction, and leave at the larger."""
    sign, low, high = np.where(y > p, w, -w), np.minimum(y, p), np.maximum(y, p)
    center = float(edges[len(edges) // 2])
    slope, level = np.zeros(len(edges) + 1), np.zeros(len(edges) + 1)
    for at, side in ((low, sign), (high, -sign)):
        place = np.searchsorted(edges, at) + 1
        slope += np.bincount(place, side, len(edges) + 1)
        level += np.bincount(place, side * (y - center), len(edges) + 1)
    slope, level = slope.cumsum(), level.cumsum()
    off = edges - center
    return np.stack([level[:-1] - slope[:-1] * off, level[1:] - slope[1:] * off], axis=1).ravel()
