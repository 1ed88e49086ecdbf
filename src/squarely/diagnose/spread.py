"""Is the predicted standard deviation right: in size, in shape, and row by row?"""

import math

import numpy as np
import numpy.typing as npt

from squarely.diagnose.evidence import Evidence
from squarely.diagnose.finding import CannotTestError, Outcome, check
from squarely.diagnose.laws import chi2_tail, normal_quantile, normal_tail
from squarely.intervals.student import tails
from squarely.plain import percent

__all__: list[str] = []

Floats = npt.NDArray[np.float64]
_NO_SIGMA = "no standard deviation was predicted; give sigma= if there is one"


def _drawn(e: Evidence) -> tuple[Floats, Floats]:
    """Return errors and predicted standard deviations of rows."""
    if e.drawn.sigma is None:
        raise CannotTestError(_NO_SIGMA)
    kept = np.isfinite(e.drawn.sigma) & (e.drawn.sigma > 0)
    if kept.sum() < 50:
        raise CannotTestError("there are fewer than 50 rows with a predicted standard deviation above 0")
    return e.drawn.error[kept], e.drawn.sigma[kept]


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
    state = e.watcher.scaled
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

    The miscalibration area is the mean gap over all levels.

    References
    ----------
    Kuleshov, V., Fenner, N. and Ermon, S. (2018), ICML, arXiv:1807.00263.
    """
    error, sigma = _drawn(e)
    z = np.sort(np.abs(error / sigma))
    covered = {level: float((z <= normal_quantile(level)).mean()) for level in (0.5, 0.8, 0.95)}
    levels = np.array([1 - normal_tail(each) for each in z.tolist()])
    reached = (np.arange(len(z)) + 0.5) / len(z)
    gaps = np.abs(reached - levels)  # from the middle of each step of the share of rows that is reached
    worst = max(covered, key=lambda level: abs(covered[level] - level))
    gap, half = abs(covered[worst] - worst), 1.96 * math.sqrt(worst * (1 - worst) / len(z))
    d = float(gaps.max()) + 0.5 / len(z)
    p = min(1.0, 2 * sum((-1) ** (k - 1) * math.exp(-2 * k * k * d * d * len(z)) for k in range(1, 101))) if d * math.sqrt(len(z)) > 0.2 else 1.0
    said = ", ".join(f"{percent(level)} intervals hold {percent(share)}" for level, share in covered.items())
    return Outcome(
        effect=gap,
        low=max(0.0, gap - half),
        high=gap + half,
        p_value=max(p, 0.0),
        told=f"{said}; miscalibration area {float(gaps.mean()):.3g}; Kolmogorov-Smirnov {d:.3g}",
        meaning="an interval of a row does not hold what it promises, so limits that are set by it are wrong",
        fix="recalibrate quantiles on validation rows (conformal prediction), rather than trust a normal law",
        code="half_width = np.quantile(np.abs(error_valid / sigma_valid), 0.95) * sigma",
        gain=gap,
        numbers={"area": float(gaps.mean()), "gap": gap, "d": d, **{f"coverage_{100 * level:g}": share for level, share in covered.items()}},
        source=e.drawn.source,
    )


@check("SQ030", "Predicted standard deviations do not rank the errors", "distance of the slope of e^2 on sigma^2 from 1", 0.2, 0.6, 5)
def sigma_ranking(e: Evidence) -> Outcome:
    r"""Regress squared errors on predicted variances, and compare both by tenths of sigma (ENCE).

    .. math:: \mathrm{ENCE} = \frac{1}{10} \sum_b \frac{|\mathrm{RMV}_b - \mathrm{RMSE}_b|}{\mathrm{RMV}_b}

    A slope of 0 says that sigma knows nothing of which rows are uncertain; below 1 it exaggerates. The slope is that of weighted least
    squares, with weights of 1 over the fourth power of sigma.

    References
    ----------
    Levi, D. et al. (2022), Sensors 22(15), doi:10.3390/s22155540.
    """
    error, sigma = _drawn(e)
    low, high = np.quantile(sigma, (0.05, 0.95))
    if not high > 1.1 * low:
        raise CannotTestError("predicted standard deviations are all alike, and rank nothing")
    unit = float(np.median(sigma))
    sigma, error = sigma / unit, error / unit
    x, y, w = sigma**2, error**2, 1 / sigma**4
    dx, dy = x - np.average(x, weights=w), y - np.average(y, weights=w)
    sxx = float((w * dx * dx).sum())
    b = float((w * dx * dy).sum()) / sxx
    scatter = (dy - b * dx) * w * dx
    se = math.sqrt(float((scatter**2).sum())) / sxx
    bins = np.array_split(np.argsort(sigma, kind="stable"), 10)
    rmv, rmse = (np.sqrt([each[rows].mean() for rows in bins]) for each in (x, y))
    ence = float((np.abs(rmv - rmse) / rmv).mean())
    return Outcome(
        effect=abs(b - 1),
        low=0.0 if abs(b - 1) < 1.96 * se else abs(b - 1) - 1.96 * se,
        high=abs(b - 1) + 1.96 * se,
        p_value=tails((b - 1) / se, len(x) - 2) if se > 0 else 0.0,
        told=f"the slope of e^2 on sigma^2 is {b:.3g} ({b - 1.96 * se:.3g} to {b + 1.96 * se:.3g}); ENCE {ence:.3g}",
        meaning="rows that are called uncertain are not those with large errors"
        if b < 0.5
        else "sigma exaggerates or understates which rows are uncertain",
        fix="refit the head of the variance, for instance with beta-NLL (beta 0.5), with the mean held fixed first",
        code="loss = torch.nn.GaussianNLLLoss()(mean, target, variance)",
        gain=min(1.0, abs(b - 1)),
        numbers={"slope": b, "se": se, "ence": ence},
        source=e.drawn.source,
    )
