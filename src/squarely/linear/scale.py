"""Places on a scale of numbers or of time, in whole steps from its origin, exactly."""

import datetime
import math
import numbers
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from squarely.errors import DataError
from squarely.sources import Key

__all__ = ["Scale"]

_DATE = re.compile(r"(\d{4}-\d\d-\d\d(?:[T ][\d:.]+)?)(Z|[+-]\d\d:\d\d)?")
_MICROSECOND = np.timedelta64(1, "us")


@dataclass(frozen=True)
class Scale:
    """Steps of a column from 0, or from the beginning of 1970: of numbers, or of microseconds where there are dates."""

    step: Fraction
    dates: bool

    @classmethod
    def of(cls, length: Any, step: Any) -> tuple["Scale", int]:
        """Return the scale of steps, and how many of them a length has."""
        lengths = [_length(length), _length(length if step is None else step)]
        (whole, dates), (part, also_dates) = ((Fraction(0), False) if each is None else each for each in lengths)
        if not 0 < part <= whole or dates != also_dates or whole % part:
            raise DataError(
                f"length={length!r} and step={step!r} make no windows; expected two numbers or two durations (timedelta) above 0, "
                "in whole microseconds, and length a multiple of step."
            )
        return cls(part, dates), int(whole / part)

    def places(self, labels: Sequence[Key], zoned: set[bool], refused: Callable[[int, str], DataError]) -> list[int]:
        """Return in which step each label lies.

        ``zoned`` has whether the dates seen so far have an offset from UTC; ``refused`` makes an error of the number of a label and of what was
        expected.
        """
        found = []
        for at, label in enumerate(labels):
            ticks = self._moment(label, zoned) if self.dates else _number(label)
            if ticks is None or len(zoned) > 1:
                expected = "dates, all with an offset from UTC or all without, as length is a duration"
                raise refused(at, expected if self.dates else "finite numbers, as length is one; a duration (timedelta) goes with dates")
            found.append(int(ticks // self.step))
        return found

    def start(self, place: int) -> Any:
        """Return where a step begins: an integer where steps are whole, a float, or a datetime64."""
        first = place * self.step
        if self.dates:
            return np.datetime64(int(first), "us")
        return int(first) if self.step.denominator == 1 else float(first)

    @staticmethod
    def _moment(label: Key, zoned: set[bool]) -> Fraction | None:
        """Return the microseconds of a date since 1970, in UTC where it has an offset; of what is finer, the whole ones."""
        written = _DATE.fullmatch(label) if isinstance(label, str) else None
        if written is None:
            return None
        zoned.add(written[2] is not None)
        try:
            moment = np.datetime64(written[1], "us")
        except ValueError:
            return None
        offset = written[2] if written[2] not in (None, "Z") else "+00:00"
        minutes = int(offset[0] + "1") * (60 * int(offset[1:3]) + int(offset[4:]))
        return Fraction(int(moment.astype(np.int64)) - 60_000_000 * minutes)


def _number(label: Key) -> Fraction | None:
    return Fraction(label) if isinstance(label, int | float) and not isinstance(label, bool) and math.isfinite(label) else None


def _length(given: Any) -> tuple[Fraction, bool] | None:
    """Return a number, or the microseconds of a duration; None for what is neither, such as a month, which has no one length."""
    exact = given.to_timedelta64() if hasattr(given, "to_timedelta64") else given
    if isinstance(exact, datetime.timedelta):
        return Fraction(exact // datetime.timedelta(microseconds=1)), True
    if isinstance(exact, np.timedelta64):
        whole = np.datetime_data(exact.dtype)[0] not in ("Y", "M", "generic") and not exact % _MICROSECOND
        return (Fraction(int(exact // _MICROSECOND)), True) if whole else None
    if isinstance(exact, numbers.Real) and not isinstance(exact, bool | np.bool_) and math.isfinite(exact):
        return Fraction(exact if isinstance(exact, numbers.Rational) else float(exact)), False
    return None
