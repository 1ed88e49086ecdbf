"""Pointwise losses against their textbook formulas in 60 digits, over sixty decades of errors, in both precisions."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import cache
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
# Settings in the unit of the target, or one over it, far from any error; beside them the shapes that they go with,
# which float32 holds: what is raised to a power sixty decades large shows the rounding of its exponent.
SCALES = ("delta", "beta", "c", "k", "scale", "a")
SHAPES: dict[str, list[dict[str, float]]] = {
    "student_t_loss": [{"df": 4.0}],
    "smooth_pinball_loss": [{"alpha": 0.9}],
    "barron_loss": [{"alpha": a} for a in (2.0, 1.0, 0.375, 0.0, 2.0**-16, -1.25, 3.0, -20.0, -INF)],
}
FAR: list[tuple[str, dict[str, float]]] = [
    (name, shape | {setting: scale})
    for name, declared in KERNELS.items()
    for setting in SCALES
    if setting in declared.settings
    for shape in SHAPES.get(name, [{}])
    for scale in (1e-30, 1e-12, 1e-8, 1.0, 1e8, 1e30, *((-1e-30, -1e-8, -1e8, -1e30) if setting == "a" else ()))
]
LAWS = CASES + [case for case in FAR if case not in CASES]


def ids(cases: list[tuple[str, dict[str, float]]]) -> list[str]:
    return [f"{name}-{'-'.join(map(str, settings.values()))}" for name, settings in cases]


RNG = np.random.default_rng(6)
SIZES = np.concatenate([10.0 ** np.arange(-30, 31.0), 10 ** RNG.uniform(-30, 30, 15), 10 ** RNG.uniform(-2, 2, 40)])


def sizes(name: str, settings: dict[str, float], dtype: Any, step: int = 1) -> Any:
    """Errors of both signs, over sixty decades and about the scale, without those at which a loss may have a corner."""
    scale = max((abs(settings[each]) for each in SCALES if each in settings), default=1.0)
    about = scale * 10 ** np.random.default_rng(7).uniform(-2, 2, 12)
    far = np.concatenate([SIZES[:61:3], about[(about >= 1e-30) & (about <= 1e30)]])
    each = SIZES[::step] if (name, settings) in CASES else far[:: (step + 1) // 2]
    other = SIZES[step // 2 :: step] if (name, settings) in CASES else far[step // 4 :: (step + 1) // 2]
    corners = np.array([*settings.values()], dtype)
    return np.setdiff1d(np.concatenate([each, -other]).astype(dtype), np.concatenate([corners, -corners]))


def truth(name: str, settings: dict[str, float], u: float) -> tuple[Any, Any, Any, Any]:
    """rho and its three derivatives at u, from the textbook formula alone."""
    return _truth(name, tuple(settings.items()), u)


@cache
def _truth(name: str, settings: tuple[tuple[str, float], ...], u: float) -> tuple[Any, Any, Any, Any]:
    with mp.workdps(540):
        at = mp.mpf(u)

        def along(t: Any) -> Any:
            return TEXTBOOK[name](at * (1 + t), **dict(settings))

        step = mp.mpf(10) ** -40
        f = [along(k * step) for k in (-2, -1, 0, 1, 2)]
        first = (f[3] - f[1]) / (2 * step * at)
        second = (f[3] - 2 * f[2] + f[1]) / (step * at) ** 2
        third = (f[4] - 2 * f[3] + 2 * f[1] - f[0]) / (2 * (step * at) ** 3)
        return f[2], first, second, third


def judge(value: Any, true: Any, change: Any, floor: float = 8.0) -> None:
    """Within the bound of the value, or of what changing u by the bound changes; as large as its type allows where the true value is larger.

    Numbers below the smallest normal one have fewer digits the smaller they are, so they are right to some of the smallest steps of their
    type, as few as operations round there; ``floor`` says to how many.
    """
    kind, bound = np.finfo(value.dtype), 1e-14 if value.dtype == np.float64 else 1e-6
    number = float(value)
    if abs(true) >= kind.max:
        assert abs(number) > 0.999 * float(kind.max), (number, mp.nstr(true, 20))
        assert (number > 0) == (true > 0)
        return
    assert np.isfinite(number), mp.nstr(true, 20)
    allowed = bound * (abs(true) + abs(change)) + floor * mp.mpf(float(kind.smallest_subnormal))
    assert abs(mp.mpf(number) - true) <= allowed, (number, mp.nstr(true, 20))


@pytest.mark.parametrize(("name", "settings"), LAWS, ids=ids(LAWS))
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_kernel_is_its_formula(name: str, settings: dict[str, float], dtype: Any) -> None:
    """Loss, derivatives and weight: finite where the true value is, and right."""
    declared = KERNELS[name]
    for u in sizes(name, settings, dtype):
        exact, over = truth(name, settings, float(u)), mp.mpf(float(u))
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            rho, psi, kappa, omega = (getattr(declared, which)(np, np.array([u]), **settings) for which in ("rho", "psi", "kappa", "omega"))
        assert rho.dtype == psi.dtype == kappa.dtype == omega.dtype == dtype
        judge(rho[0], exact[0], exact[1] * over)
        judge(psi[0], exact[1], exact[2] * over)
        judge(kappa[0], exact[2], exact[3] * over)
        judge(omega[0], exact[1] / over, exact[2])


@pytest.mark.parametrize(("name", "settings"), LAWS, ids=ids(LAWS))
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_kernel_of_the_core_is_its_formula(name: str, settings: dict[str, float], dtype: Any) -> None:
    """Loss, gradient and both curvatures, of many elements at once, to the same bounds."""
    core = in_core(KERNELS[name].bound(settings))
    if core is None:
        assert name == "barron_loss"
        return
    u = sizes(name, settings, dtype, step=3)
    zero, none = np.zeros_like(u), (False, None)
    values = [write(core, u, zero, None, (True, None), none, none), write(core, u, zero, None, none, (True, None), (True, None))]
    weight = write(core, u, zero, None, none, (True, None), (True, None), curvature="irls")
    assert values[0] is not None
    assert values[1] is not None
    assert weight is not None
    for i, at in enumerate(u):
        exact, over = truth(name, settings, float(at)), mp.mpf(float(at))
        judge(values[0][0][i], exact[0], exact[1] * over)
        judge(values[1][1][i], exact[1], exact[2] * over)
        judge(values[1][2][i], exact[2], exact[3] * over)
        judge(weight[2][i], exact[1] / over, exact[2])


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


@pytest.mark.parametrize(("name", "settings"), LAWS, ids=ids(LAWS))
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_derivatives_by_torch_and_jax_are_those_of_the_formula(name: str, settings: dict[str, float], dtype: Any) -> None:
    """To the same bounds: of the composition with its double backward, of one pass over memory, and of JAX forward over reverse.

    XLA takes numbers below the smallest normal one for 0.
    """
    u = sizes(name, settings, dtype, step=6)
    flushed = 8 * float(np.finfo(dtype).tiny / np.finfo(dtype).smallest_subnormal)
    found = [
        (of_torch(name, settings, u, one_pass=False), 8.0),
        (of_torch(name, settings, u, one_pass=True), 8.0),
        (of_jax(name, settings, u), flushed),
    ]
    for i, at in enumerate(u):
        exact = truth(name, settings, float(at))
        for derivatives, floor in found:
            for value, true, slope in zip(derivatives, exact[1:], exact[2:], strict=False):
                assert value.dtype == dtype
                judge(value[i], true, slope * mp.mpf(float(at)), floor)


@pytest.mark.parametrize("name", sorted(KERNELS))
def test_every_kernel_has_a_formula_here(name: str) -> None:
    assert name in TEXTBOOK or KERNELS[name].residual is not DIFFERENCE
    assert set(KERNELS[name].settings) <= {
        *SCALES,
        *KERNELS[name].residual.takes,
        *(each for case in SHAPES.get(name, [{"alpha": 0.5}]) for each in case),
    }


@pytest.mark.parametrize("name", sorted(KERNELS))
def test_the_curvature_at_0_says_whether_it_is_half_of_the_square(name: str) -> None:
    declared: type[Kernel] = KERNELS[name]
    if declared.half:
        settings = checked(declared, {})
        assert declared.kappa(np, np.zeros(1), **settings)[0] == 1
        assert declared.omega(np, np.zeros(1), **settings)[0] == 1
    assert declared.rho(np, np.zeros(1), **checked(declared, {}))[0] == 0
    assert declared.psi(np, np.zeros(1), **checked(declared, {}))[0] == 0


@pytest.mark.parametrize(("name", "settings"), CASES, ids=ids(CASES))
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
