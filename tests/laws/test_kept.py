"""What a state keeps beside its eight sums, terms and sizes of errors, obeys the same laws: exact, and a group."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import nasty
from squarely import METRICS, PairState, _core
from squarely.errors import StateError
from squarely.metric import find
from squarely.state import BUCKET_SHIFT, RELATIVE_BOUND, Plan, Rows, Term

ON_SUMS = [name for name, metric in METRICS.items() if metric.answers_on_sums]
WITH_COLUMNS = ["mean_absolute_scaled_error(scale='scale')", "interval_score(lower='low', upper='high')", "crps_gaussian(sigma='scale')"]
PLAN = Plan.union(find(each).plan for each in (*ON_SUMS, *WITH_COLUMNS))
KIND_AND_WEIGHT = [(kind, weight) for kind in nasty.KINDS for weight in ("none", "lognormal", "integers_with_zeros")]
NASTY = pytest.mark.parametrize(("kind", "weights"), KIND_AND_WEIGHT)
WIDTHS = _core.available()


@pytest.fixture(params=WIDTHS)
def width(request: pytest.FixtureRequest) -> Iterator[str]:
    before = _core.use(request.param)
    yield request.param
    _core.use(before)


def data(kind: str, weights: str, n: int = 300, seed: int = 0) -> tuple[Any, Any, Any, dict[str, Any]]:
    """Targets, predictions, weights and columns; some columns have values that no term takes."""
    y, p = nasty.pair(kind, n, seed)
    rng = np.random.default_rng(seed)
    columns = {"scale": rng.lognormal(size=n), "low": p - 1, "high": p + 1}
    return y, p, nasty.weight(weights, n, seed), columns


def state_of(rows: Any, y: Any, p: Any, w: Any, columns: dict[str, Any]) -> PairState:
    """The state of some of the rows."""
    return PairState.planned(PLAN).update(
        y[rows], p[rows], None if w is None else w[rows], **{name: values[rows] for name, values in columns.items()}
    )


def number(pair: tuple[int, int]) -> Fraction:
    return Fraction(pair[0]) * Fraction(2) ** pair[1]


@NASTY
def test_term_sums_are_the_rational_sums_of_the_terms(kind: str, weights: str, width: str) -> None:
    y, p, w, columns = data(kind, weights)
    state = state_of(slice(None), y, p, w, columns)
    factors = [Fraction(1)] * len(y) if w is None else [Fraction(float(each)) for each in w]
    for place, term in enumerate(PLAN.terms):
        terms = Rows(y, p, None, {name: columns[name] for name in term.columns}).pointwise(term)
        total, outside, large, small = state._core.term(place)
        counted = [(float(t), f) for t, f in zip(terms, factors, strict=True) if f]
        assert number(total) == sum((Fraction(t) * f for t, f in counted if np.isfinite(t)), Fraction(0)), (term, width)
        expected = [sum(test(t) for t, _ in counted) for test in (np.isnan, lambda t: t == np.inf, lambda t: t == -np.inf)]
        assert [outside, large, small] == expected, term


@NASTY
def test_sizes_are_counted_by_their_top_bits(kind: str, weights: str) -> None:
    y, p, w, columns = data(kind, weights)
    state = state_of(slice(None), y, p, w, columns)
    with np.errstate(over="ignore"):
        buckets = np.abs(y - p).view(np.uint64) >> np.uint64(BUCKET_SHIFT)
    expected: Counter[int] = Counter()
    for row, bucket in enumerate(buckets.tolist()):
        expected[bucket] += Fraction(1) if w is None else Fraction(float(w[row]))  # type: ignore[assignment]
    unit, buckets, weights = state._core.cells()
    found = {bucket: weight * Fraction(2) ** unit for bucket, weight in zip(buckets, weights, strict=True)}
    assert found == {bucket: total for bucket, total in expected.items() if total}


@NASTY
def test_every_width_keeps_the_same_bytes(kind: str, weights: str) -> None:
    rows = data(kind, weights)
    found = set()
    for name in WIDTHS:
        before = _core.use(name)
        found.add(state_of(slice(None), *rows).to_bytes())
        _core.use(before)
    assert len(found) == 1


@NASTY
def test_order_and_parts_leave_no_trace(kind: str, weights: str) -> None:
    rows = data(kind, weights, 1000)
    whole = state_of(slice(None), *rows)
    rng = np.random.default_rng(0)
    assert state_of(rng.permutation(1000), *rows).to_bytes() == whole.to_bytes()
    for count in (2, 7, 300):
        parts = [part for part in np.array_split(rng.permutation(1000), count) if len(part)]
        states = [state_of(part, *rows) for part in parts]
        assert sum(states, PairState()).to_bytes() == whole.to_bytes()
        assert (whole - states[0]) + states[0] == whole
        assert whole - sum(states[1:], PairState()) == states[0]


@NASTY
def test_group_laws(kind: str, weights: str) -> None:
    a, b = (state_of(slice(None), *data(kind, weights, seed=seed)) for seed in (1, 2))
    empty = PairState()
    assert (a + b).to_bytes() == (b + a).to_bytes()
    assert (a + empty).to_bytes() == a.to_bytes() == (empty + a).to_bytes()
    assert a - a == empty
    assert a - b == empty - (b - a)
    assert (a - a).to_bytes() == (b - b).to_bytes()


@NASTY
def test_groups_are_states_of_their_rows(kind: str, weights: str) -> None:
    y, p, w, columns = data(kind, weights, 1000)
    codes = np.random.default_rng(3).integers(0, 40, 1000).astype(np.int32)
    groups = _core.Groups(PLAN.core)
    groups.grow(40)
    places = np.arange(40, dtype=np.int32)
    for start in range(0, 1000, 333):
        part = slice(start, start + 333)
        more = tuple(columns[name][part] for name in PLAN.columns)
        assert groups.update(y[part], p[part], None if w is None else w[part], codes[part], places, None, more) == -1
    for group in range(40):
        assert PairState._wrap(groups.state(group), PLAN) == state_of(codes == group, y, p, w, columns)


@NASTY
def test_neighbours_may_count_the_sizes_of_their_errors_together(kind: str, weights: str) -> None:
    """Three groups of four: each has the sizes of its rows, and all else is as it is without that; then the sizes are forgotten."""
    y, p, w, columns = data(kind, weights, 1000)
    codes = np.random.default_rng(3).integers(0, 12, 1000).astype(np.int32)
    groups = _core.Groups(PLAN.core, 4)
    groups.grow(12)
    assert groups.update(y, p, w, codes, np.arange(12, dtype=np.int32), None, tuple(columns[name] for name in PLAN.columns)) == -1
    totals = _core.Groups(PLAN.core)
    totals.grow(3)
    totals.absorb(groups, np.arange(12, dtype=np.int32) // 4, False)
    for total in range(3):
        assert PairState._wrap(totals.state(total), PLAN) == state_of(codes // 4 == total, y, p, w, columns)
    groups.forget_sizes()
    rest = Plan(PLAN.terms)
    for group in range(12):
        kept = codes == group
        of_kept = {name: values[kept] for name, values in columns.items()}
        expected = PairState.planned(rest).update(y[kept], p[kept], None if w is None else w[kept], **of_kept)
        assert PairState._wrap(groups.state(group), rest) == expected


def test_sizes_that_are_all_that_is_kept_can_be_forgotten() -> None:
    y, p, *_ = data("normal", "none")
    groups = _core.Groups(Plan(histogram=True).core)
    groups.grow(1)
    groups.update(y, p, None, None, None)
    groups.forget_sizes()
    groups.update(y, p, None, None, None)
    assert PairState._wrap(groups.state(0), Plan()) == PairState().update(np.tile(y, 2), np.tile(p, 2))


def test_threads_leave_no_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = data("cauchy", "lognormal", 200_000)
    found = set()
    for threads in ("1", "2", "5"):
        monkeypatch.setenv("SQUARELY_THREADS", threads)
        found.add(state_of(slice(None), *rows).to_bytes())
    assert len(found) == 1


def test_rows_that_the_sums_refuse_and_rows_of_weight_zero_leave_no_trace() -> None:
    y, p, _, columns = data("normal", "none")
    w = np.ones(300)
    y[[3, 130]], p[[7, 200]], w[[9, 131]] = np.nan, np.inf, 0.0
    y[9] = np.nan
    kept = np.isfinite(y) & np.isfinite(p) & (w > 0)
    state, clean = state_of(slice(None), y, p, w, columns), state_of(kept, y, p, w, columns)
    assert [state._core.term(place) for place in range(len(PLAN.terms))] == [clean._core.term(place) for place in range(len(PLAN.terms))]
    assert state._core.cells() == clean._core.cells()


def test_bytes_travel() -> None:
    state = state_of(slice(None), *data("normal", "lognormal"))
    read = PairState.from_bytes(state.to_bytes())
    assert read == state
    assert read.plan == PLAN
    y, p, w, columns = data("cauchy", "lognormal", seed=4)
    assert read.update(y, p, w, **columns) == state + state_of(slice(None), y, p, w, columns)


def test_damaged_bodies_are_refused_or_read_whole() -> None:
    body = bytearray(state_of(slice(None), *data("normal", "none"))._core.canonical())
    rng = np.random.default_rng(0)
    for _ in range(3000):
        damaged = bytearray(body)
        for place in rng.integers(0, len(body), rng.integers(1, 4)):
            damaged[place] = rng.integers(0, 256)
        cut = bytes(damaged[: rng.integers(0, len(body) + 1)] if rng.random() < 0.3 else damaged)
        try:
            state = PairState._parse(cut)
        except StateError:
            continue
        assert PairState._parse(state._core.body()) == state


def test_states_that_keep_different_terms_do_not_add() -> None:
    a, b = PairState.of([1.0], [2.0], metrics="mape"), PairState.of([1.0], [2.0])
    with pytest.raises(StateError, match=r"absolute_percentage.*nothing.*same metrics"):
        a + b
    with pytest.raises(StateError, match="same metrics"):
        b - a


def test_a_metric_that_was_not_named_has_a_reason() -> None:
    state = PairState.of([1.0, 2.0], [2.0, 4.0])
    for name in ("mape", "medae"):
        value, reason = find(name).ask(state.sums)
        assert np.isnan(value)
        assert "name the metric" in str(reason)


@NASTY
@pytest.mark.parametrize("level", [0.0, 0.01, 0.5, 0.9, 1.0])
def test_quantiles_of_errors(kind: str, weights: str, level: float) -> None:
    """From sums within the relative bound, from rows exactly: the mean of the values on both sides, as NumPy has it for copies."""
    y, p, w, columns = data(kind, weights, 101)
    copies = np.ones(101, int) if w is None else w.astype(int) if weights == "integers_with_zeros" else None
    if copies is None:
        return
    with np.errstate(over="ignore"):
        errors = np.repeat(np.abs(y - p), copies)
    if np.isinf(errors).any():
        return
    lower, upper = (float(np.quantile(errors, level, method=method)) for method in ("inverted_cdf", "higher"))
    share = Fraction(level) * int(copies.sum())
    upper = lower if share.denominator != 1 else float(np.sort(errors)[min(int(share), len(errors) - 1)])
    exact = (Fraction(lower) + Fraction(upper)) / 2
    assert _core.quantile(y, p, w, *Fraction(repr(level)).as_integer_ratio()) == (lower, upper)
    near = state_of(slice(None), y, p, w, columns).sums.error_quantile(level)
    assert abs(Fraction(near.numerator, near.denominator) - exact) <= max(Fraction(RELATIVE_BOUND) * exact, Fraction(2) ** -1029)


def test_a_term_that_is_not_there_is_not_taken_from_a_file() -> None:
    with pytest.raises(ValueError, match="does not know"):
        _core.Plan([], [(999, [], [])], False)
    with pytest.raises(ValueError, match="constants"):
        _core.Plan([], [(14, [], [])], False)
    with pytest.raises(ValueError, match="not there"):
        _core.Plan([], [(11, [], [0])], False)
    assert Term("huber", (1.0,)) in find("huber").plan.terms
