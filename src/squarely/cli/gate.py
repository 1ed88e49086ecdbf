"""--fail-if: gates such as "rmse > 60" for pipelines. One more kind of gate is one more class in KINDS."""

import math
import operator
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from squarely.diagnose import diagnose
from squarely.diagnose.checks import CHECKS, Check
from squarely.errors import DataError, SquarelyError
from squarely.evaluate import Answer, Evaluation
from squarely.metric import Question, find
from squarely.plain import number, one_line
from squarely.plain import rounded as to_its_width
from squarely.report.report import percent
from squarely.sources.refusals import shown

__all__ = ["EXPECTED", "KINDS", "FindingGate", "Gate", "LimitGate", "Verdict", "gate_of"]

EXPECTED = (
    "Expected a metric, one of > >= < <=, and a number, such as 'rmse > 60'. A metric may have .low, .high or .se after it: 'rmse.high > 60'. "
    "The name of a check, such as SQ012, fails where it finds something."
)

_WORDS = re.compile(r"\s*(?P<metric>.*[\w)])\s*(?P<sign><=|>=|<|>)\s*(?P<limit>\S+)\s*", re.DOTALL)  # settings may hold signs: the last one counts
_PART = re.compile(r"(?P<metric>\w+\s*(?:\(.*\))?)\s*\.\s*(?P<part>\w+)", re.DOTALL)
_FINDING = re.compile(r"\s*(?P<name>SQ[0-9]{3})\s*")
_SIGNS: dict[str, Callable[[float, float], bool]] = {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le}
_PARTS = {"low": "the lower end of the {interval} of ", "high": "the upper end of the {interval} of ", "se": "the standard error of "}


@dataclass(frozen=True)
class Verdict:
    """What a gate says of a model: the value it read, and a sentence where it fails."""

    gate: str
    model: str
    value: str
    failure: str | None = None

    @property
    def passed(self) -> bool:
        """Say whether the gate lets the model through."""
        return self.failure is None


@dataclass(frozen=True)
class Gate(ABC):
    """One --fail-if, as it was written: read before the data, it judges every model after them."""

    written: str

    @classmethod
    @abstractmethod
    def read(cls, text: str) -> "Gate | None":
        """Return the gate, or None where the text is of another kind; raise DataError where it is of this kind and mistyped."""

    @abstractmethod
    def judge(self, evaluation: Evaluation) -> Iterator[Verdict]:
        """Yield what it says of each model; what cannot be judged fails."""

    @property
    def questions(self) -> tuple[Question, ...]:
        """What is asked of the data for it."""
        return ()

    @property
    def reads_intervals(self) -> bool:
        """Say whether it cannot judge without intervals."""
        return False


@dataclass(frozen=True)
class FindingGate(Gate):
    """A check by its name, such as SQ012: where it finds something, the gate fails."""

    check: Check

    @classmethod
    def read(cls, text: str) -> "Gate | None":
        """Return the gate where the text is the name of a check."""
        found = _FINDING.fullmatch(text)
        if not found:
            return None
        if found["name"] not in CHECKS:
            raise DataError(f"--fail-if {shown(text)}: there is no such check. The checks are {', '.join(sorted(CHECKS))}.")
        return cls(text, CHECKS[found["name"]])

    def judge(self, evaluation: Evaluation) -> Iterator[Verdict]:
        """Yield whether each model has the finding; where the check cannot be asked, it fails."""
        diagnosis = diagnose(evaluation)
        for model in evaluation.models:
            found = [each for each in diagnosis if each.id == self.check.id and each.model == model and each.severity != "info"]
            why_not = diagnosis.not_testable.get(self.check.id)
            if found:
                shown_effect = found[0].shown
                failure = f"{self.check.id} of {one_line(model)}: {self.check.title[0].lower()}{self.check.title[1:]} ({shown_effect})"
                yield Verdict(self.written, model, number(found[0].effect), failure)
            elif why_not:
                yield Verdict(self.written, model, "not known", f"{self.check.id} of {one_line(model)} cannot be judged: {why_not}")
            else:
                yield Verdict(self.written, model, "not found")


@dataclass(frozen=True)
class LimitGate(Gate):
    """A metric or a part of its answer, a comparison and a limit: where the comparison holds, the gate fails."""

    question: Question
    part: str
    sign: str
    limit: float
    limit_written: str

    @classmethod
    def read(cls, text: str) -> "Gate | None":
        """Return the gate where there is a sign between two words."""
        found = _WORDS.fullmatch(text)
        if found is None:
            return None
        where = f"--fail-if {shown(text)}:"
        parted = _PART.fullmatch(found["metric"])
        metric, part = (parted["metric"], parted["part"]) if parted else (found["metric"], "")
        if part and part not in _PARTS:
            from difflib import get_close_matches  # only where it helps

            near = get_close_matches(part[:20].lower(), _PARTS, n=1)
            hint = f" Did you mean {'.' + near[0]!r}?" if near else ""
            raise DataError(f"{where} there is no part {shown('.' + part)} of an answer.{hint} {EXPECTED}")
        try:
            limit = float(found["limit"])
        except ValueError:
            limit = math.nan
        if not math.isfinite(limit):
            raise DataError(f"{where} the limit {shown(found['limit'])} is no finite number. {EXPECTED}")
        try:
            question = find(metric)
        except SquarelyError as error:
            raise DataError(f"{where} {error} {EXPECTED}") from error
        return cls(text, question, part, found["sign"], limit, found["limit"])

    @property
    def questions(self) -> tuple[Question, ...]:
        """The metric, so that the data are asked for it."""
        return (self.question,)

    @property
    def reads_intervals(self) -> bool:
        """Say whether it reads an end or a standard error."""
        return bool(self.part)

    def judge(self, evaluation: Evaluation) -> Iterator[Verdict]:
        """Yield what it says of each model; a value that is not known fails too."""
        known = evaluation.uncertainty
        interval = "interval" if known is None else f"{percent(known.confidence)} interval"
        for model in evaluation.models:
            yield self._verdict(evaluation.answer(self.question.label, model), model, interval)

    def _verdict(self, answer: Answer, model: str, interval: str) -> Verdict:
        label = self.question.label
        value: float = getattr(answer.interval, self.part) if self.part else answer.value
        subject = f"{_PARTS[self.part].format(interval=interval) if self.part else ''}{label} of {one_line(model)}"
        if math.isnan(value):
            told = "not known" if self.part else "nan"
            return Verdict(self.written, model, told, f"{subject} is {told} ({self._why_not(answer)}), so it cannot be judged")
        told = self._told(value, answer)
        if not _SIGNS[self.sign](value, self.limit):
            return Verdict(self.written, model, told)
        sentence = f"{subject} is {told}, which is {self.sign} {one_line(self.limit_written)}"
        beside = [f"{label} is {number(answer.value)}"] if self.part else []
        if not math.isnan(answer.se):
            low, high = answer.ci
            beside.append(f"{interval} {to_its_width(low, high - low)} to {to_its_width(high, high - low)}")
            if answer.doubt:
                beside[-1] += f"; {answer.doubt}"
        return Verdict(self.written, model, told, f"{sentence} ({', '.join(beside)})" if beside else sentence)

    def _why_not(self, answer: Answer) -> str:
        """Say why there is no number to judge."""
        if not math.isnan(answer.value):
            return answer.doubt or "there is no interval"
        reason = answer.reason or "undefined for these data"
        return f"{self.question.label} is nan: {reason}" if self.part else reason

    def _told(self, value: float, answer: Answer) -> str:
        """Write a value for a reader, in as many digits as it takes to be on the right side of the limit."""
        low, high = answer.ci
        forms = [to_its_width(value, high - low)] if self.part in ("low", "high") else []
        for form in (*forms, number(value)):
            if (float(form) > self.limit, float(form) < self.limit) == (value > self.limit, value < self.limit):
                return form
        return repr(value)


KINDS: tuple[type[Gate], ...] = (FindingGate, LimitGate)


def gate_of(text: str) -> Gate:
    """Read a gate of any kind; raise DataError with an example where it cannot be read.

    Examples
    --------
    >>> gate = gate_of("rmse.high > 60")
    >>> gate.part, gate.sign, gate.limit
    ('high', '>', 60.0)
    """
    for kind in KINDS:
        gate = kind.read(text)
        if gate is not None:
            return gate
    raise DataError(f"--fail-if {shown(text)} cannot be read. {EXPECTED}")
