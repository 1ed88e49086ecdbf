"""Is the model better than no model, as good on new rows as on its own, and better than the others?"""

import math

from squarely.compare import Pair, at_hand
from squarely.diagnose.evidence import Evidence
from squarely.diagnose.finding import CannotTestError, Outcome, check
from squarely.intervals.student import tails
from squarely.plain import number, one_line, percent

__all__: list[str] = []


def _saved(ratio: float) -> float:
    """Return the share of a squared error that goes where it falls by a ratio."""
    return 1 - 1 / ratio if ratio > 1 else 0.0


@check("SQ033", "Errors on new rows are larger than on training rows", "MSE on these rows over that on the training rows", 1.2, 3.0, 1)
def overfit(e: Evidence) -> Outcome:
    r"""Compare the mean squared error with that of the rows that the model was fitted to.

    .. math:: \log \frac{\mathrm{MSE}_\text{test}}{\mathrm{MSE}_\text{train}} \pm z \sqrt{s_\text{test}^2 + s_\text{train}^2}

    Some gap is expected: for least squares with p columns about (n + p) / (n - p). A training error that is far larger than this one is
    strange too: rows may have leaked.
    """
    if e.training is None:
        raise CannotTestError("the training rows were not given; give training=")
    e.needs_rows()
    e.needs_squares()
    mine, theirs = e.evaluation["mse", e.model], e.training["mse", e.model]
    if not (mine.value > 0 and theirs.value > 0):
        raise CannotTestError("one of the errors is 0")
    ratio = mine.value / theirs.value
    se = math.hypot(mine.se / mine.value, theirs.se / theirs.value)
    return Outcome(
        effect=ratio,
        low=ratio * math.exp(-1.96 * se),
        high=ratio * math.exp(1.96 * se),
        p_value=tails(math.log(ratio) / se, min(mine.n, theirs.n) - 1) if se > 0 else math.nan,
        told=f"RMSE {number(math.sqrt(mine.value))} here and {number(math.sqrt(theirs.value))} on the training rows",
        meaning=f"the model has learnt its training rows: {percent(_saved(ratio))} of the MSE is the price",
        fix="regularise more, stop earlier, or bring more rows; choose by cross-validation",
        code="cross_val_score(model, X, y, scoring=sq.scorer('rmse'))",
        gain=_saved(ratio),
        numbers={"ratio": ratio},
    )


@check("SQ038", "The model is worse than a simple rule", "MSE over that of the best simple rule", 1.0, 1.2, 1)
def skill(e: Evidence) -> Outcome:
    r"""Compare the mean squared error with that of the mean of the targets and, in time, of the last value.

    .. math:: \mathrm{skill} = 1 - \mathrm{MSE} / \mathrm{MSE}_\text{rule}

    The mean is that of these very rows, so it has a small advantage.
    """
    e.needs_rows()
    e.needs_squares()
    s = e.sums
    if s.variance_y == 0:
        raise CannotTestError("targets are all alike: their mean is perfect")
    rules = {"the mean of the targets": e.ratio(s.variance_y, s.w * s.w, 2)}
    last = e.watcher.neighbours.last
    if e.is_ordered and e.is_whole and last.n > 1 and e.evaluation.provenance.weight is None:
        rules["the last value"] = last.sums.total(last.sums.squared_error, 2).rounded() / last.n
    best = min(rules, key=rules.__getitem__)
    if not rules[best] > 0:
        raise CannotTestError("the last value is perfect")
    ratio = e.mse / rules[best]
    spread = e.jackknifed(lambda left: left.squared_error / (left.variance_y / left.w))
    of_mean = best == "the mean of the targets"
    p = tails((spread.value - 1) / spread.se, max(1, e.n - 1)) if of_mean and spread.se > 0 else math.nan
    said = ", ".join(f"{percent(1 - e.mse / mse)} against {rule}" for rule, mse in rules.items() if mse > 0)
    return Outcome(
        effect=ratio,
        low=spread.low if of_mean else math.nan,
        high=spread.high if of_mean else math.nan,
        p_value=p,
        told=f"skill {said}",
        meaning=f"{best[0].upper()}{best[1:]} predicts better: the model does harm",
        fix="look for a shift, a wrong unit or wrongly joined rows first; then start from the simple rule and add to it",
        code="sq.compare(data, target=..., prediction=..., baseline='mean')",
        gain=_saved(ratio),
        numbers={"ratio": ratio},
    )


@check("SQ039", "Another model is better", "MSE over that of the best other model", 1.01, 1.2, 6)
def other_models(e: Evidence) -> Outcome:
    r"""Compare the model with the others on the same rows, by the paired test of ``compare``.

    .. math:: t = \frac{\overline{d}}{s_d / \sqrt{G}}, \quad d = e_a^2 - e_b^2
    """
    models = e.evaluation.models
    if len(models) < 2:
        raise CannotTestError("there is one model; give several predictions to compare them")
    e.needs_rows()
    e.needs_squares()
    comparison = at_hand(e.evaluation)
    if comparison is None:
        raise CannotTestError("the models are not judged on the same rows")
    pairs: dict[str, Pair] = {pair.b if pair.a == e.model else pair.a: pair for pair in comparison if e.model in (pair.a, pair.b)}
    mse = {other: e.evaluation["mse", other].value for other in pairs}
    best = min(mse, key=mse.__getitem__)
    pair = pairs[best]
    ratio = e.mse / mse[best] if mse[best] > 0 else math.inf if e.mse > 0 else 1.0
    ends = (pair if pair.a == e.model else pair.turned).ci
    low, high = (1 + end / mse[best] if mse[best] > 0 else math.nan for end in ends)
    return Outcome(
        effect=ratio,
        low=low,
        high=high,
        p_value=pair.p_adjusted,
        told=f"the MSE of {one_line(best)} is {number(mse[best])}, here {number(e.mse)}; p = {pair.p_adjusted:.2g} for all pairs (Holm)",
        meaning=f"{one_line(best)} takes {percent(_saved(ratio))} off the MSE",
        fix=f"use {one_line(best)}, or find out which rows it does better and why",
        code="sq.compare(data, target=..., prediction=[...])",
        gain=_saved(ratio),
        numbers={"ratio": ratio},
    )
