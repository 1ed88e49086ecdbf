"""Errors of angles, hours and whatever else goes round: the short way is what counts."""

from typing import Any

from squarely.catalogue import sql
from squarely.catalogue.slopes import of_mean, of_root
from squarely.metric import MeanOf, Parameter, metric
from squarely.state import Ratio, Sums, Term

__all__ = ["mean_absolute_circular_error", "mean_circular_error", "root_mean_squared_circular_error"]

_CIRCULAR: dict[str, Any] = {
    "family": "circular",
    "unit": "y",
    "best": 0.0,
    "undefined": "",
    "settings": {"period": Parameter(360.0, "What is once around, in the unit of y.", (0, 1e308), above=True)},
    "reference": "Jammalamadaka, S. R. and SenGupta, A. (2001), Topics in Circular Statistics, World Scientific, section 1.3.",
}
_SHORT = r"d = (\hat y - y) - m \left\lfloor \frac{\hat y - y}{m} \right\rceil"
_WRAPPED = "({p} - {y} - {period} * ROUND(({p} - {y}) / (1e0 * {period})))"


def _wrapped(xp: Any, y: Any, p: Any, period: float) -> Any:
    """Prediction minus target, the short way."""
    return p - y - period * xp.floor((p - y) / period + 0.5)


@metric(
    **_CIRCULAR,
    title="Mean absolute circular error",
    direction="lower",
    tex=rf"\frac{{\sum w |d|}}{{\sum w}},\quad {_SHORT}",
    functional="circular median",
    term=lambda period: Term("circular_absolute", (period,)),
    query=sql.mean(f"ABS({_WRAPPED})"),
    derivative=of_mean(lambda xp, y, p, period: xp.sign(_wrapped(xp, y, p, period))),
)
def mean_absolute_circular_error(s: Sums, mean: Ratio, period: float = 360.0) -> Ratio:
    """Mean of the absolute differences, taken the short way around.

    Angles in radians have a period of 2 pi: a double near it, so say ``period=2 * math.pi``. No error is larger than half of the period.

    >>> import squarely as sq
    >>> sq.mean_absolute_circular_error([350, 90], [10, 60])
    25.0
    """
    return mean


@metric(
    **_CIRCULAR,
    title="Root mean squared circular error",
    direction="lower",
    tex=rf"\sqrt{{\frac{{\sum w\, d^2}}{{\sum w}}}},\quad {_SHORT}",
    functional="intrinsic circular mean",
    needs=lambda period: (MeanOf(Term("circular_squared", (period,))),),
    query=sql.root(sql.mean(f"POWER({_WRAPPED}, 2)")),
    derivative=of_root(
        lambda xp, y, p, period: _wrapped(xp, y, p, period) ** 2,
        lambda xp, y, p, period: 2 * _wrapped(xp, y, p, period),
    ),
)
def root_mean_squared_circular_error(s: Sums, mean: Ratio, period: float = 360.0) -> Ratio:
    """Root of the mean square of the differences, taken the short way around.

    For targets spread over the whole circle there is no best constant prediction worth the name, so no R squared goes with it.

    >>> import squarely as sq
    >>> sq.root_mean_squared_circular_error([350, 90], [20, 50])
    35.35533905932738
    """
    return mean.root()


@metric(
    **_CIRCULAR,
    title="Mean circular error",
    direction="target",
    tex=rf"\frac{{\sum w\, d}}{{\sum w}},\quad {_SHORT}",
    term=lambda period: Term("circular_error", (period,)),
    query=sql.mean(_WRAPPED),
    derivative=of_mean(lambda xp, y, p, period: 1.0),
)
def mean_circular_error(s: Sums, mean: Ratio, period: float = 360.0) -> Ratio:
    """Mean of prediction minus target, taken the short way around: positive where predictions are ahead.

    Errors of opposite sign cancel, and one of half a period may count for either side.

    >>> import squarely as sq
    >>> sq.mean_circular_error([350, 90], [20, 80])
    10.0
    """
    return mean
