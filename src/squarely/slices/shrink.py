"""Shrunken estimates: what the slices of a column have in common mends what few rows make of each."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from squarely.intervals.link import Link

__all__ = ["shrunken", "variance_between"]

Floats = npt.NDArray[np.float64]


def variance_between(t: Floats, s: Floats) -> float:
    r"""Return the variance between true values, from estimates t with standard errors s.

    .. math:: \tau^2 = \max\left(0, \frac{Q - (k - 1)}{\sum w - \sum w^2 / \sum w}\right), \quad Q = \sum w (t - \bar t)^2, \quad w = 1 / s^2

    References
    ----------
    DerSimonian, R. and Laird, N. (1986), Controlled Clinical Trials 7(3), doi:10.1016/0197-2456(86)90046-2.
    """
    w = (s.min() / s) ** 2  # in units of the largest weight, which leaves no room to overflow
    q = float((w * (t - (w * t).sum() / w.sum()) ** 2).sum())
    return max(0.0, (q - (len(t) - 1) * float(s.min()) ** 2) / float(w.sum() - (w * w).sum() / w.sum()))


def shrunken(values: Sequence[float], errors: Sequence[float], whole: float, link: Link) -> list[float]:
    r"""Return the values of slices of one column, drawn towards that of all rows by as much as chance may have made of them.

    .. math:: g^{-1}\left(\mu + \frac{\tau^2}{\tau^2 + s^2} (t - \mu)\right)

    Here t = g(value) on the scale of the link, s is its standard error, and mu = g(value of all rows). A value without spread, as that
    of a slice without error, stays as it is.

    Parameters
    ----------
    values, errors : sequence of float, and their standard errors
    whole : float
        The value of all rows.
    link : Link

    References
    ----------
    Efron, B. and Morris, C. (1975), J. American Statistical Association 70(350), doi:10.1080/01621459.1975.10479864.
    """
    with np.errstate(all="ignore"):
        x, mu = np.array(values), float(link(np.float64(whole)))
        t, s = link(x), np.array(errors) * link.slope(x)
        usable = np.isfinite(t) & np.isfinite(s) & (s > 0)
        if not np.isfinite(mu) or not usable.any():
            return list(values)
        lone = usable.sum() == 1  # nothing to compare it with but all rows
        between = max(0.0, float(((t - mu) ** 2 - s * s)[usable][0])) if lone else variance_between(t[usable], s[usable])
        drawn = link.back(mu + between / (between + s * s) * (t - mu))
    found: list[float] = np.where(usable, drawn, x).tolist()
    return found
