"""Diagnosis: what is wrong with a model, the worst first, and what to do on Monday."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from squarely.diagnose.exhibit import Exhibit
from squarely.diagnose.finding import CHECKS, Check, Finding
from squarely.evaluate import Evaluation, as_frame, framed, page_of
from squarely.plain import escape, one_line

if TYPE_CHECKING:
    from squarely.diagnose.advise import Advice

__all__ = ["Diagnosis"]


@dataclass(frozen=True)
class Diagnosis:
    """What ``diagnose`` found; print it.

    Parameters
    ----------
    evaluation : Evaluation
    findings : tuple of Finding
        The worst first; "info" is what follows from another finding, and says from which, and what is too little to warn of.
    passed : mapping from model to mapping from id to what was seen
        Checks that found nothing.
    not_testable : mapping from id to reason
    losses : mapping from model to Advice
    advice : tuple of str
        What to report beside the MSE.
    frame : str
        What ``to_frame`` returns.
    statistics : mapping from model to mapping from id to mapping from name to number
        What every check measured, also where it found nothing: "effect", "p_value" (nan where nothing is left to chance), and the
        numbers that its evidence is told from.
    checks : mapping from id to Check
        All that may have been asked.

    Examples
    --------
    >>> import numpy as np
    >>> import squarely as sq
    >>> x = np.linspace(0, 12, 400)
    >>> y = 10 + 3 * np.sin(x) + 0.3 * np.cos(97 * x)
    >>> diagnosis = sq.diagnose(y, 12 + 3 * np.sin(x))
    >>> diagnosis.findings[0].id, diagnosis.findings[0].fix
    ('SQ001', 'subtract the mean error from the predictions, or give the model an intercept')
    """

    evaluation: Evaluation
    findings: tuple[Finding, ...]
    passed: Mapping[str, Mapping[str, str]]
    not_testable: Mapping[str, str]
    losses: Mapping[str, "Advice"]
    advice: tuple[str, ...]
    frame: str = "pyarrow"
    statistics: Mapping[str, Mapping[str, Mapping[str, float]]] = field(default_factory=dict)
    checks: Mapping[str, Check] = field(default_factory=lambda: CHECKS, repr=False)

    @property
    def exhibits(self) -> tuple[Exhibit, ...]:
        """What the page shows beside findings and errors: nothing, where only errors are known."""
        return ()

    @property
    def recommended_loss(self) -> "Advice":
        """The loss for the model with the smallest mean squared error."""
        return self.losses[self._best]

    @property
    def _best(self) -> str:
        values = {model: self.evaluation["mse", model].value for model in self.losses}
        return min(values, key=lambda model: (values[model] != values[model], values[model]))

    def __getitem__(self, identity: str) -> Finding:
        """Return the first finding of a check, such as ``diagnosis["SQ007"]``."""
        for finding in self.findings:
            if finding.id == identity:
                return finding
        known = "is not among the findings" if identity in self.checks else "is no check"
        raise KeyError(f"{identity!r} {known}; there are {', '.join(dict.fromkeys(each.id for each in self.findings)) or 'none'}")

    def __contains__(self, identity: object) -> bool:
        """Say whether a check found something that is not the consequence of something else."""
        return any(finding.id == identity and finding.severity != "info" for finding in self.findings)

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.findings)

    def __len__(self) -> int:
        return len(self.findings)

    @property
    def verdict(self) -> str:
        """What is wrong and what to do, in words."""
        told = [finding for finding in self.findings if finding.severity != "info"]
        several = len(self.losses) > 1
        if not told:
            head = f"Nothing is wrong with these errors as far as {self._count} can tell."
        else:
            first = told[0]
            of = f" ({one_line(first.model)})" if several else ""
            head = f"{first.title}{of}: {first.meaning}. Do this first: {first.fix}."
            rest = list(dict.fromkeys(f"{each.title[0].lower()}{each.title[1:]} ({each.id})" for each in told[1:] if each.id != first.id))
            if rest:
                head += f" Then: {'; '.join(rest[:3])}{f'; and {len(rest) - 3} more' if len(rest) > 3 else ''}."
        loss = self.recommended_loss
        return f"{head} Recommended loss: {loss}."

    @property
    def _count(self) -> str:
        count = len({identity for passed in self.passed.values() for identity in passed})
        return f"{count} check{'' if count == 1 else 's'}"

    def to_dict(self) -> dict[str, Any]:
        """Return everything as a dictionary that JSON can hold."""
        numbers = ("effect", "low", "high", "threshold", "p_value")
        texts = ("id", "title", "severity", "model", "measure", "evidence", "meaning", "fix", "code", "source", "because")
        return {
            "schema": 1,
            "rows": self.evaluation.provenance.rows,
            "verdict": self.verdict,
            "recommended_loss": {
                model: {
                    "loss": loss.loss,
                    "functional": loss.functional,
                    "reason": loss.reason,
                    "code": loss.code,
                    "efficiency": _finite(loss.efficiency),
                }
                for model, loss in self.losses.items()
            },
            "advice": list(self.advice),
            "findings": [
                {name: getattr(finding, name) for name in texts} | {name: _finite(getattr(finding, name)) for name in numbers}
                for finding in self.findings
            ],
            "passed": {model: dict(passed) for model, passed in self.passed.items()},
            "not_testable": dict(self.not_testable),
            "statistics": {
                model: {identity: {name: _finite(value) for name, value in numbers.items()} for identity, numbers in checks.items()}
                for model, checks in self.statistics.items()
            },
        }

    def to_frame(self) -> Any:
        """Return one row for each finding: a frame of the library that the data came in, else a pyarrow table.

        Columns: id, severity, model, title, effect, low, high, threshold, p_value, evidence, meaning, fix, code, source.
        """
        names = ("id", "severity", "model", "title", "effect", "low", "high", "threshold", "p_value", "evidence", "meaning", "fix", "code", "source")
        return as_frame({name: [getattr(finding, name) for finding in self.findings] for name in names}, self.frame)

    def to_markdown(self) -> str:
        """Return the diagnosis as Markdown; names from data cannot add markup."""
        lines = [f"**{escape(self.verdict, 4000)}**", ""]
        for finding in self.findings:
            of = f" ({escape(finding.model)})" if len(self.losses) > 1 else ""
            lines += [f"### {finding.id} {finding.title}{of}: {finding.severity}", ""]
            lines += [f"* {escape(text, 1000)}" for text in self._told(finding)]
            lines += ["", "```python", finding.code.replace("```", "'''"), "```", ""]
        lines += [f"* {escape(sentence, 1000)}" for sentence in self.advice]
        if self.not_testable:
            lines += ["", "Not testable:", ""]
            lines += [f"* {identity} {self.checks[identity].title}: {escape(reason, 500)}" for identity, reason in self.not_testable.items()]
        return "\n".join(lines).rstrip() + "\n"

    def to_html(self, path: Any = None) -> str:
        """Return the page of the rows with these findings, self-contained, and write it to ``path`` where one is given."""
        return page_of("diagnosis_html", self, path)

    def _repr_html_(self) -> str:
        return framed(self.to_html(), "diagnosis")

    @staticmethod
    def _told(finding: Finding) -> list[str]:
        because = f" It follows from {finding.because}." if finding.because else ""
        return [
            f"{finding.shown}.",
            f"Seen in {finding.source}: {finding.evidence}.",
            f"It means that {finding.meaning}.{because}",
            f"Fix: {finding.fix}.",
        ]

    def __str__(self) -> str:
        lines = [self.verdict, ""]
        for finding in self.findings:
            of = f" of {one_line(finding.model)}" if len(self.losses) > 1 else ""
            if finding.severity == "info":
                lines += [f"{finding.id} info{of}: {finding.title[0].lower()}{finding.title[1:]}; {_small(finding)}", ""]
                continue
            lines += [
                f"{finding.id} {finding.severity}{of}: {finding.title}",
                *(f"    {text}" for text in self._told(finding)),
                f"    >>> {finding.code}",
                "",
            ]
        lines += self.advice
        tested = {identity for passed in self.passed.values() for identity in passed}
        if tested:
            lines += ["", f"Passed: {', '.join(sorted(tested))}."]
        if self.not_testable:
            reasons: dict[str, list[str]] = {}
            for identity, reason in self.not_testable.items():
                reasons.setdefault(reason, []).append(identity)
            lines += ["Not testable: " + "; ".join(f"{', '.join(identities)} ({reason})" for reason, identities in reasons.items()) + "."]
        return "\n".join(lines)

    __repr__ = __str__


def _small(finding: Finding) -> str:
    """Say why there is no warning."""
    return f"it follows from {finding.because}" if finding.because else f"{finding.evidence}. {finding.fix[0].upper()}{finding.fix[1:]}"


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
