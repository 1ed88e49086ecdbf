"""The metrics of the catalogue, one by one and many at once, beside scikit-learn, NumPy and squarely itself."""

import importlib
import math
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
from timing import CORES, Call, Options, Sheet, block, in_turn, positive_pairs_of, threads, timed, version

import squarely as sq

IN_THE_PANEL = {  # what the default panel must contain
    "mean_absolute_percentage_error": "MAPE",
    "symmetric_mean_absolute_percentage_error": "sMAPE",
    "mean_squared_log_error": "MSLE",
    "median_absolute_error": "the median of |error|",
    "quantile_absolute_error": "a quantile of |error|",
}
FIVE = ("mean_squared_error", "mean_absolute_error", "r2_score", "mean_absolute_percentage_error", "median_absolute_error")
BUCKET = 2.0**-8  # one pass knows a median to this share of it
LOGARITHMIC: tuple[tuple[str, dict[str, Any]], ...] = (
    ("mean_squared_log_error", {}),
    ("mean_poisson_deviance", {}),
    ("mean_gamma_deviance", {}),
    ("mean_tweedie_deviance", {"power": 1.5}),
    ("mean_tweedie_deviance", {"power": 1.7}),
    ("mean_tweedie_deviance", {"power": 3}),
)
MORE_SETTINGS = {"mean_tweedie_deviance": {"power": 1.5}, "d2_tweedie_score": {"power": 1.5}, "mean_pinball_loss": {"alpha": 0.9}}
THREADS = (("1 thread", 1), (f"default threads: {CORES}", None))
FITS = (1e-3, 1e-6, 1e-9)
FEW = 2000  # rows of the table of accuracy


def label(name: str, settings: dict[str, Any]) -> str:
    return name + (f"({', '.join(f'{key}={value}' for key, value in settings.items())})" if settings else "")


def answered(*data: Any, **settings: Any) -> sq.Evaluation:
    """Evaluate, and work out every answer, with its interval where there is one."""
    evaluation = sq.evaluate(*data, **settings)
    evaluation.to_frame()
    return evaluation


# --- many metrics at once -----------------------------------------------------------------------------------------


def panel(options: Options, sheet: Sheet) -> None:
    sheet.title(f"6. {options.rows:,} pairs of float64: evaluate(y, p), against MSE, MAE, R2, MAPE and median |error| of scikit-learn", "ns a pair")
    if not version("scikit-learn"):
        return
    y, p = positive_pairs_of(options.rows)
    functions = [getattr(importlib.import_module("sklearn.metrics"), name) for name in FIVE]

    def five() -> list[float]:
        return [float(function(y, p)) for function in functions]

    runs: tuple[tuple[str, int | None, dict[str, Any], float | None], ...] = (
        ("default panel", None, {}, 1.0),
        ("default panel", 1, {}, None),
        ("default panel, exact=True", None, {"exact": True}, None),
        ("whole catalogue", None, {"metrics": "all"}, 2.5),
        ("whole catalogue", 1, {"metrics": "all"}, None),
    )
    for what, count, settings, ratio_at_most in runs:
        with threads(count):
            evaluation = answered(y, p, **settings)
            on = f"{len(evaluation)} metrics, {'default threads: ' + str(CORES) if count is None else '1 thread'}"
            ours, theirs = [evaluation[name].value for name in FIVE], five()
            same = sheet.agree(what, zip(ours[:-1], theirs[:-1], strict=True))
            if same and sheet.agree(f"{what}, the median", [(ours[-1], theirs[-1])], 1e-9 if settings.get("exact") else BUCKET):
                times = timed(partial(answered, y, p, **settings), five, options.repeats, 1e9 / options.rows)
                sheet.line(f"{what}: {on}", *times, ratio_at_most=ratio_at_most)
    asked = sq.evaluate(y[:1000], p[:1000]).questions
    among = [words for name, words in IN_THE_PANEL.items() if name in {question.metric.name for question in asked}]
    sheet.note(f"the default panel has {len(asked)} metrics, at least 25, among them {', '.join(among)}", len(asked) >= 25 and len(among) == 5)
    every = len(sq.evaluate(y[:1000], p[:1000], metrics="all"))
    sheet.note(f'metrics="all" asks {every} of the {len(sq.METRICS)} metrics: the others read more columns, or the rows again')


def only_what_is_asked(options: Options, sheet: Sheet) -> None:
    sheet.title(f"7. {options.rows:,} pairs of float64: one metric of squarely against its default panel, default threads", "ns a pair")
    y, p = positive_pairs_of(options.rows)
    with threads():
        default = answered(y, p)
        for metric in ("mse", "mape"):
            if sheet.agree(metric, [(answered(y, p, metrics=[metric])[metric].value, default[metric].value)]):
                calls = partial(answered, y, p, metrics=[metric]), partial(answered, y, p)
                sheet.line(f'metrics=["{metric}"]', *timed(*calls, options.repeats, 1e9 / options.rows), ratio_at_most=1.0)


# --- one metric ---------------------------------------------------------------------------------------------------


def logarithmic(options: Options, sheet: Sheet) -> None:
    sheet.title(f"8. {options.rows:,} pairs of float64: logarithmic metrics, against scikit-learn", "ns a pair")
    if not version("scikit-learn"):
        return
    y, p = positive_pairs_of(options.rows)
    for name, settings in LOGARITHMIC:
        ours, theirs = calls_of(name, settings, y, p)
        for what, count in THREADS:
            with threads(count):
                if sheet.agree(name, [(ours(), theirs())]):
                    times = timed(ours, theirs, options.repeats, 1e9 / options.rows)
                    sheet.line(f"{label(name, settings)}, {what}", *times, ratio_at_most=1 / 3)


def calls_of(name: str, settings: dict[str, Any], y: Any, p: Any) -> tuple[Call, Call]:
    """Return a function of squarely and the one that scikit-learn has under the same name, ready to be called."""
    theirs = getattr(importlib.import_module("sklearn.metrics"), name)
    return partial(getattr(sq, name), y, p, **settings), partial(theirs, y, p, **settings)


def true_means(mp: Any, y: Any, p: Any) -> Iterator[Any]:
    """Yield the logarithmic means in so many bits that nothing is lost."""
    q, q1 = mp.mpf(1.7), 2 - mp.mpf(1.7)
    rows = [(mp.mpf(a), mp.mpf(b)) for a, b in zip(y.tolist(), p.tolist(), strict=True)]
    definitions = (
        lambda a, b: mp.log((1 + a) / (1 + b)) ** 2,
        lambda a, b: 2 * (a * mp.log(a / b) - a + b),
        lambda a, b: 2 * (mp.log(b / a) + a / b - 1),
        lambda a, b: 4 * (a / mp.sqrt(b) + mp.sqrt(b) - 2 * mp.sqrt(a)),
        lambda a, b: 2 * (a**q1 / ((1 - q) * q1) - a * b ** (1 - q) / (1 - q) + b**q1 / q1),
        lambda a, b: (a - b) ** 2 / (a * b**2),
    )
    for define in definitions:
        yield mp.fsum(define(a, b) for a, b in rows) / len(rows)


def accuracy(options: Options, sheet: Sheet) -> None:
    sheet.title(f"9. Accuracy of logarithmic metrics on {FEW:,} rows, against scikit-learn", "units in the last place of the true value")
    if not (version("scikit-learn") and version("mpmath")):
        return
    mp = importlib.import_module("mpmath").mp
    for fit in FITS:
        y, p = positive_pairs_of(FEW, fit)
        with mp.workprec(400):
            for (name, settings), truth in zip(LOGARITHMIC, true_means(mp, y, p), strict=True):
                last_place = mp.mpf(math.ulp(float(truth)))
                ours, theirs = (float(abs(mp.mpf(float(call())) - truth) / last_place) for call in calls_of(name, settings, y, p))
                sheet.line(f"{label(name, settings)}, relative fit {fit:g}", ours, theirs, at_most=4)


def exact_median(options: Options, sheet: Sheet) -> None:
    sheet.title(f"10. {options.rows:,} pairs of float64: exact median of |error|, against numpy.median(numpy.abs(y - p))", "ns a pair")
    y, p = positive_pairs_of(options.rows)

    def theirs() -> float:
        return float(np.median(np.abs(y - p)))

    for what, count in THREADS:
        with threads(count):
            if sheet.agree("median", [(sq.median_absolute_error(y, p), theirs())]):
                times = timed(lambda: sq.median_absolute_error(y, p), theirs, options.repeats, 1e9 / options.rows)
                sheet.line(f"median_absolute_error(y, p), {what}", *times, ratio_at_most=1 / 3)


def small_calls(options: Options, sheet: Sheet) -> None:
    sheet.title("11. One call on 1,000 pairs of every metric that has scikit-learn's name", "microseconds a call")
    if not version("scikit-learn"):
        return
    y, p = positive_pairs_of(1000)
    theirs = importlib.import_module("sklearn.metrics")
    with threads():
        for name in filter(partial(hasattr, theirs), sq.METRICS):
            for settings in ({}, MORE_SETTINGS[name]) if name in MORE_SETTINGS else ({},):
                calls = calls_of(name, settings, y, p)
                if sheet.agree(name, [(calls[0](), calls[1]())]):
                    sheet.line(label(name, settings), *in_turn(*map(block, calls), options.repeats), ratio_at_most=1 / 25)


def narrow(options: Options, sheet: Sheet) -> None:
    sheet.title(f"12. {options.rows:,} pairs on one thread: squarely on float32, against squarely on the same numbers as float64", "ns a pair")
    y32, p32 = (array.astype(np.float32) for array in positive_pairs_of(options.rows))
    y64, p64 = y32.astype(np.float64), p32.astype(np.float64)
    with threads(1):
        for name in ("mse", "mape", "msle"):
            function = getattr(sq, name)
            ours, theirs = partial(function, y32, p32), partial(function, y64, p64)
            if sheet.agree(name, [(ours(), theirs())]):
                sheet.line(f"{name}(y, p)", *timed(ours, theirs, options.repeats, 1e9 / options.rows), ratio_at_most=1.0)
        ours, theirs = answered(y32, p32), answered(y64, p64)
        if sheet.agree("default panel", [(ours[name].value, theirs[name].value) for name in ours]):
            calls = partial(answered, y32, p32), partial(answered, y64, p64)
            sheet.line("evaluate(y, p), the default panel", *timed(*calls, options.repeats, 1e9 / options.rows), ratio_at_most=1.0)


SECTIONS = {6: panel, 7: only_what_is_asked, 8: logarithmic, 9: accuracy, 10: exact_median, 11: small_calls, 12: narrow}
