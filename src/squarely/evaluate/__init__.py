"""The spine: read -> accumulate -> merge; an Evaluation then answers questions."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import Any

from squarely import _core, validate
from squarely.errors import DataError
from squarely.evaluate.accumulate import Accumulated, accumulate
from squarely.evaluate.evaluation import Answer, Evaluation, Provenance
from squarely.evaluate.frame import as_frame, library_of
from squarely.evaluate.guess import guess_predictions, guess_target
from squarely.evaluate.largest import Large
from squarely.evaluate.late import NO_LATE, Late, mend, takes_squares_alone
from squarely.evaluate.rendering import framed, page_of, register_renderers, rendered
from squarely.evaluate.rows import rows_of
from squarely.evaluate.sample import Sample
from squarely.evaluate.second_pass import find_quantiles
from squarely.evaluate.told import Drawn, Told
from squarely.evaluate.uncertainty import Uncertainty
from squarely.evaluate.way import with_way
from squarely.metric import METRICS, ErrorQuantile, Question, TrimmedSquare, find
from squarely.sources import Source, Wanted, arrays_source, open_source
from squarely.state import Plan, StateTable

__all__ = [
    "Answer",
    "Drawn",
    "Evaluation",
    "Large",
    "Late",
    "Provenance",
    "Sample",
    "Told",
    "Uncertainty",
    "as_frame",
    "evaluate",
    "evaluate_source",
    "evaluation_of",
    "framed",
    "guess_predictions",
    "guess_target",
    "library_of",
    "page_of",
    "plan_for",
    "questions_of",
    "register_renderers",
    "rendered",
    "rows_of",
    "source_of",
    "takes_squares_alone",
    "with_way",
]

_FEW_ROWS = 1_000_000  # are read a second time without being asked to
USUAL = (
    "rmse", "mae", "r2", "bias", "mse", "max_error", "medae", "quantile_absolute_error", "residual_variance", "mape", "smape", "wape",
    "mpe", "rmspe", "msle", "rmsle", "nmse", "nrmse", "explained_variance", "pearson_r", "ccc", "kge",
    "calibration_slope", "calibration_intercept", "variability_ratio", "theil_u1",
)  # fmt: skip


def evaluate(
    data: Any,
    y_pred: Any = None,
    *,
    target: str | None = None,
    prediction: str | Iterable[str] | None = None,
    by: Any = None,
    weight: Any = None,
    metrics: str | Iterable[Any] | None = None,
    nan_policy: str = "raise",
    exact: bool | None = None,
    ci: str | None = None,
    confidence: float = 0.95,
    cluster: Any = None,
    order: Any = None,
    progress: Callable[[int], None] | None = None,
) -> Evaluation:
    r"""Evaluate regression predictions in one pass over the data, exactly.

    .. math:: \mathrm{answer} = f\left(\sum w, \sum wy, \sum w\hat y, \sum w\max(y,\hat y), \sum w|y|, \sum wy^2, \sum wy\hat y, \sum w\hat y^2\right)

    Parameters
    ----------
    data : table, path, or array-like of shape (n,)
        A data frame, an Arrow table or stream, a mapping of arrays, or the path of a CSV, Parquet, JSON lines or Arrow file, of a
        folder or a pattern of them. With ``y_pred``: the targets.
    y_pred : array-like of shape (n,), or mapping from model to such, optional
        Predictions in the unit of the targets, where the data are arrays.
    target : str
        Column of the targets, for tables.
    prediction : str or several
        Columns of predictions, one for each model, for tables.
    by : str or several, or array-like of shape (n,)
        Group columns: every group is answered too, from the same pass. With arrays: the groups of the rows.
    weight : str, or array-like of shape (n,)
        Weights, not negative: weight k counts as k rows, and 0 as none.
    metrics : several of str or metric functions, or "all"
        Names or aliases, such as "rmse" or "mean_pinball_loss(alpha=0.9)". By default the usual ones.
    nan_policy : "raise", "omit_targets", "omit" or "propagate"
        What missing and infinite values do; what was left out is part of every answer, as ``coverage``.
    exact : bool, optional
        Read the data a second time where a median or quantile of the errors is asked for, which one pass knows to 0.4 %. By default
        that is done for up to a million rows, where it can be.
    ci : "none", optional
        "none" leaves out standard errors and intervals, and is faster.
    confidence : float
        The probability with which intervals are to hold the value of the population, above 0 and below 1.
    cluster : str, or array-like of shape (n,)
        Column of what rows that are not independent have in common, as a patient or a shop: intervals then hold for new clusters.
    order : str, True, or array-like of shape (n,)
        Column of times, where errors go together in time; the rows must be sorted by it. True where they lie in order, as in a series.
    progress : callable, optional
        Called with the number of rows read since its last call, from any thread.

    Returns
    -------
    Evaluation
        ``evaluation["rmse"].value``, ``.se``, ``.ci``, ``.n``, ``.coverage``, ``.by``; ``to_frame()``, ``to_html(path)``.

    Raises
    ------
    DataError
        The data cannot be read, hold text or bad weights, are empty, or hold missing values that the policy refuses.
    UnknownMetricError
        There is no metric of this name.

    See Also
    --------
    PairState : for rows that arrive bit by bit.

    References
    ----------
    Neal, R. M. (2015), Fast exact summation using small and large superaccumulators, arXiv:1505.05571.

    Examples
    --------
    >>> import squarely as sq
    >>> houses = {"actual": [250, 300, 180, 420], "model": [240, 310, 200, 400], "town": ["a", "a", "b", "b"]}
    >>> evaluation = sq.evaluate(houses, target="actual", prediction="model", by="town")
    >>> evaluation["mse"].value, evaluation["mse"].by["a"].value
    (250.0, 100.0)
    """
    validate.check_policy(nan_policy)
    if not isinstance(exact, bool | None):
        raise DataError(f"exact is {str(exact)[:60]}; expected True, False, or nothing.")
    questions = questions_of(metrics)
    source, wanted = source_of(data, y_pred, target, prediction, by, weight)
    wanted = replace(wanted, plan=plan_for(questions, wanted, arrays=y_pred is not None))
    source, wanted = with_way(source, wanted, ci, confidence, cluster, order, arrays=y_pred is not None)
    return evaluate_source(source, wanted, questions, nan_policy, confidence, exact, library_of(data), progress)


def evaluate_source(
    source: Source,
    wanted: Wanted,
    questions: tuple[Question, ...],
    nan_policy: str,
    confidence: float,
    exact: bool | None = None,
    frame: str = "pyarrow",
    progress: Callable[[int], None] | None = None,
    late: Late = NO_LATE,
) -> Evaluation:
    """Evaluate a source that is open, as ``evaluate`` does; ``wanted`` has the plan of the questions.

    ``late`` has the models that predict one number, which is found once the rows were read; groups have no intervals then.
    """
    assert not (late.mended or late.waiting) or not wanted.by or wanted.way == "none", "rows of small groups are kept for intervals as they came"
    if exact and not source.rereadable:
        raise DataError(f"{source.name}: exact=True reads the data twice, and a stream is read once. Give a table or a file, or leave it out.")
    trimmed = any(isinstance(need, TrimmedSquare) for question in questions for need in question.needs)
    done = accumulate(source, replace(wanted, bucket_sizes=trimmed or not wanted.binomial), nan_policy, progress, late.waiting)
    mend(done, late)
    sample = done.sampler.sample(wanted.predictions, wanted.weight is not None, done.table.rows)
    uncertainty = None if done.buckets is None else Uncertainty(done.buckets, done.table, confidence, wanted.along)
    largest = {model: found.rows() for model, found in zip(wanted.predictions, done.largest, strict=True) if model not in late.mended}
    evaluation = evaluation_of(done.table, source.name, questions, sample, frame, uncertainty, largest, frozenset(late.mended))
    _judge(evaluation, done)
    levels = {need.level for question in questions for need in question.needs if isinstance(need, ErrorQuantile)}
    if exact is None:
        exact = source.rereadable and done.table.rows <= _FEW_ROWS
    if exact and levels:
        find_quantiles(source, wanted, done, list(evaluation.states.values()), sorted(levels))
    return evaluation


def evaluation_of(
    table: StateTable,
    source: str,
    questions: tuple[Question, ...],
    sample: Sample | None = None,
    frame: str = "pyarrow",
    uncertainty: Uncertainty | None = None,
    largest: Mapping[str, tuple[Large, ...]] = MappingProxyType({}),
    late: frozenset[str] = frozenset(),
) -> Evaluation:
    """Return the evaluation of states that are at hand, as from a file of saved states."""
    provenance = Provenance(source, table.rows, table.target, table.models, table.weight, table.by, table.nan_policy, table.digest(), _core.version)
    return Evaluation(table, questions, provenance, sample, frame, uncertainty, largest, late)


def questions_of(metrics: str | Iterable[Any] | None, kept: Plan | None = None) -> tuple[Question, ...]:
    """Return what is asked: the usual metrics, all of them, or those that are named; the usual ones that states with a plan can answer."""
    if metrics is None:
        metrics = [name for name in USUAL if kept is None or find(name).plan <= kept]
    elif isinstance(metrics, str) and metrics == "all":
        metrics = [(*metric.aliases, metric.name)[0] for metric in METRICS.values() if metric.answers_on_sums]
    asked = list(metrics) if isinstance(metrics, Iterable) and not isinstance(metrics, str) else [metrics]
    if not asked:
        raise DataError("metrics is empty; name at least one, or leave it out for the usual ones.")
    questions: list[Question] = []
    for question in map(find, asked):
        if not any(question.same(other) for other in questions):
            questions.append(question)
    return tuple(questions)


def source_of(data: Any, y_pred: Any, target: str | None, prediction: Any, by: Any, weight: Any) -> tuple[Source, Wanted]:
    """Return the source of data as ``evaluate`` takes them, and the columns that are wanted of it."""
    if y_pred is not None:
        if target is not None or prediction is not None:
            raise DataError("target and prediction name columns of a table, but arrays were given. Give either a table and names, or two arrays.")
        arrays = arrays_source(data, y_pred, weight, by)
        if arrays.wanted is None or not arrays.wanted.predictions:
            raise DataError("y_pred names no model. Give an array, or a mapping from model to array that is not empty.")
        return arrays, arrays.wanted
    source = open_source(data)
    predictions = _names(prediction, "prediction")
    if target is None or not predictions:
        columns = ", ".join(repr(name[:60]) for name in source.columns[:12])
        raise DataError(f"{source.name}: name the columns with target= and prediction=. The columns are {columns}.")
    keys = _names(by, "by")
    for what, name in (("target", target), ("weight", weight)):
        if name is not None and not isinstance(name, str):
            raise DataError(f"{what} is of type {type(name).__name__}; a table takes the name of a column.")
    repeated = [name for names in (predictions, keys) for name in names if names.count(name) > 1]
    if repeated:
        raise DataError(f"the column {repeated[0]!r} is named twice. Name each model and each group column once.")
    return source, Wanted(target, predictions, weight, keys)


def plan_for(questions: tuple[Question, ...], wanted: Wanted, arrays: bool) -> Plan:
    """Return what the states must keep for the questions."""
    plan = Plan.union(question.plan for question in questions)
    if arrays and plan.columns:
        raise DataError(f"a metric reads the column {plan.columns[0]!r}. Give a table, or a mapping of arrays by name, with target= and prediction=.")
    for question in questions:
        baseline = question.parameters.get("baseline")
        if baseline is not None and baseline not in (*question.metric.settings["baseline"].allowed, *wanted.predictions):
            raise DataError(f"{question.label}: the baseline {baseline!r} is no model here. Name it in prediction= too.")
    return plan


def _names(names: Any, what: str) -> tuple[str, ...]:
    """Return one name or several as names."""
    if names is None:
        return ()
    several = tuple(names) if isinstance(names, Iterable) and not isinstance(names, str) else (names,)
    if not all(isinstance(name, str) for name in several):
        raise DataError(f"{what} holds {several[:3]!r}; a table takes names of columns.")
    return several


def _first_place(evaluation: Evaluation, done: Accumulated, model: int, reason: int) -> str:
    """Say where the first row is that was refused for a reason."""
    _, file, row = done.first_refused[model, reason]
    column = evaluation.models[model] if reason % 2 else evaluation.provenance.target
    return f"in row {row:,} of column {column[:60]!r}" + ("" if file == evaluation.provenance.source else f" of {file}")


def _judge(evaluation: Evaluation, done: Accumulated) -> None:
    """Refuse data that the policy refuses, and data of which nothing is left."""
    where = evaluation.provenance.source
    for model, state in enumerate(evaluation.states.values()):
        rows = state.n + sum(state.refused)
        validate.judge(evaluation.provenance.nan_policy, state.refused, rows, partial(_first_place, evaluation, done, model), where)
    left = any(state.n for state in evaluation.states.values())
    refused = any(any(state.refused) for state in evaluation.states.values())
    if not left and not (refused and evaluation.provenance.nan_policy == "propagate"):
        raise validate.nothing_left(evaluation.provenance.rows, max(sum(state.refused) for state in evaluation.states.values()), where)
