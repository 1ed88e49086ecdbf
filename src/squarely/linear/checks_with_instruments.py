"""What instruments say: whether features go with the errors, and whether the instruments can tell."""

from dataclasses import dataclass
from functools import cached_property, partial
from typing import NamedTuple

import numpy as np

from squarely.diagnose.finding import CannotTestError, Outcome, check
from squarely.diagnose.laws import chi2_tail, f_tail
from squarely.linear.added import projected
from squarely.linear.checks_of_features import FIT_CHECKS
from squarely.linear.doubled import Doubles
from squarely.linear.equations import NormalEquations
from squarely.linear.evidence import FitEvidence
from squarely.plain import one_line, percent

__all__ = ["FIT_CHECKS"]

_check = partial(check, registry=FIT_CHECKS)
_WEAK = 10.0  # F of a first stage below which instruments say next to nothing (Staiger and Stock)


class FirstStage(NamedTuple):
    """What instruments explain of a feature beside the exogenous ones: the share, and its F."""

    share: float
    f: float


@dataclass(frozen=True, eq=False)
class Instrumented:
    """Features, instruments and the target as columns of the root of their moments, where products are those of the rows."""

    columns: Doubles
    target: Doubles
    beyond: float  # squares of the target that no column explains
    count: int  # of features, which come first
    asked: tuple[int, ...]  # those that may be endogenous
    n: int
    intercept: bool

    @classmethod
    def of(cls, e: FitEvidence) -> "Instrumented":
        """Return the columns of the moments of a fit with instruments."""
        equations = NormalEquations.of(e.instrumented, intercept=e.equations.intercept)
        columns, target = equations.root
        beyond = max(0.0, float(equations.total_squares[0]) - float(target[:, 0] @ target[:, 0]))
        return cls(columns, target[:, 0], beyond, len(e.features), e.endogenous, e.n, e.equations.intercept)

    @cached_property
    def exogenous(self) -> Doubles:
        """Features that nobody suspects."""
        return self.columns[:, [at for at in range(self.count) if at not in self.asked]]

    @cached_property
    def outside(self) -> Doubles:
        """All that may not go with the errors: exogenous features, and instruments."""
        return np.hstack([self.exogenous, self.columns[:, self.count :]])

    @cached_property
    def rest(self) -> Doubles:
        """What the outside leaves of the suspected features: v of the first stages."""
        return np.column_stack([self.columns[:, at] - projected(self.outside, self.columns[:, at])[0] for at in self.asked])

    def first_stages(self) -> list[FirstStage]:
        """Return how strong the instruments are for each suspected feature."""
        found = []
        before, after = (projected(columns, self.target)[1] for columns in (self.exogenous, self.outside))
        left = self.n - self.intercept - after
        for at, v in zip(self.asked, self.rest.T, strict=True):
            beside = self.columns[:, at] - projected(self.exogenous, self.columns[:, at])[0]
            whole, squares = float(beside @ beside), float(v @ v)
            f = (whole - squares) / (after - before) / (squares / left) if after > before and squares > 0 and left > 0 else np.inf
            found.append(FirstStage(1 - squares / whole if whole > 0 else np.nan, f if after > before else 0.0))
        return found

    def explained(self) -> tuple[float, int]:
        """Return by how much the squared residuals fall when v is added to the fit, and the degrees of freedom that takes."""
        within = self.columns[:, : self.count]
        beside = np.column_stack([each - projected(within, each)[0] for each in self.rest.T])
        found, rank = projected(beside, self.target - projected(within, self.target)[0])
        return float(found @ found), rank

    def sargan(self) -> tuple[float, int]:
        """Return n times the share of the squared residuals of two-stage least squares that the outside explains, and its degrees of freedom."""
        features = self.columns[:, : self.count]
        fitted = np.column_stack([projected(self.outside, features[:, at])[0] for at in range(self.count)])
        scale = np.sqrt((fitted * fitted).sum(axis=0))
        scale[scale == 0] = 1.0
        b = np.linalg.lstsq(fitted / scale, self.target, rcond=None)[0] / scale
        residual = self.target - features @ b
        told, rank = projected(self.outside, residual)
        total = float(residual @ residual) + self.beyond
        return self.n * float(told @ told) / total, rank - projected(fitted, self.target)[1]


@_check("SQ014", "A feature goes with the errors", "share of the squared error that the endogenous part of features explains", 0.01, 0.1, 1)
def exogeneity(e: FitEvidence) -> Outcome:
    r"""Split features by instruments into a clean part and a rest, and add the rest to the fit (Durbin, Wu and Hausman).

    .. math:: F = \frac{(\mathrm{RSS} - \mathrm{RSS}_+) / q}{\mathrm{RSS}_+ / (n - k - q)}, \quad y = z^\top b + \hat v^\top c + u

    Without instruments nobody can tell: residuals of least squares are uncorrelated with the features in any case. Weak instruments cannot
    tell either: each first stage takes F of at least 10. Where there are more instruments than suspected features, Sargan's test says
    whether they contradict each other; then one of them goes with the errors itself, and they cannot tell either.

    References
    ----------
    Wu, D.-M. (1973), Econometrica 41(4), doi:10.2307/1914093. Hausman, J. A. (1978), Econometrica 46(6), doi:10.2307/1913827. Sargan, J. D.
    (1958), Econometrica 26(3), doi:10.2307/1907619. Staiger, D. and Stock, J. H. (1997), Econometrica 65(3), doi:10.2307/2171753.
    """
    if e.instruments is None:
        raise CannotTestError("features and targets alone cannot tell: residuals are uncorrelated with features by construction; give instruments=")
    e.needs_residuals()
    found = Instrumented.of(e)
    weakest = min(found.first_stages(), key=lambda stage: stage.f)
    if not weakest.f >= _WEAK:
        raise CannotTestError(
            f"the instruments are weak: of one feature they explain {percent(weakest.share)} of what it has of its own, "
            f"F = {weakest.f:.3g}, and it takes {_WEAK:g}"
        )
    squares, rank = found.explained()
    if not rank:
        raise CannotTestError("the instruments explain the features altogether, and leave nothing that could go with the errors")
    left = e.inference.freedom - rank
    f = squares / rank / ((e.squares - squares) / left)
    names = ", ".join(one_line(e.features[at]) for at in e.endogenous)
    sargan, more = found.sargan()
    p_sargan = chi2_tail(sargan, more) if more > 0 else float("nan")
    if p_sargan < 0.05:
        raise CannotTestError(
            f"the instruments contradict each other, so one of them goes with the errors itself: Sargan's J = {sargan:.4g}, p = {p_sargan:.3g}"
        )
    agree = f"; the instruments agree: Sargan's J = {sargan:.4g}, p = {p_sargan:.3g}" if more > 0 else ""
    return Outcome(
        effect=squares / e.squares,
        p_value=f_tail(f, rank, left),
        told=f"Wu-Hausman F = {f:.4g} for {names}; the weakest first stage has F = {weakest.f:.4g} and explains {percent(weakest.share)}{agree}",
        meaning=f"coefficients of {names} are biased, however many rows there are; predictions of rows like these are not",
        fix="estimate with the instruments (two-stage least squares), or measure what drives both",
        code="linearmodels.IV2SLS(y, exog, endog, instruments).fit()",
        numbers={
            "f": f,
            "first_stage_f": weakest.f,
            "first_stage_r2": weakest.share,
            **({"sargan": sargan, "sargan_p": p_sargan} if more > 0 else {}),
        },
    )
