"""Robust errors, intervals, likelihood and influence of a fit: those of statsmodels and linearmodels, in any parts, from any source."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from linearmodels.iv import IV2SLS
from statsmodels.stats.outliers_influence import variance_inflation_factor

from nist_sets import designed
from squarely.errors import DataError, DependentColumnsWarning
from squarely.linear import Collinearity, HeteroscedasticRegression, LinearRegression

RNG = np.random.default_rng(3)
N = 120
X = RNG.normal(size=(N, 3)) * [1, 50, 0.01] + [0, 900, 2]
Y = X @ [2.0, 0.03, 40] + RNG.normal(size=N) * (1 + X[:, 0] ** 2)
W = RNG.lognormal(size=N)
CLUSTERS = RNG.integers(0, 15, N)
KINDS = [
    ({"kind": "HC0"}, {"cov_type": "HC0"}),
    ({"kind": "HC1"}, {"cov_type": "HC1"}),
    ({"kind": "HC2"}, {"cov_type": "HC2"}),
    ({"kind": "HC3"}, {"cov_type": "HC3"}),
    ({"kind": "cluster", "groups": CLUSTERS}, {"cov_type": "cluster", "cov_kwds": {"groups": CLUSTERS}}),
    ({"kind": "HAC", "lags": 5}, {"cov_type": "HAC", "cov_kwds": {"maxlags": 5}}),
    ({"kind": "HAC", "lags": 0}, {"cov_type": "HAC", "cov_kwds": {"maxlags": 0}}),
    ({"kind": "HAC"}, {"cov_type": "HAC", "cov_kwds": {"maxlags": int(4 * (N / 100) ** (2 / 9))}}),
]
NAMES = [f"{ours['kind']}-{ours.get('lags')}" for ours, _ in KINDS]


def fitted(intercept: bool, weight: np.ndarray | None) -> LinearRegression:
    return LinearRegression(fit_intercept=intercept).fit(X, Y, weight)


@pytest.mark.parity("RobustInference", peer="statsmodels cov_type")
@pytest.mark.parametrize(("ours", "theirs"), KINDS, ids=NAMES)
@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("weight", [None, W], ids=["plain", "weighted"])
def test_statsmodels_has_the_same_robust_errors(ours: dict, theirs: dict, intercept: bool, weight: np.ndarray | None) -> None:
    found = fitted(intercept, weight).robust(X, Y, weight, **ours)
    peer = sm.WLS(Y, sm.add_constant(X) if intercept else X, 1.0 if weight is None else weight).fit(**theirs, use_t=True)
    np.testing.assert_allclose(
        found.covariances[0] / np.outer(peer.bse, peer.bse), peer.cov_params() / np.outer(peer.bse, peer.bse), rtol=0, atol=1e-9
    )
    np.testing.assert_allclose(found.standard_errors[:, 0], peer.bse, rtol=1e-9)
    np.testing.assert_allclose(found.t_values[:, 0], peer.tvalues, rtol=1e-9)
    np.testing.assert_allclose(found.p_values[:, 0], peer.pvalues, rtol=1e-9)
    np.testing.assert_allclose(found.intervals(0.9)[:, 0], peer.conf_int(0.1), rtol=1e-9)
    assert found.n_passes == 2


def test_linearmodels_has_the_same_errors_of_unequal_variance() -> None:
    peer = IV2SLS(Y, sm.add_constant(X), None, None).fit(cov_type="robust", debiased=True)  # n / (n - k): HC1
    found = fitted(True, None).robust(X, Y, kind="HC1")
    assert found.kind == "HC1"
    np.testing.assert_allclose(found.standard_errors[:, 0], peer.std_errors, rtol=1e-9)


@pytest.mark.parametrize("ours", [ours for ours, _ in KINDS], ids=NAMES)
def test_blocks_of_rows_change_nothing(ours: dict, monkeypatch: pytest.MonkeyPatch) -> None:
    model = fitted(True, W)
    whole = model.robust(X, Y, W, **ours).covariances
    all_rows = model.influence(X, Y, W)
    for size in (7, 3, 2):
        blocks = lambda rows, size=size: (slice(at, min(at + size, rows)) for at in range(0, rows, size))  # noqa: E731
        monkeypatch.setattr("squarely.linear.again.blocks", blocks)
        np.testing.assert_allclose(model.robust(X, Y, W, **ours).covariances, whole, rtol=1e-10, atol=1e-12 * np.abs(whole).max())
        by_blocks = model.influence(X, Y, W)
        assert by_blocks.rows.tolist() == all_rows.rows.tolist()
        np.testing.assert_allclose(by_blocks.cooks_distances, all_rows.cooks_distances, rtol=1e-10)


def test_a_file_a_frame_and_arrays_say_the_same(tmp_path: Path) -> None:
    frame = pd.DataFrame(X, columns=list("abc")).assign(y=Y, w=W, g=[f"g{each}" for each in CLUSTERS])
    frame.to_parquet(tmp_path / "rows.parquet")
    model = LinearRegression(features=["a", "b", "c"]).fit(tmp_path / "rows.parquet", "y", "w")
    found = model.robust(tmp_path / "rows.parquet", "y", "w", kind="cluster", groups="g")
    expected = fitted(True, W).robust(X, Y, W, kind="cluster", groups=CLUSTERS)
    np.testing.assert_allclose(found.covariances, expected.covariances, rtol=1e-12)
    np.testing.assert_allclose(found.t_values, expected.t_values, rtol=1e-12)
    by_name = model.influence(tmp_path / "rows.parquet", "y", "w", top=3)
    assert by_name.rows.tolist() == fitted(True, W).influence(X, Y, W).largest(3).rows.tolist()
    of_all = LinearRegression().fit({name: frame[name].to_numpy() for name in "abcy"}, "y")
    mapping = {name: frame[name].to_numpy() for name in (*"abcy", "g")}  # a column that is no feature of the fit becomes none
    assert of_all.robust(mapping, "y", kind="cluster", groups="g").clusters == len(set(CLUSTERS))


def test_several_targets_have_the_errors_of_each() -> None:
    targets = np.column_stack([Y, X[:, 0] ** 2])
    both = LinearRegression().fit(X, targets).robust(X, targets)
    assert both.covariances.shape == (2, 4, 4)
    for at in range(2):
        alone = LinearRegression().fit(X, targets[:, at]).robust(X, targets[:, at])
        np.testing.assert_allclose(both.standard_errors[:, at], alone.standard_errors[:, 0], rtol=1e-12)


@pytest.mark.parity("Prediction", peer="statsmodels get_prediction")
@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("weight", [None, W], ids=["plain", "weighted"])
def test_intervals_of_new_rows_are_those_of_statsmodels(intercept: bool, weight: np.ndarray | None) -> None:
    new = X[:7] + 3.0
    found = fitted(intercept, weight).prediction(pd.DataFrame(new).to_numpy()).to_frame(0.9).to_pandas()
    design = sm.add_constant(X) if intercept else X
    peer = sm.WLS(Y, design, 1.0 if weight is None else weight).fit()
    theirs = peer.get_prediction(sm.add_constant(new, has_constant="add") if intercept else new).summary_frame(alpha=0.1)
    assert list(found.columns) == list(theirs.columns)
    np.testing.assert_allclose(found, theirs, rtol=1e-9)


@pytest.mark.parity("Likelihood", peer="statsmodels WLS")
def test_most_likely_is_least_squares() -> None:
    for intercept in (True, False):
        for weight in (None, W):
            model = fitted(intercept, weight)
            peer = sm.WLS(Y, sm.add_constant(X) if intercept else X, 1.0 if weight is None else weight).fit()
            found = model.likelihood(weight)
            for mine, theirs in ((found.log_likelihood, peer.llf), (found.aic, peer.aic), (found.bic, peer.bic)):
                assert mine[0] == pytest.approx(theirs, rel=1e-9)
            assert found.variance[0] == pytest.approx(peer.ssr / N, rel=1e-9)
            for change in np.random.default_rng(0).normal(size=(20, 3)) * 1e-3:
                assert found.at(model.coef_ + change, found.variance)[0] < found.log_likelihood[0]
            assert max(found.at(model.coef_, found.variance * factor)[0] for factor in (0.9, 0.99, 1.01, 1.1)) < found.log_likelihood[0]
    with pytest.raises(DataError, match="the weights of the fit add up to"):
        fitted(True, W).likelihood()


@pytest.mark.parity("Influence", peer="statsmodels get_influence")
@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("weight", [None, W], ids=["plain", "weighted"])
def test_statsmodels_has_the_same_influence(intercept: bool, weight: np.ndarray | None) -> None:
    found = fitted(intercept, weight).influence(X, Y, weight)
    root = np.ones(N) if weight is None else np.sqrt(weight)
    design = (sm.add_constant(X) if intercept else X) * root[:, None]
    peer = sm.OLS(Y * root, design).fit().get_influence()  # that of WLS mixes weighted and plain rows
    assert (found.n_passes, found.rows.tolist()) == (2, list(range(N)))
    for mine, theirs in (
        (found.leverages, peer.hat_matrix_diag),
        (found.standardized_residuals, peer.resid_studentized_internal),
        (found.studentized_residuals, peer.resid_studentized_external),
        (found.loo_residuals * root, peer.resid_press),
        (found.cooks_distances, peer.cooks_distance[0]),
        (found.dffits, peer.dffits[0]),
        (found.dfbetas, peer.dfbetas),
        (found.covariance_ratios, peer.cov_ratio),
        (found.press, peer.ess_press),
    ):
        np.testing.assert_allclose(mine, theirs, rtol=1e-9, atol=1e-12)


def test_the_fit_without_a_row_is_a_fit_without_it() -> None:
    found = fitted(True, W).influence(X, Y, W)
    errors = []
    for row in range(N):
        others = np.arange(N) != row
        without = LinearRegression().fit(X[others], Y[others], W[others])
        errors.append(Y[row] - without.predict(X[[row]])[0])
    np.testing.assert_allclose(found.loo_residuals, errors, rtol=1e-9, atol=1e-11)
    assert found.loo_mse == pytest.approx(np.average(np.square(errors), weights=W), rel=1e-9)


def test_the_largest_are_the_same_with_and_without_the_others() -> None:
    model = fitted(True, None)
    for by in ("cooks_distances", "leverages", "studentized_residuals"):
        whole, few = model.influence(X, Y), model.influence(X, Y, top=5, by=by)
        assert few.rows.tolist() == whole.largest(5, by).rows.tolist() == np.argsort(-np.abs(getattr(whole, by)))[:5].tolist()
        assert (few.press, few.loo_mse) == (whole.press, whole.loo_mse)
    frame = model.influence(pd.DataFrame(X, columns=list("abc")).to_numpy(), Y).to_frame()
    assert frame.column_names[-4:] == ["dfbeta_intercept", "dfbeta_x0", "dfbeta_x1", "dfbeta_x2"]


@pytest.mark.parametrize("name", ["Longley", "Wampler3", "Norris"])
def test_leverages_add_up_to_the_coefficients(name: str) -> None:
    x, y, intercept = designed(name)[0], designed(name)[1], True
    found = LinearRegression(fit_intercept=intercept).fit(x, y).influence(x, y)
    assert found.leverages.sum() == pytest.approx(x.shape[1] + 1, rel=1e-9)


def test_a_row_that_alone_decides_a_coefficient() -> None:
    x = np.column_stack([X[:, 0], np.arange(N) == 17])
    model = LinearRegression().fit(x, Y)
    found = model.influence(x, Y)
    assert found.leverages[17] == pytest.approx(1)
    assert np.isnan([found.loo_residuals[17], found.cooks_distances[17], found.press]).all()
    assert found.largest(N).rows[-1] == 17
    with pytest.raises(DataError, match="row 17 counted from 0 alone decides a coefficient"):
        model.robust(x, Y, kind="HC3")
    assert np.isfinite(model.robust(x, Y, kind="HC1").standard_errors).all()


def test_a_feature_that_depends_on_others_has_no_errors() -> None:
    with pytest.warns(DependentColumnsWarning):
        model = LinearRegression().fit(np.column_stack([X, X[:, 0] * 2]), Y)
    rows = np.column_stack([X, X[:, 0] * 2])
    expected = fitted(True, None)
    for mine, theirs in ((model.robust(rows, Y), expected.robust(X, Y)), (model.inference_, expected.inference_)):
        np.testing.assert_allclose(mine.standard_errors[:4], theirs.standard_errors, rtol=1e-9)
        assert np.isnan(mine.standard_errors[4, 0])
    np.testing.assert_allclose(model.influence(rows, Y).dfbetas[:, :4], expected.influence(X, Y).dfbetas, rtol=1e-9, atol=1e-12)
    assert "depend on others" in str(model.summary())


@pytest.mark.parity("Collinearity", peer="statsmodels variance_inflation_factor, numpy cond")
def test_collinearity_is_that_of_statsmodels() -> None:
    x = np.column_stack([X, X[:, 0] + X[:, 1] / 50 + 0.01 * RNG.normal(size=N)])
    found = Collinearity.of(LinearRegression().fit(x, Y).equations_)
    design = sm.add_constant(x)
    np.testing.assert_allclose(found.inflations, [variance_inflation_factor(design, at) for at in range(1, 5)], rtol=1e-9)
    assert found.condition_number == pytest.approx(np.linalg.cond(design / np.linalg.norm(design, axis=0)), rel=1e-9)
    centred = x - x.mean(axis=0)
    assert found.centred_condition_number == pytest.approx(np.linalg.cond(centred / np.linalg.norm(centred, axis=0)), rel=1e-9)
    assert [part.split()[-1] for part in re.split(" [+-] ", found.words)] == ["'x3'", "'x1'", "'x0'"]


def test_a_summary_is_known_to_users_of_statsmodels() -> None:
    for inference, theirs in ((None, {}), ("HC3", {"cov_type": "HC3", "use_t": True})):
        model = fitted(True, None)
        told = model.summary(inference=None if inference is None else model.robust(X, Y, kind=inference))
        peer = sm.OLS(Y, sm.add_constant(X)).fit(**theirs)
        facts = dict(told.facts[0])
        assert float(facts["F-statistic:"]) == pytest.approx(peer.fvalue, rel=1e-3)
        assert float(facts["Prob (F-statistic):"]) == pytest.approx(peer.f_pvalue, rel=1e-2)
        assert (facts["R-squared:"], facts["Adj. R-squared:"]) == (f"{peer.rsquared:.4f}", f"{peer.rsquared_adj:.4f}")
        assert (facts["AIC:"], facts["BIC:"], facts["Covariance Type:"]) == (f"{peer.aic:.6g}", f"{peer.bic:.6g}", inference or "nonrobust")
        shown = np.array([[float(cell) for cell in row[1:]] for row in told.tables[0]])
        expected = np.column_stack([peer.params, peer.bse, peer.tvalues, peer.pvalues, peer.conf_int()])
        np.testing.assert_allclose(shown, expected, atol=6e-4)
        for label in (
            "Dep. Variable",
            "R-squared",
            "Adj. R-squared",
            "F-statistic",
            "Log-Likelihood",
            "AIC",
            "BIC",
            "Df Model",
            "coef",
            "std err",
            "[0.025",
        ):
            assert label in str(told)
    assert dict(fitted(True, W).summary().facts[0])["AIC:"] == "give sample_weight"
    assert float(dict(fitted(True, W).summary(sample_weight=W).facts[0])["AIC:"]) == pytest.approx(
        sm.WLS(Y, sm.add_constant(X), W).fit().aic, rel=1e-5
    )


def test_a_summary_fits_a_terminal_and_a_window() -> None:
    long = "a name that says all that there is to be said of it"
    frame = pd.DataFrame({"size": X[:, 0], long: X[:, 1]})
    for columns, unit in ((["size"], 1), (["size", long], 1), ([long], 1e9), (["size", long], 1e-9)):
        told = LinearRegression().fit(frame[columns], Y * unit).summary()
        lines = str(told).splitlines()
        assert max(map(len, lines)) <= 80
        assert len({len(line) for line in lines if set(line) in ({"="}, {"-"})}) == 1
        rows = lines[-2 - len(columns) - 1 : -2]
        assert {len(line) for line in rows} == {len(lines[1])}
    assert re.search("a name that says all[a-z ]*\N{HORIZONTAL ELLIPSIS}  ", str(told))
    page = told.to_html()
    assert long in page
    assert page.startswith('<div style="overflow-x:auto">'), "a narrow window scrolls the table"
    assert page.count("<tr>") == 7 + 1 + 3, "two facts are in a row"


@pytest.mark.parametrize("model", [LinearRegression(), LinearRegression(fit_intercept=False), HeteroscedasticRegression()])
def test_facts_of_a_summary_keep_to_their_columns(model: Any) -> None:
    name = "a target whose name is long"
    told = model.fit(pd.DataFrame(X, columns=list("abc")).assign(**{name: Y * 1000}), name).summary()
    lines = str(told).splitlines()
    facts = lines[2 : lines.index(lines[1], 2)]
    assert {len(line) for line in facts} == {len(lines[1])}
    assert len(lines[1]) <= 80
    half = (len(told.facts[0]) + 1) // 2
    for line, (label, value), (beside, last) in zip(facts, told.facts[0][:half], told.facts[0][half:], strict=True):
        assert line.startswith(label)
        assert value in line or "a target" in line
        assert line.endswith(last)
        assert line.index(beside) == facts[0].index(told.facts[0][half][0])


def test_a_name_cannot_forge_a_summary() -> None:
    evil = "<script>alert(1)</script>"
    told = LinearRegression().fit(pd.DataFrame(X[:, :1], columns=[evil]), pd.Series(Y, name="y\n</table>")).summary()
    assert "<script" not in told.to_html()
    assert told.to_html().count("</table>") == 2
    assert html.escape("<script>alert(1)") in told.to_html()
    assert "\n</table>" not in str(told)


@pytest.mark.parametrize(
    ("rows", "kwargs", "said"),
    [
        ((X[:50], Y[:50]), {}, "50 rows of a weight above 0 were given, and the model was fitted to 120"),
        ((X, Y[::-1]), {}, "squared residuals add up to"),
        ((X, Y), {"kind": "HC4"}, "kind is 'HC4'; expected 'HC0'"),
        ((X, Y), {"kind": "cluster"}, "takes groups="),
        ((X, Y), {"groups": CLUSTERS}, "takes groups="),
        ((X, Y), {"kind": "cluster", "groups": np.zeros(N)}, "a single label"),
        ((X, Y), {"kind": "cluster", "groups": [1, 2]}, "one label for each of 120 rows"),
        ((X, Y), {"kind": "cluster", "groups": [None, *CLUSTERS[1:].tolist()]}, "groups at index 0: the group is missing, and 0 more"),
        ((X, Y), {"kind": "cluster", "groups": np.where(np.arange(N) == 3, np.nan, CLUSTERS)}, "'groups' holds floating-point numbers and is NaN"),
        ((X, Y), {"kind": "HAC", "lags": -1}, "lags is -1"),
        ((X, Y), {"kind": "HAC", "lags": N}, "lags is 120, and the fit has 120 rows"),
        ((X, Y), {"kind": "HAC", "lags": True}, "lags is True"),
        ((X, Y), {"lags": 2}, "lags is 2 with kind='HC3'"),
    ],
)
def test_what_is_refused_is_named(rows: tuple, kwargs: dict, said: str) -> None:
    with pytest.raises(DataError, match=said):
        fitted(True, None).robust(*rows, **kwargs)


def test_clusters_of_a_source_are_those_of_one_column_that_every_row_has() -> None:
    rows = {"x": X[:, 0], "y": Y, "g": CLUSTERS, "h": ["a", None, *["b"] * (N - 2)]}
    model = LinearRegression(features=["x"]).fit(rows, "y")
    with pytest.raises(DataError, match=r"groups= names 2 columns, 'g', 'h'; expected one"):
        model.robust(rows, "y", kind="cluster", groups=["g", "h"])
    with pytest.raises(DataError, match=r"column 'h', row 2: the group is missing, and 0 more"):
        model.robust(rows, "y", kind="cluster", groups="h")


def test_labels_of_several_kinds_are_several_clusters() -> None:
    pairs = [1, "1", True, 1.5] * (N // 4)
    found = fitted(True, None).robust(X, Y, kind="cluster", groups=pairs)
    assert found.clusters == 4
    expected = fitted(True, None).robust(X, Y, kind="cluster", groups=np.arange(N) % 4)
    np.testing.assert_allclose(found.covariances, expected.covariances, rtol=1e-12)


@pytest.mark.parametrize("confidence", [0, 1, 95, -0.5, np.nan])
def test_a_confidence_is_between_0_and_1(confidence: float) -> None:
    model = fitted(True, None)
    ways = (
        model.confidence_intervals,
        model.prediction(X).confidence_intervals,
        model.prediction(X).prediction_intervals,
        model.inference_.intervals,
    )
    for way in ways:
        with pytest.raises(DataError, match=r"confidence is .*; expected a number between 0 and 1"):
            way(confidence)


def test_a_summary_tells_of_its_own_fit() -> None:
    other = LinearRegression().fit(X, Y**3)  # of the same names
    with pytest.raises(DataError, match="inference is that of another fit, on intercept, x0"):
        fitted(True, None).summary(inference=other.robust(X, Y**3))


def test_the_mean_alone_is_a_fit() -> None:
    model = LinearRegression(features=[]).fit(X, Y)
    np.testing.assert_allclose(model.predict(X), np.full(N, Y.mean()), rtol=1e-14)
    np.testing.assert_allclose(model.inference_.standard_errors, [[Y.std(ddof=1) / np.sqrt(N)]], rtol=1e-13)
    rows = pd.DataFrame({"y": Y})
    named = LinearRegression().fit(rows, "y")
    assert named.intercept_ == model.intercept_
    assert named.diagnose(rows, "y").assumptions
    with pytest.raises(DataError, match=r"Found array with 0 feature\(s\)"):
        named.predict(rows[[]])


def test_numbers_of_numpy_are_whole_numbers() -> None:
    by_numpy = fitted(True, None).robust(X, Y, kind="HAC", lags=np.int64(2))
    np.testing.assert_array_equal(by_numpy.covariances, fitted(True, None).robust(X, Y, kind="HAC", lags=2).covariances)
    assert fitted(True, None).influence(X, Y, top=np.int64(3)).rows.shape == (3,)


def test_what_influence_refuses_is_named() -> None:
    with pytest.raises(DataError, match="by is 'size'"):
        fitted(True, None).influence(X, Y, top=3, by="size")
    with pytest.raises(DataError, match="by is 'size'"):
        fitted(True, None).influence(X, Y, by="size")
    with pytest.raises(DataError, match="top is 0"):
        fitted(True, None).influence(X, Y, top=0)
    two = np.column_stack([Y, Y])
    with pytest.raises(DataError, match="2 targets"):
        LinearRegression().fit(X, two).influence(X, two)
    with pytest.raises(DataError, match="confidence is 95"):
        fitted(True, None).summary(confidence=95)
