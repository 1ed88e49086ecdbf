"""Every sentence of the advice can be reached: each scenario of the mission gets the loss and the metrics that it names."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import squarely as sq

Array = NDArray[np.float64]
N = 2000


def bell(seed: int = 0) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    p = 20 + 3 * rng.normal(size=N)
    return p + rng.normal(size=N), p


def with_outliers() -> tuple[Array, Array]:
    y, p = bell()
    y[:5] *= 10
    return y, p


def with_law(law: str) -> tuple[Array, Array]:
    rng = np.random.default_rng(2)
    _, p = bell()
    draws = {"laplace": lambda: rng.laplace(size=N), "t2": lambda: rng.standard_t(1.2, N), "t3": lambda: rng.standard_t(2.5, N)}
    draws["skewed"] = lambda: rng.gamma(1, size=N) - 1
    draws["mixed"] = lambda: rng.normal(size=N) * np.where(rng.uniform(size=N) < 0.06, 6, 1)
    return p + draws[law](), p


def growing(power: int, with_zeros: bool = False) -> tuple[Array, Array]:
    rng = np.random.default_rng(3)
    p = np.exp(rng.uniform(1, 4, N))
    y = rng.poisson(p).astype(float) if power == 1 else rng.gamma(4, p / 4)
    if with_zeros:
        y, p = np.where(rng.uniform(size=N) < 0.1, 0.0, y), 0.9 * p
    return y, p


def labels() -> tuple[Array, Array]:
    rng = np.random.default_rng(4)
    p = rng.uniform(0.05, 0.95, N)
    return (rng.uniform(size=N) < p).astype(float), p


def magnitudes() -> tuple[Array, Array]:
    rng = np.random.default_rng(5)
    p = np.exp(rng.normal(3, 2.5, N))
    return p * np.exp(0.3 * rng.normal(size=N)), p


def unequal() -> tuple[Array, Array]:
    rng = np.random.default_rng(6)
    p = rng.uniform(-3, 3, N)
    return p + np.exp(0.6 * p) * rng.normal(size=N), p


LOSSES: list[tuple[str, tuple[Array, Array], dict[str, Any], str]] = [
    ("clean errors, normal law", bell(), {}, "squared error"),
    ("a median is wanted", bell(), {"functional": "median"}, "absolute error"),
    ("a quantile is wanted", bell(), {"functional": "quantile"}, "pinball loss"),
    ("frequent outliers", with_outliers(), {}, "Huber loss"),
    ("a contaminated law", with_law("mixed"), {}, "Huber loss"),
    ("heavy tails", with_law("t3"), {}, "Huber loss"),
    ("no mean of squares", with_law("t2"), {}, "absolute error"),
    ("errors of a Laplace law", with_law("laplace"), {}, "absolute error"),
    ("skewed errors, and the mean is wanted", with_law("skewed"), {}, "squared error"),
    ("counts", growing(1), {}, "Poisson deviance"),
    ("prices", growing(2), {}, "gamma deviance"),
    ("prices, some of them 0", growing(2, with_zeros=True), {}, "Tweedie deviance of power 1.5"),
    ("labels", labels(), {}, "cross-entropy"),
    ("orders of magnitude", magnitudes(), {}, "squared error of the logarithm"),
    ("variance that differs", unequal(), {}, "weighted squared error"),
]


@pytest.mark.parametrize(("scenario", "rows", "settings", "loss"), LOSSES, ids=[case[0] for case in LOSSES])
def test_a_scenario_gets_its_loss(scenario: str, rows: tuple[Array, Array], settings: dict[str, Any], loss: str) -> None:
    advice = sq.diagnose(*rows, **settings).recommended_loss
    assert advice.loss == loss, str(advice)
    assert advice.reason
    assert advice.code


def test_predicted_deviations_that_are_wrong_get_their_likelihood() -> None:
    y, p = bell()
    assert sq.diagnose(y, p, sigma=np.full(N, 0.4)).recommended_loss.loss.startswith("Gaussian negative log-likelihood")


def test_what_another_loss_is_worth_is_that_of_the_textbook() -> None:
    assert sq.diagnose(*with_law("laplace")).recommended_loss.efficiency == 0.5  # the median needs half of the rows
    t = sq.diagnose(*with_law("t3")).recommended_loss.efficiency
    assert t == pytest.approx((2.5 - 2) / 2.5 * 5.5 / 3.5, abs=0.12)  # (v - 2) / v (v + 3) / (v + 1) for v = 2.5
    assert "64 %" in sq.diagnose(*bell()).recommended_loss.reason  # 2 / pi


def advice_of(y: Array, p: Array, **settings: Any) -> str:
    return " ".join(sq.diagnose(y, p, **settings).advice)


def test_the_rmse_is_always_beside_the_mse() -> None:
    y, p = bell()
    assert f"RMSE, {float(f'{sq.rmse(y, p):.4g}'):g}" in advice_of(y, p)


def test_groups_of_other_scales_are_compared_by_nmse() -> None:
    y, p = bell()
    factor = np.where(np.arange(N) % 2, 1.0, 100.0)
    assert "Compare groups by NMSE or R2" in advice_of(y * factor, p * factor, by=(np.arange(N) % 2))
    assert "NMSE" not in advice_of(y, p, by=(np.arange(N) % 2))


def test_targets_of_many_magnitudes_get_msle() -> None:
    rng = np.random.default_rng(7)
    p = np.exp(rng.uniform(0, 9, N))
    assert "MSLE or RMSLE" in advice_of(p * np.exp(0.2 * rng.normal(size=N)), p)
    assert "MSLE" not in advice_of(*bell())


def test_forecasts_get_mase_and_the_faults_of_mape() -> None:
    said = advice_of(*bell(), order=True)
    assert "MASE" in said
    assert "MAPE has no value where a target is 0" in said
    assert "kinder to forecasts that are too low" in said
    assert "MASE" not in advice_of(*bell())


def test_outliers_get_both_cases() -> None:
    said = advice_of(*with_outliers())
    assert "MAE or Huber" in said
    assert "the right one where large errors cost more" in said


@pytest.mark.parametrize(
    ("activation", "squash"), [("sigmoid", lambda x: 1 / (1 + np.exp(-x))), ("tanh", np.tanh), ("relu", lambda x: np.maximum(x, 0))]
)
def test_an_output_that_cannot_reach_the_targets_is_seen(activation: str, squash: Any) -> None:
    rng = np.random.default_rng(8)
    y = 3 * rng.normal(size=N)
    assert f"an output through {activation} cannot reach them" in advice_of(y, squash(y + 0.3 * rng.normal(size=N)))
    assert "cannot reach" not in advice_of(*bell())


def test_three_standard_deviations_find_no_outlier_in_ten_rows() -> None:
    """The largest of n standardised errors is at most (n - 1) / sqrt(n): the rule of three is blind below 11 rows, that of the others is not."""
    e = np.zeros(10)
    e[0] = 1e6
    assert np.abs(e - e.mean()).max() / e.std(ddof=1) == pytest.approx(9 / np.sqrt(10))
    rng = np.random.default_rng(9)
    y = rng.normal(size=30)
    y[3] = 100
    assert sq.diagnose(y, np.zeros(30) + 0.01 * rng.normal(size=30)).findings[0].id == "SQ021"


def test_a_house_at_a_billion_makes_the_whole_error() -> None:
    rng = np.random.default_rng(10)
    p = np.full(1000, 1e6) + 1e5 * rng.normal(size=1000)
    y = p + 1e5 * rng.normal(size=1000)
    y[999] = 1e9
    finding = sq.diagnose(y, p)["SQ021"]
    assert finding.effect == pytest.approx(0.99999, abs=1e-5)
    assert "row 1,000" in finding.evidence


def test_a_diagnosis_tells_itself_in_every_form() -> None:
    diagnosis = sq.diagnose(*with_outliers())
    for told in (str(diagnosis), diagnosis.to_markdown(), str(diagnosis.to_dict())):
        assert "SQ021" in told
        assert "Single rows lie far outside the others" in told
    assert diagnosis.to_frame().column("id").to_pylist()[0] == "SQ021"
    assert "SQ021" in diagnosis
    assert "SQ001" not in diagnosis
    with pytest.raises(KeyError, match="is no check"):
        diagnosis["SQ999"]
    with pytest.raises(KeyError, match="not among the findings"):
        diagnosis["SQ002"]
