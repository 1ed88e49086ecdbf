"""Metrics as scorers, for whatever of scikit-learn takes a `scoring` argument."""

from collections.abc import Callable
from typing import Any

from squarely.errors import DataError, MissingExtraError
from squarely.metric import Metric, read
from squarely.validate import check_policy

__all__ = ["scorer"]

_NEGATED = "neg_"  # how scikit-learn writes an error that is turned into a score


def scorer(metric: Any, /, **parameters: Any) -> Any:
    """Return a scikit-learn scorer of a metric: a callable ``(estimator, X, y)`` whose larger values are better.

    An error or a loss is negated. It goes where scikit-learn takes ``scoring``, one or many at once.

    Parameters
    ----------
    metric : str, Metric or metric function
        A name or alias such as "rmse" or "mean_pinball_loss(alpha=0.9)"; scikit-learn's "neg_root_mean_squared_error" means the same
        scorer as "root_mean_squared_error".
    **parameters
        Keywords of the metric's function: its settings, ``multioutput``, ``nan_policy``.

    Returns
    -------
    scikit-learn scorer
        What ``sklearn.metrics.make_scorer`` makes of the function; ``set_score_request(sample_weight=True)`` routes weights to it.

    Raises
    ------
    DataError
        The metric has no such setting, or no direction to optimise; or ``neg_`` stands before a score, which is better higher already.
    UnknownMetricError
        There is no metric of this name.
    MissingExtraError
        scikit-learn is not installed.

    Examples
    --------
    >>> from sklearn.dummy import DummyRegressor
    >>> from sklearn.model_selection import cross_val_score
    >>> X, y = [[0], [0], [0], [0]], [1.0, 1.0, 3.0, 3.0]
    >>> cross_val_score(DummyRegressor(), X, y, cv=2, scoring=scorer("rmse")).tolist()
    [-2.0, -2.0]
    >>> cross_val_score(DummyRegressor(), X, y, cv=2, scoring=scorer("pinball", alpha=0.75)).tolist()
    [-0.5, -1.5]
    """
    asked, negated = _without_sign(metric)
    _, declared, named = read(asked)
    settings = named | parameters
    if declared.direction == "target":
        best = "neither high nor low is better" if declared.best is None else f"it is best at {declared.best:g}, and can be missed on both sides"
        raise DataError(f'{declared.name} has no direction to optimise: {best}. Score by an error such as "rmse", and read it from sq.evaluate.')
    if negated and declared.direction == "higher":
        raise DataError(f"{str(metric)[:60]!r}: {declared.name} is a score, where higher is better already. Write {asked[:60]!r}.")
    _check(declared, settings)
    return _make_scorer()(declared.function, greater_is_better=declared.direction == "higher", **settings)


def _without_sign(metric: Any) -> tuple[Any, bool]:
    """Return what is asked for without scikit-learn's sign, and whether it had one."""
    negated = isinstance(metric, str) and metric.strip().startswith(_NEGATED)
    return (metric.strip().removeprefix(_NEGATED), True) if negated else (metric, False)


def _check(metric: Metric, settings: dict[str, Any]) -> None:
    """Refuse what else would fail when the first model is scored, where scikit-learn makes a nan of it."""
    if "sample_weight" in settings:
        raise DataError(
            "sample_weight belongs to the rows of each fold, not to a scorer. Route it: "
            'sq.scorer(...).set_score_request(sample_weight=True), and params={"sample_weight": weights} where the folds are made.'
        )
    of_metric = dict(settings)
    multioutput = of_metric.pop("multioutput", None)
    if isinstance(multioutput, str):
        metric.check_multioutput(multioutput)
        if multioutput == "raw_values":
            raise DataError('a scorer needs one number for all outputs, and "raw_values" gives one for each. Take "uniform_average" or "pooled".')
    check_policy(of_metric.pop("nan_policy", "raise"))
    if metric.constant == "force_finite":
        metric.check_force_finite(of_metric.pop("force_finite", True))
    if of_metric.pop("reduction", "mean") != "mean":
        raise DataError('a scorer needs one number, and reduction="none" gives one for each row. Leave it out.')
    if metric.training and of_metric.pop("y_train", None) is not None:
        of_metric["scale"] = "scale"  # the function makes it
    of_metric.pop("seasonality" if metric.training else "", None)
    if metric.inputs:
        raise DataError(
            f"{metric.name} takes {' and '.join(metric.inputs)} of each row, and a model's predict() gives one number. Call the function."
        )
    metric.check({name: "a column" if name in metric.columns and not isinstance(value, str) else value for name, value in of_metric.items()})


def _make_scorer() -> Callable[..., Any]:
    try:
        from sklearn.metrics import make_scorer
    except ImportError as error:
        raise MissingExtraError('a scorer needs scikit-learn. Install it: pip install "squarely[sklearn]".') from error
    found: Callable[..., Any] = make_scorer
    return found
