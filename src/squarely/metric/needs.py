"""Needs: what a formula takes beside the eight sums. Some are kept by a state; others read the rows again."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar, Protocol

from squarely.state import NOTHING, NoAnswerError, Plan, Ratio, Rows, Sums, Term

__all__ = [
    "BestConstant", "ErrorQuantile", "Known", "MeanOf", "Need", "NullDeviance", "PotentialError", "Share", "TargetQuantile",
    "TrimmedSquare", "plan_of", "terms_of",
]  # fmt: skip


class Known:
    """What an answer is made from: sums, the rows where they can be read again, and the sums of other models of the same rows."""

    __slots__ = ("others", "rows", "sums")

    def __init__(self, sums: Sums, rows: Rows | None = None, others: Callable[[str], Sums] | None = None) -> None:
        self.sums, self.rows, self.others = sums, rows, others


class Need(Protocol):
    """One thing that a formula takes."""

    @property
    def reads_rows(self) -> bool:
        """Whether no state can keep it."""

    @property
    def plan(self) -> Plan:
        """What the state must keep for it."""

    def of(self, known: Known) -> Any:
        """Return it; raise NoAnswerError where it cannot be had."""


def plan_of(needs: tuple[Need, ...], rows: bool = False) -> Plan:
    """Return the plan that keeps what needs ask for, less what can be read from ``rows``; the same object for the same needs."""
    return _plan_of(needs, rows) if needs else NOTHING


@lru_cache(1024)
def _plan_of(needs: tuple[Need, ...], rows: bool) -> Plan:
    if not rows:
        return Plan.union(need.plan for need in needs)
    terms = Plan.union(need.plan for need in needs if isinstance(need, MeanOf))
    few = all(isinstance(need, MeanOf | ErrorQuantile | TrimmedSquare | NullDeviance) for need in needs)
    return Plan(terms.terms, pairs=not few, target=few and any(isinstance(need, NullDeviance) for need in needs))


def _rows(known: Known, what: str) -> Rows:
    if known.rows is None:
        raise NoAnswerError(f"it needs {what}, which sums do not keep; call the function on arrays")
    return known.rows


@dataclass(frozen=True, slots=True)
class MeanOf:
    """The weighted mean of a term, exact but for the rounding of each term."""

    reads_rows: ClassVar[bool] = False
    term: Term

    @property
    def plan(self) -> Plan:
        """What the state must keep for it."""
        return Plan((self.term,))

    def of(self, known: Known) -> Ratio:
        """Return it; raise NoAnswerError where it cannot be had."""
        return known.sums.mean_of(self.term)


@dataclass(frozen=True, slots=True)
class ErrorQuantile:
    """A quantile of |y - p|: exact on rows, from the sizes that a state counts to a relative 2^-8."""

    reads_rows: ClassVar[bool] = False
    level: float

    @property
    def plan(self) -> Plan:
        """What the state must keep for it."""
        return Plan(histogram=True)

    def of(self, known: Known) -> Ratio:
        """Return it; raise NoAnswerError where it cannot be had."""
        if known.rows is None:
            return known.sums.error_quantile(self.level)
        return Ratio.middle(*known.rows.error_quantile(self.level))


@dataclass(frozen=True, slots=True)
class TrimmedSquare:
    """The mean square of all but the largest errors."""

    reads_rows: ClassVar[bool] = False
    trim: float
    winsorised: bool

    @property
    def plan(self) -> Plan:
        """What the state must keep for it."""
        return Plan(histogram=True)

    def of(self, known: Known) -> Ratio:
        """Return it; raise NoAnswerError where it cannot be had."""
        if known.rows is None:
            sizes = known.sums.sizes
            return sizes.winsorised_square(self.trim) if self.winsorised else sizes.trimmed_square(self.trim)
        return known.rows.trimmed_square(self.trim, self.winsorised)


@dataclass(frozen=True, slots=True)
class TargetQuantile:
    """A quantile of the target."""

    reads_rows: ClassVar[bool] = True
    level: float

    @property
    def plan(self) -> Plan:
        """What the state must keep for it."""
        return NOTHING

    def of(self, known: Known) -> Ratio:
        """Return it; raise NoAnswerError where it cannot be had."""
        return _rows(known, "a quantile of the target").target_quantile(self.level)


@dataclass(frozen=True, slots=True)
class BestConstant:
    """The sums under the constant prediction with the least pinball loss."""

    reads_rows: ClassVar[bool] = True
    alpha: float

    @property
    def plan(self) -> Plan:
        """What the state must keep for it."""
        return NOTHING

    def of(self, known: Known) -> Sums:
        """Return it; raise NoAnswerError where it cannot be had."""
        return _rows(known, "a quantile of the target").best_constant(self.alpha)


_LEAST_NORMAL = 2.0**-1022
_SEEN = 2.0**-40  # a deviance above so many c^(2 - power) is changed by less than 2^-66 of it


@dataclass(frozen=True, slots=True)
class NullDeviance:
    """The mean Tweedie deviance where every prediction is the mean m of the target.

    It is taken under the double c next to m. Deviances are Bregman divergences, so it is too large there by the deviance of m from c,
    which is ((m - c) / c)^2 c^(2 - power), for they are that near: at most 2^-106 c^(2 - power), which is seen in small deviances alone.
    """

    power: float

    reads_rows: ClassVar[bool] = True

    @property
    def plan(self) -> Plan:
        """What the state must keep for it."""
        return NOTHING

    def of(self, known: Known) -> Ratio:
        """Return it; raise NoAnswerError where it cannot be had."""
        rows, sums = _rows(known, "the mean of the target before the rows"), known.sums
        y, w = (sums.y << sums.scale, sums.w) if sums.scale >= 0 else (sums.y, sums.w << -sums.scale)
        near = y / w  # integers, so it is the double next to m
        under = rows.mean_under(near, _deviance(self.power), sums)
        if near <= 0:
            return under
        try:
            unit = near ** (2 - self.power)
            if near >= _LEAST_NORMAL and under.numerator / under.denominator > _SEEN * unit:
                return under
            top, bottom = near.as_integer_ratio()
            off = (y * bottom - top * w) / (top * w)  # (m - c) / c
            top, bottom = (off * off * unit).as_integer_ratio()
        except OverflowError:  # then the deviance is beyond every double too
            return under
        null = Ratio(under.numerator * bottom - top * under.denominator, under.denominator * bottom)
        if null.numerator < 0:
            raise NoAnswerError("the deviance of the best constant is below the smallest double")
        return null


@lru_cache(256)
def _deviance(power: float) -> Plan:
    return Plan((Term("tweedie", (power,)),), pairs=False)


@dataclass(frozen=True, slots=True)
class PotentialError:
    """The mean of (|p - m| + |y - m|)^2, with m the mean of the target."""

    reads_rows: ClassVar[bool] = True

    @property
    def plan(self) -> Plan:
        """What the state must keep for it."""
        return NOTHING

    def of(self, known: Known) -> Ratio:
        """Return it; raise NoAnswerError where it cannot be had."""
        return _rows(known, "the mean of the target before the rows").potential_error()


@dataclass(frozen=True, slots=True)
class Share:
    """The loss as a share of that of a baseline: another model of the same rows, or a rule that needs none."""

    @property
    def reads_rows(self) -> bool:
        """Whether no state can keep what the baseline takes."""
        return self.baseline in ("last_value", "seasonal_naive") or (self.baseline, self.loss) == ("mean", "absolute")

    baseline: str
    loss: str
    seasonality: int

    @property
    def plan(self) -> Plan:
        """What the state must keep for it."""
        return NOTHING

    def of(self, known: Known) -> Ratio:
        """Return it; raise NoAnswerError where it cannot be had."""
        ours, theirs = known.sums, known.sums
        if self.baseline == "mean":
            if self.loss == "absolute":
                return _loss(ours, self.loss) / _rows(known, "the mean of the target before the rows").mean_deviation()
            return Ratio(ours.w * ours.squared_error, ours.variance_y)
        if self.baseline in ("last_value", "seasonal_naive"):
            step = 1 if self.baseline == "last_value" else self.seasonality
            ours, theirs = _rows(known, "the order of the rows").after(step)
        elif known.rows is not None:
            theirs = known.rows.other(self.baseline)
        elif known.others is not None:
            theirs = known.others(self.baseline)
            if not ours.same_targets(theirs):
                raise NoAnswerError(f"the baseline {self.baseline!r} has a value in other rows")
        else:
            raise NoAnswerError("it needs the sums of the baseline")
        return _loss(ours, self.loss) / _loss(theirs, self.loss)


def _loss(sums: Sums, loss: str) -> Ratio:
    if loss == "absolute":
        return sums.absolute(Ratio(sums.absolute_error, sums.w), 1)
    return sums.absolute(Ratio(sums.squared_error, sums.w), 2)


def terms_of(needs: Sequence[Need]) -> tuple[Term, ...]:
    """Return the terms among needs."""
    return tuple(need.term for need in needs if isinstance(need, MeanOf))
