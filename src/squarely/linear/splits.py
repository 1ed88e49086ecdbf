"""Splits of rows as scikit-learn has them: pairs of the places of rows that train and of rows that validate."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from squarely.errors import DataError

__all__ = ["Places", "are_splits", "pairs_of"]

Places = npt.NDArray[np.intp]


def are_splits(given: Any) -> bool:
    """Say whether something may be a splitter or pairs of places."""
    return not isinstance(given, str | bytes | dict) and (hasattr(given, "split") or hasattr(given, "__iter__"))


def pairs_of(name: str, splits: Any, X: Any, y: Any) -> Iterator[tuple[Places, Places]]:  # noqa: N803  # scikit-learn's name
    """Yield the pairs of a splitter, or those that are given; whether rows of X are there is the caller's to say."""
    if isinstance(splits, type):
        raise DataError(f"{name} is the class {splits.__name__}; expected an object of it, as {splits.__name__}() makes one, or a number of folds.")
    for at, pair in enumerate(_made(name, splits, X, y) if hasattr(splits, "split") else splits):
        yield _places(at, pair)


def _made(name: str, splitter: Any, X: Any, y: Any) -> Iterator[Any]:  # noqa: N803
    try:
        yield from splitter.split(X, y)
    except (TypeError, ValueError) as error:
        raise DataError(
            f"{name} is {repr(splitter)[:60]}, which does not split these rows: {error} "
            f"Where it takes groups, give its splits: {name}=list(splitter.split(X, y, groups))."
        ) from error


def _places(at: int, pair: Any) -> tuple[Places, Places]:
    """Return the places of the rows that train and that validate, which have to be given as whole numbers."""
    try:
        train, test = map(np.asarray, pair)
    except (TypeError, ValueError):
        raise DataError(f"split {at} is {repr(pair)[:60]}; expected a pair: places of rows that train, and of rows that validate.") from None
    for name, each in (("train", train), ("validate", test)):
        if each.ndim != 1 or (each.size and each.dtype.kind not in "iu"):
            cure = " np.flatnonzero(mask) gives those of a mask." if each.dtype.kind == "b" else ""
            raise DataError(
                f"split {at} has rows to {name} of type {each.dtype} and shape {each.shape}; expected places of rows, whole numbers in one row.{cure}"
            )
    return train.astype(np.intp), test.astype(np.intp)
