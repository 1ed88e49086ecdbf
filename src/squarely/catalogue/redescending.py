"""Losses under which an outlier hardly counts: past some size the loss grows slowly or no more."""

import math
from typing import Any

from squarely.catalogue import sql
from squarely.catalogue.slopes import of_mean
from squarely.metric import Parameter, metric
from squarely.state import Ratio, Sums, Term

__all__ = ["mean_barron_loss", "mean_cauchy_loss", "mean_geman_mcclure_loss", "mean_tukey_loss", "mean_welsch_loss"]

_LOSS: dict[str, Any] = {"family": "redescending", "direction": "lower", "best": 0.0, "undefined": "", "functional": "M-estimate of location"}
_SIZE = "The size of an error, in the unit of y, past which it counts for less and less; "
_NORMAL = _SIZE + "the default keeps 95 % of the precision of a mean where errors have a standard normal distribution."
_V = "POWER(({p} - {y}) / {c}, 2)"


def _c(default: float, text: str) -> Parameter:
    return Parameter(default, text, (0, 1e308), above=True)


def _v(y: Any, p: Any, c: float) -> Any:
    """The squared error in units of c squared."""
    return ((p - y) / c) ** 2


@metric(
    **_LOSS,
    title="Mean Tukey loss",
    unit="y^2",
    tex=r"\frac{1}{\sum w} \sum w\, \frac{c^2}{6} \left(1 - \left(1 - \min(|r|/c, 1)^2\right)^3\right),\quad r = y - \hat y",
    reference="Beaton, A. E. and Tukey, J. W. (1974), Technometrics 16(2), doi:10.1080/00401706.1974.10489171.",
    settings={"c": _c(4.685, _NORMAL)},
    term=lambda c: Term("tukey", (c,)),
    query=sql.mean("{c} * {c} / 6e0 * (1 - POWER(1 - LEAST(" + _V + ", 1), 3))"),
    derivative=of_mean(lambda xp, y, p, c: xp.where(_v(y, p, c) < 1, (p - y) * (1 - _v(y, p, c)) ** 2, 0.0)),
)
def mean_tukey_loss(s: Sums, mean: Ratio, c: float = 4.685) -> Ratio:
    """Mean of Tukey's biweight: all errors beyond ``c`` cost the same, c squared over 6.

    Errors that are far too large look like errors of ``c``: read it with ``max_error``.

    >>> import squarely as sq
    >>> sq.mean_tukey_loss([0, 0], [2, 5], c=2.0)
    0.6666666666666666
    """
    return mean


@metric(
    **_LOSS,
    title="Mean Cauchy loss",
    unit="y^2",
    tex=r"\frac{1}{\sum w} \sum w\, \frac{c^2}{2} \log\left(1 + (r/c)^2\right),\quad r = y - \hat y",
    reference="Zhang, Z. (1997), Parameter estimation techniques, Image and Vision Computing 15(1), pp. 59-76.",
    settings={"c": _c(2.385, _NORMAL)},
    term=lambda c: Term("cauchy", (c,)),
    query=sql.mean("{c} * {c} / 2e0 * LN(1 + " + _V + ")"),
    derivative=of_mean(lambda xp, y, p, c: (p - y) / (1 + _v(y, p, c))),
)
def mean_cauchy_loss(s: Sums, mean: Ratio, c: float = 2.385) -> Ratio:
    """Mean of a loss that grows like a logarithm: the likelihood of Cauchy errors. Also known as Lorentzian.

    Choose ``c`` by the size of ordinary errors: losses under different values cannot be compared.

    >>> import squarely as sq
    >>> round(sq.mean_cauchy_loss([0, 0], [1, 3], c=1.0), 6)
    0.748933
    """
    return mean


@metric(
    **_LOSS,
    title="Mean Welsch loss",
    unit="y^2",
    tex=r"\frac{1}{\sum w} \sum w\, \frac{c^2}{2} \left(1 - e^{-(r/c)^2}\right),\quad r = y - \hat y",
    reference="Dennis, J. E. and Welsch, R. E. (1978), Comm. Statistics - Simulation 7(4), doi:10.1080/03610917808812083.",
    settings={"c": _c(2.985, _NORMAL)},
    term=lambda c: Term("welsch", (c,)),
    query=sql.mean("{c} * {c} / 2e0 * (1 - EXP(-" + _V + "))"),
    derivative=of_mean(lambda xp, y, p, c: (p - y) * xp.exp(-_v(y, p, c))),
)
def mean_welsch_loss(s: Sums, mean: Ratio, c: float = 2.985) -> Ratio:
    """Mean of a loss that is half of the square of small errors and c squared over 2 for all large ones. Also known as Leclerc.

    It hardly sees how large an outlier is: read it with ``max_error``.

    >>> import squarely as sq
    >>> round(sq.mean_welsch_loss([0, 0], [1, 3], c=1.0), 6)
    0.407999
    """
    return mean


@metric(
    **_LOSS,
    title="Mean Geman-McClure loss",
    unit="y^2",
    tex=r"\frac{1}{\sum w} \sum w\, \frac{r^2 / 2}{1 + (r/c)^2},\quad r = y - \hat y",
    reference="Geman, S. and McClure, D. E. (1987), Bulletin of the International Statistical Institute 52(4).",
    settings={"c": _c(1.0, _SIZE + "no value is usual.")},
    term=lambda c: Term("geman_mcclure", (c,)),
    query=sql.mean("POWER({p} - {y}, 2) / (2 * (1 + " + _V + "))"),
    derivative=of_mean(lambda xp, y, p, c: (p - y) / (1 + _v(y, p, c)) ** 2),
)
def mean_geman_mcclure_loss(s: Sums, mean: Ratio, c: float = 1.0) -> Ratio:
    """Mean of a loss that is half of the square of small errors and never reaches c squared over 2.

    It hardly sees how large an outlier is: read it with ``max_error``.

    >>> import squarely as sq
    >>> sq.mean_geman_mcclure_loss([0, 0], [1, 2], c=1.0)
    0.325
    """
    return mean


def _barron_slope(xp: Any, y: Any, p: Any, alpha: float, c: float) -> Any:
    if alpha == 2:
        return (p - y) / c**2
    if alpha == -math.inf:
        return (p - y) / c**2 * xp.exp(-_v(y, p, c) / 2)
    return (p - y) / c**2 * (_v(y, p, c) / abs(alpha - 2) + 1) ** (alpha / 2 - 1)


_ALPHA = "CAST('{alpha}' AS DOUBLE PRECISION)"
_BARRON = (
    f"CASE {_ALPHA} WHEN 2 THEN {_V} / 2e0 WHEN 0 THEN LN({_V} / 2e0 + 1) WHEN CAST('-inf' AS DOUBLE PRECISION) THEN 1 - EXP(-{_V} / 2e0) "
    f"ELSE ABS({_ALPHA} - 2) / NULLIF({_ALPHA}, 0) * (POWER({_V} / NULLIF(ABS({_ALPHA} - 2), 0) + 1, {_ALPHA} / 2) - 1) END"
)


@metric(
    **_LOSS,
    title="Mean Barron loss",
    unit="1",
    tex=r"\frac{1}{\sum w} \sum w\, \frac{|\alpha - 2|}{\alpha} \left(\left(\frac{(r/c)^2}{|\alpha - 2|} + 1\right)^{\alpha/2} - 1\right),"
    r"\quad r = y - \hat y",
    reference="Barron, J. T. (2019), A general and adaptive robust loss function, arXiv:1701.03077.",
    settings={
        "alpha": Parameter(1.0, "The shape: 2 is squared, 1 pseudo-Huber, 0 Cauchy, -2 Geman-McClure, -inf Welsch.", (-math.inf, 1e308)),
        "c": _c(1.0, "The size of an error, in the unit of y, where its loss leaves the parabola."),
    },
    term=lambda alpha, c: Term("barron", (alpha, c)),
    query=sql.mean(_BARRON),
    derivative=of_mean(_barron_slope),
)
def mean_barron_loss(s: Sums, mean: Ratio, alpha: float = 1.0, c: float = 1.0) -> Ratio:
    """Mean of a family of losses with one shape: from squared error to losses under which outliers do not count.

    At 0, 2 and minus infinity it is the limit of the formula. The loss has no unit: it is in units of ``c`` squared.

    >>> import squarely as sq
    >>> sq.mean_barron_loss([0, 0], [1, 2], alpha=2.0, c=1.0)
    1.25
    """
    return mean
