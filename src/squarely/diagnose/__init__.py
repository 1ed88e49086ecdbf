"""What is wrong with a model, how much it matters for its squared error, and what mends it."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from squarely import validate
from squarely.diagnose import calibration, dependence, noise, rows, skill, spread, tails, variance  # noqa: F401  # they register their checks
from squarely.diagnose.advise import FUNCTIONALS, Advice, advise, recommend
from squarely.diagnose.diagnosis import Diagnosis
from squarely.diagnose.evidence import Drawn, Evidence
from squarely.diagnose.finding import ALL_ROWS, CHECKS, CannotTestError, Check, Finding, Outcome
from squarely.diagnose.watch import Large, Watched, Watcher, watcher_for
from squarely.errors import DataError
from squarely.evaluate import Evaluation, Sample, evaluate, evaluate_source, library_of, plan_for, questions_of, source_of, with_way
from squarely.intervals.holm import holm
from squarely.plain import one_line
from squarely.sources import ArraysSource, Batch, Column, Wanted
from squarely.state import NoAnswerError

__all__ = ["CHECKS", "Advice", "Check", "Diagnosis", "Finding", "diagnose"]

_LAST = "SQ040"  # looks at what the others found
_ASKED = ("mse", "rmse", "mae", "r2", "bias", "quantile_absolute_error")


def diagnose(
    data: Any,
    y_pred: Any = None,
    *,
    target: str | None = None,
    prediction: str | Iterable[str] | None = None,
    by: Any = None,
    weight: Any = None,
    sigma: Any = None,
    cluster: Any = None,
    order: Any = None,
    training: Any = None,
    functional: str = "mean",
    nan_policy: str = "omit",
) -> Diagnosis:
    r"""Say what is wrong with a model, how much of its squared error that is, and what mends it.

    .. math:: \text{finding} \iff \text{effect} > \text{threshold} \;\text{and}\; p_\text{Holm} < 0.05

    Each check measures an effect, and tells it where it matters in practice: with many rows no tiny difference raises an alarm. The
    p-value only guards against few rows, for all checks of a model together.

    Parameters
    ----------
    data : Evaluation, table, path, or array-like of shape (n,) or (n, outputs)
        As ``evaluate`` takes them, like ``y_pred``, ``target``, ``prediction``, ``by`` and ``weight``. Of an ``Evaluation`` the checks see
        what it holds: its sums, and a sample of its rows.
    sigma : str, or array-like of shape (n,)
        The standard deviations that were predicted, in the unit of the target.
    cluster, order
        How rows depend on each other, as in ``evaluate``.
    training : Evaluation, table, path, or pair of arrays
        The rows that the model was fitted to, with the same columns.
    functional : "mean", "median" or "quantile"
        What is wanted of the target: it decides which loss is recommended.
    nan_policy : "omit", "omit_targets" or "raise"
        What missing values do; what is left out is a finding.

    Returns
    -------
    Diagnosis
        ``.findings``, the worst first, ``.verdict``, ``.recommended_loss``, ``.advice``, ``.not_testable``; print it.

    Raises
    ------
    DataError
        As ``evaluate``.

    Notes
    -----
    A check says what the errors show, not why; the fix is the usual one. Without the columns of the model (its features) nothing is said
    about single features, leverage or collinearity.

    References
    ----------
    The source of each check is in its own documentation.

    Examples
    --------
    >>> import numpy as np
    >>> import squarely as sq
    >>> x = np.linspace(0, 12, 400)
    >>> y = 10 + 3 * np.sin(x) + 0.3 * np.cos(97 * x)
    >>> print(sq.diagnose(y, 10 + 6 * np.sin(x)).findings[0].title)
    Predictions vary too much or too little
    """
    if functional not in FUNCTIONALS:
        raise DataError(f"functional is {str(functional)[:60]!r}; expected {', '.join(map(repr, FUNCTIONALS))}.")
    validate.check_policy(nan_policy)
    if nan_policy == "propagate":
        raise DataError("nan_policy='propagate' leaves no errors to judge; expected 'omit', 'omit_targets' or 'raise'.")
    if isinstance(data, Evaluation):
        _only_data(target=target, prediction=prediction, by=by, weight=weight, sigma=sigma, cluster=cluster, order=order, y_pred=y_pred)
        found = {model: _of_sample(data, model) for model in data.models}
        return _diagnosis(data, found, training, functional, "pyarrow")
    if y_pred is not None and getattr(data, "ndim", 2) == 2:
        data, y_pred, by, weight, sigma, cluster = _outputs(data, y_pred, by, weight, sigma, cluster, order)
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
    sigmas = watched.sampler().sample((*wanted.predictions, "sigma"), wanted.weight is not None, evaluation.provenance.rows) if sigma else None
    seen = {
        model: (watched.watcher(model, wanted), ALL_ROWS, _drawn(evaluation, model, None if sigmas is None else sigmas.predictions["sigma"]))
        for model in wanted.predictions
    }
    if training is not None and not isinstance(training, Evaluation):
        training = _evaluated(training, target, wanted, y_pred is not None, nan_policy)
    return _diagnosis(evaluation, seen, training, functional, frame)


def _only_data(**given: Any) -> None:
    for name, value in given.items():
        if value is not None:
            raise DataError(f"{name} goes with data, and an evaluation was given, which has its own. Leave it out.")


def _outputs(data: Any, y_pred: Any, by: Any, weight: Any, sigma: Any, cluster: Any, order: Any) -> tuple[Any, ...]:
    """Return arrays of several outputs, and what goes with them, as long ones, with the output of each row as its group."""
    y = _array(data, "y_true")
    if y.ndim != 2 or y.shape[1] == 1:
        return data, y_pred, by, weight, sigma, cluster  # lists are looked at too
    for name, given in (("by", by), ("order", order)):
        if given is not None:
            raise DataError(f"{name} goes with arrays of one dimension: those of two are told apart by output. Leave it out.")
    several = y_pred if isinstance(y_pred, Mapping) else {"y_pred": y_pred}
    long = {str(name): _long(each, y.shape, str(name)) for name, each in several.items()}
    weight, cluster = (None if each is None else np.repeat(each, y.shape[1]) for each in (weight, cluster))
    by = {"output": np.tile(np.arange(y.shape[1]), len(y))}
    return y.ravel(), long, by, weight, None if sigma is None else _long(sigma, y.shape, "sigma"), cluster


def _array(values: Any, name: str) -> Any:
    return values if np.ma.isMaskedArray(values) else validate.as_array(values, validate.Place(name, str))


def _long(values: Any, shape: tuple[int, ...], name: str) -> Any:
    array = _array(values, name)
    if array.shape != shape:
        raise DataError(f"y_true has shape {shape}, and {one_line(name, 60)} has {array.shape}. Expected the same shape.")
    return array.ravel()


def _evaluated(training: Any, target: str | None, wanted: Wanted, arrays: bool, nan_policy: str) -> Evaluation:
    if arrays:
        if not isinstance(training, tuple | list) or len(training) != 2:
            raise DataError(f"training is of type {type(training).__name__}; beside arrays it takes an evaluation, or a pair of arrays.")
        y, p, *_ = _outputs(training[0], training[1], None, None, None, None, None)
        several = dict(p) if isinstance(p, Mapping) else {wanted.predictions[0]: p}
        return evaluate(y, several, metrics="mse", nan_policy=nan_policy)
    return evaluate(training, target=target, prediction=wanted.predictions, weight=wanted.weight, metrics="mse", nan_policy=nan_policy)


def _drawn(evaluation: Evaluation, model: str, sigma: Any = None) -> Drawn:
    """Return the rows of the sample that count."""
    sample = evaluation.sample
    if sample is None:
        nothing = np.empty(0)
        return Drawn(nothing, nothing, nothing, None, "no row")
    y, p = sample.target, sample.predictions[model]
    w = np.ones(len(y)) if sample.weight is None else sample.weight
    kept = np.isfinite(y) & np.isfinite(p) & (w > 0)
    whole = len(y) == evaluation.provenance.rows
    w = np.ldexp(w[kept], -int(np.frexp(w[kept].max(initial=0.0))[1]))  # of which squares and sums are doubles
    return Drawn(y[kept], p[kept], w, None if sigma is None else sigma[kept], ALL_ROWS if whole else f"a sample of {len(y):,} rows")


def _of_sample(evaluation: Evaluation, model: str) -> tuple[Watcher, str, Drawn]:
    """Return what the sample of an evaluation shows."""
    drawn, sample = _drawn(evaluation, model), evaluation.sample
    uncertainty = evaluation.uncertainty
    ordered = uncertainty is not None and uncertainty.way == "order"
    wanted = Wanted(evaluation.provenance.target, (model,), evaluation.provenance.weight, way="order" if ordered else "none")
    watcher = watcher_for(wanted)
    if sample is not None:
        _see(watcher, sample, model, evaluation.provenance.source, wanted)
    return watcher, drawn.source, drawn


def _see(watcher: Watcher, sample: Sample, model: str, where: str, wanted: Wanted) -> None:
    p = Column(sample.predictions[model])
    weight = None if sample.weight is None else Column(sample.weight)
    watcher.see(Batch(Column(sample.target), (p,), weight, (), 0, where), p, wanted)
    watcher.largest = [
        (sizes, [Large(row.where, int(sample.ordinals[row.row - 1]) + 1, *row[2:]) for row in found]) for sizes, found in watcher.largest
    ]


def _diagnosis(
    evaluation: Evaluation, seen: Mapping[str, tuple[Watcher, str, Drawn]], training: Evaluation | None, functional: str, frame: str
) -> Diagnosis:
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
            reasons = _judge(e)
            losses[model] = recommend(e, e.found, e.outcomes)
            said = said or advise(e, e.found)
        findings += e.found.values()
        statistics[model] = {identity: {"effect": each.effect, "p_value": each.p_value, **each.numbers} for identity, each in e.outcomes.items()}
        passed[model] = {identity: outcome.told for identity, outcome in e.outcomes.items() if identity not in e.found}
        for identity, reason in reasons.items():
            not_testable.setdefault(identity, []).append(reason)
    everywhere = {identity: reasons[0] for identity, reasons in sorted(not_testable.items()) if len(reasons) == len(losses)}
    return Diagnosis(evaluation, tuple(sorted(findings, key=_rank)), passed, everywhere, losses, said, frame, statistics)


def _rank(finding: Finding) -> tuple[int, int, float]:
    return ("serious", "warning", "info").index(finding.severity), CHECKS[finding.id].first, -finding.gain


def _judge(e: Evidence) -> dict[str, str]:
    """Ask every check, write what it found into the evidence, and return why others could not be asked."""
    reasons: dict[str, str] = {}
    for identity, check in CHECKS.items():
        if identity != _LAST:
            _ask(e, check, reasons)
    ids = list(e.outcomes)
    for identity, p in zip(ids, holm([e.outcomes[identity].p_value for identity in ids]), strict=True):
        _tell(e, CHECKS[identity], p)
    _ask(e, CHECKS[_LAST], reasons)
    if _LAST in e.outcomes:
        _tell(e, CHECKS[_LAST], e.outcomes[_LAST].p_value)
    for identity in sorted(e.found, key=lambda each: CHECKS[each].first):
        for follows in CHECKS[identity].explains:
            if follows in e.found and e.found[identity].severity != "info":
                e.found[follows] = replace(e.found[follows], severity="info", because=identity)
    return reasons


def _ask(e: Evidence, check: Check, reasons: dict[str, str]) -> None:
    try:
        outcome = check.function(e)
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
