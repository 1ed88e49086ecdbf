"""All rows of a source in memory, for answers that no sums give."""

from typing import Any

import numpy as np
import numpy.typing as npt

from squarely.sources import Column, Source, Wanted

__all__ = ["rows_of"]


def rows_of(source: Source, wanted: Wanted) -> tuple[Any, list[Any], npt.NDArray[np.float64] | None]:
    """Read targets, predictions and weights of every model into memory."""
    batches = [batch for read in source.parts(wanted) for batch in read()]
    y = _joined([batch.target for batch in batches])
    predictions = [_joined([batch.predictions[at] for batch in batches]) for at in range(len(wanted.predictions))]
    if wanted.weight is None:
        return y, predictions, None
    return y, predictions, np.concatenate([batch.weight.doubles() for batch in batches if batch.weight is not None])


def _joined(columns: list[Column]) -> Any:
    """Return the values of a column as they are, or as doubles where some are missing."""
    whole = all(column.valid is None for column in columns)
    return np.concatenate([column.values if whole else column.doubles() for column in columns])
