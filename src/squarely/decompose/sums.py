"""Decompositions that the exact sums of a model answer, as fractions."""

from collections import defaultdict
from collections.abc import Iterable
from fractions import Fraction

from squarely.decompose.parts import Split
from squarely.state import Ratio, Sums

__all__ = ["added", "between_and_within", "bias_and_slope", "bias_and_variance", "in_unit", "mean_square"]


def in_unit(s: Sums, numerator: int, denominator: int, degree: int) -> Fraction:
    """Return a quotient of sums in the unit of the target, to a degree."""
    return _fraction(s.absolute(Ratio(numerator, denominator), degree))


def _fraction(ratio: Ratio) -> Fraction:
    return Fraction(ratio.numerator, ratio.denominator)


def mean_square(s: Sums) -> Fraction:
    """Return the mean squared error."""
    return in_unit(s, s.squared_error, s.w, 2)


def _bias(s: Sums) -> Fraction:
    return in_unit(s, s.error * s.error, s.w * s.w, 2)


def bias_and_variance(s: Sums) -> Split:
    """Return the squared mean error, and the variance of the errors."""
    return Split({"bias": _bias(s), "variance": in_unit(s, s.variance_error, s.w * s.w, 2)})


def bias_and_slope(s: Sums) -> Split:
    """Return the squared mean error, Var(p) (1 - b)^2 with b = Cov(y, p) / Var(p), and Var(y) - b Cov(y, p)."""
    w2, spread = s.w * s.w, s.variance_p
    if spread == 0:  # a constant prediction has no slope
        slope, scatter = Fraction(0), in_unit(s, s.variance_y, w2, 2)
    else:
        slope = in_unit(s, (spread - s.covariance) ** 2, spread * w2, 2)
        scatter = in_unit(s, s.variance_y * spread - s.covariance**2, spread * w2, 2)
    return Split({"bias": _bias(s), "slope": slope, "scatter": scatter})


def between_and_within(s: Sums, groups: Iterable[Sums]) -> Split:
    """Return the squared mean error, the variance of the mean errors of groups around it, and that of errors around those of their group."""
    total, bias = mean_square(s), _bias(s)
    numerators: dict[int, Fraction] = defaultdict(Fraction)  # by weight, since groups often weigh the same
    for group in groups:
        if group.variance_error:
            numerators[group.w] += _fraction(group.total(group.variance_error, 2))
    within = added([numerator / weight for weight, numerator in numerators.items()]) / _fraction(s.observations)
    return Split({"bias": bias, "between": total - bias - within, "within": within})


def added(terms: list[Fraction]) -> Fraction:
    """Add fractions in pairs: denominators grow where few are left."""
    while len(terms) > 1:
        terms = [terms[at] + terms[at + 1] if at + 1 < len(terms) else terms[at] for at in range(0, len(terms), 2)]
    return terms[0] if terms else Fraction(0)
