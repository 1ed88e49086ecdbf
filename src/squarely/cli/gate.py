"""--fail-if: a gate such as "rmse > 60" for pipelines."""

import math
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass

from squarely.errors import DataError
from squarely.evaluate import Evaluation
from squarely.metric import Question, find
from squarely.report.report import one_line

__all__ = ["Gate"]

_WORDS = re.compile(r"\s*(?P<metric>.*?[\w)])\s*(?P<sign><=|>=|<|>)\s*(?P<limit>\S+)\s*")
_SIGNS: dict[str, Callable[[float, float], bool]] = {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le}


@dataclass(frozen=True)
class Gate:
    """A metric, a comparison and a limit: where the comparison holds, the gate fails."""

    question: Question
    sign: str
    limit: float

    @classmethod
    def parse(cls, text: str) -> "Gate":
        """Read a gate; raise DataError with an example where it cannot be read.

        Examples
        --------
        >>> Gate.parse("rmse > 60").limit
        60.0
        """
        found = _WORDS.fullmatch(text)
        limit = math.nan
        if found:
            try:
                limit = float(found["limit"])
            except ValueError:
                limit = math.nan
        if found is None or not math.isfinite(limit):
            raise DataError(f"--fail-if {text[:80]!r} cannot be read. Expected a metric, one of > >= < <=, and a number, such as 'rmse > 60'.")
        return cls(find(found["metric"]), found["sign"], limit)

    def failures(self, evaluation: Evaluation) -> list[str]:
        """Return a sentence for every model that fails; a value that is not known fails too."""
        sentences = []
        for model in evaluation.models:
            answer, name = evaluation.answer(self.question.label, model), one_line(model)
            if math.isnan(answer.value):
                sentences.append(f"{self.question.label} of {name} is nan ({answer.reason}), so it cannot be judged")
            elif _SIGNS[self.sign](answer.value, self.limit):
                sentences.append(f"{self.question.label} of {name} is {answer.value:.6g}, which is {self.sign} {self.limit:g}")
        return sentences
