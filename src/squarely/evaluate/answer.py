"""What an evaluation says: answers, and where the numbers come from."""

from collections.abc import Mapping
from dataclasses import dataclass

from squarely.intervals import Interval
from squarely.state.table import GroupKey

__all__ = ["Answer", "Provenance"]


@dataclass(frozen=True)
class Provenance:
    """Where the numbers come from."""

    source: str
    rows: int
    target: str
    predictions: tuple[str, ...]
    weight: str | None
    by: tuple[str, ...]
    nan_policy: str
    digest: str
    version: str


@dataclass(frozen=True)
class Answer:
    """One metric of one model.

    ``value`` is nan where there is none, and ``reason`` says why; ``n`` rows are in it, a share ``coverage`` of those that count.
    ``by`` has the same for every group. ``se`` and ``ci``, its standard error and interval, are nan where there is none; ``doubt`` says
    why, or why an interval is doubtful.
    """

    value: float
    reason: str | None
    n: int
    coverage: float
    by: "Mapping[GroupKey, Answer]"
    interval: Interval

    @property
    def se(self) -> float:
        """The standard error."""
        return self.interval.se

    @property
    def ci(self) -> tuple[float, float]:
        """The confidence interval."""
        return self.interval.low, self.interval.high

    @property
    def doubt(self) -> str | None:
        """Why there is no interval, or why it is doubtful."""
        return self.interval.note

    def __float__(self) -> float:
        return self.value
