"""Every recipe is within 4 units in the last place of its formula, and has the same bits in every instruction set and in the NumPy twin."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache

import mpmath as mp
import numpy as np
import pytest

import term_oracle
import term_rows
from squarely import _core
from squarely.state import RECIPES, twin_terms
from term_oracle import CASES, Case, Point
from term_rows import Doubles

ULPS = 4.0


@pytest.fixture(autouse=True)
def _many_bits() -> Iterator[None]:
    with mp.workprec(term_oracle.BITS):
        yield


@lru_cache(maxsize=1)
def rows(case: Case, count: int = 12) -> tuple[Doubles, Doubles, Doubles | None, Doubles | None]:
    return term_rows.rows(case, np.random.default_rng(case.number), count)


def evaluate(case: Case, y: Doubles, p: Doubles, x0: Doubles | None, x1: Doubles | None) -> Doubles:
    out = np.empty(len(y))
    _core.pointwise(case.number, y, p, list(case.constants), tuple(column for column in (x0, x1) if column is not None), out)
    return out


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_term_is_within_four_units_of_its_formula(case: Case) -> None:
    y, p, x0, x1 = rows(case)
    terms = evaluate(case, y, p, x0, x1)
    worst: tuple[float, object] = (0.0, None)
    for i, term in enumerate(terms):
        point = Point(*(mp.mpf(float(column[i])) if column is not None else None for column in (y, p, x0, x1)))
        want = case.define(point, *case.constants)
        size = want if want is None or case.size is None else case.size(point)
        distance = term_oracle.distance(float(term), want, size)
        if distance > worst[0]:
            worst = distance, (y[i], p[i], None if x0 is None else x0[i], None if x1 is None else x1[i], term, want and mp.nstr(want, 20))
    assert worst[0] < ULPS, worst


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_term_has_the_same_bits_everywhere(case: Case) -> None:
    y, p, x0, x1 = rows(case, 60)
    with np.errstate(over="ignore"):
        expected = twin_terms.term(case.recipe, y, p, y - p, case.constants, x0, x1).tobytes()
    before = _core.use("portable")
    try:
        for name in _core.available():
            _core.use(name)
            assert evaluate(case, y, p, x0, x1).tobytes() == expected, name
    finally:
        _core.use(before)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_rows_of_one_prediction_have_the_bits_of_any_others(case: Case) -> None:
    y, p, x0, x1 = rows(case, 60)
    for one in np.unique(p)[::9]:
        alike = np.full_like(p, one)
        with_another = [
            None if column is None else np.append(column, last)
            for column, last in ((y, 1.0), (alike, 0.5 if one == 1.0 else 1.0), (x0, 1.0), (x1, 2.0))
        ]
        assert evaluate(case, y, alike, x0, x1).tobytes() == evaluate(case, *with_another)[:-1].tobytes(), one  # type: ignore[arg-type]


@pytest.mark.parametrize("case", {case.recipe: case for case in CASES}.values(), ids=lambda case: case.recipe)
def test_a_row_does_not_see_its_neighbours(case: Case) -> None:
    y, p, x0, x1 = rows(case)
    whole = evaluate(case, y, p, x0, x1)
    for start, stop in [(0, 0), (0, 1), (0, 7), (3, 12), (5, 22), (len(y) - 9, len(y))]:
        part = [column if column is None else column[start:stop].copy() for column in (y, p, x0, x1)]
        assert evaluate(case, *part).tobytes() == whole[start:stop].tobytes()  # type: ignore[arg-type]


def test_the_twin_knows_every_recipe() -> None:
    assert set(twin_terms.RECIPES) == set(RECIPES)
    assert {case.recipe: case.number for case in CASES} == RECIPES


def test_a_difference_that_was_rounded_elsewhere_is_taken_as_given() -> None:
    """Integers of 64 bits have residuals that the doubles do not: the recipe believes r, not y - p."""
    y = p = np.array([2.0**60])
    for recipe, r, term in [("squared_error", 3.0, 9.0), ("log_cosh", 1e4, 1e4 - math.log(2)), ("pseudo_huber", 3.0, math.sqrt(10) - 1)]:
        (got,) = twin_terms.term(recipe, y, p, np.array([r]), (1.0,) if recipe == "pseudo_huber" else ())
        assert got == pytest.approx(term, rel=1e-15)
