"""How heavy the tail of the errors is: an interval needs twice as many moments of them as the metric."""

import math
from fractions import Fraction

from squarely.metric import Question
from squarely.state import Sizes

__all__ = ["doubt", "index_of", "moments_of", "taken_of"]

# Moments of the errors that must exist, so that what a metric averages has a variance. What is left out takes errors relative to
# something else, is bounded, or is a quantile.
_MOMENTS = {"squared": 4, "normalized": 4, "explained": 4, "agreement": 4, "absolute": 2, "calibration": 2, "robust": 2, "quantile": 2}

# Of the rows, one in so many tells the index. One in 30 holds the middle of a normal or gamma law too, whose index is nowhere near; one
# in 100 leaves too few. At 2,000 rows the doubt is then raised in about 60 % of draws with errors of t3, 3 % of t5, and 1 % of gamma(2).
_ONE_IN = 64
_LEAST, _MOST = 10, 1000  # errors that are taken for it
_SURE = 1.645  # standard errors below the limit: 95 %, one-sided


def index_of(sizes: Sizes, rows: int) -> tuple[float, float]:
    r"""Return the index of the tail of |y - p|, and the bound that it is below with 95 % confidence; infinite where rows are few.

    .. math:: \hat\alpha = k / \sum_{i \le k} \log(e_{(i)} / e_{(k)})

    over the k largest errors, to the width of a bucket of sizes.

    Parameters
    ----------
    sizes : Sizes
    rows : int

    References
    ----------
    Hill, B. M. (1975), Annals of Statistics 3(5), doi:10.1214/aos/1176343247.
    """
    count = taken_of(rows)
    if count < _LEAST:
        return math.inf, math.inf
    excess = sizes.log_excess(Fraction(count, rows))
    index = 1 / excess if excess > 0 else math.inf
    return index, index * (1 + _SURE / math.sqrt(count))


def taken_of(rows: int) -> int:
    """Return how many of the largest errors tell the index."""
    return min(rows // _ONE_IN, _MOST)


def doubt(index: float, moments: int) -> str:
    """Return what to say of an interval where the errors have too few moments for it."""
    return f"the tail of the errors is heavy (index about {index:.1f}, below {moments}): the interval is too narrow"


def moments_of(question: Question) -> int:
    """Return how many moments the errors must have for an interval; 0 for quantiles and what is trimmed at one."""
    metric = question.metric
    if any(need.plan.histogram for need in question.needs):
        return 0
    if metric.family == "scaled":
        return 2 if "absolute" in (*metric.name.split("_"), question.parameters.get("loss")) else 4
    if metric.family == "asymmetric":
        return 4 if metric.unit == "y^2" else 0
    return _MOMENTS.get(metric.family, 0)
