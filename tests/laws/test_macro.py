"""The interval of a mean over groups is that of a mean of independent values, and holds the mean over all groups there might be."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy import stats

import squarely as sq


def grouped(shops: int, seed: int, rows: int = 12) -> tuple[Any, Any, Any]:
    """Groups whose errors have a size of their own: chi-squared with 8 degrees of freedom is the law of their variance."""
    rng = np.random.default_rng([seed, 5])
    sizes = np.sqrt(rng.chisquare(8, shops))
    shop = np.repeat(np.arange(shops), rows)
    y = rng.normal(size=shops * rows)
    return y, y + sizes[shop] * rng.normal(size=shops * rows), shop


@pytest.mark.parametrize("confidence", [0.9, 0.95])
@pytest.mark.parametrize("metric", ["mse", "mae", "r2", "medae"])
def test_the_interval_is_that_of_a_mean(metric: str, confidence: float) -> None:
    y, p, shop = grouped(30, 0)
    evaluation = sq.evaluate(y, {"a": p, "b": p + 1}, by={"shop": shop}, metrics=[metric], confidence=confidence)
    answers = evaluation.aggregate(macro="shop")[metric]
    for model, answer in answers.items():
        values = [each.value for each in evaluation[metric, model].by.values()]
        expected = stats.ttest_1samp(values, 0.0)
        assert answer.value == pytest.approx(np.mean(values), rel=1e-14)
        assert answer.se == pytest.approx(stats.sem(values), rel=1e-12)
        assert answer.ci == pytest.approx(tuple(expected.confidence_interval(confidence)), rel=1e-11)
        assert answer.doubt is None
    (first, *_), (row, *_) = answers.values(), evaluation.aggregate(macro="shop").to_frame().to_pylist()
    assert (row["value"], row["se"], row["ci_low"], row["ci_high"]) == (first.value, first.se, *first.ci)


def test_group_columns_that_are_left_have_intervals_of_their_own() -> None:
    y, p, shop = grouped(40, 1)
    town = np.where(shop % 2, "east", "west")
    evaluation = sq.evaluate(y, p, by={"town": town, "shop": shop}, metrics="mae")
    for name, answer in evaluation.aggregate(macro="shop")["mae"].items():
        values = [np.abs(p - y)[shop == each].mean() for each in np.unique(shop[town == name])]
        assert answer.ci == pytest.approx(stats.t.interval(0.95, 19, np.mean(values), stats.sem(values)), rel=1e-11)


def test_it_holds_the_mean_over_all_groups_that_there_might_be() -> None:
    """Of 400 draws of 30 groups each 95 % hold it, within what chance allows; intervals of the rows, which know these groups, do not."""
    of_groups, of_rows = 0, 0
    for seed in range(400):
        y, p, shop = grouped(30, seed)
        evaluation = sq.evaluate(y, p, by={"shop": shop}, metrics="mse")
        macro, pooled = evaluation.aggregate(macro="shop")["mse"].ci, evaluation["mse"].ci
        of_groups += macro[0] < 8 < macro[1]
        of_rows += pooled[0] < 8 < pooled[1]
    assert 0.92 <= of_groups / 400 <= 0.98
    assert of_rows < of_groups


def test_where_there_is_no_interval_it_is_said() -> None:
    y, p, shop = grouped(12, 2)
    few = sq.evaluate(y, p, by={"shop": shop}).aggregate(macro="shop")["mse"]
    assert few.doubt == "there are 12 groups: with fewer than 20 an interval is rough"
    lone = sq.evaluate(y, p, by={"shop": shop * 0}).aggregate(macro="shop")["mse"]
    assert math.isnan(lone.se)
    assert "one group" in str(lone.doubt)
    quick = sq.evaluate(y, p, by={"shop": shop}, ci="none").aggregate(macro="shop")["mse"]
    assert (math.isnan(quick.se), quick.doubt) == (True, "no interval was asked for")
    none = sq.evaluate(np.zeros(12), np.ones(12), by={"shop": np.arange(12) % 3}).aggregate(macro="shop")["r2"]
    assert math.isnan(none.ci[0])
    assert none.doubt == "there is no value"
    same = sq.evaluate(np.zeros(12), np.ones(12), by={"shop": np.arange(12) % 3}).aggregate(macro="shop")["mse"]
    assert (same.se, same.ci) == (0.0, (1.0, 1.0))


def test_far_values_stay_within_doubles() -> None:
    y = np.zeros(4)
    wide = sq.evaluate(y, np.array([1e150, 1e150, 3e150, 3e150]), by={"shop": np.array([0, 0, 1, 1])}).aggregate(macro="shop")["mse"]
    assert wide.se == pytest.approx(4e300)
    far = sq.evaluate(y, np.array([1e154, 1e154, 1e100, 1e100]), by={"shop": np.array([0, 0, 1, 1])}).aggregate(macro="shop")["mse"]
    assert (math.isnan(far.ci[0]), far.doubt) == (True, "the values of groups are beyond the range of doubles")
