"""What each check measures is what its textbook definition, or a well-known implementation of it, says of the same rows."""

from __future__ import annotations

import csv
import math
from collections import Counter
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from model_diagnostics import scoring
from scipy import integrate, optimize, stats
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import r2_score
from statsmodels.regression.linear_model import OLS, WLS
from statsmodels.stats.diagnostic import acorr_ljungbox, het_breuschpagan
from statsmodels.stats.stattools import durbin_watson
from statsmodels.tools.tools import add_constant
from statsmodels.tsa.stattools import acf

import squarely as sq

ROOT = Path(__file__).resolve().parent.parent.parent
Array = Any
EXACT = 1e-9  # relative


def columns(path: Path) -> dict[str, list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {name: [row[name] for row in rows] for name in rows[0]}


def floats(values: list[str]) -> Array:
    return np.array([float(value) for value in values])


DIABETES = columns(ROOT / "examples" / "diabetes.csv")
NORRIS = columns(ROOT / "tests" / "norris.csv")  # NIST/ITL Statistical Reference Datasets, a work of the US Government
ACTUAL = floats(DIABETES["actual"])
MODELS = {name: floats(DIABETES[name]) for name in ("linear", "ridge", "boosting")}
AGE = np.array(DIABETES["age_band"])
PAIRS = {
    **{name: (ACTUAL, values) for name, values in MODELS.items()},
    "off": (ACTUAL, MODELS["linear"] + 60),
    "norris": (floats(NORRIS["y"]), floats(NORRIS["x"])),
}
REAL = pytest.mark.parametrize(("y", "p"), PAIRS.values(), ids=PAIRS)


def series(n: int = 1500) -> tuple[Array, Array]:
    """Predictions of the linear model, drawn again, with errors that remember, have a season, and grow with the prediction."""
    rng = np.random.default_rng(20240601)
    p = rng.choice(MODELS["linear"], n)
    e, noise = np.zeros(n), rng.standard_t(5, n)
    for t in range(n):
        e[t] = 0.4 * e[t - 1] + noise[t] * (1 + p[t] / 150) * 10 + (15 if t % 7 == 0 else 0)
    return p - e, p


def sigmas(y: Array, p: Array) -> Array:
    return np.random.default_rng(7).uniform(20, 90, len(y)) * (1 + np.abs(p) / 400)


def measured(y: Any, p: Any = None, **more: Any) -> dict[str, dict[str, float]]:
    """The statistics of every check of the first model."""
    diagnosis = sq.diagnose(y, p, **more)
    return dict(diagnosis.statistics[next(iter(diagnosis.statistics))])


def close(found: float, expected: float, *, rel: float = EXACT) -> bool:
    return found == pytest.approx(float(expected), rel=rel, abs=1e-300)


# --- level and slope ----------------------------------------------------------------------------------------------


@pytest.mark.parity("SQ001", peer="scipy ttest_1samp")
@REAL
def test_sq001_is_the_t_test_of_one_sample(y: Array, p: Array) -> None:
    found, expected = measured(y, p)["SQ001"], stats.ttest_1samp(p - y, 0)
    assert close(found["t"], expected.statistic)
    assert close(found["p_value"], expected.pvalue)
    assert close(found["mean_error"], math.fsum(p - y) / len(y))
    assert close(found["effect"], (math.fsum(p - y) / len(y)) ** 2 / np.mean((p - y) ** 2))


@pytest.mark.parity("SQ002", peer="statsmodels OLS")
@REAL
def test_sq002_is_the_line_of_least_squares(y: Array, p: Array) -> None:
    found, fit = measured(y, p)["SQ002"], OLS(y, add_constant(p)).fit()
    test = fit.f_test("const = 0, x1 = 1")
    assert close(found["intercept"], fit.params[0])
    assert close(found["slope"], fit.params[1])
    assert close(found["f"], test.fvalue)
    assert close(found["p_value"], test.pvalue)
    mended = (fit.params[1] - 1) ** 2 * np.var(p) / np.mean((p - y) ** 2)  # by the slope alone: of less than 1 in 200 nothing is said
    assert close(found["effect"], abs(fit.params[1] - 1) if mended > 0.005 else 0)


@pytest.mark.parity("SQ003", peer="its definition in fractions")
@REAL
def test_sq003_is_the_split_of_theil(y: Array, p: Array) -> None:
    found, n = measured(y, p)["SQ003"], len(y)
    ys, ps = [Fraction(v) for v in y.tolist()], [Fraction(v) for v in p.tolist()]
    mean_y, mean_p = sum(ys) / n, sum(ps) / n
    mse = sum((a - b) ** 2 for a, b in zip(ys, ps, strict=True)) / n
    vy, vp = sum((a - mean_y) ** 2 for a in ys) / n, sum((b - mean_p) ** 2 for b in ps) / n
    covariance = sum((a - mean_y) * (b - mean_p) for a, b in zip(ys, ps, strict=True)) / n
    assert close(found["bias"], float((mean_p - mean_y) ** 2 / mse), rel=1e-15)
    assert close(found["slope"], float((vp - covariance) ** 2 / vp / mse), rel=1e-15)
    assert close(found["scatter"], float((vy - covariance**2 / vp) / mse), rel=1e-15)


@pytest.mark.parity("SQ004", peer="model-diagnostics decompose")
@REAL
def test_sq004_is_the_decomposition_of_model_diagnostics(y: Array, p: Array) -> None:
    found = measured(y, p)["SQ004"]
    expected = scoring.decompose(y, p, scoring_function=scoring.SquaredError(), functional="mean").to_dicts()[0]
    for name in ("miscalibration", "discrimination", "uncertainty"):
        assert close(found[name], expected[name] / expected["score"])


@pytest.mark.parity("SQ004", peer="scikit-learn IsotonicRegression, numpy polyfit")
@pytest.mark.parametrize("bend", [0.0, 0.02])
def test_sq004_is_what_a_rising_curve_wins_on_the_rows_between(bend: float) -> None:
    p = np.sort(MODELS["linear"])
    y = p + bend * np.maximum(p - 150, 0) ** 2 + np.random.default_rng(8).normal(size=len(p)) * 30
    won = []
    for fit, judge in ((slice(0, None, 2), slice(1, None, 2)), (slice(1, None, 2), slice(0, None, 2))):
        curve = np.interp(p[judge], p[fit], IsotonicRegression().fit_transform(np.arange(len(p[fit])), y[fit]))
        line = np.polyval(np.polyfit(p[fit], y[fit], 1), p[judge])
        won.append((y[judge] - line) ** 2 - (y[judge] - curve) ** 2)
    gain, found = np.concatenate(won), measured(y, p)["SQ004"]
    assert close(found["effect"], max(0.0, gain.sum() / np.sum((p - y) ** 2)))
    t = gain.mean() / gain.std() * math.sqrt(len(y) - 1)
    assert close(found["p_value"], 2 * stats.t.sf(t, len(y) - 1) if t > 0 else 1)
    assert (found["effect"] > 0.05) == (bend > 0)


# --- variance -----------------------------------------------------------------------------------------------------


@pytest.mark.parity("SQ007", peer="statsmodels het_breuschpagan")
@REAL
def test_sq007_is_the_test_of_breusch_and_pagan(y: Array, p: Array) -> None:
    found = measured(y, p)["SQ007"]
    lm, probability, _, _ = het_breuschpagan(p - y, add_constant(p), robust=True)
    assert close(found["lm"], lm)
    assert close(found["r2"], lm / len(y))
    assert close(found["p_value"], probability)
    tenths = np.array_split((p - y)[np.argsort(p, kind="stable")] ** 2, 10)
    assert close(found["tenths_ratio"], tenths[-1].mean() / tenths[0].mean())


@pytest.mark.parity("SQ009", peer="statsmodels OLS of logarithms")
@pytest.mark.parametrize("name", ["linear", "ridge", "boosting", "series"])
def test_sq009_is_the_regression_of_park(name: str) -> None:
    y, p = series() if name == "series" else PAIRS[name]
    p = np.abs(p)
    wrong = p != y  # of a perfect prediction there is no logarithm
    fit = OLS(np.log((p - y)[wrong] ** 2), add_constant(np.log(p[wrong]))).fit()
    found = measured(y, p)["SQ009"]
    assert close(found["power"], fit.params[1])
    assert close(found["se"], fit.bse[1])
    assert close(found["p_value"], fit.pvalues[1])


@pytest.mark.parity("SQ010", peer="scipy obrientransform")
@pytest.mark.parametrize("name", list(MODELS))
def test_sq010_is_the_test_of_o_brien(name: str) -> None:
    p = MODELS[name]
    bands = [band for band, rows in Counter(AGE.tolist()).items() if rows >= 20]
    groups = [(p - ACTUAL)[np.isin(AGE, band)] for band in bands]
    expected = stats.f_oneway(*stats.obrientransform(*groups))
    variances = [np.var(group, ddof=1) for group in groups]
    found = measured(ACTUAL, p, by={"age": AGE})["SQ010"]
    assert close(found["f"], expected.statistic)
    assert close(found["p_value"], expected.pvalue)
    assert close(found["ratio"], max(variances) / min(variances))


# --- dependence ---------------------------------------------------------------------------------------------------


def ordered() -> dict[str, tuple[Array, Array]]:
    return {"series": series(), "linear": PAIRS["linear"], "off": PAIRS["off"], "norris": PAIRS["norris"]}


@pytest.mark.parity("SQ011", "SQ012", peer="statsmodels acf, durbin_watson, acorr_ljungbox")
@pytest.mark.parametrize("name", list(ordered()))
def test_sq011_and_sq012_are_the_autocorrelations(name: str) -> None:
    y, p = ordered()[name]
    e, found = p - y, measured(y, p, order=True)
    r = acf(e, nlags=10, fft=False, adjusted=False)
    assert close(found["SQ011"]["r1"], r[1])
    assert close(found["SQ011"]["durbin_watson"], durbin_watson(e))
    assert close(found["SQ011"]["p_value"], 2 * stats.norm.sf(abs(r[1]) * math.sqrt(len(e))))
    for lag in range(1, 11):
        assert close(found["SQ012"][f"r{lag}"], r[lag])
    table = acorr_ljungbox(e, lags=[10])
    assert close(found["SQ012"]["q"], table["lb_stat"].iloc[0])
    assert close(found["SQ012"]["p_value"], table["lb_pvalue"].iloc[0])


@pytest.mark.parity("SQ013", peer="scipy f_oneway")
@pytest.mark.parametrize("name", list(MODELS))
@pytest.mark.parametrize("effect", [0.0, 30.0])
def test_sq013_is_the_analysis_of_variance_of_clusters(name: str, effect: float) -> None:
    rng = np.random.default_rng(11)
    clinic = rng.integers(0, 30, len(ACTUAL))
    p = MODELS[name] + effect * rng.normal(size=30)[clinic]
    groups = [(p - ACTUAL)[clinic == at] for at in np.unique(clinic)]
    k, n = len(groups), len(ACTUAL)
    between = sum(len(g) * (g.mean() - (p - ACTUAL).mean()) ** 2 for g in groups) / (k - 1)
    within = sum(((g - g.mean()) ** 2).sum() for g in groups) / (n - k)
    size = (n - sum(len(g) ** 2 for g in groups) / n) / (k - 1)
    icc = (between - within) / (between + (size - 1) * within)
    expected = stats.f_oneway(*groups)
    for found in (measured(ACTUAL, p, cluster=clinic)["SQ013"], measured(ACTUAL, p, by={"clinic": clinic})["SQ013"]):
        assert close(found["icc"], icc)
        assert close(found["design_effect"], 1 + (size - 1) * icc)
        assert close(found["f"], expected.statistic)
        assert close(found["p_value"], expected.pvalue)


@pytest.mark.parity("SQ035", peer="scipy f_oneway")
@pytest.mark.parametrize("step", [0.0, 40.0])
def test_sq035_is_the_analysis_of_variance_of_blocks(step: float) -> None:
    y, p = series()
    p = p + step * (np.arange(1500) > 1100)
    e = p - y
    blocks = [e[at : at + 64] for at in range(0, 1500, 64)]  # 24 blocks of 64 neighbours, the last cut
    quarters = [blocks[at : at + 6] for at in range(0, 24, 6)]
    squares = stats.f_oneway(*([np.mean(block**2) for block in quarter] for quarter in quarters)).pvalue
    levels = stats.f_oneway(*([block.mean() for block in quarter] for quarter in quarters)).pvalue
    whole = [np.concatenate(quarter) for quarter in quarters]
    mse, mean = [np.mean(quarter**2) for quarter in whole], [quarter.mean() for quarter in whole]
    found = measured(y, p, order=True)["SQ035"]
    assert close(found["ratio"], max(mse) / min(mse))
    assert close(found["shift"], (max(mean) - min(mean)) / e.std())
    assert close(found["p_value"], min(1.0, 2 * min(squares, levels)))


# --- tails --------------------------------------------------------------------------------------------------------


@pytest.mark.parity("SQ017", peer="scipy jarque_bera")
@REAL
def test_sq017_is_the_test_of_jarque_and_bera(y: Array, p: Array) -> None:
    found, e = measured(y, p)["SQ017"], p - y
    assert close(found["skewness"], stats.skew(e))
    assert close(found["excess_kurtosis"], stats.kurtosis(e))
    assert close(found["jarque_bera"], stats.jarque_bera(e).statistic)
    assert close(found["p_value"], stats.jarque_bera(e).pvalue)


@pytest.mark.parity("SQ018", peer="its definition on sorted errors, to a bucket of sizes")
@pytest.mark.parametrize("degrees", [1.5, 3.0, 30.0])
def test_sq018_is_the_estimate_of_hill(degrees: float) -> None:
    """Sizes are known to half a bucket of 2^-7 each, so the mean of logarithms over the least is known to a bucket."""
    p = np.tile(MODELS["linear"], 10)
    e = 10 * np.random.default_rng(3).standard_t(degrees, len(p))
    y = p - e
    k = len(p) // 64
    largest = np.sort(np.abs(p - y))[::-1][:k]
    excess = np.log(largest / largest[-1]).sum() / k
    found = measured(y, p)["SQ018"]
    assert abs(1 / found["index"] - excess) <= 2**-7
    assert close(found["bound"], found["index"] * (1 + 1.645 / math.sqrt(k)))


def noisy(law: str) -> tuple[Array, Array]:
    rng, p = np.random.default_rng(5), np.tile(MODELS["ridge"], 3)
    n = len(p)
    e = {
        "normal": rng.normal(size=n),
        "laplace": rng.laplace(size=n),
        "t": rng.standard_t(3, n),
        "contaminated": np.where(rng.random(n) < 0.05, 8.0, 1.0) * rng.normal(size=n),
    }[law]
    return p - 20 * e - 3, p


@pytest.mark.parity("SQ019", peer="scipy fit and minimize")
@pytest.mark.parametrize("law", ["normal", "laplace", "t", "contaminated", "linear", "boosting"])
def test_sq019_is_the_likelihood_of_scipy(law: str) -> None:
    """Student's and the contaminated law where the errors tell their parameters: of a normal law they would end at a bound."""
    y, p = PAIRS[law] if law in PAIRS else noisy(law)
    found, e = measured(y, p)["SQ019"], p - y
    assert close(found["aic_normal"], 4 - 2 * stats.norm.logpdf(e, *stats.norm.fit(e)).sum())
    assert close(found["aic_Laplace"], 4 - 2 * stats.laplace.logpdf(e, *stats.laplace.fit(e)).sum())
    centre, spread = float(np.median(e)), float(e.std())

    def student(theta: Array) -> float:
        return -float(stats.t.logpdf(e, math.exp(theta[0]), centre + theta[1] * spread, math.exp(theta[2]) * spread).sum())

    def mixture(theta: Array) -> float:
        share, place, core = 1 / (1 + math.exp(-theta[0])), centre + theta[1] * spread, math.exp(theta[2]) * spread
        wide = core + math.exp(theta[3]) * spread
        return -float(np.log((1 - share) * stats.norm.pdf(e, place, core) + share * stats.norm.pdf(e, place, wide)).sum())

    far = {"method": "Nelder-Mead", "options": {"maxiter": 9000, "maxfev": 9000, "xatol": 1e-10, "fatol": 1e-10}}
    if law in ("laplace", "t", "contaminated"):
        assert close(found["aic_Student"], 6 + 2 * optimize.minimize(student, [1, 0, -0.3], **far).fun)
    if law in ("t", "contaminated"):
        best = min(optimize.minimize(mixture, [share, 0, -0.5, 1], **far).fun for share in (-3, -1))
        assert close(found["aic_contaminated normal"], 8 + 2 * best)


@pytest.mark.parametrize("law", ["normal", "laplace", "t", "contaminated", "linear", "boosting"])
def test_laws_that_the_errors_hardly_tell_apart_are_nearly_the_best(law: str) -> None:
    y, p = PAIRS[law] if law in PAIRS else noisy(law)
    found, e = measured(y, p)["SQ019"], p - y
    n = len(e)
    student = stats.t.fit(e, *([4] if law == "t" else [10]), loc=np.median(e), scale=e.std() * 0.8)
    if student[0] < 60:  # the largest of those that are tried: from there on it is the normal law
        assert (6 - found["aic_Student"]) / 2 >= stats.t.logpdf(e, *student).sum() - 1e-6 * n
    assert (6 - found["aic_Student"]) / 2 <= stats.t.logpdf(e, *student).sum() + 1e-2 * n

    def mixture(x: Array, share: float, place: float, core: float, wide: float) -> Array:
        return (1 - share) * stats.norm.pdf(x, place, core) + share * stats.norm.pdf(x, place, wide)

    def loss(theta: Array) -> float:
        share, place, core, more = 1 / (1 + math.exp(-theta[0])), theta[1], math.exp(theta[2]), math.exp(theta[3])
        return -float(np.log(mixture(e, share, place, core, core + more)).sum())

    core = 1.4826 * float(np.median(np.abs(e - np.median(e))))
    fits = [
        optimize.minimize(loss, [a, np.median(e), math.log(core), math.log(b * core)], method="Nelder-Mead", options={"maxiter": 4000})
        for a in (-3, -1)
        for b in (1.0, 4.0)
    ]
    best = min(fits, key=lambda fit: fit.fun)
    if law == "contaminated":
        assert (8 - found["aic_contaminated normal"]) / 2 == pytest.approx(-best.fun, abs=1e-6 * n)
        share, place, core = 1 / (1 + math.exp(-best.x[0])), 0.0, math.exp(best.x[2])
        wide = core + math.exp(best.x[3])
        information = integrate.quad(
            lambda t: (
                ((1 - share) * stats.norm.pdf(t, 0, core) * t / core**2 + share * stats.norm.pdf(t, 0, wide) * t / wide**2) ** 2
                / mixture(t, share, place, core, wide)
            ),
            -8 * wide,
            8 * wide,
            limit=500,
        )[0]
        assert close(found["efficiency"], 1 / (information * ((1 - share) * core**2 + share * wide**2)), rel=1e-3)
    if law == "t":
        nu = student[0]
        assert close(found["efficiency"], (nu - 2) * (nu + 3) / (nu * (nu + 1)), rel=1e-3)
    assert -best.fun - 1e-4 * n <= (8 - found["aic_contaminated normal"]) / 2 <= -best.fun + 1e-4 * n


@pytest.mark.parity("SQ040", peer="theory: no package has it")
@pytest.mark.parametrize(("law", "efficiency"), [("normal", 1.0), ("laplace", 0.5)])
def test_sq040_is_the_efficiency_of_the_mean_under_the_best_law(law: str, efficiency: float) -> None:
    """Where errors are those of Laplace the median has half the variance of the mean."""
    found = measured(*noisy(law))["SQ040"]
    assert (found["efficiency"], found["effect"]) == (efficiency, 1 - efficiency)


@pytest.mark.parity("SQ020", peer="its definition on sorted errors")
@pytest.mark.parametrize("name", ["linear", "ridge", "boosting", "off", "series"])
def test_sq020_is_the_share_of_sorted_squares(name: str) -> None:
    y, p = series() if name == "series" else PAIRS[name]
    squares = np.sort((p - y) ** 2)[::-1]
    found, few = measured(y, p)["SQ020"], len(y) // 100
    for number, count in (("top_1", 1), ("top_10", 10), ("top_percent", few)):
        assert close(found[number], squares[:count].sum() / squares.sum())


@pytest.mark.parity("SQ021", peer="statsmodels outlier_test")
@pytest.mark.parametrize("name", [*PAIRS, "series", "outliers", "off the other way"])
def test_sq021_is_the_test_of_outliers_of_statsmodels(name: str) -> None:
    y, p = PAIRS.get(name) or (series() if name == "series" else PAIRS["linear"])
    if name == "outliers":
        p = p + np.where(np.arange(len(p)) % 150 == 3, 800, 0)
    if name == "off the other way":  # the outliers have the smallest squares
        p = p + 1000 - np.where(np.arange(len(p)) % 150 == 3, 1000, 0)
    influence = OLS(p - y, np.ones(len(y))).fit()
    table = influence.outlier_test(method="bonf")
    found = measured(y, p)["SQ021"]
    assert close(found["largest_t"], np.abs(table[:, 0]).max())
    assert close(found["p_value"], min(1.0, table[:, 2].min()))
    out = table[:, 2] < 0.05
    assert found["rows"] == out.sum()
    bell = stats.kurtosis((p - y)[~out]) <= 4 + 2 * math.sqrt(24 / len(y))  # else large errors are the law
    assert close(found["effect"], ((p - y)[out] ** 2).sum() / ((p - y) ** 2).sum() if bell and out.sum() <= max(1, len(y) // 100) else 0)


# --- rows, skill and other models ---------------------------------------------------------------------------------


@pytest.mark.parity("SQ025", peer="its definition, and scipy skew")
@pytest.mark.parametrize("name", [*MODELS, "norris"])
def test_sq025_is_the_largest_target_over_the_median(name: str) -> None:
    y, p = PAIRS[name]
    found = measured(y, p)["SQ025"]
    assert close(found["ratio"], np.abs(y).max() / np.median(np.abs(y)))
    assert close(found["effect"], np.quantile(np.abs(y), 0.99) / np.median(np.abs(y)))
    if (y > 0).all():
        assert close(found["log_skewness"], stats.skew(np.log(y)))


@pytest.mark.parity("SQ027", peer="its definition")
def test_sq027_is_the_share_of_each_output() -> None:
    y = np.column_stack([ACTUAL, ACTUAL / 7, np.sqrt(ACTUAL)])
    p = np.column_stack([MODELS["linear"], MODELS["ridge"] / 7, np.sqrt(np.abs(MODELS["boosting"]))])
    mse = ((y - p) ** 2).mean(axis=0)
    found = measured(y, p)["SQ027"]
    assert close(found["share"], mse.max() / mse.sum())
    assert close(found["effective_outputs"], mse.sum() ** 2 / (mse**2).sum())


@pytest.mark.parity("SQ028", "SQ029", "SQ030", peer="scipy kstest, statsmodels WLS")
@pytest.mark.parametrize("name", list(MODELS))
def test_sq028_to_sq030_are_their_definitions(name: str) -> None:
    y, p = PAIRS[name]
    sigma = sigmas(y, p)
    e, z, n = p - y, (p - y) / sigma, len(y)
    found = measured(y, p, sigma=sigma)
    assert close(found["SQ028"]["mean_square"], np.mean(z**2))
    assert close(found["SQ028"]["chi_squared"], np.sum(z**2))
    assert close(found["SQ028"]["p_value"], 2 * stats.norm.sf(abs(np.mean(z**2) - 1) / (np.std(z**2) / math.sqrt(n))))
    for level in (0.5, 0.8, 0.95):
        assert close(found["SQ029"][f"coverage_{100 * level:g}"], np.mean(np.abs(z) <= stats.norm.ppf((1 + level) / 2)))
    test = stats.kstest(np.abs(z), stats.halfnorm.cdf, mode="asymp")
    assert close(found["SQ029"]["d"], test.statistic)
    assert close(found["SQ029"]["p_value"], test.pvalue)
    gaps = np.abs([np.mean(np.abs(z) <= stats.norm.ppf((1 + level) / 2)) - level for level in (0.5, 0.8, 0.95)])
    assert close(found["SQ029"]["gap"], gaps.max())
    fit = WLS(e**2, add_constant(sigma**2), weights=1 / sigma**4).fit(cov_type="HC0")
    assert close(found["SQ030"]["slope"], fit.params[1])
    assert close(found["SQ030"]["se"], fit.bse[1])
    tenths = np.array_split(np.argsort(sigma, kind="stable"), 10)
    rmv, rmse = (np.sqrt([np.mean(values[rows]) for rows in tenths]) for values in (sigma**2, e**2))
    assert close(found["SQ030"]["ence"], np.mean(np.abs(rmv - rmse) / rmv))


@pytest.mark.parity("SQ032", peer="its definition")
def test_sq032_counts_rows() -> None:
    y, p = ACTUAL.copy(), MODELS["linear"].copy()
    y[::9], p[1::50], y[5] = np.nan, np.nan, np.inf
    gone = ~(np.isfinite(y) & np.isfinite(p))
    found = measured(y, p)["SQ032"]
    assert found["missing"] == gone.sum()
    assert close(found["effect"], gone.mean())
    no_target = ~np.isfinite(y) & np.isfinite(p)
    there = np.isfinite(y) & np.isfinite(p)
    assert math.isnan(found["p_value"])
    assert close(found["smd"], abs(p[no_target].mean() - p[there].mean()) / math.sqrt((p[no_target].var() + p[there].var()) / 2))


@pytest.mark.parity("SQ033", peer="its definition by the delta method")
def test_sq033_is_the_ratio_of_the_errors() -> None:
    y, p = PAIRS["boosting"]
    train = (ACTUAL[:300], (MODELS["boosting"] + ACTUAL)[:300] / 2)
    here, there = (p - y) ** 2, (train[1] - train[0]) ** 2
    found = measured(y, p, training=train)["SQ033"]
    assert close(found["ratio"], here.mean() / there.mean())
    se = math.hypot(*(np.std(each, ddof=1) / math.sqrt(len(each)) / each.mean() for each in (here, there)))
    assert close(found["p_value"], 2 * stats.t.sf(abs(math.log(found["ratio"]) / se), 299))


@pytest.mark.parity("SQ038", peer="scikit-learn r2_score")
@REAL
def test_sq038_is_the_skill_of_scikit_learn(y: Array, p: Array) -> None:
    assert close(measured(y, p)["SQ038"]["ratio"], 1 - r2_score(y, p))
    last = np.mean(np.diff(y) ** 2)
    assert close(measured(y, p, order=True)["SQ038"]["ratio"], np.mean((p - y) ** 2) / min(last, y.var()))
    walk = np.sort(y)
    assert close(measured(walk, p, order=True)["SQ038"]["ratio"], np.mean((p - walk) ** 2) / np.mean(np.diff(walk) ** 2))


@pytest.mark.parity("SQ039", peer="sq.compare, whose tests have their own peers")
def test_sq039_is_the_paired_test_of_compare() -> None:
    statistics, comparison = sq.diagnose(ACTUAL, MODELS).statistics, sq.compare(ACTUAL, MODELS, metric="mse")
    mse = {name: np.mean((p - ACTUAL) ** 2) for name, p in MODELS.items()}
    for name in MODELS:
        best = min((other for other in MODELS if other != name), key=mse.__getitem__)
        assert close(statistics[name]["SQ039"]["ratio"], mse[name] / mse[best])
        assert close(statistics[name]["SQ039"]["p_value"], comparison[name, best].p_adjusted)


@pytest.mark.parity("SQ041", peer="its definition")
@pytest.mark.parametrize("copies", [0, 40])
def test_sq041_is_the_effective_number_of_kish(copies: int) -> None:
    rng = np.random.default_rng(2)
    y = np.concatenate([ACTUAL, ACTUAL[:copies]]) + 1 / 3
    p = np.concatenate([MODELS["linear"], MODELS["linear"][:copies]])
    w = rng.exponential(size=len(y))
    alone = len({(a, b) for a, b in zip(y.tolist(), p.tolist(), strict=True)})
    found = measured(y, p, weight=w)["SQ041"]
    assert close(found["copies"], 1 - alone / len(y))
    assert close(found["exact_hits"], np.mean(y == p))
    assert close(found["effective_share"], w.sum() ** 2 / (w**2).sum() / len(y) * alone / len(y))


@pytest.mark.parity(
    *("SQ003", "SQ007", "SQ009", "SQ010", "SQ011", "SQ012", "SQ013", "SQ017", "SQ018", "SQ019", "SQ020", "SQ028", "SQ029", "SQ030", "SQ033", "SQ035"),
    *("SQ027", "SQ038", "SQ039", "SQ041"),
    peer="what is measured, which the tests above hold",
)
def test_what_is_judged_is_made_of_what_is_measured() -> None:
    y, p = series()
    p = p + 40.0 * (np.arange(1500) > 1100)
    settings = {"order": True, "sigma": sigmas(y, p), "by": {"half": np.arange(1500) // 750}, "training": (y, p + 3)}
    found = measured(y, p, **settings) | {"SQ013": measured(y, p, cluster=np.arange(1500) // 100)["SQ013"]}
    found |= {"SQ027": measured(np.column_stack([y, y]), np.column_stack([p, p + 1]))["SQ027"]}
    found |= {"SQ039": measured(y, {"one": p, "other": p + 5})["SQ039"]}
    found |= {"SQ041": measured(np.append(y, y[:300]), np.append(p, p[:300]))["SQ041"]}
    n = {identity: dict(numbers) for identity, numbers in found.items()}
    expected = {
        "SQ003": 1 - n["SQ003"]["scatter"],
        "SQ007": n["SQ007"]["lm"] / 1500,
        "SQ009": n["SQ009"]["power"],
        "SQ010": n["SQ010"]["ratio"],
        "SQ011": abs(n["SQ011"]["r1"]),
        "SQ012": max(abs(n["SQ012"][f"r{lag}"]) for lag in range(2, 11)),
        "SQ013": n["SQ013"]["icc"],
        "SQ017": max(abs(n["SQ017"]["skewness"]), n["SQ017"]["excess_kurtosis"] / 3),
        "SQ018": 4 / n["SQ018"]["bound"],
        "SQ019": (n["SQ019"]["aic_normal"] - min(value for name, value in n["SQ019"].items() if name.startswith("aic"))) / 1500,
        "SQ020": n["SQ020"]["top_percent"],
        "SQ027": n["SQ027"]["share"],
        "SQ028": max(n["SQ028"]["mean_square"], 1 / n["SQ028"]["mean_square"]),
        "SQ029": n["SQ029"]["gap"],
        "SQ030": abs(n["SQ030"]["slope"] - 1),
        "SQ033": n["SQ033"]["ratio"],
        "SQ035": max(n["SQ035"]["ratio"], 1 + n["SQ035"]["shift"]),
        "SQ038": n["SQ038"]["ratio"],
        "SQ039": n["SQ039"]["ratio"],
        "SQ041": n["SQ041"]["copies"],
    }
    assert {identity: n[identity]["effect"] for identity in expected} == pytest.approx(expected, rel=1e-9)
    assert all(expected.values())
    assert n["SQ013"]["design_effect"] > 1.5


# --- all of them --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("unit", [1e-9, 1e-3, 2.0**-30, 1e6])
def test_weights_have_no_unit(unit: float) -> None:
    w = np.random.default_rng(4).exponential(size=len(ACTUAL)) + 0.1
    settings = {"by": {"age": AGE}, "cluster": np.arange(len(ACTUAL)) // 15}
    once, again = (measured(ACTUAL, MODELS["linear"], weight=each, **settings) for each in (w, w * unit))
    assert once.keys() == again.keys()
    for identity, numbers in once.items():
        assert again[identity] == pytest.approx(numbers, rel=1e-9, abs=1e-12, nan_ok=True), identity


def test_equal_weights_are_no_weights() -> None:
    settings = {"by": {"age": AGE}, "cluster": np.arange(len(ACTUAL)) // 15}
    without, equal = measured(ACTUAL, MODELS["linear"], **settings), measured(ACTUAL, MODELS["linear"], weight=np.full(len(ACTUAL), 0.25), **settings)
    assert without.keys() == equal.keys()
    for identity, numbers in without.items():
        if identity != "SQ020":  # without weights exact, with them to a bucket of sizes
            assert equal[identity] == pytest.approx(numbers, rel=1e-9, abs=1e-12, nan_ok=True), identity


def test_every_statistic_is_told() -> None:
    y, p = series()
    found = measured(y, p, order=True, sigma=sigmas(y, p), by={"half": np.arange(1500) // 750}, training=(y, p))
    assert {"SQ011", "SQ012", "SQ013", "SQ018", "SQ019", "SQ030", "SQ033", "SQ035"} <= found.keys()
    diagnosis = sq.diagnose(y, p, order=True)
    model = diagnosis.evaluation.models[0]
    assert diagnosis.to_dict()["statistics"][model]["SQ011"]["r1"] == diagnosis.statistics[model]["SQ011"]["r1"]
    assert diagnosis.statistics[model].keys() == {*diagnosis.passed[model], *(finding.id for finding in diagnosis)}
    for finding in diagnosis:
        told = diagnosis.statistics[finding.model][finding.id]
        assert (told["effect"], told["p_value"]) == pytest.approx((finding.effect, finding.p_value), rel=0, abs=0, nan_ok=True)
