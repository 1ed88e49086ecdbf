"""A learner is whatever has fit and predict: it is made anew for each fit, given rows, and what it predicts is looked at."""

import copy
import operator
from typing import Any

import numpy as np
import numpy.typing as npt

from squarely.errors import DataError
from squarely.validate import column

__all__ = ["Floats", "check_learner", "cloned", "finite", "predicted", "rows_in", "taken", "whole_number"]

Floats = npt.NDArray[np.float64]


def check_learner(estimator: Any) -> None:
    """Refuse what cannot be fitted again and again."""
    lacking = [name for name in ("fit", "predict") if not callable(getattr(estimator, name, None))]
    if isinstance(estimator, type) or lacking:
        what = f"the class {estimator.__name__}" if isinstance(estimator, type) else f"{type(estimator).__name__}, without {' and '.join(lacking)}"
        raise DataError(f"estimator is {what}; expected an object with fit(X, y) and predict(X), such as sq.linear.Ridge(alpha=2.0).")


def cloned(estimator: Any) -> Any:
    """Return the estimator as it was before any fit: made of its parameters where it tells them, and else a copy."""
    if hasattr(estimator, "__sklearn_clone__"):
        return estimator.__sklearn_clone__()
    if isinstance(estimator, list | tuple):  # the steps of a pipeline
        return type(estimator)(map(cloned, estimator))
    if isinstance(estimator, type) or not hasattr(estimator, "get_params"):
        return copy.deepcopy(estimator)
    return type(estimator)(**{name: cloned(value) for name, value in estimator.get_params(deep=False).items()})


def predicted(estimator: Any, train: tuple[Any, Any], *tests: Any) -> list[Floats]:
    """Return what a clone predicts for each of the tests after a fit, one finite number for each row."""
    model = cloned(estimator)
    model.fit(*train)
    found = [finite(model.predict(test), f"the prediction of {type(model).__name__}") for test in tests]
    for values, test in zip(found, tests, strict=True):
        if len(values) != rows_in(test):
            raise DataError(f"the model predicts {len(values):,} values for {rows_in(test):,} rows; expected one for each.")
    return found


def finite(values: Any, name: str) -> Any:
    """Return finite numbers, one for each row, and at least one."""
    found, missing = column(values, name)
    bad = ~np.isfinite(found) if missing is None else ~np.isfinite(found) | missing
    if bad.any():
        raise DataError(f"{name} is not finite at row {int(np.flatnonzero(bad)[0]):,}; expected a number. Leave the row out, or fill it in.")
    if not len(found):
        raise DataError(f"{name} is empty; expected one number for each of n rows, n >= 1.")
    return found


def rows_in(data: Any) -> int:
    """Return how many rows there are."""
    return int(data.shape[0]) if hasattr(data, "shape") else len(data)


def taken(data: Any, rows: Any) -> Any:
    """Return some rows of an array, a frame, a table or a sparse matrix, as their own kind, so that columns keep their names."""
    if hasattr(data, "iloc"):
        return data.iloc[rows]
    if hasattr(data, "column_names"):
        return data.take(rows)
    if hasattr(data, "tocsr"):
        return data.tocsr()[rows]
    return data[rows] if hasattr(data, "shape") else np.asarray(data)[rows]


def whole_number(value: Any, name: str, least: int) -> int:
    """Return a whole number of at least so much."""
    try:
        number = operator.index(value)
    except TypeError:
        number = least - 1
    if number < least or isinstance(value, bool):
        raise DataError(f"{name} is {repr(value)[:60]}; expected a whole number of at least {least}.")
    return number
