"""Sums of products of planes by threads: the same integers in any parts of the rows."""

from typing import Any

import numpy as np
import pytest

from squarely import _core
from squarely.linear import GramState
from squarely.state import products


@pytest.mark.parametrize("threads", [1, 2, 3, 7])
@pytest.mark.parametrize("rows", [0, 1, 2, 511, 513, 4_099])
@pytest.mark.parametrize("is_same", [True, False])
def test_threads_add_the_same_integers(threads: int, rows: int, is_same: bool) -> None:
    rng = np.random.default_rng(rows)
    left = np.rint(rng.normal(0, 2.0**18, (9, 5_000)))
    right = left if is_same else np.rint(rng.normal(0, 2.0**18, (6, 5_000)))
    found = np.full((len(left), len(right)), -1, np.int64)
    _core.multiply_digits(left, right, rows, found, threads)
    whole = left[:, :rows].astype(np.int64) @ right[:, :rows].astype(np.int64).T
    assert (found == whole).all()


def test_a_state_is_the_same_on_any_number_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(20_000, 12)) * 10.0 ** rng.integers(-20, 20, 12), rng.normal(size=20_000)
    asked: list[int] = []
    multiply = _core.multiply_digits

    def watched(*given: Any) -> None:
        asked.append(given[-1])
        multiply(*given)

    monkeypatch.setattr(products._core, "multiply_digits", watched)
    monkeypatch.setattr(products, "_WORTH_A_THREAD", 1 << 10)
    found = []
    for threads in ("1", "2", "5"):
        monkeypatch.setenv("SQUARELY_THREADS", threads)
        found.append(GramState.of(x, y).digest())
    assert len(set(found)) == 1
    assert set(asked) == {1, 2, 5}
