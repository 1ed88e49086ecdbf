"""What intervals cost: the same answers with and without them."""

import tempfile
from functools import partial
from pathlib import Path

from bench_catalogue import answered
from bench_metrics import write_parquet
from timing import CORES, Options, Sheet, positive_pairs_of, threads, timed


def cost(options: Options, sheet: Sheet) -> None:
    sheet.title(f"16. {options.rows:,} rows, {CORES} threads: the default panel with intervals, against ci='none'", "seconds")
    with threads(CORES), tempfile.TemporaryDirectory(prefix="squarely-") as folder:
        y, p = positive_pairs_of(options.rows)
        ours, theirs = (partial(answered, y, p, **settings) for settings in ({}, {"ci": "none"}))
        sheet.line("arrays in memory", *timed(ours, theirs, options.repeats), ratio_at_most=1.8)
        del y, p, ours, theirs
        path = options.parquet or Path(folder, "rows.parquet")
        if path != options.parquet:
            write_parquet(path, options.rows, 100, text=True)
        for what, by in (("Parquet", None), ("Parquet, by 100 groups", "region")):
            asked = partial(answered, path, target="y", prediction="yhat", by=by)
            sheet.line(what, *timed(asked, partial(asked, ci="none"), options.repeats), ratio_at_most=1.3)


SECTIONS = {16: cost}
