"""Sparse features give the bits of dense ones, by way of the numbers that are there."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from squarely.errors import DataError
from squarely.linear import GramState, LinearRegression, RidgeCV

RNG = np.random.default_rng(2)
N = 20_000
Y = RNG.normal(size=N) * 2.0 ** RNG.integers(-40, 40, N)
W = RNG.integers(0, 5, N) * RNG.random(N)  # some are 0


def some(dense: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return np.where(RNG.random(dense.shape) < 0.1, dense, 0)


KINDS: dict[str, np.ndarray[Any, Any]] = {
    "normal": some(RNG.normal(size=(N, 7))),
    "of all sizes": some(RNG.normal(size=(N, 4)) * 2.0 ** RNG.integers(-480, 480, (N, 4))),
    "subnormal": some(RNG.normal(size=(N, 3)) * 5e-310),
    "whole": some(RNG.integers(-9, 9, (N, 3))),
    "long integers": some(RNG.integers(-(2**62), 2**62, (N, 2))),
    "yes and no": RNG.random((N, 3)) < 0.2,
    "single": some(RNG.normal(size=(N, 3))).astype(np.float32),
    "nothing": np.zeros((N, 2)),
    "an empty column": np.column_stack([np.zeros(N), RNG.normal(size=N)]),
}


@pytest.mark.parametrize("weight", [None, W], ids=["plain", "weighted"])
@pytest.mark.parametrize("kind", KINDS)
def test_bits_are_those_of_dense_features(kind: str, weight: np.ndarray[Any, Any] | None) -> None:
    dense = KINDS[kind]
    expected = GramState.of(dense, Y, weight).to_bytes()
    assert GramState.of(sp.csr_array(dense), Y, weight).to_bytes() == expected


@pytest.mark.parametrize("form", [sp.csr_matrix, sp.csc_array, sp.coo_matrix, sp.lil_array])
def test_every_form_of_sparse_matrix_is_read(form: Callable[[Any], Any]) -> None:
    dense = KINDS["normal"][:300]
    y = np.column_stack([Y[:300], Y[300:600]])
    assert GramState.of(form(dense), y, W[:300]) == GramState.of(dense, y, W[:300])


def test_moments_are_exact() -> None:
    dense, y, w = KINDS["normal"][:60], Y[:60], W[:60]
    moments = GramState.of(sp.csr_array(dense), y, w).moments
    columns = [[Fraction(value) for value in column.tolist()] for column in (np.ones(60), *dense.T, y)]
    weights = [Fraction(value) for value in w.tolist()]
    expected = [[sum(u * a * b for u, a, b in zip(weights, one, two, strict=True)) for two in columns] for one in columns]
    assert [[Fraction(value) * Fraction(2) ** moments.exponent for value in row] for row in moments.numerators.tolist()] == expected


def test_zeros_that_are_written_and_numbers_in_two_pieces() -> None:
    numbers = np.array([1.0, 0.0, 1e16, 3.0, 1.0])  # 1e16 and 1 at one place round to 1e16
    rows = sp.csr_array((numbers, np.array([0, 1, 1, 0, 1]), np.array([0, 2, 5])), shape=(2, 2))
    assert GramState.of(rows, [1.0, 2.0]) == GramState.of([[1.0, 0.0], [3.0, 1e16]], [1.0, 2.0])
    assert rows.data.tolist() == [1.0, 0.0, 1e16, 3.0, 1.0]  # what was given is as it was
    assert rows.indices.tolist() == [0, 1, 1, 0, 1]


def test_parts_add_and_folds_are_dealt() -> None:
    dense = KINDS["normal"]
    rows = sp.csr_array(dense)
    state = GramState.of(rows[:9000], Y[:9000]).update(dense[9000:], Y[9000:])
    assert state == GramState.of(dense, Y)
    y = dense @ np.arange(7.0) + RNG.normal(size=N)
    sparse, full = RidgeCV(cv=3).fit(rows, y, W + 0.1), RidgeCV(cv=3).fit(dense, y, W + 0.1)
    assert sparse.folds_ == full.folds_
    assert sparse.coef_.tobytes() == full.coef_.tobytes()
    assert sparse.predict(rows).tobytes() == full.predict(dense).tobytes()


def test_frames_of_sparse_columns() -> None:
    dense = KINDS["normal"][:500]
    names = list("abcdefg")
    frame = pd.DataFrame.sparse.from_spmatrix(sp.csr_array(dense), columns=names)
    expected = LinearRegression().fit(pd.DataFrame(dense, columns=names), Y[:500])
    model = LinearRegression().fit(frame, Y[:500])
    assert model.state_ == expected.state_
    assert model.predict(frame).tobytes() == expected.predict(pd.DataFrame(dense, columns=names)).tobytes()
    assert LinearRegression(features=names).fit(frame.assign(y=Y[:500]), "y").state_ == expected.state_
    filled = frame.astype(pd.SparseDtype(float, np.nan))
    assert LinearRegression().fit(filled, Y[:500]).state_ == expected.state_


def test_what_is_not_finite_is_refused_with_its_place() -> None:
    dense = KINDS["normal"][:9000].copy()
    dense[8500, 3] = np.nan
    with pytest.raises(DataError, match=r"X contains NaN: column 3, row 8,500 counted from 0"):
        GramState.of(sp.csr_array(dense), Y[:9000])
    dense[8500, 3] = np.inf
    state = GramState.of(dense[:10], Y[:10])
    with pytest.raises(DataError, match=r"X contains infinity: column 3, row 8,500 counted from 0"):
        state.update(sp.csr_array(dense), Y[:9000])
    assert state == GramState.of(dense[:10], Y[:10])


def test_a_wide_matrix_is_never_made_dense(monkeypatch: pytest.MonkeyPatch) -> None:
    wide = sp.random_array((5000, 400), density=0.01, rng=np.random.default_rng(0), format="csr")
    expected = GramState.of(wide.toarray(), Y[:5000])
    monkeypatch.setattr(sp.csr_array, "toarray", lambda self: pytest.fail("a block was made dense"))
    assert GramState.of(wide, Y[:5000]) == expected


def test_complex_numbers_are_refused() -> None:
    with pytest.raises(DataError, match="X has the type complex128 where numbers were expected"):
        LinearRegression().fit(sp.csr_matrix(np.eye(3) * (1 + 1j)), [1.0, 2.0, 3.0])
