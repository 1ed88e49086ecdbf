"""The metrics: one decorated formula each, one file per mathematical family."""

# The order of imports is the order in which metrics are listed.
# isort: skip_file
from squarely.catalogue.squared import (
    mean_squared_error,
    root_mean_squared_error,
    normalized_mean_squared_error,
    normalized_root_mean_squared_error,
    residual_variance,
)
from squarely.catalogue.absolute import mean_absolute_error, max_error, weighted_absolute_percentage_error
from squarely.catalogue.explained import r2_score, adjusted_r2_score, explained_variance_score
from squarely.catalogue.calibration import mean_error, calibration_slope, calibration_intercept
from squarely.catalogue.agreement import pearson_correlation, concordance_correlation, kling_gupta_efficiency, variability_ratio, bias_ratio
from squarely.catalogue.quantile import mean_pinball_loss, d2_absolute_error_score, d2_pinball_score

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
