"""One kernel in Triton for all losses: value and gradient in one pass over memory and one launch."""

from squarely.losses.fused.engine import likelihood, multiplied, pointwise
from squarely.losses.fused.patch_engine import patches

__all__ = ["likelihood", "multiplied", "patches", "pointwise"]
