"""A metric as a function of arrays, with scikit-learn's keywords and manners."""

import inspect
import math
import warnings
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from squarely.errors import DataError, UndefinedMetricWarning
from squarely.metric.declaration import Metric
from squarely.metric.needs import Known, plan_of, terms_of
from squarely.state import OutsideDomainError, Plan, Ratio, Rows, seasonal_scale, sums_of, sums_of_plain
from squarely.validate import accepts, as_one_column, output_columns, output_weights, pair_outputs

__all__ = ["as_function"]

Pairs = list[tuple[Any, Any]]
_AVERAGE, _RAISE = "uniform_average", "raise"
REDUCTIONS = ("mean", "none")
_NONE: dict[str, Any] = {}  # never written to; a dict, because ** copies any other mapping slowly


def as_function(metric: Metric) -> Any:
    """Return the function of arrays that a metric declares."""

    usual = None if metric.columns else _Call(metric)

    def of_predictions(
        y_true: Any, y_pred: Any, *, sample_weight: Any = None, multioutput: Any = _AVERAGE, nan_policy: str = _RAISE, **parameters: Any
    ) -> Any:
        call = usual if usual is not None and not parameters else _call(metric, parameters)
        if call.is_plain and multioutput is _AVERAGE and nan_policy is _RAISE:  # the short way for the usual call
            sums = sums_of_plain(call.plan, y_true, y_pred, sample_weight)
            if sums is not None and sums.is_whole:
                return call.answer(Known(sums, Rows(y_true, y_pred, sample_weight, _NONE, True) if call.needs else None))
        outputs = pair_outputs(y_true, y_pred)
        pairs = [(y_true, y_pred)] if outputs is None else outputs
        mode = multioutput if isinstance(multioutput, str) else _AVERAGE if multioutput is None else "weights"
        if call.reduction == "none":
            if isinstance(multioutput, str):
                metric.check_multioutput(multioutput)
            losses = [call.losses(pair, sample_weight, nan_policy) for pair in pairs]
            return losses[0] if outputs is None else np.stack(losses, axis=1)
        if (outputs is None and mode == _AVERAGE) or mode == "pooled":
            return call.answer(call.known(pairs, sample_weight, nan_policy))
        known = [call.known([pair], sample_weight, nan_policy) for pair in pairs]
        values = np.array([call.answer(each) for each in known])
        return _combined(metric, values, known, multioutput, mode)

    def of_inputs(y_true: Any, *inputs: Any, sample_weight: Any = None, nan_policy: str = "raise", **parameters: Any) -> Any:
        given = {**dict(zip(metric.inputs, inputs, strict=False)), **parameters}
        if len(inputs) > len(metric.inputs) or any(name not in given for name in metric.inputs):
            raise DataError(f"{metric.name} takes y_true, {', '.join(metric.inputs)}; {len(inputs) + 1} arrays were given.")
        call = _Call(metric, given)
        pair = (y_true, next(iter(call.columns.values())))
        return (
            call.losses(pair, sample_weight, nan_policy) if call.reduction == "none" else call.answer(call.known([pair], sample_weight, nan_policy))
        )

    function: Any = of_inputs if metric.inputs else of_predictions
    function.__name__ = function.__qualname__ = metric.name
    function.__module__ = metric.formula.__module__
    function.__signature__ = _signature(metric)
    return function


def _call(metric: Metric, parameters: dict[str, Any]) -> "_Call":
    """Return the call with the given keywords, which is at hand where the same few settings were given before."""
    if metric.columns:
        return _Call(metric, parameters)
    try:
        return _recent_call(metric, **parameters)
    except TypeError:  # a setting that cannot be a key
        return _Call(metric, parameters)


@lru_cache(256, typed=True)
def _recent_call(metric: Metric, /, **parameters: Any) -> "_Call":
    return _Call(metric, parameters)


class _Call:
    """How a function is called: the settings, what the formula needs under them, and the columns among them."""

    __slots__ = ("columns", "finite", "is_plain", "metric", "needs", "parameters", "plan", "reduction")

    def __init__(self, metric: Metric, parameters: dict[str, Any] | None = None) -> None:
        self.metric = metric
        self.parameters = _NONE
        self.columns: dict[str, Any] = {}
        self.reduction = "mean"
        self.finite = None if metric.constant == "undefined" else True
        if parameters is not None:
            self._read(parameters)
        self.needs = metric.needs_of(self.parameters, forgiving=True)
        self.plan = plan_of(self.needs, rows=True)
        self.is_plain = self.reduction == "mean" and not self.columns

    def _read(self, parameters: dict[str, Any]) -> None:
        """Take the keywords apart: what the function adds, columns given as arrays, and settings."""
        metric = self.metric
        if metric.constant == "force_finite":
            self.finite = metric.check_force_finite(parameters.pop("force_finite", True))
        if metric.pointwise:
            self.reduction = parameters.pop("reduction", "mean")
            if not isinstance(self.reduction, str) or self.reduction not in REDUCTIONS:
                raise DataError(f"{metric.name}: reduction is {str(self.reduction)[:60]!r}; expected 'mean' or 'none'.")
        if metric.training:
            series, seasonality = parameters.pop("y_train", None), parameters.pop("seasonality", 1)
            if parameters.get("scale") is None and series is not None:
                parameters["scale"] = seasonal_scale(series, seasonality, metric.training)
        for name in metric.columns:
            given = parameters.get(name)
            if given is None:
                parameters.pop(name, None)
            elif not (isinstance(given, str) and given in metric.settings[name].allowed):
                parameters[name] = self._column(name, given)
        metric.check(parameters)
        self.parameters = parameters

    def _column(self, name: str, given: Any) -> Any:
        """Keep an array, and return the name under which the formula finds it; several arrays under several names."""
        if not getattr(self.metric.settings[name], "several", False):
            self.columns[name] = given
            return name
        several = {f"{name}[{at}]": array for at, array in enumerate(output_columns(given, name))}
        self.columns.update(several)
        return tuple(several)

    def known(self, pairs: Pairs, sample_weight: Any, nan_policy: str) -> Known | None:
        """Return what is known of one output, or of several as one column; None where the answer is nan by the nan_policy."""
        columns = {name: self.columns[name] for name in self.plan.columns} if self.columns else _NONE
        sums, read = sums_of(self.plan, pairs, sample_weight, columns)
        if not sums.is_whole or not isinstance(nan_policy, str) or nan_policy != "raise":
            if not accepts(nan_policy, sums.refused, sums.n, pairs, sample_weight):
                return None
        if not self.needs:
            return Known(sums)
        if len(pairs) > 1 and self.columns:
            raise DataError(f"{self.metric.name} takes one output, for its columns belong to one. Call it once for each.")
        if len(pairs) == 1 and sums.is_whole and not self.columns:
            y, p, w = read
            return Known(sums, Rows(y, p, w, _NONE, True))
        return Known(sums, Rows(*as_one_column(pairs, sample_weight), self.columns))

    def answer(self, known: Known | None) -> float:
        if known is None:
            return math.nan
        try:
            value, reason = self.metric.answer(known, self.parameters, self.finite, self.needs)
        except OutsideDomainError as error:
            raise self._outside(known.rows) from error
        if reason is not None:
            warnings.warn(f"{self.metric.name} is nan: {reason}.", UndefinedMetricWarning, stacklevel=3)
        return value

    def _outside(self, rows: Rows | None) -> DataError:
        """Return the error that shows the first row outside the domain."""
        for term in terms_of(self.needs):
            found = rows.first_outside(term, "" if self.metric.inputs else "y_pred") if rows else None
            if found is not None:
                where = f"at index {found.row:,} {found.values}"
                return DataError(f"{self.metric.name} takes {self.metric.domain}; {where}. Mend the row or leave it out.")
        raise AssertionError("a row that was counted as outside the domain can be found")

    def losses(self, pair: tuple[Any, Any], sample_weight: Any, nan_policy: str) -> npt.NDArray[np.float64]:
        """Return the loss of every row, times its weight where there are weights."""
        assert self.metric.pointwise is not None, "only then is there a reduction"
        term = (self.metric.forgiving_term or self.metric.pointwise)(**{**self.metric.parameters, **self.parameters})
        columns = {name: self.columns[name] for name in term.columns}
        sums, _ = sums_of(Plan((term,)), [pair], sample_weight, columns)
        accepts(nan_policy, sums.refused, sums.n, [pair], sample_weight)
        rows = Rows(*pair, sample_weight, self.columns)
        try:
            sums.mean_of(term)
        except OutsideDomainError as error:
            raise self._outside(rows) from error
        return rows.pointwise(term)


def _combined(metric: Metric, values: npt.NDArray[np.float64], known: list[Known | None], multioutput: Any, mode: str) -> Any:
    """Return the values of several outputs, or their average."""
    if mode == "weights":
        return float(np.average(values, weights=output_weights(multioutput, len(values))))
    metric.check_multioutput(mode)
    if mode == "raw_values":
        return values
    return float(np.average(values, weights=_variances(known) if mode == "variance_weighted" else None))


def _variances(known: list[Known | None]) -> npt.NDArray[np.float64] | None:
    """Return the variances of the targets up to a common factor that brings them into range; None where all are 0."""
    variances = [(Ratio(each.sums.variance_y, each.sums.w * each.sums.w), 2 * each.sums.scale) for each in known if each]
    if len(variances) < len(known) or not any(ratio.numerator for ratio, _ in variances):
        return None
    top = max(e + r.numerator.bit_length() - r.denominator.bit_length() for r, e in variances if r.numerator)
    return np.array([ratio.rounded(exponent - top) for ratio, exponent in variances])


def keywords_of(metric: Metric) -> Mapping[str, Any]:
    """Return the keywords of the function and their defaults."""
    keywords: dict[str, Any] = {"sample_weight": None, **{name: default for name, default in metric.parameters.items() if name not in metric.inputs}}
    if metric.training:
        keywords |= {"y_train": None, "seasonality": 1}
    if not metric.inputs:
        keywords["multioutput"] = _AVERAGE
    if metric.constant == "force_finite":
        keywords["force_finite"] = True
    if metric.pointwise:
        keywords["reduction"] = "mean"
    return keywords | {"nan_policy": "raise"}


def _signature(metric: Metric) -> inspect.Signature:
    keyword, either = inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD
    positional = [inspect.Parameter(name, either) for name in ("y_true", *(metric.inputs or ("y_pred",)))]
    keywords = [inspect.Parameter(name, keyword, default=default) for name, default in keywords_of(metric).items()]
    return inspect.Signature([*positional, *keywords])
