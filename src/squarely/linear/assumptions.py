"""Diagnosis of a fit: what is wrong with it, its errors and its features, and which assumptions of least squares hold."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, NamedTuple

import numpy as np

from squarely.diagnose import Diagnosis, Finding
from squarely.diagnose.asking import Beside, asked
from squarely.diagnose.exhibit import Exhibit, Table
from squarely.errors import DataError
from squarely.linear.again import Again
from squarely.linear.checks_with_instruments import FIT_CHECKS
from squarely.linear.doubled import Doubles
from squarely.linear.evidence import FitEvidence, instruments_of, labels_of
from squarely.linear.inference import Inference
from squarely.linear.model import is_names
from squarely.linear.shown import Shown
from squarely.plain import escape
from squarely.sources import ArraysSource

__all__ = ["Assumption", "FitDiagnosis", "diagnosis_of"]

_SEVERITIES = ("serious", "warning")
_MODEL = "fit"  # what findings call it
_OF_OTHER_DATA = ("SQ027", "SQ028", "SQ029", "SQ030", "SQ033", "SQ039")  # of several outputs or models, predicted deviations, other rows


class Assumption(NamedTuple):
    """One of what least squares rest on: whether it holds, by which evidence, what follows where it does not, and the remedy.

    ``verdict`` is "violated", "holds as far as tested" or "not testable", and ``severity`` that of the worst finding against it: "serious",
    "warning" or empty.
    """

    name: str
    verdict: str
    checks: tuple[str, ...]
    evidence: str
    consequence: str
    remedy: str
    severity: str = ""


_ASSUMPTIONS = (
    (
        "the mean is linear in the features",
        ("SQ005", "SQ006"),
        "coefficients and predictions are biased",
        "add powers, products or splines of features, or take logarithms",
    ),
    (
        "no feature is a combination of others",
        ("SQ015", "SQ016"),
        "coefficients are not told apart, and their intervals are wide; predictions of rows like these do not suffer",
        "leave features out, combine them, or use ridge regression",
    ),
    (
        "errors do not go with features (exogeneity)",
        ("SQ014",),
        "coefficients are biased, however many rows there are",
        "instruments (two-stage least squares), or features for what drives both",
    ),
    (
        "errors have one variance",
        ("SQ007", "SQ008", "SQ009", "SQ010"),
        "plain standard errors are wrong, and noisy rows have too much to say",
        "model.robust(X, y, kind='HC3'), or weights of 1 over the variance",
    ),
    (
        "errors are independent",
        ("SQ011", "SQ012", "SQ013", "SQ042"),
        "plain standard errors are too small",
        "model.robust with kind='HAC' or 'cluster', or earlier values as features",
    ),
    (
        "errors are normal",
        ("SQ017", "SQ018", "SQ019"),
        "t and F are rough where rows are few, and intervals of single rows are wrong",
        "more rows, quantiles for single rows, or a robust loss",
    ),
)


@dataclass(frozen=True)
class FitDiagnosis(Diagnosis):
    """A ``Diagnosis`` of a fit: findings of its errors and of its features, and ``assumptions``, those of Gauss and Markov with normality."""

    assumptions: tuple[Assumption, ...] = ()
    n_passes: int = 2  # over the rows: the fit, and this
    shown: Shown | None = field(default=None, repr=False, compare=False)  # on its page

    @property
    def exhibits(self) -> tuple[Exhibit, ...]:
        """The table of assumptions, and what the page shows of coefficients, features and single rows."""
        head = ("Assumption", "Verdict", "Severity", "Evidence", "Where it fails", "Remedy")
        rows = tuple((each.name, each.verdict, each.severity or "-", each.evidence, each.consequence, each.remedy) for each in self.assumptions)
        lead = "What least squares rest on (Gauss and Markov, and normal errors for t and F), and what these rows say of it."
        table = Exhibit("assumptions", "Assumptions", lead, (), (Table("Assumptions of least squares", head, rows),))
        told = {**self.passed[_MODEL], **{finding.id: finding.evidence for finding in self.findings}}
        return table, *(self.shown.exhibits(told) if self.shown else ())

    def __str__(self) -> str:
        lines = [super().__str__(), "", "Assumptions of least squares:"]
        for each in self.assumptions:
            lines += [f"  {each.name}: {each.verdict}{f' ({each.severity})' if each.severity else ''}", f"      {each.evidence}"]
            if each.verdict == "violated":
                lines += [f"      Then {each.consequence}.", f"      Remedy: {each.remedy}."]
        return "\n".join(lines)

    __repr__ = __str__

    def to_dict(self) -> dict[str, Any]:
        """Return everything as a dictionary that JSON can hold."""
        return super().to_dict() | {"assumptions": [each._asdict() | {"checks": list(each.checks)} for each in self.assumptions]}

    def to_markdown(self) -> str:
        """Return the diagnosis as Markdown, with the table of assumptions; names from data cannot add markup."""
        head = ["", "| assumption | verdict | severity | evidence | consequence | remedy |", "|---|---|---|---|---|---|"]
        rows = [(each.name, each.verdict, each.severity or "-", each.evidence, each.consequence, each.remedy) for each in self.assumptions]
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
    whole = _judged(e)
    reasons = {identity: _as_asked_here(reason) for identity, reason in whole.not_testable.items() if identity not in _OF_OTHER_DATA}
    known = {each.name: getattr(whole, each.name) for each in fields(Diagnosis)} | {"not_testable": reasons}
    assumptions = _assumptions(whole.findings, whole.passed[_MODEL], reasons)
    return FitDiagnosis(**known, assumptions=assumptions, shown=Shown.of(e, _weights_of(e)))


def _judged(e: FitEvidence) -> Diagnosis:
    """Ask the checks of errors and those of the fit as one battery: one correction for all of them, one order of what they find."""
    y, residuals = (np.concatenate([getattr(block, name)[0] for block in e.kept]) for name in ("targets", "residuals"))
    target = e.equations.targets[0] if e.equations.targets[0] != _MODEL else f"{_MODEL} (target)"
    # Where no feature counts, differences would be the mean and rounding, which a check could take for a prediction that changes.
    predicted = y - residuals if e.equations.factor.rank else np.full_like(y, e.equations.intercepts[0])
    columns: dict[str, Any] = {target: y, _MODEL: predicted}
    given: dict[str, str] = {}
    for name, values in (("weight", _weights_of(e)), ("group", labels_of(e.kept))):
        if values is not None:
            given[name] = name if name not in columns else f"{name} of {target}"
            columns[given[name]] = values
    return asked(
        ArraysSource(columns, "the rows of the fit"),
        None,
        target=target,
        prediction=_MODEL,
        weight=given.get("weight"),
        by=given.get("group"),
        cluster=given.get("group"),
        order=True if e.ordered else None,
        beside=Beside(FIT_CHECKS, e),
    )


def _weights_of(e: FitEvidence) -> Doubles | None:
    return np.concatenate([block.root_weight for block in e.kept]) ** 2 if e.is_weighted else None


def _as_asked_here(reason: str) -> str:
    """Return the reason why something could not be asked, with what ``model.diagnose`` takes."""
    return reason.replace("give by=", "give groups=").replace("give order= if", "give order=True if")


def _assumptions(findings: tuple[Finding, ...], passed: Mapping[str, str], reasons: Mapping[str, str]) -> tuple[Assumption, ...]:
    severity = {finding.id: finding.severity for finding in findings}
    found = {each.id: each for each in findings if each.severity != "info" or each.because}
    table = []
    for name, ids, consequence, remedy in _ASSUMPTIONS:
        bad, good = [found[each] for each in ids if each in found], {each: passed[each] for each in ids if each in passed}
        told = {each.id: each.evidence for each in bad} or good
        verdict = "violated" if bad else "holds as far as tested" if good else "not testable"
        worst = {severity[each.because or each.id] for each in bad}  # what follows is as bad as what it follows from
        evidence = "; ".join(f"{identity}: {words}" for identity, words in told.items()) or reasons.get(ids[0], "nothing was asked")
        table.append(Assumption(name, verdict, ids, evidence, consequence, remedy, next((each for each in _SEVERITIES if each in worst), "")))
    return tuple(table)
