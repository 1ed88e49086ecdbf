"""What a report and a diagnosis cost, and how large a page is."""

import tempfile
from functools import partial
from pathlib import Path

from bench_catalogue import answered
from bench_metrics import write_parquet
from timing import CORES, Options, Sheet, threads, timed

import squarely as sq

EXAMPLE = Path(__file__).resolve().parent.parent / "examples" / "diabetes.csv"


def page_of(*data: object, **settings: object) -> str:
    """Evaluate, and write the page."""
    evaluation = sq.evaluate(*data, **settings)  # type: ignore[arg-type]
    return evaluation.to_html()


def report(options: Options, sheet: Sheet) -> None:
    sheet.title(f"17. {options.rows:,} rows of Parquet, {CORES} threads: the page with its findings, against every answer without it", "seconds")
    with threads(CORES), tempfile.TemporaryDirectory(prefix="squarely-") as folder:
        path = options.parquet or Path(folder, "rows.parquet")
        if path != options.parquet:
            write_parquet(path, options.rows, 100, text=True)
        pages = {}
        for what, by in (("evaluate and to_html", None), ("evaluate and to_html, by 100 groups", "region")):
            settings = {"target": "y", "prediction": "yhat", "by": by}
            pages[by] = page_of(path, **settings)
            sheet.line(what, *timed(partial(page_of, path, **settings), partial(answered, path, **settings), options.repeats), ratio_at_most=1.3)
        asked = {"target": "y", "prediction": "yhat"}
        sheet.line("diagnose, a pass of its own", *timed(partial(sq.diagnose, path, **asked), partial(answered, path, **asked), options.repeats))
    example = page_of(str(EXAMPLE), target="actual", prediction=["linear", "ridge", "boosting"], by=["sex", "age_band"])
    for what, page, most in (
        ("of the example with 3 models", example, 400_000),
        (f"of {options.rows:,} rows by 100 groups", pages["region"], 2_000_000),
    ):
        size = len(page.encode())
        sheet.note(f"the page {what} has {size:,} bytes, at most {most:,}", met=size <= most)


SECTIONS = {17: report}
