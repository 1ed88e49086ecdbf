"""Is the predicted standard deviation right: in size, in shape, and row by row?"""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from squarely.diagnose.evidence import Evidence
from squarely.diagnose.finding import CannotTestError, Outcome, check
from squarely.diagnose.grid import Bins
from squarely.diagnose.laws import chi2_tail, normal_quantile, normal_tail
from squarely.diagnose.scaled import LEVELS, Scaled
from squarely.intervals.student import tails
from squarely.plain import percent

__all__: list[str] = []

Floats = npt.NDArray[np.float64]
_NO_SIGMA = "no standard deviation was predicted; give sigma= if there is one"


class _Rows(NamedTuple):
    """Rows that are at hand and have a predicted standard deviation, and how many rows of one weight they are worth."""

    error: Floats
    sigma: Floats
    w: Floats
    worth: float


def _drawn(e: Evidence) -> _Rows:
    d = e.drawn
    if d.sigma is None:
        raise CannotTestError(_NO_SIGMA)
    kept = np.isfinite(d.sigma) & (d.sigma > 0)
    if kept.sum() < 50:
        raise CannotTestError("there are fewer than 50 rows with a predicted standard deviation above 0")
    return _Rows(d.error[kept], d.sigma[kept], d.w[kept], e.effective * float(kept.sum()) / e.n)


@check(
    "SQ028",
    "Predicted standard deviations are too small or too large",
    "distance of the mean of (e / sigma)^2 from 1, as a factor",
    1.25,
    2.0,
    4,
    ("SQ029",),
)
def sigma_scale(e: Evidence) -> Outcome:
    r"""Judge the mean of squared scaled errors, which is 1 where the standard deviations are right.

    .. math:: \overline{z^2} = \frac{1}{n} \sum_i \left(\frac{e_i}{\sigma_i}\right)^2

    References
    ----------
    Levi, D. et al. (2022), Sensors 22(15), doi:10.3390/s22155540.
    """
    if e.drawn.sigma is None:
        raise CannotTestError(_NO_SIGMA)
    e.needs_errors()
    state = e.watcher.scaled.square()
    s = state.sums
    if s.n < 50 or any(state.refused):
        raise CannotTestError("there are fewer than 50 rows, or a predicted standard deviation is 0 or missing")
    weight, n = s.observations.rounded(), e.effective_of(s)
    mean = s.total(s.y, 1).rounded() / weight
    fourth = s.total(s.yy, 2).rounded() / weight
    if not 1e-140 < mean < 1e140:
        raise CannotTestError("squares of e / sigma are beyond the range of doubles")
    se = math.sqrt(max(fourth - mean * mean, 0.0) / n)
    chi, low, high = n * mean, mean - 1.96 * se, mean + 1.96 * se
    if not low > 0:
        raise CannotTestError("a few scaled errors are so large that their mean square is not known")
    factor, size, width = (math.sqrt(mean), "small", "narrow") if mean > 1 else (1 / math.sqrt(mean), "large", "wide")
    ends = (low, high) if mean > 1 else (1 / high, 1 / low)
    return Outcome(
        effect=factor**2,
        low=ends[0],
        high=ends[1],
        p_value=normal_tail((mean - 1) / se) if se > 0 else 0.0,
        told=f"the mean of (e / sigma)^2 is {mean:.4g}; chi-squared {chi:.4g} on {n:,.0f} degrees, p {chi2_tail(chi, n):.2g}",
        meaning=f"predicted standard deviations are {factor:.3g} times too {size}: intervals made of them are too {width}",
        fix="multiply every sigma by this factor, found on validation rows",
        code=f"sigma = sigma * {math.sqrt(mean):.4g}",
        gain=abs(1 - 1 / mean),
        numbers={"mean_square": mean, "chi_squared": chi},
        source=e.watched,
    )


@check("SQ029", "Predicted intervals hold another share than they say", "largest gap between nominal and actual coverage", 0.05, 0.2, 5)
def sigma_shape(e: Evidence) -> Outcome:
    r"""Compare the coverage of normal intervals with what they promise, at 50, 80 and 95 %, and over all levels.

    .. math:: \max_c \left| \frac{1}{n} \sum_i 1(|z_i| \le \Phi^{-1}((1 + c) / 2)) - c \right|

    The miscalibration area is the mean gap over all levels. Where rows are too many to be kept, it and the test of Kolmogorov and Smirnov
    look at the ends of 1,000 steps of :math:`|z|`; the coverage is that of all rows, exactly.

    References
    ----------
    Kuleshov, V., Fenner, N. and Ermon, S. (2018), ICML, arXiv:1807.00263.
    """
    rows, whole = _drawn(e), e.is_beyond_sample
    covered, area, d = _reached_by_steps(e.watcher.scaled) if whole else _reached_by_rows(rows)
    n = e.effective_of(e.watcher.scaled.square().sums) if whole else rows.worth
    worst = max(covered, key=lambda level: abs(covered[level] - level))
    gap, half = abs(covered[worst] - worst), 1.96 * math.sqrt(worst * (1 - worst) / n)
    p = min(1.0, 2 * sum((-1) ** (k - 1) * math.exp(-2 * k * k * d * d * n) for k in range(1, 101))) if d * math.sqrt(n) > 0.2 else 1.0
    said = ", ".join(f"{percent(level)} intervals hold {percent(share)}" for level, share in covered.items())
    return Outcome(
        effect=gap,
        low=max(0.0, gap - half),
        high=gap + half,
        p_value=max(p, 0.0),
        told=f"{said}; miscalibration area {area:.3g}; Kolmogorov-Smirnov {d:.3g}",
        meaning="an interval of a row does not hold what it promises, so limits that are set by it are wrong",
        fix="recalibrate quantiles on validation rows (conformal prediction), rather than trust a normal law",
        code="half_width = np.quantile(np.abs(error_valid / sigma_valid), 0.95) * sigma",
        gain=gap,
        numbers={"area": area, "gap": gap, "d": d, **{f"coverage_{100 * level:g}": share for level, share in covered.items()}},
        source=e.watched if whole else e.drawn.source,
    )


def _reached_by_rows(rows: _Rows) -> tuple[dict[float, float], float, float]:
    """Return the coverage of each level, and the mean and the largest gap between the share that is reached and the level."""
    size = np.abs(rows.error / rows.sigma)
    order = np.argsort(size, kind="stable")
    z, share = size[order], rows.w[order] / float(rows.w.sum())
    covered = {level: float(share[z <= normal_quantile(level)].sum()) for level in LEVELS}
    levels = np.array([1 - normal_tail(each) for each in z.tolist()])
    gaps = np.abs(np.cumsum(share) - share / 2 - levels)  # from the middle of each step
    return covered, float((share * gaps).sum()), float((gaps + share / 2).max())


def _reached_by_steps(scaled: Scaled) -> tuple[dict[float, float], float, float]:
    """Return the same, as seen at the ends of steps of |z|."""
    ends, reached, covered = scaled.reached()
    gaps = np.abs(reached - np.array([1 - normal_tail(each) for each in ends.tolist()]))
    between = (gaps + np.append(0.0, gaps[:-1])) / 2
    area = float((np.diff(reached, prepend=0.0) * between).sum())
    return dict(zip(LEVELS, covered.tolist(), strict=True)), area, float(gaps.max())


@check("SQ030", "Predicted standard deviations do not rank the errors", "distance of the slope of e^2 on sigma^2 from 1", 0.2, 0.6, 5)
def sigma_ranking(e: Evidence) -> Outcome:
    r"""Regress squared errors on predicted variances, and compare both by tenths of sigma (ENCE).

    .. math:: \mathrm{ENCE} = \frac{1}{10} \sum_b \frac{|\mathrm{RMV}_b - \mathrm{RMSE}_b|}{\mathrm{RMV}_b}

    A slope of 0 says that sigma knows nothing of which rows are uncertain; below 1 it exaggerates. The slope is that of weighted least
    squares, with weights of 1 over the fourth power of sigma. Where rows are too many to be kept they are summed exactly in about 1,000
    bins of sigma; the slope is that of all rows, and its standard error and ENCE take the rows of a bin as of one sigma.

    References
    ----------
    Levi, D. et al. (2022), Sensors 22(15), doi:10.3390/s22155540.
    """
    rows = _drawn(e)
    low, high = np.quantile(rows.sigma, (0.05, 0.95))
    if not high > 1.1 * low:
        raise CannotTestError("predicted standard deviations are all alike, and rank nothing")
    grid, words = e.binned(e.watcher.scaled.grid, rows.sigma, "predicted standard deviation")
    if grid is None:
        bins, worth = _rows_as_bins(rows), rows.worth
        tenths = np.array_split(np.arange(len(rows.sigma)), 10)
    else:
        bins = grid.bins()
        worth, tenths = float(bins.weight.sum()) * e.rows_per_weight, _tenths_of_weight(bins)
    b, se = _slope(bins, worth)
    ence = _ence(bins, tenths)
    return Outcome(
        effect=abs(b - 1),
        low=0.0 if abs(b - 1) < 1.96 * se else abs(b - 1) - 1.96 * se,
        high=abs(b - 1) + 1.96 * se,
        p_value=tails((b - 1) / se, worth - 2) if se > 0 else 0.0,
        told=f"the slope of e^2 on sigma^2 is {b:.3g} ({b - 1.96 * se:.3g} to {b + 1.96 * se:.3g}); ENCE {ence:.3g}",
        meaning="rows that are called uncertain are not those with large errors"
        if b < 0.5
        else "sigma exaggerates or understates which rows are uncertain",
        fix="refit the head of the variance, for instance with beta-NLL (beta 0.5), with the mean held fixed first",
        code="loss = torch.nn.GaussianNLLLoss()(mean, target, variance)",
        gain=min(1.0, abs(b - 1)),
        numbers={"slope": b, "se": se, "ence": ence},
        source=words,
    )


def _rows_as_bins(rows: _Rows) -> Bins:
    """Return pairs (z^2, sigma^-2) by sigma, in units of the middle one."""
    order, nothing = np.argsort(rows.sigma, kind="stable"), np.zeros(len(rows.sigma))
    sigma = rows.sigma[order] / float(np.median(rows.sigma))
    return Bins(rows.w[order], (rows.error[order] / rows.sigma[order]) ** 2, sigma**-2, nothing, nothing, nothing)


def _slope(bins: Bins, worth: float) -> tuple[float, float]:
    """Return the slope of e^2 on sigma^2 and its standard error (White), by weighted least squares.

    Divided by sigma^2 the line e^2 = a + b sigma^2 is z^2 = b + a sigma^-2, of which every row counts alike, and b is the intercept.
    """
    w, y, x = bins.weight, bins.first, bins.second
    whole, middle, mean = float(w.sum()), float(np.average(x, weights=w)), float(np.average(y, weights=w))
    dx = x - middle
    sxx = float((w * dx * dx + bins.second_squares).sum())
    a = float((w * dx * y + bins.products).sum()) / sxx
    b = mean - a * middle
    pull = 1 / whole - middle * dx / sxx  # of a row on b
    squares = w * (y - b - a * x) ** 2 + bins.first_squares - 2 * a * bins.products + a * a * bins.second_squares
    return b, math.sqrt(float((pull**2 * squares).sum()) * whole / worth)


def _ence(bins: Bins, tenths: list[npt.NDArray[np.intp]]) -> float:
    """Return how far the root mean squared error is from the root mean variance, by tenths of sigma."""
    variance, square = 1 / bins.second, bins.first / bins.second
    rmv, rmse = (np.sqrt([np.average(each[at], weights=bins.weight[at]) for at in tenths]) for each in (variance, square))
    return float((np.abs(rmv - rmse) / rmv).mean())


def _tenths_of_weight(bins: Bins) -> list[npt.NDArray[np.intp]]:
    middle = (np.cumsum(bins.weight) - bins.weight / 2) / float(bins.weight.sum())
    found = [np.flatnonzero((middle >= at / 10) & (middle < (at + 1) / 10)) for at in range(10)]
    return [each for each in found if len(each)]
