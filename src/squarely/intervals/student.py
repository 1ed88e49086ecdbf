"""Student's t distribution: probabilities of both tails, and quantiles."""

import math
from functools import lru_cache

__all__ = ["beta_tail", "quantile", "tails"]

_SMALL = 1e-300  # in place of 0 in the continued fraction


def tails(t: float, freedom: float) -> float:
    """Return the probability that a t variable with so many degrees of freedom is at least so far from 0, on either side.

    It is the incomplete beta function at v / (v + t^2) with parameters v / 2 and 1 / 2.
    """
    if math.isnan(t) or not freedom > 0:
        return math.nan
    return beta_tail(freedom / (freedom + t * t), t * t / (freedom + t * t), freedom / 2, 0.5)


def beta_tail(x: float, rest: float, a: float, b: float) -> float:
    """Return the regularised incomplete beta function at x; ``rest`` is 1 - x, which may be known better than the difference."""
    if rest == 0:
        return 1.0
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log(rest)) if x else 0.0
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(x, a, b) / a
    return 1 - front * _fraction(rest, b, a) / b


def _fraction(x: float, a: float, b: float) -> float:
    """Return the continued fraction of the incomplete beta function, by the method of Lentz."""
    c, d = 1.0, 1 / ((1 - (a + b) * x / (a + 1)) or _SMALL)
    value = d
    for m in range(1, 20_000):  # about the root of the larger parameter
        for step in (m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)), -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))):
            d = 1 / ((1 + step * d) or _SMALL)
            c = (1 + step / c) or _SMALL
            value *= c * d
        if abs(c * d - 1) < 3e-15:
            break
    return value


@lru_cache(4096)
def quantile(confidence: float, freedom: int) -> float:
    """Return the t that a t variable exceeds in size with probability 1 - confidence."""
    low, high = 0.0, 1.0
    while tails(high, freedom) > 1 - confidence:
        low, high = high, 2 * high
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if tails(middle, freedom) > 1 - confidence else (low, middle)
    return (low + high) / 2
