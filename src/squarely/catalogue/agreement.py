"""How well predictions and targets go together: correlation, concordance, and the parts of the Kling-Gupta efficiency."""

from typing import Any

from squarely.catalogue import sql
from squarely.catalogue.slopes import mean_of, moments
from squarely.metric import Parameter, PotentialError, Share, metric
from squarely.state import Ratio, Sums

__all__ = [
    "bias_ratio",
    "concordance_correlation",
    "index_of_agreement",
    "kling_gupta_efficiency",
    "pearson_correlation",
    "variability_ratio",
]

_CORRELATION = f"({sql.COVARIANCE} / SQRT({sql.VARIANCE_Y} * {sql.VARIANCE_P}))"
_ALPHA, _BETA = f"SQRT({sql.VARIANCE_P} / {sql.VARIANCE_Y})", f"({sql.MEAN_P} / {sql.MEAN_Y})"
_KGE = "Gupta, H. V., Kling, H., Yilmaz, K. K. and Martinez, G. F. (2009), J. Hydrology 377(1-2), doi:10.1016/j.jhydrol.2009.08.003."


def _correlation_gradient(xp: Any, y: Any, p: Any, w: Any) -> Any:
    m = moments(xp, y, p, w)
    return m.share * (m.off_y / xp.sqrt(m.variance_y * m.variance_p) - m.covariance / xp.sqrt(m.variance_y * m.variance_p**3) * m.off_p)


def _variability_gradient(xp: Any, y: Any, p: Any, w: Any) -> Any:
    m = moments(xp, y, p, w)
    return m.share * m.off_p / xp.sqrt(m.variance_y * m.variance_p)


def _concordance_gradient(xp: Any, y: Any, p: Any, w: Any) -> Any:
    m = moments(xp, y, p, w)
    spread = m.variance_y + m.variance_p + (m.mean_y - m.mean_p) ** 2
    return 2 * m.share * (m.off_y - 2 * m.covariance / spread * (p - m.mean_y)) / spread


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
    query=_CORRELATION,
    derivative=_correlation_gradient,
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
    return Ratio(s.covariance) / Ratio(s.variance_y * s.variance_p).root()


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
    query=f"2 * {sql.COVARIANCE} / ({sql.VARIANCE_Y} + {sql.VARIANCE_P} + POWER({sql.MEAN_Y} - {sql.MEAN_P}, 2))",
    derivative=_concordance_gradient,
)
def concordance_correlation(s: Sums) -> Ratio:
    """How close the pairs lie to the line of equality: correlation, less what bias and scale cost.

    It depends on the spread of the target, so it compares methods on the same rows only.

    >>> import squarely as sq
    >>> sq.concordance_correlation([1, 2, 3], [2, 3, 4])
    0.5714285714285714
    """
    return Ratio(2 * s.covariance, s.variance_y + s.variance_p + s.error * s.error)


def _kge_gradient(xp: Any, y: Any, p: Any, w: Any, variant: str) -> Any:
    m = moments(xp, y, p, w)
    steps = [_correlation_gradient(xp, y, p, w), _variability_gradient(xp, y, p, w), m.share / m.mean_y]
    alpha, beta = xp.sqrt(m.variance_p / m.variance_y), m.mean_p / m.mean_y
    parts = [m.covariance / xp.sqrt(m.variance_y * m.variance_p) - 1, alpha - 1, beta - 1]
    if variant == "2012":
        parts[1], steps[1] = alpha / beta - 1, (steps[1] - alpha / beta * steps[2]) / beta
    if variant == "2021":
        parts[2], steps[2] = (m.mean_p - m.mean_y) / xp.sqrt(m.variance_y), m.share / xp.sqrt(m.variance_y)
    away = xp.sqrt(parts[0] ** 2 + parts[1] ** 2 + parts[2] ** 2)
    return -(parts[0] * steps[0] + parts[1] * steps[1] + parts[2] * steps[2]) / xp.where(away > 0, away, 1.0)


@metric(
    aliases=("kge",),
    title="Kling-Gupta efficiency",
    family="agreement",
    unit="1",
    direction="higher",
    best=1.0,
    tex=r"1 - \sqrt{(r - 1)^2 + \left(\frac{\sigma_{\hat y}}{\sigma_y} - 1\right)^2 + \left(\frac{\bar{\hat y}}{\bar y} - 1\right)^2}",
    undefined="the target or the prediction is constant, or a mean that divides is 0",
    reference=_KGE + " Kling, H. et al. (2012), J. Hydrology 424-425, doi:10.1016/j.jhydrol.2012.01.011. "
    "Tang, G. et al. (2021), J. Climate 34(16), doi:10.1175/JCLI-D-21-0067.1.",
    settings={
        "variant": Parameter(
            "2009",
            "2012 compares coefficients of variation in place of deviations; 2021 takes the mean error in deviations of y for the bias.",
            ("2009", "2012", "2021"),
        )
    },
    shift_invariant=False,
    query=f"1 - SQRT(POWER({_CORRELATION} - 1, 2) + POWER({_ALPHA} / CASE '{{variant}}' WHEN '2012' THEN {_BETA} ELSE 1 END - 1, 2) "
    f"+ CASE '{{variant}}' WHEN '2021' THEN POWER({sql.MEAN_P} - {sql.MEAN_Y}, 2) / {sql.VARIANCE_Y} ELSE POWER({_BETA} - 1, 2) END)",
    derivative=_kge_gradient,
)
def kling_gupta_efficiency(s: Sums, variant: str = "2009") -> Ratio:
    """One less the distance from perfect correlation, perfect variability and no bias.

    Its parts are ``pearson_correlation``, ``variability_ratio`` and ``bias_ratio``. Only variant 2021 is for targets with a mean near 0.

    >>> import squarely as sq
    >>> sq.kling_gupta_efficiency([1, 2, 3], [2, 3, 4])
    0.5
    """
    variability, bias = _variability(s), Ratio(s.p, s.y)
    if variant == "2012":
        variability = variability / bias
    off = Ratio(s.error * s.error, s.variance_y) if variant == "2021" else (bias - 1) * (bias - 1)
    parts = [part - 1 for part in (_correlation(s), variability)]
    return 1 - (parts[0] * parts[0] + parts[1] * parts[1] + off).root()


@metric(
    title="Variability ratio",
    family="agreement",
    unit="1",
    direction="target",
    best=1.0,
    tex=r"\frac{\sigma_{\hat y}}{\sigma_y}",
    undefined="the target is constant: its variance is 0",
    reference=_KGE,
    query=_ALPHA,
    derivative=_variability_gradient,
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
    query=_BETA,
    derivative=lambda xp, y, p, w: w / xp.sum(w * y),
)
def bias_ratio(s: Sums) -> Ratio:
    """Mean of the predictions over the mean of the targets: beta of the Kling-Gupta efficiency.

    Only for quantities with a true zero; for others use ``mean_error``.

    >>> import squarely as sq
    >>> sq.bias_ratio([1, 2, 3], [2, 4, 6])
    2.0
    """
    return Ratio(s.p, s.y)


def _index_gradient(xp: Any, y: Any, p: Any, w: Any, definition: str) -> Any:
    mean = mean_of(xp, w, y)
    if definition == "squared":
        around = xp.abs(p - mean) + xp.abs(y - mean)
        error, whole = xp.sum(w * (p - y) ** 2), xp.sum(w * around**2)
        return 2 * w * (error / whole * around * xp.sign(p - mean) - (p - y)) / whole
    error, twice = xp.sum(w * xp.abs(p - y)), 2 * xp.sum(w * xp.abs(y - mean))
    return -w * xp.sign(p - y) * xp.where(error <= twice, 1 / twice, twice / xp.where(error > 0, error, 1.0) ** 2)


@metric(
    aliases=("ioa",),
    title="Index of agreement",
    family="agreement",
    unit="1",
    direction="higher",
    best=1.0,
    tex=r"1 - \frac{\sum w (\hat y - y)^2}{\sum w \left(|\hat y - \bar y| + |y - \bar y|\right)^2}",
    undefined="the target is constant",
    reference="Willmott, C. J. (1981), Physical Geography 2(2), doi:10.1080/02723646.1981.10642213. "
    "Willmott, C. J., Robeson, S. M. and Matsuura, K. (2012), Int. J. Climatology 32(13), doi:10.1002/joc.2419.",
    settings={
        "definition": Parameter(
            "squared",
            "Willmott's of 1981; or the refined one of 2012: 1 - A/(2B), or 2B/A - 1 where A > 2B, with A = sum |p - y| and B = sum |y - mean|.",
            ("squared", "absolute"),
        )
    },
    needs=lambda definition: (PotentialError(),) if definition == "squared" else (Share("mean", "absolute", 1),),
    derivative=_index_gradient,
)
def index_of_agreement(s: Sums, known: Ratio, definition: str = "squared") -> Ratio:
    """Error as a share of the largest that deviations of such size could make: 1 is perfect, the refined one goes down to -1.

    The squared index is high for poor predictions too. It reads the rows twice, for the mean of the target: it has no answer on sums alone.

    >>> import squarely as sq
    >>> sq.index_of_agreement([1, 2, 3], [2, 3, 4], definition="absolute")
    0.25
    """
    if definition == "squared":
        return 1 - s.absolute(Ratio(s.squared_error, s.w), 2) / known
    half = known / 2
    return 1 - half if half.numerator <= half.denominator or not half.denominator else Ratio(1) / half - 1
