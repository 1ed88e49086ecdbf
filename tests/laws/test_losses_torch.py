"""Losses in torch: parity with torch itself, derivatives of every order, masks that delete, denominators that add, compilers and half types."""

from __future__ import annotations

import math
from typing import Any

import mpmath
import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812  # as everybody calls it

import squarely as sq
import squarely.losses.torch as losses
from squarely.errors import DataError
from squarely.losses.forms import FORMS
from squarely.losses.kernels import KERNELS, checked, pointwise

pytestmark = [  # torch's own, of its own parts
    pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:<class 'torch.autograd.function.Function'> should not be instantiated:DeprecationWarning"),
]
POINTWISE = sorted(KERNELS)
SETTINGS: dict[str, dict[str, float]] = {"relative_squared_loss": {"eps": 0.5}, "pinball_loss": {"alpha": 0.8}, "expectile_loss": {"alpha": 0.3}}


def pair(seed: int, *shape: int, dtype: torch.dtype = torch.float64) -> tuple[torch.Tensor, torch.Tensor]:
    """A prediction that asks for a gradient, and a target; all above -1."""
    generator = torch.Generator().manual_seed(seed)
    pred = torch.rand(*shape, generator=generator, dtype=torch.float64) * 6 - 0.9
    target = torch.rand(*shape, generator=generator, dtype=torch.float64) * 6 - 0.9
    return pred.to(dtype).requires_grad_(), target.to(dtype)


def loss_of(name: str) -> Any:
    """A loss with settings that show more than the defaults."""
    function, settings = getattr(losses, name), SETTINGS.get(name, {})
    return lambda pred, target, **given: function(pred, target, **settings, **given)


# --- the same table, the same names ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*POINTWISE, *sorted(FORMS)])
def test_every_loss_has_a_function_and_a_module(name: str) -> None:
    function = getattr(losses, name)
    modules = [value for value in vars(losses).values() if isinstance(value, type) and getattr(value, "function", None) is function]
    assert len(modules) == 1
    assert modules[0].__name__.lower() == name.replace("_", "")
    assert "References" in function.__doc__


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize(
    ("name", "theirs"),
    [
        ("mse_loss", F.mse_loss),
        ("l1_loss", F.l1_loss),
        ("huber_loss", lambda p, y, reduction: F.huber_loss(p, y, reduction=reduction)),
        ("smooth_l1_loss", lambda p, y, reduction: F.smooth_l1_loss(p, y, reduction=reduction)),
        ("half_mse_loss", lambda p, y, reduction: 0.5 * F.mse_loss(p, y, reduction=reduction)),
        ("gaussian_nll_loss", lambda p, y, reduction: F.gaussian_nll_loss(p, y, torch.full_like(p, 0.7), reduction=reduction)),
    ],
)
def test_what_torch_has_too_agrees_in_value_and_gradient(name: str, theirs: Any, dtype: torch.dtype, reduction: str) -> None:
    """The general path is taken by way of a mask that masks nothing, so that it is not torch's own kernel that is compared."""
    pred, target = pair(1, 7, 3, dtype=dtype)
    extra = {"var": torch.full_like(target, 0.7)} if name == "gaussian_nll_loss" else {}
    tolerance = {"rtol": 1e-12 if dtype == torch.float64 else 1e-6, "atol": 1e-12 if dtype == torch.float64 else 1e-6}
    for mask in (None, torch.ones(7, 3, dtype=torch.bool)):
        ours = getattr(losses, name)(pred, target, reduction=reduction, mask=mask, **extra)
        other = theirs(pred, target, reduction=reduction)
        torch.testing.assert_close(ours, other, **tolerance)
        mine, others = (torch.autograd.grad(each.sum(), pred)[0] for each in (ours, other))
        torch.testing.assert_close(mine, others, **tolerance)


def test_the_loss_and_the_metric_are_one_number() -> None:
    target, pred = [3.0, -0.5, 2.0, 7.0], [2.5, 0.0, 2.0, 8.0]
    assert losses.mse_loss(torch.tensor(pred), torch.tensor(target)).item() == sq.mse(target, pred) == 0.375
    gradient = torch.autograd.grad(losses.mse_loss(leaf := torch.tensor([4.0, 8.0, 2.0]).requires_grad_(), torch.zeros(3)), leaf)[0]
    assert gradient.tolist() == pytest.approx([2 / 3 * 4, 2 / 3 * 8, 2 / 3 * 2])


# --- derivatives and the machinery of torch ------------------------------------------------------------------------


@pytest.mark.parametrize("name", POINTWISE)
def test_derivatives_of_every_order_and_mode(name: str) -> None:
    pred, target = pair(2, 4, 3)
    mask, weight = torch.tensor([True, True, False, True]), torch.tensor([0.5, 2.0, 1.0, 0.0], dtype=torch.float64)

    def scalar(p: torch.Tensor) -> torch.Tensor:
        return loss_of(name)(p, target, mask=mask, sample_weight=weight)  # type: ignore[no-any-return]

    assert torch.autograd.gradcheck(scalar, (pred,), check_forward_ad=True)
    assert torch.autograd.gradgradcheck(scalar, (pred,))
    found = torch.autograd.grad(scalar(pred), pred)[0]
    leaf = pred.detach()
    torch.testing.assert_close(torch.func.grad(scalar)(leaf), found)
    hessian = torch.func.hessian(scalar)(leaf).reshape(12, 12)
    torch.testing.assert_close(torch.func.jacrev(torch.func.jacrev(scalar))(leaf).reshape(12, 12), hessian)
    assert torch.equal(hessian, torch.diag(torch.diag(hessian)))
    _, tangent = torch.func.jvp(scalar, (leaf,), (torch.ones_like(leaf),))
    torch.testing.assert_close(tangent, found.sum())
    of_row = torch.func.grad(loss_of(name))
    each = torch.func.vmap(of_row)(leaf, target)
    torch.testing.assert_close(each, torch.stack([of_row(p, y) for p, y in zip(leaf, target, strict=True)]))
    assert not found[2:].any()


@pytest.mark.parametrize("name", POINTWISE)
def test_a_target_has_derivatives_too(name: str) -> None:
    """In reverse and in forward mode, as where a target is the prediction of another model."""
    pred, target = pair(20, 4, 3)
    target.requires_grad_()
    pred.requires_grad_(False)

    def scalar(y: torch.Tensor) -> torch.Tensor:
        return loss_of(name)(pred, y, sample_weight=torch.tensor([0.5, 2.0, 1.0, 1.0]))  # type: ignore[no-any-return]

    assert torch.autograd.gradcheck(scalar, (target,), check_forward_ad=True)
    _, tangent = torch.func.jvp(scalar, (target.detach(),), (torch.ones_like(target),))
    torch.testing.assert_close(tangent, torch.autograd.grad(scalar(target), target)[0].sum())


@pytest.mark.parametrize("name", ["mse_loss", "huber_loss", "log_cosh_loss", "barron_loss", "msle_loss"])
def test_compiled_in_one_graph(name: str) -> None:
    torch._dynamo.reset()
    pred, target = pair(3, 5, 2)

    def masked(p: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return loss_of(name)(p, y, mask=y > 0, nan_target="omit")  # type: ignore[no-any-return]

    compiled = torch.compile(masked, fullgraph=True, backend="aot_eager")
    for function in (compiled, masked):
        pred.grad = None
        function(pred, target).backward()
        if function is compiled:
            gradient = pred.grad
    torch.testing.assert_close(gradient, pred.grad)


def test_a_module_is_compiled_exported_and_printed() -> None:
    torch._dynamo.reset()
    criterion, (pred, target) = losses.HuberLoss(delta=2.0), pair(4, 6, dtype=torch.float32)
    compiled = torch.compile(criterion, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(pred, target), criterion(pred, target))
    exported = torch.export.export(criterion, (pred.detach(), target))
    torch.testing.assert_close(exported.module()(pred.detach(), target), criterion(pred, target).detach())
    assert repr(criterion) == "HuberLoss(delta=2.0)"


@pytest.mark.parametrize("strict", [True, False])
def test_an_exported_adaptive_loss_keeps_its_numbers(strict: bool) -> None:
    """Those of its quadrature are constants of the program."""
    torch._dynamo.reset()
    criterion, (pred, target) = losses.AdaptiveLoss(outputs=2), pair(21, 6, 2, dtype=torch.float32)
    exported = torch.export.export(criterion, (pred.detach(), target), strict=strict)
    found = exported.module()(pred.detach(), target).detach()
    assert found.item() == pytest.approx(criterion(pred, target).item(), rel=1e-6)


@pytest.mark.parametrize("half", [torch.bfloat16, torch.float16])
def test_half_types_are_computed_in_float32_and_rounded_once(half: torch.dtype) -> None:
    pred, target = pair(5, 64, dtype=half)
    value = losses.mse_loss(pred, target)
    wide = pred.detach().float().requires_grad_()
    expected = F.mse_loss(wide, target.float())
    assert value.dtype == torch.float32
    assert value.item() == pytest.approx(expected.item(), rel=1e-6)
    torch.testing.assert_close(torch.autograd.grad(value, pred)[0], torch.autograd.grad(expected, wide)[0].to(half), rtol=0, atol=0)
    far = torch.tensor([300.0], dtype=half)
    assert losses.mse_loss(far, torch.zeros_like(far)).item() == 90000.0


def test_a_small_gradient_survives_a_half_type() -> None:
    """2 e / n with n = 4 million and e = 0.01 is below the smallest float16; the scale is multiplied in before the rounding."""
    pred = torch.full((1 << 22,), 0.01, dtype=torch.float16)
    _, plain = losses.mse_loss.value_and_grad(pred, torch.zeros_like(pred))
    value, scaled = losses.mse_loss.value_and_grad(pred, torch.zeros_like(pred), grad_scale=65536.0)
    assert plain.abs().max() == 0
    assert scaled[0].item() == pytest.approx(65536 * 2 * float(pred[0]) / (1 << 22), rel=1e-3)
    assert value.item() == pytest.approx(float(pred[0]) ** 2, rel=1e-6)


@pytest.mark.parametrize("name", POINTWISE)
def test_many_elements_are_as_few(name: str) -> None:
    """Beyond 65,536 elements a processor goes block by block; rows that lie apart in memory are taken at once."""
    pred, target = pair(19, 3, 30_001)
    whole = loss_of(name)(pred, target, reduction="none", mask=torch.ones(3, dtype=torch.bool))
    (gradient,) = torch.autograd.grad(whole.sum(), pred)
    for row in range(3):
        leaf = pred[row].detach().requires_grad_()
        alone = loss_of(name)(leaf, target[row], reduction="none", mask=torch.ones(30_001, dtype=torch.bool))
        torch.testing.assert_close(whole[row], alone, rtol=1e-14, atol=0)
        torch.testing.assert_close(gradient[row], torch.autograd.grad(alone.sum(), leaf)[0], rtol=1e-14, atol=0)
    apart = loss_of(name)(pred.T, target.T, reduction="none", mask=torch.ones(30_001, dtype=torch.bool))
    torch.testing.assert_close(apart, whole.T, rtol=1e-14, atol=0)


def test_autocast_changes_nothing() -> None:
    pred, target = pair(6, 8, 2, dtype=torch.float32)
    covariance = torch.tensor([[2.0, 0.3], [0.3, 1.0]])
    plain = losses.cauchy_loss(pred, target, covariance=covariance)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(losses.cauchy_loss(pred, target, covariance=covariance), plain)


# --- weights, masks, missing targets -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", POINTWISE)
def test_what_is_masked_is_as_if_it_were_not_there(name: str) -> None:
    pred, target = pair(7, 9, 2)
    mask = torch.tensor([True, False] * 4 + [True])
    spoiled, wild = target.clone(), pred.detach().clone()
    spoiled[~mask], wild[~mask] = math.nan, math.inf
    wild.requires_grad_()
    kept = pred.detach()[mask].requires_grad_()
    value, expected = loss_of(name)(wild, spoiled, mask=mask), loss_of(name)(kept, target[mask])
    torch.testing.assert_close(value, expected, rtol=1e-14, atol=0)
    gradient = torch.autograd.grad(value, wild)[0]
    torch.testing.assert_close(gradient[mask], torch.autograd.grad(expected, kept)[0], rtol=1e-14, atol=0)
    assert torch.equal(gradient[~mask], torch.zeros(4, 2, dtype=torch.float64))
    zero = loss_of(name)(wild, spoiled, sample_weight=mask.to(torch.float64))
    torch.testing.assert_close(zero, expected, rtol=1e-14, atol=0)
    missing = torch.where(mask[:, None], target, torch.nan)
    torch.testing.assert_close(loss_of(name)(pred, missing, nan_target="omit"), expected, rtol=1e-14, atol=0)
    assert torch.isnan(loss_of(name)(pred, missing))
    with pytest.raises(DataError, match="a target is nan"):
        loss_of(name)(pred, missing, nan_target="raise")


def test_a_diverged_prediction_is_never_hidden() -> None:
    pred, target = torch.tensor([1.0, math.nan]), torch.tensor([0.0, 1.0])
    assert torch.isnan(losses.mse_loss(pred, target, nan_target="omit"))
    assert losses.mse_loss(torch.tensor([math.inf]), torch.zeros(1), nan_target="omit") == math.inf


def test_weights_lie_on_the_left_and_on_the_right() -> None:
    """Where the batch is as long as the outputs are many, NumPy's alignment would take one for the other."""
    pred, target = pair(8, 3, 3)
    w = torch.tensor([1.0, 2.0, 4.0], dtype=torch.float64)
    square = (pred - target) ** 2
    torch.testing.assert_close(losses.mse_loss(pred, target, sample_weight=w), (square * w[:, None]).sum() / 21)
    torch.testing.assert_close(losses.mse_loss(pred, target, output_weight=w), (square * w).sum() / 21)
    both = w[:, None] * w
    torch.testing.assert_close(losses.mse_loss(pred, target, sample_weight=w, output_weight=w), (square * both).sum() / both.sum())
    torch.testing.assert_close(losses.mse_loss(pred, target, weight=both), (square * both).sum() / both.sum())


def test_all_denominators() -> None:
    pred, target = pair(9, 4, 3)
    w, mask = torch.tensor([1.0, 2.0, 0.0, 3.0], dtype=torch.float64), torch.ones(4, 3, dtype=torch.bool)
    mask[0, 0] = False
    num = ((pred - target) ** 2 * w[:, None] * mask).sum()
    given = {"sample_weight": w, "mask": mask}
    for denom, den in ((None, 17.0), ("weight", 17.0), ("valid", 8.0), ("count", 12.0), ("batch", 4.0), (5, 5.0), (torch.tensor(2.5), 2.5)):
        torch.testing.assert_close(losses.mse_loss(pred, target, denom=denom, **given), num / den)
        assert float(losses.mse_loss.terms(pred, target, denom=denom, **given).den) == den
    torch.testing.assert_close(losses.mse_loss(pred, target, mask=mask), ((pred - target) ** 2 * mask).sum() / 11)
    each = losses.mse_loss(pred, target, reduction="per_sample", mask=mask)
    torch.testing.assert_close(each, ((pred - target) ** 2 * mask).sum(1) / mask.sum(1))
    torch.testing.assert_close(
        losses.mse_loss(pred, target, reduction="per_sample", output_weight=w[:3] + 1), ((pred - target) ** 2 * (w[:3] + 1)).sum(1) / 6
    )


def test_nothing_that_counts_is_0_and_has_no_gradient() -> None:
    pred, target = pair(10, 3)
    value = losses.mse_loss(pred, target, mask=torch.zeros(3, dtype=torch.bool))
    assert value.item() == 0
    assert not torch.autograd.grad(value, pred)[0].any()
    assert losses.mse_loss.terms(pred, target, mask=torch.zeros(3, dtype=torch.bool)).den == 0
    assert losses.mse_loss(torch.zeros(0), torch.zeros(0)).item() == 0


def test_micro_batches_are_the_whole_batch() -> None:
    """1 valid target and 99: the mean of means is 40 times too large, the sum of terms is the mean."""
    pred, target = torch.zeros(2, 100, requires_grad=True), torch.full((2, 100), 0.1)
    target[0, 0] = 2.0
    mask = torch.zeros(2, 100, dtype=torch.bool)
    mask[0, 0], mask[1, 1:] = True, True
    whole = losses.mse_loss(pred, target, mask=mask)
    (expected,) = torch.autograd.grad(whole, pred)
    den = sum(losses.mse_loss.terms(p, y, mask=m).den for p, y, m in zip(pred, target, mask, strict=True))
    gradient, value = torch.zeros_like(pred), 0.0
    for row in range(2):
        part = losses.mse_loss.terms(pred[row], target[row], mask=mask[row]).mean(den)
        gradient, value = gradient + torch.autograd.grad(part, pred)[0], value + part.item()
    assert torch.equal(gradient, expected)
    assert value == pytest.approx(whole.item(), rel=2.4e-7)  # two sums of float32 instead of one
    mean_of_means = sum(losses.mse_loss(p, y, mask=m) for p, y, m in zip(pred, target, mask, strict=True)) / 2
    assert mean_of_means / whole > 40
    together = losses.mse_loss.terms(pred[0], target[0], mask=mask[0]) + losses.mse_loss.terms(pred[1], target[1], mask=mask[1])
    torch.testing.assert_close(together.mean(), whole)


# --- covariance ---------------------------------------------------------------------------------------------------


def test_whitening_is_generalised_least_squares_of_what_is_there() -> None:
    pred, target = pair(11, 5, 3)
    root = torch.tensor([[1.0, 0.0, 0.0], [0.5, 2.0, 0.0], [-0.3, 0.7, 0.5]], dtype=torch.float64)
    covariance = root @ root.T
    e = pred - target
    total = losses.mse_loss(pred, target, covariance=covariance, reduction="sum")
    torch.testing.assert_close(total, (e @ torch.linalg.inv(covariance) * e).sum())
    torch.testing.assert_close(torch.autograd.grad(total, pred)[0], 2 * e.detach() @ torch.linalg.inv(covariance))
    mask = torch.ones(5, 3, dtype=torch.bool)
    mask[2, 1] = mask[4, 0] = mask[4, 2] = False
    expected = torch.tensor(0.0, dtype=torch.float64)
    for row in range(5):
        there = mask[row]
        left = e[row, there]
        expected = expected + left @ torch.linalg.inv(covariance[there][:, there]) @ left
    torch.testing.assert_close(
        losses.mse_loss(pred, torch.where(mask, target, torch.nan), covariance=covariance, mask=mask, reduction="sum"), expected
    )
    white = torch.linalg.solve_triangular(torch.linalg.cholesky(covariance), e[mask[:, 0]].T, upper=False)
    robust = losses.huber_loss(pred, target, covariance=covariance, mask=mask[:, 0])
    torch.testing.assert_close(robust, F.huber_loss(white, torch.zeros_like(white)))
    assert torch.autograd.gradcheck(lambda p: losses.huber_loss(p, target, covariance=covariance, mask=mask[:, 0]), (pred,))
    with pytest.raises(DataError, match="positive definite"):
        losses.mse_loss(pred, target, covariance=-covariance)
    with pytest.raises(DataError, match=r"covariance has shape \(2, 2\)"):
        losses.mse_loss(pred, target, covariance=covariance[:2, :2])


# --- losses of a batch as a whole, and of several numbers ----------------------------------------------------------


def test_root_mean_squared_error_has_a_gradient_at_0() -> None:
    pred, target = pair(12, 6)
    torch.testing.assert_close(losses.rmse_loss(pred, target), ((pred - target) ** 2).mean().sqrt())
    at_zero = torch.zeros(3, requires_grad=True)
    assert torch.autograd.grad(losses.rmse_loss(at_zero, torch.zeros(3)), at_zero)[0].tolist() == [0.0, 0.0, 0.0]
    with pytest.raises(DataError, match="rmse_loss takes reduction='mean' or 'per_sample' only; got 'sum'"):
        losses.rmse_loss(pred, target, reduction="sum")


def test_trimmed_squares_leave_out_the_largest() -> None:
    pred, target = pair(13, 20)
    square = ((pred - target) ** 2).detach().numpy()
    for trim in (0.0, 0.1, 0.25, 0.49):
        kept = np.sort(square)[: 20 - int(trim * 20)]
        assert losses.trimmed_loss(pred, target, trim=trim).item() == pytest.approx(kept.mean(), rel=1e-14)
    mask = torch.ones(20, dtype=torch.bool)
    mask[5:9] = False
    kept = np.sort(square[mask.numpy()])[: 16 - 4]
    assert losses.trimmed_loss(pred, target, mask=mask, trim=0.25).item() == pytest.approx(kept.mean(), rel=1e-14)
    assert torch.autograd.gradcheck(lambda p: losses.trimmed_loss(p, target, trim=0.25), (pred,))


def test_ratios_to_the_target() -> None:
    pred, target = pair(14, 8, 3)
    p, y = pred.detach().numpy(), target.numpy()
    assert losses.nmse_loss(pred, target).item() == pytest.approx(((p - y) ** 2).sum() / ((y - y.mean(0)) ** 2).sum(), rel=1e-14)
    expected = np.mean(np.linalg.norm(p - y, axis=1) / np.linalg.norm(y, axis=1))
    assert losses.relative_l2_loss(pred, target, eps=0.0).item() == pytest.approx(expected, rel=1e-14)
    still = torch.autograd.grad(losses.relative_l2_loss(pred, pred.detach()), pred)[0]
    assert torch.equal(still, torch.zeros_like(still))
    torch.testing.assert_close(losses.relative_squared_loss(pred, target, eps=0.5), ((pred - target) ** 2 / (target**2 + 0.25)).mean())
    w = torch.tensor([1.0, 0, 2, 1, 1, 1, 0, 3], dtype=torch.float64)
    each = np.linalg.norm(p - y, axis=1) / np.linalg.norm(y, axis=1)
    v = torch.tensor([1.0, 4.0, 0.0], dtype=torch.float64)
    shares = np.sqrt(((p - y) ** 2 * v.numpy()).sum(1) / (y**2 * v.numpy()).sum(1))
    assert losses.relative_l2_loss(pred, target, eps=0.0, output_weight=v).item() == pytest.approx(shares.mean(), rel=1e-14)
    assert losses.relative_l2_loss(pred, target, eps=0.0, sample_weight=w).item() == pytest.approx(np.average(each, weights=w.numpy()), rel=1e-14)


def test_normalised_patches() -> None:
    """The lines of facebookresearch/mae (models_mae.py, forward_loss), where a mask is 1 at the patches that count."""
    pred, target = pair(17, 3, 5, 12)
    mask = torch.rand(3, 5, generator=torch.Generator().manual_seed(5)) < 0.6
    mean, var = target.mean(dim=-1, keepdim=True), target.var(dim=-1, keepdim=True)
    each = ((pred - (target - mean) / (var + 1.0e-6) ** 0.5) ** 2).mean(dim=-1)
    torch.testing.assert_close(losses.patch_mse_loss(pred, target), each.mean())
    torch.testing.assert_close(losses.patch_mse_loss(pred, target, mask=mask), (each * mask).sum() / mask.sum())
    torch.testing.assert_close(losses.patch_mse_loss(pred, target, mask=mask, reduction="per_sample"), (each * mask).sum(1) / mask.sum(1))
    torch.testing.assert_close(losses.patch_mse_loss(pred, target, reduction="none"), each)
    w = torch.tensor([1.0, 0.0, 3.0], dtype=torch.float64)
    torch.testing.assert_close(losses.patch_mse_loss(pred, target, sample_weight=w), (each * w[:, None]).sum() / (5 * w.sum()))
    assert torch.autograd.gradcheck(lambda p: losses.patch_mse_loss(p, target, mask=mask), (pred,))
    assert torch.autograd.gradgradcheck(lambda p: losses.patch_mse_loss(p, target, mask=mask), (pred,))
    hole = target.clone()
    hole[0, 2, 7] = math.nan
    there = torch.ones(3, 5, dtype=torch.bool)
    there[0, 2] = False
    torch.testing.assert_close(losses.patch_mse_loss(pred, hole, nan_target="omit"), losses.patch_mse_loss(pred, target, mask=there))
    still = torch.autograd.grad(losses.patch_mse_loss(pred, hole, nan_target="omit"), pred)[0]
    assert (still == 0).all(-1).nonzero().tolist() == [[0, 2]]
    assert losses.patch_mse_loss(pred, torch.ones_like(target)).item() == pytest.approx((pred**2).mean().item())  # a patch of one colour
    for wrong, match in (({"weight": torch.ones_like(pred)}, "takes weight=None only"), ({"eps": 0.0}, "eps")):
        with pytest.raises(DataError, match=match):
            losses.patch_mse_loss(pred, target, **wrong)
    with pytest.raises(DataError, match=r"expected \(batch, patches, pixels\)"):
        losses.patch_mse_loss(pred[0, 0], target[0, 0])


def test_several_quantiles() -> None:
    _, target = pair(15, 50)
    pred = torch.rand(50, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1)).requires_grad_()
    levels = (0.1, 0.5, 0.9)
    each = [losses.pinball_loss(pred[:, k], target, alpha=a) for k, a in enumerate(levels)]
    torch.testing.assert_close(losses.quantile_loss(pred, target, levels=levels), sum(each) / 3)
    fall = torch.clamp(pred[:, :-1] - pred[:, 1:], min=0).sum(1).mean()
    torch.testing.assert_close(losses.quantile_loss(pred, target, levels=levels, crossing=2.0), sum(each) / 3 + 2 * fall)
    for bad in ((0.9, 0.1, 0.5), (0.1, 0.5)):
        with pytest.raises(DataError):
            losses.quantile_loss(pred, target, levels=bad)


def test_likelihoods_with_a_variance() -> None:
    pred, target = pair(16, 6)
    var = (torch.rand(6, dtype=torch.float64, generator=torch.Generator().manual_seed(2)) + 0.2).requires_grad_()
    mine = losses.gaussian_nll_loss(pred, target, var=var)
    expected = F.gaussian_nll_loss(pred, target, var)
    torch.testing.assert_close(mine, expected)
    for ours, theirs in zip(torch.autograd.grad(mine, (pred, var)), torch.autograd.grad(expected, (pred, var)), strict=True):
        torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(losses.gaussian_nll_loss(pred, target, log_var=var.log()), expected)
    (flat,) = torch.autograd.grad(losses.beta_nll_loss(pred, target, var=var, beta=1.0), pred)
    (square,) = torch.autograd.grad(losses.half_mse_loss(pred, target), pred)
    torch.testing.assert_close(flat, square)
    faithful = losses.faithful_nll_loss(pred, target, var=var)
    torch.testing.assert_close(torch.autograd.grad(faithful, pred, retain_graph=True)[0], square)
    torch.testing.assert_close(torch.autograd.grad(faithful, var)[0], torch.autograd.grad(expected_again(pred, target, var), var)[0])
    for given in ({}, {"var": var, "log_var": var}):
        with pytest.raises(DataError, match="var= or log_var="):
            losses.gaussian_nll_loss(pred, target, **given)
    with pytest.raises(DataError, match=r"pred has shape \(6,\) and var \(6, 1\)"):
        losses.gaussian_nll_loss(pred, target, var=var[:, None])


def expected_again(pred: torch.Tensor, target: torch.Tensor, var: torch.Tensor) -> torch.Tensor:
    """torch's likelihood once more, for a second gradient."""
    return F.gaussian_nll_loss(pred, target, var)


def test_the_adaptive_loss_is_a_likelihood_and_learns() -> None:
    """Z(1) = 2 e K_1(1) and Z(2) = sqrt(2 pi); Barron (2019), and a fit to Cauchy errors asks for a smaller shape than one to normal ones."""
    zero = torch.zeros(1, dtype=torch.float64)
    at_one = losses.adaptive_loss(zero, zero, alpha=torch.tensor(1.0, dtype=torch.float64), scale=torch.tensor(1.0, dtype=torch.float64))
    assert math.exp(at_one.item()) == pytest.approx(2 * math.e * 0.6019072301972346, rel=1e-9)
    for shape in (0.001, 0.7, 1.999):
        alpha = torch.tensor(shape, dtype=torch.float64)
        normaliser = losses.adaptive_loss(zero, zero, alpha=alpha, scale=torch.ones((), dtype=torch.float64)).exp().item()
        rho = lambda x, a=shape: ((x * x / (2 - a) + 1) ** (mpmath.mpf(a) / 2) - 1) * (2 - a) / a  # noqa: E731
        integral = 2 * mpmath.quad(lambda x, r=rho: mpmath.exp(-r(x)), [0, 1, 10, 1000, mpmath.inf])
        assert normaliser == pytest.approx(float(integral), rel=2e-8)
    shapes = {}
    for law, errors in (("normal", torch.randn(2000)), ("cauchy", torch.distributions.Cauchy(0.0, 1.0).sample((2000,)))):
        criterion = losses.AdaptiveLoss()
        steps = torch.optim.Adam(criterion.parameters(), lr=0.1)
        for _ in range(60):
            steps.zero_grad()
            criterion(errors, torch.zeros_like(errors)).backward()
            steps.step()
        shapes[law] = float(criterion.alpha.detach())
    assert shapes["cauchy"] < 0.5 < 1.5 < shapes["normal"]


# --- a loss of one's own, and refusals ------------------------------------------------------------------------------


def test_a_loss_of_ones_own() -> None:
    pred, target = pair(17, 5)

    @pointwise(psi=lambda xp, u, high: 2 * u * xp.where(u > 0, high, 1.0), kappa=lambda xp, u, high: 2 * xp.where(u > 0, high, 1.0))
    def late(xp: Any, u: Any, high: float = 3.0) -> Any:
        return u * u * xp.where(u > 0, high, 1.0)

    @pointwise()
    def derived(xp: Any, u: Any, high: float = 3.0) -> Any:
        return u * u * xp.where(u > 0, high, 1.0)

    for kernel in (late, derived):
        function = losses.loss(kernel)
        e = pred - target
        torch.testing.assert_close(function(pred, target, high=5.0), (e * e * torch.where(e > 0, 5.0, 1.0)).mean())
        assert torch.autograd.gradcheck(lambda p, f=function: f(p, target, mask=target > 0), (pred,))
    assert checked(late, {}) == {"high": 3.0}
    with pytest.raises(DataError, match="kappa is missing"):
        pointwise(psi=lambda xp, u: u)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"reduction": "avg"}, "reduction is 'avg'; expected one of 'none', 'sum', 'mean', 'per_sample'"),
        ({"reduction": ["mean"]}, "expected one of"),
        ({"reduction": "menan"}, "Did you mean 'mean'?"),
        ({"denom": "wieght"}, "Did you mean 'weight'?"),
        ({"denom": 0}, "denom is 0; expected a number above 0"),
        ({"denom": "count", "reduction": "sum"}, "leave denom out"),
        ({"denom": "weight"}, "denom is 'weight' and there is none"),
        ({"delta": 0.0}, "huber_loss: delta is 0.0; expected a number above 0"),
        ({"beta": 1.0}, "huber_loss has no setting 'beta'; it takes delta"),
        ({"mask": torch.ones(4)}, "expected True where a target counts"),
        ({"mask": torch.ones(3, dtype=torch.bool)}, r"mask has shape \(3,\) and pred \(4, 2\)"),
        ({"sample_weight": torch.ones(2)}, r"sample_weight has shape \(2,\)"),
        ({"output_weight": torch.ones(4)}, r"output_weight has shape \(4,\)"),
        ({"weight": torch.ones(4, 1)}, "sample_weight= takes the first axes"),
    ],
)
def test_refusals(given: dict[str, Any], words: str) -> None:
    pred, target = pair(18, 4, 2)
    with pytest.raises(DataError, match=words.replace("?", r"\?").replace("(4,", r"\(4,") if "\\" not in words else words):
        losses.huber_loss(pred, target, **given)


def test_shapes_are_never_broadcast() -> None:
    with pytest.raises(DataError, match=r"pred has shape \(4, 1\) and target \(4,\); .*target\[..., None\]"):
        losses.mse_loss(torch.zeros(4, 1), torch.zeros(4))
    with pytest.raises(DataError, match=r"target\[..., 0\]"):
        losses.log_cosh_loss(torch.zeros(4), torch.zeros(4, 1))
    with pytest.raises(DataError, match="target is a list; expected a dense tensor"):
        losses.mse_loss(torch.zeros(2), [0.0, 0.0])  # type: ignore[arg-type]
    with pytest.raises(DataError, match="needs floating-point predictions"):
        losses.mse_loss(torch.zeros(4, dtype=torch.int64), torch.zeros(4))
    image = torch.tensor([[3, 250]], dtype=torch.uint8)
    assert losses.mse_loss(torch.tensor([[5.0, 255.0]]), image).item() == (4 + 25) / 2
