"""What a metric is: one declaration, from which its function, its words and every answer are derived."""

from squarely.metric.declaration import METRICS, Metric, Value, metric
from squarely.metric.function import MetricFunction
from squarely.metric.parameter import Parameter
from squarely.metric.question import Question, find

__all__ = ["METRICS", "Metric", "MetricFunction", "Parameter", "Question", "Value", "find", "metric"]
