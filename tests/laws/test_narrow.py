"""Numbers of a narrow type give the bytes of the same numbers as doubles, on every SIMD path, though other slices hold their products."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from squarely import PairState, _core
from squarely.state import twin

SPANS = (0, 5, 27, 28, 29, 52, 53, 54, 129, 130, 131, 250)  # exponents: what each window of narrow numbers just holds, and just does not
LENGTHS = (1, 7, 12, 127, 128, 129, 261, 2047, 2049, 8193, 20_001)
NARROW = ("float32", "float16", "int8", "uint8", "int16", "uint16", "bool")


@pytest.fixture(params=_core.available())
def width(request: pytest.FixtureRequest) -> Iterator[str]:
    """Each SIMD path that this machine can run, one after the other."""
    before = _core.use(request.param)
    yield request.param
    _core.use(before)


def spanning(rng: np.random.Generator, n: int, top: int, span: int) -> NDArray[np.float32]:
    """Floats of both signs below 2^(top + 1): many have all bits set, the most a slice can be asked to carry; some are zero or subnormal."""
    fraction = np.where(rng.random(n) < 0.5, 2.0 - 2.0**-23, 1 + rng.random(n))
    values = np.ldexp(fraction, rng.choice([top, top - span, top - span // 2], n)) * rng.choice([-1.0, 1.0], n)
    values[rng.random(n) < 0.1] = 0.0
    return values.astype(np.float32)


def same(y: NDArray[Any], p: NDArray[Any], w: NDArray[Any] | None = None) -> bool:
    """Say whether both have the same bytes, and whether these are the twin's."""
    narrow, wide = PairState.of(y, p, sample_weight=w), PairState.of(y.astype(float), p.astype(float), sample_weight=w)
    return narrow.to_bytes() == wide.to_bytes() and narrow.canonical_bytes() == twin.canonical_bytes(y.astype(float), p.astype(float), w)


@pytest.mark.parametrize("span", SPANS)
@pytest.mark.parametrize("top", [127, 0, -60, -126])
def test_floats_at_the_edges_of_windows(span: int, top: int, width: str) -> None:
    rng = np.random.default_rng([span, top + 126])
    for n in LENGTHS[:-2] if top else LENGTHS:
        assert same(spanning(rng, n, top, span), spanning(rng, n, top, span))


@pytest.mark.parametrize("groups", [3, 1100])
@pytest.mark.parametrize("span", [5, 53, 131, 250])
def test_floats_of_groups_also_where_they_wait_and_doubles_come_between(span: int, groups: int, width: str) -> None:
    rng = np.random.default_rng([span, groups])
    n, codes = 60_000, rng.integers(0, groups, 60_000).astype(np.int32)
    y, p = (spanning(rng, n, 0, span).astype(float) for _ in range(2))
    y[n // 3 : n // 2] += 2.0**-40  # that no float holds
    together = _core.Groups()
    together.grow(groups)
    for rows, kind in ((slice(0, n // 3), np.float32), (slice(n // 3, n // 2), np.float64), (slice(n // 2, n), np.float32)):
        assert together.update(y[rows].astype(kind), p[rows].astype(kind), None, codes[rows], np.arange(groups, dtype=np.int32)) == -1
    for group in {0, groups // 2, groups - 1}:
        of_group = codes == group
        assert together.state(group).canonical() == twin.canonical_bytes(y[of_group], p[of_group], None)


def test_floats_beside_nan_infinity_and_the_ends_of_their_range(width: str) -> None:
    rng = np.random.default_rng(0)
    y, p = spanning(rng, 3001, 3, 9), spanning(rng, 3001, 3, 9)
    ends = np.float32([np.nan, np.inf, -np.inf, 3.4028235e38, -3.4028235e38, 1e-45, -1e-45, 1.1754944e-38, -0.0])
    y[rng.choice(3001, 90, replace=False)] = np.tile(ends, 10)
    p[rng.choice(3001, 90, replace=False)] = np.tile(ends, 10)
    assert same(y, p)


def test_many_equal_largest_floats_do_not_overflow_a_lane(width: str) -> None:
    y = np.full(70_000, 2.0 - 2.0**-23, np.float32)
    assert same(y, -y)


@pytest.mark.parametrize("of_p", [*NARROW, "float64", "int32"])
@pytest.mark.parametrize("of_y", NARROW)
def test_narrow_types_mix(of_y: str, of_p: str, width: str) -> None:
    rng = np.random.default_rng(1)
    y, p = (np.abs(scale * rng.normal(size=1003)).astype(dtype) for dtype, scale in ((of_y, 100), (of_p, 1e8 if of_p == "int32" else 100)))
    assert same(y, p)
    assert same(y, p, rng.random(1003))


def test_floats_with_weights_strides_and_no_alignment(width: str) -> None:
    rng = np.random.default_rng(2)
    y, p = spanning(rng, 4001, 2, 20), spanning(rng, 4001, 2, 20)
    weights = rng.integers(0, 3, 4001).astype(np.float32)
    assert same(y, p, weights)
    assert same(y[::3], p[::-3])
    shifted = np.frombuffer(b"\0" + y.tobytes(), np.uint8)[1:].view(np.float32)
    assert not shifted.flags.aligned
    assert same(shifted, p)


def test_terms_and_sizes_of_floats(width: str) -> None:
    rng = np.random.default_rng(3)
    y, p = rng.lognormal(size=(2, 9001)).astype(np.float32)
    asked = ["msle", "mape", "median_absolute_error"]
    narrow, wide = (PairState.of(*pair, metrics=asked) for pair in ((y, p), (y.astype(float), p.astype(float))))
    assert narrow.to_bytes() == wide.to_bytes()
