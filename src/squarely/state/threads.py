"""How many threads sums may use."""

import os

from squarely.errors import DataError

__all__ = ["FEW", "threads", "threads_for"]

FEW = 1 << 16  # rows: up to so many a second thread is not worth its start


def threads() -> int:
    """Return how many threads sums may use: SQUARELY_THREADS, or the processors of this process."""
    asked = os.environ.get("SQUARELY_THREADS")
    if asked is None:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if not asked.isdecimal() or int(asked) < 1:
        raise DataError(f"SQUARELY_THREADS is {asked!r}; expected a whole number of at least 1.")
    return int(asked)


def threads_for(rows: int) -> int:
    """Return how many threads so many rows are worth."""
    return threads() if rows > FEW else 1
