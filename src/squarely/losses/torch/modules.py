"""The losses of squarely as modules; those that torch has too are named as it names them."""

import math
from collections.abc import Mapping
from typing import Any, ClassVar

from squarely.errors import DataError
from squarely.losses.kernels import checked, refuse_places
from squarely.losses.options import Options
from squarely.losses.terms import LossTerms
from squarely.losses.torch import functional
from squarely.losses.torch.call import TorchCall
from squarely.losses.torch.library import torch

__all__ = [
    "AdaptiveLoss",
    "BarronLoss",
    "BetaNLLLoss",
    "CauchyLoss",
    "ExpectileLoss",
    "FairLoss",
    "FaithfulNLLLoss",
    "GaussianNLLLoss",
    "GemanMcClureLoss",
    "HalfMSELoss",
    "HuberLoss",
    "L1Loss",
    "LinexLoss",
    "LogCoshLoss",
    "Loss",
    "MSELoss",
    "MSLELoss",
    "NMSELoss",
    "PatchMSELoss",
    "PinballLoss",
    "PseudoHuberLoss",
    "QuantileLoss",
    "RMSELoss",
    "RelativeL2Loss",
    "RelativeSquaredLoss",
    "SmoothL1Loss",
    "SmoothPinballLoss",
    "StudentTLoss",
    "TrimmedLoss",
    "TukeyLoss",
    "WelschLoss",
    "WinsorizedLoss",
]

Tensor = torch.Tensor
_LOW, _HIGH, _LEAST = 0.001, 1.999, 1e-5


class Loss(torch.nn.Module):
    """A loss with its settings. Weights and masks are given with each batch and never kept, for they belong to its rows.

    Parameters
    ----------
    reduction, denom, nan_target
        As ``squarely.losses.Options`` says.
    **settings
        Those of the function of the same loss.

    Examples
    --------
    >>> import torch
    >>> from squarely.losses.torch import HuberLoss
    >>> criterion = HuberLoss(delta=2.0)
    >>> criterion(torch.tensor([1.0, 9.0]), torch.zeros(2), mask=torch.tensor([True, False]))
    tensor(0.5000)
    """

    function: ClassVar[TorchCall]

    def __init__(self, *given: Any, reduction: str = "mean", denom: Any = None, nan_target: str = "propagate", **settings: Any) -> None:
        super().__init__()
        refuse_places(type(self).__name__, self.function.declared, given)
        Options(reduction=reduction, denom=denom, nan_target=nan_target)  # refuses now what no call could use
        self.settings: Mapping[str, Any] = checked(self.function.declared, settings)
        options = {"reduction": (reduction, "mean"), "denom": (denom, None), "nan_target": (nan_target, "propagate")}
        self.options = {name: value for name, (value, default) in options.items() if value is not default and value != default}

    def forward(self, pred: Tensor, target: Tensor, **given: Any) -> Tensor:
        """Return the loss of a batch."""
        return self.function(pred, target, **self.settings, **self.options, **given)

    def terms(self, pred: Tensor, target: Tensor, **given: Any) -> LossTerms:
        """Return numerator and denominator, to be added over micro-batches and ranks."""
        return self.function.terms(pred, target, **self.settings, **self.options, **given)

    def extra_repr(self) -> str:
        """Return the settings, as they stand in the representation of a module."""
        return ", ".join(f"{name}={value!r}" for name, value in {**self.settings, **self.options}.items())


def _module(name: str, function: TorchCall) -> type[Loss]:
    """Return the module of a function, which says what that says."""
    return type(name, (Loss,), {"__doc__": function.__doc__, "__module__": __name__, "function": function})


MSELoss = _module("MSELoss", functional.mse_loss)
HalfMSELoss = _module("HalfMSELoss", functional.half_mse_loss)
MSLELoss = _module("MSLELoss", functional.msle_loss)
RelativeSquaredLoss = _module("RelativeSquaredLoss", functional.relative_squared_loss)
L1Loss = _module("L1Loss", functional.l1_loss)
HuberLoss = _module("HuberLoss", functional.huber_loss)
SmoothL1Loss = _module("SmoothL1Loss", functional.smooth_l1_loss)
PseudoHuberLoss = _module("PseudoHuberLoss", functional.pseudo_huber_loss)
LogCoshLoss = _module("LogCoshLoss", functional.log_cosh_loss)
FairLoss = _module("FairLoss", functional.fair_loss)
CauchyLoss = _module("CauchyLoss", functional.cauchy_loss)
GemanMcClureLoss = _module("GemanMcClureLoss", functional.geman_mcclure_loss)
WelschLoss = _module("WelschLoss", functional.welsch_loss)
TukeyLoss = _module("TukeyLoss", functional.tukey_loss)
WinsorizedLoss = _module("WinsorizedLoss", functional.winsorized_loss)
StudentTLoss = _module("StudentTLoss", functional.student_t_loss)
BarronLoss = _module("BarronLoss", functional.barron_loss)
PinballLoss = _module("PinballLoss", functional.pinball_loss)
SmoothPinballLoss = _module("SmoothPinballLoss", functional.smooth_pinball_loss)
ExpectileLoss = _module("ExpectileLoss", functional.expectile_loss)
LinexLoss = _module("LinexLoss", functional.linex_loss)
RMSELoss = _module("RMSELoss", functional.rmse_loss)
TrimmedLoss = _module("TrimmedLoss", functional.trimmed_loss)
NMSELoss = _module("NMSELoss", functional.nmse_loss)
RelativeL2Loss = _module("RelativeL2Loss", functional.relative_l2_loss)
QuantileLoss = _module("QuantileLoss", functional.quantile_loss)
GaussianNLLLoss = _module("GaussianNLLLoss", functional.gaussian_nll_loss)
BetaNLLLoss = _module("BetaNLLLoss", functional.beta_nll_loss)
FaithfulNLLLoss = _module("FaithfulNLLLoss", functional.faithful_nll_loss)
PatchMSELoss = _module("PatchMSELoss", functional.patch_mse_loss)


class AdaptiveLoss(Loss):
    """The adaptive loss of Barron whose shape and scale are parameters, learned with the model.

    Parameters
    ----------
    outputs : int, optional
        The length of the last axis of the prediction, for a shape and a scale of each output; left out, there is one for all.
    alpha, scale : float
        Where they start. The shape stays between 0.001 and 1.999, the scale above 1e-5.

    References
    ----------
    Barron, J. T. (2019), A general and adaptive robust loss function, arXiv:1701.03077.
    """

    function = functional.adaptive_loss

    def __init__(self, outputs: int | None = None, *, alpha: float = 1.0, scale: float = 1.0, **options: Any) -> None:
        super().__init__(**options)
        if not (_LOW < alpha < _HIGH and scale > _LEAST):
            raise DataError(f"alpha is {alpha} and scale {scale}; expected alpha between {_LOW} and {_HIGH} and a scale above {_LEAST}.")
        shape = () if outputs is None else (outputs,)
        share = (alpha - _LOW) / (_HIGH - _LOW)
        self.latent_alpha = torch.nn.Parameter(torch.full(shape, math.log(share / (1 - share))))
        self.latent_scale = torch.nn.Parameter(torch.full(shape, math.log(math.expm1(scale - _LEAST))))

    @property
    def alpha(self) -> Tensor:
        """The shape."""
        return _LOW + (_HIGH - _LOW) * torch.sigmoid(self.latent_alpha)

    @property
    def scale(self) -> Tensor:
        """The scale."""
        return _LEAST + torch.nn.functional.softplus(self.latent_scale)

    def forward(self, pred: Tensor, target: Tensor, **given: Any) -> Tensor:
        """Return the loss of a batch, with a gradient for shape and scale too."""
        return super().forward(pred, target, alpha=self.alpha, scale=self.scale, **given)

    def terms(self, pred: Tensor, target: Tensor, **given: Any) -> LossTerms:
        """Return numerator and denominator, to be added over micro-batches and ranks."""
        return super().terms(pred, target, alpha=self.alpha, scale=self.scale, **given)
