"""How fast squarely is beside named peers: medians and ratios, from one run on one machine; and how often its intervals hold the truth.

Both sides compute the same numbers, which is checked before the clock starts, and take turns, so that drift hits both.
"""

import argparse
import traceback
from pathlib import Path

import bench_metrics  # the first of the two: it says how many threads polars may take, before anything imports polars
from bench_catalogue import SECTIONS as OF_THE_CATALOGUE
from bench_curves import SECTIONS as OF_CURVES
from bench_digits import SECTIONS as OF_DIGITS
from bench_folds import SECTIONS as OF_FOLDS
from bench_fused import SECTIONS as OF_FUSED
from bench_influence import SECTIONS as OF_INFLUENCE
from bench_intervals import SECTIONS as OF_INTERVALS
from bench_linear import SECTIONS as OF_LEAST_SQUARES
from bench_losses import SECTIONS as OF_LOSSES
from bench_report import SECTIONS as OF_REPORTS
from coverage import SECTIONS as OF_COVERAGE
from timing import Options, Sheet

SECTIONS = {
    **bench_metrics.SECTIONS,
    **OF_THE_CATALOGUE,
    **OF_COVERAGE,
    **OF_INTERVALS,
    **OF_REPORTS,
    **OF_LOSSES,
    **OF_FUSED,
    **OF_LEAST_SQUARES,
    **OF_FOLDS,
    **OF_INFLUENCE,
    **OF_CURVES,
    **OF_DIGITS,
}


def main() -> None:
    words = argparse.ArgumentParser(prog="python benchmarks", description=__doc__)
    words.add_argument("--rows", type=int, default=20_000_000, help="rows of the long sections (default: %(default)s)")
    words.add_argument("--repeats", type=int, default=7, help="turns that count; made odd (default: %(default)s)")
    which = f"sections to run, of {', '.join(map(str, SECTIONS))} (default: all)"
    words.add_argument("--only", type=int, nargs="+", choices=SECTIONS, metavar="SECTION", help=which)
    words.add_argument("--parquet", type=Path, help="file with columns y, yhat and region for section 4 (default: one is written)")
    words.add_argument("--replications", type=int, default=4_000, help="draws of each line of sections 13 to 15 and 22 (default: %(default)s)")
    words.add_argument("--results", type=Path, help="file to write the tables to, as Markdown (default: they are only printed)")
    given = words.parse_args()
    options = Options(max(1, given.rows), max(1, given.repeats) | 1, given.parquet and given.parquet.resolve(), max(1, given.replications))
    sheet = Sheet()
    sheet.machine()
    sheet.head(f"medians of {options.repeats} turns after one that does not count; ratio is squarely / peer, less is better")
    for section in given.only or SECTIONS:
        try:
            SECTIONS[section](options, sheet)
        except Exception as error:  # a benchmark is no test, and the other sections still have something to say
            traceback.print_exc()
            sheet.note(f"stopped by {type(error).__name__}", met=False)
    sheet.end()
    if given.results:
        sheet.write(given.results)


if __name__ == "__main__":
    main()
