"""Every check is asked of every model: data become evidence, evidence outcomes, and outcomes a diagnosis."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from squarely import validate
from squarely.diagnose.advise import FUNCTIONALS, Advice, advise, recommend
from squarely.diagnose.checks import CHECKS, Check
from squarely.diagnose.diagnosis import Diagnosis
from squarely.diagnose.drawn import drawn_of, of_sample
from squarely.diagnose.evidence import Drawn, Evidence
from squarely.diagnose.finding import ALL_ROWS, CannotTestError, Finding, Outcome
from squarely.diagnose.outputs import outputs_of
from squarely.diagnose.watch import Watched, Watcher
from squarely.errors import DataError
from squarely.evaluate import Evaluation, evaluate, evaluate_source, library_of, plan_for, questions_of, source_of, with_way
from squarely.intervals.holm import holm
from squarely.sources import ArraysSource, Wanted
from squarely.state import NoAnswerError

__all__ = ["Beside", "asked"]

_LAST = "SQ040"  # looks at what the others found
_ASKED = ("mse", "rmse", "mae", "r2", "bias", "quantile_absolute_error")


class Beside(NamedTuple):
    """Checks that look at something else of the same rows, such as features, and what that is; they are judged together with those of errors."""

    checks: Mapping[str, Check]
    evidence: Any


def asked(
    data: Any,
    y_pred: Any,
    *,
    target: str | None,
    prediction: str | Iterable[str] | None,
    by: Any = None,
    weight: Any = None,
    sigma: Any = None,
    cluster: Any = None,
    order: Any = None,
    training: Any = None,
    functional: str = "mean",
    nan_policy: str = "omit",
    beside: Beside | None = None,
) -> Diagnosis:
    """Return the diagnosis of data, as ``diagnose`` takes them; ``beside`` is of one model."""
    if functional not in FUNCTIONALS:
        raise DataError(f"functional is {str(functional)[:60]!r}; expected {', '.join(map(repr, FUNCTIONALS))}.")
    validate.check_policy(nan_policy)
    if nan_policy == "propagate":
        raise DataError("nan_policy='propagate' leaves no errors to judge; expected 'omit', 'omit_targets' or 'raise'.")
    if isinstance(data, Evaluation):
        _only_data(target=target, prediction=prediction, by=by, weight=weight, sigma=sigma, cluster=cluster, order=order, y_pred=y_pred)
        found = {model: of_sample(data, model) for model in data.models}
        return _diagnosis(data, found, training, functional, "pyarrow")
    if y_pred is not None and getattr(data, "ndim", 2) == 2:
        data, y_pred, by, weight, sigma, cluster = outputs_of(data, y_pred, by, weight, sigma, cluster, order)
    frame = library_of(data)
    source, wanted = source_of(data, y_pred, target, prediction, by, weight)
    if isinstance(source, ArraysSource) and y_pred is not None and sigma is not None:
        source, sigma = source.having("sigma", sigma), "sigma"
    if sigma is not None and not isinstance(sigma, str):
        raise DataError(f"sigma is of type {type(sigma).__name__}; a table takes the name of a column.")
    questions = questions_of([*_ASKED, *([f"rmsse(scale={sigma!r})"] if sigma else [])])
    wanted = replace(wanted, plan=plan_for(questions, wanted, arrays=False))
    source, wanted = with_way(source, wanted, None, 0.95, cluster, order, y_pred is not None)
    watched = Watched(source)
    evaluation = evaluate_source(watched, wanted, questions, nan_policy, 0.95, frame=frame)
    sigmas = watched.sampler.sample((*wanted.predictions, "sigma"), wanted.weight is not None, evaluation.provenance.rows) if sigma else None
    seen = {
        model: (watched.watchers[model], ALL_ROWS, drawn_of(evaluation, model, None if sigmas is None else sigmas.predictions["sigma"]))
        for model in wanted.predictions
    }
    if training is not None and not isinstance(training, Evaluation):
        training = _evaluated(training, target, wanted, y_pred is not None, nan_policy)
    return _diagnosis(evaluation, seen, training, functional, frame, beside)


def _only_data(**given: Any) -> None:
    for name, value in given.items():
        if value is not None:
            raise DataError(f"{name} goes with data, and an evaluation was given, which has its own. Leave it out.")


def _evaluated(training: Any, target: str | None, wanted: Wanted, arrays: bool, nan_policy: str) -> Evaluation:
    if arrays:
        if not isinstance(training, tuple | list) or len(training) != 2:
            raise DataError(f"training is of type {type(training).__name__}; beside arrays it takes an evaluation, or a pair of arrays.")
        y, p, *_ = outputs_of(training[0], training[1], None, None, None, None, None)
        several = dict(p) if isinstance(p, Mapping) else {wanted.predictions[0]: p}
        return evaluate(y, several, metrics="mse", nan_policy=nan_policy)
    return evaluate(training, target=target, prediction=wanted.predictions, weight=wanted.weight, metrics="mse", nan_policy=nan_policy)


def _diagnosis(
    evaluation: Evaluation,
    seen: Mapping[str, tuple[Watcher, str, Drawn]],
    training: Evaluation | None,
    functional: str,
    frame: str,
    beside: Beside | None = None,
) -> Diagnosis:
    checks = {**CHECKS, **(beside.checks if beside else {})}
    findings: list[Finding] = []
    passed: dict[str, dict[str, str]] = {}
    not_testable: dict[str, list[str]] = {}
    statistics: dict[str, dict[str, dict[str, float]]] = {}
    losses: dict[str, Advice] = {}
    said: tuple[str, ...] = ()
    for model, (watcher, words, drawn) in seen.items():
        if not evaluation.states[model].n:
            continue
        e = Evidence(evaluation, model, watcher, words, drawn, functional, training)
        with np.errstate(all="ignore"):  # what is beyond doubles becomes nan, and is judged as such
            reasons = _judge(e, checks, beside)
            losses[model] = recommend(e, e.found, e.outcomes)
            said = said or advise(e, e.found)
        findings += e.found.values()
        statistics[model] = {identity: {"effect": each.effect, "p_value": each.p_value, **each.numbers} for identity, each in e.outcomes.items()}
        passed[model] = {identity: outcome.told for identity, outcome in e.outcomes.items() if identity not in e.found}
        for identity, reason in reasons.items():
            not_testable.setdefault(identity, []).append(reason)
    everywhere = {identity: reasons[0] for identity, reasons in sorted(not_testable.items()) if len(reasons) == len(losses)}
    worst_first = tuple(sorted(findings, key=lambda finding: _rank(finding, checks)))
    return Diagnosis(evaluation, worst_first, passed, everywhere, losses, said, frame, statistics, checks)


def _rank(finding: Finding, checks: Mapping[str, Check]) -> tuple[int, int, float]:
    """Return what findings are sorted by: the worst first, causes before what they explain."""
    return ("serious", "warning", "info").index(finding.severity), checks[finding.id].first, -finding.gain


def _judge(e: Evidence, checks: Mapping[str, Check], beside: Beside | None) -> dict[str, str]:
    """Ask every check, write what it found into the evidence, and return why others could not be asked; one correction is for all of them."""
    reasons: dict[str, str] = {}
    for identity, check in checks.items():
        if identity != _LAST:
            _ask(e, check, e if identity in CHECKS or beside is None else beside.evidence, reasons)
    ids = list(e.outcomes)
    for identity, p in zip(ids, holm([e.outcomes[identity].p_value for identity in ids]), strict=True):
        _tell(e, checks[identity], p)
    _ask(e, checks[_LAST], e, reasons)
    if _LAST in e.outcomes:
        _tell(e, checks[_LAST], e.outcomes[_LAST].p_value)
    for identity in sorted(e.found, key=lambda each: checks[each].first):
        for follows in checks[identity].explains:
            if follows in e.found and e.found[identity].severity != "info":
                e.found[follows] = replace(e.found[follows], severity="info", because=identity)
    return reasons


def _ask(e: Evidence, check: Check, looked_at: Any, reasons: dict[str, str]) -> None:
    try:
        outcome = check.function(looked_at)
    except (CannotTestError, NoAnswerError) as reason:
        reasons[check.id] = str(reason)
        return
    if math.isnan(outcome.effect):
        reasons[check.id] = "the rows leave no number to judge"
    else:
        e.outcomes[check.id] = outcome


def _tell(e: Evidence, check: Check, p_adjusted: float) -> None:
    outcome = e.outcomes[check.id]
    severity = check.severity(outcome, p_adjusted)
    if severity is not None:
        e.found[check.id] = _finding(check, outcome, severity, e.model)


def _finding(check: Check, outcome: Outcome, severity: str, model: str) -> Finding:
    return Finding(
        id=check.id,
        title=check.title,
        severity=severity,
        model=model,
        measure=check.measure,
        effect=outcome.effect,
        low=outcome.low,
        high=outcome.high,
        threshold=check.threshold,
        p_value=outcome.p_value,
        evidence=outcome.told,
        meaning=outcome.meaning,
        fix=outcome.fix,
        code=outcome.code,
        source=outcome.source,
        gain=outcome.gain,
    )
