"""How rows depend on each other, as the user says it, becomes the way in which they share buckets."""

from dataclasses import replace
from typing import Any

import numpy as np

from squarely.errors import DataError
from squarely.sources import ArraysSource, Source, Wanted

__all__ = ["with_way"]


def with_way(source: Source, wanted: Wanted, ci: Any, confidence: Any, cluster: Any, order: Any, arrays: bool) -> tuple[Source, Wanted]:
    """Return what is wanted for intervals, and the source with the arrays that they take."""
    if not isinstance(confidence, float | np.floating) or not 0 < confidence < 1:
        raise DataError(f"confidence is {str(confidence)[:60]}; expected a number between 0 and 1, such as 0.95.")
    if ci is not None and (not isinstance(ci, str) or ci != "none"):
        raise DataError(f"ci is {repr(ci)[:60]}; expected 'none', or nothing for intervals.")
    if cluster is not None and order is not None:
        raise DataError("cluster and order were both given. Clusters that are long stretches of time serve for both: give cluster alone.")
    if ci == "none":
        return source, wanted
    for way, column in (("cluster", cluster), ("order", order)):
        if column is None:
            continue
        if way == "order" and column is True:
            return source, replace(wanted, way=way)
        if not arrays and not isinstance(column, str):
            raise DataError(f"{way} is of type {type(column).__name__}; a table takes the name of a column.")
        if isinstance(source, ArraysSource) and arrays:
            return source.having(way, column), replace(wanted, way=way, along=way)
        return source, replace(wanted, way=way, along=column)
    return source, replace(wanted, way="rows")
