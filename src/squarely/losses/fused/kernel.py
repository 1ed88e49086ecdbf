"""The kernel: losses and gradients of a tile, and their sum in an order that nothing changes. It is written once, for every loss."""

from squarely.losses.fused.device import INTERPRETED, tl, triton

__all__ = ["finish", "merge", "multiply", "one_pass", "place", "total_of", "typed"]

_TRUNCATES = tl.constexpr(INTERPRETED)  # the interpreter cuts a float32 off where a device rounds it to bfloat16


@triton.jit
def merge(high, low, more_high, more_low):
    """Sum of two sums of two floats each (Knuth's two-sum); the high part is the sum as it is without the low one."""
    total = high + more_high
    part = total - high
    return total, (low + more_low) + ((high - (total - part)) + (more_high - part))


@triton.jit
def total_of(high, low, factor):
    """A sum of two floats times a float64, rounded once to float32 or twice to float64; 0 is 0 even where the factor is infinite.

    The low part is nan where the sum is infinite.
    """
    high, low = high.to(tl.float64), low.to(tl.float64)
    total = tl.where(low == low, high + low, high)
    return tl.where(total == 0, total, total * factor)


@triton.jit
def typed(x, DTYPE: tl.constexpr):
    """A float in another type, rounded to nearest; a float64 becomes a bfloat16 by way of float32."""
    if DTYPE == tl.bfloat16:
        x = x.to(tl.float32)
        if _TRUNCATES:
            bits = x.to(tl.uint32, bitcast=True)
            x = tl.where(x == x, ((bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000).to(tl.float32, bitcast=True), x)
    return x.to(DTYPE)


@triton.jit
def place(at, inner, size, SPREAD: tl.constexpr):
    """Where an array stands that may be the same along the first and the last axes: it has ``size`` numbers, each for ``inner`` in a row."""
    if SPREAD:
        return (at // inner) % size
    else:
        return at


@triton.jit
def finish(high, low, factor, totals, partials, counter, group, split, splits, PARTS: tl.constexpr):
    """The sum of a row of which each program has a part, times a factor: the program that comes last adds all parts, in their order."""
    one = tl.arange(0, 1)
    mine = partials + 2 * (group * splits + split) + one
    tl.store(mine, high)
    tl.store(mine + 1, low)
    tl.debug_barrier()
    ticket = tl.atomic_add(counter + group, 1, sem="acq_rel", scope="gpu")
    if ticket == splits - 1:
        part = tl.arange(0, PARTS)
        all_parts = partials + 2 * (group * splits + part)
        highs = tl.load(all_parts, mask=part < splits, other=0.0, cache_modifier=".cg")
        lows = tl.load(all_parts + 1, mask=part < splits, other=0.0, cache_modifier=".cg")
        all_high, all_low = tl.reduce((highs, lows), 0, merge)
        tl.store(totals + group, total_of(all_high, all_low, factor))
        tl.store(counter + group, 0)  # ready for the next launch


@triton.jit
def one_pass(
    pred,
    target,
    spread,
    weight,
    mask,
    scale,
    factor: tl.float64,
    gradient,
    gradient_of_spread,
    totals,
    partials,
    counter,
    rows,
    columns,
    weight_inner,
    weight_size,
    mask_inner,
    mask_size,
    TERMS: tl.constexpr,
    FLOAT: tl.constexpr,
    OMITS: tl.constexpr,
    SCALED: tl.constexpr,
    WEIGHTED: tl.constexpr,
    WEIGHT_SPREAD: tl.constexpr,
    MASKED: tl.constexpr,
    MASK_SPREAD: tl.constexpr,
    HAS_SPREAD: tl.constexpr,
    WRITES: tl.constexpr,
    WRITES_SPREAD: tl.constexpr,
    WIDE: tl.constexpr,
    SPLIT: tl.constexpr,
    PARTS: tl.constexpr,
    R: tl.constexpr,
    C: tl.constexpr,
):
    """Add up w rho of each row, times scale, and write scale w psi; R rows of C numbers at a time, split among programs where rows are long."""
    group, split, splits = tl.program_id(0), tl.program_id(1), tl.num_programs(1)
    if WIDE:
        group, split = group.to(tl.int64), split.to(tl.int64)  # before they are multiplied
    row, first = group * R + tl.arange(0, R)[:, None], split * C
    whole = tl.full((), factor, tl.float64) if not SCALED else tl.load(scale).to(tl.float64)
    times = whole.to(FLOAT)
    high, low = tl.zeros((R, C), FLOAT), tl.zeros((R, C), FLOAT)
    for start in range(first, columns, splits * C):
        column = start + tl.arange(0, C)[None, :]
        at = row * columns + column
        inside = (row < rows) & (column < columns)
        counts = inside
        p = tl.load(pred + at, mask=inside, other=1.0).to(FLOAT)
        y = tl.load(target + at, mask=inside, other=1).to(FLOAT)
        s = p
        if HAS_SPREAD:
            s = tl.load(spread + at, mask=inside, other=1.0).to(FLOAT)
        w = tl.full((), 1.0, FLOAT)
        if MASKED:
            counts = counts & (tl.load(mask + place(at, mask_inner, mask_size, MASK_SPREAD), mask=inside, other=0) != 0)
        if OMITS:
            counts = counts & (y == y)
        if WEIGHTED:
            w = tl.load(weight + place(at, weight_inner, weight_size, WEIGHT_SPREAD), mask=inside, other=0).to(FLOAT)
            counts = counts & (w != 0)
        if MASKED or OMITS or WEIGHTED:  # what does not count is not looked at, and can do no harm
            p, y, s = tl.where(counts, p, 1.0), tl.where(counts, y, 1.0), tl.where(counts, s, 1.0)
        rho, by_pred, by_spread = TERMS(p, y, s, FLOAT)
        high, low = merge(high, low, tl.where(counts, rho * w, 0.0), 0.0)
        if WRITES:
            kind: tl.constexpr = gradient.dtype.element_ty
            tl.store(gradient + at, typed(tl.where(counts, by_pred * (w * times), 0.0), kind), mask=inside)
        if WRITES_SPREAD:
            of_spread: tl.constexpr = gradient_of_spread.dtype.element_ty
            tl.store(gradient_of_spread + at, typed(tl.where(counts, by_spread * (w * times), 0.0), of_spread), mask=inside)
    high, low = tl.reduce((high, low), 1, merge)
    if SPLIT:
        finish(high, low, whole, totals, partials, counter, group, split, splits, PARTS)
    else:
        own = group * R + tl.arange(0, R)
        tl.store(totals + own, total_of(high, low, whole), mask=own < rows)


@triton.jit
def multiply(numbers, by, length, FLOAT: tl.constexpr, WIDE: tl.constexpr, C: tl.constexpr):
    """Multiply numbers by one that the device knows; where it is 1, as at the end of most programs, they are not touched."""
    factor = tl.load(by).to(FLOAT)
    if factor != 1.0:
        first = tl.program_id(0) * C
        if WIDE:
            first = first.to(tl.int64)
        for start in range(first, length, tl.num_programs(0) * C):
            at = start + tl.arange(0, C)
            product = tl.load(numbers + at, mask=at < length, other=0.0).to(FLOAT) * factor
            tl.store(numbers + at, typed(product, numbers.dtype.element_ty), mask=at < length)
