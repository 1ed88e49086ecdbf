"""How fast squarely is beside named peers: medians and ratios, from one run on one machine.

Both sides compute the same numbers, which is checked before the clock starts, and take turns, so that drift hits both.
"""

import argparse
import importlib
import itertools
import math
import os
import platform
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from importlib import metadata
from pathlib import Path
from statistics import median
from typing import Any
from unittest import mock

os.environ["POLARS_MAX_THREADS"] = "1"  # polars reads it once, on import; it is timed on one thread only

import numpy as np

import squarely as sq
from squarely import _core

ROOT = Path(__file__).resolve().parent.parent
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
LIBRARIES = ("squarely", "numpy", "pyarrow", "scikit-learn", "polars", "duckdb", "torch", "torchmetrics")
NOT_ON_IMPORT = ("pyarrow", "rich", "narwhals", "pandas", "polars", "typer", "jinja2", "sklearn", "duckdb", "torch")
CHUNK = 1 << 20  # rows of a row group

QUERY = """
SELECT region, avg((y - yhat) * (y - yhat)), avg(abs(y - yhat)), 1 - sum((y - yhat) * (y - yhat)) / (var_pop(y) * count(*))
FROM read_parquet(?) GROUP BY region
"""
EVALUATE = """
import sys, squarely
squarely.evaluate(sys.argv[1], target="y", prediction="yhat", by="region", metrics="all").to_frame()
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

Call = Callable[[], Any]


@dataclass(frozen=True)
class Options:
    rows: int
    repeats: int
    parquet: Path | None


def seconds(call: Call) -> float:
    start = time.perf_counter()
    _result = call()  # is freed after the clock has stopped
    return time.perf_counter() - start


def in_turn(ours: Callable[[], float], theirs: Callable[[], float], repeats: int) -> tuple[float, float]:
    """Return the medians of two measurements that take turns, after one turn that does not count."""
    turns = [(ours(), theirs()) for _ in range(repeats + 1)][1:]
    return median(our for our, _ in turns), median(their for _, their in turns)


def timed(ours: Call, theirs: Call, repeats: int, times_a_second: float = 1.0) -> tuple[float, float]:
    """Return the medians of two durations, in seconds or the unit of which a second has so many."""
    return in_turn(lambda: seconds(ours) * times_a_second, lambda: seconds(theirs) * times_a_second, repeats)


def child(*arguments: str) -> str:
    """Run a fresh Python process from the root of the repository and return what it prints."""
    return subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout


def threads(count: int) -> AbstractContextManager[Any]:
    return mock.patch.dict(os.environ, SQUARELY_THREADS=str(count))


def version(library: str) -> str | None:
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return None


def title(text: str, unit: str) -> None:
    print(f"\n{text}\n  {unit:<56}{'squarely':>10}{'peer':>10}{'ratio':>9}  target", flush=True)


def line(what: str, ours: float, theirs: float, *, ratio_at_most: float | None = None, below: float | None = None) -> None:
    """Print one measurement; a target is for the ratio, or for the value of squarely."""
    target = "-"
    if ratio_at_most is not None:
        target = f"ratio <= {ratio_at_most:g}: {'met' if ours / theirs <= ratio_at_most else 'MISSED'}"
    if below is not None:
        target = f"below {below:g}: {'met' if ours < below else 'MISSED'}"
    print(f"  {what:<56}{ours:>10.4g}{theirs:>10.4g}{ours / theirs:>9.3g}  {target}", flush=True)


def agree(what: str, pairs: Iterable[tuple[float, float]]) -> bool:
    """Say whether both sides have the same numbers; where not, there is nothing to time."""
    for ours, theirs in pairs:
        if not math.isclose(ours, theirs, rel_tol=1e-9, abs_tol=1e-9):
            print(f"  {what}: NOT TIMED, squarely says {ours!r} and the peer {theirs!r}")
            return False
    return True


def machine() -> None:
    info = Path("/proc/cpuinfo")
    rows = info.read_text().splitlines() if info.exists() else []
    names = [row.partition(":")[2].strip() for row in rows if row.startswith("model name")] or [platform.processor() or platform.machine()]
    print(f"{names[0]}, {CORES} cores, SIMD path {_core.available()[-1]}, load before the start {os.getloadavg()[0]:.2f}")
    found = {library: version(library) for library in LIBRARIES}
    print(f"Python {platform.python_version()}, " + ", ".join(f"{library} {number}" for library, number in found.items() if number))
    if None in found.values():
        print("left out, because not installed: " + ", ".join(library for library, number in found.items() if number is None))


def pairs_of(rows: int) -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    y = rng.standard_normal(rows)
    return y, y + 0.5 * rng.standard_normal(rows)


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


def one_thread(options: Options) -> None:
    title(f"1. {options.rows:,} pairs of float64 on one thread: all sums of squarely, the squared error of the peer", "ns a pair")
    y, p = pairs_of(options.rows)
    with threads(1):
        mse = sq.PairState.of(y, p).metric("mse")
        for what, peer in peers(y, p):
            if agree(what, [(mse, float(peer()))]):
                times = timed(lambda: sq.PairState.of(y, p), peer, options.repeats, 1e9 / options.rows)
                line(what, *times, ratio_at_most=0.65 if what.startswith("scikit-learn") else None)


def two_threads(options: Options) -> None:
    title(f"2. {options.rows:,} pairs of float64: all sums of squarely on two threads, and on one", "ns a pair")
    y, p = pairs_of(options.rows)

    def summed(count: int) -> sq.PairState:
        with threads(count):
            return sq.PairState.of(y, p)

    if agree("2 threads against 1", [(summed(2).metric("mse"), summed(1).metric("mse"))]):
        two, one = timed(lambda: summed(2), lambda: summed(1), options.repeats, 1e9 / options.rows)
        line(f"2 threads against 1: {one / two:.2f} times as fast", two, one, ratio_at_most=1 / 1.6)


def small_call(options: Options) -> None:
    title("3. One call of mean_squared_error(y, p) on 1,000 pairs", "microseconds a call")
    if not version("scikit-learn"):
        return
    y, p = pairs_of(1000)
    theirs, what = importlib.import_module("sklearn.metrics").mean_squared_error, "scikit-learn mean_squared_error(y, p)"
    if agree(what, [(sq.mean_squared_error(y, p), theirs(y, p))]):
        many, few = range(4000), range(100)  # so that both take about as long
        blocks = (lambda: [sq.mean_squared_error(y, p) for _ in many], lambda: [theirs(y, p) for _ in few])
        our_block, their_block = timed(*blocks, options.repeats, 1e6)
        line(what, our_block / len(many), their_block / len(few), ratio_at_most=1 / 40)


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


def parquet(options: Options) -> None:
    rows = importlib.import_module("pyarrow.parquet").read_metadata(options.parquet).num_rows if options.parquet else options.rows
    title(f"4. {rows:,} rows of Parquet by region, {CORES} threads: all metrics of squarely, MSE, MAE and R2 of DuckDB", "seconds")
    if not version("duckdb"):
        return
    with tempfile.TemporaryDirectory(prefix="squarely-") as folder, threads(CORES):
        few, many = options.parquet or Path(folder, "few.parquet"), Path(folder, "many.parquet")
        if few != options.parquet:
            write_parquet(few, rows, 100, text=True)
        grouped(few, "", options.repeats, ratio_at_most=1.2)
        whole_process(few, options.repeats)
        write_parquet(many, rows, max(1, min(100_000, rows // 100)), text=False)
        grouped(many, " (integers)", min(options.repeats, 3))


def grouped(path: Path, kind: str, repeats: int, ratio_at_most: float | None = None) -> None:
    with importlib.import_module("duckdb").connect(config={"threads": CORES}) as connection:

        def evaluate() -> tuple[sq.Evaluation, Any]:
            evaluation = sq.evaluate(path, target="y", prediction="yhat", by="region", metrics="all")
            return evaluation, evaluation.to_frame()

        def query() -> Any:
            return connection.execute(QUERY, [str(path)]).fetchall()

        ours, theirs = evaluate()[0], query()
        what = f"DuckDB, {len(theirs):,} groups{kind}, warm"
        asked = [ours[name].by for name in ("mse", "mae", "r2")]
        numbers = ((ask[row[0]].value, value) for row in theirs for ask, value in zip(asked, row[1:], strict=True))
        if agree(what, itertools.chain([(len(ours.groups), len(theirs))], numbers)):
            del ours, theirs, asked, numbers
            line(what, *timed(evaluate, query, repeats), ratio_at_most=ratio_at_most)


def whole_process(path: Path, repeats: int) -> None:
    def run(script: str) -> str:
        return child("-c", script, str(path))

    line("DuckDB, the same, whole process", *timed(lambda: run(EVALUATE), lambda: run(DUCKDB), repeats))
    peaks = in_turn(lambda: float(run(EVALUATE + PEAK)) / 1e6, lambda: float(run(DUCKDB + PEAK)) / 1e6, min(repeats, 3))
    line("DuckDB, peak memory of that process, MB", *peaks, below=600)


def start(options: Options) -> None:
    title("5. Start, in fresh processes", "milliseconds")

    def importing(module: str) -> float:
        return float(child("-c", IMPORT.format(module))) * 1000

    for module in ("numpy", "sklearn.metrics") if version("scikit-learn") else ("numpy",):
        times = in_turn(partial(importing, "squarely"), partial(importing, module), options.repeats)
        line(f"import squarely, against import {module}", *times, below=150)
    loaded = child("-c", LOADED).split()
    print(f"  of {' '.join(NOT_ON_IMPORT)}\n  import squarely loads {' '.join(loaded) + ': MISSED' if loaded else 'none: met'}")
    times = timed(lambda: child(*COMMAND.split()), lambda: child("-c", "import numpy"), options.repeats, 1000)
    line("the command line on a small CSV, against import numpy", *times, below=700)


SECTIONS = {1: one_thread, 2: two_threads, 3: small_call, 4: parquet, 5: start}


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--rows", type=int, default=20_000_000, help="rows of sections 1, 2 and 4 (default: %(default)s)")
    words.add_argument("--repeats", type=int, default=7, help="turns that count; made odd (default: %(default)s)")
    words.add_argument("--only", type=int, nargs="+", choices=SECTIONS, metavar="SECTION", help="sections to run, of 1 to 5 (default: all)")
    words.add_argument("--parquet", type=Path, help="file with columns y, yhat and region for section 4 (default: one is written)")
    given = words.parse_args()
    options = Options(max(1, given.rows), max(1, given.repeats) | 1, given.parquet and given.parquet.resolve())
    machine()
    print(f"medians of {options.repeats} turns after one that does not count; ratio is squarely / peer, less is better")
    for section in given.only or SECTIONS:
        try:
            SECTIONS[section](options)
        except Exception:  # a benchmark is no test, and the other sections still have something to say
            traceback.print_exc()


if __name__ == "__main__":
    main()
