"""One kernel in Triton for all losses: value and gradient in one pass over memory and one launch."""

from squarely.losses.fused.engine import likelihood, pointwise

__all__ = ["likelihood", "pointwise"]
