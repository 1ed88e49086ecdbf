"""Windows of rows or of time: the states of their steps are added, and the oldest are taken back without rounding."""

from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from squarely.errors import DataError
from squarely.linear.reading import Asked, place_in, rows_by_code, rows_of, states_by
from squarely.linear.scale import Scale
from squarely.sources import Batch
from squarely.state import GramState

__all__ = ["windows"]


def windows(
    data: Any,
    *,
    target: Any,
    rows: int | None = None,
    step: Any = None,
    along: str | None = None,
    length: Any = None,
    features: Any = None,
    weight: str | None = None,
    nan_policy: str = "raise",
) -> Iterator[tuple[Any, GramState]]:
    """Yield where each window begins and the state of its rows, in their order and in one pass.

    Windows that overlap are sums of the states of their steps, from which the oldest is subtracted without rounding: each state is the one
    that its rows alone give. A window is of so many ``rows``, the first row counted from 0, or of a ``length`` along a column.

    Windows of rows: those at the end that fill none make a shorter one. Windows along a column begin at whole steps from 0, or from the
    beginning of 1970 (in UTC where dates have an offset), and their end is not in them. The first begins with the step of the least value, the
    last ends with that of the largest, and those without a row are left out. Rows may come in any order, so the states of all steps are kept
    until the end.

    Parameters
    ----------
    data, target, features, weight, nan_policy
        Those of ``gram``; a row that is left out keeps its place, and its windows have fewer.
    rows : int, optional
        How many a window has.
    step : int, or what ``length`` is, optional
        How much later the next one begins, a divisor of ``rows`` or ``length``; without, where the one before ends.
    along : str, optional
        A column of numbers, or of dates.
    length : number or timedelta, optional
        How much of it a window has; a timedelta for dates, of the standard library, NumPy or pandas.

    Returns
    -------
    iterator of tuples of int, float or datetime64, and GramState

    Raises
    ------
    DataError
        The lengths make no windows, or a value of the column is missing or of another kind.

    Examples
    --------
    >>> from squarely.linear import LinearRegression
    >>> data = {"x": [0.0, 1.0, 2.0, 3.0, 4.0, 5.0], "y": [0.0, 1.0, 2.0, 4.0, 6.0, 8.0], "hour": [1, 9, 14, 20, 25, 30]}
    >>> found = windows(data, target="y", features="x", rows=4, step=2)
    >>> [(start, LinearRegression.from_state(state).coef_.round(2).tolist()) for start, state in found]
    [(0, [1.3]), (2, [2.0])]
    >>> [(start, state.n) for start, state in windows(data, target="y", along="hour", length=24, step=12)]
    [(0, 4), (12, 4)]
    """
    if (rows is None) == (along is None) or (along is None) != (length is None):
        raise DataError(
            "windows takes either rows=, how many a window has, or along= and length=, a column and how much of it a window has. Give one."
        )
    if along is not None:
        scale, steps = Scale.of(length, step)
        return _along(Asked.of(data, target, features, weight, by=along, nan_policy=nan_policy), scale, steps)
    step = rows if step is None else step
    if not isinstance(rows, int) or not isinstance(step, int) or not 0 < step <= rows or rows % step:
        raise DataError(f"rows={rows!r} and step={step!r} make no windows; expected whole numbers above 0, rows a multiple of step.")
    return _windows(Asked.of(data, target, features, weight, nan_policy=nan_policy), rows, step)


def _windows(asked: Asked, rows: int, step: int) -> Iterator[tuple[int, GramState]]:
    whole, coming, steps = asked.empty(), asked.empty(), deque[GramState]()
    start = filled = 0
    for columns, weights, levels, *_ in asked.batches():
        at, count = 0, len(columns[-1][0])
        while at < count:
            part = slice(at, min(at + step - filled, count))
            coming.add_columns(*rows_of(columns, weights, levels, part))
            filled, at = filled + part.stop - at, part.stop
            if filled < step:
                continue
            steps.append(coming)
            whole, coming, filled = whole + coming, asked.empty(), 0
            if len(steps) == rows // step:
                yield start, whole
                whole, start = whole - steps.popleft(), start + step
    if filled or (steps and not start):
        yield start, whole + coming


def _along(asked: Asked, scale: Scale, steps: int) -> Iterator[tuple[Any, GramState]]:
    name, zoned = asked.by[0], set[bool]()

    def split(batch: Batch, _: int) -> Iterator[tuple[int, npt.NDArray[np.intp]]]:
        codes, keys = np.unique(batch.keys[0].codes, return_inverse=True)  # labels may hold values that no row of the batch has

        def refused(label: int, expected: str) -> DataError:
            row, value = int(np.flatnonzero(keys == label)[0]), batch.keys[0].labels[codes[label]]
            given = "missing" if value is None else repr(value)
            return DataError(f"{place_in(batch, name).row(row)} is {given}, and windows go along it. Expected {expected}.")

        places = scale.places([batch.keys[0].labels[code] for code in codes.tolist()], zoned, refused)
        ranked, ranks = np.unique(np.array(places, object), return_inverse=True)  # of objects, as steps may be beyond 64 bits
        return ((ranked[rank], rows) for rank, rows in rows_by_code(ranks[keys]))

    held = {place: state for place, state in states_by(asked, split).items() if state.n}
    yield from ((scale.start(place), state) for place, state in _sliding(held, steps, asked.empty()))


def _sliding(held: Mapping[int, GramState], steps: int, whole: GramState) -> Iterator[tuple[int, GramState]]:
    """Yield the first step and the state of each window that has rows, from the first step to the last."""
    coming, inside = deque(sorted(held)), deque[int]()
    place = min(held, default=0)
    last = max(place, max(held, default=-1) - steps + 1)
    while held and place <= last:
        while coming and coming[0] < place + steps:
            whole = whole + held[coming[0]]
            inside.append(coming.popleft())
        while inside and inside[0] < place:
            whole = whole - held[inside.popleft()]
        if inside:
            yield place, whole
        place = place + 1 if inside else coming[0] - steps + 1  # over a gap to the first window that ends beyond it
