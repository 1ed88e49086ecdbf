"""Absolute error, its share of the target, and its largest value."""

from typing import Any

from squarely.catalogue import sql
from squarely.catalogue.slopes import of_mean
from squarely.metric import metric
from squarely.state import Ratio, Sums, Term

__all__ = ["max_error", "mean_absolute_error", "weighted_absolute_percentage_error"]


@metric(
    aliases=("mae",),
    title="Mean absolute error",
    family="absolute",
    unit="y",
    direction="lower",
    best=0.0,
    tex=r"\frac{\sum w |y - \hat y|}{\sum w}",
    undefined="",
    reference="Willmott, C. J. and Matsuura, K. (2005), Climate Research 30(1), doi:10.3354/cr030079.",
    functional="median",
    pointwise=lambda: Term("absolute_error"),
    query=sql.mean("ABS({p} - {y})"),
    derivative=of_mean(lambda xp, y, p: xp.sign(p - y)),
)
def mean_absolute_error(s: Sums) -> Ratio:
    """Mean of the absolute differences between target and prediction.

    It is least for the median, not the mean: do not choose a model of means by it.

    >>> import squarely as sq
    >>> sq.mean_absolute_error([250, 300, 180, 420, 350], [240, 310, 200, 400, 360])
    14.0
    """
    return Ratio(s.absolute_error, s.w)


@metric(
    aliases=("wape", "wmape"),
    title="Weighted absolute percentage error",
    family="absolute",
    unit="1",
    percent=True,
    direction="lower",
    best=0.0,
    tex=r"\frac{\sum w |y - \hat y|}{\sum w |y|}",
    undefined="every target is 0",
    reference="Kolassa, S. and Schuetz, W. (2007), Foresight 6 (there: the MAD/mean ratio).",
    functional="median",
    shift_invariant=False,
    query=f"{sql.mean('ABS({p} - {y})')} / {sql.mean('ABS({y})')}",
    derivative=lambda xp, y, p, w: w * xp.sign(p - y) / xp.sum(w * xp.abs(y)),
)
def weighted_absolute_percentage_error(s: Sums) -> Ratio:
    """Absolute error as a share of all that was there: 0.05 is 5 %.

    Only for quantities with a true zero. Unlike the mean of percentages it is not spoilt by single small targets.

    >>> import squarely as sq
    >>> sq.weighted_absolute_percentage_error([250, 300, 180, 420, 350], [240, 310, 200, 400, 360])
    0.04666666666666667
    """
    return Ratio(s.absolute_error, s.absolute_y)


def _largest_slope(xp: Any, y: Any, p: Any, w: Any) -> Any:
    """1 or -1 for the row that decides, and 0 everywhere where two rows do: a kink."""
    sizes = xp.where(w > 0, xp.abs(p - y), -1.0)
    largest = sizes == xp.max(sizes)
    return xp.where(largest & (xp.sum(largest) == 1), xp.sign(p - y), 0.0)


@metric(
    title="Largest absolute error",
    family="absolute",
    unit="y",
    direction="lower",
    best=0.0,
    tex=r"\max_i |y_i - \hat y_i|",
    undefined="rows were subtracted from the state: the largest error may have been among them",
    reference="scikit-learn user guide, section Max error.",
    functional="midrange",
    query="MAX(CASE WHEN {w} > 0 THEN ABS({p} - {y}) END)",
    derivative=_largest_slope,
)
def max_error(s: Sums) -> Ratio:
    """Largest absolute difference between a target and its prediction.

    One row decides it. Weights do not, except that a row of weight 0 is absent.

    >>> import squarely as sq
    >>> sq.max_error([250, 300, 180, 420, 350], [240, 310, 200, 400, 360])
    20.0
    """
    return s.max_error
