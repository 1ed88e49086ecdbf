"""Diagnosis of a fit: what is wrong with it, its errors and its features, and which assumptions of least squares hold."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, NamedTuple

import numpy as np

from squarely.diagnose import Diagnosis, Finding, diagnose
from squarely.diagnose.asking import judge, rank
from squarely.diagnose.checks import CHECKS
from squarely.errors import DataError
from squarely.linear.again import Again
from squarely.linear.checks_of_features import FIT_CHECKS
from squarely.linear.estimator import is_names
from squarely.linear.evidence import FitEvidence, instruments_of, labels_of
from squarely.linear.inference import Inference
from squarely.plain import escape

__all__ = ["Assumption", "FitDiagnosis", "diagnosis_of"]

_FOLLOWS = {"SQ007": ("SQ008",), "SQ009": ("SQ008",), "SQ011": ("SQ042",)}  # checks of errors that say it better


class Assumption(NamedTuple):
    """One of what least squares rest on: whether it holds, by which evidence, what follows where it does not, and the remedy."""

    name: str
    verdict: str  # "violated", "holds as far as tested" or "not testable"
    checks: tuple[str, ...]
    evidence: str
    consequence: str
    remedy: str


_ASSUMPTIONS = (
    ("the mean is linear in the features", ("SQ005", "SQ006"), "coefficients and predictions are biased", "powers, products, other scales"),
    ("no feature is a combination of others", ("SQ015", "SQ016"), "coefficients are not told apart, their intervals wide", "fewer features, ridge"),
    ("errors do not go with features (exogeneity)", ("SQ014",), "coefficients are biased, however many rows there are", "instruments, controls"),
    ("errors have one variance", ("SQ007", "SQ008"), "plain standard errors are wrong, and weights would do better", "robust='HC3', weights"),
    ("errors are independent", ("SQ011", "SQ012", "SQ013", "SQ042"), "plain standard errors are too small", "HAC or clusters, lags"),
    ("errors are normal", ("SQ017", "SQ018"), "t and F are rough for few rows, and another loss may do better", "a robust loss, more rows"),
)


@dataclass(frozen=True)
class FitDiagnosis(Diagnosis):
    """A ``Diagnosis`` of a fit: findings of its errors and of its features, and ``assumptions``, those of Gauss and Markov with normality."""

    assumptions: tuple[Assumption, ...] = ()
    n_passes: int = 2  # over the rows: the fit, and this

    def __str__(self) -> str:
        lines = [super().__str__(), "", "Assumptions of least squares:"]
        for each in self.assumptions:
            lines.append(f"  {each.name}: {each.verdict} ({each.evidence})")
            if each.verdict == "violated":
                lines.append(f"      then {each.consequence}; remedy: {each.remedy}")
        return "\n".join(lines)

    __repr__ = __str__

    def to_dict(self) -> dict[str, Any]:
        """Return everything as a dictionary that JSON can hold."""
        return super().to_dict() | {"assumptions": [each._asdict() | {"checks": list(each.checks)} for each in self.assumptions]}

    def to_markdown(self) -> str:
        """Return the diagnosis as Markdown, with the table of assumptions; names from data cannot add markup."""
        head = ["", "| assumption | verdict | evidence | consequence | remedy |", "|---|---|---|---|---|"]
        rows = [(each.name, each.verdict, each.evidence, each.consequence, each.remedy) for each in self.assumptions]
        return super().to_markdown() + "\n".join([*head, *(f"| {' | '.join(escape(cell, 400) for cell in row)} |" for row in rows)]) + "\n"


def diagnosis_of(again: Again, order: bool, instruments: Any, endogenous: Any) -> FitDiagnosis:
    """Return the diagnosis of a fit, from its moments and one pass over its rows."""
    inference = Inference.of(again.model.equations_, again.model.exact_coef_)
    if inference.estimates.shape[1] != 1:
        raise DataError(f"the model has {inference.estimates.shape[1]} targets, and a diagnosis is that of one fit. Fit each target alone.")
    if not inference.freedom > 1:
        raise DataError(f"the fit has {inference.rows:,} rows, too few to judge it. A diagnosis takes two more than there are coefficients.")
    if order and again.groups is not None:
        raise DataError("order=True and groups= were both given, and each says how errors may depend on each other. Give one of them.")
    if instruments is not None and is_names(again.target):
        raise DataError("instruments= goes with arrays and frames, and the rows were given as a source. Read the columns first.")
    rows = 0 if is_names(again.target) else again.model._dense(again.data, first=False).rows
    opened, places = instruments_of(instruments, endogenous, again.model.equations_.features, rows)
    e = FitEvidence(again, inference, order, places, opened).read()
    with np.errstate(all="ignore"):  # what is beyond doubles becomes nan, and is judged as such
        reasons = judge(e, FIT_CHECKS)
    return _together(_of_errors(e), e, reasons)


def _of_errors(e: FitEvidence) -> Diagnosis:
    y, residuals = (np.concatenate([getattr(block, name)[0] for block in e.kept]) for name in ("targets", "residuals"))
    weight = np.concatenate([block.root_weight for block in e.kept]) ** 2 if e.is_weighted else None
    return diagnose(y, {e.model: y - residuals}, weight=weight, cluster=labels_of(e.kept), order=np.arange(len(y)) if e.ordered else None)


def _together(errors: Diagnosis, e: FitEvidence, reasons: Mapping[str, str]) -> FitDiagnosis:
    checks = {**CHECKS, **FIT_CHECKS}
    for cause, follows in _FOLLOWS.items():
        for identity in follows:
            if cause in errors and identity in e.found:
                e.found[identity] = replace(e.found[identity], severity="info", because=cause)
    findings = tuple(sorted([*errors.findings, *e.found.values()], key=lambda finding: rank(finding, checks)))
    told = {identity: outcome.told for identity, outcome in e.outcomes.items() if identity not in e.found}
    numbers = {identity: {"effect": each.effect, "p_value": each.p_value, **each.numbers} for identity, each in e.outcomes.items()}
    whole = {each.name: getattr(errors, each.name) for each in fields(Diagnosis)} | {
        "findings": findings,
        "passed": {e.model: {**errors.passed[e.model], **told}},
        "not_testable": dict(sorted({**errors.not_testable, **reasons}.items())),
        "statistics": {e.model: {**errors.statistics[e.model], **numbers}},
        "checks": checks,
    }
    return FitDiagnosis(**whole, assumptions=_assumptions(findings, whole["passed"][e.model], whole["not_testable"]))


def _assumptions(findings: tuple[Finding, ...], passed: Mapping[str, str], reasons: Mapping[str, str]) -> tuple[Assumption, ...]:
    found = {finding.id: finding.evidence for finding in findings if finding.severity != "info" or finding.because}
    table = []
    for name, ids, consequence, remedy in _ASSUMPTIONS:
        bad, good = [each for each in ids if each in found], [each for each in ids if each in passed]
        verdict = "violated" if bad else "holds as far as tested" if good else "not testable"
        evidence = "; ".join(f"{each}: {(found if bad else passed)[each]}" for each in bad or good) or reasons.get(ids[0], "nothing was asked")
        table.append(Assumption(name, verdict, ids, evidence, consequence, remedy))
    return tuple(table)
