"""A pointwise loss as a ``keras.losses.Loss``, and a metric that is the same mean over many batches."""

from numbers import Real
from typing import Any, ClassVar

from squarely.errors import DataError
from squarely.losses.calls import Call
from squarely.losses.compose import same_shape
from squarely.losses.keras.library import call_of_backend, get_keras_mask, keras, set_keras_mask
from squarely.losses.kernels import Kernel, checked, refuse_places
from squarely.losses.options import Options
from squarely.losses.terms import LossTerms

__all__ = ["LossMetric", "PointwiseLoss", "declared"]

Array = Any


class PointwiseLoss(keras.losses.Loss):  # type: ignore[misc]
    r"""A loss with Keras's order of arguments, ``loss(y_true, y_pred, sample_weight)``, and the weighted mean of all frameworks.

    .. math:: L = \frac{\sum w \rho}{\sum w}

    Keras divides by the number of elements where there are weights, and its metrics by their sum, so that the two disagree
    (https://github.com/keras-team/keras/issues/19740). Here both divide by the sum; ``denom="count"`` divides as Keras does. What a mask of
    Keras hides, and what has a weight of 0, is left out before anything is subtracted, so that a nan there reaches no gradient.

    Parameters
    ----------
    reduction : "mean", "sum", "none" (of each element) or "per_sample"
    denom : "weight", "valid", "count", "batch", or a number; None is "weight" where there is one, else "valid"
    nan_target : "propagate", "omit", or "raise", for which a model on JAX has to run eagerly
    name, dtype : as in Keras
    **settings : those of the kernel
    """

    kernel: ClassVar[type[Kernel]]
    function: ClassVar[Call]

    def __init__(
        self,
        *given: Any,
        reduction: str = "mean",
        denom: str | float | None = None,
        nan_target: str = "propagate",
        name: str | None = None,
        dtype: Any = None,
        **settings: float,
    ) -> None:
        refuse_places(type(self).__name__, self.kernel, given)
        super().__init__(name=name or self.kernel.name, dtype=dtype)
        if denom is not None and not isinstance(denom, str | Real):
            raise DataError(f"denom is a {type(denom).__name__}; expected a word or a number, for a model that is saved keeps it.")
        Options(reduction=reduction, denom=denom, nan_target=nan_target)  # refuses what it does not know
        self.reduction, self.denom, self.nan_target = reduction, denom, nan_target
        self.settings = checked(self.kernel, settings)

    def __call__(self, y_true: Array, y_pred: Array, sample_weight: Array = None) -> Array:
        """Return the loss, reduced. Weights have the first axes of the prediction, and so has its mask."""
        if keras.backend.backend() == "jax":  # where training hands metrics a prediction that has lost its mask: targets keep it for them
            set_keras_mask(y_true, get_keras_mask(y_pred))
        y_true, y_pred, options = self._read(y_true, y_pred, sample_weight)
        return self.function(y_pred, y_true, reduction=self.reduction, denom=self.denom, **options)

    def call(self, y_true: Array, y_pred: Array) -> Array:
        """Return the loss of each element."""
        y_true, y_pred, options = self._read(y_true, y_pred, None)
        return self.function(y_pred, y_true, reduction="none", **options)

    def terms(self, y_true: Array, y_pred: Array, sample_weight: Array = None) -> LossTerms:
        """Return numerator and denominator of the mean, to be added over batches."""
        y_true, y_pred, options = self._read(y_true, y_pred, sample_weight)
        return self.function.terms(y_pred, y_true, denom=self.denom, **options)

    def _read(self, y_true: Array, y_pred: Array, sample_weight: Array) -> tuple[Array, Array, dict[str, Any]]:
        mask = get_keras_mask(y_pred)
        y_true, y_pred = (keras.ops.convert_to_tensor(each, dtype=self.dtype) for each in (y_true, y_pred))
        same_shape(y_pred, y_true, "y_true")
        options = {"nan_target": self.nan_target, **self.settings}
        if mask is not None:
            options["mask"] = keras.ops.convert_to_tensor(mask, dtype="bool")
        if sample_weight is not None:
            options["sample_weight"] = keras.ops.convert_to_tensor(sample_weight, dtype=self.dtype)
        return y_true, y_pred, options

    def get_config(self) -> dict[str, Any]:
        """Return all that makes the loss again."""
        own = {"name": self.name, "dtype": self.dtype, "reduction": self.reduction, "denom": self.denom, "nan_target": self.nan_target}
        return {**own, **self.settings}


def declared(name: str, kernel: type[Kernel]) -> type[PointwiseLoss]:
    """Return the class of a loss, known to Keras by its name, so that a saved model finds it."""
    settings = [f"{each} : {setting.expected}, default {setting.default:g}\n    {setting.text}" for each, setting in kernel.settings.items()]
    words = [
        kernel.__doc__ or "",
        "",
        f".. math:: {kernel.tex}",
        "",
        *("Parameters", "----------", *settings, "reduction, denom, nan_target, name, dtype", "    As in ``PointwiseLoss``.", ""),
        *("References", "----------", kernel.reference),
    ]
    names = {"kernel": kernel, "function": call_of_backend(kernel), "__doc__": "\n".join(words), "__module__": "squarely.losses.keras"}
    made: type[PointwiseLoss] = keras.saving.register_keras_serializable("squarely")(type(name, (PointwiseLoss,), names))
    return made


@keras.saving.register_keras_serializable("squarely")
class LossMetric(keras.metrics.Metric):  # type: ignore[misc]
    r"""The mean of a loss over many batches, as if they were one.

    .. math:: \frac{\sum_b \mathrm{num}_b}{\sum_b \mathrm{den}_b}

    What Keras shows as ``loss`` is a mean of the means of batches; where masks or weights make batches uneven, only this one is the loss of all.
    Among ``weighted_metrics`` of ``compile`` it gets the sample weights, among ``metrics`` it does not. While a model on JAX trains, Keras
    hands its metrics predictions that have lost their masks; this one knows them if the model trains with a loss of this module.

    Parameters
    ----------
    loss : one of the losses of this module, whose ``reduction`` does not matter
    name, dtype : as in Keras; the name is that of the loss if none is given
    """

    def __init__(self, loss: PointwiseLoss, name: str | None = None, dtype: Any = None) -> None:
        if not isinstance(loss, PointwiseLoss):
            raise DataError(f"loss is a {type(loss).__name__}; expected a loss of squarely.losses.keras, such as MSELoss().")
        super().__init__(name=name or loss.name, dtype=dtype)
        self.loss = loss
        self.num = self.add_variable(shape=(), initializer="zeros", name="num")
        self.den = self.add_variable(shape=(), initializer="zeros", name="den")

    def update_state(self, y_true: Array, y_pred: Array, sample_weight: Array = None) -> None:
        """Add the terms of a batch."""
        if get_keras_mask(y_pred) is None and (mask := get_keras_mask(y_true)) is not None:
            y_pred = keras.ops.copy(y_pred)
            set_keras_mask(y_pred, mask)
        terms = self.loss.terms(y_true, y_pred, sample_weight)
        self.num.assign_add(keras.ops.cast(keras.ops.stop_gradient(terms.num), self.dtype))
        self.den.assign_add(keras.ops.cast(terms.den, self.dtype))

    def result(self) -> Array:
        """Return the mean, which is 0 where nothing counts."""
        return LossTerms(keras.ops.convert_to_tensor(self.num), keras.ops.convert_to_tensor(self.den)).mean()

    def get_config(self) -> dict[str, Any]:
        """Return all that makes the metric again."""
        return {**super().get_config(), "loss": keras.saving.serialize_keras_object(self.loss)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "LossMetric":
        """Return the metric that a configuration describes."""
        return cls(**{**config, "loss": keras.saving.deserialize_keras_object(config["loss"])})
