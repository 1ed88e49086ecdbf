"""What was found in the data and the predictions beyond the numbers: what it means, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from squarely.diagnose import Diagnosis, diagnose
from squarely.diagnose import Finding as Found
from squarely.evaluate import Evaluation
from squarely.report.report import one_line

__all__ = ["SEVERITIES", "Finding", "diagnosed", "findings_of", "not_testable"]

_MOST_DIAGNOSED = 12  # models
SEVERITIES = ("serious", "warning", "info")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a reader should know before the numbers are used.

    Parameters
    ----------
    id : str
        What it is called in the documentation, such as "SQ007".
    title : str
    severity : "serious", "warning" or "info"
    model : str
        The model it is about; empty where it is about the data.
    effect, evidence, meaning, fix : str
        How much it matters, how it is known, what follows from it, and what to do.
    code : str
        Lines that do it.
    source : str
        Where this can be read up.
    """

    id: str
    title: str
    severity: str
    model: str = ""
    effect: str = ""
    evidence: str = ""
    meaning: str = ""
    fix: str = ""
    code: str = ""
    source: str = ""

    @classmethod
    def of(cls, found: Sequence[Found]) -> Finding:
        """Write down what a check found in one model or several, of which the first is told whole."""
        first, several = found[0], len(found) > 1
        follows = f" It follows from {first.because}." if first.because else ""
        lead = f"{one_line(first.model)}: " if several else ""
        others = "; ".join(f"{one_line(each.model)} {each.amount}" for each in found[1:])
        return cls(
            id=first.id,
            title=first.title,
            severity=first.severity,
            model=", ".join(one_line(each.model) for each in found),
            effect=f"{lead}{first.shown}{f'; {others}' if several else ''}",
            evidence=f"{lead}seen in {first.source}: {first.evidence}",
            meaning=f"{lead}{first.meaning}.{follows}",
            fix=first.fix,
            code=first.code,
        )

    @property
    def parts(self) -> tuple[tuple[str, str], ...]:
        """What there is to say, in the order in which it is read, each with its word."""
        said = (("Effect", self.effect), ("Evidence", self.evidence), ("Meaning", self.meaning), ("What to do", self.fix))
        return tuple((word, text) for word, text in said if text)

    @property
    def about(self) -> str:
        """The title, and the model that it is about."""
        title = one_line(self.title, 200)
        return f"{title} ({one_line(self.model, 200)})" if self.model else title

    @property
    def code_lines(self) -> tuple[str, ...]:
        """The lines of the code, none of which can forge a line or a terminal."""
        return tuple(one_line(line, 400) if line.strip() else "" for line in self.code.strip("\n").splitlines())

    def to_dict(self) -> dict[str, Any]:
        """Return the finding as JSON holds it."""
        return asdict(self)


def findings_of(found: Iterable[Found]) -> tuple[Finding, ...]:
    """Write down what was found, the same in several models once."""
    alike: dict[tuple[str, str, str], list[Found]] = {}
    for each in found:
        alike.setdefault((each.severity, each.id, each.fix), []).append(each)
    return tuple(map(Finding.of, alike.values()))


def not_testable(diagnosis: Diagnosis) -> tuple[tuple[str, str], ...]:
    """Return the names of checks that could not be asked, and why, those of one reason together."""
    names: dict[str, list[str]] = {}
    for identity, reason in diagnosis.not_testable.items():
        names.setdefault(reason, []).append(identity)
    return tuple((", ".join(identities), reason) for reason, identities in names.items())


def diagnosed(evaluation: Evaluation) -> Diagnosis | None:
    """Return what the checks find in what an evaluation holds; None where its errors are not known, or models are too many."""
    known = any(state.n for state in evaluation.states.values())
    propagated = evaluation.provenance.nan_policy == "propagate" and any(any(state.refused) for state in evaluation.states.values())
    return diagnose(evaluation) if known and not propagated and len(evaluation.models) <= _MOST_DIAGNOSED else None
