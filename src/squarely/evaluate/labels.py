"""Labels of rows become groups, which are numbered as they are met."""

import math
from collections.abc import Callable, Iterable

import numpy as np
import numpy.typing as npt

from squarely.evaluate.cells import Integers, Labels
from squarely.sources import Key, Keys
from squarely.state.table import GroupKey

__all__ = ["GroupIndex"]

_DENSE = 1 << 20  # combinations of labels for which a table is worth its memory


class GroupIndex:
    """The groups that one thread has met: ``index`` has their numbers, ``kinds`` the types in each group column.

    Parameters
    ----------
    columns : int
    grown : callable
        Called with the number of groups when there are more.
    """

    def __init__(self, columns: int, grown: Callable[[int], None] = lambda _: None) -> None:
        self.index: dict[GroupKey, int] = {}
        self.kinds: list[set[type]] = [set() for _ in range(columns)]
        self._grown = grown
        self._labels: tuple[tuple[Key, ...], ...] = ()
        self._places: Integers = np.empty(0, np.int32)

    def labels_of(self, keys: tuple[Keys, ...], rows: int) -> Labels:
        """Return the label of each row and the group of each label, and make the groups that are new."""
        if not keys:
            if not self.index:
                self._grow([()])
            return None
        labels = tuple(key.labels for key in keys)
        size = math.prod(map(len, labels))
        if size > max(_DENSE, rows):
            dense, columns = _combinations(keys)
            return dense, self._places_of(columns, labels)
        codes = keys[0].codes
        for key in keys[1:]:
            codes = codes * np.int32(len(key.labels)) + key.codes
        if not self._continues(labels) or len(self._places) < size:
            self._places = self._known_places(labels)
        self._labels = labels
        if self._places.min() < 0:
            new = np.flatnonzero((np.bincount(codes, minlength=size) > 0) & (self._places < 0))
            self._places[new] = self._places_of(list(np.unravel_index(new, tuple(map(len, labels)))), labels)
        return np.ascontiguousarray(codes, np.int32), self._places

    def _continues(self, labels: tuple[tuple[Key, ...], ...]) -> bool:
        """Say whether these are the labels of the last batch; a single column may have more."""
        if len(labels) != len(self._labels) or (len(labels) > 1 and list(map(len, labels)) != list(map(len, self._labels))):
            return False
        return all(map(_is_prefix, self._labels, labels))

    def _known_places(self, labels: tuple[tuple[Key, ...], ...]) -> Integers:
        """Return the groups of labels so far, -1 for those without one; combinations are not looked up, for most are never met."""
        known = len(self._places) if self._continues(labels) else 0
        more: Integers = np.full(math.prod(map(len, labels)) - known, -1, np.int32)
        if len(labels) == 1:
            self.kinds[0].update(map(type, labels[0]))
            more[:] = [self.index.get((label,), -1) for label in labels[0][known:]]
        return np.concatenate([self._places[:known], more])

    def _places_of(self, columns: list[npt.NDArray[np.intp]], labels: tuple[tuple[Key, ...], ...]) -> Integers:
        """Return the groups of combinations of labels, and make those that are new; ``columns`` has places in the labels of each column."""
        values = [[of_column[at] for at in column.tolist()] for column, of_column in zip(columns, labels, strict=True)]
        for kinds, of_column in zip(self.kinds, values, strict=True):
            kinds.update(map(type, of_column))
        group_keys = list(zip(*values, strict=True))
        places = list(map(self.index.get, group_keys))
        if None in places:
            self._grow(group_keys)
            places = list(map(self.index.get, group_keys))
        return np.array(places, np.int32)

    def _grow(self, keys: Iterable[GroupKey]) -> None:
        for key in keys:
            self.index.setdefault(key, len(self.index))
        self._grown(len(self.index))


def _is_prefix(known: tuple[Key, ...], labels: tuple[Key, ...]) -> bool:
    if known is labels:
        return True
    begin = labels[: len(known)]
    return begin == known and list(map(type, begin)) == list(map(type, known))


def _combinations(keys: tuple[Keys, ...]) -> tuple[Integers, list[npt.NDArray[np.intp]]]:
    """Number the combinations of labels that occur; return the number of each row, and the labels of each number by column.

    Column by column, so that no product of label counts need fit an integer.
    """
    codes: npt.NDArray[np.int64] = keys[0].codes.astype(np.int64)
    columns = [np.arange(len(keys[0].labels))]
    for key in keys[1:]:
        used, codes = np.unique(codes * len(key.labels) + key.codes, return_inverse=True)
        first, last = np.divmod(used, len(key.labels))
        columns = [*(column[first] for column in columns), last]
    return codes.astype(np.int32), columns
