"""What a metric is: one declaration, from which its function, its words and every answer are derived."""

from squarely.metric.declaration import Metric, MetricFunction, Value
from squarely.metric.needs import BestConstant, ErrorQuantile, Known, MeanOf, NullDeviance, PotentialError, Share, TargetQuantile, TrimmedSquare
from squarely.metric.question import Question, find, read
from squarely.metric.registry import METRICS, metric
from squarely.parameter import ColumnParameter, LevelsParameter, Parameter

__all__ = [
    "METRICS",
    "BestConstant",
    "ColumnParameter",
    "ErrorQuantile",
    "Known",
    "LevelsParameter",
    "MeanOf",
    "Metric",
    "MetricFunction",
    "NullDeviance",
    "Parameter",
    "PotentialError",
    "Question",
    "Share",
    "TargetQuantile",
    "TrimmedSquare",
    "Value",
    "find",
    "metric",
    "read",
]
