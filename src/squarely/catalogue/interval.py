"""Predictions that say how sure they are: intervals, and a mean with a standard deviation."""

from typing import Any

from squarely.catalogue import sql
from squarely.catalogue.slopes import of_mean
from squarely.metric import ColumnParameter, Parameter, metric
from squarely.state import Ratio, Sums, Term

__all__ = ["crps_gaussian", "gaussian_nll", "interval_coverage", "interval_score", "mean_interval_width"]

_ENDS = {
    "lower": ColumnParameter(text="The predicted lower end, for each row."),
    "upper": ColumnParameter(text="The predicted upper end, for each row."),
}
_INTERVAL: dict[str, Any] = {"family": "interval", "inputs": ("lower", "upper"), "undefined": "", "domain": "lower ends not above upper ends"}
_GAUSSIAN: dict[str, Any] = {
    "family": "interval",
    "direction": "lower",
    "undefined": "",
    "domain": "standard deviations above 0",
    "settings": {"sigma": ColumnParameter(text="The predicted standard deviation, for each row or for all; y_pred is the mean.")},
}
_KHOSRAVI = "Khosravi, A. et al. (2011), IEEE Trans. Neural Networks 22(9), doi:10.1109/TNN.2011.2162110."


@metric(
    **_INTERVAL,
    aliases=("picp",),
    title="Interval coverage",
    unit="1",
    direction="target",
    tex=r"\frac{\sum w\, [l \le y \le u]}{\sum w}",
    reference=_KHOSRAVI,
    settings=_ENDS,
    term=lambda lower, upper: Term("interval_covered", (), (lower, upper)),
    query=sql.mean("CASE WHEN {y} BETWEEN {lower} AND {upper} THEN 1 ELSE 0 END"),
)
def interval_coverage(s: Sums, mean: Ratio, lower: str, upper: str) -> Ratio:
    """Share of the targets that lie in their intervals, the ends included.

    It should be the level that was promised, neither more nor less; that alone is easy: read it with ``mean_interval_width``.

    >>> import squarely as sq
    >>> sq.interval_coverage([1, 2, 3, 4], [0, 0, 0, 0], [2, 2, 2, 5])
    0.75
    """
    return mean


@metric(
    **_INTERVAL,
    aliases=("mpiw",),
    title="Mean interval width",
    unit="y",
    direction="lower",
    best=0.0,
    tex=r"\frac{\sum w (u - l)}{\sum w}",
    reference=_KHOSRAVI,
    settings=_ENDS,
    term=lambda lower, upper: Term("interval_width", (), (lower, upper)),
    query=sql.mean("{upper} - {lower}"),
)
def mean_interval_width(s: Sums, mean: Ratio, lower: str, upper: str) -> Ratio:
    """Mean width of the intervals.

    It does not look at the targets: narrow is good only among intervals that cover enough. ``interval_score`` weighs both.

    >>> import squarely as sq
    >>> sq.mean_interval_width([1, 2, 3, 4], [0, 0, 0, 0], [2, 2, 2, 4])
    2.5
    """
    return mean


@metric(
    **_INTERVAL,
    aliases=("winkler_score",),
    title="Interval score",
    unit="y",
    direction="lower",
    best=0.0,
    tex=r"\frac{1}{\sum w} \sum w \left(u - l + \frac{2}{\alpha} \max(l - y, 0) + \frac{2}{\alpha} \max(y - u, 0)\right)",
    reference="Gneiting, T. and Raftery, A. E. (2007), J. Amer. Statistical Assoc. 102(477), doi:10.1198/016214506000001437.",
    functional="quantiles of levels alpha/2 and 1 - alpha/2",
    settings={**_ENDS, "alpha": Parameter(0.05, "The share of targets that may lie outside: 0.05 for intervals of 95 %.", (0, 1), above=True)},
    term=lambda lower, upper, alpha: Term("interval_score", (alpha,), (lower, upper)),
    query=sql.mean("{upper} - {lower} + 2e0 / {alpha} * (GREATEST({lower} - {y}, 0) + GREATEST({y} - {upper}, 0))"),
)
def interval_score(s: Sums, mean: Ratio, lower: str, upper: str, alpha: float = 0.05) -> Ratio:
    """Mean width of the intervals, and 2/``alpha`` times what targets lie outside; also known as Winkler score.

    Scores of intervals of different levels cannot be compared.

    >>> import squarely as sq
    >>> sq.interval_score([1, 2, 3, 4], [0, 0, 0, 0], [2, 2, 2, 4], alpha=0.5)
    3.5
    """
    return mean


@metric(
    **_GAUSSIAN,
    title="CRPS of a Gaussian",
    unit="y",
    best=0.0,
    tex=r"\frac{1}{\sum w} \sum w\, \sigma \left(z (2 \Phi(z) - 1) + 2 \varphi(z) - \frac{1}{\sqrt{\pi}}\right),\quad z = \frac{y - \hat y}{\sigma}",
    reference="Gneiting, T. et al. (2005), Monthly Weather Review 133(5), doi:10.1175/MWR2904.1.",
    functional="distribution",
    term=lambda sigma: Term("crps_gaussian", (), (sigma,)),
)
def crps_gaussian(s: Sums, mean: Ratio, sigma: str) -> Ratio:
    """Mean continuous ranked probability score of normal distributions with predicted mean and standard deviation.

    As sigma goes to 0 it becomes the mean absolute error. Best is the true distribution, where that is normal.

    >>> import squarely as sq
    >>> round(sq.crps_gaussian([1, 0], [0, 0], sigma=[1.0, 2.0]), 6)
    0.534916
    """
    return mean


@metric(
    **_GAUSSIAN,
    title="Gaussian negative log-likelihood",
    unit="other",
    tex=r"\frac{1}{\sum w} \sum w \left(\frac{1}{2} \log(2 \pi \sigma^2) + \frac{(y - \hat y)^2}{2 \sigma^2}\right)",
    reference="Nix, D. A. and Weigend, A. S. (1994), Proc. IEEE Int. Conf. Neural Networks, doi:10.1109/ICNN.1994.374138.",
    functional="mean",
    term=lambda sigma: Term("gaussian_nll", (), (sigma,)),
    query=sql.mean("LN(2 * PI()) / 2e0 + LN({sigma}) + POWER(({p} - {y}) / (1e0 * {sigma}), 2) / 2e0"),
    derivative=of_mean(lambda xp, y, p, sigma: (p - y) / sigma**2),
)
def gaussian_nll(s: Sums, mean: Ratio, sigma: str) -> Ratio:
    """Mean negative log density of normal distributions with predicted mean and standard deviation, constants included.

    It may be negative, has no best value, and one row with a sigma that is far too small decides it: ``crps_gaussian`` is milder.

    >>> import squarely as sq
    >>> round(sq.gaussian_nll([1, 0], [0, 0], sigma=[1.0, 2.0]), 6)
    1.515512
    """
    return mean
