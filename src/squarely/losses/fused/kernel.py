"""The kernel: losses and gradients of a tile, and their sum in an order that nothing changes. It is written once, for every loss."""

from squarely.losses.fused.device import tl, triton
from squarely.losses.fused.exact import difference, exact_slope, is_power, near_slope, to_one, typed

__all__ = ["finish", "merge", "multiply", "one_pass", "place", "total_of"]


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
def _line_at(u, rest, LINE: tl.constexpr, FLOAT: tl.constexpr):
    """The slope of the piece of psi that u + rest is on, or its value if it is flat, and what that is multiplied by."""
    steep, flat = LINE(u, rest, FLOAT)
    return tl.where(steep != 0, steep, flat), tl.where(steep != 0, u, 1.0), tl.where(steep != 0, rest, 0.0)


@triton.jit
def _exact_line_slope(p, y, w, whole, scale, den, LINE: tl.constexpr, DTYPE: tl.constexpr):
    """w psi(p - y) scale / den, of which every rounding is known; ``whole`` is scale / den."""
    u, rest = difference(p.to(tl.float64), y.to(tl.float64))
    a, u, rest = _line_at(u, rest, LINE, tl.float64)
    slope = exact_slope(a, u, rest, w, scale, den, DTYPE)
    if DTYPE == tl.float64:
        near = a * u * (w * whole)
        slope = tl.where(tl.abs(near) < 2.0**-1022, near, slope)  # below the normal numbers a quotient would be rounded twice
    return slope


@triton.jit
def _line_slope(p, y, w, whole, scale, den, LINE: tl.constexpr, NARROW: tl.constexpr, WEIGHTED: tl.constexpr, DTYPE: tl.constexpr):
    """The same: a product of pairs of float32, or in float64, decides where its error would change nothing.

    A tile has all computed exactly where for one it would.
    """
    wide = w.to(tl.float64)
    if DTYPE == tl.float64:
        slope = _exact_line_slope(p, y, wide, whole, scale, den, LINE, DTYPE)
    else:
        if NARROW:
            u, rest = difference(p.to(tl.float32), y.to(tl.float32))
            a, u, rest = _line_at(u, rest, LINE, tl.float32)
            is_exact = (is_power(whole) & (whole * den == scale)).to(tl.float32)  # a number, for the interpreter spreads no truth over a tile
            slope, is_settled = near_slope(a, u, rest, w, whole, is_exact, WEIGHTED, DTYPE)
        else:
            u, rest = difference(p.to(tl.float64), y.to(tl.float64))
            a, u, rest = _line_at(u, rest, LINE, tl.float64)
            product = a * u * (wide * whole)
            slope, other = typed(product * (1.0 - 2.0**-50), DTYPE), typed(product * (1.0 + 2.0**-50), DTYPE)
            is_settled = ~((slope < other) | (slope > other))  # nan is
        if tl.max((~is_settled).to(tl.int32)) != 0:
            slope = _exact_line_slope(p, y, wide, whole, scale, den, LINE, DTYPE)
    return slope


@triton.jit
def one_pass(
    pred,
    target,
    spread,
    weight,
    mask,
    scale,
    factor: tl.float64,
    den,
    divisor: tl.float64,
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
    LINE: tl.constexpr,
    NARROW: tl.constexpr,
    FLOAT: tl.constexpr,
    OMITS: tl.constexpr,
    SCALED: tl.constexpr,
    DIVIDED: tl.constexpr,
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
    """Add up w rho of each row, times scale / den, and write its slope; R rows of C numbers at a time, split among programs where rows are long."""
    group, split, splits = tl.program_id(0), tl.program_id(1), tl.num_programs(1)
    if WIDE:
        group, split = group.to(tl.int64), split.to(tl.int64)  # before they are multiplied
    row, first = group * R + tl.arange(0, R)[:, None], split * C
    over = tl.full((), divisor, tl.float64) if not DIVIDED else tl.load(den).to(tl.float64)
    times = tl.full((), factor, tl.float64) if not SCALED else tl.load(scale).to(tl.float64)
    whole = times / over
    times, over = to_one(times, over)
    high, low = tl.zeros((R, C), FLOAT), tl.zeros((R, C), FLOAT)
    for start in range(first, columns, splits * C):
        column = start + tl.arange(0, C)[None, :]
        at = row * columns + column
        inside = (row < rows) & (column < columns)
        counts = inside
        p_given, y_given = tl.load(pred + at, mask=inside, other=1.0), tl.load(target + at, mask=inside, other=1)
        p, y = p_given.to(FLOAT), y_given.to(FLOAT)
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
            if LINE is None:
                slope = typed(by_pred.to(tl.float64) * (w.to(tl.float64) * whole), kind)
            else:
                p_given, y_given = tl.where(counts, p_given, 1), tl.where(counts, y_given, 1)
                slope = _line_slope(p_given, y_given, w, whole, times, over, LINE, NARROW, WEIGHTED, kind)
            tl.store(gradient + at, tl.where(counts, slope, 0.0), mask=inside)
        if WRITES_SPREAD:
            of_spread: tl.constexpr = gradient_of_spread.dtype.element_ty
            slope = typed(by_spread.to(tl.float64) * (w.to(tl.float64) * whole), of_spread)
            tl.store(gradient_of_spread + at, tl.where(counts, slope, 0.0), mask=inside)
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
