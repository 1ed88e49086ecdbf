"""Terms: the features that are made of columns, such as powers and products, in doubled precision."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import mul
from typing import Any, Protocol

import numpy as np

from squarely.errors import DataError
from squarely.linear.doubled import Doubled, Doubles, two_sum
from squarely.validate import Design

__all__ = ["Parts", "Term", "columns_of", "designed", "interaction", "made", "names_of", "poly", "terms_of"]

Parts = tuple[Doubles, ...]  # a column is the exact sum of these


class Term(Protocol):
    """Features that are made of columns, row by row."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it reads."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the features it makes."""

    def features(self, columns: Sequence[Parts]) -> list[Parts]:
        """Return the features of its columns."""


@dataclass(frozen=True)
class Itself:
    """A column as it is."""

    column: str

    @property
    def columns(self) -> tuple[str, ...]:
        """The column."""
        return (self.column,)

    @property
    def names(self) -> tuple[str, ...]:
        """Its own name."""
        return (self.column,)

    def features(self, columns: Sequence[Parts]) -> list[Parts]:
        """Return the column."""
        return list(columns)


@dataclass(frozen=True)
class Powers:
    """A column to the powers 1 to degree."""

    column: str
    degree: int

    @property
    def columns(self) -> tuple[str, ...]:
        """The column."""
        return (self.column,)

    @property
    def names(self) -> tuple[str, ...]:
        """Names such as x, x^2, x^3."""
        return (self.column, *(f"{self.column}^{power}" for power in range(2, self.degree + 1)))

    def features(self, columns: Sequence[Parts]) -> list[Parts]:
        """Return the powers; each is right to about 2^-100."""
        x = _doubled(columns[0])
        powers = [x]
        for _ in range(1, self.degree):
            powers.append(powers[-1] * x)
        return [columns[0], *(_parts(power, name) for power, name in zip(powers[1:], self.names[1:], strict=True))]


@dataclass(frozen=True)
class Product:
    """The product of columns."""

    columns: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """A name such as a:b."""
        return (":".join(self.columns),)

    def features(self, columns: Sequence[Parts]) -> list[Parts]:
        """Return the product."""
        return [_parts(reduce(mul, map(_doubled, columns)), self.names[0])]


def poly(column: str, degree: int) -> Term:
    r"""Return the powers of a column as features: :math:`x, x^2, \dots, x^k`.

    They are formed with 32 digits. Rounded to doubles they would move the solution: on NIST's Filip, of degree 10, to 8 digits of the 14 there are.

    Examples
    --------
    >>> from squarely.linear import LinearRegression, poly
    >>> model = LinearRegression(features=[poly("x", 2)]).fit({"x": [0.0, 1.0, 2.0, 3.0], "y": [1.0, 0.0, 1.0, 4.0]}, "y")
    >>> model.intercept_, model.coef_.tolist()
    (1.0, [-2.0, 1.0])
    """
    if not isinstance(degree, int) or degree < 1:
        raise DataError(f"the degree of poly({column!r}, {degree!r}) is no whole number of at least 1. Give one, as poly({column!r}, 2).")
    return Powers(column, degree)


def interaction(*columns: str) -> Term:
    """Return the product of columns as a feature, named a:b.

    Examples
    --------
    >>> interaction("a", "b").names
    ('a:b',)
    """
    if len(columns) < 2:
        raise DataError(f"interaction({', '.join(map(repr, columns))}) has fewer than two columns. Name those to multiply, as interaction('a', 'b').")
    return Product(columns)


def terms_of(features: Any, columns: Iterable[str]) -> tuple[Term, ...]:
    """Return the terms that are asked for; None asks for every column as it is."""
    asked = list(columns) if features is None else [features] if isinstance(features, str) or hasattr(features, "features") else list(features)
    terms = tuple(Itself(each) if isinstance(each, str) else each for each in asked)
    names = names_of(terms)
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise DataError(f"the feature {twice!r} is asked for twice. Name each once: poly(x, 2) has x and x^2.")
    return terms


def names_of(terms: Sequence[Term]) -> tuple[str, ...]:
    """Return the names of all features."""
    return tuple(name for term in terms for name in term.names)


def columns_of(terms: Sequence[Term]) -> tuple[str, ...]:
    """Return the columns that are read, each once."""
    return tuple(dict.fromkeys(name for term in terms for name in term.columns))


def made(terms: Sequence[Term], columns: Mapping[str, Parts]) -> list[Parts]:
    """Return the features of rows."""
    with np.errstate(over="ignore", invalid="ignore"):  # what overflows is refused by name
        return [feature for term in terms for feature in term.features([columns[name] for name in term.columns])]


def designed(terms: Sequence[Term], rows: Design) -> Design:
    """Return the features that terms make of rows of named columns."""
    known = rows.names or tuple(f"x{at}" for at in range(rows.columns))
    missing = next((name for name in columns_of(terms) if name not in known), None)
    if missing is not None:
        raise DataError(f"X has no column {missing[:60]!r}; it has {', '.join(map(repr, known[:10]))}. Name one of these.")

    def read(part: slice) -> list[Parts]:
        return made(terms, dict(zip(known, rows.read(part), strict=True)))

    names = names_of(terms)
    return Design(names, len(names), rows.rows, read)


def _doubled(parts: Parts) -> Doubled:
    return Doubled(*two_sum(*parts)) if len(parts) == 2 else Doubled(parts[0], np.zeros_like(parts[0]))


def _parts(feature: Doubled, name: str) -> Parts:
    if not np.isfinite(feature.high + feature.low).all():
        raise DataError(f"the feature {name!r} is beyond the largest double. Scale its columns first.")
    return feature.high, feature.low
