"""Value and gradient in one pass: the formulas in exact or double arithmetic, whatever the length, weights, masks and number of threads."""

from __future__ import annotations

import gc
import math
import weakref
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch
from torch.testing import assert_close

import squarely.losses.torch as losses
from squarely import _core
from squarely.losses.core import ALL, Spread, in_core, spread
from squarely.losses.kernels import KERNELS, checked
from squarely.losses.room import room_for
from squarely.losses.torch import one_pass

pytestmark = [  # torch's own, of its own parts
    pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:<class 'torch.autograd.function.Function'> should not be instantiated:DeprecationWarning"),
]
RNG = np.random.default_rng(22)
IN_CORE = [name for name in sorted(KERNELS) if in_core(KERNELS[name].bound(checked(KERNELS[name], {}))) is not None]
LENGTHS = (1, 2, 7, 15, 16, 17, 33, 2047, 2048, 2049, 70_001)
everyone = pytest.mark.parametrize("name", IN_CORE)
both = pytest.mark.parametrize("dtype", [torch.float32, torch.float64])


def drawn(*shape: int, dtype: Any = torch.float64) -> tuple[torch.Tensor, torch.Tensor]:
    """Predictions and targets above -1 in eighths, whose differences have no rounding errors."""
    pred, target = (torch.tensor(RNG.integers(-7, 40, shape) / 8.0, dtype=dtype) for _ in range(2))
    return pred.requires_grad_(), target


def bound(name: str) -> Any:
    """A kernel at its defaults."""
    return KERNELS[name].bound(checked(KERNELS[name], {}))


def passed(name: str, pred: Any, target: Any, scale: float) -> tuple[float, Any]:
    """Sum and gradient of the core."""
    core, out = in_core(bound(name)), torch.empty_like(pred, requires_grad=False)
    assert core is not None
    rows = (pred.numel(), pred.data_ptr(), target.data_ptr())
    total = core.add(pred.dtype is torch.float64, rows, (ALL, ALL), omit=False, scale=scale, gradient=out.data_ptr(), threads=2)
    return total, out


def by_formula(name: str, pred: Any, target: Any, weight: Any = None, scale: float = 1.0) -> tuple[Any, Any]:
    """Losses and gradients of elements by the declaration, in double; rows of weight 0 are left out first."""
    p, t = (each.detach().double().numpy().ravel() for each in (pred, target))
    w = np.ones_like(p) if weight is None else np.broadcast_to(weight, pred.shape).astype(float).ravel()
    counts = w != 0
    loss, gradient = np.zeros_like(p), np.zeros_like(p)
    kernel = bound(name)
    with np.errstate(all="ignore"):
        u = kernel.kernel.residual.of(np, p[counts], t[counts])
        slope = kernel.kernel.residual.slope(np, p[counts], t[counts])
        loss[counts], gradient[counts] = w[counts] * kernel.rho(np, u), scale * w[counts] * kernel.psi(np, u) * slope
    return loss, gradient.reshape(pred.shape)


def test_most_kernels_are_in_the_core() -> None:
    assert set(KERNELS) - set(IN_CORE) == {"barron_loss", "relative_squared_loss"}
    assert in_core(KERNELS["huber_loss"].bound({"delta": torch.tensor(1.0)})) is None  # type: ignore[dict-item]


@pytest.mark.parametrize("length", LENGTHS)
@both
def test_a_sum_of_squares_is_that_of_fractions(length: int, dtype: Any) -> None:
    pred, target = drawn(length, dtype=dtype)
    total, gradient = passed("mse_loss", pred, target, 0.25)
    u = [Fraction(p) - Fraction(t) for p, t in zip(pred.tolist(), target.tolist(), strict=True)]
    assert Fraction(total) == sum(e * e for e in u)
    assert [Fraction(g) for g in gradient.tolist()] == [e / 2 for e in u]


@everyone
@both
def test_the_pass_is_the_formula(name: str, dtype: Any) -> None:
    """In double but for the last rounding, so a float32 gradient is right to half a unit."""
    pred, target = drawn(70_001, dtype=dtype)
    loss, gradient = by_formula(name, pred, target, scale=0.3)
    total, found = passed(name, pred, target, 0.3)
    assert total == pytest.approx(math.fsum(loss), rel=1e-14)
    eps = 0.501 * 2**-23 if dtype == torch.float32 else 1e-14
    assert np.all(np.abs(found.numpy() - gradient) <= eps * np.abs(gradient) + 1e-300)


@pytest.mark.parametrize("name", ["mse_loss", "huber_loss", "log_cosh_loss", "msle_loss", "cauchy_loss"])
def test_threads_and_processors_change_no_bit(name: str) -> None:
    pred, target = torch.rand(300_001, dtype=torch.float64), torch.rand(300_001, dtype=torch.float64)
    core = in_core(bound(name))
    assert core is not None
    seen = set()
    for width in _core.available():
        before = _core.use(width)
        try:
            for threads in (1, 2, 3, 8):
                out = torch.empty_like(pred)
                rows = (pred.numel(), pred.data_ptr(), target.data_ptr())
                total = core.add(True, rows, (ALL, ALL), omit=False, scale=0.1, gradient=out.data_ptr(), threads=threads)
                seen.add((total, out.numpy().tobytes()))
        finally:
            _core.use(before)
    assert len(seen) == 1


@everyone
@pytest.mark.parametrize("shape", [(5,), (33, 3), (2049, 2), (4, 3, 5)])
def test_masks_weights_and_missing_targets_delete(name: str, shape: tuple[int, ...]) -> None:
    """Each of them where it stands, with nan and infinity in all places that do not count."""
    pred, target = drawn(*shape)
    mask, w, v = RNG.random(shape[0]) < 0.7, RNG.integers(0, 3, shape[0]) * 1.0, RNG.integers(0, 3, shape[-1]) * 1.0
    missing = RNG.random(shape) < 0.2
    left = (slice(None), *(None,) * (len(shape) - 1))
    for given, weight in (
        ({"mask": mask}, mask[left]),
        ({"sample_weight": w}, w[left]),
        ({"output_weight": v}, v),
        ({"sample_weight": w, "output_weight": v, "mask": mask}, w[left] * v * mask[left]),
        ({"nan_target": "omit"}, np.ones(shape)),
        ({"nan_target": "omit", "mask": mask, "weight": np.broadcast_to(w[left], shape).copy()}, w[left] * mask[left]),
    ):
        full = np.broadcast_to(weight, shape) * (~missing if "nan_target" in given else 1.0)
        dead = torch.tensor(np.broadcast_to(weight, shape) == 0)
        p = torch.where(dead, math.nan, pred.detach()).requires_grad_()
        t = torch.where(dead, math.inf, target)
        t = torch.where(torch.tensor(missing), math.nan, t) if "nan_target" in given else t
        tensors = {key: torch.tensor(each) if isinstance(each, np.ndarray) else each for key, each in given.items()}
        value = getattr(losses, name)(p, t, reduction="sum", **tensors)
        assert type(value.grad_fn).__name__ == "_OnePassBackward"
        loss, gradient = by_formula(name, pred, target, full)
        assert value.item() == pytest.approx(math.fsum(loss), rel=1e-13)
        assert_close(torch.autograd.grad(value, p)[0].numpy(), gradient, rtol=1e-13, atol=0)


def test_what_no_mask_leaves_is_0() -> None:
    pred, target = drawn(9, 2)
    nothing = torch.zeros(9, dtype=torch.bool)
    for given in ({"mask": nothing}, {"sample_weight": nothing.double()}):
        value = losses.mse_loss(pred, target * math.nan, **given)
        assert value.item() == 0
        assert not torch.autograd.grad(value, pred)[0].any()
    value = losses.mse_loss(pred, target * math.nan, nan_target="omit")
    assert (value.item(), torch.autograd.grad(value, pred)[0].abs().sum().item()) == (0, 0)
    assert losses.mse_loss(torch.zeros(0), torch.zeros(0)).item() == 0


def test_a_nan_reaches_the_value_from_every_place() -> None:
    for place in range(40):
        for array in range(3):
            arrays = [torch.ones(40), torch.zeros(40), torch.ones(40)]
            arrays[array][place] = math.nan
            pred = arrays[0].requires_grad_()
            value = losses.huber_loss(pred, arrays[1], weight=arrays[2])
            assert math.isnan(value.item())
    assert math.isnan(losses.mse_loss(torch.tensor([math.nan]), torch.zeros(1), nan_target="omit").item())


@pytest.mark.parametrize("given", [{}, {"reduction": "sum"}, {"reduction": "per_sample"}, {"denom": "batch"}, {"denom": torch.tensor(2.5)}])
@everyone
def test_the_pass_is_the_composition(name: str, given: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Value, gradient times any factor, a second backward and the gradient of the gradient."""
    function = getattr(losses, name)
    monkeypatch.setattr(function, "_native", None)
    pred, target = drawn(6, 5)
    weight = torch.tensor([1.0, 2.0, 0.0, 0.5, 1.0, 3.0], dtype=torch.float64)

    def results() -> list[torch.Tensor]:
        value = function(pred, target, sample_weight=weight, **given)
        factor = torch.full_like(value, 0.7)
        first = torch.autograd.grad(value, pred, factor, retain_graph=True)[0]
        again = torch.autograd.grad(value, pred, factor, retain_graph=True)[0]
        slope = torch.autograd.grad(value, pred, factor, create_graph=True)[0]
        return [value, first, again, slope, torch.autograd.grad((slope * pred.detach()).sum(), pred)[0]]

    found = results()
    monkeypatch.setattr(one_pass, "ENGINES", {})
    for ours, theirs in zip(found, results(), strict=True):
        assert torch.allclose(ours, theirs, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("name", ["mse_loss", "l1_loss", "huber_loss", "log_cosh_loss", "msle_loss"])
def test_derivatives_pass_through_it(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    function = getattr(losses, name)
    monkeypatch.setattr(function, "_native", None)
    pred, target = drawn(4, 3)
    pred = (pred.detach() + 1 / 16).requires_grad_()  # away from the corner
    assert torch.autograd.gradcheck(lambda p: function(p, target), (pred,), check_forward_ad=True, check_batched_grad=True)
    assert torch.autograd.gradgradcheck(lambda p: function(p, target), (pred,), check_batched_grad=True)
    (found,) = torch.autograd.grad(function(pred, target), pred)
    assert_close(torch.func.grad(lambda p: function(p, target))(pred.detach()), found)
    each = torch.func.vmap(torch.func.grad(function))(pred.detach(), target)
    assert_close(each / 4, found)
    torch._dynamo.reset()
    compiled = torch.compile(lambda p: function(p, target), fullgraph=True, backend="aot_eager")
    assert_close(torch.autograd.grad(compiled(pred), pred)[0], found)


def test_the_gradient_is_handed_over_and_kept_by_nobody() -> None:
    pred, target = drawn(50)
    value = losses.log_cosh_loss(pred, target)
    held = value.grad_fn.found.gradients[0].data_ptr()  # type: ignore[union-attr]
    value.backward()
    assert pred.grad is not None
    assert pred.grad.data_ptr() == held
    kept = losses.log_cosh_loss(pred, target)
    first = torch.autograd.grad(kept, pred, retain_graph=True)[0]
    expected = first.clone()
    first.zero_()
    assert_close(torch.autograd.grad(kept, pred)[0], expected)


def test_a_loss_without_backward_keeps_nothing_alive() -> None:
    """Not until somebody collects cycles: a gradient is as large as the batch."""
    gc.disable()
    try:
        value = losses.log_cosh_loss(*drawn(50))
        gone = weakref.ref(value.grad_fn.found)  # type: ignore[union-attr]
        del value
        assert gone() is None
    finally:
        gc.enable()


def test_the_default_device_is_not_asked_and_views_are_what_they_say() -> None:
    pred, target = drawn(40)
    expected = losses.cauchy_loss(pred, target)
    with torch.device("meta"):
        assert torch.equal(losses.cauchy_loss(pred, target), expected)
    negative = torch._neg_view(-pred.detach())
    assert torch.equal(losses.cauchy_loss(negative, target).float(), expected.detach().float())


def test_the_memory_of_a_gradient_is_used_again_but_never_shared() -> None:
    rows = 1 << 21
    first, second = room_for((rows,), np.float32), room_for((rows,), np.float32)
    assert not np.shares_memory(first, second)
    first[:], second[:] = 1, 2
    view, place = second[5:], second.ctypes.data
    del second
    third = room_for((rows,), np.float32)
    assert not np.shares_memory(third, view)  # a view keeps it
    assert view[0] == 2
    del view
    again = room_for((rows // 2, 2), np.float32)
    assert again.ctypes.data == place
    assert place % 64 == 0
    assert room_for((3,), np.float64).shape == (3,)
    many = torch.rand(rows, requires_grad=True)
    grads = [torch.autograd.grad(losses.mse_loss(many, torch.zeros(rows), denom=d), many)[0] for d in (1, 2)]
    assert torch.equal(grads[0], 2 * grads[1])


@pytest.mark.parametrize("name", ["mse_loss", "l1_loss", "huber_loss", "smooth_l1_loss"])
def test_a_short_loss_is_left_to_torch_on_processors_alone(name: str) -> None:
    """Elsewhere its two launches are more than one of an engine."""

    def left(device: str) -> bool:
        pred, target = torch.zeros(8, device=device, requires_grad=True), torch.zeros(8, device=device)
        return getattr(losses, name)(pred, target).grad_fn.name() == getattr(torch.nn.functional, name)(pred, target).grad_fn.name()

    assert left("cpu")
    assert not left("meta")


def test_numbers_stand_for_rows() -> None:
    """Along the first axes or the last; not in the middle."""
    assert spread((4, 3, 2), (4, 1, 1), 9) == Spread(9, 4, 6)
    assert spread((4, 3, 2), (1, 1, 2), 9) == Spread(9, 2, 1)
    assert spread((4, 3, 2), (1, 3, 1), 9) == Spread(9, 3, 2)
    assert spread((4, 3, 2), (4, 1, 2), 9) is None


@pytest.mark.parametrize("half", [torch.bfloat16, torch.float16])
def test_half_types_are_computed_wide(half: Any) -> None:
    pred, target = (torch.randn(1000).to(half) for _ in range(2))
    pred.requires_grad_()
    value = losses.log_cosh_loss(pred, target)
    assert type(value.grad_fn).__name__ == "_OnePassBackward"
    wide = pred.detach().double().requires_grad_()
    expected = losses.log_cosh_loss(wide, target.double())
    assert value.dtype == torch.float32
    assert value.item() == pytest.approx(expected.item(), rel=1e-7)
    assert_close(torch.autograd.grad(value, pred)[0], torch.autograd.grad(expected, wide)[0].float().to(half), rtol=0, atol=0)
