"""A loss that knows its settings: its values and derivatives for each element, as boosting and solvers take them."""

import inspect
from typing import Any, ClassVar

import numpy as np

from squarely.errors import DataError
from squarely.losses.calls import documented
from squarely.losses.compose import Counted
from squarely.losses.core import in_core
from squarely.losses.kernels import Kernel, checked, refuse_places
from squarely.losses.kernels.residual import DIFFERENCE
from squarely.losses.numpy.blocks import Formula, over_blocks
from squarely.losses.numpy.calls import NumpyCall
from squarely.losses.numpy.compiled import write
from squarely.losses.numpy.constant import best_constant
from squarely.losses.numpy.given import array_of, refuse_outside
from squarely.losses.numpy.gradient import value_and_grad
from squarely.losses.numpy.library import Array

__all__ = ["HESSIANS", "Loss", "loss_class"]

HESSIANS = ("exact", "gauss_newton", "one", "irls")
_CAPITALS = {"mse": "MSE", "msle": "MSLE", "l1": "L1", "mcclure": "McClure"}


class Loss:
    r"""A pointwise loss with its settings, for arrays of NumPy.

    .. math:: \ell_i = w_i \, \rho(u_i), \quad \frac{\partial \ell_i}{\partial \hat y_i} = w_i \, \rho'(u_i) \, u_i'

    Attributes
    ----------
    kernel : its declaration
    settings : its settings by name
    """

    kernel: ClassVar[type[Kernel]]

    def __init__(self, *given: Any, **settings: float) -> None:
        refuse_places(type(self).__name__, self.kernel, given)
        self.settings = checked(self.kernel, settings)
        self._bound = self.kernel.bound(self.settings)
        self._in_core = in_core(self._bound)
        self._taken = {name: self.settings[name] for name in self.kernel.residual.takes}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value:g}' for name, value in self.settings.items())})"

    @property
    def constant_hessian(self) -> bool:
        """Whether the second derivative is one number."""
        return self.kernel.constant_curvature

    @property
    def differentiable(self) -> bool:
        """Whether the gradient is continuous in the prediction."""
        return self.kernel.differentiable

    def __call__(self, pred: Any, target: Any, **options: Any) -> Array:
        """Return the mean over what counts, or what ``reduction`` says; options as in ``squarely.losses.Options``."""
        return np.asarray(NumpyCall(self.kernel)(pred, target, **self.settings, **options))[()]

    def value_and_grad(self, pred: Any, target: Any, **options: Any) -> tuple[Array, Array]:
        """Return the loss as ``__call__`` does, and its gradient by the prediction; options as in ``squarely.losses.Options``.

        Where the loss is more than one number, the gradient is that of their sum.
        """
        return value_and_grad(self.kernel, self.settings, pred, target, options)

    def loss(self, pred: Any, target: Any, sample_weight: Any = None, loss_out: Array | None = None) -> Array:
        """Return the loss of each element."""
        return self._written(pred, target, sample_weight, (True, loss_out), (False, None))[0]

    def gradient(self, pred: Any, target: Any, sample_weight: Any = None, gradient_out: Array | None = None) -> Array:
        """Return the derivative of each loss by its prediction."""
        return self._written(pred, target, sample_weight, (False, None), (True, gradient_out))[0]

    def hessian(self, pred: Any, target: Any, sample_weight: Any = None, hessian_out: Array | None = None, *, hessian: str = "exact") -> Array:
        r"""Return the second derivative of each loss by its prediction, or what solvers take instead.

        .. math:: \rho'' u'^2 + \rho' u'' \text{ (exact)}, \quad \max(\rho'', 0) u'^2 \text{ (gauss\_newton)}, \quad
            \frac{\rho'}{u} u'^2 \text{ (irls)}, \quad 1 \text{ (one)}
        """
        return self._each(pred, target, sample_weight, ("hessian_out", self._curvature(hessian), hessian_out))[0]

    def loss_gradient(
        self, pred: Any, target: Any, sample_weight: Any = None, loss_out: Array | None = None, gradient_out: Array | None = None
    ) -> tuple[Array, Array]:
        """Return loss and derivative of each element, in one pass."""
        loss, gradient = self._written(pred, target, sample_weight, (True, loss_out), (True, gradient_out))
        return loss, gradient

    def gradient_hessian(
        self,
        pred: Any,
        target: Any,
        sample_weight: Any = None,
        gradient_out: Array | None = None,
        hessian_out: Array | None = None,
        *,
        hessian: str = "exact",
    ) -> tuple[Array, Array]:
        """Return first and second derivative of each loss, in one pass; ``hessian`` as in the method of this name."""
        pair = ("gradient_out", self._slope, gradient_out), ("hessian_out", self._curvature(hessian), hessian_out)
        if hessian != "one":
            outs = self._from_core(pred, target, sample_weight, (False, None), (True, gradient_out), (True, hessian_out), curvature=hessian)
            if outs is not None:
                return outs[1], outs[2]
        gradient, curvature = self._each(pred, target, sample_weight, *pair)
        return gradient, curvature

    def fit_intercept_only(self, target: Any, sample_weight: Any = None) -> float:
        """Return the constant prediction of least loss: where boosting starts.

        Of a loss that is not convex it is a minimum near the median. Of quantiles, where a whole interval is best, it is the middle.
        """
        return best_constant(self.kernel, self.settings, target, sample_weight)

    def _written(self, pred: Any, target: Any, sample_weight: Any, loss: tuple[bool, Any], gradient: tuple[bool, Any]) -> list[Array]:
        """Return what is wanted of losses and gradients, from the core where that has the loss and takes such arrays."""
        outs = self._from_core(pred, target, sample_weight, loss, gradient, (False, None))
        if outs is not None:
            return [out for out in outs if out is not None]
        formulas = ("loss_out", self._rho, loss), ("gradient_out", self._slope, gradient)
        return list(self._each(pred, target, sample_weight, *((name, each, out) for name, each, (is_wanted, out) in formulas if is_wanted)))

    def _from_core(self, pred: Any, target: Any, sample_weight: Any, *outs: tuple[bool, Any], curvature: str = "exact") -> list[Any] | None:
        """Return what the core writes; None where it does not have the loss, or take such arrays."""
        if self._in_core is None or not all(each is None or type(each) is np.ndarray for each in (pred, target, sample_weight)):
            return None
        if self.kernel.residual.domain:
            self._refuse(pred, target, sample_weight)
        return write(self._in_core, pred, target, sample_weight, *outs, curvature=curvature)

    def _each(self, pred: Any, target: Any, sample_weight: Any, *formulas: tuple[str, Formula, Array | None]) -> tuple[Array, ...]:
        if self.kernel.residual.domain:
            self._refuse(array_of("pred", pred), array_of("target", target), sample_weight)
        return over_blocks(self._residual, list(formulas), pred, target, sample_weight)

    def _refuse(self, pred: Array, target: Array, sample_weight: Any) -> None:
        if pred.shape == target.shape:
            weight = None if sample_weight is None else array_of("sample_weight", sample_weight)
            mask = None if weight is None else (weight != 0).reshape(weight.shape + (1,) * (pred.ndim - weight.ndim))
            refuse_outside(self.kernel, pred, target, Counted(pred.shape, mask))

    def _residual(self, pred: Array, target: Array) -> Any:
        return self.kernel.residual.of(np, pred, target, **self._taken)

    def _rho(self, pred: Array, target: Array, u: Array) -> Any:
        return self._bound.rho(np, u)

    def _slope(self, pred: Array, target: Array, u: Array) -> Any:
        psi = self._bound.psi(np, u)
        return psi if self.kernel.residual is DIFFERENCE else psi * self._unit(pred, target)

    def _unit(self, pred: Array, target: Array) -> Any:
        return self.kernel.residual.slope(np, pred, target, **self._taken)

    def _curvature(self, hessian: str) -> Formula:
        """Return the formula of a kind of second derivative."""
        formulas: dict[str, Formula] = {
            "exact": self._exact,
            "gauss_newton": lambda p, t, u: np.maximum(self._bound.kappa(np, u), 0) * self._unit(p, t) ** 2,
            "one": lambda p, t, u: np.ones_like(u),
            "irls": lambda p, t, u: self._bound.omega(np, u) * self._unit(p, t) ** 2,
        }
        if hessian not in formulas:
            raise DataError(f"hessian is {hessian!r}; expected one of {', '.join(map(repr, HESSIANS))}.")
        return formulas[hessian]

    def _exact(self, pred: Array, target: Array, u: Array) -> Any:
        kappa = self._bound.kappa(np, u)
        if self.kernel.residual is DIFFERENCE:
            return kappa
        bend = self.kernel.residual.bend(np, pred, target, **self._taken)
        return kappa * self._unit(pred, target) ** 2 + self._bound.psi(np, u) * bend


def loss_class(kernel: type[Kernel]) -> type[Loss]:
    """Return the class of a loss, ``HuberLoss`` of ``huber_loss``; one of your own must have its derivatives."""
    if not kernel.has_derivatives:
        raise DataError(f"{kernel.name} has no derivatives, and NumPy finds none; declare it with pointwise(psi=..., kappa=...).")
    name = "".join(_CAPITALS.get(word, word.capitalize()) for word in kernel.name.split("_"))
    made = type(name, (Loss,), {"kernel": kernel, "__module__": "squarely.losses.numpy", "__doc__": _words(kernel)})
    only = inspect.Parameter.KEYWORD_ONLY
    settings = [inspect.Parameter(each, only, default=setting.default) for each, setting in kernel.settings.items()]
    made.__signature__ = inspect.Signature(settings)  # type: ignore[attr-defined]
    return made


def _words(kernel: type[Kernel]) -> str:
    """Return the documentation of a class: that of its function, with its settings alone."""
    said = documented(kernel, {})
    head, _, rest = said.partition("Parameters\n----------\n")
    settings = [f"{name} : {each.expected}, default {each.default:g}\n    {each.text}" for name, each in kernel.settings.items()]
    parameters = "\n".join(["Parameters", "----------", *settings, "", ""]) if settings else ""
    return head + parameters + rest[rest.index("References\n") :]
