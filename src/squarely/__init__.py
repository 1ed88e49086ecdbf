"""The home of squared error: exact regression metrics over states that add and subtract."""
# ruff: noqa: F403, F405

from importlib import import_module as _import_module
from typing import Any as _Any

import numpy as _numpy  # noqa: F401  # first: deep below, its calls fall on the edge of a chunk of the stack, and it takes 40 ms more

from squarely import errors, report
from squarely.catalogue import *
from squarely.compare import Comparison, compare
from squarely.decompose import BiasVariance, Decomposition, bias_variance, decompose
from squarely.diagnose import Diagnosis, Finding, diagnose
from squarely.evaluate import Evaluation, evaluate
from squarely.metric import METRICS
from squarely.scorer import scorer
from squarely.slices import Slices, slices
from squarely.state import PairState

mse = msd = mean_squared_error
rmse = root_mean_squared_error
nmse = relative_squared_error = rse = normalized_mean_squared_error
nrmse = rsr = root_relative_squared_error = rrse = normalized_root_mean_squared_error
rpd = ratio_of_performance_to_deviation
rpiq = ratio_of_performance_to_interquartile_distance
mae = mean_absolute_error
wape = wmape = weighted_absolute_percentage_error
r2 = nash_sutcliffe_efficiency = nse = r2_score
adjusted_r2 = adjusted_r2_score
explained_variance = explained_variance_score
bias = mean_error
pearson_r = pearson_correlation
ccc = concordance_correlation
kge = kling_gupta_efficiency
ioa = index_of_agreement
mape = mean_absolute_percentage_error
smape = symmetric_mean_absolute_percentage_error
mpe = mean_percentage_error
rmspe = root_mean_squared_percentage_error
mase = mean_absolute_scaled_error
msse = mean_squared_scaled_error
rmsse = root_mean_squared_scaled_error
mdase = median_absolute_scaled_error
rae = relative_absolute_error
msle = mean_squared_log_error
rmsle = root_mean_squared_log_error
medae = median_absolute_error
trimmed_mse = trimmed_mean_squared_error
winsorized_mse = winsorized_mean_squared_error
huber = mean_huber_loss
smooth_l1 = mean_smooth_l1_loss
pseudo_huber = mean_pseudo_huber_loss
log_cosh = mean_log_cosh_loss
pinball = mean_pinball_loss
mqloss = mean_quantile_loss
linex = mean_linex_loss
twse = threshold_weighted_squared_error
picp = interval_coverage
mpiw = mean_interval_width
winkler_score = interval_score

__all__ = [
    "METRICS",
    "BiasVariance",
    "Comparison",
    "Decomposition",
    "Diagnosis",
    "Evaluation",
    "Finding",
    "LearningCurve",
    "PairState",
    "Slices",
    "ValidationCurve",
    "adjusted_r2",
    "adjusted_r2_score",
    "bias",
    "bias_ratio",
    "bias_variance",
    "calibration_intercept",
    "calibration_slope",
    "ccc",
    "compare",
    "concordance_correlation",
    "crps_gaussian",
    "crps_quantiles",
    "d2_absolute_error_score",
    "d2_pinball_score",
    "d2_tweedie_score",
    "decompose",
    "diagnose",
    "errors",
    "evaluate",
    "explained_variance",
    "explained_variance_score",
    "gaussian_nll",
    "huber",
    "index_of_agreement",
    "interval_coverage",
    "interval_score",
    "ioa",
    "kge",
    "kling_gupta_efficiency",
    "learning_curve",
    "linear",
    "linex",
    "log_cosh",
    "losses",
    "mae",
    "mape",
    "mase",
    "max_error",
    "mdase",
    "mean_absolute_circular_error",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_absolute_scaled_error",
    "mean_barron_loss",
    "mean_cauchy_loss",
    "mean_circular_error",
    "mean_error",
    "mean_expectile_loss",
    "mean_gamma_deviance",
    "mean_geman_mcclure_loss",
    "mean_huber_loss",
    "mean_interval_width",
    "mean_linex_loss",
    "mean_log_cosh_loss",
    "mean_percentage_error",
    "mean_pinball_loss",
    "mean_poisson_deviance",
    "mean_pseudo_huber_loss",
    "mean_quantile_loss",
    "mean_smooth_l1_loss",
    "mean_squared_error",
    "mean_squared_log_error",
    "mean_squared_scaled_error",
    "mean_tukey_loss",
    "mean_tweedie_deviance",
    "mean_welsch_loss",
    "medae",
    "median_absolute_error",
    "median_absolute_scaled_error",
    "mpe",
    "mpiw",
    "mqloss",
    "msd",
    "mse",
    "msle",
    "msse",
    "nash_sutcliffe_efficiency",
    "nmse",
    "normalized_mean_squared_error",
    "normalized_root_mean_squared_error",
    "nrmse",
    "nse",
    "pearson_correlation",
    "pearson_r",
    "picp",
    "pinball",
    "pseudo_huber",
    "quantile_absolute_error",
    "r2",
    "r2_score",
    "rae",
    "ratio_of_performance_to_deviation",
    "ratio_of_performance_to_interquartile_distance",
    "relative_absolute_error",
    "relative_squared_error",
    "report",
    "residual_variance",
    "rmse",
    "rmsle",
    "rmspe",
    "rmsse",
    "root_mean_squared_circular_error",
    "root_mean_squared_error",
    "root_mean_squared_log_error",
    "root_mean_squared_percentage_error",
    "root_mean_squared_scaled_error",
    "root_relative_squared_error",
    "rpd",
    "rpiq",
    "rrse",
    "rse",
    "rsr",
    "scorer",
    "skill_score",
    "slices",
    "smape",
    "smooth_l1",
    "symmetric_mean_absolute_percentage_error",
    "theil_u1",
    "theil_u2",
    "threshold_weighted_squared_error",
    "trimmed_mean_squared_error",
    "trimmed_mse",
    "twse",
    "validation_curve",
    "variability_ratio",
    "wape",
    "weighted_absolute_percentage_error",
    "winkler_score",
    "winsorized_mean_squared_error",
    "winsorized_mse",
    "wmape",
]


_OF_CURVES = ("LearningCurve", "ValidationCurve", "learning_curve", "validation_curve")


def __getattr__(name: str) -> _Any:
    if name in ("losses", "linear"):  # for who trains or fits; who evaluates does not wait for it
        return _import_module(f"squarely.{name}")
    if name in _OF_CURVES:
        return getattr(_import_module("squarely.curves"), name)
    raise AttributeError(f"module 'squarely' has no attribute {name!r}")
