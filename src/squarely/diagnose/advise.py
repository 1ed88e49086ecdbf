"""Which loss to train with, and which metrics to report: rules over what the checks found."""

import math
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from squarely.diagnose.evidence import Evidence
from squarely.diagnose.finding import CannotTestError, Finding, Outcome, check, ends_of
from squarely.diagnose.noise import Law, best_law, error_of_efficiency
from squarely.plain import number, percent
from squarely.state import Ratio

__all__ = ["FUNCTIONALS", "Advice", "advise", "recommend"]

FUNCTIONALS = ("mean", "median", "quantile")
_WIDE = 1e3  # targets that span so much are of several orders of magnitude
_SCALES = 10.0  # between the standard deviations of the targets of groups


@dataclass(frozen=True)
class Advice:
    """A loss, why it is the one, what it is worth, and a line of code.

    ``efficiency`` is the share of the rows that squared error uses beside the best loss for these errors, where a law was fitted: 0.5
    says that the other loss finds as much from half of the rows.
    """

    loss: str
    functional: str
    reason: str
    code: str
    efficiency: float = float("nan")

    @property
    def worth(self) -> str:
        """What the loss is worth beside squared error, in words; empty where nothing is known."""
        if not self.efficiency < 0.98:
            return ""
        return f"squared error uses {percent(self.efficiency)} of the rows that it uses"

    def __str__(self) -> str:
        return f"{self.loss}: {self.reason}" + (f"; {self.worth}" if self.worth else "")


@dataclass(frozen=True)
class _Case:
    """What the rules look at."""

    e: Evidence
    found: Mapping[str, Finding]
    outcomes: Mapping[str, Outcome]
    law: Law | None

    def number(self, check: str, name: str) -> float:
        outcome = self.outcomes.get(check)
        return float("nan") if outcome is None else outcome.numbers.get(name, float("nan"))


def _efficiency(case: _Case) -> float:
    return float("nan") if case.law is None else case.law.efficiency


def _labels(case: _Case) -> Advice | None:
    if not np.isin(case.e.drawn.y, (0.0, 1.0)).all():
        return None
    reason = "targets are labels 0 and 1: it is their likelihood and learns faster from confident mistakes; the MSE here is the Brier score"
    return Advice("cross-entropy", "mean", reason, "sklearn.metrics.log_loss(y, prediction)")


def _quantiles(case: _Case) -> Advice | None:
    if case.e.functional == "median":
        return Advice(
            "absolute error", "median", "its best prediction is the median, which was asked for", "sq.mae(y, prediction)", _efficiency(case)
        )
    if case.e.functional == "quantile":
        return Advice(
            "pinball loss", "quantile", "its best prediction is the quantile, which was asked for", "sq.mean_pinball_loss(y, prediction, alpha=0.9)"
        )
    return None


def _variances(case: _Case) -> Advice | None:
    if not any(name in case.found for name in ("SQ028", "SQ029", "SQ030")):
        return None
    reason = "standard deviations are predicted too, and are not right yet: it trains both, and beta keeps noisy rows from being given up"
    return Advice("Gaussian negative log-likelihood, as beta-NLL", "mean", reason, "sq.gaussian_nll(y, prediction, sigma=sigma)")


def _power(case: _Case) -> Advice | None:
    power = case.number("SQ009", "power")
    found = case.found.get("SQ009")
    if found is None or found.because in ("SQ002", "SQ035") or not case.e.smallest_target >= 0:
        return None
    if power > 1.5 and case.e.smallest_target > 0:
        return Advice("gamma deviance", "mean", f"the variance grows with the mean to the power {power:.2g}", "sq.mean_gamma_deviance(y, prediction)")
    if power > 1.5:
        reason = f"the variance grows with the mean to the power {power:.2g}, and some targets are 0"
        return Advice("Tweedie deviance of power 1.5", "mean", reason, "sq.mean_tweedie_deviance(y, prediction, power=1.5)")
    return Advice("Poisson deviance", "mean", f"the variance grows with the mean to the power {power:.2g}", "sq.mean_poisson_deviance(y, prediction)")


def _magnitudes(case: _Case) -> Advice | None:
    if "SQ025" not in case.found or not case.e.smallest_target > -1:
        return None
    reason = "targets span orders of magnitude, and each row is to count for its percentage"
    return Advice("squared error of the logarithm", "mean", reason, "sq.msle(y, prediction)")


def _weights(case: _Case) -> Advice | None:
    if not any(name in case.found and case.found[name].severity != "info" for name in ("SQ007", "SQ008", "SQ009", "SQ010")):
        return None
    reason = "the variance differs between rows: with weights of 1 over it squared error is the likelihood again"
    return Advice("weighted squared error", "mean", reason, "sq.mse(y, prediction, sample_weight=1 / variance)")


def _outliers(case: _Case) -> Advice | None:
    contaminated = case.law is not None and case.law.name == "contaminated normal" and abs(case.number("SQ017", "skewness")) < 1
    if "SQ021" not in case.found and not ("SQ019" in case.found and contaminated):
        return None
    sd = case.law.parameters.get("scale", float("nan")) if case.law else float("nan")
    delta = 1.345 * sd if sd == sd else 1.0
    reason = "a few rows lie far outside a bell: it bounds their pull. Keep squared error where large errors are real and cost more"
    return Advice("Huber loss", "mean", reason, f"sq.huber(y, prediction, delta={delta:.6g})", _efficiency(case))


def _tails(case: _Case) -> Advice | None:
    if "SQ018" not in case.found and not ("SQ019" in case.found and case.law is not None and case.law.name == "Student"):
        return None
    index = case.number("SQ018", "bound")
    if index < 2:
        reason = "the tail is so heavy that the mean of squares does not settle"
        return Advice("absolute error", "median", reason, "sq.mae(y, prediction)", _efficiency(case))
    scale = case.law.parameters.get("scale", 1.0) if case.law else 1.0
    reason = "the tails are heavy: it takes the middle by squares and the tails by size"
    return Advice("Huber loss", "mean", reason, f"sq.huber(y, prediction, delta={1.345 * scale:.6g})", _efficiency(case))


def _laplace(case: _Case) -> Advice | None:
    if "SQ019" not in case.found or case.law is None or case.law.name != "Laplace":
        return None
    if abs(case.number("SQ017", "skewness")) > 1:
        return None
    reason = "errors follow a Laplace law, whose likelihood it is; being symmetric, its median is the mean"
    return Advice("absolute error", "median", reason, "sq.mae(y, prediction)", 0.5)


def _normal(case: _Case) -> Advice | None:
    if abs(case.number("SQ017", "skewness")) > 1:
        reason = (
            "the mean is wanted, and only squared error and its kin find it where errors are skewed: absolute and Huber error find another middle"
        )
    else:
        reason = "errors look like a bell, and it is their likelihood; absolute error would use 64 % of the rows"
    if case.law is None:
        reason = "nothing speaks against it, as far as can be seen without the rows"
    return Advice("squared error", "mean", reason, "sq.mse(y, prediction)", 1.0)


_LOSSES: tuple[Callable[[_Case], Advice | None], ...] = (
    _labels, _quantiles, _variances, _power, _magnitudes, _weights, _outliers, _tails, _laplace, _normal,
)  # fmt: skip


def recommend(e: Evidence, found: Mapping[str, Finding], outcomes: Mapping[str, Outcome]) -> Advice:
    """Return the loss that the first rule gives which fits."""
    try:
        law: Law | None = best_law(e)
    except CannotTestError:
        law = None
    case = _Case(e, found, outcomes, law)
    for rule in _LOSSES:
        with suppress(CannotTestError):  # a rule that looks at rows, where there are none
            advice = rule(case)
            if advice is not None:
                return advice
    raise AssertionError("the last rule always fits")


def advise(e: Evidence, found: Mapping[str, Finding]) -> tuple[str, ...]:
    """Return what to report beside the MSE, in sentences."""
    said = []
    for rule in (_units, _scales, _spans, _forecasts, _far, _range):
        with suppress(CannotTestError):
            said.append(rule(e, found))
    return tuple(filter(None, said))


def _units(e: Evidence, found: Mapping[str, Finding]) -> str:
    return f"Report the RMSE, {number(float(f'{e.mse**0.5:.4g}'))}: it has the unit of the target, and the MSE has its square."


def _scales(e: Evidence, found: Mapping[str, Finding]) -> str:
    groups = [states[e.at].sums for states in e.evaluation.table.groups.values()] if e.evaluation.by else []
    spreads = [math.sqrt(s.absolute(Ratio(s.variance_y, s.w * s.w), 2).rounded()) for s in groups if s.n > 1 and s.variance_y]
    if len(spreads) < 2 or not min(spreads) > 0 or max(spreads) <= _SCALES * min(spreads):
        return ""
    return (
        "Compare groups by NMSE or R2, not by MSE: the standard deviation of their targets differs by a factor of "
        f"{max(spreads) / min(spreads):.3g}, and the MSE goes with its square."
    )


def _spans(e: Evidence, found: Mapping[str, Finding]) -> str:
    low, high = np.quantile(e.drawn.y, (0.01, 0.99))
    if not (low > 0 and high > _WIDE * low):
        return ""
    return "Report MSLE or RMSLE too: targets span orders of magnitude, and it asks each row for the same percentage."


def _forecasts(e: Evidence, found: Mapping[str, Finding]) -> str:
    if not e.is_ordered:
        return ""
    return (
        "For forecasts of many series report MASE, which compares with the naive forecast. MAPE and sMAPE are read easily, but MAPE has no value "
        "where a target is 0 and is kinder to forecasts that are too low."
    )


def _far(e: Evidence, found: Mapping[str, Finding]) -> str:
    if not any(name in found for name in ("SQ018", "SQ020", "SQ021")):
        return ""
    return "Report MAE or Huber error and the median error too: a few rows make the MSE. It is the right one where large errors cost more."


def _range(e: Evidence, found: Mapping[str, Finding]) -> str:
    y, p = e.drawn.y, e.drawn.p
    for low, high, activation in ((0.0, 1.0, "sigmoid"), (-1.0, 1.0, "tanh")):
        inside = bool(((p >= low) & (p <= high)).all())
        if inside and float(np.ptp(p)) > 0.5 * (high - low) and ((y < low - 0.01) | (y > high + 0.01)).mean() > 0.01:
            return (
                f"Predictions stay between {low:g} and {high:g}, and targets do not: an output through {activation} cannot reach them. "
                "Use a linear output."
            )
    if (p >= 0).all() and (p == 0).mean() > 0.01 and (y < 0).mean() > 0.01:
        return "Predictions stop at 0, and targets do not: an output through relu cannot reach them. Use a linear output."
    return ""


@check(
    "SQ040", "Another loss suits these errors better", "share of the rows that squared error leaves unused under the best law", 0.2, float("inf"), 8
)
def which_loss(e: Evidence) -> Outcome:
    """Choose a loss by what is wanted of the target and by what the other checks found.

    Labels take cross-entropy, a median or a quantile its own loss, predicted standard deviations their likelihood; a variance that grows
    with the mean takes the deviance that expects it, orders of magnitude the logarithm, groups of other variance weights, outliers and
    heavy tails Huber's loss, and a Laplace law absolute error. Otherwise squared error stays. The interval is that of the efficiency under a
    fitted law with a parameter for its tails; the efficiency under a Laplace law is one number, one half, and has none.
    """
    advice = recommend(e, e.found, e.outcomes)
    unused = 1 - advice.efficiency if advice.efficiency == advice.efficiency and advice.loss != "squared error" else 0.0
    fitted = unused > 0 and advice.efficiency == best_law(e).efficiency
    low, high = ends_of(unused, error_of_efficiency(e) if fitted else math.nan)
    return Outcome(
        effect=unused,
        low=low,
        high=high,
        told=f"{advice.loss} ({advice.functional})",
        meaning=advice.reason,
        fix=f"train with {advice.loss}, and judge with squared error if the mean is what is wanted",
        code=advice.code,
        gain=0.0,
        numbers={"efficiency": advice.efficiency},
        source=e.drawn.source,
    )
