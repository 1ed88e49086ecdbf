"""How numbers are stored never changes an answer: dtype, memory layout, strides, mixtures."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

import nasty
import oracle
from asking import answer, call, full
from squarely import METRICS, PairState

INTEGERS = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
FLOATS = ["float16", "float32", "float64"]


def whole_range(dtype: str, n: int = 200) -> tuple[NDArray[np.generic], NDArray[np.generic]]:
    """Values from end to end of a type, its largest and smallest among them."""
    rng = np.random.default_rng(5)
    if dtype == "bool":
        return rng.random(n) < 0.6, rng.random(n) < 0.4
    if dtype in FLOATS:
        scale = np.dtype(dtype).type(100)
        return (rng.normal(size=n).astype(dtype) * scale), (rng.normal(size=n).astype(dtype) * scale)
    info = np.iinfo(dtype)
    y, p = (rng.integers(info.min, info.max, n, dtype=dtype, endpoint=True) for _ in range(2))
    y[:2], p[:2] = (info.min, info.max), (info.max, info.min)
    return y, p


@pytest.mark.parametrize("dtype", [*INTEGERS, *FLOATS, "bool"])
@pytest.mark.parametrize("name", METRICS)
def test_every_dtype_gives_the_rational_answer(name: str, dtype: str) -> None:
    y, p = whole_range(dtype)
    if "circular" in name and dtype in ("int64", "uint64"):
        return  # angles beyond 2^53 are known to whole turns only
    got = answer(name, y, p)
    assert oracle.misses(name, got.value, y, p, **full(name, y, p, {})) <= 1, got


@pytest.mark.parametrize("dtype", [*INTEGERS, *FLOATS, "bool"])
def test_small_values_have_one_state_in_every_dtype(dtype: str) -> None:
    rng = np.random.default_rng(6)
    y, p = (rng.integers(0, 2, 300).astype(dtype) for _ in range(2))
    expected = PairState.of(y.astype(float), p.astype(float)).to_bytes()
    assert PairState.of(y, p).to_bytes() == expected
    assert PairState.of(y, p.astype(float)).to_bytes() == expected
    assert PairState.of(y.astype("int64"), p).to_bytes() == expected
    weighted = PairState.of(y, p, sample_weight=p.astype(float)).to_bytes()
    assert PairState.of(y, p, sample_weight=p).to_bytes() == weighted


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("code", ["f4", "f8", "i2", "i8", "u4"])
def test_byte_order_does_not_matter(order: str, code: str) -> None:
    y, p = (np.arange(10) % 7).astype(code), (np.arange(10) % 4).astype(code)
    assert PairState.of(y.astype(order + code), p.astype(order + code)).to_bytes() == PairState.of(y, p).to_bytes()


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "int64", "uint8", "bool"])
def test_memory_layout_does_not_matter(dtype: str) -> None:
    y, p = (values.astype(dtype) for values in nasty.pair("counts"))
    expected = PairState.of(y, p).to_bytes()
    for view in (_column_of_c, _column_of_f, _every_third, _backwards, _unaligned, _frozen):
        assert PairState.of(view(y), p).to_bytes() == expected, view.__name__
        assert PairState.of(view(y), view(p)).to_bytes() == expected, view.__name__


def _column_of_c(a: NDArray[np.generic]) -> NDArray[np.generic]:
    return np.ascontiguousarray(np.stack([a, a[::-1], a], axis=1))[:, 2]


def _column_of_f(a: NDArray[np.generic]) -> NDArray[np.generic]:
    return np.asfortranarray(np.stack([a[::-1], a], axis=1))[:, 1]


def _every_third(a: NDArray[np.generic]) -> NDArray[np.generic]:
    return np.repeat(a, 3)[1::3]


def _backwards(a: NDArray[np.generic]) -> NDArray[np.generic]:
    return a[::-1].copy()[::-1]


def _unaligned(a: NDArray[np.generic]) -> NDArray[np.generic]:
    raw = np.zeros(a.nbytes + 1, dtype=np.uint8)
    raw[1:] = np.frombuffer(a.tobytes(), dtype=np.uint8)
    return raw[1:].view(a.dtype)


def _frozen(a: NDArray[np.generic]) -> NDArray[np.generic]:
    copy = a.copy()
    copy.flags.writeable = False
    return copy


@pytest.mark.parametrize("name", [name for name in METRICS if name not in oracle.COLUMNS])
def test_outputs_do_not_depend_on_c_or_fortran_order(name: str) -> None:
    rng = np.random.default_rng(8)
    y = 10 + rng.normal(size=(90, 3))
    p = y + rng.normal(size=(90, 3))
    metric = METRICS[name]
    expected = [metric(y[:, k].copy(), p[:, k].copy()) for k in range(3)]
    fy, fp = np.asfortranarray(y), np.asfortranarray(p)
    for yy, pp in ((y, p), (fy, p), (y, fp), (fy, fp)):
        assert list(metric(yy, pp, multioutput="raw_values")) == expected


@pytest.mark.parametrize("name", METRICS)
def test_a_column_is_a_vector(name: str) -> None:
    y, p = map(np.abs, nasty.pair("normal"))
    columns = full(name, y, p, {})
    whole = call(name, y, p, **columns)
    for a, b in ((y[:, None], p), (y, p[:, None]), (list(y), list(p))):
        assert call(name, a, b, **columns) == whole
