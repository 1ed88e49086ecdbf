"""One loss in three frameworks is one number, with one gradient; so is a loss of one's own, which boosting and Keras take too."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

import squarely.losses.jax as in_jax
import squarely.losses.numpy as in_numpy
import squarely.losses.torch as in_torch
from squarely.errors import DataError
from squarely.losses import pointwise
from squarely.losses.boosting import as_xgboost
from squarely.losses.forms import FORMS
from squarely.losses.kernels import KERNELS

RNG = np.random.default_rng(12)
TARGET = RNG.gamma(2.0, 1.0, (9, 3))
PRED = TARGET * np.exp(RNG.normal(0, 0.4, (9, 3)))
TARGET[2, 1], TARGET[5] = np.nan, np.nan
WEIGHT = RNG.random(9) + 0.1
WEIGHT[3] = 0.0
ARRAYS: dict[str, dict[str, Any]] = {
    **{name: {"log_var": RNG.normal(size=(9, 3))} for name in ("gaussian_nll_loss", "beta_nll_loss", "faithful_nll_loss")},
    "adaptive_loss": {"alpha": np.array([0.4, 1.0, 1.7]), "scale": np.array([0.5, 1.0, 2.0])},
}


def _called(name: str) -> tuple[Any, Any, dict[str, Any]]:
    """What a loss is called with: weights on the left, and targets that are missing."""
    given = {"sample_weight": WEIGHT, **ARRAYS.get(name, {})}
    if name == "quantile_loss":
        return PRED, TARGET[:, 0], given
    return PRED, TARGET, given


@pytest.mark.parametrize("name", [*sorted(KERNELS), *sorted(FORMS)])
def test_a_loss_is_one_number_with_one_gradient(name: str) -> None:
    pred, target, given = _called(name)
    value = getattr(in_numpy, name)(pred, target, nan_target="omit", **given)
    leaf = torch.tensor(pred, requires_grad=True)
    tensors = {key: torch.tensor(each) for key, each in given.items()}
    theirs = getattr(in_torch, name)(leaf, torch.tensor(target), nan_target="omit", **tensors)
    theirs.backward()
    with jax.enable_x64(True):
        arrays = {key: jnp.asarray(each) for key, each in given.items()}
        function = jax.jit(jax.value_and_grad(lambda p: getattr(in_jax, name)(p, jnp.asarray(target), nan_target="omit", **arrays)))
        third, gradient = function(jnp.asarray(pred))
    assert np.isfinite(value)
    assert theirs.item() == pytest.approx(float(value), rel=1e-13)
    assert float(third) == pytest.approx(float(value), rel=1e-13)
    assert leaf.grad is not None
    np.testing.assert_allclose(np.asarray(gradient), leaf.grad.numpy(), rtol=1e-12, atol=1e-14)
    assert not leaf.grad[5].any()
    assert not leaf.grad[3].any()


def test_a_loss_of_ones_own_has_every_face() -> None:
    def side(xp: Any, u: Any, high: float) -> Any:
        return xp.where(u > 0, high * xp.ones_like(u), xp.ones_like(u))

    @pointwise(psi=lambda xp, u, high: 2 * u * side(xp, u, high), kappa=lambda xp, u, high: 2 * side(xp, u, high))
    def late(xp: Any, u: Any, high: float = 3.0) -> Any:
        return u * u * side(xp, u, high)

    p, y = PRED[:2, 0], TARGET[:2, 0]
    expected = float(np.mean((p - y) ** 2 * np.where(p > y, 5.0, 1.0)))
    assert float(in_numpy.loss(late)(p, y, high=5.0)) == pytest.approx(expected, rel=1e-14)
    assert in_torch.loss(late)(torch.tensor(p), torch.tensor(y), high=5.0).item() == pytest.approx(expected, rel=1e-14)
    assert float(in_jax.loss(late)(jnp.asarray(p), jnp.asarray(y), high=5.0)) == pytest.approx(expected, rel=1e-6)
    bound = in_numpy.loss_class(late)(high=5.0)
    np.testing.assert_allclose(bound.gradient(p, y), 2 * (p - y) * np.where(p > y, 5.0, 1.0), rtol=1e-14)
    np.testing.assert_allclose(bound.hessian(p, y), 2 * np.where(p > y, 5.0, 1.0), rtol=1e-14)
    gradient, _ = as_xgboost(bound)(y, p)
    np.testing.assert_allclose(gradient, bound.gradient(p, y), rtol=1e-6)

    @pointwise()
    def underived(xp: Any, u: Any) -> Any:
        return u**4

    with pytest.raises(DataError, match="underived has no derivatives, and NumPy finds none"):
        in_numpy.loss_class(underived)
