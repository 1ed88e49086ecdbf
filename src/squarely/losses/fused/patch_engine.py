"""Loss and gradient of normalised patches in one pass and one launch."""

from squarely.losses.fused.device import tl
from squarely.losses.fused.launch import FLOATS, Grid, Spread, current, is_read, scratch, warps
from squarely.losses.fused.patch_kernel import patches_in_one_pass
from squarely.losses.torch.library import TORCH, torch

__all__ = ["patches"]

Tensor = torch.Tensor
_MOST_BYTES = 1 << 15  # of a patch, which is kept in registers between two looks at it


def patches(
    pred: Tensor,
    target: Tensor,
    weight: Tensor | None,
    mask: Tensor | None,
    *,
    eps: float,
    omit: bool,
    scale: float | Tensor,
    samples: bool,
    gradient: bool,
) -> tuple[Tensor, Tensor | None] | None:
    """Return the sum of ``patch_mse_loss`` over patches and its gradient times ``scale``, in the same way as ``pointwise``.

    ``weight`` and ``mask`` broadcast to the shape of ``pred`` without its last axis; a patch with a pixel that is nan does not count if ``omit``.
    None where this is not for the kernel.
    """
    pixels, dtype = pred.shape[-1], TORCH.float_of(pred, target)
    if not 2 <= pixels <= _MOST_BYTES // dtype.itemsize or pred.dtype not in FLOATS or not is_read(target):
        return None
    groups = pred.shape[0] if samples else 1
    pred, target = pred.contiguous(), target.contiguous()
    by_pred = torch.empty_like(pred) if gradient else None
    if pred.numel() == 0:
        return pred.new_zeros(groups if samples else (), dtype=dtype), by_pred
    like = pred.new_empty(pred.shape[:-1])
    weights, masks = (None if each is None else Spread.of(each, like) for each in (weight, mask))
    if (weights is None) != (weight is None) or (masks is None) != (mask is None):
        return None
    grid = Grid.of_patches(groups, like.numel() // groups, pixels, pred.device)
    totals = torch.empty(groups if samples else (), dtype=dtype, device=pred.device)
    with current(pred):
        partials, counter = scratch(grid, totals, dtype)
        patches_in_one_pass[grid.groups, grid.splits](
            pred,
            target,
            pred if weights is None else weights.numbers,
            pred if masks is None else masks.numbers,
            scale if isinstance(scale, Tensor) else pred,
            1.0 if isinstance(scale, Tensor) else float(scale),
            eps,
            pred if by_pred is None else by_pred,
            totals,
            partials,
            counter,
            grid.columns,
            pixels,
            1 if weights is None else weights.inner,
            1 if weights is None else weights.size,
            1 if masks is None else masks.inner,
            1 if masks is None else masks.size,
            FLOAT=tl.float64 if dtype is torch.float64 else tl.float32,
            OMITS=omit and target.is_floating_point(),
            SCALED=isinstance(scale, Tensor),
            WEIGHTED=weights is not None,
            WEIGHT_SPREAD=weights is not None and weights.is_spread,
            MASKED=masks is not None,
            MASK_SPREAD=masks is not None and masks.is_spread,
            WRITES=gradient,
            WIDE=grid.is_wide,
            SPLIT=grid.splits > 1,
            PARTS=grid.parts,
            R=grid.high,
            C=grid.wide,
            num_warps=warps(grid.high * grid.wide, dtype),
            enable_fp_fusion=False,
        )
    return totals, by_pred
