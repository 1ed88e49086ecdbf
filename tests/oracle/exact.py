"""Rows as rational numbers, and the little arithmetic that definitions need."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np

BITS = 2500  # far more than any cancellation here can use up
Exact = Fraction | mpmath.mpf


def column(values: Any) -> list[Fraction]:
    """Every element of an array or sequence as the rational number that it is."""
    return [rational(value) for value in np.asarray(values).tolist()]


def rational(value: float | bool) -> Fraction:
    """A number of a column as a rational."""
    return Fraction(int(value)) if isinstance(value, (bool, int)) else Fraction(*float(value).as_integer_ratio())


def decimal(level: float) -> Fraction:
    """A level as the decimal that was written: 0.9 is nine tenths, not the double near it."""
    return Fraction(repr(float(level)))


def double(value: Fraction) -> Fraction:
    """A rational rounded to a double; as it is where no double is so large."""
    try:
        return Fraction(float(value))
    except OverflowError:
        return value


@dataclass(frozen=True)
class Rows:
    """Targets, predictions, weights and further columns as rationals."""

    y: list[Fraction]
    p: list[Fraction]
    w: list[Fraction]
    columns: Mapping[str, list[Fraction]] = field(default_factory=dict)

    @classmethod
    def of(cls, y: Any, p: Any, w: Any = None, columns: Mapping[str, Any] | None = None) -> Rows:
        """Read arrays; rows of weight 0 are no rows."""
        kept = [True] * len(y) if w is None else [weight != 0 for weight in column(w)]

        def read(values: Any) -> list[Fraction]:
            return [value for value, keep in zip(column(values), kept, strict=True) if keep]

        more = {name: read(np.broadcast_to(values, np.shape(y))) for name, values in (columns or {}).items()}
        return cls(read(y), read(p), [Fraction(1)] * len(y) if w is None else read(w), more)

    def mean(self, terms: Iterable[Fraction]) -> Fraction:
        """The weighted mean of one term per row."""
        total = total_of(w * term for w, term in zip(self.w, terms, strict=True))
        return total / total_of(self.w)

    @property
    def errors(self) -> list[Fraction]:
        """Prediction minus target."""
        return [p - y for y, p in zip(self.y, self.p, strict=True)]

    def variance(self, values: Sequence[Fraction]) -> Fraction:
        """The population variance."""
        return self.covariance(values, values)

    def covariance(self, left: Sequence[Fraction], right: Sequence[Fraction]) -> Fraction:
        """The population covariance."""
        a, b = self.mean(left), self.mean(right)
        return self.mean((x - a) * (z - b) for x, z in zip(left, right, strict=True))

    def under(self, prediction: Sequence[Fraction]) -> Rows:
        """The same rows under other predictions."""
        return Rows(self.y, list(prediction), self.w, self.columns)

    def without_first(self, step: int) -> Rows:
        """The rows after the first ``step``."""
        return Rows(self.y[step:], self.p[step:], self.w[step:])


def total_of(terms: Iterable[Fraction]) -> Fraction:
    """The sum."""
    return sum(terms, Fraction(0))


def real(value: Exact) -> mpmath.mpf:
    """A rational as a real number of `BITS` bits."""
    with mpmath.workprec(BITS):
        return mpmath.mpf(value.numerator) / value.denominator if isinstance(value, Fraction) else value


def root(value: Exact) -> mpmath.mpf:
    """The square root."""
    with mpmath.workprec(BITS):
        return mpmath.sqrt(real(value))


def ratio(top: Exact | None, bottom: Exact | None) -> Exact | None:
    """A quotient, undefined where the divisor is 0 or a part is undefined."""
    if top is None or bottom is None or bottom == 0:
        return None
    if isinstance(top, Fraction) and isinstance(bottom, Fraction):
        return top / bottom
    with mpmath.workprec(BITS):
        return real(top) / real(bottom)


def less(value: Exact | None) -> Exact | None:
    """One less a value."""
    with mpmath.workprec(BITS):
        return None if value is None else 1 - value


def mean_of(rows: Rows, terms: Sequence[Exact | None]) -> Exact | None:
    """The weighted mean of terms, undefined where one of them is."""
    if any(term is None for term in terms):
        return None
    if all(isinstance(term, Fraction) for term in terms):
        return rows.mean(terms)
    with mpmath.workprec(BITS):
        total = sum((real(w) * real(term) for w, term in zip(rows.w, terms, strict=True)), mpmath.mpf(0))
        return total / real(total_of(rows.w))
