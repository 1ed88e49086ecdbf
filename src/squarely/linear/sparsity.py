"""How sure quantile lines are: the density of errors at the line, by a kernel, and covariances from it."""

import math
from statistics import NormalDist

import numpy as np

from squarely.linear.asymptotic import AsymptoticInference, freedom_of, of_common_shape, sandwich
from squarely.linear.doubled import Doubles
from squarely.linear.interior import Least, Pinball
from squarely.linear.rows import Rows

__all__ = ["quantile_inference"]

_NORMAL = NormalDist()
_QUARTILES = 1.34  # between the quartiles of a normal law, in standard deviations
_BALANCED = 1e-6  # of the weight of a row on the line: less is no pull to either side


def quantile_inference(given: Rows, rows: Rows, target: Doubles, least: Least, loss: Pinball, vcov: str) -> AsymptoticInference:
    r"""Return the inference on a quantile line, with ``rows`` those ``given`` that have a weight.

    With f the density of errors at 0, "iid" has covariances :math:`\tau (1 - \tau) f^{-2} (X^\top X)^{-1}`, and "robust" weighs rows above the
    line by :math:`(\tau / f)^2` and others by :math:`((1 - \tau) / f)^2` in the middle of a sandwich.

    A row on the line is on the side to which it pulls: there its error would be if the corner of the loss were rounded a little. One that does
    not pull is half on either side, so that negative targets at ``1 - level`` have the same covariances.
    """
    density = _density(target, least.errors, loss)
    if vcov == "iid":
        covariances = of_common_shape(given.equations, loss.level * (1 - loss.level) / density**2)
    else:
        above = 0.5 + 0.5 * np.sign(np.where(np.abs(least.pulls) > _BALANCED * loss.weight, least.pulls, 0))
        each = above * loss.level**2 + (1 - above) * (1 - loss.level) ** 2
        covariances = sandwich(given.equations, rows, loss.weight * each) / density**2
    return AsymptoticInference.of(given, least.line, covariances, f"kernel, {vcov}", freedom_of(given))


def _density(target: Doubles, errors: Doubles, loss: Pinball) -> float:
    """Return the density of errors at 0 by the kernel of Epanechnikov; nan where a bandwidth has no room beside the quantile, or is 0."""
    count = float(loss.weight.sum())
    share = _hall_and_sheather(count, loss.level)
    if not 0 < loss.level - share < loss.level + share < 1:
        return math.nan
    mean = np.average(target, weights=loss.weight)
    deviation = math.sqrt(np.average((target - mean) ** 2, weights=loss.weight))
    between = _percentile(errors, loss.weight, 0.75) - _percentile(errors, loss.weight, 0.25)
    width = min(deviation, between / _QUARTILES) * (_NORMAL.inv_cdf(loss.level + share) - _NORMAL.inv_cdf(loss.level - share))
    if not width > 0:
        return math.nan
    near = np.clip(1 - (errors / width) ** 2, 0, None)
    return float(0.75 * (loss.weight @ near)) / (count * width)


def _hall_and_sheather(count: float, level: float) -> float:
    """Return the share of rows, on either side of the quantile, that its density is learnt from."""
    z = _NORMAL.inv_cdf(level)
    return float(count ** (-1 / 3) * _NORMAL.inv_cdf(0.975) ** (2 / 3) * (1.5 * _NORMAL.pdf(z) ** 2 / (2 * z * z + 1)) ** (1 / 3))


def _percentile(values: Doubles, weight: Doubles, share: float) -> float:
    """Return the value below which a share lies, between two in proportion, where a weight of 2 is a value given twice."""
    order = np.argsort(values, kind="stable")
    below = np.cumsum(weight[order])
    place = max((below[-1] - 1) * share, 0.0)
    at = np.searchsorted(below, [math.floor(place), math.floor(place) + 1], side="right").clip(max=len(order) - 1)
    low, high = values[order[at]]
    return float(low + (place - math.floor(place)) * (high - low))
