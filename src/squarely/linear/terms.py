"""Terms: the features that are made of columns, such as powers and products, in doubled precision."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from numbers import Integral
from operator import mul
from typing import Any, Protocol

import numpy as np

from squarely.errors import DataError
from squarely.linear.doubled import Doubled, Doubles, two_sum
from squarely.state import Feature
from squarely.validate import Category

__all__ = [
    "Indicators",
    "Parts",
    "Term",
    "category",
    "columns_of",
    "feature_slots",
    "inputs_of",
    "interaction",
    "made",
    "monomial",
    "poly",
    "terms_of",
]

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


def monomial(*columns: str) -> Term:
    """Return one column as it is, or the product of several, which may be the same: its square is that of x and x."""
    return Itself(columns[0]) if len(columns) == 1 else Product(columns)


@dataclass(frozen=True)
class Indicators:
    """A category: a feature for each of its levels, 1 or the product of numbers in its rows and 0 in all others."""

    feature: Category
    columns: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """A name such as colour or colour:x; its levels are known when the rows are."""
        return (self.feature.name,)

    def features(self, columns: Sequence[Parts]) -> list[Parts]:
        """Return the product of numbers, where there are any; rows say which level it belongs to."""
        if len(columns) < 2:
            return list(columns)
        return Product(self.columns).features(columns)


def category(column: str, *, reference: Any = None) -> Indicators:
    r"""Return a column of text, whole numbers or categories as indicators of its levels: :math:`[c = k]` for each level k.

    Levels are found as rows are read, states with other levels add, and one level, the reference, has no column: the coefficients of the
    others are differences from it. Text columns are taken so without being asked. Do not use it for a name that each row has for itself.

    Parameters
    ----------
    column : str
    reference : level, optional
        The first where none is named: of those written as numbers the smallest, else the first by its letters.

    Examples
    --------
    >>> from squarely.linear import LinearRegression, category
    >>> data = {"colour": ["red", "blue", "red", "green"], "y": [3.0, 1.0, 5.0, 2.0]}
    >>> model = LinearRegression(features=[category("colour", reference="red")]).fit(data, "y")
    >>> model.equations_.features, model.coef_.tolist(), model.intercept_
    (('colour[blue]', 'colour[green]'), [-3.0, -2.0], 4.0)
    """
    if not isinstance(column, str):
        raise DataError(f"category({column!r}) is not of the name of a column. Name one, as category('c'); of an array the columns are x0, x1, ...")
    return Indicators(Category(column, None if reference is None else str(reference)))


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
    if not isinstance(degree, Integral) or degree < 1:
        raise DataError(f"the degree of poly({column!r}, {degree!r}) is no whole number of at least 1. Give one, as poly({column!r}, 2).")
    return Powers(column, int(degree))


def interaction(*columns: str | Indicators) -> Term:
    """Return the product of columns as a feature, named a:b; with a category it is one for each level, named a[level]:b.

    Examples
    --------
    >>> interaction("a", "b").names
    ('a:b',)
    >>> from squarely.linear import gram
    >>> data = {"c": ["u", "v", "u", "v"], "x": [1.0, 1.0, 2.0, 3.0], "y": [1.0, 3.0, 2.0, 9.0]}
    >>> gram(data, target="y", features=[interaction(category("c"), "x")]).features
    ('c[u]:x', 'c[v]:x')
    """
    if len(columns) < 2:
        raise DataError(f"interaction({', '.join(map(repr, columns))}) has fewer than two columns. Name those to multiply, as interaction('a', 'b').")
    other = next((each for each in columns if not isinstance(each, str | Indicators)), None)
    if other is not None:
        raise DataError(f"interaction() multiplies columns, and {str(other)[:60]!r} is none. Name columns, as interaction('a', 'a', 'b') for a^2 b.")
    numbers = tuple(each for each in columns if isinstance(each, str))
    categories = [each.feature for each in columns if isinstance(each, Indicators)]
    if len(categories) > 1:
        names = " and ".join(repr(each.column) for each in categories)
        raise DataError(f"interaction has several categories, {names}; expected one at most. Write their pairs as one column first.")
    return Indicators(categories[0]._replace(times=":".join(numbers)), numbers) if categories else Product(numbers)


def terms_of(features: Any, columns: Iterable[Feature], categories: Collection[str] = ()) -> tuple[Term, ...]:
    """Return the terms that are asked for; None asks for every column as it is, and those of ``categories`` are taken as such."""
    one = isinstance(features, str | Category) or hasattr(features, "features")
    asked = list(columns) if features is None else [features] if one else list(features)
    terms = tuple(_term(each, categories) for each in asked)
    names = [name for term in terms for name in term.names]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise DataError(f"the feature {twice!r} is asked for twice. Name each once: poly(x, 2) has x and x^2.")
    return terms


def _term(asked: Any, categories: Collection[str]) -> Term:
    if isinstance(asked, Category):
        return Indicators(asked, () if asked.times is None else (asked.times,))
    if isinstance(asked, str):
        return category(asked) if asked in categories else Itself(asked)
    if isinstance(asked, Product | Indicators) and any(column in categories for column in asked.columns):
        first = (asked,) if isinstance(asked, Indicators) else ()
        return interaction(*first, *(category(column) if column in categories else column for column in asked.columns))
    if not hasattr(asked, "features"):
        raise DataError(f"features has {str(asked)[:60]!r}, which is no name and no term. Name columns; of an array they are 'x0', 'x1', ...")
    term: Term = asked
    return term


def feature_slots(terms: Sequence[Term]) -> tuple[Feature, ...]:
    """Return what a state has for terms: names, and categories whose levels it finds."""
    return tuple(slot for term in terms for slot in ((term.feature,) if isinstance(term, Indicators) else term.names))


def inputs_of(terms: Sequence[Term]) -> tuple[str, ...]:
    """Return the columns that are read, of numbers and of categories, each once."""
    return tuple(dict.fromkeys(name for term in terms for name in (*_own(term), *term.columns)))


def _own(term: Term) -> tuple[str, ...]:
    return (term.feature.column,) if isinstance(term, Indicators) else ()


def columns_of(terms: Sequence[Term]) -> tuple[str, ...]:
    """Return the columns of numbers that are read, each once."""
    return tuple(dict.fromkeys(name for term in terms for name in term.columns))


def made(terms: Sequence[Term], columns: Mapping[str, Parts]) -> list[Parts]:
    """Return the features of rows."""
    with np.errstate(over="ignore", invalid="ignore"):  # what overflows is refused by name
        return [feature for term in terms for feature in term.features([columns[name] for name in term.columns])]


def _doubled(parts: Parts) -> Doubled:
    return Doubled(*two_sum(*parts)) if len(parts) == 2 else Doubled(parts[0], np.zeros_like(parts[0]))


def _parts(feature: Doubled, name: str) -> Parts:
    if not np.isfinite(feature.high + feature.low).all():
        raise DataError(f"the feature {name[:60]!r} is beyond the largest double. Scale its columns first.")
    return feature.high, feature.low
