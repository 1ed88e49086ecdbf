"""Losses for NumPy: the same as peers compute, derivatives as in exact arithmetic, and what weights and masks promise."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from sklearn._loss import loss as peers
from statsmodels.robust import norms

import squarely.losses.numpy as face
from squarely import _core
from squarely.errors import DataError
from squarely.losses.forms import FORMS
from squarely.losses.kernels import KERNELS
from squarely.losses.numpy import Loss
from squarely.losses.numpy.blocks import over_blocks

RNG = np.random.default_rng(6)
CLASSES: dict[str, type[Loss]] = {name: getattr(face, name) for name in face.__all__ if name.endswith("Loss") and name != "Loss"}
POSITIVE = ("MSLELoss", "RelativeSquaredLoss")
everyone = pytest.mark.parametrize("name", CLASSES)


def data(n: int = 40, dtype: Any = np.float64) -> tuple[Any, Any, Any]:
    """Predictions and targets above 0, and weights some of which are 0, on a grid: what only adds them has no rounding errors."""
    pred, target = RNG.integers(1, 200, (2, n)) / 32
    return pred.astype(dtype), target.astype(dtype), RNG.integers(0, 4, n).astype(dtype)


# --- one face for the whole table -----------------------------------------------------------------------------------


def test_every_kernel_has_a_function_and_a_class() -> None:
    assert {face_name for face_name in face.__all__ if face_name.endswith("_loss")} == set(KERNELS) | set(FORMS)
    assert {made.kernel.name for made in CLASSES.values()} == set(KERNELS)
    assert {"MSELoss", "HalfMSELoss", "L1Loss", "MSLELoss", "SmoothL1Loss", "LogCoshLoss", "GemanMcClureLoss", "StudentTLoss"} <= set(CLASSES)


@everyone
def test_a_loss_can_be_copied_and_sent(name: str) -> None:
    loss = CLASSES[name]()
    pred, target, _ = data()
    for other in (copy.deepcopy(loss), pickle.loads(pickle.dumps(loss))):
        assert type(other) is type(loss)
        assert np.array_equal(other.loss(pred, target), loss.loss(pred, target))


def test_an_unknown_name_is_told_what_there_is() -> None:
    with pytest.raises(AttributeError, match="huber_loss"):
        _ = face.huber


# --- peers ----------------------------------------------------------------------------------------------------------

PEERS = [
    (face.HalfMSELoss(), peers.HalfSquaredError()),
    (face.L1Loss(), peers.AbsoluteError()),
    (face.PinballLoss(alpha=0.8), peers.PinballLoss(quantile=0.8)),
    (face.HuberLoss(delta=1.25), peers.HuberLoss(delta=1.25)),
]


@pytest.mark.parametrize(("ours", "theirs"), PEERS, ids=lambda each: type(each).__name__)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("is_weighted", [False, True])
def test_scikit_learn_computes_the_same(ours: Loss, theirs: Any, dtype: Any, is_weighted: bool) -> None:
    pred, target, weight = RNG.normal(size=(3, 20_000)).astype(dtype)  # several blocks
    weight = np.abs(weight) + dtype(0.125) if is_weighted else None
    loss, gradient = ours.loss_gradient(pred, target, weight)
    expected = theirs.loss_gradient(target, pred, weight)
    close = {"rtol": 4 * np.finfo(dtype).eps, "atol": 2 * float(np.finfo(dtype).eps)}
    assert loss.dtype == gradient.dtype == dtype
    assert np.allclose(loss, expected[0], **close)
    assert np.allclose(gradient, expected[1], **close)
    assert np.array_equal(loss, ours.loss(pred, target, weight))
    assert np.array_equal(gradient, ours.gradient(pred, target, weight))
    one = "exact" if ours.differentiable else "one"  # scikit-learn puts 1 for what it has not
    assert np.allclose(ours.gradient_hessian(pred, target, weight, hessian=one)[1], theirs.gradient_hessian(target, pred, weight)[1], **close)
    assert ours.differentiable == (theirs.differentiable or isinstance(theirs, peers.HuberLoss))  # there it asks boosting to renew leaves


NORMS = [
    (face.HuberLoss(delta=1.345), norms.HuberT(1.345)),
    (face.TukeyLoss(c=4.685), norms.TukeyBiweight(4.685)),
    (face.HalfMSELoss(), norms.LeastSquares()),
]


@pytest.mark.parametrize(("ours", "norm"), NORMS, ids=lambda each: type(each).__name__)
def test_statsmodels_computes_the_same(ours: Loss, norm: Any) -> None:
    u = np.append(RNG.normal(scale=4, size=200), [0.0])
    zero = np.zeros_like(u)
    assert np.allclose(ours.loss(u, zero), norm.rho(u), rtol=1e-14)
    assert np.allclose(ours.gradient(u, zero), norm.psi(u), rtol=1e-14)
    assert np.allclose(ours.hessian(u, zero), norm.psi_deriv(u), rtol=1e-13, atol=1e-14)
    assert np.allclose(ours.hessian(u, zero, hessian="irls"), norm.weights(u), rtol=1e-14)


SCIPY: list[tuple[Loss, Callable[[Any], Any]]] = [  # least_squares: half of rho(u^2)
    (face.CauchyLoss(c=1.0), np.log1p),
    (face.PseudoHuberLoss(delta=1.0), lambda z: 2 * ((1 + z) ** 0.5 - 1)),
    (face.HuberLoss(delta=1.0), lambda z: np.where(z <= 1, z, 2 * z**0.5 - 1)),
]


@pytest.mark.parametrize(("ours", "triple"), SCIPY, ids=lambda each: type(each).__name__)
def test_the_losses_of_scipy_are_twice_ours(ours: Loss, triple: Callable[[Any], Any]) -> None:
    u = RNG.normal(scale=3, size=200)
    assert np.allclose(2 * ours.loss(u, np.zeros_like(u)), triple(u * u), rtol=1e-12, atol=1e-15)


# --- derivatives ----------------------------------------------------------------------------------------------------


def in_exact_arithmetic(name: str, p: Any, t: Any) -> Any:
    """The loss at its defaults, from the textbook, in mpmath."""
    u, m = p - t, mpmath
    low = abs(u)
    return {
        "MSELoss": lambda: u**2,
        "HalfMSELoss": lambda: u**2 / 2,
        "L1Loss": lambda: low,
        "HuberLoss": lambda: u**2 / 2 if low <= 1 else low - m.mpf(1) / 2,
        "SmoothL1Loss": lambda: u**2 / 2 if low <= 1 else low - m.mpf(1) / 2,
        "PseudoHuberLoss": lambda: m.sqrt(1 + u**2) - 1,
        "LogCoshLoss": lambda: m.log(m.cosh(u)),
        "FairLoss": lambda: m.mpf(1.3998) ** 2 * (low / 1.3998 - m.log(1 + low / m.mpf(1.3998))),
        "PinballLoss": lambda: low / 2,
        "SmoothPinballLoss": lambda: (u**2 / 2 if low <= 1 else low - m.mpf(1) / 2) / 2,
        "ExpectileLoss": lambda: u**2 / 2,
        "LinexLoss": lambda: m.exp(u) - u - 1,
        "MSLELoss": lambda: m.log((1 + p) / (1 + t)) ** 2,
        "RelativeSquaredLoss": lambda: u**2 / (t**2 + m.mpf(1e-8) ** 2),
        "CauchyLoss": lambda: m.mpf(2.385) ** 2 / 2 * m.log(1 + (u / 2.385) ** 2),
        "GemanMcClureLoss": lambda: u**2 / 2 / (1 + u**2),
        "WelschLoss": lambda: m.mpf(2.985) ** 2 / 2 * (1 - m.exp(-((u / 2.985) ** 2))),
        "TukeyLoss": lambda: m.mpf(4.685) ** 2 / 6 * (1 - (1 - min(low / 4.685, 1) ** 2) ** 3),
        "WinsorizedLoss": lambda: min(low, 1) ** 2,
        "StudentTLoss": lambda: m.mpf(5) / 2 * m.log(1 + u**2 / 4),
        "BarronLoss": lambda: m.sqrt(u**2 + 1) - 1,
    }[name]()


@everyone
def test_derivatives_by_the_prediction_are_right(name: str) -> None:
    """Through the residual too: of logarithms and of relative errors."""
    loss = CLASSES[name]()
    pred, target = np.array([0.75, 3.0, 0.25, 9.5, 2.125, 40.0]), np.array([0.5, 0.25, 4.0, 1.0, 2.0, 0.875])
    with mpmath.workdps(60):
        points = [(mpmath.mpf(float(p)), mpmath.mpf(float(t))) for p, t in zip(pred, target, strict=True)]
        exact = [[float(mpmath.diff(lambda x, t=t: in_exact_arithmetic(name, x, t), p, n)) for p, t in points] for n in (0, 1, 2)]
    assert np.allclose(loss.loss(pred, target), exact[0], rtol=1e-13, atol=1e-15)
    gradient, hessian = loss.gradient_hessian(pred, target)
    assert np.allclose(gradient, exact[1], rtol=1e-13, atol=1e-15)
    assert np.allclose(hessian, exact[2], rtol=1e-12, atol=1e-14)
    if loss.constant_hessian:
        assert len(set(hessian)) == 1


@everyone
def test_kinds_of_hessian(name: str) -> None:
    loss = CLASSES[name]()
    pred, target, weight = data()
    pred = pred + 1 / 64  # nowhere on the target
    exact = loss.hessian(pred, target)
    assert np.array_equal(loss.hessian(pred, target, hessian="one"), np.ones_like(pred))
    assert (loss.hessian(pred, target, hessian="gauss_newton") >= 0).all()
    irls = loss.hessian(pred, target, hessian="irls")
    assert (irls >= 0).all()
    if name not in POSITIVE:
        assert np.allclose(loss.hessian(pred, target, hessian="gauss_newton"), np.maximum(exact, 0))
        assert np.allclose(irls * (pred - target), loss.gradient(pred, target), rtol=1e-13)
    assert np.array_equal(loss.hessian(pred, target, weight), weight * exact)
    with pytest.raises(DataError, match="'exact', 'gauss_newton', 'one', 'irls'"):
        loss.hessian(pred, target, hessian="newton")


def test_msle_far_below_a_large_target_is_finite() -> None:
    """log1p of (pred - target) / (1 + target) is that of -1 there."""
    for pred, target in ((0.0, 1e17), (3.0, 1e300), (1e300, 0.5), (1.0, 1.0 + 1e-15)):
        with mpmath.workdps(60):
            exact = mpmath.log((1 + mpmath.mpf(pred)) / (1 + mpmath.mpf(target))) ** 2
        assert face.msle_loss([pred], [target]) == pytest.approx(float(exact), rel=1e-14)


# --- buffers and shapes ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(), (5,), (4, 3), (20_000, 3), (2, 3, 5000), (0,), (0, 3)])
@pytest.mark.parametrize("weights", ["none", "rows", "all"])
@pytest.mark.parametrize("is_strided", [False, True])
def test_shapes_and_buffers(shape: tuple[int, ...], weights: str, is_strided: bool) -> None:
    pred, target = RNG.normal(size=(2, *shape, 2)) if is_strided else RNG.normal(size=(2, *shape))
    if is_strided:
        pred, target = pred[..., 0], target[..., 0]
    weight = {"none": None, "rows": RNG.uniform(1, 2, shape[:1]), "all": RNG.uniform(1, 2, shape)}[weights if shape else "none"]
    expected = (pred - target) * 1.0
    if weight is not None:
        expected = expected * weight.reshape(weight.shape + (1,) * (len(shape) - weight.ndim))
    loss_out, gradient_out, hessian_out = np.empty(shape), np.empty(shape, np.float32), np.empty(shape)
    loss = face.HalfMSELoss()
    gradient, hessian = loss.gradient_hessian(pred, target, weight, gradient_out, hessian_out)
    assert gradient is gradient_out
    assert hessian is hessian_out
    assert np.array_equal(gradient, expected.astype(np.float32))
    assert np.array_equal(loss.gradient(pred, target, weight), expected)
    assert loss.loss(pred, target, weight, loss_out) is loss_out
    assert np.allclose(loss_out * 2, expected * (pred - target))


@pytest.mark.parametrize("ours", [face.MSELoss(), *(ours for ours, _ in PEERS)], ids=lambda each: type(each).__name__)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("is_weighted", [False, True])
@pytest.mark.parametrize("width", _core.available())
def test_the_core_has_the_bits_of_the_declaration(ours: Loss, dtype: Any, is_weighted: bool, width: str) -> None:
    """In double, rounded once to the type of the rows. Arrays in two columns are not for the core; it takes what is in one piece."""
    special = np.array([0.0, -0.0, np.nan, np.inf, -np.inf, 1.25, -1.25, 1e-40, 1e38, 3e-320, 1e308], np.float64)
    with np.errstate(over="ignore"):
        u = np.append(np.repeat(special, 3), RNG.normal(scale=2, size=20_001)).astype(dtype)
    weight = np.append(np.tile([1.0, 0.0, 2.5], len(special)), RNG.uniform(0, 2, 20_001)).astype(dtype) if is_weighted else None
    target = np.zeros_like(u)
    wide = np.zeros((len(u), 2))
    wide[:, 0] = u
    heavy = None if weight is None else weight.astype(np.float64)
    with np.errstate(over="ignore"):
        exact = over_blocks(ours._residual, [("", ours._rho, None), ("", ours._slope, None)], wide[:, 0], np.zeros(len(u)), heavy)
        declared = [each.astype(dtype) for each in exact]
    before = _core.use(width)
    try:
        with np.errstate(invalid="raise"):  # nor does it touch the flags of anybody
            computed = ours.loss_gradient(u, target, weight)
        assert _core.losses(0, (1.0, 0.0), u, target, weight, np.empty_like(u), None, None, 0, 1)
        alone = ours.loss(u, target, weight), ours.gradient(u, target, weight)
    finally:
        _core.use(before)
    for ours_, theirs in zip(computed, declared, strict=True):
        assert np.array_equal(ours_, theirs, equal_nan=True)
    for ours_, theirs in zip(alone, declared, strict=True):
        assert np.array_equal(ours_, theirs, equal_nan=True)


@pytest.mark.parametrize("loss", [face.MSELoss(), face.LogCoshLoss(), face.BarronLoss()], ids=repr)
@pytest.mark.parametrize("other", ["pred", "target", "sample_weight"])
@pytest.mark.parametrize("shift", [0, 1, 16])
def test_what_is_written_shares_no_memory_with_what_is_read(loss: Loss, other: str, shift: int) -> None:
    memory = np.linspace(-1, 1, 40_000)
    arrays = {name: np.full(30_000, 0.5) for name in ("pred", "target", "sample_weight")} | {other: memory[:30_000]}
    out, before = memory[shift : shift + 30_000], memory.copy()
    pred, target, weight = arrays.values()
    for name, call in (
        ("loss_out", lambda: loss.loss(pred, target, weight, loss_out=out)),
        ("gradient_out", lambda: loss.gradient(pred, target, weight, gradient_out=out)),
        ("hessian_out", lambda: loss.hessian(pred, target, weight, hessian_out=out)),
        ("gradient_out", lambda: loss.loss_gradient(pred, target, weight, gradient_out=out)),
        ("hessian_out", lambda: loss.gradient_hessian(pred, target, weight, hessian_out=out)),
    ):
        with pytest.raises(DataError, match=f"{name} shares memory with {other}, .*; expected an array of its own"):
            call()
    assert np.array_equal(memory, before)


@pytest.mark.parametrize("loss", [face.MSELoss(), face.BarronLoss()], ids=repr)
def test_two_outs_share_no_memory(loss: Loss) -> None:
    pred, memory = np.linspace(-1, 1, 100), np.empty(150)
    with pytest.raises(DataError, match="loss_out shares memory with gradient_out"):
        loss.loss_gradient(pred, np.zeros(100), loss_out=memory[:100], gradient_out=memory[50:])
    table = np.empty((100, 2))  # columns lie between each other, and share nothing
    table[:, 0] = pred
    assert np.array_equal(loss.gradient(table[:, 0], np.zeros(100), gradient_out=table[:, 1]), loss.gradient(pred, np.zeros(100)))
    assert np.array_equal(table[:, 0], pred)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda loss: loss.loss([1.0], [1.0, 2.0]), "broadcasts nothing"),
        (lambda loss: loss.loss([1], [1]), "floating-point predictions"),
        (lambda loss: loss.loss([1.0], [1.0], [1.0, 2.0]), r"sample_weight has shape \(2,\)"),
        (lambda loss: loss.loss([1.0], [1.0], loss_out=np.empty(2)), r"loss_out is a float64 array of shape \(2,\)"),
        (lambda loss: loss.gradient([1.0], [1.0], gradient_out=[0.0]), "gradient_out is a list"),
        (lambda loss: loss.hessian([1.0], [1.0], hessian_out=np.empty(1, int)), "hessian_out is a int64"),
        (lambda loss: loss([1.0], [1.0], reduction="means"), "Did you mean 'mean'"),
        (lambda loss: loss([1.0, 2.0], [1.0, np.nan], nan_target="raise"), "at row 1 first"),
        (lambda loss: loss.value_and_grad([1.0], [1.0], mask=[1]), "expected True"),
        (lambda loss: loss([[1.0, 1.0]], [[1.0, 1.0]], covariance=[[1.0, 2.0], [2.0, 1.0]]), "not positive definite"),
        (lambda loss: loss.fit_intercept_only([]), "best constant of nothing"),
        (lambda loss: loss.fit_intercept_only([1.0, np.nan]), "not finite.*row 1"),
        (lambda loss: loss.fit_intercept_only([1.0, 2.0], [1.0, -1.0]), "negative.*row 1"),
        (lambda loss: loss.fit_intercept_only([[1.0]]), "one axis"),
        (lambda loss: type(loss)(beta=1.0), "no setting 'beta'"),
        (lambda loss: type(loss)(delta=0), "delta is 0"),
        (lambda loss: face.MSLELoss().gradient([0.5, -1.0], [1.0, 1.0]), "above -1.*at row 1"),
        (lambda loss: face.MSLELoss()([0.5, 1.0], [-3.0, 1.0]), "above -1.*at row 0"),
        (lambda loss: face.msle_loss([[0.5, -3.0]], [[0.5, -2.0]]), r"above -1.*at \(0, 1\)"),
        (lambda loss: face.MSLELoss().value_and_grad([-3.0], [-2.0]), "above -1"),
        (lambda loss: face.MSLELoss().fit_intercept_only([1.0, -1.0]), "above -1.*at row 1"),
    ],
)
def test_errors_say_what_and_where(call: Callable[[Loss], Any], said: str) -> None:
    with pytest.raises(DataError, match=said):
        call(face.HuberLoss(delta=1.0))


def test_outside_the_domain_is_harmless_where_it_does_not_count() -> None:
    loss = face.MSLELoss()
    assert loss([1.0, -5.0], [1.0, 2.0], mask=[True, False]) == 0
    assert np.array_equal(loss.gradient([1.0, -5.0], [1.0, 2.0], [1.0, 0.0]), [0.0, 0.0])


# --- weights and masks ----------------------------------------------------------------------------------------------


@everyone
def test_a_mask_is_deletion(name: str) -> None:
    """On a grid where sums have no rounding errors: bit for bit for the squares, and for each element of all."""
    loss = CLASSES[name]()
    pred, target, _ = data()
    mask = RNG.random(40) < 0.6
    pred[~mask], target[~mask] = np.nan, np.inf
    value, gradient = loss.value_and_grad(pred, target, mask=mask)
    expected, slope = loss.value_and_grad(pred[mask], target[mask])
    assert np.array_equal(gradient[mask], slope)
    assert not gradient[~mask].any()
    assert value == expected if name in ("MSELoss", "HalfMSELoss", "L1Loss", "HuberLoss", "PinballLoss") else value == pytest.approx(expected)
    weighted = loss.value_and_grad(pred, target, sample_weight=mask * 1.0)
    assert weighted[0] == value
    assert np.array_equal(weighted[1], gradient)
    each = loss.gradient(pred, target, mask * 1.0)
    assert np.array_equal(each[mask], loss.gradient(pred[mask], target[mask]))
    assert not each[~mask].any()


@everyone
def test_a_missing_target_is_omitted(name: str) -> None:
    loss = CLASSES[name]()
    pred, target, weight = data()
    missing = np.where(np.arange(40) % 3 == 0, np.nan, target)
    asked = loss.value_and_grad(pred, missing, sample_weight=weight, nan_target="omit")
    expected = loss.value_and_grad(pred, target, sample_weight=weight, mask=np.arange(40) % 3 != 0)
    assert asked[0] == expected[0]
    assert np.array_equal(asked[1], expected[1])
    assert np.isnan(loss(pred, missing))


@everyone
def test_a_weight_of_k_is_k_copies(name: str) -> None:
    loss = CLASSES[name]()
    pred, target, weight = data()
    copies = weight.astype(int)
    many = loss(np.repeat(pred, copies), np.repeat(target, copies))
    assert loss(pred, target, sample_weight=weight) == pytest.approx(many, rel=1e-13)
    for _ in range(20):  # a search that compares totals alone would end anywhere within 1e-8 of the minimum
        _, target, weight = data()
        copied = np.repeat(target, weight.astype(int))
        assert loss.fit_intercept_only(target, weight) == pytest.approx(loss.fit_intercept_only(copied), rel=1e-12)


REDUCTIONS = [
    {"reduction": "none"},
    {"reduction": "sum"},
    {},
    {"denom": "valid"},
    {"denom": "count"},
    {"denom": "batch"},
    {"denom": 7.5},
    {"reduction": "per_sample"},
    {"reduction": "per_sample", "denom": "valid"},
    {"reduction": "per_sample", "denom": "count"},
]


@pytest.mark.parametrize("asked", REDUCTIONS, ids=str)
@pytest.mark.parametrize("is_whitened", [False, True])
@pytest.mark.parametrize("name", ["HuberLoss", "MSELoss", "MSLELoss", "RelativeSquaredLoss", "CauchyLoss"])
def test_the_gradient_is_that_of_the_reduced_loss(asked: dict[str, Any], is_whitened: bool, name: str) -> None:
    """Central differences of the call itself, which has its own tests, with weights, a mask and a missing target at once."""
    loss = CLASSES[name]()
    pred, target = RNG.uniform(1, 3, (2, 6, 3))
    target[2, 1] = np.nan
    mask = RNG.random((6, 3)) < 0.7
    mask[4] = False
    options = {**asked, "mask": mask, "nan_target": "omit", "sample_weight": RNG.uniform(1, 2, 6), "output_weight": np.array([1.0, 2.0, 0.5])}
    if is_whitened:
        options["covariance"] = np.array([[2.0, 0.5, 0.25], [0.5, 1.0, 0.0], [0.25, 0.0, 3.0]])
    value, gradient = loss.value_and_grad(pred, target, **options)
    assert np.array_equal(value, loss(pred, target, **options))
    h = 1e-5
    for place in np.ndindex(pred.shape):
        step = np.zeros_like(pred)
        step[place] = h
        ahead, behind = (np.sum(loss(pred + sign * step, target, **options)) for sign in (1, -1))
        assert gradient[place] == pytest.approx((ahead - behind) / (2 * h), rel=1e-6, abs=1e-8)


@pytest.mark.parametrize("lead", [(), (7,), (2, 3)])
def test_a_covariance_makes_it_a_distance_of_mahalanobis(lead: tuple[int, ...]) -> None:
    """One for all and one for each sample; where an output is missing, that of the others."""
    root = RNG.normal(size=(*lead, 3, 3))
    each = root @ np.swapaxes(root, -1, -2) + np.eye(3)
    one = each.reshape(-1, 3, 3)[0]
    u = RNG.normal(size=(*lead, 3))
    for covariance in (one, each):
        expected = np.sum(np.linalg.inv(covariance) @ u[..., None] * u[..., None])
        assert face.mse_loss(u, 0 * u, covariance=covariance, reduction="sum") == pytest.approx(expected, rel=1e-12)
    mask = np.broadcast_to([True, False, True], u.shape)
    marginal = np.linalg.inv(one[::2, ::2]) @ u[..., ::2, None]
    masked, slope = face.MSELoss().value_and_grad(u, 0 * u, covariance=one, mask=mask, reduction="sum")
    assert masked == pytest.approx(np.sum(marginal[..., 0] * u[..., ::2]), rel=1e-12)
    assert np.allclose(slope[..., ::2], 2 * marginal[..., 0], rtol=1e-12)


def test_denominators_by_hand() -> None:
    pred, target = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), np.zeros((3, 2))
    weight, mask = np.array([1.0, 2.0, 4.0]), np.array([[True, True], [True, False], [True, True]])
    num = 1 + 4 + 2 * 9 + 4 * (25 + 36)
    expected = {None: num / (2 + 2 + 8), "weight": num / 12, "valid": num / 5, "count": num / 6, "batch": num / 3, 8: num / 8}
    for denom, value in expected.items():
        assert face.mse_loss(pred, target, sample_weight=weight, mask=mask, denom=denom) == value
    each = face.mse_loss(pred, target, sample_weight=weight, mask=mask, reduction="per_sample")
    assert np.array_equal(each, [5 / 2, 9.0, 61 / 2])
    assert face.mse_loss(pred, target, mask=np.zeros(3, bool)) == 0


def test_a_half_type_is_computed_in_float32() -> None:
    pred, target = np.array([300.0], np.float16), np.zeros(1, np.float16)
    value, gradient = face.MSELoss().value_and_grad(pred, target)
    assert (value, value.dtype) == (90_000, np.float32)
    assert (gradient.dtype, gradient[0]) == (np.float16, 600)


# --- the best constant ----------------------------------------------------------------------------------------------


@everyone
def test_the_constant_is_the_best(name: str) -> None:
    loss = CLASSES[name]()
    target, _, weight = data(41)
    weight[weight == 0] = 0.5
    best = loss.fit_intercept_only(target, weight)

    def cost(constant: float) -> float:
        return float(loss(np.full_like(target, constant), target, sample_weight=weight))

    spread = float(np.ptp(target))
    around = best + spread * np.array([-1e-3, -1e-6, 1e-6, 1e-3])
    assert all(cost(best) <= cost(other) * (1 + 1e-15) for other in around)
    if loss.kernel.convex:
        found = minimize_scalar(cost, bounds=(target.min(), target.max()), method="bounded", options={"xatol": 1e-10})
        assert cost(best) <= found.fun * (1 + 1e-12)


def test_constants_by_hand() -> None:
    y, w = np.array([1.0, 2.0, 4.0, 100.0]), np.array([1.0, 1.0, 2.0, 0.0])
    assert face.MSELoss().fit_intercept_only(y, w) == 11 / 4
    assert face.L1Loss().fit_intercept_only(y) == 3.0
    assert face.L1Loss().fit_intercept_only(y, w) == 3.0  # weights of 2 on both sides of any number between 2 and 4
    assert face.PinballLoss(alpha=0.9).fit_intercept_only(np.arange(11.0)) == 9.0
    assert face.MSLELoss().fit_intercept_only([0.0, 3.0]) == pytest.approx(1.0)  # sqrt(1 * 4) - 1
    a = 2.0
    assert face.LinexLoss(a=a).fit_intercept_only(y[:3]) == pytest.approx(-np.log(np.mean(np.exp(-a * y[:3]))) / a, rel=1e-15)
    assert face.LinexLoss(a=-900.0).fit_intercept_only(y) == pytest.approx(100 - np.log(4) / 900)
    assert face.ExpectileLoss(alpha=0.8).fit_intercept_only([0.0, 1.0]) == pytest.approx(0.8)
    assert face.HuberLoss(delta=1.0).fit_intercept_only([0.0, 0.5, 10.0]) == pytest.approx(0.75)  # 2 c - 0.5 = 1
    assert face.TukeyLoss().fit_intercept_only([0.0, 1.0, 1000.0]) == pytest.approx(0.5)
    assert face.RelativeSquaredLoss(eps=0).fit_intercept_only([1.0, 2.0]) == pytest.approx(1.2)


@pytest.mark.parametrize(("ours", "theirs"), PEERS[:3], ids=lambda each: type(each).__name__)
def test_scikit_learn_starts_from_the_same(ours: Loss, theirs: Any) -> None:
    y = RNG.normal(size=101)  # 0.8 of 100 steps is a whole number: no interpolation
    assert ours.fit_intercept_only(y) == pytest.approx(float(theirs.fit_intercept_only(y)), rel=1e-14)
