"""What the residuals of a fit say when its features are at hand: curves, variance, dependence, instruments."""

from functools import partial

import numpy as np

from squarely.diagnose.finding import CannotTestError, Check, Outcome, check
from squarely.diagnose.laws import chi2_tail
from squarely.linear.equations import NormalEquations
from squarely.linear.evidence import MOST_CROSSED, FitEvidence
from squarely.plain import one_line, percent

__all__ = ["FIT_CHECKS"]

FIT_CHECKS: dict[str, Check] = {}
_NAMES = {"breusch_pagan": "Breusch-Pagan", "white": "White"}
_check = partial(check, registry=FIT_CHECKS)


@_check("SQ005", "The mean bends", "share of the squared error that powers of the prediction explain", 0.01, 0.1, 3, ("SQ004",))
def reset(e: FitEvidence) -> Outcome:
    r"""Add the square and the cube of the prediction to the fit (Ramsey's RESET).

    .. math:: F = \frac{(\mathrm{RSS} - \mathrm{RSS}_+) / 2}{\mathrm{RSS}_+ / (n - k - 2)}, \quad y = z^\top b + c_2 \hat y^2 + c_3 \hat y^3 + u

    References
    ----------
    Ramsey, J. B. (1969), J. Royal Statist. Soc. B 31(2), doi:10.1111/j.2517-6161.1969.tb00796.x.
    """
    gain = e.added.gain(("fit^2", "fit^3"))
    return Outcome(
        effect=gain.share,
        p_value=gain.p_value,
        told=f"F = {gain.f:.4g} ({gain.rank} degrees); the square and the cube of the prediction explain {percent(gain.share)} of the squared error",
        meaning=f"the mean is no straight line: {percent(gain.share)} of the MSE is a bend",
        fix="add powers or products of features, or transform the target",
        code="LinearRegression(features=[poly('x', 2), interaction('x', 'z')])",
        gain=gain.share,
        numbers={"f": gain.f},
    )


@_check(
    "SQ006",
    "A feature acts along a curve",
    "largest share of the squared error that the square of a feature explains",
    0.01,
    0.1,
    2,
    ("SQ004", "SQ005"),
)
def curves(e: FitEvidence) -> Outcome:
    r"""Add the square of one feature at a time to the fit.

    .. math:: \frac{\mathrm{RSS} - \mathrm{RSS}_{+j}}{\mathrm{RSS}}, \quad y = z^\top b + c\,x_j^2 + u

    The p-value is that of the best of so many features (Bonferroni). A feature of two values has no curve.
    """
    found = {name: gain for name in e.features if (gain := e.added.gain((f"{name}^2",))).rank and not np.isnan(gain.share)}
    if not found:
        raise CannotTestError("no feature has three values or more")
    best = max(found, key=lambda name: found[name].share)
    gain = found[best]
    told = ", ".join(one_line(name) for name, each in found.items() if each.share > 0.01) or "none"
    return Outcome(
        effect=gain.share,
        p_value=min(1.0, gain.p_value * len(found)),
        told=f"the square of {one_line(best)} has F = {gain.f:.4g}; features whose square explains more than 1 % of the squared error: {told}",
        meaning=f"the target follows {one_line(best)} along a curve, which is {percent(gain.share)} of the MSE",
        fix=f"add the square of {one_line(best)}, or a logarithm or a spline of it",
        code=f"LinearRegression(features=[poly({one_line(best)!r}, 2), ...])",
        gain=gain.share,
        numbers={f"f_{name}": each.f for name, each in found.items()},
    )


@_check(
    "SQ008",
    "The variance of the errors changes with the features",
    "adjusted R2 of squared errors on features, squares and products",
    0.02,
    0.15,
    4,
)
def variance(e: FitEvidence) -> Outcome:
    r"""Regress squared errors on the features (Breusch and Pagan, studentised), and on their squares and products too (White).

    .. math:: \mathrm{LM} = n R^2

    The p-value is the smaller one, twice. Beyond 20 features White's test
    has their squares alone: there would be p (p - 1) / 2 products.

    References
    ----------
    White, H. (1980), Econometrica 48(4), doi:10.2307/1912934. Breusch, T. S. and Pagan, A. R. (1979), Econometrica 47(5), doi:10.2307/1911963.
    """
    e.needs_residuals()
    whole = NormalEquations.of(e.spread)
    _, right = whole.root
    total, kept, count = float(whole.total_squares[0]), whole.factor.kept, len(e.features)
    if not total > 0 or not kept.any():
        raise CannotTestError("squared errors, or features, are all alike")
    white = "white" if count <= MOST_CROSSED else "white_of_squares"
    tests = {"breusch_pagan": slice(count), white: slice(None)}
    numbers: dict[str, float] = {}
    adjusted, p_values = [], []
    for name, columns in tests.items():
        rank, r2 = int(kept[columns].sum()), float((right[columns, 0] ** 2).sum()) / total
        if e.n - rank - 1 < 1 or not rank:
            continue
        numbers |= {name: e.n * r2, f"{name}_rank": rank, f"{name}_p": chi2_tail(e.n * r2, rank)}
        adjusted.append(1 - (1 - r2) * (e.n - 1) / (e.n - rank - 1))
        p_values.append(numbers[f"{name}_p"])
    if not adjusted:
        raise CannotTestError("there are too few rows")
    words = {"breusch_pagan": "Breusch-Pagan", "white": "White", "white_of_squares": "White without products"}
    told = ", ".join(f"{words[name]} LM = {numbers[name]:.4g}" for name in tests if name in numbers)
    return Outcome(
        effect=max(0.0, *adjusted),
        p_value=min(1.0, min(p_values) * len(p_values)),
        told=told,
        meaning="standard errors that assume one variance are wrong, and noisy rows have too much to say in the fit",
        fix="use robust standard errors, and weights of 1 over the variance",
        code="model.robust(X, y, kind='HC3')",
        numbers=numbers,
    )


@_check("SQ042", "Errors follow earlier errors, features given", "share of the squared error that up to 10 earlier residuals explain", 0.01, 0.25, 3)
def dependence(e: FitEvidence) -> Outcome:
    r"""Add the residuals of earlier rows to the fit (Breusch and Godfrey).

    .. math:: \mathrm{LM} = n R^2, \quad e_t = z_t^\top b + \sum_{l=1}^{L} c_l e_{t-l} + u_t

    Unlike the autocorrelations it is right where features are earlier targets.

    References
    ----------
    Godfrey, L. G. (1978), Econometrica 46(6), doi:10.2307/1913829.
    """
    if not e.ordered:
        raise CannotTestError("the rows were not said to lie in order of time; give order=True if they do")
    if e.is_weighted:
        raise CannotTestError("a series has one row for each time, and takes no weights")
    gain = e.added.gain(e.lags)
    lm = e.n * gain.share
    return Outcome(
        effect=gain.share,
        p_value=chi2_tail(lm, len(e.lags)),
        told=f"Breusch-Godfrey LM = {lm:.4g} over {len(e.lags)} lags",
        meaning=f"{percent(gain.share)} of the MSE can be foretold from earlier errors, and standard errors are wrong",
        fix="add earlier values of the target and of features, and use standard errors that allow for neighbours",
        code="model.robust(X, y, kind='HAC')",
        gain=gain.share,
        numbers={"lm": lm, "f": gain.f},
    )
