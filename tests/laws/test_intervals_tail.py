"""Where errors have too few moments, the interval says so; the index of a tail is that of the law that the errors were taken from."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

import squarely as sq
from squarely.intervals.tail import index_of

ROWS = 64_000  # 1,000 errors tell the index


def pareto(index: float, rows: int = ROWS) -> NDArray[np.float64]:
    """Sizes at evenly spaced quantiles of a law of which P(size > x) = x^-index."""
    return ((np.arange(rows) + 0.5) / rows) ** (-1 / index)


def signed(sizes: NDArray[np.float64]) -> NDArray[np.float64]:
    """The sizes with both signs, in no order."""
    rng = np.random.default_rng(0)
    return rng.permutation(sizes) * rng.choice([-1.0, 1.0], len(sizes))


def evaluation_of(errors: NDArray[np.float64]) -> sq.Evaluation:
    y = np.arange(len(errors)) % 97 + 1.0
    return sq.evaluate(y, y + errors, metrics=["mse", "rmse", "r2", "nmse", "mae", "bias", "medae", "trimmed_mse", "mape"], exact=False)


def heavy(errors: NDArray[np.float64]) -> set[str]:
    """The metrics whose intervals are doubtful because of the tail."""
    evaluation = evaluation_of(errors)
    return {metric for metric in evaluation if "tail" in (evaluation[metric].doubt or "")}


@pytest.mark.parametrize("index", [0.8, 1.5, 2.3, 3.5, 6.0])
@pytest.mark.parametrize("unit", [1.0, 2.0**-900, 1e30])
def test_index_is_that_of_the_law(index: float, unit: float) -> None:
    y = np.zeros(ROWS)
    state = sq.evaluate(y, unit * signed(pareto(index)), metrics="medae", exact=False).state
    found, bound = index_of(state.sums.sizes, state.n)
    assert found == pytest.approx(index, rel=0.03)  # the least of the errors is known to 2^-8: to 0.023 of what its logarithm differs by
    assert bound == pytest.approx(found * (1 + 1.645 / math.sqrt(1000)))


def test_equal_weights_change_no_index() -> None:
    y, p = np.zeros(ROWS), signed(pareto(2.5))
    states = [sq.evaluate(y, p, weight=weight, metrics="medae", exact=False).state for weight in (None, np.full(ROWS, 0.3))]
    plain, weighted = (index_of(state.sums.sizes, state.n)[0] for state in states)
    assert weighted == pytest.approx(plain)


def test_squares_need_four_moments_and_sizes_two() -> None:
    squares = {"mse", "rmse", "r2", "nmse"}
    assert heavy(signed(pareto(1.5))) == squares | {"mae", "bias"}
    assert heavy(signed(pareto(2.5))) == squares
    assert heavy(signed(pareto(5.0))) == set()


@pytest.mark.parametrize(
    ("metric", "doubtful"),
    [
        ("mse", {1.5, 2.5}),
        ("theil_u1", {1.5, 2.5}),
        ("pearson_r", {1.5, 2.5}),
        ("msse(scale='unit')", {1.5, 2.5}),
        ("mean_expectile_loss", {1.5, 2.5}),
        ("skill_score(baseline='other')", {1.5, 2.5}),
        ("skill_score(baseline='other', loss='absolute')", {1.5}),
        ("mase(scale='unit')", {1.5}),
        ("wape", {1.5}),
        ("huber", {1.5}),
        ("pinball", {1.5}),
        ("medae", set()),
        ("trimmed_mse", set()),
        ("mean_tukey_loss", set()),
        ("smape", set()),
    ],
)
def test_every_kind_of_metric_has_its_moments(metric: str, doubtful: set[float]) -> None:
    y = np.arange(6_400) % 97 + 1.0
    for index in (1.5, 2.5, 5.0):
        table = {"y": y, "model": y + signed(pareto(index, 6_400)), "other": y + 1, "unit": np.full(6_400, 3.0)}
        answer = sq.evaluate(table, target="y", prediction=["model", "other"], metrics=[metric, "medae"], exact=False)[metric, "model"]
        assert ("tail" in (answer.doubt or "")) == (index in doubtful), answer.doubt


def test_the_doubt_names_the_index() -> None:
    doubt = evaluation_of(signed(pareto(2.3)))["rmse"].doubt
    assert doubt == "the tail of the errors is heavy (index about 2.3, below 4): the interval is too narrow"


def test_an_index_near_the_limit_is_no_reason_for_doubt() -> None:
    """With 1,000 errors an index of 3.9 is not surely below 4: its upper bound is 4.1."""
    assert heavy(signed(pareto(3.9))) == set()
    assert heavy(signed(pareto(3.7)))


@pytest.mark.parametrize("law", ["normal", "uniform", "exponential", "one size", "few sizes", "mostly none"])
def test_light_tails_raise_no_doubt(law: str) -> None:
    rng = np.random.default_rng(1)
    errors = {
        "normal": lambda: rng.standard_normal(ROWS),
        "uniform": lambda: rng.random(ROWS),
        "exponential": lambda: signed(rng.standard_exponential(ROWS)),
        "one size": lambda: np.full(ROWS, 2.5),
        "few sizes": lambda: rng.integers(-2, 3, ROWS).astype(float),
        "mostly none": lambda: np.where(np.arange(ROWS) % 100, 0.0, 7.0),
    }[law]()
    assert heavy(errors) == set()


def test_few_rows_tell_no_index() -> None:
    assert heavy(signed(pareto(1.0, 600))) == set()
    assert heavy(signed(pareto(1.0, 2_000)))


def test_without_sizes_nothing_is_said() -> None:
    y = np.zeros(ROWS)
    assert sq.evaluate(y, signed(pareto(1.5)), metrics="mse").answer("mse", "y_pred").doubt is None
