"""Is the variance of the errors the same everywhere? If not, squared error gives its attention to the wrong rows."""

import math

import numpy as np
import numpy.typing as npt

from squarely.diagnose.evidence import Drawn, Evidence
from squarely.diagnose.finding import CannotTestError, Outcome, check
from squarely.diagnose.laws import chi2_tail, f_tail
from squarely.diagnose.moments import moments_of
from squarely.intervals.student import quantile, tails
from squarely.plain import number, one_line, percent
from squarely.state import Ratio

__all__: list[str] = []

Floats = npt.NDArray[np.float64]
_LEAST = 20  # rows of a group whose variance is judged
_NINE_TENTHS = 3.29  # standard deviations in which so much of a normal law lies


@check(
    "SQ007",
    "The variance of the errors changes with the prediction",
    "R2 of squared errors on the prediction",
    0.02,
    0.15,
    4,
    ("SQ008", "SQ017", "SQ018", "SQ020", "SQ040"),
)
def heteroscedasticity(e: Evidence) -> Outcome:
    r"""Regress squared errors on the prediction (Breusch and Pagan, as Koenker studentised it).

    .. math:: \mathrm{LM} = n R^2, \quad e^2 = a + b \hat y + u

    Predictions stay right, but squared error spends itself on the rows that are noisy anyway, and intervals of one width are wrong:
    too wide where noise is low, too narrow where it is high.

    References
    ----------
    Koenker, R. (1981), J. Econometrics 17(1), doi:10.1016/0304-4076(81)90062-2.
    """
    e.needs_errors()
    drawn, s = e.drawn, e.watcher.spread.sums
    if s.variance_p == 0 or s.variance_y == 0:
        raise CannotTestError("predictions, or squared errors, are all alike")
    r2 = e.ratio_of(s, s.covariance**2, s.variance_p * s.variance_y)
    lm = e.effective_of(s) * r2
    ratio, lost = _by_tenth(drawn)
    where = "high" if s.covariance > 0 else "low"
    z, half = math.atanh(min(math.sqrt(r2), 1 - 1e-15)), 1.96 / math.sqrt(max(e.effective - 3, 1.0))  # the scale of Fisher
    return Outcome(
        effect=r2,
        low=math.tanh(max(0.0, z - half)) ** 2,
        high=math.tanh(z + half) ** 2,
        p_value=chi2_tail(lm, 1),
        told=f"LM = {lm:.4g} (chi-squared, 1 degree); the MSE of the tenth with the highest predictions is {ratio:.3g} times that of the lowest",
        meaning=f"errors grow where predictions are {where}: weights of 1 over their variance would save {percent(lost)} of the rows",
        fix="weight rows by 1 / variance, fit a loss whose variance grows with the mean, or predict the variance too",
        code="model.fit(X, y, sample_weight=1 / predicted_variance)",
        gain=lost,
        numbers={"lm": lm, "r2": r2, "tenths_ratio": ratio},
        source=e.watched,
    )


def _by_tenth(d: Drawn) -> tuple[float, float]:
    """Return the MSE of the highest tenth of predictions over that of the lowest, and the share of rows that equal weights waste."""
    tenths = np.array_split(np.argsort(d.p, kind="stable"), 10)
    found = np.array([np.average(d.error[rows] ** 2, weights=d.w[rows]) for rows in tenths if len(rows)])
    ratio = float(found[-1] / found[0]) if found[0] > 0 else math.inf if found[-1] > 0 else 1.0
    if len(found) < 2 or not (found > 0).all():
        return ratio, 0.0
    return ratio, max(0.0, float(1 - 1 / (found.mean() * (1 / found).mean())))


@check(
    "SQ009",
    "The noise grows with the mean",
    "power of the mean by which the variance grows",
    0.5,
    1.5,
    1,
    ("SQ007", "SQ008", "SQ017", "SQ018", "SQ019", "SQ020", "SQ021", "SQ040"),
)
def variance_power(e: Evidence) -> Outcome:
    r"""Regress the logarithm of squared errors on that of predictions (Park).

    .. math:: \log e^2 = a + b \log |\hat y| + u

    It takes the rows with a prediction above 0 and an error, which must be nine of ten; predictions must spread over a factor of 1.5.
    The power b says which loss has this variance: 0 squared error, 1 Poisson deviance, 2 gamma deviance or squared error of the logarithm.

    References
    ----------
    Park, R. E. (1966), Econometrica 34(4), doi:10.2307/1910108.
    """
    e.needs_errors()
    d, s = e.drawn, e.watcher.logs.sums
    if s.n < max(50, 0.9 * e.watcher.shape.n):
        raise CannotTestError("predictions are not positive, or errors are 0: a power of the mean has no meaning here")
    if _NINE_TENTHS * math.sqrt(s.absolute(Ratio(s.variance_p, s.w * s.w), 2).rounded()) < math.log(1.5):
        raise CannotTestError("predictions do not vary enough to tell a power: nine tenths of them lie within a factor of 1.5")
    freedom = s.n - 2
    slope = 2 * e.ratio_of(s, s.covariance, s.variance_p)  # sums are of log |e|, and log e^2 is twice that
    se = 2 * math.sqrt(e.ratio_of(s, s.variance_y * s.variance_p - s.covariance**2, s.variance_p**2 * freedom))
    if not se > 0:
        raise CannotTestError("the errors are all of one size, or of one for each prediction")
    t, least = quantile(0.95, freedom), e.smallest_target
    if least > 0 if slope > 1.5 else least >= 0:  # what the deviances are defined for
        name = "mean_gamma_deviance" if slope > 1.5 else "mean_poisson_deviance"
        loss, code = ("gamma deviance, or squared error of the logarithm" if slope > 1.5 else "Poisson deviance"), f"sq.{name}(y, prediction)"
    else:
        loss, code = "squared error with weights of 1 over this variance", f"sq.mse(y, prediction, sample_weight=prediction ** -{slope:.3g})"
    ratio, lost = _by_tenth(d)
    return Outcome(
        effect=slope,
        low=slope - t * se,
        high=slope + t * se,
        p_value=tails(slope / se, freedom),
        told=f"the variance of the errors is about the mean to the power {slope:.3g} ({slope - t * se:.3g} to {slope + t * se:.3g})",
        meaning=f"squared error listens to rows with large predictions: in their highest tenth the MSE is {ratio:.3g} times that of the lowest",
        fix=f"train with {loss}, which expects this",
        code=code,
        gain=lost,
        numbers={"power": slope, "se": se},
        source=e.watched,
    )


@check(
    "SQ010",
    "The variance of the errors differs between groups",
    "largest variance of a group over the smallest",
    4.0,
    25.0,
    4,
    ("SQ017", "SQ018", "SQ020", "SQ040"),
)
def groupwise_variance(e: Evidence) -> Outcome:
    r"""Compare the variances of groups (O'Brien), from the sums of each group.

    .. math:: r_{ij} = \frac{(n_j - 1.5) n_j (e_{ij} - \bar e_j)^2 - 0.5 s_j^2 (n_j - 1)}{(n_j - 1)(n_j - 2)}

    and the analysis of variance of r. It is about as robust as that of Brown and Forsythe, and needs no medians.

    References
    ----------
    O'Brien, R. G. (1981), Psychological Bulletin 89(3), doi:10.1037/0033-2909.89.3.570.
    """
    e.needs_squares()
    groups = {key: moments_of(state) for key, state in e.states_by("group").items() if state.n >= _LEAST}
    groups = {key: m._replace(weight=m.weight * e.rows_per_weight) for key, m in groups.items()}
    groups = {key: m for key, m in groups.items() if m.weight > 3}
    if len(groups) < 2:
        raise CannotTestError(f"there are not two groups of at least {_LEAST} rows")
    n, m2, m4 = (np.array([getattr(m, name) for m in groups.values()]) for name in ("weight", "second", "fourth"))
    variance = m2 * n / (n - 1)
    within = float((((n - 1.5) * n / ((n - 1) * (n - 2))) ** 2 * n * (m4 - m2**2)).sum())
    k, total = len(n), float(n.sum())
    between = float((n * (variance - np.average(variance, weights=n)) ** 2).sum())
    if not within > 0:
        raise CannotTestError("errors within the groups are all alike")
    f = between / (k - 1) / (within / (total - k))
    ratio = float(variance.max() / variance.min()) if variance.min() > 0 else math.inf
    names = [", ".join(one_line(part, 30) for part in key) for key in groups]
    ends = [int(variance.argmax()), int(variance.argmin())]
    half = 1.96 * math.sqrt(float(((m4 / m2**2 - 1) / n)[ends].sum()))  # of the logarithm of the ratio
    worst, best = names[int(variance.argmax())], names[int(variance.argmin())]
    most, least = (math.sqrt(float(each)) for each in (variance.max(), variance.min()))
    lost = max(0.0, 1 - 1 / float(np.average(variance, weights=n) * np.average(1 / variance, weights=n))) if variance.min() > 0 else 1.0
    return Outcome(
        effect=ratio,
        low=ratio * math.exp(-half),
        high=ratio * math.exp(half),
        p_value=f_tail(f, k - 1, total - k),
        told=f"the standard deviation of the errors is {number(most)} in {worst} and {number(least)} in {best}; F = {f:.4g}",
        meaning=f"{worst} decides the MSE: weights of 1 over the variance of a group would save {percent(lost)} of the rows",
        fix="weight each group by 1 / its variance, and report the error of each group",
        code=f"sq.evaluate(data, target=..., prediction=..., by={list(e.evaluation.by)!r})",
        gain=lost,
        numbers={"f": f, "ratio": ratio},
        source=e.watched,
    )
