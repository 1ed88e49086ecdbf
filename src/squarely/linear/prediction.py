"""Predictions of new rows and how sure they are."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from squarely.evaluate import as_frame
from squarely.linear.doubled import Doubles
from squarely.linear.inference import half_width

__all__ = ["Prediction"]


@dataclass(frozen=True, eq=False)
class Prediction:
    r"""What a fit says of new rows, where errors are independent and of equal variance.

    .. math:: \operatorname{se}(\hat y) = s \sqrt{z^\top (Z^\top W Z)^{-1} z}, \qquad y - \hat y \sim s \sqrt{1 + h}\; t_\nu

    Of shape (n,), or (n, t) for several targets.
    """

    mean: Doubles
    standard_errors: Doubles  # of the mean
    residual_std: Doubles | float
    freedom: int
    frame: str = "pyarrow"

    def confidence_intervals(self, confidence: float = 0.95) -> Doubles:
        """Return the intervals of the means, along the last axis: where the regression runs."""
        return self._around(self.standard_errors, confidence)

    def prediction_intervals(self, confidence: float = 0.95) -> Doubles:
        """Return the intervals of single new rows of weight 1, along the last axis: where their targets lie, normal errors given."""
        return self._around(np.hypot(self.standard_errors, self.residual_std), confidence)

    def _around(self, errors: Doubles, confidence: float) -> Doubles:
        half = errors * half_width(confidence, self.freedom)
        return np.stack([self.mean - half, self.mean + half], axis=-1)

    def to_frame(self, confidence: float = 0.95) -> Any:
        """Return a frame of the library that the rows came in, with the columns of statsmodels' ``summary_frame``; of one target."""
        mean, row = self.confidence_intervals(confidence), self.prediction_intervals(confidence)
        columns = {"mean": self.mean, "mean_se": self.standard_errors, "mean_ci_lower": mean[..., 0], "mean_ci_upper": mean[..., 1]}
        columns |= {"obs_ci_lower": row[..., 0], "obs_ci_upper": row[..., 1]}
        return as_frame({name: values.tolist() for name, values in columns.items()}, self.frame)
