"""What the mission's texts claim of losses and of frameworks, each claim by its number; a wrong one is held to its right form.

Left out are those that belong to experiments: diffusion, distillation, temporal differences, energies, equations of state, controls, networks.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import squarely as sq
import squarely.losses.torch as losses
from squarely.errors import DataError
from squarely.losses.kernels import KERNELS

pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")  # torch's own
ACTUAL = torch.tensor([250.0, 300.0, 180.0, 420.0, 350.0], dtype=torch.float64)
PREDICTED = torch.tensor([240.0, 310.0, 200.0, 400.0, 360.0], dtype=torch.float64)
RNG = np.random.default_rng(283)


def gradient(loss: Callable[..., torch.Tensor], pred: torch.Tensor, *others: torch.Tensor, **given: Any) -> torch.Tensor:
    """The gradient by the prediction."""
    leaf = pred.detach().clone().requires_grad_()
    return torch.autograd.grad(loss(leaf, *others, **given), leaf)[0]


def best(loss: Callable[..., torch.Tensor], sample: torch.Tensor, grid: torch.Tensor, **given: Any) -> float:
    """The constant of least loss on a grid."""
    costs = torch.stack([loss(torch.full_like(sample, float(c)), sample, **given) for c in grid])
    return float(grid[int(costs.argmin())])


def test_4_the_metric_and_the_loss_are_one_quantity() -> None:
    assert losses.mse_loss(PREDICTED, ACTUAL).item() == sq.mse(ACTUAL, PREDICTED) == 220.0
    shift = 1e-4 * torch.eye(5, dtype=torch.float64)
    central = [(losses.mse_loss(PREDICTED + h, ACTUAL) - losses.mse_loss(PREDICTED - h, ACTUAL)) / 2e-4 for h in shift]
    torch.testing.assert_close(gradient(losses.mse_loss, PREDICTED, ACTUAL), torch.stack(central), rtol=0, atol=1e-7)


@pytest.mark.parametrize("name", ["mse_loss", "half_mse_loss", "log_cosh_loss", "pseudo_huber_loss"])
def test_18_smooth_everywhere(name: str) -> None:
    kernel = KERNELS[name]
    u = np.append(RNG.normal(0, 3, 1000), 0.0)
    settings = {key: each.default for key, each in kernel.settings.items()}
    central = (kernel.rho(np, u + 1e-5, **settings) - kernel.rho(np, u - 1e-5, **settings)) / 2e-5
    np.testing.assert_allclose(kernel.psi(np, u, **settings), central, atol=1e-7)
    assert np.isfinite(kernel.kappa(np, u, **settings)).all()


def test_19_50_the_gradient_of_each_prediction() -> None:
    found = gradient(losses.mse_loss, PREDICTED, ACTUAL)
    assert found.tolist() == pytest.approx([-4, 4, 8, -8, 4], rel=1e-15)
    assert float(found.sum()) == pytest.approx(4.0)  # the sum over all is the derivative along a common shift


def test_24_the_gradient_is_lipschitz_everywhere_with_2_over_n() -> None:
    for scale in (1.0, 1e6):
        a, b = (scale * torch.tensor(RNG.normal(size=5)) for _ in range(2))
        ratio = (gradient(losses.mse_loss, a, ACTUAL) - gradient(losses.mse_loss, b, ACTUAL)).norm() / (a - b).norm()
        assert float(ratio) == pytest.approx(2 / 5, rel=1e-9)


def test_25_the_hessian_is_constant_and_one_newton_step_is_least_squares() -> None:
    hessian = torch.func.hessian(lambda p: losses.mse_loss(p, ACTUAL))(PREDICTED)
    torch.testing.assert_close(hessian, 2 / 5 * torch.eye(5, dtype=torch.float64))
    x, y = torch.tensor(RNG.normal(size=(40, 3))), torch.tensor(RNG.normal(size=40))

    def cost(w: torch.Tensor) -> torch.Tensor:
        return losses.mse_loss(x @ w, y)

    start = torch.tensor(RNG.normal(size=3) * 100)
    stepped = start - torch.linalg.solve(torch.func.hessian(cost)(start), torch.func.grad(cost)(start))
    torch.testing.assert_close(stepped, torch.linalg.lstsq(x, y[:, None]).solution[:, 0], rtol=0, atol=1e-9)


def test_51_steps_of_the_square_shrink_and_those_of_the_absolute_value_do_not() -> None:
    square, absolute = torch.ones(1, dtype=torch.float64), torch.full((1,), 0.95, dtype=torch.float64)
    zero = torch.zeros(1, dtype=torch.float64)
    for _ in range(140):
        before = square
        square = square - 0.1 * gradient(losses.mse_loss, square, zero)
        absolute = absolute - 0.1 * gradient(losses.l1_loss, absolute, zero)
        assert float(square) == pytest.approx(0.8 * float(before), rel=1e-12)
    assert float(square) < 1e-12
    assert 0.04 < abs(float(absolute)) <= 0.1


def test_64_what_dampens_large_errors() -> None:
    u = np.array([0.5, 2.0, 50.0])
    assert KERNELS["huber_loss"].psi(np, u, delta=1.345).tolist() == [0.5, 1.345, 1.345]
    assert KERNELS["tukey_loss"].psi(np, u, c=4.685)[2] == 0
    np.testing.assert_allclose(KERNELS["log_cosh_loss"].psi(np, u, delta=1.0), np.tanh(u), rtol=1e-15)
    half = KERNELS["half_mse_loss"].psi(np, u)
    assert (half == u).all()


def test_65_a_trimmed_loss_leaves_leverage_points_alone() -> None:
    x = torch.tensor(RNG.normal(size=200))
    y = 2 * x + 0.3 * torch.tensor(RNG.normal(size=200))
    x[:30], y[:30] = 6.0 + 0.1 * x[:30], -4.0
    slopes = {}
    for trim in (0.0, 0.25):
        w = torch.tensor([0.0, 0.0], dtype=torch.float64)
        for _ in range(500):
            w = w - 0.02 * gradient(lambda w, t: losses.trimmed_loss(w[0] + w[1] * x, y, trim=t), w, trim)  # type: ignore[arg-type]
        slopes[trim] = float(w[1])
    assert losses.trimmed_loss(PREDICTED, ACTUAL, trim=0.0) == losses.mse_loss(PREDICTED, ACTUAL)
    assert abs(slopes[0.25] - 2) < 0.12
    assert abs(slopes[0.0] - 2) > 0.9


def test_66_a_weight_of_0_is_deletion_and_the_scale_of_weights_is_nothing() -> None:
    w = torch.tensor([1.0, 0.0, 2.0, 0.5, 0.0], dtype=torch.float64)
    kept = w > 0
    whole = losses.mse_loss(PREDICTED, ACTUAL, sample_weight=w)
    assert whole == losses.mse_loss(PREDICTED[kept], ACTUAL[kept], sample_weight=w[kept])
    assert whole == losses.mse_loss(PREDICTED, ACTUAL, sample_weight=4 * w)


def test_67_89_pinball_finds_quantiles() -> None:
    levels = torch.linspace(0, 1, 4002, dtype=torch.float64)[1:-1]
    exponential = -torch.log1p(-levels)
    grid = torch.linspace(0, 4, 4001, dtype=torch.float64)
    assert best(losses.pinball_loss, exponential, grid, alpha=0.9) == pytest.approx(math.log(10), abs=2e-3)
    for alpha in (0.1, 0.5, 0.7):
        assert best(losses.pinball_loss, exponential, grid, alpha=alpha) == pytest.approx(-math.log1p(-alpha), abs=2e-3)


def test_71_85_172_huber_and_smooth_l1() -> None:
    huber, u = KERNELS["huber_loss"], np.linspace(-5, 5, 41)
    np.testing.assert_allclose(huber.rho(np, 7 * u, delta=7 * 1.3), 49 * huber.rho(np, u, delta=1.3), rtol=1e-14)
    for side in (1 - 1e-15, 1 + 1e-15):
        assert huber.rho(np, np.array([1.3 * side]), delta=1.3)[0] == pytest.approx(1.3**2 / 2, rel=4e-15)
        assert huber.psi(np, np.array([1.3 * side]), delta=1.3)[0] == pytest.approx(1.3, rel=4e-15)
    np.testing.assert_allclose(KERNELS["smooth_l1_loss"].rho(np, u, beta=1.3), huber.rho(np, u, delta=1.3) / 1.3, rtol=1e-15)
    assert losses.huber_loss(PREDICTED, ACTUAL, delta=1e9) == losses.mse_loss(PREDICTED, ACTUAL) / 2
    tiny = losses.huber_loss(PREDICTED, ACTUAL, delta=1e-9) / 1e-9
    assert float(tiny) == pytest.approx(float(losses.l1_loss(PREDICTED, ACTUAL)), rel=1e-9)


def test_86_asymmetric_squares_find_expectiles_and_linex_its_mean() -> None:
    uniform = (torch.arange(4000, dtype=torch.float64) + 0.5) / 4000
    grid = torch.linspace(0, 1, 3001, dtype=torch.float64)
    expected = (0.8 - math.sqrt(0.8 - 0.8**2)) / (2 * 0.8 - 1)
    assert expected == pytest.approx(2 / 3)
    assert best(losses.expectile_loss, uniform, grid, alpha=0.8) == pytest.approx(expected, abs=5e-4)
    a = 1.5
    target = -math.log(float(torch.exp(-a * uniform).mean())) / a
    assert best(losses.linex_loss, uniform, grid, a=a) == pytest.approx(target, abs=5e-4)


def test_105_the_gradient_of_a_weighted_sum_is_the_weighted_sum_of_gradients() -> None:
    both = gradient(lambda p, y: 0.7 * losses.mse_loss(p, y) + 0.3 * losses.log_cosh_loss(p, y), PREDICTED, ACTUAL)
    parts = 0.7 * gradient(losses.mse_loss, PREDICTED, ACTUAL) + 0.3 * gradient(losses.log_cosh_loss, PREDICTED, ACTUAL)
    torch.testing.assert_close(both, parts, rtol=1e-12, atol=0)


def test_118_254_a_factor_of_the_loss_is_one_of_the_step() -> None:
    mean = 0.1 * gradient(losses.mse_loss, PREDICTED, ACTUAL)
    total = 0.1 / 5 * gradient(losses.mse_loss, PREDICTED, ACTUAL, reduction="sum")
    halved = 0.2 * gradient(losses.half_mse_loss, PREDICTED, ACTUAL)
    torch.testing.assert_close(mean, total, rtol=1e-15, atol=0)
    torch.testing.assert_close(mean, halved, rtol=1e-15, atol=0)


def test_165_the_gradient_points_to_the_steepest_ascent() -> None:
    g = gradient(losses.mse_loss, PREDICTED, ACTUAL)
    directions = torch.tensor(RNG.normal(size=(1000, 5)))
    directions = directions / directions.norm(dim=1, keepdim=True)
    assert (directions @ g <= g.norm() * (1 + 1e-12)).all()


def test_166_the_gradient_of_a_linear_model_is_error_times_feature() -> None:
    x, w = torch.tensor(RNG.normal(size=(30, 2))), torch.tensor([0.3, -2.0], dtype=torch.float64)
    y = torch.tensor(RNG.normal(size=30))
    found = gradient(lambda w, y: losses.mse_loss(x @ w, y), w, y)
    torch.testing.assert_close(found, 2 / 30 * x.T @ (x @ w - y), rtol=1e-12, atol=1e-14)


def test_187_a_mean_over_what_is_there_is_the_risk() -> None:
    """The risk of predicting 0 is 6; divided by n it is what share is observed of it."""
    y = torch.tensor(RNG.normal(0, math.sqrt(6), 40_000))
    seen = torch.tensor(RNG.random(40_000) < 0.5)
    of_all = losses.mse_loss(torch.zeros_like(y), y, mask=seen, denom="count")
    of_seen = losses.mse_loss(torch.zeros_like(y), y, mask=seen)
    assert float(of_all) == pytest.approx(3.0, abs=0.1)
    assert float(of_seen) == pytest.approx(6.0, abs=0.2)
    nothing = losses.mse_loss.terms(torch.zeros_like(y), y, mask=torch.zeros_like(seen))
    assert (float(nothing.num), float(nothing.den)) == (0.0, 0.0)


def test_190_191_whitening_turns_generalised_least_squares_into_plain() -> None:
    root = torch.tensor([[2.0, 0.0], [1.2, 0.7]], dtype=torch.float64)
    covariance = root @ root.T
    e = torch.tensor(RNG.normal(size=(20_000, 2))) @ root.T
    zero = torch.zeros_like(e)
    total = losses.mse_loss(e[:50], zero[:50], covariance=covariance, reduction="sum")
    assert float(total) == pytest.approx(float((e[:50] @ torch.linalg.inv(covariance) * e[:50]).sum()), rel=1e-13)
    each = losses.mse_loss(e, zero, covariance=covariance, reduction="none")
    assert each.mean(0).tolist() == pytest.approx([1.0, 1.0], abs=0.06)


def test_193_hidden_joints_have_no_gradient() -> None:
    target = torch.zeros(6, 24, 24, dtype=torch.float64)
    visible = torch.tensor([True, True, True, True, False, False])
    pred = target + 0.1
    assert float(losses.mse_loss(pred, target, mask=visible)) == pytest.approx(0.01)
    assert float(losses.mse_loss(pred, target, mask=visible, denom="count")) == pytest.approx(0.02 / 3)
    assert not gradient(losses.mse_loss, pred, target, mask=visible)[4:].any()


def test_228_229_230_influence() -> None:
    """What one more row at z adds to an estimate of the centre, times the number of rows."""
    rows = torch.tensor(RNG.normal(size=101))

    def centre(loss: Callable[..., torch.Tensor], z: float, **given: Any) -> float:
        sample = torch.cat([rows, torch.tensor([z], dtype=torch.float64)])
        low, high = float(sample.min()), float(sample.max())
        for _ in range(200):
            middle = (low + high) / 2
            slope = gradient(loss, torch.full_like(sample, middle), sample, **given).sum()
            low, high = (middle, high) if slope < 0 else (low, middle)
        return (low + high) / 2

    mean = [102 * (centre(losses.mse_loss, z) - float(rows.mean())) for z in (100.0, 1e6)]
    assert mean == pytest.approx([z - float(rows.mean()) for z in (100.0, 1e6)], rel=1e-9)
    for loss, given in ((losses.l1_loss, {}), (losses.huber_loss, {"delta": 1.345})):
        near, far = (centre(loss, z, **given) for z in (100.0, 1e6))  # type: ignore[arg-type]
        assert near == pytest.approx(far, abs=1e-6)


def test_234_a_variance_is_learned_with_the_mean() -> None:
    x = torch.tensor(RNG.uniform(0, 1, 4000))
    y = 1 + 2 * x + torch.exp((-4 + 4 * x) / 2) * torch.tensor(RNG.normal(size=4000))
    w = torch.zeros(4, dtype=torch.float64)
    optimizer_state = torch.zeros(4, dtype=torch.float64)
    for _ in range(3000):
        g = gradient(lambda w: losses.gaussian_nll_loss(w[0] + w[1] * x, y, log_var=w[2] + w[3] * x), w)
        optimizer_state = 0.9 * optimizer_state + g
        w = w - 0.02 * optimizer_state
    assert w.tolist() == pytest.approx([1, 2, -4, 4], abs=0.25)
    z = (y - w[0] - w[1] * x) / torch.exp((w[2] + w[3] * x) / 2)
    assert float((z.abs() < 1.96).double().mean()) == pytest.approx(0.95, abs=0.012)


def test_251_squares_of_vectors_add_up_and_frameworks_average() -> None:
    pred, target = torch.tensor(RNG.normal(size=(7, 3))), torch.tensor(RNG.normal(size=(7, 3)))
    lengths = ((pred - target) ** 2).sum(1).mean()
    assert float(losses.mse_loss(pred, target, denom="batch")) == pytest.approx(float(lengths))
    assert float(losses.mse_loss(pred, target)) == pytest.approx(float(lengths) / 3)


def test_255_265_half_of_the_square_has_the_error_as_gradient_which_points_away_from_the_target() -> None:
    found = gradient(losses.half_mse_loss, PREDICTED, ACTUAL, reduction="sum")
    torch.testing.assert_close(found, PREDICTED - ACTUAL, rtol=0, atol=0)
    assert float(-found @ (ACTUAL - PREDICTED)) > 0


def test_257_the_absolute_value_has_a_corner_and_the_square_has_none() -> None:
    for name, jump in (("l1_loss", 2.0), ("mse_loss", 0.0)):
        psi = KERNELS[name].psi
        assert psi(np, np.array([1e-300]))[0] - psi(np, np.array([-1e-300]))[0] == pytest.approx(jump, abs=1e-290)


def test_261_262_the_square_is_a_likelihood_under_normal_errors() -> None:
    variance = torch.full_like(ACTUAL, 37.0)
    gaps = [
        float(losses.gaussian_nll_loss(p, ACTUAL, var=variance, reduction="sum") - losses.mse_loss(p, ACTUAL, reduction="sum") / (2 * 37))
        for p in (PREDICTED, ACTUAL, PREDICTED * 2)
    ]
    assert gaps == pytest.approx([gaps[0]] * 3, rel=1e-10)


# --- parity with the pages of the frameworks --------------------------------------------------------------------------


def test_the_example_of_every_page() -> None:
    pred, target = torch.tensor([2.5, 0.0, 2.0, 8.0]), torch.tensor([3.0, -0.5, 2.0, 7.0])
    assert losses.mse_loss(pred, target).item() == 0.375
    assert losses.MSELoss()(pred, target).item() == 0.375
    assert losses.half_mse_loss(pred, target, reduction="none").tolist() == [0.125, 0.125, 0.0, 0.5]
    assert losses.mse_loss(pred, target, reduction="sum").item() == 1.5
    with pytest.raises(DataError, match=r"pred has shape \(4, 1\)"):  # NumPy's one line says 16.15625
        losses.mse_loss(pred[:, None], target)
