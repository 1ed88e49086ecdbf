"""Which model is better: paired tests on the same rows, in one pass."""

import itertools
import math
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from squarely.compare.comparison import Comparison, Pair
from squarely.compare.murphy import Murphy, murphy
from squarely.compare.paired import Test, diebold_mariano, paired
from squarely.compare.together import BASELINES, Together, predictions_of
from squarely.compare.words import valued
from squarely.errors import DataError
from squarely.evaluate import Answer, Evaluation, evaluate_source, library_of, plan_for, rows_of, source_of, with_way
from squarely.intervals.holm import holm
from squarely.metric import Question, find
from squarely.sources import Wanted
from squarely.state import NoAnswerError, Rows
from squarely.validate import check_policy

__all__ = ["BASELINES", "Comparison", "Murphy", "Pair", "compare"]

Floats = npt.NDArray[np.float64]


def compare(
    data: Any,
    y_pred: Any = None,
    *,
    target: str | None = None,
    prediction: str | Iterable[str] | None = None,
    metric: Any = "mse",
    weight: Any = None,
    baseline: str | Iterable[str] = (),
    seasonality: int = 1,
    confidence: float = 0.95,
    cluster: Any = None,
    order: Any = None,
    h: int | None = None,
    macro: str | None = None,
    model: str | None = None,
    nan_policy: str = "raise",
) -> Comparison:
    r"""Say which of several models is better, by how much, and how sure that is.

    .. math:: t = \frac{\theta_a - \theta_b}{s}, \quad s = \frac{\mathrm{sd}(\psi_a - \psi_b)}{\sqrt G}

    The pseudo-values :math:`\psi` are those of the delete-one-bucket jackknife; up to 2,048 rows each row is a bucket, and for a mean
    loss the test is then the paired t test of the losses.

    Parameters
    ----------
    data : table, path, or array-like of shape (n,)
        As ``evaluate`` takes them, like ``target``, ``prediction`` and ``weight``.
    y_pred : mapping from model to array-like of shape (n,), optional
        Where the data are the targets.
    metric : str or metric function
        Where lower or higher is better.
    baseline : str or several of "mean", "median", "last_value", "seasonal_naive"
        Simple rules that are compared too. The first two know all targets; the last two take rows in order, and the first rows, for
        which they have no prediction, are left out for all models. With ``h`` they look as far ahead. ``seasonality`` is the rows of a
        season.
    confidence : float
        Of the intervals, in the unit of the metric. A difference is proved where its p-value, for all pairs together, is below
        1 - confidence.
    cluster, order
        How rows depend on each other, as in ``evaluate``.
    h : int, optional
        Rows are forecasts ``h`` steps ahead in order of time: the test is that of Diebold and Mariano, as Harvey, Leybourne and Newbold
        correct it. It reads the rows again, and takes metrics that are means of losses.
    macro : str, optional
        A column of groups that count alike, as series: the metric is the mean over them of that of each, and groups are the pairs.
    model : str, optional
        The column that names the model, where a table has a row for each model; it takes ``macro``, and a group counts where every model
        has the same number of rows in it.
    nan_policy : "raise", "omit_targets" or "omit"
        With "omit" a row counts only where every model has a prediction, so that none looks better for what it left out.

    Returns
    -------
    Comparison
        ``.verdict``, ``.ranking``, ``.pairs`` (each ``.a``, ``.b``, ``.difference``, ``.ci``, ``.p_value``);
        ``to_frame()``, ``to_dict()``, ``to_markdown()``, ``to_html(path)``; print it.

    Raises
    ------
    DataError
        As ``evaluate``; there are not two models, or the metric has no better side, or no paired test.

    Notes
    -----
    It tells whether the models differ on rows like these. A difference that is proved may still be too small to matter: see its size.

    References
    ----------
    Efron, B. (1982), The Jackknife, the Bootstrap and Other Resampling Plans, SIAM.

    Examples
    --------
    >>> import squarely as sq
    >>> y = [250, 300, 180, 420, 350, 270]
    >>> comparison = sq.compare(y, {"new": [240, 310, 190, 410, 355, 265], "old": [230, 330, 150, 440, 320, 300]})
    >>> print(comparison.verdict)
    new beats old on MSE by 658 (95 % interval 360 to 950, p = 0.0022).
    """
    question = _question(metric)
    check_policy(nan_policy)
    if nan_policy == "propagate":
        raise DataError("nan_policy='propagate' leaves nothing to compare; expected 'raise', 'omit_targets' or 'omit'.")
    if model is not None and (macro is None or h is not None or baseline):
        raise DataError("model= compares groups of rows that count alike: name them with macro=, and leave h= and baseline= out.")
    source, wanted = source_of(data, y_pred, target, prediction, macro if model is None else (model, macro), weight)
    if h is not None:
        if not isinstance(h, int) or isinstance(h, bool) or h < 1:
            raise DataError(f"h is {str(h)[:60]}; expected a whole number of at least 1: the steps that forecasts look ahead.")
        order = True if order is None else order
    arrays = y_pred is not None
    source, wanted = with_way(source, wanted, None if macro is None else "none", confidence, cluster, order, arrays)
    names = (baseline,) if isinstance(baseline, str) else tuple(baseline)
    added = predictions_of(names, seasonality, 1 if h is None else h, source, wanted)
    wanted = replace(wanted, predictions=(*wanted.predictions, *added))
    wanted = replace(wanted, plan=plan_for((question,), wanted, arrays))
    if (len(wanted.predictions) == 1) == (model is None):
        raise DataError(
            "there is one model. Give several predictions, or a baseline such as baseline='mean'."
            if model is None
            else "model= takes one column of predictions, for each row is of one model."
        )
    naive = any(name in BASELINES[2:] for name in names)
    together = Together(source, added, common=model is None and (nan_policy == "omit" or naive))
    if h is not None and not source.rereadable:
        raise DataError(f"{source.name}: h= reads the rows again, and a stream is read once. Give a table or a file, or compare by order= alone.")
    evaluation = evaluate_source(together, wanted, (question,), "omit" if naive else nan_policy, confidence, exact=False)
    test = _Tests(evaluation, question, confidence, together, wanted, library_of(data))
    return test.comparison(h, macro, long=model is not None)


def _question(metric: Any) -> Question:
    question = find(metric)
    if question.metric.direction == "target":
        raise DataError(f"{question.label} is best near {question.metric.best:g}, from both sides. Compare by an error or a score, such as 'mse'.")
    if any(need.reads_rows for need in question.needs):
        raise DataError(f"{question.label} reads the rows twice, and has no paired test here. Choose another metric, such as 'mae'.")
    return question


class _Tests:
    """The tests of every two models of an evaluation."""

    def __init__(self, evaluation: Evaluation, question: Question, confidence: float, source: Together, wanted: Wanted, frame: str) -> None:
        self.evaluation, self.question, self.confidence = evaluation, question, confidence
        self.source, self.wanted, self.frame = source, wanted, frame

    def comparison(self, h: int | None, macro: str | None, long: bool) -> Comparison:
        """Test each pair in the way that was asked for."""
        values, samples, method = self._of_groups(macro, long) if macro is not None else self._of_buckets() if h is None else self._of_rows(h)
        models, n = tuple(values), self.evaluation.states[self.evaluation.models[0]].n
        diagram = None if long else self._murphy()
        tests = {
            (a, b): paired(samples[a], samples[b], values[a] - values[b], self.confidence)
            if h is None
            else diebold_mariano(samples[a], samples[b], h, self.confidence)
            for a, b in itertools.combinations(models, 2)
        }
        adjusted = holm([test.p_value for test in tests.values()])
        units = n if macro is None else len(samples[models[0]])
        pairs = tuple(self._pair(a, b, values, test, p, units, diagram) for ((a, b), test), p in zip(tests.items(), adjusted, strict=True))
        return Comparison(
            self.evaluation, self.question, values, pairs, diagram, method, self.confidence, n, self._absent(), self._left_out(), self.frame
        )

    def _pair(self, a: str, b: str, values: dict[str, float], test: Test, adjusted: float, units: int, diagram: Murphy | None) -> Pair:
        difference = values[a] - values[b]
        lower = self.question.metric.direction == "lower"
        proved = adjusted < 1 - self.confidence and difference != 0
        better = (a if (difference < 0) == lower else b) if proved else None
        sample = self.evaluation.sample
        of_all = sample is not None and len(sample.target) == self.evaluation.provenance.rows  # a row that is not drawn may say otherwise
        first, second = (of_all and diagram is not None and diagram.dominates(*each) for each in ((a, b), (b, a)))
        dominates = a if first else b if second else None
        effect = difference / (test.se * math.sqrt(units)) if test.se else math.nan
        return Pair(a, b, difference, test.se, (test.low, test.high), test.statistic, test.p_value, adjusted, effect, better, dominates)

    def _of_buckets(self) -> tuple[dict[str, float], dict[str, Floats], str]:
        uncertainty = self.evaluation.uncertainty
        assert uncertainty is not None, "intervals were asked for"
        values = {model: self.evaluation[self.question.label, model].value for model in self.evaluation.models}
        self._demand(values)
        try:
            samples = {model: uncertainty.pseudo_values(self.question, at) for at, model in enumerate(values)}
        except NoAnswerError as reason:
            raise DataError(f"{self.question.label} has no paired test: {reason}. Choose another metric, such as 'mae'.") from reason
        count = len(samples[self.evaluation.models[0]])
        alone = uncertainty.way == "rows" and count == self.evaluation.provenance.rows
        words = "rows" if alone else uncertainty.units(count)
        return values, samples, f"paired t test over {count:,} {words}"

    def _of_groups(self, macro: str, long: bool) -> tuple[dict[str, float], dict[str, Floats], str]:
        answers = self._long_answers(macro) if long else {m: self.evaluation[self.question.label, m].by for m in self.evaluation.models}
        for model, by in answers.items():
            for group, answer in by.items():
                if math.isnan(answer.value):
                    where = f"in group {str(group[-1])[:60]!r} of {macro}"
                    raise DataError(f"{self.question.label} of {model} has no value {where}: {answer.reason}. Leave such groups out.")
        samples = {model: np.array([answer.value for answer in by.values()]) for model, by in answers.items()}
        values = {model: float(each.mean()) for model, each in samples.items()}
        return values, samples, f"paired t test over {len(next(iter(samples.values()))):,} groups of {macro}"

    def _long_answers(self, macro: str) -> dict[str, dict[Any, Answer]]:
        """Return the answers by model and group, for the groups in which every model has as many rows; count the others as absent."""
        answers: dict[str, dict[Any, Answer]] = {}
        for (model, group), answer in self.evaluation[self.question.label].by.items():
            answers.setdefault(str(model), {})[group] = answer
        if len(answers) < 2:
            raise DataError("the column of model= names one model only. There is nothing to compare it with.")
        most: dict[Any, int] = {}
        for by in answers.values():
            for group, answer in by.items():
                most[group] = max(most.get(group, 0), answer.n)
        for model, by in answers.items():
            self.source.absent[model] = sum(most.values()) - sum(answer.n for answer in by.values())
        whole = [group for group, n in most.items() if n and all(group in by and by[group].n == n for by in answers.values())]
        if not whole:
            raise DataError(f"there is no group of {macro} in which every model has as many rows. Compare fewer models.")
        return {model: {group: by[group] for group in whole} for model, by in answers.items()}

    def _of_rows(self, h: int) -> tuple[dict[str, float], dict[str, Floats], str]:
        """Return the losses of rows, for the test of Diebold and Mariano."""
        term = self.question.metric.pointwise
        if term is None:
            raise DataError(f"h= tests means of losses, and {self.question.label} is none. Choose one, such as 'mse' or 'mae'.")
        if self.wanted.weight is not None:
            raise DataError("h= takes no weights: a series has one row for each time. Leave weight= out, or compare by order= alone.")
        values = {model: self.evaluation[self.question.label, model].value for model in self.evaluation.models}
        self._demand(values)
        y, predictions = self._kept()
        loss = term(**{**self.question.metric.parameters, **self.question.parameters})
        samples = {model: Rows(y, p).pointwise(loss) for model, p in predictions.items()}
        return values, samples, f"Diebold-Mariano test of forecasts {h} step{'s' * (h > 1)} ahead, corrected by Harvey, Leybourne and Newbold"

    def _absent(self) -> dict[str, int]:
        return {model: count for model, count in self.source.absent.items() if count}

    def _left_out(self) -> str:
        """Say how good the best model that predicts every row is on the rows that are left out, for these may be the hard ones."""
        whole = [model for model in self.evaluation.models if not self.source.absent.get(model)]
        if not self._absent() or not whole or self.wanted.by or not self.source.rereadable:
            return ""
        every = Together(self.source.source, self.source.baselines, common=False)
        alone = evaluate_source(every, replace(self.wanted, way="none", along=None), (self.question,), "omit", self.confidence, exact=False)
        best = min if self.question.metric.direction == "lower" else max
        model = best(whole, key=lambda each: self.evaluation[self.question.label, each].value)
        value = self.question.ask((alone.states[model] - self.evaluation.states[model]).sums).value
        if math.isnan(value):
            return ""
        there = self.evaluation[self.question.label, model].value
        on, off = (valued(self.question, float(f"{each:.3g}")) for each in (there, value))
        return f"On the rows left out the {self.question.spoken} of {model} is {off}, on the others {on}."

    def _demand(self, values: dict[str, float]) -> None:
        for model, value in values.items():
            if math.isnan(value):
                raise DataError(f"{self.question.label} of {model} has no value: {self.evaluation[self.question.label, model].reason}.")

    def _kept(self) -> tuple[Floats, dict[str, Floats]]:
        again = replace(self.source, absent={})  # or what is absent would be counted twice
        y, predictions, _ = rows_of(again, self.wanted)
        kept = np.logical_and.reduce([np.isfinite(column) for column in (y, *predictions)])
        return y[kept], {model: p[kept] for model, p in zip(self.wanted.predictions, predictions, strict=True)}

    def _murphy(self) -> Murphy | None:
        """Return the diagram of the rows of the sample, which are all where there are few."""
        sample = self.evaluation.sample
        if sample is None:
            return None
        kept = np.isfinite(sample.target)
        for p in sample.predictions.values():
            kept &= np.isfinite(p)
        weight = None if sample.weight is None else sample.weight[kept]
        if not kept.any() or (weight is not None and not weight.sum() > 0):
            return None
        return murphy(sample.target[kept], {model: p[kept] for model, p in sample.predictions.items()}, weight)
