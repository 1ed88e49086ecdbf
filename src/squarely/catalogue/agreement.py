"""How well predictions and targets go together: correlation, concordance, and the parts of the Kling-Gupta efficiency."""

from squarely.metric import metric
from squarely.state import Ratio, Sums

__all__ = ["bias_ratio", "concordance_correlation", "kling_gupta_efficiency", "pearson_correlation", "variability_ratio"]

_KGE = "Gupta, H. V., Kling, H., Yilmaz, K. K. and Martinez, G. F. (2009), J. Hydrology 377(1-2), doi:10.1016/j.jhydrol.2009.08.003."


@metric(
    aliases=("pearson_r",),
    title="Pearson correlation",
    family="agreement",
    unit="1",
    direction="higher",
    best=1.0,
    tex=r"\frac{\mathrm{Cov}(y, \hat y)}{\sqrt{\mathrm{Var}(y)\,\mathrm{Var}(\hat y)}}",
    undefined="the target or the prediction is constant",
    reference="Pearson, K. (1895), Proc. Royal Society of London 58, doi:10.1098/rspl.1895.0041.",
)
def pearson_correlation(s: Sums) -> Ratio:
    """How well a straight line relates prediction and target.

    It sees neither bias nor scale: predictions ten times too large may have 1.0. Use ``concordance_correlation`` for agreement.

    >>> import squarely as sq
    >>> sq.pearson_correlation([1, 2, 3], [10, 20, 30])
    1.0
    """
    return _correlation(s)


def _correlation(s: Sums) -> Ratio:
    """Cov / sqrt(Var Var); the root is taken of one product, so that a perfect line has exactly 1."""
    product = s.variance_y * s.variance_p
    size = Ratio(s.covariance * s.covariance, product).root()
    return size if s.covariance >= 0 else -size


@metric(
    aliases=("ccc",),
    title="Concordance correlation",
    family="agreement",
    unit="1",
    direction="higher",
    best=1.0,
    tex=r"\frac{2\,\mathrm{Cov}(y, \hat y)}{\mathrm{Var}(y) + \mathrm{Var}(\hat y) + (\bar y - \bar{\hat y})^2}",
    undefined="target and prediction are one and the same constant",
    reference="Lin, L. I. (1989), Biometrics 45(1), doi:10.2307/2532051.",
)
def concordance_correlation(s: Sums) -> Ratio:
    """How close the pairs lie to the line of equality: correlation, less what bias and scale cost.

    It depends on the spread of the target, so it compares methods on the same rows only.

    >>> import squarely as sq
    >>> sq.concordance_correlation([1, 2, 3], [2, 3, 4])
    0.5714285714285714
    """
    return Ratio(2 * s.covariance, s.variance_y + s.variance_p + s.error * s.error)


@metric(
    aliases=("kge",),
    title="Kling-Gupta efficiency",
    family="agreement",
    unit="1",
    direction="higher",
    best=1.0,
    tex=r"1 - \sqrt{(r - 1)^2 + \left(\frac{\sigma_{\hat y}}{\sigma_y} - 1\right)^2 + \left(\frac{\bar{\hat y}}{\bar y} - 1\right)^2}",
    undefined="the target or the prediction is constant, or the mean of the target is 0",
    reference=_KGE,
    shift_invariant=False,
)
def kling_gupta_efficiency(s: Sums) -> Ratio:
    """One less the distance from perfect correlation, perfect variability and no bias.

    Its parts are ``pearson_correlation``, ``variability_ratio`` and ``bias_ratio``. Not for targets with a mean near 0.

    >>> import squarely as sq
    >>> sq.kling_gupta_efficiency([1, 2, 3], [2, 3, 4])
    0.5
    """
    parts = [part - 1 for part in (_correlation(s), _variability(s), Ratio(s.p, s.y))]
    return 1 - (parts[0] * parts[0] + parts[1] * parts[1] + parts[2] * parts[2]).root()


@metric(
    title="Variability ratio",
    family="agreement",
    unit="1",
    direction="target",
    best=1.0,
    tex=r"\frac{\sigma_{\hat y}}{\sigma_y}",
    undefined="the target is constant: its variance is 0",
    reference=_KGE,
)
def variability_ratio(s: Sums) -> Ratio:
    """Standard deviation of the predictions over that of the targets: alpha of the Kling-Gupta efficiency.

    Least squares predictions vary less than the target by nature; below 1 is no fault by itself.

    >>> import squarely as sq
    >>> sq.variability_ratio([1, 2, 3], [2, 4, 6])
    2.0
    """
    return _variability(s)


def _variability(s: Sums) -> Ratio:
    return Ratio(s.variance_p, s.variance_y).root()


@metric(
    title="Bias ratio",
    family="agreement",
    unit="1",
    direction="target",
    best=1.0,
    tex=r"\frac{\bar{\hat y}}{\bar y}",
    undefined="the mean of the target is 0",
    reference=_KGE,
    shift_invariant=False,
)
def bias_ratio(s: Sums) -> Ratio:
    """Mean of the predictions over the mean of the targets: beta of the Kling-Gupta efficiency.

    Only for quantities with a true zero; for others use ``mean_error``.

    >>> import squarely as sq
    >>> sq.bias_ratio([1, 2, 3], [2, 4, 6])
    2.0
    """
    return Ratio(s.p, s.y)
