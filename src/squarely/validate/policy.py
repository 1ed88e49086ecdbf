"""What is done about missing and infinite values, and about data of which nothing is left."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from squarely.errors import DataError
from squarely.validate.columns import column
from squarely.validate.numbers import Array

__all__ = ["POLICIES", "accepts", "check_fit_policy", "check_policy", "judge", "nothing_left", "refused_rows"]

POLICIES = ("raise", "omit_targets", "omit", "propagate")
_REFUSED = ("a missing target", "a missing prediction", "an infinite target", "an infinite prediction")


def check_policy(policy: str) -> None:
    """Refuse a nan_policy that does not exist."""
    if not isinstance(policy, str) or policy not in POLICIES:
        raise DataError(f"nan_policy is {str(policy)[:60]!r}; expected one of {', '.join(map(repr, POLICIES))}.")


def check_fit_policy(policy: str) -> None:
    """Refuse what a fit cannot do with missing values: it has no answer but nan to give, and no prediction to judge."""
    if not isinstance(policy, str) or policy not in ("raise", "omit"):
        raise DataError(f"nan_policy is {repr(policy)[:60]}; a fit takes 'raise' or 'omit'.")


def nothing_left(rows: int, refused: int, where: str = "the data") -> DataError:
    """Return the error for ``rows`` of which none can be judged, ``refused`` of them for a missing or infinite value."""
    if rows == 0:
        return DataError(f"{where} has no rows. Expected at least one row of a target and a prediction.")
    if refused:
        return DataError(
            f"{where}: no row is left; {refused:,} of {rows:,} {'has' if refused == 1 else 'have'} a missing or infinite value. Mend the data."
        )
    weights = "the only weight is 0" if rows == 1 else f"all {rows:,} weights are 0"
    return DataError(f"{where}: {weights}; expected at least one above 0.")


def accepts(policy: str, refused: Sequence[int], rows: int, pairs: Sequence[tuple[Any, Any]], weight: Any) -> bool:
    """Judge outputs of which ``rows`` could be added and ``refused`` not: raise, or say whether there is an answer but nan."""
    check_policy(policy)
    if any(refused) and judge(policy, refused, rows + sum(refused), lambda reason: _first_index(reason, pairs, weight)):
        return False
    if rows == 0:
        raise nothing_left(len(pairs) * len(pairs[0][0]), sum(refused))
    return True


def judge(policy: str, refused: Sequence[int], rows: int, first: Callable[[int], str], where: str = "") -> bool:
    """Apply the nan_policy to counts of refused rows: raise, or say whether the answer is nan.

    Parameters
    ----------
    policy : str
    refused : rows with a missing target, a missing prediction, an infinite target, an infinite prediction
    rows : int
        Rows that were given.
    first : callable
        Says where the first row refused for a reason is; asked only where there is an error to write.
    where : str
        What the rows are of, for the message.
    """
    if not any(refused) or policy == "omit":
        return False
    if policy == "propagate":
        return True
    for reason in range(1 if policy == "omit_targets" else 0, 4):
        if refused[reason]:
            raise DataError(_refusal(reason, refused[reason], rows, first(reason), where))
    return False


def _first_index(reason: int, pairs: Sequence[tuple[Any, Any]], weight: Any) -> str:
    for output, (y_true, y_pred) in enumerate(pairs):
        y, p = (
            np.where(False if missing is None else missing, np.nan, values).ravel()
            for values, missing in (column(y_true, "y_true"), column(y_pred, "y_pred"))
        )
        rows = refused_rows(reason, y, p, None if weight is None else column(weight, "sample_weight")[0])
        if len(rows):
            return f"at index {rows[0]:,}" + (f" of output {output}" if len(pairs) > 1 else "")
    raise AssertionError("a refused row is in one of the outputs")


def refused_rows(reason: int, y: Array, p: Array, weight: Array | None) -> npt.NDArray[np.int64]:
    """Return the rows that the sums count under a reason; missing values are NaN in y and p."""
    chosen = (np.isnan(y), np.isnan(p) & ~np.isnan(y), np.isinf(y) & ~np.isnan(p), np.isinf(p) & np.isfinite(y))[reason]
    return np.flatnonzero(chosen if weight is None else chosen & (weight != 0))


def _refusal(reason: int, count: int, rows: int, first: str, where: str) -> str:
    place = f"{where}: " if where else ""
    have = "row has" if rows == 1 else "rows has" if count == 1 else "rows have"
    cure = {
        0: 'Pass nan_policy="omit_targets" (--nan-policy) to leave rows without a target out; the coverage is then part of the result.',
        1: 'Mend the model; only nan_policy="omit" (--nan-policy) leaves such rows out, and a model that fails on hard rows then looks better.',
    }.get(reason, 'Mend the data; only nan_policy="omit" (--nan-policy) leaves such rows out.')
    return f"{place}{count:,} of {rows:,} {have} {_REFUSED[reason]}, the first {first}. {cure}"
