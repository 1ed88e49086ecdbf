"""The elementary functions of the kernel against mpmath: a few units in the last place over all numbers, and the edges."""

from __future__ import annotations

import math
from typing import Any

import mpmath
import numpy as np
import pytest
import torch

pytest.importorskip("triton", reason="Triton is for Linux")

from squarely.losses.fused import elementary
from squarely.losses.fused.device import tl, triton

INF, NAN = math.inf, math.nan


@triton.jit
def _each(x, out, n, function: tl.constexpr, block: tl.constexpr):
    at = tl.arange(0, block)
    tl.store(out + at, function(tl.load(x + at, mask=at < n, other=1.0)), mask=at < n)


@triton.jit
def _each_power(x, out, n, exponent: tl.constexpr, block: tl.constexpr):
    at = tl.arange(0, block)
    base = tl.load(x + at, mask=at < n, other=1.0)
    tl.store(out + at, elementary.power(base, tl.full((), exponent, base.dtype)), mask=at < n)


def found(name: str, x: torch.Tensor, *, exponent: float | None = None) -> torch.Tensor:
    """What a function of the kernel makes of numbers."""
    out, block = torch.empty_like(x), triton.next_power_of_2(len(x))
    with np.errstate(all="ignore"):
        if exponent is None:
            _each[(1,)](x, out, len(x), function=getattr(elementary, name), block=block)
        else:
            _each_power[(1,)](x, out, len(x), exponent=exponent, block=block)
    return out


def worst(name: str, x: torch.Tensor, true: Any, **given: Any) -> float:
    """The largest error in units of the last place of the type, of results that are normal numbers."""
    with mpmath.workdps(40):
        exact = [true(mpmath.mpf(each)) for each in x.tolist()]
        info = torch.finfo(x.dtype)
        errors = [
            float(abs((mine - theirs) / theirs)) / info.eps
            for mine, theirs in zip(found(name, x, **given).tolist(), exact, strict=True)
            if info.tiny < abs(theirs) < info.max
        ]
    assert len(errors) > len(x) / 2
    return max(errors)


WIDE = np.concatenate([s * np.logspace(-30, 1.9, 400) for s in (-1, 1)])
NEAR = np.linspace(-2.5, 2.5, 400)
POSITIVE = np.concatenate([np.logspace(-44, 38, 500), np.linspace(0.5, 2.0, 300)])  # from those below the normal numbers of float32


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(
    ("name", "numbers"),
    [
        ("exp", np.linspace(-86, 88, 600)),
        ("expm1", WIDE),
        ("expm1", NEAR),
        ("log", POSITIVE),
        ("log1p", np.concatenate([POSITIVE, -np.logspace(-30, -0.001, 300)])),
        ("tanh", WIDE),
        ("tanh", NEAR),
        ("sinh", WIDE),
        ("sinh", NEAR),
    ],
)
def test_a_function_has_its_digits(name: str, numbers: Any, dtype: torch.dtype) -> None:
    loose = 64.0 if (name, dtype) == ("sinh", torch.float64) else 2.5  # of a product of two exponentials of a large number
    assert worst(name, torch.tensor(numbers, dtype=dtype), getattr(mpmath, name)) < loose


@pytest.mark.parametrize("exponent", [0.3, -1.7, 2.5, 7.3])
def test_a_power_has_its_digits(exponent: float) -> None:
    single, double = torch.tensor(np.logspace(-4, 4, 600), dtype=torch.float32), torch.tensor(np.logspace(-4, 4, 600))
    rounded = float(np.float32(exponent))
    assert worst("power", single, lambda x: x**rounded, exponent=exponent) < 4
    assert worst("power", double, lambda x: x**exponent, exponent=exponent) < 64  # the logarithm's own error, times it


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(
    ("name", "at_edges"),
    [
        ("exp", [INF, 0.0, NAN, 1.0]),
        ("expm1", [INF, -1.0, NAN, 0.0]),
        ("log", [INF, NAN, NAN, -INF]),
        ("log1p", [INF, NAN, NAN, 0.0]),
        ("tanh", [1.0, -1.0, NAN, 0.0]),
        ("sinh", [INF, -INF, NAN, 0.0]),
        ("sqrt", [INF, NAN, NAN, 0.0]),
    ],
)
def test_edges(name: str, at_edges: list[float], dtype: torch.dtype) -> None:
    edges, expected = (torch.tensor(each, dtype=dtype) for each in ([INF, -INF, NAN, 0.0], at_edges))
    torch.testing.assert_close(found(name, edges), expected, rtol=0.0, atol=0.0, equal_nan=True)
    if name == "log1p":
        assert found(name, torch.tensor([-1.0, -1.5], dtype=dtype)).tolist()[0] == -INF
    powers = {exponent: found("power", torch.tensor([INF, 0.0, -1.0], dtype=dtype), exponent=exponent).tolist() for exponent in (1.5, -1.5)}
    assert powers[1.5][:2] == [INF, 0.0]
    assert powers[-1.5][:2] == [0.0, INF]
    assert math.isnan(powers[1.5][2])
