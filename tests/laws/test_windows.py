"""Windows: each state is that of its rows alone, and fits are those of a rolling regression."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

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
@pytest.mark.parametrize(("rows", "step"), [(100, None), (100, 25), (60, 20), (1, None), (N, None), (2000, 500), (2 * N, 59)])
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


@pytest.mark.parametrize(("rows", "step"), [(0, None), (10, 3), (10, 20), (10, 0), (-5, None), (10.0, 5), (10, 2.5)])
def test_windows_that_are_none_are_refused(rows: int, step: int | None) -> None:
    with pytest.raises(DataError, match="make no windows"):
        windows(FRAME, target="y", rows=rows, step=step)


SHUFFLED = FRAME.assign(
    hour=RNG.integers(-40, 300, N) + RNG.choice([0, 10_000], N, p=[0.9, 0.1]),
    depth=RNG.normal(0, 3, N),
    date=np.datetime64("2023-12-25T22:00", "ns") + RNG.integers(0, 40 * 86_400, N).astype("timedelta64[s]"),
)


def within(frame: pd.DataFrame, values: list[Any], length: Any, step: Any) -> Iterator[tuple[Any, pd.DataFrame]]:
    """The windows from the step of the least to that of the largest, each found among all rows."""
    first, last = min(values) // step, max(values) // step
    for place in range(first, max(first, last + 1 - length // step) + 1):
        there = [place * step <= value < place * step + length for value in values]
        if any(there):
            yield place * step, frame[there]


@pytest.mark.parametrize("weight", [None, "w"])
@pytest.mark.parametrize(("length", "step"), [(24, None), (24, 8), (1, None), (50_000, 10_000), (600, 100), (7, 1)])
def test_windows_along_a_column_of_numbers(tmp_path: Path, length: int, step: int | None, weight: str | None) -> None:
    pq.write_table(pa.Table.from_pandas(SHUFFLED), tmp_path / "rows.parquet", row_group_size=130)
    terms = ["x", "c"]
    expected = list(within(SHUFFLED, SHUFFLED["hour"].tolist(), length, step or length))
    for data in (SHUFFLED, tmp_path / "rows.parquet"):
        found = list(windows(data, target="y", along="hour", length=length, step=step, features=terms, weight=weight))
        assert [start for start, _ in found] == [start for start, frame in expected if weight is None or frame["w"].any()]
        assert all(type(start) is int for start, _ in found)
        for (_, state), (_, frame) in zip(found, [each for each in expected if weight is None or each[1]["w"].any()], strict=True):
            assert state == gram(frame, target="y", features=terms, weight=weight)


@pytest.mark.parametrize(("length", "step"), [(0.75, 0.25), (np.float32(0.75), np.float64(0.25)), (Fraction(3, 10), Fraction(1, 10)), (0.5, None)])
def test_windows_of_fractions_are_exact(length: Any, step: Any) -> None:
    """0.3 is below three tenths: in floating point its step would depend on how the quotient is rounded."""
    frame = SHUFFLED.assign(depth=np.append([0.3, 0.1 + 0.2, -0.25, 0.7], SHUFFLED["depth"].to_numpy()[4:]))
    expected = list(
        within(
            frame,
            [Fraction(value) for value in frame["depth"]],
            *(Fraction(float(each)) if isinstance(each, np.floating) else Fraction(each) for each in (length, step or length)),
        )
    )
    found = list(windows(frame, target="y", along="depth", length=length, step=step, features=["x"]))
    assert [start for start, _ in found] == [float(start) for start, _ in expected]
    for (_, state), (_, rows) in zip(found, expected, strict=True):
        assert state == gram(rows, target="y", features=["x"])


def test_a_boundary_is_where_it_is_and_not_where_a_rounded_quotient_is() -> None:
    """As doubles 0.3 and 4.1 lie below 3 and 41 tenths, and 1.1 above 11; quotients by 0.1 in floating point are rounded to other steps."""
    times = [0.3, 0.7, 1.1, 2.3, 4.1, 8.2, 1e15 + 0.125, 0.1 * 3, 5.0]
    assert any(int(time // 0.1) != Fraction(time) // Fraction(1, 10) for time in times)
    assert any(int(time / 0.1) != Fraction(time) // Fraction(1, 10) for time in times)
    for time in times:
        data = {"t": [time], "x": [1.0], "y": [2.0]}
        ((start, state),) = windows(data, target="y", along="t", length=Fraction(1, 10), features="x")
        place = Fraction(time) // Fraction(1, 10)
        assert place * Fraction(1, 10) <= Fraction(time) < (place + 1) * Fraction(1, 10)
        assert (start, state.n) == (float(place * Fraction(1, 10)), 1)


def test_windows_of_days_are_those_of_pandas() -> None:
    found = dict(windows(SHUFFLED, target="y", along="date", length=pd.Timedelta("1D"), features=["x"]))
    theirs = SHUFFLED.set_index("date").resample("1D", origin="epoch")
    assert list(found) == [day.to_datetime64() for day, rows in theirs if len(rows)]
    for day, rows in theirs:
        assert found[day.to_datetime64()] == gram(rows, target="y", features=["x"])


@pytest.mark.parametrize("length", [datetime.timedelta(days=7), np.timedelta64(1, "W"), np.timedelta64(7 * 24, "h"), pd.Timedelta(weeks=1)])
def test_durations_of_all_libraries_and_dates_of_all_kinds(length: Any) -> None:
    """The same instants, written in a zone or in none, as dates or as text, before 1970 or after."""
    naive = SHUFFLED["date"] - pd.Timedelta(days=365 * 55)
    moments = (naive - pd.Timestamp("1970-01-01")) // pd.Timedelta("1us")
    seven, day = 7 * 86_400_000_000, 86_400_000_000
    expected = [(start, gram(rows, target="y", features=["x"])) for start, rows in within(SHUFFLED, moments.tolist(), seven, day)]
    kinds = [
        naive,
        naive.dt.tz_localize("UTC"),
        naive.dt.tz_localize("UTC").dt.tz_convert("America/St_Johns"),
        naive.dt.strftime("%Y-%m-%d %H:%M:%S"),
    ]
    for kind in kinds:
        found = list(windows(SHUFFLED.assign(date=kind), target="y", along="date", length=length, step=datetime.timedelta(days=1), features=["x"]))
        assert [start for start, _ in found] == [np.datetime64(start, "us") for start, _ in expected]
        assert [state for _, state in found] == [state for _, state in expected]


def test_days_without_a_clock_and_fractions_of_seconds() -> None:
    data = {"y": [1.0, 2.0, 4.0, 8.0], "date": np.array(["2024-03-01", "2024-02-29", "2024-02-27", "2024-03-01"], "datetime64[D]")}
    found = windows(data, target="y", features=[], along="date", length=datetime.timedelta(days=2), step=datetime.timedelta(days=1))
    assert [(str(start)[:10], state.n) for start, state in found] == [("2024-02-27", 1), ("2024-02-28", 1), ("2024-02-29", 3)]
    data = {"y": [1.0, 2.0], "date": np.array(["2024-03-01T00:00:00.001999999", "2024-03-01T00:00:00.002"], "datetime64[ns]")}
    found = windows(data, target="y", features=[], along="date", length=np.timedelta64(1000, "ns"))
    assert [str(start)[20:] for start, _ in found] == ["001999", "002000"]


def test_a_far_row_takes_no_time() -> None:
    data = {"y": [1.0, 2.0, 4.0], "t": [0, 10**18, -(10**18)]}
    assert [(start, state.n) for start, state in windows(data, target="y", features=[], along="t", length=3, step=1)] == [
        (-(10**18), 1), (-2, 1), (-1, 1), (0, 1), (10**18 - 2, 1)
    ]  # fmt: skip


DAY = datetime.timedelta(days=1)


@pytest.mark.parametrize(
    ("length", "step"),
    [(0, None), (-1, None), (3, 2), (2, 4), (float("nan"), None), (float("inf"), None), (True, None), ("1D", None), (DAY, 1), (1, DAY),
     (DAY, 2 * DAY), (np.timedelta64(1, "M"), None), (np.timedelta64(1, "Y"), None),
     (np.timedelta64(1500, "ns"), None), (np.timedelta64("NaT"), None), (0.3, 0.1)],
)  # fmt: skip
def test_lengths_that_make_no_windows_are_refused(length: Any, step: Any) -> None:
    with pytest.raises(DataError, match="make no windows"):
        windows(SHUFFLED, target="y", along="hour", length=length, step=step)


@pytest.mark.parametrize("given", [{}, {"rows": 3, "along": "hour", "length": 2}, {"rows": 3, "length": 2}, {"along": "hour"}, {"length": 2}])
def test_one_kind_of_window_is_asked_for(given: dict[str, Any]) -> None:
    with pytest.raises(DataError, match="either rows="):
        windows(SHUFFLED, target="y", **given)


@pytest.mark.parametrize(
    ("values", "length", "message"),
    [
        ([1, None, 3], 2, r"row 2 is missing.*finite numbers"),
        ([1.0, 2.0, float("inf")], 2, r"row 3 is inf.*finite numbers"),
        ([False, True, True], 2, r"row 1 is False.*finite numbers"),
        (["2024-01-01", "2024-01-02", "2024-01-03"], 2, r"row 1 is '2024-01-01'.*a duration \(timedelta\) goes with dates"),
        ([1, 2, 3], DAY, r"row 1 is 1.*dates"),
        (["2024-01-01", "today", "2024-01-03"], DAY, r"row 2 is 'today'.*dates"),
        (["2024-01-01", "2024-02-30", "2024-01-03"], DAY, r"row 2 is '2024-02-30'.*dates"),
        (["2024-01-01", "2024-02-03", "2024-01-03T10:00:00Z"], DAY, r"is '2024-0.*all with an offset from UTC or all without"),
        (["10:00:00", "11:00:00", "12:00:00"], DAY, r"row 1 is '10:00:00'.*dates"),
        (["2024-01-01", None, "2024-01-03"], DAY, r"row 2 is missing.*dates"),
    ],
)
def test_values_that_have_no_place_are_refused(values: list[Any], length: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        list(windows({"y": [1.0, 2.0, 3.0], "t": values}, target="y", features=[], along="t", length=length))


def test_rows_of_several_files_keep_the_kind_of_their_dates(tmp_path: Path) -> None:
    pd.DataFrame({"y": [1.0], "t": ["2024-01-01T00:00:00"]}).to_csv(tmp_path / "a.csv", index=False)
    pd.DataFrame({"y": [1.0], "t": ["2024-01-01T00:00:00Z"]}).to_csv(tmp_path / "b.csv", index=False)
    with pytest.raises(DataError, match="all with an offset"):
        list(windows(tmp_path, target="y", features=[], along="t", length=DAY))
