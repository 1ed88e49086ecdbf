"""What a call of a loss says beside prediction and target: weights, masks, what is reduced and by what it is divided."""

import difflib
import math
from dataclasses import dataclass, fields
from numbers import Real
from typing import Any

import numpy as np

from squarely.errors import DataError

__all__ = ["DENOMINATORS", "NAN_TARGETS", "OPTIONS", "REDUCTIONS", "Options"]

Array = Any
REDUCTIONS = ("none", "sum", "mean", "per_sample")
DENOMINATORS = ("weight", "valid", "count", "batch")
NAN_TARGETS = ("propagate", "omit", "raise")


@dataclass(frozen=True)
class Options:
    """Options of a loss; the same for every framework.

    Parameters
    ----------
    weight : array of the shape of the prediction
    sample_weight : array whose axes are the first axes of the prediction
    output_weight : array whose axes are the last axes of the prediction
    mask : boolean array whose axes are the first axes of the prediction; False is as if it were not there
    nan_target : "propagate", "omit" (as masked) or "raise" (which waits for the device)
    covariance : array (k, k), or one for each sample, of the errors of the last axis
    reduction : "mean", "sum", "none" or "per_sample"
    denom : what a mean is divided by: "weight", "valid", "count", "batch", or a number; None is "weight" where there is one, else "valid"
    """

    weight: Array = None
    sample_weight: Array = None
    output_weight: Array = None
    mask: Array = None
    nan_target: str = "propagate"
    covariance: Array = None
    reduction: str = "mean"
    denom: Any = None

    def __post_init__(self) -> None:
        _one_of("reduction", self.reduction, REDUCTIONS)
        _one_of("nan_target", self.nan_target, NAN_TARGETS)
        if isinstance(self.denom, str | bool):
            _one_of("denom", self.denom, DENOMINATORS)
        elif self.denom is not None and not _may_divide(self.denom):
            raise DataError(f"denom is {self.denom!r}; expected a number above 0, or one of {', '.join(map(repr, DENOMINATORS))}.")
        if self.denom is not None and self.reduction in ("none", "sum"):
            raise DataError(f"denom says what a mean is divided by, and reduction is {self.reduction!r}; leave denom out, or ask for the mean.")


OPTIONS = tuple(each.name for each in fields(Options))


def _may_divide(denom: Any) -> bool:
    """Say whether it is a number above 0, or an array that holds one: what that is a device may know alone, and 0 is that of no rows."""
    if isinstance(denom, Real):
        return 0 < float(denom) < math.inf
    if not hasattr(denom, "shape") or tuple(denom.shape) != ():
        return False
    return not isinstance(denom, np.ndarray) or (isinstance(denom.item(), Real) and 0 <= denom.item() < math.inf)


def _one_of(name: str, given: Any, allowed: tuple[str, ...]) -> None:
    if given not in allowed:
        near = difflib.get_close_matches(str(given), allowed, 1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise DataError(f"{name} is {given!r}; expected one of {', '.join(map(repr, allowed))}.{hint}")
