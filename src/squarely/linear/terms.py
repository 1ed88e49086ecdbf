"""Terms: the features that are made of columns, such as powers and products, in doubled precision."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from numbers import Integral
from operator import mul
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from squarely.errors import DataError
from squarely.linear.doubled import Doubled, Doubles, two_sum
from squarely.state import Feature
from squarely.validate import Category, Missing

__all__ = [
    "Indicators",
    "Itself",
    "Parts",
    "Term",
    "categories_of",
    "category",
    "columns_of",
    "doubled",
    "feature_slots",
    "inputs_of",
    "interaction",
    "made",
    "poly",
    "product",
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
        x = doubled(columns[0])
        powers = [x]
        for _ in range(1, self.degree):
            powers.append(powers[-1] * x)
        return [columns[0], *(_parts(power, name) for power, name in zip(powers[1:], self.names[1:], strict=True))]


@dataclass(frozen=True)
class Product:
    """The product of terms of one feature each; with categories among them it stands for ``crossing``, which ``terms_of`` puts in its place."""

    factors: tuple[Term, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of its factors, one after the other."""
        return tuple(column for factor in self.factors for column in factor.columns)

    @property
    def names(self) -> tuple[str, ...]:
        """A name such as a:b."""
        return (":".join(name for factor in self.factors for name in factor.names),)

    def features(self, columns: Sequence[Parts]) -> list[Parts]:
        """Return the product."""
        coming = iter(columns)
        values = [factor.features([next(coming) for _ in factor.columns])[0] for factor in self.factors]
        return [_parts(reduce(mul, map(doubled, values)), self.names[0])]


def product(factors: Iterable[Term]) -> Term:
    """Return the product of terms of one feature each, which may be the same: the square of x is that of x and x."""
    flat = tuple(each for factor in factors for each in (factor.factors if isinstance(factor, Product) else (factor,)))
    return flat[0] if len(flat) == 1 else Product(flat)


@dataclass(frozen=True)
class Indicators:
    """A category: a feature for each of its levels, 1 or a number in its rows and 0 in all others."""

    feature: Category
    factor: Term | None = None  # what makes the number

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the number."""
        return () if self.factor is None else self.factor.columns

    @property
    def names(self) -> tuple[str, ...]:
        """A name such as colour, colour:size or colour:x; its levels are known when the rows are."""
        return (self.feature.name,)

    def features(self, columns: Sequence[Parts]) -> list[Parts]:
        """Return the number, where there is one; rows say which level it belongs to."""
        return [] if self.factor is None else self.factor.features(columns)


def crossing(categories: Sequence[Category], numbers: Sequence[Term]) -> Indicators:
    """Return categories together, times numbers where there are any."""
    factor = product(numbers) if numbers else None
    columns = tuple(column for each in categories for column in each.columns)
    twice = next((column for column in columns if columns.count(column) > 1), None)
    if twice is not None:
        raise DataError(f"the category {twice[:60]!r} is multiplied with itself, which is the category again. Name it once.")
    references = tuple(reference for each in categories for reference in each.references)
    return Indicators(Category(columns, references, None if factor is None else ":".join(factor.names)), factor)


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
    return Indicators(Category((column,), (None if reference is None else str(reference),)))


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
    """Return the product of columns as a feature, named a:b; of categories it is one for each of their levels that rows have together.

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
    return product(Itself(each) if isinstance(each, str) else each for each in columns)


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
        return Indicators(asked, None if asked.times is None else Itself(asked.times))
    if isinstance(asked, str | Itself):
        column = asked if isinstance(asked, str) else asked.column
        return category(column) if column in categories else Itself(column)
    if isinstance(asked, Product):
        factors = [_term(each, categories) for each in asked.factors]
        labels = [each.feature for each in factors if isinstance(each, Indicators)]
        return crossing(labels, [each for each in factors if not isinstance(each, Indicators)]) if labels else asked
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


def categories_of(terms: Sequence[Term]) -> tuple[str, ...]:
    """Return the columns of labels that are read, each once."""
    return tuple(dict.fromkeys(name for term in terms for name in _own(term)))


def _own(term: Term) -> tuple[str, ...]:
    return term.feature.columns if isinstance(term, Indicators) else ()


def columns_of(terms: Sequence[Term]) -> tuple[str, ...]:
    """Return the columns of numbers that are read, each once."""
    return tuple(dict.fromkeys(name for term in terms for name in term.columns))


def made(terms: Sequence[Term], columns: Mapping[str, Parts], left_out: Missing = None) -> list[Parts]:
    """Return the features of rows; those of rows that are left out are 0."""
    if left_out is not None:
        whole = {name: tuple(part[~left_out] for part in parts) for name, parts in columns.items()}
        return [tuple(_spread(part, ~left_out) for part in parts) for parts in made(terms, whole)]
    with np.errstate(all="ignore"):  # what is no number is refused by name
        return [feature for term in terms for feature in term.features([columns[name] for name in term.columns])]


def _spread(values: Doubles, rows: npt.NDArray[np.bool_]) -> Doubles:
    found = np.zeros(len(rows))
    found[rows] = values
    return found


def doubled(parts: Parts) -> Doubled:
    """Return a column as doubles of 32 digits."""
    return Doubled(*two_sum(*parts)) if len(parts) == 2 else Doubled(parts[0], np.zeros_like(parts[0]))


def _parts(feature: Doubled, name: str) -> Parts:
    if not np.isfinite(feature.high + feature.low).all():
        raise DataError(f"the feature {name[:60]!r} is beyond the largest double. Scale its columns first.")
    return feature.high, feature.low
