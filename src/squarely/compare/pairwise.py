"""The tests of every two models of an evaluation, in the way that was asked for."""

import itertools
import math
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from squarely.compare.comparison import Comparison, Pair
from squarely.compare.murphy import Murphy, murphy
from squarely.compare.paired import Test, diebold_mariano, paired, paired_ratios
from squarely.compare.together import Together
from squarely.compare.words import valued
from squarely.errors import DataError
from squarely.evaluate import Answer, Evaluation, evaluate_source, rows_of
from squarely.intervals import Link
from squarely.intervals.holm import holm
from squarely.metric import Question, find
from squarely.sources import Wanted
from squarely.state import NoAnswerError, Rows

__all__ = ["Pairwise", "at_hand"]

Floats = npt.NDArray[np.float64]


class _OfBuckets:
    """The tests of every two models of an evaluation that is at hand, from the sums of its buckets."""

    def __init__(self, evaluation: Evaluation, question: Question, confidence: float) -> None:
        self.evaluation, self.question, self.confidence, self.link = evaluation, question, confidence, Link.of(question.metric)

    def comparison(self) -> Comparison:
        """Test each pair; no row is read again."""
        values, samples, method = self._of_buckets()
        n, logs = self.evaluation.states[self.evaluation.models[0]].n, self._logs(values)
        tests = {pair: self._paired(*pair, values, samples, logs) for pair in itertools.combinations(values, 2)}
        return Comparison(self.evaluation, self.question, values, self._pairs(values, tests, n, None), None, method, self.confidence, n, {}, "")

    def _paired(self, a: str, b: str, values: dict[str, float], samples: dict[str, Floats], logs: dict[str, Floats]) -> Test:
        plain = paired(samples[a], samples[b], values[a] - values[b], self.confidence)
        if not logs:
            return plain
        if self.link is not Link.ROOM:
            return paired_ratios(plain, (logs[a], logs[b]), (values[a], values[b]), self.confidence)
        return paired_ratios(plain.turned, (logs[a], logs[b]), (1 - values[a], 1 - values[b]), self.confidence).turned

    def _pairs(self, values: dict[str, float], tests: dict[tuple[str, str], Test], units: int, diagram: Murphy | None) -> tuple[Pair, ...]:
        adjusted = holm([test.p_value for test in tests.values()])
        return tuple(self._pair(a, b, values, test, p, units, diagram) for ((a, b), test), p in zip(tests.items(), adjusted, strict=True))

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
        values = {model: self.evaluation.answer(self.question.label, model).value for model in self.evaluation.models}
        self._demand(values)
        try:
            samples = {model: uncertainty.pseudo_values(self.question, at) for at, model in enumerate(values)}
        except NoAnswerError as reason:
            raise DataError(f"{self.question.label} has no paired test: {reason}. Choose another metric, such as 'mae'.") from reason
        count = len(samples[self.evaluation.models[0]])
        alone = uncertainty.way == "rows" and count == self.evaluation.provenance.rows
        words = "rows" if alone else uncertainty.units(count)
        return values, samples, f"paired t test over {count:,} {words}"

    def _logs(self, values: dict[str, float]) -> dict[str, Floats]:
        """Return the pseudo-values of the logarithms of errors, where these have a divisor that all models share; else nothing."""
        uncertainty = self.evaluation.uncertainty
        if uncertainty is None or self.question.metric.family not in ("explained", "normalized"):
            return {}
        return {model: uncertainty.pseudo_values(self.question, at, self.link) for at, model in enumerate(values)}

    def _demand(self, values: dict[str, float]) -> None:
        for model, value in values.items():
            if math.isnan(value):
                raise DataError(f"{self.question.label} of {model} has no value: {self.evaluation[self.question.label, model].reason}.")


class Pairwise(_OfBuckets):
    """The tests of every two models of an evaluation, in the way that was asked for; its data can be read again."""

    def __init__(self, evaluation: Evaluation, question: Question, confidence: float, source: Together, wanted: Wanted, frame: str) -> None:
        super().__init__(evaluation, question, confidence)
        self.source, self.wanted, self.frame = source, wanted, frame

    def asked(self, h: int | None, macro: str | None, long: bool) -> Comparison:
        """Test each pair in the way that was asked for."""
        values, samples, method = self._of_groups(macro, long) if macro is not None else self._of_buckets() if h is None else self._of_rows(h)
        models, n = tuple(values), self.evaluation.states[self.evaluation.models[0]].n
        diagram = None if long else self._murphy()
        logs = self._logs(values) if macro is None and h is None else {}

        def test(a: str, b: str) -> Test:
            if h is not None:
                return diebold_mariano(samples[a], samples[b], h, self.confidence)
            return self._paired(a, b, values, samples, logs)

        tests = {pair: test(*pair) for pair in itertools.combinations(models, 2)}
        pairs = self._pairs(values, tests, n if macro is None else len(samples[models[0]]), diagram)
        return Comparison(
            self.evaluation, self.question, values, pairs, diagram, method, self.confidence, n, self._absent(), self._left_out(), self.frame
        )

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


def at_hand(evaluation: Evaluation, metric: str = "mse") -> Comparison | None:
    """Compare the models of an evaluation by what it knows: paired pseudo-values of its buckets, without a new reading of the data.

    Parameters
    ----------
    evaluation : Evaluation
    metric : str
        Where lower or higher is better.

    Returns
    -------
    Comparison or None
        None where nothing can be compared: there is one model, there are no intervals, a metric has no value, or a model lacks rows that
        another one predicts, for it would be judged on easier ones.

    Examples
    --------
    >>> import squarely as sq
    >>> y = [250, 300, 180, 420, 350, 270]
    >>> models = {"new": [240, 310, 190, 410, 355, 265], "old": [230, 330, 150, 440, 320, 300]}
    >>> at_hand(sq.evaluate(y, models))["new", "old"].better
    'new'
    """
    known = evaluation.uncertainty
    if len(evaluation.models) < 2 or known is None:
        return None
    if any(state.missing_prediction or state.infinite_prediction for state in evaluation.states.values()):
        return None
    try:
        return _OfBuckets(evaluation, find(metric), known.confidence).comparison()
    except DataError:
        return None
