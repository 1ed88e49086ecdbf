"""Tail probabilities of the laws that tests refer to, and how errors of a law are distributed."""

import math

from squarely.intervals.saddle import gamma_term
from squarely.intervals.student import beta_tail

__all__ = ["chi2_tail", "f_tail", "normal_quantile", "normal_tail"]

_SMALL = 1e-300


def f_tail(f: float, above: float, below: float) -> float:
    """Return the probability that an F variable with these degrees of freedom is at least so large."""
    if math.isnan(f) or not (above > 0 and below > 0):
        return math.nan
    if f <= 0:
        return 1.0
    if math.isinf(f):
        return 0.0
    rest = above * f
    if rest <= below:
        return beta_tail(below / (below + rest), rest / (below + rest), below / 2, above / 2)
    odds = below / above / f  # the product may be beyond doubles
    return beta_tail(odds / (1 + odds), 1 / (1 + odds), below / 2, above / 2)


def chi2_tail(x: float, freedom: float) -> float:
    """Return the probability that a chi-squared variable is at least so large: the regularised upper incomplete gamma function."""
    if math.isnan(x) or not freedom > 0:
        return math.nan
    a, x = freedom / 2, x / 2
    if x <= 0:
        return 1.0
    if math.isinf(x):
        return 0.0
    front = gamma_term(x, a)
    if x < a + 1:
        term = total = 1 / a
        for k in range(1, 1_000_000):
            term *= x / (a + k)
            total += term
            if term < total * 1e-17:
                break
        return 1 - front * total
    b = x + 1 - a
    c, d = 1 / _SMALL, 1 / b
    value = d
    for k in range(1, 1_000_000):
        step = -k * (k - a)
        b += 2
        d = 1 / ((step * d + b) or _SMALL)
        c = (b + step / c) or _SMALL
        value *= c * d
        if abs(c * d - 1) < 1e-16:
            break
    return front * value


def normal_tail(z: float) -> float:
    """Return the probability that a normal variable is at least so far from 0, on either side."""
    return math.erfc(abs(z) / math.sqrt(2))


def normal_quantile(confidence: float) -> float:
    """Return how far from 0 a normal variable stays with a probability, in standard deviations."""
    low, high = 0.0, 40.0
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if normal_tail(middle) > 1 - confidence else (low, middle)
    return (low + high) / 2
