"""The docstring of a metric, written from its declaration."""

import inspect

from squarely.metric.declaration import Metric

__all__ = ["docstring"]

_UNITS = {"y^2": "in the squared unit of y", "y": "in the unit of y", "1": "without a unit"}
_FINITE = """force_finite : bool, default True
    A constant target makes the score 1.0 for perfect predictions and else 0.0; False gives nan and -inf."""


def docstring(metric: Metric) -> str:
    """Return summary, formula, parameters, returns, raises, reference and example."""
    summary, _, rest = inspect.cleandoc(metric.formula.__doc__ or "").partition("\n")
    text, _, example = rest.partition(">>> ")
    settings = [f"{name} : {parameter.expected}, default {parameter.default!r}\n    {parameter.text}" for name, parameter in metric.settings.items()]
    if metric.constant == "force_finite":
        settings.append(_FINITE)
    weighted = ', "variance_weighted"' if metric.constant == "force_finite" else ""
    parts = [
        summary,
        f".. math:: {metric.tex}",
        text.strip(),
        _heading(
            "Parameters",
            "y_true, y_pred : array-like of shape (n,) or (n, n_outputs)\n    Targets and predictions, in one unit.",
            "sample_weight : array-like of shape (n,), optional\n    Finite, not negative; weight k counts as k rows, and 0 as none.",
            *settings,
            f'multioutput : "uniform_average", "raw_values"{weighted} or weights of shape (n_outputs,)\n    How several outputs become one.',
            'nan_policy : "raise", "omit_targets", "omit" or "propagate"\n    What a missing or infinite value does.',
        ),
        _heading("Returns", f'float, or ndarray of shape (n_outputs,) for "raw_values"\n    {_value_in_words(metric)}'),
        _heading("Raises", "DataError\n    Shapes differ, there are no rows, a value is missing or infinite, a weight is bad, or a setting is."),
        _heading("References", metric.reference),
        _heading("Examples", f">>> {example.strip()}"),
    ]
    return "\n\n".join(part for part in parts if part)


def _heading(title: str, *lines: str) -> str:
    return "\n".join([title, "-" * len(title), *lines])


def _value_in_words(metric: Metric) -> str:
    better = {"lower": "lower is better", "higher": "higher is better", "target": "nearer to the best is better"}[metric.direction]
    best = f"{better}, {metric.best:g} is best" if metric.best is not None else "neither high nor low is better"
    undefined = f" There is none where {metric.undefined}." if metric.undefined else ""
    return f"The value, {_UNITS[metric.unit]}; {best}.{undefined}"
