"""Losses that grow like the square of small errors and like the size of large ones."""

from typing import Any

from squarely.catalogue import sql
from squarely.catalogue.slopes import of_mean
from squarely.metric import MeanOf, Parameter, metric
from squarely.state import Ratio, Sums, Term

__all__ = ["mean_huber_loss", "mean_log_cosh_loss", "mean_pseudo_huber_loss", "mean_smooth_l1_loss"]

_LOSS: dict[str, Any] = {"family": "robust", "direction": "lower", "best": 0.0, "undefined": "", "functional": "M-estimate of location"}
_BEND = "The size of an error, in the unit of y, from which its loss grows in a straight line."
_HUBER = "CASE WHEN ABS({p} - {y}) <= {bend} THEN POWER({p} - {y}, 2) / 2e0 ELSE {bend} * (ABS({p} - {y}) - {bend} / 2e0) END"


def _huber_slope(xp: Any, y: Any, p: Any, delta: float) -> Any:
    return xp.where(xp.abs(p - y) <= delta, p - y, delta * xp.sign(p - y))


@metric(
    **_LOSS,
    aliases=("huber",),
    title="Mean Huber loss",
    unit="y^2",
    tex=r"\frac{1}{\sum w} \sum w \begin{cases} r^2/2 & |r| \le \delta \\ \delta (|r| - \delta/2) & \text{else} \end{cases},\quad r = y - \hat y",
    reference="Huber, P. J. (1964), Annals of Mathematical Statistics 35(1), doi:10.1214/aoms/1177703732.",
    settings={"delta": Parameter(1.0, _BEND, (0, 1e308), above=True)},
    term=lambda delta: Term("huber", (delta,)),
    query=sql.mean(_HUBER.replace("{bend}", "{delta}")),
    derivative=of_mean(_huber_slope),
)
def mean_huber_loss(s: Sums, mean: Ratio, delta: float = 1.0) -> Ratio:
    """Mean of a loss that is half of the square up to ``delta`` and a straight line beyond.

    ``delta`` belongs to the unit of y: choose it by the size of ordinary errors. Losses under different values cannot be compared.

    >>> import squarely as sq
    >>> sq.mean_huber_loss([0, 0, 0], [1, 2, 5], delta=2.0)
    3.5
    """
    return mean


@metric(
    **_LOSS,
    aliases=("smooth_l1",),
    title="Mean smooth L1 loss",
    unit="y",
    tex=r"\frac{1}{\sum w} \sum w \begin{cases} r^2/(2\beta) & |r| \le \beta \\ |r| - \beta/2 & \text{else} \end{cases},\quad r = y - \hat y",
    reference="Girshick, R. (2015), Fast R-CNN, arXiv:1504.08083.",
    settings={"beta": Parameter(1.0, _BEND, (0, 1e308), above=True)},
    needs=lambda beta: (MeanOf(Term("huber", (beta,))),),
    query=sql.mean(f"({_HUBER}) / {{bend}}".replace("{bend}", "{beta}")),
    derivative=of_mean(lambda xp, y, p, beta: _huber_slope(xp, y, p, beta) / beta),
)
def mean_smooth_l1_loss(s: Sums, mean: Ratio, beta: float = 1.0) -> Ratio:
    """Mean Huber loss divided by its bend: for large errors the absolute error, less a constant.

    ``beta`` belongs to the unit of y. As it goes to 0 the loss becomes ``mean_absolute_error``.

    >>> import squarely as sq
    >>> sq.mean_smooth_l1_loss([0, 0, 0], [1, 2, 5], beta=2.0)
    1.75
    """
    return mean / Ratio.of(float(beta))


@metric(
    **_LOSS,
    aliases=("pseudo_huber",),
    title="Mean pseudo-Huber loss",
    unit="y^2",
    tex=r"\frac{1}{\sum w} \sum w\, \delta^2 \left(\sqrt{1 + (r/\delta)^2} - 1\right),\quad r = y - \hat y",
    reference="Charbonnier, P. et al. (1997), IEEE Trans. Image Processing 6(2), doi:10.1109/83.551699.",
    settings={"delta": Parameter(1.0, "The size of an error, in the unit of y, where its loss bends.", (0, 1e308), above=True)},
    term=lambda delta: Term("pseudo_huber", (delta,)),
    query=sql.mean("POWER({p} - {y}, 2) / (SQRT(1 + POWER(({p} - {y}) / {delta}, 2)) + 1)"),
    derivative=of_mean(lambda xp, y, p, delta: (p - y) / xp.sqrt(1 + ((p - y) / delta) ** 2)),
)
def mean_pseudo_huber_loss(s: Sums, mean: Ratio, delta: float = 1.0) -> Ratio:
    """Mean of a smooth loss near half of the square for errors below ``delta`` and near a straight line above.

    ``delta`` belongs to the unit of y, and is no threshold here: the loss bends slowly around it. Also known as Charbonnier loss.

    >>> import squarely as sq
    >>> sq.mean_pseudo_huber_loss([0, 0], [3, 0], delta=4.0)
    2.0
    """
    return mean


@metric(
    **_LOSS,
    aliases=("log_cosh",),
    title="Mean log-cosh loss",
    unit="other",
    tex=r"\frac{1}{\sum w} \sum w \log \cosh (y - \hat y)",
    reference="Saleh, R. A. and Saleh, A. K. Md. E. (2022), Statistical properties of the log-cosh loss function, arXiv:2208.04564.",
    term=lambda: Term("log_cosh"),
    query=sql.mean("ABS({p} - {y}) + LN((1 + EXP(-2 * ABS({p} - {y}))) / 2)"),
    derivative=of_mean(lambda xp, y, p: xp.tanh(p - y)),
)
def mean_log_cosh_loss(s: Sums, mean: Ratio) -> Ratio:
    """Mean of the logarithm of the hyperbolic cosine of the errors: half of the square of small ones, the size of large ones less log 2.

    Its bend lies at 1 in whatever unit y has: divide both columns by the size of ordinary errors, or use ``mean_pseudo_huber_loss``.

    >>> import squarely as sq
    >>> round(sq.mean_log_cosh_loss([0, 0, 0], [0, 1, 2]), 6)
    0.586261
    """
    return mean
