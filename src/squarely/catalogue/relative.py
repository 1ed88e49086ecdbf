"""Errors as a share of the target, or of target and prediction."""

from typing import Any

from squarely.catalogue import sql
from squarely.catalogue.slopes import of_mean, of_root
from squarely.metric import MeanOf, Parameter, metric
from squarely.state import Ratio, Sums, Term

__all__ = [
    "mean_absolute_percentage_error",
    "mean_percentage_error",
    "root_mean_squared_percentage_error",
    "symmetric_mean_absolute_percentage_error",
]

_EPSILON = 2.0**-52  # what scikit-learn divides by where a target is 0
_NOT_ZERO = "targets other than 0"
_HYNDMAN = "Hyndman, R. J. and Koehler, A. B. (2006), Int. J. Forecasting 22(4), doi:10.1016/j.ijforecast.2006.03.001."


@metric(
    aliases=("mape",),
    title="Mean absolute percentage error",
    family="relative",
    unit="1",
    percent=True,
    direction="lower",
    best=0.0,
    tex=r"\frac{\sum w \left|\frac{y - \hat y}{y}\right|}{\sum w}",
    undefined="",
    domain=_NOT_ZERO,
    reference="de Myttenaere, A. et al. (2016), Neurocomputing 192, doi:10.1016/j.neucom.2015.12.114.",
    functional="median weighted by 1/|y|",
    term=lambda: Term("absolute_percentage", (0.0,)),
    forgiving_term=lambda: Term("absolute_percentage", (_EPSILON,)),
    shift_invariant=False,
    query=sql.mean("ABS(({p} - {y}) / (1e0 * {y}))"),
    derivative=of_mean(lambda xp, y, p: xp.sign(p - y) / xp.where(y == 0, _EPSILON, xp.abs(y))),
)
def mean_absolute_percentage_error(s: Sums, mean: Ratio) -> Ratio:
    """Mean of the absolute errors as shares of their targets: 0.05 is 5 %.

    It favours predictions that are too low, and one small target can decide it: ``weighted_absolute_percentage_error`` divides by all of
    them. A target of 0 has no share; the function divides by 2^-52 there, as scikit-learn's does, and an evaluation says that there is none.

    >>> import squarely as sq
    >>> sq.mean_absolute_percentage_error([100, 200], [125, 150])
    0.25
    """
    return mean


_FLORES = "COALESCE(ABS({p} - {y}) / (1e0 * NULLIF(ABS({y}) + ABS({p}), 0)), 0)"
_ARMSTRONG = "(ABS({p} - {y}) / (1e0 * NULLIF({y} + {p}, 0)))"


def _symmetric_slope(xp: Any, y: Any, p: Any, definition: str) -> Any:
    size, steps = (y + p, 1.0) if definition == "armstrong" else (xp.abs(y) + xp.abs(p), xp.sign(p))
    size, empty = xp.where(size == 0, 1.0, size), size == 0
    slope = xp.where(empty, 0.0, xp.sign(p - y) / size - xp.abs(p - y) * steps / size**2)
    return slope if definition == "flores" else 2 * slope


@metric(
    aliases=("smape",),
    title="Symmetric mean absolute percentage error",
    family="relative",
    unit="1",
    percent=True,
    direction="lower",
    best=0.0,
    tex=r"\frac{1}{\sum w}\sum w \frac{2 |y - \hat y|}{|y| + |\hat y|}",
    undefined="",
    domain="rows whose target and prediction have a sum above 0, under the definition of Armstrong",
    reference="Makridakis, S. (1993), Int. J. Forecasting 9(4), doi:10.1016/0169-2070(93)90079-3; Armstrong, J. S. (1985), Long-Range Forecasting.",
    settings={
        "definition": Parameter(
            "makridakis",
            "Divide by the mean of |y| and |p| (0 to 2), by their sum as Flores does (0 to 1), or by (y + p)/2 as Armstrong does.",
            ("makridakis", "flores", "armstrong"),
        )
    },
    needs=lambda definition: (MeanOf(Term("signed_symmetric_percentage" if definition == "armstrong" else "symmetric_percentage")),),
    shift_invariant=False,
    query=sql.mean(
        f"CASE '{{definition}}' WHEN 'armstrong' THEN 2 * {_ARMSTRONG} WHEN 'flores' THEN {_FLORES} ELSE 2 * {_FLORES} END",
    ),
    derivative=of_mean(_symmetric_slope),
)
def symmetric_mean_absolute_percentage_error(s: Sums, mean: Ratio, definition: str = "makridakis") -> Ratio:
    """Mean of the absolute errors as shares of the mean size of target and prediction.

    It is not symmetric: too high by 50 costs less than too low by 50. A target of 0 costs 2 whatever the prediction, and 0 where both are 0.

    >>> import squarely as sq
    >>> sq.symmetric_mean_absolute_percentage_error([100, 100], [150, 50])
    0.5333333333333333
    """
    return mean / 2 if definition == "flores" else mean


@metric(
    aliases=("mpe",),
    title="Mean percentage error",
    family="relative",
    unit="1",
    percent=True,
    direction="target",
    best=0.0,
    tex=r"\frac{\sum w \frac{y - \hat y}{y}}{\sum w}",
    undefined="",
    domain=_NOT_ZERO,
    reference=_HYNDMAN,
    term=lambda: Term("percentage"),
    shift_invariant=False,
    query=sql.mean("({y} - {p}) / (1e0 * {y})"),
    derivative=of_mean(lambda xp, y, p: -1 / y),
)
def mean_percentage_error(s: Sums, mean: Ratio) -> Ratio:
    """Mean of the errors, target minus prediction, as shares of their targets: negative where predictions are too high.

    This is the sign of the literature, and the opposite of ``mean_error``. Errors of opposite sign cancel.

    >>> import squarely as sq
    >>> sq.mean_percentage_error([100, 200], [150, 200])
    -0.25
    """
    return mean


@metric(
    aliases=("rmspe",),
    title="Root mean squared percentage error",
    family="relative",
    unit="1",
    percent=True,
    direction="lower",
    best=0.0,
    tex=r"\sqrt{\frac{\sum w \left(\frac{y - \hat y}{y}\right)^2}{\sum w}}",
    undefined="",
    domain=_NOT_ZERO,
    reference="Swanson, D. A., Tayman, J. and Bryan, T. M. (2011), J. Population Research 28, doi:10.1007/s12546-011-9054-5.",
    functional="mean weighted by 1/y^2",
    needs=lambda: (MeanOf(Term("squared_percentage")),),
    shift_invariant=False,
    query=sql.root(sql.mean("POWER(({p} - {y}) / (1e0 * {y}), 2)")),
    derivative=of_root(lambda xp, y, p: ((p - y) / y) ** 2, lambda xp, y, p: 2 * (p - y) / y**2),
)
def root_mean_squared_percentage_error(s: Sums, mean: Ratio) -> Ratio:
    """Root of the mean square of the errors as shares of their targets.

    The smallest targets decide it.

    >>> import squarely as sq
    >>> sq.root_mean_squared_percentage_error([100, 200], [110, 180])
    0.1
    """
    return mean.root()
