"""Gradients of one pass are the numbers nearest to the exact ones, where psi rounds nothing but the difference it is of."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch

import squarely.losses.torch as losses
from squarely import _core
from squarely.losses.core import ALL, InCore, Spread, in_core
from squarely.losses.kernels import KERNELS, checked

RNG = np.random.default_rng(53)
EXACT = (
    *(("mse_loss", {}), ("half_mse_loss", {}), ("l1_loss", {}), ("huber_loss", {"delta": 0.7}), ("huber_loss", {"delta": 1.0})),
    *(("pinball_loss", {"alpha": 0.1}), ("pinball_loss", {"alpha": 0.75})),
)
everyone = pytest.mark.parametrize(("name", "settings"), EXACT)
both = pytest.mark.parametrize("dtype", [np.float32, np.float64])
FORMATS = {"float64": (53, -1074), "float32": (24, -149), "float16": (11, -24), "bfloat16": (8, -133)}  # bits, and the last place of the smallest
FACTORS = ((1.0, 1.0), (1.0, 3.0), (1.0, 7.0), (1.0, 1000003.0), (0.1, 1.0), (-0.3, 4096.0), (2.0**-20, 8.0), (0.7, 123456.789))


def nearest(value: Fraction, dtype: str) -> float:
    """A fraction rounded to a type, with ties to even; what is not 0 has a sign."""
    bits, last = FORMATS[dtype]
    power = value.numerator.bit_length() - value.denominator.bit_length()
    power -= Fraction(2) ** power > abs(value)
    unit = Fraction(2) ** max(power - bits + 1, last)
    return float(round(value / unit) * unit)


def psi(name: str, settings: dict[str, float], u: Fraction) -> Fraction:
    """The derivative of a loss, exactly; a pinball's constants are the doubles alpha and 1 - alpha."""
    if name == "huber_loss":
        delta = Fraction(settings["delta"])
        return max(-delta, min(delta, u))
    if name == "pinball_loss":
        return Fraction(1 - settings["alpha"]) if u > 0 else -Fraction(settings["alpha"]) if u < 0 else Fraction(0)
    return {"mse_loss": 2 * u, "half_mse_loss": u, "l1_loss": Fraction((u > 0) - (u < 0))}[name]


def core_of(name: str, settings: dict[str, float]) -> InCore:
    found = in_core(KERNELS[name].bound(checked(KERNELS[name], settings)))
    assert found is not None
    return found


def passed(core: InCore, pred: Any, target: Any, weight: Any, scale: float, den: float) -> Any:
    """The gradient by the core, which is the same by all paths."""
    outs = []
    for path in _core.available():
        before, out = _core.use(path), np.empty_like(pred)
        try:
            counted = ALL if weight is None else Spread(weight.ctypes.data, len(weight), 1), ALL
            rows = (len(pred), pred.ctypes.data, target.ctypes.data)
            core.add(pred.dtype == np.float64, rows, counted, omit=False, scale=scale, den=den, gradient=out.ctypes.data, threads=1)
        finally:
            _core.use(before)
        outs.append(out)
    assert len({out.tobytes() for out in outs}) == 1
    return outs[0]


def drawn(kind: str, count: int, dtype: Any) -> Any:
    """Numbers of one size, integers whose differences are ties, numbers 60 exponents apart with many bits, and with few."""
    if kind == "normal":
        return RNG.standard_normal(count).astype(dtype)
    if kind == "whole":
        return RNG.integers(-(2**24), 2**24, count).astype(dtype)
    size = np.exp2(RNG.integers(-30, 31, count))
    return (size * (RNG.standard_normal(count) if kind == "apart" else RNG.integers(-8, 9, count))).astype(dtype)


def weights(kind: str, count: int, dtype: Any) -> Any:
    if kind == "none":
        return None
    return (RNG.integers(0, 8, count) if kind == "few bits" else np.where(RNG.random(count) < 0.2, 0.1, RNG.random(count))).astype(dtype)


@everyone
@both
@pytest.mark.parametrize("kind", ["normal", "whole", "apart", "few bits"])
@pytest.mark.parametrize("weighted", ["none", "few bits", "many bits"])
def test_a_gradient_is_the_nearest_number(name: str, settings: dict[str, float], dtype: Any, kind: str, weighted: str) -> None:
    pred, target, weight = drawn(kind, 75, dtype), drawn(kind, 75, dtype), weights(weighted, 75, dtype)
    core = core_of(name, settings)
    u = [Fraction(p) - Fraction(t) for p, t in zip(pred.tolist(), target.tolist(), strict=True)]
    w = [Fraction(1)] * 75 if weight is None else [Fraction(each) for each in weight.tolist()]
    for scale, den in FACTORS:
        factor = Fraction(scale) / Fraction(den)
        expected = [nearest(each * psi(name, settings, error) * factor, np.dtype(dtype).name) for each, error in zip(w, u, strict=True)]
        assert passed(core, pred, target, weight, scale, den).tolist() == expected


@both
def test_what_is_close_to_a_tie_is_on_its_side(dtype: Any) -> None:
    """Factors are found for which the exact product is at most 2^-95 from the middle of two numbers; then a trace of the target decides."""
    bits, core = FORMATS[np.dtype(dtype).name][0], core_of("half_mse_loss", {})
    for _ in range(100):
        p, w = dtype(RNG.random() + 1), dtype(RNG.random() + 1)
        middle = Fraction(int(RNG.integers(2**bits, 2 ** (bits + 1))) | 1, 2 ** (bits + 2))
        ratio = (middle / (Fraction(float(p)) * Fraction(float(w)))).limit_denominator(2**53)
        pred, target, weight = np.array([p], dtype), np.zeros(1, dtype), np.array([w], dtype)
        found = passed(core, pred, target, weight, float(ratio.numerator), float(ratio.denominator))
        exact = Fraction(float(p)) * Fraction(float(w)) * ratio
        assert abs(exact / middle - 1) < Fraction(2) ** -95
        assert found[0] == nearest(exact, np.dtype(dtype).name)
    for _ in range(100):  # 33 * 3 * k / 3 has one bit too many
        k = next(k for k in iter(lambda: int(RNG.integers(2 ** (bits - 5), 2 ** (bits - 3))) | 1, 0) if (33 * k).bit_length() == bits + 1)
        for trace in (0.0, 2.0**-100, -(2.0**-100), 2.0**-30, -(2.0**-30)):
            pred, target, weight = np.array([3 * k], dtype), np.array([trace], dtype), np.array([33], dtype)
            assert pred[0] == 3 * k
            expected = nearest(11 * (Fraction(3 * k) - Fraction(trace)), np.dtype(dtype).name)
            assert passed(core, pred, target, weight, 1.0, 3.0)[0] == expected


@both
def test_a_difference_may_be_within_delta_by_less_than_it_is_rounded_by(dtype: Any) -> None:
    pred, target = np.array([1, 1, -1, -1], dtype), np.array([2.0**-80, -(2.0**-80)] * 2, dtype)
    for weight in (np.full(4, 3, dtype), np.full(4, 2 ** (FORMATS[np.dtype(dtype).name][0] - 1) + 1, dtype)):
        found = passed(core_of("huber_loss", {"delta": 1.0}), pred, target, weight, 0.5, 1.0)
        u = [Fraction(p) - Fraction(t) for p, t in zip(pred.tolist(), target.tolist(), strict=True)]
        w = Fraction(float(weight[0])) / 2
        assert found.tolist() == [nearest(w * max(-1, min(1, each)), np.dtype(dtype).name) for each in u]


@everyone
@both
def test_what_has_no_nearest_number_is_what_the_formula_gives(name: str, settings: dict[str, float], dtype: Any) -> None:
    """Infinities, nan and zeros, of squares with their signs; the largest and smallest numbers, and slopes of an infinite difference, are nearest."""
    top, least = float(np.finfo(dtype).max), float(np.finfo(dtype).smallest_subnormal)
    numbers = [0.0, -0.0, math.inf, -math.inf, math.nan, top, -top, least, -least, 1.0, 1e-30, 1e30]
    pred, target = (each.ravel().astype(dtype) for each in np.meshgrid(numbers, numbers))
    core, kernel = core_of(name, settings), KERNELS[name].bound(checked(KERNELS[name], settings))
    for weight in (None, np.full(len(pred), 0.3, dtype), np.full(len(pred), math.inf, dtype)):
        for scale, den in FACTORS:
            found = passed(core, pred, target, weight, scale, den)
            with np.errstate(all="ignore"):
                slope = kernel.psi(np, pred.astype(float) - target.astype(float))
                by_formula = ((slope * (1.0 if weight is None else weight.astype(float))) * (scale / den)).astype(dtype)
            is_beyond = ~np.isfinite(by_formula) | (by_formula == 0)
            assert np.array_equal(found[is_beyond], by_formula[is_beyond], equal_nan=True)
            if name in ("mse_loss", "half_mse_loss"):
                assert np.array_equal(np.signbit(found[by_formula == 0]), np.signbit(by_formula[by_formula == 0]))
            for i in np.flatnonzero(~is_beyond):
                p, t = (
                    Fraction(each) if math.isfinite(each) else Fraction(2) ** 2000 * (1 if each > 0 else -1)
                    for each in (float(pred[i]), float(target[i]))
                )
                exact = psi(name, settings, p - t) * Fraction(scale) / Fraction(den)
                assert found[i] == nearest(exact * Fraction(1.0 if weight is None else float(weight[i])), np.dtype(dtype).name)


@everyone
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_training_has_the_nearest_gradients(
    name: str, settings: dict[str, float], dtype: Any, reduction: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With weights that add up exactly, masks and missing targets, in every type; half types too are rounded once."""
    function = getattr(losses, name)
    monkeypatch.setattr(function, "_native", None)
    of_type = str(dtype).partition(".")[2]
    for count in (3, 7, 150):
        size = torch.tensor(np.exp2(RNG.integers(-6, 3, (2, count))))
        pred, target = (torch.tensor(RNG.standard_normal((2, count))) * size).to(dtype)
        weight = torch.tensor(RNG.integers(1, 100, count) / 64.0).to(dtype)
        mask, missing = torch.tensor(RNG.random(count) < 0.8), torch.tensor(RNG.random(count) < 0.2)
        mask[0], missing[0] = True, False  # so that something counts
        holed = torch.where(missing, math.nan, target)
        ones, nothing = torch.ones(count), torch.zeros(count)
        for t, given, counts in (
            (target, {}, ones),
            (target, {"weight": weight}, weight),
            (target, {"mask": mask}, mask),
            (holed, {"nan_target": "omit"}, ~missing),
            (holed, {"nan_target": "omit", "mask": mask, "weight": weight}, torch.where(mask & ~missing, weight.double(), nothing.double())),
        ):
            leaf = pred.clone().requires_grad_()
            value = function(leaf, t, reduction=reduction, **settings, **given)
            assert type(value.grad_fn).__name__ == "_OnePassBackward"
            value.backward()
            w = [Fraction(float(each)) for each in counts]
            den = (sum(w) or Fraction(1)) if reduction == "mean" else Fraction(1)
            u = [Fraction(p) - Fraction(y) for p, y in zip(pred.tolist(), target.tolist(), strict=True)]
            assert leaf.grad is not None
            assert leaf.grad.tolist() == [nearest(each * psi(name, settings, error) / den, of_type) for each, error in zip(w, u, strict=True)]


@pytest.mark.parametrize("half", [torch.float16, torch.bfloat16])
def test_a_half_type_is_rounded_once(half: Any) -> None:
    """A gradient that is close to a tie of a half type is that tie as a float: the nearest one would lose on which side it was."""
    of_type = str(half).partition(".")[2]
    pred = torch.tensor([64 * (1 + 2.0 ** (1 - FORMATS[of_type][0]))]).to(half)
    weight = torch.tensor([1.5]).to(half)
    for trace in (2.0**-24, 0.0, -(2.0**-24)):
        leaf, target = pred.clone().requires_grad_(), torch.tensor([trace]).to(half)
        losses.half_mse_loss(leaf, target, weight=weight, reduction="sum").backward()
        exact = (Fraction(pred.item()) - Fraction(trace)) * Fraction(3, 2)
        assert leaf.grad is not None
        assert leaf.grad.item() == nearest(exact, of_type)
