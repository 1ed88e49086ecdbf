"""Which law do the errors follow? Each law has the loss that uses the rows best."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from squarely.diagnose.evidence import Drawn, Evidence
from squarely.diagnose.finding import CannotTestError, Outcome, check, ends_of
from squarely.plain import number, percent

__all__ = ["Law", "best_law", "efficiency_of", "error_of_efficiency", "laws_of", "log_density"]

Floats = npt.NDArray[np.float64]
_SCALE = 1.345  # Huber's, for 95 % efficiency under a normal law
_MOST_ROWS = 4096  # that are fitted: more would not choose another law
_STEPS = 100
_DEGREES = (60.0, 30.0, 15.0, 10.0, 7.0, 5.0, 4.0, 3.0, 2.5, 2.0, 1.5, 1.0)
_GOLDEN = (math.sqrt(5) - 1) / 2
_LEAST = 1e-300


@dataclass(frozen=True)
class Law:
    """A law that was fitted to errors: its log-likelihood, its parameters, and how well squared error uses the rows under it."""

    name: str
    likelihood: float
    parameters: dict[str, float]
    efficiency: float
    loss: str
    code: str


def laws_of(error: Floats, w: Floats) -> dict[str, Law]:
    """Fit a normal, a Laplace, a Student and a contaminated normal law by maximum likelihood.

    The efficiency is the variance of the best estimate of the location over that of the mean.
    """
    total = float(w.sum())
    mean = _mean(error, w)
    sd = math.sqrt(_mean((error - mean) ** 2, w))
    likelihood = -total * (math.log(sd * math.sqrt(2 * math.pi)) + 0.5)
    normal = Law("normal", likelihood, {"mean": mean, "sd": sd}, 1.0, "squared error", "sq.mse(y, prediction)")
    median = _median(error, w)
    if not _median(np.abs(error - median), w) > 1e-100 * sd:
        raise CannotTestError("half of the errors are one number, and no law with a density fits them")
    b = _mean(np.abs(error - median), w)
    likelihood = -total * (math.log(2 * b) + 1)
    laplace = Law("Laplace", likelihood, {"median": median, "scale": b}, 0.5, "absolute error", "sq.mae(y, prediction)")
    return {law.name: law for law in (normal, laplace, _student(error, w, median, b), _contaminated(error, w, median, sd))}


def log_density(name: str, parameters: Mapping[str, float], x: Floats) -> Floats:
    """Return the logarithm of the density of a law at errors."""
    place, scale, *more = parameters.values()
    z = (x - place) / scale
    if name == "normal":
        return np.asarray(-0.5 * z * z - math.log(scale * math.sqrt(2 * math.pi)))
    if name == "Laplace":
        return np.asarray(-np.abs(z) - math.log(2 * scale))
    if name == "Student":
        nu = more[0]
        front = math.lgamma((nu + 1) / 2) - math.lgamma(nu / 2) - 0.5 * math.log(nu * math.pi) - math.log(scale)
        return np.asarray(front - (nu + 1) / 2 * np.log1p(z * z / nu))
    share, wide = more
    return np.asarray(np.log(np.maximum((1 - share) * _density(x - place, scale) + share * _density(x - place, wide), _LEAST)))


def _mean(x: Floats, w: Floats) -> float:
    return float((w * x).sum() / w.sum())


def _median(x: Floats, w: Floats) -> float:
    order = np.argsort(x, kind="stable")
    reached = np.cumsum(w[order])
    half = reached[-1] / 2
    at = int(np.searchsorted(reached, half))
    return float((x[order[at]] + x[order[min(at + (reached[at] == half), len(x) - 1)]]) / 2)


def _student(x: Floats, w: Floats, place: float, scale: float) -> Law:
    """Fit location, scale and degrees of freedom: for each of a grid of degrees by iterated weights, then between the best."""
    total = float(w.sum())

    def fitted(nu: float, place: float, scale: float) -> tuple[float, float, float]:
        for _ in range(_STEPS):
            share = w * (nu + 1) / (nu + ((x - place) / scale) ** 2)
            new = float((share * x).sum() / share.sum())
            size = math.sqrt(float((share * (x - new) ** 2).sum()) / total)
            done = abs(new - place) + abs(size - scale) < 1e-9 * size
            place, scale = new, size
            if done:
                break
        parameters = {"location": place, "scale": scale, "degrees": nu}
        return float((w * log_density("Student", parameters, x)).sum()), place, scale

    found: list[tuple[float, float, float, float]] = []
    for nu in _DEGREES:
        found.append((nu, *fitted(nu, place, scale)))
        _, _, place, scale = found[-1]  # a good start for the next
    at = max(range(len(found)), key=lambda each: found[each][1])
    low, high = math.log(_DEGREES[max(at - 1, 0)]), math.log(_DEGREES[min(at + 1, len(found) - 1)])
    start = found[at][2:]
    inner, outer = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    of_inner, of_outer = fitted(math.exp(inner), *start), fitted(math.exp(outer), *start)
    for _ in range(20):
        if of_inner[0] > of_outer[0]:
            high, outer, of_outer = outer, inner, of_inner
            inner = high - _GOLDEN * (high - low)
            of_inner = fitted(math.exp(inner), *of_outer[1:])
        else:
            low, inner, of_inner = inner, outer, of_outer
            outer = low + _GOLDEN * (high - low)
            of_outer = fitted(math.exp(outer), *of_inner[1:])
    nu, (likelihood, place, scale) = (math.exp(inner), of_inner) if of_inner[0] > of_outer[0] else (math.exp(outer), of_outer)
    parameters = {"location": place, "scale": scale, "degrees": nu}
    return Law(
        "Student", likelihood, parameters, efficiency_of("Student", parameters), "Huber loss", f"sq.huber(y, prediction, delta={_SCALE * scale:.6g})"
    )


def _contaminated(x: Floats, w: Floats, place: float, sd: float) -> Law:
    """Fit a normal law of which a share has a larger standard deviation (expectation and maximisation)."""
    core = 1.4826 * _median(np.abs(x - place), w)
    least = 0.05 * core  # equal errors are no law of their own, whose likelihood would have no bound
    share, wide = 0.05, max(3 * core, 2 * sd)
    for _ in range(_STEPS):
        inner, outer = (1 - share) * _density(x - place, core), share * _density(x - place, wide)
        far = np.where(inner + outer > 0, outer / np.maximum(inner + outer, _LEAST), 1.0)
        before, share = share, _mean(far, w)
        pull = w * ((1 - far) / core**2 + far / wide**2)
        place = float((pull * x).sum() / pull.sum())
        square = (x - place) ** 2
        core = max(math.sqrt(_mean((1 - far) * square, w) / max(1 - share, _LEAST)), least)
        wide = max(math.sqrt(_mean(far * square, w) / max(share, _LEAST)), core)
        if abs(share - before) < 1e-7:
            break
    parameters = {"location": place, "scale": core, "share": share, "wide": wide}
    likelihood = float((w * log_density("contaminated normal", parameters, x)).sum())
    efficiency = efficiency_of("contaminated normal", parameters)
    return Law("contaminated normal", likelihood, parameters, efficiency, "Huber loss", f"sq.huber(y, prediction, delta={_SCALE * core:.6g})")


def efficiency_of(name: str, parameters: Mapping[str, float]) -> float:
    """Return the variance of the best estimate of the location over that of the mean, under a law with parameters for its tails."""
    if name == "contaminated normal":
        return _efficiency(parameters["share"], parameters["scale"], parameters["wide"])
    # The information on the location is (nu + 1) / (nu + 3) / scale^2, and the variance scale^2 nu / (nu - 2).
    nu = parameters["degrees"]
    return (nu - 2) / nu * (nu + 3) / (nu + 1) if nu > 2 else 0.0


def _efficiency(share: float, core: float, wide: float) -> float:
    """Return 1 over variance times information of a contaminated normal law, by the trapezoidal rule on both scales."""
    half = np.concatenate(
        [np.linspace(0, 8 * core, 2001), np.linspace(8 * core, 8 * wide, 2001)[1:]] if wide > core else [np.linspace(0, 8 * core, 2001)]
    )
    f = (1 - share) * _density(half, core) + share * _density(half, wide)
    slope = half * ((1 - share) * _density(half, core) / core**2 + share * _density(half, wide) / wide**2)
    information = 2 * float(np.trapezoid(slope**2 / np.maximum(f, _LEAST), half))
    variance = (1 - share) * core**2 + share * wide**2
    return min(1.0, 1 / (variance * information)) if information > 0 else 0.0


def _density(x: Floats, sd: float) -> Floats:
    found: Floats = np.exp(-0.5 * (x / sd) ** 2) / (sd * math.sqrt(2 * math.pi))
    return found


_FREEDOM = {"normal": 2, "Laplace": 2, "Student": 3, "contaminated normal": 4}


@check(
    "SQ019",
    "Another law than the normal fits the errors",
    "information (AIC) that the normal law loses to the best law, for each row",
    0.02,
    math.inf,
    6,
    ("SQ040",),
)
def noise_law(e: Evidence) -> Outcome:
    r"""Compare laws of the errors by their likelihood: normal, Laplace, Student, contaminated normal.

    .. math:: \Delta = \frac{\mathrm{AIC}_{\text{normal}} - \mathrm{AIC}_{\text{best}}}{n}

    The loss of a law is its negative log-likelihood: squared error for the normal, absolute error for the Laplace law, Huber's or
    Student's between. The efficiency says how many of its rows squared error uses to find a location under the law that fits best.
    The interval is that of the mean difference of twice the log-likelihoods of a row (Vuong); where SQ018 fires it is too narrow.

    References
    ----------
    Vuong, Q. H. (1989), Econometrica 57(2), doi:10.2307/1912557.
    Akaike, H. (1974), IEEE Trans. Automatic Control 19(6), doi:10.1109/TAC.1974.1100705.
    """
    laws, n, source = fitted_laws(e)
    aic = {name: 2 * _FREEDOM[name] - 2 * law.likelihood for name, law in laws.items()}
    best = laws[min(aic, key=aic.__getitem__)]
    se = _error_of_gain(e, laws["normal"], laws[min(aic.keys() - {"normal"}, key=aic.__getitem__)], n)
    gain = (aic["normal"] - aic[best.name]) / n
    low, high = ends_of(gain, se, math.inf)
    settings = ", ".join(f"{name} {number(float(f'{value:.3g}'))}" for name, value in best.parameters.items())
    return Outcome(
        effect=gain if best.name != "normal" else 0.0,
        low=low,
        high=high,
        p_value=math.exp(-0.5 * gain * n) if gain * n < 1400 else 0.0,
        told=f"a {best.name} law fits best ({settings}); AIC for each row lower by {gain:.3g} than that of the normal law",
        meaning=f"under this law squared error uses {percent(best.efficiency)} of the rows: {best.loss} would find the same from fewer",
        fix=f"train with {best.loss} if the errors are symmetric, or if the median will do; squared error stays right for a mean",
        code=best.code,
        gain=0.5 * (1 - best.efficiency),
        numbers={"gain": gain, "efficiency": best.efficiency, **{f"aic_{name}": value for name, value in aic.items()}},
        source=source,
    )


def _rows_of(d: Drawn) -> tuple[Floats, Floats, int]:
    """Return errors and weights of the rows that are fitted, every so many of those at hand."""
    step = -(-len(d.y) // _MOST_ROWS)
    return d.error[::step], d.w[::step], step


def _error_of_gain(e: Evidence, normal: Law, other: Law, n: float) -> float:
    """Return the standard error of the AIC that a law gains for each row."""
    error, w, _ = _rows_of(e.drawn)
    gained = 2 * (log_density(other.name, other.parameters, error) - log_density(normal.name, normal.parameters, error))
    return math.sqrt(_mean((gained - _mean(gained, w)) ** 2, w) / n)


def error_of_efficiency(e: Evidence) -> float:
    """Return the standard error of the efficiency under the best law, from the scores of its parameters (delta method)."""
    law, (_, n, _), (error, w, _) = best_law(e), fitted_laws(e), _rows_of(e.drawn)
    if law.name in ("normal", "Laplace"):
        return math.nan
    names, scale = list(law.parameters), law.parameters["scale"]
    scores, slopes = [], []
    for name in names:
        value = law.parameters[name]
        step = 1e-4 * (scale if name == "location" else value)
        ends = [{**law.parameters, name: value + sign * step} for sign in (1, -1)]
        up, down = (log_density(law.name, each, error) for each in ends)
        scores.append((up - down) / 2e-4)  # by relative changes
        slopes.append((efficiency_of(law.name, ends[0]) - efficiency_of(law.name, ends[1])) / 2e-4)
    table, slope = np.array(scores), np.array(slopes)
    information = (table * (w * (n / float(w.sum())))) @ table.T
    return math.sqrt(max(float(slope @ np.linalg.pinv(information) @ slope), 0.0))


def fitted_laws(e: Evidence) -> tuple[dict[str, Law], float, str]:
    """Return the laws of the errors of a model, the weight of the rows that were fitted, and which rows these are."""
    e.needs_errors()
    e.needs_rows(100)
    d = e.drawn
    error, w, step = _rows_of(d)
    n = e.effective * len(error) / e.n  # weights tell how rows count beside each other, not how many there are
    if not np.ptp(error) > 0:
        raise CannotTestError("the errors of the rows that are at hand are all alike")
    if e.laws is None:
        e.laws = laws_of(error, w * (n / float(w.sum())))
    return e.laws, n, d.source if step == 1 else f"a sample of {len(error):,} rows"


def best_law(e: Evidence) -> Law:
    """Return the law that fits the errors best."""
    laws, _, _ = fitted_laws(e)
    return min(laws.values(), key=lambda law: 2 * _FREEDOM[law.name] - 2 * law.likelihood)
