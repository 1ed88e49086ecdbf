"""ValidationCurve: which value of a parameter is best, and which are not told apart from it."""

import math
from typing import Any

import numpy as np

from squarely.curves.curve import Curve
from squarely.intervals.student import quantile
from squarely.plain import one_line

__all__ = ["ValidationCurve"]


class ValidationCurve(Curve):
    """Errors along values of a parameter; ``best`` is that of the least validation MSE, ``alike`` are those not told apart from it.

    Examples
    --------
    >>> import numpy as np, squarely as sq
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(60, 20))
    >>> curve = sq.validation_curve(sq.linear.Ridge(), X, X[:, 0] + rng.normal(size=60), parameter="alpha", values=[0.1, 1.0, 10.0, 100.0, 1000.0])
    >>> curve.best
    10.0
    """

    _title = "Validation curve"

    @property
    def best_at(self) -> int:
        """The place of the best value."""
        return int(np.nanargmin(self.validation.mse))

    @property
    def best(self) -> Any:
        """The value of the least validation MSE; of equals the first."""
        return self.values[self.best_at]

    @property
    def alike(self) -> tuple[Any, ...]:
        """Other values whose errors on the same folds do not differ from those of the best by more than chance: a paired t interval holds 0.

        Where there is one fold nothing is known of chance, and there are none.
        """
        apart = self.validation.fold_mse - self.validation.fold_mse[self.best_at]
        if self.folds < 2:
            return ()
        error = self.validation.wider * apart.std(axis=1, ddof=1) / math.sqrt(self.folds)
        reach = quantile(self.validation.confidence, self.folds - 1) * error
        return tuple(value for at, value in enumerate(self.values) if at != self.best_at and apart[at].mean() <= reach[at])

    @property
    def _finding(self) -> str:
        at, name = self.best_at, one_line(self.along)
        return (
            f"The validation MSE is least with {name} = {self.name_of(self.best)}: {self.interval_words(at)}, "
            f"where the training MSE is {self.training.mse[at]:.4g} and R2 {self.validation.r2[at]:.4g}."
        )

    @property
    def _advice(self) -> str:
        said = []
        if self.alike:
            names = [self.name_of(value) for value in self.alike]
            shown = ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
            said.append(f"Not told apart from it, on the same {self.folds} folds: {shown}.")
        numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in self.values)
        if numbers and len(self.values) > 1 and self.best in (min(self.values), max(self.values)):
            end, more = ("largest", "larger") if self.best == max(self.values) else ("smallest", "smaller")
            said.append(f"It is the {end} of the values: try {more} ones too.")
        return " ".join(said)
