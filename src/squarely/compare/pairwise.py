"""The tests of every two models of an evaluation, by the buckets that it holds."""

import itertools
import math

import numpy as np
import numpy.typing as npt

from squarely.compare.comparison import Comparison, Pair
from squarely.compare.murphy import Murphy
from squarely.compare.paired import Test, diebold_mariano, paired, paired_ratios
from squarely.errors import DataError
from squarely.evaluate import Evaluation
from squarely.intervals import Link
from squarely.intervals.holm import holm
from squarely.metric import Question, find
from squarely.state import NoAnswerError

__all__ = ["Pairwise", "at_hand"]

Floats = npt.NDArray[np.float64]


class Pairwise:
    """The tests of every two models, all judged on the same rows.

    Parameters
    ----------
    evaluation : Evaluation
    question : Question
    confidence : float
    """

    def __init__(self, evaluation: Evaluation, question: Question, confidence: float) -> None:
        self.evaluation, self.question, self.confidence, self.link = evaluation, question, confidence, Link.of(question.metric)

    def of_buckets(self) -> Comparison:
        """Test each pair by what the evaluation holds."""
        values, samples, method = self._of_buckets()
        n = self.evaluation.states[self.evaluation.models[0]].n
        pairs = self._pairs(values, samples, self._logs(values), None, n, None)
        return Comparison(self.evaluation, self.question, values, pairs, None, method, self.confidence, n, {}, "")

    def _pairs(
        self, values: dict[str, float], samples: dict[str, Floats], logs: dict[str, Floats], h: int | None, units: int, diagram: Murphy | None
    ) -> tuple[Pair, ...]:
        def test(a: str, b: str) -> Test:
            pair, difference = (samples[a], samples[b]), values[a] - values[b]
            if h is not None:
                return diebold_mariano(*pair, h, self.confidence)
            plain = paired(*pair, difference, self.confidence)
            if not logs:
                return plain
            if self.link is not Link.ROOM:
                return paired_ratios(plain, (logs[a], logs[b]), (values[a], values[b]), self.confidence)
            return paired_ratios(plain.turned, (logs[a], logs[b]), (1 - values[a], 1 - values[b]), self.confidence).turned

        tests = {(a, b): test(a, b) for a, b in itertools.combinations(values, 2)}
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
        return Pairwise(evaluation, find(metric), known.confidence).of_buckets()
    except DataError:
        return None
