"""Triton, in which the kernels are written. No other module imports it."""

from squarely.errors import MissingExtraError

try:
    import triton
    import triton.language as tl
except ImportError as error:
    raise MissingExtraError("squarely.losses.fused needs triton; install it with: pip install 'squarely[fused]'") from error

__all__ = ["INTERPRETED", "tl", "triton"]

INTERPRETED: bool = triton.knobs.runtime.interpret  # the kernels run on the processor, step by step, as tests do
