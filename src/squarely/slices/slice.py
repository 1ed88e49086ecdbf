"""Slice and Unjudged: some of the rows, and how a model does there."""

from dataclasses import dataclass
from fractions import Fraction

from squarely.plain import one_line

__all__ = ["Slice", "Unjudged", "percent"]


def percent(share: float) -> str:
    """Write a share for a reader."""
    return "-" if share != share else f"{100 * share:.3g} %" if share >= 0.001 else "< 0.1 %" if share else "0 %"


@dataclass(frozen=True)
class Slice:
    """The rows that have one value, or lie in one bin, of a column or of each of two.

    ``value`` is the metric there and ``rest`` that of all other rows; ``se`` its standard error, ``ci`` an interval that holds for all
    slices together, and ``shrunken`` the value drawn towards that of all rows. ``p_value`` is that of being no worse than the
    other rows, ``p_adjusted`` holds for all slices together (Holm), and ``worse`` says whether the slice is proved to be worse. ``row_share``
    and ``error_share`` are its shares of the rows, by weight, and of the squared error; ``squared_error`` is the exact sum, in the unit
    of the target squared.
    """

    columns: tuple[str, ...]
    labels: tuple[str, ...]
    n: int
    coverage: float
    value: float
    se: float
    ci: tuple[float, float]
    shrunken: float
    rest: float
    p_value: float
    p_adjusted: float
    worse: bool
    row_share: float
    error_share: float
    squared_error: Fraction
    doubt: str | None

    @property
    def where(self) -> str:
        """Which rows they are, in words on one line."""
        return " and ".join(f"{one_line(column)} is {one_line(label)}" for column, label in zip(self.columns, self.labels, strict=True))


@dataclass(frozen=True)
class Unjudged:
    """Slices of a column, or of two, that are not judged, all together; the fields are those of a slice.

    Values of too few rows are crossed with another column as if they were one value.
    """

    columns: tuple[str, ...]
    count: int
    reason: str
    n: int
    row_share: float
    error_share: float
    squared_error: Fraction
