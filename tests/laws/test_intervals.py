"""Intervals are the delete-one jackknife of the metric itself, whatever the chunks, threads, files and units the rows come in."""

from __future__ import annotations

import math
import pickle
from fractions import Fraction
from operator import mul
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest
from numpy.typing import NDArray
from pyarrow import parquet
from scipy import stats

import squarely as sq
from squarely.errors import DataError
from squarely.evaluate.layout import hashes_of, layout_of
from squarely.intervals.student import quantile, tails

Array = NDArray[np.float64]
MEANS = ["mse", "rmse", "mae", "mape", "smape", "msle", "rmsle", "mean_poisson_deviance", "mean_pinball_loss(alpha=0.9)", "huber", "rmspe"]
SCORES = ["r2", "explained_variance", "pearson_r", "ccc", "kge", "d2_tweedie_score", "adjusted_r2_score(n_features=3)"]
SIGNED = ["bias", "calibration_slope", "calibration_intercept", "variability_ratio", "bias_ratio", "mpe"]
SMOOTH = [*MEANS, *SCORES, *SIGNED]


def rows(n: int, seed: int = 0) -> tuple[Array, Array]:
    rng = np.random.default_rng([seed, 4])
    y = rng.gamma(3, 2, n) + 1
    return y, y * np.exp(0.2 * rng.normal(size=n)) + 0.3


def value(metric: str, y: Array, p: Array, w: Array | None = None) -> float:
    """The metric by its function of arrays, which has its own proofs."""
    question = sq.evaluate(y, p, weight=w, metrics=[metric], ci="none")
    return question[metric].value


def textbook(metric: str, y: Array, p: Array, bucket: NDArray[Any], w: Array | None = None, confidence: float = 0.95) -> tuple[float, float, float]:
    """The delete-one-bucket jackknife, with a loop in place of sums; Hall's correction for errors, as in spec/intervals."""
    names = np.unique(bucket if w is None else bucket[w > 0])
    count = len(names)
    whole = value(metric, y, p, w)
    left = np.array([value(metric, y[bucket != b], p[bucket != b], None if w is None else w[bucket != b]) for b in names])
    link, back = (
        (np.log, np.exp) if metric in MEANS else (lambda s: np.log(1 - s), lambda t: 1 - np.exp(t)) if metric in SCORES else (lambda x: x,) * 2
    )
    pseudo = count * link(whole) - (count - 1) * link(left)
    freedom = int(min(count - 1, 4 * count / (stats.kurtosis(pseudo, fisher=False) + 1)))
    s, t = pseudo.std(ddof=1) / math.sqrt(count), stats.t.ppf((1 + confidence) / 2, freedom)
    k = float(np.clip(stats.skew(pseudo) / math.sqrt(count), -0.7 / t, 0.7 / t))  # beyond, the cubic is steep

    def hall(q: float) -> float:
        return float((np.cbrt(1 + k * (q - k / 6)) - 1) * 3 / k) if metric in MEANS else q

    low, high = sorted(float(back(link(whole) - s * hall(side))) for side in (t, -t))
    return math.sqrt((count - 1) * left.var()), low, high


@pytest.mark.parametrize("metric", SMOOTH)
def test_up_to_2048_rows_each_row_is_left_out_once(metric: str) -> None:
    y, p = rows(40)
    answer = sq.evaluate(y, p, metrics=[metric])[metric]
    assert (answer.se, *answer.ci) == pytest.approx(textbook(metric, y, p, np.arange(40)), rel=1e-9)
    assert answer.ci[0] < answer.value < answer.ci[1]
    assert answer.doubt is None


@pytest.mark.parametrize("metric", ["mse", "r2", "mape", "bias"])
def test_of_more_rows_buckets_are_left_out(metric: str) -> None:
    y, p = rows(5000)
    bucket = layout_of("rows", 4999, 1).of_rows(0, 5000)
    assert len(np.unique(bucket)) == 128
    assert np.bincount(bucket).max() - np.bincount(bucket).min() <= 2  # a round gives one row to each
    answer = sq.evaluate(y, p, metrics=[metric], confidence=0.9)[metric]
    assert (answer.se, *answer.ci) == pytest.approx(textbook(metric, y, p, bucket, confidence=0.9), rel=1e-9)


@pytest.mark.parametrize("metric", ["rmse", "r2", "bias", "wape"])
def test_weighted_rows(metric: str) -> None:
    y, p = rows(60)
    w = np.random.default_rng(5).integers(0, 4, 60).astype(float)
    answer = sq.evaluate(y, p, weight=w, metrics=[metric])[metric]
    if metric == "wape":
        assert answer.ci[0] < answer.value < answer.ci[1]
    else:
        assert (answer.se, *answer.ci) == pytest.approx(textbook(metric, y, p, np.arange(60), w), rel=1e-9)


@pytest.mark.parametrize("metric", ["mse", "r2"])
def test_clusters_are_left_out_whole(metric: str) -> None:
    y, p = rows(300)
    shop = np.random.default_rng(2).integers(0, 30, 300)
    answer = sq.evaluate(y, p, cluster=shop, metrics=[metric])[metric]
    assert (answer.se, *answer.ci) == pytest.approx(textbook(metric, y, p, shop), rel=1e-9)
    order = np.random.default_rng(3).permutation(300)
    again = sq.evaluate(y[order], p[order], cluster=shop[order].astype(float), metrics=[metric])[metric]
    assert again.ci == answer.ci  # where a row lies does not matter, nor whether 3 is written 3.0


def test_blocks_of_time_are_left_out_whole() -> None:
    y, p = rows(3000)
    layout = layout_of("order", 2999, 1)
    answer = sq.evaluate(y, p, order=True, metrics=["mae"])["mae"]
    assert (answer.se, *answer.ci) == pytest.approx(textbook("mae", y, p, layout.of_rows(0, 3000)), rel=1e-9)
    assert np.all(np.diff(layout.of_rows(0, 3000)) >= 0)


@pytest.mark.parametrize("rows_of_group", [50, 700])
def test_a_group_has_the_interval_of_its_rows(rows_of_group: int) -> None:
    y, p = rows(2 * rows_of_group)
    town = np.repeat(["a", "b"], rows_of_group)
    by = sq.evaluate(y, p, by=town, metrics=["mse", "r2"])
    for at, name in enumerate("ab"):
        alone = slice(at * rows_of_group, (at + 1) * rows_of_group)
        for metric in ("mse", "r2"):
            assert by[metric].by[name].ci == pytest.approx(textbook(metric, y[alone], p[alone], np.arange(rows_of_group))[1:], rel=1e-9)
    assert by["mse"].ci == sq.evaluate(y, p, metrics=["mse"])["mse"].ci


def test_many_groups_have_fewer_buckets() -> None:
    y, p = rows(60_000)
    for groups, buckets in ((1, 128), (16, 128), (32, 64), (100, 16), (400, 16)):
        town = np.arange(60_000) % groups
        answer = sq.evaluate(y, p, by=town, metrics=["mse"])["mse"].by[groups // 2]
        assert answer.doubt is None
        if groups > 1:
            mine = town == groups // 2
            bucket = layout_of("rows", 59_999, groups).of_rows(0, 60_000)
            assert len(np.unique(bucket)) == buckets
            assert answer.ci == pytest.approx(textbook("mse", y[mine], p[mine], bucket[mine])[1:], rel=1e-9)


@pytest.mark.parametrize("threads", ["1", "3"])
def test_all_rows_have_an_interval_however_many_groups_there_are(threads: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the 128 buckets those fall together that differ by 16, as they would in every group of many."""
    monkeypatch.setenv("SQUARELY_THREADS", threads)
    y, p = rows(30_000)
    town = np.sort(np.arange(30_000) % 3000)  # a thread meets the groups one after the other
    parquet.write_table(pa.table({"y": y, "p": p, "town": town}), tmp_path / "data.parquet", row_group_size=1000)
    answer = sq.evaluate(tmp_path / "data.parquet", target="y", prediction="p", by="town", metrics=["mse"])["mse"]
    bucket = layout_of("rows", 29_999, 1).of_rows(0, 30_000) % 16
    assert (answer.se, *answer.ci) == pytest.approx(textbook("mse", y, p, bucket), rel=1e-9)
    assert (answer.by[5].se, *answer.by[5].ci) == pytest.approx(textbook("mse", y[town == 5], p[town == 5], np.arange(10)), rel=1e-9)


def every_interval(evaluation: sq.Evaluation) -> list[Any]:
    asked = [evaluation[label] for label in evaluation]
    return [answer.interval for answer in asked] + [group.interval for answer in asked for group in answer.by.values()]


@pytest.mark.parametrize("n", [1500, 2048, 2049, 150_000])
def test_chunks_threads_and_sources_leave_no_trace(n: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    y, p = rows(n)
    town = np.array(["x", "y", "z"])[np.random.default_rng(1).integers(0, 3, n)]
    data = {"y": y, "p": p, "town": town}
    names = {"target": "y", "prediction": "p", "by": "town", "exact": False}
    expected = repr(every_interval(sq.evaluate(data, **names)))
    table = pa.table(data)
    for rows_of_group in (197, 60_000):
        parquet.write_table(table, tmp_path / "data.parquet", row_group_size=rows_of_group)
        for threads in ("1", "2", "7"):
            monkeypatch.setenv("SQUARELY_THREADS", threads)
            assert repr(every_interval(sq.evaluate(tmp_path / "data.parquet", **names))) == expected
    chunked = pa.Table.from_batches(table.to_batches(max_chunksize=331))
    assert repr(every_interval(sq.evaluate(chunked, **names))) == expected
    if n < 3000:
        pyarrow.csv.write_csv(table, tmp_path / "data.csv")
        assert repr(every_interval(sq.evaluate(tmp_path / "data.csv", **names))) == expected


def test_a_period_of_the_data_does_not_fall_in_step_with_the_buckets() -> None:
    y, p = rows(64_000)
    p[::128] += 40  # rows in step would be one bucket of their own
    shuffled = np.random.default_rng(0).permutation(64_000)
    periodic, mixed = (sq.evaluate(y[order], p[order], metrics=["mse"])["mse"].se for order in (np.arange(64_000), shuffled))
    assert 0.7 < periodic / mixed < 1.4


@pytest.mark.parametrize("metric", ["mse", "mae", "bias", "r2", "mape", "medae"])
@pytest.mark.parametrize("power", [-400, 3, 400])
def test_intervals_have_the_unit_of_the_metric(metric: str, power: int) -> None:
    y, p = rows(300)
    degree = {"mse": 2, "mae": 1, "bias": 1, "medae": 1}.get(metric, 0)
    plain, scaled = (sq.evaluate(y * unit, p * unit, metrics=[metric], exact=False)[metric] for unit in (1.0, 2.0**power))
    assert scaled.ci == pytest.approx([end * 2.0 ** (degree * power) for end in plain.ci], rel=1e-12)
    assert scaled.se == pytest.approx(plain.se * 2.0 ** (degree * power), rel=1e-12)


@pytest.mark.parametrize("metric", ["mse", "r2", "bias", "pearson_r"])
def test_a_large_offset_costs_no_digits(metric: str) -> None:
    rng = np.random.default_rng(8)
    y = np.round(rng.normal(0, 100, 400)) / 64
    p = y + np.round(rng.normal(0, 20, 400)) / 64
    near, far = (sq.evaluate(y + offset, p + offset, metrics=[metric])[metric] for offset in (0.0, 2.0**40))
    assert (far.se, *far.ci) == pytest.approx((near.se, *near.ci), rel=1e-9)


def test_a_quantile_has_the_interval_of_its_rank() -> None:
    """Unweighted independent rows: the number of errors below a quantile is binomial."""
    n = 4000
    y, p = rows(n)
    errors = np.sort(np.abs(y - p))
    for metric, level in (("medae", 0.5), ("quantile_absolute_error(quantile=0.9)", 0.9)):
        low, high = sq.evaluate(y, p, metrics=[metric])[metric].ci
        half = stats.t.ppf(0.975, 500) * math.sqrt(level * (1 - level) / (n - 1))
        first, last = errors[math.ceil(n * (level - half)) - 1], errors[math.floor(n * (level + half))]
        assert first * (1 - 2**-7) <= low <= first  # sizes are known to a bucket
        assert last <= high <= last * (1 + 2**-7)


def test_with_weights_or_clusters_a_quantile_has_the_jackknife_of_its_share() -> None:
    """Then the weight below a quantile is no binomial number, and varies more."""
    n, size = 4000, 20
    rng = np.random.default_rng(3)

    def width(errors: Array, **told: Any) -> float:
        low, high = sq.evaluate(np.zeros(n), errors, metrics=["medae"], **told)["medae"].ci
        return float(high - low)

    equal = np.repeat(rng.uniform(1, 2, n // size), size)  # the rows of a cluster are all below the quantile, or none
    assert width(equal, cluster=np.repeat(np.arange(n // size), size)) == pytest.approx(math.sqrt(size) * width(equal), rel=0.2)
    free, weight = rng.uniform(1, 2, n), rng.permutation(np.where(np.arange(n) % 10, 0.1, 10.0))
    effect = np.mean(weight**2) / np.mean(weight) ** 2  # of unequal weights: Kish, L. (1965), Survey Sampling
    assert width(free, weight=weight) == pytest.approx(math.sqrt(effect) * width(free), rel=0.2)


def test_a_quantile_has_one_interval_whatever_else_is_asked() -> None:
    """A trimmed mean makes every bucket count the sizes of its errors; without one the rows of a group count theirs together."""
    y, p = rows(5000)
    group = np.random.default_rng(5).integers(0, 7, 5000)
    for by in (None, group):
        few, more = (sq.evaluate(y, p, by=by, metrics=["medae", "mse", *others]) for others in ((), ("trimmed_mse",)))
        for metric in ("medae", "mse"):
            assert repr(few[metric]) == repr(more[metric])
            assert [repr(each) for each in few[metric].by.values()] == [repr(each) for each in more[metric].by.values()]


def test_a_trimmed_mean_that_is_asked_for_late_says_how_to_have_its_interval() -> None:
    y, p = rows(100)
    answer = sq.evaluate(y, p, metrics=["medae"])["trimmed_mse"]
    assert answer.value == sq.evaluate(y, p, metrics=["trimmed_mse"])["trimmed_mse"].value
    assert math.isnan(answer.se)
    assert "name 'trimmed_mse' in metrics=" in str(answer.doubt)


def test_a_trimmed_mean_has_an_interval_and_an_extreme_has_none() -> None:
    y, p = rows(100)
    evaluation = sq.evaluate(y, p, metrics=["trimmed_mse", "max_error"])
    answer = evaluation["trimmed_mse"]
    left = [sq.trimmed_mean_squared_error(np.delete(y, i), np.delete(p, i)) for i in range(100)]
    assert answer.se == pytest.approx(math.sqrt(99 * np.var(left)), rel=0.05)  # sizes of errors are known to 0.4 %
    assert answer.ci[0] < answer.value < answer.ci[1]
    assert math.isnan(evaluation["max_error"].se)
    assert "largest" in str(evaluation["max_error"].doubt)


def test_a_skill_score_leaves_the_rows_of_both_models_out() -> None:
    y, p = rows(50)
    old = np.roll(y, 1)
    label = "skill_score(baseline='old')"
    answer = sq.evaluate(y, {"new": p, "old": old}, metrics=[label])[label, "new"]
    left = np.array([1 - sq.mse(np.delete(y, i), np.delete(p, i)) / sq.mse(np.delete(y, i), np.delete(old, i)) for i in range(50)])
    assert answer.se == pytest.approx(math.sqrt(49 * left.var()), rel=1e-9)


def test_where_there_is_no_interval_a_reason_is_given() -> None:
    y, p = rows(30)
    assert sq.evaluate(y, p, ci="none")["mse"].doubt == "no interval was asked for"
    assert sq.evaluate(y, p, ci="none").uncertainty is None
    for y_few, p_few in ((y[:1], p[:1]), (y, y), (np.ones(30), p)):
        answer = sq.evaluate(y_few, p_few, metrics=["mse", "r2"])["r2" if y_few[0] == 1 else "mse"]
        assert all(math.isnan(end) for end in (answer.se, *answer.ci))
        assert answer.doubt
    assert "7 rows" in str(sq.evaluate(y[:7], p[:7], metrics=["mse"])["mse"].doubt)
    assert "the best there is" in str(sq.evaluate(y, y, metrics=["mse"])["mse"].doubt)
    few = sq.evaluate(y, p, cluster=np.arange(30) % 5, metrics=["mse"])["mse"]
    assert few.ci[0] < few.value < few.ci[1]
    assert "5 clusters" in str(few.doubt)


def test_missing_rows_are_left_out_of_their_buckets() -> None:
    y, p = rows(200)
    table = pa.table({"y": pa.array(y, mask=np.arange(200) % 10 == 3), "p": p})
    there = np.arange(200) % 10 != 3
    answer = sq.evaluate(table, target="y", prediction="p", metrics=["mse"], nan_policy="omit_targets")["mse"]
    assert answer.ci == pytest.approx(textbook("mse", y[there], p[there], np.arange(180))[1:], rel=1e-9)


def test_an_evaluation_travels_with_its_intervals() -> None:
    y, p = rows(3000)
    evaluation = sq.evaluate(y, p, by=np.arange(3000) % 3)
    assert repr(every_interval(pickle.loads(pickle.dumps(evaluation)))) == repr(every_interval(evaluation))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"confidence": 95}, "between 0 and 1"),
        ({"confidence": 1.0}, "between 0 and 1"),
        ({"ci": "some"}, "'none'"),
        ({"cluster": np.zeros(30), "order": True}, "both"),
        ({"cluster": np.zeros(29)}, "29"),
        ({"cluster": ["a", None] * 15}, "cluster in row 2"),
        ({"order": np.arange(30)[::-1]}, "row 2 comes before"),
    ],
)
def test_bad_settings_are_refused(settings: dict[str, Any], words: str) -> None:
    y, p = rows(30)
    with pytest.raises(DataError, match=words):
        sq.evaluate(y, p, **settings)


def test_rows_that_are_not_in_order_from_batch_to_batch_are_refused(tmp_path: Path) -> None:
    y, p = rows(100)
    table = pa.table({"y": y, "p": p, "day": np.r_[np.arange(50), np.arange(50)]})
    parquet.write_table(table, tmp_path / "a.parquet", row_group_size=50)
    names = {"target": "y", "prediction": "p", "metrics": ["mae"]}
    with pytest.raises(DataError, match="row 51 comes before"):
        sq.evaluate(tmp_path / "a.parquet", order="day", **names)
    assert sq.evaluate(tmp_path / "a.parquet", order=True, **names)["mae"].ci[0] > 0
    parquet.write_table(table, tmp_path / "b.parquet")
    with pytest.raises(DataError, match="2 files"):
        sq.evaluate(tmp_path, order=True, **names)


@pytest.mark.parametrize("freedom", [1, 2, 3, 7, 15, 127, 2047])
def test_the_t_distribution_is_that_of_others(freedom: int) -> None:
    for t in (0.0, 1e-9, 0.3, 1.0, 2.0, 5.0, 40.0):
        with mpmath.workdps(60):
            exact = mpmath.betainc(freedom / 2, 0.5, 0, freedom / (freedom + mpmath.mpf(t) ** 2), regularized=True)
        assert tails(t, freedom) == pytest.approx(float(exact), rel=1e-11)
    for confidence in (0.1, 0.5, 0.9, 0.95, 0.999):
        assert quantile(confidence, freedom) == pytest.approx(stats.t.ppf((1 + confidence) / 2, freedom), rel=1e-11)


def exact_se(y: Array, p: Array, w: Array) -> float:
    """The standard error of the mean squared error, without rounding until the end."""
    losses = [(Fraction(a) - Fraction(b)) ** 2 for a, b in zip(y.tolist(), p.tolist(), strict=True)]
    weights = list(map(Fraction, w.tolist()))
    total, whole = sum(map(mul, losses, weights)), sum(weights)
    left = np.array([float((total - loss * weight) / (whole - weight)) for loss, weight in zip(losses, weights, strict=True)])
    return math.sqrt((len(y) - 1) * left.var())


@pytest.mark.parametrize("weight", [1e12, 1e16, 1e20, 1e300])
def test_a_row_that_outweighs_all_others_leaves_them_in_the_sums_without_it(weight: float) -> None:
    y, p = rows(60)
    w = np.ones(60)
    w[3] = weight
    answer = sq.evaluate(y, p, weight=w, metrics=["mse"])["mse"]
    assert answer.se == pytest.approx(exact_se(y, p, w), rel=1e-9)
    assert answer.ci[0] < answer.value < answer.ci[1]


@pytest.mark.parametrize("error", [1e9, 1e12, 1e60])
def test_an_error_that_outgrows_all_others_leaves_them_in_the_sums_without_it(error: float) -> None:
    y, p = rows(60)
    p[5] = error
    answer = sq.evaluate(y, p, metrics=["mse"])["mse"]
    assert answer.se == pytest.approx(exact_se(y, p, np.ones(60)), rel=1e-6)


@pytest.mark.parametrize("metric", ["pearson_r", "kge", "calibration_slope"])
def test_rounding_is_no_variance(metric: str) -> None:
    y, _ = rows(200)
    p = np.full(200, 0.1)
    p[7] = 5.0  # without this row predictions are constant
    answer = sq.evaluate(y, p, metrics=[metric])[metric]
    assert math.isnan(answer.se)
    assert "no value" in str(answer.doubt)


def test_of_two_rows_the_agreement_has_no_interval() -> None:
    y, p = rows(2)
    assert math.isnan(sq.evaluate(y, p, metrics=["ccc"])["ccc"].se)  # of one row it is always 0, so no row says how it varies


@pytest.mark.parametrize("first", [2**53 + 1, 2**62, 10**400])
def test_clusters_named_by_large_integers_are_told_apart(first: int) -> None:
    y, p = rows(300)
    ids = np.arange(300) % 30
    large = sq.evaluate(y, p, cluster=[first + each for each in ids.tolist()], metrics=["mse"])["mse"]
    assert large.se == pytest.approx(sq.evaluate(y, p, cluster=ids, metrics=["mse"])["mse"].se, rel=1e-9)
    assert "one cluster" in str(sq.evaluate(y, p, cluster=[first] * 300, metrics=["mse"])["mse"].doubt)


def test_equal_numbers_of_two_types_are_one_cluster() -> None:
    of_integers, of_floats, of_flags = (
        hashes_of((0, 1, 5, -3, 2**53, 2**60)),
        hashes_of((0.0, 1.0, 5.0, -3.0, 2.0**53, 2.0**60)),
        hashes_of((False, True)),
    )
    assert of_integers.tolist() == of_floats.tolist()
    assert of_flags.tolist() == of_integers[:2].tolist()
    assert hashes_of((math.inf,)).tolist() != hashes_of((-math.inf,)).tolist()
