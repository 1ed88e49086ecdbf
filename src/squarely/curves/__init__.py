"""Learning and validation curves in MSE and R2: from refits of any learner, or from one pass where a Gram state decides."""

from collections.abc import Iterable, Sequence
from numbers import Real
from typing import Any

from squarely.curves.curve import Curve
from squarely.curves.fitting import Step, seen_of
from squarely.curves.law import PowerLaw
from squarely.curves.learning import LearningCurve
from squarely.curves.seen import Seen, Side
from squarely.curves.splits import Split, sizes_of, splits_of, wider_for
from squarely.curves.validation import ValidationCurve
from squarely.decompose.learner import check_learner, cloned, finite, rows_in
from squarely.errors import DataError
from squarely.evaluate import library_of

__all__ = ["Curve", "LearningCurve", "PowerLaw", "Seen", "Side", "ValidationCurve", "learning_curve", "validation_curve"]


def learning_curve(
    estimator: Any,
    X: Any,  # noqa: N803  # scikit-learn's name
    y: Any,
    *,
    sizes: Sequence[float] | None = None,
    folds: Any = 5,
    seed: int | None = 0,
    confidence: float = 0.95,
) -> LearningCurve:
    r"""Return training and validation errors of fits to more and more rows: is more data worth it, is it bias or variance?

    .. math:: \mathrm{MSE}(n) = \frac{\sum_k \sum_{i \in V_k} (y_i - \hat f_{k, n}(x_i))^2}{\sum_k |V_k|}

    with the fit k, n to the first n rows of those that train in split k, and V the rows that validate.

    Parameters
    ----------
    estimator : object with ``fit(X, y)`` and ``predict(X)``
        A clone of it, such as a pipeline, is fitted to training rows alone.
    X : array-like of shape (n, p), a frame or a sparse matrix
    y : array-like of shape (n,)
    sizes : sequence, optional
        Numbers of rows to train with, or shares of all that do; by default 8 shares of 0.1 to 1, each larger by the same factor.
    folds : int, splitter or pairs of places
        A number of folds; something with ``split(X, y)``, such as TimeSeriesSplit(5); or pairs of places of the rows that train and validate, such
        as ``list(GroupKFold(5).split(X, y, groups))``. Where rows validate in several, intervals are widened as Nadeau and Bengio have it.
    seed : int or None
        Of the order in which rows are dealt to folds and added to those that train. With None that is the order of the rows, as in
        scikit-learn's KFold, or that of the splits: do not use it where rows are sorted.
    confidence : float

    Returns
    -------
    LearningCurve
        ``.training``, ``.validation`` with ``mse``, ``rmse``, ``r2``, ``fold_mse``, ``interval(metric)``, in the unit of the target (squared);
        ``.gap``, ``.law``, ``.saving``, ``.verdict``, ``.to_frame()``, ``.to_html(path)``; print it.

    Raises
    ------
    DataError
        Shapes differ, a target is not finite, sizes or folds ask for rows that are not there, or a row would both train and validate.

    Notes
    -----
    For estimators of ``sq.linear`` that a Gram state decides (LinearRegression, Ridge, Lasso, ElasticNet and others) the rows are read once: states
    of parts of them add up to what each fit takes, and errors are quadratic forms of states, exactly. The numbers are those of refits.

    References
    ----------
    Cortes, C., Jackel, L. D., Solla, S. A., Vapnik, V. and Denker, J. S. (1994), Learning curves: asymptotic values and rate of convergence,
    Advances in Neural Information Processing Systems 6, for the inverse power law.

    Examples
    --------
    >>> import numpy as np, squarely as sq
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(1000, 10))
    >>> curve = sq.learning_curve(sq.linear.LinearRegression(), X, X.sum(axis=1) + rng.normal(size=1000))
    >>> print(curve.verdict)
    Trained with 800 rows the validation MSE is 1.021 (0.95 to 1.10), the training MSE 0.9987; R2 is 0.9101. Twice the rows would lower it by
    about 0.383 % (0 % to 1.14 %): more data are hardly worth it. Training and validation have met: what is left is bias or noise, which a
    richer model or better features may mend.
    """
    check_learner(estimator)
    y, confidence = _targets(X, y), _share(confidence)
    splits = splits_of(folds, seed, X, y, len(y))
    steps = [Step(estimator, size) for size in sizes_of(sizes, splits)]
    return LearningCurve("rows", tuple(step.size for step in steps), *_sides(steps, splits, X, y, confidence), library_of(X))


def validation_curve(
    estimator: Any,
    X: Any,  # noqa: N803  # scikit-learn's name
    y: Any,
    *,
    parameter: str,
    values: Iterable[Any],
    folds: Any = 5,
    seed: int | None = 0,
    confidence: float = 0.95,
) -> ValidationCurve:
    r"""Return training and validation errors along values of a parameter: which is best, and which are as good?

    .. math:: \mathrm{MSE}(v) = \frac{\sum_k \sum_{i \in V_k} (y_i - \hat f_{k, v}(x_i))^2}{\sum_k |V_k|}

    with the fit k, v of the parameter v to the rows that train in split k, and V the rows that validate.

    Parameters
    ----------
    estimator : object with ``fit(X, y)``, ``predict(X)``, ``get_params`` and ``set_params``
    X : array-like of shape (n, p), a frame or a sparse matrix
    y : array-like of shape (n,)
    parameter : str
        Such as "alpha", or "ridge__alpha" of a pipeline.
    values : iterable
    folds, seed, confidence
        Those of ``learning_curve``.

    Returns
    -------
    ValidationCurve
        As ``learning_curve`` has it; and ``.best``, ``.alike``: values whose errors on the same folds do not differ from those of the best. It is in
        the unit of the target (squared).

    Raises
    ------
    DataError
        As ``learning_curve``; or the estimator has no such parameter.

    Notes
    -----
    The least of many validation errors is a little too small: judge the value that is chosen on rows that had no part in it.

    References
    ----------
    Hastie, T., Tibshirani, R. and Friedman, J. (2009), The Elements of Statistical Learning, section 7.10.

    Examples
    --------
    >>> import numpy as np, squarely as sq
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(60, 20))
    >>> curve = sq.validation_curve(sq.linear.Ridge(), X, X[:, 0] + rng.normal(size=60), parameter="alpha", values=[0.1, 1.0, 10.0, 100.0])
    >>> curve.best, curve.alike
    (10.0, (0.1, 1.0))
    """
    check_learner(estimator)
    y, confidence = _targets(X, y), _share(confidence)
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise DataError(f"values is {repr(values)[:60]}; expected several, such as [0.1, 1.0, 10.0].")
    listed = tuple(values)
    known = sorted(estimator.get_params()) if hasattr(estimator, "get_params") and hasattr(estimator, "set_params") else []
    if parameter not in known:
        told = f"one of {', '.join(map(repr, known[:12]))}" if known else "an estimator with get_params and set_params"
        raise DataError(f"parameter is {repr(parameter)[:60]}; expected {told}.")
    if not listed:
        raise DataError("values is empty; expected one value or more, such as [0.1, 1.0, 10.0].")
    steps = [Step(cloned(estimator).set_params(**{parameter: value})) for value in listed]
    sides = _sides(steps, splits_of(folds, seed, X, y, len(y)), X, y, confidence)
    return ValidationCurve(parameter, tuple(map(_own, listed)), *sides, library_of(X))


def _sides(steps: Sequence[Step], splits: Sequence[Split], X: Any, y: Any, confidence: float) -> tuple[Side, Side]:  # noqa: N803
    found = seen_of(steps, splits, X, y)
    wider = wider_for(splits)
    training, validation = (Side(tuple(tuple(pair[side] for pair in row) for row in found), confidence, wider) for side in (0, 1))
    return training, validation


def _targets(X: Any, y: Any) -> Any:  # noqa: N803
    found = finite(y, "y")
    if not hasattr(X, "shape") and not hasattr(X, "__len__"):
        raise DataError(f"X is {repr(X)[:60]}; expected features of n rows: an array, a frame or a sparse matrix.")
    if rows_in(X) != len(found):
        raise DataError(f"X has {rows_in(X):,} rows and y {len(found):,}; expected one target for each row.")
    return found


def _share(confidence: float) -> float:
    if not isinstance(confidence, Real) or not 0 < confidence < 1:
        raise DataError(f"confidence is {confidence!r}; expected a number between 0 and 1, such as 0.95.")
    return confidence


def _own(value: Any) -> Any:
    """Return a number of NumPy as Python's own."""
    return value.item() if type(value).__module__ == "numpy" and getattr(value, "ndim", 1) == 0 else value
