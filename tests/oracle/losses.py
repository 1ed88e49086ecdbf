"""Losses of a single row, and the metrics that are their means.

A loss sees a target, a prediction and their exact difference r; None stands for a row outside the domain.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import mpmath

from oracle.exact import BITS, Exact, Rows, less, mean_of, ratio, rational, real, root

Loss = Callable[..., Exact | None]


def percentage(y: Fraction, p: Fraction, r: Fraction) -> Exact | None:
    return ratio(r, y)


def absolute_percentage(y: Fraction, p: Fraction, r: Fraction) -> Exact | None:
    return ratio(abs(r), abs(y))


def symmetric_percentage(y: Fraction, p: Fraction, r: Fraction, definition: str) -> Exact | None:
    if definition == "armstrong":
        return ratio(abs(r), (y + p) / 2) if y + p > 0 else None
    size = abs(y) + abs(p)
    share = abs(r) / size if size else Fraction(0)
    return share if definition == "flores" else 2 * share


def squared_log(y: Fraction, p: Fraction, r: Fraction) -> Exact | None:
    return None if y <= -1 or p <= -1 else mpmath.log(+real((1 + y) / (1 + p))) ** 2


def tweedie(y: Fraction, p: Fraction, r: Fraction, power: float) -> Exact | None:
    if power == 0:
        return r * r
    if p <= 0 or (power >= 1 and y < 0) or (power >= 2 and y == 0):
        return None
    if y == p:
        return Fraction(0)
    q, a, b = mpmath.mpf(power), real(y), real(p)
    if power == 1:
        return 2 * ((a * mpmath.log(a / b) if y else 0) - a + b)
    if power == 2:
        return 2 * (mpmath.log(b / a) + a / b - 1)
    first = a ** (2 - q) if y > 0 else mpmath.mpf(0)
    return 2 * (first / ((1 - q) * (2 - q)) - a * b ** (1 - q) / (1 - q) + b ** (2 - q) / (2 - q))


def huber(y: Fraction, p: Fraction, r: Fraction, delta: float) -> Exact:
    bend = rational(delta)
    return r * r / 2 if abs(r) <= bend else bend * (abs(r) - bend / 2)


def pseudo_huber(y: Fraction, p: Fraction, r: Fraction, delta: float) -> Exact:
    bend = mpmath.mpf(delta)
    return bend**2 * (mpmath.sqrt(1 + (real(r) / bend) ** 2) - 1)


def log_cosh(y: Fraction, p: Fraction, r: Fraction) -> Exact:
    return mpmath.log(mpmath.cosh(real(r)))


def tukey(y: Fraction, p: Fraction, r: Fraction, c: float) -> Exact:
    size = rational(c)
    return size**2 / 6 * (1 - (1 - min(abs(r) / size, Fraction(1)) ** 2) ** 3)


def cauchy(y: Fraction, p: Fraction, r: Fraction, c: float) -> Exact:
    return mpmath.mpf(c) ** 2 / 2 * mpmath.log(1 + (real(r) / mpmath.mpf(c)) ** 2)


def welsch(y: Fraction, p: Fraction, r: Fraction, c: float) -> Exact:
    return mpmath.mpf(c) ** 2 / 2 * (1 - mpmath.exp(-((real(r) / mpmath.mpf(c)) ** 2)))


def geman_mcclure(y: Fraction, p: Fraction, r: Fraction, c: float) -> Exact:
    return r * r / 2 / (1 + (r / rational(c)) ** 2)


def barron(y: Fraction, p: Fraction, r: Fraction, alpha: float, c: float) -> Exact:
    v = (real(r) / mpmath.mpf(c)) ** 2
    if alpha == 2:
        return v / 2
    if alpha == 0:
        return mpmath.log(v / 2 + 1)
    if alpha == -math.inf:
        return 1 - mpmath.exp(-v / 2)
    a = mpmath.mpf(alpha)
    return abs(a - 2) / a * ((v / abs(a - 2) + 1) ** (a / 2) - 1)


def expectile(y: Fraction, p: Fraction, r: Fraction, alpha: float) -> Exact:
    return (rational(alpha) if r > 0 else 1 - rational(alpha)) * r * r


def linex(y: Fraction, p: Fraction, r: Fraction, a: float) -> Exact:
    step = -real(r) * mpmath.mpf(a)
    return mpmath.exp(step) - step - 1


def threshold_weighted(y: Fraction, p: Fraction, r: Fraction, low: float, high: float) -> Exact:
    """The integral of 2 (y - t) over the thresholds t from the prediction to the target that lie between low and high."""

    def within(value: Fraction) -> Fraction:
        value = value if low == -math.inf else max(value, rational(low))
        return value if high == math.inf else min(value, rational(high))

    near, far = within(y), within(p)
    return (y - far) ** 2 - (y - near) ** 2


def scaled_absolute(y: Fraction, p: Fraction, r: Fraction, scale: Fraction) -> Exact | None:
    return abs(r) / scale if scale > 0 else None


def scaled_squared(y: Fraction, p: Fraction, r: Fraction, scale: Fraction) -> Exact | None:
    return (r / scale) ** 2 if scale > 0 else None


def covered(y: Fraction, p: Fraction, r: Fraction, lower: Fraction, upper: Fraction) -> Exact | None:
    return None if lower > upper else Fraction(int(lower <= y <= upper))


def width(y: Fraction, p: Fraction, r: Fraction, lower: Fraction, upper: Fraction) -> Exact | None:
    return None if lower > upper else upper - lower


def winkler(y: Fraction, p: Fraction, r: Fraction, lower: Fraction, upper: Fraction, alpha: float) -> Exact | None:
    return None if lower > upper else upper - lower + 2 / rational(alpha) * (max(lower - y, 0) + max(y - upper, 0))


def gaussian_crps(y: Fraction, p: Fraction, r: Fraction, sigma: Fraction) -> Exact | None:
    if sigma <= 0:
        return None
    z = real(r / sigma)
    density = mpmath.exp(-z * z / 2) / mpmath.sqrt(2 * mpmath.pi)
    return real(sigma) * (z * mpmath.erf(z / mpmath.sqrt(2)) + 2 * density - 1 / mpmath.sqrt(mpmath.pi))


def log_density(y: Fraction, p: Fraction, r: Fraction, sigma: Fraction) -> Exact | None:
    return None if sigma <= 0 else mpmath.log(2 * mpmath.pi * real(sigma) ** 2) / 2 + real(r / sigma) ** 2 / 2


def short_way(y: Fraction, p: Fraction, r: Fraction, period: float) -> Fraction:
    """Prediction minus target, less the whole number of periods that is nearest; half a period goes to the even number."""
    around = rational(period)
    return -(r - around * round(r / around))


def mean(rows: Rows, loss: Loss, **settings: Any) -> Exact | None:
    """The weighted mean of a loss; settings that are columns have one value for each row."""
    return mean_of(rows, terms(rows, loss, **settings))


def terms(rows: Rows, loss: Loss, **settings: Any) -> Sequence[Exact | None]:
    """The loss of every row."""
    found = []
    for at, (y, p) in enumerate(zip(rows.y, rows.p, strict=True)):
        with mpmath.workprec(_bits(y - p)):
            found.append(loss(y, p, y - p, **settings, **{name: values[at] for name, values in rows.columns.items()}))
    return found


def _bits(r: Fraction) -> int:
    """Bits enough to tell 1 from 1 plus the square of a residual, and that to 400 bits."""
    return 400 + 3 * max(0, r.denominator.bit_length() - abs(r.numerator).bit_length())


def _root_of(value: Exact | None) -> Exact | None:
    return None if value is None else root(value)


def mean_quantile_loss(rows: Rows, levels: Sequence[float] = (0.1, 0.5, 0.9)) -> Exact:
    """Each forecast is a column; a level counts as the double that it is."""
    losses = []
    for level, name in zip(levels, sorted(rows.columns), strict=True):
        misses = [y - q for y, q in zip(rows.y, rows.columns[name], strict=True)]
        losses.append(rows.mean(rational(level) * max(r, 0) + (1 - rational(level)) * max(-r, 0) for r in misses))
    return sum(losses) / len(losses)


def d2_tweedie_score(rows: Rows, power: float = 0.0) -> Exact | None:
    center = rows.mean(rows.y)
    with mpmath.workprec(BITS):
        losses = [tweedie(y, center, y - center, power) for y in rows.y]
    return less(ratio(mean(rows, tweedie, power=power), mean_of(rows, losses)))


METRICS: dict[str, Callable[..., Exact | None]] = {
    "mean_absolute_percentage_error": lambda rows: mean(rows, absolute_percentage),
    "symmetric_mean_absolute_percentage_error": lambda rows, definition="makridakis": mean(rows, symmetric_percentage, definition=definition),
    "mean_percentage_error": lambda rows: mean(rows, percentage),
    "root_mean_squared_percentage_error": lambda rows: _root_of(mean(rows, lambda y, p, r: ratio(r * r, y * y))),
    "mean_absolute_scaled_error": lambda rows: mean(rows, scaled_absolute),
    "mean_squared_scaled_error": lambda rows: mean(rows, scaled_squared),
    "root_mean_squared_scaled_error": lambda rows: _root_of(mean(rows, scaled_squared)),
    "mean_squared_log_error": lambda rows: mean(rows, squared_log),
    "root_mean_squared_log_error": lambda rows: _root_of(mean(rows, squared_log)),
    "mean_poisson_deviance": lambda rows: mean(rows, tweedie, power=1),
    "mean_gamma_deviance": lambda rows: mean(rows, tweedie, power=2),
    "mean_tweedie_deviance": lambda rows, power=0.0: mean(rows, tweedie, power=power),
    "d2_tweedie_score": d2_tweedie_score,
    "mean_huber_loss": lambda rows, delta=1.0: mean(rows, huber, delta=delta),
    "mean_smooth_l1_loss": lambda rows, beta=1.0: ratio(mean(rows, huber, delta=beta), rational(beta)),
    "mean_pseudo_huber_loss": lambda rows, delta=1.0: mean(rows, pseudo_huber, delta=delta),
    "mean_log_cosh_loss": lambda rows: mean(rows, log_cosh),
    "mean_tukey_loss": lambda rows, c=4.685: mean(rows, tukey, c=c),
    "mean_cauchy_loss": lambda rows, c=2.385: mean(rows, cauchy, c=c),
    "mean_welsch_loss": lambda rows, c=2.985: mean(rows, welsch, c=c),
    "mean_geman_mcclure_loss": lambda rows, c=1.0: mean(rows, geman_mcclure, c=c),
    "mean_barron_loss": lambda rows, alpha=1.0, c=1.0: mean(rows, barron, alpha=alpha, c=c),
    "mean_quantile_loss": mean_quantile_loss,
    "crps_quantiles": lambda rows, levels=(0.1, 0.5, 0.9): 2 * mean_quantile_loss(rows, levels),
    "mean_expectile_loss": lambda rows, alpha=0.5: mean(rows, expectile, alpha=alpha),
    "mean_linex_loss": lambda rows, a=1.0: mean(rows, linex, a=a),
    "threshold_weighted_squared_error": lambda rows, low=-math.inf, high=math.inf: mean(rows, threshold_weighted, low=low, high=high),
    "interval_coverage": lambda rows: mean(rows, covered),
    "mean_interval_width": lambda rows: mean(rows, width),
    "interval_score": lambda rows, alpha=0.05: mean(rows, winkler, alpha=alpha),
    "crps_gaussian": lambda rows: mean(rows, gaussian_crps),
    "gaussian_nll": lambda rows: mean(rows, log_density),
    "mean_absolute_circular_error": lambda rows, period=360.0: mean(rows, lambda y, p, r: abs(short_way(y, p, r, period))),
    "root_mean_squared_circular_error": lambda rows, period=360.0: root(mean(rows, lambda y, p, r: short_way(y, p, r, period) ** 2)),
    "mean_circular_error": lambda rows, period=360.0: mean(rows, short_way, period=period),
}
