"""Finding and check: what is wrong, how much, what it means for the squared error, and what mends it."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from squarely.plain import number

__all__ = ["CHECKS", "CannotTestError", "Check", "Finding", "Outcome", "check", "ends_of"]

ALL_ROWS = "all rows"


class CannotTestError(Exception):
    """The evidence does not hold what a check needs; the text says what to give."""


@dataclass(frozen=True)
class Outcome:
    """What a check measured, whether that is too much or not.

    ``effect`` is compared with the threshold of the check, ``low`` and ``high`` are its interval (nan where there is none), and
    ``p_value`` is the probability of so much by chance (nan where nothing is left to chance). ``numbers`` are the statistics by name.
    ``told`` says them in a sentence, ``meaning`` what they mean for this squared error, ``fix`` what to do, and ``code`` a line that
    does it. ``gain`` is the share of the mean squared error, or of the rows, that is at stake: it ranks findings.
    """

    effect: float
    told: str
    meaning: str
    fix: str
    code: str
    low: float = math.nan
    high: float = math.nan
    p_value: float = math.nan
    gain: float = 0.0
    numbers: dict[str, float] = field(default_factory=dict)
    source: str = ALL_ROWS


@dataclass(frozen=True)
class Check:
    """One question to the errors.

    Parameters
    ----------
    id : str
        Stable, as ``SQ007``.
    title : str
        What is wrong where it fires.
    measure : str
        What the effect is.
    threshold : float
        From where on the effect matters in practice, whatever its p-value.
    serious : float
        From where on it is serious.
    told : float
        From where on it is told, though not as a warning; infinite where that is no use.
    first : int
        Checks that explain others come first: 0 for faults of the data, then up.
    explains : tuple of str
        Checks whose findings follow from this one, and are then told as its consequences.
    function : callable
        From the evidence to the outcome.
    """

    id: str
    title: str
    measure: str
    threshold: float
    serious: float
    told: float
    first: int
    explains: tuple[str, ...]
    function: Callable[[Any], Outcome]

    def severity(self, outcome: Outcome, p_adjusted: float) -> str | None:
        """Return how severe an outcome is, or None where there is nothing to tell; a p-value guards against few rows."""
        if not math.isnan(outcome.p_value) and not p_adjusted < 0.05:
            return None
        if not outcome.effect > self.threshold:
            return "info" if outcome.effect > self.told else None
        return "serious" if outcome.effect > self.serious else "warning"


def ends_of(effect: float, se: float, most: float = 1.0) -> tuple[float, float]:
    """Return the interval of an effect between 0 and what it can be at most, from its standard error; nan where that is not known."""
    return (math.nan, math.nan) if math.isnan(se) else (max(0.0, effect - 1.96 * se), min(most, max(0.0, effect + 1.96 * se)))


CHECKS: dict[str, Check] = {}


def check(
    identity: str,
    title: str,
    measure: str,
    threshold: float,
    serious: float,
    first: int,
    explains: tuple[str, ...] = (),
    told: float = math.inf,
    registry: dict[str, Check] = CHECKS,
) -> Callable[[Callable[[Any], Outcome]], Callable[[Any], Outcome]]:
    """Register a function of some evidence as a check of errors, or of fits; its docstring is its page in the documentation."""

    def register(function: Callable[[Any], Outcome]) -> Callable[[Any], Outcome]:
        registry[identity] = Check(identity, title, measure, threshold, serious, told, first, explains, function)
        return function

    return register


@dataclass(frozen=True)
class Finding:
    """What a check found in the errors of one model.

    ``severity`` is "serious", "warning", or "info" for what follows from another finding or is too little to warn of. The effect has its
    interval (nan where there is none) and the threshold from where on it matters.

    Examples
    --------
    >>> import squarely as sq
    >>> finding = sq.diagnose([1.0, 2.0, 4.0, 3.0] * 10, [2.0, 3.0, 4.5, 4.0] * 10).findings[0]
    >>> finding.id, finding.severity, round(finding.effect, 2)
    ('SQ001', 'serious', 0.94)
    """

    id: str
    title: str
    severity: str
    model: str
    measure: str
    effect: float
    low: float
    high: float
    threshold: float
    p_value: float
    evidence: str
    meaning: str
    fix: str
    code: str
    source: str
    gain: float = 0.0
    because: str | None = None

    @property
    def amount(self) -> str:
        """The effect with its interval."""
        value, low, high = (number(float(f"{each:.3g}")) for each in (self.effect, self.low, self.high))
        return value if math.isnan(self.low + self.high) else f"{value} ({low} to {high})"

    @property
    def shown(self) -> str:
        """The effect with its interval and from where on it matters, in words."""
        return f"{self.measure}: {self.amount}, from {number(self.threshold)} on it matters"
