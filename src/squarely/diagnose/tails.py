"""What shape do the errors have, and do a few rows make the mean squared error?"""

import itertools
import math

import numpy as np

from squarely.diagnose.evidence import Evidence
from squarely.diagnose.finding import CannotTestError, Outcome, check, ends_of
from squarely.diagnose.laws import chi2_tail
from squarely.diagnose.moments import Moments
from squarely.diagnose.watch import MOST_LARGEST
from squarely.evaluate import Large
from squarely.intervals.student import tails
from squarely.intervals.tail import index_of, taken_of
from squarely.plain import number, one_line, percent

__all__ = ["outliers"]

_ROBUST = "train with Huber or pseudo-Huber loss if these rows are faults; keep squared error if they are real and dear"
_CODE_ROBUST = "sq.huber(y, prediction, delta={:.6g})"


@check("SQ017", "Errors are not bell-shaped", "size of the skewness, or a third of the excess kurtosis", 1.0, math.inf, 7)
def shape(e: Evidence) -> Outcome:
    r"""Judge skewness and kurtosis of the errors (Jarque and Bera).

    .. math:: \mathrm{JB} = \frac{n}{6} \left(g_1^2 + \frac{g_2^2}{4}\right)

    Squared error still finds the mean, whatever the shape. It is no longer the most efficient loss, and intervals for new rows that take
    a normal law are wrong.

    References
    ----------
    Jarque, C. M. and Bera, A. K. (1987), International Statistical Review 55(2), doi:10.2307/1403192.
    """
    e.needs_errors()
    m = e.moments
    skew, excess = m.skewness, m.kurtosis - 3
    effect = max(abs(skew), excess / 3)
    half = 1.96 * (math.sqrt(6 / m.weight) if abs(skew) == effect else math.sqrt(24 / m.weight) / 3)  # under a normal law
    jb = m.weight / 6 * (skew**2 + excess**2 / 4)
    lean = (
        "long on the side of too high predictions" if skew > 1 else "long on the side of too low predictions" if skew < -1 else "heavy on both sides"
    )
    return Outcome(
        effect=effect,
        low=max(0.0, effect - half),
        high=effect + half,
        p_value=chi2_tail(jb, 2),
        told=f"skewness {skew:.3g}, excess kurtosis {excess:.3g}; Jarque-Bera {jb:.4g}",
        meaning=f"tails are {lean}: the MSE is right, but intervals for single rows that take a normal law are not",
        fix="give quantiles for single rows; compare models by squared error if the mean is wanted, by absolute error if the median is",
        code="sq.mean_pinball_loss(y, prediction, alpha=0.9)",
        gain=0.0,
        numbers={"skewness": skew, "excess_kurtosis": excess, "jarque_bera": jb},
        source=e.watched,
    )


@check(
    "SQ018",
    "The tail of the errors is so heavy that the MSE is hardly known",
    "4 over the index of the tail",
    1.0,
    2.0,
    4,
    ("SQ017", "SQ020", "SQ040"),
)
def heavy_tail(e: Evidence) -> Outcome:
    r"""Estimate the index of the tail of :math:`|e|` (Hill), from the largest of 64.

    .. math:: \hat\alpha = k / \sum_{i \le k} \log(e_{(i)} / e_{(k)})

    Below 4 the squared error has no variance, and its interval says little; below 2 it has no mean, and more rows do not help. The bound
    that holds with 95 % confidence is judged. The interval is that of the index, whose logarithm has the standard error
    :math:`1/\sqrt{k}`.

    References
    ----------
    Hill, B. M. (1975), Annals of Statistics 3(5), doi:10.1214/aos/1176343247.
    """
    e.needs_errors()
    index, bound = index_of(e.sums.sizes, e.n)
    if math.isinf(index):
        raise CannotTestError("it takes 640 rows to tell how heavy a tail is")
    factor = math.exp(1.96 / math.sqrt(taken_of(e.n)))
    return Outcome(
        effect=4 / bound,
        low=4 / (index * factor),
        high=4 / index * factor,
        told=f"the index of the tail is about {index:.3g}, and below {bound:.3g} with 95 % confidence",
        meaning="the MSE does not settle, however many rows there are"
        if bound < 2
        else "a few rows to come may change the MSE: its interval is too narrow",
        fix="judge by absolute or Huber error, whose means settle; look at what the largest errors have in common",
        code="sq.evaluate(data, ..., metrics=['mae', 'huber(delta=1.0)', 'medae'])",
        gain=0.3,
        numbers={"index": index, "bound": bound},
    )


@check("SQ020", "A few rows make most of the squared error", "share of the squared error in the largest 1 % of the rows", 0.2, 0.5, 6)
def concentration(e: Evidence) -> Outcome:
    r"""Share of the squared error that the largest 1 % of the rows make.

    .. math:: \sum_{i \le n / 100} e_{(i)}^2 \Big/ \sum_i e_i^2

    A normal law gives 8 %, a Laplace law 16 %. The share is exact where 1,000 rows hold it, and else right to 1 %. Its interval is that of
    its influence function, taken over the rows at hand; where SQ018 fires it is too narrow.

    References
    ----------
    Cowell, F. A. and Victoria-Feser, M.-P. (2002), J. Econometrics 108(1), doi:10.1016/S0304-4076(01)00133-1.
    """
    e.needs_rows(200)
    e.needs_squares()
    s = e.sums
    if s.squared_error == 0:
        raise CannotTestError("there is no error")
    total = s.total(s.squared_error, 2).rounded()
    few = max(1, e.n // 100)
    rows = e.largest()
    weighted = e.evaluation.provenance.weight is not None
    if few <= MOST_LARGEST and e.is_whole and not weighted:
        share = min(1.0, math.fsum(size for size, _ in rows[:few]) / total)
    else:
        share = 1 - s.absolute(s.sizes.trimmed_square(0.01), 0).rounded() * 0.99 / e.mse
    top = [sum(size for size, _ in rows[:count]) / total for count in (1, 10)] if e.is_whole else [math.nan, math.nan]
    left = e.mse * (1 - share) / 0.99
    low, high = ends_of(share, _error_of_share(e))
    return Outcome(
        effect=share,
        low=low,
        high=high,
        told=f"of the squared error {percent(share)} is in 1 % of the rows, {percent(top[0])} in the largest row"
        if e.is_whole
        else f"of the squared error {percent(share)} is in 1 % of the rows",
        meaning=f"without these rows the MSE would be {number(float(f'{left:.4g}'))}: it tells of a few rows, not of the many",
        fix="look at these rows before the model; report the median error beside the RMSE; " + _ROBUST,
        code=_CODE_ROBUST.format(1.345 * math.sqrt(left)),
        gain=share,
        numbers={"top_percent": share, "top_1": top[0], "top_10": top[1]},
    )


def _error_of_share(e: Evidence) -> float:
    """Return the standard error of the share of the largest 1 %: nan where no rows are at hand.

    With x = e^2, their 99 % quantile q and the share C a row has the influence (max(x - q, 0) + q / 100 - C x) / mean(x).
    """
    error, w = e.sampled.error, e.sampled.w
    if len(error) < 2 or not e.effective > 1:
        return math.nan
    order = np.argsort(np.abs(error), kind="stable")
    x, weight = error[order] ** 2, w[order] / float(w.sum())
    q = x[min(int(np.searchsorted(np.cumsum(weight), 0.99)), len(x) - 1)]
    mean, above = float((weight * x).sum()), np.maximum(x - q, 0.0) + q / 100
    influence = (above - float((weight * above).sum()) / mean * x) / mean
    return math.sqrt(float((weight * influence**2).sum()) / e.effective)


def outliers(e: Evidence) -> tuple[list[tuple[float, Large]], Moments, float]:
    """Return the rows whose errors are too large for one normal law, the moments of the others, and the largest of the studentised errors."""
    m = e.moments_of_all
    n, w = float(e.n), m.weight
    rows = [(abs(_studentised(row.error, m, w)), (size, row)) for size, row in e.largest()]
    rows.sort(key=lambda each: -each[0])  # by the distance from the mean of the errors, which need not be 0
    far = itertools.takewhile(lambda each: n * tails(each[0], w - 2) < 0.05, rows)
    return [each for _, each in far], m, max((t for t, _ in rows), default=0.0)


def _studentised(error: float, m: Moments, n: float) -> float:
    """Return an error less the mean of the errors in standard deviations of the others."""
    distance = error - m.mean
    others = (n * m.second - distance * distance * n / (n - 1)) / (n - 2)
    return distance / math.sqrt(others * (1 - 1 / n)) if others > 0 else math.copysign(math.inf, distance)


@check(
    "SQ021",
    "Single rows lie far outside the others",
    "share of the squared error in rows that are outliers",
    0.05,
    0.3,
    2,
    ("SQ007", "SQ010", "SQ017", "SQ018", "SQ019", "SQ020", "SQ040"),
)
def outlying_rows(e: Evidence) -> Outcome:
    r"""Find errors that are too large to come from the law of the others (externally studentised, Bonferroni).

    .. math:: t_i = \frac{e_i - \bar e}{s_{(i)} \sqrt{1 - 1/n}}, \quad n\, P(|t_{n-2}| > |t_i|) < 0.05

    The interval of their share is that of rows drawn again, as many outliers among them as chance has it; without an outlier there is none.
    It is told where the other rows look like a bell: where they have heavy tails too, large errors are the law, and SQ018 tells it.

    References
    ----------
    Cook, R. D. and Weisberg, S. (1982), Residuals and Influence in Regression, section 2.2.
    """
    e.needs_errors()
    rows, m, t = outliers(e)
    n = e.n
    share = math.fsum(size for size, _ in rows) / e.sums.total(e.sums.squared_error, 2).rounded() if rows else 0.0
    rest = e.kurtosis_without(rows)
    few = len(rows) <= max(1, n // 100) and not rest > 4 + 2 * math.sqrt(24 / n)
    named = "; ".join(f"row {row.row:,}: {number(row.target)} predicted as {number(row.prediction)}" for _, row in rows[:3])
    where = one_line(rows[0][1].where, 60) if rows else ""
    told = f"{len(rows):,} {'row is an outlier' if len(rows) == 1 else 'rows are outliers'} ({named}) in {where}; " if rows else ""
    low, high = ends_of(share, _error_of_rows(e, rows, share) if rows and few else math.nan)
    return Outcome(
        effect=share if few else 0.0,
        low=low,
        high=high,
        p_value=min(1.0, n * tails(t, m.weight - 2)),
        told=f"{told}the largest error is {t:.3g} standard deviations off",
        meaning=f"{percent(len(rows) / n)} of the rows make {percent(share)} of the MSE; a fit by squared error bends to them",
        fix="check these rows for a wrong unit, sign or decimal point. If they are real, report with and without them; " + _ROBUST,
        code=_CODE_ROBUST.format(1.345 * math.sqrt(max(m.second * (1 - share), 0.0))),
        gain=share,
        numbers={"rows": float(len(rows)), "largest_t": t},
        source=e.watched,
    )


def _error_of_rows(e: Evidence, rows: list[tuple[float, Large]], share: float) -> float:
    """Return the standard error of the share C that some rows have of the sum of x = w e^2.

    Of a row it has the influence (1 - C) x / sum(x) where it is one of them, and -C x / sum(x) else.
    """
    total, s = e.sums.total(e.sums.squared_error, 2).rounded(), e.watcher.shape.sums
    of_rows = math.fsum((size / total) ** 2 for size, _ in rows)
    of_all = s.total(s.yy, 2).rounded() / s.observations.rounded() / e.mse**2 / e.effective
    return math.sqrt((1 - share) ** 2 * of_rows + share**2 * max(of_all - of_rows, 0.0))
