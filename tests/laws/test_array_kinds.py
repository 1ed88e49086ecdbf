"""Whatever library an array is of, its numbers are read where they lie, and the answer is that of a list of floats, bit for bit."""

from __future__ import annotations

import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import squarely as sq
from squarely.errors import DataError
from squarely.sources import arrays_source
from squarely.validate import pair_columns, tensors

Kind = Callable[[np.ndarray, str], Any]
ROWS = 200
NAMES = ("mse", "r2", "mae", "kge", "max_error", "d2_absolute_error_score")
INTEGERS = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
FLOATS = ["float16", "float32", "float64"]


def values(dtype: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Targets, predictions and weights that every type of the kind holds: even bfloat16 has room for eight bits."""
    rng = np.random.default_rng(23)
    if dtype == "bool":
        return tuple((rng.random(ROWS) < 0.6).astype(float) for _ in range(3))  # type: ignore[return-value]
    low, unit = (-60.0, 4.0) if "float" in dtype else (-100.0, 1.0) if dtype.startswith("int") else (0.0, 1.0)
    return tuple(rng.integers(low, 100.0, ROWS) / unit for low in (low, low, 0.0))  # type: ignore[return-value]


def _torch() -> Any:
    return pytest.importorskip("torch")


def _jax() -> Any:
    return pytest.importorskip("jax").numpy


def _jax_array(values: np.ndarray, dtype: str) -> Any:
    jax = pytest.importorskip("jax")
    with jax.enable_x64(True):
        return jax.numpy.asarray(values, dtype)


def _pandas_nullable(values: np.ndarray, dtype: str) -> Any:
    return pd.Series(values.astype(dtype), dtype="boolean" if dtype == "bool" else dtype.replace("i", "I", 1).replace("uI", "UI").replace("f", "F"))


KINDS: dict[str, tuple[Kind, list[str]]] = {
    "list": (lambda v, d: v.astype(d).tolist(), [*INTEGERS, *FLOATS, "bool"]),
    "tuple": (lambda v, d: tuple(v.astype(d)), [*INTEGERS, *FLOATS, "bool"]),
    "NumPy": (lambda v, d: v.astype(d), [*INTEGERS, *FLOATS, "bool"]),
    "NumPy, strided": (lambda v, d: np.repeat(v.astype(d), 3)[1::3], [*INTEGERS, *FLOATS, "bool"]),
    "NumPy, reversed": (lambda v, d: v.astype(d)[::-1].copy()[::-1], [*INTEGERS, *FLOATS, "bool"]),
    "NumPy, other byte order": (lambda v, d: v.astype(np.dtype(d).newbyteorder(">")), [*INTEGERS, *FLOATS]),
    "NumPy, column": (lambda v, d: v.astype(d)[:, None], [*INTEGERS, *FLOATS, "bool"]),
    "Decimal": (lambda v, d: [Decimal(x) for x in v.tolist()], ["int64", "float64"]),
    "Fraction": (lambda v, d: [Fraction(x) for x in v.tolist()], ["int64", "float64"]),
    "NumPy, longdouble": (lambda v, d: v.astype("longdouble"), ["float64"]),
    "NumPy, objects": (lambda v, d: v.astype(d).astype(object), [*INTEGERS, *FLOATS, "bool"]),
    "memoryview": (lambda v, d: memoryview(v.astype(d)), [*INTEGERS, "float32", "float64"]),
    "pandas": (lambda v, d: pd.Series(v.astype(d)), [*INTEGERS, *FLOATS, "bool"]),
    "pandas, nullable": (_pandas_nullable, [*INTEGERS, "float32", "float64", "bool"]),
    "pandas, Arrow": (lambda v, d: pd.Series(pa.array(v.astype(d))).astype(pd.ArrowDtype(pa.from_numpy_dtype(d))), ["int64", "float64"]),
    "pandas, index": (lambda v, d: pd.Index(v.astype(d)), ["int64", "float64"]),
    "pandas, frame": (lambda v, d: pd.DataFrame({"a": v.astype(d)}), [*INTEGERS, *FLOATS, "bool"]),
    "polars": (lambda v, d: pl.Series(v.astype(d)), [*INTEGERS, "float32", "float64", "bool"]),
    "polars, chunked": (lambda v, d: pl.concat([pl.Series(v[:9].astype(d)), pl.Series(v[9:].astype(d))], rechunk=False), ["int64", "float64"]),
    "polars, frame": (lambda v, d: pl.DataFrame({"a": v.astype(d)}), [*INTEGERS, "float32", "float64", "bool"]),
    "Arrow": (lambda v, d: pa.array(v.astype(d)), [*INTEGERS, *FLOATS, "bool"]),
    "Arrow, chunked": (lambda v, d: pa.chunked_array([v[:9].astype(d), v[9:].astype(d)]), [*INTEGERS, *FLOATS, "bool"]),
    "Arrow, sliced": (lambda v, d: pa.array(np.r_[v[:3], v].astype(d)).slice(3), [*INTEGERS, *FLOATS, "bool"]),
    "Arrow, dictionary": (lambda v, d: pa.array(v.astype(d)).dictionary_encode(), ["int64", "float64"]),
    "Arrow, table": (lambda v, d: pa.table({"a": v.astype(d)}), [*INTEGERS, *FLOATS, "bool"]),
    "torch": (lambda v, d: _torch().asarray(v).to(getattr(_torch(), d)), [*INTEGERS, *FLOATS, "bfloat16", "bool"]),
    "torch, strided": (lambda v, d: _torch().asarray(np.repeat(v, 3)).to(getattr(_torch(), d))[1::3], [*INTEGERS, *FLOATS, "bfloat16", "bool"]),
    "torch, column": (lambda v, d: _torch().asarray(v).to(getattr(_torch(), d))[:, None], ["int64", "float64", "bfloat16"]),
    "torch, gradient": (lambda v, d: _torch().asarray(v).to(getattr(_torch(), d)).requires_grad_(), [*FLOATS, "bfloat16"]),
    "torch, result": (lambda v, d: _torch().asarray(v).to(getattr(_torch(), d)).requires_grad_() * 1, [*FLOATS, "bfloat16"]),
    "torch, parameter": (lambda v, d: _torch().nn.Parameter(_torch().asarray(v).to(getattr(_torch(), d))), ["float32", "float64"]),
    "torch, marked negative": (lambda v, d: _torch().complex(_torch().asarray(v), -_torch().asarray(v)).conj().imag, ["float64"]),
    "JAX": (_jax_array, [*INTEGERS, *FLOATS, "bfloat16", "bool"]),
    "JAX, column": (lambda v, d: _jax_array(v, d)[:, None], ["int32", "float32", "bfloat16"]),
}
TABLES = ("pandas, frame", "polars, frame", "Arrow, table")  # evaluate takes their columns by name
CASES = [(name, dtype) for name, (_, dtypes) in KINDS.items() for dtype in dtypes]


@pytest.mark.parametrize(("name", "dtype"), CASES)
def test_the_state_is_that_of_a_list_of_floats(name: str, dtype: str) -> None:
    make = KINDS[name][0]
    y, p, w = values(dtype)
    lists = y.tolist(), p.tolist(), w.tolist()
    arrays = make(y, dtype), make(p, dtype), make(w, dtype)
    plain, weighted = sq.PairState.of(*lists[:2]), sq.PairState.of(*lists)
    assert sq.PairState.of(*arrays[:2]).to_bytes() == plain.to_bytes()
    assert sq.PairState.of(*arrays).to_bytes() == weighted.to_bytes()
    assert sq.PairState.of(arrays[0], lists[1], arrays[2]).to_bytes() == weighted.to_bytes()


@pytest.mark.parametrize(("name", "dtype"), CASES)
def test_functions_and_evaluate_answer_alike(name: str, dtype: str) -> None:
    make = KINDS[name][0]
    y, p, w = values(dtype)
    lists = y.tolist(), p.tolist(), w.tolist()
    arrays = make(y, dtype), make(p, dtype), make(w, dtype)
    for metric in NAMES:
        function = getattr(sq, metric)
        assert function(*arrays[:2], sample_weight=arrays[2]) == function(*lists[:2], sample_weight=lists[2])
    if name not in TABLES:
        got, expected = (sq.evaluate(a, {"model": b}, weight=c) for a, b, c in (arrays, lists))
        assert got.provenance.digest == expected.provenance.digest


@pytest.mark.parametrize("name", ["list", "NumPy", "Fortran", "pandas", "polars", "Arrow", "torch", "torch, transposed", "JAX"])
def test_outputs_of_every_kind(name: str) -> None:
    y, p, w = (np.stack([v, v[::-1] / 2], axis=1) for v in values("float32"))
    make: dict[str, Callable[[np.ndarray], Any]] = {
        "list": np.ndarray.tolist,
        "NumPy": np.asarray,
        "Fortran": np.asfortranarray,
        "pandas": pd.DataFrame,
        "polars": lambda v: pl.DataFrame({"a": v[:, 0], "b": v[:, 1]}),
        "Arrow": lambda v: pa.table({"a": v[:, 0], "b": v[:, 1]}),
        "torch": lambda v: _torch().asarray(v).requires_grad_(),
        "torch, transposed": lambda v: _torch().asarray(v.T.copy()).T,
        "JAX": lambda v: _jax().asarray(v),
    }
    for metric in NAMES:
        for multioutput in ("raw_values", "pooled", [0.25, 0.75]):
            got = getattr(sq, metric)(make[name](y), make[name](p), sample_weight=w[:, 0], multioutput=multioutput)
            assert np.array_equal(got, getattr(sq, metric)(y, p, sample_weight=w[:, 0], multioutput=multioutput))


@pytest.mark.parametrize("name", [name for name, (_, dtypes) in KINDS.items() if "int32" in dtypes and name not in TABLES])
def test_groups_may_be_of_every_kind(name: str) -> None:
    make = KINDS[name][0]
    y, p, _ = values("int8")
    towns = (np.arange(ROWS) % 3).astype("int64")
    found = sq.evaluate(y, p, by=make(towns, "int32"))["mse"].by
    assert {group: answer.value for group, answer in found.items()} == {(town,): sq.mse(y[towns == town], p[towns == town]) for town in range(3)}


# --- nothing is copied --------------------------------------------------------------------------------------------


def _buffer(array: pa.Array) -> np.ndarray:
    return np.frombuffer(array.buffers()[1], np.float64)


IN_PLACE: dict[str, tuple[Callable[[np.ndarray], Any], Callable[[Any], np.ndarray]]] = {
    "NumPy": (lambda v: v, lambda a: a),
    "NumPy, strided": (lambda v: np.repeat(v, 2)[::2], lambda a: a),
    "NumPy, one of two columns": (lambda v: np.stack([v, v], axis=1)[:, 1], lambda a: a),
    "memoryview": (memoryview, np.asarray),
    "pandas": (pd.Series, lambda a: a.to_numpy()),
    "pandas, frame": (lambda v: pd.DataFrame({"a": v}), lambda a: a["a"].to_numpy()),
    "polars": (pl.Series, lambda a: a.to_numpy(allow_copy=False)),
    "polars, frame": (lambda v: pl.DataFrame({"a": v}), lambda a: a["a"].to_numpy(allow_copy=False)),
    "Arrow": (pa.array, _buffer),
    "Arrow, one chunk": (lambda v: pa.chunked_array([v]), lambda a: _buffer(a.chunk(0))),
    "Arrow, table": (lambda v: pa.table({"a": v}), lambda a: _buffer(a.column(0).chunk(0))),
    "torch": (lambda v: _torch().asarray(v.copy()), lambda a: a.numpy()),
    "torch, gradient": (lambda v: _torch().asarray(v.copy()).requires_grad_(), lambda a: a.detach().numpy()),
    "torch, strided": (lambda v: _torch().asarray(np.repeat(v, 2))[::2], lambda a: a.numpy()),
    "JAX": (lambda v: _jax_array(v, "float64"), np.asarray),
}


@pytest.mark.parametrize("name", IN_PLACE)
def test_the_core_reads_the_memory_of_the_array(name: str) -> None:
    make, memory = IN_PLACE[name]
    y, p = np.random.default_rng(2).normal(size=(2, 100_000))
    arrays = make(y), make(p)
    for array, read in zip(arrays, pair_columns(*arrays, None)[:2], strict=True):
        assert np.shares_memory(memory(array), read)
        assert len(read) == len(y)
    if name not in TABLES:
        source = arrays_source(*arrays)
        assert source.wanted is not None
        batch = next(next(source.parts(source.wanted))())
        assert np.shares_memory(memory(arrays[0]), batch.target.values)
        assert np.shares_memory(memory(arrays[1]), batch.predictions[0].values)


@pytest.mark.parametrize("name", IN_PLACE)
def test_summing_takes_no_memory(name: str) -> None:
    make, _ = IN_PLACE[name]
    y, p = np.random.default_rng(2).normal(size=(2, 100_000))
    arrays = make(y), make(p)
    expected = sq.PairState.of(y, p)
    sq.PairState.of(*arrays)  # what is imported and cached at the first call is not the price of an array
    tracemalloc.start()
    try:
        state = sq.PairState.of(*arrays)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert state == expected
    assert peak < y.nbytes / 8


@pytest.mark.parametrize("name", ["bfloat16", "float8_e4m3fn", "float8_e5m2", "int4", "uint4"])
def test_types_that_numpy_was_taught_are_widened(name: str) -> None:
    ml_dtypes = pytest.importorskip("ml_dtypes")  # it comes with JAX
    y, p = np.array([1.5, 3.0, 6.0, 0.0]), np.array([1.0, 2.0, 4.0, 7.0])
    y, p = (np.floor(y), p) if "int" in name else (y, p)
    narrow = [values.astype(getattr(ml_dtypes, name)) for values in (y, p)]
    assert sq.PairState.of(*narrow) == sq.PairState.of(*(values.astype(float) for values in narrow))
    assert sq.mse(*narrow) == sq.mse(*(values.astype(float) for values in narrow)) > 0


@pytest.mark.parametrize("name", ["bfloat16", "float8_e4m3fn", "float8_e5m2"])
def test_every_bfloat16_is_widened_exactly(name: str) -> None:
    torch = _torch()
    bits = np.arange(2**16, dtype=np.uint16) if name == "bfloat16" else np.arange(2**8, dtype=np.uint8)
    tensor = torch.asarray(bits).view(getattr(torch, name))
    wide = tensor.double().numpy()
    got = pair_columns(tensor, np.zeros(len(bits)), None)[0]
    with np.errstate(invalid="ignore"):  # signalling NaNs
        assert np.array_equal(got.astype(float), wide, equal_nan=True)
    finite = np.isfinite(wide)
    assert sq.mse(tensor, tensor, nan_policy="omit") == 0.0
    assert sq.PairState.of(tensor, tensor).n == finite.sum()


# --- arrays that lie elsewhere ------------------------------------------------------------------------------------


class Far:
    """An array on another device, of which slices are fetched in the way of one library; it remembers how many numbers were."""

    def __init__(self, values: np.ndarray, way: str, seen: list[int]) -> None:
        self._values, self._way, self._seen = values, way, seen
        if way in ("cpu", "get"):
            setattr(self, way, self._fetch)

    shape = property(lambda self: self._values.shape)
    ndim = property(lambda self: self._values.ndim)
    dtype = property(lambda self: self._values.dtype)

    def __len__(self) -> int:
        return len(self._values)

    def __getitem__(self, rows: slice) -> Far:
        return Far(self._values[rows], self._way, self._seen)

    def __dlpack_device__(self) -> tuple[int, int]:
        return 2, 0

    def __dlpack__(self, **keywords: Any) -> Any:
        raise BufferError("this memory is not the host's")

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if self._way != "array":
            raise TypeError("no implicit conversion")
        return self._fetch()

    def _fetch(self) -> np.ndarray:
        self._seen.append(self._values.size)
        return self._values.copy()


@pytest.mark.parametrize("way", ["cpu", "get", "array"])
@pytest.mark.parametrize("rows", [1, 63, 64, 65, 200])
def test_a_device_is_read_in_chunks(way: str, rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tensors, "CHUNK", 64)
    y, p, w = (v[:rows].astype("float32") for v in values("float32"))
    w[0] = 1.0
    seen: list[int] = []
    far = [Far(v, way, seen) for v in (y, p, w)]
    assert sq.PairState.of(*far) == sq.PairState.of(y, p, w)
    assert sum(seen) == 3 * rows
    assert max(seen) <= 64


@pytest.mark.parametrize("way", ["cpu", "get", "array"])
def test_outputs_on_a_device_are_read_in_chunks(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tensors, "CHUNK", 64)
    y, p, _ = (np.stack([v, v[::-1], v + 1], axis=1) for v in values("float32"))
    seen: list[int] = []
    got = sq.rmse(Far(y, way, seen), Far(p, way, seen), multioutput="raw_values")
    assert np.array_equal(got, sq.rmse(y, p, multioutput="raw_values"))
    assert max(seen) <= 64
    assert sq.evaluate(Far(y[:, 0], way, seen), Far(p[:, 0], way, seen))["rmse"].value == got[0]


def test_bad_values_on_a_device_are_named() -> None:
    seen: list[int] = []
    with pytest.raises(DataError, match="a missing target, the first at index 1"):
        sq.mse(Far(np.array([1.0, np.nan]), "cpu", seen), [1.0, 2.0], sample_weight=Far(np.ones(2), "cpu", seen))
    with pytest.raises(DataError, match=r"shape \(\); expected"):
        sq.mse(Far(np.array(1.0), "cpu", seen), Far(np.array(1.0), "cpu", seen))
    with pytest.raises(DataError, match="has no rows"):
        sq.mse(Far(np.empty(0), "cpu", seen), [])


# --- what is no column of numbers ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "make",
    [
        lambda torch: torch.ones(3).to_sparse(),
        lambda torch: torch.ones(3, dtype=torch.complex64),
        lambda torch: torch.ones(3, device="meta"),
        lambda torch: torch.ones(3, 2, 2),
        lambda torch: torch.tensor(1.0),
        lambda torch: [torch.tensor(1.0, requires_grad=True)] * 3,
    ],
    ids=["sparse", "complex", "meta", "3-d", "0-d", "scalars of a graph"],
)
def test_tensors_that_are_refused(make: Callable[[Any], Any]) -> None:
    torch = _torch()
    with pytest.raises(DataError, match="y_true"):
        sq.mse(make(torch), [1.0, 2.0, 3.0])


def test_jax_arrays_that_are_refused() -> None:
    jax = pytest.importorskip("jax")
    with pytest.raises(DataError, match="y_true is no array of numbers"):
        jax.jit(lambda y: sq.mse(y, np.ones(3)))(jax.numpy.ones(3))
    with pytest.raises(DataError, match="y_true is no array of numbers"):
        sq.mse(jax.random.split(jax.random.key(0), 3), np.ones(3))


def test_a_gradient_is_left_alone() -> None:
    torch = _torch()
    y, p = torch.ones(3), torch.zeros(3, requires_grad=True)
    loss = ((y - p) ** 2).mean()
    assert sq.mse(y, p) == 1.0
    loss.backward()
    assert p.grad.tolist() == pytest.approx([-2 / 3] * 3)


def test_no_library_of_arrays_is_imported() -> None:
    code = "import squarely, sys; squarely.mse([1.0], [2.0]); print(sorted({'torch', 'jax', 'ml_dtypes', 'pandas', 'polars'} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert run.stdout.strip() == "[]", run.stdout + run.stderr
