"""What a metric is: one declaration, from which its function, its words and every answer are derived."""

from squarely.metric.declaration import Metric, MetricFunction, Value
from squarely.metric.parameter import Parameter
from squarely.metric.question import Question, find
from squarely.metric.registry import METRICS, metric

__all__ = ["METRICS", "Metric", "MetricFunction", "Parameter", "Question", "Value", "find", "metric"]
