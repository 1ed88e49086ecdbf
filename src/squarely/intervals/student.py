"""Student's t distribution: probabilities of both tails, and quantiles; with infinite freedom it is the normal one."""

import math
from functools import lru_cache
from statistics import NormalDist

from squarely.intervals.saddle import beta_term

__all__ = ["beta_tail", "quantile", "tails"]

_SMALL = 1e-300  # in place of 0 in the continued fraction


def tails(t: float, freedom: float) -> float:
    """Return the probability that a t variable with so many degrees of freedom is at least so far from 0, on either side.

    It is the incomplete beta function at v / (v + t^2) with parameters v / 2 and 1 / 2.
    """
    if math.isnan(t) or not freedom > 0:
        return math.nan
    if math.isinf(freedom):
        return math.erfc(abs(t) / math.sqrt(2))
    if abs(t) <= 1:
        return beta_tail(freedom / (freedom + t * t), t * t / (freedom + t * t), freedom / 2, 0.5)
    odds = freedom / t / t  # the square of t may be beyond doubles, and t infinite
    return beta_tail(odds / (1 + odds), 1 / (1 + odds), freedom / 2, 0.5)


def beta_tail(x: float, rest: float, a: float, b: float) -> float:
    """Return the regularised incomplete beta function at x; ``rest`` is 1 - x, which may be known better than the difference."""
    if math.isnan(x + rest):
        return math.nan
    if rest == 0:
        return 1.0
    front = beta_term(x, rest, a, b)
    above = a * rest - b * x  # a - (a + b) x, which is 0 near the mean
    return front * _fraction(x, rest, a, b, above) if above > 0 else 1 - front * _fraction(rest, x, b, a, -above)


def _fraction(x: float, rest: float, a: float, b: float, above: float) -> float:
    """Return the incomplete beta function over its ``beta_term``, by the continued fraction of DiDonato and Morris.

    It takes a - (a + b) x as it is known, so that nothing cancels where x is next to 1. TOMS 18(3), doi:10.1145/131766.131776.
    """
    found = (above + 1) * a / (a + 1)
    c, d = found or _SMALL, 0.0
    value = c
    for n in range(1, 1_000_000):  # about the root of the larger parameter
        odd = a + 2 * n - 1
        w = n * (b - n) * x
        alpha = (a + n - 1) / odd * ((a + b + n - 1) / odd) * w * x
        beta = n + w / odd + (a + n) / (odd + 2) * (above + 1 + n * (1 + rest))
        d = 1 / ((beta + alpha * d) or _SMALL)
        c = (beta + alpha / c) or _SMALL
        value *= c * d
        if abs(c * d - 1) < 3e-16:
            break
    return 1 / value


@lru_cache(4096)
def quantile(confidence: float, freedom: float) -> float:
    """Return the t that a t variable exceeds in size with probability 1 - confidence.

    The probability falls and is convex, so Newton's steps from 0 come nearer and never go too far.
    """
    if math.isinf(freedom):
        return -NormalDist().inv_cdf((1 - confidence) / 2)
    height = math.exp(math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2)) / math.sqrt(freedom * math.pi)  # of the density at 0
    t = 0.0
    for _ in range(200):
        step = (tails(t, freedom) - (1 - confidence)) / (2 * height * (1 + t * t / freedom) ** (-(freedom + 1) / 2))
        t += step
        if not step > 1e-15 * t:
            break
    return t
