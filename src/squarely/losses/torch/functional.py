"""The losses of squarely as functions of tensors; those that torch has too are named as it names them."""

from squarely.losses.forms import FORMS
from squarely.losses.kernels import KERNELS, Kernel
from squarely.losses.torch.call import TorchCall

__all__ = [
    "adaptive_loss",
    "barron_loss",
    "beta_nll_loss",
    "cauchy_loss",
    "expectile_loss",
    "fair_loss",
    "faithful_nll_loss",
    "gaussian_nll_loss",
    "geman_mcclure_loss",
    "half_mse_loss",
    "huber_loss",
    "l1_loss",
    "linex_loss",
    "log_cosh_loss",
    "loss",
    "mse_loss",
    "msle_loss",
    "nmse_loss",
    "patch_mse_loss",
    "pinball_loss",
    "pseudo_huber_loss",
    "quantile_loss",
    "relative_l2_loss",
    "relative_squared_loss",
    "rmse_loss",
    "smooth_l1_loss",
    "smooth_pinball_loss",
    "student_t_loss",
    "trimmed_loss",
    "tukey_loss",
    "welsch_loss",
    "winsorized_loss",
]

mse_loss = TorchCall(KERNELS["mse_loss"])
half_mse_loss = TorchCall(KERNELS["half_mse_loss"])
msle_loss = TorchCall(KERNELS["msle_loss"])
relative_squared_loss = TorchCall(KERNELS["relative_squared_loss"])
l1_loss = TorchCall(KERNELS["l1_loss"])
huber_loss = TorchCall(KERNELS["huber_loss"])
smooth_l1_loss = TorchCall(KERNELS["smooth_l1_loss"])
pseudo_huber_loss = TorchCall(KERNELS["pseudo_huber_loss"])
log_cosh_loss = TorchCall(KERNELS["log_cosh_loss"])
fair_loss = TorchCall(KERNELS["fair_loss"])
cauchy_loss = TorchCall(KERNELS["cauchy_loss"])
geman_mcclure_loss = TorchCall(KERNELS["geman_mcclure_loss"])
welsch_loss = TorchCall(KERNELS["welsch_loss"])
tukey_loss = TorchCall(KERNELS["tukey_loss"])
winsorized_loss = TorchCall(KERNELS["winsorized_loss"])
student_t_loss = TorchCall(KERNELS["student_t_loss"])
barron_loss = TorchCall(KERNELS["barron_loss"])
pinball_loss = TorchCall(KERNELS["pinball_loss"])
smooth_pinball_loss = TorchCall(KERNELS["smooth_pinball_loss"])
expectile_loss = TorchCall(KERNELS["expectile_loss"])
linex_loss = TorchCall(KERNELS["linex_loss"])
rmse_loss = TorchCall(FORMS["rmse_loss"])
trimmed_loss = TorchCall(FORMS["trimmed_loss"])
nmse_loss = TorchCall(FORMS["nmse_loss"])
relative_l2_loss = TorchCall(FORMS["relative_l2_loss"])
quantile_loss = TorchCall(FORMS["quantile_loss"])
gaussian_nll_loss = TorchCall(FORMS["gaussian_nll_loss"])
beta_nll_loss = TorchCall(FORMS["beta_nll_loss"])
faithful_nll_loss = TorchCall(FORMS["faithful_nll_loss"])
adaptive_loss = TorchCall(FORMS["adaptive_loss"])
patch_mse_loss = TorchCall(FORMS["patch_mse_loss"])


def loss(kernel: type[Kernel]) -> TorchCall:
    """Return a loss of your own, made by ``squarely.losses.pointwise``, as a function of tensors.

    Examples
    --------
    >>> import torch
    >>> from squarely.losses import pointwise
    >>> from squarely.losses.torch import loss
    >>> @pointwise()
    ... def fourth_power(xp, u):
    ...     return u**4
    >>> loss(fourth_power)(torch.tensor([2.0, 0.0]), torch.zeros(2))
    tensor(8.)
    """
    return TorchCall(kernel)
