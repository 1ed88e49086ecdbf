"""Diagnosis of a fit: each statistic is that of statsmodels or linearmodels, planted faults are found, sound fits are left alone."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from linearmodels.iv import IV2SLS
from scipy.stats import chi2
from statsmodels.stats.diagnostic import acorr_breusch_godfrey, acorr_ljungbox, het_breuschpagan, het_white, linear_reset
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.outliers_influence import variance_inflation_factor
from statsmodels.stats.stattools import durbin_watson

import squarely as sq
from squarely.diagnose.checks import CHECKS
from squarely.errors import DataError, DependentColumnsWarning
from squarely.linear import LinearRegression
from squarely.linear.assumptions import FitDiagnosis
from squarely.linear.checks_with_instruments import FIT_CHECKS

N = 300


def rows(seed: int = 0, features: int = 3) -> tuple[np.ndarray, np.ndarray, np.random.Generator]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(N, features)) * ([1, 50, 0.01] * features)[:features] + ([0, 900, 2] * features)[:features]
    return x, rng.normal(size=N), rng


X, NOISE, RNG = rows()
BENT = X @ [2.0, 0.03, 40] + 0.3 * X[:, 0] ** 2 + NOISE * (1 + 0.5 * np.abs(X[:, 0]))


def diagnosed(x: np.ndarray, y: np.ndarray, intercept: bool = True, weight: np.ndarray | None = None, **kwargs: object) -> FitDiagnosis:
    return LinearRegression(fit_intercept=intercept).fit(x, y, weight).diagnose(x, y, weight, **kwargs)


def numbers(found: FitDiagnosis, identity: str) -> dict[str, float]:
    return dict(found.statistics["fit"][identity])


@pytest.mark.parity(
    "SQ005",
    "SQ006",
    "SQ016",
    "SQ022",
    "SQ023",
    "SQ042",
    "SQ043",
    peer="statsmodels linear_reset, compare_f_test, get_influence, acorr_breusch_godfrey",
)
@pytest.mark.parametrize("intercept", [True, False])
def test_statistics_are_those_of_statsmodels(intercept: bool) -> None:
    found = diagnosed(X, BENT, intercept, order=True)
    design = sm.add_constant(X) if intercept else X
    peer = sm.OLS(BENT, design).fit()
    reset = linear_reset(peer, power=3, use_f=True)
    assert (numbers(found, "SQ005")["f"], numbers(found, "SQ005")["p_value"]) == pytest.approx((reset.fvalue, reset.pvalue), rel=1e-9)
    powers = np.column_stack([design, (peer.fittedvalues - peer.fittedvalues.mean()) ** 2, (peer.fittedvalues - peer.fittedvalues.mean()) ** 3])
    if intercept:  # without, powers about the mean are other columns
        assert numbers(found, "SQ005")["effect"] == pytest.approx(1 - sm.OLS(BENT, powers).fit().ssr / peer.ssr, rel=1e-9)
    curves = [sm.OLS(BENT, np.column_stack([design, (X[:, at] - X[:, at].mean() * intercept) ** 2])).fit() for at in range(3)]
    for at, curve in enumerate(curves):
        assert numbers(found, "SQ006")[f"f_x{at}"] == pytest.approx(curve.compare_f_test(peer)[0], rel=1e-9)
    best = min(curves, key=lambda curve: curve.ssr)
    judged = [numbers(found, "SQ006")[name] for name in ("effect", "p_value")]
    assert judged == pytest.approx([1 - best.ssr / peer.ssr, min(1.0, 3 * best.compare_f_test(peer)[1])], rel=1e-9)
    influence = peer.get_influence()
    assert numbers(found, "SQ022")["leverage"] == pytest.approx(influence.hat_matrix_diag.max(), rel=1e-9)
    assert numbers(found, "SQ022")["effect"] == pytest.approx(influence.hat_matrix_diag.max() / max(0.2, 3 * design.shape[1] / N), rel=1e-9)
    assert [numbers(found, "SQ023")[name] for name in ("cook", "effect")] == pytest.approx([influence.cooks_distance[0].max()] * 2, rel=1e-9)
    assert numbers(found, "SQ023")["above_4_n"] == (influence.cooks_distance[0] > 4 / N).sum()
    assert [numbers(found, "SQ043")[name] for name in ("ratio", "effect")] == pytest.approx([influence.ess_press / peer.ssr] * 2, rel=1e-9)
    assert numbers(found, "SQ043")["expected"] == pytest.approx((N + 3 + intercept) / (N - 3 - intercept), rel=1e-15)
    assert numbers(found, "SQ015")["condition_number"] == pytest.approx(np.linalg.cond(design / np.linalg.norm(design, axis=0)), rel=1e-9)
    lost = np.log10(np.linalg.cond(design / np.linalg.norm(design, axis=0)))
    digits = [numbers(found, "SQ016")[name] for name in ("effect", "digits_left")]
    assert digits == pytest.approx([lost, 53 * np.log10(2) - lost], rel=1e-9)
    before = np.column_stack([np.concatenate([np.zeros(lag), peer.resid[:-lag]]) for lag in range(1, 11)])
    lagged = sm.OLS(peer.resid, np.column_stack([design, before])).fit()
    share = 1 - lagged.ssr / peer.ssr
    followed = [lagged.compare_f_test(sm.OLS(peer.resid, design).fit())[0], share, chi2.sf(N * share, 10)]
    assert [numbers(found, "SQ042")[name] for name in ("f", "effect", "p_value")] == pytest.approx(followed, rel=1e-9)
    if intercept:  # without, statsmodels adds a constant to the lags
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # of what it will return one day
            lm, p, f, _ = acorr_breusch_godfrey(peer, nlags=10)
        mine = [numbers(found, "SQ042")[name] for name in ("lm", "p_value", "f")]
        assert mine == pytest.approx([lm, p, f], rel=1e-9)
    assert numbers(found, "SQ011")["durbin_watson"] == pytest.approx(durbin_watson(peer.resid), rel=1e-9)
    assert found.n_passes == 2


@pytest.mark.parity("SQ008", peer="statsmodels het_breuschpagan, het_white")
def test_tests_of_variance_are_those_of_statsmodels() -> None:
    peer = sm.OLS(BENT, sm.add_constant(X)).fit()
    mine = numbers(diagnosed(X, BENT), "SQ008")
    assert (mine["breusch_pagan"], mine["breusch_pagan_p"]) == pytest.approx(het_breuschpagan(peer.resid, peer.model.exog)[:2], rel=1e-9)
    assert (mine["white"], mine["white_p"]) == pytest.approx(het_white(peer.resid, peer.model.exog)[:2], rel=1e-9)
    assert (mine["breusch_pagan_rank"], mine["white_rank"]) == (3, 9)
    assert mine["p_value"] == pytest.approx(2 * min(mine["breusch_pagan_p"], mine["white_p"]), rel=1e-9)
    adjusted = [1 - (1 - mine[name] / N) * (N - 1) / (N - rank - 1) for name, rank in (("breusch_pagan", 3), ("white", 9))]
    assert mine["effect"] == pytest.approx(max(adjusted), rel=1e-9)


def test_more_than_20_features_have_whites_test_of_their_squares() -> None:
    """Errors that grow with the size of a feature, which its own values do not tell."""
    x = RNG.normal(size=(N, 24)) + 3
    y = x.sum(axis=1) + RNG.normal(size=N) * (1 + (x[:, 5] - 3) ** 2)
    found = diagnosed(x, y)
    peer, mine = sm.OLS(y, sm.add_constant(x)).fit(), numbers(found, "SQ008")
    lm, p = het_breuschpagan(peer.resid, np.column_stack([peer.model.exog, x**2]))[:2]
    assert (mine["white_of_squares"], mine["white_of_squares_p"], mine["white_of_squares_rank"]) == (
        pytest.approx(lm, rel=1e-9),
        pytest.approx(p, rel=1e-9),
        48,
    )
    assert "white" not in mine
    assert "SQ008" in found


@pytest.mark.parity("SQ015", peer="statsmodels variance_inflation_factor")
def test_inflations_and_ljung_box_are_those_of_statsmodels() -> None:
    x = np.column_stack([X, X[:, 0] + 0.1 * RNG.normal(size=N)])
    found, design = diagnosed(x, BENT, order=True), sm.add_constant(x)
    inflations = [numbers(found, "SQ015")[f"vif_x{at}"] for at in range(4)]
    expected = [variance_inflation_factor(design, at) for at in range(1, 5)]
    np.testing.assert_allclose([*inflations, numbers(found, "SQ015")["effect"]], [*expected, max(expected)], rtol=1e-9)
    centred = x - x.mean(axis=0)
    for name, columns in (("condition_number", design), ("centred_condition_number", centred)):
        assert numbers(found, "SQ015")[name] == pytest.approx(np.linalg.cond(columns / np.linalg.norm(columns, axis=0)), rel=1e-9)
    box = acorr_ljungbox(sm.OLS(BENT, design).fit().resid, lags=[10])
    assert numbers(found, "SQ012")["q"] == pytest.approx(box.lb_stat.iloc[0], rel=1e-9)


@pytest.mark.parity("SQ014", peer="linearmodels IV2SLS")
@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("count", [1, 2])
def test_exogeneity_is_that_of_linearmodels(intercept: bool, count: int) -> None:
    instruments = RNG.normal(size=(N, 3))
    hidden = RNG.normal(size=N)
    x = np.column_stack([X[:, 0], *(instruments[:, at] + 0.7 * hidden * (at < count) + 0.5 * RNG.normal(size=N) for at in range(2))])
    y = x @ [1.0, 2.0, -1.0] + hidden + RNG.normal(size=N)
    endogenous = ["x1", "x2"][:count]
    found = diagnosed(x, y, intercept, instruments=instruments, endogenous=endogenous)
    exogenous = x[:, : 3 - count] if count == 2 else x[:, [0, 2]]
    exogenous = sm.add_constant(exogenous) if intercept else exogenous
    suspected = x[:, [1, 2][:count]]
    fitted = IV2SLS(y, exogenous, suspected, instruments).fit()
    peer, mine = fitted.wu_hausman(), numbers(found, "SQ014")
    assert (mine["f"], mine["p_value"]) == pytest.approx((peer.stat, peer.pval), rel=1e-9)
    assert (mine["sargan"], mine["sargan_p"]) == pytest.approx((fitted.sargan.stat, fitted.sargan.pval), rel=1e-9)
    stages = [sm.OLS(each, np.column_stack([exogenous, instruments])).fit() for each in suspected.T]
    f = [stage.compare_f_test(sm.OLS(each, exogenous).fit())[0] for stage, each in zip(stages, suspected.T, strict=True)]
    assert mine["first_stage_f"] == pytest.approx(min(f), rel=1e-9)
    rests = np.column_stack([stage.resid for stage in stages])
    both = sm.OLS(y, np.column_stack([exogenous, suspected, rests])).fit()
    assert mine["effect"] == pytest.approx(1 - both.ssr / sm.OLS(y, np.column_stack([exogenous, suspected])).fit().ssr, rel=1e-9)
    assert mine["first_stage_r2"] == pytest.approx(fitted.first_stage.diagnostics["partial.rsquared"].iloc[int(np.argmin(f))], rel=1e-9)
    assert "SQ014" in found
    assert {each.name: each.verdict for each in found.assumptions}["errors do not go with features (exogeneity)"] == "violated"


@pytest.mark.parametrize("strength", [0.0, 0.05])
def test_weak_instruments_cannot_tell(strength: float) -> None:
    instruments, hidden = RNG.normal(size=(N, 2)), RNG.normal(size=N)
    x = strength * instruments[:, :1] + hidden[:, None] + RNG.normal(size=(N, 1))
    found = diagnosed(x, x[:, 0] + hidden + RNG.normal(size=N), instruments=instruments)
    assert "the instruments are weak" in found.not_testable["SQ014"]
    assert {each.name: each.verdict for each in found.assumptions}["errors do not go with features (exogeneity)"] == "not testable"


def test_instruments_that_contradict_each_other_cannot_tell() -> None:
    rng = np.random.default_rng(1)
    instruments, hidden = rng.normal(size=(N, 2)), rng.normal(size=N)
    x = instruments.sum(axis=1, keepdims=True) + hidden[:, None] + rng.normal(size=(N, 1))
    bad = x[:, 0] + hidden + instruments[:, 0] + rng.normal(size=N)
    good = x[:, 0] + hidden + rng.normal(size=N)
    assert "the instruments contradict each other" in diagnosed(x, bad, instruments=instruments).not_testable["SQ014"]
    assert "the instruments agree" in diagnosed(x, good, instruments=instruments)["SQ014"].evidence
    exact = diagnosed(x, good, instruments=instruments[:, :1])
    assert "Sargan" not in exact["SQ014"].evidence, "there is nothing over that could contradict"


def test_weighted_exogeneity_is_that_of_linearmodels() -> None:
    rng = np.random.default_rng(3)
    weight = rng.lognormal(size=N)
    instruments, hidden = rng.normal(size=(N, 3)), rng.normal(size=N)
    x = np.column_stack([X[:, 0], instruments.sum(axis=1) + hidden + rng.normal(size=N)])
    y = x.sum(axis=1) + (hidden + rng.normal(size=N)) / np.sqrt(weight)
    mine = numbers(diagnosed(x, y, weight=weight, instruments=instruments, endogenous="x1"), "SQ014")
    root = np.sqrt(weight)[:, None]
    stage = sm.WLS(x[:, 1], sm.add_constant(np.column_stack([x[:, 0], instruments])), weight).fit()
    design = sm.add_constant(x)
    f = sm.OLS(y * root[:, 0], np.column_stack([design, stage.resid]) * root).fit().compare_f_test(sm.OLS(y * root[:, 0], design * root).fit())[0]
    assert mine["f"] == pytest.approx(f, rel=1e-9)
    assert mine["first_stage_f"] == pytest.approx(stage.compare_f_test(sm.WLS(x[:, 1], sm.add_constant(x[:, 0]), weight).fit())[0], rel=1e-9)


def test_weighted_statistics_are_those_of_the_whitened_rows() -> None:
    weight = RNG.lognormal(size=N)
    root = np.sqrt(weight)[:, None]
    found = diagnosed(X, BENT, weight=weight)
    design = sm.add_constant(X)
    peer = sm.OLS(BENT * root[:, 0], design * root).fit()
    fit = design @ peer.params
    fit -= fit.mean()  # its powers and the design span the same, and no digit is lost
    more = np.column_stack([design, fit**2, fit**3]) * root
    f = sm.OLS(BENT * root[:, 0], more).fit().compare_f_test(peer)[0]
    assert numbers(found, "SQ005")["f"] == pytest.approx(f, rel=1e-9)
    lm = N * sm.OLS(peer.resid**2, design).fit().rsquared
    assert numbers(found, "SQ008")["breusch_pagan"] == pytest.approx(lm, rel=1e-9)
    assert numbers(found, "SQ043")["ratio"] == pytest.approx(peer.get_influence().ess_press / peer.ssr, rel=1e-9)


@pytest.mark.parity("SQ037", peer="its definition by the hat matrix, on a fit of statsmodels")
def test_shrinkage_is_that_of_the_textbook() -> None:
    x, noise, _ = rows(4, 6)
    y = x @ np.array([0.1, 0.001, 5, 0.05, 0, 0]) + noise
    mine = numbers(diagnosed(x, y), "SQ037")
    z = (x - x.mean(axis=0)) / x.std(axis=0)
    centred = y - y.mean()
    peer = sm.OLS(y, sm.add_constant(x)).fit()
    assert mine["james_stein"] == pytest.approx(1 - 4 * peer.ssr / (peer.df_resid + 2) / peer.ess, rel=1e-9)

    def gcv(alpha: float) -> float:
        hat = z @ np.linalg.solve(z.T @ z + alpha * N * np.eye(6), z.T)
        return N * ((centred - hat @ centred) ** 2).sum() / (N - 1 - np.trace(hat)) ** 2

    assert 1 - mine["ridge_saves"] == pytest.approx(gcv(mine["alpha_per_row"]) / gcv(0.0), rel=1e-9)
    assert gcv(mine["alpha_per_row"]) <= min(gcv(alpha) for alpha in np.logspace(-6, 2, 60)) * (1 + 1e-9)
    assert 0 < mine["james_stein_saves"] < 0.05
    assert mine["effect"] == max(mine["james_stein_saves"], mine["ridge_saves"])


def test_blocks_and_sources_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = pd.DataFrame(X, columns=["x0", "x1", "x2"]).assign(y=BENT)
    frame.to_parquet(tmp_path / "rows.parquet")
    expected = diagnosed(X, BENT, order=True)
    by_name = LinearRegression().fit(tmp_path / "rows.parquet", "y").diagnose(tmp_path / "rows.parquet", "y", order=True)
    monkeypatch.setattr("squarely.linear.again.blocks", lambda rows, columns: (slice(at, min(at + 7, rows)) for at in range(0, rows, 7)))
    in_blocks = diagnosed(X, BENT, order=True)
    for identity in FIT_CHECKS:
        if identity in expected.statistics["fit"]:
            for other in (by_name, in_blocks):
                assert numbers(other, identity) == pytest.approx(numbers(expected, identity), rel=1e-9, nan_ok=True)


def test_planted_faults_are_found() -> None:
    x, noise, rng = rows(7)
    line = x @ [1.0, 0.02, 30]
    walk = np.zeros(N)
    for at in range(1, N):
        walk[at] = 0.8 * walk[at - 1] + noise[at]
    far, target = x.copy(), line + noise
    far[5] = [40, 900, 2]
    target_far = target.copy()
    target_far[5] += 60
    near = np.column_stack([x, x[:, 0] + 0.01 * rng.normal(size=N)])
    many = np.column_stack([x, rng.normal(size=(N, 120))])
    for identity, found in (
        ("SQ006", diagnosed(x, line + x[:, 0] ** 2 + noise)),
        ("SQ042", diagnosed(x, line + walk, order=True)),
        ("SQ015", diagnosed(near, target)),
        ("SQ022", diagnosed(far, target)),
        ("SQ023", diagnosed(far, target_far)),
        ("SQ043", diagnosed(many, target)),
        ("SQ037", diagnosed(many, 0.01 * line + noise)),
        ("SQ016", diagnosed(x * 1e-6 + 1e7, target)),
    ):
        ids = {finding.id for finding in found.findings}
        assert identity in ids, (identity, ids)
    bent = diagnosed(x, line + x[:, 0] ** 2 + noise)
    assert bent["SQ006"].severity == "serious"
    assert bent["SQ005"].because == "SQ006"
    assert "x0" in bent["SQ006"].fix
    spread = diagnosed(x, line + noise * np.exp(0.5 * x[:, 2] * 100 - 100))
    assert {"SQ007", "SQ008"} & {finding.id for finding in spread}


def test_a_sound_fit_is_left_alone() -> None:
    alarms = 0
    for seed in range(20):
        x, noise, _ = rows(100 + seed)
        found = diagnosed(x, x @ [1.0, 0.02, 30] + noise, order=True)
        alarms += sum(finding.severity != "info" for finding in found if finding.id in FIT_CHECKS)
    assert alarms <= 2


def test_assumptions_are_told_with_their_evidence() -> None:
    found = diagnosed(X, BENT)
    verdicts = {each.name: each for each in found.assumptions}
    assert len(verdicts) == 6
    assert verdicts["the mean is linear in the features"].verdict == "violated"
    assert verdicts["errors do not go with features (exogeneity)"].verdict == "not testable"
    assert "give instruments=" in verdicts["errors do not go with features (exogeneity)"].evidence
    assert verdicts["no feature is a combination of others"].verdict == "holds as far as tested"
    assert {each.severity for each in found.assumptions if each.verdict != "violated"} == {""}
    assert verdicts["the mean is linear in the features"].severity == found["SQ006"].severity
    assert "Assumptions of least squares:" in str(found)
    assert "| assumption | verdict |" in found.to_markdown()
    assert len(json.loads(json.dumps(found.to_dict()))["assumptions"]) == 6
    assert "x0" in found.to_html()


def test_names_cannot_forge_a_diagnosis() -> None:
    evil = "a|b\n# <script>"
    frame = pd.DataFrame(X, columns=[evil, "x1", "x2"])
    told = LinearRegression().fit(frame, BENT).diagnose(frame, BENT).to_markdown()
    assert "<script>" not in told.replace("```python", "```").split("```")[0]
    assert "\n# " not in told


def test_what_cannot_be_tested_says_why() -> None:
    found = diagnosed(X, X @ [1.0, 2.0, 3.0])
    assert "the fit is perfect" in found.not_testable["SQ005"]
    few = diagnosed(X[:12], BENT[:12])
    assert "degrees of freedom are left" in few.not_testable["SQ005"]
    binary = (X[:, :1] > 0).astype(float)
    assert "no feature has three values" in diagnosed(binary, BENT).not_testable["SQ006"]
    assert "order of time" in found.not_testable["SQ042"]


def test_clusters_reach_the_checks_of_errors() -> None:
    groups = np.repeat(np.arange(30), 10)
    y = X @ [1.0, 0.02, 30] + NOISE + 2 * np.random.default_rng(1).normal(size=30)[groups]
    assert "SQ013" in diagnosed(X, y, groups=groups)
    noisy = X @ [1.0, 0.02, 30] + NOISE * np.array([1.0, 6.0])[groups % 2]
    found = diagnosed(X, noisy, groups=groups // 10)
    assert "SQ010" not in found, "three groups of as many quiet as noisy rows"
    found = diagnosed(X, noisy, groups=groups % 2)
    assert "SQ010" in found
    table = {each.name: each for each in found.assumptions}
    assert table["errors have one variance"].verdict == "violated"
    assert "give groups=" in diagnosed(X, noisy).not_testable["SQ010"]
    assert "give order=True if" in diagnosed(X, noisy).not_testable["SQ011"]


def adjusted(p_values: dict[str, float]) -> dict[str, float]:
    """Holm's p-values, by statsmodels."""
    return dict(zip(p_values, multipletests(list(p_values.values()), method="holm")[1], strict=True))


@pytest.mark.parametrize("seed", [4, 9])
def test_one_correction_is_for_checks_of_errors_and_of_the_fit_together(seed: int) -> None:
    """With one for each registry, the curve of the first feature would be found by chance about as often again."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(60, 2))
    found = diagnosed(x, x.sum(axis=1) + 0.28 * x[:, 0] ** 2 + rng.normal(size=60), order=True)
    p_values = {identity: each["p_value"] for identity, each in found.statistics["fit"].items() if not np.isnan(each["p_value"])}
    assert len(p_values) > len(set(p_values) & set(FIT_CHECKS)) >= 4
    assert adjusted({identity: p for identity, p in p_values.items() if identity in FIT_CHECKS})["SQ006"] < 0.05 < adjusted(p_values)["SQ006"]
    assert found.statistics["fit"]["SQ006"]["effect"] > FIT_CHECKS["SQ006"].threshold
    assert "SQ006" not in {finding.id for finding in found}
    assert "SQ006" in found.passed["fit"]


@pytest.mark.parametrize("seed", range(6))
def test_what_chance_could_do_is_no_finding(seed: int) -> None:
    x, noise, _ = rows(200 + seed)
    found = diagnosed(x, x @ [1.0, 0.02, 30] + 0.1 * seed * x[:, 0] ** 2 + noise * (1 + 0.2 * seed * np.abs(x[:, 0])), order=True)
    statistics = found.statistics["fit"]
    holm = adjusted({identity: each["p_value"] for identity, each in statistics.items() if not np.isnan(each["p_value"])})
    expected = {
        identity
        for identity, each in statistics.items()
        if not holm.get(identity, 0.0) >= 0.05 and each["effect"] > min(found.checks[identity].threshold, found.checks[identity].told)
    }
    assert {finding.id for finding in found} == expected


def test_findings_of_both_kinds_are_in_one_order_and_each_is_told_once() -> None:
    far = BENT.copy()
    far[9] += 30
    found = diagnosed(X, far, order=True)
    ranks = [("serious", "warning", "info").index(finding.severity) for finding in found]
    assert ranks == sorted(ranks)
    kinds = [finding.id in FIT_CHECKS for finding in found if finding.severity != "info"]
    assert len(set(kinds)) == 2
    assert {finding.model for finding in found} == {"fit"}
    assert found["SQ017"].because == "SQ021"
    assert {each.name: each.severity for each in found.assumptions}["errors are normal"] == found["SQ021"].severity, "as bad as what it follows from"
    walk = np.zeros(N)
    for at in range(1, N):
        walk[at] = 0.8 * walk[at - 1] + NOISE[at]
    later = diagnosed(X, X @ [1.0, 0.02, 30] + walk, order=True)
    assert (later["SQ042"].severity, later["SQ042"].because) == ("info", "SQ011")
    assert {each.name: each.severity for each in later.assumptions}["errors are independent"] == later["SQ011"].severity
    wide, rng = rows(3)[0], np.random.default_rng(5)
    mean = 40 + 8 * wide[:, 0]
    spread = diagnosed(wide[:, :1], mean + 0.2 * mean * rng.normal(size=N))
    assert spread["SQ008"].because in ("SQ007", "SQ009")


def test_a_bend_is_told_by_the_feature_that_makes_it() -> None:
    """The errors of the same rows say so too (isotonic calibration), and recalibration would be the lesser remedy."""
    rng = np.random.default_rng(2)
    x = rng.uniform(0, 4, (1_000, 1))
    y = x[:, 0] ** 2 + 0.2 * rng.normal(size=1_000)
    assert "SQ004" in sq.diagnose(y, LinearRegression().fit(x, y).predict(x))
    found = diagnosed(x, y)
    assert {each.id: each.because for each in found if each.id in ("SQ004", "SQ005", "SQ006")} == {"SQ006": None, "SQ005": "SQ006", "SQ004": "SQ006"}


def test_a_variance_that_goes_with_a_feature_decides_the_loss_too() -> None:
    """Predictions do not show it: it is large at both ends of a feature that hardly moves them."""
    x, noise, _ = rows(12)
    y = x @ [5.0, 0.0, 0.0] + noise * (0.3 + 0.03 * np.abs(x[:, 1] - 900))
    found = diagnosed(x, y)
    assert "SQ008" in found
    assert "SQ007" not in {finding.id for finding in found}
    assert found.recommended_loss.loss == "weighted squared error"
    fitted = LinearRegression().fit(x, y).predict(x)
    assert sq.diagnose(y, fitted).recommended_loss.loss != "weighted squared error"


def test_the_target_keeps_its_name() -> None:
    frame = pd.DataFrame(X, columns=["x0", "x1", "x2"])
    for name in ("price", "fit", "weight", "group"):
        weight = np.ones(N)
        series = pd.Series(BENT, name=name)
        model = LinearRegression().fit(frame, series, weight)
        found = model.diagnose(frame, series, weight, groups=np.arange(N) % 3)
        assert found.evaluation.provenance.target == (name if name != "fit" else "fit (target)")
        assert found.evaluation.models == ("fit",)
    rows_of_others = {"SQ027", "SQ028", "SQ033", "SQ039"}
    assert not rows_of_others & set(found.not_testable), "nobody can give model.diagnose what these ask for"


@pytest.mark.parametrize(
    ("kwargs", "said"),
    [
        ({"endogenous": ["x0"]}, "Give instruments= too"),
        ({"order": True, "groups": np.arange(N)}, "order=True and groups= were both given"),
        ({"instruments": X[:, :1], "endogenous": ["z"]}, "endogenous names 'z'"),
        ({"instruments": X[:10, :1], "endogenous": "x0"}, "instruments has shape"),
        ({"instruments": X[:, :1], "endogenous": ["x0", "x1"]}, "a column or more for each"),
    ],
)
def test_what_is_refused_is_named(kwargs: dict, said: str) -> None:
    with pytest.raises(DataError, match=said):
        diagnosed(X, BENT, **kwargs)


@pytest.mark.parametrize("power", [-150, -7, 7, 140])
def test_units_change_no_statistic(power: int) -> None:
    plain, scaled = diagnosed(X, BENT, order=True), diagnosed(X * 10.0 ** (power / 3), BENT * 10.0**power, order=True)
    if abs(power) < 100:  # beyond, errors have no squares that are doubles, fewer checks are asked, and the correction is for fewer
        assert {each.id for each in scaled} & set(FIT_CHECKS) == {each.id for each in plain} & set(FIT_CHECKS)
    for identity in FIT_CHECKS:
        if identity in plain.statistics["fit"]:
            assert numbers(scaled, identity) == pytest.approx(numbers(plain, identity), rel=1e-9, abs=1e-15, nan_ok=True)


def test_what_is_beyond_doubles_is_refused_in_words() -> None:
    with pytest.raises(
        DataError, match=r"the values of 'y' vary so much that their squares are beyond the range of doubles. Give the column in another"
    ):
        diagnosed(X, BENT * 1e200)
    with pytest.raises(DataError, match=r"values of a feature, or its coefficient, are near the largest double. Give features in other units"):
        diagnosed(X * 1e300, BENT)


@pytest.mark.parametrize("unit", [1e-200, 1e200])
def test_units_of_features_change_no_influence(unit: float) -> None:
    """Their squares are no doubles."""
    mine, plain = (LinearRegression().fit(x, BENT).influence(x, BENT) for x in (X * unit, X))
    np.testing.assert_allclose(mine.dfbetas, plain.dfbetas, rtol=1e-9, atol=1e-12)
    assert numbers(diagnosed(X * unit, BENT), "SQ006") == pytest.approx(numbers(diagnosed(X, BENT), "SQ006"), rel=1e-9, nan_ok=True)


def test_a_feature_that_depends_on_others_is_told() -> None:
    x = np.column_stack([X, 2 * X[:, 0] - X[:, 2]])
    with pytest.warns(DependentColumnsWarning):
        model = LinearRegression().fit(x, BENT)
    found = model.diagnose(x, BENT)
    assert (found["SQ015"].severity, found["SQ015"].effect) == ("serious", np.inf)
    assert "'x3' depends on other features" in found["SQ015"].evidence
    assert numbers(found, "SQ005")["f"] == pytest.approx(numbers(diagnosed(X, BENT), "SQ005")["f"], rel=1e-9)


def test_names_of_checks_are_those_of_no_other() -> None:
    assert not set(FIT_CHECKS) & set(CHECKS)
    assert len(FIT_CHECKS) == 11
