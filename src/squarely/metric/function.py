"""A metric as a function of arrays, with scikit-learn's keywords and manners."""

import inspect
import math
import warnings
from typing import Any

import numpy as np
import numpy.typing as npt

from squarely.errors import DataError, UndefinedMetricWarning
from squarely.metric.declaration import Metric
from squarely.state import PairState, Ratio, Sums, best_constant
from squarely.validate import accepts, pair_outputs

__all__ = ["as_function"]


def as_function(metric: Metric) -> Any:
    """Return the function of arrays that a metric declares."""
    usually = None if metric.constant == "undefined" else True

    def function(
        y_true: Any, y_pred: Any, *, sample_weight: Any = None, multioutput: Any = "uniform_average", nan_policy: str = "raise", **parameters: Any
    ) -> Any:
        finite = usually
        if parameters:
            if metric.constant == "force_finite":
                finite = bool(parameters.pop("force_finite", True))
            metric.check(parameters)
        outputs = pair_outputs(y_true, y_pred)
        if outputs is None and isinstance(multioutput, str) and multioutput == "uniform_average":
            return _answer(metric, _summed(metric, y_true, y_pred, sample_weight, nan_policy, parameters), parameters, finite)
        summed = [_summed(metric, y, p, sample_weight, nan_policy, parameters) for y, p in outputs or [(y_true, y_pred)]]
        values = np.array([_answer(metric, each, parameters, finite) for each in summed])
        return _combined(metric, values, summed, multioutput)

    function.__name__ = function.__qualname__ = metric.name
    function.__module__ = metric.formula.__module__
    function.__signature__ = _signature(metric)  # type: ignore[attr-defined]
    return function


def _summed(metric: Metric, y_true: Any, y_pred: Any, sample_weight: Any, nan_policy: str, parameters: dict[str, Any]) -> tuple[Sums, ...] | None:
    """Return the sums, None where the answer is nan by the nan_policy."""
    state = PairState().update(y_true, y_pred, sample_weight)
    sums = state.sums
    if not sums.is_whole or nan_policy != "raise":
        if not accepts(nan_policy, state.refused, state.n, y_true, y_pred, sample_weight):
            return None
    if metric.baseline:
        level = parameters.get("alpha", 0.5)
        return sums, best_constant(y_true, y_pred, sample_weight, level).sums
    return (sums,)


def _answer(metric: Metric, summed: tuple[Sums, ...] | None, parameters: dict[str, Any], finite: bool | None) -> float:
    if summed is None:
        return math.nan
    value, reason = metric.of_sums(summed, parameters, finite)
    if reason is not None:
        warnings.warn(f"{metric.name} is nan: {reason}.", UndefinedMetricWarning, stacklevel=3)
    return value


def _combined(metric: Metric, values: npt.NDArray[np.float64], summed: list[tuple[Sums, ...] | None], multioutput: Any) -> Any:
    """Return the values of several outputs, or their average."""
    if isinstance(multioutput, str):
        averages = ("uniform_average", "raw_values", *(("variance_weighted",) if metric.constant == "force_finite" else ()))
        if multioutput not in averages:
            raise DataError(f"multioutput is {multioutput!r}; {metric.name} takes {', '.join(map(repr, averages))} or one weight per output.")
        if multioutput == "raw_values":
            return values
        weights = _variances(summed) if multioutput == "variance_weighted" else None
        return float(np.average(values, weights=weights))
    weights = np.asarray(multioutput)
    if len(values) == 1:
        raise DataError("multioutput holds weights, but there is one output; weights are for several.")
    if weights.shape != values.shape or weights.dtype.kind not in "biuf":
        raise DataError(f"multioutput has shape {weights.shape}; expected one number for each of the {len(values)} outputs.")
    if not np.isfinite(weights).all() or weights.sum() == 0:
        raise DataError("multioutput must hold finite weights whose sum is not 0.")
    return float(np.average(values, weights=weights))


def _variances(summed: list[tuple[Sums, ...] | None]) -> npt.NDArray[np.float64] | None:
    """Return the variances of the targets up to a common factor that brings them into range; None where all are 0."""
    known = [(Ratio(s.variance_y, s.w * s.w), 2 * s.scale) for each in summed for s in (each or ())[:1]]
    if len(known) < len(summed) or not any(ratio.numerator for ratio, _ in known):
        return None
    top = max(e + r.numerator.bit_length() - r.denominator.bit_length() for r, e in known if r.numerator)
    return np.array([ratio.rounded(exponent - top) for ratio, exponent in known])


def _signature(metric: Metric) -> inspect.Signature:
    keyword, either = inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD
    keywords: dict[str, Any] = {"sample_weight": None, **metric.parameters}
    if metric.constant == "force_finite":
        keywords["force_finite"] = True
    keywords |= {"multioutput": "uniform_average", "nan_policy": "raise"}
    positional = [inspect.Parameter(name, either) for name in ("y_true", "y_pred")]
    return inspect.Signature([*positional, *(inspect.Parameter(name, keyword, default=default) for name, default in keywords.items())])
