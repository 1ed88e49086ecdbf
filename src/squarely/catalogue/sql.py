"""Pieces of SQL that queries are made of; {y}, {p} and {w} stay in them for the columns of a table."""

__all__ = ["COVARIANCE", "MEAN_P", "MEAN_Y", "SQUARED_ERROR", "VARIANCE_ERROR", "VARIANCE_P", "VARIANCE_Y", "mean", "root"]


def mean(loss: str) -> str:
    """Return the weighted mean of a loss, in doubles whatever the columns are."""
    return "(SUM(1e0 * {w} * (" + loss + ")) / SUM({w}))"


def root(expression: str) -> str:
    """Return a square root."""
    return "SQRT(" + expression + ")"


def _spread(product: str, left: str, right: str) -> str:
    return f"({mean(product)} - {mean(left)} * {mean(right)})"


SQUARED_ERROR = mean("POWER({p} - {y}, 2)")
MEAN_Y, MEAN_P = mean("{y}"), mean("{p}")
VARIANCE_Y, VARIANCE_P = _spread("POWER({y}, 2)", "{y}", "{y}"), _spread("POWER({p}, 2)", "{p}", "{p}")
VARIANCE_ERROR = _spread("POWER({p} - {y}, 2)", "{p} - {y}", "{p} - {y}")
COVARIANCE = _spread("1e0 * {y} * {p}", "{y}", "{p}")
