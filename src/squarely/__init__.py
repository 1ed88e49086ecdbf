"""The home of squared error: exact regression metrics over states that add and subtract."""

from squarely import catalogue, errors
from squarely.catalogue import *  # noqa: F403  # the catalogue is the one list of metrics
from squarely.metric import METRICS
from squarely.state import PairState

globals().update({alias: metric.function for metric in METRICS.values() for alias in metric.aliases})

__all__ = ["METRICS", "PairState", "errors"]
