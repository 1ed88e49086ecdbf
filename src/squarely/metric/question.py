"""Names become questions: `rmse`, `root_mean_squared_error`, `mean_pinball_loss(alpha=0.9)`."""

import ast
import copyreg
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from squarely.errors import DataError, StateError, UnknownMetricError
from squarely.metric.declaration import Metric, Value
from squarely.metric.needs import Known, Need
from squarely.metric.registry import METRICS
from squarely.state import PairState, Plan, Sums

__all__ = ["Question", "find", "read"]


@dataclass(frozen=True, slots=True)
class Question:
    """A metric with its settings, under the label that was asked for."""

    label: str
    metric: Metric
    parameters: Mapping[str, Any]

    @property
    def spoken(self) -> str:
        """The label in a sentence: ``RMSE``, others as they were asked for."""
        return self.label.upper() if self.label in ("mse", "rmse", "mae") else self.label

    @property
    def needs(self) -> tuple[Need, ...]:
        """What the formula takes beside the sums."""
        return self.metric.needs_of(self.parameters)

    @property
    def plan(self) -> Plan:
        """What a state must keep for the answer."""
        return self.metric.plan(self.parameters)

    def ask(self, sums: Sums, others: Callable[[str], Sums] | None = None) -> Value:
        """Return the answer on the sums of a state; ``others`` has those of other models of the same rows."""
        return self.answer(Known(sums, others=others))

    def answer(self, known: Known) -> Value:
        """Return the answer from what is known, which may be shared by several questions."""
        return Value(*self.metric.answer(known, self.parameters))

    def same(self, other: "Question") -> bool:
        """Say whether both ask the same, whatever their labels."""
        return self.metric is other.metric and {**self.metric.parameters, **self.parameters} == {**other.metric.parameters, **other.parameters}


def find(asked: Any, **settings: Any) -> Question:
    """Return the question that a name, an alias, a name with settings, or a metric function stands for, with further settings.

    Raises
    ------
    UnknownMetricError
        No metric has this name; the nearest is offered.
    DataError
        The metric has no such setting, or cannot use its value.

    Examples
    --------
    >>> find("mean_pinball_loss(alpha=0.9)").parameters
    {'alpha': 0.9}
    """
    label, metric, parameters = read(asked)
    metric.check(parameters | settings)
    return Question(label, metric, parameters | settings)


def read(asked: Any) -> tuple[str, Metric, dict[str, Any]]:
    """Return the label, the metric and the settings, not yet judged, of a name, a metric or its function."""
    label = str(asked.name if isinstance(asked, Metric) else getattr(asked, "__name__", asked)).strip()
    name, bracket, _ = label.partition("(")
    return label, _by_name(name.strip()), _settings(label) if bracket else {}


def _by_name(name: str) -> Metric:
    known = {each: metric for metric in METRICS.values() for each in (metric.name, *metric.aliases)}
    if name in known:
        return known[name]
    import difflib

    near = [each for each in known if sorted(each) == sorted(name.lower())] or difflib.get_close_matches(name[:80].lower(), known, n=1, cutoff=0.5)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise UnknownMetricError(f"there is no metric {name[:80]!r}.{hint} `squarely metrics` and sq.METRICS list them all.")


def _settings(label: str) -> dict[str, Any]:
    """Read the keywords of a label; only literal values are taken, nothing is run."""
    try:
        call = ast.parse(label, mode="eval").body
        names = [keyword.arg for keyword in call.keywords] if isinstance(call, ast.Call) else []
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and not call.args and all(names) and len(set(names)) == len(names):
            return {str(keyword.arg): ast.literal_eval(keyword.value) for keyword in call.keywords}
    except (SyntaxError, ValueError, MemoryError, RecursionError):  # what the parser raises on nests without end
        pass
    raise UnknownMetricError(
        f"cannot read the metric {label[:80]!r}. Expected a name, or a name with settings such as 'mean_pinball_loss(alpha=0.9)'."
    )


def _ask(state: PairState, name: str, parameters: dict[str, Any]) -> float:
    question = find(name, **parameters)
    if state.n and not question.plan <= state.plan:
        raise StateError(f"the state does not keep what {question.metric.name} needs. Name it before the first row: PairState(metrics={name!r}).")
    return question.ask(state.sums).value


def _plan_of(metrics: Any) -> Plan:
    if isinstance(metrics, str) and metrics == "all":
        metrics = [metric.name for metric in METRICS.values() if metric.answers_on_sums]
    questions = [find(each) for each in (metrics if isinstance(metrics, Iterable) and not isinstance(metrics, str) else [metrics])]
    for question in questions:
        if any(need.reads_rows for need in question.needs):
            raise DataError(f"{question.label} reads the rows again, and no state keeps them. Call sq.{question.metric.name} on arrays.")
    plan = Plan.union(question.plan for question in questions)
    for name in set(plan.columns) & {"self", "y_true", "y_pred", "sample_weight"}:
        raise DataError(f"a column of a state cannot be called {name!r}: update() has an argument of that name. Rename it.")
    return plan


copyreg.pickle(Metric, lambda metric: (_by_name, (metric.name,)))  # its formula has the name of its function, and cannot travel
PairState.ask, PairState.plan_of = staticmethod(_ask), staticmethod(_plan_of)  # a state lies below the metrics and cannot import them
