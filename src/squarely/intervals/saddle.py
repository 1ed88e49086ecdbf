"""Terms of the binomial and of the Poisson law by their saddle point: right for any number of degrees of freedom.

The logarithms of gamma functions of a billion lose seven digits when they are subtracted; here nothing large is.

References
----------
Loader, C. (2000), Fast and accurate computation of binomial probabilities.
"""

import math

__all__ = ["beta_term", "gamma_term"]

_SERIES = (1 / 1188, 1 / 1680, 1 / 1260, 1 / 360, 1 / 12)


def beta_term(x: float, rest: float, a: float, b: float) -> float:
    """Return x^a rest^b over the beta function of a and b; ``rest`` is 1 - x."""
    if not x or not rest:
        return 0.0
    n = a + b
    exponent = _stirling(n) - _stirling(a) - _stirling(b) - _deviance(a, n * x) - _deviance(b, n * rest)
    return math.exp(exponent) * math.sqrt(a / n * b / (2 * math.pi))


def gamma_term(x: float, a: float) -> float:
    """Return x^a exp(-x) over the gamma function of a."""
    return math.exp(-_stirling(a) - _deviance(a, x)) * math.sqrt(a / (2 * math.pi)) if x else 0.0


def _stirling(n: float) -> float:
    """Return what the formula of Stirling lacks of the logarithm of n!."""
    if n < 16:
        return math.lgamma(n + 1) - (n + 0.5) * math.log(n) + n - 0.5 * math.log(2 * math.pi)
    found = 0.0
    for term in _SERIES:
        found = term - found / (n * n)
    return found / n


def _deviance(x: float, mean: float) -> float:
    """Return x log(x / mean) + mean - x, which is small where x is near the mean."""
    if abs(x - mean) >= 0.1 * (x + mean):
        return x * math.log(x / mean) + mean - x
    v = (x - mean) / (x + mean)
    total, term = (x - mean) * v, 2 * x * v
    for k in range(3, 1000, 2):
        term *= v * v
        before, total = total, total + term / k
        if total == before:
            break
    return total
