"""What is declared of a metric, and what it answers on sums."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Protocol, overload

import numpy as np
import numpy.typing as npt

from squarely.errors import DataError
from squarely.metric.needs import Known, MeanOf, Need, plan_of
from squarely.parameter import ColumnParameter, Parameter
from squarely.state import NoAnswerError, OutsideDomainError, PairState, Plan, Ratio, Term

__all__ = ["Metric", "MetricFunction", "Value"]

_DEGREE = {"y^2": 2, "y": 1, "1": 0, "other": 0}


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
    unit : "y^2", "y", "1" or "other"
        How it scales with the data.
    direction : "lower", "higher" or "target"
        What is better; with "target" the best value is a goal from both sides.
    best : float, optional
        The value of a perfect prediction.
    undefined : str
        Why there is no value where the formula divides by 0.
    domain : str
        What targets and predictions must be, where not every number is allowed.
    functional : str
        Of the distribution of the target given what is known: the prediction that is best under this metric.
    percent : bool
        Whether readers are shown a percentage; the value itself is the share.
    settings : mapping of Parameter
        The keywords of the formula.
    term : callable, optional
        From the settings to the term whose mean is the metric, and its loss for a single row.
    forgiving_term : callable, optional
        The term that the function takes instead, where scikit-learn's answers what is undefined.
    needs : callable, optional
        From the settings to what the formula takes after the sums, where that is not the mean of one term.
    pointwise : callable, optional
        From the settings to the loss of a single row, for means that need no term; by default that of ``term``.
    query : str
        The metric of a table in SQL, with {y}, {p}, {w} for its columns and the name of a setting in braces for its value; empty where SQL
        has no such formula.
    derivative : callable, optional
        (xp, y, p, w, **settings) -> gradient with respect to the predictions, in the functions of an array namespace.
    inputs : tuple of str
        The settings that the function takes in place of y_pred, such as the two ends of an interval.
    training : 0, 1 or 2
        The power of the seasonal differences of a training series that the function turns into ``scale``; 0 for none.
    shift_invariant : bool
        Whether a constant added to y and p changes nothing.
    minimum_n : int
        Rows without which there is no value.
    constant : "undefined", "finite" or "force_finite"
        What the function makes of a constant target: nan; 1 where the error is 0 too and else 0, as scikit-learn has it; or
        one of the two, by a keyword.
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
    domain: str = ""
    functional: str = ""
    percent: bool = False
    settings: Mapping[str, Parameter] = field(default_factory=dict)
    term: Callable[..., Term] | None = None
    forgiving_term: Callable[..., Term] | None = None
    needs: Callable[..., tuple[Need, ...]] | None = None
    pointwise: Callable[..., Term] | None = None
    query: str = ""
    derivative: Callable[..., Any] | None = None
    inputs: tuple[str, ...] = ()
    training: int = 0
    shift_invariant: bool = True
    minimum_n: int = 1
    constant: str = "undefined"
    formula: Callable[..., Ratio] = field(init=False)
    function: MetricFunction = field(init=False)
    name: str = field(init=False)

    def __post_init__(self) -> None:
        self.pointwise = self.pointwise or self.term
        self._usual: dict[bool, tuple[Need, ...]] = {}  # by forgiving: the needs under the default settings, made once
        self.columns = tuple(name for name, setting in self.settings.items() if isinstance(setting, ColumnParameter))

    @property
    def parameters(self) -> dict[str, Any]:
        """The settings and their defaults."""
        return {name: parameter.default for name, parameter in self.settings.items()}

    @property
    def modes(self) -> tuple[str, ...]:
        """The names of ways in which several outputs become one."""
        return ("uniform_average", "raw_values", "pooled", *(("variance_weighted",) if self.constant == "force_finite" else ()))

    @property
    def answers_on_sums(self) -> bool:
        """Whether sums alone have the answer, with the settings as they are: no rows are read again, and no further column."""
        if any(self.settings[name].default is None for name in self.columns):
            return False
        return not any(need.reads_rows for need in self.needs_of({}))

    @property
    def summary(self) -> str:
        """The first sentence of the docstring."""
        return (self.formula.__doc__ or "").strip().splitlines()[0]

    def check(self, parameters: Mapping[str, Any]) -> None:
        """Refuse settings that this metric does not have, cannot use, or cannot do without."""
        for name, value in parameters.items():
            if name not in self.settings:
                known = f"it takes {', '.join(self.settings)}" if self.settings else "it takes none"
                raise DataError(f"{self.name} has no setting {name!r}; {known}.")
            self.settings[name].check(self.name, name, value)
        for name in self.columns:
            if name not in parameters and self.settings[name].default is None:
                raise DataError(f"{self.name} needs {name}: {self.settings[name].text} Expected {self.settings[name].expected}.")

    def check_multioutput(self, mode: str) -> None:
        """Refuse a way to make one of several outputs that this metric does not have."""
        if mode not in self.modes:
            raise DataError(f"multioutput is {mode[:60]!r}; {self.name} takes {', '.join(map(repr, self.modes))} or one weight per output.")

    def check_force_finite(self, asked: Any) -> bool:
        """Return whether a constant target shall have a finite score; refuse anything but True and False."""
        if not isinstance(asked, bool | np.bool_):
            raise DataError(f"{self.name}: force_finite is {asked!r}; expected True or False.")
        return bool(asked)

    def plan(self, parameters: Mapping[str, Any]) -> Plan:
        """Return what a state must keep for an answer."""
        return plan_of(self.needs_of(parameters))

    def needs_of(self, parameters: Mapping[str, Any], forgiving: bool = False) -> tuple[Need, ...]:
        """Return what the formula takes after the sums."""
        if parameters:
            return self._needs(forgiving, **{**self.parameters, **parameters})
        if forgiving not in self._usual:
            self._usual[forgiving] = self._needs(forgiving, **self.parameters)
        return self._usual[forgiving]

    def _needs(self, forgiving: bool, **parameters: Any) -> tuple[Need, ...]:
        if self.needs is not None:
            return self.needs(**parameters)
        term = self.forgiving_term if forgiving and self.forgiving_term else self.term
        return () if term is None else (MeanOf(term(**parameters)),)

    def of(self, state: PairState, **parameters: Any) -> Value:
        """Return the answer on a state; nan with a reason where there is none."""
        return Value(*self.answer(Known(state.sums), parameters))

    def answer(
        self, known: Known, parameters: Mapping[str, Any], finite: bool | None = None, needs: tuple[Need, ...] | None = None
    ) -> tuple[float, str | None]:
        """Return value and reason; ``needs`` are those under the settings, where the caller has them.

        With ``finite`` a score that would divide by 0 has scikit-learn's value instead of none. Where the rows are at hand, one outside
        the domain is raised as OutsideDomainError, for it can be shown.
        """
        sums = known.sums
        if sums.n < self.minimum_n or sums.w <= 0:
            return math.nan, "there are no rows" if sums.n <= 0 or sums.w <= 0 else f"it needs at least {self.minimum_n} rows; there is {sums.n}"
        if needs is None:
            needs = self.needs_of(parameters, known.rows is not None)
        try:
            ratio = self.formula(sums, *[need.of(known) for need in needs], **parameters) if needs else self.formula(sums, **parameters)
        except OutsideDomainError as reason:
            if known.rows is not None:
                raise
            return math.nan, f"{reason}: it takes {self.domain}"
        except NoAnswerError as reason:
            return math.nan, str(reason)
        if ratio.denominator == 0:
            return (math.nan, self.undefined) if finite is None else (_made_finite(ratio.numerator, finite), None)
        return ratio.rounded(0 if needs else _DEGREE[self.unit] * sums.scale), None

    def approximately(self, sums: Any, others: Callable[[str], Any] | None, parameters: Mapping[str, Any]) -> npt.NDArray[np.float64]:
        """Return the answers on many sums at once, which are arrays of doubles; nan or infinite where there is none.

        Raises NoAnswerError where the formula takes what such sums do not have.
        """
        needs = self.needs_of(parameters)
        ratio = self.formula(sums, *[need.of(Known(sums, others=others)) for need in needs], **parameters)
        value = np.asarray(ratio.numerator, np.float64) / ratio.denominator
        return value if needs else np.ldexp(value, _DEGREE[self.unit] * sums.scale)

    def sql(self, y: str = "y_true", p: str = "y_pred", w: str = "1.0", **settings: Any) -> str:
        """Return the metric as an SQL expression over columns of a table, in floating point: near the exact answer, not equal to it.

        Names of columns are put in as they are given: quote those that need it.
        """
        self.check(settings)
        if not self.query:
            raise DataError(f"{self.name} has no formula in SQL. Evaluate the query's result instead.")
        return self.query.format(y=y, p=p, w=w, **{**self.parameters, **settings})

    def gradient(self, y_true: Any, y_pred: Any, sample_weight: Any = None, **settings: Any) -> npt.NDArray[np.float64]:
        """Return the derivative of the metric with respect to each prediction; at a kink, 0 or the middle of the two slopes."""
        self.check({name: name if name in self.columns else value for name, value in settings.items()})
        if self.derivative is None:
            raise DataError(f"{self.name} has no gradient.")
        settings |= {name: np.asarray(settings[name], np.float64) for name in self.columns if not isinstance(settings.get(name), str | None)}
        y, p = np.asarray(y_true, np.float64), np.asarray(y_pred, np.float64)
        w = np.ones_like(y) if sample_weight is None else np.asarray(sample_weight, np.float64)
        return np.asarray(self.derivative(np, y, p, w, **{**self.parameters, **settings}), np.float64)

    def __call__(self, *arrays: Any, **keywords: Any) -> Any:
        """Answer on arrays, as the function of the same name."""
        return self.function(*arrays, **keywords)


def _made_finite(numerator: int, finite: bool) -> float:
    if numerator == 0:
        return 1.0 if finite else math.nan
    return 0.0 if finite else -math.inf
