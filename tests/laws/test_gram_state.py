"""A GramState holds its moments exactly, adds and subtracts as numbers do, and keeps no trace of order, parts or kinds of arrays."""

from __future__ import annotations

import pickle
from fractions import Fraction

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse

import nasty
from squarely import _core
from squarely.errors import DataError, StateError
from squarely.linear import GramState
from squarely.state.places import PlaceSums

WEIGHTS = pytest.mark.parametrize("weights", ["none", "lognormal", "with_zeros", "huge_and_tiny"])
KINDS = pytest.mark.parametrize("kind", nasty.KINDS)


def weights_of(weights: str, n: int) -> np.ndarray | None:
    rng = np.random.default_rng(5)
    if weights == "with_zeros":
        return np.where(rng.random(n) < 0.3, 0.0, rng.random(n))
    return np.abs(nasty.pair("huge_and_tiny", n, 9)[0]) if weights == "huge_and_tiny" else nasty.weight(weights, n)


def rows_of(kind: str, n: int = 120) -> tuple[np.ndarray, np.ndarray]:
    """Two features of one kind and an ordinary one, and a target."""
    a, b = nasty.pair(kind, n)
    return np.column_stack([a, b, np.random.default_rng(1).normal(size=n)]), nasty.pair(kind, n, 1)[0]


def moments_of(state: GramState) -> list[list[Fraction]]:
    exact = state.moments
    return [[Fraction(value) * Fraction(2) ** exact.exponent for value in row] for row in exact.numerators.tolist()]


@KINDS
@WEIGHTS
def test_moments_are_those_of_exact_arithmetic(kind: str, weights: str) -> None:
    x, y = rows_of(kind)
    w = weights_of(weights, len(y))
    z = [[Fraction(1), *map(Fraction, row), Fraction(target)] for row, target in zip(x.tolist(), y.tolist(), strict=True)]
    weight = [Fraction(1)] * len(y) if w is None else [Fraction(value) for value in w.tolist()]
    expected = [[sum((v * r[i] * r[j] for v, r in zip(weight, z, strict=True)), Fraction(0)) for j in range(5)] for i in range(5)]
    assert moments_of(GramState.of(x, y, w)) == expected


def test_moments_of_many_blocks_are_exact() -> None:
    """The largest odd digits there are: they fill the 53 bits of a block, and 64 bits need emptying on the way."""
    n = 9 * (1 << 20) + 77
    first, value = 2 * [0.4], 2 - 2.0**-19  # the first rows put the grid where the others have 20 bits
    state = GramState.of(np.column_stack([first, first]), first)
    column = np.full(n, value)
    state.update(np.column_stack([column, -column]), column)
    square, before = n * Fraction(value) ** 2, 2 * Fraction(0.4) ** 2
    expected = [[square, -square, square], [-square, square, -square], [square, -square, square]]
    assert [row[1:] for row in moments_of(state)[1:]] == [[entry + before for entry in row] for row in expected]


@KINDS
@WEIGHTS
def test_order_and_parts_leave_no_trace(kind: str, weights: str) -> None:
    x, y = rows_of(kind, 300)
    w = weights_of(weights, len(y))
    whole = GramState.of(x, y, w)
    order = np.random.default_rng(0).permutation(len(y))
    parts = [GramState.of(x[rows], y[rows], None if w is None else w[rows]) for rows in np.array_split(order, 7)]
    assert sum(parts, GramState()).to_bytes() == whole.to_bytes()
    updated = GramState()
    for rows in np.array_split(order, 11):
        updated.update(x[rows], y[rows], None if w is None else w[rows])
    assert updated.to_bytes() == whole.to_bytes()
    assert whole - parts[0] == sum(parts[1:], GramState())
    assert whole + GramState() == whole
    assert whole - whole == -(whole - whole)
    assert pickle.loads(pickle.dumps(whole)) == GramState.from_bytes(whole.to_bytes()) == whole


@pytest.mark.parametrize("rows", [8191, 8192, 8193, 70_000])
def test_the_blocks_leave_no_trace(rows: int) -> None:
    rng = np.random.default_rng(2)
    x, y, w = rng.lognormal(0, 3, (rows, 2)), rng.normal(size=rows), rng.random(rows)
    w[: rows // 2] = 1  # parts without weights are parts of weight 1
    middle = rows // 2
    assert GramState.of(x, y, w) == GramState.of(x[:middle], y[:middle]) + GramState.of(x[middle:], y[middle:], w[middle:])
    assert GramState.of(x[:middle], y[:middle]).update(x[middle:], y[middle:], w[middle:]) == GramState.of(x, y, w)


@KINDS
@pytest.mark.parametrize("rows", [1, 7, 517])
def test_every_instruction_set_gives_the_same_bytes(kind: str, rows: int) -> None:
    x, y = rows_of(kind, rows)
    w = np.random.default_rng(8).random(rows)
    found = set()
    before = _core.use(_core.available()[-1])
    try:
        for name in _core.available():
            _core.use(name)
            found.add((GramState.of(x, y).to_bytes(), GramState.of(x, y, w).to_bytes()))
    finally:
        _core.use(before)
    assert len(found) == 1


def test_weights_are_copies_and_zero_is_absence() -> None:
    rng = np.random.default_rng(3)
    x, y, times = rng.normal(size=(50, 2)), rng.normal(size=50), rng.integers(0, 4, 50)
    weighted, copied = GramState.of(x, y, times), GramState.of(np.repeat(x, times, 0), np.repeat(y, times))
    assert moments_of(weighted) == moments_of(copied)
    assert weighted.n == int((times > 0).sum())
    assert weighted.weight_sum == copied.n == int(times.sum())


def test_kinds_of_arrays_are_one() -> None:
    rng = np.random.default_rng(4)
    x, y = rng.integers(-1000, 1000, (40, 3)).astype(np.float32) / 8, rng.normal(size=40)
    named = GramState.of(pd.DataFrame(x, columns=list("abc")), y)
    assert named.features == ("a", "b", "c")
    columns = {name: x[:, at] for at, name in enumerate("abc")}
    assert GramState.of(pl.DataFrame(columns), y) == GramState.of(pa.table(columns), y) == named
    plain = GramState.of(x, y)
    assert plain.features == ("x0", "x1", "x2")
    for other in (x.astype(float), np.asfortranarray(x), x.tolist(), scipy.sparse.csr_array(x), scipy.sparse.csc_matrix(x), x[:, ::-1][:, ::-1]):
        assert GramState.of(other, y) == plain
    assert GramState.of(x, y[:, None]) == plain
    assert GramState.of(x, np.column_stack([y, y])).targets == ("y0", "y1")


def test_long_integers_do_not_round() -> None:
    values = np.array([2**62 + 1, -(2**62) - 3, 7])
    for kind in (values, values.astype(object), pd.DataFrame({"x0": values})):
        assert moments_of(GramState.of(np.reshape(kind, (-1, 1)), [1.0, 0, 0]))[0][1] == 5
    unsigned = np.array([[2**64 - 1], [1]], np.uint64)
    assert moments_of(GramState.of(unsigned, [1, 1]))[0][1] == 2**64


def test_what_is_refused_is_named() -> None:
    x, y = np.ones((4, 2)), np.ones(4)
    x[2, 1] = np.nan
    with pytest.raises(DataError, match=r"X contains NaN: column 1, row 2 counted from 0"):
        GramState.of(x, y)
    with pytest.raises(DataError, match=r"X contains infinity: column 'b', row 1 counted from 0"):
        GramState.of(pd.DataFrame({"a": [1.0, 2.0], "b": [1.0, -np.inf]}), y[:2])
    with pytest.raises(DataError, match=r"X contains NaN: column 'b', row 0"):
        GramState.of(pl.DataFrame({"a": [1, 2], "b": [None, 3]}), y[:2])
    with pytest.raises(DataError, match="X has 4 rows and y 3"):
        GramState.of(np.ones((4, 2)), np.ones(3))
    with pytest.raises(DataError, match=r"sample_weight at index 1 is -1.0"):
        GramState.of(np.ones((2, 1)), [1, 2], [1.0, -1.0])
    with pytest.raises(DataError, match="sample_weight has 1 rows and X 2"):
        GramState.of(np.ones((2, 1)), [1, 2], [1.0])
    with pytest.raises(DataError, match=r"X has shape \(2, 2, 2\)"):
        GramState.of(np.ones((2, 2, 2)), [1, 2])


def test_refused_rows_leave_no_trace() -> None:
    x = np.ones((70_000, 1))
    state = GramState.of(x, x)
    before = state.to_bytes()
    x[-1] = np.nan
    with pytest.raises(DataError, match="row 69,999"):
        state.update(x, np.ones((70_000, 1)))
    assert state.to_bytes() == before


def test_states_of_other_columns_do_not_add() -> None:
    ours = GramState.of(pd.DataFrame({"a": [1.0], "b": [2.0]}), [1.0])
    with pytest.raises(StateError, match="number 1 of the features is 'c' where 'b' was expected"):
        ours + GramState.of(pd.DataFrame({"a": [1.0], "c": [2.0]}), [1.0])
    with pytest.raises(DataError, match="there are 1 features where 2 were expected"):
        ours.update([[1.0]], [2.0])


@pytest.mark.parametrize("damage", [lambda data: data[:-1], lambda data: b"x" + data[1:], lambda data: data[:40] + b"\xff" + data[41:]])
def test_damaged_bytes_are_refused(damage: object) -> None:
    data = GramState.of([[1.0]], [2.0]).to_bytes()
    with pytest.raises(StateError):
        GramState.from_bytes(damage(data))  # type: ignore[operator]


def test_sums_of_places_never_overflow() -> None:
    """Each deposit may be 2^53 in size, and 2,000 of them are beyond 64 bits."""
    sums = PlaceSums(2)
    for _ in range(2000):
        sums.make_room(0, 1, 1, lambda: np.zeros(2, object))
        sums.sums[..., 0 - sums.lowest] += np.array([2**53, -(2**53)])
    total = sums.total(lambda: np.zeros(2, object))
    assert [value * Fraction(2) ** total.exponent for value in total.numerators] == [2000 * 2**53, -2000 * 2**53]
