"""Bias, variance and noise of a learner, from repeated fits."""

from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import numpy as np

from squarely.decompose.learner import Floats, check_learner, finite, predicted, rows_in, taken, whole_number
from squarely.decompose.of_fits import BiasVariance
from squarely.decompose.repeated import Fits
from squarely.errors import DataError
from squarely.evaluate import library_of
from squarely.validate import dimensions, output_columns

__all__ = ["bias_variance"]

Sample = tuple[Any, Any]  # X and y of a training sample


def bias_variance(
    estimator: Any,
    X: Any,  # noqa: N803  # scikit-learn's name
    y: Any = None,
    *,
    X_test: Any = None,  # noqa: N803
    y_test: Any = None,
    truth: Any = None,
    noise: float | None = None,
    repeats: int = 200,
    seed: int = 0,
) -> BiasVariance:
    r"""Take the expected squared error of a learner apart into squared bias, variance and noise, by fitting it again and again.

    .. math:: \mathrm E (y - \hat f(x))^2 = (\mathrm E \hat f(x) - f(x))^2 + \mathrm{Var} \hat f(x) + \sigma^2

    Parameters
    ----------
    estimator : object with ``fit(X, y)`` and ``predict(X)``
        A clone of it is fitted to each sample.
    X : array-like of shape (n, p), a frame, or a callable
        Rows, of which samples are drawn with replacement (the bootstrap); or what draws a fresh sample: from a NumPy random generator to X and y.
    y : array-like of shape (n,)
        The targets of rows; none goes with a callable.
    X_test : array-like of k points, optional
        Without it each row is predicted by the fits whose sample it is not in (out of bag).
    y_test : array-like of shape (k,) or (k, m), optional
        One target at each point of ``X_test``, or m >= 2 independent ones, which tell noise from bias.
    truth : array-like of shape (k,), optional
        In place of ``y_test``: the expected target at each point, without noise.
    noise : float, optional
        The variance of a target around the truth, in the unit of the target squared; with ``truth`` it is 0 where none is given.
    repeats : int
        How many samples are drawn and fitted, at least 2.
    seed : int
        Of the generator: the same seed gives the same samples.

    Returns
    -------
    BiasVariance
        Its parts are "bias" (squared), "variance" and "noise"; or "bias and noise", which one target at each point cannot tell apart, and
        "variance". They add up to ``total`` exactly: the mean of all squared errors. ``.se``, ``.r2``, ``.points``, ``.verdict``, ``.to_html()``.

    Raises
    ------
    DataError
        The estimator cannot be fitted, shapes differ, a target or a prediction is not finite, or what is given contradicts itself.

    Notes
    -----
    The mean of a few fits is off that of many, so a plain squared bias is too large by variance / repeats. That is taken off it and left with
    the variance, whose divisor is repeats - 1: both are without bias, and the sum is the same. So a bias of 0 may come out a little below.

    A bootstrap stands in for fresh samples: its variance is near that of the learner where a fit is smooth in the rows, and its bias is that of
    a learner that sees about 63 % of them. Do not use it where rows hang together.

    References
    ----------
    Geman, S., Bienenstock, E. and Doursat, R. (1992), Neural Computation 4(1), doi:10.1162/neco.1992.4.1.1.

    Examples
    --------
    >>> import numpy as np, squarely as sq
    >>> class Mean:
    ...     def fit(self, x, y): self.mean = y.mean()
    ...     def predict(self, x): return np.full(len(x), self.mean)
    >>> x = np.linspace(0, 1, 20)
    >>> parts = sq.bias_variance(Mean(), lambda rng: (x, x + rng.normal(size=20)), X_test=x, truth=x, noise=1.0, seed=2, repeats=500)
    >>> round(parts["bias"].value, 2), round(parts["variance"].value, 2), parts["noise"].value
    (0.09, 0.05, 1.0)
    """
    check_learner(estimator)
    repeats, seed = whole_number(repeats, "repeats", 2), whole_number(seed, "seed", 0)
    if noise is not None and (isinstance(noise, bool) or not isinstance(noise, int | float | np.floating) or not 0 <= noise < np.inf):
        raise DataError(f"noise is {repr(noise)[:60]}; expected a variance: a finite number of at least 0.")
    samples = _fresh(X, y, repeats, seed) if callable(X) else _resampled(X, y, repeats, seed)
    if X_test is None and (callable(X) or y_test is not None or truth is not None):
        raise DataError("there is no X_test; expected points to predict. Rows in a bag of their own need neither y_test nor truth.")
    if X_test is not None and (truth is None) == (y_test is None):
        raise DataError("X_test needs y_test=, one or more targets at each point, or truth=, the expected target at each; give one of them.")
    apart = X_test is not None  # the points that are predicted from the rows that are fitted
    if X_test is None:
        X_test, targets = X, finite(y, "y")[:, None]  # noqa: N806
    else:
        targets = finite(truth, "truth")[:, None] if truth is not None else _columns(y_test)
    if noise is not None and targets.shape[1] > 1:
        raise DataError(f"y_test has {targets.shape[1]} targets at each point, which tell the noise themselves: leave noise= out.")
    if len(targets) != rows_in(X_test):
        raise DataError(f"there are targets at {len(targets):,} points, and X_test has {rows_in(X_test):,}; expected one for each.")
    table = np.full((len(targets), repeats), np.nan)
    for at, (train, out) in enumerate(samples):
        if apart:
            table[:, at] = predicted(estimator, train, X_test)[0]
        elif len(out):
            table[out, at] = predicted(estimator, train, taken(X_test, out))[0]
    known = Fraction(float(noise or 0.0)) if truth is not None or noise is not None else None
    return BiasVariance.of(Fits(table, targets, truth is not None), known, _line(X_test, len(targets)), library_of(X_test))


def _fresh(draw: Callable[[Any], Sample], y: Any, repeats: int, seed: int) -> Iterator[tuple[Sample, None]]:
    if y is not None:
        raise DataError("X draws samples of X and y, so there is no place for y. Leave it out.")
    rng = np.random.default_rng(seed)
    return ((draw(rng), None) for _ in range(repeats))


def _resampled(X: Any, y: Any, repeats: int, seed: int) -> Iterator[tuple[Sample, Any]]:  # noqa: N803
    """Return samples of rows with replacement, each with the rows that it lacks."""
    if y is None:
        raise DataError("there is no y; expected a target for each row of X, or an X that draws samples of both.")
    targets, rng = finite(y, "y"), np.random.default_rng(seed)
    if len(targets) != rows_in(X):
        raise DataError(f"X has {rows_in(X):,} rows and y {len(targets):,}; expected one target for each row.")

    def samples() -> Iterator[tuple[Sample, Any]]:
        for _ in range(repeats):
            rows = rng.integers(len(targets), size=len(targets))
            yield (taken(X, rows), targets[rows]), np.setdiff1d(np.arange(len(targets)), rows)

    return samples()


def _columns(y_test: Any) -> Any:
    columns = [y_test] if dimensions(y_test) == 1 else output_columns(y_test, "y_test")
    return np.stack([finite(each, "y_test") for each in columns], axis=1)


def _line(X: Any, points: int) -> Floats | None:  # noqa: N803
    """Return the points where they are numbers on a line, to draw along them."""
    try:
        found = np.asarray(X, np.float64)
    except (TypeError, ValueError):
        return None
    return found.ravel() if found.size == points and np.isfinite(found).all() else None
