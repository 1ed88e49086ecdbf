"""Everything squarely raises or warns about on purpose."""

import sys
import warnings

__all__ = [
    "DataError",
    "DependentColumnsWarning",
    "MissingExtraError",
    "NoInferenceError",
    "NotANumberError",
    "NotConvergedWarning",
    "NotFittedError",
    "SquarelyError",
    "StateError",
    "UndefinedMetricWarning",
    "UnknownGroupError",
    "UnknownMetricError",
    "warn_caller",
]


class SquarelyError(Exception):
    """The base of every error squarely raises on purpose."""


class DataError(SquarelyError, ValueError):
    """The data cannot be evaluated; the message says where, why, and the cure."""


class NoInferenceError(DataError, AttributeError):
    """A fit has no standard errors; the message says why, and what has."""


class NotANumberError(DataError, TypeError):
    """An object among the data is of a type that holds no number."""


class NotFittedError(SquarelyError, ValueError, AttributeError):
    """An estimator was asked before it was fitted."""


class StateError(SquarelyError, ValueError):
    """The bytes are not a readable state."""


class MissingExtraError(SquarelyError, ImportError):
    """An optional library is not installed; the message says how to install it."""


class _UnknownError(SquarelyError, KeyError):
    def __str__(self) -> str:
        # KeyError would show the sentence in quotes.
        return str(self.args[0]) if self.args else ""


class UnknownMetricError(_UnknownError):
    """No metric has this name."""


class UnknownGroupError(_UnknownError):
    """No group has this key."""


class UndefinedMetricWarning(UserWarning):
    """A metric has no value on this data."""


class DependentColumnsWarning(UserWarning):
    """A feature is a combination of others, so that its coefficient cannot be told from theirs."""


class NotConvergedWarning(UserWarning):
    """Iterations ended before the coefficients had settled."""


def warn_caller(message: str, category: type[Warning]) -> None:
    """Warn at the line that called this library, however deep it is in it: of a line of its own Python would tell only once."""
    level, frame = 2, sys._getframe(1)
    while frame.f_globals.get("__name__", "").startswith("squarely.") and frame.f_back is not None:
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)
