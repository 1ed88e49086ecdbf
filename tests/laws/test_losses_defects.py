"""What other libraries were seen to do wrong, with the numbers: each is a test that ours does not."""

from __future__ import annotations

import inspect
import math

import numpy as np
import pytest
import torch

import squarely.losses.torch as losses
from squarely.errors import DataError
from squarely.losses.kernels import KERNELS


def test_tukey_is_not_inverted() -> None:
    """neuralforecast's is largest, 3.658, at 0, falls to 0 at c, and pulls the wrong way at 1."""
    tukey, u, top = KERNELS["tukey_loss"], np.array([0.0, 1.0, 4.685, 9.0]), 4.685**2 / 6
    assert tukey.rho(np, u, c=4.685).tolist() == pytest.approx([0.0, top * (1 - (1 - 1 / 4.685**2) ** 3), top, top])
    assert tukey.psi(np, u, c=4.685)[1] == pytest.approx((1 - 1 / 4.685**2) ** 2)


def test_divergence_is_not_turned_into_0_or_a_constant() -> None:
    """neuralforecast returns 0.0 for a loss of nan or infinity, pytorch-forecasting 1e9 without a gradient."""
    pred = torch.tensor([math.inf, 1.0], requires_grad=True)
    assert losses.mse_loss(pred, torch.zeros(2), mask=torch.ones(2, dtype=torch.bool)) == math.inf
    assert torch.isnan(losses.mse_loss(torch.tensor([math.nan]), torch.zeros(1), nan_target="omit"))


def test_a_masked_nan_target_reaches_no_gradient() -> None:
    """mask times square, weight 0, where after the square and nanmean all give a gradient of nan."""
    for given in (
        {"mask": torch.tensor([True, False])},
        {"sample_weight": torch.tensor([1.0, 0.0])},
        {"nan_target": "omit"},
    ):
        pred = torch.tensor([1.0, 2.0], requires_grad=True)
        value = losses.mse_loss(pred, torch.tensor([0.0, math.nan]), **given)  # type: ignore[arg-type]
        value.backward()
        assert (value.item(), pred.grad.tolist()) == (1.0, [2.0, 0.0])


def test_nothing_after_the_target_has_a_position() -> None:
    """neuralforecast's MAE takes (mask, y_insample), its MSE (y_insample, mask): a mask by position was ignored (1.0 for 2451.0)."""
    for name in KERNELS:
        parameters = list(inspect.signature(getattr(losses, name)).parameters.values())
        assert {p.kind for p in parameters[2:]} == {inspect.Parameter.KEYWORD_ONLY}
        with pytest.raises(TypeError):
            getattr(losses, name)(torch.zeros(2), torch.zeros(2), torch.ones(2))


def test_a_subclass_of_tensor_keeps_its_weight() -> None:
    """torch's l1_loss drops it: 1.5 for 2.0 (pytorch#193003)."""

    class Named(torch.Tensor):
        pass

    pred = torch.tensor([1.0, 2.0]).as_subclass(Named)
    assert float(losses.l1_loss(pred, torch.zeros(2), weight=torch.tensor([0.0, 1.0]))) == 2.0


def test_one_denominator_for_every_loss() -> None:
    """torch 2.15 divides weighted squares by the weights and weighted Huber losses by the count: 4.0 and 20.0 for one number."""
    pred, target, w = torch.tensor([2.0, 2.0]), torch.zeros(2), torch.tensor([9.0, 1.0])
    assert losses.mse_loss(pred, target, weight=w) == 4.0
    assert 2 * losses.huber_loss(pred, target, weight=w, delta=1e6) == 4.0
    assert 2 * losses.huber_loss(pred, target, weight=w, delta=1e6, denom="count") == 20.0


def test_the_backward_pass_fills_nothing_with_0_first() -> None:
    """torch's mse, huber and smooth_l1 write zeros that are overwritten; the general path has none."""
    pred, target = torch.randn(1000, requires_grad=True), torch.randn(1000)
    value = losses.mse_loss(pred, target, sample_weight=torch.rand(1000) + 1)
    with torch.profiler.profile() as seen:
        value.backward()
    assert not [each.key for each in seen.key_averages() if "zero" in each.key]


def test_a_likelihood_does_not_broadcast() -> None:
    """torch's takes (8, 1) and (8,) for (8, 8) without a warning."""
    with pytest.raises(DataError, match=r"pred has shape \(8, 1\) and target \(8,\)"):
        losses.gaussian_nll_loss(torch.zeros(8, 1), torch.zeros(8), var=torch.ones(8, 1))


@pytest.mark.parametrize("name", sorted(KERNELS))
def test_every_loss_checks_shapes(name: str) -> None:
    """optax's squared_error does and its huber_loss and log_cosh do not; a tutorial of d3rlpy built 1156 x 34 differences."""
    with pytest.raises(DataError, match=r"pred has shape \(1156,\) and target \(34,\)"):
        getattr(losses, name)(torch.zeros(1156), torch.zeros(34))


def test_log_cosh_of_a_tiny_error_is_not_0() -> None:
    """The formulas of optax and Keras cancel: 0.0 for 5e-9 in float32."""
    e = torch.tensor([1e-4])
    assert (torch.logaddexp(e, -e) - math.log(2)).item() <= 0
    assert losses.log_cosh_loss(e, torch.zeros(1)).item() == pytest.approx(5e-9, rel=1e-6)


def test_a_weight_counts_once() -> None:
    """mmpose and HRNet multiply prediction and target: a weight of 0.5 counts 0.25."""
    pred, target, visible = torch.ones(1, 2, 4, 4), torch.zeros(1, 2, 4, 4), torch.tensor([[1.0, 0.5]])
    assert losses.mse_loss(pred, target, sample_weight=visible, denom="count") == 0.75


def test_an_empty_channel_does_not_silence_the_others() -> None:
    """An option of mmpose tests whether anything at all is visible; here it is asked of each channel."""
    pred, target = torch.ones(2, 3, 4, 4), torch.full((2, 3, 4, 4), torch.nan)
    target[:, 0] = 0.0
    there = torch.tensor([[True, False, False]] * 2)
    assert losses.mse_loss(pred, target, mask=there) == 1.0
    assert losses.mse_loss(pred, target, mask=there, reduction="per_sample").tolist() == [1.0, 1.0]


def test_a_weight_that_is_nan_is_seen() -> None:
    """min(snr, 5) / snr of diffusers is 0 / 0 at a signal-to-noise ratio of 0; min(1, 5 / snr) is 1 there."""
    pred, target, snr = torch.ones(2, 4), torch.zeros(2, 4), torch.tensor([0.0, 10.0])
    assert torch.isnan(losses.mse_loss(pred, target, sample_weight=snr.clamp(max=5) / snr, denom="count"))
    assert losses.mse_loss(pred, target, sample_weight=(5 / snr).clamp(max=1), denom="count") == 0.75


@pytest.mark.parametrize("name", ["l1_loss", "pinball_loss"])
def test_a_tie_has_no_gradient(name: str) -> None:
    """Liger's total variation has -1/2 there."""
    pred = torch.zeros(3, requires_grad=True)
    getattr(losses, name)(pred, torch.zeros(3)).backward()
    assert pred.grad.tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("name", ["cauchy_loss", "pseudo_huber_loss", "geman_mcclure_loss", "welsch_loss"])
def test_robust_losses_have_a_scale(name: str) -> None:
    """kornia's have none; c times the error and c times the scale are c squared times the loss."""
    (scale,) = KERNELS[name].settings
    u = np.array([0.1, 1.0, 30.0])
    np.testing.assert_allclose(KERNELS[name].rho(np, 7 * u, **{scale: 7 * 1.5}), 49 * KERNELS[name].rho(np, u, **{scale: 1.5}), rtol=1e-13)
    assert getattr(losses, name)(torch.ones(2), torch.zeros(2)).ndim == 0


def test_a_module_keeps_no_masks() -> None:
    """A mask kept as a buffer was sent from rank 0 to all others (anemoi#1283)."""
    criterion = losses.MSELoss()
    criterion(torch.ones(2), torch.zeros(2), mask=torch.tensor([True, False]))
    assert not criterion.state_dict()
    assert not list(criterion.buffers())
