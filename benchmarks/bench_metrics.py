"""Sums, groups, one call, import and the command line beside named peers."""

import importlib
import itertools
import os
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

os.environ["POLARS_MAX_THREADS"] = "1"  # polars reads it once, on import; it is timed on one thread only

import numpy as np
from timing import CORES, Call, Options, Sheet, block, child, in_turn, pairs_of, threads, timed, version

import squarely as sq

NOT_ON_IMPORT = ("pyarrow", "rich", "narwhals", "pandas", "polars", "typer", "jinja2", "sklearn", "duckdb", "torch")
CHUNK = 1 << 20  # rows of a row group
ON_SUMS = [metric.name for metric in sq.METRICS.values() if metric.answers_on_sums and not metric.needs_of({})]

QUERY = """
SELECT region, avg((y - yhat) * (y - yhat)), avg(abs(y - yhat)), 1 - sum((y - yhat) * (y - yhat)) / (var_pop(y) * count(*))
FROM read_parquet(?) GROUP BY region
"""
EVALUATE = f"""
import sys, squarely
squarely.evaluate(sys.argv[1], target="y", prediction="yhat", by="region", metrics={ON_SUMS!r}, ci="none").to_frame()
"""
DUCKDB = f"""
import sys, duckdb
duckdb.connect(config={{"threads": {CORES}}}).execute({QUERY!r}, [sys.argv[1]]).fetchall()
"""
# Not ru_maxrss where it can be helped: on Linux a child starts with the peak of its parent, which is full of arrays.
PEAK = """
import pathlib, resource
status = pathlib.Path("/proc/self/status")
peak = [int(line.split()[1]) * 1024 for line in status.read_text().splitlines() if line.startswith("VmHWM")] if status.exists() else []
print(peak[0] if peak else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024))
"""
IMPORT = "import time; start = time.perf_counter(); import {0}; print(time.perf_counter() - start)"
LOADED = f"import sys, squarely; print(*[name for name in {NOT_ON_IMPORT!r} if name in sys.modules])"
COMMAND = "-m squarely evaluate examples/diabetes.csv --target actual --prediction linear,ridge,boosting --by sex,age_band"


def peers(y: Any, p: Any) -> Iterator[tuple[str, Call]]:
    """Yield the peers that are installed, each with the data in the form it likes best, on one thread."""
    if version("scikit-learn"):
        sklearn = importlib.import_module("sklearn.metrics")
        yield "scikit-learn mean_squared_error(y, p)", lambda: sklearn.mean_squared_error(y, p)
    yield "NumPy np.mean((y - p) ** 2)", lambda: np.mean((y - p) ** 2)
    if version("polars"):
        pl = importlib.import_module("polars")
        frame, squared = pl.DataFrame({"y": y, "p": p}), ((pl.col("y") - pl.col("p")) ** 2).mean()
        yield f"polars ((y - p) ** 2).mean(), {pl.thread_pool_size()} thread", lambda: frame.select(squared).item()
    if version("duckdb"):
        pa, connection = importlib.import_module("pyarrow"), importlib.import_module("duckdb").connect(config={"threads": 1})
        connection.register("pairs", pa.table({"y": y, "p": p}))
        query = "SELECT avg((y - p) * (y - p)) FROM pairs"
        yield "DuckDB avg((y - p) * (y - p)) of an Arrow table", lambda: connection.execute(query).fetchone()[0]
    if version("torchmetrics"):
        torch, functional = importlib.import_module("torch"), importlib.import_module("torchmetrics.functional")
        torch.set_num_threads(1)
        target, preds = torch.from_numpy(y), torch.from_numpy(p)
        yield "torchmetrics mean_squared_error(p, y)", lambda: functional.mean_squared_error(preds, target).item()


def one_thread(options: Options, sheet: Sheet) -> None:
    sheet.title(f"1. {options.rows:,} pairs of float64 on one thread: all sums of squarely, the squared error of the peer", "ns a pair")
    y, p = pairs_of(options.rows)
    with threads(1):
        mse = sq.PairState.of(y, p).metric("mse")
        for what, peer in peers(y, p):
            if sheet.agree(what, [(mse, float(peer()))]):
                times = timed(lambda: sq.PairState.of(y, p), peer, options.repeats, 1e9 / options.rows)
                sheet.line(what, *times, ratio_at_most=0.65 if what.startswith("scikit-learn") else None)


def two_threads(options: Options, sheet: Sheet) -> None:
    sheet.title(f"2. {options.rows:,} pairs of float64: all sums of squarely on two threads, and on one", "ns a pair")
    y, p = pairs_of(options.rows)

    def summed(count: int) -> sq.PairState:
        with threads(count):
            return sq.PairState.of(y, p)

    if sheet.agree("2 threads against 1", [(summed(2).metric("mse"), summed(1).metric("mse"))]):
        two, one = timed(lambda: summed(2), lambda: summed(1), options.repeats, 1e9 / options.rows)
        sheet.line(f"2 threads against 1: {one / two:.2f} times as fast", two, one, ratio_at_most=1 / 1.6)


def small_call(options: Options, sheet: Sheet) -> None:
    sheet.title("3. One call of mean_squared_error(y, p) on 1,000 pairs", "microseconds a call")
    if not version("scikit-learn"):
        return
    y, p = pairs_of(1000)
    theirs, what = importlib.import_module("sklearn.metrics").mean_squared_error, "scikit-learn mean_squared_error(y, p)"
    if sheet.agree(what, [(sq.mean_squared_error(y, p), theirs(y, p))]):
        blocks = block(lambda: sq.mean_squared_error(y, p)), block(lambda: theirs(y, p))
        sheet.line(what, *in_turn(*blocks, options.repeats), ratio_at_most=1 / 40)


def write_parquet(path: Path, rows: int, groups: int, text: bool) -> None:
    """Write columns y, yhat and region: a standard normal, the same plus half a standard normal, and evenly drawn groups."""
    pa, pq = importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet")
    rng = np.random.default_rng(1)
    names = pa.array([f"region {group:03d}" for group in range(groups)])
    schema = pa.schema({"y": pa.float64(), "yhat": pa.float64(), "region": pa.string() if text else pa.int64()})
    with pq.ParquetWriter(path, schema, compression="snappy", use_dictionary=["region"]) as writer:
        for start in range(0, rows, CHUNK):
            y = rng.standard_normal(min(CHUNK, rows - start))
            region = pa.array(rng.integers(0, groups, y.size))
            columns = {"y": y, "yhat": y + 0.5 * rng.standard_normal(y.size), "region": names.take(region) if text else region}
            writer.write_table(pa.table(columns, schema), row_group_size=CHUNK)


def parquet(options: Options, sheet: Sheet) -> None:
    rows = importlib.import_module("pyarrow.parquet").read_metadata(options.parquet).num_rows if options.parquet else options.rows
    sheet.title(f"4. {rows:,} rows of Parquet by region, {CORES} threads: metrics of squarely, MSE, MAE and R2 of DuckDB", "seconds")
    if not version("duckdb"):
        return
    with tempfile.TemporaryDirectory(prefix="squarely-") as folder, threads(CORES):
        few, many = options.parquet or Path(folder, "few.parquet"), Path(folder, "many.parquet")
        if few != options.parquet:
            write_parquet(few, rows, 100, text=True)
        grouped(sheet, few, "", ON_SUMS, options.repeats, ratio_at_most=1.2)
        whole_process(sheet, few, options.repeats)
        grouped(sheet, few, "", "all", min(options.repeats, 3))
        write_parquet(many, rows, max(1, min(100_000, rows // 100)), text=False)
        grouped(sheet, many, " (integers)", ON_SUMS, min(options.repeats, 3))


def grouped(sheet: Sheet, path: Path, kind: str, metrics: Any, repeats: int, ratio_at_most: float | None = None) -> None:
    with importlib.import_module("duckdb").connect(config={"threads": CORES}) as connection:

        def evaluate() -> tuple[sq.Evaluation, Any]:
            evaluation = sq.evaluate(path, target="y", prediction="yhat", by="region", metrics=metrics, ci="none")
            return evaluation, evaluation.to_frame()

        def query() -> Any:
            return connection.execute(QUERY, [str(path)]).fetchall()

        ours, theirs = evaluate()[0], query()
        what = f"DuckDB, {len(theirs):,} groups{kind}, {len(ours)} metrics, warm"
        asked = [ours[name].by for name in ("mse", "mae", "r2")]
        numbers = ((ask[row[0]].value, value) for row in theirs for ask, value in zip(asked, row[1:], strict=True))
        if sheet.agree(what, itertools.chain([(len(ours.groups), len(theirs))], numbers)):
            del ours, theirs, asked, numbers
            sheet.line(what, *timed(evaluate, query, repeats), ratio_at_most=ratio_at_most)


def whole_process(sheet: Sheet, path: Path, repeats: int) -> None:
    def run(script: str) -> str:
        return child("-c", script, str(path))

    sheet.line(f"DuckDB, {len(ON_SUMS)} metrics, whole process", *timed(lambda: run(EVALUATE), lambda: run(DUCKDB), repeats))
    peaks = in_turn(lambda: float(run(EVALUATE + PEAK)) / 1e6, lambda: float(run(DUCKDB + PEAK)) / 1e6, min(repeats, 3))
    sheet.line("DuckDB, peak memory of that process, MB", *peaks, below=600)


def start(options: Options, sheet: Sheet) -> None:
    sheet.title("5. Start, in fresh processes", "milliseconds")

    def importing(module: str) -> float:
        return float(child("-c", IMPORT.format(module))) * 1000

    for module in ("numpy", "sklearn.metrics") if version("scikit-learn") else ("numpy",):
        times = in_turn(partial(importing, "squarely"), partial(importing, module), options.repeats)
        sheet.line(f"import squarely, against import {module}", *times, below=150)
    loaded = child("-c", LOADED).split()
    sheet.note(f"of {' '.join(NOT_ON_IMPORT)}, import squarely loads {' '.join(loaded) or 'none'}", met=not loaded)
    times = timed(lambda: child(*COMMAND.split()), lambda: child("-c", "import numpy"), options.repeats, 1000)
    sheet.line("the command line on a small CSV, against import numpy", *times, below=700)


SECTIONS = {1: one_thread, 2: two_threads, 3: small_call, 4: parquet, 5: start}
