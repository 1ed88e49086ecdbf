"""Losses for Keras 3 on its torch and JAX backends: for ``compile``, with masks and sample weights, and metrics that agree with them.

``model.compile(loss=HuberLoss(), weighted_metrics=[LossMetric(HuberLoss())])`` shows the loss of all batches beside Keras's mean of means. Arguments
are in Keras's order, ``(y_true, y_pred)``, and have one shape; nothing is squeezed or broadcast.
"""

from squarely.losses.keras.loss import LossMetric, PointwiseLoss, declared
from squarely.losses.kernels import KERNELS

__all__ = [
    "BarronLoss",
    "CauchyLoss",
    "ExpectileLoss",
    "FairLoss",
    "GemanMcClureLoss",
    "HalfMSELoss",
    "HuberLoss",
    "L1Loss",
    "LinexLoss",
    "LogCoshLoss",
    "LossMetric",
    "MSELoss",
    "MSLELoss",
    "PinballLoss",
    "PointwiseLoss",
    "PseudoHuberLoss",
    "RelativeSquaredLoss",
    "SmoothL1Loss",
    "SmoothPinballLoss",
    "StudentTLoss",
    "TukeyLoss",
    "WelschLoss",
    "WinsorizedLoss",
]

MSELoss = declared("MSELoss", KERNELS["mse_loss"])
HalfMSELoss = declared("HalfMSELoss", KERNELS["half_mse_loss"])
MSLELoss = declared("MSLELoss", KERNELS["msle_loss"])
RelativeSquaredLoss = declared("RelativeSquaredLoss", KERNELS["relative_squared_loss"])
L1Loss = declared("L1Loss", KERNELS["l1_loss"])
HuberLoss = declared("HuberLoss", KERNELS["huber_loss"])
SmoothL1Loss = declared("SmoothL1Loss", KERNELS["smooth_l1_loss"])
PseudoHuberLoss = declared("PseudoHuberLoss", KERNELS["pseudo_huber_loss"])
LogCoshLoss = declared("LogCoshLoss", KERNELS["log_cosh_loss"])
FairLoss = declared("FairLoss", KERNELS["fair_loss"])
CauchyLoss = declared("CauchyLoss", KERNELS["cauchy_loss"])
GemanMcClureLoss = declared("GemanMcClureLoss", KERNELS["geman_mcclure_loss"])
WelschLoss = declared("WelschLoss", KERNELS["welsch_loss"])
TukeyLoss = declared("TukeyLoss", KERNELS["tukey_loss"])
WinsorizedLoss = declared("WinsorizedLoss", KERNELS["winsorized_loss"])
StudentTLoss = declared("StudentTLoss", KERNELS["student_t_loss"])
BarronLoss = declared("BarronLoss", KERNELS["barron_loss"])
PinballLoss = declared("PinballLoss", KERNELS["pinball_loss"])
SmoothPinballLoss = declared("SmoothPinballLoss", KERNELS["smooth_pinball_loss"])
ExpectileLoss = declared("ExpectileLoss", KERNELS["expectile_loss"])
LinexLoss = declared("LinexLoss", KERNELS["linex_loss"])
