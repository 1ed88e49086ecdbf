"""Which columns are meant when nobody says: names that mean a target or a prediction almost everywhere."""

from collections.abc import Sequence

from squarely.errors import DataError

__all__ = ["guess_predictions", "guess_target"]

_TARGETS = ("y_true", "y", "target", "actual", "actuals", "observed", "truth", "ground_truth", "label", "obs")
_PREDICTIONS = ("y_pred", "yhat", "y_hat", "prediction", "predictions", "predicted", "pred", "forecast", "fitted", "estimate")
_SPREADS = ("_std", "_se", "_var", "_lower", "_upper")  # what a model says of its own error


def guess_target(columns: Sequence[str], where: str) -> str:
    """Return the one column whose name means a target.

    Examples
    --------
    >>> guess_target(["id", "Actual", "model"], "houses.csv")
    'Actual'
    """
    found = _named(columns, _TARGETS)
    if len(found) == 1:
        return found[0]
    what = f"{' and '.join(map(repr, found[:3]))} could both be the target" if found else "no column has a name that means the target"
    raise DataError(f"{where}: {what}. Name it with target (--target); the columns are {_listed(columns)}.")


def guess_predictions(columns: Sequence[str], where: str) -> tuple[str, ...]:
    """Return the columns whose names mean a prediction: one, or several models such as ``pred_a`` and ``pred_b``."""
    found = _named(columns, _PREDICTIONS) or [
        name
        for name in columns
        if name.lower().startswith(tuple(f"{known}{mark}" for known in _PREDICTIONS for mark in "_.")) and not name.lower().endswith(_SPREADS)
    ]
    if not found:
        raise DataError(
            f"{where}: no column has a name that means a prediction. Name it with prediction (--prediction); the columns are {_listed(columns)}."
        )
    return tuple(found)


def _named(columns: Sequence[str], known: Sequence[str]) -> list[str]:
    """Return the columns with a known name, upper and lower case alike; a surer name goes before the others."""
    for name in known:
        found = [column for column in columns if column.strip().lower() == name]
        if found:
            return found
    return []


def _listed(columns: Sequence[str]) -> str:
    shown = ", ".join(repr(name[:60]) for name in columns[:12])
    return shown if len(columns) <= 12 else f"{shown} and {len(columns) - 12} more"
