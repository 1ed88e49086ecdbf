"""What the features of a fit say: collinearity, digits, single rows, what was fitted to noise."""

from functools import partial

import numpy as np

from squarely.diagnose.finding import CannotTestError, Outcome, check
from squarely.linear.checks_of_errors import FIT_CHECKS
from squarely.linear.collinearity import lengths_of
from squarely.linear.evidence import FitEvidence
from squarely.linear.influence import Influence
from squarely.plain import percent

__all__ = ["FIT_CHECKS", "TOLD_INFLATION"]

_check = partial(check, registry=FIT_CHECKS)
TOLD_INFLATION = 5.0  # an inflation from where on the combination behind it is named
_DIGITS = -np.log10(np.finfo(np.float64).eps / 2)


@_check("SQ015", "Features say nearly the same", "largest variance inflation of a coefficient", 10.0, 1000.0, 3, ("SQ037",))
def collinearity(e: FitEvidence) -> Outcome:
    r"""Ask how well each feature is foretold by the others, and name the combination that varies least.

    .. math:: \mathrm{VIF}_j = \frac{1}{1 - R_j^2}

    Told beside it: the condition number of the columns, the intercept among them, each scaled to length 1 (above 30 is large). It grows with
    means too, which do no harm, so the inflation decides. A feature that depends on others altogether counts as infinitely inflated.

    References
    ----------
    Belsley, D. A., Kuh, E., Welsch, R. E. (1980), Regression Diagnostics, doi:10.1002/0471725153.
    """
    found, dropped = e.collinearity, [name for name, keep in zip(e.features, e.equations.factor.kept, strict=True) if not keep]
    if not found.names and not dropped:
        raise CannotTestError("there is no feature")
    largest = float("inf") if dropped else float(found.inflations.max())
    told = ""
    if dropped:
        told = f"; {', '.join(map(repr, dropped[:6]))} {'depends' if len(dropped) == 1 else 'depend'} on other features"
    elif largest > TOLD_INFLATION:
        told = f"; {found.words} hardly varies"
    return Outcome(
        effect=largest,
        told=f"VIF {largest:.3g}, condition number {found.condition_number:.3g}{told}",
        meaning=f"intervals of coefficients are up to {largest**0.5:.3g} times as wide; predictions of rows like these do not suffer",
        fix="leave one of these features out, combine them, or use ridge regression",
        code="Collinearity.of(model.equations_).inflations",
        numbers={
            "condition_number": found.condition_number,
            "centred_condition_number": found.centred_condition_number,
            **{f"vif_{name}": float(each) for name, each in zip(found.names, found.inflations, strict=True)},
        },
    )


@_check("SQ016", "The digits of the data do not carry the coefficients", "digits that rounding of the features takes away", 10.0, 14.0, 0)
def digits(e: FitEvidence) -> Outcome:
    r"""Ask how many digits of the coefficients the roundings of the features leave.

    .. math:: \log_{10} \kappa, \quad \kappa = \sigma_\text{max} / \sigma_\text{min} \text{ of the columns, each scaled to length 1}

    A change of the last digit of a feature moves coefficients by up to :math:`\kappa` times that. The solution itself loses none of these
    digits: it is that of the numbers given, to the last place.

    References
    ----------
    Higham, N. J. (2002), Accuracy and Stability of Numerical Algorithms, 20.1, doi:10.1137/1.9780898718027.
    """
    lost = float(np.log10(e.collinearity.condition_number))
    return Outcome(
        effect=lost,
        told=f"condition number {e.collinearity.condition_number:.3g} of the scaled columns; about {max(0.0, _DIGITS - lost):.1f} digits are left",
        meaning="coefficients change in digits that look sure when features are rounded, as in a file of fewer digits or in float32",
        fix="subtract a typical value from the features, or form powers with poly(), which keeps 32 digits",
        code="LinearRegression(features=[poly('x', 3)])",
        numbers={"digits_left": max(0.0, _DIGITS - lost)},
    )


@_check("SQ022", "A row has its prediction nearly to itself", "largest leverage, over the larger of 0.2 and 3 k / n", 1.0, 3.0, 2)
def leverage(e: FitEvidence) -> Outcome:
    r"""Look for rows far from all others in the space of features.

    .. math:: h_i = w_i z_i^\top (Z^\top W Z)^{-1} z_i, \quad \textstyle\sum h_i = k

    References
    ----------
    Hoaglin, D. C. and Welsch, R. E. (1978), American Statistician 32(1), doi:10.1080/00031305.1978.10479237.
    """
    rows = _seen(e.leverages)
    limit = max(0.2, 3 * e.k / e.n)
    top = float(rows.leverages[0])
    many = int((rows.leverages > limit).sum())
    return Outcome(
        effect=top / limit,
        told=f"{_row(rows)} has a leverage of {top:.3g}; the mean is {e.k / e.n:.3g}, and {_at_least(many)} above {limit:.3g}",
        meaning=f"{percent(top)} of the prediction of this row is its own target",
        fix="look at the row: a wrong unit, a typing error, or the only row of its kind",
        code="model.influence(X, y, top=10, by='leverages').to_frame()",
        gain=0.0,
        numbers={"leverage": top, "mean": e.k / e.n},
    )


@_check("SQ023", "A row decides the coefficients", "largest distance of Cook", 0.5, 1.0, 2)
def cook(e: FitEvidence) -> Outcome:
    r"""Ask how far the coefficients move without a row.

    .. math:: D_i = \frac{(b - b_{(i)})^\top Z^\top W Z\,(b - b_{(i)})}{k s^2}

    References
    ----------
    Cook, R. D. (1977), Technometrics 19(1), doi:10.2307/1268249.
    """
    e.needs_residuals()
    rows = _seen(e.influence)
    top = float(rows.cooks_distances[0])
    name = rows.names[int(np.nanargmax(np.abs(rows.dfbetas[0])))] if np.isfinite(rows.dfbetas[0]).any() else "-"
    move = float(np.nanmax(np.abs(rows.dfbetas[0]))) if np.isfinite(rows.dfbetas[0]).any() else float("nan")
    return Outcome(
        effect=top,
        told=f"{_row(rows)} has a distance of {top:.3g}; {e.many:,} rows have more than 4 / n",
        meaning=f"without this row the coefficient of {name!r} moves by {move:.3g} of its standard errors",
        fix="look at the row first; if it is right, fit with a robust loss and report both",
        code="model.influence(X, y, top=10).to_frame()",
        numbers={"cook": top, "above_4_n": e.many},
    )


@_check("SQ037", "Shrunken coefficients predict better", "share of the squared error on new rows that shrinkage is expected to save", 0.02, 0.2, 5)
def shrinkage(e: FitEvidence) -> Outcome:
    r"""Ask what shrinking all predictions towards the mean (James and Stein) and ridge regression are expected to save.

    .. math:: 1 - \frac{(p - 2)\, s^2 \nu / (\nu + 2)}{\lVert R b \rVert^2}, \qquad
        \mathrm{GCV}(\alpha) = \frac{n\,\mathrm{RSS}(\alpha)}{(n - \operatorname{tr} H_\alpha)^2}

    Ridge regression is that of features over their standard deviations.

    References
    ----------
    James, W. and Stein, C. (1961), Proc. 4th Berkeley Symp. 1. Golub, G. H., Heath, M., Wahba, G. (1979), Technometrics 21(2),
    doi:10.1080/00401706.1979.10489751.
    """
    e.needs_residuals()
    p, freedom = e.equations.factor.rank, e.inference.freedom
    if p < 3:
        raise CannotTestError("it takes three features to gain by shrinkage")
    explained = float(e.equations.total_squares[0]) - e.squares
    noise = e.variance * freedom / (freedom + 2)
    factor = max(0.0, 1 - (p - 2) * noise / explained)
    stein = min((p - 2) ** 2 * noise / explained, float(p)) / (e.n + e.k)
    alpha, saved = _ridge(e)
    return Outcome(
        effect=max(stein, saved),
        told=f"James-Stein: a factor of {factor:.3g} saves {percent(stein)}; ridge with alpha = {alpha:.3g} per row saves {percent(saved)} by GCV",
        meaning=f"about {percent(max(stein, saved))} of the squared error on new rows is noise that was fitted",
        fix="use ridge regression, with alpha by cross-validation",
        code=f"make_pipeline(StandardScaler(), Ridge(alpha={alpha * e.n:.3g})).fit(X, y)",
        gain=max(stein, saved),
        numbers={"james_stein": factor, "james_stein_saves": stein, "alpha_per_row": alpha, "ridge_saves": saved},
    )


def _ridge(e: FitEvidence) -> tuple[float, float]:
    """Return the alpha of the smallest GCV, of features of standard deviation 1 and means of rows, and the share it saves."""
    kept = e.equations.factor.kept
    root, right = e.equations.root
    columns = root[np.ix_(kept, kept)]
    turned, sizes, _ = np.linalg.svd(columns / lengths_of(columns))
    along, squares = turned.T @ right[kept, 0], sizes**2
    alphas = np.concatenate([[0.0], np.logspace(-8, 3, 221)])[:, None]
    lost = e.squares + ((alphas / (squares + alphas) * along) ** 2).sum(axis=1)
    left = e.n - e.equations.intercept - (squares / (squares + alphas)).sum(axis=1)
    gcv = e.n * lost / left**2
    best = int(np.argmin(gcv))
    return float(alphas[best, 0]), float(1 - gcv[best] / gcv[0])


@_check(
    "SQ043",
    "Errors on new rows are far larger than those of the fit",
    "MSE of the rows left out one by one, over that of the fit",
    1.2,
    3.0,
    1,
    ("SQ037",),
)
def overfitting(e: FitEvidence) -> Outcome:
    r"""Compare the squared error of each row under the fit to all other rows with that of the fit.

    .. math:: \frac{\frac1n \sum w_i e_i^2 / (1 - h_i)^2}{\frac1n \sum w_i e_i^2}, \quad \text{expected } \frac{n + k}{n - k}

    References
    ----------
    Allen, D. M. (1974), Technometrics 16(1), doi:10.1080/00401706.1974.10489157.
    """
    e.needs_residuals()
    ratio, expected = e.press / e.squares, (e.n + e.k) / (e.n - e.k)
    if np.isnan(ratio):
        raise CannotTestError("a row alone decides a coefficient: there is no fit without it")
    beyond = "as much as so many coefficients cost" if ratio <= 1.5 * expected else "more than so many coefficients cost: single rows decide"
    return Outcome(
        effect=ratio,
        told=f"rows left out one by one have {ratio:.4g} times the MSE of the fit; {expected:.4g} is expected of {e.k} coefficients for {e.n:,} rows",
        meaning=f"the MSE of the fit flatters it: {beyond}",
        fix="leave features out, use ridge regression, or bring more rows; report the MSE of rows left out",
        code="model.influence(X, y, top=1).loo_mse",
        gain=1 - 1 / ratio,
        numbers={"ratio": ratio, "expected": expected},
    )


def _seen(rows: Influence | None) -> Influence:
    if rows is None or not len(rows.rows):
        raise CannotTestError("no rows are at hand")
    return rows


def _row(rows: Influence) -> str:
    """Name the first row as the checks of errors do, and as ``influence`` counts."""
    return f"row {rows.rows[0] + 1:,} (index {rows.rows[0]:,})"


def _at_least(count: int) -> str:
    return f"{count} of the ten largest are" if count != 1 else "one is"
