"""Losses of JAX: values and derivatives of every order, masks, weights, half types, optax's names, and JAX's own machinery."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from typing import Any

import jax
import jax.numpy as jnp
import mpmath as mp
import numpy as np
import optax
import pytest
from jax.experimental import checkify

from squarely.errors import DataError
from squarely.losses import jax as losses
from squarely.losses.forms import FORMS
from squarely.losses.kernels import KERNELS, checked
from squarely.losses.terms import LossTerms

INF = float("inf")
SETTINGS: dict[str, list[dict[str, float]]] = {
    **{name: [{}] for name in KERNELS},
    "huber_loss": [{}, {"delta": 0.03}],
    "log_cosh_loss": [{}, {"delta": 0.3}],
    "relative_squared_loss": [{"eps": 0.5}],
    "student_t_loss": [{"df": 3.0, "scale": 0.3}],
    "barron_loss": [{"alpha": alpha, "c": 0.6} for alpha in (2.0, 1.0, 0.0, -1.3, -INF)],
    "pinball_loss": [{"alpha": 0.9}],
    "smooth_pinball_loss": [{"alpha": 0.1, "delta": 0.5}],
    "expectile_loss": [{"alpha": 0.8}],
    "linex_loss": [{"a": -0.4}],
}
CASES = [(name, settings) for name, every in SETTINGS.items() for settings in every]
IDS = [f"{name}-{'-'.join(map(str, settings.values()))}" for name, settings in CASES]
RNG = np.random.default_rng(8)
TARGET = np.float32(RNG.uniform(0.5, 3, 200))
PRED = TARGET + np.float32(np.concatenate([RNG.choice([-1, 1], 80) * 10 ** RNG.uniform(-7, -1, 80), RNG.uniform(-1.4, 30, 120)]))


def bits(dtype: Any) -> Any:
    """A context in which JAX has float64, where that is asked for."""
    return jax.enable_x64(dtype == np.float64)


def near(value: Any, true: Any, rtol: float = 1e-7, atol: float = 0.0) -> bool:
    """Whether numbers are those, in the same shape or for all."""
    return np.shape(true) in ((), np.shape(value)) and np.allclose(value, true, rtol, atol)


@functools.cache
def derivatives(dtype: Any) -> list[Any]:
    """The value and two derivatives by the prediction of each case, all compiled as one program."""

    def every(pred: Any, target: Any) -> list[Any]:
        ones, out = jnp.ones_like(pred), []
        for name, settings in CASES:
            loss = functools.partial(getattr(losses, name), target=target, reduction="sum", **settings)
            each = getattr(losses, name)(pred, target, reduction="none", **settings)
            out.append((each, *jax.jvp(jax.grad(loss), (pred,), (ones,))))
        return out

    with bits(dtype):
        return jax.tree.map(np.asarray, jax.jit(every)(PRED.astype(dtype), TARGET.astype(dtype)))


@pytest.mark.parametrize(("dtype", "bound"), [(np.float64, 1e-13), (np.float32, 2e-6)])
@pytest.mark.parametrize("case", range(len(CASES)), ids=IDS)
def test_values_and_derivatives_are_those_of_the_kernel(case: int, dtype: Any, bound: float) -> None:
    """By the chain rule, from formulas in float64, which are held to mpmath elsewhere; u may be rounded, and XLA makes subnormal numbers 0."""
    name, given = CASES[case]
    kernel, settings = KERNELS[name], checked(KERNELS[name], given)
    pred, target = PRED.astype(float), TARGET.astype(float)
    own = {each: settings[each] for each in kernel.residual.takes}
    u, slope, bend = (f(np, pred, target, **own) for f in (kernel.residual.of, kernel.residual.slope, kernel.residual.bend))
    rho, psi, kappa = (f(np, u) for f in (kernel.bound(settings).rho, kernel.bound(settings).psi, kernel.bound(settings).kappa))
    expected = (rho, psi * slope, kappa * slope**2 + psi * bend)
    loose = (np.abs(psi * u), np.abs(kappa * u * slope), np.full_like(u, np.abs(kappa).max()))
    for value, true, room in zip(derivatives(dtype)[case], expected, loose, strict=True):
        assert value.dtype == dtype
        assert np.all(np.abs(value - true) <= bound * (np.abs(true) + room) + 40 * np.finfo(dtype).tiny), name


@pytest.mark.parametrize("name", ["log_cosh_loss", "pseudo_huber_loss", "cauchy_loss", "fair_loss", "welsch_loss", "linex_loss"])
def test_no_digit_is_lost_at_tiny_errors(name: str) -> None:
    """rho is u^2 / 2 (1 + O(u)), psi u, kappa 1: in float32, where the usual formulas give 0."""
    u = jnp.float32(10.0) ** jnp.arange(-15.0, -6.0)
    loss = functools.partial(getattr(losses, name), reduction="sum")
    zero = jnp.zeros_like(u)
    assert near(getattr(losses, name)(u, zero, reduction="none"), u * u / 2, rtol=2e-6)
    first, second = jax.jit(lambda u: jax.jvp(lambda p: jax.grad(loss)(p, zero), (u,), (jnp.ones_like(u),)))(u)
    assert near(first, u, rtol=2e-6)
    assert near(second, 1.0, rtol=2e-6)


def test_log_cosh_is_right_where_optax_gives_0() -> None:
    u = jnp.float32(1e-4)
    with mp.workdps(40):
        true = float(mp.log(mp.cosh(mp.mpf(float(u)))))
    assert float(optax.losses.log_cosh(u, jnp.float32(0))) == 0
    assert float(losses.log_cosh_loss(u, jnp.float32(0))) == pytest.approx(true, rel=1e-6)
    assert float(losses.optax.log_cosh(u)) == pytest.approx(true, rel=1e-6)
    assert float(losses.log_cosh_loss(jnp.float32(1e4), jnp.float32(0))) == pytest.approx(1e4 - np.log(2), rel=1e-7)


def test_third_derivatives_are_right() -> None:
    """Beyond kappa JAX derives by itself: the third derivative of log cosh is -2 tanh / cosh^2, of Cauchy's 2 u (u^2 - 3) / (1 + u^2)^3."""
    u = jnp.linspace(-2.0, 2.0, 9)

    def third(loss: Any, **settings: float) -> Any:
        return jax.jit(jax.vmap(jax.jacfwd(jax.grad(jax.grad(lambda p: loss(p, jnp.zeros_like(p), **settings))))))(u)

    assert near(third(losses.log_cosh_loss), -2 * np.tanh(u) / np.cosh(u) ** 2, atol=1e-6)
    of_a_float = jax.grad(jax.grad(jax.grad(lambda p: losses.log_cosh_loss(p, jnp.zeros(())))))(0.7)
    assert near(of_a_float, -2 * np.tanh(0.7) / np.cosh(0.7) ** 2, rtol=1e-5)
    assert near(third(losses.cauchy_loss, c=1.0), 2 * u * (u**2 - 3) / (1 + u**2) ** 3, atol=1e-6)


# --- optax --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "ours", "factor"), [
    ("squared_error", losses.mse_loss, 1.0), ("l2_loss", losses.half_mse_loss, 1.0), ("l2_loss", losses.mse_loss, 0.5),
    ("huber_loss", losses.huber_loss, 1.0), ("log_cosh", losses.log_cosh_loss, 1.0),
])  # fmt: skip
def test_the_conventions_of_optax(name: str, ours: Any, factor: float) -> None:
    theirs = getattr(optax.losses, name)(PRED, TARGET)
    assert near(getattr(losses.optax, name)(PRED, TARGET), theirs, rtol=1e-6, atol=3e-7)
    assert near(factor * ours(PRED, TARGET, reduction="none"), theirs, rtol=1e-6, atol=3e-7)
    assert near(getattr(losses.optax, name)(PRED), getattr(optax.losses, name)(PRED), rtol=1e-6, atol=3e-7)


def test_delta_is_that_of_optax() -> None:
    assert near(losses.optax.huber_loss(PRED, TARGET, delta=0.3), optax.losses.huber_loss(PRED, TARGET, delta=0.3), rtol=1e-6)


@pytest.mark.parametrize("name", losses.optax.__all__)
def test_no_shape_is_broadcast(name: str) -> None:
    with pytest.raises(DataError, match=r"pred has shape \(8, 1\) and target \(8,\).*target\[\.\.\., None\]"):
        getattr(losses.optax, name)(jnp.ones((8, 1)), jnp.ones(8))
    if name in ("huber_loss", "log_cosh"):
        assert getattr(optax.losses, name)(jnp.ones((8, 1)), jnp.ones(8)).shape == (8, 8)


# --- masks and weights --------------------------------------------------------------------------------------------


@jax.jit
def _masked_and_alone(pred: Any, target: Any, there: Any) -> dict[str, Any]:
    out = {}
    for name in KERNELS:
        loss = functools.partial(getattr(losses, name), **({"eps": 0.0} if name == "relative_squared_loss" else {}))
        alone = jax.value_and_grad(loss)(pred[jnp.array([0, 4])], target[jnp.array([0, 4])])
        out[name] = (jax.value_and_grad(loss)(pred, target, mask=there), alone)
    return out


def test_what_is_masked_does_no_harm() -> None:
    """The gradient is that of the batch without it, and 0 there, though target and prediction are nan or infinite."""
    pred, target = jnp.array([1.0, jnp.inf, 2.0, 1.0, 3.5]), jnp.array([2.0, jnp.nan, jnp.nan, 0.0, 1.0])
    found = _masked_and_alone(pred, target, jnp.array([True, False, False, False, True]))
    for name, ((value, gradient), (alone, (first, last))) in found.items():
        assert near(value, alone, rtol=2e-7), name
        assert near(gradient, [first, 0, 0, 0, last], rtol=2e-7), name


def test_nan_targets_are_left_out_or_propagate_as_asked() -> None:
    pred, target = jnp.array([[1.0, 5.0], [2.0, 4.0]]), jnp.array([[0.0, jnp.nan], [0.0, 1.0]])
    value, gradient = jax.jit(jax.value_and_grad(functools.partial(losses.mse_loss, nan_target="omit")))(pred, target)
    assert float(value) == pytest.approx((1 + 4 + 9) / 3)
    assert near(gradient, np.array([[2.0, 0.0], [4.0, 6.0]]) / 3, rtol=1e-6)
    assert jnp.isnan(losses.mse_loss(pred, target))
    assert jnp.isnan(losses.mse_loss(pred.at[0, 0].set(jnp.nan), target, nan_target="omit")), "a prediction that is nan is never hidden"


def test_a_weight_of_0_hides_a_nan() -> None:
    pred, target, weight = jnp.array([1.0, 2.0]), jnp.array([0.0, jnp.nan]), jnp.array([2.0, 0.0])
    value, gradient = jax.value_and_grad(losses.huber_loss)(pred, target, weight=weight)
    assert (float(value), gradient.tolist()) == (0.5, [1.0, 0.0])


def test_nothing_that_counts_is_0_with_no_gradient() -> None:
    value, gradient = jax.value_and_grad(losses.mse_loss)(jnp.ones(3), jnp.zeros(3), mask=jnp.zeros(3, bool))
    assert (float(value), gradient.tolist()) == (0.0, [0.0, 0.0, 0.0])


def test_weights_know_their_side_in_a_square_batch() -> None:
    pred, target = jnp.array([[1.0, 2.0], [3.0, 4.0]]), jnp.zeros((2, 2))
    weight = jnp.array([1.0, 3.0])
    assert float(losses.mse_loss(pred, target, sample_weight=weight)) == pytest.approx((1 + 4 + 3 * (9 + 16)) / 8)
    assert float(losses.mse_loss(pred, target, output_weight=weight)) == pytest.approx((1 + 9 + 3 * (4 + 16)) / 8)


@pytest.mark.parametrize(("options", "expected"), [
    ({}, (4 + 25) / 4), ({"denom": "count"}, (4 + 25) / 4), ({"denom": "batch"}, (4 + 25) / 2), ({"denom": 10}, 2.9),
    ({"reduction": "sum"}, 29.0), ({"reduction": "per_sample"}, [2.0, 12.5]), ({"reduction": "none"}, [[4.0, 0.0], [0.0, 25.0]]),
    ({"mask": np.array([True, False])}, 2.0), ({"mask": np.array([True, False]), "denom": "count"}, 1.0),
    ({"mask": np.array([[True, False], [True, True]]), "reduction": "per_sample"}, [4.0, 12.5]),
    ({"sample_weight": np.array([1.0, 0.5]), "denom": "valid"}, (4 + 12.5) / 4),
])  # fmt: skip
def test_reductions_and_denominators(options: dict[str, Any], expected: Any) -> None:
    pred, target = jnp.array([[2.0, 1.0], [1.0, 5.0]]), jnp.array([[0.0, 1.0], [1.0, 0.0]])
    assert near(losses.mse_loss(pred, target, **options), expected, rtol=1e-6)


def test_terms_of_uneven_micro_batches_add_up_to_the_mean() -> None:
    """1 and 99 targets that count: a mean of the two means would be wrong. Terms are a pytree, so they pass through jit and scan."""
    pred, target = PRED, TARGET
    mask = np.arange(200) >= 99
    mask[199] = False
    mask[0] = True

    def step(total: LossTerms, batch: Any) -> tuple[LossTerms, None]:
        return total + losses.huber_loss.terms(*batch[:2], mask=batch[2]), None

    batches = tuple(each.reshape(2, 100) for each in (pred, target, mask))
    total, _ = jax.jit(lambda b: jax.lax.scan(step, LossTerms(jnp.float32(0), jnp.float32(0)), b))(batches)
    assert near(total.mean(), losses.huber_loss(pred, target, mask=mask), rtol=1e-6)
    assert float(total.den) == mask.sum()


def test_a_covariance_whitens_before_the_kernel() -> None:
    """The mean of squares of C^-1 e is e' Sigma^-1 e / k, and a missing output is left out of the matrix."""
    sigma = np.array([[2.0, 0.6, 0.1], [0.6, 1.0, 0.0], [0.1, 0.0, 3.0]])
    error = RNG.normal(size=(5, 3))
    expected = np.mean(np.einsum("ni,ij,nj->n", error, np.linalg.inv(sigma), error)) / 3
    for covariance in (sigma, np.broadcast_to(sigma, (5, 3, 3))):
        value = jax.jit(losses.mse_loss)(jnp.asarray(error), jnp.zeros((5, 3)), covariance=jnp.asarray(covariance))
        assert float(value) == pytest.approx(expected, rel=1e-5)
    two = np.einsum("ni,ij,nj->", error[:, :2], np.linalg.inv(sigma[:2, :2]), error[:, :2]) / 10
    target = jnp.zeros((5, 3)).at[:, 2].set(jnp.nan)
    assert float(losses.mse_loss(jnp.asarray(error), target, covariance=jnp.asarray(sigma), nan_target="omit")) == pytest.approx(two, rel=1e-5)
    with pytest.raises(DataError, match="positive definite"):
        losses.mse_loss(jnp.ones((5, 3)), jnp.zeros((5, 3)), covariance=-jnp.eye(3))


# --- half types ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("half", [jnp.bfloat16, jnp.float16])
def test_half_types_are_computed_in_float32_and_their_gradient_is_rounded_once(half: Any) -> None:
    pred, target = jnp.asarray(PRED, half), jnp.asarray(TARGET)
    value, gradient = jax.value_and_grad(losses.log_cosh_loss)(pred, target)
    wide, slope = jax.value_and_grad(losses.log_cosh_loss)(pred.astype(jnp.float32), target)
    assert (value.dtype, gradient.dtype) == (jnp.float32, half)
    assert np.array_equal(value, wide)
    assert np.array_equal(gradient, slope.astype(half))


def test_a_large_error_does_not_overflow_float16() -> None:
    assert float(losses.mse_loss(jnp.array([300.0], jnp.float16), jnp.zeros(1, jnp.float16))) == 90000.0


# --- what a processor reads and writes ----------------------------------------------------------------------------


IN_ONE_LOOP = ["mse_loss", "half_mse_loss", "l1_loss", "huber_loss", "smooth_l1_loss", "pseudo_huber_loss", "log_cosh_loss", "pinball_loss"]
IN_ONE_LOOP += ["expectile_loss", "welsch_loss", "geman_mcclure_loss", "winsorized_loss", "rmse_loss"]


def _compiled(loss: Any, *kinds: Any) -> Any:
    """The program of value and gradient, for 2^16 predictions and other arrays of these types."""
    return jax.jit(jax.value_and_grad(loss)).lower(*(jax.ShapeDtypeStruct((1 << 16,), kind) for kind in (jnp.float32, *kinds))).compile()


@pytest.mark.skipif(jax.default_backend() != "cpu", reason="XLA fuses otherwise elsewhere")
@pytest.mark.parametrize("name", IN_ONE_LOOP)
def test_value_and_gradient_write_no_array_but_the_gradient(name: str) -> None:
    """The value reads two arrays, the gradient reads two and writes one: five, and no memory besides. optax's log_cosh has an array of its own."""
    array = 4 << 16
    program = _compiled(getattr(losses, name), jnp.float32)
    assert program.cost_analysis()["bytes accessed"] < 5.01 * array
    assert program.memory_analysis().temp_size_in_bytes < 0.01 * array
    peer = _compiled(lambda p, y: optax.losses.log_cosh(p, y).mean(), jnp.float32)
    assert peer.cost_analysis()["bytes accessed"] > 6 * array


@pytest.mark.skipif(jax.default_backend() != "cpu", reason="XLA fuses otherwise elsewhere")
def test_many_squares_share_their_difference_with_the_gradient() -> None:
    """It is written once, summed, and turned into the gradient where it lies, as optax does it: beyond the caches that is the faster way."""
    kinds = [jax.ShapeDtypeStruct((1 << 19,), jnp.float32)] * 2
    many = [jax.jit(jax.value_and_grad(loss)).lower(*kinds).compile() for loss in (losses.mse_loss, lambda p, y: optax.squared_error(p, y).mean())]
    ours, theirs = (each.cost_analysis()["bytes accessed"] for each in many)
    assert ours == theirs
    rng = np.random.default_rng(5)
    pred, target = rng.standard_normal((2, 1 << 19)).astype(np.float32)
    value, gradient = jax.jit(jax.value_and_grad(losses.mse_loss))(pred, target)
    errors = pred.astype(np.float64) - target
    assert near(value, (errors**2).mean(), rtol=1e-6)
    assert near(gradient, errors / (1 << 18), rtol=1e-6, atol=1e-12)


@pytest.mark.skipif(jax.default_backend() != "cpu", reason="XLA fuses otherwise elsewhere")
@pytest.mark.parametrize("name", ["huber_loss", "log_cosh_loss", "cauchy_loss"])
def test_a_masked_loss_writes_no_constant_to_memory(name: str) -> None:
    """No more than the square, which has none, but for the logarithm of Cauchy's, which XLA writes to memory to sum it."""

    def accessed(loss: Any) -> Any:
        return _compiled(lambda p, y, mask: loss(p, y, mask=mask), jnp.float32, jnp.bool_).cost_analysis()["bytes accessed"]

    more = accessed(getattr(losses, name)) - accessed(losses.mse_loss)
    assert more < (1.01 if name == "cauchy_loss" else 0.01) * (4 << 16)


def test_elsewhere_the_compiler_sees_that_value_and_gradient_have_the_same_inputs(monkeypatch: pytest.MonkeyPatch) -> None:
    def program(pred: Any, target: Any) -> Any:
        return jax.value_and_grad(losses.huber_loss)(pred, target)

    there = str(jax.make_jaxpr(program)(PRED, TARGET))
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    assert "optimization_barrier" in there or jax.devices()[0].platform != "cpu"
    assert "optimization_barrier" not in str(jax.make_jaxpr(lambda p, y: program(p, y))(PRED, TARGET))


# --- the machinery of JAX -----------------------------------------------------------------------------------------


def test_jit_vmap_jvp_and_hessian_agree() -> None:
    pred, target = jnp.asarray(PRED[:6]).reshape(2, 3), jnp.asarray(TARGET[:6]).reshape(2, 3)
    direction, loss = jnp.arange(6.0).reshape(2, 3), losses.pseudo_huber_loss

    @jax.jit
    def every(pred: Any, target: Any) -> Any:
        hessians = [each(pred, target).reshape(6, 6) for each in (jax.hessian(loss), jax.jacrev(jax.jacrev(loss)), jax.jacrev(jax.jacfwd(loss)))]
        rows = jax.vmap(loss)(pred, target), jax.vmap(jax.grad(loss))(pred, target)
        return hessians, rows, jax.jvp(lambda p: loss(p, target), (pred,), (direction,)), jax.grad(loss)(pred, target)

    hessians, (each, slopes), (value, along), gradient = every(pred, target)
    assert near(each, loss(pred, target, reduction="per_sample"), rtol=1e-6)
    assert near(slopes, 2 * gradient, rtol=1e-6)
    assert near(value, loss(pred, target), rtol=1e-6)
    assert near(along, (gradient * direction).sum(), rtol=1e-5)
    u = PRED[:6] - TARGET[:6]
    assert near(gradient.reshape(6), u / np.sqrt(1 + u**2) / 6, rtol=1e-5)
    for hessian in hessians:
        assert near(hessian, np.diag((1 + u**2) ** -1.5 / 6), rtol=1e-5, atol=1e-9)


def test_the_gradient_by_the_target_is_the_opposite() -> None:
    by_pred, by_target = jax.grad(losses.cauchy_loss, argnums=(0, 1))(jnp.asarray(PRED), jnp.asarray(TARGET))
    assert np.array_equal(by_pred, -by_target)


def test_static_settings_are_named() -> None:
    loss = jax.jit(losses.huber_loss, static_argnames=("reduction", "delta"))
    assert near(loss(PRED, TARGET, reduction="sum", delta=0.5), optax.losses.huber_loss(PRED, TARGET, delta=0.5).sum(), rtol=1e-5)
    with pytest.raises(DataError, match="delta is JitTracer"):
        jax.jit(losses.huber_loss)(PRED, TARGET, delta=0.5)


def test_a_nan_target_is_refused_at_once_or_by_checkify() -> None:
    pred, bad = jnp.ones(2), jnp.array([0.0, jnp.nan])
    loss = functools.partial(losses.mse_loss, nan_target="raise")
    for call in (loss, jax.grad(loss)):
        with pytest.raises(DataError, match="a target is nan; mask it"):
            call(pred, bad)
    checked = checkify.checkify(jax.jit(jax.grad(loss)))
    error, gradient = checked(pred, bad)
    with pytest.raises(checkify.JaxRuntimeError, match="a target is nan; mask it"):
        error.throw()
    error, gradient = checked(pred, jnp.zeros(2))
    assert (error.get(), gradient.tolist()) == (None, [1.0, 1.0])
    with pytest.raises(ValueError, match="checkify"):
        jax.jit(loss)(pred, bad)


def test_means_over_devices_are_exact_with_uneven_numbers_of_targets() -> None:
    """On four devices with 1, 0, 5 and 8 targets, by pmap and by shard_map: value and gradient are those of the whole batch."""
    environment = {**os.environ, "XLA_FLAGS": "--xla_force_host_platform_device_count=4", "JAX_PLATFORMS": "cpu"}
    run = subprocess.run([sys.executable, "-W", "error", "-c", DEVICES], capture_output=True, text=True, check=False, env=environment)
    assert run.returncode == 0, run.stderr
    lines = [list(map(float, line.split())) for line in run.stdout.splitlines()]
    assert len(lines) == 6
    for each, true in zip(lines, [lines[0]] * 3 + [lines[3]] * 3, strict=True):
        assert near(each, true, rtol=1e-6)


DEVICES = """
import functools, jax, jax.numpy as jnp, numpy as np
from jax.sharding import PartitionSpec as P
from squarely.losses.jax import global_denominator, huber_loss

rng = np.random.default_rng(4)
x, y = (jnp.asarray(rng.normal(size=(4, 8)), jnp.float32) for _ in range(2))
mask = jnp.asarray(np.arange(8) < np.array([[1], [0], [5], [8]]))
y = jnp.where(mask, y, jnp.nan)
w = jnp.float32(1.7)

def share(w, x, y, mask):
    terms = huber_loss.terms(w * x, y, mask=mask)
    return terms.mean(global_denominator(terms.den, "devices"))

def told(value, gradient):
    print(float(value), float(gradient))

told(*jax.value_and_grad(lambda w: huber_loss(w * x, y, mask=mask))(w))

value, gradient = jax.pmap(jax.value_and_grad(share), "devices", in_axes=(None, 0, 0, 0))(w, x, y, mask)
told(value.sum(), gradient.sum())

mesh = jax.make_mesh((4,), ("devices",), axis_types=(jax.sharding.AxisType.Auto,))
@jax.jit
@functools.partial(jax.shard_map, mesh=mesh, in_specs=(P(), P("devices"), P("devices"), P("devices")), out_specs=P())
def whole(w, x, y, mask):
    return jax.lax.psum(share(w, x, y, mask), "devices")
told(*jax.value_and_grad(whole)(w, x, y, mask))

y = jnp.where(mask, y, 0.5)  # and where all counts, an array in four pieces too
told(*jax.value_and_grad(lambda w: huber_loss(w * x, y))(w))
pieces = [jax.device_put(each, jax.NamedSharding(mesh, P("devices"))) for each in (x, y)]
told(*jax.jit(jax.value_and_grad(lambda w, x, y: huber_loss(w * x, y)))(w, *pieces))
in_pieces = functools.partial(jax.shard_map, mesh=mesh, in_specs=(P(), P("devices"), P("devices")), out_specs=P())
told(*jax.value_and_grad(in_pieces(lambda w, x, y: jax.lax.pmean(huber_loss(w * x, y), "devices")))(w, *pieces))
"""


# --- refusals -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("given", "message"), [
    ({"reduction": "average"}, "reduction is 'average'; expected one of"), ({"delta": -1.0}, "delta is -1.0; expected a number above 0"),
    ({"beta": 1.0}, "huber_loss has no setting 'beta'"), ({"sample_weight": np.ones(3)}, r"sample_weight has shape \(3,\)"),
    ({"output_weight": np.ones(2)}, r"output_weight has shape \(2,\)"), ({"weight": np.ones(2)}, r"weight has shape \(2,\)"),
    ({"mask": np.ones((2, 3))}, "mask is of type float"), ({"denom": "weight"}, "denom is 'weight' and there is none"),
])  # fmt: skip
def test_what_does_not_fit_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        losses.huber_loss(jnp.ones((2, 3)), jnp.zeros((2, 3)), **given)


def test_predictions_have_to_be_floats() -> None:
    with pytest.raises(DataError, match=r"pred is of type int32.*floating-point"):
        losses.mse_loss(jnp.arange(3), jnp.arange(3))
    assert float(losses.mse_loss(jnp.ones(3), jnp.arange(3))) == pytest.approx(2 / 3)


def test_every_kernel_is_a_function() -> None:
    assert {name for name in losses.__all__ if name.endswith("_loss")} == {**KERNELS, **FORMS}.keys()
    assert all(getattr(losses, name).declared is KERNELS[name] for name in KERNELS)
