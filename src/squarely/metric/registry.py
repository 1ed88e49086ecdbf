"""The registry, and the decorator that fills it."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from squarely.metric.declaration import Metric, MetricFunction
from squarely.metric.function import as_function
from squarely.metric.words import docstring
from squarely.state import Ratio

__all__ = ["METRICS", "metric"]

_REGISTRY: dict[str, Metric] = {}
_TAKEN: set[str] = set()
METRICS: Mapping[str, Metric] = MappingProxyType(_REGISTRY)


def metric(**declaration: Any) -> Callable[[Callable[..., Ratio]], MetricFunction]:
    """Declare a metric: the decorated formula becomes a function of arrays, and part of METRICS.

    The keywords are those of ``Metric``; name, formula and first sentence are those of the decorated function.
    """

    def declare(formula: Callable[..., Ratio]) -> MetricFunction:
        declared = Metric(**declaration)
        declared.formula, declared.name = formula, formula.__name__
        for name in (declared.name, *declared.aliases):
            if name in _TAKEN:
                raise ValueError(f"the metric name {name!r} is taken")
            _TAKEN.add(name)
        _REGISTRY[declared.name] = declared
        declared.function = as_function(declared)
        declared.function.__doc__ = docstring(declared)
        return declared.function

    return declare
