"""Likelihoods and patches of torch by way of the kernels for GPUs, in Triton's interpreter: the functions, against their composition in float64."""

from __future__ import annotations

import gc
import weakref
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from torch.testing import assert_close

import squarely.losses.torch as losses
from squarely.errors import DataError
from squarely.losses.torch import cuda, one_pass

pytest.importorskip("triton", reason="Triton is for Linux")

from squarely.losses.fused import launch

pytestmark = [  # torch's own, of its own parts
    pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:<class 'torch.autograd.function.Function'> should not be instantiated:DeprecationWarning"),
]
NAN = float("nan")
Tensor = torch.Tensor
SPREADS = {"gaussian_nll_loss": ("var", "log_var"), "beta_nll_loss": ("var", "log_var"), "faithful_nll_loss": ("var", "log_var")}
CASES = [(name, spread) for name, spreads in SPREADS.items() for spread in spreads] + [("patch_mse_loss", None)]
everyone = pytest.mark.parametrize(("name", "spread"), CASES)
likelihoods = pytest.mark.parametrize(("name", "spread"), CASES[:-1])


@pytest.fixture(autouse=True)
def launches(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Tensors of the processor taken for those of a GPU, in tiles of a few elements; what each launch found."""
    seen: list[Any] = []

    def watched(*given: Any, **asked: Any) -> Any:
        found = cuda.one_pass(*given, **asked)
        if found is not None:
            seen.append(found)
        return found

    monkeypatch.setattr(launch, "TILE", 32)
    monkeypatch.setattr(one_pass, "ENGINES", {"cpu": one_pass.Engine(cuda.takes, watched, cuda.multiplied, (torch.float16,))})
    with np.errstate(all="ignore"):
        yield seen


def drawn(spread: str | None, *shape: int, dtype: torch.dtype = torch.float64) -> dict[str, Tensor]:
    """What a loss has a gradient by, and the target."""
    numbers = torch.rand(3, *shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    arrays = {"pred": numbers[0] * 3, "target": numbers[1] * 3}
    if spread is not None:
        arrays[spread] = numbers[2] + 0.3 if spread == "var" else numbers[2] * 2 - 1
    return {key: each.to(dtype).requires_grad_(key != "target") for key, each in arrays.items()}


def leaves(arrays: dict[str, Tensor]) -> list[Tensor]:
    return [each for each in arrays.values() if each.requires_grad]


def both(name: str, arrays: dict[str, Tensor], **given: Any) -> tuple[list[Tensor], list[Tensor]]:
    """Value and gradients of the function as it is, and those by composition in float64, to which a target that has a gradient leads."""
    function, inner = getattr(losses, name), leaves(arrays)
    value = function(**arrays, **given)
    found = [value.detach(), *torch.autograd.grad(value.sum(), inner)]
    wide = {key: each.detach().double().requires_grad_(each.requires_grad or key == "target") for key, each in arrays.items()}
    value = function(**wide, **{key: each.double() if isinstance(each, Tensor) and each.is_floating_point() else each for key, each in given.items()})
    return found, [value.detach(), *torch.autograd.grad(value.sum(), [wide[key] for key, each in arrays.items() if each.requires_grad])]


def agree(found: list[Tensor], expected: list[Tensor], rtol: float = 1e-11) -> bool:
    for mine, theirs in zip(found, expected, strict=True):
        assert_close(mine.double(), theirs, rtol=rtol, atol=1e-13, equal_nan=True)
    return True


@everyone
@pytest.mark.parametrize("shape", [(1, 2), (5, 17), (2, 2, 33), (2, 3, 16), (35, 2)])
def test_a_loss_is_one_launch_with_all_its_gradients(name: str, spread: str | None, shape: tuple[int, ...], launches: list[Any]) -> None:
    for reduction in ("mean", "sum", "per_sample"):
        assert agree(*both(name, drawn(spread, *shape), reduction=reduction))
    assert len(launches) == 3


OPTIONS: list[dict[str, Any]] = [
    {"sample_weight": torch.tensor([1.0, 0.0, 2.0, 0.5, 1.0], dtype=torch.float64), "denom": "batch"},
    {"sample_weight": torch.tensor([1.0, 0.0, 2.0, 0.5, 1.0], dtype=torch.float64), "reduction": "per_sample"},
    {"mask": torch.tensor([True, False, True, True, False])},
    {"mask": torch.zeros(5, dtype=torch.bool)},
    {"mask": torch.arange(20).reshape(5, 4) % 3 == 0, "denom": torch.tensor(3.5)},
    {"mask": torch.arange(20).reshape(5, 4) % 3 == 0, "sample_weight": torch.linspace(0, 2, 20, dtype=torch.float64).reshape(5, 4)},
]
OF_ELEMENTS: list[dict[str, Any]] = [
    {"weight": torch.linspace(0, 2, 140, dtype=torch.float64).reshape(5, 4, 7)},
    {"mask": torch.arange(140).reshape(5, 4, 7) % 3 == 0, "output_weight": torch.linspace(0.1, 2, 7, dtype=torch.float64), "reduction": "sum"},
]


@everyone
def test_options_are_part_of_the_pass(name: str, spread: str | None, launches: list[Any]) -> None:
    cases = OPTIONS + (OF_ELEMENTS if spread else [])
    for given in cases:
        assert agree(*both(name, drawn(spread, 5, 4, 7), **given))
        terms = getattr(losses, name).terms(**drawn(spread, 5, 4, 7), **{key: each for key, each in given.items() if key != "reduction"})
        mean = getattr(losses, name)(**drawn(spread, 5, 4, 7), **{key: each for key, each in given.items() if key != "reduction"})
        assert_close(terms.mean(), mean, rtol=1e-12, atol=0.0)
    assert len(launches) == 3 * len(cases)


@pytest.mark.parametrize("settings", [{"beta": 0.0}, {"beta": 1.0}, {"beta": 0.3}])
@pytest.mark.parametrize("spread", ["var", "log_var"])
def test_beta_is_a_power_of_the_variance(spread: str, settings: dict[str, float], launches: list[Any]) -> None:
    assert agree(*both("beta_nll_loss", drawn(spread, 3, 5), **settings))
    assert launches


def test_eps_is_added_to_the_variance_of_a_patch(launches: list[Any]) -> None:
    assert agree(*both("patch_mse_loss", drawn(None, 3, 5), eps=0.25))
    assert launches


@likelihoods
@pytest.mark.parametrize("frozen", ["pred", "spread"])
def test_a_gradient_that_nobody_wants_is_not_made(name: str, spread: str, frozen: str, launches: list[Any]) -> None:
    arrays = drawn(spread, 4, 9)
    arrays[frozen if frozen == "pred" else spread].requires_grad_(False)
    assert agree(*both(name, arrays))
    assert [each is None for each in launches[0][1:]] == [frozen == "pred", frozen == "spread"]
    with torch.no_grad():
        value = getattr(losses, name)(**arrays)
    assert launches[1][1:] == (None, None)
    assert_close(value, both(name, arrays)[1][0])


@everyone
def test_a_missing_target_reaches_nothing(name: str, spread: str | None, launches: list[Any]) -> None:
    arrays = drawn(spread, 4, 3, 11)
    with torch.no_grad():
        arrays["target"][1, 2, 3] = NAN
        for each in arrays.values():
            each[3, 0] = NAN
    for reduction in ("mean", "sum", "per_sample"):
        found, expected = both(name, arrays, nan_target="omit", reduction=reduction)
        assert agree(found, expected)
        assert all(each.isfinite().all() for each in found)
        assert all((each[3, 0] == 0).all() and each[1, 2, 3] == 0 for each in found[1:])
    assert len(launches) == 3
    mask = torch.ones(4, 3, dtype=torch.bool)
    mask[1, 2] = mask[3, 0] = False
    assert agree(*both(name, arrays, mask=mask))


def test_an_infinite_pixel_is_not_a_missing_one() -> None:
    """Of infinity and its opposite the sum is nan, and yet both are there: the loss is told, and not left out."""
    arrays = drawn(None, 2, 3, 4)
    arrays["target"][1, 1, :2] = torch.tensor([torch.inf, -torch.inf])
    for each in both("patch_mse_loss", arrays, nan_target="omit"):
        assert each[0].isnan()


@everyone
def test_nan_in_every_position(name: str, spread: str | None) -> None:
    """Row i has it at i: its loss is nan, and its gradients where those of the composition are."""
    for hit in drawn(spread, 2, 2):
        arrays = drawn(spread, 17, 17)
        with torch.no_grad():
            arrays[hit].fill_diagonal_(NAN)
        found, expected = both(name, arrays, reduction="per_sample")
        assert found[0].isnan().all()
        assert agree(found, expected)
        assert both(name, arrays)[0][0].isnan()


@likelihoods
def test_a_variance_that_is_none_is_told(name: str, spread: str) -> None:
    arrays = drawn(spread, 3, 4)
    with torch.no_grad():
        arrays[spread][0, 0], arrays[spread][1, 1], arrays[spread][2, 2] = 0.0, -1.0, torch.inf if spread == "var" else 80.0
    assert agree(*both(name, arrays, reduction="per_sample"))


@everyone
@pytest.mark.parametrize("shape", [(0, 3, 4), (4, 0, 3)])
def test_no_element_is_no_loss(name: str, spread: str | None, shape: tuple[int, ...], launches: list[Any]) -> None:
    for reduction in ("mean", "sum", "per_sample"):
        found, expected = both(name, drawn(spread, *shape), reduction=reduction)
        assert agree(found, expected)
        assert not found[0].any()
    assert launches


@everyone
def test_views_with_holes_are_taken(name: str, spread: str | None, launches: list[Any]) -> None:
    whole = drawn(spread, 6, 3, 12)
    for view in (lambda x: x[::2, :, ::3], lambda x: x.transpose(0, 1), lambda x: x.transpose(0, 2), lambda x: x[:1].expand(4, 3, 12)):
        arrays = {key: view(each) for key, each in whole.items()}
        arrays["pred"] = arrays["pred"].contiguous()  # and the others lie differently
        for given in ({}, {"sample_weight": torch.linspace(0.1, 1, arrays["pred"].shape[0], dtype=torch.float64)}, {"reduction": "per_sample"}):
            assert agree(*both(name, arrays, **given))
    assert len(launches) == 12


@everyone
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("factor", [1.0, 1024.0, 0.3])
def test_narrow_types_are_computed_wide(name: str, spread: str | None, dtype: torch.dtype, factor: float, launches: list[Any]) -> None:
    """And rounded once, in half types for factors that are powers of two."""
    arrays = drawn(spread, 3, 15, dtype=dtype)
    value = getattr(losses, name)(**arrays)
    assert value.dtype is torch.float32
    assert launches
    found = torch.autograd.grad(value, leaves(arrays), torch.tensor(factor))
    expected = both(name, arrays)[1]
    assert_close(value.detach().double(), expected[0], rtol=1e-6, atol=0.0)
    once = factor != 0.3 or dtype is torch.float16
    error = {torch.float32: 4e-6, torch.float16: 2.0**-11, torch.bfloat16: 2.0**-8}[dtype] * (1.001 if once else 2)
    for mine, theirs in zip(found, expected[1:], strict=True):
        assert mine.dtype is dtype
        assert_close(mine.double(), theirs * factor, rtol=error, atol=2.0**-25 if dtype is torch.float16 else 1e-7 * factor)


@pytest.mark.parametrize("of_spread", [torch.float64, torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("of_pred", [torch.float64, torch.float32, torch.bfloat16, torch.float16])
def test_types_that_are_mixed(of_pred: torch.dtype, of_spread: torch.dtype, launches: list[Any]) -> None:
    arrays = {key: each.detach().to(of_spread if key == "var" else of_pred) for key, each in drawn("var", 4, 9).items()}
    arrays = {key: each.requires_grad_(key != "target") for key, each in arrays.items()}
    found, expected = both("gaussian_nll_loss", arrays)
    assert launches
    assert [each.dtype for each in found] == [torch.promote_types(torch.promote_types(of_pred, of_spread), torch.float32), of_pred, of_spread]
    for mine, theirs in zip(found, expected, strict=True):
        assert_close(mine.double(), theirs, rtol=max(4e-6, torch.finfo(mine.dtype).eps), atol=1e-7)


@everyone
def test_the_gradient_of_another_scale_is_as_if_the_loss_were_scaled(name: str, spread: str | None, launches: list[Any]) -> None:
    arrays = drawn(spread, 3, 40, dtype=torch.float16)
    value, gradient = getattr(losses, name).value_and_grad(**arrays, grad_scale=4096.0)
    assert launches
    expected = both(name, arrays)[1]
    assert_close(value.double(), expected[0], rtol=1e-6, atol=0.0)
    assert_close(gradient.double(), expected[1] * 4096, rtol=2.0**-11 * 1.001, atol=0.0)


@everyone
def test_derivatives_pass_through_it(name: str, spread: str | None, launches: list[Any]) -> None:
    """Numerical ones, and those of transforms and compilers, which compose."""
    arrays = drawn(spread, 3, 4)
    inner, target = leaves(arrays), arrays["target"]

    def loss(pred: Tensor, *others: Tensor, target: Tensor = target, **given: Any) -> Any:
        return getattr(losses, name)(pred, target, **dict.fromkeys([spread] if spread else [], *others), **given)

    if name == "gaussian_nll_loss" or spread is None:  # the others stop gradients on purpose, which numerical derivatives do not
        assert torch.autograd.gradcheck(loss, inner, check_forward_ad=True, check_batched_grad=True)
        assert torch.autograd.gradgradcheck(loss, inner, check_batched_grad=True)
        assert torch.autograd.gradcheck(partial(loss, reduction="per_sample"), inner)
        assert torch.autograd.gradgradcheck(partial(loss, reduction="per_sample"), inner)
    done = len(launches)
    slopes = torch.autograd.grad(loss(*inner), inner)
    assert len(launches) == done + 1
    plain, places = [each.detach() for each in inner], tuple(range(len(inner)))
    for mine, theirs in zip(torch.func.grad(loss, argnums=places)(*plain), slopes, strict=True):
        assert_close(mine, theirs)
    by_rows = torch.func.vmap(torch.func.grad(lambda t, *each: loss(*(one[None] for one in each), target=t[None]), argnums=1))(target, *plain)
    assert_close(by_rows / 3, slopes[0])
    torch._dynamo.reset()
    compiled = torch.compile(loss, fullgraph=True, backend="aot_eager")(*inner)
    for mine, theirs in zip(torch.autograd.grad(compiled, inner), slopes, strict=True):
        assert_close(mine, theirs)
    assert len(launches) == done + 1


@everyone
@pytest.mark.parametrize("given", [{}, {"reduction": "sum"}, {"reduction": "per_sample"}, {"denom": "batch"}])
def test_gradients_again_and_of_gradients(name: str, spread: str | None, given: dict[str, Any]) -> None:
    arrays = drawn(spread, 4, 6)
    weight = torch.tensor([1.0, 2.0, 0.0, 0.5], dtype=torch.float64)
    inner = leaves(arrays)

    def results() -> list[Tensor]:
        value = getattr(losses, name)(**arrays, sample_weight=weight, **given)
        factor = torch.linspace(0.7, 0.9, value.numel(), dtype=torch.float64).reshape(value.shape)
        taken = [torch.autograd.grad(value, inner, factor, retain_graph=True) for _ in range(2)]
        slopes = torch.autograd.grad(value, inner, factor, create_graph=True)
        along = sum((slope * each.detach()).sum() for slope, each in zip(slopes, inner, strict=True))
        return [*taken[0], *taken[1], *slopes, *torch.autograd.grad(along, inner)]

    found = results()
    one_pass.ENGINES.clear()
    assert agree(found, results())


@likelihoods
def test_a_variance_that_is_made_of_the_prediction_counts_for_itself(name: str, spread: str) -> None:
    """Also where gradients of gradients are asked for, and the composition sees where it comes from; and where both are one tensor."""
    arrays = drawn(spread, 4, 6)
    pred, target = arrays["pred"], arrays["target"]

    def results() -> list[Tensor]:
        found = []
        for other in (torch.nn.functional.softplus(pred), pred):
            value = getattr(losses, name)(pred, target, **{spread: other})
            found += [torch.autograd.grad(value, pred, retain_graph=True)[0], torch.autograd.grad(value, pred, create_graph=True)[0]]
            found += torch.autograd.grad((found[-1] * target).sum(), pred)
        return found

    found = results()
    one_pass.ENGINES.clear()
    assert agree(found, results())


@everyone
def test_weights_and_targets_that_have_a_gradient_are_composed(name: str, spread: str | None, launches: list[Any]) -> None:
    """The sum has the loss of each sample as its slope by that sample's weight."""
    arrays, weight = drawn(spread, 3, 4, 5), torch.ones(3, dtype=torch.float64, requires_grad=True)
    value = getattr(losses, name)(**arrays, sample_weight=weight, reduction="sum")
    each = getattr(losses, name)(**arrays, reduction="none").reshape(3, -1).sum(1)
    assert_close(torch.autograd.grad(value, weight)[0], each.detach())
    arrays["target"].requires_grad_()
    value = getattr(losses, name)(**arrays, reduction="sum")
    if spread is not None:
        by_pred, by_target = torch.autograd.grad(value, [arrays["pred"], arrays["target"]])
        assert_close(by_target, -by_pred)
    assert not launches


@likelihoods
def test_what_is_no_likelihood_is_refused_as_ever(name: str, spread: str, launches: list[Any]) -> None:
    arrays = drawn(spread, 3, 4)
    function, pred, target = getattr(losses, name), arrays["pred"], arrays["target"]
    for given in ({}, {"var": pred, "log_var": pred}, {spread: pred[0]}, {spread: 1.0}, {spread: pred, "covariance": torch.eye(4)}):
        with pytest.raises(DataError):
            function(pred, target, **given)
    with pytest.raises(DataError):
        function(pred, target[0], **{spread: pred})
    assert not launches


@pytest.mark.parametrize(
    ("shape", "given", "said"),
    [
        ((4,), {}, "measures patches"),
        ((4, 1), {}, "measures patches"),
        ((2, 3, 4), {"weight": torch.ones(2, 3, 4)}, "weight=None"),
        ((2, 3, 4), {"output_weight": torch.ones(4)}, "output_weight=None"),
        ((2, 3, 4), {"mask": torch.ones(2, 3, 4, dtype=torch.bool)}, "mask has shape"),
    ],
)
def test_what_is_no_patch_is_refused_as_ever(shape: tuple[int, ...], given: dict[str, Any], said: str, launches: list[Any]) -> None:
    with pytest.raises(DataError, match=said):
        losses.patch_mse_loss(torch.zeros(shape), torch.zeros(shape), **given)
    assert not launches


@everyone
def test_a_loss_that_is_let_go_keeps_nothing(name: str, spread: str | None, launches: list[Any]) -> None:
    """Not until somebody collects what keeps itself alive: gradients of a batch are most of a GPU's memory."""
    gc.disable()
    try:
        for reduction in ("mean", "per_sample"):
            value = getattr(losses, name)(**drawn(spread, 3, 4), reduction=reduction)
            node: Any = value.grad_fn if reduction == "mean" else value.grad_fn.next_functions[0][0]  # type: ignore[union-attr]
            gone = weakref.ref(node.found)
            del value, node
            launches.clear()
            assert gone() is None
            arrays = {key: each * 1 for key, each in drawn(spread, 3, 4).items()}  # as from a model
            value, pred = getattr(losses, name)(**arrays, reduction=reduction), weakref.ref(arrays["pred"])
            value.sum().backward()
            del arrays
            assert pred() is None, "what is left of a loss after backward keeps its arrays"
    finally:
        gc.enable()


@everyone
def test_modules_take_the_same_way(name: str, spread: str | None, launches: list[Any]) -> None:
    modules = {"gaussian_nll_loss": "GaussianNLLLoss", "beta_nll_loss": "BetaNLLLoss", "faithful_nll_loss": "FaithfulNLLLoss"}
    arrays = drawn(spread, 3, 4)
    value = getattr(losses, modules.get(name, "PatchMSELoss"))()(**arrays)
    assert len(launches) == 1
    assert agree([value.detach()], both(name, arrays)[1][:1])


def test_a_form_without_a_kernel_is_composed(launches: list[Any]) -> None:
    pred, target = drawn(None, 3, 4).values()
    assert_close(losses.rmse_loss(pred, target).detach(), ((pred - target) ** 2).mean().sqrt().detach())
    assert not launches
