"""Is the level of the predictions right, and their slope? What a recalibration would win."""

import math

from squarely.decompose import parts_of_sums
from squarely.diagnose.curve import curve_of
from squarely.diagnose.evidence import Evidence
from squarely.diagnose.finding import CannotTestError, Outcome, check
from squarely.diagnose.laws import f_tail
from squarely.intervals.student import tails
from squarely.plain import number, percent

__all__: list[str] = []


@check("SQ001", "Predictions are off by a constant", "share of the MSE that is a constant offset", 0.01, 0.1, 5, ("SQ003", "SQ038"))
def constant_offset(e: Evidence) -> Outcome:
    r"""Judge the mean error.

    .. math:: U_M = \bar e^2 / \mathrm{MSE}, \quad t = \bar e \sqrt{n} / s

    Subtract the mean error from the predictions, or fit an intercept: the MSE falls by this share. The t test is that of the rows, or of
    clusters or blocks of time where these were named.

    References
    ----------
    Theil, H. (1966), Applied Economic Forecasting, p. 26.
    """
    e.needs_errors()
    s = e.sums
    mean, mse = e.ratio(s.error, s.w, 1), e.mse
    se = math.sqrt(e.ratio(s.variance_error, s.w * s.w, 2) / (e.effective - 1))
    t, p = mean / se, tails(mean / se, e.effective - 1)
    spread = e.jackknifed(lambda left: left.error / left.w * 2.0**left.scale)
    low, high = spread.low, spread.high
    if e.way in ("cluster", "order") and spread.se > 0:
        p = tails(spread.value / spread.se, max(1, e.evaluation.uncertainty.left(e.at).filled[0] - 1)) if e.evaluation.uncertainty else p
    ends = sorted((low * low / mse, high * high / mse))
    direction = "high" if mean > 0 else "low"
    return Outcome(
        effect=mean * mean / mse,
        low=0.0 if low < 0 < high else ends[0],
        high=ends[1],
        p_value=p,
        told=f"the mean error is {number(mean)}{'' if math.isnan(low) else f' ({number(low)} to {number(high)})'}; t = {t:.4g}",
        meaning=f"predictions are too {direction} by {number(abs(mean))} throughout, and {percent(mean * mean / mse)} of the MSE is nothing else",
        fix="subtract the mean error from the predictions, or give the model an intercept",
        code=f"prediction = prediction - ({mean:.6g})",
        gain=mean * mean / mse,
        numbers={"mean_error": mean, "t": t},
    )


@check(
    "SQ002",
    "Predictions vary too much or too little",
    "distance of the slope of actual on predicted from 1",
    0.05,
    0.5,
    5,
    ("SQ003", "SQ007", "SQ009", "SQ019", "SQ040"),
)
def slope(e: Evidence) -> Outcome:
    r"""Judge the line of the target on the prediction (Mincer and Zarnowitz).

    .. math:: y = a + b \hat y + u, \quad H_0: a = 0, b = 1

    A slope below 1 says that predictions are spread too wide (overfitting, extrapolation), above 1 that they are too timid (too much
    regularisation). Predictions of a mean have slope 1.

    References
    ----------
    Mincer, J. and Zarnowitz, V. (1969), in Economic Forecasts and Expectations, NBER, pp. 3-46.
    """
    e.needs_errors()
    s = e.sums
    if s.variance_p == 0 or s.variance_y == 0:
        raise CannotTestError("predictions or targets are all alike, and have no slope")
    b = s.covariance / s.variance_p
    a = e.ratio(s.y * s.variance_p - s.covariance * s.p, s.w * s.variance_p, 1)
    residual = s.variance_y * s.variance_p - s.covariance**2  # W^2 Var(u) times W^2 Var(p)
    left_over = e.ratio(residual, s.w * s.w * s.variance_p, 2)
    spread = e.jackknifed(lambda left: left.covariance / left.variance_p)
    ends = "" if math.isnan(spread.se) else f" (slope {spread.low:.4g} to {spread.high:.4g})"
    n = e.effective
    f = math.inf if left_over <= 0 else (e.mse / left_over - 1) * (n - 2) / 2
    gain = max(0.0, 1 - left_over / e.mse)
    p = f_tail(f, 2, n - 2)
    if e.way in ("cluster", "order") and spread.se > 0 and e.evaluation.uncertainty:
        p = tails((b - 1) / spread.se, max(1, e.evaluation.uncertainty.left(e.at).filled[0] - 1))
    low, high = abs(spread.low - 1), abs(spread.high - 1)
    wide = "too wide: high ones are too high and low ones too low" if b < 1 else "too narrow: high ones are too low and low ones too high"
    slope_gain = e.ratio((s.variance_p - s.covariance) ** 2, s.variance_p * s.w * s.w, 2) / e.mse
    return Outcome(
        effect=abs(b - 1) if slope_gain > 0.005 else 0.0,
        low=0.0 if spread.low < 1 < spread.high else min(low, high),
        high=max(low, high),
        p_value=p,
        told=f"actual = {number(a)} + {b:.4g} predicted{ends}; F = {f:.4g} for slope 1 through 0",
        meaning=f"predictions are spread {wide}; the line would take {percent(gain)} off the MSE",
        fix="recalibrate with this line, found on rows that are not the test; then look at regularisation",
        code=f"prediction = {a:.6g} + {b:.6g} * prediction",
        gain=slope_gain,
        numbers={"intercept": a, "slope": b, "f": f},
    )


@check("SQ003", "A line would mend much of the error", "share of the MSE that a line through the predictions removes", 0.1, 0.3, 6)
def removable(e: Evidence) -> Outcome:
    r"""Split the mean squared error as Theil does.

    .. math:: 1 = U_M + U_S + U_C

    Bias and slope can be mended without a new model; what is left scatters. This says how much of the MSE is worth a recalibration.

    References
    ----------
    Theil, H. (1966), Applied Economic Forecasting, p. 26.
    """
    e.needs_errors()
    parts = parts_of_sums("theil", e.sums)
    total = parts.total
    bias, slope_share, scatter = (float(parts.parts[name] / total) for name in ("bias", "slope", "scatter"))
    if e.sums.variance_p == 0:
        raise CannotTestError("predictions are all alike, and have no slope")
    spread = e.jackknifed(lambda left: 1 - (left.variance_y - left.covariance**2 / left.variance_p) / left.w / left.squared_error)
    effect = bias + slope_share
    return Outcome(
        effect=effect,
        low=max(0.0, spread.low),
        high=min(1.0, spread.high),
        p_value=0.0 if spread.low > 0 else 1.0,
        told=f"bias {percent(bias)}, slope {percent(slope_share)}, scatter {percent(scatter)} of the MSE",
        meaning=f"{percent(effect)} of the MSE goes away with a straight line, without a new model",
        fix="recalibrate before anything else is tried; compare models after it",
        code="sq.decompose(y, prediction, kind='theil')",
        gain=effect,
        numbers={"bias": bias, "slope": slope_share, "scatter": scatter},
    )


@check("SQ004", "Predictions are miscalibrated, and not along a line", "share of the MSE that is miscalibration beyond a line", 0.05, 0.2, 6)
def miscalibration(e: Evidence) -> Outcome:
    r"""Judge the rising function of the predictions that fits the target best (CORP).

    .. math:: \mathrm{MSE} = \mathrm{MCB} - \mathrm{DSC} + \mathrm{UNC}

    Isotonic regression fits noise too, so what it wins is judged on rows that it was not fitted to: every other row in the order of the
    predictions fits a curve and a line for the rows between, and the curve must win over the line, which SQ002 tells of.

    Where rows are too many to be kept they are summed exactly in about 1,000 bins of the prediction, which stand for rows. Where a few
    predictions lie so far out that bins of one width would be coarse, a sample of the rows is judged, and said to be.

    References
    ----------
    Dimitriadis, T., Gneiting, T. and Jordan, A. I. (2021), doi:10.1073/pnas.2016191118.
    """
    e.needs_errors()
    curve = curve_of(e)
    won = curve.won
    beyond = won.value
    return Outcome(
        effect=beyond,
        low=won.low,
        high=won.high,
        p_value=curve.p_value,
        told=f"miscalibration {percent(curve.miscalibration)}, discrimination {percent(curve.discrimination)}, "
        f"uncertainty {percent(curve.uncertainty)} of the MSE, in {curve.steps:,} steps",
        meaning=f"a rising curve through the predictions takes {percent(beyond)} off the MSE that no line does",
        fix="recalibrate with isotonic regression on rows that are not the test, or add the term that bends",
        code="IsotonicRegression(out_of_bounds='clip').fit(prediction_valid, y_valid).predict(prediction)",
        gain=beyond,
        numbers={
            "miscalibration": curve.miscalibration,
            "discrimination": curve.discrimination,
            "uncertainty": curve.uncertainty,
            "steps": float(curve.steps),
        },
        source=curve.source,
    )
