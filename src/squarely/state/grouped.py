"""Moments of columns that are given for each level of categories: sums by level, where no column is made of 0 and 1."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from squarely import _core
from squarely.errors import DataError
from squarely.state.digits import Digits, Doubles
from squarely.state.dyadic import Dyadic, Integers
from squarely.state.places import PlaceSums
from squarely.state.products import Parts, Products, blocks_of
from squarely.state.schema import Grouping, Schema
from squarely.validate import Category, Coded, Crossed, Level, crossed

__all__ = ["GroupedProducts"]

_MOST_LEVELS = 1 << 12
Codes = npt.NDArray[np.int64]


class _Slot(NamedTuple):
    """A feature or target: a column, multiplied with the indicators of a category where it has columns of one."""

    column: int
    category: Grouping


class GroupedProducts:
    r"""The moments of a schema: ``sum w z z'``, with z a column, or a column times the indicators of the levels of a category.

    .. math:: \sum_i w_i\,x_i\,[c_i = k]\;z_i = \sum_{i:\,c_i = k} w_i\,x_i\,z_i

    A level takes no column of its own: its moments are sums of products of digits over its rows, exact in doubles as the others are. Levels
    are in the order of the rows here; ``total`` has them in the order of the schema that it is asked for.
    """

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._known: dict[Grouping, dict[Level, int]] = {columns: {} for columns in schema.groupings}
        self._slots = [_Slot(0, ())]
        columns = 1
        for each in (*schema.features, *schema.targets):
            alone = isinstance(each, Category) and each.times is None
            self._slots.append(_Slot(0 if alone else columns, each.columns if isinstance(each, Category) else ()))
            columns += not alone
        self._products = Products(columns)
        self._left = self._products.plain  # of the sums that are not in a total yet
        grouped = [at for at, slot in enumerate(self._slots) if slot.category]
        self._beside = {at: PlaceSums(columns, 0) for at in grouped}  # with every column
        apart = ((one, other) for one, other in combinations(grouped, 2) if self._slots[one].category != self._slots[other].category)
        self._across = {pair: PlaceSums(0, 0) for pair in apart}  # two of one category share no row but those of one level: that is beside

    @property
    def levels(self) -> dict[Grouping, tuple[Level, ...]]:
        """The levels so far."""
        return {columns: tuple(known) for columns, known in self._known.items()}

    def add(self, columns: Sequence[Parts], weight: Doubles | None, coded: Mapping[str, Coded]) -> None:
        """Add rows: columns of features and targets, and the levels of each category."""
        codes = {columns: self._recoded(columns, crossed(coded, columns)) for columns in self._known}
        for at, beside in self._beside.items():
            beside.grow(beside.sums.shape[0], *self._shape(at))
        for pair, across in self._across.items():
            across.grow(*self._shape(*pair))
        for rows in blocks_of(len(columns[-1][0])):
            block: list[Parts] = [(np.ones(rows.stop - rows.start),), *(tuple(part[rows] for part in parts) for parts in columns)]
            left, right = self._products.cut(block, None if weight is None else weight[rows])
            self._products.deposit(left, right)
            if codes:
                self._deposit(left, right, {columns: each[rows] for columns, each in codes.items()})

    def _recoded(self, columns: Grouping, given: Crossed) -> Codes:
        """Return the places of levels among those known, to which new ones are added."""
        known = self._known[columns]
        places = np.array([known.setdefault(level, len(known)) for level in given.levels], np.int64)
        if len(known) > _MOST_LEVELS:
            name, level = ":".join(columns), ":".join(given.levels[given.codes[-1]])
            raise DataError(
                f"the category {name[:60]!r} has more than {_MOST_LEVELS:,} levels, such as {level[:60]!r}, and a state is the square of that. "
                "Leave it out, join levels, or cast it to numbers if that is what it holds."
            )
        return places[given.codes]

    def _shape(self, *slots: int) -> tuple[int, ...]:
        return tuple(len(self._known[self._slots[at].category]) for at in slots)

    def _deposit(self, left: Digits, right: Digits, codes: Mapping[Grouping, Codes]) -> None:
        """Add the products of the digits of a block; those of one side are taken with their weights."""
        if left is not self._left:
            for at, beside in self._beside.items():
                beside.total(partial(self._offsets, at))
            for pair, across in self._across.items():
                across.total(partial(self._offset, pair))
            self._left = left
        for at, beside in self._beside.items():
            slot = self._slots[at]
            first = _planes_of(right, slot.column)
            sums = _grouped(left.planes, right.planes[first], codes[slot.category], beside.sums.shape[1])
            _add(beside, left.columns.tolist(), left.places[:, None] + right.places[first], sums, partial(self._offsets, at))
        for pair, across in self._across.items():
            one, other = (self._slots[at] for at in pair)
            shape = self._shape(*pair)
            code = codes[one.category] * shape[1] + codes[other.category]
            first, second = _planes_of(right, one.column), _planes_of(left, other.column)
            places = left.places[second, None] + right.places[first]
            sums = _grouped(left.planes[second], right.planes[first], code, shape[0] * shape[1]).reshape(*places.shape, *shape)
            _add(across, [...] * len(places), places, sums, partial(self._offset, pair))

    def _offsets(self, at: int) -> Integers:
        """Return the offsets of sums of a slot with each column."""
        right = max(int(self._products.plain.offsets[self._slots[at].column]), 0)
        found: Integers = (np.maximum(self._left.offsets[:, None], 0) + right).astype(object)
        return found

    def _offset(self, pair: tuple[int, int]) -> Integers:
        """Return the offset of sums of two slots."""
        found: Integers = self._offsets(pair[0])[self._slots[pair[1]].column]
        return found

    def total(self, schema: Schema) -> Dyadic:
        """Return the moments so far, as those of a schema with these levels and others."""
        plain = self._products.total()
        if not self._known:
            return plain
        beside = {at: sums.total(partial(self._offsets, at)) for at, sums in self._beside.items()}
        across = {pair: sums.total(partial(self._offset, pair)) for pair, sums in self._across.items()}
        low = min(plain.exponent, *(sums.exponent for sums in (*beside.values(), *across.values())))
        spans = list(self._spans())
        whole = np.zeros((spans[-1].stop, spans[-1].stop), object)
        alone = [at for at, slot in enumerate(self._slots) if not slot.category]
        columns = [self._slots[at].column for at in alone]
        places = [spans[at].start for at in alone]
        whole[np.ix_(places, places)] = plain.units(low)[np.ix_(columns, columns)]
        for at, sums in beside.items():
            units = sums.units(low)
            for other, slot in enumerate(self._slots):
                if not slot.category:
                    whole[spans[at], spans[other]] = units[slot.column][:, None]
                    whole[spans[other], spans[at]] = units[slot.column]
                elif slot.category == self._slots[at].category:
                    whole[spans[at], spans[other]] = np.diag(units[slot.column])
        for (one, two), sums in across.items():
            whole[spans[one], spans[two]] = sums.units(low)
            whole[spans[two], spans[one]] = sums.units(low).T
        seen = Schema(self._schema.features, self._schema.targets, self.levels)
        return schema.spread(Dyadic(whole, low), seen)

    def _spans(self) -> Iterator[slice]:
        """Yield where each slot is in the moments."""
        end = 0
        for slot in self._slots:
            start, end = end, end + (len(self._known[slot.category]) if slot.category else 1)
            yield slice(start, end)


def _planes_of(digits: Digits, column: int) -> slice:
    """Return the planes of a column, which lie side by side."""
    return slice(*np.searchsorted(digits.columns, (column, column + 1)))


def _grouped(left: Doubles, right: Doubles, codes: Codes, groups: int) -> npt.NDArray[np.int64]:
    """Return the sums of products of planes over the rows of each group, planes x planes x groups."""
    sums = np.zeros((len(left), len(right), groups), np.int64)
    _core.group_digits(left, right, codes, groups, sums)
    return sums


def _add(into: PlaceSums, cells: Sequence[Any], places: npt.NDArray[np.int64], sums: npt.NDArray[np.int64], offsets: Callable[[], Integers]) -> None:
    """Add sums of planes x planes to the cells of the first plane, at their places."""
    if not places.size:
        return
    deepest = max(map(cells.count, set(cells))) * places.shape[1]
    into.make_room(int(places.min()), int(places.max()), deepest, offsets)
    for (first, second), place in np.ndenumerate(places - into.lowest):
        into.sums[cells[first]][..., place] += sums[first, second]
