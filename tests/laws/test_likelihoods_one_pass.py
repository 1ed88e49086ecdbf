"""Likelihoods of normal errors in one pass of the core: mpmath at all magnitudes, the composition for everything that is asked beside."""

from __future__ import annotations

import itertools
import math
from typing import Any

import jax
import jax.numpy as jnp
import mpmath as mp
import numpy as np
import pytest
import torch
from torch.testing import assert_close

import squarely.losses.jax as in_jax
import squarely.losses.numpy as in_numpy
import squarely.losses.torch as losses
from squarely import _core
from squarely.errors import DataError
from squarely.losses.core import ALL, form_in_core
from squarely.losses.forms import FORMS
from squarely.losses.numpy import calls
from squarely.losses.numpy.one_pass import one_pass as pass_of_numpy
from squarely.losses.options import Options
from squarely.losses.room import room_for
from squarely.losses.torch import cpu, one_pass

pytestmark = [  # torch's own, of its own parts
    pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:<class 'torch.autograd.function.Function'> should not be instantiated:DeprecationWarning"),
]
Tensor = torch.Tensor
NAN, INF = math.nan, math.inf
NAMES = ("gaussian_nll_loss", "beta_nll_loss", "faithful_nll_loss")
CASES = list(itertools.product(NAMES, ("var", "log_var")))
everyone = pytest.mark.parametrize(("name", "spread"), CASES)
LENGTHS = (1, 2, 7, 15, 16, 17, 33, 2047, 2048, 2049, 70_001)


def drawn(spread: str, *shape: int, dtype: torch.dtype = torch.float64, seed: int = 1) -> dict[str, Tensor]:
    """What a likelihood has a gradient by, and the target."""
    numbers = torch.rand(3, *shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    arrays = {"pred": numbers[0] * 3, "target": numbers[1] * 3, spread: numbers[2] + 0.3 if spread == "var" else numbers[2] * 2 - 1}
    return {key: each.to(dtype).requires_grad_(key != "target") for key, each in arrays.items()}


def leaves(arrays: dict[str, Tensor]) -> list[Tensor]:
    return [each for each in arrays.values() if each.requires_grad]


def results(name: str, arrays: dict[str, Tensor], **given: Any) -> list[Tensor]:
    """Value and gradients."""
    value = getattr(losses, name)(**arrays, **given)
    return [value.detach(), *torch.autograd.grad(value.sum(), leaves(arrays))]


def composed(name: str, arrays: dict[str, Tensor], **given: Any) -> list[Tensor]:
    """The same by torch's operations, to which a target that has a gradient leads."""
    wide = {key: each.detach().double().requires_grad_() for key, each in arrays.items()}
    value = getattr(losses, name)(
        **wide, **{key: each.double() if isinstance(each, Tensor) and each.is_floating_point() else each for key, each in given.items()}
    )
    assert "OnePass" not in type(value.grad_fn).__name__
    return [value.detach(), *torch.autograd.grad(value.sum(), [wide[key] for key, each in arrays.items() if each.requires_grad])]


def agree(found: list[Tensor], expected: list[Tensor], rtol: float = 1e-12) -> bool:
    for mine, theirs in zip(found, expected, strict=True):
        assert_close(mine.double(), theirs.double(), rtol=rtol, atol=1e-14, equal_nan=True)
    return True


def is_one_pass(value: Tensor) -> bool:
    return type(value.grad_fn).__name__ == "_OnePassBackward"


# --- the formulas ---------------------------------------------------------------------------------------------------


def truth(name: str, spread: str, beta: float, u: Any, s: Any) -> list[tuple[Any, Any]]:
    """Loss and slopes by mean and spread, each with the size of what it is the sum of."""
    v, log = (s, mp.log(s)) if spread == "var" else (mp.exp(s), s)
    factor = v**beta if name == "beta_nll_loss" else mp.mpf(1)
    own = u * u / 2 if name == "faithful_nll_loss" else mp.mpf(0)
    square, unit = u * u / v, 1 / v if spread == "var" else mp.mpf(1)
    return [
        (factor * (log + square) / 2 + own, factor * (abs(log) + square) / 2 + own),
        (u if name == "faithful_nll_loss" else factor * u / v,) * 2,
        (factor * unit * (1 - square) / 2, factor * unit * (1 + square) / 2),
    ]


def is_near(found: float, true: Any, size: Any, dtype: torch.dtype, steps: float) -> bool:
    """Say whether a number is right to a few roundings of doubles in what it is made of, and one to its type; beyond the type it is infinite."""
    kind = torch.finfo(dtype)
    error = (
        steps * mp.mpf(2) ** -53 * abs(size)
        + (mp.mpf(2) ** -24 * abs(true) if dtype is torch.float32 else 0)
        + mp.mpf(kind.smallest_normal) * kind.eps
    )
    if abs(true) + error > kind.max:
        return math.isinf(found) or abs(abs(mp.mpf(found)) - kind.max) <= error
    return math.isfinite(found) and bool(abs(mp.mpf(found) - true) <= error)


@everyone
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("beta", [0.0, 0.3, 0.5, 1.0])
def test_the_pass_is_the_formula_at_all_magnitudes(name: str, spread: str, dtype: torch.dtype, beta: float) -> None:
    """Of single rows, as each is a sample, and of slopes in a row."""
    if name != "beta_nll_loss" and beta != 0.5:
        beta = 0.5  # which these do not take
    settings = {"beta": beta} if name == "beta_nll_loss" else {}
    most = 36 if dtype is torch.float32 else 70 if settings else 150  # so that no part of a product is beyond the doubles
    rng = np.random.default_rng(5)
    sizes = 10.0 ** rng.uniform(-most, most, 100)
    u = np.concatenate([sizes * rng.choice([-1, 1], 100), rng.normal(size=200), [0.0, 1.0, -1.0]])
    if spread == "var":
        s = np.concatenate([10.0 ** rng.uniform(-most, most, 50), rng.uniform(0.5, 2, 153), 10.0 ** rng.uniform(-3, 3, 97), [1.0, 1.0, 2.0]])
    else:
        s = np.concatenate([rng.uniform(-2 * most, 2 * most, 50), rng.uniform(-1, 1, 153), rng.uniform(-8, 8, 97), [0.0, 0.0, 0.7]])
    pred, other = (torch.tensor(each, dtype=dtype)[:, None].requires_grad_() for each in (u, s))
    arrays = {"pred": pred, "target": torch.zeros_like(pred.detach()), spread: other}
    values, by_mean, by_spread = results(name, arrays, reduction="per_sample", **settings)
    assert all(
        torch.equal(each, again) for each, again in zip(results(name, arrays, reduction="sum", **settings)[1:], (by_mean, by_spread), strict=True)
    )
    with mp.workdps(60):
        for i, (at, spread_at) in enumerate(zip(pred.tolist(), other.tolist(), strict=True)):
            exact = truth(name, spread, beta, mp.mpf(at[0]), mp.mpf(spread_at[0]))
            steps = 4 + (abs(spread_at[0]) if spread == "log_var" and name == "beta_nll_loss" else 0)  # an exponent is rounded before it is raised
            for found, (true, size) in zip((values[i], by_mean[i], by_spread[i]), exact, strict=True):
                assert is_near(found.item(), true, size, dtype, steps), (at, spread_at, found.item(), mp.nstr(true, 20))


def by_variance(name: str, u: Any, v: Any, of: str, **settings: float) -> list[Any]:
    """Loss of each error and its slopes, by the pass of the core, by torch's operations, or by JAX."""
    if of == "jax":
        with jax.enable_x64(u.dtype == np.float64):
            pred, var = jnp.asarray(u), jnp.asarray(v)
            each = lambda p, s: getattr(in_jax, name)(p, jnp.zeros_like(p), var=s, reduction="none", **settings)  # noqa: E731
            slopes = jax.grad(lambda p, s: each(p, s).sum(), argnums=(0, 1))(pred, var)
            return [np.asarray(found) for found in (each(pred, var), *slopes)]
    pred, var = (torch.tensor(array)[:, None].requires_grad_() for array in (u, v))
    target = torch.zeros_like(pred.detach()).requires_grad_(of == "operations")  # of which the core has no gradient
    values = getattr(losses, name)(pred, target, var=var, reduction="per_sample", **settings)
    return [found.detach().numpy().ravel() for found in (values, *torch.autograd.grad(values.sum(), (pred, var)))]


@pytest.mark.parametrize(
    ("name", "beta"), [("gaussian_nll_loss", 0.0), ("faithful_nll_loss", 0.0), *(("beta_nll_loss", b) for b in (0.25, 0.5, 1.0))]
)
@pytest.mark.parametrize(("dtype", "bound"), [(np.float64, 1e-14), (np.float32, 1e-6)])
@pytest.mark.parametrize("of", ["core", "operations", "jax"])
def test_a_loss_that_is_a_number_has_slopes_that_are(name: str, beta: float, dtype: Any, bound: float, of: str) -> None:
    """Over sixty decades of errors and variances, though the square of the error, or one over that of the variance, is beyond the type."""
    settings, kind = {"beta": beta} if name == "beta_nll_loss" else {}, np.finfo(dtype)
    pairs = [*itertools.product([s * 10.0**k for k in range(-30, 31, 6) for s in (1, -1)], [10.0**k for k in range(-30, 31, 5)])]
    if dtype is np.float64 and not settings:
        pairs += [(1e200, 1e150), (-1e-200, 1e-150), (1e-200, 1e-300)]
    u, v = (np.array(each, dtype) for each in zip(*pairs, strict=True))
    found = by_variance(name, u, v, of, **settings)
    with mp.workdps(60):
        for i in range(len(pairs)):
            exact = truth(name, "var", beta, mp.mpf(float(u[i])), mp.mpf(float(v[i])))
            if exact[0][0] > kind.max:
                assert found[0][i] == INF
                continue
            for value, (true, size) in zip((each[i] for each in found), exact, strict=True):
                assert value.dtype == dtype
                if abs(true) > kind.max:
                    assert abs(value) == INF
                else:  # XLA takes numbers below the smallest normal one for 0
                    allowed = bound * abs(size) + 8 * mp.mpf(float(kind.tiny))
                    assert np.isfinite(value)
                    assert abs(mp.mpf(float(value)) - true) <= allowed, (pairs[i], value, mp.nstr(true, 20))


EXTREMES = list(
    itertools.product([0.0, 1e-300, -1e-160, 1e-50, 1.0, -3.0, 1e100, 1e160, -1e300], [0, 20, 400, 600, 1000, 1080, 1300, 1500, 2100, 2500, 1e10])
)


@pytest.mark.parametrize(("name", "beta"), [("gaussian_nll_loss", 0.0), ("faithful_nll_loss", 0.0), *(("beta_nll_loss", b) for b in (0.3, 0.5, 1.0))])
def test_every_error_costs_what_it_should_at_any_logarithm_of_the_variance(name: str, beta: float) -> None:
    """Though the square of the error, the variance, or its inverse are beyond the doubles."""
    settings = {"beta": beta} if beta else {}
    pairs = [(u, sign * s) for u, s in EXTREMES for sign in (1.0, -1.0)]
    pred, log_var = (torch.tensor(each, dtype=torch.float64)[:, None].requires_grad_() for each in zip(*pairs, strict=True))
    found = results(name, {"pred": pred, "target": torch.zeros_like(pred.detach()), "log_var": log_var}, reduction="per_sample", **settings)
    with mp.workdps(60):
        for i, (u, s) in enumerate(pairs):
            square, factor = mp.mpf(u) ** 2 * mp.exp((mp.mpf(beta) - 1) * s), mp.exp(mp.mpf(beta) * s)
            own = mp.mpf(u) ** 2 / 2 if name == "faithful_nll_loss" else mp.mpf(0)
            size = (factor * abs(mp.mpf(s)) + square) / 2 + own
            by_mean = mp.mpf(u) if name == "faithful_nll_loss" else u * mp.exp((mp.mpf(beta) - 1) * s)
            exact = [((factor * s + square) / 2 + own, size), (by_mean, abs(by_mean)), ((factor - square) / 2, (factor + square) / 2)]
            for mine, (true, size) in zip(found, exact, strict=True):
                steps = 6 + abs(s) * mp.mpf(2) ** -1021 / size if size else 6  # a weight below the normal doubles has fewer digits
                assert is_near(mine[i].item(), true, size, torch.float64, steps), (u, s, mine[i].item(), mp.nstr(true, 20))
                if exact[0][0] > 1.7e308:
                    break  # slopes of what is infinite are infinite too, or no numbers


@pytest.mark.parametrize("face", ["composed", "float32", "JAX"])
@pytest.mark.parametrize(("u", "log_var"), [(0.0, -300.0), (1e-30, -150.0), (1e-37, -250.0), (1e38, 176.0), (-1e37, 170.0), (1e-10, -60.0)])
@pytest.mark.parametrize("beta", [0.0, 0.5, 1.0])
def test_the_composition_is_finite_where_it_should_be(face: str, u: float, log_var: float, beta: float) -> None:
    """In float32, of whose numbers the variance and its inverse are none, nor the root of either where it is -300."""
    name, settings = ("beta_nll_loss", {"beta": beta}) if beta else ("gaussian_nll_loss", {})
    if face == "JAX":
        found = float(getattr(in_jax, name)(jnp.array([u], jnp.float32), jnp.zeros(1), log_var=jnp.array([log_var], jnp.float32), **settings))
    else:
        target = torch.zeros(1, requires_grad=face == "composed")
        found = getattr(losses, name)(torch.tensor([u]), target, log_var=torch.tensor([log_var]), **settings).item()
    with mp.workdps(40):
        true = (mp.exp(beta * mp.mpf(log_var)) * log_var + mp.mpf(float(np.float32(u))) ** 2 * mp.exp((beta - mp.mpf(1)) * log_var)) / 2
    assert found == pytest.approx(float(true), rel=3e-5, abs=1e-36) if abs(true) < 3e38 else math.isinf(found)


@pytest.mark.parametrize("tiny", [5e-324, 1e-310, 2.0**-1022, 2.0**-960, 2.0**-961, 1.7e308])
def test_the_ends_of_the_doubles_have_their_logarithms(tiny: float) -> None:
    value = losses.gaussian_nll_loss(
        torch.zeros(1, dtype=torch.float64), torch.zeros(1, dtype=torch.float64), var=torch.tensor([tiny], dtype=torch.float64)
    )
    with mp.workdps(40):
        assert abs(mp.mpf(value.item()) * 2 - mp.log(mp.mpf(tiny))) <= abs(mp.log(mp.mpf(tiny))) * 2**-52


@everyone
@pytest.mark.parametrize("length", LENGTHS)
def test_sums_and_slopes_of_all_lengths(name: str, spread: str, length: int) -> None:
    """Against NumPy's losses one by one, added without rounding, and the slopes of the composition."""
    arrays = drawn(spread, length)
    each = getattr(in_numpy, name)(**{key: one.detach().numpy() for key, one in arrays.items()}, reduction="none")
    found = results(name, arrays, reduction="sum")
    assert found[0].item() == pytest.approx(math.fsum(each), rel=1e-13)
    assert agree(found[1:], composed(name, arrays, reduction="sum")[1:])


@everyone
def test_threads_and_processors_change_no_bit(name: str, spread: str) -> None:
    form = FORMS[name]()
    core = form_in_core(form, {"beta": 0.3} if name == "beta_nll_loss" else {}, [spread])
    assert core is not None
    for dtype in (torch.float32, torch.float64):
        arrays = {key: each.detach() for key, each in drawn(spread, 100_001, dtype=dtype).items()}
        seen = set()
        for width, threads in itertools.product(_core.available(), (1, 2, 3, 8)):
            outs = [torch.empty_like(arrays["pred"]) for _ in range(2)]
            before = _core.use(width)
            try:
                total = core.add(
                    dtype is torch.float64,
                    (100_001, arrays["pred"].data_ptr(), arrays["target"].data_ptr()),
                    (ALL, ALL),
                    omit=False,
                    scale=0.1,
                    gradient=outs[0].data_ptr(),
                    threads=threads,
                    spread=arrays[spread].data_ptr(),
                    gradient_of_spread=outs[1].data_ptr(),
                )
            finally:
                _core.use(before)
            seen.add((total, *(out.numpy().tobytes() for out in outs)))
        assert len(seen) == 1


def test_gradients_past_the_cache_are_those_of_small_arrays() -> None:
    """Large ones are written to memory at once, in steps that rows beside them do not share."""
    rows = (1 << 23) + 5
    arrays = drawn("var", 1 << 10, dtype=torch.float32)
    small = results("gaussian_nll_loss", arrays, reduction="sum")[1:]
    times = -(-rows // (1 << 10))
    many = {key: each.detach().repeat(times)[:rows].requires_grad_(each.requires_grad) for key, each in arrays.items()}
    for mine, one in zip(results("gaussian_nll_loss", many, reduction="sum")[1:], small, strict=True):
        assert torch.equal(mine, one.repeat(times)[:rows])


# --- what counts ----------------------------------------------------------------------------------------------------


@everyone
@pytest.mark.parametrize("shape", [(5,), (33, 3), (2049, 2), (4, 3, 5)])
def test_masks_weights_and_missing_targets_delete(name: str, spread: str, shape: tuple[int, ...]) -> None:
    """Each of them where it stands, with nan and infinity in all places that do not count: as if these rows were not there."""
    rng = np.random.default_rng(3)
    arrays = drawn(spread, *shape)
    mask, w, v = (
        torch.tensor(each) for each in (rng.random(shape[0]) < 0.7, rng.integers(0, 3, shape[0]) * 1.0, rng.integers(0, 3, shape[-1]) * 1.0)
    )
    missing = torch.tensor(rng.random(shape) < 0.2)
    left = (slice(None), *(None,) * (len(shape) - 1))
    ones = torch.ones(shape, dtype=torch.float64)
    for given, weight in (
        ({"mask": mask}, ones * mask[left]),
        ({"mask": mask & False}, ones * 0),
        ({"sample_weight": w}, ones * w[left]),
        ({"output_weight": v}, ones * v),
        ({"sample_weight": w, "output_weight": v, "mask": mask}, w[left] * v * mask[left]),
        ({"nan_target": "omit"}, ones),
        ({"nan_target": "omit", "mask": mask, "weight": ones * w[left]}, ones * w[left] * mask[left]),
    ):
        there = weight.expand(shape) * (~missing if "nan_target" in given else 1.0)
        dead = weight.expand(shape) == 0
        bad = {key: torch.where(dead, INF if key == "target" else NAN, each.detach()).requires_grad_(key != "target") for key, each in arrays.items()}
        if "nan_target" in given:
            bad["target"] = torch.where(missing, NAN, bad["target"])
        for reduction in ("sum", "mean", "per_sample"):
            assert agree(
                results(name, bad, reduction=reduction, **given),
                composed(name, arrays, reduction=reduction, weight=there, **({"denom": "count"} if reduction == "mean" else {}))
                if reduction == "sum"
                else composed(name, bad, reduction=reduction, **given),
            )
        counts = there != 0
        apart = {key: each.detach()[counts].requires_grad_(key != "target") for key, each in arrays.items()}
        expected = results(name, apart, reduction="sum", weight=there[counts]) if counts.any() else [torch.zeros(())]
        found = results(name, bad, reduction="sum", **given)
        assert_close(found[0], expected[0].double(), rtol=1e-13, atol=0)
        for mine, theirs in zip(found[1:], expected[1:], strict=False):
            assert torch.equal(mine[counts], theirs)
        assert not any(mine[~counts].any() for mine in found[1:])


@everyone
def test_nan_reaches_the_value_from_every_place(name: str, spread: str) -> None:
    for hit, place in itertools.product(("pred", "target", spread, "weight"), range(40)):
        arrays = {**drawn(spread, 40), "weight": torch.ones(40, dtype=torch.float64)}
        with torch.no_grad():
            arrays[hit][place] = NAN
        value = getattr(losses, name)(**arrays)
        assert is_one_pass(value)
        assert value.isnan()
    assert getattr(losses, name)(
        **{key: each.detach() * NAN if key == "pred" else each for key, each in drawn(spread, 9).items()}, nan_target="omit"
    ).isnan()


@everyone
def test_a_variance_that_is_none_is_told(name: str, spread: str) -> None:
    """By the value, as the composition tells it; whatever the sign of a 0, it is no number or infinite."""
    none = {"var": [0.0, -1.0, INF, -INF, NAN, 1.0], "log_var": [INF, -INF, 800.0, -800.0, NAN, 0.0]}[spread]
    arrays = {
        "pred": torch.full((6, 1), 2.0, dtype=torch.float64, requires_grad=True),
        "target": torch.zeros(6, 1, dtype=torch.float64),
        spread: torch.tensor(none, dtype=torch.float64)[:, None].requires_grad_(),
    }
    mine, theirs = results(name, arrays, reduction="per_sample")[0], composed(name, arrays, reduction="per_sample")[0]
    if name == "beta_nll_loss":  # of an infinite variance the composition weighs an infinite cost with an infinite number and takes 0 times another
        at = none.index(INF)
        assert mine[at] == INF
        assert theirs[at].isnan()
        mine[at] = NAN
    assert agree([mine], [theirs])
    if spread == "var":
        for error in (0.0, 2.0):
            assert not getattr(losses, name)(torch.tensor([error]), torch.zeros(1), var=torch.tensor([-0.0])).isfinite()


def test_no_error_costs_the_logarithm_of_any_variance() -> None:
    """Also where the variance itself is too small for the type, and its inverse too large."""
    log_var = torch.tensor([-200.0], requires_grad=True)
    value = losses.gaussian_nll_loss(torch.ones(1), torch.ones(1), log_var=log_var)
    assert value.item() == -100
    assert torch.autograd.grad(value, log_var)[0].item() == 0.5


# --- as the composition ---------------------------------------------------------------------------------------------


@everyone
@pytest.mark.parametrize("given", [{}, {"reduction": "sum"}, {"reduction": "per_sample"}, {"denom": "batch"}, {"denom": torch.tensor(2.5)}])
def test_gradients_again_and_of_gradients(name: str, spread: str, given: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    arrays = drawn(spread, 4, 6)
    weight = torch.tensor([1.0, 2.0, 0.0, 0.5], dtype=torch.float64)
    inner = leaves(arrays)

    def all_of_them() -> list[Tensor]:
        value = getattr(losses, name)(**arrays, sample_weight=weight, **given)
        factor = torch.linspace(0.7, 0.9, value.numel(), dtype=torch.float64).reshape(value.shape)
        taken = [torch.autograd.grad(value, inner, factor, retain_graph=True) for _ in range(2)]
        slopes = torch.autograd.grad(value, inner, factor, create_graph=True)
        along = sum((slope * each.detach()).sum() for slope, each in zip(slopes, inner, strict=True))
        return [value, *taken[0], *taken[1], *slopes, *torch.autograd.grad(along, inner)]

    found = all_of_them()
    monkeypatch.setattr(one_pass, "ENGINES", {})
    assert agree(found, all_of_them())


@everyone
def test_derivatives_pass_through_it(name: str, spread: str) -> None:
    """Numerical ones, and those of transforms and compilers, which compose."""
    arrays = drawn(spread, 3, 4)
    inner, target = leaves(arrays), arrays["target"]

    def loss(pred: Tensor, other: Tensor, target: Tensor = target, **given: Any) -> Any:
        return getattr(losses, name)(pred, target, **{spread: other}, **given)

    value = loss(*inner)
    assert is_one_pass(value)
    slopes = torch.autograd.grad(value, inner)
    if name == "gaussian_nll_loss":  # the others stop gradients on purpose, which numerical derivatives do not
        for reduction in ("mean", "per_sample"):
            assert torch.autograd.gradcheck(lambda p, s: loss(p, s, reduction=reduction), inner, check_forward_ad=True, check_batched_grad=True)  # noqa: B023
            assert torch.autograd.gradgradcheck(lambda p, s: loss(p, s, reduction=reduction), inner, check_batched_grad=True)  # noqa: B023
    plain = [each.detach() for each in inner]
    for mine, theirs in zip(torch.func.grad(loss, argnums=(0, 1))(*plain), slopes, strict=True):
        assert_close(mine, theirs)
    by_rows = torch.func.vmap(torch.func.grad(lambda t, *each: loss(*each, target=t), argnums=1))(target, *plain)
    assert_close(by_rows / 3, slopes[0])
    torch._dynamo.reset()
    compiled = torch.compile(loss, fullgraph=True, backend="aot_eager")(*inner)
    for mine, theirs in zip(torch.autograd.grad(compiled, inner), slopes, strict=True):
        assert_close(mine, theirs)


@everyone
@pytest.mark.parametrize("frozen", ["pred", "spread"])
def test_a_gradient_that_nobody_wants_is_not_made(name: str, spread: str, frozen: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []

    def watched(*given: Any, **asked: Any) -> Any:
        made.append(cpu.one_pass(*given, **asked))
        return made[-1]

    monkeypatch.setitem(one_pass.ENGINES, "cpu", one_pass.ENGINES["cpu"]._replace(one_pass=watched))
    for length in (9, 70_001):
        arrays = drawn(spread, length)
        arrays[frozen if frozen == "pred" else spread].requires_grad_(False)
        found = results(name, arrays)
        assert [each is None for each in made[-1][1:]] == [frozen == "pred", frozen == "spread"]
        assert agree(found, composed(name, arrays), rtol=1e-11)
        with torch.no_grad():
            assert torch.equal(getattr(losses, name)(**arrays), found[0])


@everyone
def test_a_variance_that_is_made_of_the_prediction_counts_for_itself(name: str, spread: str, monkeypatch: pytest.MonkeyPatch) -> None:
    arrays = drawn(spread, 4, 6)
    pred, target = arrays["pred"], arrays["target"]

    def all_of_them() -> list[Tensor]:
        found = []
        for other in (torch.nn.functional.softplus(pred), pred):
            value = getattr(losses, name)(pred, target, **{spread: other})
            found += [torch.autograd.grad(value, pred, retain_graph=True)[0], torch.autograd.grad(value, pred, create_graph=True)[0]]
            found += torch.autograd.grad((found[-1] * target).sum(), pred)
        return found

    found = all_of_them()
    monkeypatch.setattr(one_pass, "ENGINES", {})
    assert agree(found, all_of_them())


@everyone
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("factor", [1.0, 1024.0, 0.3])
def test_narrow_types_are_computed_wide(name: str, spread: str, dtype: torch.dtype, factor: float) -> None:
    """And rounded once where the factor is 1; each factor of another kind is a rounding more."""
    arrays = drawn(spread, 3, 15, dtype=dtype)
    value = getattr(losses, name)(**arrays)
    assert value.dtype is torch.float32
    assert is_one_pass(value)
    expected = composed(name, arrays)
    assert_close(value.detach().double(), expected[0], rtol=2.0**-24 * 1.001, atol=0.0)
    once = 2.0**-24 if dtype is torch.float32 else 2.0**-11 if dtype is torch.float16 else 2.0**-8
    for mine, theirs in zip(torch.autograd.grad(value, leaves(arrays), torch.tensor(factor)), expected[1:], strict=True):
        assert mine.dtype is dtype
        assert_close(
            mine.double(),
            theirs * torch.tensor(factor).double(),
            rtol=once * (1 if factor == 1 else 2) * 1.001,
            atol=2.0**-25 if dtype is torch.float16 else 1e-12,
        )


@everyone
def test_what_is_not_for_the_core_is_composed(name: str, spread: str) -> None:
    """Arrays with holes, of several types, none at all, targets of whole numbers, and weights that have a gradient."""
    whole = drawn(spread, 6, 3, 12)
    for view in (lambda x: x[::2, :, ::3], lambda x: x.transpose(0, 1), lambda x: x[:1].expand(4, 3, 12)):
        arrays = {key: view(each) for key, each in whole.items()}
        assert agree(results(name, arrays), composed(name, arrays))
    for key in whole:
        mixed = {**whole, key: whole[key].detach().float().requires_grad_(key != "target")}
        assert agree(results(name, mixed), composed(name, mixed), rtol=1e-6)
    integers = {**whole, "target": torch.arange(216).reshape(6, 3, 12) % 5}
    assert agree(results(name, integers), composed(name, integers))
    for shape in ((0,), (0, 3), (4, 0)):
        for reduction in ("mean", "sum", "per_sample"):
            nothing = results(name, drawn(spread, *shape), reduction=reduction)
            assert not nothing[0].any()
            assert nothing[0].shape == (shape[:1] if reduction == "per_sample" else ())
    weight = torch.ones(6, dtype=torch.float64, requires_grad=True)
    value = getattr(losses, name)(**whole, sample_weight=weight, reduction="sum")
    each = getattr(losses, name)(**whole, reduction="none").reshape(6, -1).sum(1)
    assert_close(torch.autograd.grad(value, weight)[0], each.detach())


# --- NumPy and the core ---------------------------------------------------------------------------------------------


@everyone
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_numpy_takes_the_same_pass(name: str, spread: str, dtype: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    arrays = {key: each.detach().numpy().astype(dtype) for key, each in drawn(spread, 50, 3).items()}
    arrays["target"][7, 1] = NAN
    function, form = getattr(in_numpy, name), FORMS[name]()
    cases: list[dict[str, Any]] = [{}, {"reduction": "sum"}, {"sample_weight": np.arange(50.0)}, {"mask": np.arange(50) % 3 == 0, "denom": "count"}]
    settings = {"beta": 0.5} if name == "beta_nll_loss" else {}
    found = []
    for given in cases:
        options = Options(nan_target="omit", **given)
        passed = pass_of_numpy(form, settings, arrays["pred"], arrays["target"], options, {spread: arrays[spread]}, gradient=False)
        assert passed is not None
        found.append(function(**arrays, nan_target="omit", **given))
        assert found[-1] == passed[0]
        assert np.asarray(found[-1]).dtype == dtype
    assert np.isnan(function(**arrays))
    monkeypatch.setattr(calls, "has", lambda form: False)
    for mine, given in zip(found, cases, strict=True):
        assert mine == pytest.approx(float(function(**arrays, nan_target="omit", **given)), rel=2e-6 if dtype == np.float32 else 1e-13)


def test_numpy_refuses_as_ever() -> None:
    pred = np.ones((3, 4))
    for given in ({}, {"var": pred, "log_var": pred}):
        with pytest.raises(DataError, match="var= or log_var="):
            in_numpy.gaussian_nll_loss(pred, pred, **given)
    with pytest.raises(DataError, match=r"pred has shape \(3, 4\) and var \(4,\)"):
        in_numpy.gaussian_nll_loss(pred, pred, var=pred[0])
    with pytest.raises(DataError, match="covariance=None"):
        in_numpy.gaussian_nll_loss(pred, pred, var=pred, covariance=np.eye(4))
    assert in_numpy.gaussian_nll_loss([1.0, 2.0], [1.0, 2.0], var=[1.0, 1.0]) == 0


def test_the_core_wants_a_spread_of_likelihoods_and_of_no_other_loss() -> None:
    core = form_in_core(FORMS["gaussian_nll_loss"](), {}, ["var"])
    assert core is not None
    one = np.ones(1)
    rows = (1, one.ctypes.data, one.ctypes.data)
    with pytest.raises(ValueError, match="have a spread"):
        core.add(True, rows, (ALL, ALL), omit=False, scale=1.0, gradient=0, threads=1)
    with pytest.raises(ValueError, match="have a spread"):
        core._replace(number=0).add(True, rows, (ALL, ALL), omit=False, scale=1.0, gradient=0, threads=1, spread=one.ctypes.data)
    with pytest.raises(ValueError, match="have a spread"):
        _core.losses(core.number, (0.0, 0.0), one, one, None, np.ones(1), None, None, 0, 1)
    assert form_in_core(FORMS["gaussian_nll_loss"](), {}, ["var", "log_var"]) is None
    assert form_in_core(FORMS["gaussian_nll_loss"](), {}, []) is None


def test_the_memory_of_two_gradients_is_used_again() -> None:
    pair = [room_for((1 << 21,), np.float32) for _ in range(2)]
    places = {each.ctypes.data for each in pair}
    del pair
    again = [room_for((1 << 21,), np.float32) for _ in range(3)]
    assert {each.ctypes.data for each in again} > places
    assert len({each.ctypes.data for each in again}) == 3
