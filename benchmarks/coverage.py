"""How often an interval of 95 % holds the true value, and how often a comparison errs: rows are drawn and evaluated again and again, where
the truth is known.

Targets are y = 2 gamma(3) and predictions y + 0.7 e, with errors e of mean 0 and variance 1. Then, by hand:

* mean squared error 0.49 and its root 0.7; R2 = 1 - 0.49 / 12, for the variance of y is 12;
* mean absolute error 0.7 E|e|, with E|e| in closed form for each law below; mean absolute percentage error 0.7 E|e| / 4, for y and e are
  independent and E 1/y = 1/4;
* pinball loss 0.7 E|e| / 2 at every level, for where E e = 0 the two halves of E|e| are equal, and the weights of both add up to 1.
"""

import itertools
import math
import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from timing import CORES, Options, Sheet, threads

import squarely as sq
from squarely.intervals.student import quantile

METRICS = ("mse", "rmse", "mae", "r2", "mape", "mean_pinball_loss(alpha=0.9)")
OF_DEPENDENT_ROWS = ("mse", "mae", "bias")
OF_GROUPS = ("mse", "rmse", "mae", "r2", "bias")
ROWS = (200, 2_000, 100_000)
ROWS_OF_GROUPS = (28, 50, 200)
GROUPS = 1_250  # of one evaluation: more than have buckets of their own whatever their rows
MANY_GROUPS, ROWS_OF_MANY = 10_000, 300
CHUNK = 125  # replications drawn by one process before another may take the next
SEED = 20_260
SCALE = 0.7
CLUSTERS, OF_A_CLUSTER, SHARED = 50, 20, 0.3  # rows of a cluster share this part of the variance of the error
MEMORY = 0.7  # of an autoregressive error

# E|e| of the laws, scaled to variance 1: sqrt(2 / pi); 1 / sqrt 2; 2 sqrt 5 Gamma(3) / (4 sqrt pi Gamma(5/2)) of t5 times
# sqrt(3 / 5); 2 k^k exp(-k) / Gamma(k) of a centred gamma(k) with k = 2, divided by sqrt 2.
MEAN_SIZES = {
    "normal": math.sqrt(2 / math.pi),
    "Laplace": math.sqrt(0.5),
    "t5": math.sqrt(5) * math.gamma(3) / (2 * math.sqrt(math.pi) * math.gamma(2.5)) * math.sqrt(0.6),
    "skewed": 8 * math.exp(-2) / math.sqrt(2),
}


@dataclass(frozen=True)
class Scene:
    """Rows to draw, and how they are evaluated."""

    law: str
    rows: int
    metrics: tuple[str, ...] = METRICS
    way: str = "rows"  # how rows depend on each other, "cluster" or "order"
    told: bool = True  # whether squarely is told
    naive: bool = False


def drawn(rng: np.random.Generator, scene: Scene, times: int) -> Iterator[tuple[Any, Any]]:
    """Yield targets and predictions, so many times."""
    for errors in errors_of(rng, scene, times):
        y = 2 * rng.gamma(3, size=scene.rows)
        yield y, y + SCALE * errors


def errors_of(rng: np.random.Generator, scene: Scene, times: int) -> Iterator[Any]:
    """Yield errors of mean 0 and variance 1."""
    n = scene.rows
    if scene.way == "order":
        series = rng.standard_normal((n, times))
        series[1:] *= math.sqrt(1 - MEMORY**2)
        for before, row in itertools.pairwise(series):
            row += MEMORY * before
        yield from np.ascontiguousarray(series.T)
        return
    for _ in range(times):
        if scene.way == "cluster":
            shared = np.repeat(rng.standard_normal(CLUSTERS), OF_A_CLUSTER)
            yield math.sqrt(SHARED) * shared + math.sqrt(1 - SHARED) * rng.standard_normal(n)
        elif scene.law == "normal":
            yield rng.standard_normal(n)
        elif scene.law == "Laplace":
            yield rng.laplace(size=n) / math.sqrt(2)
        elif scene.law == "t5":
            yield rng.standard_t(5, n) * math.sqrt(0.6)
        else:
            yield (rng.gamma(2, size=n) - 2) / math.sqrt(2)


def truth_of(law: str) -> dict[str, float]:
    size, square = SCALE * MEAN_SIZES[law], SCALE**2
    return dict(zip((*METRICS, "bias"), (square, SCALE, size, 1 - square / 12, size / 4, size / 2, 0.0), strict=True))


def held(scene: Scene, times: int, seed: np.random.SeedSequence) -> Any:
    """Return in how many of so many draws the interval of each metric held the truth."""
    rng, truth = np.random.default_rng(seed), truth_of(scene.law)
    if scene.naive:
        return sum(_naively(y, p, truth["mse"]) for y, p in drawn(rng, scene, times))
    told: dict[str, Any] = {}
    if scene.told and scene.way != "rows":
        told = {"order": True} if scene.way == "order" else {"cluster": np.repeat(np.arange(CLUSTERS), OF_A_CLUSTER)}
    count = np.zeros(len(scene.metrics), int)
    for y, p in drawn(rng, scene, times):
        answers = sq.evaluate(y, p, metrics=scene.metrics, exact=False, **told)
        ends = [answers[metric].ci for metric in scene.metrics]
        count += [low <= truth[metric] <= high for metric, (low, high) in zip(scene.metrics, ends, strict=True)]
    return count


def held_in_groups(scene: Scene, groups: int, seed: np.random.SeedSequence) -> Any:
    """Return in how many of the groups, evaluated at once, the interval of each metric held the truth."""
    rng, truth = np.random.default_rng(seed), truth_of(scene.law)
    y, p = (np.concatenate(each) for each in zip(*drawn(rng, scene, groups), strict=True))
    answers = sq.evaluate(y, p, by=np.repeat(np.arange(groups), scene.rows), metrics=scene.metrics, exact=False)
    ends = {metric: [answer.ci for answer in answers[metric].by.values()] for metric in scene.metrics}
    return np.array([sum(low <= truth[metric] <= high for low, high in of_metric) for metric, of_metric in ends.items()])


def _naively(y: Any, p: Any, truth: float) -> Any:
    """Say whether the mean of the squared errors and 1.96 standard errors on both sides hold the truth."""
    squares = (y - p) ** 2
    return np.array([abs(squares.mean() - truth) <= 1.96 * squares.std(ddof=1) / math.sqrt(len(y))])


def shares(pool: ProcessPoolExecutor, scene: Scene, replications: int) -> list[float]:
    """Return the share of draws of which the interval held the truth, by metric; the same draws whether or not squarely is told."""
    chunks = -(-replications // CHUNK)
    place = [*MEAN_SIZES].index(scene.law), scene.rows, ("rows", "cluster", "order").index(scene.way)
    seeds = np.random.SeedSequence((SEED, *place)).spawn(chunks)
    total = sum(pool.map(partial(held, scene, CHUNK), seeds))
    return [float(each) / (chunks * CHUNK) for each in np.atleast_1d(total)]


def _pool() -> ProcessPoolExecutor:
    # Not by fork: the peers of the other sections have started threads by now.
    return ProcessPoolExecutor(CORES, multiprocessing.get_context("spawn"))


def _introduce(options: Options, sheet: Sheet) -> None:
    error = 100 * math.sqrt(0.05 * 0.95 / options.replications)
    sheet.note(f"{options.replications:,} draws of each line; the standard error of a share is about {error:.1f} points")


def independent(options: Options, sheet: Sheet) -> None:
    sheet.title("13. How often intervals of 95 % hold the true value", "percent of draws", (*METRICS[:-1], "pinball"))
    with threads(1), _pool() as pool:
        for law in MEAN_SIZES:
            for rows in ROWS:
                found = shares(pool, Scene(law, rows), options.replications)
                sheet.shares(f"{law} errors, n = {rows:,}", found, (0.925, 1) if law == "t5" else (0.93, 0.97), options.replications)
        naive = shares(pool, Scene("t5", ROWS[0], ("mse",), naive=True), options.replications)
        sheet.shares(f"for comparison: mean -+ 1.96 s / sqrt n, t5 errors, n = {ROWS[0]}", naive, None, options.replications)
    _introduce(options, sheet)


def dependent(options: Options, sheet: Sheet) -> None:
    sheet.title("14. The same where rows go together", "percent of draws", OF_DEPENDENT_ROWS)
    clusters = Scene("normal", CLUSTERS * OF_A_CLUSTER, OF_DEPENDENT_ROWS, "cluster")
    series = Scene("normal", 2_000, OF_DEPENDENT_ROWS, "order")
    with threads(1), _pool() as pool:
        for scene, what, argument in (
            (clusters, f"{CLUSTERS} clusters of {OF_A_CLUSTER} rows that correlate by {SHARED}", "cluster="),
            (series, f"{series.rows:,} rows in order, neighbours correlate by {MEMORY}", "order=True"),
        ):
            found = shares(pool, scene, options.replications)
            sheet.shares(f"{what}, {argument}", found, (0.93, 0.97), options.replications)
            ignored = shares(pool, replace(scene, told=False), options.replications)
            sheet.shares("for comparison: as if rows were independent", ignored, None, options.replications)
    _introduce(options, sheet)


def of_groups(options: Options, sheet: Sheet) -> None:
    sheet.title(f"22. The same for each of {GROUPS:,} groups of one evaluation", "percent of groups", OF_GROUPS)
    chunks = -(-options.replications // GROUPS)
    with threads(1), _pool() as pool:
        for law in MEAN_SIZES:
            bounds = (0.925, 1) if law == "t5" else (0.93, 0.97)
            for rows in ROWS_OF_GROUPS:
                scene = Scene(law, rows, OF_GROUPS)
                seeds = np.random.SeedSequence((SEED, 22, [*MEAN_SIZES].index(law), rows)).spawn(chunks)
                total = sum(pool.map(partial(held_in_groups, scene, GROUPS), seeds))
                found = [float(each) / (chunks * GROUPS) for each in total]
                sheet.shares(f"{law} errors, {rows} rows of a group", found, bounds, chunks * GROUPS)
            counts = held_in_groups(Scene(law, ROWS_OF_MANY, OF_GROUPS), MANY_GROUPS, np.random.SeedSequence((SEED, 22, [*MEAN_SIZES].index(law))))
            sheet.shares(
                f"{law} errors, {MANY_GROUPS:,} groups of {ROWS_OF_MANY} rows", [float(each) / MANY_GROUPS for each in counts], bounds, MANY_GROUPS
            )


@dataclass(frozen=True)
class Contest:
    """Two models on the same rows: the errors of the second are ``worse`` times as large."""

    law: str
    rows: int
    metric: str = "mse"
    worse: float = 1.0


def found_different(contest: Contest, times: int, seed: np.random.SeedSequence) -> Any:
    """Return how often a comparison at 5 % tells the models apart, and how often the paired t test of the squared errors does by hand."""
    rng, scene = np.random.default_rng(seed), Scene(contest.law, contest.rows)
    count, limit = np.zeros(2, int), quantile(0.95, contest.rows - 1)
    for first, second in zip(errors_of(rng, scene, times), errors_of(rng, scene, times), strict=True):
        y = 2 * rng.gamma(3, size=contest.rows)
        a, b = y + SCALE * first, y + SCALE * contest.worse * second
        difference = (y - a) ** 2 - (y - b) ** 2
        t = difference.mean() / (difference.std(ddof=1) / math.sqrt(contest.rows))
        pair = sq.compare(y, {"a": a, "b": b}, metric=contest.metric)["a", "b"]
        count += [pair.p_value < 0.05, abs(t) > limit]
    return count


def alarms(pool: ProcessPoolExecutor, contest: Contest, replications: int) -> list[float]:
    """Return the shares of draws in which both tests tell the models apart."""
    chunks = -(-replications // CHUNK)
    place = [*MEAN_SIZES].index(contest.law), contest.rows, METRICS.index(contest.metric), round(100 * contest.worse)
    seeds = np.random.SeedSequence((SEED, 5, *place)).spawn(chunks)
    total = sum(pool.map(partial(found_different, contest, CHUNK), seeds))
    return [float(each) / (chunks * CHUNK) for each in total]


def contests(options: Options, sheet: Sheet) -> None:
    sheet.title("15. How often compare tells two models apart at 5 %", "percent of draws", ("compare", "by hand"))
    with threads(1), _pool() as pool:
        for law in MEAN_SIZES:
            for rows in (200, 2_000):
                found = alarms(pool, Contest(law, rows), options.replications)
                sheet.shares(f"equal models, mse, {law} errors, n = {rows:,}", found[:1], (0.04, 0.06), options.replications)
        for metric in ("rmse", "mae", "r2"):
            found = alarms(pool, Contest("normal", 200, metric), options.replications)
            sheet.shares(f"equal models, {metric}, normal errors, n = 200", found[:1], (0.04, 0.06), options.replications)
        for law, rows, worse in (("normal", 200, 1.15), ("t5", 200, 1.2), ("normal", 20_000, 1.015)):
            found = alarms(pool, Contest(law, rows, "mse", worse), options.replications)
            what = f"errors of one {100 * (worse - 1):.3g} % larger, {law} errors, n = {rows:,}"
            sheet.shares(what, found, (found[1] - 0.01, 1), options.replications)
    _introduce(options, sheet)
    sheet.note("by hand: the paired t test of the squared errors; where one model is worse, compare is to find it as often, less one point")


SECTIONS = {13: independent, 14: dependent, 15: contests, 22: of_groups}
