"""What is declared of a metric, and what it answers on sums."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Protocol, overload

import numpy as np
import numpy.typing as npt

from squarely.errors import DataError
from squarely.metric.parameter import Parameter
from squarely.state import PairState, Ratio, Sums

__all__ = ["Metric", "MetricFunction", "Value"]

_DEGREE = {"y^2": 2, "y": 1, "1": 0}


class Value(NamedTuple):
    """An answer: a number, and where it is nan the reason."""

    value: float
    reason: str | None = None


class MetricFunction(Protocol):
    """A metric as it is called."""

    __name__: str
    __qualname__: str

    @overload
    def __call__(
        self, y_true: Any, y_pred: Any, *, sample_weight: Any = None, multioutput: Literal["raw_values"], nan_policy: str = "raise", **parameters: Any
    ) -> npt.NDArray[np.float64]: ...

    @overload
    def __call__(
        self,
        y_true: Any,
        y_pred: Any,
        *,
        sample_weight: Any = None,
        multioutput: Any = "uniform_average",
        nan_policy: str = "raise",
        **parameters: Any,
    ) -> float: ...


@dataclass(eq=False)
class Metric:
    """Everything squarely knows of a metric.

    Parameters
    ----------
    title, family, reference, tex : str
        What a reader is told.
    unit : "y^2", "y" or "1"
        How it scales with the data.
    direction : "lower", "higher" or "target"
        What is better; with "target" the best value is a goal from both sides.
    best : float, optional
        The value of a perfect prediction.
    undefined : str
        Why there is no value where the formula divides by 0.
    settings : mapping of Parameter
        The keywords of the formula after the sums.
    shift_invariant : bool
        Whether a constant added to y and p changes nothing.
    minimum_n : int
        Rows without which there is no value.
    constant : "undefined", "finite" or "force_finite"
        What the function makes of a constant target: nan; 1 where the error is 0 too and else 0, as scikit-learn has it; or
        one of the two, by a keyword.
    baseline : bool
        Whether the formula also takes the sums of the best constant prediction, as its second argument.
    """

    title: str
    family: str
    unit: str
    direction: str
    tex: str
    reference: str
    aliases: tuple[str, ...] = ()
    best: float | None = None
    undefined: str = "its divisor is 0"
    settings: Mapping[str, Parameter] = field(default_factory=dict)
    shift_invariant: bool = True
    minimum_n: int = 1
    constant: str = "undefined"
    baseline: bool = False
    formula: Callable[..., Ratio] = field(init=False)
    function: MetricFunction = field(init=False)
    name: str = field(init=False)
    degree: int = field(init=False)

    def __post_init__(self) -> None:
        self.degree = _DEGREE[self.unit]

    @property
    def parameters(self) -> dict[str, Any]:
        """The settings and their defaults."""
        return {name: parameter.default for name, parameter in self.settings.items()}

    @property
    def summary(self) -> str:
        """The first sentence of the docstring."""
        return (self.formula.__doc__ or "").strip().splitlines()[0]

    def check(self, parameters: Mapping[str, Any]) -> None:
        """Refuse settings that this metric does not have, or cannot use."""
        for name, value in parameters.items():
            if name not in self.settings:
                known = f"it takes {', '.join(self.settings)}" if self.settings else "it takes none"
                raise DataError(f"{self.name} has no setting {name!r}; {known}.")
            self.settings[name].check(self.name, name, value)

    def of(self, state: PairState, **parameters: Any) -> Value:
        """Return the answer on a state; nan with a reason where there is none."""
        return Value(*self.of_sums((state.sums,), parameters))

    def of_sums(self, sums: tuple[Sums, ...], parameters: Mapping[str, Any], finite: bool | None = None) -> tuple[float, str | None]:
        """Return value and reason on the sums of rows, followed by those of the best constant for a metric with a baseline.

        With ``finite`` a score that would divide by 0 has scikit-learn's value instead of none.
        """
        rows = sums[0]
        if self.baseline and len(sums) == 1:
            return math.nan, f"it needs a quantile of the target, which sums do not keep; call sq.{self.name} on arrays"
        if rows.n < self.minimum_n or rows.w <= 0:
            return math.nan, "there are no rows" if rows.n <= 0 or rows.w <= 0 else f"it needs at least {self.minimum_n} rows; there is {rows.n}"
        ratio = self.formula(*sums, **parameters)
        if ratio.denominator == 0:
            return (math.nan, self.undefined) if finite is None else (_made_finite(ratio.numerator, finite), None)
        return ratio.rounded(self.degree * rows.scale), None

    def __call__(self, y_true: Any, y_pred: Any, **keywords: Any) -> Any:
        """Answer on arrays, as the function of the same name."""
        return self.function(y_true, y_pred, **keywords)


def _made_finite(numerator: int, finite: bool) -> float:
    if numerator == 0:
        return 1.0 if finite else math.nan
    return 0.0 if finite else -math.inf
