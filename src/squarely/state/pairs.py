"""PairState: the exact sums over (y_true, y_pred, weight), with the laws of an abelian group."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from squarely import _core
from squarely.errors import StateError
from squarely.state import codec
from squarely.state.ratio import Ratio
from squarely.state.sums import Sums
from squarely.state.terms import NOTHING, Plan
from squarely.state.threads import FEW, threads_for
from squarely.validate import bad_weight, more_columns, pair_columns

__all__ = ["PairState", "sums_of", "sums_of_groups", "sums_of_plain", "under"]

Columns = tuple[Any, Any, Any]  # y, p and w, or None without weights
_NO_COLUMNS: Columns = (None, None, None)
_NO_QUANTILES: Mapping[float, Ratio] = MappingProxyType({})  # a second pass over the rows may find some, which no other state has


class PairState:
    r"""What exact sums know of pairs (y, p) with weight w; states add and subtract without rounding.

    .. math:: \sum w,\ \sum wy,\ \sum wp,\ \sum w\max(y,p),\ \sum w|y|,\ \sum wy^2,\ \sum wyp,\ \sum wp^2

    The same rows give the same bytes in any order, in any number of parts, on any processor. Equality and the digest are
    over sums and counters; the extremes (largest error, range) merge with ``+`` and are unknown after ``-``.

    Metrics that are no function of these sums, such as MAPE or the median absolute error, are answered where ``metrics`` named them
    before the first row: the state then keeps the sums of their terms, or the sizes of the errors, too.

    Do not use it where rows must be known again: it keeps sums, not rows. Sums are in the unit of y, of y squared, or of the weights.

    Parameters
    ----------
    metrics : str, metric function or several
        What will be asked beside the metrics that need the eight sums only.

    Raises
    ------
    DataError
        From ``of`` and ``update``: shapes differ, or a weight is negative or not finite.
    StateError
        From ``from_bytes``: the bytes are not those of a state. From ``+`` and ``-``: the states keep different terms.

    References
    ----------
    Neal, R. M. (2015), Fast exact summation using small and large superaccumulators, arXiv:1505.05571.

    Examples
    --------
    >>> monday = PairState.of([250, 300, 180], [240, 310, 200])
    >>> tuesday = PairState.of([420, 350], [400, 360])
    >>> (monday + tuesday).metric("mse")
    220.0
    >>> (monday + tuesday) - tuesday == monday
    True
    >>> PairState.of([250, 300, 180], [240, 310, 200], metrics="mape").metric("mape")
    0.06148148148148148
    """

    __slots__ = ("_core", "plan", "quantiles")

    plan: Plan
    quantiles: Mapping[float, Ratio]
    # Set by squarely.metric: a state knows sums, not formulas.
    ask: Callable[["PairState", str, dict[str, Any]], float]
    plan_of: Callable[[Any], Plan]

    def __init__(self, metrics: Any = None) -> None:
        self.plan, self.quantiles = NOTHING if metrics is None else PairState.plan_of(metrics), _NO_QUANTILES
        self._core = _core.PairSums(self.plan.core)

    @classmethod
    def planned(cls, plan: Plan) -> "PairState":
        """Return an empty state that keeps what a plan says."""
        return cls._wrap(_core.PairSums(plan.core), plan)

    @classmethod
    def of(cls, y_true: Any, y_pred: Any, sample_weight: Any = None, *, metrics: Any = None, **columns: Any) -> "PairState":
        """Return the state of arrays.

        Parameters
        ----------
        y_true, y_pred : array-like of shape (n,), numbers in the same unit
        sample_weight : array-like of shape (n,), optional
            Finite and not negative; 0 leaves no trace.
        metrics : str, metric function or several
            What will be asked beside the metrics that need the eight sums only.
        **columns : array-like of shape (n,)
            The columns that these metrics read, by name.

        Returns
        -------
        PairState

        Raises
        ------
        DataError
            Shapes differ, or a weight is negative or not finite. Missing and infinite values are counted, not refused.
        """
        return cls(metrics).update(y_true, y_pred, sample_weight, **columns)

    def update(self, y_true: Any, y_pred: Any, sample_weight: Any = None, **columns: Any) -> "PairState":
        """Add rows to this state and return it; the arguments and errors are those of ``of``."""
        _add_rows(self._core, self.plan, y_true, y_pred, sample_weight, columns)
        return self

    @classmethod
    def _wrap(cls, core: _core.PairSums, plan: Plan) -> "PairState":
        state = cls.__new__(cls)
        state._core, state.plan, state.quantiles = core, plan, _NO_QUANTILES
        return state

    def __add__(self, other: "PairState") -> "PairState":
        return self._combined(other, _core.PairSums.merge) if isinstance(other, PairState) else NotImplemented

    def __sub__(self, other: "PairState") -> "PairState":
        return self._combined(other, _core.PairSums.remove) if isinstance(other, PairState) else NotImplemented

    def _combined(self, other: "PairState", combine: Callable[[_core.PairSums, _core.PairSums], None]) -> "PairState":
        core = self._core.copy()
        try:
            combine(core, other._core)
        except ValueError as error:
            raise StateError(
                f"one state keeps {self.plan.in_words} beside its sums, the other {other.plan.in_words}. Make both with the same metrics."
            ) from error
        return self._wrap(core, Plan.read(core) if self.plan != other.plan else self.plan)

    def __neg__(self) -> "PairState":
        return PairState() - self

    def __radd__(self, other: object) -> "PairState":
        return self + PairState() if other == 0 else NotImplemented  # sum() begins with 0

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PairState) and self.canonical_bytes() == other.canonical_bytes()

    __hash__ = None  # type: ignore[assignment]  # a state changes with update()

    def canonical_bytes(self) -> bytes:
        """Return the bytes of sums and counters: equal exactly when the sums are."""
        return self._core.canonical()

    def digest(self) -> str:
        """Return the SHA-256 of the canonical bytes, in hexadecimal."""
        return codec.sha256(self.canonical_bytes()).hexdigest()

    def to_bytes(self) -> bytes:
        """Return the whole state, extremes included, with version and checksum."""
        return codec.wrap(codec.PAIRS, self._core.body())

    @classmethod
    def from_bytes(cls, data: bytes) -> "PairState":
        """Read what ``to_bytes`` wrote; raise StateError on anything else."""
        return cls._parse(codec.unwrap(codec.PAIRS, data))

    @classmethod
    def _parse(cls, body: bytes) -> "PairState":
        try:
            core = _core.PairSums.parse(body)
            return cls._wrap(core, Plan.read(core))
        except (ValueError, UnicodeDecodeError) as error:
            raise StateError(f"the bytes hold no state: {error}. Write the state again.") from error

    def __reduce__(self) -> tuple[Any, ...]:
        return PairState._again, (self.to_bytes(), {level: (found.numerator, found.denominator) for level, found in self.quantiles.items()})

    @classmethod
    def _again(cls, data: bytes, quantiles: Mapping[float, tuple[int, int]]) -> "PairState":
        state = cls.from_bytes(data)
        state.quantiles = {level: Ratio(*found) for level, found in quantiles.items()}
        return state

    @property
    def n(self) -> int:
        """Rows in the sums."""
        return self._core.rows

    @property
    def weight_sum(self) -> float:
        """Sum of the weights of those rows; ``n`` where no weights were given."""
        return self._core.weight_sum()

    @property
    def refused(self) -> tuple[int, int, int, int]:
        """Rows left out: missing target, missing prediction, infinite target, infinite prediction."""
        return self._core.refused()

    @property
    def missing_target(self) -> int:
        """Rows left out because the target is missing."""
        return self.refused[0]

    @property
    def missing_prediction(self) -> int:
        """Rows left out because the prediction is missing."""
        return self.refused[1]

    @property
    def infinite_target(self) -> int:
        """Rows left out because the target is infinite."""
        return self.refused[2]

    @property
    def infinite_prediction(self) -> int:
        """Rows left out because the prediction is infinite."""
        return self.refused[3]

    @property
    def sums(self) -> Sums:
        """The sums as integers, for a formula."""
        return Sums(self._core, self.plan, self.quantiles)

    def metric(self, name: str, **parameters: Any) -> float:
        """Return a metric of the catalogue by name or alias; nan where it is undefined."""
        return PairState.ask(self, name, parameters)

    def __repr__(self) -> str:
        refused = sum(self.refused)
        return f"PairState(n={self.n}, refused={refused}, digest={self.digest()[:12]!r})"


def sums_of(
    plan: Plan, pairs: Iterable[tuple[Any, Any]], sample_weight: Any = None, columns: Mapping[str, Any] = MappingProxyType({})
) -> tuple[Sums, Columns]:
    """Return the sums of pairs of arrays, for a function that has no use for their state, and the last pair as the core read it."""
    core, read = _core.PairSums(plan.core), _NO_COLUMNS
    for y_true, y_pred in pairs:
        read = _add_rows(core, plan, y_true, y_pred, sample_weight, columns)
    return Sums(core, plan, _NO_QUANTILES), read


def sums_of_plain(plan: Plan, y_true: Any, y_pred: Any, sample_weight: Any) -> Sums | None:
    """Return the sums of a few rows of NumPy arrays that the core reads as they are; None where rows are many, or have to be judged first."""
    core = _core.PairSums.of_plain(plan.core, y_true, y_pred, sample_weight)
    return None if core is None else Sums(core, plan, _NO_QUANTILES)


def under(prediction: Any, plan: Plan, y_true: Any, sample_weight: Any) -> _core.PairSums:
    """Return the state of columns that the core has read before, where one number is the prediction of every row."""
    core = _core.PairSums(plan.core)
    core.update(y_true, prediction, sample_weight, 1 if (rows := len(y_true)) <= FEW else threads_for(rows))
    return core


def sums_of_groups(y_true: Any, y_pred: Any, sample_weight: Any, group: npt.NDArray[np.int32]) -> Iterator[Sums]:
    """Yield the sums of each group of rows, for arrays that the core reads; groups are numbered from 0."""
    groups = _core.Groups()
    count = int(group.max()) + 1
    groups.grow(count)
    groups.update(y_true, y_pred, sample_weight, group, np.arange(count, dtype=np.int32))
    for at in range(count):
        yield Sums(groups.state(at), NOTHING, _NO_QUANTILES)


def _add_rows(core: _core.PairSums, plan: Plan, y_true: Any, y_pred: Any, sample_weight: Any, columns: Mapping[str, Any]) -> Columns:
    more = more_columns(columns, plan.columns, y_true, y_pred) if columns or plan.columns else ()
    y, p, w, missing = pair_columns(y_true, y_pred, sample_weight)
    bad = core.update(y, p, w, 1 if (rows := len(y)) <= FEW else threads_for(rows), more)  # a call of Python costs as much as 30 rows
    if bad >= 0 and w is not None:
        raise bad_weight(w[bad], f"sample_weight at index {bad:,}")
    if missing:
        for counter, count in enumerate(missing):
            core.add_refused(counter, count)
    return y, p, w
