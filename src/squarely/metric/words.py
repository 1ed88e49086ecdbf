"""The docstring of a metric, written from its declaration."""

import inspect

from squarely.metric.declaration import Metric
from squarely.parameter import ColumnParameter, Parameter

__all__ = ["docstring"]

_UNITS = {"y^2": "in the squared unit of y", "y": "in the unit of y", "1": "without a unit", "other": "in no simple unit of y"}
_OUTPUTS = "How several outputs become one: the mean of their values, none (an array), or one value of all of them as one column."
_PREDICTIONS = "y_true, y_pred : array-like of shape (n,) or (n, n_outputs)\n    Targets and predictions, in one unit."
_WEIGHT = "sample_weight : array-like of shape (n,), optional\n    Finite, not negative; weight k counts as k rows, and 0 as none."
_FINITE = """force_finite : bool, default True
    A constant target makes the score 1.0 for perfect predictions and else 0.0; False gives nan and -inf."""
_TRAINING = """y_train : array-like of shape (m,), optional
    The training series, from which the scale follows where it is not given.
seasonality : int, default 1
    Rows of a season of that series."""
_REDUCTION = """reduction : "mean" or "none"
    "none" returns the loss of every row, times its weight where there are weights."""
_RAISES = "DataError\n    Shapes differ, there are no rows, a value is missing or infinite, a weight is bad, or a setting is"
_POLICY = 'nan_policy : "raise", "omit_targets", "omit" or "propagate"\n    What a missing or infinite value does.'


def docstring(metric: Metric) -> str:
    """Return summary, formula, parameters, returns, raises, reference and example."""
    summary, _, rest = inspect.cleandoc(metric.formula.__doc__ or "").partition("\n")
    text, _, example = rest.partition(">>> ")
    outside = f", a row is outside the domain ({metric.domain})" if metric.domain else ""
    shape = "float" if metric.inputs else 'float, or ndarray of shape (n_outputs,) for "raw_values"'
    parts = [
        summary,
        f".. math:: {metric.tex}",
        text.strip(),
        _heading("Parameters", *_parameters(metric)),
        _heading("Returns", f"{shape}\n    {_value_in_words(metric)}"),
        _heading("Raises", f"{_RAISES}{outside}."),
        _heading("References", metric.reference),
        _heading("Examples", f">>> {example.strip()}"),
    ]
    return "\n\n".join(part for part in parts if part)


def _parameters(metric: Metric) -> list[str]:
    settings = [_setting(name, parameter) for name, parameter in metric.settings.items() if name not in metric.inputs]
    if metric.inputs:
        inputs = "".join(f", {name}" for name in metric.inputs)
        shape = "(n,)" if len(metric.inputs) > 1 else "(n,), and (n, k)"
        first = f"y_true{inputs} : array-like of shape {shape}\n    " + " ".join(metric.settings[name].text for name in metric.inputs)
    else:
        first = _PREDICTIONS
    more = [_TRAINING] * bool(metric.training) + [_FINITE] * (metric.constant == "force_finite")
    weighted = ', "variance_weighted"' if metric.constant == "force_finite" else ""
    if not metric.inputs:
        more.append(f'multioutput : "uniform_average", "raw_values", "pooled"{weighted} or weights of shape (n_outputs,)\n    {_OUTPUTS}')
    return [first, _WEIGHT, *settings, *more, *[_REDUCTION] * bool(metric.pointwise), _POLICY]


def _setting(name: str, parameter: Parameter) -> str:
    if isinstance(parameter, ColumnParameter):
        words = "".join(f", or {word!r}" for word in parameter.allowed)
        default = "" if parameter.default is None else f", default {parameter.default!r}"
        return f"{name} : array-like of shape (n,){words}{default}\n    {parameter.text}"
    return f"{name} : {parameter.expected}, default {parameter.default!r}\n    {parameter.text}"


def _heading(title: str, *lines: str) -> str:
    return "\n".join([title, "-" * len(title), *lines])


def _value_in_words(metric: Metric) -> str:
    better = {"lower": "lower is better", "higher": "higher is better", "target": "nearer to the best is better"}[metric.direction]
    if metric.best is None:
        best = "neither high nor low is better" if metric.direction == "target" else better
    else:
        best = f"{better}, {metric.best:g} is best"
    undefined = f" There is none where {metric.undefined}." if metric.undefined else ""
    functional = f" The best prediction under it is the {metric.functional} of what may happen." if metric.functional else ""
    return f"The value, {_UNITS[metric.unit]}; {best}.{undefined}{functional}"
