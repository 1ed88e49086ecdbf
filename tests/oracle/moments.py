"""Metrics that are formulas of means, variances and covariances."""

from __future__ import annotations

import math

import mpmath

from oracle.exact import BITS, Exact, Rows, less, ratio, real, root, total_of


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
    return less(ratio(mean_squared_error(rows), rows.variance(rows.y)))


def adjusted_r2_score(rows: Rows, n_features: int = 1) -> Exact | None:
    n, score = total_of(rows.w), r2_score(rows)
    return None if score is None or n <= n_features + 1 else 1 - (1 - score) * (n - 1) / (n - n_features - 1)


def explained_variance_score(rows: Rows) -> Exact | None:
    return less(ratio(residual_variance(rows), rows.variance(rows.y)))


def pearson_correlation(rows: Rows) -> Exact | None:
    return ratio(rows.covariance(rows.y, rows.p), root(rows.variance(rows.y) * rows.variance(rows.p)))


def concordance_correlation(rows: Rows) -> Exact | None:
    spread = rows.variance(rows.y) + rows.variance(rows.p) + mean_error(rows) ** 2
    return ratio(2 * rows.covariance(rows.y, rows.p), spread)


def variability_ratio(rows: Rows) -> Exact | None:
    return ratio(root(rows.variance(rows.p)), root(rows.variance(rows.y)))


def bias_ratio(rows: Rows) -> Exact | None:
    return ratio(rows.mean(rows.p), rows.mean(rows.y))


def kling_gupta_efficiency(rows: Rows, variant: str = "2009") -> Exact | None:
    parts = [pearson_correlation(rows), variability_ratio(rows), bias_ratio(rows)]
    if variant == "2012":
        coefficients = [ratio(root(rows.variance(values)), rows.mean(values)) for values in (rows.p, rows.y)]
        parts[1] = ratio(*coefficients)
    if variant == "2021":
        away = ratio(mean_error(rows), root(rows.variance(rows.y)))
        with mpmath.workprec(BITS):
            parts[2] = None if away is None else real(away) + 1
    if None in parts:
        return None
    with mpmath.workprec(BITS):
        return 1 - mpmath.sqrt(sum((real(part) - 1) ** 2 for part in parts))


def index_of_agreement(rows: Rows, definition: str = "squared") -> Exact | None:
    center = rows.mean(rows.y)
    if definition == "squared":
        largest = rows.mean((abs(p - center) + abs(y - center)) ** 2 for y, p in zip(rows.y, rows.p, strict=True))
        return less(ratio(mean_squared_error(rows), largest))
    error, twice = mean_absolute_error(rows), 2 * rows.mean(abs(y - center) for y in rows.y)
    if twice == 0:
        return None
    return 1 - error / twice if error <= twice else twice / error - 1


def normalized_mean_squared_error(rows: Rows, normalizer: str = "variance") -> Exact | None:
    scale = {
        "variance": lambda: rows.variance(rows.y),
        "energy": lambda: rows.mean(y * y for y in rows.y),
        "mean_product": lambda: rows.mean(rows.y) * rows.mean(rows.p),
        "range": lambda: (max(rows.y) - min(rows.y)) ** 2,
    }[normalizer]()
    return ratio(mean_squared_error(rows), scale) if scale > 0 else None


def normalized_root_mean_squared_error(rows: Rows, normalizer: str = "std") -> Exact | None:
    scale = {
        "std": lambda: root(rows.variance(rows.y)),
        "mean": lambda: abs(rows.mean(rows.y)),
        "range": lambda: max(rows.y) - min(rows.y),
        "energy": lambda: root(rows.mean(y * y for y in rows.y)),
    }[normalizer]()
    return ratio(root_mean_squared_error(rows), scale)


def theil_u1(rows: Rows) -> Exact | None:
    with mpmath.workprec(BITS):
        sizes = root(rows.mean(y * y for y in rows.y)) + root(rows.mean(p * p for p in rows.p))
    return ratio(root_mean_squared_error(rows), sizes)


def theil_u2(rows: Rows) -> Exact | None:
    return ratio(root_mean_squared_error(rows), root(rows.mean(y * y for y in rows.y)))


def ratio_of_performance_to_deviation(rows: Rows) -> Exact | None:
    n = total_of(rows.w)
    if n <= 1:
        return None
    return over_error(root(rows.variance(rows.y) * n / (n - 1)), rows)


def over_error(spread: Exact, rows: Rows) -> Exact | None:
    """A spread over the root mean squared error: infinite for perfect predictions of a target that varies."""
    error = root_mean_squared_error(rows)
    return mpmath.mpf(math.inf) if error == 0 and spread != 0 else ratio(spread, error)


def calibration_slope(rows: Rows) -> Exact | None:
    return ratio(rows.covariance(rows.y, rows.p), rows.variance(rows.p))


def calibration_intercept(rows: Rows) -> Exact | None:
    slope = calibration_slope(rows)
    return None if slope is None else rows.mean(rows.y) - slope * rows.mean(rows.p)


def weighted_absolute_percentage_error(rows: Rows) -> Exact | None:
    return ratio(mean_absolute_error(rows), rows.mean(abs(y) for y in rows.y))


def relative_absolute_error(rows: Rows) -> Exact | None:
    return ratio(mean_absolute_error(rows), mean_absolute_error(rows.under([rows.mean(rows.y)] * len(rows.y))))


def skill_score(rows: Rows, baseline: str = "mean", loss: str = "squared", seasonality: int = 1) -> Exact | None:
    step = {"last_value": 1, "seasonal_naive": seasonality}.get(baseline, 0)
    measure = mean_squared_error if loss == "squared" else mean_absolute_error
    if step >= len(rows.y):
        return None
    judged = rows.without_first(step)
    theirs = rows.y[:-step] if step else [rows.mean(rows.y)] * len(rows.y) if baseline == "mean" else rows.columns["baseline"]
    return less(ratio(measure(judged), measure(judged.under(theirs))))


METRICS = (
    mean_squared_error,
    root_mean_squared_error,
    residual_variance,
    normalized_mean_squared_error,
    normalized_root_mean_squared_error,
    theil_u1,
    theil_u2,
    ratio_of_performance_to_deviation,
    mean_absolute_error,
    weighted_absolute_percentage_error,
    max_error,
    r2_score,
    adjusted_r2_score,
    explained_variance_score,
    mean_error,
    calibration_slope,
    calibration_intercept,
    pearson_correlation,
    concordance_correlation,
    kling_gupta_efficiency,
    variability_ratio,
    bias_ratio,
    index_of_agreement,
    relative_absolute_error,
    skill_score,
)
