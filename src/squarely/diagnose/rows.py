"""Are the rows what they seem: complete, one of each, and of one scale?"""

import math
from collections.abc import Callable

import numpy as np

from squarely.diagnose.evidence import Evidence
from squarely.diagnose.finding import CannotTestError, Outcome, check, ends_of
from squarely.plain import number, percent
from squarely.sources import Key
from squarely.state import Ratio

__all__: list[str] = []

_LITTLE = 0.3  # of the rows: where weights leave less, it is told
_ROUND = 1000.0  # a share of rows with targets that are multiples of 1/1000 makes them too coarse to tell copies


@check(
    "SQ025",
    "The targets span orders of magnitude",
    "largest |target| over the median of |target|",
    1e3,
    1e5,
    2,
    ("SQ007", "SQ009", "SQ017", "SQ018", "SQ019", "SQ020", "SQ021", "SQ040"),
)
def target_scale(e: Evidence) -> Outcome:
    r"""Compare the largest target with a usual one.

    .. math:: \max_i |y_i| \,/\, \mathrm{median}_i |y_i|

    Where fewer than 1 % of the rows exceed 10 times the median, the largest are single rows and no scale, and the quantile of 99 % stands
    for the largest. The interval is that of the median, and of this quantile, by order statistics; the largest target is what it is.
    The unit of the MSE is the square of that of the target, so rows of large targets make it. A relative error, or that of the logarithm,
    asks each row for the same percentage.
    """
    e.needs_rows()
    e.needs_squares()
    y, w = e.drawn.y, e.drawn.w
    size = _target_size(e)
    middle, far = size(0.5), size(0.99)
    if not middle > 0:
        raise CannotTestError("half of the targets are 0, and have no scale")
    most = max(abs(e.smallest_target), abs(e.largest_target))
    largest = most if far > 10 * middle else far
    single, half = not far > 10 * middle, 0.98 / math.sqrt(e.effective)
    lower, upper = (size(min(max(0.5 + sign * half, 0.0), 1.0)) for sign in (-1, 1))
    ends = [size(min(max(0.99 + sign * 1.96 * math.sqrt(0.0099 / e.effective), 0.0), 1.0)) if single else most for sign in (-1, 1)]
    down, up = math.hypot(math.log(upper / middle), math.log(ends[0] / largest)), math.inf
    if lower > 0:
        up = math.hypot(math.log(middle / lower), math.log(ends[1] / largest))
    positive = e.smallest_target > 0
    skew = math.nan
    if positive:
        logs = np.log(y)
        d = logs - np.average(logs, weights=w)
        spread = float(np.average(d * d, weights=w))
        skew = float(np.average(d**3, weights=w)) / spread**1.5 if spread > 0 else math.nan
    share = float((w * e.drawn.error**2)[np.abs(y) > 10 * middle].sum() / max(float((w * e.drawn.error**2).sum()), 1e-300))
    loss = "squared error of the logarithm (MSLE)" if positive else "a relative error such as WAPE"
    return Outcome(
        effect=largest / middle,
        low=largest / middle * float(np.exp(-down)),
        high=largest / middle * float(np.exp(up)),
        told=f"the largest target is {largest / middle:.3g} times the median one ({number(middle)})"
        + ("" if math.isnan(skew) else f"; skewness of the logarithm {skew:.2g}"),
        meaning=f"rows whose targets are over 10 times the median make {percent(share)} of the MSE: it hardly sees the others",
        fix=f"report RMSLE or a relative error beside the RMSE, and train on {loss} if all rows matter alike",
        code="sq.msle(y, prediction)" if positive else "sq.wape(y, prediction)",
        gain=share,
        numbers={"ratio": most / middle, "log_skewness": skew},
        source=f"{e.watched}; what they make of the MSE in {e.drawn.source}" if e.is_beyond_sample else e.drawn.source,
    )


def _target_size(e: Evidence) -> Callable[[float], float]:
    """Return the quantiles of |y| by level: of the sizes of all targets where these were counted, else of the targets at hand."""
    if e.is_beyond_sample:
        sizes = e.watcher.targets.sums.sizes
        return lambda level: sizes.quantile(level).rounded()
    size = np.abs(e.drawn.y)
    return lambda level: float(np.quantile(size, level))


@check("SQ027", "One output makes the whole error", "share of the squared error of one of the outputs", 0.9, 0.99, 2)
def output_balance(e: Evidence) -> Outcome:
    r"""Share the squared error among outputs: groups of rows that are named by ``output``.

    .. math:: s_k = \mathrm{MSE}_k / \sum_j \mathrm{MSE}_j, \quad n_\mathrm{eff} = 1 / \sum_k s_k^2

    A mean over outputs of different units is the error of the largest unit. Weights of 1 over the variance of each output even them out.
    The interval takes the squared errors of the outputs as independent; where they rise and fall together it is too wide.
    """
    if e.evaluation.by != ("output",):
        raise CannotTestError("there is one output; give arrays of two dimensions where there are several")
    e.needs_squares()
    states = {key[0]: states[e.at].sums for key, states in e.evaluation.table.groups.items()}
    mse = {name: s.absolute(Ratio(s.squared_error, s.w), 2).rounded() for name, s in states.items() if s.n}
    total = sum(mse.values())
    if len(mse) < 2 or not total > 0:
        raise CannotTestError("there are not two outputs with an error")
    worst = max(mse, key=mse.__getitem__)
    share = mse[worst] / total
    effective = total**2 / sum(each**2 for each in mse.values())
    low, high = ends_of(share, _error_of_output(e, mse, worst))
    return Outcome(
        effect=share,
        low=low,
        high=high,
        told=f"output {worst} makes {percent(share)} of the sum of the MSEs; it is as if there were {effective:.3g} outputs of {len(mse)}",
        meaning="the mean over outputs is the error of one of them, and training serves that one alone",
        fix="scale each target by its standard deviation, or weight outputs by 1 / variance; report R2 of each output",
        code="sq.r2_score(Y, P, multioutput='raw_values')",
        gain=share,
        numbers={"share": share, "effective_outputs": effective},
    )


def _error_of_output(e: Evidence, mse: dict[Key, float], worst: Key) -> float:
    """Return the standard error of the share of an output, from the fourth moments of each (delta method); nan where these are not known."""
    if e.watcher.groups is None:
        return math.nan
    total, variance = sum(mse.values()), 0.0
    for (name,), state in e.states_by("group").items():
        s = state.sums
        fourth = s.total(s.yy, 2).rounded() / s.observations.rounded()
        pull = (1.0 if name == worst else 0.0) - mse[worst] / total
        variance += (pull / total) ** 2 * max(fourth - mse[name] ** 2, 0.0) / e.effective_of(s)
    return math.sqrt(variance)


@check("SQ032", "Rows are missing from the error", "share of rows without a target or prediction", 0.001, 0.05, 0, told=0.0)
def missing(e: Evidence) -> Outcome:
    r"""Count rows that are in no mean, and ask whether they are like the others.

    .. math:: \mathrm{SMD} = \frac{|\bar{\hat y}_\text{missing} - \bar{\hat y}_\text{there}|}{s_{\hat y}}

    Where targets are missing, the predictions there tell whether these rows are like the others: a difference of 0.2 standard
    deviations or more says that the MSE is of another population. Missing predictions are the model's: leaving them out flatters it.

    A single row is told, and from 0.1 % on it is a warning: with so many even rows whose squared error is ten times that of the others change
    the MSE by about 1 %.
    """
    refused = e.state.refused
    gone, rows = sum(refused), e.n + sum(refused)
    e.needs_rows(2)
    no_target, no_prediction = refused[0] + refused[2], refused[1] + refused[3]
    apart = _unlike_missing(e)
    told = f"{no_target:,} of {rows:,} rows have no target, and {no_prediction:,} no prediction"
    like = "" if math.isnan(apart) else f"; predictions there are {apart:.2g} standard deviations from the others"
    unlike = apart >= 0.2
    if no_prediction:
        meaning, fix = (
            "the MSE is that of the rows that the model answers, and flatters it if the others are hard",
            "let the model predict every row, with a fallback; compare models on the same rows",
        )
    elif unlike:
        meaning, fix = (
            "targets are not missing at random: the MSE is of other rows than those that were to be judged",
            "weight rows by 1 / the probability that the target is there, or collect targets for a sample of the missing ones",
        )
    else:
        meaning, fix = "the MSE is of fewer rows than there are", "say how many rows are left out next to every error"
    low, high = _wilson(gone / rows, rows)
    return Outcome(
        effect=gone / rows,
        low=low,
        high=high,
        told=told + like,
        meaning=meaning,
        fix=fix,
        code="sq.evaluate(data, ..., nan_policy='omit_targets')['rmse'].coverage",
        gain=1.0 if no_prediction or unlike else gone / rows,
        numbers={"missing": float(gone), "smd": apart},
        source=e.drawn.source if not math.isnan(apart) else "all rows",
    )


def _wilson(share: float, rows: int) -> tuple[float, float]:
    """Return the interval of Wilson for a share of rows."""
    z2 = 1.96**2 / rows
    middle, half = (share + z2 / 2) / (1 + z2), math.sqrt(z2 * (share * (1 - share) + z2 / 4)) / (1 + z2)
    return max(0.0, middle - half), min(1.0, middle + half)


def _unlike_missing(e: Evidence) -> float:
    """Return how far predictions of rows without a target are from the others, in standard deviations; nan where too few are drawn."""
    sample = e.evaluation.sample
    if sample is None:
        return math.nan
    p = sample.predictions[e.model]
    p = p / max(1.0, float(np.abs(p[np.isfinite(p)]).max(initial=0.0)))  # squares of large ones are no doubles
    there, gone = np.isfinite(p) & np.isfinite(sample.target), np.isfinite(p) & ~np.isfinite(sample.target)
    if gone.sum() < 10 or there.sum() < 10 or not p[there].std() > 0:
        return math.nan
    return abs(float(p[gone].mean() - p[there].mean())) / math.sqrt((float(p[gone].var()) + float(p[there].var())) / 2)


@check("SQ041", "Rows count several times, or hardly at all", "share of the rows that are copies, or that weights lose", 0.1, 0.5, 0)
def effective_rows(e: Evidence) -> Outcome:
    r"""Estimate how many rows the weights leave, and how many are copies of others.

    .. math:: n_\mathrm{eff} = \frac{(\sum w)^2}{\sum w^2}

    Copies are rows with the very target and prediction of another, where targets are not rounded. In a sample of many rows copies are
    seldom seen together, so their share is a lower bound there. Copies that are in training and in test leak.

    What varies is which rows are drawn, with their weights: the interval is that of the influence function of :math:`n_\mathrm{eff} / n`
    where weights decide, and Wilson's of a share of the rows at hand where copies do; where targets are rounded there is none.

    References
    ----------
    Kish, L. (1965), Survey Sampling, section 11.7.
    """
    e.needs_rows()
    by_weight = e.effective / e.n
    y, p = e.drawn.y, e.drawn.p
    copies, ends = 0.0, (math.nan, math.nan)
    if len(np.unique(y)) > 20 and not (y * _ROUND == np.round(y * _ROUND)).mean() > 0.5:
        copies = 1 - len(np.unique(np.column_stack([y, p]), axis=0)) / len(y)
        ends = _wilson(copies, len(y))
    exact = float((y == p).mean())
    lost = 1 - by_weight if by_weight < _LITTLE else 0.0
    effective = by_weight * (1 - copies)
    if copies > lost or not lost:
        said = f"{percent(copies)} of the rows are copies of others"
        fix, code = "remove copies before rows are split into training and test, and find out where they come from", "data.drop_duplicates()"
        meaning = "errors look surer than they are; copies of training rows in the test make a model look good that has learnt by heart"
    else:
        ends = ends_of(lost, _error_of_kish(e))
        said = f"weights leave {percent(by_weight)} of the rows"
        fix, code = "look at the largest weights, and trim them if they are not meant", "sq.evaluate(data, ..., weight=...)['rmse'].se"
        meaning = f"the MSE is as sure as that of {by_weight * e.n:,.0f} rows of one weight"
    return Outcome(
        effect=max(copies, lost),
        low=ends[0],
        high=ends[1],
        told=said + (f"; {percent(exact)} of the predictions hit the target exactly" if exact > 0.01 else ""),
        meaning=meaning,
        fix=fix,
        code=code,
        gain=max(copies, lost),
        numbers={"effective_share": effective, "copies": copies, "exact_hits": exact},
        source=e.drawn.source,
    )


def _error_of_kish(e: Evidence) -> float:
    """Return the standard error of r = mean(w)^2 / mean(w^2): a row has the influence r (2 w / mean(w) - w^2 / mean(w^2) - 1)."""
    w = e.drawn.w / float(e.drawn.w.mean())
    second = float((w * w).mean())
    influence = (2 * w - w * w / second - 1) / second
    return float(influence.std()) / math.sqrt(e.n)
