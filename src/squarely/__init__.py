"""The home of squared error: exact regression metrics over states that add and subtract."""

from squarely import errors, report
from squarely.catalogue import (
    adjusted_r2_score,
    bias_ratio,
    calibration_intercept,
    calibration_slope,
    concordance_correlation,
    d2_absolute_error_score,
    d2_pinball_score,
    explained_variance_score,
    kling_gupta_efficiency,
    max_error,
    mean_absolute_error,
    mean_error,
    mean_pinball_loss,
    mean_squared_error,
    normalized_mean_squared_error,
    normalized_root_mean_squared_error,
    pearson_correlation,
    r2_score,
    residual_variance,
    root_mean_squared_error,
    variability_ratio,
    weighted_absolute_percentage_error,
)
from squarely.evaluate import Evaluation, evaluate
from squarely.metric import METRICS
from squarely.state import PairState

mse = mean_squared_error
rmse = root_mean_squared_error
nmse = normalized_mean_squared_error
nrmse = normalized_root_mean_squared_error
bias = mean_error
r2 = nse = nash_sutcliffe_efficiency = r2_score
adjusted_r2 = adjusted_r2_score
explained_variance = explained_variance_score
pearson_r = pearson_correlation
ccc = concordance_correlation
kge = kling_gupta_efficiency
mae = mean_absolute_error
wape = weighted_absolute_percentage_error
pinball = mean_pinball_loss

__all__ = [
    "METRICS",
    "Evaluation",
    "PairState",
    "adjusted_r2",
    "adjusted_r2_score",
    "bias",
    "bias_ratio",
    "calibration_intercept",
    "calibration_slope",
    "ccc",
    "concordance_correlation",
    "d2_absolute_error_score",
    "d2_pinball_score",
    "errors",
    "evaluate",
    "explained_variance",
    "explained_variance_score",
    "kge",
    "kling_gupta_efficiency",
    "mae",
    "max_error",
    "mean_absolute_error",
    "mean_error",
    "mean_pinball_loss",
    "mean_squared_error",
    "mse",
    "nash_sutcliffe_efficiency",
    "nmse",
    "normalized_mean_squared_error",
    "normalized_root_mean_squared_error",
    "nrmse",
    "nse",
    "pearson_correlation",
    "pearson_r",
    "pinball",
    "r2",
    "r2_score",
    "report",
    "residual_variance",
    "rmse",
    "root_mean_squared_error",
    "variability_ratio",
    "wape",
    "weighted_absolute_percentage_error",
]
