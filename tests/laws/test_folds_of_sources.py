"""Folds of files and frames of named columns: a function of the ordinal of a row, found in the pass that reads it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.model_selection import PredefinedSplit

from squarely.errors import DataError
from squarely.linear import LassoCV, RidgeCV, gram

RNG = np.random.default_rng(21)
ALPHAS = np.logspace(-2, 4, 13)


def source_rows(n: int) -> pd.DataFrame:
    x = RNG.standard_normal((n, 3))
    columns = {"a": x[:, 0], "b": x[:, 1], "c": np.where(x[:, 2] > 0, "up", "down"), "w": RNG.integers(1, 5, n) / 2}
    return pd.DataFrame({**columns, "y": x @ [1.0, -2.0, 0.5] + RNG.standard_normal(n)})


def in_rounds(rows: int, folds: int) -> list[int]:
    """The fold of each row, in integers: a start for each round of as many rows as there are folds, by a hash of 64 bits."""
    found = []
    for row in range(rows):
        mixed = row // folds * 0x9E3779B97F4A7C15 % 2**64
        mixed = (mixed ^ mixed >> 32) * 0xD6E8FEB86659FD93 % 2**64
        found.append(((mixed >> 32) % folds + row) % folds)
    return found


@pytest.mark.parametrize("folds", [2, 5, 7])
@pytest.mark.parametrize("weight", [None, "w"])
def test_folds_of_a_file_are_those_of_the_ordinals_of_its_rows(tmp_path: Path, folds: int, weight: str | None) -> None:
    frame = source_rows(503)
    places = in_rounds(len(frame), folds)
    counts = np.bincount(places)
    assert counts.max() - counts.min() <= 1
    expected = [gram(frame[np.equal(places, at)], target="y", features=["a", "b", "c"], weight=weight) for at in range(folds)]
    split = PredefinedSplit(places)
    written = pd.get_dummies(frame[["a", "b", "c"]], drop_first=True).astype(float)
    weights = None if weight is None else frame[weight]
    arrays = RidgeCV(ALPHAS, cv=split).fit(written.to_numpy(), frame["y"], weights)
    for size in (17, 100, 503):
        pq.write_table(pa.Table.from_pandas(frame), tmp_path / "rows.parquet", row_group_size=size)
        for data in (tmp_path / "rows.parquet", frame):
            found = RidgeCV(ALPHAS, features=["a", "b", "c"], cv=folds).fit(data, "y", weight)
            assert list(found.folds_) == expected
            assert (found.alpha_, found.coef_.tolist()) == (arrays.alpha_, arrays.coef_.tolist())
            np.testing.assert_allclose(found.mse_path_, arrays.mse_path_, rtol=1e-12)
    assert found.predict(frame[["a", "b", "c"]]).shape == (503,)


def test_folds_of_several_files_go_on_from_one_to_the_next(tmp_path: Path) -> None:
    frame = source_rows(103).drop(columns=["c", "w"])
    for at, rows in enumerate((frame[:31], frame[31:57], frame[57:])):
        rows.to_csv(tmp_path / f"{at}.csv", index=False)
    found, whole = LassoCV(cv=4, alphas=9).fit(tmp_path, "y"), LassoCV(cv=4, alphas=9).fit(frame, "y")
    assert found.folds_ == whole.folds_
    assert found.coef_.tolist() == whole.coef_.tolist()


def test_parts_of_a_source_add_to_the_same_folds() -> None:
    frame = source_rows(60).drop(columns=["c", "w"])
    first, more = frame[:41], frame[41:]
    both = RidgeCV(cv=3).fit(first, "y").partial_fit(more, "y")
    one, other = RidgeCV(cv=3).fit(first, "y"), RidgeCV(cv=3).fit(more, "y")
    assert both.folds_ == tuple(a + b for a, b in zip(one.folds_, other.folds_, strict=True)) == one.merge(other).folds_
    assert both.state_ == gram(frame, target="y")
    assert both.coef_.tolist() == one.merge(other).coef_.tolist()


def test_a_period_of_rows_does_not_fall_in_step_with_folds() -> None:
    """Five machines that take turns, of which one has another mean: each fold has rows of all of them."""
    n = 5000
    frame = pd.DataFrame({"x": RNG.standard_normal(n), "y": np.arange(n) % 5})
    shares = [fold.having({}).moments.block([0], [2]).nearest()[0, 0] / fold.n for fold in RidgeCV(cv=5).fit(frame, "y").folds_]
    np.testing.assert_allclose(shares, 2.0, atol=0.25)


@pytest.mark.parametrize(("cv", "message"), [(1, "cv=1 is no number of folds"), (9, "has no row"), (True, "Give a number of folds")])
def test_folds_that_a_source_cannot_have_are_refused(cv: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        RidgeCV(cv=cv).fit({"x": [1.0, 2.0, 3.0], "y": [1.0, 2.0, 4.0]}, "y")
