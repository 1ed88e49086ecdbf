"""A sum is rounded once, to the nearest double with ties to even, and a double-double carries what is left."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

import nasty
import oracle
from squarely import PairState, _core

TIES = [
    [2.0**53, 1.0],  # half way, to the even neighbour below
    [2.0**53 + 2, 1.0],  # half way, to the even neighbour above
    [2.0**53, 1.0, 2.0**-60],  # a trace above half way
    [2.0**53 + 2, 1.0, -(2.0**-60)],
    [-(2.0**53), -1.0],
    [-(2.0**53) - 2, -1.0],
    [2.0**53 - 1, 0.5],  # rounding carries into the next power of two
    [5e-324, 5e-324, -5e-324],
    [2.0**-1022, -5e-324],
    [1e300, -1e300],
    [1.7e308, 1.7e308],
    [0.1] * 10,
]


def nearest(value: Fraction) -> float:
    """Python rounds a quotient of integers correctly."""
    try:
        return value.numerator / value.denominator
    except OverflowError:
        return math.inf if value > 0 else -math.inf


@pytest.mark.parametrize("values", [*TIES, *(nasty.pair(kind, 100)[0].tolist() for kind in nasty.KINDS)])
def test_a_sum_is_rounded_once(values: list[float]) -> None:
    exact = sum(map(Fraction, values), Fraction(0))
    groups = _core.Groups()
    groups.grow(1)
    groups.update(values := np.array(values), np.zeros(len(values)), None, None, None)
    moments = np.empty(8)
    groups.moments(np.zeros(1), np.zeros(1, np.int32), moments)
    assert moments[1] == nearest(exact)


@pytest.mark.parametrize("kind", [name for name in nasty.WEIGHTS if name != "none"])
def test_the_sum_of_weights_is_rounded_once(kind: str) -> None:
    w = nasty.weight(kind)
    y, p = nasty.pair("normal")
    assert PairState.of(y, p, w).weight_sum == nearest(oracle.eight_sums(y, p, w)[0])


@pytest.mark.parametrize("weights", [[2.0**53, 1.0], [2.0**53 + 2, 1.0], [2.0**53, 1.0, 2.0**-60], [5e-324]])
def test_ties_of_weights_go_to_even(weights: list[float]) -> None:
    ones = np.ones(len(weights))
    assert PairState.of(ones, ones, weights).weight_sum == nearest(sum(map(Fraction, weights), Fraction(0)))
