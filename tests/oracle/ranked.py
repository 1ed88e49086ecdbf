"""Metrics of ordered errors, and scores whose baseline is a quantile of the target."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from oracle.exact import Exact, Rows, decimal, less, ratio, rational, total_of
from oracle.moments import over_error


def quantile(values: Sequence[Fraction], weights: Sequence[Fraction], level: float) -> Fraction:
    """The value that a share of the weight does not exceed; where that is met exactly, the mean of this value and the next."""
    ordered = sorted(zip(values, weights, strict=True))
    share, reached = decimal(level) * total_of(weights), Fraction(0)
    for at, (value, weight) in enumerate(ordered):
        reached += weight
        if reached == share and at + 1 < len(ordered):
            return (value + ordered[at + 1][0]) / 2
        if reached >= share:
            return ordered[0][0] if share == 0 else value
    return ordered[-1][0]


def quantile_absolute_error(rows: Rows, quantile: float = 0.9) -> Exact:
    return _quantile([abs(e) for e in rows.errors], rows.w, quantile)


_quantile = quantile


def median_absolute_error(rows: Rows) -> Exact:
    return quantile_absolute_error(rows, 0.5)


def median_absolute_scaled_error(rows: Rows, scale: float = 1.0) -> Exact:
    return median_absolute_error(rows) / rational(scale)


def trimmed_mean_squared_error(rows: Rows, trim: float = 0.1) -> Exact:
    """Rows are taken from the smallest error on until the share is used up; of the last one a part is taken."""
    left = kept = (1 - decimal(trim)) * total_of(rows.w)
    total = Fraction(0)
    for size, weight in sorted(zip(map(abs, rows.errors), rows.w, strict=True)):
        taken = min(weight, left)
        total, left = total + taken * size * size, left - taken
    return total / kept


def winsorized_mean_squared_error(rows: Rows, trim: float = 0.1) -> Exact:
    """The limit is the smallest size that the errors of the share do not exceed."""
    share, reached, limit = (1 - decimal(trim)) * total_of(rows.w), Fraction(0), Fraction(0)
    for size, weight in sorted(zip(map(abs, rows.errors), rows.w, strict=True)):
        if reached < share:
            limit = size
        reached += weight
    return rows.mean(min(abs(e), limit) ** 2 for e in rows.errors)


def ratio_of_performance_to_interquartile_distance(rows: Rows) -> Exact | None:
    return over_error(quantile(rows.y, rows.w, 0.75) - quantile(rows.y, rows.w, 0.25), rows)


def mean_pinball_loss(rows: Rows, alpha: float = 0.5) -> Exact:
    level = Fraction(alpha)
    return rows.mean(-level * e if e < 0 else (1 - level) * e for e in rows.errors)


def d2_pinball_score(rows: Rows, alpha: float = 0.5) -> Exact | None:
    """The baseline is the best constant: a piecewise linear loss is least at one of its corners, the targets."""
    constants = (rows.under([constant] * len(rows.y)) for constant in set(rows.y))
    return less(ratio(mean_pinball_loss(rows, alpha), min(mean_pinball_loss(constant, alpha) for constant in constants)))


def d2_absolute_error_score(rows: Rows) -> Exact | None:
    return d2_pinball_score(rows)


METRICS = (
    ratio_of_performance_to_interquartile_distance,
    median_absolute_scaled_error,
    median_absolute_error,
    quantile_absolute_error,
    trimmed_mean_squared_error,
    winsorized_mean_squared_error,
    mean_pinball_loss,
    d2_pinball_score,
    d2_absolute_error_score,
)
