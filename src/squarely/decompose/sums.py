"""Decompositions that the exact sums of a model answer, as fractions."""

from collections import defaultdict
from collections.abc import Iterable
from fractions import Fraction

from squarely.decompose.parts import Split
from squarely.state import Sums

__all__ = ["between_and_within", "bias_and_slope", "bias_and_variance", "mean_square"]


def _squares(s: Sums, numerator: int, denominator: int) -> Fraction:
    """Return a quotient of sums that is a square of the unit of the target."""
    unit = 2 * s.scale
    return Fraction(numerator << unit, denominator) if unit >= 0 else Fraction(numerator, denominator << -unit)


def mean_square(s: Sums) -> Fraction:
    """Return the mean squared error."""
    return _squares(s, s.squared_error, s.w)


def _bias(s: Sums) -> Fraction:
    return _squares(s, s.error * s.error, s.w * s.w)


def bias_and_variance(s: Sums) -> Split:
    """Return the squared mean error, and the variance of the errors."""
    return Split({"bias": _bias(s), "variance": _squares(s, s.variance_error, s.w * s.w)})


def bias_and_slope(s: Sums) -> Split:
    """Return the squared mean error, Var(p) (1 - b)^2 with b = Cov(y, p) / Var(p), and Var(y) - b Cov(y, p)."""
    w2, spread = s.w * s.w, s.variance_p
    if spread == 0:  # a constant prediction has no slope
        slope, scatter = Fraction(0), _squares(s, s.variance_y, w2)
    else:
        slope = _squares(s, (spread - s.covariance) ** 2, spread * w2)
        scatter = _squares(s, s.variance_y * spread - s.covariance**2, spread * w2)
    return Split({"bias": _bias(s), "slope": slope, "scatter": scatter})


def between_and_within(s: Sums, groups: Iterable[Sums]) -> Split:
    """Return the squared mean error, the variance of the mean errors of groups around it, and that of errors around those of their group."""
    total, bias = mean_square(s), _bias(s)
    numerators: dict[int, Fraction] = defaultdict(Fraction)  # by weight, since groups often weigh the same
    for group in groups:
        if group.variance_error:
            numerators[group.w] += group.variance_error * Fraction(2) ** (2 * group.scale + group.weight_scale)
    within = _sum([numerator / weight for weight, numerator in numerators.items()]) / (s.w * Fraction(2) ** s.weight_scale)
    return Split({"bias": bias, "between": total - bias - within, "within": within})


def _sum(terms: list[Fraction]) -> Fraction:
    """Add fractions in pairs: denominators grow where few are left."""
    while len(terms) > 1:
        terms = [terms[at] + terms[at + 1] if at + 1 < len(terms) else terms[at] for at in range(0, len(terms), 2)]
    return terms[0] if terms else Fraction(0)
