"""Cross-validation from states: one pass makes a state of each fold, and training on all others is an exact subtraction."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from squarely.errors import DataError
from squarely.evaluate.layout import mixed
from squarely.linear.doubled import Doubles
from squarely.linear.equations import NormalEquations
from squarely.linear.estimator import GramEstimator
from squarely.linear.factor import Factor
from squarely.linear.parameters import Rule
from squarely.linear.reading import rows_by_code, states_by
from squarely.linear.splits import are_splits, pairs_of
from squarely.state import Dyadic, GramState, deal
from squarely.validate import Design

__all__ = ["CrossValidated", "checked_cv", "mean_squares"]

Path = Callable[[NormalEquations], Doubles]  # coefficients, of shape (penalties, p, t)


def _count(cv: Any) -> int | None:
    """Return a number of folds, and None for splits."""
    if not isinstance(cv, (int, np.integer)) or isinstance(cv, bool):
        return None
    return int(cv)


def checked_cv(name: str, given: Any) -> Any:
    """Return a number of folds, splits, or None."""
    count = _count(given)
    if given is None or are_splits(given) or (count is not None and count > 1):
        return given
    raise DataError(
        f"{name}={repr(given)[:60]} is no number of folds, nor splits; expected 2 or more, a splitter such as KFold(5), or pairs of places."
    )


class CrossValidated(GramEstimator):
    """An estimator that chooses a penalty by cross-validation; ``cv`` says in which folds."""

    _rules: ClassVar[Mapping[str, Rule]] = {**GramEstimator._rules, "cv": checked_cv}
    _of_rows = (*GramEstimator._of_rows, "folds_")
    cv: Any
    folds_: tuple[GramState, ...]

    @classmethod
    def from_states(cls, states: Iterable[GramState], **parameters: Any) -> Self:
        """Return the estimator whose folds are the rows of each state: days, files or regions."""
        folds = tuple(states)
        estimator = cls(**{"cv": len(folds), **parameters})
        estimator.folds_ = _checked(folds)
        return estimator._of_state(sum(folds, GramState()))

    @classmethod
    def from_state(cls, state: GramState, **parameters: Any) -> Self:
        """Return the estimator fitted to the rows of a state, for those that need no folds; those that do are made ``from_states``."""
        estimator = cls(**parameters)
        if estimator.cv is not None:
            raise DataError(f"cv={estimator.cv!r} takes a state for each fold, and one state was given. Use from_states([state, ...]).")
        return estimator._of_state(state)

    def partial_fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:  # noqa: N803  # scikit-learn's name
        """Fit to these rows and to all before; they are dealt to the same folds, as those of a first call are."""
        return super().partial_fit(X, y, sample_weight)

    def _read(self, data: Any, target: Any, weight: Any, *, first: bool) -> GramState:
        if self.cv is None:
            return super()._read(data, target, weight, first=first)
        count = _count(self.cv)
        if count is None:
            raise DataError(
                f"cv={self.cv!r} has splits of rows in memory, and y names a column of a source that is read once. Give a number of folds, or "
                "from_states of the states that grams(data, target=y, by=...) makes of a column of folds."
            )
        asked = self._asked(data, target, weight, first=first)
        states = states_by(asked, lambda batch, before: rows_by_code(_in_rounds(before, before + len(batch.target.values), count)))
        folds = tuple(states.get(fold, asked.empty()) for fold in range(count))
        whole = self._counted(asked, sum(folds, GramState()))
        self.folds_ = _checked(folds if first else _added(self.folds_, folds))
        return whole

    def _gather(self, state: GramState, rows: Design, y: Any, weight: Any) -> GramState:
        if self.cv is None:
            return super()._gather(state, rows, y, weight)
        places = _places(self.cv, rows.rows, y)
        before = self.folds_ if state.n else ()
        folds = tuple(GramState(state.schema.features, state.targets) for _ in range(int(places.max()) + 1))
        deal(folds, rows, y, weight, places)
        self.folds_ = _checked(_added(before, folds) if before else folds)
        return sum(self.folds_, GramState())

    def _of_both(self, one: GramEstimator, other: GramEstimator) -> Self:
        if self.cv is None or not isinstance(other, CrossValidated):
            return super()._of_both(one, other)
        return self.from_states(_added(self.folds_, other.folds_), **self.get_params())

    def refitted(self, **parameters: Any) -> Self:
        """Return the estimator with other parameters, fitted to the same rows in the same folds."""
        cv = parameters.get("cv", self.cv)
        if cv is not None and cv is not self.cv:
            raise DataError(f"cv={repr(cv)[:60]} deals rows to other folds, and the rows are not at hand. Fit to them, or keep the folds of the fit.")
        return super().refitted(**parameters)

    def _fold_errors(self, path: Path) -> Doubles:
        """Return the mean squared error on each fold of the path of all other folds, as an array of penalties x folds; targets weigh alike."""
        intercept, errors = self.equations_.intercept, []
        levels = self.state_.schema.levels  # the rows left for training, or those held out, may lack one
        for fold in self.folds_:
            training = NormalEquations.of((self.state_ - fold).having(levels), intercept=intercept)
            held = NormalEquations.of(fold.having(levels), intercept=intercept)
            errors.append(mean_squares(held, training, path(training)).mean(axis=1))
        return np.stack(errors, axis=1)


def mean_squares(held: NormalEquations, training: NormalEquations, coefficients: Doubles) -> Doubles:
    r"""Return weighted mean squared errors on the rows of ``held``, penalties x targets, of coefficients with the intercept of ``training``.

    .. math:: \frac{1}{W} |R v|^2 + (d^\top v)^2, \qquad v = (-b, 1), \quad R^\top R = C, \quad d = \bar z - \bar z_{\mathrm{training}}

    with C the centred moments of the rows held out and d a difference of means, taken exactly: no row is read again, and nothing cancels.
    """
    size = len(held.features)
    root = Factor.of(held.cross, held.divisor).root
    weight = float(held.weight.nearest()[0, 0])
    errors = root[:, size:] - root[:, :size] @ coefficients  # penalties, rows of R, targets
    squares: Doubles = np.square(errors).sum(axis=1) / weight
    if not held.intercept:
        return squares
    here, there = held.weight.numerators[0, 0], training.weight.numerators[0, 0]
    apart = Dyadic(held.sums.numerators * there - training.sums.numerators * here).over(here * there)[0]
    squares += (apart[size:] - apart[:size] @ coefficients) ** 2
    return squares


def _places(cv: Any, rows: int, y: Any) -> npt.NDArray[np.intp]:
    """Return the fold of each row: in turn for a number of folds, as scikit-learn's KFold has it, or as splits say."""
    count = _count(cv)
    if count is not None:
        if rows < count:
            raise DataError(f"cv={cv} takes a row or more for each fold, and there are fewer: n_samples={rows}. Take fewer folds.")
        share, more = divmod(rows, count)
        return np.repeat(np.arange(count), np.where(np.arange(count) < more, share + 1, share))
    places = np.full(rows, -1, np.intp)
    for at, (train, test) in enumerate(pairs_of("cv", cv, np.zeros(rows), y)):
        both = np.sort(np.concatenate([train, test]))
        if len(both) and (both[0] < 0 or both[-1] >= rows):
            raise DataError(f"split {at} of cv has places of {both[0]:,} to {both[-1]:,}; expected those of {rows:,} rows, from 0 to {rows - 1:,}.")
        if (places[test] >= 0).any() or not np.array_equal(both, np.arange(rows)):
            raise DataError(
                f"split {at} of cv={cv!r} is no fold: expected test rows that are in no other split, and all other rows to train. "
                "Give a number of folds, or splits such as those of KFold, GroupKFold or LeaveOneGroupOut."
            )
        places[test] = at
    if (places < 0).any():
        raise DataError(
            f"cv={cv!r} leaves {int((places < 0).sum()):,} rows in no test set; expected each row in one. Give splits such as those of KFold."
        )
    return places


def _in_rounds(start: int, stop: int, folds: int) -> npt.NDArray[np.int64]:
    """Return the fold of each row from one ordinal to another, which takes no number of rows.

    Rows go round the folds, so that these are alike in size, from a start that a hash chooses in each round, so that no period falls in step.
    """
    ordinals = np.arange(start, stop, dtype=np.uint64)
    number = np.uint64(folds)
    found: npt.NDArray[np.uint64] = ((mixed(ordinals // number) >> np.uint64(32)) % number + ordinals) % number
    return found.astype(np.int64)


def _added(some: Sequence[GramState], others: Sequence[GramState]) -> tuple[GramState, ...]:
    if len(some) != len(others):
        raise DataError(f"there are {len(some)} folds and {len(others)} others; folds add one by one, so expected as many.")
    return tuple(one + other for one, other in zip(some, others, strict=True))


def _checked(folds: tuple[GramState, ...]) -> tuple[GramState, ...]:
    empty = [at for at, fold in enumerate(folds) if not fold.n]
    if len(folds) < 2 or empty:
        what = f"fold {empty[0]} has no row, or the weight of each is zero" if empty else f"there is {len(folds)} fold"
        raise DataError(f"{what}; expected 2 folds or more, each with rows. Take fewer folds or larger ones.")
    return folds
