"""Losses for torch: functions and modules, named as torch names its own; weights, masks and missing targets that are right."""
# ruff: noqa: F403

from squarely.losses.terms import LossTerms
from squarely.losses.torch import functional, linear, modules
from squarely.losses.torch.distributed import global_denominator
from squarely.losses.torch.functional import *
from squarely.losses.torch.linear import *
from squarely.losses.torch.modules import *

__all__ = ["LossTerms", "global_denominator"]
__all__ += functional.__all__
__all__ += linear.__all__
__all__ += modules.__all__
