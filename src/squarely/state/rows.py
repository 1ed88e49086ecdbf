"""Rows: arrays that can be read again, for answers that one pass over them cannot give."""

import math
from collections.abc import Mapping
from fractions import Fraction
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from squarely import _core, validate
from squarely.errors import DataError
from squarely.state.pairs import PairState, under
from squarely.state.ratio import Ratio
from squarely.state.sizes import parts_of, share_of
from squarely.state.sums import NoAnswerError, Sums
from squarely.state.terms import NOTHING, RECIPES, Plan, Term
from squarely.state.threads import threads_for

__all__ = ["Rows", "seasonal_scale"]

Array = npt.NDArray[Any]


class Outside(NamedTuple):
    """A row outside a domain: where it is, and its values in words."""

    row: int
    values: str


def seasonal_scale(y_train: Any, seasonality: int, power: int) -> float:
    """Return the mean absolute (power 1) or root mean square (power 2) difference of a series to itself one season before."""
    if not isinstance(seasonality, int | np.integer) or isinstance(seasonality, bool) or seasonality < 1:
        raise DataError(f"seasonality is {seasonality!r}; expected a whole number of at least 1: the rows of a season.")
    series, missing = validate.column(y_train, "y_train")
    if missing is not None or (series.dtype.kind == "f" and not np.isfinite(series).all()):
        raise DataError("y_train has a missing or infinite value. Fill the series, or give scale instead.")
    if len(series) <= seasonality:
        raise DataError(f"y_train has {len(series)} rows; expected more than one season of {seasonality}.")
    sums = PairState.of(series[seasonality:], series[:-seasonality]).sums
    scale = Ratio(sums.absolute_error, sums.w) if power == 1 else Ratio(sums.squared_error, sums.w).root()
    if scale.numerator == 0:
        raise DataError(f"y_train repeats itself every {seasonality} rows, so that the naive forecast misses nothing. Give scale instead.")
    return scale.rounded(sums.scale)


class Rows:
    """Targets, predictions, weights and further columns by name, as they were given.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n,)
    sample_weight : array-like of shape (n,), optional
    columns : mapping from name to array-like of shape (n,)
    whole : bool
        Whether they are columns that the core has read, and every row has a target and a prediction.
    """

    __slots__ = ("_judged", "columns", "sample_weight", "y_pred", "y_true")

    def __init__(
        self, y_true: Any, y_pred: Any, sample_weight: Any = None, columns: Mapping[str, Any] = MappingProxyType({}), whole: bool = False
    ) -> None:
        self.y_true, self.y_pred, self.sample_weight, self.columns = y_true, y_pred, sample_weight, columns
        self._judged: tuple[Array, Array, Array | None] | None = (y_true, y_pred, None) if whole and sample_weight is None else None

    @property
    def _kept(self) -> tuple[Array, Array, Array | None]:
        """Targets, predictions and weights of the rows that a state keeps."""
        if self._judged is None:
            self._judged = self._keep()
        return self._judged

    def _keep(self) -> tuple[Array, Array, Array | None]:
        y, p, w, _ = validate.pair_columns(self.y_true, self.y_pred, self.sample_weight)
        kept = np.isfinite(y) & np.isfinite(p) if w is None else np.isfinite(y) & np.isfinite(p) & (w > 0)
        return (y, p, w) if kept.all() else (y[kept], p[kept], None if w is None else w[kept])

    def mean_under(self, prediction: float, plan: Plan, sums: Sums) -> Ratio:
        """Return the mean of the one term of a plan under a constant prediction; ``sums`` are those of the same rows."""
        y, _, w = self._judged or self._kept
        return sums.mean_from(under(prediction, plan, y, w).term(0))

    def constant(self, prediction: Any) -> Sums:
        """Return the sums of the same rows under a constant prediction."""
        y, _, w = self._kept
        return Sums(under(prediction, NOTHING, y, w), NOTHING, {})

    def best_constant(self, alpha: float) -> Sums:
        """Return the sums under the constant with the least pinball loss: the quantile of the target, one of its values."""
        y, _, w = self._kept
        if not len(y):
            return PairState().sums
        if w is None:
            top, bottom = float(alpha).as_integer_ratio()
            rank = max(0, -(-top * len(y) // bottom) - 1)
            return self.constant(np.partition(y, rank)[rank])
        corners = np.unique(y)
        low, high = 0, len(corners) - 1
        while low < high:  # the loss is convex: it falls up to the best corner, and not after it
            middle = (low + high) // 2
            if _is_better(self.constant(corners[middle + 1]), self.constant(corners[middle]), alpha):
                low = middle + 1
            else:
                high = middle
        return self.constant(corners[low])

    def error_quantile(self, level: float | Fraction) -> tuple[float, float]:
        """Return the values of |y - p| on both sides of a quantile."""
        y, p, w = self._kept
        return _core.quantile(y, p, w, *parts_of(level), False, threads_for(len(y)))

    def target_quantile(self, level: float) -> Ratio:
        """Return a quantile of the target, the mean of both values where the level falls between two."""
        y, p, w = self._kept
        if y.dtype.kind not in "iu":
            return Ratio.middle(*_core.quantile(y, p, w, *parts_of(level), True, threads_for(len(y))))
        values, ranks = np.unique(y, return_inverse=True)  # long integers are no doubles; their ranks are
        lower, upper = _core.quantile(ranks, p, w, *parts_of(level), True, threads_for(len(y)))
        return Ratio(int(values[int(lower)]) + int(values[int(upper)]), 2)

    def trimmed_square(self, trim: float, winsorised: bool) -> Ratio:
        """Return the mean square of the smallest share 1 - trim of the errors; the others are left out, or set back to the largest of them."""
        y, p, w = self._kept
        share = 1 - share_of(trim)
        limit = self.error_quantile(share)[0]
        if not math.isfinite(limit):
            return Ratio.of(math.inf)
        sizes = np.empty(len(y))
        _core.pointwise(RECIPES["absolute_error"], y, p, [], (), sizes)
        small = sizes < limit
        inner = PairState.of(y[small], p[small], None if w is None else w[small]).sums
        weight = PairState.of(y, p, w).sums.observations
        kept = weight if winsorised else weight * Ratio(*share.as_integer_ratio())
        squares = inner.total(inner.squared_error, 2)
        limit_ratio = Ratio.of(limit)
        return (squares + (kept - inner.observations) * limit_ratio * limit_ratio) / kept if kept.numerator else Ratio(0, 0)

    def mean_deviation(self) -> Ratio:
        """Return the mean of |y - m| with m the mean of y: twice what lies above m, less m for each, for as much lies below."""
        y, p, w = self._kept
        whole = PairState.of(y, p, w).sums
        mean = whole.absolute(Ratio(whole.y, whole.w), 1)
        rows = _beyond(y, mean, np.greater)
        above = PairState.of(y[rows], p[rows], None if w is None else w[rows]).sums
        return 2 * (above.total(above.y, 1) - mean * above.total(above.w, 0)) / whole.total(whole.w, 0)

    def potential_error(self) -> Ratio:
        """Return the mean of (|p - m| + |y - m|)^2 with m the mean of y: (y - p)^2 where m lies between, and else (y + p - 2m)^2."""
        y, p, w = self._kept
        whole = PairState.of(y, p, w).sums
        mean = whole.absolute(Ratio(whole.y, whole.w), 1)
        above, below = (_beyond(y, mean, side) & _beyond(p, mean, side) for side in (np.greater, np.less))
        one_side = above | below
        across, beside = (PairState.of(y[rows], p[rows], None if w is None else w[rows]).sums for rows in (~one_side, one_side))
        squares = beside.total(beside.yy + 2 * beside.yp + beside.pp, 2) - 4 * mean * beside.total(beside.y + beside.p, 1)
        return (across.total(across.squared_error, 2) + squares + 4 * mean * mean * beside.total(beside.w, 0)) / whole.total(whole.w, 0)

    def other(self, column: str) -> Sums:
        """Return the sums of the same rows under the predictions of another column."""
        y, p, w, _ = validate.pair_columns(self.y_true, self.y_pred, self.sample_weight)
        (other,) = validate.more_columns(self.columns, (column,), self.y_true, self.y_pred)
        kept = np.isfinite(y) & np.isfinite(p)
        if not np.isfinite(other[kept]).all():
            raise DataError(f"{column} is missing or infinite at index {int(np.flatnonzero(kept & ~np.isfinite(other))[0]):,}, where y_pred is not.")
        return PairState.of(y[kept], other[kept], None if w is None else w[kept]).sums

    def after(self, step: int) -> tuple[Sums, Sums]:
        """Return the sums of the rows after the first ``step``, and those under the target of ``step`` rows before as the prediction."""
        y, p, w = self._kept
        if len(y) <= step:
            raise NoAnswerError(f"no row has a target {step} rows before it")
        weight = None if w is None else w[step:]
        return PairState.of(y[step:], p[step:], weight).sums, PairState.of(y[step:], y[:-step], weight).sums

    def first_outside(self, term: Term, prediction: str) -> "Outside | None":
        """Return the first row where a term has no value, of those that a state keeps; ``prediction`` is shown where it has a name."""
        columns = {"y_true": self.y_true, "y_pred": self.y_pred, **{name: self.columns[name] for name in term.columns}}
        known = {name: values if np.ndim(values) == 0 else _with_nan(values, name) for name, values in columns.items()}
        y, p = known["y_true"], known["y_pred"]
        counts = True if self.sample_weight is None else validate.column(self.sample_weight, "sample_weight")[0] != 0
        losses = Rows(y, p, None, {name: known[name] for name in term.columns}).pointwise(term)
        rows = np.flatnonzero(np.isnan(losses) & np.isfinite(y) & np.isfinite(p) & counts)
        if not len(rows):
            return None
        row = int(rows[0])
        shown = {name: values for name, values in known.items() if name != "y_pred" or prediction}
        return Outside(row, ", ".join(f"{name} is {np.broadcast_to(values, losses.shape)[row]}" for name, values in shown.items()))

    def pointwise(self, term: Term) -> npt.NDArray[np.float64]:
        """Return the term of every row; NaN where there is none."""
        (y, no_y), (p, no_p) = (validate.column(values, name) for values, name in ((self.y_true, "y_true"), (self.y_pred, "y_pred")))
        w = None if self.sample_weight is None else validate.column(self.sample_weight, "sample_weight")[0]
        more = validate.more_columns(self.columns, term.columns, y, p)
        out = np.empty(len(y))
        _core.pointwise(RECIPES[term.recipe], y, p, list(term.constants), more, out)
        for missing in (no_y, no_p):
            if missing is not None:
                out[missing] = np.nan
        return out if w is None else np.multiply(out, w, out=np.zeros(len(out)), where=w != 0)


def _with_nan(values: Any, name: str) -> Array:
    column, missing = validate.column(values, name)
    return column if missing is None else np.where(missing, np.nan, column)


def _beyond(values: Array, limit: Ratio, side: np.ufunc) -> npt.NDArray[np.bool_]:
    """Say which values are greater, or less, than a number that may not be a double."""
    if values.dtype.kind in "iu":
        whole = limit.numerator // limit.denominator if side is np.greater else -(-limit.numerator // limit.denominator)
        return np.asarray(side(values, whole), np.bool_)
    values, near = values.astype(np.float64), limit.rounded()
    difference = Ratio.of(near) - limit
    itself = bool(side(difference.numerator if difference.denominator > 0 else -difference.numerator, 0))
    return np.asarray(side(values, near) | ((values == near) & itself), np.bool_)


def _is_better(a: Sums, b: Sums, alpha: float) -> bool:
    """Compare two pinball losses over the same targets and weights, exactly."""
    top, bottom = float(alpha).as_integer_ratio()
    low = min(a.linear_scale, b.linear_scale)
    loss_a, loss_b = ((top * s.below + (bottom - top) * s.above) << (s.linear_scale - low) for s in (a, b))
    return loss_a < loss_b
