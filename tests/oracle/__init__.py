"""Textbook definitions of the metrics in exact arithmetic: what the library is compared with.

Nothing here goes through the library or through its sums. Each metric is a loop over the rows, in `fractions.Fraction`;
roots, logarithms and exponentials are taken by mpmath with 2,500 bits. `None` means undefined, or outside the domain.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np

from oracle import losses, moments, ranked
from oracle.exact import BITS, Exact, Rows, column, mean_of, rational, real, total_of

__all__ = ["BITS", "COLUMNS", "METRICS", "VARIANTS", "Rows", "column", "columns", "eight_sums", "misses", "questions", "real", "ulps", "value"]

METRICS: dict[str, Callable[..., Exact | None]] = {
    **{function.__name__: function for function in (*moments.METRICS, *ranked.METRICS)},
    **losses.METRICS,
}

# The columns that a metric reads beside target and prediction, made from both, of one unit with them.
_INTERVAL = {"lower": lambda y, p: np.minimum(p, y + 0.25 * p) - 0.5 * np.abs(p), "upper": lambda y, p: p + 0.5 * np.abs(p)}
_SCALE = {"scale": lambda y, p: 0.5 * np.abs(y) + 0.25 * np.abs(p) + 2.0**-1000}
_SIGMA = {"sigma": _SCALE["scale"]}
_QUANTILES = {"quantiles": lambda y, p: np.stack([0.75 * p, p, 1.25 * p], axis=1)}
COLUMNS: dict[str, dict[str, Callable[[Any, Any], Any]]] = {
    "mean_absolute_scaled_error": _SCALE,
    "mean_squared_scaled_error": _SCALE,
    "root_mean_squared_scaled_error": _SCALE,
    "mean_quantile_loss": _QUANTILES,
    "crps_quantiles": _QUANTILES,
    "interval_coverage": _INTERVAL,
    "mean_interval_width": _INTERVAL,
    "interval_score": _INTERVAL,
    "crps_gaussian": _SIGMA,
    "gaussian_nll": _SIGMA,
}

VARIANTS: dict[str, list[dict[str, Any]]] = {
    "normalized_mean_squared_error": [{"normalizer": name} for name in ("variance", "energy", "mean_product", "range")],
    "normalized_root_mean_squared_error": [{"normalizer": name} for name in ("std", "mean", "range", "energy")],
    "adjusted_r2_score": [{"n_features": 1}, {"n_features": 7}],
    "kling_gupta_efficiency": [{"variant": year} for year in ("2009", "2012", "2021")],
    "index_of_agreement": [{"definition": name} for name in ("squared", "absolute")],
    "symmetric_mean_absolute_percentage_error": [{"definition": name} for name in ("makridakis", "flores", "armstrong")],
    "skill_score": [{"baseline": rule, "loss": loss} for rule in ("mean", "last_value") for loss in ("squared", "absolute")]
    + [{"baseline": "seasonal_naive", "seasonality": 7}],
    "median_absolute_scaled_error": [{"scale": 0.75}],
    "quantile_absolute_error": [{"quantile": level} for level in (0.0, 0.25, 0.9, 1.0)],
    "trimmed_mean_squared_error": [{"trim": trim} for trim in (0.0, 0.1, 0.5)],
    "winsorized_mean_squared_error": [{"trim": trim} for trim in (0.0, 0.1, 0.5)],
    "mean_tweedie_deviance": [{"power": power} for power in (-0.5, 0, 1, 1.5, 2, 3)],
    "d2_tweedie_score": [{"power": power} for power in (0, 1, 1.5, 2, 3)],
    "mean_huber_loss": [{"delta": delta} for delta in (0.1, 1.0)],
    "mean_smooth_l1_loss": [{"beta": beta} for beta in (0.1, 1.0)],
    "mean_pseudo_huber_loss": [{"delta": delta} for delta in (0.1, 1.0)],
    "mean_tukey_loss": [{"c": c} for c in (0.5, 4.685)],
    "mean_cauchy_loss": [{"c": c} for c in (0.5, 2.385)],
    "mean_welsch_loss": [{"c": c} for c in (0.5, 2.985)],
    "mean_geman_mcclure_loss": [{"c": c} for c in (0.5, 1.0)],
    "mean_barron_loss": [{"alpha": alpha, "c": 0.75} for alpha in (2, 1, 0.5, 0, -2, -math.inf, 3)],
    "mean_pinball_loss": [{"alpha": alpha} for alpha in (0.1, 0.5, 0.9)],
    "d2_pinball_score": [{"alpha": alpha} for alpha in (0.1, 0.5, 0.9)],
    "mean_expectile_loss": [{"alpha": alpha} for alpha in (0.1, 0.5, 0.9)],
    "mean_linex_loss": [{"a": a} for a in (0.5, -1)],
    "threshold_weighted_squared_error": [{}, {"low": 0.25}, {"low": -0.5, "high": 0.75}],
    "interval_score": [{"alpha": alpha} for alpha in (0.05, 0.5)],
    "mean_absolute_circular_error": [{"period": period} for period in (0.75, 360)],
    "root_mean_squared_circular_error": [{"period": period} for period in (0.75, 360)],
    "mean_circular_error": [{"period": period} for period in (0.75, 360)],
}


def questions() -> list[tuple[str, dict[str, Any]]]:
    """Every metric with every setting that changes its formula; columns are made by `columns`."""
    return [(name, parameters) for name in METRICS for parameters in VARIANTS.get(name, [{}])]


def columns(name: str, y: Any, p: Any) -> dict[str, Any]:
    """The columns that a metric reads, for these targets and predictions."""
    y, p = np.asarray(y, np.float64), np.asarray(p, np.float64)
    with np.errstate(over="ignore"):
        return {column: np.clip(make(y, p), -1.7e308, 1.7e308) for column, make in COLUMNS.get(name, {}).items()}


def value(name: str, y: Any, p: Any, w: Any = None, **parameters: Any) -> Exact | None:
    """The exact answer of one metric on arrays; columns are arrays among the parameters."""
    rows, settings = _read(name, y, p, w, parameters)
    return METRICS[name](rows, **settings)


def _read(name: str, y: Any, p: Any, w: Any, parameters: dict[str, Any]) -> tuple[Rows, dict[str, Any]]:
    more = {}
    for column_name in COLUMNS.get(name, {"baseline": None}):
        if not isinstance(parameters.get(column_name), str | None):
            given = np.asarray(parameters[column_name])
            more |= {f"{column_name}[{at}]": given[:, at] for at in range(given.shape[1])} if given.ndim == 2 else {column_name: given}
    rows = Rows.of(y, p, w, more)
    return rows, {
        key: "column" if key in more else setting for key, setting in parameters.items() if key == "baseline" or key not in COLUMNS.get(name, {})
    }


# Means of rounded terms of two signs, by the terms without their signs: in the mean size of these the answer is right.
_SIGNED: dict[str, Callable[..., Any]] = {
    "mean_percentage_error": lambda y, p, r: losses.absolute_percentage(y, p, r),
    "mean_circular_error": lambda y, p, r, period=360.0: abs(losses.short_way(y, p, r, period)),
    "gaussian_nll": lambda y, p, r, sigma: abs(losses.log_density(y, y, y - y, sigma)) + real(r / sigma) ** 2 / 2,
    "symmetric_mean_absolute_percentage_error": lambda y, p, r, definition="makridakis": abs(losses.symmetric_percentage(y, p, r, definition)),
}
_RANKED = {"ratio_of_performance_to_interquartile_distance", "trimmed_mean_squared_error", "winsorized_mean_squared_error"}


def misses(name: str, got: float, y: Any, p: Any, w: Any = None, **parameters: Any) -> float:
    """How far an answer lies from the truth, in units of what is promised: above 1 it is broken.

    One unit in the last place where sums are exact, and four where terms or quantiles are rounded; of the mean size of terms of two signs,
    and of the larger of 1 and the share that a score takes from 1, which is divided and subtracted. A term beyond the largest double is
    infinite, and one below the smallest normal double keeps what digits it can. A circular error of half a period may be either.
    """
    exact = value(name, y, p, w, **parameters)
    if exact is None:
        return 0.0 if math.isnan(got) else math.inf
    if name not in losses.METRICS:
        return ulps(got, exact) / (4 if name in _RANKED else 1)
    rows, settings = _read(name, y, p, w, parameters)
    power = 2 if name.startswith("root_") else 1
    with mpmath.workprec(BITS):
        size, allowed = abs(real(exact)), 4
        if name in _SIGNED:
            size = real(mean_of(rows, losses.terms(rows, _SIGNED[name], **settings)))
        if name == "d2_tweedie_score":
            size, allowed = max(1, abs(1 - real(exact))), 9
        if not math.isfinite(got):
            return 0.0 if size**power * real(total_of(rows.w) / min(rows.w)) >= mpmath.mpf(2) ** 1024 * (1 - mpmath.mpf(2) ** -54) else math.inf
        unit = mpmath.mpf(2) ** (mpmath.floor(mpmath.log(size, 2)) - 52) if size else 0
        smallest = mpmath.mpf(2) ** (-1074 / power)
        away = abs(mpmath.mpf(got) - real(exact))
        if name == "mean_circular_error":
            away = max(away - real(_either_way(rows, **settings)), 0)
        return float(away / (allowed * max(unit, smallest)))


def _either_way(rows: Rows, period: float = 360.0) -> Exact:
    """What a mean error may differ by, because errors of half a period have no sign."""
    half = rational(period) / 2
    return rows.mean(2 * half * (abs(losses.short_way(y, p, y - p, period)) == half) for y, p in zip(rows.y, rows.p, strict=True))


def eight_sums(y: Any, p: Any, w: Any = None) -> tuple[Exact, ...]:
    """Sum of w, and weighted sums of y, p, max(y, p), |y|, yy, yp, pp."""
    rows = Rows.of(y, p, w)
    terms = [(w, w * a, w * b, w * max(a, b), w * abs(a), w * a * a, w * a * b, w * b * b) for a, b, w in zip(rows.y, rows.p, rows.w, strict=True)]
    return tuple(map(total_of, zip(*terms, strict=True))) if terms else (total_of(()),) * 8


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
