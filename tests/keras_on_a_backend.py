"""Prints what losses of Keras do on the backend of the environment, as JSON: a process has one backend, and tests ask two."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import keras
import numpy as np

from squarely.errors import DataError
from squarely.losses import keras as losses

RNG = np.random.default_rng(3)
Y_TRUE = RNG.uniform(0.5, 3, (6, 4)).astype("float32")
Y_PRED = (Y_TRUE + RNG.normal(0, 1.5, (6, 4)).clip(-1.4, None)).astype("float32")
WEIGHT = np.array([1, 0.5, 0, 2, 3, 0.25], "float32")
X = RNG.normal(size=(10, 3)).astype("float32")
X_WEIGHT = RNG.uniform(0, 2, 10).astype("float32")
X_TRUE = (X @ np.array([[1.0], [-2.0], [0.5]]) + RNG.standard_t(2, (10, 1))).astype("float32")
STEPS = np.where(np.arange(5)[:, None] < np.array([4, 1, 0, 5, 2, 3, 1]), 1.0, 0.0).T[:, :, None] * RNG.uniform(0.5, 2, (7, 5, 2))
STEPS_TRUE = np.where(STEPS[:, :, :1] != 0, 3 * STEPS[:, :, :1] + 1, np.nan)
STEPS_WEIGHT = np.array([1, 2, 1, 0, 0.5, 3, 1], "float32")
POSITIVE = Y_PRED.clip(0.1, None)  # Keras raises negative predictions to 0 in the logarithmic error
PARITY = {
    "MeanSquaredError": (losses.MSELoss, {}),
    "MeanAbsoluteError": (losses.L1Loss, {}),
    "MeanSquaredLogarithmicError": (losses.MSLELoss, {}),
    "Huber": (losses.HuberLoss, {"delta": 0.7}),
    "LogCosh": (losses.LogCoshLoss, {}),
}


def plain(value: Any) -> Any:
    """Arrays of any kind as lists of numbers."""
    return np.asarray(keras.ops.convert_to_numpy(value), float).tolist()


def refusal(call: Any, *given: Any, **named: Any) -> str:
    """What an error says."""
    try:
        call(*given, **named)
    except DataError as error:
        return str(error)
    return "nothing"


def values() -> dict[str, Any]:
    """Every loss without options, and what they do with weights."""
    every = {cls.kernel.name: plain(cls()(Y_TRUE, Y_PRED)) for cls in (getattr(losses, n) for n in losses.__all__) if hasattr(cls, "kernel")}
    hidden = np.where(WEIGHT[:, None] == 0, np.nan, Y_TRUE)
    loss = losses.MSELoss
    return {
        "every": every,
        "each": plain(loss().call(Y_TRUE, Y_PRED)),
        "per_sample": plain(loss(reduction="per_sample")(Y_TRUE, Y_PRED)),
        "sum": plain(loss(reduction="sum")(Y_TRUE, Y_PRED, WEIGHT)),
        "weighted": plain(loss()(Y_TRUE, Y_PRED, WEIGHT)),
        "hidden": plain(loss()(hidden, Y_PRED, WEIGHT)),
        "hidden_by_keras": plain(keras.losses.MeanSquaredError()(hidden, Y_PRED, WEIGHT)),
        "omitted": plain(loss(nan_target="omit")(hidden, Y_PRED)),
        "half": plain(loss()(np.zeros(1, "float16"), keras.ops.cast(np.array([300.0]), "float16"))),
    }


def parity() -> dict[str, Any]:
    """Keras's value and ours: without weights, divided as Keras does by default, and divided by the sum of the weights."""
    out = {}
    for name, (ours, settings) in PARITY.items():
        theirs = getattr(keras.losses, name)
        out[name] = [
            (plain(theirs(**settings)(Y_TRUE, POSITIVE)), plain(ours(**settings)(Y_TRUE, POSITIVE))),
            (plain(theirs(**settings)(Y_TRUE, POSITIVE, WEIGHT)), plain(ours(denom="count", **settings)(Y_TRUE, POSITIVE, WEIGHT))),
            (
                plain(theirs(reduction="mean_with_sample_weight", **settings)(Y_TRUE, POSITIVE, WEIGHT)),
                plain(ours(**settings)(Y_TRUE, POSITIVE, WEIGHT)),
            ),
        ]
    return out


def trained(folder: str) -> dict[str, Any]:
    """One step with weights from known parameters, the loss of all batches, and the same of the model that was saved and loaded."""
    model = keras.Sequential([keras.layers.Input((3,)), keras.layers.Dense(1)])
    model.layers[0].set_weights([np.array([[0.3], [0.2], [-0.1]]), np.array([0.1])])
    loss = losses.HuberLoss(delta=0.8)
    model.compile(keras.optimizers.SGD(0.5), loss=loss, weighted_metrics=[losses.LossMetric(losses.HuberLoss(delta=0.8))])
    model.fit(X, X_TRUE, sample_weight=X_WEIGHT, batch_size=10, epochs=1, verbose=0)
    after = [plain(each) for each in model.get_weights()]
    whole = plain(loss(X_TRUE, model(X), X_WEIGHT))
    evaluated = model.evaluate(X, X_TRUE, sample_weight=X_WEIGHT, batch_size=4, verbose=0, return_dict=True)
    model.save(Path(folder) / "model.keras")
    loaded = keras.saving.load_model(Path(folder) / "model.keras")
    again = loaded.evaluate(X, X_TRUE, sample_weight=X_WEIGHT, batch_size=4, verbose=0, return_dict=True)
    return {"after": after, "whole": whole, "evaluated": evaluated, "again": again, "config": loaded.loss.get_config()}


def masked() -> dict[str, Any]:
    """Sequences of 4, 1, 0, 5, 2, 3 and 1 steps whose targets are nan where there is no step."""
    model = keras.Sequential([keras.layers.Input((5, 2)), keras.layers.Masking(), keras.layers.Dense(1)])
    model.layers[1].set_weights([np.array([[0.3], [0.2]]), np.array([0.1])])
    every = [losses.LossMetric(losses.MSELoss(), name=name) for name in ("all", "weighed")]
    model.compile(keras.optimizers.SGD(0.0), loss=losses.MSELoss(), metrics=every[:1], weighted_metrics=every[1:])
    x, y = STEPS.astype("float32"), STEPS_TRUE.astype("float32")
    history = model.fit(x, y, batch_size=3, epochs=1, shuffle=False, verbose=0).history
    evaluated = model.evaluate(x, y, batch_size=3, verbose=0, return_dict=True)
    weighed = model.evaluate(x, y, sample_weight=STEPS_WEIGHT, batch_size=3, verbose=0, return_dict=True)
    model.compile(keras.optimizers.SGD(0.0), loss=losses.MSELoss(), metrics=every[:1], weighted_metrics=every[1:], run_eagerly=True)
    eager = model.fit(x, y, batch_size=3, epochs=1, shuffle=False, verbose=0).history
    model.compile(keras.optimizers.SGD(0.05), loss=losses.MSELoss())
    model.fit(x, y, batch_size=7, epochs=1, verbose=0)
    fitted, eager = ({name: values[0] for name, values in each.items()} for each in (history, eager))
    every[0].reset_state()
    zeros, pred = keras.ops.zeros_like(y), keras.ops.convert_to_tensor(x @ np.array([[0.3], [0.2]], "float32") + 0.1)
    losses.MSELoss()(zeros, model(x))
    losses.MSELoss()(zeros, pred)
    every[0].update_state(zeros, pred)
    return {
        "fitted": fitted,
        "eager": eager,
        "unmasked": float(every[0].result()),
        "evaluated": evaluated,
        "weighed": weighed,
        "after": [plain(each) for each in model.get_weights()],
    }


def serialised() -> bool:
    """Whether every loss, and a metric of it, comes back from its configuration."""
    for name in losses.__all__:
        if name in ("LossMetric", "PointwiseLoss"):
            continue
        loss = getattr(losses, name)(reduction="sum", nan_target="omit", name="mine", dtype="float16")
        for each in (loss, losses.LossMetric(loss)):
            text = json.dumps(keras.saving.serialize_keras_object(each))
            back = keras.saving.deserialize_keras_object(json.loads(text))
            if type(back) is not type(each) or back.get_config() != each.get_config():
                return False
    return losses.HuberLoss.from_config(losses.HuberLoss(delta=3.0, denom=7).get_config()).get_config()["denom"] == 7


def refused() -> dict[str, str]:
    """What is said of what does not fit."""
    return {
        "shape": refusal(losses.MSELoss(), np.ones(8, "float32"), np.ones((8, 1), "float32")),
        "weight": refusal(losses.MSELoss(), Y_TRUE, Y_PRED, WEIGHT[:, None]),
        "reduction": refusal(losses.MSELoss, reduction="sum_over_batch_size"),
        "setting": refusal(losses.HuberLoss, delta=-1.0),
        "place": refusal(losses.HuberLoss, 2.0),
        "denom": refusal(losses.MSELoss, denom=np.ones(1)),
        "metric": refusal(losses.LossMetric, keras.losses.MeanSquaredError()),
        "nan": refusal(losses.MSELoss(nan_target="raise"), np.array([np.nan]), np.array([1.0])),
    }


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        found = {"backend": keras.backend.backend(), "values": values(), "parity": parity(), "trained": trained(folder), "masked": masked()}
    json.dump({**found, "serialised": serialised(), "refused": refused()}, sys.stdout)
