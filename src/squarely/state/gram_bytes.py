"""The body of the bytes of a GramState: names, levels and moments, in the one form that equal states have."""

import json
import struct
from dataclasses import replace
from typing import Any

import numpy as np

from squarely.errors import StateError
from squarely.state.dyadic import Dyadic
from squarely.state.schema import Grouping, Schema
from squarely.validate import Category, Level

__all__ = ["body_of", "parsed"]

_HEAD = struct.Struct("<qIIi")  # rows, features, targets, exponent
_UNREADABLE = (struct.error, UnicodeDecodeError, IndexError, KeyError, TypeError, ValueError)


def body_of(rows: int, schema: Schema, moments: Dyadic) -> bytes:
    """Return the body; categories, where there are any, come behind the moments."""
    schema, moments = schema.without_empty(moments)
    exact = moments.canonical()
    upper = exact.numerators[np.triu_indices(schema.size)].tolist()
    names = [each.name if isinstance(each, Category) else each for each in schema.features]
    numbers = [value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True) for value in upper]
    told = [json.dumps(_categories(schema), sort_keys=True).encode()] if schema.groupings else []
    head = _HEAD.pack(rows, len(names), len(schema.targets), exact.exponent)
    texts = [name.encode() for name in (*names, *schema.targets)]
    return head + b"".join(struct.pack("<I", len(piece)) + piece for piece in (*texts, *numbers, *told))


def parsed(body: bytes) -> tuple[int, Schema, Dyadic]:
    """Return rows, schema and moments; raise StateError on what ``body_of`` did not write."""
    try:
        return _parsed(body)
    except _UNREADABLE as error:
        raise StateError(f"the bytes hold no state: {error}. Write the state again.") from error


def _parsed(body: bytes) -> tuple[int, Schema, Dyadic]:
    rows, features, targets, exponent = _HEAD.unpack_from(body)
    pieces, at = [], _HEAD.size
    while at < len(body):
        (length,) = struct.unpack_from("<I", body, at)
        pieces.append(body[at + 4 : at + 4 + length])
        at += 4 + length
    named = features + targets
    names = [piece.decode() for piece in pieces[:named]]
    schema = Schema(tuple(names[:features]), tuple(names[features:]))
    if at == len(body) and len(pieces) > named + schema.size * (schema.size + 1) // 2:
        schema = _with_categories(schema, json.loads(pieces.pop()))
    count = schema.size * (schema.size + 1) // 2
    if at != len(body) or len(names) != named or len(pieces) != named + count:
        raise StateError("the bytes hold no state: their parts do not fit together. Write the state again.")
    values = np.zeros((schema.size, schema.size), object)
    upper = np.triu_indices(schema.size)
    values[upper] = values.T[upper] = [int.from_bytes(piece, "little", signed=True) for piece in pieces[named:]]
    return rows, schema, Dyadic(values, exponent)


def _categories(schema: Schema) -> list[Any]:
    """Return categories by the number of the feature, levels by their column, and behind them those of several columns, where there are any."""
    categories = {
        str(at): [_alone(each.columns), _alone(each.references), each.times] for at, each in enumerate(schema.features) if isinstance(each, Category)
    }
    levels = {_alone(columns): [_alone(level) for level in known] for columns, known in schema.levels.items() if known and len(columns) == 1}
    together = [[columns, known] for columns, known in sorted(schema.levels.items()) if known and len(columns) > 1]
    return [categories, levels, together] if together else [categories, levels]


def _with_categories(schema: Schema, told: list[Any]) -> Schema:
    categories, alone, *rest = told
    features = tuple(_category(categories[str(at)]) if str(at) in categories else name for at, name in enumerate(schema.features))
    levels: dict[Grouping, tuple[Level, ...]] = {(column,): tuple((level,) for level in known) for column, known in alone.items()}
    levels |= {tuple(columns): tuple(map(tuple, known)) for together in rest for columns, known in together}
    return replace(schema, features=features, levels=levels)


def _category(told: list[Any]) -> Category:
    columns, references, times = told
    return Category((columns,), (references,), times) if isinstance(columns, str) else Category(tuple(columns), tuple(references), times)


def _alone(items: tuple[Any, ...]) -> Any:
    """Return the item that there is, or all of several."""
    return items[0] if len(items) == 1 else items
