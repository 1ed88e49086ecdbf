"""Bytes of states: magic, kind, version, length, body, checksum. Nothing is ever unpickled."""

import struct
from typing import TYPE_CHECKING, Any

from squarely.errors import StateError

if TYPE_CHECKING:
    import hashlib

__all__ = ["GRAM", "PAIRS", "TABLE", "sha256", "unwrap", "wrap"]

_MAGIC = b"SQUARELY"
_HEAD = struct.Struct("<8sHHQ")  # magic, kind, version, length of the body
_VERSION = 1
PAIRS, TABLE, GRAM = 1, 2, 3
_NAMES = {PAIRS: "the state of one model", TABLE: "a saved evaluation", GRAM: "the moments of features and targets"}


def sha256(data: bytes = b"") -> "hashlib._Hash":
    """Return the SHA-256 of bytes, to which more can be added."""
    import hashlib  # loads OpenSSL, which most programs that sum have no use for

    return hashlib.sha256(data)


def wrap(kind: int, body: bytes) -> bytes:
    """Return the body with its head and its SHA-256."""
    framed = _HEAD.pack(_MAGIC, kind, _VERSION, len(body)) + body
    return framed + sha256(framed).digest()


def unwrap(kind: int, data: Any, where: str = "the bytes") -> bytes:
    """Return the body; raise StateError, with the cure, on anything that wrap did not write."""
    if not isinstance(data, bytes | bytearray | memoryview):
        raise StateError(f"{where} are a {type(data).__name__}; expected bytes from to_bytes().")
    given = bytes(data)
    if len(given) < _HEAD.size or not given.startswith(_MAGIC):
        raise StateError(
            f"{where} are not a squarely state: they do not begin with its mark. Expected bytes from to_bytes() or a file from --save-state."
        )
    _, found, version, length = _HEAD.unpack_from(given)
    if version != _VERSION:
        raise StateError(
            f"{where} hold a state of version {version}; this squarely reads version {_VERSION}. Read it with the squarely that wrote it."
        )
    if len(given) != _HEAD.size + length + 32:
        raise StateError(f"{where} are incomplete: {len(given)} bytes where {_HEAD.size + length + 32} were written. Copy or write the state again.")
    if sha256(given[:-32]).digest() != given[-32:]:
        raise StateError(f"{where} were altered: the checksum does not fit. Copy or write the state again.")
    if found != kind:
        raise StateError(f"{where} hold {_NAMES.get(found, 'something else')}, and {_NAMES[kind]} was expected.")
    return given[_HEAD.size : -32]
