"""The states of groups are those of each group alone, for few groups and for so many that rows wait for company."""

from __future__ import annotations

import numpy as np
import pytest

import nasty
from squarely import METRICS, PairState, _core
from squarely.state import NOTHING

ROWS = 40_000


@pytest.mark.parametrize("groups", [1, 2, 100, 2048, 2049, 30_000])
@pytest.mark.parametrize("kind", ["normal", "huge_and_tiny", "zeros"])
@pytest.mark.parametrize("weights", ["none", "integers_with_zeros"])
def test_states_of_groups_are_those_of_their_rows(groups: int, kind: str, weights: str) -> None:
    rng = np.random.default_rng(groups)
    y, p = nasty.pair(kind, ROWS)
    w = nasty.weight(weights, ROWS)
    y[rng.integers(0, ROWS, 50)], p[rng.integers(0, ROWS, 50)] = np.nan, np.inf
    codes, places = rng.integers(0, groups, ROWS).astype(np.int32), rng.permutation(groups).astype(np.int32)
    together = _core.Groups()
    together.grow(groups)
    for start in range(0, ROWS, 7001):
        rows = slice(start, start + 7001)
        assert together.update(y[rows], p[rows], None if w is None else w[rows], codes[rows], places) == -1
        assert together.refused() == PairState.of(y[: rows.stop], p[: rows.stop], None if w is None else w[: rows.stop]).refused
    order = np.argsort(places[codes], kind="stable")
    ends = np.searchsorted(places[codes][order], np.arange(groups + 1))
    for group in {0, groups // 2, groups - 1}:
        rows = order[ends[group] : ends[group + 1]]
        alone = PairState.of(y[rows], p[rows], None if w is None else w[rows])
        assert PairState._wrap(together.state(group), NOTHING).to_bytes() == alone.to_bytes()
    whole = PairState()
    for group in range(groups):
        whole += PairState._wrap(together.state(group), NOTHING)
    assert whole.to_bytes() == PairState.of(y, p, w).to_bytes()


@pytest.mark.parametrize("rows", [100, ROWS])
def test_labels_may_share_a_group_or_have_no_rows(rows: int) -> None:
    """Whether labels are few beside the rows or not, terms and sums of a group are those of all its labels."""
    plan = METRICS["mean_absolute_percentage_error"].plan({})
    y, p = nasty.pair("normal", rows)
    codes, places = (np.arange(rows) % 4).astype(np.int32), np.array([1, 0, 2, 1, -1], np.int32)
    groups = _core.Groups(plan.core)
    groups.grow(3)
    assert groups.update(y, p, None, codes, places) == -1
    for group in range(3):
        mine = places[codes] == group
        alone = PairState.of(y[mine], p[mine], metrics="mape")
        assert PairState._wrap(groups.state(group), plan).to_bytes() == alone.to_bytes()


@pytest.mark.parametrize("code", [-1, 3, 2**31 - 1, -(2**31)])
def test_a_label_without_a_group_adds_nothing(code: int) -> None:
    groups = _core.Groups()
    groups.grow(3)
    codes, places = np.array([0, code, 1], np.int32), np.array([0, 1, -1], np.int32)
    assert groups.update(np.ones(3), np.ones(3), None, codes, places) == -2
    assert groups.update(np.ones(3), np.ones(3), None, np.array([0, 2, 1], np.int32), places) == -2
    assert [groups.state(group).rows for group in range(3)] == [0, 0, 0]


def test_weighted_and_plain_rows_may_follow_each_other() -> None:
    y, p = nasty.pair("normal", 3000)
    codes = (np.arange(3000) % 2500).astype(np.int32)
    places = np.arange(2500, dtype=np.int32)
    groups = _core.Groups()
    groups.grow(2500)
    for w in (None, np.full(3000, 2.0), None):
        assert groups.update(y, p, w, codes, places) == -1
    expected = PairState.of(y[7::2500], p[7::2500], np.full(2, 4.0))
    assert PairState._wrap(groups.state(7), NOTHING).metric("mse") == expected.metric("mse")
    assert groups.state(7).weight_sum() == 8.0


@pytest.mark.parametrize("buckets", [1, 16])
def test_a_bucket_counts_from_the_place_of_its_group(buckets: int) -> None:
    rng = np.random.default_rng(buckets)
    y, p = nasty.pair("normal", ROWS)
    codes, bucket = rng.integers(0, 5, ROWS).astype(np.int32), rng.integers(0, buckets, ROWS).astype(np.uint16)
    told, alone = _core.Groups(), _core.Groups()
    told.grow(5 * buckets), alone.grow(buckets)
    assert told.update(y, p, None, codes, np.arange(5, dtype=np.int32) * np.int32(buckets), bucket) == -1
    assert alone.update(y, p, None, None, None, bucket) == -1
    for group in range(5):
        for b in range(buckets):
            rows = (codes == group) & (bucket == b)
            assert told.state(group * buckets + b).canonical() == PairState.of(y[rows], p[rows]).canonical_bytes()
    for b in range(buckets):
        assert alone.state(b).canonical() == PairState.of(y[bucket == b], p[bucket == b]).canonical_bytes()


@pytest.mark.parametrize("beyond", [2, 2**15 - 1, 2**15, 2**16 - 1])
def test_a_bucket_beyond_the_states_is_refused_and_nothing_is_added(beyond: int) -> None:
    groups, ones = _core.Groups(), np.ones(3)
    groups.grow(2)
    bucket = np.array([0, 1, beyond], np.uint16)
    assert groups.update(ones, ones, None, None, None, bucket) == -2
    assert groups.update(ones, ones, None, np.zeros(3, np.int32), np.zeros(1, np.int32), bucket) == -2
    assert groups.state(0).rows == groups.state(1).rows == 0
