"""Functions that carry scikit-learn's names give scikit-learn's answers, `multioutput` and weights included.

The tolerance is scikit-learn's own rounding: its sums of 1,000 terms are pairwise, about log2(1000) + 5 roundings each,
and a score divides two of them: below 32 units of 2**-52 of the larger of the answer and 1. squarely's own share is one.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
import sklearn.metrics as peer

import squarely
from squarely.errors import UndefinedMetricWarning

TOLERANCE = 32 * 2.0**-52
OUTPUT_WEIGHTS = [0.2, 0.5, 0.3]
PLAIN = ["raw_values", "uniform_average", OUTPUT_WEIGHTS]
FUNCTIONS: dict[str, list[Any]] = {
    "mean_squared_error": PLAIN,
    "root_mean_squared_error": PLAIN,
    "mean_absolute_error": PLAIN,
    "mean_pinball_loss": PLAIN,
    "r2_score": [*PLAIN, "variance_weighted"],
    "explained_variance_score": [*PLAIN, "variance_weighted"],
    "d2_absolute_error_score": PLAIN,
    "d2_pinball_score": PLAIN,
}
CALLS = [(name, multioutput) for name, modes in FUNCTIONS.items() for multioutput in modes]


def healthy(outputs: int, n: int = 1000) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Targets, predictions and weights nobody would worry about."""
    rng = np.random.default_rng(11)
    y = 5 + rng.normal(size=(n, outputs)) * np.arange(1, outputs + 1)
    return y, y + 0.5 * rng.normal(size=(n, outputs)), rng.uniform(0.5, 2, n)


def close(got: Any, expected: Any) -> bool:
    """Whether two answers differ by no more than scikit-learn's rounding."""
    got, expected = np.asarray(got), np.asarray(expected)
    if got.shape != expected.shape:
        return False
    return bool(np.all(np.abs(got - expected) <= TOLERANCE * np.maximum(1, np.abs(expected))))


@pytest.mark.parametrize(("name", "multioutput"), CALLS)
@pytest.mark.parametrize("weighted", [False, True])
def test_several_outputs(name: str, multioutput: Any, weighted: bool) -> None:
    y, p, w = healthy(3)
    arguments = {"sample_weight": w if weighted else None, "multioutput": multioutput}
    assert close(getattr(squarely, name)(y, p, **arguments), getattr(peer, name)(y, p, **arguments))


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("weighted", [False, True])
def test_one_output_is_a_python_float(name: str, weighted: bool) -> None:
    y, p, w = (values.squeeze() for values in healthy(1))
    got = getattr(squarely, name)(y, p, sample_weight=w if weighted else None)
    assert type(got) is float
    assert close(got, getattr(peer, name)(y, p, sample_weight=w if weighted else None))


@pytest.mark.parametrize("name", ["mean_pinball_loss", "d2_pinball_score"])
@pytest.mark.parametrize("alpha", [0.05, 0.5, 0.9])
@pytest.mark.parametrize("weighted", [False, True])
def test_levels(name: str, alpha: float, weighted: bool) -> None:
    y, p, w = (values.squeeze() for values in healthy(1))
    arguments = {"alpha": alpha, "sample_weight": w if weighted else None}
    assert close(getattr(squarely, name)(y, p, **arguments), getattr(peer, name)(y, p, **arguments))


def test_max_error() -> None:
    y, p, _ = (values.squeeze() for values in healthy(1))
    assert squarely.max_error(y, p) == peer.max_error(y, p)


@pytest.mark.parametrize("name", ["r2_score", "explained_variance_score"])
@pytest.mark.parametrize("force_finite", [True, False])
@pytest.mark.parametrize("shift", [0.0, 1.0])
def test_constant_targets(name: str, force_finite: bool, shift: float) -> None:
    y = np.full(8, 2.0)  # a power of two: scikit-learn's own variance is 0 here
    p = y + shift * np.arange(8)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = getattr(peer, name)(y, p, force_finite=force_finite)
        got = getattr(squarely, name)(y, p, force_finite=force_finite)
    assert got == expected or (np.isnan(got) and np.isnan(expected))


@pytest.mark.parametrize("name", ["r2_score", "d2_absolute_error_score", "d2_pinball_score"])
def test_a_single_row_has_no_score(name: str) -> None:
    with pytest.warns(UndefinedMetricWarning):
        got = getattr(squarely, name)([1.0], [2.0])
    assert np.isnan(got)


@pytest.mark.parametrize("name", ["r2_score", "explained_variance_score"])
def test_one_constant_output_among_three(name: str) -> None:
    y, p, _ = healthy(3)
    y[:, 1] = 4.0
    for multioutput in FUNCTIONS[name]:
        expected = getattr(peer, name)(y, p, multioutput=multioutput)
        assert close(getattr(squarely, name)(y, p, multioutput=multioutput), expected), multioutput
