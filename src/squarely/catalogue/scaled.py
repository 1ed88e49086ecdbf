"""Errors as a share of what a simpler forecast misses: a naive one on the training series, the mean, or another model."""

from squarely.catalogue import sql
from squarely.catalogue.slopes import mean_of, of_mean, of_root
from squarely.metric import ColumnParameter, ErrorQuantile, MeanOf, Parameter, Share, metric
from squarely.state import Ratio, Sums, Term

__all__ = [
    "mean_absolute_scaled_error",
    "mean_squared_scaled_error",
    "median_absolute_scaled_error",
    "relative_absolute_error",
    "root_mean_squared_scaled_error",
    "skill_score",
]

_HYNDMAN = "Hyndman, R. J. and Koehler, A. B. (2006), Int. J. Forecasting 22(4), doi:10.1016/j.ijforecast.2006.03.001."
_M5 = "Makridakis, S., Spiliotis, E. and Assimakopoulos, V. (2022), Int. J. Forecasting 38(4), doi:10.1016/j.ijforecast.2021.11.013."
_SCALE = {"scale": ColumnParameter(text="What a naive forecast misses on the training series, in the unit of y, for each row or for all.")}
_POSITIVE_SCALE = "scales above 0"
_SQUARED_SCALED = sql.mean("POWER(({p} - {y}) / (1e0 * {scale}), 2)")


@metric(
    aliases=("mase",),
    title="Mean absolute scaled error",
    family="scaled",
    unit="1",
    direction="lower",
    best=0.0,
    tex=r"\frac{\sum w \frac{|y - \hat y|}{q}}{\sum w},\quad q = \frac{1}{T - m} \sum_{t > m} |y_t - y_{t-m}|",
    undefined="",
    domain=_POSITIVE_SCALE,
    reference=_HYNDMAN,
    functional="median",
    settings=_SCALE,
    term=lambda scale: Term("scaled_absolute", (), (scale,)),
    training=1,
    query=sql.mean("ABS({p} - {y}) / (1e0 * {scale})"),
    derivative=of_mean(lambda xp, y, p, scale: xp.sign(p - y) / scale),
)
def mean_absolute_scaled_error(s: Sums, mean: Ratio, scale: str) -> Ratio:
    """Mean of the absolute errors, each divided by the mean absolute error of the (seasonal) naive forecast on the training series.

    Below 1 is better than the naive forecast was there. Give ``scale``, or ``y_train`` and ``seasonality``.

    >>> import squarely as sq
    >>> sq.mean_absolute_scaled_error([12, 14], [13, 13], y_train=[8, 10, 9, 12])
    0.5
    """
    return mean


@metric(
    aliases=("msse",),
    title="Mean squared scaled error",
    family="scaled",
    unit="1",
    direction="lower",
    best=0.0,
    tex=r"\frac{\sum w \left(\frac{y - \hat y}{q}\right)^2}{\sum w},\quad q^2 = \frac{1}{T - m} \sum_{t > m} (y_t - y_{t-m})^2",
    undefined="",
    domain=_POSITIVE_SCALE,
    reference=_M5,
    functional="mean",
    settings=_SCALE,
    term=lambda scale: Term("scaled_squared", (), (scale,)),
    training=2,
    query=_SQUARED_SCALED,
    derivative=of_mean(lambda xp, y, p, scale: 2 * (p - y) / scale**2),
)
def mean_squared_scaled_error(s: Sums, mean: Ratio, scale: str) -> Ratio:
    """Mean of the squared errors, each divided by the mean squared error of the (seasonal) naive forecast on the training series.

    ``scale`` is the root of that mean square, in the unit of y; or give ``y_train`` and ``seasonality``.

    >>> import squarely as sq
    >>> sq.mean_squared_scaled_error([12, 14], [14, 12], y_train=[8, 10, 8, 10])
    1.0
    """
    return mean


@metric(
    aliases=("rmsse",),
    title="Root mean squared scaled error",
    family="scaled",
    unit="1",
    direction="lower",
    best=0.0,
    tex=r"\sqrt{\frac{\sum w \left(\frac{y - \hat y}{q}\right)^2}{\sum w}},\quad q^2 = \frac{1}{T - m} \sum_{t > m} (y_t - y_{t-m})^2",
    undefined="",
    domain=_POSITIVE_SCALE,
    reference=_M5,
    functional="mean",
    settings=_SCALE,
    needs=lambda scale: (MeanOf(Term("scaled_squared", (), (scale,))),),
    training=2,
    query=sql.root(_SQUARED_SCALED),
    derivative=of_root(lambda xp, y, p, scale: ((p - y) / scale) ** 2, lambda xp, y, p, scale: 2 * (p - y) / scale**2),
)
def root_mean_squared_scaled_error(s: Sums, mean: Ratio, scale: str) -> Ratio:
    """Root of the mean squared scaled error, the measure of the M5 competition.

    ``scale`` is the root mean square of what the naive forecast misses, in the unit of y; or give ``y_train`` and ``seasonality``.

    >>> import squarely as sq
    >>> sq.root_mean_squared_scaled_error([12, 14], [16, 10], y_train=[8, 10, 8, 10])
    2.0
    """
    return mean.root()


@metric(
    aliases=("mdase",),
    title="Median absolute scaled error",
    family="scaled",
    unit="1",
    direction="lower",
    best=0.0,
    tex=r"\frac{\mathrm{median}\,|y - \hat y|}{q},\quad q = \frac{1}{T - m} \sum_{t > m} |y_t - y_{t-m}|",
    undefined="",
    reference=_HYNDMAN,
    functional="midpoint of the shortest half",
    settings={"scale": Parameter(1.0, "What a naive forecast misses on the training series, in the unit of y.", (0, 1e308), above=True)},
    needs=lambda scale: (ErrorQuantile(0.5),),
    training=1,
)
def median_absolute_scaled_error(s: Sums, median: Ratio, scale: float = 1.0) -> Ratio:
    """Median of the absolute errors, divided by the mean absolute error of the (seasonal) naive forecast on the training series.

    One scale serves all rows, for a median of quotients would need each of them. Give ``scale``, or ``y_train`` and ``seasonality``.

    >>> import squarely as sq
    >>> sq.median_absolute_scaled_error([12, 14, 15], [13, 13, 19], y_train=[8, 10, 8, 10])
    0.5
    """
    return median / Ratio.of(scale)


@metric(
    aliases=("rae",),
    title="Relative absolute error",
    family="scaled",
    unit="1",
    direction="lower",
    best=0.0,
    tex=r"\frac{\sum w |y - \hat y|}{\sum w |y - \bar y|}",
    undefined="the target is constant",
    reference="Witten, I. H. and Frank, E. (2005), Data Mining, 2nd edition, Morgan Kaufmann, section 5.8.",
    functional="median",
    needs=lambda: (Share("mean", "absolute", 1),),
    derivative=lambda xp, y, p, w: w * xp.sign(p - y) / xp.sum(w * xp.abs(y - mean_of(xp, w, y))),
)
def relative_absolute_error(s: Sums, share: Ratio) -> Ratio:
    """Absolute error as a share of that of the mean of the target.

    Above 1 the mean would have been better. It reads the rows twice: it has no answer on sums alone.

    >>> import squarely as sq
    >>> sq.relative_absolute_error([1, 2, 3], [1, 2, 4])
    0.5
    """
    return share


@metric(
    title="Skill score",
    family="scaled",
    unit="1",
    direction="higher",
    best=1.0,
    tex=r"1 - \frac{L(y, \hat y)}{L(y, \mathrm{baseline})}",
    undefined="the baseline is perfect",
    reference="Murphy, A. H. (1988), Monthly Weather Review 116(12), doi:10.1175/1520-0493(1988)116<2417:SSBOTM>2.0.CO;2.",
    functional="mean",
    settings={
        "baseline": ColumnParameter("mean", "Another model's predictions, or a rule.", ("mean", "last_value", "seasonal_naive")),
        "loss": Parameter("squared", "What is compared: mean squared or mean absolute error.", ("squared", "absolute")),
        "seasonality": Parameter(1, "Rows of a season, for the seasonal naive baseline.", (1, float("inf"))),
    },
    needs=lambda baseline, loss, seasonality: (Share(baseline, loss, seasonality),),
)
def skill_score(s: Sums, share: Ratio, baseline: str = "mean", loss: str = "squared", seasonality: int = 1) -> Ratio:
    """Share of the loss of a baseline that the prediction removes; negative where the baseline does better.

    Against the mean it is R squared. "last_value" and "seasonal_naive" repeat the target of one row or season before: they need rows in
    order of time, and leave the first ones out.

    >>> import squarely as sq
    >>> sq.skill_score([10, 12, 14, 13], [11, 12, 13, 13], baseline=[9, 11, 12, 13])
    0.6666666666666666
    """
    return 1 - share
