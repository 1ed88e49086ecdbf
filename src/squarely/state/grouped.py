"""Moments of columns that are given for each level of a category: sums by level, where no column is made of 0 and 1."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import combinations_with_replacement

import numpy as np
import numpy.typing as npt

from squarely.state.digits import Digits, Doubles
from squarely.state.dyadic import Dyadic, Integers
from squarely.state.places import PlaceSums
from squarely.state.products import Parts, Products, blocks_of
from squarely.state.schema import Schema
from squarely.validate import Category, Coded

__all__ = ["GroupedProducts"]

Slot = tuple[int, str | None]  # a column, and the category that it is multiplied with


class GroupedProducts:
    r"""The moments of a schema: ``sum w z z'``, with z a column, or a column times the indicators of the levels of a category.

    .. math:: \sum_i w_i\,x_i\,[c_i = k]\;z_i = \sum_{i:\,c_i = k} w_i\,x_i\,z_i

    A level takes no column of its own: its moments are sums of products of digits over its rows, exact in doubles as the others are. Levels
    come in the order of the rows here; ``total`` has them in the order of the schema that it is asked for.
    """

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._known: dict[str, dict[str, int]] = {column: {} for column in schema.categories}
        self._slots: list[Slot] = [(0, None)]
        columns = 1
        for each in (*schema.features, *schema.targets):
            alone = isinstance(each, Category) and each.times is None
            self._slots.append((0 if alone else columns, each.column if isinstance(each, Category) else None))
            columns += not alone
        self._products = Products(columns)
        self._left: Digits | None = None
        self._cells: dict[tuple[int, int], PlaceSums] = {}

    @property
    def levels(self) -> dict[str, tuple[str, ...]]:
        """The levels so far."""
        return {column: tuple(known) for column, known in self._known.items()}

    def add(self, columns: Sequence[Parts], weight: Doubles | None, coded: Mapping[str, Coded]) -> None:
        """Add rows: columns of features and targets, and the levels of each category."""
        codes = {column: self._recoded(column, coded[column]) for column in self._known}
        for rows in blocks_of(len(columns[-1][0])):
            block: list[Parts] = [(np.ones(rows.stop - rows.start),), *(tuple(part[rows] for part in parts) for parts in columns)]
            left, right = self._products.cut(block, None if weight is None else weight[rows])
            self._products.deposit(left, right)
            if codes:
                self._deposit(left, right, {column: each[rows] for column, each in codes.items()})

    def _recoded(self, column: str, given: Coded) -> npt.NDArray[np.intp]:
        """Return the places of levels among those known, to which new ones are added."""
        known = self._known[column]
        places = np.zeros(len(given.levels), np.intp)
        for at in np.flatnonzero(np.bincount(given.codes, minlength=len(given.levels))).tolist():
            places[at] = known.setdefault(given.levels[at], len(known))
        return places[given.codes]

    def _pairs(self) -> Iterator[tuple[int, int]]:
        """Yield the pairs of slots of which one at least has a category."""
        every = combinations_with_replacement(range(len(self._slots)), 2)
        return (pair for pair in every if any(self._slots[at][1] is not None for at in pair))

    def _shape(self, pair: tuple[int, int]) -> tuple[int, ...]:
        """Return how many cells a pair has, for each of its categories; two slots of one category share no row but those of one level."""
        return tuple(len(self._known[column]) for column in dict.fromkeys(self._slots[at][1] for at in pair) if column is not None)

    def _deposit(self, left: Digits, right: Digits, codes: Mapping[str, npt.NDArray[np.intp]]) -> None:
        if left is not self._left:
            self._settle()
            self._left = left
        planes = [(np.flatnonzero(left.columns == at), np.flatnonzero(right.columns == at)) for at in range(len(left.offsets))]
        for pair in self._pairs():
            shape = self._shape(pair)
            cells = self._cells.setdefault(pair, PlaceSums(*shape))
            if cells.sums.shape[:-1] != shape:
                cells.grow(*shape)
            high, low = self._columns_of(pair)
            there = [(one, other) for one in planes[high][0] for other in planes[low][1]]
            if not there:
                continue
            places = [int(left.places[one] + right.places[other]) for one, other in there]
            cells.make_room(min(places), max(places), len(there), partial(self._offset, pair))
            named = [codes[column] for column in dict.fromkeys(self._slots[at][1] for at in pair) if column is not None]
            code = named[0] if len(named) == 1 else named[0] * shape[1] + named[1]
            count = int(np.prod(shape))
            for (one, other), place in zip(there, places, strict=True):
                products = left.planes[one, : left.rows] * right.planes[other, : right.rows]
                sums = np.bincount(code, products, count).astype(np.int64)
                cells.sums[..., place - cells.lowest] += sums.reshape(shape)

    def _columns_of(self, pair: tuple[int, int]) -> tuple[int, int]:
        """Return the column that is taken with its weight, and the other: the constant has one digit without."""
        one, other = (self._slots[at][0] for at in pair)
        return max(one, other), min(one, other)

    def _offset(self, pair: tuple[int, int]) -> Integers:
        high, low = self._columns_of(pair)
        left, right = self._left, self._products.plain
        return np.array(0 if left is None else max(int(left.offsets[high]), 0) + max(int(right.offsets[low]), 0), object)

    def _settle(self) -> None:
        for pair, cells in self._cells.items():
            cells.total(partial(self._offset, pair))

    def total(self, schema: Schema) -> Dyadic:
        """Return the moments so far, as those of a schema with these levels and others."""
        plain = self._products.total()
        if not self._known:
            return plain
        found = {pair: cells.total(partial(self._offset, pair)) for pair, cells in self._cells.items()}
        low = min(plain.exponent, *(sums.exponent for sums in found.values())) if found else plain.exponent
        spans, size = [], 0
        for _, column in self._slots:
            width = 1 if column is None else len(self._known[column])
            spans.append(slice(size, size + width))
            size += width
        whole, units = np.zeros((size, size), object), plain.units(low)
        for one, other in combinations_with_replacement(range(len(spans)), 2):
            if (one, other) not in found:
                if self._slots[one][1] is None and self._slots[other][1] is None:
                    whole[spans[one], spans[other]] = whole[spans[other], spans[one]] = units[self._slots[one][0], self._slots[other][0]]
                continue
            cells = found[one, other].units(low)
            categories = self._slots[one][1], self._slots[other][1]
            block = np.diag(cells) if categories[0] == categories[1] else cells if None not in categories else cells[:, None]
            if categories[0] is None:
                block = block.T
            whole[spans[one], spans[other]] = block
            whole[spans[other], spans[one]] = block.T
        seen = Schema(self._schema.features, self._schema.targets, self.levels)
        return schema.spread(Dyadic(whole, low), seen)
