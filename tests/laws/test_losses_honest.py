"""Where a loss could return a number that looks right and is not: it returns the right one, or nan, or says no."""

from __future__ import annotations

import datetime
import math
from fractions import Fraction
from typing import Any

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
import torch

import squarely.losses.jax as in_jax
import squarely.losses.numpy as in_numpy
import squarely.losses.torch as in_torch
from squarely.errors import DataError
from squarely.losses import LossTerms, pointwise
from squarely.losses.boosting import as_lightgbm, as_xgboost

NAN = math.nan
FACES: dict[str, tuple[Any, Any]] = {
    "numpy": (in_numpy, np.asarray),
    "torch": (in_torch, torch.as_tensor),
    "jax": (in_jax, jnp.asarray),
}


@pytest.fixture(params=FACES)
def face(request: pytest.FixtureRequest) -> tuple[Any, Any]:
    """The functions of a framework, and what makes an array of it, of float32."""
    functions, array = FACES[request.param]
    return functions, lambda numbers: array(np.asarray(numbers, dtype=np.float32))


# --- a loss of one's own that costs something at 0 ---------------------------------------------------------------------


@pointwise(psi=lambda xp, u: xp.exp(u) - 0.5, kappa=lambda xp, u: xp.exp(u), convex=True)
def _skewed(xp: Any, u: Any) -> Any:
    return xp.exp(u) - 0.5 * u


@pointwise()
def _skewed_without_derivatives(xp: Any, u: Any) -> Any:
    return xp.exp(u) - 0.5 * u


PRED, TARGET, THERE = [1.0, 2.0, 0.0], [0.0, NAN, 0.5], [True, False, True]
OF_TWO = (math.exp(1.0) - 0.5 + math.exp(-0.5) + 0.25) / 2


@pytest.mark.parametrize("kernel", [_skewed, _skewed_without_derivatives], ids=lambda each: each.name)
def test_what_a_loss_costs_at_0_is_not_charged_where_nothing_counts(face: tuple[Any, Any], kernel: Any) -> None:
    functions, array = face
    loss, pred, target = functions.loss(kernel), array(PRED), array(TARGET)
    mask = array(THERE) != 0
    for given in ({"mask": mask}, {"nan_target": "omit"}, {"sample_weight": array(THERE)}, {"mask": mask, "covariance": None}):
        assert float(loss(pred, target, **given)) == pytest.approx(OF_TWO, rel=1e-6)
        assert float(loss(pred, target, reduction="sum", **given)) == pytest.approx(2 * OF_TWO, rel=1e-6)
        assert float(loss(pred, target, reduction="none", **given)[1]) == 0.0
    of_one = float(loss(pred[:, None], target[:, None], mask=mask, covariance=array([[4.0]])))
    assert of_one == pytest.approx((math.exp(0.5) - 0.25 + math.exp(-0.25) + 0.125) / 2, rel=1e-6)


def test_its_gradient_is_that_of_what_counts() -> None:
    expected = [(math.e - 0.5) / 2, 0.0, (math.exp(-0.5) - 0.5) / 2]
    value, gradient = in_numpy.loss_class(_skewed)().value_and_grad(PRED, TARGET, mask=THERE)
    assert float(value) == pytest.approx(OF_TWO, rel=1e-14)
    assert gradient.tolist() == pytest.approx(expected, rel=1e-14)
    bias = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    x, weight = torch.tensor(PRED, dtype=torch.float64)[:, None], torch.ones(1, 1, dtype=torch.float64)
    target = torch.tensor(TARGET, dtype=torch.float64)[:, None]
    of_layer = in_torch.linear_loss(in_torch.loss(_skewed))(x, weight, target, bias, mask=torch.tensor(THERE))
    of_layer.backward()
    assert of_layer.item() == pytest.approx(OF_TWO, rel=1e-14)
    assert bias.grad is not None
    assert bias.grad.item() == pytest.approx(sum(expected), rel=1e-14)


def test_a_setting_of_ones_own_is_no_option() -> None:
    with pytest.raises(DataError, match="the setting 'weight' is the name of an option"):

        @pointwise()
        def twice(xp: Any, u: Any, weight: float = 2.0) -> Any:
            return weight * u * u


# --- what diverged is not hidden -----------------------------------------------------------------------------------


def test_trimming_leaves_out_outliers_and_not_what_is_unknown(face: tuple[Any, Any]) -> None:
    functions, array = face
    ones, zeros = [1.0] * 19, [0.0] * 20
    assert float(functions.trimmed_loss(array([*ones, math.inf]), array(zeros), trim=0.1)) == 1.0
    assert math.isnan(float(functions.trimmed_loss(array([*ones, NAN]), array(zeros), trim=0.1)))
    assert math.isnan(float(functions.trimmed_loss(array([*ones, 1.0]), array([*zeros[1:], NAN]), trim=0.1)))
    assert float(functions.trimmed_loss(array([*ones, 1.0]), array([*zeros[1:], NAN]), trim=0.1, nan_target="omit")) == 1.0


@pytest.mark.parametrize("trim", ["0.07", "0.1", "0.29", "0.57", "0.58"])
def test_a_share_is_the_one_that_was_written(face: tuple[Any, Any], trim: str) -> None:
    functions, array = face
    for n in (7, 50, 100, 350):
        kept = functions.trimmed_loss(array(np.ones(n)), array(np.zeros(n)), trim=float(trim), reduction="sum")
        doubles = in_numpy.trimmed_loss(np.ones(n), np.zeros(n), trim=float(trim), reduction="sum")
        assert int(kept) == int(doubles) == n - math.floor(Fraction(trim) * n)


@pytest.mark.parametrize("alpha", [-0.5, 0.0, 2.0, 2.5, NAN])
def test_a_shape_whose_law_has_no_normaliser_has_no_likelihood(face: tuple[Any, Any], alpha: float) -> None:
    functions, array = face
    assert math.isnan(float(functions.adaptive_loss(array([0.1]), array([0.0]), alpha=array(alpha), scale=array(1.0))))


@pytest.mark.parametrize("u", [0.0, 1e-25, 0.3, 7.0, 1e20, 1e30])
def test_an_adaptive_loss_is_finite_where_it_should_be(face: tuple[Any, Any], u: float) -> None:
    functions, array = face
    alpha = 0.75
    found = float(functions.adaptive_loss(array([u]), array([0.0]), alpha=array(alpha), scale=array(2.0)))
    b, z = 2 - mpmath.mpf(alpha), mpmath.mpf(float(np.float32(u))) / 2
    rho = lambda x: b / alpha * ((x * x / b + 1) ** (mpmath.mpf(alpha) / 2) - 1)  # noqa: E731
    normaliser = 2 * mpmath.quad(lambda x: mpmath.exp(-rho(x)), [0, 1, 10, 1000, mpmath.inf])
    assert found == pytest.approx(float(rho(z) + mpmath.log(2) + mpmath.log(normaliser)), rel=2e-5)


@pytest.mark.parametrize(("u", "log_var"), [(0.0, -90.0), (1e-25, -110.0), (1e20, 100.0), (3.0, 0.5), (-2.0, -3.0)])
def test_a_likelihood_by_the_logarithm_is_finite_where_it_should_be(u: float, log_var: float) -> None:
    exact_u, s = mpmath.mpf(float(np.float32(u))), mpmath.mpf(log_var)
    ratio = exact_u**2 * mpmath.exp(-s)
    expected = [(s + ratio) / 2, exact_u * mpmath.exp(-s), (1 - ratio) / 2]
    pred, spread = (torch.tensor([each], dtype=torch.float32, requires_grad=True) for each in (u, log_var))
    value = in_torch.gaussian_nll_loss(pred, torch.zeros(1), log_var=spread)
    gradients = torch.autograd.grad(value, (pred, spread))
    assert [value.item(), *(each.item() for each in gradients)] == pytest.approx([float(each) for each in expected], rel=1e-4)
    of = lambda p, v: in_jax.gaussian_nll_loss(p, jnp.zeros(1), log_var=v)  # noqa: E731
    arrays = jnp.array([u], jnp.float32), jnp.array([log_var], jnp.float32)
    in_them = jax.value_and_grad(of, argnums=(0, 1))(*arrays)
    assert [float(in_them[0]), *(float(each[0]) for each in in_them[1])] == pytest.approx([float(each) for each in expected], rel=1e-4)


# --- denominators ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["mse_loss", "huber_loss", "barron_loss"])
def test_weights_that_add_up_to_0_have_no_mean(face: tuple[Any, Any], name: str) -> None:
    functions, array = face
    loss, pred, target = getattr(functions, name), array([1.0, 3.0, 5.0]), array([0.0, 0.0, 0.0])
    assert float(loss(pred, target, sample_weight=array([1.0, -1.0, 0.0]))) == -math.inf
    assert float(loss(pred, target, sample_weight=array([0.0, 0.0, 0.0]))) == 0.0
    assert float(loss(pred, target, denom=array(0.0))) == math.inf
    assert float(loss(pred, target, mask=pred < 0, denom=array(0.0))) == 0.0


def test_weights_that_add_up_to_0_have_no_gradient_either() -> None:
    value, gradient = in_numpy.HuberLoss().value_and_grad([1.0, 3.0], [0.0, 0.0], sample_weight=[1.0, -1.0])
    assert value == -math.inf
    assert not np.isfinite(gradient).any()
    weight = torch.ones(1, 1, requires_grad=True)
    of_layer = in_torch.linear_mse_loss(torch.tensor([[1.0], [3.0]]), weight, torch.zeros(2, 1), sample_weight=torch.tensor([1.0, -1.0]))
    assert of_layer == -math.inf
    assert not torch.autograd.grad(of_layer, weight)[0].isfinite()


def test_terms_of_nothing_add_nothing(face: tuple[Any, Any]) -> None:
    functions, array = face
    pred, target = array([1.0, 3.0]), array([0.0, 0.0])
    nothing = functions.mse_loss.terms(pred, target, mask=pred < 0)
    something = functions.mse_loss.terms(pred, target)
    assert float(nothing.mean()) == 0.0
    assert float((nothing + something).mean()) == 5.0
    assert float((nothing + nothing).mean()) == 0.0
    assert float(LossTerms(nothing.num, nothing.den).mean(something.den)) == 0.0


@pytest.mark.parametrize("denom", [-1.0, math.inf, math.nan, "2", 2j])
def test_a_denominator_in_an_array_of_numpy_is_above_0(denom: Any) -> None:
    for face in (in_numpy, in_jax):
        with pytest.raises(DataError, match=r"denom is array\(.*; expected a number above 0, or one of 'weight'"):
            face.mse_loss(np.ones(2, np.float32), np.zeros(2, np.float32), denom=np.array(denom))
    assert in_numpy.mse_loss(np.ones(2), np.zeros(2), denom=np.array(4)) == 0.5


@pytest.mark.parametrize("denom", [[1.0, 2.0], [2.0], 2j, -1.0, math.inf])
def test_a_denominator_is_one_number(face: tuple[Any, Any], denom: Any) -> None:
    functions, array = face
    pred, target = array([1.0, 3.0]), array([0.0, 0.0])
    for given in (denom, array(denom)) if isinstance(denom, list) else (denom,):
        with pytest.raises(DataError, match=r"denom is .*; expected a number above 0, or one of 'weight'"):
            functions.mse_loss(pred, target, mask=pred > 0, denom=given)


# --- arrays that are none -------------------------------------------------------------------------------------------


def _complex(array: Any) -> Any:
    return array([1.0, 3.0]) * 1j


@pytest.mark.parametrize("name", ["target", "sample_weight", "weight", "output_weight", "var", "covariance", "alpha"])
def test_complex_numbers_are_refused(face: tuple[Any, Any], name: str) -> None:
    functions, array = face
    given = {"target": array([0.0, 0.0]), name: _complex(array)}
    loss = functions.gaussian_nll_loss if name == "var" else functions.adaptive_loss if name == "alpha" else functions.mse_loss
    if name == "alpha":
        given["scale"] = array(1.0)
    with pytest.raises(DataError, match=rf"{name} is of type (torch\.)?complex"):
        loss(array([1.0, 3.0]), **given)


@pytest.mark.parametrize("name", ["target", "sample_weight", "weight", "output_weight", "mask", "covariance"])
@pytest.mark.parametrize(("library", "words"), [("torch", "expected a dense tensor"), ("jax", "expected an array of JAX or NumPy")])
def test_what_is_no_array_of_the_framework_is_refused(library: str, words: str, name: str) -> None:
    functions, array = FACES[library]
    foreign = [np.zeros(2)] if library == "torch" else [torch.zeros(2)]
    for each in ([0.0, 1.0], 1.0, "ab", *foreign):
        given = {"target": array([0.0, 0.0]), name: each}
        with pytest.raises(DataError, match=f"{name} is a .*; {words}"):
            functions.mse_loss(array([1.0, 3.0]), **given)


@pytest.mark.parametrize("name", ["mse_loss", "huber_loss", "cauchy_loss", "gaussian_nll_loss"])
@pytest.mark.parametrize("which", ["pred", "target", "weight"])
@pytest.mark.parametrize("change", ["to_sparse", "to_sparse_csr", "to_mkldnn"])
@pytest.mark.filterwarnings("ignore:Sparse CSR tensor support is in beta state:UserWarning")
@pytest.mark.parametrize("is_terms", [False, True])
def test_a_tensor_that_is_not_dense_is_refused(name: str, which: str, change: str, is_terms: bool) -> None:
    """Also where torch's own loss, or one pass over memory, would have the others."""
    arrays = {"pred": torch.ones(2, 2), "target": torch.zeros(2, 2), "weight": torch.ones(2, 2)}
    arrays[which] = getattr(arrays[which], change)()
    given = {"var": torch.ones(2, 2)} if name == "gaussian_nll_loss" else {}
    if which != "weight":
        del arrays["weight"]
    loss = getattr(in_torch, name)
    with pytest.raises(DataError, match=f"{which} is a .*expected a dense tensor.*to_dense"):
        (loss.terms if is_terms else loss)(**arrays, **given)


@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors is in prototype stage:UserWarning")
def test_a_nested_tensor_is_refused() -> None:
    nested = torch.nested.nested_tensor([torch.ones(2), torch.ones(3)])
    with pytest.raises(DataError, match=r"pred is a .*expected a dense tensor"):
        in_torch.mse_loss(nested, nested)


def test_a_type_of_one_byte_is_computed_in_float32() -> None:
    pred, target = torch.tensor([1.0, 2.5]).to(torch.float8_e4m3fn), torch.tensor([0.5, 0.0]).to(torch.float8_e4m3fn)
    value = in_torch.mse_loss(pred, target)
    assert (value.item(), value.dtype) == ((0.25 + 6.25) / 2, torch.float32)


MASKED = np.ma.masked_array([0.0, 9.0, 0.0], [False, True, False])
NOT_NUMBERS = [
    (MASKED, "masked array, and what it hides would count"),
    (np.array(["1", "2", "3"]), "expected real numbers"),
    (np.array([datetime.date(2026, 1, day) for day in (1, 2, 3)], dtype="datetime64[D]"), "expected real numbers"),
    ([None, 1.0, 2.0], "of type object; expected real numbers"),
    ([[1.0], [1.0, 2.0], [3.0]], "makes no array"),
    (np.array([1j, 2.0, 3.0]), "of type complex128"),
]


@pytest.mark.parametrize(("given", "words"), NOT_NUMBERS, ids=["masked", "texts", "dates", "objects", "ragged", "complex"])
def test_what_is_no_number_is_none_for_numpy_either(given: Any, words: str) -> None:
    pred, known, loss = np.array([1.0, 2.0, 3.0]), np.zeros(3), in_numpy.HuberLoss()
    for call in (
        lambda: in_numpy.huber_loss(pred, given),
        lambda: in_numpy.barron_loss(pred, given),
        lambda: in_numpy.huber_loss(pred, known, sample_weight=given),
        lambda: in_numpy.gaussian_nll_loss(pred, known, var=given),
        lambda: loss.value_and_grad(pred, given),
        lambda: loss.loss(pred, given),
        lambda: loss.gradient(pred, known, given),
        lambda: loss.gradient_hessian(pred, given),
        lambda: loss.hessian(pred, given),
        lambda: loss.fit_intercept_only(given),
        lambda: as_xgboost(loss).init_score(given),
        lambda: as_xgboost(loss, target=given),
    ):
        with pytest.raises(DataError, match=words):
            call()
    nothing_hidden = np.ma.masked_array([0.0, 0.0, 0.0], [False] * 3)
    assert loss.loss(pred, nothing_hidden).tolist() == [0.5, 1.5, 2.5]


# --- covariances -----------------------------------------------------------------------------------------------------


def test_a_factor_is_no_covariance(face: tuple[Any, Any]) -> None:
    """Of a matrix only one half is read, so a factor of Cholesky's would pass for another covariance."""
    functions, array = face
    pred, target, factor = array([[1.0, 2.0]]), array([[0.0, 0.0]]), np.array([[1.0, 0.0], [0.5, 2.0]])
    covariance = factor @ factor.T
    for wrong in (factor, factor.T, np.triu(covariance) + np.diag([NAN, 0.0]), np.array([[1.0, NAN], [0.5, 1.0]])):
        with pytest.raises(DataError, match="covariance is not symmetric, or not positive definite"):
            functions.mse_loss(pred, target, covariance=array(wrong))
    expected = np.array([1.0, 2.0]) @ np.linalg.inv(covariance) @ np.array([1.0, 2.0]) / 2
    rounded = covariance * np.array([[1.0, 1.004], [1.0, 1.0]])  # as of a half type
    assert float(functions.mse_loss(pred, target, covariance=array(covariance))) == pytest.approx(expected, rel=1e-6)
    assert float(functions.mse_loss(pred, target, covariance=array(rounded))) == pytest.approx(expected, rel=1e-2)


def test_covariances_are_mapped_over_and_a_bad_one_is_nan() -> None:
    pred, target = torch.tensor([[1.0, 2.0]]), torch.zeros(1, 2)
    each = torch.stack([torch.eye(2), 4 * torch.eye(2), torch.tensor([[1.0, 0.0], [0.5, 2.0]])])
    found = torch.func.vmap(lambda c: in_torch.mse_loss(pred, target, covariance=c))(each)
    assert found.tolist()[:2] == [2.5, 0.625]
    assert found[2].isnan()
    traced = jax.jit(jax.vmap(lambda c: in_jax.mse_loss(jnp.ones((1, 2)), jnp.zeros((1, 2)), covariance=c)))(jnp.asarray(each.numpy()))
    assert traced.tolist()[:2] == [1.0, 0.25]
    assert math.isnan(traced[2])


# --- gradients of gradients, targets and weights ---------------------------------------------------------------------


def test_a_normalised_error_has_derivatives_by_targets_and_weights() -> None:
    pred, target, weight = (torch.rand(5, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(k)).requires_grad_() for k in range(3))
    assert torch.autograd.gradcheck(lambda p, y, w: in_torch.nmse_loss(p, y, weight=w), (pred, target, weight))
    for functions, array in FACES.values():
        with pytest.raises(DataError, match="nmse_loss measures deviations from the mean of a batch"):
            functions.nmse_loss(array(np.float32(1.0)), array(np.float32(0.0)))


@pytest.mark.parametrize("name", ["sample_weight", "mask", "target", "pred"])
def test_what_was_written_to_after_the_loss_is_not_read_again(name: str) -> None:
    arrays = {"pred": torch.ones(3, requires_grad=True), "target": torch.zeros(3), "sample_weight": torch.tensor([1.0, 2.0, 3.0])}
    arrays["mask"] = torch.tensor([True, True, False])
    leaf = arrays["pred"]
    given = {**arrays, "pred": leaf * 1}
    value = in_torch.cauchy_loss(**given)
    first = torch.autograd.grad(value, leaf, retain_graph=True)[0]
    assert torch.equal(torch.autograd.grad(value, leaf, retain_graph=True)[0], first)
    with torch.no_grad():
        given[name].copy_(~given[name] if name == "mask" else given[name] + 1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        torch.autograd.grad(value, leaf)


@pytest.mark.filterwarnings("ignore:<class 'torch.autograd.function.Function'> should not be instantiated:DeprecationWarning")  # torch's own
def test_a_compiled_loss_takes_batches_of_any_length() -> None:
    torch._dynamo.reset()
    of = lambda p, y, w: in_torch.huber_loss(p, y, sample_weight=w, mask=p > 0, nan_target="omit")  # noqa: E731
    compiled = torch.compile(of, fullgraph=True, dynamic=True, backend="aot_eager")
    for rows in (2, 3, 7):
        p, y, w = (torch.rand(rows, 2) for _ in range(3))
        y[0, 0] = NAN
        torch.testing.assert_close(compiled(p, y, w[:, 0]), of(p, y, w[:, 0]))


# --- boosting ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("weight", [NAN, math.inf, -1.0])
def test_boosting_takes_no_weight_that_no_leaf_can_have(weight: float) -> None:
    objective = as_lightgbm(in_numpy.HuberLoss())
    with pytest.raises(DataError, match=f"the weight of row 1 is {weight}; expected finite weights of at least 0"):
        objective(np.zeros(3), np.ones(3), np.array([1.0, weight, 1.0]))


def test_a_start_has_a_weight_for_each_target() -> None:
    with pytest.raises(DataError, match=r"sample_weight has shape \(1,\) and target \(2,\)"):
        as_xgboost(in_numpy.HuberLoss()).init_score([1.0, 2.0], [1.0])


# --- words ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"weights": 1.0}, r"no setting 'weights'; it takes delta\. Did you mean 'weight'\?"),
        ({"detla": 1.0}, r"Did you mean 'delta'\?"),
        ({"size_average": True}, r"no setting 'size_average'; it takes delta\.$"),
        ({"delta": np.array(2.0)}, r"delta is array\(2\.\); expected a number"),
    ],
)
def test_a_misspelt_word_is_told_what_was_meant(face: tuple[Any, Any], given: dict[str, Any], words: str) -> None:
    functions, array = face
    with pytest.raises(DataError, match=words):
        functions.huber_loss(array([1.0]), array([0.0]), **given)


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (lambda face: face.HuberLoss(2.0), r"HuberLoss takes settings and options by name, and was given 2\.0 .* Cure: HuberLoss\(delta=2\.0\)\.$"),
        (lambda face: face.StudentTLoss(3, 0.5), r"given 3, 0\.5 without one\. Cure: StudentTLoss\(df=3, scale=0\.5\)\.$"),
        (lambda face: face.HuberLoss("sum", 2.0), r"Cure: HuberLoss\(reduction='sum', delta=2\.0\)\.$"),
        (lambda face: face.HuberLoss(1.0, 2.0), r"given 1\.0, 2\.0 without one; its settings are delta\.$"),
        (lambda face: face.MSELoss(None, None, "sum"), r"given a NoneType, a NoneType, 'sum' without one\. Cure: MSELoss\(\)\(\.\.\.\)"),
        (lambda face: face.MSELoss(2.0), r"its settings are none\.$"),
        (
            lambda face: face.MSELoss(np.zeros(2), np.zeros(2)),
            r"given a ndarray, a ndarray without one\. Cure: MSELoss\(\)\(\.\.\.\), if these are data",
        ),
    ],
)
@pytest.mark.parametrize("of", [in_torch, in_numpy], ids=["torch", "numpy"])
def test_a_class_takes_settings_by_name(of: Any, made: Any, words: str) -> None:
    """torch's HuberLoss has the reduction first, Keras' the bend."""
    with pytest.raises(DataError, match=words):
        made(of)


def test_a_loss_of_a_layer_takes_options_by_name() -> None:
    with pytest.raises(DataError, match=r"Cure: LinearMSELoss\(reduction='sum'\)"):
        in_torch.LinearMSELoss("sum")
