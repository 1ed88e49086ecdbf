"""What a fit of least squares costs beside pandas and scikit-learn: from a Parquet file that is larger than what is kept of it."""

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from sklearn.linear_model import LinearRegression as Peer
from timing import Options, Sheet, child, timed

from squarely.linear import LinearRegression

FEATURES = [f"x{at}" for at in range(10)]
_PART = 1 << 20

MEMORY = """
import sys, threading
import pyarrow.parquet
from squarely.linear import LinearRegression
def held():  # in MiB; pages of the mapped file are the system's, which takes them back when it likes
    return int(open("/proc/self/status").read().split("RssAnon:")[1].split()[0]) / 1024
most = before = held()
done = threading.Event()
def watch():
    global most
    while not done.wait(0.005):
        most = max(most, held())
watcher = threading.Thread(target=watch)
watcher.start()
LinearRegression().fit(sys.argv[1], "y")
done.set()
watcher.join()
print(most - before)
"""


def write(path: Path, rows: int) -> None:
    """Write ten features and a target, a row group at a time."""
    writer, rng = None, np.random.default_rng(0)
    for start in range(0, rows, _PART):
        x = rng.standard_normal((len(FEATURES), min(_PART, rows - start)))
        table = pa.table({**dict(zip(FEATURES, x, strict=True)), "y": x.sum(axis=0) + rng.standard_normal(x.shape[1])})
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table)
    if writer:
        writer.close()


def of_pandas(path: Path) -> Peer:
    frame = pd.read_parquet(path)
    return Peer().fit(frame[FEATURES], frame["y"])


def from_a_file(options: Options, sheet: Sheet) -> None:
    sheet.title(f"30. Least squares of {options.rows:,} rows and {len(FEATURES)} features in a Parquet file", "seconds")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.parquet"
        write(path, options.rows)
        ours, theirs = LinearRegression().fit(path, "y"), of_pandas(path)
        np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-10)
        measured = timed(lambda: LinearRegression().fit(path, "y"), lambda: of_pandas(path), min(options.repeats, 3))
        sheet.line("pandas.read_parquet and sklearn LinearRegression", *measured, ratio_at_most=1.0)
        whole, part = float(child("-c", MEMORY, str(path))), Path(folder) / "part.parquet"
        write(part, options.rows // 4)
        quarter = float(child("-c", MEMORY, str(part)))
        sheet.note(f"memory beyond the imports: {whole:,.0f} MiB, and {quarter:,.0f} MiB for a quarter of the rows", met=whole < 1.25 * quarter + 50)


SECTIONS = {30: from_a_file}
