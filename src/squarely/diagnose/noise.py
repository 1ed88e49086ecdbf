"""Which law do the errors follow? Each law has the loss that uses the rows best."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from squarely.diagnose.evidence import Evidence
from squarely.diagnose.finding import CannotTestError, Outcome, check
from squarely.plain import number, percent

__all__ = ["Law", "laws_of"]

Floats = npt.NDArray[np.float64]
_SCALE = 1.345  # Huber's, for 95 % efficiency under a normal law


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
    mean = float(w @ error) / total
    sd = math.sqrt(float(w @ (error - mean) ** 2) / total)
    normal = Law(
        "normal", -total * (math.log(sd * math.sqrt(2 * math.pi)) + 0.5), {"mean": mean, "sd": sd}, 1.0, "squared error", "sq.mse(y, prediction)"
    )
    median = _median(error, w)
    if not _median(np.abs(error - median), w) > 1e-100 * sd:
        raise CannotTestError("half of the errors are one number, and no law with a density fits them")
    b = float(w @ np.abs(error - median)) / total
    laplace = Law("Laplace", -total * (math.log(2 * b) + 1), {"median": median, "scale": b}, 0.5, "absolute error", "sq.mae(y, prediction)")
    return {law.name: law for law in (normal, laplace, _student(error, w), _contaminated(error, w, mean, sd))}


def _median(x: Floats, w: Floats) -> float:
    order = np.argsort(x, kind="stable")
    reached = np.cumsum(w[order])
    half = reached[-1] / 2
    at = int(np.searchsorted(reached, half))
    return float((x[order[at]] + x[order[min(at + (reached[at] == half), len(x) - 1)]]) / 2)


def _student(x: Floats, w: Floats) -> Law:
    """Fit location, scale and degrees of freedom: for each of a grid of degrees by iterated weights, then between the best."""
    total = float(w.sum())

    def fitted(nu: float) -> tuple[float, float, float]:
        place, scale = _median(x, w), float(w @ np.abs(x - _median(x, w))) / total
        for _ in range(200):
            z2 = ((x - place) / scale) ** 2
            share = w * (nu + 1) / (nu + z2)
            new = float(share @ x) / float(share.sum())
            size = math.sqrt(float(share @ (x - new) ** 2) / total)
            done = abs(new - place) + abs(size - scale) < 1e-10 * size
            place, scale = new, size
            if done:
                break
        z2 = ((x - place) / scale) ** 2
        front = math.lgamma((nu + 1) / 2) - math.lgamma(nu / 2) - 0.5 * math.log(nu * math.pi) - math.log(scale)
        return total * front - (nu + 1) / 2 * float(w @ np.log1p(z2 / nu)), place, scale

    grid = [1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 7.0, 10.0, 15.0, 30.0, 60.0]
    at = int(np.argmax([fitted(nu)[0] for nu in grid]))
    low, high = math.log(grid[max(at - 1, 0)]), math.log(grid[min(at + 1, len(grid) - 1)])
    for _ in range(25):  # the golden section
        a, b = high - 0.6180339887 * (high - low), low + 0.6180339887 * (high - low)
        low, high = (low, b) if fitted(math.exp(a))[0] > fitted(math.exp(b))[0] else (a, high)
    nu = math.exp((low + high) / 2)
    likelihood, place, scale = fitted(nu)
    # The information on the location is (nu + 1) / (nu + 3) / scale^2, and the variance scale^2 nu / (nu - 2).
    efficiency = (nu - 2) / nu * (nu + 3) / (nu + 1) if nu > 2 else 0.0
    parameters = {"location": place, "scale": scale, "degrees": nu}
    return Law("Student", likelihood, parameters, efficiency, "Huber loss", f"sq.huber(y, prediction, delta={_SCALE * scale:.6g})")


def _contaminated(x: Floats, w: Floats, mean: float, sd: float) -> Law:
    """Fit a normal law of which a share has a larger standard deviation (expectation and maximisation)."""
    total = float(w.sum())
    size = np.abs(x - mean)
    core = 1.4826 * _median(size, w)
    least = 0.05 * core  # equal errors are no law of their own, whose likelihood would have no bound
    share, wide, place = 0.05, max(3 * core, 2 * sd), mean
    for _ in range(300):
        inner, outer = ((1 - share) * _density(x - place, core), share * _density(x - place, wide))
        both = inner + outer
        far = np.where(both > 0, outer / np.where(both > 0, both, 1.0), 1.0)
        before = share
        share = float(w @ far) / total
        near_w, far_w = w * (1 - far), w * far
        place = float((near_w / core**2 + far_w / wide**2) @ x) / float((near_w / core**2 + far_w / wide**2).sum())
        core = max(math.sqrt(float(near_w @ (x - place) ** 2) / max(float(near_w.sum()), 1e-300)), least)
        wide = max(math.sqrt(float(far_w @ (x - place) ** 2) / max(float(far_w.sum()), 1e-300)), core)
        if abs(share - before) < 1e-9:
            break
    density = (1 - share) * _density(x - place, core) + share * _density(x - place, wide)
    likelihood = float(w @ np.log(np.maximum(density, 1e-300)))
    variance = (1 - share) * core**2 + share * wide**2
    t = (
        np.linspace(-40, 40, 40_001) * core
        if wide < 10 * core
        else np.concatenate([np.linspace(-8, 8, 20_001) * core, np.linspace(8 * core, 8 * wide, 10_001)])
    )
    t = np.unique(np.concatenate([t, -t]))
    f = (1 - share) * _density(t, core) + share * _density(t, wide)
    slope = (1 - share) * _density(t, core) * t / core**2 + share * _density(t, wide) * t / wide**2
    information = float(np.trapezoid(np.where(f > 0, slope**2 / np.where(f > 0, f, 1.0), 0.0), t))
    parameters = {"location": place, "scale": core, "share": share, "wide": wide}
    efficiency = min(1.0, 1 / (variance * information)) if information > 0 else 0.0
    return Law("contaminated normal", likelihood, parameters, efficiency, "Huber loss", f"sq.huber(y, prediction, delta={_SCALE * core:.6g})")


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

    References
    ----------
    Akaike, H. (1974), IEEE Trans. Automatic Control 19(6), doi:10.1109/TAC.1974.1100705.
    """
    e.needs_errors()
    d = e.drawn
    e.needs_rows(100)
    error = d.error
    n = e.effective * len(error) / e.n
    laws = laws_of(error, d.w * (n / float(d.w.sum())))
    aic = {name: 2 * _FREEDOM[name] - 2 * law.likelihood for name, law in laws.items()}
    best = laws[min(aic, key=aic.__getitem__)]
    gain = (aic["normal"] - aic[best.name]) / n
    settings = ", ".join(f"{name} {number(float(f'{value:.3g}'))}" for name, value in best.parameters.items())
    return Outcome(
        effect=gain if best.name != "normal" else 0.0,
        p_value=math.exp(-0.5 * gain * n) if gain * n < 1400 else 0.0,
        told=f"a {best.name} law fits best ({settings}); AIC for each row lower by {gain:.3g} than that of the normal law",
        meaning=f"under this law squared error uses {percent(best.efficiency)} of the rows: {best.loss} would find the same from fewer",
        fix=f"train with {best.loss} if the errors are symmetric, or if the median will do; squared error stays right for a mean",
        code=best.code,
        gain=0.5 * (1 - best.efficiency),
        numbers={"gain": gain, "efficiency": best.efficiency, **{f"aic_{name}": value for name, value in aic.items()}},
        source=d.source,
    )


def need_law(e: Evidence) -> Law:
    """Return the law that fits the errors best."""
    d = e.drawn
    e.needs_squares()
    if len(d.y) < 100:
        raise CannotTestError("there are fewer than 100 rows")
    laws = laws_of(d.error, d.w * (e.effective * len(d.y) / e.n / float(d.w.sum())))
    return min(laws.values(), key=lambda law: 2 * _FREEDOM[law.name] - 2 * law.likelihood)
