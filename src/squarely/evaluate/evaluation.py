"""Evaluation: questions over the states of every model and group."""

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property, partial
from types import MappingProxyType
from typing import Any

from squarely.errors import DataError, UnknownGroupError
from squarely.evaluate.answer import Answer, Provenance
from squarely.evaluate.frame import as_frame
from squarely.evaluate.largest import Large
from squarely.evaluate.late import takes_squares_alone
from squarely.evaluate.macro import Aggregate, aggregate
from squarely.evaluate.rendering import framed, page_of, rendered
from squarely.evaluate.sample import Sample
from squarely.evaluate.uncertainty import Uncertainty
from squarely.intervals import NOT_ASKED, Interval
from squarely.metric import Known, Question, Value, find
from squarely.plain import one_line
from squarely.state import PairState, StateTable, Sums
from squarely.state.table import GroupKey

__all__ = ["Answer", "Evaluation", "Provenance"]

_UNKNOWN = Value(math.nan, "its prediction was not known as the rows were read, and sums of squares do not say it")


class _ByGroup(Mapping[GroupKey, Answer]):
    """Answers by group, asked when they are looked at; a group of one column may be named without a tuple."""

    def __init__(self, evaluation: "Evaluation", question: Question, model: str) -> None:
        self._asked = evaluation, question, model

    def __getitem__(self, group: Any) -> Answer:
        evaluation, question, model = self._asked
        return evaluation._answer(question, model, group if isinstance(group, tuple) else (group,))

    def __iter__(self) -> Iterator[GroupKey]:
        return iter(self._asked[0].groups)

    def __len__(self) -> int:
        return len(self._asked[0].groups)

    def __repr__(self) -> str:
        return "{" + ", ".join(f"{group}: {answer.value!r}" for group, answer in list(self.items())[:20]) + (", ..." if len(self) > 20 else "") + "}"


def _coverage(state: PairState) -> float:
    total = state.n + sum(state.refused)
    return state.n / total if total else math.nan


class Evaluation:
    """How good predictions are: every question, for every model and group.

    Parameters
    ----------
    table : StateTable
        The exact sums of every group and model.
    questions : tuple of Question
    provenance : Provenance
    sample : Sample, optional
        Rows for plots.
    frame : str
        What ``to_frame`` returns: "pyarrow", "polars" or "pandas".
    uncertainty : Uncertainty, optional
        What intervals are made from.
    largest : mapping from model to tuple of Large
        The rows that add most to the squared error, the largest first; none without intervals.
    late : frozenset of str
        Models whose prediction was not known as the rows were read: only what takes sums of squares has a value.

    Examples
    --------
    >>> import squarely as sq
    >>> evaluation = sq.evaluate([250, 300, 180, 420, 350], [240, 310, 200, 400, 360])
    >>> evaluation["mse"].value
    220.0
    >>> evaluation["rmse"].n
    5
    """

    def __init__(
        self,
        table: StateTable,
        questions: tuple[Question, ...],
        provenance: Provenance,
        sample: Sample | None = None,
        frame: str = "pyarrow",
        uncertainty: Uncertainty | None = None,
        largest: Mapping[str, tuple[Large, ...]] = MappingProxyType({}),
        late: frozenset[str] = frozenset(),
    ) -> None:
        self.table, self.questions, self.provenance, self.sample = table, questions, provenance, sample
        self._frame, self.uncertainty, self.largest = frame, uncertainty, dict(largest)
        self._late = late
        self._known: dict[str, Question] = {question.label: question for question in questions}

    @property
    def models(self) -> tuple[str, ...]:
        """Names of the models: the prediction columns."""
        return self.table.models

    @property
    def by(self) -> tuple[str, ...]:
        """Names of the group columns."""
        return self.table.by

    @cached_property
    def groups(self) -> tuple[GroupKey, ...]:
        """The groups, sorted; none where there are no group columns."""
        return self.table.sorted_groups() if self.by else ()

    @cached_property
    def states(self) -> Mapping[str, PairState]:
        """The state of each model over all groups."""
        return {model: self.table.total(at) for at, model in enumerate(self.models)}

    @property
    def state(self) -> PairState:
        """The state of the only model; where there are several use ``states``."""
        return self.states[self._only_model("state", "states")]

    def __getitem__(self, asked: Any) -> Answer:
        """Answer ``evaluation["rmse"]``, or ``evaluation["rmse", "model"]`` where there are several models."""
        label, model = asked if isinstance(asked, tuple) else (asked, None)
        return self.answer(label, self._only_model(f"[{label!r}]", f"[{label!r}, model]") if model is None else model)

    def __contains__(self, label: object) -> bool:
        """Say whether this was asked."""
        return any(question.label == label for question in self.questions)

    def __iter__(self) -> Iterator[str]:
        return iter([question.label for question in self.questions])

    def __len__(self) -> int:
        return len(self.questions)

    def answer(self, label: str, model: str, group: GroupKey | None = None) -> Answer:
        """Return any metric by name, alias or label, also one that was not asked for before.

        Raises
        ------
        UnknownMetricError
            There is no such metric.
        DataError
            There is no such model.
        UnknownGroupError
            There is no such group.
        """
        self._model(model)
        question = self._known.get(label)
        if question is None:
            question = self._known[label] = find(label)
        return self._answer(question, model, group)

    def _answer(self, question: Question, model: str, group: GroupKey | None) -> Answer:
        states, at = self._states(group), self._model(model)
        state = states[at]
        value, reason = self._ask(question, states, at)
        by = _ByGroup(self, question, model) if group is None and self.by else {}
        return Answer(value, reason, state.n, _coverage(state), by, self._interval(question, at, group, value))

    def _interval(self, question: Question, model: int, group: GroupKey | None, value: float) -> Interval:
        return NOT_ASKED if self.uncertainty is None else self.uncertainty.of(question, model, group, value)

    def _ask(self, question: Question, states: Sequence[PairState], model: int) -> Value:
        """Answer for one of the states of all models over the same rows."""
        return self._ask_all((question,), states, model)[0]

    def _ask_all(self, questions: Sequence[Question], states: Sequence[PairState], model: int, sums: Sums | None = None) -> list[Value]:
        """Answer questions for one of the states; what all of them need to know is looked up once."""
        state = states[model]
        if self.table.nan_policy == "propagate" and any(state.refused):
            return [Value(math.nan, f"{sum(state.refused):,} rows have a missing or infinite value")] * len(questions)
        is_late = self.models[model] in self._late
        known = Known(sums or state.sums, others=lambda other: states[self._model(other)].sums)
        return [_UNKNOWN if is_late and not takes_squares_alone(question) else question.answer(known) for question in questions]

    def _model(self, model: str) -> int:
        """Return the place of a model, or refuse one that there is not."""
        if model not in self.models:
            raise DataError(f"there is no model {model!r}; the models are {', '.join(map(repr, self.models[:12]))}.")
        return self.models.index(model)

    def _states(self, group: GroupKey | None) -> Sequence[PairState]:
        """Return the states of all models in a group, or over all groups."""
        if group is None:
            return tuple(self.states.values())
        if group not in self.table.groups:
            raise UnknownGroupError(f"there is no group {str(group)[:80]} of {', '.join(self.by)[:80] or 'no column'}.")
        return self.table.groups[group]

    def _only_model(self, short: str, long: str) -> str:
        if len(self.models) != 1:
            raise DataError(f"there are {len(self.models)} models ({', '.join(map(repr, self.models[:12]))}): write {long} instead of {short}.")
        return self.models[0]

    def is_approximate(self, question: Question) -> bool:
        """Say whether an answer comes from the sizes of errors in buckets, because no second pass found it."""
        found = [getattr(need, "level", None) for need in question.needs if need.plan.histogram]
        return any(level not in state.quantiles for level in found for state in self.states.values())

    def to_frame(self) -> Any:
        """Return one row for each metric, model and group: a frame of the library that the data came in, else a pyarrow table.

        Columns: those of ``by`` (as ``by_model`` where one is called as one of these), model, metric, value, se, ci_low, ci_high, reason,
        n, coverage. Without ``by`` there is one row for each metric and model, and without intervals nothing of them.
        """
        fixed = ("model", "metric", "value", "se", "ci_low", "ci_high", "reason", "n", "coverage")
        keys = [f"by_{name}" if name in fixed else name for name in self.by]
        sure = self.uncertainty is not None
        columns: dict[str, list[Any]] = {name: [] for name in (*keys, *(fixed if sure else fixed[:3] + fixed[6:]))}
        labels = [question.label for question in self.questions]
        for group in self.groups or (None,):
            states = self._states(group)
            for at, model in enumerate(self.models):
                sums = states[at].sums if self.uncertainty is None else self.uncertainty.sums(at, group)
                of_state = states[at].n, _coverage(states[at])
                answers = self._ask_all(self.questions, states, at, sums)
                rows: list[list[Any]] = [[value] * len(answers) for value in (*(group or ()), model, *of_state)]
                values = [answer.value for answer in answers]
                asked = zip(self.questions, values, strict=True)
                spread = zip(*(self._interval(question, at, group, value)[:3] for question, value in asked), strict=True) if sure else ()
                rows[-2:-2] = labels, values, *map(list, spread), [answer.reason for answer in answers]
                for column, of_column in zip(columns.values(), rows, strict=True):
                    column += of_column  # all of a state at a time: one by one takes longer
        return as_frame(columns, self._frame)

    def aggregate(self, *, macro: str | Sequence[str]) -> Aggregate:
        r"""Return means over the groups of one or more group columns, each group counting alike, beside the answers over all their rows.

        .. math:: \bar\theta \pm t_{k-1} \, s / \sqrt{k}, \quad \bar\theta = \frac{1}{k} \sum_{g=1}^k \theta_g

        The interval takes the k groups for a sample of groups, and holds for the mean over all that there might be.

        Parameters
        ----------
        macro : str or several
            The group columns to average over; the answers are by those that are left.

        Raises
        ------
        DataError
            A name is not one of the group columns.

        Examples
        --------
        >>> import squarely as sq
        >>> sales = {"y": [10, 20, 1], "yhat": [8, 22, 2], "shop": ["a", "a", "b"]}
        >>> evaluation = sq.evaluate(sales, target="y", prediction="yhat", by="shop", metrics="mae")
        >>> answer = evaluation.aggregate(macro="shop")["mae"]
        >>> answer.value, answer.pooled
        (1.5, 1.6666666666666667)
        """
        names = tuple(macro) if isinstance(macro, list | tuple) else (macro,)
        for name in names:
            if name not in self.by:
                columns = ", ".join(map(repr, self.by)) or "none"
                raise DataError(f"macro names {str(name)[:60]!r}, which is no group column; the group columns are {columns}. Name it in by= too.")
        answers = aggregate(
            self.table,
            self._states(None),
            self.questions,
            names,
            self._ask,
            None if self.uncertainty is None else self.uncertainty.confidence,
        )
        return Aggregate(answers, tuple(name for name in self.by if name not in names), partial(as_frame, library=self._frame))

    def to_dict(self) -> dict[str, Any]:
        """Return everything as a dictionary that JSON can hold; its schema has a version."""
        answer: dict[str, Any] = rendered("to_dict", self)
        return answer

    def to_markdown(self) -> str:
        """Return the report as Markdown."""
        return str(rendered("markdown", self))

    def to_html(self, path: Any = None) -> str:
        """Return the report as one self-contained HTML page, and write it to ``path`` where one is given."""
        return page_of("html", self, path)

    def _repr_html_(self) -> str:
        return framed(self.to_html(), "regression report")

    def __repr__(self) -> str:
        shown = ", ".join(
            f"{question.label}={self._answer(question, model, None).value:.6g}" + (f" ({one_line(model)})" if len(self.models) > 1 else "")
            for question in self.questions[:3]
            for model in self.models[:3]
        )
        return f"Evaluation({self.provenance.source!r}, rows={self.provenance.rows}, {shown})"
