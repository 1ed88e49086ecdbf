"""Pointwise losses against their textbook formulas in 60 digits, over sixty decades of errors, in both precisions."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import mpmath as mp
import numpy as np
import pytest
import torch

import squarely.losses.jax as in_jax
import squarely.losses.numpy as in_numpy
import squarely.losses.torch as in_torch
from squarely.losses.core import in_core
from squarely.losses.kernels import KERNELS, checked
from squarely.losses.kernels.kernel import Kernel
from squarely.losses.kernels.residual import DIFFERENCE
from squarely.losses.numpy.compiled import write

INF = float("inf")
# The formulas as papers print them, of |u| where they are even; derivatives are taken numerically, in 420 digits.
TEXTBOOK: dict[str, Callable[..., Any]] = {
    "mse_loss": lambda u: u**2,
    "half_mse_loss": lambda u: u**2 / 2,
    "l1_loss": lambda u: abs(u),
    "huber_loss": lambda u, delta: u**2 / 2 if abs(u) <= delta else delta * (abs(u) - mp.mpf(delta) / 2),
    "smooth_l1_loss": lambda u, beta: u**2 / (2 * mp.mpf(beta)) if abs(u) <= beta else abs(u) - mp.mpf(beta) / 2,
    "pseudo_huber_loss": lambda u, delta: mp.mpf(delta) ** 2 * (mp.sqrt(1 + (u / delta) ** 2) - 1),
    "log_cosh_loss": lambda u, delta: mp.mpf(delta) ** 2 * (abs(u / delta) + mp.log1p(mp.exp(-2 * abs(u / delta))) - mp.log(2)),
    "fair_loss": lambda u, c: mp.mpf(c) ** 2 * (abs(u) / c - mp.log(1 + abs(u) / c)),
    "cauchy_loss": lambda u, c: mp.mpf(c) ** 2 / 2 * mp.log(1 + (u / c) ** 2),
    "geman_mcclure_loss": lambda u, c: u**2 / 2 / (1 + (u / c) ** 2),
    "welsch_loss": lambda u, c: mp.mpf(c) ** 2 / 2 * (1 - mp.exp(-((u / c) ** 2))),
    "tukey_loss": lambda u, c: mp.mpf(c) ** 2 / 6 * (1 - (1 - min(abs(u) / c, mp.mpf(1)) ** 2) ** 3),
    "winsorized_loss": lambda u, k: min(abs(u), mp.mpf(k)) ** 2,
    "student_t_loss": lambda u, df, scale: mp.mpf(df + 1) / 2 * mp.log(1 + u**2 / (mp.mpf(df) * mp.mpf(scale) ** 2)),
    "pinball_loss": lambda u, alpha: max((1 - mp.mpf(alpha)) * u, -mp.mpf(alpha) * u),
    "smooth_pinball_loss": lambda u, alpha, delta: abs(mp.mpf(alpha) - (u > 0)) * TEXTBOOK["huber_loss"](u, delta) / delta,
    "expectile_loss": lambda u, alpha: abs(mp.mpf(alpha) - (u > 0)) * u**2,
    "linex_loss": lambda u, a: mp.exp(a * u) - mp.mpf(a) * u - 1,
}


def barron(u: Any, alpha: float, c: float) -> Any:
    """The general loss and its limits."""
    s = (u / mp.mpf(c)) ** 2
    if alpha == 2:
        return s / 2
    if alpha == 0:
        return mp.log(1 + s / 2)
    if alpha == -INF:
        return 1 - mp.exp(-s / 2)
    b = abs(mp.mpf(alpha) - 2)
    return b / mp.mpf(alpha) * ((s / b + 1) ** (mp.mpf(alpha) / 2) - 1)


TEXTBOOK["barron_loss"] = barron

CASES: list[tuple[str, dict[str, float]]] = [
    *((name, {}) for name in ("mse_loss", "half_mse_loss", "l1_loss")),
    *(("huber_loss", {"delta": d}) for d in (1.0, 1.345, 0.03)),
    *(("smooth_l1_loss", {"beta": d}) for d in (1.0, 0.11)),
    *(("pseudo_huber_loss", {"delta": d}) for d in (1.0, 0.3, 250.0)),
    *(("log_cosh_loss", {"delta": d}) for d in (1.0, 0.3, 250.0)),
    *((f"{name}_loss", {"c": c}) for name in ("fair", "cauchy", "geman_mcclure", "welsch", "tukey") for c in (1.0, 2.985, 0.07)),
    *(("winsorized_loss", {"k": k}) for k in (1.0, 3.3)),
    *(("student_t_loss", {"df": d, "scale": s}) for d, s in ((1.0, 1.0), (4.0, 0.3), (30.0, 7.0))),
    *(("barron_loss", {"alpha": a, "c": c}) for a in (2.0, 1.0, 0.5, 0.0, -1.3, -2.0, -INF) for c in (1.0, 0.6)),
    *(("barron_loss", {"alpha": a, "c": 1.0}) for a in (1e-5, -1e-12, 1.9999, 3.0, -1e3, -1e6, -1e20)),  # next to limits, and far off
    *(("pinball_loss", {"alpha": a}) for a in (0.5, 0.9)),
    *(("smooth_pinball_loss", {"alpha": a, "delta": 0.5}) for a in (0.5, 0.1)),
    *(("expectile_loss", {"alpha": a}) for a in (0.5, 0.8)),
    *(("linex_loss", {"a": a}) for a in (1.0, -0.4)),
]
IDS = [f"{name}-{'-'.join(map(str, settings.values()))}" for name, settings in CASES]
RNG = np.random.default_rng(6)
SIZES = np.concatenate([10.0 ** np.arange(-30, 31.0), 10 ** RNG.uniform(-30, 30, 15), 10 ** RNG.uniform(-2, 2, 40)])


def truth(name: str, settings: dict[str, float], u: float) -> tuple[Any, Any, Any, Any]:
    """rho and its three derivatives at u, from the textbook formula alone."""
    with mp.workdps(420):
        at = mp.mpf(u)

        def along(t: Any) -> Any:
            return TEXTBOOK[name](at * (1 + t), **settings)

        step = mp.mpf(10) ** -40
        f = [along(k * step) for k in (-2, -1, 0, 1, 2)]
        first = (f[3] - f[1]) / (2 * step * at)
        second = (f[3] - 2 * f[2] + f[1]) / (step * at) ** 2
        third = (f[4] - 2 * f[3] + 2 * f[1] - f[0]) / (2 * (step * at) ** 3)
        return f[2], first, second, third


@pytest.mark.parametrize(("name", "settings"), CASES, ids=IDS)
@pytest.mark.parametrize(("dtype", "bound"), [(np.float64, 1e-14), (np.float32, 1e-6)])
def test_a_kernel_is_its_formula(name: str, settings: dict[str, float], dtype: Any, bound: float) -> None:
    """Within the bound of the value, or of what changing u by the bound changes; finite and not 0 where the true value is."""
    declared, worst = KERNELS[name], 0.0
    corners = np.array([*settings.values()], dtype)
    for u in np.setdiff1d(np.concatenate([SIZES, -SIZES]).astype(dtype), np.concatenate([corners, -corners])):
        exact = truth(name, settings, float(u))
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            values = [getattr(declared, which)(np, np.array([u]), **settings) for which in ("rho", "psi", "kappa")]
            weight = declared.omega(np, np.array([u]), **settings)
        for which, value in enumerate(values):
            assert value.dtype == dtype, (name, which)
            true, slope = exact[which], exact[which + 1]
            if abs(true) >= np.finfo(dtype).max:
                assert not np.isfinite(value[0]) or abs(value[0]) > 0.999 * np.finfo(dtype).max
                continue
            assert np.isfinite(value[0]), (name, which, u, true)
            allowed = bound * (abs(true) + abs(slope * float(u))) + 4 * np.finfo(dtype).tiny
            worst = max(worst, float(abs(mp.mpf(float(value[0])) - true) / allowed))
            assert worst <= 1, (name, which, u, value[0], mp.nstr(true, 20), worst)
        if (true := exact[1] / mp.mpf(float(u))) < np.finfo(dtype).max:
            assert abs(mp.mpf(float(weight[0])) - true) <= bound * (abs(true) + abs(exact[2])) + 4 * np.finfo(dtype).tiny, (name, "omega", u)


@pytest.mark.parametrize(("name", "settings"), CASES, ids=IDS)
@pytest.mark.parametrize(("dtype", "bound"), [(np.float64, 1e-14), (np.float32, 1e-6)])
def test_a_kernel_of_the_core_is_its_formula(name: str, settings: dict[str, float], dtype: Any, bound: float) -> None:
    """Loss, gradient and both curvatures, of many elements at once, to the same bounds."""
    core = in_core(KERNELS[name].bound(settings))
    if core is None:
        assert name == "barron_loss"
        return
    corners = np.array([*settings.values()], dtype)
    sizes = np.concatenate([SIZES[::3], -SIZES[1::3]]).astype(dtype)
    u = np.setdiff1d(sizes, np.concatenate([corners, -corners]))
    zero, none = np.zeros_like(u), (False, None)
    values = [write(core, u, zero, None, (True, None), none, none), write(core, u, zero, None, none, (True, None), (True, None))]
    weight = write(core, u, zero, None, none, (True, None), (True, None), curvature="irls")
    assert values[0] is not None
    assert values[1] is not None
    assert weight is not None
    for i, at in enumerate(u):
        exact = truth(name, settings, float(at))
        over = mp.mpf(float(at))
        found = (values[0][0][i], exact[0], exact[1]), (values[1][1][i], exact[1], exact[2]), (values[1][2][i], exact[2], exact[3])
        for value, true, slope in (*found, (weight[2][i], exact[1] / over, exact[2] / over)):
            if abs(true) >= np.finfo(dtype).max:
                assert not np.isfinite(value) or abs(value) > 0.999 * np.finfo(dtype).max
                continue
            allowed = bound * (abs(true) + abs(slope * over)) + 4 * np.finfo(dtype).tiny
            assert np.isfinite(value), (at, true)
            assert abs(mp.mpf(float(value)) - true) <= allowed, (at, value, mp.nstr(true, 20))


def of_torch(name: str, settings: dict[str, float], u: Any, one_pass: bool) -> list[Any]:
    """Loss, gradient and second derivative of elements by torch; a mask of all keeps torch's own kernels away."""
    pred = torch.tensor(u, requires_grad=True)
    function, zero, every = getattr(in_torch, name), torch.zeros_like(pred), torch.ones(pred.shape, dtype=torch.bool)
    if one_pass:
        return [torch.autograd.grad(function(pred, zero, reduction="sum", mask=every, **settings), pred)[0].numpy()]
    value = function(pred, zero, reduction="none", mask=every, **settings)
    (first,) = torch.autograd.grad(value.sum(), pred, create_graph=True)
    second = torch.autograd.grad(first.sum(), pred)[0] if first.requires_grad else torch.zeros_like(pred)
    return [first.detach().numpy(), second.numpy()]


def of_jax(name: str, settings: dict[str, float], u: Any) -> list[Any]:
    """The same by JAX."""
    with jax.enable_x64(u.dtype == np.float64):
        pred = jnp.asarray(u)
        slope = jax.grad(lambda p: getattr(in_jax, name)(p, jnp.zeros_like(p), reduction="sum", **settings))
        return [np.asarray(each) for each in jax.jvp(slope, (pred,), (jnp.ones_like(pred),))]


@pytest.mark.parametrize(("name", "settings"), CASES, ids=IDS)
@pytest.mark.parametrize(("dtype", "bound"), [(np.float64, 1e-14), (np.float32, 1e-6)])
def test_derivatives_by_torch_and_jax_are_those_of_the_formula(name: str, settings: dict[str, float], dtype: Any, bound: float) -> None:
    """To the same bounds: of the composition with its double backward, of one pass over memory, and of JAX forward over reverse."""
    corners = np.array([*settings.values()], dtype)
    u = np.setdiff1d(np.concatenate([SIZES[::6], -SIZES[3::6]]).astype(dtype), np.concatenate([corners, -corners]))
    found = [of_torch(name, settings, u, one_pass=False), of_torch(name, settings, u, one_pass=True), of_jax(name, settings, u)]
    for i, at in enumerate(u):
        exact = truth(name, settings, float(at))
        for derivatives in found:
            for value, true, slope in zip(derivatives, exact[1:], exact[2:], strict=False):
                if abs(true) >= np.finfo(dtype).max:
                    assert not np.isfinite(value[i]) or abs(value[i]) > 0.999 * np.finfo(dtype).max
                    continue
                allowed = bound * (abs(true) + abs(slope * mp.mpf(float(at)))) + 4 * np.finfo(dtype).tiny
                assert value.dtype == dtype
                assert np.isfinite(value[i]), (at, true)
                assert abs(mp.mpf(float(value[i])) - true) <= allowed, (at, value[i], mp.nstr(true, 20))


@pytest.mark.parametrize("name", sorted(KERNELS))
def test_every_kernel_has_a_formula_here(name: str) -> None:
    assert name in TEXTBOOK or KERNELS[name].residual is not DIFFERENCE


@pytest.mark.parametrize("name", sorted(KERNELS))
def test_the_curvature_at_0_says_whether_it_is_half_of_the_square(name: str) -> None:
    declared: type[Kernel] = KERNELS[name]
    if declared.half:
        settings = checked(declared, {})
        assert declared.kappa(np, np.zeros(1), **settings)[0] == 1
        assert declared.omega(np, np.zeros(1), **settings)[0] == 1
    assert declared.rho(np, np.zeros(1), **checked(declared, {}))[0] == 0
    assert declared.psi(np, np.zeros(1), **checked(declared, {}))[0] == 0


@pytest.mark.parametrize(("name", "settings"), CASES, ids=IDS)
def test_a_convex_kernel_has_no_negative_curvature(name: str, settings: dict[str, float]) -> None:
    u = np.concatenate([-SIZES, SIZES])
    u = u[np.abs(u) < 300]
    with np.errstate(all="ignore"):
        lowest = KERNELS[name].kappa(np, u, **settings).min()
    if KERNELS[name].convex:
        assert lowest >= 0
    elif settings.get("alpha", 0.0) < 1:
        assert lowest < 0 or name == "winsorized_loss"


@pytest.mark.parametrize("name", [name for name in sorted(KERNELS) if KERNELS[name].efficient])
def test_the_efficient_constants_are(name: str) -> None:
    """The precision of an M-estimate against the mean at a standard normal law is E[kappa]^2 / E[psi^2]; Holland and Welsch (1977)."""
    declared = KERNELS[name]
    u = np.linspace(-12, 12, 480001)
    density = np.exp(-u * u / 2) / np.sqrt(2 * np.pi) * (u[1] - u[0])
    settings = checked(declared, dict(declared.efficient))
    curvature = float((declared.kappa(np, u, **settings) * density).sum())
    spread = float((declared.psi(np, u, **settings) ** 2 * density).sum())
    assert curvature**2 / spread == pytest.approx(0.95, abs=5e-4)


@pytest.mark.parametrize(("dtype", "bound"), [(np.float64, 1e-14), (np.float32, 1e-6)])
@pytest.mark.parametrize("name", ["MSLELoss", "RelativeSquaredLoss"])
def test_a_residual_that_is_no_difference_is_its_formula(name: str, dtype: Any, bound: float) -> None:
    """Gradient and Hessian by the prediction, near the target and sixty decades away, with the derivatives written out by hand."""
    loss = in_numpy.MSLELoss() if name == "MSLELoss" else in_numpy.RelativeSquaredLoss(eps=0.5)
    pred = (10 ** RNG.uniform(-30, 30, 120)).astype(dtype)
    near = pred * (1 + 10 ** RNG.uniform(-14, 0, 120))
    target = np.where(RNG.random(120) < 0.5, 10 ** RNG.uniform(-30, 30, 120), near).astype(dtype)
    found = loss.gradient_hessian(pred, target)
    tiny = float(np.finfo(dtype).tiny)
    with mp.workdps(80):
        for i in range(120):
            p, t = mp.mpf(float(pred[i])), mp.mpf(float(target[i]))
            if name == "MSLELoss":
                q = mp.log((1 + p) / (1 + t))
                exact = 2 * q / (1 + p), 2 * (1 - q) / (1 + p) ** 2
                moved = abs(2 / (1 + p)) * (p / (1 + p) + t / (1 + t)), 2 * (1 + abs(q)) / (1 + p) ** 2
            else:
                exact = 2 * (p - t) / (t**2 + mp.mpf("0.25")), 2 / (t**2 + mp.mpf("0.25"))
                moved = mp.mpf(0), mp.mpf(0)
            for value, true, more in zip(found, exact, moved, strict=True):
                assert value.dtype == dtype
                assert abs(mp.mpf(float(value[i])) - true) <= bound * (abs(true) + more) + 8 * tiny, (pred[i], target[i], value[i])
