"""Losses of Keras on both of its backends: values, parity, training with weights and masks, metrics that agree, and saved models.

Keras has one backend in a process, so each is asked in a process of its own, which prints what it found.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from squarely.losses.kernels import KERNELS, checked

SCRIPT = Path(__file__).resolve().parent.parent / "keras_on_a_backend.py"


@pytest.fixture(scope="module", params=["torch", "jax"])
def found(request: pytest.FixtureRequest) -> dict[str, Any]:
    """What one backend answers."""
    environment = {**os.environ, "KERAS_BACKEND": request.param}
    run = subprocess.run([sys.executable, SCRIPT], capture_output=True, text=True, check=False, env=environment)
    assert run.returncode == 0, run.stderr
    answers: dict[str, Any] = json.loads(run.stdout)
    assert answers["backend"] == request.param
    return answers


@pytest.fixture(scope="module")
def data() -> dict[str, np.ndarray]:
    """The arrays of the script, without Keras: its lines up to the first that needs it."""
    names: dict[str, Any] = {"np": np}
    source = SCRIPT.read_text(encoding="utf-8")
    exec(source[source.index("RNG =") : source.index("PARITY =")], names)
    return {name: array.astype(float) for name, array in names.items() if isinstance(array, np.ndarray)}


@pytest.mark.parametrize("name", sorted(KERNELS))
def test_a_loss_is_the_mean_of_its_kernel(found: Any, data: Any, name: str) -> None:
    kernel, settings = KERNELS[name], checked(KERNELS[name], {})
    u = kernel.residual.of(np, data["Y_PRED"], data["Y_TRUE"], **{each: settings[each] for each in kernel.residual.takes})
    assert found["values"]["every"][name] == pytest.approx(kernel.bound(settings).rho(np, u).mean(), rel=2e-6)


def test_weights_and_reductions(found: Any, data: Any) -> None:
    square, weight = (data["Y_PRED"] - data["Y_TRUE"]) ** 2, data["WEIGHT"]
    values = found["values"]
    assert values["each"] == [pytest.approx(row, rel=1e-5) for row in square.tolist()]
    assert values["per_sample"] == pytest.approx(square.mean(1), rel=1e-6)
    assert values["sum"] == pytest.approx(weight @ square.sum(1), rel=1e-6)
    assert values["weighted"] == pytest.approx(weight @ square.mean(1) / weight.sum(), rel=1e-6)


def test_a_weight_of_0_hides_a_nan_which_keras_lets_through(found: Any, data: Any) -> None:
    values = found["values"]
    assert values["hidden"] == values["weighted"]
    assert np.isnan(values["hidden_by_keras"])
    there = data["WEIGHT"] != 0
    assert values["omitted"] == pytest.approx(((data["Y_PRED"] - data["Y_TRUE"])[there] ** 2).mean(), rel=1e-6)


def test_a_large_error_does_not_overflow_float16(found: Any) -> None:
    assert found["values"]["half"] == 90000


@pytest.mark.parametrize("name", ["MeanSquaredError", "MeanAbsoluteError", "MeanSquaredLogarithmicError", "Huber", "LogCosh"])
def test_the_conventions_of_keras(found: Any, name: str) -> None:
    """The same without weights; with them ``denom="count"`` is Keras's default, and our default its ``mean_with_sample_weight``."""
    plain, by_count, by_weight = found["parity"][name]
    for theirs, ours in (plain, by_count, by_weight):
        assert ours == pytest.approx(theirs, rel=1e-6)
    assert by_count[1] != pytest.approx(by_weight[1], rel=1e-2)


def test_a_step_of_training_is_that_of_the_weighted_mean(found: Any, data: Any) -> None:
    """Gradient of sum w Huber(x a + b - y) / sum w, by hand."""
    w, error = data["X_WEIGHT"][:, None], data["X"] @ [[0.3], [0.2], [-0.1]] + 0.1 - data["X_TRUE"]
    slope = w * error.clip(-0.8, 0.8) / w.sum()
    kernel, bias = found["trained"]["after"]
    assert np.allclose(kernel, np.array([[0.3], [0.2], [-0.1]]) - 0.5 * data["X"].T @ slope, rtol=1e-5)
    assert np.allclose(bias, 0.1 - 0.5 * slope.sum(), rtol=1e-5)


def test_the_metric_of_uneven_batches_is_the_loss_of_all(found: Any) -> None:
    trained = found["trained"]
    assert trained["evaluated"]["huber_loss"] == pytest.approx(trained["whole"], rel=1e-6)
    assert trained["evaluated"]["loss"] != pytest.approx(trained["whole"], rel=1e-2), "a mean of means"


def test_a_saved_model_is_the_same(found: Any) -> None:
    assert found["trained"]["again"] == pytest.approx(found["trained"]["evaluated"], rel=1e-6)
    assert found["trained"]["config"]["delta"] == 0.8
    assert found["serialised"] is True


def test_a_mask_of_keras_selects_before_it_subtracts(found: Any, data: Any) -> None:
    """Targets are nan where there is no step; one sequence has none, and the sequences of a batch are uneven."""
    x, y = data["STEPS"], data["STEPS_TRUE"][:, :, 0]
    there = ~np.isnan(y)
    error = x @ [0.3, 0.2] + 0.1 - y
    whole = np.nanmean(error**2)
    batches = [(np.nanmean(error[i : i + 3] ** 2), len(error[i : i + 3])) for i in (0, 3, 6)]
    shown = sum(mean * rows for mean, rows in batches) / len(error)
    masked = found["masked"]
    assert masked["evaluated"]["all"] == pytest.approx(whole, rel=1e-6)
    assert masked["evaluated"]["loss"] == masked["fitted"]["loss"] == pytest.approx(shown, rel=1e-6)
    weight = data["STEPS_WEIGHT"][:, None] * there
    assert masked["weighed"]["weighed"] == pytest.approx(np.nansum(weight * error**2) / weight.sum(), rel=1e-6)
    kernel, bias = masked["after"]
    gradient = 2 * np.where(there, error, 0) / there.sum()
    assert np.allclose(kernel, np.array([[0.3], [0.2]]) - 0.05 * np.einsum("nti,nt->i", x, gradient)[:, None], rtol=1e-5)
    assert np.allclose(bias, 0.1 - 0.05 * gradient.sum(), rtol=1e-5)
    for name in ("all", "weighed"):  # without weights the same; on JAX Keras hands metrics a prediction that has lost its mask
        assert masked["fitted"][name] == masked["eager"][name] == pytest.approx(whole, rel=1e-6)
    assert masked["unmasked"] == pytest.approx(np.mean((x @ [0.3, 0.2] + 0.1) ** 2), rel=1e-6), "a mask of targets outlived its loss"


def test_what_does_not_fit_is_refused(found: Any) -> None:
    said = found["refused"]
    assert said["place"].endswith("was given 2.0 without one. Cure: HuberLoss(delta=2.0).")
    assert said["shape"].startswith("pred has shape (8, 1) and y_true (8,)")
    assert "y_true[..., None]" in said["shape"]
    assert said["weight"].startswith("sample_weight has shape (6, 1) and pred (6, 4)")
    assert "expected one of 'none', 'sum', 'mean', 'per_sample'" in said["reduction"]
    assert said["setting"].startswith("huber_loss: delta is -1.0")
    assert said["denom"].startswith("denom is a ndarray")
    assert said["metric"].startswith("loss is a MeanSquaredError; expected a loss of squarely.losses.keras")
    assert said["nan"].startswith("a target is nan")


def test_another_backend_is_refused() -> None:
    """One that cannot be imported, and one that has no gradients."""
    for backend in ("tensorflow", "numpy"):
        code = "import squarely.losses.keras"
        run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env={**os.environ, "KERAS_BACKEND": backend})
        assert "MissingExtraError" in run.stderr
        assert "KERAS_BACKEND" in run.stderr.splitlines()[-1]
