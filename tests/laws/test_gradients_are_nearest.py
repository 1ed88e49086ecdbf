"""Gradients of the kernel in Triton, run by its interpreter, against exact fractions: the nearest number of the type, ties to even."""

from __future__ import annotations

import random
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch

import squarely.losses.torch as losses
from squarely.losses import pointwise as declare
from squarely.losses.kernels import KERNELS, Bound, Kernel, checked
from squarely.losses.torch import cuda, one_pass

pytest.importorskip("triton", reason="Triton is for Linux")

from squarely.losses.fused import pointwise
from squarely.losses.fused.terms import of_kernel

pytestmark = pytest.mark.filterwarnings("ignore:<class 'torch.autograd.function.Function'> should not be instantiated:DeprecationWarning")
FLOATS = [torch.float16, torch.bfloat16, torch.float32, torch.float64]
DIGITS = {torch.float16: (11, -14, 15), torch.bfloat16: (8, -126, 127), torch.float32: (24, -126, 127), torch.float64: (53, -1022, 1023)}
every_type = pytest.mark.parametrize("dtype", FLOATS, ids=lambda dtype: str(dtype).partition(".")[2])


@pytest.fixture(autouse=True)
def _quiet() -> Any:
    """No warning of NumPy, which stands for the device, of overflow."""
    with np.errstate(all="ignore"):
        yield


def nearest(exact: Fraction, dtype: torch.dtype) -> float:
    """The number of a type that is nearest to an exact one; of two, the even one."""
    digits, least, most = DIGITS[dtype]
    if not exact:
        return 0.0
    power = abs(exact.numerator).bit_length() - exact.denominator.bit_length()
    power = max(power - (Fraction(2) ** power > abs(exact)), least)
    rounded = round(exact / Fraction(2) ** (power - digits + 1)) * Fraction(2) ** (power - digits + 1)
    return float(rounded) if abs(rounded) < Fraction(2) ** (most + 1) else float("inf") * (1 if rounded > 0 else -1)


def clipped(u: Fraction, size: Fraction) -> Fraction:
    return max(-size, min(size, u))


def of_sides(above: float, below: float) -> Callable[[Fraction], Fraction]:
    return lambda u: Fraction(above) if u > 0 else Fraction(below) if u < 0 else Fraction(0)


def sign(u: Fraction) -> Fraction:
    return Fraction((u > 0) - (u < 0))


Psi = Callable[[Fraction], Fraction]
LOSSES: dict[str, tuple[dict[str, float], Psi]] = {
    "mse_loss": ({}, lambda u: 2 * u),
    "half_mse_loss": ({}, lambda u: u),
    "l1_loss": ({}, sign),
    "huber_loss": ({"delta": 0.7}, lambda u: clipped(u, Fraction(0.7))),
    "smooth_l1_loss": ({}, lambda u: clipped(u, Fraction(1))),
    "pinball_loss": ({"alpha": 0.3}, of_sides(1 - 0.3, -0.3)),
    "expectile_loss": ({"alpha": 0.3}, lambda u: 2 * u * of_sides(1 - 0.3, 0.3)(u)),
    "smooth_pinball_loss": ({"alpha": 0.3}, lambda u: of_sides(1 - 0.3, 0.3)(u) * clipped(u, Fraction(1))),
    "winsorized_loss": ({"k": 0.9}, lambda u: 2 * u if abs(u) < Fraction(0.9) else Fraction(0)),
}
every_loss = pytest.mark.parametrize("name", sorted(LOSSES))


def bound(name: str, settings: dict[str, float]) -> Bound:
    return Bound(KERNELS[name], checked(KERNELS[name], settings))


def gradient(kernel: Bound, pred: torch.Tensor, target: torch.Tensor, weight: Any = None, *, scale: Any = 1.0, den: Any = 1.0) -> list[float]:
    found = pointwise(kernel, pred, target, weight, None, omit=False, scale=scale, den=den, samples=False, gradient=True)
    assert found is not None
    assert found[1] is not None
    assert found[1].dtype == pred.dtype
    return found[1].double().tolist()  # type: ignore[no-any-return]


def exact_gradients(psi: Psi, pred: torch.Tensor, target: torch.Tensor, weight: Any, scale: Any, den: Any) -> list[Fraction]:
    factor = Fraction(float(scale)) / Fraction(float(den))
    weights = [1.0] * len(pred) if weight is None else weight.tolist()
    return [psi(Fraction(p) - Fraction(y)) * Fraction(w) * factor for p, y, w in zip(pred.tolist(), target.tolist(), weights, strict=True)]


def drawn(dtype: torch.dtype, *shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(5), dtype=torch.float64).to(dtype)


# --- which losses -------------------------------------------------------------------------------------------------


def test_losses_that_are_made_of_lines_are_found() -> None:
    programs = {name: of_kernel(bound(name, {})) for name in KERNELS if name != "relative_squared_loss"}
    assert {name for name, program in programs.items() if program is not None and program.line is not None} == set(LOSSES)
    own: dict[Callable[..., Any], bool] = {
        lambda xp, u: 3.0 * u - xp.where(u > 2.0, u, 0.0): True,
        lambda xp, u: xp.where((u > 0.5) & (u < 2.0), 0.1, -xp.abs(u)): True,
        lambda xp, u: u + 1.0: False,
        lambda xp, u: u * u: False,
        lambda xp, u: u / 3.0: False,
        lambda xp, u: xp.where(u * u < 1.0, u, 0.0): False,
        lambda xp, u: xp.tanh(u): False,
    }
    for psi, is_line in own.items():
        declared: type[Kernel] = declare(psi=psi, kappa=psi)(lambda xp, u: u * u)
        program = of_kernel(Bound(declared, {}))
        assert program is not None
        assert (program.line is not None) == is_line


# --- the numbers --------------------------------------------------------------------------------------------------


@every_type
@every_loss
def test_a_gradient_is_the_nearest_number(name: str, dtype: torch.dtype) -> None:
    settings, psi = LOSSES[name]
    pred, target, weight = drawn(dtype, 3, 150)
    for scale, den in ((1.0, 1.0), (1.0, 3.0), (torch.tensor(0.3), 1000003.0), (0.1, torch.tensor(7.0, dtype=torch.float64))):
        for w in (None, weight):
            expected = exact_gradients(psi, pred, target, w, scale, den)
            assert gradient(bound(name, settings), pred, target, w, scale=scale, den=den) == [nearest(each, dtype) for each in expected]


def as_pairs(numbers: list[int], digits: int, dtype: torch.dtype) -> tuple[torch.Tensor, torch.Tensor]:
    """Numbers of up to twice the digits of a type, each as a prediction less a target, times 2^-digits."""
    low = [number % (1 << digits) for number in numbers]
    high = [number - less for number, less in zip(numbers, low, strict=True)]
    both = torch.tensor([high, low], dtype=torch.float64) * torch.tensor([[1.0], [-1.0]]) * 2.0**-digits
    pred, target = both.to(dtype)
    assert (both == torch.stack([pred, target]).double()).all()
    return pred, target


@every_type
@pytest.mark.parametrize("den", [1, 3, 7, 49])
def test_ties_and_what_is_beside_them(den: int, dtype: torch.dtype) -> None:
    """A difference of den times an odd number with one digit too many, and one unit beside it."""
    digits, chance = DIGITS[dtype][0], random.Random(den)
    odd = [chance.randrange(1 << digits, 2 << digits) | 1 for _ in range(40)]
    pred, target = as_pairs([tie * den + aside for tie in odd for aside in (-1, 0, 1)], digits, dtype)
    expected = exact_gradients(lambda u: u, pred, target, None, 1.0, den)
    for divisor in (float(den), torch.tensor(float(den), dtype=torch.float64)):
        assert gradient(bound("half_mse_loss", {}), pred, target, den=divisor) == [nearest(each, dtype) for each in expected]


@every_type
def test_products_one_unit_of_all_their_digits_from_a_tie(dtype: torch.dtype) -> None:
    """A weight times a difference is (2 k + 1) 2^n + 1 or less 1, with the n that leaves one digit too many of the type."""
    digits, chance = DIGITS[dtype][0], random.Random(8)
    below = 2 * digits - 3 if digits < 53 else 50  # of float64, all digits of a product are those of two numbers
    numbers, weights = [], []
    while len(numbers) < 100:
        weight = chance.randrange(1 << (digits - 1), 1 << digits) | 1
        aside = chance.choice((-1, 1))
        number = (aside * pow(weight, -1, 1 << below)) % (1 << below) + (chance.randrange(1, 8) << below)
        product = weight * number - aside
        if product.bit_length() == below + digits + 1 and (product >> below) & 1:
            numbers.append(number)
            weights.append(weight)
    pred, target = as_pairs(numbers, digits, dtype)
    weight = torch.tensor(weights, dtype=dtype)
    scale = 2.0**-digits
    expected = exact_gradients(lambda u: 2 * u, pred, target, weight, scale, 1.0)
    assert gradient(bound("mse_loss", {}), pred, target, weight, scale=scale) == [nearest(each, dtype) for each in expected]


@every_type
def test_what_is_far_below_decides_a_tie(dtype: torch.dtype) -> None:
    """Three times an odd number is a tie, and a target 2^-60 (or as much less as the type has) of it decides."""
    digits, chance = DIGITS[dtype][0], random.Random(2)
    odd = [chance.randrange(1 << (digits - 1), (4 << digits) // 6) | 1 for _ in range(40)]
    pred = torch.tensor([each for each in odd for _ in range(3)], dtype=dtype) * 2.0 ** (1 - digits)
    target = torch.tensor([-1.0, 0.0, 1.0] * len(odd)).to(dtype) * 2.0 ** (-24 if dtype is torch.float16 else -60)
    for scale, den in ((3.0, 1.0), (9.0, 3.0)):
        expected = exact_gradients(lambda u: u, pred, target, None, scale, den)
        assert gradient(bound("half_mse_loss", {}), pred, target, scale=scale, den=den) == [nearest(each, dtype) for each in expected]


@every_type
@pytest.mark.parametrize(
    ("name", "settings", "psi"),
    [
        ("huber_loss", {"delta": 1.0}, lambda u: clipped(u, Fraction(1))),
        ("smooth_pinball_loss", {"alpha": 0.25}, lambda u: clipped(u, Fraction(1)) * of_sides(0.75, 0.25)(u)),
        ("winsorized_loss", {"k": 1.0}, lambda u: 2 * u if abs(u) < 1 else Fraction(0)),
    ],
)
def test_the_side_of_an_edge_is_that_of_the_exact_difference(name: str, settings: dict[str, float], psi: Psi, dtype: torch.dtype) -> None:
    """A difference that is an edge but for 2^-60 of it: on one side the gradient is a tie, on the other it is beside one."""
    tiny = 2.0 ** (-24 if dtype is torch.float16 else -60)
    pred = torch.tensor([1.0, 1.0, 1.0, -1.0, -1.0, -1.0], dtype=dtype)
    target = torch.tensor([-tiny, 0.0, tiny] * 2, dtype=dtype)
    for units in (1, 3):
        scale = 1 + units * 2.0 ** -DIGITS[dtype][0] if dtype is not torch.float64 else torch.tensor(1.0)
        den = 1.0 if dtype is not torch.float64 else 1 - units * 2.0**-53
        expected = exact_gradients(psi, pred, target, None, scale, den)
        assert gradient(bound(name, settings), pred, target, scale=scale, den=den) == [nearest(each, dtype) for each in expected]


def test_targets_that_are_whole_numbers_are_taken_as_they_are() -> None:
    target = torch.tensor([(1 << 30) + 1, 123456789, -(1 << 40) - 1])
    pred = torch.tensor([2.0**30, 123456792.0, -(2.0**40)])
    assert gradient(bound("half_mse_loss", {}), pred, target) == [-1.0, 123456792.0 - 123456789.0, 1.0]


# --- where numbers end --------------------------------------------------------------------------------------------


def test_a_gradient_that_is_a_number_is_not_lost_in_a_product_on_the_way() -> None:
    largest = torch.finfo(torch.float64).max
    pred = torch.tensor([largest, -largest, 1e300, 1e-300, 1e-200], dtype=torch.float64)
    weight = torch.tensor([1.0, 1.0, 1e10, 1e-20, 1e-120], dtype=torch.float64)
    for scale, den in ((1.0, 1.7), (1e300, 1e305), (1e-300, 1e-305), (1.0, 5e-324 * 2**60), (1e308, largest), (1e-310, 3e-310)):
        expected = exact_gradients(lambda u: u, pred, torch.zeros(5), weight, scale, den)
        found = gradient(bound("half_mse_loss", {}), pred, torch.zeros_like(pred), weight, scale=scale, den=den)
        for mine, theirs in zip(found, expected, strict=True):
            end = nearest(theirs, torch.float64)
            assert mine == end if np.isinf(end) else abs(Fraction(mine) - theirs) <= abs(theirs) / 2**52 + Fraction(2) ** -1074


@pytest.mark.parametrize("size", [1e10, 1e25])
def test_a_small_factor_of_large_errors_loses_no_digit(size: float) -> None:
    """Its product with a weight is so small that what rounding takes from it is no float32."""
    settings, psi = LOSSES["mse_loss"]
    rows = drawn(torch.float32, 40, 3, 1) * torch.tensor([[size], [size], [1.0]])
    for pred, target, weight in rows:  # each a tile of its own, for one in doubt has all computed exactly
        for scale in (1e-34, 1e-44):
            (expected,) = exact_gradients(psi, pred, target, weight, scale, 3.0)
            found = gradient(bound("mse_loss", settings), pred, target, weight, scale=scale, den=3.0)
            assert abs(expected) < Fraction(2) ** -126 or found == [nearest(expected, torch.float32)]


@every_type
def test_infinite_missing_and_no_errors_are_told(dtype: torch.dtype) -> None:
    inf, nan = float("inf"), float("nan")
    pred = torch.tensor([inf, -inf, nan, 1.0, 0.0, -0.0, inf], dtype=dtype)
    target = torch.tensor([0.0, 0.0, 0.0, 1.0, 0.0, 0.0, inf], dtype=dtype)
    for den in (1.0, 3.0):
        for name, ends in (("mse_loss", inf), ("huber_loss", nearest(1 / Fraction(den), dtype))):
            found = gradient(bound(name, {}), pred, target, torch.ones_like(pred), den=den)
            assert found[:2] == [ends, -ends]
            assert found[3:6] == [0.0, 0.0, 0.0]
            assert np.isnan(found[2])
            assert np.isnan(found[6])


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
def test_numbers_below_the_normal_ones_are_within_one_unit(dtype: torch.dtype) -> None:
    """The interpreter has no such numbers of bfloat16."""
    digits, least, _ = DIGITS[dtype]
    pred = (drawn(torch.float64, 100) * 2.0**least).to(dtype)
    expected = exact_gradients(lambda u: u, pred, torch.zeros(100), None, 1.0, 3.0)
    found = gradient(bound("half_mse_loss", {}), pred, torch.zeros_like(pred), den=3.0)
    assert any(found)
    assert all(abs(Fraction(mine) - theirs) < Fraction(2) ** (least - digits + 1) for mine, theirs in zip(found, expected, strict=True))


# --- the functions of torch ---------------------------------------------------------------------------------------


@every_type
@every_loss
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_a_loss_of_torch_has_it(name: str, reduction: str, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch) -> None:
    """Plain, with weights, with a mask and with missing targets: 45 or fewer numbers count, by which means are divided exactly."""
    monkeypatch.setattr(one_pass, "ENGINES", {"cpu": one_pass.Engine(cuda.takes, cuda.one_pass, cuda.multiplied, (torch.float16,))})
    loss, (settings, psi) = getattr(losses, name), LOSSES[name]
    monkeypatch.setattr(loss, "_native", None)
    pred, target = drawn(dtype, 2, 9, 5)
    weight = (torch.arange(45).reshape(9, 5) % 7 + 1).to(dtype)
    mask = torch.arange(45).reshape(9, 5) % 4 != 1
    lacking = target.masked_fill(~mask, float("nan"))
    everywhere, ones = torch.ones_like(mask), torch.ones_like(weight)
    cases: list[tuple[dict[str, Any], torch.Tensor, torch.Tensor, torch.Tensor]] = [
        ({}, target, ones, everywhere),
        ({"weight": weight}, target, weight, everywhere),
        ({"mask": mask}, target, ones, mask),
        ({"nan_target": "omit"}, lacking, ones, mask),
        ({"nan_target": "omit", "weight": weight}, lacking, weight, mask),
    ]
    for given, y, w, counts in cases:
        leaf = pred.detach().clone().requires_grad_()
        value = loss(leaf, y, reduction=reduction, **settings, **given)
        assert type(value.grad_fn).__name__ == "_OnePassBackward"
        value.backward()
        den = float(w[counts].double().sum()) if reduction == "mean" else 1.0
        expected = [nearest(each, dtype) for each in exact_gradients(psi, pred[counts], y[counts], w[counts], 1.0, den)]
        assert leaf.grad is not None
        assert leaf.grad[counts].double().tolist() == expected
        assert not leaf.grad[~counts].any()
