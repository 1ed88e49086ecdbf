"""Group columns of Arrow batches become codes and labels."""

import math

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from squarely.sources import refusals
from squarely.sources.batch import Key, Keys
from squarely.sources.times import iso

__all__ = ["KeyReader", "categories_of", "is_category", "is_text", "key_of_text"]

_INDEX = {
    pa.int8(): np.int8, pa.int16(): np.int16, pa.int32(): np.int32, pa.int64(): np.int64,
    pa.uint8(): np.uint8, pa.uint16(): np.uint16, pa.uint32(): np.uint32, pa.uint64(): np.uint64,
}  # fmt: skip


def is_text(kind: pa.DataType) -> bool:
    """Say whether the type is text."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def is_category(kind: pa.DataType) -> bool:
    """Say whether the type is text, or a dictionary, as frames write their categories."""
    return is_text(kind) or bool(pa.types.is_dictionary(kind))


def categories_of(schema: pa.Schema) -> tuple[str, ...]:
    """Return the columns of text and of categories."""
    return tuple(field.name for field in schema if is_category(field.type))


def key_of_text(text: str | None) -> Key:
    """Return the key that a written value stands for: an integer where it is written as one, else the text.

    Empty text is a missing key. "007" stays text, because a number would not be written so.

    Examples
    --------
    >>> key_of_text("2024"), key_of_text("007"), key_of_text("")
    (2024, '007', None)
    """
    if not text:
        return None
    digits = text[1:] if text[0] == "-" else text
    written_as_integer = digits.isascii() and digits.isdigit() and len(digits) < 19
    return int(text) if written_as_integer and str(int(text)) == text else text


class KeyReader:
    """Reads one group column batch by batch and remembers the labels of the previous batch."""

    def __init__(self, where: str, name: str, written: bool = False) -> None:
        self._where, self._name, self._written = where, name, written
        self._dictionary: pa.Array | None = None
        self._values: pa.Array | None = None
        self._labels: tuple[Key, ...] = ()
        self._labels_and_missing: tuple[Key, ...] = (None,)

    def read(self, array: pa.Array, start: int) -> Keys:
        """Return codes and labels; `start` is the ordinal of the first row, for messages."""
        array = self._encoded(array, start)
        if pa.types.is_null(array.type):
            return Keys(np.zeros(len(array), np.int32), (None,))
        self._remember(array.dictionary)
        indices = array.indices
        _, data = indices.buffers()
        dtype = np.dtype(_INDEX[indices.type])
        codes: npt.NDArray[np.int32] = np.frombuffer(data, dtype, count=len(indices), offset=indices.offset * dtype.itemsize).astype(
            np.int32, copy=False
        )
        labels = self._labels
        if indices.null_count:
            missing = np.frombuffer(pc.cast(indices.is_null(), pa.uint8()).buffers()[1], np.bool_, count=len(indices))
            codes, labels = np.where(missing, np.int32(len(labels)), codes), self._labels_and_missing
        if pa.types.is_floating(array.type.value_type):
            self._refuse_nan(codes, labels, start)
        return Keys(codes, labels)

    def _encoded(self, array: pa.Array, start: int) -> pa.Array:
        if isinstance(array, pa.ExtensionArray):
            array = array.storage
        if pa.types.is_run_end_encoded(array.type):
            array = pc.run_end_decode(array)
        if pa.types.is_null(array.type) or pa.types.is_dictionary(array.type):
            return array
        if pa.types.is_string_view(array.type):
            array = array.cast(pa.large_string())
        self._check(array.type)
        return self._looked_up(array)

    def _looked_up(self, array: pa.Array) -> pa.DictionaryArray:
        """Encode values by one dictionary that grows from batch to batch, so that its labels need be read once."""
        known = self._values
        if known is None or len(known) > 4 * len(array):  # looking up costs as much as the dictionary is long
            encoded = array.dictionary_encode()
            self._values = encoded.dictionary
            return encoded
        codes = pc.index_in(array, value_set=known)
        if codes.null_count > array.null_count:
            fresh = pc.unique(array.filter(codes.is_null())).drop_null()
            self._values = known = pa.concat_arrays([known, fresh])
            codes = pc.index_in(array, value_set=known)
        return pa.DictionaryArray.from_arrays(codes, known, safe=False)

    def _check(self, kind: pa.DataType) -> None:
        types = pa.types
        allowed = (types.is_boolean, types.is_integer, types.is_floating, types.is_decimal,
                   types.is_date, types.is_timestamp, types.is_time)  # fmt: skip
        if not (is_text(kind) or any(is_allowed(kind) for is_allowed in allowed)):
            raise refusals.not_a_key(self._where, self._name, str(kind))

    def _remember(self, dictionary: pa.Array) -> None:
        # A dictionary of 100,000 labels takes longer to convert than its batch takes to add up.
        if self._dictionary is None or not dictionary.equals(self._dictionary):
            self._check(dictionary.type)
            self._labels = self._converted(dictionary)
            self._labels_and_missing = (*self._labels, None)
        self._dictionary = dictionary

    def _converted(self, dictionary: pa.Array) -> tuple[Key, ...]:
        types, kind = pa.types, dictionary.type
        if types.is_date(kind) or types.is_timestamp(kind) or types.is_time(kind):
            # As text, because to_pylist() would import pandas for nanoseconds.
            return tuple(iso(text) for text in dictionary.cast(pa.string()).to_pylist())
        if types.is_decimal(kind):
            return tuple(None if value is None else str(value) for value in dictionary.to_pylist())
        if self._written and is_text(kind):
            return tuple(key_of_text(text) for text in dictionary.to_pylist())
        return tuple(dictionary.to_pylist())

    def _refuse_nan(self, codes: npt.NDArray[np.int32], labels: tuple[Key, ...], start: int) -> None:
        bad = np.array([label is None or (isinstance(label, float) and math.isnan(label)) for label in labels], np.bool_)
        if bad.any():
            rows = np.flatnonzero(bad[codes])
            if rows.size:
                raise refusals.float_key_missing(self._where, self._name, start + int(rows[0]) + 1)
