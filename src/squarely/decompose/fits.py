"""Bias, variance and noise of a learner, from repeated fits."""

import operator
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from squarely.decompose.parts import Decomposition, Split, Used
from squarely.decompose.sums import bias_and_variance, in_unit
from squarely.errors import DataError
from squarely.state import sums_of_groups
from squarely.validate import column, output_columns

__all__ = ["decompose_fits"]

Numbers = npt.NDArray[Any]
_WORDS = {
    "bias": "the mean of the fits is off the truth: a richer model would mend it",
    "variance": "fits differ from sample to sample: more data or a simpler model would mend it",
    "noise": "targets scatter around the truth: no model mends it",
}


def decompose_fits(
    make_model: Callable[[], Any],
    draw_sample: "Callable[[np.random.Generator], tuple[Any, Any]]",  # in quotes, for numpy.random is slow to load
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
    repeats, seed = _whole(repeats, "repeats", 2), _whole(seed, "seed", 0)
    if isinstance(noise, bool) or not isinstance(noise, int | float | np.floating) or not 0 <= noise < np.inf:
        raise DataError(f"noise is {repr(noise)[:60]}; expected a variance: a finite number of at least 0.")
    if truth is None and noise:
        raise DataError("noise goes with truth; replicates tell it themselves.")
    targets = _points(truth, "truth") if truth is not None else _several(replicates)
    rng = np.random.default_rng(seed)
    fits = np.concatenate([_fit(make_model, draw_sample, x_test, rng, len(targets), at) for at in range(repeats)], axis=1)
    split = _split(fits, targets, Fraction(float(noise)))
    return Decomposition("fits", _WORDS, {"fits": split}, {"fits": Used(len(targets), len(targets))})


def _split(fits: Numbers, targets: Numbers, noise: Fraction) -> Split:
    """Return the parts; what noise adds to the squared error of mean targets is counted as noise, not as bias."""
    center, scatter = _moments(targets)
    mean, variance = _moments(fits)
    points, m = targets.shape
    off = sum(((a - b) ** 2 for a, b in zip(mean, center, strict=True)), Fraction(0)) / points
    if m > 1:
        noise = sum(scatter, Fraction(0)) / points * m / (m - 1)
    return Split({"bias": off - noise / m if m > 1 else off, "variance": sum(variance, Fraction(0)) / points, "noise": noise})


def _moments(table: Numbers) -> tuple[list[Fraction], list[Fraction]]:
    """Return mean and variance of every row of a table, as fractions."""
    points = np.repeat(np.arange(len(table), dtype=np.int32), table.shape[1])
    values = np.ascontiguousarray(table).ravel()
    rows = list(sums_of_groups(values, np.zeros(len(values)), None, points))
    return [in_unit(s, s.y, s.w, 1) for s in rows], [bias_and_variance(s).parts["variance"] for s in rows]


def _fit(make_model: Any, draw_sample: Any, x_test: Any, rng: "np.random.Generator", points: int, at: int) -> Numbers:
    model = make_model()
    model.fit(*draw_sample(rng))
    predicted = _points(model.predict(x_test), f"the prediction of fit {at}")
    if len(predicted) != points:
        raise DataError(f"the model predicts {len(predicted)} values for {points} points; expected one for each.")
    return predicted


def _points(values: Any, name: str) -> Numbers:
    """Return finite numbers, one for each point, as a column."""
    found, missing = column(values, name)
    bad = ~np.isfinite(found) if missing is None else ~np.isfinite(found) | missing
    if bad.any():
        raise DataError(f"{name} is not finite at point {int(np.flatnonzero(bad)[0])}; expected a number. Leave the point out of x_test too.")
    if not len(found):
        raise DataError(f"{name} is empty; expected one number for each of n points, n >= 1.")
    return found[:, None]


def _several(replicates: Any) -> Numbers:
    columns = [_points(each, "replicates") for each in output_columns(replicates, "replicates")]
    if len(columns) < 2:
        raise DataError(f"replicates has {len(columns)} column; expected two or more targets at each of n points: (n, m).")
    return np.concatenate(columns, axis=1)


def _whole(value: Any, name: str, least: int) -> int:
    try:
        number = operator.index(value)
    except TypeError:
        number = least - 1
    if number < least or isinstance(value, bool):
        raise DataError(f"{name} is {repr(value)[:60]}; expected a whole number of at least {least}.")
    return number
