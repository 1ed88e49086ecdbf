"""Gradients that formulas share: of means, of their roots, and of the moments of predictions. ``xp`` is an array namespace."""

from collections.abc import Callable
from typing import Any, NamedTuple

__all__ = ["Moments", "mean_of", "moments", "of_mean", "of_root", "of_share"]

Loss = Callable[..., Any]  # (xp, y, p, **settings) -> one number per row


def mean_of(xp: Any, w: Any, values: Any) -> Any:
    """Return the weighted mean."""
    return xp.sum(w * values) / xp.sum(w)


def of_mean(slope: Loss) -> Callable[..., Any]:
    """Return the gradient of the mean of a loss with this slope."""
    return lambda xp, y, p, w, **settings: w * slope(xp, y, p, **settings) / xp.sum(w)


def of_root(loss: Loss, slope: Loss) -> Callable[..., Any]:
    """Return the gradient of the root of the mean of a loss; 0 where all of it is 0, for there the root has a kink."""

    def gradient(xp: Any, y: Any, p: Any, w: Any, **settings: Any) -> Any:
        root = xp.sqrt(mean_of(xp, w, loss(xp, y, p, **settings)))
        return w * slope(xp, y, p, **settings) / xp.where(root > 0, 2 * root * xp.sum(w), xp.sum(w))

    return gradient


def of_share(slope: Loss, whole: Callable[..., Any]) -> Callable[..., Any]:
    """Return the gradient of 1 less the mean of a loss with this slope, divided by a whole that predictions do not change."""
    return lambda xp, y, p, w, **settings: -w * slope(xp, y, p, **settings) / (xp.sum(w) * whole(xp, y, w, **settings))


class Moments(NamedTuple):
    """Means, deviations from them, variances and covariance of targets and predictions."""

    mean_y: Any
    mean_p: Any
    off_y: Any
    off_p: Any
    variance_y: Any
    variance_p: Any
    covariance: Any
    share: Any  # of each row in a mean


def moments(xp: Any, y: Any, p: Any, w: Any) -> Moments:
    """Return the moments."""
    mean_y, mean_p = mean_of(xp, w, y), mean_of(xp, w, p)
    off_y, off_p = y - mean_y, p - mean_p
    variance_y, variance_p, covariance = (mean_of(xp, w, product) for product in (off_y * off_y, off_p * off_p, off_y * off_p))
    return Moments(mean_y, mean_p, off_y, off_p, variance_y, variance_p, covariance, w / xp.sum(w))
