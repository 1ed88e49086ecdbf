"""The kernel in Triton, run by its interpreter, against float64: every loss, every kind of array, and what must not count."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from squarely.losses import pointwise as declare
from squarely.losses.forms import FORMS
from squarely.losses.kernels import KERNELS, Bound, checked

pytest.importorskip("triton", reason="Triton is for Linux")

from squarely.losses.fused import launch, likelihood, multiplied, patches, pointwise
from squarely.losses.fused.slope import slope
from squarely.losses.fused.trace import TRACED, Symbol, given

ROOT = Path(__file__).resolve().parents[2]
SETTINGS: dict[str, dict[str, float]] = {"relative_squared_loss": {"eps": 0.5}, "pinball_loss": {"alpha": 0.8}, "expectile_loss": {"alpha": 0.3}}
BARRON = [{"alpha": alpha, "c": 1.5} for alpha in (2.0, 1.0, 0.0, -2.0, -math.inf, 0.7, 3.5)]
CASES = [(name, SETTINGS.get(name, {})) for name in sorted(KERNELS)] + [("barron_loss", each) for each in BARRON]
FLOATS = [torch.float16, torch.bfloat16, torch.float32, torch.float64]
WHOLE = {"omit": False, "scale": 1.0, "samples": False, "gradient": True}
NAN = math.nan


@pytest.fixture(autouse=True)
def _small_tiles(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Tiles of a few elements, so that a few hundred need many; and no warning of NumPy, which stands for the device, of overflow."""
    monkeypatch.setattr(launch, "TILE", 32)
    with np.errstate(all="ignore"):
        yield


def bound(name: str, **settings: float) -> Bound:
    return Bound(KERNELS[name], checked(KERNELS[name], settings))


def pair(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> tuple[torch.Tensor, torch.Tensor]:
    """Predictions and targets above -1."""
    drawn = torch.rand(2, *shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) * 6 - 0.9
    return drawn[0].to(dtype), drawn[1].to(dtype)


def by_hand(
    kernel: Bound,
    pred: torch.Tensor,
    target: torch.Tensor,
    weight: Any = None,
    mask: Any = None,
    *,
    omit: bool,
    scale: Any,
    samples: bool,
    gradient: bool,
) -> tuple[torch.Tensor, torch.Tensor]:
    """The same in float64, array by array, of the elements that count and no others."""
    counts = torch.ones(pred.shape, dtype=torch.bool) if mask is None else mask.expand(pred.shape).clone()
    w = torch.ones(pred.shape, dtype=torch.float64) if weight is None else weight.expand(pred.shape).double()
    counts &= w != 0
    if omit and target.is_floating_point():
        counts &= ~target.isnan()
    declared = kernel.kernel
    p, y, w = (each[counts].double() for each in (pred, target, w))
    of_residual = {name: kernel.settings[name] for name in declared.residual.takes}
    u, own = declared.residual.of(torch, p, y, **of_residual), declared.bound(kernel.settings)
    rho, psi = torch.zeros(2, *pred.shape, dtype=torch.float64)
    rho[counts] = float(scale) * w * own.rho(torch, u)
    psi[counts] = float(scale) * w * own.psi(torch, u) * declared.residual.slope(torch, p, y, **of_residual)
    return (rho.reshape(pred.shape[0], -1).sum(1) if samples else rho.sum()), psi


def agrees(kernel: Bound, pred: torch.Tensor, target: torch.Tensor, weight: Any = None, mask: Any = None, **given: Any) -> bool:
    options = WHOLE | given
    total, gradient = pointwise(kernel, pred, target, weight, mask, **options)
    sums, slopes = by_hand(kernel, pred, target, weight, mask, **options)
    kind = torch.float64 if torch.float64 in (pred.dtype, target.dtype) else torch.float32
    assert (total.dtype, total.shape) == (kind, sums.shape)
    torch.testing.assert_close(total.double(), sums, rtol=1e-6 if kind is torch.float32 else 1e-13, atol=1e-30, equal_nan=True)
    assert (gradient.dtype, gradient.shape) == (pred.dtype, pred.shape)
    error = {torch.float16: 2.0**-10, torch.bfloat16: 2.0**-7, torch.float32: 2e-6, torch.float64: 1e-13}[pred.dtype]
    least = {torch.float16: 2.0**-24, torch.float64: 1e-15}.get(pred.dtype, 1e-6)  # beside a cancelling difference, or where a half type ends
    torch.testing.assert_close(gradient.double(), slopes, rtol=error, atol=least, equal_nan=True)
    return True


# --- every loss ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(("name", "settings"), CASES)
def test_every_loss_is_that_of_float64(name: str, settings: dict[str, float], dtype: torch.dtype) -> None:
    pred, target = pair(6, 17, dtype=dtype)
    assert agrees(bound(name, **settings), pred, target, scale=0.5)


@pytest.mark.parametrize("name", sorted(KERNELS))
def test_wide_errors_stay_finite(name: str) -> None:
    size = torch.logspace(-18, 1.5 if name == "linex_loss" else 18, 150)
    pred = torch.cat([size, -size]) if name != "msle_loss" else torch.cat([size, -0.999 * torch.rand(20)])
    target = torch.zeros_like(pred)
    total, gradient = pointwise(bound(name, **SETTINGS.get(name, {})), pred, target, None, None, **WHOLE | {"samples": True})
    sums, slopes = by_hand(bound(name, **SETTINGS.get(name, {})), pred, target, **WHOLE | {"samples": True})
    torch.testing.assert_close(total, sums.float(), rtol=2e-5, atol=1e-37)
    torch.testing.assert_close(gradient, slopes.float(), rtol=2e-5, atol=1e-37)


def test_a_loss_of_the_users_own_is_fused_with_and_without_derivatives() -> None:
    def rho(xp: Any, u: Any, high: float = 3.0) -> Any:
        return xp.where(u > 0, high, 1.0) * xp.log1p(u * u) + 0.1 * abs(u) ** 3

    def psi(xp: Any, u: Any, high: float) -> Any:
        return xp.where(u > 0, high, 1.0) * 2 * u / (1 + u * u) + 0.3 * u * abs(u)

    pred, target = pair(100)
    slopes = psi(torch, (pred - target).double(), 3.0)
    for declared in (declare(psi=psi, kappa=psi)(rho), declare()(rho)):
        total, gradient = pointwise(Bound(declared, {"high": 3.0}), pred, target, None, None, **WHOLE)
        torch.testing.assert_close(total.double(), rho(torch, (pred - target).double()).sum(), rtol=1e-6, atol=0.0)
        torch.testing.assert_close(gradient.double(), slopes, rtol=2e-6, atol=1e-6)


def test_a_loss_that_is_not_0_at_0_counts_for_nothing_where_it_does_not_count() -> None:
    kernel = Bound(declare(psi=lambda xp, u: 1 * u, kappa=lambda xp, u: xp.ones_like(u))(lambda xp, u: 1 + u * u / 2), {})
    pred, target = pair(37)
    total, _ = pointwise(kernel, pred, target, None, torch.arange(37) < 0, **WHOLE)
    assert total == 0
    total, _ = pointwise(kernel, pred, pred, None, None, **WHOLE)
    assert total == 37


@pytest.mark.parametrize(
    "rho", [lambda xp, u: xp.fft(u), lambda xp, u: u if u > 0 else -u, lambda xp, u: u.abs(), lambda xp, u: 2.0**u, lambda xp, u: xp.clip(u)]
)
def test_what_cannot_be_traced_is_not_for_the_kernel(rho: Any) -> None:
    def own(xp: Any, u: Any) -> Any:
        return rho(xp, u)

    assert pointwise(Bound(declare()(own), {}), *pair(5), None, None, **WHOLE) is None


def evaluated(expression: Any, values: dict[str, Any]) -> Any:
    """An expression over float64 arrays, to test what is traced without Triton."""
    if not isinstance(expression, Symbol):
        return expression
    if expression.operation == "given":
        return values[expression.operands[0]]
    operands = [evaluated(each, values) for each in expression.operands]
    named = {"divide": np.divide, "power": np.power, "+": np.add, "-": np.subtract, "*": np.multiply, "<": np.less, ">": np.greater}
    named |= {"<=": np.less_equal, ">=": np.greater_equal, "==": np.equal, "!=": np.not_equal, "&": np.logical_and}
    return (named.get(expression.operation) or getattr(np, expression.operation))(*operands)


@pytest.mark.parametrize(("name", "settings"), CASES)
def test_calculus_finds_the_derivative_that_is_declared(name: str, settings: dict[str, float]) -> None:
    kernel, u = bound(name, **settings), given("u")
    own = kernel.kernel.bound(kernel.settings)
    errors = np.linspace(-7.03, 7.01, 400)  # none of them a corner
    found = evaluated(slope(own.rho(TRACED, u), u), {"u": errors})
    assert np.allclose(found, own.psi(np, errors), rtol=1e-12, atol=1e-14)


# --- every array --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(), (1,), (31,), (32,), (33,), (700,), (3, 1), (1, 70), (5, 7), (2, 3, 4, 5), (200, 2), (3, 129)])
def test_shapes_that_are_no_multiples_of_a_tile(shape: tuple[int, ...]) -> None:
    pred, target = pair(*shape)
    assert agrees(bound("huber_loss"), pred, target, weight=torch.rand(shape) + 0.1, mask=torch.rand(shape) < 0.7)
    if shape:
        assert agrees(bound("huber_loss"), pred, target, weight=torch.rand(shape) + 0.1, mask=torch.rand(shape) < 0.7, samples=True)


@pytest.mark.parametrize("shape", [(0,), (0, 4), (4, 0)])
def test_nothing_at_all(shape: tuple[int, ...]) -> None:
    pred, target = pair(*shape)
    for samples in (False, True):
        total, gradient = pointwise(bound("mse_loss"), pred, target, None, None, **WHOLE | {"samples": samples})
        torch.testing.assert_close(total, torch.zeros(shape[:1] if samples else ()))
        assert gradient.shape == shape


@pytest.mark.parametrize("samples", [False, True])
def test_arrays_that_are_not_contiguous(samples: bool) -> None:
    pred, target = pair(4, 5, 7)
    images, same = pair(2, 3, 2, 7)
    for p, y in (
        (pred.transpose(0, 2), target.transpose(0, 2)),
        (pred.transpose(0, 2), target.transpose(0, 2).contiguous()),
        (pred[::2, :, 1::3], target[::2, :, 1::3]),
        (pred, target[:1].expand(4, 5, 7)),
        (pred[:1].expand(4, 5, 7), target),
        (pred[2:], target[2:]),
        (images.to(memory_format=torch.channels_last), same.to(memory_format=torch.channels_last)),
        (images.to(memory_format=torch.channels_last), same),
    ):
        assert agrees(bound("cauchy_loss"), p, y, samples=samples)
        assert agrees(bound("cauchy_loss"), p, y, p.abs(), y > 0.5, samples=samples)
        assert agrees(bound("cauchy_loss"), p, y, torch.rand(p.shape[0]).reshape(-1, *[1] * (p.ndim - 1)), samples=samples)


@pytest.mark.parametrize("samples", [False, True])
@pytest.mark.parametrize("shape", [(5, 1, 1), (5, 6, 1), (1, 1, 7), (1, 6, 7), (1, 6, 1), (1, 1, 1)])
def test_weights_and_masks_that_are_broadcast(shape: tuple[int, ...], samples: bool) -> None:
    pred, target = pair(5, 6, 7)
    weight, mask = torch.rand(shape) + 0.5, torch.rand(shape) < 0.6
    assert agrees(bound("mse_loss"), pred, target, weight, mask, samples=samples)
    assert agrees(bound("mse_loss"), pred, target, weight.expand(5, 6, 7), mask.expand(5, 6, 7), samples=samples)
    if shape != (1, 6, 7):  # which are no neighbours when the first two change places
        assert agrees(bound("mse_loss"), pred.transpose(0, 1), target.transpose(0, 1), weight.transpose(0, 1), mask.transpose(0, 1), samples=samples)


def test_weights_along_axes_that_are_no_neighbours_are_not_for_the_kernel() -> None:
    assert pointwise(bound("mse_loss"), *pair(5, 6, 7), torch.rand(5, 1, 7), None, **WHOLE) is None
    assert pointwise(bound("mse_loss"), *pair(5, 6, 7), None, torch.rand(5, 1, 7) < 0.5, **WHOLE) is None


def test_settings_that_are_missing_and_types_that_are_none_are_not_for_the_kernel() -> None:
    relative = KERNELS["relative_squared_loss"]
    assert pointwise(relative.bound({"eps": 1.0}), *pair(5), None, None, **WHOLE) is None
    assert pointwise(Bound(KERNELS["huber_loss"], {"delta": torch.ones(())}), *pair(5), None, None, **WHOLE) is None
    assert pointwise(bound("mse_loss"), torch.arange(5), torch.arange(5), None, None, **WHOLE) is None
    assert pointwise(bound("mse_loss"), torch.zeros(5), torch.zeros(5).to(torch.float8_e5m2), None, None, **WHOLE) is None


def test_settings_that_change_at_every_step_are_not_compiled_for_ever() -> None:
    kernel = declare(psi=lambda xp, u, c: c * u, kappa=lambda xp, u, c: c + 0 * u)(lambda xp, u, c=1.0: c * u * u / 2)
    done = [pointwise(Bound(kernel, {"c": 1.0 + step}), *pair(3), None, None, **WHOLE) is not None for step in range(20)]
    assert done == [True] * 16 + [False] * 4
    assert pointwise(Bound(kernel, {"c": 2.0}), *pair(3), None, None, **WHOLE) is not None


@pytest.mark.parametrize("target", [torch.float32, torch.float64, torch.uint8, torch.int64])
@pytest.mark.parametrize("pred", FLOATS)
def test_types_that_are_mixed(pred: torch.dtype, target: torch.dtype) -> None:
    assert agrees(bound("mse_loss"), (torch.rand(77) * 9).to(pred), (torch.rand(77) * 9).to(target), torch.rand(77).to(torch.bfloat16), omit=True)


@pytest.mark.parametrize("name", sorted(KERNELS))
def test_every_loss_takes_what_is_no_multiple_of_a_tile_no_neighbours_or_nothing(name: str) -> None:
    kernel = bound(name, **SETTINGS.get(name, {}))
    pred, target = pair(3, 11)
    assert agrees(kernel, *pair(33), samples=False)
    assert agrees(kernel, pred.T, target.T, samples=True)
    assert agrees(kernel, pred[:, ::2], target.T.contiguous().T[:, ::2])
    total, gradient = pointwise(kernel, *pair(0, 4), None, None, **WHOLE)
    assert (total.item(), gradient.shape) == (0.0, (0, 4))


# --- what does not count ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(KERNELS))
def test_nothing_that_does_not_count_is_looked_at(name: str) -> None:
    pred, target = pair(4, 33)
    mask = torch.rand(4, 33, generator=torch.Generator().manual_seed(2)) < 0.6
    holes = torch.tensor([NAN, math.inf, -math.inf, -1.0]).repeat(33).reshape(4, 33)
    assert agrees(bound(name), torch.where(mask, pred, holes), torch.where(mask, target, holes.T.reshape(4, 33)), None, mask)
    assert agrees(bound(name), torch.where(mask, pred, holes), torch.where(mask, target, holes.T.reshape(4, 33)), torch.where(mask, 0.7, 0.0), None)
    assert agrees(bound(name), torch.where(mask, pred, holes), torch.where(mask, target, NAN), None, None, omit=True, samples=True)


@pytest.mark.parametrize("samples", [False, True])
@pytest.mark.parametrize(("name", "shape"), [("tukey_loss", (5, 40)), ("tukey_loss", (5, 1)), *((name, (1, 40)) for name in sorted(KERNELS))])
def test_masks_that_are_all_false(name: str, shape: tuple[int, ...], samples: bool) -> None:
    pred, target = torch.full((2, 5, 40), NAN)
    total, gradient = pointwise(bound(name), pred, target, None, torch.zeros(shape, dtype=torch.bool), **WHOLE | {"samples": samples})
    assert torch.equal(total, torch.zeros_like(total))
    assert torch.equal(gradient, torch.zeros(5, 40))


@pytest.mark.parametrize(("name", "rows"), [("huber_loss", 33), *((name, 9) for name in sorted(KERNELS))])
def test_nan_in_every_position(name: str, rows: int) -> None:
    """In the prediction it is told; in the target too, unless missing targets are left out; in a weight it is told. Row i has it at i."""
    kernel = bound(name, **SETTINGS.get(name, {}))
    pred, target = pair(rows, rows)
    weight, own = torch.ones(rows, rows), torch.eye(rows, dtype=torch.bool)
    for hit in range(3):
        arrays = [each.masked_fill(own, NAN) if place == hit else each for place, each in enumerate((pred, target, weight))]
        total, gradient = pointwise(kernel, *arrays, None, **WHOLE | {"samples": True})
        assert total.isnan().all()
        slopes = by_hand(kernel, *arrays, **WHOLE)[1]
        assert not (gradient.isnan() & ~own).any()
        assert not (slopes.isnan() & ~gradient.isnan()).any()  # torch's sign of nan is 0, and a constant past a bound has no slope
        assert pointwise(kernel, *arrays, None, **WHOLE)[0].isnan()
        if hit == 1:
            assert agrees(kernel, *arrays, omit=True, samples=True)


@pytest.mark.parametrize("columns", [3, 300])
@pytest.mark.parametrize("name", ["mse_loss", "patches"])
def test_a_mean_over_weights_that_add_up_to_0_is_infinite_unless_nothing_counts(name: str, columns: int) -> None:
    """No host has looked at the denominator on a device: its inverse is infinite."""
    pred, target = pair(4, columns)
    engine = partial(pointwise, bound("mse_loss")) if name == "mse_loss" else partial(patches, eps=1e-6)
    shape = (4, columns) if name == "mse_loss" else (4,)
    options = {"omit": False, "samples": False, "gradient": True, "scale": torch.full((), math.inf, dtype=torch.float64)}
    total, gradient = engine(pred, target, torch.ones(shape), torch.zeros(shape, dtype=torch.bool), **options)
    assert total == 0
    assert not gradient.any()
    total, gradient = engine(
        pred, target, torch.tensor([1.0, -1.0, 2.0, -2.0])[(slice(None), *(None,) * (len(shape) - 1))].expand(shape), None, **options
    )
    assert total.isinf()
    assert not gradient.isfinite().any()


def test_a_loss_that_is_infinite_is_infinite() -> None:
    pred, target = torch.full((100,), 1e30), torch.zeros(100)
    total, _ = pointwise(bound("mse_loss"), pred, target, None, None, **WHOLE)
    assert total == math.inf


# --- digits -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_long_sum_has_the_error_of_one_rounding(dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each lane adds 1,024 numbers, four times those of a batch of 2^28 on a large device; in plain floats that costs many places."""
    monkeypatch.setattr(launch, "_ON_A_PROCESSOR", 1)
    pred = torch.rand(32 * 1024, generator=torch.Generator().manual_seed(1), dtype=dtype)
    total, _ = pointwise(bound("l1_loss"), pred, torch.zeros_like(pred), None, None, **WHOLE | {"gradient": False})
    assert abs(total.item() - math.fsum(pred.tolist())) <= torch.finfo(dtype).eps / 2 * total.item()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_a_gradient_is_rounded_once(dtype: torch.dtype) -> None:
    """Differences of halves are numbers of float32, so the gradient of squared error is rounded where it is written, and nowhere else."""
    pred, target = (torch.rand(2, 500, generator=torch.Generator().manual_seed(3)) + 1).to(torch.bfloat16).to(dtype)
    _, gradient = pointwise(bound("mse_loss"), pred, target, None, None, **WHOLE | {"scale": 3.0})
    assert torch.equal(gradient, (6 * (pred.double() - target.double())).to(dtype))


@pytest.mark.parametrize("scale", [2.0**-22, torch.tensor(2.0**-22), torch.tensor(2.0**-22, dtype=torch.float64)])
def test_a_scale_comes_before_the_rounding(scale: Any) -> None:
    """2 / 4 million times an error of a hundredth is 0 in a half type; times a scale of a thousand million it is not."""
    pred, target = torch.full((50,), 0.01, dtype=torch.float16), torch.zeros(50, dtype=torch.float16)
    assert (pointwise(bound("mse_loss"), pred, target, None, None, **WHOLE | {"scale": scale})[1] == 0).all()
    assert agrees(bound("mse_loss"), pred, target, scale=scale * 2.0**30)


def test_every_run_has_the_same_bits() -> None:
    pred, target = pair(3, 70)
    runs = [pointwise(bound("barron_loss"), pred, target, target.abs(), None, **WHOLE) for _ in range(3)]
    assert len({(total.item(), gradient.numpy().tobytes()) for total, gradient in runs}) == 1


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("by", [1.0, 0.75, NAN])
def test_a_gradient_is_multiplied_where_it_lies(by: float, dtype: torch.dtype) -> None:
    _, gradient = pair(7, 301, dtype=dtype)
    expected = gradient * by
    given = gradient.T.contiguous().T
    assert multiplied(given, torch.tensor(by, dtype=torch.float32)) is given
    torch.testing.assert_close(given, expected, rtol=0.0, atol=0.0, equal_nan=True)
    assert multiplied(given[:0], torch.tensor(by)).shape == (0, 301)


# --- a mean with its variance -------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("is_log", [False, True])
@pytest.mark.parametrize("name", ["gaussian_nll_loss", "beta_nll_loss", "faithful_nll_loss"])
def test_likelihoods_and_both_gradients(name: str, is_log: bool, dtype: torch.dtype) -> None:
    import squarely.losses.torch as losses

    settings = {"beta": 0.3} if name == "beta_nll_loss" else {}
    pred, target = pair(5, 21, dtype=dtype)
    spread = (torch.rand(5, 21, generator=torch.Generator().manual_seed(4)) + 0.2).to(dtype)
    weight, mask = target.abs().float(), pred > 0
    target[0, 3] = spread[1, 2] = NAN
    mask[1, 2] = False
    options = {"omit": True, "scale": 0.25, "samples": False, "gradient": True, "gradient_of_spread": True}
    found = likelihood(FORMS[name], pred, target, spread, weight, mask, is_log=is_log, settings=settings, **options)
    p, s = (each.double().requires_grad_() for each in (pred, spread))
    given = {"log_var" if is_log else "var": s, "weight": weight.double(), "mask": mask, "nan_target": "omit", "reduction": "sum", **settings}
    value = getattr(losses, name)(p, target.double(), **given)
    value = 0.25 * value
    value.backward()
    error = {torch.float16: 2.0**-10, torch.bfloat16: 2.0**-7, torch.float32: 2e-6, torch.float64: 1e-13}[dtype]
    torch.testing.assert_close(found[0].double(), value.detach(), rtol=1e-6 if dtype is not torch.float64 else 1e-13, atol=0.0)
    for mine, theirs in zip(found[1:], (p.grad, s.grad), strict=True):
        assert mine.dtype == dtype
        torch.testing.assert_close(mine.double(), theirs, rtol=error, atol=1e-6)


# --- patches ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("samples", [False, True])
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("shape", [(2, 3, 16), (2, 7, 12), (3, 1, 33), (1, 5, 2), (4, 9)])
def test_normalised_patches(shape: tuple[int, ...], dtype: torch.dtype, samples: bool) -> None:
    import squarely.losses.torch as losses

    pred, target = pair(*shape, dtype=dtype)
    weight, mask = torch.rand(shape[:-1]) + 0.5, torch.rand(shape[:-1]) < 0.7
    target[-1, ..., 1] = NAN
    for w, m in ((None, None), (weight, mask), (weight[:1], mask[..., :1]), (None, torch.zeros_like(mask))):
        given = pred if m is None else torch.where(m.expand(shape[:-1])[..., None], pred, NAN)
        options = {"omit": True, "scale": 0.25, "samples": samples, "gradient": True}
        total, gradient = patches(given, target, w, m, eps=1e-3, **options)
        p = given.double().clone().requires_grad_()
        whole = {"sample_weight": None if w is None else w.double().expand(shape[:-1]), "mask": None if m is None else m.expand(shape[:-1])}
        each = losses.patch_mse_loss(p, target.double(), eps=1e-3, nan_target="omit", reduction="none", **whole)
        value = 0.25 * (each.reshape(shape[0], -1).sum(1) if samples else each.sum())
        value.sum().backward()
        error = {torch.float16: 2.0**-10, torch.bfloat16: 2.0**-7, torch.float32: 2e-6, torch.float64: 1e-13}[dtype]
        torch.testing.assert_close(total.double(), value.detach(), rtol=2e-6 if dtype is not torch.float64 else 1e-13, atol=0.0)
        assert gradient.dtype == dtype
        torch.testing.assert_close(gradient.double(), p.grad, rtol=error, atol=1e-6 if dtype is not torch.float64 else 1e-14)


def test_patches_without_patches_and_of_too_few_and_too_many_pixels() -> None:
    options = {"eps": 1e-6, "omit": False, "scale": 1.0, "samples": False, "gradient": True}
    total, gradient = patches(*torch.zeros(2, 0, 3, 4), None, None, **options)
    assert (total.item(), gradient.shape) == (0.0, (0, 3, 4))
    for dtype, pixels in ((torch.float32, 1), (torch.float32, (1 << 13) + 1), (torch.float64, (1 << 12) + 1), (torch.bfloat16, (1 << 13) + 1)):
        assert patches(*torch.zeros(2, 1, 1, pixels, dtype=dtype), None, None, **options) is None


# --- a device -----------------------------------------------------------------------------------------------------


def test_a_device_takes_the_programs() -> None:
    """Compiled to the machine code of an H200, which needs none: 16 bytes at a time are read and written, nothing spills, and large places fit."""
    done = subprocess.run(
        [sys.executable, "tests/fused_for_a_device.py"], cwd=ROOT, env=os.environ | {"TRITON_INTERPRET": "0"}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    at_once = ["bf16 mse_loss", "fp32 barron_loss", "fp16 gaussian_nll_loss", "fp64 log_cosh_loss", "fp32 student_t_loss", "fp32 fair_loss"]
    at_once += ["fp64 linex_loss", "bf16 patch_mse_loss", "fp32 patch_mse_loss", "fp64 patch_mse_loss"]
    built = ["built a long gradient", "built many short rows", "built one column", "built one patch", "built one number", "built a variance alone"]
    assert done.stdout.splitlines() == [*at_once, "wide mse_loss", "wide patch_mse_loss", *built]
