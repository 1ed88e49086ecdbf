"""Bias, variance and noise of a learner, from repeated fits."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from squarely.decompose.parts import Decomposition, Split
from squarely.decompose.sums import mean_square
from squarely.errors import DataError
from squarely.state import PairState

__all__ = ["decompose_fits"]

Floats = npt.NDArray[np.float64]
_WORDS = {
    "bias": "the mean of the fits is off the truth: a richer model would mend it",
    "variance": "fits differ from sample to sample: more data or a simpler model would mend it",
    "noise": "targets scatter around the truth: no model mends it",
}


def decompose_fits(
    make_model: Callable[[], Any],
    draw_sample: Callable[[np.random.Generator], tuple[Any, Any]],
    x_test: Any,
    *,
    truth: Any = None,
    noise: float = 0.0,
    replicates: Any = None,
    repeats: int = 100,
    seed: int = 0,
) -> Decomposition:
    r"""Take the expected squared error of a learner apart into squared bias, variance and noise, by fitting it again and again.

    .. math:: \mathrm E (y - \hat f(x))^2 = (\mathrm E \hat f(x) - f(x))^2 + \mathrm{Var} \hat f(x) + \sigma^2

    Parameters
    ----------
    make_model : callable
        Returns a new model with ``fit(x, y)`` and ``predict(x)``.
    draw_sample : callable
        From a NumPy random generator to the x and y of a training sample: fresh ones of a simulation, or rows drawn with replacement.
    x_test : array-like of n points
    truth : array-like of shape (n,), optional
        The expected target at each point, without noise.
    noise : float
        With ``truth``: the variance of the target around it, in the unit of the target squared.
    replicates : array-like of shape (n, m), optional
        In place of ``truth``: m >= 2 independent targets at each point, which tell noise from bias.
    repeats : int
        How many samples are drawn and fitted, at least 2.
    seed : int
        Of the generator: the same seed gives the same samples.

    Returns
    -------
    Decomposition
        Its parts are "bias" (squared), "variance" and "noise"; they add up to ``total`` exactly. Few repeats make the bias too large, by
        a share 1 / repeats of the variance.

    Raises
    ------
    DataError
        There is neither a truth nor replicates, for one target at each point cannot tell noise from bias; or shapes differ.

    Notes
    -----
    Do not read the bias of rows drawn with replacement from one sample as that of the learner: its truth must come from elsewhere.

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
    >>> parts = sq.decompose_fits(Mean, lambda rng: (x, x + rng.normal(size=20)), x, truth=x, noise=1.0, seed=2, repeats=500)
    >>> round(parts["bias"].value, 1), round(parts["variance"].value, 2), parts["noise"].value
    (0.1, 0.05, 1.0)
    """
    if (truth is None) == (replicates is None):
        raise DataError(
            "give truth=, the expected target at each point, or replicates=, two or more targets at each: one target cannot tell noise from bias."
        )
    if not isinstance(repeats, int) or repeats < 2:
        raise DataError(f"repeats is {str(repeats)[:60]}; expected a whole number of at least 2.")
    targets = _column(truth, "truth")[:, None] if truth is not None else _replicates(replicates)
    if truth is None and noise:
        raise DataError("noise goes with truth; replicates tell it themselves.")
    if not 0 <= noise < np.inf:
        raise DataError(f"noise is {noise}; expected a variance: a finite number of at least 0.")
    fits = _fitted(make_model, draw_sample, x_test, repeats, np.random.default_rng(seed), len(targets))
    return Decomposition("fits", _WORDS, {"fits": _split(fits, targets, noise)})


def _split(fits: Floats, targets: Floats, noise: float) -> Split:
    """Return the parts; what noise adds to the squared error of mean targets is counted as noise, not as bias."""
    repeats, points = fits.shape
    m = targets.shape[1]
    center = targets.mean(axis=1)
    distance = mean_square(PairState.of(np.tile(center, repeats), fits.ravel()).sums)
    plain = mean_square(PairState.of(center, fits.mean(axis=0)).sums)
    if m == 1:
        return Split(distance + Fraction(noise), {"bias": plain, "variance": distance - plain, "noise": Fraction(noise)}, points)
    scatter = mean_square(PairState.of(targets.ravel(), np.repeat(center, m)).sums) * m / (m - 1)
    bias = plain - scatter / m
    return Split(distance - scatter / m + scatter, {"bias": bias, "variance": distance - plain, "noise": scatter}, points)


def _fitted(make_model: Any, draw_sample: Any, x_test: Any, repeats: int, rng: np.random.Generator, points: int) -> Floats:
    rows = []
    for _ in range(repeats):
        model = make_model()
        model.fit(*draw_sample(rng))
        row = _column(model.predict(x_test), "a prediction")
        if len(row) != points:
            raise DataError(f"the model predicts {len(row)} values for {points} points; expected one for each.")
        rows.append(row)
    return np.stack(rows)


def _column(values: Any, name: str) -> Floats:
    column = np.asarray(values, np.float64)
    if column.ndim == 2 and column.shape[1] == 1:
        column = column[:, 0]
    if column.ndim != 1 or not np.isfinite(column).all():
        raise DataError(f"{name} has shape {column.shape}; expected one column of finite numbers.")
    return column


def _replicates(values: Any) -> Floats:
    table = np.asarray(values, np.float64)
    if table.ndim != 2 or table.shape[1] < 2 or not np.isfinite(table).all():
        raise DataError(f"replicates has shape {table.shape}; expected two or more finite targets at each point: (n, m).")
    return table
