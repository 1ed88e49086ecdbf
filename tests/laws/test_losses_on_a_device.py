"""The losses of torch by way of the kernel for GPUs, which runs in Triton's interpreter here: the same functions, values and derivatives."""

from typing import Any

import numpy as np
import pytest
import torch
from torch.testing import assert_close

import squarely.losses.torch as losses
from squarely.losses.forms import Pointwise
from squarely.losses.kernels import KERNELS
from squarely.losses.torch import cuda, one_pass

pytest.importorskip("triton", reason="Triton is for Linux")

from squarely.losses.fused import launch

pytestmark = pytest.mark.filterwarnings("ignore:<class 'torch.autograd.function.Function'> should not be instantiated:DeprecationWarning")
NAN = float("nan")


@pytest.fixture(autouse=True)
def launches(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Tensors of the processor taken for those of a GPU, in tiles of a few elements; how often the kernel was launched."""
    counted: list[Any] = []

    def counting(*given: Any, **asked: Any) -> Any:
        counted.append(asked)
        return cuda.one_pass(*given, **asked)

    monkeypatch.setattr(launch, "TILE", 32)
    monkeypatch.setattr(one_pass, "ENGINES", {"cpu": one_pass.Engine(cuda.takes, counting, cuda.multiplied, (torch.float16,))})
    for name in ("mse_loss", "l1_loss", "huber_loss", "smooth_l1_loss"):
        monkeypatch.setattr(getattr(losses, name), "_native", None)
    with np.errstate(all="ignore"):
        yield counted


def drawn(*shape: int, dtype: Any = torch.float64) -> tuple[torch.Tensor, torch.Tensor]:
    """Predictions that ask for a gradient, and targets, above -1."""
    both = torch.rand(2, *shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64) * 3 - 0.9
    return both[0].to(dtype).requires_grad_(), both[1].to(dtype)


def composed(name: str, pred: torch.Tensor, target: torch.Tensor, **given: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """Value and gradient by composition, which a target that asks for a gradient gets."""
    leaf = pred.detach().clone().requires_grad_()
    value = getattr(losses, name)(leaf, target.clone().requires_grad_(), **given)
    value.sum().backward()
    assert leaf.grad is not None
    return value.detach(), leaf.grad


@pytest.mark.parametrize("name", sorted(KERNELS))
def test_every_loss_is_one_launch(name: str, launches: list[Any]) -> None:
    pred, target = drawn(5, 23)
    value = getattr(losses, name)(pred, target)
    value.backward()
    assert len(launches) == 1
    for found, expected in zip((value.detach(), pred.grad), composed(name, pred, target), strict=True):
        assert_close(found, expected, rtol=1e-11, atol=1e-13)


OPTIONS: list[dict[str, Any]] = [
    {"reduction": "sum"},
    {"reduction": "per_sample"},
    {"weight": torch.linspace(0, 2, 115, dtype=torch.float64).reshape(5, 23)},
    {"sample_weight": torch.tensor([1.0, 0.0, 2.0, 0.5, 1.0], dtype=torch.float64), "denom": "batch"},
    {"mask": torch.arange(115).reshape(5, 23) % 3 == 0},
    {"mask": torch.zeros(5, 23, dtype=torch.bool)},
    {"mask": torch.tensor([True, False, True, True, False]), "output_weight": torch.linspace(0.1, 2, 23, dtype=torch.float64)},
]


@pytest.mark.parametrize("given", OPTIONS, ids=lambda given: "-".join(given))
@pytest.mark.parametrize("name", ["mse_loss", "huber_loss", "log_cosh_loss"])
def test_options_are_part_of_the_pass(name: str, given: dict[str, Any], launches: list[Any]) -> None:
    pred, target = drawn(5, 23)
    value = getattr(losses, name)(pred, target, **given)
    value.sum().backward()
    assert launches
    for found, expected in zip((value.detach(), pred.grad), composed(name, pred, target, **given), strict=True):
        assert_close(found, expected, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32, torch.float64])
@pytest.mark.parametrize("given", [{}, *OPTIONS], ids=lambda given: "-".join(given))
def test_a_value_is_as_wide_as_by_composition_and_may_be_added_to(given: dict[str, Any], dtype: torch.dtype) -> None:
    pred, target = drawn(5, 23, dtype=dtype)
    given = {key: each.to(dtype) if isinstance(each, torch.Tensor) and each.is_floating_point() else each for key, each in given.items()}
    value = losses.cauchy_loss(pred, target, **given)
    expected, gradient = composed("cauchy_loss", pred, target, **given)
    assert (value.dtype, value.shape) == (expected.dtype, expected.shape)
    value += 1.0
    value.sum().backward()
    assert_close(value.detach() - 1.0, expected, rtol=1e-5, atol=1e-6)
    assert pred.grad is not None
    assert_close(pred.grad, gradient, rtol=2 * torch.finfo(dtype).eps, atol=1e-6)


def test_a_missing_target_reaches_nothing(launches: list[Any]) -> None:
    pred, target = drawn(3, 40)
    with torch.no_grad():
        target[1, 7] = pred[2, 3] = NAN
        target[2, 3] = NAN
    value = losses.huber_loss(pred, target, nan_target="omit")
    value.backward()
    assert launches
    assert pred.grad is not None
    assert pred.grad[1, 7] == pred.grad[2, 3] == 0
    there = ~target.isnan()
    assert_close(value.detach(), composed("huber_loss", pred[there], target[there])[0], rtol=1e-12, atol=0)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("factor", [1.0, 1024.0, 0.3])
def test_half_types_are_rounded_once_for_factors_that_are_powers_of_two(dtype: torch.dtype, factor: float, launches: list[Any]) -> None:
    pred, target = drawn(4, 37, dtype=dtype)
    (losses.mse_loss(pred, target) * factor).backward()
    assert launches
    assert pred.grad is not None
    true = factor * 2 * (pred.detach().double() - target.double()) / pred.numel()
    once = dtype is torch.float16 or factor in (1.0, 1024.0)
    assert_close(pred.grad.double(), true.to(dtype).double(), rtol=0 if once else 2 * torch.finfo(dtype).eps, atol=0)


@pytest.mark.parametrize("factor", [1.0, 1024.0])
def test_a_gradient_of_float16_is_made_once(factor: float, launches: list[Any]) -> None:
    """With the factor of the loss, for without it there may be nothing left of it, and on a device nobody knows it before."""
    pred, target = drawn(4, 37, dtype=torch.float16)
    value = losses.mse_loss(pred, target)
    assert [each["asks"] for each in launches] == [[False]]
    (found,) = torch.autograd.grad(value, pred, torch.tensor(factor), retain_graph=True)
    assert [each["asks"] for each in launches] == [[False], [True]]
    assert_close(torch.autograd.grad(value, pred, torch.tensor(factor))[0], found, rtol=0, atol=0)
    assert_close(found, composed("mse_loss", pred, target)[1] * factor, rtol=2.0**-10, atol=2.0**-24 * factor)


@pytest.mark.parametrize("name", sorted(KERNELS))
def test_gradients_of_gradients_and_transforms_are_right(name: str, launches: list[Any]) -> None:
    pred, target = drawn(2, 2)
    loss = getattr(losses, name)
    assert torch.autograd.gradcheck(lambda p: loss(p, target), pred)
    assert torch.autograd.gradgradcheck(lambda p: loss(p, target), pred)
    done = len(launches)
    assert done
    value = loss(pred, target)
    (slope,) = torch.autograd.grad(value, pred)
    assert_close(torch.func.grad(loss)(pred.detach(), target), slope)
    assert_close(torch.func.vmap(torch.func.grad(loss))(pred.detach(), target) / 2, slope)
    torch._dynamo.reset()
    compiled = torch.compile(loss, fullgraph=True, backend="aot_eager")(pred, target)
    assert_close(compiled.detach(), value.detach(), rtol=1e-12, atol=1e-15)
    assert_close(torch.autograd.grad(compiled, pred)[0], slope)
    assert len(launches) == done + 1


def test_no_element_is_no_loss(launches: list[Any]) -> None:
    pred, target = drawn(0, 5)
    value = losses.mse_loss(pred, target)
    value.backward()
    assert value == 0
    assert pred.grad is not None
    assert pred.grad.shape == (0, 5)


def test_a_view_with_holes_is_taken(launches: list[Any]) -> None:
    whole, target = drawn(6, 30)
    pred = whole[::2, ::3]
    value = losses.log_cosh_loss(pred, target[::2, ::3])
    value.backward()
    assert launches
    expected, gradient = composed("log_cosh_loss", pred, target[::2, ::3])
    assert_close(value.detach(), expected, rtol=1e-12, atol=0)
    assert whole.grad is not None
    assert_close(whole.grad[::2, ::3], gradient, rtol=1e-12, atol=0)
    assert whole.grad.count_nonzero() == gradient.count_nonzero()


def test_where_triton_does_not_work_losses_are_composed_and_say_so_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in an image without a compiler of C."""

    def no_compiler(*given: Any) -> Any:
        raise RuntimeError("Failed to find C compiler")

    monkeypatch.setattr("squarely.losses.fused.multiplied", no_compiler)
    pred, target = drawn(4, 4)
    cuda._works.cache_clear()
    try:
        with pytest.warns(RuntimeWarning, match="Failed to find C compiler") as told:
            values = [losses.mse_loss(pred, target) for _ in range(2)]
    finally:
        cuda._works.cache_clear()
    assert len(told) == 1
    for value in values:
        assert "OnePass" not in type(value.grad_fn).__name__
        assert_close(value.detach(), ((pred - target) ** 2).mean().detach())


def test_a_device_that_is_too_old_is_left_to_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (7, 5))
    assert not cuda.takes(Pointwise(KERNELS["mse_loss"]), torch.device("cuda", 9))


def test_without_triton_losses_are_composed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cuda, "_fused", lambda: None)
    pred, target = drawn(4, 4)
    value = losses.mse_loss(pred, target)
    assert "OnePass" not in type(value.grad_fn).__name__
    assert_close(value.detach(), ((pred - target) ** 2).mean().detach())
