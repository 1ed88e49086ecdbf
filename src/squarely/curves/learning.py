"""LearningCurve: is more data worth it, and is it bias or variance that holds a learner back?"""

import math
from functools import cached_property

import numpy as np

from squarely.curves.curve import Curve
from squarely.curves.law import PowerLaw, fitted, nearest
from squarely.decompose.learner import Floats
from squarely.intervals.student import quantile
from squarely.plain import percent

__all__ = ["LearningCurve"]

_MET, _APART = 0.1, 1 / 3  # of the validation error: gaps that are nothing and that are much
_WORTH, _HARDLY = 0.05, 0.02  # of the error: what twice the rows should save


class LearningCurve(Curve):
    """Errors along numbers of rows; ``law`` is the inverse power law that they follow, or None.

    Examples
    --------
    >>> import numpy as np, squarely as sq
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 5))
    >>> curve = sq.learning_curve(sq.linear.LinearRegression(), X, X[:, 0] + rng.normal(size=200), sizes=[20, 40, 80, 160])
    >>> curve.values, bool(curve.gap[0] > curve.gap[-1] > 0)
    ((20, 40, 80, 160), True)
    """

    _title = "Learning curve"

    @cached_property
    def law(self) -> PowerLaw | None:
        """The law of the validation MSE."""
        return fitted(self._rows_seen, self.validation.mse)

    @property
    def _rows_seen(self) -> Floats:
        return np.array(self.values, float)

    @cached_property
    def saving(self) -> tuple[float, float, float]:
        """The share of the validation MSE that twice the rows would save, by the law, and the ends of its interval over folds; nan without one."""
        most, count = float(self.values[-1]), self.folds
        if self.law is None:
            return math.nan, math.nan, math.nan
        value = self.law.saving(most)
        if count < 2:
            return value, math.nan, math.nan
        left = np.array([nearest(self._rows_seen, errors).saving(most) for errors in self.validation.without_each.T])
        error = self.validation.wider * math.sqrt((count - 1) / count * float(np.square(left - left.mean()).sum()))
        reach = quantile(self.validation.confidence, count - 1) * error
        return value, max(value - reach, 0.0), min(value + reach, 1.0)

    @property
    def _finding(self) -> str:
        return (
            f"Trained with {self.name_of(self.values[-1])} rows the validation MSE is {self.interval_words(-1)}, "
            f"the training MSE {self.training.mse[-1]:.4g}; R2 is {self.validation.r2[-1]:.4g}."
        )

    @property
    def _advice(self) -> str:
        return f"{self._of_rows()} {self._of_gap()}".strip()

    def _of_rows(self) -> str:
        """Say whether more data are worth it."""
        value, low, high = self.saving
        if math.isnan(value):
            return self._of_last_step()
        sure = f" ({percent(low)} to {percent(high)})" if math.isfinite(low + high) else ""
        low, high = (low, high) if sure else (value, value)
        worth = "more data are worth it" if low > _WORTH else "more data are hardly worth it" if high < _HARDLY else "more data may be worth it"
        return f"Twice the rows would lower it by about {percent(value)}{sure}: {worth}."

    def _of_last_step(self) -> str:
        if len(self.values) < 2:
            return ""
        before, last = self.validation.mse[-2:].tolist()
        if not (before > 0 and math.isfinite(before + last)):
            return ""
        fell = f"fell by {percent(1 - last / before)}" if last < before else "did not fall"
        return f"From {self.name_of(self.values[-2])} rows on it {fell}; the curve follows no inverse power law, so more is not foretold."

    def _of_gap(self) -> str:
        """Say whether bias or variance holds it back."""
        error, gap = float(self.validation.mse[-1]), float(self.gap[-1])
        if not (error > 0 and math.isfinite(gap)):
            return ""
        share = gap / error
        if share < _MET:
            return "Training and validation have met: what is left is bias or noise, which a richer model or better features may mend."
        apart = f"The gap to training is {percent(share)} of it"
        if share > _APART:
            return f"{apart}: variance, which a simpler model, a stronger penalty or more rows would mend."
        return f"{apart}: some variance, and otherwise bias or noise."
