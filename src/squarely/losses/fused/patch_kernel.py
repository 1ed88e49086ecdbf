"""The kernel of normalised patches: mean and variance of a patch, loss and gradient, of numbers that are read once."""

from squarely.losses.fused.device import tl, triton
from squarely.losses.fused.elementary import divide, sqrt
from squarely.losses.fused.exact import typed
from squarely.losses.fused.kernel import finish, merge, place, total_of

__all__ = ["patches_in_one_pass"]


@triton.jit
def patches_in_one_pass(
    pred,
    target,
    weight,
    mask,
    scale,
    factor: tl.float64,
    eps: tl.float64,
    gradient,
    totals,
    partials,
    counter,
    patches,
    pixels,
    weight_inner,
    weight_size,
    mask_inner,
    mask_size,
    FLOAT: tl.constexpr,
    OMITS: tl.constexpr,
    SCALED: tl.constexpr,
    WEIGHTED: tl.constexpr,
    WEIGHT_SPREAD: tl.constexpr,
    MASKED: tl.constexpr,
    MASK_SPREAD: tl.constexpr,
    WRITES: tl.constexpr,
    WIDE: tl.constexpr,
    SPLIT: tl.constexpr,
    PARTS: tl.constexpr,
    R: tl.constexpr,
    C: tl.constexpr,
):
    """Add up the losses of the patches of a sample and write their gradients, all times scale; R patches at a time, split among programs."""
    sample, split, splits = tl.program_id(0), tl.program_id(1), tl.num_programs(1)
    if WIDE:
        sample, split = sample.to(tl.int64), split.to(tl.int64)  # before they are multiplied
    base = sample * patches
    whole = tl.full((), factor, tl.float64) if not SCALED else tl.load(scale).to(tl.float64)
    times = whole.to(FLOAT)
    share = divide(tl.full((), 1.0, FLOAT), pixels.to(FLOAT))
    pixel = tl.arange(0, C)[None, :]
    high, low = tl.zeros((R,), FLOAT), tl.zeros((R,), FLOAT)
    for start in range(split * R, patches, splits * R):
        own = start + tl.arange(0, R)
        row, counts = base + own, own < patches
        inside = counts[:, None] & (pixel < pixels)
        at = row[:, None] * pixels + pixel
        y = tl.load(target + at, mask=inside, other=0).to(FLOAT)
        p = tl.load(pred + at, mask=inside, other=0.0).to(FLOAT)
        w = tl.full((R,), 1.0, FLOAT)
        if OMITS:
            counts = counts & (tl.sum((y != y).to(tl.int32), 1) == 0)
        if MASKED:
            counts = counts & (tl.load(mask + place(row, mask_inner, mask_size, MASK_SPREAD), mask=own < patches, other=0) != 0)
        if WEIGHTED:
            w = tl.load(weight + place(row, weight_inner, weight_size, WEIGHT_SPREAD), mask=own < patches, other=0).to(FLOAT)
            counts = counts & (w != 0)
        used = inside & counts[:, None]
        y, p = tl.where(used, y, 0.0), tl.where(used, p, 0.0)
        mean = tl.sum(y, 1) * share
        apart = tl.where(used, y - mean[:, None], 0.0)
        variance = divide(tl.sum(apart * apart, 1), (pixels - 1).to(FLOAT))
        u = p - divide(apart, sqrt(variance + tl.full((), eps, FLOAT))[:, None])
        high, low = merge(high, low, tl.where(counts, tl.sum(u * u, 1) * share * w, 0.0), 0.0)
        if WRITES:
            kind: tl.constexpr = gradient.dtype.element_ty
            slope = 2.0 * u * (w * times * share)[:, None]
            tl.store(gradient + at, typed(tl.where(used, slope, 0.0), kind), mask=inside)
    total, rest = tl.reduce((high, low), 0, merge)
    one = tl.arange(0, 1)
    if SPLIT:
        finish(total + tl.zeros((1,), FLOAT), rest + tl.zeros((1,), FLOAT), whole, totals, partials, counter, sample, split, splits, PARTS)
    else:
        tl.store(totals + sample + one, total_of(total, rest, whole) + tl.zeros((1,), tl.float64))
