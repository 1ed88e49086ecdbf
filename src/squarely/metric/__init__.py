"""What a metric is: one declaration, from which its function, its words and every answer are derived."""

from squarely.metric.declaration import Metric, MetricFunction, Value
from squarely.metric.needs import AroundMean, BestConstant, ErrorQuantile, Known, MeanOf, Share, TargetQuantile, TrimmedSquare, UnderMean
from squarely.metric.parameter import ColumnParameter, LevelsParameter, Parameter
from squarely.metric.question import Question, find
from squarely.metric.registry import METRICS, metric

__all__ = [
    "METRICS",
    "AroundMean",
    "BestConstant",
    "ColumnParameter",
    "ErrorQuantile",
    "Known",
    "LevelsParameter",
    "MeanOf",
    "Metric",
    "MetricFunction",
    "Parameter",
    "Question",
    "Share",
    "TargetQuantile",
    "TrimmedSquare",
    "UnderMean",
    "Value",
    "find",
    "metric",
]
