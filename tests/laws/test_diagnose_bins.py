"""Beyond the rows that are kept, checks see all rows: by exact sums, by counts, and by bins that widen with the range of what they cut."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from model_diagnostics import scoring
from scipy import stats
from statsmodels.regression.linear_model import OLS, WLS
from statsmodels.tools.tools import add_constant

import squarely as sq
from squarely.diagnose.grid import MOST_BINS, Grid

Array = Any
N = 40_009  # more than a sample holds
WEIGHTED = pytest.mark.parametrize("weighted", [False, True])


def bent(p: Array) -> Array:
    return p + (p / 12) ** 2


def rows(weighted: bool) -> dict[str, Array]:
    rng = np.random.default_rng(17)
    p = rng.gamma(3.0, 20.0, N) + 1
    sigma = rng.uniform(1, 5, N) * (1 + p / 40)
    y = bent(p) - sigma * rng.standard_t(8, N)
    return {"y": y, "p": p, "s": sigma} | ({"w": rng.integers(1, 5, N) / 4} if weighted else {})


def asked(data: dict[str, Array]) -> tuple[dict[str, Any], dict[str, str]]:
    diagnosis = sq.diagnose(data, target="y", prediction="p", sigma="s" if "s" in data else None, weight="w" if "w" in data else None)
    return dict(diagnosis.statistics["p"]), {finding.id: finding.source for finding in diagnosis}


def weights(data: dict[str, Array]) -> Array:
    return data.get("w", np.ones(len(data["y"])))


def close(found: float, expected: float, rel: float = 1e-8) -> bool:
    return found == pytest.approx(float(expected), rel=rel)


@WEIGHTED
def test_sq009_is_the_regression_of_park_on_all_rows(weighted: bool) -> None:
    data = rows(weighted)
    data["y"][::100] = data["p"][::100]  # of a perfect prediction there is no logarithm
    data["p"][1::100] = -1.0
    found, sources = asked(data)
    e, fits = data["p"] - data["y"], (data["p"] > 0) & (data["p"] != data["y"])
    fit = WLS(np.log(e[fits] ** 2), add_constant(np.log(data["p"][fits])), weights=weights(data)[fits]).fit()
    assert close(found["SQ009"]["power"], fit.params[1])
    assert close(found["SQ009"]["se"], fit.bse[1])
    assert close(found["SQ009"]["p_value"], fit.pvalues[1])
    assert sources["SQ009"] == "all rows"


@WEIGHTED
def test_sq029_counts_all_rows(weighted: bool) -> None:
    data = rows(weighted)
    found, _ = asked(data)
    z, w = np.abs(data["p"] - data["y"]) / data["s"], weights(data)
    for level in (0.5, 0.8, 0.95):
        assert close(found["SQ029"][f"coverage_{100 * level:g}"], np.average(z <= stats.norm.ppf((1 + level) / 2), weights=w), 1e-14)
    order = np.argsort(z)
    gaps = np.abs(np.cumsum(w[order]) / w.sum() - stats.halfnorm.cdf(z[order]))
    assert found["SQ029"]["d"] == pytest.approx(gaps.max(), abs=2e-4)  # at the ends of steps in which 0.6 % of the rows lie
    assert found["SQ029"]["area"] == pytest.approx(np.average(gaps, weights=w[order]), abs=2e-4)


@WEIGHTED
def test_sq030_is_the_slope_of_all_rows(weighted: bool) -> None:
    data = rows(weighted)
    found, sources = asked(data)
    e, s, w = data["p"] - data["y"], data["s"], weights(data)
    fit = WLS(e**2, add_constant(s**2), weights=w / s**4).fit(cov_type="HC0")
    assert close(found["SQ030"]["slope"], fit.params[1])
    assert close(found["SQ030"]["se"], fit.bse[1], 0.02)  # weights vary at random: after Kish
    reached = np.cumsum(w[order := np.argsort(s)]) / w.sum()
    tenths = np.array_split(order, np.searchsorted(reached, np.arange(1, 10) / 10))
    rmv, rmse = (np.sqrt([np.average(each[at], weights=w[at]) for at in tenths]) for each in (s**2, e**2))
    assert close(found["SQ030"]["ence"], np.mean(np.abs(rmv - rmse) / rmv), 2e-2)
    assert sources.get("SQ030", "all rows, in ").startswith("all rows, in ")


@WEIGHTED
def test_sq004_is_the_decomposition_of_bins(weighted: bool) -> None:
    """The curve has one value for a bin: it is that of model-diagnostics where all rows of a bin have one prediction."""
    data = rows(weighted)
    del data["s"]
    found, sources = asked(data)
    y, p, w = data["y"], data["p"], weights(data)
    width = 2.0 ** math.ceil(math.log2(p.max() / MOST_BINS))
    expected = scoring.decompose(y, np.floor(p / width), w, scoring_function=scoring.SquaredError(), functional="mean").to_dicts()[0]
    mse = np.average((y - p) ** 2, weights=w)
    best = expected["uncertainty"] - expected["discrimination"]
    assert close(found["SQ004"]["miscalibration"], 1 - best / mse)
    assert close(found["SQ004"]["discrimination"], expected["discrimination"] / mse)
    assert close(found["SQ004"]["uncertainty"], expected["uncertainty"] / mse)
    assert sources["SQ004"] == f"all rows, in {len(np.unique(np.floor(p / width))):,} bins of the prediction"


def test_sq004_wins_over_a_line_what_the_truth_does() -> None:
    """The curve is known, and the best line through the predictions is known from all rows."""
    data = rows(False)
    del data["s"]
    y, p = data["y"], data["p"]
    truth, line = bent(p), OLS(y, add_constant(p)).fit()
    expected = (np.sum((y - line.fittedvalues) ** 2) - np.sum((y - truth) ** 2)) / np.sum((y - p) ** 2)
    diagnosis = sq.diagnose(y, p)
    finding = diagnosis.statistics["y_pred"]["SQ004"]
    assert finding["effect"] == pytest.approx(expected, rel=0.1)
    few = sq.diagnose(y[:16_000], p[:16_000]).statistics["y_pred"]["SQ004"]  # from rows
    assert few["effect"] == pytest.approx(finding["effect"], rel=0.25)


def test_a_bin_is_judged_with_its_width() -> None:
    """Where the model is near perfect, a curve with one value for a bin would lose to a line that bends within it."""
    rng = np.random.default_rng(2)
    p = rng.uniform(0, 1, N)
    found = sq.diagnose(2 * p + 1e-6 * rng.normal(size=N), p).statistics["y_pred"]["SQ004"]
    assert found["effect"] < 1e-6


def test_one_wild_prediction_leaves_the_sample_to_judge() -> None:
    data = rows(False)
    data["p"][5] = 1e9
    data["s"][7] = 1e9
    diagnosis = sq.diagnose(data, target="y", prediction="p", sigma="s")
    assert "some values of the prediction lie so far out" in told(data, "SQ004")
    assert "SQ030" in diagnosis.statistics["p"]


def test_weights_count_where_all_rows_are_at_hand() -> None:
    data = {name: values[:3000] for name, values in rows(True).items()}
    found, _ = asked(data)
    e, s, w = data["p"] - data["y"], data["s"], data["w"]
    for level in (0.5, 0.8, 0.95):
        inside = np.abs(e / s) <= stats.norm.ppf((1 + level) / 2)
        assert close(found["SQ029"][f"coverage_{100 * level:g}"], np.average(inside, weights=w), 1e-12)
    fit = WLS(e**2, add_constant(s**2), weights=w / s**4).fit(cov_type="HC0")
    assert close(found["SQ030"]["slope"], fit.params[1])
    tenths = np.array_split(np.argsort(s, kind="stable"), 10)
    rmv, rmse = (np.sqrt([np.average(each[at], weights=w[at]) for at in tenths]) for each in (s**2, e**2))
    assert close(found["SQ030"]["ence"], np.mean(np.abs(rmv - rmse) / rmv))


def told(data: dict[str, Array], identity: str) -> str:
    from squarely.diagnose.checks import CHECKS
    from squarely.diagnose.drawn import drawn_of
    from squarely.diagnose.evidence import Evidence
    from squarely.diagnose.watch import watcher_for
    from squarely.sources import Batch, Column, Wanted

    evaluation, p = sq.evaluate(data["y"], {"p": data["p"]}), Column(data["p"])
    watcher, wanted = watcher_for(Wanted("y", ("p",))), Wanted("y", ("p",))
    watcher.see(Batch(Column(data["y"]), (p,), None, (), 0, "the rows"), p, wanted)
    return CHECKS[identity].function(Evidence(evaluation, "p", watcher, "all rows", drawn_of(evaluation, "p"))).source


def test_sq025_is_that_of_all_targets() -> None:
    rng = np.random.default_rng(3)
    y = np.exp(rng.normal(0, 3, N))
    found = sq.diagnose(y, y * np.exp(0.1 * rng.normal(size=N)))
    ratio = y.max() / np.median(y)
    assert found.statistics["y_pred"]["SQ025"]["ratio"] == pytest.approx(ratio, rel=2**-8)
    assert found["SQ025"].source.startswith("all rows; ")


# --- the grid -----------------------------------------------------------------------------------------------------

RANGES: dict[str, Array] = {
    "positive": np.random.default_rng(1).gamma(3, 20, 3000),
    "around zero": np.random.default_rng(2).normal(size=3000),
    "far from zero": 1e15 + np.random.default_rng(3).normal(size=3000),
    "one number": np.full(50, 3.7),
    "zero": np.zeros(50),
    "growing": np.exp(np.linspace(-700, 700, 3000)),
    "both signs, growing": np.exp(np.linspace(-700, 700, 3000)) * np.where(np.arange(3000) % 2, 1, -1),
    "the largest": np.array([1.7e308, -1.7e308, 0.0, 5e-324, -5e-324]),
    "the smallest": np.array([5e-324, -5e-324, 1e-320, 0.0]),
}


@WEIGHTED
@pytest.mark.parametrize("kind", RANGES)
def test_bins_are_the_same_in_any_order_and_partition(kind: str, weighted: bool) -> None:
    x, rng = RANGES[kind], np.random.default_rng(9)
    first, second, w = rng.normal(size=len(x)), rng.normal(size=len(x)), rng.random(len(x)) + 0.1

    def grid(at: Array) -> Grid:
        found = Grid()
        found.see(x[at], first[at], second[at], w[at] if weighted else None)
        return found

    whole = grid(np.arange(len(x)))
    for pieces in (2, 7, 60):
        parts = [grid(at) for at in np.array_split(rng.permutation(len(x)), pieces)]
        left, right = Grid(), Grid()
        for part in parts[: pieces // 2]:
            left.absorb(part)
        for part in parts[pieces // 2 :]:
            right.absorb(part)
        left.absorb(right)
        assert (left.exponent, len(left)) == (whole.exponent, len(whole))
        assert [each.tobytes() for each in left.bins()] == [each.tobytes() for each in whole.bins()]


@pytest.mark.parametrize("kind", RANGES)
def test_bins_have_the_least_width_that_is_few_enough(kind: str) -> None:
    x = [int(each) if each == int(each) else each for each in RANGES[kind].tolist()]
    grid = Grid()
    grid.see(RANGES[kind], RANGES[kind], RANGES[kind], None)

    def numbers(exponent: int) -> list[int]:
        ratios = (each.as_integer_ratio() for each in x)
        return [(abs(top) << -exponent if exponent < 0 else abs(top) >> exponent) // bottom * (-1 if top < 0 else 1) for top, bottom in ratios]

    def fits(exponent: int) -> bool:
        found = numbers(exponent)
        return max(found) - min(found) < MOST_BINS and max(map(abs, found)) < 2**62

    assert fits(grid.exponent)
    assert grid.exponent == -1000 or not fits(grid.exponent - 1)
    assert len(grid) == len(set(numbers(grid.exponent)))
