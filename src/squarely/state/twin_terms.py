"""The NumPy twin of the recipes: operation by operation what ``cpp/terms_*.hpp`` do, hence the same bits."""

from collections.abc import Callable, Sequence

import numpy as np

from . import twin_columns as columns
from . import twin_logarithmic as logarithmic
from . import twin_robust as robust
from .twin_elementary import Doubles, choose, constant, negative
from .twin_rows import LARGEST, Row, half_square, only_where, residual, with_interval, with_scale, wrapped
from .twin_tweedie import tweedie_deviance

__all__ = ["RECIPES", "term"]

_Recipe = Callable[..., Doubles]  # (row, *constants) -> the term


def pinball(row: Row, alpha: Doubles) -> Doubles:
    """Return alpha max(r, 0) + (1 - alpha) max(-r, 0)."""
    r, unit = residual(row)
    return (choose(r.hi > 0.0, alpha, 1.0 - alpha) * np.abs(r.hi)) * unit


def expectile(row: Row, alpha: Doubles) -> Doubles:
    """Return alpha or 1 - alpha times r^2."""
    r, unit = residual(row)
    slope = choose(r.hi > 0.0, alpha, 1.0 - alpha)
    square = choose(np.abs(r.hi) > 2.0**500, (slope * r.hi) * r.hi, slope * (r.hi * r.hi))
    return (square * unit) * unit


def percentage(row: Row) -> Doubles:
    """Return r / y."""
    r, unit = residual(row)
    return only_where(np.abs(row.y) > 0.0, (r.hi / row.y) * unit)


def absolute_percentage(row: Row, floor: Doubles) -> Doubles:
    """Return |r| / |y|, or |r| / floor where y is 0."""
    r, unit = residual(row)
    size = np.abs(row.y)
    base = choose(size > 0.0, size, floor)
    return only_where(base > 0.0, (np.abs(r.hi) / base) * unit)


def squared_percentage(row: Row) -> Doubles:
    """Return (r / y)^2."""
    share = percentage(row)
    return only_where(np.abs(row.y) > 0.0, share * share)


def symmetric_percentage(row: Row) -> Doubles:
    """Return 2 |r| / (|y| + |p|)."""
    y, p = np.abs(row.y), np.abs(row.p)
    total = y + p
    big = total > LARGEST
    over, under = choose(big, row.y * 0.5 - row.p * 0.5, row.r), choose(big, y * 0.5 + p * 0.5, total)
    share = np.abs(over) / under
    return choose(under > 0.0, share + share, 0.0)


def signed_symmetric_percentage(row: Row) -> Doubles:
    """Return 2 |r| / (y + p)."""
    r, unit = residual(row)
    total = row.y + row.p
    big = np.abs(total) > LARGEST
    under = choose(big, row.y * 0.5 + row.p * 0.5, total)
    return only_where(under > 0.0, (np.abs(r.hi) / under) * choose(big, 1.0, unit + unit))


def scaled_absolute(row: Row) -> Doubles:
    """Return |r| / x0."""
    r, unit = residual(row)
    return with_scale(row.x0, (np.abs(r.hi) / row.x0) * unit)


def scaled_squared(row: Row) -> Doubles:
    """Return (r / x0)^2."""
    ratio = scaled_absolute(row)
    return with_scale(row.x0, ratio * ratio)


def huber(row: Row, delta: Doubles) -> Doubles:
    """Return r^2 / 2 near 0, delta (|r| - delta / 2) elsewhere."""
    r, unit = residual(row)
    offset = delta * choose(unit > 1.0, 0.25, 0.5)
    return choose(np.abs(row.r) > delta, (delta * (np.abs(r.hi) - offset)) * unit, half_square(row.r))


def tukey(row: Row, c: Doubles) -> Doubles:
    """Return the biweight loss."""
    most = c * (c / 6.0)
    ratio = row.r / c
    v = ratio * ratio
    rest = 1.0 - v
    low, high = row.r * (row.r * (0.5 + v * (v * (1.0 / 6) - 0.5))), most * (1.0 - (rest * rest) * rest)
    return choose(np.abs(row.r) > c, most, choose(v > 0.5, high, low))


def threshold_weighted(row: Row, low: Doubles, high: Doubles) -> Doubles:
    """Return the squared error between two thresholds."""

    def cut(x: Doubles) -> Doubles:
        x = choose(low > x, low, x)
        return choose(x > high, high, x)

    y, p = cut(row.y), cut(row.p)
    y_over, p_over = row.y - y, np.abs(row.p - p)
    kept = choose(np.abs(y_over) + p_over > 0.0, y - p, row.r)
    lever = y_over + choose(p_over > 0.0, row.y - p, row.r)
    scaled = (row.y * 0.25 - y * 0.25) + (row.y * 0.25 - p * 0.25)
    whole = choose(np.abs(lever) > LARGEST, (kept * scaled) * 4.0, kept * lever)
    return choose(np.abs(kept) > 0.0, whole, 0.0)


def interval_covered(row: Row) -> Doubles:
    """Return 1 where y lies between the bounds."""
    return with_interval(row, choose(row.x0 > row.y, 0.0, choose(row.y > row.x1, 0.0, 1.0)))


def interval_score(row: Row, alpha: Doubles) -> Doubles:
    """Return the width, and 2 / alpha times the miss."""
    below, above = row.x0 - row.y, row.y - row.x1
    miss = choose(below > 0.0, below, choose(above > 0.0, above, 0.0))
    return with_interval(row, (row.x1 - row.x0) + (miss + miss) / alpha)


def quantile_loss(row: Row, alpha: Doubles) -> Doubles:
    """Return the pinball loss of the forecast x0."""
    return only_where(np.abs(row.x0) < np.inf, pinball(Row(row.y, row.x0, row.y - row.x0, row.x0, row.x1), alpha))


def _tweedie(row: Row, power: Doubles) -> Doubles:
    special: dict[float, _Recipe] = {0.0: lambda row: row.r * row.r, 1.0: logarithmic.poisson_deviance, 2.0: logarithmic.gamma_deviance}
    q = float(power[0])
    return special[q](row) if q in special else tweedie_deviance(row, q)


def _square(x: Doubles) -> Doubles:
    return x * x


RECIPES: dict[str, _Recipe] = {
    "squared_error": lambda row: row.r * row.r,
    "absolute_error": lambda row: np.abs(row.r),
    "error": lambda row: negative(row.r),
    "pinball": pinball,
    "expectile": expectile,
    "percentage": percentage,
    "absolute_percentage": absolute_percentage,
    "squared_percentage": squared_percentage,
    "symmetric_percentage": symmetric_percentage,
    "signed_symmetric_percentage": signed_symmetric_percentage,
    "scaled_absolute": scaled_absolute,
    "scaled_squared": scaled_squared,
    "squared_log": logarithmic.squared_log,
    "tweedie": _tweedie,
    "huber": huber,
    "pseudo_huber": robust.pseudo_huber,
    "log_cosh": robust.log_cosh,
    "tukey": tukey,
    "cauchy": robust.cauchy,
    "welsch": robust.welsch,
    "geman_mcclure": robust.geman_mcclure,
    "barron": robust.barron,
    "linex": robust.linex,
    "threshold_weighted": threshold_weighted,
    "interval_covered": interval_covered,
    "interval_width": lambda row: with_interval(row, row.x1 - row.x0),
    "interval_score": interval_score,
    "crps_gaussian": columns.crps_gaussian,
    "gaussian_nll": columns.gaussian_nll,
    "circular_absolute": lambda row, period: np.abs(wrapped(row, period)),
    "circular_squared": lambda row, period: _square(wrapped(row, period)),
    "circular_error": lambda row, period: negative(wrapped(row, period)),
    "quantile": quantile_loss,
}


def term(
    recipe: str, y: Doubles, p: Doubles, r: Doubles, constants: Sequence[float] = (), x0: Doubles | None = None, x1: Doubles | None = None
) -> Doubles:
    """Return what the recipe of that name makes of every row.

    Parameters
    ----------
    recipe : str
    y, p, r : float64 arrays of shape (n,); r is y - p rounded once
    constants : the constants of the recipe, in their order
    x0, x1 : float64 arrays of shape (n,), where the recipe takes columns
    """
    with np.errstate(all="ignore"):
        row = Row(y, p, r, r if x0 is None else x0, r if x1 is None else x1)
        return RECIPES[recipe](row, *(constant(value) for value in constants))
