"""StateTable: the states of every group and model of one evaluation; what is saved, shown and merged."""

import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from squarely import validate
from squarely.errors import DataError, StateError
from squarely.state import codec
from squarely.state.pairs import PairState
from squarely.state.terms import NOTHING, Plan

__all__ = ["GroupKey", "Key", "StateTable", "written_alike"]

Key = str | int | float | bool | None
GroupKey = tuple[Key, ...]


_TITLES = {"target": "target", "models": "prediction", "by": "group column", "weight": "weight", "nan_policy": "nan_policy"}


def _shown(value: str | tuple[str, ...] | None) -> str:
    """Return names as a sentence can carry them."""
    names = [value] if isinstance(value, str) else list(value or ())
    return ", ".join(repr(name[:60]) for name in names[:6]) or "none"


def _order(key: GroupKey) -> tuple[tuple[int, float, str], ...]:
    """Sort numbers as numbers before text, and the missing value last."""
    return tuple((2, 0, "") if k is None else (1, 0, k) if isinstance(k, str) else (0, k, str(k)) for k in key)


def written_alike(name: str, kinds: set[type]) -> Callable[[Key], Key]:
    """Return how the values of a group column are written: equal ones in one way, and all as text where some are text."""
    if bool in kinds and kinds & {int, float}:
        raise DataError(f"the group column {name[:60]!r} mixes numbers with True and False, and 1 and True are equal. Write them as text.")
    if str in kinds and kinds & {int, float, bool}:
        return lambda value: None if value is None else str(value)
    if float not in kinds:
        return lambda value: value
    if int in kinds:
        return lambda value: int(value) if isinstance(value, float) and value.is_integer() else value
    return lambda value: value + 0.0 if isinstance(value, float) else value  # -0.0 is 0.0


@dataclass
class StateTable:
    """States by group and model. ``groups[key][i]`` belongs to ``models[i]``; without ``by`` the only key is ``()``."""

    target: str
    models: tuple[str, ...]
    by: tuple[str, ...] = ()
    weight: str | None = None
    nan_policy: str = "raise"
    rows: int = 0
    groups: dict[GroupKey, list[PairState]] = field(default_factory=dict)

    def total(self, model: int) -> PairState:
        """Return the state over all groups."""
        return sum((states[model] for states in self.groups.values()), PairState())

    @property
    def plan(self) -> Plan:
        """What every state keeps beside its sums."""
        return next((state.plan for states in self.groups.values() for state in states), NOTHING)

    def sorted_groups(self) -> tuple[GroupKey, ...]:
        """Return the keys in the order in which they are told."""
        return tuple(sorted(self.groups, key=_order))

    def digest(self) -> str:
        """Return one SHA-256 over every group and model."""
        import json

        whole = codec.sha256()
        for key in self.sorted_groups():
            whole.update(json.dumps(key).encode())
            for state in self.groups[key]:
                whole.update(state.canonical_bytes())
        return whole.hexdigest()

    def __add__(self, other: "StateTable") -> "StateTable":
        for name in _TITLES:
            mine, theirs = getattr(self, name), getattr(other, name)
            if mine != theirs:
                raise StateError(f"the {_TITLES[name]} is {_shown(mine)} in one state and {_shown(theirs)} in the other. Evaluate both alike.")
        kinds = [{type(key[at]) for table in (self, other) for key in table.groups} for at in range(len(self.by))]
        written = [written_alike(name, of_column) for name, of_column in zip(self.by, kinds, strict=True)]
        total = StateTable(self.target, self.models, self.by, self.weight, self.nan_policy, self.rows + other.rows)
        for table in (self, other):
            for key, states in table.groups.items():
                total.add(tuple(write(value) for write, value in zip(written, key, strict=True)), states)
        return total

    def add(self, key: GroupKey, states: Sequence[PairState]) -> None:
        """Add the states of a group; a group in which nothing counts leaves no trace."""
        if key in self.groups:
            self.groups[key] = [a + b for a, b in zip(self.groups[key], states, strict=True)]
        elif any(state.n or any(state.refused) for state in states) or not self.by:
            self.groups[key] = list(states)

    def to_bytes(self) -> bytes:
        """Return the table as bytes: a JSON head, then the states in the order of the head, all under one checksum."""
        keys = self.sorted_groups()
        head = {
            "target": self.target,
            "models": self.models,
            "by": self.by,
            "weight": self.weight,
            "nan_policy": self.nan_policy,
            "rows": self.rows,
            "groups": keys,
        }
        import json

        text = json.dumps(head, separators=(",", ":")).encode()
        parts = [struct.pack("<Q", len(text)), text]
        for key in keys:
            for state in self.groups[key]:
                body = state._core.body()
                parts += [struct.pack("<I", len(body)), body]
        return codec.wrap(codec.TABLE, b"".join(parts))

    @classmethod
    def from_bytes(cls, data: bytes, where: str = "the bytes") -> "StateTable":
        """Read what ``to_bytes`` wrote; raise StateError on anything else."""
        import json

        body = codec.unwrap(codec.TABLE, data, where)
        try:
            (size,) = struct.unpack_from("<Q", body)
            table = cls._of_head(json.loads(body[8 : 8 + size]))
            table._read_states(body, 8 + size)
        except (ValueError, KeyError, TypeError, RecursionError, struct.error) as error:
            raise StateError(f"{where} hold no evaluation that can be read: {error}. Save it again.") from error
        return table

    @classmethod
    def _of_head(cls, head: Mapping[str, Any]) -> "StateTable":
        """Read the head; a checksum shows that bytes are whole, not that squarely wrote them."""
        target, models, by, weight, rows = (head[name] for name in ("target", "models", "by", "weight", "rows"))
        groups = [tuple(key) for key in head["groups"]]
        names = [target, *models, *by, *([] if weight is None else [weight])]
        keys_are_plain = all(len(key) == len(by) and all(isinstance(value, str | int | float | None) for value in key) for key in groups)
        if not all(isinstance(name, str) for name in names) or not models or not keys_are_plain or len(set(groups)) != len(groups):
            raise ValueError("its head is not that of an evaluation")
        if type(rows) is not int or rows < 0 or head["nan_policy"] not in validate.POLICIES:
            raise ValueError("its head is not that of an evaluation")
        return cls(target, tuple(models), tuple(by), weight, head["nan_policy"], rows, {key: [] for key in groups})

    def _read_states(self, body: bytes, at: int) -> None:
        for states in self.groups.values():
            for _ in self.models:
                (length,) = struct.unpack_from("<I", body, at)
                states.append(PairState._parse(body[at + 4 : at + 4 + length]))
                at += 4 + length
        if at != len(body):
            raise ValueError("bytes are left over")
