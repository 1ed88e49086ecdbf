"""Terms: what a state sums beside its eight sums, each rounded once, and the plan that says which."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from squarely import _core
from squarely.errors import DataError

__all__ = ["RECIPES", "Plan", "Term"]

# The numbers are part of the bytes of a state. They are those of cpp/recipes.hpp.
RECIPES = {
    "squared_error": 1,
    "absolute_error": 2,
    "error": 3,
    "pinball": 4,
    "expectile": 5,
    "percentage": 6,
    "absolute_percentage": 7,
    "squared_percentage": 8,
    "symmetric_percentage": 9,
    "signed_symmetric_percentage": 10,
    "scaled_absolute": 11,
    "scaled_squared": 12,
    "squared_log": 13,
    "tweedie": 14,
    "huber": 15,
    "pseudo_huber": 16,
    "log_cosh": 17,
    "tukey": 18,
    "cauchy": 19,
    "welsch": 20,
    "geman_mcclure": 21,
    "barron": 22,
    "linex": 23,
    "threshold_weighted": 24,
    "interval_covered": 25,
    "interval_width": 26,
    "interval_score": 27,
    "crps_gaussian": 28,
    "gaussian_nll": 29,
    "circular_absolute": 30,
    "circular_squared": 31,
    "circular_error": 32,
    "quantile": 33,
}
MOST_COLUMNS, MOST_TERMS = 250, 1024  # as in cpp/plan.hpp
_LONGEST_NAME = 1000  # bytes
_NAMES = {number: name for name, number in RECIPES.items()}


class Term(NamedTuple):
    """A function of one row: a recipe of the core, its constants, and the columns it reads beside y and p."""

    recipe: str
    constants: tuple[float, ...] = ()
    columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """What a state keeps beside its eight sums.

    Parameters
    ----------
    terms : tuple of Term
        Sorted, each once: equal plans are written alike.
    histogram : bool
        Whether the sizes of errors are counted.
    pairs : bool
        Whether the eight sums are wanted; a function that answers one question may do without.
    target : bool
        Whether, without the eight, the sum of the target is wanted.
    """

    terms: tuple[Term, ...] = ()
    histogram: bool = False
    pairs: bool = True
    target: bool = False

    @classmethod
    def union(cls, plans: "Iterable[Plan]") -> "Plan":
        """Return the plan that keeps what any of these keeps."""
        several = list(plans)
        return cls(tuple(sorted({term for plan in several for term in plan.terms})), any(plan.histogram for plan in several))

    def __le__(self, other: "Plan") -> bool:
        """Say whether the other keeps all that this one does."""
        return set(self.terms) <= set(other.terms) and self.histogram <= other.histogram

    def __reduce__(self) -> tuple[type["Plan"], tuple[tuple[Term, ...], bool, bool, bool]]:
        return Plan, (self.terms, self.histogram, self.pairs, self.target)  # without the plan of the core

    def __bool__(self) -> bool:
        return self.histogram or bool(self.terms) or not self.pairs

    @property
    def in_words(self) -> str:
        """What is kept, for a message."""
        names = [term.recipe for term in self.terms] + ["the sizes of errors"] * self.histogram
        return ", ".join(names[:6]) + (", ..." if len(names) > 6 else "") if names else "nothing"

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The columns that the terms read beside y and p."""
        return tuple(sorted({name for term in self.terms for name in term.columns}))

    @cached_property
    def places(self) -> dict[Term, int]:
        """Where each term is."""
        return {term: place for place, term in enumerate(self.terms)}

    @cached_property
    def core(self) -> _core.Plan | None:
        """The plan as the core reads it; None where there is nothing to keep."""
        if not self:
            return None
        if len(self.columns) > MOST_COLUMNS:
            raise DataError(
                f"the metrics read {len(self.columns)} columns beside target and prediction; at most {MOST_COLUMNS} can be. Ask in parts."
            )
        if len(self.terms) > MOST_TERMS:
            raise DataError(f"the metrics need {len(self.terms):,} terms; at most {MOST_TERMS:,} can be kept. Ask in parts.")
        for name in self.columns:
            try:
                length = len(name.encode())
            except UnicodeEncodeError:
                length = _LONGEST_NAME + 1
            if length > _LONGEST_NAME:
                raise DataError(f"the column {name[:60]!r} cannot be kept: its name is too long, or no text. Rename it.")
        terms = [(RECIPES[term.recipe], list(term.constants), [self.columns.index(name) for name in term.columns]) for term in self.terms]
        return _core.Plan(list(self.columns), terms, self.histogram, self.pairs, self.target)

    @classmethod
    def read(cls, core: _core.PairSums) -> "Plan":
        """Return the plan of a state of the core."""
        found = core.plan()
        if found is None:
            return NOTHING
        columns, terms, histogram = found
        if list(columns) != sorted({columns[place] for _, _, places in terms for place in places}):
            raise ValueError("its columns are not those that its terms read, in order")
        return cls(tuple(Term(_NAMES[recipe], tuple(values), tuple(columns[at] for at in places)) for recipe, values, places in terms), histogram)


NOTHING = Plan()
