"""Products and quotients of float64 in two numbers, of which the second is what rounding leaves out of the first, and their one rounding."""

from squarely.losses.fused.device import INTERPRETED, tl, triton

__all__ = ["difference", "exact_slope", "is_power", "near_slope", "to_one", "typed"]

_FUSES = tl.constexpr(not INTERPRETED)  # the interpreter rounds a product before something is added to it
_TRUNCATES = tl.constexpr(INTERPRETED)  # and cuts a float32 off where a device rounds it to bfloat16


@triton.jit
def difference(a, b):
    """Difference in two numbers, without error (Knuth); where the first is infinite, the second is nan."""
    high = a - b
    part = high - a
    return high, (a - (high - part)) - (b + part)


@triton.jit
def _halves(x):
    """A number as two of half as many bits (Veltkamp)."""
    shifted = x * (134217729.0 if x.dtype == tl.float64 else 4097.0)
    upper = shifted - (shifted - x)
    return upper, x - upper


@triton.jit
def _product(a, b):
    """Product in two numbers, without error; where it is too large for that, the second is nan."""
    high = a * b
    if _FUSES:
        low = tl.fma(a, b, -high)
    else:  # Dekker
        a_upper, a_lower = _halves(a)
        b_upper, b_lower = _halves(b)
        low = ((a_upper * b_upper - high) + a_upper * b_lower + a_lower * b_upper) + a_lower * b_lower
    return high, low


@triton.jit
def _settled(high, low):
    """The same sum, whose high part is the nearest number to it; the high part alone where the low one is nan."""
    total = high + low
    rest = low - (total - high)
    return tl.where(rest == rest, total, high), tl.where(rest == rest, rest, 0.0)


@triton.jit
def is_power(x):
    """Say whether a float64 is a normal power of two, of either sign, so that nothing is rounded where it multiplies."""
    bits = x.to(tl.int64, bitcast=True)
    return ((bits & 0xFFFFFFFFFFFFF) == 0) & ((bits & 0x7FF0000000000000) != 0)


@triton.jit
def _odd(high, low):
    """Sum of two floats of which the first is the nearest to it, rounded to odd: a smaller type rounds it as if it had both."""
    whole: tl.constexpr = tl.int64 if high.dtype == tl.float64 else tl.int32
    last: tl.constexpr = 63 if high.dtype == tl.float64 else 31
    bits, sign = high.to(whole, bitcast=True), low.to(whole, bitcast=True)
    toward = (bits + ((bits ^ sign) >> last)) | 1  # one less where the signs differ
    return tl.where(low != 0, toward, bits).to(high.dtype, bitcast=True)


@triton.jit
def to_one(scale, den):
    """Both over the power of two that brings ``den`` to at most 1, so that no product is too large that is not when it is divided."""
    bits = (tl.abs(den).to(tl.int64, bitcast=True) - 1) & 0x7FF0000000000000
    power = bits.to(tl.float64, bitcast=True)  # half of it, which is a number whatever den is
    is_normal = (power > 0.0) & (power < float("inf"))
    power = tl.where(is_normal, power, 1.0)
    return tl.where(is_normal, 0.5 * scale / power, scale), tl.where(is_normal, 0.5 * den / power, den)


@triton.jit
def exact_slope(a, u, rest, w, scale, den, DTYPE: tl.constexpr):
    """a (u + rest) w scale / den, rounded once: every rounding before that is known, and goes into the last."""
    high, low = _product(w, scale)
    factor, left = _product(a, high)
    left += a * low
    high, low = _product(u, factor)
    high, low = _settled(high, low + (u * left + rest * factor))
    if den != 1.0:
        quotient = high / den
        back, lost = _product(quotient, den)
        high, low = _settled(quotient, (((high - back) - lost) + low) / den)
    if DTYPE == tl.float64:
        return high
    else:
        return typed(_odd(high, low), DTYPE)


@triton.jit
def near_slope(a, u, rest, w, whole, is_exact, WEIGHTED: tl.constexpr, DTYPE: tl.constexpr):
    """a (u + rest) w whole by pairs of float32, rounded, and whether its error cannot matter.

    There is none, and ties are many, where a and whole are powers of two, of which the latter ``is_exact`` knows.
    """
    factor = whole.to(tl.float32)
    left = (whole - factor.to(tl.float64)).to(tl.float32)
    error_share = tl.where(is_power(a.to(tl.float64)), 2.0**-42 * (1.0 - is_exact), 2.0**-42)
    if WEIGHTED:
        part = w * left
        factor, left = _product(w, factor)
        left, error_share = left + part, tl.where(rest == 0, error_share, 2.0**-42)
    is_large = (tl.abs(factor) > 2.0**-60).to(tl.float32)  # so that errors of products are numbers
    part = a * left
    factor, left = _product(a, factor)
    near, error = _product(u, factor)
    error = _plus_product(_plus_product(error, rest, factor), u, left + part)
    margin = tl.abs(near) * error_share
    if DTYPE == tl.float32:
        slope = near + (error - margin)
        is_settled = slope == near + (error + margin)
    else:
        total = near + error
        beyond = error - (total - near)
        slope, is_settled = typed(_odd(total, beyond), DTYPE), tl.abs(beyond) >= margin
    return slope, is_settled & ((tl.abs(near) * is_large > 2.0**-90) | (a * u == 0))


@triton.jit
def _plus_product(total, a, b):
    """total + a b, rounded once or twice."""
    if _FUSES:
        return tl.fma(a, b, total)
    else:
        return total + a * b


@triton.jit
def typed(x, DTYPE: tl.constexpr):
    """A float in another type, rounded to nearest once: on its way to a half type by float32, a float64 is rounded to odd."""
    if x.dtype == tl.float64 and (DTYPE == tl.bfloat16 or DTYPE == tl.float16):
        bits = x.to(tl.int64, bitcast=True)
        beyond = bits & 0x1FFFFFFF
        x = ((bits ^ beyond) | ((beyond != 0).to(tl.int64) << 29)).to(tl.float64, bitcast=True).to(tl.float32)
    if DTYPE == tl.bfloat16 and _TRUNCATES:
        x = x.to(tl.float32)
        bits = x.to(tl.uint32, bitcast=True)
        x = tl.where(x == x, ((bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000).to(tl.float32, bitcast=True), x)
    return x.to(DTYPE)
