"""The tests of every two models in the way that was asked for, which may read the rows again."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from squarely.compare.comparison import Comparison
from squarely.compare.murphy import Murphy, murphy
from squarely.compare.pairwise import Pairwise
from squarely.compare.together import Together
from squarely.compare.words import valued
from squarely.errors import DataError
from squarely.evaluate import Answer, Evaluation, evaluate_source, rows_of
from squarely.metric import Question
from squarely.sources import Wanted
from squarely.state import Rows

__all__ = ["Asked"]

Floats = npt.NDArray[np.float64]


class Asked(Pairwise):
    """The tests of every two models of rows that can be read again.

    Parameters
    ----------
    evaluation : Evaluation
    question : Question
    confidence : float
    source : Together
    wanted : Wanted
    frame : str
        What the comparison's ``to_frame`` returns.
    """

    def __init__(self, evaluation: Evaluation, question: Question, confidence: float, source: Together, wanted: Wanted, frame: str) -> None:
        super().__init__(evaluation, question, confidence)
        self.source, self.wanted, self.frame = source, wanted, frame

    def comparison(self, h: int | None, macro: str | None, long: bool) -> Comparison:
        """Test each pair in the way that was asked for."""
        values, samples, method = self._of_groups(macro, long) if macro is not None else self._of_buckets() if h is None else self._of_rows(h)
        n = self.evaluation.states[self.evaluation.models[0]].n
        diagram = None if long else self._murphy()
        logs = self._logs(values) if macro is None and h is None else {}
        pairs = self._pairs(values, samples, logs, h, n if macro is None else len(next(iter(samples.values()))), diagram)
        left_out = self._left_out()
        return Comparison(
            self.evaluation,
            self.question,
            values,
            pairs,
            diagram,
            method,
            self.confidence,
            n,
            self._absent(),
            left_out,
            self.frame,
            len(self.source.passes),
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
        every = Together(self.source.source, self.source.baselines, common=False, passes=self.source.passes)
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
