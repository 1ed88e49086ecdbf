"""What was found in the data and the predictions beyond the numbers: what it means, and what to do about it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from squarely.report.report import one_line

__all__ = ["SEVERITIES", "Finding"]

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

    @property
    def parts(self) -> tuple[tuple[str, str], ...]:
        """What there is to say, in the order in which it is read, each with its word."""
        said = (("Effect", self.effect), ("Evidence", self.evidence), ("Meaning", self.meaning), ("What to do", self.fix))
        return tuple((word, text) for word, text in said if text)

    @property
    def about(self) -> str:
        """The title, and the model that it is about."""
        title = one_line(self.title, 200)
        return f"{title} ({one_line(self.model)})" if self.model else title

    @property
    def code_lines(self) -> tuple[str, ...]:
        """The lines of the code, none of which can forge a line or a terminal."""
        return tuple(one_line(line, 400) if line.strip() else "" for line in self.code.strip("\n").splitlines())

    def to_dict(self) -> dict[str, Any]:
        """Return the finding as JSON holds it."""
        return asdict(self)
