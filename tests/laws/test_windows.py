"""Windows: each state is that of its rows alone, and fits are those of a rolling regression."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import statsmodels.api as sm
from statsmodels.regression.rolling import RollingOLS

from squarely.errors import DataError
from squarely.linear import LinearRegression, gram, windows

RNG = np.random.default_rng(8)
N = 1003
FRAME = pd.DataFrame({"x": 1e6 + RNG.normal(size=N), "c": RNG.choice(["a", "b", "c"], N, p=[0.6, 0.39, 0.01]), "w": RNG.integers(0, 4, N) / 2})
FRAME["y"] = RNG.normal(size=N) + FRAME["x"]


@pytest.mark.parametrize("weight", [None, "w"])
@pytest.mark.parametrize(("rows", "step"), [(100, None), (100, 25), (60, 20), (1, None), (N, None), (2000, 500)])
def test_each_state_is_that_of_its_rows(tmp_path: Path, rows: int, step: int | None, weight: str | None) -> None:
    pq.write_table(pa.Table.from_pandas(FRAME), tmp_path / "rows.parquet", row_group_size=130)
    frame = FRAME.iloc[: 40 if rows == 1 else N]
    data = frame if rows == 1 else tmp_path / "rows.parquet"
    found = list(windows(data, target="y", rows=rows, step=step, weight=weight))
    starts = [start for start, _ in found]
    each = step or rows
    assert starts == [start for start in range(0, len(frame), each) if start == 0 or start + rows - each < len(frame)]
    for start, state in found:
        assert state == gram(frame.iloc[start : start + rows], target="y", weight=weight)


def test_fits_are_those_of_a_rolling_regression() -> None:
    theirs = RollingOLS(FRAME["y"], sm.add_constant(FRAME["x"] - 1e6), window=50).fit().params
    data = FRAME.assign(x=FRAME["x"] - 1e6)
    for start, state in windows(data, target="y", features=["x"], rows=50, step=10):
        if state.n == 50:
            model = LinearRegression.from_state(state)
            np.testing.assert_allclose([model.intercept_, model.coef_[0]], theirs.iloc[start + 49], rtol=1e-9)


@pytest.mark.parametrize(("rows", "step"), [(0, None), (10, 3), (10, 20), (10, 0), (-5, None)])
def test_windows_that_are_none_are_refused(rows: int, step: int | None) -> None:
    with pytest.raises(DataError, match="make no windows"):
        windows(FRAME, target="y", rows=rows, step=step)
