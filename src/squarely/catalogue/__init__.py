"""The metrics: one decorated formula each, one file per mathematical family."""

# ruff: isort: skip_file  # the order of imports is the order in which metrics are listed
from squarely.catalogue.absolute import max_error, mean_absolute_error, weighted_absolute_percentage_error
from squarely.catalogue.agreement import bias_ratio, concordance_correlation, kling_gupta_efficiency, pearson_correlation, variability_ratio
from squarely.catalogue.calibration import calibration_intercept, calibration_slope, mean_error
from squarely.catalogue.explained import adjusted_r2_score, explained_variance_score, r2_score
from squarely.catalogue.quantile import d2_absolute_error_score, d2_pinball_score, mean_pinball_loss
from squarely.catalogue.squared import (
    mean_squared_error,
    normalized_mean_squared_error,
    normalized_root_mean_squared_error,
    residual_variance,
    root_mean_squared_error,
)

__all__ = [
    "adjusted_r2_score",
    "bias_ratio",
    "calibration_intercept",
    "calibration_slope",
    "concordance_correlation",
    "d2_absolute_error_score",
    "d2_pinball_score",
    "explained_variance_score",
    "kling_gupta_efficiency",
    "max_error",
    "mean_absolute_error",
    "mean_error",
    "mean_pinball_loss",
    "mean_squared_error",
    "normalized_mean_squared_error",
    "normalized_root_mean_squared_error",
    "pearson_correlation",
    "r2_score",
    "residual_variance",
    "root_mean_squared_error",
    "variability_ratio",
    "weighted_absolute_percentage_error",
]
