"""Do errors go together: in time, or in clusters? Then there is less in the rows than their number says."""

import math
from functools import partial
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from squarely.diagnose.evidence import Evidence
from squarely.diagnose.finding import CannotTestError, Outcome, check
from squarely.diagnose.laws import chi2_tail, f_tail, normal_tail
from squarely.diagnose.moments import moments_of
from squarely.plain import number, percent
from squarely.state import PairState

__all__ = ["autocorrelations"]

Floats = npt.NDArray[np.float64]
_FEW_PAIRS = 10  # a series of the fewest rows has as many at the largest distance
_NO_ORDER = "the rows were not said to lie in order of time; give order= if they do"


class Lag(NamedTuple):
    """The correlation of errors with those some rows before, and how many pairs there are, as a share of those in a single series."""

    r: float
    share: float


def autocorrelations(e: Evidence) -> list[Lag]:
    """Return the correlation of errors with those 1, 2, ... rows before in the same group, about their common mean."""
    if not e.is_ordered:
        raise CannotTestError(_NO_ORDER)
    e.needs_errors()
    if e.evaluation.provenance.weight is not None:
        raise CannotTestError("a series has one row for each time, and takes no weights")
    if not e.is_whole:
        raise CannotTestError("neighbours are not in a sample; ask diagnose() with the data")
    if e.evaluation.by and e.watcher.groups is None:
        raise CannotTestError("the rows that are at hand do not know their groups, and neighbours are of one group; ask diagnose() with the data")
    m, n = moments_of(e.watcher.shape), e.watcher.shape.n
    shares = [(state, state.n / (n - k)) for k, state in enumerate(e.watcher.neighbours.lags, 1) if state.n >= _FEW_PAIRS]
    if not shares:
        raise CannotTestError("the groups have too few rows that follow each other")
    return [Lag(_covariance(state, m.mean) / (n * m.second) / share, share) for state, share in shares]


def _covariance(state: PairState, mean: float) -> float:
    """Return sum (e_t - mean) (e_(t-k) - mean)."""
    s = state.sums
    product, later, before = (s.total(integer, degree).rounded() for integer, degree in ((s.yp, 2), (s.y, 1), (s.p, 1)))
    return product - mean * (later + before) + s.n * mean * mean


@check("SQ011", "Errors follow those of the row before", "size of the correlation of an error with the one before", 0.1, 0.5, 3, ("SQ012", "SQ042"))
def first_autocorrelation(e: Evidence) -> Outcome:
    r"""Correlate each error with that of the row before; the Durbin-Watson statistic says the same.

    .. math:: d = \frac{\sum_t (e_t - e_{t-1})^2}{\sum_t e_t^2} \approx 2 (1 - r_1)

    With groups (``by=``) each is a series: the row before is that of the same group.

    References
    ----------
    Durbin, J. and Watson, G. S. (1950), Biometrika 37(3-4), doi:10.1093/biomet/37.3-4.409.
    """
    r1, share = autocorrelations(e)[0]
    lag = e.watcher.neighbours.lags[0].sums
    dw = lag.total(lag.squared_error, 2).rounded() / e.sums.total(e.sums.squared_error, 2).rounded() / share
    n = e.n * share
    narrow = math.sqrt((1 + abs(r1)) / max(1 - abs(r1), 1e-12))
    foretold = f"{percent(r1 * r1)} of the MSE can be foretold from the error before"
    meaning = f"{foretold}; plain intervals are {narrow:.2g} times too narrow" if r1 > 0 else f"errors alternate: {foretold}"
    return Outcome(
        effect=abs(r1),
        low=max(0.0, abs(r1) - 1.96 / math.sqrt(n)),
        high=min(1.0, abs(r1) + 1.96 / math.sqrt(n)),
        p_value=normal_tail(r1 * math.sqrt(n)),
        told=f"r1 = {r1:.4g}, Durbin-Watson {dw:.4g}",
        meaning=meaning,
        fix="give the model the last values (lags), and judge it with order= and with splits by time",
        code="sq.evaluate(data, target=..., prediction=..., order='time')",
        gain=r1 * r1,
        numbers={"r1": r1, "durbin_watson": dw},
        source=e.watched,
    )


@check("SQ012", "Errors follow those of rows further back", "largest correlation with an error 2 to 10 rows before", 0.1, 0.5, 4, ("SQ042",))
def later_autocorrelations(e: Evidence) -> Outcome:
    r"""Correlate each error with those of up to 10 rows before (Ljung and Box).

    .. math:: Q = n (n + 2) \sum_{k=1}^{10} \frac{r_k^2}{n - k}

    A large correlation at one distance is a season that the model does not know. With groups each is a series: then :math:`r_k` is that of
    the pairs there are, and its term has the weight of their number.

    References
    ----------
    Ljung, G. M. and Box, G. E. P. (1978), Biometrika 65(2), doi:10.1093/biomet/65.2.297.
    """
    found, n = autocorrelations(e), e.n
    if len(found) < 2:
        raise CannotTestError("there are too few rows")
    q = n * (n + 2) * sum(r * r * share / (n - k) for k, (r, share) in enumerate(found, 1))
    r = [each.r for each in found]
    at = int(np.argmax(np.abs(r[1:]))) + 2
    top, wide = abs(r[at - 1]), 1.96 / math.sqrt(n * found[at - 1].share)
    return Outcome(
        effect=top,
        low=max(0.0, top - wide),
        high=min(1.0, top + wide),
        p_value=chi2_tail(q, len(r)),
        told=f"the correlation at a distance of {at} rows is {r[at - 1]:.3g}; Ljung-Box Q = {q:.4g} over {len(r)} lags",
        meaning=f"{percent(top * top)} of the MSE can be foretold from the error {at} rows before",
        fix=f"give the model the value of {at} rows before, or a season of that length",
        code=f"features['lag_{at}'] = target.shift({at})",
        gain=top * top,
        numbers={"q": q, **{f"r{k}": each for k, each in enumerate(r, 1)}},
        source=e.watched,
    )


@check("SQ013", "Errors go together in clusters", "intraclass correlation of the errors", 0.01, 0.2, 3)
def clustering(e: Evidence) -> Outcome:
    r"""Estimate the intraclass correlation from the sums of each cluster (analysis of variance).

    .. math:: \rho = \frac{B - W}{B + (n_0 - 1) W}, \quad \mathrm{deff} = 1 + (n_0 - 1) \rho

    Where the design effect is below 1.5 nothing is said. Rows of a cluster then carry little news of their own, and a split that
    parts a cluster between training and test flatters the model.

    References
    ----------
    Moulton, B. R. (1990), Review of Economics and Statistics 72(2), doi:10.2307/2109724.
    """
    e.needs_errors()
    which = "cluster" if e.watcher.clusters is not None else "group"
    found = [moments_of(state) for state in e.states_by(which).values()]
    n = np.array([m.weight for m in found]) * e.rows_per_weight
    k, total = len(n), float(n.sum())
    if k < 2 or total <= k:
        raise CannotTestError(f"there are not two {which}s with more than a row")
    mean = np.array([m.mean for m in found])
    between = float((n * (mean - np.average(mean, weights=n)) ** 2).sum()) / (k - 1)
    within = float((n * np.array([m.second for m in found])).sum()) / (total - k)
    if not within > 0:
        raise CannotTestError(f"errors within the {which}s are all alike")
    size = (total - float((n * n).sum()) / total) / (k - 1)
    icc = (between - within) / (between + (size - 1) * within)
    deff = 1 + (size - 1) * icc
    f = between / within
    # Swiger, L. A. et al. (1964), Biometrics 20(4), doi:10.2307/2528131
    se = math.sqrt(2 * (total - 1) / ((total - k) * (k - 1))) * (1 - icc) * abs(deff) / size
    by = "cluster" if which == "cluster" else "by"
    return Outcome(
        effect=icc if deff > 1.5 else 0.0,
        low=max(0.0, icc - 1.96 * se),
        high=min(1.0, max(0.0, icc + 1.96 * se)),
        p_value=f_tail(f, k - 1, total - k),
        told=f"intraclass correlation {icc:.3g} in {k:,} {which}s of about {size:.3g} rows; design effect {deff:.3g}; F = {f:.4g}",
        meaning=f"{e.n:,} rows tell as much as {e.n / max(deff, 1e-9):,.0f}; offsets of {which}s are {percent(max(icc, 0.0))} of the MSE",
        fix=f"use cluster= for intervals, keep {which}s whole in splits, and give the model what {which}s have in common",
        code="GroupKFold().split(X, y, groups)" if by == "cluster" else f"sq.evaluate(data, ..., cluster={next(iter(e.evaluation.by))!r})",
        gain=max(icc, 0.0),
        numbers={"icc": icc, "design_effect": deff, "f": f},
        source=e.watched,
    )


@check(
    "SQ035",
    "The model grows worse, or its level drifts, over time",
    "largest MSE of a quarter of the time over the smallest",
    2.0,
    5.0,
    2,
    ("SQ001", "SQ007", "SQ008", "SQ011", "SQ012", "SQ017", "SQ042"),
)
def drift(e: Evidence) -> Outcome:
    r"""Compare quarters of the time: their mean squared errors, and their mean errors in standard deviations plus 1.

    .. math:: \max\left(\frac{\max_q \mathrm{MSE}_q}{\min_q \mathrm{MSE}_q},\; 1 + \frac{\max_q \bar e_q - \min_q \bar e_q}{s}\right)

    The p-value is that of the analysis of variance of the values of blocks of time, of squared errors and of errors.

    References
    ----------
    Chow, G. C. (1960), Econometrica 28(3), doi:10.2307/1910133.
    """
    if not e.is_ordered or e.evaluation.uncertainty is None:
        raise CannotTestError(_NO_ORDER)
    e.needs_errors()
    left = e.evaluation.uncertainty.left(e.at)
    w, error, square = left.alone(0)
    if len(w) < 8:
        raise CannotTestError("there are too few rows to compare quarters of the time")
    quarters = np.array_split(np.arange(len(w)), 4)
    total = partial(_by, quarters)
    mse, mean = total(square) / total(w), total(error) / total(w)
    sd = math.sqrt(max(0.0, float(square.sum() / w.sum() - (error.sum() / w.sum()) ** 2)))
    ratio, shift = float(mse.max() / mse.min()) if mse.min() > 0 else math.inf, float((mean.max() - mean.min()) / sd) if sd else 0.0
    p = min(1.0, 2 * min(_anova(square / w, quarters), _anova(error / w, quarters)))
    unit = 2.0 ** left.scale[0, 0]
    rmse = ", ".join(number(float(f"{math.sqrt(each) * unit:.3g}")) for each in mse)
    level = ", ".join(number(float(f"{each * unit:.3g}")) for each in mean)
    worse = float(mse[-1] / mse[0]) if mse[0] > 0 else math.inf
    said = (
        f"the MSE of the last quarter is {worse:.3g} times that of the first"
        if ratio >= 1 + shift
        else f"the mean error moves by {shift:.2g} standard deviations"
    )
    return Outcome(
        effect=max(ratio, 1 + shift),
        p_value=p,
        told=f"by quarters of the time: RMSE {rmse}; mean error {level}",
        meaning=f"{said}: the MSE of all rows is not what to expect next",
        fix="refit on recent rows, or often; look at what changed; judge on the latest rows",
        code="sq.evaluate(latest_rows, target=..., prediction=..., order='time')",
        gain=max(0.0, 1 - float(mse.min() / mse.max())),
        numbers={"ratio": ratio, "shift": shift},
    )


def _by(quarters: list[npt.NDArray[np.intp]], values: Floats) -> Floats:
    return np.array([values[rows].sum() for rows in quarters])


def _anova(values: Floats, quarters: list[npt.NDArray[np.intp]]) -> float:
    """Return the p-value of no difference between the means of the quarters."""
    k, n = len(quarters), len(values)
    between = sum(len(rows) * (values[rows].mean() - values.mean()) ** 2 for rows in quarters) / (k - 1)
    within = sum(((values[rows] - values[rows].mean()) ** 2).sum() for rows in quarters) / (n - k)
    return f_tail(float(between / within), k - 1, n - k) if within > 0 else 1.0
