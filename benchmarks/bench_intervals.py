"""What intervals cost: the same answers with and without them."""

import tempfile
from functools import partial
from pathlib import Path

from bench_catalogue import answered
from bench_metrics import PEAK, write_parquet
from timing import CORES, Options, Sheet, child, in_turn, positive_pairs_of, threads, timed

import squarely as sq

MANY_GROUPS = ((30_000, 28), (100_000, 50))  # and rows of each
FEW_METRICS = ("mse", "mae", "r2")
READ = """
import sys, squarely
evaluation = squarely.evaluate({0!r}, target="y", prediction="yhat", by="region", exact=False, ci={1!r})
"""


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
        for groups, rows in MANY_GROUPS:
            write_parquet(path := Path(folder, "groups.parquet"), groups * rows, groups, text=False)
            _many_groups(path, f"Parquet, by {groups:,} groups of about {rows} rows", min(options.repeats, 3), sheet)


def _many_groups(path: Path, what: str, repeats: int, sheet: Sheet) -> None:
    asked = partial(sq.evaluate, path, target="y", prediction="yhat", by="region", exact=False)
    sheet.line(f"{what}: the pass", *timed(asked, partial(asked, ci="none"), repeats))
    told = partial(answered, path, target="y", prediction="yhat", by="region", metrics=FEW_METRICS)
    sheet.line(f"{what}: {len(FEW_METRICS)} metrics of each", *timed(told, partial(told, ci="none"), repeats))
    peaks = (partial(_peak, path, ci) for ci in (None, "none"))
    sheet.line(f"{what}: peak memory of the pass, MB", *in_turn(*peaks, repeats))


def _peak(path: Path, ci: str | None) -> float:
    """Return the largest memory of a fresh process that evaluates a file, in MB."""
    return float(child("-c", READ.format(str(path), ci) + PEAK)) / 1e6


SECTIONS = {16: cost}
