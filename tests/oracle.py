"""Textbook definitions of the metrics in exact arithmetic: what the library is compared with.

Nothing here goes through the library or through its sums. Each metric is a loop over the rows, in `fractions.Fraction`;
the few roots are taken by mpmath with 2,500 bits, far more than any cancellation here can use up. `None` means undefined.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np

BITS = 2500
Exact = Fraction | mpmath.mpf


def column(values: Any) -> list[Fraction]:
    """Every element of an array or sequence as the rational number that it is."""
    return [_rational(value) for value in np.asarray(values).tolist()]


def _rational(value: float | bool) -> Fraction:
    return Fraction(int(value)) if isinstance(value, (bool, int)) else Fraction(*float(value).as_integer_ratio())


@dataclass(frozen=True)
class Rows:
    """Targets, predictions and weights as rationals."""

    y: list[Fraction]
    p: list[Fraction]
    w: list[Fraction]

    @classmethod
    def of(cls, y: Any, p: Any, w: Any = None) -> Rows:
        """Read arrays; rows of weight 0 are no rows."""
        weights = [Fraction(1)] * len(y) if w is None else column(w)
        kept = [row for row in zip(column(y), column(p), weights, strict=True) if row[2] != 0]
        return cls([a for a, _, _ in kept], [b for _, b, _ in kept], [c for _, _, c in kept])

    def mean(self, terms: Iterable[Fraction]) -> Fraction:
        """The weighted mean of one term per row."""
        total = _sum(w * term for w, term in zip(self.w, terms, strict=True))
        return total / _sum(self.w)

    @property
    def errors(self) -> list[Fraction]:
        """Prediction minus target."""
        return [p - y for y, p in zip(self.y, self.p, strict=True)]

    def variance(self, values: Sequence[Fraction]) -> Fraction:
        """The population variance."""
        return self.covariance(values, values)

    def covariance(self, left: Sequence[Fraction], right: Sequence[Fraction]) -> Fraction:
        """The population covariance."""
        a, b = self.mean(left), self.mean(right)
        return self.mean((x - a) * (z - b) for x, z in zip(left, right, strict=True))


def _sum(terms: Iterable[Fraction]) -> Fraction:
    return sum(terms, Fraction(0))


def real(value: Exact) -> mpmath.mpf:
    """A rational as a real number of `BITS` bits."""
    with mpmath.workprec(BITS):
        return mpmath.mpf(value.numerator) / value.denominator if isinstance(value, Fraction) else value


def root(value: Exact) -> mpmath.mpf:
    """The square root."""
    with mpmath.workprec(BITS):
        return mpmath.sqrt(real(value))


def ratio(top: Exact, bottom: Exact) -> Exact | None:
    """A quotient, undefined where the divisor is 0."""
    if bottom == 0:
        return None
    if isinstance(top, Fraction) and isinstance(bottom, Fraction):
        return top / bottom
    with mpmath.workprec(BITS):
        return real(top) / real(bottom)


def mean_squared_error(rows: Rows) -> Exact:
    return rows.mean(e * e for e in rows.errors)


def root_mean_squared_error(rows: Rows) -> Exact:
    return root(mean_squared_error(rows))


def mean_absolute_error(rows: Rows) -> Exact:
    return rows.mean(abs(e) for e in rows.errors)


def mean_error(rows: Rows) -> Exact:
    return rows.mean(rows.errors)


def residual_variance(rows: Rows) -> Exact:
    return rows.variance(rows.errors)


def max_error(rows: Rows) -> Exact:
    return max(abs(e) for e in rows.errors)


def r2_score(rows: Rows) -> Exact | None:
    share = ratio(mean_squared_error(rows), rows.variance(rows.y))
    return None if share is None else 1 - share


def adjusted_r2_score(rows: Rows, n_features: int = 1) -> Exact | None:
    n, score = _sum(rows.w), r2_score(rows)
    return None if score is None or n <= n_features + 1 else 1 - (1 - score) * (n - 1) / (n - n_features - 1)


def explained_variance_score(rows: Rows) -> Exact | None:
    share = ratio(residual_variance(rows), rows.variance(rows.y))
    return None if share is None else 1 - share


def pearson_correlation(rows: Rows) -> Exact | None:
    return ratio(rows.covariance(rows.y, rows.p), root(rows.variance(rows.y) * rows.variance(rows.p)))


def concordance_correlation(rows: Rows) -> Exact | None:
    spread = rows.variance(rows.y) + rows.variance(rows.p) + mean_error(rows) ** 2
    return ratio(2 * rows.covariance(rows.y, rows.p), spread)


def variability_ratio(rows: Rows) -> Exact | None:
    return ratio(root(rows.variance(rows.p)), root(rows.variance(rows.y)))


def bias_ratio(rows: Rows) -> Exact | None:
    return ratio(rows.mean(rows.p), rows.mean(rows.y))


def kling_gupta_efficiency(rows: Rows) -> Exact | None:
    parts = (pearson_correlation(rows), variability_ratio(rows), bias_ratio(rows))
    if None in parts:
        return None
    with mpmath.workprec(BITS):
        return 1 - mpmath.sqrt(sum((real(part) - 1) ** 2 for part in parts))


def normalized_mean_squared_error(rows: Rows, normalizer: str = "variance") -> Exact | None:
    scale = {
        "variance": lambda: rows.variance(rows.y),
        "energy": lambda: rows.mean(y * y for y in rows.y),
        "mean_product": lambda: rows.mean(rows.y) * rows.mean(rows.p),
        "range": lambda: (max(rows.y) - min(rows.y)) ** 2,
    }[normalizer]()
    return ratio(mean_squared_error(rows), scale)


def normalized_root_mean_squared_error(rows: Rows, normalizer: str = "std") -> Exact | None:
    scale = {
        "std": lambda: root(rows.variance(rows.y)),
        "mean": lambda: abs(rows.mean(rows.y)),
        "range": lambda: max(rows.y) - min(rows.y),
        "energy": lambda: root(rows.mean(y * y for y in rows.y)),
    }[normalizer]()
    return ratio(root_mean_squared_error(rows), scale)


def calibration_slope(rows: Rows) -> Exact | None:
    return ratio(rows.covariance(rows.y, rows.p), rows.variance(rows.p))


def calibration_intercept(rows: Rows) -> Exact | None:
    slope = calibration_slope(rows)
    return None if slope is None else rows.mean(rows.y) - slope * rows.mean(rows.p)


def weighted_absolute_percentage_error(rows: Rows) -> Exact | None:
    return ratio(mean_absolute_error(rows), rows.mean(abs(y) for y in rows.y))


def mean_pinball_loss(rows: Rows, alpha: float = 0.5) -> Exact:
    level = Fraction(alpha)
    return rows.mean(-level * e if e < 0 else (1 - level) * e for e in rows.errors)


def d2_pinball_score(rows: Rows, alpha: float = 0.5) -> Exact | None:
    """The baseline is the best constant: a piecewise linear loss is least at one of its corners, the targets."""
    constants = (Rows(rows.y, [constant] * len(rows.y), rows.w) for constant in set(rows.y))
    share = ratio(mean_pinball_loss(rows, alpha), min(mean_pinball_loss(constant, alpha) for constant in constants))
    return None if share is None else 1 - share


def d2_absolute_error_score(rows: Rows) -> Exact | None:
    return d2_pinball_score(rows)


METRICS: dict[str, Callable[..., Exact | None]] = {
    function.__name__: function
    for function in (
        mean_squared_error,
        root_mean_squared_error,
        normalized_mean_squared_error,
        normalized_root_mean_squared_error,
        mean_error,
        residual_variance,
        r2_score,
        adjusted_r2_score,
        explained_variance_score,
        pearson_correlation,
        concordance_correlation,
        kling_gupta_efficiency,
        variability_ratio,
        bias_ratio,
        calibration_slope,
        calibration_intercept,
        mean_absolute_error,
        weighted_absolute_percentage_error,
        mean_pinball_loss,
        max_error,
        d2_pinball_score,
        d2_absolute_error_score,
    )
}

VARIANTS: dict[str, list[dict[str, Any]]] = {
    "normalized_mean_squared_error": [{"normalizer": name} for name in ("variance", "energy", "mean_product", "range")],
    "normalized_root_mean_squared_error": [{"normalizer": name} for name in ("std", "mean", "range", "energy")],
    "mean_pinball_loss": [{"alpha": alpha} for alpha in (0.1, 0.5, 0.9)],
    "d2_pinball_score": [{"alpha": alpha} for alpha in (0.1, 0.5, 0.9)],
    "adjusted_r2_score": [{"n_features": 1}, {"n_features": 7}],
}


def questions() -> list[tuple[str, dict[str, Any]]]:
    """Every metric with every setting that changes its formula."""
    return [(name, parameters) for name in METRICS for parameters in VARIANTS.get(name, [{}])]


def value(name: str, y: Any, p: Any, w: Any = None, **parameters: Any) -> Exact | None:
    """The exact answer of one metric on arrays."""
    return METRICS[name](Rows.of(y, p, w), **parameters)


def eight_sums(y: Any, p: Any, w: Any = None) -> tuple[Fraction, ...]:
    """Sum of w, and weighted sums of y, p, max(y, p), |y|, yy, yp, pp."""
    rows = Rows.of(y, p, w)
    terms = [(w, w * a, w * b, w * max(a, b), w * abs(a), w * a * a, w * a * b, w * b * b) for a, b, w in zip(rows.y, rows.p, rows.w, strict=True)]
    return tuple(_sum(column) for column in zip(*terms, strict=True)) if terms else (Fraction(0),) * 8


def ulps(got: float, exact: Exact) -> float:
    """How far `got` lies from the real number `exact`, in units of the last place of a float64 there."""
    with mpmath.workprec(BITS):
        target = real(exact)
        limit = mpmath.mpf(2) ** 1024 * (1 - mpmath.mpf(2) ** -54)
        if abs(target) >= limit:  # beyond the largest float64 the correctly rounded answer is infinite
            return 0.0 if got == math.copysign(math.inf, target) else math.inf
        if not math.isfinite(got):
            return math.inf
        unit = math.ulp(min(abs(float(target)), 1.7976931348623157e308))
        return float(abs(mpmath.mpf(got) - target) / mpmath.mpf(unit))
