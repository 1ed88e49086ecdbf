"""The loss of a linear layer in parts: it is the loss of the layer's prediction, in value and derivatives, and that is never held whole."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
import torch.nn.functional as F  # noqa: N812  # as everybody calls it

import squarely.losses.torch as losses
from squarely.errors import DataError
from squarely.losses.torch import in_parts
from squarely.losses.torch.linear import LinearCall

pytestmark = [  # torch's own, of its own parts
    pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:<class 'torch.autograd.function.Function'> should not be instantiated:DeprecationWarning"),
]
N, INPUTS, OUTPUTS = 37, 5, 3


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts of 8 rows, of which 37 leave 5, and blocks of 2."""
    monkeypatch.setattr(in_parts, "_PART", 8 * OUTPUTS)
    monkeypatch.setattr(in_parts, "_FEWEST", 8)
    monkeypatch.setattr(in_parts, "_BLOCK", 2 * OUTPUTS)


def layer(*lead: int, dtype: torch.dtype = torch.float64, seed: int = 0) -> tuple[torch.Tensor, ...]:
    """Input, weight, target and bias of a layer; all but the target ask for a gradient."""
    generator = torch.Generator().manual_seed(seed)
    shapes = (*(lead or (N,)), INPUTS), (OUTPUTS, INPUTS), (*(lead or (N,)), OUTPUTS), (OUTPUTS,)
    drawn = [torch.randn(*shape, generator=generator, dtype=torch.float64).to(dtype) for shape in shapes]
    return tuple(each if place == 2 else each.requires_grad_() for place, each in enumerate(drawn))


def taken(loss: Any, given: tuple[torch.Tensor, ...], times: float = 1.0) -> list[torch.Tensor]:
    """Value and gradients of ``times`` the loss by what asks for one."""
    value = loss(*given)
    return [value.detach(), *torch.autograd.grad(times * value, [each for each in given if each is not None and each.requires_grad])]


def of_whole(name: str = "mse_loss", **options: Any) -> Any:
    """The loss by way of the whole prediction."""
    return lambda x, w, y, b=None: getattr(losses, name)(F.linear(x, w, b), y, **options)


def in_few_rows(name: str = "mse_loss", **options: Any) -> Any:
    """The loss in parts."""
    call = losses.linear_mse_loss if name == "mse_loss" else losses.linear_loss(getattr(losses, name))
    return lambda *given: call(*given, **options)


def agree(found: list[torch.Tensor], expected: list[torch.Tensor], rtol: float = 1e-12) -> bool:
    """Say that value and gradients have the same types, shapes and numbers; fail where not."""
    assert len(found) == len(expected)
    for mine, theirs in zip(found, expected, strict=True):
        assert (mine.dtype, mine.shape) == (theirs.dtype, theirs.shape)
        torch.testing.assert_close(mine, theirs, rtol=rtol, atol=rtol * max(theirs.abs().max().item(), 1e-3) if theirs.numel() else 0.0)
    return True


GENERATOR = torch.Generator().manual_seed(5)
WEIGHTS = torch.rand(N, generator=GENERATOR, dtype=torch.float64) * (torch.rand(N, generator=GENERATOR) > 0.2)
MASK = torch.rand(N, OUTPUTS, generator=GENERATOR) > 0.3
OPTIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "sum": {"reduction": "sum"},
    "weights": {"sample_weight": WEIGHTS},
    "weights of elements": {"sample_weight": WEIGHTS[:, None] * torch.tensor([1.0, 0.0, 2.0])},
    "weights of outputs": {"output_weight": torch.tensor([0.5, 2.0, 0.0])},
    "both, summed": {"sample_weight": WEIGHTS, "output_weight": torch.tensor([0.5, 2.0, 1.0]), "reduction": "sum"},
    "mask of rows": {"mask": MASK[:, 0]},
    "mask of elements": {"mask": MASK},
    "mask and weights": {"mask": MASK, "sample_weight": WEIGHTS},
    "valid": {"mask": MASK, "sample_weight": WEIGHTS, "denom": "valid"},
    "count": {"mask": MASK, "sample_weight": WEIGHTS, "denom": "count"},
    "batch": {"mask": MASK, "denom": "batch"},
    "number": {"mask": MASK, "denom": 7.5},
    "tensor": {"denom": torch.tensor(7.5)},
    "nothing counts": {"mask": torch.zeros(N, dtype=torch.bool)},
}


# --- the same numbers ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("asked", OPTIONS)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_it_is_the_loss_of_the_prediction(asked: str, dtype: torch.dtype) -> None:
    given, options = layer(dtype=dtype), OPTIONS[asked]
    rtol = 1e-12 if dtype == torch.float64 else 3e-6
    assert agree(taken(in_few_rows(**options), given, 3.0), taken(of_whole(**options), given, 3.0), rtol)


@pytest.mark.parametrize("rows", [0, 1, 7, 8, 9, 16, 17])
@pytest.mark.parametrize("with_bias", [True, False])
def test_any_number_of_rows(rows: int, with_bias: bool) -> None:
    x, w, y, b = layer(rows)
    given = (x, w, y, b) if with_bias else (x, w, y)
    assert agree(taken(in_few_rows(), given), taken(of_whole(), given))


@pytest.mark.parametrize(("x", "w", "b"), [(True, False, False), (False, True, False), (False, False, True), (False, True, True)])
def test_only_what_asks_has_a_gradient(x: bool, w: bool, b: bool) -> None:
    input, weight, target, bias = layer()
    for each, asks in ((input, x), (weight, w), (bias, b)):
        each.requires_grad_(asks)
    assert agree(taken(in_few_rows(), (input, weight, target, bias)), taken(of_whole(), (input, weight, target, bias)))


def test_without_gradients_there_is_none() -> None:
    given = layer()
    with torch.no_grad():
        value = losses.linear_mse_loss(*given)
    assert not value.requires_grad
    torch.testing.assert_close(value, of_whole()(*given).detach())


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"sample_weight": WEIGHTS[:5]},
        {"sample_weight": WEIGHTS[:20].reshape(5, 4)},
        {"mask": MASK[:20].reshape(5, 4, OUTPUTS)},
        {"mask": MASK[:5, 0], "denom": "batch"},
    ],
)
def test_leading_axes_are_rows(options: dict[str, Any]) -> None:
    given = layer(5, 4)
    assert agree(taken(in_few_rows(**options), given), taken(of_whole(**options), given))


def test_a_single_row_needs_no_axis() -> None:
    x, w, y, b = (each.detach() for each in layer())
    torch.testing.assert_close(losses.linear_mse_loss(x[0], w, y[0], b), F.mse_loss(F.linear(x[0], w, b), y[0]))


def test_missing_targets_are_left_out_and_a_diverged_prediction_is_not() -> None:
    x, w, y, b = layer()
    y = torch.where(MASK, y, math.nan)
    expected = taken(of_whole(mask=MASK), (x, w, torch.where(MASK, y, 0.0), b))
    assert agree(taken(in_few_rows(nan_target="omit"), (x, w, y, b)), expected)
    with pytest.raises(DataError, match="a target is nan"):
        losses.linear_mse_loss(x, w, y, b, nan_target="raise")
    spoiled = x.detach().clone()
    spoiled[3] = math.nan
    assert torch.isnan(losses.linear_mse_loss(spoiled, w, y, b, nan_target="omit"))
    assert not torch.isnan(losses.linear_mse_loss(spoiled, w, y, b, nan_target="omit", mask=torch.arange(N) != 3))


@pytest.mark.parametrize(
    ("name", "settings"),
    [("half_mse_loss", {}), ("huber_loss", {"delta": 0.7}), ("l1_loss", {}), ("pinball_loss", {"alpha": 0.8}), ("cauchy_loss", {"c": 0.5})],
)
def test_other_pointwise_losses(name: str, settings: dict[str, float]) -> None:
    for options in (settings, {**settings, "mask": MASK, "sample_weight": WEIGHTS}):
        assert agree(taken(in_few_rows(name, **options), layer()), taken(of_whole(name, **options), layer()))


def test_terms_of_parts_of_a_batch_are_those_of_all() -> None:
    x, w, y, b = layer()
    options = {"sample_weight": WEIGHTS, "mask": MASK}
    whole = losses.linear_mse_loss(x, w, y, b, **options)
    parts = [slice(0, 10), slice(10, N)]
    terms = [losses.linear_mse_loss.terms(x[p], w, y[p], b, **{name: each[p] for name, each in options.items()}) for p in parts]
    torch.testing.assert_close(sum(terms[1:], terms[0]).mean(), whole)
    assert agree(list(torch.autograd.grad(sum(terms[1:], terms[0]).mean(), (x, w, b))), list(torch.autograd.grad(whole, (x, w, b))))


# --- half types and autocast -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("half", "digits"), [(torch.bfloat16, 2**-8), (torch.float16, 2**-11)])
def test_gradients_of_half_types_are_near_those_of_float64(half: torch.dtype, digits: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Prediction, derivative, product and result are each rounded to the half type; sums over 512 parts are not, or they would stand still."""
    rows = 4096
    given = layer(rows, dtype=half)
    exact = tuple(each.detach().double().requires_grad_(each.requires_grad) for each in given)
    monkeypatch.setattr(in_parts, "_PART", 8 * OUTPUTS)
    found, expected = taken(in_few_rows(), given), taken(of_whole(), exact)
    assert [each.dtype for each in found] == [torch.float32, half, half, half]
    assert found[0].item() == pytest.approx(expected[0].item(), rel=digits)
    for mine, theirs in zip(found[1:], expected[1:], strict=True):
        assert (mine.double() - theirs).abs().max() < 4 * digits * theirs.abs().max()


def test_the_scale_of_a_loss_saves_gradients_of_float16() -> None:
    """2 e / n with n = 1.2 million is 0 in float16; a scaler multiplies by 65,536 before anything is rounded."""
    rows = 400_000
    x, w = torch.full((rows, 1), 0.125, dtype=torch.float16, requires_grad=True), torch.ones(OUTPUTS, 1, dtype=torch.float16, requires_grad=True)
    y = torch.full((rows, OUTPUTS), 0.1171875, dtype=torch.float16)
    patched, in_parts._PART = in_parts._PART, 1 << 20
    (65536 * losses.linear_mse_loss(x, w, y)).backward()
    in_parts._PART = patched
    assert x.grad is not None
    assert w.grad is not None
    each = 65536 * 2 * (0.125 - 0.1171875) / (OUTPUTS * rows)
    torch.testing.assert_close(x.grad, torch.full_like(x, OUTPUTS * each), rtol=2e-2, atol=0)
    torch.testing.assert_close(w.grad, torch.full_like(w, 0.125 * rows * each), rtol=1e-3, atol=0)


def test_autocast_computes_in_its_type_and_leaves_gradients_wide() -> None:
    x, w, y, b = given = layer(dtype=torch.float32)
    plain = taken(of_whole(), given)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found, whole = taken(in_few_rows(), given), taken(of_whole(), given)
    assert [each.dtype for each in found] == [torch.float32] * 4
    for mine, theirs, exact in zip(found, whole, plain, strict=True):
        assert not torch.equal(mine, exact)
        torch.testing.assert_close(mine, theirs, rtol=2**-7, atol=2**-7 * theirs.abs().max().item())
    with torch.autocast("cpu", dtype=torch.bfloat16):
        value = losses.linear_mse_loss(x, w, y, b)
    torch.testing.assert_close(torch.autograd.grad(value, w)[0], found[2])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        (again,) = torch.autograd.grad(losses.linear_mse_loss(x, w, y, b), w, create_graph=True)
    assert again.requires_grad
    torch.testing.assert_close(again, found[2], rtol=2**-6, atol=2**-7)


# --- memory -------------------------------------------------------------------------------------------------------------


def test_no_tensor_of_the_size_of_the_prediction_is_saved_or_made() -> None:
    """The composition saves one; of the other no intermediate result has more elements than a part."""

    class Largest(torch.utils._python_dispatch.TorchDispatchMode):
        def __init__(self) -> None:
            super().__init__()
            self.elements = 0

        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            out = func(*args, **(kwargs or {}))
            fresh = not func.is_view
            for each in out if isinstance(out, (tuple, list)) else (out,):
                if isinstance(each, torch.Tensor) and fresh:
                    self.elements = max(self.elements, each.numel())
            return out

    generator = torch.Generator().manual_seed(0)
    rows, outputs = 64, 40
    x, w = torch.randn(rows, 2, generator=generator, requires_grad=True), torch.randn(outputs, 2, generator=generator, requires_grad=True)
    y, mask = torch.randn(rows, outputs, generator=generator), torch.rand(rows, outputs, generator=generator) > 0.5
    for options in ({}, {"mask": mask}, {"nan_target": "omit"}, {"sample_weight": torch.rand(rows, generator=generator)}):
        seen = {}
        for name, loss in (("whole", of_whole(**options)), ("parts", in_few_rows(**options))):
            saved: list[int] = []
            with torch.autograd.graph.saved_tensors_hooks(lambda t, saved=saved: saved.append(t.numel()) or t, lambda t: t), Largest() as largest:
                loss(x, w, y).backward()
            seen[name] = (max(saved), largest.elements)
        assert seen["whole"] == (rows * outputs, rows * outputs)
        assert max(seen["parts"]) <= max(8 * outputs, rows * 2)


# --- derivatives and the machinery of torch -----------------------------------------------------------------------------


def test_derivatives_of_every_order_and_mode() -> None:
    x, w, y, b = layer(9)
    options = {"mask": MASK[:9], "sample_weight": WEIGHTS[:9]}

    def scalar(*given: torch.Tensor) -> torch.Tensor:
        return losses.linear_mse_loss(given[0], given[1], y, given[2], **options)  # type: ignore[no-any-return]

    assert torch.autograd.gradcheck(scalar, (x, w, b), check_forward_ad=True)
    assert torch.autograd.gradgradcheck(scalar, (x, w, b))
    found = torch.autograd.grad(scalar(x, w, b), (x, w, b))
    plain = [each.detach() for each in (x, w, b)]
    assert agree(list(torch.func.grad(scalar, argnums=(0, 1, 2))(*plain)), list(found))
    _, tangent = torch.func.jvp(scalar, tuple(plain), tuple(torch.ones_like(each) for each in plain))
    torch.testing.assert_close(tangent, torch.stack([each.sum() for each in found]).sum())
    torch.testing.assert_close(
        torch.func.hessian(scalar, argnums=2)(*plain), torch.func.hessian(of_whole(**options), argnums=3)(plain[0], plain[1], y, plain[2])
    )
    of_one = torch.func.vmap(torch.func.grad(lambda w, x, y: losses.linear_mse_loss(x, w, y)), in_dims=(None, 0, 0))
    expected = 2 / OUTPUTS * (F.linear(plain[0], plain[1]) - y)[:, :, None] * plain[0][:, None, :]
    torch.testing.assert_close(of_one(plain[1], plain[0], y), expected)


def test_a_target_and_a_weight_have_gradients_too() -> None:
    x, w, y, b = layer()
    y.requires_grad_()
    assert agree(taken(in_few_rows(), (x, w, y, b)), taken(of_whole(), (x, w, y, b)))
    counts = WEIGHTS.clone().requires_grad_()
    mine, theirs = (torch.autograd.grad(loss(sample_weight=counts)(x, w, y, b), counts)[0] for loss in (in_few_rows, of_whole))
    torch.testing.assert_close(mine, theirs)


def test_backward_twice_gives_the_same() -> None:
    x, w, y, b = layer()
    value = losses.linear_mse_loss(x, w, y, b)
    first = [each.clone() for each in torch.autograd.grad(value, (x, w, b), retain_graph=True)]
    assert agree(list(torch.autograd.grad(value, (x, w, b), torch.tensor(2.0, dtype=torch.float64), retain_graph=True)), [2 * each for each in first])
    value.backward(retain_graph=True)
    value.backward()
    for leaf, gradient in zip((x, w, b), first, strict=True):
        torch.testing.assert_close(leaf.grad, 2 * gradient)


@pytest.mark.parametrize("reentrant", [True, False])
def test_it_can_be_checkpointed(reentrant: bool) -> None:
    x, w, y, b = layer()
    expected = taken(of_whole(), (x, w, y, b))
    value = torch.utils.checkpoint.checkpoint(losses.linear_mse_loss, x, w, y, b, use_reentrant=reentrant)
    value.backward()
    assert agree([value.detach(), x.grad, w.grad, b.grad], expected)


def test_compiled_in_one_graph() -> None:
    torch._dynamo.reset()
    given = layer(dtype=torch.float32)
    options = {"mask": MASK, "nan_target": "omit"}
    compiled = torch.compile(in_few_rows(**options), fullgraph=True, backend="aot_eager")
    assert agree(taken(compiled, given), taken(of_whole(**options), given), 3e-6)
    criterion = losses.LinearMSELoss()
    x, w, y, b = (each.detach() for each in given)
    exported = torch.export.export(criterion, (x, w, y, b))
    torch.testing.assert_close(exported.module()(x, w, y, b), criterion(x, w, y, b))


# --- module and words ---------------------------------------------------------------------------------------------------


def test_the_module_has_the_settings() -> None:
    x, w, y, b = layer()
    criterion = losses.LinearMSELoss(reduction="sum", nan_target="omit")
    torch.testing.assert_close(criterion(x, w, y, b, sample_weight=WEIGHTS), of_whole(reduction="sum", sample_weight=WEIGHTS)(x, w, y, b))
    assert repr(criterion) == "LinearMSELoss(reduction='sum', nan_target='omit')"
    assert list(criterion.parameters()) == []
    terms = losses.LinearMSELoss(denom="batch").terms(x, w, y, b)
    assert terms.den == N
    with pytest.raises(DataError, match="needs it whole"):
        losses.LinearMSELoss(reduction="none")


def test_the_function_explains_itself() -> None:
    assert str(losses.linear_mse_loss) == "<loss linear_mse_loss>"
    for part in (
        "Parameters\n---",
        "Raises\n---",
        "References\n---",
        ".. math::",
        "mse_loss(torch.nn.functional.linear(input, weight, bias), target)",
    ):
        assert part in (losses.linear_mse_loss.__doc__ or "")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"weight": torch.zeros(INPUTS, OUTPUTS)}, r"input has shape \(37, 5\) and weight \(5, 3\); expected .* transpose it"),
        ({"weight": torch.zeros(INPUTS)}, r"weight \(5,\); expected \(\.\.\., inputs\) and \(outputs, inputs\)\."),
        ({"target": torch.zeros(N)}, r"pred has shape \(37, 3\) and target \(37,\); a loss broadcasts nothing"),
        ({"bias": torch.zeros(INPUTS)}, r"bias has shape \(5,\); expected \(3,\)"),
        ({"output_weight": torch.zeros(N, OUTPUTS)}, r"output_weight has shape \(37, 3\); expected \(3,\)"),
        ({"sample_weight": torch.zeros(OUTPUTS)}, r"sample_weight has shape \(3,\)"),
        ({"mask": torch.ones(N)}, "mask is of type torch.float32"),
        ({"input": torch.zeros(N, INPUTS, dtype=torch.bfloat16)}, r"input is of type torch.bfloat16, .* Cure: input.to\(weight.dtype\)"),
        ({"input": torch.zeros(N, INPUTS, dtype=torch.int64)}, "input is of type torch.int64"),
        ({"input": [[0.0]]}, "input is a list; expected a dense tensor"),
        ({"bias": 0.0}, "bias is a float; expected a dense tensor"),
        ({"reduction": "none"}, r"reduction='none' needs it whole\. Cure: mse_loss\(torch.nn.functional.linear"),
        ({"reduction": "per_sample"}, "reduction='per_sample' needs it whole"),
        ({"covariance": torch.eye(OUTPUTS)}, "a covariance needs it whole"),
        ({"reduction": "men"}, "Did you mean 'mean'"),
        ({"delta": 1.0}, "has no setting 'delta'"),
        ({"denom": "weight"}, "denom is 'weight' and there is none"),
    ],
)
def test_what_does_not_fit_is_refused_in_words(change: dict[str, Any], said: str) -> None:
    x, w, y, b = layer(dtype=torch.float32)
    with pytest.raises(DataError, match=said):
        losses.linear_mse_loss(**{"input": x, "weight": w, "target": y, "bias": b, **change})


@pytest.mark.parametrize("name", ["rmse_loss", "gaussian_nll_loss", "msle_loss"])
def test_what_is_no_sum_of_parts_is_refused(name: str) -> None:
    with pytest.raises(DataError, match=f"{name} is no sum .* Cure: {name}"):
        LinearCall(getattr(losses, name))
