"""Frames and arrays in memory become the features of terms, with the levels of their categories."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from squarely.errors import DataError
from squarely.linear.terms import Indicators, Parts, Product, Term, categories_of, columns_of, feature_slots, inputs_of, made, terms_of
from squarely.sources import is_category, keys_of
from squarely.validate import Coded, Design, Place, coded, design, frame_columns, names_of

__all__ = ["columns_in_use", "opened"]


def opened(data: Any, features: Any, categories: Sequence[str] | None) -> tuple[Design, Design]:
    """Return rows as they are and the features of terms of them; without ``categories`` the types of columns say which are such."""
    found = _termed(data, features, categories)
    if found is None:
        rows = design(data, "X")
        return rows, rows if features is None else _designed(terms_of(features, rows.names or ()), rows)
    named, terms = found
    count = len(next(iter(named.values()))) if named else 0
    levels = {name: _coded(named[name], name) for name in categories_of(terms)}
    numbers = {name: design(named[name], f"X, column {name!r}") for name in columns_of(terms)}

    def read(part: slice) -> list[Parts]:
        return made(terms, {name: rows.read(part)[0] for name, rows in numbers.items()})

    whole = Design(tuple(named) if hasattr(data, "columns") else None, len(named), count, read)
    slots = feature_slots(terms)
    return whole, Design(slots, len(slots), count, read, levels)


def columns_in_use(data: Any, features: Any, categories: Sequence[str] | None) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """Return the columns of numbers and those of levels that features are made of; None where they are those of a whole matrix."""
    found = _termed(data, features, categories)
    if found is None:
        return None
    named, terms = found
    return {name: named[name] for name in columns_of(terms)}, {name: named[name] for name in categories_of(terms)}


def _termed(data: Any, features: Any, categories: Sequence[str] | None) -> tuple[dict[str, Any], tuple[Term, ...]] | None:
    """Return named columns and the terms of them, where some are categories or some are chosen; None where all are read as one matrix."""
    named = _named(data, features)
    if named is None:
        return None
    texts = [name for name, values in named.items() if is_category(values)] if categories is None else categories
    if features is None and not texts:
        return None
    terms = terms_of(features, named, texts)
    _refuse_absent(terms, tuple(named))
    return named, terms


def _asks(features: Any) -> bool:
    """Say whether a category is asked for."""
    asked = features if isinstance(features, list | tuple) else [features]
    return any(isinstance(factor, Indicators) for each in asked for factor in (each.factors if isinstance(each, Product) else (each,)))


def _named(data: Any, features: Any) -> dict[str, Any] | None:
    """Return columns by name, of a frame, or of an array where a category is asked for."""
    columns = frame_columns(data)
    if columns is not None:
        names = names_of(data)
        return dict(zip(names, columns, strict=True)) if len(set(names)) == len(names) else None
    if not _asks(features):
        return None
    if hasattr(data, "tocsr"):
        raise DataError("a category is asked for, and X is a sparse matrix, which has numbers. Give a frame, or an array.")
    array = np.asarray(data)
    if array.dtype.kind in "US" and not hasattr(data, "dtype"):
        array = np.array(data, object)  # NumPy would turn the numbers of mixed lists into text
    return {f"x{at}": array[:, at].tolist() if array.dtype.kind == "O" else array[:, at] for at in range(array.shape[1])}


def _coded(values: Any, name: str) -> Coded:
    keys = keys_of(values, "X", name)
    return coded(keys.codes, keys.labels, Place(name, lambda row: f"X, column {name[:60]!r}, row {row:,} counted from 0"))


def _designed(terms: Sequence[Term], rows: Design) -> Design:
    """Return the features that terms make of rows of named columns."""
    known = tuple(map(str, rows.names)) if rows.names else tuple(f"x{at}" for at in range(rows.columns))
    _refuse_absent(terms, known)
    twice = next((name for name in inputs_of(terms) if known.count(name) > 1), None)
    if twice is not None:
        raise DataError(
            f"X has {known.count(twice)} columns {twice[:60]!r}, and it is unclear which is meant. Rename them, so that each name is one."
        )

    def read(part: slice) -> list[Parts]:
        return made(terms, dict(zip(known, rows.read(part), strict=True)))

    names = feature_slots(terms)
    return Design(names, len(names), rows.rows, read)


def _refuse_absent(terms: Sequence[Term], known: Sequence[str]) -> None:
    asked = (*columns_of(terms), *categories_of(terms))
    missing = next((name for name in asked if name not in known), None)
    if missing is not None:
        raise DataError(f"X has no column {missing[:60]!r}; it has {', '.join(map(repr, known[:10]))}. Name one of these.")
