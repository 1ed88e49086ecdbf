"""What the ordered sizes of errors say: their median, their quantiles, and means without the largest."""

from squarely.metric import ErrorQuantile, Parameter, TrimmedSquare, metric
from squarely.state import Ratio, Sums

__all__ = ["median_absolute_error", "quantile_absolute_error", "trimmed_mean_squared_error", "winsorized_mean_squared_error"]

_TRIM = {"trim": Parameter(0.1, "The share of the weight, that of the largest errors, which is not believed.", (0, 0.5))}


@metric(
    aliases=("medae",),
    title="Median absolute error",
    family="ranked",
    unit="y",
    direction="lower",
    best=0.0,
    tex=r"\mathrm{median}\,|y - \hat y|",
    undefined="",
    reference="Rousseeuw, P. J. (1984), J. Amer. Statistical Assoc. 79(388), doi:10.1080/01621459.1984.10477105.",
    functional="midpoint of the shortest half",
    needs=lambda: (ErrorQuantile(0.5),),
)
def median_absolute_error(s: Sums, median: Ratio) -> Ratio:
    """Median of the absolute errors; between two of them, their mean.

    Half of the errors may be as large as they like: read it with another quantile or ``max_error``. On sums alone it is right to 0.4 %.

    >>> import squarely as sq
    >>> sq.median_absolute_error([3, -0.5, 2, 7], [2.5, 0.0, 2, 8])
    0.5
    """
    return median


@metric(
    title="Quantile of the absolute error",
    family="ranked",
    unit="y",
    direction="lower",
    best=0.0,
    tex=r"Q_q\left(|y - \hat y|\right)",
    undefined="",
    reference="Hyndman, R. J. and Fan, Y. (1996), American Statistician 50(4), doi:10.1080/00031305.1996.10473566 (definition 2).",
    functional="midpoint of the shortest interval with the share q",
    settings={"quantile": Parameter(0.9, "The share of the weight whose errors are no larger.", (0, 1))},
    needs=lambda quantile: (ErrorQuantile(quantile),),
)
def quantile_absolute_error(s: Sums, value: Ratio, quantile: float = 0.9) -> Ratio:
    """Size that a given share of the absolute errors does not exceed; between two of them, their mean.

    It says nothing about the errors beyond it. On sums alone it is right to 0.4 %.

    >>> import squarely as sq
    >>> sq.quantile_absolute_error([0, 0, 0, 0], [1, 2, 3, 9], quantile=0.75)
    6.0
    """
    return value


@metric(
    aliases=("trimmed_mse",),
    title="Trimmed mean squared error",
    family="ranked",
    unit="y^2",
    direction="lower",
    best=0.0,
    tex=r"\frac{1}{(1 - t) \sum w} \sum_{|r| \text{ among the smallest } 1 - t} w (y - \hat y)^2",
    undefined="",
    reference="Rousseeuw, P. J. (1984), J. Amer. Statistical Assoc. 79(388), doi:10.1080/01621459.1984.10477105.",
    settings=_TRIM,
    needs=lambda trim: (TrimmedSquare(trim, False),),
)
def trimmed_mean_squared_error(s: Sums, mean: Ratio, trim: float = 0.1) -> Ratio:
    """Mean of the squared errors without the largest ones; of a row at the border a part is left.

    It is no score to choose models by: each may leave out other rows. On sums alone it is right to 0.8 %.

    >>> import squarely as sq
    >>> sq.trimmed_mean_squared_error([0, 0, 0, 0], [1, 2, 3, 100], trim=0.25)
    4.666666666666667
    """
    return mean


@metric(
    aliases=("winsorized_mse",),
    title="Winsorized mean squared error",
    family="ranked",
    unit="y^2",
    direction="lower",
    best=0.0,
    tex=r"\frac{\sum w \min\left(|y - \hat y|,\ Q_{1 - t}(|y - \hat y|)\right)^2}{\sum w}",
    undefined="",
    reference="Tukey, J. W. (1962), Annals of Mathematical Statistics 33(1), doi:10.1214/aoms/1177704711.",
    settings=_TRIM,
    needs=lambda trim: (TrimmedSquare(trim, True),),
)
def winsorized_mean_squared_error(s: Sums, mean: Ratio, trim: float = 0.1) -> Ratio:
    """Mean of the squared errors where the largest are set back to the largest of the others.

    The sum of all weights stays the divisor. It is no score to choose models by. On sums alone it is right to 0.8 %.

    >>> import squarely as sq
    >>> sq.winsorized_mean_squared_error([0, 0, 0, 0], [1, 2, 3, 100], trim=0.25)
    5.75
    """
    return mean
