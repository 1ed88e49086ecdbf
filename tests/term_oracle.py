"""The definitions of the recipes, in hundreds of bits: written from the formulas, not from the code under test."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import mpmath as mp

Real = Any  # an mpmath number
BITS = 1500
LARGEST, NORMAL, TINY = 1.7976931348623157e308, 2.0**-1022, 5e-324


@dataclass(frozen=True)
class Point:
    """One row: reals, exact."""

    y: Real
    p: Real
    x0: Real
    x1: Real

    @property
    def r(self) -> Real:
        return self.y - self.p


Definition = Callable[..., Real]  # (point, *constants) -> the term; None: outside the domain


@dataclass(frozen=True)
class Case:
    """A recipe with its constants, and where its rows come from."""

    recipe: str
    number: int
    define: Definition
    constants: tuple[float, ...] = ()
    domain: str = "any"  # where most rows lie: "any", "positive", "log" (above -1)
    columns: str = ""  # "", "scale", "interval"
    edges: tuple[float, ...] = ()  # residuals (over the scale, where there is one) around which the recipe changes its way
    size: Definition | None = None  # whose last place counts, where a term is the difference of larger parts

    def __str__(self) -> str:
        return f"{self.recipe}({', '.join(map(str, self.constants))})"


# --- definitions --------------------------------------------------------------------------------------------------


def positive_part(x: Real) -> Real:
    return max(x, mp.mpf(0))


def pinball(x: Point, alpha: float) -> Real:
    return mp.mpf(alpha) * positive_part(x.r) + (1 - mp.mpf(alpha)) * positive_part(-x.r)


def quantile(x: Point, alpha: float) -> Real:
    return pinball(Point(x.y, x.x0, x.x0, x.x1), alpha) if mp.isfinite(x.x0) else None


def expectile(x: Point, alpha: float) -> Real:
    return (mp.mpf(alpha) if x.r > 0 else 1 - mp.mpf(alpha)) * x.r**2


def percentage(x: Point) -> Real:
    return x.r / x.y if x.y else None


def absolute_percentage(x: Point, floor: float) -> Real:
    base = abs(x.y) or mp.mpf(floor)
    return abs(x.r) / base if base else None


def symmetric_percentage(x: Point) -> Real:
    return 2 * abs(x.r) / (abs(x.y) + abs(x.p)) if x.y or x.p else mp.mpf(0)


def signed_symmetric_percentage(x: Point) -> Real:
    return 2 * abs(x.r) / (x.y + x.p) if x.y + x.p > 0 else None


def finite(*values: Real) -> bool:
    return all(mp.isfinite(value) for value in values)


def scaled(power: int) -> Definition:
    return lambda x: (abs(x.r) / x.x0) ** power if finite(x.x0) and x.x0 > 0 else None


def squared_log(x: Point) -> Real:
    return (mp.log1p(x.y) - mp.log1p(x.p)) ** 2 if x.y > -1 and x.p > -1 else None


def tweedie(x: Point, q: float) -> Real:
    y, mu, power = x.y, x.p, mp.mpf(q)
    if q == 0:
        return x.r**2
    if 0 < y == mu:
        return mp.mpf(0)
    if mu <= 0 or (1 <= q < 2 and y < 0) or (q >= 2 and y <= 0):
        return None
    if q == 1:
        return 2 * ((y * mp.log(y / mu) if y else 0) - y + mu)
    if q == 2:
        return 2 * (mp.log(mu / y) + y / mu - 1)
    first = mp.power(positive_part(y), 2 - power) / ((1 - power) * (2 - power)) if y > 0 else 0
    return 2 * (first - y * mp.power(mu, 1 - power) / (1 - power) + mp.power(mu, 2 - power) / (2 - power))


def huber(x: Point, delta: float) -> Real:
    r, d = abs(x.r), mp.mpf(delta)
    return r**2 / 2 if r <= d else d * (r - d / 2)


def pseudo_huber(x: Point, delta: float) -> Real:
    return x.r**2 / (mp.sqrt(1 + (x.r / delta) ** 2) + 1)


def log_cosh(x: Point) -> Real:
    r = abs(x.r)
    if r > 10000:
        return r - mp.log(2)
    return r - mp.log(2) + mp.log1p(mp.exp(-2 * r)) if r > 1 else mp.log1p(2 * mp.sinh(r / 2) ** 2)


def tukey(x: Point, c: float) -> Real:
    v = (x.r / c) ** 2
    return x.r**2 / 6 * (3 - 3 * v + v * v) if v <= 1 else mp.mpf(c) ** 2 / 6


def cauchy(x: Point, c: float) -> Real:
    return mp.mpf(c) ** 2 / 2 * mp.log1p((x.r / c) ** 2)


def exp_minus_one(t: Real) -> Real:
    return mp.expm1(t) if t > -10000 else mp.mpf(-1)


def welsch(x: Point, c: float) -> Real:
    return -(mp.mpf(c) ** 2) / 2 * exp_minus_one(-((x.r / c) ** 2))


def geman_mcclure(x: Point, c: float) -> Real:
    return x.r**2 / 2 / (1 + (x.r / c) ** 2)


def barron(x: Point, alpha: float, c: float) -> Real:
    v, a = (x.r / c) ** 2, mp.mpf(alpha)
    if alpha == 2:
        return v / 2
    if alpha == 0:
        return mp.log1p(v / 2)
    if alpha == -math.inf:
        return -exp_minus_one(-v / 2)
    return abs(a - 2) / a * mp.expm1(a / 2 * mp.log1p(v / abs(a - 2)))


def linex(x: Point, a: float) -> Real:
    t = -mp.mpf(a) * x.r
    if t and abs(t) < mp.mpf(2) ** -150:
        return t**2 / 2 * (1 + t / 3 + t**2 / 12)
    return exp_minus_one(t) - t if t < 10000 else mp.mpf(10) ** 1000  # beyond every double


def threshold_weighted(x: Point, low: float, high: float) -> Real:
    y, p = (min(max(value, mp.mpf(low)), mp.mpf(high)) for value in (x.y, x.p))
    return (y - p) * ((x.y - y) + (x.y - p))


def interval(term: Definition) -> Definition:
    return lambda x, *constants: term(x, *constants) if finite(x.x0, x.x1) and x.x0 <= x.x1 else None


def interval_score(x: Point, alpha: float) -> Real:
    return x.x1 - x.x0 + 2 / mp.mpf(alpha) * (positive_part(x.x0 - x.y) + positive_part(x.y - x.x1))


def crps_gaussian(x: Point) -> Real:
    if not finite(x.x0) or x.x0 <= 0:
        return None
    z = abs(x.r) / x.x0
    if z > 100:
        return abs(x.r) - x.x0 / mp.sqrt(mp.pi)
    return x.x0 * (z * mp.erf(z / mp.sqrt(2)) + mp.sqrt(2 / mp.pi) * mp.exp(-z * z / 2) - 1 / mp.sqrt(mp.pi))


def gaussian_nll(x: Point) -> Real:
    return mp.log(2 * mp.pi * x.x0**2) / 2 + (x.r / x.x0) ** 2 / 2 if finite(x.x0) and x.x0 > 0 else None


def gaussian_nll_size(x: Point) -> Real:
    """The larger of the two parts."""
    return max(abs(mp.log(2 * mp.pi * x.x0**2) / 2), (x.r / x.x0) ** 2 / 2)


def wrapped(x: Point, period: float) -> Real:
    with mp.workprec(4200):
        return x.r - mp.nint(x.r / mp.mpf(period)) * mp.mpf(period)


LOG2 = math.log(2)
LIMITS = ((0.5, 2.0), (-math.inf, 1.0), (0.0, math.inf), (-math.inf, math.inf), (-1e-3, 1e300))
TURNS = tuple((k - 0.5) * LOG2 for k in range(1, 6))  # where the exponential takes the next power of two
LINEX_EDGES = (1.0, 2.0**-200, 2.0**60, 700.0, 709.78, 1000.0, 2000.0, *TURNS, 99.5 * LOG2, 100.5 * LOG2)
FLAT, STEEP = 2.0**-200, 2.0**200  # the ends of the range in which (r/c)^2 is formed


def robust(recipe: str, number: int, define: Definition, constants: tuple[float, ...], *edges: float) -> tuple[Case, ...]:
    """One case for each tuning constant; edges are multiples of it."""
    return tuple(Case(recipe, number, define, (c,), edges=tuple(c * edge for edge in edges)) for c in constants)


CASES = (
    Case("squared_error", 1, lambda x: x.r**2),
    Case("absolute_error", 2, lambda x: abs(x.r)),
    Case("error", 3, lambda x: x.p - x.y),
    *(Case("pinball", 4, pinball, (alpha,)) for alpha in (0.5, 0.9, 0.05, TINY, 0.0, 1.0)),
    *(Case("expectile", 5, expectile, (alpha,), edges=(2.0**500, 2.0**513, 2.0**520)) for alpha in (0.3, 0.9, 1e-310)),
    Case("percentage", 6, percentage),
    *(Case("absolute_percentage", 7, absolute_percentage, (floor,)) for floor in (0.0, 1e-9, 2.0**-52)),
    Case("squared_percentage", 8, lambda x: (x.r / x.y) ** 2 if x.y else None),
    Case("symmetric_percentage", 9, symmetric_percentage),
    Case("signed_symmetric_percentage", 10, signed_symmetric_percentage),
    Case("scaled_absolute", 11, scaled(1), columns="scale"),
    Case("scaled_squared", 12, scaled(2), columns="scale"),
    Case("squared_log", 13, squared_log, domain="log"),
    *(Case("tweedie", 14, tweedie, (q,), "any") for q in (0.0, -0.5, -1.0, -1.1, -3.0)),
    *(Case("tweedie", 14, tweedie, (q,), "positive") for q in (1.0, 1 + 1e-12, 1.0001, 1.2, 1.5, 1.7, 1.9999, 2 - 1e-8, 2.0, 2.5, 2.6, 3.0, 30.0)),
    *robust("huber", 15, huber, (1.0, 0.3, 1.35, TINY, LARGEST), 1.0),
    *robust("pseudo_huber", 16, pseudo_huber, (1.0, 0.3, 1e-200, 1e300), 1.0, FLAT, STEEP),
    Case("log_cosh", 17, log_cosh, edges=(0.35, 0.17, 400.0, 2.0**60, *(turn / 2 for turn in TURNS))),
    *robust("tukey", 18, tukey, (4.685, 0.3, 1e-200, 1e200), 1.0, math.sqrt(0.5)),
    *robust("cauchy", 19, cauchy, (2.385, 0.3, 1e-90, 1e90), 1.0, FLAT, STEEP, math.sqrt(2**0.5 - 1), math.sqrt(2**1.5 - 1)),
    *robust("welsch", 20, welsch, (2.985, 0.3, 1e-90, 1e90), 1.0, FLAT, STEEP, *map(math.sqrt, TURNS), math.sqrt(1000)),
    *robust("geman_mcclure", 21, geman_mcclure, (1.0, 0.3, 1e-90, 1e90), 1.0, FLAT, STEEP),
    *(
        Case("barron", 22, barron, (alpha, c), edges=(c, c * FLAT, c * STEEP))
        for alpha in (2.0, 0.0, -math.inf, 1.0, -2.0, 0.5, 1.5, 1.9999, 2.0000001, 1e-9, -1e-300, -10.0, 4.0)
        for c in (1.3, 1e-90)
    ),
    *(Case("linex", 23, linex, (a,), edges=tuple(x / abs(a) for x in LINEX_EDGES)) for a in (1.0, -0.3, 2.5, 1e-300, -1e300)),
    *(Case("threshold_weighted", 24, threshold_weighted, limits, edges=(1.0, 0.5, 2.0)) for limits in LIMITS),
    Case("interval_covered", 25, interval(lambda x: mp.mpf(x.x0 <= x.y <= x.x1)), columns="interval"),
    Case("interval_width", 26, interval(lambda x: x.x1 - x.x0), columns="interval"),
    *(Case("interval_score", 27, interval(interval_score), (alpha,), columns="interval") for alpha in (0.1, 0.05, 1e-3)),
    Case("crps_gaussian", 28, crps_gaussian, columns="scale", edges=(1.4, 9.5)),
    Case("gaussian_nll", 29, gaussian_nll, columns="scale", size=gaussian_nll_size),
    *robust("circular_absolute", 30, lambda x, t: abs(wrapped(x, t)), (360.0, 2 * math.pi, 1e-300, 1e300), 0.5, 1.0, 1.5, 2.5, 2.0**50),
    *robust("circular_squared", 31, lambda x, t: wrapped(x, t) ** 2, (24.0, 0.1), 0.5, 1.0, 1.5),
    *robust("circular_error", 32, lambda x, t: -wrapped(x, t), (24.0, 0.1), 0.5, 1.0, 1.5),
    *(Case("quantile", 33, quantile, (alpha,), columns="scale") for alpha in (0.5, 0.9, 0.05)),
)


def distance(got: float, want: Real, size: Real) -> float:
    """How many units in the last place of `size` lie between a term and its real value; infinite where only one of them is out of range."""
    if want is None or math.isnan(got):
        return 0.0 if want is None and math.isnan(got) else math.inf
    limit = mp.mpf(LARGEST)
    if math.isinf(got):
        return 0.0 if want * mp.sign(got) > limit * (1 - mp.mpf(2) ** -51) else math.inf
    if abs(want) > limit * (1 + mp.mpf(2) ** -51):
        return math.inf
    exponent = max(mp.frexp(size)[1] - 53, -1074) if size else -1074
    return float(abs(mp.mpf(got) - want) / mp.mpf(2) ** exponent)
